#!/usr/bin/env python3
"""Proves that the tests of a change test it: they fail on the code before it, and pass on the code after it.

Exit 0: covered. Exit 1: not. Exit 3: cannot judge.
"""

import argparse
import os
import shutil
import sys
import tempfile

sys.dont_write_bytecode = True  # the package is not ours to write
import command
import testcount
from gitread import CannotJudge, changes, git, matcher, merge_base, shown, top


def main():
    options = parsed()
    base = merge_base(options.base)
    is_test = matcher(options.tests)
    changed = changes(base)
    tests = [change for change in changed if is_test(change.path)]
    code = [change for change in changed if not is_test(change.path) and not change.path.startswith(".skill/")]
    if not changed:
        raise CannotJudge("nothing is changed, so nothing was judged")
    if not code:
        refuse(f"only tests are changed ({len(tests)} files): there is no change that they could cover")
    if not [change for change in tests if change.status != "D"]:
        refuse(f"{len(code)} files are changed, and no test is new or changed")
    with tempfile.TemporaryDirectory(prefix="cover-") as scratch:
        before, after = (os.path.join(scratch, name) for name in ("before", "after"))
        export(base, before)
        check_base(options, tests, before)
        lay(tests, before)
        export(base, after)
        lay(changed, after)
        new = tried(options, after)
        old = tried(options, before)
    judge(old, new, len(tests))


def check_base(options, tests, folder):
    """Where the base is red by itself, red says nothing about the new tests. (A file that is new to it is another matter.)"""
    if all(change.status == "M" for change in tests):
        code, count, _ = tried(options, folder)
        if code != 0 and count and count.failed:
            raise CannotJudge(f"{count.failed} tests fail on the base by itself: mend that first, in a change of its own")


def parsed():
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("--base", required=True)
    parser.add_argument("--format", choices=["auto", *testcount.SCREENS], required=True)
    parser.add_argument("--tests", nargs="+", required=True)
    words = sys.argv[1:]
    if "--" not in words:
        raise CannotJudge("usage: check.py --base=REV --format=F --tests GLOB… -- COMMAND…")
    at = words.index("--")
    options = parser.parse_args(words[:at])
    options.command = words[at + 1:]
    if not options.command:
        raise CannotJudge("there is no command")
    return options


def export(revision, folder):
    """The tree of a revision as Git holds it: no archive, whose attributes could leave files out or rewrite them."""
    os.mkdir(folder)
    for entry in filter(None, git("ls-tree", "-r", "-z", "--full-tree", revision).split(b"\0")):
        head, path = entry.split(b"\t", 1)
        mode, kind, name = head.decode().split(" ")
        target = os.path.join(folder, os.fsdecode(path))
        if kind != "blob":
            continue
        content = git("cat-file", "blob", name)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        if mode == "120000":
            os.symlink(content, os.fsencode(target))
        else:
            write(target, content, mode == "100755")


def write(path, content, executable):
    with open(path, "wb") as file:
        file.write(content)
    os.chmod(path, 0o755 if executable else 0o644)


def lay(changed, folder):
    """Puts the changed files over a tree, as they lie in the work tree."""
    for change in changed:
        target = os.path.join(folder, change.path)
        if os.path.lexists(target) and not os.path.isdir(target):
            os.remove(target)
        if change.status != "D" and change.after != "160000":
            os.makedirs(os.path.dirname(target), exist_ok=True)
            shutil.copy2(change.path, target, follow_symlinks=False)


def tried(options, folder):
    """How the command ends in a tree, and what it says of its tests; nothing if it says nothing."""
    extra = {"CARGO_TARGET_DIR": os.path.join(folder, "target")}
    code, text = command.run(options.command, folder, extra)
    try:
        return code, testcount.of_screen(text, options.format), text
    except testcount.Unreadable:
        return code, None, text


def judge(old, new, files):
    (old_code, old_count, old_text), (new_code, new_count, _) = old, new
    if new_code != 0 or new_count and new_count.failed:
        refuse(f"the tests do not pass on the change itself: exit {new_code}")
    if new_count is None:
        raise CannotJudge("the command ended with 0 on the change, and has no summary of tests")
    if new_count.ran == 0:
        refuse("no test ran on the change")
    if old_code == 0 and not (old_count and old_count.failed):
        refuse(f"the {files} new or changed test files pass on the code before the change, too: they do not test it")
    how = f"{old_count.failed} failed" if old_count and old_count.failed else "they did not even build or load"
    if not (old_count and old_count.failed) and not mentions_tests(old_text):
        raise CannotJudge(f"on the base the command ended with {old_code}, and no test is to blame")
    print(f"cover: fail-to-pass ({files} test files; before: {how}, after: {new_count.ran} passed)")


def mentions_tests(text):
    """Whether a failure without a summary is one of compiling or importing: what new tests of new code do."""
    signs = ("error[E", "error: could not compile", "[build failed]", "[setup failed]", "ImportError", "ModuleNotFoundError",
             "AttributeError", "Cannot find module", "SyntaxError", "undefined:", "is not a function", "is not exported")
    return any(sign in text for sign in signs)


def refuse(why):
    print(f"cover: REFUSED: {why}")
    sys.exit(1)


if __name__ == "__main__":
    try:
        os.chdir(top())
        main()
    except Exception as error:  # whatever it was, it is no verdict
        print(f"cannot judge: {shown(error)}")
        sys.exit(3)
