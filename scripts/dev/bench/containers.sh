#!/bin/bash
# SPDX-License-Identifier: MIT
# 20 containers that do nothing: `up` beside raw Engine API calls and `docker compose`, and `up` with nothing to do.
#
# Memory: `up` peaks at 9,460 KiB, less than one request of the whole libcurl (10,716; limit 10,240; once 13.7 MB). What
# did it: libcurl without the libraries of unused protocols (scripts/dev/curl-parts: 3.9 MB, and an agent starts with
# 3.3 ms of CPU in its container instead of 7.3), one malloc arena for all threads, the first look freed before the
# rounds, lists of containers cut to what is read, 4 KiB to read into for each connection. Of the rest 4.5 MB is
# OpenSSL, 1.5 libc, 1.2 the program. The cost: a repaired libcurl reaches us with the next build, not with the system's
# upgrade; TLS itself is the system's library still.
set -eu
. "$(dirname "$0")/lib.sh"

needs docker

export SLIPWAY_HOME=$TMP/home
count=${COUNT:-20}
runs=${RUNS:-3}
env=bench-$$
file=$TMP/$env.yaml
slip() { "$SLIPWAY" --catalog "$ROOT/tests/data/components" -q "$@"; }
on_exit "slip -e $env down --volumes --yes"
on_exit "docker ps -aq --filter label=bench=$env | xargs -r docker rm -f; docker network rm $env-raw ${env}_default"

document() { # COUNT
    cat >"$file" <<EOF
name: $env
components:
  etcd: {instances: 1}
  idler: {instances: $1}
EOF
}

# etcd is there already: both sides make the same containers.
document 1
slip up "$file" >/dev/null
image=$(docker inspect -f '{{.Config.Image}}' "$env-idler-1")
document $((count + 1))
up() { slip up "$file" && cp "$TMP/out" "$TMP/last"; }
back() { document 1 && slip up "$file" && docker ps -aq --filter "label=slipway.name=$env" |
    wc -l; document $((count + 1)); }

# The same settings as ours, but for the programs inside.
${CC:-gcc} -O2 -o "$TMP/raw_api" "$ROOT/scripts/dev/bench/raw_api.c" -lcurl -lpthread
docker network create --label "bench=$env" "$env-raw" >/dev/null
cat >"$TMP/body.json" <<EOF
{"Image": "$image", "Entrypoint": ["sleep", "infinity"], "Labels": {"bench": "$env"},
 "HostConfig": {"NetworkMode": "$env-raw", "CapDrop": ["ALL"], "Tmpfs": {"/run": "", "/tmp": ""},
                "RestartPolicy": {"Name": "always"}, "SecurityOpt": ["no-new-privileges:true"]}}
EOF
raw() { "$TMP/raw_api" "$image" "$env-raw" "$count" 4 "$TMP/body.json"; }
raw_back() { "$TMP/raw_api" -d "$env-raw" "$count" 4; }

# The peers' containers are made with the same settings as ours, but for the programs inside.
same='cap_drop: [ALL], tmpfs: [/run, /tmp], restart: always, security_opt: ["no-new-privileges:true"]'
compose=$("$ROOT/scripts/dev/compose-2" 2>/dev/null || true)
{
    echo "services:"
    for i in $(seq "$count"); do
        printf '  idler%d: {image: "%s", entrypoint: [sleep, infinity], labels: {bench: "%s"}, %s}\n' "$i" "$image" \
            "$env" "$same"
    done
} >"$TMP/compose.yaml"
compose_up() { "$compose" -p "$env" -f "$TMP/compose.yaml" up -d; }
compose_down() { "$compose" -p "$env" -f "$TMP/compose.yaml" down -t 0; }

# In turn, so that all meet the same noise.
touch "$TMP/t-up" "$TMP/t-raw" "$TMP/t-compose" "$TMP/t-noop"
for _ in $(seq "$runs"); do
    time_ms raw >>"$TMP/t-raw"
    raw_back >/dev/null
    time_ms up >>"$TMP/t-up"
    for _ in 1 2 3; do time_ms slip up "$file" >>"$TMP/t-noop"; done
    back >/dev/null
    if [ -n "$compose" ]; then
        time_ms compose_up >>"$TMP/t-compose"
        compose_down >/dev/null 2>&1
    fi
done
median() { sort -n "$1" | awk '{ v[NR] = $1 } END { if (NR) print v[int((NR + 1) / 2)] }'; }

slip up "$file" >/dev/null
table
row "up, $count containers: beside raw API calls" "$(median "$TMP/t-up")" ms "$(median "$TMP/t-raw")" 1.05x
if [ -n "$compose" ]; then
    row "up, $count containers: beside docker compose" "$(median "$TMP/t-up")" ms "$(median "$TMP/t-compose")" 1.0x
    compose_up >/dev/null 2>&1
    row "up again, nothing to do: beside compose" "$(median "$TMP/t-noop")" ms "$(median_ms 5 compose_up)" 1.0x
    compose_down >/dev/null 2>&1
fi
row "up again, nothing to do" "$(median "$TMP/t-noop")" ms "" 50
# From Docker's word that a container runs to the start of its daemon, etcd warm; a process's start has 10 ms as its
# unit.
exec_ms() {
    local init started boot
    docker restart -t 0 "$env-idler-1" >/dev/null
    sleep 2
    init=$(docker inspect -f '{{.State.Pid}}' "$env-idler-1")
    started=$(date -d "$(docker inspect -f '{{.State.StartedAt}}' "$env-idler-1")" +%s%3N)
    boot=$(awk -v now="$(date +%s%3N)" '{ printf "%.0f", now - $1 * 1000 }' /proc/uptime)
    awk -v boot="$boot" -v started="$started" '{ printf "%.0f\n", boot + $22 * 10 - started }' \
        "/proc/$(pgrep -P "$init" sleep)/stat"
}
row "container start to the daemon's exec" "$(for _ in 1 2 3 4 5; do exec_ms; done | sort -n | sed -n 3p)" ms "" 150
back >/dev/null
${CC:-gcc} -O2 -rdynamic -o "$TMP/https_once" "$ROOT/scripts/dev/bench/https_once.c" -lcurl
etcd=$(docker inspect -f '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}' "$env-etcd-1")
once=$(peak_kib "$TMP/https_once" "https://$etcd:2379/version")
row "peak memory of libcurl made ready, nothing asked" "$(peak_kib "$TMP/https_once")" KiB
row "peak memory of up: beside one request of libcurl" \
    "$(peak_kib "$SLIPWAY" --catalog "$ROOT/tests/data/components" -q up "$file")" KiB "$once" 10240
