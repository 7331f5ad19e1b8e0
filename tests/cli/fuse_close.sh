#!/bin/bash
# SPDX-License-Identifier: MIT
# The FUSE driver lets go of a volume only when its file is unmounted indeed: what the one process that may unmount
# answers is an errno, and most of them mean that somebody may still write.
set -eu
. "$(dirname "$0")/../lib.sh"

closed() { # ERRNO: what close says, or "closed"
    python3 - "$1" <<'END'
import os
import sys

root = os.environ["ROOT"]
sys.path[:0] = [root + "/tests", root + "/dockerfiles/shared/ceph", root + "/components/volumedriver-fuse/lib",
                root + "/dockerfiles/volumedriver/rootfs/usr/lib/slipway-ceph"]
import volume_rules  # noqa: E402, F401, I001
import driver  # noqa: E402


class Daemon:
    def __init__(self, name):
        self.name = name

    def quit(self):
        return True


driver.mounts.ask = lambda verb, name, flags: int(sys.argv[1])
driver.Daemon = Daemon
try:
    driver.Fuse.close(object(), "disk", False)
    print("closed")
except driver.Wrong as e:
    print(e)
END
}
check_same "unmounted, it is closed" closed "$(closed 0)"
check_same "what is not mounted is too (EINVAL)" closed "$(closed 22)"
check_same "and what is not there (ENOENT)" closed "$(closed 2)"
check_same "in use it stays (EBUSY)" "in use: somebody has disk open" "$(closed 16)"
check_same "without an answer it stays (ETIMEDOUT)" "unmounting: Connection timed out" "$(closed 110)"
check_same "when nobody listens it stays (ECONNREFUSED)" "unmounting: Connection refused" "$(closed 111)"
check_same "when the request did not arrive it stays (EPROTO)" "unmounting: Protocol error" "$(closed 71)"
finish
