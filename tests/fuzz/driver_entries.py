# SPDX-License-Identifier: MIT
"""What the volume drivers take from $CFG_volumes: whatever it is, each entry is served, gone or complained of with a
sentence, and what is served has names that fit, a size within bounds and a number to take over by."""

import json
import os
import sys

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
sys.path[:0] = [os.path.dirname(os.path.abspath(__file__)), os.path.join(ROOT, "tests"),
                os.path.join(ROOT, "dockerfiles/shared/ceph"),
                os.path.join(ROOT, "dockerfiles/volumedriver/rootfs/usr/lib/slipway-ceph")]
import volume_rules  # noqa: E402, F401, I001
import slipway_driver as driver  # noqa: E402
import slipway_rules  # noqa: E402
from mutate import run  # noqa: E402


def one(data):
    os.environ["CFG_volumes"] = data.decode(errors="surrogateescape").replace("\0", "")
    text = os.environ["CFG_volumes"]  # what was not UTF-8 may be some without the NUL in it
    try:
        entries = json.loads(text or "{}")
    except (ValueError, RecursionError):
        return  # the agent hands over nothing that is not JSON
    try:
        serve, gone, bad = driver.wanted(("docker",))
    except driver.Wrong:
        assert not isinstance(entries, dict)
        return
    assert sorted(list(serve) + list(gone) + [name for name, _ in bad]) == sorted(entries)
    assert all(str(why) for _, why in bad)
    for name, v in list(serve.items()) + list(gone.items()):
        assert all(driver.NAME.fullmatch(n) for n in (name, v["pool"], v["image"]))
        assert "size" not in v or isinstance(v["size"], int) and not slipway_rules.size_problem(v["size"])
        assert len(driver.node(name)) <= 31
        for key in ("read_only", "force", "docker"):
            driver.yes(v.get(key))
        json.dumps(v)


run(one, [driver, slipway_rules])
