#!/bin/bash
# SPDX-License-Identifier: MIT
# What breaks while three writers write through the three drivers: kill -9 of each driver, of its agent, of an OSD, the
# leading monitor and the leading etcd, then docker restart of everything. No write that was flushed may be lost, and
# where the driver itself lives, no writer may see an error. At the end each volume is read through another driver.
# about 120 s
set -eu
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../environment.sh"
. "$(dirname "$0")/../writers.sh"

needs "volume faults" jq python3 iscsi-ls
environment vfaults
three_drivers 3 3
volumes=(vq vi vf)
declare -A driver=([vq]=qemu [vi]=iscsi [vf]=fuse)
# note: remembers where every writer is.
declare -A writes errors
note() {
    local v
    for v in "${volumes[@]}"; do writes[$v]=$(said "$v" writes) errors[$v]=$(said "$v" errors); done
}
further() { [ "$(said "$1" writes)" -gt $((writes[$1] + 40)) ]; }
# go_on WHAT [VOLUME...]: all writers get on after it, and only those named saw errors.
go_on() {
    local what=$1 v
    shift
    for v in "${volumes[@]}"; do
        check "$what: ${driver[$v]} goes on writing" wait_until 90 further "$v"
        case " $* " in
        *" $v "*) ;;
        *) check_same "$what: without an error through ${driver[$v]}" "${errors[$v]}" "$(said "$v" errors)" ;;
        esac
    done
}
is_well() {
    [ "$(slip status --json 2>/dev/null | jq -r --arg i "$1" '.instances[] | select(.instance == $i) |
        "\(.state) \(.health)"')" = "ready healthy" ]
}
well() { slip status --json 2>/dev/null | jq -e .healthy; }

check_status "up starts a cluster with three drivers" 0 slip -f "$file" up
chap_login
check_status "a volume for the QEMU driver" 0 slip volume create vq --size 64MiB --attach qemu
check_status "a volume for the iSCSI driver" 0 slip volume create vi --size 64MiB --attach iscsi
check_status "a volume with erasure-coded data for the FUSE driver" 0 slip volume create vf --size 64MiB --data-pool \
    cold --attach fuse
for v in "${volumes[@]}"; do
    start_writer "$v"
    check "a writer writes through ${driver[$v]}" wait_until 30 test -s "$TMP/$v.state"
done
note
go_on "before anything breaks"

for v in "${volumes[@]}"; do
    instance=volumedriver-${driver[$v]}-1
    note
    kill9 "$instance" "$(daemon_of "${driver[$v]}")" "kill -9 of the ${driver[$v]} driver"
    go_on "after it" "$v"
    check "$instance is well again" wait_until 60 is_well "$instance"
    note
    kill9 "$instance" slipway-agent "kill -9 of its agent"
    go_on "after it"
    check "$instance has a new agent" wait_until 60 is_well "$instance"
done

note
kill9 ceph-osd-2 'ceph-osd -f' "kill -9 of an OSD"
go_on "after it"
note
leader=$(docker exec "$env-ceph-mon-1" ceph quorum_status | jq -r .quorum_leader_name)
kill9 "$leader" 'ceph-mon -f' "kill -9 of $leader, the leading monitor"
go_on "after it"
note
leads() { docker exec "$env-$1" bash -c \
    'exec 3<>/dev/tcp/127.0.0.1/2381; printf "GET /metrics HTTP/1.0\r\n\r\n" >&3; cat <&3' |
    grep -q '^etcd_server_is_leader 1'; }
for etcd in etcd-1 etcd-2 etcd-3; do ! leads "$etcd" || break; done
kill9 "$etcd" 'etcd --config' "kill -9 of $etcd, the leader"
go_on "after it"
check_status "and a volume is made meanwhile" 0 slip volume create more --size 16MiB

check "everything is well before the worst" wait_until 90 well
note
docker ps -q --filter label=slipway.name="$env" | xargs docker restart -t 2 >/dev/null
go_on "docker restart of everything" "${volumes[@]}"
check "everything is well after it" wait_until 90 well

for v in "${volumes[@]}"; do
    stop_writer "every flushed write through ${driver[$v]} is there: $(said "$v" writes) writes, worst batch \
$(said "$v" worst_ms) ms" "$v"
done
declare -A other=([vq]=fuse [vi]=qemu [vf]=iscsi)
for v in "${volumes[@]}"; do
    check_status "$v moves to ${other[$v]}" 0 slip volume move "$v" --to "${other[$v]}"
    check "where it has the same data" same "$v"
done
finish
