#!/bin/bash
# SPDX-License-Identifier: MIT
# The drill itself, on plain files in place of a storage (tests/drill/paper.py): it is content with what is right, finds
# each kind of damage, and does the same again for the same seed.
set -eu
. "$(dirname "$0")/../lib.sh"

drill() { python3 -B "$ROOT/tests/drill/drill.py" --paper --folder "$TMP/$1" --pace 0.01 "${@:2}"; }
# damaged KIND SENTENCE LINE...: what the lines do to a volume is found, and said so.
damaged() {
    local kind=$1 sentence=$2
    shift 2
    printf '%s\n' "$@" settle >"$TMP/$kind.script"
    check_status "$kind: it fails" 1 drill "$kind" --script "$TMP/$kind.script"
    check_has "$kind: and says why" "$(cat "$TMP/out")" "$sentence"
    check_has "$kind: and how to do it again" "$(cat "$TMP/out")" "make drill SCRIPT=$TMP/$kind/"
}

taken=("takeover a v1 volumedriver-fuse-2" "writing 10")
printf '%s\n' "${taken[@]}" "detach b v2 force" "attach b v2 volumedriver-qemu-1" "handover a v2 volumedriver-fuse-1" \
    settle >"$TMP/clean.script"
check_status "volumes that are handed on by the rules: nothing is wrong" 0 drill clean --script "$TMP/clean.script"
result() { jq -c "$1" "$TMP/clean/clean-script/result.json"; }
check_same "it was compared" true \
    "$(result '.writes > 40 and .reads > 0 and ."bytes compared" > 8000000 and .censuses >= 15')"
check_same "what was done is kept, to be done again" "$(cat "$TMP/clean.script")" \
    "$(sed '1d' "$TMP/clean/clean-script/actions" | head -n 6)"

damaged foreign "foreign: a block of another volume" "${taken[@]}" "plant foreign a v1"
damaged lost "lost: zeros" "${taken[@]}" "plant lost a v1"
damaged torn "half a block" "${taken[@]}" "plant torn a v1"
damaged unfenced "two writers: a block of one who no longer had the volume" "${taken[@]}" "plant unfenced a v1" \
    "writing 60"
damaged nofence "after its writer was fenced" "plant nofence a v1" "${taken[@]}"
damaged unknown "there is no action nonsense" "nonsense a v1"
export DRILL_PATIENCE=3
damaged waiting "its writer does not go on" "hush a v1" "writing 5" "quiet a v1" "takeover a v1 volumedriver-fuse-2" \
    "writing 5"

check_status "a script that is not there" 1 drill none --script none
check_has "names those that are" "$(cat "$TMP/err")" "two-writers"
list() { python3 -B "$ROOT/tests/drill/drill.py" --paper --folder "$TMP/list" --seed "$1" --list 40; }
check_same "the same seed is the same sequence" "$(list 7 | sha256sum)" "$(list 7 | sha256sum)"
check_not "another one is another" test "$(list 7 | sha256sum)" = "$(list 8 | sha256sum)"
for seed in 1 2 3; do list "$seed"; done >"$TMP/lists"
for kind in pause takeover detach unplug disconnect kill kill9 restart remove etcdout keep rmforeign stale quiet \
    handover poolrm; do
    check "long runs have $kind in them" grep -qE "^(cut [0-9]+ [A-Z]+ )?$kind " "$TMP/lists"
done
finish
