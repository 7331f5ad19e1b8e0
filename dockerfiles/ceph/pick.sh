#!/bin/sh
# SPDX-License-Identifier: MIT
# pick.sh BEFORE OUT [PROGRAM...]: copies to OUT what the Ceph daemons and tools load and the base (list of files
# BEFORE) does not have: the programs, their libraries, their plug-ins, Python with the manager's modules.
set -eu
before=$1 out=$2
shift 2
lib=/usr/lib/$(uname -m)-linux-gnu
list=$(mktemp)

programs='ceph ceph-mon ceph-mgr ceph-osd rbd rados monmaptool osdmaptool crushtool ceph-authtool ceph-conf
    ceph-bluestore-tool'
for p in $programs "$@" python3 "$(basename "$(readlink -f /usr/bin/python3)")"; do echo "/usr/bin/$p"; done >"$list"

# Packages compile only their own folder; the manager loads its modules again and again, and as a user who cannot write
# here.
python3 -m compileall -q /usr/share/ceph/mgr "/usr/lib/$(basename "$(readlink -f /usr/bin/python3)")" || true

# Opened by name at run time, so that no ldd tells: erasure codes, compressors, object classes, Python.
# Object classes stay whole: an OSD that lacks one refuses the pool that asks for it.
for d in "$lib/ceph" "$lib/rados-classes" /usr/share/ceph /usr/lib/python3.* /usr/lib/python3 /etc/python3*; do
    [ -d "$d" ] || continue
    find "$d" -type f -o -type l
done | grep -vE '/(test|tests|idlelib|lib2to3|pydoc_data|_pyrepl|ensurepip|tkinter|turtledemo)/' |
    grep -vE '/dist-packages/(ceph_volume|_?dbus|rgw\.|chardet|mako|pecan)' |
    grep -vE '/dist-packages/(webob|werkzeug|bcrypt|logutils|pkg_resources)' |
    grep -vE '/share/ceph/mgr/(alerts|influx|insights|localpool|mirroring|nfs|restful|selftest)/' |
    grep -vE '/share/ceph/mgr/(snap_schedule|stats|telegraf|test_orchestrator|zabbix)/' |
    grep -vE 'libcls_test_|id_rsa_drop' >>"$list"
# Always-on modules have to be there; prometheus, iostat and the osd_* modules are useful and small.

# requests, which the manager's telemetry imports, opens the bundle of authorities at import.
echo /etc/ssl/certs/ca-certificates.crt >>"$list"

# Libraries of all of them.
while read -r f; do
    case $f in *.so|*.so.*|/usr/bin/*) ldd "$f" 2>/dev/null |
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
[ "$(wc -l <"$list.new")" -gt 500 ] || { echo "pick.sh: too little was picked" >&2; exit 1; }
