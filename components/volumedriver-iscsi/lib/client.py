# SPDX-License-Identifier: MIT
"""Hook io: an initiator (libiscsi) that logs in at the portal with CHAP."""

import os
import sys

sys.path.insert(0, "/usr/lib/slipway-ceph")
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from driver import CHAP_USER, LUN, iqn  # noqa: E402
from slipway_ceph import RUN, brackets  # noqa: E402
from slipway_io import main, qemu_read, qemu_write  # noqa: E402

PASSWORD = os.path.join(RUN, "tgt", "chap")


def target(name):
    return ("driver=iscsi,transport=tcp,portal=%s:3260,target=%s,lun=%d,user=%s,password-secret=chap,"
            "initiator-name=%s:check"
            % (brackets(os.environ["SLIPWAY_ADDRESS"]), iqn(name), LUN, CHAP_USER,
               os.environ.get("CFG_iqn", "iqn.2024-01.io.slipway")))


def secret():
    """The secret without the end of its line, which would be part of the password."""
    with open(os.path.join(RUN, "secrets", "chap")) as f:
        password = f.read().strip()
    with open(os.open(PASSWORD, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as f:
        f.write(password)
    return "--object", "secret,id=chap,file=" + PASSWORD


SECRET = secret()
sys.exit(main(qemu_write(target, *SECRET), [("iSCSI with CHAP", qemu_read(target, *SECRET))]))
