#!/bin/bash
# SPDX-License-Identifier: MIT
# The hooks of the catalog's components in real containers, driven by a few lines of shell in place of the agent: so a
# fault here is the hook's or the image's. Usage: components.sh [etcd] [ceph] [growth] [pools]
set -eu
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

for need in docker jq openssl; do command -v "$need" >/dev/null || { skip "components" "no $need"; finish; }; done
docker info >/dev/null 2>&1 || { skip "components" "no Docker"; finish; }

P=components-test-$$
SUBNET=10.231.$((RANDOM % 250)).0/24
FSID=$(cat /proc/sys/kernel/random/uuid)
# shellcheck source=tests/components/components_lib.sh
. "$(dirname "$0")/components_lib.sh"
on_exit "remove_all; docker network rm $P"

build_images
docker network create --subnet "$SUBNET" "$P" >/dev/null
make_secrets

# ctl MEMBER WORDS...: etcdctl as root.
ctl() {
    docker exec "$P-etcd-$1" sh -c 'shift; . /agent/env
        ETCDCTL_USER="root:$(cat /run/slipway/secrets/root_password)" ETCDCTL_API=3 exec etcdctl "$@"' sh "$@"
}
ceph() { docker exec "$P-ceph-mon-1" ceph "$@"; }
# verdicts INSTANCE: "test=RESULT ..." of its hook check.
verdicts() { hook "$1" check | jq -r '.test + "=" + .result' | paste -sd ' '; }
# shellcheck disable=SC2317 # called by wait_until
all_clean() {
    [ "$(ceph pg stat -f json | jq '.pg_summary |
        [.num_pgs, ([.num_pg_by_state[] | select(.name == "active+clean").num] | add)] |
        .[0] == .[1] and .[0] > 0')" = true ]
}
# shellcheck disable=SC2317
is_active() { [ "$(hook "$1" health)" = active ]; }
# shellcheck disable=SC2317
has_size() { [ "$(ceph osd metadata "$1" -f json | jq -r .bluestore_bdev_size)" = "$2" ]; }
started() { for i; do wait_until 90 settled "$i"; check "$i is ready" reached "$i" ready || true; done; }

test_etcd() {
    COUNT[etcd]=3
    for i in 1 2 3; do member_certificate "etcd-$i"; done
    prepare_files etcd-1 etcd-2 etcd-3
    start etcd-1 & start etcd-2 & wait
    started etcd-1 etcd-2
    start etcd-3
    started etcd-3
    check_same "three members make one cluster" 3 "$(ctl 1 member list | grep -c started)"
    check "a member is healthy" hook etcd-2 health
    check_same "everything is fine" "quorum=SUCCESS auth=SUCCESS alarms=SUCCESS space=SUCCESS latency=SUCCESS" \
        "$(verdicts etcd-1)"
    local at
    at=$(docker inspect -f '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}' "$P-etcd-1")
    check_has "nobody reads without a password" "$(docker exec "$P-etcd-1" etcdctl get k 2>&1)" "user name is empty"
    check_has "nor by the gate" "$(curl -sk -d '{"key":"aw=="}' "https://$at:2379/v3/kv/range")" "user name is empty"
    check_same "plain http is refused" 400 \
        "$(curl -s -o /dev/null -w '%{http_code}' -d '{}' "http://$at:2379/v3/kv/range")"
    check_not "nobody comes by the members' port without a certificate" \
        docker exec "$P-etcd-1" etcdctl --insecure-skip-tls-verify --endpoints "https://$at:2382" --command-timeout 2s \
            member list
    ctl 1 put k v >/dev/null

    docker kill "$P-etcd-1" "$P-etcd-2" "$P-etcd-3" >/dev/null
    docker start "$P-etcd-1" "$P-etcd-2" "$P-etcd-3" >/dev/null
    check "after kill -9 of all members the data is there" wait_until 20 ctl 2 get k

    docker rm -f "$P-etcd-3" >/dev/null
    docker volume rm "$P-etcd-3" >/dev/null
    start etcd-3
    started etcd-3
    check_same "a member whose volume was lost comes back" v "$(ctl 3 get k --print-value-only)"

    check "a member leaves" hook etcd-3 drain
    check_same "two are left" 2 "$(ctl 1 member list | wc -l)"
    docker rm -f "$P-etcd-3" >/dev/null
    start etcd-3
    started etcd-3
    check_same "and it joins again with an old volume" 3 "$(ctl 1 member list | grep -c started)"
    docker stop -t 10 "$P-etcd-2" >/dev/null
    check_has "a missing member is a warning" "$(verdicts etcd-1)" "quorum=WARNING"
    remove_all
}

test_etcd_interrupted() {
    COUNT[etcd]=1
    prepare_files etcd-1
    for delay in 0.3 0.6 0.9; do
        start etcd-1
        sleep "$delay"
        docker kill "$P-etcd-1" >/dev/null || true
    done
    start etcd-1
    started etcd-1
    check_has "a start that was killed again and again ends with authentication" "$(verdicts etcd-1)" "auth=SUCCESS"
    COUNT[etcd]=3
    prepare_files etcd-1 etcd-2 etcd-3
    start etcd-2 & start etcd-3 & wait
    started etcd-2 etcd-3
    check_same "one member grows to three" 3 "$(ctl 1 member list | grep -c started)"
    remove_all
}

test_ceph() {
    COUNT[ceph-mon]=${1:-1}
    local all=() i
    for ((i = 1; i <= COUNT[ceph-mon]; i++)); do all+=("ceph-mon-$i"); done
    all+=(ceph-mgr-1 ceph-osd-1 ceph-osd-2 ceph-osd-3)
    prepare_files "${all[@]}"
    for i in "${all[@]}"; do start "$i" & done
    wait
    started "${all[@]}"
    check "the pools are made" wait_until 60 reached ceph-mgr-1 applied
    check "all placement groups get clean" wait_until 60 all_clean
    check_same "the monitors are fine" "quorum=SUCCESS clocks=SUCCESS health=SUCCESS" "$(verdicts ceph-mon-1)"
    check_same "the manager is fine" "manager=SUCCESS pools=SUCCESS" "$(verdicts ceph-mgr-1)"
    check_same "data goes in and out" \
        "osds=SUCCESS space=SUCCESS placement groups=SUCCESS object=SUCCESS image=SUCCESS" "$(verdicts ceph-osd-1)"
    for i in "${all[@]}"; do check "$i is healthy" hook "$i" health; done
    check_same "a check leaves no image" "" "$(docker exec "$P-ceph-mon-1" rbd ls volumes/slipway-check)"
    check_same "a check leaves no object" 0 \
        "$(docker exec "$P-ceph-mon-1" rados -p volumes -N slipway-check ls | grep -c check- || true)"
    check_not "the check's key reaches nothing else" docker exec "$P-ceph-osd-1" rados --conf /run/slipway/ceph.conf \
        --name client.check --keyfile /run/slipway/secrets/check -p volumes put mine /etc/hostname
}

test_ceph_faults() {
    docker exec "$P-ceph-mon-1" sh -c \
        'head -c 8000000 /dev/urandom >/tmp/data && rados -p volumes put data /tmp/data && sha256sum </tmp/data' \
        >"$TMP/sum"
    local ids
    mapfile -t ids < <(docker ps -q --filter "name=^$P-")
    docker kill "${ids[@]}" >/dev/null
    docker start "${ids[@]}" >/dev/null
    check "after kill -9 of everything all placement groups get clean" wait_until 90 all_clean
    check_same "and the data is the same" \
        "$(cat "$TMP/sum")" "$(docker exec "$P-ceph-mon-1" sh -c 'rados -p volumes get data - | sha256sum')"

    docker rm -f "$P-ceph-osd-2" >/dev/null
    docker volume rm "$P-ceph-osd-2" >/dev/null
    start ceph-osd-2
    started ceph-osd-2
    check "an OSD whose volume was lost is filled again" wait_until 60 all_clean
    check_same "three OSDs are up" 3 "$(ceph osd stat -f json | jq .num_up_osds)"

    prepare_files 'ceph-osd-4={"crush_host":"machine-b","size":"11GiB"}'
    start ceph-osd-4
    started ceph-osd-4
    check_has "it is placed where its configuration says" "$(ceph osd find 4)" machine-b
    check "a fourth OSD takes its share" wait_until 60 all_clean
    prepare_files 'ceph-osd-4={"crush_host":"machine-b","size":"12GiB"}'
    start ceph-osd-4
    started ceph-osd-4
    check "its store grows" wait_until 20 has_size 4 12884901888
    check "it is drained" hook ceph-osd-4 drain
    check_same "it is out of the map" 3 "$(ceph osd stat -f json | jq .num_osds)"
    check_same "and the data is the same" \
        "$(cat "$TMP/sum")" "$(docker exec "$P-ceph-mon-1" sh -c 'rados -p volumes get data - | sha256sum')"
    sleep 2
    check_same "it does not come back by itself" 3 "$(ceph osd stat -f json | jq .num_osds)"
    docker rm -f "$P-ceph-osd-4" >/dev/null
    start ceph-osd-4
    started ceph-osd-4
    check_same "recreated with the old volume it is a new OSD" 4 "$(ceph osd stat -f json | jq .num_up_osds)"
    check "it is drained again" hook ceph-osd-4 drain
    docker rm -f "$P-ceph-osd-4" >/dev/null
}

test_live() {
    prepare_files 'ceph-osd-1={"memory_target":"1GiB","live":{"osd_max_scrubs":"2"}}'
    check "a live change is applied" hook ceph-osd-1 apply
    check_has "memory_target reached the daemon" "$(asok ceph-osd-1 'config get' osd_memory_target)" 1073741824
    check_has "an option of the key live reached it" "$(asok ceph-osd-1 'config get' osd_max_scrubs)" '"2"'
    prepare_files ceph-osd-1
    check "taken back" hook ceph-osd-1 apply
    check_hasnt "the option goes back to its default" "$(asok ceph-osd-1 'config get' osd_max_scrubs)" '"2"'
}

test_pools() {
    local pools='{"pools":{"volumes":{"size":3,"min_size":2,"pg_num":8,"quota":"1GiB"},
        "ec":{"kind":"erasure","k":2,"m":1,"pg_num":8},"cold":{"size":2,"data_pool":"ec","pg_num":8}}}'
    prepare_files "ceph-mgr-1=$pools" "ceph-mgr-2=$pools"
    check "pools are changed and made" hook ceph-mgr-1 apply
    check_same "copies" 3 "$(ceph osd pool get volumes size -f json | jq .size)"
    check_same "quota" 1073741824 "$(ceph osd pool get-quota volumes -f json | jq .quota_max_bytes)"
    check_same "erasure coding" 3 "$(ceph osd pool get ec size -f json | jq .size)"
    check "placement groups get clean" wait_until 60 all_clean
    docker exec "$P-ceph-mon-1" rbd create --size 8M cold/disk
    check_has "an image's data goes to the erasure-coded pool" \
        "$(docker exec "$P-ceph-mon-1" rbd info cold/disk)" "data_pool: ec"
    start ceph-mgr-2
    started ceph-mgr-2
    check_same "a second manager stands by" standby "$(hook ceph-mgr-2 health)"
    docker kill "$P-ceph-mgr-1" >/dev/null
    check "and takes over when the first one dies" wait_until 30 is_active ceph-mgr-2
    docker start "$P-ceph-mgr-1" >/dev/null
    check "which then stands by" wait_until 30 hook ceph-mgr-1 ready
    check_same "a second time there is nothing to say" "" "$(hook ceph-mgr-1 apply)"
    prepare_files 'ceph-mgr-1={"pools":{"volumes":{"kind":"erasure","k":2,"m":1}}}'
    check_not "a kind cannot change" hook ceph-mgr-1 apply
    prepare_files 'ceph-mgr-1={"pools":{"x":{"sise":3}}}'
    check_has "an unknown word is named" "$(hook ceph-mgr-1 apply 2>&1 || true)" "unknown key sise"
}

test_monitors() {
    COUNT[ceph-mon]=3
    prepare_files ceph-mon-1 ceph-mon-2 ceph-mon-3
    start ceph-mon-2 & start ceph-mon-3 & wait
    started ceph-mon-2 ceph-mon-3
    check_same "one monitor grows to three" 3 "$(ceph quorum_status -f json | jq '.quorum_names | length')"
    docker rm -f "$P-ceph-mon-3" >/dev/null
    docker volume rm "$P-ceph-mon-3" >/dev/null
    start ceph-mon-3
    started ceph-mon-3
    check_same "a monitor whose volume was lost follows the others" 3 \
        "$(ceph quorum_status -f json | jq '.quorum_names | length')"
    docker kill "$P-ceph-mon-2" >/dev/null
    sleep 3
    check_has "a missing monitor is a warning" "$(verdicts ceph-mon-1)" "quorum=WARNING"
    docker kill "$P-ceph-mon-3" >/dev/null
    docker volume rm "$(docker rm "$P-ceph-mon-3")" >/dev/null
    # Its hook asks the first monitor, which has to have noticed that it is alone.
    check "the monitor that is left has no quorum" wait_until 60 alone ceph-mon-1
    start ceph-mon-3
    sleep 5
    check_not "a monitor without a store begins no second cluster" reached ceph-mon-3 prepared
    docker start "$P-ceph-mon-2" >/dev/null
    started ceph-mon-3
    hook ceph-mon-3 drain >/dev/null 2>&1 || true # the daemon ends, and this container has no restart policy
    sleep 1
    docker start "$P-ceph-mon-3" >/dev/null
    check "a monitor leaves" wait_until 10 hook ceph-mon-3 drain
    docker rm -f "$P-ceph-mon-3" >/dev/null
    check_same "two are left" 2 "$(ceph mon dump -f json 2>/dev/null | jq '.mons | length')"
    hook ceph-mon-2 drain >/dev/null 2>&1 || true # the daemon ends, and this container has no restart policy
    sleep 1
    docker start "$P-ceph-mon-2" >/dev/null
    check "the second one leaves" wait_until 10 hook ceph-mon-2 drain
    docker rm -f "$P-ceph-mon-2" >/dev/null
    check_same "one is left" 1 "$(ceph mon dump -f json 2>/dev/null | jq '.mons | length')"
    check_not "the last one stays" hook ceph-mon-1 drain
    prepare_files ceph-mon-1 ceph-mon-2 ceph-mon-3
    start ceph-mon-2 & start ceph-mon-3 & wait
    started ceph-mon-2 ceph-mon-3
    check_same "and three again, with the old volumes" 3 "$(ceph quorum_status -f json | jq '.quorum_names | length')"
}

for part in "${@:-all}"; do
    case $part in
    etcd) test_etcd; test_etcd_interrupted ;;
    ceph) test_ceph; test_ceph_faults; test_live; test_pools ;;
    monitors) test_ceph; test_monitors ;;
    three) test_ceph 3 ;;
    all) test_etcd; test_etcd_interrupted; test_ceph; test_ceph_faults; test_live; test_pools; test_monitors ;;
    *) not_ok "no part is called $part" ;;
    esac
done
finish
