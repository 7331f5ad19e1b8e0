#!/bin/bash
# SPDX-License-Identifier: MIT
# Changes that cannot be carried out: what is known before is said before anything is stopped, and what shows only while
# a container is replaced leaves the old one running.
set -eu
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../environment.sh"

needs "changes that cannot be carried out" python3
component=picky$$
catalog=$TMP/catalog/$component
on_exit "docker images -q slipway/$component | sort -u | xargs -r docker rmi -f"
environment changes --catalog "$TMP/catalog"

# picky RUN...: the component, with these lines in its `run`.
picky() {
    mkdir -p "$catalog"
    cat >"$catalog/component.yaml" <<END
name: $component
summary: runs where Docker lets it
requires: [etcd]
instances: {default: 1, min: 1, max: 9}
data: {root: /data, volumes: 1}
run:
  command: [sleep, infinity]
$(printf '  %s\n' "$@")
ports:
  web: {port: 8080, help: nobody listens there}
ready: {settle: 0s}
health: {every: 1s}
stop: {signal: KILL, grace: 1s}
update: together
END
}
document() { # OPTION...: of the instances of the component
    components <<END
etcd: {instances: 1}
$component: {instances: 2${1:+, $1}}
END
}
of_instances() { docker inspect -f '{{.Id}} {{.State.Running}}' "$env-$component-1" "$env-$component-2"; }

picky 'env: {A: "1"}'
document
check_status "up" 0 slip -f "$file" up
before=$(of_instances)

# What Docker refuses only when it makes or starts the container.
as_before() {
    check_same "$1: the old containers run" "$before" "$(of_instances)"
    check_same "$1: nothing is left aside" "" "$(docker ps -a --format '{{.Names}}' | grep "^$env-.*old$" || true)"
    check "$1: and are well" wait_until 60 slip status
}
picky 'read_only: true'
touch "$SLIPWAY_HOME/$env/links"
says "a replacement that cannot be created" 3 "as before: " slip -f "$file" up
as_before "not created"
rm "$SLIPWAY_HOME/$env/links"
mkdir -p "/var/lib/slipway/$env"
touch "/var/lib/slipway/$env/$component-2"
on_exit "rm -rf /var/lib/slipway/$env"
picky 'host_dir: /srv'
says "a replacement that cannot be started" 3 "as before: " slip -f "$file" up
as_before "not started"
rm "/var/lib/slipway/$env/$component-2"
check_status "with the fault mended up goes on" 0 slip -f "$file" up
check_status "and nothing is left to do" 0 slip -f "$file" plan
before=$(of_instances)

# What can be known before, all of it at once.
web=$(free_port)
python3 -c 'import socket, sys, time
s = socket.create_server(("127.0.0.1", int(sys.argv[1])))
time.sleep(600)' "$web" &
listener=$!
on_exit "kill $listener"
listens() { (exec 3<>"/dev/tcp/127.0.0.1/$web") 2>/dev/null; }
check "somebody listens" wait_until 30 listens
container=$(free_port)
docker run -d --name "$env-port" -p "127.0.0.1:$container:80" --entrypoint sleep \
    "$(docker inspect -f '{{.Image}}' "$env-$component-1")" 600 >/dev/null
on_exit "docker rm -f $env-port"
picky 'devices: [/dev/there-is-none]'
document "overrides: {$component-1: {ports: {web: $web}}, $component-2: {ports: {web: $container}}}"
says "what the host lacks is known to plan" 1 "4 problems, and nothing was changed: " slip -f "$file" plan
says "and to up" 1 "4 problems, and nothing was changed: " slip -f "$file" up
check_has "the program's port" "$(cat "$TMP/err")" "port 127.0.0.1:$web of $component-1: another program listens there"
check_has "the container's port" \
    "$(cat "$TMP/err")" "port 127.0.0.1:$container of $component-2: container $env-port publishes it"
check_has "the device" "$(cat "$TMP/err")" "device /dev/there-is-none of $component-2: this machine does not have it"
as_before "known before"
picky 'capabilities: [NET_ADMN]'
says "a capability that there is not" 6 "there is no capability NET_ADMN (did you mean NET_ADMIN?)" slip -f "$file" up
as_before "unknown capability"
kill "$listener"
docker rm -f "$env-port" >/dev/null
picky 'capabilities: [NET_ADMIN]'
check_status "with all of it mended up goes on" 0 slip -f "$file" up
check_status "a port that we publish ourselves is not in the way" 0 slip -f "$file" plan
sed -i "s/instances: 2,/instances: 2, memory: 64MiB,/" "$file"
check_status "a change of the container is planned" 2 slip -f "$file" plan
check_has "and named, from what to what" "$(cat "$TMP/out")" "memory none -> 64MiB"
check_hasnt "nothing else of it changed" "$(cat "$TMP/out")" "64MiB,"
check_status "not even of what is replaced" 0 slip -f "$file" up

# The place of an instance in the network: lost, another one, or with the whole network.
net=$env-net first=$env-$component-1
address_of() { docker inspect -f "{{(index .NetworkSettings.Networks \"$net\").IPAddress}}" "$1"; }
address=$(address_of "$first")
mended() { # NAME SENTENCE
    check_status "$1: status is not content" 5 slip status
    check_has "$1: and says why" "$(cat "$TMP/out")" "$2"
    check_status "$1: so does plan" 2 slip plan
    check_has "$1: by the same words" "$(cat "$TMP/out")" "$2"
    check_status "$1: up" 0 slip up
    check_same "$1: it has its address again" "$address" "$(address_of "$first")"
    check "$1: all is well" wait_until 60 slip status
    check_status "$1: nothing is left to do" 0 slip plan
}
docker network disconnect "$net" "$first"
mended "disconnected" "is not connected to the network $net"
docker network disconnect "$net" "$first"
docker network connect --ip "${address%.*}.200" "$net" "$first"
mended "connected with another address" "has the address ${address%.*}.200 instead of $address"
docker stop -t 1 "$first" >/dev/null
docker run -d --name "$env-guest" --network "$net" --entrypoint sleep \
    "$(docker inspect -f '{{.Image}}' "$first")" 600 >/dev/null
on_exit "docker rm -f $env-guest"
guest=$(address_of "$env-guest")
check "a guest of the network gets an address that is nobody's ($guest)" test "${guest##*.}" -ge 224
check_status "up starts what was stopped" 0 slip up
check_same "with its address" "$address" "$(address_of "$first")"
docker rm -f "$env-guest" >/dev/null
docker ps -q --filter "label=slipway.name=$env" | xargs docker stop -t 1 >/dev/null
docker network rm "$net" >/dev/null
check_status "the network is gone: status is not content" 5 slip status
check_status "up makes it again, and all on it" 0 slip up
check_same "with the address of before" "$address" "$(address_of "$first")"
check "all is well" wait_until 60 slip status
check_status "and nothing is left to do" 0 slip plan

# The subnet of data.
check_status "down, the data stays" 0 slip down --yes
cp "$file" "$TMP/moved.yaml"
echo 'network: {subnet: 10.231.77.0/24}' >>"$TMP/moved.yaml"
says "another subnet is refused" 1 "bound to the subnet ${address%.*}.0/24" slip -f "$TMP/moved.yaml" up
check_same "before anything was made" "" "$(docker ps -aq --filter "label=slipway.name=$env")"
check_status "with the one of before up goes on" 0 slip -f "$file" up

check_status "down" 0 slip down --volumes --yes
finish
