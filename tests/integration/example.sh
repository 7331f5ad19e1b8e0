#!/bin/bash
# SPDX-License-Identifier: MIT
# The complete component of components/README.md: its files as they stand there, and the lines that bring it up, typed
# one after the other. The environment has another name.
set -eu
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../environment.sh"

needs "the example" jq
environment example
on_exit "docker images -q slipway/greeter | sort -u | xargs -r docker rmi -f"
page=$ROOT/components/README.md
mkdir "$TMP/work"
cd "$TMP/work"

# `greeter/FILE` alone on a line, then its text between fences.
while read -r path; do
    mkdir -p "catalog/${path%/*}"
    awk -v name="\`$path\`" '$0 == name { on = 1 } on && /^```/ { if (block) exit; block = 1; next } block' "$page" \
        >"catalog/$path"
    case $path in */hooks/*) chmod 755 "catalog/$path" ;; esac
    check "$path has a text" test -s "catalog/$path"
done < <(sed -n 's/^`\(greeter\/[^`]*\)`$/\1/p' "$page")
check_same "the page has the whole component" 7 "$(find catalog -type f | wc -l)"

typed() { # the shell lines of the section; each command of ours with its status
    # shellcheck disable=SC2317
    slipway() {
        local status=0
        "$SLIPWAY" "$@" >>"$TMP/typed.out" 2>&1 || status=$?
        echo "$status ${*/$env/greetings}"
    }
    eval "$(sed -n '/^## A complete component/,/^## Start/p' "$page" |
        awk '/^```sh/ { on = 1; next } /^```/ { on = 0 } on' |
        grep -v ' down ' | sed "s/-e greetings/-e $env/; s/^name: greetings/name: $env/")"
}
while read -r status line; do
    check_same "slipway $line" 0 "$status"
done < <(typed)
slip_options=(--catalog catalog)
check_status "both are well" 0 slip --json status
check "and say so" jq -e '[.instances[] | select(.component == "greeter" and .health == "healthy")] | length == 2' \
    "$TMP/out"
greeted() { docker exec "$env-greeter-2" tail -n 1 /data/greetings | grep -qx "hello everybody"; }
check "the change arrived without a restart" wait_until 20 greeted
check_same "of the daemon" 0 "$(docker inspect -f '{{.RestartCount}}' "$env-greeter-2")"
check_status "a value that is out of bounds is refused" 6 slip config set greeter every 10ms
check_status "one that needs a restart is taken" 0 slip config set greeter every 200ms
check "and all is well" wait_until 60 slip status
check_status "down" 0 slip down --volumes --yes
finish
