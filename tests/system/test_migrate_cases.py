"""Files that migration tools stumble over, run up and down on the servers they are for.

A case is a folder of migrations and what the database answers after `up`; after `down` of all of them nothing may be left that
was not there before.
"""
import os
import re
import sqlite3
import time
from typing import NamedTuple

import pytest

LEFT = {
    "sqlite": "SELECT group_concat(name, ' ') FROM sqlite_master WHERE name NOT LIKE '%schema_migrations%' AND name NOT LIKE 'sqlite_%'",
    "postgres": "SELECT string_agg(what, ' ') FROM (SELECT relname FROM pg_class WHERE relnamespace::regnamespace::text !~ '^(pg_|information)' "
                "AND relname !~ 'schema_migrations' UNION ALL SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace "
                "UNION ALL SELECT nspname FROM pg_namespace WHERE nspname !~ '^(pg_|information|public)') AS all_of(what)",
    "mariadb": "SELECT GROUP_CONCAT(what SEPARATOR ' ') FROM (SELECT table_name AS what FROM information_schema.tables WHERE table_schema = "
               "DATABASE() AND table_name <> 'schema_migrations' UNION ALL SELECT routine_name FROM information_schema.routines WHERE "
               "routine_schema = DATABASE() UNION ALL SELECT event_name FROM information_schema.events WHERE event_schema = DATABASE()) AS a",
}


class Case(NamedTuple):
    engine: str
    name: str
    files: list  # (up, down) or (up, down, what stands behind the directives)
    ask: str
    answer: str


def case(engine, name, up, down, ask, answer, options=""):
    return Case(engine, name, [(up, down, options)], ask, answer)


CASES = [
    # ---- settings of a file: the history is found all the same, and the next file does not see them ----
    Case("postgres", "an empty search_path, as pg_dump writes it", [
        ("SET client_encoding = 'UTF8';\nSELECT pg_catalog.set_config('search_path', '', false);\nSET row_security = off;\n"
         "CREATE TABLE public.a (id integer);", "DROP TABLE public.a;"),
        ("CREATE TABLE b (id integer);", "DROP TABLE b;"),
    ], "SELECT to_regclass('public.a') IS NOT NULL AND to_regclass('public.b') IS NOT NULL", "t"),
    Case("postgres", "another search_path", [
        ("CREATE SCHEMA app;\nSET search_path TO app;\nCREATE TABLE a (id int);\nCREATE TABLE schema_migrations (x int);",
         "DROP SCHEMA app CASCADE;"),
        ("CREATE TABLE b (id int);", "DROP TABLE b;"),
    ], "SELECT to_regclass('app.a') IS NOT NULL AND to_regclass('public.b') IS NOT NULL", "t"),
    Case("postgres", "another role", [
        ("GRANT ALL ON SCHEMA public TO clerk;\nSET ROLE clerk;\nCREATE TABLE a (id int);", "SET ROLE clerk;\nDROP TABLE a;"),
        ("SET SESSION AUTHORIZATION clerk;\nCREATE TEMP TABLE t (id int);", "SELECT 1;"),
        ("CREATE TEMP TABLE t (id int);\nCREATE TABLE b (id int);", "DROP TABLE b;"),
    ], "SELECT string_agg(tableowner, ' ' ORDER BY tablename) FROM pg_tables WHERE tablename IN ('a', 'b')", "clerk postgres"),
    Case("postgres", "another role outside of a transaction", [
        ("GRANT ALL ON SCHEMA public TO clerk;\nSET ROLE clerk;\nCREATE TABLE a (id int);\nCREATE INDEX CONCURRENTLY i ON a (id);\n"
         "INSERT INTO a VALUES (1);", "SET ROLE clerk;\nDROP INDEX CONCURRENTLY i;\nDROP TABLE a;", " notransaction"),
    ], "SELECT count(*) FROM a", "1"),
    Case("postgres", "an empty search_path outside of a transaction", [
        ("SELECT pg_catalog.set_config('search_path', '', false);\nCREATE TABLE public.a (id int);\n"
         "CREATE INDEX CONCURRENTLY i ON public.a (id);", "DROP TABLE public.a;", " notransaction"),
    ], "SELECT count(*) FROM a", "0"),
    Case("postgres", "locks that are let go", [
        ("SELECT pg_advisory_unlock_all();\nCREATE TABLE a (id int);", "SELECT pg_advisory_unlock_all();\nDROP TABLE a;"),
        ("DISCARD ALL;\nCREATE TABLE b (id int);", "DISCARD ALL;\nDROP TABLE b;", " notransaction"),
        ("CREATE TABLE c (id int);", "DROP TABLE c;"),
    ], "SELECT count(*) FROM a, b, c", "0"),
    Case("mariadb", "another database", [
        ("CREATE DATABASE elsewhere;\nUSE elsewhere;\nCREATE TABLE a (id int);", "DROP DATABASE elsewhere;"),
        ("CREATE TABLE b (id int);", "DROP TABLE b;"),
    ], "SELECT COUNT(*) FROM elsewhere.a, shop.b", "0"),
    Case("mariadb", "another sql_mode", [
        ("SET sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES';\nCREATE TABLE \"a;b\" (x text);\nINSERT INTO \"a;b\" VALUES ('\\');",
         "DROP TABLE `a;b`;"),
        ("INSERT INTO `a;b` VALUES (\"it\\'s; so\");", "DELETE FROM `a;b`;"),
    ], "SELECT GROUP_CONCAT(x ORDER BY x SEPARATOR ' ') FROM `a;b`", "it's; so \\\\"),
    Case("sqlite", "temporary tables and attached files", [
        ("ATTACH ':memory:' AS other;\nCREATE TEMP TABLE t (x);\nPRAGMA legacy_alter_table = ON;", "SELECT 1;", " notransaction"),
        ("ATTACH ':memory:' AS other;\nCREATE TEMP TABLE t (x);\nDETACH other;", "SELECT 1;", " notransaction"),
        ("CREATE TABLE p (id INTEGER PRIMARY KEY);\nCREATE TABLE c (p REFERENCES p);\nALTER TABLE p RENAME TO q;",
         "DROP TABLE c;\nDROP TABLE q;"),
    ], "SELECT sql FROM sqlite_master WHERE name = 'c'", 'CREATE TABLE c (p REFERENCES "q")'),
    case("postgres", "backslashes of old", "SET standard_conforming_strings = off;\nSET escape_string_warning = off;\n"
         "CREATE TABLE a (x text);\nINSERT INTO a VALUES ('it\\'s; so');\nSET standard_conforming_strings = on;\n"
         "INSERT INTO a VALUES ('c:\\');", "DROP TABLE a;", "SELECT string_agg(x, ' ' ORDER BY x) FROM a", "c:\\ it's; so"),
    # ---- transactions of a file's own ----
    case("postgres", "one BEGIN and COMMIT", "BEGIN;\nCREATE TABLE a (id int);\nCOMMIT;", "BEGIN WORK;\nDROP TABLE a;\nEND;",
         "SELECT count(*) FROM a", "0"),
    case("sqlite", "the recipe for a new table", "PRAGMA foreign_keys = OFF;\nBEGIN TRANSACTION;\nCREATE TABLE a (id int);\n"
         "PRAGMA foreign_key_check;\nCOMMIT;\nPRAGMA foreign_keys = ON;", "BEGIN;\nDROP TABLE a;\nEND TRANSACTION;",
         "SELECT count(*) FROM a", "0"),
    case("mariadb", "a transaction beside DDL", "SET AUTOCOMMIT = 0;\nSTART TRANSACTION;\nCREATE TABLE a (id int);\n"
         "INSERT INTO a VALUES (1);\nCOMMIT;\nSTART TRANSACTION;\nINSERT INTO a VALUES (2);\nROLLBACK;", "DROP TABLE a;",
         "SELECT GROUP_CONCAT(id) FROM a", "1"),
    case("mariadb", "locked tables, as mysqldump writes them", "CREATE TABLE a (id int);\nLOCK TABLES `a` WRITE;\n"
         "/*!40000 ALTER TABLE `a` DISABLE KEYS */;\nINSERT INTO `a` VALUES (1),(2);\n/*!40000 ALTER TABLE `a` ENABLE KEYS */;\n"
         "UNLOCK TABLES;\nINSERT INTO a VALUES (3);", "DROP TABLE a;", "SELECT SUM(id) FROM a", "6"),
    case("mariadb", "tables locked to the end", "CREATE TABLE a (id int);\nLOCK TABLES a READ;\nSELECT * FROM a;", "DROP TABLE a;",
         "SELECT COUNT(*) FROM a", "0"),
    case("mariadb", "an XA transaction", "CREATE TABLE a (id int);\nXA START 'x';\nINSERT INTO a VALUES (1);\nXA END 'x';\n"
         "XA PREPARE 'x';\nXA COMMIT 'x';", "DROP TABLE a;", "SELECT COUNT(*) FROM a", "1", " notransaction"),
    case("postgres", "what its transaction is to be", "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE;\nSET TRANSACTION DEFERRABLE;\n"
         "CREATE TABLE a AS SELECT current_setting('transaction_isolation') AS x;", "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ;\n"
         "DROP TABLE a;", "SELECT x FROM a", "serializable"),
    case("postgres", "what its own transaction is to be, with rows", "BEGIN;\nSET TRANSACTION ISOLATION LEVEL REPEATABLE READ;\n"
         "CREATE TABLE a (x text);\nCOPY a FROM stdin;\none\n\\.\nINSERT INTO a SELECT current_setting('transaction_isolation');\nCOMMIT;",
         "DROP TABLE a;", "SELECT string_agg(x, ' ' ORDER BY x) FROM a", "one repeatable read"),
    # The server shows its transactions as they were up to a tenth of a second ago.
    Case("mariadb", "what its transaction is to be", [
        ("CREATE TABLE a (x text);\nDO SLEEP(0.15);", "DROP TABLE a;"),
        ("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE;\nINSERT INTO a SELECT trx_isolation_level FROM information_schema.innodb_trx "
         "WHERE trx_mysql_thread_id = connection_id();", "SET TRANSACTION ISOLATION LEVEL READ COMMITTED;\nDELETE FROM a;"),
    ], "SELECT x FROM a", "SERIALIZABLE"),
    case("postgres", "rows to nobody", "CREATE TABLE a (id int);\nCOPY a TO STDOUT;\nCOPY (SELECT generate_series(1, 100000)) TO STDOUT;\n"
         "SELECT generate_series(1, 1000);", "DROP TABLE a;", "SELECT count(*) FROM a", "0"),
]


class Place:
    """A fresh database, and its own client's answers."""

    def __init__(self, kedge, request, engine):
        self.engine, self.path = engine, kedge.path("app.db")
        self.server = None if engine == "sqlite" else request.getfixturevalue(engine)
        kedge.environment["DATABASE_URL"] = self.server.fresh() if self.server else "sqlite:" + self.path
        if engine == "postgres":
            self.ask("DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'clerk') THEN CREATE ROLE clerk LOGIN; END IF; END $$")

    def ask(self, sql):
        if self.server:
            return self.server.sql(sql, "shop").strip()
        db = sqlite3.connect(self.path)
        answer = db.execute(sql).fetchone()
        db.close()
        return "" if answer is None or answer[0] is None else str(answer[0])

    def left(self):
        return self.ask(LEFT[self.engine]).replace("NULL", "")


def write(kedge, files):
    os.makedirs(kedge.path("migrations"), exist_ok=True)
    for number, (up, down, *options) in enumerate(files, 1):
        behind = "".join(options)
        with open(kedge.path("migrations", f"202401010000{number:02}_case.sql"), "w", encoding="utf-8", newline="") as file:
            file.write(f"-- +migrate Up{behind}\n{up}\n" + (f"-- +migrate Down{behind}\n{down}\n" if down else ""))


def up_and_down(kedge, request, it):
    """The place, where everything is gone again."""
    place = Place(kedge, request, it.engine)
    write(kedge, it.files)
    kedge("migrate", "up")
    assert place.ask(it.ask) == it.answer
    kedge("migrate", "reset", "--yes")
    assert place.left() == ""
    return place


@pytest.mark.parametrize("it", CASES, ids=lambda it: f"{it.engine}: {it.name}")
def test_case_up_and_down(kedge, request, it):
    place = up_and_down(kedge, request, it)
    kedge("migrate", "up")
    assert place.ask(it.ask) == it.answer


# ---- what fails ----

class Failure(NamedTuple):
    engine: str
    name: str
    wrong: str  # the way up, which fails
    right: str  # the same, corrected
    error: str
    ask: str
    left: str  # what the database answers in between
    answer: str  # and after all
    options: str = ""


FAILURES = [
    Failure("postgres", "in a transaction of the file's own",
            "CREATE TABLE a (id int);\nBEGIN;\nINSERT INTO a VALUES (1);\nINSERT INTO a VALUES ('x');\nCOMMIT;",
            "CREATE TABLE a (id int);\nBEGIN;\nINSERT INTO a VALUES (1);\nINSERT INTO a VALUES (2);\nCOMMIT;",
            "the first 1 statement is in the database", "SELECT count(*) FROM a", "0", "2", " notransaction"),
    Failure("sqlite", "in a transaction of the file's own",
            "CREATE TABLE a (id int);\nBEGIN;\nINSERT INTO a VALUES (1);\nINSERT INTO b VALUES ('x');\nCOMMIT;",
            "CREATE TABLE a (id int);\nBEGIN;\nINSERT INTO a VALUES (1);\nINSERT INTO a VALUES (2);\nCOMMIT;",
            "the first 1 statement is in the database", "SELECT count(*) FROM a", "0", "2", " notransaction"),
    Failure("mariadb", "in a transaction of the file's own",
            "CREATE TABLE a (id int);\nSTART TRANSACTION;\nINSERT INTO a VALUES (1);\nINSERT INTO b VALUES ('x');\nCOMMIT;",
            "CREATE TABLE a (id int);\nSTART TRANSACTION;\nINSERT INTO a VALUES (1);\nINSERT INTO a VALUES (2);\nCOMMIT;",
            "the first 1 statement is in the database", "SELECT count(*) FROM a", "0", "2"),
    Failure("postgres", "a transaction that is not ended", "CREATE TABLE a (id int);\nBEGIN;\nINSERT INTO a VALUES (1);",
            "CREATE TABLE a (id int);\nBEGIN;\nINSERT INTO a VALUES (1);\nCOMMIT;", "is open at its end; the first 1 statement",
            "SELECT count(*) FROM a", "0", "1", " notransaction"),
    Failure("mariadb", "tables that are locked", "CREATE TABLE a (id int);\nLOCK TABLES a WRITE;\nINSERT INTO a VALUES (1);\n"
            "INSERT INTO b VALUES (1);\nUNLOCK TABLES;", "CREATE TABLE a (id int);\nLOCK TABLES a WRITE;\nINSERT INTO a VALUES (1);\n"
            "INSERT INTO a VALUES (2);\nUNLOCK TABLES;", "the first 3 statements are in the database", "SELECT COUNT(*) FROM a", "1", "2"),
    Failure("mariadb", "a procedure that defines", "CREATE PROCEDURE p() BEGIN CREATE TABLE a (id int); END;\nCALL p();\n"
            "INSERT INTO b VALUES (1);", "CREATE PROCEDURE p() BEGIN CREATE TABLE a (id int); END;\nCALL p();\nINSERT INTO a VALUES (1);",
            "the first 2 statements are in the database", "SELECT COUNT(*) FROM a", "0", "1"),
    Failure("mariadb", "a definition in a text", "SET @s = 'CREATE TABLE a (id int)';\nPREPARE s FROM @s;\nEXECUTE s;\n"
            "INSERT INTO b VALUES (1);", "SET @s = 'CREATE TABLE a (id int)';\nPREPARE s FROM @s;\nEXECUTE s;\nINSERT INTO a VALUES (1);",
            "the first 3 statements are in the database", "SELECT COUNT(*) FROM a", "0", "1"),
    Failure("mariadb", "definitions in a block", "BEGIN NOT ATOMIC\n  CREATE TABLE a (id int);\n  INSERT INTO a VALUES (7);\nEND;\n"
            "INSERT INTO b VALUES (1);", "BEGIN NOT ATOMIC\n  CREATE TABLE a (id int);\n  INSERT INTO a VALUES (7);\nEND;\n"
            "INSERT INTO a VALUES (1);", "the first 1 statement is in the database", "SELECT COUNT(*) FROM a", "1", "2"),
    Failure("postgres", "after another search_path", "CREATE SCHEMA app;\nSET search_path = app;\nCREATE TABLE a (id int);\n"
            "CREATE INDEX CONCURRENTLY i ON b (id);", "CREATE SCHEMA app;\nSET search_path = app;\nCREATE TABLE a (id int);\n"
            "CREATE INDEX CONCURRENTLY i ON a (id);", "the first 3 statements are in the database", "SELECT count(*) FROM app.a", "0", "0",
            " notransaction"),
    Failure("mariadb", "after another mode", "SET sql_mode = 'ANSI_QUOTES';\nSET @x = 5;\nCREATE TABLE a (id int);\n"
            'INSERT INTO "b" VALUES (@x);', "SET sql_mode = 'ANSI_QUOTES';\nSET @x = 5;\nCREATE TABLE a (id int);\n"
            'INSERT INTO "a" VALUES (@x);', "the first 3 statements are in the database", "SELECT COALESCE(SUM(id), 0) FROM a", "0", "5"),
]


@pytest.mark.parametrize("it", FAILURES, ids=lambda it: f"{it.engine}: {it.name}")
def test_case_that_fails_goes_on_where_it_failed(kedge, request, it):
    place = Place(kedge, request, it.engine)
    write(kedge, [(it.wrong, None, it.options)])
    assert it.error in kedge("migrate", "up", status=1).stderr
    assert [row["status"] for row in kedge.lines("migrate", "status")] == ["failed"]
    assert place.ask(it.ask) == it.left
    write(kedge, [(it.right, None, it.options)])
    kedge("migrate", "up")
    assert place.ask(it.ask) == it.answer


REFUSED = [  # what would run a Down section on the way up if it were a comment
    ("-- +migrate Up\nCREATE TABLE a (id int);\n-- +goose Down\nDROP TABLE a;\n", ":3:1: not a directive: \"-- +goose Down\": it is one of another tool"),
    ("-- +migrate Up\nCREATE TABLE a (id int);\n-- migrate:down\nDROP TABLE a;\n", ":3:1: not a directive: \"-- migrate:down\": it is one of another tool"),
    ("-- +goose Up\nCREATE TABLE a (id int);\n-- +migrate Down\nDROP TABLE a;\n", ":3:1: not a directive"),
    ("-- +migrate Up\nCREATE TABLE a (id int);\n-- +migration Down\nDROP TABLE a;\n", ":3:1: not a directive: \"-- +migration Down\": it is spelt -- +migrate"),
    ("-- +migrate Up\nCREATE TABLE a (id int);\n-- +Down\nDROP TABLE a;\n", ":3:1: not a directive: \"-- +Down\": it is spelt -- +migrate"),
    ("-- +migrate Up\nCREATE TABLE a (id int); -- +migrate Down\nDROP TABLE a;\n", "a directive stands on a line of its own"),
    ("-- +migrate Up\nCREATE TRIGGER r AFTER INSERT ON a BEGIN\n-- +migrate Down\nSELECT 1;\nEND;\n", "a directive within an open body"),
]


@pytest.mark.parametrize("mark", ["# +migrate Down", "#+migrate Down", "# migrate:down", "# +goose Down"])
def test_a_directive_after_another_sign_is_no_comment(kedge, request, mark):
    """MariaDB takes it for a comment: what stands below would run on the way up."""
    place = Place(kedge, request, "mariadb")
    os.makedirs(kedge.path("migrations"))
    with open(kedge.path("migrations", "20240101000001_case.sql"), "w", encoding="utf-8") as file:
        file.write(f"-- +migrate Up\n# a comment\n#\nCREATE TABLE a (id int); # and one\n{mark}\nDROP TABLE a;\n")
    assert f'.sql:5:1: not a directive: "{mark}"' in kedge("migrate", "up", status=1).stderr
    assert place.left() == ""


@pytest.mark.parametrize("engine", ["sqlite", "postgres", "mariadb"])
@pytest.mark.parametrize("block", ["/* +migrate Down */", "/*+migrate Down*/", "/* +goose Down */", "/** migrate:down **/", "/*\n * +migrate Down\n */",
                                   "/* +goose StatementBegin */"])
def test_a_directive_in_a_block_is_no_comment(kedge, request, engine, block):
    """To sql-migrate and goose it is one, so what stands below runs on the way up."""
    place = Place(kedge, request, engine)
    os.makedirs(kedge.path("migrations"))
    path = kedge.path("migrations", "20240101000001_case.sql")
    with open(path, "w", encoding="utf-8") as file:
        file.write(f"-- +migrate Up\n/* +1 a comment */\nCREATE TABLE a (id int); /* and one */\n{block}\nDROP TABLE a;\n")
    assert '.sql:4:1: not a directive: "/*' in kedge("migrate", "up", status=1).stderr
    assert "a directive begins with --" in kedge("migrate", "lint", status=1).stderr
    assert place.left() == ""
    with open(path, "w", encoding="utf-8") as file:
        file.write(f"-- +migrate Up\nCREATE TABLE a (v varchar(99) DEFAULT '{block}');\n/* Down is below, see +migrate */\n-- +migrate Down\n"
                   "DROP TABLE a;\n")
    kedge("migrate", "up")


@pytest.mark.parametrize("text,error", REFUSED)
def test_a_directive_that_is_none_is_no_comment(kedge, request, text, error):
    place = Place(kedge, request, "sqlite")
    os.makedirs(kedge.path("migrations"))
    with open(kedge.path("migrations", "20240101000001_case.sql"), "w", encoding="utf-8") as file:
        file.write(text)
    assert error in kedge("migrate", "up", status=1).stderr
    assert place.left() == ""


# ---- a server that goes away ----

@pytest.mark.parametrize("engine,options", [("postgres", ""), ("postgres", " notransaction"), ("mariadb", "")])
def test_a_server_that_is_restarted_in_the_middle(kedge, request, processes, engine, options):
    """Nothing runs twice, and the next run finishes, or asks once what it cannot know."""
    place = Place(kedge, request, engine)
    sleep = "SELECT pg_sleep(s) FROM slow" if engine == "postgres" else "SELECT SLEEP(s) FROM slow"
    place.ask("CREATE TABLE slow (s int)")
    place.ask("INSERT INTO slow VALUES (60)")
    inserts = [f"INSERT INTO a VALUES ({i});" for i in range(20)]
    write(kedge, [("CREATE TABLE a (id int);\n" + "\n".join(inserts[:10]) + f"\n{sleep};\n" + "\n".join(inserts[10:]), None, options)])
    process = kedge.start("migrate", "up")
    processes.append(process)
    running = ("SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep%' AND state = 'active' AND pid <> pg_backend_pid()"
               if engine == "postgres" else
               "SELECT COUNT(*) FROM information_schema.processlist WHERE info LIKE '%SLEEP(s)%' AND id <> CONNECTION_ID()")
    while place.ask(running) == "0":
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)
    place.server.restart()
    errors = process.communicate(timeout=60)[1]
    assert process.returncode == 1, errors
    assert "connection" in errors or "server" in errors.lower(), errors
    place.ask("DELETE FROM slow")
    run = kedge("migrate", "up", status=None)
    if run.returncode == 6:
        assert "--ran" in run.stderr and "--not-run" in run.stderr, run.stderr
        kedge("migrate", "repair", "20240101000001", "--not-run")
        run = kedge("migrate", "up")
    assert run.returncode == 0, run.stderr
    assert place.ask("SELECT COUNT(*) * 1000 + SUM(id) FROM a") == str(20 * 1000 + sum(range(20)))


# ---- new files in the folders of other tools ----

@pytest.mark.parametrize("there,made,begins", [
    ({"00001_a.sql": "-- +goose Up\nSELECT 1;\n-- +goose Down\n"}, r"00002_new_one\.sql", "-- +goose Up\n"),
    ({"20240101000001_a.sql": "-- +goose Up\nSELECT 1;\n"}, r"\d{14}_new_one\.sql", "-- +goose Up\n"),
    ({"20240101000001_a.sql": "-- migrate:up\nSELECT 1;\n-- migrate:down\n"}, r"\d{14}_new_one\.sql", "-- migrate:up\n"),
    ({"000009_a.up.sql": "SELECT 1;", "000009_a.down.sql": "SELECT 1;"}, r"000010_new_one\.up\.sql", "-- new one\n"),
    ({"V1__a.sql": "SELECT 1;", "V2_1__b.sql": "SELECT 1;", "R__r.sql": "SELECT 1;"}, r"V3__new_one\.sql", "-- new one\n"),
    ({"1_a.sql": "-- +migrate Up\nSELECT 1;\n-- +migrate Down\n"}, r"2_new_one\.sql", "-- +migrate Up\n"),
    ({"20240101000001_a.sql": "SELECT 1;", "20240101000002_a.sql": "SELECT 1;"}, r"\d{14}_new_one\.sql", "-- new one\n"),
    ({"00001_a.sql": "-- +goose Up\nSELECT 1;\n", "20240101000001_b.sql": "-- +migrate Up\nSELECT 1;\n"}, r"\d{14}_new_one\.sql", "-- +migrate Up\n"),
    ({"app.db": "", "notes.txt": ""}, r"\d{14}_new_one\.sql", "-- +migrate Up\n"),
])
def test_a_new_file_is_as_those_beside_it(kedge, request, there, made, begins):
    Place(kedge, request, "sqlite")
    os.makedirs(kedge.path("migrations"))
    for name, text in there.items():
        with open(kedge.path("migrations", name), "w", encoding="utf-8") as file:
            file.write(text)
    path = kedge("migrate", "create", "new one").stdout.strip()
    assert re.fullmatch("migrations/" + made, path), path
    with open(kedge.path(path), encoding="utf-8") as file:
        first, rest = file.read().split("\n", 1)
    assert first + "\n" == begins
    if ".up." in path:
        assert os.path.exists(kedge.path(path.replace(".up.", ".down.")))
    with open(kedge.path(path), "w", encoding="utf-8") as file:
        file.write(f"{first}\nSELECT 1;\n{rest}")
    run = kedge("migrate", "up")
    assert "warning" not in run.stderr, run.stderr
    assert {row["status"] for row in kedge.lines("migrate", "status")} == {"applied"}


@pytest.mark.parametrize("there", [{}, {"00001_a.sql": "-- +goose Up\nSELECT 1;\n"}, {"1_a.up.sql": "SELECT 1;", "1_a.down.sql": "SELECT 1;"}])
@pytest.mark.parametrize("name", ["down", "Undo", "+migrate Down", "+goose Down", "migrate:down", "migrate Up", "+migrate StatementBegin",
                                  "+migrat up", "no-transaction please", "ROLLBACK"])
def test_a_name_that_reads_like_a_directive_stays_a_comment(kedge, request, there, name):
    place = Place(kedge, request, "sqlite")
    os.makedirs(kedge.path("migrations"))
    for file_name, text in there.items():
        with open(kedge.path("migrations", file_name), "w", encoding="utf-8") as file:
            file.write(text)
    path = kedge.path(kedge("migrate", "create", "--name=" + name).stdout.strip())
    with open(path, encoding="utf-8") as file:
        text = file.read()
    with open(path, "w", encoding="utf-8") as file:
        file.write(text.replace("\n\n", "\n\nCREATE TABLE a (id INTEGER);\n", 1))
    kedge("migrate", "up")
    assert place.ask("SELECT COUNT(*) FROM a") == "0"


def test_create_takes_the_words_of_goose(kedge):
    assert kedge("migrate", "create", "users", "sql").stdout.endswith("_users.sql\n")
    assert 'hint: kedge migrate create --name="add users"' in kedge("migrate", "create", "add", "users", status=2).stderr


@pytest.mark.parametrize("engine", ["postgres", "mariadb"])
def test_the_scratch_database_of_a_killed_verify_goes_with_the_next(kedge, request, processes, engine):
    place = Place(kedge, request, engine)
    sleep = "SELECT pg_sleep(60)" if engine == "postgres" else "SELECT SLEEP(60)"
    scratch = ("SELECT COUNT(*) FROM pg_database WHERE datname LIKE 'kedge_verify_%'" if engine == "postgres" else
               "SELECT COUNT(*) FROM information_schema.schemata WHERE schema_name LIKE 'kedge_verify_%'")
    sleeping = ("SELECT COUNT(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%'" if engine == "postgres" else
                "SELECT COUNT(*) FROM information_schema.processlist WHERE info LIKE 'SELECT SLEEP(60)%'")
    write(kedge, [(f"CREATE TABLE a (id int);\n{sleep};", "DROP TABLE a;")])
    process = kedge.start("migrate", "verify")
    processes.append(process)
    while place.ask(sleeping) == "0":
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)
    process.kill()
    process.wait()
    assert place.ask(scratch) == "1"
    write(kedge, [("CREATE TABLE a (id int);", "DROP TABLE a;")])
    kedge("migrate", "verify")
    assert place.ask(scratch) == "0"
