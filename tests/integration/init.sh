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
start() { : >"$dir/out"; "$dir/slipway-init" "$@" >"$dir/out" 2>"$dir/err" & p=$!; }
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
# Takes as long as init waits for an agent: looked at further down.
"$dir/slipway-init" mute sh -c 'exit 21' 2>"$dir/mute" & mute=$!
FAKE_PAUSE=6000 "$dir/slipway-init" again sh -c 'exit 22' 2>"$dir/slow" & slow=$!
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
is "the soft limit of open files is raised to the hard one" "4096 4096" \
    "$(ulimit -Sn 1024; ulimit -Hn 4096; init main sh -c 'echo "$(ulimit -Sn) $(ulimit -Hn)"')"

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
for s in HUP USR1 USR2 WINCH; do kill -$s $p; wait_for "$dir/out" "got-$s" && ok "SIG$s is forwarded" ||
    bad "SIG$s" "not forwarded"; done
kill -TERM $p; wait $p || true

# Orphans: double-forked processes come to init, are reaped, and do not survive the end.
start main sh -c '(setsid sh -c "exec sleep 1234.567" &) ; (sh -c "exit 3" &) ; trap "exit 0" TERM; echo up
    while :; do sleep 0.05; done'
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
    wait_for "$dir/err" "starts=$i services=1 first=main tag=one" && ok "agent $i learns what runs" ||
        { bad "agent $i" "no state"; cat "$dir/err"; }
done
is "the daemon was started once" 1 "$(grep -c pid "$dir/out")"
kill -TERM $p; ended; is "and is stopped as ever" 0 "$got"

t0=$(now)
is "an agent that dies before any daemon is started again" 11 "$(FAKE_DEATHS=4 status_of init die 3 sh -c 'exit 11')"
t=$(($(now) - t0)); [ $t -ge 700 ] && ok "with a growing pause" || bad "back-off" "$t ms"

is "services beside the daemon end with it" 4 "$(status_of init two sh -c 'exit 4')"
children_gone "sleep 100[0]" && ok "none is left" || bad "side service" "still there"

# The daemon ends by itself: the agent decides.
is "an agent may start a daemon that ended once more" 6 \
    "$(status_of init again sh -c "test -e $dir/twice && exit 6; touch $dir/twice; echo it hurts >&2; exit 1")"
has "and is told what it said last" "it said <it hurts>" "$dir/err"
is "a program that is missing is the agent's to decide too" 127 "$(status_of init again /nonexistent)"
is "an agent that dies of it leaves the daemon's status" 8 "$(status_of init dying sh -c 'exit 8')"
p=$mute; ended; is "one that says nothing too" 21 "$got"
p=$slow; ended; is "one that asked for time has it" 22 "$got"
is "and starts the daemon after it" 2 "$(grep -c 'kind=7' "$dir/slow")"

# Output passes through init.
init main sh -c 'i=0; while [ $i -lt 20000 ]; do echo "line $i of many"; i=$((i + 1)); done; echo err >&2; printf end' \
    >"$dir/out"
is "no output is lost" "20001 end" "$(grep -c '' "$dir/out") $(tail -c 3 "$dir/out")"
has "standard error is its own" '^err$' "$dir/err"
start main sh -c 'trap "exit 0" TERM; printf question; while :; do sleep 0.05; done'
wait_for "$dir/out" question && ok "what is not a whole line yet is passed on too" || bad "output" "held back"
kill -TERM $p; ended
is "a reader that leaves does not end the daemon" 3 "$( {
    "$dir/slipway-init" main sh -c 'sleep 0.3; i=0
        while [ $i -lt 3000 ]; do echo "line $i"; i=$((i + 1)); done; exit 3' 2>/dev/null
    echo $? >"$dir/code"
} | head -c 1 >/dev/null & wait; cat "$dir/code")"

start alone; wait_for "$dir/err" "kind=6"; kill -TERM $p
ended; is "without a daemon SIGTERM ends the agent, and its status counts" 143 "$got"
start restart sh -c 'trap "exit 0" TERM; echo run; while :; do sleep 0.05; done'
for _ in $(seq 60); do [ "$(grep -c run "$dir/out")" = 2 ] && break; sleep 0.05; done
is "the agent can restart the main daemon" 2 "$(grep -c run "$dir/out")"
kill -TERM $p; ended; is "and the container goes on until SIGTERM" 0 "$got"

# ---- a service for each connection --------------------------------------------------------------------
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
door() { # COMMAND: the service of each connection
    FAKE_PORT=$port FAKE_DOOR=$1 start main sh -c 'trap "exit 0" TERM; echo up; while :; do sleep 0.05; done'
    wait_for "$dir/err" "kind=7 service=door" || bad "door" "does not open"
}
visitors() { python3 tests/integration/init_visitors.py "$port" "$@"; }
served() { pgrep -c -P "$p" -f -- "$1" || true; }
door 'read -r line; echo "<$line>"; echo said >&2'
is "a connection is the input and output of a service of its own" "<one> <two>" "$(visitors say one two)"
is "nothing of it runs before and after" 2 "$(ps --ppid "$p" -o pid= | wc -l)"
has "its messages are init's" said "$dir/err"
a=$(pgrep -P "$p" -f slipway-agent); kill -9 "$a"
wait_for "$dir/err" "starts=2 services=2" && ok "a new agent learns that it listens" ||
    bad "new agent" "$(cat "$dir/err")"
is "and connections went on" "<three>" "$(visitors say three)"
kill -TERM "$p"; ended; is "the end of the daemon is not held up by it" 0 "$got"
is "and then nobody listens" "refused" "$(visitors say four)"
door 'exec sleep 321.5'
is "so many may be logging in from one address" "10 of 30" "$(visitors hold 30 127.0.0.1)"
is "another address still gets in" "5 of 5" "$(visitors hold 5 127.0.0.2)"
is "up to a bound for all" "5 of 20" "$(visitors hold 20 127.0.0.3)"
is "no more than that were started" 20 "$(served 'sleep 321[.]5')"
is "it says so once" 1 "$(grep -c 'too many connections' "$dir/err")"
pkill -P "$p" -f 'sleep 321[.]5'; sleep 0.3
is "who ends makes room" "3 of 3" "$(visitors hold 3 127.0.0.1)"
kill -TERM "$p"; ended
children_gone 'sleep 321[.]5' && ok "connections end with init" || bad "connections" "still there"
door 'bash -c "exec -a root@notty sleep 322.5"; :'
for i in 1 2 3; do is "who is logged in does not count ($i)" "8 of 8" "$(visitors hold 8 127.0.0.1)"; done
kill -TERM "$p"; ended
python3 tests/integration/init_visitors.py "$port" occupy >"$dir/occupied" & taken=$!
wait_for "$dir/occupied" occupied
FAKE_PORT=$port FAKE_DOOR=true start main sh -c 'sleep 0.5'
ended; is "a port that is taken is not the end" 0 "$got"
has "the agent is told" "kind=8 service=door status=126" "$dir/err"
has "and why" "cannot listen on port $port: Address already in use" "$dir/err"
kill $taken

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
    container main sh -c 'setsid sh -c "sleep 1000 & sleep 1000 &" & sh -c "sh -c \"exit 1\" &"
        trap "exit 9" TERM; echo up; while :; do sleep 0.05; done'
    sleep 0.5
    is "container: PID 1 is init" slipway-init "$(docker exec "$name" cat /proc/1/comm)"
    is "container: no zombies" 0 \
        "$(docker exec "$name" sh -c "cat /proc/[0-9]*/stat | cut -d' ' -f3 | grep -c Z" || true)"
    docker exec -d "$name" sleep 1000
    t0=$(now); docker stop -t 20 "$name" >/dev/null; t=$(($(now) - t0))
    is "container: docker stop gives the daemon's status" 9 "$(docker inspect -f '{{.State.ExitCode}}' "$name")"
    [ $t -lt 2000 ] && ok "container: docker stop is quick ($t ms)" || bad "container stop" "$t ms"
    container main sh -c 'trap "exit 0" TERM; echo started; while :; do sleep 0.05; done'
    sleep 0.5
    for _ in 1 2 3; do
        docker exec "$name" sh -c 'for p in /proc/[0-9]*; do
            [ "$(cat $p/comm 2>/dev/null)" = slipway-agent ] && kill -9 ${p#/proc/}
        done; true'
        sleep 0.6
    done
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
