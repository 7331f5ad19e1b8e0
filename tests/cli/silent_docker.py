#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A Docker that hangs: answers the ping with which a client begins, takes every other request and never answers it.

usage: silent_docker.py LISTEN [full]

LISTEN.asked is made when the first such request is there. `full`: it takes no connection, and its queue is full.
"""
import socket
import sys
import threading

PONG = b"HTTP/1.1 200 OK\r\nApi-Version: 1.44\r\nContent-Length: 2\r\n\r\nOK"


def serve(client):
    while True:
        data = client.recv(65536)
        if not data:
            return
        if b"/_ping" in data.split(b"\r\n", 1)[0]:
            client.sendall(PONG)
        else:
            with open(sys.argv[1] + ".asked", "w", encoding="ascii"):
                pass


server = socket.socket(socket.AF_UNIX)
server.bind(sys.argv[1])
if sys.argv[2:] == ["full"]:
    server.listen(0)
    held = [socket.socket(socket.AF_UNIX) for _ in range(2)]
    for client in held:
        client.setblocking(False)
        client.connect_ex(sys.argv[1])
    with open(sys.argv[1] + ".asked", "w", encoding="ascii"):
        pass
    threading.Event().wait()
server.listen(64)
while True:
    connection, _ = server.accept()
    threading.Thread(target=serve, args=(connection,), daemon=True).start()
