#!/bin/bash
# SPDX-License-Identifier: MIT
# Three etcd members under an environment: one is killed, one is lost with its volume, tokens expire under the watches,
# all of etcd is down for a while. Configuration goes on arriving, and no daemon is restarted for it.
# about 125 s
set -eu
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../environment.sh"

needs "etcd3" jq curl
environment etcd3 --catalog "$ROOT/tests/data/components"
components <<END
etcd: {instances: 3, config: {auth_token_ttl: 10s}}
sleeper: {instances: 1}
END
word() { docker exec "$env-sleeper-1" cat /data/word; }
word_is() { [ "$(word)" = "$1" ]; }
run_of() { docker inspect -f '{{.Id}} {{.State.StartedAt}} {{.RestartCount}}' "$env-sleeper-1"; }
# arrives NAME WORD: config set is accepted, reaches the instance, and is acknowledged by it.
arrives() {
    check_status "$1: config set" 0 slip --timeout 60s config set sleeper word "$2"
    check "$1: the value arrives" wait_until 60 word_is "$2"
    check "$1: it is acknowledged" wait_until 30 acknowledged
}
acknowledged() {
    slip status --json 2>/dev/null | jq -e '.instances[] | select(.instance == "sleeper-1") | .config |
        .current and .result == "ok" and .applied == .desired'
}
healthy() { slip status; }
members() { # how many members the cluster knows, and how many of them were started
    docker exec "$env-etcd-$1" sh -c "ETCDCTL_API=3 etcdctl \
        --user \"root:\$(cat /run/slipway/secrets/root_password)\" member list" | grep -c ', started, '
}

check_status "up makes three members and a sleeper" 0 slip -f "$file" up
check "all is healthy" wait_until 30 healthy
check_same "the cluster has three members" 3 "$(members 1)"
arrives "three members" one
before=$(run_of)

# ---- one login is good at every member ------------------------------------------------------------------
docker exec "$env-sleeper-1" sed -n 's,^etcds*://[^:]*:\([^@]*\)@.*,\1,p' /etc/slipway/link >"$TMP/password"
ask() { # MEMBER TOKEN PATH BODY: the answer's status
    curl -sk -o "$TMP/answer" -w '%{http_code}' -H "Authorization: $2" -d "$4" \
        "https://$(docker inspect -f '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}' "$env-etcd-$1"):2379$3"
}
login() { # MEMBER USER: standard input is the password
    ask "$1" "" /v3/auth/authenticate \
        "$(jq -Rc --arg u "$2" '{name: $u, password: .}')" >/dev/null && jq -r .token "$TMP/answer"
}
sleeper=$(login 1 sleeper-1 <"$TMP/password")
root=$(docker exec "$env-etcd-1" cat /run/slipway/secrets/root_password | login 1 root)
meta="{\"key\":\"$(printf %s "/slipway/$env/instances/sleeper-1/meta" | base64 -w 0)\"}"
check_same "a lease by the first member" 200 "$(ask 1 "$sleeper" /v3/lease/grant '{"TTL":"30"}')"
lease=$(jq -c '{ID}' "$TMP/answer")
for i in 1 2 3; do
    check_same "member $i knows the instance that logged in elsewhere" 200 "$(ask "$i" "$sleeper" /v3/kv/range "$meta")"
    check_same "and that its lease is its own" 200 "$(ask "$i" "$sleeper" /v3/lease/keepalive "$lease")"
    check_has "which lives" "$(cat "$TMP/answer")" TTL
    check_same "but gives it no list of members" 403 "$(ask "$i" "$sleeper" /v3/cluster/member/list '{}')"
    check_same "that is for root" 200 "$(ask "$i" "$root" /v3/cluster/member/list '{}')"
done

# ---- a token expires under the watch ------------------------------------------------------------------
# The agent's login lasts 10 s without use; its watch uses none. What changes later must arrive all the same.
sleep 25
arrives "after its token has expired" two

# ---- one member is killed -----------------------------------------------------------------------------
docker kill "$env-etcd-2" >/dev/null
arrives "with one member of three killed" three
check_status "status is not healthy then" 5 slip status
check_has "it names the member" "$(grep etcd-2 "$TMP/out")" exited
check_has "and says how many answer" "$(cat "$TMP/out")" "2 of 3 members answer"
check_status "status --json" 5 slip status --json
# The other two may miss their leader for a moment.
only_that_one() { # status ends with 5
    { slip status --json || true; } | jq -e '
        .healthy == false and .etcd.answering == 2 and .etcd.members == 3
        and ([.instances[] | select(.ok | not) | .instance] == ["etcd-2"])'
}
check "says the same" wait_until 30 only_that_one
check_status "check fails" 5 slip check etcd instances
check_status "a plan starts it" 2 slip plan
check_has "this one" "$(cat "$TMP/out")" etcd-2
check_status "up starts it" 0 slip up
check "all is healthy again" wait_until 60 healthy
check_same "three members are started" 3 "$(members 2)"

# ---- the member that leads is killed --------------------------------------------------------------------
docker kill "$env-etcd-1" >/dev/null
arrives "without the first member" four
check_status "up starts it too" 0 slip up
check "all is healthy then" wait_until 60 healthy

# ---- a member is lost with all its data -------------------------------------------------------------------
docker rm -f "$env-etcd-3" >/dev/null
docker volume rm "$env-etcd-3-data" >/dev/null
check_status "a plan makes it again" 2 slip plan
check_status "up makes it again" 0 slip up
check "all is healthy with the new member" wait_until 90 healthy
check_same "the cluster has three members again, no fourth" 3 "$(members 3)"
# The new one holds what the others hold: it carries on when another one goes.
docker kill "$env-etcd-1" >/dev/null
arrives "with the new member in the quorum" five
check_status "up after that" 0 slip up
check "all is healthy after that" wait_until 60 healthy
check_status "nothing is left to do" 0 slip plan

# ---- every member gets a new container while one is down --------------------------------------------------
# The one that is down comes first: without it, each of the others would take the quorum with it.
docker kill "$env-etcd-3" >/dev/null
sed -i 's/^  etcd: {instances: 3,/& memory: 512MiB,/' "$file"
check_status "up replaces all three" 0 slip --timeout 10min -f "$file" up
check "all is healthy with them" wait_until 60 healthy
check_same "the one that was down first" etcd-3 "$(for i in 1 2 3; do
    docker inspect -f "{{.Created}} etcd-$i" "$env-etcd-$i"; done | sort | head -n 1 | cut -d ' ' -f 2)"
check_same "they are the same three members" 3 "$(members 1)"
check_status "and nothing is left to do" 0 slip plan

# ---- etcd is down ---------------------------------------------------------------------------------------
for i in 1 2 3; do docker stop -t 10 "$env-etcd-$i" >/dev/null & done
wait
check_not "nobody can change anything without etcd" slip --timeout 10s config set sleeper word lost
check_status "status says that etcd does not answer" 5 slip status
sleep 60
check_same "the daemon runs on without etcd" "$before" "$(run_of)"
check_same "with its configuration" hello "$(word)"
for i in 1 2 3; do docker start "$env-etcd-$i" >/dev/null; done
check "etcd is back and the agent reports again" wait_until 120 healthy
arrives "after a minute without etcd" six
check_same "in all this the sleeper was never restarted" "$before" "$(run_of)"

# ---- two of three are gone: no quorum ---------------------------------------------------------------------
docker pause "$env-etcd-2" "$env-etcd-3" >/dev/null
check_not "without a quorum a change is refused, and nobody waits for ever" timeout 60 "$SLIPWAY" \
    --catalog "$ROOT/tests/data/components" -q -e "$env" --timeout 15s config set sleeper word never
docker unpause "$env-etcd-2" "$env-etcd-3" >/dev/null
check "with the quorum all is well again" wait_until 90 healthy
arrives "after that" seven
check_status "down --volumes" 0 slip down --volumes --yes
check_same "leaves nothing" "" "$(docker ps -a --format '{{.Names}}' | grep -F "$env-" || true
    docker volume ls -q | grep -F "$env-" || true; docker network ls --format '{{.Name}}' | grep -F "$env" || true)"
finish
