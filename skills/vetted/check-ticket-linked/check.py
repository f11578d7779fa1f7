#!/usr/bin/env python3
"""Proves that a change names its ticket: in the branch, in a commit of it, or in the text of its pull request.

Exit 0: linked. Exit 1: not. Exit 3: cannot judge.
"""

import argparse
import json
import os
import re
import sys

sys.dont_write_bytecode = True  # the package is not ours to write
from gitread import CannotJudge, changes, git, merge_base, shown

TICKET = re.compile(r"[A-Z][A-Z0-9]{0,19}-[1-9][0-9]{0,9}")
# What looks like a ticket of any project, to tell the wrong ticket from none.
ANY = re.compile(r"(?<![A-Za-z0-9])[A-Z][A-Z0-9]{1,19}-[1-9][0-9]{0,9}(?![A-Za-z0-9])")
NOT_TICKETS = re.compile(r"(?:UTF|SHA|ISO|RFC|CVE|AES|RSA|MD|HTTP|TLS|BASE|PEP|GPL|LGPL|AGPL|APACHE|BSD|UTC|X)-")


def main():
    options = parsed()
    ticket = wanted(options.ticket)
    base = merge_base(options.base)
    commits = messages(base)
    if not commits and not changes(base):
        raise CannotJudge("nothing is changed since the base, so nothing was judged")
    places = {"branch": [branch()], "commits": commits, "text": [pull_request(options.text)]}
    found = [where for where, texts in places.items() if any(names(ticket, text) for text in texts)]
    if options.every_commit == "true":
        silent = [text.split("\n", 1)[0] for text in commits if not names(ticket, text)]
        for subject in silent[:10]:
            print(f"ticket: no {ticket} in the commit `{shown(subject)[:80]}`")
        if silent or not commits:
            refuse(f"{len(silent)} of {len(commits)} commits do not name {ticket}")
    if not found:
        others = sorted({match for texts in places.values() for text in texts for match in foreign(text)})
        refuse(f"{ticket} is in neither the branch, nor {len(commits)} commits, nor the text"
               + (f"; they name {', '.join(others[:3])}" if others else ""))
    told = {"branch": "branch", "commits": f"{sum(names(ticket, text) for text in commits)} of {len(commits)} commits",
            "text": "text"}
    print(f"ticket: {ticket} linked ({', '.join(told[where] for where in found)})")


def parsed():
    parser = argparse.ArgumentParser(allow_abbrev=False)
    for name in ("ticket", "base", "text", "every-commit"):
        parser.add_argument("--" + name, required=True)
    return parser.parse_args()


def wanted(given):
    """The ticket of the parameter; where there is a brief, its own, and the two agree."""
    of_brief = ""
    path = os.environ.get("SKILL_BRIEF_JSON", "")
    if path:
        try:
            with open(path, encoding="utf-8") as file:
                params = json.load(file).get("params", {})
        except (OSError, ValueError, AttributeError) as error:
            raise CannotJudge(f"the brief cannot be read: {error}") from None
        of_brief = params.get("ticket", "") if isinstance(params, dict) else ""
    if given and of_brief and given != of_brief:
        refuse(f"the check is told {shown(given)}, and the brief is about {shown(of_brief)}")
    ticket = given or of_brief
    if not isinstance(ticket, str) or not TICKET.fullmatch(ticket):
        raise CannotJudge("no ticket: neither the parameter `ticket` nor the brief's parameter of that name says one like OPS-412")
    return ticket


def messages(base):
    """What the commits of the change say, without comments about other commits (merges bring those of the base)."""
    text = git("log", "-z", "--no-merges", "--format=%B", f"{base}..HEAD", "--").decode("utf-8", "replace")
    return [message for message in text.split("\0") if message.strip()]


def branch():
    """The name of the branch; where HEAD is on none, nothing."""
    return git("symbolic-ref", "--quiet", "--short", "HEAD", ok=(0, 1)).decode("utf-8", "replace").strip()


def pull_request(path):
    if not path:
        return ""
    try:
        with open(path, encoding="utf-8") as file:
            # What stands in a comment is a template's example, and nobody sees it.
            return re.sub(r"<!--.*?(-->|\Z)", "", file.read(1024 * 1024), flags=re.DOTALL)
    except (OSError, UnicodeDecodeError) as error:
        raise CannotJudge(f"the text of the pull request cannot be read: {error}") from None


def names(ticket, text):
    """OPS-41 is not in OPS-412, nor in DEVOPS-41. Branches are written in small letters, too."""
    return bool(re.search(rf"(?<![A-Za-z0-9]){re.escape(ticket)}(?![0-9A-Za-z])", text, re.IGNORECASE))


def foreign(text):
    return [match for match in ANY.findall(text) if not NOT_TICKETS.match(match)]


def refuse(why):
    print(f"ticket: REFUSED: {why}")
    sys.exit(1)


if __name__ == "__main__":
    try:
        main()
    except Exception as error:  # whatever it was, it is no verdict
        print(f"cannot judge: {shown(error)}")
        sys.exit(3)
