#!/bin/sh
# SPDX-License-Identifier: MIT
# The part of a copy that is done in a container: sh -c "$(cat copy_inside.sh)" sh VERB WORD...
# Built into the program, so it needs no file where it runs.
#   probe PATH...              what each is, a line: "folder", "file MODE", "other", "none"
#   in STAGE (NUMBER PATH)...  puts STAGE/NUMBER where PATH is, and says "NUMBER ok" or "NUMBER failed REASON"
#   out STAGE (NUMBER PATH)... the other way, with "NUMBER left NAME" of what is not copied, and "NUMBER count 7"
#   clean STAGE

probe() {
    if [ -d "$1" ]; then
        echo folder
    elif [ -f "$1" ]; then
        stat -Lc 'file %a' "$1" || echo other
    elif [ -e "$1" ]; then
        echo other
    else
        echo none
    fi
}

# A file appears whole or not at all, those of a folder each: they are written beside where they will be, and get
# their names by a rename, or by a second one where the file system has such.
file_in() {
    if [ -d "$p" ]; then
        echo "a folder is in the way: $p" >&2
        return 1
    fi
    t=$p.slipway.$$
    cp -p "$f" "$t" && mv -f "$t" "$p" && return
    rm -f "$t"
    return 1
}

# Where something below is a file system of its own, which takes no second names.
one_by_one() {
    (cd "$t" && find . -type d -exec sh -c 'cd "$0" && mkdir -p "$@"' "$p" {} + &&
        find . ! -type d -exec sh -c 'p=$0
            for x; do
                t=$p/$x.slipway.$$
                cp -a "$x" "$t" && mv -f "$t" "$p/$x" || { rm -f "$t"; exit 1; }
            done' "$p" {} +)
}

folder_in() {
    [ -d "$p" ] || mkdir "$p" || return 1
    t=$p/.slipway-copy.$$ l=
    mkdir "$t" && true >"$t/a" && {
        if ln "$t/a" "$t/b" 2>/dev/null; then l=l; fi
        rm -f "$t/a" "$t/b"
        cp -a "$f/." "$t/"
    } && { cp -a${l}f "$t/." "$p/" 2>/dev/null || one_by_one; }
    r=$?
    rm -rf "$t"
    return $r
}

# Devices may not be made in a container, and cp -a would.
folder_out() {
    mkdir "$f" && cd "$p" || return 1
    if [ -z "$(find . -type b -o -type c | head -n 1)" ]; then
        cp -a . "$f/"
        return
    fi
    find . -type d -exec sh -c 'cd "$0" && mkdir -p "$@"' "$f" {} + &&
        find . -type f -exec sh -c 'd=$0; cp -p --parents "$@" "$d"' "$f" {} +
}

# The first twenty by name.
left_out() {
    [ -d "$p" ] || return 0
    (cd "$p" && find . ! -type d ! -type f -print0) | tr '\n\0' '?\n' | {
        i=0
        while IFS= read -r x; do
            i=$((i + 1))
            [ $i -gt 20 ] || printf '%s left %s\n' "$n" "${x#./}"
        done
        echo "$n count $i"
    }
}

in_one() { if [ -d "$f" ]; then folder_in; else file_in; fi; }
out_one() { if [ -d "$p" ]; then folder_out; else cp -p "$p" "$f"; fi; }

verb=$1
shift
case $verb in
probe)
    for p; do probe "$p"; done
    exit
    ;;
clean)
    rm -rf "$1"
    exit
    ;;
esac
s=$1
shift
if [ "$verb" = out ]; then
    umask 077
    mkdir "$s" || exit 1
fi
while [ $# -gt 0 ]; do
    n=$1 p=$2 f=$s/$1
    shift 2
    if e=$({ "${verb}_one"; } 2>&1 >/dev/null); then
        echo "$n ok"
        [ "$verb" = in ] || left_out
    else
        printf '%s failed %.500s\n' "$n" "${e%%
*}"
    fi
done
