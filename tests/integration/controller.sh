#!/bin/bash
# SPDX-License-Identifier: MIT
# The controller's server on a small environment: who may what, what every route answers, requests that are not well
# meant, and what it knows after it was killed.
# about 120 s
set -eu
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../environment.sh"

needs "the controller" jq python3 openssl curl
unset NO_COLOR SLIPWAY_LINK
environment controller --catalog "$ROOT/tests/data/components"
components <<END
etcd: {instances: 1}
sleeper: {instances: 1}
echo: {instances: 1}
END
check_status "up" 0 slip -f "$file" up

port=$(free_port)
state=$TMP/state.json
printf '{"host": "127.0.0.1", "port": %d, "tokens": {}}' "$port" >"$state"
daemon=
serve() {
    : >"$TMP/served"
    "$B/slipwayd" --env "$env" --catalog "$ROOT/tests/data/components" --listen "127.0.0.1:$port" --data "$TMP/data" \
        --trusted-origin https://trusted.example:444 "$@" >"$TMP/served" 2>>"$TMP/log" &
    daemon=$!
}
on_exit 'kill "$daemon"'
try() { check "$1" timeout 300 python3 -B "$ROOT/tests/integration/controller_api.py" "$state" "${@:2}"; }
answers() { curl -sk -o /dev/null --max-time 5 "https://127.0.0.1:$port/api/v1/health"; }

serve --first-token
check "slipwayd serves" wait_until 20 grep -q '^token ' "$TMP/served"
first=$(sed -n 's/^token //p' "$TMP/served")
check "and prints the pin of its key" curl -sk --pinnedpubkey "$(sed -n 's/^pin //p' "$TMP/served")" \
    "https://127.0.0.1:$port/api/v1/health"
check "/ is the page, or 404 without one" curl -sk "https://127.0.0.1:$port/"

try "the first token begins one session, and its user makes others" first_token "$first"
try "roles and routes, every one" roles_and_routes
try "a viewer and a token for figures get no more" lesser_get_nothing
try "instances stop, start and restart as tasks" start_stop
try "every GET answers as the OpenAPI document says" every_answer_fits
try "configuration: plan, change, two editors, history, back" configuration
try "the document: plan and apply" plan_and_apply
try "of two who apply at once, one does" two_apply
try "logs" logs
try "events are resumed" resume
try "an instance that is killed is told of, and mended" killed "$env-sleeper-1"
try "what is paused is left alone" paused "$env-sleeper-1"
try "users and tokens" users_and_tokens
try "what a token made ends with it" what_a_token_made
try "a revoked token ends its stream" revoked_stream
try "a user who may less loses the stream" demoted_stream
try "of two admins who delete each other one stays" two_admins
try "a change needs the page's own origin" changes_need_their_origin
try "requests that are not well meant" hostile_requests
try "heads that take for ever" slow_heads
try "several requests on one connection" pipelined
try "names that nothing has" odd_names
try "many connections of one address" many_connections
try "wrong passwords" wrong_passwords
try "the audit" audit

# A real Prometheus takes the figures, with a token for them alone, and the dashboard's questions are about them.
if prometheus=$("$ROOT/scripts/dev/unpacked" prometheus 2>/dev/null)/usr/bin; then
    jq -r .tokens.metrics "$state" >"$TMP/figures.token"
    figures() { curl -skf -H "Authorization: Bearer $(cat "$TMP/figures.token")" "https://127.0.0.1:$port/metrics"; }
    figures >"$TMP/figures"
    check "promtool finds nothing wrong" "$prometheus/promtool" check metrics <"$TMP/figures"
    openssl s_client -connect "127.0.0.1:$port" </dev/null 2>/dev/null | openssl x509 >"$TMP/server.pem"
    cat >"$TMP/prometheus.yml" <<END
global: {scrape_interval: 1s}
scrape_configs:
  - job_name: slipway
    scheme: https
    authorization: {credentials_file: $TMP/figures.token}
    tls_config: {ca_file: $TMP/server.pem}
    static_configs: [{targets: ['127.0.0.1:$port']}]
END
    scraper=$(free_port)
    "$prometheus/prometheus" --config.file="$TMP/prometheus.yml" --storage.tsdb.path="$TMP/tsdb" \
        --web.listen-address="127.0.0.1:$scraper" >"$TMP/prometheus" 2>&1 &
    on_exit "kill $!"
    asked() { curl -sf --data-urlencode "query=$1" "http://127.0.0.1:$scraper/api/v1/query" | jq -e "$2"; }
    check "Prometheus reads them" wait_until 60 asked 'slipway_instance_ok{instance_name="echo-1"}' \
        '.data.result[0].value[1] == "1"'
    while read -r question; do
        check "the dashboard asks for what is there: $question" \
            wait_until 20 asked "$question" '.data.result | length > 0'
    done < <(jq -r '.panels[].targets[].expr' "$ROOT/installer/controller/grafana.json")
else
    skip "the figures in Prometheus" "no package from the archive"
fi

for secret in "correct horse" "$first" "$(jq -r .tokens.admin "$state")"; do
    check_not "a secret is not in the log" grep -qF "$secret" "$TMP/log"
    check_not "nor in etcd" sh -c "docker exec '$env-etcd-1' cat /data/member/snap/db | grep -qaF '$secret'"
done

# Killed in the middle of a task; the same port at once, with a certificate from files.
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$TMP/key" -out "$TMP/cert" -days 2 \
    -subj /CN=one 2>/dev/null
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$TMP/key2" -out "$TMP/cert2" -days 2 \
    -subj /CN=two 2>/dev/null
curl -sk -X POST -H "Authorization: Bearer $(jq -r .tokens.admin "$state")" -o /dev/null \
    "https://127.0.0.1:$port/api/v1/instances/echo-1/restart"
kill -9 "$daemon"
wait "$daemon" 2>/dev/null || true
serve --tls-cert "$TMP/cert" --tls-key "$TMP/key"
check "it serves again" wait_until 20 answers
try "it knows users, tokens and tasks" still_known
try "it shows the certificate of the file" certificate_is "$TMP/cert"
cp "$TMP/key2" "$TMP/key" && cp "$TMP/cert2" "$TMP/cert"
shown() { python3 -B "$ROOT/tests/integration/controller_api.py" "$state" certificate_is "$TMP/cert2"; }
check "and another one when the file changes" wait_until 10 shown
cp "$TMP/log" "$TMP/cert"
check "a file without a certificate changes nothing" sh -c "sleep 3; exec python3 -B \
    '$ROOT/tests/integration/controller_api.py' '$state' certificate_is '$TMP/cert2'"

kill "$daemon"
status=0
wait "$daemon" || status=$?
check_same "a signal ends it" 0 "$status"
check_status "an environment that is not there" 1 "$B/slipwayd" --env "$env-x" --listen 127.0.0.1:0 --data "$TMP/x"
check_status "an option that is not there" 6 "$B/slipwayd" --no-such
finish
