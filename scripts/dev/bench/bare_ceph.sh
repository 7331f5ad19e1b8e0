#!/bin/bash
# SPDX-License-Identifier: MIT
# The floor under `slipway up`: the engines of the demo (1 etcd, 3 monitors, 1 manager, 3 OSDs) started by bare parallel
# `docker run` with files made beforehand, until the pool is there, prepared for images, and all placement groups are
# active+clean. Same images, same quick timing, no TLS, no secrets handling, no etcd between. Needs the images of an
# `up`.
# Usage: bare_ceph.sh [--seconds]      MONS=3 OSDS=3
set -eu
# shellcheck source=scripts/dev/bench/lib.sh
. "$(dirname "$0")/lib.sh"

P=bare-ceph-$$
SUBNET=10.230.$((RANDOM % 250))
MONS=${MONS:-3} OSDS=${OSDS:-3}
CEPH=${CEPH_IMAGE:-slipway/ceph-osd} ETCD=${ETCD_IMAGE:-slipway/etcd}
for i in "$CEPH" "$ETCD"; do docker image inspect "$i" >/dev/null 2>&1 ||
    { echo "no image $i: run slipway up first" >&2; exit 1; }; done
# shellcheck disable=SC2016
on_exit 'docker ps -aq --filter "name=^$P-" | xargs -r docker rm -fv
    docker volume ls -q | grep "^$P-" | xargs -r docker volume rm
    docker network rm $P'

key() { { printf '\001\000\000\000\000\000\000\000\000\000\020\000'; head -c 16 /dev/urandom; } | base64 -w0; }
entity() {
    printf '[%s]\n\tkey = %s\n' "$1" "$(key)"
    shift
    printf '\tcaps %s\n' "$@"
}

# ---- ready-made files
fsid=$(cat /proc/sys/kernel/random/uuid)
dir=$TMP/files
mkdir -p "$dir"
hosts='' add=()
for ((i = 1; i <= MONS; i++)); do
    hosts+="${hosts:+,}[v2:$SUBNET.2$i:3300,v1:$SUBNET.2$i:6789]"
    add+=(--addv "m$i" "[v2:$SUBNET.2$i:3300,v1:$SUBNET.2$i:6789]")
done
{
    entity mon. 'mon = "allow *"'
    entity client.admin 'mon = "allow *"' 'osd = "allow *"' 'mgr = "allow *"'
    entity mgr.x 'mon = "allow profile mgr"' 'osd = "allow *"' 'mds = "allow *"'
    for ((i = 1; i <= OSDS; i++)); do entity "osd.$i" 'mon = "allow profile osd"' 'mgr = "allow profile osd"' \
        'osd = "allow *"'; done
} >"$dir/keyring"
# The quick profile as it is in the manifests.
tuning() {
    awk '/^  quick:/ { q = 1 }
        q && /^    tuning:/ { t = 1; next }
        t && /^      / { sub(/: */, " = "); gsub(/"/, ""); print; next }
        t { exit }' "$1"
}
{
    printf '[global]\nfsid = %s\nmon_host = %s\nkeyring = /files/keyring\n' "$fsid" "$hosts"
    printf 'log_to_file = false\nlog_to_stderr = false\n'
    printf 'auth_allow_insecure_global_id_reclaim = false\nmgr_initial_modules = iostat\nrun_dir = /tmp\n'
    for c in mon mgr osd; do tuning "$ROOT/components/ceph-$c/component.yaml"; done | sort -u
    printf '[osd]\nbluestore_block_create = true\nbluestore_block_size = 10737418240\n'
} >"$dir/ceph.conf"
docker run --rm --network none --entrypoint monmaptool -v "$dir:/files" "$CEPH" --create --fsid "$fsid" \
    --set-min-mon-release reef "${add[@]}" /files/monmap >/dev/null
chmod -R a+rX "$TMP"
cat >"$dir/pool" <<'END'
import json, subprocess, sys, time
sys.path.insert(0, "/usr/lib/slipway-ceph")
import slipway_ceph as s
hosts = sys.argv[1:]
s.OPTIONS["keyring"] = "/files/keyring"
c = s.Cluster("client.admin", addresses=hosts).wait(60, "pool")
c.mon({"prefix": "osd crush rule create-replicated", "name": "r", "root": "default", "type": "osd"})
c.mon({"prefix": "osd pool create", "pool": "volumes", "pg_num": 8, "pgp_num": 8, "size": 2, "rule": "r",
       "autoscale_mode": "off"})
while c.mon_json("osd stat")["num_up_osds"] < 1:
    time.sleep(0.1)
subprocess.run(["rbd", "pool", "init", "volumes"], check=True)
while True:
    g = c.mon_json("pg stat").get("pg_summary", {})
    if g.get("num_pgs") == 8 and [x["name"] for x in g["num_pg_by_state"]] == ["active+clean"]:
        break
    time.sleep(0.1)
END

# ---- the clock runs
run() { # NAME ADDRESS SCRIPT
    docker run -d --name "$P-$1" --hostname "$1" --network "$P" --ip "$SUBNET.$2" -v "$P-$1:/data" -v "$dir:/files:ro" \
        -e CEPH_CONF=/files/ceph.conf --tmpfs /tmp --entrypoint sh "${4:-$CEPH}" -ec "$3" >/dev/null
}
begin=$(now_us)
docker network create --subnet "$SUBNET.0/24" "$P" >/dev/null
run etcd 11 "exec etcd --data-dir /data/etcd --listen-client-urls http://0.0.0.0:2379 \
    --advertise-client-urls http://$SUBNET.11:2379" "$ETCD" &
for ((i = 1; i <= MONS; i++)); do
    # shellcheck disable=SC2016
    run "m$i" "2$i" 'h=$(hostname); install -d -o ceph -g ceph /data/mon
        ceph-mon --mkfs -i "$h" --mon-data /data/mon --keyring /files/keyring --monmap /files/monmap \
            --setuser ceph --setgroup ceph
        exec ceph-mon -f -i "$h" --mon-data /data/mon --keyring /files/keyring --setuser ceph --setgroup ceph' &
done
for ((i = 1; i <= OSDS; i++)); do
    run "o$i" "4$i" "install -d -o ceph -g ceph /data/osd
        ceph-osd --mkfs -i $i --osd-data /data/osd --osd-uuid $(cat /proc/sys/kernel/random/uuid) --no-mon-config \
            --setuser ceph --setgroup ceph --bdev-aio-poll-ms=10 --bluestore-fsck-on-mkfs=false
        exec ceph-osd -f -i $i --osd-data /data/osd --setuser ceph --setgroup ceph" &
done
run x 31 'install -d -o ceph -g ceph /tmp/mgr
    exec ceph-mgr -f -i x --mgr-data /tmp/mgr --setuser ceph --setgroup ceph' &
wait
addresses=()
for ((i = 1; i <= MONS; i++)); do addresses+=("$SUBNET.2$i"); done
timeout 120 docker exec "$P-m1" python3 -IS /files/pool "${addresses[@]}" >/dev/null || {
    docker logs "$P-o1" 2>&1 | tail -n 5 >&2
    echo "the bare cluster did not get clean" >&2
    exit 1
}
end=$(now_us)

seconds=$(awk -v us=$((end - begin)) 'BEGIN { printf "%.2f", us / 1000000 }')
if [ "${1:-}" = --seconds ]; then
    echo "$seconds"
else
    table
    row "bare docker run of the demo's engines" "$seconds" s
fi
