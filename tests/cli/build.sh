#!/bin/bash
# SPDX-License-Identifier: MIT
# What `make all` asks of the machine: libslipway-volume is built where librbd's header is, and nobody needs it
# otherwise. What `make bench` asks is installed, or named.
set -eu
. "$(dirname "$0")/../lib.sh"

# would CC: what `make all` would link with that compiler, from nothing.
would() { make -C "$ROOT" -n B="$TMP/none" CC="$1" all 2>/dev/null | grep -o ' LD [^;]*'; }

cc=${CC:-gcc}
without=$(would "$cc -nostdinc")
check_has "a machine without librbd's header gets the programs" "$without" "LD slipway-agent"
check_hasnt "and no library that needs it" "$without" libslipway-volume
mkdir -p "$TMP/include/rbd"
: >"$TMP/include/rbd/librbd.h"
check_has "where the header is the library is built" "$(would "$cc -I$TMP/include")" libslipway-volume.so

mkdir "$TMP/bin"
for tool in bash dirname mktemp rm; do ln -s "$(command -v "$tool")" "$TMP/bin"; done
check_status "a benchmark on a machine without etcd" 1 env PATH="$TMP/bin" bash "$ROOT/scripts/dev/bench/push.sh"
check_has "names it, and what installs it" \
    "$(cat "$TMP/out")" "needs etcd etcdctl curl openssl: scripts/dev/deps bench installs"
check_has "make bench installs first" \
    "$(make -C "$ROOT" --no-print-directory -n B="$TMP/none" bench 2>/dev/null | head -n 1)" "scripts/dev/deps bench"
finish
