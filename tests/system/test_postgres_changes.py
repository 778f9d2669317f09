"""PostgreSQL dumps while definitions change: each is the state of its snapshot, and it begins anew only for what would be
seen in it."""
import difflib
import os
import re
import time

import pytest

from test_postgres import BIN, TOOL, Run
from test_postgres_proofs import Busy, Proofs, Proxy, server  # noqa: F401 (a fixture)

pytestmark = pytest.mark.skipif(not BIN.exists() or not TOOL.exists(), reason="needs PostgreSQL 15 and a build")


# ---- one change at a known moment ----

class Meanwhile(Proxy):
    """Has statements run, each by itself, when some session first says `moment`."""

    def __init__(self, server, database, moment, statements):
        self.run = lambda: [server.sql(statement, database) for statement in statements]
        self.moment, self.done = moment, False
        super().__init__(server.port)

    def pump(self, one, other):
        try:
            while data := one.recv(65536):
                if not self.done and self.moment in data:
                    self.done = True
                    self.run()
                other.sendall(data)
        except OSError:
            pass
        finally:
            self.hang_up(one, other)


MEANWHILE = """
    CREATE TYPE mood AS ENUM ('calm', 'busy'); CREATE TYPE pair AS (a integer, b text); CREATE SCHEMA space; CREATE SEQUENCE s;
    CREATE FUNCTION tax(amount integer DEFAULT 1) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT amount';
    CREATE TABLE t AS SELECT i AS id, 'calm'::mood AS m, '(1,x)'::pair AS p FROM generate_series(1, 1000) i; CREATE INDEX i ON t (tax(id));
    CREATE TABLE parent (id integer PRIMARY KEY) PARTITION BY RANGE (id); CREATE TABLE child PARTITION OF parent FOR VALUES FROM (0) TO (9);
    CREATE VIEW v AS SELECT tax(id) AS x FROM t; CREATE MATERIALIZED VIEW mv AS SELECT 1 AS a; CREATE TYPE space.inner AS (a integer);
    CREATE DOMAIN small AS integer CHECK (VALUE < 10); CREATE STATISTICS st ON id, m FROM t; CREATE PUBLICATION pub FOR TABLE t;"""

# In one transaction, as what was changed twice has had a state that nobody saw.
HARMLESS = ["""
    BEGIN; CREATE TABLE new (a integer REFERENCES parent); CREATE VIEW other AS SELECT * FROM v;
    CREATE OR REPLACE VIEW v AS SELECT tax(id) AS x FROM t WHERE id > 1;
    CREATE OR REPLACE FUNCTION tax(amount integer DEFAULT 1) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT 7';
    ALTER TYPE mood ADD VALUE 'new'; GRANT SELECT ON t, v TO zoo_reader; GRANT USAGE ON SCHEMA space TO zoo_reader;
    ALTER FUNCTION tax OWNER TO zoo_owner; COMMENT ON TABLE t IS 'new'; CREATE TABLE added (id integer PRIMARY KEY);
    ALTER TABLE parent ATTACH PARTITION added FOR VALUES FROM (10) TO (19); REFRESH MATERIALIZED VIEW mv; CREATE TABLE heir () INHERITS (t);
    CREATE INDEX ON t (id); REINDEX INDEX i; CREATE TEMP TABLE a (a integer); ALTER DOMAIN small SET DEFAULT 3;
    ALTER PUBLICATION pub ADD TABLE parent; ALTER SEQUENCE s OWNER TO zoo_owner; ALTER TYPE pair RENAME TO x; ALTER TYPE x RENAME TO pair; COMMIT""",
            "VACUUM ANALYZE", "COMMENT ON TABLE t IS 'newer'", "CREATE TABLE passing (a integer)", "DROP TABLE passing"]
# One after the other.
HARMFUL = [
    ["ALTER TYPE pair RENAME TO couple"], ["ALTER TYPE couple RENAME TO x", "ALTER TYPE x RENAME TO couple"],
    ["ALTER TYPE couple ADD ATTRIBUTE c integer"], ["ALTER FUNCTION tax RENAME TO duty"], ["ALTER SCHEMA space RENAME TO room"],
    ["CREATE OR REPLACE FUNCTION duty(amount integer DEFAULT 2) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT amount'"],
    ["ALTER TYPE mood RENAME VALUE 'busy' TO 'hasty'"], ["ALTER INDEX i RENAME TO j"],
    ["CREATE OR REPLACE VIEW v AS SELECT duty(id) AS x, 1 AS y FROM t"], ["ALTER VIEW v RENAME TO w"], ["DROP SEQUENCE s"],
    ["ALTER STATISTICS st RENAME TO statistics"], ["DROP MATERIALIZED VIEW mv"], ["ALTER DOMAIN small RENAME TO little"],
]


def dump_beside(server, database, moment, statements, file, check=True):
    proxy = Meanwhile(server, database, moment, statements)
    run = Run("dump", f"postgres://postgres@127.0.0.1:{proxy.port}/{database}?sslmode=disable", file, "--jobs", 2, check=check)
    proxy.listener.close()
    assert proxy.done
    return run


PG_DUMP_BEGINS = b"SET TRANSACTION ISOLATION LEVEL"


def test_a_dump_goes_on_beside_changes_that_are_not_seen_in_it(server, tmp_path):
    server.create("meant", "meant_back")
    server.sql(MEANWHILE, "meant")
    before = server.state("meant")
    run = dump_beside(server, "meant", PG_DUMP_BEGINS, HARMLESS, tmp_path / "meant.sql")
    assert "starting again" not in run.error
    server.play(tmp_path / "meant.sql", "meant_back")
    assert list(difflib.unified_diff(before, server.state("meant_back"), lineterm="", n=1)) == []
    server.drop("meant", "meant_back")


def test_a_dump_begins_anew_after_a_change_that_would_be_seen_in_it(server, tmp_path):
    server.create("meant", "meant_back")
    server.sql(MEANWHILE, "meant")
    for statements in HARMFUL:
        run = dump_beside(server, "meant", PG_DUMP_BEGINS, statements, tmp_path / "meant.sql")
        assert "starting again" in run.error, statements
    server.play(tmp_path / "meant.sql", "meant_back")
    server.assert_same("meant", "meant_back")
    server.drop("meant", "meant_back")


@pytest.mark.parametrize("extra, statements, changed", [
    ("", ["ALTER TYPE mood RENAME VALUE 'busy' TO 'hasty'"], True), ("", ["ALTER TYPE pair ADD ATTRIBUTE c integer"], True),
    ("CREATE TABLE r AS SELECT 'tax'::regproc AS f", ["ALTER FUNCTION tax RENAME TO duty"], True),
    ("", ["ALTER FUNCTION tax RENAME TO duty", "DROP SEQUENCE s", "CREATE OR REPLACE VIEW v AS SELECT duty(id) AS x, 1 AS y FROM t"], False),
    ("CREATE TABLE routed (m mood) PARTITION BY HASH (m)", ["CREATE TABLE cut (m mood); ALTER TABLE routed ATTACH PARTITION cut FOR VALUES WITH (MODULUS 1, REMAINDER 0)"], True),
])
def test_only_what_rows_are_written_with_spoils_a_dump_later(server, tmp_path, extra, statements, changed):
    server.create("later")
    server.sql(MEANWHILE + extra, "later")
    # What is asked right after the definitions were found unchanged.
    run = dump_beside(server, "later", b"NOT EXISTS (SELECT FROM pg_namespace", statements, tmp_path / "x", check=False)
    assert run.status == (20 if changed else 0), run.error
    assert ("schema changed during the dump: " in run.error) == changed
    server.drop("later")


# ---- many changes at any moment ----

# Each transaction of the mix below says in the ledger that it was: so a dump tells which of them its snapshot contains,
# and what must be in it can be made by replaying just these.

MIX_SCHEMA = """
    CREATE TABLE ledger (who text, n bigint, PRIMARY KEY (who, n));
    CREATE TABLE one AS SELECT i AS id, 1000 AS money, repeat('x', 300) AS filler FROM generate_series(1, 3000) i;
    CREATE TABLE indexed AS TABLE one; CREATE INDEX ON one (money); ALTER TABLE one ADD PRIMARY KEY (id);
    CREATE TYPE mood AS ENUM ('calm', 'busy'); CREATE TYPE pair AS (a integer, b text);
    CREATE FUNCTION tax(amount integer DEFAULT 1) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT amount';
    CREATE VIEW rich AS SELECT id, tax(money) AS m FROM one WHERE money > 10;
    CREATE VIEW richer AS SELECT r.id, r.m, 'calm'::mood AS mood FROM rich r; CREATE INDEX ON one (tax(money));"""


def mix_of(who):
    """What a session does, with objects of its own: so sessions can be replayed one after the other."""
    return f"""
    CREATE TYPE {who}_mood AS ENUM ('calm', 'busy'); CREATE TABLE {who}_shaped (id integer PRIMARY KEY, m {who}_mood DEFAULT 'busy'); INSERT INTO {who}_shaped SELECT generate_series(1, 50);
    CREATE TABLE {who}_emptied (n bigint); CREATE TABLE {who}_parted (k integer, t text) PARTITION BY RANGE (k);
    CREATE FUNCTION {who}_latest(x integer DEFAULT 1) RETURNS bigint LANGUAGE sql AS 'SELECT 0::bigint';
    CREATE TYPE {who}_unit_ AS (a integer); CREATE TYPE {who}_level AS ENUM ('{who}_value_'); CREATE SCHEMA {who}_space_;
    CREATE FUNCTION {who}_rate_(x integer) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT 1'; CREATE TYPE {who}_space_.d AS (a integer);
    CREATE TABLE {who}_named (u {who}_unit_, d {who}_space_.d, l {who}_level); INSERT INTO {who}_named SELECT NULL, NULL, '{who}_value_' FROM generate_series(1, 1000);
    CREATE INDEX ON {who}_shaped ({who}_rate_(id)); CREATE VIEW {who}_rated AS SELECT {who}_rate_(id) AS rate FROM {who}_shaped;
    CREATE VIEW {who}_view AS SELECT id, {who}_latest(id) AS latest FROM {who}_shaped; CREATE VIEW {who}_above AS SELECT * FROM {who}_view;"""


def renaming(who, n):
    """Names that others are printed with (of a column's type, of a function in a view and an index, of a schema), and a value in a row."""
    find, rename = [("SELECT typname FROM pg_type WHERE typname ~ '^{}_unit_'", "ALTER TYPE %I RENAME TO {}_unit_{}"),
                    ("SELECT proname FROM pg_proc WHERE proname ~ '^{}_rate_'", "ALTER FUNCTION %I(integer) RENAME TO {}_rate_{}"),
                    ("SELECT nspname FROM pg_namespace WHERE nspname ~ '^{}_space_'", "ALTER SCHEMA %I RENAME TO {}_space_{}"),
                    ("SELECT enumlabel FROM pg_enum WHERE enumlabel ~ '^{}_value_'", "ALTER TYPE {}_level RENAME VALUE %L TO '{0}_value_{}'")][n // 36 % 4]
    rename = rename.replace("{0}", who).format(who, n)
    return f"DO $do$ BEGIN EXECUTE format($${rename}$$, ({find.format(who)})); END $do$"


def change(who, n):
    old = n - 36
    return [
        f"CREATE TABLE {who}_made_{n} (a integer PRIMARY KEY, b pair DEFAULT '(1,x)'); INSERT INTO {who}_made_{n} VALUES ({n}, '(2,y)')",
        f"DROP TABLE {who}_made_{old - 1}",
        f"CREATE OR REPLACE FUNCTION {who}_latest(x integer DEFAULT 1) RETURNS bigint LANGUAGE sql AS 'SELECT {n}::bigint'",
        f"CREATE OR REPLACE VIEW {who}_view AS SELECT id, {who}_latest(id) AS latest FROM {who}_shaped WHERE id < {n}",
        f"COMMENT ON TABLE {who}_shaped IS 'as of {n}'; COMMENT ON FUNCTION {who}_latest(integer) IS 'as of {n}'",
        f"ALTER TYPE {who}_mood ADD VALUE 'v{n}'; CREATE FUNCTION {who}_f_{n}(a {who}_shaped, b {who}_mood DEFAULT 'calm') RETURNS {who}_mood LANGUAGE sql AS 'SELECT b'",
        f"{['GRANT', 'REVOKE'][n // 12 % 2]} SELECT ON {who}_shaped {['TO', 'FROM'][n // 12 % 2]} zoo_reader",
        f"CREATE TEMP TABLE {who}_passing_{n} AS SELECT 1 AS a; CREATE INDEX ON {who}_passing_{n} (a); DROP TABLE {who}_passing_{n}; ANALYZE one",
        f"TRUNCATE {who}_emptied; INSERT INTO {who}_emptied VALUES ({n})",
        f"CREATE TABLE {who}_part_{n} (k integer, t text); INSERT INTO {who}_part_{n} VALUES ({n}, 'r'); "
        f"ALTER TABLE {who}_parted ATTACH PARTITION {who}_part_{n} FOR VALUES FROM ({n}) TO ({n + 1})",
        f"ALTER TABLE {who}_parted DETACH PARTITION {who}_part_{old - 1}; DROP TABLE {who}_part_{old - 1}",
        f"ALTER TABLE {who}_shaped ADD COLUMN c{n} integer DEFAULT {n}" if n % 36 == 11 else
        renaming(who, n) if n % 12 == 11 and n % 36 != 35 else
        f"CREATE SEQUENCE {who}_seq_{n} START {n}; CREATE UNLOGGED TABLE {who}_quick_{n} AS SELECT 1 AS a; DROP TABLE {who}_quick_{n}",
    ][n % 12]


def changes(who, patience):
    return lambda n: (f"BEGIN; SET LOCAL lock_timeout = {patience}; {change(who, n)}; INSERT INTO ledger VALUES ('{who}', {n}); COMMIT;")


def write(n):
    return f"UPDATE one SET money = money + {n % 7} WHERE id = {n * 31 % 3000 + 1}"


def writes(n):
    return f"BEGIN; {write(n)}; INSERT INTO ledger VALUES ('w', {n}); COMMIT;"


def index_concurrently(n):
    """No transaction can hold it, so what it makes is left out of the comparison."""
    return (f"SET lock_timeout = 300; CREATE INDEX CONCURRENTLY passing_{n} ON indexed (money);" if n % 2 == 0 else
            f"DROP INDEX CONCURRENTLY IF EXISTS passing_{n - 1};")


class Mixed(Proofs):
    def __init__(self, server):
        self.folder, self.port = server.folder, server.port

    def definitions(self, database):
        text = "\n".join(super().definitions(database))
        assert not re.search(r"^CREATE INDEX passing_\d+ (?!ON public.indexed USING btree \(money\);$)", text, re.M)
        return [line for line in text.split("\n") if "passing_" not in line and not line.startswith("--")]


def replay(server, database, seen, said):
    """Those that the dump has and the replayed database has not."""
    order = {"w": 1}
    fresh = sorted(said - seen, key=lambda entry: (order.get(entry[0], 0), entry[0], entry[1]))
    statements = [f"{write(n) if who == 'w' else change(who, n)};" for who, n in fresh]
    # A new value of an enum can only be used when it is committed, so each is a transaction of its own.
    server.sql("\n".join([*statements, *(f"INSERT INTO ledger VALUES ('{who}', {n});" for who, n in fresh)]), database)
    return said


MIXED_DUMPS = int(os.environ.get("KEDGE_MIXED_DUMPS", "4"))


def test_dumps_beside_twenty_changes_a_second_are_their_snapshots(server, tmp_path):
    server.create("mixed", "replayed")
    for database in ("mixed", "replayed"):
        server.sql(MIX_SCHEMA + mix_of("a") + mix_of("b"), database)
    mixed, seen, done = Mixed(server), set(), 0
    # One gives up when it must wait, the other waits as long as it takes.
    with Busy(server, "mixed", writes), Busy(server, "mixed", changes("a", 100), 13) as a, \
            Busy(server, "mixed", changes("b", 0), 7) as b, Busy(server, "mixed", index_concurrently, 2):
        for _ in range(MIXED_DUMPS):
            began, before = time.monotonic(), a.sent + b.sent
            run = Run("dump", server.url("mixed"), tmp_path / "mixed.sql", "--jobs", 3, check=False)
            print(f"exit {run.status}, {time.monotonic() - began:.1f} s, {a.sent + b.sent - before} sent", run.error.strip())
            if run.status != 0:
                assert run.status == 20 and "schema changed during the dump" in run.error, run.error
                continue
            done += 1
            server.create("mixed_back")
            server.play(tmp_path / "mixed.sql", "mixed_back")
            said = {(who, int(n)) for who, n in (line.split("|") for line in server.sql("TABLE ledger", "mixed_back").splitlines())}
            assert seen <= said
            seen = replay(server, "replayed", seen, said)
            mixed.assert_same("replayed", "mixed_back")
    counts = {who: sum(1 for entry in seen if entry[0] == who) for who in "abw"}
    print(f"{done} of {MIXED_DUMPS} dumps, with {counts} transactions")
    assert done >= MIXED_DUMPS * 0.7
    server.drop("mixed", "replayed", "mixed_back")
