"""What kedge migrate promises when things go wrong or go at once: round trips, crashes, locks, poolers.

The servers are those of conftest.py; where one is not installed, its tests are skipped.
"""
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time

import pytest

from conftest import BUILD, ROOT, free_port
from test_migrate import server, write  # noqa: F401  (server is a fixture)

FAULTY = os.path.join(BUILD, "tests", "kedge-faulty")
# Every n-th message or call is where kedge is killed. 1 is the truth and takes minutes.
STRIDE = int(os.environ.get("KEDGE_FAULT_STRIDE", "5"))

sys.path.insert(0, os.path.join(ROOT, "tests", "harness"))
from wire_proxy import WireProxy  # noqa: E402


def through(url, proxy):
    """`url` with the proxy's port for the server's."""
    head, tail = url.rsplit("@127.0.0.1:", 1)
    return f"{head}@127.0.0.1:{proxy.port}/{tail.split('/', 1)[1]}"


def port_of(url):
    return int(url.rsplit(":", 1)[1].split("/")[0])


def write_many(kedge, count, text="CREATE TABLE t{0} (id INT);\nINSERT INTO t{0} VALUES (1);"):
    for i in range(count):
        write(kedge, f"202401010000{i:02}_m{i}.sql", text.format(i), f"DROP TABLE t{i};")


class SqliteFile:
    """A SQLite file with the ways of the servers' fixtures."""

    def __init__(self, path):
        self.path = path

    def sql(self, text, database=None):
        with sqlite3.connect(self.path) as db:
            rows = db.execute(text).fetchall()
        db.close()
        return "".join("|".join(map(str, row)) + "\n" for row in rows)

    def fresh(self):
        for suffix in ("", "-wal", "-shm", "-journal"):
            if os.path.exists(self.path + suffix):
                os.unlink(self.path + suffix)
        return "sqlite:" + self.path


@pytest.fixture(params=["sqlite", "postgres", "mariadb"])
def database(request, kedge):
    return SqliteFile(kedge.path("app.db")) if request.param == "sqlite" else request.getfixturevalue(request.param)


# ---- many at once ----

def test_eight_at_once_run_each_statement_once(kedge, database, processes):
    write(kedge, "20240101000000_log.sql", "CREATE TABLE log (n INT);")
    for i in range(1, 20):
        write(kedge, f"202401010000{i:02}_m{i}.sql", f"CREATE TABLE t{i} (id INT);\nINSERT INTO log VALUES ({i});")
    for _ in range(10):
        kedge.environment["DATABASE_URL"] = database.fresh()
        started = [kedge.start("migrate", "up") for _ in range(8)]
        processes += started
        outputs = [process.communicate(timeout=120) for process in started]
        assert [process.returncode for process in started] == [0] * 8, outputs
        assert sum(output[0].count("applied 2024") for output in outputs) == 20, outputs
        assert database.sql("SELECT count(*), count(DISTINCT n) FROM log", "shop").split() in (["19|19"], ["19", "19"])
        assert {row["status"] for row in kedge.lines("migrate", "status")} == {"applied"}


# ---- killed ----

VERSION = "20240101000001"


def write_twenty(kedge, options=""):
    """Twenty statements; each would fail, or be counted, when it ran twice."""
    kinds = ("CREATE TABLE t{0} (id INT);", "INSERT INTO log (n) VALUES ({0});", "INSERT INTO log (n) VALUES ({0});",
             "ALTER TABLE log ADD COLUMN c{0} INT;")
    text = "\n".join(["CREATE TABLE log (n INT);"] + [kinds[i % 4].format(i) for i in range(1, 20)])
    write(kedge, VERSION + "_twenty.sql", text, options=options)


def finish_after_a_kill(kedge, database, repairs):
    """The next run finishes, or asks; then a person looks at the database and answers."""
    for _ in range(3):
        run = kedge("migrate", "up", status=None)
        if run.returncode == 0:
            break
        assert run.returncode == 6, run.stderr
        assert f"kedge migrate repair {VERSION} --ran" in run.stderr, run.stderr
        assert f"kedge migrate repair {VERSION} --not-run" in run.stderr
        number = int(run.stderr.split(": statement ")[1].split(" of 20 ")[0])
        repairs.add(number)
        kedge("migrate", "repair", VERSION, "--ran" if has_run(database, number) else "--not-run")
    row = kedge.lines("migrate", "status")[0]
    assert row["status"] == "applied"
    counted = database.sql("SELECT count(*), count(DISTINCT n) FROM log", "shop").replace("\t", "|").strip()
    assert counted == "10|10"


def has_run(database, number):
    """Statement `number` of twenty, from 1: the tables and columns are the only ones that are asked about."""
    if number == 1:
        return exists(database, "SELECT 1 FROM log")
    if (number - 1) % 4 == 0:
        return exists(database, f"SELECT 1 FROM t{number - 1}")
    assert (number - 1) % 4 == 3, number
    return exists(database, f"SELECT c{number - 1} FROM log")


def exists(database, query):
    try:
        database.sql(query, "shop")
        return True
    except (subprocess.CalledProcessError, sqlite3.OperationalError):
        return False


class Killer:
    """Kills a kedge that speaks through a proxy when it sends its n-th message, which arrives or does not."""

    def __init__(self, number, arrives):
        self.number, self.arrives = number, arrives
        self.sent = 0
        self.process = None
        self.started = threading.Event()

    def __call__(self, connection, data):
        self.started.wait()
        self.sent += 1
        if self.sent != self.number:
            return False
        self.process.kill()
        self.process.wait()
        return not self.arrives


def run_killed(kedge, url, number, arrives):
    """True when kedge was killed; False when it was done before its n-th message."""
    killer = Killer(number, arrives)
    with WireProxy("127.0.0.1", port_of(url), killer) as proxy:
        killer.process = kedge.start("migrate", "up", env={"DATABASE_URL": through(url, proxy)})
        killer.started.set()
        killer.process.communicate(timeout=60)
    return killer.process.returncode == -signal.SIGKILL


@pytest.mark.parametrize("options", ["", " notransaction"])
@pytest.mark.parametrize("arrives", [True, False], ids=["arrives", "lost"])
def test_a_server_is_whole_after_a_kill_at_every_message(kedge, server, arrives, options):  # noqa: F811
    write_twenty(kedge, options)
    repairs = set()
    number = 1
    while True:
        url = server.fresh()
        together = "postgres" in url and not options
        kedge.environment["DATABASE_URL"] = url
        if not run_killed(kedge, url, number, arrives):
            break
        finish_after_a_kill(kedge, server, repairs)
        number += 1 if together else STRIDE
    assert number > (5 if together else 40)
    assert bool(repairs) == ("mysql" in url), repairs


@pytest.mark.skipif(not os.path.exists(FAULTY), reason="kedge-faulty is not built")
@pytest.mark.parametrize("options", ["", " notransaction"])
def test_a_file_is_whole_after_a_kill_at_every_call(kedge, options):
    database = SqliteFile(kedge.path("app.db"))
    kedge.environment["DATABASE_URL"] = database.fresh()
    write_twenty(kedge, options)
    count = kedge.path("count")

    def run(fault):
        return subprocess.run([FAULTY, "migrate", "up"], cwd=kedge.folder, capture_output=True, text=True, timeout=60,
                              env={**kedge.environment, "KEDGE_TEST_FAULT": fault, "KEDGE_TEST_FAULT_COUNT": count})

    environment = dict(kedge.environment, KEDGE_TEST_FAULT_COUNT=count)
    subprocess.run([FAULTY, "migrate", "up"], cwd=kedge.folder, env=environment, check=True, capture_output=True)
    with open(count, encoding="ascii") as file:
        calls = int(file.read())
    assert calls > 20
    repairs = set()
    for number in range(1, calls + 1, STRIDE):
        database.fresh()
        assert run(f"kill:{number}").returncode == -signal.SIGKILL, number
        finish_after_a_kill(kedge, database, repairs)


# ---- readers ----

class Readers(threading.Thread):
    """Looks at the table again and again over a connection of its own and remembers the longest wait."""

    def __init__(self, connection):
        super().__init__()
        self.connection = connection
        self.longest = 0.0
        self.count = 0
        self.done = threading.Event()

    def run(self):
        cursor = self.connection.cursor()
        while not self.done.is_set():
            started = time.monotonic()
            cursor.execute("SELECT count(*) FROM t")
            cursor.fetchall()
            self.connection.commit()
            self.longest = max(self.longest, time.monotonic() - started)
            self.count += 1
            time.sleep(0.01)


def connect(url):
    if url.startswith("postgres"):
        return pytest.importorskip("psycopg2").connect(url)
    user, rest = url.split("//")[1].split("@")
    return pytest.importorskip("pymysql").connect(host="127.0.0.1", port=port_of("x:" + rest.split(":")[1]), database="shop",
                                                  user=user.split(":")[0], password=user.split(":")[1])


LOCK_TIMEOUT = float(os.environ.get("KEDGE_TEST_LOCK_TIMEOUT", "1"))
READER_SECONDS = float(os.environ.get("KEDGE_TEST_READER_SECONDS", "2.5"))


def test_readers_wait_no_longer_than_the_lock_timeout(kedge, server):  # noqa: F811
    url = server.fresh()
    kedge.environment["DATABASE_URL"] = url
    write(kedge, "20240101000001_t.sql", "CREATE TABLE t (x int);\nINSERT INTO t VALUES (1);")
    kedge("migrate", "up")
    write(kedge, "20240101000002_a.sql", "ALTER TABLE t ADD COLUMN y int;")
    long_one = connect(url)
    long_one.cursor().execute("SELECT count(*) FROM t")
    readers = Readers(connect(url))
    readers.start()
    let_go = threading.Timer(READER_SECONDS, long_one.rollback)
    let_go.start()
    result = kedge("migrate", "up", "--lock-timeout", f"{int(LOCK_TIMEOUT * 1000)}ms", status=None)
    readers.done.set()
    readers.join()
    let_go.join()
    assert readers.count > 10
    assert readers.longest < 1.2 * LOCK_TIMEOUT, (readers.longest, result.stderr)
    assert result.returncode == 0, result.stderr
    assert server.sql("SELECT count(y) FROM t", "shop").strip() == "0"


# ---- PostgreSQL: one batch for a migration ----

def round_trips(kedge, url, *arguments):
    with WireProxy("127.0.0.1", port_of(url)) as proxy:
        kedge(*arguments, env={"DATABASE_URL": through(url, proxy)})
        return proxy.round_trips


def test_postgres_takes_one_round_trip_for_a_migration(kedge, postgres):
    url = postgres.fresh()
    write_many(kedge, 20)
    up = round_trips(kedge, url, "migrate", "up")
    nothing = round_trips(kedge, url, "migrate", "up")
    assert (up - nothing) / 20 <= 2, (up, nothing)
    assert nothing <= 6
    down = round_trips(kedge, url, "migrate", "reset", "--yes")
    again = round_trips(kedge, url, "migrate", "up")
    assert down - nothing <= 40 and again - nothing <= 40, (down, again)
    rows = postgres.sql("SELECT count(*), sum(statements_done), min(execution_time_ms) >= 0, count(DISTINCT batch) "
                        "FROM schema_migrations WHERE status = 'applied'", "shop").strip()
    assert rows == "20|40|t|1"


def test_postgres_names_the_place_of_a_failure_in_a_batch(kedge, postgres):
    kedge.environment["DATABASE_URL"] = postgres.fresh()
    write(kedge, "20240101000001_t.sql", "CREATE TABLE t (id INT);\nSELECT 1;\nINSERT INTO t\n  SELECT nix;\nSELECT 2;")
    error = kedge("migrate", "up", status=1).stderr
    assert '20240101000001_t.sql:5:10: statement 3 of 4 (INSERT INTO t): column "nix" does not exist; ' \
           "nothing of this migration is left in the database" in error
    assert postgres.sql("SELECT to_regclass('t') IS NULL, status FROM schema_migrations", "shop").strip() == "t|failed"
    write(kedge, "20240101000001_t.sql", "CREATE TABLE t (id INT);")
    kedge("migrate", "up")
    assert kedge.lines("migrate", "status")[0]["status"] == "applied"


def test_postgres_names_the_place_of_a_failure_in_a_block(kedge, postgres):
    kedge.environment["DATABASE_URL"] = postgres.fresh()
    write(kedge, "20240101000001_t.sql", "CREATE TABLE t (id INT);\n-- +migrate StatementBegin\nSELECT 1;\n  SELECT nix;\n"
          "-- +migrate StatementEnd")
    error = kedge("migrate", "up", status=1).stderr
    assert '20240101000001_t.sql:5:10: statement 2 of 2 (SELECT 1;): column "nix" does not exist' in error


def test_postgres_tells_what_the_commit_refuses(kedge, postgres):
    kedge.environment["DATABASE_URL"] = postgres.fresh()
    write(kedge, "20240101000001_t.sql", "CREATE TABLE a (id INT PRIMARY KEY);\nCREATE TABLE b (a INT REFERENCES a "
          "DEFERRABLE INITIALLY DEFERRED);\nINSERT INTO b VALUES (1);")
    error = kedge("migrate", "up", status=1).stderr
    assert "20240101000001_t.sql: at the end of the transaction: " in error and "violates foreign key" in error
    assert "nothing of this migration is left in the database" in error
    assert postgres.sql("SELECT to_regclass('a') IS NULL", "shop").strip() == "t"


def test_postgres_runs_more_statements_than_are_sent_at_once(kedge, postgres):
    kedge.environment["DATABASE_URL"] = postgres.fresh()
    inserts = "\n".join(f"INSERT INTO t VALUES ({i}, '{'x' * 500}');" for i in range(3000))
    write(kedge, "20240101000001_t.sql", f"CREATE TABLE t (id INT, x TEXT);\n{inserts}")
    kedge("migrate", "up")
    assert postgres.sql("SELECT count(*), sum(id) FROM t", "shop").strip() == f"3000|{2999 * 3000 // 2}"
    write(kedge, "20240101000002_u.sql", inserts + "\nINSERT INTO nowhere VALUES (1);\n" + inserts)
    error = kedge("migrate", "up", status=1).stderr
    assert "20240101000002_u.sql:3002:13: statement 3001 of 6001" in error
    assert postgres.sql("SELECT count(*) FROM t", "shop").strip() == "3000"


@pytest.mark.parametrize("edit", ["UPDATE schema_migrations SET status = 'applied'", "DELETE FROM schema_migrations"])
def test_postgres_honours_a_row_that_was_edited_meanwhile(kedge, postgres, edit):
    """The history changes between planning and running: a migration before edits the rows."""
    kedge.environment["DATABASE_URL"] = postgres.fresh()
    write(kedge, "20240101000001_a.sql", "SELECT 1;")
    write(kedge, "20240101000002_t.sql", "CREATE TABLE t (id INT);", "DROP TABLE t;")
    kedge("migrate", "up")
    kedge("migrate", "down")
    kedge("migrate", "force", "20240101000001", "--status", "rollback")
    write(kedge, "20240101000001_a.sql", f"{edit} WHERE version = '20240101000002';")
    output = kedge("migrate", "up").stdout
    ran = "DELETE" in edit
    assert ("applied 20240101000002" in output) == ran
    assert postgres.sql("SELECT to_regclass('t') IS NOT NULL", "shop").strip() == ("t" if ran else "f")


def test_postgres_finds_out_behind_a_lost_connection(kedge, postgres):
    url = postgres.fresh()
    write_many(kedge, 3)
    with WireProxy("127.0.0.1", port_of(url), lambda connection, data: b"t1 VALUES" in data) as proxy:
        error = kedge("migrate", "up", status=1, env={"DATABASE_URL": through(url, proxy)}).stderr
    assert "whether it was committed is not known: kedge migrate status tells" in error
    kedge.environment["DATABASE_URL"] = url
    assert [row["status"] for row in kedge.lines("migrate", "status")] == ["applied", "pending", "pending"]
    kedge("migrate", "up")
    assert postgres.sql("SELECT (SELECT count(*) FROM t0), (SELECT count(*) FROM t1)", "shop").strip() == "1|1"


# ---- MariaDB: a statement at a time ----

def test_mariadb_takes_few_round_trips_for_a_migration(kedge, mariadb):
    url = mariadb.fresh()
    write_many(kedge, 20)
    up = round_trips(kedge, url, "migrate", "up")
    nothing = round_trips(kedge, url, "migrate", "up")
    assert (up - nothing) / 20 <= 8, (up, nothing)
    assert nothing <= 4


def test_mariadb_has_its_lock_timeout_again_after_a_file_that_sets_another(kedge, mariadb):
    """It is set once for the session, and again where a file may have changed it."""
    kedge.environment["DATABASE_URL"] = mariadb.fresh()
    write(kedge, "20240101000001_log.sql", "CREATE TABLE log (n INT, waits INT);")
    for n, before in enumerate(("", "", "SET SESSION lock_wait_timeout = 77;\n", "", ""), start=2):
        write(kedge, f"2024010100000{n}_m{n}.sql",
              f"{before}INSERT INTO log VALUES ({n}, @@lock_wait_timeout);\nCREATE TABLE t{n} (id INT);")
    kedge("migrate", "up")
    assert mariadb.sql("SELECT group_concat(waits ORDER BY n) FROM log", "shop").strip() == "5,5,77,5,5"


# ---- a pooler between ----

@pytest.fixture(params=["transaction", "session"])
def pooler(request, kedge, postgres):
    """pgbouncer before the database `shop`, with two server sessions."""
    binary = shutil.which("pgbouncer", path=os.environ["PATH"] + ":/usr/sbin")
    if not binary:
        pytest.skip("no pgbouncer here")
    url = postgres.fresh()
    port = free_port()
    folder = f"/tmp/kedge-pgbouncer-{os.getpid()}"
    os.makedirs(folder, mode=0o755, exist_ok=True)
    settings = os.path.join(folder, "pgbouncer.ini")
    with open(settings, "w", encoding="ascii") as file:
        file.write(f"""[databases]
shop = host=127.0.0.1 port={port_of(url)} user=postgres
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = {request.param}
default_pool_size = 2
""")
    os.chmod(settings, 0o644)
    user = ["-u", "postgres"] if os.getuid() == 0 else []
    process = subprocess.Popen([binary, "-q", *user, settings], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_until(lambda: can_connect(port))
    kedge.environment["DATABASE_URL"] = f"postgres://postgres@127.0.0.1:{port}/shop"
    yield request.param
    process.terminate()
    process.wait()
    shutil.rmtree(folder)


def can_connect(port):
    try:
        socket.create_connection(("127.0.0.1", port)).close()
        return True
    except OSError:
        return False


def wait_until(true, seconds=10):
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_lock_that_a_pooler_would_give_away_is_not_taken(kedge, postgres, pooler):
    write_many(kedge, 3)
    assert {row["status"] for row in kedge.lines("migrate", "status")} == {"pending"}
    for _ in range(3):
        run = kedge("migrate", "up", status=None)
        if pooler == "session":
            assert run.returncode == 0, run.stderr
            continue
        assert run.returncode == 1
        assert "the migration lock does not hold: a pooler" in run.stderr
        assert "hint: connect to the server directly, or to a pool in session mode" in run.stderr
        assert postgres.sql("SELECT to_regclass('schema_migrations') IS NULL, to_regclass('t0') IS NULL", "shop") == "t|t\n"
    assert postgres.sql("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") == "0\n"
