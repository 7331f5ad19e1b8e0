# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154 # P, SUBNET, FSID, TMP, ROOT come from the test
# A poor man's agent for components.sh: environment and files by components_agent.py, the order of hooks here.

IMAGE_ETCD=${IMAGE_ETCD:-$P-etcd}
IMAGE_CEPH=${IMAGE_CEPH:-$P-ceph}
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

# prepare_files INSTANCE[=CONFIG_JSON]...: everything the agent would have written.
prepare_files() {
    local i name config list='[]'
    for i; do
        name=${i%%=*} config=${i#"${i%%=*}"}
        config=${config#=}
        list=$(jq -c --arg n "$name" --arg c "${name%-*}" --arg o "${name##*-}" --arg a "$(address "${name%-*}" "${name##*-}")" \
            --argjson g "${config:-"{}"}" '. + [{name: $n, component: $c, ordinal: ($o | tonumber), address: $a, config: $g}]' <<<"$list")
    done
    jq -n --arg p "$PROFILE" --arg f "$FSID" --argjson m "$(members ceph-mon)" --argjson e "$(members etcd)" --argjson s "$SECRETS" \
        --argjson l "$list" '{env: "test", profile: $p, secrets: $s, instances: $l,
                              shared: {fsid: $f, cluster_token: $f, mons: $m, members: $e}}' |
        docker run --rm -i --network none -v "$ROOT/components:/components:ro" -v "$ROOT/tests/integration:/t:ro" -v "$TMP:/out" "$IMAGE_CEPH" \
            python3 /t/components_agent.py /out
}

# start INSTANCE: creates and starts the container; its data is in volume $P-INSTANCE.
start() {
    local name=$1 component=${1%-*} image=$IMAGE_CEPH data=()
    [ "$component" != etcd ] || image=$IMAGE_ETCD
    [ "$component" = ceph-mgr ] || data=(-v "$P-$name:/data")
    docker rm -f "$P-$name" >/dev/null 2>&1 || true
    docker run -d --name "$P-$name" --hostname "$name" --network "$P" --ip "$(address "$component" "${name##*-}")" --init \
        --cap-drop ALL --cap-add CHOWN --cap-add DAC_OVERRIDE --cap-add FOWNER --cap-add SETGID --cap-add SETUID --cap-add KILL \
        --cap-add NET_BIND_SERVICE --cap-add SYS_CHROOT --tmpfs /run --tmpfs /tmp "${data[@]}" \
        -v "$ROOT/components/$component:/usr/lib/slipway/component:ro" -v "$TMP/$name:/agent:ro" "$image" sh -c '
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
