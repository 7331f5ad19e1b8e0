#!/bin/sh
# SPDX-License-Identifier: MIT
# build.sh OUT: compiles bs_slipway.so into OUT with the source of the tgt that is installed, which the archive has
# beside its packages. Where it has not (a mirror without sources), OUT stays empty and the driver takes tgt's own
# store.
set -eu
here=$(dirname "$0") out=$1
mkdir -p "$out" /source
for list in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
    [ ! -f "$list" ] || sed -n 's/^deb /deb-src /p' "$list"
done >/etc/apt/sources.list.d/source.list
for list in /etc/apt/sources.list.d/*.sources; do
    [ ! -f "$list" ] || sed -i 's/^Types: *deb *$/Types: deb deb-src/' "$list"
done
version=$(dpkg-query -W -f '${source:Version}' tgt)
if ! (apt-get update -q && cd /source && apt-get source -q --download-only "tgt=$version"); then
    echo "build.sh: no source of tgt $version here; iSCSI will be served by tgt's own store, which is slower" >&2
    exit 0
fi
apt-get install -qy --no-install-recommends librbd-dev
# The headers are those of upstream: Debian's patches change none.
tar -xf /source/tgt_*.orig.tar.* -C /source --strip-components=1
gcc -std=gnu17 -D_GNU_SOURCE -O2 -fno-strict-aliasing -Wall -Werror -fPIC -shared -I/source/usr \
    -o "$out/bs_slipway.so" "$here/bs_slipway.c" -lrados -lrbd
