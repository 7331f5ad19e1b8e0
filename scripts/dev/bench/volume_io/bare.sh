# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# shellcheck disable=SC2154 # env is bench/volumes.sh's
# For bench/volumes.sh: the same tools as the drivers have, started by hand with what they do by themselves: no
# settings, no preloaded library.
# They serve volumes/disk from a container of their own.

# bare_start nbd|vhost|iscsi|fuse
bare_start() {
    local way=$1 tool i
    rm -f "$TMP/bare"/*
    tool="qemu-storage-daemon --blockdev driver=rbd,node-name=n,pool=volumes,image=disk,user=rbd"
    tool+=",conf=/client/ceph.conf,cache.direct=on"
    case $way in
    nbd)
        tool+=" --nbd-server addr.type=unix,addr.path=/bare/nbd"
        tool+=" --export type=nbd,id=e,node-name=n,name=disk,writable=on"
        ;;
    vhost) tool+=" --export type=vhost-user-blk,id=e,node-name=n,addr.type=unix,addr.path=/bare/vhost,writable=on" ;;
    fuse) tool="touch /disk; exec $tool --export type=fuse,id=e,node-name=n,mountpoint=/disk,writable=on" ;;
    iscsi) tool="mkdir -p /run/tgtd; exec tgtd -f" ;;
    esac
    docker run -d --name "$env-bare" --network "$env-net" --cap-add SYS_ADMIN --device /dev/fuse --security-opt \
        apparmor=unconfined \
        -v "$TMP/bare:/bare" -v "$TMP/client:/client:ro" --entrypoint sh slipway/bench-volumes -c \
            "${tool/#qemu/exec qemu}" >/dev/null
    for ((i = 0; i < 100; i++)); do
        bare_there "$way" && return
        sleep 0.1
    done
    echo "bare $way does not start" >&2
    return 1
}
bare_there() {
    case $1 in
    nbd | vhost) [ -S "$TMP/bare/$1" ] ;;
    fuse) docker exec "$env-bare" grep -q " /disk fuse" /proc/mounts ;;
    iscsi) docker exec "$env-bare" sh -ec 't() { tgtadm --lld iscsi "$@"; }
        t --op new --mode target --tid 1 -T iqn.bare:disk
        t --op new --mode logicalunit --tid 1 --lun 1 --bstype rbd \
            --backing-store volumes/disk --bsopts "conf=/client/ceph.conf;id=rbd"
        t --op bind --mode target --tid 1 -I ALL' >/dev/null 2>&1 ;;
    esac
}
# With a lock left behind the next writer would wait for half a minute.
bare_stop() {
    docker exec "$env-bare" sh -c 'tgtadm --lld iscsi --op delete --mode logicalunit --tid 1 --lun 1' >/dev/null 2>&1 ||
        true
    docker stop -t 2 "$env-bare" >/dev/null
    docker rm -f "$env-bare" >/dev/null
}
# bare_io WAY COMMAND...
bare_io() {
    local way=$1 in=$env-client
    shift
    case $way in
    nbd) set -- nbd "nbd+unix:///disk?socket=/bare/nbd" "$@" ;;
    vhost) set -- vhost /bare/vhost "$@" ;;
    iscsi)
        set -- iscsi "iscsi://$(docker inspect -f \
            "{{(index .NetworkSettings.Networks \"$env-net\").IPAddress}}" "$env-bare")/iqn.bare:disk/1" "$@"
        ;;
    fuse)
        in=$env-bare
        set -- file /disk "$@"
        ;;
    esac
    docker exec "$in" timeout 120 volume_io "$@"
}
