# SPDX-License-Identifier: MIT
"""The managers' part of `slipway check`: one is active, and the configured pools are there."""

import json
import os
import sys

sys.path.insert(0, "/usr/lib/slipway-ceph")
from slipway_ceph import Cluster, Failure  # noqa: E402
from slipway_check import failed, success  # noqa: E402

LOOK = "slipway logs of ceph-mgr; ceph mgr dump in a monitor's container"


def main():
    try:
        with Cluster("client.slipway-pool", "slipway_pool", timeout=15) as c:
            c.connect()
            mgr = c.mon_json("mgr dump")
            if mgr["available"]:
                success("manager", "mgr.active", "%s is active, %d standby" % (mgr["active_name"], len(mgr["standbys"])))
            else:
                failed("manager", "mgr.active", "no manager is active", LOOK)
            wanted = set(json.loads(os.environ.get("CFG_pools") or "{}"))
            missing = wanted - set(c.mon_json("osd pool ls"))
            if missing:
                failed("pools", "mgr.pools", "missing: " + " ".join(sorted(missing)), LOOK)
            else:
                success("pools", "mgr.pools", "%d configured pools are there" % len(wanted))
    except Failure as e:
        failed("manager", "mgr.active", str(e), LOOK)
    return 0


sys.exit(main())
