#!/bin/bash
# SPDX-License-Identifier: MIT
# The completion of each shell, in that shell: bash and zsh on a terminal with a real TAB, fish by `complete -C`.
set -eu
. "$(dirname "$0")/../lib.sh"

tab=$ROOT/tests/cli/tab.py
PATH=$(dirname "$SLIPWAY"):$PATH
# No Docker: this machine may have an environment that is called demo too.
export PATH HOME=$TMP SLIPWAY_HOME=$TMP/home DOCKER_HOST=unix://$TMP/none
cd "$TMP"
: >my-environment.yaml
mkdir -p "$SLIPWAY_HOME/test-one"
: >"$SLIPWAY_HOME/test-one/key"

# What is written, and what TAB makes of it: nothing may be ambiguous here.
lines=(
    "slipway vol|slipway volume "
    "slipway stat|slipway status "
    "slipway volume cr|slipway volume create "
    "slipway config se|slipway config set "
    "slipway volume create --si|slipway volume create --size="
    "slipway volume resize --fo|slipway volume resize --force "
    "slipway -e demo vol|slipway -e demo volume "
    "slipway --env=demo vol|slipway --env=demo volume "
    "slipway completion z|slipway completion zsh "
    "slipway catalog show etc|slipway catalog show etcd "
    "slipway check acc|slipway check access"
    "slipway check access.lat|slipway check access.latency "
    "slipway validate my-|slipway validate my-environment.yaml"
    "slipway prepare my-|slipway prepare my-environment.yaml"
    "slipway prepare x --dr|slipway prepare x --dry-run "
    "slipway -e tes|slipway -e test-one "
    "slipway --env=tes|slipway --env=test-one "
    "slipway volume show -e tes|slipway volume show -e test-one "
    "slipway -e demo config set ceph-mo|slipway -e demo config set ceph-mon"
    "slipway config set ceph-osd memory_t|slipway config set ceph-osd memory_target "
    "slipway config get ceph-osd/2 crush_h|slipway config get ceph-osd/2 crush_host "
    "slipway -e demo volume show v|slipway -e demo volume show vm "
    "slipway -e demo volume attach vm --to volumedriver-q|slipway -e demo volume attach vm --to volumedriver-qemu"
    "slipway -e demo volume create x --size 1G --pool v|slipway -e demo volume create x --size 1G --pool volumes "
    "slipway pool create x --compression z|slipway pool create x --compression z"
    "slipway pool create x --compression zs|slipway pool create x --compression zstd "
    "slipway nothing-of-ours x|slipway nothing-of-ours x"
)
for shell in bash zsh; do
    command -v "$shell" python3 >/dev/null || { skip "completion in $shell" "no $shell or python3"; continue; }
    check "$shell reads it" "$shell" -n <(slipway completion "$shell")
    written=() want=()
    for line in "${lines[@]}"; do
        written+=("${line%%|*}")
        want+=("<${line#*|}>")
    done
    mapfile -t got < <(timeout 300 python3 "$tab" "$shell" "${written[@]}" 2>&1)
    for i in "${!want[@]}"; do check_same "$shell: ${written[i]} TAB" "${want[i]}" "${got[i]:-}"; done
done

if command -v fish >/dev/null; then
    slipway completion fish >slipway.fish
    check_same "fish reads it with no complaint" "" "$(fish -n slipway.fish 2>&1)"
    # offers LINE WORD...: exactly these words, without their descriptions.
    offers() {
        local line=$1
        shift
        check_same "fish: $line TAB" "$*" \
            "$(fish -c 'source slipway.fish; complete -C $argv[1]' -- "$line" 2>&1 | cut -f 1 | sort | paste -sd ' ')"
    }
    offers "slipway vol" volume
    offers "slipway volume cr" create
    offers "slipway volume create cr"
    offers "slipway volume create --si" --size
    offers "slipway config s" "set show"
    offers "slipway -e demo vol" volume
    offers "slipway --env=demo vol" volume
    offers "slipway logs --fo" --follow
    offers "slipway completion " bash fish zsh
    offers "slipway catalog show etc" etcd
    offers "slipway check access.l" access.latency
    offers "slipway catalog show list"
    offers "slipway validate my-" my-environment.yaml
    offers "slipway -e " demo test-one
    offers "slipway -e demo volume show " file lun vm
    offers "slipway config set ceph-osd memory_t" memory_target
    offers "slipway -e demo volume attach vm --to volumedriver-q" volumedriver-qemu volumedriver-qemu-1
    offers "slipway pool create x --compression z" zlib zstd
    offers "slipway nothing-of-ours x"
else
    skip "completion in fish" "no fish"
fi
finish
