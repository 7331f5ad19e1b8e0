#!/bin/bash
# SPDX-License-Identifier: MIT
# Commands that have changed something and then cannot print or write down what they did end with 3, not with the status
# that says "failed before any change"; and a home that is full or read-only is in nobody's way but a change's.
set -eu
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../environment.sh"

needs "changes whose end fails" jq
environment partly --catalog "$ROOT/tests/data/components"
export SLIPWAY_HOME=$TMP/small
mkdir "$SLIPWAY_HOME"
mount -t tmpfs -o size=1m none "$SLIPWAY_HOME" 2>/dev/null || { skip "a full home" "no right to mount"; finish; }
on_exit "umount $TMP/small"
components <<'END'
etcd: {instances: 1}
sleeper: {instances: 2}
END
onto_full() { "$SLIPWAY" "${slip_options[@]}" -e "$env" "$@" >/dev/full; }
word() { slip config get sleeper word; }

# ---- nobody reads what was printed -------------------------------------------------------------------
says_done() { # WORDS...: 3, and the sentence
    says "$* onto a full disk" 3 "it is incomplete; the command has done its work" onto_full "$@"
}
says_done -f "$file" up
check_status "all of it was done" 0 slip status
says "up with nothing left to do changes nothing" 1 "it is incomplete" onto_full --json -f "$file" up
check_hasnt "and does not claim to" "$(cat "$TMP/err")" "has done its work"
says "nor does status" 1 "it is incomplete" onto_full status
says_done config set sleeper word printed
check_same "the value is stored" printed "$(word)"
says "config set of the same value changes nothing" 1 "it is incomplete" onto_full --json config set sleeper word \
    printed
says "config set --dry-run changes nothing" 1 "it is incomplete" onto_full config set --dry-run sleeper word other
says_done config set sleeper word=again
says_done config delete sleeper word
says_done restart sleeper-1
says_done run --on sleeper-1 -- touch /data/ran
check "the command ran" docker exec "$env-sleeper-1" test -e /data/ran
says_done stop sleeper-2
says_done remove sleeper-2
says_done etcd compact
says_done new made --output "$TMP/made.yaml" --components etcd
check "the file is whole" slip validate "$TMP/made.yaml"
check_status "up brings back what was removed" 0 slip -f "$file" up

# ---- a full home -------------------------------------------------------------------------------------
fill() { dd if=/dev/zero of="$SLIPWAY_HOME/ballast" bs=4k 2>/dev/null || true; }
fill
check_not "the home is full" sh -c "echo more >$SLIPWAY_HOME/more"
rm -f "$SLIPWAY_HOME/more"
says "config set with a full home" 3 "the change is stored and takes effect, but not in the operator's copy" \
    slip config set sleeper word full
check_same "it is in effect" full "$(word)"
check_has "the copy has the old one" "$(cat "$SLIPWAY_HOME/$env/document.json")" '"name"'
check_hasnt "and not the new one" "$(cat "$SLIPWAY_HOME/$env/document.json")" '"full"'
check_status "status" 0 slip status
says "new into a full folder" 1 "No space left on device" slip new whole --output \
    "$SLIPWAY_HOME/whole.yaml" --components etcd
check_not "leaves no half of a file" test -e "$SLIPWAY_HOME/whole.yaml"
rm "$SLIPWAY_HOME/ballast"
check_status "with room again, up" 0 slip up
check_has "writes the copy" "$(cat "$SLIPWAY_HOME/$env/document.json")" '"full"'

for trouble in full read-only; do
    case $trouble in full) fill ;; *) rm -f "$SLIPWAY_HOME/ballast"; mount -o remount,ro "$SLIPWAY_HOME" ;; esac
    check_status "$trouble home: status" 0 slip status
    check_status "$trouble home: up with nothing to do" 0 slip up
    check_status "$trouble home: stop" 0 slip stop sleeper-1
    check_status "$trouble home: down" 0 slip down
    check_same "$trouble home: nothing is left running" "" "$(docker ps -q --filter "label=slipway.name=$env")"
    [ "$trouble" = read-only ] || { rm "$SLIPWAY_HOME/ballast"; check_status "with room again, up" 0 slip up; }
done
mount -o remount,rw "$SLIPWAY_HOME"
check_status "and comes up again" 0 slip up
fill
check_status "down --volumes with a full home" 0 slip down --volumes --yes
check_not "removes the home's folder too" test -e "$SLIPWAY_HOME/$env"
finish
