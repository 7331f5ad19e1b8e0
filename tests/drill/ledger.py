# SPDX-License-Identifier: MIT
"""What must be on a volume, from what its writers said. No I/O but the reading of their journals.

A writer keeps a journal, a line before and after each write (writer.py). One writer at a time counts: `begin` names it,
`fence` is the moment from which it must not write any more, because the command that gave the volume to somebody else
has returned. `census` compares all that was read from the volume with what may be there and pins it: from then on a
slot holds exactly this, or what the next writer writes. `aftermath` looks at what fenced writers were told since."""

import os

from stamp import TORN, Stamp, words


def lines_of(path, limit=None):
    """The whole lines of a journal, or those within its first `limit` bytes, split into words."""
    try:
        with open(path, "rb") as f:
            data = f.read() if limit is None else f.read(limit)
    except FileNotFoundError:
        return []
    return [line.decode(errors="replace").split(" ") for line in data.split(b"\n")[:-1]]


def size_of(path):
    return os.path.getsize(path) if os.path.exists(path) else 0


class Ledger:
    def __init__(self, volume, slots):
        self.volume, self.slots = volume, slots
        self.pinned = [None] * slots  # a stamp; None: zeros
        self.writer = self.journal = self.limit = None
        self.fenced = []  # (writer, journal, limit, what was pinned then)
        self.compared = 0  # bytes

    def begin(self, writer, journal):
        assert self.journal is None, "the last writer's blocks were not compared"
        self.writer, self.journal, self.limit = writer, journal, None

    def fence(self):
        if self.journal is not None and self.limit is None:
            self.limit = size_of(self.journal)

    def may(self):
        """For each slot the stamps that may be there now."""
        may = [{stamp} for stamp in self.pinned]
        for kind, *rest in lines_of(self.journal, self.limit) if self.journal else []:
            if kind in ("i", "a"):
                slot, count = int(rest[0]), int(rest[1])
                stamp = Stamp(self.volume, slot, self.writer, count)
                may[slot] = may[slot] | {stamp} if kind == "i" else {stamp}
        return may

    def census(self, found):
        """Takes the stamps of all slots; the faults, each a sentence."""
        self.fence()
        may = self.may()
        faults = [self.sentence(slot, got, may[slot]) for slot, got in enumerate(found) if got not in may[slot]]
        self.compared += len(found) * 4096
        self.pinned = list(found)
        if self.journal is not None:
            self.fenced.append((self.writer, self.journal, self.limit, self.pinned))
            self.compared += 4096 * sum(1 for line in lines_of(self.journal) if line[0] in "rx")
        self.writer = self.journal = self.limit = None
        return faults

    def sentence(self, slot, got, may):
        """Why this stamp is wrong there."""
        allowed = " or ".join(sorted(words(m) for m in may))
        if got == TORN:
            why = "half a block, or what nobody wrote"
        elif got is None:
            why = "lost: zeros"
        elif got.volume != self.volume:
            why = "foreign: a block of another volume"
        elif got.slot != slot:
            why = "a block of another place"
        elif (self.journal and
              ["i", str(slot), str(got.count)] in lines_of(self.journal)[len(lines_of(self.journal, self.limit)):] and
              got.writer == self.writer):
            why = "two writers: sent after its writer was fenced"
        elif got.writer != self.writer:
            why = "two writers: a block of one who no longer had the volume" if self.newer(got, may) else \
                "lost: an older writer's block"
        elif any(m and m.writer == got.writer and m.count > got.count for m in may):
            why = "lost: an older block than the acknowledged one"
        else:
            why = "a write that nobody recorded"
        return "%s slot %d: %s: found %s, may be %s" % (self.volume, slot, why, words(got), allowed)

    @staticmethod
    def newer(got, may):
        """Whether the block cannot have been there before what may be there: it came after somebody was fenced."""
        return all(m is None or m.writer > got.writer or (m.writer == got.writer and m.count < got.count) for m in may)

    def aftermath(self):
        """What fenced writers were told after they were fenced; the faults. Their journals end here."""
        faults = []
        for writer, journal, limit, pinned in self.fenced:
            before = {tuple(line[1:3]) for line in lines_of(journal, limit) if line[0] == "i"}
            known = len(lines_of(journal, limit))
            for line in lines_of(journal)[known:]:
                if line[0] == "x":
                    continue  # what is read through a driver that has lost the volume says nothing about the volume
                if line[0] != "a":
                    continue
                slot, count = int(line[1]), int(line[2])
                if (line[1], line[2]) not in before:
                    faults.append("%s slot %d: write %d of writer %d was acknowledged after its writer was fenced" %
                                  (self.volume, slot, count, writer))
                elif pinned[slot] != Stamp(self.volume, slot, writer, count):
                    faults.append("%s slot %d: write %d of writer %d was acknowledged late, and is not there" %
                                  (self.volume, slot, count, writer))
            for line in lines_of(journal, limit):
                if line[0] == "x":
                    faults.append("%s slot %s: writer %d, alone, read %s" %
                                  (self.volume, line[1], writer, " ".join(line[2:])))
        self.fenced = []
        return faults


def tally(journals):
    """(writes acknowledged, reads compared, errors) in all of these."""
    kinds = [line[0] for path in journals for line in lines_of(path)]
    return kinds.count("a"), kinds.count("r"), kinds.count("e")
