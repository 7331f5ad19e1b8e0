# SPDX-License-Identifier: MIT
"""Hook io: the volume's file."""

import os
import sys

sys.path.insert(0, "/usr/lib/slipway-ceph")
from slipway_io import main  # noqa: E402

EXPORT = "/export"


def write(name, path):
    with open(path, "rb") as data, open(os.path.join(EXPORT, name), "r+b", buffering=0) as f:
        f.write(data.read())
        os.fsync(f.fileno())


def read(name, path):
    with open(os.path.join(EXPORT, name), "rb", buffering=0) as f:
        # What the kernel remembers of the file proves nothing.
        os.posix_fadvise(f.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        data = f.read()
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
        out.write(data)


sys.exit(main(write, [("a file", read)], file=True))
