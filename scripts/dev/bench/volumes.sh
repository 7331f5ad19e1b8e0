#!/bin/bash
# SPDX-License-Identifier: MIT
# Volumes: input and output through each driver beside librbd itself (fio's rbd engine), and how long commands take.
# Same image, rounds in which every driver has its turn within half a minute. Takes about 10 minutes. The lines "librbd,
# same client" say what the client of the drivers' figures gets out of librbd.
# BENCH_ENV names an environment that is there already and stays.
#   RUNS=3 SECONDS_EACH=2
#   CELLS="4k-read 4k-write 1M-read 1M-write" DRIVERS="nbd tls vhost iscsi fuse" PARTS="io commands"
#   SAMPLES=FOLDER   keeps what was measured and adds to what is there, for a run in pieces
#   BARE="nbd vhost iscsi fuse"   the drivers' tools as they are by themselves, in the same rounds
set -eu
# shellcheck source=scripts/dev/bench/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=scripts/dev/bench/volume_io/bare.sh
. "$(dirname "$0")/volume_io/bare.sh"

needs docker

runs=${RUNS:-3} each=${SECONDS_EACH:-2} size=${SIZE:-1GiB}
read -ra cells <<<"${CELLS:-4k-read 4k-write 1M-read 1M-write}"
read -ra drivers <<<"${DRIVERS:-nbd tls vhost iscsi fuse}"
read -ra bare <<<"${BARE-nbd vhost iscsi fuse}"
drivers+=("${bare[@]/#/bare-}")
parts=${PARTS:-io commands} samples=${SAMPLES:-$TMP}
mkdir -p "$samples"
depths=(1 16)
env=${BENCH_ENV:-bench-volumes-$$}
file=$TMP/$env.yaml
host=/var/lib/slipway/$env
qemu=volumedriver-qemu-1 qemu2=volumedriver-qemu-2 iscsi=volumedriver-iscsi-1 fuse=volumedriver-fuse-1
slip() { "$SLIPWAY" -q -e "$env" "$@"; }
volume() { slip volume "$@"; }
bring_up() {
    export SLIPWAY_HOME=$TMP/home
    on_exit "slip down --volumes --yes"
    cat >"$file" <<EOF
name: $env
profile: quick
components:
  etcd: {instances: 1}
  ceph-mon: {instances: 1}
  ceph-mgr: {instances: 1}
  ceph-osd: {instances: 2}
  volumedriver-qemu: {instances: 2}
  volumedriver-iscsi: {instances: 1}
  volumedriver-fuse: {instances: 1}
EOF
    "$SLIPWAY" -q up "$file" >/dev/null
}

# ---- the client: a container beside them, with the host's sockets and files
secret() { docker exec "$env-$1" cat "/run/slipway/$2"; }
client() {
    local base
    base=$(docker inspect -f '{{.Config.Image}}' "$env-$qemu")
    docker build -q --build-arg "BASE=$base" -t slipway/bench-volumes "$ROOT/scripts/dev/bench/volume_io" >/dev/null
    mkdir -m 700 "$TMP/client"
    { # what a client has by default, but for the cache, which the drivers must not have either
        printf '[global]\nkeyring = /client/keyring\nrbd_cache = false\n'
        secret "$qemu" qsd/ceph.conf | grep '^mon_host = '
    } >"$TMP/client/ceph.conf"
    secret "$qemu" qsd/ceph.conf.keyring >"$TMP/client/keyring"
    echo "slipway:$(secret "$qemu" secrets/nbd)" >"$TMP/client/psk"
    secret "$iscsi" secrets/chap >"$TMP/client/chap"
    docker run -d --name "$env-client" --network "$env-net" --entrypoint sleep -v "$TMP/client:/client:ro" \
        -v "$host/$qemu:$host/$qemu" -v "$TMP/bare:/bare" \
        -v "$host/$qemu2:$host/$qemu2" -v "$host/$fuse:$host/$fuse:rslave" -e CEPH_CONF=/client/ceph.conf -e \
            PSK=/client/psk \
        -e CHAP=/client/chap slipway/bench-volumes infinity >/dev/null
}
address() { docker inspect -f "{{(index .NetworkSettings.Networks \"$env-net\").IPAddress}}" "$env-$1"; }

# io WAY COMMAND: operations per second.
io() {
    local way=$1 engine target
    shift
    case $way in
    fio) fio_rbd "$@"; return ;;
    bare-*) bare_io "${way#bare-}" "$@"; return ;;
    rbd) engine=rbd target=volumes/disk ;;
    nbd) engine=nbd target="nbd+unix:///disk?socket=$host/$qemu/nbd.sock" ;;
    tls) engine=nbd target="nbds://$(address "$qemu")/disk" ;;
    vhost) engine=vhost target=$host/$qemu/disk.vhost ;;
    iscsi) engine=iscsi target="iscsi://$(address "$iscsi")/iqn.2024-01.io.slipway:$env.disk/1" ;;
    fuse) engine=file target=$host/$fuse/disk ;;
    esac
    docker exec "$env-client" timeout 120 volume_io "$engine" "$target" "$@"
}
fio_rbd() { # read|write BYTES DEPTH SECONDS
    local rw=$1 field=8
    [ "$1" = read ] || field=49
    [ "$2" -gt 65536 ] || rw=rand$rw
    docker exec "$env-client" fio --name=x --ioengine=rbd --clientname=rbd --pool=volumes --rbdname=disk --rw="$rw" \
        --bs="$2" \
        --iodepth="$3" --time_based --runtime="$4" --output-format=terse --terse-version=3 2>/dev/null |
        awk -F';' -v f="$field" '{ print $f }'
}

driver_of() { case $1 in rbd | fio | bare-*) echo none ;; iscsi) echo "$iscsi" ;; fuse) echo "$fuse" ;; *) echo \
    "$qemu" ;; esac; }
serve() { # INSTANCE: who has the volume from now on
    [ "$1" != "$now" ] || return 0
    [ "$now" = none ] || volume detach disk
    [ "$1" = none ] || volume attach disk --to "$1"
    now=$1
}

measure() {
    local round cell depth way bytes
    volume create disk --size "$size"
    now=none
    io rbd write 1048576 8 0 >/dev/null
    for ((round = 1; round <= runs; round++)); do
        for cell in "${cells[@]}"; do
            bytes=4096
            [ "${cell%-*}" = 4k ] || bytes=1048576
            for way in fio rbd "${drivers[@]}"; do
                serve "$(driver_of "$way")"
                [[ $way != bare-* ]] || bare_start "${way#bare-}"
                for depth in "${depths[@]}"; do io "$way" "${cell#*-}" "$bytes" "$depth" "$each" \
                    >>"$samples/$way-$cell-$depth"; done
                [[ $way != bare-* ]] || bare_stop
            done
            serve none
        done
    done
    volume delete --yes disk
}
median() { sort -n "$1" | awk '{ v[NR] = $1 } END { if (NR) printf "%.0f\n", v[int((NR + 1) / 2)] }'; }
spread() { sort -n "$1" | awk '{ v[NR] = $1 } END { if (NR) printf "%.0f-%.0f\n", v[1], v[NR] }'; }

# What the tools gave by themselves (tried by hand, notes of the project's beginning), or the goal when that is more.
goal() { # WAY CELL DEPTH
    case $1:$2:$3 in
    bare-*) ;;
    nbd:*-read:16 | tls:*-read:16 | vhost:1M-read:16 | iscsi:*) echo 0.80 ;;
    *) echo 0.90 ;;
    esac
}
title() {
    case $1 in
    nbd) echo "NBD, unix socket" ;; tls) echo "NBD, TCP with TLS" ;; vhost) echo vhost-user-blk ;;
    iscsi) echo iSCSI ;; fuse) echo "file (FUSE)" ;; rbd) echo "librbd, same client" ;;
    bare-*) echo "bare $(title "${1#bare-}")" ;;
    esac
}
show() {
    local cell depth way peer value
    printf '%-38s %10s %10s %7s  %-14s %s\n' "operations a second" value librbd ratio "lowest-highest" goal
    for cell in "${cells[@]}"; do
        for depth in "${depths[@]}"; do
            peer=$(median "$samples/fio-$cell-$depth")
            for way in rbd "${drivers[@]}"; do
                [ -s "$samples/$way-$cell-$depth" ] || continue
                value=$(median "$samples/$way-$cell-$depth")
                awk -v what="${cell/-/ } q$depth: $(title "$way")" -v value="$value" -v peer="$peer" \
                    -v range="$(spread "$samples/$way-$cell-$depth")" \
                    -v goal="$([ "$way" = rbd ] || goal "$way" "$cell" "$depth")" 'BEGIN {
                    ratio = peer > 0 ? value / peer : 0
                    printf "%-38s %10s %10s %7.2f  %-14s %s\n", what, value, peer, ratio, range,
                        goal == "" ? "" : goal (ratio + 0.005 >= goal ? " ok" : " MISSED") }'
            done
        done
    done
}

# ---- commands
some() { # FILE COMMAND: appends its milliseconds
    local out=$1
    shift
    time_ms "$@" >>"$out" || {
        echo "$* failed: $(tail -n 3 "$TMP/out")" >&2
        return 1
    }
}
# The old driver is stopped, not dead, which is the harder case.
taken_over() { # NUMBER TO
    volume move "over$1" --to "$2" --force
    docker exec "$env-client" volume_io nbd "nbd+unix:///over$1?socket=$host/$2/nbd.sock" write 4096 1 0.01
}
commands() {
    local i many d
    for ((i = 1; i <= 5; i++)); do
        some "$TMP/t-create" volume create "c$i" --size 1GiB
        gib=1
        for d in "$qemu" "$iscsi" "$fuse"; do
            gib=$((gib + 1))
            some "$TMP/t-attach-$d" volume attach "c$i" --to "$d"
            some "$TMP/t-resize-$d" volume resize "c$i" "${gib}GiB"
            some "$TMP/t-detach-$d" volume detach "c$i"
        done
        some "$TMP/t-delete" volume delete --yes "c$i"
    done
    read -ra many <<<"$(seq -s ' ' -f 'm%g' 100)"
    some "$TMP/t-many" volume create "${many[@]}" --size 1GiB --attach "$qemu"
    some "$TMP/t-more" volume create one-more --size 1GiB
    some "$TMP/t-more-attach" volume attach one-more --to "$qemu"
    some "$TMP/t-unmany" volume detach "${many[@]}" one-more
    for ((i = 1; i <= 3; i++)); do
        volume create "over$i" --size 1GiB --attach "$qemu"
        docker exec "$env-client" volume_io nbd "nbd+unix:///over$i?socket=$host/$qemu/nbd.sock" write 4096 1 0.01 \
            >/dev/null
        docker pause "$env-$qemu" >/dev/null
        some "$TMP/t-over" taken_over "$i" "$qemu2"
        docker unpause "$env-$qemu" >/dev/null
        volume detach "over$i"
    done
}
show_commands() {
    local d
    table
    row "volume create" "$(median "$TMP/t-create")" ms "" 300
    for d in "$qemu" "$iscsi" "$fuse"; do
        row "volume attach, ${d%-1}" "$(median "$TMP/t-attach-$d")" ms "" 500
        row "volume resize, ${d%-1}" "$(median "$TMP/t-resize-$d")" ms
        row "volume detach, ${d%-1}" "$(median "$TMP/t-detach-$d")" ms
    done
    row "volume delete" "$(median "$TMP/t-delete")" ms
    row "100 volumes created and attached" "$(median "$TMP/t-many")" ms "" 30000
    row "one more beside 100: create" "$(median "$TMP/t-more")" ms
    row "one more beside 100: attach" "$(median "$TMP/t-more-attach")" ms
    row "101 volumes detached" "$(median "$TMP/t-unmany")" ms
    row "take-over to the first write elsewhere" "$(median "$TMP/t-over")" ms "" 2000
}

[ -n "${BENCH_ENV:-}" ] || bring_up
on_exit "docker rm -f $env-client $env-bare"
mkdir -m 755 "$TMP/bare"
client
for part in $parts; do
    case $part in
    io)
        measure
        show
        ;;
    commands)
        commands
        show_commands
        ;;
    esac
    echo
done
