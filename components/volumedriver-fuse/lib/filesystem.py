# SPDX-License-Identifier: MIT
"""A file system inside a volume's file: ext4 of the kernel on a loop device. The mount is made in the folder that the host
shares, so the host and its Docker see it. Loop devices are opened by number: the container's /dev has none of its own."""

import contextlib
import ctypes
import errno
import fcntl
import os
import stat
import struct
import subprocess

EXPORT = "/export"
MOUNTS = EXPORT + "/.docker"
CONTROL, CONTROL_DEVICE = "/dev/loop-control", (10, 237)
LOOP_MAJOR = 7
LOOP_CTL_GET_FREE, LOOP_CONFIGURE = 0x4C82, 0x4C0A
AUTOCLEAR, DIRECT_IO = 4, 16
TRIES = 20
MNT_DETACH = 2
BLANK = 1 << 20
LOOK_MAX = 64 << 20
GAIN = 1 << 20
SUPER, MAGIC = 1024 + 56, b"\x53\xef"


class Unfit(Exception):
    """The volume cannot be mounted; the text says why."""


def libc():
    return ctypes.CDLL(None, use_errno=True)


def node(path, kind, device):
    if not os.path.exists(path):
        try:
            os.mknod(path, kind | 0o600, os.makedev(*device))
        except FileExistsError:
            pass
    return path


def attach(path):
    """A loop device on the file, gone by itself when nobody has it open any more. Returns (its path, a descriptor)."""
    config = struct.Struct("<II 5Q 4I 64s 64s 32s 2Q 8Q")
    try:
        control = os.open(node(CONTROL, stat.S_IFCHR, CONTROL_DEVICE), os.O_RDWR | os.O_CLOEXEC)
    except OSError as e:
        raise Unfit("the host has no loop devices (module loop): %s" % e) from None
    file = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    try:
        for _ in range(TRIES):
            number = fcntl.ioctl(control, LOOP_CTL_GET_FREE)
            name = node("/dev/loop%d" % number, stat.S_IFBLK, (LOOP_MAJOR, number))
            device = os.open(name, os.O_RDWR | os.O_CLOEXEC)
            flags = AUTOCLEAR | DIRECT_IO
            request = config.pack(file, 0, 0, 0, 0, 0, 0, 0, 0, 0, flags, os.path.basename(path).encode()[:63], b"", b"", 0, 0, *[0] * 8)
            try:
                fcntl.ioctl(device, LOOP_CONFIGURE, request)
                return name, device
            except OSError as e:
                os.close(device)
                if e.errno != errno.EBUSY:  # somebody else was faster
                    raise
        raise Unfit("no loop device is free")
    finally:
        os.close(file)
        os.close(control)


def look(device):
    """"ext4", "blank", or "other"."""
    head = os.pread(device, BLANK, 0)
    if head[SUPER:SUPER + 2] == MAGIC:
        return "ext4"
    return "other" if head.strip(b"\0") else "blank"


def is_empty(file):
    """No data anywhere. What the storage has is read, up to 64 MiB of it: more is something."""
    looked = at = 0
    with open(file, "rb", buffering=0) as f:
        while True:
            try:
                at = os.lseek(f.fileno(), at, os.SEEK_DATA)
            except OSError as e:
                if e.errno == errno.ENXIO:
                    return True
                raise
            end = os.lseek(f.fileno(), at, os.SEEK_HOLE)
            looked += end - at
            if looked > LOOK_MAX:
                return False
            while at < end:
                piece = os.pread(f.fileno(), min(BLANK, end - at), at)
                if not piece or piece.strip(b"\0"):
                    return False
                at += len(piece)


def run(*argv, good=(0,)):
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=100)
    if done.returncode not in good:
        words = "; ".join(done.stdout.decode(errors="replace").split("\n")).strip("; ")
        raise Unfit("%s: %s" % (argv[0], words[-400:] or "status %d" % done.returncode))


def where(name):
    return os.path.join(MOUNTS, name)


def mounted():
    """Map name of a volume -> its device, of what is mounted now."""
    found = {}
    with open("/proc/mounts") as f:
        for line in f:
            device, path, kind = line.split()[:3]
            if kind == "ext4" and os.path.dirname(path) == MOUNTS:
                found[os.path.basename(path)] = device
    return found


def mount(name, mark):
    """Formats the volume when it is blank, or when its mark says that formatting it was begun and not ended; never when it
    holds anything else. mark: is_set(), set(), clear(). It is cleared before anybody can write to the file system."""
    os.makedirs(where(name), mode=0o700, exist_ok=True)
    device, held = attach(os.path.join(EXPORT, name))
    try:
        kind = look(held)
        if kind == "blank" and not is_empty(os.path.join(EXPORT, name)):
            kind = "other"
        if kind != "blank" and mark.is_set():
            print("volume %s: formatting it was interrupted, and begins anew" % name, flush=True)
            kind = "blank"
        if kind == "other":
            raise Unfit("it holds something that is no ext4 file system, and is left alone")
        if kind == "blank":
            mark.set()
            run("mke2fs", "-q", "-t", "ext4", "-F", "-m", "0", "-E", "nodiscard,lazy_itable_init=1,lazy_journal_init=1", device)
            os.fsync(held)
            mark.clear()
        else:
            grow(name, device, held)
        library = libc()
        if library.mount(device.encode(), where(name).encode(), b"ext4", 0, b"") != 0:
            code = ctypes.get_errno()
            raise Unfit("mounting it: %s" % os.strerror(code))
        if kind == "blank":
            # With something in it, Docker would not copy there what the image has at that place.
            with contextlib.suppress(OSError):
                os.rmdir(os.path.join(where(name), "lost+found"))
    except BaseException:
        remove_folder(name)
        raise
    finally:
        os.close(held)


def size_of(device):
    """(bytes of the device, bytes of the file system on it)"""
    head = os.pread(device, 2048, 0)
    blocks, log_size = struct.unpack_from("<I", head, 1024 + 4)[0], struct.unpack_from("<I", head, 1024 + 24)[0]
    blocks |= struct.unpack_from("<I", head, 1024 + 0x150)[0] << 32
    return os.lseek(device, 0, os.SEEK_END), blocks << (10 + log_size)


def grow(name, device, held):
    """To the size of the volume. Before it is mounted: the kernel lets a mounted one grow only by those who may exceed all
    limits (SYS_RESOURCE), which many a host gives no container."""
    there, has = size_of(held)
    if there - has < GAIN:
        return
    try:
        run("e2fsck", "-f", "-p", device, good=(0, 1))
        run("resize2fs", device)
        print("volume %s: its file system has %d bytes now" % (name, there), flush=True)
    except Unfit as e:  # it is usable as it is
        print("volume %s: %s" % (name, e), flush=True)


def remove_folder(name):
    try:
        os.rmdir(where(name))
    except OSError:
        pass


def sync(name):
    try:
        held = os.open(where(name), os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        return
    libc().syncfs(held)
    os.close(held)


def unmount(name, lazily=False, unsynced=False):
    """Here and on the host. Containers that still have it keep what they have."""
    while name in mounted():
        if not unsynced:
            sync(name)
        if libc().umount2(where(name).encode(), MNT_DETACH if lazily else 0) != 0:
            raise Unfit("unmounting it: %s" % os.strerror(ctypes.get_errno()))
    remove_folder(name)


def unmount_all():
    for name in mounted():
        unmount(name, lazily=True)
    try:
        os.rmdir(MOUNTS)
    except OSError:
        pass
