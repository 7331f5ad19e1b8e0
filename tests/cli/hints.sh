#!/bin/bash
# SPDX-License-Identifier: MIT
# Every command that the program's texts tell people to type is one that there is: with its options and the operands it
# needs. `--parse-only` ends before anything is opened.
set -eu
. "$(dirname "$0")/../lib.sh"

command -v python3 >/dev/null || { skip "hints" "no python3"; finish; }
export SLIPWAY_HOME=$TMP/home DOCKER_HOST=unix://$TMP/no-docker.sock

# is_command WORD...: what only lacks a --yes, or a name of the environment, is one.
is_command() {
    local said
    said=$("$SLIPWAY" --parse-only "$@" 2>&1 </dev/null >/dev/null) && return 0
    case $said in *" it needs --yes" | *": name the environment with --env or --file") return 0 ;; esac
    echo "$said"
    return 1
}
export EDITOR=true # config edit wants one, or a terminal
python3 "$ROOT/tests/cli/hints.py" "$ROOT" >"$TMP/hints"
check "there are many" test "$(wc -l <"$TMP/hints")" -gt 100
for place in installer/cmd/ installer/plan/ components/ dockerfiles/; do check "of $place too" grep -q "^$place" \
    "$TMP/hints"; done
while IFS=$'\t' read -r place line; do
    [ "$line" != "slipway x" ] || continue # a command that the program fills in
    words=()
    eval "words=(${line#slipway})" # the quotes of an example too
    check "$place: $line" is_command "${words[@]}"
done <"$TMP/hints"

# The test finds what is wrong.
for wrong in "lock" "lock stauts" "volume delete" "up --wait" "config set ceph-osd size" "list a"; do
    # shellcheck disable=SC2086
    check_not "a hint \`slipway $wrong\` would be found" is_command $wrong
done
finish
