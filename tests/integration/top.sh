#!/bin/bash
# SPDX-License-Identifier: MIT
# `slipway top` in a real terminal (tmux) over a real environment: what stands there, every key, other sizes, other
# terminals, an etcd that hangs, and the terminal afterwards, however it ends.
# about 45 s
set -eu
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../environment.sh"

needs "the live picture" tmux jq
unset NO_COLOR
environment top --catalog "$ROOT/tests/data/components"
components <<END
etcd: {instances: 1}
sleeper: {instances: 2}
END
check_status "up" 0 slip -f "$file" up

# ---- without a terminal ----

says "without a terminal it says what to use" 6 "top needs a terminal; \`slipway top --json\`" slip top
check_status "once, for programs" 0 slip top --json
check "with what each instance uses" jq -e '[.instances[].usage | select(.memory > 0 and .millicores >= 0 and
    .net_received >= 0)] | length == 3' "$TMP/out"

# ---- a terminal ----

mux() { tmux -L "$env" -f /dev/null "$@"; }
keys() { mux send-keys -t 0 "$@"; }
screen() { mux capture-pane -p -t 0; }
line() { mux send-keys -t 0 -l "$1" && keys Enter; }
shows() { screen | grep -qE -- "$1"; }
shows_not() { ! shows "$1"; }
# The screen must come to show a line, or not to.
# Where the picture is not what it should be, what follows means nothing, and each would be waited for.
see() { check "$1" wait_until 60 shows "$2" && [ "$failed" = 0 ] || { screen; finish; }; }
see_not() { check "$1" wait_until 60 shows_not "$2" && [ "$failed" = 0 ] || { screen; finish; }; }
on_exit "tmux -L $env kill-server"
printf '#!/bin/sh\nexec %q --catalog %q -e %q "$@" top\n' "$SLIPWAY" "$ROOT/tests/data/components" "$env" >"$TMP/top"
chmod +x "$TMP/top"
mux new-session -d -x 80 -y 24 "exec env PS1='<prompt> ' LC_ALL=C.UTF-8 bash --norc --noprofile"
see "a shell in a terminal" '<prompt>'
line "cd $TMP; stty -a >before; clear; echo old picture"
see "which shows something" 'old picture'

begin() {
    line "$1./top"
    see "it begins${1:+ with $1}" "$env: [a-zA-Z]+, 3 instances  etcd 1/1"
}
# ended NAME: the prompt is back, and every setting of the terminal as before.
ended() {
    see "$1: the prompt is back" '^<prompt> *$'
    line 'stty -a | cmp - before && echo same "terminal"'
    see "$1: the terminal is as it was" 'same terminal'
    line 'clear; echo old picture'
    see_not "$1: and usable" 'same terminal'
}
picture_pid() { pgrep -xf "$SLIPWAY .* -e $env.* top"; }

begin ""
see "every instance has a line" '^sleeper-2 +ready +[a-z]+ +[0-9.]+ +[0-9.]+[KM] +0 +[0-9]'
see "the columns that fit 80" '^INSTANCE +STATE +HEALTH +CPU% +MEM RST +IN/s OUT/s +RD/s +WR/s'
see "the keys" 'q end  \? help .* v volumes$'
docker exec -d "$env-sleeper-1" timeout 8 sh -c 'while :; do :; done'
see "what one computes is seen" '^sleeper-1 +ready +[a-z]+ +([5-9]|[1-9][0-9]+)(\.[0-9])? '

keys / e t c d
see "a filter is shown as it is typed" '^/etcd_'
see_not "and hides the others" '^sleeper-1'
keys Enter
see "it stays" "$env: .*/etcd"
keys Escape
see "and goes" '^sleeper-1'
keys o
see "another order" 'by cpu'
keys o o o o o o
see_not "and round to the first" ' by '
keys v
see "volumes in the place of events" '^VOLUME +SIZE'
see "here nothing makes them" 'has no component that makes volumes'
keys v
keys '?'
see "help" 'CPU% +of one core'
keys x

docker kill "$env-sleeper-2" >/dev/null
see "who dies is told" 'sleeper-2: ended with status 137'
see "and seen" '^sleeper-2 +exited'
see "and counted" 'NOT healthy, 1 of 3 not ready'
keys f
see_not "only what is not ready" '^sleeper-1'
keys Enter
see "the log of what has ended" 'log of sleeper-2, followed'
keys q f
see "everything again" '^sleeper-1'

keys Home j l
see "its log" 'log of sleeper-1, followed'
docker exec "$env-sleeper-1" sh -c 'printf "\033[2J\033[31mred\a\n" >/proc/1/fd/1'
see "is followed, and its escapes are text" '\\x1b\[2J\\x1b\[31mred\\x07'
keys q r
see "a restart asks" '^restart sleeper-1\? y/n'
keys n
see "and does nothing without a yes" 'sleeper-1 is not restarted'
keys r y
see "with a yes it is restarted" 'sleeper-1 is restarted and ready'
keys s
see "a shell" 'sleeper-1: the end of this shell goes back'
line 'echo "I am $(hostname)"; exit'
see "whose end comes back" "$env: NOT healthy"
keys k s
see "a shell in another one, left with Ctrl-C and an end" '^[^ ]*etcd-1:/# *$'
keys C-c
see "which is the shell's own" '\^C' # it throws away what is typed at the same time
line 'exit 0'
see "comes back too" '^INSTANCE'

mux resize-window -t 0 -x 40 -y 10
see "a small window has the first columns" '^INSTANCE +STATE +CPU% +MEM$'
mux resize-window -t 0 -x 12 -y 3
see_not "three lines of twelve columns" 'INSTANCE +STATE'
mux resize-window -t 0 -x 130 -y 40
see "a large one has them all" 'RD/s +WR/s +SINCE ADDRESS'
mux resize-window -t 0 -x 80 -y 24

docker pause "$env-etcd-1" >/dev/null
keys '?'
see "keys are answered while etcd hangs" 'CPU% +of one core'
keys x
see "and what is shown is not called true" 'etcd does not answer|OUT OF DATE'
docker unpause "$env-etcd-1" >/dev/null
see "until it answers again" 'etcd 1/1'

keys C-z
see "Ctrl-Z stops it" 'Stopped'
line 'fg'
see "and it goes on" '^INSTANCE'
keys q
see "q ends it, and the old picture is back" 'old picture'
ended "q"

# ---- other ends, other terminals ----

check_status "up again" 0 slip up
begin ""
keys C-c
ended "Ctrl-C"
begin "NO_COLOR=1 TERM=vt100 "
check_same "no colours" 0 "$(mux capture-pane -pe -t 0 | grep -c "$(printf '\033')\[3[0-7]m")"
kill -TERM "$(picture_pid)"
ended "SIGTERM"
begin ""
green() { mux capture-pane -pe -t 0 | grep -q "$(printf '\033')\[32m"; }
check "colours where they are wanted" wait_until 60 green
kill -INT "$(picture_pid)"
ended "SIGINT"
line 'TERM=dumb ./top; echo status $?'
see "a terminal that cannot is refused" 'the terminal dumb cannot show it'
see "with the status of a wrong call" 'status 6'
line clear
line "stty -a | cmp - before && echo same 'terminal'"
see "and left as it was" 'same terminal'
finish
