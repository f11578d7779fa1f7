"""SQL as a list of statements, as PostgreSQL's own lexer cuts it.

Comments nest, dollar quotes have tags, `E''` has backslashes and `''` has not: a word in one of them
is no keyword. The same file lies in check-rollback-valid and in check-migration-safe.
"""

import re

TOKEN = re.compile(
    r"""
      (?P<space>[ \t\n\r\f\v]+)
    | (?P<line>--[^\n\r]*)
    | (?P<block>/\*)
    | (?P<escape>[eE]'(?:[^'\\]|\\.|'')*')
    | (?P<string>(?:[bBxXnN]|[uU]&)?'(?:[^']|'')*')
    | (?P<name>(?:[uU]&)?"(?:[^"]|"")+")
    | (?P<dollar>\$(?:[A-Za-z_\x80-\uffff][A-Za-z0-9_\x80-\uffff]*)?\$)
    | (?P<word>[A-Za-z_\x80-\uffff][A-Za-z0-9_$\x80-\uffff]*)
    | (?P<number>\d[\w.]*)
    | (?P<end>;)
    | (?P<meta>\\)
    | (?P<sign>.)
    """,
    re.VERBOSE | re.DOTALL,
)


class Unreadable(Exception):
    """The text ends within a comment or quote, or is not SQL."""


class Statement:
    """One statement: its text, the line where it starts, and its tokens."""

    def __init__(self, text, line, tokens):
        self.text, self.line, self.tokens = text, line, tokens

    @property
    def words(self):
        """Keywords in capitals; names as they are, folded like the server folds them; strings as `'`."""
        return [spelling for _, spelling in self.tokens]


def statements(text):
    """All statements of a text, without comments between them."""
    found, tokens, start, at, depth = [], [], None, 0, 0
    while at < len(text):
        match = TOKEN.match(text, at)
        kind, end = match.lastgroup, match.end()
        if kind == "block":
            end = after_comment(text, at)
        elif kind == "dollar":
            close = text.find(match.group(), end)
            if close < 0:
                raise Unreadable(f"line {line_of(text, at)}: a `{match.group()}` is never closed")
            end = close + len(match.group())
        elif kind == "meta":
            raise Unreadable(f"line {line_of(text, at)}: a psql command is not SQL")
        elif kind == "sign" and match.group() in "'\"":
            raise Unreadable(f"line {line_of(text, at)}: a quote is never closed")
        if kind == "end" and not depth:
            if tokens:
                found.append(Statement(text[start:at], line_of(text, start), tokens))
            tokens, start = [], None
        elif kind not in ("space", "line", "block"):
            start = at if start is None else start
            tokens.append((kind, spelling(kind, text[at:end])))
            depth = within_body(tokens, depth)
        at = end
    if tokens:
        found.append(Statement(text[start:].rstrip(), line_of(text, start), tokens))
    return found


def within_body(tokens, depth):
    """`BEGIN ATOMIC … END` is the one place where a statement has semicolons of its own."""
    words = [spelled for kind, spelled in tokens[-2:] if kind == "word"]
    if words == ["BEGIN", "ATOMIC"]:
        return 1
    if depth and tokens[-1] == ("word", "CASE"):
        return depth + 1
    return depth - 1 if depth and tokens[-1] == ("word", "END") else depth


def after_comment(text, at):
    depth = 0
    for mark in re.finditer(r"/\*|\*/", text[at:]):
        depth += 1 if mark.group() == "/*" else -1
        if depth == 0:
            return at + mark.end()
    raise Unreadable(f"line {line_of(text, at)}: a comment is never closed")


def spelling(kind, text):
    if kind == "word":
        return text.upper()
    if kind == "name":
        return text if text[0] in "uU" else '"' + text[1:-1].replace('""', '"') + '"'
    return "'" if kind in ("string", "escape", "dollar") else text


def line_of(text, at):
    return text.count("\n", 0, at) + 1
