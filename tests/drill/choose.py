# SPDX-License-Identifier: MIT
"""Which actions a seed stands for: lines without end, the same for the same seed whatever becomes of them.

A round is one to three motifs, mixed with each other, and `settle`. A motif is what happens to somebody: a driver
sleeps while its volume is taken over, is cut off, dies; a command is killed. Where each volume ought to be is
predicted, so that the next motif has something to act on."""

import random

OTHERS = ("etcd", "ceph-mon", "ceph-mgr", "ceph-osd")
# How often, and which function makes it; `Choice.motif`.
MOTIFS = {"sleeper": 5, "lonely": 3, "dead": 3, "forced": 2, "moved": 2, "killed_command": 2, "no_etcd": 2,
          "storage": 2, "containers": 4, "stale": 1, "upkeep": 2, "refused": 2}


class Choice:
    def __init__(self, seed, shape):
        """shape: {environment: {"instances": [...], "volumes": {volume: driver}, "docker": [volume]}}."""
        self.random = random.Random(seed)
        self.shape = shape
        self.holder = {(e, v): d for e, s in shape.items() for v, d in s["volumes"].items()}

    def wait(self, most):
        return "wait %.1f" % self.random.uniform(0.1, most)

    def one(self, environment, *components):
        """An instance of one of these components."""
        return self.random.choice([i for i in self.shape[environment]["instances"]
                                   if i.rsplit("-", 1)[0] in components])

    def volume(self):
        """An environment, one of its volumes, who has it, and somebody else who serves volumes."""
        e = self.random.choice(sorted(self.shape))
        v = self.random.choice(sorted(self.shape[e]["volumes"]))
        has = self.holder[e, v]
        to = self.random.choice([i for i in self.shape[e]["instances"] if i.startswith("volumedriver-") and i != has])
        return e, v, has, to

    def goes(self, e, v, to):
        self.holder[e, v] = to

    def taken(self, e, v, to):
        """Somebody else gets it, although its driver does not answer: without that, by force only."""
        self.goes(e, v, to)
        if self.random.random() < 0.25:
            return ["detach %s %s plain" % (e, v), "attach %s %s %s" % (e, v, to), "takeover %s %s %s" % (e, v, to)]
        return ["takeover %s %s %s" % (e, v, to)]

    # A motif is a list of lists of lines: another one may come between the lists.

    def sleeper(self):
        e, v, has, to = self.volume()
        quiet = has == "volumedriver-fuse-1"  # all of this machine's Docker waits for it
        before = []
        if self.random.random() < 0.4:  # its client has only read, so its driver has no lock, and later no watch either
            before = ["quiet %s %s" % (e, v), "handover %s %s %s" % (e, v, to)]
            has, to = to, has
            quiet = has == "volumedriver-fuse-1"
        lines = ["pause %s %s" % (e, has)] + (["loud %s %s" % (e, v)] if before else [])
        lines.append("wait 34" if self.random.random() < 0.2 and not quiet else self.wait(2))
        parts = [before + lines, self.taken(e, v, to), [self.wait(2), "resume %s %s" % (e, has)]]
        return [sum(parts, [])] if quiet else parts

    def lonely(self):
        e, v, has, to = self.volume()
        out, back = self.random.choice([("unplug", "plug"), ("disconnect", "connect")])
        return [["%s %s %s" % (out, e, has), self.wait(3)], self.taken(e, v, to),
                [self.wait(2), "%s %s %s" % (back, e, has)]]

    def dead(self):
        e, v, has, to = self.volume()
        how = self.random.choice(["kill", "kill9", "kill9", "restart", "remove"])
        return [["%s %s %s" % (how, e, has)], [self.wait(1)] + self.taken(e, v, to)]

    def forced(self):
        e, v, _, to = self.volume()
        self.goes(e, v, to)
        return [["detach %s %s force" % (e, v), self.wait(1)], ["attach %s %s %s" % (e, v, to)]]

    def moved(self):
        e, v, _, to = self.volume()
        self.goes(e, v, to)
        return [["%s %s %s %s" % (self.random.choice(["move", "move", "handover"]), e, v, to), self.wait(2)]]

    def killed_command(self):
        e, v, has, to = self.volume()
        cut = "cut %d %s" % (self.random.randrange(20, 900), self.random.choice(["KILL", "KILL", "INT"]))
        lines = ["%s %s" % (cut, line) for line in self.taken(e, v, to)]
        return [["pause %s %s" % (e, has)] + lines + ["resume %s %s" % (e, has)]
                if self.random.random() < 0.3 and has != "volumedriver-fuse-1" else lines]

    def no_etcd(self):
        e, v, _, to = self.volume()
        how = self.random.choice(["pause", "kill", "stop"])
        meanwhile = [[self.wait(4)], ["takeover %s %s %s" % (e, v, to)], self.container(e)]
        return [["etcdout %s %s" % (e, how)], self.random.choice(meanwhile), ["etcdin %s" % e, self.wait(3)]]

    def storage(self):
        e, v, _, to = self.volume()
        who = self.one(e, "ceph-osd", "ceph-mon", "ceph-mgr")
        how = self.random.choice(["pause", "kill", "kill9", "unplug", "restart"])
        back = {"pause": ["resume %s %s" % (e, who)], "unplug": ["plug %s %s" % (e, who)]}.get(how, [])
        return [["%s %s %s" % (how, e, who), self.wait(3)], self.taken(e, v, to), [self.wait(3)] + back]

    def container(self, e):
        d = self.random.choice(self.shape[e]["docker"])
        return ["%s %s %s" % (self.random.choice(["use", "keep"]), e, d)]

    def containers(self):
        e, v, _, _ = self.volume()
        d = self.random.choice(self.shape[e]["docker"])
        how = self.random.choice(["kill9", "restart", "kill", "none"])
        begin = [["keep %s %s" % (e, d), self.wait(2)]]
        middle = [["rmforeign %s %s" % (e, v)]] if self.random.random() < 0.5 else []
        if how != "none":
            middle.append(["%s %s volumedriver-fuse-1" % (how, e), self.wait(2)])
        again = ["bounce %s %s" % (e, d)] if self.random.random() < 0.5 else []
        return begin + middle + [again + ["leave %s %s" % (e, d)], ["use %s %s" % (e, d)]]

    def stale(self):
        e, v, _, to = self.volume()
        _, _, _, other = self.volume()
        self.goes(e, v, to)
        return [["takeover %s %s %s" % (e, v, to), "stale %s %s %s" % (e, v, other), self.wait(3)]]

    def refused(self):
        """A deletion that the storage refuses, cut short anywhere: what comes next goes on."""
        e, v, _, to = self.volume()
        cut = "cut %d %s" % (self.random.randrange(20, 2500), self.random.choice(["KILL", "KILL", "INT"]))
        return [["%s poolrm %s" % (cut, e)], self.taken(e, v, to)]

    def upkeep(self):
        e = self.random.choice(sorted(self.shape))
        who = self.random.choice(self.shape[e]["instances"])
        return [["%s %s %s" % (self.random.choice(["kill", "remove", "restart"]), e, who)],
                ["cut %d %s up %s" % (self.random.randrange(50, 4000), self.random.choice(["KILL", "INT"]), e),
                 self.wait(1)]]

    def round(self):
        names = self.random.choices(list(MOTIFS), list(MOTIFS.values()), k=self.random.randrange(1, 4))
        motifs = [getattr(self, name)() for name in names]
        lines = ["# " + " + ".join(names)]
        while any(motifs):
            lines += self.random.choice([m for m in motifs if m]).pop(0)
        return lines + ["settle"]

    def rounds(self, count):
        return [line for _ in range(count) for line in self.round()]

    def lines(self):
        while True:
            yield from self.round()
