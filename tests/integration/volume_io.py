#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes to a volume while somebody breaks things, and knows afterwards what must be there.

    volume_io.py write URL STATE     until SIGTERM; then reads everything back, prints one line of JSON. STATE: a file
                                     with what may be where; when it is there, the volume has that already
    volume_io.py verify URL STATE    reads everything back, through another driver for example
    volume_io.py hold N HOST PORT    opens N TCP connections, prints how many, holds them until SIGTERM

URL is nbd:SOCKET:EXPORT, iscsi://HOST:PORT/TARGET/LUN with the login in LIBISCSI_CHAP_USERNAME and
LIBISCSI_CHAP_PASSWORD, or the path of a file. A block's content says which slot it is and the how-manieth write, so
what is found tells which write it came from. A write counts from the moment a flush after it was acknowledged: then the
slot holds this one or a later one, never an older one and never half of one.
"""

import ctypes
import ctypes.util
import hashlib
import json
import os
import random
import resource
import signal
import socket
import struct
import sys
import time

BLOCK, SLOTS, STRIDE, BATCH = 4096, 512, 128 << 10, 8
PATIENCE = int(os.environ.get("VOLUME_IO_PATIENCE", "90"))  # seconds without any progress after which it gives up


class Nbd:
    def __init__(self, path, export):
        self.s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.s.settimeout(PATIENCE)
        self.s.connect(path)
        magic, option, flags = struct.unpack(">QQH", self.get(18))
        if (magic, option) != (0x4E42444D41474943, 0x49484156454F5054):
            raise OSError(5, "not NBD")
        self.s.sendall(struct.pack(">I", flags & 3))
        name = export.encode()
        self.s.sendall(struct.pack(">QII", option, 7, len(name) + 6) + struct.pack(">I", len(name)) + name + b"\0\0")
        kind = 0
        while kind != 1:
            _, _, kind, length = struct.unpack(">QIII", self.get(20))
            self.get(length)
            if kind & 0x80000000:
                raise OSError(2, "no such export")

    def get(self, n):
        parts = []
        while n:
            piece = self.s.recv(n)
            if not piece:
                raise ConnectionResetError(104, "closed")
            parts.append(piece)
            n -= len(piece)
        return b"".join(parts)

    def call(self, kind, offset, length, data=b"", answer=0):
        self.s.sendall(struct.pack(">IHHQQI", 0x25609513, 0, kind, 1, offset, length) + data)
        _, error, _ = struct.unpack(">IIQ", self.get(16))
        if error:
            raise OSError(error, os.strerror(error))
        return self.get(answer)

    def write(self, offset, data):
        self.call(1, offset, len(data), data)

    def read(self, offset, length):
        return self.call(0, offset, length, answer=length)

    def flush(self):
        self.call(3, 0, 0)

    def close(self):
        self.s.close()


class Iovec(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("len", ctypes.c_size_t)]


class Iscsi:
    def __init__(self, url):
        lib = self.lib = ctypes.CDLL(ctypes.util.find_library("iscsi"))
        for name in ("iscsi_create_context", "iscsi_write10_sync", "iscsi_read10_iov_sync",
                     "iscsi_synchronizecache10_sync"):
            getattr(lib, name).restype = ctypes.c_void_p
        lib.iscsi_get_error.restype = ctypes.c_char_p
        who = ("iqn.2024-01.io.slipway:test%d" % os.getpid()).encode()
        self.c = ctypes.c_void_p(lib.iscsi_create_context(who))
        lib.iscsi_set_noautoreconnect(self.c, 1)
        lib.iscsi_set_timeout(self.c, PATIENCE)
        portal, target, lun = url[len("iscsi://"):].split("/")
        self.lun = int(lun)
        lib.iscsi_set_session_type(self.c, 2)
        lib.iscsi_set_targetname(self.c, target.encode())
        lib.iscsi_set_initiator_username_pwd(self.c, os.environ["LIBISCSI_CHAP_USERNAME"].encode(),
                                             os.environ["LIBISCSI_CHAP_PASSWORD"].encode())
        if lib.iscsi_full_connect_sync(self.c, portal.encode(), self.lun) != 0:
            error = lib.iscsi_get_error(self.c).decode(errors="replace")
            self.close()
            raise OSError(111, error)

    def done(self, task):
        if not task:
            raise OSError(5, self.lib.iscsi_get_error(self.c).decode(errors="replace"))
        status = ctypes.cast(task, ctypes.POINTER(ctypes.c_int))[0]
        self.lib.scsi_free_scsi_task(ctypes.c_void_p(task))
        if status != 0:
            raise OSError(5, "SCSI status %#x" % status)

    def write(self, offset, data):
        self.done(self.lib.iscsi_write10_sync(self.c, self.lun, offset // 512, data, len(data), 512, 0, 0, 0, 0, 0))

    def read(self, offset, length):
        room = ctypes.create_string_buffer(length)
        iov = Iovec(ctypes.cast(room, ctypes.c_void_p), length)
        self.done(self.lib.iscsi_read10_iov_sync(self.c, self.lun, offset // 512, length, 512, 0, 0, 0, 0, 0,
                                                 ctypes.byref(iov), 1))
        return room.raw

    def flush(self):
        self.done(self.lib.iscsi_synchronizecache10_sync(self.c, self.lun, 0, 0, 0, 0))

    def close(self):
        self.lib.iscsi_destroy_context(self.c)


class File:
    def __init__(self, path):
        self.path = path
        try:
            self.fd = os.open(path, os.O_RDWR)
        except PermissionError:
            self.fd = os.open(path, os.O_RDONLY)
        if os.fstat(self.fd).st_size < SLOTS * STRIDE:  # the file under a mount that is gone
            os.close(self.fd)
            raise OSError(6, "not served")

    def write(self, offset, data):
        if os.pwrite(self.fd, data, offset) != len(data):
            raise OSError(5, "short write")

    def read(self, offset, length):
        data = os.pread(self.fd, length, offset)
        if len(data) != length:
            raise OSError(5, "short read")
        return data

    def flush(self):
        os.fsync(self.fd)
        os.posix_fadvise(self.fd, 0, 0, os.POSIX_FADV_DONTNEED)

    def close(self):
        os.close(self.fd)


def connect(url):
    if url.startswith("nbd:"):
        return Nbd(*url[4:].split(":"))
    return Iscsi(url) if url.startswith("iscsi:") else File(url)


def block(slot, number):
    if number == 0:
        return bytes(BLOCK)
    head = struct.pack(">8sQQ", b"slipway!", slot, number)
    return head + hashlib.shake_128(head).digest(BLOCK - len(head))


def found(data, slot):
    """Which write of the slot this is; None for anything else."""
    number = struct.unpack(">8sQQ", data[:24])[2] if data[:8] == b"slipway!" else 0
    return number if data == block(slot, number) else None


class Writer:
    def __init__(self, url, state):
        self.url, self.state = url, state
        self.device = None
        self.may = [{0} for _ in range(SLOTS)]  # what may be there
        self.number = self.errors = self.flushes = 0
        self.worst = 0.0
        self.last_error = ""
        self.moved = time.monotonic()

    def save(self, **more):
        report = {"writes": self.number, "flushes": self.flushes, "errors": self.errors,
                  "worst_ms": int(self.worst * 1000), "last_error": self.last_error}
        with open(self.state + ".new", "w", encoding="ascii") as f:
            json.dump(dict(report, may=[sorted(m) for m in self.may], **more), f)
        os.rename(self.state + ".new", self.state)
        return dict(report, **more)

    def load(self):
        with open(self.state, encoding="ascii") as f:
            old = json.load(f)
        self.may, self.number = [set(m) for m in old["may"]], old["writes"]

    def failed(self, e):
        self.errors += 1
        self.last_error = str(e)
        if self.device:
            try:
                self.device.close()
            except OSError:
                pass
            self.device = None
        if time.monotonic() - self.moved > PATIENCE:
            raise SystemExit("gave up: %s" % e)
        time.sleep(0.2)

    def attempt(self, work):
        """The same work again and again, with a new connection after each error."""
        while True:
            try:
                if not self.device:
                    self.device = connect(self.url)
                return work()
            except OSError as e:
                self.failed(e)

    def batch(self):
        written = {}
        for slot in random.sample(range(SLOTS), BATCH):
            self.number += 1
            self.may[slot].add(self.number)
            written[slot] = self.number
        self.save()  # before it is written, so that a killed writer's file knows of everything that may be there
        for slot, number in written.items():
            self.device.write(slot * STRIDE, block(slot, number))
        self.device.flush()
        self.flushes += 1
        for slot, number in written.items():
            self.may[slot] = {number}
        now = time.monotonic()
        self.worst, self.moved = max(self.worst, now - self.moved), now

    def run(self):
        while not signal.sigpending():  # blocked: libiscsi takes an interrupted poll for a lost connection
            self.attempt(self.batch)
        self.moved = time.monotonic()
        return self.verify()

    def check(self):
        wrong = []
        for slot in range(SLOTS):
            got = found(self.device.read(slot * STRIDE, BLOCK), slot)
            if got not in self.may[slot]:
                wrong.append([slot, got, sorted(self.may[slot])])
            else:
                self.may[slot] = {got}  # whoever reads it next finds the same
        return wrong

    def verify(self):
        if self.device:
            self.device.close()
            self.device = None
        wrong = self.attempt(self.check)
        self.device.close()
        print(json.dumps(self.save(slots=SLOTS, wrong=wrong)))
        return 1 if wrong else 0


def hold(count, host, port):
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(count + 100, 1024),) * 2)
    kept = []
    for _ in range(count):
        s = socket.socket()
        s.settimeout(20)
        s.connect((host, port))
        kept.append(s)
    print(len(kept), flush=True)
    signal.pause()


def main():
    if sys.argv[1] == "hold":
        hold(int(sys.argv[2]), sys.argv[3], int(sys.argv[4]))
        return 0
    w = Writer(sys.argv[2], sys.argv[3])
    if os.path.exists(w.state):
        w.load()
    if sys.argv[1] == "verify":
        return w.verify()
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
    return w.run()


if __name__ == "__main__":
    sys.exit(main())
