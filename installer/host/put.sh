#!/bin/sh
# SPDX-License-Identifier: MIT
# Writes its input to a file, all of it or nothing: sh -c "$(cat put.sh)" sh PATH BYTES MODE
# Built into the program, so it needs no file where it runs. For any POSIX shell, also busybox's.
umask 077
if [ -d "$1" ]; then
    echo "a folder is in the way: $1" >&2
    exit 1
fi
t=$1.slipway.$$
# Where the connection ends, cat sees the end of its input as it does at that of the file.
if cat >"$t" && [ "$(wc -c <"$t")" -eq "$2" ] && chmod -- "$3" "$t" && mv -f -- "$t" "$1"; then
    exit 0
fi
rm -f -- "$t"
exit 1
