# SPDX-License-Identifier: MIT
"""Brings about what the configuration says of pools: $CFG_pools, $CFG_failure_domain, $CFG_autoscale.

Every step looks first and changes only what differs, so it runs at each start, on every manager, as often as it likes.
A pool that is not in the configuration stays: data is never removed by leaving out a line.
"""

import json
import os
import re
import subprocess
import sys
import time

sys.path.insert(0, "/usr/lib/slipway-ceph")
from slipway_ceph import Cluster, Failure, say  # noqa: E402

USER = "client.slipway-pool"
CHECK_NAMESPACE = "slipway-check"
KEYS = {"kind", "size", "min_size", "k", "m", "pg_num", "application", "data_pool", "quota", "absent"}
UNITS = {"": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40}
OSD_WAIT = 90


class Wrong(Exception):
    """The configuration cannot be brought about; the text says which part."""


def number(pool, name, value, least=1):
    try:
        n = int(value)
    except (TypeError, ValueError):
        n = least - 1
    if n < least:
        raise Wrong("pool %s: %s is %r, a number from %d is allowed" % (pool, name, value, least))
    return n


def size_bytes(pool, value):
    m = re.fullmatch(r"(\d+)(KiB|MiB|GiB|TiB|)", str(value))
    if not m:
        raise Wrong("pool %s: quota is %r, a size like 10GiB is allowed" % (pool, value))
    return int(m[1]) * UNITS[m[2]]


def read_pools():
    """The wanted pools, checked whole before anything is changed."""
    pools = json.loads(os.environ.get("CFG_pools") or "{}")
    for name, p in pools.items():
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*", name):
            raise Wrong("pool %r: not a name of a pool" % name)
        if not isinstance(p, dict):
            raise Wrong("pool %s: a map is expected" % name)
        for key in set(p) - KEYS:
            raise Wrong("pool %s: unknown key %s; known are %s" % (name, key, " ".join(sorted(KEYS))))
        if p.get("kind", "replicated") not in ("replicated", "erasure"):
            raise Wrong("pool %s: kind is %r, replicated or erasure is allowed" % (name, p["kind"]))
        erasure = p.get("kind") == "erasure"
        for key in ("k", "m") if erasure else ("size",):
            if key in p or erasure:
                p[key] = number(name, key, p.get(key, 2 if key == "k" else 1))
        for key in ("min_size", "pg_num"):
            if key in p:
                p[key] = number(name, key, p[key])
        if erasure and "size" in p:
            raise Wrong("pool %s: an erasure-coded pool has k and m, not size" % name)
        if p.get("min_size", 1) > (p["k"] + p["m"] if erasure else p.get("size", 99)):
            raise Wrong("pool %s: min_size %d is more than there are copies" % (name, p["min_size"]))
        if "data_pool" in p and p["data_pool"] not in pools:
            raise Wrong("pool %s: data_pool %s is not among the pools" % (name, p["data_pool"]))
        if "quota" in p:
            p["quota"] = size_bytes(name, p["quota"])
    return pools


def rbd(*arguments):
    command = ["rbd", "--name", USER, "--keyfile", os.path.join(os.environ["SLIPWAY_RUN"], "secrets", "slipway_pool")]
    return subprocess.run(command + list(arguments), capture_output=True, text=True, timeout=60, check=False)


class Pools:
    def __init__(self, cluster, wanted):
        self.c = cluster
        self.wanted = {n: p for n, p in wanted.items() if str(p.get("absent")).lower() != "true"}
        self.gone = [n for n in wanted if n not in self.wanted]
        self.domain = os.environ.get("CFG_failure_domain", "host")
        self.autoscale = "on" if os.environ.get("CFG_autoscale", "true") == "true" else "off"

    def there(self):
        return {p["pool_name"]: p for p in self.c.mon_json("osd pool ls", detail="detail")}

    def change(self, what, prefix, **arguments):
        say(what)
        self.c.mon(dict(arguments, prefix=prefix))

    def rule(self):
        """Id of the rule that keeps replicas in different failure domains."""
        name = "slipway-" + self.domain
        if name not in self.c.mon_json("osd crush rule ls"):
            self.change("rule %s: copies on different %ss" % (name, self.domain), "osd crush rule create-replicated",
                        name=name, root="default", type=self.domain)
        return name, self.c.mon_json("osd crush rule dump", name=name)["rule_id"]

    def profile(self, name, p):
        """Erasure code profiles cannot change under a pool, so the name carries what it says."""
        profile = "slipway-%d-%d-%s" % (p["k"], p["m"], self.domain)
        if profile not in self.c.mon_json("osd erasure-code-profile ls"):
            self.change("profile %s" % profile, "osd erasure-code-profile set", name=profile,
                        profile=["k=%d" % p["k"], "m=%d" % p["m"], "crush-failure-domain=" + self.domain])
        return profile

    def create(self, name, p, rule):
        arguments = {"pool": name, "pg_num": p.get("pg_num", 8), "pgp_num": p.get("pg_num", 8), "autoscale_mode": self.autoscale}
        if p.get("kind") == "erasure":
            arguments.update(pool_type="erasure", erasure_code_profile=self.profile(name, p))
            self.change("pool %s: erasure coded %d+%d" % (name, p["k"], p["m"]), "osd pool create", **arguments)
        else:
            arguments.update(pool_type="replicated", rule=rule)
            if "size" in p:
                arguments["size"] = p["size"]
            self.change("pool %s: replicated" % name, "osd pool create", **arguments)

    def set(self, name, var, value, now):
        if str(now) != str(value):
            extra = {"yes_i_really_mean_it": True} if var == "size" and str(value) == "1" else {}
            self.change("pool %s: %s %s -> %s" % (name, var, now, value), "osd pool set", pool=name, var=var, val=str(value), **extra)

    def adjust(self, name, p, now, rule):
        erasure = p.get("kind") == "erasure"
        if (now["type"] == 3) != erasure:
            raise Wrong("pool %s exists and is %s; its kind cannot change" % (name, "erasure" if now["type"] == 3 else "replicated"))
        if erasure:
            if now["size"] != p["k"] + p["m"]:
                raise Wrong("pool %s exists with %d parts; k and m cannot change" % (name, now["size"]))
            self.set(name, "allow_ec_overwrites", "true", str("ec_overwrites" in now["flags_names"]).lower())
        else:
            self.set(name, "crush_rule", rule[0], rule[0] if now["crush_rule"] == rule[1] else now["crush_rule"])
            # Growing: first the copies, then their least number; shrinking: the other way round.
            if "size" in p and p["size"] >= now["size"]:
                self.set(name, "size", p["size"], now["size"])
        if "min_size" in p:
            self.set(name, "min_size", p["min_size"], now["min_size"])
        if not erasure and "size" in p and p["size"] < now["size"]:
            self.set(name, "size", p["size"], now["size"])
        self.set(name, "pg_autoscale_mode", self.autoscale, now["pg_autoscale_mode"])
        if "pg_num" in p and self.autoscale == "off":
            self.set(name, "pg_num", p["pg_num"], now["pg_num_target"])
        if p.get("quota", 0) != now["quota_max_bytes"]:
            self.change("pool %s: quota %d bytes" % (name, p.get("quota", 0)), "osd pool set-quota", pool=name, field="max_bytes",
                        val=str(p.get("quota", 0)))
        application = p.get("application", "rbd")
        if application not in now["application_metadata"]:
            self.change("pool %s: for %s" % (name, application), "osd pool application enable", pool=name, app=application)

    def others(self, rule):
        """The manager's own pool has the failure domain too; without, a small cluster never gets clean."""
        own = self.there().get(".mgr")
        if own and own["crush_rule"] != rule[1]:
            self.set(".mgr", "crush_rule", rule[0], own["crush_rule"])

    def osds_up(self):
        return self.c.mon_json("osd stat")["num_up_osds"]

    def images(self):
        """What images need inside a pool: its header, the check's namespace, where data goes. Needs OSDs."""
        names = [n for n, p in self.wanted.items() if p.get("application", "rbd") == "rbd" and p.get("kind") != "erasure"]
        need = max([self.wanted[n].get("min_size", 1) for n in names], default=0)
        end, told = time.monotonic() + OSD_WAIT, False
        while names and self.osds_up() < need:
            if time.monotonic() >= end:
                raise Wrong("pools are there, but not ready for images: %d OSDs are up, %d are needed" % (self.osds_up(), need))
            if not told:
                say("waiting for OSDs before preparing pools for images")
                told = True
            time.sleep(0.3)
        for name in names:
            self.image_pool(name, self.wanted[name])

    def image_pool(self, name, p):
        there = rbd("namespace", "ls", name, "--format", "json")
        if there.returncode != 0 or CHECK_NAMESPACE not in there.stdout:
            for arguments in (("pool", "init", name), ("namespace", "create", name + "/" + CHECK_NAMESPACE)):
                r = rbd(*arguments)
                if r.returncode not in (0, 17):
                    raise Failure(r.returncode, "rbd %s: %s" % (" ".join(arguments), r.stderr.strip()))
            say("pool %s: ready for images" % name)
        if "data_pool" in p:
            r = rbd("config", "pool", "set", name, "rbd_default_data_pool", p["data_pool"])
            if r.returncode != 0:
                raise Failure(r.returncode, "pool %s: data_pool %s: %s" % (name, p["data_pool"], r.stderr.strip()))

    def delete(self, name, now):
        """Only by the word absent, only without images, and only where the monitors allow it."""
        if now["type"] != 3:
            r = rbd("ls", name, "--format", "json")
            if r.returncode == 0 and json.loads(r.stdout or "[]"):
                raise Wrong("pool %s: it holds the images %s" % (name, " ".join(json.loads(r.stdout))[:200]))
            if r.returncode not in (0, 2):
                raise Failure(r.returncode, "rbd ls %s: %s" % (name, r.stderr.strip()))
        try:
            self.c.mon({"prefix": "osd pool delete", "pool": name, "pool2": name, "yes_i_really_really_mean_it": True})
        except Failure as e:
            if e.errno == 1:
                raise Wrong("pool %s: the monitors let nobody delete a pool; `slipway config set ceph-mon allow_pool_delete true`"
                            " before it" % name) from None
            raise
        say("pool %s: deleted" % name)

    def apply(self):
        rule = self.rule()
        there = self.there()
        for name in self.gone:
            if name in there:
                self.delete(name, there[name])
        for name, p in self.wanted.items():
            if name not in there:
                self.create(name, p, rule[0])
        there = self.there()
        for name, p in self.wanted.items():
            self.adjust(name, p, there[name], rule)
        self.others(rule)
        self.images()


def main():
    try:
        wanted = read_pools()
        with Cluster(USER, "slipway_pool") as c:
            Pools(c.wait(60, "needed for the pools"), wanted).apply()
    except (Wrong, Failure, subprocess.TimeoutExpired) as e:
        print(e, file=sys.stderr)
        return 1
    return 0


sys.exit(main())
