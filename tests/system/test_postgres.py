"""PostgreSQL dumps and restores against a real server, checked with the server's own tools."""
import os
import re
import shutil
import signal
import subprocess
import threading
import time
from pathlib import Path

import pytest

from conftest import free_port

ROOT = Path(__file__).resolve().parents[2]
TOOL = Path(os.environ.get("KEDGE_BUILD", ROOT / "build")) / "tests" / "source_tool"
BIN = Path("/usr/lib/postgresql/15/bin")

pytestmark = pytest.mark.skipif(not BIN.exists() or not TOOL.exists(), reason="needs PostgreSQL 15 and a build")


class Server:
    def __init__(self, folder, port):
        self.folder, self.port = folder, port
        self.script = str(ROOT / "tests" / "servers" / "start-postgres.sh")
        self.start()

    def start(self):
        subprocess.run([self.script, str(self.folder), str(self.port)], check=True, stdout=subprocess.DEVNULL)

    def stop(self):
        subprocess.run([self.script, "stop", str(self.folder)], check=True)

    def url(self, database, user="postgres"):
        return f"postgres://{user}@127.0.0.1:{self.port}/{database}"

    def arguments(self, database):
        return ["-X", "-q", "-h", "127.0.0.1", "-p", str(self.port), "-U", "postgres", "-d", database]

    def sql(self, text, database="postgres"):
        done = subprocess.run([BIN / "psql", *self.arguments(database), "-v", "ON_ERROR_STOP=1", "-At"],
                              input=text, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def play(self, file, database):
        done = subprocess.run([BIN / "psql", *self.arguments(database), "-v", "ON_ERROR_STOP=1", "-f", str(file)],
                              capture_output=True, text=True)
        assert done.returncode == 0, done.stderr

    def create(self, *names):
        for name in names:
            self.sql(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE);')
            self.sql(f'CREATE DATABASE "{name}" TEMPLATE template0;')

    def dump(self, database):
        """What pg_dump says, made independent of the database's name."""
        text = subprocess.run([BIN / "pg_dump", "--create", "-h", "127.0.0.1", "-p", str(self.port), "-U", "postgres",
                               database], check=True, capture_output=True, text=True).stdout
        lines = [line for line in text.splitlines() if not line.startswith(("\\restrict", "\\unrestrict"))]
        return re.sub(rf'"?\b{re.escape(database)}\b"?', "DB", "\n".join(lines))

    def wait(self, query, database="postgres", seconds=30):
        """Until the query answers with something; an assertion error when it does not in time."""
        end = time.monotonic() + seconds
        while not self.sql(query, database):
            assert time.monotonic() < end, query
            time.sleep(0.02)

    def databases(self):
        return set(self.sql("SELECT datname FROM pg_database WHERE NOT datistemplate").split("\n"))


class Run:
    def __init__(self, *arguments, check=True, timeout=120):
        done = subprocess.run([str(TOOL), *map(str, arguments)], capture_output=True, text=True, timeout=timeout,
                              errors="replace")
        self.status, self.error = done.returncode, done.stderr
        self.values = dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)
        self.lines = done.stdout.splitlines()
        if check:
            assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = Path("/tmp") / f"kedge-test-postgres-{os.getpid()}"
    folder.mkdir(mode=0o755)
    running = Server(folder, free_port())
    yield running
    running.stop()
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def zoo(server):
    server.sql('CREATE ROLE zoo_owner; CREATE ROLE zoo_reader LOGIN; CREATE ROLE "Zoo Writer"; CREATE DATABASE zoo;')
    server.play(ROOT / "tests" / "system" / "postgres_zoo.sql", "zoo")
    return server


@pytest.fixture
def shop(server):
    for name in server.databases():
        if "__kedge_" in name:
            server.sql(f'DROP DATABASE "{name}";')
    server.create("shop")
    server.sql("""
        CREATE TABLE customers (id integer PRIMARY KEY, name text);
        CREATE TABLE orders (id integer PRIMARY KEY, customer integer REFERENCES customers, note text);
        INSERT INTO customers SELECT i, 'c' || i FROM generate_series(1, 100) i;
        INSERT INTO orders SELECT i, i % 100 + 1, repeat('x', 100) FROM generate_series(1, 2000) i;
    """, "shop")
    return server


# ---- everything comes back ----

def test_a_dropped_schema_public_does_not_come_back(server, tmp_path):
    server.create("without", "without_psql", "without_again")
    server.sql("DROP SCHEMA public; CREATE SCHEMA app; CREATE TABLE app.t AS SELECT 7 AS id;", "without")
    Run("dump", server.url("without"), tmp_path / "dump.sql")
    server.play(tmp_path / "dump.sql", "without_psql")
    Run("load", tmp_path / "dump.sql", server.url("without_again"))
    for name in ("without_psql", "without_again"):
        assert server.sql("SELECT id, to_regnamespace('public') IS NULL FROM app.t", name) == "7|t"


def test_psql_reads_a_dump_of_every_kind_of_object(zoo, tmp_path):
    Run("dump", zoo.url("zoo"), tmp_path / "zoo.sql")
    zoo.create("zoo_psql")
    zoo.play(tmp_path / "zoo.sql", "zoo_psql")
    assert zoo.dump("zoo_psql") == zoo.dump("zoo")


def test_a_restore_by_frames_brings_every_kind_of_object_back(zoo):
    Run("copy", zoo.url("zoo"), zoo.url("zoo_frames"))
    assert zoo.dump("zoo_frames") == zoo.dump("zoo")


def test_a_restore_front_to_back_brings_every_kind_of_object_back(zoo, tmp_path):
    Run("dump", zoo.url("zoo"), tmp_path / "zoo.sql")
    Run("load", tmp_path / "zoo.sql", zoo.url("zoo_stream"))
    assert zoo.dump("zoo_stream") == zoo.dump("zoo")


def test_a_dump_of_a_restore_has_the_same_digests(zoo, tmp_path):
    first = Run("copy", zoo.url("zoo"), zoo.url("zoo_again"))
    second = Run("dump", zoo.url("zoo_again"), tmp_path / "again.sql")
    tables = [line for line in first.lines if line.startswith("TABLE=")]
    assert sorted(tables) == sorted(line for line in second.lines if line.startswith("TABLE="))


def test_names_and_values_never_become_arguments_of_the_child(zoo, tmp_path):
    seen = set()
    stop = threading.Event()

    def watch():
        while not stop.is_set():
            for line in Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    text = line.read_bytes().replace(b"\0", b" ").decode(errors="replace")
                except OSError:
                    continue
                if "pg_dump" in text and "--snapshot" in text:
                    seen.add(text)

    watcher = threading.Thread(target=watch)
    watcher.start()
    Run("dump", zoo.url("zoo"), tmp_path / "zoo.sql")
    stop.set()
    watcher.join()
    assert seen and not any("zoo" in text for text in seen)


def test_a_table_cut_into_ranges_is_whole(server, tmp_path):
    server.create("big", "big_back")
    server.sql("CREATE TABLE t AS SELECT i, repeat(md5(i::text), 30) AS text FROM generate_series(1, 150000) i;", "big")
    run = Run("dump", server.url("big"), tmp_path / "big.sql", "--jobs", 3)
    assert run.values["ROWS"] == "150000"
    server.play(tmp_path / "big.sql", "big_back")
    check = "SELECT count(*), sum(hashtext(t::text)::bigint) FROM t"
    assert server.sql(check, "big_back") == server.sql(check, "big")
    server.sql("DROP DATABASE big; DROP DATABASE big_back;")


def test_one_row_larger_than_a_segment_comes_back(server):
    server.create("wide")
    server.sql("CREATE TABLE t AS SELECT 1 AS a, repeat('0123456789', 2000000) AS text UNION ALL SELECT 2, 'x';", "wide")
    Run("copy", server.url("wide"), server.url("wide_back"))
    check = "SELECT a, md5(text), length(text) FROM t ORDER BY a"
    assert server.sql(check, "wide_back") == server.sql(check, "wide")


def memory_peak(pid):
    """KiB that the process has had in memory at most so far; 0 when it is gone. (What wait4 says begins with its parent's.)"""
    try:
        return int(re.search(r"VmHWM:\s*(\d+)", Path(f"/proc/{pid}/status").read_text())[1])
    except (OSError, TypeError):
        return 0


def test_a_large_row_is_in_memory_twice_while_it_is_backed_up(server, kedge):
    server.create("heavy")
    server.sql("""CREATE TABLE t (id int, text text);
                  INSERT INTO t SELECT 1, repeat('0123456789', 8000000); INSERT INTO t SELECT 2, 'x';""", "heavy")
    process = kedge.start("backup", server.url("heavy"), "-j2")
    peak = 0
    while process.poll() is None:
        peak = max(peak, memory_peak(process.pid))
    assert process.returncode == 0, process.communicate()
    assert 80 * 1024 < peak < (2 * 80 + 50) * 1024
    kedge("restore", "latest", "--to", server.url("heavy_back"))
    check = "SELECT id, md5(text), length(text) FROM t ORDER BY id"
    assert server.sql(check, "heavy_back") == server.sql(check, "heavy")


def test_other_encodings_come_back(server):
    for encoding, text in (("LATIN1", r"E'\344\200'"), ("SQL_ASCII", r"E'\377\001'"), ("EUC_JP", r"E'\244\242'")):
        server.sql("DROP DATABASE IF EXISTS coded WITH (FORCE);")
        server.sql("DROP DATABASE IF EXISTS coded_back WITH (FORCE);")
        server.sql(f"CREATE DATABASE coded TEMPLATE template0 ENCODING '{encoding}' LOCALE 'C';")
        server.sql(f"SET client_encoding = '{encoding}'; CREATE TABLE t AS SELECT {text}::text AS a;", "coded")
        Run("copy", server.url("coded"), server.url("coded_back"))
        check = f"SET client_encoding = '{encoding}'; SELECT encode(a::bytea, 'hex') FROM t"
        assert server.sql(check, "coded_back") == server.sql(check, "coded")


def test_an_empty_database_comes_back(server):
    server.create("void")
    Run("copy", server.url("void"), server.url("void_back"))
    assert server.dump("void_back") == server.dump("void")


def test_roles_and_tablespaces_are_written_on_request(zoo, tmp_path):
    zoo.sql("""DROP ROLE IF EXISTS "kedge Role"; DROP ROLE IF EXISTS kedge_group;
               CREATE ROLE kedge_group; CREATE ROLE "kedge Role" LOGIN PASSWORD 'x' CONNECTION LIMIT 3 IN ROLE kedge_group;
               ALTER ROLE "kedge Role" SET search_path = "a'b", public; ALTER ROLE "kedge Role" SET work_mem = '5MB';
               ALTER ROLE zoo_reader SET work_mem = '6MB';""")
    Run("dump", zoo.url("zoo"), tmp_path / "zoo.sql", "--roles")
    zoo.sql("ALTER ROLE zoo_reader SET work_mem = '7MB';")
    zoo.sql('DROP ROLE "kedge Role"; DROP ROLE kedge_group;')
    zoo.create("zoo_roles")
    zoo.play(tmp_path / "zoo.sql", "zoo_roles")
    assert zoo.sql("""SELECT rolconnlimit, rolcanlogin, rolpassword LIKE 'SCRAM%', pg_has_role(oid, 'kedge_group', 'MEMBER')
                      FROM pg_authid WHERE rolname = 'kedge Role'""") == "3|t|t|t"
    assert zoo.sql("SELECT rolconfig FROM pg_roles WHERE rolname = 'kedge Role'") == """{"search_path=\\"a'b\\", public",work_mem=5MB}"""
    # What a role has already stays.
    assert zoo.sql("SELECT rolconfig FROM pg_roles WHERE rolname = 'zoo_reader'") == "{work_mem=7MB}"
    zoo.sql("ALTER ROLE zoo_reader RESET ALL;")
    zoo.sql('DROP ROLE "kedge Role"; DROP ROLE kedge_group;')


def test_rows_of_an_extensions_configuration_keep_to_its_condition(server, tmp_path):
    server.create("ext")
    server.sql("""CREATE EXTENSION hstore; CREATE TABLE config AS SELECT i AS a FROM generate_series(1, 10) i;
                  CREATE TABLE internal AS SELECT 1 AS a;
                  ALTER EXTENSION hstore ADD TABLE config; ALTER EXTENSION hstore ADD TABLE internal;
                  SET allow_system_table_mods = on;
                  UPDATE pg_extension SET extconfig = ARRAY['config'::regclass::oid],
                    extcondition = ARRAY['WHERE a > 7'] WHERE extname = 'hstore';""", "ext")
    Run("dump", server.url("ext"), tmp_path / "ext.sql")
    text = (tmp_path / "ext.sql").read_text()
    assert 'COPY "public"."config" ("a") FROM stdin;\n8\n9\n10\n\\.\n' in text
    assert "internal" not in text


# ---- a deadlock while the side database is filled ----

# Its index holds a lock on `slow` for two seconds before it asks for one on `asked`.
MEETING = """
    CREATE TABLE asked (id integer);
    CREATE TABLE slow (id integer);
    INSERT INTO asked VALUES (1);
    INSERT INTO slow SELECT generate_series(1, 10);
    CREATE FUNCTION look_aside(id integer) RETURNS integer IMMUTABLE LANGUAGE plpgsql AS $$
        BEGIN IF id = 5 THEN PERFORM pg_sleep(2); PERFORM count(*) FROM public.asked; END IF; RETURN id; END $$;
    CREATE INDEX meeting ON slow (look_aside(id));
"""


def hold_and_wait(server, times):
    """Whenever that index is being made in a side database: hold `asked` and wait for `slow`, so that the other session
    finds the deadlock; afterwards let both go. The times it came to that are noted."""
    for _ in range(600):
        side = server.sql("SELECT datname FROM pg_stat_activity WHERE query LIKE 'CREATE INDEX meeting%' AND datname LIKE 'meeting_to\\_\\_%' LIMIT 1")
        if side:
            server.sql("""SET deadlock_timeout = '1h'; BEGIN; LOCK TABLE asked; LOCK TABLE slow; COMMIT;""", side)
            times.append(time.monotonic())
            return
        time.sleep(0.05)


def test_an_index_that_comes_into_a_deadlock_is_made_again(server):
    server.create("meeting")
    server.sql(MEETING, "meeting")
    logged = len((server.folder / "postgres.log").read_text(errors="replace"))
    times = []
    other = threading.Thread(target=hold_and_wait, args=(server, times))
    other.start()
    Run("copy", server.url("meeting"), server.url("meeting_to"), "--jobs", 2)
    other.join()
    said = (server.folder / "postgres.log").read_text(errors="replace")[logged:]
    assert times and said.count("deadlock detected") == 1
    assert server.sql("SELECT indexrelid::regclass, indisvalid FROM pg_index WHERE indrelid = 'slow'::regclass", "meeting_to") == "meeting|t"


# The first time that the fifth value is looked at in a restored database, it waits until somebody waits for `slow`, and
# then asks for `asked`. A sequence goes on whatever the server takes back.
CROSSING = """
    CREATE TABLE asked (id integer);
    CREATE SEQUENCE times;
    CREATE FUNCTION look_aside(id integer) RETURNS boolean LANGUAGE plpgsql AS $$
        BEGIN
            IF id <> 5 OR current_setting('application_name') <> 'kedge' THEN RETURN true; END IF;
            FOR tries IN 1..CASE WHEN nextval('public.times') = 1 THEN 1200 ELSE 0 END LOOP
                EXIT WHEN EXISTS (SELECT FROM pg_locks WHERE NOT granted AND relation = 'public.slow'::regclass);
                PERFORM pg_sleep(0.05);
            END LOOP;
            PERFORM count(*) FROM public.asked;
            RETURN true;
        END $$;
    CREATE DOMAIN looked AS integer CHECK (public.look_aside(VALUE));
    CREATE TABLE slow (id looked);
    INSERT INTO slow SELECT generate_series(1, 10);
"""


def cross(server, database, table):
    """As soon as rows go into `table`: hold `asked` and wait for `slow`, so that the other session finds the deadlock."""
    server.wait(f"""SELECT 1 FROM pg_stat_activity WHERE datname LIKE '{database}' AND state = 'active'
                    AND query LIKE 'COPY {table} %'""", seconds=60)
    side = server.sql(f"SELECT datname FROM pg_stat_activity WHERE datname LIKE '{database}' AND query LIKE 'COPY {table} %'")
    server.sql("SET deadlock_timeout = '1h'; BEGIN; LOCK TABLE asked; LOCK TABLE slow; COMMIT;", side)


def cross_meanwhile(server, database, table, work):
    """How often the server found a deadlock while `work` was done."""
    logged = len((server.folder / "postgres.log").read_text(errors="replace"))
    failures = []

    def other():
        try:
            cross(server, database, table)
        except AssertionError as failure:
            failures.append(failure)

    thread = threading.Thread(target=other)
    thread.start()
    try:
        work()
    finally:
        thread.join()
    assert not failures
    return (server.folder / "postgres.log").read_text(errors="replace")[logged:].count("deadlock detected")


def test_rows_that_come_into_a_deadlock_are_sent_again(server):
    server.create("crossing")
    server.sql(CROSSING, "crossing")
    times = cross_meanwhile(server, "crossing_to\\_\\_%", '"public"."slow"',
                            lambda: Run("copy", server.url("crossing"), server.url("crossing_to"), "--thorough"))
    assert times == 1
    assert server.sql("SELECT count(*), sum(id) FROM slow", "crossing_to") == "10|55"


def test_a_table_that_comes_into_a_deadlock_while_it_is_filled_is_filled_anew(server):
    server.create("crossing", "crossing_to")
    server.sql(CROSSING, "crossing")
    server.sql(CROSSING + "DELETE FROM slow", "crossing_to")
    times = cross_meanwhile(server, "crossing\\_to", '"kedge_%',
                            lambda: Run("copy", server.url("crossing"), server.url("crossing_to"), "--table", "slow"))
    assert times == 1
    assert server.sql("SELECT count(*), sum(id) FROM slow", "crossing_to") == "10|55"
    assert server.sql("SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'kedge\\_%'", "crossing_to") == "0"


# ---- consistency ----

def test_a_dump_is_of_one_moment(server, tmp_path):
    server.create("bank")
    server.sql("""CREATE TABLE a AS SELECT i, 100 AS money FROM generate_series(1, 20000) i;
                  CREATE TABLE b AS SELECT i, 100 AS money, repeat('x', 500) AS filler FROM generate_series(1, 20000) i;""", "bank")
    stop = threading.Event()

    def transfer():
        while not stop.is_set():
            server.sql("BEGIN; UPDATE a SET money = money - 1 WHERE i < 500; "
                       "UPDATE b SET money = money + 1 WHERE i < 500; COMMIT;", "bank")

    worker = threading.Thread(target=transfer)
    worker.start()
    try:
        for _ in range(3):
            Run("copy", server.url("bank"), server.url("bank_back"))
            assert server.sql("SELECT (SELECT sum(money) FROM a) + (SELECT sum(money) FROM b)", "bank_back") == "4000000"
    finally:
        stop.set()
        worker.join()


def test_tables_made_and_truncated_meanwhile_do_not_break_it(shop, tmp_path):
    stop = threading.Event()

    def churn():
        while not stop.is_set():
            shop.sql("CREATE TABLE churn AS SELECT 1 AS a; DROP TABLE churn; CREATE TEMP TABLE t (a integer);", "shop")
            time.sleep(0.5)

    worker = threading.Thread(target=churn)
    worker.start()
    try:
        results = [Run("dump", shop.url("shop"), tmp_path / "x.sql", check=False) for _ in range(5)]
    finally:
        stop.set()
        worker.join()
    for run in results:
        assert run.status == 0 or "schema changed during the dump" in run.error


def test_a_refresh_of_a_view_is_no_change_of_the_schema(shop, tmp_path):
    shop.sql("CREATE MATERIALIZED VIEW v AS SELECT count(*) FROM orders;", "shop")
    stop = threading.Event()

    def refresh():
        while not stop.is_set():
            shop.sql("REFRESH MATERIALIZED VIEW v; ANALYZE; VACUUM;", "shop")

    worker = threading.Thread(target=refresh)
    worker.start()
    try:
        for _ in range(3):
            Run("dump", shop.url("shop"), tmp_path / "x.sql")
    finally:
        stop.set()
        worker.join()


# ---- swap, undo ----

def test_a_restore_replaces_the_database_and_undo_brings_the_old_one_back(shop):
    shop.create("live")
    shop.sql("CREATE TABLE precious AS SELECT 42 AS a;", "live")
    run = Run("copy", shop.url("shop"), shop.url("live"), "--keep")
    kept = run.values["KEPT"]
    assert run.values["EXISTS"] == "1" and run.values["OBJECTS"] == "1"
    assert shop.sql("SELECT count(*) FROM orders", "live") == "2000"

    shop.sql("DELETE FROM orders WHERE id <= 5", "live")
    time.sleep(0.1)
    assert Run("recover", shop.url("live"), kept).values["STATE"] == "after"
    assert "5 deleted" in Run("undo", shop.url("live"), kept).values["CHANGED"]
    assert shop.sql("SELECT a FROM precious", "live") == "42"
    assert Run("recover", shop.url("live"), kept).values["STATE"] == "before"


def test_undo_can_be_undone_and_the_old_copy_discarded(shop):
    shop.create("live")
    shop.sql("CREATE TABLE precious AS SELECT 42 AS a;", "live")
    kept = Run("copy", shop.url("shop"), shop.url("live"), "--keep").values["KEPT"]
    Run("undo", shop.url("live"), kept)
    Run("undo", shop.url("live"), kept)
    assert shop.sql("SELECT count(*) FROM orders", "live") == "2000"
    Run("discard", shop.url("live"), kept)
    Run("discard", shop.url("live"), kept)
    assert not any("__kedge_" in name for name in shop.databases())
    gone = Run("undo", shop.url("live"), kept, check=False)
    assert gone.status == 4 and "is not there any more" in gone.error


def test_the_databases_own_properties_are_carried_over(zoo):
    zoo.create("owned")
    zoo.sql("""ALTER DATABASE owned OWNER TO zoo_owner; ALTER DATABASE owned CONNECTION LIMIT 9;
               COMMENT ON DATABASE owned IS 'mine'; ALTER DATABASE owned SET work_mem = '9MB';
               REVOKE CONNECT ON DATABASE owned FROM PUBLIC; GRANT CONNECT ON DATABASE owned TO zoo_reader;""")
    question = """SELECT pg_get_userbyid(datdba), datconnlimit, shobj_description(oid, 'pg_database'),
                  (SELECT string_agg(a::text, ' ' ORDER BY a::text) FROM unnest(datacl) a),
                  (SELECT setconfig FROM pg_db_role_setting WHERE setdatabase = d.oid AND setrole = 0)
                  FROM pg_database d WHERE datname = 'owned'"""
    before = zoo.sql(question)
    Run("copy", zoo.url("zoo"), zoo.url("owned"))
    assert zoo.sql(question) == before


def test_sessions_are_told_to_leave(shop):
    shop.create("busy")
    guest = subprocess.Popen([BIN / "psql", *shop.arguments("busy"), "-c", "SELECT pg_sleep(60)"],
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    shop.wait("SELECT 1 FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(60)'")
    run = Run("copy", shop.url("shop"), shop.url("busy"))
    assert any("1 other session in it will be ended" in line for line in run.lines)
    assert guest.wait(10) != 0
    assert shop.sql("SELECT count(*) FROM orders", "busy") == "2000"


def test_a_long_name_fits(shop):
    name = "x" * 63
    shop.create(name)
    kept = Run("copy", shop.url("shop"), shop.url(name), "--keep").values["KEPT"]
    Run("undo", shop.url(name), kept)
    Run("discard", shop.url(name), kept)


def test_owners_can_be_left_out(zoo, tmp_path):
    Run("dump", zoo.url("zoo"), tmp_path / "zoo.sql")
    Run("load", tmp_path / "zoo.sql", zoo.url("zoo_mine"), "--no-owner")
    assert zoo.sql("SELECT count(*) FROM pg_class WHERE relowner <> 10 AND oid >= 16384", "zoo_mine") == "0"


def test_another_role_may_own_it(zoo):
    zoo.sql("DROP ROLE IF EXISTS new_owner; CREATE ROLE new_owner;")
    zoo.create("plain")
    zoo.sql("CREATE TABLE t (a integer); ALTER TABLE t OWNER TO zoo_owner; GRANT SELECT ON t TO zoo_reader;", "plain")
    Run("copy", zoo.url("plain"), zoo.url("plain_other"), "--no-owner", "--role", "new_owner")
    assert zoo.sql("SELECT relowner::regrole, relacl IS NULL FROM pg_class WHERE relname = 't'", "plain_other") == "new_owner|t"
    zoo.sql("DROP DATABASE plain_other; DROP ROLE new_owner;")


# ---- refusals and failures leave everything as it was ----

def test_missing_roles_are_named_before_anything_is_touched(zoo):
    zoo.sql("DROP ROLE IF EXISTS gone_role; CREATE ROLE gone_role;")
    zoo.create("needs_role")
    zoo.sql("CREATE TABLE t (a integer); ALTER TABLE t OWNER TO gone_role;", "needs_role")
    before = zoo.databases()
    source = Server(Path(f"{zoo.folder}-2"), free_port())
    try:
        run = Run("copy", zoo.url("needs_role"), source.url("postgres"), check=False)
        assert run.status == 22 and "gone_role" in run.error and "--no-owner" in run.error
        assert source.databases() == {"postgres"}
        Run("copy", zoo.url("needs_role"), source.url("fresh"), "--no-owner")
        assert source.sql("SELECT count(*) FROM t", "fresh") == "0"
    finally:
        source.stop()
        shutil.rmtree(source.folder)
    assert zoo.databases() == before


@pytest.mark.parametrize("statement, refused", [
    ("COPY t FROM PROGRAM 'touch /tmp/kedge-hacked';", "COPY t FROM PROGRAM"),
    ("COPY t FROM '/etc/passwd';", "COPY t FROM"),
    ("copy (select 1) to '/tmp/kedge-hacked';", "copy (select 1)"),
    ("SELECT pg_catalog.lo_import('/etc/passwd');", "lo_import"),
    ("ALTER SYSTEM SET archive_command = 'x';", "ALTER SYSTEM"),
    ("DROP DATABASE postgres;", "DROP DATABASE"),
    ("\\! touch /tmp/kedge-hacked\n", "command of psql"),
    ("\\copy t from program 'touch /tmp/kedge-hacked'\n", "\\copy"),
])
def test_hostile_statements_are_refused(server, tmp_path, statement, refused):
    server.create("victim")
    server.sql("CREATE TABLE precious AS SELECT 1 AS a;", "victim")
    (tmp_path / "bad.sql").write_text(f"CREATE TABLE t (a text);\n{statement}\n")
    run = Run("load", tmp_path / "bad.sql", server.url("victim"), check=False)
    assert run.status != 0 and refused in run.error
    assert not Path("/tmp/kedge-hacked").exists()
    assert server.sql("SELECT count(*) FROM precious", "victim") == "1"
    assert not any("__kedge_" in name for name in server.databases())


def test_an_error_of_the_server_ends_the_restore_with_its_place(server, tmp_path):
    server.create("victim")
    (tmp_path / "bad.sql").write_text("CREATE TABLE t (a integer);\n\nINSERT INTO\n  nowhere VALUES (1);\nSELECT 1;\n")
    run = Run("load", tmp_path / "bad.sql", server.url("victim"), check=False)
    assert run.status == 22 and "backup:4:3" in run.error and '"nowhere" does not exist' in run.error
    assert not any("__kedge_" in name for name in server.databases())


def test_a_bad_row_names_table_and_line(server, tmp_path):
    (tmp_path / "bad.sql").write_text("CREATE TABLE t (a integer);\nCOPY t (a) FROM stdin;\n1\nx\n\\.\n")
    run = Run("load", tmp_path / "bad.sql", server.url("victim"), check=False)
    assert run.status == 22 and "COPY t, line 2" in run.error


def test_slots_and_prepared_transactions_refuse_unless_forced(shop):
    shop.create("slotted")
    shop.sql("SELECT pg_create_logical_replication_slot('kedge_slot', 'test_decoding');", "slotted")
    run = Run("copy", shop.url("shop"), shop.url("slotted"), check=False)
    assert run.status == 22 and "kedge_slot" in run.error and "--force" in run.error
    forced = Run("copy", shop.url("shop"), shop.url("slotted"), "--force", "--keep")
    assert shop.sql("SELECT count(*) FROM orders", "slotted") == "2000"
    shop.sql("SELECT pg_drop_replication_slot('kedge_slot');")
    Run("discard", shop.url("slotted"), forced.values["KEPT"])


def test_no_connection_is_told(server, tmp_path):
    run = Run("dump", "postgres://postgres@127.0.0.1:1/x", tmp_path / "x", check=False)
    assert run.status == 20 and "127.0.0.1" in run.error and "refused" in run.error
    run = Run("dump", server.url("not_there"), tmp_path / "x", check=False)
    assert run.status == 20 and '"not_there" does not exist' in run.error


def test_a_table_that_may_not_be_read_is_named(zoo, tmp_path):
    run = Run("dump", zoo.url("zoo", "zoo_reader"), tmp_path / "x", check=False)
    assert run.status == 20 and "permission denied" in run.error and "hint:" in run.error
    zoo.create("walled")
    zoo.sql("CREATE TABLE secret (a integer);", "walled")
    run = Run("dump", zoo.url("walled", "zoo_reader"), tmp_path / "x", check=False)
    assert run.status == 20 and "secret" in run.error


def test_rows_hidden_by_a_policy_are_an_error_not_a_gap(zoo, tmp_path):
    zoo.create("hidden")
    zoo.sql("""CREATE TABLE t AS SELECT generate_series(1, 9) AS a; GRANT SELECT ON t TO zoo_reader;
               ALTER TABLE t ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON t USING (a < 3);""", "hidden")
    run = Run("dump", zoo.url("hidden", "zoo_reader"), tmp_path / "x", check=False)
    assert run.status == 20 and "row-level security" in run.error


def test_a_lock_that_does_not_come_names_table_and_holder(shop, tmp_path):
    holder = subprocess.Popen([BIN / "psql", *shop.arguments("shop"), "-c",
                               "BEGIN; LOCK TABLE orders; SELECT pg_sleep(30)"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        shop.wait("SELECT 1 FROM pg_locks WHERE relation = 'orders'::regclass AND mode = 'AccessExclusiveLock' AND granted", "shop")
        run = Run("dump", shop.url("shop"), tmp_path / "x", "--wait", 500, check=False)
        assert run.status == 20 and "orders" in run.error and "lock" in run.error
    finally:
        shop.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(30)%' AND pid <> pg_backend_pid()")
        holder.wait()


def large(server):
    server.create("large")
    server.sql("CREATE TABLE t AS SELECT i, repeat(md5(i::text), 40) AS text FROM generate_series(1, 200000) i;", "large")


def test_a_connection_that_is_cut_ends_the_dump(server, tmp_path):
    large(server)
    dump = subprocess.Popen([TOOL, "dump", server.url("large"), tmp_path / "x"], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    for _ in range(200):
        if server.sql("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE query LIKE 'COPY%' AND datname = 'large'") != "0":
            break
        time.sleep(0.01)
    assert dump.wait(30) == 20
    assert re.search("table public.t: .*(terminating connection|closed the connection)", dump.stderr.read())
    assert not (tmp_path / "x").exists()


def test_a_server_that_stops_ends_the_dump(server, tmp_path):
    large(server)
    dump = subprocess.Popen([TOOL, "dump", server.url("large"), tmp_path / "x"], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    for _ in range(200):
        if server.sql("SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'COPY%' AND datname = 'large'") != "0":
            break
        time.sleep(0.01)
    server.stop()
    try:
        assert dump.wait(30) == 20
        assert re.search("terminating connection|closed the connection", dump.stderr.read())
    finally:
        server.start()


def test_a_stop_ends_dump_and_restore_and_leaves_nothing(server, tmp_path):
    large(server)
    server.create("target")
    for words in (["dump", server.url("large"), tmp_path / "x"], ["copy", server.url("large"), server.url("target")]):
        run = subprocess.Popen([TOOL, *map(str, words)], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
        wanted = "COPY%TO STDOUT%" if words[0] == "dump" else "COPY%FROM stdin"
        for _ in range(400):
            if server.sql(f"SELECT count(*) FROM pg_stat_activity WHERE query LIKE '{wanted}' AND datname LIKE '%target%' OR query LIKE '{wanted}' AND datname = 'large'") != "0":
                break
            time.sleep(0.01)
        run.send_signal(signal.SIGINT)
        assert run.wait(30) == 130
        assert not any("__kedge_" in name for name in server.databases())
        server.wait("SELECT 1 WHERE NOT EXISTS (SELECT FROM pg_stat_activity WHERE application_name = 'kedge')")
    server.sql("DROP DATABASE large;")


# ---- single tables ----

@pytest.fixture
def store(server):
    server.sql("DO $$ BEGIN CREATE ROLE zoo_reader; EXCEPTION WHEN duplicate_object THEN END $$;")
    server.create("store")
    server.sql("""
        CREATE TABLE customers (id serial PRIMARY KEY, name text);
        CREATE TABLE orders (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
          customer integer CONSTRAINT buyer REFERENCES customers ON DELETE CASCADE, note text,
          twice integer GENERATED ALWAYS AS (2) STORED);
        COMMENT ON CONSTRAINT buyer ON orders IS 'who';
        INSERT INTO customers (name) SELECT 'c' || i FROM generate_series(1, 100) i;
        INSERT INTO orders (customer, note) SELECT i % 100 + 1, 'x' FROM generate_series(1, 2000) i;
        CREATE INDEX note_index ON orders (note);
        CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''fired''; END';
        CREATE TRIGGER no BEFORE INSERT OR DELETE ON customers FOR EACH ROW EXECUTE FUNCTION no();
        CREATE TRIGGER off BEFORE INSERT ON customers FOR EACH ROW EXECUTE FUNCTION no();
        ALTER TABLE customers DISABLE TRIGGER off;
        COMMENT ON TABLE orders IS 'o'; GRANT SELECT ON orders TO zoo_reader;
    """, "store")
    return server


def rows(server, database):
    return server.sql("SELECT (SELECT md5(string_agg(c::text, '' ORDER BY id)) FROM customers c), "
                      "(SELECT md5(string_agg(o::text, '' ORDER BY id)) FROM orders o)", database)


def frozen(server):
    """A copy of the store as it is now, to restore from later."""
    Run("copy", server.url("store"), server.url("frozen"))


def test_undo_of_a_table_tells_that_a_later_restore_is_to_be_undone_first(store):
    frozen(store)
    store.sql("SET session_replication_role = replica; UPDATE customers SET name = 'spoiled' WHERE id < 50", "store")
    spoiled = rows(store, "store")
    table = Run("copy", store.url("frozen"), store.url("store"), "--table", "customers", "--keep").values["KEPT"]
    whole = Run("copy", store.url("frozen"), store.url("store"), "--keep").values["KEPT"]
    run = Run("undo", store.url("store"), table, check=False)
    assert run.status == 22 and "what was replaced is not in this database" in run.error and "undo that one first" in run.error
    Run("undo", store.url("store"), whole)
    Run("undo", store.url("store"), table)
    assert rows(store, "store") == spoiled
    Run("discard", store.url("store"), whole)


def test_a_table_is_restored_where_it_is_and_undone_and_redone(store):
    frozen(store)
    definition, before = store.dump("store"), rows(store, "store")
    store.sql("SET session_replication_role = replica; UPDATE customers SET name = 'spoiled' WHERE id < 50; "
              "INSERT INTO customers VALUES (900, 'more')", "store")
    spoiled = rows(store, "store")
    kept = Run("copy", store.url("frozen"), store.url("store"), "--table", "customers", "--keep").values["KEPT"]
    assert rows(store, "store") == before
    assert Run("recover", store.url("store"), kept).values["STATE"] == "after"
    assert store.dump("store").replace(" ", "").count("kedge_") > 0
    Run("copy", store.url("store"), store.url("looked_at"))
    assert "kedge_" not in store.dump("looked_at")
    Run("undo", store.url("store"), kept)
    assert rows(store, "store") == spoiled
    assert Run("recover", store.url("store"), kept).values["STATE"] == "before"
    Run("undo", store.url("store"), kept)
    assert rows(store, "store") == before
    Run("discard", store.url("store"), kept)
    assert sorted(store.dump("store").split("\n")) == sorted(definition.split("\n"))


def test_tables_that_are_not_there_are_made(store):
    frozen(store)
    store.create("elsewhere")
    store.sql("CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';", "elsewhere")
    kept = Run("copy", store.url("frozen"), store.url("elsewhere"), "--table", "customers", "--table", "public.orders",
               "--keep").values["KEPT"]
    assert rows(store, "elsewhere") == rows(store, "frozen")
    assert store.sql("INSERT INTO orders (customer) VALUES (3) RETURNING id", "elsewhere") == "2001"
    assert store.sql("SELECT count(*) FROM pg_indexes WHERE indexname = 'note_index'", "elsewhere") == "1"
    Run("undo", store.url("elsewhere"), kept)
    assert store.sql("SELECT to_regclass('orders') IS NULL", "elsewhere") == "t"
    Run("undo", store.url("elsewhere"), kept)
    assert store.sql("SELECT count(*) FROM orders", "elsewhere") == "2001"
    Run("discard", store.url("elsewhere"), kept)


def test_rows_that_would_dangle_refuse_or_are_deleted_on_request(store):
    frozen(store)
    store.sql("SET session_replication_role = replica; INSERT INTO customers (id, name) VALUES (500, 'new'); "
              "INSERT INTO orders (customer) VALUES (500);", "store")
    before = rows(store, "store")
    run = Run("copy", store.url("frozen"), store.url("store"), "--table", "customers", check=False)
    assert run.status == 22 and "--cascade" in run.error and rows(store, "store") == before
    Run("copy", store.url("frozen"), store.url("store"), "--table", "customers", "--cascade")
    assert store.sql("SELECT count(*) FROM orders", "store") == "2000"
    assert "kedge_" not in store.dump("store")


def test_a_table_that_is_not_in_the_backup_is_named(store):
    frozen(store)
    store.sql("CREATE TABLE custommers (id int)", "frozen")
    run = Run("copy", store.url("frozen"), store.url("store"), "--table", "custommers", "--exclude-table", "custommers",
              check=False)
    assert run.status == 4 and "custommers" in run.error


def test_a_backup_of_chosen_tables_never_replaces_the_database(store, tmp_path):
    frozen(store)
    store.sql("CREATE SCHEMA x; CREATE TABLE x.t AS SELECT 1 AS a;", "frozen")
    store.sql("CREATE SCHEMA x; CREATE TABLE x.t AS SELECT 2 AS a;", "store")
    before = rows(store, "store")
    Run("copy", store.url("frozen"), store.url("store"), "--schema", "x")
    assert rows(store, "store") == before
    assert store.sql("SELECT a FROM x.t", "store") == "1"


@pytest.mark.parametrize("chosen, named", [(["--table", "custommers"], "custommers"), (["--schema", "shoop"], "shoop"),
                                           (["--table", "customers", "--table", "orderz*"], "orderz*")])
def test_a_choice_that_means_no_table_is_refused(store, tmp_path, chosen, named):
    """Not an empty backup that looks like one."""
    run = Run("dump", store.url("store"), tmp_path / "dump.sql", *chosen, check=False)
    assert run.status == 20 and named in run.error


def test_the_rows_of_a_partitioned_table_are_chosen_by_its_partitions(store, tmp_path):
    store.sql("CREATE TABLE p (a int) PARTITION BY RANGE (a); CREATE TABLE p_1 PARTITION OF p FOR VALUES FROM (0) TO (9);"
              "INSERT INTO p VALUES (4711 % 9);", "store")
    run = Run("dump", store.url("store"), tmp_path / "dump.sql", "--table", "p", check=False)
    assert run.status == 20 and "partition" in run.error
    Run("dump", store.url("store"), tmp_path / "dump.sql", "--table", "p*")


def test_excluded_tables_come_back_empty(store):
    Run("copy", store.url("store"), store.url("without"), "--exclude-table", "orders")
    assert store.sql("SELECT (SELECT count(*) FROM orders), (SELECT count(*) FROM customers)", "without") == "0|100"


def test_a_failed_restore_of_a_table_changes_nothing(store, tmp_path):
    frozen(store)
    store.sql("ALTER TABLE customers ADD CHECK (id < 90) NOT VALID;", "store")
    before = rows(store, "store")
    run = Run("copy", store.url("frozen"), store.url("store"), "--table", "customers", "--keep", check=False)
    assert run.status == 22 and "customers" in run.error
    assert rows(store, "store") == before and "kedge_" not in store.dump("store")


def test_rows_that_refer_to_excluded_tables_can_be_restored(store):
    Run("copy", store.url("store"), store.url("without"), "--exclude-table", "customers")
    assert store.sql("SELECT (SELECT count(*) FROM orders), (SELECT count(*) FROM customers)", "without") == "2000|0"
    assert store.sql("SELECT convalidated FROM pg_constraint WHERE conname = 'buyer'", "without") == "f"


def test_names_in_other_encodings_come_back(server):
    for name in ("coded", "coded_back"):
        server.sql(f"DROP DATABASE IF EXISTS {name} WITH (FORCE);")
    server.sql("CREATE DATABASE coded TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C';")
    server.sql('SET client_encoding = "UTF8"; CREATE TABLE "t\u00e4" AS SELECT 1 AS "\u00fc", \'\u00df\'::text AS b;', "coded")
    Run("copy", server.url("coded"), server.url("coded_back"))
    assert server.sql('SET client_encoding = "UTF8"; SELECT * FROM "t\u00e4"', "coded_back") == "1|\u00df"


def test_tablespaces_that_are_there_are_not_made_again(server):
    place = server.folder / "space"
    place.mkdir()
    shutil.chown(place, server.folder.owner())
    server.sql(f"CREATE TABLESPACE \"A space\" LOCATION '{place}';")
    server.create("spaced")
    server.sql('CREATE TABLE t (a integer PRIMARY KEY USING INDEX TABLESPACE "A space") TABLESPACE "A space";', "spaced")
    Run("copy", server.url("spaced"), server.url("spaced_back"), "--roles")
    assert server.dump("spaced_back") == server.dump("spaced")
