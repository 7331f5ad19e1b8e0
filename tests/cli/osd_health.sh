#!/bin/bash
# SPDX-License-Identifier: MIT
# The OSD's hook `health` ends a daemon whose requests wait for a lease only when it saw that twice in a row.
set -eu
. "$(dirname "$0")/../lib.sh"

export SLIPWAY_RUN=$TMP/run
mkdir -p "$SLIPWAY_RUN/ceph" "$TMP/bin"
# In place of the admin socket a file with its answers, in place of pkill a note.
printf '#!/bin/sh\n[ "$1" != -t ] || exec grep -q "waiting for readable" "%s/answer"\ncat "%s/answer"\n' "$TMP" "$TMP" \
    >"$TMP/bin/asok"
printf '#!/bin/sh\necho "$*" >>"%s/killed"\n' "$TMP" >"$TMP/bin/pkill"
chmod +x "$TMP/bin"/*
sed "s,/usr/lib/slipway-ceph/asok,$TMP/bin/asok," "$ROOT/components/ceph-osd/hooks/health" >"$TMP/health"
health() { PATH=$TMP/bin:$PATH sh "$TMP/health"; }

good='"state": "active" "num_blocked_ops": 0'
waits='"state": "active" "num_blocked_ops": 2 "waiting for readable"'
answer() { echo "$1" >"$TMP/answer"; }
says() { # NAME STATUS ANSWER TEXT
    answer "$3"
    check_status "$1" "$2" health
    check_same "$1: and says so" "$4" "$(cat "$TMP/out")"
}
first="requests wait for the lease of a placement group"
second="$first, which does not come: the OSD is restarted"

says "active is healthy" 0 "$good" active
says "blocked for another reason is too" 0 '"state": "active" "num_blocked_ops": 2 "waiting for subops"' active
says "a wait is unhealthy" 1 "$waits" "$first"
says "one that ended is healthy" 0 "$good" active
says "another one is the first again" 1 "$waits" "$first"
says "a daemon that boots is unhealthy" 1 '"state": "booting" "num_blocked_ops": 0' "the OSD is booting"
says "what was seen before that does not count" 1 "$waits" "$first"
check_not "nothing was ended so far" test -e "$TMP/killed"
says "the second in a row does" 1 "$waits" "$second"
check_same "the daemon is ended" "-TERM -x ceph-osd" "$(cat "$TMP/killed")"
says "after its restart it starts counting again" 1 "$waits" "$first"
finish
