# SPDX-License-Identifier: MIT
"""Mounting: asked of the one process of this container that may (installer/init/mounter.h)."""

import errno
import socket

SOCKET = "/run/slipway-mount"
ANSWER = 100  # seconds: a file system whose journal is replayed from slow storage


def ask(verb, name, flags=""):
    """0, or an errno. `unmount` and `leave` take flags: f, with requests under way; l, while it is used."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as s:
            s.settimeout(ANSWER)
            s.connect(SOCKET)
            s.sendall(("%s %s %s" % (verb, name, flags)).encode())
            return int(s.recv(16) or errno.EIO)
    except TimeoutError:
        return errno.ETIMEDOUT
    except OSError as e:
        return e.errno or errno.EIO


if __name__ == "__main__":
    import sys
    sys.exit(1 if ask(*sys.argv[1:4]) else 0)
