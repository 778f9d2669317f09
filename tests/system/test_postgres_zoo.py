"""Databases of shapes that are met rarely, each found by trying one that was not made for kedge."""
import os
import shutil
from pathlib import Path

import pytest

from test_postgres import BIN, TOOL, Run, free_port
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
