#!/bin/bash
# SPDX-License-Identifier: MIT
# Every command with --json, in a real environment: what it prints is JSON, times are ISO 8601 and sizes are numbers of
# bytes, under the same names everywhere. The commands are the program's own: one that is missing here is a failure.
set -eu
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../environment.sh"

needs "JSON" jq qemu-storage-daemon mke2fs
environment json
components <<END
etcd: {instances: 1}
ceph-mon: {instances: 1, config: {allow_pool_delete: true}}
ceph-mgr: {instances: 1}
ceph-osd: {instances: 1, config: {size: 2G}}
volumedriver-qemu: {instances: 2}
controller: {instances: 1}
END
pools='{volumes: {size: 1, pg_num: 8, application: rbd}}'
sed -i "s/ceph-mgr: {instances: 1}/ceph-mgr: {instances: 1, config: {pools: $pools}}/" "$file"
mkdir "$TMP/work"
cd "$TMP/work"
echo 'steps: [{directory: {path: /srv/prepared}}]' >steps.yaml

# command|what is behind it|what must hold of the JSON
walk="up|$file|.environment == \"$env\" and .state == \"done\"
plan||.environment // .operations // . | type != \"null\"
status||.instances | length == 7
top||[.instances[].usage.memory] | all(. > 0)
list||any(.[]; .environment == \"$env\")
files||any(.[]; .what == \"key\" and .bytes > 0)
show|etcd-1|.instance == \"etcd-1\"
logs|etcd-1 --tail 5|.time
run|--on etcd-1 -- true|.results[0].instance == \"etcd-1\" and .results[0].ok
copy|steps.yaml etcd-1:/var/lib/|.results[0].instance == \"etcd-1\" and .results[0].bytes > 0
agent status|--on etcd-1|.results[0].instance == \"etcd-1\"
agent deploy|--on etcd-1|.results[0].instance == \"etcd-1\" and .results[0].ok
agent rollback|--on etcd-1|.results | type == \"array\"
prepare|steps.yaml --on etcd-1|.results[0].changed == 1 and .results[0].steps[0].state == \"changed\"
config list||length > 5
config get|ceph-osd size|. == 2147483648
config set|ceph-osd memory_target 1G|.changed
config delete|ceph-osd memory_target|.changed
config show||.name == \"$env\"
config history||length > 0
lock status||.held == false
lock break|--reason test|.broken == false
etcd compact||.members == 1 and .bytes_before > 0
pool create|cold --size 1 --quota 1g|.done == \"created\"
pool list||any(.[]; .name == \"cold\" and .quota == 1073741824)
pool show|cold|.quota == 1073741824
pool delete|cold --yes|.done == \"deleted\"
volume create|disk --size 0.0625g|.done == \"created\" and .volumes == [\"disk\"]
volume list||.[0].size == 67108864
volume show|disk|.size == 67108864
volume snapshot|disk before|.done == \"snapshot taken\"
volume clone|disk@before copy|.done == \"created and attached\" or .done == \"created\"
volume attach|disk --to volumedriver-qemu-1|.done == \"attached\"
volume move|disk --to volumedriver-qemu-2|.done == \"moved\"
volume detach|disk|.done == \"detached\"
volume resize|disk 128M|.done == \"resized\"
volume rollback|disk before --yes|.done == \"back at the snapshot\"
volume mount|disk $TMP/mnt|.done == \"mounted\"
volume unmount|disk|.done == \"unmounted\"
volume template|copy|.done == \"a template\"
volume delete|copy disk --force --yes|.done == \"deleted\"
stop|volumedriver-qemu-2|.[0].instance == \"volumedriver-qemu-2\" and .[0].done == \"stopped\"
inventory|--list|.all.children | type == \"array\"
key rotate|ssh|.generation == 2
start|volumedriver-qemu-2|.[0].done == \"started\"
restart|volumedriver-qemu-2|.[0].done == \"restarted\"
pause|volumedriver-qemu-2|.paused and .instances == [\"volumedriver-qemu-2\"]
resume|volumedriver-qemu-2|.paused == false
open||.instance == \"controller-1\" and .url and .token and .pin
check|instances|.recap
collect|$TMP/c.tar|.bytes > 0 and .missing == []
new|fresh -p quick -c etcd=1|.path == \"fresh.yaml\" and .already == false
validate|fresh.yaml|.valid
catalog list||any(.[]; .component == \"etcd\")
catalog show|etcd|type == \"object\"
catalog keys||.type == \"object\"
catalog schema||.type == \"object\"
catalog steps||.properties.steps.items.properties.file.type == \"object\"
version||.version
attach|--tail 1 etcd-1|.time
config edit|etcd|.changed == false
clean|--dry-run|.bytes >= 0
remove|--force volumedriver-qemu-2|.state == \"done\"
down|--volumes --yes|.state == \"done\""
refused="exec ssh completion man"

# The words of every command that say when, and how much.
# shellcheck disable=SC2016 # jq's
vocabulary='[paths(scalars) as $p | {key: ($p | map(strings) | last // ""), value: getpath($p)}] | all(
    if .key | IN("time", "since", "created", "started", "finished")
    then .value == null or (.value | type == "string" and test("^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}([.][0-9]+)?Z$"))
    elif .key | IN("size", "quota", "bytes", "bytes_before", "bytes_after", "ms") then .value | type == "number"
    else true end)'

names=()
export EDITOR=true
while IFS='|' read -r command words holds; do
    names+=("$command")
    limit=600
    [ "$command" != attach ] || limit=5 # it goes on until it is ended
    # shellcheck disable=SC2086
    timeout -s INT $limit "$SLIPWAY" --json -q -e "$env" $command $words >"$TMP/json" 2>"$TMP/err" </dev/null &&
        status=0 || status=$?
    case $command in plan | attach) ;; *) check_same \
        "$command --json ends well$(head -c 300 "$TMP/err")" 0 "$status" ;; esac
    check "$command --json prints JSON" jq -es 'length > 0' "$TMP/json"
    check "$command: $holds" jq -e "$holds" "$TMP/json"
    # Documents about keys, and one as it was written.
    case $command in catalog* | "config show") continue ;; esac
    check "$command: times and sizes as everywhere" jq -es "$vocabulary" "$TMP/json"
done <<<"$walk"
for command in $refused; do
    names+=("$command")
    words=bash
    [ "$command" != man ] || words=
    # shellcheck disable=SC2086
    check_status "$command has no JSON" 6 slip --json "$command" $words
    check_has "$command: says so" "$(cat "$TMP/err")" "$command has no --json"
done
while read -r command; do
    check "$command is tried here" grep -qxF "$command" <(printf '%s\n' "${names[@]}")
done < <("$SLIPWAY" --help | sed -n 's/^  \([a-z][a-z ]*[a-z]\)   *[^ ].*/\1/p')
finish
