#!/bin/bash
# SPDX-License-Identifier: MIT
# Disks that are full: under etcd, under an instance, and etcd's own quota. Each is said in words, and is over when
# there is space again.
set -eu
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../environment.sh"

needs "disk" jq
small=t-disk-small-$$
on_exit "docker rm -f $small; docker volume rm $small"
environment disk --catalog "$ROOT/tests/data/components"
# A volume of a few megabytes, which a container of ours keeps mounted.
docker volume create --opt type=tmpfs --opt device=tmpfs --opt o=size=8m "$small" >/dev/null

# ---- under etcd --------------------------------------------------------------------------------------
cat >"$file" <<END
name: $env
components:
  etcd: {instances: 1, overrides: {etcd-1: {volumes: [$small]}}}
END
check_status "up on a disk that is too small for etcd fails" 3 slip -f "$file" up
check_has "it names the instance" "$(cat "$TMP/err")" etcd-1
check_has "it says why" "$(cat "$TMP/err")" "no space left on device"
cat >"$file" <<END
name: $env
components:
  etcd: {instances: 1, config: {quota: 16MiB}}
  sleeper: {instances: 1, overrides: {sleeper-1: {volumes: [$small]}}}
END
check_status "with a large disk up goes on" 0 slip -f "$file" up

# ---- under an instance -------------------------------------------------------------------------------
docker exec "$env-sleeper-1" sh -c 'head -c 16777216 /dev/zero >/data/ballast' 2>/dev/null || true
check_not "the disk is full" docker exec "$env-sleeper-1" sh -c 'head -c 100000 /dev/zero >/data/more'
check_status "config set" 0 slip config set sleeper word "$(head -c 20000 /dev/zero | tr '\0' w)"
not_applied() { slip status --json | jq -e \
    '.instances[] | select(.instance == "sleeper-1") | .config.result == "failed"'; }
check "what could not be applied is said to have failed" wait_until 30 not_applied
slip status >"$TMP/out" 2>&1 || true
check_has "with the hook that met it" "$(cat "$TMP/out")" "hook apply failed"
docker exec "$env-sleeper-1" rm -f /data/ballast /data/more
check "with space again it is applied without a further command" wait_until 60 slip status

# ---- etcd's quota ------------------------------------------------------------------------------------
ctl() {
    docker exec "$env-etcd-1" sh -c \
        'export ETCDCTL_API=3 ETCDCTL_USER="root:$(cat /run/slipway/secrets/root_password)"; '"$1"
}
ctl 'i=0
    while [ $i -lt 40 ] && head -c 900000 /dev/zero | tr "\0" x | etcdctl put /other/filler >/dev/null; do
        i=$((i + 1))
    done' 2>/dev/null || true
check_has "etcd is at its quota" "$(ctl 'etcdctl alarm list')" NOSPACE
check_status "status is not healthy" 5 slip status
check_has "it names the alarm" "$(cat "$TMP/out")" NOSPACE
check_status "check fails" 5 slip check
check_has "it says what to do" "$(cat "$TMP/out")" "slipway etcd compact"
status=0
slip config set sleeper word never >"$TMP/out" 2>"$TMP/err" || status=$?
check_not "a change is refused" test "$status" = 0
check_has "with the reason and the way out" "$(cat "$TMP/err")" "quota is used up; \`slipway etcd compact\`"
sed 's/sleeper: {instances: 1/sleeper: {instances: 2/' "$file" >"$TMP/more.yaml"
says "up with something to do is refused" 1 "quota is used up; \`slipway etcd compact\`" slip -f "$TMP/more.yaml" up
check_status "up with nothing to do is not" 0 slip up
check_same "the instance goes on" true "$(docker inspect -f '{{.State.Running}}' "$env-sleeper-1")"
ctl 'etcdctl del /other --prefix' >/dev/null
"$SLIPWAY" "${slip_options[@]}" -e "$env" etcd compact >"$TMP/out"
check_has "one command makes room" "$(cat "$TMP/out")" "the alarm is cleared"
check_same "there is no alarm any more" "" "$(ctl 'etcdctl alarm list')"
check_status "once more does no harm" 0 slip --json etcd compact
check "and says the sizes" jq -e '.members == 1 and (.alarm | not) and .after <= .before and .after < 1000000' \
    "$TMP/out"
check "after that all is well" wait_until 60 slip status
check_status "and changes are possible" 0 slip config set sleeper word again
check "they arrive" wait_until 30 sh -c "docker exec '$env-sleeper-1' cat /data/word | grep -qx again"
ctl 'i=0
    while [ $i -lt 40 ] && head -c 900000 /dev/zero | tr "\0" x | etcdctl put /other/filler >/dev/null; do
        i=$((i + 1))
    done' 2>/dev/null || true
check_has "etcd is at its quota again" "$(ctl 'etcdctl alarm list')" NOSPACE
check_status "down does not need etcd to write" 0 slip down
check_same "nothing is left running" "" "$(docker ps -q --filter "label=slipway.name=$env")"
check_status "down --volumes" 0 slip down --volumes --yes
finish
