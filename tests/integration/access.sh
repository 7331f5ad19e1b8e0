#!/bin/bash
# SPDX-License-Identifier: MIT
# What somebody who broke into an instance's container gets at in etcd: etcd_ways.py tries every way that is known.
set -eu
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../environment.sh"

needs "access" jq python3 curl
environment access --catalog "$ROOT/tests/data/components"
components <<END
etcd: {instances: 1, config: {quota: 64MiB}}
sleeper: {instances: 2}
END
check_status "up" 0 slip -f "$file" up
at=$(docker inspect -f '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}' "$env-etcd-1")
docker exec "$env-sleeper-1" sed -n 's,^etcds*://[^:]*:\([^@]*\)@.*,\1,p' /etc/slipway/link >"$TMP/password"
root() { docker exec "$env-etcd-1" sh -c \
    'ETCDCTL_API=3 exec etcdctl --user "root:$(cat /run/slipway/secrets/root_password)" "$@"' sh "$@"; }
# gate TOKEN PATH BODY: the answer's status; the answer is in $TMP/answer.
gate() { curl -sk -o "$TMP/answer" -w '%{http_code}' -H "Authorization: $1" --data-binary "$3" "https://$at:2379$2"; }
login() { # USER PASSWORD
    jq -nc --arg u "$1" --arg p "$2" '{name: $u, password: $p}' |
        curl -sk --data-binary @- "https://$at:2379/v3/auth/authenticate" | jq -r .token
}
b64() { printf %s "$1" | base64 -w 0; }
# Everything that is not the attacker's or a heartbeat; alarms; members; who may do what.
theirs() {
    docker exec "$env-etcd-1" sh -c 'export ETCDCTL_API=3 ETCDCTL_USER="root:$(cat /run/slipway/secrets/root_password)"
        etcdctl get "/slipway/$1" --prefix | grep -v "\"health\"" | grep -v "^/slipway/$1/instances/sleeper-1/"
        etcdctl user list; etcdctl role list; etcdctl role get sleeper-1; etcdctl role get component:sleeper
        etcdctl user get sleeper-1; etcdctl member list; etcdctl alarm list' sh "$env" || true
}
# ways NAME: every way is refused, and nothing of the others has changed.
ways() {
    local before
    before=$(theirs)
    python3 "$ROOT/tests/integration/etcd_ways.py" "$at" sleeper-1 "/slipway/$env/instances/sleeper-2/" "$lease" \
        <"$TMP/password" >"$TMP/ways" || true
    grep '^open' "$TMP/ways" >&2 || true
    check "$1: the ways are tried" test "$(grep -c '^refused' "$TMP/ways")" -gt 60
    check_not "$1: none is open" grep '^open' "$TMP/ways"
    check_same "$1: what is not its own is as it was" "$before" "$(theirs)"
    check_has "$1: a lease of another lives" "$(root lease timetolive "$(printf %x "$lease")")" remaining
}

lease=$((0x$(root lease grant 600 | awk '{ print $2 }')))
ways "in a sound etcd"
check_not "what an agent does goes on" grep '^fails' "$TMP/ways"
check "all of it" test "$(grep -c '^works' "$TMP/ways")" = 8
check_status "check access tries the ways too" 0 slip check access
check_has "and says so" "$(cat "$TMP/out")" "access.ways"

# ---- etcd sets its roles aside while an alarm is on ---------------------------------------------------
admin=$(login root "$(docker exec "$env-etcd-1" cat /run/slipway/secrets/root_password)")
check_same "root may do everything through the gate" 200 \
    "$(gate "$admin" /v3/maintenance/alarm '{"action":"ACTIVATE","alarm":"NOSPACE"}')"
check_has "there is an alarm" "$(root alarm list)" NOSPACE
ways "with an alarm"
check_has "root disarms it" "$(root alarm disarm)" NOSPACE

# ---- history and requests have limits -----------------------------------------------------------------
token=$(login sleeper-1 "$(cat "$TMP/password")")
key=$(b64 "/slipway/$env/instances/sleeper-1/status")
head -c 200000 /dev/urandom | base64 -w 0 | jq -Rc --arg k "$key" '{key: $k, value: .}' >"$TMP/report"
used() { root endpoint status -w json | jq '.[0].Status.dbSize'; }
before=$(used)
for _ in $(seq 1 30); do gate "$token" /v3/kv/put "@$TMP/report"; echo; done >"$TMP/codes"
check "some reports are taken" grep -q 200 "$TMP/codes"
check_same "an instance cannot fill etcd with its own status" 429 "$(tail -n 1 "$TMP/codes")"
check_has "it is told why" "$(cat "$TMP/answer")" "too many requests"
check "a sixty-fourth of the quota is its share" test $(($(used) - before)) -lt 4000000
check_same "it may still read" 200 "$(gate "$token" /v3/kv/range "{\"key\":\"$key\"}")"
check_same "the others write on" 200 "$(gate "$admin" /v3/kv/put "{\"key\":\"$(b64 /other)\",\"value\":\"eA==\"}")"
# 1500 requests one behind the other, without waiting for answers; from inside, because that takes no TLS, and for a key
# that is refused, because that is quick.
docker exec -e TOKEN="$token" -e CLOSE=$'Connection: close\r\n' -e BODY='{"key":"L3g="}' "$env-etcd-1" \
    timeout 60 bash -c '
    ask() {
        printf "POST /v3/kv/range HTTP/1.1\r\nHost: x\r\nAuthorization: %s\r\nContent-Length: %d\r\n%s\r\n%s" \
            "$TOKEN" ${#BODY} "$1" "$BODY"
    }
    exec 3<>/dev/tcp/127.0.0.1/2383
    { for ((i = 1; i < 1500; i++)); do ask ""; done; ask "$CLOSE"; } >&3 &
    cat <&3' | grep -ao 'HTTP/1.1 [0-9]*' >"$TMP/codes"
check_same "each of many requests is answered" 1500 "$(wc -l <"$TMP/codes")"
check "so many are too many" grep -q 429 "$TMP/codes"
check_same "the operator's are not counted" 200 "$(gate "$admin" /v3/kv/range "{\"key\":\"$key\"}")"
check_status "the environment is healthy meanwhile" 0 slip check access.members

# ---- check says it when the gate is open ---------------------------------------------------------------
docker exec "$env-etcd-1" sh -c '
    sed "s/rewrite_by_lua_block .*/if (\$http_authorization ~ \"^([^~]+)\") { set \$gate_token \$1; }/" \
        /run/slipway/gate/nginx.conf >/tmp/open && cat /tmp/open >/run/slipway/gate/nginx.conf &&
        kill -HUP "$(cat /run/slipway/gate/pid)"'
open_is_said() { ! slip check access >"$TMP/said" 2>&1 && grep -q 'FAILED.*access.ways' "$TMP/said"; }
check "check access says what a gate without a lock lets through" wait_until 10 open_is_said
for way in "a transaction in a transaction" "a watch that ends nowhere" compaction "list of members" \
    "keeping a lease"; do
    check_has "so does $way" "$(cat "$TMP/said")" "$way"
done

# ---- the gate dies --------------------------------------------------------------------------------------
started=$(docker inspect -f '{{.State.StartedAt}}' "$env-etcd-1")
docker exec "$env-etcd-1" sh -c 'kill -KILL $(cat /run/slipway/gate/pid)'
restarted() { [ "$(docker inspect -f '{{.State.StartedAt}} {{.State.Running}}' "$env-etcd-1")" != "$started true" ]; }
check "the container ends with its gate and comes back" wait_until 20 restarted
docker restart -t 1 "$env-sleeper-1" >/dev/null # what it reports was written over above
check "all is well again" wait_until 60 slip status
check_same "a token of before is not valid" 401 "$(gate "$token" /v3/kv/range "{\"key\":\"$key\"}")"
check_status "and check finds the gate shut" 0 slip check access
check_status "down --volumes" 0 slip down --volumes --yes
finish
