# SPDX-License-Identifier: MIT
"""What the active manager knows of pools and volumes that an operator must hear of: a pool that takes no more data, an
image or a snapshot that somebody deleted. One line, sentences with " | " between them; status 1 when there are any."""

import json
import os
import sys

sys.path.insert(0, "/usr/lib/slipway-ceph")
from slipway_ceph import RUN, Cluster, Failure  # noqa: E402
from slipway_rbd import MADE, Pool, full_pools, gone, gone_snapshots  # noqa: E402
from slipway_rules import POOL  # noqa: E402

MANY = 5


def lost(c):
    """Volumes that were made and whose images are not there any more."""
    wanted = {}
    for name, v in json.loads(os.environ.get("CFG_volumes") or "{}").items():
        if isinstance(v, dict) and str(v.get("absent")).lower() != "true":
            wanted.setdefault(v.get("pool") or POOL, {})[name] = str(v.get("created", ""))
    for pool, volumes in wanted.items():
        p = Pool(c, pool)
        try:
            there = p.images()
            missing = [n for n in volumes if n not in there]
            made = p.all_metadata(MADE) if missing else {}
        finally:
            p.close()
        for name in missing:
            if made.get(name) == volumes[name]:
                yield "volume %s: %s" % (name, gone(pool, name))


def lost_snapshots():
    """As hook apply found them when it last looked at their volumes."""
    try:
        with open(os.path.join(RUN, "lost_snapshots.json")) as f:
            lost_of = json.load(f)
    except OSError:
        return
    for name, snapshots in lost_of.items():
        yield "volume %s: %s" % (name, gone_snapshots(name, snapshots))


def main():
    try:
        with Cluster("client.slipway-pool", "slipway_pool", timeout=3) as c:
            c.connect()
            said = list(full_pools(c).values())
            # Listing a full pool works; one whose placement groups are not there would only wait.
            said += list(lost(c)) + list(lost_snapshots())
    except (Failure, ValueError) as e:
        print("active; the storage does not answer: %s" % e)
        return 0
    if not said:
        print("active")
        return 0
    print(" | ".join(said[:MANY] + (["%d more" % (len(said) - MANY)] if len(said) > MANY else [])))
    return 1


sys.exit(main())
