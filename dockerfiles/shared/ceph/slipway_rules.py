# SPDX-License-Identifier: MIT
"""What a volume may be called and how large it may be, as the program says it: `slipway-agent volume-rules`, printed
from installer/base/volume_rules.h. Hook `prepare` keeps it in memory."""

import json
import os
import re

from slipway_ceph import RUN

with open(os.path.join(RUN, "volume-rules.json")) as rules_file:
    RULES = json.load(rules_file)
_name, _size = RULES["name"], RULES["size"]
NAME = re.compile("[%s][%s]{0,%d}" % (re.escape(_name["first"]), re.escape(_name["further"]), _name["length_max"] - 1))
NAME_RULE = _name["rule"]
UNITS = _size["units"]
FACTORS = {unit[:1].lower(): factor for unit, factor in UNITS.items()}
PATTERN = re.compile(_size["pattern"])
LENGTH_MAX, PLACES_MAX = 100, 18
POOL = RULES["pool"]
TEMPLATE = RULES["template"]
CREATE_OPTIONS = RULES["create_options"]


def parse_size(value):
    """Bytes of what installer/conf/units.h calls a size: 10GiB, 1.5G, 1gb, 1024; None when it is not one."""
    text = str(value)
    if len(text) > LENGTH_MAX or not PATTERN.fullmatch(text):
        return None
    number, places, unit = re.match(r"([0-9]+)\.?([0-9]*)([a-z]?)", text.lower()).groups()
    factor, places = FACTORS.get(unit, 1), places[:PLACES_MAX]
    size = int(number) * factor + int(places or 0) * factor // 10 ** len(places)
    return size if size < 1 << 63 else None


def format_size(size):
    """As `slipway volume` writes it: in the largest unit that is exact."""
    unit = max((u for u in UNITS if size % UNITS[u] == 0), key=UNITS.get)
    return "%d%s" % (size // UNITS[unit], unit)


def size_problem(size):
    """The end of the sentence that refuses a volume of that many bytes, as parse_size has them, or None."""
    if size is None:
        return _size["words"] + " is expected"
    if not _size["min"] <= size <= _size["max"]:
        return _size["rule"]
    return _size["step_rule"] if size % _size["step"] else None


def read_size(value):
    """(bytes of what an entry says is a volume's size, the sentence that refuses it or None)."""
    size = parse_size(value)
    why = size_problem(size)
    return size, why and "size %s: %s" % (value, why)
