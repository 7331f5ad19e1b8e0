# SPDX-License-Identifier: MIT
"""The QEMU driver's part of `slipway check`: a scratch image is written and read through NBD."""

import subprocess

from slipway_driver import USER
from slipway_qmp import Refused
from slipway_rules import POOL
from slipway_scratch import NAMESPACE, try_image


def through_nbd(driver, name):
    driver.main("blockdev-add", driver="rbd", node_name=name, pool=POOL, namespace=NAMESPACE, image=name,
                conf=driver.conf, user=USER.partition(".")[2], cache={"direct": True})
    try:
        driver.main("block-export-add", type="nbd", id=name, node_name=name, name=name, writable=True)
        r = subprocess.run(["qemu-io", "-f", "raw", "-c", "write -P 0x5a 64k 1M", "-c", "flush",
                            "-c", "read -P 0x5a 64k 1M", "-c", "read -P 0 0 64k",
                            "nbd+unix:///%s?socket=/export/nbd.sock" % name],
                           capture_output=True, text=True, timeout=60, check=False)
        if r.returncode != 0 or "failed" in r.stdout:
            raise Refused((r.stderr or r.stdout).strip().replace("\n", "; ")[-300:])
    finally:
        if name in driver.main.exports():
            driver.main.remove_export(name, force=True)
        driver.main("blockdev-del", node_name=name)


def check(driver):
    try_image(driver, "qemu", "nbd", through_nbd)
    return 0
