# SPDX-License-Identifier: MIT
"""The monitors' part of `slipway check`: quorum, clocks, health."""

import os
import sys
import time

sys.path.insert(0, "/usr/lib/slipway-ceph")
from slipway_ceph import Cluster, Failure, mons  # noqa: E402
from slipway_check import failed, success, warning  # noqa: E402

SKEW_MS = 50
# What passes by itself within seconds of a start or of the return of an OSD.
SETTLES, SETTLE_WAIT = {"PG_AVAILABILITY", "PG_DEGRADED"}, 20
LOOK = "slipway status; slipway logs; ceph health detail in a monitor's container"


def quorum(c):
    wanted = set(mons())
    inside = set(c.mon_json("quorum_status")["quorum_names"])
    words = "%d of %d monitors in quorum" % (len(inside & wanted), len(wanted))
    if wanted <= inside:
        success("quorum", "mon.quorum", words)
    else:
        warning("quorum", "mon.quorum", words + "; missing: " + " ".join(sorted(wanted - inside)),
                "slipway up starts what is missing")


def clocks(c):
    skews = c.mon_json("time-sync-status").get("time_skew_status", {})
    worst = max([abs(float(s.get("skew", 0))) for s in skews.values()], default=0.0) * 1000
    words = "clocks of the monitors differ by at most %.0f ms" % worst
    if worst <= SKEW_MS:
        success("clocks", "mon.clocks", words)
    else:
        warning("clocks", "mon.clocks", words, "run a time service (chrony) on every host")


def health(c):
    end = time.monotonic() + SETTLE_WAIT
    while True:
        h = c.mon_json("health", detail="detail")
        checks = {k: v for k, v in h.get("checks", {}).items() if not v.get("muted")}
        if not checks or set(checks) - SETTLES or time.monotonic() >= end:
            break
        time.sleep(0.5)
    if h["status"] == "HEALTH_OK":
        success("health", "mon.health", "HEALTH_OK")
        return
    words = "; ".join("%s: %s" % (k, v["summary"]["message"]) for k, v in sorted(checks.items()))
    report = failed if h["status"] == "HEALTH_ERR" else warning
    report("health", "mon.health", "%s %s" % (h["status"], words), LOOK)


def main():
    try:
        with Cluster("client.admin", "admin", timeout=15) as c:
            c.connect()
            for test in (quorum, clocks, health):
                test(c)
    except Failure as e:
        failed("quorum", "mon.quorum", "%s: %s" % (os.environ["SLIPWAY_INSTANCE"], e), LOOK)
    return 0


sys.exit(main())
