"""How many tests ran, failed and were skipped, in the words of those who ran them.

The same file lies in check-tests-pass and in check-tests-cover-change. A report (JUnit) is believed
before a screen; a screen is read by the summary lines that the runner itself prints.
"""

import os
import re
import xml.etree.ElementTree as ElementTree
from collections import namedtuple

Count = namedtuple("Count", "ran failed skipped by")
REPORT_BYTES_MAX = 64 * 1024 * 1024
COLOUR = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Unreadable(Exception):
    """Nobody can say how many tests ran."""


def of_cargo(text):
    """libtest: one line for each test binary and for documentation tests; nextest: one for all."""
    found = re.findall(r"^test result: (?:ok|FAILED)\. (\d+) passed; (\d+) failed; (\d+) ignored;", text, re.M)
    nextest = re.findall(r"^\s*Summary \[.*?\] +(\d+)(?:/\d+)? tests? run: (\d+) passed(.*)$", text, re.M)
    if not found and not nextest:
        return None
    ran = sum(int(passed) + int(failed) for passed, failed, _ in found) + sum(int(one[0]) for one in nextest)
    failed = sum(int(one[1]) for one in found) + sum(int(ran) - int(passed) for ran, passed, _ in nextest)
    skipped = sum(int(one[2]) for one in found) + sum(tail(rest, "skipped") for _, _, rest in nextest)
    return Count(ran, failed, skipped, "cargo")


def of_go(text):
    """`go test -v`: a line for each test. Without -v only packages are told, and no number: not enough."""
    ends = re.findall(r"^\s*--- (PASS|FAIL|SKIP): ", text, re.M)
    packages = re.findall(r"^(ok  |FAIL)\t", text, re.M)
    if not packages:
        return None
    if not ends and not any(word == "FAIL" for word in packages):
        raise Unreadable("`go test` says no number of tests: run it with -v")
    failed = max(ends.count("FAIL"), sum(word == "FAIL" for word in packages))
    return Count(len(ends) - ends.count("SKIP"), failed, ends.count("SKIP"), "go")


def of_unittest(text):
    ran = re.findall(r"^Ran (\d+) tests? in ", text, re.M)
    ends = re.findall(r"^(OK|FAILED|NO TESTS RAN)(?: \((.*)\))?$", text, re.M)
    if not ran or not ends:
        return None
    parts = ", ".join(rest for _, rest in ends)
    failed = sum(number(parts, word) for word in ("failures", "errors", "unexpected successes"))
    failed = max(failed, sum(word == "FAILED" for word, _ in ends))
    skipped = number(parts, "skipped")
    return Count(sum(map(int, ran)) - skipped, failed, skipped, "unittest")


def of_pytest(text):
    lines = re.findall(r"^=*\s*((?:\d+ [a-z]+(?:, )?)+) in [\d.:]+ ?s.*$", text, re.M)
    if not lines and not re.search(r"^=*\s*no tests ran in ", text, re.M):
        return None
    told = " ".join(lines)
    failed = tail(told, "failed") + tail(told, "errors?")
    ran = tail(told, "passed") + failed + tail(told, "xfailed") + tail(told, "xpassed")
    return Count(ran, failed, tail(told, "skipped"), "pytest")


def of_tap(text):
    """TAP and Node's own runner: a plan, and a line for each test; a plan that is not met is a failure."""
    lines = re.findall(r"^(not ok|ok)\b(?: +\d+)?(.*)$", text, re.M)
    plan = re.findall(r"^1\.\.(\d+)", text, re.M)
    node = {name: int(n) for name, n in re.findall(r"^(?:#|ℹ) (tests|pass|fail|cancelled|skipped|todo) (\d+)$", text, re.M)}
    if "tests" in node and "fail" in node:
        failed = node["fail"] + node.get("cancelled", 0)
        return Count(node["tests"] - node.get("skipped", 0) - node.get("todo", 0), failed, node.get("skipped", 0), "node")
    if not lines or not plan:
        return None
    directive = [re.search(r"#\s*(skip|todo)", rest, re.I) for _, rest in lines]
    skipped = sum(one is not None for one in directive)
    failed = sum(word == "not ok" and not mark for (word, _), mark in zip(lines, directive))
    failed += len(re.findall(r"^Bail out!", text, re.M)) + abs(sum(map(int, plan)) - len(lines))
    return Count(len(lines) - skipped, failed, skipped, "tap")


def of_junit(path):
    """A report of JUnit's form. Test cases are counted, not the numbers that a suite says of itself."""
    try:
        if os.path.getsize(path) > REPORT_BYTES_MAX:
            raise Unreadable(f"the report has more than {REPORT_BYTES_MAX} bytes")
        with open(path, "rb") as file:
            content = file.read()
        if b"<!DOCTYPE" in content or b"<!ENTITY" in content:
            raise Unreadable("the report declares entities")
        root = ElementTree.fromstring(content)
    except (OSError, ElementTree.ParseError) as error:
        raise Unreadable(f"the report cannot be read: {error}") from None
    cases = list(root.iter("testcase"))
    bad = [case for case in cases if case.find("failure") is not None or case.find("error") is not None]
    skipped = [case for case in cases if case.find("skipped") is not None]
    said = sum(int(suite.get(name) or 0) for suite in root.iter("testsuite") for name in ("failures", "errors")
               if (suite.get(name) or "0").isdigit() and suite.find("testsuite") is None)
    return Count(len(cases) - len(skipped), max(len(bad), said), len(skipped), "junit")


SCREENS = {"cargo": of_cargo, "go": of_go, "unittest": of_unittest, "pytest": of_pytest, "tap": of_tap}


def of_screen(text, form):
    """The one count that the screen gives; two runners on one screen are added up."""
    text = COLOUR.sub("", text).replace("\r\n", "\n")
    readers = SCREENS.values() if form == "auto" else [SCREENS[form]]
    found = [count for count in (reader(text) for reader in readers) if count]
    if not found:
        raise Unreadable("the command's output has no summary of tests" if form == "auto" else
                         f"the command's output has no summary of {form}")
    return Count(sum(c.ran for c in found), sum(c.failed for c in found), sum(c.skipped for c in found),
                 "+".join(c.by for c in found))


def number(text, word):
    return sum(int(n) for n in re.findall(rf"(?<![a-z] ){word}=(\d+)", text))


def tail(text, word):
    return sum(int(n) for n in re.findall(rf"(\d+) {word}\b", text))
