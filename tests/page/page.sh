#!/bin/bash
# SPDX-License-Identifier: MIT
# The controller's page in a real Chromium against a real slipwayd and a real environment: every page and every action,
# what axe finds, pictures in build/page/shots. PAGE_ONLY="edits logs": these parts; PAGE_STORAGE=0: without a
# storage cluster, so without volumes; PAGE_KEEP=NAME: an environment that is there already, and stays.
# about 240 s
set -eu
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../environment.sh"

needs "the page in a browser"
CHROMIUM=${CHROMIUM:-$(command -v chromium || command -v chromium-browser || true)}
[ -x "$B/slipwayd" ] || { skip "the page in a browser" "no slipwayd in $B"; finish; }
modules=$("$ROOT/scripts/dev/page-modules") || { skip "the page in a browser" "$modules"; finish; }

export PAGE_STORAGE=${PAGE_STORAGE:-1}
environment page --catalog "$ROOT/tests/data/components"
if [ -n "${PAGE_KEEP:-}" ]; then
    env=$PAGE_KEEP
    export SLIPWAY_HOME=$PAGE_HOME
    exit_jobs=()
else
    {
        echo 'etcd: {instances: 1}'
        echo 'echo: {instances: 2}'
        echo 'sleeper: {instances: 1}'
        if [ "$PAGE_STORAGE" = 1 ]; then
            printf '%s: {instances: 1}\n' ceph-mon ceph-mgr ceph-osd volumedriver-qemu
        fi
    } | components
    check_status "up" 0 slip -f "$file" up
fi

# The server's switch, which the test uses too: start | stop (kill -9)
port=$(free_port)
cat >"$TMP/server" <<END
#!/bin/bash
set -eu
case \$1 in
start)
    setsid "$B/slipwayd" --env "$env" --catalog "$ROOT/tests/data/components" --listen 127.0.0.1:$port \
        --data "$TMP/data" "\${@:2}" >>"$TMP/server.out" 2>>"$TMP/server.err" </dev/null &
    echo \$! >"$TMP/server.pid" ;;
stop) kill -9 "\$(cat "$TMP/server.pid")" ;;
esac
END
chmod +x "$TMP/server"
mkdir "$TMP/data"
on_exit '"$TMP/server" stop'
"$TMP/server" start --first-token
check "slipwayd answers" wait_until 60 curl -kfs "https://127.0.0.1:$port/api/v1/health"
check "it prints a token" wait_until 60 grep -q '^token ' "$TMP/server.out"
token=$(sed -n 's/^token //p' "$TMP/server.out" | head -n 1)

status=0
CHROMIUM=$CHROMIUM PAGE_MODULES=$modules PAGE_URL=https://127.0.0.1:$port PAGE_TOKEN=$token PAGE_ENV=$env \
    PAGE_SERVER=$TMP/server PAGE_SHOTS=$modules/shots timeout "${PAGE_SECONDS:-540}" \
    node "$ROOT/tests/page/page.mjs" >"$TMP/page" 2>&1 || status=$?
grep -v '^[0-9]* passed, ' "$TMP/page" || true
total=$(grep -E '^[0-9]+ passed, [0-9]+ failed$' "$TMP/page" | tail -n 1)
if [ -z "$total" ]; then
    not_ok "the browser's part ended early" "status $status"
else
    read -r good _ bad _ <<<"$total"
    passed=$((passed + good)) failed=$((failed + bad))
    skipped=$((skipped + $(grep -c '^skipped - ' "$TMP/page" || true)))
fi
[ "$failed" = 0 ] || tail -n 20 "$TMP/server.err"
finish
