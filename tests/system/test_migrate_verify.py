"""kedge migrate verify: Down sections that do not undo their Up are found, named, and nothing is left behind."""
import glob
import os
import signal
import socket
import time
from pathlib import Path

import pytest

from test_migrate import write


@pytest.fixture(params=["sqlite", "postgres", "mariadb"])
def place(request, kedge):
    """kedge with DATABASE_URL of each kind; `.left()` is what of a scratch database is still there."""
    kedge.environment["TMPDIR"] = kedge.folder
    if request.param == "sqlite":
        kedge.environment["DATABASE_URL"] = "sqlite:" + kedge.path("app.db")
        kedge.left = lambda: glob.glob(kedge.path("kedge_verify*"))
    else:
        server = request.getfixturevalue(request.param)
        kedge.environment["DATABASE_URL"] = server.fresh()
        names = {"postgres": "SELECT datname FROM pg_database WHERE datname LIKE 'kedge_verify%'",
                 "mariadb": "SELECT schema_name FROM information_schema.schemata WHERE schema_name LIKE 'kedge_verify%'"}
        kedge.left = lambda: server.sql(names[request.param]).split()
    kedge.engine = request.param
    return kedge


def good(place, number=1):
    write(place, f"2024010100000{number}_good{number}.sql",
          f"CREATE TABLE good{number} (id INTEGER PRIMARY KEY, name VARCHAR(20) NOT NULL DEFAULT 'x');\n"
          f"CREATE INDEX good{number}_name ON good{number} (name);", f"DROP TABLE good{number};")


def outcomes(place, *options, status=0):
    return {line["version"][-1]: line for line in place.lines("migrate", "verify", *options, status=status)}


def test_good_migrations_are_good_and_leave_nothing(place):
    good(place, 1)
    good(place, 2)
    write(place, "20240101000003_column.sql", "ALTER TABLE good1 ADD COLUMN extra INT;",
          "ALTER TABLE good1 DROP COLUMN extra;")
    write(place, "20240101000004_one_way.sql", "CREATE TABLE kept (id INT);")
    found = outcomes(place)
    assert [found[n]["outcome"] for n in "1234"] == ["good", "good", "good", "no down"]
    outcomes(place, "--require-down", status=1)
    assert not place.left()
    assert [row["status"] for row in place.lines("migrate", "status")] == ["pending"] * 4


def test_placeholders_of_flyways_files_are_filled_in(place):
    os.mkdir(place.path("migrations"))
    for name, text in (("V1__t.sql", "CREATE TABLE ${prefix}t (id INT);"), ("U1__t.sql", "DROP TABLE ${prefix}t;")):
        Path(place.path("migrations", name)).write_text(text, encoding="utf-8")
    assert outcomes(place, "--placeholder", "prefix=shop_")["1"]["outcome"] == "good"


def test_a_repeatable_file_has_no_down(place):
    os.mkdir(place.path("migrations"))
    for name, text in (("V1__t.sql", "CREATE TABLE t (id INT);"), ("U1__t.sql", "DROP TABLE t;"),
                       ("R__v.sql", "CREATE VIEW v AS SELECT id FROM t;"), ("R__w.sql", "CREATE VIEW w AS SELECT id FROM v;")):
        Path(place.path("migrations", name)).write_text(text, encoding="utf-8")
    result = place("migrate", "verify")
    assert "1 good, 2 without Down, 0 bad" in result.stdout + result.stderr
    place("migrate", "verify", "R__w")
    place("migrate", "verify", "--require-down", status=1)
    assert not place.left()


BAD = {
    "an index is left out": ("CREATE INDEX gone ON good1 (id, name);", "DROP INDEX gone {on};", None),
    "a column stays": ("ALTER TABLE good1 ADD COLUMN a INT;\nALTER TABLE good1 ADD COLUMN b INT;",
                       "ALTER TABLE good1 DROP COLUMN a;", "column {s}good1.b"),
    "a table stays": ("CREATE TABLE t1 (id INT);\nCREATE TABLE t2 (id INT);", "DROP TABLE t1;", "table {s}t2"),
    "an index stays": ("CREATE INDEX stays ON good1 (name, id);", "SELECT 1;", "stays"),
    "a view stays": ("CREATE VIEW v AS SELECT id FROM good1;", "SELECT 1;", "view {s}v"),
    "another default": ("ALTER TABLE good1 RENAME COLUMN name TO title;",
                        "ALTER TABLE good1 DROP COLUMN title;\nALTER TABLE good1 ADD COLUMN name VARCHAR(20) NOT NULL DEFAULT 'y';",
                        "column {s}good1.name"),
}


@pytest.mark.parametrize("what", BAD)
def test_a_bad_down_is_found_and_named(place, what):
    up, down, named = BAD[what]
    if place.engine == "sqlite" and what == "another default":
        down = down.replace("ALTER TABLE good1 DROP", "DROP INDEX good1_name;\nALTER TABLE good1 DROP")
    good(place, 1)
    write(place, "20240101000002_bad.sql", up, down.format(on="ON good1" if place.engine == "mariadb" else ""))
    good(place, 3)
    found = outcomes(place, status=1 if named else 0)
    assert found["1"]["outcome"] == found["3"]["outcome"] == "good"
    if named:
        expected = named.format(s="public." if place.engine == "postgres" else "")
        assert found["2"]["outcome"] == "different"
        assert any(expected in line for line in found["2"]["difference"]), found["2"]["difference"]
    assert not place.left()


def test_a_statement_that_fails_is_told(place):
    good(place, 1)
    write(place, "20240101000002_down_fails.sql", "CREATE TABLE t (id INT);", "DROP TABLE tt;")
    good(place, 3)
    write(place, "20240101000004_up_fails.sql", "CREATE TABLE good1 (id INT);", "SELECT 1;")
    found = outcomes(place, status=1)
    assert [found[n]["outcome"] for n in "1234"] == ["good", "failed", "good", "failed"]
    assert found["2"]["message"].startswith("Down: ") and "tt" in found["2"]["message"]
    assert found["4"]["message"].startswith("Up: ")
    assert outcomes(place, "20240101000003").keys() == {"3"}
    assert place("migrate", "verify", "99", status=1).stderr.startswith("kedge: error: there is no migration")
    assert not place.left()


def test_an_interrupted_trial_is_tidied_up(place, processes):
    if place.engine == "sqlite":
        pytest.skip("nothing there waits long enough")
    wait = "SELECT pg_sleep(30);" if place.engine == "postgres" else "DO SLEEP(30);"
    good(place, 1)
    write(place, "20240101000002_slow.sql", wait, wait)
    process = place.start("migrate", "verify")
    processes.append(process)
    deadline = time.monotonic() + 20
    while not place.left() and time.monotonic() < deadline:
        time.sleep(0.1)
    time.sleep(1)
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=20) == 130
    assert not place.left()


def test_what_would_reach_out_is_refused(place):
    reach = {"sqlite": "ATTACH 'other.db' AS other;", "postgres": "CREATE ROLE someone;",
             "mariadb": "CREATE TABLE shop.t (id INT);"}[place.engine]
    write(place, "20240101000001_reach.sql", reach, "SELECT 1;")
    result = place("migrate", "verify", status=2)
    assert "20240101000001_reach.sql:2: " in result.stderr and "--scratch-url" in result.stderr
    assert not place.left()


def test_without_the_right_to_create_databases_an_empty_one_is_used(kedge, postgres):
    postgres.fresh()
    postgres.sql("DROP DATABASE IF EXISTS emptied")
    postgres.sql("DROP ROLE IF EXISTS modest")
    postgres.sql("CREATE ROLE modest LOGIN")
    postgres.sql("CREATE DATABASE emptied OWNER modest")
    kedge.environment["DATABASE_URL"] = f"postgres://modest@127.0.0.1:{postgres.port}/shop"
    good(kedge, 1)
    write(kedge, "20240101000002_bad.sql", "CREATE TYPE t AS ENUM ('a');\nCREATE SCHEMA s;", "DROP SCHEMA s;")
    good(kedge, 3)
    error = kedge("migrate", "verify", status=1).stderr
    assert "permission denied" in error and "--scratch-url" in error
    scratch = f"postgres://modest@127.0.0.1:{postgres.port}/emptied"
    for _ in range(2):
        found = outcomes(kedge, "--scratch-url", scratch, status=1)
        assert [found[n]["outcome"] for n in "123"] == ["good", "different", "good"]
        assert [line.split(" granted ")[0] for line in found["2"]["difference"]] == ["+ type public.t: enum 'a'"]
    postgres.sql("CREATE TABLE precious (id int)", "emptied")
    assert "is not empty" in kedge("migrate", "verify", "--scratch-url", scratch, status=2).stderr
    assert postgres.sql("SELECT count(*) FROM precious", "emptied") == "0\n"
    postgres.sql("DROP DATABASE emptied")
    postgres.sql("DROP ROLE modest")


def test_the_password_of_a_scratch_url_stays_secret(kedge, processes):
    """Whoever answers the connection says nothing, so the arguments of the waiting process can be read."""
    url = "postgres://u:hunter2@127.0.0.1:{}/db?password=hunter3"
    shown = kedge("config", env={"KEDGE_SCRATCH_URL": url.format(1)}).stdout
    assert "hunter" not in shown
    row, = [line.split() for line in shown.splitlines() if line.startswith("migrations.scratch_url")]
    assert row[1:3] == ["(hidden)", "KEDGE_SCRATCH_URL"]
    good(kedge)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        kedge.environment["DATABASE_URL"] = "postgres://u@127.0.0.1:1/db"
        process = kedge.start("migrate", "verify", "--scratch-url", url.format(listener.getsockname()[1]))
        processes.append(process)
        listener.settimeout(20)
        connection, _ = listener.accept()
        words = Path(f"/proc/{process.pid}/cmdline").read_text(encoding="utf-8").split("\0")
        assert "--scratch-url" in words and not [word for word in words if "hunter" in word]
        connection.close()
        output = "".join(process.communicate(timeout=20))
    assert process.returncode == 1 and "password on the command line" in output and "hunter" not in output
    wrong = kedge("migrate", "verify", "--scratch-url", "nonsense://u:hunter2@h/db", status=2).stderr
    assert "--scratch-url" in wrong and "hunter2" not in wrong


def test_a_scratch_url_can_be_fetched_from_elsewhere(kedge, postgres):
    kedge.environment["DATABASE_URL"] = postgres.fresh()
    good(kedge)
    postgres.sql("DROP DATABASE IF EXISTS emptied")
    postgres.sql("CREATE DATABASE emptied")
    Path(kedge.path("kedge.yaml")).write_text("migrations:\n  scratch_url: env:ELSEWHERE\n", encoding="utf-8")
    kedge.environment["ELSEWHERE"] = f"postgres://postgres@127.0.0.1:{postgres.port}/emptied"
    assert outcomes(kedge)["1"]["outcome"] == "good"
    postgres.sql("CREATE TABLE precious (id int)", "emptied")
    assert "emptied is not empty" in kedge("migrate", "verify", status=2).stderr
    postgres.sql("DROP DATABASE emptied")
