#!/bin/bash
# SPDX-License-Identifier: MIT
# clean: what nobody needs goes, nothing else. Images, as old as none of a real one is, are loaded from a tar, and
# everything that is removed is limited to their age: other environments may run on the same machine.
set -eu
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../environment.sh"

needs "clean" jq python3
unset NO_COLOR SLIPWAY_LINK
environment clean --catalog "$ROOT/tests/data/components"
age=9000d # before 2002 at the least
clean() { "$SLIPWAY" "${slip_options[@]}" -q clean --older "$age" "$@"; }

# load NAME LAYER...: an image of 1990 that Slipway could have built, each layer a file of 2 MiB of that name.
load() {
    python3 - "$@" >"$TMP/image.tar" <<'END'
import hashlib, io, json, sys, tarfile

name, layers = sys.argv[1], sys.argv[2:]
out = tarfile.open(fileobj=sys.stdout.buffer, mode="w|")


def put(path, data):
    entry = tarfile.TarInfo(path)
    entry.size = len(data)
    out.addfile(entry, io.BytesIO(data))


def layer(word):
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as tar:
        entry = tarfile.TarInfo(word)
        entry.size = 2 << 20
        tar.addfile(entry, io.BytesIO(word[:1].encode() * entry.size))
    return data.getvalue()


made = {word: layer(word) for word in layers}
config = json.dumps({
    "created": "1990-01-01T00:00:00Z", "architecture": "amd64", "os": "linux",
    "config": {"Cmd": ["/none"], "Labels": {"slipway.image": name}},
    "history": [{"created": "1990-01-01T00:00:00Z"} for _ in layers],
    "rootfs": {"type": "layers",
               "diff_ids": ["sha256:" + hashlib.sha256(made[w]).hexdigest() for w in layers]}}).encode()
digest = hashlib.sha256(config).hexdigest()
put(digest + ".json", config)
for word in layers:
    put(word + "/layer.tar", made[word])
put("manifest.json", json.dumps([{"Config": digest + ".json", "RepoTags": [f"slipway/{name}:1"],
                                  "Layers": [w + "/layer.tar" for w in layers]}]).encode())
out.close()
END
    docker load -q -i "$TMP/image.tar" >/dev/null
    on_exit "docker rmi slipway/$1:1"
}
has() { docker image inspect "slipway/$1:1" >/dev/null 2>&1; }
id=c$$
load "$id-base" "$id-a"
load "$id-used" "$id-a" "$id-b"
load "$id-old" "$id-a" "$id-c"
load "$id-alone" "$id-d"
docker tag "slipway/$id-old:1" "slipway/$id-old:latest"
on_exit "docker rmi slipway/$id-old:latest"
docker create --name "$env-user" "slipway/$id-used:1" >/dev/null
on_exit "docker rm -f $env-user"

# Only ours is looked at: others may have loaded theirs.
ours() {
    jq -r --arg id "$id" '.items[] | select(.kind == "image" and (.name | contains($id))) |
        .name + " " + (.bytes / 1048576 | floor | tostring)' "$1"
}
check_status "a dry run" 0 clean --dry-run --json
check_same "shows what nobody uses, and its own size" "slipway/$id-old:1 2
slipway/$id-alone:1 2" "$(ours "$TMP/out")"
check "nothing younger than that" jq -e --arg id "$id" \
    'all(.items[]; .kind != "image" or (.name | startswith("slipway/c")))' "$TMP/out"
check_status "for people too" 0 clean --dry-run
check_has "with its size" "$(cat "$TMP/out")" "image  2 MiB"
check_same "in 80 columns" "" "$(grep slipway/ "$TMP/out" | awk 'length($0) > 80')"
check "and removes nothing" has "$id-old"
check_same "what is young is left alone" "" \
    "$("$SLIPWAY" -q clean --dry-run --json --older 20000d | jq -r '.items[].name')"

# On a terminal it asks.
printed=$TMP/asked
python3 "$ROOT/tests/integration/ctrl_c.py" tty "$printed" "$SLIPWAY" "${slip_options[@]}" clean --older "$age" &
runner=$!
check "on a terminal it asks" wait_until 60 grep -q "Remove this, about .* MiB? .y/N." "$printed"
check "and shows what" grep -q "slipway/$id-old:1" "$printed"
kill -USR1 $runner
status=0
wait $runner || status=$?
check_same "Ctrl-C there ends it" 130 "$status"
check "and nothing is removed" has "$id-old"

# What an environment has.
components <<END
etcd: {instances: 1}
sleeper: {instances: 1}
END
check_status "up" 0 slip -f "$file" up
says "a volume that is used" 1 "volume $env-sleeper-1-data is used by $env-sleeper-1; nothing was removed" clean --yes \
    --volume "$env-sleeper-1-data"
check "nothing was removed" has "$id-old"
check_status "down, the data stays" 0 slip down
check_status "clean" 0 clean --yes
check_has "names the data that stays" \
    "$(cat "$TMP/out")" "volume $env-sleeper-1-data of $env is used by no container and keeps its data"
check "and keeps it" docker volume inspect "$env-sleeper-1-data"
check_not "what nobody uses is gone" has "$id-old"
check_not "with all its tags" docker image inspect "slipway/$id-old:latest"
check_not "what stood alone too" has "$id-alone"
check "what a container uses is there" has "$id-used"
check "what that stands on too" has "$id-base"
check_status "images that the catalog uses are there: up needs no build" 0 slip --json up
check_hasnt "no build" "$(cat "$TMP/err")" "build image"
check_status "down" 0 slip down
check_status "again: nothing of it is left" 0 clean --yes --json
check_same "nothing" "" "$(ours "$TMP/out")"
check_status "data goes when it is named" 0 clean --yes --volume "$env-sleeper-1-data"
check_not "it is gone" docker volume inspect "$env-sleeper-1-data"
check "the other is there" docker volume inspect "$env-etcd-1-data"
check_not "nobody misses it" grep -qx "$env-sleeper-1-data" "$SLIPWAY_HOME/$env/volumes"
check_status "etcd's goes the same way" 0 clean --yes --volume "$env-etcd-1-data"
check_status "and what is gone on purpose keeps nothing from coming up" 0 slip up
check_status "down again" 0 slip down
says "a volume that is not there" 1 "no environment made a volume $env-etcd-1-dat (did you mean $env-etcd-1-data?)" \
    clean --yes --volume "$env-etcd-1-dat"

# What killed runs leave, in folders of this test's own.
export TMPDIR=$TMP/tmp
mkdir -p "$TMPDIR/slipway-ssh.old" "$TMPDIR/slipway-ssh.new" "$SLIPWAY_HOME/gone" "$SLIPWAY_HOME/$env-new"
# Folders that somebody else put there, or put something into.
mkdir -p "$SLIPWAY_HOME/photos" "$SLIPWAY_HOME/notes/links/x" "$SLIPWAY_HOME/empty" "$SLIPWAY_HOME/more" \
    "$SLIPWAY_HOME/locked"
touch "$SLIPWAY_HOME/photos/one.jpg" "$SLIPWAY_HOME/notes/links/x/page" "$SLIPWAY_HOME/more/thesis" \
    "$SLIPWAY_HOME/locked/lock"
for folder in notes more gone; do cp "$SLIPWAY_HOME/$env/lock" "$SLIPWAY_HOME/$folder/lock"; done
echo key >"$TMPDIR/slipway-ssh.old/key"
lock=slipway-$(id -u)-slipway-
touch "$TMPDIR/${lock}x-1" "$TMPDIR/${lock}held-1" "$TMPDIR/other"
echo '{}' >"$SLIPWAY_HOME/$env/journal"
touch -d 1990-01-01 "$TMPDIR/slipway-ssh.old" "$TMPDIR/${lock}x-1" "$TMPDIR/${lock}held-1" "$TMPDIR/other" \
    "$SLIPWAY_HOME/gone" "$SLIPWAY_HOME/$env/journal"
(cd "$SLIPWAY_HOME" && touch -d 1990-01-01 empty locked more notes photos)
exec 8<"$TMPDIR/${lock}held-1"
flock 8
check_status "clean" 0 clean --yes
check_same "keys and locks of killed runs are gone" "other slipway-ssh.new ${lock}held-1" \
    "$(cd "$TMPDIR" && echo other slipway-ssh.* slipway-[0-9]*)"
check_same "the folder of an environment without key too, and no other" "empty locked more notes photos $env $env-new" \
    "$(cd "$SLIPWAY_HOME" && echo *)"
check "the key of one that is down stays" test -e "$SLIPWAY_HOME/$env/key"
check_not "its old journal does not" test -e "$SLIPWAY_HOME/$env/journal"
says "no operands" 6 "clean takes no x" clean x
check_status "without Docker" 1 env DOCKER_HOST=unix:///nowhere "$SLIPWAY" clean --dry-run
finish
