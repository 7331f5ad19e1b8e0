# SPDX-License-Identifier: MIT
"""Serves what $CFG_volumes names with tgtd: one target with LUN 1 for each volume, open to who knows the CHAP
password."""

import hashlib
import os
import sys
import time

sys.path.insert(0, "/usr/lib/slipway-ceph")
from slipway_ceph import RUN, Failure, say  # noqa: E402
from slipway_driver import USER, Driver, Wrong, hook, yes  # noqa: E402
from slipway_tgt import (ACCOUNT, BIND, CONNECTION, DELETE, DEVICE, NEW, SHOW, SYSTEM, TARGET, UNBIND,  # noqa: E402
                         UPDATE, Refused, ask, targets)

WORK = os.path.join(RUN, "tgt")
CONF = os.path.join(WORK, "ceph.conf")
CHAP_USER = "slipway"
ACL_EXISTS, USER_EXISTS, TARGET_IN_USE, LUN_IN_USE = 12, 14, 19, 20
DISCOVERY = -1  # in place of a target: discovery sessions, which are of none
SEND_AWAY = 10  # seconds
LUN = 1
# tgtd's own are from slower times: data of writes in pieces of 8 KiB, each burst asked for. What counts is the lesser
# of both sides' words.
PARAMETERS = {"MaxRecvDataSegmentLength": "1048576", "MaxBurstLength": "1048576", "FirstBurstLength": "262144",
              "InitialR2T": "No", "MaxOutstandingR2T": "8"}


def iqn(name):
    """iSCSI names are lower case without underscores; what is lost comes back as a digest, so no two volumes share
    one."""
    plain = name.lower().replace("_", "-")
    if plain != name:
        plain += "-" + hashlib.sha256(name.encode()).hexdigest()[:8]
    return "%s:%s.%s" % (os.environ.get("CFG_iqn", "iqn.2024-01.io.slipway"), os.environ.get("SLIPWAY_ENV", ""), plain)


# Ours does not hand reads and writes to threads (dockerfiles/volumedriver/tgt). It is not there when the image was
# built where no source packages are.
STORE = "slipway" if os.path.exists("/usr/lib/tgt/backing-store/bs_slipway.so") else "rbd"


class Iscsi(Driver):
    daemon_name, conf = "tgtd", CONF
    refusals = (Refused,)

    def __init__(self, images):
        super().__init__(images, WORK)
        self.there = targets()

    def begin(self):
        with open(os.path.join(RUN, "secrets", "chap")) as f:
            self.once(ACCOUNT, NEW, 0, "user=%s,password=%s" % (CHAP_USER, f.read().strip()))
        self.once(ACCOUNT, BIND, DISCOVERY, "user=" + CHAP_USER)

    @staticmethod
    def once(mode, op, tid, text):
        """It may be so already."""
        try:
            ask(mode, op, tid, text=text)
        except Refused as e:
            if e.code not in (ACL_EXISTS, USER_EXISTS):
                raise

    def lun(self, name, v, tid):
        """The disk's identity follows the volume, not the instance: initiators find it again after a move."""
        ask(DEVICE, NEW, tid, LUN, "path=%s/%s,bstype=%s,bsopts=conf=%s;id=%s" % (v["pool"], v["image"], STORE, CONF,
                                                                             USER.partition(".")[2]))
        digest = hashlib.sha256(("%s/%s" % (v["pool"], v["image"])).encode()).hexdigest()
        ask(DEVICE, UPDATE, tid, LUN, "vendor_id=SLIPWAY,product_id=%s,scsi_sn=%s,scsi_id=%s"
            % (name[:16], digest[:16], digest[:24]))
        if yes(v.get("read_only")):
            ask(DEVICE, UPDATE, tid, LUN, "readonly=1")

    def open(self, name, v):
        self.claim(name, v)
        used = {t["tid"] for t in self.there.values()}
        tid = next(n for n in range(1, 65536) if n not in used)
        ask(TARGET, NEW, tid, text="targetname=" + iqn(name))
        for key, value in PARAMETERS.items():
            ask(TARGET, UPDATE, tid, text="%s=%s" % (key, value))
        self.there[iqn(name)] = {"tid": tid, "initiators": [], "lun": True}
        try:
            self.lun(name, v, tid)
            self.opened(name, v)
            self.let_in(name, tid)
        except (Wrong, Failure, Refused, OSError):
            ask(TARGET, DELETE, tid, force=True)
            del self.there[iqn(name)]
            raise

    def let_in(self, name, tid):
        """Initiators, from now on."""
        self.once(ACCOUNT, BIND, tid, "user=" + CHAP_USER)
        self.once(TARGET, BIND, tid, "initiator-address=ALL")
        self.served[name]["bound"] = True
        self.remember()

    def attach(self, name, v):
        if iqn(name) in self.there and not self.is_open(name):
            self.close(name, True)
        if iqn(name) in self.there:
            self.still_mine(name, v)
        if iqn(name) not in self.there:
            self.open(name, v)
        if not self.served[name].get("bound"):
            self.let_in(name, self.there[iqn(name)]["tid"])
        if v.get("size", self.served[name]["size"]) != self.served[name]["size"]:
            self.resize(name, v)

    def resize(self, name, v):
        """tgtd asks an image's size once, when it opens it."""
        size = self.images.wait_size(v)
        if size == self.served[name]["size"]:
            return
        target = self.there[iqn(name)]
        if target["initiators"]:
            raise Wrong("it has %d bytes now, but %s is logged in: seen when it has left"
                        % (size, target["initiators"][0]))
        ask(DEVICE, DELETE, target["tid"], LUN)
        self.lun(name, v, target["tid"])
        self.opened(name, v)  # it is another client of the storage now
        say("resized volume %s, %d -> %d bytes" % (name, self.served[name]["size"], size))
        self.served[name]["size"] = size
        self.remember()

    def close(self, name, force):
        target = self.there.get(iqn(name))
        if not target:
            return
        if target["initiators"] and not force:
            raise Wrong("in use by " + " ".join(target["initiators"]))
        end = time.monotonic() + SEND_AWAY
        while True:
            if force:
                self.send_away(name)
            try:
                ask(TARGET, DELETE, target["tid"], force=force)
                break
            except Refused as e:
                if e.code not in (TARGET_IN_USE, LUN_IN_USE):
                    raise
                if not force or time.monotonic() >= end:
                    raise Wrong("in use by an initiator") from None
            time.sleep(0.05)
        del self.there[iqn(name)]

    @staticmethod
    def send_away(name):
        """Nobody new, and who is there loses the connection: tgtd removes no disk that has a command under way."""
        target = targets().get(iqn(name))
        if not target:
            return
        calls = [(TARGET, UNBIND, {"text": "initiator-address=ALL"})]
        calls += [(CONNECTION, DELETE, {"connection": c}) for c in target["connections"]]
        for mode, op, more in calls:
            try:
                ask(mode, op, target["tid"], **more)
            except Refused:  # it is gone already
                pass


def watch(what):
    if what == "ready":
        ask(SYSTEM, SHOW, timeout=2)
    else:
        print("%d volumes served" % len(targets()))
    return 0


if __name__ == "__main__":
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    sys.exit(hook(sys.argv[1], Iscsi, watch))
