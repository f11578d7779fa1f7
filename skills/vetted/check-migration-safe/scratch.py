"""A PostgreSQL of one's own, for a minute: in a new folder, on a socket nobody else can reach.

The same file lies in check-rollback-valid and in check-migration-safe. Migrations are run by `app`,
an ordinary role that owns the database, so that no SQL under judgement reads files or starts programs.
"""

import glob
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

ADMIN = "scratch_admin"
APP = "app"
SOCKET_PATH_BYTES_MAX = 100  # the kernel's bound is 108, with the file's name
STATEMENT_SECONDS_MAX = 240


class CannotJudge(Exception):
    """Nothing is known: neither that the claim holds nor that it does not."""


class SqlFailed(Exception):
    """The server refused a statement; `said` is all that it said until then."""

    def __init__(self, message, said=""):
        super().__init__(message)
        self.said = said


def natural(name):
    """`9_x` before `10_x` before `ops-1_x`, as people name files."""
    return [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in re.split(r"(\d+)", name) if part]


def others(folder, migration):
    """Every other `*.up.sql` of the folder, in the order in which people number them."""
    found = glob.glob(os.path.join(glob.escape(folder), "*.up.sql"))
    found.sort(key=lambda path: natural(os.path.basename(path)))
    return [path for path in found if os.path.realpath(path) != os.path.realpath(migration)]


def find_program(name):
    """A server program: Debian keeps them off the PATH, one folder for each major version."""
    found = shutil.which(name)
    if found and os.path.exists(os.path.join(os.path.dirname(os.path.realpath(found)), "postgres")):
        return os.path.realpath(found)
    versions = glob.glob("/usr/lib/postgresql/*/bin/" + name) + glob.glob("/usr/pgsql-*/bin/" + name)
    if not versions:
        raise CannotJudge(f"`{name}` of PostgreSQL is neither on PATH nor in /usr/lib/postgresql")
    return max(versions, key=natural)


class Scratch:
    """A running server with one empty database, `app`."""

    def __init__(self):
        if os.geteuid() == 0:
            raise CannotJudge("PostgreSQL refuses to run as root: run this by `skill check run`, or as another user")
        self.server = None
        self.folder = tempfile.mkdtemp(prefix="pg-")
        self.data = os.path.join(self.folder, "data")
        # Programs of one installation: a `pg_dump` older than the server refuses it.
        bin_folder = os.path.dirname(os.path.realpath(find_program("initdb")))
        self.bin = lambda name: os.path.join(bin_folder, name)
        for name in ("postgres", "psql", "pg_dump"):
            if not os.path.exists(self.bin(name)):
                raise CannotJudge(f"{bin_folder} has `initdb` and no `{name}`")
        short = len(os.fsencode(self.data)) + len("/.s.PGSQL.5432") < SOCKET_PATH_BYTES_MAX
        self.socket = self.data if short else "/proc/self/cwd"
        keep = {name: os.environ[name] for name in ("PATH", "TMPDIR", "LD_LIBRARY_PATH") if name in os.environ}
        self.env = {**keep, "HOME": self.folder, "LC_ALL": "C", "TZ": "UTC0", "PGHOST": self.socket, "PGPORT": "5432",
                    "PGCONNECT_TIMEOUT": "5", "PGPASSFILE": os.devnull, "PGSERVICEFILE": os.devnull}

    def __enter__(self):
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(3))
        try:
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self.server and self.server.poll() is None:
            self.server.send_signal(signal.SIGQUIT)  # at once: nothing here is worth a checkpoint
            try:
                self.server.wait(20)
            except subprocess.TimeoutExpired:
                self.server.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _start(self):
        made = self._run([self.bin("initdb"), "-D", self.data, "-U", ADMIN, "-A", "trust", "-E", "UTF8",
                          "--locale=C", "--no-sync"])
        if made.returncode:
            raise CannotJudge("initdb: " + last_line(made.stderr))
        log = open(os.path.join(self.folder, "log"), "wb")
        options = {"listen_addresses": "", "unix_socket_directories": f'"{self.socket}"', "fsync": "off",
                   "full_page_writes": "off", "synchronous_commit": "off", "shared_buffers": "16MB",
                   "dynamic_shared_memory_type": "mmap", "max_connections": "10", "autovacuum": "off",
                   "jit": "off"}
        words = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
        self.server = subprocess.Popen([self.bin("postgres"), "-D", self.data, *words], stdin=subprocess.DEVNULL,
                                       stdout=log, stderr=log, env=self.env)
        self._wait_until_ready(log.name)
        self.sql(f"CREATE ROLE {APP} LOGIN", role=ADMIN, database="postgres")
        self.sql(f"CREATE DATABASE {APP} OWNER {APP}", role=ADMIN, database="postgres")
        self.sql(f"ALTER SCHEMA public OWNER TO {APP}", role=ADMIN)

    def _wait_until_ready(self, log):
        for _ in range(600):
            if self.server.poll() is not None:
                with open(log, encoding="utf-8", errors="replace") as lines:
                    raise CannotJudge("the scratch server ended: " + last_line(lines.read()))
            if os.path.exists(os.path.join(self.data, ".s.PGSQL.5432")):
                if self._psql(["-c", "SELECT 1"], ADMIN, "postgres").returncode == 0:
                    return
            time.sleep(0.05)
        raise CannotJudge("the scratch server did not answer within 30 seconds")

    def _run(self, words, text=None):
        # In the server's folder, so that a socket with a long path has a short name.
        here = self.data if os.path.isdir(self.data) else self.folder
        try:
            return subprocess.run(words, input=text, cwd=here, env=self.env, capture_output=True, encoding="utf-8",
                                  errors="replace", timeout=STATEMENT_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            raise CannotJudge(f"{os.path.basename(words[0])} took longer than {STATEMENT_SECONDS_MAX} s") from None

    def _psql(self, words, role, database, text=None):
        head = [self.bin("psql"), "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-U", role, "-d", database]
        return self._run(head + words, text)

    def sql(self, text, role=APP, database=APP):
        """Runs SQL in one session; what it says on both streams."""
        done = self._psql(["-f", "-"], role, database, text)
        if done.returncode:
            raise SqlFailed(first_error(done.stderr), done.stderr)
        return done.stdout, done.stderr

    def file(self, path, role=APP):
        """Runs a file as its author wrote it."""
        done = self._psql(["-f", os.path.abspath(path)], role, APP)
        if done.returncode:
            raise SqlFailed(first_error(done.stderr))

    def prepare(self, setup, folder, migration, seed):
        """The world before the change: roles and extensions, all other migrations, rows."""
        steps = [(setup, ADMIN)] if setup else []
        steps += [(path, APP) for path in others(folder, migration)] if folder else []
        steps += [(seed, APP)] if seed else []
        for path, role in steps:
            try:
                self.file(path, role)
            except SqlFailed as error:
                name = os.path.basename(path)
                raise CannotJudge(f"{name}, which comes before the change, does not apply: {error}") from None
        return len(steps) - bool(setup) - bool(seed)

    def dump(self):
        """The schema as text, the same for the same schema."""
        words = [self.bin("pg_dump"), "--schema-only", "--no-owner", "-U", ADMIN, "-d", APP]
        if "--restrict-key" in self._run([self.bin("pg_dump"), "--help"]).stdout:
            words.append("--restrict-key=check")
        done = self._run(words)
        if done.returncode:
            raise CannotJudge("pg_dump: " + last_line(done.stderr))
        # Releases between those two options write a random key.
        return "".join(line for line in done.stdout.splitlines(True) if not re.match(r"\\(un)?restrict ", line))


def first_error(text):
    lines = [line for line in text.splitlines() if "ERROR:" in line or "FATAL:" in line]
    return re.sub(r"^psql:.*?:(\d+): ", r"line \1: ", (lines or [last_line(text)])[0])[:300]


def last_line(text):
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return (lines or ["it said nothing"])[-1][:300]
