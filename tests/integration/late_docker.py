#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A Docker that takes its time: stands before Docker's socket and holds one request.

usage: late_docker.py LISTEN TARGET PATTERN SECONDS

The first request whose first line has PATTERN is held for SECONDS, or until LISTEN.go is made, then
handed on, whether its sender still lives or not: so does a busy Docker with a call whose caller was
killed. LISTEN.held is made when the request is there, LISTEN.answered when Docker has answered it.
"""
import os
import socket
import sys
import threading
import time

listen, target, pattern, seconds = sys.argv[1], sys.argv[2], sys.argv[3].encode(), sys.argv[4]
once = threading.Lock()


def touch(suffix):
    with open(listen + suffix, "w", encoding="ascii"):
        pass


def answers(client, docker, state):
    while True:
        try:
            data = docker.recv(65536)
        except OSError:
            return
        if not data:
            return
        if state.get("held"):
            touch(".answered")
        try:
            client.sendall(data)
        except OSError:
            pass


def requests(client):
    docker = socket.socket(socket.AF_UNIX)
    docker.connect(target)
    state = {}
    reader = threading.Thread(target=answers, args=(client, docker, state), daemon=True)
    reader.start()
    while True:
        try:
            data = client.recv(65536)
        except OSError:
            data = b""
        if not data:
            break
        if pattern in data.split(b"\r\n", 1)[0] and once.acquire(blocking=False):
            touch(".held")
            end = time.monotonic() + float(seconds)
            while time.monotonic() < end and not os.path.exists(listen + ".go"):
                time.sleep(0.05)
            state["held"] = True
        docker.sendall(data)
    if state.get("held"):
        for _ in range(600):
            if os.path.exists(listen + ".answered"):
                break
            time.sleep(0.1)
    docker.close()


server = socket.socket(socket.AF_UNIX)
server.bind(listen)
server.listen(64)
while True:
    connection, _ = server.accept()
    threading.Thread(target=requests, args=(connection,), daemon=True).start()
