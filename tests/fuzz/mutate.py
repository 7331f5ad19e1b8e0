# SPDX-License-Identifier: MIT
"""For fuzzers of what is in Python (tests/fuzz/<name>.py, started by scripts/dev/run-fuzz as NAME.py SECONDS FINDS
SEEDS...): inputs made of the seeds by chance, new ones kept when they reach lines that no other reached."""

import os
import random
import sys
import time

WORDS = [b"\0", b"\xff", b"{", b"}", b"[", b"]", b'"', b":", b",", b"null", b"true", b"-1", b"0", b"1e999",
         b"18446744073709551616", b"[" * 3000, b'{"a":' * 2000, "\u00b2\u0663".encode(), b"\\u0000", b"\\ud800",
         b"../..", b"A" * 70, b"9" * 5000, b"\r\n", b'"Name"', b'"Opts"', b'"ID"', b'"size"', b'"from"', b'"pool"',
         b'"image"', b'"take_over"', b"64TiB", b"@", b"/"]
SIZE_MAX = 65536


def mutate(rng, seeds):
    data = bytearray(rng.choice(seeds))
    for _ in range(rng.choice((1, 1, 2, 4, 8))):
        at = rng.randrange(len(data) + 1)
        end = min(len(data), at + rng.choice((1, 2, 4, 16)))
        kind = rng.randrange(5)
        if kind == 0 and data:
            data[at % len(data)] = rng.randrange(256)
        elif kind == 1:
            del data[at:end]
        elif kind == 2:
            data[at:at] = rng.choice(WORDS)
        elif kind == 3:
            data[at:end] = rng.choice(WORDS)
        else:
            other = rng.choice(seeds)
            start = rng.randrange(len(other) + 1)
            data[at:end] = other[start:start + rng.choice((4, 16, 64))]
    return bytes(data[:SIZE_MAX])


class Lines:
    """Which lines of the watched files were reached, while it is in effect."""

    def __init__(self, files):
        self.files, self.seen = set(files), set()

    def __call__(self, frame, event, _):
        if frame.f_code.co_filename not in self.files:
            return None
        self.seen.add((frame.f_code.co_filename, frame.f_lineno))
        return self


def run(one, watched):
    """one(bytes) raises when a promise is broken; `watched`: modules under test. For what is in another language, one()
    returns the set of what it reached there."""
    seconds, finds, folders = float(sys.argv[1]), sys.argv[2], sys.argv[3:]
    paths = [os.path.join(d, n) for d in folders if os.path.isdir(d) for n in sorted(os.listdir(d))]
    seeds = [open(p, "rb").read() for p in paths] or [b""]
    seed = int.from_bytes(os.urandom(4), "big")
    rng, lines, end, runs = random.Random(seed), Lines(m.__file__ for m in watched), time.monotonic() + seconds, 0
    first, elsewhere = list(seeds), set()
    while first or time.monotonic() < end:
        data = first.pop() if first else mutate(rng, seeds)
        before = len(lines.seen) + len(elsewhere)
        sys.settrace(lines)
        try:
            elsewhere |= one(data) or set()
        except BaseException:
            sys.settrace(None)
            path = os.path.join(finds, "find-%08x-%d" % (seed, runs))
            with open(path, "wb") as f:
                f.write(data)
            print("broken by %s (%r)" % (path, data[:300]), flush=True)
            raise
        finally:
            sys.settrace(None)
        runs += 1
        if len(lines.seen) + len(elsewhere) > before and len(seeds) < 5000:
            seeds.append(data)
    print("stat::number_of_executed_units: %d" % runs)
