# SPDX-License-Identifier: MIT
"""To be imported before what reads the rules of volumes: they come from the agent that was built, as hook `prepare`
takes them from it."""

import atexit
import os
import shutil
import subprocess
import tempfile

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
RUN = tempfile.mkdtemp(prefix="slipway-rules.")
atexit.register(shutil.rmtree, RUN)
with open(os.path.join(RUN, "volume-rules.json"), "wb") as f:
    subprocess.run([os.path.join(ROOT, os.environ.get("B", "build/gcc"), "slipway-agent"), "volume-rules"], stdout=f,
                   check=True)
os.environ["SLIPWAY_RUN"] = RUN
