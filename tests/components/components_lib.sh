# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154 # P, SUBNET, FSID, TMP, ROOT come from the test
# A poor man's agent for components.sh: environment and files by components_agent.py, the order of hooks here.

# The images Slipway built, or others by variable.
IMAGE_ETCD=${IMAGE_ETCD:-}
IMAGE_CEPH=${IMAGE_CEPH:-}
PROFILE=quick
SECRETS='{}'
declare -A COUNT=([etcd]=1 [ceph-mon]=1 [ceph-mgr]=1 [ceph-osd]=3)
declare -A NUMBER=([etcd]=10 [ceph-mon]=20 [ceph-mgr]=30 [ceph-osd]=40)

address() { echo "${SUBNET%.*}.$((${NUMBER[$1]} + $2))"; }

ceph_key() { { printf '\001\000\000\000\000\000\000\000\000\000\020\000'; head -c 16 /dev/urandom; } | base64 -w0; }

# secret NAME VALUE
secret() { SECRETS=$(jq -c --arg k "$1" --arg v "$2" '.[$k] = $v' <<<"$SECRETS"); }

members() { # COMPONENT: {"x-1":"address",...}
    local i out=
    for ((i = 1; i <= COUNT[$1]; i++)); do out+="${out:+,}\"$1-$i\":\"$(address "$1" "$i")\""; done
    echo "{$out}"
}

make_secrets() {
    local s
    for s in mon admin mgr rbd bootstrap_osd slipway_osd slipway_pool check; do secret $s "$(ceph_key)"; done
    for s in 1 2 3 4 5; do secret "ceph-osd-$s/key" "$(ceph_key)"; done
    secret root_password "$(openssl rand -hex 32)"
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=ca -keyout "$TMP/ca.key" -out \
        "$TMP/ca.crt" -days 2 2>/dev/null
    for s in 1 2 3; do member_certificate "etcd-$s"; done
}

# member_certificate INSTANCE: its tls secret.
member_certificate() {
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$1" -keyout "$TMP/m.key" -out \
        "$TMP/m.csr" 2>/dev/null
    printf 'subjectAltName=IP:%s,IP:127.0.0.1,DNS:%s,DNS:localhost\nextendedKeyUsage=serverAuth,clientAuth\n' \
        "$(address "${1%-*}" "${1##*-}")" "$1" >"$TMP/m.ext"
    openssl x509 -req -in "$TMP/m.csr" -CA "$TMP/ca.crt" -CAkey "$TMP/ca.key" -CAcreateserial -days 2 -out \
        "$TMP/m.crt" -extfile "$TMP/m.ext" 2>/dev/null
    secret "$1/tls.key" "$(cat "$TMP/m.key")"
    secret "$1/tls.crt" "$(cat "$TMP/m.crt")"
    secret "$1/tls.ca" "$(cat "$TMP/ca.crt")"
}

# The newest engine images that Slipway has built for this tree, or built here from the base image.
build_images() {
    local base
    [ -z "$IMAGE_ETCD" ] || [ -z "$IMAGE_CEPH" ] || return 0
    base=$(docker images -q slipway/engine-base | head -n 1)
    if [ -z "$base" ]; then
        docker build -q -t "$P-base" "$ROOT/dockerfiles/base" >/dev/null
        base=$P-base
        on_exit "docker rmi $P-base"
    fi
    IMAGE_ETCD=$P-etcd IMAGE_CEPH=$P-ceph
    on_exit "docker rmi $P-etcd $P-ceph"
    docker build -q --build-arg "BASE=$base" -t "$P-etcd" "$ROOT/dockerfiles/etcd" >/dev/null
    mkdir "$TMP/ceph"
    cp -r "$ROOT/dockerfiles/ceph/." "$ROOT/dockerfiles/shared" "$TMP/ceph/"
    docker build -q --build-arg "BASE=$base" -t "$P-ceph" "$TMP/ceph" >/dev/null
}

remove_all() {
    docker ps -aq --filter "name=^$P-" | xargs -r docker rm -f >/dev/null
    docker volume ls -q | grep "^$P-" | xargs -r docker volume rm >/dev/null
}

# asok INSTANCE PREFIX VAR
asok() { docker exec "$P-$1" /usr/lib/slipway-ceph/asok /run/slipway/ceph/asok "{\"prefix\":\"$2\",\"var\":\"$3\"}"; }

# alone MONITOR: it is in no quorum.
alone() { docker exec "$P-$1" /usr/lib/slipway-ceph/asok /run/slipway/ceph/asok mon_status | tr -d ' \n' |
    grep -q '"quorum":\[\]'; }

settled() { reached "$1" ready || [ "$(docker inspect -f '{{.State.Running}}' "$P-$1")" = false ]; }

# prepare_files INSTANCE[=CONFIG_JSON]...: everything the agent would have written.
prepare_files() {
    local i name config list='[]'
    for i; do
        name=${i%%=*} config=${i#"${i%%=*}"}
        config=${config#=}
        list=$(jq -c --arg n "$name" --arg c "${name%-*}" --arg o "${name##*-}" --arg a \
            "$(address "${name%-*}" "${name##*-}")" \
            --argjson g "${config:-"{}"}" \
                '. + [{name: $n, component: $c, ordinal: ($o | tonumber), address: $a, config: $g}]' <<<"$list")
    done
    jq -n --arg p "$PROFILE" --arg f "$FSID" --argjson m \
        "$(members ceph-mon)" --argjson e "$(members etcd)" --argjson s "$SECRETS" \
        --argjson l "$list" '{env: "test", profile: $p, secrets: $s, instances: $l,
                              shared: {fsid: $f, cluster_token: $f, mons: $m, members: $e}}' |
        docker run --rm -i --network none -v "$ROOT/components:/components:ro" -v "$ROOT/tests/components:/t:ro" -v \
            "$TMP:/out" "$IMAGE_CEPH" \
            python3 /t/components_agent.py /out
}

# start INSTANCE: creates and starts the container; its data is in volume $P-INSTANCE.
start() {
    local name=$1 component=${1%-*} image=$IMAGE_CEPH data=()
    [ "$component" != etcd ] || image=$IMAGE_ETCD
    [ "$component" = ceph-mgr ] || data=(-v "$P-$name:/data")
    docker rm -f "$P-$name" >/dev/null 2>&1 || true
    docker run -d --name "$P-$name" --hostname "$name" --network "$P" --ip \
        "$(address "$component" "${name##*-}")" --init \
        --cap-drop ALL --cap-add CHOWN --cap-add DAC_OVERRIDE --cap-add FOWNER --cap-add SETGID --cap-add SETUID \
            --cap-add KILL \
        --cap-add NET_BIND_SERVICE --cap-add SYS_CHROOT --tmpfs /run --tmpfs /tmp "${data[@]}" \
        -v "$ROOT/components/$component:/usr/lib/slipway/component:ro" -v "$TMP/$name:/agent:ro" \
        -v "$ROOT/build/gcc/slipway-agent:/usr/lib/slipway/slipway-agent:ro" "$image" sh -c '
        . /agent/env
        mkdir -p /run/slipway; chmod 755 /run/slipway
        cp -R /agent/run/. /run/slipway/
        user=$(cat /agent/user)
        chmod 711 /run/slipway/secrets; chown "$user" /run/slipway/secrets/*; chmod 400 /run/slipway/secrets/*
        hooks=$SLIPWAY_HOME/hooks
        "$hooks/prepare" || { echo "hook prepare failed"; exit 90; }
        echo "agent: prepared"
        set --; while read -r a; do set -- "$@" "$a"; done </agent/command
        setpriv --reuid "$user" --regid "$user" --init-groups --no-new-privs -- "$@" & daemon=$!
        trap "kill -TERM $daemon" TERM
        until "$hooks/ready"; do kill -0 $daemon 2>/dev/null || exit 91; sleep 0.2; done
        echo "agent: ready"
        if [ -x "$hooks/apply" ]; then "$hooks/apply" && echo "agent: applied" || echo "agent: apply failed"; fi
        wait $daemon; wait $daemon 2>/dev/null' >/dev/null
}

# hook INSTANCE NAME: runs a hook in the running container.
hook() { docker exec "$P-$1" sh -c '. /agent/env; exec "$SLIPWAY_HOME/hooks/'"$2"'"'; }

reached() { docker logs "$P-$1" 2>&1 | grep -qx "agent: $2"; }
