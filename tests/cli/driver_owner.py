# SPDX-License-Identifier: MIT
"""What Images.alone says of an image whose owner and watchers are what the arguments say, at each look:

    driver_owner.py OWNER WATCHERS [OWNER WATCHERS]

Prints "alone" or the complaint, and what was written before."""

import os
import sys

root = os.environ["ROOT"]
sys.path[:0] = [root + "/tests", root + "/dockerfiles/shared/ceph",
                root + "/dockerfiles/volumedriver/rootfs/usr/lib/slipway-ceph"]
import volume_rules  # noqa: E402, F401, I001
import slipway_driver  # noqa: E402

looks = list(zip(sys.argv[1::2], sys.argv[2::2]))


class Image:
    def __init__(self, owner="", watchers=""):
        self.owner, self.here = owner, watchers.split()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def others(self, _, most):
        return self.here if len(self.here) > most else []

    def watchers(self):
        return self.here

    def id(self):
        return "10ab"

    def metadata(self, _):
        return self.owner

    def set_metadata(self, key, value):
        print("%s=%s" % (key, value))


class Images(slipway_driver.Images):
    def look(self, _):
        return Image(*looks.pop(0))

    def pool(self, _):
        return self

    def open(self, _):
        return Image()


try:
    Images().alone({"pool": "p", "image": "i"})
    print("alone")
except slipway_driver.Wrong as e:
    print(e)
