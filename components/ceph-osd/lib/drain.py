# SPDX-License-Identifier: MIT
"""Drains one OSD: out, wait until nothing needs it, keep it down, purge.

Ceph purges only what is down, and a daemon that is alive comes up again at once, even after the purge. So it is forbidden
to boot first (noup for this OSD alone; the flag goes with the OSD), stands still during the purge, and is killed after it.
Two marks: one in the volume says that what is left there is old; one in the container says that this container waits
for its removal and must not register again.
"""

import os
import signal
import subprocess
import sys
import time

sys.path.insert(0, "/usr/lib/slipway-ceph")
from slipway_ceph import RUN, Cluster, Failure, say  # noqa: E402

DEADLINE = 3300
TELL_EVERY = 10
CONTAINER_MARK = "/var/lib/ceph/drained"
ENOENT, EAGAIN, EBUSY = 2, 11, 16


def osd_map(c, osd):
    return next((o for o in c.mon_json("osd dump")["osds"] if o["osd"] == osd), None)


def placement_groups(c, osd):
    """How many placement groups still live on the OSD, or None when the manager does not say."""
    try:
        nodes = c.mgr_json("osd df", output_method="plain")["nodes"]
    except (Failure, KeyError, ValueError):
        return None
    return next((n["pgs"] for n in nodes if n["id"] == osd), None)


def wait_safe(c, osd):
    end, told = time.monotonic() + DEADLINE, 0.0
    while True:
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


def leave(c, osd, first):
    """The OSD is safe to destroy: down, purged, and its daemon gone."""
    touch(first + "/drained")
    touch(CONTAINER_MARK)
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
    try:
        c.mon({"prefix": "osd purge-actual", "id": osd, "yes_i_really_mean_it": True})
    except Failure:
        if pid:
            os.kill(pid, signal.SIGCONT)
        raise
    if pid:
        # The container ends with its daemon; first this hook has to tell its result.
        subprocess.Popen(["sh", "-c", "sleep 1; kill -KILL %d" % pid], start_new_session=True,
                         stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def main():
    osd = int(os.environ["SLIPWAY_ORDINAL"])
    data = os.environ["SLIPWAY_DATA"]
    first = data + "/1" if os.path.isdir(data + "/1") else data
    try:
        with Cluster("client.slipway-osd", "slipway_osd") as c:
            c.wait(60, "needed to drain osd.%d" % osd)
            if osd_map(c, osd):
                c.mon({"prefix": "osd out", "ids": [str(osd)]})
                wait_safe(c, osd)
                leave(c, osd, first)
            say("osd.%d has left the cluster" % osd)
    except Failure as e:
        if e.errno == ENOENT:
            say("osd.%d is not in the cluster" % osd)
            return 0
        print(e, file=sys.stderr)
        return 1
    return 0


sys.exit(main())
