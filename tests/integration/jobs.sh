#!/bin/bash
# SPDX-License-Identifier: MIT
# What slipwayd does at certain times, on a real storage cluster: snapshots that come and go by a schedule and by hand,
# also when nobody was there at the time; schedules that change, are wrong, and are off; etcd, agents, checks.
# about 190 s
set -eu
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../environment.sh"

needs "jobs" jq curl
unset NO_COLOR SLIPWAY_LINK
environment jobs
components <<END
etcd: {instances: 1}
ceph-mon: {instances: 1}
ceph-mgr: {instances: 1}
ceph-osd: {instances: 1}
END
check_status "up" 0 slip -f "$file" up
check_status "two volumes" 0 slip volume create disk web --size 64MiB
check_status "one of them has a snapshot that somebody made" 0 slip volume snapshot web monday
says "a name like those of the job is refused" 6 "made by the job snapshots" slip volume snapshot disk \
    auto-2026-01-31T03-00Z

schedules=$TMP/jobs.json
# schedule SNAPSHOTS: of this job, and of no other.
schedule() {
    jq -n --argjson line "$1" '{schedules: {snapshots: $line, check: null}, keep: {hourly: 1, daily: 0, weekly: 0}}' \
        >"$schedules.new"
    mv "$schedules.new" "$schedules"
}
serve() { # NAME [OPTION...]
    "$B/slipwayd" --env "$env" --listen 127.0.0.1:0 --data "$TMP/data-$1" --jobs "$schedules" "${@:2}" \
        >"$TMP/$1.out" 2>>"$TMP/$1.log" &
    echo $! >"$TMP/$1.pid"
    disown
}
on_exit 'for f in "$TMP"/*.pid; do kill -9 $(cat "$f"); done'
said() { grep -qF -- "$2" "$TMP/$1.log"; }
token=
api() { # SERVER METHOD PATH
    curl -sk -X "$2" -H "Authorization: Bearer $token" "$(head -n 1 "$TMP/$1.out")api/v1/$3"
}
job() { api "$1" GET jobs | jq -er --arg job "$2" ".items[] | select(.name == \$job) | $3"; }
begun() { api "$1" POST "jobs/$2/run" | jq -er .id; }
ended() { job "$1" "$2" 'select(.last.result != "running") | .last.result'; }
automatic() { slip volume show "$1" --json | jq -r '.snapshots // {} | keys[] | select(startswith("auto-"))'; }
has_new() { automatic "$1" | grep -vxF "$2" | grep -q .; }
keeps() { job "$1" snapshots .name && said "$1" "this server keeps the environment"; }

schedule null
serve one --first-token
check "slipwayd prints a token" wait_until 20 grep -q '^token ' "$TMP/one.out"
server=$(head -n 1 "$TMP/one.out")
curl -sk -c "$TMP/cookies" -H 'Content-Type: application/json' -H "Origin: ${server%/}" \
    -d "{\"token\": \"$(sed -n 's/^token //p' "$TMP/one.out")\"}" "${server}api/v1/login" >/dev/null
token=$(curl -sk -b "$TMP/cookies" -H 'Content-Type: application/json' -H "Origin: ${server%/}" \
    -d '{"label": "jobs", "role": "operator", "days": 1}' "${server}api/v1/tokens" | jq -r .token)
check "it keeps the environment" wait_until 20 keeps one
check_same "jobs are listed" "snapshots check compact agents" \
    "$(api one GET jobs | jq -r '[.items[].name] | join(" ")')"
check_same "null is off" null "$(job one snapshots '[.schedule, .next] | map(select(.)) | first | tojson')"
check_same "none ran yet" null "$(job one snapshots '.last | tojson')"
check_has "of one that there is not the nearest is told" "$(api one POST jobs/snapshot/run)" "did you mean snapshots?"

# ---- wrong, and off ----

schedule '"0 3 * * *"'
check "a schedule is taken in while it serves" wait_until 10 job one snapshots 'select(.schedule == "0 3 * * *")'
check_has "and it is next at that hour, UTC" "$(job one snapshots .next)" "T03:00:00.000Z"
schedule '"0 25 * * *"'
check "a bad line is told" wait_until 10 job one snapshots '.problem | select(contains("the hour \"25\""))'
check_same "and the one before stays" "0 3 * * *" "$(job one snapshots .schedule)"
check "the log says so too" said one 'it stays 0 3 * * *'
echo '{"schedules": ' >"$schedules"
check "so is a file that is cut short" wait_until 10 job one check .problem
check_same "of which all stays" "0 3 * * *" "$(job one snapshots .schedule)"
schedule null
check "null switches it off" wait_until 10 job one snapshots 'select(.schedule == null and .problem == null)'

# ---- by hand, and while nobody is there ----

minute=$(($(date +%s) + 105)) # what follows is to be over before this minute begins
minute=$((minute - minute % 60))
schedule "\"$(date -u -d "@$minute" +%-M) * * * *\""
check "a schedule for a minute to come" wait_until 10 job one snapshots .next
check "snapshots begin by hand" begun one snapshots
check_has "not twice at once" "$(api one POST jobs/snapshots/run)" "job snapshots still runs"
check "they end" wait_until 30 ended one snapshots
check_same "well" "succeeded, 2 snapshots made, 0 deleted" "$(job one snapshots '.last | "\(.result), \(.text)"')"
first=$(automatic disk)
check_same "each volume has one of that minute" "$first" \
    "$(job one snapshots '"auto-\(.last.begun[:13])-\(.last.begun[14:16])Z"')"
check_same "of the same name" "$first" "$(automatic web)"
check_status "a volume is copied from one" 0 slip volume create copy --from "disk@$first"
kill -9 "$(cat "$TMP/one.pid")"
check "the minute passes while nobody keeps the environment" test "$(date +%s)" -lt "$minute"
while [ "$(date +%s)" -le "$minute" ]; do sleep 1; done
serve two
check "another server makes up for it" wait_until 30 has_new web "$first"
check "to the end" wait_until 60 ended two snapshots
check_same "for itself" "succeeded by job snapshots" "$(job two snapshots '.last | "\(.result) by \(.by)"')"
check_same "what is copied from stays" 2 "$(automatic disk | wc -l)"
check_same "what is old goes" 1 "$(automatic web | wc -l)"
check_same "the copy has one too" 1 "$(automatic copy | wc -l)"
slip volume show web --json >"$TMP/web"
check "what somebody made stays" jq -e .snapshots.monday "$TMP/web"
task=$(job two snapshots .last.task)
check_has "the task says what it kept" "$(api two GET "tasks/$task" | jq -r '.log[].text')" "disk: $first is kept: "
check_has "and who began it" "$(api two GET "tasks/$task")" '"by":"job snapshots"'
check_has "the history has it" "$(slip config history)" "3 snapshots made, 1 deleted"
check_has "with who did it" "$(slip config history)" "job snapshots@"

# ---- by the clock ----

second=$(automatic web)
schedule '"* * * * *"'
check "each minute" wait_until 75 has_new web "$second"
schedule null
check "which is switched off" wait_until 10 job two snapshots 'select(.schedule == null)'
check "and ends" wait_until 60 ended two snapshots

# ---- the others ----

history=$(slip config history | wc -l)
for one in compact agents check; do
    check "$one begins" begun two "$one"
    check "$one ends" wait_until 120 ended two "$one"
    check_same "$one: succeeded" succeeded "$(job two "$one" .last.result)"
    job two "$one" '"# \(.name): \(.last.text)"'
done
check_same "compacting left the history as it was, and is in it" $((history + 1)) "$(slip config history | wc -l)"
check "the check is the newest report" test "$(api two GET checks | jq -r .task)" = "$(job two check .last.task)"

serve three
check "of two servers one keeps the environment" wait_until 20 said three "this server waits"
check_has "the other one begins nothing" "$(api three POST jobs/check/run)" \
    'by the server that keeps the environment: `slipwayd` of '
check_same "and knows what became of the last" succeeded "$(job three check .last.result)"
finish
