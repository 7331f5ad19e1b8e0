# SPDX-License-Identifier: MIT
"""A world of plain files with the same promises, to try the drill itself: no Docker, no storage, seconds.

A volume is one file, shown by the driver that has it under that driver's name. The next one gets a copy, so whoever has
the old file open has lost the volume. `plant nofence` leaves the old file, as the same one."""

import fcntl
import os
import shutil

from writer import PAPER_STRIDE, SLOTS

DRIVERS = ["volumedriver-%s-%d" % (kind, n) for kind in ("qemu", "iscsi", "fuse") for n in (1, 2)]


class World:
    def __init__(self, folder):
        self.folder, self.fences = os.path.join(folder, "paper"), True
        self.held, self.statuses = {}, {}
        self.shape = {e: {"instances": DRIVERS + ["etcd-1", "ceph-mon-1", "ceph-mgr-1", "ceph-osd-1"], "docker": ["d1"],
                          "volumes": {"v%d" % n: DRIVERS[2 * n - 2] for n in (1, 2)}} for e in ("a", "b")}

    def path(self, e, v, driver):
        return os.path.join(self.folder, e, driver, v)

    def url(self, e, v, driver):
        return "paper:" + self.path(e, v, driver)

    def begin(self):
        shutil.rmtree(self.folder, ignore_errors=True)
        for e, s in self.shape.items():
            for driver in DRIVERS:
                os.makedirs(os.path.join(self.folder, e, driver))
            for v, driver in s["volumes"].items():
                with open(self.path(e, v, driver), "wb") as f:
                    f.truncate(SLOTS * PAPER_STRIDE)
                self.held[e, v] = driver

    def end(self):
        shutil.rmtree(self.folder, ignore_errors=True)

    def hand(self, e, v, to):
        """From the one who has it to somebody else, while nobody writes."""
        old, new = self.path(e, v, self.held[e, v]), self.path(e, v, to)
        os.makedirs(os.path.dirname(new), exist_ok=True)
        if old != new:
            with open(old, "rb") as f:
                fcntl.flock(f, fcntl.LOCK_EX)
                if self.fences:
                    shutil.copy(old, new)
                    os.unlink(old)
                else:
                    if os.path.exists(new):
                        os.unlink(new)
                    os.link(old, new)
        self.held[e, v] = to
        return 0

    def takeover(self, e, v, to):
        return self.hand(e, v, to)

    def move(self, e, v, to):
        return self.hand(e, v, to)

    def attach(self, e, v, to):
        return self.hand(e, v, to)

    def detach(self, e, v, how):
        return self.hand(e, v, "nobody")

    def holders(self, e):
        return {v: None if driver == "nobody" else driver for (of, v), driver in self.held.items() if of == e}

    def stale(self, e, v, instance):
        return 0

    def unstale(self, e, v, instance):
        pass

    def resume(self, e):
        pass

    def heal(self, e):
        return None

    def settled(self, e):
        return []

    def plant(self, kind, *_):
        self.fences = self.fences and kind != "nofence"
        return 0
