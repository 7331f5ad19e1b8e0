#!/bin/bash
# SPDX-License-Identifier: MIT
# slipwayd keeps the environment as it should be: what died, was removed or lost its network comes back; what somebody
# stopped, paused or holds the lock of is left alone; and of two of them one acts, also when it was held up.
# about 140 s
set -eu
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../environment.sh"

needs "the keeper" jq curl python3
unset NO_COLOR SLIPWAY_LINK SLIPWAY_FAULT
environment keep --catalog "$ROOT/tests/data/components"
components <<END
etcd: {instances: 1}
sleeper: {instances: 1}
echo: {instances: 1}
idler: {instances: 2}
END
check_status "up" 0 slip -f "$file" up

# keeper NAME HOME [OPTION...]: serves; its process is in $TMP/NAME.pid, its log in $TMP/NAME.log.
keeper() {
    local name=$1 home=$2
    shift 2
    SLIPWAY_HOME=$home "$B/slipwayd" --env "$env" --catalog "$ROOT/tests/data/components" --listen 127.0.0.1:0 \
        --data "$TMP/data-$name" -v "$@" >"$TMP/$name.out" 2>>"$TMP/$name.log" &
    echo $! >"$TMP/$name.pid"
    disown
}
gone() { ! kill -0 "$(cat "$TMP/$1.pid")" 2>/dev/null; }
ends() { kill "${2:--TERM}" "$(cat "$TMP/$1.pid")" && wait_until 20 gone "$1"; }
on_exit 'for f in "$TMP"/*.pid; do kill -CONT $(cat "$f"); kill -9 $(cat "$f"); done'
said() { grep -qF -- "$2" "$TMP/$1.log"; }
# counted NAME KEEPER...: behind a proxy that writes down what it asks of Docker to change: changes NAME.
docker=${DOCKER_HOST:-unix:///var/run/docker.sock}
counted() {
    python3 -B "$ROOT/tests/integration/docker_proxy.py" "$TMP/$1.proxy" "${docker#unix://}" "$TMP/$1.mode" &
    on_exit "kill $!"
    wait_until 20 test -S "$TMP/$1.proxy"
    DOCKER_HOST=unix://$TMP/$1.proxy "${@:2}"
}
changes() { grep -v '/exec' "$TMP/$1.proxy.changes" || true; }
runs() { [ "$(docker container inspect -f '{{.State.Running}}' "$env-$1")" = true ]; }
ready() { [ "$(slip status --json "$1" | jq -r '.instances[0].ok')" = true ]; }
kept() { slip status --json | jq -er .keeper.holder; }
row() { slip status --json "$1" | jq -r ".instances[0]$2"; }
started_at() { docker container inspect -f '{{.State.StartedAt}}' "$env-$1"; }
# after_kill NAME: milliseconds from the kill to the start.
after_kill() {
    local began started
    began=$(date +%s%3N)
    docker kill "$env-$1" >/dev/null
    wait_until 20 runs "$1" || return 1
    started=$(date -d "$(started_at "$1")" +%s%3N)
    echo "$1 runs $((started - began)) ms after it was killed"
}

keeper one "$TMP/home" --first-token
check "slipwayd keeps the environment, which status tells" wait_until 20 kept
check_has "by its host" "$(kept)" "slipwayd on $(hostname)"

# ---- what comes back ----

after_kill idler-1 >"$TMP/took" || true
check "one that was killed runs again" grep -q runs "$TMP/took"
cat "$TMP/took"
check "and it is told" wait_until 20 said one "idler-1 had died (status 137); started again"
check_not "one that runs is not removed" slip remove idler-1
docker kill "$env-idler-1" >/dev/null
check "and that it was asked for changes nothing" wait_until 30 runs idler-1
docker rm -f "$env-sleeper-1" >/dev/null
check "one that was removed is made again" wait_until 20 ready sleeper-1
check "and told" wait_until 20 said one "sleeper-1 had no container any more; made again"
docker network disconnect "$env-net" "$env-idler-2"
placed() {
    docker container inspect "$env-idler-2" | jq -e ".[0].NetworkSettings.Networks[\"$env-net\"].IPAddress != \"\""
}
check "one that lost its network has it again" wait_until 20 placed
check "and is ready" wait_until 20 ready idler-2
check_has "what was done is in the history" "$(slip config history)" "sleeper-1 had no container any more; made again"

# ---- what is left alone ----

# probe: one that nobody holds was mended after this, so that what is held had its turn as well.
probe() {
    docker rm -f "$env-sleeper-1" >/dev/null
    wait_until 20 ready sleeper-1
}
check_status "stop" 0 slip stop idler-2
check "something else is mended" probe
check_not "one that was stopped stays so" runs idler-2
check_has "status says by whom" "$(row idler-2 .keeper.cause)" "stopped by "
check_status "start" 0 slip start idler-2
check_same "nothing is said any more" null "$(row idler-2 .keeper)"
check_status "pause of one" 0 slip pause idler-2
docker kill "$env-idler-2" >/dev/null
check "something else is mended meanwhile" probe
check_not "what is paused is not" runs idler-2
check_has "status says that" "$(slip status)" "idler-2: paused by "
check_status "resume" 0 slip resume idler-2
check "and it is mended" wait_until 20 runs idler-2

check_status "pause of all" 0 slip pause
docker kill "$env-idler-2" >/dev/null
sleep 3 # nothing tells that nothing was done
check_not "nothing is mended" runs idler-2
check_has "status says that too" "$(slip status)" "paused by "
check_status "resume of all" 0 slip resume
check "all is mended" wait_until 20 runs idler-2

# ---- what cannot be mended ----

check_status "pause while data is taken away" 0 slip pause
docker rm -f "$env-sleeper-1" >/dev/null
docker volume rm "$env-sleeper-1-data" >/dev/null
check_status "and resume" 0 slip resume
check "lost data is told" wait_until 20 said one "its data is gone: volume $env-sleeper-1-data"
check_not "and not made again" docker volume inspect "$env-sleeper-1-data"
check_not "nor its container" docker container inspect "$env-sleeper-1"

# An empty volume is what `up` makes of that, and its agent refuses it again and again.
server=$(head -n 1 "$TMP/one.out")
curl -sk -c "$TMP/cookies" -H 'Content-Type: application/json' -H "Origin: ${server%/}" \
    -d "{\"token\": \"$(sed -n 's/^token //p' "$TMP/one.out")\"}" "${server}api/v1/login" >/dev/null
shown() {
    curl -sk -b "$TMP/cookies" "${server}api/v1/instances" |
        jq -er --arg i "$1" ".items[] | select(.instance == \$i) | $2"
}
slip up >/dev/null 2>"$TMP/up.err" || true
check "what ends again and again is told as a crash loop" wait_until 60 \
    shown sleeper-1 'select(.keeper.state == "crash loop")'
check "with its last lines" wait_until 20 shown sleeper-1 '.keeper.lines[0]'
check "and why" shown sleeper-1 .keeper.cause
docker kill "$env-idler-1" >/dev/null
check "one beside it is mended as ever" wait_until 60 runs idler-1
cp "$TMP/up.err" "$TMP/err"
follow "what its agent says begins without the data" 0 --yes
check_status "and up" 0 slip up
check "it is well again" wait_until 20 ready sleeper-1

# ---- the command line at the same time ----

# Of several that are dead, one is tried while somebody else has the lock, each 2 s: a look at all for each of them
# would ask Docker and etcd for nothing.
check_status "pause of all" 0 slip pause
docker kill "$env-idler-1" "$env-idler-2" >/dev/null
docker rm -f "$env-sleeper-1" >/dev/null
SLIPWAY_FAULT=stop-after:1 "$SLIPWAY" "${slip_options[@]}" -q -e "$env" up >"$TMP/held.out" 2>&1 &
up=$!
on_exit 'kill -9 "$up"'
holds() { [ "$(ps -o state= -p "$up")" = T ]; }
check "up is held up with the lock" wait_until 20 holds
lines=$(($(wc -l <"$TMP/one.log") + 1))
check_status "resume" 0 slip resume
sleep 8 # its lease of 15 s goes on
tries() { tail -n "+$lines" "$TMP/one.log" | grep -cF 'mending an instance: '; }
echo "tried $(tries) times in 8 s"
check "the keeper tries" test "$(tries)" -ge 2
check "and not for each of them" test "$(tries)" -le 6
kill -CONT "$up"
wait "$up" || true # it goes on, or has lost its lock
for i in idler-1 idler-2 sleeper-1; do check "$i is ready" wait_until 30 ready "$i"; done

docker kill "$env-idler-1" "$env-idler-2" >/dev/null
check_status "up while the keeper mends" 0 slip up
check "all runs" wait_until 20 runs idler-1
docker rm -f "$env-idler-1" >/dev/null
status=0
docker pause "$env-etcd-1" >/dev/null
docker kill "$env-idler-2" >/dev/null
sleep 4
check_not "while etcd is silent, nothing is done" runs idler-2
docker unpause "$env-etcd-1" >/dev/null
check "and then it is" wait_until 60 runs idler-2
check "all of it" wait_until 20 ready idler-1
docker kill "$env-etcd-1" >/dev/null
check "etcd itself is started when it was killed" wait_until 20 runs etcd-1
check "and told" wait_until 20 said one "etcd-1 had died (status 137); started again"
check_status "and stopped on purpose" 0 slip stop etcd-1
sleep 4
check_not "it stays so" runs etcd-1
check_status "until it is started" 0 slip start etcd-1

# ---- two of them ----

ends one
cp -a "$TMP/home" "$TMP/home2"
SLIPWAY_FAULT=stop-after:1 counted held keeper held "$TMP/home"
check "the first keeps it" wait_until 20 said held "this server keeps the environment"
counted two keeper two "$TMP/home2"
check "the second waits" wait_until 20 said two "this server waits"
docker kill "$env-idler-1" >/dev/null
stopped() { [ "$(ps -o state= -p "$(cat "$TMP/held.pid")")" = T ]; }
check "the first is held up in the middle" wait_until 20 stopped
began=$SECONDS
check "the second takes over" wait_until 60 said two "this server keeps the environment"
check "and mends" wait_until 60 runs idler-1
check "by calls of its own" test -n "$(changes two)"
while [ $((SECONDS - began)) -lt 30 ]; do sleep 1; done
before=$(changes held)
lines=$(($(wc -l <"$TMP/held.log") + 1))
docker kill "$env-idler-2" >/dev/null
kill -CONT "$(cat "$TMP/held.pid")"
check "woken, the first knows that it keeps nothing" wait_until 20 said held "keeps the environment no longer"
check "the second goes on" wait_until 20 runs idler-2
sleep 3
check_same "and not one change of the first came after it was woken" "$before" "$(changes held)"
kept_again() { tail -n "+$lines" "$TMP/held.log" | grep -q 'this server keeps the environment$'; }
check_not "nor did it keep it again" kept_again

# ---- killed in the middle ----

ends held
ends two -9
SLIPWAY_FAULT=kill-after:3 keeper killed "$TMP/home2"
check "one comes after one that was killed" wait_until 20 said killed "this server keeps the environment"
docker rm -f "$env-idler-1" >/dev/null
check "it is killed in the middle of mending" wait_until 20 gone killed
keeper last "$TMP/home2"
check "the next one mends what it left" wait_until 60 ready idler-1
check_status "nothing is left to do" 0 slip plan
ends last
check_not "nobody keeps it then" kept
keeper alone "$TMP/home2" --no-keep
check "slipwayd serves without keeping" wait_until 20 grep -q '^https:' "$TMP/alone.out"
docker kill "$env-idler-1" >/dev/null
sleep 3
check_not "then nothing is mended" runs idler-1
finish
