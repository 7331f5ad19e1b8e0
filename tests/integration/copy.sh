#!/bin/bash
# SPDX-License-Identifier: MIT
# slipway copy on real containers, over SSH, by rsync and through the Engine API: the names of cp -r, odd names, what
# a hostile container sends, and one failure among several.
# about 45 s
set -eu
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../environment.sh"

needs "copying" jq rsync python3
environment copy --catalog "$ROOT/tests/data/components"
slip() { "$SLIPWAY" "${slip_options[@]}" -e "$env" "$@"; }
components <<END
etcd: {instances: 1}
sleeper: {instances: 1}
shell: {instances: 2}
END
check_status "up" 0 slip -q -f "$file" up
cd "$TMP"
inside() { docker exec "$env-$1" sh -c "$2"; }
# via: how each copy of the last command with --json went.
via() { jq -r '[.results[].via] | unique | join(" ")' out; }

odd=$(printf -- "-a b'c\"\$d\ne")
mkdir -p tree/sub tree/empty
head -c 300000 /dev/urandom >tree/big
printf 'x\n' >"tree/sub/$odd"
printf '#!/bin/sh\n' >tree/run
chmod 755 tree/run
chmod 640 tree/big
printf 'one\n' >one
sub="a \"b\" c"
mkdir -p "with/$sub"
echo x >"with/$sub/file"
ln -s /etc/hosts with/link
mkfifo "with/$sub/pipe"
python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("with/socket")'
left_out() { jq -r '[.results[] | .left_out, (.left_out_names | sort[])] | map(tostring) | join(" ")' out; }

for who in shell-1 sleeper-1; do
    case $who in shell-1) file=ssh folder=rsync ;; *) file=docker folder=docker ;; esac
    echo "# $who"
    check_status "a file in" 0 slip --json copy one "$who:/tmp/new"
    check_same "says which way" "$file" "$(via)"
    check_same "as it is" one "$(inside "$who" 'cat /tmp/new')"
    check_status "a file into a folder" 0 slip copy one "$who:/tmp"
    check_same "has its own name" one "$(inside "$who" 'cat /tmp/one')"
    check_status "a file over another one" 0 slip copy tree/run "$who:/tmp/new"
    check_same "replaces it, with its mode" "755 #!/bin/sh" \
        "$(inside "$who" 'stat -c %a /tmp/new; cat /tmp/new' | xargs)"
    check_status "an odd name in" 0 slip copy "tree/sub/$odd" "$who:/tmp/$odd"
    check_status "and out" 0 slip copy "$who:/tmp/$odd" "out.$who"
    check "as it is" cmp "out.$who" "tree/sub/$odd"
    check_status "an odd name here" 0 slip copy -- "$who:/tmp/$odd" "$odd"
    check "is that name" cmp "$TMP/$odd" "tree/sub/$odd"
    rm -f -- "$TMP/$odd"
    check_status "a folder in" 0 slip --json copy tree "$who:/tmp/tree"
    check_same "says which way" "$folder" "$(via)"
    check_status "a folder out" 0 slip --json copy "$who:/tmp/tree" "back.$who"
    check_same "the same way" "$folder" "$(via)"
    check "as it was" diff -r tree "back.$who"
    check_same "with its modes" "755 640" "$(stat -c %a "back.$who/run" "back.$who/big" | xargs)"
    echo a >tree/same && touch -d '2001-02-03 04:05:06.1' tree/same
    check_status "a folder with a file more" 0 slip copy tree/. "$who:/tmp/tree"
    echo b >tree/same && touch -d '2001-02-03 04:05:06.2' tree/same
    check_status "and again when it changed within a second" 0 slip copy tree/. "$who:/tmp/tree"
    check_same "brings what it is now, of the same size" b "$(inside "$who" 'cat /tmp/tree/same')"
    inside "$who" 'echo c >/tmp/tree/same; touch -d "2001-02-03 04:05:06.3" /tmp/tree/same'
    check_status "out as well" 0 slip copy "$who:/tmp/tree/." tree
    check_same "brings what it is there" c "$(cat tree/same)"
    rm tree/same
    inside "$who" 'rm /tmp/tree/same'
    mkdir -p across/dev/shm && echo across >across/dev/shm/across && echo beside >across/beside
    check_status "a folder over several file systems" 0 slip copy across/. "$who:/"
    check_same "comes to each of them" "across beside" "$(inside "$who" 'cat /dev/shm/across /beside' | paste -sd ' ')"
    check_status "a folder into a folder" 0 slip copy tree "$who:/tmp/tree"
    check "has its own name" inside "$who" 'test -f /tmp/tree/tree/sub/*e'
    echo more >tree/more
    check_status "again, with a file more, over what is here" 0 slip copy tree/ "$who:/tmp"
    check_status "out, over what is here" 0 slip copy "$who:/tmp/tree" "$TMP/back.$who/.."
    check "arrives" test -f "$TMP/tree/more"
    rm tree/more
    rm -rf tree/tree
    inside "$who" 'rm -rf /tmp/tree/tree /tmp/tree/more'
    docker exec "$env-${who%%:*}" sh -c 'echo secret >/tmp/secret; chmod 600 /tmp/secret'
    check_status "a file that only its owner may read" 0 slip copy "$who:/tmp/secret" "secret.$who"
    check_same "is that here, too" 600 "$(stat -c %a "secret.$who")"
    mkdir "here.$who"
    (cd "here.$who" && slip copy "$who:/tmp/tree/." .) >"$TMP/out" 2>&1 || cat "$TMP/out"
    check "what is in a folder comes into this one" cmp tree/run "here.$who/run"
    check_same "and nothing else" "" "$(find "here.$who" -name '.slipway-copy*')"
    check_status "what is not there is an error" 1 slip copy "$who:/tmp/nothing" x
    check_has "that names it" "$(cat "$TMP/err")" "$who: there is no /tmp/nothing"
    check_status "a folder that is not there, too" 1 slip copy one "$who:/tmp/nothing/"
    check_has "that says where" "$(cat "$TMP/err")" "no folder /tmp/nothing/ in the container"
    check_status "a folder in the place of a file" 1 slip copy tree "$who:/tmp/one"
    inside "$who" 'mkdir -p /tmp/dir/one && rmdir /tmp/dir/one && mkdir /tmp/dir/one'
    check_status "a file in the place of a folder" 1 slip copy one "$who:/tmp/dir"
    check "leaves the folder" inside "$who" 'rmdir /tmp/dir/one'

    # What a container sends.
    inside "$who" 'mkdir -p /tmp/evil/dir; ln -sfn /etc /tmp/evil/link; ln -sf /etc/shadow /tmp/evil/file
        mkfifo /tmp/evil/pipe; echo well >/tmp/evil/dir/file; cp /bin/true /tmp/evil/suid; chmod 6777 /tmp/evil/suid'
    check_status "of a folder with links and a pipe the files come out" 0 slip --json copy "$who:/tmp/evil" \
        "evil.$who"
    check_same "what does not is counted and named" "3 file link pipe" "$(left_out)"
    check_has "and told" "$(cat err)" "$who: /tmp/evil: left out 3 that are neither files nor folders: "
    check_same "and nothing else" "dir dir/file suid" \
        "$(cd "evil.$who" && find . -mindepth 1 -printf '%P\n' | sort | xargs)"
    check_same "without rights of others" 755 "$(stat -c %a "evil.$who/suid")"
    pid=$(docker container inspect -f '{{.State.Pid}}' "$env-$who")
    if nsenter -t "$pid" -m mknod /tmp/evil/dir/null c 1 3 2>/dev/null; then
        check_status "of one with a device, too" 0 slip --json copy "$who:/tmp/evil" "device.$who"
        check_same "which is named" "4 dir/null file link pipe" "$(left_out)"
        check "and stays there" test ! -e "device.$who/dir/null" -a -s "device.$who/dir/file" -a -s "device.$who/suid"
    else
        skip "a device in a folder" "it cannot be made"
    fi
    check_status "of a folder with links that goes in the links go, too" 0 slip --json copy with "$who:/tmp/with"
    check_same "what does not is named" "2 $sub/pipe socket" "$(left_out)"
    check_has "and told" "$(cat err)" "$who: with: left out 2 that are neither files nor folders: "
    check_same "all else is there" "/etc/hosts x" \
        "$(inside "$who" "readlink /tmp/with/link; cat '/tmp/with/$sub/file'" | xargs)"
    mkdir -p "trap.$who" elsewhere
    ln -sfn "$TMP/elsewhere" "trap.$who/dir"
    check_status "a link here is not followed" 1 slip copy "$who:/tmp/evil/." "trap.$who"
    check_same "nothing is behind it" "" "$(ls elsewhere)"
done
check_same "no folder of ours is left" "" "$(find "$TMP" -name '.slipway-copy*')"

# ---- a disk that is full ----

# room WHO: what is below /tmp/full there is on a disk of 2 MB, and has half of one file that is older.
room() {
    nsenter -t "$(docker container inspect -f '{{.State.Pid}}' "$env-$1")" -m sh -c '
        mkdir /tmp/full && mount -t tmpfs -o size=2m tmpfs /tmp/full && mkdir /tmp/full/large &&
        head -c 1000000 /dev/zero >/tmp/full/large/b && echo old >/tmp/full/large/c' 2>/dev/null
}
mkdir -p large
echo a >large/a
echo new >large/c
head -c 4000000 /dev/urandom >large/b
for who in shell-1 sleeper-1; do
    echo "# $who"
    if ! room "$who"; then
        skip "a full disk" "no mount in a container's namespace"
        continue
    fi
    was=$(inside "$who" 'sha256sum /tmp/full/large/b')
    check_status "a file that has no room" 1 slip copy large/b "$who:/tmp/full"
    check_has "is an error that says so" "$(cat err)" "No space left on device"
    check_same "of which nothing is left" large "$(inside "$who" 'ls -A /tmp/full')"
    check_status "one in the place of another one" 1 slip copy large/b "$who:/tmp/full/large/b"
    check_same "leaves that" "$was" "$(inside "$who" 'sha256sum /tmp/full/large/b')"
    check_status "a folder that has no room" 1 slip copy large "$who:/tmp/full"
    check_has "is an error that says so" "$(cat err)" "No space left on device"
    check_same "the old file is whole" "$was" "$(inside "$who" 'sha256sum /tmp/full/large/b')"
    check "and each other one, old or new" inside "$who" 'cd /tmp/full/large && { [ ! -e a ] || [ "$(cat a)" = a ]; } &&
        case $(cat c) in old|new) ;; *) false;; esac'
    check_same "nothing half is left" "" "$(inside "$who" 'cd /tmp/full && find . -name "*slipway*" -o -name ".b.*"')"
    inside "$who" 'rm /tmp/full/large/b; head -c 1500000 /dev/zero >/tmp/full/large/c'
    mkdir -p full
    if mount -t tmpfs -o size=1m tmpfs full 2>/dev/null; then
        on_exit "umount '$TMP/full'"
        check_status "a file that has no room here" 1 slip copy "$who:/tmp/full/large/c" full
        check_has "is an error that says so" "$(cat err)" "No space left on device"
        check_status "and so is a folder" 1 slip copy "$who:/tmp/full/large" full
        check_has "in the same words" "$(cat err)" "No space left on device"
        check_same "nothing half is left" "" "$(find full -mindepth 1)"
        umount full
    else
        skip "a full disk here" "no mount"
    fi
    nsenter -t "$(docker container inspect -f '{{.State.Pid}}' "$env-$who")" -m -p umount -l /tmp/full
done
check_same "no folder of ours is left there" "" "$(inside sleeper-1 'ls -A / | grep slipway-copy' || true)"

# ---- several ----

check_status "a file into many" 0 slip --json copy one all:/tmp/many
check_same "each its own way" "docker ssh" "$(via)"
check_same "is in all of them" 4 \
    "$(for i in etcd-1 sleeper-1 shell-1 shell-2; do inside "$i" 'cat /tmp/many'; done | wc -l)"
check_status "two things of one name" 6 slip copy one tree/../one all:/tmp/
check_has "are refused" "$(cat "$TMP/err")" "one and tree/../one would both become one"
check_status "several things into many" 0 slip copy one tree 'shell-*:/tmp/'
mkdir -p hosts
check_status "out of many" 0 slip copy 'shell,sleeper:/etc/hostname' hosts
check_same "each into a folder of its own" "shell-1 shell-2 sleeper-1" "$(cd hosts && echo *)"
check "that has it" test -s hosts/shell-2/hostname
docker exec "$env-shell-1" mkdir /tmp/many.d
docker exec "$env-shell-1" touch /tmp/only
check_status "one that fails does not hold up the others" 3 slip --json copy 'shell:/tmp/only' hosts
check_same "and is named" shell-2 "$(jq -r '.results[] | select(.ok | not).instance' out)"
check_same "the others have it" "" "$(cat hosts/shell-1/only)"
docker stop -t 1 "$env-shell-2" >/dev/null
check_status "so does one that is down" 3 slip --json copy one 'shell:/tmp/down'
check_same "and is named" shell-2 "$(jq -r '.results[] | select(.ok | not).instance' out)"
docker start "$env-shell-2" >/dev/null

# ---- the command line ----

says "both sides here" 6 "name an instance on one side" slip copy one two
says "both sides there" 6 "copy it here first" slip copy shell-1:/etc/hosts shell-2:/tmp
says "a relative path in a container" 6 "begins with /" slip copy one shell-1:tmp
touch ./a:b
check_status "a colon in a name here" 0 slip copy ./a:b shell-1:/tmp/
check "does not name an instance" inside shell-1 'test -e /tmp/a:b'
says "several things into a file" 6 "is not a folder" slip copy shell-1:/etc/hosts shell-1:/etc/passwd one
says "no such instance" 1 "shell-9" slip copy one shell-9:/tmp

# ---- many, with few descriptors ----

mkdir -p many
for i in $(seq 300); do echo "$i" >"many/$i"; done
limited() { (ulimit -n 64 && slip -q copy "$@"); }
inside shell-1 'mkdir /tmp/each'
inside sleeper-1 'mkdir /tmp/each'
check_status "300 files, one by one" 0 limited many/* shell-1:/tmp/each
check_same "arrive" "$(cat many/* | sort | sha256sum)" "$(inside shell-1 'cat /tmp/each/*' | sort | sha256sum)"
mkdir each
froms=()
for i in $(seq 100); do froms+=("shell-1:/tmp/each/$i"); done
check_status "and come back" 0 limited "${froms[@]}" each
check_same "all of them" 100 "$(find each -type f | wc -l)"
check_status "through the Engine API" 0 limited many/* sleeper-1:/tmp/each
check_same "all of them" "$(cat many/* | sort | sha256sum)" "$(inside sleeper-1 'cat /tmp/each/*' | sort | sha256sum)"
check_same "and nothing else" 300 "$(inside sleeper-1 'ls -A /tmp/each' | wc -l)"
froms=()
for i in $(seq 40); do froms+=("sleeper-1:/tmp/each/$i"); done
inside sleeper-1 'rm /tmp/each/33'
mkdir some
check_status "and out again, but for one that is not there" 3 limited --json "${froms[@]}" some
check_same "which is named" /tmp/each/33 "$(jq -r '.results[] | select(.ok | not).from' "$TMP/out")"
check_same "the others are here" "$(seq 40 | grep -v 33 | sort | xargs)" "$(cat some/* | sort | xargs)"
check_status "as a folder, too" 0 limited many sleeper-1:/tmp/each
check_same "all of them" 300 "$(inside sleeper-1 'ls /tmp/each/many' | wc -l)"
check_status "and out" 0 limited sleeper-1:/tmp/each/many out.many
check "as it was" diff -r many out.many
check_status "a folder by rsync" 0 limited many shell-1:/tmp/each
finish
