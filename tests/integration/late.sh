#!/bin/bash
# SPDX-License-Identifier: MIT
# `up` is killed while Docker still works on what it asked for: the object appears when the next run
# looks already, and is taken for what it is.
# about 100 s
set -eu
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../environment.sh"

environment late --catalog "$ROOT/tests/data/components"
docker_socket=${DOCKER_HOST:-unix:///var/run/docker.sock}
docker_socket=${docker_socket#unix://}
slip() { "$SLIPWAY" "${slip_options[@]}" "$@"; }
cat >"$file" <<EOF
name: $env
components:
  etcd: {instances: 1}
  sleeper: {instances: 1}
EOF

networks() { docker network ls -q --filter "name=^$env-net\$" | wc -l; }
containers() { docker ps -aq --filter "label=slipway.name=$env" | wc -l; }
volumes() { docker volume ls -q --filter "label=slipway.name=$env" | wc -l; }

# killed_in REQUEST SECONDS: `up`, killed when REQUEST is with Docker, which takes SECONDS for it.
number=0
killed_in() {
    local proxy up
    number=$((number + 1))
    late=$TMP/late$number
    python3 "$ROOT/tests/integration/late_docker.py" "$late" "$docker_socket" "$1" "$2" &
    proxy=$!
    on_exit "kill $proxy"
    wait_until 10 test -S "$late"
    DOCKER_HOST=unix://$late "$SLIPWAY" --catalog "$ROOT/tests/data/components" -f "$file" up >"$TMP/killed" 2>&1 &
    up=$!
    wait_until 120 test -e "$late.held" || { cat "$TMP/killed"; return 1; }
    kill -9 "$up"
    wait "$up" 2>/dev/null || true
}

for seconds in 3 6; do
    for kind in networks volumes containers; do
        killed_in "/$kind/create" $seconds
        check_status "up after one that died while $kind were made ($seconds s) ends well" 0 slip -f "$file" up
        check_has "it says that one was cut short" "$(cat "$TMP/err")" "what is missing is done now"
        wait_until 20 test -e "$late.answered"
        check_status "nothing is left to do ($kind, $seconds s)" 0 slip -f "$file" plan
        check_same "there is one network" 1 "$(networks)"
        check_same "no container is there twice" 2 "$(containers)"
        check_status "down ends well ($kind, $seconds s)" 0 slip -e "$env" down --volumes --yes
    done
done

# The bridge of a network that is being made is there before the network is listed: for a moment the subnet seems taken.
subnet=10.127.$((RANDOM % 250)).0/24
sed "s|^name:.*|&\nnetwork: {subnet: $subnet}|" "$file" >"$TMP/subnet.yaml"
plain=$file file=$TMP/subnet.yaml
if ip route add "$subnet" dev lo 2>/dev/null; then
    on_exit "ip route del $subnet dev lo"
    ip route del "$subnet" dev lo
    killed_in /networks/create 8
    ip route add "$subnet" dev lo
    { sleep 5; ip route del "$subnet" dev lo; } &
    check_status "a route that comes before its network is waited for" 0 slip -f "$file" up
    wait_until 20 test -e "$late.answered"
    check_status "nothing is left to do" 0 slip -f "$file" plan
    check_same "there is one network" 1 "$(networks)"
    check_status "down ends well" 0 slip -e "$env" down --volumes --yes
else
    skip "a route that comes before its network" "this machine takes no routes"
fi
file=$plain

# And then not `up`, but `down`: nothing appears after it.
for kind in networks volumes containers; do
    killed_in "/$kind/create" 6
    check_status "down after an up that died while $kind were made ends well" 0 slip -e "$env" down --volumes --yes
    wait_until 20 test -e "$late.answered"
    check_same "no network is left" 0 "$(networks)"
    check_same "no container is left" 0 "$(containers)"
    check_same "no volume is left" 0 "$(volumes)"
done

# Two networks of one name, as two creates at the same moment can make them: told apart and mended.
check_status "up ends well" 0 slip -f "$file" up
first=$(docker network ls -q --no-trunc --filter "name=^$env-net\$")
body=$(docker network inspect -f '{"Name":"{{.Name}}","Driver":"bridge","Labels":{{json .Labels}}}' "$first")
check "Docker takes a second network of that name" curl -sf --unix-socket "$docker_socket" \
    -H 'Content-Type: application/json' -d "$body" http://docker/v1.41/networks/create
docker rm -f "$env-sleeper-1" >/dev/null
check_same "there are two" 2 "$(networks)"
check_status "plan names what it removes" 2 slip -f "$file" plan
check_has "and why" "$(cat "$TMP/out")" "made twice"
check_status "up removes the one without instances" 0 slip -f "$file" up
check_same "the other one is kept" "$first" "$(docker network ls -q --no-trunc --filter "name=^$env-net\$")"
check_status "nothing is left to do" 0 slip -f "$file" plan
check_status "the environment is healthy" 0 slip -e "$env" status
check_status "down ends well" 0 slip -e "$env" down --volumes --yes
finish
