# SPDX-License-Identifier: MIT
"""Serves what $CFG_volumes names as files in /export, which the host sees: FUSE exports of qemu-storage-daemon, by QMP.
Each volume has a daemon of its own: one changes no volume while a request of another waits (for space, for a lock), and
the last way out, to kill it, must not take other volumes along."""

import errno
import fcntl
import os
import signal
import sys
import time

sys.path.insert(0, "/usr/lib/slipway-ceph")
from slipway_ceph import RUN, say  # noqa: E402
from slipway_driver import USER, Driver, Wrong, hook, node, yes  # noqa: E402
from slipway_qmp import Qmp, Refused  # noqa: E402

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import filesystem  # noqa: E402
import mounts  # noqa: E402

WORK = os.path.join(RUN, "qsd")
CONF = os.path.join(WORK, "ceph.conf")
SERVE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "serve")
EXPORT = "/export"
START, END = 20, 10  # seconds
ASKED = 10  # daemons that health asks each time


def unmount(path, force=False):
    """0, or the errno. Without `force` it is refused while anybody has the file open, on the host as well: the kernel
    asks every place that the mount was propagated to. With it whoever waits for the file gets an error."""
    return mounts.ask("unmount", os.path.basename(path), "fl" if force else "")


class Daemon:
    """The qemu-storage-daemon of one node, in a folder of that name. There are its sockets, and `wanted`: without it
    nobody begins another one when it ends."""

    def __init__(self, name):
        self.name, self.path = name, os.path.join(WORK, name)
        self.qmp = None

    def _in(self, name):
        return os.path.join(self.path, name)

    def pid(self):
        """Of the running one; 0 when there is none. It writes the file when its sockets are there."""
        try:
            with open(self._in("pid")) as f:
                pid = int(f.read())
            with open("/proc/%d/cmdline" % pid, "rb") as f:
                return pid if ("/%s/main," % self.name).encode() in f.read() else 0
        except (OSError, ValueError):
            return 0

    def connect(self):
        self.qmp = self.qmp or Qmp(self._in("main"))
        return self.qmp

    def _leave(self, files=("wanted",)):
        for name in files:
            try:
                os.unlink(self._in(name))
            except FileNotFoundError:
                pass

    def _clear(self):
        if self.qmp:
            self.qmp.s.close()
            self.qmp = None
        if os.path.isdir(self.path):
            self._leave(os.listdir(self.path))
            os.rmdir(self.path)

    def start(self):
        self._clear()
        os.mkdir(self.path, 0o700)
        with open(self._in("wanted"), "w") as f:
            f.write(str(time.monotonic_ns()))
        # It outlives the hook, and what it says goes where the container's daemon says it.
        os.posix_spawn(SERVE, [SERVE, "volume", self.name], os.environ, setsid=True, file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, os.path.join(WORK, "output"), os.O_WRONLY, 0), (os.POSIX_SPAWN_DUP2, 1, 2)])
        end = time.monotonic() + START
        while not self.pid():
            if time.monotonic() >= end:
                raise TimeoutError("qemu-storage-daemon does not start within %d s" % START)
            time.sleep(0.003)

    def gone(self, seconds):
        end = time.monotonic() + seconds
        while self.pid():
            if time.monotonic() >= end:
                return False
            time.sleep(0.01)
        self._clear()
        return True

    def quit(self):
        """Whether it has ended, with everything written."""
        self._leave()
        if self.pid():
            try:
                self.connect()("quit")
            except (OSError, Refused):
                pass
        return self.gone(END)

    def kill(self):
        self._leave()
        pid = self.pid()
        if pid:
            os.kill(pid, signal.SIGKILL)
        if not self.gone(END):
            raise Wrong("qemu-storage-daemon (process %d) cannot be killed" % pid)


class Fuse(Driver):
    daemon_name, conf = "qemu-storage-daemon", CONF
    # The daemon has a copy of its own, which nobody changes meanwhile.
    client = {"rbd_disable_zero_copy_writes": "false"}
    refusals = (Refused, filesystem.Unfit)
    more = ("docker",)  # Docker has it attached, and lets go of it by itself
    daemon = Daemon

    def __init__(self, images):
        super().__init__(images, WORK)

    def begin(self):
        """`serve` runs the hook too, when a daemon has died."""
        self.lock = os.open(os.path.join(WORK, "lock"), os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(self.lock, fcntl.LOCK_EX)
        self.load()

    def todo(self, serve):
        due = super().todo(serve)
        return {name: v for name, v in serve.items() if name in due or not Daemon(node(name)).pid()}

    @staticmethod
    def add_node(daemon, pool, image, **more):
        daemon.connect()("blockdev-add", driver="rbd", node_name=daemon.name, pool=pool, image=image, conf=CONF,
                         user=USER.partition(".")[2], discard="unmap", cache={"direct": True}, **more)

    @staticmethod
    def show(daemon, writable, path):
        """The file is what the export is mounted on; nobody can write to it before that. Requests have a thread of
        their own: a write that waits (a full pool) keeps its thread, which then answers nothing else."""
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o400))
        daemon.connect()("block-export-add", type="fuse", id=daemon.name, node_name=daemon.name, mountpoint=path,
                         writable=writable, growable=False, allow_other="on", iothread="io")

    @staticmethod
    def hide(path):
        """Although somebody has it open, or its daemon has died."""
        unmount(path, force=True)
        if os.path.exists(path):
            os.unlink(path)

    def open(self, name, v):
        daemon, path = Daemon(node(name)), os.path.join(EXPORT, name)
        filesystem.unmount(name, lazily=True, unsynced=True)
        self.hide(path)
        daemon.kill()
        read_only = self.claim(name, v)
        daemon.start()
        try:
            self.add_node(daemon, v["pool"], v["image"], read_only=read_only)
            self.opened(name, v)
            self.show(daemon, not read_only, path)
        except BaseException:
            if not daemon.quit():
                daemon.kill()
            raise

    def attach(self, name, v):
        daemon = Daemon(node(name))
        whole = name in self.served and not self.served[name].get("leaving") and daemon.pid()
        if whole:
            whole = self.still_mine(name, v) and daemon.name in daemon.connect().exports()
        if not whole:
            return self.open(name, v)
        if v.get("size") and not yes(v.get("read_only")):
            self.resize(name, v, daemon)

    def resize(self, name, v, daemon):
        now = self.served[name]["size"]
        try:
            now = daemon.connect().size(daemon.name)
        except Refused:  # QEMU cannot say it of one that was fenced
            pass
        if v["size"] == now:
            return
        size = self.images.wait_size(v)
        if size != now:
            daemon.connect()("block_resize", node_name=daemon.name, size=size)
            self.served[name]["size"] = size
            self.remember()
            say("resized volume %s, %d -> %d bytes" % (name, now, size))

    def close(self, name, force):
        daemon, path = Daemon(node(name)), os.path.join(EXPORT, name)
        if force:
            unmount(path, force)  # first, or what is written back to the file waits for it
            filesystem.unmount(name, lazily=True, unsynced=True)
        else:
            code = unmount(path)
            if code == errno.EBUSY:
                raise Wrong("in use: somebody has %s open" % name)
            if code not in (0, errno.EINVAL, errno.ENOENT):  # these two: it is not mounted
                raise Wrong("unmounting: %s" % os.strerror(code))
        # Nothing of what is under way is wanted when it was fenced, and some of it may never end.
        if force and not self.served[name]["read_only"]:
            daemon.kill()
        elif not daemon.quit():
            if not force:
                self.served[name]["leaving"] = True
                self.remember()
                raise Wrong("what was written to it waits for the storage; `slipway volume detach --force %s` gives "
                            "it up" % name)
            daemon.kill()
        if os.path.exists(path):
            os.unlink(path)


def watch(what):
    """Whether each file is there, and of some daemons, others each time, whether they answer."""
    if what == "ready":
        return 0 if os.path.isdir(WORK) else 1
    served = sorted(Driver(None, WORK).served)
    with open("/proc/mounts") as f:
        shown = {words[1] for words in map(str.split, f) if words[2].startswith("fuse")}
    missing = [n for n in served if "%s/%s" % (EXPORT, n) not in shown or not Daemon(node(n)).pid()]
    if missing:
        print("the files of %d of %d volumes are not there: %s" % (len(missing), len(served), " ".join(missing[:5])))
        return 1
    first = int(time.time() / 10) * ASKED % max(len(served), 1)
    for name in (served + served)[first:first + min(ASKED, len(served))]:
        try:
            with Qmp(os.path.join(WORK, node(name), "watch"), timeout=2):
                pass
        except OSError as e:
            print("volume %s: its qemu-storage-daemon does not answer: %s" % (name, e))
            return 1
    if os.environ.get("CFG_docker") == "true" and not os.path.isdir("/plugins"):
        print("docker is true, and the container was made without the rights for it; `slipway up` makes it again")
        return 1
    print("%d volumes served" % len(served))
    return 0


if __name__ == "__main__":
    sys.exit(hook(sys.argv[1], Fuse, watch))
