"""What a PostgreSQL backup promises, tried against a server: every kind of object there and back (also through stock
psql), random schemas, writers and definitions that change meanwhile, connections that are cut, runs that are killed,
full disks, and what must be refused."""
import difflib
import os
import re
import shutil
import signal
import socket
import subprocess
import threading
import time
import urllib.parse
from pathlib import Path

import pytest

import postgres_random
from conftest import free_port
from test_postgres import BIN, ROOT, TOOL, Run, Server

pytestmark = pytest.mark.skipif(not BIN.exists() or not TOOL.exists(), reason="needs PostgreSQL 15 and a build")

ODD_ROLE = '-% "odd" $(role);'


def quoted(name):
    return '"' + name.replace('"', '""') + '"'


class Proofs(Server):
    def url(self, database, user="postgres"):
        return super().url(urllib.parse.quote(database, safe=""), user)

    def drop(self, *names):
        for name in names:
            literal = "'" + name.replace("'", "''") + "'"
            for line in self.sql("SELECT quote_ident(subname) FROM pg_subscription WHERE subdbid = "
                                 f"(SELECT oid FROM pg_database WHERE datname = {literal})").splitlines():
                self.sql(f"SET default_transaction_read_only = off; ALTER SUBSCRIPTION {line} DISABLE; "
                         f"ALTER SUBSCRIPTION {line} SET (slot_name = NONE); DROP SUBSCRIPTION {line};", name)
            self.sql(f"DROP DATABASE IF EXISTS {quoted(name)} WITH (FORCE);")

    def bytes(self, text, database):
        """Text of any bytes, and what psql answers as it came."""
        done = subprocess.run([BIN / "psql", *self.arguments(database), "-v", "ON_ERROR_STOP=1", "-At"],
                              input=os.fsencode(text), capture_output=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def state(self, database):
        """The definitions as pg_dump writes them, then every sequence, table, view and large object in a line each."""
        return self.definitions(database) + self.contents(database)

    def definitions(self, database):
        text = subprocess.run([BIN / "pg_dump", "--create", "--schema-only", "-h", "127.0.0.1", "-p", str(self.port),
                               "-U", "postgres", "-d", f"dbname='{database}'"], check=True, capture_output=True, text=True).stdout
        for name in (quoted(database), database):
            text = text.replace(name, "DB")
        # A table's line of headings is no definition, and a database's tablespace is none of its own.
        return [line for line in text.splitlines() if line and not line.startswith(("\\restrict", "\\unrestrict"))]

    def contents(self, database):
        # Rows are compared as JSON, which does not depend on the order of columns (a table that inherits may come back
        # with another one), and of a partitioned table as one.
        return self.sql(r"""
            SET extra_float_digits = 3; SET search_path = ''; SET lock_timeout = 0; SET client_min_messages = error;
            SELECT format(CASE WHEN relkind = 'S' THEN 'SELECT %L, last_value, is_called FROM %s'
                WHEN NOT relispopulated THEN 'SELECT %L, 0, ''not populated'' WHERE %L IS NOT NULL'
                ELSE 'SELECT %L, count(*), md5(coalesce(string_agg(md5(to_jsonb(t)::text), '''' ORDER BY md5(to_jsonb(t)::text)), '''')) FROM ' ||
                  CASE relkind WHEN 'p' THEN '' ELSE 'ONLY ' END || '%s t' END, c.oid::regclass, c.oid::regclass)
            FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
            WHERE relkind IN ('r', 'p', 'S', 'm') AND NOT relispartition AND nspname !~ '^(pg_|information_schema|kedge)'
            ORDER BY 1 \gexec
            SELECT oid, lomowner::regrole, lomacl, md5(lo_get(oid)), length(lo_get(oid)), obj_description(oid, 'pg_largeobject')
            FROM pg_largeobject_metadata ORDER BY oid;
        """, database).split("\n")

    def assert_same(self, one, other):
        difference = list(difflib.unified_diff(self.state(one), self.state(other), one, other, lineterm="", n=4))
        assert not difference, "\n".join(difference[:60])


@pytest.fixture(scope="module")
def server():
    folder = Path("/tmp") / f"kedge-proofs-postgres-{os.getpid()}"
    folder.mkdir(mode=0o755)
    running = Proofs(folder, free_port())
    running.sql('CREATE ROLE zoo_owner; CREATE ROLE zoo_reader LOGIN; CREATE ROLE "Zoo Writer"; '
                f'CREATE ROLE {quoted(ODD_ROLE)};')
    yield running
    running.stop()
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def rare(server):
    server.create("zoo_rare")
    server.play(ROOT / "tests" / "system" / "postgres_zoo_rare.sql", "zoo_rare")
    return server


# ---- everything comes back ----

def test_the_rarer_kinds_of_object_come_back_by_frames(rare):
    Run("copy", rare.url("zoo_rare"), rare.url("rare_frames"), "--jobs", 4, "--thorough")
    rare.assert_same("zoo_rare", "rare_frames")
    rare.drop("rare_frames")


def test_the_rarer_kinds_of_object_come_back_front_to_back(rare, tmp_path):
    Run("dump", rare.url("zoo_rare"), tmp_path / "rare.sql")
    Run("load", tmp_path / "rare.sql", rare.url("rare_stream"))
    rare.assert_same("zoo_rare", "rare_stream")
    rare.drop("rare_stream")


def test_psql_reads_a_dump_of_the_rarer_kinds_of_object(rare, tmp_path):
    Run("dump", rare.url("zoo_rare"), tmp_path / "rare.sql")
    rare.create("rare_psql")
    rare.play(tmp_path / "rare.sql", "rare_psql")
    rare.assert_same("zoo_rare", "rare_psql")
    rare.drop("rare_psql")


def test_settings_of_the_reader_do_not_change_what_is_read(server):
    server.create("settled")
    server.sql("""ALTER DATABASE settled SET lc_monetary = 'C.UTF-8'; ALTER ROLE postgres SET array_nulls = off;
                  ALTER ROLE postgres SET DateStyle = 'German'; ALTER ROLE postgres SET IntervalStyle = 'sql_standard';
                  ALTER ROLE postgres SET bytea_output = 'escape'; ALTER ROLE postgres SET extra_float_digits = -15;
                  ALTER ROLE postgres SET quote_all_identifiers = on; ALTER ROLE postgres SET standard_conforming_strings = off;
                  ALTER ROLE postgres SET statement_timeout = '50ms'; ALTER ROLE postgres SET idle_in_transaction_session_timeout = '50ms';
                  ALTER ROLE postgres SET idle_session_timeout = '500ms'; ALTER ROLE postgres SET default_transaction_read_only = on;
                  ALTER ROLE postgres SET default_transaction_isolation = 'serializable'; ALTER ROLE postgres SET search_path = 'nowhere';""")
    try:
        server.sql(r"""SET default_transaction_read_only = off; SET array_nulls = on; SET search_path = public; SET statement_timeout = 0;
            CREATE TABLE t AS SELECT '{NULL,"NULL"}'::text[] AS a, '2020-02-01 03:04:05.678+09'::timestamptz AS b, '-1 mons +2 days -03:04'::interval AS c,
              decode('5c00ff', 'hex') AS d, 0.1::float8 + 0.2 AS e, 'a\b' AS f, 12.5::money AS g FROM generate_series(1, 100);
            CREATE TABLE slow AS SELECT i, repeat('x', 200) AS x FROM generate_series(1, 300000) i;""", "settled")
        Run("copy", server.url("settled"), server.url("settled_back"), "--thorough")
    finally:
        server.sql("SET default_transaction_read_only = off; ALTER ROLE postgres RESET ALL;")
    server.assert_same("settled", "settled_back")
    assert server.sql("SELECT a[1] IS NULL, a[2], e = 0.1::float8 + 0.2, c FROM t LIMIT 1", "settled_back") == "t|NULL|t|-1 mons +2 days -03:04:00"
    server.drop("settled", "settled_back")


def test_roles_in_a_backup_do_not_hide_its_encoding(server):
    server.drop("coded", "coded_back")
    server.sql("CREATE DATABASE coded TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'; "
               "CREATE DATABASE coded_back TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C';")
    server.sql("SET client_encoding = 'UTF8'; CREATE TABLE t AS SELECT 'ä'::text AS a WHERE false; "
               "INSERT INTO t VALUES ('Käse'); CREATE TABLE u AS SELECT * FROM t;", "coded")
    Run("copy", server.url("coded"), server.url("coded_back"), "--roles")
    assert server.sql("SELECT a FROM t UNION ALL SELECT a FROM u", "coded_back") == "Käse\nKäse"
    server.drop("coded", "coded_back")


# ---- names ----

@pytest.mark.parametrize("name", ["a'b\"c;d", "-h evil", "$(touch x) %s%n", "🦒 two", "a=b dbname=postgres", "x/y?host=z#@:",
                                  "line\nend", "__kedge_", "."])
def test_databases_of_any_name_come_back_and_go_back(server, name):
    back = f"{name} again"
    server.drop(name, back)
    server.sql(f"CREATE DATABASE {quoted(name)} TEMPLATE template0; CREATE DATABASE {quoted(back)} TEMPLATE template0;")
    ask(server, name, "CREATE TABLE t AS SELECT 1 AS a")
    kept = Run("copy", server.url(name), server.url(back), "--keep").values["KEPT"]
    assert tables_in(server, back) == "t"
    Run("undo", server.url(back), kept)
    assert tables_in(server, back) == ""
    Run("discard", server.url(back), kept)
    assert not [found for found in server.databases() if "__kedge_0" in found]
    server.drop(name, back)


def ask(server, database, sql):
    """psql -d takes a name with "=" in it for settings; the environment does not."""
    return subprocess.run([BIN / "psql", "-XqAt", "-h", "127.0.0.1", "-p", str(server.port), "-U", "postgres", "-c", sql],
                          check=True, capture_output=True, text=True, env={**os.environ, "PGDATABASE": database}).stdout.strip()


def tables_in(server, database):
    return ask(server, database, "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace")


# ---- schemas made by chance ----

# KEDGE_RANDOM_SCHEMAS=100: more of them, by hand; KEDGE_RANDOM_FIRST=500: others.
FIRST = int(os.environ.get("KEDGE_RANDOM_FIRST", "1"))
SEEDS = range(FIRST, FIRST + int(os.environ.get("KEDGE_RANDOM_SCHEMAS", "20")))


@pytest.mark.parametrize("encoding, name", [("LATIN1", "t\u00fc\u00df"), ("EUC_JP", "\u8868"), ("WIN1252", "t\u20ac"),
                                            ("UTF8", "\U0001f6d2"), ("SQL_ASCII", "n\udcff\udce4")])
def test_a_table_is_named_as_people_write_it_whatever_the_encoding(server, kedge, encoding, name):
    server.drop("coded", "plain")
    server.sql(f"CREATE DATABASE coded TEMPLATE template0 ENCODING '{encoding}' LOCALE 'C'; CREATE DATABASE plain;")
    speak = "" if encoding == "SQL_ASCII" else "SET client_encoding = UTF8; "
    quoted = '"' + name + '"'

    def rows(database="coded"):
        return server.bytes(f"{speak}SELECT * FROM {quoted}", database)
    server.bytes(f"{speak}CREATE TABLE {quoted} AS SELECT 1 AS a; CREATE TABLE other AS SELECT 2 AS a;", "coded")
    kedge("backup", server.url("coded"), "--table", name)
    assert "other" not in [table["name"] for table in kedge.json("show", "1")["tables"] if table["rows"]]
    if encoding != "SQL_ASCII":
        assert name in [table["name"] for table in kedge.json("show", "1")["tables"]]
    server.bytes(f"{speak}INSERT INTO {quoted} VALUES (5)", "coded")
    kedge("restore", "1", "--table", name, "--yes")
    assert rows() == b"1\n"
    kedge("undo", "--yes")
    assert rows() == b"1\n5\n"
    if encoding == "SQL_ASCII":
        return
    kedge("restore", "1", "--table", name, "--to", server.url("plain"), "--yes")
    kedge("restore", "1", "--table", name, "--to", server.url("plain"), "--yes")
    server.bytes(f"{speak}INSERT INTO {quoted} VALUES (6)", "plain")
    kedge("undo", "--yes")
    assert rows("plain") == b"1\n"
    kedge("undo", "--yes")
    assert rows("plain") == b"1\n6\n"


class Session:
    """A session of psql that is told one statement after the other."""

    def __init__(self, server, database, name):
        self.name = name
        self.psql = subprocess.Popen([BIN / "psql", *server.arguments(database), "-v", "ON_ERROR_STOP=1"], text=True,
                                     stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        # Only the other side may look for a deadlock.
        self.tell(f"SET deadlock_timeout = '1h'; SET application_name = '{name}';")

    def tell(self, statement):
        self.psql.stdin.write(statement + "\n")
        self.psql.stdin.flush()

    def end(self):
        error = self.psql.communicate(timeout=120)[1]
        assert self.psql.returncode == 0, error


def waits(server, application, table, granted=False):
    server.wait("SELECT 1 FROM pg_locks l JOIN pg_stat_activity a USING (pid) JOIN pg_class c ON c.oid = l.relation "
                f"WHERE a.application_name = '{application}' AND c.relname = '{table}' AND l.granted = {granted} "
                "AND l.mode <> 'AccessShareLock' LIMIT 1", "crossed", 60)


@pytest.mark.parametrize("way", ["restore", "undo"])
def test_an_exchange_of_tables_that_deadlocks_is_done_again(server, kedge, way):
    """The tables are locked in the order b, c, a. Somebody holds a and waits for b while the exchange, which has b, is kept
    waiting for c; set free it asks for a, last of all, and so is the one whose statement the server ends."""
    server.create("crossed")
    server.sql("CREATE TABLE a AS SELECT 1 AS x; CREATE TABLE b AS SELECT i AS x FROM generate_series(1, 30000) i; "
               "CREATE TABLE c AS SELECT i AS x FROM generate_series(1, 5000) i;", "crossed")
    kedge("backup", server.url("crossed"), "--jobs", "1")
    words = ["--table", "a", "--table", "b", "--table", "c"]
    server.sql("UPDATE a SET x = 2; DELETE FROM b WHERE x > 7", "crossed")
    if way == "undo":
        kedge("restore", "1", "--force", *words)
    other, third = Session(server, "crossed", "other"), Session(server, "crossed", "third")
    other.tell("BEGIN; UPDATE a SET x = x + 10;")
    third.tell("BEGIN; LOCK TABLE c IN ROW EXCLUSIVE MODE;")
    waits(server, "other", "a", True)
    waits(server, "third", "c", True)
    run = kedge.start(*(["restore", "1", "--force", *words] if way == "restore" else ["undo", "--force"]))
    waits(server, "kedge", "c")
    waits(server, "kedge", "b", True)
    other.tell("UPDATE b SET x = x + 10; COMMIT;")
    waits(server, "other", "b")
    third.tell("COMMIT;")
    out, err = run.communicate(timeout=120)
    for session in (other, third):
        session.end()
    assert run.returncode == 0, err
    server.wait("SELECT 1 FROM pg_stat_database WHERE datname = 'crossed' AND deadlocks = 1")
    assert server.sql("SELECT x FROM a", "crossed") == ("1" if way == "restore" else "2")
    assert server.sql("SELECT count(*) FROM b", "crossed") == ("30000" if way == "restore" else "7")
    kedge("undo", "--force")
    assert server.sql("SELECT x FROM a", "crossed") == ("12" if way == "restore" else "11")


@pytest.mark.parametrize("table, change", [("t", "DELETE FROM t WHERE a > 3"), ("part1", "UPDATE part SET b = 'new'")])
def test_event_triggers_and_keys_to_partitions_keep_no_table_from_coming_back(server, kedge, table, change):
    server.create("watched")
    server.sql("""
        CREATE TABLE t AS SELECT generate_series(1, 9) AS a; CREATE TABLE log (tag text);
        CREATE TABLE part (a integer PRIMARY KEY, b text) PARTITION BY RANGE (a);
        CREATE TABLE part1 PARTITION OF part FOR VALUES FROM (0) TO (10); CREATE TABLE refer (a integer REFERENCES part);
        INSERT INTO part VALUES (1, 'x'), (2, 'y'); INSERT INTO refer VALUES (1), (2);
        CREATE FUNCTION stop() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''not now''; END';
        CREATE EVENT TRIGGER stop ON ddl_command_end EXECUTE FUNCTION stop(); ALTER EVENT TRIGGER stop ENABLE ALWAYS;
        CREATE EVENT TRIGGER gone ON sql_drop EXECUTE FUNCTION stop();""", "watched")
    kedge("backup", server.url("watched"))
    backed_up = server.state("watched")
    server.sql(change, "watched")
    changed = server.state("watched")
    kedge("restore", "1", "--table", table, "--yes")
    assert server.contents("watched") == backed_up[-len(server.contents("watched")):]
    kedge("undo", "--yes")
    assert server.contents("watched") == changed[-len(server.contents("watched")):]
    kedge("restore", "1", "--table", table, "--yes", "--safety", "none")
    assert server.sql("SELECT string_agg(format('%s%s', evtname, evtenabled), ' ' ORDER BY evtname DESC) FROM pg_event_trigger", "watched") == "stopA goneO"
    with pytest.raises(AssertionError):
        server.sql("INSERT INTO refer VALUES (3)", "watched")


def test_an_owner_who_may_make_databases_needs_no_superuser(server, kedge):
    server.sql("DROP DATABASE IF EXISTS plot; DROP ROLE IF EXISTS gardener; CREATE ROLE gardener LOGIN CREATEDB; "
               "SET default_transaction_read_only = off;")
    server.sql("CREATE DATABASE plot OWNER gardener;")
    server.sql("SET ROLE gardener; CREATE TABLE t AS SELECT generate_series(1, 9) AS a;", "plot")
    url = server.url("plot", user="gardener")
    kedge("backup", url)
    kedge("verify", "1", "--level", "3")
    server.sql("DELETE FROM t", "plot")
    kedge("restore", "1", "--yes")
    assert server.sql("SELECT count(*) FROM t", "plot") == "9"
    kedge("undo", "--yes")
    assert server.sql("SELECT count(*) FROM t", "plot") == "0"


@pytest.mark.skipif(not shutil.which("pgbouncer", path=os.environ["PATH"] + ":/usr/sbin") or os.geteuid() != 0,
                    reason="needs pgbouncer, and to be root to run it as somebody else")
@pytest.mark.parametrize("mode", ["session", "transaction"])
def test_through_a_pooler_all_works_but_replacing_a_database(server, kedge, mode):
    server.create("pooled")
    server.sql("CREATE TABLE t AS SELECT generate_series(1, 9) AS a;", "pooled")
    port = free_port()
    place = server.folder / f"pooler-{mode}"
    place.mkdir()
    (place / "users").write_text('"postgres" ""\n')
    (place / "ini").write_text(f"[databases]\n* = host=127.0.0.1 port={server.port}\n[pgbouncer]\nlisten_addr = 127.0.0.1\n"
                               f"listen_port = {port}\nauth_type = trust\nauth_file = {place}/users\npool_mode = {mode}\n"
                               "unix_socket_dir =\n")
    owner = server.folder.owner()
    pooler = subprocess.Popen(["/usr/sbin/pgbouncer", "-q", place / "ini"], user=owner, cwd="/", stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL)
    try:
        for _ in range(100):
            with socket.socket() as there:
                if there.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        kedge("backup", f"postgres://postgres@127.0.0.1:{port}/pooled")
        kedge("verify", "1", "--level", "3")
        server.sql("DELETE FROM t", "pooled")
        done = kedge("restore", "1", "--yes", status=22)
        assert "through a connection pooler" in done.stderr and "server itself" in done.stderr
        kedge("restore", "1", "--yes", "--table", "t")
        assert server.sql("SELECT count(*) FROM t", "pooled") == "9"
    finally:
        pooler.terminate()
        pooler.wait()
    assert leftovers(server) == []


@pytest.mark.parametrize("seed", SEEDS)
def test_a_schema_made_by_chance_comes_back(server, tmp_path, seed):
    server.create("chance", "chance_psql")
    server.drop("chance_back")
    (tmp_path / "made.sql").write_text(postgres_random.schema(seed))
    server.play(tmp_path / "made.sql", "chance")
    Run("copy", server.url("chance"), server.url("chance_back"), "--jobs", 3, "--thorough")
    server.assert_same("chance", "chance_back")
    Run("dump", server.url("chance"), tmp_path / "chance.sql")
    server.play(tmp_path / "chance.sql", "chance_psql")
    server.assert_same("chance", "chance_psql")


# ---- writers and definitions that change meanwhile ----

DUMPS = int(os.environ.get("KEDGE_BUSY_DUMPS", "4"))


class Busy(threading.Thread):
    """Sends statements through one session until it is told to stop, `rate` of them a second (None: as many as go)."""

    def __init__(self, server, database, statements, rate=None):
        super().__init__()
        self.server, self.database, self.statements, self.rate = server, database, statements, rate
        self.stopped, self.sent = threading.Event(), 0

    def run(self):
        psql = subprocess.Popen([BIN / "psql", *self.server.arguments(self.database), "-o", os.devnull], stdin=subprocess.PIPE,
                                stderr=subprocess.DEVNULL, text=True)
        while not self.stopped.is_set():
            psql.stdin.write(self.statements(self.sent) + "\n")
            psql.stdin.flush()
            self.sent += 1
            if self.rate:
                time.sleep(1 / self.rate)
            elif self.sent % 20 == 0:
                time.sleep(0.02)
        psql.stdin.close()
        psql.wait(60)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stopped.set()
        self.join()


def accounts(server):
    """Money moves between two tables, each transfer noted; a definition's marker is written with each change of one."""
    server.create("busy")
    server.sql("""CREATE TABLE one AS SELECT i AS id, 1000 AS money, repeat('x', 300) AS filler FROM generate_series(1, 3000) i;
                  CREATE TABLE two AS TABLE one; CREATE TABLE transfers (n bigint PRIMARY KEY, amount integer);
                  CREATE TABLE marker (version bigint); INSERT INTO marker VALUES (0); CREATE TABLE shaped (c0 integer);
                  CREATE SEQUENCE counted;""", "busy")


def transfer(number):
    return (f"BEGIN; UPDATE one SET money = money - 1 WHERE id = {number % 3000 + 1}; "
            f"UPDATE two SET money = money + 1 WHERE id = {number % 3000 + 1}; INSERT INTO transfers VALUES (nextval('counted'), 1); COMMIT;")


def reshape(number):
    """Each in one transaction with its marker, so that a snapshot has both or neither."""
    change = [f"ALTER TABLE shaped RENAME TO shaped_; ALTER TABLE shaped_ RENAME TO shaped; ALTER TABLE shaped RENAME c{number} TO c{number + 1}",
              f"CREATE TABLE extra_{number} AS SELECT {number} AS n; DROP TABLE IF EXISTS extra_{number - 4}; ALTER TABLE shaped RENAME c{number} TO c{number + 1}",
              f"CREATE OR REPLACE FUNCTION latest() RETURNS bigint LANGUAGE sql AS 'SELECT {number}::bigint'; ALTER TABLE shaped RENAME c{number} TO c{number + 1}",
              f"TRUNCATE transfers; ALTER TABLE shaped RENAME c{number} TO c{number + 1}; UPDATE one SET money = 1000; UPDATE two SET money = 1000"]
    return f"BEGIN; UPDATE marker SET version = {number + 1}; {change[number % 4]}; COMMIT;"


def check_accounts(server, database):
    """What must hold in every single moment."""
    assert server.sql("""SELECT (SELECT sum(money) FROM one) + (SELECT sum(money) FROM two),
                         (SELECT sum(money) FROM two) - 3000000 = (SELECT count(*) FROM transfers)""", database) == "6000000|t"
    version = int(server.sql("SELECT version FROM marker", database))
    columns = server.sql("SELECT attname FROM pg_attribute WHERE attrelid = 'shaped'::regclass AND attnum > 0", database)
    assert columns == f"c{version}"
    extras = server.sql("SELECT relname FROM pg_class WHERE relname LIKE 'extra%' ORDER BY oid", database).split()
    made = [number for number in range(1, version, 4)]
    assert extras == [f"extra_{number}" for number in made[-1:]]


def test_every_dump_beside_writers_is_of_one_moment(server, tmp_path):
    accounts(server)
    with Busy(server, "busy", transfer):
        for _ in range(DUMPS):
            Run("dump", server.url("busy"), tmp_path / "busy.sql", "--jobs", 3)
            server.create("busy_back")
            server.play(tmp_path / "busy.sql", "busy_back")
            check_accounts(server, "busy_back")
            assert int(server.sql("SELECT last_value >= (SELECT coalesce(max(n), 0) FROM transfers) FROM counted", "busy_back") == "t")


@pytest.mark.parametrize("rate", [1, 20])
def test_every_dump_beside_changing_definitions_is_of_one_moment_or_none(server, tmp_path, rate):
    accounts(server)
    # One that finds no quiet moment takes its time to give up.
    done, tries = 0, DUMPS if rate < 10 else max(1, DUMPS // 4)
    with Busy(server, "busy", transfer), Busy(server, "busy", reshape, rate):
        for _ in range(tries):
            run = Run("dump", server.url("busy"), tmp_path / "busy.sql", "--jobs", 3, check=False)
            if run.status != 0:
                assert run.status == 20 and "schema changed during the dump" in run.error, run.error
                continue
            done += 1
            server.create("busy_back")
            server.play(tmp_path / "busy.sql", "busy_back")
            check_accounts(server, "busy_back")
    print(f"{done} of {tries} dumps at {rate} changes a second")


def test_statements_that_queue_for_a_table_all_the_time_end_a_dump_in_time(server, tmp_path):
    """Before pg_dump has its locks, or while it waits for them behind one of those statements: then that one is named."""
    server.create("queue")
    server.sql("CREATE TABLE t AS SELECT generate_series(1, 1000) AS a;", "queue")
    (tmp_path / "alter.sql").write_text("ALTER TABLE t ALTER a SET DEFAULT 1;\n" * 500000)
    writers = [subprocess.Popen([BIN / "psql", *server.arguments("queue"), "-f", tmp_path / "alter.sql"],
                                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for _ in range(4)]
    time.sleep(0.5)
    run = Run("dump", server.url("queue"), tmp_path / "queue.sql", check=False)
    for writer in writers:
        writer.kill()
        writer.wait()
    assert run.status == 20
    assert re.search(r"process \d+ waits for a lock on table public.t\b|changed \(a table\)", run.error), run.error
    assert "lock_timeout" in run.error


# ---- connections that are cut ----

class Proxy:
    """A loopback port before the server that passes `limit` bytes (both ways, all connections together), then cuts every
    connection. `dead`: it accepts none afterwards. What says `held` waits at the port until `let_go` is set; `came` tells of it."""

    def __init__(self, port):
        self.port_behind, self.limit, self.dead, self.passed = port, None, False, 0
        self.held, self.came, self.let_go = None, threading.Event(), threading.Event()
        self.lock, self.open = threading.Lock(), []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def arm(self, limit, dead):
        with self.lock:
            self.limit, self.dead, self.passed = limit, dead, 0

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            if self.dead and self.limit is not None and self.passed >= self.limit:
                client.close()
                continue
            try:
                behind = socket.create_connection(("127.0.0.1", self.port_behind))
            except OSError:  # the server is being started again
                client.close()
                continue
            with self.lock:
                self.open += [client, behind]
            for one, other in ((client, behind), (behind, client)):
                threading.Thread(target=self.pump, args=(one, other), daemon=True).start()

    def pump(self, one, other):
        try:
            while data := one.recv(65536):
                with self.lock:
                    before, self.passed = self.passed, self.passed + len(data)
                    cut = self.limit is not None and before < self.limit <= self.passed
                    if cut:
                        data = data[:self.limit - before]
                if self.held and self.held in data:
                    self.came.set()
                    self.let_go.wait()
                other.sendall(data)
                if cut:
                    self.cut()
        except OSError:
            pass
        self.hang_up(one, other)

    @staticmethod
    def hang_up(*ends):
        for end in ends:
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def cut(self):
        with self.lock:
            ends, self.open = self.open, []
        for end in ends:
            try:
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


@pytest.fixture
def cuttable(server, kedge):
    """kedge with a target behind a proxy, and a good backup of it."""
    server.create("cut")
    server.sql("""CREATE TABLE t AS SELECT i, md5(i::text) || repeat('x', 200) AS x FROM generate_series(1, 20000) i;
                  CREATE TABLE u (a integer PRIMARY KEY, b integer); INSERT INTO u SELECT i, i FROM generate_series(1, 5000) i;
                  CREATE INDEX ON u (b); SELECT lo_from_bytea(0, decode(repeat('00ff', 100000), 'hex'));""", "cut")
    proxy = Proxy(server.port)
    (Path(kedge.folder) / "kedge.yaml").write_text(
        f"targets: {{cut: {{url: 'postgres://postgres@127.0.0.1:{proxy.port}/cut?sslmode=disable'}}}}\n")
    os.chmod(Path(kedge.folder) / "kedge.yaml", 0o600)
    kedge("backup", "cut")
    yield server, kedge, proxy
    proxy.listener.close()
    server.drop(*[name for name in server.databases() if name.startswith("cut")])


def leftovers(server):
    """Unfinished copies; those that are kept for undo are called __kedge_old_."""
    return sorted(name for name in server.databases() if "__kedge_0" in name)


CUTS = int(os.environ.get("KEDGE_CUTS", "6"))


def test_a_backup_whose_connections_are_cut_leaves_nothing(cuttable):
    server, kedge, proxy = cuttable
    files = kedge.files()
    proxy.arm(None, False)
    total = pass_through(proxy, lambda: kedge("backup", "cut"))
    kedge("delete", "2", "--force")
    # Positions over the whole of a run, none of them round.
    for number in range(CUTS):
        proxy.arm(int(total * (number + 0.37) / CUTS) + 1, number % 2 == 1)
        done = kedge("backup", "cut", status=None)
        proxy.arm(None, False)
        assert done.returncode == 20, (done.returncode, done.stderr)
        assert re.search("connection|closed|refused|terminat", done.stderr), done.stderr
        rows = kedge.lines("list")
        assert [row["status"] for row in rows if row["status"] in ("pending", "running")] == []
        assert [row["status"] for row in rows].count("success") == 1
        assert kedge.files() == files
    kedge("backup", "cut")


class Ending(Proxy):
    """Has the server end the session that said `holder` when some session (another, if it says both) says `moment`."""

    def __init__(self, server, holder, moment):
        self.server, self.holder, self.moment, self.port_held, self.ended = server, holder, moment, None, None
        self.told = threading.Lock()  # several sessions may say the moment at once: one ends, the others wait until it has
        super().__init__(server.port)

    def pump(self, one, other):
        try:
            while data := one.recv(65536):
                if other.getpeername()[1] == self.port_behind:
                    with self.told:
                        self.look(data, other.getsockname()[1])
                other.sendall(data)
        except OSError:
            pass
        self.hang_up(one, other)

    def look(self, data, port):
        if not self.port_held and self.holder in data:
            self.port_held = port
        elif self.port_held and self.ended is None and self.moment in data:
            self.ended = int(self.server.sql("SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity "
                                             f"WHERE client_port = {self.port_held}"))


@pytest.mark.parametrize("holder, moment, held", [
    (b"pg_export_snapshot", b"SET TRANSACTION ISOLATION LEVEL", "the snapshot"),  # pg_dump
    (b"pg_export_snapshot", b"SET TRANSACTION SNAPSHOT", "the snapshot"),         # a worker, or pg_dump
    (b"READ COMMITTED READ ONLY", b"SET TRANSACTION ISOLATION LEVEL", "the locks"),
])
def test_the_loss_of_the_session_that_the_others_stand_on_is_told(server, tmp_path, holder, moment, held):
    server.create("held")
    server.sql("CREATE TABLE t AS SELECT i FROM generate_series(1, 1000) i; CREATE TABLE u AS TABLE t;", "held")
    proxy = Ending(server, holder, moment)
    run = Run("dump", f"postgres://postgres@127.0.0.1:{proxy.port}/held?sslmode=disable", tmp_path / "x", "--jobs", 3, check=False)
    proxy.listener.close()
    assert proxy.ended == 1
    assert run.status == 20, run.error
    # The proxy may hang up before it has passed on what the server said.
    assert re.search(f"the connection that holds {held} was (closed by the server|lost): .*(terminating connection due to administrator command|closed)",
                     run.error, re.DOTALL), run.error
    server.drop("held")


def pass_through(proxy, run):
    """How many bytes a run that is not cut takes."""
    proxy.arm(None, False)
    run()
    return proxy.passed


def test_a_restore_whose_connections_are_cut_leaves_the_target_whole(cuttable):
    server, kedge, proxy = cuttable
    backed_up = server.state("cut")
    total = pass_through(proxy, lambda: kedge("restore", "1", "--force", "--safety", "none"))
    server.sql("DELETE FROM u WHERE a > 100; CREATE TABLE newer AS SELECT 1 AS a;", "cut")
    before = server.state("cut")
    for number in range(CUTS):
        proxy.arm(int(total * (number + 0.59) / CUTS) + 1, number % 2 == 1)
        done = kedge("restore", "1", "--force", "--safety", "none", status=None)
        proxy.arm(None, False)
        now = server.state("cut")
        assert now in (before, backed_up)
        assert done.returncode in ((22,) if now == before else (0, 22, 23)), (done.returncode, done.stderr)
        if done.returncode:
            assert re.search("connection|closed|refused|terminat", done.stderr), done.stderr
        if now == backed_up:
            server.sql("DELETE FROM u WHERE a > 100; CREATE TABLE newer AS SELECT 1 AS a;", "cut")
            before = server.state("cut")
        # Whatever was left behind goes with the next command that changes something.
        kedge("cleanup")
        assert leftovers(server) == []
        assert all(row["status"] not in ("pending", "running") for row in kedge.lines("restores"))
    kedge("restore", "1", "--force", "--safety", "none")
    assert server.state("cut") == backed_up


def test_a_server_that_restarts_during_a_restore_leaves_the_target_as_it_was(cuttable):
    server, kedge, proxy = cuttable
    server.sql("CREATE TABLE newer AS SELECT 1 AS a;", "cut")
    before = server.state("cut")
    proxy.held = b"FROM stdin"
    run = kedge.start("restore", "1", "--force")
    assert proxy.came.wait(30)
    proxy.held = None
    server.stop()
    proxy.let_go.set()
    output, errors = run.communicate(timeout=60)
    server.start()
    assert run.returncode == 22 and re.search("connection|closed|terminat", errors), errors
    assert server.state("cut") == before
    kedge("restore", "1", "--force")
    kedge("cleanup")
    assert leftovers(server) == []
    kedge("undo", "--force")
    assert server.state("cut") == before


# ---- runs that are killed ----

KILLS = int(os.environ.get("KEDGE_KILLS", "5"))


def test_a_killed_restore_leaves_the_target_as_before_or_as_the_backup(cuttable):
    server, kedge, proxy = cuttable
    backed_up = server.state("cut")
    began = time.monotonic()
    kedge("restore", "1", "--force", "--safety", "none")
    length = time.monotonic() - began
    server.sql("DELETE FROM u WHERE a > 100; CREATE TABLE newer AS SELECT 1 AS a;", "cut")
    before = server.state("cut")
    for number in range(KILLS):
        run = kedge.start("restore", "1", "--force", "--safety", "none")
        time.sleep(length * (number + 0.7) / KILLS)
        run.send_signal(signal.SIGKILL)
        run.communicate()
        assert server.state("cut") in (before, backed_up)
        kedge("restore", "1", "--force", "--safety", "none")
        assert server.state("cut") == backed_up
        assert leftovers(server) == []
        server.sql("DELETE FROM u WHERE a > 100; CREATE TABLE newer AS SELECT 1 AS a;", "cut")
        before = server.state("cut")


def stop_backend_at(server, query, seconds=30):
    """Holds the server's process that is at this statement, and tells its number."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pid = server.sql(f"SELECT min(pid) FROM pg_stat_activity WHERE state = 'active' AND query LIKE '{query}' "
                         "AND pid <> pg_backend_pid()")
        if pid:
            os.kill(int(pid), signal.SIGSTOP)
            return int(pid)
    raise AssertionError(f"nobody came to {query}")


@pytest.mark.skipif(os.geteuid() != 0, reason="may not stop processes of the server")
@pytest.mark.parametrize("arguments", [["restore", "1", "--force"], ["verify", "1", "--level", "3"]])
def test_what_the_server_makes_after_a_run_was_killed_does_not_stay(cuttable, arguments):
    server, kedge, _ = cuttable
    before = server.state("cut")
    run = kedge.start(*arguments)
    backend = stop_backend_at(server, 'CREATE DATABASE "cut%')
    run.send_signal(signal.SIGKILL)
    run.communicate()
    later = threading.Timer(0.6, os.kill, (backend, signal.SIGCONT))
    later.start()
    kedge("cleanup", "--yes")
    later.join()
    server.wait("SELECT 1 WHERE NOT EXISTS (SELECT FROM pg_stat_activity WHERE application_name = 'kedge')")
    assert server.state("cut") == before
    assert leftovers(server) == []


# ---- a server without room ----

@pytest.fixture
def small(server):
    """A tablespace on a file system of 24 MB, with an empty database in it."""
    place = server.folder / "small"
    place.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m,mode=0700", "tmpfs", str(place)], capture_output=True)
    if made.returncode:
        pytest.skip("may not mount a file system")
    shutil.chown(place, server.folder.owner())
    server.sql(f"CREATE TABLESPACE small LOCATION '{place}'; CREATE DATABASE small TEMPLATE template0 TABLESPACE small;")
    yield server
    try:
        server.drop(*[name for name in server.databases() if name.startswith("small")])
        server.sql("DROP TABLESPACE small;")
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_full_disk_of_the_server_leaves_the_target_as_it_was(small, tmp_path):
    # On the medium, as the live database is in real life: else the server cannot even write that.
    small.sql("CREATE TABLE precious AS SELECT 42 AS a;", "small")
    small.sql("CHECKPOINT;")
    small.create("roomy")
    small.sql("CREATE TABLE t AS SELECT i, repeat(md5(i::text), 10) AS x FROM generate_series(1, 60000) i; CREATE INDEX ON t (x);", "roomy")
    before = small.state("small")
    run = Run("copy", small.url("roomy"), small.url("small"), "--keep", check=False)
    assert run.status == 22 and "No space left on device" in run.error, run.error
    assert small.state("small") == before
    assert leftovers(small) == [], run.error
    small.sql("DELETE FROM t WHERE i > 100; VACUUM FULL t;", "roomy")
    Run("copy", small.url("roomy"), small.url("small"))
    assert small.sql("SELECT count(*) FROM t", "small") == "100"
    small.drop("roomy")


# ---- what is refused ----

def test_subscriptions_refuse_a_restore_unless_it_is_forced(server):
    server.create("plain", "subscribed")
    server.sql("CREATE TABLE t AS SELECT 1 AS a;", "plain")
    server.sql("CREATE SUBSCRIPTION kept_sub CONNECTION 'dbname=x' PUBLICATION p WITH (connect = false, slot_name = 'far_slot');", "subscribed")
    run = Run("copy", server.url("plain"), server.url("subscribed"), check=False)
    assert run.status == 22 and "kept_sub" in run.error and "--force" in run.error
    kept = Run("copy", server.url("plain"), server.url("subscribed"), "--force", "--keep").values["KEPT"]
    assert server.sql("SELECT a FROM t", "subscribed") == "1"
    Run("discard", server.url("subscribed"), kept)
    assert server.sql("SELECT count(*) FROM pg_subscription WHERE subname = 'kept_sub'") == "0"
    server.drop("plain", "subscribed")


def test_what_pg_dump_warns_of_is_told(server, tmp_path):
    server.create("warned")
    server.sql("CREATE SUBSCRIPTION far_sub CONNECTION 'dbname=x' PUBLICATION p WITH (connect = false, slot_name = 'far_slot'); "
               "CREATE ROLE lesser LOGIN; GRANT pg_read_all_data TO lesser;", "warned")
    run = Run("dump", server.url("warned", "lesser"), tmp_path / "x")
    assert "pg_dump: subscriptions not dumped because current user is not a superuser" in run.error
    server.drop("warned")
    server.sql("DROP ROLE lesser;")


def test_extensions_that_the_server_lacks_are_named_before_anything_is_touched(server, tmp_path):
    server.create("lacking", "target")
    server.sql("CREATE TABLE t (a integer);", "lacking")
    # Known to the catalogue, but its files are nowhere.
    server.sql("SET allow_system_table_mods = on; INSERT INTO pg_extension SELECT 99999, 'not_installed', extowner, extnamespace, "
               "true, '1', NULL, NULL FROM pg_extension WHERE extname = 'plpgsql';", "lacking")
    run = Run("copy", server.url("lacking"), server.url("target"), check=False)
    assert run.status == 22 and "not_installed" in run.error and "install" in run.error, run.error
    assert leftovers(server) == []
    server.drop("lacking", "target")


@pytest.mark.skipif(shutil.which("pg_dump", path=":".join(map(str, Path("/usr/lib/postgresql").glob("1[6-9]/bin")))) is not None,
                    reason="a newer pg_dump is here")
@pytest.mark.parametrize("words", [[], ["--table", "t"]])
def test_a_server_older_than_the_backup_is_told_before_anything_and_when_a_statement_fails(server, kedge, words):
    """The manifest says 99; what the server refuses, it would of any version."""
    server.create("newer", "older")
    for name in ("newer", "older"):
        server.sql("CREATE FUNCTION fine(a integer) RETURNS boolean LANGUAGE sql AS 'SELECT true';", name)
    server.sql("CREATE TABLE t (a integer CHECK (fine(a))); INSERT INTO t VALUES (1);", "newer")
    kedge("backup", server.url("newer"))
    server.sql("CREATE OR REPLACE FUNCTION fine(a integer) RETURNS boolean LANGUAGE sql AS 'SELECT a > 1';", "newer")
    kedge("backup", server.url("newer"))
    good, bad = sorted(path for path in Path(kedge.backups).iterdir() if path.suffix != ".json")
    to = ["--to", server.url("older"), "--force", *words]
    versions = "the backup is of PostgreSQL 99, and the server is PostgreSQL "
    assert versions not in kedge("restore", good, *to).stderr
    for path in (good, bad):
        manifest = Path(f"{path}.json")
        text = manifest.read_text()
        assert '"engine_version": "' in text
        manifest.write_text(re.sub('"engine_version": "[^"]*', '"engine_version": "99.1', text))
    assert any(versions in line for line in kedge.json("restore", good, *to, "--dry-run")["conflicts"])
    assert f"warning: {versions}" in kedge("restore", good, *to).stderr
    server.create("older")
    failed = kedge("restore", bad, *to, status=22).stderr
    assert failed.index(f"warning: {versions}") < failed.index("error: ") < failed.index(f"hint: {versions}"), failed
    assert server.sql("SELECT count(*) FROM pg_class WHERE relname = 't'", "older") == "0"
    # Where no catalogue knows the manifest as it was written.
    elsewhere = {"KEDGE_HOME": kedge.path("elsewhere")}
    assert versions not in kedge("verify", good, "--level", "3", env=elsewhere).stderr
    proved = kedge("verify", bad, "--level", "3", env=elsewhere, status=21).stderr
    assert proved.index("error: restore into a scratch place: ") < proved.index(f"hint: {versions}"), proved


def test_a_server_newer_than_every_pg_dump_is_told(server, tmp_path):
    server.create("newer")
    # All that says 15 to us is one word of the connection's beginning.
    fake = Renaming(server.port, b"server_version\x0015.", b"server_version\x0016.")
    run = Run("dump", f"postgres://postgres@127.0.0.1:{fake.port}/newer?sslmode=disable", tmp_path / "x", check=False)
    fake.listener.close()
    assert run.status == 20 and "the server is PostgreSQL 16" in run.error and "postgresql-client-16" in run.error, run.error
    server.drop("newer")


class Renaming(Proxy):
    """Says something else than the server does, in as many bytes."""

    def __init__(self, port, said, instead):
        self.said, self.instead = said, instead
        super().__init__(port)

    def pump(self, one, other):
        try:
            while data := one.recv(65536):
                other.sendall(data.replace(self.said, self.instead))
        except OSError:
            pass


def test_a_partitioned_table_that_refers_to_excluded_rows_can_be_restored(server):
    server.create("parted")
    server.sql("""CREATE TABLE customers (id integer PRIMARY KEY); INSERT INTO customers VALUES (1);
                  CREATE TABLE orders (id integer, customer integer REFERENCES customers) PARTITION BY HASH (id);
                  CREATE TABLE orders_0 PARTITION OF orders FOR VALUES WITH (MODULUS 1, REMAINDER 0);
                  INSERT INTO orders VALUES (7, 1);""", "parted")
    run = Run("copy", server.url("parted"), server.url("parted_back"), "--exclude-table", "customers")
    assert "left out" in run.error and "REFERENCES public.customers" in run.error
    assert server.sql("SELECT (SELECT count(*) FROM orders), (SELECT count(*) FROM customers)", "parted_back") == "1|0"
    server.drop("parted", "parted_back")
