"""What statements really do: each is run on the scratch server, and then its own transaction is asked
which locks it holds, which files were replaced, and what the server said about scans (its DEBUG1 messages).
"""

import re
import secrets

from rules import BEGINS, ENDS, needs_no_transaction
from scratch import CannotJudge, SqlFailed

SETTINGS = """SELECT '{mark}set', name, setting FROM pg_catalog.pg_settings
WHERE name IN ('lock_timeout', 'statement_timeout', 'transaction_timeout')"""

LOCKS = """SELECT '{mark}lock', c.oid, l.mode FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_class c ON c.oid = l.relation
WHERE l.pid = pg_catalog.pg_backend_pid() AND l.locktype = 'relation' AND l.granted AND c.relkind IN ('r', 'p', 'm', 'v', 'f', 'S')"""

RELATIONS = """SELECT '{mark}rel', c.oid, c.relkind, c.relfilenode, (SELECT count(*) FROM pg_catalog.pg_attribute a
  WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped), CASE WHEN n.nspname = 'public' THEN c.relname
ELSE pg_catalog.format('%s.%s', n.nspname, c.relname) END
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'm', 'v', 'f', 'S') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
UNION ALL SELECT '{mark}idx', indexrelid, 'i', indrelid, 0, indisvalid::text FROM pg_catalog.pg_index"""


class DoesNotApply(Exception):
    """A line of the migration, and why the server refused what stands there."""

    def __init__(self, line, why):
        super().__init__(why)
        self.line = line


class Step:
    """One statement with what was seen of it."""

    def __init__(self, statement, transaction):
        self.statement, self.transaction = statement, transaction
        self.settings, self.locks, self.relations, self.indexes, self.messages = {}, set(), {}, {}, ""


def run(server, statements):
    """All steps, with the world before them; stops at the first error, which the server's exception tells."""
    mark = secrets.token_hex(12) + "|"
    before = Step(None, 0)
    steps = [before] + list(planned(statements))
    script = [f"\\echo {mark}step|0", RELATIONS.format(mark=mark) + ";"]
    for number, step in enumerate(steps[1:], 1):
        script += around(mark, number, step)
    try:
        out, err = server.sql("\n".join(script))
    except SqlFailed as error:
        reached = re.findall(re.escape(mark) + r"step\|(\d+)", error.said)
        line = steps[int(reached[-1])].statement.line if reached else 0
        raise DoesNotApply(line, re.sub(r"^line \d+: ", "", str(error))) from None
    read(mark, steps, out, err)
    if any(len(step.settings) < 2 or not step.relations for step in steps[1:] if before.relations):
        raise CannotJudge("not every statement could be measured")
    return steps


def planned(statements):
    """Each statement with the number of its transaction; None where it has one to itself."""
    current, count = None, 0
    for statement in statements:
        first = statement.words[0]
        if first in BEGINS:
            count += 1
            current = count
        yield Step(statement, current)
        if first in ENDS:
            current = None


def around(mark, number, step):
    """The statement with probes on both sides, in one transaction with it where the server allows that."""
    first = step.statement.words[0]
    before = [f"\\echo {mark}step|{number}", f"\\warn {mark}step|{number}", SETTINGS.format(mark=mark) + ";"]
    text = step.statement.text + "\n;"
    after = [query.format(mark=mark) + ";" for query in (LOCKS, RELATIONS)]
    if first in BEGINS | ENDS | {"SET", "RESET", "SELECT"}:
        return before + [text] + after
    loud = ["SET client_min_messages = debug1;", text, "SET client_min_messages = notice;"]
    # Here nothing is large and the machine may be busy: the time-outs were read, and are off while it runs.
    local = "LOCAL " if step.transaction else ""
    off = ["SELECT pg_catalog.current_setting('statement_timeout') AS old_timeout \\gset", f"SET {local}statement_timeout = 0;"]
    back = [f"SET {local}statement_timeout = :'old_timeout';"]
    if step.transaction is None and not needs_no_transaction(step.statement):
        return before + ["BEGIN;", "SET LOCAL statement_timeout = 0;"] + loud + after + ["COMMIT;"]
    return before + off + loud + after + back


def read(mark, steps, out, err):
    step = steps[0]
    for line in out.splitlines():
        if not line.startswith(mark):
            continue
        kind, *fields = line[len(mark):].split("|")
        if kind == "step":
            step = steps[int(fields[0])]
        elif kind == "set":
            step.settings[fields[0]] = int(fields[1])
        elif kind == "lock":
            step.locks.add((fields[0], fields[1]))
        elif kind == "rel":
            step.relations[fields[0]] = (fields[1], fields[2], "|".join(fields[4:]), int(fields[3]))
        elif kind == "idx":
            step.indexes[fields[0]] = (fields[2], fields[4])
    sections = re.split(re.escape(mark) + r"step\|(\d+)\n", err)
    for number, text in zip(sections[1::2], sections[2::2]):
        steps[int(number)].messages = text
