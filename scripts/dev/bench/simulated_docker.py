#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A Docker whose containers do not exist: what slipwayd asks of it, answered from a list of bodies of create calls.

usage: simulated_docker.py SOCKET CONTAINERS.json

Answers ping, lists, inspections, events and logs, each as long as Docker's own; `POST /containers/NAME/kill` and
`.../start` change the state and tell of it; /counts says how often it was looked at.
"""
import hashlib
import json
import os
import re
import socketserver
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler

VERSION = "1.44"
lock = threading.Condition()
containers = {}  # name -> what the list has
events = []
counts = {"looks": 0}  # how often the volumes were asked for, which is once in each look


def digest(text):
    return hashlib.sha256(text.encode()).hexdigest()


def listed(body):
    name, network, labels = body["Name"], body["Network"], body["Labels"]
    endpoint = body["NetworkingConfig"]["EndpointsConfig"][network]
    place = {
        "IPAMConfig": endpoint["IPAMConfig"], "Links": None, "Aliases": endpoint["Aliases"], "DriverOpts": None,
        "NetworkID": digest(network), "EndpointID": digest(name + " endpoint"), "Gateway": "10.64.0.1",
        "IPAddress": labels["slipway.address"], "MacAddress": "02:42:0a:40:00:02", "IPPrefixLen": 20,
        "IPv6Gateway": "", "GlobalIPv6Address": "", "GlobalIPv6PrefixLen": 0, "DNSNames": None}
    mounts = [
        {"Type": "volume", "Name": m["Source"], "Source": f"/var/lib/docker/volumes/{m['Source']}/_data",
         "Destination": m["Target"], "Driver": "local", "Mode": "z", "RW": True, "Propagation": ""}
        for m in body["HostConfig"]["Mounts"]]
    return {
        "Id": digest(name), "Names": ["/" + name], "Image": body["Image"], "ImageID": "sha256:" + digest(body["Image"]),
        "Command": "/usr/lib/slipway/init", "Created": int(time.time()) - 3600, "Ports": [], "Labels": labels,
        "State": "running", "Status": "Up About an hour", "HostConfig": {"NetworkMode": network},
        "NetworkSettings": {"Networks": {network: place}}, "Mounts": mounts}


def inspected(c):
    runs = c["State"] == "running"
    return {
        "Id": c["Id"], "Created": "2026-01-31T23:59:59.123456789Z", "Path": "/usr/lib/slipway/init", "Args": [],
        "State": {"Status": c["State"], "Running": runs, "Paused": False, "Restarting": False, "OOMKilled": False,
                  "Dead": False, "Pid": 1, "ExitCode": 0 if runs else 137, "Error": "",
                  "StartedAt": "2026-01-31T23:59:59.123456789Z", "FinishedAt": "0001-01-01T00:00:00Z"},
        "Image": c["ImageID"], "Name": c["Names"][0], "RestartCount": 0, "Driver": "overlay2", "Platform": "linux",
        "Mounts": c["Mounts"], "Config": {"Labels": c["Labels"], "Image": c["Image"], "Tty": False},
        "HostConfig": {**c["HostConfig"], "RestartPolicy": {"Name": "always"}, "LogConfig": {"Type": "json-file"}},
        "NetworkSettings": c["NetworkSettings"]}


def change(c, state, status, words):
    with lock:
        c["State"], c["Status"] = state, status
        for word in words:
            actor = {"ID": c["Id"], "Attributes": {**c["Labels"], "name": c["Names"][0][1:], "image": c["Image"]}}
            events.append({"Type": "container", "Action": word, "status": word, "id": c["Id"], "Actor": actor,
                           "scope": "local", "time": int(time.time()), "timeNano": time.time_ns()})
        lock.notify_all()


class Docker(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def address_string(self):
        return ""

    def answer(self, status, value):
        text = value if isinstance(value, bytes) else json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Api-Version", VERSION)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def begin_stream(self):
        self.send_response(200)
        self.send_header("Content-Type", "application/octet-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()

    def chunk(self, data):
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        self.wfile.flush()

    def tell_events(self):
        self.begin_stream()
        at = len(events)
        while True:
            with lock:
                while at == len(events):
                    lock.wait()
                new, at = events[at:], len(events)
            for event in new:
                self.chunk(json.dumps(event).encode() + b"\n")

    def tell_log(self):
        self.begin_stream()
        while True:
            line = b"2026-01-31T23:59:59.123456789Z a line that some daemon says each second\n"
            self.chunk(b"\1\0\0\0" + len(line).to_bytes(4, "big") + line)
            if "follow=" not in self.path:
                self.wfile.write(b"0\r\n\r\n")
                return
            time.sleep(1)

    def do_GET(self):
        path = re.sub(r"^/v[0-9.]+", "", self.path.split("?")[0])
        one = re.fullmatch(r"/containers/([^/]+)/(json|logs)", path)
        if path == "/_ping":
            self.answer(200, b"OK")
        elif path == "/version":
            self.answer(200, {"Version": "26.0", "ApiVersion": VERSION, "MinAPIVersion": "1.24"})
        elif path == "/containers/json":
            self.answer(200, list(containers.values()))
        elif path == "/networks":
            self.answer(200, [network])
        elif path == "/volumes":
            counts["looks"] += 1
            self.answer(200, {"Volumes": [], "Warnings": None})
        elif path == "/counts":
            self.answer(200, counts)
        elif path == "/events":
            self.tell_events()
        elif one and one[1] in by_id:
            if one[2] == "logs":
                self.tell_log()
            else:
                self.answer(200, inspected(by_id[one[1]]))
        else:
            self.answer(404, {"message": "no such thing: " + path})

    def do_PUT(self):  # files into a container
        self.rfile.read(int(self.headers["Content-Length"]))
        self.answer(200, b"")

    def do_POST(self):
        one = re.fullmatch(r"(?:/v[0-9.]+)?/containers/([^/]+)/(kill|start)", self.path.split("?")[0])
        if not one or one[1] not in by_id:
            self.answer(404, {"message": "no such thing: " + self.path})
        elif one[2] == "kill":
            change(by_id[one[1]], "exited", "Exited (137) Less than a second ago", ["kill", "die"])
            self.answer(204, b"")
        else:
            change(by_id[one[1]], "running", "Up Less than a second", ["start"])
            self.answer(204, b"")


class Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, *_):
        pass  # whoever asked has gone


with open(sys.argv[2], encoding="ascii") as f:
    bodies = json.load(f)
for item in bodies:
    containers[item["Name"]] = listed(item)
by_id = {**containers, **{c["Id"]: c for c in containers.values()}}
some = next(iter(containers.values()))
name_of_network = some["HostConfig"]["NetworkMode"]
network = {
    "Name": name_of_network, "Id": digest(name_of_network), "Created": "2026-01-31T23:59:59.123456789Z",
    "Scope": "local", "Driver": "bridge", "EnableIPv6": False, "Internal": False, "Attachable": False,
    "IPAM": {"Driver": "default", "Config": [{"Subnet": "10.64.0.0/20", "Gateway": "10.64.0.1"}]},
    "Containers": {}, "Options": {}, "Labels": {k: some["Labels"][k] for k in ("slipway.env", "slipway.name")}}
if os.path.exists(sys.argv[1]):
    os.unlink(sys.argv[1])
Server(sys.argv[1], Docker).serve_forever()
