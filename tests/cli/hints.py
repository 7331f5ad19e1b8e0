#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Every command line that the program's texts tell people to type: hints.py ROOT.

Prints FILE:LINE and the words, divided by tabs; what is in backquotes and begins with `slipway`, in the string literals
of the C, Python and shell that speak to people, and the examples of the commands' help. A variable part is "x".
"""
import os
import re
import sys

ROOT = sys.argv[1]
FOLDERS = ("installer", "components", "dockerfiles")
C_STRING = re.compile(r'"((?:[^"\\\n]|\\.)*)"')
HINT = re.compile(r"(there is no )?`(slipway [^`]*)`")
VARIABLE = re.compile(r"%[.\d*]*(?:l|ll|z)?[a-z]|%\(\w+\)s|\$\{?\w+\}?")


def c_texts(text):
    """String literals, those that stand side by side joined; comments have none."""
    text = re.sub(r"/\*.*?\*/", lambda m: re.sub(r"[^\n]", " ", m[0]), text, flags=re.S)
    text = re.sub(r"//[^\n]*", "", text)
    line, joined, end = 0, "", None
    for m in C_STRING.finditer(text):
        if end is not None and text[end:m.start()].strip() == "":
            joined += m[1]
        else:
            if joined:
                yield line, joined
            line, joined = text.count("\n", 0, m.start()) + 1, m[1]
        end = m.end()
    if joined:
        yield line, joined


def script_texts(text):
    """Adjacent Python literals joined; comments of whole lines and docstrings left out."""
    text = re.sub(r'(?s)\n\s*"""[^"].*?"""|^"""[^"].*?"""', lambda m: re.sub(r"[^\n]", "", m[0]), text)
    text = re.sub(r"(?m)(^\s*|  )#.*$", "", text)
    text = re.sub(r'"\s*\n\s*"', "", text).replace("\\`", "`")
    for number, line in enumerate(text.split("\n"), 1):
        yield number, line


def files():
    for folder in FOLDERS:
        for at, _, names in sorted(os.walk(os.path.join(ROOT, folder))):
            for name in sorted(names):
                path = os.path.join(at, name)
                if name.endswith((".c", ".h", ".def")):
                    yield path, c_texts
                elif name.endswith(".py") or "/hooks" in at or "/bin" in at or "/rootfs" in at:
                    yield path, script_texts


def lines_of(words):
    """An example may be several commands: divided as a shell does."""
    for part in re.split(r"&&|\|\||[|;()<>]+(?=\s|slipway|$)|\s[<>]", words):
        part = part.strip()
        if part.startswith("slipway ") and not part.startswith("slipway ["):
            yield part


def main():
    for path, texts in files():
        with open(path, encoding="utf-8", errors="replace") as file:
            text = file.read()
        for number, found in texts(text):
            hints = [m[2] for m in HINT.finditer(found) if not m[1]]
            if texts is c_texts and found.startswith("slipway ") and "/cmd/" in path:
                hints.append(found)
            for hint in hints:
                hint = re.sub("^slipway (COMMAND|%s) ", "slipway up ", hint.replace("\\n", " "))
                for line in lines_of(VARIABLE.sub("x", hint)):
                    print("%s:%d\t%s" % (os.path.relpath(path, ROOT), number, line))


main()
