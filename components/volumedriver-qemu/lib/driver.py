# SPDX-License-Identifier: MIT
"""Serves what $CFG_volumes names, by QMP to the qemu-storage-daemon that lib/serve starts: one node and two exports for each
volume, NBD on /export/nbd.sock (which slipway-nbd-tls shows on TCP) and vhost-user-blk on /export/NAME.vhost."""

import os
import sys

sys.path.insert(0, "/usr/lib/slipway-ceph")
from slipway_ceph import RUN, say  # noqa: E402
from slipway_driver import USER, Driver, Images, Wrong, hook, node, yes  # noqa: E402
from slipway_qmp import Qmp, Refused  # noqa: E402

WORK = os.path.join(RUN, "qsd")
CONF = os.path.join(WORK, "ceph.conf")
EXPORT = "/export"
NBD_PORT = 10809
THREAD = "io"  # for requests; what is left to the first one is QMP


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
            self.main.add_export(type="vhost-user-blk", id="vhost-" + n, node_name=n, writable=writable, iothread=THREAD,
                                 addr={"type": "unix", "path": "%s/%s.vhost" % (EXPORT, name)}, num_queues=2)
        if "nbd-" + n not in there:
            self.main.add_export(type="nbd", id="nbd-" + n, node_name=n, name=name, writable=writable, iothread=THREAD)

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
            self.main.remove_export("nbd-" + node(name))
        except Refused:
            raise Wrong("it has %d bytes now, but NBD clients are connected: seen when they have left" % size) from None
        # QEMU 10.0 crashes when it has a change of size to tell and nobody is connected (vu_config_change_msg).
        if "vhost-" + node(name) in self.main.exports() and not connected("%s/%s.vhost" % (EXPORT, name)):
            self.main.remove_export("vhost-" + node(name))
        self.main("block_resize", node_name=node(name), size=size)
        self.main.nodes()[node(name)] = size
        self.export(name, v)
        say("resized volume %s, %d -> %d bytes" % (name, now, size))

    def close(self, name, force):
        exports = self.main.exports()
        for kind in ("nbd", "vhost"):
            if kind + "-" + node(name) in exports:
                try:
                    self.main.remove_export(kind + "-" + node(name), force)
                except Refused:
                    raise Wrong("in use by a client of its %s" % {"nbd": "NBD export", "vhost": "vhost socket"}[kind]) from None
        if node(name) in self.main.nodes():
            self.main.remove_node(node(name))


def listening(port):
    """Whether somebody accepts connections on that port: a socket in state 0A."""
    for path in filter(os.path.exists, ("/proc/net/tcp6", "/proc/net/tcp")):
        with open(path) as f:
            if any(words[1].endswith(":%04X" % port) and words[3] == "0A" for words in map(str.split, f)):
                return True
    return False


def watch(_):
    with Qmp(os.path.join(WORK, "watch"), timeout=2) as main:
        served = sum(1 for e in main.exports() if e.startswith("nbd-"))
    print("%d volumes served" % served)
    if not listening(NBD_PORT):
        print("NBD over TCP is not served")
        return 1
    return 0


sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.exit(hook(sys.argv[1], Qemu, watch))
