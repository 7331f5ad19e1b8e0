# SPDX-License-Identifier: MIT
"""What an entry of $CFG_volumes says of a volume. For volumes.py, which has the path of slipway_rules."""

import re

from slipway_rules import NAME, NAME_RULE, POOL, read_size

KEYS = {"pool", "size", "shrink", "data_pool", "from", "template", "snapshots", "rollback", "created", "absent",
        "formatting",  # `slipway volume mount` began to format it; nothing to do here
        "docker"}  # Docker made it or was given it; nothing to do here either


class Wrong(Exception):
    """This volume cannot be made; the text says why."""


def read_volume(name, v):
    """The entry with sizes in bytes, checked whole."""
    if not NAME.fullmatch(name):
        raise Wrong(NAME_RULE)
    if not isinstance(v, dict):
        raise Wrong("a map is expected")
    for key in sorted(set(v) - KEYS):
        raise Wrong("unknown key %s; known are %s" % (key, " ".join(sorted(KEYS))))
    v = dict(v, pool=v.get("pool") or POOL)
    if "size" in v:
        v["size"], why = read_size(v["size"])
        if why:
            raise Wrong(why)
    for snapshot in v.get("snapshots") or {}:
        if not NAME.fullmatch(snapshot):
            raise Wrong("snapshot %r: %s" % (snapshot, NAME_RULE))
    if v.get("from") and not re.fullmatch(r"([^/@]+/)?[^/@]+@[^/@]+", str(v["from"])):
        raise Wrong("from is %s; VOLUME@SNAPSHOT is expected" % v["from"])
    if v.get("rollback") and not ("to" in v["rollback"] and "serial" in v["rollback"]):
        raise Wrong("rollback needs to: SNAPSHOT and serial: NUMBER")
    return v


def yes(value):
    return str(value).lower() == "true"


def is_absent(entry):
    return isinstance(entry, dict) and yes(entry.get("absent"))


def created(entry):
    """Which of all snapshots of that name it is; "": the document does not say."""
    return str(entry.get("created", "")) if isinstance(entry, dict) else ""
