#!/usr/bin/env python3
"""Proves that a change touches what its brief says it delivers, all of that, and nothing else.

Exit 0: within. Exit 1: not. Exit 3: cannot judge.
"""

import json
import os
import sys

sys.dont_write_bytecode = True  # the package is not ours to write
from gitread import CannotJudge, changes, git, matcher, merge_base, shown, top

LINES_MAX = 15
KINDS = {"A": "added", "D": "deleted", "M": "changed", "T": "changed its type", "U": "has conflicts", "X": "unknown"}
EVIDENCE = ".skill/evidence/"


def main(words):
    if len(words) < 2 or not words[0].startswith("--base=") or words[1] != "--allow":
        raise CannotJudge("usage: check.py --base=REV --allow [GLOB…]")
    base = merge_base(words[0][len("--base="):])
    brief_path, deliverables = of_brief()
    is_allowed = matcher(words[2:])
    found = [change for change in changes(base) if not change.path.startswith(EVIDENCE)]
    outside = [change for change in found if not (change.path in deliverables or change.path in brief_path
                                                  or is_allowed(change.path))]
    problems = [(change.path, described(change)) for change in outside]
    problems += [(change.path, oddity(change)) for change in found if oddity(change) and change not in outside]
    problems += missing(base, deliverables, found)
    for path, why in sorted(set(problems))[:LINES_MAX]:
        print(f"diff: {shown(path)}: {why}")
    if problems:
        print(f"diff: REFUSED: {len(set(problems))} findings in {len(found)} changed paths")
        sys.exit(1)
    if not found:
        raise CannotJudge("nothing is changed, so nothing was judged")
    delivered = sum(change.path in deliverables for change in found)
    print(f"diff: within ({len(found)} paths changed: {delivered} deliverables, {len(found) - delivered} allowed besides)")


def of_brief():
    """Where the brief lies, and what it says is delivered."""
    path = os.environ.get("SKILL_BRIEF_JSON", "")
    if not path:
        raise CannotJudge("this check is about a brief: run it for one (SKILL_BRIEF_JSON is not set)")
    try:
        with open(path, encoding="utf-8") as file:
            brief = json.load(file)
        paths = {entry["path"] for entry in brief["deliverables"]}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CannotJudge(f"the brief cannot be read: {error!r}") from None
    if not paths or not all(isinstance(one, str) and one for one in paths):
        raise CannotJudge("the brief delivers nothing")
    return own_files(path), paths


def own_files(path):
    """The brief's two files are committed with the work, where the brief lies in the repository."""
    inside = os.path.relpath(os.path.realpath(path), os.path.realpath(top()))
    if inside.startswith("..") or not inside.endswith(".brief.json"):
        return set()
    return {inside, inside[: -len(".json")] + ".md"}


def described(change):
    if change.after == "160000" or change.before == "160000":
        return f"a submodule is {KINDS.get(change.status, 'changed')}, and the brief does not name it"
    return f"{KINDS.get(change.status, 'changed')}, and neither a deliverable nor allowed"


def oddity(change):
    """What a path that may change may still not do: become something else than a file."""
    if change.status == "U":
        return "has conflicts"
    if change.after == "120000" and change.before != "120000":
        return "is a symbolic link now: what it delivers lies elsewhere"
    if change.after == "160000" and change.before != "160000":
        return "is a submodule now: what it delivers lies elsewhere"
    if {change.before, change.after} == {"100644", "100755"}:
        return f"mode changed from {change.before} to {change.after}"
    return ""


def missing(base, deliverables, found):
    """Each deliverable is there, and is of this change."""
    touched = {change.path: change for change in found}
    for path in deliverables:
        full = os.path.join(top(), path)
        if not os.path.isfile(full) or os.path.islink(full):
            yield path, "a deliverable that is not there"
        elif os.path.getsize(full) == 0:
            yield path, "a deliverable that is empty"
        elif path not in touched:
            ignored = git("check-ignore", "-q", "--", path, ok=(0, 1)) is not None and not tracked(path)
            yield path, "a deliverable that Git ignores" if ignored else "a deliverable that this change does not touch"


def tracked(path):
    return bool(git("ls-files", "-z", "--", ":(literal)" + path))


if __name__ == "__main__":
    try:
        if os.environ.get("SKILL_BRIEF_JSON"):
            os.environ["SKILL_BRIEF_JSON"] = os.path.abspath(os.environ["SKILL_BRIEF_JSON"])
        os.chdir(top())
        main(sys.argv[1:])
    except Exception as error:  # whatever it was, it is no verdict
        print(f"cannot judge: {shown(error)}")
        sys.exit(3)
