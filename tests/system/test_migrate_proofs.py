"""What kedge migrate promises when things go wrong or go at once: round trips, crashes, locks, poolers.

The servers are those of conftest.py; where one is not installed, its tests are skipped.
"""
import os
import sys

import pytest

from conftest import ROOT
from test_migrate import server, write  # noqa: F401  (server is a fixture)

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
