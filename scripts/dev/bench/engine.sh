#!/bin/bash
# SPDX-License-Identifier: MIT
# 20 trivial containers created and started over 4 connections: our engine layer beside bare calls of the
# same API on libcurl (raw_api.c). In turn, so that both see the same machine; the fastest run counts.
set -eu
. "$(dirname "$0")/lib.sh"

COUNT=20 THREADS=4 RUNS=${RUNS:-4}
image=$(docker images -q slipway/debian | head -n 1)
[ -n "$image" ] || image=$(docker images -q debian | head -n 1)
[ -n "$image" ] || { echo "no Debian image yet: run slipway up once"; exit 1; }
name=slipway-bench-engine-$$
${CC:-gcc} -O2 -o "$TMP/raw_api" "$ROOT/scripts/dev/bench/raw_api.c" -lcurl -lpthread
make -s -C "$ROOT" "$B/integration/engine_driver" B="$B"
remove() { "$TMP/raw_api" -d "$name" "$COUNT" "$THREADS" >/dev/null; }
on_exit remove

for ((i = 0; i < RUNS; i++)); do
    "$TMP/raw_api" "$image" "$name" "$COUNT" "$THREADS" >>"$TMP/raw"
    remove
    "$B/integration/engine_driver" bench "$image" "$name" "$COUNT" "$THREADS" >>"$TMP/ours"
    remove
done
best() { sort -n "$1" | head -n 1; }
table
row "$COUNT containers, $THREADS connections" "$(best "$TMP/ours")" s "$(best "$TMP/raw")" 1.05x
