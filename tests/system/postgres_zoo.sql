-- One of every kind of object that a PostgreSQL database can hold, with awkward names and values.
-- Roles zoo_owner, zoo_reader and "Zoo Writer" exist already.
ALTER DATABASE zoo SET work_mem = '7MB';
ALTER DATABASE zoo SET search_path = "$user", public, "odd ""schema""";
ALTER ROLE zoo_reader IN DATABASE zoo SET statement_timeout = '5min';
COMMENT ON DATABASE zoo IS 'animals, 100% of them; it''s full';
GRANT CONNECT ON DATABASE zoo TO zoo_reader WITH GRANT OPTION;
REVOKE TEMPORARY ON DATABASE zoo FROM PUBLIC;
ALTER DATABASE zoo CONNECTION LIMIT 77;
ALTER DATABASE zoo OWNER TO zoo_owner;
SET search_path = public;

CREATE SCHEMA "odd ""schema""" AUTHORIZATION zoo_owner;
CREATE SCHEMA later;
COMMENT ON SCHEMA later IS 'comes later';
GRANT USAGE ON SCHEMA later TO zoo_reader;
ALTER DEFAULT PRIVILEGES FOR ROLE zoo_owner IN SCHEMA later GRANT SELECT ON TABLES TO zoo_reader;

CREATE EXTENSION pgcrypto SCHEMA later;
CREATE EXTENSION hstore;
CREATE EXTENSION pg_trgm;
CREATE EXTENSION file_fdw;
CREATE EXTENSION postgres_fdw;

CREATE TYPE mood AS ENUM ('sad', 'it''s ok', 'happy');
CREATE TYPE pair AS (a integer, b text COLLATE "C");
CREATE DOMAIN percent AS numeric(5, 2) DEFAULT 0 CHECK (VALUE BETWEEN 0 AND 100);
CREATE TYPE float_range AS RANGE (subtype = float8, subtype_diff = float8mi);
CREATE COLLATION german (provider = icu, locale = 'de-u-co-phonebk');
COMMENT ON TYPE mood IS E'how it feels\nover two lines';

CREATE FUNCTION plus_one(integer) RETURNS integer LANGUAGE sql IMMUTABLE STRICT AS 'select $1 + 1';
CREATE FUNCTION tricky() RETURNS text LANGUAGE plpgsql AS $body$
BEGIN
  -- Name: fake; Type: INDEX; Schema: public
  RETURN 'a;b' || $q$
--
-- Name: fake; Type: INDEX; Schema: public; Owner: x
--

CREATE INDEX fake ON nowhere (a);
\.
$q$;
END $body$;
CREATE FUNCTION atomic_body(a integer) RETURNS integer LANGUAGE sql
  BEGIN ATOMIC SELECT CASE WHEN a > 0 THEN a ELSE -a END; END;
CREATE PROCEDURE do_little(INOUT a integer) LANGUAGE plpgsql AS 'BEGIN a := a + 1; END';
CREATE AGGREGATE total(integer) (SFUNC = int4pl, STYPE = integer, INITCOND = '0');
CREATE FUNCTION near(integer, integer) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'select abs($1 - $2) < 2';
CREATE OPERATOR ~=~= (LEFTARG = integer, RIGHTARG = integer, FUNCTION = near);
CREATE OPERATOR CLASS backwards FOR TYPE integer USING btree AS
  OPERATOR 1 >, OPERATOR 2 >=, OPERATOR 3 =, OPERATOR 4 <=, OPERATOR 5 <, FUNCTION 1 btint4cmp(integer, integer);
CREATE FUNCTION mood_number(mood) RETURNS integer LANGUAGE sql IMMUTABLE AS
  'select case $1 when ''sad'' then 1 else 2 end';
CREATE CAST (mood AS integer) WITH FUNCTION mood_number(mood);
CREATE TEXT SEARCH DICTIONARY plain (TEMPLATE = simple, STOPWORDS = 'english');
CREATE TEXT SEARCH CONFIGURATION zoo_search (COPY = english);
ALTER TEXT SEARCH CONFIGURATION zoo_search ALTER MAPPING FOR asciiword WITH plain;

CREATE SEQUENCE loose START 100 INCREMENT -5 MINVALUE -1000 MAXVALUE 100 CYCLE;
SELECT nextval('loose'), nextval('loose');
CREATE SEQUENCE untouched START 42;

CREATE TABLE animals (
  id integer GENERATED ALWAYS AS IDENTITY (START WITH 10) PRIMARY KEY,
  name text NOT NULL COLLATE german,
  doubled integer GENERATED ALWAYS AS (10 * 2) STORED,
  feels mood DEFAULT 'happy',
  share percent,
  born timestamptz DEFAULT now(),
  tags hstore,
  size float_range,
  both_of pair,
  raw bytea,
  numbers integer[] CHECK (array_length(numbers, 1) < 100),
  doc jsonb,
  "Odd ""column""; --" text,
  EXCLUDE USING gist (size WITH &&) DEFERRABLE INITIALLY DEFERRED
);
ALTER TABLE animals OWNER TO zoo_owner;
ALTER TABLE animals DROP COLUMN born;
ALTER TABLE animals ADD COLUMN weight double precision DEFAULT 'NaN';
COMMENT ON TABLE animals IS '\. is no end, $$ is no quote';
COMMENT ON COLUMN animals.name IS 'called';
INSERT INTO animals (name, share, tags, size, both_of, raw, numbers, doc, "Odd ""column""; --", weight)
SELECT 'n' || i, i % 100, hstore('k', i::text), float_range(i, i + 0.5), ROW(i, 'b' || i)::pair, decode(md5(i::text), 'hex'),
  ARRAY[i, NULL, -i], jsonb_build_object('i', i, 'text', E'tab\t newline\n back\\slash'),
  CASE i % 5 WHEN 0 THEN NULL WHEN 1 THEN '' WHEN 2 THEN '\N' WHEN 3 THEN '\.' ELSE E'a\tb\\c\r\nd ü €' END,
  CASE i % 3 WHEN 0 THEN 'Infinity' WHEN 1 THEN i / 3.0 ELSE 1e-300 END
FROM generate_series(1, 500) i;
CREATE INDEX animals_name ON animals (lower(name), id DESC) WHERE id > 5;
CREATE INDEX animals_doc ON animals USING gin (doc jsonb_path_ops);
CREATE INDEX animals_trgm ON animals USING gist (name gist_trgm_ops);
CREATE INDEX animals_back ON animals (id backwards) INCLUDE (name);
CREATE UNIQUE INDEX animals_unique ON animals (id, name);
ALTER TABLE animals CLUSTER ON animals_unique;
ALTER TABLE animals REPLICA IDENTITY USING INDEX animals_unique;
CREATE STATISTICS animals_stats (dependencies, mcv) ON name, feels FROM animals;
COMMENT ON INDEX animals_name IS 'by name';

CREATE TABLE "odd ""schema"""."Mixed Case; table" ("select" integer PRIMARY KEY, animal integer REFERENCES animals ON DELETE CASCADE);
INSERT INTO "odd ""schema"""."Mixed Case; table" SELECT i, i + 9 FROM generate_series(1, 50) i;
CREATE TABLE self (id integer PRIMARY KEY, parent integer REFERENCES self DEFERRABLE);
INSERT INTO self SELECT i, nullif(i / 2, 0) FROM generate_series(1, 100) i;
CREATE TABLE ring_a (id integer PRIMARY KEY, b integer);
CREATE TABLE ring_b (id integer PRIMARY KEY, a integer REFERENCES ring_a);
INSERT INTO ring_a VALUES (1, 1); INSERT INTO ring_b VALUES (1, 1);
ALTER TABLE ring_a ADD FOREIGN KEY (b) REFERENCES ring_b;
CREATE TABLE unchecked (a integer, b integer);
INSERT INTO unchecked VALUES (-1, 77777);
ALTER TABLE unchecked ADD CONSTRAINT positive CHECK (a > 0) NOT VALID;
ALTER TABLE unchecked ADD CONSTRAINT dangling FOREIGN KEY (b) REFERENCES animals NOT VALID;

CREATE TABLE nothing ();
INSERT INTO nothing DEFAULT VALUES; INSERT INTO nothing DEFAULT VALUES;
CREATE TABLE only_generated (a integer GENERATED ALWAYS AS (1) STORED);
INSERT INTO only_generated DEFAULT VALUES;
CREATE TABLE empty_one (a integer);
CREATE UNLOGGED TABLE quick (a integer); INSERT INTO quick VALUES (1);

CREATE TABLE measure (at date NOT NULL, value integer, kind text) PARTITION BY RANGE (at);
CREATE TABLE measure_2024 PARTITION OF measure FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE measure_2025 PARTITION OF measure FOR VALUES FROM ('2025-01-01') TO ('2026-01-01') PARTITION BY LIST (kind);
CREATE TABLE measure_2025_a PARTITION OF measure_2025 FOR VALUES IN ('a');
CREATE TABLE measure_rest (value integer, extra_gone integer, kind text, at date NOT NULL);
ALTER TABLE measure_rest DROP COLUMN extra_gone;
ALTER TABLE measure ATTACH PARTITION measure_rest DEFAULT;
ALTER TABLE measure ADD PRIMARY KEY (at, kind);
CREATE INDEX ON measure (value);
INSERT INTO measure SELECT '2024-01-01'::date + i, i, 'a' FROM generate_series(0, 900) i;
CREATE TABLE measured (at date, kind text, FOREIGN KEY (at, kind) REFERENCES measure);
INSERT INTO measured VALUES ('2024-02-02', 'a');

CREATE TABLE parent (a integer PRIMARY KEY, b text DEFAULT 'p');
CREATE TABLE child (c integer) INHERITS (parent);
INSERT INTO parent VALUES (1); INSERT INTO child VALUES (2, 'x', 3);
ALTER TABLE child ALTER b SET DEFAULT 'c';

CREATE VIEW happy AS SELECT * FROM animals WHERE feels = 'happy' WITH LOCAL CHECK OPTION;
CREATE VIEW grouped AS SELECT id, name FROM animals GROUP BY id;
CREATE MATERIALIZED VIEW counted AS SELECT feels, count(*) AS n FROM animals GROUP BY feels;
CREATE UNIQUE INDEX counted_feels ON counted (feels);
CREATE MATERIALIZED VIEW counted_twice AS SELECT sum(n) FROM counted;
CREATE MATERIALIZED VIEW by_function AS SELECT plus_one(id) FROM animals;
CREATE MATERIALIZED VIEW not_yet AS SELECT 1 AS a WITH NO DATA;
CREATE RULE no_delete AS ON DELETE TO ring_a DO INSTEAD NOTHING;

CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.name := NEW.name || ''!''; RETURN NEW; END';
CREATE TRIGGER stamp BEFORE INSERT OR UPDATE ON animals FOR EACH ROW EXECUTE FUNCTION stamp();
ALTER TABLE animals DISABLE TRIGGER stamp;
CREATE FUNCTION on_ddl() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
CREATE EVENT TRIGGER watch ON ddl_command_start EXECUTE FUNCTION on_ddl();
ALTER EVENT TRIGGER watch DISABLE;

ALTER TABLE self ENABLE ROW LEVEL SECURITY;
ALTER TABLE self FORCE ROW LEVEL SECURITY;
CREATE POLICY mine ON self TO zoo_reader USING (id > 3) WITH CHECK (id < 9);

CREATE SERVER files FOREIGN DATA WRAPPER file_fdw;
CREATE SERVER far FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host 'nowhere.example', dbname 'x');
CREATE USER MAPPING FOR zoo_reader SERVER far OPTIONS (user 'u', password 'p''w');
CREATE FOREIGN TABLE passwd (line text) SERVER files OPTIONS (filename '/etc/passwd');
CREATE PUBLICATION chosen FOR TABLE animals (id, name), TABLE parent WHERE (a > 1);
CREATE PUBLICATION all_of_it FOR ALL TABLES;

GRANT SELECT (id, name), UPDATE (feels) ON animals TO zoo_reader;
GRANT ALL ON animals TO "Zoo Writer" WITH GRANT OPTION;
REVOKE DELETE ON animals FROM zoo_owner;
GRANT USAGE ON SEQUENCE loose TO PUBLIC;
REVOKE ALL ON FUNCTION plus_one(integer) FROM PUBLIC;

SELECT lo_create(12345);
SELECT lo_put(12345, 0, decode(repeat('00ff', 30000), 'hex'));
SELECT lo_create(777);
COMMENT ON LARGE OBJECT 777 IS 'empty; it''s';
SELECT lo_create(778);
SELECT lo_put(778, 16383, '\x00');
SELECT lo_create(779);
SELECT lo_put(779, 5000000, '\x01');
ALTER LARGE OBJECT 12345 OWNER TO zoo_owner;
GRANT SELECT ON LARGE OBJECT 12345 TO zoo_reader WITH GRANT OPTION;
REVOKE UPDATE ON LARGE OBJECT 12345 FROM zoo_owner;
