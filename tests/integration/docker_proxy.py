# SPDX-License-Identifier: MIT
"""For keepfaults.sh and keep.sh: stands before Docker's socket, hands everything on, and does to it what a file says.
Usage: docker_proxy.py LISTEN TARGET MODE-FILE

The file has one word: "pass" (as without a file), "garbage" (each request gets an answer that Docker never
gives), "slow" (each answer comes SLOW_S later), or "hang" (what changes something is taken and gets no answer). In
LISTEN.changes is a line for each request that was handed on and changes something."""
import itertools
import os
import socket
import sys
import threading
import time

LISTEN, TARGET, MODE_FILE = sys.argv[1:]
SLOW_S = 4
JSON = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
GARBAGE = itertools.cycle([
    b"\x00\x01\x02 what?\r\n\r\n",
    JSON + b"Content-Length: 0\r\n\r\n",
    JSON + b"Content-Length: 2\r\n\r\n{}",
    JSON + b"Content-Length: 14\r\n\r\n[1,null,{\"a\":1",
    JSON + b"Content-Length: 16\r\n\r\n[7, null, [{}]]\n",
    JSON + b"Transfer-Encoding: chunked\r\n\r\n4\r\n[{\"I",
    b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 5\r\n\r\n<h1/>",
    b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n",
    b"",
])
written = threading.Lock()


def mode():
    try:
        with open(MODE_FILE, encoding="ascii") as f:
            return f.read().strip() or "pass"
    except OSError:
        return "pass"


def close(*sockets):
    for one in sockets:
        try:
            one.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


def answers(client, docker):
    try:
        while data := docker.recv(65536):
            if mode() == "slow":
                time.sleep(SLOW_S)
            client.sendall(data)
    except OSError:
        pass
    close(client, docker)


def is_change(line):
    return line.split(b" ", 1)[0] in (b"POST", b"PUT", b"DELETE")


def note(line):
    with written, open(LISTEN + ".changes", "ab") as f:
        f.write(line + b"\n")


def requests(client):
    docker = socket.socket(socket.AF_UNIX)
    docker.connect(TARGET)
    threading.Thread(target=answers, args=(client, docker), daemon=True).start()
    try:
        while data := client.recv(65536):
            line = data.split(b"\r\n", 1)[0]
            now = mode()
            if now == "garbage":
                client.sendall(next(GARBAGE))
                break
            if now == "hang" and is_change(line):
                while mode() == "hang":
                    time.sleep(0.1)
                break
            if is_change(line):
                note(line)
            docker.sendall(data)
    except OSError:
        pass
    close(client, docker)


if os.path.exists(LISTEN):
    os.unlink(LISTEN)
open(LISTEN + ".changes", "ab").close()
server = socket.socket(socket.AF_UNIX)
server.bind(LISTEN)
server.listen(64)
while True:
    connection, _ = server.accept()
    threading.Thread(target=requests, args=(connection,), daemon=True).start()
