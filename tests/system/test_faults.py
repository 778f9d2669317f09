"""kedge is killed, or its disk fails, at every single call it makes to the operating system.

The program under test is kedge with a system call table that counts (tests/harness/os_faulty.h) and a SQLite VFS that
counts with it. What must hold afterwards is what docs/promises.md says: nothing unreported is visible, older backups are
intact, the target is as before or as the backup, and the next run needs no manual step.
"""
import json
import os
import shutil
import sqlite3
import subprocess

import pytest

BUILD = os.environ.get("KEDGE_BUILD", "build")
FAULTY = os.path.abspath(os.path.join(BUILD, "tests", "kedge-faulty"))
# Every n-th call is broken. 1 is the truth and takes minutes; the whole range is covered over several runs by shifting the start.
STRIDE = int(os.environ.get("KEDGE_FAULT_STRIDE", "1"))

pytestmark = pytest.mark.skipif(not os.path.exists(FAULTY), reason="kedge-faulty is not built")


class Ground:
    """A small database, a KEDGE_HOME with one good backup, and copies of both to start each case from."""

    def __init__(self, folder):
        self.folder = folder
        self.work = os.path.join(folder, "work")
        self.saved = os.path.join(folder, "saved")
        os.makedirs(self.work)
        self.database = os.path.join(self.work, "shop.db")
        with sqlite3.connect(self.database) as db:
            db.executescript("PRAGMA journal_mode=WAL; CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT);")
            db.executemany("INSERT INTO t (v) VALUES (?)", ((f"value {i}",) for i in range(200)))
        db.close()
        self.run("backup", "shop.db")
        self.prepare = lambda: None

    def save(self):
        if os.path.exists(self.saved):
            shutil.rmtree(self.saved)
        shutil.copytree(self.work, self.saved, symlinks=True)

    def reset(self):
        """Back to what was saved; `prepare` does what a copy of files cannot carry over (inodes tell sides of a swap)."""
        shutil.rmtree(self.work)
        shutil.copytree(self.saved, self.work, symlinks=True)
        self.prepare()

    def run(self, *arguments, fault=None, check=True):
        count_file = os.path.join(self.folder, "count")
        environment = {"PATH": os.environ["PATH"], "HOME": self.work, "KEDGE_HOME": os.path.join(self.work, "home"),
                       "KEDGE_TEST_FAULT_COUNT": count_file}
        if fault:
            environment["KEDGE_TEST_FAULT"] = fault
        result = subprocess.run([FAULTY, *arguments], cwd=self.work, env=environment, stdin=subprocess.DEVNULL,
                                capture_output=True, text=True, errors="replace", timeout=60)
        if check:
            assert result.returncode == 0, f"{arguments}: {result.returncode}\n{result.stdout}\n{result.stderr}"
        return result

    def calls(self, *arguments):
        """How many calls a run without faults makes."""
        self.reset()
        self.run(*arguments)
        with open(os.path.join(self.folder, "count"), encoding="ascii") as file:
            number = int(file.read())
        self.reset()
        return number

    def backups(self):
        out = self.run("list", "--json").stdout
        return [json.loads(line) for line in out.splitlines() if line.strip()]

    def rows(self):
        db = sqlite3.connect(self.database)
        try:
            assert db.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
            return db.execute("SELECT id, v FROM t ORDER BY id").fetchall()
        finally:
            db.close()

    def undone(self):
        db = sqlite3.connect(os.path.join(self.work, "home", "catalog.db"))
        try:
            return db.execute("SELECT undone_at FROM restores ORDER BY number DESC LIMIT 1").fetchone()[0] is not None
        finally:
            db.close()

    def check_whole(self, at_least):
        """Every success is whole, no success was lost, and cleanup leaves no trace of the accident."""
        good = [backup for backup in self.backups() if backup["status"] == "success"]
        assert len(good) >= at_least
        for backup in good:
            self.run("verify", str(backup["number"]), "--level", "2")
        assert not [backup for backup in self.backups() if backup["status"] in ("pending", "running")]
        self.run("cleanup", "--force")
        left = [name for _, _, names in os.walk(self.work) for name in names if name.startswith(".kedge-")]
        assert not left, left


@pytest.fixture(scope="module")
def ground(tmp_path_factory):
    made = Ground(str(tmp_path_factory.mktemp("faults")))
    made.save()
    return made


def cases(total):
    return range(1, total + 1, STRIDE)


@pytest.mark.parametrize("kind", ["kill", "eio", "nospace"])
def test_backup_broken_at_every_call(ground, kind):
    total = ground.calls("backup", "shop.db")
    before = ground.rows()
    for at in cases(total):
        ground.reset()
        result = ground.run("backup", "shop.db", fault=f"{kind}:{at}", check=False)
        context = f"{kind} at call {at} of {total}: exit {result.returncode}\n{result.stdout}{result.stderr}"
        try:
            good = [b for b in ground.backups() if b["status"] == "success"]
            if result.returncode == 0:
                assert len(good) == 2
            ground.check_whole(at_least=1)
            assert ground.rows() == before
            ground.run("backup", "shop.db")
        except AssertionError as error:
            raise AssertionError(context) from error


def change(ground):
    with sqlite3.connect(ground.database) as db:
        db.execute("DELETE FROM t WHERE id > 50")
        db.execute("INSERT INTO t VALUES (1000, 'new')")
    db.close()


@pytest.mark.parametrize("kind", ["kill", "eio", "nospace"])
def test_restore_broken_at_every_call(ground, kind):
    ground.reset()
    old_state = ground.rows()
    change(ground)
    new_state = ground.rows()
    plain = ground.saved
    ground.saved = os.path.join(ground.folder, f"changed-{kind}")
    ground.save()
    try:
        total = ground.calls("restore", "latest", "--force")
        for at in cases(total):
            ground.reset()
            result = ground.run("restore", "latest", "--force", fault=f"{kind}:{at}", check=False)
            context = f"{kind} at call {at} of {total}: exit {result.returncode}\n{result.stdout}{result.stderr}"
            try:
                state = ground.rows()
                assert state in (old_state, new_state)
                if result.returncode == 0:
                    assert state == old_state
                if result.returncode == 22:
                    assert state == new_state
                ground.run("list")
                assert ground.rows() == state
                ground.run("restore", "latest", "--force")
                assert ground.rows() == old_state
                ground.check_whole(at_least=1)
            except AssertionError as error:
                raise AssertionError(context) from error
    finally:
        ground.saved = plain


@pytest.mark.parametrize("kind", ["kill", "eio"])
def test_undo_broken_at_every_call(ground, kind):
    ground.reset()
    old_state = ground.rows()
    change(ground)
    new_state = ground.rows()
    plain = ground.saved
    ground.saved = os.path.join(ground.folder, f"undo-{kind}")
    ground.save()
    ground.prepare = lambda: ground.run("restore", "latest", "--force")
    try:
        total = ground.calls("undo", "--force")
        for at in cases(total):
            ground.reset()
            result = ground.run("undo", "--force", fault=f"{kind}:{at}", check=False)
            context = f"{kind} at call {at} of {total}: exit {result.returncode}\n{result.stdout}{result.stderr}"
            try:
                state = ground.rows()
                assert state in (old_state, new_state)
                if result.returncode == 0:
                    assert state == new_state
                # Whoever was interrupted says it again, and means the same whichever side the target is on, unless the log
                # has it already.
                if ground.undone():
                    assert state == new_state
                else:
                    ground.run("undo", "--force")
                    assert ground.rows() == new_state
            except AssertionError as error:
                raise AssertionError(context) from error
    finally:
        ground.saved = plain
        ground.prepare = lambda: None


@pytest.mark.parametrize("kind", ["kill", "eio"])
def test_cleanup_broken_at_every_call(ground, kind):
    ground.reset()
    ground.run("backup", "shop.db", "--retention", "1")
    ground.run("backup", "shop.db")
    with sqlite3.connect(os.path.join(ground.work, "home", "catalog.db")) as db:
        db.execute("UPDATE backups SET expires_at = '2020-01-01T00:00:00Z' WHERE number = 2")
    db.close()
    plain = ground.saved
    ground.saved = os.path.join(ground.folder, f"cleanup-{kind}")
    ground.save()
    try:
        total = ground.calls("cleanup", "--force")
        for at in cases(total):
            ground.reset()
            result = ground.run("cleanup", "--force", fault=f"{kind}:{at}", check=False)
            context = f"{kind} at call {at} of {total}: exit {result.returncode}\n{result.stdout}{result.stderr}"
            try:
                ground.check_whole(at_least=2)
                numbers = {b["number"] for b in ground.backups()}
                assert {1, 3} <= numbers and 2 not in numbers
                files = os.listdir(os.path.join(ground.work, "home", "backups"))
                assert len(files) == 4, files
            except AssertionError as error:
                raise AssertionError(context) from error
    finally:
        ground.saved = plain
