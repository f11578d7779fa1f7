#!/usr/bin/env python3
"""Proves that a migration is safe on a loaded PostgreSQL: it drops nothing, rewrites and scans no table
under a lock that others wait for, and the server itself stops it when it takes longer than the budget.

Exit 0: safe. Exit 1: findings. Exit 3: cannot judge.
"""

import argparse
import math
import os
import re
import sys

sys.dont_write_bytecode = True  # the package is not ours to write
import measure
import rules
from scratch import CannotJudge, Scratch, SqlFailed
from sqltext import Unreadable, statements

FINDINGS_MAX = 15

# From weak to strong; from Share on, writers wait, and at the last one readers, too.
MODES = ["AccessShareLock", "RowShareLock", "RowExclusiveLock", "ShareUpdateExclusiveLock", "ShareLock",
         "ShareRowExclusiveLock", "ExclusiveLock", "AccessExclusiveLock"]
BLOCKING = MODES.index("ShareLock")
WRITING = MODES.index("RowExclusiveLock")
SCANS = re.compile(r'DEBUG: +(?:00000: )?(verifying table|building index|validating foreign key|rewriting table|'
                   r'verifying partition) ?(?:constraint )?"([^"]*)"(?:.* on table "([^"]*)")?')


def main():
    options = parsed()
    found = read(options.migration)
    findings = {(s.line, why) for s in found for why in [rules.finding(s)] if why}
    strongest = ""
    if not all(rules.is_measurable(statement) for statement in found):
        answer(findings, len(found), strongest)
    try:
        with Scratch() as server:
            server.prepare(options.setup, options.migrations, options.migration, options.seed)
            steps = measure.run(server, found)
        seen, strongest = judged(steps, options)
        findings |= seen
    except measure.DoesNotApply as error:
        findings.add((error.line, f"does not apply: {error}"))
    answer(findings, len(found), strongest)


def parsed():
    parser = argparse.ArgumentParser(allow_abbrev=False)
    for name in ("migration", "migrations", "table", "seed", "setup"):
        parser.add_argument("--" + name, required=True)
    parser.add_argument("--lock-budget-ms", type=int, required=True)
    options = parser.parse_args()
    if not os.path.isdir(options.migrations):
        raise CannotJudge(f"{options.migrations} is not a folder")
    for path in (options.migration, options.seed, options.setup):
        if path and not os.path.isfile(path):
            raise CannotJudge(f"{path} is not there")
    return options


def read(path):
    try:
        with open(path, encoding="utf-8") as file:
            found = statements(file.read())
    except (Unreadable, UnicodeDecodeError) as error:
        raise CannotJudge(f"{path}: {error}") from None
    if not found:
        raise CannotJudge(f"{path} has no statement")
    return found


def answer(findings, count, strongest):
    for line, why in sorted(findings)[:FINDINGS_MAX]:
        print(f"migration: line {line}: {why}" if line else f"migration: {why}")
    if findings:
        print(f"migration: REFUSED: {len(findings)} findings in {count} statements")
        sys.exit(1)
    print(f"migration: safe ({count} statements; {strongest})")


def judged(steps, options):
    """All findings of the measurement, and the strongest lock with its bound."""
    budget, before = options.lock_budget_ms, steps[0]
    names = {oid: relation[2] for oid, relation in before.relations.items()}
    findings, strongest, held = set(), (-1, "", 0), {}
    for last, step in zip(steps, steps[1:]):
        line = step.statement.line
        new = new_locks(step, last, names)
        findings |= {(line, why) for why in of_step(step, last, before, new, names, options)}
        for mode, name in new:
            if mode >= BLOCKING:
                held.setdefault(step.transaction or step, ([], []))[1].append((mode, name, line))
            strongest = max(strongest, (mode, name, 0))
        if step.transaction in held or step in held:
            held[step.transaction or step][0].append(step)
    for within, locks in held.values():
        worst, why = bound(within, locks, budget)
        findings |= why
        strongest = max(strongest, *((mode, name, worst) for mode, name, _ in locks))
    if steps[-1].transaction is not None and steps[-1].statement.words[0] not in rules.ENDS:
        findings.add((steps[-1].statement.line, "the transaction is never committed, so nothing is done"))
    findings |= outside(steps, options.table, names)
    return findings, told(strongest)


def new_locks(step, last, names):
    """What this statement locked of what was there before, strongest mode of each."""
    fresh = step.locks - (last.locks if step.transaction and last.transaction == step.transaction else set())
    strongest = {}
    for oid, mode in fresh:
        if oid in names and mode in MODES:
            strongest[oid] = max(strongest.get(oid, -1), MODES.index(mode))
    return sorted(((mode, names[oid]) for oid, mode in strongest.items()), reverse=True)


def of_step(step, last, before, new, names, options):
    """What is wrong with one statement by itself."""
    first = step.statement.words[0]
    if first in ("SET", "RESET", "SELECT", "COMMENT") or first in rules.BEGINS | rules.ENDS:
        return
    changes = any(mode >= WRITING for mode, _ in new) or rules.needs_no_transaction(step.statement)
    if changes and not step.settings.get("lock_timeout"):
        yield f"waits for its lock without end, and all others behind it: SET lock_timeout = '{options.lock_budget_ms}ms' before it"
    if changes and not step.settings.get("statement_timeout"):
        yield "has no statement_timeout, so nothing stops it: SET statement_timeout before it"
    if any(mode == WRITING for mode, _ in new):
        tables = ", ".join(name for mode, name in new if mode == WRITING)
        yield f"writes rows of {tables}, which was there before: {rules.BACKFILL}"
    there = {oid: (was, step.relations.get(oid)) for oid, was in last.relations.items() if oid in names}
    gone = {was[2] for was, now in there.values() if now is None}
    narrower = {was[2] for was, now in there.values() if now and now[3] < was[3]}
    if gone or narrower and not rules.finding(step.statement):
        yield f"takes away {', '.join(sorted(gone or narrower))} or columns of it: a later change, applied by a human"
    replaced = {was[2] for was, now in there.values() if now and now[1] != was[1] and was[0] != "S"}
    if replaced:
        yield f"rewrites {', '.join(sorted(replaced))} while nobody can read it: {rules.EXPAND}"
    held = [(MODES.index(mode), names[oid]) for oid, mode in step.locks if oid in names and mode in MODES]
    yield from scans(step, held, names, replaced)
    if any(valid == "false" for oid, (_, valid) in step.indexes.items() if oid not in last.indexes):
        yield "leaves an invalid index"


def scans(step, held, names, rewritten):
    """The server's own word that it read a whole table, where a lock makes others wait for that."""
    blocked = {name.rsplit(".", 1)[-1] for mode, name in held if mode >= BLOCKING}
    known = {name.rsplit(".", 1)[-1] for name in names.values()}
    for what, one, other in SCANS.findall(step.messages):
        table = other or one
        if what == "validating foreign key":
            if blocked:
                yield ("checks every row of a foreign key while writers wait: ADD CONSTRAINT … NOT VALID, COMMIT, "
                       "then VALIDATE CONSTRAINT")
        elif table not in known or table not in blocked or rewritten:
            continue
        elif what == "building index":
            yield f"builds an index on {table} while writers wait: CREATE INDEX CONCURRENTLY (a constraint: then ADD … USING INDEX)"
        else:
            yield (f"reads all of {table} while nobody can use it: ADD CONSTRAINT … CHECK (…) NOT VALID, "
                   "COMMIT, VALIDATE CONSTRAINT, and only then SET NOT NULL")


def bound(steps, locks, budget):
    """How long a blocking lock can last: until the commit, each statement up to its own time-out."""
    within = [step for step in steps if step.statement.words[0] not in rules.ENDS | {"SET", "RESET"}]
    limits = [step.settings.get("statement_timeout") or math.inf for step in within]
    whole = [step.settings.get("transaction_timeout") or math.inf for step in within]
    worst = min(sum(limits), *whole)
    waits = max(step.settings.get("lock_timeout", 0) for step in within)
    mode, name, line = max(locks)
    lock = f"{spoken(mode)} on {name}"
    found = set()
    if worst > budget and limits[0] < math.inf:  # without any time-out there is a finding already
        how = f"{len(within)} statements until COMMIT" if len(within) > 1 else "its statement_timeout"
        found.add((line, f"{lock} may last {worst} ms ({how}), budget {budget} ms: "
                         "lower statement_timeout, or commit after each"))
    if waits > budget:
        found.add((line, f"waits up to {waits} ms for {lock}, and all others behind it: lock_timeout at most {budget} ms"))
    return worst, found


def outside(steps, table, names):
    """Where only one table is to be touched: every other that was locked for change, made, or indexed."""
    if not table:
        return set()
    is_it = lambda name: name == table or name.rsplit(".", 1)[-1] == table
    found = set()
    for last, step in zip(steps, steps[1:]):
        touched = {name for mode, name in new_locks(step, last, names) if mode >= WRITING}
        touched |= {new[2] for oid, new in step.relations.items() if new[0] in "rp" and oid not in last.relations}
        changed = dict(set(step.indexes.items()) ^ set(last.indexes.items())) if last.statement or step.indexes else {}
        every = {**last.relations, **step.relations}
        touched |= {every[owner][2] for owner, _ in changed.values() if owner in every}
        found |= {(step.statement.line, f"touches {name}, and only {table} is to be touched")
                  for name in touched if not is_it(name)}
    return found


def spoken(mode):
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", MODES[mode].removesuffix("Lock")).upper()


def told(strongest):
    mode, name, worst = strongest
    if mode < WRITING:
        return "no lock on what was there before that others wait for"
    return f"strongest lock {spoken(mode)} on {name}" + (f", at most {worst} ms" if mode >= BLOCKING else "")


if __name__ == "__main__":
    try:
        main()
    except Exception as error:  # whatever it was, it is no verdict
        print(f"cannot judge: {error}")
        sys.exit(3)
