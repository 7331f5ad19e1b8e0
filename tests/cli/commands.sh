#!/bin/bash
# SPDX-License-Identifier: MIT
# The command line without any host: help, exit statuses, one-line errors, printed documents.
# UPDATE=1 rewrites the golden files.
set -eu
. "$(dirname "$0")/../lib.sh"

export SLIPWAY_HOME=$TMP/home COLUMNS=80
export DOCKER_HOST=unix://$TMP/no-docker.sock # nothing here may reach an engine
unset SLIPWAY_SHARE SLIPWAY_LINK NO_COLOR
golden=$ROOT/tests/data/cli
slip() { "$SLIPWAY" "$@"; }
cd "$TMP"

# same NAME FILE COMMAND...: output as in the golden file.
same() {
    local name=$1 file=$golden/$2
    shift 2
    "$@" >"$TMP/got" 2>&1 </dev/null || true
    [ -z "${UPDATE:-}" ] || cp "$TMP/got" "$file"
    check "$name" diff -u "$file" "$TMP/got"
}

# fails NAME STATUS SENTENCE COMMAND...: exact status, exactly one line on stderr, nothing on stdout.
fails() {
    local name=$1 want=$2 sentence=$3 status=0
    shift 3
    "$@" >"$TMP/out" 2>"$TMP/err" </dev/null || status=$?
    check_same "$name: status" "$want" "$status"
    check_same "$name: sentence" "slipway: $sentence" "$(cat "$TMP/err")"
    check_same "$name: nothing on stdout" "" "$(cat "$TMP/out")"
}

commands=$(slip --help | sed -n 's/^  \([a-z][a-z ]*[a-z]\)   *[^ ].*/\1/p')
all_help() {
    local c
    slip --help
    while read -r c; do
        printf '\n======== %s\n' "$c"
        # shellcheck disable=SC2086 # a command may be two words
        slip $c --help || echo "status $?"
    done <<<"$commands"
}
same "the help of every command" help.golden all_help
while read -r c; do
    # shellcheck disable=SC2086
    check "help of $c ends well" slip $c --help
done <<<"$commands"

check_status "no command: the overview on stderr" 6 slip
check_has "which is the help" "$(cat "$TMP/err")" "Usage: slipway"
check_status "the first word of several commands with --help" 0 slip volume --help
check_has "lists them" "$(cat "$TMP/out")" "volume create    create volumes"
check_hasnt "and no others" "$(cat "$TMP/out")" "pool create"
check_status "help" 0 slip help
check "is the overview" diff <(slip --help) "$TMP/out"
check_status "help of a command" 0 slip help volume create
check "is that of --help" diff <(slip volume create --help) "$TMP/out"
check_status "help of the first word of several commands" 0 slip help volume
check "is that of --help too" diff <(slip volume --help) "$TMP/out"
fails "help of a command that is not there" 6 \
    "there is no command stauts (did you mean status?); \`slipway --help\` lists them" slip help stauts
fails "a word of another tool" 6 "there is no \`slipway ps\`: \`slipway status\` lists the instances" slip ps
follow "what it says needs Docker, and no other words" 1
fails "two of them" 6 "there is no \`slipway volume rm\`: \`slipway volume delete VOLUME\` deletes one" slip volume rm \
    disk
fails "an option of another tool" 6 \
    "there is no \`slipway up -d\`: \`slipway up\` always ends when all is up, and leaves the containers running" slip \
    up my.yaml -d
fails "one that would be taken for another" 6 \
    "there is no \`slipway down -v\`: \`slipway down --volumes\` removes the data too, --verbose says more" slip down -v
for word in ls rm kill inspect scale "volume ls" "volume inspect" "pool ls" "pool rm" "up -y" "up --yes" "up --detach" \
    "up --dry-run" "help ps"; do
    # shellcheck disable=SC2086
    check_status "$word of another tool" 6 slip $word
    check_has "$word: in our word" "$(cat "$TMP/err")" "there is no \`slipway ${word#help }\`: "
done
for lost in "down --volumes" "down --volume x" "remove --volumes etcd-1"; do
    # shellcheck disable=SC2086
    check_status "$lost: data is not lost of an environment that is guessed" 6 slip $lost --yes
    check_has "$lost: it says so" "$(cat "$TMP/err")" "loses data: name the environment with --env or --file"
    # shellcheck disable=SC2086
    check_status "$lost: nor without a terminal or --yes" 6 slip -e demo $lost </dev/null
    check_has "$lost: it says what it needs" "$(cat "$TMP/err")" "nobody can be asked: it needs --yes"
    # shellcheck disable=SC2086
    check_status "$lost: with both it comes as far as the engine" 1 slip -e demo $lost --yes
done
# Volumes and pools are named by the command itself.
for lost in "clean --volume x" "volume delete x" "volume delete x --force" "volume rollback x before" \
    "volume resize x 1MiB --force" "volume snapshot x before --delete" "pool delete x"; do
    # shellcheck disable=SC2086
    check_status "$lost: nothing is lost without a terminal or --yes" 6 slip $lost </dev/null
    check_has "$lost: says what it needs" "$(cat "$TMP/err")" "nobody can be asked: it needs --yes"
    # shellcheck disable=SC2086
    check_status "$lost: with --yes it comes as far as the engine" 1 slip -e demo $lost --yes
done
fails "an editor for nobody" 6 "config edit needs a terminal, or an editor that needs none in VISUAL or EDITOR; \
\`slipway config set --help\` says how to do without one" env -u VISUAL -u EDITOR "$SLIPWAY" -e demo config edit etcd
follow "what it says" 0
check_status "one that the caller names" 1 env EDITOR=true "$SLIPWAY" -e demo config edit etcd
onto_full() { slip "$@" >/dev/full; }
for words in --version help "up --help" "volume --help" version "--json version" "catalog list" "catalog schema" man \
    "completion bash" "validate $ROOT/components/demo.yaml" "new -n full -o -"; do
    # shellcheck disable=SC2086
    check_status "$words onto a full disk" 1 onto_full $words
    check_has "$words: says so" "$(cat "$TMP/err")" "standard output could not be written"
done
check_status "--version" 0 slip --version
check_status "version --json" 0 slip version --json
check "is JSON" jq -e .version "$TMP/out"
fails "an unknown command" 6 "there is no command stauts (did you mean status?); \`slipway --help\` lists them" slip \
    stauts
follow "what it says" 0
fails "a group without its second word" 6 "config needs one of: get, set, delete, list, show, edit, history" slip config
fails "a missing operand" 6 "exec needs INSTANCE [--] [COMMAND ...]; see \`slipway exec --help\`" slip exec
follow "what it says" 0
check_status "exec -it, as Docker has it" 0 slip --parse-only exec -it etcd-1 -- true
fails "an operand too many" 6 "list takes no extra; see \`slipway list --help\`" slip list extra
check_status "an unknown option" 6 slip status --wdie
check_has "with the nearest one" "$(cat "$TMP/err")" "--wide"
check_same "in one line" 1 "$(wc -l <"$TMP/err")"
check_status "a bad duration" 6 slip --timeout soon status
for option in $("$B/slipway-agent" volume-rules | jq -r '.create_options[]'); do
    check_has "volume create has the option $option of Docker's volumes" "$(slip volume create --help)" "--$option"
done
fails "an impossible name" 6 "No_Name is not a valid environment name: a-z, 0-9 and -, at most 40" slip -e No_Name \
    status
check_status "no engine" 1 slip -e demo status
check_same "is one line" 1 "$(wc -l <"$TMP/err")"

# The log as JSON lines, and in a file
check_status "JSON lines: an error" 6 slip --log-format json -e No_Name status
check "every line is an object" jq -e . "$TMP/err"
check "the last word is one too, with what belongs to it" jq -es \
    'map(select(.level == "error")) | length == 1 and
        (.[0] | (.message | test("No_Name is not a valid environment name")) and .component == "status" and
        .program == "slipway" and .seq > 0 and .pid > 0 and (.host | length) > 0 and (.time | test("Z$")))' "$TMP/err"
printf 'name: Bad_Name\ncolour: red\ncomponents: {}\n' >bad-log.yaml
check_status "problems of a document" 6 slip --log-format=json validate bad-log.yaml
check "are lines too" jq -es 'map(select(.level == "error")) | length > 2' "$TMP/err"
check_status "by the environment's variable" 6 env SLIPWAY_LOG_FORMAT=json "$SLIPWAY" -e No_Name status
check "it is JSON" jq -e . "$TMP/err"
check_status "an option beats the variable" 6 env SLIPWAY_LOG_FORMAT=json "$SLIPWAY" --log-format text -e No_Name status
check_has "it is text" "$(cat "$TMP/err")" "slipway: No_Name is not a valid environment name"
fails "an unknown format" 6 '--log-format: "xml" is not one of text, json' slip --log-format xml version
fails "an unknown format in the variable" 6 "SLIPWAY_LOG_FORMAT is xml; text and json are allowed" env \
    SLIPWAY_LOG_FORMAT=xml "$SLIPWAY" version
check_status "a log file" 6 slip --log-file log.json -e No_Name status
check_same "leaves stderr as it is" "slipway: No_Name is not a valid environment name: a-z, 0-9 and -, at most 40" \
    "$(cat "$TMP/err")"
check_status "and once more" 0 env SLIPWAY_LOG_FILE=log.json "$SLIPWAY" version
check_same "it is appended to, and for its owner alone" "5 600" "$(wc -l <log.json) $(stat -c %a log.json)"
check "it says how each ended" jq -es \
    '[.[] | select(.message | test("^ends with status")).message | split(" ")[3]] == ["6", "0"]' log.json
check_status "a log file that cannot be" 1 slip --log-file /proc/nowhere/log version
mkfifo pipe
check_status "a pipe that nobody reads" 6 slip --log-file pipe version
cat pipe >piped & reader=$!
check_status "a pipe with a reader" 0 slip --log-file pipe version
wait $reader
check "gets the lines" jq -es 'length == 2' piped
exec 7<>pipe
check_status "a pipe is filled" 124 timeout 1 dd if=/dev/zero of=pipe bs=512
check_status "a pipe whose reader stalls is not waited for" 0 timeout 60 "$SLIPWAY" --log-file pipe version
exec 7<&-

# Documents
printf 'name: ok\ncomponents:\n  etcd: {}\n  ceph-mon: {instances: 1}\n' >ok.yaml
printf 'name: Bad_Name\ncolour: red\ncomponents:\n  ceph-mon: {instances: 2}\n  cehp-osd: {}\n' >bad.yaml
check_status "a valid document" 0 slip validate ok.yaml
# The list of components grows; the sentence stays.
problems() { slip validate bad.yaml 2>&1 | sed 's/; allowed: ceph-mgr.*/; allowed: .../'; }
same "every problem of a document at once" validate.golden problems
check_status "an invalid document is status 6" 6 slip validate bad.yaml
check_status "validate --json" 6 slip validate --json bad.yaml
check "lists the problems" jq -e '.valid == false and (.problems | length) >= 3' "$TMP/out"
printf 'name: ok\ncomponents:\n  etcd: {}\ncomponents:\n  ceph-mon: {instances: 2}\nname: ok\n' >twice.yaml
check_status "keys that are given twice" 6 slip validate twice.yaml
check_has "hide nothing" "$(cat "$TMP/err")" "twice.yaml:5:25: instances: 2: ceph-mon may have one of 1, 3, 5"
check_has "nor each other" "$(cat "$TMP/err")" 'twice.yaml:6:1: the key "name" is given twice; first on line 1'
check_has "and are counted" "$(cat "$TMP/err")" "twice.yaml: 3 problems"
from_pipe() { slip "${@:2}" < <(cat "$1"); }
check_status "a document from a pipe" 0 from_pipe ok.yaml validate -
check_has "is standard input's" "$(cat "$TMP/out")" "/dev/stdin: valid; environment ok"
check_status "a bad one from a pipe" 6 from_pipe bad.yaml validate -
check_status "up from a pipe" 1 from_pipe ok.yaml up -
check_has "comes as far as the engine" "$(cat "$TMP/err")" no-docker.sock
check_status "plan from --file -" 6 from_pipe bad.yaml plan -f -
check_has "reads it there" "$(cat "$TMP/err")" "/dev/stdin:2:1"
check_status "a missing file" 6 slip validate nowhere.yaml
check_status "a binary file" 6 slip validate "$SLIPWAY"
head -c 200000 /dev/zero | tr '\0' '[' >deep.yaml
check_status "200 KB of [" 6 slip validate deep.yaml

check_status "new writes a document" 0 slip new -n fresh -p quick -c ceph-mon=1,ceph-osd=2
check_status "which is valid" 0 slip validate fresh.yaml
check_status "the same once more" 0 slip new -n fresh -p quick -c ceph-mon=1,ceph-osd=2
check_has "it is so already" "$(cat "$TMP/out")" "fresh.yaml is already written"
fails "new overwrites nothing" 1 "fresh.yaml is there already; name another file with --output" \
    slip new -n fresh -c ceph-mon=1
same "new to stdout" new.golden slip new -n fresh -c ceph-mon=3,ceph-osd=2 -o -
check_status "new refuses what is not allowed" 6 slip new -n fresh -c ceph-mon=2 -o -
check_status "new refuses a bad name" 6 slip new -n Fresh -o -
check_status "new without a terminal asks nothing" 0 slip new quiet -q
check "and takes the defaults" slip validate quiet.yaml
check_has "which are those of the demo" "$(cat quiet.yaml)" volumedriver-qemu

# On a terminal it asks, and each answer is checked when it is given.
wizard() { printf '%s\n' "$@" | script -qefc "'$SLIPWAY' new" /dev/null; }
check_status "new asks on a terminal" 0 wizard 'Bad!' fresh wizard slow quick 1 0 3 0 0 7x 1 0 0 0
check_has "a name that cannot be is asked for again" "$(cat "$TMP/out")" "Bad! is not a valid name"
check_has "and one whose file is there" "$(cat "$TMP/out")" "fresh.yaml is there already"
check_has "and a profile that nobody has" \
    "$(cat "$TMP/out")" "no component has a profile slow; there are: production, quick"
check_has "and what another component needs" "$(cat "$TMP/out")" "ceph-mgr needs ceph-mon"
check_has "and a count that cannot be" "$(cat "$TMP/out")" "7x does not fit: instances: 1, 3, 5"
check "what comes out is valid" slip validate wizard.yaml

# The catalog
check_status "catalog list" 0 slip catalog list
check_has "names the components" "$(cat "$TMP/out")" ceph-osd
check "catalog keys prints the page in the repository" diff <(slip catalog keys) <(sed 1,2d \
    "$ROOT/installer/model/KEYS.md")
check_status "catalog list --json" 0 slip --json catalog list
check "is JSON" jq -e '.[] | select(.component == "etcd")' "$TMP/out"
for m in "$ROOT"/components/*/component.yaml; do
    c=$(basename "$(dirname "$m")")
    check_status "documentation of $c" 0 slip catalog show "$c"
    while read -r key; do
        check_has "$c: key $key is documented" "$(cat "$TMP/out")" "\`$key\`"
    done < <(slip --json catalog show "$c" | jq -r '.properties // {} | keys[]')
done
fails "an unknown component" 1 "there is no component ceph-ods (did you mean ceph-osd?)" slip catalog show ceph-ods
check_status "the schema" 0 slip catalog schema
check "is a JSON Schema" jq -e '."$schema" and .properties.components' "$TMP/out"
mkdir -p more/thing
printf 'name: thing\nsummary: of a third party\nrun: {command: [sleep, infinity]}\n' >more/thing/component.yaml
check_has "--catalog adds components" "$(slip --catalog more catalog list)" thing
printf 'name: thing\nsumary: of a third party\n' >more/thing/component.yaml
check_status "a broken manifest is refused" 6 slip --catalog more catalog list
check_has "with its place" "$(cat "$TMP/err")" "more/thing/component.yaml:2:1"
printf 'name: a\ncomponents: {etcd: {instances: 1}}\n' >without.yaml
printf 'name: a\ncomponents: {etcd: {instances: 1}, thing: {instances: 1}}\n' >with.yaml
check_status "a document that does without it is valid" 0 slip --catalog more validate without.yaml
check_has "with a warning" "$(cat "$TMP/err")" "more/thing/component.yaml:2:1"
check_status "one that names it is refused" 6 slip --catalog more validate with.yaml
check_has "where it does" "$(cat "$TMP/err")" "with.yaml:2:36: components: the folder of thing"

# Man page and completion
slip man >slipway.1
if command -v man >/dev/null; then
    check_same "the man page has no warnings" "" "$(man --warnings -l slipway.1 2>&1 >/dev/null)"
fi
while read -r c; do
    check_has "the man page has $c" "$(cat slipway.1)" ".SS slipway ${c//-/\\-}"
done <<<"$commands"
for shell in bash zsh fish; do check_status "completion of $shell" 0 slip completion $shell; done
slip completion bash >c.sh
check "completion for bash parses" bash -n c.sh
complete_words() {
    PATH=$(dirname "$SLIPWAY"):$PATH bash -c '. ./c.sh; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=()
        _slipway 2>/dev/null; echo ${COMPREPLY[*]}' - "$@"
}
check_same "commands are completed" "status start" "$(complete_words slipway -e x sta)"
check_same "second words too" "set show" "$(complete_words slipway config s)"
check_same "options too" "--watch --wide" "$(complete_words slipway status --w)"
check_same "components too" "ceph-mgr ceph-mon" "$(complete_words slipway catalog show ceph-m)"
fails "completion of another shell" 6 "completion is there for bash, zsh and fish, not for tcsh" slip completion tcsh

# A machine whose libcrypto is set up for an approved provider that it lacks.
printf '%s\n' 'openssl_conf = a' '[a]' 'alg_section = b' '[b]' 'default_properties = fips=yes' >fips.cnf
for words in files status "check host" "clean --yes"; do
    # shellcheck disable=SC2086 # a command may be several words
    fails "no algorithms: $words" 1 "libcrypto, as it is set up here, has no SHA-256" env OPENSSL_CONF="$PWD/fips.cnf" \
        "$SLIPWAY" $words
done

# No escape sequences where nobody looks.
check_not "no colour in a pipe" grep -q "$(printf '\033')" <(slip catalog list; slip --help)
finish
