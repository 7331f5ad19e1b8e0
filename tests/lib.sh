# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# For tests in shell: counts, a scratch folder, cleanup. Use:
#
#   #!/bin/bash
#   set -eu
#   . "$(dirname "$0")/../lib.sh"
#   on_exit 'docker rm -f my-container'
#   check "the sentence that must hold" grep -q word file
#   finish
#
# Every test ends with finish, which prints "N passed, N failed" and exits 1 on failure.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
B=${B:-build/gcc}
case $B in /*) ;; *) B=$ROOT/$B ;; esac
export ROOT B
SLIPWAY=${SLIPWAY:-$B/slipway}
TMP=$(mktemp -d "${TMPDIR:-/tmp}/slipway-test.XXXXXX")
export SLIPWAY TMP

passed=0
failed=0
skipped=0
exit_jobs=()

# on_exit 'COMMAND': run at the end, last registered first, whatever happens.
on_exit() { exit_jobs+=("$1"); }

# forget_plugin NAME: Docker asks each volume driver that it has seen, 15 s when it is gone, until its daemon is
# restarted; its own socket says no at once. Never for a name that comes again: Docker keeps the connection.
forget_plugin() { ln -sfn ../../docker.sock "/run/docker/plugins/$1.sock"; }

run_exit_jobs() {
    local status=$? i
    trap - EXIT INT TERM
    set +e
    for ((i = ${#exit_jobs[@]} - 1; i >= 0; i--)); do
        eval "${exit_jobs[i]}" >/dev/null 2>&1
    done
    [ -n "${KEEP_TMP:-}" ] || rm -rf "$TMP"
    if [ -z "${finished:-}" ]; then
        echo "not ok - the script stopped early (status $status)"
        echo "$passed passed, $((failed + 1)) failed"
        [ "$status" != 0 ] || status=1
    fi
    exit "$status"
}
trap run_exit_jobs EXIT
trap 'exit 130' INT TERM

ok() {
    passed=$((passed + 1))
    echo "ok - $1"
}

# not_ok NAME [DETAIL]
not_ok() {
    failed=$((failed + 1))
    echo "not ok - $1"
    [ -z "${2:-}" ] || printf '%s\n' "$2" | sed 's/^/    /'
}

skip() {
    skipped=$((skipped + 1))
    echo "skipped - $1: ${2:-}"
}

# check NAME COMMAND...: the command must succeed; its output is shown when it does not.
check() {
    local name=$1 out status=0
    shift
    out=$("$@" 2>&1) || status=$?
    if [ "$status" = 0 ]; then ok "$name"; else not_ok "$name" "status $status: $*
$out"; fi
}

# check_not NAME COMMAND...: the command must fail.
check_not() {
    local name=$1 out
    shift
    if out=$("$@" 2>&1); then not_ok "$name" "succeeded: $*
$out"; else ok "$name"; fi
}

# check_status NAME STATUS COMMAND...: the exact exit status; output is left in $TMP/out and $TMP/err.
check_status() {
    local name=$1 want=$2 status=0
    shift 2
    "$@" >"$TMP/out" 2>"$TMP/err" </dev/null || status=$?
    if [ "$status" = "$want" ]; then ok "$name"; else not_ok "$name" "status $status instead of $want: $*
$(tail -n 40 "$TMP/out" "$TMP/err")"; fi
}

# follow NAME STATUS [WORD...]: does what stderr says, as a person would: runs the first command line in backquotes
# there, with WORDs, by the script's own `slip`.
follow() {
    local name=$1 want=$2 line
    shift 2
    line=$(sed -n 's/there is no `[^`]*`//g; s/^[^`]*`slipway \([^`]*\)`.*/\1/p' "$TMP/err" | head -n 1)
    if [ -z "$line" ]; then
        not_ok "$name" "no command line in: $(cat "$TMP/err")"
        return
    fi
    eval "set -- $line \"\$@\"" # its quotes are a shell's
    check_status "$name: $line" "$want" slip "$@"
}

# check_has NAME TEXT NEEDLE: the text must contain the words exactly.
check_has() {
    case $2 in
    *"$3"*) ok "$1" ;;
    *) not_ok "$1" "expected: $3
got: $2" ;;
    esac
}

# check_hasnt NAME TEXT NEEDLE
check_hasnt() {
    case $2 in
    *"$3"*) not_ok "$1" "not expected: $3
got: $2" ;;
    *) ok "$1" ;;
    esac
}

# check_same NAME WANT GOT
check_same() {
    if [ "$2" = "$3" ]; then ok "$1"; else not_ok "$1" "expected: $2
got: $3"; fi
}

# wait_until SECONDS COMMAND...: tries every 200 ms; status 1 when the time is over. A minute at least: what is well
# ends it at once, and a busy machine must not decide a test.
wait_until() {
    local end=$((SECONDS + ($1 < 60 ? 60 : $1)))
    shift
    until "$@" >/dev/null 2>&1; do
        [ "$SECONDS" -lt "$end" ] || return 1
        sleep 0.2
    done
}

# A TCP port of this machine that nobody listens on now.
free_port() {
    local port
    for _ in 1 2 3 4 5 6 7 8 9 10; do
        port=$((20000 + RANDOM % 12000))
        if ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
            echo "$port"
            return 0
        fi
    done
    return 1
}

finish() {
    finished=1
    [ "$skipped" = 0 ] || echo "$skipped skipped"
    echo "$passed passed, $failed failed"
    [ "$failed" = 0 ] || exit 1
    exit 0
}
