#!/bin/bash
# SPDX-License-Identifier: MIT
# What people do to volumes that they should not, and what drivers must refuse or survive: detaching what is in use,
# taking over from a driver that sleeps, writing to what is read-only, a pool that gets full, an image that somebody
# deletes, hundreds of snapshots, names and sizes out of range. Through all three drivers, with data compared.
# about 280 s
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

check_status "up starts a cluster with three drivers" 0 slip -f "$file" up
chap_login

# ---- names and sizes ---------------------------------------------------------------------------------
check_status "two names, a size and a pool that cannot be" 6 slip volume create 'a b' ok .hidden --size 65TiB --pool \
    nowhere
for words in '"a b": a name is' '".hidden": a name is' 'size 65TiB: 1MiB to 64TiB' 'there is no pool nowhere'; do
    check_has "are all said at once" "$(cat "$TMP/err")" "$words"
done
for size in 0 1 512KiB -1GiB 1.5MiB 10XB 1048577 99999999999999999999GiB ''; do
    check_status "size '$size' is refused" 6 slip volume create ok --size "$size"
done
check_status "65 letters are too many" 6 slip volume create "$(printf 'x%.0s' $(seq 65))" --size 1MiB
check_same "nothing of it was made" "[]" "$(slip volume list --json | jq -c .)"
check_status "64 letters are not" 0 slip volume create "$(printf 'x%.0s' $(seq 64))" --size 1MiB
check_status "and they go again" 0 slip volume delete --yes "$(printf 'x%.0s' $(seq 64))"

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
    is_gone() { slip status --json | jq -e --arg i "$from" \
        '.instances[] | select(.instance == $i) | .state == "ready" and .health == "healthy" and .config.current'; }
    check "the old driver has let go" wait_until 60 is_gone
done

# An entry that comes back from before a take-over.
start_writer vqemu # which fuse has
goes_on "a writer through fuse" vqemu
check_status "an old take-over comes back" 0 slip config set volumedriver-iscsi-1 volumes.vqemu '{"take_over":1}'
refused() { docker logs --tail 20 "$env-volumedriver-iscsi-1" 2>&1 |
    grep -F "volume vqemu: volumedriver-fuse-1 took it over after that"; }
check "and is refused" wait_until 20 refused
goes_on "the writer goes on" vqemu
check_status "the entry goes" 0 slip config set volumedriver-iscsi-1 volumes.vqemu '{"absent":true}'
stop_writer "with all that it wrote" vqemu

# ---- vhost-user clients ------------------------------------------------------------------------------
# The kernel lists a socket's clients only in the network that they come from: one is of this machine, one of the
# container.
socket=/var/lib/slipway/$env/volumedriver-qemu-1/viscsi.vhost
started() { docker inspect -f '{{.State.StartedAt}} {{.RestartCount}}' "$env-volumedriver-qemu-1"; }
before_all=$(started)
silent() { # a client that connects and says nothing
    python3 - "$socket" "$TMP/silent" <<'END' &
import socket, sys, time
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
open(sys.argv[2], "w")
time.sleep(100)
END
    silent=$!
    check "a silent client" wait_until 20 test -e "$TMP/silent"
    rm "$TMP/silent"
}
vhost_io() { docker exec -t "$env-volumedriver-qemu-1" qemu-io --image-opts \
    driver=virtio-blk-vhost-user,cache.direct=on,path=/export/viscsi.vhost "$@"; }
vhost_io -c "read 62980096 4k" -c "sleep 8000" -c "write -P 7 62980096 4k" -c "read -P 7 62980096 4k" >"$TMP/vhost" \
    2>&1 &
vhost_client=$!
check "a client of vhost-user" wait_until 20 grep -q "^read 4096" "$TMP/vhost"
says "is not cut off by detaching" 5 "in use by a client of its vhost socket" slip volume detach viscsi
status=0
wait "$vhost_client" || status=$?
check_same "it goes on, reading and writing" "0 3" "$status $(grep -cE '^(read|wrote) 4096/4096' "$TMP/vhost")"
silent
says "nor is one from this machine that is silent" 5 "in use by a client of its vhost socket" slip volume detach viscsi
check_status "it is by force" 0 slip volume detach viscsi --force
kill "$silent"
check_status "attached" 0 slip volume attach viscsi --to qemu
silent
says "it does not change its size under a client" 5 "seen when that has left" slip volume resize viscsi 80MiB
check_status "which is cut off again" 0 slip volume detach viscsi --force
kill "$silent"
check_status "one that was never written since" 0 slip volume attach viscsi --to qemu
check_status "is detached by force" 0 slip volume detach viscsi --force
check_same "the daemon has not been started again" "$before_all" "$(started)"
check_status "attached" 0 slip volume attach viscsi --to qemu
check "with every flushed write" same viscsi

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
device = runpy.run_path(io, run_name="volume_io")["connect"](url)
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
says "a template with copies stays" 1 "has the clone" slip volume delete --yes vqemu --force
check_status "the template is read" 0 slip volume attach vqemu --to fuse --read-only
check "and has not changed" same vqemu
check_status "the copies go" 0 slip volume detach cqemu ciscsi cfuse vqemu
check_status "with the template" 0 slip volume delete --yes cqemu ciscsi cfuse
check_status "at last" 0 slip volume delete --yes vqemu --force

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
check_not "and it is not recreated, empty" mon rbd info volumes/viscsi
check_status "other volumes are made" 0 slip volume create other --size 64MiB
check_status "it is deleted" 0 slip volume delete --yes viscsi
rm "$TMP/viscsi.state"
check_status "and created again" 0 slip volume create viscsi --size 64MiB --attach iscsi
healthy() { slip status --json | jq -e .healthy; }
check "all is well then" wait_until 30 healthy

# ---- a full pool -------------------------------------------------------------------------------------
check_status "a pool with a quota of 32 MiB" 0 slip pool create small --size 2 --quota 32MiB
check_status "a volume that is larger" 0 slip volume create wide --size 64MiB --pool small --attach fuse
check_status "and three that are not written" 0 slip volume create nqemu niscsi nfuse --size 64MiB --pool small
# Before anything is written: in a full pool it could not be made.
check_status "another one" 0 slip volume create deep --size 64MiB --pool small --attach qemu
start_writer wide
goes_on "is written" wide
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
says "one daemon serves all volumes of the QEMU driver, and is asked for no change" 5 "writes to deep wait" slip \
    volume attach nqemu --to qemu
check_has "because the pool is full" "$(cat "$TMP/err")" "pool small is full: its quota of 32 MiB"
check_status "until it may let go of that one by force" 0 slip volume detach deep --force
kill -9 "${writer[deep]}"
wait "${writer[deep]}" 2>/dev/null || true
check_status "which is deleted" 0 slip volume delete --yes deep
for d in "${drivers[@]}"; do
    check_status "a volume of the full pool is attached to $d" 0 slip volume attach "n$d" --to "$d"
    check_status "and moves to ${next[$d]}" 0 slip volume move "n$d" --to "${next[$d]}"
    check_status "or is taken over" 0 slip volume move "n$d" --to "$d" --force
    check_status "is detached" 0 slip volume detach "n$d"
    check_status "and deleted" 0 slip volume delete --yes "n$d"
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
check_status "a volume with data is made smaller by force" 0 slip volume resize wide 8MiB --force --yes
check_same "and is" $((8 << 20)) "$(stat -c %s "/var/lib/slipway/$env/volumedriver-fuse-1/wide")"
check_same "in the storage too" $((8 << 20)) "$(mon rbd info small/wide --format json | jq .size)"

# ---- a driver sleeps, and nothing of it is to be seen any more ----------------------------------------
# Its clients have only read, so it holds no lock; when its watch has run out too, only the address that it left tells
# whom to fence.
sleepers=(vlate vplain)
asleep() { # VOLUME: reads, and writes 0xAA when the file go is there
    python3 - "$io" "$(of_volume "$1")" "$TMP/go" >"$TMP/$1.asleep" 2>&1 <<'END' &
import os, runpy, sys, time
io, url, go = sys.argv[1:]
sys.argv = [io, "none", url, ""]
device = runpy.run_path(io, run_name="volume_io")["connect"](url)
device.read(0, 4096)
print("read", flush=True)
while not os.path.exists(go):
    time.sleep(0.1)
try:
    print("asking", flush=True)
    device.write(0, b"\xaa" * 4096)
    print("written", flush=True)
except OSError as e:
    print("refused", e, flush=True)
END
}
for v in "${sleepers[@]}"; do
    check_status "a volume" 0 slip volume create "$v" --size 16MiB --attach qemu
    asleep "$v"
    check "is read through qemu" wait_until 20 grep -qx read "$TMP/$v.asleep"
done
mapfile -t sleeping_at < <(for v in "${sleepers[@]}"; do mon rbd image-meta get "volumes/$v" \
    slipway.client.volumedriver-qemu-1 | cut -d " " -f 1; done)
check_same "each left its client's address" 2 "${#sleeping_at[@]}"
docker pause "$env-volumedriver-qemu-1" >/dev/null
touch "$TMP/go"
for v in "${sleepers[@]}"; do check "a write is on its way when the driver sleeps" wait_until 20 grep -qx asking \
    "$TMP/$v.asleep"; done
check_status "it does not answer who detaches" 8 slip --timeout 3s volume detach vplain

# ---- hundreds of snapshots, meanwhile -----------------------------------------------------------------
# Far more than one run of the hook makes in its 15 s.
mapfile -t snapshots < <(seq -f "s%04g" 300)
begin=$SECONDS
check_status "300 snapshots by one command, while it is attached" 0 slip --timeout 5min volume snapshot viscsi \
    "${snapshots[@]}"
echo "# created in $((SECONDS - begin)) s"
check_same "are listed" 300 "$(slip volume show viscsi --json | jq '.snapshots | length')"
check_same "are in the storage" 300 "$(mon rbd snap ls volumes/viscsi --format json | jq length)"
check "the data is the same" same viscsi
says "two wrong names among them" 6 'snapshot "a b"' slip volume snapshot viscsi new 'a b' s0001
check_has "are both said" "$(cat "$TMP/err")" "has a snapshot s0001 already"
check_status "a clone of one" 0 slip volume clone viscsi@s0150 half
says "keeps them all" 1 "half" slip volume snapshot viscsi --delete --yes "${snapshots[@]}"
check_status "it goes" 0 slip volume delete --yes half
begin=$SECONDS
check_status "then they are deleted" 0 slip --timeout 5min volume snapshot viscsi --delete --yes "${snapshots[@]}"
echo "# deleted in $((SECONDS - begin)) s"
check_same "all" "null 0" \
    "$(slip volume show viscsi --json | jq -r .snapshots) $(mon rbd snap ls volumes/viscsi --format json | jq length)"
check "the data is the same after it" same viscsi

# ---- the driver still sleeps -------------------------------------------------------------------------
unwatched() { mon rbd status "volumes/$1" | grep -q "Watchers: none"; }
for v in "${sleepers[@]}"; do check "nobody watches $v any more" wait_until 60 unwatched "$v"; done
begin=$(date +%s%3N)
check_status "vlate is taken over" 0 slip volume move vlate --to fuse --force
echo "# after $(($(date +%s%3N) - begin)) ms"
says "vplain is not attached elsewhere" 1 "which has not answered the order to detach it" slip volume attach vplain \
    --to fuse
check_status "until it is let go of by force" 0 slip volume detach vplain --force
check_status "which waits for nobody who sleeps: it is attached elsewhere" 0 slip volume attach vplain --to fuse
kept() { mon ceph osd blocklist ls 2>/dev/null | awk -v a="$1" -v \
    t="$(date -u -d '+300 days' +%Y-%m-%d)" '$1 == a && $2 > t' | grep .; }
for a in "${sleeping_at[@]}"; do check "$a is fenced for longer than anybody sleeps" kept "$a"; done
tr '\0' '\273' </dev/zero | head -c 4096 >"$TMP/bb"
at=/var/lib/slipway/$env/volumedriver-fuse-1
for v in "${sleepers[@]}"; do check "$v is written" dd if="$TMP/bb" of="$at/$v" conv=notrunc,fsync status=none; done
docker unpause "$env-volumedriver-qemu-1" >/dev/null
for v in "${sleepers[@]}"; do
    check "the old write to $v is refused" wait_until 60 grep -q ^refused "$TMP/$v.asleep"
    check "what the new writer wrote stays" sh -c \
        "dd if='$at/$v' bs=4096 count=1 iflag=direct status=none | cmp - '$TMP/bb'"
done
check "the old driver has let go" wait_until 60 healthy
finish
