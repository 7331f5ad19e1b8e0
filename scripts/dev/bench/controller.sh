#!/bin/bash
# SPDX-License-Identifier: MIT
# slipwayd over environments of 20 to 1,000 instances whose containers do not exist (simulated_docker.py, and a real
# etcd with their keys): what it costs, its list of 100 instances beside nginx with one worker, streams, the page. Then
# a real environment: how soon a death is told and mended, and a change acknowledged.
# SECONDS_EACH=2 for shorter loads; REST=10 for a shorter time at rest, whose figure is rough then.
set -u
. "$(dirname "$0")/lib.sh"
needs wrk etcd jq openssl curl python3
cd "$ROOT" || exit 1
nginx=$(scripts/dev/unpacked nginx)/usr/sbin/nginx || { echo "   needs nginx from the archive"; exit 1; }
make --no-print-directory -s "$B/integration/simulated_driver" || exit 1
EACH=${SECONDS_EACH:-5} REST=${REST:-31} # a look is each 30 s
catalog=$ROOT/tests/data/components
net=127.$(($$ / 250 % 250)).$(($$ % 250 + 1)) # addresses of this machine that nobody else uses
client() { python3 scripts/dev/bench/controller_client.py "$@"; }
# cpu_us PID: processor time of all its threads, also of those that have ended (clock_getcpuclockid(3)).
cpu_us() { python3 -c "import time; print(round(1e6 * time.clock_gettime((~$1 << 3) | 2)))"; }
rss() { awk '/^RssAnon/ { print $2 }' "/proc/$1/status"; }
within() { for _ in $(seq $(($1 * 20))); do "${@:2}" >/dev/null 2>&1 && return; sleep 0.05; done; return 1; }
divide() { [ -z "$1" ] || awk -v a="$1" -v b="$2" 'BEGIN { printf "%.2f", a / b }'; }
middle() { sort -n "$1" 2>/dev/null | awk '{ v[NR] = $0 } END { print v[int((NR + 1) / 2)] }'; }

# ---- servers ----

declare -A server daemon cookie
addresses=1

# serve NAME ENVIRONMENT ADDRESS [DOCKER]: slipwayd in $TMP/NAME, with a session.
serve() {
    local name=$1 dir=$TMP/$1
    mkdir -p "$dir/data"
    env -u SLIPWAY_LINK SLIPWAY_HOME="$dir/home" ${4:+DOCKER_HOST="$4"} "$B/slipwayd" --env "$2" --catalog "$catalog" \
        --listen "$3:8443" --data "$dir/data" --first-token >"$dir/served" 2>"$dir/log" &
    daemon[$name]=$! server[$name]=$3:8443
    on_exit "kill $!; wait $!"
    within 20 grep -q '^token ' "$dir/served" || { tail -n 3 "$dir/log"; return 1; }
    cookie[$name]=$(client login "${server[$name]}" "$(sed -n 's/^token //p' "$dir/served")")
}
ask() { curl -skf -H "Cookie: ${cookie[$1]}" "https://${server[$1]}/api/v1/$2"; }
has_all() { [ "$(ask "$1" instances | jq '[.items[] | select(.ok and .config.current)] | length')" = "$1" ]; }

# simulate COUNT: a server of so many instances that are well.
simulate() {
    local count=$1 dir=$TMP/$1 at=$net.$((++addresses)) arguments
    mkdir -p "$dir"
    printf '%s\n' "name: t-bench" "ssh: false" "components:" "  etcd: {instances: 1}" \
        "  sleeper: {instances: $((count - 1))}" >"$dir/env.yaml"
    arguments=("$dir/home" "$catalog" "$dir/env.yaml" "$at" "$dir")
    "$B/integration/simulated_driver" make "${arguments[@]}" || return
    etcd --name one --data-dir "$dir/etcd" --bcrypt-cost 4 --logger zap --log-level error --cert-file "$dir/cert.pem" \
        --key-file "$dir/key.pem" --listen-client-urls "https://$at:2379" --advertise-client-urls "https://$at:2379" \
        --listen-peer-urls "http://$at:2380" --initial-advertise-peer-urls "http://$at:2380" \
        --initial-cluster "one=http://$at:2380" >"$dir/etcd.log" 2>&1 &
    on_exit "kill $!"
    python3 scripts/dev/bench/simulated_docker.py "$dir/docker.sock" "$dir/containers.json" >"$dir/docker.log" 2>&1 &
    on_exit "kill $!"
    within 20 curl -kfs "https://$at:2379/health" && "$B/integration/simulated_driver" fill "${arguments[@]}" &&
        within 20 test -S "$dir/docker.sock" && serve "$count" t-bench "$at" "unix://$dir/docker.sock" &&
        within 30 has_all "$count"
}
docker_of() { curl -sf --unix-socket "$TMP/$1/docker.sock" "${@:3}" "http://docker/$2"; }
looks() { docker_of "$1" counts | jq .looks; }
looked_since() { [ "$(looks "$1")" -gt "$2" ]; }

counts=(20 100 200 1000)
for count in "${counts[@]}"; do
    simulate "$count" || { echo "   the server of $count instances does not come up"; exit 1; }
done

# ---- what instances cost ----

# look_us COUNT: microseconds of processor time for one look, of five.
look_us() {
    local begin first now
    begin=$(cpu_us "${daemon[$1]}") first=$(looks "$1")
    for _ in 1 2 3 4 5; do
        now=$(looks "$1")
        docker_of "$1" containers/t-bench-sleeper-1/start -X POST
        within 10 looked_since "$1" "$now" || return
        sleep 1
    done
    echo $((($(cpu_us "${daemon[$1]}") - begin) / ($(looks "$1") - first)))
}

table
sleep 2
declare -A before look
for count in "${counts[@]}"; do before[$count]=$(cpu_us "${daemon[$count]}"); done
sleep "$REST"
for count in "${counts[@]}"; do
    limit=
    [ "$count" != 100 ] || limit=0.5
    row "processor at rest, $count instances" \
        "$(divide $(($(cpu_us "${daemon[$count]}") - before[$count])) $((REST * 10000)))" % "" "$limit"
done
for count in "${counts[@]}"; do
    limit=
    [ "$count" != 100 ] || limit=10240
    row "memory at rest, $count instances" "$(rss "${daemon[$count]}")" KiB "" "$limit"
done
for count in "${counts[@]}"; do
    look[$count]=$(look_us "$count")
    row "a look at $count instances" "$(divide "${look[$count]}" 1000)" ms
done
row "of it for each of 1000: of 200" "$(divide "${look[1000]}" 1000)" us "$(divide "${look[200]}" 200)" 1.5x
for count in 100 1000; do
    limit=
    [ "$count" != 100 ] || limit=3000
    client death "${server[$count]}" "${cookie[$count]}" sleeper-2 curl -s --unix-socket "$TMP/$count/docker.sock" \
        -X POST http://docker/containers/t-bench-sleeper-2/kill >"$TMP/death"
    row "a death among $count is told" "$(sed -n 1p "$TMP/death")" ms "" "${limit:+1000}"
    row "and it runs again" "$(sed -n 2p "$TMP/death")" ms "" "$limit"
done

# ---- the list beside nginx ----

mkdir -p "$TMP/www"
ask 100 instances >"$TMP/www/instances"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$TMP/key" -out "$TMP/cert" -days 2 \
    -subj /CN=localhost 2>/dev/null
cat >"$TMP/nginx.conf" <<END
worker_processes 1; daemon off; user root; pid $TMP/nginx.pid; error_log $TMP/nginx.log;
events { worker_connections 1024; }
http { access_log off; keepalive_requests 100000000; client_body_temp_path $TMP/1; proxy_temp_path $TMP/2;
  fastcgi_temp_path $TMP/3; uwsgi_temp_path $TMP/4; scgi_temp_path $TMP/5; default_type application/json;
  sendfile on; tcp_nopush on; open_file_cache max=10; ssl_protocols TLSv1.2 TLSv1.3;
  server { listen $net.200:8443 ssl; ssl_certificate $TMP/cert; ssl_certificate_key $TMP/key; root $TMP/www; } }
END
"$nginx" -c "$TMP/nginx.conf" 2>/dev/null &
on_exit "kill $!"
within 10 curl -kfs "https://$net.200:8443/instances" || { echo "   nginx does not answer"; exit 1; }
worker=$(pgrep -P "$(cat "$TMP/nginx.pid")")

# load FILE PID URL: adds "microseconds a request, of the 99th percentile, of processor time" with 16 connections.
load() {
    local begin
    begin=$(cpu_us "$2")
    wrk -t1 -c16 -d"${EACH}s" --latency -H "Cookie: ${cookie[100]}" "$3" >"$TMP/wrk" || return
    ! grep -E 'Non-2xx|Socket errors' "$TMP/wrk" || return
    awk -v cpu=$(($(cpu_us "$2") - begin)) '
        /99%/ { u = $2 ~ /us$/ ? 1 : $2 ~ /ms$/ ? 1000 : 1000000; late = ($2 + 0) * u }
        /requests in/ { n = $1 }
        /^Requests\/sec/ { printf "%.1f %d %.1f\n", 1e6 / $2, late, cpu / n }' "$TMP/wrk" >>"$TMP/$1"
}
for _ in 1 2 3; do
    load ours "${daemon[100]}" "https://${server[100]}/api/v1/instances"
    load theirs "$worker" "https://$net.200:8443/instances"
done
column() { cut -d' ' -f"$1" "$TMP/$2" | middle /dev/stdin; }
row "list of 100 over TLS, a request: nginx" "$(column 1 ours)" us "$(column 1 theirs)" 1.11x
row "its 99th percentile: nginx" "$(column 2 ours)" us "$(column 2 theirs)" 1.5x
row "its processor time: nginx" "$(column 3 ours)" us "$(column 3 theirs)" 1.11x

# ---- streams ----

client streams "${server[100]}" "${cookie[100]}" 200 20 >"$TMP/streams" 2>&1 &
streams=$!
on_exit "kill $streams"
if within 30 grep -qx open "$TMP/streams"; then
    sleep 3
    row "memory with 200 event and 20 log streams" "$(rss "${daemon[100]}")" KiB "" 30720
else
    tail -n 1 "$TMP/streams"
fi
kill "$streams" 2>/dev/null

# ---- the page ----

modules=$(scripts/dev/page-modules) || echo "   no figures of the page: $modules"
# page WHAT SERVER: what controller_page.mjs prints.
page() {
    PAGE_MODULES=$modules PAGE_URL=https://${server[$2]} PAGE_COOKIE=${cookie[$2]} PAGE_SHOTS=$TMP/shots \
        CHROMIUM=${CHROMIUM:-$(command -v chromium || command -v chromium-browser)} \
        timeout 120 node scripts/dev/bench/controller_page.mjs "$1" 2>"$TMP/page.err" || tail -n 3 "$TMP/page.err" >&2
}
if [ -d "$modules" ]; then
    page paint 100 >"$TMP/paint"
    row "the page, until its first paint" "$(head -n 5 "$TMP/paint" | middle /dev/stdin)" ms "" 300
    row "its requests in 5 s without a change" "$(sed -n 6p "$TMP/paint")" requests "" 0
fi

# ---- a real environment ----

docker info >/dev/null 2>&1 || { echo "   no figures of containers: no Docker"; exit 0; }
env=t-bench-controller-$$
export SLIPWAY_HOME=$TMP/real/home
slip() { "$SLIPWAY" -e "$env" --catalog "$catalog" "$@"; }
printf '%s\n' "name: $env" "components:" "  etcd: {instances: 1}" "  sleeper: {instances: 2}" >"$TMP/real.yaml"
on_exit "slip down --volumes --yes"
slip -f "$TMP/real.yaml" up >"$TMP/up" 2>&1 || { tail -n 5 "$TMP/up"; exit 1; }
serve real "$env" "$net.100" || exit 1
is_kept() { slip status --json | jq -e .keeper.holder; }
within 20 is_kept
for _ in 1 2 3; do
    client death "${server[real]}" "${cookie[real]}" sleeper-1 docker kill "$env-sleeper-1" >"$TMP/death" || break
    sed -n 1p "$TMP/death" >>"$TMP/told"
    sed -n 2p "$TMP/death" >>"$TMP/started"
    client change "${server[real]}" "${cookie[real]}" sleeper word "word-$RANDOM" >>"$TMP/changed"
    sleep 12 # an instance that died is not started at once again
done
row "a container that is killed is told" "$(middle "$TMP/told")" ms "" 1000
row "and it runs again" "$(middle "$TMP/started")" ms "" 3000
row "a live key, from the call to its effect" "$(middle "$TMP/changed")" ms "" 1000
[ ! -d "$modules" ] || row "a live key, from the click to its effect" "$(page click real)" ms "" 1000
