"""What a hostile neighbour, a full disk or an impatient person does, and what must hold nevertheless."""
import json
import os
import shutil
import signal
import sqlite3
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
