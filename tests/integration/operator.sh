#!/bin/bash
# SPDX-License-Identifier: MIT
# What an operator is told who has another home, or another key, or none, or a file that is not what is in force.
set -eu
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../environment.sh"

needs "what an operator is told" jq
environment operator --catalog "$ROOT/tests/data/components"
components <<END
etcd: {instances: 1}
sleeper: {instances: 1, config: {word: one}}
END
home=$SLIPWAY_HOME key=$SLIPWAY_HOME/$env/key
elsewhere() { SLIPWAY_HOME=$TMP/elsewhere slip "$@"; }
objects() {
    docker ps -a --no-trunc --format '{{.ID}} {{.State}}' --filter "label=slipway.name=$env"
    docker network ls --no-trunc -q --filter "label=slipway.name=$env"
    docker volume ls -q --filter "label=slipway.name=$env"
}

says "an environment that nobody made" 1 "Docker has nothing of that name; \`slipway up\` makes it" slip status
follow "what it says, with its file" 0 "$file"
before=$(objects)

# ---- another home ----

for command in "status" "up" "plan" "-f $file up" "-f $file plan" "config get sleeper word" "stop sleeper-1" "files" \
    "down --yes"; do
    # shellcheck disable=SC2086 # several words
    says "from another home, $command" 7 "run this as root, or set SLIPWAY_HOME=$home" elsewhere $command
    check_has "what is there" "$(cat "$TMP/err")" \
        "environment $env runs here (2 instances), but its key is not in $TMP/elsewhere/$env"
    check_hasnt "nothing is to be removed" "$(cat "$TMP/err")" "docker network rm"
done
check "no key was made there" test ! -e "$TMP/elsewhere/$env/key"
check_status "list from another home" 0 elsewhere list
check_has "it says where the key is" "$(grep "$env " "$TMP/out")" "in $key"
check_status "list --json" 0 elsewhere list --json
check_same "so does its JSON" "$key" \
    "$(jq -r ".[] | select(.environment == \"$env\" and .key == false).key_path" "$TMP/out")"
check_status "what it says to do works" 0 env SLIPWAY_HOME="$home" "$SLIPWAY" "${slip_options[@]}" -e "$env" status

# ---- a key that is lost, damaged, another one ----

mv "$key" "$TMP/key"
for command in "status" "up" "-f $file up" "config get sleeper word"; do
    # shellcheck disable=SC2086 # several words
    says "without its key, $command" 7 "put it back from a backup" slip $command
    check_hasnt "nothing is to be removed" "$(cat "$TMP/err")" "docker network rm"
done
check "no other key was made" test ! -e "$key"
says "from another home too" 7 "it was made with $key, which is gone: put it back from a backup" elsewhere status

head -c 30 "$TMP/key" >"$key"
chmod 600 "$key"
says "a damaged key" 7 "is not one line of 64 hex digits" slip status
check_has "what to do" "$(cat "$TMP/err")" "put it back from a backup"
check_status "it stops no list" 0 slip list
check_has "which has the environment" "$(cat "$TMP/out")" "$env"
check_has "and names the key" "$(cat "$TMP/err")" "64 hex digits"

tr '0-9a-f' '1-9a-f0' <"$TMP/key" >"$key"
for command in "status" "up" "-f $file up" "down --volumes --yes"; do
    # shellcheck disable=SC2086 # several words
    says "with another key, $command" 7 "the key in $home/$env is another one; put it back from a backup" slip $command
    check_hasnt "nothing is to be removed" "$(cat "$TMP/err")" "docker network rm"
done

check_same "nothing was changed" "$before" "$(objects)"
cp "$TMP/key" "$key"
check_status "with the key back all is well" 0 slip status

check_status "down" 0 slip down --yes
rm "$key"
says "a key lost while the environment is down" 7 "is down, and its data is here" slip -f "$file" up
check "no other key was made then" test ! -e "$key"
cp "$TMP/key" "$key"

# ---- the file and the document in force ----

document() { # WORD
    components <<END
etcd: {instances: 1}
sleeper: {instances: 1, config: {word: $1}}
END
}
differs="$file differs from the document in force; \`slipway plan $file\` says how"
check_status "up again" 0 slip -f "$file" up
check_status "a file that is in force" 0 slip plan
check_hasnt "no difference is said" "$(cat "$TMP/out" "$TMP/err")" "differs"
slip status >"$TMP/out"
check_hasnt "nor by status" "$(cat "$TMP/out")" "differs"
check_status "a command changes what is in force" 0 slip config set sleeper word two
check_status "and something for one instance" 0 slip config set sleeper/1 word three
check_status "the document in force" 0 slip config show
cp "$TMP/out" "$TMP/force.yaml"
check_has "it has what was changed" "$(cat "$TMP/force.yaml")" "word: two"
in_force() { slip "$1" - < <(cat "$TMP/force.yaml"); }
check_status "it is a file that changes nothing" 0 in_force plan
check_status "nor does up with it" 0 in_force up
check_has "nothing was done" "$(slip --no-color plan)" "nothing to do"
check_same "as JSON too" two "$(slip --json config show | jq -r .components.sleeper.config.word)"
check_has "status says that the file is another one" "$(slip status)" "$differs"
check_same "its JSON too" "$differs" "$(slip --json status | jq -r .note)"
set_at() { slip --json config history sleeper word | jq -r \
    '[.[] | select(.new == "'"$1"'")][-1] | .who + " set at " + .time'; }
two="word: two -> one takes back what $(set_at two) with \`slipway config set\`"
three="sleeper-1 word: three -> (unset) takes back what $(set_at three) with \`slipway config set\`"
check_status "a plan with the file has changes" 2 slip plan "$file"
check_has "it names the value it takes back" "$(cat "$TMP/out")" "! sleeper $two"
check_has "and the instance's" "$(cat "$TMP/out")" "! $three"
check_same "its JSON has both" 2 "$(slip --json plan "$file" | jq '.taken_back | length')"
check_status "up with the file" 0 slip up "$file"
check_has "it names the value it takes back too" "$(cat "$TMP/err")" "sleeper $two"
check_has "and that of the instance" "$(cat "$TMP/err")" "$three"
check_same "the file's value is in force" one "$(slip config get sleeper/1 word)"
document four
check_status "a value that only the file had" 2 slip plan "$file"
check_hasnt "takes nothing back" "$(cat "$TMP/out")" "takes back"
check_status "a plan without the file that was edited" 0 slip plan
check_has "says so" "$(cat "$TMP/out")" "$differs"
check_status "up without it" 0 slip up
check_has "says so as well" "$(cat "$TMP/err")" "$differs"
follow "what it says finds the changes" 2
echo "sleeper: [" >>"$file"
check_status "a file that cannot be read as a document any more" 0 slip plan
check_has "is named" "$(cat "$TMP/out")" "$file cannot be used as it is now; \`slipway validate $file\` says why"

# ---- Docker's own client: its context, and its proxies ----

document one
docker_folder=$TMP/docker
mkdir -p "$docker_folder"
context() { # NAME HOST: as `docker context create` keeps it
    local folder
    folder=$docker_folder/contexts/meta/$(printf %s "$1" | sha256sum | cut -d' ' -f1)
    mkdir -p "$folder"
    echo '{"Name":"'"$1"'","Metadata":{},"Endpoints":{"docker":{"Host":"'"$2"'","SkipTLSVerify":false}}}' \
        >"$folder/meta.json"
}
in_context() { env -u DOCKER_HOST DOCKER_CONFIG="$docker_folder" "$@"; }
context elsewhere "unix://$TMP/no-docker.sock"
context remote ssh://me@there
run_in() { in_context DOCKER_CONTEXT="$1" "$SLIPWAY" "${slip_options[@]}" -e "$env" "${@:2}"; }
says "the socket of another context" 1 "there is no $TMP/no-docker.sock" run_in elsewhere status
says "a context that is not of this machine" 6 "set DOCKER_CONTEXT=default for the engine of this one" run_in remote \
    status
says "a context that is not there" 6 "there is no Docker context gone" run_in gone status
check_status "the default one" 0 run_in default status
echo '{"currentContext": "elsewhere"}' >"$docker_folder/config.json"
says "the current context" 1 "there is no $TMP/no-docker.sock" \
    in_context "$SLIPWAY" "${slip_options[@]}" -e "$env" status
check_status "DOCKER_HOST is stronger" 0 env DOCKER_CONFIG="$docker_folder" DOCKER_HOST=unix:///var/run/docker.sock \
    "$SLIPWAY" "${slip_options[@]}" -e "$env" status
says "an engine that is not of this machine" 6 "set DOCKER_HOST=unix:///var/run/docker.sock" \
    env DOCKER_HOST=tcp://127.0.0.1:2375 "$SLIPWAY" "${slip_options[@]}" -e "$env" status

mkdir -p "$TMP/catalog/proxied"
cat >"$TMP/catalog/proxied/component.yaml" <<END
name: t-proxied-$$
summary: says what proxy its build had
run: {command: [sleep, infinity]}
ready: {settle: 0s}
END
mv "$TMP/catalog/proxied" "$TMP/catalog/t-proxied-$$"
cat >"$TMP/catalog/t-proxied-$$/Dockerfile" <<END
ARG BASE
FROM \${BASE}
# The number keeps Docker from taking the layer of an earlier run: it does not look at proxies.
RUN : $$; for name in HTTP_PROXY http_proxy no_proxy; do eval "printf %s \"\\\$\$name\" | sha256sum" >>/proxies; done
END
proxy=http://somebody:of-the-$$-proxy@127.0.0.1:9
echo '{"proxies": {"default": {"httpProxy": "'"$proxy"'", "noProxy": "example.org"}}}' >"$docker_folder/config.json"
components <<END
etcd: {instances: 1}
t-proxied-$$: {instances: 1}
END
on_exit "docker images --format '{{.Repository}}:{{.Tag}}' |
    grep -- '/\(engine-\)\?t-proxied-$$:' | xargs -r docker rmi"
check_status "a build with proxies" 0 in_context "$SLIPWAY" -vv --log-file "$TMP/log" --catalog "$TMP/catalog" -f \
    "$file" up
check_same "it got those that docker build gets" \
    "$(for v in "$proxy" "$proxy" example.org; do printf %s "$v" | sha256sum; done)" \
    "$(docker exec "$env-t-proxied-$$-1" cat /proxies)"
check_hasnt "no log has their password" "$(cat "$TMP/out" "$TMP/err" "$TMP/log")" "of-the-$$-proxy"
check_hasnt "nor an image" "$(docker images -q --no-trunc --filter label=slipway.image |
    xargs -r docker history --no-trunc --format '{{.CreatedBy}}' 2>/dev/null
    docker image inspect "slipway/engine-t-proxied-$$" \
        "$(docker inspect -f '{{.Image}}' "$env-t-proxied-$$-1")" 2>/dev/null)" "of-the-$$-proxy"
check_hasnt "nor a container" "$(docker inspect "$env-t-proxied-$$-1")" "of-the-$$-proxy"
finish
