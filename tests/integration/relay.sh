#!/bin/bash
# SPDX-License-Identifier: MIT
# host/relay.h with a real sshd: rsync and other programs use our connections in the place of ssh.
# no docker
# shellcheck disable=SC2154 # start_sshd sets variables by their names
set -eu
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../sshd.sh"

driver=$B/integration/relay_driver
needs_sshd "the relay" rsync python3
cd "$TMP"
make_keys client host
start_sshd one
start_sshd two
export CALL="$driver call"
# serve COMMAND: run with the relay in RELAY.
serve() { timeout 120 "$driver" serve "$one,$two" client host.pub "$1" >out 2>err </dev/null; }

check "a command runs over the relay" serve "\$CALL \$RELAY h1 echo 'a  b'"
check_same "with its words as ssh has them" "a b" "$(cat out)"
check_status "its status is that of the command" 7 "$driver" serve "$one" client host.pub '$CALL $RELAY h1 exit 7'
serve "echo text | \$CALL \$RELAY h2 'cat; echo errs >&2'" || true
check_same "it reads our input" text "$(cat out)"
check_has "and writes our errors" "$(cat err)" errs
check_status "who is not a target is refused" 255 "$driver" serve "$one" client host.pub '$CALL $RELAY h9 true'
check_has "and that is said" "$(cat "$TMP/err")" "not a target"
check_same "the folder of the socket is its owner's alone" 700 \
    "$(serve 'stat -c %a "${RELAY%/*}"' && cat out)"
check_same "and is gone afterwards" "" "$(find "$TMP" -name 'slipway-relay.*')"

# ---- rsync ----

mkdir -p "$TMP/from/sub" "$TMP/to 1"
head -c 3000000 /dev/urandom >from/big
printf 'x\n' >"from/sub/-a b'c\"
d"
RSYNC="rsync -rlpt -s -e \"\$CALL \$RELAY\""
check "rsync writes a folder" serve "$RSYNC from/ 'h1:$TMP/to 1/'"
check "as it is" diff -r from "to 1"
sent=$(sed -n 's/^h1 sent=\([0-9]*\).*/\1/p' err)
check "the bytes are counted" test "$sent" -gt 3000000
printf y | dd of=from/big bs=1 seek=1500000 conv=notrunc 2>/dev/null
# rsync takes a file of the same size and second for the same.
touch -d '1 minute ago' from/big
check "rsync writes what changed" serve "$RSYNC from/ 'h1:$TMP/to 1/'"
check "as it is" diff -r from "to 1"
check "in few bytes" test "$(sed -n 's/^h1 sent=\([0-9]*\).*/\1/p' err)" -lt 40000
check "rsync reads a folder" serve "$RSYNC 'h2:$TMP/to 1/' back/"
check "as it is" diff -r from back
logins=$(grep -c "Accepted publickey" one.log)
check "many at once" serve "for i in 1 2 3 4 5 6 7 8 9 10 11 12; do $RSYNC from/ h1:$TMP/many.\$i/ & done; wait"
for i in 1 2 3 4 5 6 7 8 9 10 11 12; do diff -r from "many.$i" || echo "$i"; done >wrong 2>&1
check_same "all arrive" "" "$(cat wrong)"
check_same "over one connection" $((logins + 1)) "$(grep -c "Accepted publickey" one.log)"

# ---- slow readers, and the end of either side ----

check "a reader that is slow is waited for" serve \
    "\$CALL \$RELAY h1 'head -c 3000000 /dev/zero' | { sleep 1; wc -c; }"
check_same "and gets all of it" 3000000 "$(cat out)"
check "and nobody else waits" serve "
    { \$CALL \$RELAY h1 'echo >$TMP/begun; head -c 300000000 /dev/zero' |
        sh -c 'echo \$\$ >$TMP/slow; exec sleep 300'; } >/dev/null 2>&1 &
    until [ -s $TMP/begun ] && [ -s $TMP/slow ]; do sleep 0.1; done
    timeout 20 \$CALL \$RELAY h1 echo quick; r=\$?; kill \$(cat $TMP/slow); exit \$r"
check_same "whatever goes through the same connection" quick "$(cat out)"
check "killing the helper ends its command" serve "
    sleep 300 | \$CALL \$RELAY h1 'echo \$\$ >$TMP/pid; cat >/dev/null; echo over >$TMP/over' &
    until [ -s $TMP/pid ]; do sleep 0.1; done
    pkill -P \$\$ -f 'h1 echo'; pkill -P \$\$ sleep; sleep 1; true"
check "its input is at its end" wait_until 30 test -s "$TMP/over"
check_status "a helper without a relay says so" 1 "$driver" call "$TMP/nobody" h1 true
check_has "in words" "$(cat "$TMP/err")" "$TMP/nobody"
"$driver" serve "$one" client host.pub "\$CALL \$RELAY h1 'echo >$TMP/sleeps; sleep 300' ; echo \$? >$TMP/status" \
    >out 2>err &
relay=$!
check "a command that takes long runs" wait_until 30 test -s "$TMP/sleeps"
kill -9 "$relay"
check "a helper whose relay was killed ends" wait_until 30 test -s "$TMP/status"
check_same "and says so by its status" 1 "$(cat "$TMP/status")"

# ---- what is not a program of ours ----

cat >talk.py <<'END'
import os, socket, sys
for said in (b"", b"h1", b"h1\0", b"h1\0true", b"h1\0true\0more\0", b"x" * 60000):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    s.connect(os.environ["RELAY"])
    fds = [os.open("/dev/null", os.O_RDWR) for _ in range(3)]
    try:
        socket.send_fds(s, [said or b"\0"], fds if len(said) % 2 else fds[:1])
        s.recv(1)
    except OSError:
        pass
    s.close()
END
check "who says nonsense is turned away" serve "python3 talk.py; \$CALL \$RELAY h1 echo well"
check_same "and the others are served" well "$(cat out)"
finish
