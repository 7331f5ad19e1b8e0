# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# For what runs many tests: several at once, and one count of all of them.

counts=$(mktemp)
trap 'rm -f "$counts"' EXIT
trap 'kill $(jobs -p) 2>/dev/null; wait; exit 130' INT TERM

# count GOOD BAD: safe beside others that count.
count() { echo "$1 $2" >>"$counts"; }

# at_once JOBS FUNCTION WORD...: FUNCTION WORD for each word, in a process of its own, JOBS of them at a time. What one
# prints comes whole, when it has ended. One that does not count was broken off.
at_once() {
    local jobs=$1 what=$2 word running=0
    shift 2
    for word; do
        if [ "$running" -ge "$jobs" ]; then
            wait -n
            running=$((running - 1))
        fi
        (
            out=$("$what" "$word" 2>&1)
            exec 9>>"$counts" # not before: what a test left running would keep the lock
            flock 9
            printf '%s\n' "$out"
        ) &
        running=$((running + 1))
    done
    wait
    [ "$(wc -l <"$counts")" = $# ] || { echo "not ok - only $(wc -l <"$counts") of $# said how they ended"; count 0 1; }
}

# total: prints "N passed, N failed"; status 1 if something failed.
total() { awk '{ good += $1; bad += $2 } END { printf "%d passed, %d failed\n", good, bad; exit bad != 0 }' "$counts"; }
