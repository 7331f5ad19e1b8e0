#!/bin/bash
# SPDX-License-Identifier: MIT
# A Docker that hangs: --timeout ends the calls that are under way, and so does a second Ctrl-C; a first one does not.
set -eu
. "$(dirname "$0")/../lib.sh"

command -v python3 >/dev/null || { skip "deadlines" "no python3"; finish; }
export SLIPWAY_HOME=$TMP/home
socket=$TMP/docker.sock
python3 "$ROOT/tests/cli/silent_docker.py" "$socket" &
on_exit "kill $!"
wait_until 30 test -S "$socket"
export DOCKER_HOST=unix://$socket
mkdir -p "$SLIPWAY_HOME/hung"
printf '%064d\n' 7 >"$SLIPWAY_HOME/hung/key"
chmod 600 "$SLIPWAY_HOME/hung/key"

printf 'name: hung\nprofile: quick\ncomponents:\n  etcd: {instances: 1}\n' >"$TMP/hung.yaml"

# Docker itself would have a minute for each of these calls, and three for a change.
within() { # SECONDS NAME STATUS COMMAND...
    local limit=$1 begin=$SECONDS
    shift
    check_status "$@"
    check "$1: in time" test $((SECONDS - begin)) -le "$limit"
}
for words in "up $TMP/hung.yaml" "-f $TMP/hung.yaml plan" "down --yes" "status" "list" "logs" "restart etcd-1"; do
    # shellcheck disable=SC2086 # words
    within 20 "--timeout: ${words/"$TMP/"/}" 8 "$SLIPWAY" -q -e hung --timeout 1s $words
done

hangs() { # is begun: a command that waits for Docker
    rm -f "$socket.asked"
    "$@" >"$TMP/said" 2>&1 &
    command=$!
    wait_until 30 test -e "$socket.asked"
}
ends() { # NAME
    local begin=$SECONDS status=0
    wait "$command" || status=$?
    check_same "$1 ends it with the status of an interrupt" 130 "$status"
    check "$1: at once" test $((SECONDS - begin)) -le 10
}
hangs "$SLIPWAY" -q -e hung status
kill -INT "$command"
sleep 1
check "a first Ctrl-C lets the call of Docker go on" kill -0 "$command"
kill -INT "$command"
ends "a second one"

# A closed terminal says it twice: itself, and through its shell.
hangs "$SLIPWAY" -q -e hung status
kill -HUP "$command"
sleep 0.5
kill -HUP "$command"
sleep 0.5
check "a closed terminal lets the call of Docker go on" kill -0 "$command"
kill -INT "$command"
ends "an interrupt after it"
hangs nohup "$SLIPWAY" -q -e hung status
kill -HUP "$command"
sleep 0.5
kill -INT "$command"
sleep 0.5
check "under nohup it does not count" kill -0 "$command"
kill -INT "$command"
ends "a second interrupt there"

# One that takes no connection: there is no call yet, only a socket that waits.
python3 "$ROOT/tests/cli/silent_docker.py" "$TMP/full.sock" full &
on_exit "kill $!"
wait_until 30 test -e "$TMP/full.sock.asked"
export DOCKER_HOST=unix://$TMP/full.sock
for words in list status; do
    # shellcheck disable=SC2086 # words
    within 20 "--timeout, no connection: $words" 8 "$SLIPWAY" -q -e hung --timeout 1s $words
done
check_has "which is said" "$(cat "$TMP/err")" "Docker at $TMP/full.sock did not take the connection before the deadline"
"$SLIPWAY" -q -e hung list >"$TMP/said" 2>&1 &
command=$!
sleep 2
begin=$SECONDS status=0
kill -INT "$command"
sleep 1
kill -INT "$command"
wait "$command" || status=$?
check_same "two Ctrl-C end the wait for a connection" 130 "$status"
check "at once, too" test $((SECONDS - begin)) -le 10

# Somebody holds the other end of standard output and reads nothing.
mkfifo "$TMP/stalled"
exec 7<>"$TMP/stalled"
dd if=/dev/zero of="$TMP/stalled" bs=4096 oflag=nonblock 2>/dev/null || true
begin=$SECONDS status=0
timeout -s KILL 60 "$SLIPWAY" --timeout 1s --help >"$TMP/stalled" 2>"$TMP/err" || status=$?
check_same "--timeout ends what nobody reads" 8 "$status"
check_has "which says that the output is incomplete" "$(cat "$TMP/err")" "it is incomplete"
check "soon" test $((SECONDS - begin)) -le 20
begin=$SECONDS status=0
timeout -s KILL 60 "$SLIPWAY" completion bash >"$TMP/stalled" 2>"$TMP/err" &
command=$!
sleep 1
kill -INT "$command" # which hands it on
wait "$command" || status=$?
check_same "and so does one Ctrl-C" 130 "$status"
check "soon, too" test $((SECONDS - begin)) -le 20
slow() { "$SLIPWAY" --timeout 1s completion bash | { sleep 4 && cat; }; }
check_same "a reader that is only late gets all of it" "$("$SLIPWAY" completion bash | cksum)" "$(slow | cksum)"
exec 7>&-

export DOCKER_HOST=unix://$socket
# ---- a FIFO where a file of the home should be: nobody writes to it, and nobody waits for it ----------------
folder=$SLIPWAY_HOME/hung
cp "$folder/key" "$TMP/key"
for name in key document.json ssh.json source journal volumes lock known_hosts; do
    rm -f "$folder/$name"
    mkfifo -m 600 "$folder/$name"
    for words in "list" "status" "files" "plan" "up $TMP/hung.yaml" "config show" "down --yes" "clean --dry-run"; do
        status=0
        # shellcheck disable=SC2086 # words
        timeout 15 "$SLIPWAY" -q -e hung --timeout 1s $words >"$TMP/out" 2>&1 </dev/null || status=$?
        check_not "$name is a FIFO: ${words/"$TMP/"/} does not wait for it" test "$status" = 124
    done
    rm "$folder/$name"
    cp "$TMP/key" "$folder/key"
done
mkfifo "$TMP/named.yaml"
cat "$TMP/hung.yaml" >"$TMP/named.yaml" &
check_status "what somebody names may be a pipe" 0 timeout 15 "$SLIPWAY" -q validate "$TMP/named.yaml"
check_status "so may what the shell makes" 0 timeout 15 "$SLIPWAY" -q validate <(cat "$TMP/hung.yaml")
mkdir -p "$TMP/catalog/piped"
mkfifo "$TMP/catalog/piped/component.yaml"
status=0
timeout 15 "$SLIPWAY" -q --catalog "$TMP/catalog" catalog list >"$TMP/out" 2>&1 || status=$?
check_not "a manifest may not, and nobody waits for it" test "$status" = 124
finish
