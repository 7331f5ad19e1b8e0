# SPDX-License-Identifier: MIT
"""QMP, the control protocol of qemu-storage-daemon, over a unix socket."""

import _socket
import json
import time


class Refused(Exception):
    """The daemon answered that it will not."""


class Qmp:
    def __init__(self, path, timeout=20):
        self.buffer = b""
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
            piece = self.s.recv(65536)
            if not piece:
                raise OSError(104, "qemu-storage-daemon closed the connection")
            self.buffer += piece
        line, self.buffer = self.buffer.split(b"\n", 1)
        return json.loads(line)

    def __call__(self, command, **arguments):
        """Names with dashes are given with underscores at the call's end: node_name becomes node-name."""
        request = {"execute": command, "arguments": {k.replace("_", "-"): v for k, v in arguments.items()}}
        data = json.dumps(request).encode() + b"\n"
        while data:
            data = data[self.s.send(data):]
        while True:
            answer = self._message()
            if "error" in answer:
                raise Refused(answer["error"]["desc"])
            if "return" in answer:
                return answer["return"]

    def exports(self):
        """Map id -> node name of the exports that are not on their way out."""
        return {e["id"]: e["node-name"] for e in self("query-block-exports")}

    def nodes(self):
        """Map node name -> size in bytes."""
        return {n["node-name"]: n["image"]["virtual-size"] for n in self("query-named-block-nodes", flat=True)}

    def remove_export(self, name, force=False, seconds=10):
        """Refused when somebody is connected, unless forced; returns when it is gone."""
        self("block-export-del", id=name, mode="hard" if force else "safe")
        end = time.monotonic() + seconds
        while name in self.exports():
            if time.monotonic() >= end:
                raise Refused("export %s does not end" % name)
            time.sleep(0.01)
