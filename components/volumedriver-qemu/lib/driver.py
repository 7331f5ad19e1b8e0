# SPDX-License-Identifier: MIT
"""Serves what $CFG_volumes names, by QMP to the two qemu-storage-daemons that lib/serve starts.

main: one node and two exports for each volume, NBD on /export/nbd.sock and vhost-user-blk on /export/NAME.vhost.
front: one node (an NBD client of main) and one export, NBD on TCP with TLS.
"""

import os
import sys

sys.path.insert(0, "/usr/lib/slipway-ceph")
from slipway_ceph import RUN, say  # noqa: E402
from slipway_driver import USER, Driver, Images, Wrong, hook, node, yes  # noqa: E402
from slipway_qmp import Qmp, Refused  # noqa: E402

WORK = os.path.join(RUN, "qsd")
CONF = os.path.join(WORK, "ceph.conf")
EXPORT = "/export"


def connected(path):
    """Whether anybody is connected to that unix socket: an accepted one has its path, and state 3."""
    with open("/proc/net/unix") as f:
        return any(words[5] == "03" and words[-1] == path for words in map(str.split, f) if len(words) == 8)


class Qemu(Driver):
    daemon_name, conf = "qemu-storage-daemon", CONF
    refusals = (Refused,)

    def __init__(self, images):
        super().__init__(images, WORK)
        self.main = Qmp(os.path.join(WORK, "main"), remember=True)
        self.fronted = None

    def front(self):
        if not self.fronted:
            self.fronted = Qmp(os.path.join(WORK, "front"), remember=True)
        return self.fronted

    def open(self, name, v):
        read_only = self.claim(name, v)
        self.main.add_node(self.served[name]["size"], driver="rbd", node_name=node(name), pool=v["pool"], image=v["image"],
                           conf=CONF, user=USER.partition(".")[2], read_only=read_only, discard="unmap", cache={"direct": True})
        if not read_only:
            try:
                self.images.alone(v)
            except Wrong:
                self.main.remove_node(node(name))
                raise

    def export(self, name, v):
        there, writable, n = self.main.exports(), not yes(v.get("read_only")), node(name)
        if "vhost-" + n not in there:
            self.main.add_export(type="vhost-user-blk", id="vhost-" + n, node_name=n, writable=writable,
                                 addr={"type": "unix", "path": "%s/%s.vhost" % (EXPORT, name)}, num_queues=2)
        if "nbd-" + n not in there:
            self.main.add_export(type="nbd", id="nbd-" + n, node_name=n, name=name, writable=writable)

    def attach(self, name, v):
        n = node(name)
        if n in self.main.nodes():
            self.still_mine(name, v)
        if n not in self.main.nodes():
            self.open(name, v)
        self.export(name, v)
        now = self.main.nodes()[n]
        if v.get("size", now) != now:
            self.resize(name, v, now)

    def resize(self, name, v, now):
        """Follows the image, which the manager makes larger or, when it was asked to, smaller."""
        size = self.images.wait_size(v)
        if size == now or yes(v.get("read_only")):
            return
        # QEMU lets no node change its size under an NBD export; a guest on vhost-user-blk stays connected and is told.
        try:
            self.drop_front(name)
            self.main.remove_export("nbd-" + node(name))
        except (Refused, Wrong):
            raise Wrong("it has %d bytes now, but NBD clients are connected: seen when they have left" % size) from None
        # QEMU 10.0 crashes when it has a change of size to tell and nobody is connected (vu_config_change_msg).
        if "vhost-" + node(name) in self.main.exports() and not connected("%s/%s.vhost" % (EXPORT, name)):
            self.main.remove_export("vhost-" + node(name))
        self.main("block_resize", node_name=node(name), size=size)
        self.main.nodes()[node(name)] = size
        self.export(name, v)
        say("resized volume %s, %d -> %d bytes" % (name, now, size))

    def drop_front(self, name, force=False):
        if "nbd-" + node(name) in self.front().exports():
            try:
                self.front().remove_export("nbd-" + node(name), force)
            except Refused:
                raise Wrong("in use by an NBD client over TCP") from None
        if node(name) in self.front().nodes():
            self.front().remove_node(node(name))

    def close(self, name, force):
        exports = self.main.exports()
        self.drop_front(name, force)
        for kind in ("nbd", "vhost"):
            if kind + "-" + node(name) in exports:
                try:
                    self.main.remove_export(kind + "-" + node(name), force)
                except Refused:
                    raise Wrong("in use by a client of its %s socket" % kind) from None
        if node(name) in self.main.nodes():
            self.main.remove_node(node(name))

    def show_front(self, name):
        """What main serves over NBD is served over TCP too."""
        n, read_only, front = node(name), self.served[name]["read_only"], self.front()
        if "nbd-" + n not in self.main.exports() or "nbd-" + n in front.exports():
            return
        if n not in front.nodes():
            front.add_node(self.main.nodes()[n], driver="nbd", node_name=n, export=name, read_only=read_only, discard="unmap",
                           server={"type": "unix", "path": EXPORT + "/nbd.sock"}, reconnect_delay=5)
        front.add_export(type="nbd", id="nbd-" + n, node_name=n, name=name, writable=not read_only)

    def finish(self, names):
        return [trouble for name in names if name in self.served for trouble in self.step(name, self.show_front)]


def ready():
    for name in ("main-watch", "front-watch"):
        with Qmp(os.path.join(WORK, name), timeout=2):
            pass
    return 0


def health():
    with Qmp(os.path.join(WORK, "main-watch"), timeout=2) as main, Qmp(os.path.join(WORK, "front-watch"), timeout=2) as front:
        inside = sum(1 for e in main.exports() if e.startswith("nbd-"))
        outside = len(front.exports())
    if inside > outside:
        with Images() as images:
            driver = Qemu(images)
            driver.finish(driver.served)
    print("%d volumes served" % inside)
    return 0


def watch(what):
    return ready() if what == "ready" else health()


sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.exit(hook(sys.argv[1], Qemu, watch))
