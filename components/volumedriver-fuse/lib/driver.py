# SPDX-License-Identifier: MIT
"""Serves what $CFG_volumes names as files in /export, which the host sees: qemu-storage-daemon's FUSE exports, by QMP."""

import contextlib
import ctypes
import json
import os
import signal
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
LEAVING = os.path.join(WORK, "leaving.json")
MNT_FORCE, MNT_DETACH = 1, 2
EBUSY = 16
END = 5  # an export that was cut off and has nothing under way ends at once


def unmount(path, force=False):
    """0, or the errno. Without `force` it is refused while anybody has the file open, on the host as well: the kernel asks
    every place that the mount was propagated to. With it whoever waits for the file gets an error."""
    libc = ctypes.CDLL(None, use_errno=True)
    return 0 if libc.umount2(path.encode(), MNT_FORCE | MNT_DETACH if force else 0) == 0 else ctypes.get_errno()


def leaving():
    """Exports whose volume was let go of by force while a write through them waited (a full pool): they are fenced, so that
    it never arrives, and end when the storage answers it."""
    try:
        with open(LEAVING) as f:
            return json.load(f)
    except OSError:
        return []


def remember_leaving(exports):
    with open(LEAVING + ".new", "w") as f:
        json.dump(exports, f)
    os.rename(LEAVING + ".new", LEAVING)


def start_again():
    """A change of any volume waits for every request, and no volume is served meanwhile. One that is leaving may keep it so
    for ever. Nothing of it is wanted; the others are served again within seconds."""
    for pid in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError), open("/proc/%s/comm" % pid) as f:
            if f.read().startswith("qemu-storage-d"):
                say("%s has a write that does not end: it is started again" % Fuse.daemon_name)
                os.kill(int(pid), signal.SIGKILL)


class Fuse(Driver):
    daemon_name, conf = "qemu-storage-daemon", CONF
    client = {"rbd_disable_zero_copy_writes": "false"}  # the daemon has a copy of its own, which nobody changes meanwhile
    refusals = (Refused, filesystem.Unfit)
    more = ("docker",)  # Docker has it attached, and lets go of it by itself

    def __init__(self, images):
        super().__init__(images, WORK)
        try:
            self.daemon = Qmp(os.path.join(WORK, "main"))
        except TimeoutError:
            if leaving():
                start_again()
            raise

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

    def begin(self):
        there = leaving() and self.daemon.exports()
        for export in leaving():
            if export not in there:
                self.drop(export)
                remember_leaving([e for e in leaving() if e != export])

    def hide(self, export, path, force):
        error = unmount(path, force)
        if error == EBUSY:
            raise Wrong("in use: somebody has %s open" % os.path.basename(path))
        if export in self.daemon.exports():
            try:
                self.daemon.remove_export(export, force=True, seconds=END)
            except Refused:
                if not force:
                    raise Wrong("what was written to it waits for the storage; it goes when that ends") from None
                remember_leaving(leaving() + [export])
        if export not in leaving():
            self.drop(export)
        if os.path.exists(path):
            os.unlink(path)

    def drop(self, export):
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

    def add_node(self, name, pool, image, **more):
        self.daemon("blockdev-add", driver="rbd", node_name=name, pool=pool, image=image, conf=CONF, user=USER.partition(".")[2],
                    discard="unmap", cache={"direct": True}, **more)

    def node(self, name):
        """Another one when that of before is still leaving, which may take for ever: librbd forgets a first write that is
        fenced while it waits for the image's lock."""
        if "node" in self.served.get(name, {}):
            return self.served[name]["node"]
        names = (node(name)[:27] + n for n in [""] + [".%d" % i for i in range(1, 100)])
        return next(n for n in names if n not in leaving())

    def nodes(self):
        """Map node -> size. QEMU cannot say it of a fenced one, and then says nothing of the others either."""
        try:
            return self.daemon.nodes()
        except Refused:
            there = leaving() and self.daemon.exports()
            if not there:
                raise
            return {v["node"]: v["size"] for v in self.served.values() if v.get("node") in there}

    def open(self, name, v):
        n, read_only = self.node(name), self.claim(name, v)
        self.served[name]["node"] = n
        self.remember()
        self.add_node(n, v["pool"], v["image"], read_only=read_only)
        if not read_only:
            try:
                self.images.alone(v)
            except Wrong:
                self.daemon("blockdev-del", node_name=n)
                raise

    def attach(self, name, v):
        nodes = self.nodes()
        if self.node(name) in nodes and not self.still_mine(name, v):
            nodes = self.nodes()
        if self.node(name) not in nodes:
            self.open(name, v)
            nodes = self.nodes()
        n = self.node(name)
        if n not in self.daemon.exports():
            self.show(n, not yes(v.get("read_only")), os.path.join(EXPORT, name))
        now = nodes.get(n, self.served[name]["size"])
        if v.get("size", now) != now and not yes(v.get("read_only")):
            size = self.images.wait_size(v)
            if size != now:
                self.daemon("block_resize", node_name=n, size=size)
                self.served[name]["size"] = size
                self.remember()
                say("resized volume %s, %d -> %d bytes" % (name, now, size))

    def close(self, name, force):
        if force:
            unmount(os.path.join(EXPORT, name), force)  # first, or what is written back to the file waits for it
            filesystem.unmount(name, lazily=True, unsynced=True)
        self.hide(self.node(name), os.path.join(EXPORT, name), force)


def watch(_):
    with Qmp(os.path.join(WORK, "watch"), timeout=2) as daemon:
        exports = [e for e in daemon.exports() if e not in leaving()]
    with open("/proc/mounts") as f:
        mounts = sum(1 for line in f if line.split()[1].startswith(EXPORT + "/") and line.split()[2].startswith("fuse"))
    print("%d volumes served" % len(exports))
    if mounts < len(exports):
        print("%d of %d files are not mounted any more" % (len(exports) - mounts, len(exports)))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(hook(sys.argv[1], Fuse, watch))
