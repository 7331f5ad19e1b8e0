#!/bin/bash
# SPDX-License-Identifier: MIT
# libslipway-volume, built with the address sanitizer, against a real storage cluster: data written by it is read by it
# and by a driver, one writer, snapshots, sizes, wrong keys, a storage that does not answer.
# about 220 s
# patient
set -eu
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../environment.sh"

needs "library" jq qemu-io python3
asan=$TMP/asan
check "the library and its test program build" make -C "$ROOT" -s SAN=address,undefined B="$asan" \
    "$asan/integration/vollib_driver"

environment vollib
qemu=volumedriver-qemu-1
components <<END
etcd: {instances: 1}
ceph-mon: {instances: 1}
ceph-mgr: {instances: 1}
ceph-osd: {instances: 1}
volumedriver-qemu: {instances: 1}
END
lib() { timeout 120 "$asan/integration/vollib_driver" "$@"; }
# refused NAME CODE SENTENCE COMMAND...: the number and the sentence, and no report of a sanitizer.
refused() {
    local name=$1 code=$2 sentence=$3
    shift 3
    says "$name" 1 "-$code: $sentence" "$@"
}
# hold COMMAND...: runs in the background until `released NAME`.
hold() {
    rm -f "$TMP/input"
    mkfifo "$TMP/input"
    "$asan/integration/vollib_driver" "$@" <"$TMP/input" >"$TMP/held" 2>&1 &
    held=$!
    exec 8>"$TMP/input"
}
released() {
    local status=0
    exec 8>&-
    wait "$held" || status=$?
    held=
    check_same "$1" 0 "$status"
}

check_status "up starts a cluster" 0 slip -f "$file" up
check_status "a volume by command" 0 slip volume create shared --size 64MiB --attach qemu
VOLLIB_LINE=$(slip volume show shared | grep -o 'rbd:.*')
export VOLLIB_LINE VOLLIB_KEY_FILE=$TMP/key VOLLIB_TIMEOUT=4
(umask 077 && slip exec "$qemu" cat /run/slipway/secrets/rbd >"$TMP/key")
check_same "the line of volume show and the key of the driver are enough" shared "$(lib list)"

# One writer: a driver against the library.
refused "what a driver has is refused" 16 "volume shared is attached to $qemu: detach it first" lib fill shared 1 0 512
refused "and not removed" 16 "volume shared is attached" lib remove shared
check_has "its client is the driver" "$(lib clients shared)" "client."
check_status "detached" 0 slip volume detach shared
check_status "the library writes it" 0 lib fill shared 0x5a 1048576 1048576
check_status "and other data, asynchronously" 0 lib write shared 7 8388608 16777216
hold hold shared
check "it is the writer" wait_until 20 grep -q "writer self" "$TMP/held"
check_has "others are told of it" "$(lib clients shared)" " writer"
refused "a second writer is refused" 16 "volume shared is in use by" lib fill shared 1 0 512
check_status "readers are not" 0 lib verify shared 7 8388608 16777216
check_status "a driver is refused" 5 slip volume attach shared --to qemu
check_has "and says why" "$(cat "$TMP/err")" "in use by"
check_hasnt "the change was taken back" "$(cat "$TMP/err")" "stays recorded"
released "the writer goes"
check_status "then the driver gets it" 0 slip volume attach shared --to qemu
url="nbd+unix:///shared?socket=/var/lib/slipway/$env/$qemu/nbd.sock"
check "and has its data" timeout 60 qemu-io -f raw -c "read -P 0x5a 1M 1M" -c "read -P 0 0 1M" "$url"
check "writes its own" timeout 60 qemu-io -f raw -c "write -P 0x33 2M 1M" -c flush "$url"
check_status "which the library reads" 0 lib check shared 0x33 2097152 1048576
check_status "detached again" 0 slip volume detach shared

# A volume of its own.
check_status "a volume is made" 0 lib create disk $((64 << 20))
check_status "wrong use is refused, each with its number" 0 lib abuse disk
check_status "asynchronous writes" 0 lib write disk 1 0 33554432
check_status "are read back" 0 lib verify disk 1 0 33554432
refused "and nothing else" 5 "512 requests read other data" lib verify disk 2 0 33554432
check_status "a snapshot" 0 lib snapshot disk create one
refused "a second one of that name" 17 "making snapshot disk@one: there is one already" lib snapshot disk create one
check_same "is listed" "one 67108864" "$(lib snapshots disk)"
check_status "other data after it" 0 lib write disk 2 12345 7777777
check_status "is there" 0 lib verify disk 2 12345 7777777
check_status "the snapshot is as it was" 0 lib verify disk@one 1 0 33554432
check_status "it grows" 0 lib resize disk $((96 << 20))
check_same "to that size" $((96 << 20)) "$(lib size disk)"
check_status "the new end can be written" 0 lib write disk 3 $((95 << 20)) 1048576
refused "it does not shrink by mistake" 22 "volume disk would shrink from 100663296 to 1048576 bytes" lib resize disk \
    1048576
check_status "rollback" 0 lib snapshot disk rollback one
check_status "brings the data back" 0 lib verify disk 1 0 33554432
check_same "and the size" $((64 << 20)) "$(lib size disk)"
check_status "it shrinks when asked" 0 lib resize disk $((16 << 20)) shrink
check_status "what is left is as it was" 0 lib verify disk 1 0 $((16 << 20))
check_status "zeroes" 0 lib zero disk 100 5000
check_status "are zeroes" 0 lib check disk 0 100 5000
check_status "and nothing else" 0 lib verify disk 1 5104 1000000
check_status "a discard" 0 lib discard disk 4194304 4194304
refused "a volume with snapshots stays" 39 "volume disk has snapshots" lib remove disk
check_status "the snapshot goes" 0 lib snapshot disk remove one
refused "a snapshot that is not there" 2 "removing snapshot disk@one: there is none" lib snapshot disk remove one
refused "a name" 22 'snapshot "a/b": a name is 1 to 64 letters' lib snapshot disk create a/b
refused "a volume that is not there" 2 "volume none: there is none" lib fill none 1 0 1

# On Debian 13, with its compiler and its librbd: what one wrote the other reads.
network=$(docker inspect -f '{{range $name, $_ := .NetworkSettings.Networks}}{{$name}}{{end}}' "$env-ceph-mon-1")
newer=$env-newer
on_exit "docker rm -f $newer"
docker run -d --name "$newer" --network "$network" slipway/debian:trixie sleep 3600 >/dev/null
tar -C "$ROOT" -c Makefile installer etcd scripts tests/integration/vollib_driver.c |
    docker exec -i "$newer" sh -c 'mkdir /src && tar -C /src -x'
newer_make() { docker exec "$newer" make -C /src -s B=/b WERROR=1 "$@"; }
# First what a newcomer's machine has, which is not librbd's header.
if docker exec "$newer" /src/scripts/dev/deps build --no-docker >"$TMP/apt.log" 2>&1; then
    check "all is built on a new machine with Debian 13" newer_make all
    check_status "and runs there" 0 docker exec "$newer" /b/slipway version
    docker exec -e DEBIAN_FRONTEND=noninteractive "$newer" apt-get install -qy --no-install-recommends librbd-dev \
        librados-dev >"$TMP/apt.log" 2>&1
    check "the library builds there" newer_make /b/integration/vollib_driver
    docker exec -i "$newer" sh -c 'umask 077; cat >/key' <"$TMP/key"
    newer() { docker exec -e VOLLIB_LINE="$VOLLIB_LINE" -e VOLLIB_KEY_FILE=/key "$newer" timeout 120 \
        /b/integration/vollib_driver "$@"; }
    check_status "it reads there what was written here" 0 newer verify disk 1 5104 1000000
    check_status "it writes" 0 newer write disk 9 0 3145728
    check_status "and makes a snapshot" 0 newer snapshot disk create newer
    check_status "which is read here" 0 lib verify disk@newer 9 0 3145728
    check_status "and removed" 0 lib snapshot disk remove newer
else
    skip "the library on Debian 13" "its packages cannot be had: $(tail -n 1 "$TMP/apt.log")"
fi
docker rm -f "$newer" >/dev/null

# Who cannot connect is told why.
echo 'AQBTm5VmAAAAABAAo9dpJ1FsmhAJ9yrUuM1Kng==' >"$TMP/wrong"
echo 'no key' >"$TMP/words"
printf '[client.rbd]\n\tkey = %s\n' "$(cat "$TMP/key")" >"$TMP/keyring"
refused "a wrong pool" 2 "there is no pool nothing" env VOLLIB_POOL=nothing "$asan/integration/vollib_driver" connect
refused "a wrong key" 13 "the storage does not take the key of client.rbd" \
    env VOLLIB_KEY_FILE="$TMP/wrong" "$asan/integration/vollib_driver" connect
refused "a wrong user" 13 "the storage does not take the key of client.nobody" \
    env VOLLIB_LINE="${VOLLIB_LINE/id=rbd/id=nobody}" "$asan/integration/vollib_driver" connect
refused "no key" 22 "the key is not one word" env VOLLIB_KEY_FILE="$TMP/words" "$asan/integration/vollib_driver" connect
refused "a key file that is not there" 2 "key file $TMP/none: there is none" \
    env VOLLIB_KEY_FILE="$TMP/none" "$asan/integration/vollib_driver" connect
refused "monitors that do not answer" 110 "no monitor answered within 4 s: 192.0.2.1" \
    env VOLLIB_LINE=rbd:volumes/x:id=rbd:mon_host=192.0.2.1 timeout 60 "$asan/integration/vollib_driver" connect
refused "a malformed line" 22 'this is not a line of `slipway volume show VOLUME`' \
    env VOLLIB_LINE=rbd:volumes "$asan/integration/vollib_driver" connect
check_status "a keyring does as well" 0 env -u VOLLIB_KEY_FILE VOLLIB_KEYRING="$TMP/keyring" \
    "$asan/integration/vollib_driver" list
check_hasnt "no error told the key" "$(cat "$TMP/err")" "$(cat "$TMP/key")"

# A storage that stops answering: everything ends, with a sentence.
check_status "a second volume" 0 lib create disk-2 1048576
hold stall disk 4 0 1048576
check "a writer is ready" wait_until 20 grep -q ready "$TMP/held"
docker pause "$env-ceph-osd-1" >/dev/null
echo go >&8
released "everything ends"
for call in read write async resize snapshot clients list open create; do
    check_has "$call says that there is no answer" "$(grep "^$call " "$TMP/held")" "the storage did not answer in time"
done
docker unpause "$env-ceph-osd-1" >/dev/null
check "the storage comes back" wait_until 240 env VOLLIB_TIMEOUT=20 "$asan/integration/vollib_driver" fill disk 0x77 0 \
    4096
check_status "with what was written" 0 lib check disk 0x77 0 4096

# A placement group's last OSD whose lease ran out because the timer that renews it did not run, and which gets requests
# before it does: Ceph keeps them for good, and the OSD's hook health restarts it. A machine that slept does that;
# here its timers alone are stopped.
osd=$env-ceph-osd-1
restarts() { docker inspect -f '{{.RestartCount}}' "$osd"; }
restarted() { [ "$(restarts)" -gt "$before" ]; }
waiting() { docker exec "$osd" ceph daemon osd.1 dump_ops_in_flight | grep -q '"waiting for readable"'; }
before=$(restarts)
pid=$(docker top "$osd" -o pid,comm | awk '$2 == "ceph-osd" { print $1 }')
mapfile -t timers < <(grep -lx ceph_timer /proc/"$pid"/task/*/comm | cut -d / -f 5)
docker exec "$osd" ceph daemon osd.1 config set osd_op_complaint_time 3 >/dev/null
mkfifo "$TMP/hold"
python3 "$ROOT/tests/integration/hold_threads.py" "${timers[@]}" <"$TMP/hold" >"$TMP/hold.out" 2>&1 &
holder=$!
exec 7>"$TMP/hold"
check "the timers of an OSD stand still" wait_until 20 grep -q held "$TMP/hold.out"
docker exec -d "$env-ceph-mon-1" timeout 120 rados -p volumes bench 100 write -b 4096 -t 16 --no-cleanup
check "its lease runs out, and requests wait" wait_until 90 waiting
exec 7>&-
wait "$holder"
check "they run again, and the OSD is restarted" wait_until 120 restarted
check_has "and says why" "$(docker logs "$osd" 2>&1 | grep slipway-agent)" "which does not come: the OSD is restarted"
docker exec "$env-ceph-mon-1" pkill rados || true
check "requests are answered" wait_until 120 lib fill disk 0x77 0 4096

# A writer that died holds nobody up for long; one that was only asleep is fenced.
hold hold disk
check "a writer" wait_until 20 grep -q "writer self" "$TMP/held"
kill -9 "$held"
wait "$held" 2>/dev/null || true
exec 8>&-
held=
refused "that died is still there for a moment" 16 "volume disk is in use by" lib fill disk 1 0 512
check "and then not" wait_until 90 lib fill disk 0x78 0 4096
hold stall shared 4 0 65536
check "another" wait_until 20 grep -q ready "$TMP/held"
address=$(lib clients shared | cut -d ' ' -f 1)
docker exec "$env-ceph-mon-1" ceph osd blocklist add "$address" 60 >/dev/null 2>&1
lib clients shared >/dev/null # brings the OSD the list of who is fenced
echo go >&8
released "is fenced"
check_has "and told so" "$(grep '^write ' "$TMP/held")" "fenced: another writer took over"
check_has "in asynchronous requests too" "$(grep '^async ' "$TMP/held")" "fenced: another writer took over"
check "the next one writes" wait_until 90 lib fill shared 0x79 0 4096

check_status "a volume is removed" 0 lib remove disk-2
lib remove late >/dev/null 2>&1 || true # made or not, when the storage did not answer
check_same "the others are there" "disk shared" "$(lib list | sort | paste -sd ' ')"
check "no sanitizer had anything to say" test -z "$(grep -l 'Sanitizer\|runtime error' "$TMP"/err "$TMP"/held || true)"
check_status "down" 0 slip down --volumes --yes
finish
