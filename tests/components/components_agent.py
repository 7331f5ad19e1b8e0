#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Prepares instances as the agent would, for components.sh: renders templates, computes the environment, writes
secrets.

Reads a JSON plan from standard input, {"env", "profile", "shared", "secrets": {name: value}, "instances": [{"name",
"component", "ordinal", "address", "config": {}}]}, and fills OUT/<instance>/ with env, command, user, run/. Runs in the
ceph image, which has Python and its yaml; knows only what the catalog's own templates use.
"""

import json
import os
import re
import sys

import yaml

UNITS = {"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40, "ms": 1, "s": 1000, "min": 60000,
         "h": 3600000, "d": 86400000}


def normal(key, value):
    if isinstance(value, str) and key["type"] in ("size", "duration"):
        m = re.fullmatch(r"(\d+)(\w+)", value)
        return str(int(m[1]) * UNITS[m[2]]) if m else value
    return value


def text(value):
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))


def expand(value, variables):
    if isinstance(value, list):
        return [expand(v, variables) for v in value]
    if isinstance(value, dict):
        merged, own = {}, {}
        for k, v in value.items():
            v = expand(v, variables)
            if k == "<<":
                for m in v if isinstance(v, list) else [v]:
                    for a, b in m.items():
                        merged.setdefault(a, b)
            else:
                own[k] = v
        return {**own, **{k: v for k, v in merged.items() if k not in own}}
    m = re.fullmatch(r"\$\{(\w+)\}", value)
    if m:
        return variables[m[1]]
    return re.sub(r"\$\{(\w+)\}", lambda m: text(variables[m[1]]), value)


def write(path, content, mode=0o644):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as f:
        f.write(content)
    os.chmod(path, mode)


def render(fmt, tree):
    if fmt == "ini":
        return "\n".join("[%s]\n%s" % (s, "".join("%s = %s\n" % (k, text(v)) for k, v in e.items()))
                         for s, e in tree.items())
    return "".join("%s: %s\n" % (k, text(v)) for k, v in tree.items())


def prepare(plan, instance, out):
    home = "/components/" + instance["component"]
    with open(home + "/component.yaml", encoding="utf-8") as f:
        manifest = yaml.load(f, Loader=yaml.BaseLoader)
    declared = manifest.get("config", {})
    config = {k: v["default"] for k, v in declared.items() if "default" in v}
    config.update(manifest.get("profiles", {}).get(plan["profile"], {}))
    config.update(instance.get("config", {}))
    config = {k: normal(declared[k], v) for k, v in config.items()}
    data = manifest.get("data", {}).get("root", "")
    own = {"env": plan["env"], "component": instance["component"], "instance": instance["name"],
           "ordinal": str(instance["ordinal"]), "address": instance["address"], "data": data, "run": "/run/slipway"}
    shared = {k: plan["shared"][k] if k in plan["shared"] else
              sum(i["component"] == v["count"] for i in plan["instances"])
              for k, v in manifest.get("shared", {}).items()}
    variables = {**{k: None for k in declared}, **config, **shared, **own}
    root = "%s/%s" % (out, instance["name"])
    environment = {"SLIPWAY_" + k.upper(): v for k, v in own.items()}
    environment["SLIPWAY_HOME"] = "/usr/lib/slipway/component"
    environment["SLIPWAY_CHANGED"] = "all"
    environment.update({"CFG_" + k: text(v) for k, v in config.items()})
    environment.update({"SHARED_" + k: text(v) for k, v in shared.items()})
    environment.update(manifest["run"].get("env", {}))
    write(root + "/env", "".join("export %s='%s'\n" % (k, v.replace("'", "'\\''")) for k, v in environment.items()))
    write(root + "/command", "\n".join(expand(manifest["run"]["command"], variables)) + "\n")
    write(root + "/user", manifest["run"].get("user", "root") + "\n")
    for name in manifest.get("secrets", {}):
        for suffix in ("", ".key", ".crt", ".ca"):
            value = plan["secrets"].get(instance["name"] + "/" + name + suffix) or plan["secrets"].get(name + suffix)
            if value:
                write("%s/run/secrets/%s%s" % (root, name, suffix), value)
    for name, t in manifest.get("templates", {}).items():
        with open("%s/templates/%s" % (home, name), encoding="utf-8") as f:
            tree = expand(yaml.load(f, Loader=yaml.BaseLoader), variables)
        write(root + "/run/" + os.path.relpath(t["path"], "/run/slipway"), render(t.get("format", "ini"), tree))


def main():
    plan = json.load(sys.stdin)
    for instance in plan["instances"]:
        prepare(plan, instance, sys.argv[1])


main()
