#!/bin/bash
# SPDX-License-Identifier: MIT
# kill -9 of each driver under fio, which knows by a checksum in each block what it wrote. A client that connects again
# sees no error and finds everything; where the connection ends with the driver (a file, NBD without a reconnect), every
# write that fio was told of is there afterwards.
set -eu
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../environment.sh"
. "$(dirname "$0")/../writers.sh"

needs "fio under faults" jq fio qemu-img qemu-storage-daemon
environment fio
three_drivers 1 1
host=/var/lib/slipway/$env
on_exit 'kill $(cat "$TMP"/*.pid); umount -l "$TMP"/*.img'
declare -A driver=([vq]=qemu [vn]=qemu [vi]=iscsi [vf]=fuse) fio
cd "$TMP"

check_status "up starts a cluster with three drivers" 0 slip -f "$file" up
chap_login
for v in vq vn vi vf; do check_status "a volume for ${driver[$v]}" 0 slip volume create "$v" --size 64MiB --attach \
    "${driver[$v]}"; done

# show VOLUME BLOCKDEV...: as a file, by a client of the driver that connects again.
show() {
    local v=$1
    shift
    : >"$v.img"
    check "$v: a client that connects again" qemu-storage-daemon "$@" \
        --export "type=fuse,id=f,node-name=v,mountpoint=$v.img,writable=on" --daemonize --pidfile "$v.pid"
}
show vq --blockdev "driver=nbd,node-name=v,server.type=unix,server.path=$host/volumedriver-qemu-1/nbd.sock,\
export=vq,reconnect-delay=90"
printf %s "$LIBISCSI_CHAP_PASSWORD" >chap
portal=$(of_volume vi | cut -d / -f 3)
show vi --object "secret,id=chap,file=chap" --blockdev "driver=iscsi,node-name=v,transport=tcp,portal=$portal,\
target=iqn.2024-01.io.slipway:$env.vi,lun=1,user=slipway,password-secret=chap"

# start_fio VOLUME OPTION...: 4 KiB at random places, each once, none before the one 5 ms ago.
start_fio() {
    local v=$1
    shift
    fio --name="$v" --rw=randwrite --bs=4k --size=16M --rate_iops=200 --verify=crc32c --verify_fatal=1 --direct=1 \
        --write_lat_log="$v" --log_offset=1 --output="$v.json" --output-format=json "$@" >"$v.out" 2>&1 &
    fio[$v]=$!
}
# The file that a client of Debian 12 shows takes one write at a time (components/volumedriver-fuse/README.md).
start_fio vq --filename=vq.img --ioengine=psync
start_fio vi --filename=vi.img --ioengine=psync
start_fio vf --filename="$host/volumedriver-fuse-1/vf" --ioengine=libaio --iodepth=16 --do_verify=0
start_fio vn --ioengine=nbd --uri="nbd+unix:///vn?socket=$host/volumedriver-qemu-1/nbd.sock" --iodepth=16 --do_verify=0
sleep 4
for d in qemu iscsi fuse; do kill9 "volumedriver-$d-1" "$(daemon_of "$d")" "kill -9 of the $d driver under fio"; done
well() { slip status --json 2>/dev/null | jq -e .healthy; }
check "all of them come back" wait_until 60 well

for v in vq vi; do
    status=0
    wait "${fio[$v]}" || status=$?
    check_same "fio goes on through ${driver[$v]}, and finds all that it wrote" "0" \
        "$status$(grep -m 3 'verify\|error' "$v.out" || true)"
done
check "it was killed in the midst of it" jq -e '.jobs[0].write.clat_ns.max > 500000000' vq.json
# ended PID: it has; its status is for wait.
ended() { ! kill -0 "$1"; }
for v in vf vn; do
    status=0
    # The NBD engine of fio now and then waits for ever on a connection that has ended.
    if ! wait_until 90 ended "${fio[$v]}"; then
        kill -9 "${fio[$v]}"
        skip "each of what ${driver[$v]} took" "fio did not see the end of its connection"
        [ "$v" = vn ] || not_ok "a file of ${driver[$v]} ends with its driver"
        continue
    fi
    wait "${fio[$v]}" || status=$?
    check_not "the connection of fio to ${driver[$v]} ends with the driver" test "$status" = 0
    { printf 'fio version 2 iolog\n%s\n%s\n' "copy add" "copy open" &&
        awk -F', *' '{ print "copy read", $5, $4 }' "${v}"_clat*.log && echo "copy close"; } >told
    told=$(grep -c '^copy read' told)
    check "it was told of some writes before" test "$told" -gt 100
    case $v in vf) from=$host/volumedriver-fuse-1/vf ;; *) \
        from="nbd+unix:///vn?socket=$host/volumedriver-qemu-1/nbd.sock" ;; esac
    check "the volume is served again" wait_until 60 qemu-img convert -f raw -O raw "$from" copy
    check "each of the $told is there" fio --name=v --read_iolog=told --verify=crc32c --verify_fatal=1 --ioengine=psync
done

# One more time whole, without a fault, with 16 requests at once: no request takes the place of another.
check "a file written 16 at a time holds what was written" fio --name=w --filename="$host/volumedriver-fuse-1/vf" \
    --rw=randwrite --bs=4k --size=16M \
    --ioengine=libaio --direct=1 --iodepth=16 --verify=crc32c --verify_fatal=1
check_status "down" 0 slip down --volumes --yes
finish
