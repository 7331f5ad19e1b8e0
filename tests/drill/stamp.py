# SPDX-License-Identifier: MIT
"""What a block says: whose it is, where it belongs, who wrote it and as the how-manieth write. Everything behind that
follows from it, so that half a block is told from a whole one."""

import collections
import hashlib
import struct

BLOCK = 4096
HEAD = struct.Struct(">8s40sIQI")
MAGIC = b"drilled!"

Stamp = collections.namedtuple("Stamp", "volume slot writer count")
TORN = Stamp("?", -1, -1, -1)  # neither zeros nor a whole block


def block(stamp):
    head = HEAD.pack(MAGIC, stamp.volume.encode(), stamp.writer, stamp.count, stamp.slot)
    return head + hashlib.shake_128(head).digest(BLOCK - len(head))


def stamp_of(data):
    """The stamp; None for zeros, TORN for anything that no writer wrote."""
    magic, volume, writer, count, slot = HEAD.unpack_from(data)
    if magic != MAGIC:
        return TORN if any(data) else None
    stamp = Stamp(volume.rstrip(b"\0").decode(errors="replace"), slot, writer, count)
    return stamp if data == block(stamp) else TORN


def words(stamp):
    """For people, and for the reader's output; stamp_from reads it again."""
    if stamp is None:
        return "zeros"
    return "torn" if stamp == TORN else "%s slot %d writer %d count %d" % stamp


def stamp_from(text):
    if text in ("zeros", "torn"):
        return None if text == "zeros" else TORN
    volume, _, slot, _, writer, _, count = text.split(" ")
    return Stamp(volume, int(slot), int(writer), int(count))
