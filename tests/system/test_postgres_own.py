"""kedge's catalogue inside the PostgreSQL database that is backed up and restored."""
import os
import shutil
import signal
import subprocess
import threading
import time
from pathlib import Path

import pytest

from conftest import free_port
from test_postgres import BIN, Server

ROOT = Path(__file__).resolve().parents[2]
KEDGE = Path(os.environ.get("KEDGE_BIN", ROOT / "build" / "kedge"))
TABLES = ("apps", "backup_destinations", "backup_files", "backups", "counters", "database_connections", "restores",
          "schedules", "schema_migrations")

pytestmark = pytest.mark.skipif(not BIN.exists() or not KEDGE.exists(), reason="needs PostgreSQL 15 and a build")


@pytest.fixture(scope="module")
def server():
    folder = Path("/tmp") / f"kedge-test-own-{os.getpid()}"
    folder.mkdir(mode=0o755)
    running = Server(folder, free_port())
    yield running
    running.stop()
    shutil.rmtree(folder)


class Shop:
    """A database with a thousand rows and the catalogue in it."""

    def __init__(self, server, folder):
        self.server, self.folder = server, folder
        self.environment = dict(os.environ, KEDGE_HOME=str(folder / "home"), KEDGE_CATALOG=server.url("shop"),
                                DATABASE_URL=server.url("shop"))
        for name in server.databases():
            if "__kedge_" in name:
                server.sql(f'DROP DATABASE "{name}" WITH (FORCE);')
        server.create("shop")
        server.sql("CREATE TABLE t (id integer PRIMARY KEY); INSERT INTO t SELECT generate_series(1, 1000);", "shop")
        self.kedge("catalog", "install")

    def kedge(self, *arguments, status=0):
        done = subprocess.run([KEDGE, *map(str, arguments)], capture_output=True, text=True, env=self.environment,
                              timeout=120)
        assert done.returncode == status, done.stdout + done.stderr
        return done.stdout + done.stderr

    def backup(self):
        return self.kedge("backup", self.server.url("shop"), "--to", self.folder / "backups")

    def artifact(self):
        return sorted((self.folder / "backups").glob("*.sql.zst"))[0]

    def rows(self):
        return int(self.server.sql("SELECT count(*) FROM t", "shop"))

    def own(self, database="shop"):
        return {table: self.server.sql(f"SELECT * FROM kedge.{table} ORDER BY 1", database) for table in TABLES}

    def restores(self):
        return self.server.sql("SELECT number, status, undone_at IS NOT NULL FROM kedge.restores ORDER BY 1", "shop")


@pytest.fixture
def shop(server, tmp_path):
    shop = Shop(server, tmp_path)
    shop.backup()
    server.sql("DELETE FROM t WHERE id > 10", "shop")
    shop.backup()
    return shop


def test_no_backup_holds_them(shop):
    text = subprocess.run(["zstd", "-dc", shop.artifact()], check=True, capture_output=True, text=True).stdout
    assert "public.t" in text and "kedge." not in text and "database_backups" not in text
    shop.kedge("restore", shop.artifact(), "--to", shop.server.url("elsewhere"), "--yes")
    assert shop.server.sql("SELECT count(*) FROM t", "elsewhere") == "1000"
    assert shop.server.sql("SELECT to_regnamespace('kedge') IS NULL", "elsewhere") == "t"


def test_a_catalogue_in_a_target_is_told(server, tmp_path):
    shop = Shop(server, tmp_path)
    assert "backed up itself" in shop.kedge("catalog", "install").splitlines()[-1]
    assert "backed up itself" in shop.kedge("doctor")
    (tmp_path / "kedge.yaml").write_text(f"targets: {{ till: {{ url: '{server.url('shop', user='ann')}' }} }}\n")
    configured = ("--config", tmp_path / "kedge.yaml")
    assert "the target till" in shop.kedge("catalog", "install", *configured)
    assert "the target till" in shop.kedge("catalog", "install", "--database", server.url("shop"), *configured)
    for url in (server.url("catalogue"), "sqlite:" + str(tmp_path / "catalog.db")):
        server.create("catalogue")
        assert "lost together" not in shop.kedge("catalog", "install", "--database", url)
    shop.environment["DATABASE_URL"] = "sqlite:" + str(tmp_path / "app.db")
    assert "in a file that is backed up itself" in shop.kedge("catalog", "install")


def test_a_table_from_before_is_no_catalogue_to_warn_of(server, tmp_path):
    shop = Shop(server, tmp_path)
    server.create("shop")
    server.sql("CREATE TABLE database_backups (id serial PRIMARY KEY, filename text, s3_key text, file_size int, backup_type text, status text, "
               "created_by text, metadata jsonb, created_at timestamp, completed_at timestamp)", "shop")
    said = shop.kedge("catalog", "install")
    assert said.splitlines()[-1].endswith("Migration not needed - table already exists and is valid")
    assert "backed up itself" not in said and server.sql("SELECT to_regnamespace('kedge') IS NULL", "shop") == "t"


def test_they_go_with_the_name_through_a_restore_and_its_undoing_and_back(shop):
    server = shop.server
    server.sql("CREATE ROLE own_reader; GRANT USAGE ON SCHEMA kedge TO own_reader;"
               "GRANT SELECT ON kedge.backups, public.database_backups TO own_reader;"
               "CREATE SEQUENCE kedge.ours; SELECT setval('kedge.ours', 41);", "shop")
    before = shop.own()

    shop.kedge("restore", "1", "--yes")
    assert (shop.rows(), shop.restores()) == (1000, "1|success|f")
    after = shop.own()
    assert [name for name in TABLES if before[name] != after[name]] == ["counters", "restores"]
    assert server.sql("SELECT nextval('kedge.ours')", "shop") == "42"
    assert server.sql("SELECT has_table_privilege('own_reader', 'kedge.backups', 'SELECT') AND "
                      "has_table_privilege('own_reader', 'public.database_backups', 'SELECT')", "shop") == "t"
    assert server.sql("SELECT count(*) FROM public.database_backups", "shop") == "2"
    shop.kedge("catalog", "check")
    shop.backup()

    shop.kedge("undo", "--yes")
    assert (shop.rows(), shop.restores()) == (10, "1|success|t")
    assert shop.own()["backups"].count("\n") == 2
    shop.kedge("undo", "--yes")
    assert (shop.rows(), shop.restores()) == (1000, "1|success|f")
    shop.kedge("catalog", "check")
    server.sql("DROP OWNED BY own_reader", "shop")
    for name in server.databases():
        if "__kedge_" in name:
            server.sql(f'DROP DATABASE "{name}" WITH (FORCE);')
    server.sql("DROP ROLE own_reader")


def test_rows_that_others_commit_meanwhile_are_not_lost(shop):
    """Each writes, and comes back when it is told to leave: what was committed must be there."""
    committed, stop = [], threading.Event()

    def write(number):
        for i in range(100000):
            if stop.is_set():
                return
            name = f"w{number}x{i}"
            done = subprocess.run([BIN / "psql", *shop.server.arguments("shop"), "-c",
                                   f"INSERT INTO kedge.apps VALUES (lpad('{name}', 26, '0'), '{name}', now())"],
                                  capture_output=True)
            if done.returncode == 0:
                committed.append(name)

    writers = [threading.Thread(target=write, args=(i,)) for i in range(3)]
    for writer in writers:
        writer.start()
    try:
        for way in (("restore", "1"), ("undo",), ("undo",)):
            time.sleep(0.3)
            shop.kedge(*way, "--yes")
    finally:
        stop.set()
        for writer in writers:
            writer.join()
    there = set(shop.server.sql("SELECT name FROM kedge.apps", "shop").split("\n"))
    assert len(committed) > 20
    assert set(committed) <= there


@pytest.mark.parametrize("way", ["restore", "undo"])
def test_a_killed_run_is_sorted_out_by_the_next_start(shop, way):
    sides = set()
    began = time.monotonic()
    shop.kedge("restore", "1", "--yes")
    whole = time.monotonic() - began
    shop.kedge("undo", "--yes")
    step = -1
    # A busy machine is slower than it just was: on to a time at which it was over.
    while step < 15 or (len(sides) < 2 and step < 100):
        step += 1
        if way == "undo" and shop.rows() == 10:
            shop.kedge("restore", "1", "--yes")
        before = shop.own()
        arguments = ["restore", "1"] if way == "restore" else ["undo"]
        running = subprocess.Popen([KEDGE, *arguments, "--yes"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                   env=shop.environment)
        time.sleep(whole * step / 12)
        running.send_signal(signal.SIGKILL)
        running.wait()
        # What the server was at it goes on with, for a moment.
        while shop.server.sql("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'kedge'") != "0":
            time.sleep(0.02)
        shop.kedge("list")
        after = shop.own()
        assert after["backups"] == before["backups"] and after["backup_files"] == before["backup_files"]
        assert shop.server.sql("SELECT count(*) FROM kedge.restores WHERE status = 'running'", "shop") == "0"
        assert after["restores"].count("\n") >= before["restores"].count("\n")
        rows = shop.rows()
        sides.add(rows)
        if way == "restore" and rows == 1000:
            assert shop.restores().split("\n")[-1].endswith("|success|f")
            shop.kedge("undo", "--yes")
            assert shop.rows() == 10
        leftover = [name for name in shop.server.databases() if "__kedge_0" in name]
        assert leftover == []
    assert sides == {10, 1000}


def test_an_older_artifact_that_holds_older_rows_brings_back_none_of_them(shop, tmp_path):
    script = subprocess.run([BIN / "pg_dump", "-h", "127.0.0.1", "-p", str(shop.server.port), "-U", "postgres", "shop"],
                            check=True, capture_output=True, text=True).stdout
    (tmp_path / "old.sql").write_text(script)
    shop.backup()
    before = shop.own()
    shop.kedge("restore", tmp_path / "old.sql", "--to", shop.server.url("shop"), "--yes")
    assert shop.own()["backups"] == before["backups"]
    shop.kedge("undo", "--yes")
    assert shop.own()["backups"] == before["backups"]


def test_whoever_reads_them_from_outside_is_named(shop):
    shop.server.sql("CREATE VIEW public.sizes AS SELECT file_size FROM public.database_backups", "shop")
    said = shop.kedge("backup", shop.server.url("shop"), "--to", shop.folder / "backups", status=20)
    assert "view public.sizes" in said and "database of its own" in said


def test_somebody_elses_schema_of_that_name_is_theirs(server, tmp_path):
    server.create("theirs")
    server.sql("CREATE SCHEMA kedge; CREATE TABLE kedge.anchors (id integer); INSERT INTO kedge.anchors VALUES (7);",
               "theirs")
    environment = dict(os.environ, KEDGE_HOME=str(tmp_path / "home"))
    for arguments in (["backup", server.url("theirs"), "--to", tmp_path / "backups"],
                      ["restore", "1", "--to", server.url("theirs_again"), "--yes"]):
        subprocess.run([KEDGE, *map(str, arguments)], check=True, capture_output=True, env=environment)
    assert server.sql("SELECT id FROM kedge.anchors", "theirs_again") == "7"
