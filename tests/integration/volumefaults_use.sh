#!/bin/bash
# SPDX-License-Identifier: MIT
# What people do to volumes that they should not, and what drivers must refuse or survive: detaching what is in use, taking over
# from a driver that sleeps, writing to what is read-only, a pool that gets full, an image that somebody deletes, a thousand
# snapshots, names and sizes out of range. Through all three drivers, with data compared.
set -eu
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../environment.sh"
. "$(dirname "$0")/../writers.sh"

needs "volume use" jq python3 iscsi-ls qemu-io qemu-img
environment vuse
three_drivers 1 1
mon() { docker exec "$env-ceph-mon-1" "$@"; }
further() { [ "$(said "$1" writes)" -gt $((before + 40)) ]; }
goes_on() { before=$(said "$2" writes) && check "$1" wait_until 60 further "$2"; }
drivers=(qemu iscsi fuse)
declare -A next=([qemu]=iscsi [iscsi]=fuse [fuse]=qemu)

check_status "up brings a cluster with three drivers about" 0 slip -f "$file" up
chap_login

# ---- names and sizes ---------------------------------------------------------------------------------
check_status "two names, a size and a pool that cannot be" 6 slip volume create 'a b' ok .hidden --size 65TiB --pool nowhere
for words in '"a b": a name is' '".hidden": a name is' 'size 65TiB: 1MiB to 64TiB' 'there is no pool nowhere'; do
    check_has "are all said at once" "$(cat "$TMP/err")" "$words"
done
for size in 0 1 512KiB -1GiB 1.5MiB 10XB 1048577 99999999999999999999GiB ''; do
    check_status "size '$size' is refused" 6 slip volume create ok --size "$size"
done
check_status "64 letters are too many" 6 slip volume create "$(printf 'x%.0s' $(seq 64))" --size 1MiB
check_same "nothing of it was made" "[]" "$(slip volume list --json | jq -c .)"
check_status "63 letters are not" 0 slip volume create "$(printf 'x%.0s' $(seq 63))" --size 1MiB
check_status "and they go again" 0 slip volume delete "$(printf 'x%.0s' $(seq 63))"

# ---- in use: detach, force; the driver sleeps: take-over ---------------------------------------------
for d in "${drivers[@]}"; do
    check_status "a volume for $d" 0 slip volume create "v$d" --size 64MiB --data-pool cold --attach "$d"
    start_writer "v$d"
    goes_on "is written" "v$d"
    says "detaching it from $d while it is in use" 5 "in use" slip volume detach "v$d"
    goes_on "is refused, and the writer goes on" "v$d"
    check_status "--force detaches it" 0 slip volume detach "v$d" --force
    kill -9 "${writer[v$d]}"
    wait "${writer[v$d]}" 2>/dev/null || true
    check_status "it is attached to ${next[$d]}" 0 slip volume attach "v$d" --to "${next[$d]}"
    check "with every flushed write" same "v$d"
done
# Now qemu's is at iscsi, iscsi's at fuse, fuse's at qemu.
for d in "${drivers[@]}"; do
    from=volumedriver-${next[$d]}-1 to=${next[${next[$d]}]}
    start_writer "v$d"
    goes_on "a writer through ${next[$d]}" "v$d"
    docker pause "$env-$from" >/dev/null
    begin=$(date +%s%3N)
    check_status "whose driver falls asleep; $to takes v$d over" 0 slip volume move "v$d" --to "$to" --force
    took=$(($(date +%s%3N) - begin))
    kill -9 "${writer[v$d]}" # which the kernel does when the sleeping driver has answered
    check "after $took ms with every flushed write" same "v$d"
    start_writer "v$d"
    goes_on "and a new writer" "v$d"
    docker unpause "$env-$from" >/dev/null
    goes_on "which goes on when the old driver wakes" "v$d"
    stop_writer "and nothing of the old one arrived" "v$d"
    is_gone() { slip status --json | jq -e --arg i "$from" '.instances[] | select(.instance == $i) | .state == "ready" and .health == "healthy" and .config.current'; }
    check "the old driver has let go" wait_until 60 is_gone
done

# ---- read-only, templates ----------------------------------------------------------------------------
# Where they are: vqemu at fuse, viscsi at qemu, vfuse at iscsi.
check_status "detached" 0 slip volume detach vqemu viscsi vfuse
for d in "${drivers[@]}"; do check_status "read-only for $d" 0 slip volume attach vqemu --to "$d" --read-only; done
for d in "${drivers[@]}"; do
    check "vqemu is read through $d" same vqemu "volumedriver-$d-1"
    check_not "and not written" timeout 20 python3 - "$io" "$(of_volume vqemu "volumedriver-$d-1")" <<'END'
import runpy, sys
io, url = sys.argv[1:]
sys.argv = [io, "none", url, ""]
device = runpy.run_path(io, run_name="io")["connect"](url)
try:
    device.write(0, bytes(4096))
    device.flush()
except OSError:
    sys.exit(1)
END
done
says "a writer beside readers is refused" 1 "one writer" slip volume attach vqemu --to qemu
for d in "${drivers[@]}"; do check_status "detached from $d" 0 slip volume detach vqemu --from "volumedriver-$d-1"; done
check_status "a template" 0 slip volume template vqemu
says "is not attached for writing" 1 "is a template" slip volume attach vqemu --to fuse
for d in "${drivers[@]}"; do
    check_status "a volume from it for $d" 0 slip volume create "c$d" --from vqemu --attach "$d"
    cp "$TMP/vqemu.state" "$TMP/c$d.state"
    check "has its data" same "c$d"
    start_writer "c$d"
    goes_on "and is written" "c$d"
    stop_writer "and keeps that" "c$d"
done
says "a template with copies stays" 1 "has the clone" slip volume delete vqemu --force
check_status "the template is read" 0 slip volume attach vqemu --to fuse --read-only
check "and has not changed" same vqemu
check_status "the copies go" 0 slip volume detach cqemu ciscsi cfuse vqemu
check_status "with the template" 0 slip volume delete cqemu ciscsi cfuse
check_status "at last" 0 slip volume delete vqemu --force

# ---- an image that somebody deletes ------------------------------------------------------------------
check_status "viscsi is attached" 0 slip volume attach viscsi --to iscsi
rm_image() { mon rbd rm --no-progress "volumes/$1"; }
check_not "Ceph itself keeps an image that is in use" rm_image viscsi
check_status "detached" 0 slip volume detach viscsi
check "deleted behind our back" rm_image viscsi
gone="volume viscsi: its image volumes/viscsi is gone"
unhealthy() { slip status 2>&1 | grep -qF "$gone"; }
check "status says so" wait_until 30 unhealthy
check_has "volume show says so" "$(slip volume show viscsi)" "$gone"
check_has "volume list says so" "$(slip volume list)" "$gone"
says "it is not attached" 5 "there is no image volumes/viscsi" slip volume attach viscsi --to qemu
says "a snapshot of it is refused" 5 "its image volumes/viscsi is gone" slip volume snapshot viscsi now
check_not "and it is not made anew, empty" mon rbd info volumes/viscsi
check_status "other volumes are made" 0 slip volume create other --size 64MiB
check_status "it is deleted" 0 slip volume delete viscsi
rm "$TMP/viscsi.state"
check_status "and created again" 0 slip volume create viscsi --size 64MiB --attach iscsi
healthy() { slip status --json | jq -e .healthy; }
check "all is well then" wait_until 30 healthy

# ---- a full pool -------------------------------------------------------------------------------------
check_status "a pool with a quota of 32 MiB" 0 slip pool create small --size 2 --quota 32MiB
check_status "a volume that is larger" 0 slip volume create wide --size 64MiB --pool small --attach fuse
check_status "and three that are not written" 0 slip volume create nqemu niscsi nfuse --size 64MiB --pool small
start_writer wide
goes_on "is written" wide
check_status "another one" 0 slip volume create deep --size 64MiB --pool small --attach qemu
start_writer deep # until the pool is full, which it may be by these two
# In the background: what comes after the pool is full waits too.
docker exec -d "$env-ceph-mon-1" timeout 600 sh -c 'head -c 48M /dev/zero >/tmp/f && rados -p small put fill /tmp/f'
is_full() { slip status 2>&1 | grep -F "pool small is full: its quota of 32 MiB"; }
check "the pool gets full, and status says so" wait_until 40 is_full
check_has "volume show says so" "$(slip volume show wide)" "problem    pool small is full"
check_hasnt "and of other volumes nothing" "$(slip volume show viscsi)" problem
halted() { local a b; a=$(said "$1" writes); sleep 1; b=$(said "$1" writes); [ "$a" = "$b" ]; }
check "writes wait" wait_until 20 halted wide
start_writer viscsi
goes_on "volumes in other pools are written" viscsi
says "detaching what waits is refused" 5 "pool small is full: its quota of 32 MiB" slip volume detach wide
check_hasnt "not for want of an answer" "$(cat "$TMP/err")" "in time"
says "so is moving it" 5 "pool small is full: its quota of 32 MiB" slip volume move wide --to qemu
check "and through the other driver" wait_until 20 halted deep
says "one daemon serves all volumes of the QEMU driver, and is asked for no change" 5 "writes to deep wait" slip volume attach nqemu --to qemu
check_has "because the pool is full" "$(cat "$TMP/err")" "pool small is full: its quota of 32 MiB"
check_status "until it may let go of that one by force" 0 slip volume detach deep --force
kill -9 "${writer[deep]}"
wait "${writer[deep]}" 2>/dev/null || true
check_status "which is deleted" 0 slip volume delete deep
for d in "${drivers[@]}"; do
    check_status "a volume of the full pool is attached to $d" 0 slip volume attach "n$d" --to "$d"
    check_status "and moves to ${next[$d]}" 0 slip volume move "n$d" --to "${next[$d]}"
    check_status "or is taken over" 0 slip volume move "n$d" --to "$d" --force
    check_status "is detached" 0 slip volume detach "n$d"
    check_status "and deleted" 0 slip volume delete "n$d"
done
halted_still() { [ "$(said wide writes) $(said wide errors)" = "$1 0" ]; }
check "the writer waits as before" halted_still "$(said wide writes)"
check_status "the quota is raised" 0 slip config set ceph-mgr pools.small.quota 1GiB
goes_on "the writer goes on" wide
check_same "it saw no error" 0 "$(said wide errors)"
stop_writer "and all that it wrote is there" wide
stop_writer "beside the other one" viscsi
check "all is well again" wait_until 30 healthy

# ---- smaller ------------------------------------------------------------------------------------------
check_status "a volume with data is made smaller by force" 0 slip volume resize wide 8MiB --force
check_same "and is" $((8 << 20)) "$(stat -c %s "/var/lib/slipway/$env/volumedriver-fuse-1/wide")"
check_same "in the storage too" $((8 << 20)) "$(mon rbd info small/wide --format json | jq .size)"

# ---- a thousand snapshots ----------------------------------------------------------------------------
mapfile -t snapshots < <(seq -f "s%04g" 1000)
begin=$SECONDS
check_status "1,000 snapshots by one command, while it is attached" 0 slip --timeout 5min volume snapshot viscsi "${snapshots[@]}"
echo "# created in $((SECONDS - begin)) s"
check_same "are listed" 1000 "$(slip volume show viscsi --json | jq '.snapshots | length')"
check_same "are in the storage" 1000 "$(mon rbd snap ls volumes/viscsi --format json | jq length)"
check "the data is the same" same viscsi
says "two wrong names among them" 6 'snapshot "a b"' slip volume snapshot viscsi new 'a b' s0001
check_has "are both said" "$(cat "$TMP/err")" "has a snapshot s0001 already"
check_status "a clone of one" 0 slip volume clone viscsi@s0500 half
says "keeps them all" 1 "half" slip volume snapshot viscsi --delete "${snapshots[@]}"
check_status "it goes" 0 slip volume delete half
begin=$SECONDS
check_status "then they are deleted" 0 slip --timeout 5min volume snapshot viscsi --delete "${snapshots[@]}"
echo "# deleted in $((SECONDS - begin)) s"
check_same "all" "null 0" "$(slip volume show viscsi --json | jq -r .snapshots) $(mon rbd snap ls volumes/viscsi --format json | jq length)"
check "the data is the same after it" same viscsi
finish
