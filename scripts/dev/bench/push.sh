#!/bin/bash
# SPDX-License-Identifier: MIT
# Writing 10,000 keys of 64 bytes with TLS and authentication. Floor: the same batches as ready-made files, posted by
# curl over plain HTTP without authentication. Peer: etcdctl put, one by one, 50 of them extrapolated. Then what an
# agent costs at its start: one connection with TLS, one authentication, one transaction, the program's own start
# included.
set -eu
. "$(dirname "$0")/lib.sh"

needs etcd etcdctl curl openssl

KEYS=10000
DRIVER=$B/integration/etcd_driver
[ -x "$DRIVER" ] || make -s -C "$ROOT" B="$B" "$DRIVER" >/dev/null || {
    echo "   no $DRIVER: make $DRIVER"
    exit 1
}
ports=(24790 24791 24792 24793)
pids=()
stop_all() { kill -9 "${pids[@]}"; }
on_exit stop_all

# start NAME CLIENT_URL PEER_URL FLAG...
start() {
    local name=$1 client=$2 peer=$3
    shift 3
    etcd --name "$name" --data-dir "$TMP/$name" --logger zap --log-level error --bcrypt-cost 4 \
        --listen-client-urls "$client" --advertise-client-urls "$client" --listen-peer-urls "$peer" \
        --initial-advertise-peer-urls "$peer" --initial-cluster "$name=$peer" "$@" >"$TMP/$name.log" 2>&1 &
    pids+=($!)
    disown
}

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$TMP/key.pem" -out "$TMP/cert.pem" -days \
    2 \
    -subj /CN=etcd -addext subjectAltName=IP:127.0.0.1 2>/dev/null
pin=sha256//$(openssl x509 -in "$TMP/cert.pem" -pubkey -noout | openssl pkey -pubin -outform der |
    openssl dgst -sha256 -binary | base64)
start secure "https://127.0.0.1:${ports[0]}" "http://127.0.0.1:${ports[1]}" --cert-file "$TMP/cert.pem" --key-file \
    "$TMP/key.pem"
start plain "http://127.0.0.1:${ports[2]}" "http://127.0.0.1:${ports[3]}"
open="etcds://127.0.0.1:${ports[0]}?pin=$pin"
link="etcds://root:bench-password@127.0.0.1:${ports[0]}?pin=$pin"
plain=http://127.0.0.1:${ports[2]}
drive() { SLIPWAY_LINK=$link "$DRIVER" "$@"; }
for _ in $(seq 50); do
    if SLIPWAY_LINK=$open "$DRIVER" auth && curl -fs "$plain/health"; then break; fi
    sleep 0.1
done >/dev/null 2>&1
for command in "role root" "user root bench-password root" auth-on; do
    # shellcheck disable=SC2086 # words
    SLIPWAY_LINK=$open "$DRIVER" $command
done

# The floor: 79 bodies made beforehand, one curl with CONNECTIONS of them under way at once.
make_bodies() {
    local value
    value=$(head -c 64 /dev/zero | tr '\0' v | base64 -w0)
    awk -v keys=$KEYS -v value="$value" -v dir="$TMP" -v url="$plain/v3/kv/txn" '
        function b64(text,   i, out, n, alphabet) {
            alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
            for (i = 1; i <= length(text); i += 3) {
                n = ord[substr(text, i, 1)] * 65536 + ord[substr(text, i + 1, 1)] * 256 + ord[substr(text, i + 2, 1)]
                out = out substr(alphabet, int(n / 262144) + 1, 1) substr(alphabet, int(n / 4096) % 64 + 1, 1) \
                    substr(alphabet, int(n / 64) % 64 + 1, 1) substr(alphabet, n % 64 + 1, 1)
            }
            return out
        }
        BEGIN {
            for (i = 32; i < 127; i++) ord[sprintf("%c", i)] = i
            for (k = 0; k < keys; k++) {
                file = dir "/body" int(k / 128)
                printf("%s{\"request_put\":{\"key\":\"%s\",\"value\":\"%s\"}}", (k % 128 ? "," : "{\"success\":["),
                    b64(sprintf("/bench/key-%07d", k)), value) >file
                if (k % 128 == 127 || k == keys - 1) {
                    print "]}" >file
                    close(file)
                    printf("%surl = %s\nheader = \"Expect:\"\ndata-binary = @%s\noutput = /dev/null\n",
                        (k >= 128 ? "next\n" : ""), url, file)
                }
            }
        }' >"$TMP/curl.conf"
}
floor() { # floor CONNECTIONS
    if [ "$1" = 1 ]; then curl -fs -K "$TMP/curl.conf"; else curl -fs -Z --parallel-max "$1" -K "$TMP/curl.conf"; fi
}
one_by_one() {
    local i
    for i in $(seq 50); do
        ETCDCTL_API=3 etcdctl --endpoints "https://127.0.0.1:${ports[0]}" --cacert "$TMP/cert.pem" \
            --user root:bench-password put "/one/$i" "$(printf 'v%.0s' $(seq 64))"
    done
}

make_bodies
table
for connections in 1 2 4 8; do
    floor_ms=$(median_ms 5 floor "$connections")
    value=$(median_ms 5 drive push "/bench/" $KEYS 64 "$connections")
    limit=
    [ "$connections" != 4 ] || limit=500
    row "$KEYS keys, $connections connections; floor: plain HTTP" "$value" ms "$floor_ms" "$limit"
done
single=$(median_ms 1 one_by_one)
row "$KEYS keys, 4 connections; peer: etcdctl put" "$(median_ms 3 drive push "/bench/" $KEYS 64 4)" ms \
    "$(awk -v ms="$single" -v keys=$KEYS 'BEGIN { print ms / 50 * keys }')"
drive put /agent/a 1
row "agent's start: TLS, authenticate, read" "$(median_ms 11 drive start /agent/ /bench/key-000001)" ms "" 50
memory=$(drive start /agent/ | awk '/RssAnon/ { print $2 }')
row "private memory after that" "$memory" KiB "" 3072
