# SPDX-License-Identifier: MIT
"""The iSCSI driver's part of `slipway check`: the portal lets nobody in without the password, and every volume that is
to be served has a target with a disk."""

import _socket
import os
import struct

from slipway_check import failed, success
from slipway_tgt import SHOW, SYSTEM, Refused, ask

LOOK = "slipway logs of the driver"


REFUSED = (2, 1)  # the initiator's fault: it has not shown who it is (RFC 7143, 11.13.5)
DISCOVERY = b"SessionType=Discovery\0"


def login_status(session):
    """Status class and detail of a login without authentication. session: the keys that say to what."""
    keys = b"InitiatorName=iqn.2024-01.io.slipway:check\0AuthMethod=None\0" + session
    header = struct.pack(">BBHB3s6sHIHHII16x", 0x43, 0x87, 0, 0, len(keys).to_bytes(3, "big"), b"\x40\0\0\x01\0\0",
                         0, 1, 0, 0, 1, 0)
    s = _socket.socket(_socket.AF_INET6 if ":" in os.environ["SLIPWAY_ADDRESS"] else _socket.AF_INET,
                       _socket.SOCK_STREAM)
    try:
        s.settimeout(5)
        s.connect((os.environ["SLIPWAY_ADDRESS"], 3260))
        s.send(header + keys + b"\0" * (-len(keys) % 4))
        answer = s.recv(48)
        if len(answer) < 38 or answer[0] & 0x3F != 0x23:
            raise OSError(5, "no answer to a login")
        return answer[36], answer[37]
    finally:
        s.close()


def unguarded(driver):
    """What anybody may log in to without the password."""
    sessions = dict({name: b"TargetName=%s\0SessionType=Normal\0" % name.encode() for name in driver.there},
                    discovery=DISCOVERY)
    return [name for name, session in sessions.items() if login_status(session) != REFUSED]


def check(driver):
    missing = [n for n in driver.served
               if not any(t["lun"] for i, t in driver.there.items() if i.endswith("." + n) or n in i)]
    try:
        # Without a target tgtd hangs up on everybody.
        ask(SYSTEM, SHOW)
        open_to_all = unguarded(driver) if driver.there else []
    except (OSError, Refused) as e:
        failed("portal", "volume.iscsi", "port 3260: %s" % e, LOOK)
        return 0
    if missing:
        failed("portal", "volume.iscsi", "no target for " + " ".join(missing), LOOK)
    elif open_to_all:
        failed("portal", "volume.iscsi", "no password is needed for " + " ".join(open_to_all),
               "slipway stop the driver; " + LOOK)
    else:
        success("portal", "volume.iscsi", "the portal lets nobody in without the password; %d volumes served"
                % len(driver.served))
    return 0
