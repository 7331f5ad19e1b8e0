# SPDX-License-Identifier: MIT
"""QMP, the control protocol of qemu-storage-daemon, over a unix socket."""

import _socket
import json
import time


class Refused(Exception):
    """The daemon answered that it will not."""


class Qmp:
    """With `remember`, nodes and exports are asked for once and kept up to date by what is done here: asking takes the
    daemon time for each that there is. Only for who knows that nobody else changes them and none ends by itself."""

    def __init__(self, path, timeout=20, remember=False):
        self.buffer, self.remember = b"", remember
        self.known = {}
        self.waits_for = "its greeting"
        self.s = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
        self.s.settimeout(timeout)
        try:
            self.s.connect(path)
            self._message()
            self("qmp_capabilities")
        except BaseException:
            self.s.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.s.close()

    def _message(self):
        while b"\n" not in self.buffer:
            try:
                piece = self.s.recv(65536)
            except TimeoutError:
                raise TimeoutError("qemu-storage-daemon has not answered %s in time" % self.waits_for) from None
            if not piece:
                raise OSError(104, "qemu-storage-daemon closed the connection")
            self.buffer += piece
        line, self.buffer = self.buffer.split(b"\n", 1)
        return json.loads(line)

    def __call__(self, command, **arguments):
        """Names with dashes are given with underscores at the call's end: node_name becomes node-name."""
        request = {"execute": command, "arguments": {k.replace("_", "-"): v for k, v in arguments.items()}}
        data = json.dumps(request).encode() + b"\n"
        self.waits_for = command
        while data:
            data = data[self.s.send(data):]
        while True:
            answer = self._message()
            if "error" in answer:
                raise Refused(answer["error"]["desc"])
            if "return" in answer:
                return answer["return"]

    def _known(self, kind, ask):
        if kind not in self.known or not self.remember:
            self.known[kind] = ask()
        return self.known[kind]

    def exports(self):
        """Map id -> node name of the exports that are not on their way out."""
        return self._known("exports", lambda: {e["id"]: e["node-name"] for e in self("query-block-exports")})

    def nodes(self):
        """Names. The statistics have them; query-named-block-nodes looks into each image for its snapshots, and says
        nothing of any node when one of them was fenced."""
        return self._known("nodes", lambda: {n["node-name"] for n in self("query-blockstats", query_nodes=True)
                                             if "node-name" in n})

    def size(self, name):
        """Bytes of a node that was not fenced."""
        return next(n["image"]["virtual-size"] for n in self("query-named-block-nodes", flat=True)
                    if n["node-name"] == name)

    def add_node(self, **arguments):
        self("blockdev-add", **arguments)
        self.nodes().add(arguments["node_name"])

    def remove_node(self, name):
        self("blockdev-del", node_name=name)
        self.nodes().discard(name)

    def add_export(self, **arguments):
        self("block-export-add", **arguments)
        self.exports()[arguments["id"]] = arguments["node_name"]

    def remove_export(self, name, force=False, seconds=10):
        """Refused when somebody is connected, unless forced; returns when it is gone."""
        self("block-export-del", id=name, mode="hard" if force else "safe")
        end = time.monotonic() + seconds
        while True:
            self.known.pop("exports", None)
            if name not in self.exports():
                return
            if time.monotonic() >= end:
                raise Refused("export %s does not end" % name)
            time.sleep(0.01)
