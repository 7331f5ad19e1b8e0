# SPDX-License-Identifier: MIT
"""A driver's part of `slipway check`: a small image of its own, in the namespace for checks, is served, written and
read, and goes again."""

import contextlib
import os
import subprocess
import time

from slipway_ceph import Failure
from slipway_check import failed, success
from slipway_driver import Wrong
from slipway_rbd import ENOENT, Pool
from slipway_rules import POOL

NAMESPACE = "slipway-check"
SIZE = 4 << 20
LOOK = "slipway logs of the driver; slipway check ceph-osd"


@contextlib.contextmanager
def scratch(driver, kind):
    """The name of an image that is there as long as this."""
    # The time first: the OSDs' check takes away what is older than any check (ceph-osd/lib/check.py, sweep).
    name = "check-%d-%d-%s" % (time.time(), os.getpid(), kind)
    pool = Pool(driver.images.pool(POOL).c, POOL)
    pool.c.lib.rados_ioctx_set_namespace(pool.io, NAMESPACE.encode())
    pool.create(name, SIZE)
    try:
        yield name
    finally:
        try:
            pool.remove(name)
        except Failure as e:
            if e.errno != ENOENT:
                raise


def try_image(driver, kind, test, through):
    """Prints the line of `test`. through(driver, name) serves the image, writes to it and reads it; what it raises is
    why not."""
    code = "volume." + kind
    try:
        with scratch(driver, kind) as name:
            through(driver, name)
        success(test, code, "1 MiB written and read back; %d volumes served" % len(driver.served))
    except (Failure, Wrong, OSError, subprocess.TimeoutExpired) + driver.refusals as e:
        failed(test, code, str(e), LOOK)
