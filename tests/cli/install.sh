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
    share/slipway/dockerfiles share/slipway/scripts/host/steps/common share/slipway/scripts/host/inventory \
    share/man/man1/slipway.1 share/bash-completion/completions/slipway; do
    check "$file is there" test -e "$to/opt/slipway/$file"
done
check "the installed program finds its components" "$to/opt/slipway/bin/slipway" catalog list
check "the completion is a script that bash reads" bash -n "$to/opt/slipway/share/bash-completion/completions/slipway"
if [ -e "$B/libslipway-volume.so.0" ]; then
    at=$to/opt/slipway
    cat >"$TMP/user.c" <<'END'
#include <slipway-volume.h>
#include <stdio.h>
int main(void)
{
    struct sv_connection *c;
    struct sv_options o = SV_OPTIONS_INIT;
    struct sv_error e;
    int r = sv_connect(&c, &o, &e);
    printf("%s %d %s\n", sv_version(), r, e.text);
    return 0;
}
END
    flags=$(PKG_CONFIG_PATH=$at/lib/pkgconfig PKG_CONFIG_SYSROOT_DIR=$to pkg-config --cflags --libs slipway-volume)
    # shellcheck disable=SC2086 # words
    check "a program builds with what pkg-config says" gcc -Wall -Werror -o "$TMP/user" "$TMP/user.c" $flags
    want="0.1.0 -22 no monitors: give their addresses or conf_file"
    check_same "and runs with the shared library" "$want" "$(LD_LIBRARY_PATH=$at/lib "$TMP/user")"
    check "the same with the archive" gcc -o "$TMP/static" "$TMP/user.c" -I"$at/include" "$at/lib/libslipway-volume.a" \
        -lrbd -lrados -lpthread
    check_same "which needs no library of ours" "$want" "$("$TMP/static")"
    cp "$TMP/user.c" "$TMP/user.cc"
    check "the header is C++ too" clang -fsyntax-only -I"$at/include" "$TMP/user.cc"
    declared=$(grep -oE '\bsv_[a-z_]+\(' "$at/include/slipway-volume.h" | tr -d '(' | sort -u)
    check_same "it exports what the header declares" "$declared" \
        "$(nm -D --defined-only "$at/lib/libslipway-volume.so" | sed -n 's/.* T \(sv_[a-z_]*\).*/\1/p' | sort)"
    check_same "and so does the archive" "$declared" \
        "$(nm --defined-only "$at/lib/libslipway-volume.a" | sed -n 's/.* [A-TV-Z] //p' | sort)"
    page=$at/share/man/man3/slipway-volume.3
    if command -v man >/dev/null; then
        check_same "the man page has no mistake" "" "$(man --warnings -l "$page" 2>&1 >/dev/null)"
    else
        skip "the man page" "no man"
    fi
    check_same "and every function" "" "$(for f in $declared; do grep -q "$f(" "$page" || echo "$f"; done)"
else
    skip "libslipway-volume" "librbd-dev is not installed"
fi
check "make uninstall works" make -C "$ROOT" -s B="$B" DESTDIR="$to" prefix=/opt/slipway uninstall
check_same "nothing is left" "" "$(find "$to" ! -type d)"

finish
