#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""For ssh.sh: a connection to an sshd that something happens to. ssh_proxy.py PORT WHAT[:N]... prints one port a line,
one for each WHAT, which comes after N bytes from sshd of each connection:
  hold    nothing more is passed on, in neither direction
  cut     the connection is closed; cutup: after N bytes to sshd
  flip    one bit of that byte is changed; flipup: of what goes to sshd
  once-cut, once-flip   the same, in the first connection alone
"""
import socket
import sys
import threading
import time


class Link:
    def __init__(self, near, far, what, at):
        self.near, self.far, self.what, self.at = near, far, what, at
        self.held = threading.Event()

    def close(self):
        for end in (self.near, self.far):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def flip(self, data, seen):
        place = self.at - seen
        if 0 <= place < len(data):
            data = data[:place] + bytes([data[place] ^ 4]) + data[place + 1:]
        return data

    def pump(self, source, sink, down):
        seen = 0
        try:
            while data := source.recv(65536):
                if self.what == 'hold' and down and seen + len(data) > self.at:
                    sink.sendall(data[:self.at - seen])
                    self.held.set()
                if self.held.is_set():
                    time.sleep(3600)
                if self.what == ('cut' if down else 'cutup') and seen + len(data) > self.at:
                    sink.sendall(data[:self.at - seen])
                    break
                if self.what == ('flip' if down else 'flipup'):
                    data = self.flip(data, seen)
                seen += len(data)
                sink.sendall(data)
        except OSError:
            pass
        self.close()


def serve(listener, target, what, at):
    while True:
        near, _ = listener.accept()
        far = socket.create_connection(('127.0.0.1', target))
        link = Link(near, far, what.removeprefix('once-'), at)
        if what.startswith('once-'):
            what = 'pass'
        for way in ((near, far, False), (far, near, True)):
            threading.Thread(target=link.pump, args=way, daemon=True).start()


def main():
    target = int(sys.argv[1])
    for word in sys.argv[2:]:
        what, _, at = word.partition(':')
        listener = socket.create_server(('127.0.0.1', 0))
        threading.Thread(target=serve, args=(listener, target, what, int(at or 0)), daemon=True).start()
        print(listener.getsockname()[1], flush=True)
    print('end', flush=True)
    threading.Event().wait()


main()
