"""What a PostgreSQL backup promises, tried against a server: every kind of object there and back (also through stock
psql), random schemas, writers and definitions that change meanwhile, connections that are cut, runs that are killed,
full disks, and what must be refused."""
import difflib
import os
import shutil
import subprocess
import urllib.parse
from pathlib import Path

import pytest

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
    running = Proofs(folder, 5491)
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
