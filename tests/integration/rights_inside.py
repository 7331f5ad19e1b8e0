# SPDX-License-Identifier: MIT
"""Run as root inside a container of a component, as one of its daemons: every way that is known from there to the host.
Prints "refused: WAY" or "POSSIBLE: WAY" for each, and ends with the number of those that are."""

import array
import ctypes
import glob
import os
import socket
import stat
import struct

libc = ctypes.CDLL(None, use_errno=True)
SYS_ADMIN, MKNOD = 21, 27
NEWNS, NEWUSER, NEWPID, NEWNET, NEWCGROUP = 0x20000, 0x10000000, 0x20000000, 0x40000000, 0x2000000
BIND, REMOUNT = 4096, 32
PTRACE_ATTACH, O_PATH = 16, 0o10000000
EXPORT = "/export"
possible = 0


def way(name, action):
    """Refused is an OSError, or False."""
    global possible
    pid = os.fork()
    if pid == 0:
        try:
            good = action()
        except (OSError, ValueError):
            good = False
        os._exit(1 if good is not False else 0)
    reached = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) != 0
    possible += reached
    print("%s: %s" % ("POSSIBLE" if reached else "refused", name), flush=True)


def call(function, *arguments):
    if function(*arguments) < 0:
        raise OSError(ctypes.get_errno(), function.__name__)


def mount(source, target, kind, flags=0):
    return lambda: call(libc.mount, source, target, kind, flags, None)


def writes(path):
    def action():
        with open(path, "r+b", buffering=0) as f:
            data = f.read(4096)
            f.seek(0)
            f.write(data)
    return action


def device(kind, major, minor):
    def action():
        path = "/dev/rights-inside"
        os.mknod(path, kind | 0o600, os.makedev(major, minor))
        try:
            os.close(os.open(path, os.O_RDONLY | os.O_NONBLOCK))
        finally:
            os.unlink(path)
    return action


def permitted(pid):
    with open("/proc/%s/status" % pid) as f:
        return int(next(line for line in f if line.startswith("CapPrm")).split()[1], 16)


def capable(pid):
    try:
        return permitted(pid) & (1 << SYS_ADMIN)
    except (OSError, StopIteration):
        return 0


def raise_capability():
    head, data = struct.pack("<Ii", 0x20080522, 0), struct.pack("<6I", *[0xFFFFFFFF] * 6)
    call(libc.capset, head, data)


def after_exec():
    """An execve by root may not bring it back."""
    out, into = os.pipe()
    if os.fork() == 0:
        os.dup2(into, 1)
        os.execv("/bin/cat", ["cat", "/proc/self/status"])
    os.close(into)
    text = b""
    while piece := os.read(out, 65536):
        text += piece
    lines = (line.partition(":\t") for line in text.decode().split("\n"))
    found = {word: int(value, 16) for word, _, value in lines if word.startswith("Cap")}
    return bool((found["CapPrm"] | found["CapEff"]) & (1 << SYS_ADMIN | 1 << MKNOD))


def ask(request, fd=None):
    """True when the process that mounts does it."""
    def action():
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as s:
            s.settimeout(10)
            s.connect("/run/slipway-mount")
            control = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [fd]))] if fd is not None else []
            s.sendmsg([request.encode()], control)
            return s.recv(16) == b"0"
    return action


def is_there(path):
    return lambda: os.path.lexists(path)


def helper(helpers):
    """Where a process may mount, it is not to be had, and does nothing else."""
    for path in ("/usr/lib/slipway/slipway-init", "/usr/lib/slipway/slipway-agent",
                 "/usr/lib/slipway/component/lib/serve", "/etc/passwd"):
        way("write to %s" % path, writes(path))
    way("put another program in place of init", lambda: os.rename("/bin/true", "/usr/lib/slipway/slipway-init"))
    for pid in helpers:
        way("trace the one that has it", lambda pid=pid: call(libc.ptrace, PTRACE_ATTACH, int(pid), 0, 0))
        way("mem of the one that has it", lambda pid=pid: os.close(os.open("/proc/%s/mem" % pid, os.O_RDWR)))
        for part in ("root/etc/passwd", "fd/3", "cwd/etc"):
            way("%s of the one that has it" % part, lambda pid=pid, part=part: os.stat("/proc/%s/%s" % (pid, part)))
    fuse, null = os.open("/dev/fuse", os.O_RDWR), os.open("/dev/null", os.O_RDWR)
    trap, place = EXPORT + "/rights-link", EXPORT + "/rights-file"
    os.symlink("/etc/passwd", trap)
    os.close(os.open(place, os.O_CREAT | os.O_WRONLY, 0o600))
    try:
        for name in ("/etc/passwd", "../etc/passwd", "..", ".", ".docker", "a/b", "rights-link", "rights-none", ""):
            way("FUSE on %s" % (name or "nothing"), ask("fuse %s allow_other" % name, fuse))
        way("FUSE by another device", ask("fuse rights-file allow_other", null))
        way("FUSE by no device", ask("fuse rights-file allow_other"))
        for name in ("rights-file", "rights-link", "../../dev/loop0"):
            way("a file system in %s" % name, ask("ext4 %s " % name))
        for name in ("../proc", "/proc/sys", ".."):
            way("unmount %s by the helper" % name, ask("unmount %s l" % name))
            way("leave %s by the helper" % name, ask("leave %s l" % name))
        way("a verb that it does not have", ask("bind rights-file /"))
    finally:
        os.unlink(trap)
        os.unlink(place)


def main():
    for kind in ("tmpfs", "proc", "sysfs", "cgroup", "cgroup2", "devtmpfs"):
        way("mount %s" % kind, mount(b"x", b"/tmp", kind.encode()))
    way("bind / elsewhere", mount(b"/", b"/tmp", None, BIND))
    way("make /proc/sys writable", mount(None, b"/proc/sys", None, BIND | REMOUNT))
    way("make / writable", mount(None, b"/", None, REMOUNT))
    way("unmount /proc/sys", lambda: call(libc.umount2, b"/proc/sys", 2))
    way("fsopen", lambda: call(libc.syscall, ctypes.c_long(430), b"tmpfs", 0))
    way("open_tree", lambda: call(libc.syscall, ctypes.c_long(428), -100, b"/", 1))
    for name, flag in (("mount", NEWNS), ("user", NEWUSER), ("pid", NEWPID), ("network", NEWNET),
                       ("cgroup", NEWCGROUP)):
        way("unshare the %s namespace" % name, lambda flag=flag: call(libc.unshare, flag))
        if os.uname().machine == "x86_64":  # the flags are the first argument
            way("clone into a %s namespace" % name, lambda flag=flag: os._exit(1) if libc.syscall(
                ctypes.c_long(56), ctypes.c_ulong(flag | 17), 0, 0, 0, 0) >= 0 else False)
    way("enter the mount namespace of process 1",
        lambda: call(libc.setns, os.open("/proc/1/ns/mnt", os.O_RDONLY), 0))
    for path in ["/proc/sys/kernel/core_pattern", "/proc/sys/kernel/modprobe", "/proc/sys/fs/binfmt_misc/register",
                 "/proc/sysrq-trigger", "/sys/kernel/uevent_helper", "/sys/module/loop/parameters/max_loop",
                 *glob.glob("/sys/fs/cgroup/*/release_agent"), *glob.glob("/sys/fs/cgroup/*/notify_on_release")]:
        way("write to %s" % path, writes(path))
    for name, kind, number in (("loop 0", stat.S_IFBLK, (7, 0)), ("loop control", stat.S_IFCHR, (10, 237)),
                               ("sda", stat.S_IFBLK, (8, 0)), ("vda", stat.S_IFBLK, (254, 0)),
                               ("memory", stat.S_IFCHR, (1, 1)), ("kmsg", stat.S_IFCHR, (1, 11))):
        way("make and open the device %s" % name, device(kind, *number))
    for path in sorted(path for kind in ("loop", "sd", "vd", "nvme") for path in glob.glob("/dev/%s*" % kind)):
        way("device %s" % path, is_there(path))
    way("take the capability", raise_capability)
    way("get it by execve", after_exec)
    helpers = [pid for pid in os.listdir("/proc") if pid.isdigit() and capable(pid)]
    print("found: %d with the capability" % len(helpers), flush=True)
    if os.path.exists("/run/slipway-mount"):
        helper(helpers)
    way("Docker's plugins", is_there("/plugins"))
    way("Docker's socket", lambda: is_there("/run/docker.sock")() or is_there("/var/run/docker.sock")())
    print("%d possible" % possible)


main()
