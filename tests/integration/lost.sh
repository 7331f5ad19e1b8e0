#!/bin/bash
# SPDX-License-Identifier: MIT
# Data that is gone though it was there: nobody begins with nothing over it, unless somebody said so.
set -eu
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../environment.sh"

needs "lost data" jq
catalog=$TMP/catalog
mkdir -p "$catalog"
for name in keeper rebuilder; do
    mkdir -p "$catalog/$name/hooks"
    sed "s/^name: .*/name: $name/; s/^requires: .*/requires: [etcd]/" \
        "$ROOT/tests/data/components/sleeper/component.yaml" \
        >"$catalog/$name/component.yaml"
    printf '#!/bin/sh\necho "$SLIPWAY_INSTANCE" >>"$SLIPWAY_DATA/once"\n' >"$catalog/$name/hooks/once"
done
sed -i 's/^data: .*/data: {root: \/data, volumes: 1, rebuilds: true}/' "$catalog/rebuilder/component.yaml"
cat >"$catalog/rebuilder/hooks/prepare" <<'END'
#!/bin/sh
[ -n "${SLIPWAY_DATA_LOST:-}" ] || exit 0
echo lost >>"$SLIPWAY_DATA/heard"
[ "$(wc -l <"$SLIPWAY_DATA/heard")" -ge 2 ] || { echo "not yet" >&2; exit 1; }
END
chmod 755 "$catalog"/*/hooks/*
environment lost --catalog "$catalog"
components <<END
etcd: {instances: 1}
keeper: {instances: 1}
rebuilder: {instances: 1}
ceph-mon: {instances: 1}
ceph-mgr: {instances: 1}
ceph-osd: {instances: 1, config: {size: 2GiB}}
END
# Something may be done before it: then it is partly done, else unhealthy.
refused() {
    local status=0
    slip up >"$TMP/out" 2>"$TMP/err" || status=$?
    check "$1 is refused" test "$status" = 3 -o "$status" = 5
}
check_status "up" 0 slip -f "$file" up
check_same "hook once has run" keeper-1 "$(docker exec "$env-keeper-1" cat /data/once)"

# What is stored does not shrink.
says "a smaller OSD" 6 "size only grows: ceph-osd-1 has 2GiB, and 1GiB would be smaller" slip config set ceph-osd size \
    1GiB
says "a smaller one of its own" 6 "size only grows" slip config set ceph-osd-1 size 1GiB
says "an override that goes" 6 "size only grows" sh -ec \
    '"$@" config set ceph-osd-1 size 3GiB; "$@" config delete ceph-osd-1 size' - "$SLIPWAY" "${slip_options[@]}" -q -e \
    "$env"
sed 's/size: 2GiB/size: 1GiB/' "$file" >"$TMP/smaller.yaml"
sed 's/size: 2GiB/size: 3GiB/' "$file" >"$TMP/larger.yaml"
check_status "config set takes a larger one" 0 slip config set ceph-osd size 3GiB
says "up with a smaller one" 6 "size only grows" slip -f "$TMP/smaller.yaml" up
check_status "up with a larger one" 0 slip -f "$TMP/larger.yaml" up

# Somebody removes volumes while all is down.
osd_store=$(docker exec "$env-ceph-osd-1" cat /data/osd/fsid)
check_status "down" 0 slip down
check "volumes are removed by Docker" docker volume rm "$env-keeper-1-data" "$env-rebuilder-1-data"
refused "up"
check_has "says what is gone" "$(cat "$TMP/err")" "the data of keeper-1 is gone: its volume is empty"
check_has "and how to begin without it" "$(cat "$TMP/err")" "slipway -e $env remove --force --volumes keeper-1"
check_status "status says it too" 5 slip status
check_has "of this instance" "$(grep '^keeper-1' "$TMP/out")" "data of keeper-1 is gone"
check_same "nothing was written there" "" "$(docker run --rm -v "$env-keeper-1-data:/d" --entrypoint ls \
    "$(docker inspect -f '{{.Config.Image}}' "$env-keeper-1")" /d)"
check_same "what can make it again was told, until it was ready" "lost lost" \
    "$(docker exec "$env-rebuilder-1" cat /data/heard | xargs)"
check_status "a new start of it" 0 slip restart rebuilder-1
check_same "is not told any more" "lost lost" "$(docker exec "$env-rebuilder-1" cat /data/heard | xargs)"
refused "up once more"
check_status "what is removed on purpose" 0 slip remove --force --volumes --yes keeper-1
check_status "begins with nothing" 0 slip up
check_same "and hook once runs again" keeper-1 "$(docker exec "$env-keeper-1" cat /data/once)"

# etcd, which remembers who had data and what ran once.
check_status "down for etcd" 0 slip down
check "the only etcd's volume is removed" docker volume rm "$env-etcd-1-data"
says "up without it" 1 "the data of etcd-1 is gone: volume $env-etcd-1-data was made" slip up
check_has "says how to begin without it" "$(cat "$TMP/err")" "slipway -e $env down --volume $env-etcd-1-data"
check_not "and makes none" docker volume inspect "$env-etcd-1-data"
check_status "plan says so too" 1 slip plan
check_status "it is given up" 0 slip down --yes --volume "$env-etcd-1-data"
check_status "and given up again" 0 slip down --yes --volume "$env-etcd-1-data"
check_status "up with an empty etcd" 0 slip up
check_same "the data is there, and hook once does not run over it" keeper-1 \
    "$(docker exec "$env-keeper-1" cat /data/once)"
check_same "the OSD has its store" "$osd_store" "$(docker exec "$env-ceph-osd-1" cat /data/osd/fsid)"

# The only monitor.
check_status "down again" 0 slip down
check "the only monitor's volume is removed" docker volume rm "$env-ceph-mon-1-data"
refused "up"
check_has "with what it would mean" "$(cat "$TMP/err")" "a new cluster would lose all that the OSDs hold"
check_not "no store was made" docker exec "$env-ceph-mon-1" test -e /data/mon
check_same "the OSD's is the old one" "$osd_store" "$(docker run --rm -v "$env-ceph-osd-1-data:/d" \
    --entrypoint cat "$(docker inspect -f '{{.Config.Image}}' "$env-ceph-osd-1")" /d/osd/fsid)"

# Both: then only this machine knows of the monitor's.
check_status "down once more" 0 slip down
check "both volumes are removed" docker volume rm "$env-ceph-mon-1-data" "$env-etcd-1-data"
says "up" 1 "the data of ceph-mon-1 is gone" slip up
check_has "names the other one, too" "$(cat "$TMP/err")" "the data of etcd-1 is gone"
check_status "etcd's is given up" 0 slip down --yes --volume "$env-etcd-1-data"
says "up still" 1 "the data of ceph-mon-1 is gone" slip up
finish
