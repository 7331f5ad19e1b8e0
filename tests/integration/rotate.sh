#!/bin/bash
# SPDX-License-Identifier: MIT
# slipway key rotate ssh: the new key everywhere, the old one nowhere, and the same when it is killed between two steps.
# about 110 s
set -eu
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../environment.sh"
needs "rotation of the SSH key" ssh ssh-keygen jq

environment rotate --catalog "$ROOT/tests/data/components"
{ printf 'name: %s\nprofile: quick\nssh: true\ncomponents:\n' "$env"
    printf '  etcd: {instances: 1, ssh: false}\n  sleeper: {instances: 2}\n  echo: {instances: 1}\n'; } >"$file"
check_status "up" 0 slip -f "$file" up

# The operator's: the key that deploys has a forced command.
lines() { docker exec "$env-$1" grep -v "command=" /run/slipway/ssh/authorized_keys; }
fingerprints() { # of all instances, each key once
    for i in sleeper-1 sleeper-2 echo-1; do lines "$i"; done | ssh-keygen -lf - | cut -d' ' -f2 | sort | uniq -c |
        awk '{ print $1 ":" $2 }' | paste -sd' '
}
# The key that deploys: its lines without their forced command, and those that have none.
deployers() { for i in sleeper-1 sleeper-2 echo-1; do docker exec "$env-$i" \
    sed -n 's/^restrict,command="[^"]* release forced" //p' /run/slipway/ssh/authorized_keys; done |
    sort | uniq -c | awk '{ print $1 ":" $3 }' | paste -sd' '; }
loose() { for i in sleeper-1 sleeper-2 echo-1; do
    docker exec "$env-$i" grep slipway-deploy /run/slipway/ssh/authorized_keys | grep -v '^restrict,command='; done; }
deploys() { slip agent status --json | jq -e '[.results[] | select(.via == "ssh" and .ok)] | length == 3'; }
generation() { [ ! -e "$SLIPWAY_HOME/$env/ssh.json" ] || jq -c .ssh "$SLIPWAY_HOME/$env/ssh.json"; }
everywhere() {
    slip run --json --on sleeper,echo true | jq -e '[.results[] | select(.via == "ssh" and .ok)] | length == 3'
}
check "every instance answers over SSH" everywhere
check "and to the key that deploys" deploys
first=$(fingerprints) first_deployer=$(deployers)
pid=$(docker exec "$env-sleeper-1" cat /proc/1/task/1/children)

ctl() {
    docker exec -i "$env-etcd-1" sh -c 'ETCDCTL_USER="root:$(cat /run/slipway/secrets/root_password)"
        export ETCDCTL_API=3 ETCDCTL_USER
        exec etcdctl "$@"' - "$@"
}
deploy_key=$(ctl get --prefix --keys-only "/slipway/$env/" | grep '/sleeper-1/.*deploy')
old_deployers=$(ctl get --print-value-only "$deploy_key")
check_status "the key is rotated" 0 slip key rotate ssh
check_same "the state is at rest" '{"generation":2}' "$(generation)"
check "every instance answers" everywhere
second=$(fingerprints)
check_same "with one key in all of them" 3 "${second%%:*}"
check_not "which is another one" test "$first" = "$second"
check_same "and one that deploys" 3 "$(deployers | cut -d: -f1)"
check_not "which is another one, too" test "$first_deployer" = "$(deployers)"
check "and works" deploys
check_same "nothing was restarted" "$pid" "$(docker exec "$env-sleeper-1" cat /proc/1/task/1/children)"
check_status "nothing is left to do for up" 0 slip -f "$file" plan

check_status "it tells JSON" 0 slip --json key rotate ssh
check "with the new generation" jq -e '.generation == 3 and .resumed == false and (.instances | length) == 3' "$TMP/out"
check_status "other keys are refused" 6 slip key rotate etcd

# Killed as soon as a step is said, and once right at its beginning; then the next run ends what was begun.
generation=3
for step in 0 1 2 3 4; do
    "$SLIPWAY" "${slip_options[@]}" -e "$env" key rotate ssh >"$TMP/steps" 2>&1 &
    victim=$!
    said() { [ "$(grep -c '' "$TMP/steps")" -ge "$step" ] && [ "$(generation | jq '.next // .previous')" != null ]; }
    wait_until 60 said || true
    kill -9 $victim 2>/dev/null || true
    wait $victim 2>/dev/null || true
    check "killed after step $step: every instance answers" everywhere
    check "killed after step $step: agents can be deployed" deploys
    check_same "by keys that can do nothing else" "" "$(loose)"
    check_status "killed after step $step: up changes nothing but keys" 0 slip -f "$file" up --lock-wait 60s
    check "and every instance answers" everywhere
    check_status "killed after step $step: the next run ends it" 0 slip --json key rotate ssh --lock-wait 60s
    generation=$(jq .generation "$TMP/out")
    check_same "killed after step $step: the state is at rest" "{\"generation\":$generation}" "$(generation)"
    now=$(fingerprints)
    check_same "killed after step $step: one key in all of them" 3 "${now%%:*}"
    check_same "and no other" 1 "$(wc -w <<<"$now")"
    check_same "killed after step $step: one that deploys, too" 3 "$(deployers | cut -d: -f1)"
    check "killed after step $step: every instance answers at the end" everywhere
done

# An instance that does not take the new key keeps both; one that is stopped reads it when it starts.
docker pause "$env-sleeper-2" >/dev/null
check_status "an instance that does not answer stops it" 3 slip --timeout 10s key rotate ssh
check_has "and is named" "$(cat "$TMP/err")" "sleeper-2"
docker unpause "$env-sleeper-2" >/dev/null
check "everybody still answers" everywhere
slip stop sleeper-2
check_status "without it the next run ends it" 0 slip --json key rotate ssh
check_same "and says what is stopped" sleeper-2 "$(jq -r '.stopped[]' "$TMP/out")"
slip start sleeper-2
check "it takes the new key when it starts" wait_until 30 everywhere

# The key that deploys, as a version left it that did not rotate it.
check "an instance has an old key that deploys" ctl put "$deploy_key" "$old_deployers"
left_behind() {
    slip --json agent deploy --on sleeper-1 >"$TMP/out" 2>&1
    [ $? = 3 ] && grep -q "refused the key" "$TMP/out"
}
check "a deployment is refused" wait_until 60 left_behind
check_has "which says what mends it" "$(cat "$TMP/out")" '`slipway up` gives it the key that deploys agents'
check_status "and that does" 0 slip up
check "it deploys" wait_until 60 deploys

# Another operator's machine has the environment key alone, and this one has no etcd.
rm "$SLIPWAY_HOME/$env/ssh.json"
check_status "so has a deployment" 0 slip --json agent deploy --from "$B/slipway-agent" --on sleeper,echo
check "by the key in force" jq -e '[.results[] | select(.via == "ssh" and .ok)] | length == 3' "$TMP/out"
rm "$SLIPWAY_HOME/$env/ssh.json"
check "whoever has the environment key asks etcd for the generation" everywhere
check "and notes it" test -e "$SLIPWAY_HOME/$env/ssh.json"
docker stop "$env-etcd-1" >/dev/null
check "without etcd the note counts" everywhere
docker start "$env-etcd-1" >/dev/null

finish
