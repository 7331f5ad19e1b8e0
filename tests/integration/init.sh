#!/bin/bash
# SPDX-License-Identifier: MIT
# slipway-init as PID 1 of a container and outside: statuses, signals, orphans, grace, agent deaths.
set -eu
cd "$(dirname "$0")/../.."
B=${B:-build/gcc}
IMAGE=${IMAGE:-debian-dev:trixie}
dir=$(mktemp -d); chmod 755 "$dir"
passed=0 failed=0
names=()
cleanup() {
    for n in "${names[@]}"; do docker rm -f "$n" >/dev/null 2>&1 || true; done
    rm -rf "$dir"
}
trap cleanup EXIT

make -s "$B/slipway-init"
cp "$B/slipway-init" "$dir/"
gcc -std=gnu17 -O1 -static -D_GNU_SOURCE -Iinstaller -I. -o "$dir/slipway-agent" \
    tests/integration/init_agent.c "$B/libbase.a" -lpthread

ok() { passed=$((passed + 1)); [ -z "${V:-}" ] || echo "ok: $1"; }
bad() { failed=$((failed + 1)); echo "FAILED: $1: $2"; }
is() { if [ "$2" = "$3" ]; then ok "$1"; else bad "$1" "expected '$2', got '$3'"; fi; }
has() { if grep -q -- "$2" "$3"; then ok "$1"; else bad "$1" "no '$2' in:"; cat "$3"; fi; }
now() { date +%s%3N; }
init() { "$dir/slipway-init" "$@" 2>"$dir/err"; }
start() { "$dir/slipway-init" "$@" >"$dir/out" 2>"$dir/err" & p=$!; }
ended() { got=0; wait "$p" || got=$?; } # sets got
status_of() { local s=0; "$@" || s=$?; echo "$s"; }
wait_for() { # file text: at most 5 s
    for _ in $(seq 100); do grep -q -- "$2" "$1" 2>/dev/null && return 0; sleep 0.05; done
    return 1
}
children_gone() { # marker in argv
    for _ in $(seq 40); do pgrep -f -- "$1" >/dev/null || return 0; sleep 0.05; done
    return 1
}

# ---- outside a container ------------------------------------------------------------------------------
wrong=
for s in $(seq 0 255); do
    got=$(status_of init main sh -c "exit $s")
    [ "$got" = "$s" ] || wrong="$wrong $s->$got"
done
is "every exit status 0-255 is kept" "" "$wrong"
is "death by a signal is 128+n" 137 "$(status_of init main sh -c 'kill -9 $$')"
is "a missing program is 127" 127 "$(status_of init main /nonexistent/daemon)"
is "a program that cannot be executed is 126" 126 "$(status_of init main /etc/passwd)"
is "the agent gives up with 7" 7 "$(status_of init exit 7)"
is "the agent gives up with 0" 0 "$(status_of init exit 0)"
cp "$dir/slipway-init" "$dir/lonely-init"; mkdir "$dir/lonely"; mv "$dir/lonely-init" "$dir/lonely/slipway-init"
if [ ! -e /usr/lib/slipway/slipway-agent ]; then
    is "a missing agent is 127" 127 "$(status_of "$dir/lonely/slipway-init" 2>/dev/null)"
fi
is "the daemon has the environment it was given and no other" "given:/usr/local/bin:/usr/bin:/bin::/" \
    "$(init main sh -c 'echo "$MARK:$PATH:${SLIPWAY_INIT_FD:-}:$PWD"')"
is "only the standard descriptors reach the daemon" "0 1 2 3" \
    "$(init main sh -c 'echo $(ls /proc/self/fd)' </dev/null)"
if [ "$(id -u)" = 0 ]; then
    is "the daemon runs as its user without groups" "65534:65534:65534" \
        "$(FAKE_UID=65534 init main sh -c 'echo "$(id -u):$(id -g):$(id -G)"')"
fi
is "signals are not blocked in the daemon" "0000000000000000" \
    "$(init main sh -c "awk '/SigBlk/{print \$2}' /proc/self/status")"

# SIGTERM: the daemon's own end under its grace decides the status.
t0=$(now)
start main sh -c 'trap "echo bye; exit 23" TERM; echo up; while :; do sleep 0.05; done'
wait_for "$dir/out" up; kill -TERM $p
ended; is "SIGTERM to init is SIGTERM to the daemon, and its status is kept" 23 "$got"
has "the daemon could say goodbye" bye "$dir/out"
t=$(($(now) - t0)); [ $t -lt 1000 ] && ok "a cooperative daemon stops in under a second" || bad "stop time" "$t ms"

FAKE_GRACE=400 start main sh -c 'trap "" TERM; echo up; while :; do sleep 0.05; done'
wait_for "$dir/out" up; t0=$(now); kill -TERM $p
ended; is "a daemon that ignores SIGTERM is killed" 137 "$got"
t=$(($(now) - t0)); { [ $t -ge 400 ] && [ $t -lt 2500 ]; } && ok "after its grace" || bad "grace" "$t ms"

FAKE_SIGNAL=3 start main sh -c 'trap "exit 5" QUIT; echo up; while :; do sleep 0.05; done'
wait_for "$dir/out" up; kill -INT $p
ended; is "the stop signal is the service's own" 5 "$got"

start main sh -c 'for s in HUP USR1 USR2 WINCH; do trap "echo got-$s" $s; done
    trap "exit 0" TERM; echo up; while :; do sleep 0.02; done'
wait_for "$dir/out" up
for s in HUP USR1 USR2 WINCH; do kill -$s $p; wait_for "$dir/out" "got-$s" && ok "SIG$s is forwarded" || bad "SIG$s" "not forwarded"; done
kill -TERM $p; wait $p || true

# Orphans: double-forked processes come to init, are reaped, and do not survive the end.
start main sh -c '(setsid sh -c "exec sleep 1234.567" &) ; (sh -c "exit 3" &) ; trap "exit 0" TERM; echo up; while :; do sleep 0.05; done'
wait_for "$dir/out" up; sleep 0.3
is "orphans are reaped" 0 "$(ps --ppid $p -o stat= | grep -c Z || true)"
is "a double-forked orphan belongs to init" 1 "$(ps --ppid $p -o args= | grep -c '^sleep 1234.567')"
kill -TERM $p; wait $p || true
children_gone "sleep 1234[.]567" && ok "orphans end with init" || bad "orphans" "still there"

# The agent dies: the daemon stays.
start main sh -c 'trap "exit 0" TERM; echo pid $$; while :; do sleep 0.05; done'
wait_for "$dir/out" pid
for i in 2 3 4; do
    a=$(pgrep -P $p -f slipway-agent); kill -9 "$a"
    wait_for "$dir/err" "starts=$i services=1 first=main tag=one" && ok "agent $i learns what runs" || { bad "agent $i" "no state"; cat "$dir/err"; }
done
is "the daemon was started once" 1 "$(grep -c pid "$dir/out")"
kill -TERM $p; ended; is "and is stopped as ever" 0 "$got"

t0=$(now)
is "an agent that dies before any daemon is started again" 11 "$(FAKE_DEATHS=4 status_of init die 3 sh -c 'exit 11')"
t=$(($(now) - t0)); [ $t -ge 700 ] && ok "with a growing pause" || bad "back-off" "$t ms"

start alone; wait_for "$dir/err" "kind=6"; kill -TERM $p
ended; is "without a daemon SIGTERM ends the agent, and its status counts" 143 "$got"
start restart sh -c 'trap "exit 0" TERM; echo run; while :; do sleep 0.05; done'
for _ in $(seq 60); do [ "$(grep -c run "$dir/out")" = 2 ] && break; sleep 0.05; done
is "the agent can restart the main daemon" 2 "$(grep -c run "$dir/out")"
kill -TERM $p; ended; is "and the container goes on until SIGTERM" 0 "$got"
is "services beside the daemon end with it" 4 "$(status_of init two sh -c 'exit 4')"
children_gone "sleep 100[0]" && ok "none is left" || bad "side service" "still there"

# ---- PID 1 of a container -----------------------------------------------------------------------------
if docker image inspect "$IMAGE" >/dev/null 2>&1; then
    n=0
    container() { # detached; sets $name
        n=$((n + 1)); name=cmd-init-$$-$n; names+=("$name")
        docker run -d --name "$name" --network none --read-only -v "$dir:/usr/lib/slipway:ro" \
            --entrypoint /usr/lib/slipway/slipway-init "${opts[@]}" "$IMAGE" "$@" >/dev/null
    }
    opts=()
    for s in 0 1 42 255; do
        container main sh -c "exit $s"
        is "container: status $s" "$s" "$(docker wait "$name")"
    done
    container main /nonexistent; is "container: 127" 127 "$(docker wait "$name")"
    container exit 7; is "container: agent gives up" 7 "$(docker wait "$name")"
    container main sh -c 'setsid sh -c "sleep 1000 & sleep 1000 &" & sh -c "sh -c \"exit 1\" &"; trap "exit 9" TERM; echo up; while :; do sleep 0.05; done'
    sleep 0.5
    is "container: PID 1 is init" slipway-init "$(docker exec "$name" cat /proc/1/comm)"
    is "container: no zombies" 0 "$(docker exec "$name" sh -c "cat /proc/[0-9]*/stat | cut -d' ' -f3 | grep -c Z" || true)"
    docker exec -d "$name" sleep 1000
    t0=$(now); docker stop -t 20 "$name" >/dev/null; t=$(($(now) - t0))
    is "container: docker stop gives the daemon's status" 9 "$(docker inspect -f '{{.State.ExitCode}}' "$name")"
    [ $t -lt 2000 ] && ok "container: docker stop is quick ($t ms)" || bad "container stop" "$t ms"
    container main sh -c 'trap "exit 0" TERM; echo started; while :; do sleep 0.05; done'
    sleep 0.5
    for _ in 1 2 3; do docker exec "$name" sh -c 'for p in /proc/[0-9]*; do [ "$(cat $p/comm 2>/dev/null)" = slipway-agent ] && kill -9 ${p#/proc/}; done; true'; sleep 0.6; done
    is "container: agent kill -9 loop leaves the daemon alone" 1 "$(docker logs "$name" 2>/dev/null | grep -c started)"
    is "container: it runs" true "$(docker inspect -f '{{.State.Running}}' "$name")"
    is "container: init uses little memory" 1 "$(docker exec "$name" awk '/RssAnon/{print ($2 < 400)}' /proc/1/status)"
    opts=(--user 65534:65534)
    container main id -u
    is "container: works without root" 65534 "$(docker wait "$name" >/dev/null; docker logs "$name" 2>/dev/null)"
else
    echo "skipped: containers (no image $IMAGE)"
fi
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
