#!/bin/bash
# SPDX-License-Identifier: MIT
# The controller's server beside nginx with one worker: the list of 100 instances over TLS on connections that stand;
# what it holds while it does nothing, and with 200 event streams and 20 log streams; how soon it tells of a death.
# INSTANCES=20 for fewer; SECONDS_EACH=3.
set -u
. "$(dirname "$0")/lib.sh"
needs wrk jq openssl curl docker python3
nginx=$("$ROOT/scripts/dev/unpacked" nginx)/usr/sbin/nginx || { echo "   needs nginx from the archive"; exit 1; }
COUNT=${INSTANCES:-100} EACH=${SECONDS_EACH:-5}
env=t-bench-controller-$$
export SLIPWAY_HOME=$TMP/home
slip() { "$SLIPWAY" -e "$env" --catalog "$ROOT/tests/data/components" "$@"; }

# ---- the two servers ----

printf '%s\n' "slipway: 1" "name: $env" "components:" "  etcd: {instances: 1}" "  sleeper: {instances: $COUNT}" \
    >"$TMP/env.yaml"
on_exit "slip down --volumes --yes"
slip -f "$TMP/env.yaml" up >"$TMP/up" 2>&1 || { tail -n 5 "$TMP/up"; exit 1; }
"$B/slipwayd" --env "$env" --catalog "$ROOT/tests/data/components" --listen 127.0.0.1:24443 --data "$TMP/data" \
    --first-token >"$TMP/served" 2>"$TMP/log" &
daemon=$!
on_exit "kill $daemon"
for _ in $(seq 100); do grep -q '^token ' "$TMP/served" && break; sleep 0.1; done
base=https://127.0.0.1:24443
curl -skf -D "$TMP/head" -o /dev/null -H 'Content-Type: application/json' "$base/api/v1/login" \
    -d "{\"token\": \"$(sed -n 's/^token //p' "$TMP/served")\"}" || { echo "   no login"; exit 1; }
cookie=$(sed -n 's/^[Ss]et-[Cc]ookie: \([^;]*\);.*/\1/p' "$TMP/head")
ask() { curl -skf -H "Cookie: $cookie" "$base$1"; }
for _ in $(seq 300); do [ "$(ask /api/v1/instances | jq .total)" = $((COUNT + 1)) ] && break; sleep 0.2; done
mkdir -p "$TMP/www"
ask /api/v1/instances >"$TMP/www/instances"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$TMP/key" -out "$TMP/cert" -days 2 \
    -subj /CN=localhost 2>/dev/null
cat >"$TMP/nginx.conf" <<END
worker_processes 1; daemon off; user root; pid $TMP/nginx.pid; error_log $TMP/nginx.log;
events { worker_connections 1024; }
http { access_log off; keepalive_requests 100000000; client_body_temp_path $TMP/1; proxy_temp_path $TMP/2;
  fastcgi_temp_path $TMP/3; uwsgi_temp_path $TMP/4; scgi_temp_path $TMP/5; default_type application/json; sendfile on;
  server { listen 127.0.0.1:24444 ssl; ssl_certificate $TMP/cert; ssl_certificate_key $TMP/key; root $TMP/www; } }
END
"$nginx" -c "$TMP/nginx.conf" 2>/dev/null &
on_exit "kill $!"
sleep 0.5

# ---- requests ----

# load URL: "microseconds a request, microseconds of the 99th percentile" of 16 connections.
load() {
    wrk -t1 -c16 -d"${EACH}s" --latency -H "Cookie: $cookie" "$1" >"$TMP/wrk" || return
    ! grep -q 'Non-2xx' "$TMP/wrk" || { grep Non-2xx "$TMP/wrk" >&2; return 1; }
    awk '/99%/ { p = $2; u = p ~ /us$/ ? 1 : p ~ /ms$/ ? 1000 : 1000000; late = (p + 0) * u }
        /^Requests\/sec/ { printf "%.1f %d\n", 1e6 / $2, late }' "$TMP/wrk"
}
table
for _ in 1 2 3; do
    load "$base/api/v1/instances" >>"$TMP/ours"
    load https://127.0.0.1:24444/instances >>"$TMP/theirs"
done
middle() { awk -v c="$1" '{ print $c }' "$2" | sort -n | sed -n 2p; }
row "list of $COUNT over TLS, a request: nginx" "$(middle 1 "$TMP/ours")" us "$(middle 1 "$TMP/theirs")" 1.11x
row "its 99th percentile: nginx" "$(middle 2 "$TMP/ours")" us "$(middle 2 "$TMP/theirs")" 1.5x

# ---- at rest, and with streams ----

rss() { awk '/^RssAnon/ { print $2 }' "/proc/$daemon/status"; }
ticks() { awk '{ print $14 + $15 }' "/proc/$daemon/stat"; }
sleep 5
before=$(ticks)
sleep 20
row "processor at rest" "$(awk -v t=$(($(ticks) - before)) -v hz="$(getconf CLK_TCK)" \
    'BEGIN { printf "%.2f", 100 * t / hz / 20 }')" % "" 0.5
row "memory at rest" "$(rss)" KiB "" 10240
cat >"$TMP/streams.py" <<'END'
import http.client, ssl, sys, time
context = ssl.create_default_context()
context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
kept = []
for i in range(220):
    path = "/api/v1/events" if i < 200 else f"/api/v1/logs?instance=sleeper-{i - 199}&follow=true"
    source = (f"127.0.0.{2 + i // 50}", 0)  # so many of one address are refused
    c = http.client.HTTPSConnection("127.0.0.1", 24443, timeout=30, context=context, source_address=source)
    c.request("GET", path, headers={"Cookie": sys.argv[1]})
    r = c.getresponse()
    assert r.status == 200, (i, r.status, r.read(200))
    kept.append((c, r))
print("open", flush=True)
time.sleep(60)
END
python3 "$TMP/streams.py" "$cookie" >"$TMP/streams" 2>&1 &
streams=$!
on_exit "kill $streams"
for _ in $(seq 300); do grep -q . "$TMP/streams" && break; sleep 0.1; done
if grep -qx open "$TMP/streams"; then
    sleep 3
    row "memory with 200 event and 20 log streams" "$(rss)" KiB "" 30720
else
    tail -n 1 "$TMP/streams"
fi
kill "$streams" 2>/dev/null

# ---- a death ----

# told INSTANCE: ms from docker kill until the event stream tells of it.
told() {
    local begin
    curl -skN -H "Cookie: $cookie" "$base/api/v1/events" >"$TMP/events" &
    on_exit "kill $!"
    sleep 1
    begin=$(now_us)
    docker kill "$env-$1" >/dev/null
    for _ in $(seq 1000); do grep -q "\"instance\":\"$1\"" "$TMP/events" && break; sleep 0.01; done
    echo $((($(now_us) - begin) / 1000))
}
row "an instance that dies is told of" "$(told sleeper-1)" ms "" 1000
