# SPDX-License-Identifier: MIT
"""librbd by ctypes: images, snapshots, clones, who has an image open, and fencing who must not have it any more.

The same file is in the images ceph and volumedriver; tests/integration/volumes.sh compares them.
"""

import contextlib
import ctypes
import os
import threading
import time
import zlib

from slipway_ceph import Failure, say

FEATURES = 1 | 4 | 8 | 16 | 32  # layering, exclusive-lock, object-map, fast-diff, deep-flatten
OPTION_FEATURES, OPTION_DATA_POOL, OPTION_CLONE_FORMAT = 1, 10, 12
LOCK_EXCLUSIVE = 0
ENOENT, EEXIST, ERANGE, EBUSY, ESTALE = 2, 17, 34, 16, 116
# A writer that sleeps (a paused container, a suspended machine) may wake at any time, and would write when nobody holds
# it off any more. Of a process that is known to have ended, only what is on its way can still arrive.
FENCE_SECONDS, ENDED_SECONDS = 365 * 86400.0, 86400.0
OWNER = "slipway.owner"
ADDRESS = "slipway.client."  # with an instance's name behind it: the address by which it is a client of the image
MADE = "slipway.made."  # with a volume's name behind it, in the pool's metadata
MADE_SNAPSHOT = "slipway.snapshot."  # with VOLUME@SNAPSHOT behind it, there too
# Who changes a volume holds a lock for it in the pool, so long at the most. A lock leaves a trace for ever, so volumes
# share TURNS of them.
TURNS, TURN_SECONDS = 128, 30
RENEW = 1  # LIBRADOS_LOCK_FLAG_MAY_RENEW
INFO = b"rbd_info"  # the object that every pool of images has
U64 = ctypes.c_uint64
SKIP_QUIESCE = 1
# librbd calls it for every part of the work without looking whether there is one.
NO_PROGRESS = ctypes.CFUNCTYPE(ctypes.c_int, U64, U64, ctypes.c_void_p)(lambda *_: 0)


class TurnTaken(Exception):
    """Somebody else changes the volume now, and has for long."""


class Seconds(ctypes.Structure):
    _fields_ = [("seconds", ctypes.c_long), ("micro", ctypes.c_long)]


class Named(ctypes.Structure):
    _fields_ = [("id", ctypes.c_char_p), ("name", ctypes.c_char_p)]


class Snapshot(ctypes.Structure):
    _fields_ = [("id", U64), ("size", U64), ("name", ctypes.c_char_p)]


class Linked(ctypes.Structure):
    _fields_ = [("pool_id", ctypes.c_int64), ("pool", ctypes.c_char_p), ("namespace", ctypes.c_char_p),
                ("id", ctypes.c_char_p), ("name", ctypes.c_char_p), ("trash", ctypes.c_bool)]


class Watcher(ctypes.Structure):
    _fields_ = [("address", ctypes.c_char_p), ("id", ctypes.c_int64), ("cookie", U64)]


def check(status, what):
    if status < 0:
        raise Failure(-status, "%s: %s" % (what, os.strerror(-status)))
    return status


def gone(pool, name):
    """What is said of a volume whose image somebody deleted."""
    return ("its image %s/%s is gone, and nobody asked Slipway to delete it; `slipway volume delete %s`, then it can "
            "be created again" % (pool, name, name))


def gone_snapshots(name, snapshots):
    """What is said of snapshots that somebody deleted."""
    names, which, them = ("snapshot %s is" % snapshots[0], snapshots[0], "it") if len(snapshots) == 1 else (
        "%d snapshots are" % len(snapshots), "NAME...", "them")
    return ("%s gone, although the document has %s: the data cannot come back; `slipway volume snapshot %s --delete "
            "%s` takes %s off the list" % (names, them, name, which, them))


def full_pools(cluster):
    """Map id of a pool that takes no more data -> what is said of it."""
    found = {}
    for pool in cluster.mon_json("osd dump")["pools"]:
        flags = pool["flags_names"].split(",")
        if "full_quota" in flags:
            found[pool["pool"]] = ("pool %s is full: its quota of %d MiB is used up; writes to it wait until there is "
                                   "space or the quota is larger" % (pool["pool_name"], pool["quota_max_bytes"] >> 20))
        elif "full" in flags:
            found[pool["pool"]] = ("pool %s is full: an OSD has no space left; writes to it wait until there is: "
                                   "delete volumes or snapshots, add OSDs, or enlarge them (`slipway config set "
                                   "ceph-osd size SIZE`)" % pool["pool_name"])
    return found


def pages(call, prefix, what):
    """Map of the metadata whose keys begin with `prefix`: call(start, keys, length of keys, values, length of values)
    lists 256 behind `start` at most."""
    found, start = {}, prefix
    while True:
        keys, values = ctypes.create_string_buffer(65536), ctypes.create_string_buffer(65536)
        key_len, value_len = ctypes.c_size_t(65536), ctypes.c_size_t(65536)
        status = call(start.encode(), keys, ctypes.byref(key_len), values, ctypes.byref(value_len))
        if status == -ENOENT:
            return found
        check(status, what)
        names = keys.raw[:key_len.value].decode().split("\0")[:-1]
        for name, value in zip(names, values.raw[:value_len.value].decode().split("\0")):
            if name.startswith(prefix):
                found[name] = value
        if len(names) < 256 or not names[-1].startswith(prefix):
            return found
        start = names[-1]


def metadata_of(get, handle, key):
    """The value of a key of a pool or an image, by the library's function for it; empty when there is none."""
    value, length = ctypes.create_string_buffer(4096), ctypes.c_size_t(4096)
    status = get(handle, key.encode(), value, ctypes.byref(length))
    if status == -ENOENT:
        return ""
    check(status, "reading %s" % key)
    return value.value.decode()


class Pool:
    """An open pool of a connected Cluster."""

    def __init__(self, cluster, name):
        self.c, self.name, self.io = cluster, name, ctypes.c_void_p()
        self.lib = ctypes.CDLL("librbd.so.1")
        check(cluster.lib.rados_ioctx_create(cluster.handle, name.encode(), ctypes.byref(self.io)), "pool %s" % name)
        # Who loses the lock is on the blocklist already (Image.fence); librbd would put him there again, and for an
        # hour only.
        cluster.lib.rados_conf_set(cluster.handle, b"rbd_blocklist_on_break_lock", b"false")
        # In a full pool, what takes no space is done, so that a volume can be let go of and deleted there; the rest
        # fails at once (ENOSPC) instead of waiting.
        cluster.lib.rados_set_pool_full_try(self.io)

    def close(self):
        if self.io:
            self.c.lib.rados_ioctx_destroy(self.io)
            self.io = None

    def _options(self, data_pool, clone=False):
        options = ctypes.c_void_p()
        self.lib.rbd_image_options_create(ctypes.byref(options))
        self.lib.rbd_image_options_set_uint64(options, OPTION_FEATURES, U64(FEATURES))
        if clone:
            self.lib.rbd_image_options_set_uint64(options, OPTION_CLONE_FORMAT, U64(2))
        if data_pool:
            self.lib.rbd_image_options_set_string(options, OPTION_DATA_POOL, data_pool.encode())
        return options

    def create(self, name, size, data_pool=None):
        options = self._options(data_pool)
        try:
            check(self.lib.rbd_create4(self.io, name.encode(), U64(size), options), "creating")
        finally:
            self.lib.rbd_image_options_destroy(options)

    def clone(self, parent, snapshot, name, data_pool=None):
        """parent: (Pool, name of the image)."""
        options = self._options(data_pool, clone=True)
        try:
            check(self.lib.rbd_clone3(parent[0].io, parent[1].encode(), snapshot.encode(), self.io, name.encode(),
                                      options),
                  "cloning %s@%s" % (parent[1], snapshot))
        finally:
            self.lib.rbd_image_options_destroy(options)

    def remove(self, name):
        check(self.lib.rbd_remove(self.io, name.encode()), "deleting")

    @contextlib.contextmanager
    def turn(self, name):
        """Nobody else who asks for a turn at this volume has it meanwhile: TurnTaken. It is renewed; who is killed or
        sleeps loses it after TURN_SECONDS."""
        lock, cookie = b"slipway.%d" % (zlib.crc32(name.encode()) % TURNS), name.encode()
        end = time.monotonic() + 2 * TURN_SECONDS
        over = threading.Event()

        def take(flags):
            return self.c.lib.rados_lock_exclusive(self.io, INFO, lock, cookie, b"",
                                                   ctypes.byref(Seconds(TURN_SECONDS, 0)), ctypes.c_uint8(flags))

        def renew():
            while not over.wait(TURN_SECONDS / 3):
                take(RENEW)

        while True:
            status = take(0)
            if status != -EBUSY:
                break
            if time.monotonic() >= end:
                raise TurnTaken("another manager changes it")
            time.sleep(0.05)
        check(status, "taking turns at a volume")
        renewing = threading.Thread(target=renew, daemon=True)
        renewing.start()
        try:
            yield
        finally:
            over.set()
            renewing.join()
            self.c.lib.rados_unlock(self.io, INFO, lock, cookie)

    def _ids(self, name):
        """Of images that the name stands for: by its own object, and by the pool's directory. Not one: none."""
        room = ctypes.create_string_buffer(256)
        got = self.c.lib.rados_read(self.io, b"rbd_id." + name.encode(), room, ctypes.c_size_t(256), U64(0))
        if got != -ENOENT:
            check(got, "reading which image the name %s stands for" % name)
        ids = {room.raw[4:got]} if got > 4 else set()
        count = ctypes.c_size_t(1024)
        while True:
            items = (Named * count.value)()
            status = self.lib.rbd_list2(self.io, items, ctypes.byref(count))
            if status != -ERANGE:
                break
        check(status, "listing pool %s" % self.name)
        ids |= {items[i].id for i in range(count.value) if items[i].name == name.encode()}
        self.lib.rbd_image_spec_list_cleanup(items, count)
        return ids

    def remove_remains(self, name):
        """The name, where it stands for no image: a deletion or creation that was cut short leaves that, and then the
        name could be used no more. An image that cannot be opened because something else is missing stays."""
        ids = self._ids(name)
        there = [i for i in ids if self.c.lib.rados_stat(self.io, b"rbd_header." + i, None, None) != -ENOENT]
        if ids and not there:
            say("volume %s: removing what is left of its name" % name)
            status = self.lib.rbd_remove(self.io, name.encode())
            check(0 if status == -ENOENT else status, "deleting what is left of its name")

    def open(self, name, read_only=False):
        return Image(self, name, read_only)

    def _names(self, call):
        """What a call of the kind (buffer, size) gives: strings with a NUL after each."""
        size = ctypes.c_size_t(65536)
        while True:
            room = ctypes.create_string_buffer(size.value)
            status = call(room, ctypes.byref(size))
            if status != -ERANGE:
                break
        check(status, "listing pool %s" % self.name)
        return [n.decode() for n in room.raw[:status].split(b"\0") if n]

    def images(self):
        """Names of all images."""
        return set(self._names(lambda room, size: self.lib.rbd_list(self.io, room, size)))

    def all_metadata(self, prefix):
        """Map key without the prefix -> value, of the pool's metadata whose keys begin with it."""
        found = pages(lambda start, *room: self.lib.rbd_pool_metadata_list(self.io, start, U64(256), *room), prefix,
                      "listing the metadata of pool %s" % self.name)
        return {key[len(prefix):]: value for key, value in found.items()}

    def metadata(self, key):
        return metadata_of(self.lib.rbd_pool_metadata_get, self.io, key)

    def set_metadata(self, key, value):
        check(self.lib.rbd_pool_metadata_set(self.io, key.encode(), value.encode()), "setting %s" % key)

    def remove_metadata(self, key):
        status = self.lib.rbd_pool_metadata_remove(self.io, key.encode())
        check(0 if status == -ENOENT else status, "removing %s" % key)


class Image:
    """An open image. Read-only ones do not watch it, so looking disturbs nobody."""

    def __init__(self, pool, name, read_only):
        self.pool, self.lib, self.name, self.handle = pool, pool.lib, name, ctypes.c_void_p()
        call = self.lib.rbd_open_read_only if read_only else self.lib.rbd_open
        check(call(pool.io, name.encode(), ctypes.byref(self.handle), None), "opening")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        if self.handle:
            self.lib.rbd_close(self.handle)
            self.handle = None

    def size(self):
        out = U64()
        check(self.lib.rbd_get_size(self.handle, ctypes.byref(out)), "asking the size")
        return out.value

    def id(self):
        """Which the names of its objects have in them."""
        text = ctypes.create_string_buffer(256)
        check(self.lib.rbd_get_id(self.handle, text, ctypes.c_size_t(256)), "asking its id")
        return text.value.decode()

    def pool_ids(self):
        """Of the pool that has the image, and of the one that has its data."""
        self.pool.c.lib.rados_ioctx_get_id.restype = self.lib.rbd_get_data_pool_id.restype = ctypes.c_int64
        return {self.pool.c.lib.rados_ioctx_get_id(self.pool.io), self.lib.rbd_get_data_pool_id(self.handle)}

    def resize(self, size, shrink=False):
        check(self.lib.rbd_resize2(self.handle, U64(size), ctypes.c_bool(shrink), NO_PROGRESS, None), "resizing")

    @staticmethod
    def _list(kind, call, count_type=ctypes.c_size_t):
        """A list whose size has to be guessed: again with what the call says when it was too small. The status is the
        number of items for snapshots, 0 for the others."""
        room = 64
        while True:
            items, count = (kind * room)(), count_type(room)
            status = call(items, ctypes.byref(count))
            if status == -ERANGE and count.value > room:
                room = count.value
                continue
            check(status, "listing")
            return items, status if count_type is ctypes.c_int else count.value

    def snapshots(self):
        """Map name -> size."""
        items, count = self._list(Snapshot, lambda a, n: self.lib.rbd_snap_list(self.handle, a, n), ctypes.c_int)
        names = {items[i].name.decode(): items[i].size for i in range(count)}
        if count:
            self.lib.rbd_snap_list_end(items)
        return names

    def snapshot(self, name):
        """Without asking watchers to be quiet first: no driver listens to that, and it takes as long as the
        snapshot."""
        check(self.lib.rbd_snap_create2(self.handle, name.encode(), ctypes.c_uint32(SKIP_QUIESCE), NO_PROGRESS, None),
              "snapshot %s" % name)

    def remove_snapshot(self, name):
        check(self.lib.rbd_snap_remove(self.handle, name.encode()), "deleting snapshot %s" % name)

    def rollback(self, name):
        check(self.lib.rbd_snap_rollback(self.handle, name.encode()), "going back to snapshot %s" % name)

    def children(self, snapshot=None):
        """Names of clones, of one snapshot or of all."""
        self.lib.rbd_snap_set(self.handle, snapshot.encode() if snapshot else None)
        items, count = self._list(Linked, lambda a, n: self.lib.rbd_list_children3(self.handle, a, n))
        names = ["%s/%s" % (items[i].pool.decode(), items[i].name.decode()) for i in range(count) if not items[i].trash]
        self.lib.rbd_linked_image_spec_list_cleanup(items, ctypes.c_size_t(count))
        self.lib.rbd_snap_set(self.handle, None)
        return sorted(names)

    def watchers(self):
        """Addresses of everybody who has it open for writing."""
        items, count = self._list(Watcher, lambda a, n: self.lib.rbd_watchers_list(self.handle, a, n))
        addresses = [items[i].address.decode() for i in range(count)]
        self.lib.rbd_watchers_list_cleanup(items, ctypes.c_size_t(count))
        return addresses

    def lockers(self):
        """List of (client, cookie, address) of who holds the exclusive lock: none or one."""
        texts = [ctypes.create_string_buffer(4096) for _ in range(4)]
        sizes = [ctypes.c_size_t(4096) for _ in range(4)]
        arguments = [a for text, size in zip(texts, sizes) for a in (text, ctypes.byref(size))]
        count = check(self.lib.rbd_list_lockers(self.handle, ctypes.byref(ctypes.c_int()), *arguments),
                      "asking who holds the lock")
        # The first text is the lock's tag, the others are `count` strings with a NUL after each.
        columns = [t.raw[:s.value].decode(errors="replace").split("\0")[:count] for t, s in list(zip(texts, sizes))[1:]]
        return list(zip(*columns))

    def lock(self):
        check(self.lib.rbd_lock_acquire(self.handle, LOCK_EXCLUSIVE), "taking the lock")

    def metadata(self, key):
        return metadata_of(self.lib.rbd_metadata_get, self.handle, key)

    def set_metadata(self, key, value):
        check(self.lib.rbd_metadata_set(self.handle, key.encode(), value.encode()), "setting %s" % key)

    def remove_metadata(self, key):
        status = self.lib.rbd_metadata_remove(self.handle, key.encode())
        check(0 if status == -ENOENT else status, "removing %s" % key)

    def all_metadata(self, prefix):
        """Map key -> value, of the image's metadata whose keys begin with `prefix`."""
        return pages(lambda start, *room: self.lib.rbd_metadata_list(self.handle, start, U64(256), *room), prefix,
                     "listing metadata")

    def fence(self, clients=(), ended=False):
        """Cuts off everybody who has the image open, and `clients`, addresses of who had it and may only be asleep:
        without a lock and with a watch that has run out they are seen nowhere. Not one byte of theirs arrives after
        this returns. `ended`: their processes are known to have ended. The blocklist first, because it is what holds
        against one who was only asleep; the lock after it, so that the next writer does not wait for it. The monitors
        answer when the map is made, and whoever opens the image later has that map and brings it to every OSD that it
        writes to."""
        lockers, errors = self.lockers(), []
        addresses = sorted(set([a for _, _, a in lockers] + self.watchers() + list(clients)))
        if not addresses:
            return

        def block(address):
            try:
                self.pool.c.mon({"prefix": "osd blocklist", "blocklistop": "add", "addr": address,
                                 "expire": ENDED_SECONDS if ended else FENCE_SECONDS})
            except Failure as e:
                errors.append(e)

        say("%s/%s: fencing %s" % (self.pool.name, self.name, " ".join(addresses)))
        # The monitors gather changes, for a second by default: one round is as good for many.
        threads = [threading.Thread(target=block, args=(a,)) for a in addresses[1:]]
        for t in threads:
            t.start()
        block(addresses[0])
        for t in threads:
            t.join()
        if errors:
            raise errors[0]
        check(self.pool.c.lib.rados_wait_for_latest_osdmap(self.pool.c.handle), "waiting for the blocklist")
        for client, cookie, _ in lockers:
            status = self.lib.rbd_break_lock(self.handle, client.encode(), cookie.encode())
            check(0 if status == -ENOENT else status, "breaking the lock of %s" % client)

    def others(self, seconds, most=0):
        """Addresses of other users when there are more than `most` for so long. A tool that has it open for an instant
        does not count."""
        end = time.monotonic() + seconds
        while True:
            watchers = self.watchers()
            if len(watchers) <= most or time.monotonic() >= end:
                return watchers if len(watchers) > most else []
            time.sleep(0.1)
