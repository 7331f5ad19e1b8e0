#!/bin/bash
# SPDX-License-Identifier: MIT
# Ceph's own options: however they are written they beat the profile's, and one that Ceph does not know is refused while
# the old configuration goes on. A monitor says everything once. Every key that is brought into effect in the running
# daemon, of the storage's components and of the drivers, with its extreme values and with what only the daemon can
# refuse: it is in effect, or status says why not. And an OSD that gets a second data volume.
# about 90 s
set -eu
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../environment.sh"

needs "Ceph's options" jq
environment cephoptions
components <<END
etcd: {instances: 1}
ceph-mon: {instances: 1, config: {settings: {"mon tick interval": "7", mon-lease: "2.5"}}}
ceph-mgr: {instances: 1}
ceph-osd: {instances: 1}
volumedriver-qemu: {instances: 1}
volumedriver-iscsi: {instances: 1}
volumedriver-fuse: {instances: 1}
END
option() { slip exec -T ceph-mon-1 -- ceph daemon /run/slipway/ceph/asok config get "$1" | jq -r ".$1"; }
has() { [ "$(option "$1")" = "$2" ]; }
healthy() { slip status >"$TMP/status" 2>&1; }
failed() { slip --json status | jq -e '.instances[] | select(.instance == "ceph-mon-1") | .config.result == "failed"'; }
daemon() {
    docker exec "$env-ceph-mon-1" sh -c \
        'for p in /proc/[0-9]*; do [ "$(cat "$p/comm")" != ceph-mon ] || echo "$p"; done'
}

check_status "up" 0 slip -f "$file" up

check_same "an option written with blanks beats the profile's" 7 "$(option mon_tick_interval)"
check_same "one written with dashes" 2.500000 "$(option mon_lease)"
check_same "what is not given is the profile's" 1.000000 "$(option mon_probe_timeout)"
check_status "a live change with blanks" 0 slip config set ceph-mon live '{"debug mon": "3/5"}'
check "reaches the daemon" wait_until 60 has debug_mon 3/5

# A change of `settings` restarts the daemon, one of `live` does not.
for key in settings live; do
    before=$(daemon)
    check_status "an option in $key that Ceph does not know" 0 slip config set ceph-mon "$key.no_such_option" 1
    check "is refused" wait_until 60 failed
    check_not "status is not healthy" healthy
    check_has "it names the option" "$(cat "$TMP/status")" "no_such_option"
    check "the old configuration goes on" wait_until 60 has mon_tick_interval 7
    [ "$key" = settings ] || check_same "in the same daemon" "$before" "$(daemon)"
    check_status "without it" 0 slip config delete ceph-mon "$key.no_such_option"
    check "all is well" wait_until 60 healthy
done

docker logs "$env-ceph-mon-1" 2>&1 | grep -E ' : (cluster|audit) ' >"$TMP/log" || true
check "a monitor says what happens in the cluster" test -s "$TMP/log"
check_same "each line once" "" "$(sort "$TMP/log" | uniq -d)"

# ---- every live key ----

# Key, type and what a change of it does, one a line, of a component's own description.
live_keys() {
    "$SLIPWAY" catalog show "$1" |
        sed -n 's/^| `\([a-z_]*\)` | \([^|]*\) | [^|]* | \(live\|reload\) |.*/\1 \2/p'
}
# What it may be, one value a line, as its type says; of a map what is in it is the daemon's business: a word says
# what the daemon is to make of it.
values() { # COMPONENT KEY TYPE
    case $3 in
    bool*) printf 'taken %s\n' true false ;;
    enum*) "$SLIPWAY" catalog show "$1" --json | jq -r --arg k "$2" '.properties[$k].enum[] | "either \(.)"' ;;
    size*) sed -n 's/.* from \([^ ,]*\).*/taken \1/p' <<<"$3"; echo either 9223372036854775807 ;;
    map*) maps "$1" "$2" ;;
    esac
}
maps() { # COMPONENT KEY
    case "$1 $2" in
    "ceph-mon live") printf '%s\n' 'taken {debug_mon: 20/20}' 'refused {debug_mon: loud}' ;;
    "ceph-mgr live") printf '%s\n' 'taken {debug_mgr: 20/20}' 'refused {debug_mgr: loud}' ;;
    "ceph-osd live") printf '%s\n' 'taken {osd_max_backfills: 1}' 'refused {osd_max_backfills: many}' ;;
    "ceph-mgr pools")
        printf '%s\n' 'either {volumes: {size: 1, min_size: 1, pg_num: 8}}' \
            'either {volumes: {size: 2, min_size: 1, pg_num: 8, quota: 9223372036854775807}}' \
            'refused {volumes: {size: 11, min_size: 1, pg_num: 8}}' \
            'refused {volumes: {size: 2, min_size: 1, pg_num: 8}, many: {size: 2, pg_num: 1000000}}'
        ;;
    "ceph-mgr volumes")
        printf '%s\n' 'taken {small: {size: 1MiB}, large: {size: 64TiB}}' 'refused {larger: {size: 65TiB}}' \
            'refused {copy: {size: 1MiB, from: nothing@never}}'
        ;;
    volumedriver-*" volumes")
        printf '%s\n' 'refused {lost: {pool: volumes, image: lost, size: 1048576}}' \
            'refused {lost: {pool: nowhere, image: lost, size: 1048576}}'
        ;;
    esac
}
configs() { slip --json status | jq -c --arg c "$1" '[.instances[] | select(.component == $c) | .config]'; }
in_effect() { configs "$1" | jq -e 'map(.current) | all'; }
complaint() { configs "$1" | jq -r '.[0].error // ""'; }
# Its instances have answered what etcd holds for them now, one way or the other.
answered() { # COMPONENT
    configs "$1" | jq -e 'map(.revision >= .desired_revision and (.current or .result == "failed")) |
        length > 0 and all'
}
try() { # COMPONENT KEY EXPECTED VALUE
    local why
    check_status "$1: $2 = $4" 0 slip config set "$1" "$2" "$4"
    check "$1: $2 = $4: is answered" wait_until 60 answered "$1"
    if in_effect "$1" >/dev/null; then
        check "$1: $2 = $4: is in effect" test "$3" != refused
        return
    fi
    why=$(complaint "$1")
    check "$1: $2 = $4: is refused: $why" test "$3" != taken -a -n "$why"
    check_not "$1: $2 = $4: status is not well then" healthy
    check_has "$1: $2 = $4: and says why" "$(tr -s ' \n' ' ' <"$TMP/status")" "$(tail -n 1 <<<"$why" | cut -c1-40)"
}
keys=0
for component in ceph-mon ceph-mgr ceph-osd volumedriver-qemu volumedriver-iscsi volumedriver-fuse; do
    while read -r key type; do
        tried=0
        while read -r expected value; do
            try "$component" "$key" "$expected" "$value"
            tried=$((tried + 1))
        done < <(values "$component" "$key" "$type")
        check "$component: $key was tried" test "$tried" -ge 2
        check_status "$component: $key as it was" 0 slip config delete "$component" "$key"
        check "$component: $key is in effect again" wait_until 60 in_effect "$component"
        keys=$((keys + 1))
    done < <(live_keys "$component")
done
check "every live key was tried ($keys)" test "$keys" -ge 12
check "all is well" wait_until 60 healthy

# ---- an OSD whose data volumes become more ----

inside() { docker exec "$env-ceph-osd-1" "$@"; }
store() { inside sh -c 'cat /data/osd/fsid && stat -c %i /data/osd/block'; }
head -c 1048576 /dev/urandom >"$TMP/data"
check "an object" slip exec -i ceph-mon-1 -- rados -p volumes put kept - <"$TMP/data"
before=$(store)
check "something right under the root of the data" inside touch /data/mine
sed -i 's/^  ceph-osd: .*/  ceph-osd: {instances: 1, volumes: 2}/' "$file"
check_status "one data volume becomes two" 0 slip -f "$file" up
check "which is there" inside test -d /data/2
check_same "the OSD is on the same store" "$before" "$(store)"
check "with all that is under the root" inside test -e /data/mine
read_back() { timeout 20 docker exec "$env-ceph-mon-1" rados -p volumes get kept - 2>/dev/null | cmp -s - "$TMP/data"; }
check "and the object" wait_until 60 read_back
sed -i 's/^  ceph-osd: .*/  ceph-osd: {instances: 1}/' "$file"
says "two become one" 1 "ceph-osd-1 has data in volume $env-ceph-osd-1-data2 too, which it would not see any more" \
    slip -f "$file" up
check_same "and nothing was touched" "$before" "$(store)"
finish
