# SPDX-License-Identifier: MIT
"""Containers that have a volume of the environment as Docker's: each counts in a file, which says whose it is, and what
it finds must be the last count that was flushed, or the one after it that was under way. Nothing, or another one's
file, is a stand-in."""

import os
import subprocess
import tempfile
import time

TOOLS = ("sh", "cat", "mv", "sync", "sleep")
COUNT = """printf '%s' "$1 $n" >/data/new && sync /data/new && mv /data/new /data/count && sync /data"""
FOUND = """echo "found $(cat /data/count 2>/dev/null || echo nothing)" """
ONCE = FOUND + "; n=$2; " + COUNT + " && echo counted $n"
LOOP = FOUND + """; set -- $(cat /data/count 2>/dev/null || echo "$1 0"); n=$2
while :; do n=$((n + 1)); echo begun $n; if """ + COUNT + "; then echo counted $n; fi; sleep 0.2; done"


class Counter:
    def __init__(self):
        self.least, self.most, self.lines, self.kept = 0, 0, 0, False
        self.doubtful = False  # whether a container of it may still start


class Containers:
    def __init__(self, world, docker):
        """docker: runs a command of it; world.py."""
        self.world, self.docker = world, docker
        self.image = world.prefix + ":tools"
        self.counters = {}
        with tempfile.TemporaryDirectory() as root:
            for folder in ("data", "tmp"):
                os.mkdir(os.path.join(root, folder))
            for tool in TOOLS:
                path = subprocess.check_output(["sh", "-c", "command -v " + tool], text=True).strip()
                libraries = subprocess.check_output(["ldd", path], text=True).split()
                subprocess.check_call(["cp", "-Lu", "--parents", "-t", root, path,
                                       *[w for w in libraries if w.startswith("/")]])
            tar = subprocess.Popen(["tar", "-C", root, "-c", "."], stdout=subprocess.PIPE)
            subprocess.check_call(["docker", "import", "-", self.image], stdin=tar.stdout, stdout=subprocess.DEVNULL)
            tar.wait()

    def name(self, e, d):
        return "%s-%d-%s-%s" % (self.world.prefix, self.world.run, e, d)

    def driver(self, e):
        return "slipway-" + self.world.env(e)

    def whose(self, e, d):
        return "%s/%s" % (self.world.env(e), self.name(e, d))

    def begin(self, e):
        for d in self.world.shape[e]["docker"]:
            self.counters[e, d] = Counter()
            status, _, err = self.docker("volume", "create", "-d", self.driver(e), "-o", "size=64M", self.name(e, d))
            if status != 0:
                raise SystemExit("drill: docker volume create: %s" % err)

    def end(self, e):
        for d in self.world.shape[e]["docker"]:
            self.docker("rm", "-f", self.name(e, d) + "-keeper", self.name(e, d) + "-user")
            self.docker("volume", "rm", "-f", self.name(e, d))

    def look(self, e, d):
        """That Docker's volume of this name is still the environment's."""
        status, out, _ = self.docker("volume", "inspect", "-f", "{{.Driver}}", self.name(e, d))
        if status == 0 and out.strip() != self.driver(e):
            self.world.fault("%s: Docker's volume %s is of the driver %s" % (e, self.name(e, d), out.strip()))

    def hear(self, e, d, lines):
        """What a container printed."""
        c = self.counters[e, d]
        for line in lines:
            word, _, rest = line.partition(" ")
            if word == "found":
                whose, _, count = rest.rpartition(" ")
                good = rest == "nothing" and c.least == 0 or \
                    whose == self.whose(e, d) and count.isdigit() and c.least <= int(count) <= c.most
                if not good:
                    self.world.fault("%s: a container of %s found %r; counts %d to %d of %s were expected" %
                                     (e, self.name(e, d), rest, c.least, c.most, self.whose(e, d)))
                elif rest != "nothing":
                    c.least = c.most = int(count)
            elif word == "begun":
                c.most = int(rest)
            elif word == "counted":
                c.least = c.most = int(rest)

    def gather(self, e, d):
        """The news of the container that stays."""
        c = self.counters[e, d]
        if c.kept:
            _, out, _ = self.docker("logs", self.name(e, d) + "-keeper")
            lines = out.split("\n")[:-1]
            self.hear(e, d, lines[c.lines:])
            c.lines = len(lines)

    def away(self, e, d, seconds=60):
        """Neither of the two containers is there any more; false while Docker does not answer, and then nobody may
        count: one that starts late would count again what others counted meanwhile."""
        c = self.counters[e, d]
        names = [self.name(e, d) + "-keeper", self.name(e, d) + "-user"]
        c.doubtful = any(self.docker("rm", "-f", n, seconds=seconds)[0] is None for n in names)
        return not c.doubtful

    def start(self, e, d, name, *command, attach=(), seconds=25):
        """Two steps, so that what was not made in time never starts."""
        status, out, err = self.docker("create", "--name", name, "--network", "none", "-v", self.name(e, d) + ":/data",
                                       self.image, "sh", "-c", *command, seconds=seconds)
        if status == 0:
            status, out, err = self.docker("start", *attach, name, seconds=seconds)
        return status, out, err

    def use(self, e, d, seconds=25):
        c = self.counters[e, d]
        if c.kept or (c.doubtful and not self.away(e, d)):
            return "somebody has it"
        count = c.most + 1
        status, out, err = self.start(e, d, self.name(e, d) + "-user", ONCE, "sh", self.whose(e, d), str(count),
                                      attach=["-a"], seconds=seconds)
        lines = out.split("\n")[:-1] if "found" in out else []
        self.hear(e, d, lines[:1])
        c.most = max(c.most, count)
        self.hear(e, d, lines[1:])
        self.away(e, d)
        self.look(e, d)
        return "counted" if status == 0 else "status %s: %s" % (status, err.strip()[-200:])

    def keep(self, e, d):
        c = self.counters[e, d]
        if c.kept or (c.doubtful and not self.away(e, d)):
            return "somebody has it"
        c.kept, c.lines = True, 0
        status, _, err = self.start(e, d, self.name(e, d) + "-keeper", LOOP, "sh", self.whose(e, d))
        self.look(e, d)
        return "done" if status == 0 else "status %s: %s" % (status, err.strip()[-200:])

    def bounce(self, e, d):
        if not self.counters[e, d].kept:
            return "nobody has it"
        status, _, err = self.docker("restart", "-t", "1", self.name(e, d) + "-keeper", seconds=40)
        self.gather(e, d)
        self.look(e, d)
        return "done" if status == 0 else "status %s: %s" % (status, err.strip()[-200:])

    def leave(self, e, d):
        c = self.counters[e, d]
        if not c.kept:
            return "nobody has it"
        self.docker("kill", self.name(e, d) + "-keeper")
        self.gather(e, d)
        self.away(e, d)
        c.kept = False
        return "done, count %d" % c.least

    def settled(self, e):
        """Each volume is used once; what it holds is compared."""
        wrong = []
        for d in self.world.shape[e]["docker"]:
            self.leave(e, d)
            end = time.monotonic() + 180
            while True:
                outcome = self.use(e, d, 90) if self.away(e, d, 120) else "Docker does not remove its containers"
                if outcome == "counted" or time.monotonic() > end:
                    break
                time.sleep(1)
            if outcome != "counted":
                wrong.append("Docker's volume %s cannot be used: %s" % (self.name(e, d), outcome))
        return wrong
