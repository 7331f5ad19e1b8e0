# SPDX-License-Identifier: MIT
"""Applies what the configuration says of pools: $CFG_pools, $CFG_failure_domain, $CFG_autoscale.

Every step looks first and changes only what differs, so it runs at each start, on every manager, as often as it likes.
A pool that is not in the configuration stays: data is never removed by leaving out a line.
"""

import json
import os
import subprocess
import sys
import time

sys.path.insert(0, "/usr/lib/slipway-ceph")
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import policies  # noqa: E402
from slipway_ceph import Cluster, Failure, say  # noqa: E402
from slipway_rules import NAME, NAME_RULE, parse_size  # noqa: E402

USER = "client.slipway-pool"
CHECK_NAMESPACE = "slipway-check"
KEYS = {"kind", "size", "min_size", "k", "m", "pg_num", "application", "data_pool", "quota", "absent",
        "policies", "compression", "compression_mode"}
ALGORITHMS = ("none", "lz4", "snappy", "zlib", "zstd")
MODES = ("passive", "aggressive", "force")
WHY = "slipway.policy"  # in the pool's own metadata, at most WHY_MAX bytes
WHY_MAX = 127
OSD_WAIT = 90
ALLOW_WAIT = 5


class Wrong(Exception):
    """The configuration cannot be applied; the text says which part."""


def number(pool, name, value, least=1):
    try:
        n = int(value)
    except (TypeError, ValueError):
        n = least - 1
    if n < least:
        raise Wrong("pool %s: %s is %r, a number from %d is allowed" % (pool, name, value, least))
    return n


def quota_bytes(pool, value):
    size = parse_size(value)
    if size is None:
        raise Wrong("pool %s: quota is %r, a size like 10GiB is allowed" % (pool, value))
    return size


def read_compression(name, p):
    if p.get("compression", "none") not in ALGORITHMS:
        raise Wrong("pool %s: compression is %r; %s are allowed" % (name, p["compression"], " ".join(ALGORITHMS)))
    if p.get("compression_mode", MODES[0]) not in MODES:
        raise Wrong("pool %s: compression_mode is %r; %s are allowed" % (name, p["compression_mode"], " ".join(MODES)))
    if "compression_mode" in p and "compression" not in p:
        raise Wrong("pool %s: compression_mode needs compression" % name)


def read_policies(name, p):
    """The list instead of its texts."""
    for key in ("size", "min_size", "k", "m"):
        if key in p:
            raise Wrong("pool %s: either policies, or %s" % (name, key))
    if not isinstance(p["policies"], list) or not p["policies"]:
        raise Wrong("pool %s: policies is a list, the one to have first: [4+2, 2+1]" % name)
    try:
        p["policies"] = [policies.read(entry) for entry in p["policies"]]
    except ValueError as e:
        raise Wrong("pool %s: %s" % (name, e)) from None
    if p.get("kind") != "erasure" and any(one.erasure() for one in p["policies"]):
        raise Wrong("pool %s: a policy with k above 1 needs kind: erasure; such a pool holds only the data of images"
                    % name)


def read_pool(name, p):
    """Checks one, and puts numbers in place of texts."""
    if not NAME.fullmatch(name):
        raise Wrong("pool %r: %s" % (name, NAME_RULE))
    if not isinstance(p, dict):
        raise Wrong("pool %s: a map is expected" % name)
    for key in set(p) - KEYS:
        raise Wrong("pool %s: unknown key %s; known are %s" % (name, key, " ".join(sorted(KEYS))))
    if p.get("kind", "replicated") not in ("replicated", "erasure"):
        raise Wrong("pool %s: kind is %r, replicated or erasure is allowed" % (name, p["kind"]))
    erasure = p.get("kind") == "erasure"
    read_compression(name, p)
    if "policies" in p:
        read_policies(name, p)
    for key in () if "policies" in p else ("k", "m") if erasure else ("size",):
        if key in p or erasure:
            p[key] = number(name, key, p.get(key, 2 if key == "k" else 1))
    for key in ("min_size", "pg_num"):
        if key in p:
            p[key] = number(name, key, p[key])
    if erasure and "size" in p and "policies" not in p:
        raise Wrong("pool %s: an erasure-coded pool has k and m, not size" % name)
    if "policies" not in p and p.get("min_size", 1) > (p["k"] + p["m"] if erasure else p.get("size", 99)):
        raise Wrong("pool %s: min_size %d is more than there are copies" % (name, p["min_size"]))
    if "quota" in p:
        p["quota"] = quota_bytes(name, p["quota"])


def read_pools():
    """(map of the wanted pools, list of what is wrong with the others)"""
    pools, bad = {}, []
    for name, p in json.loads(os.environ.get("CFG_pools") or "{}").items():
        try:
            read_pool(name, p)
            pools[name] = p
        except Wrong as e:
            bad.append(str(e))
    for name in [n for n, p in pools.items() if p.get("data_pool", n) not in pools]:
        bad.append("pool %s: data_pool %s is not among the pools" % (name, pools[name]["data_pool"]))
        del pools[name]
    return pools, bad


def rbd(*arguments):
    command = ["rbd", "--name", USER, "--keyfile", os.path.join(os.environ["SLIPWAY_RUN"], "secrets", "slipway_pool")]
    return subprocess.run(command + list(arguments), capture_output=True, text=True, timeout=60, check=False)


def plain(p):
    """An entry without policies as a policy; None: what is not said is Ceph's choice."""
    if p.get("kind") == "erasure":
        return policies.Policy(p["k"], p["m"], p.get("min_size"))
    return policies.Policy(1, p["size"] - 1, p.get("min_size")) if "size" in p else None


def least(p, now):
    """How many parts must be there for I/O when the entry is in effect: with another size Ceph takes its own least."""
    size = p.get("size", now["size"])
    return p.get("min_size", now["min_size"] if size == now["size"] else size - size // 2)


class Pools:
    def __init__(self, cluster, wanted, bad):
        self.c, self.bad = cluster, bad
        self.wanted = {n: p for n, p in wanted.items() if str(p.get("absent")).lower() != "true"}
        self.gone = [n for n in wanted if n not in self.wanted]
        self.domain = os.environ.get("CFG_failure_domain", "host")
        self.patience = self.osds_awaited = None
        self.autoscale = "on" if os.environ.get("CFG_autoscale", "true") == "true" else "off"

    def there(self):
        return {p["pool_name"]: p for p in self.c.mon_json("osd pool ls", detail="detail")}

    def change(self, what, prefix, **arguments):
        say(what)
        self.c.mon(dict(arguments, prefix=prefix))

    def rule(self, domain=None):
        """Name and id of the rule that keeps replicas in different failure domains."""
        domain = domain or self.domain
        name = "slipway-" + domain
        if name not in self.c.mon_json("osd crush rule ls"):
            self.change("rule %s: copies on different %ss" % (name, domain), "osd crush rule create-replicated",
                        name=name, root="default", type=domain)
        return name, self.c.mon_json("osd crush rule dump", name=name)["rule_id"]

    def rule_domain(self, number):
        """What the parts of a pool with this rule never share, which may not be what is configured; None: there is no
        such rule."""
        for rule in self.c.mon_json("osd crush rule dump"):
            kinds = [step["type"] for step in rule["steps"] if step["op"].startswith("choose")]
            if rule["rule_id"] == number and kinds:
                return kinds[-1]
        return None

    def need_places(self, name, domain, least):
        """A rule that finds fewer places than I/O needs would stop all I/O of a pool at once."""
        places = self.topology().places(domain)
        if places < least:
            raise Wrong("pool %s: it keeps its rule: the OSDs that are up are in %d %ss, and I/O needs copies in %d "
                        "different ones" % (name, places, domain, least))

    def need_room(self, name, one):
        """Before it is made: all I/O of one that finds too few places would wait. OSDs that are still to come are not
        missed."""
        domain, places = one.domain(self.domain), self.topology().places(one.domain(self.domain))
        if places < one.c and self.osds_up() >= int(os.environ.get("SHARED_osd_count") or 0):
            raise Wrong("pool %s: it was not made: its %d parts go to different %ss, %d of them must be there for I/O, "
                        "and the OSDs that are up are in %d; add OSDs in other %ss, or choose another failure_domain"
                        % (name, one.n, domain, one.c, places, domain))

    def profile(self, p):
        """Erasure code profiles cannot change under a pool, so the name carries what it says."""
        profile = p.profile(self.domain)
        if profile not in self.c.mon_json("osd erasure-code-profile ls"):
            self.change("profile %s" % profile, "osd erasure-code-profile set", name=profile,
                        profile=["k=%d" % p.k, "m=%d" % p.m,
                                 "crush-failure-domain=" + (p.domain(self.domain) or "host")])
        return profile

    def spread_rule(self, p):
        """A rule that puts at most x parts on one host. Only profiles of the plug-in lrc can say the steps of a rule;
        the pool that uses the rule has another profile."""
        name = p.rule()
        if name not in self.c.mon_json("osd crush rule ls"):
            steps = [["choose", "host", p.hosts()], ["chooseleaf", "osd", p.x]]
            self.c.mon({"prefix": "osd erasure-code-profile set", "name": name, "force": True,
                        "yes_i_really_mean_it": True,
                        "profile": ["plugin=lrc", "mapping=" + "D" * p.k + "_" * p.m,
                                    "layers=" + json.dumps([["D" * p.k + "c" * p.m, ""]]),
                                    "crush-steps=" + json.dumps(steps)]})
            self.change("rule %s: %d hosts, at most %d parts on each" % (name, p.hosts(), p.x),
                        "osd crush rule create-erasure", name=name, profile=name)
            self.c.mon({"prefix": "osd erasure-code-profile rm", "name": name})
        return name

    def topology(self):
        return policies.Topology(self.c.mon_json("osd tree")["nodes"])

    def choose(self, name, p):
        """The first policy that can be had. At the first start not all OSDs are up yet, so what they lack is waited
        for."""
        expected = int(os.environ.get("SHARED_osd_count") or 0)
        self.patience = self.patience or time.monotonic() + OSD_WAIT  # one for all pools
        while True:
            number, reasons = policies.choose(p["policies"], self.topology(), self.domain)
            if number == 0 or self.osds_up() >= expected or time.monotonic() >= self.patience:
                break
            time.sleep(0.3)
        if number is None:
            raise Wrong("pool %s: none of its policies can be had, and it was not made: %s; add OSDs (`instances` of "
                        "ceph-osd in the environment file, then `slipway up FILE`) or another policy"
                        % (name, "; ".join(reasons)))
        one = p["policies"][number]
        say("pool %s, policy %d of %d, %s%s"
            % (name, number + 1, len(p["policies"]), one, ", because " + "; ".join(reasons) if reasons else ""))
        p["why"] = "; ".join(reasons)
        return one

    def create(self, name, p, rule):
        one = self.choose(name, p) if "policies" in p else plain(p)
        if one and "policies" not in p:
            self.need_room(name, one)
        arguments = {"pool": name, "pg_num": p.get("pg_num", 8), "pgp_num": p.get("pg_num", 8),
                     "autoscale_mode": self.autoscale}
        if one and one.erasure():
            arguments.update(pool_type="erasure", erasure_code_profile=self.profile(one))
            if not one.domain(self.domain):
                arguments["rule"] = self.spread_rule(one)
            self.change("pool %s, erasure coded %d+%d" % (name, one.k, one.m), "osd pool create", **arguments)
        else:
            arguments.update(pool_type="replicated", rule=self.rule(one.domain(self.domain))[0] if one else rule)
            size = one.n if one else p.get("size")
            if size:
                arguments["size"] = size
            if size == 1:
                arguments["yes_i_really_mean_it"] = True
            self.change("pool %s, replicated" % name, "osd pool create", **arguments)

    def set(self, name, var, value, now):
        if str(now) != str(value):
            extra = {"yes_i_really_mean_it": True} if var == "size" and str(value) == "1" else {}
            self.change("pool %s, %s %s -> %s" % (name, var, now, value), "osd pool set", pool=name, var=var,
                        val=str(value), **extra)

    def taken(self, name, p, now):
        """The pool as if the policy that it was made by stood there alone."""
        number = policies.taken(p["policies"], now, self.domain)
        if number is None:
            raise Wrong("pool %s exists, and by none of its policies: it has %d parts, profile %s; k, m and x "
                        "cannot change"
                        % (name, now["size"], now["erasure_code_profile"] or "none"))
        one = p["policies"][number]
        p = dict(p, min_size=one.c, kind="erasure" if one.erasure() else "replicated", number=number, one=one)
        p.update({"k": one.k, "m": one.m} if one.erasure() else {"size": one.n})
        return p

    def compress(self, name, p, now):
        """Left out: left alone. What is stored already stays as it is until it is written again."""
        options = now.get("options", {})
        if "compression" not in p:
            return
        if p["compression"] == "none":
            if options.get("compression_mode", "none") != "none":
                self.set(name, "compression_mode", "none", options["compression_mode"])
            return
        self.set(name, "compression_algorithm", p["compression"], options.get("compression_algorithm", "none"))
        self.set(name, "compression_mode", p.get("compression_mode", "aggressive"),
                 options.get("compression_mode", "none"))

    def adjust(self, name, p, now, rule):
        why = p.get("why")
        if "policies" in p:
            p = self.taken(name, p, now)
            if not p["one"].erasure():
                rule = self.rule(p["one"].domain(self.domain))
        erasure = p.get("kind") == "erasure"
        if (now["type"] == 3) != erasure:
            raise Wrong("pool %s exists and is %s; its kind cannot change"
                        % (name, "erasure" if now["type"] == 3 else "replicated"))
        if erasure:
            if now["size"] != p["k"] + p["m"]:
                raise Wrong("pool %s exists with %d parts; k and m cannot change" % (name, now["size"]))
            self.set(name, "allow_ec_overwrites", "true", str("ec_overwrites" in now["flags_names"]).lower())
        else:
            if now["crush_rule"] != rule[1]:
                need = least(p, now)
                self.need_places(name, rule[0].partition("-")[2], need)
                if need < now["min_size"]:  # before the rule, so that I/O goes on
                    self.set(name, "min_size", need, now["min_size"])
                    now = dict(now, min_size=need)
                self.set(name, "crush_rule", rule[0], now["crush_rule"])
            if "size" in p and p["size"] != now["size"]:
                self.set(name, "size", p["size"], now["size"])
                now = self.there()[name]  # the monitors choose another least number with each size
        if "min_size" in p:
            self.set(name, "min_size", p["min_size"], now["min_size"])
        self.set(name, "pg_autoscale_mode", self.autoscale, now["pg_autoscale_mode"])
        if "pg_num" in p and self.autoscale == "off":
            self.set(name, "pg_num", p["pg_num"], now["pg_num_target"])
        if p.get("quota", 0) != now["quota_max_bytes"]:
            self.change("pool %s, quota %d bytes" % (name, p.get("quota", 0)), "osd pool set-quota", pool=name,
                        field="max_bytes", val=str(p.get("quota", 0)))
        self.compress(name, p, now)
        application = p.get("application", "rbd")
        if application not in now["application_metadata"]:
            self.change("pool %s, for %s" % (name, application), "osd pool application enable", pool=name,
                        app=application)
        if why is not None:
            self.c.mon({"prefix": "osd pool application set", "pool": name, "app": application, "key": WHY,
                        "value": (why or "-")[:WHY_MAX]})

    def others(self, rule):
        """The manager's own pool has the failure domain too; without, a small cluster never gets clean."""
        own = self.there().get(".mgr")
        if own and own["crush_rule"] != rule[1] and self.topology().places(self.domain) >= own["min_size"]:
            self.set(".mgr", "crush_rule", rule[0], own["crush_rule"])

    def osds_up(self):
        return self.c.mon_json("osd stat")["num_up_osds"]

    def spread(self, name, p):
        """(what two parts of an existing pool never share, in how many of that the OSDs that are up are)"""
        now = self.there()[name]
        domain = self.rule_domain(now["crush_rule"])
        if not domain:
            one = self.taken(name, p, now)["one"] if "policies" in p else None
            domain = (one.domain(self.domain) if one else self.domain) or "osd"
        return domain, self.topology().places(domain)

    def wait_places(self, name, p, need):
        """All pools wait for the same OSDs."""
        while True:
            domain, places = self.spread(name, p)
            if places >= need:
                return
            if not self.osds_awaited:
                say("waiting for OSDs before preparing pools for images")
                self.osds_awaited = time.monotonic() + OSD_WAIT
            if time.monotonic() >= self.osds_awaited:
                raise Wrong("it is there, but not ready for images: OSDs in %d different %ss are needed, and those "
                            "that are up are in %d" % (need, domain, places))
            time.sleep(0.3)

    def image_pool(self, name, p):
        """What images need inside a pool: its header, the check's namespace, where data goes. Needs OSDs."""
        if p.get("application", "rbd") != "rbd" or p.get("kind") == "erasure":
            return
        self.wait_places(name, p, self.there()[name]["min_size"])
        there = rbd("namespace", "ls", name, "--format", "json")
        if there.returncode != 0 or CHECK_NAMESPACE not in there.stdout:
            for arguments in (("pool", "init", name), ("namespace", "create", name + "/" + CHECK_NAMESPACE)):
                r = rbd(*arguments)
                if r.returncode not in (0, 17):
                    raise Failure(r.returncode, "rbd %s: %s" % (" ".join(arguments), r.stderr.strip()))
            say("pool %s, ready for images" % name)
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
        end = time.monotonic() + ALLOW_WAIT
        while True:
            try:
                self.c.mon({"prefix": "osd pool delete", "pool": name, "pool2": name,
                            "yes_i_really_really_mean_it": True})
                break
            except Failure as e:
                if e.errno != 1:
                    raise
                # Who has just allowed it, as this sentence says, is faster than the monitors.
                if time.monotonic() > end:
                    raise Wrong("pool %s: the monitors let nobody delete a pool; `slipway config set ceph-mon "
                                "allow_pool_delete true` before it" % name) from None
            time.sleep(0.5)
        say("pool %s, deleted" % name)

    def each(self, pools, work):
        """work(name, entry) of each. One that cannot be applied keeps no other back, and is left from then on. What is
        said of it begins with "pool NAME: ", by which the commands find it; what was done is said otherwise."""
        for name, p in list(pools.items()):
            try:
                work(name, p)
            except (Wrong, Failure, subprocess.TimeoutExpired) as e:
                head = "pool %s: " % name
                self.bad.append(str(e) if str(e).startswith(head) else head + str(e))
                del pools[name]

    def apply(self):
        rule, there = self.rule(), self.there()
        self.each({name: there[name] for name in self.gone if name in there}, self.delete)
        self.each(self.wanted, lambda name, p: name in there or self.create(name, p, rule[0]))
        there = self.there()
        self.each(self.wanted, lambda name, p: self.adjust(name, p, there[name], rule))
        self.others(rule)
        self.each(self.wanted, self.image_pool)
        # Last, because the agent keeps the end of what is printed.
        for complaint in self.bad:
            print(complaint, file=sys.stderr)
        return 1 if self.bad else 0

    def show(self, name):
        """What the storage has of a pool, for `slipway pool show`."""
        now, p = self.there().get(name), self.wanted.get(name, {})
        if not now:
            return {}
        options = now.get("options", {})
        seen = {"parts": now["size"], "min_size": now["min_size"], "compression_in_effect": "none"}
        if options.get("compression_mode", "none") != "none":
            seen["compression_in_effect"] = "%s, %s" % (options.get("compression_algorithm", "?"),
                                                        options["compression_mode"])
        if "policies" in p:
            p = self.taken(name, p, now)
            meta = now["application_metadata"].get(p.get("application", "rbd"), {})
            seen["policy"] = "%d of %d: %s" % (p["number"] + 1, len(p["policies"]), p["one"])
            if meta.get(WHY, "-") != "-":
                seen["why"] = meta[WHY]
            number, _ = policies.choose(p["policies"], self.topology(), self.domain)
            if number is not None and number < p["number"]:
                seen["possible_now"] = str(p["policies"][number])
        if self.wanted.get(name):
            domain, places = self.spread(name, self.wanted[name])
            if places < now["size"]:
                seen["lacks"] = ("its %d parts go to different %ss, and the OSDs that are up are in %d"
                                 % (now["size"], domain, places))
        for df in self.c.mon_json("df", detail="detail")["pools"]:
            if df["name"] == name:
                seen.update(stored_bytes=df["stats"]["stored"], used_bytes=df["stats"]["bytes_used"],
                            compressed_bytes=df["stats"].get("compress_bytes_used", 0),
                            compressed_from_bytes=df["stats"].get("compress_under_bytes", 0))
        return seen


def main():
    try:
        with Cluster(USER, "slipway_pool") as c:
            pools = Pools(c.wait(60, "needed for the pools"), *read_pools())
            if len(sys.argv) == 3 and sys.argv[1] == "show":
                print(json.dumps(pools.show(sys.argv[2])))
                return 0
            return pools.apply()
    except (Wrong, Failure, ValueError) as e:
        print("pools: %s" % e, file=sys.stderr)
        return 1


sys.exit(main())
