#!/bin/bash
# SPDX-License-Identifier: MIT
# Orders that destroy data, where nobody waited for the answer: going back to a snapshot, and deleting one. What was
# carried out unseen is forgotten, what was not keeps the volume from everybody; nothing of it happens again later. And
# two managers at the same volume.
# about 60 s
set -eu
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../environment.sh"

needs "volumes" jq qemu-io python3

environment orders
one=volumedriver-qemu-1 socket=/var/lib/slipway/$env/volumedriver-qemu-1/nbd.sock
volume() { slip volume "$@"; }
components <<END
etcd: {instances: 1}
ceph-mon: {instances: 1}
ceph-mgr: {instances: 2}
ceph-osd: {instances: 2}
volumedriver-qemu: {instances: 1}
END
io() { # VOLUME COMMAND...
    local url="nbd+unix:///$1?socket=$socket" words=()
    shift
    for word; do words+=(-c "$word"); done
    timeout 60 qemu-io -f raw "${words[@]}" "$url" >"$TMP/io" 2>&1 && ! grep -q "failed\|error" "$TMP/io"
}
written() { slip config get ceph-mgr volumes --json | jq -c "$1"; }
in_storage() { docker exec "$env-ceph-mon-1" rbd "$@" 2>/dev/null; }
snapshots() { in_storage snap ls "volumes/$1" --format json | jq -r '.[].name' | sort | paste -sd ' '; }
asleep() { docker pause "$env-ceph-mgr-1" "$env-ceph-mgr-2" >/dev/null; }
awake() { docker unpause "$env-ceph-mgr-1" "$env-ceph-mgr-2" >/dev/null; }
answered() { slip status --json | jq -e '[.instances[] | select(.component == "ceph-mgr") | .config.current] | all'; }
free() { [ "$(volume list | awk -v v="$1" '$1 == v { print $4 }')" = free ]; }

check_status "up" 0 slip -f "$file" up
check_status "a volume" 0 volume create disk --size 16MiB --attach "$one"
check "with data" io disk "write -P 0x11 0 1M" flush
check_status "a snapshot" 0 volume snapshot disk s
check "with other data" io disk "write -P 0x22 0 1M" flush
check_status "larger since" 0 volume resize disk 32MiB
check_status "let go of" 0 volume detach disk

# Ordered while the storage's managers sleep: nobody knows when it is carried out.
asleep
check_status "nobody waits until it is back at the snapshot" 0 volume rollback --yes disk s --no-wait
says "nobody gets it until then" 1 "volume disk was ordered to go back to snapshot s, which is not answered" \
    volume attach disk --to "$one"
check_has "it says how to take it back" "$(cat "$TMP/err")" "slipway volume rollback disk --cancel"
says "not by force either" 1 "ordered to go back to snapshot s" volume move disk --to "$one" --force
says "nor does it become a template" 1 "ordered to go back to snapshot s" volume template disk
check_same "the list says so" "going back" "$(volume list | awk '$1 == "disk" { print $4, $5 }')"
check_status "the order is taken back" 0 volume rollback disk --cancel --no-wait
check_same "which it is a second time" "disk: already not going back" \
    "$("$SLIPWAY" -e "$env" volume rollback disk --cancel --no-wait)"
check "and is in no document" test "$(written .disk.rollback)" = null
awake
check "awake, the managers have answered" wait_until 60 answered
check_status "it is attached" 0 volume attach disk --to "$one"
check "and has what was written last" io disk "read -P 0x22 0 1M"
check_status "let go of again" 0 volume detach disk

# Ctrl-C while the answer is waited for.
asleep
python3 "$ROOT/tests/integration/ctrl_c.py" pipe "$TMP/late" "$SLIPWAY" -e "$env" volume create late --size 4MiB &
runner=$!
ordered() { volume list | grep -q '^late '; }
check "a volume is ordered" wait_until 20 ordered
kill -USR1 "$runner"
check "the first Ctrl-C says what it waits for, and what a second one does" wait_until 10 grep -q \
    "interrupted; the change is recorded, so its answer is waited for, up to 15 s; a second Ctrl-C leaves at once" \
    "$TMP/late"
kill -USR1 "$runner"
status=0
wait "$runner" || status=$?
check_same "a second one leaves at once" 130 "$status"
awake
check "what was recorded is carried out" wait_until 60 answered
check_status "and can be taken away again" 0 volume delete --yes late

# Carried out, and nobody was there to hear it.
check_status "nobody waits again" 0 volume rollback --yes disk s --no-wait
check "it is carried out" wait_until 60 answered
check_same "the order stands in the document still" '"s"' "$(written .disk.rollback.to)"
check_status "the next command forgets it" 0 volume attach disk --to "$one"
check_same "so that it never happens again" null "$(written .disk.rollback)"
check "the volume is as it was then" io disk "read -P 0x11 0 1M"
check_same "with its size of today" $((32 << 20)) "$(in_storage info volumes/disk --format json | jq .size)"
check "it is written again" io disk "write -P 0x33 0 1M" flush
check_status "let go of" 0 volume detach disk
check_status "the same snapshot once more, waited for" 0 volume rollback --yes disk s
check_same "leaves no order" null "$(written .disk.rollback)"
check_status "attached once more" 0 volume attach disk --to "$one"
check "it is back again" io disk "read -P 0x11 0 1M" "write -P 0x44 0 1M" flush
check_status "and free" 0 volume detach disk

# An order to delete a snapshot that is not carried out yet, because the managers sleep or died.
check_status "another snapshot" 0 volume snapshot disk t
asleep
check_status "nobody waits until it is deleted" 0 volume snapshot disk --delete --yes t --no-wait
going="snapshot t of volume disk is about to be deleted; \`slipway volume snapshot --delete disk t\` waits"
says "nobody goes back to it" 1 "$going" volume rollback --yes disk t
says "nor makes a volume of it" 1 "$going" volume create copy --from disk@t
says "nor one of its name" 1 "$going" volume snapshot disk t
awake
check_status "what they say to do waits for it" 0 volume snapshot --delete --yes disk t
check_same "and it is gone" s "$(snapshots disk)"
check_same "with its order" '["s"]' "$(written '.disk.snapshots | keys')"

# An order to delete a snapshot, carried out unseen.
check_status "nobody waits until a snapshot is deleted" 0 volume snapshot disk --delete --yes s --no-wait
check "it is" wait_until 60 answered
check_same "from the storage" "" "$(snapshots disk)"
check_status "the next command forgets the order" 0 volume snapshot disk s
check "and one of that name is made" test "$(written '.disk.snapshots.s | has("absent")')" = false
docker restart -t 1 "$env-ceph-mgr-1" "$env-ceph-mgr-2" >/dev/null
check "managers that start again" wait_until 90 slip status
check_same "leave it" s "$(snapshots disk)"
check_status "attached" 0 volume attach disk --to "$one"
check "they took nothing back" io disk "read -P 0x44 0 1M"

# Refused to nobody: a clone that only the storage knows.
in_storage clone --rbd-default-clone-format 2 volumes/disk@s volumes/foreign
check_status "nobody waits until its deletion is refused" 0 volume snapshot disk --delete --yes s --no-wait
refused() { slip status --json |
    jq -e '[.instances[].config.error // "" | contains("snapshot s has clones")] | any'; }
check "it is" wait_until 60 refused
says "the next command takes the order back" 0 \
    "volume disk keeps snapshot s, the order to delete it is taken back: snapshot s has clones" \
    volume create next --size 4MiB
check_same "the snapshot is what it was" '["created","size"]' "$(written '.disk.snapshots.s | keys')"
check "all is well" wait_until 60 slip status
in_storage rm --no-progress volumes/foreign
check_status "without the clone it goes" 0 volume snapshot disk --delete --yes s

# What the other manager has half made: its name is there, its header not yet.
half=$(docker exec "$env-ceph-mon-1" sh -c 'printf "\014\0\0\0000123456789ab" >/tmp/id
    rados -p volumes put rbd_id.half /tmp/id && echo made')
check_same "a volume that is being made" made "$half"
"$SLIPWAY" -e "$env" volume create half --size 4MiB >"$TMP/half" 2>&1 &
create=$!
sleep 1.5
docker exec "$env-ceph-mon-1" rados -p volumes rm rbd_id.half
status=0
wait "$create" || status=$?
check_same "is waited for by who comes second" "0 half: created" "$status $(cat "$TMP/half")"

# What nobody finishes: a creation or a deletion that was cut short left a name, by its object or in the pool's list.
left=$(docker exec "$env-ceph-mon-1" sh -ec 'cd /tmp; printf "\014\0\0\0000123456789ab" >id
    rados -p volumes put rbd_id.left id
    printf "\014\0\0\0000123456789ac" | rados -p volumes setomapval rbd_directory name_listed
    printf "\006\0\0\000listed" | rados -p volumes setomapval rbd_directory id_0123456789ac
    echo made')
check_same "names without images" made "$left"
check_status "are in nobody's way" 0 volume create left listed --size 4MiB
check_same "and there is an image for each" "listed left" "$(in_storage ls volumes | grep -x 'left\|listed' | sort -r |
    xargs)"
check_status "which go as others do" 0 volume delete --yes left listed

# Killed at any point, and run again: it ends in the same place.
for after in 0.03 0.06 0.1 0.15 0.2 0.3 0.4 0.6 0.8; do
    status=0
    timeout -s KILL "$after" "$SLIPWAY" -q -e "$env" volume create "cut$after" --size 4MiB --attach "$one" \
        >"$TMP/cut" 2>&1 || status=$?
    check "cut short after $after s, or done" test "$status" = 137 -o "$status" = 0
    check_status "the same again" 0 volume create "cut$after" --size 4MiB --attach "$one"
    check "is served" io "cut$after" "write -P 0x55 0 1M" flush
done
check_status "and leaves nothing to do" 0 slip plan

# Once is not enough: names that two managers left behind were found by the next to use them.
for round in 1 2 3 4; do
    check_status "many at once, by two managers, $round" 0 volume create $(seq -f 'm%g' 40) --size 1MiB
    check_status "and gone at once, $round" 0 volume delete --yes $(seq -f 'm%g' 40)
done
check_same "of their names nothing is left" "" \
    "$(docker exec "$env-ceph-mon-1" rados -p volumes listomapkeys rbd_directory | grep '^name_m')"
finish
