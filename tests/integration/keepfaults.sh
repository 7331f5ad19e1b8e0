#!/bin/bash
# SPDX-License-Identifier: MIT
# What slipwayd stands on goes wrong: etcd is silent for a minute, or begins again; Docker answers nonsense, or late;
# its disk is full; it is killed in the middle of a task. It says so, does nothing wrong meanwhile, and goes on by
# itself.
# about 190 s
set -eu
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../environment.sh"

needs "the keeper and faults" jq curl python3
unset NO_COLOR SLIPWAY_LINK SLIPWAY_FAULT
environment keepf --catalog "$ROOT/tests/data/components"
components <<END
etcd: {instances: 1}
sleeper: {instances: 1}
idler: {instances: 2}
END
check_status "up" 0 slip -f "$file" up

# ---- slipwayd, behind a Docker that can be spoilt, with its data and its home on a small disk ----

docker=${DOCKER_HOST:-unix:///var/run/docker.sock}
python3 -B "$ROOT/tests/integration/docker_proxy.py" "$TMP/proxy" "${docker#unix://}" "$TMP/mode" &
on_exit "kill $!"
check "Docker's proxy listens" wait_until 20 test -S "$TMP/proxy"
spoil() { echo "$1" >"$TMP/mode"; }
small=
if mkdir "$TMP/small" && mount -t tmpfs -o size=1m,mode=700 tmpfs "$TMP/small" 2>/dev/null; then
    small=yes
    on_exit 'umount "$TMP/small"'
fi
cp -a "$TMP/home" "$TMP/small/home"

port=$(free_port)
url=https://127.0.0.1:$port
daemon=
serve() {
    : >"$TMP/served"
    SLIPWAY_HOME=$TMP/small/home DOCKER_HOST=unix://$TMP/proxy "$B/slipwayd" --env "$env" \
        --catalog "$ROOT/tests/data/components" --listen "127.0.0.1:$port" --data "$TMP/small/data" "$@" \
        >"$TMP/served" 2>>"$TMP/log" &
    daemon=$!
}
on_exit 'kill -9 "$daemon"'
dies() {
    kill -9 "$daemon"
    wait "$daemon" 2>/dev/null || true
}
serve --first-token
check "slipwayd serves" wait_until 20 grep -q '^token ' "$TMP/served"
login=$(jq -n --arg token "$(sed -n 's/^token //p' "$TMP/served")" '{$token}')
api() { curl -sS --fail-with-body -k -b "$TMP/jar" -H "Origin: $url" -H 'Content-Type: application/json' "$@"; }
check "a session" api -c "$TMP/jar" -o /dev/null -d "$login" "$url/api/v1/login"

# Only what it said since `mark` counts.
mark() { lines=$(($(wc -l <"$TMP/log") + 1)); }
said() { tail -n "+$lines" "$TMP/log" | grep -qF -- "$1"; }
says_that() { check "it says: $1" wait_until "${2:-30}" said "$1"; }
lives() { kill -0 "$daemon"; }
serves() { api "$url/api/v1/instances" >"$TMP/rows"; }
runs() { [ "$(docker container inspect -f '{{.State.Running}}' "$env-$1")" = true ]; }
well() { serves && jq -e '[.items[].ok] | all' "$TMP/rows" >/dev/null; }
is_whole() { # NAME: everything is well again, and was mended by slipwayd
    check "$1: all is well again" wait_until 60 well
    check "$1: nothing is left to do" slip plan
}
changes() { wc -l <"$TMP/proxy.changes"; }
made() { docker ps -aq --no-trunc --filter "label=slipway.name=$env" | sort; }
check "all is well" wait_until 60 well
containers=$(made)

# ---- etcd is silent for a minute ----

mark
docker pause "$env-etcd-1" >/dev/null
began=$SECONDS
says_that "etcd does not answer; nothing is mended until it does" 60
before=$(changes)
docker kill "$env-idler-1" >/dev/null
check "the API answers, of what was seen last" serves
while [ $((SECONDS - began)) -lt 60 ]; do sleep 1; done
check "it lives" lives
check_not "what died stays dead" runs idler-1
check_same "nothing was asked of Docker that changes something" "$before" "$(changes)"
docker unpause "$env-etcd-1" >/dev/null
says_that "etcd answers again" 60
check "what died meanwhile is started" wait_until 60 runs idler-1
says_that "idler-1 had died (status 137); started again"
is_whole "after a minute without etcd"
check "Docker was asked for it" test "$(changes)" -gt "$before"
check_same "no other container was made" "$containers" "$(made)"
check "the session holds" serves

# ---- etcd begins again ----

docker restart -t 5 "$env-etcd-1" >/dev/null
docker kill "$env-idler-2" >/dev/null
check "what dies beside a restart of etcd is started" wait_until 60 runs idler-2
is_whole "after a restart of etcd"
check "the session holds" serves

# ---- Docker answers nonsense ----

mark
spoil garbage
docker kill "$env-idler-1" >/dev/null
docker rm -f "$env-sleeper-1" >/dev/null
before=$(changes)
says_that "the environment cannot be looked at: "
sleep 10
check "it lives" lives
check "and serves" serves
check_not "what died stays dead" runs idler-1
check_same "it did nothing" "$before" "$(changes)"
spoil pass
says_that "the environment can be looked at again"
check "what died is started" wait_until 60 runs idler-1
check "what was removed is made" wait_until 60 runs sleeper-1
is_whole "after nonsense of Docker"

# ---- Docker answers late ----

spoil slow
docker kill "$env-idler-2" >/dev/null
sleep 20
check "it lives while Docker is slow" lives
check "and serves" serves
spoil pass
check "what died is started" wait_until 60 runs idler-2
is_whole "after a slow Docker"

# ---- killed in the middle of a task ----

task_of() { api "$url/api/v1/tasks/$1"; }
state_of() { task_of "$1" | jq -r .state; }
ended() { task_of "$1" | jq -e .ended; }
restart() { api -X POST "$url/api/v1/instances/idler-1/restart" | jq -r .id; }
spoil hang
task=$(restart)
running() { [ "$(state_of "$task")" = running ]; }
check "a task runs" wait_until 20 running
sleep 2
dies
spoil pass
serve
check "slipwayd comes back" wait_until 30 serves
check_same "the task is told as interrupted" interrupted "$(state_of "$task")"
check_has "and what to do" "$(task_of "$task" | jq -r .error.detail)" "the same call again goes on"
check "all is well" wait_until 60 well
task=$(restart)
check "the same call again" wait_until 60 ended "$task"
check_same "goes on" succeeded "$(state_of "$task")"
is_whole "after being killed"

# ---- its disk is full ----

if [ "$small" ]; then
    mark
    dd if=/dev/zero of="$TMP/small/fill" bs=4k 2>/dev/null || true
    tasks=()
    for _ in 1 2 3 4 5 6 7 8 9 10 11 12; do
        task=$(restart)
        tasks+=("$task")
        check "a task ends on a full disk" wait_until 60 ended "$task"
        case $(state_of "$task") in
        succeeded) ;;
        failed) check_has "or says why not" "$(task_of "$task" | jq -r .error.detail)" "No space left" ;;
        *) not_ok "a task on a full disk" "$(task_of "$task")" ;;
        esac
    done
    says_that "the history of tasks is not written down: "
    check "it lives" lives
    docker kill "$env-idler-2" >/dev/null
    runs_or_told() { runs idler-2 || tail -n "+$lines" "$TMP/log" | grep -q 'idler-2.*No space left'; }
    check "what died is started, or it is told why not" wait_until 60 runs_or_told
    rm "$TMP/small/fill"
    says_that "the history of tasks is written down again"
    check "what died is started in the end" wait_until 60 runs idler-2
    dies
    serve
    check "slipwayd comes back" wait_until 30 serves
    api "$url/api/v1/tasks" >"$TMP/tasks"
    for task in "${tasks[@]}"; do
        check "a task of the full disk is known" jq -e --arg id "$task" \
            '.items[] | select(.id == $id) | .state == "succeeded" or .state == "failed"' "$TMP/tasks"
    done
    dd if=/dev/zero of="$TMP/small/fill" bs=4k 2>/dev/null || true
    dies
    serve
    check "it begins on a full disk, too" wait_until 30 serves
    rm "$TMP/small/fill"
    is_whole "after a full disk"
else
    skip "a full disk under slipwayd" "no right to mount"
fi
finish
