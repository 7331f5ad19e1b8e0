#!/bin/bash
# SPDX-License-Identifier: MIT
# The storage cluster of the demo: `up` with images present beside the same engines started by bare `docker run`.
set -eu
. "$(dirname "$0")/lib.sh"

export SLIPWAY_HOME=$TMP/home
runs=${RUNS:-3}
env=bench-demo-$$
file=$TMP/$env.yaml
sed "s/^name: .*/name: $env/" "$ROOT/components/demo.yaml" >"$TMP/whole.yaml"
# What the bare start has too: the engines without the volume drivers and the controller.
sed '/volumedriver/d; /controller/d; /config: {volumes/d' "$TMP/whole.yaml" >"$file"
on_exit "$SLIPWAY -q -e $env down --volumes --yes"
up() { "$SLIPWAY" -q up "$file"; }
down() { "$SLIPWAY" -q -e "$env" down --volumes --yes; }

whole() { "$SLIPWAY" -q up "$TMP/whole.yaml"; }
whole >/dev/null 2>&1 # images
down >/dev/null
touch "$TMP/t-up" "$TMP/t-bare" "$TMP/t-whole"
for _ in $(seq "$runs"); do
    bare=$("$ROOT/scripts/dev/bench/bare_ceph.sh" --seconds 2>/dev/null || true)
    [ -z "$bare" ] || awk -v s="$bare" 'BEGIN { print s * 1000 }' >>"$TMP/t-bare"
    time_ms up >>"$TMP/t-up"
    agents=$(for pid in $(pgrep -x slipway-agent) $(pgrep -x slipway-init); do
        tr '\0' ' ' <"/proc/$pid/cgroup" >/dev/null 2>&1 && awk '/RssAnon/ { print $2 }' "/proc/$pid/status"
    done | awk '{ s += $1 } END { print s + 0 }')
    containers=$(pgrep -xc slipway-init)
    down >/dev/null
    time_ms whole >>"$TMP/t-whole"
    down >/dev/null
done
median() { sort -n "$1" | awk '{ v[NR] = $1 } END { if (NR) print v[int((NR + 1) / 2)] }'; }
table
row "up of the demo's engines: beside bare docker run" "$(median "$TMP/t-up")" ms "$(median "$TMP/t-bare")" 1.3x
row "up of the demo's engines" "$(median "$TMP/t-up")" ms "" 20000
row "up of the demo with three volume drivers" "$(median "$TMP/t-whole")" ms "" 20000
row "init and agent: private memory, a container" "$((agents / containers))" KiB "" 3072
