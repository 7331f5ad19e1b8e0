#!/bin/bash
# SPDX-License-Identifier: MIT
# What people do to data by hand, with docker alone: volumes removed and pruned, containers removed with -v, another
# volume under the name of one that was ours, names that change places. It is said, by status, plan and up, and nothing
# begins over it in silence.
# about 15 s
set -eu
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../environment.sh"

needs "data that people move" jq
catalog=$TMP/catalog
mkdir -p "$catalog"
cp -r "$ROOT/tests/data/components/sleeper" "$catalog/twin"
sed -i 's/^name: .*/name: twin/; s/^data: .*/data: {root: \/data, volumes: 1, max_volumes: 2}/' \
    "$catalog/twin/component.yaml"
environment byhand --catalog "$ROOT/tests/data/components" --catalog "$catalog"
on_exit "take_away $env; docker volume rm -f $env-own $env-by-hand" # what is used cannot go
document() { # VOLUMES of the twin
    components <<END
etcd: {instances: 1}
sleeper: {instances: 2, overrides: {sleeper-2: {volumes: [$env-own]}}}
twin: {instances: 1, overrides: {twin-1: {volumes: $1}}}
END
}
document "[$env-first, $env-by-hand]"
id_of() { docker inspect -f '{{.Id}}' "$1"; }
image=
# in_volume VOLUME COMMAND...: in a container of its own, with the volume at /d.
in_volume() { docker run --rm -v "$1:/d" --entrypoint "${@:2:1}" "$image" "${@:3}"; }
prune() {
    local all=()
    [ "$(docker version -f '{{.Server.APIVersion}}' | cut -d . -f 2)" -lt 42 ] || all=(-a)
    docker volume prune -f "${all[@]}" --filter "label=slipway.name=$env"
}
# Something may be done before it: then it is partly done, else unhealthy.
refused() { # NAME SENTENCE
    local status=0
    slip up >"$TMP/out" 2>"$TMP/err" || status=$?
    check "$1 is refused" test "$status" = 3 -o "$status" = 5
    check_has "$1: and it says so" "$(cat "$TMP/err")" "$2"
}

docker volume create "$env-by-hand" >/dev/null
check_status "up" 0 slip -f "$file" up
image=$(docker inspect -f '{{.Config.Image}}' "$env-sleeper-1")
for instance in sleeper-1 sleeper-2; do docker exec "$env-$instance" touch "/data/of-$instance"; done
docker exec "$env-twin-1" sh -c 'touch /data/first /data/2/second'

# ---- volumes in use ----
for state in running stopped; do
    [ $state = running ] || check_status "stop" 0 slip stop sleeper-1
    check_not "Docker removes no volume of one that is $state" docker volume rm "$env-sleeper-1-data"
    check "nor does a prune" prune
    check "it is there while it is $state" docker exec "$env-sleeper-2" test -e /data/of-sleeper-2
done
check_status "start" 0 slip start sleeper-1
check "with its data" docker exec "$env-sleeper-1" test -e /data/of-sleeper-1
check "a container is removed with its volumes, as Docker means it" docker rm -fv "$env-sleeper-1"
check_status "status names it" 5 slip status
check_hasnt "and no loss" "$(cat "$TMP/out")" "its data is gone"
check_status "plan makes it again" 2 slip plan
check_hasnt "and no volume" "$(cat "$TMP/out")" "$env-sleeper-1-data"
check_status "up" 0 slip up
check "its data is there" docker exec "$env-sleeper-1" test -e /data/of-sleeper-1

# ---- renamed and disconnected at once ----
docker rename "$env-sleeper-1" "$env-other"
docker network disconnect "$env-net" "$env-other"
check_status "status" 5 slip status
check_has "says what it is called" "$(cat "$TMP/out")" "sleeper-1: its container was renamed to $env-other"
check_has "and that it has no network" "$(cat "$TMP/out")" "is not connected to the network $env-net"
check_status "plan sees it" 2 slip plan
check_status "up mends both" 0 slip up
check "with its data" docker exec "$env-sleeper-1" test -e /data/of-sleeper-1
check_status "nothing is left to do" 0 slip plan

# ---- the container and its volume are gone ----
docker rm -f "$env-sleeper-1" >/dev/null
docker volume rm "$env-sleeper-1-data" >/dev/null
check_status "status" 5 slip status
check_has "says whose data is gone" "$(cat "$TMP/out")" \
    "sleeper-1: its data is gone: there is no volume $env-sleeper-1-data"
check_status "plan" 2 slip plan
check_has "says it too" "$(cat "$TMP/out")" "data of sleeper-1, which is gone: it begins empty"

# ---- another volume under the name ----
in_volume "$env-sleeper-1-data" true
gone="volume $env-sleeper-1-data is not the one that was made for sleeper-1, whose data is gone"
check_status "status" 5 slip status
check_has "names one that docker run made" "$(cat "$TMP/out")" \
    "sleeper-1: its data is gone: volume $env-sleeper-1-data is not the one that was made for it"
says "plan sees it" 1 "$gone" slip plan
says "up refuses it" 1 "$gone" slip up
check_not "and makes nothing" docker inspect "$env-sleeper-1"
line=$(sed -n 's/^[^`]*`\(docker volume [^`]*\)`.*/\1/p' "$TMP/err")
check "what it says to do works" bash -c "$line"
refused "up without it" "the data of sleeper-1 is gone: its volume is empty"
check_has "and says it before" "$(cat "$TMP/err")" "data of sleeper-1, which is gone: it begins empty"
check_same "nothing was written there" "" "$(in_volume "$env-sleeper-1-data" ls /d)"
check_status "it is given up" 0 slip remove --force --volumes --yes sleeper-1
check_status "and begins with nothing" 0 slip up

# ---- the same with a name of the document's: somebody puts the data back ----
docker rm -f "$env-sleeper-2" >/dev/null
docker volume rm "$env-own" >/dev/null
docker volume create "$env-own" >/dev/null
gone="volume $env-own is not the one that was made for sleeper-2, whose data is gone"
says "plan sees an empty one" 1 "$gone" slip plan
says "up refuses it" 1 "$gone" slip up
check_not "and makes nothing" docker inspect "$env-sleeper-2"
check_status "it is to be taken as it is" 0 slip down --yes --volume "$env-own"
check_has "which touches nothing" "$(docker volume inspect -f '{{.Name}}' "$env-own")" "$env-own"
refused "up with nothing in it" "the data of sleeper-2 is gone: its volume is empty"
in_volume "$env-own" touch /d/back
check_status "up with data from a backup" 0 slip up
check "begins with it" docker exec "$env-sleeper-2" test -e /data/back

# ---- names that change places ----
twin=$(id_of "$env-twin-1")
document "[$env-by-hand, $env-first]"
moved="volume $env-by-hand is number 2 of the volumes of twin-1, at /data/2, and the document has it as number 1"
says "plan sees that data would change places" 1 "$moved" slip -f "$file" plan
says "up refuses it" 1 "$moved" slip -f "$file" up
check_same "the container is the one it was" "$twin" "$(id_of "$env-twin-1")"
check_status "down" 0 slip down
says "up refuses it without a container too" 1 "$moved" slip -f "$file" up
document "[$env-first, $env-by-hand]"
check_status "up with the order that it had" 0 slip -f "$file" up
check "has everything in its place" docker exec "$env-twin-1" test -e /data/first -a -e /data/2/second

# ---- all of them, while the environment is down ----
check_status "down" 0 slip down
check "a prune takes all that is in no use" prune
check_not "etcd's too" docker volume inspect "$env-etcd-1-data"
docker volume create "$env-etcd-1-data" >/dev/null
says "up sees an empty one in the place of etcd's" 1 \
    "volume $env-etcd-1-data is not the one that was made for etcd-1" slip up
docker volume rm "$env-etcd-1-data" >/dev/null
check_not "it made none" docker volume inspect "$env-sleeper-1-data"
says "up with nothing at all says whose data is not there" 0 \
    "data of sleeper-1, which was made, or was about to be, and is not there: it begins empty" slip up
finish
