# SPDX-License-Identifier: MIT
"""Runs the OSDs' check of an image without a cluster: with the program `rbd` of PATH, and stand-ins for what speaks to
Ceph. Prints what the check says."""

import os
import sys

import fake_ceph


class Cluster(fake_ceph.Cluster):
    def mon_json(self, *_, **__):
        return [{"pool_name": "volumes", "application_metadata": {"rbd": {}}, "type": 1}]


def say(word):
    return lambda test, code, text, *hint: print(word, code, text)


fake_ceph.stand_in("slipway_ceph", Failure=fake_ceph.Failure, Cluster=Cluster, RUN="/none", mons=dict,
                   mon_host=lambda _: "")
fake_ceph.stand_in("slipway_check", **{word: say(word) for word in ("failed", "skipped", "success", "warning")})
path = os.path.join(os.environ["ROOT"], "components", "ceph-osd", "lib", "check.py")
sys.argv = [path, "osd.image"]
with open(path, encoding="utf-8") as f:
    exec(compile(f.read(), path, "exec"), {"__name__": "__main__"})
