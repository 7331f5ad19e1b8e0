#!/bin/bash
# SPDX-License-Identifier: MIT
# How libcurl is linked: without the libraries of protocols that Slipway never speaks where that can be done, as
# everybody does where it cannot, and an answer that asks for one of them is an error like any other.
set -eu
. "$(dirname "$0")/../lib.sh"

parts=$ROOT/scripts/dev/curl-parts
cc=${CC:-gcc}
# compiler NAME 'CASES': the compiler, but for some questions.
compiler() {
    printf '#!/bin/bash\ncase " $* " in\n%s\nesac\nexec %s "$@"\n' "$2" "$cc" >"$TMP/$1"
    chmod +x "$TMP/$1"
}

compiler no-archive '*-print-file-name=libcurl.a*) echo libcurl.a; exit ;;'
check "without libcurl.a the choice is made" "$parts" "$TMP/no-archive" "$TMP/shared"
check_same "and it is the shared library" "-lcurl" "$(cat "$TMP/shared/arguments")"
compiler no-link '*/trial.c*) exit 1 ;;'
check "where libcurl.a does not link the choice is made" "$parts" "$TMP/no-link" "$TMP/other"
check_same "and it is the shared library too" "-lcurl" "$(cat "$TMP/other/arguments")"
compiler no-run '*/trial.c*) printf "#!/bin/sh\nexit 3\n" >"'"$TMP"'/third/trial"
    chmod +x "'"$TMP"'/third/trial"; exit ;;'
check "where the trial fails the choice is made" "$parts" "$TMP/no-run" "$TMP/third"
check_same "and it is the shared library as well" "-lcurl" "$(cat "$TMP/third/arguments")"

if [ ! -f "$($cc -print-file-name=libcurl.a)" ]; then
    skip "libcurl without its protocols" "this system has no libcurl.a"
    finish
fi
check "with libcurl.a the choice is made" "$parts" "$cc" "$TMP/own"
check_has "and it is the archive" "$(cat "$TMP/own/arguments")" libcurl.a

cat >"$TMP/ask.c" <<'END'
#include <curl/curl.h>
#include <stdio.h>
static size_t drop(char *p, size_t size, size_t n, void *arg)
{
    (void)p, (void)arg;
    return size * n;
}
int main(int argc, char **argv)
{
    CURL *c = curl_easy_init();
    if (argc < 2)
        return 99;
    curl_easy_setopt(c, CURLOPT_URL, argv[1]);
    curl_easy_setopt(c, CURLOPT_PROXY, "");
    curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(c, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, drop);
    printf("%s\n", curl_easy_strerror(curl_easy_perform(c)));
    return 0;
}
END
check "a program links with it" "$cc" -o "$TMP/ask" "$TMP/ask.c" -pie -fPIE "@$TMP/own/arguments"
needs=$(ldd "$TMP/ask" | awk '{ print $1 }' | grep -cvE \
    '^(linux-vdso|/|libc\.|libssl|libcrypto|libpthread|libdl|libz\.|libzstd)' || true)
check_same "and needs nothing but TLS and libc" 0 "$needs"

# One answer after the other, whatever is asked: the path names the header that it carries.
cat >"$TMP/server.py" <<'END'
import socket
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
while True:
    peer, _ = listener.accept()
    path = peer.recv(65536).split(b" ")[1].decode()
    name, _, value = path[1:].partition("=")
    more = "Content-Length: 4\r\n" if name != "Transfer-Encoding" else ""
    status = "401 Unauthorized" if name == "WWW-Authenticate" else "200 OK"
    peer.sendall(f"HTTP/1.1 {status}\r\n{name}: {value}\r\n{more}\r\n\x1f\x8b\x08\x00".encode("latin-1"))
    peer.close()
END
python3 "$TMP/server.py" >"$TMP/port" &
server=$!
on_exit "kill $server"
check "the server listens" wait_until 10 test -s "$TMP/port"
at=http://127.0.0.1:$(cat "$TMP/port")
for header in Transfer-Encoding=gzip Transfer-Encoding=deflate Transfer-Encoding=br Transfer-Encoding=zstd; do
    check_has "an answer with $header is an error" "$("$TMP/ask" "$at/$header" 2>&1 || echo "status $?")" ncoding
done
for header in Content-Encoding=gzip Content-Encoding=br WWW-Authenticate=Negotiate WWW-Authenticate=NTLM Upgrade=h2c \
    Alt-Svc=h3 Set-Cookie=a Location=ldap:; do
    check_same "an answer with $header is taken as it is" "No error" \
        "$("$TMP/ask" "$at/$header" 2>&1 || echo "status $?")"
done
check_same "a protocol that is left out is refused" "Unsupported protocol" \
    "$("$TMP/ask" ldap://127.0.0.1/ 2>&1 || echo "status $?")"
check_not "a host with other letters is refused" grep -q "No error\|status" <("$TMP/ask" http://b%C3%BCcher.invalid/ \
    2>&1 || echo "status $?")
finish
