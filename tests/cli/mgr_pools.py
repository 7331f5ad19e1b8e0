# SPDX-License-Identifier: MIT
"""Runs ceph-mgr's own code for pools on a cluster that is only said: $TREE has the number of OSDs on each host, $HAS
the pools that there are, each as the arguments of pool() below. Prints each change that the monitors are asked for, and
what is said. With the words show NAME: what hook `pool` prints."""

import json
import os
import re
import sys

import fake_ceph

tree, has = json.loads(os.environ["TREE"]), json.loads(os.environ.get("HAS") or "[]")
rules = {"slipway-osd": 1, "slipway-host": 2}
SHOWN = {"size", "pool", "var", "val", "rule", "erasure_code_profile", "field"}


def nodes():
    yield {"id": -1, "name": "default", "type": "root", "children": [-2 - h for h in range(len(tree))]}
    for h, count in enumerate(tree):
        osds = [10 * h + i for i in range(count)]
        yield {"id": -2 - h, "name": "h%d" % h, "type": "host", "children": osds}
        for i in osds:
            yield {"id": i, "name": "osd.%d" % i, "type": "osd", "status": "up", "reweight": 1, "crush_weight": 1}


def pool(name, size, min_size, kind=1, rule=1, profile=""):
    return {"pool_name": name, "size": size, "min_size": min_size, "type": kind, "crush_rule": rule, "options": {},
            "erasure_code_profile": profile, "flags_names": "", "pg_autoscale_mode": "off", "pg_num_target": 8,
            "quota_max_bytes": 0, "application_metadata": {"rbd": {}}}


def dump(name, number):
    """A rule as the monitors tell it."""
    kind = name.partition("-")[2]
    steps = [{"op": "take", "item": -1, "item_name": "default"},
             {"op": "choose_firstn" if kind == "osd" else "chooseleaf_firstn", "num": 0, "type": kind},
             {"op": "emit"}]
    return {"rule_id": number, "rule_name": name, "type": 1, "steps": steps}


class Cluster(fake_ceph.Cluster):
    def mon(self, command):
        print(" ".join([command["prefix"]] + ["%s=%s" % i for i in sorted(command.items()) if i[0] in SHOWN]))
        if command["prefix"] == "osd pool create":
            size = command.get("size", 3)
            has.append(pool(command["pool"], size, size - size // 2, 3 if "erasure_code_profile" in command else 1))
        if command["prefix"] == "osd pool set" and command["var"] in ("size", "min_size"):
            changed, value = next(p for p in has if p["pool_name"] == command["pool"]), int(command["val"])
            changed[command["var"]] = value
            if command["var"] == "size":  # as the monitors do
                changed["min_size"] = value - value // 2

    def mon_json(self, prefix, **arguments):
        return {"osd pool ls": has, "osd crush rule ls": list(rules), "osd erasure-code-profile ls": [],
                "osd crush rule dump": dump(arguments["name"], rules[arguments["name"]]) if "name" in arguments else
                [dump(*r) for r in rules.items()], "df": {"pools": []},
                "osd tree": {"nodes": list(nodes())}, "osd stat": {"num_up_osds": sum(tree)}}[prefix]


fake_ceph.stand_in("slipway_ceph", Cluster=Cluster, Failure=fake_ceph.Failure, say=lambda text: None)
fake_ceph.stand_in("slipway_rules", NAME=re.compile(r"[a-z]+"), NAME_RULE="letters", parse_size=int)
has = [pool(*p) for p in has]
path = os.path.join(os.environ["ROOT"], "components", "ceph-mgr", "lib", "pools.py")
sys.path.insert(0, os.path.dirname(path))
sys.argv = [path] + sys.argv[1:]
sys.dont_write_bytecode = True
with open(path, encoding="utf-8") as f:
    exec(compile(f.read(), path, "exec"), {"__name__": "__main__", "__file__": path})
