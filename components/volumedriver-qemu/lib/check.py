# SPDX-License-Identifier: MIT
"""The QEMU driver's part of `slipway check`: a small image of its own, in the namespace for checks, is attached, written and
read through NBD, and taken away."""

import os
import subprocess
import time

from slipway_ceph import Failure
from slipway_check import failed, success
from slipway_driver import DEFAULT_POOL, USER, Wrong
from slipway_qmp import Refused
from slipway_rbd import ENOENT, Pool

NAMESPACE = "slipway-check"
SIZE = 4 << 20
LOOK = "slipway logs of the driver; slipway check ceph-osd"


def through_nbd(driver, conf, name):
    driver.main("blockdev-add", driver="rbd", node_name=name, pool=DEFAULT_POOL, namespace=NAMESPACE, image=name, conf=conf,
                user=USER.partition(".")[2], cache={"direct": True})
    try:
        driver.main("block-export-add", type="nbd", id=name, node_name=name, name=name, writable=True)
        r = subprocess.run(["qemu-io", "-f", "raw", "-c", "write -P 0x5a 64k 1M", "-c", "flush", "-c", "read -P 0x5a 64k 1M",
                            "-c", "read -P 0 0 64k", "nbd+unix:///%s?socket=/export/nbd.sock" % name],
                           capture_output=True, text=True, timeout=60, check=False)
        if r.returncode != 0 or "failed" in r.stdout:
            raise Refused((r.stderr or r.stdout).strip().replace("\n", "; ")[-300:])
    finally:
        if name in driver.main.exports():
            driver.main.remove_export(name, force=True)
        driver.main("blockdev-del", node_name=name)


def check(driver):
    # The time first: the OSDs' check takes away what is older than any check (ceph-osd/lib/check.py, sweep).
    name = "check-%d-%d-qemu" % (time.time(), os.getpid())
    try:
        pool = Pool(driver.images.pool(DEFAULT_POOL).c, DEFAULT_POOL)
        pool.c.lib.rados_ioctx_set_namespace(pool.io, NAMESPACE.encode())
        pool.create(name, SIZE)
        try:
            through_nbd(driver, os.path.join(os.environ["SLIPWAY_RUN"], "qsd", "ceph.conf"), name)
        finally:
            try:
                pool.remove(name)
            except Failure as e:
                if e.errno != ENOENT:
                    raise
        success("nbd", "volume.qemu", "1 MiB written and read back through NBD; %d volumes served" % len(driver.served))
    except (Failure, Refused, Wrong, OSError, subprocess.TimeoutExpired) as e:
        failed("nbd", "volume.qemu", str(e), LOOK)
    return 0
