# SPDX-License-Identifier: MIT
"""Runs the OSDs' check of an image without a cluster: with the program `rbd` of PATH, and stand-ins for what speaks to
Ceph. Prints what the check says."""

import os
import sys
import types

library = types.ModuleType("slipway_ceph")


class Failure(Exception):
    def __init__(self, code, text):
        super().__init__(text)
        self.code = code


class Cluster:
    def __init__(self, *_, **__):
        pass

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def connect(self):
        pass

    def mon_json(self, *_, **__):
        return [{"pool_name": "volumes", "application_metadata": {"rbd": {}}, "type": 1}]


library.Failure, library.Cluster, library.RUN = Failure, Cluster, "/none"
library.mons = dict
library.mon_host = lambda _: ""
report = types.ModuleType("slipway_check")
for word in ("failed", "skipped", "success", "warning"):
    setattr(report, word, lambda test, code, text, *hint, word=word: print(word, code, text))
sys.modules["slipway_ceph"], sys.modules["slipway_check"] = library, report
path = os.path.join(os.environ["ROOT"], "components", "ceph-osd", "lib", "check.py")
sys.argv = [path, "osd.image"]
with open(path, encoding="utf-8") as f:
    exec(compile(f.read(), path, "exec"), {"__name__": "__main__"})
