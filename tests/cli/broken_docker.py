#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A Docker that answers the ping, and every other request as the file LISTEN.answer says.

usage: broken_docker.py LISTEN

LISTEN.answer: a way and a text. "close": hangs up. "raw": says the text and hangs up. "half": says the head and half of
the text as JSON, and hangs up. "slow": the text a byte a second. "body": the text as the JSON answer to lists of
containers; other lists are empty.
"""
import socket
import sys
import threading
import time

HEAD = "HTTP/1.1 200 OK\r\nApi-Version: 1.44\r\nContent-Length: {}\r\n\r\n"


def whole(text):
    return (HEAD.format(len(text.encode())) + text).encode()


def empty(line):
    return whole('{"Volumes":[]}' if "/volumes" in line else "[]")


def answer(client, line, way, text):
    """True when the connection goes on."""
    if "/_ping" in line:
        client.sendall(whole("OK"))
        return True
    if way == "body":
        client.sendall(whole(text) if "/containers/json" in line else empty(line))
        return True
    if way == "raw":
        client.sendall(text.encode())
    elif way == "half":
        client.sendall(whole(text)[: -len(text) // 2])
    elif way == "slow":
        for byte in whole(text):
            client.sendall(bytes([byte]))
            time.sleep(1)
    return False


def serve(client):
    try:
        while True:
            request = client.recv(65536)
            if not request:
                return
            with open(sys.argv[1] + ".answer", encoding="utf-8") as said:
                way, _, text = said.read().partition(" ")
            if not answer(client, request.split(b"\r\n", 1)[0].decode(), way, text):
                return
    except OSError:  # the client went first
        pass
    finally:
        client.close()


server = socket.socket(socket.AF_UNIX)
server.bind(sys.argv[1])
server.listen(64)
while True:
    connection, _ = server.accept()
    threading.Thread(target=serve, args=(connection,), daemon=True).start()
