# SPDX-License-Identifier: MIT
"""Drains one OSD: out, wait until nothing needs it, keep it down, purge. "back": in again, after one that was killed.

Who asks for it holds a pipe to its standard input. When that ends while data moves, nobody waits for the OSD to leave:
it takes data again at once, and whoever asks the next time begins again.

Ceph purges only what is down, and a daemon that is alive comes up again at once, even after the purge. So it is
forbidden to boot first (noup for this OSD alone; the flag goes with the OSD), stands still during the purge, and is
killed after it. Three marks: two in the volume, that the OSD is out because of this, which the health hook looks at,
and that what is left there is old; one in the container says that this container waits for its removal and must not
register again. The first one goes last: as long as it is there, somebody finds out whether the OSD was purged, and
takes everything back when it was not.
"""

import fcntl
import os
import select
import signal
import stat
import subprocess
import sys
import time

sys.path.insert(0, "/usr/lib/slipway-ceph")
from slipway_ceph import RUN, Cluster, Failure, say  # noqa: E402

DEADLINE = 3300
TELL_EVERY = 10
CONTAINER_MARK = "/var/lib/ceph/drained"
LEAVING = os.environ["SLIPWAY_DATA"] + "/leaving"
DRAINED = os.environ["SLIPWAY_DATA"] + "/drained"
LOCK = os.path.join(RUN, "drain.lock")  # one at a time; its process's end lets go of it
ENOENT, EINTR, EAGAIN, EBUSY = 2, 4, 11, 16


def osd_map(c, osd):
    return next((o for o in c.mon_json("osd dump")["osds"] if o["osd"] == osd), None)


def placement_groups(c, osd):
    """How many placement groups still live on the OSD, or None when the manager does not say."""
    try:
        nodes = c.mgr_json("osd df", output_method="plain")["nodes"]
    except (Failure, KeyError, ValueError):
        return None
    return next((n["pgs"] for n in nodes if n["id"] == osd), None)


def is_alone():
    """Whether the pipe of who asked has ended. A file or a terminal tells nothing."""
    if not stat.S_ISFIFO(os.fstat(0).st_mode):
        return False
    return bool(select.select([0], [], [], 0)[0]) and not os.read(0, 1)


def wait_safe(c, osd):
    end, told = time.monotonic() + DEADLINE, 0.0
    while True:
        if is_alone():
            raise Failure(EINTR, "nobody waits any more for osd.%d to leave" % osd)
        try:
            answer = c.mgr_json("osd safe-to-destroy", ids=[str(osd)])
            if osd in answer.get("safe_to_destroy", []):
                return
            why = "the cluster is still using it"
        except Failure as e:
            if e.errno not in (EAGAIN, EBUSY):
                raise
            why = str(e).split(": ", 1)[-1].strip()
        now = time.monotonic()
        if now >= end:
            raise Failure(110, "osd.%d cannot be taken away after %d s: %s" % (osd, DEADLINE, why))
        if now >= told:
            left = placement_groups(c, osd)
            say("osd.%d: %s%s" % (osd, why, "" if left is None else ", %d placement groups to move" % left))
            told = now + TELL_EVERY
        time.sleep(0.5)


def daemon():
    """Process of this instance's ceph-osd, or None."""
    mine = os.path.join(RUN, "ceph", "osd").encode()
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open("/proc/%s/cmdline" % pid, "rb") as f:
                words = f.read().split(b"\0")
        except OSError:
            continue
        if words[0].endswith(b"ceph-osd") and mine in words:
            return int(pid)
    return None


def touch(path):
    with open(path, "w", encoding="utf-8"):
        pass


def remove(path):
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass


def lock(osd):
    """Behind a drain that is under way, as long as somebody waits for this one."""
    fd = os.open(LOCK, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
    while True:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if is_alone():
                raise Failure(EINTR, "nobody waits any more for osd.%d to leave" % osd) from None
        time.sleep(0.5)


def leave(c, osd):
    """The OSD is safe to destroy: down, purged, and its daemon gone."""
    c.mon({"prefix": "osd set-group", "flags": "noup", "who": ["osd.%d" % osd]})
    end = time.monotonic() + 60
    while (osd_map(c, osd) or {}).get("up"):
        c.mon({"prefix": "osd down", "ids": [str(osd)]})
        if time.monotonic() >= end:
            raise Failure(EBUSY, "osd.%d does not go down" % osd)
        time.sleep(0.3)
    pid = daemon()
    if pid:
        os.kill(pid, signal.SIGSTOP)
    touch(DRAINED)
    touch(CONTAINER_MARK)
    try:
        c.mon({"prefix": "osd purge-actual", "id": osd, "yes_i_really_mean_it": True})
    except Failure:
        if pid:
            os.kill(pid, signal.SIGCONT)
        raise
    remove(LEAVING)
    if pid:
        # The container ends with its daemon; first this hook has to tell its result.
        subprocess.Popen(["sh", "-c", "sleep 1; kill -KILL %d" % pid], start_new_session=True,
                         stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def take_back(osd):
    """Nobody takes the OSD away now: what it holds counts again, unless it was purged already."""
    try:
        with Cluster("client.slipway-osd", "slipway_osd") as c:
            c.wait(60, "needed to keep osd.%d" % osd)
            now = osd_map(c, osd)
            if now:
                if "noup" in now.get("state", []):
                    c.mon({"prefix": "osd unset-group", "flags": "noup", "who": ["osd.%d" % osd]})
                c.mon({"prefix": "osd in", "ids": [str(osd)]})
                remove(DRAINED)
                remove(CONTAINER_MARK)
                pid = daemon()
                if pid:  # it may stand still
                    os.kill(pid, signal.SIGCONT)
        remove(LEAVING)
        say("osd.%d stays, and takes data again" % osd if now else "osd.%d has left the cluster" % osd)
        return 0
    except Failure as e:
        print("osd.%d stays out: %s" % (osd, e), file=sys.stderr)
        return 1


def drain(osd):
    out = False
    try:
        lock(osd)
        with Cluster("client.slipway-osd", "slipway_osd") as c:
            c.wait(60, "needed to drain osd.%d" % osd)
            if osd_map(c, osd):
                touch(LEAVING)
                out = True
                c.mon({"prefix": "osd out", "ids": [str(osd)]})
                wait_safe(c, osd)
                leave(c, osd)
            say("osd.%d has left the cluster" % osd)
    except Failure as e:
        if e.errno == ENOENT:
            if out:
                remove(LEAVING)
            say("osd.%d is not in the cluster" % osd)
            return 0
        print(e, file=sys.stderr)
        if out:
            take_back(osd)
        return 1
    return 0


def main():
    osd = int(os.environ["SLIPWAY_ORDINAL"])
    if sys.argv[1:] != ["back"]:
        return drain(osd)
    try:
        with open(LOCK, "w", encoding="utf-8") as held:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return take_back(osd)
    except BlockingIOError:  # the drain that is under way decides
        return 0


sys.exit(main())
