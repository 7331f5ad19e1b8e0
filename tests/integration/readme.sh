#!/bin/bash
# SPDX-License-Identifier: MIT
# The lines that README.md and the volume drivers' READMEs have a newcomer type, typed: everything between ```sh and ```
# there, one after the other in one shell. Then what `slipway volume show` prints. What differs from typing: the
# environment is not called demo,
# /mnt is a folder of the test, packages are there already, and images come from no registry.
# about 130 s
set -eu
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../environment.sh"

needs "README" jq qemu-img qemu-storage-daemon qemu-system-x86_64 mke2fs iscsi-ls mcopy
[ -c /dev/fuse ] || { skip "README" "no /dev/fuse"; finish; }
[ -e /dev/loop-control ] || { skip "README" "the host has no loop devices"; finish; }
"$ROOT/scripts/host/make-guest" "$TMP/guest.img" >"$TMP/out" 2>&1 ||
    { skip "README" "$(tail -n 1 "$TMP/out")"; finish; }

on_exit 'forget_plugin "slipway-$env"' # last, when it is down
environment readme
disk=disk-$$
on_exit "docker volume ls -qf driver=slipway-$env | xargs -r docker volume rm -f"
on_exit 'kill $(cat "$TMP"/work/*.pid); umount -l "$TMP/mnt" "$TMP"/work/*.img'
sed "s/^name: .*/name: $env/" "$ROOT/components/demo.yaml" >"$file"
mkdir "$TMP/work" "$TMP/mnt"
ln -s "$ROOT/scripts" "$ROOT/README.md" "$TMP/work"

# lines FILE FROM TO: what is to be typed in the sections from one heading to another, a line for each command.
lines() {
    awk -v from="$2" -v to="$3" '$0 == from { on = 1 } on && to != "" && $0 == to { exit }
        on && /^```sh/ { block = 1; next }
        /^```/ { block = 0 }
        block { if (sub(/\\$/, "")) printf "%s", $0; else print }' "$ROOT/$1" |
        grep -v '^apt-get \|^export PATH' |
        sed -e "s,/slipway/demo/,/slipway/$env/,g; s,\bdemo-,$env-,g; s,:demo\.,:$env.,g; s,/mnt,$TMP/mnt,g" \
            -e "s,\bdisk\b,$disk,g; s,-d slipway ,-d slipway-$env ,; s,driver=slipway\b,driver=slipway-$env," \
            -e "s,debian:trixie-slim,$image,"
}
# A shell that is typed into: each line, then its status.
typed() {
    # shellcheck disable=SC2317
    slipway() { "$SLIPWAY" -q -e "$env" "$@"; } # `up` too: the file would take back what `config set` changed
    # shellcheck disable=SC2317
    qemu-system-x86_64() { timeout 300 qemu-system-x86_64 "$@"; }
    cd "$TMP/work"
    while IFS= read -r line <&9; do
        eval "$line" </dev/null >"$TMP/typed.out" 2>&1
        status=$?
        printf '%s\n' "== $line" "$(cat "$TMP/typed.out")" "== status $status" >>"$TMP/typed.log"
        printf '%s\t%s\n' "$status" "$line"
    done
}
# types NAME FILE FROM [TO]: every line ends well, but those that say that they do not.
types() {
    local name=$1 status line wanted
    lines "$2" "$3" "${4:-}" >"$TMP/lines"
    check "$name: there are lines" test -s "$TMP/lines"
    (set +e; typed) 9<"$TMP/lines" >"$TMP/statuses"
    while IFS=$'\t' read -r status line; do
        wanted=$(sed -n 's/.*# exit \([0-9]*\).*/\1/p' <<<"$line")
        case $line in *'slipway check '*'run it again'*) [ "$status" = 0 ] ||
            "$SLIPWAY" -q -e "$env" check >"$TMP/out" 2>&1 && status=0 ;; esac
        # A program that ends by itself has taken its mount away.
        case $line in *'2>/dev/null') wanted=$status ;; esac
        check_same "$name: ${line:0:110}" "${wanted:-0}" "$status"
    done <"$TMP/statuses"
}

check_status "the demo" 0 slip -f "$file" up
image=debian:trixie-slim
! docker image inspect slipway/debian:trixie >/dev/null 2>&1 || image=slipway/debian:trixie
types README README.md "## Volumes" "## Docker's volumes"
check_has "the guest boots from NBD" "$(cat "$TMP/typed.log")" "slipway-guest: boot 1 from the volume; 0 lines found"
check_has "and from vhost-user-blk" "$(cat "$TMP/typed.log")" "slipway-guest: boot 2 from the volume; 1 lines found"
types README README.md "## Docker's volumes" "## From another machine" # whose lines are for another one
types README README.md "## Which Docker" "## An environment file"
check "the file that a container wrote was read on the host" grep -qx hello "$TMP/typed.log"
types volumedriver-qemu components/volumedriver-qemu/README.md "## Where a volume is" "## How fast"
types volumedriver-fuse components/volumedriver-fuse/README.md "## Docker's volumes"

# ---- what `slipway volume show` prints -----------------------------------------------------------------
cd "$TMP/work"
slipway() { "$SLIPWAY" -q "$@"; }
use() { slip volume show "$1" --json | jq -r --arg t "$2" '.attached[0].use[] | select(.title | test($t)) | .line'; }
rm -rf psk rbd.key
eval "$(use vm 'the key')"
check_same "its lines write the keys" "$(printf 'psk/keys.psk\nrbd.key')" "$(ls psk/keys.psk rbd.key)"
check_same "for nobody else" "600 600" "$(stat -c %a psk/keys.psk rbd.key | paste -sd ' ')"
qemu_takes() { # NAME: lines on stdin
    local line
    while IFS= read -r line; do
        # shellcheck disable=SC2086 # words of a command line
        check "QEMU takes $1${line:0:60}" timeout 60 qemu-system-x86_64 -machine accel=tcg -m 1G -display none \
            -serial none -monitor stdio $line <<<quit
    done
}
qemu_takes "" < <(use vm QEMU | grep '^-'; use file QEMU)
# A name of 64 characters makes the path of its socket longer than one may be; a digit begins no name of QEMU's.
long=9$(printf '%063d' 0 | tr 0 x)
for name in 9lives "a${long:1:39}" "$long"; do
    check_status "a volume of ${#name} characters" 0 slip volume create "$name" --size 8MiB --attach qemu
    eval "$(use "$name" ^first)"
    qemu_takes "for ${name:0:9}, " < <(use "$name" QEMU | grep '^-[bdo]' | grep -v 'file=nbd://')
    line=$(use "$name" 'QEMU, NBD' | sed 's/^-blockdev //; s/ -device.*//')
    check "qemu-storage-daemon takes its line" timeout 60 qemu-storage-daemon --blockdev "$line" \
        --chardev stdio,id=m --monitor chardev=m <<<'{"execute":"qmp_capabilities"}{"execute":"quit"}'
    check "qemu-img takes its NBD line" qemu-img info "$(use "$name" '^qemu-img')"
    check "and that of librbd" qemu-img info -U "$(use "$name" 'qemu-img$')"
done
check "the last one by a link to the folder of the sockets" \
    test "$(readlink "$(use "$long" '^first' | sed 's/.* //')")" = "/var/lib/slipway/$env/volumedriver-qemu-1"
on_exit "rm -f $(use "$long" '^first' | sed 's/.* //')"
check "qemu-img takes the librbd line" qemu-img info -U "$(use vm 'qemu-img$')"
check "qemu-img takes the NBD line" qemu-img info "$(use vm '^qemu-img')"
if command -v nbdinfo >/dev/null; then check "libnbd takes its line" nbdinfo \
    "$(use vm libnbd)"; else skip "libnbd" "no nbdinfo"; fi
password=$(eval "$(use lun 'the password')")
check_has "iscsi-ls takes its line" \
    "$(eval "$(use lun 'names of the targets' | sed "s/=PASSWORD/=$password/")")" "iqn.2024-01.io.slipway:$env.lun"
check "qemu-img takes the iSCSI line" qemu-img info "$(use lun 'libiscsi' | sed "s/PASSWORD/$password/")"
schema=/usr/share/libvirt/schemas/domain.rng
if command -v xmllint >/dev/null && [ -e "$schema" ]; then
    echo "<domain type='qemu'><name>x</name><memory unit='MiB'>256</memory>
        <os><type arch='x86_64' machine='pc'>hvm</type></os>
        <devices>$(use vm libvirt)</devices></domain>" >"$TMP/domain.xml"
    check "libvirt's schema takes its lines" xmllint --noout --relaxng "$schema" "$TMP/domain.xml"
else
    skip "libvirt's schema" "no xmllint or no libvirt"
fi
check_status "down" 0 slip down --volumes --yes
finish
