#!/bin/bash
# SPDX-License-Identifier: MIT
# How a container gets its link: over standard input just after its start, kept in its own layer; and what happens when
# it does not come, comes late, twice, or as something else.
set -eu
. "$(dirname "$0")/../lib.sh"

export SLIPWAY_HOME=$TMP/home
env=t-link-$$
file=$TMP/$env.yaml
slip() { "$SLIPWAY" --catalog "$ROOT/tests/data/components" "$@"; }
on_exit "slip -e $env down --volumes --yes; docker ps -aq --filter label=slipway.name=$env | xargs -r docker rm -f"
on_exit "docker ps -aq --filter label=slipway.test=$env | xargs -r docker rm -f"
cat >"$file" <<END
name: $env
components:
  etcd: {instances: 1}
  sleeper: {instances: 2}
END
check_status "up makes the environment" 0 slip -f "$file" up
image=$(docker inspect -f '{{.Config.Image}}' "$env-sleeper-1")
link=$(docker exec "$env-sleeper-1" cat /etc/slipway/link)
password=$(sed -n 's,^etcds*://[^:]*:\([^@]*\)@.*,\1,p' <<<"$link")
word=$TMP/words
kept() { docker exec "$1" stat -c '%a %u %s' /etc/slipway/link; }

check_same "the link is a file for root alone" "400 0 ${#link}" "$(kept "$env-sleeper-1")"
check_same "the container has no argument and no mount for it" '[] [/data]' \
    "$(docker inspect -f '{{.Args}} {{range .Mounts}}[{{.Destination}}]{{end}}' "$env-sleeper-1")"
# Only init holds the pipe: neither the agent nor the daemon has it as its input.
inputs() { docker exec "$1" sh -c 'for p in /proc/[0-9]*; do readlink $p/fd/0; done' | grep -c '^pipe:' || true; }
check_same "nobody but init keeps the input" 1 "$(inputs "$env-sleeper-1")"
everything() {
    docker inspect "$env-sleeper-1" "$env-sleeper-2"
    docker top "$env-sleeper-1" -eo pid,args
    docker logs "$env-sleeper-1" 2>&1
    docker exec "$env-sleeper-1" sh -c 'cat /proc/[0-9]*/environ' | tr '\0' '\n'
}
check_hasnt "its password is nowhere to be seen" "$(everything)" "$password"

# Docker starts it again: it has its link.
crash() { kill -9 "$(docker inspect -f '{{.State.Pid}}' "$1")"; }
restarted() { [ "$(docker inspect -f '{{.RestartCount}}' "$1")" -ge "$2" ]; }
healthy() { slip -e "$env" status; }
crash "$env-sleeper-1"
check "a container that crashes is started by Docker" wait_until 20 restarted "$env-sleeper-1" 1
check "and gets ready without anybody's help" wait_until 40 healthy

# One whose run was killed before it sent the link, and that Docker has started again since.
lose() {
    docker exec "$1" rm /etc/slipway/link
    crash "$1"
}
# Docker's list tells seconds: what was reported in the last ones before a start may be of that start
# (observed_is_of_this_run).
sleep 4
lose "$env-sleeper-2"
wait_until 20 restarted "$env-sleeper-2" 1
waits() {
    [ "$(docker inspect -f '{{.State.Running}}' "$env-sleeper-2")" = true ] &&
        ! docker exec "$env-sleeper-2" test -e /etc/slipway/link
}
check "without its link a container waits" wait_until 10 waits
# Until its lease ends, up to 15 s, etcd has what the agent before it reported: that is not believed.
check_status "plan sees it at once" 2 slip -f "$file" plan
check_status "up again gives it its link" 0 slip -f "$file" up
check_same "as a file for root alone" "400 0" "$(kept "$env-sleeper-2" | cut -d ' ' -f 1,2)"
check_status "and there is nothing left to do" 0 slip -f "$file" plan

# By hand: `docker run` with the link on standard input, and without any.
run() { docker run --label "slipway.test=$env" --network "$env-net" "$@"; }
docker stop -t 5 "$env-sleeper-2" >/dev/null
two=$(docker cp "$env-sleeper-2:/etc/slipway/link" - | tar -xO)
run -d -i --name "$env-silent" "$image" >/dev/null
printf '%s\n' "$two" | run -i --name "$env-hand" "$image" >"$TMP/hand" 2>&1 &
hand=$!
ready() { docker exec "$env-hand" /usr/lib/slipway/slipway-agent health; }
check "a link on the input of docker run works" wait_until 20 ready
check_same "and is kept the same way" "400 0" "$(kept "$env-hand" | cut -d ' ' -f 1,2)"
docker stop -t 5 "$env-hand" >/dev/null
wait "$hand" || true
check_status "no link at all is an error at once" 6 run "$image"
check_has "that says where one may be" \
    "$(cat "$TMP/err")" "no link: give it as the argument, in SLIPWAY_LINK or in /etc/slipway/link"
garbage() { head -c "$1" /dev/zero | tr '\0' x | run -i --name "$env-$2" "$image" >"$word" 2>&1; }
status=0
garbage 100 bad || status=$?
check_same "what is not a link is refused" 6 "$status"
check_not "and not kept" docker cp "$env-bad:/etc/slipway/link" -
status=0
garbage 100000 long || status=$?
check_same "so is a line without end" 6 "$status"
check_has "with a clear error" "$(cat "$word")" "is longer than 4096 bytes"
status=0
run -i "$image" >"$word" 2>&1 </dev/null || status=$?
check_same "an input that ends without a link is an error" 6 "$status"
check_has "and says so" "$(cat "$word")" "standard input ended without a link"

# Half a line, the rest a moment later.
mkfifo "$TMP/fifo"
run -i --name "$env-slow" "$image" <"$TMP/fifo" >"$word" 2>&1 &
slow=$!
exec 4>"$TMP/fifo"
printf '%s' "${two:0:20}" >&4
sleep 1
printf '%s\n' "${two:20}" >&4
ready() { docker exec "$env-slow" /usr/lib/slipway/slipway-agent health; }
check "a link that comes in pieces is put together" wait_until 20 ready
exec 4>&-
check "the end of the input does not end the container" ready
docker stop -t 5 "$env-slow" >/dev/null
wait "$slow" || true

ended() { [ "$(docker inspect -f '{{.State.Status}}' "$env-silent")" = exited ]; }
check "one that never gets a link gives up" wait_until 45 ended
at() { date -d "$(docker inspect -f "{{.State.$1}}" "$env-silent")" +%s; }
check "after half a minute, not before" test $(($(at FinishedAt) - $(at StartedAt))) -ge 29
check_same "with the status of bad input" 6 "$(docker inspect -f '{{.State.ExitCode}}' "$env-silent")"
check_has "and a clear error" "$(docker logs "$env-silent" 2>&1)" "none came on standard input within 30 s"
finish
