# SPDX-License-Identifier: MIT
"""Hook io, for `slipway check`: uses a volume as a client of the driver does. `io write NAME` fills it with random data
and reads it back, `io read NAME` reads it. Both print {"sha256", "via", "file"}. Only volumes of a check are
touched."""

import hashlib
import json
import os
import subprocess
import sys

from slipway_ceph import RUN

PREFIX = "slipway-check-"
MOST = 64 << 20
SECONDS = 50


class Trouble(Exception):
    """What went wrong, in one line."""


def tool(*command):
    try:
        r = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired:
        raise Trouble("%s did not end in %d s" % (command[0], SECONDS)) from None
    if r.returncode != 0:
        lines = (r.stderr or r.stdout).strip().splitlines() or ["status %d" % r.returncode]
        raise Trouble("%s: %s" % (command[0], lines[-1]))


def qemu_read(options, *objects):
    """A function(name, path) that copies the volume into a file, by qemu-img. `options`: function(name) ->
    --image-opts."""
    def read(name, path):
        tool("qemu-img", "convert", *objects, "--image-opts", options(name), "-O", "raw", path)
    return read


def qemu_write(options, *objects):
    def write(name, path):
        tool("qemu-img", "convert", "-n", "-t", "writeback", "-f", "raw", *objects, "--target-image-opts", path,
             options(name))
    return write


def size_of(name):
    size = json.loads(os.environ.get("CFG_volumes") or "{}").get(name, {}).get("size")
    if not isinstance(size, int) or not 0 < size <= MOST:
        raise Trouble("volume %s: its size is %s" % (name, size))
    return size


def digest(path):
    with open(path, "rb") as f:
        return hashlib.sha256(f.read(MOST + 1)).hexdigest()


def work(what, name, write, readers):
    path = os.path.join(RUN, "io-%d" % os.getpid())
    wanted = None
    try:
        if what == "write":
            with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as f:
                f.write(os.urandom(size_of(name)))
            wanted = digest(path)
            write(name, path)
        for via, read in readers:
            read(name, path)
            got = digest(path)
            if wanted and got != wanted:
                raise Trouble("%s gives back other data than was written: sha256 %.16s, not %.16s" % (via, got, wanted))
            wanted = got
    finally:
        if os.path.exists(path):
            os.unlink(path)
    return wanted


def main(write, readers, file=False):
    """`readers`: list of (name of the protocol, function(name, path)). `file`: whether the host sees the volume as a
    file."""
    what, name = (sys.argv[1:] + ["", ""])[:2]
    try:
        if what not in ("read", "write") or not name.startswith(PREFIX):
            raise Trouble("usage: io read|write %sNAME" % PREFIX)
        said = {"sha256": work(what, name, write, readers), "via": " and ".join(via for via, _ in readers)}
        if file:
            said["file"] = name
        print(json.dumps(said))
        return 0
    except (Trouble, OSError, ValueError) as e:
        print(e, file=sys.stderr)
        return 1
