#!/bin/bash
# SPDX-License-Identifier: MIT
# Two environments on one Docker, whose names of volumes are for all its drivers, and a volume of the same name in both:
# Docker has the one that it made or was given, and what it removes is never the other environment's.
# Docker asks a volume driver that is being stopped for 15 s, for whoever makes a volume meanwhile, so:
# alone
# about 70 s
set -eu
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../environment.sh"

needs "two environments with Docker's volumes" jq curl
[ -e /dev/loop-control ] || { skip "two environments with Docker's volumes" "the host has no loop devices"; finish; }

both=same$$
envs=()
on_exit 'for one in "${envs[@]}"; do forget_plugin "slipway-$one"; done' # last, when they are down
on_exit "docker volume rm -f $both"
for which in a b; do
    environment "two$which"
    envs+=("$env")
    components <<END
etcd: {instances: 1}
ceph-mon: {instances: 1}
ceph-mgr: {instances: 1}
ceph-osd: {instances: 2}
volumedriver-fuse: {instances: 1, config: {docker: true}}
END
    check_status "up, $which" 0 slip -f "$file" up
done
a=${envs[0]} b=${envs[1]}
image=$(docker inspect -f '{{.Config.Image}}' "$a-etcd-1")
of() { "$SLIPWAY" -q -e "$@"; } # ENVIRONMENT WORD...
in_new() { docker run --rm --network none -v "$both:/mnt" --entrypoint sh "$image" -c "$1"; }
driver() { docker volume ls --format '{{.Driver}} {{.Name}}' | awk -v n="$both" '$2 == n { print $1 }'; }
made() { docker volume create -d "slipway-$1" "$both" "${@:2}"; }
sized() { made "$1" -o size=64M; }
offers() { curl -s --max-time 60 --unix-socket "/run/docker/plugins/slipway-$1.sock" -d '{}' \
    http://d/VolumeDriver.List | jq -r '[.Volumes[].Name] | join(" ")'; }
has() { of "$1" volume show "$both"; }
by_hand() { # ENVIRONMENT WORD: what it writes there stays
    of "$1" volume attach "$both" --to volumedriver-fuse-1 &&
        printf '%s' "$2" | dd of="/var/lib/slipway/$1/volumedriver-fuse-1/$both" conv=notrunc,fsync status=none &&
        of "$1" volume detach "$both"
}
found() { # ENVIRONMENT LENGTH
    of "$1" volume attach "$both" --to volumedriver-fuse-1 &&
        head -c "$2" "/var/lib/slipway/$1/volumedriver-fuse-1/$both" && of "$1" volume detach "$both"
}

# One that Docker made, one by hand.
check "Docker makes it in the first environment" sized "$a"
check_same "and it holds data" one "$(in_new 'echo one >/mnt/x; sync; cat /mnt/x')"
check_status "the second makes one of the same name by hand" 0 of "$b" volume create "$both" --size 16MiB
check "with its own data" by_hand "$b" second
check_same "Docker has one of that name, the first" "slipway-$a" "$(driver)"
check_same "the second offers it nothing" "" "$(offers "$b")"
check_same "the first offers it" "$both" "$(offers "$a")"
check_same "a container gets the first's" one "$(in_new 'cat /mnt/x')"
check_not "and Docker cannot be given another of that name" made "$b"
check_same "which nobody has attached" "" "$(of "$b" volume list --json | jq -r '.[].attached[].instance')"
check "Docker removes it" docker volume rm "$both"
check_not "from the first" has "$a"
check_same "the second has its own" second "$(found "$b" 6)"

# Two by hand, the second given to Docker.
check_status "the first makes it by hand" 0 of "$a" volume create "$both" --size 16MiB
check "with its data" by_hand "$a" first
check_same "Docker has none of them" "" "$(driver)"
check_not "and removes none" docker volume rm "$both"
check "it is given the second's" made "$b"
check_same "and has that" "slipway-$b" "$(driver)"
check_same "the first offers nothing" "" "$(offers "$a")"
check "it is removed" docker volume rm "$both"
check_not "which is gone" has "$b"
check_same "the first has its data" first "$(found "$a" 5)"

# An environment that goes takes nothing of the other with it.
check "Docker makes it in the second again" sized "$b"
check_same "with data" two "$(in_new 'echo two >/mnt/x; sync; cat /mnt/x')"
on_exit "docker rm -f $b-user"
docker run -d --name "$b-user" --network none -v "$both:/mnt" --entrypoint sh "$image" -c 'sleep 100000' >/dev/null
check_not "which Docker does not remove while a container has it" docker volume rm "$both"
check_not "not by force either" docker volume rm -f "$both"
check_same "nothing of it is lost" two "$(docker exec "$b-user" sh -c 'echo more >/mnt/y; sync; cat /mnt/x')"
docker rm -f "$b-user" >/dev/null
check_same "nor of what came after" more "$(in_new 'cat /mnt/y')"
check_status "down with the first" 0 of "$a" down --volumes --yes
check_same "a container has the second's" two "$(in_new 'cat /mnt/x')"
check "and it goes" docker volume rm "$both"
finish
