"""What can be said of a statement by reading it: known to be harmless, known to harm, or unknown.

Unknown is a finding: what a later PostgreSQL brings is judged when somebody has thought about it. What
a statement locks, rewrites and scans is not guessed here but measured (measure.py).
"""

import re

SETTINGS = {
    "LOCK_TIMEOUT", "STATEMENT_TIMEOUT", "IDLE_IN_TRANSACTION_SESSION_TIMEOUT", "TRANSACTION_TIMEOUT",
    "SEARCH_PATH", "CLIENT_MIN_MESSAGES", "CLIENT_ENCODING", "MAINTENANCE_WORK_MEM", "ROW_SECURITY",
    "MAX_PARALLEL_MAINTENANCE_WORKERS", "CHECK_FUNCTION_BODIES", "APPLICATION_NAME",
}
CREATES = {
    "TABLE", "INDEX", "VIEW", "FUNCTION", "PROCEDURE", "TYPE", "DOMAIN", "SEQUENCE", "SCHEMA", "EXTENSION", "TRIGGER",
    "POLICY", "STATISTICS", "AGGREGATE", "OPERATOR", "CAST", "COLLATION", "MATERIALIZED", "CONSTRAINT", "UNIQUE",
}
CREATE_NOISE = {"OR", "REPLACE", "GLOBAL", "LOCAL", "RECURSIVE", "TRUSTED"}
ALTERS = {"TABLE", "INDEX", "SEQUENCE", "VIEW", "DEFAULT", "TYPE", "FUNCTION", "PROCEDURE", "STATISTICS", "POLICY"}
TABLE_ACTIONS = {
    "ADD", "DROP", "SET", "RESET", "TYPE", "VALIDATE", "ATTACH", "DETACH", "ENABLE", "FORCE", "INHERIT", "NO", "REPLICA",
    "RENAME",
}
BEGINS = {"BEGIN", "START"}
ENDS = {"COMMIT", "END"}

SET_CONFIG = re.compile(
    r"select\s+(pg_catalog\.)?set_config\(\s*'(" + "|".join(SETTINGS) + r")'\s*,\s*'[^']*'\s*,\s*(true|false)\s*\)\s*$",
    re.IGNORECASE)

BACKFILL = "write rows in batches outside of the migration, each its own short transaction"
EXPAND = "add the new one, write both, move readers, and retire the old one in a later change"


def finding(statement):
    """Why a statement is not allowed, with the way that is; nothing if reading finds no fault."""
    words = statement.words
    first = words[0]
    rule = RULES.get(first)
    if rule is None:
        return f"`{first[:30]}` is not among the statements known to be safe: a human has to judge it"
    if first == "SELECT" and not SET_CONFIG.match(statement.text):
        return ("a `SELECT` in a migration is there for what its functions do, which nobody can read here: "
                "write the statements")
    return rule(words)


def is_measurable(statement):
    """Whether running it tells something: not what ends the transaction that is measured, nor what reads on."""
    return statement.words[0] in RULES and statement.words[0] not in ("COPY", "ROLLBACK", "ABORT")


def allowed(_):
    return None


def of_set(words):
    rest = [word for word in words[1:] if word not in ("LOCAL", "SESSION")]
    name = unquoted(rest[0]) if rest else ""
    if name in SETTINGS or (words[0] == "RESET" and name == "ALL"):
        return None
    return f"setting `{name.lower()[:40]}` changes what the other statements mean: leave it to the server's owner"


def of_begin(words):
    return None if "ATOMIC" not in words else "`BEGIN ATOMIC` outside of a function"


def of_commit(words):
    return "`AND CHAIN` hides where a transaction begins: write BEGIN" if "CHAIN" in words else None


def of_drop(words):
    if words[1:3] == ["INDEX", "CONCURRENTLY"]:
        return "CASCADE drops what is not named" if "CASCADE" in words else None
    if words[1] == "INDEX":
        return "DROP INDEX blocks reads and writes of its table: DROP INDEX CONCURRENTLY"
    return f"drops a {words[1].lower()}: first stop using it, then drop it in a later change that a human applies"


def of_create(words):
    kinds = [word for word in words[1:5] if word not in CREATE_NOISE]
    if kinds[:1] and kinds[0] in ("TEMP", "TEMPORARY", "UNLOGGED"):
        return f"{kinds[0]} {kinds[1] if len(kinds) > 1 else ''} does not survive a crash or the session"
    if not kinds or kinds[0] not in CREATES:
        return f"CREATE {kinds[0] if kinds else ''} is not among the statements known to be safe: a human has to judge it"
    if "INDEX" in kinds and "CONCURRENTLY" in words and "EXISTS" in words:
        return "IF NOT EXISTS takes the invalid index of a failed run for a good one: drop that one first, then create"
    if kinds[0] == "SCHEMA" and len(words) > 3 and "CREATE" in words[2:]:
        return "CREATE SCHEMA with things in it: write one statement each"
    return None


def of_alter(words):
    kind = words[1]
    if kind not in ALTERS:
        return f"ALTER {kind} is not among the statements known to be safe: a human has to judge it"
    if kind == "TYPE":
        is_new_value = "ADD" in words and "VALUE" in words
        return None if is_new_value else f"changes a type that tables use: {EXPAND}"
    for action in actions(words):
        why = of_action(kind, action)
        if why:
            return why
    return None


def of_action(kind, action):
    head = action[0]
    if head == "DROP" and kind == "TABLE" and action[1:2] not in (["CONSTRAINT"], ["DEFAULT"], ["NOT"]):
        return "drops a column: first stop reading it, then drop it in a later change that a human applies"
    if kind == "TABLE" and head not in TABLE_ACTIONS:
        return f"`{head[:30]}` is not among the actions known to be safe: a human has to judge it"
    if "CASCADE" in action:
        return "CASCADE reaches what is not named"
    if head == "RENAME" and kind in ("TABLE", "VIEW") and action[1:2] != ["CONSTRAINT"]:
        return f"renames what running programs use: {EXPAND}"
    if head in ("DISABLE", "OWNER"):
        return f"{head} changes who may do what, or what is checked: a human has to judge it"
    if head == "SET" and action[1:2] == ["SCHEMA"]:
        return f"moves what running programs use: {EXPAND}"
    return None


def actions(words):
    """The parts of an ALTER, cut at commas outside of parentheses, each from its verb on."""
    verbs = {"ADD", "DROP", "ALTER", "RENAME", "SET", "RESET", "VALIDATE", "ATTACH", "DETACH", "ENABLE", "DISABLE",
             "OWNER", "INHERIT", "NO", "CLUSTER", "REPLICA", "FORCE", "GRANT", "REVOKE", "RESTART", "INCREMENT", "NOT", "OF"}
    found, current, depth = [], [], 0
    for word in words[2:]:
        depth += (word == "(") - (word == ")")
        if word == "," and depth == 0:
            found.append(current)
            current = []
        else:
            current.append(word)
    found.append(current)
    for part in found:
        at = next((i for i, word in enumerate(part) if word in verbs), None)
        verb = part[at:] if at is not None else []
        if verb[:1] == ["ALTER"]:  # ALTER [COLUMN] name: what is done to it comes after
            inner = next((i for i, word in enumerate(verb[1:], 1) if word in ("SET", "DROP", "TYPE", "ADD", "RESTART", "RESET")), None)
            verb = verb[inner:] if inner else ["UNKNOWN"]
        yield verb or ["UNKNOWN"]


def of_refresh(words):
    return None if "CONCURRENTLY" in words else "REFRESH blocks readers: REFRESH MATERIALIZED VIEW CONCURRENTLY"


def of_reindex(words):
    return None if "CONCURRENTLY" in words else "REINDEX blocks writes: REINDEX … CONCURRENTLY"


def refused(why):
    return lambda _: why


def unquoted(word):
    return word.strip('"').upper()


RULES = {
    "SET": of_set, "RESET": of_set, "SELECT": allowed,
    "BEGIN": of_begin, "START": allowed, "COMMIT": of_commit, "END": of_commit,
    "CREATE": of_create, "ALTER": of_alter, "DROP": of_drop,
    "COMMENT": allowed, "GRANT": allowed, "REVOKE": allowed, "ANALYZE": allowed, "VALUES": allowed,
    "REFRESH": of_refresh, "REINDEX": of_reindex,
    "INSERT": allowed, "UPDATE": allowed, "DELETE": allowed, "WITH": allowed,  # their locks tell on which table
    "TRUNCATE": refused("empties a table: nobody can take that back"),
    "DO": refused("what a DO block does depends on what it finds: write the statements"),
    "CALL": refused("what a procedure does depends on what it finds: write the statements"),
    "LOCK": refused("takes a lock by name: a migration takes only those that its statements need"),
    "CLUSTER": refused("rewrites the table under ACCESS EXCLUSIVE"),
    "VACUUM": refused("maintenance is no migration, and VACUUM FULL rewrites the table"),
    "ROLLBACK": refused("takes back what was done, so the file does not do what it says"),
    "ABORT": refused("takes back what was done, so the file does not do what it says"),
    "COPY": refused(f"moves rows: {BACKFILL}"),
    "MERGE": refused(f"moves rows: {BACKFILL}"),
}


def needs_no_transaction(statement):
    """Whether the server refuses to run it within a transaction, so that its locks cannot be read afterwards."""
    words = statement.words
    if words[0] == "ALTER":
        return "DETACH" in words and "CONCURRENTLY" in words
    return words[0] == "VACUUM" or (words[0] in ("CREATE", "DROP", "REINDEX") and "CONCURRENTLY" in words[:6])
