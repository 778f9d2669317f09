"""kedge catalog install into a database that is in production: wherever it is cut short, the database is as before.

On MariaDB, where such statements cannot be undone, the next run completes what was begun.
"""
import os
import re
import signal
import subprocess
import sys
import threading

import pytest

from conftest import BUILD, ROOT, contents

sys.path.insert(0, os.path.join(ROOT, "tests", "harness"))
from wire_proxy import WireProxy  # noqa: E402

# Every n-th message is cut, and each of the last ones, where the commit is.
STRIDE = int(os.environ.get("KEDGE_FAULT_STRIDE", "4"))
FAULTY = os.path.join(BUILD, "tests", "kedge-faulty")

# Objects by their numbers, which are never given twice: what was made and dropped again is not the same.
EVERYTHING = ("SELECT md5(string_agg(what, ',' ORDER BY what)) FROM ("
              "SELECT 'c' || oid || relname || relfilenode FROM pg_class WHERE relkind <> 't' AND relname !~ '^pg_' "
              "UNION SELECT 'n' || oid || nspname FROM pg_namespace WHERE nspname !~ '^pg_t' "
              "UNION SELECT 'p' || oid || proname FROM pg_proc UNION SELECT 't' || oid || typname FROM pg_type "
              "WHERE typname !~ '^_?pg_t') AS all_of_it(what)")
APPLICATION = "CREATE TABLE orders (id int PRIMARY KEY, total int); INSERT INTO orders VALUES (1, 7)"


class AtMessage:
    """Does something when the n-th message is on its way to the server."""

    def __init__(self, number, act):
        self.number, self.act = number, act
        self.sent = 0
        self.process = None
        self.started = threading.Event()

    def __call__(self, connection, data):
        self.started.wait()
        self.sent += 1
        answer = self.act(self.process) if self.sent == self.number else False
        return answer(data) if callable(answer) else answer


def through(url, proxy):
    head, tail = url.rsplit("@127.0.0.1:", 1)
    return f"{head}@127.0.0.1:{proxy.port}/{tail.split('/', 1)[1]}"


def install(kedge, url, number=0, act=None):
    """(how many messages were sent, the finished process), with `act` at message `number`."""
    at = AtMessage(number, act)
    with WireProxy("127.0.0.1", int(url.rsplit(":", 1)[1].split("/")[0]), at) as proxy:
        process = kedge.start("catalog", "install", "--database", through(url, proxy))
        at.process = process
        at.started.set()
        process.output, process.errors = process.communicate(timeout=60)
    return at.sent, process


def cut(process):
    return True


def interrupt(process):
    process.send_signal(signal.SIGINT)
    return False


def kill(process):
    process.kill()
    return True


def refuse(process):
    """The server gets a statement that it refuses, as it refuses one on a full disk."""
    return lambda data: data[:5] + b"x" * (len(data) - 5)


@pytest.mark.parametrize("act,status", [(cut, 1), (interrupt, 130)], ids=["cut", "interrupted"])
def test_postgres_is_as_before_wherever_it_is_cut_short(kedge, postgres, act, status):
    url = postgres.fresh()
    postgres.sql(APPLICATION, "shop")
    before = postgres.sql(EVERYTHING, "shop")
    unchanged = 0
    messages, _ = install(kedge, url)
    url = postgres.fresh()
    postgres.sql(APPLICATION, "shop")
    before = postgres.sql(EVERYTHING, "shop")
    for number in sorted({*range(1, messages + 1, STRIDE), *range(messages - 5, messages + 1)}):
        sent, process = install(kedge, url, number, act)
        if sent < number:
            break
        now = postgres.sql(EVERYTHING, "shop")
        if process.returncode == 0:
            assert "COMMIT" in process.output or "committed" in process.output, process.output
            assert postgres.sql("SELECT count(*) FROM kedge.apps", "shop") == "0\n"
            url = postgres.fresh()
            postgres.sql(APPLICATION, "shop")
            now = before = postgres.sql(EVERYTHING, "shop")
        else:
            assert process.returncode in (status, 3), (number, process.returncode, process.errors)
            unchanged += 1
        assert now == before, (number, process.errors)
    assert unchanged > 20 // STRIDE
    assert postgres.sql("SELECT total FROM orders", "shop") == "7\n"


def test_postgres_is_as_before_when_the_server_dies(kedge, postgres):
    url = postgres.fresh()
    postgres.sql(APPLICATION, "shop")
    before = postgres.sql(EVERYTHING, "shop")
    messages, _ = install(kedge, url)
    postgres.sql("DROP SCHEMA kedge CASCADE; DROP VIEW IF EXISTS database_backups, backup_history, backup_schedule, "
                 "backup_restore_log", "shop")
    before = postgres.sql(EVERYTHING, "shop")
    backend = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name LIKE 'kedge%'"
    for number in (messages // 3, messages // 2, messages - 2):
        _, process = install(kedge, url, number, lambda process: bool(postgres.sql(backend)) and False)
        assert process.returncode == 1
        assert "connection" in process.errors, process.errors
        assert postgres.sql(EVERYTHING, "shop") == before


def test_postgres_is_as_before_when_its_server_is_restarted(kedge, postgres):
    url = postgres.fresh()
    postgres.sql(APPLICATION, "shop")
    before = postgres.sql(EVERYTHING, "shop")
    _, process = install(kedge, url, 40, lambda process: postgres.restart() is not None)
    assert process.returncode == 1, (process.returncode, process.errors)
    assert "connection" in process.errors, process.errors
    assert postgres.sql(EVERYTHING, "shop") == before
    kedge("migrate-backups", "--database", url)
    assert postgres.sql("SELECT (SELECT count(*) FROM kedge.apps), (SELECT total FROM orders)", "shop") == "0|7\n"


@pytest.fixture
def small_disk(postgres):
    """A tablespace on a file system of 256 KiB."""
    folder = f"/tmp/kedge-small-{os.getpid()}"
    os.makedirs(folder)
    mounted = os.getuid() == 0 and subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=256k,mode=700,uid=postgres,gid=postgres", "tmpfs", folder],
        capture_output=True, check=False).returncode == 0
    if not mounted:
        os.rmdir(folder)
        pytest.skip("a file system cannot be mounted here")
    postgres.sql(f"CREATE TABLESPACE small LOCATION '{folder}'")
    yield "small"
    postgres.sql("DROP DATABASE IF EXISTS shop WITH (FORCE)")
    postgres.sql("DROP TABLESPACE small")
    subprocess.run(["umount", folder], check=True)
    os.rmdir(folder)


def test_postgres_is_as_before_when_its_disk_is_full(kedge, postgres, small_disk):
    url = postgres.fresh()
    postgres.sql(APPLICATION, "shop")
    postgres.sql(f"ALTER DATABASE shop SET default_tablespace = {small_disk}")
    before = postgres.sql(EVERYTHING, "shop")
    run = kedge("catalog", "install", "--database", url, status=None)
    assert run.returncode != 0
    assert "No space left on device" in run.stderr, run.stderr
    assert postgres.sql(EVERYTHING, "shop") == before
    postgres.sql("ALTER DATABASE shop RESET default_tablespace")
    kedge("catalog", "install", "--database", url)


@pytest.mark.parametrize("missing,message", [
    ("REVOKE CREATE ON DATABASE shop FROM clerk", "permission denied for database shop"),
    ("REVOKE CREATE ON SCHEMA public FROM clerk", "permission denied for schema public"),
    ("CREATE SCHEMA kedge", "permission denied for schema kedge"),
])
def test_postgres_names_the_missing_right_and_the_cure(kedge, postgres, missing, message):
    url = postgres.fresh()
    postgres.sql("DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'clerk') THEN CREATE ROLE clerk LOGIN; "
                 "END IF; END $$; GRANT CREATE ON DATABASE shop TO clerk; GRANT CREATE ON SCHEMA public TO clerk", "shop")
    postgres.sql(missing, "shop")
    before = postgres.sql(EVERYTHING, "shop")
    run = kedge("catalog", "install", "--database", url.replace("postgres@", "clerk@"), status=None)
    assert run.returncode != 0
    assert message in run.stderr, run.stderr
    assert "CREATE ON " in run.stderr.split("hint: GRANT ")[1]
    assert postgres.sql(EVERYTHING, "shop") == before


def mariadb_state(mariadb):
    return mariadb.sql("SELECT table_name FROM information_schema.tables WHERE table_schema = 'shop' ORDER BY 1") + \
        mariadb.sql("SELECT * FROM orders", "shop")


# What is in the database kedge; "none" when it is not there.
OURS = ("SELECT coalesce((SELECT count(table_name) FROM information_schema.schemata LEFT JOIN information_schema.tables "
        "ON table_schema = schema_name WHERE schema_name = 'kedge' GROUP BY schema_name), 'none')")
EMPTIED = "The database kedge, which was made for this, is removed again: all is as before"


@pytest.mark.parametrize("act", [cut, interrupt, refuse, kill])
def test_mariadb_has_no_empty_database_afterwards_wherever_it_is_cut_short(kedge, mariadb, act):
    url = mariadb.fresh()
    mariadb.sql(APPLICATION, "shop")
    mariadb.sql("DROP DATABASE IF EXISTS kedge")
    before = mariadb_state(mariadb)
    number, removed, stays = 0, 0, 0
    # From where nothing is made yet to where the first table is there: each message.
    while stays < 2:
        number += 1
        sent, process = install(kedge, url, number, act)
        # The one refusal that is an answer: the history cannot be read because there is none.
        assert sent >= number and (process.returncode or act is refuse), (sent, number, process.output)
        left = mariadb.sql(OURS).strip()
        removed += EMPTIED in process.output
        assert (left != "0") or act is kill, (number, process.output, process.errors)
        assert left == "none" or EMPTIED not in process.output, process.output
        stays += process.returncode != 0 and left not in ("none", "0")
        if act is kill and left != "none":
            run = kedge("catalog", "install", "--database", url)
            assert ("with nothing in it: it is filled now" if left == "0" else "is completed now") in run.stdout, run.stdout
        assert mariadb_state(mariadb) == before
        mariadb.sql("DROP DATABASE IF EXISTS kedge")
    assert removed >= 3 or act is kill


def test_mariadb_keeps_a_database_that_this_run_has_not_made(kedge, mariadb):
    url = mariadb.fresh()
    mariadb.sql("DROP DATABASE IF EXISTS kedge; CREATE DATABASE kedge")
    messages, whole = install(kedge, url)
    assert re.search(r"^  MariaDB version: MariaDB \d+\.\d+\.\d+$", whole.output, re.M), whole.output
    mariadb.sql("DROP DATABASE kedge; CREATE DATABASE kedge")
    for number in range(2, messages, STRIDE):
        install(kedge, url, number, refuse)
        assert mariadb.sql(OURS).strip() != "none", number
        mariadb.sql("DROP DATABASE kedge; CREATE DATABASE kedge")
    mariadb.sql("DROP DATABASE kedge")


def test_mariadb_installs_one_at_a_time(kedge, mariadb, processes):
    url = mariadb.fresh()
    mariadb.sql("DROP DATABASE IF EXISTS kedge")
    processes += [kedge.start("catalog", "install", "--database", url) for _ in range(4)]
    for process in processes:
        output, errors = process.communicate(timeout=120)
        assert process.returncode == 0, (output, errors)
    kedge("catalog", "install", "--database", url)
    mariadb.sql("DROP DATABASE kedge")


@pytest.mark.parametrize("act", [cut, interrupt])
def test_mariadb_is_completed_by_the_next_run_wherever_it_is_cut_short(kedge, mariadb, act):
    url = mariadb.fresh()
    mariadb.sql(APPLICATION, "shop")
    number = 1
    unfinished = 0
    while True:
        mariadb.sql("DROP DATABASE IF EXISTS kedge")
        before = mariadb_state(mariadb)
        sent, process = install(kedge, url, number, act)
        if sent < number:
            break
        if process.returncode:
            unfinished += 1
            run = kedge("catalog", "install", "--database", url)
            assert "Migration completed successfully" in run.stdout or "Migration not needed" in run.stdout, run.stdout
        assert mariadb.sql("SELECT (SELECT count(*) FROM apps) + (SELECT count(*) FROM database_backups)", "kedge") == "0\n"
        assert mariadb_state(mariadb) == before
        kedge("catalog", "install", "--database", url)
        number += STRIDE
    mariadb.sql("DROP DATABASE IF EXISTS kedge")
    assert unfinished > 15 // STRIDE


def test_mariadb_is_completed_after_its_server_was_restarted(kedge, mariadb):
    url = mariadb.fresh()
    mariadb.sql(APPLICATION, "shop")
    mariadb.sql("DROP DATABASE IF EXISTS kedge")
    before = mariadb_state(mariadb)
    _, process = install(kedge, url, 20, lambda process: mariadb.restart() is not None)
    assert process.returncode == 1, (process.returncode, process.errors)
    run = kedge("migrate-backups", "--database", url)
    assert "Migration completed successfully" in run.stdout, run.stdout
    assert mariadb_state(mariadb) == before
    mariadb.sql("DROP DATABASE kedge")


@pytest.mark.skipif(not os.path.exists(FAULTY), reason="kedge-faulty is not built")
@pytest.mark.parametrize("fault", ["nospace", "eio", "kill"])
def test_a_file_is_as_before_when_the_disk_is_full_or_fails(kedge, shop, fault):
    with open(shop, "rb") as file:
        bytes_before = file.read()
    before = contents(shop)
    count = kedge.path("count")

    def run(text):
        environment = {**kedge.environment, "KEDGE_TEST_FAULT_COUNT": count, **({"KEDGE_TEST_FAULT": text} if text else {})}
        return subprocess.run([FAULTY, "catalog", "install", "--database", "sqlite:" + shop], cwd=kedge.folder,
                              env=environment, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)

    assert run(None).returncode == 0
    with open(count, encoding="ascii") as file:
        calls = int(file.read())
    failed = 0
    for number in range(1, calls + 1, STRIDE):
        for suffix in ("-wal", "-shm", "-journal"):
            if os.path.exists(shop + suffix):
                os.unlink(shop + suffix)
        with open(shop, "wb") as file:
            file.write(bytes_before)
        result = run(f"{fault}:{number}")
        now = contents(shop)
        failed += result.returncode != 0
        if now != before:
            assert any(name == b"backups" for _, name, _ in now[0]), (number, result.stderr)
            assert run(None).returncode == 0
            assert "Migration not needed" in run(None).stdout
            assert fault == "kill" or "COMMIT" in result.stdout + result.stderr or result.returncode == 0, \
                (number, result.returncode, result.stdout, result.stderr)
    assert failed > 10 // STRIDE
