-- The rarer kinds of object, beside those of postgres_zoo.sql: played into a database of its own.
-- Roles zoo_owner, zoo_reader and "Zoo Writer" exist already, and -% "odd" $(role);
SET client_min_messages = warning;

-- ---- names that a shell, a format string or a line reader would trip over ----
CREATE SCHEMA "-- ; $(touch x) %s";
CREATE SCHEMA "a
b";
CREATE SCHEMA "🦒";
CREATE TABLE "-- ; $(touch x) %s"."--help" ("%d" integer PRIMARY KEY, "a
b" text DEFAULT E'x\ny', "\" text, "'; DROP TABLE x; --" text, "🦒" text DEFAULT '🦒');
INSERT INTO "-- ; $(touch x) %s"."--help" SELECT i, E'l\n' || i, '\' || i, '''', '🦒🦒' FROM generate_series(1, 20) i;
CREATE TABLE "a
b"."t
-- Name: x; Type: INDEX" ("select" integer, ref integer REFERENCES "-- ; $(touch x) %s"."--help");
INSERT INTO "a
b"."t
-- Name: x; Type: INDEX" VALUES (1, 2);
CREATE VIEW "🦒"."view ""q"" %I" AS SELECT "🦒" AS "as" FROM "-- ; $(touch x) %s"."--help";
CREATE MATERIALIZED VIEW "🦒"."m 'v'" AS SELECT "%d" AS "on" FROM "-- ; $(touch x) %s"."--help";
CREATE INDEX "i ON ""x"" USING (" ON "🦒"."m 'v'" ("on");
CREATE INDEX "ON" ON "-- ; $(touch x) %s"."--help" ("\", ("a
b" || ' ON '));
CREATE SEQUENCE "🦒"."seq '%'" START 7;
SELECT nextval('"🦒"."seq ''%''"');
CREATE FUNCTION "🦒"."f$body$"("in" text) RETURNS text LANGUAGE sql AS $_$ SELECT $$; \.$$ || "in" $_$;
ALTER TABLE "-- ; $(touch x) %s"."--help" ADD CONSTRAINT "ck REFERENCES public.nothing" CHECK ("%d" > 0);
COMMENT ON TABLE "-- ; $(touch x) %s"."--help" IS E'two\nlines; \\. and %s $(x)';
GRANT SELECT ON "-- ; $(touch x) %s"."--help" TO "-% ""odd"" $(role);" WITH GRANT OPTION;
SET ROLE "-% ""odd"" $(role);";
RESET ROLE;

-- ---- types ----
CREATE TYPE shell_only;
CREATE TYPE int42;
CREATE FUNCTION int42_in(cstring) RETURNS int42 AS 'int4in' LANGUAGE internal STRICT IMMUTABLE;
CREATE FUNCTION int42_out(int42) RETURNS cstring AS 'int4out' LANGUAGE internal STRICT IMMUTABLE;
CREATE TYPE int42 (INTERNALLENGTH = 4, INPUT = int42_in, OUTPUT = int42_out, ALIGNMENT = int4, DEFAULT = 42, PASSEDBYVALUE);
CREATE CAST (int42 AS integer) WITHOUT FUNCTION AS ASSIGNMENT;
CREATE CAST (int42 AS text) WITH INOUT AS IMPLICIT;
COMMENT ON CAST (int42 AS integer) IS 'the same bits';
CREATE TYPE span AS RANGE (SUBTYPE = date, MULTIRANGE_TYPE_NAME = spans);
CREATE TYPE nested AS (at span, many spans, of integer[], deep int42);
COMMENT ON COLUMN nested.of IS 'several';
CREATE DOMAIN checked AS text COLLATE "C" NOT NULL CONSTRAINT short CHECK (length(VALUE) < 9);
CREATE DOMAIN list AS integer[] CHECK (VALUE IS NULL OR array_length(VALUE, 1) < 9);
CREATE DOMAIN late AS integer;
CREATE TABLE of_late (a late);
INSERT INTO of_late VALUES (-5);
ALTER DOMAIN late ADD CONSTRAINT "above
all" CHECK (VALUE > 0) NOT VALID;
COMMENT ON CONSTRAINT short ON DOMAIN checked IS 'not long';
CREATE TYPE colour AS ENUM ('red', 'green');
ALTER TYPE colour ADD VALUE 'between' BEFORE 'green';
ALTER TYPE colour OWNER TO zoo_owner;
GRANT USAGE ON TYPE colour TO zoo_reader;
REVOKE USAGE ON TYPE colour FROM PUBLIC;
CREATE COLLATION blind (PROVIDER = icu, LOCALE = 'und-u-ks-level2', DETERMINISTIC = false);
CREATE COLLATION plain_c FROM "C";
COMMENT ON COLLATION blind IS 'case does not count';
CREATE CONVERSION own_way FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8;
CREATE DEFAULT CONVERSION "own default" FOR 'UTF8' TO 'LATIN1' FROM utf8_to_iso8859_1;
COMMENT ON CONVERSION own_way IS 'a way';

-- ---- functions, operators ----
CREATE FUNCTION with_everything(a integer, VARIADIC b text[] DEFAULT '{x}') RETURNS TABLE (c integer, d text)
  LANGUAGE plpgsql STABLE LEAKPROOF STRICT SECURITY DEFINER PARALLEL SAFE COST 7 ROWS 9
  SET search_path = pg_catalog, "a
b" SET work_mem = '8MB' AS $$ BEGIN RETURN QUERY SELECT a, b[1]; END $$;
REVOKE EXECUTE ON FUNCTION with_everything(integer, text[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION with_everything(integer, text[]) TO zoo_reader;
ALTER FUNCTION with_everything(integer, text[]) OWNER TO zoo_owner;
COMMENT ON FUNCTION with_everything(integer, text[]) IS '%s';
CREATE FUNCTION windowed() RETURNS bigint LANGUAGE internal WINDOW AS 'window_row_number';
CREATE PROCEDURE transacting(a integer, INOUT b text DEFAULT NULL) LANGUAGE plpgsql AS $$ BEGIN COMMIT; END $$;
COMMENT ON PROCEDURE transacting(integer, text) IS 'p';
CREATE AGGREGATE moving(bigint) (SFUNC = int8pl, STYPE = bigint, MSFUNC = int8pl, MINVFUNC = int8mi, MSTYPE = bigint, COMBINEFUNC = int8pl,
  INITCOND = '0', MINITCOND = '0', PARALLEL = safe);
COMMENT ON AGGREGATE moving(bigint) IS 'moves';
CREATE FUNCTION int42_eq(int42, int42) RETURNS boolean LANGUAGE internal IMMUTABLE STRICT AS 'int4eq';
CREATE FUNCTION int42_ne(int42, int42) RETURNS boolean LANGUAGE internal IMMUTABLE STRICT AS 'int4ne';
CREATE FUNCTION int42_hash(int42) RETURNS integer LANGUAGE internal IMMUTABLE STRICT AS 'hashint4';
CREATE OPERATOR === (LEFTARG = int42, RIGHTARG = int42, FUNCTION = int42_eq, COMMUTATOR = ===, NEGATOR = !==,
  RESTRICT = eqsel, JOIN = eqjoinsel, HASHES);
CREATE OPERATOR !== (LEFTARG = int42, RIGHTARG = int42, FUNCTION = int42_ne, COMMUTATOR = !==, NEGATOR = ===);
CREATE OPERATOR @@@ (RIGHTARG = int42, FUNCTION = int42_out);
COMMENT ON OPERATOR === (int42, int42) IS 'same';
CREATE OPERATOR FAMILY "fam %" USING hash;
CREATE OPERATOR CLASS hashed DEFAULT FOR TYPE int42 USING hash FAMILY "fam %" AS OPERATOR 1 ===, FUNCTION 1 int42_hash(int42);
CREATE OPERATOR FAMILY loose USING btree;
ALTER OPERATOR FAMILY loose USING btree ADD OPERATOR 1 < (integer, bigint), OPERATOR 3 = (integer, bigint),
  FUNCTION 1 (integer, bigint) btint48cmp(integer, bigint);
CREATE OPERATOR CLASS stored FOR TYPE integer[] USING gin AS OPERATOR 1 && (anyarray, anyarray), FUNCTION 2 ginarrayextract(anyarray, internal, internal), STORAGE integer;
COMMENT ON OPERATOR CLASS hashed USING hash IS 'c';
COMMENT ON OPERATOR FAMILY loose USING btree IS 'f';
ALTER OPERATOR FAMILY loose USING btree OWNER TO zoo_owner;
CREATE ACCESS METHOD heap_two TYPE TABLE HANDLER heap_tableam_handler;
CREATE ACCESS METHOD gist_two TYPE INDEX HANDLER gisthandler;
COMMENT ON ACCESS METHOD heap_two IS 'h';
CREATE TRANSFORM FOR integer LANGUAGE sql (FROM SQL WITH FUNCTION pg_catalog.prsd_lextype(internal), TO SQL WITH FUNCTION int4recv(internal));
CREATE TEXT SEARCH PARSER own_parser (START = prsd_start, GETTOKEN = prsd_nexttoken, END = prsd_end, LEXTYPES = prsd_lextype);
CREATE TEXT SEARCH TEMPLATE own_template (LEXIZE = dsimple_lexize, INIT = dsimple_init);
CREATE TEXT SEARCH DICTIONARY own_words (TEMPLATE = own_template);
CREATE TEXT SEARCH CONFIGURATION own_search (PARSER = own_parser);
ALTER TEXT SEARCH CONFIGURATION own_search ADD MAPPING FOR word, asciiword WITH own_words, simple;
COMMENT ON TEXT SEARCH CONFIGURATION own_search IS 's';
COMMENT ON TEXT SEARCH DICTIONARY own_words IS 'd';

-- ---- tables ----
CREATE TABLE everything (
  small smallserial, big bigserial PRIMARY KEY, ident smallint GENERATED BY DEFAULT AS IDENTITY (INCREMENT 3 CYCLE CACHE 5),
  kept text, packed text COMPRESSION pglz, same text COLLATE blind, n nested, ns nested[], d checked DEFAULT 'x', l list,
  c colour[] DEFAULT '{red,NULL}', own int42, s span, ss spans, doubled bigint GENERATED ALWAYS AS (length(kept) * 2) STORED,
  money money, bits bit varying(9), mac macaddr, net inet, when_ interval, at timetz, xml xml, uid uuid, ts tsvector, q tsquery,
  pt point, poly polygon, lsn pg_lsn, re real, du double precision, nu numeric, raw bytea, js json, "char" "char", nm name, oid_ oid, rc regclass,
  CONSTRAINT sane CHECK (big > 0) NO INHERIT
) WITH (fillfactor = 71, autovacuum_enabled = false, toast.autovacuum_enabled = false, toast_tuple_target = 200);
ALTER TABLE everything ALTER kept SET STORAGE EXTERNAL, ALTER kept SET STATISTICS 777, ALTER packed SET (n_distinct = -0.5, n_distinct_inherited = 3);
ALTER TABLE everything REPLICA IDENTITY FULL;
ALTER TABLE everything ADD CONSTRAINT one_only UNIQUE NULLS NOT DISTINCT (packed, same) INCLUDE (big) DEFERRABLE INITIALLY DEFERRED;
CREATE UNIQUE INDEX part_unique ON everything (big) WHERE small > 3;
CREATE INDEX by_hash ON everything USING hash (own);
CREATE INDEX by_expression ON everything ((length(kept)), (big + 1) DESC NULLS LAST) WITH (fillfactor = 80);
ALTER INDEX by_expression ALTER COLUMN 1 SET STATISTICS 333;
CREATE INDEX by_brin ON everything USING brin (big) WITH (pages_per_range = 7);
CREATE INDEX by_gin ON everything USING gin (ts) WITH (fastupdate = off);
CREATE OPERATOR CLASS second_points DEFAULT FOR TYPE point USING gist_two AS OPERATOR 1 <<(point, point), FUNCTION 1 gist_point_consistent(internal, point, smallint, oid, internal),
  FUNCTION 2 gist_box_union(internal, internal), FUNCTION 3 gist_point_compress(internal), FUNCTION 5 gist_box_penalty(internal, internal, internal),
  FUNCTION 6 gist_box_picksplit(internal, internal), FUNCTION 7 gist_box_same(box, box, internal), STORAGE box;
CREATE INDEX by_second ON everything USING gist_two (pt);
COMMENT ON CONSTRAINT sane ON everything IS 'sanity';
COMMENT ON COLUMN everything.small IS E'\\';
INSERT INTO everything (kept, packed, same, n, ns, d, l, own, s, ss, money, bits, mac, net, when_, at, xml, uid, ts, q, pt, poly, lsn, re, du, nu, raw, js, "char", nm, oid_, rc)
SELECT repeat(md5(i::text), 100), repeat('p', 5000) || i, 'S' || i, ROW('[2020-01-01,2020-02-01)', '{[2020-01-01,2020-01-03),[2021-01-01,)}', '{1,NULL}', '7')::nested,
  ARRAY[NULL, ROW('empty', '{}', NULL, NULL)::nested], 'd' || i % 10, '[2:3]={4,5}', (i::text)::int42, daterange(NULL, '2020-01-01')::text::span, '{}',
  (i * 100.01)::numeric::money, B'101', '08:00:2b:01:02:03', '10.0.0.0/8', '-1 mons +2 days -03:04:05.000006', '04:05:06.789-08',
  '<a b="&lt;">ü</a>', md5(i::text)::uuid, to_tsvector('simple', 'a b ''q'' \ c'), 'a & !b', '(1e-300,NaN)', '((0,0),(1,1),(2,0))', '16/B374D848',
  CASE i % 4 WHEN 0 THEN 'NaN' WHEN 1 THEN '-Infinity' WHEN 2 THEN 1.1754944e-38 ELSE 0.1 END, CASE i % 3 WHEN 0 THEN '-0' WHEN 1 THEN 4.9e-324 ELSE 1.0 / 3 END,
  CASE i % 3 WHEN 0 THEN 'Infinity' WHEN 1 THEN 'NaN' ELSE 1e-20 END, '\x00ff0a5c09', '{"a": 1,  "a": 2}', E'\\001', 'n', 4294967295, 'everything'
FROM generate_series(1, 60) i;
CREATE TABLE typed OF nested (of WITH OPTIONS DEFAULT '{}');
INSERT INTO typed (deep) VALUES ('9');
CREATE TABLE second_heap (a integer) USING heap_two;
INSERT INTO second_heap VALUES (1);
CREATE UNLOGGED TABLE fast (id serial, t text);
INSERT INTO fast (t) VALUES ('x');
CREATE TABLE mother (a integer, b text NOT NULL DEFAULT 'm', CHECK (a > 0));
CREATE TABLE father (a integer, c numeric);
CREATE TABLE both_children (d date, a integer NOT NULL) INHERITS (mother, father);
CREATE TABLE grandchild () INHERITS (both_children);
ALTER TABLE mother DROP COLUMN b;
ALTER TABLE mother ADD COLUMN e integer DEFAULT 5;
INSERT INTO both_children VALUES (1, 2, '2020-01-01', 3);
INSERT INTO grandchild (a, c) VALUES (4, 5);
ALTER TABLE grandchild ADD CONSTRAINT late_check CHECK (a > 100) NOT VALID;

CREATE TABLE by_list (id integer, kind text, at date DEFAULT '2020-01-01') PARTITION BY LIST (kind);
CREATE TABLE by_list_ab PARTITION OF by_list FOR VALUES IN ('a', 'b''c', NULL);
CREATE TABLE by_list_sub PARTITION OF by_list FOR VALUES IN ('s') PARTITION BY RANGE (at, id);
CREATE TABLE by_list_sub_1 PARTITION OF by_list_sub FOR VALUES FROM (MINVALUE, MINVALUE) TO ('2020-06-01', 5);
CREATE TABLE by_list_sub_2 PARTITION OF by_list_sub FOR VALUES FROM ('2020-06-01', 5) TO (MAXVALUE, MAXVALUE) PARTITION BY HASH (id);
CREATE TABLE by_list_sub_2_0 PARTITION OF by_list_sub_2 FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE by_list_sub_2_1 PARTITION OF by_list_sub_2 FOR VALUES WITH (MODULUS 2, REMAINDER 1);
CREATE TABLE by_list_default PARTITION OF by_list DEFAULT;
ALTER TABLE by_list_ab ALTER at SET DEFAULT '2021-01-01';
INSERT INTO by_list SELECT i, (ARRAY['a', 'b''c', NULL, 's', 'other'])[i % 5 + 1], '2020-01-01'::date + i FROM generate_series(1, 400) i;
ALTER TABLE by_list ADD CONSTRAINT positive CHECK (id > 0);
CREATE INDEX list_at ON by_list (at);
CREATE INDEX on_only ON ONLY by_list (id);
CREATE INDEX own_one ON by_list_ab (kind);
ALTER TABLE by_list_ab CLUSTER ON own_one;
CREATE TABLE by_enum (c colour, n integer) PARTITION BY HASH (c);
CREATE TABLE by_enum_0 PARTITION OF by_enum FOR VALUES WITH (MODULUS 3, REMAINDER 0);
CREATE TABLE by_enum_1 PARTITION OF by_enum FOR VALUES WITH (MODULUS 3, REMAINDER 1);
CREATE TABLE by_enum_2 PARTITION OF by_enum FOR VALUES WITH (MODULUS 3, REMAINDER 2);
INSERT INTO by_enum SELECT (enum_range(NULL::colour))[i % 3 + 1], i FROM generate_series(1, 90) i;
CREATE TABLE keyed (id integer, kind text, PRIMARY KEY (id, kind)) PARTITION BY LIST (kind);
CREATE TABLE keyed_a PARTITION OF keyed FOR VALUES IN ('a');
CREATE TABLE keyed_b PARTITION OF keyed FOR VALUES IN ('b');
INSERT INTO keyed SELECT i, CASE WHEN i % 2 = 0 THEN 'a' ELSE 'b' END FROM generate_series(1, 50) i;
CREATE TABLE keys_to (id integer, kind text, other integer, CONSTRAINT out FOREIGN KEY (id, kind) REFERENCES keyed ON UPDATE CASCADE DEFERRABLE) PARTITION BY HASH (id);
CREATE TABLE keys_to_0 PARTITION OF keys_to FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE keys_to_1 PARTITION OF keys_to FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO keys_to SELECT id, kind, 1 FROM keyed;
ALTER TABLE keyed_b ADD UNIQUE (id);
CREATE TABLE keys_one (id integer REFERENCES keyed_b (id) MATCH FULL ON DELETE SET NULL);
INSERT INTO keys_one VALUES (1), (NULL);
CREATE TABLE loose_ends (kind text, id integer);
INSERT INTO loose_ends VALUES ('zz', 999);
ALTER TABLE loose_ends ADD CONSTRAINT dangling FOREIGN KEY (id, kind) REFERENCES keyed NOT VALID;

-- ---- views ----
CREATE VIEW ring_one AS SELECT 1 AS a, 'x'::text AS b;
CREATE VIEW ring_two AS SELECT a, b FROM ring_one;
CREATE OR REPLACE VIEW ring_one AS SELECT a, b FROM ring_two;
CREATE VIEW barred WITH (security_barrier = true, check_option = cascaded) AS SELECT id, kind FROM loose_ends WHERE id > 0;
CREATE VIEW asking WITH (security_invoker = true) AS SELECT * FROM barred;
CREATE RECURSIVE VIEW counting (n) AS VALUES (1) UNION ALL SELECT n + 1 FROM counting WHERE n < 5;
CREATE VIEW with_defaults AS SELECT big, packed FROM everything;
ALTER VIEW with_defaults ALTER packed SET DEFAULT 'd';
CREATE VIEW star AS SELECT e.*, (e.n).deep AS deeper FROM everything e;
COMMENT ON VIEW barred IS 'v'; COMMENT ON COLUMN barred.id IS 'vc';
GRANT SELECT (id) ON barred TO zoo_reader;
CREATE FUNCTION view_user() RETURNS SETOF barred LANGUAGE sql AS 'SELECT * FROM barred';
CREATE VIEW keyed_group AS SELECT * FROM everything GROUP BY big;
CREATE MATERIALIZED VIEW m_first WITH (fillfactor = 55) AS SELECT kind, count(*) AS n FROM by_list GROUP BY kind;
CREATE VIEW between_them AS SELECT kind, n FROM m_first;
CREATE MATERIALIZED VIEW m_second AS SELECT kind FROM between_them WITH DATA;
CREATE MATERIALIZED VIEW m_empty AS SELECT * FROM m_second WITH NO DATA;
CREATE UNIQUE INDEX m_first_kind ON m_first (kind);
ALTER MATERIALIZED VIEW m_first CLUSTER ON m_first_kind;
ALTER MATERIALIZED VIEW m_first ALTER n SET STATISTICS 55;
COMMENT ON MATERIALIZED VIEW m_first IS 'm';
ALTER MATERIALIZED VIEW m_second OWNER TO zoo_owner;
GRANT SELECT ON between_them TO zoo_owner;
GRANT SELECT ON m_first TO zoo_reader;

-- ---- triggers, rules, policies ----
CREATE FUNCTION quiet() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER plain AFTER INSERT ON everything FOR EACH ROW EXECUTE FUNCTION quiet('a', E'b\\c');
CREATE TRIGGER always AFTER UPDATE OF big, packed ON everything FOR EACH ROW WHEN (OLD.big IS DISTINCT FROM NEW.big) EXECUTE FUNCTION quiet();
CREATE TRIGGER replica AFTER TRUNCATE ON everything EXECUTE FUNCTION quiet();
CREATE TRIGGER off AFTER DELETE ON everything REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION quiet();
CREATE CONSTRAINT TRIGGER deferred AFTER INSERT ON everything FROM loose_ends DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION quiet();
ALTER TABLE everything ENABLE ALWAYS TRIGGER always, ENABLE REPLICA TRIGGER replica, DISABLE TRIGGER off;
COMMENT ON TRIGGER plain ON everything IS 't';
CREATE TRIGGER instead INSTEAD OF INSERT ON star FOR EACH ROW EXECUTE FUNCTION quiet();
CREATE TRIGGER cloned AFTER INSERT ON by_list FOR EACH ROW EXECUTE FUNCTION quiet();
ALTER TABLE by_list_ab DISABLE TRIGGER cloned;
ALTER TABLE by_list_default ENABLE ALWAYS TRIGGER cloned;
CREATE RULE put AS ON INSERT TO barred DO INSTEAD INSERT INTO loose_ends VALUES (NEW.kind, NEW.id);
CREATE RULE off AS ON DELETE TO loose_ends WHERE OLD.id = 3 DO ALSO NOTHING;
CREATE RULE always AS ON UPDATE TO loose_ends DO ALSO NOTIFY changed;
ALTER TABLE loose_ends DISABLE RULE off, ENABLE ALWAYS RULE always;
COMMENT ON RULE put ON barred IS 'r';
ALTER TABLE by_list ENABLE ROW LEVEL SECURITY;
CREATE POLICY one ON by_list AS RESTRICTIVE FOR SELECT TO zoo_reader, "Zoo Writer" USING (id > 3);
CREATE POLICY "two %" ON by_list FOR INSERT WITH CHECK (kind = 'a;b');
COMMENT ON POLICY one ON by_list IS 'p';
CREATE FUNCTION seen() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''seen''; END';
CREATE EVENT TRIGGER refuse_all ON ddl_command_end WHEN TAG IN ('DROP TABLE', 'CREATE INDEX') EXECUTE FUNCTION seen();
CREATE EVENT TRIGGER refuse_drop ON sql_drop EXECUTE FUNCTION seen();
ALTER EVENT TRIGGER refuse_drop ENABLE REPLICA;
COMMENT ON EVENT TRIGGER refuse_all IS 'no';
CREATE STATISTICS expressed (ndistinct, mcv) ON (length(kept)), big FROM everything;
ALTER STATISTICS expressed SET STATISTICS 44;
ALTER STATISTICS expressed OWNER TO zoo_owner;
COMMENT ON STATISTICS expressed IS 'st';

-- ---- what lies elsewhere ----
CREATE FOREIGN DATA WRAPPER own_wrapper OPTIONS (debug 'true;');
CREATE SERVER "srv '%'" TYPE 't' VERSION '1''2' FOREIGN DATA WRAPPER own_wrapper OPTIONS (host 'a b');
CREATE USER MAPPING FOR PUBLIC SERVER "srv '%'" OPTIONS (password 'x;y');
CREATE USER MAPPING FOR "Zoo Writer" SERVER "srv '%'";
CREATE FOREIGN TABLE abroad (a integer OPTIONS (column_name 'A%') NOT NULL, b text DEFAULT 'z') SERVER "srv '%'" OPTIONS (t 'x''y');
ALTER FOREIGN TABLE abroad ADD CHECK (a > 0);
COMMENT ON FOREIGN TABLE abroad IS 'f'; COMMENT ON SERVER "srv '%'" IS 's'; COMMENT ON FOREIGN DATA WRAPPER own_wrapper IS 'w';
GRANT USAGE ON FOREIGN SERVER "srv '%'" TO zoo_reader;
GRANT USAGE ON FOREIGN DATA WRAPPER own_wrapper TO zoo_reader WITH GRANT OPTION;
CREATE PUBLICATION by_schema FOR TABLES IN SCHEMA "🦒", TABLE by_list WITH (publish = 'insert', publish_via_partition_root = true);
ALTER PUBLICATION by_schema OWNER TO CURRENT_USER;
COMMENT ON PUBLICATION by_schema IS 'pub';
CREATE SUBSCRIPTION listens CONNECTION 'host=127.0.0.1 port=1 dbname=x' PUBLICATION one, "two" WITH (connect = false, slot_name = 'zoo_slot', binary = true, streaming = on);
CREATE SUBSCRIPTION slotless CONNECTION 'dbname=x' PUBLICATION one WITH (connect = false, slot_name = NONE, enabled = false, create_slot = false);
COMMENT ON SUBSCRIPTION listens IS 'sub';

-- ---- who may ----
ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
ALTER DEFAULT PRIVILEGES FOR ROLE "Zoo Writer" GRANT ALL ON SEQUENCES TO zoo_reader WITH GRANT OPTION;
ALTER DEFAULT PRIVILEGES FOR ROLE zoo_owner GRANT USAGE ON TYPES TO "-% ""odd"" $(role);";
ALTER DEFAULT PRIVILEGES GRANT USAGE ON SCHEMAS TO zoo_reader;
GRANT ALL ON of_late TO "Zoo Writer" WITH GRANT OPTION;
SET ROLE "Zoo Writer";
GRANT SELECT ON of_late TO zoo_reader WITH GRANT OPTION;
SET ROLE zoo_reader;
GRANT SELECT ON of_late TO PUBLIC;
RESET ROLE;
GRANT USAGE ON LANGUAGE plpgsql TO zoo_reader;
REVOKE USAGE ON LANGUAGE sql FROM PUBLIC;
GRANT SELECT ON pg_catalog.pg_authid TO zoo_reader;
REVOKE ALL ON FUNCTION pg_catalog.pg_ls_dir(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION pg_catalog.pg_ls_dir(text) TO zoo_reader;
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
ALTER SCHEMA public OWNER TO zoo_owner;
COMMENT ON SCHEMA public IS 'mine now';
COMMENT ON EXTENSION plpgsql IS 'changed';
CREATE EXTENSION citext SCHEMA "🦒";
REVOKE ALL ON FUNCTION "🦒".citext_eq("🦒".citext, "🦒".citext) FROM PUBLIC;
CREATE TABLE with_citext (a "🦒".citext PRIMARY KEY);
INSERT INTO with_citext VALUES ('Aa');
ALTER DATABASE zoo_rare SET "own.setting" = 'a%s ''q'' \ ;';
ALTER DATABASE zoo_rare SET temp_tablespaces = '';
ALTER DATABASE zoo_rare SET default_transaction_read_only = on;
ALTER DATABASE zoo_rare SET lock_timeout = '1ms';
ALTER ROLE "-% ""odd"" $(role);" IN DATABASE zoo_rare SET search_path = "a b", 'it''s';
COMMENT ON DATABASE zoo_rare IS E'%s $(x) ''\n';
