#!/bin/bash
# SPDX-License-Identifier: MIT
# Volumes by `slipway --server` on a real storage cluster, as from a machine without Docker and without the key: what is
# written through the driver is there after each command, and what both sides list is the same.
# about 60 s
set -eu
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../environment.sh"

needs "volumes from another machine" jq curl qemu-io qemu-img
unset NO_COLOR SLIPWAY_LINK SLIPWAY_SERVER SLIPWAY_TOKEN_FILE SLIPWAY_SERVER_PIN SLIPWAY_SERVER_CA
environment srvvol
driver=volumedriver-qemu-1
components <<END
etcd: {instances: 1}
ceph-mon: {instances: 1}
ceph-mgr: {instances: 1}
ceph-osd: {instances: 2}
volumedriver-qemu: {instances: 1}
END
check_status "up starts a cluster with a driver" 0 slip -f "$file" up

port=$(free_port)
url=https://127.0.0.1:$port
"$B/slipwayd" --env "$env" --listen "127.0.0.1:$port" --data "$TMP/data" --first-token >"$TMP/served" 2>>"$TMP/log" &
on_exit "kill $!"
check "slipwayd serves" wait_until 20 grep -q '^token ' "$TMP/served"
api() { curl -sS --fail -k -b "$TMP/jar" -H "Origin: $url" -H 'Content-Type: application/json' "$@"; }
login=$(jq -n --arg token "$(sed -n 's/^token //p' "$TMP/served")" '{$token}')
check "a session" api -c "$TMP/jar" -o /dev/null -d "$login" "$url/api/v1/login"
(umask 077 && api -d '{"label": "test", "role": "operator"}' "$url/api/v1/tokens" | jq -r .token >"$TMP/operator")
there() {
    env -u SLIPWAY_HOME HOME="$TMP/nobody" DOCKER_HOST=unix:///nowhere "$SLIPWAY" --server "$url" \
        --server-pin "$(sed -n 's/^pin //p' "$TMP/served")" --token-file "$TMP/operator" "$@"
}
volume() { there volume "$@"; }

# io VOLUME COMMAND...: qemu-io on the socket that the host sees.
io() {
    local at="nbd+unix:///$1?socket=/var/lib/slipway/$env/$driver/nbd.sock" words=()
    shift
    for word; do words+=(-c "$word"); done
    timeout 60 qemu-io -f raw "${words[@]}" "$at" >"$TMP/io" 2>&1 && ! grep -q "failed\|error" "$TMP/io"
}
size_of() { qemu-img info --output json "nbd+unix:///$1?socket=/var/lib/slipway/$env/$driver/nbd.sock" |
    jq -r '."virtual-size"'; }
same_list() { # NAME: what is listed there is what is listed here
    slip volume list --json >"$TMP/here"
    volume list --json >"$TMP/there"
    check "$1: both list the same" diff "$TMP/here" "$TMP/there"
}

check_status "create" 0 volume create disk --size 64MiB
same_list "create"
check_same "it has the size" 67108864 "$(jq '.[] | select(.name == "disk") | .size' "$TMP/here")"
check_status "create it once more" 0 volume create disk --size 64MiB
check_has "is said" "$(cat "$TMP/out" "$TMP/err")" "disk: already created"
says "of another size it is refused" 1 "there is a volume disk already, with size 64MiB" volume create disk --size 65MiB
check_status "attach" 0 volume attach disk --to qemu
same_list "attach"
check "the driver serves it" io disk "write -P 0xAA 0 1M" flush
check_status "snapshot" 0 volume snapshot disk before
check "the volume goes on" io disk "write -P 0xBB 0 1M" flush
check_status "resize" 0 volume resize disk 96MiB
check_same "the driver has the new size" 100663296 "$(size_of disk)"
says "it is not deleted while it is attached" 1 "attached" volume delete disk --yes
check "its data is untouched" io disk "read -P 0xBB 0 1M"
check_status "detach" 0 volume detach disk
check_not "the driver serves it no longer" io disk "read 0 1M"
same_list "detach"
check_status "rollback" 0 volume rollback disk before --yes
check_status "attach again" 0 volume attach disk --to "$driver"
check "the data is that of the snapshot" io disk "read -P 0xAA 0 1M"
check_status "a clone of the snapshot" 0 volume create copy --from disk@before --attach "$driver"
check "has its data" io copy "read -P 0xAA 0 1M"
same_list "clone"
check_status "detach both" 0 volume detach disk copy
check_status "delete the clone" 0 volume delete copy --yes
check_status "delete the snapshot" 0 volume snapshot --delete disk before --yes
check_status "delete" 0 volume delete disk --yes
check_same "nothing is left, there" "[]" "$(volume list --json | jq -c .)"
same_list "delete"
says "what is not there" 1 "there is no volume disk" volume show disk
check_has "the history has who did it" "$(slip config history)" "first@"
finish
