#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The drill's clients of a volume, each a process of its own so that it can be killed, or hang, alone.

    writer.py write URL VOLUME WRITER SEED JOURNAL   writes, and reads back what it wrote, until SIGTERM
    writer.py quiet ...                              the same, but reads only until SIGUSR1: its driver has no lock
    writer.py read URL                               prints the stamp of every slot, one a line
    writer.py plant URL KIND VOLUME                  does damage: foreign, lost, torn (to try the drill itself)

URL is what tests/integration/volume_io.py takes, or paper:PATH (paper.py). The journal: `i SLOT COUNT` before a write
is sent, `a SLOT COUNT` when it was acknowledged (the drivers have no cache, so it counts from then on), `r SLOT COUNT`
a block that was read back and was right, `x SLOT STAMP` one that was not, `e SENTENCE` an error, after which it
connects again, `q` one that was read by a quiet writer. A slot whose write failed is not written again by the same
writer: that write may still arrive."""

import fcntl
import json
import mmap
import os
import random
import signal
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../integration"))
import volume_io  # noqa: E402
from stamp import BLOCK, Stamp, block, stamp_of, words  # noqa: E402

SLOTS, STRIDE, PAPER_STRIDE = 256, 256 << 10, BLOCK  # a slot is the first block of each stride
PACE = float(os.environ.get("DRILL_PACE", "0.01"))  # seconds between two writes


class File:
    """Past the page cache: an answer comes from the driver."""

    def __init__(self, path):
        self.fd = os.open(path, os.O_RDWR | os.O_DIRECT)
        self.room = mmap.mmap(-1, BLOCK)
        if os.fstat(self.fd).st_size < SLOTS * STRIDE:  # the file under a mount that is gone
            os.close(self.fd)
            raise OSError(6, "not served")

    def write(self, offset, data):
        self.room[:] = data
        if os.pwrite(self.fd, self.room, offset) != BLOCK:
            raise OSError(5, "short write")

    def read(self, offset, length):
        if os.preadv(self.fd, [self.room], offset) != length:
            raise OSError(5, "short read")
        return self.room[:]

    def flush(self):
        os.fsync(self.fd)

    def close(self):
        os.close(self.fd)


class Paper:
    """A plain file that its driver may have let go of: whoever opened it before is refused then."""

    def __init__(self, path):
        self.path, self.fd = path, os.open(path, os.O_RDWR)

    def call(self, work):
        fcntl.flock(self.fd, fcntl.LOCK_SH)
        try:
            if os.stat(self.path).st_ino != os.fstat(self.fd).st_ino:
                raise OSError(108, "let go of")
            return work()
        finally:
            fcntl.flock(self.fd, fcntl.LOCK_UN)

    def write(self, offset, data):
        self.call(lambda: os.pwrite(self.fd, data, offset))

    def read(self, offset, length):
        return self.call(lambda: os.pread(self.fd, length, offset))

    def flush(self):
        pass

    def close(self):
        os.close(self.fd)


def stride_of(url):
    return PAPER_STRIDE if url.startswith("paper:") else STRIDE


def connect(url):
    if url.startswith("paper:"):
        return Paper(url[len("paper:"):])
    if url.startswith("iscsi:"):
        os.environ["LIBISCSI_CHAP_PASSWORD"] = json.loads(os.environ["DRILL_CHAP"])[url.split("/")[2].split(":")[0]]
    return volume_io.connect(url) if url.startswith(("nbd:", "iscsi:")) else File(url)


class Writer:
    def __init__(self, url, volume, number, seed, journal):
        self.url, self.volume, self.number = url, volume, number
        self.random = random.Random(seed)
        self.journal = os.open(journal, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self.stride = stride_of(url)
        self.device, self.count = None, 0
        self.mine, self.doubtful = {}, set()

    def say(self, *what):
        os.write(self.journal, (" ".join(map(str, what)) + "\n").encode())

    def write(self):
        slot = self.random.randrange(SLOTS)
        if slot in self.doubtful:
            return
        self.count += 1
        self.doubtful.add(slot)
        self.say("i", slot, self.count)
        self.device.write(slot * self.stride, block(Stamp(self.volume, slot, self.number, self.count)))
        self.say("a", slot, self.count)
        self.doubtful.remove(slot)
        self.mine[slot] = self.count
        if self.count % 16 == 0:
            self.device.flush()

    def read(self):
        slot = self.random.choice(list(self.mine))
        if slot in self.doubtful:
            return
        got, count = stamp_of(self.device.read(slot * self.stride, BLOCK)), self.mine[slot]
        if got == Stamp(self.volume, slot, self.number, count):
            self.say("r", slot, count)
        else:
            self.say("x", slot, words(got), "instead of", count)

    def step(self):
        if not self.device:
            self.device = connect(self.url)
        if self.mine and self.random.random() < 0.4:
            self.read()
        elif len(self.doubtful) < SLOTS // 2:
            self.write()

    def listen(self):
        """Reads one block and says so; returns when it is told to write, or to end."""
        self.device = connect(self.url)
        self.device.read(0, BLOCK)
        self.say("q")
        if signal.sigwait([signal.SIGTERM, signal.SIGUSR1]) == signal.SIGTERM:
            sys.exit(0)

    def run(self, quiet):
        # Blocked: libiscsi takes an interrupted poll for an error.
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM, signal.SIGUSR1])
        if quiet:
            self.listen()
        while signal.SIGTERM not in signal.sigpending():
            try:
                self.step()
                time.sleep(PACE)
            except OSError as e:
                self.say("e", " ".join(str(e).split()))
                if self.device:
                    self.device.close()
                    self.device = None
                time.sleep(0.3)
        return 0


def read(url):
    device = connect(url)
    for slot in range(SLOTS):
        print(words(stamp_of(device.read(slot * stride_of(url), BLOCK))))
    device.close()
    return 0


def plant(url, kind, volume):
    """Over the first slot that somebody wrote."""
    device = connect(url)
    for slot in range(SLOTS):
        stamp = stamp_of(device.read(slot * stride_of(url), BLOCK))
        if stamp:
            break
    good = block(stamp._replace(volume="other/" + volume))
    device.write(slot * stride_of(url),
                 {"foreign": good, "lost": bytes(BLOCK), "torn": good[:512] + bytes(BLOCK - 512)}[kind])
    device.flush()
    device.close()
    return 0


def main(argv):
    if argv[1] == "read":
        return read(argv[2])
    if argv[1] == "plant":
        return plant(*argv[2:])
    url, volume, number, seed, journal = argv[2:]
    return Writer(url, volume, int(number), seed, journal).run(argv[1] == "quiet")


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv))
    except OSError as error:
        sys.exit("writer: %s" % error)
