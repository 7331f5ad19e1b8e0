# SPDX-License-Identifier: MIT
"""Docker's volume plugin protocol on a unix socket: `docker volume create -d NAME`. A volume of Docker's is a volume
like every other, attached to this driver while containers use it, with an ext4 file system in it.
https://docs.docker.com/engine/extend/plugins_volume/"""

import contextlib
import http.server
import json
import os
import re
import socket
import socketserver
import sys
import threading
import time

sys.path.insert(0, "/usr/lib/slipway-ceph")
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import filesystem  # noqa: E402
import keys  # noqa: E402
from slipway_ceph import RUN, Failure, say  # noqa: E402
from slipway_driver import FORMATTING, INSTANCE, Images, Wrong, yes  # noqa: E402
from slipway_rbd import OWNER  # noqa: E402
from slipway_rules import (  # noqa: E402
    CREATE_OPTIONS, NAME, NAME_RULE, POOL, TEMPLATE, format_size, parse_size, size_problem)

PLUGINS = "/plugins"
USERS = os.path.join(RUN, "qsd", "docker.json")
HOST = "/var/lib/slipway/%s/%s/.docker" % (os.environ.get("SLIPWAY_ENV", ""), INSTANCE)
BODY_MAX = 1 << 20
APPEAR = 20


def plugin_name():
    """`slipway` for the demo, `slipway-ENV` for others; further instances add their number. The same after every start,
    because Docker remembers it with each volume."""
    env, ordinal = os.environ.get("SLIPWAY_ENV", ""), os.environ.get("SLIPWAY_ORDINAL", "1")
    name = os.environ.get("CFG_docker_name") or ("slipway" if env == "demo" else "slipway-" + env)
    return name if ordinal == "1" else "%s-%s" % (name, ordinal)


def read_size(word):
    size = parse_size(str(word).strip())
    why = size_problem(size)
    if why:
        raise Wrong("size %s: %s" % (word, why))
    return size


def read_request(body):
    """The map that Docker sends, with what is used of it: Name and ID are texts or missing, Opts maps texts to
    texts."""
    try:
        request = json.loads(body or b"{}")
    except RecursionError:
        raise Wrong("the request is nested too deeply") from None
    if not isinstance(request, dict):
        raise Wrong("a map is expected")
    options = request.get("Opts") or {}
    if not isinstance(options, dict) or not all(isinstance(v, str) for v in options.values()):
        raise Wrong("Opts: a map of texts is expected")
    for key in ("Name", "ID"):
        if not isinstance(request.get(key), (str, type(None))):
            raise Wrong("%s: a text is expected" % key)
    return dict(request, Opts=options)


class Unknown(Wrong):
    """There is no such volume for Docker."""


def entry_of(state, name):
    v = state.made.get(name)
    if not isinstance(v, dict) or yes(v.get("absent")):
        raise Unknown("there is no volume %s" % name)
    return v


def is_docker(v):
    """Whether Docker made it or was given it. The names of volumes are Docker's own, for all environments and drivers
    at once: one that another environment has too must not be found, mounted or removed here by its name alone."""
    return isinstance(v, dict) and yes(v.get("docker")) and not yes(v.get("absent")) and not yes(v.get("template"))


def docker_entry(state, name):
    v = entry_of(state, name)
    if not is_docker(v):
        raise Unknown("volume %s is not Docker's; `docker volume create -d %s %s` makes it so"
                      % (name, plugin_name(), name))
    return v


# What goes wrong in a call.
ANY = (Wrong, Failure, OSError, ValueError, filesystem.Unfit, keys.subprocess.SubprocessError)


class Mark:
    """In the image's metadata: the first mkfs was begun. Who attaches it by hand takes the mark away
    (slipway_driver.py)."""

    def __init__(self, name, v):
        self.image, self.pool = name, v.get("pool") or POOL

    def is_set(self):
        with Images() as images, images.look({"pool": self.pool, "image": self.image}) as image:
            return bool(image.metadata(FORMATTING))

    def set(self):
        with Images() as images, images.pool(self.pool).open(self.image) as image:
            image.set_metadata(FORMATTING, INSTANCE)

    def clear(self):
        with Images() as images, images.pool(self.pool).open(self.image) as image:
            image.remove_metadata(FORMATTING)


class Plugin:
    def __init__(self):
        self.guard = threading.Lock()
        self.locks = {}
        self.seen = None
        try:
            with open(USERS) as f:
                self.users = json.load(f)
        except (OSError, ValueError):
            self.users = {}

    @contextlib.contextmanager
    def only(self, name):
        """One call at a time for each volume."""
        if not isinstance(name, str) or not NAME.fullmatch(name):
            raise Wrong("volume %r: %s" % (name, NAME_RULE))
        with self.guard:
            lock = self.locks.setdefault(name, threading.Lock())
        with lock:
            yield

    def remember(self, name, users):
        with self.guard:
            self.users[name] = users
            if not users:
                del self.users[name]
            with open(USERS + ".new", "w") as f:
                json.dump(self.users, f)
            os.rename(USERS + ".new", USERS)

    # ---- what Docker asks ------------------------------------------------------------------------

    def activate(self, _):
        return {"Implements": ["VolumeDriver"]}

    def capabilities(self, _):
        return {"Capabilities": {"Scope": "local"}}

    def create(self, request):
        name, options = request.get("Name"), request["Opts"]
        unknown = sorted(set(options) - set(CREATE_OPTIONS))
        if unknown:
            raise Wrong("unknown option %s; known are %s" % (unknown[0], " ".join(CREATE_OPTIONS)))
        size = read_size(options["size"]) if "size" in options else None
        for key in ("pool", "data-pool"):
            if options.get(key) and not NAME.fullmatch(options[key]):
                raise Wrong("%s: %s" % (key, NAME_RULE))
        with self.only(name):
            there = []
            state = keys.change(lambda s: self.add(s, name, options, size, there))
            if there:
                self.look()
                return {}
            why = keys.wait(name, keys.MAKERS, state.revisions[keys.MADE])
            if why:
                self.take_back(name)
                raise Wrong(why)
        self.look()
        return {}

    @staticmethod
    def add(state, name, options, size, there):
        v = state.made.get(name)
        if isinstance(v, dict) and yes(v.get("absent")):
            raise Wrong("there is a volume %s already, about to be deleted" % name)
        if v is not None:
            if size and read_size(v.get("size", 0)) != size:
                raise Wrong("there is a volume %s already, of %s" % (name, v.get("size")))
            if yes(v.get("template")):
                raise Wrong("volume %s is a template; make one from it with -o from=%s" % (name, name))
            there.append(v)
            state.made[name] = dict(v, docker=True)
            return
        v = {"pool": options.get("pool") or POOL, "docker": True}
        if options.get("from"):
            source, at, snapshot = options["from"].partition("@")
            parent = entry_of(state, source)
            snapshot = snapshot if at else TEMPLATE
            kept = (parent.get("snapshots") or {}).get(snapshot)
            if not isinstance(kept, dict) or yes(kept.get("absent")):
                raise Wrong("volume %s has no snapshot %s" % (source, snapshot))
            v["from"] = "%s@%s" % (source, snapshot)
            v["pool"] = options.get("pool") or parent.get("pool") or POOL
            size = size or read_size(kept.get("size") or parent.get("size"))
        if options.get("data-pool"):
            v["data_pool"] = options["data-pool"]
        v["size"] = format_size(size or int(os.environ.get("CFG_docker_size") or 10 << 30))
        state.made[name] = v

    @staticmethod
    def take_back(name):
        """What could not be made is left in no document; what was made all the same is not left behind."""
        def gone(state):
            if isinstance(state.made.get(name), dict):
                state.made[name] = dict(state.made[name], absent=True)
        try:
            state = keys.change(gone)
            keys.wait(name, keys.MAKERS, state.revisions[keys.MADE])
            keys.change(lambda s: s.made.pop(name, None))
        except Wrong as e:
            say("volume %s: taking it back: %s" % (name, e))

    def describe(self, state, name):
        v = state.made[name]
        status = {"size": v.get("size"), "pool": v.get("pool") or POOL}
        if name in state.served:
            status["attached"] = INSTANCE
        if v.get("from"):
            status["from"] = v["from"]
        found = {"Name": name, "Status": status}
        if name in filesystem.mounted():
            found["Mountpoint"] = os.path.join(HOST, name)
        return found

    def look(self):
        """The state, and what Docker is offered of it, by name; that is remembered for `get`."""
        state = keys.State(**keys.BRIEF)
        self.seen = seen = {n: self.describe(state, n) for n, v in sorted(state.made.items()) if is_docker(v)}
        return state, seen

    def list(self, _):
        return {"Volumes": list(self.look()[1].values())}

    def get(self, request):
        """With etcd away what was seen last counts: who uses such a volume then is told why it fails, and at once, and
        nobody has to wait whose volume is not of this environment."""
        name, seen = request.get("Name"), self.seen
        try:
            state, seen = self.look()
            docker_entry(state, name)
        except Unknown:
            raise
        except ANY as e:
            if seen is None:
                raise
            if name not in seen:
                raise Unknown("there was no volume %s when etcd answered last; now: %s" % (name, e)) from None
        return {"Volume": seen[name]}

    def path(self, request):
        name = request.get("Name")
        return {"Mountpoint": os.path.join(HOST, name) if name in filesystem.mounted() else ""}

    def mount(self, request):
        name, user = request.get("Name"), request.get("ID") or "?"
        with self.only(name):
            users = self.users.get(name, [])
            if name not in filesystem.mounted():
                mark = Mark(name, self.attach(name))
                try:
                    filesystem.mount(name, mark)
                except BaseException:
                    self.detach(name)
                    raise
                say("volume %s: mounted for Docker" % name)
            if user not in users:
                self.remember(name, users + [user])
        return {"Mountpoint": os.path.join(HOST, name)}

    def unmount(self, request):
        name, user = request.get("Name"), request.get("ID") or "?"
        with self.only(name):
            users = [u for u in self.users.get(name, []) if u != user]
            if not users:
                filesystem.unmount(name)
                self.detach(name)
                say("volume %s: unmounted, Docker's last container has left" % name)
            if name in self.users:
                self.remember(name, users)
        return {}

    def remove(self, request):
        name = request.get("Name")
        with self.only(name):
            if self.users.get(name):
                raise Wrong("volume %s is in use by %d containers" % (name, len(self.users[name])))
            filesystem.unmount(name)
            self.detach(name)
            self.free(name)
            state = keys.change(lambda s: self.mark_gone(s, name))
            why = keys.wait(name, keys.MAKERS, state.revisions[keys.MADE])
            if why:
                keys.change(lambda s: isinstance(s.made.get(name), dict) and s.made[name].pop("absent", None))
                raise Wrong(why)
            keys.change(lambda s: s.made.pop(name, None))
        return {}

    # ---- how it comes about ----------------------------------------------------------------------

    @staticmethod
    def mark_gone(state, name):
        v = docker_entry(state, name)
        if name in state.served:
            raise Wrong("volume %s is attached to %s; `slipway volume detach %s` before deleting it"
                        % (name, INSTANCE, name))
        kept = [s for s, x in (v.get("snapshots") or {}).items() if not (isinstance(x, dict) and yes(x.get("absent")))]
        if kept:
            raise Wrong("volume %s has snapshots (%s); `slipway volume delete --force %s` deletes them too"
                        % (name, " ".join(kept), name))
        for other, x in state.made.items():
            if isinstance(x, dict) and str(x.get("from") or "").startswith(name + "@") and not yes(x.get("absent")):
                raise Wrong("%s has the clone %s; delete that first" % (name, other))
        state.made[name] = dict(v, absent=True)

    @staticmethod
    def free(name):
        """Another driver that is not running has nothing open, and yet it has the volume."""
        v = keys.State().made.get(name) or {}
        try:
            with Images() as images, images.look({"pool": v.get("pool") or POOL, "image": name}) as image:
                owner = image.metadata(OWNER)
        except (Wrong, Failure):
            return
        if owner and owner != INSTANCE:
            raise Wrong("volume %s is attached to %s; `slipway volume detach %s` before deleting it"
                        % (name, owner, name))

    def attach(self, name):
        """Returns the volume's entry."""
        def serve(state):
            v = docker_entry(state, name)
            if v.get("rollback"):
                raise Wrong("volume %s was ordered to go back to a snapshot, which is not answered; `slipway volume "
                            "rollback %s --cancel` takes that back" % (name, name))
            served = state.served.get(name)
            if served is not None and not yes(served.get("docker")):
                raise Wrong("volume %s is attached to %s by hand; `slipway volume detach %s` first"
                            % (name, INSTANCE, name))
            state.served[name] = {"pool": v.get("pool") or POOL, "image": name, "size": read_size(v["size"]),
                                  "docker": True}
        state = keys.change(serve)
        why = keys.wait(name, [INSTANCE], state.revisions[keys.SERVED])
        if not why and not self.appears(name):
            why = "volume %s: its file does not appear; `slipway check fuse` says why" % name
        if why:
            self.detach(name)
            raise Wrong(why)
        return state.made.get(name) or {}

    @staticmethod
    def appears(name):
        end = time.monotonic() + APPEAR
        while time.monotonic() < end:
            if os.path.ismount(os.path.join(filesystem.EXPORT, name)):
                return True
            time.sleep(0.02)
        return False

    @staticmethod
    def detach(name):
        """What Docker had attached; what was attached by hand stays."""
        def leave(state):
            if yes((state.served.get(name) or {}).get("docker")):
                del state.served[name]
                left.append(name)
        left = []
        state = keys.change(leave)
        why = keys.wait(name, [INSTANCE], state.revisions[keys.SERVED]) if left else None
        if why:
            say(why)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 120
    server_version = "slipway"

    def do_POST(self):
        calls = {"/Plugin.Activate": "activate"}
        for verb in ("Create", "Get", "List", "Path", "Mount", "Unmount", "Remove", "Capabilities"):
            calls["/VolumeDriver." + verb] = verb.lower()
        length = self.headers.get("Content-Length", "0")
        if not re.fullmatch("[0-9]{1,9}", length) or int(length) > BODY_MAX:
            self.close_connection = True
            return self.answer({"Err": "the request is too long"}, 413)
        body = self.rfile.read(int(length))
        if self.path not in calls:
            return self.answer({"Err": "%s is not known here" % self.path[:80]}, 404)
        request = {}
        try:
            request = read_request(body)
            result = dict(getattr(self.server.plugin, calls[self.path])(request), Err="")
        except ANY as e:
            result = {"Err": str(e)}
            if calls[self.path] != "get":  # Docker asks every driver for every name
                say("docker: %s: %s" % (self.path[1:], e))
            elif not isinstance(e, Unknown):
                # Any error in the answer means to Docker that there is no such volume, and it would make an empty one
                # of that name on its own disk, for good. To a broken connection it says that it cannot know.
                say("docker: %s of %s: %s" % (self.path[1:], request.get("Name"), e))
                self.close_connection = True
                return None
        return self.answer(result)

    def answer(self, value, status=200):
        data = json.dumps(value).encode() + b"\n"
        self.send_response(status)
        self.send_header("Content-Type", "application/vnd.docker.plugins.v1.1+json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def address_string(self):
        return "docker"

    def log_message(self, *_):
        pass


class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    request_queue_size = 64


def answers(path):
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(2)
        try:
            s.connect(path)
            return True
        except OSError:
            return False


def serve():
    path = os.path.join(PLUGINS, plugin_name() + ".sock")
    if answers(path):
        say("docker: somebody else is Docker's volume driver %s; choose another docker_name" % plugin_name())
        time.sleep(10)
        return 1
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)
    os.umask(0o177)
    with Server(path, Handler) as server:
        os.umask(0o022)
        server.plugin = Plugin()
        say("docker: volume driver %s" % plugin_name())
        server.serve_forever()
    return 0


def stop():
    """Nothing is lost and nothing stays mounted: the containers' own view of a file system ends with its driver."""
    if os.environ.get("CFG_docker") == "true":
        path = os.path.join(PLUGINS, plugin_name() + ".sock")
        # Nothing in its place: Docker tries again for 15 s, finds the driver that comes back, and would keep a
        # connection to whoever answered meanwhile.
        with contextlib.suppress(OSError):
            os.unlink(path)
    filesystem.unmount_all()
    return 0


if __name__ == "__main__":
    sys.exit(serve() if sys.argv[1] == "serve" else stop())
