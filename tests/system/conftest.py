"""What system tests share: the built program, run in a fresh KEDGE_HOME, as a person or a script would run it."""
import json
import os
import pty
import select
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SERVERS = os.path.join(ROOT, "tests", "servers")
sys.path.insert(0, os.path.join(ROOT, "tests", "harness"))

from free_port import free_port  # noqa: E402

BUILD = os.path.abspath(os.environ.get("KEDGE_BUILD", os.path.join(ROOT, "build")))
BINARY = os.path.abspath(os.environ.get("KEDGE_BIN", os.path.join(BUILD, "kedge")))


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config):
    """Nothing of a run stays, also when it is killed: see keeper.py. With --basetemp the folders are kept."""
    def interrupt(number, frame):
        raise KeyboardInterrupt(signal.Signals(number).name)

    signal.signal(signal.SIGTERM, interrupt)
    if config.option.basetemp is None:
        config.option.basetemp = tempfile.mkdtemp(prefix="kedge-tests-")
        config.keeper = subprocess.Popen([sys.executable, os.path.join(os.path.dirname(__file__), "keeper.py"), str(os.getpid()),
                                          config.option.basetemp], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                                         stderr=subprocess.DEVNULL, cwd="/", start_new_session=True)


def pytest_unconfigure(config):
    keeper = getattr(config, "keeper", None)
    if keeper:
        keeper.communicate()


class Kedge:
    """Runs kedge in `folder` with KEDGE_HOME in it and nothing of the caller's environment but PATH."""

    def __init__(self, folder, binary=BINARY):
        self.folder = str(folder)
        self.home = os.path.join(self.folder, "home")
        self.backups = os.path.join(self.home, "backups")
        self.binary = binary
        self.environment = {"PATH": os.environ["PATH"], "HOME": self.folder, "KEDGE_HOME": self.home, "TZ": "UTC",
                            "LC_ALL": "C.UTF-8"}
        for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS"):
            if name in os.environ:
                self.environment[name] = os.environ[name]

    def start(self, *arguments, env=None, **options):
        options.setdefault("stdin", subprocess.DEVNULL)
        return subprocess.Popen([self.binary, *map(str, arguments)], cwd=self.folder,
                                env={**self.environment, **(env or {})}, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                text=True, errors="replace", **options)

    def run(self, *arguments, status=0, env=None, timeout=120, **options):
        """Run to the end; the exit status must be `status` (None: any)."""
        options.setdefault("stdin", subprocess.DEVNULL if "input" not in options else None)
        result = subprocess.run([self.binary, *map(str, arguments)], cwd=self.folder,
                                env={**self.environment, **(env or {})}, capture_output=True, text=True,
                                errors="replace", timeout=timeout,
                                **{key: value for key, value in options.items() if value is not None})
        if status is not None:
            assert result.returncode == status, (
                f"kedge {' '.join(map(str, arguments))}: exit {result.returncode}, expected {status}\n"
                f"{result.stdout}\n{result.stderr}")
        return result

    def __call__(self, *arguments, **options):
        return self.run(*arguments, **options)

    def json(self, *arguments, **options):
        """The one object that --json prints."""
        return json.loads(self.run(*arguments, "--json", **options).stdout)

    def lines(self, *arguments, **options):
        """The objects, one a line, that --json prints for lists."""
        return [json.loads(line) for line in self.run(*arguments, "--json", **options).stdout.splitlines() if line]

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def files(self):
        """Names at the local destination."""
        return sorted(os.listdir(self.backups)) if os.path.isdir(self.backups) else []


@pytest.fixture
def kedge(tmp_path):
    return Kedge(tmp_path)


def make_database(path, rows=1000, journal="wal", page_size=4096):
    db = sqlite3.connect(path, isolation_level=None)
    db.execute(f"PRAGMA page_size = {page_size}")
    db.execute(f"PRAGMA journal_mode = {journal}")
    db.executescript("""
        CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT NOT NULL, email TEXT UNIQUE);
        CREATE TABLE orders (id INTEGER PRIMARY KEY, customer_id INTEGER REFERENCES customers, total INTEGER, note BLOB);
        CREATE INDEX orders_by_customer ON orders (customer_id);
    """)
    db.execute("BEGIN")
    db.executemany("INSERT INTO customers VALUES (?, ?, ?)",
                   ((i, f"customer {i}", f"c{i}@example.com") for i in range(1, rows // 10 + 2)))
    db.executemany("INSERT INTO orders VALUES (?, ?, ?, ?)",
                   ((i, 1 + i % (rows // 10 + 1), i * 7919 % 10007, os.urandom(40)) for i in range(rows)))
    db.execute("COMMIT")
    db.close()
    return path


def contents(path):
    """Every row of every table, to compare databases by what they say."""
    db = sqlite3.connect(path)
    db.text_factory = bytes
    try:
        assert db.execute("PRAGMA integrity_check").fetchone()[0] == b"ok"
        schema = db.execute("SELECT type, name, sql FROM sqlite_master ORDER BY type, name").fetchall()
        tables = [name for kind, name, _ in schema if kind == b"table"]
        rows = {}
        for name in tables:
            quoted = name.decode("utf-8", "surrogateescape").replace('"', '""')
            rows[name] = sorted(db.execute(f'SELECT * FROM "{quoted}"').fetchall(), key=repr)
        return schema, rows
    finally:
        db.close()


@pytest.fixture
def shop(kedge):
    """A small database in WAL mode at shop.db."""
    return make_database(kedge.path("shop.db"))


@pytest.fixture
def processes():
    """Started processes go here; what is left is ended."""
    started = []
    yield started
    for process in started:
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
        process.wait()


# ---- servers, of this run's own, for the tests that want one ----

def start_server(script, folder, port, values):
    started = subprocess.run([os.path.join(SERVERS, script), folder, str(port)], capture_output=True, text=True)
    assert started.returncode == 0, started.stderr
    return dict(line.split("=", 1) for line in started.stdout.splitlines() if "=" in line) | values


@pytest.fixture(scope="session")
def postgres():
    if not os.path.exists("/usr/lib/postgresql/15/bin/postgres") or not shutil.which("psql"):
        pytest.skip("no PostgreSQL 15 server here")
    folder = f"/tmp/kedge-migrate-postgres-{os.getpid()}"
    os.makedirs(folder, exist_ok=True)
    settings = start_server("start-postgres.sh", folder, free_port(), {})

    class Server:
        port = settings["PGPORT"]

        @staticmethod
        def sql(text, database="postgres"):
            return subprocess.run(["psql", "-X", "-At", "-h", "127.0.0.1", "-p", settings["PGPORT"], "-U", "postgres",
                                   "-d", database, "-c", text], capture_output=True, text=True, check=True).stdout

        @staticmethod
        def restart():
            subprocess.run([os.path.join(SERVERS, "start-postgres.sh"), "stop", folder], check=True)
            start_server("start-postgres.sh", folder, settings["PGPORT"], {})

        def fresh(self):
            self.sql("DROP DATABASE IF EXISTS shop WITH (FORCE)")
            self.sql("CREATE DATABASE shop")
            return f"postgres://postgres@127.0.0.1:{self.port}/shop"

    yield Server()
    subprocess.run([os.path.join(SERVERS, "start-postgres.sh"), "stop", folder], check=False)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def mariadb():
    if not shutil.which("mariadbd", path=os.environ["PATH"] + ":/usr/sbin") or not shutil.which("mariadb"):
        pytest.skip("no MariaDB server here")
    folder = f"/tmp/kedge-migrate-mariadb-{os.getpid()}"
    os.makedirs(folder, exist_ok=True)
    settings = start_server("start-mariadb.sh", folder, free_port(), {})

    class Server:
        client = ["mariadb", "-N", "-S", settings["MYSQL_SOCKET"], "-u", settings["MYSQL_USER"],
                  "-p" + settings["MYSQL_PASSWORD"]]

        def sql(self, text, database=""):
            return subprocess.run([*self.client, "-e", text, database], capture_output=True, text=True,
                                  check=True).stdout

        @staticmethod
        def restart():
            subprocess.run([os.path.join(SERVERS, "start-mariadb.sh"), "stop", folder], check=True)
            start_server("start-mariadb.sh", folder, settings["MYSQL_PORT"], {})

        def fresh(self):
            self.sql("DROP DATABASE IF EXISTS shop; CREATE DATABASE shop")
            return (f"mysql://{settings['MYSQL_USER']}:{settings['MYSQL_PASSWORD']}@127.0.0.1:"
                    f"{settings['MYSQL_PORT']}/shop")

    yield Server()
    subprocess.run([os.path.join(SERVERS, "start-mariadb.sh"), "stop", folder], check=False)
    shutil.rmtree(folder, ignore_errors=True)


def on_terminal(kedge, words, answers):
    """Run on a pseudo-terminal, answer each question in turn; the screen's text and the exit status."""
    pid, fd = pty.fork()
    if pid == 0:
        os.chdir(kedge.folder)
        os.execve(kedge.binary, [kedge.binary, *map(str, words)], kedge.environment)
    screen = b""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if not select.select([fd], [], [], 0.2)[0]:
            continue
        try:
            piece = os.read(fd, 65536)
        except OSError:
            break
        if not piece:
            break
        screen += piece
        if answers and screen.endswith(b"]: "):
            os.write(fd, answers.pop(0).encode() + b"\n")
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    os.close(fd)
    return screen.decode().replace("\r\n", "\n"), status
