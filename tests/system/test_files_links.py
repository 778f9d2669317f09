"""Hard links whose other name is not restored with them, members that come twice, and trees that are one through a link.

Driven through build/tests/files_tool, as test_files.py, and through kedge where a target of several trees is needed.
"""
import os
import shutil
import tarfile

import pytest

from test_files import describe, dump, member, run, tool, write_archive


@pytest.fixture
def linked(tmp_path):
    """a/x, b/y, b/z and c/w are one file; b/s is a symbolic link with the second name a/s."""
    top = tmp_path / "t"
    for name in "abc":
        (top / name).mkdir(parents=True)
    (top / "a" / "x").write_text("content" * 3000)
    for name in ("b/y", "b/z", "c/w"):
        os.link(top / "a" / "x", top / name)
    os.symlink("nowhere", top / "a" / "s")
    os.link(top / "a" / "s", top / "b" / "s", follow_symlinks=False)
    return str(top)


@pytest.mark.parametrize("jobs", ["1", "3"])
@pytest.mark.parametrize("patterns", [["--include", "b/**"], ["--exclude", "a", "--exclude", "c/**"]])
def test_a_link_brings_its_content_when_the_other_name_is_left_out(linked, tmp_path, jobs, patterns):
    archive = str(tmp_path / "a.tar")
    metadata = dump(archive, linked).metadata
    before = describe(linked)
    shutil.rmtree(linked + "/b")
    done = tool("load", archive, "--metadata", metadata, "--jobs", jobs, "--keep", *patterns)
    assert done.code == 0, done.err
    y, z = os.stat(linked + "/b/y"), os.stat(linked + "/b/z")
    assert y.st_ino == z.st_ino and y.st_nlink == 2
    assert os.readlink(linked + "/b/s") == "nowhere"
    after = describe(linked)
    for name in (b"b/y", b"b/z"):
        assert {**after[name], "same": 0} == {**before[name], "same": 0}
    assert tool("undo", done.value("kept")).code == 0
    assert not os.path.exists(linked + "/b")


def test_where_an_archive_is_read_once_the_restore_says_so(linked, tmp_path):
    archive = str(tmp_path / "a.tar")
    metadata = dump(archive, linked).metadata
    done = tool("load", archive, "--metadata", metadata, "--piece", "10000", "--include", "b/**", "--to",
                str(tmp_path / "to"))
    assert done.code == 1 and "other names" in done.err
    assert not (tmp_path / "to").exists()


def test_members_that_come_twice_are_as_tar_leaves_them(tmp_path):
    tree, archive, gnu, ours = tmp_path / "t", str(tmp_path / "a.tar"), tmp_path / "gnu", tmp_path / "ours"
    (tree / "d").mkdir(parents=True)
    (tree / "a").write_text("first")
    os.link(tree / "a", tree / "b")
    run("tar", "-cf", archive, "-C", str(tree), "d", "a", "b")
    (tree / "a").unlink()
    (tree / "a").write_text("second")
    os.chmod(tree / "d", 0o700)
    os.utime(tree / "d", (5, 5))
    run("tar", "-rf", archive, "-C", str(tree), "d", "a")
    gnu.mkdir()
    run("tar", "-xpf", archive, "-C", str(gnu))
    done = tool("load", archive, "--to", str(ours))
    assert done.code == 0, done.err
    theirs, mine = describe(gnu), describe(ours)
    theirs.pop(b"."), mine.pop(b".")
    assert theirs == mine
    assert (ours / "b").read_text() == "first" and (ours / "a").read_text() == "second"


def test_a_link_to_itself_is_refused(tmp_path):
    archive = str(tmp_path / "a.tar")
    write_archive(archive, [member("a", content=b"x"), member("a", tarfile.LNKTYPE, link="a")], "")
    assert tool("load", archive, "--to", str(tmp_path / "to")).code == 1
    assert not (tmp_path / "to").exists()


@pytest.mark.parametrize("second", ["data", "data/x"])
def test_two_trees_that_are_one_through_a_link(kedge, second):
    """Restoring both used to swap one inside the other, and no undo found the way back."""
    os.makedirs(kedge.path("data", "x"))
    os.symlink("data/x", kedge.path("current"))

    def write(word):
        with open(kedge.path("data", "x", "f"), "w", encoding="utf-8") as file:
            file.write(word)

    def read():
        with open(kedge.path("current", "f"), encoding="utf-8") as file:
            return file.read()

    write("old")
    os.link(kedge.path("data", "x", "f"), kedge.path("data", "x", "g"))
    paths = ", ".join(kedge.path(name) for name in ("current", second))
    with open(kedge.path("kedge.yaml"), "w", encoding="utf-8") as file:
        file.write(f"targets:\n  two:\n    paths: [{paths}]\n")
    kedge("backup", "two", "--type", "files")
    write("new")
    assert "is restored as" in kedge("restore", "1", "--force").stderr
    assert read() == "old" and os.stat(kedge.path("data", "x", "g")).st_nlink == 2
    for expected in ("new", "old", "new"):
        kedge("undo", "--force")
        assert read() == expected and os.path.islink(kedge.path("current"))
