#!/bin/bash
# SPDX-License-Identifier: MIT
# A Docker that answers half, slowly, or something else: each command says so, with the address or the question, ends in
# its time, and takes no answer that it does not understand for "there is nothing".
set -eu
. "$(dirname "$0")/../lib.sh"

command -v python3 >/dev/null || { skip "broken answers of Docker" "no python3"; finish; }
export SLIPWAY_HOME=$TMP/home
socket=$TMP/docker.sock
printf close >"$socket.answer"
python3 "$ROOT/tests/cli/broken_docker.py" "$socket" &
on_exit "kill $!"
wait_until 30 test -S "$socket"
export DOCKER_HOST=unix://$socket
mkdir -p "$SLIPWAY_HOME/broken"
printf '%064d\n' 7 >"$SLIPWAY_HOME/broken/key"
chmod 600 "$SLIPWAY_HOME/broken/key"
printf 'name: broken\nprofile: quick\ncomponents:\n  etcd: {instances: 1}\n' >"$TMP/broken.yaml"
commands=("up $TMP/broken.yaml" "-f $TMP/broken.yaml plan" "down --yes" "status" "list" "logs" "restart etcd-1"
    "show etcd-1" "clean --dry-run" "check containers")

# each NAME STATUS TEXT [OPTION...]: every command ends with it.
each() {
    local name=$1 status=$2 text=$3 words begin
    shift 3
    for words in "${commands[@]}"; do
        begin=$SECONDS
        # shellcheck disable=SC2086 # words
        check_status "$name: ${words/"$TMP/"/}" "$status" "$SLIPWAY" -q -e broken "$@" $words
        check "$name: ${words/"$TMP/"/} is in time" test $((SECONDS - begin)) -le 20
        check_has "$name: ${words/"$TMP/"/} says what is wrong" "$(cat "$TMP/out" "$TMP/err")" "$text"
    done
}
each "hung up" 1 "the connection to Docker at $socket broke: "
printf 'half [{"Id":"1"}]' >"$socket.answer"
each "half an answer" 1 "the connection to Docker at $socket broke: "
printf 'raw SSH-2.0-x\r\n' >"$socket.answer"
each "something else" 1 "what answers at $socket is not a Docker Engine"
printf 'slow []' >"$socket.answer"
each "slow" 8 "Docker at $socket did not answer before the deadline" --timeout 1s
for text in '[{}]' '[{"Names":["/broken-etcd-1"],"Labels":{}}]' '{}' null '' '<html>proxy</html>' '[[]]'; do
    printf 'body %s' "$text" >"$socket.answer"
    each "the list of containers is \"$text\"" 1 "Docker answered GET /containers/json with"
done
# One instance of which Docker does not say what it is, is not one that is well.
printf 'body []' >"$socket.answer"
uuid=$("$SLIPWAY" list --json | sed -n 's/.*"uuid": "\([^"]*\)".*/\1/p')
cat >"$socket.answer" <<JSON
body [{"Id":"1","Names":["/broken-volumedriver-fuse-1"],"Image":"slipway/volumedriver-fuse:1","ImageID":"2",
"State":"running","Labels":{"slipway.env":"$uuid","slipway.name":"broken","slipway.instance":"volumedriver-fuse-1",
"slipway.component":"volumedriver-fuse"},"Mounts":[]}]
JSON
check_status "an instance that cannot be looked at is a finding" 5 "$SLIPWAY" -q -e broken check fuse
check_has "which says why" "$(cat "$TMP/out")" "Docker answered GET /containers/1/json with a list, not a map"

# What Docker quotes may come from a container.
printf 'raw HTTP/1.1 500 No\r\nConnection: close\r\n\r\n{"message":"\\u001b[2Jgone"}' >"$socket.answer"
each "a message with control characters" 1 "gone"
"$SLIPWAY" -q -e broken status >"$TMP/out" 2>&1 || true
check_not "of which a terminal sees nothing" grep -q $'\033' "$TMP/out"
finish
