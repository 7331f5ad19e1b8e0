#!/bin/bash
# SPDX-License-Identifier: MIT
# Pools and the places that their parts go to: ceph-mgr's own code on trees of OSDs, without a cluster.
set -eu
. "$(dirname "$0")/../lib.sh"

command -v python3 >/dev/null || { skip "pools" "no python3"; finish; }
mkdir -p "$TMP/bin"
printf '#!/bin/sh\necho "[]"\n' >"$TMP/bin/rbd"
chmod +x "$TMP/bin/rbd"
# pools DOMAIN HOSTS POOLS [HAS] [WORD...]: OSDs on each host, what is wanted, what there is: [NAME, size, min_size,
# kind, rule, profile], of which rule 1 is for OSDs and 2 for hosts.
pools() {
    local domain=$1 hosts=$2 wanted=$3 there=${4:-}
    shift $(($# < 4 ? $# : 4))
    export TREE=$hosts HAS=$there CFG_pools=$wanted CFG_failure_domain=$domain CFG_autoscale=false
    SLIPWAY_RUN=$TMP SHARED_osd_count=0 PATH=$TMP/bin:$PATH \
        timeout 60 python3 -B "$ROOT/tests/cli/mgr_pools.py" "$@" 2>&1 || true
}

check_has "a pool with a host for each copy is made" "$(pools host '[1,1,1]' '{"p": {"size": 3}}')" \
    "osd pool create pool=p rule=slipway-host size=3"
check_has "one with too few hosts for I/O is not, and it is said" "$(pools host '[3]' '{"p": {"size": 3}}')" \
    "pool p: it was not made: its 3 parts go to different hosts, 2 of them must be there for I/O, and the OSDs that \
are up are in 1; add OSDs in other hosts, or choose another failure_domain"
check_hasnt "before anything is asked for" "$(pools host '[3]' '{"p": {"size": 3}}')" "osd pool create"
check_has "the OSDs of one host are places where they may be" "$(pools osd '[3]' '{"p": {"size": 3}}')" \
    "osd pool create"
check_has "fewer hosts than copies, but enough for I/O, are enough" \
    "$(pools host '[2,1]' '{"p": {"size": 3, "min_size": 2}}')" "osd pool create"
check_has "and min_size says what is enough" "$(pools host '[2,1]' '{"p": {"size": 3, "min_size": 3}}')" \
    "3 of them must be there for I/O, and the OSDs that are up are in 2"
check_has "parts of erasure coding count as copies do" \
    "$(pools host '[4,4]' '{"p": {"kind": "erasure", "k": 2, "m": 1}}')" "osd pool create"
check_has "and are too many for one host" "$(pools host '[4]' '{"p": {"kind": "erasure", "k": 2, "m": 1}}')" \
    "pool p: it was not made: its 3 parts go to different hosts, 2 of them must be there for I/O"
check_has "what is there says what it lacks" \
    "$(pools host '[2,1]' '{"p": {"size": 3}}' '[["p", 3, 2, 1, 2]]' show p)" \
    '"lacks": "its 3 parts go to different hosts, and the OSDs that are up are in 2"'
check_hasnt "by the rule that it has, not by the domain that it was refused" \
    "$(pools host '[2,1]' '{"p": {"size": 3}}' '[["p", 3, 2, 1, 1]]' show p)" lacks
check_has "and the other way round" "$(pools osd '[2,1]' '{"p": {"size": 3}}' '[["p", 3, 2, 1, 2]]' show p)" \
    '"lacks": "its 3 parts go to different hosts, and the OSDs that are up are in 2"'
check_has "a rule that is not among them counts as the domain" \
    "$(pools host '[2,1]' '{"p": {"size": 3}}' '[["p", 3, 2, 1, 7]]' show p)" \
    "its 3 parts go to different hosts"
check_hasnt "when it does" "$(pools host '[2,1]' '{"p": {"size": 2}}' '[["p", 2, 1, 1, 2]]' show p)" lacks

# Another failure domain, when the pool is there.
check_has "a rule that stops I/O is refused" "$(pools host '[3]' '{"p": {"size": 3}}' '[["p", 3, 2]]')" \
    "pool p: it keeps its rule: the OSDs that are up are in 1 hosts, and I/O needs copies in 2 different ones"
check_same "what is enough from now on counts, and is set before the rule" \
    "osd pool set pool=p val=1 var=min_size
osd pool set pool=p val=slipway-host var=crush_rule" \
    "$(pools host '[3]' '{"p": {"size": 3, "min_size": 1}}' '[["p", 3, 2]]' | head -n 2)"
check_has "what was enough before does not" \
    "$(pools host '[3]' '{"p": {"size": 3, "min_size": 2}}' '[["p", 3, 1]]')" "pool p: it keeps its rule"
check_has "with another size Ceph's own least counts" \
    "$(pools host '[3]' '{"p": {"size": 2}}' '[["p", 3, 2]]')" "osd pool set pool=p val=slipway-host var=crush_rule"
coded='[["p", 3, 2, 3, 1, "slipway-2-1-osd"]]'
check_has "a pool that was coded for another domain is still by its policy" \
    "$(pools host '[1,1,1]' '{"p": {"kind": "erasure", "policies": ["4+2", "2+1"]}}' "$coded" show p)" \
    '"policy": "2 of 2: 2+1"'
check_has "but not by one that says how many may be on a host" \
    "$(pools host '[1,1,1]' '{"p": {"kind": "erasure", "policies": ["4+2", "2+1 x=1"]}}' "$coded" show p)" \
    "pool p exists, and by none of its policies"
check_same "the least number is set again when a size has changed it" \
    "osd pool set pool=p val=2 var=size
osd pool set pool=p val=2 var=min_size" "$(pools osd '[3]' '{"p": {"size": 2, "min_size": 2}}' '[["p", 3, 2]]')"
finish
