#!/bin/bash
# SPDX-License-Identifier: MIT
# Configuration as large as it may be: a document of nearly a megabyte, values of 64 KiB with every kind of character, a
# map of nearly 120 KiB. They arrive byte for byte in etcd, hooks and daemon, also after a restart; one byte more is
# refused and changes nothing; what others put into etcd is refused by the instance alone.
# about 130 s
set -eu
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../environment.sh"

needs "large values" jq python3
component=large$$
catalog=$TMP/catalog/$component
on_exit "docker images -q slipway/$component | sort -u | xargs -r docker rmi -f"
environment large --catalog "$TMP/catalog"

# ---- a component with 15 texts and a map --------------------------------------------------------------
mkdir -p "$catalog/hooks"
{
    printf 'name: %s\nsummary: takes a lot\nrequires: [etcd]\ndata: {root: /data, volumes: 1}\n' "$component"
    printf 'run: {command: [sh, -c, "env >/data/daemon; exec sleep infinity"]}\n'
    printf 'ready: {settle: 0s}\nstop: {signal: KILL, grace: 1s}\nconfig:\n'
    for i in {1..15}; do echo "  w$i: {type: string, default: a, apply: live, help: a text}"; done
    echo "  map: {type: map, default: {}, apply: live, help: a map}"
} >"$catalog/component.yaml"
cat >"$catalog/hooks/apply" <<'END'
#!/bin/sh
set -eu
env >"$SLIPWAY_DATA/hook"
END
chmod 755 "$catalog/hooks/apply"
cat >"$TMP/make.py" <<'END'
import json, random, sys
folder, name, component = sys.argv[1:]
random.seed(7)
letters = "abcdefghij" + '"\\' + "'${}[]#:%!&*|>- ~`" + "äß€🚢"
def text(size):
    t = ""
    while len(t.encode()) < size - 8:
        t += random.choice(letters)
    return t + "x" * (size - len(t.encode()))
def save(name, t):
    open(folder + "/" + name, "w", encoding="utf-8").write(t)
lines = ["name: " + name, "components:", "  etcd: {instances: 1}", "  %s:" % component, "    instances: 1",
         "    config:"]
for i in range(1, 16):
    t = text(65536 if i == 1 else 62000)
    save("w%d" % i, t)
    lines.append("      w%d: '%s'" % (i, t.replace("'", "''")))
save(name + ".yaml", "\n".join(lines) + "\n")
save("exact", text(65536))
save("over", text(65537))
for name, count in (("map", 118), ("map.over", 125)):
    save(name, json.dumps({"key%03d" % i: "v" * 1000 for i in range(count)}, separators=(",", ":")))
END
python3 "$TMP/make.py" "$TMP" "$env" "$component"
check "the document is nearly a megabyte" test "$(wc -c <"$file")" -gt 900000

# config get prints a line's end behind the value.
got_is() { [ "$(slip config get "$component" "$1" | head -c -1 | sha256sum)" = "$(sha256sum <"$2")" ]; }
got_map() { [ "$(slip config get "$component" "$1" | jq -c . | head -c -1 | sha256sum)" = "$(sha256sum <"$2")" ]; }
# has WHO KEY FILE: the environment of the hook or the daemon has the value, byte for byte.
has() {
    docker exec "$env-$component-1" cat "/data/$1" | sed -n "s/^CFG_$2=//p" | head -c -1 | cmp -s - "$3"
}
# shellcheck disable=SC2317 # called by wait_until
healthy() { slip status; }
is_well() { if wait_until 120 healthy; then ok "$1"; else not_ok "$1" "$(slip status 2>&1 | cut -c1-500)"; fi; }

check_status "up takes it" 0 slip -f "$file" up
for i in 1 8 15; do
    check "config get w$i gives it back byte for byte" got_is "w$i" "$TMP/w$i"
    check "the hook gets it" has hook "w$i" "$TMP/w$i"
    check "the daemon gets it" has daemon "w$i" "$TMP/w$i"
done
check_status "there is nothing left to do" 0 slip -f "$file" plan
check_status "restart" 0 slip restart "$component-1"
is_well "all is well after a restart"
check "the daemon has it still" has daemon w15 "$TMP/w15"
check_status "config list" 0 slip config list "$component" --json
check "has every byte" jq -e --rawfile w "$TMP/w8" 'any(.key == "w8" and .value == $w)' "$TMP/out"

# ---- one value at a time ------------------------------------------------------------------------------
arrives() { wait_until 60 has hook "$1" "$2"; }
check_status "config set of 64 KiB" 0 slip config set "$component" w2 "$(cat "$TMP/exact")"
check "is given back byte for byte" got_is w2 "$TMP/exact"
check "and arrives" arrives w2 "$TMP/exact"
revisions() { # of everything but what instances report
    docker exec "$env-etcd-1" sh -c "ETCDCTL_API=3 etcdctl \
        --user \"root:\$(cat /run/slipway/secrets/root_password)\" get /slipway/$env --prefix -w json" |
        jq -c '[.kvs[] | select((.key | @base64d | test("/(status|applied|lock)$")) | not) |
            [.key, .mod_revision]] | sort'
}
before=$(revisions)
refused() { # NAME WORDS COMMAND...
    local name=$1 words=$2
    shift 2
    check_status "$name is refused" 6 "$@"
    check_has "$name: it says why" "$(cat "$TMP/err")" "$words"
    check "$name: in few words" test "$(wc -c <"$TMP/err")" -lt 4000
}
refused "config set of one byte more" "w2: longer than 64 KiB" slip config set "$component" w2 "$(cat "$TMP/over")"

printf '#!/bin/sh\ncp "%s" "$1"\n' "$TMP/edited" >"$TMP/editor"
chmod 755 "$TMP/editor"
edit() { EDITOR=$TMP/editor slip config edit "$component"; }
{ printf 'w3: "'; head -c 1000000 /dev/zero | tr '\0' q; echo '"'; } >"$TMP/edited"
refused "config edit of a text of a megabyte" "longer than 64 KiB" edit
head -c 1100000 /dev/zero | tr '\0' '#' >"$TMP/edited"
check_not "config edit of more than a document may have is refused" edit
echo "map: $(cat "$TMP/map.over")" >"$TMP/edited"
refused "config edit of a map over 120 KiB" "map: larger than 120 KiB" edit
for i in {1..15}; do echo "w$i: q"; done >"$TMP/edited"
printf 'w3: "\\0"\n' >>"$TMP/edited"
refused "config edit of a NUL and a key twice" "NUL" edit
check_same "nothing of all this changed anything in etcd" "$before" "$(revisions)"
echo "map: $(cat "$TMP/map")" >"$TMP/edited"
check_status "config edit of a map of nearly 120 KiB" 0 edit
check "is given back as it is" got_map map "$TMP/map"
check "arrives" arrives map "$TMP/map"
check_status "restart" 0 slip restart "$component-1"
is_well "all is well after that"
check "the daemon has it" has daemon map "$TMP/map"

# ---- what others put into etcd --------------------------------------------------------------------------
check_status "up sets the document again" 0 slip -f "$file" up
started=$(docker inspect -f '{{.State.StartedAt}}' "$env-$component-1")
head -c 1048576 /dev/zero | tr '\0' q | docker exec -i "$env-etcd-1" sh -c "ETCDCTL_API=3 etcdctl \
    --user \"root:\$(cat /run/slipway/secrets/root_password)\" put /slipway/$env/components/$component/config/w3" \
    >/dev/null
failed() {
    slip status --json >"$TMP/status" || true
    jq -e --arg i "$component-1" '.instances[] | select(.instance == $i) | .config.result == "failed"' "$TMP/status"
}
check "a megabyte that somebody put into etcd is refused by the instance" wait_until 60 failed
check_status "status says so" 5 slip status
check_has "and which key" "$(cat "$TMP/out")" "w3: longer than 64 KiB"
check_same "the daemon runs on" "$started" "$(docker inspect -f '{{.State.StartedAt}}' "$env-$component-1")"
check_status "config set mends it" 0 slip config set "$component" w3 fine
is_well "all is well again"
check_status "history" 0 slip config history "$component" w3
check "is short" test "$(wc -c <"$TMP/out")" -lt 4000
check_status "down --volumes" 0 slip down --volumes --yes
finish
