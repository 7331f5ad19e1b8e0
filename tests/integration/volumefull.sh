#!/bin/bash
# SPDX-License-Identifier: MIT
# OSDs that get full, by Ceph's own ratio and not by a quota, while writers write through the three drivers: writes
# wait, everything says why and what to do, volumes can be let go of and deleted, and writes go on when there is space.
# The manager is upgraded meanwhile: what was wrong before is not a reason to go back.
# about 265 s
set -eu
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../environment.sh"
. "$(dirname "$0")/../writers.sh"

needs "full OSDs" jq python3 iscsi-ls
export VOLUME_IO_PATIENCE=300
environment vfull
three_drivers 1 1
sed -i 's/^  ceph-osd: .*/  ceph-osd: {instances: 3, config: {size: 1GiB}}/' "$file"
volumes=(vq vi vf)
declare -A driver=([vq]=qemu [vi]=iscsi [vf]=fuse)
mon() { docker exec "$env-ceph-mon-1" "$@"; }
further() { [ "$(said "$1" writes)" -gt $((before + 40)) ]; }
goes_on() { before=$(said "$2" writes) && check "$1" wait_until 90 further "$2"; }
halted() {
    local a b
    a=$(said "$1" writes)
    sleep 1
    b=$(said "$1" writes)
    [ "$a" = "$b" ]
}
healthy() { slip status --json | jq -e .healthy; }
# ratios NEARFULL BACKFILLFULL FULL
ratios() {
    mon ceph osd set-nearfull-ratio "$1"
    mon ceph osd set-backfillfull-ratio "$2"
    mon ceph osd set-full-ratio "$3"
} >/dev/null 2>&1
# upgrade NAME: the manager's container is replaced.
upgrade() {
    local old new
    old=$(docker inspect -f '{{.Id}}' "$env-ceph-mgr-1")
    check_status "$1: the manager is replaced" 0 "$SLIPWAY" -e "$env" -f "$file" up
    new=$(docker inspect -f '{{.Id}}' "$env-ceph-mgr-1")
    check "$1: and stays so" test "$old" != "$new"
    check_has "$1: up says that it is no better than before" \
        "$(cat "$TMP/out" "$TMP/err")" "ceph-mgr-1 runs as asked and is no better than before"
    check_has "$1: and why" "$(cat "$TMP/out" "$TMP/err")" "$2"
}

check_status "up starts a cluster of small OSDs" 0 slip -f "$file" up
chap_login
for v in "${volumes[@]}"; do
    check_status "a volume for ${driver[$v]}" 0 slip volume create "$v" --size 64MiB --attach "${driver[$v]}"
    start_writer "$v"
    goes_on "is written" "$v"
done

# ---- full --------------------------------------------------------------------------------------------
check_status "a volume that takes space, and one that takes the rest" 0 slip volume create spare ballast --size 256MiB \
    --attach fuse
dd if=/dev/urandom of="/var/lib/slipway/$env/volumedriver-fuse-1/spare" bs=1M count=128 conv=notrunc,fsync status=none
check_status "the first is let go of" 0 slip volume detach spare
ratios 0.16 0.18 0.20
dd if=/dev/urandom of="/var/lib/slipway/$env/volumedriver-fuse-1/ballast" bs=1M count=256 conv=notrunc,fsync \
    status=none &
filler=$!
is_full() { slip status 2>&1 | grep -F "pool volumes is full: an OSD has no space left"; }
check "the OSDs get full, and status says so" wait_until 60 is_full
check_has "with what to do" "$(slip status 2>&1)" "delete volumes or snapshots, add OSDs, or enlarge them"
for v in "${volumes[@]}"; do check "writes through ${driver[$v]} wait" wait_until 20 halted "$v"; done
check_has "volume list says so" "$(slip volume list)" "pool volumes is full"
check_has "volume show says so" "$(slip volume show vq)" "problem    pool volumes is full"
slip check --json >"$TMP/check.json" 2>/dev/null || true
check "check says so, with what to do" jq -e \
    '.results[] | select(.code == "osd.space" and .result == "FAILED") | .advice | test("enlarge")' \
    "$TMP/check.json"
is_well() { slip status --json | jq -e --arg i "$1" '.instances[] | select(.instance == $i) | .health == "healthy"'; }
for v in "${volumes[@]}"; do check "the ${driver[$v]} driver is well meanwhile" is_well \
    "volumedriver-${driver[$v]}-1"; done
begin=$SECONDS
check_status "a volume that needs space now" 5 slip volume create more --size 16MiB
check_has "is refused" "$(cat "$TMP/err")" "No space left"
echo "# within $((SECONDS - begin)) s"
sed -i 's/^  ceph-mgr:$/  ceph-mgr:\n    ssh: true/' "$file"
upgrade "while the pool is full" "pool volumes is full"

# ---- space again -------------------------------------------------------------------------------------
check_status "a volume with writes that wait is let go of" 0 slip volume detach ballast --force
check_not "whoever wrote gets an error" wait "$filler"
check_not "its file is gone" test -e "/var/lib/slipway/$env/volumedriver-fuse-1/ballast"
check "the driver is well with the others" is_well volumedriver-fuse-1
check_status "another is deleted" 0 slip volume delete --yes spare
for v in "${volumes[@]}"; do
    goes_on "${driver[$v]} goes on writing" "$v"
    check_same "without an error" 0 "$(said "$v" errors)"
done
check_status "the volume that was let go of is served again" 0 slip volume attach ballast --to fuse
check "and written" dd if=/dev/urandom of="/var/lib/slipway/$env/volumedriver-fuse-1/ballast" bs=1M count=2 \
    conv=notrunc,fsync status=none
check_status "it grows" 0 slip volume resize ballast 260MiB
check_same "as its file does" 272629760 "$(stat -c %s "/var/lib/slipway/$env/volumedriver-fuse-1/ballast")"
check_status "it is detached" 0 slip volume detach ballast
check_status "and deleted" 0 slip volume delete --yes ballast
ratios 0.85 0.90 0.95
check "all is well again" wait_until 60 healthy

# ---- the OSDs grow -----------------------------------------------------------------------------------
used=$(mon ceph osd df -f json 2>/dev/null | jq '[.nodes[].utilization] | min / 100 - 0.003')
ratios "$(jq -n "$used - 0.004")" "$(jq -n "$used - 0.002")" "$used"
check "they are full again" wait_until 60 is_full
check "writes wait" wait_until 20 halted vq
check_status "they grow" 0 slip config set ceph-osd size 4GiB
sed -i "/^  ceph-osd:/s/1GiB/4GiB/" "$file" # which does not shrink either
for v in "${volumes[@]}"; do goes_on "${driver[$v]} goes on writing" "$v"; done
ratios 0.85 0.90 0.95
check "all is well again" wait_until 60 healthy

# ---- an image that is gone ---------------------------------------------------------------------------
check_status "a volume" 0 slip volume create lost --size 16MiB
check "is deleted behind our back" mon rbd rm --no-progress volumes/lost
lost="volume lost: its image volumes/lost is gone"
unhealthy() { slip status 2>&1 | grep -qF "$lost"; }
check "status says so" wait_until 30 unhealthy
sed -i '/^    ssh: true$/d' "$file"
upgrade "with an image gone" "$lost"
old=$(docker inspect -f '{{.Id}}' "$env-ceph-mgr-1")
cp "$file" "$TMP/good.yaml"
sed -i 's/^  ceph-mgr:$/  ceph-mgr:\n    ssh: true/; s/^        cold: .*/        cold: {kind: square}/' "$file"
check_status "a change that breaks something else" 3 slip -f "$file" up
check_has "is told" "$(cat "$TMP/err")" "pool cold: kind is 'square'"
check_same "and goes back to the manager from before" "$old" "$(docker inspect -f '{{.Id}}' "$env-ceph-mgr-1")"
cp "$TMP/good.yaml" "$file"
check_status "the document from before, with the image still gone" 3 "$SLIPWAY" -q -e "$env" -f "$file" up
check_status "the lost volume is deleted" 0 slip volume delete --yes lost
check "all is well then" wait_until 60 healthy

for v in "${volumes[@]}"; do stop_writer \
    "every flushed write through ${driver[$v]} is there: $(said "$v" writes) writes" "$v"; done
check_status "down" 0 slip down --volumes --yes
finish
