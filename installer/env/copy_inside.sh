#!/bin/sh
# SPDX-License-Identifier: MIT
# The part of a copy that is done in a container: sh -c "$(cat copy_inside.sh)" sh VERB PATH [STAGE]
# Built into the program, so it needs no file where it runs. PATH is what is copied, STAGE a folder of ours.
case $1 in
probe) # what PATH is: "folder", "file MODE", "other", "none"
    if [ -d "$2" ]; then
        echo folder
    elif [ -f "$2" ]; then
        stat -Lc 'file %a' "$2"
    elif [ -e "$2" ]; then
        echo other
    else
        echo none
    fi
    ;;
file-in) # it appears whole or not at all
    if [ -d "$2" ]; then
        echo "a folder is in the way: $2" >&2
        exit 1
    fi
    t=$2.slipway.$$
    if cp -p "$3/it" "$t" && mv -f "$t" "$2"; then
        exit 0
    fi
    rm -f "$t"
    exit 1
    ;;
folder-in)
    if [ ! -d "$2" ]; then
        mkdir "$2" || exit 1
    fi
    cp -a "$3/it/." "$2/"
    ;;
file-out)
    umask 077
    mkdir "$3" && cp -p "$2" "$3/it"
    ;;
folder-out)
    umask 077
    mkdir -p "$3/it" && cp -a "$2/." "$3/it/"
    ;;
clean)
    rm -rf "$3"
    ;;
esac
