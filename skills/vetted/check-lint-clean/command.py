"""Starting a command of the repository: its words as they are, its output kept, nothing of it left behind.

The same file lies in every vetted check that starts one.
"""

import os
import shutil
import signal
import subprocess
import sys

OUTPUT_BYTES_MAX = 64 * 1024 * 1024


class CannotJudge(Exception):
    """Nothing is known: neither that the claim holds nor that it does not."""


def found(program, folder="."):
    """Whether there is such a program; where not, nothing can be said about the work."""
    local = "/" in program
    path = os.path.join(folder, program) if local and not os.path.isabs(program) else program
    if not (os.access(path, os.X_OK) and os.path.isfile(path) if local else shutil.which(program)):
        raise CannotJudge(f"`{shown(program)}` is not here, or cannot be started")


def run(words, folder=".", extra=None, seconds=None):
    """Exit code, and both streams as one text, in the order in which they came."""
    found(words[0], folder)
    log = os.path.join(os.environ.get("TMPDIR") or "/tmp", f"command-{os.getpid()}.log")
    with open(log, "w+b") as file:
        process = subprocess.Popen(words, cwd=folder, env={**os.environ, **(extra or {})}, stdin=subprocess.DEVNULL,
                                   stdout=file, stderr=subprocess.STDOUT, start_new_session=True)
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(3))
        try:
            code = process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise CannotJudge(f"`{shown(words[0])}` took longer than {seconds} s") from None
        finally:
            end(process)
        if file.seek(0, os.SEEK_END) > OUTPUT_BYTES_MAX:
            raise CannotJudge(f"the command wrote more than {OUTPUT_BYTES_MAX} bytes")
        file.seek(0)
        text = file.read().decode("utf-8", "replace")
    os.remove(log)
    return code, text


def end(process):
    """What the command started goes with it."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        pass
    process.wait()


def shown(text):
    """Strangers' text: no control character reaches the terminal."""
    return "".join(c if c.isprintable() else "?" for c in str(text))[:200]
