"""kedge is killed at random moments of real work on a database that takes it a while.

The calls of a small case are broken one by one in test_faults.py; here it is the time that differs: threads are in the
middle of compressing, writing back and reading back. KEDGE_TEST_LARGE_MB says how large the database is.
"""
import os
import random
import sqlite3
import time

MEGABYTES = int(os.environ.get("KEDGE_TEST_LARGE_MB", "60"))
ROUNDS = int(os.environ.get("KEDGE_TEST_ROUNDS", "24"))


def make(path):
    """Half of it can be compressed. `state` tells which of two databases it is."""
    db = sqlite3.connect(path)
    db.executescript("PRAGMA journal_mode=WAL; CREATE TABLE state (name TEXT); CREATE TABLE t (id INTEGER PRIMARY KEY, v BLOB);"
                     "INSERT INTO state VALUES ('backed up');")
    db.execute("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) "
               "INSERT INTO t SELECT i, randomblob(5000) || zeroblob(5000) FROM n", (MEGABYTES * 100,))
    db.commit()
    db.close()


def change(path):
    db = sqlite3.connect(path)
    db.execute("UPDATE state SET name = 'changed'")
    db.execute("DELETE FROM t WHERE id % 7 = 0")
    db.commit()
    db.close()


def look(path):
    """The state, and that the whole of it belongs to it."""
    db = sqlite3.connect(path)
    assert db.execute("PRAGMA quick_check").fetchone()[0] == "ok"
    state = db.execute("SELECT name FROM state").fetchone()[0]
    count = db.execute("SELECT count(*) FROM t").fetchone()[0]
    db.close()
    whole = MEGABYTES * 100
    assert count == (whole if state == "backed up" else whole - whole // 7)
    return state


def test_killed_at_random_moments(kedge, processes):
    path = kedge.path("shop.db")
    make(path)
    kedge("backup", path)
    good = kedge.lines("list")[0]["name"]
    change(path)
    work = {"backup": ["backup", path], "restore": ["restore", good, "--force"], "undo": ["undo", "--yes"], "cleanup": ["cleanup"]}
    took = {}
    for name in ("backup", "restore", "undo", "cleanup"):
        started = time.monotonic()
        kedge(*work[name])
        took[name] = time.monotonic() - started
    moments = random.Random(20261121)
    cut = 0
    for number in range(ROUNDS):
        name = moments.choice(["backup", "backup", "restore", "restore", "undo", "cleanup"])
        before = look(path)
        process = kedge.start(*work[name])
        processes.append(process)
        time.sleep(moments.random() * took[name] * 1.1)
        process.kill()
        process.communicate()
        cut += process.returncode == -9
        # What others see at once: one of the two databases, whole.
        after = look(path)
        assert after in ("backed up", "changed")
        if name in ("backup", "cleanup"):
            assert after == before, (number, name)
        rows = kedge.lines("list")
        assert all(row["status"] in ("success", "failed", "deleted") for row in rows), rows
        assert good in [row["name"] for row in rows if row["status"] == "success"]
        # The next run needs no manual step.
        kedge("verify", "latest", "--level", "2")
        if number % 6 == 5:
            kedge("backup", path)
            kedge("cleanup")
            left = [name for name in kedge.files() if ".kedge-" in name and name.endswith(".tmp")]
            assert not left, left
    assert cut > ROUNDS // 4, "the moments were too late to prove anything"
    kedge("restore", good, "--force")
    assert look(path) == "backed up"
