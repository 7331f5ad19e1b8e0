# SPDX-License-Identifier: MIT
"""Hook io: written through the NBD socket, read through that and through vhost-user-blk."""

import sys

sys.path.insert(0, "/usr/lib/slipway-ceph")
from slipway_io import main, qemu_read, qemu_write  # noqa: E402


def nbd(name):
    return "driver=nbd,server.type=unix,server.path=/export/nbd.sock,export=" + name


def vhost(name):
    return "driver=virtio-blk-vhost-user,cache.direct=on,path=/export/%s.vhost" % name


sys.exit(main(qemu_write(nbd), [("NBD", qemu_read(nbd)), ("vhost-user-blk", qemu_read(vhost))]))
