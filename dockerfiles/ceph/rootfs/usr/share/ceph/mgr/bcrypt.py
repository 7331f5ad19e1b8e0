# SPDX-License-Identifier: MIT
"""Stands in for bcrypt in the manager.

Ceph 18.2 runs every module in a Python interpreter of its own, and Debian 13's bcrypt is written with PyO3, which
refuses to be imported into more than one ("PyO3 modules do not yet support subinterpreters"). mgr_util imports it, so
every always-on module fails and health stays HEALTH_WARN. Only the dashboard and restful hash passwords, and neither is
here. This file can go when `ceph health` is HEALTH_OK without it: with a bcrypt that supports subinterpreters, or a
mgr_util that does not import it.
"""


def _refuse(*_):
    raise RuntimeError("bcrypt is not available in the Ceph manager of this image")


hashpw = gensalt = checkpw = _refuse
