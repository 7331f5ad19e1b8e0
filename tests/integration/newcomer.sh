#!/bin/bash
# SPDX-License-Identifier: MIT
# What README.md has a newcomer do with the demo, in an environment of its own: a file system on a volume of each
# driver, a QEMU that boots from a volume and writes to it, the plug pulled on one container of each kind, the data
# looked for.
# about 160 s
set -eu
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../environment.sh"

needs "newcomer" jq qemu-img qemu-io qemu-storage-daemon qemu-system-x86_64 mke2fs
[ -c /dev/fuse ] || { skip "newcomer" "no /dev/fuse"; finish; }
"$ROOT/scripts/host/make-guest" "$TMP/busy.img" stay >"$TMP/out" 2>&1 ||
    { skip "newcomer" "$(tail -n 1 "$TMP/out")"; finish; }

environment newcomer
dir=/var/lib/slipway/$env
nbd="nbd+unix:///vm?socket=$dir/volumedriver-qemu-1/nbd.sock"
on_exit 'kill -9 $(cat "$TMP/qemu.pid"); kill $guest $(cat "$TMP/shown.pid"); umount -l "$TMP/mnt"'
guest=''
sed "s/^name: .*/name: $env/" "$ROOT/components/demo.yaml" >"$file"

check_status "up starts the demo" 0 "$SLIPWAY" -q -f "$file" up
for v in vm lun file; do check "volume $v is served" jq -e '.attached[0].use[0].line' <(slip volume show "$v" --json); \
    done

# ---- slipway check ---------------------------------------------------------------------------------
checks() { slip check --json "$@" >"$TMP/check.json" 2>"$TMP/check.err"; }
says() { jq -e --arg c "$1" --argjson n "$2" \
    '[.results[] | select(.code == $c and .result == "SUCCESS")] | length == $n' "$TMP/check.json"; }
names() { slip volume list --json | jq -r '.[].name' | sort | paste -sd ' '; }
check "check is green" checks
check "it wrote through all three drivers" says volumes.write 3
check "and compared after each of three moves" says volumes.move 3
check_same "it leaves no volume" "file lun vm" "$(names)"
check_same "and no image" "file lun vm" \
    "$(docker exec "$env-ceph-mon-1" rbd ls volumes 2>/dev/null | sort | paste -sd ' ')"
check_status "nothing is left to do" 0 "$SLIPWAY" -q -f "$file" plan
"$SLIPWAY" -q -e "$env" check volumes >"$TMP/out" 2>&1 &
pid=$!
under_way() { slip volume list | grep -q slipway-check-; }
check "a check that is under way" wait_until 30 under_way
kill -INT "$pid" || true
status=0
wait "$pid" || status=$?
check_same "and is interrupted says so" 130 "$status"
check_same "and leaves no volume" "file lun vm" "$(names)"
check_status "what a killed check left" 0 slip volume create slipway-check-1000000000-1 --size 1MiB --attach fuse
checks volumes || true
check "goes with the next one" says volumes.write 3
check_same "with its volume" "file lun vm" "$(names)"

# ---- a file system on a volume of each driver --------------------------------------------------------
# A container that starts at this moment has a copy of all mounts for a while: the file system lives on in it.
released() { test -z "$(losetup -j "$1")"; }
# format NAME DEVICE: the same steps for each.
mkdir "$TMP/mnt"
format() {
    check "$1: mkfs.ext4" mke2fs -q -t ext4 -F -E lazy_journal_init=1 "$2" # tgt writes zeroes block by block
    if mount -o loop "$2" "$TMP/mnt" 2>"$TMP/err"; then
        head -c 5000000 /dev/urandom >"$TMP/mnt/data"
        sha256sum <"$TMP/mnt/data" >"$TMP/sum.$1"
        check "$1: umount" umount "$TMP/mnt"
        check "$1: nothing holds it any more" wait_until 60 released "$2"
        clean "$1" "$2"
    else
        skip "$1: mount" "$(cat "$TMP/err")"
    fi
}
# clean NAME DEVICE: an unmounted file system has an empty journal; else a write got lost, and the kernel may know why.
clean() {
    local features
    features=$(dumpe2fs -h "$2" 2>&1 | grep '^Filesystem features')
    case ${features:-none} in
    none | *needs_recovery*) not_ok "$1: the file system is clean" "$features
$(cat "$TMP/shown.err" 2>/dev/null)
$(dmesg -T 2>/dev/null | grep -E 'loop|EXT4|I/O error' | tail -n 20)" ;;
    *) ok "$1: the file system is clean" ;;
    esac
}
verify() {
    [ -f "$TMP/sum.$1" ] || return 0
    clean "$1" "$2"
    check "$1: the file system mounts" mount -o loop,ro "$2" "$TMP/mnt"
    check_same "$1: with the data" "$(cat "$TMP/sum.$1")" "$(sha256sum <"$TMP/mnt/data")"
    umount "$TMP/mnt"
}
# show FILE BLOCKDEV...: a volume of another protocol as a file, by qemu-storage-daemon on this machine.
show() {
    local path=$1
    shift
    : >"$path"
    qemu-storage-daemon "$@" --export "type=fuse,id=f,node-name=v,mountpoint=$path,writable=on" \
        --daemonize --pidfile "$TMP/shown.pid" >/dev/null 2>"$TMP/shown.err" || { cat "$TMP/shown.err"; return 1; }
    test -s "$path"
}
is_gone() { ! kill -0 "$1"; }
unshow() {
    local pid
    pid=$(cat "$TMP/shown.pid")
    kill "$pid"
    wait_until 20 is_gone "$pid" || true
    # That of Debian 12 may leave its mount behind.
    umount -l "$TMP/vm" "$TMP/lun" 2>/dev/null || true
    rm -f "$TMP/shown.pid"
}
show_vm() { show "$TMP/vm" --blockdev \
    "driver=nbd,node-name=v,server.type=unix,server.path=$dir/volumedriver-qemu-1/nbd.sock,export=vm"; }
show_lun() {
    slip exec -T volumedriver-iscsi-1 -- cat /run/slipway/secrets/chap | tr -d '\n' >"$TMP/chap"
    portal=$(slip volume show lun --json | jq -r '.attached[0].use[].line' |
        sed -n 's/.*iscsi:\/\/[^@]*@\([^/]*\)\/iqn.*/\1/p' | head -n 1)
    show "$TMP/lun" --object "secret,id=chap,file=$TMP/chap" \
        --blockdev "driver=iscsi,node-name=v,transport=tcp,portal=$portal,\
target=iqn.2024-01.io.slipway:$env.lun,lun=1,user=slipway,password-secret=chap"
}

format file "$dir/volumedriver-fuse-1/file"
check "the QEMU driver's volume as a file of this machine" show_vm
format vm "$TMP/vm"
unshow
check "the iSCSI driver's volume as a file of this machine" show_lun
format lun "$TMP/lun"
unshow

# ---- the plug --------------------------------------------------------------------------------------------
check_status "the controller pauses" 0 slip pause
for i in ceph-mon-2 ceph-osd-1 volumedriver-fuse-1 volumedriver-iscsi-1; do
    docker kill "$env-$i" >/dev/null
done
check_status "check finds what is missing" 5 slip check instances
check_status "up starts it again" 0 "$SLIPWAY" -q -f "$file" up
check_status "the controller goes on" 0 slip resume
green() { checks && jq -e 'all(.results[]; .result == "SUCCESS")' "$TMP/check.json"; }
if wait_until 120 green; then ok "check is green again"; else not_ok "check is green again" \
    "$(slip check 2>&1 | grep -v ^SUCCESS)"; fi
verify file "$dir/volumedriver-fuse-1/file"
check "the QEMU driver's volume again" show_vm
verify vm "$TMP/vm"
unshow
check "the iSCSI driver's volume again" show_lun
verify lun "$TMP/lun"
unshow

# ---- a guest --------------------------------------------------------------------------------------------
# boot SECONDS OPTION...: QEMU without hardware help; what its serial port said is in $TMP/serial.
boot() {
    local limit=$1
    shift
    timeout "$limit" qemu-system-x86_64 -machine accel=tcg -m 256 -display none -monitor none -serial \
        "file:$TMP/serial" -no-reboot \
        -pidfile "$TMP/qemu.pid" "$@"
}
# The plug of the guest: nothing of it runs afterwards.
unplug() {
    kill -9 "$(cat "$TMP/qemu.pid")"
    wait "$guest" || true
    guest=''
}
# A guest that writes and never stops: the plug is pulled on its driver under it, then on the guest itself.
check "a guest that goes on writing" qemu-img convert -n -f raw -O raw "$TMP/busy.img" "$nbd"
boot 600 -drive "file=$nbd,format=raw,if=virtio,cache=none" &
guest=$!
wrote() { grep -q "wrote boot $1 line $2" "$TMP/serial"; }
check "it writes" wait_until 200 wrote 1 10
# The guest uses sync(2), which tells no error: what it says after the kill proves nothing.
last=$(grep -o 'wrote boot 1 line [0-9]*' "$TMP/serial" | tail -n 1 | grep -o '[0-9]*$')
docker kill "$env-volumedriver-qemu-1" "$env-ceph-osd-2" >/dev/null
unplug
check_status "up starts driver and OSD again" 0 "$SLIPWAY" -q -f "$file" up
boot 600 -drive "file=$nbd,format=raw,if=virtio,cache=none" &
guest=$!
check "the guest boots again" wait_until 200 wrote 2 1
unplug
found=$(sed -n 's/.*boot 2 from the volume; \([0-9]*\) lines found.*/\1/p' "$TMP/serial")
check "every line that was written before the plug was pulled is there ($last written, $found found)" test \
    "${found:-0}" -ge "$last"
qemu-img convert -O raw "$nbd" "$TMP/after.img" || true
check "the marker is on the volume" grep -qa "boot 2 line 1" "$TMP/after.img"

check_status "down" 0 slip down --volumes --yes
check_same "leaves nothing" "" "$(docker ps -aq --filter "label=slipway.name=$env"; ls "$dir" 2>/dev/null || true)"
finish
