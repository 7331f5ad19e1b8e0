#!/bin/bash
# SPDX-License-Identifier: MIT
# up, plan and down on a real Docker and a real etcd, with containers that do nothing.
set -eu
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../environment.sh"

environment up --catalog "$ROOT/tests/data/components"
slip() { "$SLIPWAY" "${slip_options[@]}" "$@"; }
on_exit "take_away $env-b"

document() { # COUNT WORD
    cat >"$file" <<EOF
name: $env
components:
  etcd: {instances: 1}
  sleeper: {instances: $1, config: {word: $2}}
EOF
}

# Everything a plan could have changed: containers with state, networks, volumes, its components' images, etcd's keys.
world() {
    docker ps -a --no-trunc --format '{{.ID}} {{.Names}} {{.State}}' | grep "$env" || true
    docker network ls --no-trunc --format '{{.ID}} {{.Name}}' | grep "$env" || true
    docker volume ls -q | grep "$env" || true
    docker images --no-trunc --format '{{.ID}} {{.Repository}}:{{.Tag}}' |
        grep -E ' slipway/(debian|base|etcd|sleeper):' | sort
    # The heartbeats of the agents go on while nobody changes anything.
    docker exec "$env-etcd-1" sh -c "ETCDCTL_API=3 etcdctl --user \"root:\$(cat /run/slipway/secrets/root_password)\" \
        get /slipway --prefix" 2>/dev/null | grep -v '"health"' || echo "no etcd"
    find "$SLIPWAY_HOME" -type f 2>/dev/null | sort | xargs -r sha256sum
}

document 2 hello
check_status "a plan of a new environment has changes" 2 slip -f "$file" plan
check_has "the plan names what it would make" "$(cat "$TMP/out")" sleeper-2
check "a plan makes no key" test ! -e "$SLIPWAY_HOME/$env/key"
check_status "up makes the environment" 0 slip -f "$file" up
check_status "up again has nothing to do" 0 slip -f "$file" up
check_status "a plan has nothing to do then" 0 slip -f "$file" plan
check_status "status is healthy" 0 slip -e "$env" status
check_same "the hook wrote the configured word" hello "$(docker exec "$env-sleeper-1" cat /data/word)"

document 3 goodbye
before=$(world)
check_status "a plan with changes exits 2" 2 slip -f "$file" plan
check_has "the plan says which value changes" "$(cat "$TMP/out")" "word: hello -> goodbye"
check_has "the world can be seen" "$before" "/slipway/$env/spec"
check_same "a plan changes nothing in the world" "$before" "$(world)"
id=$(docker inspect -f '{{.Id}}{{.State.StartedAt}}' "$env-sleeper-1")
check_status "up applies the change" 0 slip -f "$file" up
check_same "the live change reached the running instance" goodbye "$(docker exec "$env-sleeper-1" cat /data/word)"
check_same "a live change restarts nothing" "$id" "$(docker inspect -f '{{.Id}}{{.State.StartedAt}}' "$env-sleeper-1")"
check "the new instance is there" docker exec "$env-sleeper-3" cat /data/word

docker rm -f "$env-sleeper-2" >/dev/null
check_status "a plan sees a container removed by hand" 2 slip -f "$file" plan
check_status "up makes it again" 0 slip -f "$file" up
check "and it runs" docker exec "$env-sleeper-2" true
docker stop -t 1 "$env-sleeper-1" >/dev/null
check_status "up starts a stopped container" 0 slip -f "$file" up
check_same "and it runs" running "$(docker inspect -f '{{.State.Status}}' "$env-sleeper-1")"

document 1 goodbye
check_status "up removes instances no longer wanted" 0 slip -f "$file" up
check_not "their containers are gone" docker container inspect "$env-sleeper-3"
check "their volumes stay" docker volume inspect "$env-sleeper-3-data"
check_status "a plan lists leftover volumes and has nothing to do" 0 slip -f "$file" plan
check_has "the leftover volume is named" "$(cat "$TMP/out" "$TMP/err")" "$env-sleeper-3-data"

# No secret where everybody can look.
password=$(docker exec "$env-sleeper-1" sed -n 's,^etcds*://[^:]*:\([^@]*\)@.*,\1,p' /etc/slipway/link)
check "the link has a password" test -n "$password"
everything=$(docker inspect "$env-sleeper-1" "$env-etcd-1"; docker top "$env-sleeper-1" -eo pid,args
    docker top "$env-etcd-1" -eo pid,args; docker logs "$env-sleeper-1" 2>&1; docker logs "$env-etcd-1" 2>&1; ps -eo \
        args)
root=$(docker exec "$env-etcd-1" cat /run/slipway/secrets/root_password)
check_hasnt "no password of an instance in inspect, ps and logs" "$everything" "$password"
check_hasnt "no root password in inspect, ps and logs" "$everything" "$root"
check_hasnt "no secret in clear in etcd" "$(world)" "$(docker exec "$env-sleeper-1" cat /run/slipway/secrets/token)"

# Least privilege, tried: this instance's user reads its own prefix and no other.
cat >"$TMP/other.yaml" <<EOF
name: $env-b
components:
  etcd: {instances: 1}
  sleeper: {instances: 1, ssh: true}
EOF
check_status "a second environment lives beside the first" 0 slip -f "$TMP/other.yaml" up
check_status "the first has nothing to do" 0 slip -f "$file" plan
check_same "ssh enters where the document asks for sshd" sleeper-1 "$(slip -e "$env-b" ssh sleeper-1 hostname)"
check_status "ssh keeps the exit status" 3 slip -e "$env-b" ssh sleeper-1 "exit 3"
check_not "ssh says where there is no sshd" slip -e "$env" ssh sleeper-1 hostname
try() { # KEY: reads it with the credentials of sleeper-1
    docker exec -e P="$password" "$env-etcd-1" sh -c \
        "ETCDCTL_API=3 etcdctl --user \"sleeper-1:\$P\" get $1 --print-value-only"
}
check "an instance reads its own keys" try "/slipway/$env/instances/sleeper-1/meta"
check_not "an instance is refused the keys of another" try "/slipway/$env/instances/etcd-1/meta"
check_not "an instance is refused the environment document" try "/slipway/$env/spec"

check_status "down without --volumes" 0 slip -e "$env" down --yes
check_same "no container is left" "" "$(docker ps -aq --filter "label=slipway.name=$env")"
check "the volume is left" docker volume inspect "$env-sleeper-1-data"
check_status "up after down" 0 slip -f "$file" up
check_same "the data is there again" goodbye "$(docker exec "$env-sleeper-1" cat /data/word)"
check_status "up after down has nothing to do" 0 slip -f "$file" plan
check_status "down --volumes" 0 slip -e "$env" down --volumes --yes
check_same "no container, network or volume is left" "" "$(docker ps -aq --filter "label=slipway.name=$env"
    docker volume ls -q --filter "label=slipway.name=$env"; docker network ls -q --filter "label=slipway.name=$env")"
check "the operator's folder is gone" test ! -e "$SLIPWAY_HOME/$env"
finish
