# SPDX-License-Identifier: MIT
"""For server.sh: something that answers at the port where slipwayd is expected.
Usage: server_fake.py CERT KEY PORT-FILE MODE

MODE is "garbage" (bytes), "plain" (HTTP without TLS), "html", "redirect", "empty", "broken" (JSON that is cut), "list",
"missing" (rows without their fields), "escapes" (names with escape sequences), "problem" (an error with escape
sequences), "overtaken" (changes are refused with 412), "endless" (a body without an end), "gone" (a task that is never
found again), "slow" (a task that does not end), "dies" (it closes after the request), or of logs "whole", "cut" (an
answer without the last line) or "breaks" (the connection ends in the middle of one)."""
import http.server
import json
import ssl
import sys
import threading

CERT, KEY, PORT_FILE, MODE = sys.argv[1:]
ROW = {"instance": "echo-1", "component": "echo", "state": "ready", "health": "healthy", "ok": True,
       "config": {"current": True}}
STATUS = {"environment": "there", "healthy": True, "instances": [ROW], "etcd": {"answers": True}, "strays": []}
TASK = {"id": "t-1", "kind": "volume.create", "target": "disk", "by": "ann", "state": "running", "created": "",
        "done": 0, "total": 0}
JSON, PROBLEM = "application/json", "application/problem+json"
LOG = ('{"instances": ["echo-1"]}\n{"instance": "echo-1", "stream": 1, "time": "2026-01-31T23:59:59.123456789Z", '
       '"text": "one"}\n')


def problem(status, code, detail):
    return status, PROBLEM, {"type": "about:blank", "title": "No", "status": status, "code": code, "detail": detail}


def answer(method, path):
    """(status, type, body) for a request."""
    if MODE == "html":
        return 200, "text/html", "<h1>It works!</h1>"
    if MODE == "redirect":
        return 302, "text/html", "elsewhere"
    if MODE == "empty":
        return 200, JSON, ""
    if MODE == "broken":
        return 200, JSON, json.dumps(STATUS)[:-20]
    if MODE == "list":
        return 200, JSON, [1, 2, 3]
    if MODE == "missing":
        return 200, JSON, {"environment": "there", "healthy": True, "instances": [{"instance": "echo-1"}, 7], "etcd": 1,
                           "items": [{"name": 1}, None], "value": None, "component": {}, "text": ["a"], "total": 9e99}
    if MODE == "escapes":
        return 200, JSON, {**STATUS, "instances": [{**ROW, "instance": "echo\x1b]0;owned\x07"}]}
    if MODE == "problem":
        return problem(409, "locked", "held by \x1b]0;owned\x07\nsomebody")
    if MODE == "overtaken" and method == "PATCH":
        return problem(412, "precondition", "somebody else has changed echo meanwhile")
    if MODE in ("slow", "gone") and method == "POST":
        return 202, JSON, TASK
    if MODE == "slow":
        with open(PORT_FILE.replace("port", "asked"), "w") as f:
            f.write("yes")
        return 200, JSON, TASK
    if MODE in ("whole", "cut", "breaks"):
        return 200, "application/x-ndjson", LOG + ('{"end": true}\n' if MODE == "whole" else "")
    if MODE == "gone":
        return problem(404, "notfound", "there is no task t-1")
    return 200, JSON, {"target": "echo", "component": "echo", "given": {}, "keys": [], "schema": {}}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def handle_all(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if MODE == "garbage":
            self.wfile.write(b"\x00\x01\x02 what?\r\n\r\n")
            self.close_connection = True
            return
        if MODE == "dies":
            self.close_connection = True
            return
        if MODE == "endless":
            self.send_response(200)
            self.send_header("Content-Type", JSON)
            self.end_headers()
            try:
                while True:
                    self.wfile.write(b" " * 65536)
            except OSError:
                return
        status, kind, body = answer(self.command, self.path)
        data = (body if isinstance(body, str) else json.dumps(body) + "\n").encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data) + (100 if MODE == "breaks" else 0)))
        self.close_connection = MODE == "breaks"
        self.send_header("ETag", '"1"')
        self.send_header("Location", "http://elsewhere.example/")
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = do_PATCH = do_DELETE = handle_all

    def log_message(self, *args):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
server.handle_error = lambda *args: None
if MODE != "plain":
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERT, KEY)
    server.socket = context.wrap_socket(server.socket, server_side=True)
threading.Thread(target=server.serve_forever, daemon=True).start()
with open(PORT_FILE, "w") as f:
    f.write(str(server.server_address[1]) + "\n")
threading.Event().wait()
