#!/bin/bash
# SPDX-License-Identifier: MIT
# Docker's volumes on a real storage cluster: `docker volume create -d`, containers that use it one after the other and
# at the same time, beside `slipway volume`; restarts of the driver and of dockerd, kill -9. What was written is
# compared by checksum.
# Docker asks a volume driver that is being killed for 15 s, for whoever makes a volume meanwhile, so:
# alone
# about 265 s
set -eu
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../environment.sh"

needs "Docker's volumes" jq curl ldd unshare
[ -e /dev/loop-control ] || { skip "Docker's volumes" "the host has no loop devices"; finish; }

on_exit 'forget_plugin "$driver"' # last, when it is down
environment docker
fuse=$env-volumedriver-fuse-1 driver=slipway-$env
host=/var/lib/slipway/$env/volumedriver-fuse-1
user=$env-user image=slipway-test-$$:tools
slip() { "$SLIPWAY" -e "$env" "$@"; }
volume() { "$SLIPWAY" -q -e "$env" volume "$@"; }
on_exit "docker ps -aq --filter name=$user | xargs -r docker rm -f
    docker volume ls -qf driver=$driver | xargs -r docker volume rm -f"
on_exit "docker rmi $image"
components <<END
etcd: {instances: 1}
ceph-mon: {instances: 1}
ceph-mgr: {instances: 1}
ceph-osd: {instances: 2}
volumedriver-fuse: {instances: 1, config: {docker: true}}
volumedriver-qemu: {instances: 1}
END
# A root file system of a few tools, in any Docker within a second.
mkdir -p "$TMP/root/data" "$TMP/root/tmp" "$TMP/root/seed"
echo seed >"$TMP/root/seed/x"
for t in sh sha256sum head sleep sync ls df cat dd; do
    { command -v "$t"; ldd "$(command -v "$t")" | grep -o '/[^ ]*'; } | sort -u | xargs cp -Lu --parents -t "$TMP/root"
done
tar -C "$TMP/root" -c . | docker import - "$image" >/dev/null

# fails NAME SENTENCE COMMAND...: it fails, and says so.
fails() {
    local name=$1 sentence=$2 status=0
    shift 2
    "$@" >"$TMP/out" 2>&1 || status=$?
    [ "$status" != 0 ] || not_ok "$name: fails" "$(cat "$TMP/out")"
    check_has "$name" "$(cat "$TMP/out")" "$sentence"
}
# in VOLUME COMMAND: a shell of a new container that has the volume at /data.
in_new() { docker run --rm --network none -v "$1:/data" "$image" sh -c "$2"; }
# seeded VOLUME: what is in it where the image has files, which Docker copies to an empty volume.
seeded() { docker run --rm --network none -v "$1:/seed" "$image" sh -c 'ls -A /seed'; }
start() { docker run -d --name "$1" --network none -v "$2:/data" "$image" sh -c 'sleep 100000' >/dev/null; }
made() { docker volume create -d "$driver" "$@" >/dev/null; }
asked() { curl -s --max-time 60 --unix-socket "/run/docker/plugins/$driver.sock" -d "{\"Name\":\"$2\"}" \
    "http://d/VolumeDriver.$1"; }
state() { volume list --json | jq -r --arg n "$1" \
    '.[] | select(.name == $n) | "\(.size / 1048576)MiB \(.attached | map(.instance) | join(","))"'; }

check_status "up starts a cluster with the driver" 0 slip -q -f "$file" up
check "Docker finds the driver by its socket" test -S "/run/docker/plugins/$driver.sock"

check_has "hook check asks as Docker does" "$(docker exec "$fuse" /usr/lib/slipway/slipway-agent hook check)" \
    '"code": "volume.docker"'
check "docker volume create" made "$env-a" -o size=64M
check_same "makes a volume like every other" "64MiB " "$(state "$env-a")"
check_status "which leaves the plan nothing to do" 0 slip -q plan
sum=$(in_new "$env-a" 'head -c 5000000 /dev/urandom >/data/x; sync; sha256sum /data/x')
check_same "what one container wrote a second one reads" "$sum" "$(in_new "$env-a" 'sha256sum /data/x')"
check_same "the volume is free again" "64MiB " "$(state "$env-a")"
check_same "and nothing is mounted on the host" "" "$(grep "$host/" /proc/mounts || true)"

start "$user-1" "$env-a"
check_same "while a container has it, it is attached" "64MiB volumedriver-fuse-1" "$(state "$env-a")"
check_has "its file system makes nobody root and has no devices" \
    "$(awk -v d="$host/.docker/$env-a" '$2 == d { print $4 }' /proc/mounts)" "nosuid,nodev"
check_same "and is not in the sight of other users" "700 root" "$(stat -c '%a %U' "$host/.docker")"
check_not "who cannot enter" setpriv --reuid=65534 --regid=65534 --clear-groups ls "$host/.docker/$env-a"
fails "docker refuses to remove it" "in use" docker volume rm "$env-a"
check_has "the driver refuses too" "$(asked Remove "$env-a")" "is in use by 1 containers"
fails "slipway refuses" "is attached to volumedriver-fuse-1" volume delete --yes "$env-a"
fails "another driver is refused" "a volume has one writer" volume attach "$env-a" --to qemu
fails "a mount on the host is refused" "in use by containers of Docker" volume mount "$env-a" "$TMP/mnt"
start "$user-2" "$env-a"
check_same "a second container sees the same" "$sum" "$(docker exec "$user-2" sha256sum /data/x)"
docker rm -f "$user-1" >/dev/null
check_same "and keeps it when the first has left" "$sum" "$(docker exec "$user-2" sha256sum /data/x)"

docker exec "$user-2" sh -c 'head -c 1000000 /dev/urandom >/data/y; sync'
second=$(docker exec "$user-2" sha256sum /data/x /data/y)
check_status "a snapshot while it is in use" 0 volume snapshot "$env-a" before
check_status "it grows while it is in use" 0 volume resize "$env-a" 128MiB
docker exec "$user-2" sh -c 'echo later >/data/x; sync'
check_same "its file system when it is mounted next" larger "$(docker rm -f "$user-2" >/dev/null
    start "$user-2" "$env-a"
    docker exec "$user-2" df -k --output=size /data | awk 'NR == 2 { print ($1 > 100000 ? "larger" : $1) }')"
check "a volume from the snapshot" made "$env-b" -o "from=$env-a@before"
check_same "has what was there then" "$second" "$(in_new "$env-b" 'sha256sum /data/x /data/y')"
check "a volume goes" docker volume rm "$env-b"
docker rm -f "$user-2" >/dev/null
fails "one with snapshots does not" "has snapshots (before)" docker volume rm "$env-a"
check_status "without its snapshot" 0 volume snapshot "$env-a" before --delete --yes

check "a volume that is empty" made "$env-s" -o size=64M
check_same "has no lost+found" "" "$(in_new "$env-s" 'ls -A /data')"
check_status "it grows" 0 volume resize "$env-s" 128MiB
check_same "the check before that leaves none: Docker copies to it what the image has" "x" "$(seeded "$env-s")"
check "and it goes" docker volume rm "$env-s"

fails "an option is checked" "unknown option speed; known are size" made "$env-x" -o speed=high
fails "a size is checked" "1MiB to 64TiB" made "$env-x" -o size=65T
fails "a pool is checked" "there is no pool none" made "$env-x" -o pool=none
check_same "and nothing is left of it" "" "$(state "$env-x")"
check_status "a volume by hand" 0 volume create "$env-raw" --size 16MiB --attach fuse
listed() { docker volume ls -q | grep -x "$1"; }
check_not "is not Docker's: another environment may have one of that name" listed "$env-raw"
fails "so Docker cannot remove it" "o such volume" docker volume rm "$env-raw"
check "until it is given to Docker by the driver's name" made "$env-raw"
check "then Docker has it" listed "$env-raw"
fails "but while it is in use by hand" "by hand" in_new "$env-raw" true
head -c 4096 /dev/urandom | dd of="$host/$env-raw" seek=8M oflag=seek_bytes conv=notrunc,fsync status=none \
    # far behind the beginning
check_status "detached" 0 volume detach "$env-raw"
fails "what holds something else is never formatted" "not an ext4 file system" in_new "$env-raw" true
check_same "and let go of again" "16MiB " "$(state "$env-raw")"
check "it can be removed" docker volume rm "$env-raw"

# kill -9 of the driver in the very first mkfs: half of a file system is in the volume, without what says that it is
# one.
ready() { docker exec "$fuse" /usr/lib/slipway/slipway-agent health >/dev/null; }
formatting() { docker exec "$env-ceph-mon-1" rbd image-meta get "volumes/$1" slipway.formatting; }
killed_in_mkfs() { # VOLUME
    # The driver's root file system is read-only, for `docker exec` as long as it leaves it so.
    docker exec -i "$fuse" sh -c 'set -e; : >/tmp/kill-me; mount -o remount,bind,rw /; cd /usr/sbin
        [ -e mke2fs.real ] || mv mke2fs mke2fs.real; cat >mke2fs; chmod 755 mke2fs; mount -o remount,bind,ro /' <<'END'
#!/bin/sh
[ -e /tmp/kill-me ] || exec mke2fs.real "$@"
rm /tmp/kill-me
for device; do :; done
truncate -s 64M /tmp/half
mke2fs.real -q -t ext4 -F /tmp/half
dd if=/tmp/half of="$device" bs=4k skip=2 seek=2 count=1000 conv=notrunc,fsync status=none
rm /tmp/half
for p in /proc/[0-9]*; do case $(cat "$p/comm") in serve | qemu-storage-d*) kill -9 "${p#/proc/}" ;; esac; done
sleep 60
END
    check "a volume" made "$1" -o size=64M
    asked Mount "$1" || true
    check_has "the driver is killed in its first mkfs" "$(formatting "$1")" volumedriver-fuse-1
    check "and comes back" wait_until 60 ready
}
killed_in_mkfs "$env-k"
check_same "the volume is formatted again" "hello" "$(in_new "$env-k" 'echo hello >/data/x; sync; cat /data/x')"
check_same "once" "hello" "$(in_new "$env-k" 'cat /data/x')"
check_not "the mark is gone" formatting "$env-k"
check "the volume goes" docker volume rm "$env-k"
killed_in_mkfs "$env-h"
check_status "detached" 0 volume detach "$env-h" --force
check_status "somebody has it by hand" 0 volume attach "$env-h" --to qemu
check_not "takes the mark away" formatting "$env-h"
check_status "and gives it back" 0 volume detach "$env-h"
fails "then it is left alone" "not an ext4 file system" in_new "$env-h" true
check "it goes" docker volume rm "$env-h"

# Both at once: whoever comes second looks again, nothing is lost.
(for i in 1 2 3 4; do made "$env-d$i" -o size=8M || echo "docker $i"; done) >"$TMP/docker" 2>&1 &
for i in 1 2 3 4; do
    again() { volume create "$env-s$i" --size 8MiB --lock-wait 20s 2>"$TMP/err" ||
        { grep -q "by someone else meanwhile" "$TMP/err" && false; }; }
    wait_until 30 again || echo "slipway $i: $(cat "$TMP/err")" >>"$TMP/slipway"
done
wait $!
check_same "no run of either fails" "" "$(cat "$TMP/docker" "$TMP/slipway" 2>/dev/null || true)"
check_same "and none of what they made is lost" "d1 d2 d3 d4 s1 s2 s3 s4" \
    "$(volume list --json | jq -r '.[].name' | sed -n "s/^$env-\([ds][0-9]\)$/\1/p" | sort | paste -sd ' ')"
# What Docker is told while the driver cannot know: never that there is no such volume, or it makes an empty one of that
# name.
check_status "etcd is stopped" 0 slip -q stop etcd-1
fails "a container of the volume does not start" "etcd" in_new "$env-a" true
fails "and no other volume takes its place" "etcd" in_new "$env-a" true
check_same "Docker's driver of it is still ours" "$driver" "$(docker volume inspect -f '{{.Driver}}' "$env-a")"
begin=$SECONDS
docker run --rm --network none "$image" sh -c :
none=$((SECONDS - begin)) begin=$SECONDS # what a container takes on this machine now
check "who has a volume elsewhere goes on" docker run --rm --network none -v "$env-local:/data" "$image" sh -c :
check "without the 15 s that Docker waits for who is silent" test $((SECONDS - begin)) -lt $((14 + none))
docker volume rm "$env-local" >/dev/null
check_status "etcd is back" 0 slip -q start etcd-1
check_same "and the volume as it was" later "$(in_new "$env-a" 'cat /data/x')"

# The last change is one that the document on this machine does not know.
check "Docker makes one more" made "$env-d5" -o size=8M
check_status "etcd itself goes" 0 slip stop --all
check_status "and comes back" 0 slip -q -f "$file" up
check_same "with every volume" "10" "$(volume list --json | jq length)"
docker volume rm "$env-d5" >/dev/null
for i in 1 2 3 4; do docker volume rm "$env-d$i" >/dev/null && volume delete --yes "$env-s$i" ||
    not_ok "volume $i goes"; done
check_same "then they go" "$env-a" "$(volume list --json | jq -r '.[].name')"

in_new "$env-a" 'head -c 3000000 /dev/urandom >/data/x; sync' && sum=$(in_new "$env-a" 'sha256sum /data/x')
start "$user-3" "$env-a"
docker restart "$fuse" >/dev/null
check "the driver is restarted" wait_until 60 ready
restarted() { docker restart -t 1 "$user-3" >/dev/null 2>&1; }
check "its container too" wait_until 60 restarted
check_same "has its data" "$sum" "$(docker exec "$user-3" sha256sum /data/x)"
check_same "one file system, no stale mount" "1" "$(grep -c "$host/.docker/" /proc/mounts)"
docker exec "$user-3" sh -c 'head -c 2000000 /dev/urandom >/data/z; sync'
sum=$(docker exec "$user-3" sha256sum /data/x /data/z)
kill -9 "$(docker top "$fuse" -eo pid,args | awk '/qemu-storage-daemon --chardev/ { print $1; exit }')"
sleep 1
check "after kill -9 the driver is back" wait_until 60 ready
check "the container starts again" wait_until 60 restarted
sum_a=$sum
check_same "with what was flushed" "$sum" "$(docker exec "$user-3" sha256sum /data/x /data/z)"
check_same "and no stale mount" "1" "$(grep -c "$host/.docker/" /proc/mounts)"
docker rm -f "$user-3" >/dev/null

# A Docker of its own, in a network of its own, that may be killed.
second() { docker -H "unix://$TMP/docker.sock" "$@"; }
dockerd_start() {
    unshare -n dockerd -H "unix://$TMP/docker.sock" --data-root "$TMP/data" --exec-root "$TMP/exec" --pidfile \
        "$TMP/dockerd.pid" \
        --bridge none --iptables=false --ip-masq=false >>"$TMP/dockerd.log" 2>&1 &
    wait_until 60 second info
}
dockerd_stop() {
    kill "$1" "$(cat "$TMP/dockerd.pid")"
    while [ -e "/proc/$(cat "$TMP/dockerd.pid" 2>/dev/null || echo none)" ]; do sleep 0.1; done
}
on_exit "kill \$(cat $TMP/dockerd.pid); sleep 3
    umount \$(awk -v d=$TMP/ 'index(\$2, d) == 1 { print \$2 }' /proc/mounts)"
if dockerd_start; then
    tar -C "$TMP/root" -c . | second import - "$image" >/dev/null
    second run -d --name keeper --network none -v "$env-a:/data" "$image" sh -c 'sleep 100000' >/dev/null
    check_same "another Docker uses the same driver" "$sum" "$(second exec keeper sha256sum /data/x /data/z)"
    dockerd_stop -TERM
    check "its daemon is restarted" dockerd_start
    second start keeper >/dev/null
    check_same "a container has its data" "$sum" "$(second exec keeper sha256sum /data/x /data/z)"
    dockerd_stop -KILL
    rm -f "$TMP/dockerd.pid"
    check "its daemon is killed and comes back" dockerd_start
    again() { second start keeper >/dev/null && [ "$(second exec keeper sha256sum /data/x /data/z)" = "$sum" ]; }
    check "and the container has its data" wait_until 30 again
    second rm -f keeper >/dev/null
    check_same "the last one lets go" "128MiB " "$(state "$env-a")"
    # As at the start of a machine: Docker starts its containers in no order, and looks for a driver for 15 s.
    second run -d --name early --restart always --network none -v "$env-a:/data" "$image" sh -c 'sleep 100000' \
        >/dev/null
    dockerd_stop -TERM
    docker stop "$fuse" >/dev/null
    (sleep 4 && docker start "$fuse") >/dev/null &
    check "Docker starts before the driver" dockerd_start
    early() { [ "$(second exec early sha256sum /data/x /data/z)" = "$sum" ]; }
    check "a container that restarts always comes up with it" wait_until 60 early
    second rm -f early >/dev/null
    check_same "and lets go" "128MiB " "$(state "$env-a")"
    # Later than Docker looks for it: the container stays ended, whatever its policy, and says why. The README's command
    # is the way out.
    second run -d --name late --restart always --network none -v "$env-a:/data" "$image" sh -c 'sleep 100000' >/dev/null
    dockerd_stop -TERM
    docker stop "$fuse" >/dev/null
    check "Docker starts without the driver" dockerd_start
    in_vain() { second inspect -f '{{.State.Status}} {{.State.Error}}' late | grep -F "$driver"; }
    check "and gives up on the container that needs it" wait_until 60 in_vain
    echo "# $(in_vain)"
    docker start "$fuse" >/dev/null
    check "the driver comes too late" wait_until 90 ready
    sleep 5
    check "it is not tried again" in_vain
    second ps -aq --filter status=exited --filter "volume=$env-a" |
        while read -r c; do second start "$c" >/dev/null; done
    check_same "the README's command brings it up" "$sum" "$(second exec late sha256sum /data/x /data/z)"
    second rm -f late >/dev/null
    check_same "and it lets go as well" "128MiB " "$(state "$env-a")"
    dockerd_stop -TERM
else
    skip "a Docker of its own" "it does not start: $(tail -n 1 "$TMP/dockerd.log")"
fi

# Without any mount of a container: through the QEMU driver's socket.
if command -v qemu-storage-daemon >/dev/null; then
    m=$env-m
    check_status "a volume" 0 volume create "$m" --size 64MiB
    check "which is Docker's too" made "$m"
    check_status "is mounted by one command" 0 volume mount "$m" "$TMP/mnt"
    check_same "attached to the QEMU driver" "64MiB volumedriver-qemu-1" "$(state "$m")"
    check_has "with nothing in it that makes anybody root" \
        "$(awk -v d="$TMP/mnt" '$2 == d { print $4 }' /proc/mounts)" "nosuid,nodev"
    head -c 3000000 /dev/urandom >"$TMP/mnt/x"
    sum=$(sha256sum <"$TMP/mnt/x")
    fails "a second time is refused" "is mounted on $TMP/mnt" volume mount "$m" "$TMP/other"
    fails "mounted it is not detached" \
        "is mounted on $TMP/mnt of this machine; \`slipway -e $env volume unmount $m\` before detaching it" \
        volume detach "$m"
    fails "Docker is refused" "in use by volumedriver-qemu-1" in_new "$m" true
    check_same "the refusal leaves nothing behind" "64MiB volumedriver-qemu-1" "$(state "$m")"
    docker restart "$env-volumedriver-qemu-1" >/dev/null
    head -c 2000000 /dev/urandom >"$TMP/mnt/y"
    check "a restart of the driver is waited out" timeout 90 sync "$TMP/mnt/y"
    exec 7<"$TMP/mnt/x"
    fails "under it nothing is taken down" "\`slipway -e $env volume unmount $m\` before taking it down" \
        slip down --volumes --yes
    check "and it is there" test -e "$TMP/mnt/x"
    fails "in use it stays" "is in use" volume unmount "$m"
    exec 7<&-
    second=$(sha256sum <"$TMP/mnt/y")
    # What Docker does when it starts a container: all mounts are copied, and the copy lives on for a while.
    unshare -m --propagation private sh -c 'echo; exec sleep 5' >"$TMP/copied" &
    wait_until 60 test -s "$TMP/copied"
    head -c 1000000 /dev/urandom >"$TMP/mnt/z"
    third=$(sha256sum <"$TMP/mnt/z")
    check_status "and ends by one command" 0 volume unmount "$m"
    check_same "once more it is so already" "$m: already unmounted" "$("$SLIPWAY" -e "$env" volume unmount "$m")"
    check_same "detached" "64MiB " "$(state "$m")"
    check_same "nothing is left on the host" "" "$(ls /run/slipway/mounts/"$env" 2>/dev/null || true)"
    check_same "Docker reads the same, the last words too" "$sum $second $third" \
        "$(in_new "$m" 'sha256sum </data/x; sha256sum </data/y; sha256sum </data/z' | paste -sd ' ')"
    check "a volume that is empty" made "$m-s" -o size=64M
    check_status "is formatted by a mount" 0 volume mount "$m-s" "$TMP/mnt"
    check_status "unmounted" 0 volume unmount "$m-s"
    check_same "is empty for Docker, which copies to it what the image has" "x" "$(seeded "$m-s")"
    check "and goes" docker volume rm "$m-s"
    check_status "a volume that is a file already" 0 volume attach "$m" --to fuse
    check_status "is mounted too" 0 volume mount "$m" "$TMP/mnt"
    check_same "with the same in it" "$sum" "$(sha256sum <"$TMP/mnt/x")"
    mv "$SLIPWAY_HOME/$env/key" "$TMP/key"
    check_status "and unmounted, without the key" 0 volume unmount "$m"
    mv "$TMP/key" "$SLIPWAY_HOME/$env/key"
    check_same "it was attached before and stays so" "64MiB volumedriver-fuse-1" "$(state "$m")"
    check_status "detached by hand" 0 volume detach "$m"
    check "then it goes" docker volume rm "$m"
    check_status "a volume with something far behind its beginning" 0 volume create "$m-far" --size 64MiB --attach fuse
    head -c 4096 /dev/urandom >"$TMP/far"
    dd if="$TMP/far" of="$host/$m-far" seek=32M oflag=seek_bytes conv=notrunc,fsync status=none
    fails "is not formatted" "mount: " volume mount "$m-far" "$TMP/mnt"
    check "and keeps it" cmp -n 4096 "$TMP/far" "$host/$m-far" 0 32M
    check_status "detached" 0 volume detach "$m-far"
    check_status "and deleted" 0 volume delete --yes "$m-far"

    # What root in the container puts in the place of a volume's file is not what root of the machine formats and
    # mounts.
    check_status "a volume that is a file" 0 volume create "$m-l" --size 64MiB --attach fuse
    truncate -s 64M "$TMP/victim"
    planted() { docker exec "$fuse" sh -c "umount -l /export/$m-l; rm -f /export/$m-l; $1 /export/$m-l"; }
    planted "ln -s $TMP/victim"
    fails "a link in its place is not followed" "is a link" volume mount "$m-l" "$TMP/mnt"
    check_same "and nothing is written behind it" 0 "$(stat -c %b "$TMP/victim")"
    planted mkfifo
    fails "nobody waits for a FIFO" "is not a file that volumedriver-fuse-1 serves" timeout 60 "$SLIPWAY" -e "$env" \
        volume mount "$m-l" "$TMP/mnt"
    planted "cp /bin/true"
    fails "nor is any other file taken" "is not a file that volumedriver-fuse-1 serves" volume mount "$m-l" "$TMP/mnt"
    check_status "it is detached by force" 0 volume detach "$m-l" --force
    check_status "and deleted" 0 volume delete --yes "$m-l"

    # kill -9 in the middle of its mkfs, which goes on for a moment: half of a file system, without what says that it is
    # one.
    mkdir "$TMP/bin"
    cat >"$TMP/bin/mkfs.ext4" <<'END'
#!/bin/sh
for file; do :; done
truncate -s 64M "$TMP/half"
mke2fs -q -t ext4 -F "$TMP/half"
kill -9 $PPID
sleep 1
dd if="$TMP/half" of="$file" bs=4k skip=2 seek=2 count=1000 conv=notrunc,fsync status=none
END
    chmod 755 "$TMP/bin/mkfs.ext4"
    killed_in_mount() { # VOLUME
        check_status "a volume" 0 volume create "$1" --size 64MiB
        check_status "its first mount is killed in mkfs" 137 env PATH="$TMP/bin:$PATH" "$SLIPWAY" -q -e "$env" volume \
            mount "$1" "$TMP/mnt"
    }
    killed_in_mount "$m-k"
    check_status "the same command again" 0 volume mount "$m-k" "$TMP/mnt"
    echo hello >"$TMP/mnt/x"
    check_status "and again" 0 volume mount "$m-k" "$TMP/mnt"
    check_same "formats it once" "hello" "$(cat "$TMP/mnt/x")"
    check_status "unmounted" 0 volume unmount "$m-k"
    check_same "and detached" "64MiB " "$(state "$m-k")"
    check_status "mounted again" 0 volume mount "$m-k" "$TMP/mnt"
    check_same "it is as it was" "hello" "$(cat "$TMP/mnt/x")"
    check_status "unmounted" 0 volume unmount "$m-k"
    check_status "and deleted" 0 volume delete --yes "$m-k"
    killed_in_mount "$m-u"
    mount -t tmpfs tmpfs "$TMP/mnt"
    check_status "unmounted instead" 0 volume unmount "$m-u"
    check "what somebody else mounted there stays" umount "$TMP/mnt"
    check_same "it is detached" "64MiB " "$(state "$m-u")"
    check_status "and can be mounted" 0 volume mount "$m-u" "$TMP/mnt"
    check_status "unmounted" 0 volume unmount "$m-u"
    check_status "and deleted" 0 volume delete --yes "$m-u"
    # Killed before that, anywhere from its start on.
    for ms in 5 20 40 80 150 300 600; do
        check_status "a volume" 0 volume create "$m-$ms" --size 64MiB
        timeout -s KILL "0.$(printf %03d "$ms")" "$SLIPWAY" -q -e "$env" volume mount "$m-$ms" "$TMP/mnt" || true
        check_status "killed after $ms ms, the same command again" 0 volume mount "$m-$ms" "$TMP/mnt"
        check_status "unmounted" 0 volume unmount "$m-$ms"
        check_same "and detached" "64MiB " "$(state "$m-$ms")"
        check_status "and deleted" 0 volume delete --yes "$m-$ms"
    done
    killed_in_mount "$m-h"
    check_status "unmounted" 0 volume unmount "$m-h"
    check_status "somebody has it by hand" 0 volume attach "$m-h" --to fuse
    check_status "and gives it back" 0 volume detach "$m-h"
    fails "then it is left alone" "mount: " volume mount "$m-h" "$TMP/mnt"
    check_status "and deleted" 0 volume delete --yes "$m-h"
    killed_in_mount "$m-w"
    check_status "unmounted" 0 volume unmount "$m-w"
    check_same "the mark is there" "true" "$(slip config get ceph-mgr volumes | jq ".[\"$m-w\"].formatting")"
    check_status "attached by a program that knows no mark" 0 slip -q config set volumedriver-fuse-1 volumes \
        "{\"$m-w\": {\"pool\": \"volumes\", \"image\": \"$m-w\", \"size\": 67108864}}"
    wait_until 60 test -f "$host/$m-w"
    dd if="$TMP/far" of="$host/$m-w" conv=notrunc,fsync status=none
    fails "what somebody wrote" "mount: " volume mount "$m-w" "$TMP/mnt"
    check "stays" cmp -n 4096 "$TMP/far" "$host/$m-w"
    check_status "detached" 0 volume detach "$m-w"
    check_status "and deleted" 0 volume delete --yes "$m-w"
else
    skip "volume mount" "no qemu-storage-daemon on this machine"
fi

# What a host lacks, and what a restart of a machine with a private / takes away.
check_status "the probe finds nothing amiss" 0 slip check fuse
check "the same as JSON" jq -e \
    '.ok and (.results | map(.code) | contains(["fuse.propagation", "fuse.rights", "fuse.device"]))' <(slip check fuse \
    --json)
docker kill "$fuse" >/dev/null
check_status "a dead driver is found" 5 slip check fuse
check_has "with what to do" "$(cat "$TMP/out")" "\`slipway up\` starts it"
if awk -v p="$host" '$5 == p { found = 1 } END { exit !found }' /proc/self/mountinfo; then
    umount -l "$host"
    check_not "on a private mount Docker does not start it" docker start "$fuse"
    check_status "the probe knows why" 5 slip check fuse
    check_has "and says it" "$(cat "$TMP/out")" "is on a private mount: Docker does not start the container"
fi
check_status "up mends it" 0 slip -q -f "$file" up
check_status "and the probe is content" 0 slip check fuse
check_same "with what a container wrote before" "$sum_a" "$(in_new "$env-a" 'sha256sum /data/x /data/z')"

# Docker asks for a driver that is not running and has to find it again.
docker stop "$fuse" >/dev/null
timeout 60 docker volume ls >/dev/null 2>&1 &
docker start "$fuse" >/dev/null
wait $!
check "Docker asked while the driver was stopped" wait_until 60 docker volume inspect "$env-a"
check_status "and it is well again" 0 slip -q -f "$file" up
check "a volume after that" made "$env-later" -o size=64M
check "goes too" docker volume rm "$env-later"

check "the volume goes" docker volume rm "$env-a"
check_same "nothing is left" "[]" "$(volume list --json | jq -c .)"
check_same "in the storage neither" "" "$(docker exec "$env-ceph-mon-1" rbd ls volumes 2>/dev/null || true)"
check_status "down" 0 slip down --volumes --yes
check "takes the folders of the host away" test ! -e "/var/lib/slipway/$env"
check "and the driver's socket" test ! -e "/run/docker/plugins/$driver.sock"
finish
