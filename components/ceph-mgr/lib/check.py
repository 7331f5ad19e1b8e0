# SPDX-License-Identifier: MIT
"""The managers' part of `slipway check`: one is active, and the configured pools are there, with OSDs for every copy or part."""

import json
import os
import sys

sys.path.insert(0, "/usr/lib/slipway-ceph")
from slipway_ceph import Cluster, Failure  # noqa: E402
from slipway_check import failed, success, warning  # noqa: E402

LOOK = "slipway logs of ceph-mgr; ceph mgr dump in a monitor's container"


def pools(c):
    wanted = set(json.loads(os.environ.get("CFG_pools") or "{}"))
    there = {p["pool_name"]: p["size"] for p in c.mon_json("osd pool ls", detail="detail")}
    osds = c.mon_json("osd stat")["num_in_osds"]
    missing = wanted - set(there)
    short = ["%s for %s" % (there[n], n) for n in sorted(wanted & set(there)) if there[n] > osds]
    if missing:
        failed("pools", "mgr.pools", "missing: " + " ".join(sorted(missing)), LOOK)
    elif short:
        warning("pools", "mgr.pools", "there are %d OSDs, wanted are %s" % (osds, ", ".join(short)),
                "add OSDs, or make the pool with fewer copies or parts: it survives fewer losses than it was made for")
    else:
        success("pools", "mgr.pools", "%d configured pools are there" % len(wanted))


def main():
    try:
        with Cluster("client.slipway-pool", "slipway_pool", timeout=15) as c:
            c.connect()
            mgr = c.mon_json("mgr dump")
            if mgr["available"]:
                success("manager", "mgr.active", "%s is active, %d standby" % (mgr["active_name"], len(mgr["standbys"])))
            else:
                failed("manager", "mgr.active", "no manager is active", LOOK)
            pools(c)
    except Failure as e:
        failed("manager", "mgr.active", str(e), LOOK)
    return 0


sys.exit(main())
