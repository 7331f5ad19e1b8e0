# SPDX-License-Identifier: MIT
"""Presets: a pool's ordered policies, each k data and m coding parts, c of which must be there for I/O, at most x on
one host.

The first one that the OSDs that are up can hold is taken when the pool is made; its k, m and x stay, c can change. This
file reads policies and chooses; it asks nobody, but for the tree of OSDs that it is given.
"""

import re

PARTS_MAX = 32
KEYS = ("k", "m", "c", "x")


class Policy:
    def __init__(self, k, m, c=None, x=None):
        self.k, self.m = k, m
        self.n = k + m
        # What Ceph takes itself.
        self.c = c or (k + min(1, m - 1) if k > 1 else self.n - self.n // 2)
        self.x = x if x and x < self.n else None
        self.given = (c, x)

    def __str__(self):
        c, x = self.given
        return "%d+%d%s%s" % (self.k, self.m, " c=%d" % c if c else "", " x=%d" % x if x else "")

    def erasure(self):
        return self.k > 1

    def hosts(self):
        """How many hosts take all parts, x on each."""
        return -(-self.n // self.x)

    def domain(self, usual):
        """What two parts never share; None where several may be on one host, but not all."""
        return usual if self.x is None else "host" if self.x == 1 else None

    def rule(self):
        return "slipway-%dx%d" % (self.hosts(), self.x)

    def profile(self, usual):
        return "slipway-%d-%d-%s" % (self.k, self.m, self.domain(usual) or "%dx%d" % (self.hosts(), self.x))


def read(entry):
    """"4+2 c=5 x=1" or {k: 4, m: 2, c: 5, x: 1}; ValueError says what is wrong."""
    if isinstance(entry, dict):
        words = {str(k): str(v) for k, v in entry.items()}
    else:
        match = re.fullmatch(r"(\d+)\+(\d+)((?:[ ,]+[cx]=\d+)*)", str(entry).strip())
        if not match:
            raise ValueError("%s is not a policy; write it like 4+2 or 4+2 c=5 x=1" % entry)
        words = {"k": match[1], "m": match[2]}
        words.update(w.split("=") for w in re.split(r"[ ,]+", match[3]) if w)
    for key, value in words.items():
        if key not in KEYS or not value.isdigit() or (int(value) < 1 and key != "m"):
            raise ValueError("policy %s: %s is %s; k, m, c and x are numbers" % (entry, key, value))
    if "k" not in words or "m" not in words:
        raise ValueError("policy %s: it needs k and m" % entry)
    p = Policy(*(int(words[key]) if key in words else None for key in KEYS))
    if p.n > PARTS_MAX or (p.m == 0 and p.k > 1):
        raise ValueError("policy %s: k + m is at most %d, and m 1 or more" % (p, PARTS_MAX))
    if not p.k <= p.c <= p.n:
        raise ValueError("policy %s: c is %d; %d to %d are allowed" % (p, p.c, p.k, p.n))
    if not p.erasure() and p.x not in (None, 1):
        raise ValueError("policy %s: x of copies is 1, or %d and more" % (p, p.n))
    return p


class Topology:
    """What OSDs that are up, and take data, there are: for each kind of place, how many in each."""

    def __init__(self, nodes):
        self.counts = {"osd": {}}
        children = {n["id"]: n.get("children", []) for n in nodes}
        by_id = {n["id"]: n for n in nodes}

        def osds(i):
            n = by_id.get(i, {})
            if n.get("type") == "osd":
                good = n.get("status") == "up" and n.get("reweight", 1) > 0 and n.get("crush_weight", 1) > 0
                return {i} if good else set()
            return set().union(*(osds(c) for c in children.get(i, [])), set())

        for n in nodes:
            there = osds(n["id"])
            if there:
                self.counts.setdefault(n["type"], {})[n["name"]] = len(there)

    def places(self, kind):
        return len(self.counts.get(kind, {}))

    def lacks(self, p, usual):
        """Why a policy cannot be had; empty when it can."""
        domain = p.domain(usual)
        if domain:
            return ("" if self.places(domain) >= p.n else
                    "%s needs %d %ss, there are %d" % (p, p.n, domain, self.places(domain)))
        enough = sum(1 for count in self.counts.get("host", {}).values() if count >= p.x)
        return ("" if enough >= p.hosts() else
                "%s needs %d hosts with %d OSDs, there are %d" % (p, p.hosts(), p.x, enough))


def choose(policies, topology, usual):
    """(number from 0, reasons why the ones before it cannot be had); number None: none can."""
    reasons = []
    for i, p in enumerate(policies):
        lack = topology.lacks(p, usual)
        if not lack:
            return i, reasons
        reasons.append(lack)
    return None, reasons


def taken(policies, pool, usual):
    """Which policy an existing pool was made by, or None; `pool` as `osd pool ls detail` has it. It may have been coded
    when another domain was the usual one."""
    coded = [(i, p) for i, p in enumerate(policies) if p.erasure() and pool["type"] == 3]
    for i, p in coded:
        if pool["erasure_code_profile"] == p.profile(usual):
            return i
    for i, p in coded:
        if p.x is None and re.fullmatch("slipway-%d-%d-[a-z]+" % (p.k, p.m), pool["erasure_code_profile"]):
            return i
    for i, p in enumerate(policies):
        if pool["type"] == 1 and not p.erasure() and pool["size"] == p.n:
            return i
    return None
