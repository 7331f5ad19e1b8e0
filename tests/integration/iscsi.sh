#!/bin/bash
# SPDX-License-Identifier: MIT
# The iSCSI driver against initiators that mean it well, badly, or not at all: a wrong CHAP secret, 1,000 connections,
# and iscsi-test-cu (one process for each test, each with a time limit; no crash, at least as many passes as are known).
# Which of its tests fail, and why, is in components/volumedriver-iscsi/README.md.
#
# The volumes of iscsi-test-cu, and only they, have librbd's write-back cache on: the target is what is tested, and tgtd
# does WRITE SAME by one write for each block, which is 66,000 of them in a test and half an hour without the cache.
# about 100 s
set -eu
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../environment.sh"
. "$(dirname "$0")/../writers.sh"

needs "iscsi" jq python3 iscsi-test-cu iscsi-ls
environment iscsi
iscsi=$env-volumedriver-iscsi-1
known="SCSI.GetLBAStatus.BeyondEol SCSI.PrinServiceactionRange.Range SCSI.ProutReserve.OwnershipEA
SCSI.ProutReserve.OwnershipEARO SCSI.ProutReserve.OwnershipWE SCSI.ProutReserve.OwnershipWERO SCSI.Reserve6.2Initiators
iSCSI.iSCSIdatasn.iSCSIDataSnInvalid iSCSI.iSCSITMF.LUNResetSimpleAsync iSCSI.iSCSISendTargets.Simple
iSCSI.iSCSISendTargets.Invalid"
read -ra tester <<<"${ISCSI_TEST_CU:-iscsi-test-cu}" # words, for a program of another release in a container
workers=4 limit=60 least=159 # volumes that are tested at the same time, seconds for one test

components <<END
etcd: {instances: 1}
ceph-mon: {instances: 1, config: {settings: {mon_allow_pool_size_one: "true"}}}
ceph-mgr: {instances: 1, config: {pools: {volumes: {size: 1, min_size: 1, pg_num: 8, application: rbd}}}}
ceph-osd: {instances: 1}
volumedriver-iscsi: {instances: 1}
volumedriver-qemu: {instances: 1}
END
check_status "up starts a cluster" 0 slip -f "$file" up
mapfile -t names < <(seq -f 't%g' "$workers")
check_status "volumes to test" 0 slip volume create "${names[@]}" --size 16MiB
for name in "${names[@]}"; do
    for setting in rbd_cache=true rbd_cache_policy=writeback rbd_cache_writethrough_until_flush=false; do
        docker exec "$env-ceph-mon-1" rbd config image set "volumes/$name" "${setting%=*}" "${setting#*=}"
    done
done
check_status "are attached" 0 slip volume attach "${names[@]}" --to iscsi
check_status "a volume to write to" 0 slip volume create load --size 64MiB --attach iscsi
check_status "and one for NBD" 0 slip volume create disk --size 64MiB --attach qemu
chap_login
t1=$(of_volume t1)
portal=${t1#iscsi://}
portal=${portal%%/*}
daemon() { docker top "$iscsi" -eo pid,args | awk '/tgtd -f/ && !/slipway-init/ { print $1 }'; }
before=$(daemon)

# ---- who may not -------------------------------------------------------------------------------------
inquiry() { timeout 20 iscsi-inq "$t1"; }
check "the right secret is let in" inquiry
check_not "a wrong one is refused" env LIBISCSI_CHAP_PASSWORD=wrong-secret-12 timeout 20 iscsi-inq "$t1"
check_not "another user too" env LIBISCSI_CHAP_USERNAME=somebody timeout 20 iscsi-inq "$t1"
check_not "and nobody" env -u LIBISCSI_CHAP_USERNAME -u LIBISCSI_CHAP_PASSWORD timeout 20 iscsi-inq "$t1"

targets() { timeout 20 iscsi-ls "iscsi://$portal"; }
check_has "the right secret is shown the targets" "$(targets)" ".t1"
for who in "wrong secret:LIBISCSI_CHAP_PASSWORD=wrong-secret-12" "other user:LIBISCSI_CHAP_USERNAME=somebody"; do
    check_hasnt "a ${who%%:*} is not" "$(env "${who#*:}" timeout 20 iscsi-ls "iscsi://$portal" 2>&1 || true)" ".t1"
done
check_hasnt "nor is nobody" "$(env -u LIBISCSI_CHAP_USERNAME -u LIBISCSI_CHAP_PASSWORD \
    timeout 20 iscsi-ls "iscsi://$portal" 2>&1 || true)" ".t1"
verdict() { docker exec "$iscsi" /usr/lib/slipway/slipway-agent hook check; }
check_has "the check looks at that" "$(verdict)" "lets nobody in without the password"
# unguard TARGET: what a mistake of the driver would be; -1 is discovery.
unguard() { docker exec "$iscsi" python3 -IS -c "
import sys
sys.path.insert(0, '/usr/lib/slipway-ceph')
from slipway_tgt import *
ask(ACCOUNT, UNBIND, $1, text='user=slipway')"; }
check "discovery is opened" unguard -1
check_has "and the check fails" "$(verdict || true)" "no password is needed for discovery"
check "a target is opened" unguard 1
check_has "it names both" "$(verdict || true)" "no password is needed for iqn."
check_status "the driver is started again" 0 slip restart volumedriver-iscsi-1
before=$(daemon)
shut() { verdict | grep "lets nobody in"; }
check "then nobody gets in" wait_until 60 shut

# ---- a thousand connections --------------------------------------------------------------------------
start_writer load
moving() { [ "$(said load writes)" -gt $((last + 40)) ]; }
# thousand WHAT ADDRESS: while 1,000 connections that say nothing are open.
thousand() {
    local what=$1 holder
    rm -f "$TMP/held"
    python3 "$io" hold 1000 "${2%:*}" "${2##*:}" >"$TMP/held" 2>"$TMP/held.err" &
    holder=$!
    check "1,000 connections to $what" wait_until 60 grep -qx 1000 "$TMP/held"
    last=$(said load writes)
    check "who writes already goes on" wait_until 30 moving
    if [ "$what" = iSCSI ]; then check "a new one is let in beside them" inquiry; else check \
        "a new one is served beside them" nbd_tcp; fi
    kill "$holder"
    wait "$holder" 2>/dev/null || true
}
mkdir -m 700 "$TMP/psk"
docker exec "$env-volumedriver-qemu-1" sed 's/^/slipway:/' /run/slipway/secrets/nbd >"$TMP/psk/keys.psk"
nbd=$(slip volume show disk --json | jq -r '.attached[0].use[].line | capture("nbds://slipway@(?<to>[^/]+)/").to')
nbd_tcp() {
    timeout 40 qemu-img info --object "tls-creds-psk,id=t,endpoint=client,username=slipway,dir=$TMP/psk" --image-opts \
        "driver=nbd,server.type=inet,server.host=${nbd%:*},server.port=${nbd##*:},export=disk,tls-creds=t"
}
last=0
check "a writer writes" wait_until 30 moving
thousand iSCSI "$portal"
check "NBD over TCP is served" nbd_tcp
thousand "NBD over TCP" "$nbd"
stop_writer "all that it wrote is there" load
check_same "and it saw no error" 0 "$(jq .errors "$TMP/load.out")"

# ---- iscsi-test-cu -----------------------------------------------------------------------------------
"${tester[@]}" --list | awk -F. 'NF == 3 && ($1 == "SCSI" || $1 == "iSCSI")' >"$TMP/tests"
# run_some VOLUME: takes the next test until there is none; a line "RESULT TEST MILLISECONDS" for each.
run_some() {
    local test status result begin url
    url=$(of_volume "$1")
    while :; do
        { flock 9 && test=$(head -n 1 "$TMP/tests") && sed -i 1d "$TMP/tests"; } 9>"$TMP/lock"
        [ -n "$test" ] || break
        begin=$(date +%s%3N) status=0
        timeout -k 5 "$limit" "${tester[@]}" -d -n -t "$test" "$url" >"$TMP/test.$test" 2>&1 || status=$?
        case $status:$(awk '$1 == "tests" { print $3, $5 }' "$TMP/test.$test") in
        124:*) result=TIME ;;
        0:"1 0") if grep -q SKIPPED "$TMP/test.$test"; then result=SKIP; else result=PASS; fi ;;
        *:"1 1") result=FAIL ;;
        *) result="NONE($status)" ;;
        esac
        echo "$result $test $(($(date +%s%3N) - begin))" >>"$TMP/results"
    done
}
begin=$SECONDS
for name in "${names[@]}"; do run_some "$name" & runs+=($!); done
wait "${runs[@]}" || true
count() { grep -c "^$1 " "$TMP/results" || true; }
echo "# iscsi-test-cu: $(wc -l <"$TMP/results") tests in $((SECONDS - begin)) s: $(count PASS) pass," \
    "$(count SKIP) skip, $(count FAIL) fail, $(count TIME) over time"
awk '$3 > 5000 { print "# " $0 }' "$TMP/results"
check_same "no crash of the target" "$before 0" "$(daemon) $(docker inspect -f '{{.RestartCount}}' "$iscsi")"
check_same "no test fails but those that are known" "" \
    "$(awk '$1 != "PASS" && $1 != "SKIP" { print $2 }' "$TMP/results" | grep -vxF "$(xargs -n 1 <<<"$known")" || true)"
check "at least $least pass" test "$(count PASS)" -ge "$least"
finish
