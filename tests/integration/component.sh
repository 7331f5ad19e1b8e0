#!/bin/bash
# SPDX-License-Identifier: MIT
# The component `controller`: up to its page and its API, from the host, by what `up` and `open` print; what it does to
# others and does not to itself; where its key is, and where it is not.
# about 60 s
set -eu
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../environment.sh"

needs "the controller's component" jq curl openssl ip
unset NO_COLOR SLIPWAY_LINK
environment component --catalog "$ROOT/tests/data/components" --catalog "$TMP/catalog"
# One that needs of the host what the controller does not see in its container: a device, one of its addresses.
mkdir -p "$TMP/catalog/visitor"
cat >"$TMP/catalog/visitor/component.yaml" <<END
name: visitor
summary: needs the host
requires: [etcd]
run: {command: [sleep, infinity]$([ ! -c /dev/fuse ] || echo ", devices: [/dev/fuse]")}
ports: {door: {port: 80, help: nobody listens}}
ready: {settle: 0s}
stop: {signal: KILL, grace: 1s}
END
address=$(ip -4 -o route get 198.51.100.1 | sed -n 's/.* src \([0-9.]*\).*/\1/p')
components <<END
etcd: {instances: 1}
sleeper: {instances: 1}
echo: {instances: 1}
visitor: {instances: 1, overrides: {visitor-1: {ports: {door: "${address:-127.0.0.1}:$(free_port)"}}}}
controller: {instances: 1}
END
slipway() { "$SLIPWAY" "${slip_options[@]}" -e "$env" "$@"; }
own=$env-controller-1

# ---- the first time ----
check_status "plan" 2 slipway -f "$file" plan
check_has "it says beforehand what the controller gets" "$(cat "$TMP/out")" \
    "controller-1 gets the socket of Docker (/var/run/docker.sock) and the key of this environment"
check_status "up" 0 slipway -f "$file" up
told() { sed -n "s/^$1 *//p" "$TMP/out"; }
url=$(told page) token=$(told token) pin=$(told pin)
check "and tells where the page is, on this machine alone" grep -qE '^https://127\.0\.0\.1:[23][0-9]{4}/$' <<<"$url"
check "with a token" test -n "$token"
check_status "status" 0 slip status

# api STATUS METHOD PATH [BODY [CURL'S OPTION...]]: the answer is in $TMP/answer, its head in $TMP/head.
api() {
    local want=$1 method=$2 path=$3 body=${4:-} got
    shift 3
    [ $# = 0 ] || shift
    got=$(curl -sk --max-time 30 --pinnedpubkey "$pin" -b "$TMP/jar" -c "$TMP/jar" -X "$method" -H "Origin: ${url%/}" \
        ${body:+-H Content-Type:application/json -d "$body"} "$@" -D "$TMP/head" -o "$TMP/answer" -w '%{http_code}' \
        "${url%/}$path")
    [ "$got" = "$want" ] || { echo "$method $path: $got: $(cat "$TMP/answer")"; return 1; }
}
answer() { jq -r "$1" "$TMP/answer"; }
is() { api 200 GET "$2" && [ "$(answer "$1")" = "$3" ]; }
task_is() { is .state "/api/v1/tasks/$1" "$2"; }

# ---- the page and the API, with the printed pin and token ----
check "the page" api 200 GET /
check_has "is one" "$(cat "$TMP/answer")" "<html"
check_not "with another pin it is not" curl -sk --pinnedpubkey "sha256//$(openssl rand -base64 32)" "$url"
check "the API knows nobody" api 401 GET /api/v1/instances
check "the token begins a session" api 200 POST /api/v1/login "{\"token\":\"$token\"}"
check_same "as admin" admin "$(answer .role)"
check "it lists the instances" is '[.items[].instance] | join(" ")' /api/v1/instances \
    "controller-1 echo-1 etcd-1 sleeper-1 visitor-1"
check "the document in force is all there is to do" api 200 POST /api/v1/document/plan '{}'
check_same "also seen from inside" 0 "$(answer '.operations | length')"

# ---- what it does ----
check "stop" api 202 POST /api/v1/instances/sleeper-1/stop '{}'
check "is done" wait_until 60 task_is "$(answer .id)" succeeded
check_same "and so it is" exited "$(docker container inspect -f '{{.State.Status}}' "$env-sleeper-1")"
check "start" api 202 POST /api/v1/instances/sleeper-1/start '{}'
check "is done, too" wait_until 60 task_is "$(answer .id)" succeeded
# What it does by itself follows its configuration, while it runs on.
check_schedule() { is '.items[] | select(.name == "check") | .schedule' /api/v1/jobs "$1"; }
server_pid() { docker top "$own" -eo pid,comm | awk '$2 == "slipwayd" {print $1}'; }
pid=$(server_pid)
check "a job has the schedule that is the default" check_schedule "30 4 * * *"
check_status "another one is set" 0 slip config set controller job_check "*/7 * * * *"
check "and taken in" wait_until 20 check_schedule "*/7 * * * *"
says "a bad one is refused" 6 "the hour \"25\" is not one" slip config set controller job_check "0 25 * * *"
check_status "null" 0 slip config set controller job_check null
check "is off" wait_until 20 check_schedule null
check_same "the server ran on meanwhile" "$pid" "$(server_pid)"
check "one that is off begins by hand" api 202 POST /api/v1/jobs/agents/run
check "and succeeds" wait_until 60 task_is "$(answer .id)" succeeded
check "the configuration" api 200 GET /api/v1/configuration/echo
tag=$(sed -n 's/^etag: *\(.*\)\r$/\1/ip' "$TMP/head")
check "a key is changed" api 200 PATCH /api/v1/configuration/echo '{"set":{"greeting":"bye"}}' -H "If-Match: $tag"
applied() { slip show --json echo-1 | jq -e '.config.current and .config.result == "ok"' &&
    docker exec "$env-echo-1" grep -q bye /run/slipway/echo.ini; }
check "and acknowledged" wait_until 60 applied

docker rm -f "$env-visitor-1" >"$TMP/out" 2>&1
check "the document is applied once more" api 202 POST /api/v1/document/apply '{}'
check "and done" wait_until 60 task_is "$(answer .id)" succeeded
check_status "what was removed is there again, with what it needs of the host" 0 slip status

check "it checks what can be seen from inside" api 202 POST /api/v1/checks \
    '{"words":["host","instances","containers"]}'
check "to the end" wait_until 60 task_is "$(answer .id)" succeeded
check_has "and finds nothing wrong" "$(cat "$TMP/answer")" '"FAILED":0'
check_has "without the host" "$(cat "$TMP/answer")" "it looks at the host, which controller-1 does not see"

# ---- what it does not ----
check "it does not stop itself" api 202 POST /api/v1/instances/controller-1/stop '{}'
task=$(answer .id)
check "the task fails" wait_until 60 task_is "$task" failed
check_has "and names the way" "$(cat "$TMP/answer")" "slipway -e $env stop controller-1"
yaml="name: $env\nprofile: quick\ncomponents:\n  etcd: {instances: 1}\n"
check "nor does it take itself away" api 409 POST /api/v1/document/plan "{\"text\":\"$yaml\"}"
check_has "but says so" "$(cat "$TMP/answer")" "controller-1 cannot take itself away"

# ---- its rights, and nobody else's ----
for other in etcd-1 sleeper-1 echo-1; do
    check_not "$other has no socket" sh -c "docker container inspect '$env-$other' | grep -q docker.sock"
done
check_same "it does not run as root" slipway "$(docker exec "$own" sh -c 'ps -o user= -C slipwayd || stat -c %U \
    /proc/$(pidof slipwayd)')"
check_has "show tells of the key" "$(slip show controller-1)" "that of the environment: all passwords and keys in it"
check_has "and of the socket" "$(slip show controller-1)" "its socket: everything on this host"
mkdir -p "$TMP/more/thief"
for line in "run: {engine_socket: /run/docker.sock}" "role: controller" "secrets: {k: {generate: environment-key}}"; do
    printf 'name: thief\nsummary: wants more\n%s\n' "$line" >"$TMP/more/thief/component.yaml"
    check_status "another component does not get it: $line" 6 "$SLIPWAY" --catalog "$TMP/more" catalog list
done

# ---- secrets ----
key=$(cat "$SLIPWAY_HOME/$env/key")
password=$(docker exec "$own" sed -n 's,^etcds*://[^:]*:\([^@]*\)@.*,\1,p' /etc/slipway/link)
check_same "it has the key, in memory" "$key" "$(docker exec "$own" cat /run/slipway/secrets/environment_key)"
docker container inspect "$own" >"$TMP/inspect"
docker image history --no-trunc "$(docker container inspect -f '{{.Image}}' "$own")" >"$TMP/history"
docker logs "$own" >"$TMP/logs" 2>&1
docker exec "$own" sh -c 'cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ' >"$TMP/processes" 2>/dev/null || true
docker exec "$own" tar -c /data >"$TMP/data"
docker exec "$env-etcd-1" cat /data/etcd/member/snap/db /data/etcd/member/wal/0000000000000000-0000000000000000.wal \
    >"$TMP/etcd" || docker exec "$env-etcd-1" tar -c /data >"$TMP/etcd"
check "etcd's data was read" grep -qa "/slipway/$env/instances/controller-1/secrets/environment_key" "$TMP/etcd"
for place in inspect history logs processes data etcd; do
    check_not "the key is not in clear in $place" grep -qaF "$key" "$TMP/$place"
    check_not "nor is the password" grep -qaF "$password" "$TMP/$place"
    check_not "nor the token" grep -qaF "$token" "$TMP/$place"
done

# ---- its own configuration ----
calls_it() { curl -sk --max-time 5 -o "$TMP/answer" -w '%{http_code}' -H "Host: box.example" "${url}api/v1/health"; }
check_same "a name that nobody gave it is not its own" 403 "$(calls_it)"
jq -r .detail "$TMP/answer" >"$TMP/err"
follow "it is given one, as the refusal says" 0
is_called() { [ "$(calls_it)" = 200 ]; }
check "and answers to it" wait_until 60 is_called

# ---- killed ----
docker exec "$own" sh -c 'kill -9 $(pidof slipwayd)'
knows() { api 200 GET /api/v1/session; }
check "slipwayd that was killed comes back, with its sessions" wait_until 60 knows
ready() { slip status; }
check "all is well" wait_until 60 ready

# ---- again ----
containers() { docker ps -aq --no-trunc --filter "label=slipway.name=$env" | sort; }
before=$(containers)
check_status "up again" 0 slipway up
check_has "does nothing" "$(cat "$TMP/out")" "nothing to do"
check_has "and tells of the page" "$(cat "$TMP/out")" "page  $url"
check_not "without another token" grep -q '^token' "$TMP/out"
check_same "the containers are the same" "$before" "$(containers)"

# ---- open ----
check_status "open --print" 0 slipway open --print
check_same "tells the same address" "$url" "$(told page)"
second=$(told token)
check "with another token" test "$second" != "$token" -a -n "$second"
rm -f "$TMP/jar"
check "which logs in" api 200 POST /api/v1/login "{\"token\":\"$second\"}"
check "once" api 401 POST /api/v1/login "{\"token\":\"$second\"}"
check_same "open --json" "$url" "$(slip open --json | jq -r .url)"
check_status "slipway stops it" 0 slip stop controller-1
says "open says that it does not run" 1 "slipway -e $env start controller-1" slip open
check_status "and starts it" 0 slip start controller-1
check "at the same address" wait_until 60 knows

# ---- the end ----
check_status "down" 0 slip down --volumes --yes
check_same "no container is left" "" "$(containers)"
for what in volume network; do
    check_same "no $what is left" "" "$(docker "$what" ls -q --filter "label=slipway.name=$env")"
done
finish
