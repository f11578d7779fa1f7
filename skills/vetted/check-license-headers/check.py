#!/usr/bin/env python3
"""Proves that every source file says its licence: an SPDX identifier, the expected one, in a comment near its top.

Exit 0: all do. Exit 1: some do not. Exit 3: cannot judge.
"""

import os
import re
import sys

sys.dont_write_bytecode = True  # the package is not ours to write
from gitread import CannotJudge, git, matcher, shown, top

LINES_MAX = 15
HEAD_LINES = 20
HEAD_BYTES = 8192
# Within a comment of any language: what stands in a string of the program tells no reader anything.
SPDX = re.compile(r"^\s*(?:#|//[/!]?|/\*+!?|\*|--|;+|%+|<!--|\{-|\(\*|\"\"\"|'|rem\b|\.\.|dnl\b)\s*.{0,40}?"
                  r"SPDX-License-Identifier:\s*([A-Za-z0-9.+() -]+?)\s*(?:\*/|-->|-\}|\*\)|\"\"\"|#)?\s*$", re.IGNORECASE)


def main():
    licence, files, exclude = parsed(sys.argv[1:])
    is_source, is_excluded = matcher(files), matcher(exclude)
    judged = [path for path in present() if is_source(path) and not is_excluded(path)]
    problems = [(path, why) for path in judged for why in [fault(path, licence)] if why]
    for path, why in problems[:LINES_MAX]:
        print(f"license: {shown(path)}: {why}")
    if problems:
        print(f"license: REFUSED: {len(problems)} of {len(judged)} files")
        sys.exit(1)
    if not judged:
        raise CannotJudge("no file matches the globs, so nothing was judged")
    print(f"license: {licence} in {len(judged)} of {len(judged)} files")


def parsed(words):
    usage = "usage: check.py --license=SPDX --files GLOB… --exclude [GLOB…]"
    if len(words) < 4 or not words[0].startswith("--license=") or words[1] != "--files" or "--exclude" not in words:
        raise CannotJudge(usage)
    at = words.index("--exclude")
    if at == 2:
        raise CannotJudge(usage)
    return words[0][len("--license="):], words[2:at], words[at + 1:]


def present():
    """Every file with something in it that Git has or would add; links are judged where they lead."""
    listed = git("ls-files", "-z", "--cached", "--others", "--exclude-standard").split(b"\0")
    paths = sorted({os.fsdecode(path) for path in listed if path})
    return [path for path in paths if os.path.isfile(path) and not os.path.islink(path) and os.path.getsize(path)]


def fault(path, licence):
    with open(path, "rb") as file:
        head = file.read(HEAD_BYTES)
    lines = head.decode("utf-8-sig", "replace").splitlines()[:HEAD_LINES]
    found = [match.group(1).strip() for match in map(SPDX.match, lines) if match]
    if not found:
        return f"no SPDX-License-Identifier in a comment within its first {HEAD_LINES} lines"
    wrong = [said for said in found if normal(said) != normal(licence)]
    return f"says `{shown(wrong[0])}`, expected `{licence}`" if wrong else ""


def normal(expression):
    """SPDX identifiers are compared without case; blanks and outer parentheses mean nothing."""
    text = " ".join(expression.split()).casefold()
    return text[1:-1].strip() if text.startswith("(") and text.endswith(")") and text.count("(") == 1 else text


if __name__ == "__main__":
    try:
        os.chdir(top())
        main()
    except Exception as error:  # whatever it was, it is no verdict
        print(f"cannot judge: {shown(error)}")
        sys.exit(3)
