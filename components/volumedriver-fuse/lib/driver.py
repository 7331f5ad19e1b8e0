# SPDX-License-Identifier: MIT
"""Serves what $CFG_volumes names as files in /export, which the host sees: qemu-storage-daemon's FUSE exports, by QMP."""

import ctypes
import os
import sys

sys.path.insert(0, "/usr/lib/slipway-ceph")
from slipway_ceph import RUN, say  # noqa: E402
from slipway_driver import USER, Driver, Wrong, hook, node, yes  # noqa: E402
from slipway_qmp import Qmp, Refused  # noqa: E402

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import filesystem  # noqa: E402

WORK = os.path.join(RUN, "qsd")
CONF = os.path.join(WORK, "ceph.conf")
EXPORT = "/export"
MNT_DETACH = 2
EBUSY = 16


def unmount(path, lazily=False):
    """0, or the errno. Without `lazily` it is refused while anybody has the file open, on the host as well: the kernel asks
    every place that the mount was propagated to."""
    libc = ctypes.CDLL(None, use_errno=True)
    return 0 if libc.umount2(path.encode(), MNT_DETACH if lazily else 0) == 0 else ctypes.get_errno()


class Fuse(Driver):
    daemon_name, conf = "qemu-storage-daemon", CONF
    client = {"rbd_disable_zero_copy_writes": "false"}  # the daemon has a copy of its own, which nobody changes meanwhile
    refusals = (Refused, filesystem.Unfit)
    more = ("docker",)  # Docker has it attached, and lets go of it by itself

    def __init__(self, images):
        super().__init__(images, WORK)
        self.daemon = Qmp(os.path.join(WORK, "main"))

    def show(self, export, writable, path):
        """The file is what the export is mounted on; nobody can write to it before that. It has a thread of its own, because a
        write that waits (a full pool) keeps its thread, and with it whatever else that would do: answer QMP, other volumes."""
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o400))
        try:
            self.daemon("object-add", qom_type="iothread", id="io-" + export)
        except Refused:  # it is there; if not, the next one says so
            pass
        self.daemon("block-export-add", type="fuse", id=export, node_name=export, mountpoint=path, writable=writable,
                    growable=False, allow_other="on", iothread="io-" + export)

    def hide(self, export, path, force):
        error = unmount(path, lazily=force)
        if error == EBUSY:
            raise Wrong("in use: somebody has %s open" % os.path.basename(path))
        if export in self.daemon.exports():
            try:
                self.daemon.remove_export(export, force=True)
            except Refused:
                raise Wrong("what was written to it waits for the storage; it goes when that ends") from None
        # Without asking which nodes there are: of a fenced one QEMU cannot say, and then says nothing of the others either.
        try:
            self.daemon("blockdev-del", node_name=export)
        except Refused as e:
            if "find node" not in str(e):
                raise
        try:
            self.daemon("object-del", id="io-" + export)
        except Refused:  # a run before got as far
            pass
        if os.path.exists(path):
            os.unlink(path)

    def add_node(self, name, pool, image, **more):
        self.daemon("blockdev-add", driver="rbd", node_name=name, pool=pool, image=image, conf=CONF, user=USER.partition(".")[2],
                    discard="unmap", cache={"direct": True}, **more)

    def open(self, name, v):
        read_only = self.claim(name, v)
        self.add_node(node(name), v["pool"], v["image"], read_only=read_only)
        if not read_only:
            try:
                self.images.alone(v)
            except Wrong:
                self.daemon("blockdev-del", node_name=node(name))
                raise

    def attach(self, name, v):
        nodes = self.daemon.nodes()
        if node(name) in nodes and not self.still_mine(name, v):
            nodes = self.daemon.nodes()
        if node(name) not in nodes:
            self.open(name, v)
            nodes = self.daemon.nodes()
        if node(name) not in self.daemon.exports():
            self.show(node(name), not yes(v.get("read_only")), os.path.join(EXPORT, name))
        now = nodes[node(name)]
        if v.get("size", now) != now and not yes(v.get("read_only")):
            size = self.images.wait_size(v)
            if size != now:
                self.daemon("block_resize", node_name=node(name), size=size)
                say("resized volume %s, %d -> %d bytes" % (name, now, size))

    def close(self, name, force):
        if force:
            filesystem.unmount(name, lazily=True)
        self.hide(node(name), os.path.join(EXPORT, name), force)


def watch(_):
    with Qmp(os.path.join(WORK, "watch"), timeout=2) as daemon:
        exports = daemon.exports()
    with open("/proc/mounts") as f:
        mounts = sum(1 for line in f if line.split()[1].startswith(EXPORT + "/") and line.split()[2].startswith("fuse"))
    print("%d volumes served" % len(exports))
    if mounts < len(exports):
        print("%d of %d files are not mounted any more" % (len(exports) - mounts, len(exports)))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(hook(sys.argv[1], Fuse, watch))
