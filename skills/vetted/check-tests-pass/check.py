#!/usr/bin/env python3
"""Proves that the repository's tests pass: its own command ends with 0, tests really ran, and none failed.

Exit 0: passed. Exit 1: not. Exit 3: cannot judge.
"""

import argparse
import os
import re
import sys
import tempfile

sys.dont_write_bytecode = True  # the package is not ours to write
import testcount
from command import CannotJudge, run, shown

KEY = re.compile(r"^(test .* \.\.\. FAILED|failures:|error(\[|:)|FAILED |--- FAIL|not ok |panicked at|Error:)", re.M)
KEY_LINES_MAX = 10


def main():
    options = parsed()
    with tempfile.TemporaryDirectory(prefix="tests-") as scratch:
        report = os.path.join(scratch, "junit.xml")
        wants_report = any("{junit}" in word for word in options.command)
        if options.format == "junit" and not wants_report:
            raise CannotJudge("format is junit, and no word of the command has {junit}, the path of a new report")
        code, text = run([word.replace("{junit}", report) for word in options.command])
        lines = [line for line in text.splitlines() if KEY.match(line)][:KEY_LINES_MAX]
        count = counted(options, report if wants_report else None, text, code, lines)
    judge(code, count, options.min_tests, lines)


def counted(options, report, text, code, lines):
    """How many tests ran; where nobody can say, the exit code alone can only refuse."""
    try:
        if report:
            return testcount.of_junit(report)
        return testcount.of_screen(text, options.format)
    except testcount.Unreadable as error:
        if code != 0:
            tell(lines or text.strip().splitlines()[-3:])
            refuse(f"the command ended with {code}, before it told of any test")
        raise CannotJudge(f"the command ended with 0, but {error}") from None


def parsed():
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("--format", choices=["auto", "junit", *testcount.SCREENS], required=True)
    parser.add_argument("--min-tests", type=int, required=True)
    words = sys.argv[1:]
    if "--" not in words:
        raise CannotJudge("usage: check.py --format=F --min-tests=N -- COMMAND…")
    at = words.index("--")
    options = parser.parse_args(words[:at])
    options.command = words[at + 1:]
    if not options.command:
        raise CannotJudge("there is no command")
    return options


def judge(code, count, least, lines):
    told = f"{count.ran} ran, {count.failed} failed, {count.skipped} skipped ({count.by})"
    if code != 0 or count.failed:
        tell(lines)
        refuse(f"{told}, exit {code}")
    if count.ran < least:
        refuse(f"{told}, expected at least {least} to run")
    print(f"tests: passed ({told})")


def tell(lines):
    for line in lines:
        print("tests: | " + shown(line)[:160])


def refuse(why):
    print(f"tests: REFUSED: {why}")
    sys.exit(1)


if __name__ == "__main__":
    try:
        main()
    except Exception as error:  # whatever it was, it is no verdict
        print(f"cannot judge: {shown(error)}")
        sys.exit(3)
