#!/bin/bash
# SPDX-License-Identifier: MIT
# Who is an instance: copies with our labels, renamed containers, a second writer on a data volume, volumes that only
# carry our labels.
set -eu
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../environment.sh"

needs "who is an instance" jq
environment identity --catalog "$ROOT/tests/data/components"
on_exit "docker rm -f $env-copy $env-other $env-writer"
on_exit "docker rmi -f $env-copy:1"
on_exit "docker volume rm -f $env-backup $env-own"
components <<END
etcd: {instances: 1}
sleeper: {instances: 2, overrides: {sleeper-2: {volumes: [$env-own]}}}
END
# Docker asks every plugin for a volume that it does not know, 15 s for one that is gone.
volume() { docker volume ls -q --filter driver=local | grep -qx "$1"; }
label() { docker ps -aq --filter "label=slipway.name=$env" | wc -l; }
id_of() { docker inspect -f '{{.Id}}' "$1"; }

check_status "up" 0 slip -f "$file" up
docker commit "$env-sleeper-1" "$env-copy:1" >/dev/null
docker run -d --name "$env-copy" --entrypoint sleep "$env-copy:1" infinity >/dev/null
check_same "the copy carries the labels of the instance" sleeper-1 \
    "$(docker inspect -f '{{index .Config.Labels "slipway.instance"}}' "$env-copy")"

check_status "status does not take the copy for the instance" 0 slip status
check_has "it names the copy" \
    "$(cat "$TMP/out")" "container $env-copy carries the labels of sleeper-1 and is another one"
check_same "show shows the instance" "$(id_of "$env-sleeper-1")" "$(slip show --json sleeper-1 | jq -r .container.id)"
check_same "exec goes into the instance" sleeper-1 "$(slip exec sleeper-1 hostname)"
check_status "stop" 0 slip stop sleeper-1
check_same "the instance is stopped" false "$(docker inspect -f '{{.State.Running}}' "$env-sleeper-1")"
check_same "the copy runs on" true "$(docker inspect -f '{{.State.Running}}' "$env-copy")"
check_same "list counts instances, not copies" 3 \
    "$(slip list --json | jq --arg env "$env" '.[] | select(.environment == $env).instances')"
check_status "start" 0 slip start sleeper-1

# Renamed: nothing may be started beside it.
first=$(id_of "$env-sleeper-1")
docker rename "$env-sleeper-1" "$env-other"
check_status "status finds the renamed container" 0 slip status
check_has "and says what it is called" "$(cat "$TMP/out")" "sleeper-1: its container was renamed to $env-other"
check_same "exec still goes into it" sleeper-1 "$(slip exec sleeper-1 hostname)"
check_status "plan is to rename it" 2 slip -f "$file" plan
check_has "and says so" "$(cat "$TMP/out")" "its container was renamed to $env-other"
check_has "and names the copy" "$(cat "$TMP/out")" "container $env-copy carries the labels of sleeper-1"
check_status "up gives it its name" 0 slip -f "$file" up
check_same "it is the same container" "$first" "$(id_of "$env-sleeper-1")"
check_status "nothing is left to do" 0 slip -f "$file" plan

# Renamed, and its place taken by the copy: the instance is the one that was renamed.
docker rename "$env-sleeper-1" "$env-other"
docker rename "$env-copy" "$env-sleeper-1"
check_same "a copy with the name is not taken for the instance" "$first" \
    "$(slip show --json sleeper-1 | jq -r .container.id)"
says "up refuses a copy that has the name" 1 "docker rm -f $env-sleeper-1" slip -f "$file" up
docker rename "$env-sleeper-1" "$env-copy"
check_status "without it up gives the instance its name" 0 slip -f "$file" up
check_same "it is still the same container" "$first" "$(id_of "$env-sleeper-1")"

# A second writer: of a container that is to be started, and one that carries our labels.
check_status "stop" 0 slip stop sleeper-1
docker run -d --name "$env-writer" -v "$env-sleeper-1-data:/data" --entrypoint sleep "$(docker inspect -f '{{.Image}}' \
    "$env-sleeper-1")" infinity >/dev/null
says "an instance is not started beside a writer" 1 "container $env-writer uses volume $env-sleeper-1-data" \
    slip -f "$file" up
check_same "it was not started" false "$(docker inspect -f '{{.State.Running}}' "$env-sleeper-1")"
docker rm -f "$env-writer" >/dev/null
check_status "without the writer it is started" 0 slip -f "$file" up
docker rm -f "$env-copy" >/dev/null
docker run -d --name "$env-copy" -v "$env-sleeper-1-data:/data" --entrypoint sleep "$env-copy:1" infinity >/dev/null
says "a copy that writes to the data is refused" 1 "container $env-copy uses volume $env-sleeper-1-data" \
    slip -f "$file" up
docker rm -f "$env-copy" >/dev/null
docker run -d --name "$env-copy" --entrypoint sleep "$env-copy:1" infinity >/dev/null

# Volumes: a backup with the labels of the data is nobody's to remove.
labels=$(docker volume inspect -f '{{range $k, $v := .Labels}}--label {{$k}}={{$v}} {{end}}' "$env-sleeper-1-data")
# shellcheck disable=SC2086 # words
docker volume create $labels "$env-backup" >/dev/null
docker rename "$env-sleeper-1" "$env-other"
check_status "down" 0 slip down --volumes --yes
check "the copy is left alone" docker inspect "$env-copy"
check_not "the instance is removed, whatever it is called" docker container inspect "$env-other"
check "the backup is left alone" volume "$env-backup"
check_not "the data is removed" volume "$env-sleeper-1-data"
check_not "also what Slipway made under a name of its own" volume "$env-own"
check_has "the copy is named" "$(cat "$TMP/out" "$TMP/err")" "container $env-copy carries the labels of sleeper-1"
check_has "the backup is named" "$(cat "$TMP/out" "$TMP/err")" "volume $env-backup carries the labels of $env"
check_same "nothing else is left" 1 "$(label)"
finish
