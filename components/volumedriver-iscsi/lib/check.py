# SPDX-License-Identifier: MIT
"""The iSCSI driver's part of `slipway check`: the portal lets nobody in without the password, and every volume that is to be
served has a target with a disk."""

import _socket
import os
import struct

from slipway_check import failed, success
from slipway_tgt import SHOW, SYSTEM, Refused, ask

LOOK = "slipway logs of the driver"


def login_status():
    """Status class of a login without authentication: 2 means refused by the target (RFC 7143, 11.13.5)."""
    keys = b"InitiatorName=iqn.2024-01.io.slipway:check\0SessionType=Discovery\0AuthMethod=None\0"
    header = struct.pack(">BBHB3s6sHIHHII16x", 0x43, 0x87, 0, 0, len(keys).to_bytes(3, "big"), b"\x40\0\0\x01\0\0", 0, 1, 0, 0, 1, 0)
    s = _socket.socket(_socket.AF_INET6 if ":" in os.environ["SLIPWAY_ADDRESS"] else _socket.AF_INET, _socket.SOCK_STREAM)
    try:
        s.settimeout(5)
        s.connect((os.environ["SLIPWAY_ADDRESS"], 3260))
        s.send(header + keys + b"\0" * (-len(keys) % 4))
        answer = s.recv(48)
        if len(answer) < 37 or answer[0] & 0x3F != 0x23:
            raise OSError(5, "no answer to a login")
        return answer[36]
    finally:
        s.close()


def check(driver):
    missing = [n for n in driver.served if not any(t["lun"] for i, t in driver.there.items() if i.endswith("." + n) or n in i)]
    try:
        # Without a target tgtd hangs up on everybody.
        if driver.there:
            login_status()
        else:
            ask(SYSTEM, SHOW)
    except (OSError, Refused) as e:
        failed("portal", "volume.iscsi", "port 3260: %s" % e, LOOK)
        return 0
    if missing:
        failed("portal", "volume.iscsi", "no target for " + " ".join(missing), LOOK)
    else:
        success("portal", "volume.iscsi", "the portal answers; %d volumes served" % len(driver.served))
    return 0
