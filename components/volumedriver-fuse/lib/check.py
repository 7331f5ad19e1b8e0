# SPDX-License-Identifier: MIT
"""The FUSE driver's part of `slipway check`: a small image of its own, in the namespace for checks, becomes a file, is written
and read, and goes again."""

import json
import os
import socket
import time

from slipway_ceph import Failure
from slipway_check import failed, success
from slipway_driver import DEFAULT_POOL, Wrong
from slipway_qmp import Refused
from slipway_rbd import ENOENT, Pool

NAMESPACE = "slipway-check"
SIZE = 4 << 20
LOOK = "slipway logs of the driver; slipway check ceph-osd"


def through_file(driver, name):
    path = "/export/." + name
    driver.add_node(name, DEFAULT_POOL, name, namespace=NAMESPACE)
    try:
        driver.show(name, True, path)
        data = os.urandom(1 << 20)
        with open(path, "r+b", buffering=0) as f:
            f.seek(65536)
            f.write(data)
            os.fsync(f.fileno())
            os.posix_fadvise(f.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        with open(path, "rb") as f:
            f.seek(65536)
            if f.read(len(data)) != data:
                raise Wrong("the file gave back other data than was written")
    finally:
        driver.hide(name, path, True)


def check(driver):
    # The time first: the OSDs' check takes away what is older than any check (ceph-osd/lib/check.py, sweep).
    name = "check-%d-%d-fuse" % (time.time(), os.getpid())
    try:
        pool = Pool(driver.images.pool(DEFAULT_POOL).c, DEFAULT_POOL)
        pool.c.lib.rados_ioctx_set_namespace(pool.io, NAMESPACE.encode())
        pool.create(name, SIZE)
        try:
            through_file(driver, name)
        finally:
            try:
                pool.remove(name)
            except Failure as e:
                if e.errno != ENOENT:
                    raise
        success("file", "volume.fuse", "1 MiB written and read back through a file; %d volumes served" % len(driver.served))
    except (Failure, Refused, Wrong, OSError) as e:
        failed("file", "volume.fuse", str(e), LOOK)
    if os.environ.get("CFG_docker") == "true":
        docker()
    return 0


def docker():
    """Docker's own question, over the socket that it uses."""
    from docker import PLUGINS, plugin_name
    path = os.path.join(PLUGINS, plugin_name() + ".sock")
    question = b"POST /VolumeDriver.List HTTP/1.1\r\nHost: d\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"
    answer = b""
    try:
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(10)
            s.connect(path)
            s.sendall(question)
            while piece := s.recv(65536):
                answer += piece
        found = json.loads(answer.partition(b"\r\n\r\n")[2])
        if found["Err"]:
            raise Wrong(found["Err"])
        success("docker", "volume.docker", "Docker's volume driver %s has %d volumes" % (plugin_name(), len(found["Volumes"])))
    except (OSError, ValueError, KeyError, Wrong) as e:
        failed("docker", "volume.docker", "%s: %s" % (plugin_name(), e), "slipway logs of the driver; another docker_name if it is taken")
