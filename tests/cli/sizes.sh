#!/bin/bash
# SPDX-License-Identifier: MIT
# Sizes in the maps of the storage and the drivers mean what they mean in an environment file: both parsers on one list.
set -eu
. "$(dirname "$0")/../lib.sh"

command -v python3 >/dev/null || { skip "sizes" "no python3"; finish; }
# python CODE: the hooks' rules, as hook prepare has them from the agent.
python() {
    PYTHONDONTWRITEBYTECODE=1 python3 - <<END 2>&1
import sys
sys.path[:0] = ["$ROOT/tests", "$ROOT/dockerfiles/shared/ceph",
                "$ROOT/dockerfiles/volumedriver/rootfs/usr/lib/slipway-ceph"]
import volume_rules
from slipway_rules import format_size, parse_size, size_problem
$1
END
}
rows=$(grep -c "$(printf '\t')" "$ROOT/tests/data/sizes")
check_same "every one of the list as units_test.c has it" "$rows tried" "$(python '
tried = 0
for line in open("'"$ROOT"'/tests/data/sizes"):
    text, tab, expected = line.rstrip("\n").partition("\t")
    if tab:
        got = parse_size(text)
        tried += 1
        if str("-" if got is None else got) != expected:
            print(repr(text), "is", got, "not", expected)
print(tried, "tried")')"
check_same "what is written reads back" "1 1024 3145728 1536 68719476736 1025" \
    "$(python 'print(*(parse_size(format_size(n)) for n in (1, 1024, 3 << 20, 1536, 64 << 30, 1025)))')"
check_same "a number of JSON is bytes" "1048576 None None" \
    "$(python 'print(parse_size(1048576), parse_size(1.5), parse_size(True))')"
check_same "nor a line or another script's digits" "None None None" \
    "$(python 'print(parse_size("1G\n"), parse_size("\u0661G"), parse_size("1\u212a"))')"
check_same "a long one is refused at once" "None" "$(python 'print(parse_size("9" * 1000000))')"
check_same "what is not one is told how to write it" "a size like 512MiB, 1.5G or plain bytes is expected" \
    "$(python 'print(size_problem(parse_size("10 GB")))')"
finish
