#!/usr/bin/env python3
"""Proves that a document cites what it claims: every claim below the given headings refers to a file that is
stored in the repository, at lines and with a digest that are true.

Exit 0: all cited. Exit 1: not. Exit 3: cannot judge.
"""

import hashlib
import os
import re
import sys
import urllib.parse

sys.dont_write_bytecode = True  # the package is not ours to write
from gitread import CannotJudge, git, matcher, shown, top

LINES_MAX = 15
HEADING = re.compile(r"(#{1,6})\s+(.*?)\s*#*\s*$")
ITEM = re.compile(r"\s*(?:[-*+]|\d{1,9}[.)])\s+(.*)")
RULE = re.compile(r"\s*\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?\s*$")
LINK = re.compile(r"(?<!!)\[[^\]\n]*\]\(\s*<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\s*\)")
CODE = re.compile(r"`([^`\n]+)`")
FRAGMENT = re.compile(r"(?:L(\d{1,7})(?:-L?(\d{1,7}))?)?(?:[;&,]?sha256[=:]([0-9a-f]{8,64}))?")


class Claim:
    """One claim: where it stands, below which heading, what it says."""

    def __init__(self, line, section, text):
        self.line, self.section, self.text = line, section, text


def main(words):
    document, under, headings = parsed(words)
    claims, missing = claims_of(read(document), headings)
    problems = [(0, f"there is no claim below `{shown(heading)}`, or no such heading") for heading in missing]
    cited = 0
    is_stored = matcher(under)
    for claim in claims:
        why = fault(claim, document, is_stored)
        cited += not why
        if why:
            problems.append((claim.line, f"{why}: {shown(claim.text)[:80]}"))
    for line, why in problems[:LINES_MAX]:
        print(f"evidence: {shown(document)}:{line}: {why}" if line else f"evidence: {why}")
    if problems or not claims:
        print(f"evidence: REFUSED: {cited} of {len(claims)} claims are cited"
              + ("; a document without claims says nothing" if not claims else ""))
        sys.exit(1)
    print(f"evidence: cited ({len(claims)} claims below {len(headings)} headings)")


def parsed(words):
    usage = "usage: check.py --document=PATH --under GLOB… --headings HEADING…"
    if len(words) < 4 or not words[0].startswith("--document=") or words[1] != "--under" or "--headings" not in words:
        raise CannotJudge(usage)
    at = words.index("--headings")
    document, under, headings = words[0][len("--document="):], words[2:at], words[at + 1:]
    if not under or not headings:
        raise CannotJudge(usage)
    return document, under, headings


def read(path):
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except (OSError, UnicodeDecodeError, ValueError) as error:
        raise CannotJudge(f"{shown(path)} cannot be read: {error}") from None


def claims_of(text, headings):
    """List items, table rows and paragraphs below the headings, however deep; the headings without any."""
    wanted = {plain(heading): heading for heading in headings}
    claims, section, inside, fence, hidden, table = [], "", 0, "", False, 0
    lines = text.splitlines()
    for number, line in enumerate(lines, 1):
        mark = re.match(r"\s{0,3}(```+|~~~+)", line)
        if mark and not hidden and (not fence or line.strip().startswith(fence)):
            fence = "" if fence else mark.group(1)
            continue
        if fence:
            continue
        line, hidden = visible(line, hidden)
        heading = HEADING.match(line)
        if heading:
            level, name = len(heading.group(1)), plain(heading.group(2))
            inside = level if name in wanted else (inside if inside and level > inside else 0)
            section = name if name in wanted else section
            continue
        table = table + 1 if line.strip().startswith("|") else 0
        if not inside or not line.strip():
            continue
        is_head = table == 1 and number < len(lines) and RULE.match(lines[number])
        item = ITEM.match(line)
        if item:
            claims.append(Claim(number, section, item.group(1)))
        elif table and not is_head and not RULE.match(line):
            claims.append(Claim(number, section, line.strip()))
        elif not table and claims and claims[-1].line >= number - 12 and continues(lines, claims[-1].line, number):
            claims[-1].text += " " + line.strip()
        elif not is_head and not RULE.match(line):
            claims.append(Claim(number, section, line.strip()))  # a paragraph claims something, too
    return claims, [heading for name, heading in wanted.items() if name not in {claim.section for claim in claims}]


def continues(lines, start, number):
    return all(line.strip() for line in lines[start - 1:number])


def visible(line, hidden):
    """The line without comments: nobody sees what stands in them."""
    out = ""
    while line:
        if hidden:
            _, end, line = line.partition("-->")
            hidden = not end
        else:
            before, begin, line = line.partition("<!--")
            out, hidden = out + before, bool(begin)
    return out, hidden


def plain(heading):
    return re.sub(r"[*_`:]", "", heading).strip().casefold()


def fault(claim, document, is_stored):
    """Why a claim is not cited; nothing if one reference resolves and none is broken."""
    references = LINK.findall(claim.text)
    references += [code for code in CODE.findall(LINK.sub("", claim.text)) if is_reference(code, is_stored)]
    local = [one for one in references if not re.match(r"[a-z][a-z0-9+.-]*:|//|#", one, re.IGNORECASE)]
    if not local:
        return "refers to the web only, where it can change" if references else "cites nothing"
    for reference in local:
        why = broken(reference, document, is_stored)
        if why:
            return f"{shown(reference)}: {why}"
    return ""


def is_reference(code, is_stored):
    """Most code is no path: what says lines or a digest is meant as one, and what is one is one."""
    path, mark, fragment = code.partition("#")
    return bool(mark and fragment and FRAGMENT.fullmatch(fragment)) or (is_stored(code) and os.path.isfile(path))


def broken(reference, document, is_stored):
    path, _, fragment = reference.partition("#")
    path = urllib.parse.unquote(path)
    candidates = [os.path.normpath(os.path.join(os.path.dirname(document), path)), os.path.normpath(path)]
    inside = [one for one in candidates if not one.startswith(("..", "/"))]
    found = next((one for one in inside if os.path.isfile(one) and not os.path.islink(one)), None)
    if found is None:
        return "no such file in the repository"
    if os.path.realpath(found) == os.path.realpath(document):
        return "the document cites itself"
    if not is_stored(found):
        return "is not where evidence is stored"
    if ignored(found):
        return "Git ignores it, so nobody else will have it"
    return false_fragment(found, fragment)


def ignored(path):
    listed = git("ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", ":(literal)" + path)
    return not listed


def false_fragment(path, fragment):
    with open(path, "rb") as file:
        content = file.read()
    if not content.strip():
        return "is empty"
    match = FRAGMENT.fullmatch(fragment)
    if not match:
        return "the part after # is not Lnn, Lnn-Lnn or sha256=HEX" if not path.endswith(".md") else ""
    first, last, digest = match.groups()
    lines = content.decode("utf-8", "replace").splitlines()
    if first:
        span = range(int(first), int(last or first) + 1)
        if not span or span[0] < 1 or span[-1] > len(lines):
            return f"has {len(lines)} lines"
        if not any(lines[number - 1].strip() for number in span):
            return "nothing stands on these lines"
    if digest and not hashlib.sha256(content).hexdigest().startswith(digest):
        return "the file has another digest"
    return ""


if __name__ == "__main__":
    try:
        os.chdir(top())
        main(sys.argv[1:])
    except Exception as error:  # whatever it was, it is no verdict
        print(f"cannot judge: {shown(error)}")
        sys.exit(3)
