#!/bin/bash
# SPDX-License-Identifier: MIT
# Which policy a pool gets from which OSDs: ceph-mgr's own code on trees of OSDs, without a cluster.
set -eu
. "$(dirname "$0")/../lib.sh"

command -v python3 >/dev/null || { skip "policies" "no python3"; finish; }
# ask EXPRESSION: its value; tree(2, 1) are two hosts with two OSDs and one, down(...) the same with the last OSD down.
ask() {
    PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$ROOT/components/ceph-mgr/lib python3 -c '
import sys
import policies as P
def nodes(hosts, domain_up=True):
    out, o = [{"id": -1, "name": "default", "type": "root", "children": [-2 - i for i in range(len(hosts))]}], 0
    for i, n in enumerate(hosts):
        out.append({"id": -2 - i, "name": "h%d" % i, "type": "host", "children": list(range(o, o + n))})
        out += [{"id": j, "name": "osd.%d" % j, "type": "osd", "status": "up", "reweight": 1, "crush_weight": 1}
                for j in range(o, o + n)]
        o += n
    out[-1]["status"] = "up" if domain_up else "down"
    return out
tree = lambda *hosts: P.Topology(nodes(hosts))
down = lambda *hosts: P.Topology(nodes(hosts, False))
def choose(texts, topology, usual="osd"):
    number, reasons = P.choose([P.read(t) for t in texts.split("|")], topology, usual)
    return "%s%s" % ("none" if number is None else number + 1, "".join("; " + r for r in reasons))
def read(entry):
    try: return "%s c is %d" % (P.read(entry), P.read(entry).c)
    except ValueError as e: return str(e)
print(eval(sys.argv[1]))' "$1" 2>&1
}
choice() { check_same "$1" "$3" "$(ask "$2")"; }

choice "the first that can be had" 'choose("4+2|2+1|1+1", tree(6))' 1
choice "the next one, and why" 'choose("4+2|2+1|1+1", tree(2, 2))' "2; 4+2 needs 6 osds, there are 4"
choice "the last one, and both reasons" 'choose("4+2|2+1|1+1", tree(1, 1))' \
    "3; 4+2 needs 6 osds, there are 2; 2+1 needs 3 osds, there are 2"
choice "none, with what each needs" 'choose("4+2|2+1", tree(2))' \
    "none; 4+2 needs 6 osds, there are 2; 2+1 needs 3 osds, there are 2"
choice "the usual domain counts" 'choose("2+1|1+1", tree(3, 3), "host")' "2; 2+1 needs 3 hosts, there are 2"
choice "x of 1 is a host for each part" 'choose("2+1 x=1|1+1", tree(3, 3))' "2; 2+1 x=1 needs 3 hosts, there are 2"
choice "x of 2 is half as many hosts, with two OSDs" 'choose("2+2 x=2", tree(2, 2))' 1
choice "a host with fewer does not count" 'choose("2+2 x=2|1+1", tree(3, 1))' \
    "2; 2+2 x=2 needs 2 hosts with 2 OSDs, there are 1"
choice "x as large as all parts does not limit" 'choose("2+1 x=3", tree(3))' 1
choice "an OSD that is down does not count" 'choose("2+1|1+1", down(3))' "2; 2+1 needs 3 osds, there are 2"
choice "c is what Ceph takes when nothing is said" 'read("4+2"), read("2+1"), read("1+2"), read("1+1")' \
    "('4+2 c is 5', '2+1 c is 2', '1+2 c is 2', '1+1 c is 1')"
choice "c as said" 'read("2+1 c=3")' "2+1 c=3 c is 3"
choice "a map says the same" 'read({"k": 4, "m": 2, "c": 6, "x": "2"})' "4+2 c=6 x=2 c is 6"
choice "c below k" 'read("4+2 c=3")' "policy 4+2 c=3: c is 3; 4 to 6 are allowed"
choice "c above k + m" 'read("4+2 c=7")' "policy 4+2 c=7: c is 7; 4 to 6 are allowed"
choice "no policy" 'read("four")' "four is not a policy; write it like 4+2 or 4+2 c=5 x=1"
choice "an unknown word" "read({'k': 2, 'm': 1, 'z': 3})" \
    "policy {'k': 2, 'm': 1, 'z': 3}: z is 3; k, m, c and x are numbers"
choice "the policy that a pool was made by is found again" \
    'P.taken([P.read("4+2"), P.read("2+1"), P.read("1+1")],
        {"type": 3, "erasure_code_profile": "slipway-2-1-osd", "size": 3}, "osd")' 1
choice "none of them" 'P.taken([P.read("4+2")], {"type": 1, "size": 3, "erasure_code_profile": ""}, "osd")' None
finish
