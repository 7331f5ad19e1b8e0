#!/bin/bash
# SPDX-License-Identifier: MIT
# The commands beside up, plan and down, on a real Docker and a real etcd.
# about 80 s
set -eu
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../environment.sh"

unset NO_COLOR SLIPWAY_LINK
environment commands --catalog "$ROOT/tests/data/components"
slip() { "$SLIPWAY" "${slip_options[@]}" -e "$env" "$@"; }

components <<END
etcd: {instances: 1}
sleeper: {instances: 2}
echo: {instances: 1}
shell: {instances: 1}
END

check_status "before up there is no environment" 1 slip status
check_has "and it says so" "$(cat "$TMP/err")" "is not known on this machine"
check_status "up" 0 slip -f "$file" up
check_status "up tells JSON events" 0 slip --json -f "$file" up
check "one object a line" jq -e . "$TMP/out"

# list, status
check_has "list shows it" "$(slip list)" "$env"
check_status "status" 0 slip status
check_has "says healthy" "$(cat "$TMP/out")" "$env: healthy"
check_status "status --json" 0 slip status --json
check "has every instance ready and applied" jq -e '[.instances[] | select(.ok and .config.current)] | length == 5' \
    "$TMP/out"
check "and etcd" jq -e '.etcd.answers and .etcd.answering == 1' "$TMP/out"
check_hasnt "no colour in a pipe" "$(slip status)" "$(printf '\033')"

# logs
docker exec "$env-sleeper-1" sh -c 'for i in 1 2 3 4 5; do echo "one $i"; sleep 0.05; done >/proc/1/fd/1'
docker exec "$env-sleeper-2" sh -c 'printf "two \033[31mred \000 end\n" >/proc/1/fd/1
    head -c 300000 /dev/zero | tr "\0" x >/proc/1/fd/1; echo >/proc/1/fd/1'
two_end() { slip logs sleeper-2 | awk 'length($0) == 300000 { found = 1 } END { exit !found }'; }
one_end() { [ "$(slip logs --tail 1 sleeper-1)" = "one 5" ]; }
check "what was printed is in the logs" wait_until 60 one_end
check "a long line too" wait_until 60 two_end
check_same "logs of one instance have no prefix" "one 5" "$(slip logs --tail 1 sleeper-1)"
check_same "logs of several have one" "sleeper-1 | one 5" "$(slip logs sleeper | grep 'one 5')"
check_same "odd bytes are harmless" 'two \x1b[31mred \x00 end' "$(slip logs sleeper-2 | grep '^two')"
check_has "long lines stay whole" "$(slip logs sleeper-2 | awk '{ print length($0) }' | sort -n | tail -1)" 300000
check_same "logs --json is JSON" sleeper-1 "$(slip logs --json --tail 1 sleeper-1 | jq -r .instance)"
check_same "logs of a component are in the order of time" "" \
    "$(slip logs -t sleeper | cut -d'|' -f2 | cut -c2-31 | sort -c 2>&1)"
check_same "--until the past is empty" "" "$(slip logs --until 2020-01-01 sleeper)"
check_status "an unknown instance" 1 slip logs sleeper-7
"$SLIPWAY" --catalog "$ROOT/tests/data/components" -e "$env" logs -f --tail 0 sleeper >"$TMP/follow" 2>&1 &
follower=$!
# Again and again: nobody says when it has begun to follow.
followed() { docker exec "$env-sleeper-1" sh -c 'echo followed >/proc/1/fd/1' &&
    grep -q 'sleeper-1 | followed' "$TMP/follow"; }
check "logs -f follows" wait_until 60 followed
kill -TERM $follower
status=0
wait $follower || status=$?
check_same "and ends on a signal" 0 "$status"

# exec
check_status "exec keeps the exit status" 42 slip exec sleeper-1 -- sh -c 'exit 42'
check_same "exec passes arguments as they are" "a b|\$x" "$(slip exec sleeper-1 -- printf '%s|%s' 'a b' "\$x")"
check_same "exec -i connects input" HELLO "$(echo hello | slip exec -i sleeper-1 -- tr a-z A-Z)"
check_same "without it a loop keeps what it reads" "one two three" \
    "$(printf '%s\n' one two three | while read -r word; do
        slip exec sleeper-1 -- sh -c 'cat; exit 0' && printf '%s ' "$word"
    done | sed 's/ $//')"
check_same "a shell gets its script" "said in it" "$(echo 'echo said in it' | slip exec sleeper-1)"
check_status "-i and -n are opposites" 6 slip exec -i -n sleeper-1 -- true
check_same "exec takes input and gives output at the same time, much of both" 20000000 \
    "$(head -c 20000000 /dev/zero |
        timeout -s KILL 60 "$SLIPWAY" "${slip_options[@]}" -e "$env" exec -i sleeper-1 -- cat | wc -c)"
check_same "exec keeps the streams apart" "" "$(slip exec sleeper-1 -- sh -c 'echo x >&2' 2>/dev/null)"
check_not "exec of a missing program fails" slip exec sleeper-1 -- no-such-program
check_same "exec --user" nobody "$(slip exec -u nobody sleeper-1 -- id -un)"

# run: over SSH where sshd runs, else through the Engine API
one_over_ssh() { slip run --json --on shell-1 true | jq -e '.results[0].via == "ssh"'; }
check "run comes in over SSH" wait_until 20 one_over_ssh
check_same "status says how each is managed" "ssh docker" \
    "$(slip status --json | jq -r '[.instances[] | select(.instance == ("shell-1", "echo-1")) | .via] |
        reverse | join(" ")')"
check_has "show says it, too" "$(slip show shell-1)" "over SSH; \`slipway ssh shell-1\`"
check_has "with what to use instead" "$(slip show echo-1)" "through Docker's API"
check_status "run everywhere" 0 slip run --on all -- hostname
check_same "every output has its instance in front" 5 "$(grep -cE '^([a-z]+-[0-9]) +\| \1$' "$TMP/out")"
check_same "the table says how each was reached" "shell-1 ssh 0" \
    "$(awk '$1 == "shell-1" && $2 != "|" { print $1, $2, $3 }' "$TMP/out")"
check_same "and the others" "sleeper-2 docker 0" \
    "$(awk '$1 == "sleeper-2" && $2 != "|" { print $1, $2, $3 }' "$TMP/out")"
check_status "one that fails does not hold up the others" 3 slip run --json --on 'shell,sleeper-*' -- \
    sh -c 'echo "out of $0"; echo err >&2; [ "$(hostname)" != shell-1 ] || exit 7' "two words"
check "its status is known, the others are well" jq -e '[.results[] | [.instance, .status, .ok]] ==
    [["shell-1", 7, false], ["sleeper-1", 0, true], ["sleeper-2", 0, true]]' "$TMP/out"
check "words arrive as they are, both ways" jq -e '
    [.results[] | select(.stdout == "out of two words\n" and .stderr == "err\n")] | length == 3' "$TMP/out"
check_has "and who failed is said" "$(cat "$TMP/err")" "failed in 1 of 3: shell-1"
check_same "one instance alone has no name in front" shell-1 "$(slip -q run --on shell-1 hostname)"
check_same "a word that a shell would take apart stays whole" 'a b $HOME * '"'"'x' \
    "$(slip -q run --on shell-1 -- printf '%s\n' 'a b $HOME * '"'"'x')"
check_same "one that a signal ended has its number" 137 \
    "$(slip run --json --on shell-1 -- sh -c 'kill -9 $$' 2>/dev/null | jq '.results[0].status')"
check_same "a million bytes pass over SSH" 1000000 \
    "$(slip -q run --on shell-1 -- sh -c 'head -c 1000000 /dev/zero | tr "\\0" x | fold -w 100' | tr -d '\n' | wc -c)"
check_same "it ends with the one who reads it" y \
    "$(timeout -s KILL 100 "$SLIPWAY" "${slip_options[@]}" -e "$env" run --on shell-1 yes | head -1)"
check_status "without input a command ends" 0 slip run --on all -- cat
check_same "what an instance prints does not act on the terminal" 'a\x1b[2Jb\xff' \
    "$(slip -q run --on shell-1 -- printf 'a\033[2Jb\377')"
check_same "also as JSON" 'a\x1b[2Jb\x00,c' \
    "$(slip run --json --on shell-1 -- printf 'a\033[2Jb\000\nc' | jq -r '.results[0].stdout' | paste -sd,)"
check_same "and through the Engine API" 'a\x1b[2Jb\x9b' "$(slip -q run --on sleeper-1 -- printf 'a\033[2Jb\233')"
# A server that keeps the environment open keeps its connections: the same port of ours both times.
check_same "two commands of one open environment have one connection" "2 1" \
    "$(env -u SLIPWAY_HOME "$B/integration/run_driver" "$SLIPWAY_HOME" "$ROOT/components" "$env" shell-1 |
        sort | uniq -c | awk '{ n += $1; d++ } END { print n, d }')"
# The reader sees how much memory it took: a gigabyte is neither kept nor waited for.
gigabyte() {
    "$SLIPWAY" "${slip_options[@]}" -e "$env" --timeout 5min run --json --on shell-1 -- \
        sh -c 'yes | head -c 1073741824' >"$TMP/out" &
    local pid=$! peak=0 now
    while now=$(awk '/^VmHWM/ { print $2 }' "/proc/$pid/status" 2>/dev/null) && [ -n "$now" ]; do
        peak=$now
        sleep 0.2
    done
    wait "$pid" && [ "$peak" -gt 0 ] && [ "$peak" -lt 65536 ]
}
check "a gigabyte of output takes less than 64 MiB of memory" gigabyte
check "and says that it was cut" jq -e '.results[0] | .ok and .cut and (.stdout | length) == 1048576' "$TMP/out"
# One thread serves all connections: a reader that stalls must not keep it for ever.
mkfifo "$TMP/unread"
exec 7<>"$TMP/unread"
began=$SECONDS status=0
timeout -s KILL 90 "$SLIPWAY" "${slip_options[@]}" -e "$env" --timeout 5s run --on 'shell-1,sleeper-1' -- \
    head -c 5000000 /dev/zero >"$TMP/unread" 2>"$TMP/err" || status=$?
check_same "output that nobody reads ends with the deadline" 8 "$status"
check "soon after it" test $((SECONDS - began)) -le 40
exec 7>&-
slip stop -q sleeper-2
check_status "what is down is named, the others answer" 3 slip run --json --on all true
check "with its reason" jq -e '[.results[] | select(.ok)] | length == 4' "$TMP/out"
check_has "which is that it does not run" "$(jq -r '.results[] | select(.instance == "sleeper-2").error' "$TMP/out")" \
    "sleeper-2 does not run (exited)"
slip start -q sleeper-2
check_status "--fail-fast begins no other" 3 slip run --json --fail-fast --parallel 1 --on 'echo,sleeper' -- false
check_same "one after the other" 1 "$(jq '[.results[] | select(.via)] | length' "$TMP/out")"
began=$SECONDS
# shellcheck disable=SC2016 # the shell in the container expands it
check_status "--fail-fast gives up what is under way, both ways" 3 slip run --json --fail-fast \
    --on shell,sleeper,echo -- sh -c 'case $(hostname) in sleeper-2) exit 1;; esac; exec sleep 120'
check "long before its end" test $((SECONDS - began)) -lt 100
check "those have no status" jq -e '[.results[] | select(has("status"))] | length == 1' "$TMP/out"
"$SLIPWAY" "${slip_options[@]}" -e "$env" run --on sleeper-1,shell-1 -- sleep 121 >"$TMP/out" 2>"$TMP/err" &
runner=$!
sleeps() { docker top "$env-sleeper-1" | grep -q 'sleep 121'; }
check "it has begun" wait_until 60 sleeps
kill -INT "$runner"
began=$SECONDS status=0
wait "$runner" || status=$?
check_same "Ctrl-C ends it with its own status" 130 "$status"
check "at once" test $((SECONDS - began)) -lt 60
check_status "a deadline ends it" 3 slip --timeout 3s run --json --on shell-1 sleep 100
check_has "and says so" "$(jq -r '.results[0].error' "$TMP/out")" "the command did not end before the deadline"
says "a selector that is wrong is refused" 6 'selector, column 6: state= is unknown' slip run --on echo,state=up true
says "one that matches nothing, too" 1 "no instance of $env matches x*" slip run --on 'x*' true

# ssh
if command -v ssh >/dev/null; then
    check "sshd answers" wait_until 20 slip ssh shell-1 true
    on_terminal() { script -qec "$SLIPWAY ${slip_options[*]} -e $env ssh shell-1" /dev/null; }
    check_has "a terminal works, too" "$(on_terminal <<<'test -t 0 && echo a $((40 + 2)) terminal; exit')" \
        "a 42 terminal"
    check_same "ssh runs a command" shell-1 "$(slip ssh shell-1 -- hostname)"
    check_same "and leaves a loop what it reads" "one two " \
        "$(printf '%s\n' one two | while read -r word; do slip ssh shell-1 cat && printf '%s ' "$word"; done)"
    check_status "ssh keeps the exit status" 9 slip ssh shell-1 exit 9
    check_status "also 127, of a command that is not there" 127 slip ssh shell-1 no-such-program
    check_status "ssh to an instance without sshd" 6 slip ssh sleeper-1
    in_shell() { docker exec "$env-shell-1" "$@"; }
    sshd_runs() { in_shell sh -c 'cat /proc/[0-9]*/comm' | grep -q '^sshd'; }
    sshd_is_gone() { ! sshd_runs; }
    check "nothing of sshd runs while nobody is logged in" wait_until 20 sshd_is_gone
    settings=$(in_shell /usr/sbin/sshd -T -f /run/slipway/ssh/sshd_config)
    for line in "disableforwarding yes" "authenticationmethods publickey" "allowusers root" "permittunnel no" \
        "passwordauthentication no" "permituserenvironment no" "logingracetime 20"; do
        check_has "sshd is told: $line" "$settings" "$line"
    done
    # inventory
    check_same "the inventory has who runs sshd, in a group for its component" "shell-1" \
        "$(slip inventory --list | jq -r '[.shell.hosts[], (._meta.hostvars | keys[])] | unique | join(" ")')"
    check_same "with the host key that is pinned" \
        "$(in_shell ssh-keygen -y -f /run/slipway/ssh/host_key | cut -d' ' -f2)" \
        "$(awk '$1 == "shell-1" { print $3 }' "$SLIPWAY_HOME/$env/ssh_known_hosts")"
    check_same "the key is for its owner alone" 600 "$(stat -c %a "$SLIPWAY_HOME/$env/ssh_key")"
    check_same "one host has its variables" root "$(slip inventory --host shell-1 | jq -r .ansible_user)"
    check_status "another one is refused" 1 slip inventory --host sleeper-1
    check_status "two questions at once, too" 6 slip inventory --list --host shell-1
    if command -v ansible >/dev/null; then
        printf '#!/bin/sh\nexec %s -e %s inventory "$@"\n' "$SLIPWAY ${slip_options[*]}" "$env" >"$TMP/inventory"
        chmod +x "$TMP/inventory"
        check_has "ansible takes it as it is" \
            "$(ANSIBLE_HOME=$TMP/ansible ansible -i "$TMP/inventory" all -m raw -a hostname)" "shell-1"
    else
        skip ansible "there is no ansible"
    fi
    check_same "no key stays behind" "" \
        "$(find "${XDG_RUNTIME_DIR:-/tmp}" -maxdepth 1 -name 'slipway-ssh.*' -newer "$file")"
    ssh-keygen -q -t ed25519 -N '' -f "$TMP/foreign"
    address=$(slip status --json | jq -r '.instances[] | select(.instance == "shell-1").address')
    foreign() {
        ssh -F none -i "$TMP/foreign" -o IdentityAgent=none -o IdentitiesOnly=yes -o BatchMode=yes \
            -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null "root@$address" true
    }
    check_not "another key is refused" foreign
    for _ in 1 2 3 4 5 6 7; do foreign 2>/dev/null || true; done
    check_status "refused keys do not lock out the others who come from here" 0 slip ssh shell-1 true
else
    skip ssh "there is no ssh client"
fi

# config
check_same "get" hello "$(slip config get sleeper word)"
check_status "set" 0 slip config set sleeper word 'two words: yes'
check_status "the form with = too" 0 slip config set sleeper 'number=1'
check_same "is there" 'two words: yes' "$(slip config get sleeper word)"
check_status "several at once" 0 slip config set sleeper number=2 'word=a: [b'
check_same "are there" '2 a: [b' "$(slip config get sleeper number) $(slip config get sleeper word)"
check_status "one of several that does not fit" 6 slip config set sleeper 'word=other' number=101
check_same "changes none" '2 a: [b' "$(slip config get sleeper number) $(slip config get sleeper word)"
check_status "one of several without a value" 6 slip config set sleeper number=3 word
check_status "as before" 0 slip config set sleeper number=1 'word=two words: yes'
applied() { slip status --json | jq -e '[.instances[] | select(.config.current | not)] | length == 0'; }
check "the instances apply it" wait_until 10 applied
check_status "and plan has nothing to do" 0 slip plan
check_status "set for one instance" 0 slip config set sleeper/2 number 7
check_same "the other keeps its own" 1 "$(slip config get sleeper/1 number)"
check_same "this one has it" 7 "$(slip config get sleeper-2 number)"
check_status "a value out of range" 6 slip config set sleeper number 101
check_status "an unknown key" 6 slip config set sleeper nmber 1
check_has "with the nearest one" "$(cat "$TMP/err")" "number?"
check_status "an unknown component" 1 slip config set slepper number 1
check_status "one entry of a map" 0 slip config set shell limits.files.soft 10
check_same "is read back by its path" 10 "$(slip config get shell limits.files.soft)"
check_status "delete an entry" 0 slip config delete shell limits.files.soft
check_status "which is gone" 1 slip config get shell limits.files.soft
check_status "a path that is too deep" 6 slip config set shell "limits$(printf '.a%.0s' $(seq 30000))" 1
check_status "delete an override" 0 slip config delete sleeper/2 number
check_status "twice: it is not set" 1 slip config delete sleeper/2 number
before=$(slip config list)
check_status "a dry run" 0 slip config set sleeper number 55 --dry-run
check_same "changes nothing" "$before" "$(slip config list)"
printf '#!/bin/sh\nprintf "word: edited\\nnumber: 3\\n" >"$1"\n' >"$TMP/editor"
chmod +x "$TMP/editor"
check_status "edit" 0 env EDITOR="$TMP/editor" \
    "$SLIPWAY" --catalog "$ROOT/tests/data/components" -e "$env" config edit sleeper
check_same "is in effect" "edited 3" "$(slip config get sleeper word) $(slip config get sleeper number)"
printf '#!/bin/sh\nprintf "word: edited\\nnumber: 300\\ncolour: red\\n" >"$1"\n' >"$TMP/editor"
check_status "an invalid edit" 6 env XDG_RUNTIME_DIR="$TMP" EDITOR="$TMP/editor" "$SLIPWAY" --catalog \
    "$ROOT/tests/data/components" -e "$env" config edit sleeper
check_same "names every problem" 2 "$(grep -c '^text:' "$TMP/err")"
check_has "and where the text is kept" "$(tail -n 1 "$TMP/err")" "slipway: the text is kept in $TMP/slipway-edit."
check_same "which it is" "colour: red" "$(tail -n 1 "$TMP"/slipway-edit.*/config.yaml)"
printf '#!/bin/sh\nprintf "word: a\nword: b\n" >"$1"\n' >"$TMP/editor"
check_status "a key twice" 6 env XDG_RUNTIME_DIR="$TMP" EDITOR="$TMP/editor" "$SLIPWAY" --catalog \
    "$ROOT/tests/data/components" -e "$env" config edit sleeper
check_same "is said where it is" "text:2:1: the key \"word\" is given twice; first on line 1" "$(head -n 1 "$TMP/err")"
edit() { XDG_RUNTIME_DIR=$TMP EDITOR=$TMP/editor slip config edit sleeper; }
printf '#!/bin/sh\nprintf "word: edited\\nnumber: 4\\n" >"$1"\n%s config set shell limits.x 1 >/dev/null\n' \
    "$SLIPWAY ${slip_options[*]} -q -e $env" >"$TMP/editor"
check_status "an edit while another component is changed" 0 edit
check_same "is stored, and the other change stays" "4 1" \
    "$(slip config get sleeper number) $(slip config get shell limits.x)"
sed -i 's/number: 4/number: 5/; s/shell limits.x 1/sleeper number 6/' "$TMP/editor"
check_status "an edit while the same component is changed" 1 edit
check_has "is told that, and by which key" "$(cat "$TMP/err")" \
    "sleeper was changed by someone else while it was edited (number); nothing of this edit is stored"
kept=$(sed -n 's/.*the text is kept in \([^:]*\):.*/\1/p' "$TMP/err")
check_same "its text is kept where it says" "number: 5" "$(grep number "$kept")"
check_same "and the other change counts" 6 "$(slip config get sleeper number)"
check_status "history" 0 slip config history --json sleeper word
check "has the changes in order" jq -e 'map(.new) == ["two words: yes", "a: [b", "two words: yes", "edited"]' "$TMP/out"
check_status "up takes the file's configuration back" 0 slip -f "$file" up
check_status "history" 0 slip config history --json sleeper word
check "has what up changed" jq -e '.[-1] | .what == "up" and .old == "edited" and .target == "sleeper"' "$TMP/out"
check_status "a map's entry" 0 slip config set shell limits.files.hard 12
check_same "is said alone, not with the whole map" "shell limits: files.hard 12 -> 13 (live)" \
    "$(slip config set shell limits.files.hard 13)"
check_has "in history too" "$(slip config history shell)" "files.hard 12 -> 13"
check_same "a value that does not fit is said without a place in no file" \
    "slipway: number: 300 must be between 0 and 100" \
    "$(slip config set sleeper number 300 2>&1)"

# Many at once: each waits for the lock and reads then, so nobody is refused and nothing is lost.
at_once=()
for i in $(seq 10); do
    slip config set --lock-wait 60s shell "limits.at_once_$i" "$i" >/dev/null 2>>"$TMP/at_once" &
    at_once+=($!)
    slip config set --lock-wait 60s sleeper number "$i" >/dev/null 2>>"$TMP/at_once" &
    at_once+=($!)
done
done=0
for i in "${at_once[@]}"; do wait "$i" && done=$((done + 1)); done
check_same "20 changes at once" "20 " "$done $(cat "$TMP/at_once")"
check_same "are all there" 10 \
    "$(slip config get --json shell limits | jq '[to_entries[] | select(.key | startswith("at_once_"))] | length')"
check_status "the document agrees with the keys" 0 slip plan

# lock
check_has "nobody holds the lock" "$(slip lock status)" "not locked"
check_status "break needs a reason" 6 slip lock break
check_status "breaking no lock is fine" 0 slip lock break --reason test

docker exec -i "$env-etcd-1" sh -c "ETCDCTL_API=3 etcdctl \
    --user \"root:\$(cat /run/slipway/secrets/root_password)\" put /slipway/$env/lock" >/dev/null \
    <<<'{"user":"other","host":"elsewhere","pid":1,"command":"up","since":"2026-01-31T12:00:00.000Z"}'
check_has "the holder is shown" "$(slip lock status)" elsewhere
check_status "a change is refused meanwhile" 4 slip config set sleeper word locked
check_has "and says who holds it" "$(cat "$TMP/err")" other@elsewhere
check_status "break" 0 slip lock break --reason "the holder is gone"
check_status "a change is possible again" 0 slip config set sleeper word unlocked
check_has "history keeps the reason" "$(slip config history)" "the holder is gone"

# check
slip check --json >"$TMP/check" || true
check_same "instances are kept apart in etcd" SUCCESS \
    "$(jq -r '.results[] | select(.code == "access.isolation").result' "$TMP/check")"
check_same "no unauthenticated read" SUCCESS \
    "$(jq -r '.results[] | select(.code == "access.auth").result' "$TMP/check")"
check_same "hooks are run" SUCCESS "$(jq -r '.results[] | select(.code == "echo.ok").result' "$TMP/check")"
check_same "a hook that ends badly is an exception" EXCEPTION \
    "$(jq -r '.results[] | select(.code == "echo.check").result' "$TMP/check")"
check_status "one module" 0 slip check access
check_status "a module that is not there" 6 slip check nothing
check_same "a component without its folder is skipped" SKIPPED \
    "$("$SLIPWAY" -e "$env" check --json sleeper | jq -r '.results[0].result')"

# stop, start, restart
check_status "stop needs a name" 6 slip stop
check_status "stop" 0 slip stop sleeper-1
check_status "status is 5 then" 5 slip status
check_status "check too" 5 slip check instances
check_status "exec says that it does not run" 1 slip exec sleeper-1 -- true
check_status "start" 0 slip start sleeper
check_same "waits until it is ready" ready \
    "$(slip status --json | jq -r '.instances[] | select(.instance == "sleeper-1").state')"
check "gets well" wait_until 20 slip status
check_status "a restart of several" 0 slip restart sleeper echo
check_same "waits for each" "ready ready ready" "$(slip status --json |
    jq -r '[.instances[] | select(.component == "sleeper" or .component == "echo").state] | join(" ")')"
docker exec "$env-sleeper-1" sh -c 'cd /usr/lib/slipway; cp -p slipway-agent agent; printf "%s\n" "#!/bin/sh" \
    "[ \$1 != health ] || exit 5" "exec sleep 1000" >script; chmod 755 script; mv script slipway-agent'
check_status "one that is not ready" 5 slip restart sleeper --timeout 10s
check_has "is named" "$(cat "$TMP/err")" "sleeper-1: it was started and is not ready"
check_same "and the next left alone" "" "$(cat "$TMP/out")"
docker exec "$env-sleeper-1" mv /usr/lib/slipway/agent /usr/lib/slipway/slipway-agent
docker restart -t 1 "$env-sleeper-1" >/dev/null
check "is well again" wait_until 30 slip status
docker exec "$env-sleeper-1" sh -c 'exec >/proc/1/fd/1; cat /run/slipway/secrets/token
    printf "\n%s\n" "-----BEGIN PRIVATE KEY-----" MC4CAQAwBQ "-----END PRIVATE KEY-----"'
check_status "collect" 0 slip collect "$TMP/all.tar"
check_has "has the logs" "$(tar tf "$TMP/all.tar")" logs/sleeper-2.log
all=$(tar xOf "$TMP/all.tar")
check_has "and the state" "$all" '"healthy": true'
check_hasnt "a password that got into a log is not in it" "$all" \
    "$(docker exec "$env-sleeper-1" cat /run/slipway/secrets/token)"
check_has "its place is marked" "$all" "[redacted]"
check_hasnt "nor is a private key" "$all" MC4CAQAwBQ
check_hasnt "nor the environment's key" "$all" "$(cat "$SLIPWAY_HOME/$env/key")"
check_same "only its owner reads it" 600 "$(stat -c %a "$TMP/all.tar")"
check_status "nothing is written over" 1 slip collect "$TMP/all.tar"
started=$(docker inspect -f '{{.State.StartedAt}}' "$env-sleeper-2")
check_status "restart" 0 slip restart sleeper-2
check_not "really restarts" test "$started" = "$(docker inspect -f '{{.State.StartedAt}}' "$env-sleeper-2")"

# Without etcd the commands that need none still work.
check_status "stop etcd" 0 slip stop etcd
check_status "status without etcd" 5 slip status
check_has "says so" "$(cat "$TMP/out")" "etcd does not answer"
check_status "logs without etcd" 0 slip logs --tail 1 sleeper
check_status "exec without etcd" 0 slip exec sleeper-2 -- true
check_status "config without etcd fails in one line" 1 slip config get sleeper word
check_same "one line" 1 "$(wc -l <"$TMP/err")"
check_status "start etcd" 0 slip start etcd
check "everything comes back" wait_until 60 slip status

check_hasnt "no secret in what was printed" "$(slip -vv status 2>&1; slip config history; slip status --json)" \
    "$(docker exec "$env-etcd-1" cat /run/slipway/secrets/root_password)"
finish
