# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154 # TMP, ROOT, env, slip come from lib.sh and environment.sh
# For tests that write to volumes through the drivers: writers that know what they flushed, and read it back.

io=$ROOT/tests/integration/volume_io.py
declare -A writer # process of each volume's writer
on_exit 'kill -9 $(jobs -p)'

# three_drivers ETCDS MONITORS: the document of a cluster with every driver, and a pool of erasure-coded data.
three_drivers() {
    components <<END
etcd: {instances: $1}
ceph-mon: {instances: $2}
ceph-mgr:
  instances: 1
  config:
    pools:
      volumes: {size: 2, min_size: 1, pg_num: 8, application: rbd}
      cold: {kind: erasure, k: 2, m: 1, min_size: 2, pg_num: 8}
ceph-osd: {instances: 3}
volumedriver-qemu: {instances: 1}
volumedriver-iscsi: {instances: 1}
volumedriver-fuse: {instances: 1}
END
}

# chap_login: libiscsi takes the login from the environment, so it is in no argument list.
chap_login() {
    LIBISCSI_CHAP_USERNAME=slipway
    LIBISCSI_CHAP_PASSWORD=$(docker exec "$env-volumedriver-iscsi-1" cat /run/slipway/secrets/chap)
    export LIBISCSI_CHAP_USERNAME LIBISCSI_CHAP_PASSWORD
}

# of_volume VOLUME [INSTANCE]: what volume_io.py calls it, from the lines that `volume show` prints.
of_volume() {
    local line
    line=$(slip volume show "$1" --json | jq -r --arg i "${2:-}" '
        [.attached[] | select($i == "" or .instance == $i)][0].use[] |
        select(.title == "the file" or (.title | startswith("libiscsi")) or (.title | startswith("qemu-img"))) | .line')
    case $line in
    nbd+unix:*) echo "nbd:${line#*socket=}:$1" ;;
    *) echo "${line/slipway%PASSWORD@/}" ;;
    esac
}

start_writer() { # VOLUME
    python3 "$io" write "$(of_volume "$1")" "$TMP/$1.state" >"$TMP/$1.out" 2>"$TMP/$1.err" &
    writer[$1]=$!
    wait_until 30 test -s "$TMP/$1.state" || true
}

# said VOLUME WORD: of what the writer says of itself, writes or errors or worst_ms.
said() { jq -r ".$2" "$TMP/$1.state" 2>/dev/null || echo 0; }

# same VOLUME [INSTANCE]: every flushed write of its writer is there.
same() { python3 "$io" verify "$(of_volume "$1" "${2:-}")" "$TMP/$1.state"; }

# stop_writer NAME VOLUME: the writer ends and reads everything back itself.
stop_writer() {
    local status=0
    kill -TERM "${writer[$2]}"
    wait "${writer[$2]}" || status=$?
    check_same "$1" "0 []" "$status $(jq -c .wrong "$TMP/$2.out")$(cat "$TMP/$2.err")"
}

# pid_of INSTANCE PATTERN: of the process on this machine.
pid_of() { docker top "$env-$1" -eo pid,args | awk -v p="$2" \
    '$0 ~ p && $2 !~ /slipway-init|setpriv/ { print $1; exit }'; }
kill9() {
    local pid
    pid=$(pid_of "$1" "$2")
    check "$3" kill -9 "${pid:-none}"
}

# daemon_of DRIVER: the pattern of the process that has the images open.
daemon_of() { case $1 in iscsi) echo 'tgtd -f' ;; *) echo \
    'qemu-storage-daemon --chardev socket,id=qmp,path=[^ ]*/main,' ;; esac; }
