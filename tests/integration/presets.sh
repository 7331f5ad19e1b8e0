#!/bin/bash
# SPDX-License-Identifier: MIT
# Pools by policies, on a real cluster of two hosts with two OSDs each: which policy is taken and why, none is a
# refusal, parts on hosts, I/O that waits for c parts, and compression changed while the pool lives.
# about 110 s
set -eu
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../environment.sh"

needs "presets" jq
environment presets
components <<END
etcd: {instances: 1}
ceph-mon: {instances: 1}
ceph-mgr:
  instances: 1
  config:
    pools:
      volumes: {policies: ["1+2 x=1", "1+1 c=1"], pg_num: 8}
      parts: {kind: erasure, policies: [4+2, {k: 2, m: 1, c: 3, x: 2}, 1+1], pg_num: 8}
ceph-osd:
  instances: 4
  overrides:
    ceph-osd-1: {config: {crush_host: one}}
    ceph-osd-2: {config: {crush_host: one}}
    ceph-osd-3: {config: {crush_host: two}}
    ceph-osd-4: {config: {crush_host: two}}
END
ceph() { docker exec "$env-ceph-mon-1" ceph "$@"; }
pool() { ceph osd pool ls detail -f json | jq -r --arg name "$1" ".[] | select(.pool_name == \$name) | $2"; }
shown() { slip pool show --json "$1" | jq -r ".$2"; }

check_status "up" 0 slip -f "$file" up

# ---- which one, and why ------------------------------------------------------------------------------
check_same "the second policy was taken" "2 of 3: 2+1 c=3 x=2" "$(shown parts policy)"
check_same "it says why" "4+2 needs 6 osds, there are 4" "$(shown parts why)"
check_same "k + m and c are the pool's" "3 3 3" "$(pool parts '"\(.type) \(.size) \(.min_size)"')"
check_same "copies, for images" "2 of 2: 1+1 c=1" "$(shown volumes policy)"
check_same "because of the hosts" "1+2 x=1 needs 3 hosts, there are 2" "$(shown volumes why)"
check_same "the pool has its copies" "1 2 1" "$(pool volumes '"\(.type) \(.size) \(.min_size)"')"
check_has "the list shows the policies" "$(slip pool list)" "4+2, 2+1"
check_status "up again changes nothing" 0 slip plan
check_status "check is content" 0 slip --json check ceph-mgr policies
check_same "with both pools" "SUCCESS SUCCESS" \
    "$(jq -r '[.results[] | select(.code == "mgr.policies").result] | join(" ")' "$TMP/out")"
clean() { ceph pg stat -f json | jq -e \
    '.pg_summary | .num_pgs > 0 and ([.num_pg_by_state[] | select(.name == "active+clean").num] | add) == .num_pgs'; }
check "everything gets clean" wait_until 180 clean
# OSD 1 and 2 are on one host, 3 and 4 on the other.
crowded() {
    ceph pg ls-by-pool parts -f json | jq '[.pg_stats[].acting |
        map(if . <= 2 then "one" else "two" end) | (map(select(. == "one")) | length) as $n |
        select($n > 2 or $n < 1)] | length'
}
check_same "no host has more than x parts" 0 "$(crowded)"

# ---- by command -------------------------------------------------------------------------------------
check_status "a pool by command" 0 "$SLIPWAY" -e "$env" pool create fast --policy 2+2,c=3,x=1 --policy '2+2 c=3' \
    --compression lz4
check_has "it says which and why" \
    "$(cat "$TMP/out")" "fast: policy 2 of 2: 2+2 c=3, because 2+2 c=3 x=1 needs 4 hosts, there are 2"
says "none can be had" 5 "none of its policies can be had" slip pool create none --policy 8+3 --policy '3+2 x=1'
check_has "it says what each needs" \
    "$(cat "$TMP/err")" "8+3 needs 11 osds, there are 4; 3+2 x=1 needs 5 hosts, there are 2"
check_same "nothing was made of it" "" "$(pool none .pool_name)"
check "nothing is left of it" wait_until 60 slip status
says "copies have too few places for I/O" 5 "its 6 parts go to different osds, 5 of them must be there for I/O, and \
the OSDs that are up are in 4" slip pool create none --size 6 --min-size 5
check_same "nothing was made of that either" "" "$(pool none .pool_name)"
says "policies and copies" 6 "either policies, or size" slip pool create x --policy 1+1 --size 2
says "c is checked" 6 "c is 9; 4 to 6 are allowed" slip pool create x --policy '4+2 c=9'

# ---- a pool that cannot be made, an order that is refused -----------------------------------------------
check_status "a pool with far too many placement groups is stored" 0 slip config set ceph-mgr pools.wide \
    '{"size":2,"pg_num":60000}'
complains() { slip status --json | jq -re '.instances[] | select(.instance == "ceph-mgr-1").config.error' | grep "$1"; }
check "and refused in Ceph's own words" wait_until 60 complains "pool wide: .*pg_num"
check_status "a volume is made nevertheless" 0 slip volume create other --size 16MiB
check_status "so is a pool" 0 slip pool create next --size 2 --pg-num 8
says "Ceph's words are those of pool create too" 5 "pg_num" slip pool create wider --size 2 --pg-num 60000
check_status "it goes: it never was" 0 slip pool delete --yes wide
says "a pool that is there is refused" 5 "the monitors let nobody delete a pool" slip pool delete --yes next
check_same "and stays" replicated \
    "$(slip pool list --json | jq -r '.[] | select(.name == "next") | if .absent then "deleting" else .kind end')"
# Else the answer to the order before could be taken for that to the next one, which asks for the same.
check "and all is well" wait_until 60 slip status
check_status "somebody does not wait for the answer" 0 slip pool delete --yes next --no-wait
check "the order is refused" wait_until 60 complains "pool next: the monitors let nobody"
check_has "it is in the list" "$(slip pool list | grep next)" deleting
stays() { slip pool list --json | jq -e 'any(.[]; .name == "next" and .kind == "replicated" and (.absent | not))'; }
says "the next command takes it back" 0 \
    "pool next stays, the order to delete it is taken back: the monitors let nobody" \
    slip volume create more --size 16MiB
check "the pool is in the list" stays
check "then all is well" wait_until 60 slip status
check_status "somebody does not wait again" 0 slip pool delete --yes next --no-wait
check "the order is refused again" wait_until 60 complains "pool next: the monitors let nobody"
says "up takes it back too" 0 "pool next stays, the order to delete it is taken back" slip up
check "the pool is in the list again" stays
check "then all is well again" wait_until 60 slip status
ordered() { slip pool list --json | jq -e 'any(.[]; .name == "next" and .absent)'; }
setsid bash -c "trap - INT; exec '$SLIPWAY' -e '$env' pool delete --yes next" >"$TMP/cut" 2>&1 &
cut=$!
check "an order to delete is recorded" wait_until 60 ordered
kill -INT "$cut"
status=0
wait "$cut" || status=$?
check_same "interrupted, it waits for the refusal" 5 "$status"
check_has "it says so" "$(cat "$TMP/cut")" "a second Ctrl-C leaves at once"
check "and takes it back" stays
check "then all is well after that" wait_until 60 slip status
check_status "the monitors are told to allow it" 0 slip config set ceph-mon allow_pool_delete true
check_status "then it goes" 0 slip pool delete --yes next

# ---- an edit of the document loses no data ---------------------------------------------------------------
says "a pool is not deleted by config set" 6 "is not set by hand: \`slipway pool delete fast\`" \
    slip config set ceph-mgr pools.fast.absent true
says "nor a volume" 6 "is not set by hand: \`slipway volume delete other\`" \
    slip config set ceph-mgr volumes.other '{"absent":true}'
printf '#!/bin/sh\nprintf "volumes: {other: {absent: true}}\\n" >"$1"\n' >"$TMP/editor"
chmod +x "$TMP/editor"
says "nor by config edit" 6 "is not set by hand: \`slipway volume delete other\`" \
    env EDITOR="$TMP/editor" XDG_RUNTIME_DIR="$TMP" "$SLIPWAY" -q -e "$env" config edit ceph-mgr </dev/null
sed 's/^    config:$/&\n      volumes: {other: {absent: true}}/' "$file" >"$TMP/lossy.yaml"
says "plan says so of a file" 6 "is not set by hand: \`slipway volume delete other\`" slip -f "$TMP/lossy.yaml" plan
says "nor does up delete it" 6 "is not set by hand: \`slipway volume delete other\`" slip -f "$TMP/lossy.yaml" up
check "it is there" docker exec "$env-ceph-mon-1" rbd info volumes/other
follow "the command that it names does" 0 --yes
check_not "it is gone" docker exec "$env-ceph-mon-1" rbd info volumes/other
check_status "the other volume goes" 0 slip volume delete --yes more

# ---- compression ------------------------------------------------------------------------------------
check_same "compression is on" "lz4 aggressive" \
    "$(pool fast '"\(.options.compression_algorithm) \(.options.compression_mode)"')"
docker exec "$env-ceph-mon-1" sh -c 'head -c 8388608 /dev/zero | tr "\0" A >/tmp/a'
put() { docker exec "$env-ceph-mon-1" timeout "$1" rados -p "$2" put "$3" /tmp/a; }
check "an object that compresses well" put 300 fast a
compressed() { [ "$(shown fast compressed_bytes)" -gt 0 ]; }
check "takes less" wait_until 60 compressed
check "and is the same" docker exec "$env-ceph-mon-1" sh -c 'rados -p fast get a /tmp/b && cmp /tmp/a /tmp/b'
check_status "another algorithm" 0 slip config set ceph-mgr pools.fast.compression zstd
effective() { [ "$(shown fast compression_in_effect)" = "$1" ]; }
check "is in effect while the pool lives" wait_until 60 effective "zstd, aggressive"
check_status "none" 0 slip config set ceph-mgr pools.fast.compression none
check "too" wait_until 60 effective none
check_status "an unknown algorithm is stored" 0 slip config set ceph-mgr pools.fast.compression pkzip
refused() { slip status --json | jq -e \
    '.instances[] | select(.instance == "ceph-mgr-1").config.error | test("pkzip")'; }
check "and refused by name" wait_until 60 refused
check_status "mended" 0 slip config set ceph-mgr pools.fast.compression lz4
check "all is well again" wait_until 60 slip status

# ---- c: a lost OSD ----------------------------------------------------------------------------------
check "an object with all parts there" put 300 parts a
docker kill "$env-ceph-osd-4" >/dev/null
down() { [ "$(ceph osd stat -f json | jq .num_up_osds)" = 3 ]; }
check "the cluster sees that an OSD is lost" wait_until 120 down
warned() { # WORDS
    slip --json check ceph-mgr policies >"$TMP/check" || true
    jq -e '.results[] | select(.result == "WARNING" and (.message | test($words)))' --arg words "$1" "$TMP/check"
}
lacking() { warned "parts cannot have all its parts apart"; }
check "check warns" wait_until 60 lacking
waiting() { ceph pg ls-by-pool parts -f json | jq -e \
    '[.pg_stats[] | select(.state | test("active") | not)] | length > 0'; }
check "placement groups with 2 of 3 parts wait, because c is 3" wait_until 120 waiting
missed=0
for i in 1 2 3 4 5 6; do put 5 parts "lost-$i" >/dev/null 2>&1 || missed=$((missed + 1)); done
check "writes to them wait" test "$missed" -gt 0
check_status "c is lowered while the pool lives" 0 slip config set ceph-mgr pools.parts.policies \
    '["4+2", "2+1 c=2 x=2", "1+1"]'
flows() { ! waiting; }
check "then I/O goes on" wait_until 120 flows
for i in 1 2 3 4 5 6; do check "write $i" put 300 parts "lost-$i"; done
check "what was written before is there" docker exec "$env-ceph-mon-1" sh -c \
    'rados -p parts get a /tmp/b && cmp /tmp/a /tmp/b'
check_status "the OSD comes back" 0 slip up
check "everything gets clean" wait_until 180 clean

# ---- a policy that is wanted more ---------------------------------------------------------------------
check_status "a list with another first" 0 slip config set ceph-mgr pools.parts.policies '["2+2", "2+1 c=2 x=2"]'
better() { warned "parts has policy 2.1 c=2 x=2; 2.2, which is wanted more, could be had now"; }
check "check says that it could be had" wait_until 60 better
check_same "pool show too" "2+2" "$(shown parts possible_now)"
# ---- fewer places than parts, but enough for I/O: its groups never get clean ----------------------------
check_status "enough for I/O is enough" 0 "$SLIPWAY" -e "$env" pool create six --size 6 --min-size 2
check_has "what it lacks is said" "$(cat "$TMP/out")" \
    "six: not all parts have a place: its 6 parts go to different osds, and the OSDs that are up are in 4"

# ---- what the hook says is only text -----------------------------------------------------------
hook() { # its text on standard input
    docker exec -i "$env-ceph-mgr-1" sh -c 'cat >/usr/lib/slipway/component/hooks/pool'
}
plain() { ! LC_ALL=C grep -q "$(printf '[\001-\010\013-\037\177]\|\302[\200-\237]')" "$1"; }
hook <<'END'
#!/bin/sh
cat <<'TEXT'
{"policy": "a\u001b]0;title\u0007b\u009b31m", "odd\u001b[2J": "x\r\ny"}
TEXT
END
check_status "a hook with escapes of terminals" 0 slip pool show fast
check_has "they are seen" "$(cat "$TMP/out")" 'a\x1b]0;title\x07b\xc2\x9b31m'
check_has "in a key too" "$(cat "$TMP/out")" 'odd\x1b[2J'
check "and none reaches the terminal" plain "$TMP/out"
check_status "what a new pool became is shown" 0 "$SLIPWAY" -e "$env" pool create odd --size 2
check "without them" plain "$TMP/out"
hook <<'END'
#!/bin/sh
printf 'said \033]0;title\007\302\233 31m\n' >&2
exit 3
END
check_status "a hook that fails with them" 0 slip pool show fast
check_has "is told of" "$(cat "$TMP/err")" "ceph-mgr-1: said"
check "without them" plain "$TMP/err"
check_status "down" 0 slip down --volumes --yes
finish
