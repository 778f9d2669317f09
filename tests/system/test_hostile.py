"""What a hostile neighbour, a full disk or an impatient person does, and what must hold nevertheless."""
import fcntl
import hashlib
import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time

import pytest

from conftest import BINARY, Kedge, make_database


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
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
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
    assert len(shop.lines("list", env=home)) == 1
    for command in (("restore", 1, "--to", "out.db", "--force"), ("cleanup",)):
        result = shop(*command, env=home, status=1)
        assert text in result.stderr and "hint: to restore meanwhile" in result.stderr
    shop("catalog", "rebuild", "--from", os.path.join(small, "home", "backups"))
    shop("restore", 1, "--to", "out.db", "--force")


READING = (("list",), ("show", 1), ("stats",), ("restores",), ("catalog", "check"), ("verify", 1, "--level", 2),
           ("backup:list",))


def check_reading(kedge, **options):
    """Everything that only looks works and says nothing of it; what must write fails with a hint."""
    for words in READING:
        result = kedge(*words, **options)
        assert "level 2" in result.stdout if words[0] == "verify" else result.stderr in ("", "no restores\n"), (words, result.stderr)
    assert "cannot be written" in kedge("verify", 1, **options).stderr
    assert "catalogue" in kedge("doctor", status=1, **options).stdout
    for words in (("backup", "shop.db"), ("delete", 1, "--force"), ("cleanup",), ("undo", "--force")):
        result = kedge(*words, status=1, **options)
        assert "cannot be opened for writing" in result.stderr and "hint:" in result.stderr, words


@pytest.mark.parametrize("state", ["closed", "log and index", "log only"])
def test_what_only_looks_works_on_a_read_only_disk(shop, small, state):
    home = {"KEDGE_HOME": os.path.join(small, "a home with ?#%41")}
    shop("backup", "shop.db", env=home)
    catalog = os.path.join(home["KEDGE_HOME"], "catalog.db")
    if state != "closed":
        subprocess.run([sys.executable, "-c", "import os, sqlite3, sys; db = sqlite3.connect(sys.argv[1]); "
                        "db.execute('UPDATE counters SET value = value + 5'); db.commit(); os._exit(0)", catalog], check=True)
        assert os.path.getsize(catalog + "-wal")
    if state == "log only":
        os.remove(catalog + "-shm")
    subprocess.run(["mount", "-o", "remount,ro", small], check=True)
    if state == "log only":  # what the log has cannot be read in place
        assert "hint: to restore meanwhile" in shop("list", env=home, status=1).stderr
        return
    check_reading(shop, env=home)


@pytest.fixture
def another_user():
    """A folder and a program that everybody may read, and the options to run as somebody who may not write."""
    if os.geteuid() != 0:
        pytest.skip("needs to become another user")
    folder = tempfile.mkdtemp(prefix="kedge-another-")
    os.chmod(folder, 0o755)
    yield Kedge(folder, shutil.copy(BINARY, folder)), {"user": 65534, "group": 65534, "extra_groups": []}
    shutil.rmtree(folder)


@pytest.mark.parametrize("busy", [False, True])
def test_what_only_looks_works_for_a_user_who_may_only_read(another_user, busy):
    kedge, nobody = another_user
    make_database(kedge.path("shop.db"))
    kedge("backup", "shop.db")
    for folder, _, files in os.walk(kedge.home):
        os.chmod(folder, 0o755)
        for name in files:
            os.chmod(os.path.join(folder, name), 0o644)
    db = sqlite3.connect(os.path.join(kedge.home, "catalog.db"))
    if busy:
        db.execute("UPDATE counters SET value = value + 5")
        db.commit()
    check_reading(kedge, **nobody)
    db.close()


def test_doctor_goes_on_after_a_bad_catalogue(shop):
    os.mkdir(shop.home)
    with open(os.path.join(shop.home, "catalog.db"), "w", encoding="utf-8") as file:
        file.write("this is no database" * 100)
    with open(shop.path("kedge.yaml"), "w", encoding="utf-8") as file:
        file.write("targets:\n  shop: {url: shop.db}\n  gone: {url: gone.db}\n")
    result = shop("doctor", status=1)
    for text in ("✗ catalogue", "✓ clock", "✓ destination local", "✓ target shop", "✗ target gone"):
        assert text in result.stdout
    assert "2 things are" in result.stderr
    assert [item["good"] for item in shop.lines("doctor", status=1) if item["what"] == "catalogue"] == [False]


def test_an_emptied_catalogue_is_not_a_new_one(shop):
    shop("backup", "shop.db")
    catalog = os.path.join(shop.home, "catalog.db")
    open(catalog, "w", encoding="utf-8").close()
    for words in (("list",), ("backup", "shop.db")):
        result = shop(*words, status=1)
        assert "is empty, but there are backups in" in result.stderr
        assert "hint: kedge catalog rebuild --from" in result.stderr and os.path.getsize(catalog) == 0
    shop("catalog", "rebuild", "--from", shop.backups)
    assert len(shop.lines("list")) == 1
    other = {"KEDGE_HOME": shop.path("other")}
    os.mkdir(shop.path("other"))
    open(os.path.join(shop.path("other"), "catalog.db"), "w", encoding="utf-8").close()
    assert shop.lines("list", env=other) == []


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


# ---- a manifest that somebody edited ----

def edit_manifest(path, seal=True, **changes):
    """As somebody does who knows the format: the seal is made anew, so that the text is sound in itself."""
    with open(path + ".json", encoding="utf-8") as file:
        text = file.read()
    for key, value in changes.items():
        text, count = re.subn(rf'("{key}": )[^\n]*?(,?\n)', lambda found: found[1] + json.dumps(value) + found[2], text)
        assert count == 1, key
    body = text[:text.index(',\n  "seal"')]
    if seal:
        text = body + f',\n  "seal": "{hashlib.sha256(body.encode()).hexdigest()}"\n}}\n'
    with open(path + ".json", "w", encoding="utf-8") as file:
        file.write(text)


@pytest.mark.parametrize("seal", [True, False])
def test_an_edited_manifest_sends_no_restore_elsewhere(shop, seal):
    make_database(shop.path("other.db"), rows=3)
    before = open(shop.path("other.db"), "rb").read()
    shop("backup", "shop.db")
    edit_manifest(artifact(shop), seal, connection="sqlite:" + shop.path("other.db"))
    for words in (("restore", 1, "--force"), ("restore", 1, "--force", "--to", "out.db"), ("verify", 1)):
        result = shop(*words, status=21)
        assert "is not the manifest that was written with backup 1" in result.stderr and "hint:" in result.stderr
    assert open(shop.path("other.db"), "rb").read() == before and not os.path.exists(shop.path("out.db"))
    os.remove(artifact(shop) + ".json")
    shop("verify", 1)
    shop("verify", 1, "--level", 1)
    shop("restore", 1, "--force", "--to", "out.db")


@pytest.mark.parametrize("options", [(), ("--compress=gzip",), ("--compress=none",), ("--format", "sql")])
def test_an_older_file_with_an_edited_manifest_is_not_the_backup(shop, options):
    for _ in range(2):
        shop("backup", "shop.db", *options)
        time.sleep(1.1)
    older, newer = artifact(shop, 1), artifact(shop, 2)
    with open(newer + ".json", encoding="utf-8") as file:
        checksum = json.load(file)["checksum"]
    shutil.copy(older, newer)
    shutil.copy(older + ".json", newer + ".json")
    edit_manifest(newer, file=os.path.basename(newer), checksum=checksum)
    shop("restore", 2, "--force", "--to", "out.db", status=21)
    assert not os.path.exists(shop.path("out.db"))


def test_another_file_without_a_manifest_is_not_the_backup(shop):
    shop("backup", "shop.db", "--compress=none")
    path = artifact(shop)
    os.remove(path + ".json")
    shop("restore", 1, "--force", "--to", "fine.db")
    with open(path, "r+b") as file:
        file.seek(os.path.getsize(path) - 1)
        file.write(b"x")
    assert "is not the file of backup 1" in shop("restore", 1, "--force", "--to", "out.db", status=21).stderr
    assert not os.path.exists(shop.path("out.db"))


@pytest.mark.parametrize("words", [("restore", 1, "--force"), ("verify", 1), ("verify", 1, "--level", 1)])
def test_the_second_file_of_a_full_backup_is_compared_too(shop, words):
    os.mkdir(shop.path("tree"))
    with open(shop.path("kedge.yaml"), "w", encoding="utf-8") as file:
        file.write("targets:\n  shop: {url: shop.db, paths: [tree], compress: none}\n")
    for text in ("good", "evil"):
        with open(shop.path("tree/note"), "w", encoding="utf-8") as file:
            file.write(text)
        shop("backup", "shop", "--type", "full")
        time.sleep(1.1)
    good, evil = (artifact(shop, number).replace(".sqlite3", "_files.tar") for number in (1, 2))
    shutil.copy(evil, good)
    shutil.copy(evil + ".json", good + ".json")
    edit_manifest(good, file=os.path.basename(good))
    shop(*words, status=21)
    with open(shop.path("tree/note"), encoding="utf-8") as file:
        assert file.read() == "evil"


@pytest.mark.parametrize("kind", ["database", "files"])
def test_a_file_that_no_catalogue_knows_goes_where_its_manifest_says_unless_that_was_edited(shop, kind):
    os.mkdir(shop.path("tree"))
    shop("backup", "shop.db" if kind == "database" else "tree")
    path = artifact(shop)
    shop("restore", path, "--force")
    other = {"KEDGE_HOME": shop.path("elsewhere")}
    shop("restore", path, "--force", env=other)
    shop("restore", path, "--force", "--to", shop.path("new/" if kind == "files" else "new.db"), env=other)
    edit_manifest(path, seal=False, target="another")
    result = shop("restore", path, "--force", env=other, status=2)
    assert "was edited" in result.stderr and re.search("hint: say where .* to go: --to", result.stderr)
    assert (shop.path("shop.db") if kind == "database" else "files") in result.stderr
    edit_manifest(path, target="some")
    assert "was edited" in shop("restore", path, "--force", status=2).stderr
    shop("restore", path, "--force", "--to", shop.path("new/" if kind == "files" else "new2.db"))
    if kind == "database":
        shop("restore", path, "--force", env={**other, "DATABASE_URL": "sqlite:" + shop.path("shop.db")})


def test_a_foreign_statement_without_end_is_not_kept_in_memory(kedge):
    """A file of a few kilobytes that becomes gigabytes; a backup of ours is restored whatever it holds."""
    process = subprocess.Popen(["zstd", "-q", "-1", "-o", kedge.path("big.sql.zst")], stdin=subprocess.PIPE)
    process.stdin.write(b"CREATE TABLE t (a);\nINSERT INTO t VALUES ('")
    for _ in range(30):
        process.stdin.write(bytes(b"a") * 1000000)
    process.stdin.write(b"');\n")
    process.communicate()
    limit = ("--max-statement-mb", 20)
    result = kedge("restore", "./big.sql.zst", "--to", "out.db", "--force", *limit, status=22)
    assert "statement is longer than 20000000 bytes" in result.stderr and "hint: --max-statement-mb" in result.stderr
    assert not os.path.exists(kedge.path("out.db"))
    kedge("restore", "./big.sql.zst", "--to", "out.db", "--force")
    kedge("backup", "out.db", "--format", "sql")
    kedge("restore", 1, "--to", "back.db", "--force", *limit)
    with sqlite3.connect(kedge.path("back.db")) as db:
        assert db.execute("SELECT length(a) FROM t").fetchone() == (30000000,)
