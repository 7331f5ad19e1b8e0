# SPDX-License-Identifier: MIT
"""The OSDs' part of `slipway check`: state, space, placement groups; an object and an image written, read, compared.

The user client.check reaches one namespace of each pool and nothing else, so a check cannot touch anybody's data. What
a killed check left there goes with the next one.
"""

import contextlib
import ctypes
import hashlib
import os
import subprocess
import sys
import time

sys.path.insert(0, "/usr/lib/slipway-ceph")
from slipway_ceph import RUN, Cluster, Failure, mon_host, mons  # noqa: E402
from slipway_check import failed, skipped, success, warning  # noqa: E402

NAMESPACE = "slipway-check"
PREFIX = "check-"
OBJECT_BYTES = 1 << 20
IMAGE_BYTES = 4 << 20
CLEAN_WAIT = 20
LEFT_OVER = 300
LOOK = "slipway status; ceph osd tree and ceph health detail in a monitor's container"


def osds(c):
    s = c.mon_json("osd stat")
    words = "%d OSDs, %d up, %d in" % (s["num_osds"], s["num_up_osds"], s["num_in_osds"])
    if s["num_osds"] and s["num_osds"] == s["num_up_osds"] == s["num_in_osds"]:
        success("osds", "osd.state", words)
    elif s["num_up_osds"] == 0:
        failed("osds", "osd.state", words, LOOK)
    else:
        warning("osds", "osd.state", words, LOOK)


def space(c):
    dump = c.mon_json("osd dump")
    df = c.mon_json("df")["stats"]
    used = df["total_used_raw_bytes"] / df["total_bytes"] if df["total_bytes"] else 0.0
    words = "%.1f %% of %.1f GiB used" % (used * 100, df["total_bytes"] / 2**30)
    states = {s for o in dump["osds"] for s in o["state"]}
    if "full" in states or used >= dump["full_ratio"]:
        failed("space", "osd.space", words + "; an OSD is full: writes are refused", "add OSDs or enlarge them (size)")
    elif states & {"nearfull", "backfillfull"} or used >= dump["nearfull_ratio"]:
        warning("space", "osd.space", words + "; an OSD is nearly full", "add OSDs or enlarge them (size)")
    else:
        success("space", "osd.space", words)


def answers(state):
    """A placement group without a lease keeps its requests, clean as it may be."""
    return not {"laggy", "wait"} & set(state.split("+"))


def placement(c):
    """Placement groups settle for some seconds after a change, so this waits a little before it complains."""
    end = time.monotonic() + CLEAN_WAIT
    while True:
        stat = c.mon_json("pg stat")
        summary = stat.get("pg_summary", stat)
        total = summary.get("num_pgs", 0)
        by_state = summary.get("num_pg_by_state", [])
        # Scrubbing is part of a healthy life.
        clean = sum(s["num"] for s in by_state if s["name"].startswith("active+clean") and answers(s["name"]))
        if total == clean or time.monotonic() >= end:
            break
        time.sleep(0.5)
    states = ", ".join("%d %s" % (s["num"], s["name"]) for s in by_state)
    if total == clean:
        success("placement groups", "osd.pgs", "%d placement groups active+clean" % total)
    elif not all("active" in s["name"] and answers(s["name"]) for s in by_state):
        failed("placement groups", "osd.pgs", states, LOOK)
    else:
        warning("placement groups", "osd.pgs", states, "wait for recovery; " + LOOK)


def pool_of(c):
    """The pool to try: the first replicated one that images live in."""
    pools = c.mon_json("osd pool ls", detail="detail")
    names = [p["pool_name"] for p in pools if "rbd" in p["application_metadata"] and p["type"] == 1]
    return names[0] if names else None


class Objects:
    """Objects of one namespace of a pool."""

    def __init__(self, c, pool):
        self.lib, self.io = c.lib, ctypes.c_void_p()
        self.check(self.lib.rados_ioctx_create(c.handle, pool.encode(), ctypes.byref(self.io)), "opening pool " + pool)
        self.lib.rados_ioctx_set_namespace(self.io, NAMESPACE.encode())

    @staticmethod
    def check(status, what):
        if status < 0:
            raise Failure(-status, "%s: %s" % (what, os.strerror(-status)))

    def write(self, name, data):
        self.check(self.lib.rados_write_full(self.io, name.encode(), data, ctypes.c_size_t(len(data))),
                   "writing an object")

    def read(self, name, length):
        buffer = ctypes.create_string_buffer(length)
        got = self.lib.rados_read(self.io, name.encode(), buffer, ctypes.c_size_t(length), ctypes.c_uint64(0))
        self.check(got, "reading an object")
        return buffer.raw[:got]

    def remove(self, name):
        return self.lib.rados_remove(self.io, name.encode())


def one_object(c, pool):
    name = "%sobject-%d" % (PREFIX, os.getpid())
    data = os.urandom(OBJECT_BYTES)
    objects = Objects(c, pool)
    try:
        objects.write(name, data)
        same = hashlib.sha256(objects.read(name, OBJECT_BYTES)).digest() == hashlib.sha256(data).digest()
    finally:
        objects.remove(name)
    if same:
        success("object", "osd.object", "1 MiB written to pool %s, read back equal and removed" % pool)
    else:
        failed("object", "osd.object", "pool %s gave back other data than was written" % pool,
               "stop writing; look at the disks and at ceph health detail")


def rbd(*arguments, data=None):
    """No shell, no secret in the arguments."""
    command = ["rbd", "--name", "client.check", "--keyfile", os.path.join(RUN, "secrets", "check"),
               "--mon-host", mon_host(mons().values()), *arguments]
    r = subprocess.run(command, input=data, capture_output=True, timeout=60, check=False)
    if r.returncode != 0:
        lines = r.stderr.decode(errors="replace").strip().splitlines() or ["status %d" % r.returncode]
        raise Failure(r.returncode, "rbd %s: %s" % (arguments[0], lines[-1]))
    return r.stdout


def sweep(space_name):
    """Images of checks that were killed: older than any check lives. One that somebody still has open (a check that
    sleeps, or was killed within the last half minute) is for the next check to take away; nothing is wrong with it."""
    for name in rbd("ls", space_name).decode().split():
        made = name[len(PREFIX):].split("-")[0]
        if name.startswith(PREFIX) and made.isdigit() and int(made) + LEFT_OVER < time.time():
            with contextlib.suppress(Failure, subprocess.TimeoutExpired):
                rbd("rm", "--no-progress", "%s/%s" % (space_name, name))


def one_image(pool):
    space_name = "%s/%s" % (pool, NAMESPACE)
    image = "%s/%s%d-%d" % (space_name, PREFIX, time.time(), os.getpid())
    data = os.urandom(IMAGE_BYTES)
    sweep(space_name)
    try:
        rbd("import", "--no-progress", "--image-feature", "layering", "-", image, data=data)
        same = hashlib.sha256(rbd("export", "--no-progress", image, "-")).digest() == hashlib.sha256(data).digest()
    finally:
        try:
            rbd("rm", "--no-progress", image)
        except (Failure, subprocess.TimeoutExpired):
            pass
    if same:
        success("image", "osd.image", "an image of 4 MiB written to pool %s, read back equal and removed" % pool)
    else:
        failed("image", "osd.image", "an image in pool %s gave back other data than was written" % pool,
               "stop writing; look at ceph health detail")


def asked(test, code):
    """Without arguments every test is wanted."""
    return len(sys.argv) == 1 or any(w in (test, code, code.partition(".")[2]) for w in sys.argv[1:])


def guarded(test, code, function, *arguments):
    if not asked(test, code):
        return
    try:
        function(*arguments)
    except (Failure, subprocess.TimeoutExpired, KeyError, ValueError) as e:
        failed(test, code, str(e), LOOK)


def main():
    try:
        with Cluster("client.check", "check", timeout=30) as c:
            c.connect()
            guarded("osds", "osd.state", osds, c)
            guarded("space", "osd.space", space, c)
            guarded("placement groups", "osd.pgs", placement, c)
            pool = pool_of(c)
            if pool is None:
                skipped("object", "osd.object", "there is no replicated pool for images")
                skipped("image", "osd.image", "there is no replicated pool for images")
                return 0
            guarded("object", "osd.object", one_object, c, pool)
            guarded("image", "osd.image", one_image, pool)
    except Failure as e:
        failed("osds", "osd.state", str(e), LOOK)
    return 0


sys.exit(main())
