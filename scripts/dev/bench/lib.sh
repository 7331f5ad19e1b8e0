# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# For benchmarks: time things, print a small table. A figure stands beside its floor or peer, measured in
# the same run on the same machine; a number alone says nothing.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../.." && pwd)
B=${B:-build/gcc}
case $B in /*) ;; *) B=$ROOT/$B ;; esac
SLIPWAY=$B/slipway
TMP=$(mktemp -d "${TMPDIR:-/tmp}/slipway-bench.XXXXXX")
export ROOT B SLIPWAY TMP

cleanup_tmp() { rm -rf "$TMP"; }
exit_jobs=(cleanup_tmp)
on_exit() { exit_jobs+=("$1"); }
run_exit_jobs() {
    local i
    trap - EXIT INT TERM
    set +e
    for ((i = ${#exit_jobs[@]} - 1; i >= 0; i--)); do eval "${exit_jobs[i]}" >/dev/null 2>&1; done
}
trap run_exit_jobs EXIT
trap 'exit 130' INT TERM

# needs PROGRAM...: names those that are missing, and ends.
needs() {
    local program missing=()
    for program; do command -v "$program" >/dev/null || missing+=("$program"); done
    [ ${#missing[@]} = 0 ] || { echo "   needs ${missing[*]}: scripts/dev/deps bench installs what benchmarks need"; \
        exit 1; }
}

now_us() { echo "${EPOCHREALTIME/[.,]/}"; }

# time_ms COMMAND...: milliseconds it took, with two digits; its output goes to $TMP/out. Fails with it.
time_ms() {
    local begin end
    begin=$(now_us)
    "$@" >"$TMP/out" 2>&1 </dev/null || return
    end=$(now_us)
    awk -v us=$((end - begin)) 'BEGIN { printf "%.2f\n", us / 1000 }'
}

# median_ms RUNS COMMAND...
median_ms() {
    local runs=$1 i
    shift
    for ((i = 0; i < runs; i++)); do time_ms "$@" || return; done | sort -n |
        awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'
}

# peak_kib COMMAND...: the most memory it held (needs GNU time).
peak_kib() {
    /usr/bin/time -f %M -o "$TMP/peak" "$@" >"$TMP/out" 2>&1 </dev/null || return
    tail -n 1 "$TMP/peak"
}

table() { printf '%-44s %12s %12s %8s  %s\n' figure value peer ratio limit; }

# row FIGURE VALUE UNIT [PEER [LIMIT]]: LIMIT is a largest value or, as in "1.3x", a largest ratio.
# A figure that could not be measured is named as such, and so is one with a ratio for a limit and no peer.
row() {
    if [ -z "$2" ] || { [[ ${5:-} == *x ]] && [ -z "${4:-}" ]; }; then
        printf '%-44s %12s\n' "$1" "not measured"
        return
    fi
    awk -v figure="$1" -v value="$2" -v unit="$3" -v peer="${4:-}" -v limit="${5:-}" 'BEGIN {
        ratio = peer + 0 > 0 ? value / peer : 0
        if (limit ~ /x$/) fine = ratio <= limit + 0
        else if (limit != "") fine = value <= limit + 0
        printf "%-44s %12s %12s %8s  %s\n", figure, value " " unit, peer == "" ? "-" : peer " " unit,
            ratio ? sprintf("%.2f", ratio) : "-", limit == "" ? "" : limit (fine ? " ok" : " MISSED")
    }'
}
