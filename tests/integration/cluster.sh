#!/bin/bash
# SPDX-License-Identifier: MIT
# A whole storage cluster of the demo's shape: it comes up green, changes while it runs, grows and shrinks without
# losing a byte, survives kill -9 of everything, shows no secret, and leaves nothing behind.
# about 130 s
set -eu
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../environment.sh"

needs "cluster" jq
environment cluster

document() { # MONITORS OSDS
    components <<END
etcd: {instances: 1}
ceph-mon: {instances: $1}
ceph-mgr:
  instances: 1
  config:
    pools:
      volumes: {size: 2, min_size: 1, pg_num: 8, application: rbd}
      archive: {kind: erasure, k: 2, m: 1, pg_num: 8}
ceph-osd:
  instances: $2
  config: {memory_target: 1GiB}
  overrides: {ceph-osd-2: {volumes: [$env-osd-2-data, $env-osd-2-db, $env-osd-2-log]}}
END
}
mon() { slip exec -T ceph-mon-1 -- "$@"; }
mon_takes() { slip exec -i ceph-mon-1 -- "$@"; } # with our standard input
# green: the check without an exception, a failure or a warning; what is wrong is left in $TMP/check.
green() {
    slip check --json >"$TMP/check.json" 2>"$TMP/check.err" || true
    jq -e '[.. | objects | select(has("result"))] as $all | ($all | length > 15) and
        all($all[]; .result == "SUCCESS")' \
        "$TMP/check.json" >/dev/null
}
# is_green NAME: recovery takes its time, so this waits; it shows what is not well when it stays so.
is_green() {
    if wait_until 120 green; then ok "$1"; else not_ok "$1" "$(slip check 2>&1 | grep -v ^SUCCESS)
$(slip status 2>&1)"; fi
}
succeeded() { jq -e --arg c "$1" 'any(.. | objects; .code? == $c and .result? == "SUCCESS")' "$TMP/check.json"; }
# Every instance ready and healthy, and what etcd holds for it is what it has in effect.
all_applied() { # COUNT
    slip status --json >"$TMP/status.json" 2>/dev/null &&
        jq -e --argjson n "$1" '.healthy and (.instances | length == $n) and all(.instances[];
            .state == "ready" and .health == "healthy" and .config.result == "ok" and .config.current
            and (.config.applied | length >= 8) and .config.applied == .config.desired)' "$TMP/status.json"
}
containers() { docker ps -a --filter "label=slipway.name=$env" --format '{{.Names}}' | sort; }
# same_data NAME: what was written at the beginning is still there, in both kinds of pool and in the image.
same_data() {
    local pool
    for pool in volumes archive; do
        check_same "$1: the object in pool $pool" "$sum" "$(mon rados -p "$pool" get data - | sha256sum)"
    done
    check_same "$1: the image" "$sum" "$(mon rbd export --no-progress volumes/disk - | sha256sum)"
}

# ---- from nothing to green ---------------------------------------------------------------------------
document 3 3
check_status "up makes the cluster" 0 slip -f "$file" up
check "every instance is ready and healthy, with its configuration applied" wait_until 60 all_applied 8
is_green "check is green"
check "an object was written, read back and compared" succeeded osd.object
check "an image was written, read back and compared" succeeded osd.image
check "both pools of the configuration were tried" succeeded mgr.pools
check_same "the pools are of the configured kinds" "archive 3, volumes 1" \
    "$(mon ceph osd pool ls detail -f json | jq -r 'map("\(.pool_name) \(.type)") | sort | join(", ")')"

# An OSD with three volumes: database and log of its own.
check_same "an OSD with three volumes has a database and a log apart" "1 1" \
    "$(mon ceph osd metadata 2 -f json | jq -r '"\(.bluefs_dedicated_db) \(.bluefs_dedicated_wal)"')"
check_same "one with one volume has not" "0 0" \
    "$(mon ceph osd metadata 1 -f json | jq -r '"\(.bluefs_dedicated_db) \(.bluefs_dedicated_wal)"')"
check_same "each is in its volume" "/data/osd/block /data/2/block.db /data/3/block.wal" \
    "$(docker exec "$env-ceph-osd-2" sh -c 'cd /data/osd && readlink -f block block.db block.wal' | paste -sd ' ')"

head -c 4194304 /dev/urandom >"$TMP/data"
sum=$(sha256sum <"$TMP/data")
for pool in volumes archive; do
    check "data goes into pool $pool" mon_takes rados -p "$pool" put data - <"$TMP/data"
done
check "data goes into an image" mon_takes rbd import --no-progress --image-feature layering - volumes/disk <"$TMP/data"
same_data "at the beginning"

# ---- nothing shows a secret --------------------------------------------------------------------------
# Everything that is secret: each instance's password in its link, and what the agents unsealed.
for c in $(containers); do
    docker exec "$c" sh -c 'sed -n "s,^etcds*://[^:]*:\([^@]*\)@.*,\1,p" /etc/slipway/link
        for f in /run/slipway/secrets/*; do
            case $f in *.crt | *.ca) ;; *.key) sed -n 2p "$f" ;; *) head -n 1 "$f"; echo ;; esac
        done'
done | awk 'length >= 16' | sort -u >"$TMP/secrets"
check "there are many secrets" test "$(wc -l <"$TMP/secrets")" -ge 18
{
    for c in $(containers); do
        docker inspect "$c"
        docker top "$c" -eo pid,args
        docker logs "$c"
        docker image inspect "$(docker inspect -f '{{.Image}}' "$c")"
    done
    ps -eo args
    slip status --wide
    slip logs
    slip config list --json || true
} >"$TMP/public" 2>&1
check "inspect, top and logs were read" test "$(grep -c "$env-ceph-osd-3" "$TMP/public")" -ge 3
check_not "no secret is in inspect, top, ps, status, config or the logs of any container" grep -qFf "$TMP/secrets" \
    "$TMP/public"

# ---- a live change -----------------------------------------------------------------------------------
started() { docker inspect -f '{{.Id}} {{.State.StartedAt}}' "$env-ceph-osd-$1"; }
daemon() { docker exec "$env-ceph-osd-$1" sh -c \
    'for p in /proc/[0-9]*; do [ "$(cat "$p/comm")" != ceph-osd ] || echo "$p $(cut -d " " -f 22 "$p/stat")"; done'; }
before="$(started 1) $(daemon 1) $(started 3) $(daemon 3)"
check_has "the daemon is seen" "$before" /proc/
check_status "config set" 0 slip config set ceph-osd memory_target 1200MiB
reached() {
    [ "$(slip exec -T "ceph-osd-$1" -- ceph daemon /run/slipway/ceph/asok config get osd_memory_target |
        jq -r .osd_memory_target)" = 1258291200 ]
}
for i in 1 2 3; do check "the running daemon of ceph-osd-$i has the new value" wait_until 30 reached "$i"; done
check "the change is acknowledged by all" wait_until 30 all_applied 8
check_same "nothing was restarted" "$before" "$(started 1) $(daemon 1) $(started 3) $(daemon 3)"
check_status "config get shows it" 0 slip config get ceph-osd memory_target
check_has "the new value" "$(cat "$TMP/out")" 1258291200
check_status "config set of a value out of bounds is refused" 6 slip config set ceph-osd memory_target 1MiB
check "and changes nothing" reached 1

# ---- one monitor, one OSD; then everything --------------------------------------------------------------
docker kill "$env-ceph-mon-2" "$env-ceph-osd-1" >/dev/null
check_status "status says so" 5 slip status
check_has "and names the monitor" "$(grep ceph-mon-2 "$TMP/out")" exited
check_has "and the OSD" "$(grep ceph-osd-1 "$TMP/out")" exited
check_status "check fails" 5 slip check
same_data "without one monitor and one OSD"
document 3 3
sed -i 's/1GiB/1200MiB/' "$file"
check_status "up starts them again" 0 slip -f "$file" up
is_green "check is green after the loss of one monitor and one OSD"

sleep 6 # a daemon that ends in the first 5 s with a changed value is started again in its container
for c in $(containers); do docker inspect -f '{{.Name}} {{.State.StartedAt}}' "$c"; done >"$TMP/before"
for c in $(containers); do
    docker exec "$c" sh -c 'for p in /proc/[0-9]*; do
        case $(cat "$p/comm" 2>/dev/null) in
        etcd | ceph-mon | ceph-mgr | ceph-osd) kill -9 "${p#/proc/}" ;;
        esac
    done' || true
done
restarted() { for c in $(containers); do docker inspect -f '{{.Name}} {{.State.StartedAt}}' "$c"; done |
    cat - "$TMP/before" | sort | uniq -d | grep -c . | grep -qx 0; }
check "kill -9 of every daemon ends every container's run" wait_until 30 restarted
is_green "all come back by themselves and check is green"
check "with their configuration" wait_until 60 all_applied 8
same_data "after kill -9 of every daemon"

# ---- growing and shrinking ---------------------------------------------------------------------------
document 3 5
check_status "up grows to five OSDs" 0 slip -f "$file" up
is_green "check is green with five OSDs"
check "the new ones hold data" wait_until 90 sh -c "'$SLIPWAY' -q -e '$env' exec -T ceph-mon-1 -- ceph osd df -f json |
    jq -e '(.nodes | length) == 5 and ([.nodes[] | select(.id >= 4) | .pgs] | min) > 0'"
same_data "on five OSDs"
document 1 3
check_status "up shrinks to three OSDs and one monitor" 0 slip -f "$file" up
check_same "the containers are gone" "" "$(containers | grep -E 'ceph-osd-[45]|ceph-mon-[23]' || true)"
check_same "the cluster has forgotten the OSDs" "1 2 3" "$(mon ceph osd ls | tr '\n' ' ' | sed 's/ *$//')"
check_same "and the monitors" "ceph-mon-1" \
    "$(mon ceph mon dump -f json 2>/dev/null | jq -r '[.mons[].name] | join(" ")')"
is_green "check is green with three OSDs and one monitor"
same_data "back on three OSDs"
check_status "nothing is left to do" 0 slip -f "$file" plan
document 3 4
check_status "up grows again, over the old volumes" 0 slip -f "$file" up
check_same "all monitors are in the quorum" "ceph-mon-1,ceph-mon-2,ceph-mon-3" \
    "$(mon ceph quorum_status -f json 2>/dev/null | jq -r '.quorum_names | sort | join(",")')"
is_green "check is green with three monitors and four OSDs"
same_data "at the end"

# ---- nothing is left ---------------------------------------------------------------------------------
check_status "down --volumes" 0 slip down --volumes --yes
check_same "no container, volume or network is left" "" "$(containers; docker volume ls -q | grep -F "$env" || true
    docker network ls --format '{{.Name}}' | grep -F "$env" || true)"
check "the operator's folder is gone" test ! -e "$SLIPWAY_HOME/$env"
finish
