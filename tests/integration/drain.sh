#!/bin/bash
# SPDX-License-Identifier: MIT
# A monitor is being drained, three to one, when slipway, its hook or its whole container is killed: the same command again
# ends in the same place, with a healthy cluster and the data in it.
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
monitors() { mon ceph mon dump -f json 2>/dev/null | jq -r '[.mons[].name] | sort | join(" ")'; }
clean() {
    mon ceph status -f json 2>/dev/null | jq -e '.pgmap | [.num_pgs, ([.pgs_by_state[] | select(.state_name == "active+clean").count] | add)] | .[0] == .[1]'
}
# The hook of a monitor, by its process on this machine: "hit" is its number, and "of" its container. It works for less than a
# second, so nothing is forked here: on a busy machine it would end before it is seen.
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
    check_same "$1: and one container" "$env-ceph-mon-1" "$(docker ps -a --filter "label=slipway.name=$env" --format '{{.Names}}' | grep ceph-mon)"
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
check "data goes in" mon rados -p volumes put data - <"$TMP/data"
shrink kill_slipway
check_same "slipway was killed" 137 "$status"
same_end "slipway killed"
grow
shrink kill_hook
same_end "the hook killed"
grow
shrink kill_container
same_end "the container killed"
check_status "down --volumes" 0 slip down --volumes --yes
finish
