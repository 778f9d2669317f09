"""What a PostgreSQL restore needs of the server besides room: told by name before anything is touched."""
import json

import pytest

from test_postgres import BIN, TOOL
from test_postgres_proofs import server  # noqa: F401 (a fixture)

pytestmark = pytest.mark.skipif(not BIN.exists() or not TOOL.exists(), reason="needs PostgreSQL 15 and a build")

SPACES = ("fast", "Slow Disk")


def drop_spaces(server):
    server.drop("spaces", "spaces_copy")
    for name in SPACES:
        server.sql(f'DROP TABLESPACE IF EXISTS "{name}";')


@pytest.fixture
def spaces(server):
    """A database with a table, a view and an index in tablespaces of their own."""
    drop_spaces(server)
    for name in SPACES:
        server.sql(f"SET allow_in_place_tablespaces = on; CREATE TABLESPACE \"{name}\" LOCATION '';")
    server.create("spaces")
    server.sql("""
        CREATE TABLE plain (id integer PRIMARY KEY); INSERT INTO plain SELECT generate_series(1, 10);
        CREATE TABLE quick (id integer PRIMARY KEY USING INDEX TABLESPACE "Slow Disk", a integer) TABLESPACE fast;
        INSERT INTO quick SELECT i, i FROM generate_series(1, 100) i; CREATE INDEX by_a ON quick (a);
        CREATE TABLE parts (id integer) PARTITION BY RANGE (id) TABLESPACE fast; CREATE TABLE part PARTITION OF parts DEFAULT;
        CREATE MATERIALIZED VIEW seen TABLESPACE fast AS SELECT id FROM quick;
    """, "spaces")
    yield server
    drop_spaces(server)


PLACES = "SELECT string_agg(relname || ' ' || coalesce(spcname, '-'), ', ' ORDER BY relname) FROM pg_class c " \
    "LEFT JOIN pg_tablespace t ON t.oid = reltablespace WHERE relnamespace = 'public'::regnamespace"
EVERYWHERE = "by_a -, part fast, parts fast, plain -, plain_pkey -, quick fast, quick_pkey Slow Disk, seen fast"


def lose_spaces(server):
    server.drop("spaces")
    for name in SPACES:
        server.sql(f'DROP TABLESPACE "{name}";')


def test_tablespaces_come_back_where_the_server_has_them(spaces, kedge):
    kedge("backup", spaces.url("spaces"))
    kedge("restore", "latest", "--to", spaces.url("spaces_copy"), "--force")
    assert spaces.sql(PLACES, "spaces_copy") == EVERYWHERE


@pytest.mark.parametrize("more", [(), ("--dry-run",)])
def test_missing_tablespaces_are_named_before_anything_is_touched(spaces, kedge, more):
    kedge("backup", spaces.url("spaces"))
    lose_spaces(spaces)
    before = spaces.databases()
    # Who removes the side database shows in the server's counter of them.
    made = spaces.sql("SELECT max(oid) FROM pg_database")
    run = kedge("restore", "latest", "--to", spaces.url("spaces_copy"), "--force", *more, status=22)
    assert "error: the server lacks tablespaces that the backup needs: fast, Slow Disk" in run.stderr
    assert "hint: create them, or restore with --no-tablespaces" in run.stderr
    assert spaces.databases() == before and spaces.sql("SELECT max(oid) FROM pg_database") == made


def test_a_verification_where_they_are_missing_names_them_and_finds_no_damage(spaces, kedge):
    kedge("backup", spaces.url("spaces"))
    kedge("verify", "latest", "--level", "3")
    lose_spaces(spaces)
    spaces.create("spaces")
    missing = kedge("verify", "latest", "--level", "3", status=22).stderr
    assert "the server lacks tablespaces that the backup needs: fast, Slow Disk" in missing and "hint: create them" in missing
    assert kedge.json("show", "latest")["level"] == 3


def test_a_restore_without_tablespaces_puts_all_into_the_databases_own(spaces, kedge):
    kedge("backup", spaces.url("spaces"))
    lose_spaces(spaces)
    kedge("restore", "latest", "--to", spaces.url("spaces_copy"), "--force", "--no-tablespaces")
    assert spaces.sql(PLACES, "spaces_copy") == EVERYWHERE.replace("fast", "-").replace("Slow Disk", "-")
    assert spaces.sql("SELECT count(*), sum(a) FROM quick", "spaces_copy") == "100|5050"


def test_a_table_that_is_made_again_names_missing_tablespaces(spaces, kedge):
    kedge("backup", spaces.url("spaces"))
    lose_spaces(spaces)
    spaces.create("spaces_copy")
    spaces.sql("CREATE TABLE plain (id integer PRIMARY KEY);", "spaces_copy")
    to = ("restore", "latest", "--to", spaces.url("spaces_copy"), "--force", "--table")
    kedge(*to, "plain")
    run = kedge(*to, "quick", status=22)
    assert "lacks tablespaces" in run.stderr and "--no-tablespaces" in run.stderr
    kedge(*to, "quick", "--no-tablespaces")
    assert spaces.sql("SELECT (SELECT count(*) FROM plain), (SELECT count(*) FROM quick)", "spaces_copy") == "10|100"


def test_tablespaces_that_the_backup_makes_itself_are_not_missing(spaces, kedge):
    kedge("backup", spaces.url("spaces"), "--roles")
    lose_spaces(spaces)
    # In place, as these are, they are refused by a server that is not told to allow it: the statement was tried.
    run = kedge("restore", "latest", "--to", spaces.url("spaces_copy"), "--force", status=22)
    assert "CREATE TABLESPACE" in run.stderr
    kedge("restore", "latest", "--to", spaces.url("spaces_copy"), "--force", "--no-tablespaces")
    assert spaces.sql("SELECT count(*) FROM quick", "spaces_copy") == "100"
    assert spaces.sql("SELECT count(*) FROM pg_tablespace") == "2"


def test_an_older_backup_that_lists_no_tablespaces_still_goes_back(spaces, kedge):
    kedge("backup", spaces.url("spaces"))
    [name] = [name for name in kedge.files() if name.endswith(".json")]
    manifest = json.load(open(f"{kedge.backups}/{name}"))
    assert manifest["metadata"].pop("tablespaces") == list(SPACES)
    json.dump(manifest, open(kedge.path(name), "w"))
    artifact = name.removesuffix(".json")
    kedge.run("restore", "latest", "--to", spaces.url("spaces_copy"), "--force")
    spaces.drop("spaces_copy")
    with open(f"{kedge.backups}/{artifact}", "rb") as source, open(kedge.path(artifact), "wb") as copy:
        copy.write(source.read())
    kedge("restore", kedge.path(artifact), "--to", spaces.url("spaces_copy"), "--force")
    assert spaces.sql(PLACES, "spaces_copy") == EVERYWHERE


# ---- a session that the server would let nobody have ----

@pytest.mark.parametrize("whose", ["DATABASE korean", "ROLE guest"])
def test_an_encoding_that_the_server_cannot_convert_to_keeps_nobody_out(server, kedge, whose):
    """As it would with psql, which asks for none. No session in the database can set such a one, so it does not come back."""
    server.drop("korean", "korean_copy")
    server.sql("DROP ROLE IF EXISTS guest; CREATE ROLE guest LOGIN SUPERUSER")
    server.sql("CREATE DATABASE korean TEMPLATE template0 ENCODING 'EUC_KR' LC_COLLATE 'C' LC_CTYPE 'C'")
    server.sql("SET client_encoding = 'UTF8'; CREATE TABLE t AS SELECT '한국어'::text AS a, 1 AS id", "korean")
    server.sql(f"ALTER {whose} SET client_encoding TO 'LATIN1'")
    url = server.url("korean", user="guest")
    kedge("backup", url)
    kedge("verify", "latest", "--level", "3")
    kedge("restore", "latest", "--to", server.url("korean_copy", user="guest"), "--force")
    kedge("restore", "latest", "--force", "--table", "t")
    kedge("undo", "--force")
    kedge("restore", "latest", "--force")
    kedge("undo", "--force")
    for name in ("korean", "korean_copy"):
        assert server.sql(f"ALTER DATABASE {name} RESET client_encoding; SELECT 1") == "1"
        assert server.sql("SET client_encoding = 'UTF8'; SELECT a, id FROM t", name) == "한국어|1"
    server.drop("korean", "korean_copy")
    server.sql("DROP ROLE guest")
