#!/usr/bin/env python3
"""Proves that a linter looked and found nothing: it ended with 0, told of no warning, and showed that it can find.

Exit 0: clean. Exit 1: findings, or a linter that is always green. Exit 3: cannot judge.
"""

import json
import os
import re
import sys
import tempfile

sys.dont_write_bytecode = True  # the package is not ours to write
from command import CannotJudge, run, shown

LINES_MAX = 12
REPORT_BYTES_MAX = 64 * 1024 * 1024
COLOUR = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")

# What linters say when they have looked: (who, what). A number of nothing is nothing.
SUMMARIES = [
    ("cargo", r"^\s*Finished `?\w+`? (?:profile )?.*target\(s\)"),
    ("ruff", r"^All checks passed!"),
    ("mypy", r"^Success: no issues found in [1-9]\d* source files?"),
    ("pyright", r"^0 errors, 0 warnings, "),
    ("pylint", r"^Your code has been rated at 10\.00/10"),
    ("golangci-lint", r"^0 issues\."),
    ("rubocop", r"^[1-9]\d* files? inspected, no offenses detected"),
    ("biome", r"^Checked [1-9]\d* files? in .*No fixes applied"),
    ("prettier", r"^All matched files use Prettier code style!"),
    ("black", r"^[1-9]\d* files? would be left unchanged\."),
    ("sqlfluff", r"^All Finished!"),
    ("ansible-lint", r"^Passed: 0 failure\(s\), 0 warning\(s\)"),
]

# What findings look like, whatever the exit code says.
FINDING = re.compile(
    r"^(?:\s*(?:warning|error)(?:\[[\w:-]+\])?: "          # rustc and its kin
    r"|(?!\s)[^\s:][^:\n]{0,200}:\d+(?::\d+)?:? "          # path:line:column: …
    r"|\s*\d+:\d+\s+(?:warning|error)\s"                   # eslint
    r"|In .* line \d+:$"                                   # shellcheck
    r"|✖ \d+ problems?|Would reformat|would reformat )", re.MULTILINE | re.IGNORECASE)


def main():
    canary, command = parsed()
    with tempfile.TemporaryDirectory(prefix="lint-") as scratch:
        report = os.path.join(scratch, "report.sarif")
        code, text = run([word.replace("{sarif}", report) for word in command])
        text = COLOUR.sub("", text)
        if any("{sarif}" in word for word in command):
            findings, how = of_report(report, code)
        else:
            findings, how = of_screen(text), None
    if findings or code != 0:
        tell(findings or text.strip().splitlines()[-5:])
        refuse(f"{len(findings)} findings, exit {code}")
    how = how or summary(text) or of_canary(canary)
    print(f"lint: clean ({how}, exit 0)")


def parsed():
    words = sys.argv[1:]
    if words[:1] != ["--canary"] or "--" not in words:
        raise CannotJudge("usage: check.py --canary [COMMAND…] -- COMMAND…")
    at = words.index("--")
    if at + 1 == len(words):
        raise CannotJudge("there is no command")
    return words[1:at], words[at + 1:]


def of_screen(text):
    return [line for line in text.splitlines() if FINDING.match(line)]


def summary(text):
    for who, what in SUMMARIES:
        if re.search(what, text, re.MULTILINE):
            return who
    return None


def of_canary(words):
    """A linter that is silent when all is well has to show on something bad that it is not silent always."""
    if not words:
        raise CannotJudge("the linter said nothing that shows that it looked: use {sarif}, or give a `canary`, "
                          "a command of the same linter on a file that it has to refuse")
    code, text = run(words)
    if code in (126, 127) or code < 0:
        raise CannotJudge(f"the canary could not be started: exit {code}")
    if code == 0 or not text.strip():
        refuse("the linter finds nothing in the canary either: it is always green")
    return "canary refused"


def of_report(path, code):
    """The findings of a SARIF report, and who wrote it. What the author suppressed is none."""
    runs = read(path, code)
    findings, tools = [], []
    for run_ in runs:
        driver = run_.get("tool", {}).get("driver", {})
        tools.append(str(driver.get("name", "")))
        for invocation in run_.get("invocations") or []:
            if invocation.get("executionSuccessful") is False:
                raise CannotJudge(f"{shown(tools[-1])} says that it did not come to its end")
        if not isinstance(run_.get("results"), list):
            raise CannotJudge(f"{shown(tools[-1])} reports no results, not even none")
        rules = {rule.get("id"): rule for rule in driver.get("rules") or []}
        for result in run_["results"]:
            level = level_of(result, rules)
            if level in ("warning", "error") and not suppressed(result):
                findings.append(spoken(result, level))
    if not all(tools):
        raise CannotJudge("the report does not say which tool wrote it")
    return findings, f"sarif of {', '.join(map(shown, tools))}"


def read(path, code):
    try:
        if os.path.getsize(path) > REPORT_BYTES_MAX:
            raise CannotJudge(f"the report has more than {REPORT_BYTES_MAX} bytes")
        with open(path, encoding="utf-8-sig") as file:
            report = json.load(file)
        runs = report["runs"]
        if not report["version"].startswith("2.1") or not runs or not all(isinstance(one, dict) for one in runs):
            raise ValueError("no SARIF 2.1 with a run")
        return runs
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise CannotJudge(f"the command ended with {code}, and its report cannot be read: {error}") from None


def level_of(result, rules):
    """SARIF 2.1.0, 3.27.10: the result's own level, else its rule's, else warning; what passed is none."""
    if result.get("kind", "fail") not in ("fail", "open", "review"):
        return "none"
    rule = rules.get(result.get("ruleId")) or {}
    return result.get("level") or (rule.get("defaultConfiguration") or {}).get("level") or "warning"


def suppressed(result):
    found = result.get("suppressions") or []
    return bool(found) and all(one.get("status", "accepted") == "accepted" for one in found)


def spoken(result, level):
    places = result.get("locations") or [{}]
    physical = places[0].get("physicalLocation") or {}
    path = (physical.get("artifactLocation") or {}).get("uri", "")
    line = (physical.get("region") or {}).get("startLine", "")
    message = (result.get("message") or {}).get("text", "")
    return f"{path}:{line}: {level}: {result.get('ruleId', '')}: {message}"


def tell(lines):
    for line in lines[:LINES_MAX]:
        print("lint: | " + shown(line)[:160])


def refuse(why):
    print(f"lint: REFUSED: {why}")
    sys.exit(1)


if __name__ == "__main__":
    try:
        main()
    except Exception as error:  # whatever it was, it is no verdict
        print(f"cannot judge: {shown(error)}")
        sys.exit(3)
