"""What a hostile neighbour, a full disk or an impatient person does, and what must hold nevertheless."""
import fcntl
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import time

import pytest

from conftest import make_database


@pytest.fixture
def shop(kedge):
    make_database(kedge.path("shop.db"), rows=50)
    return kedge


def artifact(kedge, number=1):
    return os.path.join(kedge.backups, kedge.json("show", number)["name"])


def put_another_in_its_place(kedge):
    """Backup 1's name, but the bytes and the manifest of backup 2; both of one size."""
    for _ in range(2):
        kedge("backup", "shop.db", "--compress=none")
        with sqlite3.connect(kedge.path("shop.db")) as db:
            db.execute("UPDATE customers SET name = 'Mallory' WHERE id = 1")
        db.close()
    good, other = artifact(kedge, 1), artifact(kedge, 2)
    assert os.path.getsize(good) == os.path.getsize(other)
    shutil.copy(other, good)
    with open(other + ".json", encoding="utf-8") as file:
        text = file.read().replace(os.path.basename(other), os.path.basename(good))
    with open(good + ".json", "w", encoding="utf-8") as file:
        file.write(text)
    return good


@pytest.mark.parametrize("level", [1, 2, 3])
def test_another_file_in_the_place_of_a_backup_does_not_verify(shop, level):
    put_another_in_its_place(shop)
    result = shop("verify", 1, "--level", level, status=21)
    assert "is not the file of backup 1" in result.stderr
    assert shop.json("show", 1)["level"] != level


def test_another_file_in_the_place_of_a_backup_is_not_restored_as_that_backup(shop):
    path = put_another_in_its_place(shop)
    result = shop("restore", 1, "--to", "out.db", "--force", status=21)
    assert "is not the file of backup 1" in result.stderr
    assert not os.path.exists(shop.path("out.db"))
    shop("restore", path, "--to", "out.db", "--force")


def test_a_manifest_with_an_absurd_number_does_not_stop_later_backups(shop):
    shop("backup", "shop.db")
    path = artifact(shop) + ".json"
    with open(path, encoding="utf-8") as file:
        manifest = json.load(file)
    manifest["number"] = 2**63 - 1
    with open(path, "w", encoding="utf-8") as file:
        json.dump(manifest, file)
    other = {"KEDGE_HOME": shop.path("other")}
    shop("catalog", "rebuild", "--from", shop.backups, env=other)
    shop("backup", "shop.db", env=other)
    assert [row["number"] for row in shop.lines("list", env=other)] == [2, 1]


def test_a_list_in_json_has_the_checksum_and_the_duration(shop):
    shop("backup", "shop.db")
    shown, listed = shop.json("show", 1), shop.lines("list")[0]
    assert listed["checksum"] == shown["checksum"] is not None
    assert listed["duration_ms"] == shown["duration_ms"] is not None


@pytest.mark.parametrize("command", [("restore", 1, "--table", "orders"), ("undo",)])
def test_a_signal_stops_the_exchange_of_rows(kedge, command):
    with sqlite3.connect(kedge.path("shop.db")) as db:
        db.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, note TEXT)")
        db.execute("CREATE INDEX by_note ON orders (note)")
        db.execute("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 400000) "
                   "INSERT INTO orders SELECT i, hex(i * 7919 % 1000003) FROM n")
    db.close()
    kedge("backup", "shop.db")
    kedge("restore", 1, "--table", "orders", "--force")
    before = set(os.listdir(kedge.folder))
    journal = kedge.path("shop.db-journal")
    process = kedge.start(*command, "--force")
    while not os.path.exists(journal) and process.poll() is None:
        time.sleep(0.001)
    process.send_signal(signal.SIGTERM)
    sent = time.monotonic()
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    assert time.monotonic() - sent < 5
    assert set(os.listdir(kedge.folder)) == before
    with sqlite3.connect(kedge.path("shop.db")) as db:
        assert db.execute("SELECT count(*) FROM orders").fetchone() == (400000,)
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)


@pytest.mark.parametrize("options", [(), ("--compress=gzip",), ("--format", "sql")])
def test_a_lost_manifest_is_made_anew(shop, options):
    shop("backup", "shop.db", "--retention", 9, *options)
    path = artifact(shop)
    os.remove(path + ".json")
    result = shop("verify", 1)
    assert "is a new one" in result.stderr
    assert shop.json("show", 1)["level"] == 2
    with open(path + ".json", encoding="utf-8") as file:
        manifest = json.load(file)
    assert (manifest["id"], manifest["number"]) == (shop.json("show", 1)["id"], 1)
    assert (manifest["target"], manifest["engine"], manifest["retention_days"]) == ("shop", "sqlite", 9)
    assert "new one" not in shop("verify", 1, "--level", 3).stderr
    other = {"KEDGE_HOME": shop.path("other")}
    shop("catalog", "rebuild", "--from", shop.backups, env=other)
    assert shop.lines("list", env=other)[0]["target"] == "shop"
    shop("restore", 1, "--to", "out.db", "--force", env=other)


def test_a_damaged_file_gets_no_new_manifest(shop):
    shop("backup", "shop.db", "--compress=none")
    path = artifact(shop)
    os.remove(path + ".json")
    with open(path, "r+b") as file:
        file.seek(5000)
        file.write(b"xyz")
    shop("verify", 1, status=21)
    assert not os.path.exists(path + ".json")


def test_a_foreign_file_gets_no_manifest(shop):
    shutil.copy(shop.path("shop.db"), shop.path("copy.sqlite3"))
    result = shop("verify", "./copy.sqlite3", status=4)
    assert "no manifest" in result.stderr and "hint: kedge restore" in result.stderr
    assert not os.path.exists(shop.path("copy.sqlite3.json"))


def test_what_a_killed_verification_left_is_removed(shop):
    shop("backup", "shop.db")
    dead = os.path.join(shop.backups, ".scratch", "01KGX3T0J0Z8Q9V4M1D7C5B2AN")
    alive = os.path.join(shop.backups, ".scratch", "01KGX3T0J0Z8Q9V4M1D7C5B2AP")
    for folder in (dead, alive):
        os.makedirs(os.path.join(folder, "deep"))
        shutil.copy(shop.path("shop.db"), os.path.join(folder, ".scratch.db.kedge-x"))
    lock = os.open(alive, os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_EX)
    assert dead in shop("cleanup", "--dry-run").stdout and os.path.exists(dead)
    shop("cleanup")
    assert not os.path.exists(dead) and os.path.exists(alive)
    os.close(lock)
    shop("cleanup")
    assert not os.path.exists(os.path.join(shop.backups, ".scratch"))


@pytest.fixture
def small(tmp_path):
    """A file system of its own, with little room."""
    folder = tmp_path / "small"
    folder.mkdir()
    if os.geteuid() != 0 or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", folder],
                                           capture_output=True).returncode:
        pytest.skip("needs the right to mount")
    yield str(folder)
    subprocess.run(["umount", folder], check=True)


@pytest.mark.parametrize("way", ["full", "read-only"])
def test_a_catalogue_that_cannot_be_written_says_so_and_the_way_out(shop, small, way):
    home = {"KEDGE_HOME": os.path.join(small, "home")}
    shop("backup", "shop.db", env=home)
    if way == "full":
        with open(os.path.join(small, "fill"), "wb", buffering=0) as file:
            with pytest.raises(OSError):
                while True:
                    file.write(bytes(4096))
        text = "no room is left"
    else:
        subprocess.run(["mount", "-o", "remount,ro", small], check=True)
        text = "cannot be opened for writing"
    for command in (("list",), ("restore", 1, "--to", "out.db", "--force"), ("cleanup",)):
        result = shop(*command, env=home, status=1)
        assert text in result.stderr and "hint: to restore meanwhile" in result.stderr
    shop("catalog", "rebuild", "--from", os.path.join(small, "home", "backups"))
    shop("restore", 1, "--to", "out.db", "--force")


def test_a_full_disk_can_be_freed_with_cleanup_and_delete(shop, small):
    subprocess.run(["mount", "-o", "remount,size=100m", small], check=True)
    home = {"KEDGE_HOME": os.path.join(small, "home")}
    for _ in range(2):
        shop("backup", "shop.db", env=home)
    number = shop.lines("list", env=home)[0]["number"]
    with open(os.path.join(small, "fill"), "wb", buffering=0) as file:
        with pytest.raises(OSError):
            while True:
                file.write(bytes(4096))
    assert len(shop.lines("list", env=home)) == 2
    shop("cleanup", env=home)
    shop("delete", number, "--force", env=home)
    assert len(shop.lines("list", env=home)) == 1
    assert not os.path.exists(os.path.join(small, "home", "catalog.db-reserve"))
    os.unlink(os.path.join(small, "fill"))
    shop("list", env=home)
    assert os.path.getsize(os.path.join(small, "home", "catalog.db-reserve")) == 1 << 20


def test_a_destination_that_is_named_twice_is_used_once(shop):
    with open(shop.path("kedge.yaml"), "w", encoding="utf-8") as file:
        file.write("targets:\n  shop: {url: shop.db, destination: [local, local]}\n")
    assert "warning" not in shop("backup", "shop").stderr
    assert len(shop.files()) == 2


def test_one_backup_and_all_of_them_is_a_contradiction(shop):
    shop("backup", "shop.db")
    assert "either" in shop("verify", 1, "--all", status=2).stderr
