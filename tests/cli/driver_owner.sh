#!/bin/bash
# SPDX-License-Identifier: MIT
# One writer for each image: what a volume driver makes of the names that it finds after it opened one.
set -eu
. "$(dirname "$0")/../lib.sh"

says() { # NAME EXPECTED LOOKS...
    check_same "$1" "$2" "$(SLIPWAY_INSTANCE=me python3 "$ROOT/tests/cli/driver_owner.py" "${@:3}" | paste -sd ' ')"
}
wrong="somebody else opened it at the same moment:"
says "its own name and its own daemon: it is alone, and leaves its address" "slipway.client.me=daemon 10ab alone" me \
    daemon
says "another one's name: it steps back" "$wrong other" other daemon
says "another watcher: it steps back" "$wrong daemon 10.0.0.9:0/1" me "daemon 10.0.0.9:0/1"
says "a name that the one before took away is put there again" "slipway.owner=me slipway.client.me=daemon 10ab alone" \
    "" daemon me daemon
says "of two who do that one sees the other" "slipway.owner=me $wrong other" "" daemon other daemon
says "or the other's daemon" "slipway.owner=me $wrong daemon second" "" daemon me "daemon second"
says "it is put there once" "slipway.owner=me $wrong its name is gone again" "" daemon "" daemon
says "not while somebody else has it open" "$wrong daemon second" "" "daemon second"

check_same "who has the parent of a clone open is not fenced for the clone" "['10.0.0.9:0/1']" "$(python3 - <<END
import sys
sys.path[:0] = ["$ROOT/tests", "$ROOT/dockerfiles/shared/ceph",
                "$ROOT/dockerfiles/volumedriver/rootfs/usr/lib/slipway-ceph"]
import volume_rules
import slipway_driver
print(slipway_driver.addresses(["10.0.0.9:0/1 10ab", "10.0.0.9:0/2 77cd", "10.0.0.9:0/3", ""], "10ab"))
END
)"
finish
