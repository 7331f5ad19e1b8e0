# SPDX-License-Identifier: MIT
"""What the gate before etcd lets through (components/etcd/lib/policy.lua): a request of known fields alone, flat, in
proper JSON, whose ranges end within the instance's own folders and whose leases are its own; and it lets that through
again."""

import base64
import json
import os
import subprocess
import sys

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
sys.path[:0] = [os.path.dirname(os.path.abspath(__file__))]
from mutate import run  # noqa: E402

FOLDERS = b"/slipway/demo/instances/sleeper-1/", b"/slipway/demo/components/sleeper/"
INT = "revision", "limit", "create_revision", "mod_revision", "version", "start_revision", "watch_id"
RANGE = "key", "range_end", "revision", "limit", "count_only", "keys_only", "serializable"
PUT = "key", "value", "lease"
driver = subprocess.Popen(["luajit", ROOT + "/tests/fuzz/etcd_policy.lua", ROOT + "/components/etcd/lib"],
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE)


def ask(data):
    driver.stdin.write(b"%d\n%s" % (len(data), data))
    driver.stdin.flush()
    answer = json.loads(driver.stdout.readline())
    assert "error" not in answer, answer["error"]
    return base64.b64decode(answer["made"]) if "made" in answer else None, answer.get("cost", 0), set(answer["lines"])


def once(pairs):
    assert len(dict(pairs)) == len(pairs), pairs
    return dict(pairs)


def look_ids(v):
    number = int(v)
    assert number >> 32 == 7, number


def look(v, names, anonymous):
    assert isinstance(v, dict) and set(v) <= set(names), v
    key = end = None
    for name, value in v.items():
        if name in INT:
            assert isinstance(value, str) and int(value) is not None
        elif name in ("key", "range_end", "value"):
            raw = base64.b64decode(value, validate=True)
            assert base64.b64encode(raw).decode() == value
            key, end = (raw, end) if name == "key" else (key, raw) if name == "range_end" else (key, end)
        elif name == "lease":
            assert value == "0" or look_ids(value) is None
        elif name in ("count_only", "keys_only", "serializable"):
            assert isinstance(value, bool)
        else:
            assert value in ("EQUAL", "GREATER", "LESS", "NOT_EQUAL", "VERSION", "CREATE", "MOD", "VALUE"), value
    assert key
    if anonymous:
        return
    assert key.startswith(b"/slipway/demo/"), key
    if end is not None:
        assert key < end and end[-1:] == b"0" and key.startswith(end[:-1] + b"/"), (key, end)
        assert any((end[:-1] + b"/").startswith(f) for f in FOLDERS), end


def look_txn(v, cost):
    assert set(v) <= {"compare", "success", "failure"}, v
    for c in v.get("compare", []):
        look(c, ("key", "value", "result", "target", "create_revision", "mod_revision", "version"), False)
    for op in v.get("success", []) + v.get("failure", []):
        (kind, body), = op.items()
        assert kind in ("request_range", "request_put"), kind
        look(body, RANGE if kind == "request_range" else PUT, False)
        assert kind != "request_put" or cost > 0


def one(data):
    made, cost, lines = ask(data)
    if made is None:
        return lines
    assert all(32 <= c < 127 or c == 10 for c in made), made
    path, anonymous = data.split(b"\n")[0].lstrip(b"!").decode(), data.startswith(b"!")
    assert not anonymous or path == "/v3/kv/range"
    texts = made.decode().splitlines()
    assert len(texts) == 1 or path == "/v3/watch"
    for text in texts:
        v = json.loads(text, object_pairs_hook=once)
        if path == "/v3/kv/range":
            look(v, RANGE, anonymous)
        elif path == "/v3/kv/put":
            look(v, PUT, False)
            assert cost > 0
        elif path == "/v3/kv/txn":
            look_txn(v, cost)
        elif path == "/v3/watch":
            assert set(v) == {"create_request"}
            look(v["create_request"], ("key", "range_end", "start_revision", "watch_id"), False)
        else:
            assert path.startswith("/v3/lease/") and set(v) <= {"ID", "TTL"}, path
            look_ids(v["ID"])
            assert "TTL" not in v or path == "/v3/lease/grant" and 1 <= int(v["TTL"]) <= 120
    if path != "/v3/lease/grant":
        assert ask(data.split(b"\n")[0] + b"\n" + made)[0] is not None
    return lines


run(one, [])
