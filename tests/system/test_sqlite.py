"""SQLite through the whole program: backup, verify, restore, undo, and what happens around them."""
import hashlib
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time

import pytest

from conftest import contents, make_database

WRITER = """
import sqlite3, sys, random
db = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=60)
i = int(sys.argv[2])
while True:
    # The sum over both tables never changes: a copy in which it does is no consistent state.
    db.execute("BEGIN IMMEDIATE")
    a, b, n = random.randrange(100), random.randrange(100), random.randrange(1000)
    db.execute("UPDATE left_side SET v = v - ? WHERE id = ?", (n, a))
    db.execute("UPDATE right_side SET v = v + ? WHERE id = ?", (n, b))
    i += 1
    if i % 50 == 0:
        db.execute(f"CREATE TABLE IF NOT EXISTS extra_{sys.argv[2]}_{i} (x)")
    if i % 97 == 0:
        db.execute("DELETE FROM filler WHERE rowid % 3 = 0")
        db.execute("INSERT INTO filler SELECT randomblob(900) FROM left_side")
    db.execute("COMMIT")
    if i % 211 == 0:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
"""


def decompress(path, to):
    with open(to, "wb") as out:
        subprocess.run(["zstd", "-dc", path], stdout=out, check=True)
    return to


def test_backup_prints_the_three_lines(kedge, shop):
    out = kedge("backup", "shop.db").stdout.splitlines()
    assert out[0].startswith("Backup created successfully: shop_")
    name = out[0].split(": ")[1]
    assert name.endswith(".sqlite3.zst")
    size = os.path.getsize(os.path.join(kedge.backups, name))
    assert out[1].startswith("Size: ") and ("kB" in out[1] or "MB" in out[1]), size
    assert out[2] == f"Location: {kedge.backups}/{name}"


def test_artifact_is_a_database_for_others(kedge, shop):
    name = kedge.json("backup", "shop.db")["file_path"]
    copy = decompress(os.path.join(kedge.backups, name), kedge.path("copy.db"))
    assert contents(copy) == contents(shop)
    with open(shop, "rb") as a, open(copy, "rb") as b:
        original, image = bytearray(a.read()), bytearray(b.read())
    # A leftover -wal may hold newer pages than the file: fold it in before comparing.
    sqlite3.connect(shop).execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    with open(shop, "rb") as file:
        original = bytearray(file.read())
    for start, end in ((18, 20), (24, 28), (92, 100)):
        original[start:end] = image[start:end] = bytes(end - start)
    assert original == image


def test_manifest_holds_the_sum_of_the_file(kedge, shop):
    name = kedge.json("backup", "shop.db")["file_path"]
    path = os.path.join(kedge.backups, name)
    with open(path + ".json", encoding="utf-8") as file:
        manifest = json.load(file)
    with open(path, "rb") as file:
        assert manifest["checksum"] == hashlib.sha256(file.read()).hexdigest()
    assert manifest["format"] == "kedge-artifact" and manifest["version"] == 1
    assert manifest["engine"] == "sqlite" and manifest["file"] == name
    assert sum(frame["plain"] if isinstance(frame, dict) else frame[2] for frame in manifest["frames"]) == \
        os.path.getsize(decompress(path, kedge.path("plain")))


@pytest.mark.parametrize("compress,suffix", [("zstd:1", ".zst"), ("gzip", ".gz"), ("none", "")])
def test_round_trip_with_each_compression(kedge, shop, compress, suffix):
    before = contents(shop)
    name = kedge.json("backup", "shop.db", f"--compress={compress}")["file_path"]
    assert name.endswith(".sqlite3" + suffix)
    assert kedge.json("verify", "latest", "--level", "3")["verified_level"] == 3
    os.unlink(shop)
    kedge("restore", "latest", "--force")
    assert contents(shop) == before


@pytest.mark.parametrize("page_size", [512, 1024, 8192, 65536])
@pytest.mark.parametrize("journal", ["wal", "delete"])
def test_round_trip_with_each_page_size(kedge, page_size, journal):
    path = make_database(kedge.path("shop.db"), journal=journal, page_size=page_size)
    before = contents(path)
    kedge("backup", "shop.db")
    db = sqlite3.connect(path)
    db.execute("DELETE FROM orders")
    db.commit()
    db.close()
    kedge("restore", "latest", "--force")
    assert contents(path) == before
    db = sqlite3.connect(path)
    assert db.execute("PRAGMA journal_mode").fetchone()[0] == journal
    assert db.execute("PRAGMA page_size").fetchone()[0] == page_size


@pytest.mark.parametrize("journal", ["wal", "delete"])
def test_consistent_under_heavy_writes(kedge, processes, journal):
    path = kedge.path("busy.db")
    db = sqlite3.connect(path, isolation_level=None)
    db.execute(f"PRAGMA journal_mode = {journal}")
    db.executescript("""
        CREATE TABLE left_side (id INTEGER PRIMARY KEY, v INTEGER); CREATE TABLE right_side (id INTEGER PRIMARY KEY, v INTEGER);
        CREATE TABLE filler (x BLOB);
        WITH RECURSIVE n(i) AS (VALUES (0) UNION ALL SELECT i + 1 FROM n WHERE i < 99) INSERT INTO left_side SELECT i, 1000000 FROM n;
        INSERT INTO right_side SELECT id, v FROM left_side;
        WITH RECURSIVE n(i) AS (VALUES (0) UNION ALL SELECT i + 1 FROM n WHERE i < 4000) INSERT INTO filler SELECT randomblob(900) FROM n;
    """)
    db.close()
    for number in range(2):
        processes.append(subprocess.Popen([sys.executable, "-c", WRITER, path, str(number)], stderr=subprocess.DEVNULL))
    time.sleep(0.3)
    for _ in range(8):
        name = kedge.json("backup", "busy.db")["file_path"]
        copy = decompress(os.path.join(kedge.backups, name), kedge.path("copy.db"))
        db = sqlite3.connect(copy)
        assert db.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        assert db.execute("SELECT (SELECT sum(v) FROM left_side) + (SELECT sum(v) FROM right_side)").fetchone()[0] == 200000000
        db.close()
        for extra in ("-wal", "-shm"):
            if os.path.exists(copy + extra):
                os.unlink(copy + extra)
    assert all(process.poll() is None for process in processes), "a writer was disturbed"


def test_wal_is_neither_lost_nor_removed(kedge, shop):
    keeper = sqlite3.connect(shop, isolation_level=None)
    keeper.execute("PRAGMA wal_autocheckpoint = 0")
    keeper.execute("INSERT INTO customers (name) VALUES ('only in the wal')")
    size = os.path.getsize(shop + "-wal")
    kedge("backup", "shop.db")
    assert os.path.getsize(shop + "-wal") == size
    # A process that dies leaves a -wal that nobody has open: it must still be there after a backup.
    crashed = kedge.path("crashed.db")
    for end in ("", "-wal"):
        shutil.copy(shop + end, crashed + end)
    keeper.close()
    name = kedge.json("backup", "crashed.db")["file_path"]
    assert os.path.getsize(crashed + "-wal") == size
    copy = decompress(os.path.join(kedge.backups, name), kedge.path("copy.db"))
    assert sqlite3.connect(copy).execute("SELECT count(*) FROM customers WHERE name = 'only in the wal'").fetchone()[0] == 1


def test_restore_and_undo_and_undo_again(kedge, shop):
    first = contents(shop)
    kedge("backup", "shop.db")
    db = sqlite3.connect(shop)
    db.execute("DELETE FROM orders WHERE id < 500")
    db.commit()
    db.close()
    second = contents(shop)
    kedge("restore", "latest", "--force")
    assert contents(shop) == first
    kedge("undo", "--force")
    assert contents(shop) == second
    kedge("undo", "--force")
    assert contents(shop) == first
    assert not os.path.exists(shop + "-wal") or os.path.getsize(shop + "-wal") == 0


def test_restore_without_terminal_needs_force(kedge, shop):
    kedge("backup", "shop.db")
    result = kedge("restore", "latest", status=5)
    assert "--force" in result.stderr


def test_restore_refuses_a_database_that_is_open(kedge, shop):
    kedge("backup", "shop.db")
    holder = sqlite3.connect(shop)
    holder.execute("SELECT count(*) FROM orders").fetchone()
    before = contents(shop)
    result = kedge("restore", "latest", "--force", status=None)
    assert result.returncode in (11, 22), result.stderr
    assert "hint:" in result.stderr
    assert contents(shop) == before
    holder.close()
    kedge("restore", "latest", "--force")


def test_restore_of_a_bare_file_without_catalogue(kedge, shop):
    name = kedge.json("backup", "shop.db")["file_path"]
    before = contents(shop)
    lonely = kedge.path("elsewhere")
    os.makedirs(lonely)
    shutil.copy(os.path.join(kedge.backups, name), lonely)
    shutil.rmtree(kedge.home)
    kedge("restore", os.path.join("elsewhere", name), "--to", "new.db", "--force")
    assert contents(kedge.path("new.db")) == before


def test_catalog_rebuild_on_an_empty_machine(kedge, shop):
    kedge("backup", "shop.db", "--retention", "30")
    kedge("backup", "shop.db")
    before = contents(shop)
    rows = kedge.lines("list")
    os.unlink(os.path.join(kedge.home, "catalog.db"))
    for end in ("-wal", "-shm"):
        if os.path.exists(os.path.join(kedge.home, "catalog.db" + end)):
            os.unlink(os.path.join(kedge.home, "catalog.db" + end))
    kedge("catalog", "rebuild", "--from", kedge.backups)
    again = kedge.lines("list")
    db = sqlite3.connect(os.path.join(kedge.home, "catalog.db"))
    assert db.execute("SELECT name FROM backup_destinations").fetchall() == [("local",)]
    db.close()
    for key in ("number", "id", "file_path", "checksum", "size_bytes", "status", "type"):
        assert [row[key] for row in again] == [row[key] for row in rows], key
    os.unlink(shop)
    kedge("restore", "latest", "--force")
    assert contents(shop) == before


def test_table_restore_leaves_the_others_alone(kedge, shop):
    kedge("backup", "shop.db")
    before = contents(shop)
    db = sqlite3.connect(shop)
    db.execute("DELETE FROM orders")
    db.execute("INSERT INTO customers (name) VALUES ('stays')")
    db.commit()
    db.close()
    kedge("restore", "latest", "--table", "orders", "--force")
    after = contents(shop)
    assert after[1][b"orders"] == before[1][b"orders"]
    assert len(after[1][b"customers"]) == len(before[1][b"customers"]) + 1


def test_table_restore_refuses_to_break_keys_of_others(kedge, shop):
    kedge("backup", "shop.db")
    db = sqlite3.connect(shop)
    db.execute("INSERT INTO customers VALUES (5000, 'new', 'new@example.com')")
    db.execute("INSERT INTO orders VALUES (5000, 5000, 1, NULL)")
    db.commit()
    db.close()
    before = contents(shop)
    result = kedge("restore", "latest", "--table", "customers", "--force", status=22)
    assert "--cascade" in result.stderr
    assert contents(shop) == before


def test_logical_dump_is_read_back_by_sqlite3(kedge, shop):
    name = kedge.json("backup", "shop.db", "--format", "sql")["file_path"]
    assert name.endswith(".sql.zst")
    sql = decompress(os.path.join(kedge.backups, name), kedge.path("plain.sql"))
    with open(sql, encoding="utf-8") as file:
        subprocess.run(["sqlite3", "-bail", kedge.path("copy.db")], stdin=file, check=True)
    assert contents(kedge.path("copy.db")) == contents(shop)
    before = contents(shop)
    os.unlink(shop)
    kedge("restore", "latest", "--force")
    assert contents(shop) == before


def test_strange_names_go_all_the_way_through(kedge):
    for number, name in enumerate(["it's", 'dou"ble', "semi;colon", "per%cent", "$(touch pwned)", "-leading", "new\nline",
                                   "emoji😀", "back`tick", "space here"]):
        folder = kedge.path(f"f{number}{name}")
        os.makedirs(folder)
        path = os.path.join(folder, name + ".db")
        db = sqlite3.connect(path)
        quoted = name.replace('"', '""')
        db.execute(f'CREATE TABLE "{quoted}" ("{quoted}" TEXT, "a""b" TEXT)')
        db.execute(f'INSERT INTO "{quoted}" VALUES (?, ?)', (name, "x"))
        db.commit()
        db.close()
        before = contents(path)
        for format_option in ([], ["--format", "sql"]):
            row = kedge.json("backup", path, *format_option)
            assert "/" not in row["file_path"]
            os.unlink(path)
            kedge("restore", str(row["number"]), "--force")
            assert contents(path) == before
    assert not os.path.exists(kedge.path("pwned"))


def test_encrypted_backup_opens_with_age(kedge, shop):
    key = kedge("keygen").stdout
    with open(kedge.path("key.txt"), "w", encoding="ascii") as file:
        file.write(key)
    os.chmod(kedge.path("key.txt"), 0o600)
    recipient = next(line.split()[-1] for line in key.splitlines() if "public key" in line)
    name = kedge.json("backup", "shop.db", "--encrypt", recipient)["file_path"]
    assert name.endswith(".sqlite3.zst.age")
    plain = subprocess.run(["age", "-d", "-i", kedge.path("key.txt"), os.path.join(kedge.backups, name)],
                           capture_output=True, check=True).stdout
    with open(kedge.path("plain.zst"), "wb") as file:
        file.write(plain)
    assert contents(decompress(kedge.path("plain.zst"), kedge.path("copy.db"))) == contents(shop)
    assert "identity" in kedge("restore", "latest", "--force", status=12).stderr
    kedge("verify", "latest", "--level", "3", "--identity", "key.txt")
    kedge("restore", "latest", "--force", "--identity", "key.txt")


def test_two_at_once_on_one_target(kedge, shop, processes):
    for _ in range(6):
        processes.append(kedge.start("backup", "shop.db"))
    statuses = sorted(process.wait() for process in processes)
    assert set(statuses) <= {0, 11} and statuses[0] == 0
    rows = kedge.lines("list")
    numbers = [row["number"] for row in rows]
    assert len(set(numbers)) == len(numbers)
    assert sum(row["status"] == "success" for row in rows) == statuses.count(0)
    for row in rows:
        if row["status"] == "success":
            kedge("verify", row["number"], "--level", "2")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_within_five_seconds(kedge, number):
    path = kedge.path("large.db")
    db = sqlite3.connect(path)
    db.execute("CREATE TABLE t (x BLOB)")
    db.execute("WITH RECURSIVE n(i) AS (VALUES (0) UNION ALL SELECT i + 1 FROM n WHERE i < 150) "
               "INSERT INTO t SELECT randomblob(1000000) FROM n")
    db.commit()
    db.close()
    running = kedge.start("backup", "large.db", "--compress=zstd:19")
    while running.poll() is None and not kedge.files():
        time.sleep(0.01)
    time.sleep(0.2)
    running.send_signal(number)
    running.communicate(timeout=60)
    assert running.returncode == 130
    assert kedge.files() == []
    assert [row["status"] for row in kedge.lines("list")] == ["failed"]


def test_killed_at_random_times(kedge):
    path = make_database(kedge.path("shop.db"), rows=200000)
    kedge("backup", "shop.db")
    good = kedge.files()
    for delay in (0.01, 0.05, 0.1, 0.2, 0.3):
        running = kedge.start("backup", "shop.db", "--compress=zstd:9")
        time.sleep(delay)
        running.kill()
        running.communicate()
        assert set(good) <= set(kedge.files())
        assert all(row["status"] in ("success", "failed") for row in kedge.lines("list"))
    kedge("cleanup", "--force")
    assert not [name for name in os.listdir(kedge.backups) if name.startswith(".kedge-")]
    kedge("backup", "shop.db")
    kedge("verify", "--all", "--level", "2")
    assert contents(path)


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small file system needs root")
@pytest.mark.parametrize("size", ["200k", "700k", "1500k"])
def test_full_disk_at_the_destination(kedge, size):
    make_database(kedge.path("shop.db"), rows=40000)
    small = kedge.path("small")
    os.makedirs(small)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", small], check=True)
    try:
        result = kedge("backup", "shop.db", "--to", small, status=1)
        assert "No space left" in result.stderr or "room" in result.stderr
        assert os.listdir(small) == []
        assert [row["status"] for row in kedge.lines("list")] == ["failed"]
    finally:
        subprocess.run(["umount", small], check=True)


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small file system needs root")
def test_no_room_for_a_restore_is_said_before_anything(kedge):
    small = kedge.path("small")
    os.makedirs(small)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", small], check=True)
    try:
        path = make_database(os.path.join(small, "shop.db"), rows=60000, journal="delete")
        assert os.path.getsize(path) > 3 * 1024 * 1024
        kedge("backup", path)
        before = contents(path)
        result = kedge("restore", "latest", "--force", status=22)
        assert "hint:" in result.stderr
        assert contents(path) == before
        assert [name for name in os.listdir(small) if "kedge" in name] == []
    finally:
        subprocess.run(["umount", small], check=True)


def test_damage_is_found_and_nothing_wrong_is_restored(kedge):
    path = make_database(kedge.path("shop.db"), rows=50)
    before = contents(path)
    name = kedge.json("backup", "shop.db")["file_path"]
    stored = os.path.join(kedge.backups, name)
    with open(stored, "rb") as file:
        whole = file.read()
    for offset in range(0, len(whole), max(1, len(whole) // 40)):
        damaged = bytearray(whole)
        damaged[offset] ^= 0x20
        with open(stored, "wb") as file:
            file.write(damaged)
        kedge("verify", "latest", "--level", "2", status=21)
        kedge("restore", "latest", "--force", status=None)
        assert contents(path) == before
    for wrong in (whole[:-1], whole + b"x", b"", b"hello", whole[:20]):
        with open(stored, "wb") as file:
            file.write(wrong)
        kedge("verify", "latest", "--level", "2", status=21)
        result = kedge("restore", "latest", "--force", status=None)
        assert result.returncode != 0
        assert contents(path) == before


def test_a_name_without_room_for_a_copy_is_refused_before_anything(kedge):
    name = make_database(kedge.path("n" * 217 + ".db"), rows=10)
    kedge("backup", name)
    result = kedge("restore", 1, "--force", status=2)
    assert "too long for a copy beside it" in result.stderr and "hint: restore --to" in result.stderr
    assert kedge.lines("restores") == [] and "warning" not in kedge("list").stderr
    kedge("restore", 1, "--force", "--to", "short.db")
    assert contents(kedge.path("short.db")) == contents(name)
