# SPDX-License-Identifier: MIT
"""The managers' part of `slipway check`: one is active, and the configured pools are there, with OSDs for every copy or
part."""

import json
import os
import sys

sys.path.insert(0, "/usr/lib/slipway-ceph")
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import policies  # noqa: E402
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


def presets(c):
    """Pools made by a list of policies: the one that was taken, whether a better one could be had, whether losses are
    survived."""
    wanted = {n: p for n, p in json.loads(os.environ.get("CFG_pools") or "{}").items()
              if isinstance(p, dict) and "policies" in p}
    usual = os.environ.get("CFG_failure_domain", "host")
    topology = policies.Topology(c.mon_json("osd tree")["nodes"]) if wanted else None
    there = {p["pool_name"]: p for p in c.mon_json("osd pool ls", detail="detail")} if wanted else {}
    for name, p in sorted(wanted.items()):
        if name not in there or str(p.get("absent")).lower() == "true":
            continue
        choices = [policies.read(entry) for entry in p["policies"]]
        number, best = policies.taken(choices, there[name], usual), policies.choose(choices, topology, usual)[0]
        one = choices[number] if number is not None else None
        if one is None:
            failed("policies", "mgr.policies", "%s was made by none of its policies" % name,
                   "put the one it was made by into the list")
        elif topology.places("osd") < one.c:
            failed("policies", "mgr.policies", "%s has policy %s, and %d OSDs are up: I/O waits for %d parts"
                   % (name, one, topology.places("osd"), one.c),
                   "bring OSDs back; or lower c to %d or more: what is lost then is lost" % one.k)
        elif topology.lacks(one, usual):
            warning("policies", "mgr.policies", "%s cannot have all its parts apart: %s"
                    % (name, topology.lacks(one, usual)), "bring OSDs or hosts back")
        elif best is not None and best < number:
            warning("policies", "mgr.policies", "%s has policy %s; %s, which is wanted more, could be had now"
                    % (name, one, choices[best]),
                    "k, m and x of a pool stay: make another pool and move the data, or take the policy "
                    "out of the list")
        else:
            success("policies", "mgr.policies", "%s has policy %d of %d, %s" % (name, number + 1, len(choices), one))


def main():
    try:
        with Cluster("client.slipway-pool", "slipway_pool", timeout=15) as c:
            c.connect()
            mgr = c.mon_json("mgr dump")
            if mgr["available"]:
                success("manager", "mgr.active", "%s is active, %d standby"
                        % (mgr["active_name"], len(mgr["standbys"])))
            else:
                failed("manager", "mgr.active", "no manager is active", LOOK)
            pools(c)
            presets(c)
    except Failure as e:
        failed("manager", "mgr.active", str(e), LOOK)
    return 0


sys.exit(main())
