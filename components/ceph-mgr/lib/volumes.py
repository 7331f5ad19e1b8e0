# SPDX-License-Identifier: MIT
"""Applies what the configuration says of volumes: $CFG_volumes.

Only what is named is looked at, and only what differs is changed, so it runs as often as it likes, on every manager. A
volume that cannot be made gets one line "volume NAME: why", and the others go on.
"""

import json
import os
import sys
import threading
import time

sys.path.insert(0, "/usr/lib/slipway-ceph")
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from entries import Wrong, created, is_absent, read_volume, yes  # noqa: E402
from slipway_ceph import RUN, Cluster, Failure, say  # noqa: E402
from slipway_rbd import (  # noqa: E402
    ADDRESS, EBUSY, EEXIST, ENOENT, ESTALE, FENCE_SECONDS, MADE, MADE_SNAPSHOT, OWNER, Pool, TurnTaken, check, gone,
    gone_snapshots)

USER = "client.slipway-pool"
ROLLED_BACK = "slipway.rollback"  # the serials of the last REMEMBERED, with blanks between them
REMEMBERED = 64
TEMPLATE = "slipway.template"
STATE = os.path.join(RUN, "volumes.json")  # name -> entry that was applied; in memory
LOST = os.path.join(RUN, "lost_snapshots.json")  # name -> snapshots that somebody deleted; for hook health
AT_ONCE = 7  # besides the first
SNAPSHOTS_AT_ONCE = 32
# After that time one run of the hook begins no more of many snapshots; the agent listens in between.
END = time.monotonic() + 15
UNFINISHED = 75  # to the agent: run it again
# What somebody else has half done is looked at again for so long.
RACE = 20
# A name without an image is what a deletion or a creation left that was cut short, when it is so for so long.
REMAINS = 3
# Another client's short look at the image does not count as use.
PATIENCE = 1.0


class NeedsTurn(Exception):
    """Something of this volume is to be changed, which one manager does at a time."""


class Unfinished(Exception):
    """This volume needs more runs of the hook, for so many snapshots."""

    def __init__(self, left):
        super().__init__("snapshots to go: %d" % left)


def several(noun, names):
    return "%s %s" % (noun, names[0]) if len(names) == 1 else "%d %ss" % (len(names), noun)


def at_once(work, items):
    """Each item by itself, several at the same time: most of the time of a snapshot is the monitors' round, and one
    round is as good for many. What END comes before is left, but for one of each thread, so that every run gets on."""
    queue, errors = list(items), []

    def some():
        while queue and not errors:
            try:
                work(queue.pop(0))
            except IndexError:  # another thread was faster
                pass
            except Failure as e:
                errors.append(e)
            if time.monotonic() >= END:
                return

    threads = [threading.Thread(target=some) for _ in range(min(SNAPSHOTS_AT_ONCE, len(queue)) - 1)]
    for t in threads:
        t.start()
    some()
    for t in threads:
        t.join()
    if errors:
        raise errors[0]
    if queue:
        raise Unfinished(len(queue))


class Volumes:
    def __init__(self, cluster, wanted):
        self.c = cluster
        self.wanted = wanted
        self.pools, self.made = {}, {}
        self.done, self.bad, self.unfinished, self.lost = {}, {}, {}, {}
        self.turns = set()  # names of volumes that nobody else changes now

    def need_turn(self, name):
        if name not in self.turns:
            raise NeedsTurn

    def pool(self, name):
        if name not in self.pools:
            try:
                self.pools[name] = Pool(self.c, name)
            except Failure as e:
                if e.errno == ENOENT:
                    raise Wrong("there is no pool %s" % name) from None
                raise
        return self.pools[name]

    def find(self, pool, name, read_only=False):
        try:
            return pool.open(name, read_only)
        except Failure as e:
            if e.errno == ENOENT:
                return None
            raise

    def marks(self, pool):
        """Map name -> which volume of that name was made, kept in the pool itself: an image that is missing although it
        was made is a loss to be told, not a volume to be recreated, empty. Those of names that are in no document are
        of no use."""
        if pool.name not in self.made:
            made = pool.all_metadata(MADE)
            for name in [n for n in made if n not in self.wanted]:
                pool.remove_metadata(MADE + name)
                del made[name]
            self.made.setdefault(pool.name, made)
        return self.made[pool.name]

    def mark(self, pool, name, v):
        which = str(v.get("created", ""))
        if self.marks(pool).get(name) != which:
            pool.set_metadata(MADE + name, which)
            self.marks(pool)[name] = which

    def unmark(self, pool, name, v):
        """Of what was deleted. A volume that says which of its name it is keeps its mark as long as it is in the
        document, because its deletion may be taken back there when that of another one failed."""
        if name in self.marks(pool) and not v.get("created"):
            pool.remove_metadata(MADE + name)
            del self.marks(pool)[name]

    def create(self, pool, name, v):
        if self.marks(pool).get(name) == str(v.get("created", "")):
            image = self.find(pool, name, read_only=True)  # the other manager may have made it since
            if image:
                return image
            raise Wrong(gone(pool.name, name))
        self.need_turn(name)
        if v.get("data_pool"):
            self.pool(v["data_pool"])  # one that is not there is not a race to be waited out
        try:
            if v.get("from"):
                source, _, snapshot = v["from"].partition("@")
                parent, _, image = source.rpartition("/")
                parent = self.pool(parent or (self.wanted.get(image) or {}).get("pool") or v["pool"])
                try:
                    pool.clone((parent, image), snapshot, name, v.get("data_pool"))
                except Failure as e:
                    if e.errno == ENOENT:
                        raise Wrong("there is no %s to make it from" % v["from"]) from None
                    raise
                say("made volume %s from %s" % (name, v["from"]))
            else:
                if "size" not in v:
                    raise Wrong("a size is needed")
                pool.create(name, v["size"], v.get("data_pool"))
                say("made volume %s, %d bytes" % (name, v["size"]))
        except Failure as e:
            if e.errno != EEXIST:  # the other manager was faster
                raise
        return pool.open(name, read_only=True)

    def fence_sleeping(self, pool, name):
        """Cuts off who has not let go of an image that nobody has open: without a watch he may only sleep, and what he
        writes when he wakes must not arrive. Those alone whose marks are there, not everybody as the drivers do
        (slipway_driver.py): the other manager may be at it too."""
        with pool.open(name, read_only=True) as image:
            owner, marks = image.metadata(OWNER), image.all_metadata(ADDRESS)
            # A clone begins with a copy of its parent's marks, which are of another image.
            addresses = sorted({a.split()[0] for a in marks.values() if a.split()[1:] == [image.id()]})
        if not addresses:
            return
        say("volume %s: fencing %s" % (name, " ".join(addresses)))
        for address in addresses:
            self.c.mon({"prefix": "osd blocklist", "blocklistop": "add", "addr": address, "expire": FENCE_SECONDS})
        check(self.c.lib.rados_wait_for_latest_osdmap(self.c.handle), "waiting for the blocklist")
        with pool.open(name) as image:
            for key in marks:
                image.remove_metadata(key)
            if owner and image.metadata(OWNER) == owner:
                image.remove_metadata(OWNER)

    def resize(self, pool, name, v, now):
        if v["size"] < now and not yes(v.get("shrink")):
            raise Wrong("it has %d bytes, %d were asked for: making it smaller loses data and needs shrink: true"
                        % (now, v["size"]))
        if v["size"] < now:
            with pool.open(name, read_only=True) as image:
                users = image.others(PATIENCE)
            if not users:
                self.fence_sleeping(pool, name)
        with pool.open(name) as image:
            image.resize(v["size"], shrink=yes(v.get("shrink")))
        say("resized volume %s, %d -> %d bytes" % (name, now, v["size"]))

    def snapshots(self, pool, name, v, there):
        wanted = v.get("snapshots") or {}
        differ = [s for s, entry in wanted.items() if is_absent(entry) == (s in there)]
        gone = [s for s in differ if is_absent(wanted[s])]
        new = [s for s in differ if not is_absent(wanted[s])]
        if not differ:
            return
        self.need_turn(name)
        lost = self.lost_snapshots(pool, name, wanted, new)
        new = [s for s in new if s not in lost]
        self.check_same(pool, name, {s: created(wanted[s]) for s in gone})
        with pool.open(name) as image:
            for snapshot in gone if image.children() else []:
                children = image.children(snapshot)
                if children:
                    raise Wrong("snapshot %s has clones: %s" % (snapshot, " ".join(children)))
            self.remove_snapshots(image, name, gone)

            def make(snapshot):
                try:
                    image.snapshot(snapshot)
                except Failure as e:
                    if e.errno != EEXIST:
                        raise
                if created(wanted[snapshot]):
                    pool.set_metadata(MADE_SNAPSHOT + name + "@" + snapshot, created(wanted[snapshot]))
            at_once(make, new)
        if new:
            say("made %s of volume %s" % (several("snapshot", new), name))

    @staticmethod
    def made_snapshots(pool, name):
        """Map snapshot -> which one of that name was made."""
        return pool.all_metadata(MADE_SNAPSHOT + name + "@")

    @staticmethod
    def check_same(pool, name, which):
        """`which`: map snapshot that is to go -> which one of that name. Who slept with an old order deletes no new
        one."""
        made = Volumes.made_snapshots(pool, name) if any(which.values()) else {}
        for snapshot, number in sorted(which.items()):
            if number and made.get(snapshot, number) != number:
                raise Wrong("snapshot %s is another one than that which was to be deleted" % snapshot)

    @staticmethod
    def unmark_snapshot(pool, name, snapshot):
        pool.remove_metadata(MADE_SNAPSHOT + name + "@" + snapshot)

    def lost_snapshots(self, pool, name, wanted, new):
        """Those of `new` that were made once. Made again they would pass for what the volume held then."""
        made = self.made_snapshots(pool, name) if new else {}
        for snapshot in made:
            if snapshot not in wanted:
                self.unmark_snapshot(pool, name, snapshot)
        lost = sorted(s for s in new if created(wanted[s]) and made.get(s) == created(wanted[s]))
        if lost:
            self.lost[name] = lost
            say("volume %s: %s" % (name, gone_snapshots(name, lost)))
        return lost

    @staticmethod
    def remove_snapshots(image, name, snapshots):
        def remove(snapshot):
            try:
                image.remove_snapshot(snapshot)
            except Failure as e:
                if e.errno != ENOENT:
                    raise
        at_once(remove, snapshots)
        if snapshots:
            say("deleted %s of volume %s" % (several("snapshot", snapshots), name))

    def rollback(self, pool, name, v):
        """Once for each serial: the image itself remembers them."""
        to, serial = v["rollback"]["to"], str(v["rollback"]["serial"])

        def is_done(image):
            return serial in image.metadata(ROLLED_BACK).split()

        with pool.open(name, read_only=True) as image:
            if is_done(image):
                return
            self.need_turn(name)
            if to not in image.snapshots():
                raise Wrong("there is no snapshot %s to go back to" % to)
            users = image.others(PATIENCE)
            if users:
                raise Wrong("in use by %s: detach it before going back to a snapshot"
                            % (image.metadata(OWNER) or " ".join(users)))
        self.fence_sleeping(pool, name)
        with pool.open(name) as image:
            try:
                image.lock()
            except Failure:  # the other manager has it, and does the same
                while not is_done(image):
                    if time.monotonic() >= END:
                        raise
                    time.sleep(0.1)
            if is_done(image):
                return
            image.rollback(to)
            if image.size() < v.get("size", 0):  # it has the snapshot's now
                image.resize(v["size"])
            image.set_metadata(ROLLED_BACK, " ".join((image.metadata(ROLLED_BACK).split() + [serial])[-REMEMBERED:]))
        say("took volume %s back to snapshot %s" % (name, to))

    def delete(self, pool, name, v):
        self.need_turn(name)
        image = self.find(pool, name, read_only=True)
        if not image:
            pool.remove_remains(name)
            self.unmark(pool, name, v)
            return
        with image:
            made = pool.metadata(MADE + name) if created(v) else ""
            if made and made != created(v):  # who slept with an old order deletes no new one
                raise Wrong("it is another volume than the one that was to be deleted")
            snapshots = image.snapshots()
            children = image.children() if snapshots else []
            if children:
                raise Wrong("it has clones: %s" % " ".join(children))
            kept = [s for s in snapshots if not self.going(v, s)]
            if kept:
                raise Wrong("it has snapshots: %s" % " ".join(sorted(kept)))
            users = image.others(PATIENCE)
            if users:
                raise Wrong("in use by %s: detach it before deleting it" % (image.metadata(OWNER) or " ".join(users)))
        if snapshots:
            with pool.open(name) as image:
                self.remove_snapshots(image, name, list(snapshots))
        try:
            pool.remove(name)
            say("deleted volume %s" % name)
        except Failure as e:
            if e.errno != ENOENT:
                raise
        self.unmark(pool, name, v)
        for snapshot in self.made_snapshots(pool, name):
            self.unmark_snapshot(pool, name, snapshot)

    @staticmethod
    def going(v, snapshot):
        return is_absent((v.get("snapshots") or {}).get(snapshot))

    def one(self, name, v):
        pool = self.pool(v["pool"])
        if yes(v.get("absent")):
            self.delete(pool, name, v)
            return
        image = self.find(pool, name, read_only=True) or self.create(pool, name, v)
        self.mark(pool, name, v)
        with image:
            size, there = image.size(), image.snapshots()
            mark = image.metadata(TEMPLATE)
        if "size" in v and v["size"] != size:
            self.need_turn(name)
            self.resize(pool, name, v, size)
        self.snapshots(pool, name, v, there)
        if v.get("rollback"):
            self.rollback(pool, name, v)
        if yes(v.get("template")) != (mark == "true"):
            with pool.open(name) as image:
                image.set_metadata(TEMPLATE, "true" if yes(v.get("template")) else "false")

    def race(self, name, v):
        """Two managers may be at the same volume: looking is free, changes are made in turn, because librbd leaves
        names without images where two delete one. Others, the rbd tool for one, know of no turns: an image appears
        piece by piece, and goes so, so who comes second looks again."""
        try:
            self.one(name, v)
            return
        except NeedsTurn:
            pass
        pool = self.pool(v["pool"])
        with pool.turn(name):
            self.turns.add(name)
            begin = time.monotonic()
            while True:
                try:
                    self.one(name, v)
                    return
                except Failure as e:
                    now = time.monotonic()
                    if e.errno not in (EBUSY, EEXIST, ENOENT, ESTALE) or now >= begin + RACE:
                        raise
                    if e.errno == ENOENT and now >= begin + REMAINS:
                        pool.remove_remains(name)
                time.sleep(0.1)

    def rounds(self, names):
        """Lists of names; those of one list may be done at once. What is made comes before its clones; clones go before
        what they come from."""
        depth = {}
        for name in names:
            n, steps = name, 0
            while isinstance(self.wanted.get(n), dict) and self.wanted[n].get("from") and steps < len(self.wanted):
                n, steps = str(self.wanted[n]["from"]).partition("@")[0].rpartition("/")[2], steps + 1
            depth.setdefault((1, -steps) if is_absent(self.wanted[name]) else (0, steps), []).append(name)
        # Two managers begin at different ends.
        even = os.environ.get("SLIPWAY_INSTANCE", "")[-1:] in tuple("02468")
        return [sorted(depth[d], reverse=not even) for d in sorted(depth)]

    def settle(self, queue):
        while True:
            try:
                name = queue.pop()
            except IndexError:
                return
            try:
                self.race(name, read_volume(name, self.wanted[name]))
                self.done[name] = self.wanted[name]
            except (Unfinished, TurnTaken) as e:
                self.unfinished[name] = e
            except (Wrong, Failure) as e:
                self.bad[name] = e

    def apply(self):
        # What is as its entry says is left alone, but at a start and when the hook is run by hand.
        known = load(STATE) if os.environ.get("SLIPWAY_CHANGED") == "volumes" else {}
        self.done = {n: v for n, v in self.wanted.items() if known.get(n) == v}
        self.lost = {n: lost for n, lost in load(LOST).items() if n in self.done}
        for names in self.rounds([n for n in self.wanted if n not in self.done]):
            threads = [threading.Thread(target=self.settle, args=(names,)) for _ in range(min(AT_ONCE, len(names) - 1))]
            for t in threads:
                t.start()
            self.settle(names)
            for t in threads:
                t.join()
        save(STATE, self.done)
        save(LOST, self.lost)
        if self.unfinished:
            for name, left in sorted(self.unfinished.items()):
                say("volume %s: %s" % (name, left))
            return UNFINISHED
        # Last, because the agent keeps the end of what is printed.
        for name in sorted(self.bad):
            print("volume %s: %s" % (name, self.bad[name]), file=sys.stderr)
        return 1 if self.bad else 0


def load(path):
    try:
        with open(path) as f:
            return json.load(f)
    except OSError:
        return {}


def save(path, value):
    with open(path + ".new", "w") as f:
        json.dump(value, f)
    os.rename(path + ".new", path)


def main():
    wanted = json.loads(os.environ.get("CFG_volumes") or "{}")
    if not wanted:
        return 0
    try:
        with Cluster(USER, "slipway_pool") as c:
            return Volumes(c.wait(60, "needed for the volumes"), wanted).apply()
    except Failure as e:
        print("volumes: %s" % e, file=sys.stderr)
        return 1


sys.exit(main())
