# SPDX-License-Identifier: MIT
"""Every known way by which somebody with the link of one instance could get at what is not his in etcd.

etcd_ways.py ADDRESS USER VICTIM-PREFIX VICTIM-LEASE <PASSWORD  prints one line for each way, "refused NAME" or
"open NAME: why"; and for what an agent does "works NAME" or "fails NAME: why"."""

import base64
import http.client
import json
import socket
import ssl
import sys

ADDRESS, USER, VICTIM, LEASE = sys.argv[1:]
PASSWORD = sys.stdin.readline().strip()
ENV = "/".join(VICTIM.split("/")[:3])
OWN = "%s/instances/%s/" % (ENV, USER)
COMPONENT = "%s/components/%s/" % (ENV, USER.rsplit("-", 1)[0])
TLS = ssl._create_unverified_context()  # noqa: S323


def b64(text):
    return base64.b64encode(text if isinstance(text, bytes) else text.encode()).decode()


def after(prefix):
    return prefix[:-1] + chr(ord(prefix[-1]) + 1)


def post(path, body, headers=None, wait=5, method="POST"):
    """Status and text; a stream is read until it delivers a line that is more than its beginning, or `wait` is over."""
    c = http.client.HTTPSConnection(ADDRESS, 2379, timeout=wait, context=TLS)
    if not isinstance(body, (bytes, str)):
        body = json.dumps(body)
    try:
        c.request(method, path, body, dict(headers or {}))
        r = c.getresponse()
        text = ""
        try:
            while line := r.readline():
                text += line.decode(errors="replace")
                if path == "/v3/watch" and text.count("\n") > 1:
                    break
        except TimeoutError:
            pass
        return r.status, text
    finally:
        c.close()


def token():
    status, text = post("/v3/auth/authenticate", {"name": USER, "password": PASSWORD})
    if status != 200:
        sys.exit("no login: %d %s" % (status, text))
    return json.loads(text)["token"]


TOKEN = {"Authorization": token()}
key, end = b64(VICTIM), b64(after(VICTIM))
mine = {"key": b64(OWN + "status"), "value": b64("x")}
foreign_range = {"request_range": {"key": key, "range_end": end}}
foreign_put = {"request_put": {"key": b64(VICTIM + "config/planted"), "value": b64("x")}}
foreign_delete = {"request_delete_range": {"key": key, "range_end": end}}


def nested(op, name="request_txn", inner="success", outer="success"):
    return {outer: [{name: {inner: [op]}}]}


def watch(key, end=None, **more):
    return {"create_request": dict({"key": b64(key), "start_revision": "1"},
                                   **({"range_end": b64(end)} if end is not None else {}), **more)}


WAYS = [
    ("nested range", "/v3/kv/txn", nested(foreign_range)),
    ("nested put", "/v3/kv/txn", nested(foreign_put)),
    ("nested delete", "/v3/kv/txn", nested(foreign_delete)),
    ("nested in failure", "/v3/kv/txn",
     {"compare": [{"key": mine["key"], "target": "VERSION", "result": "GREATER", "version": "999999"}],
      "failure": [{"request_txn": {"success": [foreign_range]}}]}),
    ("nested, camelCase", "/v3/kv/txn", nested({"requestRange": {"key": key, "rangeEnd": end}}, "requestTxn")),
    ("nested, escaped name", "/v3/kv/txn",
     '{"success":[{"\\u0072equest_txn":{"success":[%s]}}]}' % json.dumps(foreign_range)),
    ("nested, twice the key", "/v3/kv/txn",
     '{"success":[],"success":[{"request_txn":{"success":[%s]}}]}' % json.dumps(foreign_range)),
    ("nested, twice the operation", "/v3/kv/txn",
     '{"success":[{"request_put":%s,"request_txn":{"success":[%s]}}]}' % (json.dumps(mine), json.dumps(foreign_range))),
    ("range", "/v3/kv/range", {"key": key, "range_end": end}),
    ("range of everything", "/v3/kv/range", {"key": b64("\0"), "range_end": b64("\0")}),
    ("range, end \\0", "/v3/kv/range", {"key": b64(OWN), "range_end": b64("\0")}),
    ("put", "/v3/kv/put", foreign_put["request_put"]),
    ("put to own configuration", "/v3/kv/put", {"key": b64(OWN + "config/planted"), "value": b64("x")}),
    ("put to own component", "/v3/kv/put", {"key": b64(COMPONENT + "config/planted"), "value": b64("x")}),
    ("delete", "/v3/kv/deleterange", {"key": key, "range_end": end}),
    ("flat delete", "/v3/kv/txn", {"success": [foreign_delete]}),
    ("delete of own", "/v3/kv/txn", {"success": [{"request_delete_range": {"key": mine["key"]}}]}),
    ("document", "/v3/kv/range", {"key": b64(ENV + "/spec")}),
    ("lock", "/v3/kv/put", {"key": b64(ENV + "/lock"), "value": b64("x")}),
    ("alarm", "/v3/maintenance/alarm", {"action": "ACTIVATE", "alarm": "NOSPACE"}),
    ("alarm list", "/v3/maintenance/alarm", {}),
    ("role root", "/v3/auth/user/grant", {"user": USER, "role": "root"}),
    ("role add", "/v3/auth/role/add", {"name": "planted"}),
    ("role grant", "/v3/auth/role/grant",
     {"name": USER, "perm": {"permType": "READWRITE", "key": b64("/"), "range_end": b64("0")}}),
    ("user add", "/v3/auth/user/add", {"name": "planted", "password": "x"}),
    ("password of root", "/v3/auth/user/changepw", {"name": "root", "password": "x"}),
    ("auth off", "/v3/auth/disable", {}),
    ("compaction", "/v3/kv/compaction", {"revision": "2"}),
    ("defragment", "/v3/maintenance/defragment", {}),
    ("member list", "/v3/cluster/member/list", {}),
    ("member add", "/v3/cluster/member/add", {"peerURLs": ["http://127.0.0.1:1"]}),
    ("snapshot", "/v3/maintenance/snapshot", {}),
    ("hash", "/v3/maintenance/hash", {}),
    ("status", "/v3/maintenance/status", {}),
    ("leases", "/v3/lease/leases", {}),
    ("leases, other path", "/v3/kv/lease/leases", {}),
    ("lease of another revoked", "/v3/lease/revoke", {"ID": LEASE}),
    ("lease of another revoked, other path", "/v3/kv/lease/revoke", {"ID": LEASE}),
    ("lease of another used", "/v3/kv/put", dict(mine, lease=LEASE)),
    ("keys of a lease", "/v3/lease/timetolive", {"ID": LEASE, "keys": True}),
    ("lease number of choice", "/v3/lease/grant", {"TTL": "20", "ID": "4711"}),
    ("lease for ever", "/v3/lease/grant", {"TTL": "1000000"}),
    ("lock service", "/v3/lock/lock", {"name": b64(VICTIM + "config")}),
    ("campaign", "/v3/election/campaign", {"name": b64(VICTIM + "config"), "value": b64("x")}),
    ("watch, end \\0", "/v3/watch", watch(OWN + "status", "\0")),
    ("watch, end before the key", "/v3/watch", watch(OWN + "status", OWN)),
    ("watch, end behind all", "/v3/watch", watch(OWN, "~")),
    ("watch, no key", "/v3/watch", {"create_request": {"range_end": b64("\0"), "start_revision": "1"}}),
    ("watch behind a good one", "/v3/watch",
     json.dumps(watch(OWN, after(OWN), watch_id="1")) + json.dumps(watch(OWN, "\0"))),
    ("watch of another", "/v3/watch", watch(VICTIM, after(VICTIM))),
    ("value of 1.4 MB as status", "/v3/kv/put", {"key": mine["key"], "value": b64("x" * 1400000)}),
    ("arguments", "/v3/kv/range?x=1", {"key": mine["key"]}),
    ("path with dots", "/v3/kv/../maintenance/alarm", {}),
    ("path with escapes", "/v3/maintenance/alarm/%2e%2e/%2e%2e/kv/range", {"key": mine["key"]}),
    ("path with two slashes", "/v3//maintenance/alarm", {}),
    ("the gate's own path", "/etcd/login", {"name": USER, "password": PASSWORD}),
    ("metrics", "/metrics", ""),
    ("debug", "/debug/vars", ""),
    ("depth", "/v3/kv/txn", "[" * 100000),
]


def is_refused(status, text):
    if "events" in text or '"kvs"' in text:
        return False
    return status in (400, 401, 403, 404, 405, 411, 413, 429)


def say(name, ok, why):
    print("refused %s" % name if ok else "open %s: %s" % (name, why[:200].strip()))


def grpc():
    """gRPC on the clients' port wants HTTP/2."""
    h2 = ssl._create_unverified_context()  # noqa: S323
    h2.set_alpn_protocols(["h2"])
    try:
        with h2.wrap_socket(socket.create_connection((ADDRESS, 2379), 5)) as s:
            s.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0]))
            s.settimeout(5)
            answer = s.recv(100)
            return s.selected_alpn_protocol() != "h2" and answer[3:4] != b"\x04", answer
    except OSError as e:
        return True, e


def closed(port):
    """A port for members: no answer to somebody without their certificate."""
    try:
        with TLS.wrap_socket(socket.create_connection((ADDRESS, port), 5)) as s:
            s.settimeout(5)
            s.sendall(b"GET /version HTTP/1.0\r\n\r\n")
            answer = s.recv(100)
            return not answer or b" 400 " in answer, answer
    except OSError as e:
        return True, e


def keepalive():
    """The answer to a stranger's lease is that of a dead one."""
    _, text = post("/v3/lease/keepalive", {"ID": LEASE}, TOKEN)
    return '"TTL"' not in text, text


def raw_token():
    status, text = post("/v3/kv/range", {"key": mine["key"]}, {"Authorization": TOKEN["Authorization"].split("~")[0]})
    return status != 200, text


def other_user():
    token, _, mac = (TOKEN["Authorization"] + "~~").split("~")[:3]
    status, text = post("/v3/cluster/member/list", {}, {"Authorization": "~".join((token, "root", mac))})
    return status == 401, text


def metadata():
    """etcd's gateway takes headers for gRPC metadata."""
    status, text = post("/v3/kv/range", {"key": mine["key"]},
                        {"Grpc-Metadata-Token": TOKEN["Authorization"].split("~")[0],
                         "Grpc-Metadata-Authorization": TOKEN["Authorization"].split("~")[0]})
    return status != 200, text


def works():
    """What an agent does, which has to go on."""
    lease = json.loads(post("/v3/lease/grant", {"TTL": "20"}, TOKEN)[1]).get("ID", "")
    status = {"key": b64(OWN + "status")}
    lock = {"key": b64(COMPONENT + "once.lock")}
    return [
        ("range", '"kvs"', "/v3/kv/range", {"key": b64(OWN), "range_end": b64(after(OWN)), "limit": "2000"}),
        ("next page", '"header"', "/v3/kv/range",
         {"key": b64(OWN + "meta\0"), "range_end": b64(after(OWN)), "limit": 5}),
        ("several ranges", '"response_range"', "/v3/kv/txn",
         {"success": [{"request_range": {"key": b64(p), "range_end": b64(after(p))}}
                      for p in (OWN + "config/", COMPONENT + "shared/")]}),
        ("report", '"succeeded":true', "/v3/kv/txn",
         {"compare": [], "success": [{"request_put": dict(status, value=b64("{}"), lease=lease)}]}),
        ("lock", '"header"', "/v3/kv/txn",
         {"compare": [dict(lock, target="CREATE", result="EQUAL", create_revision="0")],
          "success": [{"request_put": dict(lock, value=b64("{}"), lease=lease)}],
          "failure": [{"request_range": lock}]}),
        ("keepalive", '"TTL"', "/v3/lease/keepalive", {"ID": lease}),
        ("watches", '"watch_id":"2"', "/v3/watch",
         json.dumps(watch(OWN + "config/", after(OWN + "config/"), watch_id="1")) +
         json.dumps(watch(OWN + "meta", watch_id=2))),
        ("release", '"header"', "/v3/lease/revoke", {"ID": lease}),
    ]


for name, path, body in WAYS:
    try:
        status, text = post(path, body, TOKEN, 3)
    except TimeoutError:
        status, text = 0, "it takes it and does not answer"
    except (OSError, http.client.HTTPException) as e:
        status, text = 400, repr(e)
    say(name, is_refused(status, text), "%d %s" % (status, text))
for name, work in (("gRPC", grpc), ("lease of another kept alive", keepalive),
                   ("port for members", lambda: closed(2382)), ("port for peers", lambda: closed(2380)),
                   ("etcd's own token", raw_token), ("token renamed", other_user), ("token as metadata", metadata)):
    ok, why = work()
    say(name, ok, str(why))
for name, has, path, body in works():
    status, text = post(path, body, TOKEN, 3)
    good = status == 200 and has in text.replace(" ", "")
    print("works %s" % name if good else "fails %s: %d %s" % (name, status, text[:200].strip()))
