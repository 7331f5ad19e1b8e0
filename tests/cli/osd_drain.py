# SPDX-License-Identifier: MIT
"""Runs an OSD's drain.py on a cluster that is a file: {"in", "noup", "purged"}.

    osd_drain.py FAILS [back]

FAILS is the command of the monitors at which the hook fails, or is killed when `kill ` is before it. It may be
empty."""

import json
import os
import runpy
import signal
import sys

import fake_ceph

state, fails = os.environ["STATE"], sys.argv.pop(1)


class Cluster(fake_ceph.Cluster):
    def __init__(self, *_):
        super().__init__()
        with open(state) as f:
            self.s = json.load(f)

    def mon(self, command):
        word = command["prefix"].partition(" ")[2]
        if word == fails:
            raise fake_ceph.Failure(110, "%s: Connection timed out" % word)
        if "kill " + word == fails:
            os.kill(os.getpid(), signal.SIGKILL)
        self.s.update({"out": {"in": 0}, "in": {"in": 1}, "set-group": {"noup": 1}, "unset-group": {"noup": 0},
                       "down": {}, "purge-actual": {"purged": 1, "in": 0, "noup": 0}}[word])
        with open(state, "w") as f:
            json.dump(self.s, f)

    def mon_json(self, _):
        flags = ["noup"] if self.s["noup"] else []
        return {"osds": [] if self.s["purged"] else [{"osd": 3, "up": 0, "in": self.s["in"], "state": flags}]}

    def mgr_json(self, *_, **__):
        return {"safe_to_destroy": [3]}


fake_ceph.stand_in("slipway_ceph", RUN=os.environ["SLIPWAY_RUN"], Cluster=Cluster, Failure=fake_ceph.Failure, say=print)
runpy.run_path(os.environ["DRAIN"], run_name="__main__")
