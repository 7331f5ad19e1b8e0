#!/bin/bash
# SPDX-License-Identifier: MIT
# What goes wrong while an environment is made: each ends in one clear error, or in the same end when run again.
set -eu
. "$(dirname "$0")/../lib.sh"

export SLIPWAY_HOME=$TMP/home
env=t-fault-$$
file=$TMP/$env.yaml
slip() { "$SLIPWAY" --catalog "$ROOT/tests/data/components" "$@"; }
on_exit "slip -e $env down --volumes --yes; docker ps -aq --filter label=slipway.name=$env | xargs -r docker rm -f
    docker volume ls -q | grep '^$env-' | xargs -r docker volume rm; docker network rm $env-net"
cat >"$file" <<EOF
name: $env
components:
  etcd: {instances: 1}
  sleeper: {instances: 2}
EOF
errors() { cat "$TMP/err"; }

# Foreign things with our names.
docker network create "$env-net" >/dev/null
check_status "a foreign network is left alone" 1 slip -f "$file" up
check_has "the error names it and says what to do" "$(errors)" "network $env-net exists and does not belong"
docker network rm "$env-net" >/dev/null
slip -f "$file" plan >/dev/null 2>&1 || true
docker volume create "$env-sleeper-1-data" >/dev/null
check_status "a foreign volume is left alone" 1 slip -f "$file" up
check_has "the error names it" "$(errors)" "volume $env-sleeper-1-data exists and was not made by Slipway"
docker volume rm "$env-sleeper-1-data" >/dev/null
tar -c -T /dev/null | docker import - "$env-nothing" >/dev/null
on_exit "docker rm -f $env-sleeper-1; docker rmi $env-nothing"
docker create --name "$env-sleeper-1" "$env-nothing" true >/dev/null
check_status "a foreign container is left alone" 1 slip -f "$file" up
check_has "the error names it" "$(errors)" "container $env-sleeper-1 exists and does not belong"
docker rm "$env-sleeper-1" >/dev/null
check "nothing was made meanwhile" test -z "$(docker ps -aq --filter "label=slipway.name=$env")"

# Docker that is not there.
check_status "no Docker is one clear error" 1 env "DOCKER_HOST=unix://$TMP/none.sock" "$SLIPWAY" \
    --catalog "$ROOT/tests/data/components" -f "$file" up
check_has "the error says what to do" "$(errors)" "none.sock"
check_same "it is one line" 1 "$(wc -l <"$TMP/err")"

# kill -9 behind every journal entry, then the same command again: the same end.
n=0
killed=0
while [ $n -lt 400 ]; do
    n=$((n + ${FAULT_STEP:-3}))
    status=0
    SLIPWAY_FAULT=kill-after:$n slip -f "$file" up >"$TMP/out" 2>"$TMP/err" || status=$?
    [ $status = 137 ] || break
    killed=$((killed + 1))
done
[ "$status" = 0 ] || tail -n 5 "$TMP/err"
check_same "the run that is killed nowhere ends well (after $killed kills)" 0 "$status"
check "runs were really killed" test "$killed" -ge 5
check_status "there is nothing left to do" 0 slip -f "$file" plan
check_status "the environment is healthy" 0 slip -e "$env" status
check_same "no journal is left" "" "$(find "$SLIPWAY_HOME/$env" -name journal)"
check_same "nothing was made twice" 3 "$(docker ps -q --filter "label=slipway.name=$env" | wc -l)"

# The same on the way down.
n=0
killed=0
while [ $n -lt 200 ]; do
    n=$((n + ${FAULT_STEP:-3}))
    status=0
    SLIPWAY_FAULT=kill-after:$n slip -e "$env" down --yes >"$TMP/out" 2>"$TMP/err" || status=$?
    [ $status = 137 ] || break
    killed=$((killed + 1))
done
check_same "down ends well after $killed kills" 0 "$status"
check_same "no container is left" "" "$(docker ps -aq --filter "label=slipway.name=$env")"

# Two at once: one works, the other is refused with status 4 or, waiting, finds nothing to do.
slip -f "$file" up >"$TMP/one" 2>&1 &
one=$!
wait_until 20 docker container inspect "$env-etcd-1"
check_status "a second up at the same time is refused" 4 slip -f "$file" up
check_has "it says who holds the lock" "$(errors)" "is locked by \`up\`"
check_status "a second up that waits ends well" 0 slip -f "$file" up --lock-wait 120s
check "the first up ended well" wait "$one"

# Killed with the lock in etcd, by a program that never fetches its status (it stays a zombie): two who come at once,
# one of them with a copy of the operator's folder, do not wait for the lease, and one of them takes the lock over.
slip -e "$env" down --yes >/dev/null 2>&1
cat >"$TMP/unfetched" <<'EOF'
"$@" >/dev/null 2>&1 &
echo $! >"$0.pid"
exec sleep 900
EOF
# Stopped behind its 24th step, or some later one, where it has the lock.
locked() { slip -e "$env" lock status 2>/dev/null | grep -q 'command *up$'; }
stopped() { [ "$(awk '{ print $3 }' "/proc/$(cat "$TMP/unfetched.pid")/stat")" = T ]; }
n=24
while [ $n -lt 60 ]; do
    SLIPWAY_FAULT=stop-after:$n bash "$TMP/unfetched" "$SLIPWAY" --catalog "$ROOT/tests/data/components" -f "$file" up &
    parent=$!
    on_exit "kill $parent"
    check "a run stops behind step $n" wait_until 60 stopped
    ! locked || break
    kill -9 "$(cat "$TMP/unfetched.pid")" "$parent"
    n=$((n + 4))
done
check "it has the lock" locked
victim=$(cat "$TMP/unfetched.pid")
check_status "while it may go on nobody takes the lock" 4 slip -f "$file" up
kill -9 "$victim"
cp -r "$SLIPWAY_HOME" "$TMP/home2"
SLIPWAY_HOME=$TMP/home2 slip -f "$file" up >"$TMP/two" 2>&1 &
two=$!
status=0
slip -f "$file" up >"$TMP/one" 2>&1 || status=$?
other=0
wait "$two" || other=$?
check_same "it is a zombie meanwhile" Z "$(awk '{ print $3 }' "/proc/$victim/stat")"
case $status,$other in
0,0 | 0,4 | 4,0) ok "one of two who come then works, the other is refused or finds nothing to do" ;;
*) not_ok "one of two who come then works, the other is refused or finds nothing to do" "$status, $other
$(tail -n 5 "$TMP/one" "$TMP/two")" ;;
esac
check_same "exactly one takes the lock over and says so" 1 \
    "$(cat "$TMP/one" "$TMP/two" | grep -c "process $victim, .* it is taken over")"
check_status "up again ends well" 0 slip -f "$file" up --lock-wait 120s
kill "$parent"

# Ctrl-C once: what runs is finished, the rest is left, the lock is free again.
slip -e "$env" down --yes >/dev/null 2>&1
setsid bash -c "trap - INT; exec '$SLIPWAY' --catalog '$ROOT/tests/data/components' -f '$file' up" >"$TMP/out" \
    2>"$TMP/err" &
one=$!
wait_until 30 docker container inspect "$env-etcd-1"
kill -INT "$one"
status=0
wait "$one" || status=$?
check_same "an interrupted up exits 130" 130 "$status"
check_status "up after an interrupt ends well" 0 slip -f "$file" up

# A token nobody has: the key of another environment.
cp "$SLIPWAY_HOME/$env/key" "$TMP/key"
tr '0-9a-f' '1-9a-f0' <"$TMP/key" >"$SLIPWAY_HOME/$env/key"
check_status "another key does not touch what is there" 7 slip -f "$file" up
check_has "it says that the key is another one" "$(errors)" "is another one; put it back from a backup"
cp "$TMP/key" "$SLIPWAY_HOME/$env/key"
chmod 644 "$SLIPWAY_HOME/$env/key"
check_status "a key that others may read is refused" 7 slip -f "$file" up
chmod 600 "$SLIPWAY_HOME/$env/key"

# etcd away: one clear error within its deadline, and back again.
docker pause "$env-etcd-1" >/dev/null
check_not "status without etcd is not healthy" slip -e "$env" status
docker unpause "$env-etcd-1" >/dev/null
# Not by docker kill, which counts as a wish that it stays down.
kill -9 "$(docker inspect -f '{{.State.Pid}}' "$env-etcd-1")"
check "etcd comes back by itself after kill -9" wait_until 60 slip -e "$env" status
# The agent of etcd itself restarts: its state comes and goes for a moment.
restarts() {
    slip -e "$env" status --json >"$TMP/status.json" && python3 -c '
import json, sys
rows = {r["instance"]: r for r in json.load(open(sys.argv[1]))["instances"]}
print(rows["etcd-1"]["restarts"], rows["etcd-1"]["crashes"], rows["sleeper-1"]["restarts"])' "$TMP/status.json"
}
counted() { [ "$(restarts)" = "1 1 0" ]; }
check "status counts that restart, and as a crash" wait_until 60 counted

# A port that is taken.
port=$(free_port)
docker run -d --name "$env-port" -p "127.0.0.1:$port:80" --entrypoint sleep \
    "$(docker inspect -f '{{.Image}}' "$env-sleeper-1")" 60 >/dev/null
on_exit "docker rm -f $env-port"
cat >"$file" <<EOF
name: $env
components:
  etcd: {instances: 1}
  sleeper:
    instances: 2
    overrides: {sleeper-1: {ports: {web: $port}}}
EOF
check_status "a taken port is known before anything is stopped" 1 slip -f "$file" up
check_has "the error names the port" "$(errors)" "$port"
docker rm -f "$env-port" >/dev/null
check_status "up goes on when the port is free" 0 slip -f "$file" up
check_status "nothing is left to do" 0 slip -f "$file" plan
finish
