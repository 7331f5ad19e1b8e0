#!/bin/bash
# SPDX-License-Identifier: MIT
# What `slipway check` finds on a machine and around the daemons: each test is shown something wrong, made for it, and
# must say so with its code and advice; and with that mended it is content again.
set -eu
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../environment.sh"

needs "checks" jq
environment checks --catalog "$ROOT/tests/data/components"
port=$(free_port)
components <<END
etcd: {instances: 1, overrides: {etcd-1: {ports: {client: $(free_port)}}}}
sleeper: {instances: 2, overrides: {sleeper-1: {ports: {web: $port}}}}
echo: {instances: 1}
END
check_status "up, logging JSON" 0 "$SLIPWAY" "${slip_options[@]}" -vv --log-format json --log-file "$TMP/log" -f \
    "$file" up
check "every line of stderr is an object" jq -e . "$TMP/err"
check "each change is told when it begins and when it is done" jq -es \
    'map(.message) | (map(select(endswith(": started"))) | length > 5) and
        (map(select(endswith(": done"))) | length > 5)' "$TMP/err"
check "each line says where it is from" jq -es --arg env "$env" \
    'all(.[]; .seq and .time and .level and .host and .pid and .component == "up" and .message)' "$TMP/log"
check "and of which environment" jq -es --arg env "$env" '[.[] | select(.environment == $env)] | length > 5' "$TMP/log"
check_same "the file has the same" "$(jq -c .seq "$TMP/err")" "$(jq -c .seq "$TMP/log")"

# result CODE WORD...: results of one code in the last check, each once.
check_json() { slip --json check "$@" >"$TMP/check" 2>"$TMP/err" || true; }
result() { jq -r --arg code "$1" '[.results[] | select(.code == $code).result] | unique | join(" ")' "$TMP/check"; }
message() { jq -r --arg code "$1" \
    '[.results[] | select(.code == $code) | .message + " / " + (.advice // "")] | join("\n")' "$TMP/check"; }
# found NAME CODE RESULT SENTENCE: the check of this code alone says so, with advice, and ends with its exit status.
found() {
    local want=0
    [ "$3" != FAILED ] || want=5
    check_status "$1: exit status" "$want" slip --json check "$2"
    cp "$TMP/out" "$TMP/check"
    check_same "$1: result" "$3" "$(result "$2")"
    check_has "$1: message" "$(message "$2")" "$4"
    [ "$3" = SUCCESS ] || check_same "$1: advice" "" \
        "$(jq -r '.results[] | select(.advice == null or .advice == "") | .code' "$TMP/check")"
}
in_sleeper() { docker exec "$env-sleeper-1" sh -c "$1"; }

# ---- one module, one test ---------------------------------------------------------------------------
check_json access latency
check_same "one test of a module" access.latency "$(jq -r '.results[].code' "$TMP/check")"
check_json access.latency access.auth instances
check_same "tests by code, and a module" "access.auth access.latency instances.ready" \
    "$(jq -r '[.results[].code] | sort | join(" ")' "$TMP/check")"
check_json etcd quorum
check_same "one test of a component" etcd.quorum "$(jq -r '.results[].code' "$TMP/check")"
check_same "the recap counts what was tried" 1 "$(jq '.recap | add' "$TMP/check")"
says "a test that a module does not have" 6 \
    "access has no test nothing; it has: members, auth, isolation, ways, latency" slip check access nothing
says "a test that a component does not have" 6 "etcd has no test nothing; it has: quorum" slip check etcd nothing
says "a module that is not there" 6 "there is no check nothing here" slip check nothing

# ---- what is well -----------------------------------------------------------------------------------
check_json
for code in host.permissions containers.names containers.processes containers.zombies containers.logs \
    containers.permissions; do
    check_same "$code is well" SUCCESS "$(result $code)"
done
check "there is a result for the disk" test -n "$(result host.disk)"
check_same "the recap counts every result" "$(jq '.results | length' "$TMP/check")" "$(jq '.recap | add' "$TMP/check")"

# ---- ports ------------------------------------------------------------------------------------------
found "a published port without a listener" containers.ports FAILED "nobody listens on port 8080 in sleeper-1"
check_hasnt "the other published port is well" "$(message containers.ports)" etcd-1

# ---- names ------------------------------------------------------------------------------------------
in_sleeper 'cp /etc/resolv.conf /tmp/resolv; echo nameserver 127.0.0.9 >/etc/resolv.conf'
found "broken DNS" containers.names FAILED "sleeper-1 does not find"
in_sleeper 'cat /tmp/resolv >/etc/resolv.conf; cp /etc/hosts /tmp/hosts; echo 127.0.0.9 etcd-1 >>/etc/hosts'
found "a name that leads elsewhere" containers.names FAILED "sleeper-1 finds etcd-1 at 127.0.0.9"
in_sleeper 'cat /tmp/hosts >/etc/hosts'
found "names mended" containers.names SUCCESS "find each other"

# ---- zombies ----------------------------------------------------------------------------------------
in_sleeper 'sh -c "true & exec sleep 86397" >/dev/null 2>&1 &'
check "a zombie is made" wait_until 60 in_sleeper 'grep -l "State:.Z" /proc/[0-9]*/status'
found "a zombie" containers.zombies WARNING "sleeper-1 has 1 zombie"
check_has "it names the parent" "$(message containers.zombies)" "whose parent is sleep"
in_sleeper 'for p in /proc/[0-9]*; do tr "\0" " " <$p/cmdline | grep -qx "sleep 86397 " && kill ${p#/proc/}
    done; true' 2>/dev/null
check "init takes it when its parent is gone" wait_until 60 slip check containers.zombies
found "no zombie" containers.zombies SUCCESS "no process waits"

# ---- permissions ------------------------------------------------------------------------------------
in_sleeper 'chmod 444 /run/slipway/secrets/token'
found "a secret that others may read" containers.permissions FAILED "/run/slipway/secrets/token"
in_sleeper 'chmod 400 /run/slipway/secrets/token'
found "the secret is closed again" containers.permissions SUCCESS "for their owners alone"
chmod 644 "$SLIPWAY_HOME/$env/document"* 2>/dev/null || chmod 755 "$SLIPWAY_HOME/$env"
found "a state file that others may read" host.permissions FAILED "may be read by others: mode 0"
chmod -R go= "$SLIPWAY_HOME/$env"
found "the operator's folder is closed again" host.permissions SUCCESS "the operator's alone"

# ---- processes --------------------------------------------------------------------------------------
docker exec "$env-sleeper-2" sh -c \
    'for p in /proc/[0-9]*; do read -r n <$p/comm && [ "$n" = slipway-agent ] && kill -STOP ${p#/proc/}; done; true' \
    2>/dev/null
found "a stopped agent still runs" containers.processes SUCCESS "init and agent run"
docker exec "$env-sleeper-2" sh -c \
    'for p in /proc/[0-9]*; do read -r n <$p/comm && [ "$n" = slipway-agent ] && kill -CONT ${p#/proc/}; done; true' \
    2>/dev/null
started_again() { [ "$(docker inspect -f '{{.RestartCount}} {{.State.Running}}' "$env-sleeper-1")" = "$1 true" ]; }
kill_daemon() {
    docker exec "$env-sleeper-1" sh -c \
        'for p in /proc/[0-9]*; do read -r n <$p/comm && [ "$n" = sleep ] && kill -9 ${p#/proc/}; done' 2>/dev/null
}
for times in 1 2 3; do
    wait_until 60 slip check instances
    kill_daemon || true
    check "Docker starts it again, $times" wait_until 60 started_again $times
    [ $times != 1 ] || { wait_until 60 slip check instances &&
        found "once does not matter" containers.processes SUCCESS "init and agent run"; }
done
wait_until 60 slip check instances
found "a container that Docker starts again and again" containers.processes WARNING "sleeper-1 ended by itself"

# ---- logs -------------------------------------------------------------------------------------------
log=$(docker inspect -f '{{.LogPath}}' "$env-sleeper-2")
if [ -w "$log" ]; then
    truncate -s +65M "$log"
    found "a log that outgrew its limit" containers.logs WARNING "the log of sleeper-2 has 65 MiB, more than its limit"
    truncate -s 0 "$log"
    found "the log is short again" containers.logs SUCCESS "keeps to it"
else
    skip "a log that outgrew its limit" "no right to $log"
fi

# ---- disk -------------------------------------------------------------------------------------------
if [ "$(id -u)" = 0 ] && mkdir -p "$TMP/small" &&
    mount -t tmpfs -o size=2m,mode=700 tmpfs "$TMP/small" 2>/dev/null; then
    on_exit "umount -l '$TMP/small'"
    cp -a "$SLIPWAY_HOME/$env" "$TMP/small/"
    head -c 4M /dev/zero >"$TMP/small/fill" 2>/dev/null || true
    full() { SLIPWAY_HOME=$TMP/small slip "$@"; }
    check_status "a full file system: exit status" 5 full --json check host.disk
    cp "$TMP/out" "$TMP/check"
    check_has "it says which" "$(message host.disk)" "the operator's key and journal): 0 MiB of 2 MiB free"
    check_has "and what to do" "$(message host.disk)" "make space"
    rm "$TMP/small/fill"
    full --json check host.disk >"$TMP/check" || true
    check_hasnt "with space it is well" "$(jq -c '.results[] | select(.result == "FAILED")' "$TMP/check")" small
else
    skip "a full file system" "no right to mount"
fi

# ---- what cannot be looked at -----------------------------------------------------------------------
docker pause "$env-sleeper-2" >/dev/null
check_json containers
check_same "a paused container is left out" 0 \
    "$(jq '[.results[] | select(.message | test("sleeper-2"))] | length' "$TMP/check")"
docker unpause "$env-sleeper-2" >/dev/null
docker exec "$env-sleeper-2" mv /bin/sh /bin/sh.away
check_status "a container without a shell: exit status" 5 slip --json check containers
cp "$TMP/out" "$TMP/check"
check_same "it is an exception" EXCEPTION "$(result containers.check)"
check_has "which names the instance" "$(message containers.check)" sleeper-2
check_same "the recap counts it" 1 "$(jq .recap.EXCEPTION "$TMP/check")"
docker exec "$env-sleeper-2" mv /bin/sh.away /bin/sh

# ---- no secret in a log -----------------------------------------------------------------------------
key=$(cat "$SLIPWAY_HOME/$env/key")
root=$(docker exec "$env-etcd-1" cat /run/slipway/secrets/root_password)
token=$(docker exec "$env-sleeper-1" cat /run/slipway/secrets/token)
for command in status check "config set sleeper word hush" "config history" "exec sleeper-1 -- true" \
    "collect $TMP/all.tar"; do
    # shellcheck disable=SC2086
    slip -vv --log-file "$TMP/log" $command >/dev/null 2>&1 || true
done

# ---- what is not there is not good ------------------------------------------------------------------
check_status "a test that has nothing to look at: exit status" 5 slip check fuse.instances
check_has "it says that nothing was tested" \
    "$(cat "$TMP/out")" "NOT good, 0 SUCCESS, 1 SKIPPED; nothing was tested of fuse"
check_status "beside a module that is tested too" 5 slip --json check access fuse.instances
cp "$TMP/out" "$TMP/check"
check_same "it is not well" false "$(jq .ok "$TMP/check")"
check_status "down, the data stays" 0 slip down
check_status "an environment that is down: exit status" 5 slip check instances
check_has "it says so" "$(cat "$TMP/out")" "$env is down: it has no instances"
check_status "down" 0 slip -vv --log-format json --log-file "$TMP/log" down --volumes --yes
for secret in "$key" "$root" "$token"; do check_not "no secret in the log" grep -qF -e "$secret" "$TMP/log" \
    "$TMP/err"; done
check "the log is JSON to its end" jq -e . "$TMP/log"
check_status "the machine can be looked at before there is an environment" 5 slip check host.permissions
check_has "and says that there is nothing yet" "$(cat "$TMP/out")" "is not there"
finish
