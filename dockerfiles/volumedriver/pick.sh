#!/bin/sh
# SPDX-License-Identifier: MIT
# pick.sh BEFORE OUT: copies to OUT what the volume drivers load and the base (list of files BEFORE) does not have: the
# programs, the modules that they open by name, Python with its library, and the libraries of all of them.
set -eu
before=$1 out=$2
lib=/usr/lib/$(uname -m)-linux-gnu
python=$(basename "$(readlink -f /usr/bin/python3)")
list=$(mktemp)

for p in /usr/bin/qemu-storage-daemon /usr/bin/qemu-img /usr/bin/qemu-io /usr/sbin/tgtd /usr/sbin/tgtadm \
    /usr/bin/fusermount3 \
    /usr/sbin/mke2fs /usr/sbin/resize2fs /usr/sbin/e2fsck /etc/mke2fs.conf \
    /usr/bin/python3 "/usr/bin/$python" "$lib/qemu/block-rbd.so" \
    "$lib/qemu/block-iscsi.so" "$lib/qemu/block-blkio.so" /usr/lib/tgt/backing-store/bs_rbd.so; do
    [ -e "$p" ] || { echo "pick.sh: no $p" >&2; exit 1; }
    echo "$p"
done >"$list"

python3 -m compileall -q "/usr/lib/$python" || true
# Plug-ins of librados (authentication, messages) and Python's library without what no hook imports.
for d in "$lib/ceph" "/usr/lib/$python"; do
    [ -d "$d" ] || continue
    find "$d" -type f -o -type l
done |
    grep -vE '/(test|tests|idlelib|lib2to3|pydoc_data|_pyrepl|ensurepip|tkinter|turtledemo|unittest|xmlrpc|wsgiref)/' \
        >>"$list"

while read -r f; do
    case $f in *.so|*.so.*|/usr/*bin/*) ldd "$f" 2>/dev/null |
        awk '$2 == "=>" && $3 ~ /^\// { print $3 } $1 ~ /^\// { print $1 }' ;; esac
done <"$list" | sort -u >"$list.libs"
# A library is a chain of links: each link and its end.
while read -r f; do
    echo "$f"
    while [ -L "$f" ]; do f=$(realpath -s "$(dirname "$f")/$(readlink "$f")"); echo "$f"; done
done <"$list.libs" | sed "s,^/lib/,/usr/lib/,; s,^/lib64/,/usr/lib64/," >>"$list"

mkdir -p "$out"
sort -u "$list" | grep -vxFf "$before" >"$list.new"
tar --create --no-recursion --file - --files-from "$list.new" --directory / 2>/dev/null |
    tar --extract --file - --directory "$out"

# What scanners read in an image without the packages' own database.
mkdir -p "$out/var/lib/dpkg/status.d"
xargs dpkg -S <"$list.new" 2>/dev/null | cut -d: -f1 | sort -u | while read -r p; do
    dpkg-query -s "$p" >"$out/var/lib/dpkg/status.d/$p"
done
[ "$(wc -l <"$list.new")" -gt 200 ] || { echo "pick.sh: too little was picked" >&2; exit 1; }
