#!/usr/bin/env python3
"""Proves that a change brings no credential: nothing of the form of an issued secret, and no password or
random value under a telling name, in the lines that it adds.

Exit 0: none. Exit 1: found; kind and place are said, never the secret. Exit 3: cannot judge.
"""

import hashlib
import os
import re
import sys

sys.dont_write_bytecode = True  # the package is not ours to write
from gitread import CannotJudge, changes, git, merge_base, shown, top
from kinds import found

LINES_MAX = 15
FILE_BYTES_MAX = 20 * 1024 * 1024
LINE_CHARS_MAX = 20_000
HUNK = re.compile(rb"@@ -\d+(?:,\d+)? \+(\d+)(?:,\d+)? @@")
KEY_FILES = re.compile(r"(^|/)(id_(rsa|dsa|ecdsa|ed25519)|\.pgpass|\.netrc|\.git-credentials|\.pypirc|[^/]+\.(p12|pfx|jks|keystore|kdbx))$")


def main(words):
    if len(words) != 2 or not words[0].startswith("--base=") or not words[1].startswith("--allow-file="):
        raise CannotJudge("usage: check.py --base=REV --allow-file=PATH")
    base = merge_base(words[0][len("--base="):])
    allowed = allow_list(base, words[1][len("--allow-file="):])
    changed = [change for change in changes(base) if change.status != "D"]
    if not changed and not changes(base):
        raise CannotJudge("nothing is changed, so nothing was judged")
    secrets, lines, excused = judged(base, changed, allowed)
    for path, line, kinds in secrets[:LINES_MAX]:
        # Not even the line's digest: a short password could be guessed from it.
        print(f"secrets: {shown(path)}{f':{line}' if line else ''}: {shown(kinds)}")
    if secrets:
        print(f"secrets: REFUSED: {len(secrets)} findings in {len(changed)} changed files; "
              "whatever was committed has leaked: revoke it first")
        sys.exit(1)
    print(f"secrets: none in {len(changed)} changed files ({lines} added lines, {excused} allowed)")


def allow_list(base, path):
    """Digests of lines that a human has looked at; read from the base, where the change cannot add to it."""
    if not path or path.startswith(("/", "-")) or ".." in path.split("/"):
        raise CannotJudge(f"`{shown(path)}` is not a path in the repository")
    if not git("ls-tree", "-z", base, "--", ":(literal)" + path):
        return set()
    text = git("cat-file", "blob", f"{base}:{path}").decode("utf-8", "replace")
    entries = [line.split("#", 1)[0].strip() for line in text.splitlines()]
    bad = [entry for entry in entries if entry and not re.fullmatch("[0-9a-f]{64}", entry)]
    if bad:
        raise CannotJudge(f"{shown(path)} has a line that is not a SHA-256 in hex")
    return set(filter(None, entries))


def judged(base, changed, allowed):
    secrets, lines, excused = [], 0, 0
    for change in changed:
        if KEY_FILES.search(change.path) and change.before == "000000":
            secrets.append((change.path, 0, "a file of this name holds secrets"))
        for number, text in added(base, change):
            lines += 1
            kinds = found(text)
            if kinds and hashlib.sha256(text.strip().encode("utf-8", "surrogateescape")).hexdigest() in allowed:
                excused += 1
            elif kinds:
                secrets.append((change.path, number, ", ".join(dict.fromkeys(kinds))))
    return secrets, lines, excused


def added(base, change):
    """The lines that a change adds to one file, with their numbers; binary files line by line, too."""
    if change.after == "160000":
        return []
    if change.after == "120000":
        return [(1, os.readlink(change.path))]
    if change.before == "000000":
        return whole(change.path)
    diff = git("diff", "--unified=0", "--text", "--no-renames", "--no-color", "--no-ext-diff", "--no-textconv",
               "--src-prefix=a/", "--dst-prefix=b/", base, "--", ":(literal)" + change.path)
    return list(of_diff(diff, change.path))


def whole(path):
    if os.path.getsize(path) > FILE_BYTES_MAX:
        raise CannotJudge(f"{shown(path)} has more than {FILE_BYTES_MAX} bytes")
    with open(path, "rb") as file:
        content = file.read()
    return [(number, piece) for number, line in enumerate(unpacked(content).split(b"\n"), 1) for piece in decoded(line)]


def unpacked(content):
    """UTF-16 hides ASCII from every pattern."""
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return content.decode("utf-16", "replace").encode("utf-8", "surrogatepass")
    return content


def of_diff(diff, path):
    number, inside = 0, False
    for line in diff.split(b"\n"):
        hunk = HUNK.match(line)
        if hunk:
            number, inside = int(hunk.group(1)), True
        elif inside and line.startswith(b"+"):
            for piece in decoded(line[1:]):
                yield number, piece
            number += 1
    if b"\0" in diff:  # not text: the lines of a diff may be anything, so all of it is looked at
        yield from whole(path)


def decoded(line):
    """A line as text, long ones in pieces that overlap."""
    text = line.rstrip(b"\r").decode("utf-8", "surrogateescape").replace("\0", "")
    for at in range(0, max(len(text), 1), LINE_CHARS_MAX - 500):
        yield text[at:at + LINE_CHARS_MAX]


if __name__ == "__main__":
    try:
        os.chdir(top())
        main(sys.argv[1:])
    except Exception as error:  # whatever it was, it is no verdict
        print(f"cannot judge: {shown(error)}")
        sys.exit(3)
