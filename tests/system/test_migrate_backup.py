"""kedge migrate up --backup and down --restore, on SQLite and PostgreSQL; and what MariaDB, which cannot be backed up
yet, is told."""
import os
import re
import signal
import sqlite3
import subprocess
import time

import pytest

from conftest import on_terminal
from test_migrate import write


class Sqlite:
    def __init__(self, kedge):
        self.path = kedge.path("app.db")
        self.url = "sqlite:" + self.path

    def ask(self, text):
        db = sqlite3.connect(self.path)
        try:
            row = db.execute(text).fetchone()
            db.commit()
            return str(row[0]) if row else ""
        finally:
            db.close()

    run = ask

    def tables(self):
        return self.ask("SELECT group_concat(name) FROM (SELECT name FROM sqlite_master WHERE type = 'table' "
                        "AND name NOT LIKE 'schema_%' ORDER BY name)")

    def end_sessions(self):
        """Those of dead clients end by themselves here."""

    def hold(self):
        """Hold off writers; call the answer to let go."""
        db = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False)
        db.execute("BEGIN IMMEDIATE")
        return db.close


class Postgres:
    def __init__(self, server):
        self.url, self.server = server.fresh(), server

    def ask(self, text):
        return self.server.sql(text, "shop").strip()

    run = ask

    def tables(self):
        return self.ask("SELECT string_agg(relname, ',' ORDER BY relname) FROM pg_class WHERE relkind = 'r' AND "
                        "relnamespace = 'public'::regnamespace AND relname NOT LIKE 'schema_%'")

    def end_sessions(self):
        """The server goes on with what it was sent, whatever became of the client."""
        self.ask("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'kedge%'")

    def hold(self):
        process = subprocess.Popen(["psql", "-X", "-q", "-h", "127.0.0.1", "-p", self.server.port, "-U", "postgres", "-d",
                                    "shop"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        process.stdin.write("BEGIN; LOCK TABLE a IN SHARE ROW EXCLUSIVE MODE; SELECT 'held';\n")
        process.stdin.flush()
        while "held" not in process.stdout.readline():
            pass

        def let_go():
            process.stdin.close()
            process.wait()
        return let_go


@pytest.fixture(params=["sqlite", "postgres"])
def database(request, kedge):
    database = Sqlite(kedge) if request.param == "sqlite" else Postgres(request.getfixturevalue("postgres"))
    kedge.environment["DATABASE_URL"] = database.url
    write(kedge, "20240101000001_a.sql", "CREATE TABLE a (x INT);\nINSERT INTO a VALUES (1);", "DROP TABLE a;")
    kedge("migrate", "up")
    return database


def backups(kedge):
    return [row for row in kedge.lines("list")]


OUTSIDE = " notransaction"


def test_a_backup_is_made_verified_and_linked(kedge, database):
    write(kedge, "20240101000002_b.sql", "CREATE TABLE b (x INT);", "DROP TABLE b;")
    write(kedge, "20240101000003_c.sql", "CREATE TABLE c (x INT);", "DROP TABLE c;")
    output = kedge("migrate", "up", "--backup").stdout
    assert re.match(r"backup 1 made and verified: .*\napplied 20240101000002 b .*\napplied 20240101000003 c ", output)
    made = kedge.json("show", "1")
    assert made["trigger"] == "pre_migration" and made["level"] >= 2
    assert made["notes"] == "before the migrations 20240101000002 to 20240101000003"
    assert database.ask("SELECT count(*) FROM schema_migrations WHERE backup_id = '%s'" % made["id"]) == "2"
    assert database.ask("SELECT count(*) FROM schema_migrations WHERE backup_id IS NULL") == "1"
    assert "nothing to do" in kedge("migrate", "up", "--backup").stdout
    assert len(backups(kedge)) == 1


def test_down_goes_back_to_it_and_undo_forth_again(kedge, database):
    write(kedge, "20240101000002_b.sql", "CREATE TABLE b (x INT);\nDELETE FROM a;")
    kedge("migrate", "up", "--backup")
    database.run("INSERT INTO b VALUES (7)")
    assert "no terminal" in kedge("migrate", "down", "--restore", status=7).stderr
    screen, status = on_terminal(kedge, ["migrate", "down", "--restore"], ["no"])
    assert status == 7 and screen.count("written since? (yes/no) [no]:") == 1 and screen.count("[no]:") == 1, screen
    assert database.tables() == "a,b"
    assert "would go back" in kedge("migrate", "down", "--restore", "--dry-run").stdout
    output = kedge("migrate", "down", "--restore", "--yes").stdout
    assert "is as it was before 20240101000002: restored from" in output
    assert database.tables() == "a" and database.ask("SELECT count(*) FROM a") == "1"
    assert [row["status"] for row in kedge.lines("migrate", "status")] == ["applied", "pending"]
    error = kedge("migrate", "down", "--restore", "--yes", status=1).stderr
    assert "version 20240101000001 was applied without a backup" in error
    kedge("undo", "--yes")
    assert database.tables() == "a,b" and database.ask("SELECT x FROM b") == "7"
    assert [row["status"] for row in kedge.lines("migrate", "status")] == ["applied", "applied"]
    kedge("migrate", "down", "--restore", "--yes")
    assert "exclude" in kedge("migrate", "down", "--steps", "1", "--batch", status=2).stderr
    assert "--restore goes back" in kedge("migrate", "down", "--restore", "--batch", status=2).stderr


def test_what_fails_outside_a_transaction_is_put_back(kedge, database):
    write(kedge, "20240101000002_b.sql", "CREATE TABLE b (x INT);")
    write(kedge, "20240101000003_c.sql", "CREATE TABLE c (x INT);\nDELETE FROM a;\nINSERT INTO nowhere VALUES (1);",
          options=OUTSIDE)
    result = kedge("migrate", "up", "--backup", status=1)
    lines = result.stderr[result.stderr.index("kedge: error: "):].splitlines()
    assert "statement 3 of 3" in lines[0] and "the first 2 statements are in the database" in lines[0]
    assert lines[1].startswith("put back to backup 1: the database is as it was before this run")
    assert "hint" not in result.stderr
    assert database.tables() == "a" and database.ask("SELECT count(*) FROM a") == "1"
    assert [row["status"] for row in kedge.lines("migrate", "status")] == ["applied", "pending", "pending"]
    kedge("undo", "--yes")
    assert database.tables() == "a,b,c" and database.ask("SELECT count(*) FROM a") == "0"
    rows = kedge.lines("migrate", "status")
    assert [row["status"] for row in rows] == ["applied", "applied", "failed"]
    kedge("migrate", "down", "--restore", "--yes")
    write(kedge, "20240101000003_c.sql", "CREATE TABLE c (x INT);\nDELETE FROM a;", options=OUTSIDE)
    kedge("migrate", "up", "--backup")
    assert database.tables() == "a,b,c"


def test_what_fails_in_its_transaction_stays_where_it_was(kedge, database):
    write(kedge, "20240101000002_b.sql", "CREATE TABLE b (x INT);")
    write(kedge, "20240101000003_c.sql", "CREATE TABLE c (x INT);\nINSERT INTO nowhere VALUES (1);")
    error = kedge("migrate", "up", "--backup", status=1).stderr
    assert "nothing of this migration is left" in error and "put back" not in error
    assert database.tables() == "a,b"
    kedge("migrate", "down", "--restore", "--yes")
    assert database.tables() == "a"


def test_without_a_backup_nothing_is_migrated(kedge, database):
    write(kedge, "20240101000002_b.sql", "CREATE TABLE b (x INT);")
    with open(kedge.path("file"), "w", encoding="utf-8"):
        pass
    with open(kedge.path("kedge.yaml"), "w", encoding="utf-8") as file:
        file.write(f"destinations:\n  local: {{ url: {kedge.path('file', 'folder')}, default: true }}\n")
    error = kedge("migrate", "up", "--backup", status=1).stderr
    assert "hint: nothing was migrated" in error, error
    assert database.tables() == "a"
    assert [row["status"] for row in kedge.lines("migrate", "status")] == ["applied", "pending"]


def test_killed_between_backup_and_migration(kedge, database, processes):
    write(kedge, "20240101000002_b.sql", "ALTER TABLE a ADD COLUMN y INT;\nCREATE TABLE b (x INT);")
    let_go = database.hold()
    process = kedge.start("migrate", "up", "--backup", "--lock-timeout", "30s")
    processes.append(process)
    deadline = time.monotonic() + 30
    while not (kedge.files() and any(row["status"] == "success" for row in backups(kedge))):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    time.sleep(0.3)
    process.send_signal(signal.SIGKILL)
    process.wait()
    database.end_sessions()
    let_go()
    assert database.tables() == "a"
    # A server takes a moment to see that its client is gone.
    deadline = time.monotonic() + 20
    while kedge("migrate", "up", "--backup", "--wait", "10s", status=None).returncode:
        assert time.monotonic() < deadline
    assert database.tables() == "a,b" and len(backups(kedge)) == 2
    kedge("migrate", "down", "--restore", "--yes")
    assert database.tables() == "a" and "y" not in database.ask(
        "SELECT sql FROM sqlite_master WHERE name = 'a'" if isinstance(database, Sqlite) else
        "SELECT string_agg(attname, ',') FROM pg_attribute WHERE attrelid = 'a'::regclass AND attnum > 0")


def test_a_run_that_goes_on_keeps_its_first_backup(kedge, database):
    broken = "CREATE TABLE b (x INT);\nINSERT INTO nowhere VALUES (1);"
    write(kedge, "20240101000002_b.sql", broken, options=OUTSIDE)
    kedge("migrate", "up", "--backup", status=1)
    kedge("undo", "--yes")
    assert database.tables() == "a,b"
    write(kedge, "20240101000002_b.sql", "CREATE TABLE b (x INT);\nINSERT INTO b VALUES (1);", options=OUTSIDE)
    kedge("migrate", "up")
    kedge("migrate", "down", "--restore", "--yes")
    assert database.tables() == "a"


def test_a_configured_target_and_an_encrypted_backup(kedge, database):
    write(kedge, "20240101000002_b.sql", "CREATE TABLE b (x INT);\nINSERT INTO nowhere VALUES (1);", options=OUTSIDE)
    key = kedge("keygen", "--output", "key.txt")
    recipient = re.search(r"age1\w+", key.stdout + key.stderr).group(0)
    with open(kedge.path("kedge.yaml"), "w", encoding="utf-8") as file:
        file.write(f"targets:\n  main:\n    url: {database.url}\n    encrypt: [{recipient}]\n")
    error = kedge("migrate", "up", "--backup", "--target", "main", status=1).stderr
    assert "--identity" in error and database.tables() == "a"
    error = kedge("migrate", "up", "--backup", "--target", "main", "--identity", "key.txt", status=1).stderr
    assert "put back to backup" in error and database.tables() == "a"


def test_interrupted_half_way_names_both_ways(kedge, database, processes):
    slow = "SELECT pg_sleep(20);\n" if isinstance(database, Postgres) else (
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200000) SELECT max(i) FROM n;\n" * 500)
    write(kedge, "20240101000002_b.sql", f"CREATE TABLE b (x INT);\n{slow}", options=OUTSIDE)
    process = kedge.start("migrate", "up", "--backup")
    processes.append(process)
    deadline = time.monotonic() + 30
    while database.tables() != "a,b":
        assert time.monotonic() < deadline
        time.sleep(0.05)
    time.sleep(0.3)
    process.send_signal(signal.SIGTERM)
    error = process.communicate(timeout=20)[1]
    assert process.returncode == 130 and "backup 1 is from before this run" in error, error
    told = kedge("migrate", "status").stderr
    assert "20240101000002 failed: " in told and "interrupted" in told
    assert re.search(r"20240101000002 is half done \(up \d+ of \d+\)", told) and "kedge migrate up goes on, kedge migrate down --restore goes back" in told
    assert backups(kedge)[0]["id"] in told and kedge.lines("migrate", "status")[-1]["backup_id"] == backups(kedge)[0]["id"]
    kedge("migrate", "down", "--restore", "--yes")
    assert database.tables() == "a"


def test_mariadb_is_refused_before_anything_runs(kedge, mariadb):
    kedge.environment["DATABASE_URL"] = mariadb.fresh()
    write(kedge, "20240101000001_a.sql", "CREATE TABLE a (x INT);")
    error = kedge("migrate", "up", "--backup", status=2).stderr
    assert "this kedge cannot back up mysql databases" in error and "without --backup" in error
    assert mariadb.sql("SHOW TABLES", "shop") == ""
    assert not os.path.exists(kedge.path("home", "catalog.db"))
