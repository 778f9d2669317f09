"""What a restore of files would bring and replace is told before it happens, and is what then happens."""
import io
import os
import subprocess
import tarfile

import pytest

from conftest import contents, make_database


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def describe(top):
    return {os.path.relpath(os.path.join(folder, name), top): os.lstat(os.path.join(folder, name)).st_ino
            for folder, folders, files in os.walk(top) for name in folders + files}


@pytest.fixture
def tree(kedge):
    """Backup 1: a tree of 12 entries."""
    top = kedge.path("tree")
    for number in range(5):
        write(f"{top}/docs/{number}.txt", "x" * 100)
    write(f"{top}/docs/deep/a.txt", "x" * 1000)
    write(f"{top}/pictures/a.png", "x" * 10000)
    os.symlink("a.png", f"{top}/pictures/b.png")
    kedge("backup", top)
    return top


def plan_of(kedge, *words):
    plan = kedge.json("restore", "1", "--dry-run", *words)
    assert plan["dry_run"] is True
    return {key: plan[key] for key in ("objects_restored", "bytes_restored", "objects_replaced", "bytes_replaced")}


@pytest.mark.parametrize("words, expected", [
    (["--include", "docs/*.txt"], (5, 500, 5, 500)),
    (["--include", "docs"], (8, 1500, 6, 1500)),
    (["--include", "*.png"], (2, 10000, 2, 10000)),
    (["--exclude", "docs"], (4, 10000, 2, 10000)),
    (["--include", "docs", "--exclude", "*.txt"], (2, 0, 0, 0)),
    (["--include", "docs/deep/"], (2, 1000, 1, 1000)),
    ([], (12, 11500, 12, 11500)),
])
def test_a_choice_is_told_as_it_is(kedge, tree, words, expected):
    before = describe(tree)
    plan = plan_of(kedge, *words)
    assert tuple(plan.values()) == expected
    assert describe(tree) == before
    done = kedge("restore", "1", "--force", *words)
    assert f", {expected[0]} entries in" in done.stdout
    if words:
        after = describe(tree)
        assert sum(after[name] != before[name] for name in before) == expected[2]


def test_what_is_not_there_is_not_replaced(kedge, tree):
    os.remove(f"{tree}/docs/0.txt")
    write(f"{tree}/docs/1.txt", "y" * 7)
    write(f"{tree}/docs/new.txt", "y" * 1000)
    assert plan_of(kedge, "--include", "docs/*.txt") == {
        "objects_restored": 5, "bytes_restored": 500, "objects_replaced": 4, "bytes_replaced": 307}
    text = kedge("restore", "1", "--dry-run", "--include", "docs/*.txt").stdout
    assert "Would restore 5 entries" in text and "in place of 4 objects" in text
    subprocess.run(["rm", "-r", tree], check=True)
    text = kedge("restore", "1", "--dry-run", "--include", "docs/*.txt").stdout
    assert "Would restore 5 entries" in text and "nothing there is replaced" in text


def test_what_stands_in_the_way_counts_once_and_wholly(kedge, tree):
    subprocess.run(["rm", "-r", f"{tree}/docs"], check=True)
    os.symlink("/etc", f"{tree}/docs")
    assert plan_of(kedge, "--include", "docs/**")["objects_replaced"] == 1
    os.remove(f"{tree}/pictures/a.png")
    for number in range(3):
        write(f"{tree}/pictures/a.png/{number}", "12345")
    assert plan_of(kedge, "--include", "a.png") == {
        "objects_restored": 1, "bytes_restored": 10000, "objects_replaced": 4, "bytes_replaced": 15}


def test_among_other_files_only_those_of_the_same_names_are_replaced(kedge, tree):
    beside = kedge.path("beside")
    write(beside + tree + "/docs/0.txt", "other")
    write(beside + "/stays", "here")
    plan = plan_of(kedge, "--to", beside)
    assert plan == {"objects_restored": 12, "bytes_restored": 11500, "objects_replaced": 1, "bytes_replaced": 5}
    assert "files of the same names" in kedge("restore", "1", "--to", beside, status=5).stderr


def test_into_a_place_of_its_own_a_restore_tells_what_a_dry_run_told(kedge, tree):
    beside = kedge.path("beside")
    plan = plan_of(kedge, "--to", beside)
    assert plan == {"objects_restored": 12, "bytes_restored": 11500, "objects_replaced": 0, "bytes_replaced": 0}
    done = kedge.json("restore", "1", "--to", beside)
    assert {key: done[key] for key in plan} == plan and done["exists"] is False


def test_patterns_that_mean_nothing_are_told_at_once(kedge, tree):
    before = describe(tree)
    for words in (["--dry-run"], ["--force"]):
        refused = kedge("restore", "1", "--include", "*.nothing", *words, status=4)
        assert "nothing in the backup matches the patterns" in refused.stderr
    assert describe(tree) == before


def test_an_archive_of_another_program_is_read_for_it(kedge):
    archive, to = kedge.path("other.tar.gz"), kedge.path("to")
    with tarfile.open(archive, "w:gz") as file:
        for number in range(300):
            member = tarfile.TarInfo(f"a/{number}")
            member.size = 10000
            file.addfile(member, io.BytesIO(os.urandom(10000)))
    write(f"{to}/a/7", "old")
    plan = kedge.json("restore", archive, "--to", to, "--include", "a/7", "--include", "a/8", "--dry-run")
    assert (plan["objects_restored"], plan["bytes_restored"]) == (2, 20000)
    assert (plan["objects_replaced"], plan["bytes_replaced"]) == (1, 3)
    kedge("restore", archive, "--to", to, "--include", "a/7", "--include", "a/8", "--force")
    assert sorted(os.listdir(f"{to}/a")) == ["7", "8"]


# ---- room ----

@pytest.fixture
def small(kedge):
    """A file system of its own, of 4 MiB."""
    folder = kedge.path("small")
    os.mkdir(folder)
    if os.geteuid() != 0 or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", folder],
                                           capture_output=True).returncode:
        pytest.skip("needs the right to mount")
    yield folder
    subprocess.run(["umount", folder], check=True)


def fill(path, size):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(os.urandom(size))


def test_no_room_for_a_restore_is_told_before_anything(kedge, small):
    fill(f"{small}/t/a", 1000000)
    fill(f"{small}/t/b", 2000000)
    kedge("backup", f"{small}/t")
    before = describe(small)
    for words in (["--force"], ["--dry-run"], ["--include", "b", "--force"]):
        refused = kedge("restore", "1", *words, status=22).stderr
        assert f"the file system {small} has 1." in refused, refused
        assert f"need {'2.0' if '--include' in words else '3.0'} MB" in refused and "hint:" in refused
    assert describe(small) == before
    kedge("restore", "1", "--include", "a", "--force")
    assert kedge.lines("restores")[0]["status"] == "success"


def test_what_goes_to_one_file_system_adds_up(kedge, small):
    fill(f"{small}/t/a", 1500000)
    fill(kedge.path("u", "a"), 1500000)
    os.symlink(kedge.path("u"), f"{small}/u")
    write(kedge.path("kedge.yaml"), f"targets:\n  two:\n    paths: [{small}/t, {small}/u]\n")
    kedge("backup", "two", "--type", "files")
    kedge("restore", "1", "--force", "--safety", "none")
    os.remove(f"{small}/u")
    fill(f"{small}/u/a", 10)
    assert "need 3.0 MB" in kedge("restore", "1", "--force", status=22).stderr


def test_room_that_runs_out_meanwhile_leaves_the_tree_as_it_was(kedge, small):
    """A thousand files of one byte take a thousand pages; the blocks of a file system are not known beforehand."""
    for number in range(700):
        fill(f"{small}/t/{number}", 1)
    kedge("backup", f"{small}/t")
    before = describe(small)
    for words in ([], ["--include", "**"]):
        failed = kedge("restore", "1", "--force", *words, status=22).stderr
        assert "No space left on device" in failed, failed
        assert f"hint: the file system {small} has " in failed and "stays until" in failed, failed
    assert describe(small) == before


def test_no_room_for_a_backup_says_how_much_there_is_and_was(kedge, small):
    fill(kedge.path("t", "a"), 6000000)
    kedge("backup", kedge.path("t"))
    failed = kedge("backup", kedge.path("t"), "--to", small, status=1).stderr
    assert "No space left on device" in failed
    assert f"{small} has 4.2 MB free, and backup 1 of t took 6.0 MB" in failed, failed
    assert os.listdir(small) == []


def test_a_full_backup_tells_of_both_parts(kedge):
    make_database(kedge.path("shop.db"))
    write(kedge.path("files", "a"), "a")
    write(kedge.path("kedge.yaml"), f"targets:\n  shop:\n    url: sqlite:{kedge.path('shop.db')}\n"
                                    f"    paths: [{kedge.path('files')}]\n")
    kedge("backup", "shop", "--type", "full")
    before = contents(kedge.path("shop.db"))
    parts = kedge.json("restore", "1", "--dry-run")["parts"]
    assert [part["objects_restored"] for part in parts] == [None, 2]
    assert contents(kedge.path("shop.db")) == before
