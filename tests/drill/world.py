# SPDX-License-Identifier: MIT
"""The real world: two environments with two drivers of each kind, on this machine's Docker. What breaks them, and what
mends them again."""

import collections
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import time

from containers import Containers
from writer import SLOTS, STRIDE

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../..")
SLIPWAY = os.environ.get("SLIPWAY", os.path.join(ROOT, "build/gcc/slipway"))
HOST = "/var/lib/slipway"
DOCUMENT = """name: %s
profile: quick
components:
  etcd: {instances: %d}
  ceph-mon: {instances: %d}
  ceph-mgr:
    instances: 1
    config: {pools: {volumes: {size: 2, min_size: 1, pg_num: 8, application: rbd}}}
  ceph-osd: {instances: %d}
  volumedriver-qemu: {instances: 2}
  volumedriver-iscsi: {instances: 2}
  volumedriver-fuse: {instances: 2}
"""
# The second one stands when its only monitor or etcd is missing; the first one ought to go on without one of three.
COUNTS = {"a": {"etcd": 3, "ceph-mon": 3, "ceph-osd": 3}, "b": {"etcd": 1, "ceph-mon": 1, "ceph-osd": 2}}
VOLUMES = {"v1": "volumedriver-qemu-1", "v2": "volumedriver-iscsi-1", "v3": "volumedriver-fuse-2",
           "v4": "volumedriver-qemu-2"}
DAEMON = {"volumedriver-qemu": "qemu-storage-daemon --chardev", "volumedriver-iscsi": "tgtd -f",
          "volumedriver-fuse": "qemu-storage-daemon --chardev", "ceph-osd": "ceph-osd -f", "ceph-mon": "ceph-mon -f",
          "ceph-mgr": "ceph-mgr -f", "etcd": "etcd --config"}
KNOWN = {0, 1, 2, 3, 4, 5, 6, 7, 8, 130}  # exit statuses that `slipway man` has


def run(argv, seconds, **more):
    """Status, standard output, standard error; status None when it did not end in time."""
    p = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                         errors="replace", **more)
    try:
        out, err = p.communicate(timeout=seconds)
        return p.returncode, out, err
    except subprocess.TimeoutExpired:
        p.kill()
        out, err = p.communicate()
        return None, out, err


def docker(*argv, seconds=60):
    return run(["docker", *argv], seconds)


class World:
    worlds = 0

    def __init__(self, folder):
        os.makedirs(folder, exist_ok=True)
        self.folder, self.cut, self.run = folder, None, 0
        World.worlds += 1
        self.prefix = "t-drill-%d-%d" % (os.getpid(), World.worlds)  # never one that Docker has seen already
        self.statuses = collections.Counter()
        self.client_env = {"LIBISCSI_CHAP_USERNAME": "slipway", "VOLUME_IO_PATIENCE": "60"}
        self.passwords, self.addresses, self.last = {}, {}, ""
        os.environ["SLIPWAY_HOME"] = os.path.join(folder, "home-" + self.prefix)
        self.note = self.fault = print
        self.containers = None
        self.shape = {e: {"instances": ["%s-%d" % (c, n + 1) for c, most in
                                        dict(COUNTS[e], **{"ceph-mgr": 1, "volumedriver-qemu": 2,
                                                           "volumedriver-iscsi": 2, "volumedriver-fuse": 2}).items()
                                        for n in range(most)],
                          "volumes": VOLUMES, "docker": ["d1"]} for e in COUNTS}
        self.up, self.unplugged = False, set()
        self.vhost, self.silent = None, []

    # ---- names ---------------------------------------------------------------------------------------

    def env(self, e):
        return "%s-%s" % (self.prefix, e)

    def container(self, e, instance):
        return "%s-%s" % (self.env(e), instance)

    def volume(self, v):
        """The same in both environments."""
        return "%s-%d-%s" % (self.prefix, self.run, v)

    def url(self, e, v, driver):
        if driver.startswith("volumedriver-iscsi"):
            return "iscsi://%s:3260/iqn.2024-01.io.slipway:%s.%s/1" % (
                self.addresses[e, driver], self.env(e), self.volume(v))
        folder = os.path.join(HOST, self.env(e), driver)
        if driver.startswith("volumedriver-qemu"):
            return "nbd:%s/nbd.sock:%s" % (folder, self.volume(v))
        return os.path.join(folder, self.volume(v))

    # ---- commands ------------------------------------------------------------------------------------

    def slip(self, e, *words, timeout=30):
        """The status of slipway, which may be killed on its way (`cut`). What must never be is a fault."""
        argv = [SLIPWAY, "-q", "-e", self.env(e), "--timeout", "%ds" % timeout, *words]
        p = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                             errors="replace")
        cut, self.cut = self.cut, None
        try:
            if cut:
                try:
                    p.wait(cut[0])
                except subprocess.TimeoutExpired:
                    p.send_signal(getattr(signal, "SIG" + cut[1]))
            out, err = p.communicate(timeout=timeout + 60)
        except subprocess.TimeoutExpired:
            p.kill()
            p.communicate()
            self.fault("%s did not end within %d s of its deadline" % (" ".join(argv), 60))
            return None
        self.last = err + out
        self.statuses["%s %s" % (words[0], p.returncode)] += 1
        if p.returncode not in KNOWN and not (cut and p.returncode == -9):
            self.fault("%s: status %s: %s" % (" ".join(argv), p.returncode, self.last[-500:]))
        if p.returncode != 0:
            self.note("  %s" % " | ".join(line.strip() for line in self.last.strip().splitlines()[-2:])[-300:])
        return p.returncode

    def delete(self, e, kind, name, timeout=60):
        """`volume delete` or `pool delete`, with --yes where that asks."""
        yes = ["--yes"] if "--yes" in run([SLIPWAY, kind, "delete", "--help"], 20)[1] else []
        return self.slip(e, kind, "delete", name, *yes, timeout=timeout)

    def takeover(self, e, v, to):
        return self.slip(e, "volume", "move", self.volume(v), "--to", to, "--force")

    def move(self, e, v, to):
        return self.slip(e, "volume", "move", self.volume(v), "--to", to)

    def attach(self, e, v, to):
        return self.slip(e, "volume", "attach", self.volume(v), "--to", to)

    def detach(self, e, v, how):
        force = ["--force"] if how == "force" else []
        return self.slip(e, "volume", "detach", self.volume(v), *force, timeout=30 if force else 4)

    def stale(self, e, v, instance):
        return self.slip(e, "config", "set", instance, "volumes." + self.volume(v), '{"take_over":1}')

    def unstale(self, e, v, instance):
        """Its etcd may have to be started first."""
        for attempt in range(3):
            if self.slip(e, "config", "set", instance, "volumes." + self.volume(v), '{"absent":true}', timeout=60) == 0:
                break
            self.do_etcdin(e)

    def volumes(self, e):
        """What `volume list` says: the names, and who may write each."""
        if self.slip(e, "volume", "list", "--json") != 0:
            self.fault("%s: volume list: %s" % (self.env(e), self.last.strip()[-500:]))
            return {}
        return {v["name"]: [a["instance"] for a in v.get("attached") or []
                            if not a.get("read_only") and not a.get("detaching")]
                for v in json.loads(self.last[self.last.index("["):])}

    def holders(self, e):
        known = self.volumes(e)
        return {v: (known.get(self.volume(v), []) + [None])[0] for v in VOLUMES}

    # ---- what breaks ---------------------------------------------------------------------------------

    def said(self, answer):
        return "done" if answer[0] == 0 else "status %s: %s" % (answer[0], answer[2].strip()[-200:])

    def do_pause(self, e, instance):
        return self.said(docker("pause", self.container(e, instance)))

    def do_resume(self, e, instance):
        return self.said(docker("unpause", self.container(e, instance)))

    def do_kill(self, e, instance):
        return self.said(docker("kill", self.container(e, instance)))

    def do_restart(self, e, instance):
        return self.said(docker("restart", "-t", "2", self.container(e, instance), seconds=120))

    def do_remove(self, e, instance):
        return self.said(docker("rm", "-f", self.container(e, instance), seconds=120))

    def do_kill9(self, e, instance):
        """The daemon, inside its container."""
        _, out, _ = docker("top", self.container(e, instance), "-eo", "pid,args")
        for line in out.splitlines()[1:]:
            pid, _, args = line.strip().partition(" ")
            if DAEMON[instance.rsplit("-", 1)[0]] in args and not re.search("slipway-init|setpriv", args):
                os.kill(int(pid), signal.SIGKILL)
                return "done"
        return "no daemon"

    def do_disconnect(self, e, instance):
        return self.said(docker("network", "disconnect", self.env(e) + "-net", self.container(e, instance)))

    def do_connect(self, e, instance):
        return self.said(docker("network", "connect", "--ip", self.addresses[e, instance], "--alias", instance,
                                self.env(e) + "-net", self.container(e, instance)))

    def link(self, e, instance, state):
        """Its network, without Docker's knowing."""
        _, pid, _ = docker("inspect", "-f", "{{.State.Pid}}", self.container(e, instance))
        if not pid.strip().strip("0"):
            return "not running"
        return self.said(run(["nsenter", "-t", pid.strip(), "-n", "ip", "link", "set", "eth0", state], 20))

    def do_unplug(self, e, instance):
        self.unplugged.add((e, instance))
        return self.link(e, instance, "down")

    def do_plug(self, e, instance):
        self.unplugged.discard((e, instance))
        return self.link(e, instance, "up")

    def etcds(self, e):
        return [i for i in self.shape[e]["instances"] if i.startswith("etcd-")]

    def do_etcdout(self, e, how):
        if how == "stop":
            return "status %s" % self.slip(e, "stop", *self.etcds(e), timeout=60)
        return self.said(docker(how, *[self.container(e, i) for i in self.etcds(e)]))

    def do_etcdin(self, e):
        docker("unpause", *[self.container(e, i) for i in self.etcds(e)])
        return self.said(docker("start", *[self.container(e, i) for i in self.etcds(e)]))

    def do_up(self, e):
        return "status %s" % self.slip(e, "up", timeout=120)

    def do_poolrm(self, e):
        """An order that the storage refuses, cut short; it must be taken back and block nobody."""
        return "status %s" % self.delete(e, "pool", "extra")

    # ---- Docker's volumes ----------------------------------------------------------------------------

    def do_use(self, e, d):
        return self.containers.use(e, d)

    def do_keep(self, e, d):
        return self.containers.keep(e, d)

    def do_leave(self, e, d):
        return self.containers.leave(e, d)

    def do_bounce(self, e, d):
        return self.containers.bounce(e, d)

    def do_rmforeign(self, e, v):
        """A volume that only Slipway made, and that both environments have: Docker must not remove it."""
        status, _, err = docker("volume", "rm", self.volume(v), seconds=25)
        if status == 0:
            self.fault("docker volume rm %s removed it" % self.volume(v))
        return "status %s: %s" % (status, err.strip()[-200:])

    # ---- what a script says ---------------------------------------------------------------------------

    def named(self, word):
        """{a}: the environment's name, {v1}: the volume's, {a.d1}: Docker's volume, {a/etcd-1}: the container's."""
        word = word.replace("{image}", self.containers.image)
        word = re.sub(r"\{(\w)/([\w-]+)\}", lambda m: self.container(m.group(1), m.group(2)), word)
        word = re.sub(r"\{(\w)\.(\w+)\}", lambda m: self.containers.name(m.group(1), m.group(2)), word)
        word = re.sub(r"\{([ab])\}", lambda m: self.env(m.group(1)), word)
        return re.sub(r"\{(\w+)\}", lambda m: self.volume(m.group(1)), word)

    def expect(self, want, status, what):
        if str(status) not in want.split("|") and not (want == "not0" and status != 0):
            self.fault("%s: status %s instead of %s: %s" % (what, status, want, self.last.strip()[-500:]))
        return "status %s" % status

    def do_slip(self, e, want, *words):
        words = [self.named(w) for w in words]
        timeout = int(words.pop(0)[8:]) if words[0].startswith("seconds=") else 60
        return self.expect(want, self.slip(e, *words, timeout=timeout), "slipway " + " ".join(words))

    def do_docker(self, want, *words):
        words = [self.named(w) for w in words]
        status, out, err = docker(*words, seconds=90)
        self.last = out + err
        return self.expect(want, status, "docker " + " ".join(words))

    def do_says(self, *words):
        if self.named(" ".join(words)) not in self.last:
            self.fault("expected: %s; got: %s" % (self.named(" ".join(words)), self.last.strip()[-500:]))
        return "done"

    def do_delete(self, e, v):
        status = self.delete(e, "volume", self.named(v))
        return self.expect("0", status, "volume delete " + self.named(v))

    def do_vhost(self, e, v, driver, seconds):
        """A client of vhost-user: reads, waits, writes where no writer does, reads it again."""
        where = "read %d 4k", "sleep %d000" % int(seconds), "write -P 7 %d 4k", "read -P 7 %d 4k"
        argv = ["docker", "exec", "-t", self.container(e, driver), "qemu-io", "--image-opts",
                "driver=virtio-blk-vhost-user,cache.direct=on,path=/export/" + self.volume(v)]
        argv[-1] += ".vhost"
        for w in where:
            argv += ["-c", w % (STRIDE // 2) if "%" in w else w]
        log = os.path.join(self.folder, "vhost")
        with open(log, "wb") as f:
            self.vhost = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=f, stderr=f)
        for _ in range(300):
            with open(log, encoding="utf-8", errors="replace") as f:
                if "read 4096" in f.read():
                    return "reads"
            time.sleep(0.2)
        self.fault("the client of vhost-user does not read")
        return "silent"

    def do_vhostends(self):
        """It must have gone on to its end."""
        status = self.vhost.wait(120)
        with open(os.path.join(self.folder, "vhost"), encoding="utf-8", errors="replace") as f:
            said = f.read()
        if status != 0 or len(re.findall("(?:read|wrote) 4096/4096", said)) != 3:
            self.fault("the client of vhost-user was cut off: status %s: %s" % (status, said[-500:]))
        return "status %s" % status

    def do_silent(self, e, v, driver):
        """A client that connects to the vhost socket and says nothing, until the drill ends."""
        s = socket.socket(socket.AF_UNIX)
        s.connect(os.path.join(HOST, self.env(e), driver, self.volume(v) + ".vhost"))
        self.silent.append(s)
        return "connected"

    def do_exists(self, e, v):
        """The image is in the storage."""
        status, _, err = docker("exec", self.container(e, "ceph-mon-1"), "rbd", "info", "volumes/" + self.named(v))
        if status != 0:
            self.fault("%s: the image of %s is gone: %s" % (self.env(e), self.named(v), err.strip()[-300:]))
        return "status %s" % status

    def plant(self, kind, e, _):
        """`nofence`: who was fenced may write again."""
        return docker("exec", self.container(e, "ceph-mon-1"), "ceph", "osd", "blocklist", "clear")[0]

    # ---- what mends ----------------------------------------------------------------------------------

    def resume(self, e):
        """Nobody sleeps or is cut off any more."""
        _, out, _ = docker("ps", "-q", "--filter", "status=paused", "--filter", "label=slipway.name=" + self.env(e))
        if out.split():
            docker("unpause", *out.split())
        for who in [u for u in self.unplugged if u[0] == e]:
            self.link(*who, "up")
            self.unplugged.discard(who)

    def heal(self, e):
        """All is as it was, by `slipway up`; a sentence when it is not healthy then."""
        end = time.monotonic() + 300
        while True:
            status = self.slip(e, "up", timeout=240)
            if status == 0 or time.monotonic() > end:
                break
            time.sleep(2)
        if status != 0:
            why = self.last.strip()[-600:]
            self.slip(e, "-vv", "up", timeout=240)  # what it passed over in silence
            passed = [line for line in self.last.splitlines() if "orders that were refused" in line]
            return "`up` ends with %s: %s\n%s" % (status, why, "\n".join(passed)[-1000:])
        while time.monotonic() < end:
            if self.slip(e, "status") == 0:
                return None
            time.sleep(1)
        return "not healthy after `up`: %s" % self.last.strip()[-1500:]

    def settled(self, e):
        """What else must be so when all is well; sentences about what is not."""
        wrong = self.containers.settled(e)
        known = self.volumes(e)
        want = sorted([self.volume(v) for v in VOLUMES] + [self.containers.name(e, d) for d in self.shape[e]["docker"]])
        mine = sorted(n for n in known if n.startswith("%s-%d-" % (self.prefix, self.run)))
        if mine != want:
            wrong.append("there are the volumes %s instead of %s" % (mine, want))
        self.slip(e, "pool", "list", "--json")
        listed = "extra" in self.last
        _, out, _ = docker("exec", self.container(e, "ceph-mon-1"), "ceph", "osd", "pool", "ls")
        if listed != ("extra" in out.split()):
            wrong.append("pool extra is %s, and the storage has %s"
                         % ("listed" if listed else "not listed", out.split()))
        elif not listed and self.slip(e, "pool", "create", "extra", "--size", "2", timeout=90) != 0:
            wrong.append("pool extra cannot be created: %s" % self.last.strip()[-500:])
        return wrong

    # ---- beginning and end ---------------------------------------------------------------------------

    def begin(self):
        """Both environments, once; new volumes for each run."""
        if not self.up:
            self.up = True
            for e, counts in COUNTS.items():
                path = os.path.join(self.folder, self.env(e) + ".yaml")
                with open(path, "w", encoding="utf-8") as f:
                    f.write(DOCUMENT % (self.env(e), counts["etcd"], counts["ceph-mon"], counts["ceph-osd"]))
                self.must(e, "-f", path, "up", timeout=600)
                self.must(e, "config", "set", "volumedriver-fuse-1", "docker", "true")
                self.must(e, "up", timeout=600)  # gives it the rights that this needs
                self.must(e, "pool", "create", "extra", "--size", "2")
            self.containers = Containers(self, docker)
            self.look()
        elif self.run:
            self.forget()
        self.run += 1
        for e in COUNTS:
            for v, driver in VOLUMES.items():
                self.must(e, "volume", "create", self.volume(v), "--size", "%dMiB" % (SLOTS * STRIDE >> 20), "--attach",
                          driver)
            self.containers.begin(e)

    def must(self, e, *words, timeout=120):
        status = self.slip(e, *words, timeout=timeout)
        if status != 0:
            raise SystemExit("drill: slipway %s: status %s: %s" % (" ".join(words), status, self.last.strip()[-2000:]))

    def look(self):
        """Addresses and passwords, which last."""
        for e, s in self.shape.items():
            for instance in s["instances"]:
                _, out, _ = docker("inspect", "-f", "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}",
                                   self.container(e, instance))
                self.addresses[e, instance] = out.strip()
                if instance.startswith("volumedriver-iscsi"):
                    _, out, _ = docker("exec", self.container(e, instance), "cat", "/run/slipway/secrets/chap")
                    self.passwords[self.addresses[e, instance]] = out.strip()
        self.client_env["DRILL_CHAP"] = json.dumps(self.passwords)

    def forget(self):
        """The volumes of the run before."""
        for e in COUNTS:
            for name, holders in self.volumes(e).items():
                if holders:
                    self.must(e, "volume", "detach", name, "--force")
            self.containers.end(e)
            for v in VOLUMES:
                if self.delete(e, "volume", self.volume(v)) != 0:
                    self.fault("%s: deleting %s: %s" % (self.env(e), self.volume(v), self.last.strip()[-500:]))

    def end(self):
        for e in COUNTS:
            label = "label=slipway.name=" + self.env(e)
            paused = docker("ps", "-q", "--filter", label, "--filter", "status=paused")[1].split()
            if paused:
                docker("unpause", *paused)
            if self.containers:
                self.containers.end(e)
            self.slip(e, "down", "--volumes", "--yes", timeout=180)
            for what, ask in (("rm", ["ps", "-aq"]), ("volume", ["volume", "ls", "-q"]),
                              ("network", ["network", "ls", "-q"])):
                left = docker(*ask, "--filter", label)[1].split()
                if left:
                    docker(*(["rm", "-f"] if what == "rm" else [what, "rm"]), *left)
            # As tests/lib.sh, forget_plugin: Docker would ask it for 15 s each time.
            link = "/run/docker/plugins/slipway-%s.sock" % self.env(e)
            if os.path.isdir(os.path.dirname(link)):
                if os.path.lexists(link):
                    os.unlink(link)
                os.symlink("../../docker.sock", link)
        docker("rmi", "-f", self.prefix + ":tools")
        shutil.rmtree(os.environ["SLIPWAY_HOME"], ignore_errors=True)
