#!/bin/bash
# SPDX-License-Identifier: MIT
# What somebody changed or deleted in etcd by hand: users, roles, passwords, rights, reports. Each is seen, and mended
# by the agent itself or by the next `up`, within seconds.
# about 45 s
set -eu
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../environment.sh"

needs "etcd changed by hand" jq
environment tampered --catalog "$ROOT/tests/data/components"
components <<'END'
etcd: {instances: 1}
sleeper: {instances: 1}
END
check_status "up" 0 slip -f "$file" up
ctl() {
    docker exec -i "$env-etcd-1" sh -c 'ETCDCTL_USER="root:$(cat /run/slipway/secrets/root_password)"
        export ETCDCTL_API=3 ETCDCTL_USER
        exec etcdctl "$@"' - "$@"
}
mine=/slipway/$env/instances/sleeper-1
mended() { # NAME: up is done within seconds, a change arrives, and nothing is left to do
    check_status "$1: up" 0 timeout 30 "$SLIPWAY" "${slip_options[@]}" -q -e "$env" up
    word=$((${word:-0} + 1))
    check_status "$1: a change" 0 slip config set sleeper word "w$word"
    check "$1: it arrives" wait_until 20 sh -c "docker exec '$env-sleeper-1' cat /data/word | grep -qx w$word"
    check "$1: all is well" wait_until 20 slip status
    check_status "$1: nothing is left to do" 0 slip plan
}

# ---- who may do what: the next look sees it ----
for what in "user delete sleeper-1" "role delete sleeper-1" "role delete component:sleeper" "user delete etcd-1"; do
    # shellcheck disable=SC2086 # words
    check "$what" ctl $what
    check_status "$what: plan sees it" 2 slip plan
    check_has "$what: and says so" "$(cat "$TMP/out")" "etcd does not have it any more"
    mended "$what"
done

# ---- what no list shows: the instance falls silent ----
silent() { slip status --json | jq -e '.instances[] | select(.instance == "sleeper-1") | .health == "unknown"'; }
check "the role of the component is taken from a user" ctl user revoke-role sleeper-1 component:sleeper
check_status "a change" 0 slip config set sleeper word never
check "the instance that may not read it falls silent" wait_until 60 silent
check_status "plan sees it" 2 slip plan
check_has "and says so" "$(cat "$TMP/out")" "etcd hears nothing of the instance"
mended "the role"
# An agent asks etcd again after a change; without one only within a minute.
check "another password" ctl user passwd sleeper-1 --interactive=false <<<"another one"
check_status "a change" 0 slip config set sleeper word never
check "the instance falls silent" wait_until 60 silent
mended "another password"

# ---- root's own login: nobody can mend that but who knows what it was changed to ----
check "another password of root" ctl user passwd root --interactive=false <<<handmade
refused="user root: etcd refuses the user or the password; its password was changed in etcd"
check_status "status" 5 slip status
check_has "says so" "$(cat "$TMP/out")" "$refused"
for command in plan up "config set sleeper word never"; do
    # shellcheck disable=SC2086 # words
    says "$command" 7 "$refused" slip $command
done
line=$(sed -n 's/^[^`]*`\(docker [^`]*\)`.*/\1/p' "$TMP/err")
check "what they say to do works" bash -c "${line/PASSWORD/handmade}"
mended "root's password"

# ---- what the instance itself says: it says so again ----
have() { ctl get --print-value-only "$1"; }
for report in status applied; do
    right=$(have "$mine/$report")
    right() { [ "$(have "$mine/$report")" = "$right" ]; }
    check "$report is deleted" ctl del "$mine/$report"
    check "the agent says it again" wait_until 5 right
    for junk in junk '{"state":"ready","result":"ok","hash":"0"}'; do
        check "$report is $junk" ctl put "$mine/$report" "$junk"
        check "the agent says what is right" wait_until 5 right
    done
    mended "$report"
done
check_status "down" 0 slip down --volumes --yes
finish
