#!/bin/bash
# SPDX-License-Identifier: MIT
# slipway-init and slipway-agent outside Docker, with a real etcd (TLS, authentication) on loopback and the
# component tests/data/components/echo, which writes down what happens to it.
# no docker
set -eu
. "$(dirname "$0")/../lib.sh"
cd "$ROOT"
# Relative: the lists of what depends on which header have such names.
rel=${B#"$ROOT"/}
B=$rel make -s ${SAN:+SAN="$SAN"} "$rel/slipway-init" "$rel/slipway-agent"
${CC:-gcc} -std=gnu17 -O1 -D_GNU_SOURCE ${SAN:+-fsanitize="$SAN"} -Iinstaller -I. -o "$TMP/driver" \
    tests/integration/agent_driver.c \
    "$B/libcrypto.a" "$B/libbase.a" -lcrypto -lpthread

COMPONENT=$ROOT/tests/data/components/echo
PASSWORD=pass-of-echo-1-0123456789
ENV=/slipway/t
OWN=$ENV/instances/echo-1
SHARED=$ENV/components/echo
PORT=$(free_port)
PEER=$(free_port)
PIN=$("$TMP/driver" tls "$TMP")
LINK="etcds://echo-1:$PASSWORD@127.0.0.1:$PORT$OWN?pin=$PIN"
R=$TMP/run
D=$TMP/data
mkdir -p "$D"

# ---- etcd -------------------------------------------------------------------------------------------------
etcd_pid=
start_etcd() {
    etcd --name t --data-dir "$TMP/etcd" --listen-client-urls "https://127.0.0.1:$PORT" \
        --advertise-client-urls "https://127.0.0.1:$PORT" --listen-peer-urls "http://127.0.0.1:$PEER" \
        --initial-advertise-peer-urls "http://127.0.0.1:$PEER" --initial-cluster "t=http://127.0.0.1:$PEER" \
        --cert-file "$TMP/crt" --key-file "$TMP/key" --bcrypt-cost 4 --logger zap --log-level error \
        >>"$TMP/etcd.log" 2>&1 &
    etcd_pid=$!
    wait_until 15 ctl endpoint health
}
stop_etcd() {
    kill -9 "$etcd_pid"
    wait "$etcd_pid" 2>/dev/null || true
    etcd_pid=
}
ctl() {
    ETCDCTL_API=3 etcdctl --endpoints "https://127.0.0.1:$PORT" --cacert "$TMP/ca" \
        ${auth:+--user root:rootpass} "$@"
}
auth=
put() { ctl put "$1" -- "$2" >/dev/null; }
get() { ctl get --print-value-only "$1"; }
field() { jq -r ".$1"; }
on_exit '[ -z "$etcd_pid" ] || kill -9 $etcd_pid'
on_exit '[ -z "$init" ] || kill -9 $init'

# ---- the container's stand-in -----------------------------------------------------------------------------
init=
run() { # [LINK]
    "$B/slipway-init" --component "$COMPONENT" --run "$R" --data "$D" "$@" >"$TMP/out" 2>"$TMP/err" &
    init=$!
}
stop() {
    local status=0
    kill "$init" 2>/dev/null || true
    wait "$init" || status=$?
    init=
    return "$status"
}
# Nothing but some data: an empty volume is refused to an instance that had data before.
fresh() {
    rm -rf "$R" "$D"
    mkdir -p "$D"
    touch "$D/some-data"
}
state() { jq -r .state "$R/state.json"; }
is_ready() { [ "$(state)" = ready ]; }
has_event() { grep -q -- "$1" "$R/events"; }
logged() { grep -q -- "$1" "$TMP/err"; }
count() { grep -c -- "$1" "$R/events" || true; }
# applied FIELD VALUE: acknowledged so
applied() { [ "$(get "$OWN/applied" | field "$1")" = "$2" ]; }
# acknowledged KEY: what is applied is not older than the key
acknowledged() {
    local want
    want=$(ctl get "$1" -w json | jq -r '.kvs[0].mod_revision')
    [ "$(get "$OWN/applied" | field revision)" -ge "$want" ]
}
acked_ok() { acknowledged "$1" && applied result ok; }
agent_pid() { pgrep -P "$init" -f slipway-agent; }
daemon_pid() { pgrep -P "$init" bash; }

seal() { "$TMP/driver" seal "$PASSWORD" "echo-1/$1"; }
store() {
    put "$SHARED/config/greeting" hello
    put "$SHARED/config/size" 2097152
    put "$SHARED/shared/peers" '{"echo-1":"127.0.0.1"}'
    put "$SHARED/shared/count" 1
    put "$SHARED/shared/id" 11111111-2222-8333-8444-555555555555
    put "$OWN/meta" '{"component":"echo","ordinal":1,"address":"127.0.0.1","generation":1,"env":"t"}'
    put "$OWN/config/level" 3
    put "$OWN/secrets/token" "$(printf 'sealed-token-42' | seal token)"
    put "$OWN/secrets/tls" "$(cat "$TMP/key" "$TMP/crt" "$TMP/ca" | seal tls)"
}

start_etcd
ctl user add root:rootpass >/dev/null
ctl user grant-role root root >/dev/null 2>&1 || { ctl role add root >/dev/null &&
    ctl user grant-role root root >/dev/null; }
ctl role add echo-1 >/dev/null
ctl role grant-permission echo-1 --prefix=true read "$SHARED/" >/dev/null
ctl role grant-permission echo-1 --prefix=true read "$OWN/" >/dev/null
for key in "$OWN/applied" "$OWN/status" "$SHARED/once" "$SHARED/once.lock"; do
    ctl role grant-permission echo-1 readwrite "$key" >/dev/null
done
ctl user add "echo-1:$PASSWORD" >/dev/null
ctl user grant-role echo-1 echo-1 >/dev/null
ctl auth enable >/dev/null
auth=on
store

# ---- from nothing to ready ---------------------------------------------------------------------------------
run "$LINK"
check "an instance gets ready from its link alone" wait_until 10 is_ready
check_same "the hooks run in their order" "prepare 80 once echo-1 run none started apply all greeting=hello" \
    "$(tr '\n' ' ' <"$R/events" | sed 's/ $//')"
check "the configuration is acknowledged" wait_until 5 applied result ok
check_same "overrides, defaults and shared values are in the rendered file" \
    "greeting = hello,level = 3,size = 2097152,peers = 127.0.0.1,id = 11111111-2222-8333-8444-555555555555" \
    "$(sed -n 2,6p "$R/echo.ini" | paste -sd,)"
check_same "a secret is a file of the right mode" "sealed-token-42 400" \
    "$(cat "$R/secrets/token") $(stat -c %a "$R/secrets/token")"
check "a tls secret is three files" cmp "$R/secrets/tls.crt" "$TMP/crt"
check "the hook once is remembered" test -n "$(get "$SHARED/once")"
healthy() { get "$OWN/status" | grep -q '"state":"ready","health":"healthy"'; }
check "the status is in etcd" wait_until 5 healthy
check_same "it says where the configuration came from" etcd "$(get "$OWN/status" | field source)"
check_not "the status is bound to a lease" test "$(ctl get "$OWN/status" -w json | jq -r '.kvs[0].lease // 0')" = 0
check_status "the health check says so" 0 "$B/slipway-agent" health --run "$R"
check_status "a hook runs from outside with the same environment, its status is kept" 5 \
    "$B/slipway-agent" hook check --component "$COMPONENT" --run "$R"
check_has "and its output is on stdout" "$(cat "$TMP/out")" '"message":"hello"'
check_status "a hook that is not there has nothing to do" 0 "$B/slipway-agent" hook nothing \
    --component "$COMPONENT" --run "$R"
check_same "no secret is in the arguments of the daemon" "" \
    "$(tr '\0' '\n' <"/proc/$(daemon_pid)/environ" | grep -E "$PASSWORD|sealed-token" || true)"

# ---- changes -----------------------------------------------------------------------------------------------
# etcd 3.4 may lose an event on a loaded machine: then the agent finds the change when it looks again, after a minute.
before=$(daemon_pid)
put "$SHARED/config/greeting" ahoy
check "a live key is applied by the hook" wait_until 75 has_event "apply greeting greeting=ahoy"
check "and acknowledged" wait_until 75 acked_ok "$SHARED/config/greeting"
check "and rendered" grep -q "greeting = ahoy" "$R/echo.ini"
put "$OWN/config/level" 4
check "a reload key sends the signal" wait_until 75 has_event reloaded
check "and is acknowledged" wait_until 75 acked_ok "$OWN/config/level"
check_same "neither starts the daemon again" "$before" "$(daemon_pid)"
put "$SHARED/shared/peers" '{"echo-1":"127.0.0.1","echo-2":"127.0.0.2"}'
check "a shared value is applied live" wait_until 5 has_event "apply shared:peers"
put "$OWN/config/port" 8080
check "a restart key prepares and starts again" wait_until 10 has_event "prepare 8080"
check "and is acknowledged when it is ready" wait_until 10 acked_ok "$OWN/config/port"
check_has "with the new argument" "$(tr '\0' ' ' <"/proc/$(daemon_pid)/cmdline")" "--port=8080"
check_same "the restart is counted" 1 "$(get "$OWN/status" | field restarts)"
check_same "the lock of the component is free again" "" "$(get "$SHARED/once.lock")"
ctl del "$OWN/config/port" >/dev/null
check "a deleted override brings the default back" wait_until 10 has_event "prepare 80$"
wait_until 10 is_ready
put "$OWN/config/port" 99999
check "a value that does not fit is refused" wait_until 5 applied result failed
check_has "with the name of the key" "$(get "$OWN/applied" | field error)" "configuration key port"
check "while the daemon runs on" kill -0 "$(daemon_pid)"
ctl del "$OWN/config/port" >/dev/null
check "and the way back is acknowledged" wait_until 5 applied result ok
put "$OWN/config/trouble" nonsense
check "a live value that does not fit is refused too" wait_until 5 applied result failed
logged=$(stat -c %s "$TMP/err")
put "$OWN/config/trouble" megabyte
check "another one that fits is acknowledged" wait_until 30 acked_ok "$OWN/config/trouble"
ctl del "$OWN/config/trouble" >/dev/null
put "$OWN/config/broken" true
check "a restart whose prepare hook fails is reported" wait_until 15 applied result failed
check_has "with what it printed" "$(get "$OWN/applied" | field error)" "the disk is on fire"
check "and what ran before runs again" wait_until 10 is_ready
ctl del "$OWN/config/broken" >/dev/null
check "until it is mended" wait_until 10 applied result ok

# ---- hooks that misbehave ----------------------------------------------------------------------------------
put "$OWN/config/trouble" fail
check "a failing hook is reported" wait_until 5 applied result failed
check_has "with its output" "$(get "$OWN/applied" | field error)" "no way"
put "$OWN/config/trouble" hang
hung() { get "$OWN/applied" | field error | grep -q "did not end before its deadline"; }
check "a hanging hook is killed at its deadline" wait_until 8 hung
check_not "and nothing of it is left" pgrep -P 1 -f "sleep 600"
logged=$(stat -c %s "$TMP/err")
put "$OWN/config/trouble" megabyte
check "a hook that prints a megabyte is fine" wait_until 12 acked_ok "$OWN/config/trouble"
check "and the log is spared most of it" test "$(stat -c %s "$TMP/err")" -lt $((logged + 200000))
ctl del "$OWN/config/trouble" >/dev/null
touch "$R/sick"
unhealthy() { get "$OWN/status" | grep -q '"health":"unhealthy","reason":"not feeling well"'; }
check "an unhealthy daemon is reported with the reason" wait_until 5 unhealthy
check_status "the health check fails" 1 "$B/slipway-agent" health --run "$R"
rm "$R/sick"
check "and healthy again" wait_until 5 healthy

# ---- a second instance: one after the other ------------------------------------------------------------------
TWO=$ENV/instances/echo-2
ctl role add echo-2 >/dev/null
ctl role grant-permission echo-2 --prefix=true read "$SHARED/" >/dev/null
ctl role grant-permission echo-2 --prefix=true read "$TWO/" >/dev/null
for key in "$TWO/applied" "$TWO/status" "$SHARED/once" "$SHARED/once.lock"; do
    ctl role grant-permission echo-2 readwrite "$key" >/dev/null
done
ctl user add "echo-2:$PASSWORD" >/dev/null
ctl user grant-role echo-2 echo-2 >/dev/null
put "$TWO/secrets/token" "$(printf two | "$TMP/driver" seal "$PASSWORD" echo-2/token)"
put "$TWO/secrets/tls" "$(cat "$TMP/key" "$TMP/crt" "$TMP/ca" | "$TMP/driver" seal "$PASSWORD" echo-2/tls)"
mkdir -p "$TMP/data2"
SLIPWAY_RUN=$TMP/run2 SLIPWAY_DATA=$TMP/data2 SLIPWAY_HOME=$COMPONENT \
    "$B/slipway-init" "etcds://echo-2:$PASSWORD@127.0.0.1:$PORT$TWO?pin=$PIN" >"$TMP/out2" 2>"$TMP/err2" &
second=$!
on_exit 'kill -9 $second'
check "a second instance gets ready" wait_until 10 grep -q '"ready"' "$TMP/run2/state.json"
check_not "and does not run the hook once again" grep -q once "$TMP/run2/events"
put "$SHARED/config/port" 90
check "both restart for a common key" wait_until 20 grep -q "prepare 90" "$TMP/run2/events"
check "both of them" wait_until 20 has_event "prepare 90"
both_ready() { is_ready && grep -q '"ready"' "$TMP/run2/state.json"; }
check "and are ready again" wait_until 10 both_ready
check "but never at the same time" test "$(cat "$R/prepared")" -gt "$(cat "$TMP/run2/finished")" \
    -o "$(cat "$TMP/run2/prepared")" -gt "$(cat "$R/finished")"

# ---- values that only the daemon can refuse ------------------------------------------------------------------
# One of the two tries the value; it goes back, says so and keeps its turn.
runs_of() { cat "$R/events" "$TMP/run2/events" | grep -c "run $1$" || true; }
failed() { for i in "$OWN" "$TWO"; do get "$i/applied"; done | jq -r 'select(.result == "failed").error' |
    grep -q -- "$1"; }
all_ok() { applied result ok && [ "$(get "$TWO/applied" | field result)" = ok ]; }
unlocked() { [ -z "$(get "$SHARED/once.lock")" ]; }
before="$(cat "$R/pid") $(cat "$TMP/run2/pid")"
put "$SHARED/config/crash" early
check "a value with which the daemon ends is reported, with its last line" wait_until 30 failed \
    "status 3: cannot map that much: early"
check "what worked runs again" wait_until 30 both_ready
check_same "it was tried once more, for it might have been an accident" 2 "$(runs_of early)"
ended() { cat "$R/state.json" "$TMP/run2/state.json" | jq -r '.ended.text // empty' | grep -q "that much: early"; }
check "and how it ended is told beside it" wait_until 10 ended
check_same "the other instance is untouched" 1 \
    "$(tr ' ' '\n' <<<"$before" | grep -cxF -e "$(cat "$R/pid")" -e "$(cat "$TMP/run2/pid")")"
check_not "and has to wait" unlocked
put "$SHARED/config/greeting" hallo
check "a live change beside it changes nothing" wait_until 30 failed "cannot map that much: early"
check_same "and is not a reason to try it again" 2 "$(runs_of early)"
put "$SHARED/config/crash" none
check "taken back, all is well" wait_until 30 all_ok
check "and nobody waits" wait_until 20 unlocked
kill "$second"
wait "$second" || true

put "$OWN/config/crash" late
check "one with which it ends when it was ready already goes back too" wait_until 30 failed "cannot map that much: late"
wait_until 30 is_ready
check "which is remembered" wait_until 30 grep -q "cannot map that much: late" "$D/.slipway/refused.json"
tried=$(runs_of late)
stop || true
run "$LINK"
check "the next run of the container starts with what works" wait_until 30 is_ready
check_same "and does not try the other" "$tried" "$(runs_of late)"
check "which is still reported" wait_until 20 failed "cannot map that much: late"
check_same "the daemon is ready and the change is not done" "ready failed" \
    "$(get "$OWN/status" | field state) $(get "$OWN/applied" | field result)"
put "$OWN/meta" "$(get "$OWN/meta")"
more_tries() { [ "$(runs_of late)" -gt "$tried" ]; }
check "who asks for it is obeyed" wait_until 30 more_tries
again() {
    [ "$(get "$OWN/applied" | field revision)" -ge \
        "$(ctl get "$OWN/meta" -w json | jq -r '.kvs[0].mod_revision')" ] && failed late
}
check "with the same end" wait_until 20 again
wait_until 20 is_ready
ctl del "$OWN/config/crash" >/dev/null
check "taken back, it is forgotten" wait_until 30 applied result ok
check_not "for good" test -e "$D/.slipway/refused.json"
stop || true
put "$OWN/config/crash" early
run "$LINK"
check "what does not work at a start goes back as well" wait_until 30 failed "cannot map that much: early"
check "to what worked" wait_until 30 is_ready
ctl del "$OWN/config/crash" >/dev/null
check "taken back" wait_until 30 applied result ok
put "$OWN/config/trouble" kill
check "a live value that ends the daemon too" wait_until 30 failed "status 137"
ctl del "$OWN/config/trouble" >/dev/null
check "taken back" wait_until 30 applied result ok
put "$OWN/config/level" 9
check "a daemon that a reload ended starts with the new value" wait_until 30 acked_ok "$OWN/config/level"
runs() { kill -0 "$(daemon_pid)"; }
check "and runs" wait_until 10 runs
put "$OWN/config/level" 4
wait_until 30 acked_ok "$OWN/config/level"

put "$SHARED/config/port" 90
wait_until 10 acked_ok "$SHARED/config/port"
restarts=$(count "prepare 80$")
ctl del "$SHARED/config/port" >/dev/null
restarted() { [ "$(count "prepare 80$")" -gt "$restarts" ] && is_ready; }
wait_until 10 restarted

# ---- etcd goes away, the agent dies ------------------------------------------------------------------------
before=$(daemon_pid)
stop_etcd
check "the loss of etcd is said" wait_until 15 logged "etcd is unreachable"
check_status "the daemon does not mind" 0 kill -0 "$before"
check_status "nor does the health check" 0 "$B/slipway-agent" health --run "$R"
start_etcd
put "$SHARED/config/greeting" again
check "a change after its return is applied" wait_until 30 has_event "greeting=again"
check "and the status is back" wait_until 20 healthy
kill -9 "$(agent_pid)"
check "a killed agent comes back" wait_until 10 logged "taking over the running daemon"
check_same "and leaves the daemon alone" "$before" "$(daemon_pid)"
put "$SHARED/config/greeting" taken
check "and applies changes" wait_until 15 has_event "greeting=taken"
check_same "without another start" "$before" "$(daemon_pid)"
kill -9 "$(agent_pid)"
put "$OWN/config/port" 81
check "a change made while no agent ran is found" wait_until 20 has_event "prepare 81"
wait_until 10 is_ready

# ---- ends ---------------------------------------------------------------------------------------------------
check_status "the end is the daemon's" 0 stop
stopping() { get "$OWN/status" | grep -q '"state":"stopping"'; }
check "and said" stopping
mkdir "$TMP/nodata"
cp -r "$COMPONENT" "$TMP/nodata/echo"
sed -i '/^data:/d' "$TMP/nodata/echo/component.yaml"
run_without_data() {
    SLIPWAY_STATE=$TMP/layer "$B/slipway-init" --component "$TMP/nodata/echo" --run "$R" "$LINK" >"$TMP/out" \
        2>"$TMP/err" &
    init=$!
}
run_without_data
wait_until 20 is_ready
stop
stop_etcd
rm -r "$R"
run_without_data
check "without etcd and data an instance starts from what its container has" wait_until 20 is_ready
check_same "which is for root alone" "700 600" "$(stat -c %a "$TMP/layer" "$TMP/layer/snapshot.json" | paste -sd' ')"
check "with sealed secrets" grep -q '"v1:' "$TMP/layer/snapshot.json"
stop
run "$LINK"
check "without etcd the instance starts from the last snapshot" wait_until 10 is_ready
check_same "and says so" snapshot "$(jq -r .source "$R/state.json")"
check "secrets in the snapshot are sealed" grep -q '"v1:' "$D/.slipway/snapshot.json"
start_etcd
from_etcd() { get "$OWN/status" | grep -q '"source":"etcd"'; }
check "when etcd is back it is used" wait_until 30 from_etcd
kill -9 "$(daemon_pid)"
status=0
wait "$init" || status=$?
init=
check_same "the death of the daemon ends the container with its status" 137 "$status"

# ---- a lock that is lost while the hook once runs -------------------------------------------------------------
ctl del "$SHARED/once" >/dev/null
fresh
touch "$D/slow-once"
cp -r "$COMPONENT" "$TMP/echo"
sed -i 's/^hooks: .*/hooks: {deadline: 60s}/' "$TMP/echo/component.yaml"
fast=$COMPONENT
COMPONENT=$TMP/echo
run "$LINK"
check "the hook once runs" wait_until 10 has_event "once echo-1"
ctl lease revoke "$(printf %x "$(ctl get "$SHARED/once.lock" -w fields |
    awk '$1 == "\"Lease\"" { print $3 }')")" >/dev/null
status=0
wait "$init" || status=$?
init=
check_same "and ends when its lock is another's to take" 1 "$status"
check "which is said" logged "its lock was lost"
check_same "its result is not remembered" "" "$(get "$SHARED/once")"
rm "$D/slow-once"
run "$LINK"
check "the next start runs it" wait_until 10 is_ready
check "and remembers it" test -n "$(get "$SHARED/once")"
stop || true
COMPONENT=$fast

# ---- bad links ----------------------------------------------------------------------------------------------
fresh
check_status "a wrong password is status 7" 7 timeout 20 "$B/slipway-init" --component "$COMPONENT" --run "$R" \
    --data "$D" "etcds://echo-1:wrong-password@127.0.0.1:$PORT$OWN?pin=$PIN"
check_has "with a clear error" "$(cat "$TMP/err")" "etcd refuses the user or the password"
check_hasnt "without the password" "$(cat "$TMP/err")" "wrong-password"
check_status "a wrong pin is status 7" 7 timeout 20 "$B/slipway-init" --component "$COMPONENT" --run "$R" --data "$D" \
    "etcds://echo-1:$PASSWORD@127.0.0.1:$PORT$OWN?pin=sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
printf '%s\n' 'openssl_conf = a' '[a]' 'alg_section = b' '[b]' 'default_properties = fips=yes' >"$TMP/fips.cnf"
check_status "a libcrypto without what is needed is status 1" 1 env OPENSSL_CONF="$TMP/fips.cnf" timeout 20 \
    "$B/slipway-init" --component "$COMPONENT" --run "$R" --data "$D" "$LINK"
check_has "and is said" "$(cat "$TMP/err")" "libcrypto, as it is set up here, has no SHA-256"
check_status "no link is an error" 6 env SLIPWAY_LINK_FILE=/nonexistent timeout 20 "$B/slipway-init" \
    --component "$COMPONENT" --run "$R" --data "$D"
put "$OWN/secrets/token" "$(printf 'x' | "$TMP/driver" seal other echo-1/token)"
check_status "a secret sealed for somebody else is status 7" 7 timeout 20 "$B/slipway-init" \
    --component "$COMPONENT" --run "$R" --data "$D" "$LINK"
check_has "and named" "$(get "$OWN/applied" | field error)" "secret echo-1/token"
check_same "the state is failed" failed "$(get "$OWN/status" | field state)"

# ---- without etcd ---------------------------------------------------------------------------------------------
cat >"$TMP/tree.json" <<END
{"revision": 5, "prefix": "/slipway/t/instances/echo-1", "keys": {
 "/slipway/t/components/echo/config/greeting": "file",
 "/slipway/t/components/echo/shared/peers": "{}", "/slipway/t/components/echo/shared/count": "1",
 "/slipway/t/components/echo/shared/id": "x",
 "/slipway/t/instances/echo-1/secrets/token": "clear",
 "/slipway/t/instances/echo-1/secrets/tls": $(cat "$TMP/key" "$TMP/crt" "$TMP/ca" | jq -Rs .)}}
END
fresh
SLIPWAY_SET_SIZE=3MiB run --set greeting=words "file://$TMP/tree.json"
check "a file is a link too" wait_until 10 is_ready
check "what the command line sets wins" has_event "greeting=words"
check "and variables come next" grep -q "size = 3145728" "$R/echo.ini"
sed 's/"clear"/"clear2"/' "$TMP/tree.json" >"$TMP/tree.new" && mv "$TMP/tree.new" "$TMP/tree.json"
check "a changed file is applied" wait_until 10 grep -q clear2 "$R/secrets/token"
stop || true
fresh
run --greet hand
check "arguments become a configuration through the component's hook" wait_until 10 is_ready
check "with its values" has_event "greeting=hand"
stop || true

finish
