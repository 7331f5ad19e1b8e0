# SPDX-License-Identifier: MIT
"""The FUSE driver's part of `slipway check`: a scratch image becomes a file, is written and read."""

import json
import os
import socket

from slipway_check import failed, success
from slipway_driver import Wrong
from slipway_rules import POOL
from slipway_scratch import NAMESPACE, try_image


def through_file(driver, name):
    path, daemon = "/export/." + name, driver.daemon(name)
    daemon.start()
    try:
        driver.add_node(daemon, POOL, name, namespace=NAMESPACE)
        driver.show(daemon, True, path)
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
        driver.hide(path)
        if not daemon.quit():
            daemon.kill()


def check(driver):
    try_image(driver, "fuse", "file", through_file)
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
        success("docker", "volume.docker", "Docker's volume driver %s has %d volumes"
                % (plugin_name(), len(found["Volumes"])))
    except (OSError, ValueError, KeyError, Wrong) as e:
        failed("docker", "volume.docker", "%s: %s" % (plugin_name(), e),
               "slipway logs of the driver; another docker_name if it is taken")
