#!/bin/bash
# SPDX-License-Identifier: MIT
# Every key of every built-in component with each kind of value that its schema refuses: refused in one sentence with
# its place, before anything is asked of Docker.
set -eu
. "$(dirname "$0")/../lib.sh"

command -v jq >/dev/null || { skip "refused values" "no jq"; finish; }
export SLIPWAY_HOME=$TMP/home DOCKER_HOST=unix://$TMP/no-docker.sock # nothing here may reach an engine
file=$TMP/refused.yaml

# "key value", one a line, from a component's JSON Schema: of another type, below and above its bounds.
# shellcheck disable=SC2016 # jq's
bad_values='.properties | to_entries[] | .key as $key | .value as $v |
    ([$v.type] | flatten) as $types |
    [ (if $v.enum then "nonsense" else empty end),
      (if $v.pattern then "\"much of it\"", "[1]" else empty end),
      (if $v.minimum != null then $v.minimum - 1 else empty end),
      (if $v.maximum != null then $v.maximum + 1 else empty end),
      (if $types | index("object") then "[1]", "words" else empty end),
      (if $types | index("array") then "{a: 1}" else empty end),
      (if $types == ["boolean"] then "perhaps" else empty end),
      (if $types == ["integer"] then "1.5", "many" else empty end),
      (if $types | index("object") or index("array") then empty else "{a: {b: 1}}", "[[1]]" end) ][] | "\($key) \(.)"'
others() { # COMPONENT: what it requires, so that nothing else is wrong
    local needed
    "$SLIPWAY" catalog show "$1" | sed -n 's/^- needs: //p' | tr -d , | tr ' ' '\n' | while read -r needed; do
        [ -z "$needed" ] || { echo "$needed"; others "$needed"; }
    done
}
keys=0
while read -r component; do
    tried=''
    while read -r key value; do
        case " $tried " in *" $key "*) ;; *) tried+=" $key" ;; esac
        {
            printf 'name: refused\ncomponents:\n'
            { echo etcd; others "$component"; } | sort -u | grep -vx "$component" | sed 's/.*/  &: {}/'
            printf '  %s:\n    config:\n      %s: %s\n' "$component" "$key" "$value"
        } >"$file"
        line=$(wc -l <"$file")
        status=0
        "$SLIPWAY" validate "$file" >"$TMP/out" 2>"$TMP/err" </dev/null || status=$?
        check_same "$component: $key: $value is refused" 6 "$status"
        check_has "$component: $key: $value: where it stands" "$(cat "$TMP/err")" "refused.yaml:$line:"
        check_has "$component: $key: $value: by its name" "$(cat "$TMP/err")" "$key"
        check_same "$component: $key: $value: in one sentence and the count" 2 "$(wc -l <"$TMP/err")"
    done < <("$SLIPWAY" catalog show "$component" --json | jq -r "$bad_values")
    all=$("$SLIPWAY" catalog show "$component" --json | jq -r '.properties | keys[]' | sort | xargs)
    check_same "$component: every key was tried" "$all" "$(tr ' ' '\n' <<<"$tried" | grep . | sort | xargs)"
    keys=$((keys + $(wc -w <<<"$all")))
done < <("$SLIPWAY" catalog list --json | jq -r '.[].component')
check "that are many keys ($keys)" test "$keys" -ge 30
finish
