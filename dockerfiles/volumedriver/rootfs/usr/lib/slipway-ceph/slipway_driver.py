# SPDX-License-Identifier: MIT
"""What the volume drivers share: the entries of $CFG_volumes, and one writer for each image.

An image's metadata says which instance has it (slipway.owner), its watchers say who has it open in fact. Whoever opens
an image looks before and after: of two who do it at once, at least one sees the other and steps back. Each instance
that has it open leaves the address there by which it is the storage's client (slipway.client.INSTANCE), and takes it
away when it has let go: whoever has not is fenced before another one writes.
"""

import json
import os
import re
import sys
import time
import zlib

from slipway_ceph import RUN, Cluster, Failure, mon_host, mons, say
from slipway_rbd import ADDRESS, ENOENT, OWNER, Pool, full_pools
from slipway_rules import NAME, NAME_RULE, POOL, read_size

USER = "client.rbd"
INSTANCE = os.environ.get("SLIPWAY_INSTANCE", "")
KEYS = {"pool", "image", "size", "read_only", "take_over", "absent", "force"}
MARKS = "slipway."  # what the keys in an image's metadata begin with
TAKEN = "slipway.taken"
# Docker's volume whose first mkfs has not ended. What others may have written since must not be formatted away.
FORMATTING = "slipway.formatting"
# Another client's short look at an image does not count as use.
PATIENCE = 1.0
RESIZE_WAIT = 10
# The manager makes an image while the driver hears that it is to serve it; at the start there may be no cluster yet.
IMAGE_WAIT, START_WAIT = 8, 60


class Wrong(Exception):
    """This volume cannot be served; the text says why."""


class Missing(Wrong):
    """Its image is not there, or not yet."""


def yes(value):
    return str(value).lower() == "true"


def read_volume(name, v, more=()):
    if not NAME.fullmatch(name):
        raise Wrong(NAME_RULE)
    if not isinstance(v, dict):
        raise Wrong("a map is expected")
    known = KEYS | set(more)
    for key in sorted(set(v) - known):
        raise Wrong("unknown key %s; known are %s" % (key, " ".join(sorted(known))))
    v = dict(v, pool=v.get("pool") or POOL, image=v.get("image") or name)
    for key in ("pool", "image"):
        if not isinstance(v[key], str) or not NAME.fullmatch(v[key]):
            raise Wrong("%s: %s" % (key, NAME_RULE))
    if "take_over" in v and not re.fullmatch("[0-9]{1,20}", str(v["take_over"])):
        raise Wrong("take_over: a number is expected")
    if "size" in v:
        v["size"], why = read_size(v["size"])
        if why:
            raise Wrong(why)
    return v


def wanted(more=()):
    """(map name -> entry of what is to be served, map name -> entry of what is absent, list of complaints)."""
    serve, gone, bad = {}, {}, []
    entries = json.loads(os.environ.get("CFG_volumes") or "{}")
    if not isinstance(entries, dict):
        raise Wrong("a map of volumes is expected")
    for name, entry in sorted(entries.items()):
        try:
            v = read_volume(name, entry, more)
            (gone if yes(v.get("absent")) else serve)[name] = v
        except Wrong as e:
            bad.append((name, e))
    return serve, gone, bad


def newer(serial, than):
    """Of two numbers of a take-over; none is older than any."""
    return int(serial or 0) > int(than or 0)


def node(name):
    """A node of qemu-storage-daemon: its name has at most 31 characters, a volume's has 64."""
    return "v%08x-%s" % (zlib.crc32(name.encode()), "".join(c for c in name if c.isalnum())[:20])


def complain(name, why):
    print("volume %s: %s" % (name, why), file=sys.stderr)


# A client's way through librbd at less cost (measured in context switches and processor time for each request). A
# request goes on in the thread that brought it instead of waking another one, and never waits for room there, because
# that thread is the daemon's only one; what is under way is bounded by what the daemon takes from its clients. One
# thread for what OSDs answer: two wake each other. One is enough for it to get on: librbd's handlers are state machines
# that never wait for one another (until Ceph 16 it had one thread for them, and it still asks for one, rbd_op_threads),
# and what QEMU and tgtd do in an answer is to wake a thread of their own. Tried: 30 writers, four writes at a time
# each, fenced: all ended, with one thread as with two. No notes for a log that nobody reads.
SUBSYSTEMS = ("asok auth buffer client context crush crypto finisher heartbeatmap immutable_obj_cache lockdep mon monc "
              "ms none objclass objectcacher objecter osd paxos perfcounter rados rbd rbd_mirror rbd_pwl rbd_replay "
              "refs striper throttle timer tp")
CLIENT = dict({"debug_" + name: "0/0" for name in SUBSYSTEMS.split()}, rbd_cache="false", rbd_non_blocking_aio="false",
              objecter_inflight_ops="0", objecter_inflight_op_bytes="0", librados_thread_count="1", log_to_file="false",
              admin_socket="", mon_client_hunt_interval="0.5")


def write_conf(path, **more):
    """ceph.conf and keyring of client.rbd for daemons that read files, in memory. The key is in no argument list."""
    keyring = path + ".keyring"
    with open(os.open(keyring + ".new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as f:
        with open(os.path.join(RUN, "secrets", "rbd")) as key:
            f.write("[%s]\n\tkey = %s\n" % (USER, key.read().strip()))
    os.rename(keyring + ".new", keyring)
    with open(path + ".new", "w") as f:
        options = dict(CLIENT, mon_host=mon_host(mons().values()), keyring=keyring, **more)
        f.write("[global]\n" + "".join("%s = %s\n" % option for option in options.items()))
    os.rename(path + ".new", path)


def addresses(marks, image_id):
    """Of "ADDRESS IMAGE-ID", as drivers leave them, those of this very image. A clone begins with a copy of its
    parent's metadata: who has the parent open has nothing to do with it."""
    return [mark.split()[0] for mark in marks if mark.split()[1:] == [image_id]]


class Images:
    """Images through a connection that is made when it is needed."""

    def __init__(self):
        self.c, self.pools = None, {}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.c:
            self.c.close()

    def cluster(self):
        if not self.c:
            self.c = Cluster(USER, "rbd").wait(START_WAIT, "needed for the volumes")
        return self.c

    def pool(self, name):
        if name not in self.pools:
            try:
                self.pools[name] = Pool(self.cluster(), name)
            except Failure as e:
                if e.errno == ENOENT:
                    raise Missing("there is no pool %s" % name) from None
                raise
        return self.pools[name]

    def look(self, v):
        try:
            return self.pool(v["pool"]).open(v["image"], read_only=True)
        except Failure as e:
            if e.errno == ENOENT:
                raise Missing("there is no image %s/%s" % (v["pool"], v["image"])) from None
            raise

    def claim(self, v):
        """Before the daemon opens the image for writing: nobody else has it, or is cut off because the entry says so,
        because it has not let go and does not have it open any more (it may only sleep), or because it was this
        instance's own process, which is gone. Returns the image's size."""
        with self.look(v) as image:
            size, marks, serial = image.size(), image.all_metadata(MARKS), v.get("take_over")
            owner, clients = marks.get(OWNER, ""), {key: a for key, a in marks.items() if key.startswith(ADDRESS)}
            marked = not yes(v.get("docker")) and FORMATTING in marks
            take = newer(serial, marks.get(TAKEN))
            if owner not in ("", INSTANCE) and serial and newer(marks.get(TAKEN), serial):
                raise Wrong("%s took it over after that: take_over %s is older than %s" % (owner, serial, marks[TAKEN]))
            if not take and owner != INSTANCE:
                users = image.others(PATIENCE)
                if users:
                    raise Wrong("in use by %s; detach it there, move it, or take it over" % (owner or " ".join(users)))
            image.fence(addresses(clients.values(), image.id()), ended=owner == INSTANCE and not take)
        if owner != INSTANCE or take or marked or clients:
            with self.pool(v["pool"]).open(v["image"]) as image:
                if marked:
                    image.remove_metadata(FORMATTING)
                image.set_metadata(OWNER, INSTANCE)
                if take:
                    image.set_metadata(TAKEN, str(serial))
                for key in clients:
                    image.remove_metadata(key)
        return size

    def alone(self, v):
        """After the daemon opened it, and before anybody can write through it: whether it is the only one. The daemon
        itself is one watcher, whose address is left for who has to fence it."""
        for is_last in (False, True):
            with self.look(v) as image:
                others, owner, clients = image.others(PATIENCE, most=1), image.metadata(OWNER), image.watchers()
            if not others and owner == INSTANCE:
                with self.pool(v["pool"]).open(v["image"]) as image:
                    image.set_metadata(ADDRESS + INSTANCE, "%s %s" % (clients[0], image.id()))
                return
            if others or owner or is_last:
                raise Wrong("somebody else opened it at the same moment: %s"
                            % (" ".join(others) or owner or "its name is gone again"))
            # Who had it before looked who has it, and took the name away that it had meanwhile: this one. Put there
            # again, it is looked at again, as any two who do so at once have to.
            with self.pool(v["pool"]).open(v["image"]) as image:
                image.set_metadata(OWNER, INSTANCE)

    def mine(self, v):
        try:
            with self.look(v) as image:
                return image.metadata(OWNER) == INSTANCE
        except (Wrong, Failure):
            return False

    def cut(self, v):
        """Before a detach by force: what is under way through this instance fails at once, and nobody has to wait for
        it, not even where the storage takes no writes for now."""
        try:
            with self.look(v) as image:
                marks = image.all_metadata(MARKS)
                if marks.get(OWNER) == INSTANCE:
                    image.fence(addresses([marks.get(ADDRESS + INSTANCE, "")], image.id()), ended=True)
        except (Wrong, Failure) as e:
            say("%s/%s: not fenced: %s" % (v["pool"], v["image"], e))

    def release(self, v):
        """After the daemon closed it."""
        try:
            with self.pool(v["pool"]).open(v["image"]) as image:
                if image.metadata(OWNER) == INSTANCE:
                    image.remove_metadata(OWNER)
                image.remove_metadata(ADDRESS + INSTANCE)
        except Failure as e:
            if e.errno != ENOENT:  # deleted meanwhile: nothing to release
                say("%s/%s: %s" % (v["pool"], v["image"], e))

    def size(self, v):
        with self.look(v) as image:
            return image.size()

    def full_pools(self):
        return full_pools(self.cluster())

    def id(self, v):
        with self.look(v) as image:
            return image.id()

    def full(self, v):
        """What is said of its pools that take no more data; mostly nothing."""
        try:
            with self.look(v) as image:
                pools = full_pools(image.pool.c)
                return [pools[i] for i in sorted(image.pool_ids()) if i in pools]
        except (Wrong, Failure):
            return []

    def wait_size(self, v):
        """The image's size, when it is what the entry says or nobody has made it so for a while: the manager hears of a
        new size at the same moment as the driver."""
        end = time.monotonic() + RESIZE_WAIT
        while True:
            size = self.size(v)
            if size == v["size"] or time.monotonic() >= end:
                return size
            time.sleep(0.1)


class Driver:
    """The part of a driver that does not depend on what it drives. A driver has attach(name, entry), which may find the
    volume served already, and close(name, force). What is served is remembered in `work`, which is in memory and
    emptied before the daemon starts."""

    daemon_name = ""  # for sentences
    conf = ""  # where its ceph.conf is
    client = {}  # further settings in it
    more = ()  # further keys of an entry
    refusals = ()  # further exceptions that mean: not this volume, go on with the others

    def __init__(self, images, work):
        self.images, self.path = images, os.path.join(work, "volumes.json")
        self.load()

    def load(self):
        try:
            with open(self.path) as f:
                self.served = json.load(f)
        except OSError:
            self.served = {}

    def remember(self):
        with open(self.path + ".new", "w") as f:
            json.dump(self.served, f)
        os.rename(self.path + ".new", self.path)

    def claim(self, name, v):
        """To be called before the daemon opens the image."""
        read_only = yes(v.get("read_only"))
        size = self.images.size(v) if read_only else self.images.claim(v)
        self.served[name] = {"pool": v["pool"], "image": v["image"], "read_only": read_only,
                             "serial": v.get("take_over"), "size": size}
        self.remember()
        return read_only

    def opened(self, name, v):
        """To be called after the daemon opened the image, before anybody can reach it."""
        if not self.served[name]["read_only"]:
            self.images.alone(v)
        self.served[name]["opened"] = True
        self.remember()

    def is_open(self, name):
        """Whether what the daemon has of this volume was looked at; a hook that was killed did not come that far."""
        return self.served.get(name, {}).get("opened", False)

    def still_mine(self, name, v):
        """Whether what is open can stay open. It was taken from this instance, and comes back: it is cut off for
        good."""
        if newer(v.get("take_over"), self.served[name].get("serial")):
            self.detach(name, force=True)
            return False
        if self.served[name]["read_only"] != yes(v.get("read_only")):
            raise Wrong("detach it to change read_only")
        return True

    def detach(self, name, force=False):
        """The connected decide: whoever has it open keeps it, unless it is forced or another instance took it over."""
        v = self.served[name]
        if force and not v["read_only"]:
            self.images.cut(v)
        try:
            self.close(name, force)
        except Wrong:
            if force or v["read_only"] or self.images.mine(v):
                raise
            self.close(name, True)
        del self.served[name]
        self.remember()
        if not v["read_only"]:
            self.images.release(v)
        say("detached volume %s" % name)

    def begin(self):
        """Before apply and drain."""

    def step(self, name, work, *arguments):
        """A list: empty, or (name, why not). A pool without space comes last in it: others say the same sentence."""
        v = self.served.get(name) or next((a for a in arguments if isinstance(a, dict)), None)
        try:
            work(name, *arguments)
            return []
        except Missing as e:
            return [(name, e)]
        except (Wrong, Failure, OSError) + self.refusals as e:
            return [(name, "; ".join([str(e)] + (self.images.full(v) if v else [])))]

    def todo(self, serve):
        """Of a hundred volumes only the one whose entry changed costs time. At a start, and when the hook is run by
        hand, all are looked at."""
        if os.environ.get("SLIPWAY_CHANGED") != "volumes":
            return serve
        return {name: v for name, v in serve.items() if self.served.get(name, {}).get("entry") != v}

    def settle(self, name, v, late):
        """`late`: map of entries to try again when their image is there, or None when there is no time left for
        that."""
        old = name in self.served
        self.served.get(name, {}).pop("entry", None)
        try:
            self.attach(name, v)
        except Missing:
            if late is None:
                raise
            late[name] = v
            return
        self.served[name]["entry"] = v
        self.remember()
        if not old:
            say("serving volume %s" % name)

    def settle_all(self, todo):
        """What cannot be served. Nobody waits for another one's image."""
        at_start = os.environ.get("SLIPWAY_CHANGED", "all") == "all"
        end = time.monotonic() + (START_WAIT if at_start else IMAGE_WAIT)
        bad = []
        while todo:
            late = {} if time.monotonic() < end else None
            for name, v in todo.items():
                bad += self.step(name, self.settle, v, late)
            todo = late
            if todo:
                time.sleep(0.1)
        return bad

    def apply(self):
        serve, gone, bad = wanted(self.more)
        for name in [n for n in self.served if n not in serve]:
            bad += self.step(name, self.detach, yes(gone.get(name, {}).get("force")))
        todo = self.todo(serve)
        bad += self.settle_all(todo)
        # Last, because the agent keeps the end of what is printed.
        for name, why in bad:
            complain(name, why)
        return 1 if bad else 0

    def drain(self):
        bad = [trouble for name in list(self.served) for trouble in self.step(name, self.detach)]
        for name, why in bad:
            complain(name, why)
        return 1 if bad else 0


def hook(what, kind, watch):
    """What hook `what` does with a driver of class `kind`, and its exit status. watch(what) does `ready` and
    `health`."""
    if what in ("ready", "health"):
        try:
            return watch(what)
        except (OSError,) + kind.refusals as e:
            print("%s: %s" % (kind.daemon_name, e))
            return 1
    try:
        with Images() as images:
            driver = kind(images)
            if what == "check":
                from check import check
                return check(driver)
            write_conf(kind.conf, **kind.client)
            driver.begin()
            return driver.drain() if what == "drain" else driver.apply()
    except (Wrong, Failure, OSError) + kind.refusals as e:
        print("volumes: %s" % e, file=sys.stderr)
        return 1
