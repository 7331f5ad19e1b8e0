#!/bin/bash
# SPDX-License-Identifier: MIT
# The engine layer on a real Docker: every call once as it should be and once as it should not.
set -eu
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

D=$B/integration/engine_driver
N=slipway-test-engine-$$
# Another engine is tried with DOCKER_HOST.
socket=${DOCKER_HOST:-unix:///var/run/docker.sock}
socket=${socket#unix://}
on_exit "docker rm -f -v $N $N-2 $N-3 $N-4"
on_exit "docker network rm $N"
on_exit "docker volume rm $N"

# d VERB...: output and error text together, status dropped.
d() { "$D" "$@" 2>&1 || true; }

# ---- images ---------------------------------------------------------------------------------
tree=$TMP/tree
mkdir -p "$tree"/{dockerfiles/base,dockerfiles/x,component/hooks,scripts/host}
printf "ARG BASE\nFROM \${BASE}\nRUN echo base of %s\n" "$N" >"$tree/dockerfiles/base/Dockerfile"
printf "ARG BASE\nFROM \${BASE}\nRUN echo engine\n" >"$tree/dockerfiles/x/Dockerfile"
printf 'name: %s\n' "$N" >"$tree/component/component.yaml"
printf '#!/bin/sh\n' >"$tree/component/hooks/ready"
printf '#!/bin/sh\nexit 0\n' >"$tree/init"
cp "$tree/init" "$tree/agent"
chmod 755 "$tree/init" "$tree/agent" "$tree/component/hooks/ready"
cp "$ROOT/scripts/host/make-base" "$tree/scripts/host/"
build() { d build "$tree/dockerfiles" "$tree/init" "$tree/agent" debian:trixie-slim "$N" x "$tree/component"; }
on_exit "docker images -q --filter label=slipway.image=$N | sort -u | xargs -r docker rmi -f"

out=$(build)
REF=$(tail -n 1 <<<"$out")
check_has "a chain of images is built" "$out" "slipway/$N:"
check "the last image has the component's files" docker run --rm --entrypoint test "$REF" -x \
    /usr/lib/slipway/component/hooks/ready
engine_of() { sed -n 's/.*Successfully tagged \(slipway\/engine-.*\)/\1/p' <<<"$1"; }
engines=$(engine_of "$out")
on_exit "docker rmi -f $(tr '\n' ' ' <<<"$engines")"
check_same "the build is labelled" "$N ${REF#*:}" \
    "$(docker image inspect -f \
        '{{index .Config.Labels "slipway.image"}} {{index .Config.Labels "slipway.context"}}' "$REF")"
check_same "the program of the container is init, without arguments" '[/usr/lib/slipway/slipway-init] []' \
    "$(docker image inspect -f '{{.Config.Entrypoint}} {{.Config.Cmd}}' "$REF")"
check_same "building again builds nothing" "$REF" "$(build)"
echo '# changed' >>"$tree/component/component.yaml"
out=$(build)
check_hasnt "a changed component leaves the engine image alone" "$out" "tagged slipway/engine-"
check_has "a changed component makes a new last image" "$out" "tagged slipway/$N:"
printf "ARG BASE\nFROM \${BASE}\nRUN seq 100; echo no space left on device >&2; exit 9\n" \
    >"$tree/dockerfiles/x/Dockerfile"
out=$(d build "$tree/dockerfiles" "$tree/init" "$tree/agent" debian:trixie-slim "$N" x "$tree/component" 2>/dev/null |
    sed -n '/^remote/,$p')
check_has "a failed build says the status" "$out" "non-zero code: 9"
check_has "a failed build shows its last lines" "$out" "  100"
check_hasnt "a failed build shows only its last lines" "$out" "
  50"
printf "ARG BASE\nFROM \${BASE}\nRUN echo one at a time %s; sleep 1\n" "$N" >"$tree/dockerfiles/x/Dockerfile"
build >"$TMP/one" & build >"$TMP/two" & wait
engines=$(cat "$TMP/one" "$TMP/two")
on_exit "docker rmi -f $(engine_of "$engines" | tr '\n' ' ')"
check_same "two builders at once build the engine image once" 1 "$(engine_of "$engines" | wc -l)"
check_has "a missing image is not found" "$(d image "$N:no")" "notfound: inspecting image $N:no"
check_has "a registry that is not there is named" \
    "$(d pull localhost:1/x:1 15000)" "net: pulling image localhost:1/x:1: the registry refuses connections"

# ---- containers -----------------------------------------------------------------------------
body() { jq -nc --arg image "$REF" --arg n "$N" --arg sh "$1" \
    '{Image: $image, Entrypoint: ["sh", "-c", $sh], Cmd: [], Healthcheck: {Test: ["NONE"]},
        Labels: {"slipway.test": $n}}'; }
script='echo hello; echo err >&2; head -c 1200000 /dev/zero | tr "\0" x; echo; printf "\377\376\n"; exec sleep 1000'
check_same "an id is given" 64 "$(printf %s "$(d create "$N" "$(body "$script")")" | wc -c)"
check_has "a name in use is a conflict" \
    "$(d create "$N" "$(body "$script")")" "conflict: creating container $N: a container of that name exists"
check_has "a missing image of a container is not found" \
    "$(d create "$N-2" '{"Image":"no/such:1"}')" "notfound: creating container $N-2: No such image"
check_has "a document of the wrong type is refused" "$(d create "$N-2" '{"Image":1}')" "cannot unmarshal"
check "files are put before the start" "$D" put "$N" /etc/slipway/deep/link 'not a secret'
check_has "not by a connection beside one for reading" "$(d start-reading "$N")" "this engine is open for reading only"
check "it starts" "$D" start "$N"
check "starting again is fine" "$D" start "$N"
check_has "it is listed by its label" "$(d list "slipway.test=$N")" "\"/$N\""
check_same "a foreign label lists nothing" "[]" "$(d list "slipway.test=other-$N")"
out=$(d exec "$N" 5000 sh -c '
    stat -c "%a %u %g" /etc/slipway /etc/slipway/deep /etc/slipway/deep/link /etc/empty /etc
    cat /etc/slipway/deep/link')
check_same "files have mode and owner, and their folders are made" "status=0 out=755 0 0
755 0 0
400 7 8
755 0 0
755 0 0
not a secret err=" "$out"

"$D" create "$N-in" "$(body "read -r a; read -r b; echo \"got \$a \$b\"; exec sleep 1000" |
    jq -c '.OpenStdin = true')" >/dev/null
"$D" start "$N-in" >/dev/null
check "text is sent to the standard input" "$D" send "$N-in" $'one\n'
check "and more of it by another call" "$D" send "$N-in" $'two\n'
got() { "$D" logs "$N-in" all -1 - | grep -q "got one two"; }
check "the program reads both" wait_until 5 got
docker pause "$N-in" >/dev/null
check_has "to a paused container nothing can be sent" \
    "$(d send "$N-in" $'three\n')" "conflict: writing to the input of container $N-in"
check_has "nor to one that is not there" "$(d send "$N-no" x)" "notfound: writing to the input of container $N-no"
"$D" remove "$N-in"

# ---- exec -----------------------------------------------------------------------------------
for status in 0 1 7 255; do
    check_has "exec gives status $status" "$(d exec "$N" 5000 sh -c "exit $status")" "status=$status "
done
check_same "exec keeps the streams apart and adds the environment" "status=0 out=yes
 err=no" "$(d exec "$N" 5000 sh -c "echo \$FROM_DRIVER; echo no >&2")"
check_has "a program that is not there is status 126" "$(d exec "$N" 5000 nosuchprogram)" "status=126"
check_has "an exec has a deadline" "$(d exec "$N" 300 sleep 5)" "timeout: running sleep in container $N"
check_same "a megabyte comes through" "1000000" \
    "$(d exec "$N" 20000 sh -c 'head -c 1000000 /dev/zero | tr "\0" y' | tr -cd y | wc -c)"
check_same "an exec gets its input, and its end" "status=3 out=1000000
 err=" "$(d input "$N" 20000 1000000 sh -c 'wc -c; exit 3')"
check_same "also an empty one" "status=0 out=0
 err=" "$(d input "$N" 20000 0 wc -c)"
check_same "one that is not read to its end ends it as well" "status=4 out=i err=no" \
    "$(d input "$N" 20000 1000000 sh -c 'head -c 1; printf no >&2; exit 4')"
check_has "it has a deadline too" "$(d input "$N" 300 10 sleep 5)" "timeout: running sleep in container $N"
check_same "interactive exec passes input, its end and the status" "a
b
status=3" "$(printf 'a\nb\n' | d interactive "$N" plain sh -c 'cat; exit 3')"
check_same "a megabyte goes in" "1000000
status=0" "$(head -c 1000000 /dev/zero | d interactive "$N" plain wc -c)"

# A terminal: its size, its raw mode and its return, seen by a pseudo-terminal of the test.
cat >"$TMP/terminal.py" <<'PY'
import fcntl, os, pty, select, struct, sys, termios, time
pid, fd = pty.fork()
if pid == 0:
    os.execv(sys.argv[1], sys.argv[1:])
fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", 33, 77, 0, 0))
before, seen, step, end = termios.tcgetattr(fd), b"", 0, time.time() + 20
raw = before
while time.time() < end:
    if select.select([fd], [], [], 0.2)[0]:
        try:
            data = os.read(fd, 4096)
        except OSError:
            break
        if not data:
            break
        seen += data
    if step == 0 and b"# " in seen:
        raw = termios.tcgetattr(fd)
        os.write(fd, b"stty size\n"); step = 1
    elif step == 1 and b"33 77" in seen:
        fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", 44, 88, 0, 0))
        time.sleep(0.5); os.write(fd, b"stty size\n"); step = 2
    elif step == 2 and b"44 88" in seen:
        os.write(fd, b"exit 5\n"); step = 3
    if step == 3 and b"status=5" in seen:
        break
after = termios.tcgetattr(fd)
print("size" if b"33 77" in seen else "no size", "resize" if b"44 88" in seen else "no resize",
      "status" if b"status=5" in seen else "no status", "raw" if raw[3] != before[3] else "not raw",
      "restored" if after[3] == before[3] else "not restored")
PY
check_same "a terminal has its size, follows it, is raw and comes back" "size resize status raw restored" \
    "$(python3 "$TMP/terminal.py" "$D" interactive "$N" tty sh 2>&1)"

# ---- logs -----------------------------------------------------------------------------------
out=$(d logs "$N" all -1 -)
check_has "lines of the output" "$out" "1:5:hello"
check_has "lines of the error stream" "$out" "2:3:err"
check_has "a line over a mebibyte is cut" "$out" "1:1048576:xxxx"
check_has "bytes that are not UTF-8 come as Docker replaced them" "$out" $'1:6:\xef\xbf\xbd\xef\xbf\xbd'
"$D" create "$N-2" "$(body "printf '\\377\\376\\n'" | jq -c '.HostConfig={LogConfig: {Type: "local"}}')" >/dev/null
"$D" start "$N-2"
timeout 60 docker wait "$N-2" >/dev/null
check_same "where Docker keeps them they come as they are" "31 3a 32 3a ff fe 0a" \
    "$(d logs "$N-2" all -1 - | od -An -tx1 | xargs)"
"$D" remove "$N-2"
check_has "the last line alone, with its time" "$(d logs "$N" all 1 - t)" "Z "
check_same "the tail is the last line" 1 "$(d logs "$N" all 1 - | wc -l)"
check_same "nothing is newer than the year 2100" "" "$(d logs "$N" all -1 2100-01-01T00:00:00Z)"
check_has "a time without zone is refused" "$(d logs "$N" all -1 2100-01-01T00:00:00)" "usage: reading logs"
# shellcheck disable=SC2016 # the container's shell expands it
"$D" create "$N-2" "$(body 'for i in $(seq 40); do echo line $i; sleep 0.1; done')" >/dev/null
"$D" start "$N-2"
cat >"$TMP/proxy.py" <<'PY'
import os, select, socket, sys, time
# Forwards to Docker and breaks each connection after 1 s; nobody answers for 0.3 s then.
def forward(a):
    b = socket.socket(socket.AF_UNIX); b.connect(sys.argv[2])
    end = time.time() + 1
    while time.time() < end:
        for s in select.select([a, b], [], [], 0.1)[0]:
            data = s.recv(65536)
            if not data:
                return
            (b if s is a else a).sendall(data)
while True:
    server = socket.socket(socket.AF_UNIX)
    if os.path.exists(sys.argv[1]):
        os.unlink(sys.argv[1])
    server.bind(sys.argv[1]); server.listen()
    a, _ = server.accept(); server.close()
    forward(a); a.close(); time.sleep(0.3)
PY
python3 "$TMP/proxy.py" "$TMP/proxy.sock" "$socket" &
proxy=$!
on_exit "kill $proxy"
wait_until 5 test -S "$TMP/proxy.sock"
out=$(DOCKER_HOST=unix://$TMP/proxy.sock timeout 30 "$D" logs "$N-2" follow -1 - 2>&1 || true)
kill "$proxy"
check_same "following goes on over broken connections, each line once" \
    "$(for i in $(seq 40); do t="line $i"; echo "1:${#t}:$t"; done)" "$out"

# ---- states ---------------------------------------------------------------------------------
"$D" events "slipway.test=$N" 240000 >"$TMP/events" 2>&1 &
events=$!
# Again and again: nobody says when Docker has begun to tell.
restarts() { "$D" restart "$N" && grep -q "start $N" "$TMP/events"; }
check "it restarts" wait_until 120 restarts
"$D" exec "$N" 5000 true >/dev/null
check "it stops" "$D" stop "$N"
check "stopping again is fine" "$D" stop "$N"
told_last() { tail -n 3 "$TMP/events" | grep -q "die $N"; }
check "events tell of the stop" wait_until 60 told_last
kill -9 "$events"
wait "$events" || true
check_has "events tell of the death" "$(cat "$TMP/events")" "die $N"
check_has "events tell of the start" "$(cat "$TMP/events")" "start $N"
check_hasnt "events leave out execs" "$(cat "$TMP/events")" exec
check_has "exec in a stopped container is a conflict" \
    "$(d exec "$N" 5000 true)" "conflict: running true in container $N"
check "it is renamed" "$D" rename "$N-2" "$N-3"
check_has "renaming to a name in use is a conflict" "$(d rename "$N-3" "$N")" "conflict: renaming"
port=$(free_port)
published=$(body 'exec sleep 1000' | jq -c --arg p "$port" \
    '.ExposedPorts={"80/tcp": {}} | .HostConfig={PortBindings: {"80/tcp": [{HostIp: "127.0.0.1", HostPort: $p}]}}')
"$D" create "$N-4" "$published" >/dev/null && "$D" start "$N-4"
"$D" create "$N-2" "$published" >/dev/null
check_has "a port in use is named" \
    "$(d start "$N-2")" "conflict: starting container $N-2: port 127.0.0.1:$port is taken"
check_has "a running container is not removed gently" "$(d remove-gently "$N-4")" "conflict: removing"
for i in "$N" "$N-2" "$N-3" "$N-4"; do "$D" remove "$i"; done
check "removing what is not there is fine" "$D" remove "$N"
check_has "inspecting what is not there is not found" \
    "$(d inspect "$N")" "notfound: inspecting container $N: No such container"

# ---- networks and volumes -------------------------------------------------------------------
mine="{\"Name\":\"$N\",\"Labels\":{\"slipway.test\":\"$N\"}}"
foreign="{\"Name\":\"$N\",\"Labels\":{\"slipway.test\":\"other\"}}"
id=$(d network-create "$mine")
check_same "creating a network again gives the same" "$id" "$(d network-create "$mine")"
check_has "a foreign network is a conflict" "$(d network-create "$foreign")" \
    "a network of that name exists that is not ours: its label slipway.test is $N, not other"
check_has "it is listed" "$(d network-list "slipway.test=$N")" "$id"
check "it is removed" "$D" network-remove "$N"
check "removing it again is fine" "$D" network-remove "$N"
check "a volume is made" "$D" volume-create "$mine"
check "and again" "$D" volume-create "$mine"
check_has "a foreign volume is a conflict" \
    "$(d volume-create "$foreign")" "a volume of that name exists that is not ours"
check_has "it is listed" "$(d volume-list "slipway.test=$N")" "\"$N\""
check_same "a foreign label lists no volume" "[]" "$(d volume-list "slipway.test=no-$N")"
check "it is removed" "$D" volume-remove "$N"
check "removing it again is fine" "$D" volume-remove "$N"

# ---- no Docker ------------------------------------------------------------------------------
check_has "a missing socket says what to do" \
    "$(DOCKER_HOST=unix://$TMP/no d version)" "net: Docker is not running: there is no $TMP/no; install it"
check_has "a folder is not Docker" \
    "$(DOCKER_HOST=unix://$TMP d version)" "net: Docker is not running: nobody answers at $TMP"
check_has "TCP is refused" "$(DOCKER_HOST=tcp://127.0.0.1:2375 d version)" "config: Docker address"
# answer VERSION-HEADER: a Docker that says only this.
answer() {
    rm -f "$TMP/fake"
    python3 - "$TMP/fake" "$1" <<'PY' &
import socket, sys
s = socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]); s.listen()
a, _ = s.accept(); a.recv(4096)
a.sendall(f"HTTP/1.1 200 OK\r\n{sys.argv[2]}\r\nContent-Length: 2\r\n\r\nOK".encode())
a.recv(1)
PY
    local fake=$!
    wait_until 5 test -S "$TMP/fake"
    DOCKER_HOST=unix://$TMP/fake d version
    kill "$fake" 2>/dev/null || true
}
check_has "an old Docker is told so" \
    "$(answer 'Api-Version: 1.38')" "remote: this Docker is too old: API 1.38, but 1.41"
check_same "a new Docker is spoken to in our version" 1.44 "$(answer 'Api-Version: 1.52')"
check_has "something else is not Docker" "$(answer 'Server: x')" "is not a Docker Engine"
check_has "an impossible version is not Docker's" "$(answer 'Api-Version: 2.0')" "is not a Docker Engine"
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
    chmod 755 "$TMP"
    cp "$D" "$TMP/driver"
    check_has "no permission on the socket says what to do" \
        "$(setpriv --reuid=65534 --regid=65534 --clear-groups "$TMP/driver" version 2>&1 || true)" \
        "auth: no permission on $socket"
fi
finish
