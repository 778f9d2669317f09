"""kedge migrate plan, held against what the servers themselves do: each form of statement is planned, then run in a
transaction on a real server that tells its locks, its new files and its scans."""
import json
import os
import shutil
import sqlite3
import subprocess

import pytest

from conftest import ROOT
from test_migrate import site, write  # noqa: F401  (a fixture)

HERE = os.path.join(ROOT, "tests", "system")
STRENGTH = ["none", "ACCESS SHARE", "ROW SHARE", "ROW EXCLUSIVE", "SHARE UPDATE EXCLUSIVE", "SHARE",
            "SHARE ROW EXCLUSIVE", "EXCLUSIVE", "ACCESS EXCLUSIVE"]
MODES = {mode.title().replace(" ", "") + "Lock": mode for mode in STRENGTH}

# What is there before the statement, and what pg_locks, pg_class and the statistics say after it.
BEFORE = """CREATE TEMP TABLE b AS SELECT oid, oid::regclass::text AS name, relkind::text AS kind,
 pg_relation_filenode(oid) AS node FROM pg_class WHERE oid >= 16384 AND relnamespace <> 99 AND relkind <> 't';
BEGIN;
"""
AFTER = """;
SELECT 'lock|' || b.name || '|' || b.kind || '|' || mode FROM pg_locks l JOIN pg_temp.b b ON b.oid = l.relation
 WHERE pid = pg_backend_pid() AND locktype = 'relation' AND l.database <> 0;
SELECT 'file|' || b.name || '|' || b.kind || '|' FROM pg_temp.b b JOIN pg_class c USING (oid)
 WHERE pg_relation_filenode(c.oid) <> b.node;
SELECT 'scan|' || b.name || '|' || b.kind || '|' FROM pg_temp.b b WHERE pg_stat_get_xact_numscans(oid) > 0
 AND kind IN ('r', 'm');
ROLLBACK;
"""


def forms():
    with open(os.path.join(HERE, "plan_postgres_forms.sql"), encoding="utf-8") as file:
        return [line for line in file.read().splitlines() if line]


@pytest.fixture(scope="module")
def zoo(postgres):
    postgres.sql("DROP DATABASE IF EXISTS zoo")
    folder = f"/tmp/kedge-plan-space-{os.getpid()}"
    os.makedirs(folder, exist_ok=True)
    shutil.chown(folder, "postgres") if os.getuid() == 0 else None
    postgres.sql("DROP TABLESPACE IF EXISTS elsewhere")
    postgres.sql(f"CREATE TABLESPACE elsewhere LOCATION '{folder}'")
    postgres.sql("CREATE DATABASE zoo")
    run(postgres, "\\i " + os.path.join(HERE, "plan_postgres_schema.sql"))
    yield postgres
    postgres.sql("DROP DATABASE zoo")
    postgres.sql("DROP TABLESPACE elsewhere")
    shutil.rmtree(folder, ignore_errors=True)


def run(server, text):
    return subprocess.run(["psql", "-X", "-At", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p", server.port, "-U",
                           "postgres", "-d", "zoo"], input=text, capture_output=True, text=True)


def done_by(server, form):
    """({name: (kind, strongest mode)}, names with a new file, names that were read through) of one statement."""
    result = run(server, BEFORE + form + AFTER)
    assert result.returncode == 0, f"{form}: {result.stderr}"
    locks, files, scans = {}, set(), set()
    for line in result.stdout.splitlines():
        parts = line.split("|")
        if len(parts) != 4 or parts[0] not in ("lock", "file", "scan"):
            continue
        what, name, kind, mode = parts
        if what == "lock":
            old = locks.get(name, (kind, "none"))
            locks[name] = kind, max(old[1], MODES[mode], key=STRENGTH.index)
        else:
            (files if what == "file" else scans).add(name)
    return locks, files, scans


def plan_of(kedge, server, form, down="SELECT 1;"):
    kedge.environment["DATABASE_URL"] = f"postgres://postgres@127.0.0.1:{server.port}/zoo"
    write(kedge, "20240101000001_form.sql", form + ";", down)
    return kedge.json("migrate", "plan")["statements"][0]


def differences(plan, truth):
    """Indexes count where the plan names them, sequences and types as tables do; weaker locks too."""
    locks, files, scans = truth
    planned = {table["name"]: table for table in plan["tables"]}
    found = []
    for name, (kind, mode) in locks.items():
        if kind in "iI" and name not in planned:
            continue
        if name not in planned or planned[name]["lock"] != mode:
            found.append(f"{name}: {mode}, planned {planned.get(name, {}).get('lock')}")
    for name, table in planned.items():
        if name not in locks and table["lock"] != "none":
            found.append(f"{name}: no lock, planned {table['lock']}")
        if table["rewritten"] != (name in files):
            found.append(f"{name}: {'' if name in files else 'not '}rewritten, planned otherwise")
        elif not table["rewritten"] and table["scanned"] != (name in scans):
            found.append(f"{name}: {'' if name in scans else 'not '}read, planned otherwise")
    stored = {name for name in files if locks.get(name, ("i",))[0] in "rmS"}
    for name in stored - planned.keys():
        found.append(f"{name}: rewritten, not planned")
    return found


def test_postgres_does_what_the_plan_says(kedge, zoo):
    wrong = {}
    for form in forms():
        found = differences(plan_of(kedge, zoo, form), done_by(zoo, form))
        if found:
            wrong[form] = found
    assert not wrong, "\n".join(f"{form}\n    {'; '.join(found)}" for form, found in wrong.items())
    assert len(forms()) >= 200


# ---- MariaDB: the algorithm that a server grants ----

ALGORITHMS = ["INSTANT", "NOCOPY", "INPLACE", "COPY"]


class MariadbSession:
    """One connection for all forms: a client that is fed statement by statement and goes on after a refusal."""

    IDS = ("SELECT 'ids', GROUP_CONCAT(name, table_id ORDER BY name) FROM information_schema.innodb_sys_tables"
           " WHERE name LIKE 'shop/%'")

    def __init__(self, mariadb):
        self.client = subprocess.Popen([*mariadb.client, "--force", "--unbuffered"], stdin=subprocess.PIPE,
                                       stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)

    def answer(self, *statements):
        """The only row of the last statement."""
        self.client.stdin.write("".join(f"{statement};\n" for statement in statements))
        self.client.stdin.flush()
        return self.client.stdout.readline().rstrip("\n").split("\t")[1]

    def done_by(self, schema, form):
        """(the least algorithm that is not refused, is there a new table behind the name)"""
        before = self.answer("DROP DATABASE IF EXISTS shop", "CREATE DATABASE shop", "USE shop", schema, self.IDS)
        comma = "," if form.startswith("ALTER") else ""
        for algorithm in ALGORITHMS:
            if self.answer(f"{form}{comma} ALGORITHM={algorithm}", "SELECT 'errors', @@error_count") == "0":
                return algorithm, self.answer(self.IDS) != before and "RENAME TO" not in form
        raise AssertionError(form)

    def close(self):
        self.client.communicate(timeout=30)


def test_mariadb_grants_the_algorithm_that_the_plan_says(kedge, mariadb):
    with open(os.path.join(HERE, "plan_mariadb_schema.sql"), encoding="utf-8") as file:
        schema = file.read()
    with open(os.path.join(HERE, "plan_mariadb_forms.sql"), encoding="utf-8") as file:
        lines = [line for line in file.read().splitlines() if line]
    kedge.environment["DATABASE_URL"] = mariadb.fresh()
    mariadb.sql(schema, "shop")
    plans, wrong = {}, []
    for form in lines:
        write(kedge, "20240101000001_form.sql", form + ";", "SELECT 1;")
        plans[form] = kedge.json("migrate", "plan")["statements"][0]
        assert plans[form]["commits"] and plans[form]["lock"] == "metadata EXCLUSIVE"
    session = MariadbSession(mariadb)
    for form, plan in plans.items():
        truth = session.done_by(schema, form)
        if truth != (plan["algorithm"], plan["rewritten"]):
            wrong.append(f"{form}: {truth}, planned {plan['algorithm']} {plan['rewritten']}")
    session.close()
    assert not wrong, "\n".join(wrong)
    assert len(lines) >= 80


# ---- SQLite ----

def sqlite_plan(site, up, down="SELECT 1;"):
    write(site, "20240101000009_form.sql", up, down)
    return site.json("migrate", "plan")["statements"]


def test_sqlite_plan_knows_sizes_locks_and_rebuilds(site):
    db = sqlite3.connect(site.path("app.db"), isolation_level=None)
    db.executescript("CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT, age INT); CREATE TABLE notes (t TEXT);")
    db.executemany("INSERT INTO users (name) VALUES (?)", [("n" * 100,)] * 500)
    before = open(site.path("app.db"), "rb").read()
    add, drop, index, update, vacuum = sqlite_plan(
        site, "ALTER TABLE users ADD COLUMN a INT; ALTER TABLE users DROP COLUMN age; CREATE INDEX i ON users (name);\n"
        "UPDATE users SET name = 'x'; VACUUM;")
    users = add["tables"][0]
    assert (users["name"], users["lock"], users["rows"], users["rewritten"]) == ("users", "RESERVED", 500, False)
    assert users["bytes"] >= 50000
    assert drop["rewritten"] and drop["lost"] == ["column users.age"] and drop["undone"] is False
    assert index["scanned"] and not index["rewritten"]
    assert update["rewritten"] and update["lost"] == ["old values in users"]
    assert vacuum["commits"] and vacuum["lock"] == "EXCLUSIVE"
    rebuild = sqlite_plan(site, "CREATE TABLE u2 (id INTEGER PRIMARY KEY, name TEXT NOT NULL);\n"
                          "INSERT INTO u2 SELECT id, name FROM users; DROP TABLE users; ALTER TABLE u2 RENAME TO users;")
    assert [statement["lost"] for statement in rebuild] == [[]] * 4
    assert rebuild[1]["tables"][0]["new"] and rebuild[1]["scanned"]
    assert sqlite_plan(site, "DROP TABLE users;")[0]["lost"] == ["table users"]
    assert open(site.path("app.db"), "rb").read() == before


# ---- any of them ----

def test_plan_says_what_down_brings_back(site):
    statements = sqlite_plan(
        site, "CREATE TABLE a (x INT);\nCREATE INDEX a_x ON a (x);\nCREATE TABLE b (x INT);\nALTER TABLE b ADD COLUMN y INT;\n"
        "ALTER TABLE b RENAME COLUMN y TO z;\nINSERT INTO b VALUES (1, 2);\nCREATE VIEW v AS SELECT 1;\nANALYZE;",
        "DROP VIEW v;\nALTER TABLE b RENAME COLUMN z TO y;\nDROP TABLE a;")
    assert [(statement["undone"], statement["undone_line"]) for statement in statements] == [
        (True, 13), (True, 13), (False, None), (False, None), (True, 12), (False, None), (True, 11), (None, None)]


def test_plan_down_takes_the_requests_of_down(site):
    for version in "123":
        write(site, f"2024010100000{version}_t{version}.sql", f"CREATE TABLE t{version} (id INT);", f"DROP TABLE t{version};")
    site("migrate", "up", "-version=20240101000002")
    site("migrate", "up")
    versions = lambda *options: [step["version"][-1] for step in site.lines("migrate", "plan", *options)]  # noqa: E731
    assert versions("down") == ["3"]
    assert versions("down", "--steps", "2") == ["3", "2"]
    assert versions("down", "--batch") == ["3"]
    assert versions("down", "-version=20240101000001") == ["3", "2"]
    assert versions() == []
    step = site.json("migrate", "plan", "down")
    assert "_t3.sql:4: DROP TABLE t3" in site("migrate", "plan", "down").stdout
    assert step["direction"] == "down" and step["statements"][0]["lost"] == ["table t3"]
    assert step["statements"][0]["undone"] is True
    site("migrate", "plan", "sideways", status=2)
    site("migrate", "plan", "--steps", "2", status=2)
    assert site("migrate", "version").stdout == "20240101000003\n"


def test_plan_without_a_server_plans_the_files(kedge):
    kedge.environment["DATABASE_URL"] = "postgres://nobody@127.0.0.1:1/nowhere"
    write(kedge, "20240101000001_a.sql", "ALTER TABLE t ALTER COLUMN a SET NOT NULL;")
    result = kedge("migrate", "plan", "--json")
    statement = json.loads(result.stdout)["statements"][0]
    assert statement["lock"] == "ACCESS EXCLUSIVE" and statement["tables"][0]["rows"] is None
    assert "sizes are not known" in result.stderr
    kedge("migrate", "plan", "down", status=1)


def test_plan_without_a_server_fills_in_placeholders(kedge):
    os.mkdir(kedge.path("migrations"))
    with open(kedge.path("migrations", "V1__t.sql"), "w", encoding="utf-8") as file:
        file.write("CREATE TABLE ${prefix}t (id INT);\n")
    done = kedge("migrate", "plan", "--target", "postgres://127.0.0.1:1/shop", "--placeholder", "prefix=shop_")
    assert "CREATE TABLE shop_t" in done.stdout


def test_plan_waits_for_nobody_and_writes_nothing(kedge, zoo):
    holder = subprocess.Popen(["psql", "-X", "-q", "-h", "127.0.0.1", "-p", zoo.port, "-U", "postgres", "-d", "zoo"],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    holder.stdin.write("BEGIN; LOCK TABLE orders; SELECT 'held';\n")
    holder.stdin.flush()
    while "held" not in holder.stdout.readline():
        pass
    try:
        statement = plan_of(kedge, zoo, "ALTER TABLE orders ALTER COLUMN code TYPE varchar(30)")
        assert statement["lock"] == "ACCESS EXCLUSIVE" and statement["rewritten"] is False
        assert statement["tables"][0]["rows"] == 500
    finally:
        holder.communicate("ROLLBACK;\n", timeout=30)
    assert zoo.sql("SELECT to_regclass('schema_migrations') IS NULL", "zoo") == "t\n"


def test_plan_knows_what_it_makes_itself(kedge, zoo):
    kedge.environment["DATABASE_URL"] = f"postgres://postgres@127.0.0.1:{zoo.port}/zoo"
    write(kedge, "20240101000001_form.sql", "CREATE TABLE made (id int);\nALTER TABLE made ADD COLUMN x int;\n"
          "ALTER TABLE made RENAME TO named;\nCREATE INDEX ON named (x);\nDROP TABLE named;")
    statements = kedge.json("migrate", "plan")["statements"]
    assert [[table["new"] for table in statement["tables"]] for statement in statements[1:]] == [[True]] * 4
    assert statements[4]["lost"] == []
