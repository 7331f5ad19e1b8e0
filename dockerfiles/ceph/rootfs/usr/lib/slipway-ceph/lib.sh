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

# options_of MAP: lines NAME=VALUE, with names as Ceph writes them: blanks and dashes in them mean the same as
# underscores.
options_of() {
    printf '%s\n' "$1" | sed 's/^{//; s/}$//; s/,"/\n"/g' |
        sed -n 's/^"\([^"]*\)": *"\{0,1\}\([^"]*\)"\{0,1\}$/\1=\2/p' |
        awk '{ at = index($0, "="); name = substr($0, 1, at - 1); gsub(/[- ]+/, "_", name); print name substr($0, at) }'
}

# ceph.conf = the rendered template and the monitors, which come from a map. /etc/ceph/ceph.conf is a link to it. What
# the key `settings` says beats the rest of section [global], however its name is written; Ceph itself takes the last of
# two.
write_conf() {
    hosts=$(mon_list | while read -r _ a; do printf '%s,' "$(addrv "$a")"; done)
    [ -n "$hosts" ] || die "no monitor is known: the environment has no ceph-mon"
    options_of "${CFG_settings:-}" >"$SLIPWAY_RUN/ceph.settings"
    awk -v settings="$SLIPWAY_RUN/ceph.settings" -v hosts="${hosts%,}" '
        BEGIN {
            while ((getline line <settings) > 0)
                set[substr(line, 1, index(line, "=") - 1)] = substr(line, index(line, "=") + 1)
        }
        /^\[/ {
            section = $0
            print
            if (section == "[global]") {
                print "mon_host = " hosts
                for (n in set) print n " = " set[n]
            }
            next
        }
        { name = substr($0, 1, index($0, "=") - 1); gsub(/^ +| +$/, "", name); gsub(/[- ]+/, "_", name) }
        section == "[global]" && name in set { next }
        { print }' "$SLIPWAY_RUN/ceph.rendered" >"$SLIPWAY_RUN/ceph.conf.new"
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
# container, so a new one for the same instance starts afresh.
wait_when_drained() {
    [ -e /var/lib/ceph/drained ] || return 0
    say "drained: waiting to be removed"
    while sleep 1; do :; done
}

# known_options: refuses settings that the daemon does not know. It has started without them.
known_options() {
    options_of "${CFG_settings:-}" | while IFS='=' read -r name _; do
        answer=$(/usr/lib/slipway-ceph/asok "$asok" "{\"prefix\":\"config get\",\"var\":\"$name\"}")
        case $answer in *ERROR*) die "settings: Ceph has no option $name" ;; esac
    done
}

# live_options NAME=VALUE...: sets options, and those of the key `live`, in the running daemon. What was set by the last
# call and is not wanted any more goes back to what the configuration says. Through the admin socket, because a value
# there beats the file, while one from `ceph config set` is silently void when the file has the key.
live_options() {
    for o; do printf '%s\n' "$o"; done >"$SLIPWAY_RUN/ceph.live.new"
    options_of "${CFG_live:-}" >>"$SLIPWAY_RUN/ceph.live.new"
    touch "$SLIPWAY_RUN/ceph.live"
    sed 's/=.*//' "$SLIPWAY_RUN/ceph.live" | while read -r name; do
        grep -q "^$name=" "$SLIPWAY_RUN/ceph.live.new" ||
            /usr/lib/slipway-ceph/asok "$asok" "{\"prefix\":\"config unset\",\"var\":\"$name\"}" >/dev/null
    done
    while IFS='=' read -r name value; do
        answer=$(/usr/lib/slipway-ceph/asok "$asok" \
            "{\"prefix\":\"config set\",\"var\":\"$name\",\"val\":[\"$value\"]}")
        case $answer in *ERROR:*) die "option $name = $value: ${answer#*ERROR: }" ;; esac
    done <"$SLIPWAY_RUN/ceph.live.new"
    mv "$SLIPWAY_RUN/ceph.live.new" "$SLIPWAY_RUN/ceph.live"
}
