#!/bin/bash
# SPDX-License-Identifier: MIT
# Volumes by command on a real storage cluster with two QEMU drivers: data written through one NBD socket of the host is
# compared after each of snapshot, clone, resize, move and take-over.
# about 220 s
set -eu
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../environment.sh"

needs "volumes" jq qemu-io qemu-img

environment volumes
host=/var/lib/slipway/$env
one=volumedriver-qemu-1 two=volumedriver-qemu-2
volume() { slip volume "$@"; }
components <<EOF
etcd: {instances: 1}
ceph-mon: {instances: 1}
ceph-mgr: {instances: 1}
ceph-osd: {instances: 2}
volumedriver-qemu: {instances: 2}
EOF

# io INSTANCE VOLUME COMMAND...: qemu-io on the socket that the host sees.
io() {
    local url="nbd+unix:///$2?socket=$host/$1/nbd.sock" words=()
    shift 2
    for word; do words+=(-c "$word"); done
    timeout 60 qemu-io -f raw "${words[@]}" "$url" >"$TMP/io" 2>&1 && ! grep -q "failed\|error" "$TMP/io"
}
size_of() { qemu-img info --output json "nbd+unix:///$2?socket=$host/$1/nbd.sock" | jq -r '."virtual-size"'; }

# stored VOLUME BYTE OFFSET LENGTH: the storage has it, seen by libslipway-volume past every driver.
stored() { timeout 120 "$B/integration/vollib_driver" check "$@"; }

check_status "up starts a cluster with two drivers" 0 slip -f "$file" up

# The library alone, without a command line.
check_status "a program of its own uses the environment" 0 \
    env -u SLIPWAY_HOME "$B/integration/env_driver" "$SLIPWAY_HOME" "$ROOT/components" "$env" "$two" ceph-osd \
        memory_target 1GiB
check_same "sets a key, serves a volume, follows a log, runs checks" "key 1073741824
volume attached
log followed
checks run, good" "$(cat "$TMP/out")"
check_same "and leaves nothing behind" "[]" "$(volume list --json | jq -c .)"
check_has "its change is in the history" "$(slip config history)" memory_target

check_status "a volume is created and attached by one command" 0 volume create disk --size 64MiB --attach "$one"
# Twice is once: what is so already succeeds.
twice() { "$SLIPWAY" -e "$env" volume "$@"; }
check_same "the same once more" "disk: already created and attached" "$(twice create disk --size 64MiB --attach "$one")"
check_same "and by the driver's name" "disk: already attached" "$(twice attach disk --to qemu)"
check_same "which JSON says too" '["disk"]' "$(twice attach disk --to "$one" --json | jq -c .already)"
says "one of another size is refused" 1 "there is a volume disk already, with size 64MiB" volume create disk --size \
    65MiB
says "and another way to attach it" 1 "is attached to $one already, for writing" volume attach disk --to "$one" \
    --read-only
VOLLIB_LINE=$(volume show disk | grep -o 'rbd:.*')
export VOLLIB_LINE VOLLIB_KEY_FILE=$TMP/key
(umask 077 && slip exec "$one" cat /run/slipway/secrets/rbd >"$TMP/key")
check "its lines name the socket" grep -q "nbd+unix:///disk?socket=$host/$one/nbd.sock" <(volume show disk)
check "the same as JSON" jq -e '.attached[0].use[0].line' <(volume show disk --json)
check "the host writes through the socket" io "$one" disk "write -P 0x11 0 1M" "write -P 0x22 32M 1M" flush
check "and reads the same" io "$one" disk "read -P 0x11 0 1M" "read -P 0x22 32M 1M" "read -P 0 1M 1M"
check "the storage has it, seen past the driver" stored disk 0x22 $((32 << 20)) $((1 << 20))
says "a second writer is refused" 1 "a volume has one writer" volume attach disk --to "$two"
says "a volume in use is not deleted" 1 "is attached to $one" volume delete --yes disk
says "a name is checked" 6 "a name is" volume create 'a b' --size 1GiB
says "a size is checked" 6 "64TiB are allowed" volume create big --size 65TiB
says "a pool is checked" 1 "there is no pool no" volume create x --size 1GiB --pool no
check_status "64 TiB are thin" 0 volume create huge --size 64TiB
check_status "and gone again" 0 volume delete --yes huge

check_status "a snapshot while it is in use" 0 volume snapshot disk before
check "what comes after the snapshot" io "$one" disk "write -P 0x33 0 1M" flush
check_status "a clone of the snapshot" 0 volume clone disk@before copy --attach "$two"
check "has the data of the snapshot" io "$two" copy "read -P 0x11 0 1M" "read -P 0x22 32M 1M"
check "writes to it stay in it" io "$two" copy "write -P 0x44 0 1M" flush
check "the volume keeps its own" io "$one" disk "read -P 0x33 0 1M"
says "a snapshot with a clone stays" 1 "has the clone copy" volume snapshot disk before --delete --yes

check_status "it grows while it is attached" 0 volume resize disk 128MiB
check_same "and the host sees it" $((128 << 20)) "$(size_of "$one" disk)"
check_same "the daemon is the same" 0 "$(docker inspect -f '{{.RestartCount}}' "$env-$one")"
says "it does not shrink by mistake" 1 "--force does it" volume resize disk 64MiB

# What the NBD server says of holes: remembered data must not hide them, and no hole may hide data.
map_of() { qemu-img map --output json "nbd+unix:///disk?socket=$host/$one/nbd.sock" |
    jq -c "[.[] | select(.start <= $1 and $1 < .start + .length) | .data][0]"; }
check_same "a hole is shown as one" false "$(map_of $((96 << 20)))"
check "it is written" io "$one" disk "read 96M 4M" "write -P 0x66 96M 4M" "read -P 0x66 96M 4M" flush
check_same "then there is data" true "$(map_of $((96 << 20)))"
check "it is discarded" io "$one" disk "read -P 0x66 96M 4M" "discard 96M 4M" flush
check_same "and is a hole again" false "$(map_of $((96 << 20)))"
check "that reads as zeros" io "$one" disk "read -P 0 96M 4M"

# NBD over TCP: TLS with a pre-shared key, or nothing.
mkdir -m 700 "$TMP/psk" "$TMP/other"
slip exec "$one" cat /run/slipway/secrets/nbd | sed 's/^/slipway:/' >"$TMP/psk/keys.psk"
printf 'slipway:%064d\n' 1 >"$TMP/other/keys.psk"
nbd=$(docker inspect -f "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}" "$env-$one"):10809
# tls FOLDER-OF-KEY ARGUMENT...: qemu-io.
tls() {
    timeout 60 qemu-io --object "tls-creds-psk,id=t,endpoint=client,username=slipway,dir=$TMP/$1" "${@:2}" \
        --image-opts \
        "driver=nbd,server.type=inet,server.host=${nbd%:*},server.port=${nbd##*:},export=disk,tls-creds=t" >"$TMP/tls" \
            2>&1 && ! grep -q "failed\|error" "$TMP/tls"
}
head -c 24M /dev/urandom >"$TMP/random"
tls_copy() {
    timeout 60 qemu-img convert -n -m 16 -W -f raw --object \
        "tls-creds-psk,id=t,endpoint=client,username=slipway,dir=$TMP/psk" \
        --target-image-opts "$TMP/random" \
        "driver=nbd,server.type=inet,server.host=${nbd%:*},server.port=${nbd##*:},export=disk,tls-creds=t"
}
same_by() { qemu-img convert -f raw "$1" -O raw "$TMP/copy" && cmp -n $((24 << 20)) "$TMP/copy" "$TMP/random"; }
check "24 MiB are written over TLS" tls_copy
check "and read through the socket" same_by "nbd+unix:///disk?socket=$host/$one/nbd.sock"
check "and over TLS" tls psk -c "write -P 0x99 48M 4M" -c flush -c "read -P 0x99 48M 4M" -c "aio_read 0 4M" -c \
    "aio_write -P 0x98 52M 4M" -c aio_flush -c "write -P 0x33 0 1M"
check "as they were" io "$one" disk "read -P 0x98 52M 4M"
check_not "another key is refused" tls other -c "read 0 4k"
kill -9 "$(docker top "$env-$one" -eo pid,args | awk '$2 == "slipway-nbd-tls" { print $1; exit }')"
check "what serves TLS comes back after kill -9" wait_until 15 tls psk -c "read -P 0x99 48M 4M"
check_not "nothing goes without TLS" timeout 20 qemu-img info "nbd://$nbd/disk"
check_has "and it says why" "$(timeout 20 qemu-img info "nbd://$nbd/disk" 2>&1)" TLS
tls psk -c "write -P 0x77 60M 64k" -c "sleep 30000" &
client=$!
check "a client that stays" wait_until 15 io "$one" disk "read -P 0x77 60M 64k"
says "keeps the volume from being detached" 5 "in use by a client" volume detach disk
kill "$(pgrep -P "$client" | head -n 1)" 2>/dev/null || true
wait "$client" 2>/dev/null || true

# inside COMMAND IMAGE...: qemu-io in the driver's container, which has the libraries of both ways.
inside() { docker exec "$env-$one" qemu-io -c "$1" -c flush "${@:2}" >"$TMP/io" 2>&1 &&
    ! grep -q "failed\|error" "$TMP/io"; }
check "what a client of vhost-user-blk writes" inside "write -P 0x88 40M 1M" \
    --image-opts "driver=virtio-blk-vhost-user,cache.direct=on,path=/export/disk.vhost"
check "is read through librbd" inside "read -P 0x88 40M 1M" -r -U -f raw \
    "rbd:volumes/disk:id=rbd:conf=/run/slipway/qsd/ceph.conf"

check_status "a volume that nobody has" 0 volume create gone --size 16MiB
check_status "several volumes by one command" 0 volume create a b c --size 16MiB --attach "$two"
check "are all served" io "$two" c "write -P 0x77 0 1M" flush
check_status "an image that is taken away behind our back" 0 docker exec "$env-ceph-mon-1" rbd rm --no-progress \
    volumes/gone
says "is refused by the driver" 5 "volume gone: there is no image volumes/gone" volume attach gone --to "$one"
check_same "and the wish is taken back" "null" "$(volume show gone --json | jq -c '.attached[0]')"
check_status "one command detaches several" 0 volume detach a b c
check_same "which they are already" "a: already detached
b: already detached" "$(twice detach a b)"
says "one that is not there is not" 1 "there is no volume aa" volume detach aa
says "and nothing comes from an instance that is not there" 1 "is not attached to nobody" volume detach a --from nobody
check_same "nor are they mounted" "a: already unmounted" "$(twice unmount a)"
# answers WORD COMMAND...: on a terminal, where that is typed.
answers() {
    local word=$1
    shift
    printf '%s\n' "$word" | script -qefc "$(printf '%q ' "$SLIPWAY" -q -e "$env" "$@")" /dev/null
}
check_status "on a terminal it asks before one is deleted" 130 answers n volume delete gone
check_has "it says what would be lost" "$(cat "$TMP/out")" "Delete gone of $env, with all data? [y/N]"
check "a no keeps it" volume show gone
check_status "a yes does not" 0 answers y volume delete gone
check_status "and one deletes them" 0 volume delete --yes a b c

at_once=()
for i in $(seq 20); do
    volume create "many$i" --size 1MiB --lock-wait 60s >/dev/null 2>>"$TMP/at_once" &
    at_once+=($!)
done
done=0
for i in "${at_once[@]}"; do wait "$i" && done=$((done + 1)); done
check_same "20 volumes are created at once" "20 " "$done $(cat "$TMP/at_once")"
check_same "all in the storage" 20 "$(docker exec "$env-ceph-mon-1" rbd ls volumes 2>/dev/null | grep -c '^many')"
read -ra many <<<"$(seq -s ' ' -f 'many%g' 20)"
check_status "and deleted" 0 volume delete --yes "${many[@]}"

# The mark of a formatting that was begun: who may write takes it away, who only reads does not.
mark() { slip config set ceph-mgr volumes.half.formatting true; }
marked() { slip config get ceph-mgr volumes | jq -c '.half.formatting'; }
check_status "a volume that was being formatted" 0 volume create half --size 16MiB
check_status "has a mark" 0 mark
check_status "attached for reading" 0 volume attach half --to "$one" --read-only
check_same "it keeps the mark" true "$(marked)"
check_status "moved for reading" 0 volume move half --to "$two"
check_same "too" true "$(marked)"
check_status "let go of" 0 volume detach half
check_status "attached for writing" 0 volume attach half --to "$one"
check_same "it has none any more" null "$(marked)"
check_status "marked once more" 0 mark
check_status "moved for writing" 0 volume move half --to "$two"
check_same "it has none either" null "$(marked)"
check_status "it goes" 0 sh -c \
    "'$SLIPWAY' -q -e '$env' volume detach half && '$SLIPWAY' -q -e '$env' volume delete --yes half"

check_status "a move hands it over" 0 volume move disk --to "$two"
check_not "the old driver serves it no more" io "$one" disk "read 0 1M"
check "the data is the same on the other side" io "$two" disk "read -P 0x33 0 1M" "read -P 0x22 32M 1M"
check_status "a move that was killed on its way" 0 volume detach disk
check_status "is ended by the same move" 0 volume move disk --to "$one"
check_same "which does nothing a second time" "disk: already moved" \
    "$("$SLIPWAY" -e "$env" volume move disk --to "$one")"
check_same "nor by the name of the driver" "disk: already moved" "$("$SLIPWAY" -e "$env" volume move disk --to qemu)"
check_status "a volume for reading" 0 volume create reader --size 16MiB --attach "$one"
check_status "is let go of" 0 volume detach reader
check_status "attached for reading" 0 volume attach reader --to "$one" --read-only
check_status "and moved" 0 volume move reader --to "$two"
check_same "for reading still" true "$(volume show reader --json | jq '.attached[0].read_only')"
check_status "and goes" 0 sh -c \
    "'$SLIPWAY' -q -e '$env' volume detach reader && '$SLIPWAY' -q -e '$env' volume delete --yes reader"

# The old driver is stopped, not dead: what it was about to write must never arrive.
docker pause "$env-$one" >/dev/null
(io "$one" disk "write -P 0xee 0 1M" "write -P 0xee 32M 1M" flush || true) &
check_status "a take-over from a driver that does not answer" 0 volume move disk --to "$two" --force
check "the new driver writes" io "$two" disk "write -P 0x55 0 1M" flush
docker unpause "$env-$one" >/dev/null
wait
sleep 2
check "not one byte of the old one arrived" io "$two" disk "read -P 0x55 0 1M" "read -P 0x22 32M 1M"
check "in the storage neither" stored disk 0x55 0 $((1 << 20))

# Two at once: one creates it, the other one says that it is there.
both() { # WORDS: what two commands say that run at once
    "$SLIPWAY" -e "$env" volume "$@" >"$TMP/second" &
    "$SLIPWAY" -e "$env" volume "$@" >"$TMP/first" && wait $! && sort "$TMP/first" "$TMP/second" | paste -sd '|'
}
for n in 1 2 3; do
    check_same "two create a volume at once" "twin$n: already created|twin$n: created" \
        "$(both create "twin$n" --size 16MiB)"
    said=$(both create "both$n" --size 16MiB --attach "$one")
    check "or also attach it: $said" grep -qxE \
        "both$n: already created(,| and) attached[|]both$n: created and attached" <<<"$said"
done
check_status "they are let go of" 0 volume detach both1 both2 both3
check_status "and go" 0 volume delete --yes twin1 twin2 twin3 both1 both2 both3
# A driver that is asked to let go and does not answer may still serve the volume, and everybody is told so.
state_of() { volume list | awk -v v="$1" '$1 == v { print $4 }'; }
is_free() { [ "$(state_of "$1")" = free ]; }
asleep() { # INSTANCE: asked to detach the volume late, it sleeps
    docker pause "$env-$1" >/dev/null
    says "asleep, $1 does not let go" 8 "$1 has not answered in time" slip --timeout 3s volume detach late
}
check_status "a volume to be let go of" 0 volume create late --size 16MiB --attach "$one"
check_status "a volume that is to go" 0 volume create passing --size 16MiB
check_status "nobody waits until it is deleted" 0 volume delete --yes passing --no-wait
check "the next command that it is in the way of forgets it" wait_until 30 volume create passing --size 32MiB
check_same "and makes another one" "passing 32MiB free" "$(volume list | awk '$1 == "passing" { print $1, $2, $4 }')"
check_status "which goes" 0 volume delete --yes passing
asleep "$one"
check_same "it is not free" detaching "$(state_of late)"
check_same "JSON says so" "$one true" "$(volume list --json |
    jq -r '.[] | select(.name == "late") | .attached[0] | "\(.instance) \(.detaching)"')"
check_has "the list says by whom it is served" "$(volume list)" "$one (has not answered the order to detach it)"
check_has "so does show" "$(volume show late)" "$one (has not answered the order to detach it)"
check_has "and plan" "$(slip plan)" "volume late may still be served by $one, which has not carried out the order"
says "nobody else gets it" 1 "still served by $one, which has not answered the order to detach it" \
    volume attach late --to "$two"
says "nor is it deleted" 1 "is attached to $one" volume delete --yes late
docker unpause "$env-$one" >/dev/null
check "awake, its driver lets go" wait_until 30 is_free late
check_status "then somebody else gets it" 0 volume attach late --to "$two"
check_same "the order is in no document any more" null "$(slip config get "$one" volumes --json | jq -c .late)"
asleep "$two"
check_status "attached to who sleeps, the order is off" 0 volume attach late --to "$two" --no-wait
check_same "as the list says" attached "$(state_of late)"
docker unpause "$env-$two" >/dev/null
check "it is served still" wait_until 30 io "$two" late "write -P 0x77 0 1M"
timeout 100 qemu-io -f raw -c "write -P 0x78 15M 64k" -c "sleep 90000" "nbd+unix:///late?socket=$host/$two/nbd.sock" \
    >/dev/null &
client=$!
check "a client of it" wait_until 20 io "$two" late "read -P 0x78 15M 64k"
check_status "nobody waits until its driver refuses to let go" 0 volume detach late --no-wait
refuses() { slip status --json | jq -e --arg i "$two" '.instances[] | select(.instance == $i) | .config.error'; }
check "it does" wait_until 30 refuses
says "the next command takes the order back" 0 \
    "volume late stays attached to $two, the order to detach it is taken back: in use by a client" \
    volume create next --size 16MiB
check_same "it is attached" attached "$(state_of late)"
check "all is well then" wait_until 30 slip status
kill "$client"
wait "$client" 2>/dev/null || true
docker pause "$env-$two" >/dev/null
"$SLIPWAY" -q -e "$env" volume detach late >"$TMP/late" 2>&1 &
detach=$!
check "a detach is under way" wait_until 20 sh -c "'$SLIPWAY' -e '$env' volume list | grep -q 'late .*detaching'"
check_status "another command attaches it again" 0 volume attach late --to "$two" --no-wait
docker unpause "$env-$two" >/dev/null
status=0
wait "$detach" || status=$?
check_same "then the detach has failed" 3 "$status"
check_has "and says so" "$(cat "$TMP/late")" \
    "volume late stays attached: another command took the order back, or attached it again"
check_same "as it is" attached "$(state_of late)"
docker pause "$env-$one" >/dev/null
says "moved to who sleeps, the order stays" 8 "the change is recorded, but $one has not answered in time" \
    slip --timeout 10s volume move late --to "$one"
check_not "and it is not said to be with nobody" grep -q nobody "$TMP/out" "$TMP/err"
docker unpause "$env-$one" >/dev/null
check "awake, it serves it" wait_until 30 io "$one" late "read -P 0x77 0 1M"
check_status "and gives it back" 0 volume move late --to "$two"
asleep "$two"
check_status "it is taken over" 0 volume move late --to "$one" --force
check_same "and attached" attached "$(state_of late)"
docker unpause "$env-$two" >/dev/null
check "where it has its data" io "$one" late "read -P 0x77 0 1M"
check_status "detached" 0 volume detach late
check_same "it is free at once" free "$(state_of late)"
check_status "they go" 0 volume delete --yes late next

# Encrypted by the client: the storage has LUKS and nothing of what is in it.
check_status "a volume for LUKS" 0 volume create luks --size 32MiB --attach "$two"
(umask 077 && head -c 32 /dev/urandom | base64 | tr -d '\n' >"$TMP/luks")
check "QEMU encrypts it" timeout 300 qemu-img create -q --object "secret,id=key,file=$TMP/luks" -f luks -o \
    key-secret=key,iter-time=100 "nbd+unix:///luks?socket=$host/$two/nbd.sock" 16M
check "and writes and reads through" timeout 300 qemu-io --object "secret,id=key,file=$TMP/luks" \
    --image-opts "driver=luks,key-secret=key,file.driver=nbd,file.server.type=unix,\
file.server.path=$host/$two/nbd.sock,file.export=luks" \
    -c "write -P 0x41 0 8M" -c flush -c "read -P 0x41 0 8M"
timeout 300 qemu-img convert -f raw -O raw "nbd+unix:///luks?socket=$host/$two/nbd.sock" "$TMP/luks.img"
check_same "the storage has a LUKS header" LUKS "$(head -c 4 "$TMP/luks.img")"
check_not "and nothing of what was written" grep -q AAAAAAAAAAAAAAAA "$TMP/luks.img"
check_status "the volume goes" 0 sh -c \
    "'$SLIPWAY' -q -e '$env' volume detach luks && '$SLIPWAY' -q -e '$env' volume delete --yes luks"
rm -f "$TMP/luks.img"

check_status "a pool with a quota" 0 slip pool create fast --size 2 --quota 1GiB
check_status "an erasure-coded pool for data" 0 slip pool create cold -k 2 -m 1
check_same "are in the storage" "1073741824" \
    "$(docker exec "$env-ceph-mon-1" ceph osd pool get-quota fast -f json | jq .quota_max_bytes)"
check_status "a volume in a pool of its own" 0 volume create other --size 16MiB --pool fast
check_same "the same pool once more" "fast: already created" \
    "$("$SLIPWAY" -e "$env" pool create fast --size 2 --quota 1GiB)"
says "keeps the pool" 1 "pool fast holds the volume other" slip pool delete --yes fast
check_status "a volume shrinks when forced" 0 volume resize other 8MiB --force --yes
check_same "in the storage too" $((8 << 20)) \
    "$(docker exec "$env-ceph-mon-1" rbd info fast/other --format json | jq .size)"
check_status "the volume goes" 0 volume delete --yes other
says "a pool is not deleted by mistake" 5 "allow_pool_delete true" slip pool delete --yes fast
check_status "the monitors allow it" 0 slip config set ceph-mon allow_pool_delete true
allowed() {
    [ "$(docker exec "$env-ceph-mon-1" ceph tell mon.ceph-mon-1 config get mon_allow_pool_delete |
        jq -r .mon_allow_pool_delete)" = true ]
}
check "at once" wait_until 20 allowed
check_status "then the pool, for which nobody waits" 0 slip pool delete --yes fast --no-wait
check "its name is free again" wait_until 30 slip pool create fast --size 2
check_status "the new one goes" 0 slip pool delete --yes fast
check_status "and the other" 0 slip pool delete --yes cold
check_same "from the storage too" "volumes" \
    "$(docker exec "$env-ceph-mon-1" ceph osd pool ls -f json | jq -r '.[]' | grep -v '^\.' | paste -sd ' ')"

check_status "the monitors refuse again, as the file says" 0 slip config delete ceph-mon allow_pool_delete

check_status "detached" 0 volume detach disk
check_status "back to the snapshot" 0 volume rollback --yes disk before
check "the storage has the data of then" stored disk 0x11 0 $((1 << 20))
check "what the library writes" timeout 120 "$B/integration/vollib_driver" fill disk 0x66 $((40 << 20)) $((1 << 20))
# Its driver was given up while it was asleep, with a write on its way.
check_status "attached to a driver" 0 volume attach disk --to "$one"
docker pause "$env-$one" >/dev/null
(io "$one" disk "write -P 0xee 0 1M" "write -P 0xee 32M 1M" flush || true) &
silent() { slip status --json | jq -e --arg i "$1" '.instances[] | select(.instance == $i) | .agent == null'; }
check "which sleeps" wait_until 60 silent "$one"
check_status "it is taken off there" 0 volume detach --force disk
check "and goes back to the snapshot when the storage misses its driver" wait_until 60 volume rollback --yes disk \
    before
docker unpause "$env-$one" >/dev/null
wait
sleep 2
check "not one byte of what the driver wrote arrives" stored disk 0x11 0 $((1 << 20))
check "anywhere" stored disk 0x22 $((32 << 20)) $((1 << 20))
check "the library writes again" timeout 120 "$B/integration/vollib_driver" fill disk 0x66 \
    $((40 << 20)) $((1 << 20))
check_status "attached again" 0 volume attach disk --to "$two"
check "the driver shows" io "$two" disk "read -P 0x66 40M 1M"
check "with the data of then" io "$two" disk "read -P 0x11 0 1M" "read -P 0x22 32M 1M"

check_status "a plan of the file has nothing to do" 0 slip -f "$file" plan
check_status "up with the file, which names no volume" 0 slip -f "$file" up
check_same "keeps them all" "copy disk" "$(volume list --json | jq -r '.[].name' | sort | paste -sd ' ')"
check_status "detach the rest" 0 volume detach disk copy
says "a volume with a clone is not deleted" 1 "has the clone copy" volume delete --yes disk --force
check_status "the clone goes" 0 volume delete --yes copy

# Of two volumes one cannot be deleted; a snapshot is deleted by somebody else: nothing comes back with other data in
# it.
in_storage() { docker exec "$env-ceph-mon-1" rbd "$@" 2>/dev/null; }
check_status "two more" 0 volume create free held --size 4MiB
docker exec -d "$env-ceph-mon-1" sh -c 'sleep 177 | rbd watch volumes/held'
is_held() { in_storage status volumes/held | grep -q watcher=; }
check "somebody has one of them open" wait_until 20 is_held
says "it is not deleted" 5 "volume held: in use by" volume delete --yes free held
check_same "the other one is" "disk held" "$(volume list --json | jq -r '.[].name' | sort | paste -sd ' ')"
check_same "in the storage too" "disk held" "$(in_storage ls volumes | sort | paste -sd ' ')"
docker exec "$env-ceph-mon-1" pkill -f 'sleep 177'
goes() { volume delete --yes held; }
check "then this one is as well" wait_until 90 goes
check_status "a snapshot" 0 volume snapshot disk kept
in_storage snap rm volumes/disk@kept
check_status "another one, after somebody deleted the first" 0 volume snapshot disk later
check_same "does not bring that back" "before later" \
    "$(in_storage snap ls volumes/disk --format json | jq -r '.[].name' | sort | paste -sd ' ')"
told() { slip status --wide 2>&1 | grep -q "snapshot kept is gone" || slip status --json |
    grep -q "snapshot kept is gone"; }
check "status says so" wait_until 60 told
check_status "it is taken off the list" 0 volume snapshot disk --delete --yes kept
check "and all is well" wait_until 60 slip status
check_status "one of that name can be taken again" 0 volume snapshot disk kept
check_same "and is there" "before kept later" \
    "$(in_storage snap ls volumes/disk --format json | jq -r '.[].name' | sort | paste -sd ' ')"

check_status "then the volume with its snapshot" 0 volume delete --yes disk --force
check_same "nothing is left" "[]" "$(volume list --json | jq -c .)"
check_same "in the storage neither" "" "$(docker exec "$env-ceph-mon-1" rbd ls volumes 2>/dev/null || true)"

check_status "down" 0 slip down --volumes --yes
check "takes the folders of the host away" test ! -e "$host"
finish
