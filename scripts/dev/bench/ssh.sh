#!/bin/bash
# SPDX-License-Identifier: MIT
# Commands, files and agents over our SSH connections, beside parallel-ssh, ssh and rsync: 50 sshd on 50 ports of this
# machine, all of one user. Then what sshd costs a container that nobody is logged in to.
# shellcheck disable=SC2016 # what is in single quotes is for the shells of xargs
set -u
. "$(dirname "$0")/lib.sh"
needs /usr/sbin/sshd parallel-ssh rsync ssh xargs

COUNT=50
make -C "$ROOT" --no-print-directory -s "$B/integration/ssh_driver" "$B/integration/relay_driver" || exit 1
driver=$B/integration/ssh_driver relay=$B/integration/relay_driver
cd "$TMP" || exit 1
for key in client host; do "$driver" keys "$TMP" "$key" || exit 1; done
mkdir -p /run/sshd

# ---- the servers ----

ports=
for ((i = 0; i < COUNT; i++)); do
    port=$((23000 + i))
    printf '%s\n' "Port $port" "ListenAddress 127.0.0.1" "HostKey $TMP/host" "PidFile $TMP/$port.pid" "StrictModes no" \
        "AuthorizedKeysFile $TMP/client.pub" "UsePAM no" "PasswordAuthentication no" "PrintMotd no" \
        "SetEnv SHLVL=2" >"$port.conf" # else bash begins with the ~/.bashrc of whoever runs this
    /usr/sbin/sshd -E "$TMP/$port.log" -f "$TMP/$port.conf" || exit 1
    ports+=${ports:+,}$port
    echo "127.0.0.1:$port" >>hosts
    echo "[127.0.0.1]:$port $(cut -d' ' -f1,2 host.pub)" >>known
done
# shellcheck disable=SC2317 # run at the end
stop_servers() { cat "$TMP"/*.pid | xargs kill; }
on_exit stop_servers
how=(-i "$TMP/client" -o "UserKnownHostsFile=$TMP/known" -o StrictHostKeyChecking=yes -o BatchMode=yes)

# ours [NAME=VALUE...] COMMAND: on all of them, in one process.
ours() { "$driver" ports="$ports" pin=host.pub key=client result=result "$@"; }
all_well() { [ "$(grep -c "status=0 .*code=none" result)" -ge "$COUNT" ]; }
peer() { parallel-ssh -h hosts -l root -p "$COUNT" -t 0 -x "${how[*]}" true; }

# per_turn COMMAND: milliseconds of one more turn over connections that stand.
per_turn() {
    local one many
    one=$(median_ms 3 ours "$1") || return
    many=$(median_ms 3 ours repeat=11 "$1") || return
    awk -v one="$one" -v many="$many" 'BEGIN { printf "%.2f\n", (many - one) / 10 }'
}

table
cold=$(median_ms 3 ours true)
all_well || { echo "   not all of them answered"; exit 1; }
pssh=$(median_ms 3 peer)
row "a command on $COUNT, cold: parallel-ssh" "$cold" ms "$pssh" 0.5x
row "a command on $COUNT, standing: parallel-ssh" "$(per_turn true)" ms "$pssh" 0.05x
row "memory with $COUNT standing connections" "$(peak_kib "$driver" ports="$ports" pin=host.pub key=client \
    result=result repeat=3 true)" KiB "" 12288

# ---- one large file ----

head -c 100000000 /dev/urandom >large
peer_cat() { ssh "${how[@]}" -c aes128-ctr -p 23000 root@127.0.0.1 "cat $TMP/large" >got; }
our_cat() { "$driver" ports=23000 pin=host.pub key=client quietly=1 result=result "cat $TMP/large"; }
row "100 MB through one channel: ssh cat" "$(median_ms 3 our_cat)" ms "$(median_ms 3 peer_cat)" 1.25x

# ---- an agent ----

# What a release is: 2 MB and some small files.
mkdir -p release/hooks
head -c 2000000 /dev/urandom >release/agent
for ((i = 0; i < 40; i++)); do echo "hook $i" >"release/hooks/$i"; done
export RSYNC="rsync -rlpt" SSH="ssh ${how[*]}" CALL="$relay call" FROM=$TMP/release/ TO=$TMP/to
peer_rsync() {
    seq 0 $((COUNT - 1)) | xargs -P16 -I% sh -c \
        '$RSYNC -e "$SSH -p $((23000 + %))" "$FROM" "root@127.0.0.1:$TO.$((23000 + %))/"'
}
our_rsync() {
    "$relay" serve "$ports" client host.pub "seq 0 $((COUNT - 1)) | xargs -P16 -I% sh -c "'\
        '\''$RSYNC -e "$CALL $RELAY" "$FROM" "h$((% + 1)):$TO.$((23000 + %))/"'\'
}
forget() { rm -rf "$TMP"/to.*; }
first_ms() { for _ in 1 2 3; do forget; time_ms "$1" || return; done | sort -n | sed -n 2p; }
row "2 MB to $COUNT, first time: xargs -P16 rsync" "$(first_ms our_rsync)" ms "$(first_ms peer_rsync)" 0.77x
[ "$(find "$TMP" -path '*/to.*/agent' | wc -l)" = "$COUNT" ] || { echo "   not all of them have it"; exit 1; }
# As `agent deploy` asks in a container, where it has been asked before.
mkdir container && cp "$B/slipway-agent" container/ && sleep 3 && container/slipway-agent release status >"$TMP/out"
[ -e container/releases/image.digest ] || { echo "   the agent does not note its digest"; exit 1; }
row "unchanged, told by digest: xargs -P16 rsync" "$(per_turn "$TMP/container/slipway-agent release status")" ms \
    "$(median_ms 3 peer_rsync)" 0.04x
stop_servers

# ---- what sshd costs an idle container ----

command -v docker >/dev/null && docker info >/dev/null 2>&1 || exit 0
export SLIPWAY_HOME=$TMP/home
env=bench-$$
slip() { "$SLIPWAY" --catalog "$ROOT/tests/data/components" -q "$@"; }
environment() { # true|false: with sshd or without
    printf '%s\n' "name: $env" "ssh: $1" "components:" "  etcd: {instances: 1}" "  idler: {instances: 3}" >"$1.yaml"
    slip up "$1.yaml" >"$TMP/out" 2>&1 || { tail -n 3 "$TMP/out"; return 1; }
}
on_exit "slip -e $env down --volumes --yes"
# private_kib: of all processes of the three, the median of them.
private_kib() {
    local i pid
    for i in 1 2 3; do
        for pid in $(docker top "$env-idler-$i" -eo pid | tail -n +2); do
            sed -n 's/^Private_[A-Za-z]*: *\([0-9]*\) kB/\1/p' "/proc/$pid/smaps_rollup"
        done | awk '{ sum += $1 } END { print sum }'
    done | sort -n | sed -n 2p
}
environment false && off=$(private_kib) && environment true && on=$(private_kib) &&
    row "sshd of an idle container, private memory" $((on - off)) KiB "" 300
