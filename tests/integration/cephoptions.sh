#!/bin/bash
# SPDX-License-Identifier: MIT
# Ceph's own options, on a monitor alone: however they are written they beat the profile's, and one that Ceph does not
# know is refused while the old configuration goes on. And a monitor says everything once.
set -eu
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../environment.sh"

needs "Ceph's options" jq
environment cephoptions
components <<END
etcd: {instances: 1}
ceph-mon: {instances: 1, config: {settings: {"mon tick interval": "7", mon-lease: "2.5"}}}
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
finish
