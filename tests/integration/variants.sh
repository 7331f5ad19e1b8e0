#!/bin/bash
# SPDX-License-Identifier: MIT
# What is rarely used: a read-only root file system, the removal of an instance that is down, and an etcd by hand with
# its password in a file.
# about 50 s
set -eu
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../environment.sh"

environment variants --catalog "$ROOT/tests/data/components"
slip() { "$SLIPWAY" "${slip_options[@]}" "$@"; }

document() { # WORD [COUNT]
    cat >"$file" <<END
name: $env
components:
  etcd: {instances: 1}
  sealed: {instances: ${2:-1}, config: {word: $1}}
END
}

# ---- a read-only root file system ----
sealed=$env-sealed-1
document hello
check_status "up makes a read-only component" 0 slip -f "$file" up
check_same "its root file system is read-only" true "$(docker inspect -f '{{.HostConfig.ReadonlyRootfs}}' "$sealed")"
check_not "nothing can be written there" docker exec "$sealed" touch /etc/mine
check_status "it is healthy" 0 slip -e "$env" status
check_same "files are rendered" "word = hello" "$(docker exec "$sealed" grep word /run/slipway/sealed.ini)"
check_same "hook apply has written its data" hello "$(docker exec "$sealed" cat /data/word)"
link=$SLIPWAY_HOME/$env/links/sealed-1/link
check_same "the link is a file for root alone" "400" "$(stat -c %a "$link")"
check_same "which nothing in the container can change" 1 \
    "$(docker exec "$sealed" sh -c 'echo >>/etc/slipway/link' 2>/dev/null && echo 0 || echo 1)"
password=$(sed -n 's,^etcds*://[^:]*:\([^@]*\)@.*,\1,p' "$link")
check "the password is in it" test "${#password}" -ge 16
check_hasnt "and not in docker inspect" "$(docker inspect "$sealed")" "$password"
check_status "nothing is left to do" 0 slip -f "$file" plan
document changed
check_status "a change reaches it" 0 slip -f "$file" up
check_same "while it runs" changed "$(docker exec "$sealed" cat /data/word)"
docker rm -f "$sealed" >/dev/null
check_status "it is made again when it was removed by hand" 0 slip -f "$file" up
check_status "restart" 0 slip -e "$env" restart sealed-1
check "it comes back" wait_until 30 slip -e "$env" status

# ---- an instance that is down is drained before it goes ----
volume=$env-sealed-2-data
content() { docker run --rm -v "$volume:/data" --entrypoint cat \
    "$(docker inspect -f '{{.Config.Image}}' "$sealed")" /data/word; }
document changed 2
check_status "up makes a second one" 0 slip -f "$file" up
docker exec "$env-sealed-2" touch /data/refuse
docker stop -t 5 "$env-sealed-2" >/dev/null
document changed 1
check_status "a plan starts what is down, to drain it" 2 slip -f "$file" plan
check_has "and says why" "$(cat "$TMP/out")" "it is down, and its data is moved away first"
check_status "a drain that fails removes nothing" 3 slip -f "$file" up
check_has "the error says so" "$(cat "$TMP/err")" "sealed-2 is not removed, because its data could not be moved away"
check_has "and what the hook said" "$(cat "$TMP/err")" "nowhere to move it to"
check_same "it is there still" changed "$(docker exec "$env-sealed-2" cat /data/word)"
docker exec "$env-sealed-2" rm /data/refuse
docker stop -t 5 "$env-sealed-2" >/dev/null
check_status "up drains and removes it" 0 slip -f "$file" up
check_not "it is gone" docker container inspect "$env-sealed-2"
check_same "its hook drain ran" drained "$(content)"
check_status "nothing is left to do" 0 slip -f "$file" plan

# ---- etcd by hand, its password in a file ----
image=$(docker inspect -f '{{.Config.Image}}' "$env-etcd-1")
alone=$env-alone
on_exit "docker rm -fv $alone"
printf 'correct-horse\nnot this line\n' >"$TMP/password"
chmod 644 "$TMP/password"
docker run -d --name "$alone" -v "$TMP/password:/run/secret:ro" "$image" --login root --password-file /run/secret \
    >/dev/null
ctl() { docker exec -e ETCDCTL_API=3 "$alone" etcdctl --endpoints http://127.0.0.1:2379 --command-timeout 3s "$@"; }
# shellcheck disable=SC2317 # called by wait_until
is_healthy() { [ "$(docker inspect -f '{{.State.Health.Status}}' "$alone")" = healthy ]; }
check "etcd with --password-file gets healthy" wait_until 90 is_healthy
check "it serves who has the password" ctl --user root:correct-horse put k v
check_same "the first line is the password" v "$(ctl --user root:correct-horse get k --print-value-only)"
check_not "another word is refused" ctl --user root:wrong get k
check_not "nobody reads without one" ctl get k
check_hasnt "the password is not in docker inspect" "$(docker inspect "$alone")" correct-horse
check_hasnt "nor among the arguments of any process" "$(docker top "$alone" -eo pid,args)" correct-horse
check_hasnt "nor in the log" "$(docker logs "$alone" 2>&1)" correct-horse
docker restart -t 10 "$alone" >/dev/null
check "it is the same after a restart" wait_until 60 ctl --user root:correct-horse get k

# refused NAME TEXT ARGUMENT...: a start that must not succeed, and what it says.
refused() {
    local name=$1 text=$2 got=0
    shift 2
    timeout 60 docker run --rm --name "$alone-refused" -v "$TMP:/secrets:ro" "$image" "$@" >"$TMP/out" 2>&1 || got=$?
    check_same "$name is refused" 1 "$got"
    check_has "$name: it says why" "$(cat "$TMP/out")" "$text"
}
on_exit "docker rm -fv $alone-refused"
: >"$TMP/empty"
printf 'two words\n' >"$TMP/blank"
refused "an empty password file" "no password in it" --password-file /secrets/empty
refused "a missing password file" "/secrets/none" --password-file /secrets/none
refused "a password with a blank" "blank or a control character" --password-file /secrets/blank
refused "another login" "is called root in etcd" --login admin --password-file /secrets/password

check_status "down leaves nothing" 0 slip -e "$env" down --volumes --yes
check "also of the operator's links" test ! -e "$SLIPWAY_HOME/$env"
finish
