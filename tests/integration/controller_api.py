# SPDX-License-Identifier: MIT
"""For controller.sh: what is asked of slipwayd, and what its answers have to be. Each function is one test, run by its
name; it raises, or prints why, and then its status is 1. Usage: controller_api.py FILE TEST [ARGUMENT...], where
FILE is JSON with "host", "port", and "tokens" by role."""
import http.client
import json
import socket
import ssl
import subprocess
import sys
import threading
import time

STATE = json.load(open(sys.argv[1]))
CONTEXT = ssl.create_default_context()
CONTEXT.check_hostname = False
CONTEXT.verify_mode = ssl.CERT_NONE
ROLES = ["anybody", "metrics", "viewer", "operator", "admin"]
OWN = f"https://{STATE['host']}:{STATE['port']}"
JSON = "application/json"


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def json(self):
        return json.loads(self.body)


def call(method, path, token=None, body=None, headers=None, source=None, stream=False):
    """One request on a connection of its own; `token` is a role's or a text."""
    connection = http.client.HTTPSConnection(STATE["host"], STATE["port"], timeout=40, context=CONTEXT,
                                             source_address=(source, 0) if source else None)
    all_headers = dict(headers or {})
    if token:
        all_headers["Authorization"] = "Bearer " + STATE["tokens"].get(token, token)
    data = None
    if body is not None:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        all_headers.setdefault("Content-Type", JSON)
    connection.request(method, path, data, all_headers)
    reply = connection.getresponse()
    if stream:
        return connection, reply
    answer = Answer(reply.status, reply.headers, reply.read())
    connection.close()
    return answer


def want(answer, status, what=""):
    if answer.status != status:
        raise AssertionError(f"{what} {answer.status} instead of {status}: {answer.body[:300]}")
    return answer


# ---- schemas ----

def is_type(value, name):
    return {"object": lambda: isinstance(value, dict), "array": lambda: isinstance(value, list),
            "string": lambda: isinstance(value, str), "boolean": lambda: isinstance(value, bool),
            "integer": lambda: isinstance(value, int) and not isinstance(value, bool)}[name]()


def fits(value, schema, schemas, where):
    if "$ref" in schema:
        return fits(value, schemas[schema["$ref"].split("/")[-1]], schemas, where)
    for one in schema.get("allOf", []):
        fits(value, one, schemas, where)
    if "type" in schema and not is_type(value, schema["type"]):
        raise AssertionError(f"{where}: {value!r} is not of type {schema['type']}")
    if "enum" in schema and value not in schema["enum"]:
        raise AssertionError(f"{where}: {value!r} is not one of {schema['enum']}")
    if "const" in schema and value != schema["const"]:
        raise AssertionError(f"{where}: {value!r} is not {schema['const']}")
    if isinstance(value, dict):
        properties = schema.get("properties", {})
        missing = [name for name in schema.get("required", []) if name not in value]
        foreign = [name for name in value if name not in properties] \
            if schema.get("additionalProperties") is False else []
        if missing or foreign:
            raise AssertionError(f"{where}: missing {missing}, foreign {foreign}")
        for name, item in value.items():
            if name in properties:
                fits(item, properties[name], schemas, f"{where}.{name}")
    if isinstance(value, list) and "items" in schema:
        for item in value:
            fits(item, schema["items"], schemas, where + "[]")
    return None


def document():
    return want(call("GET", "/api/v1/openapi.json"), 200).json()


def fill(path):
    task = call("GET", "/api/v1/tasks", "admin").json()["items"]
    token = call("GET", "/api/v1/tokens", "admin").json()["items"]
    for name, value in {"instance": "sleeper-1", "component": "sleeper", "target": "sleeper", "user": "ann",
                        "task": task[0]["id"] if task else "t", "token": token[0]["id"]}.items():
        path = path.replace("{" + name + "}", value)
    return path.replace("{", "no-").replace("}", "")


def operations():
    """(method, path, operation) of every route."""
    for path, methods in document()["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), path, operation


def every_answer_fits():
    """Every GET answers what the OpenAPI document says; a failure is a problem that fits too."""
    d = document()
    schemas = d["components"]["schemas"]
    seen = 0
    for method, path, operation in operations():
        if method != "GET" or operation["operationId"] in ("events", "logs"):
            continue
        answer = call("GET", fill(path) + ("?key=word" if path.endswith("/value") else ""), "admin")
        kind = answer.headers["Content-Type"].split(";")[0]
        if answer.status == 200:
            content = operation["responses"]["200"]["content"]
            if kind not in content:
                raise AssertionError(f"{path}: {kind} instead of {list(content)}")
            if "$ref" in content[kind]["schema"]:
                fits(answer.json(), content[kind]["schema"], schemas, path)
            seen += 1
        else: # volumes and pools: this environment has none
            if not any(word in path for word in ("volumes", "pools")) or answer.status != 404:
                raise AssertionError(f"{path}: {answer.status} {answer.body[:200]}")
            fits(answer.json(), schemas["Problem"], schemas, path)
        if answer.headers["X-Content-Type-Options"] != "nosniff" or "no-store" not in answer.headers["Cache-Control"]:
            raise AssertionError(f"{path}: headers {answer.headers}")
    print(seen, "answers")
    assert seen > 18, seen


def roles_and_routes():
    """Who may not, is refused; who may, gets as far as the body, which is wrong here so that nothing happens."""
    bad = []
    count = 0
    for method, path, operation in operations():
        if operation["operationId"] in ("login", "taskCancel"):
            continue
        for role in ROLES:
            if role == "anybody" and operation["x-role"] == "anybody":
                continue
            if method != "GET" and role != "anybody" and ROLES.index(role) >= ROLES.index(operation["x-role"]):
                answer = call(method, fill(path), role, {"no such field": 1})
                good = answer.status == 400
            elif operation["operationId"] in ("events", "logs") and ROLES.index(role) >= 2:
                connection, reply = call("GET", path, role, stream=True)
                answer, good = reply, reply.status == 200
                connection.close()
            elif method == "GET" and ROLES.index(role) >= ROLES.index(operation["x-role"]):
                continue # every_answer_fits
            else:
                answer = call(method, fill(path), None if role == "anybody" else role)
                good = answer.status == (401 if role == "anybody" else 403)
            count += 1
            if not good:
                bad.append(f"{role} {method} {path}: {answer.status}")
    print(count, "tried;", *bad, sep="\n")
    assert not bad and count > 150


def lesser_get_nothing():
    """A GET that needs more than a viewer, as one."""
    for path in ("/api/v1/users", "/api/v1/users/ann", "/api/v1/audit"):
        want(call("GET", path, "viewer"), 403, path)
        want(call("GET", path, "operator"), 403, path)
    want(call("GET", "/api/v1/instances", "metrics"), 403)
    want(call("GET", "/metrics", "metrics"), 200)


# ---- from elsewhere ----

def cookie_of(user="ann", password="correct horse"):
    answer = want(call("POST", "/api/v1/login", body={"user": user, "password": password}), 200)
    return answer.headers["Set-Cookie"]


def changes_need_their_origin():
    """With the cookie alone: no Origin, another one, another type of body."""
    cookie = cookie_of()
    for word in ("__Host-slipway=", "Secure", "HttpOnly", "SameSite=Strict", "Path=/"):
        assert word in cookie, cookie
    cookie = {"Cookie": cookie.split(";")[0]}
    want(call("GET", "/api/v1/session", headers=cookie), 200)
    for method, path, operation in operations():
        if method == "GET" or operation["operationId"] == "login":
            continue
        path = fill(path)
        want(call(method, path, headers=cookie), 403, path)
        want(call(method, path, headers={**cookie, "Origin": "https://evil.example"}), 403, path)
        want(call(method, path, headers={**cookie, "Origin": OWN.replace("https", "http")}), 403, path)
        want(call(method, path, headers={**cookie, "Origin": "null"}), 403, path)
        form = {**cookie, "Origin": OWN, "Content-Type": "application/x-www-form-urlencoded"}
        want(call(method, path, body=b"a=b", headers=form), 415, path)
    answer = want(call("POST", "/api/v1/login", body={"user": "ann", "password": "correct horse"},
                       headers={"Origin": "https://evil.example"}), 403)
    assert "--trusted-origin https://evil.example" in answer.json()["detail"]
    want(call("POST", "/api/v1/login", body={"user": "ann", "password": "correct horse"},
              headers={"Origin": "https://trusted.example:444"}), 200)


# ---- bytes ----

def talk(data, wait=8.0):
    """What comes back for these bytes, until the other side ends."""
    raw = socket.create_connection((STATE["host"], STATE["port"]), timeout=wait)
    with CONTEXT.wrap_socket(raw) as s:
        s.settimeout(wait)
        try:
            for piece in data if isinstance(data, list) else [data]:
                s.sendall(piece)
        except OSError:
            pass
        out = b""
        try:
            while chunk := s.recv(65536):
                out += chunk
                if out.endswith(b"0\r\n\r\n") or (b"\r\n\r\n" in out and b"Connection: close" not in out
                                                and complete(out)):
                    break
        except (OSError, ssl.SSLError):
            pass
        return out


def complete(out):
    head, _, body = out.partition(b"\r\n\r\n")
    for line in head.split(b"\r\n"):
        if line.lower().startswith(b"content-length:"):
            return len(body) >= int(line.split(b":")[1])
    return True


def status_of(out):
    return int(out.split(b" ")[1]) if out.startswith(b"HTTP/1.") else 0


def hostile_requests():
    """Refused, each with its status (0: closed without one), and the server goes on."""
    host = f"Host: {STATE['host']}:{STATE['port']}\r\n".encode()
    token = ("Authorization: Bearer " + STATE["tokens"]["admin"] + "\r\n").encode()
    post = b"POST /api/v1/checks HTTP/1.1\r\n" + host + token + b"Content-Type: application/json\r\n"
    get = b"GET /api/v1/health HTTP/1.1\r\n"
    deep = b"[" * 2000 + b"]" * 2000
    rows = [
        ("two Hosts", get + host + host + b"\r\n", (400,)),
        ("no Host", get + b"\r\n", (400,)),
        ("a Host of others", get + b"Host: evil.example\r\n\r\n", (403,)),
        ("a Host with nonsense", get + b"Host: a b\r\n\r\n", (400, 403)),
        ("two lengths", post + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{} ", (400,)),
        ("a length and chunks", post + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
         (400,)),
        ("a negative length", post + b"Content-Length: -1\r\n\r\n", (400,)),
        ("a huge length", post + b"Content-Length: 99999999999999999999999\r\n\r\n", (400, 413)),
        ("a body of 2 MiB", post + b"Content-Length: 2097152\r\n\r\n", (413,)),
        ("a login of 5 KiB", b"POST /api/v1/login HTTP/1.1\r\n" + host + b"Content-Type: application/json\r\n"
         b"Content-Length: 5120\r\n\r\n", (413,)),
        ("a body of 65 KiB", post + b"Content-Length: 66560\r\n\r\n", (413,)),
        ("a NUL in the path", b"GET /api/v1/health%00 HTTP/1.1\r\n" + host + b"\r\n", (400,)),
        ("a NUL byte in the path", b"GET /api/v1/health\0x HTTP/1.1\r\n" + host + b"\r\n", (400,)),
        ("an encoded slash", b"GET /api/v1/instances/a%2fb HTTP/1.1\r\n" + host + token + b"\r\n", (400,)),
        ("dots", b"GET /api/v1/../../etc/passwd HTTP/1.1\r\n" + host + b"\r\n", (400,)),
        ("encoded dots", b"GET /api/v1/%2e%2e/x HTTP/1.1\r\n" + host + b"\r\n", (400,)),
        ("two slashes", b"GET //api/v1/health HTTP/1.1\r\n" + host + b"\r\n", (400,)),
        ("half an escape", b"GET /api/v1/health%2 HTTP/1.1\r\n" + host + b"\r\n", (400,)),
        ("bytes that are not UTF-8", b"GET /api/v1/%ff HTTP/1.1\r\n" + host + b"\r\n", (400,)),
        ("absolute form", b"GET https://evil.example/api/v1/health HTTP/1.1\r\n" + host + b"\r\n", (400,)),
        ("CONNECT", b"CONNECT evil.example:443 HTTP/1.1\r\n" + host + b"\r\n", (400, 404, 405)),
        ("TRACE", b"TRACE /api/v1/health HTTP/1.1\r\n" + host + b"\r\n", (405,)),
        ("an unknown method", b"BREW /api/v1/health HTTP/1.1\r\n" + host + b"\r\n", (405, 501)),
        ("a wrong method", b"DELETE /api/v1/instances HTTP/1.1\r\n" + host + token + b"\r\n", (405,)),
        ("a header of 40 KB", get + host + b"X: " + b"a" * 40000 + b"\r\n\r\n", (0, 431, 413)),
        ("100 headers", get + host + b"".join(b"X%d: a\r\n" % i for i in range(100)) + b"\r\n", (431,)),
        ("a target of 30 KB", b"GET /" + b"a" * 30000 + b" HTTP/1.1\r\n" + host + b"\r\n", (0, 400, 414)),
        ("HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", (0, 400, 505)),
        ("junk", b"\x00\x01\x02\xff\xfe" * 50 + b"\r\n\r\n", (0, 400)),
        ("a cut value", post + b"Content-Length: 5\r\n\r\n{\"a\":", (400,)),
        ("two values", post + b"Content-Length: 5\r\n\r\n{} {}", (400,)),
        ("a key twice", post + b"Content-Length: 25\r\n\r\n{\"words\":[], \"words\":[]}  ", (400,)),
        ("a list", post + b"Content-Length: 2\r\n\r\n[]", (400,)),
        ("deep lists", post + b"Content-Length: %d\r\n\r\n" % len(deep) + deep, (400,)),
        ("a body with GET", get + host + b"Content-Length: 2\r\n\r\n{}", (400,)),
        ("an unknown parameter", b"GET /api/v1/instances?componnet=a HTTP/1.1\r\n" + host + token + b"\r\n", (400,)),
        ("chunks of 2 MiB", [post + b"Transfer-Encoding: chunked\r\n\r\n"] +
         [b"10000\r\n" + b" " * 65536 + b"\r\n"] * 32 + [b"0\r\n\r\n"], (413,)),
        ("a wrong chunk", post + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n", (0, 400)),
    ]
    bad = []
    for name, data, allowed in rows:
        out = talk(data)
        if status_of(out) not in allowed:
            bad.append(f"{name}: {status_of(out)} instead of {allowed}: {out[:200]!r}")
        want(call("GET", "/api/v1/health"), 200, name)
    print(*bad, sep="\n")
    assert not bad


def slow_heads():
    """A head that comes a byte at a time is cut off, however it goes on."""
    def drip(result):
        began = time.monotonic()
        with CONTEXT.wrap_socket(socket.create_connection((STATE["host"], STATE["port"]), timeout=30)) as s:
            s.settimeout(0.5)
            try:
                for byte in b"GET /api/v1/health HTTP/1.1\r\nX: " + b"a" * 100:
                    s.sendall(bytes([byte]))
                    try:
                        if s.recv(10) == b"":
                            break
                    except (TimeoutError, ssl.SSLWantReadError):
                        pass
            except (OSError, ssl.SSLError):
                pass
        result.append(time.monotonic() - began)
    results = []
    threads = [threading.Thread(target=drip, args=(results,)) for _ in range(5)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    print(results)
    assert len(results) == 5 and max(results) < 20


def many_connections():
    """Of one address only so many, and others still get in."""
    held = []
    try:
        for _ in range(150):
            s = socket.create_connection((STATE["host"], STATE["port"]), timeout=5)
            held.append(s)
        time.sleep(0.5)
        want(call("GET", "/api/v1/health", source="127.0.0.9"), 200)
        closed = 0
        for s in held:
            s.settimeout(0.05)
            try:
                closed += s.recv(1) == b""
            except TimeoutError:
                pass
            except OSError:
                closed += 1
        print(closed, "closed")
        assert closed >= 80
    finally:
        for s in held:
            s.close()
    time.sleep(1.5)
    want(call("GET", "/api/v1/health"), 200)


def pipelined():
    """Several requests at once are answered one after the other."""
    host = f"Host: {STATE['host']}:{STATE['port']}\r\n".encode()
    one = b"GET /api/v1/health HTTP/1.1\r\n" + host
    with CONTEXT.wrap_socket(socket.create_connection((STATE["host"], STATE["port"]), timeout=5)) as s:
        s.sendall(one + b"\r\n" + one + b"\r\n" + one + b"Connection: close\r\n\r\n")
        out = b""
        while chunk := s.recv(65536):
            out += chunk
    assert out.count(b"HTTP/1.1 200") == 3, out
    kept = http.client.HTTPSConnection(STATE["host"], STATE["port"], timeout=10, context=CONTEXT)
    for path, status in (("/api/v1/health", 200), ("/nothing.here", 404), ("/api/v1/session", 401)) * 2:
        kept.request("GET", path)
        reply = kept.getresponse()
        reply.read()
        assert reply.status == status and reply.headers["Connection"] != "close", (path, reply.status, reply.headers)


def odd_names():
    """Names that nothing has are 404, whatever they are made of."""
    for name in ("no-such-1", "%C3%A4", "a%20b", "-", "x" * 500, "%3Cscript%3E", "%27%3B", "..%5C.."):
        for path in ("/api/v1/instances/", "/api/v1/configuration/", "/api/v1/tasks/", "/api/v1/users/"):
            answer = call("GET", path + name, "admin")
            assert answer.status in (404, 400), (path, name, answer.status)
        answer = call("POST", f"/api/v1/instances/{name}/stop", "admin")
        assert answer.status in (404, 400), (name, answer.status, answer.body)


# ---- people ----

def first_token(token):
    """It begins one session, whose user may make others, and then it is gone."""
    want(call("GET", "/api/v1/instances", token), 401, "as a token:")
    answer = want(call("POST", "/api/v1/login", body={"token": token}), 200)
    assert answer.json()["user"] == "first" and answer.json()["role"] == "admin"
    want(call("POST", "/api/v1/login", body={"token": token}), 401, "again:")
    cookie = {"Cookie": answer.headers["Set-Cookie"].split(";")[0], "Origin": OWN}
    for role, user in (("admin", "ann"), ("operator", "oskar"), ("viewer", "vera")):
        body = {"role": role, "password": "correct horse"}
        want(call("PUT", "/api/v1/users/" + user, body=body, headers=cookie), 428, user)
        made = call("PUT", "/api/v1/users/" + user, body=body, headers={**cookie, "If-None-Match": "*"})
        want(made, 200, user)
        assert made.json()["name"] == user and made.json()["role"] == role and made.headers["ETag"], made.body
        want(call("PUT", "/api/v1/users/" + user, body=body, headers={**cookie, "If-None-Match": "*"}), 412, user)
    short = {"role": "viewer", "password": "short"}
    want(call("PUT", "/api/v1/users/x", body=short, headers={**cookie, "If-None-Match": "*"}), 400)
    want(call("PUT", "/api/v1/users/A%20b", body=body, headers={**cookie, "If-None-Match": "*"}), 400)
    want(call("PUT", "/api/v1/users/first", body=body, headers={**cookie, "If-None-Match": "*"}), 400)
    STATE["tokens"] = {}
    for role, user in (("admin", "ann"), ("operator", "oskar"), ("viewer", "vera")):
        mine = {"Cookie": cookie_of(user).split(";")[0], "Origin": OWN}
        made = want(call("POST", "/api/v1/tokens", body={"label": "test"}, headers=mine), 201).json()
        STATE["tokens"][role] = made["token"]
        if role == "admin":
            made = want(call("POST", "/api/v1/tokens", body={"label": "figures", "role": "metrics"}, headers=mine), 201)
            STATE["tokens"]["metrics"] = made.json()["token"]
        if role == "viewer":
            want(call("POST", "/api/v1/tokens", body={"label": "more", "role": "admin"}, headers=mine), 403)
    json.dump(STATE, open(sys.argv[1], "w"))


def wrong_passwords():
    """Soon told to wait; somebody elsewhere, and another user, still get in; nobody learns who there is."""
    guess = {"user": "vera", "password": "wrong guess"}
    statuses = [call("POST", "/api/v1/login", body=guess).status for _ in range(30)]
    assert statuses[0] == 401 and statuses[-1] == 429, statuses
    want(call("POST", "/api/v1/login", body={"user": "vera", "password": "correct horse"}, source="127.0.0.2"), 200)
    want(call("POST", "/api/v1/login", body={"user": "oskar", "password": "battery staple"}), 200)
    call("POST", "/api/v1/login", body={})
    logins = [row for row in call("GET", "/api/v1/audit?limit=1000", "admin").json()["items"] if row["what"] == "login"]
    wrong = [row for row in logins if row["status"] == 401 and row["address"] == "127.0.0.1"]
    assert not any(row["status"] in (400, 429) for row in logins), logins
    assert 1 <= len(wrong) <= 4 and max(row["count"] for row in wrong) >= 4, wrong
    many = []
    while 429 not in many and len(many) < 200:
        body = {"user": f"u{len(many)}", "password": "wrong guess"}
        many.append(call("POST", "/api/v1/login", body=body, source="127.0.0.3").status)
    assert many[0] == 401 and many[-1] == 429, many
    want(call("POST", "/api/v1/login", body={"token": "slipway_wrong"}, source="127.0.0.3"), 429)
    want(call("POST", "/api/v1/login", body={"token": STATE["tokens"]["viewer"]}, source="127.0.0.3"), 200)
    a = call("POST", "/api/v1/login", body={"user": "nobody", "password": "wrong guess"}).json()
    b = call("POST", "/api/v1/login", body={"user": "oskar", "password": "wrong guess"}).json()
    assert a == b, (a, b)


def users_and_tokens():
    """A user changed by two, the last admin, tokens that are deleted."""
    answer = call("GET", "/api/v1/users/vera", "admin")
    tag = {"If-Match": answer.headers["ETag"]}
    want(call("PUT", "/api/v1/users/vera", "admin", {"role": "operator"}, tag), 200)
    want(call("PUT", "/api/v1/users/vera", "admin", {"role": "viewer"}, tag), 412)
    made = want(call("POST", "/api/v1/tokens", "viewer", {"label": "short"}), 201).json()
    tag = {"If-Match": call("GET", "/api/v1/users/vera", "admin").headers["ETag"]}
    want(call("PUT", "/api/v1/users/vera", "admin", {"role": "viewer"}, tag), 200)
    assert call("GET", "/api/v1/session", made["token"]).json()["role"] == "viewer"
    tag = {"If-Match": call("GET", "/api/v1/users/ann", "admin").headers["ETag"]}
    want(call("PUT", "/api/v1/users/ann", "admin", {"role": "viewer"}, tag), 409)
    want(call("DELETE", "/api/v1/users/ann", "admin"), 409)
    want(call("DELETE", "/api/v1/tokens/" + made["id"], "operator"), 404, "another's:")
    want(call("DELETE", "/api/v1/tokens/" + made["id"], "viewer"), 204)
    want(call("GET", "/api/v1/session", made["token"]), 401)
    mine = {"Cookie": cookie_of("oskar").split(";")[0], "Origin": OWN}
    want(call("POST", "/api/v1/session/password", headers=mine,
              body={"old": "no, another", "new": "battery staple"}), 403)
    other = {"Cookie": cookie_of("oskar").split(";")[0]}
    want(call("POST", "/api/v1/session/password", headers=mine,
              body={"old": "correct horse", "new": "battery staple"}), 204)
    want(call("GET", "/api/v1/session", headers=mine), 200)
    want(call("GET", "/api/v1/session", headers=other), 401, "another session:")
    want(call("GET", "/api/v1/session", "operator"), 401, "a token:")
    made = want(call("POST", "/api/v1/tokens", headers=mine, body={"label": "test"}), 201).json()
    cookie_of("oskar", "battery staple")
    STATE["tokens"]["operator"] = made["token"]
    json.dump(STATE, open(sys.argv[1], "w"))
    want(call("POST", "/api/v1/logout", headers=mine), 204)
    want(call("GET", "/api/v1/session", headers=mine), 401)


def what_a_token_made():
    """Sessions and tokens made from a token, and those made from them, end no later than it, and with it."""
    one = want(call("POST", "/api/v1/tokens", "viewer", {"label": "one", "days": 1}), 201).json()
    session = want(call("POST", "/api/v1/login", body={"token": one["token"]}), 200)
    mine = {"Cookie": session.headers["Set-Cookie"].split(";")[0], "Origin": OWN}
    two = want(call("POST", "/api/v1/tokens", headers=mine, body={"label": "two"}), 201).json()
    three = want(call("POST", "/api/v1/tokens", two["token"], {"label": "three"}), 201).json()
    assert max(session.json()["expires"], two["expires"], three["expires"]) <= one["expires"], (one, two, three)
    want(call("GET", "/api/v1/session", three["token"]), 200)
    want(call("DELETE", "/api/v1/tokens/" + one["id"], "viewer"), 204)
    want(call("GET", "/api/v1/session", headers=mine), 401, "its session:")
    for made in (two, three):
        want(call("GET", "/api/v1/session", made["token"]), 401)
    want(call("GET", "/api/v1/session", "viewer"), 200)


def revoked_stream():
    """A stream ends when its token is revoked."""
    made = want(call("POST", "/api/v1/tokens", "viewer", {"label": "stream"}), 201).json()
    connection, reply = call("GET", "/api/v1/events", made["token"], stream=True)
    assert reply.readline().startswith(b"id: ")
    want(call("DELETE", "/api/v1/tokens/" + made["id"], "viewer"), 204)
    began = time.monotonic()
    while reply.readline():
        pass
    assert time.monotonic() - began < 5
    want(call("GET", "/api/v1/events", made["token"]), 401)


def demoted_stream():
    """A stream that began with more rights than its user has now ends."""
    made = want(call("POST", "/api/v1/tokens", "operator", {"label": "stream"}), 201).json()
    connection, reply = call("GET", "/api/v1/events", made["token"], stream=True)
    assert reply.readline().startswith(b"id: ")
    for role in ("viewer", "operator"):
        tag = {"If-Match": call("GET", "/api/v1/users/oskar", "admin").headers["ETag"]}
        want(call("PUT", "/api/v1/users/oskar", "admin", {"role": role}, tag), 200)
        if role == "viewer":
            while reply.readline():
                pass
    want(call("DELETE", "/api/v1/tokens/" + made["id"], "operator"), 204)


def two_admins():
    """Two admins who delete each other at once: one of them stays."""
    pair = {"eve": "eve-password", "abel": "abel-password"}
    for _ in range(5):
        tag = {"If-Match": call("GET", "/api/v1/users/ann", "admin").headers["ETag"]}
        for user, password in pair.items():
            made = call("PUT", "/api/v1/users/" + user, "admin", {"role": "admin", "password": password},
                        {"If-None-Match": "*"})
            assert made.status in (200, 412), made.body
        mine = {user: {"Cookie": cookie_of(user, password).split(";")[0], "Origin": OWN}
                for user, password in pair.items()}
        want(call("PUT", "/api/v1/users/ann", "admin", {"role": "operator"}, tag), 200)
        answers = []

        def delete(one, other):
            answers.append((one, call("DELETE", "/api/v1/users/" + other, headers=mine[one]).status))

        threads = [threading.Thread(target=delete, args=names) for names in (list(pair), list(pair)[::-1])]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        left = [user for user in pair if call("GET", "/api/v1/session", headers=mine[user]).status == 200]
        assert len(left) == 1, (left, answers)
        tag = call("GET", "/api/v1/users/ann", headers=mine[left[0]]).headers["ETag"]
        want(call("PUT", "/api/v1/users/ann", headers={**mine[left[0]], "If-Match": tag}, body={"role": "admin"}), 200)
    want(call("DELETE", "/api/v1/users/" + left[0], "admin"), 204)


# ---- the environment ----

def ended(name):
    """The task, when it has ended."""
    for _ in range(300):
        task = call("GET", "/api/v1/tasks/" + name, "admin").json()
        if "ended" in task:
            break
        time.sleep(0.2)
    return task


def task_ends(answer, state="succeeded"):
    task = want(answer, 202).json()
    fits(task, {"$ref": "/Task"}, document()["components"]["schemas"], "task")
    assert answer.headers["Location"] == "/api/v1/tasks/" + task["id"]
    task = ended(task["id"])
    assert task["state"] == state, task
    return task


def instance(name="sleeper-1"):
    rows = call("GET", "/api/v1/instances", "viewer").json()["items"]
    return next(row for row in rows if row["instance"] == name)


def until(condition, seconds=20):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.1)
    return False


def start_stop():
    """As tasks, by an operator; what the list says follows by itself."""
    task = task_ends(call("POST", "/api/v1/instances/sleeper-1/stop", "operator", {"grace": 1000}))
    assert task["by"] == "oskar" and task["done"] == task["total"] == 1 and "stopped" in task["log"][0]["text"], task
    assert until(lambda: instance()["container"] == "exited")
    task_ends(call("POST", "/api/v1/instances/sleeper-1/start", "operator"))
    assert until(lambda: instance()["ok"])
    task_ends(call("POST", "/api/v1/components/sleeper/restart", "operator", {}))
    want(call("POST", "/api/v1/components/sleepe/restart", "operator", {}), 404)
    rows = call("GET", "/api/v1/instances?component=sleeper&sort=-instance&limit=1", "viewer").json()
    assert rows["total"] >= 1 and len(rows["items"]) == 1, rows
    want(call("GET", "/api/v1/instances?sort=nothing", "viewer"), 400)

    def unchanged():
        tag = call("GET", "/api/v1/instances", "viewer").headers["ETag"]
        return call("GET", "/api/v1/instances", "viewer", headers={"If-None-Match": tag}).status == 304
    assert until(unchanged) # what the restart brought may come between the two


class Events:
    def __init__(self, last=None):
        self.connection, self.reply = call("GET", "/api/v1/events", "viewer", stream=True,
                                           headers={"Last-Event-ID": last} if last else None)
        assert self.reply.headers["Content-Type"] == "text/event-stream"

    def next(self):
        event = {}
        while line := self.reply.readline().decode().rstrip("\n"):
            if not line.startswith(":"):
                name, _, value = line.partition(": ")
                event[name] = value
        if "data" in event:
            event["data"] = json.loads(event["data"])
        return event

    def wait(self, condition, seconds=20):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            event = self.next()
            if event.get("event") and condition(event):
                return event
        raise AssertionError("the event did not come")


def configuration():
    """Plan, change, acknowledgement; two editors; history and back."""
    path = "/api/v1/configuration/sleeper"
    answer = want(call("GET", path, "viewer"), 200)
    tag = answer.headers["ETag"]
    want(call("GET", path, "viewer", headers={"If-None-Match": tag}), 200)
    assert answer.json()["given"] == {} and {k["key"] for k in answer.json()["keys"]} == {"word", "number"}
    edit = {"set": {"word": "other"}}
    plan = want(call("POST", path + "/plan", "operator", edit), 200).json()
    assert [(c["name"], c["old"], c["new"], c["apply"]) for c in plan["changes"]] == \
        [("word", "hello", "other", "live")]
    assert call("GET", path, "viewer").headers["ETag"] == tag
    want(call("PATCH", path, "operator", edit), 428)
    for wrong in (tag.strip('"'), "1", tag + "x", "W/1"):
        want(call("PATCH", path, "operator", edit, {"If-Match": wrong}), 412, wrong)
    want(call("PATCH", path, "viewer", edit, {"If-Match": tag}), 403)
    events = Events()
    done = want(call("PATCH", path, "operator", edit, {"If-Match": tag}), 200)
    began = time.monotonic()
    events.wait(lambda e: e["event"] == "configuration")
    assert until(lambda: instance()["config"]["current"])
    print("acknowledged after %.1f s" % (time.monotonic() - began))
    want(call("PATCH", path, "operator", {"set": {"number": 3}}, {"If-Match": tag}), 412)
    assert call("GET", path, "viewer").headers["ETag"] == done.headers["ETag"] != tag
    bad = want(call("PATCH", path, "operator", {"set": {"number": 500, "word": 1}},
                    {"If-Match": done.headers["ETag"]}), 422).json()
    assert "100" in json.dumps(bad), bad
    want(call("PATCH", path, "operator", {"set": {"wrod": "a"}}, {"If-Match": done.headers["ETag"]}), 422)
    want(call("PATCH", path, "operator", {}, {"If-Match": done.headers["ETag"]}), 400)
    entry = call("GET", path + "/history", "viewer").json()["items"][0]
    assert entry["name"] == "word" and entry["new"] == "other" and entry["who"].startswith("oskar@"), entry
    dry = want(call("POST", path + "/restore", "operator", {"time": entry["time"], "dryRun": True}), 200).json()
    assert dry["changes"][0]["new"] == "hello"
    want(call("POST", path + "/restore", "operator", {"time": entry["time"]}), 200)
    assert [k["value"] for k in call("GET", path, "viewer").json()["keys"] if k["key"] == "word"] == ["hello"]
    want(call("POST", path + "/restore", "operator", {"time": "2020-01-01T00:00:00.000Z"}), 404)


def plan_and_apply():
    """The document: refused with every problem, planned, applied as a task, and nothing left to do."""
    answer = want(call("GET", "/api/v1/document", "viewer"), 200)
    text = answer.json()["text"]
    assert call("POST", "/api/v1/document/plan", "operator", {}).json()["operations"] == []
    bad = want(call("POST", "/api/v1/document/plan", "operator", {"text": text + "nonsense: 1\n"}), 422).json()
    assert "nonsense" in json.dumps(bad), bad
    more = text.replace("sleeper:\n    instances: 1", "sleeper:\n    instances: 2")
    assert more != text
    plan = want(call("POST", "/api/v1/document/plan", "operator", {"text": more}), 200).json()
    assert any("sleeper-2" in o["operation"] for o in plan["operations"]) \
        and any(o["why"] == "not there" for o in plan["operations"])
    want(call("POST", "/api/v1/document/apply", "operator", {"text": more}), 403)
    want(call("POST", "/api/v1/document/apply", "admin", {"text": more}), 428)
    for wrong in ('"1"', answer.headers["ETag"].strip('"')):
        want(call("POST", "/api/v1/document/apply", "admin", {"text": more}, {"If-Match": wrong}), 412, wrong)
    other = more.replace("name: ", "name: x", 1)
    want(call("POST", "/api/v1/document/apply", "admin", {"text": other},
              {"If-Match": answer.headers["ETag"]}), 400)
    task = task_ends(call("POST", "/api/v1/document/apply", "admin", {"text": more},
                          {"If-Match": answer.headers["ETag"]}))
    assert task["result"]["changes"] > 0 and task["log"]
    want(call("POST", "/api/v1/document/apply", "admin", {"text": text}, {"If-Match": answer.headers["ETag"]}), 412)
    assert until(lambda: len(call("GET", "/api/v1/instances?component=sleeper", "viewer").json()["items"]) == 2)
    assert call("POST", "/api/v1/document/plan", "operator", {}).json()["operations"] == []


def two_apply():
    """Of two who apply their edits of the same document at once, one does; the other is told, now or by its task."""
    answer = want(call("GET", "/api/v1/document", "viewer"), 200)
    text, tag = answer.json()["text"], answer.headers["ETag"]
    assert "sleeper:\n    instances: 2" in text
    answers = []

    def apply(instances):
        more = text.replace("sleeper:\n    instances: 2", f"sleeper:\n    instances: {instances}")
        answers.append(call("POST", "/api/v1/document/apply", "admin", {"text": more}, {"If-Match": tag}))
    threads = [threading.Thread(target=apply, args=(n,)) for n in (3, 4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert sorted(a.status for a in answers) in ([202, 202], [202, 412]), [a.body for a in answers]
    ends = [ended(a.json()["id"]) for a in answers if a.status == 202]
    print(ends)
    assert [task["state"] for task in ends].count("succeeded") == 1, ends
    assert all(task["state"] == "succeeded" or task["error"]["code"] == "conflict" for task in ends), ends


def followed_since(since):
    """Whether a line of before comes within some seconds."""
    connection, reply = call("GET", f"/api/v1/logs?instance=echo-1&follow=true&since={since}", "viewer", stream=True)
    connection.sock.settimeout(4)
    try:
        while not (line := reply.readline().strip()):
            pass
        assert b'"instance":"echo-1"' in line, line
        return True
    except TimeoutError:
        return False
    finally:
        connection.close()


def logs():
    """Lines of several, as JSON and as text, and live."""
    lines = call("GET", "/api/v1/logs?instance=echo-1&instance=sleeper-1&tail=5", "viewer").body.decode().splitlines()
    *rows, last = [json.loads(line) for line in lines if line]
    assert last == {"end": True}, last
    assert {row["instance"] for row in rows} == {"echo-1", "sleeper-1"}, rows
    assert [r["time"] for r in rows] == sorted(r["time"] for r in rows) and all("text" in r for r in rows)
    answer = call("GET", "/api/v1/logs?component=echo&format=text", "viewer")
    assert answer.headers["Content-Type"].startswith("text/plain") and b" echo-1 " in answer.body
    assert "attachment" in answer.headers["Content-Disposition"]
    want(call("GET", "/api/v1/logs?tail=x", "viewer"), 400)
    want(call("GET", "/api/v1/logs?follow=yes", "viewer"), 400)
    assert "error" in json.loads(call("GET", "/api/v1/logs?instance=nothing", "viewer").body)
    want(call("GET", "/api/v1/logs?follow=true&until=1s", "viewer"), 400)
    assert followed_since("1h") and not followed_since("2100-01-01T00:00:00Z")
    connection, reply = call("GET", "/api/v1/logs?instance=echo-1&follow=true&tail=0", "viewer", stream=True)
    line = b"\n"
    while line == b"\n":  # also a sign of life, each 15 s: then the log was not read yet when the instance spoke
        call("POST", "/api/v1/instances/echo-1/restart", "operator", {})
        line = reply.readline()
    assert b'"instance":"echo-1"' in line, line
    connection.close()


def resume():
    """Events go on where they were left; of another process, or of nonsense, all is to be loaded again."""
    events = Events()
    hello = events.next()
    assert hello["event"] == "hello", hello
    made = want(call("POST", "/api/v1/checks", "operator", {"words": ["access"]}), 202).json()
    first = events.wait(lambda e: e["event"] == "task")
    events.connection.close()
    again = Events(first["id"])
    assert again.next()["event"] == "hello"
    event = again.wait(lambda e: e["event"] == "task" and e["data"]["id"] == made["id"] and "ended" in e["data"], 40)
    assert int(event["id"].split("-")[1]) > int(first["id"].split("-")[1])
    again.connection.close()
    for last in ("1-1", "nonsense", "-1", "9" * 30 + "-1", first["id"].split("-")[0] + "-99999999"):
        other = Events(last)
        assert [other.next()["event"], other.next()["event"]] == ["hello", "reset"], last
        other.connection.close()
    report = call("GET", "/api/v1/checks", "viewer").json()
    assert report["task"] == made["id"] and report["recap"]["SUCCESS"] > 0, report


def killed(container):
    """An instance that was killed beside the server is told of and mended, and in what time is printed."""
    events = Events()
    events.next()
    began = time.monotonic()
    subprocess.run(["docker", "kill", container], check=True, stdout=subprocess.DEVNULL)
    events.wait(lambda e: e["event"] == "instance" and e["data"]["instance"] == "sleeper-1" and not e["data"]["ok"])
    print("seen %.2f s" % (time.monotonic() - began))
    told = {}

    def both(event):  # in either order
        if event["data"].get("instance") == "sleeper-1":
            if event["event"] == "keeper":
                told["keeper"] = event["data"]["text"]
                print("mended %.2f s" % (time.monotonic() - began))
            told["ok"] = told.get("ok") or event["event"] == "instance" and event["data"]["ok"]
        return "keeper" in told and told["ok"]

    events.wait(both)
    assert told["keeper"] == "sleeper-1 had died (status 137); started again", told


def paused(container):
    """What is paused is told of and not mended; let go, it is."""
    want(call("POST", "/api/v1/instances/sleeper-1/pause", "operator"), 204)
    want(call("POST", "/api/v1/environment/pause", "operator"), 204)
    subprocess.run(["docker", "kill", container], check=True, stdout=subprocess.DEVNULL)
    wait_row(lambda row: not row["ok"] and "paused by oskar@" in row["keeper"]["cause"])
    want(call("POST", "/api/v1/environment/resume", "operator"), 204)
    wait_row(lambda row: not row["ok"] and row["keeper"]["state"] == "paused")
    want(call("POST", "/api/v1/instances/sleeper-1/resume", "operator"), 204)
    wait_row(lambda row: row["ok"] and "keeper" not in row)
    keeper = call("GET", "/api/v1/environment", "viewer").json()["keeper"]
    assert keeper["state"] == "keeping" and keeper["holder"].startswith("slipwayd on "), keeper
    want(call("POST", "/api/v1/instances/no-such/pause", "operator"), 404)


def wait_row(wanted):
    end = time.monotonic() + 60
    while True:
        rows = call("GET", "/api/v1/instances?q=sleeper-1", "viewer").json()["items"]
        row = next(r for r in rows if r["instance"] == "sleeper-1")
        if wanted(row):
            return
        assert time.monotonic() < end, row
        time.sleep(0.2)


def audit():
    """Everybody's changes, with arguments and without secrets."""
    call("DELETE", "/api/v1/volumes/no-such?force=true", "operator")
    call("DELETE", "/api/v1/volumes/no-such/snapshots/before", "operator")
    rows = call("GET", "/api/v1/audit?limit=1000", "admin").json()
    last = rows["items"][:2]
    assert [(r["target"], r.get("query")) for r in last] == \
        [("no-such/before", None), ("no-such", {"force": "true"})], last
    whats = {row["what"] for row in rows["items"]}
    assert {"login", "userPut", "instanceStop", "configurationChange", "documentApply", "tokenCreate"} <= whats, whats
    text = json.dumps(rows)
    for secret in ["correct horse", "battery staple", "wrong guess"] + list(STATE["tokens"].values()):
        assert secret not in text, secret
    assert any(row["status"] == 412 for row in rows["items"]) and any(row["who"] == "oskar" for row in rows["items"])
    assert call("GET", "/api/v1/audit?who=oskar&limit=2", "admin").json()["items"][0]["who"] == "oskar"


def still_known():
    """After the server died: users, tokens and what became of tasks."""
    want(call("GET", "/api/v1/session", "viewer"), 200)
    cookie_of()
    tasks = call("GET", "/api/v1/tasks", "viewer").json()["items"]
    assert any(t["state"] == "interrupted" and "ended" in t["error"]["detail"] for t in tasks), tasks
    assert any(t["state"] == "succeeded" for t in tasks)


def certificate_is(path):
    """The server shows the first certificate of that file."""
    with CONTEXT.wrap_socket(socket.create_connection((STATE["host"], STATE["port"]), timeout=5)) as s:
        shown = ssl.DER_cert_to_PEM_cert(s.getpeercert(True))
    assert shown.strip() == open(path).read().strip()


globals()[sys.argv[2]](*sys.argv[3:])
