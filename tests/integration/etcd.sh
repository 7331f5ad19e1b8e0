#!/bin/bash
# SPDX-License-Identifier: MIT
# The etcd client against real servers, 3.4 (installed) and 3.5 (scripts/dev/etcd-3.5): authentication, TLS by pin,
# transactions, watches through expiry, restart and compaction, locks and fencing, failover between three members.
# about 100 s
# no docker
set -eu
. "$(dirname "$0")/../lib.sh"

DRIVER=$B/integration/etcd_driver
BIN= # folder of the etcd under test
declare -A pids=()

# shellcheck disable=SC2317 # run at the end
stop_all() {
    local pid
    for pid in "${pids[@]}"; do kill -9 "$pid" || true; done
}
on_exit stop_all

# start NAME FLAG...: an etcd whose data is in $TMP/NAME
start() {
    local name=$1
    shift
    "$BIN/etcd" --name "$name" --data-dir "$TMP/$name" --bcrypt-cost 4 --logger zap --log-level error "$@" \
        >>"$TMP/$name.log" 2>&1 &
    pids[$name]=$!
    disown
}

halt() { # halt NAME [SIGNAL]
    kill "-${2:-KILL}" "${pids[$1]}"
    while kill -0 "${pids[$1]}" 2>/dev/null; do sleep 0.05; done
    unset "pids[$1]"
}

# with LINK COMMAND...: the driver; its failure is the last line of what it prints
with() {
    local link=$1
    shift
    SLIPWAY_LINK=$link "$DRIVER" "$@" 2>&1
}

# says NAME TEXT LINK COMMAND...: what the driver prints, failure included, contains the text
says() {
    local name="$V: $1" text=$2
    shift 2
    check_has "$name" "$(with "$@" || true)" "$text"
}

# watch FILE LINK ARGUMENT...: in the background, its pid in $watcher
watch() {
    local file=$1 link=$2
    shift 2
    : >"$file" # what an earlier watch left must not be taken for this one's
    SLIPWAY_LINK=$link "$DRIVER" watch "$@" >>"$file" 2>&1 &
    watcher=$!
}

single_flags() {
    flags=(--cert-file "$TMP/cert.pem" --key-file "$TMP/key.pem" --auth-token-ttl 2
        --listen-client-urls "https://127.0.0.1:$port" --advertise-client-urls "https://127.0.0.1:$port"
        --listen-peer-urls "http://127.0.0.1:$peer" --initial-advertise-peer-urls "http://127.0.0.1:$peer"
        --initial-cluster "$name=http://127.0.0.1:$peer")
}

test_auth() {
    local anonymous="etcds://127.0.0.1:$port?pin=$pin"
    says "authentication is seen to be off" "off" "$anonymous" auth
    check "$V: the role root is made" with "$anonymous" role root
    check "$V: the user root is made" with "$anonymous" user root geheim root
    says "a link with a password works while authentication is off" "there is no such key" "$root" get /nothing
    check "$V: authentication is enabled" with "$anonymous" auth-on
    check "$V: the role root is there already" with "$root" role root
    check "$V: the user root is there already" with "$root" user root geheim root
    says "authentication is seen to be on" "on" "$anonymous" auth
    says "without a user nothing is read" "auth: get /x: etcd wants a user and a password" "$anonymous" get /x
    says "a wrong password is refused" "auth: get /x: user root: etcd refuses the user or the password" \
        "${root/geheim/falsch}" get /x
    says "a wrong pin is refused" "auth: get /x: user root: etcd at 127.0.0.1:$port: the server's key is not the one" \
        "${root%%\?*}?pin=sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=" get /x
    says "a watch refuses a wrong pin too" "the server's key is not the one" \
        "${root%%\?*}?pin=sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=" watch 1 0 3000 0 /x
    says "without a pin the system's authorities count" \
        "auth: get /x: user root: etcd at 127.0.0.1:$port: the server's \
certificate is not trusted" "${root%%\?*}" get /x
    says "no etcd there" "net: get /x: user root: etcd at 127.0.0.1:1: connection refused" \
        "${root/:$port/:1}" get /x
    says "plain text to a TLS port" "get /x" "etcd://root:geheim@127.0.0.1:$port" get /x
}

test_roles() {
    local one="etcds://one:pw1@127.0.0.1:$port?pin=$pin"
    check "$V: a role is made" with "$root" role one r:/c/x/ rw:/i/one/status w:/i/one/applied r:/old/
    check "$V: a role is brought to the wanted state" with "$root" role one r:/c/x/ r:/i/one/ rw:/i/one/status \
        w:/i/one/applied
    local before after
    before=$(ctl role get one)
    check "$V: a role is left alone when it is right" with "$root" role one r:/c/x/ r:/i/one/ rw:/i/one/status \
        w:/i/one/applied
    after=$(ctl role get one)
    check_same "$V: a second time changes nothing" "$before" "$after"
    check_hasnt "$V: what is not wanted any more is revoked" "$after" "/old/"
    check "$V: a user is made" with "$root" user one pw0 one
    check "$V: its password is brought to the wanted one" with "$root" user one pw1 one
    check "$V: a right password is left alone" with "$root" user one pw1 one
    says "users are listed" "one" "$root" users
    check "$V: a key for it is written" with "$root" put /c/x/a 1
    says "its own keys are read" "1" "$one" get /c/x/a
    says "its own prefixes are read together" "count=1" "$one" many /c/x/ /i/one/
    says "another's prefix is refused" "auth: list /i/two/: etcd denies the permission" "$one" range /i/two/
    says "another's prefix among its own is refused" "denies the permission" "$one" many /c/x/ /i/two/
    says "a watch on another's prefix is refused" "auth: watching /i/two/: etcd denies the permission" \
        "$one" watch 1 0 5000 0 /i/two/
    says "writing where it may only read is refused" "auth: put /c/x/a: etcd denies the permission" "$one" put /c/x/a 2
    check "$V: it writes its status" with "$one" put /i/one/status ok
    check "$V: the user is removed" with "$root" user-remove one
    check "$V: removing it again is fine" with "$root" user-remove one
    check "$V: the role is removed" with "$root" role-remove one
    check "$V: removing that again is fine" with "$root" role-remove one
}

test_keys() {
    check "$V: put" with "$root" put /k/a 1
    says "get" "1" "$root" get /k/a
    says "a missing key is told" "notfound: get /k/zz: there is no such key" "$root" get /k/zz
    check "$V: change a version that is as expected" with "$root" swap /k/a 1 2
    says "change one that is not" "conflict: what the transaction expects is not so" "$root" swap /k/a 1 3
    check "$V: create what is not there" with "$root" swap /k/new 0 1
    says "create what is there" "conflict: " "$root" swap /k/new 0 1
    says "delete a prefix" "2" "$root" delete /k/
    check "$V: 128 operations in a transaction" with "$root" txn /t/ 128
    says "129 are refused clearly" "usage: a transaction of 129 operations and 0 compares; etcd takes at most 128" \
        "$root" txn /t/ 129
    check "$V: a value of 1 MB" with "$root" put-big /big/1 1000000
    says "a value of 1.6 MB is refused clearly" \
        "config: put /big/2: the request is larger than etcd takes (1.5 MiB)" "$root" put-big /big/2 1600000
    for i in 3 4 5 6; do with "$root" put-big "/big/$i" 1000000; done
    says "large values are read" "count=5 " "$root" range /big/
    says "keys that are read twice come once" "count=5 " "$root" many /big/ /big/1 /big/
    says "10,000 keys are pushed" "revision=" "$root" push /p/ 10000 64 4
    says "10,000 keys are listed" "count=10000 " "$root" range /p/
    mapfile -t names < <(seq -f /p/key-%06g 0 299)
    says "300 names are read at one revision" "count=300 " "$root" many "${names[@]}"
    check "$V: nothing is pushed" with "$root" push /none/ 0 64 4
}

test_locks() {
    local out lease revision
    out=$(with "$root" lock /lock "{\"owner\":\"a\"}" 5 leave)
    lease=${out#lease=}
    lease=${lease%% *}
    revision=${out#*create_revision=}
    says "a held lock names its holder" "locked: lock /lock: held by {\"owner\":\"a\"}" "$root" lock /lock b 5
    says "the holder writes" "revision=" "$root" push /guarded/ 300 8 2 /lock "$revision"
    check "$V: a lease is kept alive" with "$root" keepalive "$lease"
    sleep 0.5
    check "$V: a lease that nobody keeps alive takes its lock along" wait_until 8 with "$root" lock /lock b 60 leave
    says "a lease that has run out is told" "notfound: keeping lease" "$root" keepalive "$lease"
    says "who lost the lock writes nothing" "locked: the lock /lock is not ours any more" \
        "$root" push /late/ 300 8 2 /lock "$revision"
    says "nothing of it is there" "count=0 " "$root" range /late/
    check "$V: a released lock is free" with "$root" lock /lock2 a 60
    check "$V: and can be taken" with "$root" lock /lock2 b 60
    says "a put under a lease that is gone is refused" "notfound: put /x" "$root" put /x 1 "$lease"
}

test_maintenance() {
    says "status" "version=$V." "$root" status 0
    says "the leader is known" "leader=1" "$root" status 0
    check "$V: compact" with "$root" compact 100
    check "$V: compacting again is fine" with "$root" compact 100
    check "$V: defragment" with "$root" defragment 0
    says "the only member is listed" "$name http://127.0.0.1:$peer https://127.0.0.1:$port" "$root" members
}

test_token() {
    local out
    with "$root" put /w/first 0
    out=$(with "$root" repeat 2 4000 /w/first)
    check_same "$V: a token that expires between two calls is renewed" 2 "$(grep -c " 0 " <<<"$out")"
}

# The token (2 s) expires while the stream is open; the silent stream is then replaced with a new one.
test_watch_token() {
    watch "$TMP/watch" "$root" 2 0 20000 3000 /w/
    check "$V: a watch begins" wait_until 5 grep -q "STATE up" "$TMP/watch"
    with "$root" put /w/a 1
    check "$V: an event comes" wait_until 5 grep -q "PUT /w/a 1" "$TMP/watch"
    sleep 4.5
    with "$root" put /w/b 2
    check "$V: events come after the token expired" wait_until 5 grep -q "PUT /w/b 2" "$TMP/watch"
    wait "$watcher" || true
    check_same "$V: and the caller noticed nothing" 1 "$(grep -c STATE "$TMP/watch")"
}

# SIGNAL EVENTS: so many happen here; those of two names come in any order.
test_watch_restart() {
    watch "$TMP/watch" "$root" "$2" 0 30000 0 /w/ /single
    check "$V: a watch of two names begins" wait_until 5 grep -q "STATE up" "$TMP/watch"
    halt "$name" "$1"
    check "$V: the end of etcd is noticed ($1)" wait_until 5 grep -q "STATE down" "$TMP/watch"
    start "$name" "${flags[@]}"
    check "$V: etcd comes back" wait_until 10 with "$root" put /w/c 3
    with "$root" put /single 4
    with "$root" delete /w/ >/dev/null
    check "$V: nothing is missed after a restart" wait_until 10 grep -q "DELETE /w/" "$TMP/watch"
    wait "$watcher" || true
    check_has "$V: the first event of the restart is there" "$(cat "$TMP/watch")" "PUT /w/c 3"
    # Under load 3.4 now and then loses an event (issue 17529 of etcd); agents read all again each minute for that.
    if [ "$V" = 3.4 ] && ! grep -q "PUT /single 4" "$TMP/watch"; then
        skip "$V: and the one of the other name" "this etcd lost it"
        return
    fi
    check_has "$V: and the one of the other name" "$(cat "$TMP/watch")" "PUT /single 4"
}

test_watch_compaction() {
    local revision i
    for i in 1 2 3 4 5; do with "$root" put "/cw/$i" "$i"; done
    revision=$(with "$root" range /cw/ | sed -n 's/.*revision=//p')
    with "$root" compact "$revision"
    watch "$TMP/watch" "$root" 1 2 20000 0 /cw/
    check "$V: a watch from a compacted revision lists again" wait_until 5 grep -q "RESET 5" "$TMP/watch"
    check "$V: and goes on" wait_until 5 grep -q "STATE up" "$TMP/watch"
    with "$root" put /cw/6 6
    check "$V: with what comes then" wait_until 5 grep -q "PUT /cw/6 6" "$TMP/watch"
    wait "$watcher" || true
    watch "$TMP/watch" "$root" 1 99999999 20000 0 /cw/
    check "$V: a store that went back is listed again" wait_until 5 grep -q "RESET 6" "$TMP/watch"
    check "$V: and watched from there" wait_until 5 grep -q "STATE up" "$TMP/watch"
    with "$root" put /cw/7 7
    check "$V: an event comes from there" wait_until 5 grep -q "PUT /cw/7 7" "$TMP/watch"
    wait "$watcher" || true
}

test_quota() {
    local link i
    halt "$name" TERM
    start "$name" "${flags[@]}" --quota-backend-bytes 16777216
    wait_until 10 with "$root" get /cw/1
    for ((i = 0; i < 40; i++)); do link=$(with "$root" put-big /full 1000000) || break; done
    check_has "$V: a used up quota is told" "$link" "etcd's quota is used up"
    says "the alarm shows" "nospace=1" "$root" status 0
    with "$root" compact "$(with "$root" range /cw/ | sed -n 's/.*revision=//p')"
    with "$root" delete /full >/dev/null
    with "$root" delete /big/ >/dev/null
    with "$root" compact "$(with "$root" range /cw/ | sed -n 's/.*revision=//p')"
    check "$V: defragmenting a full store" with "$root" defragment 0
    check "$V: the alarm is disarmed" with "$root" disarm
    says "no alarm is left" "nospace=0" "$root" status 0
    check "$V: and writing goes on" with "$root" put /after 1
}

# With signed tokens any change of users makes every token old at once.
test_signed_tokens() {
    local link="etcd://root:geheim@127.0.0.1:$port" open="etcd://127.0.0.1:$port"
    start "jwt$V" --auth-token "jwt,pub-key=$TMP/jwt.pub,priv-key=$TMP/jwt.pem,sign-method=RS256,ttl=10m" \
        --listen-client-urls "http://127.0.0.1:$port" --advertise-client-urls "http://127.0.0.1:$port" \
        --listen-peer-urls "http://127.0.0.1:$peer" --initial-advertise-peer-urls "http://127.0.0.1:$peer" \
        --initial-cluster "jwt$V=http://127.0.0.1:$peer"
    check "$V: etcd with signed tokens comes up" wait_until 10 with "$open" auth
    with "$open" role root
    with "$open" user root geheim root
    with "$open" auth-on
    with "$link" put /f/a 1
    three=$link
    repeat 20
    watch "$TMP/watch" "$link" 1 0 20000 1000 /f/
    sleep 0.7
    check "$V: a user is added meanwhile" with "$link" user another pw
    repeated "a token made old by a change of users is renewed"
    sleep 1
    with "$link" put /f/b 2
    check "$V: in a watch too" wait_until 5 grep -q "PUT /f/b 2" "$TMP/watch"
    wait "$watcher" || true
    halt "jwt$V"
}

member() { # member INDEX: one of three
    local i=$1
    start "m$V$i" --listen-client-urls "http://127.0.0.1:${ports[i]}" \
        --advertise-client-urls "http://127.0.0.1:${ports[i]}" --listen-peer-urls "http://127.0.0.1:${peers[i]}" \
        --initial-advertise-peer-urls "http://127.0.0.1:${peers[i]}" --initial-cluster "$cluster"
}

repeat() { # repeat COUNT: in the background, into $TMP/repeat
    : >"$TMP/repeat"
    SLIPWAY_LINK=$three "$DRIVER" repeat "$1" 100 /f/a >"$TMP/repeat" 2>&1 &
    repeater=$!
}

repeated() { # repeated NAME: every call of the repeat must have succeeded
    if wait "$repeater"; then ok "$V: $1"; else not_ok "$V: $1" "$(tail -n 1 "$TMP/repeat")"; fi
}

test_failover() {
    local i out
    ports=() peers=() cluster=
    for i in 0 1 2; do
        ports[i]=$(free_port)
        peers[i]=$(free_port)
        cluster+="${cluster:+,}m$V$i=http://127.0.0.1:${peers[i]}"
    done
    for i in 0 1 2; do member "$i"; done
    three="etcd://127.0.0.1:${ports[0]},127.0.0.1:${ports[1]},127.0.0.1:${ports[2]}"
    check "$V: three members come up" wait_until 15 with "$three" put /f/a 1
    watch "$TMP/watch" "$three" 2 0 60000 0 /f/
    check "$V: a watch on the first member" wait_until 5 grep -q "STATE up" "$TMP/watch"
    repeat 60
    sleep 0.5
    halt "m${V}0"
    repeated "reading goes on when a member is killed"
    check_hasnt "$V: another member answers" "$(tail -n 1 "$TMP/repeat")" "127.0.0.1:${ports[0]} "
    out=$(awk '{ if ($3 > worst) worst = $3 } END { print (worst < 4000) }' "$TMP/repeat")
    check_same "$V: no call took its whole deadline" 1 "$out"
    check "$V: writing goes on" wait_until 5 with "$three" put /f/b 2
    check "$V: the watch goes on at another member" wait_until 10 grep -q "PUT /f/b 2" "$TMP/watch"
    member 0
    sleep 1
    repeat 10
    sleep 0.5
    kill -STOP "${pids[m${V}0]}"
    repeated "a member that hangs is left"
    kill -CONT "${pids[m${V}0]}"
    halt "m${V}2"
    halt "m${V}1"
    says "without a majority a write fails in time" "etcd" "$three" put /f/c 3
    check "$V: a watch on a member without a leader is given up" \
        wait_until 15 sh -c "tail -n 1 '$TMP/watch' | grep -q 'STATE down'"
    member 1
    check "$V: with a majority writing goes on" wait_until 15 with "$three" put /f/d 4
    check "$V: and the watch" wait_until 15 grep -q "PUT /f/d 4" "$TMP/watch"
    kill "$watcher" 2>/dev/null || true
    for i in 0 1; do halt "m$V$i"; done
}

ctl() { # etcdctl of the version under test, as root
    ETCDCTL_API=3 "$BIN/etcdctl" --endpoints "https://127.0.0.1:$port" --cacert "$TMP/cert.pem" --user root:geheim "$@"
}

test_version() {
    V=$1
    BIN=$2
    name=single$V
    port=$(free_port)
    peer=$(free_port)
    root="etcds://root:geheim@127.0.0.1:$port?pin=$pin"
    single_flags
    start "$name" "${flags[@]}"
    check "$V: etcd comes up" wait_until 10 with "etcds://127.0.0.1:$port?pin=$pin" auth
    test_auth
    test_roles
    test_keys
    test_locks
    test_maintenance
    test_token
    test_watch_token
    test_watch_restart KILL 5
    test_watch_restart TERM 3
    test_watch_compaction
    test_quota
    halt "$name"
    test_signed_tokens
    test_failover
}

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$TMP/key.pem" -out "$TMP/cert.pem" \
    -days 2 -subj /CN=etcd -addext subjectAltName=IP:127.0.0.1 2>/dev/null
pin=sha256//$(openssl x509 -in "$TMP/cert.pem" -pubkey -noout | openssl pkey -pubin -outform der |
    openssl dgst -sha256 -binary | base64)
openssl genrsa -out "$TMP/jwt.pem" 2048 2>/dev/null
openssl rsa -in "$TMP/jwt.pem" -pubout -out "$TMP/jwt.pub" 2>/dev/null

if installed=$(command -v etcd); then
    version=$(etcd --version | sed -n 's/^etcd Version: \([0-9]*\.[0-9]*\).*/\1/p')
    test_version "$version" "$(dirname "$installed")"
else
    skip "the installed etcd" "there is none"
fi
if newer=$("$ROOT/scripts/dev/etcd-3.5" 2>/dev/null); then
    [ "${version:-}" = 3.5 ] || test_version 3.5 "$newer"
else
    skip "etcd 3.5" "it is not to be had from the Debian archive"
fi
finish
