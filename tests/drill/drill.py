#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Breaks environments in a seeded order while writers write, and says whether the data is right. README.md.

    drill.py [--seconds N] [--seed N]... [--script NAME|FILE] [--list ROUNDS] [--paper] [--folder DIR]"""

import argparse
import collections
import concurrent.futures
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time

import choose
import ledger
import paper
import stamp
import world
from writer import SLOTS

PATIENCE = int(os.environ.get("DRILL_PATIENCE", "120"))  # seconds for a writer to go on
SHOWN = 20  # faults; all of them are in the result
HERE = os.path.dirname(os.path.abspath(__file__))
WRITER = [sys.executable, os.path.join(HERE, "writer.py")]


class Volume:
    """What the drill knows of one volume: who ought to have it, who writes it, and who did."""

    def __init__(self, environment, name, driver, identity, slots):
        self.environment, self.name, self.home, self.holder = environment, name, driver, driver
        self.ledger = ledger.Ledger(identity, slots)
        self.sure = True  # false after a command that failed: whether it took effect shows later
        self.process = self.stale = None
        self.former = []  # (driver, process) of writers that were fenced; they go on trying
        self.number = self.takeovers = 0
        self.quiet = False  # the next writer only reads, until `loud`

    def processes(self, driver=None):
        """Those that talk to this driver, or all."""
        every = self.former + ([(self.holder, self.process)] if self.process else [])
        return [p for d, p in every if driver in (None, d)]


def ended(processes, seconds):
    """Ends them; whether they did. One that waits for a file whose driver sleeps cannot be killed."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        end = time.monotonic() + (3 if number == signal.SIGTERM else seconds)
        for p in processes:
            if p.poll() is None:
                p.send_signal(number)
        while any(p.poll() is None for p in processes) and time.monotonic() < end:
            time.sleep(0.02)
    return all(p.poll() is not None for p in processes)


class Drill:
    def __init__(self, world, run, folder, slots):
        self.world, self.number, self.folder, self.slots = world, run, folder, slots
        os.makedirs(os.path.join(folder, "journals"), exist_ok=True)
        self.actions = open(os.path.join(folder, "actions"), "w", encoding="utf-8")
        self.events = open(os.path.join(folder, "events"), "w", encoding="utf-8")
        self.begun = time.monotonic()
        self.faults, self.cut = [], None
        self.numbers = collections.Counter()
        self.volumes = {(e, v): Volume(e, v, driver, "%s.%s/%s" % (run, e, v), slots)
                        for e, s in world.shape.items() for v, driver in sorted(s["volumes"].items())}
        world.note, world.fault = self.note, self.fault

    # ---- what it says --------------------------------------------------------------------------------

    def note(self, text):
        print("%8.2f %s" % (time.monotonic() - self.begun, text), file=self.events, flush=True)

    def fault(self, text):
        self.faults.append(text)
        self.note("FAULT " + text)

    # ---- writers -------------------------------------------------------------------------------------

    def journal(self, v, number):
        return os.path.join(self.folder, "journals", "%s.%s.%d" % (v.environment, v.name, number))

    def start(self, v, number, url, journal):
        how, v.quiet = "quiet" if v.quiet else "write", False
        return subprocess.Popen(WRITER + [how, url, v.ledger.volume, str(number), "%s/%d" % (self.number, number),
                                          journal],
                                env=self.world_env(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                stderr=open(journal + ".err", "wb"))

    def world_env(self):
        return dict(os.environ, **getattr(self.world, "client_env", {}))

    def begin_writer(self, v):
        v.number += 1
        journal = self.journal(v, v.number)
        v.ledger.begin(v.number, journal)
        v.process = self.start(v, v.number, self.world.url(v.environment, v.name, v.holder), journal)

    def read(self, v, seconds):
        """The stamps of all slots, through who has it; None when that does not answer."""
        url = self.world.url(v.environment, v.name, v.holder)
        p = subprocess.Popen(WRITER + ["read", url], env=self.world_env(), stdin=subprocess.DEVNULL,
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        try:
            out, err = p.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            p.kill()
            out, err = "", "no answer in %d s" % seconds
            v.former.append((v.holder, p))  # it may hang
        if p.returncode != 0:
            self.note("%s/%s cannot be read: %s" % (v.environment, v.name, err.strip()))
            return None
        return [stamp.stamp_from(line) for line in out.splitlines()]

    def census(self, v, seconds):
        """Compares all of the volume; whether it could be read."""
        found = self.read(v, seconds)
        if found is None:
            return False
        before = v.ledger.compared
        for fault in v.ledger.census(found):
            self.fault(fault)
        self.numbers["bytes compared"] += v.ledger.compared - before
        self.numbers["censuses"] += 1
        return True

    def fence(self, v):
        """The volume is not its writer's any more; the writer is left alive."""
        v.ledger.fence()
        if v.process:
            v.former.append((v.holder, v.process))
        v.process = None

    # ---- actions that hand a volume over -------------------------------------------------------------

    def hand(self, verb, e, v, to, how=None):
        v = self.volumes[e, v]
        if to and to == v.holder and v.sure:
            return "it is there"
        if to and not ended(v.processes(to), 5):
            return "an old writer cannot be ended"
        if to and v.holder == to:
            v.process = None
        v.former = [f for f in v.former if f[1].poll() is None]
        status = getattr(self.world, verb)(e, v.name, how or to)
        if status != 0:
            v.sure = False
            return "status %s" % status
        self.fence(v)
        v.holder, v.sure = to, True
        v.stale = None if v.stale == to else v.stale
        if to and self.census(v, 30):
            quiet = v.quiet
            self.begin_writer(v)
            if quiet:
                self.has_read(v, 10)
        return "done" if v.process or not to else "done, not read yet"

    def do_takeover(self, e, v, to):
        outcome = self.hand("takeover", e, v, to)
        if outcome.startswith("done"):
            self.volumes[e, v].takeovers += 1
            self.numbers["take-overs"] += 1
        return outcome

    def do_attach(self, e, v, to):
        return self.hand("attach", e, v, to)

    def do_detach(self, e, v, how):
        return self.hand("detach", e, v, None, how) if self.volumes[e, v].holder else "nobody has it"

    def do_move(self, e, v, to):
        """Under its writer, which is refused as long as that is connected."""
        return self.hand("move", e, v, to)

    def do_handover(self, e, v, to):
        """Its writer leaves first."""
        volume = self.volumes[e, v]
        if volume.process and not ended([volume.process], 5):
            return "its writer cannot be ended"
        return self.hand("move", e, v, to)

    def do_quiet(self, e, v):
        self.volumes[e, v].quiet = True
        return "the next one"

    def has_read(self, v, seconds):
        """Whether its quiet writer has read what it wanted to read."""
        end = time.monotonic() + seconds
        while ["q"] not in ledger.lines_of(v.ledger.journal):
            if not v.process or time.monotonic() > end:
                return False
            time.sleep(0.05)
        return True

    def do_loud(self, e, v):
        """The writer that only read writes from now on."""
        volume = self.volumes[e, v]
        if not volume.process or not self.has_read(volume, 5):
            return "it has not read"
        volume.process.send_signal(signal.SIGUSR1)
        return "writes"

    def do_hush(self, e, v):
        """Its writer ends, and nobody else begins."""
        volume = self.volumes[e, v]
        if volume.process and not ended([volume.process], 30):
            return "its writer cannot be ended"
        volume.process = None
        return "done"

    def do_stale(self, e, v, instance):
        """The entry of an old take-over comes back."""
        volume = self.volumes[e, v]
        if instance == volume.holder or not volume.sure or not volume.takeovers or not volume.holder or volume.stale:
            return "does not apply"
        status = self.world.stale(e, v, instance)
        volume.stale = instance
        return "status %s" % status

    # ---- the others ----------------------------------------------------------------------------------

    def do_wait(self, seconds):
        time.sleep(float(seconds))
        return "done"

    def do_writing(self, count):
        """Waits until every writer has written this much."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            late = [v for v in self.volumes.values() if v.process and
                    sum(1 for line in ledger.lines_of(v.ledger.journal) if line[0] == "a") < int(count)]
            if not late:
                return "done"
            time.sleep(0.2)
        for v in late:
            self.fault("%s/%s: its writer does not go on: %s" % (
                v.environment, v.name, [" ".join(x) for x in ledger.lines_of(v.ledger.journal) if x[0] == "e"][-1:]))
        return "late"

    def do_found(self, *words):
        """The faults so far were meant, one with this sentence among them."""
        found, self.faults = self.faults, []
        if not any(" ".join(words) in f for f in found):
            self.fault("no fault with \"%s\" was found" % " ".join(words))
        return "%d faults, as wanted" % len(found)

    def do_plant(self, kind, e, v):
        """Damage that must be found, to try the drill itself."""
        volume = self.volumes[e, v]
        url = self.world.url(e, v, volume.holder)
        if kind == "unfenced":  # the writer before this one goes on, by the way of this one
            volume.former.append(
                (volume.holder, self.start(volume, volume.number - 1, url, os.path.join(self.folder, "unfenced"))))
            return "done"
        if kind in ("foreign", "lost", "torn"):
            self.do_hush(e, v)  # or it might mend that
            return "status %d" % subprocess.run(WRITER + ["plant", url, kind, volume.ledger.volume],
                                                env=self.world_env(), check=False).returncode
        return "status %s" % self.world.plant(kind, e, v)

    def do_settle(self):
        """Everything is mended, then everything is compared."""
        for e in self.world.shape:
            self.world.resume(e)
        time.sleep(2)  # what slept gets the time to do what it had in mind
        # A detach that got no answer waits for whoever has the volume open, and `up` with it.
        ended([p for v in self.volumes.values() if not v.sure for p in v.processes()], 60)
        for e in self.world.shape:
            for v in self.volumes.values():
                if v.environment == e and v.stale:
                    self.world.unstale(e, v.name, v.stale)
                    v.stale = None
            problem = self.world.heal(e)
            if problem:
                self.fault("%s: %s" % (e, problem))
                return "not healthy"
        ended([p for v in self.volumes.values() for p in v.processes()], 60)
        self.note("  healed")
        for e in self.world.shape:
            for v, driver in self.world.holders(e).items():
                self.settle_holder(self.volumes[e, v], driver)
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            list(pool.map(self.settle_volume, self.volumes.values()))
        self.note("  compared")
        for e in self.world.shape:
            for fault in self.world.settled(e):
                self.fault("%s: %s" % (e, fault))
        self.note("  looked through")
        for v in self.volumes.values():
            if not self.faults:
                self.begin_writer(v)
        self.numbers["rounds"] += 1
        return self.do_writing(5) if not self.faults else "faults"

    def settle_holder(self, v, driver):
        """Its writers end; it is with this driver, or attached again."""
        if not ended(v.processes(), 60):
            self.fault("%s: a writer cannot be ended although its driver runs" % v.ledger.volume)
        v.process, v.former, v.quiet = None, [], False
        v.ledger.fence()
        v.holder, v.sure = driver or v.home, True
        if not driver:
            status = self.world.attach(v.environment, v.name, v.home)
            if status != 0:
                self.fault("%s: attaching it to %s ends with %s" % (v.ledger.volume, v.home, status))

    def settle_volume(self, v):
        if not self.census(v, 90):
            self.fault("%s: it cannot be read through %s" % (v.ledger.volume, v.holder))
        for fault in v.ledger.aftermath():
            self.fault(fault)

    def do_exchange(self):
        """Each volume is read through another driver, after the last settle."""
        for (e, _), v in self.volumes.items():
            drivers = [i for i in self.world.shape[e]["instances"] if i.startswith("volumedriver-")]
            to = drivers[(drivers.index(v.holder) + 1) % len(drivers)]
            outcome = self.do_handover(e, v.name, to)
            if outcome != "done":
                self.fault("%s/%s: moving it to %s: %s" % (e, v.name, to, outcome))
        return "done"

    # ---- running -------------------------------------------------------------------------------------

    def act(self, line):
        line = line.split("#")[0].strip()
        if not line:
            return
        print(line, file=self.actions, flush=True)
        words, began = line.split(" "), time.monotonic()
        self.world.cut = None
        if words[0] == "cut":
            self.world.cut, words = (int(words[1]) / 1000, words[2]), words[3:]
        own, theirs = getattr(self, "do_" + words[0], None), getattr(self.world, "do_" + words[0], None)
        if own or theirs:
            outcome = (own or theirs)(*words[1:])
        elif hasattr(world.World, "do_" + words[0]):
            outcome = "not in this world"
        else:
            outcome = self.fault("there is no action %s" % words[0])
        self.numbers["actions"] += 1
        self.note("%s: %s (%.2f s)" % (line, outcome, time.monotonic() - began))

    def run(self, lines, seconds):
        try:
            self.act_all(lines, seconds)
        finally:
            ended([p for v in self.volumes.values() for p in v.processes()], 5)
            good = self.report()
        return good

    def act_all(self, lines, seconds):
        self.note("begin")
        self.act("settle")
        end = time.monotonic() + seconds
        for line in lines:
            if (self.faults and not line.startswith("found ")) or (time.monotonic() > end and line.startswith("#")):
                break
            self.act(line)
        for line in ("settle", "exchange", "settle"):
            if not self.faults:
                self.act(line)

    def report(self):
        folder = os.path.join(self.folder, "journals")
        writes, reads, errors = ledger.tally(os.path.join(folder, n) for n in os.listdir(folder)
                                             if not n.endswith(".err"))
        self.numbers.update({"writes": writes, "reads": reads, "errors": errors})
        result = dict(self.numbers, run=os.path.basename(self.folder), seconds=int(time.monotonic() - self.begun),
                      faults=self.faults, statuses=self.world.statuses, folder=self.folder)
        with open(os.path.join(self.folder, "result.json"), "w", encoding="utf-8") as f:
            json.dump(result, f, indent=1)
        for text in self.faults[:SHOWN]:
            print("FAULT " + text)
        print("%s: %d s, %d actions in %d rounds, %d take-overs, %d writes, %d errors, %d MB compared, %d faults" %
              (os.path.basename(self.folder), result["seconds"], self.numbers["actions"], self.numbers["rounds"],
               self.numbers["take-overs"], writes, errors, self.numbers["bytes compared"] >> 20, len(self.faults)),
              flush=True)
        if self.faults:
            print("what happened: %s/events; again: make drill SCRIPT=%s/actions" % (self.folder, self.folder),
                  flush=True)
        return not self.faults


def script(name):
    """The lines of a script: a file, or one of scripts/."""
    for path in (name, os.path.join(HERE, "scripts", name)):
        if os.path.isfile(path):
            with open(path, encoding="utf-8") as f:
                return f.read().splitlines()
    sys.exit("drill: no script %s; there are %s" % (name, " ".join(sorted(os.listdir(os.path.join(HERE, "scripts"))))))


def new_world(options):
    return (paper if options.paper else world).World(os.path.abspath(options.folder))


def main(argv):
    p = argparse.ArgumentParser()
    p.add_argument("--seconds", type=int, default=600)
    p.add_argument("--seed", action="append")
    p.add_argument("--script", action="append", default=[])
    p.add_argument("--paper", action="store_true")
    p.add_argument("--folder", default="build/drill")
    p.add_argument("--pace", default="0.01")
    p.add_argument("--list", type=int, help="print this many rounds of a seed's actions and do nothing")
    o = p.parse_args(argv)
    seeds = o.seed or ([] if o.script else [str(int(time.time()) % 1000000)])
    scripts = [(name, script(name)) for name in o.script]
    os.environ["DRILL_PACE"] = o.pace
    folder = os.path.abspath(o.folder)
    if o.list:
        print("\n".join(line for seed in seeds for line in choose.Choice(seed, new_world(o).shape).rounds(o.list)))
        return 0
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(130))
    runs = [(re.sub(r"\W", "-", os.path.basename(name)), lambda _, lines=lines: lines, 1 << 30)
            for name, lines in scripts]
    runs += [("seed-" + seed, lambda shape, seed=seed: choose.Choice(seed, shape).lines(), o.seconds) for seed in seeds]
    good, where = True, None
    try:
        for number, (name, lines, seconds) in enumerate(runs):
            here = os.path.join(folder, name)
            shutil.rmtree(here, ignore_errors=True)
            where = where or new_world(o)
            where.begin()
            if not Drill(where, "%d" % (number + 1), here, SLOTS).run(lines(where.shape), seconds):
                good = False
                where.end()  # the next one begins with environments that nothing is wrong with
                where = None
    finally:
        if where:
            where.end()
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
