#!/bin/bash
# SPDX-License-Identifier: MIT
# The commands that work with --server: what they print is what the same commands print here; who is not trusted, or not
# allowed, is told so; and whatever answers in the place of a slipwayd, they end with one sentence.
# about 110 s
set -eu
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../environment.sh"

needs "commands from another machine" jq python3 openssl curl
unset NO_COLOR SLIPWAY_LINK SLIPWAY_SERVER SLIPWAY_TOKEN_FILE SLIPWAY_SERVER_PIN SLIPWAY_SERVER_CA
catalog=$ROOT/tests/data/components
environment srv --catalog "$catalog"
components <<END
etcd: {instances: 1}
sleeper: {instances: 1}
echo: {instances: 2}
END
check_status "up" 0 slip -f "$file" up

# ---- a server, and a token of each kind ----

port=$(free_port)
url=https://127.0.0.1:$port
"$B/slipwayd" --env "$env" --catalog "$catalog" --listen "127.0.0.1:$port" --data "$TMP/data" --first-token \
    >"$TMP/served" 2>>"$TMP/log" &
daemon=$!
on_exit 'kill "$daemon"'
check "slipwayd serves" wait_until 20 grep -q '^token ' "$TMP/served"
pin=$(sed -n 's/^pin //p' "$TMP/served")
jq -n --arg token "$(sed -n 's/^token //p' "$TMP/served")" '{$token}' >"$TMP/login"

api() { curl -sS --fail -k -b "$TMP/jar" -H "Origin: $url" -H 'Content-Type: application/json' "$@"; }
check "a session" api -c "$TMP/jar" -o /dev/null -d "@$TMP/login" "$url/api/v1/login"
token() { # ROLE: its token in a file of that name
    local made role=$1
    [ "$role" != brief ] || role=operator
    made=$(api -d '{"label": "test", "role": "'"$role"'"}' "$url/api/v1/tokens")
    (umask 077 && jq -r .token <<<"$made" >"$TMP/$1")
    jq -r .id <<<"$made" >"$TMP/$1.id"
}
token operator
token viewer
token admin
token brief

# As on a machine without Docker and without this environment's key.
bare() { env -u SLIPWAY_HOME HOME="$TMP/nobody" DOCKER_HOST=unix:///nowhere "$SLIPWAY" "$@"; }
at=(--server "$url" --server-pin "$pin" --token-file "$TMP/operator")
there() { bare "${at[@]}" "$@"; }
here() { "$SLIPWAY" "${slip_options[@]}" -e "$env" "$@"; }

# same NAME WORD...: both print the same, on both channels, and end with the same status.
same() {
    local name=$1 a=0 b=0
    shift
    here "$@" >"$TMP/here" 2>"$TMP/here.err" || a=$?
    there "$@" >"$TMP/there" 2>"$TMP/there.err" || b=$?
    settle "$TMP/here" "$TMP/there"
    check_same "$name: the status" "$a" "$b"
    check "$name: the output" diff "$TMP/here" "$TMP/there"
    check "$name: what is said" diff "$TMP/here.err" "$TMP/there.err"
}
# What changes between two looks: how long something runs, what etcd has written meanwhile.
settle() {
    sed -E -i -e 's/, [0-9.]+ MiB, revision [0-9]+/, SIZE/' -e 's/ [0-9]+ (ms|s|min|h) +/ SPAN /' \
        -e 's/SINCE +/SINCE /' -e 's/"(db_size|db_in_use|revision|ms)": [0-9]+/"\1": 0/' "$@"
}
ready() { here status >/dev/null; }
check "the environment is well" wait_until 60 ready

# was_cut NAME PROCESS FILE: it ends with 1, and says so in the file.
was_cut() {
    local status=0
    wait "$2" || status=$?
    check_same "$1: the status" 1 "$status"
    check_has "$1: what is said" "$(cat "$3")" "the log was cut: "
}

# ---- asking ----

same "status" status
same "status --wide" status --wide
same "status --json" status --json
same "status of one" status echo-1 sleeper
same "status of nothing" status nobody
same "config list" config list
same "config list of a component" config list echo
same "config list of an instance" config list echo/1
same "config list --json" config list --json
same "config list of nothing" config list nobody
same "config get" config get echo greeting
same "config get of an instance" config get echo/echo-2 greeting
same "config get --json" config get echo greeting --json
same "config get of an unknown key" config get echo no_such
same "config show" config show
same "config show --json" config show --json
same "logs" logs echo --tail 5
same "logs of one" logs echo-2
same "logs with times" logs -t echo-1
same "logs --json" logs --json echo-1
same "logs of nothing" logs nobody
same "logs up to a time" logs echo --until 2020-01-01
same "volume list without storage" volume list
same "volume show without storage" volume show disk
check_has "without storage: why" "$(cat "$TMP/there.err")" "slipway: "

"$SLIPWAY" "${at[@]}" logs -f echo >"$TMP/there" 2>&1 &
follow=$!
on_exit 'kill "$follow"'
check "logs -f shows lines" wait_until 30 grep -q . "$TMP/there"
kill -INT "$follow"
status=0
wait "$follow" || status=$?
check_same "and Ctrl-C ends it well" 0 "$status"

# One that is read by nobody for longer than the server waits: what was to come is not handed over any more.
"$SLIPWAY" "${at[@]}" logs -f echo-1 >"$TMP/stalled" 2>"$TMP/stalled.err" &
stalled=$!
on_exit 'kill -9 "$stalled"'
check "another one reads" wait_until 30 grep -q . "$TMP/stalled"
kill -STOP "$stalled"
docker exec "$env-echo-1" sh -c 'yes "$(printf %0500d 0)" | head -n 60000 >/proc/1/fd/1'
stalled_since=$SECONDS

# ---- changing ----

check_status "config set --dry-run" 0 there config set echo greeting hey --dry-run
check_has "config set --dry-run" "$(cat "$TMP/out")" "nothing was changed (--dry-run)"
check_status "config set --dry-run here" 0 here config set echo greeting hey --dry-run
cp "$TMP/out" "$TMP/here"
check_status "config set --dry-run there" 0 there config set echo greeting hey --dry-run
check "both plans are the same" diff "$TMP/here" "$TMP/out"
check_status "config set" 0 there config set echo greeting hey
check_same "config set: is in force" hey "$(here config get echo greeting)"
check_status "config set again" 0 there config set echo greeting hey
check_same "config set again" "nothing to change" "$(cat "$TMP/out")"
check_status "config set of an instance" 0 there config set echo/2 greeting=two
check_same "config set of an instance: is in force" two "$(here config get echo/2 greeting)"
check_status "config delete" 0 there config delete echo/2 greeting --json
check_same "config delete: says what it did" true "$(jq .changed "$TMP/out")"
same "config history" config history
same "config history of a key" config history echo greeting --json
check_has "the history has the token's user" "$(cat "$TMP/there")" '"who": "first@'
check_status "an unknown key" 6 there config set sleeper no_such 1
same "an unknown key, both" config set echo no_such 1
check_status "volume create without storage" 1 there volume create disk --size 1GiB
cp "$TMP/err" "$TMP/there"
check_status "volume create without storage, here" 1 here volume create disk --size 1GiB
check "and the same is said" diff "$TMP/err" "$TMP/there"
says "volume delete asks" 6 "it needs --yes" there volume delete disk
says "volume delete without storage" 1 "slipway: " there volume delete disk --yes
says "--no-wait is refused" 6 "do not work with --server" there volume create disk --size 1GiB --no-wait
says "--lock-wait is refused" 6 "does not work with --server" there config set echo greeting x --lock-wait 1s

# ---- who may ----

says "another command" 6 "up does not work with --server (or SLIPWAY_SERVER); these do: status" there up
says "--env with it" 6 "do not go with it" there -e demo status
says "http" 6 "https://HOST:PORT" bare --server "http://127.0.0.1:$port" --token-file "$TMP/operator" status
says "no token" 6 "needs --token-file" bare --server "$url" --server-pin "$pin" status
says "a token file that is missing" 1 "--token-file: " bare --server "$url" --server-pin "$pin" \
    --token-file "$TMP/none" status
echo "wrong wrong" >"$TMP/bad"
says "no token in it" 6 "holds no token" bare --server "$url" --server-pin "$pin" --token-file "$TMP/bad" status
says "options of it alone" 6 "go with --server" bare --token-file "$TMP/operator" status
says "something else for a pin" 6 "--server-pin takes sha256//" bare --server "$url" --server-pin /etc/passwd \
    --token-file "$TMP/operator" status
says "without a pin" 7 "is not trusted" bare --server "$url" --token-file "$TMP/operator" status
says "a wrong pin" 7 "is not the pinned one" bare --server "$url" --token-file "$TMP/operator" \
    --server-pin "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=" status
openssl s_client -connect "127.0.0.1:$port" </dev/null 2>/dev/null | openssl x509 >"$TMP/ca"
check_status "its certificate as the authority" 0 bare --server "$url" --server-ca "$TMP/ca" \
    --token-file "$TMP/operator" status
check_status "variables" 0 env SLIPWAY_SERVER="$url" SLIPWAY_SERVER_PIN="$pin" SLIPWAY_TOKEN_FILE="$TMP/operator" \
    "$SLIPWAY" status echo
check_status "--env means here all the same" 0 env SLIPWAY_SERVER=https://127.0.0.1:1 "$SLIPWAY" \
    "${slip_options[@]}" -e "$env" status
check_status "what needs no environment runs" 0 env SLIPWAY_SERVER="$url" "$SLIPWAY" version

cp "$TMP/operator" "$TMP/open" && chmod 644 "$TMP/open"
says "a token that others may read" 0 "others may read it" there --token-file "$TMP/open" status
echo "$(cat "$TMP/operator")x" >"$TMP/wrong"
says "a wrong token" 7 "does not take the token" there --token-file "$TMP/wrong" status
"$SLIPWAY" "${at[@]}" --token-file "$TMP/admin" logs -f echo-2 >"$TMP/there" 2>"$TMP/admin.err" &
follow=$!
check "somebody reads with a token" wait_until 30 grep -q . "$TMP/there"
check "a token is revoked" api -X DELETE -o /dev/null "$url/api/v1/tokens/$(cat "$TMP/admin.id")"
was_cut "the log that it reads ends, and not as a whole one" "$follow" "$TMP/admin.err"
says "a revoked token" 7 "does not take the token" there --token-file "$TMP/admin" status
# The shortest one lives for a day: its end is moved in etcd.
ctl() {
    docker exec -i "$env-etcd-1" sh -c 'ETCDCTL_USER="root:$(cat /run/slipway/secrets/root_password)"
        export ETCDCTL_API=3 ETCDCTL_USER
        exec etcdctl "$@"' - "$@"
}
key=$(ctl get "/slipway/$env/controller/" --prefix --keys-only | grep -F "$(cat "$TMP/brief.id")")
value=$(ctl get "$key" --print-value-only)
check_status "a token is good until it expires" 0 there --token-file "$TMP/brief" status
"$SLIPWAY" "${at[@]}" --token-file "$TMP/brief" logs -f echo-2 >"$TMP/there" 2>"$TMP/brief.err" &
follow=$!
check "somebody reads with it" wait_until 30 grep -q . "$TMP/there"
check "its end comes" ctl put "$key" "$(jq -c ".expires = $(($(date +%s%3N) + 2000))" <<<"$value")"
sleep 3
says "an expired token" 7 "does not take the token" there --token-file "$TMP/brief" status
says "changes nothing" 7 "does not take the token" there --token-file "$TMP/brief" config set echo greeting x
was_cut "the log that it reads ends" "$follow" "$TMP/brief.err"
check_status "a viewer looks" 0 there --token-file "$TMP/viewer" status
says "a viewer changes nothing" 7 "operator" there --token-file "$TMP/viewer" config set echo greeting x
says "of volumes neither" 7 "operator" there --token-file "$TMP/viewer" volume create disk --size 1GiB
check_hasnt "the token is in no debug line" "$(there -vv status 2>&1)" "$(cat "$TMP/operator")"

while [ $((SECONDS - stalled_since)) -lt 70 ]; do sleep 1; done
kill -CONT "$stalled"
was_cut "a log that nobody took for a minute" "$stalled" "$TMP/stalled.err"

"$SLIPWAY" "${at[@]}" logs -f echo-2 >"$TMP/there" 2>"$TMP/follow.err" &
follow=$!
check "somebody reads when the server ends" wait_until 30 grep -q . "$TMP/there"
kill "$daemon"
wait "$daemon" || true
was_cut "that log" "$follow" "$TMP/follow.err"
says "the server is gone" 1 "connection refused" there status
says "for a change too" 1 "connection refused" there config set echo greeting x
says "and for logs" 1 "connection refused" there logs echo

# ---- something else answers ----

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$TMP/key" -out "$TMP/cert" -days 2 \
    -subj /CN=fake -addext subjectAltName=IP:127.0.0.1 2>/dev/null
fakes=()
on_exit 'kill "${fakes[@]}"'
fake() { # MODE: one that answers so; its URL is in $TMP/fake.MODE
    python3 -B "$ROOT/tests/integration/server_fake.py" "$TMP/cert" "$TMP/key" "$TMP/port.$1" "$1" &
    fakes+=("$!")
}
to_fake() { # MODE WORD...
    local mode=$1
    shift
    bare --server "https://127.0.0.1:$(cat "$TMP/port.$mode")" --server-ca "$TMP/cert" --token-file "$TMP/viewer" "$@"
}
modes=(garbage plain html redirect empty broken list missing escapes problem overtaken endless gone slow dies
    whole cut breaks)
for mode in "${modes[@]}"; do fake "$mode"; done
for mode in "${modes[@]}"; do check "a fake: $mode" wait_until 20 test -s "$TMP/port.$mode"; done
one_sentence() { # NAME: stderr is one line of ours, and nothing was printed
    check_same "$1: one line" 1 "$(wc -l <"$TMP/err")"
    check_same "$1: nothing else" "" "$(cat "$TMP/out")"
    check_hasnt "$1: no escape sequence" "$(cat "$TMP/err")" $'\033'
}
for mode in garbage plain html redirect empty broken list missing escapes dies; do
    case $mode in
    missing | escapes) sentence="not that of a slipwayd" ;;
    *) sentence="slipway: https://127.0.0.1:" ;;
    esac
    for command in "status" "config list" "config get echo greeting" "config set echo greeting x" "config show" \
        "config history" "volume list" "volume show disk" "volume create disk" "logs echo"; do
        # shellcheck disable=SC2086 # words
        says "$mode: $command" 1 "$sentence" to_fake "$mode" $command
        one_sentence "$mode: $command"
    done
done
says "a body without an end" 1 "the answer is longer than" to_fake endless status
says "a line without an end" 1 "a line is longer than" to_fake endless logs echo
check_status "a log with its end" 0 to_fake whole logs echo
says "a log without it" 1 "the log was cut: it came without its end" to_fake cut logs echo
check_has "what came is printed" "$(cat "$TMP/out")" one
says "a log that breaks off" 1 "the log was cut: https://127.0.0.1:" to_fake breaks logs echo
check_status "an error with escape sequences" 4 to_fake problem status
check_hasnt "is made harmless" "$(cat "$TMP/err")" $'\033'
says "somebody was faster" 1 "somebody else has changed echo meanwhile" to_fake overtaken config set echo greeting x
says "a task that is gone" 1 "there is no task t-1; the server goes on with volume.create of disk (task t-1)" \
    to_fake gone volume create disk
says "a task that takes too long" 8 "the server goes on with volume.create of disk (task t-1)" \
    to_fake slow volume create disk --timeout 1s
rm "$TMP/asked.slow" # of the one before
"$SLIPWAY" --server "https://127.0.0.1:$(cat "$TMP/port.slow")" --server-ca "$TMP/cert" --token-file "$TMP/viewer" \
    -vv volume create disk >"$TMP/out" 2>"$TMP/err" &
waits=$!
on_exit 'kill "$waits"'
check "it waits for the task" wait_until 20 test -s "$TMP/asked.slow"
kill -INT "$waits"
status=0
wait "$waits" || status=$?
check_same "Ctrl-C ends the wait" 130 "$status"
check_has "and says what goes on" "$(cat "$TMP/err")" "the server goes on with volume.create of disk (task t-1)"
finish
