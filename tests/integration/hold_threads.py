#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""hold_threads.py TID...: stops these threads of a process, and no other of it, until standard input ends. "held" on
stdout says that they stand. By ptrace, as root."""

import ctypes
import os
import sys

SEIZE, INTERRUPT, DETACH, WALL = 0x4206, 0x4207, 17, 0x40000000
libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]


def ptrace(request, tid):
    if libc.ptrace(request, tid, None, None) == -1:
        code = ctypes.get_errno()
        raise OSError(code, "ptrace of thread %d: %s" % (tid, os.strerror(code)))


tids = [int(word) for word in sys.argv[1:]]
for tid in tids:
    ptrace(SEIZE, tid)
    ptrace(INTERRUPT, tid)
    os.waitpid(tid, WALL)
print("held", flush=True)
sys.stdin.read()
for tid in tids:
    ptrace(DETACH, tid)
