#!/bin/bash
# SPDX-License-Identifier: MIT
# The commands beside up, plan and down, on a real Docker and a real etcd.
set -eu
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../environment.sh"

unset NO_COLOR SLIPWAY_LINK
environment commands --catalog "$ROOT/tests/data/components" --catalog "$TMP/more"
slip() { "$SLIPWAY" "${slip_options[@]}" -e "$env" "$@"; }

mkdir -p "$TMP/more/shell"
cat >"$TMP/more/shell/component.yaml" <<'END'
name: shell
summary: runs sshd
ssh: true
run: {command: [sleep, infinity]}
config:
  limits: {type: map, default: {}, apply: live, help: a map}
END
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
check "has every instance ready and applied" jq -e '[.instances[] | select(.ok and .config.current)] | length == 5' "$TMP/out"
check "and etcd" jq -e '.etcd.answers and .etcd.answering == 1' "$TMP/out"
check_hasnt "no colour in a pipe" "$(slip status)" "$(printf '\033')"

# logs
docker exec "$env-sleeper-1" sh -c 'for i in 1 2 3 4 5; do echo "one $i"; sleep 0.05; done >/proc/1/fd/1'
docker exec "$env-sleeper-2" sh -c 'printf "two \033[31mred \000 end\n" >/proc/1/fd/1; head -c 300000 /dev/zero | tr "\0" x >/proc/1/fd/1; echo >/proc/1/fd/1'
two_end() { slip logs sleeper-2 | awk 'length($0) == 300000 { found = 1 } END { exit !found }'; }
one_end() { [ "$(slip logs --tail 1 sleeper-1)" = "one 5" ]; }
check "what was printed is in the logs" wait_until 60 one_end
check "a long line too" wait_until 60 two_end
check_same "logs of one instance have no prefix" "one 5" "$(slip logs --tail 1 sleeper-1)"
check_same "logs of several have one" "sleeper-1 | one 5" "$(slip logs sleeper | grep 'one 5')"
check_same "odd bytes are harmless" 'two \x1b[31mred \x00 end' "$(slip logs sleeper-2 | grep '^two')"
check_has "long lines stay whole" "$(slip logs sleeper-2 | awk '{ print length($0) }' | sort -n | tail -1)" 300000
check_same "logs --json is JSON" sleeper-1 "$(slip logs --json --tail 1 sleeper-1 | jq -r .instance)"
check_same "logs of a component are in the order of time" "" "$(slip logs -t sleeper | cut -d'|' -f2 | cut -c2-31 | sort -c 2>&1)"
check_same "--until the past is empty" "" "$(slip logs --until 2020-01-01 sleeper)"
check_status "an unknown instance" 1 slip logs sleeper-7
"$SLIPWAY" --catalog "$ROOT/tests/data/components" -e "$env" logs -f --tail 0 sleeper >"$TMP/follow" 2>&1 &
follower=$!
# Again and again: nobody says when it has begun to follow.
followed() { docker exec "$env-sleeper-1" sh -c 'echo followed >/proc/1/fd/1' && grep -q 'sleeper-1 | followed' "$TMP/follow"; }
check "logs -f follows" wait_until 60 followed
kill -TERM $follower
status=0
wait $follower || status=$?
check_same "and ends on a signal" 0 "$status"

# exec
check_status "exec keeps the exit status" 42 slip exec sleeper-1 -- sh -c 'exit 42'
check_same "exec passes arguments as they are" "a b|\$x" "$(slip exec sleeper-1 -- printf '%s|%s' 'a b' "\$x")"
check_same "exec connects input" HELLO "$(echo hello | slip exec sleeper-1 -- tr a-z A-Z)"
check_same "exec takes input and gives output at the same time, much of both" 20000000 \
    "$(head -c 20000000 /dev/zero | timeout -s KILL 60 "$SLIPWAY" "${slip_options[@]}" -e "$env" exec sleeper-1 -- cat | wc -c)"
check_same "exec keeps the streams apart" "" "$(slip exec sleeper-1 -- sh -c 'echo x >&2' 2>/dev/null)"
check_not "exec of a missing program fails" slip exec sleeper-1 -- no-such-program
check_same "exec --user" nobody "$(slip exec -u nobody sleeper-1 -- id -un)"

# ssh
if command -v ssh >/dev/null; then
    check "sshd answers" wait_until 20 slip ssh shell-1 true
    check_same "ssh runs a command" shell-1 "$(slip ssh shell-1 -- hostname)"
    check_status "ssh keeps the exit status" 9 slip ssh shell-1 exit 9
    check_status "also 127, of a command that is not there" 127 slip ssh shell-1 no-such-program
    check_status "ssh to an instance without sshd" 6 slip ssh sleeper-1
    check_same "no key stays behind" "" "$(find "${XDG_RUNTIME_DIR:-/tmp}" -maxdepth 1 -name 'slipway-ssh.*' -newer "$file")"
    ssh-keygen -q -t ed25519 -N '' -f "$TMP/foreign"
    address=$(slip status --json | jq -r '.instances[] | select(.instance == "shell-1").address')
    check_not "another key is refused" ssh -F none -i "$TMP/foreign" -o IdentityAgent=none -o IdentitiesOnly=yes -o BatchMode=yes \
        -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null "root@$address" true
else
    skip ssh "there is no ssh client"
fi

# config
check_same "get" hello "$(slip config get sleeper word)"
check_status "set" 0 slip config set sleeper word 'two words: yes'
check_status "the form with = too" 0 slip config set sleeper 'number=1'
check_same "is there" 'two words: yes' "$(slip config get sleeper word)"
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
check_status "edit" 0 env EDITOR="$TMP/editor" "$SLIPWAY" --catalog "$ROOT/tests/data/components" --catalog "$TMP/more" -e "$env" config edit sleeper
check_same "is in effect" "edited 3" "$(slip config get sleeper word) $(slip config get sleeper number)"
printf '#!/bin/sh\nprintf "word: edited\\nnumber: 300\\ncolour: red\\n" >"$1"\n' >"$TMP/editor"
check_status "an invalid edit" 6 env EDITOR="$TMP/editor" "$SLIPWAY" --catalog "$ROOT/tests/data/components" --catalog "$TMP/more" -e "$env" config edit sleeper
check_same "names every problem" 2 "$(grep -c '^text:' "$TMP/err")"
check_status "history" 0 slip config history --json sleeper word
check "has the changes in order" jq -e 'map(.new) == ["two words: yes", "edited"]' "$TMP/out"
check_status "up takes the file's configuration back" 0 slip -f "$file" up
check_status "history" 0 slip config history --json sleeper word
check "has what up changed" jq -e '.[-1] | .what == "up" and .old == "edited" and .target == "sleeper"' "$TMP/out"
check_status "a map's entry" 0 slip config set shell limits.files.hard 12
check_same "is said alone, not with the whole map" "shell limits: files.hard 12 -> 13 (live)" "$(slip config set shell limits.files.hard 13)"
check_has "in history too" "$(slip config history shell)" "files.hard 12 -> 13"
check_same "a value that does not fit is said without a place in no file" "slipway: number: 300 must be between 0 and 100" \
    "$(slip config set sleeper number 300 2>&1)"

# Two at once, each the same number of times: nothing is lost, nobody sees half of it.
for i in 1 2 3 4 5; do
    slip config set --lock-wait 30s sleeper number "$i" >/dev/null 2>"$TMP/a" &
    slip config set --lock-wait 30s sleeper word "w$i" >/dev/null 2>"$TMP/b" || { grep -q "by someone else" "$TMP/b" && slip config set --lock-wait 30s sleeper word "w$i" >/dev/null; }
    wait $! || { grep -q "by someone else" "$TMP/a" && slip config set --lock-wait 30s sleeper number "$i" >/dev/null; }
done
check_same "changes from two sides at once" "5 w5" "$(slip config get sleeper number) $(slip config get sleeper word)"
check_status "the document agrees with the keys" 0 slip plan

# lock
check_has "nobody holds the lock" "$(slip lock status)" "not locked"
check_status "break needs a reason" 6 slip lock break
check_status "breaking no lock is fine" 0 slip lock break --reason test

docker exec -i "$env-etcd-1" sh -c "ETCDCTL_API=3 etcdctl --cacert /run/slipway/secrets/tls.ca --endpoints https://127.0.0.1:2379 \
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
check_same "instances are kept apart in etcd" SUCCESS "$(jq -r '.results[] | select(.code == "access.isolation").result' "$TMP/check")"
check_same "no unauthenticated read" SUCCESS "$(jq -r '.results[] | select(.code == "access.auth").result' "$TMP/check")"
check_same "hooks are run" SUCCESS "$(jq -r '.results[] | select(.code == "echo.ok").result' "$TMP/check")"
check_same "a hook that ends badly is an exception" EXCEPTION "$(jq -r '.results[] | select(.code == "echo.check").result' "$TMP/check")"
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
check_same "waits until it is ready" ready "$(slip status --json | jq -r '.instances[] | select(.instance == "sleeper-1").state')"
check "gets well" wait_until 20 slip status
check_status "a restart of several" 0 slip restart sleeper echo
check_same "waits for each" "ready ready ready" "$(slip status --json | jq -r '[.instances[] | select(.component == "sleeper" or .component == "echo").state] | join(" ")')"
docker exec "$env-sleeper-1" sh -c 'cd /usr/lib/slipway; cp -p slipway-agent agent; printf "%s\n" "#!/bin/sh" \
    "[ \$1 != health ] || exit 5" "exec sleep 1000" >script; chmod 755 script; mv script slipway-agent'
check_status "one that is not ready" 5 slip restart sleeper --timeout 3s
check_has "is named" "$(cat "$TMP/err")" "sleeper-1: it was started and is not ready"
check_same "and the next left alone" "" "$(cat "$TMP/out")"
docker exec "$env-sleeper-1" mv /usr/lib/slipway/agent /usr/lib/slipway/slipway-agent
docker restart -t 1 "$env-sleeper-1" >/dev/null
check "is well again" wait_until 30 slip status
docker exec "$env-sleeper-1" sh -c 'exec >/proc/1/fd/1; cat /run/slipway/secrets/token; printf "\n%s\n" "-----BEGIN PRIVATE KEY-----" MC4CAQAwBQ "-----END PRIVATE KEY-----"'
check_status "collect" 0 slip collect "$TMP/all.tar"
check_has "has the logs" "$(tar tf "$TMP/all.tar")" logs/sleeper-2.log
all=$(tar xOf "$TMP/all.tar")
check_has "and the state" "$all" '"healthy": true'
check_hasnt "a password that got into a log is not in it" "$all" "$(docker exec "$env-sleeper-1" cat /run/slipway/secrets/token)"
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
