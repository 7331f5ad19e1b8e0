#!/bin/bash
# SPDX-License-Identifier: MIT
# A monitor is being drained, three to one, when slipway, its hook or its whole container is killed: the same command
# again ends in the same place, with a healthy cluster and the data in it. An OSD whose drain is interrupted or killed
# takes data again.
# about 80 s
set -eu
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../environment.sh"

needs "monitors that are drained" jq
environment drain
declare -A procs_of

document() { # MONITORS
    components <<END
etcd: {instances: 1}
ceph-mon: {instances: $1}
ceph-mgr: {instances: 1, config: {pools: {volumes: {size: 2, min_size: 1, pg_num: 8, application: rbd}}}}
ceph-osd: {instances: 2, config: {memory_target: 1GiB}}
END
}
mon() { slip exec -T ceph-mon-1 -- "$@"; }
mon_takes() { slip exec -i ceph-mon-1 -- "$@"; } # with our standard input
monitors() { mon ceph mon dump -f json 2>/dev/null | jq -r '[.mons[].name] | sort | join(" ")'; }
clean() {
    mon ceph status -f json 2>/dev/null | jq -e \
        '.pgmap | [.num_pgs, ([.pgs_by_state[] | select(.state_name == "active+clean").count] | add)] | .[0] == .[1]'
}
# The hook of a monitor, by its process on this machine: "hit" is its number, and "of" its container. It works for less
# than a second, so nothing is forked here: on a busy machine it would end before it is seen.
draining() {
    local id p procs words
    for id in "${!procs_of[@]}"; do
        mapfile -t procs <"${procs_of[$id]}" || continue
        for p in "${procs[@]}"; do
            mapfile -d '' -t words <"/proc/$p/cmdline" || continue
            case ${words[*]:-} in "/bin/sh "*/hooks/drain) hit=$p of=$id && return 0 ;; esac
        done
    done 2>/dev/null
    return 1
}
# shrink KILL: takes away two monitors, and runs KILL when the hook of one of them is at work.
shrink() {
    local end=$((SECONDS + 300)) id
    document 1
    procs_of=()
    for id in $(docker ps -q --no-trunc --filter "label=slipway.name=$env" --filter "name=$env-ceph-mon-"); do
        procs_of[$id]=$(find /sys/fs/cgroup -path "*$id*" -name cgroup.procs -print -quit 2>/dev/null)
    done
    "$SLIPWAY" "${slip_options[@]}" -q -f "$file" up >"$TMP/killed" 2>&1 &
    up=$!
    while ! draining; do
        if [ $SECONDS -ge $end ] || ! kill -0 "$up" 2>/dev/null; then
            not_ok "the hook drain is seen at work" "$(cat "$TMP/killed")"
            return 0
        fi
    done
    ok "the hook drain is seen at work"
    check "and is hit" "$1"
    status=0
    wait "$up" || status=$?
}
kill_slipway() { kill -9 "$up"; }
kill_hook() { kill -9 "$hit"; }
kill_container() { docker kill "$of"; }

same_end() { # NAME
    check_status "$1: the same command again ends well" 0 slip -f "$file" up
    check_same "$1: one monitor is left" ceph-mon-1 "$(monitors)"
    check_same "$1: and one container" "$env-ceph-mon-1" \
        "$(docker ps -a --filter "label=slipway.name=$env" --format '{{.Names}}' | grep ceph-mon)"
    check_status "$1: nothing is left to do" 0 slip -f "$file" plan
    check "$1: all placement groups are clean" wait_until 120 clean
    check "$1: every instance is well" wait_until 120 slip status
    check_same "$1: the data is there" "$sum" "$(mon rados -p volumes get data - | sha256sum)"
}
grow() {
    document 3
    check_status "three monitors" 0 slip -f "$file" up
    check_same "are in the quorum" "ceph-mon-1 ceph-mon-2 ceph-mon-3" "$(monitors)"
}

grow
head -c 4194304 /dev/urandom >"$TMP/data"
sum=$(sha256sum <"$TMP/data")
check "data goes in" mon_takes rados -p volumes put data - <"$TMP/data"
shrink kill_slipway
check_same "slipway was killed" 137 "$status"
same_end "slipway killed"
grow
shrink kill_hook
same_end "the hook killed"
grow
shrink kill_container
same_end "the container killed"

# An OSD that no pool of the document needs, but one that somebody made by hand: the drain says how far it is, a first
# Ctrl-C says what it waits for, a second one gives up, and then the OSD takes data again, as it does when the drain is
# killed.
osds() { # COUNT
    sed -i "s/ceph-osd: {instances: [0-9]*/ceph-osd: {instances: $1/" "$file"
}
is_in() { mon ceph osd dump -f json 2>/dev/null | jq -e --argjson in "$1" '.osds[] | select(.osd == 3) | .in == $in'; }
shrinking() { # is begun, in the background, as from a terminal
    osds 2
    setsid bash -c 'trap - INT; exec "$@" 2>&1' - "$SLIPWAY" "${slip_options[@]}" -f "$file" up >"$TMP/shrinking" &
    shrinking=$!
    check "the OSD is out" wait_until 120 is_in 0
}
said() { grep -qF "$1" "$TMP/shrinking"; }
ended() { status=0; wait "$shrinking" || status=$?; }
osds 3
check_status "a third OSD" 0 slip -f "$file" up
check "a pool with three copies" mon sh -ec 'ceph osd pool create hold 1 1 replicated_rule
    ceph osd pool set hold size 3; head -c 1M /dev/zero | rados -p hold put zeros -'
check "which are made" wait_until 120 clean
shrinking
check "the drain says how far it is" wait_until 60 said "placement groups to move"
kill -INT "$shrinking"
check "a first Ctrl-C says at once what it waits for" wait_until 3 said \
    "what is under way is finished first (drain instance ceph-osd-3); Ctrl-C again stops at once"
check "and waits" kill -0 "$shrinking"
kill -INT "$shrinking"
ended
check_same "a second one ends it" 130 "$status"
check "and the OSD takes data again" wait_until 20 is_in 1
osds 2
check_status "without time it gives up" 8 slip --timeout 15s -f "$file" up
check "and the OSD takes data again too" wait_until 20 is_in 1
shrinking
kill -9 "$shrinking"
ended
check "so it does when slipway is killed" wait_until 20 is_in 1
shrinking
kill -STOP "$shrinking" # or it asks again
check "the hook is killed" docker exec "$env-ceph-osd-3" pkill -KILL -f lib/drain.py
kill -9 "$shrinking"
ended
check "so it does when its hook is killed" wait_until 30 is_in 1
osds 3
check_status "wanted again, it stays" 0 slip -f "$file" up
check "in the map" is_in 1
check_status "and nothing is left to do" 0 slip -f "$file" plan
check "two copies are enough" mon ceph osd pool set hold size 2
osds 2
check_status "when all of it can move, it leaves" 0 slip -f "$file" up
check_not "and is in the map no more" is_in 1
check_same "the data is there" "$sum" "$(mon rados -p volumes get data - | sha256sum)"

# An OSD that a pool needs. Nothing is begun: neither out of the map, nor a wait for what cannot come.
sed -i 's/ceph-osd: {instances: 2/ceph-osd: {instances: 1/' "$file"
says "an OSD that a pool needs cannot leave, says plan" 1 "1 ceph-osd left, pool volumes needs 2" slip -f "$file" plan
says "nor by up" 1 "ceph-osd-2 cannot leave" slip -f "$file" up
check "it is in the map as before" sh -ec '"$@" | jq -e "[.osds[] | select(.in == 1 and .up == 1)] | length == 2"' - \
    "$SLIPWAY" -q -e "$env" exec ceph-mon-1 -- ceph osd dump -f json
check_status "down --volumes" 0 slip down --volumes --yes
finish
