"""kedge migrate as a person or a script meets it: on SQLite, and on PostgreSQL and MariaDB where their servers are
installed."""
import json
import os
import re
import signal
import sqlite3
import threading
import time

import pytest


def write(kedge, name, up, down=None, options=""):
    folder = kedge.path("migrations")
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
        file.write(f"-- +migrate Up{options}\n{up}\n")
        if down is not None:
            file.write(f"-- +migrate Down{options}\n{down}\n")


def write_three(kedge):
    write(kedge, "20240101000001_create_users.sql", "CREATE TABLE users (id INT);", "DROP TABLE users;")
    write(kedge, "20240101000002_create_posts.sql", "CREATE TABLE posts (id INT);", "DROP TABLE posts;")
    write(kedge, "20240101000003_add_likes.sql", "CREATE TABLE likes (id INT);", "DROP TABLE likes;")


@pytest.fixture
def site(kedge):
    """kedge with DATABASE_URL set to a SQLite file that is not there yet."""
    kedge.environment["DATABASE_URL"] = "sqlite:" + kedge.path("app.db")
    return kedge


# ---- the document's words ----

def test_status_shows_the_table_and_creates_nothing(site):
    write_three(site)
    lines = site("migrate", "status").stdout.splitlines()
    assert lines[0].split("  ")[0] == "VERSION"
    assert re.split(r"\s{2,}", lines[0]) == ["VERSION", "STATUS", "NAME", "APPLIED AT", "EXECUTION TIME"]
    assert re.split(r"\s{2,}", lines[1]) == ["20240101000001", "pending", "create users", "-", "-"]
    assert not os.path.exists(site.path("app.db"))
    site("migrate", "status", "--exit-code", status=3)
    site("migrate", "up")
    site("migrate", "status", "--exit-code")
    fields = re.split(r"\s{2,}", site("migrate", "status").stdout.splitlines()[1])
    assert fields[1:3] == ["applied", "create users"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", fields[3]) and re.fullmatch(r"\d+ms", fields[4])


@pytest.mark.parametrize("mode", ["wal", "delete", "persist", "truncate"])
def test_a_database_is_left_as_closing_leaves_it(site, mode):
    database = sqlite3.connect(site.path("app.db"))
    database.execute(f"PRAGMA journal_mode={mode}")
    database.execute("CREATE TABLE before (id INT)")
    database.close()
    write_three(site)
    for action in ("up", "status", "up"):
        site("migrate", action)
        left = [suffix for suffix in ("-wal", "-shm", "-journal") if os.path.exists(site.path("app.db" + suffix))]
        assert left == []
    assert site("migrate", "version").stdout == "20240101000003\n"


def test_the_spellings_of_the_document_work(site):
    path = site("migrate", "create", '-name=add user indexes').stdout.strip()
    assert re.fullmatch(r"migrations/\d{14}_add_user_indexes\.sql", path)
    second = site("migrate", "create", "--name", "add user indexes").stdout.strip()
    assert second > path
    os.unlink(site.path(path)), os.unlink(site.path(second))
    write_three(site)
    site("migrate", "up", "-version=20240101000002")
    assert site("migrate", "version").stdout == "20240101000002\n"
    site("migrate", "up", "-migrations", "migrations")
    site("migrate", "down", "-version=20240101000001", "--yes")
    assert site("migrate", "version").stdout == "20240101000001\n"


@pytest.mark.parametrize("words", ["migrate -version=V up -config=F", "migrate -config=F up --version V", "-config F migrate up -version V",
                                   "--config=F migrate --version=V up", "-version V -config F migrate up"])
def test_options_stand_before_between_or_after_the_words(kedge, words):
    write_three(kedge)
    with open(kedge.path("config.production.yaml"), "w", encoding="utf-8") as file:
        file.write("migrations: { target: 'sqlite:production.db' }\n")
    kedge(*words.replace("V", "20240101000002").replace("F", "config.production.yaml").split())
    assert kedge("-config", "config.production.yaml", "migrate", "version").stdout == "20240101000002\n"
    assert os.path.exists(kedge.path("production.db"))


def test_a_dry_run_of_what_marks_writes_nothing_and_says_what_would_be(site):
    write_three(site)
    site("migrate", "up", "-version=20240101000002")
    before = site.lines("migrate", "status")
    one, two, three = "20240101000001", "20240101000002", "20240101000003"
    assert "applied would become rollback" in site("migrate", "force", two, "--status", "rollback", "--dry-run").stdout
    assert "1 migration up to 20240101000003 would be marked" in site("migrate", "baseline", three, "-n").stdout
    write(site, f"{one}_create_users.sql", "CREATE TABLE users (id BIGINT);", "DROP TABLE users;")
    assert "would repair 20240101000001: checksum" in site("migrate", "repair", "-n").stdout
    assert "would repair" in site("migrate", "repair", env={"KEDGE_DRY_RUN": "true"}).stdout
    site("migrate", "up", status=4)
    write_three(site)
    assert site.lines("migrate", "status") == before
    site("migrate", "create", "x", "--dry-run", status=2)
    assert len(os.listdir(site.path("migrations"))) == 3


def test_what_marks_prints_one_object(site):
    write_three(site)
    site("migrate", "up", "-version=20240101000001")
    forced = site.json("migrate", "force", "20240101000001", "--status", "rollback", "--dry-run")
    assert forced.pop("by")
    assert forced == {"version": "20240101000001", "status": "rollback", "was": "applied", "dry_run": True}
    assert site.json("migrate", "force", "20240101000001", "--status", "failed")["dry_run"] is False
    marked = site.json("migrate", "baseline", "20240101000002")
    assert (marked["version"], marked["status"], marked["marked"]) == ("20240101000002", "applied", 2)
    assert site.lines("migrate", "repair") == []
    write(site, "20240101000001_create_users.sql", "CREATE TABLE users (id BIGINT);", "DROP TABLE users;")
    repaired, = site.lines("migrate", "repair", "20240101000001")
    sums = {row["version"]: row["checksum"] for row in site.lines("migrate", "status")}
    assert repaired["checksum"] == sums["20240101000001"] != repaired["was"] and len(repaired["was"]) == 64


def test_a_settled_statement_is_one_object(site):
    write(site, "20240101000001_a.sql", "CREATE TABLE a (x);\nVACUUM;\nCREATE TABLE b (x);", options=" notransaction")
    site("migrate", "up")
    connection = sqlite3.connect(site.path("app.db"))
    connection.execute("UPDATE schema_migrations SET status = 'pending', progress = "
                       "'up 0 of 3, 1 begun, e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'")
    connection.commit()
    connection.close()
    assert site("migrate", "up", "--json", status=6).stdout == ""
    settled, = site.lines("migrate", "repair", "20240101000001", "--ran")
    assert (settled["version"], settled["next_statement"]) == ("20240101000001", 2)


# Each with what it prints on a fresh database, on one that is up to date, tried and in earnest.
@pytest.mark.parametrize("words", ["up", "up --backup", "up -n", "down", "down --restore --yes", "down -n", "status", "status -v", "version",
                                   "create --name=x", "create", "reset --yes", "reset -n", "refresh --yes", "refresh -n", "redo",
                                   "redo -n", "force 20240101000001 --status applied", "force 7 --status applied", "force",
                                   "repair", "repair -n", "repair 20240101000001 --ran", "baseline 20240101000002", "lint",
                                   "lint --list-rules", "plan", "plan down", "verify", "verify --require-down", "import", "import --from goose"])
def test_nothing_but_json_stands_on_stdout(site, words):
    write_three(site)
    write(site, "20240101000004_drop.sql", "DROP TABLE likes;")
    write(site, "stray.sql", "SELECT 1;")
    for before in ([], ["up"], ["down", "-version=20240101000001", "--yes"]):
        if before:
            site("migrate", *before, status=None)
        for line in site("migrate", *words.split(), "--json", status=None).stdout.splitlines():
            assert isinstance(json.loads(line), dict), line


def test_an_option_wins_over_a_variable_and_that_over_the_file(kedge):
    write_three(kedge)
    with open(kedge.path("config.yaml"), "w", encoding="utf-8") as file:
        file.write("migrations:\n  target: sqlite:file.db\n")
    kedge("migrate", "up")
    assert os.path.exists(kedge.path("file.db"))
    with open(kedge.path(".env"), "w", encoding="utf-8") as file:
        file.write("DATABASE_URL=sqlite:dotenv.db\n")
    kedge("migrate", "up")
    assert os.path.exists(kedge.path("dotenv.db"))
    kedge("migrate", "up", env={"DATABASE_URL": "sqlite:real.db"})
    assert os.path.exists(kedge.path("real.db"))
    kedge("migrate", "up", "--target", "sqlite:option.db", env={"DATABASE_URL": "sqlite:none.db"})
    assert os.path.exists(kedge.path("option.db")) and not os.path.exists(kedge.path("none.db"))


def test_a_version_is_found_in_another_spelling(site):
    os.makedirs(site.path("migrations"))
    with open(site.path("migrations", "00007_seven.sql"), "w", encoding="utf-8") as file:
        file.write("-- +goose Up\nSELECT 1;\n-- +goose Down\nSELECT 1;\n")
    site("migrate", "up")
    assert "7: status applied is now rollback" in site("migrate", "force", "7", "--status", "rollback").stdout
    assert "7: status rollback is now applied" in site("migrate", "force", "7", "--status", "applied").stdout
    assert site.json("migrate", "force", "7", "--status", "applied")["version"] == "00007"
    assert site.json("migrate", "baseline", "7")["version"] == "00007"
    rows = site.lines("migrate", "status")
    assert [(row["version"], row["batch"]) for row in rows] == [("00007", 1)]
    assert "nothing to repair" in site("migrate", "repair", "7").stdout
    site("migrate", "down", "-version=7")
    site("migrate", "lint", "--dialect", "sqlite", "7")


def test_what_undoes_more_than_one_asks(site):
    write_three(site)
    site("migrate", "up")
    refused = site("migrate", "reset", status=7).stderr
    assert "no terminal" in refused and "hint: add --yes when it is meant" in refused
    assert "no terminal" in site("migrate", "down", "--steps", "2", status=7).stderr
    assert site("migrate", "version").stdout == "20240101000003\n"
    site("migrate", "down")
    site("migrate", "refresh", "--yes")
    site("migrate", "redo")
    site("migrate", "reset", "--yes")
    assert [row["status"] for row in site.lines("migrate", "status")] == ["rollback"] * 3


def test_a_changed_file_is_told_with_its_difference(site):
    write_three(site)
    site("migrate", "up")
    write(site, "20240101000002_create_posts.sql", "CREATE TABLE posts (id BIGINT);", "DROP TABLE posts;")
    error = site("migrate", "up", status=4).stderr
    assert error.startswith("kedge: error: Migration checksum mismatch for version 20240101000002: ")
    assert "\n  -CREATE TABLE posts (id INT)\n" in error and "\n  +CREATE TABLE posts (id BIGINT)\n" in error
    assert site("migrate", "plan", status=4).stderr == error
    assert "file changed" in site("migrate", "status").stdout
    site("migrate", "repair", "20240101000002")
    site("migrate", "up")


def test_a_failure_names_file_line_and_what_is_left(site):
    write_three(site)
    write(site, "20240101000002_create_posts.sql", "CREATE TABLE posts (id INT);\n\nINSERT INTO postz VALUES (1);")
    error = site("migrate", "up", status=1).stderr
    assert "20240101000002_create_posts.sql:4:1: statement 2 of 2 (INSERT INTO postz VALUES (1)): " in error
    assert "no such table: postz; nothing of this migration is left in the database" in error
    assert [row["status"] for row in site.lines("migrate", "status")] == ["applied", "failed", "pending"]


def test_plan_shows_each_statement_and_writes_nothing(site):
    write_three(site)
    write(site, "20240101000004_v.sql", "VACUUM;", options=" notransaction")
    plan = site.lines("migrate", "plan")
    assert [step["version"][-1] for step in plan] == list("1234")
    statement = plan[0]["statements"][0]
    assert (statement["line"], statement["sql"], statement["effect"]) == (
        2, "CREATE TABLE users (id INT)", "in the migration's transaction")
    assert plan[3]["statements"][0]["effect"] == "outside a transaction" and not plan[3]["reversible"]
    assert "20240101000002_create_posts.sql:2: CREATE TABLE posts (id INT) " in site("migrate", "plan").stdout
    assert "would apply 20240101000001" in site("migrate", "up", "--dry-run").stdout
    assert not os.path.exists(site.path("app.db"))


def test_a_dry_run_of_undoing_and_applying_again_tells_both(site):
    write_three(site)
    assert site("migrate", "refresh", "--dry-run").stdout.split()[::5] == ["would"] * 3
    site("migrate", "up", "--version", "20240101000002")
    told = [f"{line.split()[1]} {line.split()[2][-1]}" for line in
            site("migrate", "refresh", "--dry-run").stdout.splitlines()]
    assert told == ["undo 2", "undo 1", "apply 1", "apply 2", "apply 3"]
    told = [f"{line.split()[1]} {line.split()[2][-1]}" for line in
            site("migrate", "redo", "--dry-run").stdout.splitlines()]
    assert told == ["undo 2", "apply 2"]
    assert [row["status"] for row in site.lines("migrate", "status")] == ["applied", "applied", "pending"]


def test_two_files_with_one_version_are_refused(site):
    write_three(site)
    write(site, "20240101000002_again.sql", "SELECT 1;")
    error = site("migrate", "up", status=2).stderr
    assert "20240101000002_again.sql" in error and "20240101000002_create_posts.sql" in error


def test_a_foreign_history_is_left_alone(site):
    write_three(site)
    db = sqlite3.connect(site.path("app.db"))
    db.execute("CREATE TABLE schema_migrations (version BIGINT PRIMARY KEY, dirty BOOLEAN)")
    db.close()
    error = site("migrate", "up", status=1).stderr
    assert "hint: " in error and "--history-table NAME" in error
    site("migrate", "up", "--history-table", "kedge_migrations")


def test_many_at_once_apply_each_migration_once(site, processes):
    write_three(site)
    processes += [site.start("migrate", "up") for _ in range(5)]
    outputs = [process.communicate()[0] for process in processes]
    assert [process.returncode for process in processes] == [0] * 5
    assert sum(output.count("applied 20240101") for output in outputs) == 3
    assert {row["batch"] for row in site.lines("migrate", "status")} == {1}


# ---- settings ----

def write_text(kedge, name, text):
    path = kedge.path(name)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    os.chmod(path, 0o600)


def test_database_url_comes_from_dotenv_and_the_real_one_wins(kedge):
    write_three(kedge)
    write_text(kedge, ".env", f"DATABASE_URL=sqlite:{kedge.path('dotenv.db')}\n")
    kedge("migrate", "up")
    assert os.path.exists(kedge.path("dotenv.db"))
    kedge("migrate", "up", env={"DATABASE_URL": "sqlite:" + kedge.path("real.db")})
    assert os.path.exists(kedge.path("real.db"))


def test_config_yaml_says_where_migrations_are_and_what_remembers_them(kedge):
    write_three(kedge)
    os.rename(kedge.path("migrations"), kedge.path("schema"))
    write_text(kedge, "config.yaml", f"migrations:\n  path: schema\n  table: changes\n  target: sqlite:{kedge.path('app.db')}\n"
                                     "  wait: 3s\n  lock_timeout: 1s\nserver:\n  port: 80\n")
    kedge("migrate", "up")
    db = sqlite3.connect(kedge.path("app.db"))
    assert db.execute("SELECT count(*) FROM changes").fetchone() == (3,)
    db.close()
    kedge("migrate", "status", env={"KEDGE_MIGRATIONS": "nowhere"}, status=1)


def test_log_file_gets_what_was_done(site):
    write_three(site)
    write_text(site, "config.yaml", "migrations: { path: migrations }\nlog: { file: migrate.log }\n")
    site("migrate", "up")
    with open(site.path("migrate.log"), encoding="utf-8") as file:
        assert "migration 20240101000002 create_posts applied" in file.read()


# ---- servers ----

@pytest.fixture(params=["postgres", "mariadb"])
def server(request, kedge):
    server = request.getfixturevalue(request.param)
    kedge.environment["DATABASE_URL"] = server.fresh()
    return server


def test_servers_go_up_and_down(kedge, server):
    write_three(kedge)
    kedge("migrate", "up")
    assert server.sql("SELECT count(*) FROM users", "shop").strip() == "0"
    kedge("migrate", "redo")
    kedge("migrate", "reset", "--yes")
    assert [row["status"] for row in kedge.lines("migrate", "status")] == ["rollback"] * 3
    kedge("migrate", "up")


@pytest.mark.parametrize("options", ["", " notransaction"])
def test_servers_tell_the_difference_of_a_changed_file(kedge, server, options):
    write(kedge, "20240101000001_a.sql", "CREATE TABLE a (id INT);\nINSERT INTO a VALUES (1);", "DROP TABLE a;", options=options)
    kedge("migrate", "up")
    write(kedge, "20240101000001_a.sql", "CREATE TABLE a (id BIGINT);\nINSERT INTO a VALUES (1);", "DROP TABLE a;", options=options)
    error = kedge("migrate", "up", status=4).stderr
    assert "\n  -CREATE TABLE a (id INT)\n" in error and "\n  +CREATE TABLE a (id BIGINT)\n" in error


def test_servers_keep_the_statements_of_what_could_not_be_undone(kedge, server):
    up = "CREATE TABLE a (id INT);\nINSERT INTO a VALUES (1);"
    write(kedge, "20240101000001_a.sql", up, "DROP TABLE b;", options=" notransaction")
    kedge("migrate", "up")
    kedge("migrate", "down", status=1)
    write(kedge, "20240101000001_a.sql", up.replace("INT)", "BIGINT)"), "DROP TABLE b;", options=" notransaction")
    assert "\n  -CREATE TABLE a (id INT)\n" in kedge("migrate", "up", status=4).stderr


def test_servers_let_one_process_win(kedge, server, processes):
    write_three(kedge)
    processes += [kedge.start("migrate", "up") for _ in range(5)]
    outputs = [process.communicate() for process in processes]
    assert [process.returncode for process in processes] == [0] * 5, outputs
    assert sum(output[0].count("applied 20240101") for output in outputs) == 3


def test_a_bounded_wait_names_the_holder(kedge, server, processes):
    sleep = "SELECT pg_sleep(20)" if "postgres" in kedge.environment["DATABASE_URL"] else "SELECT SLEEP(20)"
    write(kedge, "20240101000001_slow.sql", sleep + ";")
    process = kedge.start("migrate", "up")
    processes.append(process)
    deadline = time.monotonic() + 10
    query = ("SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%'" if "pg_" in sleep else
             "SELECT count(*) FROM information_schema.processlist WHERE info LIKE 'SELECT SLEEP%'")
    while server.sql(query).strip() == "0" and time.monotonic() < deadline:
        time.sleep(0.05)
    error = kedge("migrate", "up", "--wait", "1s", status=5).stderr
    assert "held by" in error and ("process" in error or "connection" in error)
    process.terminate()
    output = process.communicate(timeout=15)
    assert process.returncode == 130, output
    assert kedge.lines("migrate", "status")[0]["status"] in ("pending", "failed")


def test_postgres_runs_concurrently_only_when_told(kedge, postgres):
    kedge.environment["DATABASE_URL"] = postgres.fresh()
    write(kedge, "20240101000001_t.sql", "CREATE TABLE t (x int);\nINSERT INTO t VALUES (1), (1);")
    write(kedge, "20240101000002_i.sql", "CREATE UNIQUE INDEX CONCURRENTLY i ON t (x);")
    error = kedge("migrate", "up", status=1).stderr
    assert "20240101000002_i.sql:2:1: CREATE UNIQUE INDEX CONCURRENTLY" in error and "notransaction" in error
    assert kedge("migrate", "version").stdout == "no migration is applied\n"
    write(kedge, "20240101000002_i.sql", "CREATE UNIQUE INDEX CONCURRENTLY i ON t (x);", options=" notransaction")
    error = kedge("migrate", "up", status=1).stderr
    assert "invalid index left behind: i" in error
    postgres.sql("DROP INDEX i; DELETE FROM t", "shop")
    kedge("migrate", "up")


def test_postgres_copies_rows_in(kedge, postgres):
    kedge.environment["DATABASE_URL"] = postgres.fresh()
    write(kedge, "20240101000001_t.sql",
          "CREATE TABLE t (a int, b text);\nCOPY t FROM stdin;\n1\tit's; -- +migrate Down\n2\t\\N\n\\.\n"
          "INSERT INTO t VALUES (3, $$;$$);", "DROP TABLE t;")
    kedge("migrate", "up")
    assert postgres.sql("SELECT string_agg(a || coalesce(b, 'NULL'), ',' ORDER BY a) FROM t", "shop").strip() == \
        "1it's; -- +migrate Down,2NULL,3;"


def test_nobody_waits_behind_a_migration_for_long(kedge, server):
    write(kedge, "20240101000001_t.sql", "CREATE TABLE t (x int);")
    kedge("migrate", "up")
    write(kedge, "20240101000002_a.sql", "ALTER TABLE t ADD COLUMN y int;")
    hold = ("BEGIN; LOCK TABLE t; SELECT pg_sleep(3); COMMIT" if "postgres" in kedge.environment["DATABASE_URL"] else
            "BEGIN; SELECT * FROM t; SELECT SLEEP(3); COMMIT")
    thread = threading.Thread(target=server.sql, args=(hold, "shop"))
    thread.start()
    time.sleep(0.5)
    kedge("migrate", "up", "--lock-timeout", "1s")
    thread.join()
    assert server.sql("SELECT count(y) FROM t", "shop").strip() == "0"


def test_mariadb_goes_on_at_the_statement_that_failed(kedge, mariadb):
    kedge.environment["DATABASE_URL"] = mariadb.fresh()
    write(kedge, "20240101000001_t.sql", "CREATE TABLE a (x int);\nINSERT INTO a VALUES (1);\nCREATE TABLE b (x intt);")
    error = kedge("migrate", "up", status=1).stderr
    assert "statement 3 of 3" in error and "the first 2 statements are in the database, the rest is not" in error
    write(kedge, "20240101000001_t.sql", "CREATE TABLE a (x int);\nINSERT INTO a VALUES (1);\nCREATE TABLE b (x int);")
    kedge("migrate", "up")
    assert mariadb.sql("SELECT count(*) FROM a", "shop").strip() == "1"
    assert kedge.lines("migrate", "status")[0]["status"] == "applied"


def test_mariadb_asks_when_a_statement_was_cut_off(kedge, mariadb, processes):
    kedge.environment["DATABASE_URL"] = mariadb.fresh()
    write(kedge, "20240101000001_t.sql",
          "CREATE TABLE a (x int);\nCREATE TABLE b AS SELECT SLEEP(30) AS x;\nCREATE TABLE c (x int);")
    process = kedge.start("migrate", "up")
    processes.append(process)
    deadline = time.monotonic() + 10
    query = "SELECT count(*) FROM information_schema.processlist WHERE info LIKE 'CREATE TABLE b%'"
    while mariadb.sql(query).strip() == "0" and time.monotonic() < deadline:
        time.sleep(0.05)
    process.kill()
    process.wait()
    for line in mariadb.sql("SELECT id FROM information_schema.processlist WHERE info LIKE 'CREATE TABLE b%'").split():
        mariadb.sql(f"KILL {line}")
    time.sleep(0.3)
    error = kedge("migrate", "up", status=6).stderr
    assert "statement 2 of 3 (CREATE TABLE b AS SELECT SLEEP(30) AS x) was begun" in error
    assert "--ran" in error and "--not-run" in error
    kedge("migrate", "repair", "20240101000001", "--ran")
    kedge("migrate", "up")
    assert mariadb.sql("SHOW TABLES LIKE 'c'", "shop").strip() == "c"


def test_mariadb_bodies_need_no_delimiter(kedge, mariadb):
    kedge.environment["DATABASE_URL"] = mariadb.fresh()
    write(kedge, "20240101000001_p.sql",
          "CREATE PROCEDURE p(OUT n INT)\nBEGIN\n  DECLARE i INT DEFAULT 0;\n  WHILE i < 3 DO\n    SET i = i + 1;\n"
          "  END WHILE;\n  SET n = IF(i = 3, i, 0);\nEND;\n"
          "CREATE TABLE t (x INT);\nDELIMITER //\nCREATE TRIGGER r BEFORE INSERT ON t FOR EACH ROW BEGIN\n"
          "  SET NEW.x = NEW.x + 1;\nEND//\nDELIMITER ;\nINSERT INTO t VALUES (1);",
          "DROP TABLE t;\nDROP PROCEDURE p;")
    kedge("migrate", "up")
    assert mariadb.sql("CALL p(@n); SELECT @n; SELECT x FROM t", "shop").split() == ["3", "2"]
    kedge("migrate", "reset", "--yes")


def test_a_new_file_beside_those_of_another_tool_is_read_with_them(site):
    beside = {"goose": {"00001_a.sql": "-- +goose Up\nCREATE TABLE a (x INT);\n"},
              "pairs": {"1_a.up.sql": "CREATE TABLE a (x INT)"},
              "flyway": {"V1__a.sql": "CREATE TABLE a (x INT)"},
              "sqlx": {"20200101000000_a.sql": "CREATE TABLE a (x INT)", "20200102000000_b.sql": "CREATE TABLE b (x INT)"}}
    for tool, files in beside.items():
        os.makedirs(site.path(tool))
        for name, text in files.items():
            with open(site.path(tool, name), "w", encoding="utf-8") as file:
                file.write(text)
        path = site.path(site("migrate", "create", "more", "--migrations", tool).stdout.strip())
        text = open(path, encoding="utf-8").read()
        assert ("-- +goose Up" in text) == (tool == "goose") and "+migrate" not in text
        with open(path, "a", encoding="utf-8") as file:
            file.write("CREATE TABLE more (x INT);\n" if tool != "goose" else "")
        target = ["--target", f"sqlite:{site.path(tool)}.db", "--migrations", tool]
        assert site("migrate", "up", *target).stdout.count("applied") == len(files) + 1


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_a_long_statement_ends_soon_after_a_stop(site, processes, sign):
    write(site, "20240101000001_long.sql",
          "CREATE TABLE made (i INT);\nINSERT INTO made WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000000) "
          "SELECT count(*) FROM n;")
    process = site.start("migrate", "up")
    processes.append(process)
    time.sleep(1)
    assert process.poll() is None
    process.send_signal(sign)
    output, errors = process.communicate(timeout=60)  # the statement alone would take many minutes
    assert process.returncode == 130, errors
    assert site.lines("migrate", "status")[0]["status"] in ("pending", "failed")
    db = sqlite3.connect(site.path("app.db"))
    assert not db.execute("SELECT 1 FROM sqlite_master WHERE name = 'made'").fetchall()
    db.close()


def test_a_migration_without_a_statement_is_applied_with_a_warning(site):
    path = site("migrate", "create", "-name=add users").stdout.split()[-1]
    assert os.path.exists(site.path(path))
    assert "has no statement" in site("migrate", "up").stderr
    assert "has no statement" not in site("migrate", "up").stderr


@pytest.mark.parametrize("server,text", [("postgres", "CREATE TABLE a (x int);"), ("postgres", "COPY a FROM stdin;\n\\."),
                                         ("mariadb", "INSERT INTO a VALUES (1);")])
def test_a_file_that_makes_its_own_row_impossible_is_named(kedge, request, server, text):
    server = request.getfixturevalue(server)
    kedge.environment["DATABASE_URL"] = server.fresh()
    server.sql("CREATE TABLE a (x int)", "shop")
    write(kedge, "20240101000001_a.sql", f"SET TRANSACTION READ ONLY;\n{text}")
    told = kedge("migrate", "up", status=1).stderr
    assert told.splitlines()[-2].startswith("kedge: error: migrations/20240101000001_a.sql: "), told
    assert "take SET TRANSACTION READ ONLY out" in told.splitlines()[-1]
    assert "nothing of this migration is left in the database" in told
    assert "READ ONLY" in kedge.lines("migrate", "status")[0]["error_message"].upper().replace("-", " ")
