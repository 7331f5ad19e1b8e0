# SPDX-License-Identifier: MIT
"""Serves what $CFG_volumes names, by QMP to the qemu-storage-daemon that lib/serve starts: one node and two exports for
each volume, NBD on /export/nbd.sock (which slipway-nbd-tls shows on TCP) and vhost-user-blk on /export/NAME.vhost."""

import contextlib
import json
import os
import signal
import struct
import sys
import time
from socket import AF_UNIX, SOCK_STREAM, socket

sys.path.insert(0, "/usr/lib/slipway-ceph")
from slipway_ceph import RUN, say  # noqa: E402
from slipway_driver import USER, Driver, Images, Wrong, hook, node, wanted, yes  # noqa: E402
from slipway_qmp import Qmp, Refused  # noqa: E402

WORK = os.path.join(RUN, "qsd")
CONF = os.path.join(WORK, "ceph.conf")
ASK = os.path.join(WORK, "ask")  # a socket of each client of the cluster, one for an open image
EXPORT = "/export"
NBD_PORT = 10809
GET_FEATURES, ANSWER = 1, 2  # of vhost-user; seconds
THREAD = "io"  # for requests; what is left to the first one is QMP


def vhost(name):
    return "%s/%s.vhost" % (EXPORT, name)


@contextlib.contextmanager
def only_client(path):
    """Whether there was no client of that vhost-user socket; then there is none either until this ends, because QEMU
    serves one at a time, and that is this one. The kernel lists who is connected only in the network that he comes
    from."""
    with socket(AF_UNIX, SOCK_STREAM) as s:
        s.settimeout(ANSWER)
        try:
            s.connect(path)
            s.send(struct.pack("=III", GET_FEATURES, 1, 0))
            alone = bool(s.recv(1))
        except OSError:  # in time; or more wait already
            alone = False
        yield alone


def requests(path):
    """What a client of the cluster waits for, by the protocol of Ceph's admin sockets."""
    s, answer = socket(AF_UNIX, SOCK_STREAM), b""
    try:
        s.settimeout(2)
        s.connect(path)
        s.send(b'{"prefix":"objecter_requests"}\0')
        while piece := s.recv(65536):
            answer += piece
        return json.loads(answer[4:] or b"{}").get("ops", [])  # the length is in front
    except (OSError, ValueError):  # it is about to close
        return []
    finally:
        s.close()


def start_again(why):
    """The last way out of a request that does not end. Clients see a restart of the driver."""
    say("%s is started again: %s" % (Qemu.daemon_name, why))
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open("/proc/%s/comm" % pid) as f:
                if f.read().startswith("qemu-storage-d"):
                    os.kill(int(pid), signal.SIGKILL)
        except OSError:
            pass
    # With the daemon the container ends, and this with it; what comes after would be a failure to report.
    time.sleep(60)


class Qemu(Driver):
    daemon_name, conf = "qemu-storage-daemon", CONF
    client = {"admin_socket": ASK + "/$cctid"}
    refusals = (Refused,)

    def __init__(self, images):
        super().__init__(images, WORK)
        self.main = Qmp(os.path.join(WORK, "main"), remember=True)

    def waiting(self):
        """Names of volumes with requests that wait for space."""
        stuck = [o["object_id"] for s in os.listdir(ASK) for o in requests(os.path.join(ASK, s)) if o.get("paused")]
        return [name for name, v in self.served.items() if stuck and not v["read_only"]
                and any(".%s." % self.images.id(v) in o for o in stuck)]

    def begin(self):
        """The daemon changes no volume while a request of any waits, and would serve none until that ends. So it is not
        asked."""
        if not any(not v["read_only"] for v in self.served.values()) or not self.images.full_pools():
            return
        waits, gone = self.waiting(), wanted()[1]
        left = [name for name in waits if not yes(gone.get(name, {}).get("force"))]
        if left:
            why = self.images.full(self.served[left[0]])
            raise Wrong("writes to %s wait, and until they end no volume of this driver can be attached, detached or "
                        "resized; `slipway volume detach --force %s` gives up what waits%s"
                        % (" ".join(left), " ".join(left), "".join("; " + w for w in why)))
        for name in waits:
            self.images.cut(self.served[name])
            self.images.release(self.served[name])
        if waits:
            start_again("writes to %s waited for space, and it was to be let go of by force" % " ".join(waits))

    def open(self, name, v):
        read_only = self.claim(name, v)
        self.main.add_node(driver="rbd", node_name=node(name), pool=v["pool"], image=v["image"], conf=CONF,
                           user=USER.partition(".")[2], read_only=read_only, discard="unmap", cache={"direct": True})
        try:
            self.opened(name, v)
        except Wrong:
            self.main.remove_node(node(name))
            raise

    def export(self, name, v):
        there, writable, n = self.main.exports(), not yes(v.get("read_only")), node(name)
        if "vhost-" + n not in there:
            self.main.add_export(type="vhost-user-blk", id="vhost-" + n, node_name=n, writable=writable,
                                 iothread=THREAD, addr={"type": "unix", "path": vhost(name)}, num_queues=2)
        if "nbd-" + n not in there:
            self.main.add_export(type="nbd", id="nbd-" + n, node_name=n, name=name, writable=writable, iothread=THREAD)

    def attach(self, name, v):
        n = node(name)
        if n in self.main.nodes() and not self.is_open(name):
            self.main.remove_node(n)
        if n in self.main.nodes():
            self.still_mine(name, v)
        if n not in self.main.nodes():
            self.open(name, v)
        self.export(name, v)
        now = self.served[name]["size"]
        if v.get("size", now) != now:
            self.resize(name, v, now)

    def resize(self, name, v, now):
        """Follows the image, which the manager makes larger or, when it was asked to, smaller."""
        size = self.images.wait_size(v)
        if size == now or yes(v.get("read_only")):
            return
        try:
            self.withdraw(name)  # QEMU lets no node change its size under an NBD export
        except Wrong as e:
            raise Wrong("it has %d bytes now, but it is %s: seen when that has left" % (size, e)) from None
        self.main("block_resize", node_name=node(name), size=size)
        self.served[name]["size"] = size
        self.remember()
        self.export(name, v)
        say("resized volume %s, %d -> %d bytes" % (name, now, size))

    def close(self, name, force):
        try:
            self.end(name, force)
        except TimeoutError:
            if force and not self.served[name]["read_only"]:  # librbd forgets some writes that are fenced
                self.images.release(self.served[name])
                start_again("a write to volume %s, which was let go of by force, does not end" % name)
            raise

    def end(self, name, force):
        self.withdraw(name, force)
        if node(name) in self.main.nodes():
            self.main.remove_node(node(name))

    def withdraw(self, name, force=False):
        """Both exports, or none when somebody uses one. QEMU counts no vhost-user client as a user. The one of
        vhost-user first: when that of NBD ends under a connected client, QEMU 10.0 begins the client's coroutine again,
        with one from its pool, takes the thread that had this one before for the new one's, and aborts
        (vhost_user_server_attach_aio_context)."""
        nbd, vhost_user = "nbd-" + node(name), "vhost-" + node(name)
        if vhost_user in self.main.exports():
            with only_client(vhost(name)) if not force else contextlib.nullcontext(True) as alone:
                if not alone:
                    raise Wrong("in use by a client of its vhost socket")
                self.main.remove_export(vhost_user, force)
        if nbd in self.main.exports():
            try:
                self.main.remove_export(nbd, force)
            except Refused:
                self.export(name, self.served[name])
                raise Wrong("in use by a client of its NBD export") from None


def listening(port):
    """Whether somebody accepts connections on that port: a socket in state 0A."""
    for path in filter(os.path.exists, ("/proc/net/tcp6", "/proc/net/tcp")):
        with open(path) as f:
            if any(words[1].endswith(":%04X" % port) and words[3] == "0A" for words in map(str.split, f)):
                return True
    return False


def watch(_):
    with Qmp(os.path.join(WORK, "watch"), timeout=2) as main:
        served = sum(1 for e in main.exports() if e.startswith("nbd-"))
    print("%d volumes served" % served)
    if not listening(NBD_PORT):
        print("NBD over TCP is not served")
        return 1
    return 0


sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.exit(hook(sys.argv[1], Qemu, watch))
