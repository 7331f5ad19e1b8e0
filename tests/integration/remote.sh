#!/bin/bash
# SPDX-License-Identifier: MIT
# slipway run, ssh, copy and agent deploy on a container's own sshd: every exit status, a host key that is another one,
# an sshd that stops or is killed under a command.
set -eu
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../environment.sh"

needs "a container's sshd" jq rsync ssh ssh-keygen
environment remote --catalog "$ROOT/tests/data/components"
slip() { "$SLIPWAY" "${slip_options[@]}" -e "$env" "$@"; }
components <<END
etcd: {instances: 1}
shell: {instances: 2}
END
check_status "up" 0 slip -q -f "$file" up
cd "$TMP"
inside() { docker exec "$env-$1" sh -c "$2"; }
one_over_ssh() { slip run --json --on shell true | jq -e '[.results[] | select(.via == "ssh" and .ok)] | length == 2'; }
check "both answer over SSH" wait_until 60 one_over_ssh

# ---- exit statuses ----

for status in 0 1 2 126 127 128 130 137 143 254 255; do
    wanted=$((status ? 3 : 0))
    check_status "run of a command that ends with $status" $wanted slip run --json --on shell-1 -- sh -c "exit $status"
    check_same "has that" "ssh $status" "$(jq -r '.results[0] | "\(.via) \(.status)"' out)"
    check_status "and ssh" "$status" slip ssh shell-1 "exit $status"
done
check_hasnt "where nothing is said of keys" "$(cat err)" "host key"
for signal in KILL:137 TERM:143 HUP:129; do
    slip run --json --on shell-1 -- sh -c "kill -${signal%:*} \$\$" >out 2>err || true
    check_same "one that ${signal%:*} ends is not one that ended" "${signal#*:} false" \
        "$(jq -r '.results[0] | "\(.status) \(.ok)"' out)"
done
check_status "what cannot be run" 3 slip run --json --on shell-1 -- /etc/hosts
check_same "is 126" 126 "$(jq '.results[0].status' out)"
check_status "and what is not there" 3 slip run --json --on shell-1 -- /no/such/program
check_same "is 127" 127 "$(jq '.results[0].status' out)"

# ---- an sshd that stops, or is killed ----

# Right after the command began: it stops its own sshd, or the one that its sshd is a child of.
stop='echo $PPID >/tmp/stopped; kill -STOP $PPID; exec sleep 100'
on_exit 'inside shell-1 "kill -9 \$(cat /tmp/stopped)"'
check_status "a command whose sshd stops ends at its deadline" 3 timeout 100 "$SLIPWAY" "${slip_options[@]}" -e "$env" \
    --timeout 5s run --json --on shell-1,shell-2 -- sh -c 'case $(hostname) in shell-1) '"$stop"';; esac; echo well'
check_has "and that is said" "$(jq -r '.results[] | select(.instance == "shell-1").error' out)" "before the deadline"
check_same "the other one has answered" true "$(jq '.results[] | select(.instance == "shell-2").ok' out)"
check_status "one whose sshd is killed has failed" 3 timeout 100 "$SLIPWAY" "${slip_options[@]}" -e "$env" \
    run --json --on shell-1 -- sh -c 'echo once >>/tmp/ran; kill -9 $PPID; exec sleep 1'
check_has "and that is said" "$(jq -r '.results[0].error' out)" "the command may have been cut off"
check_same "and it was run once" once "$(inside shell-1 'cat /tmp/ran')"
check "the next one is served" wait_until 60 one_over_ssh

# ---- another host key ----

key=/run/slipway/ssh/host_key
print() { inside shell-1 "ssh-keygen -lf $1" | cut -d' ' -f2; }
inside shell-1 "ssh-keygen -q -t ed25519 -N '' -f /tmp/other && cp $key /tmp/own"
both="shows another host key than its own: $(print /tmp/other) instead of $(print /tmp/own)"
inside shell-1 "cat /tmp/other >$key"
mkdir folder
echo one >folder/one
cat "$B/slipway-agent" >agent
printf x >>agent
said() { check_has "$1: both keys are named" "$(cat out err)" "$both"; }
check_status "run refuses another host key" 3 slip run --on shell-1 -- touch /tmp/reached
said run
check_status "also among others" 3 slip run --json --on shell -- touch /tmp/reached
check_same "which go on" shell-2 "$(jq -r '.results[] | select(.ok).instance' out)"
said "among others"
check_status "copy of a file refuses it" 7 slip copy folder/one shell-1:/tmp/reached
said "a file"
check_status "and of a folder" 7 slip copy folder shell-1:/tmp/reached
said "a folder"
check_status "and of one that comes" 7 slip copy shell-1:/etc/hosts taken
said "one that comes"
check_status "agent deploy refuses it" 3 slip agent deploy --on shell-1 --from agent
said "agent deploy"
check_status "agent status, too" 3 slip agent status --on shell-1
said "agent status"
check_status "ssh refuses it" 255 slip ssh shell-1 touch /tmp/reached
said ssh
check_not "nothing was done there" inside shell-1 'test -e /tmp/reached'
check_not "and nothing came" test -e taken
inside shell-1 "cat /tmp/own >$key"
check "with its own key it answers again" wait_until 60 one_over_ssh
check_status "also to ssh" 0 slip ssh shell-1 true
finish
