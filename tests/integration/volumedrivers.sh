#!/bin/bash
# SPDX-License-Identifier: MIT
# The iSCSI and FUSE drivers on a real storage cluster: data written from outside, clients that stay connected, kill -9.
# The QEMU driver is tried by volumes.sh.
set -eu
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../environment.sh"

needs "drivers" jq

environment drivers
iscsi=$env-volumedriver-iscsi-1 fuse=$env-volumedriver-fuse-1
shown=/var/lib/slipway/$env/volumedriver-fuse-1
components <<EOF
etcd: {instances: 1}
ceph-mon: {instances: 1}
ceph-mgr: {instances: 1, config: {volumes: {block: {size: 64MiB}, file: {size: 64MiB}}}}
ceph-osd: {instances: 2}
volumedriver-iscsi: {instances: 1}
volumedriver-qemu: {instances: 1}
volumedriver-fuse: {instances: 1, ssh: true}
EOF
logged() { docker logs "$1" 2>&1 | grep -qF "$2"; }
hook() { docker exec "$1" /usr/lib/slipway/slipway-agent hook "$2"; }
is_size() { [ "$(stat -c %s "$shown/file" 2>/dev/null)" = "$1" ]; }

check_status "up starts a cluster with both drivers" 0 slip -f "$file" up

check_status "a volume for the FUSE driver" 0 slip config set volumedriver-fuse volumes '{"file":{}}'
check "is a file of the host" wait_until 20 is_size $((64 << 20))
head -c 1M /dev/urandom >"$TMP/data"
check "that can be written" dd if="$TMP/data" of="$shown/file" bs=1M seek=5 conv=notrunc,fsync
exec 7<"$shown/file"
check_status "detaching while the host has it open" 0 slip config set volumedriver-fuse volumes '{}'
check "is refused" wait_until 20 logged "$fuse" "volume file: in use"
exec 7<&-
check_status "so it stays" 0 slip config set volumedriver-fuse volumes '{"file":{}}'
pid=$(docker top "$fuse" -eo pid,args | awk '/qemu-storage-daemon --chardev/ { print $1; exit }')
kill -9 "$pid"
same() { dd if="$shown/file" bs=1M skip=5 count=1 status=none | cmp -s - "$TMP/data"; }
check "after kill -9 it comes back with its data" wait_until 40 same
tr '\0' '\245' </dev/zero | head -c 1M >"$TMP/pattern"
check "a pattern" dd if="$TMP/pattern" of="$shown/file" bs=1M seek=9 conv=notrunc,fsync
check_has "hook check writes through a file" "$(hook "$fuse" check)" SUCCESS
# What a program that got into the driver can reach of the host. As one of its daemons: `docker exec` would have more.
inside() { slip ssh -i volumedriver-fuse-1 python3 -IS - <"$ROOT/tests/integration/rights_inside.py"; }
inside >"$TMP/inside" 2>&1 || true
check_same "nothing leads from the driver to the host" "" "$(grep POSSIBLE "$TMP/inside" || true)"
check_has "all was tried" "$(cat "$TMP/inside")" "0 possible"
check_has "one process has the capability" "$(cat "$TMP/inside")" "found: 1 with the capability"
check_not "it cannot make a device, which only a driver of Docker has to" grep -q '"MKNOD"' \
    <<<"$(docker inspect --format '{{json .HostConfig.CapAdd}}' "$fuse" | sed 's/CAP_//g')"
check "the volume is served all the same" same
# Of the others with all rights of the container.
for name in ceph-mon-1 ceph-mgr-1 ceph-osd-1 volumedriver-iscsi-1 volumedriver-qemu-1; do
    docker exec -i "$env-$name" python3 -IS - <"$ROOT/tests/integration/rights_inside.py" >"$TMP/inside" 2>&1 || true
    check_same "nothing leads from $name to the host" "0 possible" "$(grep -i possible "$TMP/inside")"
    check_has "which has no right to mount" "$(cat "$TMP/inside")" "found: 0 with the capability"
done
bounds() { docker exec "$env-$1" grep CapBnd /proc/1/status; }
check_same "etcd, which has no Python to try it, has no more" "$(bounds ceph-mon-1)" "$(bounds etcd-1)"
check "and nothing of the host" jq -e '.reach | .host == [] and .devices == [] and .capabilities == []' \
    <<<"$(slip show etcd-1 --json)"
check "the agent keeps what it needs without etcd" docker exec "$fuse" test -s /var/lib/slipway/snapshot.json
check_status "detaching it when nobody has it open" 0 slip config set volumedriver-fuse volumes '{}'
check "takes the file away" wait_until 20 test ! -e "$shown/file"
(umask 077 && slip exec volumedriver-fuse-1 cat /run/slipway/secrets/rbd >"$TMP/key")
address=$(docker inspect --format '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}' "$env-ceph-mon-1")
check "the storage has it, seen by libslipway-volume" env VOLLIB_MONITORS="$address" VOLLIB_KEY_FILE="$TMP/key" \
    timeout 120 "$B/integration/vollib_driver" check file 0xa5 $((9 << 20)) $((1 << 20))

check_status "a volume for the iSCSI driver" 0 slip config set volumedriver-iscsi volumes '{"block":{}}'
check "has a target" wait_until 20 logged "$iscsi" "serving volume block"
check_has "hook check finds the portal" "$(hook "$iscsi" check)" SUCCESS
check_status "an image that is not there" 0 slip config set volumedriver-iscsi volumes.nothing '{}'
check "is said" wait_until 20 logged "$iscsi" "volume nothing: there is no image volumes/nothing"
check_status "a volume that another driver has" 0 slip config set volumedriver-fuse volumes '{"block":{}}'
check "is refused" wait_until 20 logged "$fuse" "volume block: in use by volumedriver-iscsi-1"
{ cat "$B/slipway-agent" && echo changed; } >"$TMP/agent"
chmod 755 "$TMP/agent"
check_status "another agent for a container whose files nobody may change" 0 \
    slip agent deploy --json --from "$TMP/agent" --on volumedriver-fuse
check "works there" jq -e '.results | length == 1 and all(.[]; .ok and .result == "works")' "$TMP/out"
check_hasnt "no password is in an argument list" "$(docker top "$iscsi" -eo pid,args)" \
    "$(docker exec "$iscsi" cat /run/slipway/secrets/chap)"
finish
