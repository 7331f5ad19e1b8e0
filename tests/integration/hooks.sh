#!/bin/bash
# SPDX-License-Identifier: MIT
# Components that misbehave, and files that are not documents: each ends in one clear error that says which instance,
# why and what it printed last; nothing that was well is lost; and with the fault mended the same command goes on.
# about 100 s
set -eu
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../environment.sh"

needs "hooks"
component=faulty$$
catalog=$TMP/catalog/$component
on_exit "docker images -q slipway/$component | sort -u | xargs -r docker rmi -f"
environment hooks --catalog "$TMP/catalog"
slip() { "$SLIPWAY" "${slip_options[@]}" -q "$@"; }

# component COMMAND: a component without hooks that runs the command.
component() {
    rm -rf "$catalog"
    mkdir -p "$catalog/hooks"
    cat >"$catalog/component.yaml" <<END
name: $component
summary: does what the test says
requires: [etcd]
instances: {default: 1, min: 1, max: 10}
data: {root: /data, volumes: 1}
run:
  command: $1
config:
  word: {type: string, default: hello, apply: live, help: a word}
ready: {deadline: 20s, settle: 1s}
health: {every: 1s, deadline: 1s}
hooks: {deadline: 3s}
stop: {signal: KILL, grace: 1s}
END
}
hook() { # NAME: from standard input
    { echo '#!/bin/sh'; cat; } >"$catalog/hooks/$1"
    chmod 755 "$catalog/hooks/$1"
}
cat >"$file" <<END
name: $env
components:
  etcd: {instances: 1}
  $component: {instances: 1, memory: 64MiB}
END

# The run fails with one error: in one sentence, with the instance's name and the reason, and at most some lines of its
# log.
fails() { # NAME STATUS REASON
    local errors
    check_status "$1: up fails" "$2" slip -f "$file" up
    errors=$(grep '^slipway: ' "$TMP/err" | grep -v '^slipway: warning: ' || true)
    check_same "$1: there is one error" 1 "$(grep -c . <<<"$errors" || true)"
    check_has "$1: it names the instance" "$errors" "$component-1"
    check_has "$1: it says why" "$(cat "$TMP/err")" "$3"
    check "$1: it is short" test "$(wc -c <"$TMP/err")" -lt 8000
}
well() { check_status "$1" 0 slip -f "$file" up; check_status "and all is well" 0 slip -e "$env" status; }

component '[sleep, infinity]'
hook prepare <<<'echo "asking an oracle"; sleep 86399'
fails "a hook that hangs" 3 "before its deadline"
check_has "it names the hook" "$(cat "$TMP/err")" prepare
check_has "the last lines of its log are shown" "$(cat "$TMP/err")" "asking an oracle"
# Docker restarts the container, whose hook hangs again: what hangs now must not hang for long.
mapfile -t hanging < <(pgrep -f "^sleep 86399$")
gone() { for p in "${hanging[@]}"; do ! kill -0 "$p" || return 1; done; }
check "of one run of the hook at most" test "${#hanging[@]}" -le 1
check "nothing of the hook is left hanging" wait_until 60 gone

component '[sleep, infinity]'
hook prepare <<<'echo "looking"; echo "there is no licence $((6 * 7))" >&2; exit 9'
fails "a hook that fails" 3 "there is no licence 42"
check_has "it says the hook's status" "$(cat "$TMP/err")" 9

component '[sleep, infinity]'
hook prepare <<<'head -c 1048576 /dev/zero | tr "\0" x; echo; i=0
    while [ $i -lt 3000 ]; do echo "a line of noise $i"; i=$((i + 1)); done; echo "the last word"; exit 1'
fails "a hook that prints a megabyte and fails" 3 "the last word"

component '[sh, -c, "echo going down; exit 3"]'
fails "a daemon that ends at once" 3 "going down"
check_has "it says the exit status" "$(cat "$TMP/err")" "status 3"

component '[sleep, infinity]'
hook ready <<<'echo "not before Christmas"; exit 1'
fails "a daemon that never gets ready" 3 "not before Christmas"
check_status "status says so" 5 slip -e "$env" status

component '[sh, -c, "if [ -e /data/eat ]; then rm /data/eat; exec tail /dev/zero; fi; exec sleep infinity"]'
hook prepare <<<'head -c 1048576 /dev/zero | tr "\0" x; echo; echo prepared'
hook apply <<'END'
printf "%s\n" "$CFG_word" >"$SLIPWAY_DATA/word"
[ "$CFG_word" != bad ] || [ -e "$SLIPWAY_DATA/licence" ] || { echo "not without a licence"; exit 1; }
[ "$CFG_word" = much ] || exit 0
echo run >>"$SLIPWAY_DATA/runs"
[ "$(wc -l <"$SLIPWAY_DATA/runs")" -ge 3 ] || exit 75
END
well "with the fault mended up goes on"
check_same "a megabyte of output does not matter when the hook is well" hello \
    "$(docker exec "$env-$component-1" cat /data/word)"
check_status "nothing is left to do" 0 slip -f "$file" plan

# A replacement that does not become healthy.
id=$(docker inspect -f '{{.Id}}' "$env-$component-1")
hook health <<<'echo "the new one is sick"; exit 1'
fails "a replacement that does not get healthy" 3 "the new one is sick"
check_has "it says what happens" "$(cat "$TMP/err")" "is brought back"
check_same "the old container runs again" "$id true" \
    "$(docker inspect -f '{{.Id}} {{.State.Running}}' "$env-$component-1")"
check "and is well" wait_until 60 slip -e "$env" status
check_same "its data is as before" hello "$(docker exec "$env-$component-1" cat /data/word)"
check_same "the failed one is gone" "" "$(docker ps -a --format '{{.Names}}' | grep "^$env-$component-1\." || true)"
check_status "the change is still to be done" 2 slip -f "$file" plan
hook health <<<'echo fine'
well "with the replacement mended up goes on"
check_same "the new container runs" 1 "$(docker ps --format '{{.Names}}' | grep -c "^$env-$component-1$")"
check_not "it is another one" test "$id" = "$(docker inspect -f '{{.Id}}' "$env-$component-1")"

# A live change that the hook does not manage: the daemon runs on with what it has, and status says so.
check_status "config set" 0 slip -e "$env" config set "$component" word world
check "a live change reaches the instance" wait_until 30 sh -c \
    "docker exec '$env-$component-1' cat /data/word | grep -qx world"

# etcd itself is replaced (its port is published): the run keeps its lock, the instance runs on, changes arrive.
id=$(docker inspect -f "{{.Id}} {{.State.StartedAt}}" "$env-$component-1")
etcd=$(docker inspect -f "{{.Id}}" "$env-etcd-1")
sed -i "s/etcd: {instances: 1}/etcd: {instances: 1, overrides: {etcd-1: {ports: {client: $(free_port)}}}}/" "$file"
check_status "up replaces etcd" 0 slip -f "$file" up
check_not "it is another container" test "$etcd" = "$(docker inspect -f "{{.Id}}" "$env-etcd-1")"
check_same "the instance was not touched" "$id" \
    "$(docker inspect -f "{{.Id}} {{.State.StartedAt}}" "$env-$component-1")"
check_status "config set after that" 0 slip -e "$env" config set "$component" word again
check "it arrives" wait_until 60 sh -c "docker exec '$env-$component-1' cat /data/word | grep -qx again"
check "all is well" wait_until 60 slip -e "$env" status
check_status "a change that is more than one run of the hook does" 0 slip -e "$env" config set "$component" word much
all_done() { [ "$(docker exec "$env-$component-1" sh -c 'wc -l </data/runs')" = 3 ] && slip -e "$env" status; }
check "is done by as many as it takes, and then said to be in effect" wait_until 60 all_done
check_hasnt "which was not a failure" "$(docker logs "$env-$component-1" 2>&1 | grep 75 || true)" "status 75"

# What failed is tried again by the next run, and only what comes of that counts.
sed -i "s/  $component: {instances: 1,/  $component: {instances: 1, config: {word: bad},/" "$file"
fails "a live change that the hook refuses" 3 "not without a licence"
docker exec "$env-$component-1" touch /data/licence
well "up right after it, with the fault mended"

# A daemon that ate all memory is named, also when it runs again.
docker exec "$env-$component-1" touch /data/eat
check_status "restart" 0 slip -e "$env" restart "$component-1"
eaten() { slip -e "$env" status >"$TMP/out" 2>&1 && grep -q "^$component-1: before its last start: .*memory ran out" \
    "$TMP/out"; }
check "a daemon that ate all memory is named when it runs again" wait_until 60 eaten
eaten || { cat "$TMP/out"; docker logs --tail 30 "$env-$component-1"; } 2>&1 | sed 's/^/    /'

# ---- documents ---------------------------------------------------------------------------------------
id=$(docker inspect -f '{{.Id}} {{.State.StartedAt}}' "$env-$component-1" "$env-etcd-1")
bad=$TMP/bad.yaml
refused() { # NAME WORDS...: exit 6 at once for every command that takes a document, with file, line and column
    local name=$1 word
    shift
    check_status "$name: up" 6 timeout 20 "$SLIPWAY" --catalog "$TMP/catalog" -q -f "$bad" up
    check "$name: file, line and column" grep -qE 'bad\.yaml:[0-9]+:[0-9]+: ' "$TMP/err"
    check "$name: the error is short" test "$(wc -c <"$TMP/err")" -lt 20000
    for word; do check_has "$name: says $word" "$(cat "$TMP/err")" "$word"; done
    check_status "$name: plan" 6 timeout 20 "$SLIPWAY" --catalog "$TMP/catalog" -q -f "$bad" plan
    check_status "$name: validate" 6 timeout 20 "$SLIPWAY" --catalog "$TMP/catalog" -q validate "$bad"
}
valid() { cat "$file"; }

{ valid; head -c 204800 /dev/zero | tr '\0' '['; } >"$bad"
refused "200 KB of ["
{ echo "name: $env"; printf 'components: '; for ((i = 0; i < 20000; i++)); do printf '{a: '; done; } >"$bad"
refused "20,000 maps in each other"
{ valid; echo "  etcd: {instances: 3}"; echo "name: other"; } >"$bad"
refused "duplicate keys" etcd
{
    valid
    printf '  cehp-mon: {instances: 1}\ncolour: red\nprofil: quick\n'
} >"$bad"
refused "unknown keys, all at once" "ceph-mon" "colour" "profile"
check "each has its own line" test "$(grep -c 'bad\.yaml:[0-9]*:' "$TMP/err")" -ge 3
{
    valid
    echo 'a: &a [x, x, x, x, x, x, x, x, x]'
    for ((i = 1; i < 12; i++)); do echo "b$i: &b$i [*a, *a, *a, *a, *a, *a, *a, *a, *a]"; done
} >"$bad"
refused "a YAML bomb"
{ valid; printf '# a NUL: \0\n'; } >"$bad"
refused "a NUL"
{ valid; printf '# no UTF-8: \377\376\n'; } >"$bad"
refused "bytes that are not UTF-8"
value() { echo "name: $env"; printf 'components:\n  etcd: {}\n  %s: {config: {word: "' "$component"; head -c "$1" \
    /dev/zero | tr '\0' x; echo '"}}'; }
value 100000 >"$bad"
refused "a value of 100 KB" "longer than 64 KiB"
value 1048576 >"$bad"
check_status "a value of 1 MB: up" 6 timeout 20 "$SLIPWAY" --catalog "$TMP/catalog" -q -f "$bad" up
check_has "a value of 1 MB: says what is too large" "$(cat "$TMP/err")" "bad.yaml is larger than 1048576 bytes"
{
    printf 'name: %s\ncomponents:\n  etcd: {instances: 2, config: {quota: much, bcrypt_cost: 99}}\n' "$env"
    printf '  %s: {instances: -1, config: {word: [a]}}\n' "$component"
} >"$bad"
refused "values out of bounds, all at once" "quota" "bcrypt_cost" "instances" "word"
: >"$bad"
refused "an empty document"

check_status "config set of an unknown key" 6 slip -e "$env" config set "$component" wrod x
check_has "names the nearest" "$(cat "$TMP/err")" word
check_status "config set of a value of 100 KB" 6 slip -e "$env" config set "$component" word \
    "$(head -c 100000 /dev/zero | tr '\0' x)"
check "is refused in few words" test "$(wc -c <"$TMP/err")" -lt 8000
check_same "nothing of all this was changed" "$id" \
    "$(docker inspect -f '{{.Id}} {{.State.StartedAt}}' "$env-$component-1" "$env-etcd-1")"
check_status "the environment is still well" 0 slip -e "$env" status
check_status "down" 0 slip -e "$env" down --volumes --yes
finish
