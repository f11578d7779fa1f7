"""Questions to Git that nothing in the repository can answer in Git's place.

The same file lies in every vetted check that reads a change. Hooks, external diffs, text conversion,
the file system monitor and the user's own configuration stay out; paths come NUL-separated, as bytes.
"""

import os
import re
import subprocess

HARDENED = ["-c", "core.fsmonitor=false", "-c", "core.hooksPath=" + os.devnull, "-c", "core.quotePath=false",
            "-c", "safe.directory=*", "-c", "core.attributesFile=" + os.devnull,
            "-c", "protocol.allow=never", "-c", "core.fileMode=true", "-c", "core.symlinks=true",
            # An edit that keeps size and time would be missed otherwise.
            "-c", "core.checkStat=default", "-c", "core.trustctime=true", "-c", "core.untrackedCache=false"]


class CannotJudge(Exception):
    """Nothing is known: neither that the claim holds nor that it does not."""


def git(*words, ok=(0,), text=None):
    """What Git says, as bytes."""
    env = {name: os.environ[name] for name in ("PATH", "TMPDIR") if name in os.environ}
    env.update({"LC_ALL": "C", "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "GIT_OPTIONAL_LOCKS": "0",
                "GIT_TERMINAL_PROMPT": "0", "GIT_NO_REPLACE_OBJECTS": "1", "GIT_PAGER": "cat", "HOME": os.devnull})
    try:
        done = subprocess.run(["git", *HARDENED, *words], input=text, env=env, capture_output=True, check=False)
    except OSError as error:
        raise CannotJudge(f"git cannot be started: {error}") from None
    if done.returncode not in ok:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines() or ["it said nothing"]
        raise CannotJudge(f"git {words[0]}: {said[-1][:200]}")
    return done.stdout


def merge_base(base):
    """The commit from which the change began."""
    if not base or base.startswith("-"):
        raise CannotJudge(f"`{base}` is not a revision")
    if git("rev-parse", "--is-inside-work-tree").strip() != b"true":
        raise CannotJudge("this is not a work tree of Git")
    if git("rev-parse", "--is-shallow-repository").strip() == b"true" and not known(base):
        raise CannotJudge("the clone is shallow and lacks the base: fetch its history")
    if not known(base):
        raise CannotJudge(f"there is no revision `{base}`: fetch it, or give another `base`")
    found = git("merge-base", "--", base + "^{commit}", "HEAD", ok=(0, 1)).decode().strip()
    if not found:
        raise CannotJudge(f"`{base}` and HEAD have no common commit, or the clone is too shallow to have it")
    return found


def known(base):
    return bool(git("rev-parse", "--verify", "--quiet", "--end-of-options", base + "^{commit}", ok=(0, 1)).strip())


def top():
    return os.fsdecode(git("rev-parse", "--show-toplevel").rstrip(b"\n"))


class Change:
    """One path with what happened to it: `status` is a letter of git-diff, modes are six digits."""

    def __init__(self, path, status, before, after):
        self.path, self.status, self.before, self.after = path, status, before, after


def changes(base):
    """All paths that differ between the base and the work tree, a rename being two; untracked files are added."""
    check_index()
    fields = git("diff", "--raw", "-z", "--no-renames", "--no-ext-diff", "--no-textconv", "--ignore-submodules=none",
                 "--abbrev=40", base, "--").split(b"\0")
    found = []
    for head, path in zip(fields[0::2], fields[1::2]):
        before, after, _, _, status = head.decode().lstrip(":").split(" ")
        found.append(Change(os.fsdecode(path), status[0], before, after))
    for path in git("ls-files", "-z", "--others", "--exclude-standard").split(b"\0"):
        if path:
            found.append(Change(os.fsdecode(path), "A", "000000", "100644"))
    return sorted(found, key=lambda change: change.path)


def check_index():
    """A file that Git was told not to look at could be anything."""
    unseen = [line[2:] for line in git("ls-files", "-v", "-z").split(b"\0") if line[:1].islower() or line[:1] == b"S"]
    if unseen:
        raise CannotJudge(f"Git is told not to look at {shown(os.fsdecode(unseen[0]))} (assume-unchanged or skip-worktree)")


def glob(pattern):
    """`*` and `?` stay within a folder, `**` does not; a pattern that names a folder means all below it."""
    out, at = "", 0
    while at < len(pattern):
        if pattern.startswith("**/", at):
            out, at = out + "(?:[^/]+/)*", at + 3
        elif pattern.startswith("**", at):
            out, at = out + ".*", at + 2
        elif pattern[at] == "*":
            out, at = out + "[^/]*", at + 1
        elif pattern[at] == "?":
            out, at = out + "[^/]", at + 1
        else:
            out, at = out + re.escape(pattern[at]), at + 1
    return re.compile(out.rstrip("/") + r"(?:/.*)?", re.DOTALL)


def matcher(patterns):
    """Whether a path matches one of these."""
    for pattern in patterns:
        if not pattern or pattern.startswith("/") or ".." in pattern.split("/"):
            raise CannotJudge(f"`{shown(pattern)}` is not a pattern within the repository")
        if pattern.startswith("!") or "{" in pattern or "}" in pattern:
            raise CannotJudge(f"`{shown(pattern)}`: write one pattern for each alternative; there is no `{{}}` and no `!`")
    compiled = [glob(pattern) for pattern in patterns]
    return lambda path: any(one.fullmatch(path) for one in compiled)


def shown(text):
    """A path is a stranger's text: no control character reaches the terminal."""
    return "".join(c if c.isprintable() else "?" for c in str(text))[:200]
