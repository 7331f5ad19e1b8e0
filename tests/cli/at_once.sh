#!/bin/bash
# SPDX-License-Identifier: MIT
# What runs many tests counts each of them, also one that fails, is broken off, or does not say how it ended.
set -eu
. "$(dirname "$0")/../lib.sh"
unset ONLY AGAIN # of `make cli ONLY=at_once` and of `.ci/run`

runs() { bash -c 'set -u; . "$0/scripts/dev/at_once.sh"; one() { eval "$1"; }
    at_once "$@"; total' "$ROOT" "$@" </dev/null; }
program() { # NAME STATUS LINE...: a unit test program
    local name=$1 status=$2
    shift 2
    { echo '#!/bin/sh' && printf 'echo "%s"\n' "$@" && echo "$status"; } >"$TMP/$name"
    chmod 755 "$TMP/$name"
}

check_status "all of them are counted" 0 runs 2 one 'count 2 0' 'count 3 0; echo seen' 'count 1 0'
check_same "what they print comes through" "seen 6 passed, 0 failed" "$(xargs <"$TMP/out")"
check_status "one that fails makes the whole fail" 1 runs 2 one 'count 2 0' 'count 1 1'
check_same "and the rest are counted" "3 passed, 1 failed" "$(xargs <"$TMP/out")"
check_status "one that does not count is a failure" 1 runs 3 one 'count 2 0' 'exit 0'
check_has "and it is said" "$(cat "$TMP/out")" "only 1 of 2 said how they ended"
check_status "two are under way at once" 0 runs 2 one "until [ -e $TMP/b ]; do sleep 0.1; done; count 1 0" \
    ": >$TMP/b; count 1 0"
export -f runs
check "what one left running holds nobody up" timeout 60 bash -c \
    "runs 2 one 'sleep 300 >/dev/null 2>&1 & echo \$! >$TMP/left; count 1 0' 'sleep 1; count 1 0'"
kill "$(cat "$TMP/left")"

program good_test 'exit 0' '[       OK ] a' '[       OK ] b'
program bad_test 'exit 1' '[       OK ] a' '[  FAILED  ] b' '[  FAILED  ] b'
program dead_test 'kill -9 $$' '[       OK ] a'
check_status "unit tests that pass" 0 "$ROOT/scripts/dev/run-unit" "$TMP/good_test"
check_status "unit tests of which one fails and one dies" 1 "$ROOT/scripts/dev/run-unit" "$TMP"/{good,bad,dead}_test
check_same "are counted" "4 passed, 2 failed" "$(tail -n 1 "$TMP/out")"
check_status "a unit test by its name" 0 env ONLY=good "$ROOT/scripts/dev/run-unit" "$TMP"/{good,bad,dead}_test
check_same "is the only one" "2 passed, 0 failed" "$(tail -n 1 "$TMP/out")"

mkdir -p "$TMP"/tree/{scripts/dev,tests/ring}
cp "$ROOT/scripts/dev/run-scripts" "$TMP/tree/scripts/dev"
script() { printf '%s\n' "$2" >"$TMP/tree/tests/ring/$1.sh"; }
script good 'echo "2 passed, 0 failed"'
script second "echo '1 passed, 0 failed'; [ -e $TMP/once ] || { : >$TMP/once; exit 3; }"
check_status "a script that fails" 1 env JOBS=2 "$TMP/tree/scripts/dev/run-scripts" ring
check_same "is counted" "3 passed, 1 failed" "$(tail -n 1 "$TMP/out")"
rm "$TMP/once"
check_status "where scripts get a second try, one may fail once" 0 env AGAIN=1 "$TMP/tree/scripts/dev/run-scripts" ring
check_has "which is shown" "$(cat "$TMP/out")" "not ok - second: 1 passed, 1 failed, status 3"
check_same "and the second try counts" "3 passed, 0 failed" "$(tail -n 1 "$TMP/out")"
script second 'exit 3'
check_status "one that fails again" 1 env AGAIN=1 "$TMP/tree/scripts/dev/run-scripts" ring
check_same "is a failure" "2 passed, 1 failed" "$(tail -n 1 "$TMP/out")"
finish
