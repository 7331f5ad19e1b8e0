# SPDX-License-Identifier: MIT
"""A file system inside a volume's file: ext4 of the kernel on a loop device. The mount is made in the folder that the
host shares, so the host and its Docker see it, by the one process of this container that may (mounts.py). Until then
the file is all that is needed."""

import contextlib
import ctypes
import errno
import os
import struct
import subprocess

import mounts

EXPORT = "/export"
MOUNTS = EXPORT + "/.docker"
BLANK = 1 << 20
LOOK_MAX = 64 << 20
GAIN = 1 << 20
SUPER, MAGIC = 1024 + 56, b"\x53\xef"


class Unfit(Exception):
    """The volume cannot be mounted; the text says why."""


def libc():
    return ctypes.CDLL(None, use_errno=True)


def look(held):
    """"ext4", "blank", or "other"."""
    head = os.pread(held, BLANK, 0)
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
    """Names of the volumes whose file systems are mounted now."""
    with open("/proc/mounts") as f:
        mounts_now = [line.split()[1:3] for line in f]
    return {os.path.basename(path) for path, kind in mounts_now if kind == "ext4" and os.path.dirname(path) == MOUNTS}


def mount(name, mark):
    """Formats the volume when it is blank, or when its mark says that formatting it was begun and not ended; never when
    it holds anything else. mark: is_set(), set(), clear(). It is cleared before anybody can write to the file
    system."""
    os.makedirs(MOUNTS, exist_ok=True)
    os.chmod(MOUNTS, 0o700)  # what containers write, with any owner and mode, is for the host's root and for Docker
    os.makedirs(where(name), exist_ok=True)
    path = os.path.join(EXPORT, name)
    held = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    try:
        kind = look(held)
        if kind == "blank" and not is_empty(path):
            kind = "other"
        if kind != "blank" and mark.is_set():
            print("volume %s: formatting it was interrupted, and starts again" % name, flush=True)
            kind = "blank"
        if kind == "other":
            raise Unfit("it holds something that is not an ext4 file system, and is left alone")
        if kind == "blank":
            mark.set()
            run("mke2fs", "-q", "-t", "ext4", "-F", "-m", "0", "-E", "nodiscard,lazy_itable_init=1,lazy_journal_init=1",
                path)
            os.fsync(held)
            mark.clear()
        else:
            grow(name, path, held)
        os.fsync(held)
        code = mounts.ask("ext4", name)
        if code:
            raise Unfit("mounting it: %s" % os.strerror(code))
        # With something in it, Docker would not copy there what the image has at that place. Whoever repairs or
        # enlarges the file system makes it again; with something in it, it stays.
        with contextlib.suppress(OSError):
            os.rmdir(os.path.join(where(name), "lost+found"))
    except BaseException:
        remove_folder(name)
        raise
    finally:
        os.close(held)


def size_of(held):
    """(bytes of the file, bytes of the file system in it)"""
    head = os.pread(held, 2048, 0)
    blocks, log_size = struct.unpack_from("<I", head, 1024 + 4)[0], struct.unpack_from("<I", head, 1024 + 24)[0]
    blocks |= struct.unpack_from("<I", head, 1024 + 0x150)[0] << 32
    return os.lseek(held, 0, os.SEEK_END), blocks << (10 + log_size)


def grow(name, path, held):
    """To the size of the volume. Before it is mounted: the kernel lets a mounted one grow only by those who may exceed
    all limits (SYS_RESOURCE), which many a host gives no container."""
    there, has = size_of(held)
    if there - has < GAIN:
        return
    try:
        run("e2fsck", "-f", "-p", path, good=(0, 1))
        run("resize2fs", path)
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
        code = mounts.ask("leave", name, "l" if lazily else "")
        if code:
            raise Unfit("unmounting it: %s" % os.strerror(code))
    remove_folder(name)


def unmount_all():
    for name in mounted():
        unmount(name, lazily=True)
    try:
        os.rmdir(MOUNTS)
    except OSError:
        pass
