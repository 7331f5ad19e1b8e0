#!/bin/bash
# SPDX-License-Identifier: MIT
# What the programs cost before they do anything: size, time and memory of a command that needs no cluster.
# Peer: `docker version` of the docker client, without its server.
set -eu
. "$(dirname "$0")/lib.sh"

table
for program in slipway slipway-init slipway-agent; do
    [ -x "$B/$program" ] || continue
    cp "$B/$program" "$TMP/stripped"
    strip "$TMP/stripped"
    row "size of $program, stripped" $(($(stat -c %s "$TMP/stripped") / 1024)) KiB
done
peer=
if command -v docker >/dev/null; then
    peer=$(median_ms 5 docker --version)
fi
row "start and end: slipway version" "$(median_ms 11 "$SLIPWAY" version)" ms "$peer"
if [ -x /usr/bin/time ]; then
    peer=
    command -v docker >/dev/null && peer=$(peak_kib docker --version)
    row "peak memory: slipway version" "$(peak_kib "$SLIPWAY" version)" KiB "$peer"
fi
