"""File trees on a machine that is in use: mounts, other users, files that are not what they say.

Driven through build/tests/files_tool, as test_files.py.
"""
import json
import os
import shutil
import subprocess

import pytest

from test_files import AS_ROOT, TOOL, Result, assert_same, describe, dump, names_in, run, small_tree, tool

needs_root = pytest.mark.skipif(not AS_ROOT, reason="needs root")


def mounted(*args):
    if subprocess.run(["mount", *args], capture_output=True).returncode:
        pytest.skip("no mounting here")


@pytest.mark.skipif(not os.path.isfile("/proc/sys/kernel/random/boot_id"), reason="no /proc")
def test_a_file_that_says_it_is_empty_and_is_not_is_reported(tmp_path):
    lines = dump(str(tmp_path / "a.tar"), "/proc/sys/kernel/random/boot_id").values("incomplete")
    assert len(lines) == 1 and "more than its size" in lines[0]
    empty = tmp_path / "empty"
    empty.touch()
    os.link(empty, tmp_path / "linked")
    assert not dump(str(tmp_path / "b.tar"), str(empty)).values("incomplete")


def test_thousands_of_holes_are_kept(tmp_path):
    top, archive = tmp_path / "t", str(tmp_path / "a.tar")
    top.mkdir()
    with open(top / "sieve", "wb") as file:
        for number in range(12000):
            file.seek(number << 14)
            file.write(b"%d" % number)
        file.truncate(12001 << 14)
    if os.stat(top / "sieve").st_blocks * 512 > 6 * 12000 << 10:
        pytest.skip("no holes on this file system")
    metadata = dump(archive, str(top)).metadata
    done = tool("load", archive, "--metadata", metadata, "--to", str(tmp_path / "to"))
    assert done.code == 0, done.err
    copy = str(tmp_path / "to") + str(top)
    assert_same(top, copy)
    assert os.stat(copy + "/sieve").st_blocks == os.stat(top / "sieve").st_blocks


@needs_root
def test_a_folder_bound_from_elsewhere_counts_as_another_file_system(tmp_path):
    top, archive, other = small_tree(str(tmp_path / "t")), str(tmp_path / "a.tar"), tmp_path / "other"
    other.mkdir()
    (other / "inside").touch()
    mounted("--bind", str(other), top + "/keep")
    try:
        dump(archive, top, "--one-file-system")
        names = names_in(archive, top)
        assert "keep" in names and "keep/inside" not in names and "cache/c.txt" in names
        dump(archive, top)
        assert "keep/inside" in names_in(archive, top)
    finally:
        run("umount", top + "/keep")


@needs_root
def test_a_mount_beneath_a_path_with_blanks_is_seen(tmp_path):
    top, archive = small_tree(str(tmp_path / "a b\n\\c")), str(tmp_path / "a.tar")
    metadata = dump(archive, top).metadata
    mounted("-t", "tmpfs", "none", top + "/keep")
    try:
        preview = tool("load", archive, "--metadata", metadata, "--dry-run")
        assert "is mounted beneath" in preview.out
    finally:
        run("umount", top + "/keep")


@needs_root
@pytest.mark.skipif(not shutil.which("setpriv"), reason="no setpriv")
def test_an_ordinary_user_restores_what_is_closed_to_everybody(tmp_path):
    top, archive = small_tree(str(tmp_path / "t")), str(tmp_path / "a.tar")
    os.chmod(top + "/keep", 0o000)
    os.chmod(top + "/cache/deep", 0o311)
    os.chmod(top + "/a.txt", 0o4711)
    metadata = dump(archive, top).metadata
    home, copy = tmp_path / "home", str(tmp_path / "tool")
    home.mkdir()
    os.chown(home, 65534, 65534)
    shutil.copy(TOOL, copy)
    os.chmod(archive, 0o644)
    for folder in [tmp_path, *tmp_path.parents]:
        if str(folder).startswith("/tmp/"):
            os.chmod(folder, os.stat(folder).st_mode | 0o055)
    done = Result(subprocess.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", copy, "load", archive,
                                  "--metadata", metadata, "--to", str(home / "to")], capture_output=True))
    assert done.code == 0, done.err
    restored = describe(str(home / "to") + top)
    assert restored[b"keep/e.txt"]["content"] == b"old keep/e.txt"
    assert restored[b"keep"]["mode"] == "d---------" and restored[b"a.txt"]["mode"] == "-rwx--x--x"
    assert all(entry["owner"] == (65534, 65534) for entry in restored.values())
