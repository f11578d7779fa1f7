#!/usr/bin/env python3
"""Proves that a Terraform plan takes nothing away: no delete, no replacement, nothing forgotten, outside of
an allow-list of addresses. Reads what `terraform show -json PLAN` (or `tofu show -json`) wrote.

Exit 0: nothing is lost. Exit 1: something is. Exit 3: cannot judge.
"""

import json
import os
import re
import sys

sys.dont_write_bytecode = True
LINES_MAX = 15
BYTES_MAX = 256 * 1024 * 1024

# What a plan may do to a resource without losing one. Everything else is lost, or unknown.
HARMLESS = {("no-op",), ("create",), ("read",), ("update",)}
HARMFUL = {
    ("delete",): "delete",
    ("delete", "create"): "replace, the old one first",
    ("create", "delete"): "replace, the new one first",
    ("forget",): "forget: it lives on, and nobody manages it",
    ("create", "forget"): "replace, and forget the old one",
    ("forget", "create"): "replace, and forget the old one",
}


class CannotJudge(Exception):
    """Nothing is known: neither that the claim holds nor that it does not."""


def main(words):
    if len(words) < 2 or not words[0].startswith("--plan=") or words[1] != "--allow":
        raise CannotJudge("usage: check.py --plan=FILE --allow [ADDRESS…]")
    path, allowed = words[0][len("--plan="):], words[2:]
    plan = read(path)
    check_whole(plan)
    changes = managed(plan)
    lost, excused, unknown = judged(changes, set(allowed))
    for address, why in lost[:LINES_MAX]:
        print(f"plan: would lose {shown(address)}: {why}")
    for address in excused[:LINES_MAX]:
        print(f"plan: allowed to lose {shown(address)}")
    if unknown:
        raise CannotJudge(f"{shown(unknown[0][0])} has the actions {unknown[0][1]}, which this check does not know")
    if lost:
        print(f"plan: REFUSED: {len(lost)} of {len(changes)} resources would be lost")
        sys.exit(1)
    counts = {verb: sum(entry["change"]["actions"] == [verb] for entry in changes) for verb in ("create", "update")}
    print(f"plan: no destroy in {len(changes)} resources ({counts['create']} to create, {counts['update']} to update, "
          f"{len(excused)} allowed to be lost)")


def read(path):
    try:
        if os.path.getsize(path) > BYTES_MAX:
            raise CannotJudge(f"{path} has more than {BYTES_MAX} bytes")
        with open(path, encoding="utf-8-sig") as file:
            plan = json.load(file, object_pairs_hook=once)
    except (OSError, UnicodeDecodeError, ValueError, RecursionError) as error:
        raise CannotJudge(f"{path} is not the JSON of a plan: {error}") from None
    if not isinstance(plan, dict):
        raise CannotJudge(f"{path} is JSON, and no plan: write it with `terraform show -json PLAN`")
    return plan


def once(pairs):
    """A key twice has two readings: Terraform's and ours."""
    if len({key for key, _ in pairs}) != len(pairs):
        raise ValueError("a key stands twice in one object")
    return dict(pairs)


def check_whole(plan):
    """A plan, of a format that we know, and one that came to its end."""
    version = plan.get("format_version")
    if not isinstance(version, str) or not re.fullmatch(r"1\.\d{1,4}", version):
        raise CannotJudge(f"format_version is {version!r}, expected 1.x: is this the JSON of a plan?")
    if "planned_values" not in plan and "resource_changes" not in plan:
        raise CannotJudge("neither planned_values nor resource_changes: this is a state, or JSON of another kind")
    if plan.get("errored") is True:
        raise CannotJudge("planning ended with an error, so the plan is not whole")
    if plan.get("complete") is False and plan.get("applyable") is not True:
        raise CannotJudge("the plan is neither complete nor applyable")
    if plan.get("complete") is False or plan.get("deferred_changes"):
        raise CannotJudge("the plan puts changes off to a later one, which nobody has seen")
    failed = [check for check in plan.get("checks") or [] if isinstance(check, dict) and check.get("status") == "error"]
    if failed:
        raise CannotJudge(f"{len(failed)} of the plan's own checks ended with an error")


def managed(plan):
    """The changes of managed resources; those of data sources are reads, whatever they are called."""
    changes = plan.get("resource_changes")
    if changes is None:
        changes = []
    if not isinstance(changes, list):
        raise CannotJudge("resource_changes is not a list")
    found = []
    for entry in changes:
        change = entry.get("change") if isinstance(entry, dict) else None
        actions = change.get("actions") if isinstance(change, dict) else None
        if not isinstance(entry.get("address") if isinstance(entry, dict) else None, str) or not is_words(actions):
            raise CannotJudge("an entry of resource_changes has no address or no actions")
        if entry.get("mode") == "data" and set(actions) <= {"read", "no-op", "create", "delete", "update"}:
            continue
        found.append(entry)
    if not found and not nothing_to_do(plan):
        raise CannotJudge("the plan lists no resource and does not say that there is nothing to do")
    return found


def nothing_to_do(plan):
    """An honest plan of no change still has its configuration, and says that there is nothing to apply."""
    return isinstance(plan.get("configuration"), dict) and plan.get("applyable") is not True


def is_words(actions):
    return isinstance(actions, list) and bool(actions) and all(isinstance(action, str) for action in actions)


def judged(changes, allowed):
    """What is lost, what is lost with leave, and what nobody can say."""
    lost, excused, unknown = [], [], []
    for entry in changes:
        actions = tuple(entry["change"]["actions"])
        if actions in HARMLESS:
            continue
        address = entry["address"] + (f" (deposed {entry['deposed']})" if entry.get("deposed") else "")
        if actions not in HARMFUL:
            unknown.append((address, list(actions)))
        elif entry["address"] in allowed:
            excused.append(address)
        else:
            lost.append((address, reason(entry, actions)))
    return lost, excused, unknown


def reason(entry, actions):
    """The action, and the attributes that force it where the plan names them."""
    why = HARMFUL[actions]
    paths = entry["change"].get("replace_paths") or []
    names = [".".join(str(part) for part in path) for path in paths if isinstance(path, list)]
    said = entry.get("action_reason")
    if names:
        return f"{why}, because of {', '.join(names[:3])}"
    return f"{why} ({said})" if isinstance(said, str) else why


def shown(text):
    """An address is a stranger's text: no control character reaches the terminal."""
    return "".join(c if c.isprintable() else "?" for c in text)[:200]


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except Exception as error:  # whatever it was, it is no verdict
        print(f"cannot judge: {shown(str(error))}")
        sys.exit(3)
