"""Databases of shapes that are met rarely, each found by trying one that was not made for kedge."""
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from conftest import free_port
from test_postgres import BIN, TOOL, Run
from test_postgres_proofs import Proofs

pytestmark = pytest.mark.skipif(not BIN.exists() or not TOOL.exists(), reason="needs PostgreSQL 15 and a build")


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = Path("/tmp") / f"kedge-zoo-{tmp_path_factory.getbasetemp().name}-{free_port()}"
    folder.mkdir(mode=0o755)
    running = Proofs(folder, free_port())
    yield running
    running.stop()
    shutil.rmtree(folder)


EXTENSION = r"""
    CREATE TABLE z_parent (id integer PRIMARY KEY, name text, standard boolean DEFAULT false);
    CREATE TABLE a_child (id serial PRIMARY KEY, parent integer NOT NULL REFERENCES z_parent, up integer REFERENCES a_child);
    CREATE TABLE one_ring (id integer PRIMARY KEY, other integer);
    CREATE TABLE two_ring (id integer PRIMARY KEY, other integer REFERENCES one_ring);
    ALTER TABLE one_ring ADD FOREIGN KEY (other) REFERENCES two_ring;
    CREATE TABLE wide (id integer, filler text);
    CREATE TABLE noted (what text);
    CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO @extschema@.noted VALUES ('x'); RETURN NEW; END $$;
    INSERT INTO z_parent VALUES (1, 'comes with it', true);
    CREATE TRIGGER note AFTER INSERT ON z_parent FOR EACH ROW EXECUTE FUNCTION note();
    SELECT pg_catalog.pg_extension_config_dump('z_parent', 'WHERE NOT standard');
    SELECT pg_catalog.pg_extension_config_dump('a_child', '');
    SELECT pg_catalog.pg_extension_config_dump('a_child_id_seq', '');
    SELECT pg_catalog.pg_extension_config_dump('one_ring', '');
    SELECT pg_catalog.pg_extension_config_dump('two_ring', '');
    SELECT pg_catalog.pg_extension_config_dump('wide', 'WHERE id < 10 OR id > 20');
    SELECT pg_catalog.pg_extension_config_dump('noted', '');
"""


class Private(Proofs):
    """A server of its own installation, so that a test may give it extensions."""

    def __init__(self, folder, port):
        home, shared = folder / "lib/postgresql/15", folder / "share/postgresql/15"
        (home / "bin").mkdir(parents=True)
        (shared / "extension").mkdir(parents=True)
        for name in ("postgres", "initdb", "pg_ctl"):
            shutil.copy(BIN / name, home / "bin")
        (home / "lib").symlink_to(BIN.parent / "lib")
        for place in (Path("/usr/share/postgresql/15"), Path("/usr/share/postgresql/15/extension")):
            for entry in place.iterdir():
                if entry.name != "extension":
                    (folder / entry.relative_to("/usr")).symlink_to(entry)
        self.extensions = shared / "extension"
        os.environ["KEDGE_TEST_POSTGRES_BIN"] = str(home / "bin")
        try:
            super().__init__(folder, port)
        finally:
            del os.environ["KEDGE_TEST_POSTGRES_BIN"]


# ---- extensions ----

def test_rows_of_an_extensions_tables_come_back_whatever_their_keys_and_triggers(tmp_path):
    folder = Path("/tmp") / f"kedge-zoo-private-{os.getpid()}"
    folder.mkdir(mode=0o755)
    server = Private(folder, free_port())
    try:
        (server.extensions / "keyed.control").write_text("default_version = '1.0'\nrelocatable = false\nschema = keyed\n")
        (server.extensions / "keyed--1.0.sql").write_text(EXTENSION)
        server.create("whole", "whole_psql")
        server.sql("""CREATE EXTENSION keyed; SET session_replication_role = replica;
                      INSERT INTO keyed.z_parent SELECT i, repeat('p', 50) FROM generate_series(2, 2000) i;
                      INSERT INTO keyed.a_child (parent, up) SELECT i, 2001 - i FROM generate_series(1, 2000) i;
                      INSERT INTO keyed.one_ring SELECT i, 101 - i FROM generate_series(1, 100) i;
                      INSERT INTO keyed.two_ring TABLE keyed.one_ring;
                      ALTER TABLE keyed.wide ALTER filler SET STORAGE PLAIN;
                      INSERT INTO keyed.wide SELECT i, repeat('w', 4000) FROM generate_series(1, 18000) i WHERE i NOT BETWEEN 10 AND 20;
                      INSERT INTO keyed.noted VALUES ('once');
                      CREATE TABLE mine (id integer PRIMARY KEY REFERENCES keyed.z_parent); INSERT INTO mine VALUES (1), (7);""", "whole")
        Run("copy", server.url("whole"), server.url("whole_back"), "--jobs", 3, "--thorough")
        server.assert_same("whole", "whole_back")
        Run("dump", server.url("whole"), tmp_path / "keyed.sql", "--jobs", 2)
        server.play(tmp_path / "keyed.sql", "whole_psql")
        server.assert_same("whole", "whole_psql")
        # Only the rows come at a special hour: what is written later meets the triggers again.
        server.sql("INSERT INTO keyed.z_parent VALUES (9000)", "whole_psql")
        assert server.sql("SELECT count(*) FROM keyed.noted", "whole_psql") == "2"
    finally:
        server.stop()
        shutil.rmtree(folder)


# ---- catalogues of a size that the server reads with several processes ----

def test_a_catalogue_read_in_any_order_is_no_change_of_the_schema(server, tmp_path):
    server.create("many")
    server.sql("""ALTER DATABASE many SET parallel_setup_cost = 50; ALTER DATABASE many SET parallel_tuple_cost = 0;
                  ALTER DATABASE many SET parallel_leader_participation = off; CREATE TABLE t AS SELECT 1 AS a;""", "many")
    run = Run("dump", server.url("many"), tmp_path / "many.sql", "--jobs", 2)
    assert "starting again" not in run.error
    server.drop("many")


# ---- settings of roles and databases ----

def test_strings_with_escapes_as_a_databases_custom_do_not_spoil_its_dump(server, tmp_path):
    server.create("escaped", "escaped_psql")
    server.sql(r"""
        CREATE TABLE t (a text DEFAULT E'a\\b''c', b bytea DEFAULT '\x5c00', CHECK (a <> E'\\'));
        CREATE SEQUENCE "s\q'"; SELECT nextval('"s\q''"');
        CREATE FUNCTION f(text DEFAULT E'x\\y') RETURNS text LANGUAGE sql AS 'SELECT E''\\\\'' || $1';
        COMMENT ON TABLE t IS E'back\\slash'; INSERT INTO t DEFAULT VALUES;
        SELECT lo_from_bytea(777, '\x005c00ff'); COMMENT ON LARGE OBJECT 777 IS E'a\\b''';
        ALTER DATABASE escaped SET "own.word" = 'c\d'; COMMENT ON DATABASE escaped IS E'e\\f';
        ALTER DATABASE escaped SET standard_conforming_strings = off;
    """, "escaped")
    Run("copy", server.url("escaped"), server.url("escaped_back"), "--jobs", 2, "--thorough")
    server.assert_same("escaped", "escaped_back")
    Run("dump", server.url("escaped"), tmp_path / "escaped.sql")
    server.play(tmp_path / "escaped.sql", "escaped_psql")
    server.assert_same("escaped", "escaped_psql")
    server.drop("escaped", "escaped_psql", "escaped_back")


def test_letters_come_back_whatever_encoding_a_database_sets_for_its_sessions(server, tmp_path):
    server.create("spoken", "spoken_psql")
    server.sql("""SET client_encoding = 'UTF8'; CREATE TABLE t (a char(4) DEFAULT '\u6f22', b text); INSERT INTO t (b) VALUES ('\u00fc\u20ac');
                  COMMENT ON TABLE t IS '\u6f22\u00fc'; ALTER DATABASE spoken SET client_encoding = 'LATIN1';""", "spoken")
    Run("copy", server.url("spoken"), server.url("spoken_back"), "--thorough")
    Run("dump", server.url("spoken"), tmp_path / "spoken.sql")
    server.play(tmp_path / "spoken.sql", "spoken_psql")
    for name in ("spoken_back", "spoken_psql"):
        assert server.sql("SELECT convert_to(a::text, 'UTF8'), convert_to(b, 'UTF8'), convert_to(obj_description('t'::regclass), 'UTF8') "
                          "FROM t", name) == "\\xe6bca2|\\xc3bce282ac|\\xe6bca2c3bc"
    server.drop("spoken", "spoken_back", "spoken_psql")


def test_a_role_that_only_reads_by_default_restores_and_tidies_up(server, tmp_path):
    server.create("plain", "plain_psql")
    server.sql("CREATE TABLE t AS SELECT 1 AS a;", "plain")
    Run("dump", server.url("plain"), tmp_path / "plain.sql")
    (tmp_path / "bad.sql").write_text("CREATE TABLE t (a integer);\nINSERT INTO nowhere VALUES (1);\n")
    server.sql("ALTER ROLE postgres SET default_transaction_read_only = on; ALTER ROLE postgres SET lock_timeout = 1;")
    try:
        Run("load", tmp_path / "plain.sql", server.url("plain_back"))
        server.play(tmp_path / "plain.sql", "plain_psql")
        run = Run("load", tmp_path / "bad.sql", server.url("other"), check=False)
        assert run.status == 22 and "stays" not in run.error
    finally:
        server.sql("SET default_transaction_read_only = off; ALTER ROLE postgres RESET ALL;")
    assert not [name for name in server.databases() if "__kedge_" in name]
    server.assert_same("plain", "plain_back")
    server.assert_same("plain", "plain_psql")
    server.drop("plain", "plain_back", "plain_psql")


@pytest.mark.skipif(not shutil.which("localedef") or not Path("/usr/share/i18n/locales/de_DE").exists(),
                    reason="needs locales to make")
def test_amounts_in_definitions_keep_their_value_where_a_comma_is_a_point(tmp_path, monkeypatch):
    folder = Path("/tmp") / f"kedge-zoo-locale-{os.getpid()}"
    (folder / "locales").mkdir(parents=True, mode=0o755)
    subprocess.run(["localedef", "-i", "de_DE", "-f", "UTF-8", folder / "locales" / "de_DE.UTF-8"], check=True)
    (folder / "locales" / "C.utf8").symlink_to("/usr/lib/locale/C.utf8")
    monkeypatch.setenv("LOCPATH", str(folder / "locales"))
    server = Proofs(folder, free_port())
    try:
        server.create("german", "german_psql")
        server.sql("ALTER DATABASE german SET lc_monetary = 'de_DE.UTF-8'; ALTER DATABASE german_psql SET lc_monetary = 'de_DE.UTF-8';")
        server.sql("CREATE TABLE t (id integer, price money DEFAULT '1.234,56', CHECK (price > '0,05')); INSERT INTO t VALUES (1);", "german")
        Run("copy", server.url("german"), server.url("german_back"))
        Run("dump", server.url("german"), tmp_path / "german.sql")
        server.play(tmp_path / "german.sql", "german_psql")
        for name in ("german", "german_back", "german_psql"):
            assert server.sql("INSERT INTO t VALUES (2); SELECT price::numeric FROM t ORDER BY id", name) == "1234.56\n1234.56"
    finally:
        server.stop()
        shutil.rmtree(folder)


# ---- functions that are called on the way ----

def test_what_a_function_without_a_path_of_its_own_calls_is_found(server):
    server.create("unpathed")
    server.sql("""CREATE SCHEMA own; SET search_path = own, public;
        CREATE FUNCTION shout(text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT upper($1)';
        CREATE FUNCTION indirect(text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN shout($1); END';
        CREATE TABLE indexed (a text, b text GENERATED ALWAYS AS (indirect(a)) STORED); INSERT INTO indexed VALUES ('x'), ('y');
        CREATE INDEX called ON indexed (indirect(a)); CREATE MATERIALIZED VIEW seen AS SELECT indirect(a) AS a FROM indexed;
        CREATE TABLE checked (a text CHECK (indirect(a) = 'X')); INSERT INTO checked VALUES ('x');
        CREATE TABLE other (a integer); INSERT INTO other VALUES (1);""", "unpathed")
    Run("copy", server.url("unpathed"), server.url("unpathed_back"), "--jobs", 2, "--thorough")
    server.assert_same("unpathed", "unpathed_back")
    assert server.sql("SELECT b FROM own.indexed ORDER BY b", "unpathed_back") == "X\nY"
    server.drop("unpathed", "unpathed_back")


@pytest.mark.parametrize("jobs", [1, 3])
def test_checks_that_ask_other_tables_find_their_rows(server, jobs):
    server.create("asking")
    server.sql("""CREATE TABLE big (a integer, filler text); CREATE TABLE middle (a integer, filler text); CREATE TABLE small (a integer);
        CREATE FUNCTION in_small(integer) RETURNS boolean LANGUAGE sql AS 'SELECT EXISTS (SELECT FROM public.small WHERE a = $1)';
        CREATE FUNCTION in_middle(integer) RETURNS boolean LANGUAGE plpgsql AS
            'BEGIN IF NOT EXISTS (SELECT FROM public.middle WHERE a = $1) THEN RAISE EXCEPTION ''not there''; END IF; RETURN true; END';
        INSERT INTO small VALUES (1); ALTER TABLE middle ADD CHECK (in_small(a)); INSERT INTO middle SELECT 1, repeat('m', 100) FROM generate_series(1, 100);
        ALTER TABLE big ADD CHECK (in_middle(a)); INSERT INTO big SELECT 1, repeat('b', 100) FROM generate_series(1, 1000);
        CREATE TABLE unasked AS SELECT 1 AS a;""", "asking")
    Run("copy", server.url("asking"), server.url("asking_back"), "--jobs", jobs, "--thorough")
    server.assert_same("asking", "asking_back")
    server.sql("DELETE FROM small", "asking")
    run = Run("copy", server.url("asking"), server.url("asking_other"), "--jobs", jobs, check=False)
    assert run.status != 0 and ("violates check constraint" in run.error or "not there" in run.error)
    server.drop("asking", "asking_back")


def test_what_is_nowhere_still_ends_a_restore_with_its_own_error(server):
    server.create("lacking")
    server.sql("""CREATE FUNCTION gone() RETURNS integer LANGUAGE sql AS 'SELECT 1';
        CREATE FUNCTION late(integer) RETURNS boolean LANGUAGE plpgsql AS 'BEGIN RETURN gone() = $1; END';
        CREATE TABLE t (a integer CHECK (late(a))); INSERT INTO t VALUES (1); DROP FUNCTION gone();""", "lacking")
    run = Run("copy", server.url("lacking"), server.url("lacking_back"), check=False)
    assert run.status != 0 and "function gone() does not exist" in run.error
    assert "lacking_back" not in " ".join(server.databases())
    server.drop("lacking")


def test_event_triggers_that_forbid_definitions_let_psql_refresh_a_view(server, tmp_path):
    server.create("watched", "watched_psql")
    server.sql("""CREATE TABLE t AS SELECT 1 AS a; CREATE MATERIALIZED VIEW m AS SELECT * FROM t;
        CREATE FUNCTION forbid() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no %', tg_tag; END $$;
        CREATE EVENT TRIGGER e ON ddl_command_start EXECUTE FUNCTION forbid(); ALTER EVENT TRIGGER e ENABLE ALWAYS;""", "watched")
    Run("copy", server.url("watched"), server.url("watched_back"), "--jobs", 2)
    Run("dump", server.url("watched"), tmp_path / "watched.sql")
    server.play(tmp_path / "watched.sql", "watched_psql")
    for name in ("watched_back", "watched_psql"):
        server.assert_same("watched", name)
    server.drop("watched", "watched_back", "watched_psql")


# ---- many tables ----

def test_more_tables_than_the_server_has_room_for_locks_in_every_session(tmp_path):
    folder = Path("/tmp") / f"kedge-zoo-many-{os.getpid()}"
    folder.mkdir(mode=0o755)
    server = Proofs(folder, free_port())
    try:
        server.sql("ALTER SYSTEM SET max_locks_per_transaction = 32; ALTER SYSTEM SET max_connections = 50;")
        server.sql("ALTER SYSTEM SET max_worker_processes = 0; ALTER SYSTEM SET max_wal_senders = 0;")
        server.stop()
        server.start()
        server.create("tenants")
        for first in range(0, 1500, 100):
            server.sql("".join(f"CREATE TABLE t{i} AS SELECT {i} AS a;" for i in range(first, first + 100)), "tenants")
        Run("copy", server.url("tenants"), server.url("tenants_back"), "--jobs", 8)
        assert server.sql("SELECT count(*) FROM pg_class WHERE relname LIKE 't%' AND relnamespace = 'public'::regnamespace",
                          "tenants_back") == "1500"
        for first in range(1500, 4500, 100):
            server.sql("".join(f"CREATE TABLE t{i} ();" for i in range(first, first + 100)), "tenants")
        run = Run("dump", server.url("tenants"), tmp_path / "tenants.sql", check=False)
        assert run.status == 20 and "out of shared memory" in run.error and "max_locks_per_transaction" in run.error
    finally:
        server.stop()
        shutil.rmtree(folder)
