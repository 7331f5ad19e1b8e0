# SPDX-License-Identifier: MIT
"""Serves what $CFG_volumes names, by QMP to the two qemu-storage-daemons that lib/serve starts.

main: one node and two exports for each volume, NBD on /export/nbd.sock and vhost-user-blk on /export/NAME.vhost.
front: one node (an NBD client of main) and one export, NBD on TCP with TLS.
"""

import json
import os
import sys
import time
import zlib

sys.path.insert(0, "/usr/lib/slipway-ceph")
from slipway_ceph import RUN, Failure, say  # noqa: E402
from slipway_driver import USER, Images, Wrong, complain, wanted, write_conf, yes  # noqa: E402
from slipway_qmp import Qmp, Refused  # noqa: E402

WORK = os.path.join(RUN, "qsd")
SERVED = os.path.join(WORK, "volumes.json")
CONF = os.path.join(WORK, "ceph.conf")
EXPORT = "/export"
# How long the manager may take to bring about a size that this driver was told of at the same moment.
RESIZE_WAIT = 10


def node(name):
    """A node's name has at most 31 characters, a volume's has 63."""
    return "v%08x-%s" % (zlib.crc32(name.encode()), "".join(c for c in name if c.isalnum())[:20])


class Driver:
    def __init__(self, images):
        self.images = images
        self.main = Qmp(os.path.join(WORK, "main"))
        try:
            with open(SERVED) as f:
                self.served = json.load(f)
        except OSError:
            self.served = {}

    def remember(self):
        with open(SERVED + ".new", "w") as f:
            json.dump(self.served, f)
        os.rename(SERVED + ".new", SERVED)

    def open(self, name, v):
        read_only = yes(v.get("read_only"))
        if not read_only:
            self.images.claim(v)
        self.served[name] = {"pool": v["pool"], "image": v["image"], "read_only": read_only, "serial": v.get("take_over")}
        self.remember()
        self.main("blockdev-add", driver="rbd", node_name=node(name), pool=v["pool"], image=v["image"], conf=CONF,
                  user=USER.partition(".")[2], read_only=read_only, discard="unmap", cache={"direct": True})
        if not read_only:
            try:
                self.images.alone(v)
            except Wrong:
                self.main("blockdev-del", node_name=node(name))
                raise

    def export(self, name, v):
        there, writable = self.main.exports(), not yes(v.get("read_only"))
        if "vhost-" + node(name) not in there:
            self.main("block-export-add", type="vhost-user-blk", id="vhost-" + node(name), node_name=node(name), writable=writable,
                      addr={"type": "unix", "path": "%s/%s.vhost" % (EXPORT, name)}, num_queues=2)
        if "nbd-" + node(name) not in there:
            self.main("block-export-add", type="nbd", id="nbd-" + node(name), node_name=node(name), name=name, writable=writable)

    def attach(self, name, v):
        nodes = self.main.nodes()
        if node(name) in nodes and v.get("take_over") != self.served[name].get("serial") and "take_over" in v:
            # It was taken from this instance, and comes back: what is open here is cut off for good.
            self.detach(name, force=True)
            nodes = self.main.nodes()
        if node(name) not in nodes:
            self.open(name, v)
            nodes = self.main.nodes()
        elif self.served[name]["read_only"] != yes(v.get("read_only")):
            raise Wrong("detach it to change read_only")
        self.export(name, v)
        if v.get("size", nodes[node(name)]) != nodes[node(name)]:
            self.resize(name, v, nodes[node(name)])

    def resize(self, name, v, now):
        """Follows the image, which the manager makes larger or, when it was asked to, smaller."""
        end = time.monotonic() + RESIZE_WAIT
        while True:
            size = self.images.size(v)
            if size == v["size"] or time.monotonic() >= end:
                break
            time.sleep(0.1)
        if size == now or yes(v.get("read_only")):
            return
        # QEMU lets no node change its size under an NBD export; a guest on vhost-user-blk stays connected and is told.
        try:
            self.drop_front(name)
            self.main.remove_export("nbd-" + node(name))
        except (Refused, Wrong):
            raise Wrong("it has %d bytes now, but NBD clients are connected: seen when they have left" % size) from None
        self.main("block_resize", node_name=node(name), size=size)
        self.export(name, v)
        say("volume %s: %d -> %d bytes" % (name, now, size))

    @staticmethod
    def drop_front(name, force=False):
        with Qmp(os.path.join(WORK, "front")) as front:
            if "nbd-" + node(name) in front.exports():
                try:
                    front.remove_export("nbd-" + node(name), force)
                except Refused:
                    raise Wrong("in use by an NBD client over TCP") from None
            if node(name) in front.nodes():
                front("blockdev-del", node_name=node(name))

    def detach(self, name, force=False):
        """The connected decide: whoever has it open keeps it, unless it is forced or another instance took it over."""
        v = self.served[name]
        try:
            self.close(name, force)
        except Wrong:
            if force or v["read_only"] or self.images.mine(v):
                raise
            self.close(name, True)
        del self.served[name]
        self.remember()
        if not v["read_only"]:
            self.images.release(v)
        say("volume %s: detached" % name)

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
            self.main("blockdev-del", node_name=node(name))

    def front(self):
        """What main serves over NBD is served over TCP too."""
        with Qmp(os.path.join(WORK, "front")) as front:
            nodes, exports, main = front.nodes(), front.exports(), self.main.exports()
            for name, v in self.served.items():
                n = node(name)
                if "nbd-" + n not in main or "nbd-" + n in exports:
                    continue
                if n not in nodes:
                    front("blockdev-add", driver="nbd", node_name=n, export=name, read_only=v["read_only"], discard="unmap",
                          server={"type": "unix", "path": EXPORT + "/nbd.sock"}, reconnect_delay=5)
                front("block-export-add", type="nbd", id="nbd-" + n, node_name=n, name=name, writable=not v["read_only"])

    def step(self, name, work, *arguments):
        try:
            work(name, *arguments)
            return 0
        except (Wrong, Failure, Refused, OSError) as e:
            complain(name, e)
            return 1

    def apply(self):
        serve, gone, bad = wanted()
        for name, why in bad:
            complain(name, why)
        failed = len(bad)
        for name in [n for n in self.served if n not in serve]:
            failed += self.step(name, self.detach, yes(gone.get(name, {}).get("force")))
        for name, v in serve.items():
            old = name in self.served
            status = self.step(name, self.attach, v)
            failed += status
            if not status and not old:
                say("volume %s: served" % name)
        self.front()
        return 1 if failed else 0


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
            Driver(images).front()
    print("%d volumes served" % inside)
    return 0


def main(what):
    if what in ("ready", "health"):
        try:
            return ready() if what == "ready" else health()
        except (OSError, Refused) as e:
            print("qemu-storage-daemon: %s" % e)
            return 1
    try:
        with Images() as images:
            driver = Driver(images)
            if what == "check":
                from check import check
                return check(driver)
            write_conf(CONF)
            if what == "drain":
                return max([driver.step(name, driver.detach) for name in list(driver.served)], default=0)
            return driver.apply()
    except (Failure, OSError, Refused) as e:
        print("volumes: %s" % e, file=sys.stderr)
        return 1


sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.exit(main(sys.argv[1]))
