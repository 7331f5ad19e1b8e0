#!/bin/bash
# SPDX-License-Identifier: MIT
# slipway agent deploy, status and rollback on real containers: a daemon does not notice, and no release that does not
# work stays, whatever becomes of whoever deployed it.
# about 240 s
set -eu
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../environment.sh"

needs "deploying agents" jq rsync ssh
environment deploy --catalog "$ROOT/tests/data/components"
slip() { "$SLIPWAY" "${slip_options[@]}" -e "$env" "$@"; }
components <<END
etcd: {instances: 1}
sleeper: {instances: 1}
shell: {instances: 2}
END
check_status "up" 0 slip -q -f "$file" up
cd "$TMP"
home=/usr/lib/slipway
inside() { docker exec "$env-$1" sh -c "$2"; }
# Process and start of everything but agents, what looks, and the sshd that init starts for each connection.
daemons() { for i in etcd-1 sleeper-1 shell-1 shell-2; do
    docker exec "$env-$i" sh -c 'for p in /proc/[0-9]*; do
        read -r _ comm state ppid _ <$p/stat && [ "$ppid" = 1 ] || continue
        case $comm in "(slipway-agent)" | "(sh)" | "(sshd"*) continue ;; esac
        echo "$p $comm $(cut -d" " -f22 $p/stat)"; done; true' 2>/dev/null; done; }
agent_of() {
    inside "$1" 'for p in /proc/[0-9]*; do case $(readlink $p/exe) in */slipway-agent) readlink $p/exe;; esac
        done' | head -n 1
}
# field NAME: that of each result of the last command with --json, without repeats.
field() { jq -r "[.results[].$1] | unique | join(\" \")" "$TMP/out"; }
digest() { sha256sum "$1" | cut -c1-64; }
# another NAME [TEXT]: an agent with a digest of its own.
another() { { cat "$B/slipway-agent"; printf '%s' "$1"; } >"$1"; chmod 755 "$1"; }
another one
another two
another three
printf '#!/bin/sh\nexit 3\n# %s\n' $$ >crash
printf '#!/bin/sh\nexec sleep 1000\n# %s\n' "$$" >hang
head -c 5000 /dev/urandom >junk
before=$(daemons)

# ---- one that works ----

check_status "status" 0 slip agent status --json
check_same "says that the image's runs" image "$(field from)"
check_same "which is that of this program" "$(digest "$B/slipway-agent")" "$(field digest)"
sleep 3 # what was made just now may yet change within a tick of the clock
check_status "status once more" 0 slip agent status --json
check_has "the container has noted that digest" "$(inside shell-1 "cat $home/releases/image.digest")" \
    "$(digest "$B/slipway-agent")"
inside shell-1 "cd $home && cp -p slipway-agent kept && cp -p slipway-agent other && printf x >>other &&
    mv other slipway-agent"
check_status "and after a change" 0 slip agent status --json --on shell-1
check_not "tells the new one" test "$(field digest)" = "$(digest "$B/slipway-agent")"
inside shell-1 "cd $home && mv kept slipway-agent"
check_status "one that is there already" 0 slip agent deploy --json
check_same "is not sent" "unchanged 0" "$(field result) $(field sent)"
# A writer that syncs each block on the data volume of a daemon, which says what failed.
docker exec -d "$env-sleeper-1" sh -c 'n=0; while [ ! -e /data/enough ]; do n=$((n + 1))
    { printf "%08d" $n && head -c 65536 /dev/zero; } >/data/block && sync -d /data/block || echo "$n" >>/data/failed
    echo $n >/data/written; done; touch /data/over'
written() { inside sleeper-1 'cat /data/written' | grep . || echo 0; }
check "a writer is at work" wait_until 60 inside sleeper-1 'test -s /data/written'
began=$(written)
check_status "another one" 0 slip agent deploy --json --from one
check_same "works everywhere" "works" "$(field result)"
check_same "over SSH, and through Docker where no sshd runs" "docker ssh" "$(field via)"
check "what changed alone is sent" test \
    "$(jq '[.results[] | select(.via == "ssh").sent] | max' "$TMP/out")" -lt 40000
check_same "it is what runs" "$home/releases/$(digest one)/slipway-agent" "$(agent_of shell-1)"
grown() { [ "$(written)" -gt "$began" ]; }
check "while the writer goes on" wait_until 60 grown
inside sleeper-1 'touch /data/enough'
check "until it is told to end" wait_until 60 inside sleeper-1 'test -e /data/over'
check_not "without an error" inside sleeper-1 'test -e /data/failed'
check_same "no daemon was started again" "$before" "$(daemons)"
check_status "again" 0 slip agent deploy --json --from one
check_same "it is not sent" "unchanged 0" "$(field result) $(field sent)"
released() { slip status --json | jq -e --arg d "$(digest one | cut -c1-12)" \
    '[.instances[] | select(.release == $d and .ok)] | length == 4'; }
check "status says which one runs" wait_until 10 released
check_has "and so does show" "$(slip show shell-1)" "$(digest one | cut -c1-12)"
check_status "rollback" 0 slip agent rollback --json --on shell-1
check_same "goes back" "works image" "$(field result) $(field to)"
check_same "to the image's" "$home/slipway-agent" "$(agent_of shell-1)"
check_status "and back again" 0 slip agent rollback --json --on shell-1
check_same "to what it was" "$(digest one)" "$(field to)"
docker restart -t 1 "$env-shell-2" >/dev/null
running() { [ "$(agent_of "$1")" = "$home/releases/$(digest "$2")/slipway-agent" ]; }
check "a container that starts again has the same agent" wait_until 20 running shell-2 one
check "and is well" wait_until 60 released
before=$(daemons)

# ---- some that do not ----

check_status "one that ends at once" 3 slip agent deploy --json --from crash
check_same "is put back" "put back" "$(field result)"
check_has "with the reason" "$(field error)" "it ended 3 times, the last time with status 3"
check_same "by what ran before" "$home/releases/$(digest one)/slipway-agent" "$(agent_of shell-1)"
says "and is not deployed again" 1 "was put back before and is named as bad" slip agent deploy --from crash
check_status "one that cannot run" 3 slip agent deploy --json --from junk --on shell,sleeper
check_same "is put back" "put back" "$(field result)"
check_status "one that says nothing" 3 slip agent deploy --json --from hang --trial 5s --on shell,sleeper
check_has "is put back in time" "$(field error)" "did not report that it works within 5 s"
check_same "by what ran before" "$home/releases/$(digest one)/slipway-agent" "$(agent_of sleeper-1)"
check_same "no daemon was started again" "$before" "$(daemons)"
check "everything is well" wait_until 60 released
check_has "etcd names them for every instance" "$(slip show --json shell-1)" "$(digest hang)"
check_status "what ran before is not forgotten" 0 slip agent rollback --json --on sleeper-1
check_same "it is the image's" image "$(field to)"
check_status "and back" 0 slip agent rollback --on sleeper-1
# It works, and then it does not: a copy whose process is killed again and again.
check_status "one that works at first" 0 slip agent deploy --on sleeper-1 --from two
for _ in 1 2 3 4 5; do
    wait_until 20 running sleeper-1 two || true
    inside sleeper-1 'for p in /proc/[0-9]*; do
        case $(readlink $p/exe) in */slipway-agent) kill -9 ${p#/proc/};; esac; done'
    sleep 1
done
check "is put back when it ends again and again" wait_until 30 running sleeper-1 one
says "and is bad, which the instance says itself" 1 "named as bad" slip agent deploy --from two
check_status "somebody may insist" 0 slip agent deploy --again --on shell-1 --from two
check_status "and go back" 0 slip agent rollback --on shell-1

# ---- what is killed, and two at once ----

# After each step of a deployment, until one has fewer.
status=137
for ((step = 1; status == 137 && step < 30; step++)); do
    status=0
    SLIPWAY_FAULT=kill-after:$step slip agent deploy --json --lock-wait 40s --from three >"$TMP/out" 2>"$TMP/err" ||
        status=$?
    [ "$status" = 137 ] || break
    check_status "after kill -9 at step $step the same works" 0 slip agent deploy --json --lock-wait 40s --from three
    check_same "and it runs everywhere" "$(digest three)" "$(field to)"
    check "in each of them" running shell-1 three
    check_status "back" 0 slip agent deploy --json --lock-wait 40s --from one
done
check_same "at the end nothing is killed" "0 works" "$status $(field result)"
check "which were all steps" test "$step" -gt 8
check_status "back" 0 slip agent deploy --json --lock-wait 40s --from one
check_same "nothing half is left" "" "$(inside shell-1 "ls -A $home/releases | grep new" || true)"
slip agent deploy --from hang --again --trial 6s --on shell-1 >/dev/null 2>&1 &
other=$!
sleep 2
says "two at once" 4 "agent deploy" slip agent deploy --from three
kill -9 $other
check "init puts it back although slipway is gone" wait_until 20 running shell-1 one
wait $other 2>/dev/null || true
check_status "who waits gets its turn" 0 slip agent deploy --lock-wait 60s --from three
check_same "no daemon was started again" "$before" "$(daemons)"

# ---- one that hangs when nobody looks any more ----

stopped() { inside shell-1 'for p in /proc/[0-9]*; do
    case $(readlink $p/exe) in */slipway-agent) kill -STOP ${p#/proc/};; esac; done'; }
says_of() { slip status --json | jq -r --arg i "$1" '.instances[] | select(.instance == $i).state' | grep -qx "$2"; }
stopped
check "an agent that hangs later is silent in status" wait_until 60 says_of shell-1 silent
check_not "which is not well" slip status
check_status "agent status goes on to say which one it is" 0 slip agent status --json --on shell-1
check_same "by its digest" "$(digest three) false" "$(field from) $(field trial)"
check_status "another one takes its place" 0 slip agent deploy --json --from one --on shell-1
check "and reports" wait_until 60 says_of shell-1 ready
stopped
check "when that hangs, too" wait_until 60 says_of shell-1 silent
check_status "the one before takes its place" 0 slip agent rollback --json --on shell-1
check_same "which is the other one" "$(digest three)" "$(field to)"
check "and reports" wait_until 60 says_of shell-1 ready
check_same "no daemon was started again" "$before" "$(daemons)"

# ---- etcd does not answer ----

# A release that takes a moment before it is the image's agent.
printf '#!/bin/sh\nsleep 3\nexec %s/slipway-agent "$@"\n# %s\n' "$home" $$ >slow
state() { inside shell-1 "$home/slipway-agent release status" | jq -r --arg d "$(digest slow)" \
    '"\(if .current == $d then "new" else "old" end) \(.trial) \(.waits)"'; }
in_state() { [ "$(state)" = "$1" ]; }
slip agent deploy --json --from slow --trial 8s --on shell-1 >"$TMP/said" 2>&1 &
deployment=$!
wait_until 30 in_state "new true false" || true
docker stop -t 1 "$env-etcd-1" >/dev/null
check "a trial without an answer of etcd says so" wait_until 8 in_state "new true true"
check_has "so does agent status" "$(slip agent status --on shell-1)" "on trial, etcd did not answer"
sleep 9
check "and goes on" in_state "new true true"
docker start "$env-etcd-1" >/dev/null
check "until etcd answers: it works" wait_until 60 in_state "new false false"
wait $deployment && check_has "which whoever deployed hears, too" "$(cat "$TMP/said")" '"works"' ||
    check_has "or that it goes on" "$(cat "$TMP/said")" "its trial goes on"
check "everything is well" wait_until 60 running shell-2 three
check_status "back" 0 slip agent rollback --on shell-1 --lock-wait 60s

# ---- a full disk ----

# The releases of one container on a disk of their own that has room for no other one.
disk=$(docker inspect -f '{{.State.Pid}}' "$env-shell-1")
mounted() { nsenter -t "$disk" -m sh -c "$1"; }
links() { inside shell-1 "cd $home/releases && ls -l --time-style=+ current previous && ls -A"; }
if mounted "mkdir /disk && mount -t tmpfs -o size=4m tmpfs /disk &&
    cp -a $home/releases/$(digest three) /disk/ && ln -s $(digest three) /disk/current &&
    ln -s image /disk/previous && touch /disk/lock && head -c 1500000 /dev/zero >/disk/fill &&
    mount --bind /disk $home/releases" 2>/dev/null; then
    was=$(links)
    check_status "a release that cannot be written" 3 slip agent deploy --json --again --from two --on shell
    check_same "fails there alone" shell-1 "$(jq -r '.results[] | select(.ok | not).instance' "$TMP/out")"
    check_has "for that reason" "$(field error)" "No space left on device"
    check_same "nothing of it remains" "$was" "$(links)"
    check "what ran goes on" running shell-1 three
    mounted "umount $home/releases && umount /disk"
else
    skip "a full disk" "no mount in a container's namespace"
fi
check_status "and with room it works" 0 slip agent deploy --json --again --from two --on shell

# ---- what was before is gone ----

inside shell-1 "cd $home/releases && mv \$(readlink previous) gone"
slip agent rollback --on shell-1 >"$TMP/out" 2>"$TMP/err" && echo "no error" >"$TMP/err"
check_has "a release before that is not there is not gone back to" "$(cat "$TMP/out" "$TMP/err")" \
    "is not there any more"
check "what ran goes on" running shell-1 two
check_status "and can be asked" 0 slip agent status --on shell-1
inside shell-1 "cd $home/releases && mv gone \$(readlink previous)"

# ---- the key that deploys ----

lines=$(inside shell-1 'cat /run/slipway/ssh/authorized_keys')
check_has "the second key has a forced command" "$lines" \
    "restrict,command=\"$home/slipway-agent release forced\" ssh-ed25519"
forced() { docker exec -e "SSH_ORIGINAL_COMMAND=$1" "$env-shell-1" "$home/slipway-agent" release forced; }
check "it can ask" forced "release status"
d=$(digest one)
for command in "sh" "" "release" "release status; id" "cat /etc/shadow" "rsync --server --sender -pIe.LsfxCIvu . /etc" \
    "rsync --server -pIe.LsfxCIvu . /etc/passwd" "rsync --server -pIe.LsfxCIvu . $d/../../x" \
    "rsync --server -pIlDe.LsfxCIvu . $d/slipway-agent" "rsync --server --daemon . $d/slipway-agent" \
    "rsync --server -pIe.LsfxCIvu --link-dest=/etc . $d/slipway-agent" "release activate ../../etc" \
    "release activate $d 99999999" "release rollback x"; do
    check_not "it cannot: ${command:-(a shell)}" forced "$command"
done
inside shell-1 "mkdir $home/releases/.$d.new; echo wrong >$home/releases/.$d.new/slipway-agent"
check_not "a release that is not what its name says" forced "release activate $(digest three | tr 0-9 1-90)"
inside shell-1 "rm -rf $home/releases/$d $home/releases/.$d.new; mkdir $home/releases/.$d.new
    ln -s /bin/true $home/releases/.$d.new/slipway-agent"
check_not "a link in its place" forced "release activate $d"
check "nothing of it changed what runs" running shell-1 two

# ---- the command line ----

: >empty
says "an empty file" 6 "is empty" slip agent deploy --from empty
says "no such file" 1 "/no/such" slip agent deploy --from /no/such
docker stop -t 1 "$env-shell-2" >/dev/null
check_status "one that is down does not hold up the others" 3 slip agent deploy --json --from three
check_same "and is named" shell-2 "$(jq -r '.results[] | select(.ok | not).instance' "$TMP/out")"
finish
