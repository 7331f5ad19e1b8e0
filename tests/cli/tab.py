#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What a shell makes of a line and TAB, on a real terminal: tab.py bash|zsh LINE...

Prints each line as the shell completed it, between < and >. The shell is asked to echo it, so that nothing depends on
how long it takes.
"""
import os
import pty
import re
import select
import sys
import time

SHELLS = {
    "bash": (["bash", "--norc", "--noprofile", "-i"],
             "bind 'set enable-bracketed-paste off'; PS1=; source <(slipway completion bash)"),
    "zsh": (["zsh", "-f", "-i"], "unsetopt zle_bracketed_paste prompt_sp; PS1=; autoload -U compinit; compinit -u -D; "
            "source <(slipway completion zsh)"),
}
DEADLINE = 60


def wait_for(fd, pattern):
    end, text = time.monotonic() + DEADLINE, ""
    while time.monotonic() < end:
        if not select.select([fd], [], [], 1)[0]:
            continue
        try:
            text += os.read(fd, 65536).decode(errors="replace")
        except OSError:
            break
        found = re.search(pattern, text)
        if found:
            return found.group(1)
    sys.exit("no answer from the shell: %r" % text[-500:])


def main():
    argv, setup = SHELLS[sys.argv[1]]
    pid, fd = pty.fork()
    if pid == 0:
        os.environ.update(TERM="dumb", COLUMNS="400", HISTFILE="")
        os.execvp(argv[0], argv)
    os.write(fd, (setup + "; echo '<'ready'>'\n").encode())
    wait_for(fd, r"<(ready)>")
    for line in sys.argv[2:]:
        # TAB, then to the begin of the line: echo '<...>'
        os.write(fd, line.encode() + b"\t\x01echo '(''\x05'')'\n")
        print("<%s>" % wait_for(fd, r"[\r\n]\(([^'\r\n]*)\)\r"))
    os.close(fd)
    os.waitpid(pid, 0)


main()
