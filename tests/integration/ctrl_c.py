#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs a command as a terminal or a script would, and presses Ctrl-C for it.

usage: ctrl_c.py tty|pipe OUTPUT COMMAND...

`tty`: the command has a terminal of its own, where SIGUSR1 to this program types Ctrl-C; `pipe`: SIGUSR1 sends SIGINT
to its process group. What it prints goes to OUTPUT; its exit status is this program's (128 + N for signal N).
OUTPUT.pid has its process id, OUTPUT.presses how many Ctrl-C have arrived there.
"""
import os
import pty
import select
import signal
import sys

kind, output, command = sys.argv[1], sys.argv[2], sys.argv[3:]
presses = 0


def press(_signal, _frame):
    global presses
    presses += 1


def run_command():
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    os.environ["TERM"] = "xterm"
    os.execvp(command[0], command)


def start():
    if kind == "tty":
        pid, master = pty.fork()
        if pid == 0:
            run_command()
        return pid, master
    read_end, write_end = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.setsid()
        os.dup2(os.open("/dev/null", os.O_RDONLY), 0)
        os.dup2(write_end, 1)
        os.dup2(write_end, 2)
        run_command()
    os.close(write_end)
    return pid, read_end


def arrived():
    """Two of them that wait at the same time are one."""
    with open("/proc/%d/status" % child, encoding="ascii") as status:
        masks = [int(line.split()[1], 16) for line in status if line.startswith(("SigPnd", "ShdPnd"))]
    return not any(mask & 1 << signal.SIGINT - 1 for mask in masks)


def note(count):
    with open(output + ".presses.new", "w", encoding="ascii") as file:
        file.write(str(count))
    os.rename(output + ".presses.new", output + ".presses")


signal.signal(signal.SIGUSR1, press)
child, end = start()
with open(output + ".pid", "w", encoding="ascii") as file:
    file.write(str(child))
done = noted = 0
with open(output, "wb", buffering=0) as file:
    while True:
        while done < presses:
            done += 1
            if kind == "tty":
                os.write(end, b"\x03")
            else:
                os.kill(-child, signal.SIGINT)
        there = select.select([end], [], [], 0.05)[0]
        if noted < done and arrived():
            noted = done
            note(noted)
        if not there:
            continue
        try:
            data = os.read(end, 65536)
        except OSError:
            break  # a terminal whose last program is gone
        if not data:
            break
        file.write(data)
status = os.waitpid(child, 0)[1]
sys.exit(os.waitstatus_to_exitcode(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status))
