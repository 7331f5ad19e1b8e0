# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# What the hooks of the Ceph components share. POSIX sh; the hook has set -eu.

# shellcheck disable=SC2034 # for the hooks
asok=$SLIPWAY_RUN/ceph/asok
umask 022

say() { printf '%s\n' "$*"; }
die() { printf '%s: %s\n' "$SLIPWAY_INSTANCE" "$*" >&2; exit 1; }

secret() { cat "$SLIPWAY_RUN/secrets/$1"; }

# "name address" of each monitor, one a line: $SHARED_mons is {"ceph-mon-1":"10.1.0.2",...}.
mon_list() { printf '%s\n' "${SHARED_mons:-}" | tr ',' '\n' | sed -n 's/^[{ ]*"\([^"]*\)": *"\([^"]*\)".*$/\1 \2/p'; }
brackets() { case $1 in *:*) printf '[%s]' "$1" ;; *) printf '%s' "$1" ;; esac; }
addrv() { printf '[v2:%s:3300,v1:%s:6789]' "$(brackets "$1")" "$(brackets "$1")"; }

# ceph.conf = the rendered template and the monitors, which come from a map. /etc/ceph/ceph.conf is a link to it.
write_conf() {
    hosts=$(mon_list | while read -r _ a; do printf '%s,' "$(addrv "$a")"; done)
    [ -n "$hosts" ] || die "no monitor is known: the environment has no ceph-mon"
    sed "s/^\[global\]$/&\nmon_host = ${hosts%,}/" "$SLIPWAY_RUN/ceph.rendered" >"$SLIPWAY_RUN/ceph.conf.new"
    grep -q '^mon_host' "$SLIPWAY_RUN/ceph.conf.new" || die "the rendered ceph.conf has no section [global]"
    chmod 644 "$SLIPWAY_RUN/ceph.conf.new"
    mv "$SLIPWAY_RUN/ceph.conf.new" "$SLIPWAY_RUN/ceph.conf"
}

# write_keyring FILE ENTITY SECRET OWNER: a keyring of one entity.
write_keyring() {
    (umask 077 && printf '[%s]\n\tkey = %s\n' "$2" "$(secret "$3")" >"$1.new")
    chown "$4" "$1.new"
    mv "$1.new" "$1"
}

# Socket and scratch directory of the daemon; the run directory itself belongs to root.
open_run() {
    mkdir -p "$SLIPWAY_RUN/ceph"
    chown ceph:ceph "$SLIPWAY_RUN/ceph"
    rm -f "$asok" "$SLIPWAY_RUN/ceph/hurried"
}

# Hook drain ended the daemon, and Docker started the container again: coming back would undo it. The mark is in the
# container, so a new one for the same instance begins anew.
wait_when_drained() {
    [ -e /var/lib/ceph/drained ] || return 0
    say "drained: waiting to be removed"
    while sleep 1; do :; done
}

# live_options NAME=VALUE...: sets options, and those of the key `live`, in the running daemon. What was set by the last call
# and is not wanted any more goes back to what the configuration says. Through the admin socket, because a value there
# beats the file, while one from `ceph config set` is silently void when the file has the key.
live_options() {
    for o; do printf '%s\n' "$o"; done >"$SLIPWAY_RUN/ceph.live.new"
    printf '%s\n' "${CFG_live:-}" | sed 's/^{//; s/}$//; s/,"/\n"/g' |
        sed -n 's/^"\([a-z0-9_]*\)": *"\{0,1\}\([^"]*\)"\{0,1\}$/\1=\2/p' >>"$SLIPWAY_RUN/ceph.live.new"
    touch "$SLIPWAY_RUN/ceph.live"
    sed 's/=.*//' "$SLIPWAY_RUN/ceph.live" | while read -r name; do
        grep -q "^$name=" "$SLIPWAY_RUN/ceph.live.new" ||
            /usr/lib/slipway-ceph/asok "$asok" "{\"prefix\":\"config unset\",\"var\":\"$name\"}" >/dev/null
    done
    while IFS='=' read -r name value; do
        answer=$(/usr/lib/slipway-ceph/asok "$asok" "{\"prefix\":\"config set\",\"var\":\"$name\",\"val\":[\"$value\"]}")
        case $answer in *'"error"'*) die "option $name = $value: $answer" ;; esac
    done <"$SLIPWAY_RUN/ceph.live.new"
    mv "$SLIPWAY_RUN/ceph.live.new" "$SLIPWAY_RUN/ceph.live"
}
