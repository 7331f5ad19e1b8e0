# SPDX-License-Identifier: MIT
"""One line of JSON per test of `slipway check`."""

import json


def result(test, verdict, code, message, advice=""):
    print(json.dumps({"test": test, "result": verdict, "code": code, "message": message, "advice": advice}), flush=True)


def success(test, code, message):
    result(test, "SUCCESS", code, message)


def warning(test, code, message, advice):
    result(test, "WARNING", code, message, advice)


def failed(test, code, message, advice):
    result(test, "FAILED", code, message, advice)


def skipped(test, code, message):
    result(test, "SKIPPED", code, message)
