#!/bin/bash
# SPDX-License-Identifier: MIT
# Two of three members of etcd are lost with their data: `up` says what to do, that works as printed, and what the
# member that is left knew is there afterwards.
# about 100 s
set -eu
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../environment.sh"

needs "members that are lost"
environment alone --catalog "$ROOT/tests/data/components"
components <<'END'
etcd: {instances: 3}
sleeper: {instances: 1}
END
check_status "up" 0 slip -f "$file" up
check_status "a value" 0 slip config set sleeper word kept

check_status "a member that is not alone" 0 slip exec etcd-3 touch /data/alone
check_status "does not begin without the others" 0 slip restart etcd-3
check_has "and says so" "$(docker logs "$env-etcd-3" 2>&1)" "the others have a quorum: this member stays with them"
check_not "once and for all" docker exec "$env-etcd-3" test -e /data/alone

for lost in etcd-2 etcd-3; do
    docker rm -f "$env-$lost" >/dev/null
    docker volume rm "$env-$lost-data" >/dev/null
done
check_status "up without a quorum" 3 slip up
advice="slipway exec etcd-1 touch /data/alone && slipway restart etcd-1"
check_has "says what to do" "$(cat "$TMP/err")" "no quorum; others lost for good? \`$advice\`"
check_has "as the page of the component does" "$(cat "$ROOT/components/etcd/README.md")" "$advice"
check_status "the first half of it" 0 slip exec etcd-1 touch /data/alone
check_status "the second" 0 slip restart etcd-1
# The others are back already and join it: from the moment that it takes one in until that one has started, two of two
# members are a quorum, and nothing is answered.
knows() { [ "$(slip config get sleeper word)" = "$1" ]; }
check "what it knew is there" wait_until 60 knows kept
check_status "up takes the others in" 0 slip up
check "three members answer" sh -c "slip() { $(printf '%q ' "$SLIPWAY" "${slip_options[@]}" -q -e "$env") status; }
    slip | grep -F '3 of 3 members answer'"
check "and know it too" wait_until 60 knows kept
check_status "a change" 0 slip config set sleeper word on
check "arrives" wait_until 30 sh -c "docker exec '$env-sleeper-1' cat /data/word | grep -qx on"
check_status "the one that was alone is lost now" 0 slip stop etcd-1
check "the others go on" wait_until 60 knows on
check_status "down" 0 slip down --volumes --yes
finish
