#!/bin/bash
# SPDX-License-Identifier: MIT
# What `make all` asks of the machine: libslipway-volume is built where librbd's header is, and nobody needs it otherwise.
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
finish
