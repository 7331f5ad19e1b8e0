# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154 # P, NET, SUBNET, FSID, TMP, ROOT come from the test
# A poor man's agent: renders templates, sets the documented environment, runs hooks and daemon.
#
#   image etcd                       builds dockerfiles/etcd as $P-etcd
#   instance ceph-osd 1 [KEY=JSON..] starts ceph-osd-1; KEY=JSON overrides its configuration
#   hook ceph-osd-1 drain            runs a hook in the running container
#   state ceph-osd-1                 prepared, ready, applied or failed

BASE=${BASE:-$(docker image inspect slipway/debian:trixie >/dev/null 2>&1 && echo slipway/debian:trixie || echo debian:trixie-slim)}
PROFILE=quick
declare -A COUNT=([etcd]=1 [ceph-mon]=1 [ceph-mgr]=1 [ceph-osd]=3)
declare -A NUMBER=([etcd]=10 [ceph-mon]=20 [ceph-mgr]=30 [ceph-osd]=40)

image() { docker build -q --build-arg "BASE=$BASE" -t "$P-$1" "$ROOT/dockerfiles/$1" >/dev/null 2>"$TMP/build.err" || cat "$TMP/build.err"; }
address() { echo "${SUBNET%.*}.$((${NUMBER[$1]} + $2))"; }
ceph_key() { printf '\001\000\000\000\000\000\000\000\000\000\020\000%s' "$(head -c 12 /dev/urandom | base64 -w0)" | base64 -w0; }
yaml_json() { python3 -c 'import json,sys,yaml; json.dump(yaml.safe_load(open(sys.argv[1])), sys.stdout)' "$1"; }

# normal VALUE: sizes to bytes, durations to milliseconds, as the agent gives them.
normal() {
    local n
    n=$(sed -nE 's/^([0-9]+)(KiB|MiB|GiB|TiB|ms|s|min|h|d)$/\1 \2/p' <<<"$1")
    [ -n "$n" ] || { printf '%s' "$1"; return; }
    # shellcheck disable=SC2086
    set -- $n
    case $2 in
    KiB) echo $(($1 << 10)) ;; MiB) echo $(($1 << 20)) ;; GiB) echo $(($1 << 30)) ;; TiB) echo $(($1 << 40)) ;;
    ms) echo "$1" ;; s) echo $(($1 * 1000)) ;; min) echo $(($1 * 60000)) ;; h) echo $(($1 * 3600000)) ;; d) echo $(($1 * 86400000)) ;;
    esac
}

members() { # COMPONENT: {"x-1":"address",...}
    local i out=
    for ((i = 1; i <= COUNT[$1]; i++)); do out+="${out:+,}\"$1-$i\":\"$(address "$1" "$i")\""; done
    echo "{$out}"
}
