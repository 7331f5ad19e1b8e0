#!/bin/bash
# SPDX-License-Identifier: MIT
# An OSD's drain that fails or is killed on its last steps: as long as the OSD is in the cluster, nothing may say that
# what it holds is old, because its next start would begin with an empty store.
set -eu
. "$(dirname "$0")/../lib.sh"

export SLIPWAY_RUN=$TMP/run SLIPWAY_DATA=$TMP/data SLIPWAY_ORDINAL=3 STATE=$TMP/state DRAIN=$TMP/drain.py
mkdir -p "$SLIPWAY_RUN"
sed "s,/var/lib/ceph/drained,$TMP/container," "$ROOT/components/ceph-osd/lib/drain.py" >"$DRAIN"
drain() { python3 -B "$ROOT/tests/cli/osd_drain.py" "$@" </dev/null; }
begin() {
    rm -rf "$SLIPWAY_DATA" "$TMP/container"
    mkdir -p "$SLIPWAY_DATA"
    echo '{"in": 1, "noup": 0, "purged": 0}' >"$STATE"
}
marks() { (cd "$TMP" && find container data/* -maxdepth 0 2>/dev/null | paste -sd ' '); }
stays() { # NAME
    check_same "$1: it is in, and may come up" '{"in": 1, "noup": 0, "purged": 0}' "$(cat "$STATE")"
    check_same "$1: and nothing is marked" "" "$(marks)"
}
left() { # NAME
    check_same "$1: it is purged" '{"in": 0, "noup": 0, "purged": 1}' "$(cat "$STATE")"
    check_same "$1: and what it holds is old" "container data/drained" "$(marks)"
}

begin
check_status "a drain" 0 drain ""
left "a drain"
for step in out set-group purge-actual; do
    begin
    check_status "failed at $step" 1 drain $step
    stays "failed at $step"
    begin
    check_status "killed at $step" 137 drain "kill $step"
    check_status "what health does then" 0 drain "" back
    stays "killed at $step"
    begin
    check_status "killed at $step again" 137 drain "kill $step"
    check_status "the same drain again" 0 drain ""
    left "drained again after $step"
done

# Killed between the purge and its last mark.
begin
check_status "a drain" 0 drain ""
touch "$SLIPWAY_DATA/leaving"
check_status "killed after the purge" 0 drain "" back
left "killed after the purge"

begin
touch "$SLIPWAY_DATA/leaving"
echo '{"in": 0, "noup": 0, "purged": 0}' >"$STATE"
exec 9>"$SLIPWAY_RUN/drain.lock"
flock 9
check_status "while another drain is under way" 0 drain "" back
check_same "nothing is taken back" "data/leaving" "$(marks)"
drain "" >"$TMP/second" 9>&- &
second=$!
sleep 1
check "a second drain waits" kill -0 "$second"
exec 9>&-
status=0
wait "$second" || status=$?
check_same "until the first one has ended" 0 "$status"
left "the second drain"
finish
