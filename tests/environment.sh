# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154 # TMP, SLIPWAY come from lib.sh
# For tests that bring an environment up: a name and a home of its own, and everything away at the end. After lib.sh:
#
#   needs "what is tried" jq python3
#   environment name
#   components <<END
#   etcd: {instances: 1}
#   END
#   check_status "up" 0 slip -f "$file" up

# needs WHAT PROGRAM...: where one of them is missing, or Docker does not answer, the test is skipped.
needs() {
    local what=$1 need
    shift
    for need; do command -v "$need" >/dev/null || { skip "$what" "no $need"; finish; }; done
    docker info >/dev/null 2>&1 || { skip "$what" "no Docker"; finish; }
}

# environment NAME [OPTION...]: sets `env` and `file`, the path of its document; `slip` is slipway with these options,
# for it.
environment() {
    env=t-$1-$$ file=$TMP/t-$1-$$.yaml
    shift
    slip_options=("$@")
    export SLIPWAY_HOME=$TMP/home
    on_exit "take_away $env"
}
slip() { "$SLIPWAY" "${slip_options[@]}" -q -e "$env" "$@"; }

# take_away ENVIRONMENT: also what `down` does not, when it is what failed.
take_away() {
    docker ps -q --filter "label=slipway.name=$1" --filter status=paused | xargs -r docker unpause
    "$SLIPWAY" "${slip_options[@]}" -q -e "$1" down --volumes --yes
    docker ps -aq --filter "label=slipway.name=$1" | xargs -r docker rm -f
    docker volume ls -q --filter "label=slipway.name=$1" | xargs -r docker volume rm
    docker network ls -q --filter "label=slipway.name=$1" | xargs -r docker network rm
}

# components: writes the document, with the components that standard input has.
components() {
    { printf 'name: %s\nprofile: quick\ncomponents:\n' "$env" && sed 's/^/  /'; } >"$file"
}

# says NAME STATUS SENTENCE COMMAND...: exact status, and the sentence on stderr.
says() {
    local name=$1 want=$2 sentence=$3
    shift 3
    check_status "$name" "$want" "$@"
    check_has "$name: and says so" "$(cat "$TMP/err")" "$sentence"
}
