#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""For controller.sh: what a browser does at a slipwayd at ADDRESS:PORT, with the session's cookie.

controller_client.py login ADDRESS:PORT TOKEN                  the cookie of a new session
controller_client.py streams ADDRESS:PORT COOKIE EVENTS LOGS   holds so many streams for 30 s; prints "open" first
controller_client.py death ADDRESS:PORT COOKIE INSTANCE COMMAND...
    ms from the command until the event stream tells that the instance does not run, and until it runs again
controller_client.py change ADDRESS:PORT COOKIE COMPONENT KEY VALUE
    ms from the change of a configuration key until its first instance is told to have acknowledged it
"""
import http.client
import json
import ssl
import subprocess
import sys
import time

WAIT_S = 15
where, arguments = sys.argv[2], sys.argv[3:]
context = ssl.create_default_context()
context.check_hostname, context.verify_mode = False, ssl.CERT_NONE


def connect(source=None):
    host, port = where.rsplit(":", 1)
    return http.client.HTTPSConnection(host, int(port), timeout=30, context=context, source_address=source)


def ask(method, path, body=None, source=None, **headers):
    c = connect(source)
    headers = {"Origin": f"https://{where}", **{k.replace("_", "-"): v for k, v in headers.items()}}
    if body is not None:
        headers["Content-Type"] = "application/json"
    c.request(method, "/api/v1/" + path, body and json.dumps(body), headers)
    answer = c.getresponse()
    if answer.status >= 300:
        sys.exit(f"{method} {path}: {answer.status} {answer.read(300)}")
    return c, answer


def rows(cookie, instance):
    """The row of an instance, each time that it is told of one."""
    _, answer = ask("GET", "events", Cookie=cookie)
    name = ""
    yield None  # the stream stands
    for line in answer:
        kind, _, value = line.decode().rstrip("\n").partition(": ")
        if kind == "event":
            name = value
        elif kind == "data" and name == "instance":
            row = json.loads(value)
            if row["instance"] == instance:
                yield row


def until(told, fine):
    end = time.monotonic() + WAIT_S
    for row in told:
        if fine(row):
            return time.monotonic()
        if time.monotonic() > end:
            break
    sys.exit("not in time")


def ms(begin, end):
    return round(1000 * (end - begin))


def login(token):
    _, answer = ask("POST", "login", {"token": token})
    print(answer.headers["Set-Cookie"].split(";")[0])


def streams(cookie, events, logs):
    kept = []
    for i in range(int(events) + int(logs)):
        n = i - int(events) + 1
        path = "events" if n <= 0 else f"logs?instance=sleeper-{n}&follow=true"
        kept.append(ask("GET", path, source=(f"127.0.0.{2 + i // 50}", 0), Cookie=cookie))  # 64 of one address
    print("open", flush=True)
    time.sleep(30)


def death(cookie, instance, *command):
    told = rows(cookie, instance)
    next(told)
    begin = time.monotonic()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    seen = until(told, lambda row: row["container"] != "running")
    print(ms(begin, seen), flush=True)
    print(ms(begin, until(told, lambda row: row["container"] == "running")))


def change(cookie, component, key, value):
    told = rows(cookie, component + "-1")
    next(told)
    _, answer = ask("GET", "configuration/" + component, Cookie=cookie)
    tag = answer.headers["ETag"]
    _, answer = ask("GET", "instances?component=" + component, Cookie=cookie)
    before = json.load(answer)["items"][0]["config"]["revision"]
    begin = time.monotonic()
    ask("PATCH", "configuration/" + component, {"set": {key: value}}, Cookie=cookie, If_Match=tag)
    print(ms(begin, until(told, lambda row: row["config"]["current"] and row["config"]["revision"] > before)))


{"login": login, "streams": streams, "death": death, "change": change}[sys.argv[1]](*arguments)
