#!/bin/bash
# SPDX-License-Identifier: MIT
# What an operator asks and does about single instances: show.
set -eu
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../environment.sh"

needs "instances" jq python3
unset NO_COLOR SLIPWAY_LINK
environment instances --catalog "$ROOT/tests/data/components"
components <<END
etcd: {instances: 1}
sleeper: {instances: 2}
echo: {instances: 1}
END
check_status "up" 0 slip -f "$file" up

# show
id=$(docker inspect -f '{{.Id}}' "$env-sleeper-1")
check_status "show by name" 0 slip show sleeper-1
shown=$(cat "$TMP/out")
check_has "says which instance" "$shown" "sleeper-1 of $env, host local"
check_has "its component" "$shown" "Component:    sleeper"
check_has "its state" "$shown" "State:        ready since 20"
check_has "its health" "$shown" "Health:       healthy"
check_has "its container" "$shown" "id ${id:0:12}"
check_has "its image" "$shown" "$(docker inspect -f '{{.Config.Image}}' "$env-sleeper-1")"
image=$(docker inspect -f '{{.Image}}' "$env-sleeper-1") image=${image#sha256:}
check_has "the image's hash" "$shown" "id ${image:0:12}"
check_has "its volume" "$shown" "$env-sleeper-1-data at /data"
check_has "its network and address" "$shown" "$env-net, $(docker inspect -f "{{(index .NetworkSettings.Networks \"$env-net\").IPAddress}}" "$env-sleeper-1")"
check_same "in 80 columns" "" "$(awk 'length($0) > 80' "$TMP/out")"
for word in "$id" "${id:0:12}" "$env-sleeper-1"; do
    check_same "by $word, of the container" "sleeper-1 $id" "$(slip show --json "$word" | jq -r '.instance + " " + .container.id')"
done
check_status "show --json" 0 slip show --json sleeper-1
check "has all of it" jq -e --arg id "$id" --arg env "$env" '.environment == $env and .instance == "sleeper-1" and .component == "sleeper"
    and .host == "local" and .ok and .container.id == $id and .container.state == "running" and (.container.hash | length == 64)
    and (.image.id | startswith("sha256:")) and .config.current and .config.revision == .config.desired_revision and .config.revision > 0
    and .volumes[0].path == "/data" and .networks[0].address == .address and (.capabilities | index("SETUID")) and .devices == []' "$TMP/out"
check_same "several are a list" "sleeper-1 etcd-1" "$(slip show --json sleeper-1 etcd-1 | jq -r 'map(.instance) | join(" ")')"
says "show of an unknown one" 1 "$env has no instance sleper-1 (did you mean sleeper-1?)" slip show sleper-1
check_same "in one line" 1 "$(wc -l <"$TMP/err")"
check_same "and nothing else" "" "$(cat "$TMP/out")"
check_status "three digits are no id" 1 slip show "${id:0:3}"
check_status "show needs a name" 6 slip show
token=$(docker exec "$env-sleeper-1" cat /run/slipway/secrets/token)
check_hasnt "no secret in it" "$(slip -vv show sleeper-1 2>&1; slip show --json sleeper-1; slip show etcd-1)" "$token"

revision() { slip show --json sleeper-1 | jq -e '.config | .current and .revision == .desired_revision and .revision > '"$1"; }
before=$(slip show --json sleeper-1 | jq .config.revision)
check_status "after a change" 0 slip config set sleeper word shown
check "desired and applied revision have grown" wait_until 60 revision "$before"
check_status "stop" 0 slip stop sleeper-2
check_status "a stopped one is shown" 0 slip show sleeper-2
check_has "with how it ended" "$(cat "$TMP/out")" "exit status 143"
check_status "remove its container" 0 docker rm -f "$env-sleeper-2"
check_status "one without a container is shown" 0 slip show sleeper-2
check_has "as missing" "$(cat "$TMP/out")" "State:        missing"
check "in JSON too" jq -e '.state == "missing" and .container == null' <(slip show --json sleeper-2)
check_status "up brings it back" 0 slip up
finish
