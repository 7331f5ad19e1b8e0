# SPDX-License-Identifier: MIT
"""tgtd's control protocol. Its own tool, tgtadm, takes passwords as arguments, where everybody can read them.

A request is the header below and "name=value,..."; the answer is an error number and a text. (tgt 1.0.85, usr/tgtadm.h)
"""

import _socket
import re
import struct

SOCKET = "/var/run/tgtd/socket.0"
NEW, DELETE, SHOW, BIND, UNBIND, UPDATE = range(6)
SYSTEM, TARGET, DEVICE, CONNECTION, ACCOUNT = 0, 1, 2, 6, 7
HEADER = struct.Struct("=II64sIiQQIIIIII")
ANSWER = struct.Struct("=II")
ERRORS = {
    1: "unknown error", 2: "out of memory", 3: "no such driver", 4: "no such target", 5: "no such logical unit",
    6: "no such session", 7: "no such connection", 8: "no such binding", 9: "the target exists",
    10: "binding exists", 11: "the logical unit exists", 12: "access control exists", 13: "no such access control",
    14: "user exists", 15: "no such user", 16: "too many users",
    17: "invalid request", 18: "outgoing account exists", 19: "target in use", 20: "logical unit in use",
    21: "operation unsupported", 22: "unknown parameter", 23: "no such device type",
}


class Refused(Exception):
    """tgtd answered that it will not; .code says why."""

    def __init__(self, code):
        super().__init__("tgtd: " + ERRORS.get(code, "error %d" % code))
        self.code = code


def ask(mode, op, tid=0, lun=0, text="", force=False, timeout=20, connection=(0, 0)):
    """connection: (session, number of the connection in it)."""
    data = text.encode() + b"\0" if text else b""
    data = HEADER.pack(mode, op, b"iscsi", HEADER.size + len(data), tid, connection[0], lun, connection[1], 0, 0, 0, 0,
                       1 if force else 0) + data
    s = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    answer = b""
    try:
        s.settimeout(timeout)
        s.connect(SOCKET)
        while data:
            data = data[s.send(data):]
        while True:
            piece = s.recv(65536)
            if not piece:
                break
            answer += piece
    finally:
        s.close()
    if len(answer) < ANSWER.size:
        raise OSError(5, "tgtd: the answer was cut off")
    code, _ = ANSWER.unpack(answer[:ANSWER.size])
    if code:
        raise Refused(code)
    return answer[ANSWER.size:].decode(errors="replace")


def targets():
    """Map name -> {tid, initiators: [...], connections: [(session, connection)...], lun: whether it has LUN 1}."""
    found, current, session = {}, None, 0
    for line in ask(TARGET, SHOW, tid=-1).splitlines():
        m = re.match(r"Target (\d+): (\S+)", line)
        if m:
            current = {"tid": int(m[1]), "initiators": [], "connections": [], "lun": False}
            found[m[2]] = current
        elif current:
            m = re.match(r"\s+Initiator: (\S+)", line)
            if m:
                current["initiators"].append(m[1])
            m = re.match(r"\s+I_T nexus: (\d+)", line)
            if m:
                session = int(m[1])
            m = re.match(r"\s+Connection: (\d+)", line)
            if m:
                current["connections"].append((session, int(m[1])))
            m = re.match(r"\s+LUN: (\d+)", line)
            if m:
                current["lun"] = current["lun"] or int(m[1]) == 1
    return found
