#!/bin/bash
# SPDX-License-Identifier: MIT
# `make install` into an empty folder gives a program that works from there, and `make uninstall` takes
# everything away again.
set -eu
. "$(dirname "$0")/../lib.sh"

to=$TMP/root
check "make install works" make -C "$ROOT" -s B="$B" DESTDIR="$to" prefix=/opt/slipway install
check "the installed program runs" "$to/opt/slipway/bin/slipway" version
for file in lib/slipway/slipway-init lib/slipway/slipway-agent share/slipway/components/etcd/component.yaml \
    share/slipway/dockerfiles share/man/man1/slipway.1 share/bash-completion/completions/slipway; do
    check "$file is there" test -e "$to/opt/slipway/$file"
done
check "the installed program finds its components" "$to/opt/slipway/bin/slipway" catalog list
check "the completion is a script that bash reads" bash -n "$to/opt/slipway/share/bash-completion/completions/slipway"
check "make uninstall works" make -C "$ROOT" -s B="$B" DESTDIR="$to" prefix=/opt/slipway uninstall
check_same "nothing is left" "" "$(find "$to" -type f)"

finish
