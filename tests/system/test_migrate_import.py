"""kedge migrate import: the tables of other tools, as those tools make them, taken over on the three engines."""
import hashlib
import os
import sqlite3
import zlib

import pytest

ENGINES = ["sqlite", "postgres", "mariadb"]


class Database:
    """One database: `run` executes statements, `ask` answers one value as text."""

    def __init__(self, engine, kedge, server):
        self.engine, self.server = engine, server
        if engine == "sqlite":
            self.path = kedge.path("app.db")
            kedge.environment["DATABASE_URL"] = "sqlite:" + self.path
        else:
            kedge.environment["DATABASE_URL"] = server.fresh()

    def run(self, text):
        if self.engine == "sqlite":
            db = sqlite3.connect(self.path)
            db.executescript(text)
            db.close()
        else:
            self.server.sql(text, "shop")

    def ask(self, text):
        if self.engine == "sqlite":
            db = sqlite3.connect(self.path)
            rows = db.execute(text).fetchall()
            db.close()
            return str(rows[0][0]) if rows else ""
        return self.server.sql(text, "shop").strip()

    def type(self, sqlite, postgres, mariadb):
        return {"sqlite": sqlite, "postgres": postgres, "mariadb": mariadb}[self.engine]


@pytest.fixture(params=ENGINES)
def database(request, kedge):
    server = None if request.param == "sqlite" else request.getfixturevalue(request.param)
    return Database(request.param, kedge, server)


def put(kedge, **files):
    for name, text in files.items():
        path = kedge.path("migrations", name.replace("__sql", ".sql"))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)


def put_numbered(kedge, versions, form="-- +goose Up\nCREATE TABLE t{0} (x INT);\n-- +goose Down\nDROP TABLE t{0};\n",
                 name="{0:05d}_make_t{0}.sql"):
    put(kedge, **{name.format(version): form.format(version) for version in versions})


def taken(kedge, *arguments):
    report = kedge.json("migrate", "import", *arguments)
    return report, {item["version"]: item for item in report["migrations"]}


def statuses(kedge):
    return {row["version"]: row["status"] for row in kedge.lines("migrate", "status")}


def make_goose(database, rows):
    database.run(f"CREATE TABLE goose_db_version (id {database.type('INTEGER PRIMARY KEY AUTOINCREMENT', 'serial PRIMARY KEY', 'SERIAL PRIMARY KEY')}, "
                 f"version_id {database.type('INTEGER', 'bigint', 'BIGINT')} NOT NULL, "
                 f"is_applied {database.type('INTEGER', 'boolean', 'BOOLEAN')} NOT NULL, "
                 f"tstamp {database.type('TIMESTAMP DEFAULT (datetime())', 'timestamp NULL default now()', 'TIMESTAMP NULL default now()')});")
    for version, applied in rows:
        database.run(f"INSERT INTO goose_db_version (version_id, is_applied) VALUES ({version}, "
                     f"{database.type(int(applied), applied, int(applied))});")


def test_goose_rows_are_taken_over_once(kedge, database):
    put_numbered(kedge, [1, 2, 3, 4])
    # 2 was undone by an old goose, which adds a row for it; 3 was undone and applied again; 9 was a Go program.
    make_goose(database, [(0, True), (1, True), (2, True), (3, True), (2, False), (3, False), (3, True), (9, True)])
    database.run("CREATE TABLE t1 (x INT); CREATE TABLE t3 (x INT)")
    report, dry = taken(kedge, "--dry-run")
    assert report["from"] == "goose" and report["imported"] == 0 and "no migration" in kedge("migrate", "version").stdout
    report, items = taken(kedge)
    assert items == dry
    assert {version: item["status"] for version, item in items.items()} == {
        "00001": "applied", "00002": "rollback", "00003": "applied", "9": "applied"}
    assert items["9"]["missing"] and not items["00001"]["missing"]
    assert items["00001"]["applied_at"][:3] == "202" and report["kept_as"] is None
    again, items = taken(kedge)
    assert again["imported"] == 0 and all(item["known"] for item in items.values())
    assert "nothing to do" in kedge("migrate", "import").stdout
    assert kedge("migrate", "up").stdout.count("applied") == 2
    assert database.ask("SELECT count(*) FROM t2") == "0" and database.ask("SELECT count(*) FROM t4") == "0"
    assert database.ask("SELECT count(*) FROM goose_db_version") == "8"
    rows = {row["version"]: row for row in kedge.lines("migrate", "status")}
    assert rows["9"]["missing"] and rows["00001"]["checksum"] and rows["00001"]["applied_at"]
    assert rows["00001"]["batch"] != rows["00003"]["batch"]


@pytest.mark.parametrize("command", [["up"], ["up", "--yes"], ["up", "--dry-run"], ["refresh", "--yes"], ["plan"]])
def test_up_before_the_import_runs_nothing_again(kedge, database, command):
    put_numbered(kedge, [1, 2], "-- +goose Up\nINSERT INTO log VALUES ({0});\n")
    make_goose(database, [(0, True), (1, True)])
    database.run("CREATE TABLE log (x INT); INSERT INTO log VALUES (1)")
    error = kedge("migrate", *command, status=1).stderr
    assert "goose_db_version holds that of goose" in error and "kedge migrate import" in error and "--force" in error
    assert database.ask("SELECT count(*) FROM log") == "1"
    assert statuses(kedge) == {"00001": "pending", "00002": "pending"}
    kedge("migrate", "import")
    assert kedge("migrate", "up").stdout.startswith("applied 00002")
    assert "nothing to do" in kedge("migrate", "up").stdout


def test_everything_runs_beside_another_tool_s_history_where_that_is_wanted(kedge, database):
    put_numbered(kedge, [1, 2])
    make_goose(database, [(0, True), (1, True)])
    assert [step["version"] for step in kedge.lines("migrate", "plan", "--force")] == ["00001", "00002"]
    assert kedge("migrate", "up", "--version", "1", "--force").stdout.startswith("applied 00001")
    assert kedge("migrate", "up").stdout.startswith("applied 00002")


def test_a_history_without_a_migration_stops_nobody(kedge, database):
    put_numbered(kedge, [1])
    make_goose(database, [(0, True)])  # what goose writes before its first migration
    database.run("CREATE TABLE migrations (id INT, title VARCHAR(20)); INSERT INTO migrations VALUES (1, 'of birds')")
    assert kedge("migrate", "up").stdout.startswith("applied 00001")


def test_the_import_takes_the_place_of_what_was_tried_in_vain(kedge, database):
    form = "-- +goose Up\nCREATE TABLE t{0} (x INT);\n"
    put_numbered(kedge, [1, 2, 3, 4], form)
    make_goose(database, [(0, True), (2, True), (3, True)])
    database.run("CREATE TABLE t2 (x INT); CREATE TABLE t3 (x INT)")
    kedge("migrate", "up", "--force", status=1)  # 1 runs, 2 is there already
    kedge("migrate", "force", "4", "--status", "failed")
    assert statuses(kedge) == {"00001": "applied", "00002": "failed", "00003": "pending", "00004": "failed"}
    assert "in place of a row that says it failed" in kedge("migrate", "import", "--dry-run").stdout
    report, items = taken(kedge)
    assert {version: (item["known"], item["replaced"]) for version, item in items.items()} == {
        "00002": (False, True), "00003": (False, False)}
    assert report["imported"] == 2
    rows = {row["version"]: row for row in kedge.lines("migrate", "status")}
    assert [rows[f"0000{i}"]["status"] for i in (1, 2, 3, 4)] == ["applied", "applied", "applied", "failed"]
    assert rows["00002"]["applied_at"] and not rows["00002"]["error_message"]
    assert taken(kedge)[0]["imported"] == 0
    assert kedge("migrate", "up").stdout.startswith("applied 00004")


def test_dbmate_gives_its_table_away(kedge, database):
    form = "-- migrate:up\nCREATE TABLE t{0} (x INT);\n-- migrate:down\nDROP TABLE t{0};\n"
    put_numbered(kedge, [1, 2, 3], form, "2024010100000{0}_make_t{0}.sql")
    database.run("CREATE TABLE schema_migrations (version varchar(128) PRIMARY KEY);"
                 "INSERT INTO schema_migrations (version) VALUES ('20240101000001'), ('20240101000003');"
                 "CREATE TABLE t1 (x INT); CREATE TABLE t3 (x INT);")
    error = kedge("migrate", "up", status=1).stderr
    assert "kedge migrate import" in error
    report, _ = taken(kedge, "--dry-run")
    assert report["kept_as"] == "schema_migrations_dbmate"
    assert database.ask("SELECT count(*) FROM schema_migrations") == "2"
    output = kedge("migrate", "import").stdout
    assert "20240101000003 applied make t3\n" in output and "is kept as schema_migrations_dbmate" in output
    assert "took over 2 migrations of dbmate" in output
    assert database.ask("SELECT count(*) FROM schema_migrations_dbmate") == "2"
    assert statuses(kedge) == {"20240101000001": "applied", "20240101000002": "pending", "20240101000003": "applied"}
    assert "nothing to do" in kedge("migrate", "import").stdout
    assert "older than migrations" in kedge("migrate", "up").stderr
    kedge("migrate", "down")
    assert statuses(kedge)["20240101000003"] == "rollback"


def make_golang_migrate(database, version, dirty):
    database.run("CREATE TABLE schema_migrations (version bigint NOT NULL PRIMARY KEY, dirty boolean NOT NULL);"
                 f"INSERT INTO schema_migrations VALUES ({version}, {database.type(int(dirty), dirty, int(dirty))});")


def put_pairs(kedge, versions):
    put_numbered(kedge, versions, "CREATE TABLE t{0} (x INT)", "{0}_make_t{0}.up.sql")
    put_numbered(kedge, versions, "DROP TABLE t{0}", "{0}_make_t{0}.down.sql")


def test_golang_migrate_keeps_one_row_for_all(kedge, database):
    put_pairs(kedge, [1, 2, 10, 11])
    make_golang_migrate(database, 10, False)
    report, items = taken(kedge)
    assert report["kept_as"] == "schema_migrations_golang_migrate" and report["imported"] == 3
    assert statuses(kedge) == {"1": "applied", "2": "applied", "10": "applied", "11": "pending"}
    assert all(item["applied_at"] is None for item in items.values())
    assert kedge("migrate", "up").stdout.startswith("applied 11 make t11")


def test_golang_migrate_s_dirty_version_has_failed(kedge, database):
    put_pairs(kedge, [1, 2, 3])
    make_golang_migrate(database, 2, True)
    _, items = taken(kedge)
    assert items["2"]["status"] == "failed" and "dirty" in items["2"]["note"]
    rows = {row["version"]: row for row in kedge.lines("migrate", "status")}
    assert [rows[version]["status"] for version in "123"] == ["applied", "failed", "pending"]
    assert "golang-migrate" in rows["2"]["error_message"]


def test_golang_migrate_before_the_first_and_a_missing_file(kedge, database):
    put_pairs(kedge, [1, 3])
    make_golang_migrate(database, 2, False)
    _, items = taken(kedge)
    assert items["2"]["missing"] and items["1"]["status"] == "applied" and "3" not in items
    database.run("DROP TABLE schema_migrations")
    make_golang_migrate(database, -1, True)
    report, items = taken(kedge, "--from", "golang-migrate")
    assert items == {} and report["kept_as"] == "schema_migrations_golang_migrate_2"
    assert set(statuses(kedge).values()) == {"pending"}


def test_sqlx_says_what_failed(kedge, database):
    put_numbered(kedge, [1, 2, 3], "CREATE TABLE t{0} (x INT)", "{0}_make_t{0}.sql")
    database.run("CREATE TABLE _sqlx_migrations (version BIGINT PRIMARY KEY, description TEXT NOT NULL, "
                 f"installed_on {database.type('TIMESTAMP', 'TIMESTAMPTZ', 'TIMESTAMP')} NOT NULL DEFAULT CURRENT_TIMESTAMP, "
                 f"success BOOLEAN NOT NULL, checksum {database.type('BLOB', 'BYTEA', 'BLOB')} NOT NULL, "
                 "execution_time BIGINT NOT NULL);"
                 "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) VALUES "
                 "(1, 'make t1', TRUE, 'x', 12345678), (2, 'make t2', FALSE, 'x', -1);")
    _, items = taken(kedge)
    assert (items["1"]["status"], items["1"]["execution_time_ms"]) == ("applied", 12)
    assert (items["2"]["status"], items["2"]["execution_time_ms"]) == ("failed", None)
    assert kedge("migrate", "up").stdout.count("applied") == 2
    assert database.ask("SELECT count(*) FROM t2") == "0"


def flyway_sum(text):
    value = 0
    for line in text.split("\n"):
        value = zlib.crc32(line.encode(), value)
    return value - (1 << 32) if value >= 1 << 31 else value


def make_flyway(database, rows):
    database.run("CREATE TABLE flyway_schema_history (installed_rank INT NOT NULL PRIMARY KEY, version VARCHAR(50), "
                 "description VARCHAR(200) NOT NULL, type VARCHAR(20) NOT NULL, script VARCHAR(1000) NOT NULL, checksum INT, "
                 "installed_by VARCHAR(100) NOT NULL, installed_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP, "
                 "execution_time INT NOT NULL, success BOOLEAN NOT NULL);")
    for rank, (version, kind, script, checksum, success) in enumerate(rows, 1):
        database.run("INSERT INTO flyway_schema_history (installed_rank, version, description, type, script, checksum, "
                     f"installed_by, execution_time, success) VALUES ({rank}, "
                     f"{repr(version) if version else 'NULL'}, 'd', '{kind}', '{script}', "
                     f"{'NULL' if checksum is None else checksum}, 'ada', 5, {success});")


def test_flyway_rows_of_every_kind(kedge, database):
    texts = {f"V{i}__t{i}.sql": f"CREATE TABLE t{i} (x INT);\n" for i in (1, 2, 3, 4, 5)}
    texts |= {"U4__t4.sql": "DROP TABLE t4;", "R__same.sql": "SELECT 1;", "R__other.sql": "SELECT 2;"}
    put(kedge, **texts)
    make_flyway(database, [
        (None, "SCHEMA", '"shop"', None, True),
        ("2", "BASELINE", "<< Flyway Baseline >>", None, True),
        ("3", "SQL", "V3__t3.sql", flyway_sum(texts["V3__t3.sql"].rstrip("\n")), True),
        ("4", "SQL", "V4__t4.sql", 77, True),
        ("4", "UNDO_SQL", "U4__t4.sql", 1, True),
        ("5", "SQL", "V5__t5.sql", 1, False),
        ("6.1", "JDBC", "db.migration.V6_1__java", None, True),
        ("7", "SQL", "V7__gone.sql", 1, True),
        ("7", "DELETE", "V7__gone.sql", 1, True),
        (None, "SQL", "R__same.sql", flyway_sum(texts["R__same.sql"]), True),
        (None, "SQL", "R__other.sql", 4711, True),
    ])
    _, items = taken(kedge)
    assert {version: item["status"] for version, item in items.items()} == {
        "1": "applied", "2": "applied", "3": "applied", "4": "rollback", "5": "failed", "6.1": "applied",
        "R__same": "applied", "R__other": "applied"}
    assert items["6.1"]["missing"] and "baseline" in items["1"]["note"] and items["3"]["execution_time_ms"] == 5
    assert not items["3"]["changed"] and not items["R__same"]["changed"] and items["R__other"]["changed"]
    applied = [line.split()[1] for line in kedge("migrate", "up").stdout.splitlines()]
    assert applied == ["4", "5", "R__other"]
    assert "nothing to do" in kedge("migrate", "up").stdout


def test_flyway_files_that_changed_are_named(kedge, database):
    put(kedge, **{"V1__a.sql": "CREATE TABLE a (x INT);"})
    make_flyway(database, [("1", "SQL", "V1__a.sql", 12, True)])
    result = kedge("migrate", "import")
    assert "the file has changed since" in result.stdout and "files have changed since flyway" in result.stderr
    assert "nothing to do" in kedge("migrate", "up").stdout


def test_laravel_s_batches_stay(kedge, database):
    put(kedge, **{"20141012000000_create_users.sql": "-- +migrate Up\nCREATE TABLE users (id INT);\n",
                  "2014_10_12_000000_create_users.php": "<?php", "20200101000000_next.sql": "-- +migrate Up\nCREATE TABLE n (x INT);\n"})
    database.run(f"CREATE TABLE migrations (id {database.type('INTEGER PRIMARY KEY', 'serial PRIMARY KEY', 'SERIAL PRIMARY KEY')}, "
                 "migration VARCHAR(255) NOT NULL, batch INT NOT NULL);"
                 "INSERT INTO migrations (migration, batch) VALUES ('2014_10_12_000000_create_users', 1), "
                 "('2014_10_12_100000_create_password_resets', 1), ('2019_08_19_000000_create_failed_jobs', 2);")
    report, items = taken(kedge)
    assert report["from"] == "laravel"
    assert [(version, item["batch"], item["missing"]) for version, item in items.items()] == [
        ("20141012000000", 1, False), ("20141012100000", 1, True), ("20190819000000", 2, True)]
    assert items["20190819000000"]["name"] == "create_failed_jobs"
    kedge("migrate", "up")
    rows = {row["version"]: row["batch"] for row in kedge.lines("migrate", "status")}
    assert rows["20200101000000"] == 3 and rows["20141012000000"] == 1


def test_sql_migrate_knows_files_by_name(kedge, database):
    put_numbered(kedge, [1, 2], "-- +migrate Up\nCREATE TABLE t{0} (x INT);\n-- +migrate Down\nDROP TABLE t{0};\n",
                 "{0}_make_t{0}.sql")
    database.run(f"CREATE TABLE gorp_migrations (id VARCHAR(255) NOT NULL PRIMARY KEY, "
                 f"applied_at {database.type('datetime', 'timestamp with time zone', 'datetime')});"
                 "INSERT INTO gorp_migrations VALUES ('1_make_t1.sql', "
                 f"'2024-01-02 03:04:05{database.type('.678+00:00', '+00', '')}');")
    _, items = taken(kedge)
    assert items["1"]["applied_at"] == "2024-01-02T03:04:05Z"
    assert statuses(kedge) == {"1": "applied", "2": "pending"}


def test_what_is_not_there_or_twice_there_is_said(kedge, database):
    put_numbered(kedge, [1])
    if database.engine == "sqlite":
        database.run("CREATE TABLE x (y)")
    error = kedge("migrate", "import", status=1).stderr
    assert "the history of another tool is not in the database" in error and "goose_db_version of goose" in error
    assert "is not in the database" in kedge("migrate", "import", "--from", "flyway", status=1).stderr
    make_goose(database, [(1, True)])
    make_golang_migrate(database, 1, False)
    error = kedge("migrate", "import", status=2).stderr
    assert "two histories" in error and "--from" in error
    assert database.ask("SELECT count(*) FROM schema_migrations") == "1"
    report, _ = taken(kedge, "--from", "golang-migrate")
    assert report["kept_as"]
    database.run("ALTER TABLE goose_db_version RENAME TO strange")
    assert taken(kedge, "--table", "strange")[0]["from"] == "goose"
    assert "is no history of" in kedge("migrate", "import", "--table", "nothing", status=1).stderr


def test_a_failure_while_importing_loses_nothing(kedge, database):
    put_pairs(kedge, [1, 2])
    make_golang_migrate(database, 2, False)
    if database.engine == "postgres":
        database.run("CREATE FUNCTION no() RETURNS event_trigger LANGUAGE plpgsql AS $$BEGIN RAISE 'no'; END$$;"
                     "CREATE EVENT TRIGGER no ON ddl_command_end WHEN TAG IN ('CREATE TABLE') EXECUTE FUNCTION no()")
    elif database.engine == "sqlite":
        os.chmod(kedge.path("app.db"), 0o444)
        os.chmod(kedge.folder, 0o555)
        if os.access(kedge.path("app.db"), os.W_OK):
            os.chmod(kedge.folder, 0o755)
            pytest.skip("the administrator may write anything")
    else:
        pytest.skip("nothing there that fails on purpose")
    kedge("migrate", "import", status=None)
    os.chmod(kedge.folder, 0o755)
    assert database.ask("SELECT version FROM schema_migrations") == "2"


def make_sqlx(database, rows):
    database.run("CREATE TABLE _sqlx_migrations (version BIGINT PRIMARY KEY, description TEXT NOT NULL, "
                 f"installed_on {database.type('TIMESTAMP', 'TIMESTAMPTZ', 'TIMESTAMP')} NOT NULL DEFAULT CURRENT_TIMESTAMP, "
                 f"success BOOLEAN NOT NULL, checksum {database.type('BLOB', 'BYTEA', 'BLOB')} NOT NULL, "
                 "execution_time BIGINT NOT NULL);")
    for version, text in rows:
        sum_ = hashlib.sha384(text.encode()).hexdigest()
        literal = "'\\x" + sum_ + "'" if database.engine == "postgres" else "x'" + sum_ + "'"
        database.run("INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) VALUES "
                     f"({version}, 'make it', TRUE, {literal}, 5);")


def test_sqlx_files_that_changed_are_named(kedge, database):
    put_pairs(kedge, [1, 2])
    make_sqlx(database, [(1, "CREATE TABLE t1 (x INT)"), (2, "CREATE TABLE t2 (x BIGINT)")])
    _, items = taken(kedge, "--dry-run")
    assert [items[version]["changed"] for version in "12"] == [False, True]
    result = kedge("migrate", "import")
    assert result.stdout.count("the file has changed since") == 1 and "files have changed since sqlx" in result.stderr


def test_rows_without_a_version_are_named(kedge, database):
    put(kedge, **{"20141012000000_a.sql": "-- +migrate Up\nSELECT 1;\n"})
    database.run("CREATE TABLE migrations (migration VARCHAR(255), batch INT);"
                 "INSERT INTO migrations VALUES ('2014_10_12_000000_a', 1), ('add_things', 1), (NULL, 2), ('2014_10_12_b', NULL), ('', 3);")
    report, items = taken(kedge, "--dry-run")
    assert sorted(report["passed_over"]) == ["", "2014_10_12_b", "add_things"] and list(items) == ["20141012000000"]
    assert "warning: add_things of laravel has no version and is passed over" in kedge("migrate", "import").stderr


def test_odd_rows_of_flyway(kedge, database):
    """Ranks that are not in the order of versions, other spellings, what failed and succeeded, a repeatable one twice."""
    texts = {f"V{i}__t{i}.sql": f"CREATE TABLE t{i} (x INT);\n" for i in (1, 2, 3)}
    put(kedge, **texts, **{"V1.5__half.sql": "SELECT 1;", "R__view.sql": "SELECT 2;"})
    make_flyway(database, [
        ("3", "SQL", "V3__t3.sql", None, False),
        ("1.0", "SQL", "db/migration/V1__t1.sql", None, True),
        ("3.0.0", "SQL", "V3__t3.sql", flyway_sum(texts["V3__t3.sql"]), True),
        ("01.50", "SQL", "V1.5__half.sql", None, True),
        ("1.05", "SQL", "V1.5__half.sql", None, True),
        (None, "SQL", "R__view.sql", 1, True),
        (None, "SQL", "R__view.sql", flyway_sum("SELECT 2;"), True),
        (None, "SQL", "", None, True),
    ])
    report, items = taken(kedge)
    assert {version: (item["status"], item["missing"]) for version, item in items.items()} == {
        "1": ("applied", False), "1.5": ("applied", False), "01.50": ("applied", True), "3": ("applied", False),
        "R__view": ("applied", False)}, report
    assert not items["R__view"]["changed"]
    assert [line.split()[1] for line in kedge("migrate", "up").stdout.splitlines()] == ["2"]


OTHERS = [
    ("rails", "schema_migrations", "(version VARCHAR(255) NOT NULL PRIMARY KEY)", "('20240101000001')"),
    ("refinery", "refinery_schema_history", "(version INT PRIMARY KEY, name VARCHAR(255), applied_on VARCHAR(255), checksum VARCHAR(255))",
     "(1, 'make', '2024-01-02T03:04:05.678901234+00:00', '7')"),
    ("diesel", "__diesel_schema_migrations", "(version VARCHAR(50) PRIMARY KEY, run_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP)",
     "('20240101000001', '2024-01-02 03:04:05')"),
    ("phinx", "phinxlog", "(version BIGINT NOT NULL, migration_name VARCHAR(100), start_time TIMESTAMP NULL, end_time TIMESTAMP NULL, "
     "breakpoint BOOLEAN NOT NULL DEFAULT FALSE, PRIMARY KEY (version))",
     "(20240101000001, 'MakeIt', '2024-01-02 03:04:05', '2024-01-02 03:04:05', FALSE)"),
]


@pytest.mark.parametrize("tool,table,columns,row", OTHERS, ids=lambda it: it if str(it).isalpha() else "")
def test_the_tables_of_more_tools(kedge, database, tool, table, columns, row):
    name = "V1__make.sql" if tool == "refinery" else "20240101000001_make.sql"
    put(kedge, **{name: "CREATE TABLE a (x INT);" if tool == "refinery" else "-- +migrate Up\nCREATE TABLE a (x INT);\n"})
    database.run(f"CREATE TABLE {table} {columns}; INSERT INTO {table} VALUES {row};")
    report, items = taken(kedge, *(("--from", "rails") if tool == "rails" else ()))
    assert report["from"] == tool and [(item["status"], item["missing"]) for item in items.values()] == [("applied", False)]
    if tool != "rails":
        assert list(items.values())[0]["applied_at"] == "2024-01-02T03:04:05Z"
    assert "nothing to do" in kedge("migrate", "up").stdout
