#!/usr/bin/env python3
"""Proves that a migration can be taken back: up, then down, leaves schema and rows as they were.

Exit 0: identical. Exit 1: not. Exit 3: cannot judge.
"""

import argparse
import difflib
import os
import sys

sys.dont_write_bytecode = True  # the package is not ours to write
from scratch import ADMIN, CannotJudge, Scratch, SqlFailed
from sqltext import Unreadable, statements

DIFF_LINES_MAX = 12
KEPT = ("out/before.sql", "out/after.sql")

ROW_TABLES = """
SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'S') AND c.relkind = '{kind}' AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
ORDER BY 1
"""


class Refused(Exception):
    """The claim does not hold."""


def main():
    options = parsed()
    down = options.migration[: -len(".up.sql")] + ".down.sql"
    for path in (options.migration, down):
        if not os.path.isfile(path):
            raise Refused(f"{path} is not there")
        judged_as_sql(path)
    for path in (options.seed, options.setup):
        if path and not os.path.isfile(path):
            raise CannotJudge(f"{path} is not there")
    for path in KEPT:
        if os.path.lexists(path):
            os.remove(path)  # of an earlier run: it must not speak for this one
    with Scratch() as server:
        earlier = server.prepare(options.setup, options.migrations, options.migration, options.seed)
        prove(server, options, down, earlier)


def parsed():
    parser = argparse.ArgumentParser(allow_abbrev=False)
    for name in ("migration", "migrations", "seed", "setup"):
        parser.add_argument("--" + name, required=True)
    options = parser.parse_args()
    if not options.migration.endswith(".up.sql"):
        raise CannotJudge(f"{options.migration} is not called NAME.up.sql")
    if not os.path.isdir(options.migrations):
        raise CannotJudge(f"{options.migrations} is not a folder")
    return options


def judged_as_sql(path):
    """Only what the server itself would take: a psql command could change what is run, or where."""
    try:
        with open(path, encoding="utf-8") as file:
            found = statements(file.read())
    except (Unreadable, UnicodeDecodeError) as error:
        raise CannotJudge(f"{path}: {error}") from None
    if not found:
        raise Refused(f"{path} has no statement")


def prove(server, options, down, earlier):
    before = snapshot(server)
    apply(server, "up", options.migration)
    changed = snapshot(server)
    if changed == before:
        raise Refused("up changes neither schema nor rows: nothing is proved (rows need --seed)")
    apply(server, "down", down)
    after = snapshot(server)
    keep(before, after)
    compare(before, after)
    apply(server, "up, the second time,", options.migration)
    again = snapshot(server)
    if again[0] != changed[0]:
        show(changed[0], again[0])
        raise Refused("up after down gives another schema than the first up")
    rows = sum(len(lines) for name, lines in before[1].items() if not name.startswith("sequence "))
    print(f"rollback: identical (schema {len(before[0].splitlines())} lines, {rows} rows, "
          f"{earlier} migrations before, up-down-up)")


def snapshot(server):
    """The schema, and the rows of every table in an order that does not depend on where they lie."""
    tables = server.sql(ROW_TABLES.format(kind="r"), ADMIN)[0].split("\n")
    sequences = server.sql(ROW_TABLES.format(kind="S"), ADMIN)[0].split("\n")
    rows = {}
    for name in filter(None, tables):
        query = f"COPY (SELECT t::text FROM ONLY {name} t ORDER BY t::text COLLATE \"C\") TO STDOUT"
        rows[name] = server.sql(query, ADMIN)[0].splitlines()
    for name in filter(None, sequences):
        rows["sequence " + name] = server.sql(f"SELECT last_value, is_called FROM {name}", ADMIN)[0].splitlines()
    return server.dump(), rows


def apply(server, what, path):
    try:
        server.file(path)
    except SqlFailed as error:
        raise Refused(f"{what} does not apply: {os.path.basename(path)}: {error}") from None


def keep(before, after):
    """The two files that a reviewer can compare, and that the manifest expects to be equal."""
    os.makedirs("out", exist_ok=True)
    for path, (schema, rows) in zip(KEPT, (before, after)):
        lines = [f"-- {name}: {row}\n" for name, found in sorted(rows.items()) for row in found]
        with open(path, "w", encoding="utf-8") as file:
            file.write(schema + "".join(lines))


def compare(before, after):
    if before[0] != after[0]:
        show(before[0], after[0])
        raise Refused("the schema after down is not the schema before up")
    differ = [name for name in sorted(set(before[1]) | set(after[1])) if before[1].get(name) != after[1].get(name)]
    for name in differ[:DIFF_LINES_MAX]:
        print(f"rollback: {name}: {len(before[1].get(name, []))} rows before, {len(after[1].get(name, []))} after")
    if differ:
        raise Refused(f"values of rows differ in {', '.join(differ[:5])}")


def show(before, after):
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), n=0, lineterm="")
    lines = [line for line in lines if line[:2] != "@@" and line[1:3] != "--" and line[:3] != "+++" and line[1:].strip()]
    for line in lines[:DIFF_LINES_MAX]:
        print("rollback: " + line[:160])
    if len(lines) > DIFF_LINES_MAX:
        print(f"rollback: … {len(lines) - DIFF_LINES_MAX} more lines differ")


if __name__ == "__main__":
    try:
        main()
    except Refused as refused:
        print(f"rollback: REFUSED: {refused}")
        sys.exit(1)
    except Exception as error:  # whatever it was, it is no verdict
        print(f"cannot judge: {error}")
        sys.exit(3)
