#!/usr/bin/env python3
"""Proves that a build gives the same bytes twice: in another folder, with another home, time zone and user,
with its files created in another order. (The clock itself is the same; SOURCE_DATE_EPOCH is what builds should read.)

Exit 0: reproducible. Exit 1: not. Exit 3: cannot judge.
"""

import hashlib
import os
import shutil
import sys
import tempfile
import time

sys.dont_write_bytecode = True  # the package is not ours to write
import command
from gitread import CannotJudge, git, matcher, shown, top

LINES_MAX = 15


def main():
    patterns, words = parsed(sys.argv[1:])
    is_artifact = matcher(patterns)
    files = tracked()
    stale = [path for path in files if is_artifact(path)]
    if stale:
        raise CannotJudge(f"{shown(stale[0])} is an artifact and a source: it would be equal without any build")
    when = git("log", "-1", "--format=%ct", "HEAD").decode().strip()
    with tempfile.TemporaryDirectory(prefix="build-") as scratch:
        one = built(words, files, os.path.join(scratch, "a"), int(when),
                    {"TZ": "UTC0", "LANG": "C", "LC_ALL": "C"}, is_artifact)
        wait_for_another_second()
        other = built(words, files[::-1], os.path.join(scratch, "another-folder", "b"), int(when),
                      {"TZ": "KIR-14", "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8", "USER": "somebody"}, is_artifact)
    judge(one, other)


def parsed(words):
    if "--" not in words or words[:1] != ["--artifacts"] or words.index("--") < 2 or words[-1] == "--":
        raise CannotJudge("usage: check.py --artifacts GLOB… -- COMMAND…")
    at = words.index("--")
    return words[1:at], words[at + 1:]


def tracked():
    """What a clean clone of this work tree would have, and nothing that an earlier build left."""
    listed = git("ls-files", "-z", "--cached", "--others", "--exclude-standard").split(b"\0")
    paths = sorted({os.fsdecode(path) for path in listed if path})
    paths = [path for path in paths if os.path.lexists(path) and not path.startswith(".skill/")]
    if any(os.path.isdir(path) and not os.path.islink(path) for path in paths):
        raise CannotJudge("a submodule is part of the tree, and its files are not")
    return paths


def wait_for_another_second():
    """A build that writes the time would be equal by luck within one second."""
    time.sleep(1.1)


def built(words, files, folder, when, extra, is_artifact):
    """The digests of all artifacts of one build, in a copy of its own with a home of its own."""
    home, tmp, tree = (os.path.join(folder, name) for name in ("home", "tmp", "tree"))
    for path in (home, tmp, tree):
        os.makedirs(path)
    for path in files:
        target = os.path.join(tree, path)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        shutil.copy(path, target, follow_symlinks=False)
        # Git keeps no times of files: what depends on them is another build on each machine.
        age = when - 86_400 * len(folder)
        os.utime(target, (age, age), follow_symlinks=False)
    tool_homes = {name: os.environ[name] for name in ("CARGO_HOME", "RUSTUP_HOME", "GOMODCACHE") if name in os.environ}
    old_home = os.environ.get("HOME", "")
    for name, place in (("CARGO_HOME", ".cargo"), ("RUSTUP_HOME", ".rustup")):
        if name not in tool_homes and os.path.isdir(os.path.join(old_home, place)):
            tool_homes[name] = os.path.join(old_home, place)
    env = {**extra, **tool_homes, "HOME": home, "TMPDIR": tmp, "SOURCE_DATE_EPOCH": str(when)}
    code, text = command.run(words, tree, env)
    if code != 0:
        for line in text.strip().splitlines()[-5:]:
            print("build: | " + shown(line)[:160])
        refuse(f"the build ends with {code}")
    found = {}
    for root, _, names in os.walk(tree):
        for name in names:
            path = os.path.relpath(os.path.join(root, name), tree)
            if is_artifact(path):
                found[path] = digest(os.path.join(tree, path))
    return found


def digest(path):
    """Content, mode and kind: an archive of the folder would hold all of them."""
    if os.path.islink(path):
        return "link to " + os.readlink(path), 0
    mode = "755" if os.stat(path).st_mode & 0o100 else "644"
    with open(path, "rb") as file:
        content = file.read()
    return f"{mode} {hashlib.sha256(content).hexdigest()}", len(content)


def judge(one, other):
    if not one and not other:
        raise CannotJudge("the build ended with 0 and made no artifact that the globs name")
    differ = sorted(path for path in set(one) | set(other) if one.get(path) != other.get(path))
    for path in differ[:LINES_MAX]:
        print(f"build: {shown(path)}: {told(one.get(path))}, the second time {told(other.get(path))}")
    if differ:
        refuse(f"{len(differ)} of {len(set(one) | set(other))} artifacts differ")
    if not any(size for _, size in one.values()):
        refuse(f"all {len(one)} artifacts are empty")
    whole = hashlib.sha256("".join(f"{said}  {path}\n" for path, (said, _) in sorted(one.items())).encode("utf-8", "surrogateescape"))
    print(f"build: reproducible ({len(one)} artifacts, {sum(size for _, size in one.values())} bytes, sha256 {whole.hexdigest()[:16]})")


def told(entry):
    if entry is None:
        return "absent"
    return f"{entry[1]} bytes {entry[0][:20]}"


def refuse(why):
    print(f"build: REFUSED: {why}")
    sys.exit(1)


if __name__ == "__main__":
    try:
        os.chdir(top())
        main()
    except Exception as error:  # whatever it was, it is no verdict
        print(f"cannot judge: {shown(error)}")
        sys.exit(3)
