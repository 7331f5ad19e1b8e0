#!/bin/bash
# SPDX-License-Identifier: MIT
# slipway prepare: steps on a Debian container over SSH, on one through the Engine API, and on busybox alone.
# about 100 s
# patient
set -eu
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../environment.sh"

needs "prepare" jq busybox dpkg-deb
unset NO_COLOR SLIPWAY_LINK
environment prepare --catalog "$ROOT/tests/data/components"
components <<END
etcd: {instances: 1}
sleeper: {instances: 1}
shell: {instances: 1}
END
check_status "up" 0 slip -f "$file" up

# A machine that has nothing but busybox, in the environment like any instance.
root=$TMP/busybox
mkdir -p "$root"/{bin,sbin,usr/bin,usr/sbin,etc,root,tmp,var,home}
chmod 1777 "$root/tmp"
cp "$(command -v busybox)" "$root/bin/busybox"
"$root/bin/busybox" --list | while read -r applet; do ln -s busybox "$root/bin/$applet" 2>/dev/null || :; done
printf 'root:x:0:0:root:/root:/bin/sh\n' >"$root/etc/passwd"
printf 'root:x:0:\n' >"$root/etc/group"
printf 'root:*:1:0:99999:7:::\n' >"$root/etc/shadow"
image=slipway-test/busybox-$env
tar -C "$root" -c . | docker import -c 'CMD ["sleep","1000000"]' - "$image" >/dev/null
on_exit "docker rmi -f $image"
labels=()
while read -r label; do labels+=(--label "$label"); done < <(
    docker inspect "$env-sleeper-1" | jq -r '.[0].Config.Labels | to_entries[] | select(.key | test("ssh") | not) |
        "\(.key)=\(.value)"' | sed 's/sleeper-1/busy-1/; s/=sleeper$/=busy/')
docker run -d --name "$env-busy-1" --hostname busy-1 "${labels[@]}" "$image" >/dev/null
on_exit "docker rm -f $env-busy-1"

inside() { docker exec "$env-$1" sh -c "$2"; }
prepare() { "$SLIPWAY" "${slip_options[@]}" -e "$env" prepare "$@"; }
# Everything that is in its file systems, with modes, owners, times and content; but for the time of /tmp, where
# busybox's diff keeps its input while it compares.
world() {
    docker exec "$env-$1" sh -c '
        cd / && for what in "stat -c %n:%a:%u:%g:%Y:%s" sha256sum; do
            find . -xdev \( -path ./proc -o -path ./sys -o -path ./dev -o -path ./run -o -path ./tmp \) -prune -o \
                $([ "$what" != sha256sum ] || echo -type f) -exec $what {} + | sort
        done; find tmp' | sha256sum
}

# ---- everything a step can be, on all three --------------------------------------------------
secret=not-to-be-seen-$$
printf '%s\n' "$secret" >"$TMP/key"
printf 'a\0b\377' >"$TMP/bytes"
printf 'name = ${target.name}\n' >"$TMP/part.conf"
cat >"$TMP/steps.yaml" <<'END'
vars: {port: 8080}
steps:
  - group: {name: app, gid: 912}
  - group: {name: extra}
  - user: {name: app, uid: 911, group: app, groups: [extra], home: /srv/app, shell: /bin/sh}
  - user: {name: daemon2, system: true}
  - directory: {path: /srv/app, mode: "0750", owner: app, group: app}
  - file:
      path: /srv/app/app.conf
      template: |
        name = ${target.name}
        port = ${port}
      owner: app
      group: "912"
  - file: {path: /srv/app/part.conf, template_file: part.conf}
  - file: {path: "/srv/app/a 'b' \"c\"\n-d $HOME", content: "x\n"}
  - file: {path: /srv/app/-rf, content_file: key, mode: "0600"}
  - file: {path: /srv/app/open, content_file: key, secret: true}
  - file: {path: /srv/app/bytes, content_file: bytes}
  - file: {path: /srv/app/empty, content: ""}
  - line: {path: /etc/hosts, line: "10.9.8.7 mirror", match: " mirror$"}
  - line: {path: /srv/app/list, line: "one"}
  - line: {path: /srv/app/list, line: "two 'quoted' $x \\ -"}
  - file: {path: /etc/issue, state: absent}
  - command: {run: [sh, -c, 'printf %s "$1" >"$0"', "/srv/app/a b", "-x 'y' $HOME"], creates: "/srv/app/a b"}
  - command: {run: "echo done >/srv/app/done", unless: "grep -q done /srv/app/done"}
END
inside busy-1 'echo hello >/etc/issue'
count=$(grep -c '^  - ' "$TMP/steps.yaml")
all=shell,sleeper,busy

for one in shell-1 sleeper-1 busy-1; do world "$one"; done >"$TMP/before"
check_status "a dry run" 0 prepare "$TMP/steps.yaml" --on $all --dry-run --json
check_same "would change all of it, everywhere" "$count $count $count" \
    "$(jq -r '.results[].changed' "$TMP/out" | paste -sd' ')"
for one in shell-1 sleeper-1 busy-1; do world "$one"; done >"$TMP/after"
check_same "and writes nothing anywhere" "$(cat "$TMP/before")" "$(cat "$TMP/after")"

check_status "the steps" 0 prepare "$TMP/steps.yaml" --on $all --json
cp "$TMP/out" "$TMP/first"
check "say how each was reached" jq -e '[.results[] | [.instance, .via, .ok]] ==
    [["busy-1", "docker", true], ["shell-1", "ssh", true], ["sleeper-1", "docker", true]]' "$TMP/first"
check_same "change all of it, everywhere" "$count $count $count" \
    "$(jq -r '.results[].changed' "$TMP/out" | paste -sd' ')"
check_hasnt "what is secret is in nothing that is said" "$(cat "$TMP/out" "$TMP/err")" "$secret"
check_status "a second run" 0 prepare "$TMP/steps.yaml" --on $all --json
check_same "changes nothing" "$count $count $count" "$(jq -r '.results[].unchanged' "$TMP/out" | paste -sd' ')"
check_status "a dry run then" 0 prepare "$TMP/steps.yaml" --on $all --json --dry-run
check_same "has nothing to do" "$count $count $count" "$(jq -r '.results[].unchanged' "$TMP/out" | paste -sd' ')"

diff_of() { jq -r --arg i "$1" --arg s "$2" '.results[] | select(.instance == $i).steps[] | select(.step == $s).diff' \
    "$TMP/first"; }
for one in shell-1 sleeper-1 busy-1; do
    check_same "$one: a file's diff" "--- /srv/app/app.conf
+++ /srv/app/app.conf
@@ -0,0 +1,2 @@
+name = $one
+port = 8080" "$(diff_of "$one" "file /srv/app/app.conf")"
    check_has "$one: what is not text is not shown" "$(diff_of "$one" "file /srv/app/bytes")" "differ"
    check_hasnt "$one: at all" "$(diff_of "$one" "file /srv/app/bytes")" '\xff'
    check_has "$one: a line's diff" "$(diff_of "$one" "line /etc/hosts")" "+10.9.8.7 mirror"
    check_same "$one: of a secret file only that it differs" "what is in it differs; it is not shown" \
        "$(diff_of "$one" "file /srv/app/open")"
    check_same "$one: the same of one with a mode that is not for everybody" \
        "what is in it differs; it is not shown" "$(diff_of "$one" "file /srv/app/-rf")"
    check_same "$one: the user is there" "911 912 /srv/app /bin/sh" \
        "$(inside "$one" "awk -F: '\$1 == \"app\" { print \$3, \$4, \$6, \$7 }' /etc/passwd")"
    check_has "$one: and in its group" "$(inside "$one" 'grep ^extra: /etc/group')" ":app"
    check_has "$one: a system's user has no shell" "$(inside "$one" 'grep ^daemon2: /etc/passwd')" ":/nonexistent:"
    check_same "$one: modes and owners" "750 911 912
644 911 912
600 0 0" "$(inside "$one" 'stat -c "%a %u %g" /srv/app /srv/app/app.conf /srv/app/-rf')"
    check_same "$one: a name with everything in it" x "$(inside "$one" 'cat "/srv/app/a '\''b'\'' \"c\"
-d \$HOME"')"
    check_same "$one: words arrive as they are" "-x 'y' \$HOME" "$(inside "$one" 'cat "/srv/app/a b"')"
    check_same "$one: any bytes" "$(sha256sum <"$TMP/bytes")" \
        "$(docker exec "$env-$one" cat /srv/app/bytes | sha256sum)"
    check_same "$one: lines" "one
two 'quoted' \$x \\ -" "$(inside "$one" 'cat /srv/app/list')"
    check_same "$one: a file that is no more" "" "$(inside "$one" 'ls /etc/issue 2>/dev/null || :')"
    check_same "$one: nothing stays behind" "" "$(inside "$one" 'find / -xdev -name ".slipway-step.*"')"
done

# ---- changes of what is there ----------------------------------------------------------------
inside shell-1 'chmod 4711 /srv/app/done; printf "Port 22\n#Root yes\nRoot yes\nlast" >/srv/app/sshd.conf'
inside busy-1 'chmod 4711 /srv/app/done; printf "Port 22\n#Root yes\nRoot yes\nlast" >/srv/app/sshd.conf
    chmod 755 /srv/app'
cat >"$TMP/change.yaml" <<'END'
steps:
  - directory: {path: /srv/app, mode: "0750"}
  - file: {path: /srv/app/app.conf, content: "port = 9090\n"}
  - file: {path: /srv/app/done, content: "done\n", mode: "0600", owner: "911", group: extra}
  - line: {path: /srv/app/sshd.conf, line: "Root no", match: "^#?Root [a-z]{2,3}$"}
  - line: {path: /srv/app/sshd.conf, line: "end"}
  - line: {path: /srv/app/sshd.conf, line: "Port 22", state: absent}
  - line: {path: /srv/app/list, match: "^one|quoted", state: absent}
  - line: {path: /srv/app/-rf, line: more}
  - user: {name: app, shell: /bin/false, home: /srv}
END
check_status "other steps" 0 prepare "$TMP/change.yaml" --on shell,busy --json
cp "$TMP/out" "$TMP/first"
for one in shell-1 busy-1; do
    check_same "$one: a changed file's diff" "--- /srv/app/app.conf
+++ /srv/app/app.conf
@@ -1,2 +1 @@
-name = $one
-port = 8080
+port = 9090" "$(diff_of "$one" "file /srv/app/app.conf")"
    check_same "$one: which keeps its owner and mode" "644 911 912" \
        "$(inside "$one" 'stat -c "%a %u %g" /srv/app/app.conf')"
    check_same "$one: a mode's and an owner's diff" "mode 4711 -> 600
owner 0 -> 911
group root -> extra" "$(diff_of "$one" "file /srv/app/done")"
    check_same "$one: the last line that matches is another one" "#Root yes
Root no
last
end" "$(inside "$one" 'cat /srv/app/sshd.conf')"
    check_same "$one: a line in a file that not everybody may read" "what is in it differs; it is not shown" \
        "$(diff_of "$one" "line /srv/app/-rf")"
    check_same "$one: is in it, and its mode stays" "$secret more 600" \
        "$(inside "$one" 'cat /srv/app/-rf; stat -c %a /srv/app/-rf' | paste -sd' ')"
    check_same "$one: a list of lines may become empty" "" "$(inside "$one" 'cat /srv/app/list')"
    check_same "$one: a user's home and shell" "911 /srv /bin/false" \
        "$(inside "$one" "awk -F: '\$1 == \"app\" { print \$3, \$6, \$7 }' /etc/passwd")"
done
check_same "a folder's mode, where it differed" "mode 755 -> 750" "$(diff_of busy-1 "directory /srv/app")"
check_status "once more" 0 prepare "$TMP/change.yaml" --on shell,busy --json
check_same "nothing changes" "0 0" "$(jq -r '.results[].changed' "$TMP/out" | paste -sd' ')"

# ---- what fails ------------------------------------------------------------------------------
one_step() { printf 'steps:\n- %s\n' "$1" >"$TMP/one.yaml" && shift && prepare "$TMP/one.yaml" --json "$@"; }
# fails NAME STEP SENTENCE: the same on Debian and on busybox.
fails() {
    check_status "$1" 3 one_step "$2" --on shell,busy
    check_same "$1: and says so" 2 "$(jq -r '.results[].error' "$TMP/out" | grep -cF -- "$3")"
    check_status "$1: in a dry run too" "${4:-3}" one_step "$2" --on shell,busy --dry-run
}
for one in shell-1 busy-1; do inside "$one" 'ln -s /etc/passwd /srv/link; mkdir -p /srv/folder'; done
fails "a link is not written through" 'file: {path: /srv/link, content: x}' "is a link to /etc/passwd"
fails "nor is a line put behind it" 'line: {path: /srv/link, line: x}' "is a link to /etc/passwd"
fails "a folder is not a file" 'file: {path: /srv/folder, content: x}' "is there and is not a file"
fails "a folder is not removed" 'file: {path: /srv/folder, state: absent}' "is a folder; only files are removed"
fails "a file is not a folder" 'directory: {path: /etc/passwd}' "is there and is not a folder"
fails "a folder that is not there" 'file: {path: /no/x, content: x}' "the folder /no is not there" 0
fails "an owner that is not there" 'file: {path: /srv/x, content: x, owner: nobody2}' "nobody2" 0
fails "another number" 'user: {name: app, uid: 5}' "user app has the number 911, not 5"
fails "another group's number" 'group: {name: new, gid: 912}' "912" 0
fails "a command's status" 'command: {run: [sh, -c, "echo why >&2; exit 7"], creates: /x}' \
    "why; it ended with status 7" 0
fails "a command that is not there" 'command: {run: [nothing-there], creates: /x}' "it ended with status 127" 0
fails "a command that did not do it" 'command: {run: ["true"], creates: /x}' "it ran, and /x is not there" 0
fails "also by what it is asked" 'command: {run: ["true"], unless: ["false"]}' 'still says no' 0
check_status "no package manager" 3 one_step 'package: {names: [x]}' --on busy
check_has "is said" "$(jq -r '.results[0].error' "$TMP/out")" "there is neither apt-get nor apk"
for one in shell-1 busy-1; do
    check_same "$one: nothing was written in vain" "" "$(inside "$one" 'ls /srv/x /x 2>/dev/null || :
        find / -xdev -name ".slipway-step.*"')"
done

printf 'steps:\n- file: {path: /srv/1, content: x}\n- command: {run: "[ $(hostname) != shell-1 ] && touch /srv/2",
    creates: /srv/2}\n- file: {path: /srv/3, content: x}\n' >"$TMP/fail.yaml"
check_status "a step that fails" 3 prepare "$TMP/fail.yaml" --on shell,busy --json
check "ends the steps of its instance only" jq -e '[.results[] | [.steps[].state]] ==
    [["changed", "changed", "changed"], ["changed", "failed", "left"]]' "$TMP/out"
check_has "and is named" "$(cat "$TMP/err")" "failed in 1 of 2: shell-1"
check_same "what follows it was not done" "" "$(inside shell-1 'ls /srv/3 2>/dev/null || :')"
slip stop sleeper-1
check_status "one that is down is named, the others are done" 3 prepare "$TMP/fail.yaml" --on busy,sleeper --json
check_same "with the reason" "true null sleeper-1 does not run (exited)" \
    "$(jq -r '.results[0].ok, .results[0].error, .results[1].error' "$TMP/out" | paste -sd' ')"
slip start sleeper-1
check_status "--fail-fast --parallel 1 begins no other" 3 one_step 'command: {run: ["false"], creates: /x}' \
    --on all --parallel 1 --fail-fast
check_same "of four" "1 3" "$(jq -r '[.results[] | .steps[0].state] | "\(map(select(. == "failed")) | length) " +
    "\(map(select(. == "left")) | length)"' "$TMP/out")"

# On a file system that is full nothing is lost.
for one in shell-1 busy-1; do
    inside "$one" 'echo old >/dev/shm/file; echo line >/dev/shm/list
        dd if=/dev/zero of=/dev/shm/fill bs=4096 2>/dev/null || :'
done
head -c 60000 /dev/zero | tr '\0' x >"$TMP/big"
fails "a full file system" "file: {path: /dev/shm/file, content_file: big}" "No space left on device" 0
for one in shell-1 busy-1; do
    check_same "$one: leaves what was there" "old file fill list" \
        "$(inside "$one" 'cat /dev/shm/file; ls -A /dev/shm | sort' | paste -sd' ')"
    inside "$one" 'rm -f /dev/shm/fill'
done

# Killed at any moment, it is run again.
cat >"$TMP/killed.yaml" <<'END'
steps:
  - file: {path: /srv/k1, content: "1\n"}
  - command: {run: "sleep 2; echo 2 >/srv/k2", creates: /srv/k2}
  - file: {path: /srv/k3, content: "3\n"}
END
for after in 0.3 1 2 3; do
    for one in shell-1 busy-1 sleeper-1; do inside "$one" 'rm -f /srv/k?; mkdir -p /srv'; done
    timeout -s KILL "$after" "$SLIPWAY" "${slip_options[@]}" -e "$env" prepare "$TMP/killed.yaml" --on $all \
        >/dev/null 2>&1 || :
    check_status "killed after $after s, run again" 0 prepare "$TMP/killed.yaml" --on $all
    check_same "it is as it should be" "1 2 3 1 2 3 1 2 3" \
        "$(for one in shell-1 busy-1 sleeper-1; do inside "$one" 'cat /srv/k?'; done | paste -sd' ')"
done

# Two at once: the second one waits for a moment, and says who is there.
cat >"$TMP/long.yaml" <<'END'
steps:
  - command: {run: "sleep 25; echo 1 >/srv/l1", creates: /srv/l1}
  - file: {path: /srv/l2, content: "1\n"}
END
printf 'steps:\n  - file: {path: /srv/l2, content: "2\\n"}\n' >"$TMP/short.yaml"
"$SLIPWAY" "${slip_options[@]}" -e "$env" prepare "$TMP/long.yaml" --on shell-1,sleeper-1 >"$TMP/long" 2>&1 &
long=$!
wait_until 20 inside shell-1 'test -e /run/slipway-prepare/holder' || :
wait_until 20 inside sleeper-1 'test -e /run/slipway-prepare/holder' || :
check_status "another run at the same time" 3 prepare "$TMP/short.yaml" --on shell-1,sleeper-1 --json
check_same "is told by both who is there" 2 "$(jq -r '.results[].error' "$TMP/out" |
    grep -c "on $(hostname) (process $long) prepares it at this moment")"
check_status "a dry run does not wait" 0 prepare "$TMP/short.yaml" --on shell-1,sleeper-1 --dry-run
check_not "and nothing of it was done" inside shell-1 'test -e /srv/l2'
status=0
wait $long || status=$?
check_same "the first one ends well" 0 $status
check_same "with its own" 1 "$(inside shell-1 'cat /srv/l2')"
check_status "then it is the other one's turn" 0 prepare "$TMP/short.yaml" --on shell-1,sleeper-1
check_same "and its own is there" 2 "$(inside sleeper-1 'cat /srv/l2')"
check_not "nobody holds it at the end" inside shell-1 'test -e /run/slipway-prepare'

# ---- packages and services, on Debian --------------------------------------------------------
mkdir -p "$TMP/deb/DEBIAN" "$TMP/deb/usr/share/hello"
echo hello >"$TMP/deb/usr/share/hello/text"
for name in hello-a hello-b; do
    printf 'Package: %s\nVersion: 1.2\nArchitecture: all\nMaintainer: x <x@example.org>\nDescription: x\n' $name \
        >"$TMP/deb/DEBIAN/control"
    [ $name = hello-a ] || echo "Depends: hello-a" >>"$TMP/deb/DEBIAN/control"
    [ $name = hello-a ] || rm -r "$TMP/deb/usr"
    dpkg-deb -b "$TMP/deb" "$TMP/$name.deb" >/dev/null
done
inside shell-1 'mkdir /repo'
docker cp -q "$TMP/hello-a.deb" "$env-shell-1:/repo/"
docker cp -q "$TMP/hello-b.deb" "$env-shell-1:/repo/"
(cd "$TMP" && for deb in hello-a hello-b; do
    dpkg-deb -f $deb.deb
    printf 'Filename: ./%s.deb\nSize: %s\n' $deb "$(stat -c %s $deb.deb)"
    printf 'SHA256: %s\n\n' "$(sha256sum <$deb.deb | cut -d' ' -f1)"
done) >"$TMP/Packages"
docker cp -q "$TMP/Packages" "$env-shell-1:/repo/"
inside shell-1 'rm -rf /etc/apt/sources.list /etc/apt/sources.list.d/* /var/lib/apt/lists/*
    echo "deb [trusted=yes] file:/repo ./" >/etc/apt/sources.list'
diff_lines() { jq -r '.results[0].steps[0].diff' "$TMP/out" | grep . | sort; }
check_status "a package whose list is not there, in a dry run" 0 \
    one_step 'package: {names: [hello-b]}' --on shell --dry-run
check_has "would be installed" "$(jq -r '.results[0].steps[0].diff' "$TMP/out")" "install: hello-b"
check_status "it is installed, with its list" 0 one_step 'package: {names: [hello-b]}' --on shell
check_same "and what it needs" "+hello-a 1.2
+hello-b 1.2" "$(diff_lines)"
check_status "a second time" 0 one_step 'package: {names: [hello-b, hello-a]}' --on shell
check_same "it is there" unchanged "$(jq -r '.results[0].steps[0].state' "$TMP/out")"
world shell-1 >"$TMP/before"
check_status "away with it, in a dry run" 0 one_step 'package: {names: [hello-a], state: absent}' --on shell --dry-run
check_same "with what needs it" "-hello-a
-hello-b" "$(diff_lines)"
check_same "nothing was written" "$(cat "$TMP/before")" "$(world shell-1)"
check_status "away with it" 0 one_step 'package: {names: [hello-a], state: absent}' --on shell
check_same "with what needs it, too" "-hello-a 1.2
-hello-b 1.2" "$(diff_lines)"
check_status "once more" 0 one_step 'package: {names: [hello-a], state: absent}' --on shell
check_same "it is not there" unchanged "$(jq -r '.results[0].steps[0].state' "$TMP/out")"
check_status "a package that nobody has" 3 one_step 'package: {names: [no-such-package]}' --on shell
check_has "is said" "$(jq -r '.results[0].error' "$TMP/out")" "Unable to locate package no-such-package"

docker exec -i "$env-shell-1" sh -c 'cat >/etc/init.d/dozer && chmod +x /etc/init.d/dozer' <<'END'
#!/bin/sh
### BEGIN INIT INFO
# Provides: dozer
# Required-Start: $local_fs
# Required-Stop: $local_fs
# Default-Start: 2 3 4 5
# Default-Stop: 0 1 6
# Short-Description: sleeps
### END INIT INFO
case $1 in
start) start-stop-daemon -S -b -m -p /run/dozer.pid -x /bin/sleep -- 100000 ;;
stop) start-stop-daemon -K -p /run/dozer.pid -R 5 ;;
status) start-stop-daemon -T -p /run/dozer.pid ;;
esac
END
service='service: {name: dozer, state: started, enabled: true}'
check_status "a service, in a dry run" 0 one_step "$service" --on shell --dry-run
check_same "would be enabled and started" "enabled started" \
    "$(jq -r '.results[0].steps[0].diff' "$TMP/out" | xargs)"
check_not "and does not run" inside shell-1 '/etc/init.d/dozer status'
check_status "a service" 0 one_step "$service" --on shell
check "runs" inside shell-1 '/etc/init.d/dozer status'
check_status "a second time" 0 one_step "$service" --on shell
check_same "it runs" unchanged "$(jq -r '.results[0].steps[0].state' "$TMP/out")"
check_status "it is stopped" 0 one_step 'service: {name: dozer, state: stopped, enabled: false}' --on shell
check_not "and does not run" inside shell-1 '/etc/init.d/dozer status'
check_status "a second time" 0 one_step 'service: {name: dozer, state: stopped, enabled: false}' --on shell
check_same "it is stopped" unchanged "$(jq -r '.results[0].steps[0].state' "$TMP/out")"
check_status "a service that is not there" 3 one_step 'service: {name: nothing, state: started}' --on shell
check_has "is said" "$(jq -r '.results[0].error' "$TMP/out")" "there is no service nothing"

# Alpine's: what is called, and when. The real one is not tried here.
docker exec -i "$env-busy-1" sh -c 'cat >/bin/apk && chmod +x /bin/apk' <<'END'
#!/bin/sh
echo "$*" >>/apk.log
case $1 in
info) [ -e "/pkg-$3" ] ;;
add) shift 2; for p; do : >"/pkg-$p"; done ;;
del) shift; for p; do rm -f "/pkg-$p"; done ;;
esac
END
check_status "apk is called" 0 one_step 'package: {names: [curl, jq]}' --on busy
check_status "once" 0 one_step 'package: {names: [curl, jq]}' --on busy
check_status "and to remove" 0 one_step 'package: {names: [curl], state: absent}' --on busy
check_same "with these words" "add --no-cache curl jq
del curl" "$(inside busy-1 'grep -v ^info /apk.log')"

# ---- the screen, and what is refused ---------------------------------------------------------
check_status "for people" 0 prepare "$TMP/change.yaml" --on busy
check_same "a table" "busy-1 docker 9 0" "$(tail -n 1 "$TMP/out" | awk '{ print $1, $2, $3, $4 }')"
inside busy-1 'printf "a\033[2Jb\n" >/srv/app/app.conf'
check_status "what a target prints" 0 prepare "$TMP/change.yaml" --on busy
check_has "does not act on the terminal" "$(cat "$TMP/out")" '-a\x1b[2Jb'
check_hasnt "at all" "$(cat "$TMP/out")" "$(printf '\033')"
printf 'steps:\n- file: {path: x, template: "${no}"}\n- nothing: 1\n' >"$TMP/bad.yaml"
check_status "what is wrong with a file" 6 prepare "$TMP/bad.yaml" --on all
check_same "is said at once" "2:16 2:29 3:3" \
    "$(sed -n 's/^.*bad.yaml:\([0-9]*:[0-9]*\): .*/\1/p' "$TMP/err" | paste -sd' ')"
check_status "without --on nothing is done" 6 prepare "$TMP/steps.yaml"
check_status "from the standard input" 0 sh -c 'echo "steps: [{group: {name: piped}}]" |
    "$0" "$@" prepare - --on busy' "$SLIPWAY" "${slip_options[@]}" -e "$env"
finish
