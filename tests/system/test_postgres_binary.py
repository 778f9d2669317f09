"""Tables that are read in binary: the file holds what the server's own text COPY says, and every value comes back."""
import pytest

from test_postgres import BIN, TOOL, Run, server  # noqa: F401

pytestmark = pytest.mark.skipif(not BIN.exists() or not TOOL.exists(), reason="needs PostgreSQL 15 and a build")

TYPES = r"""
CREATE DOMAIN price AS numeric(12,2) CHECK (value <> 0);
CREATE TYPE mood AS ENUM ('glad', E'a\tb', 'c\d');
CREATE TABLE every (id bigint GENERATED ALWAYS AS IDENTITY, b bool, i2 int2, i4 int4, o oid, u uuid, d date, ti time, ts timestamp,
    gone int, tz timestamptz, n numeric, p price, t text, v varchar(40), c char(10), nm name, j json, jb jsonb, by bytea, m mood,
    twice int8 GENERATED ALWAYS AS (i2 * 2) STORED);
ALTER TABLE every DROP COLUMN gone;
INSERT INTO every (b, i2, i4, o, u, d, ti, ts, tz, n, p, t, v, c, nm, j, jb, by, m)
  SELECT i % 2 = 0, i * 7919 % 16000, i * 700001, i, md5(i::text)::uuid, date '4713-01-01 BC' + i * 40001, time '00:00' + i * interval '17.123456 s',
    timestamp '4713-11-24 BC' + i * interval '10001.371 h', timestamptz '0002-01-01Z BC' + i * interval '400.123 days',
    (pg_catalog.hashint8(i)) * 10::numeric ^ (i % 60 - 30), i * 1.5, repeat(E'a\t\\b\n', i % 9) || chr(i % 1000 + 1), md5(i::text),
    left(md5(i::text), i % 10), 'x' || i, '{"a":  1}', '{"b": "x\ty"}', sha256(i::text::bytea), (enum_range(NULL::mood))[1 + i % 3]
  FROM generate_series(1, 3000) i;
INSERT INTO every (t) VALUES (NULL), (''), (E'\\.'), (E'\\N'), (E'\b\f\r\v\x01\x7f'), (repeat('x', 16) || E'\t');
INSERT INTO every (n) VALUES ('NaN'), ('Infinity'), ('-Infinity'), (0), ('0.000'), ('1e131071'), ('1e-16383'), ('-0.00001234');
INSERT INTO every (d, ts, tz) VALUES ('infinity', '-infinity', 'infinity'), ('5874897-12-31', '294276-12-31 23:59:59.999999', '4714-11-24 00:00Z BC');
INSERT INTO every (by) VALUES (''), (decode(repeat('0a5c', 3000000), 'hex'));
INSERT INTO every (t) VALUES (repeat(E'\t\\', 3000000));
CREATE SCHEMA "odd ""schema";
CREATE TABLE "odd ""schema"."ta ble" (LIKE every);
CREATE TABLE child () INHERITS (every);
INSERT INTO child (id, t, by) VALUES (1, 'child', '\x00ff');
CREATE TABLE mixed (id int, list int[], r int4range, f float8, by bytea);
INSERT INTO mixed VALUES (1, '{1,NULL,3}', '[1,5)', 0.1, '\x0a'), (2, NULL, 'empty', 'NaN', NULL);
CREATE TABLE nothing ();
INSERT INTO nothing DEFAULT VALUES;
CREATE TABLE split (k int, by bytea) PARTITION BY RANGE (k);
CREATE TABLE split_1 PARTITION OF split FOR VALUES FROM (0) TO (10);
INSERT INTO split VALUES (1, '\xdeadbeef');
"""

SETTINGS = "SET TimeZone = 'UTC'; SET extra_float_digits = 3; SET bytea_output = hex; SET search_path = '';"


@pytest.fixture(scope="module")
def types(server):  # noqa: F811
    server.create("types")
    server.sql(TYPES, "types")
    return server


def blocks(file):
    """The rows of each table in a dump, as they stand there."""
    tables, name = {}, None
    for line in file.read_bytes().split(b"\n"):
        if name is None and line.startswith(b"COPY "):
            name = line[5:line.index(b" FROM")].decode()
            tables.setdefault(name, [])
        elif line == b"\\.":
            name = None
        elif name is not None:
            tables[name].append(line)
    return tables


def test_the_rows_of_a_dump_are_those_of_the_servers_text(types, tmp_path):
    Run("dump", types.url("types"), tmp_path / "dump.sql")
    found = blocks(tmp_path / "dump.sql")
    assert len(found) == 5
    for name, rows in found.items():
        text = types.sql(f"{SETTINGS} COPY {name} TO STDOUT;", "types").encode()
        assert sorted(rows) == sorted(text.split(b"\n")), name


def test_every_value_comes_back_with_the_same_digest(types, tmp_path):
    first = Run("copy", types.url("types"), types.url("types_back"), "--thorough")
    second = Run("dump", types.url("types_back"), tmp_path / "back.sql")
    tables = sorted(line for line in first.lines if line.startswith("TABLE="))
    assert len(tables) == 6
    assert tables == sorted(line for line in second.lines if line.startswith("TABLE="))
    # Frames of one table come back in any order.
    dumps = [sorted(types.dump(name).splitlines()) for name in ("types_back", "types")]
    assert dumps[0] == dumps[1]


# Written by the server, by rounding, and read back by none.
BEYOND = "'294276-12-31 23:59:59.999999'"


@pytest.mark.parametrize("filler, table, kind", [
    (5, "plain", "timestamp(0)"), (5, "plain", "timestamptz(0)"),
    (9000, "cut", "timestamp(0)"),  # 100 MB: the row lies in the last of its slices
])
def test_a_time_that_no_server_reads_back_is_named_with_its_row(server, tmp_path, filler, table, kind):  # noqa: F811
    server.create("beyond")
    server.sql(f"""CREATE TABLE {table} (id integer PRIMARY KEY, "At Time" {kind}, filler text); ALTER TABLE {table} ALTER filler SET STORAGE PLAIN;
                   INSERT INTO {table} SELECT i, now(), repeat('x', {filler if filler < 100 else 7000}) FROM generate_series(1, {filler}) i;
                   DELETE FROM {table} WHERE id = 2; INSERT INTO {table} VALUES (2, {BEYOND}); INSERT INTO {table} VALUES (-1, now());
                   SET client_min_messages = error; ANALYZE""", "beyond")
    run = Run("dump", server.url("beyond"), tmp_path / "x.sql", "--jobs", 2, check=False)
    place = server.sql(f"SELECT ctid FROM {table} WHERE id = 2", "beyond")
    assert run.status != 0 and f"table public.{table}: row {place}: " in run.error and "column At Time: " in run.error, run.error
    assert "hint: no server could read it back" in run.error


def test_such_a_time_in_a_partition_is_named_with_the_partition(server, tmp_path):  # noqa: F811
    server.create("beyond")
    server.sql(f"""CREATE TYPE mood AS ENUM ('glad', 'sad'); CREATE TABLE routed (m mood, "At Time" timestamp(0)) PARTITION BY HASH (m);
                   CREATE TABLE one PARTITION OF routed FOR VALUES WITH (MODULUS 2, REMAINDER 0);
                   CREATE TABLE two PARTITION OF routed FOR VALUES WITH (MODULUS 2, REMAINDER 1);
                   INSERT INTO routed SELECT m, now() FROM unnest(enum_range(NULL::mood)) m, generate_series(1, 500);
                   INSERT INTO routed VALUES ('sad', {BEYOND}), ('sad', now())""", "beyond")
    run = Run("dump", server.url("beyond"), tmp_path / "x.sql", check=False)
    place = server.sql("SELECT format('%s of %s', ctid, tableoid::regclass) FROM routed WHERE \"At Time\" >= '294276-01-01'", "beyond")
    assert run.status != 0 and f"table public.routed: row {place.replace(' of ', ' of public.')}: " in run.error, run.error
