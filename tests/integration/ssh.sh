#!/bin/bash
# SPDX-License-Identifier: MIT
# host/ against a real sshd: what comes back of a command, many at once on one connection, and every way in which a
# server, a key or the network can fail. Nothing may hang, and nothing that began may be run twice.
# shellcheck disable=SC2154 # start_sshd sets variables by their names
# no docker
set -eu
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../sshd.sh"

driver=$B/integration/ssh_driver
needs_sshd "SSH" python3
cd "$TMP"
make_keys client other host changed

# job PORTS [NAME=VALUE...] COMMAND: output in out and err, the result's lines in result.
job() {
    local ports=$1
    shift
    timeout 300 "$driver" ports="$ports" pin=host.pub key=client connect=60000 deadline=120000 result=result "$@" \
        >out 2>err </dev/null
}
# ends NAME WORDS PORTS ...: a job, and what the one line of its result has.
ends() {
    local name=$1 words=$2
    shift 2
    job "$@" || true
    check_has "$name" "$(cat result err)" "$words"
}

# Commands that were given up go on where they run.
on_exit "xargs kill <$TMP/sleepers"
start_sshd sshd

# ---- what comes back ----

ends "a command's status is known" "status=3 signal= began=1 out=4 err=5 " "$sshd" 'echo out; echo errs >&2; exit 3'
check_same "its output is its own" "out" "$(cat out)"
check_same "and so are its errors" "errs" "$(cat err)"
ends "a command that a signal ended is not status 0" "status=137 signal=KILL " "$sshd" 'kill -9 $$'
ends "TERM is another number" "status=143 signal=TERM " "$sshd" 'kill -15 $$'
ends "a shell that has no such program says 127" "status=127 " "$sshd" '/no/such/program'
echo 0 >next
ends "each exit status" "status=0 " "$sshd" repeat=256 "read -r n <$TMP/next; echo \$((n + 1)) >$TMP/next; exit \$n"
check_same "arrives as it is" "$(seq 0 255 | xargs)" \
    "$(sed -n 's/.* status=\([0-9]*\) signal= .*code=none.*/\1/p' result | xargs)"
job "$sshd" "printf 'no newline'"
check_same "output needs no newline" "no newline" "$(cat out)"
head -c 3000000 /dev/urandom >random
job "$sshd" "cat $TMP/random"
check "binary output is not changed" cmp random out
ends "a gigabyte passes" "status=0 signal= began=1 out=1073741824 " "$sshd" quietly=1 'head -c 1073741824 /dev/zero'
ends "input is read to its end" "status=0 " "$sshd" input=random 'sha256sum'
check_same "and is not changed" "$(sha256sum <random)" "$(cat out)"
ends "a command that reads no input ends all the same" "status=0 signal= began=1 out=0 " "$sshd" input=random true
ends "one that closes its input goes on" "status=4 " "$sshd" input=random 'exec <&-; sleep 0.2; exit 4'
ends "one that closes its output goes on" "status=5 " "$sshd" 'exec >&- 2>&-; sleep 0.2; exit 5'
ends "without input it reads an empty one" "status=0 signal= began=1 out=2 " "$sshd" 'cat | wc -c'
ends "words of other shells stay words" "status=0 " "$sshd" "printf '%s' 'a b\"c
d'"

# ---- files ----

odd="$TMP/-a b'c\"\$d
e"
chmod 640 random
ends "a file is written" "status=0 signal= began=1 out=0 err=0 " "$sshd" input=random put="$odd" -
check "as it was" cmp random "$odd"
check_same "with its mode" 640 "$(stat -c %a "$odd")"
ends "and read" "status=0 " "$sshd" get="$odd" -
check "as it is" cmp random out
ends "one that is not there is an error" "status=1 " "$sshd" get="$TMP/not there" -
check_has "in words" "$(cat err)" "No such file"
ends "one that cannot be written, too" "status=1 " "$sshd" input=random put="$TMP/not there/x" -
: >empty
ends "an empty one is one" "status=0 " "$sshd" input=empty put="$TMP/empty.copy" -
check "which is there" cmp empty empty.copy

# ---- many at once ----

logins() { grep -c "Accepted publickey" "$1.log" || true; }
before=$(logins sshd)
ends "thirty at once all end" "status=0 " "$sshd" count=30 'sleep 0.2; echo x'
check_same "with their own output each" 30 "$(grep -c 'status=0 signal= began=1 out=2 .*code=none' result)"
check_same "over one connection" $((before + 1)) "$(logins sshd)"
start_sshd few "MaxSessions 3"
ends "where sshd allows fewer channels they take turns" "status=0 " "$few" count=12 'sleep 0.1'
check_same "and all end" 12 "$(grep -c 'status=0 .*code=none' result)"
start_sshd none "MaxSessions 0"
ends "where it allows none that is said" "code=remote $none (127.0.0.1 port $none): sshd allows no session" "$none" true
before=$(logins sshd)
ends "a second job needs no second login" "status=0 " "$sshd" repeat=3 pause=50 true
check_same "there is one for all" $((before + 1)) "$(logins sshd)"
before=$(logins sshd)
ends "what was given up does not disturb what follows" "code=timeout" "$sshd" deadline=3000 count=3 repeat=3 \
    "echo \$\$ >>$TMP/sleepers; exec sleep 300"
check_same "on the same connection" $((before + 1)) "$(logins sshd)"
check_same "each says so" 9 "$(grep -c 'code=timeout .*the command did not end before the deadline' result)"
ends "a command can be cancelled" "began=1 out=0 err=0 " "$sshd" cancel=4000 \
    "echo \$\$ >>$TMP/sleepers; exec sleep 300"
check_has "and says so" "$(cat result)" "code=interrupted"
ends "one that writes without end, too" "code=timeout" "$sshd" deadline=5000 quietly=1 yes
ends "its reader can say that it is enough" "code=conflict enough" "$sshd" stop=100000 quietly=1 yes

# ---- keys ----

print() { ssh-keygen -lf "$1.pub" | cut -d' ' -f2; }
ends "another host key is refused" "code=auth" "$sshd" pin=changed.pub 'touch reached'
check_has "with the key it shows and its own" "$(cat result)" "$(print host) instead of $(print changed)"
ends "one without a known key, too" "no host key is known for it; it shows $(print host); not accepted" "$sshd" pin= \
    'touch reached'
check_not "and no command was run" test -e reached
ends "a refused key is not a lost connection" \
    "code=auth $sshd (127.0.0.1 port $sshd): sshd refused the key for user root" \
    "$sshd" key=other true
tries=$(grep -c "Failed publickey\|Connection closed by authenticating user root" sshd.log || true)
ends "a refused key is not tried again at once" "not tried again for" "$sshd" key=other repeat=4 true
check "and is tried once" test \
    "$(grep -c 'Failed publickey\|Connection closed by authenticating user root' sshd.log)" -le \
    $((tries + 2))
ends "a user who may not log in is refused" "sshd refused the key for user nobody" "$sshd" user=nobody true
start_sshd rsa "KexAlgorithms diffie-hellman-group16-sha512"
ends "an sshd with other algorithms is told from one that fails" "shares no algorithms with us" "$rsa" true
check_has "with what was offered" "$(cat result)" "key exchange curve25519-sha256"
port=$(free_port)
ends "where nobody listens that is said at once" \
    "code=net $port (127.0.0.1 port $port): connecting: Connection refused" \
    "$port" true
ends "an address has to be one" "not an IP address: example" "$sshd" address=example true

# ---- the network ----

# proxies WHAT...: `ports` of that many proxies before sshd, with commas.
proxies() {
    local out=proxy.$RANDOM
    python3 "$ROOT/tests/integration/ssh_proxy.py" "$sshd" "$@" >"$out" &
    on_exit "kill $!"
    wait_until 10 grep -q end "$out"
    ports=$(grep -v end "$out" | paste -sd,)
}
# None is well, none is still waiting, and a job that says it began is one whose command was sent.
none_well() { ! grep -q "code=none" result && [ "$(grep -c code= result)" = "$1" ]; }

proxies hold:0 hold:15 hold:60 hold:900 hold:1300 hold:1350 hold:1400 hold:1450 hold:1500 hold:1550 hold:1600 hold:1700
job "$ports" connect=12000 true
check "an sshd that stops answering while logging in is given up" none_well 12
for phase in "waiting for sshd's banner" "in the key exchange" "authenticating"; do
    check_has "also $phase" "$(cat result)" "code=timeout"
    check "which is said: $phase" grep -q "no answer for 12 s $phase" result
done
proxies hold:60000
ends "one that stops in the middle of a transfer is given up" "began=1" "$ports" quiet=2000 quietly=1 \
    'head -c 10000000 /dev/zero'
check_has "by its silence" "$(cat result)" "no answer for 10 s"
proxies cut:0 cut:30 cut:700 cut:1300 cut:1500 cut:1650
job "$ports" deadline=15000 true
check "a connection that is cut while logging in is an error" none_well 6
check_same "of the network" 6 "$(grep -c 'code=net' result)"
proxies once-cut:0 once-cut:30 once-cut:1300 once-cut:1650
job "$ports" true
check_same "and is made again for a job that has not begun" 4 "$(grep -c 'status=0 .*code=none' result)"
proxies cut:60000
ends "one that is cut in the middle of a transfer ends the job" "code=net the command may have been cut off" "$ports" \
    quietly=1 'echo once >>began; head -c 10000000 /dev/zero'
proxies cut:60000
ends "which is not run again" "began=1" "$ports" quietly=1 "echo once >>$TMP/began; head -c 10000000 /dev/zero"
check_same "by anybody" once "$(cat began)"

# The command's own sshd, as soon as the command runs and before it says anything. It is the command's parent.
on_exit "xargs kill -9 <$TMP/stopped"
lone='echo $PPID >>'"$TMP"'/stopped; echo once >>'"$TMP"'/ran; '
ends "an sshd that stops right after it began a command is given up" "began=1 out=0 err=0 " "$sshd" quiet=2000 \
    "${lone}kill -STOP \$PPID; exec sleep 30"
check_has "by its silence" "$(cat result)" "code=timeout"
check_has "and it is said what that means" "$(cat result)" "the command may have been cut off"
ends "the deadline counts there, too" "code=timeout" "$sshd" quiet=60000 deadline=4000 \
    "${lone}kill -STOP \$PPID; exec sleep 30"
check_has "in its own words" "$(cat result)" "the command did not end before the deadline"
ends "and so does somebody who cancels" "code=interrupted" "$sshd" quiet=60000 cancel=4000 \
    "${lone}kill -STOP \$PPID; exec sleep 30"
ends "one that is killed there is a cut connection" "began=1 out=0 err=0 " "$sshd" "${lone}kill -9 \$PPID; exec sleep 3"
check_has "of the network" "$(cat result)" "code=net"
check_has "in the same words" "$(cat result)" "the command may have been cut off"
check_same "and nothing of this was run twice" 4 "$(grep -c once ran)"
ends "others are served as before" "status=0 " "$sshd" true

echo old >kept
proxies cutup:100000
ends "a file whose writing is cut off" "code=net the command may have been cut off" "$ports" input=random \
    put="$TMP/kept" -
nothing_half() { [ -z "$(ls "$TMP"/kept.slipway.* 2>/dev/null)" ]; }
check "leaves nothing half" wait_until 10 nothing_half
check_same "and the old one as it was" "old" "$(cat kept)"

# None of them in the padding of a packet of the key exchange, which says nothing and is protected by nothing.
places="flip:10 flip:200 flip:800 flip:1180 flip:1250 flip:1400 flip:1500 flip:1560 flip:1600 flip:1700 flip:50000"
# shellcheck disable=SC2086 # words
proxies $places flipup:12 flipup:300 flipup:1000 flipup:1200
job "$ports" connect=10000 deadline=20000 quietly=1 'head -c 200000 /dev/zero' || true
check "a bit that is changed on its way is an error, wherever it is" none_well 15
check_has "and says so once it is checked" "$(cat result)" "data was damaged on its way"

start_sshd busy "MaxStartups 1:100:1"
exec 5<>"/dev/tcp/127.0.0.1/$busy"
read -r -u 5 _
(wait_until 60 grep -q "drop connection" busy.log; sleep 0.3; exec 5>&-) 5<&5 &
waiter=$!
exec 5>&-
ends "an sshd with too many logins is tried again" "status=0 " "$busy" true
wait "$waiter" || true
check "because it refused some" grep -q "drop connection" busy.log
start_sshd storm "MaxStartups 3:50:4"
for i in 1 2 3 4 5 6 7 8; do
    "$driver" ports="$storm" pin=host.pub key=client connect=60000 deadline=120000 result="storm.$i" true &
    storm_pids="${storm_pids:-} $!"
done
# shellcheck disable=SC2086 # words
wait $storm_pids || true
check_same "eight that log in at once all come in" 8 "$(cat storm.[1-8] | grep -c 'status=0 .*code=none')"

finish
