"""Full backups: a database and the files that belong to it in one restore point, restored together or apart.

Both parts come back or neither does: a second swap that fails takes the first back, and what a killed run left between the
two is sorted out by the next start.
"""
import json
import os
import shutil
import sqlite3
import subprocess

import pytest

from conftest import BUILD, Kedge

FAULTY = os.path.join(BUILD, "tests", "kedge-faulty")
STRIDE = int(os.environ.get("KEDGE_FAULT_STRIDE", "1"))
OLD, NEW = ("old", "old"), ("new", "new")


class Shop:
    """A database and a tree, both of which say "old" in the full backup 1, and "new" now."""

    def __init__(self, kedge):
        self.kedge = kedge
        self.database = kedge.path("data", "shop.db")
        self.tree = kedge.path("tree", "uploads")
        os.makedirs(self.tree)
        os.makedirs(os.path.dirname(self.database))
        with open(kedge.path("kedge.yaml"), "w", encoding="utf-8") as file:
            file.write(f"targets:\n  shop:\n    url: sqlite:{self.database}\n    paths: [{self.tree}]\n")
        self.write("old")
        kedge("backup", "shop", "--type", "full")
        self.write("new")

    def write(self, word):
        with sqlite3.connect(self.database) as db:
            db.executescript("PRAGMA journal_mode=WAL; CREATE TABLE IF NOT EXISTS t (id INTEGER PRIMARY KEY, v TEXT);")
            db.execute("INSERT OR REPLACE INTO t VALUES (1, ?)", (word,))
        db.close()
        with open(os.path.join(self.tree, "a"), "w", encoding="utf-8") as file:
            file.write(word)

    def state(self):
        db = sqlite3.connect(self.database)
        try:
            row = db.execute("SELECT v FROM t").fetchone()[0]
        finally:
            db.close()
        with open(os.path.join(self.tree, "a"), encoding="utf-8") as file:
            return row, file.read()

    def left(self):
        return [name for folder in (os.path.dirname(self.database), os.path.dirname(self.tree))
                for name in os.listdir(folder) if ".kedge-" in name]


@pytest.fixture
def shop(kedge):
    return Shop(kedge)


def test_both_come_back_and_go_again(kedge, shop):
    done = kedge("restore", "1", "--force")
    assert shop.state() == OLD
    assert "shop.db" in done.stdout and "_files.tar" in done.stdout
    row, = kedge.lines("restores")
    assert row["status"] == "success" and row["type"] == "full"
    assert shop.database in row["target"] and "files:shop" in row["target"]
    for expected in (NEW, OLD, NEW):
        kedge("undo", "--force")
        assert shop.state() == expected
    assert len(kedge.lines("restores")) == 1


def test_a_dry_run_shows_both_and_changes_nothing(kedge, shop):
    plan = kedge("restore", "1", "--dry-run").stdout
    assert shop.database in plan and shop.tree in plan
    parts = kedge.json("restore", "1", "--dry-run")["parts"]
    assert [part["type"] for part in parts] == ["database", "files"]
    assert shop.state() == NEW and not shop.left()


@pytest.mark.parametrize("safety, type_", [("swap", "full"), ("swap", "files"), ("swap", "database"), ("backup", "full"),
                                           ("none", "full")])
def test_the_way_back_is_a_command_that_goes_back(kedge, shop, safety, type_):
    done = kedge.json("restore", "1", "--force", "--safety", safety, "--type", type_)
    if safety == "none":
        assert done["way_back"] is None and done["undo_until"] is None
        return
    assert done["way_back"] == "kedge undo 1"
    assert done["undo_until"] == kedge.lines("restores")[0]["undo_until"]
    assert done["safety_backup"] == ("backup 2" if safety == "backup" else None)
    assert shop.state() != NEW
    kedge(*done["way_back"].split()[1:], "--force")
    assert shop.state() == NEW


def test_one_confirmation_is_about_both(kedge, shop):
    refused = kedge("restore", "1", status=5).stderr
    assert shop.database in refused and shop.tree in refused
    assert shop.state() == NEW and not shop.left()


@pytest.mark.parametrize("arguments,expected,left_out", [
    (["--type", "database"], ("old", "new"), "files"),
    (["--table", "t"], ("old", "new"), "files"),
    (["--type", "files"], ("new", "old"), "database"),
    (["--include", "a"], ("new", "old"), "database"),
])
def test_one_part_leaves_the_other_and_says_so(kedge, shop, arguments, expected, left_out):
    done = kedge("restore", "1", "--force", *arguments)
    assert shop.state() == expected
    assert f"The {left_out} of this backup w" in done.stderr
    kedge("undo", "--force")
    assert shop.state() == NEW


@pytest.mark.parametrize("arguments", [
    ["--type", "files", "--table", "t"], ["--table", "t", "--include", "a"], ["--type", "full", "--table", "t"],
    ["--to", "nothing-here-yet"]])
def test_contradictions_are_refused(kedge, shop, arguments):
    kedge("restore", "1", "--force", *arguments, status=2)
    assert shop.state() == NEW and not kedge.lines("restores")


def test_another_place_means_the_part_that_fits_there(kedge, shop):
    os.mkdir(kedge.path("look"))
    done = kedge("restore", "1", "--to", "look", "--force")
    with open(kedge.path("look") + shop.tree + "/a", encoding="utf-8") as file:
        assert file.read() == "old"
    assert "The database of this backup was left as it is" in done.stderr
    done = kedge("restore", "1", "--to", "copy.db")
    assert "The files of this backup were left as they are" in done.stderr
    with sqlite3.connect(kedge.path("copy.db")) as db:
        assert db.execute("SELECT v FROM t").fetchone()[0] == "old"
    db.close()
    assert shop.state() == NEW


@pytest.mark.parametrize("by_path", [True, False])
def test_a_file_of_it_is_that_part(kedge, shop, by_path):
    database, = [name for name in kedge.files() if ".sqlite3" in name and not name.endswith(".json")]
    files, = [name for name in kedge.files() if ".tar" in name and not name.endswith(".json")]
    name = lambda file: os.path.join(kedge.backups, file) if by_path else file
    kedge("restore", name(files), "--force")
    assert shop.state() == ("new", "old")
    kedge("undo", "--force")
    kedge("restore", name(database), "--force")
    assert shop.state() == ("old", "new")


@pytest.mark.parametrize("level", [0, 1, 2, 3])
def test_both_files_are_verified(kedge, shop, level):
    kedge("verify", "1", "--level", level)
    files, = [name for name in kedge.files() if ".tar" in name and not name.endswith(".json")]
    with open(os.path.join(kedge.backups, files), "r+b") as file:
        file.seek(20)
        file.write(b"damage")
    kedge("verify", "1", "--level", level, status=21 if level else 0)


@pytest.mark.parametrize("safety", ["none", "backup"])
def test_without_swap_nothing_is_kept_beside(kedge, shop, safety):
    kedge("restore", "1", "--force", "--safety", safety)
    assert shop.state() == OLD and not shop.left()
    if safety == "backup":
        kedge("undo", "--force")
        assert shop.state() == NEW
    else:
        kedge("undo", "--force", status=4)


def test_old_copies_of_both_go_when_their_date_has_passed(kedge, shop):
    kedge("restore", "1", "--force")
    assert len(shop.left()) == 2
    with sqlite3.connect(os.path.join(kedge.home, "catalog.db")) as db:
        db.execute("UPDATE restores SET undo_until = '2020-01-01T00:00:00.000000Z'")
    db.close()
    kedge("cleanup", "--force")
    assert not shop.left()
    kedge("undo", "--force", status=4)


def test_files_without_room_for_them_leave_the_database(kedge, shop):
    """Refused before anything is touched: the parent of the tree is somebody else's file."""
    shutil.rmtree(os.path.dirname(shop.tree))
    with open(os.path.dirname(shop.tree), "w", encoding="utf-8"):
        pass
    result = kedge("restore", "1", "--force", status=None)
    assert result.returncode not in (0, 23)
    os.unlink(os.path.dirname(shop.tree))
    os.makedirs(shop.tree)
    with open(os.path.join(shop.tree, "a"), "w", encoding="utf-8") as file:
        file.write("new")
    assert shop.state() == NEW and not shop.left()


def test_a_database_inside_the_tree_is_refused_with_the_way(kedge):
    folder = kedge.path("app")
    os.mkdir(folder)
    with open(kedge.path("kedge.yaml"), "w", encoding="utf-8") as file:
        file.write(f"targets:\n  app:\n    url: sqlite:{folder}/app.db\n    paths: [{folder}]\n")
    with sqlite3.connect(os.path.join(folder, "app.db")) as db:
        db.execute("CREATE TABLE t (v)")
    db.close()
    kedge("backup", "app", "--type", "full")
    refused = kedge("restore", "1", "--force", status=22)
    assert "--type files, then --type database" in refused.stderr
    kedge("restore", "1", "--force", "--type", "files")
    kedge("restore", "1", "--force", "--type", "database")


def test_postgres_and_files(kedge, postgres):
    url = postgres.fresh()
    tree = kedge.path("uploads")
    os.mkdir(tree)

    def write(word):
        postgres.sql(f"CREATE TABLE IF NOT EXISTS t (v text); DELETE FROM t; INSERT INTO t VALUES ('{word}')", "shop")
        with open(os.path.join(tree, "a"), "w", encoding="utf-8") as file:
            file.write(word)

    def state():
        with open(os.path.join(tree, "a"), encoding="utf-8") as file:
            return postgres.sql("SELECT v FROM t", "shop").strip(), file.read()

    with open(kedge.path("kedge.yaml"), "w", encoding="utf-8") as file:
        file.write(f"targets:\n  shop:\n    url: {url}\n    paths: [{tree}]\n")
    write("old")
    kedge("backup", "shop", "--type", "full")
    write("new")
    kedge("restore", "1", "--force")
    assert state() == OLD
    for expected in (NEW, OLD):
        kedge("undo", "--force")
        assert state() == expected
    kedge("verify", "1", "--level", "3")


# ---- broken at every call ----

class Ground:
    """A full backup and what came after it, in a folder that each case begins with again."""

    def __init__(self, folder):
        os.mkdir(os.path.join(folder, "work"))
        self.kedge = Kedge(os.path.join(folder, "work"), FAULTY)
        self.shop = Shop(self.kedge)
        self.count = os.path.join(folder, "count")
        self.saved = os.path.join(folder, "saved")
        shutil.copytree(self.kedge.folder, self.saved, symlinks=True)

    def reset(self):
        shutil.rmtree(self.kedge.folder)
        shutil.copytree(self.saved, self.kedge.folder, symlinks=True)

    def run(self, *arguments, fault=None, status=0):
        env = {"KEDGE_TEST_FAULT_COUNT": self.count, **({"KEDGE_TEST_FAULT": fault} if fault else {})}
        return self.kedge(*arguments, env=env, status=status)

    def calls(self):
        with open(self.count, encoding="ascii") as file:
            return int(file.read())


@pytest.fixture
def ground(tmp_path):
    if not os.path.exists(FAULTY):
        pytest.skip("kedge-faulty is not built")
    return Ground(str(tmp_path))


@pytest.mark.parametrize("kind", ["kill", "eio"])
def test_restore_broken_at_every_call_leaves_no_mix(ground, kind):
    ground.run("restore", "1", "--force")
    total = ground.calls()
    mixed = 0
    for at in range(1, total + 1, STRIDE):
        ground.reset()
        result = ground.run("restore", "1", "--force", fault=f"{kind}:{at}", status=None)
        context = f"{kind} at call {at} of {total}: exit {result.returncode}\n{result.stdout}{result.stderr}"
        try:
            mixed += ground.shop.state() not in (OLD, NEW)
            if result.returncode == 0:
                assert ground.shop.state() == OLD
            if result.returncode == 22:
                assert ground.shop.state() == NEW
            if result.returncode not in (23, -9, 137):
                assert ground.shop.state() in (OLD, NEW)
            context += "next start: " + ground.run("list").stderr
            assert ground.shop.state() in (OLD, NEW)
            assert not [row for row in ground.kedge.lines("restores") if row["status"] == "running"]
            ground.run("restore", "1", "--force")
            assert ground.shop.state() == OLD
        except AssertionError as error:
            raise AssertionError(context) from error
    if kind == "kill" and STRIDE == 1:
        assert mixed, "no kill came between the two swaps"


@pytest.mark.parametrize("kind", ["kill"])
def test_undo_broken_at_every_call_leaves_no_mix(ground, kind):
    ground.run("restore", "1", "--force")
    ground.run("undo", "--force")
    total = ground.calls()
    for at in range(1, total + 1, STRIDE):
        ground.reset()
        ground.run("restore", "1", "--force")
        result = ground.run("undo", "--force", fault=f"{kind}:{at}", status=None)
        context = f"{kind} at call {at} of {total}: exit {result.returncode}\n{result.stdout}{result.stderr}"
        try:
            context += "next start: " + ground.run("list").stderr
            assert ground.shop.state() in (OLD, NEW)
            row, = ground.kedge.lines("restores")
            assert row["status"] == "success"
            if not row["undone_at"]:
                ground.run("undo", "--force")
            assert ground.shop.state() == NEW
        except AssertionError as error:
            raise AssertionError(context) from error
