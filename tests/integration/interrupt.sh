#!/bin/bash
# SPDX-License-Identifier: MIT
# Ctrl-C during `up` and `down`, on a terminal and in a pipe, and a terminal that is closed. Once: what is under way is
# finished, the lock is given back, the journal stays. Twice: the end at once. The same command again always reaches the
# same end.
set -eu
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../environment.sh"

needs "interrupts" python3
environment int --catalog "$ROOT/tests/data/components"
docker_socket=${DOCKER_HOST:-unix:///var/run/docker.sock}
docker_socket=${docker_socket#unix://}
document() { printf 'etcd: {instances: 1}\nsleeper: {instances: %s}\n' "$1" | components; } # SLEEPERS
containers() { docker ps -aq --filter "label=slipway.name=$env" | wc -l; }
running() { kill -0 "$(cat "$printed.pid")" 2>/dev/null; }

# begin KIND PATTERN WORDS...: `slipway WORDS`, which stops where Docker holds the request that has PATTERN.
number=0
begin() {
    local kind=$1 pattern=$2
    shift 2
    number=$((number + 1))
    printed=$TMP/out$number
    held=$TMP/held$number
    python3 "$ROOT/tests/integration/late_docker.py" "$held" "$docker_socket" "$pattern" 600 &
    on_exit "kill $!"
    wait_until 30 test -S "$held"
    DOCKER_HOST=unix://$held python3 "$ROOT/tests/integration/ctrl_c.py" "$kind" "$printed" \
        "$SLIPWAY" "${slip_options[@]}" -e "$env" "$@" &
    runner=$!
    wait_until 120 test -e "$held.held" || cat "$printed"
}
pressed() { [ "$(cat "$printed.presses")" = "$1" ]; }
press() { kill -USR1 "$runner"; }
end() { # NAME STATUS
    local status=0
    wait "$runner" || status=$?
    if [ "$status" = "$2" ]; then ok "$1"; else not_ok "$1" "status $status: $(cat "$printed")"; fi
}
# What the first one says: what is under way by name, and what another one would do.
ADVICE='interrupted; what is under way is finished first ([a-z].*); Ctrl-C again stops at once'
advised() { said | grep -q "$ADVICE"; }
# What is printed on a terminal, without what moves the cursor.
said() { sed -e 's/\x1b\[[0-9]*[A-Za-z]//g' -e 's/\r//g' "$printed"; }
journal() { test -e "$SLIPWAY_HOME/$env/journal"; }

once() { # NAME KIND PATTERN WORDS...
    local name=$1
    shift
    begin "$@"
    press
    check "$name: Ctrl-C once says what is finished, and what another one does" wait_until 10 advised
    check "$name: Ctrl-C once does not cut off what is under way" running
    check_not "$name: Docker has not answered yet" test -e "$held.answered"
    touch "$held.go"
    end "$name: it ends with the status of an interrupt" 130
    check "$name: the call was finished" test -e "$held.answered"
    check_has "$name: it says what to do" "$(said)" "run the command again"
    check "$name: the journal stays" journal
}
twice() { # NAME KIND PATTERN WORDS...
    local name=$1
    shift
    begin "$@"
    press
    check "$name: the first Ctrl-C arrives" wait_until 60 pressed 1
    check "$name: it says what another one does" wait_until 10 advised
    press
    end "$name: Ctrl-C twice ends it with the status of an interrupt" 130
    check_not "$name: at once, before Docker answers" test -e "$held.answered"
    check_has "$name: it says so" "$(said)" "stopped at once"
    check "$name: the journal stays" journal
    touch "$held.go"
    wait_until 60 test -e "$held.answered" || true
}
again() { # NAME WORDS...
    local name=$1
    shift
    check_status "$name: the same command again ends well" 0 slip "$@"
}
well() { # NAME COUNT
    check_status "$1: nothing is left to do" 0 slip -f "$file" plan
    check_status "$1: all is well" 0 slip status
    check_same "$1: nothing is there twice" "$2" "$(containers)"
    check_not "$1: the journal is gone" journal
}

for kind in tty pipe; do
    document 1
    check_status "$kind: up" 0 slip -f "$file" up
    document 2
    once "$kind, up" "$kind" /containers/create -f "$file" up
    check_has "$kind, up: the lock is free" "$(slip lock status)" "not locked"
    check_status "$kind, up: something is left to do" 2 slip -f "$file" plan
    again "$kind, up after one Ctrl-C" -f "$file" up
    well "$kind, up after one Ctrl-C" 3
    document 3
    twice "$kind, up" "$kind" /containers/create -f "$file" up
    again "$kind, up after two" -f "$file" up
    well "$kind, up after two" 4

    once "$kind, down" "$kind" "DELETE /v1" down --volumes --yes
    check "$kind, down: it is not finished" test "$(containers)" -gt 0
    again "$kind, down after one Ctrl-C" down --volumes --yes
    check_same "$kind, down: nothing is left" 0 "$(containers)"
    document 1
    check_status "$kind: up once more" 0 slip -f "$file" up
    twice "$kind, down" "$kind" "DELETE /v1" down --volumes --yes
    again "$kind, down after two" down --volumes --yes
    check_same "$kind, down after two: nothing is left" "" "$(docker ps -aq --filter "label=slipway.name=$env"
        docker volume ls -q --filter "label=slipway.name=$env"
        docker network ls -q --filter "label=slipway.name=$env")"
done

# A terminal that is closed interrupts once.
document 1
check_status "up" 0 slip -f "$file" up
document 2
begin pipe /containers/create -f "$file" up
kill -HUP -- "-$(cat "$printed.pid")"
kill -HUP -- "-$(cat "$printed.pid")"
sleep 1
check "a closed terminal does not cut off what is under way" running
touch "$held.go"
end "it ends with the status of an interrupt" 130
check "the call was finished" test -e "$held.answered"
check_has "the lock is free after it" "$(slip lock status)" "not locked"
again "up after it" -f "$file" up
well "up after it" 3
check_status "down after it" 0 slip down --volumes --yes

# The question before data is removed: Ctrl-C is a no.
document 1
check_status "up" 0 slip -f "$file" up
printed=$TMP/question
python3 "$ROOT/tests/integration/ctrl_c.py" tty "$printed" "$SLIPWAY" "${slip_options[@]}" -e "$env" down --volumes &
runner=$!
check "down asks on a terminal" wait_until 60 grep -q 'y/N' "$printed"
press
end "Ctrl-C there ends it with the status of an interrupt" 130
check_status "nothing was removed" 0 slip status
check_status "down" 0 slip down --volumes --yes
finish
