#!/bin/bash
# SPDX-License-Identifier: MIT
# What an operator asks and does about single instances: show, attach, remove.
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

# files
check_status "files" 0 slip files
for word in "$SLIPWAY_HOME/$env/key" "$SLIPWAY_HOME/$env/document.json" "$file" "$ROOT/tests/data/components" \
    "$B/slipway-agent"; do
    check_has "files has $word" "$(cat "$TMP/out")" "$word"
done
check_has "and where data lies" \
    "$(cat "$TMP/out")" "$(docker volume inspect -f '{{.Mountpoint}}' "$env-sleeper-1-data")"
check_hasnt "no logs unasked" "$(cat "$TMP/out")" "-json.log"
check_status "files --json" 0 slip files --json --logs
check "has all of it" jq -e --arg env "$env" 'all(.there) and ([.[] | select(.what == "data")] | length == 4)
    and ([.[] | select(.what == "log" and .of == "etcd-1")] | length == 1)' "$TMP/out"
check "every file is there" sh -c "jq -r '.[].path' $TMP/out | xargs -d '\n' stat"
check_status "files without Docker" 0 env DOCKER_HOST=unix:///nowhere "$SLIPWAY" -e "$env" files
check_has "has the operator's own" "$(cat "$TMP/out")" "$SLIPWAY_HOME/$env/key"
check_has "and says what is missing" "$(cat "$TMP/err")" "where the data lies is not known"
check_status "files of an unknown environment" 1 "$SLIPWAY" -e "$env-x" files
check_hasnt "the key itself is not shown" "$(slip files --json)" "$(cat "$SLIPWAY_HOME/$env/key")"

# An etcd that lost everything: the keys and their revisions may come out the same, and still every instance
# acknowledges them.
check_status "lose etcd and its data" 0 slip remove --force --volumes --yes etcd-1
check_status "up writes all again" 0 slip up
acknowledged() { slip status --json | jq -e '[.instances[] | select(.ok and .config.current)] | length == 4'; }
check "every instance has acknowledged it" wait_until 120 acknowledged

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
check_has "its network and address" "$shown" \
    "$env-net, $(docker inspect -f "{{(index .NetworkSettings.Networks \"$env-net\").IPAddress}}" "$env-sleeper-1")"
check_has "what somebody who broke in reaches, as etcd has it" \
    "$shown" "  writes:     /slipway/$env/instances/sleeper-1/applied"
check_has "and what it reads" "$shown" "  reads:      /slipway/$env/instances/sleeper-1/"
check_same "in 80 columns" "" "$(awk 'length($0) > 80' "$TMP/out")"
for word in "$id" "${id:0:12}" "$env-sleeper-1"; do
    check_same "by $word, of the container" "sleeper-1 $id" \
        "$(slip show --json "$word" | jq -r '.instance + " " + .container.id')"
done
check_status "show --json" 0 slip show --json sleeper-1
check "has all of it" jq -e --arg id "$id" --arg env "$env" '.environment == $env and .instance == "sleeper-1"
    and .component == "sleeper" and .host == "local" and .ok and .container.id == $id
    and .container.state == "running" and (.container.hash | length == 64)
    and (.image.id | startswith("sha256:")) and .config.current
    and .config.revision == .config.desired_revision and .config.revision > 0
    and .volumes[0].path == "/data" and .networks[0].address == .address
    and (.capabilities | index("SETUID")) and .devices == []' "$TMP/out"
check "and its reach: what etcd grants, no more, and nothing of the host" jq -e --arg all "/slipway/$env/" '.reach
    | .host == [] and .devices == [] and .docker_plugins == false and .published == [] and (has("mounts") | not)
    and (.etcd.read | index($all + "instances/sleeper-1/") and index($all + "components/sleeper/"))
    and (.etcd.write | map(ltrimstr($all)) | sort
        == ["components/sleeper/once", "components/sleeper/once.lock", "instances/sleeper-1/applied",
            "instances/sleeper-1/status"])
    and (.etcd.read + .etcd.write | all(test("/sleeper(-1)?/")))' "$TMP/out"
check_same "several are a list" "sleeper-1 etcd-1" \
    "$(slip show --json sleeper-1 etcd-1 | jq -r 'map(.instance) | join(" ")')"
says "show of an unknown one" 1 "$env has no instance sleper-1 (did you mean sleeper-1?)" slip show sleper-1
check_same "in one line" 1 "$(wc -l <"$TMP/err")"
check_same "and nothing else" "" "$(cat "$TMP/out")"
check_status "three digits are not an id" 1 slip show "${id:0:3}"
check_status "show needs a name" 6 slip show
token=$(docker exec "$env-sleeper-1" cat /run/slipway/secrets/token)
check_hasnt "no secret in it" "$(slip -vv show sleeper-1 2>&1; slip show --json sleeper-1; slip show etcd-1)" "$token"

check_same "by the end of its name, when that is one's alone" sleeper-1 \
    "$(slip show --json "$env-sleeper-1" | jq -r .instance)"
check_same "by its beginning" echo-1 "$(slip show --json ech | jq -r .instance)"
says "which several have" 6 "sleeper may be any of sleeper-1, sleeper-2" slip show sleeper
check_status "status of some" 0 slip status --json sleeper ech
check_same "has these" "echo-1 sleeper-1 sleeper-2" "$(jq -r '[.instances[].instance] | join(" ")' "$TMP/out")"
says "status of an unknown one" 1 "did you mean sleeper-1?" slip status sleper-1

revision() { slip show --json sleeper-1 | jq -e \
    '.config | .current and .revision == .desired_revision and .revision > '"$1"; }
before=$(slip show --json sleeper-1 | jq .config.revision)
check_status "after a change" 0 slip config set sleeper word shown
check "desired and applied revision have grown" wait_until 60 revision "$before"
check_status "it runs, and is not removed" 1 slip remove sleeper-2
follow "what it says stops it" 0
check_status "a stopped one is shown" 0 slip show sleeper-2
cp "$TMP/out" "$TMP/stopped"
check_status "status of it alone is 5" 5 slip status sleeper-2
check_status "and of another one 0" 0 slip status sleeper-1
check_has "with how it ended" "$(cat "$TMP/stopped")" "exit status 143"
check_has "which reaches in etcd what it did" "$(cat "$TMP/stopped")" "/slipway/$env/instances/sleeper-2/applied"
check_status "remove its container" 0 docker rm -f "$env-sleeper-2"
check_status "one without a container is shown" 0 slip show sleeper-2
check_has "as missing" "$(cat "$TMP/out")" "State:        missing"
check "in JSON too" jq -e '.state == "missing" and .container == null' <(slip show --json sleeper-2)
check_status "up brings it back" 0 slip up

# attach: on a terminal of its own, where SIGUSR1 types Ctrl-C, and in a pipe.
number=0
attach() { # KIND WORDS...: in the background; prints to $printed
    local kind=$1
    shift
    number=$((number + 1))
    printed=$TMP/attach$number
    python3 "$ROOT/tests/integration/ctrl_c.py" "$kind" "$printed" "$SLIPWAY" "${slip_options[@]}" -e "$env" attach \
        "$@" &
    runner=$!
    on_exit "kill $runner"
}
printed() { grep -q -- "$1" "$printed"; }
print() { docker exec "$env-$1" sh -c "echo '$2' >/proc/1/fd/1"; }
# Again and again: nobody says when it has begun to follow.
follows() { print "$1" "$2" && printed "$2"; }
end() { # NAME STATUS
    local status=0
    wait "$runner" || status=$?
    check_same "$1" "$2" "$status"
}
print sleeper-1 "said before"
said() { slip logs --tail 1 sleeper-1 | grep -q "said before"; }
check "a line is in the log" wait_until 60 said
for kind in tty pipe; do
    started=$(docker inspect -f '{{.State.StartedAt}} {{.State.Pid}}' "$env-sleeper-1")
    attach $kind sleeper-1
    check "attach, $kind: what was said last comes first" wait_until 60 printed "said before"
    check "attach, $kind: then what is said now" wait_until 60 follows sleeper-1 "said in a $kind"
    check "attach, $kind: how to leave is said" printed "Ctrl-C leaves it running"
    kill -USR1 $runner
    end "attach, $kind: Ctrl-C ends it well" 0
    check "attach, $kind: it says so" printed "sleeper-1 detached"
    check_same "attach, $kind: the instance runs on, untouched" "$started" \
        "$(docker inspect -f '{{.State.StartedAt}} {{.State.Pid}}' "$env-sleeper-1")"
done

# Docker reads standard output and error side by side, so their lines may be out of order.
attach pipe --tail 0 sleeper-1
check "attach follows before much is said" wait_until 60 follows sleeper-1 "much follows"
docker exec "$env-sleeper-1" sh -c 'for fd in 1 2; do
    (i=0; while [ $i -lt 3000 ]; do echo "much $fd"; i=$((i + 1)); done >/proc/1/fd/$fd) &
done; wait'
all_said() { [ "$(grep -c "much $1$" "$printed")" = 3000 ]; }
check "no line of standard output is lost" wait_until 60 all_said 1
check "none of standard error" wait_until 60 all_said 2
kill -USR1 $runner
end "and Ctrl-C ends it well" 0

attach pipe --tail 0 sleeper
check "several have their names" wait_until 60 follows sleeper-1 "from the first"
check "each" wait_until 60 follows sleeper-2 "from the second"
check "in front of each line" printed "^sleeper-2 | from the second"
check_status "restart one" 0 slip restart sleeper-1
check "attach tells its end" wait_until 60 printed "sleeper-1 ended"
check "and that it runs again" wait_until 60 printed "sleeper-1 runs again"
check "and goes on with it" wait_until 60 follows sleeper-1 "after the restart"
check_same "no line twice" "" "$(sort "$printed" | grep '|' | grep -v 'from the\|after the' | uniq -d)"
check_status "a new container" 0 docker rm -f "$env-sleeper-2"
check "attach tells that one has none" wait_until 60 printed "sleeper-2 is removed"
check_status "remove the other too" 0 docker rm -f "$env-sleeper-1"
end "attach ends when all are removed" 0
check_status "up" 0 slip up

says "without a name there is a choice" 6 \
    "name instances or components, or use --all: echo-1, etcd-1, sleeper-1, sleeper-2" slip attach
attach tty
check "on a terminal it is asked for" wait_until 60 printed "Number or name: "
check "with numbers" printed "  3  sleeper-1"
kill -USR1 $runner
end "Ctrl-C there chooses none" 130
says "attach to an unknown one" 1 "did you mean sleeper-1?" slip attach sleper-1
says "a bad --tail" 6 "--tail takes a number or all, not some" slip attach --tail some sleeper-1
check_status "stop one" 0 slip stop echo-1
says "attach to one that does not run" 1 "echo-1 does not run (exited); what it printed: \`slipway logs echo-1\`" slip \
    attach echo-1
follow "what it says" 0
check_status "start it" 0 slip start echo-1

# remove
exists() { docker inspect "$env-$1" >/dev/null 2>&1; }
others() { docker ps -q --no-trunc --filter "label=slipway.name=$env" --filter label=slipway.component; docker volume \
    ls -q --filter "label=slipway.name=$env"; }
docker exec "$env-sleeper-2" sh -c 'echo kept >/data/mark'
says "a running one is refused" 1 "sleeper-2 runs; \`slipway stop sleeper-2\` first, or use --force" slip remove \
    sleeper-2
check "and runs on" slip exec sleeper-2 -- test -e /data/mark
says "one of two that runs too" 1 "runs; " slip remove sleeper-1 sleeper-2
check "nothing of them is removed" exists sleeper-1
# A killed run's calls may come late, so `remove` looks again when something is in its way: never at what it was
# refused.
docker rm -f "$env-echo-1" >/dev/null
killed() { SLIPWAY_FAULT=kill-after:1 slip up; }
check_status "a run that is killed" 137 killed
check_status "just after it a running one is refused too" 1 slip remove sleeper-2
check "and runs on" slip exec sleeper-2 -- test -e /data/mark
check_status "what was killed goes on" 0 slip up
check_status "stop" 0 slip stop sleeper-2
check_status "a stopped one is removed" 0 slip remove sleeper-2
check_not "its container is gone" exists sleeper-2
check "its data stays" docker volume inspect "$env-sleeper-2-data"
check_status "twice equals once" 0 slip remove sleeper-2
check_status "status says that it is missing" 5 slip status
check_has "by name" "$(grep '^sleeper-2' "$TMP/out")" missing
check_status "up recreates it" 0 slip up
check_same "on its data" kept "$(docker exec "$env-sleeper-2" cat /data/mark)"
before=$(others | grep -v "$(docker inspect -f '{{.Id}}' "$env-sleeper-2")" | grep -v "$env-sleeper-2-data")
check_status "--force removes a running one, --volumes its data too" 0 slip remove --force --volumes --yes sleeper-2
check_not "the container is gone" exists sleeper-2
check_not "the data too" docker volume inspect "$env-sleeper-2-data"
check_same "nothing else" "$before" "$(others)"
check_status "up recreates both" 0 slip up
check_not "without the old data" docker exec "$env-sleeper-2" test -e /data/mark
says "an unknown one" 1 "did you mean sleeper-" slip remove sleeper-3
check_status "remove needs a name" 6 slip remove
check_status "stop one, at once" 0 slip stop --force sleeper-1
# Docker sends TERM and at once KILL: the first may be enough.
check "it was killed" grep -qx '137\|143' <(docker inspect -f '{{.State.ExitCode}}' "$env-sleeper-1")
number=$((number + 1)) printed=$TMP/remove
python3 "$ROOT/tests/integration/ctrl_c.py" tty "$printed" "$SLIPWAY" "${slip_options[@]}" -e "$env" remove sleeper-1 &
runner=$!
check "on a terminal it asks" wait_until 60 printed "its data stays? .y/N."
kill -USR1 $runner
end "Ctrl-C there ends it" 130
check "and nothing is removed" exists sleeper-1
check_status "without a terminal nobody asks" 0 slip remove sleeper-1
check_status "up" 0 slip up

# What all require is stopped last and started first.
loud() { "$SLIPWAY" "${slip_options[@]}" -e "$env" "$@"; }
check_status "stop all" 0 loud stop --all
check_same "etcd last" "etcd-1 stopped" "$(tail -n 1 "$TMP/out" | cut -d' ' -f1,2)"
check_status "start all" 0 loud start --all
check_same "etcd first" "etcd-1 started" "$(head -n 1 "$TMP/out" | cut -d' ' -f1,2)"
check_same "each is told" 4 "$(wc -l <"$TMP/out")"

check_status "down" 0 slip down
says "what is down is said to be" 1 "$env is down" slip exec sleeper-1 -- true
says "by logs too" 1 "$env is down" slip logs sleeper-1
finish
