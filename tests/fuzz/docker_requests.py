# SPDX-License-Identifier: MIT
"""What Docker asks its volume driver (components/volumedriver-fuse/lib/docker.py), from the first byte of the
connection: an answer in HTTP with a map that has an Err, or none at all; never another exception, and never a volume
with a name, size or source that cannot be. etcd and the storage are not there: what is desired is in memory."""

import io
import json
import os
import sys

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
sys.path[:0] = [os.path.dirname(os.path.abspath(__file__)), os.path.join(ROOT, "tests"),
                os.path.join(ROOT, "dockerfiles/shared/ceph"),
                os.path.join(ROOT, "dockerfiles/volumedriver/rootfs/usr/lib/slipway-ceph"),
                os.path.join(ROOT, "components/volumedriver-fuse/lib")]
import volume_rules  # noqa: E402, I001
import docker  # noqa: E402
import slipway_driver  # noqa: E402
import slipway_rules  # noqa: E402
from mutate import run  # noqa: E402

BEGIN = {"there": {"size": "1GiB", "pool": "volumes", "docker": True,
                   "snapshots": {"s": {"size": "1GiB"}, "old": {"absent": True}}},
         "tpl": {"size": "64MiB", "template": True, "snapshots": {"template": {}}}, "odd": "text",
         "leaving": {"absent": True, "size": "1GiB"}}


class State:
    kept = {}, {}

    def __init__(self, **_):
        self.made, self.served = json.loads(json.dumps(State.kept))
        self.revisions = {docker.keys.MADE: 1, docker.keys.SERVED: 1}


def change(work):
    state = State()
    work(state)
    State.kept = state.made, state.served
    return State()


class Socket:
    """A connection whose other side has said all that it will."""

    def __init__(self, data):
        self.input, self.output = io.BytesIO(data), bytearray()

    def makefile(self, *_):
        return self.input

    def sendall(self, data):
        self.output += data

    def settimeout(self, _):
        pass


class Server:
    plugin = None


def look(answer):
    while answer:
        head, _, rest = bytes(answer).partition(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 ") or b"plugins.v1.1" not in head:
            return  # http.server's own words, to what is not a request of ours
        length = next(int(line.split(b":")[1]) for line in head.split(b"\r\n")
                      if line.lower().startswith(b"content-length:"))
        said = json.loads(rest[:length])
        assert isinstance(said["Err"], str)
        answer = rest[length:]


def one(data):
    State.kept = BEGIN, {}
    connection = Socket(data)
    docker.Handler(connection, "docker", Server)
    look(connection.output)
    made, _ = State.kept
    for name, v in made.items():
        if name in BEGIN:
            continue
        assert docker.NAME.fullmatch(name), name
        assert not slipway_rules.size_problem(slipway_rules.parse_size(v["size"])), v["size"]
        assert "from" not in v or v["from"].partition("@")[0] in BEGIN
        for pool in (v["pool"], v.get("data_pool", "p")):
            assert isinstance(pool, str) and docker.NAME.fullmatch(pool), pool
    assert len(made) < 200


docker.keys.State, docker.keys.change, docker.keys.wait = State, change, lambda *_: None
docker.filesystem.mounted = dict
docker.filesystem.mount = docker.filesystem.unmount = lambda *_, **__: None
docker.Plugin.appears = docker.Plugin.free = staticmethod(lambda *_: True)
docker.say = docker.Handler.log_error = lambda *_: None
docker.USERS = os.path.join(volume_rules.RUN, "users")
Server.plugin = docker.Plugin()
run(one, [docker, slipway_driver])
