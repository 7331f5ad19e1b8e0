#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""For init.sh: connections to a service. init_visitors.py PORT WHAT
  say WORD...       each WORD on a connection of its own, all at once; prints the answers
  hold N ADDRESS    N connections from ADDRESS, which stay for 20 s; "M of N": so many were not closed
  occupy            listens there itself for a minute
"""
import os
import select
import socket
import sys
import time


def connect(port, source='127.0.0.1'):
    return socket.create_connection(('127.0.0.1', port), timeout=5, source_address=(source, 0))


def say(port, words):
    try:
        all_of_them = [connect(port) for _ in words]
    except ConnectionRefusedError:
        return 'refused'
    for one, word in zip(all_of_them, words):
        one.sendall(word.encode() + b'\n')
    return ' '.join(one.makefile().read().strip() for one in all_of_them)


def hold(port, count, source):
    all_of_them = [connect(port, source) for _ in range(count)]
    end = time.monotonic() + 1
    while time.monotonic() < end:
        select.select(all_of_them, [], [], 0.1)
        time.sleep(0.1)
    closed, _, _ = select.select(all_of_them, [], [], 0)
    if os.fork() == 0:
        os.dup2(os.open('/dev/null', os.O_WRONLY), 1)
        time.sleep(20)
        os._exit(0)
    return f'{count - len(closed)} of {count}'


if sys.argv[2] == 'occupy':
    with socket.create_server(('', int(sys.argv[1]))):
        print('occupied', flush=True)
        time.sleep(60)
elif sys.argv[2] == 'say':
    print(say(int(sys.argv[1]), sys.argv[3:]))
else:
    print(hold(int(sys.argv[1]), int(sys.argv[3]), sys.argv[4]))
