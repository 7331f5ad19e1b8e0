# SPDX-License-Identifier: MIT
"""Desired state of volumes, changed from inside: the maps `volumes` of the manager that makes them and of this instance
that serves them. The manifest's `edits` allow these two keys and no other. A change counts only when nothing else
changed them meanwhile and nobody holds the environment's lock, so that a `slipway volume` at the same time loses
nothing."""

import copy
import json
import os
import subprocess
import time

from slipway_driver import INSTANCE, Wrong

AGENT = os.environ.get("SLIPWAY_AGENT", "/usr/lib/slipway/slipway-agent")
MAKER = "ceph-mgr"
MAKERS = ["%s-%d" % (MAKER, n) for n in (1, 2)]  # its manifest has no more
LOCK = "lock"
MADE = "components/%s/config/volumes" % MAKER
DEFAULT = "components/%s/config/volumes" % os.environ.get("SLIPWAY_COMPONENT", "")
SERVED = "instances/%s/config/volumes" % INSTANCE
# Docker gives a plugin 30 s and more; the words must arrive before.
PATIENCE = 25
# Docker asks for every name it does not know, and whoever asked Docker waits, also while this environment's etcd is
# away.
BRIEF = {"deadline_ms": 1500}


def link():
    """By hand the link is the container's argument; the agent looks everywhere else by itself."""
    with open("/proc/1/cmdline", "rb") as f:
        for word in f.read().split(b"\0"):
            if word.startswith((b"etcd://", b"etcds://")):
                return {"SLIPWAY_LINK": word.decode()}
    return {}


def ask(**request):
    done = subprocess.run([AGENT, "keys"], input=json.dumps(request).encode(), stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, env=dict(os.environ, **link()), timeout=PATIENCE)
    if done.returncode:
        raise Wrong("etcd: %s" % done.stderr.decode(errors="replace").strip()[-500:])
    return json.loads(done.stdout)


def text(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


class State:
    def __init__(self, **more):
        keys = ask(get=[LOCK, MADE, DEFAULT, SERVED], **more)["keys"]
        self.revisions = {k: int(keys[k]["revision"]) if k in keys else 0 for k in (MADE, SERVED)}
        self.holder = keys[LOCK]["value"] if LOCK in keys else None
        self.made = json.loads(keys[MADE]["value"]) if MADE in keys else {}
        served = keys.get(SERVED) or keys.get(DEFAULT)
        self.served = json.loads(served["value"]) if served else {}


def change(work):
    """work(state) changes state.made and state.served, or raises. Returns the state as it was stored."""
    end = time.monotonic() + PATIENCE
    while True:
        state = State()
        before = copy.deepcopy((state.made, state.served))
        if not state.holder:
            work(state)
            put = {}
            if state.made != before[0]:
                put[MADE] = text(state.made)
            if state.served != before[1]:
                put[SERVED] = text(state.served)
            if not put or ask(put=put, **{"if": dict(state.revisions, **{LOCK: 0})})["done"]:
                return State() if put else state
        if time.monotonic() >= end:
            raise Wrong("another run of slipway holds the environment's lock: %s" % (state.holder or "again and again"))
        time.sleep(0.1)


def complaint(name, error):
    """The last line "volume NAME: why" of what an agent reports."""
    head, found = "volume %s: " % name, None
    for line in error.splitlines():
        at = line.find(head)
        if at >= 0:
            found = line[at:]
    return found


def wait(name, instances, revision):
    """Until an agent says that what it was told at `revision` is in effect; its complaint about this volume, or
    None."""
    keys = ["instances/%s/applied" % i for i in instances]
    end = time.monotonic() + PATIENCE
    while True:
        for entry in ask(get=keys)["keys"].values():
            applied = json.loads(entry["value"])
            if int(applied.get("revision", 0)) >= revision:
                return complaint(name, applied.get("error") or "") if applied.get("result") != "ok" else None
        if time.monotonic() >= end:
            return "%s has not answered in time; `slipway status` says how it is" % instances[0]
        time.sleep(0.05)
