"""Trees that kedge's own catalogue and backups lie in: a restore must not carry them away."""
import os

import pytest


@pytest.fixture
def home(kedge):
    """The folder that holds everything, kedge's own included, in backup 1; then changed."""
    os.makedirs(kedge.path("docs"))
    write(kedge, "old")
    kedge("backup", kedge.path("."), "--exclude-caches")
    write(kedge, "new")
    return kedge


def write(kedge, word):
    with open(kedge.path("docs", "a"), "w", encoding="utf-8") as file:
        file.write(word)


def read(kedge):
    with open(kedge.path("docs", "a"), encoding="utf-8") as file:
        return file.read()


def test_a_tree_with_the_catalogue_in_it_is_not_swapped(home):
    for arguments in (["--force"], ["--dry-run"]):
        refused = home("restore", "1", *arguments, status=22).stderr
        assert "kedge's own" in refused and "--include" in refused
    assert read(home) == "new"
    assert [row["status"] for row in home.lines("list")] == ["success"]


def test_file_by_file_it_stays_where_it_is(home):
    home("backup", home.path("docs"))
    home("restore", "1", "--force", "--include", "**")
    assert read(home) == "old"
    assert len(home.lines("list")) == 2 and len(home.lines("restores")) == 1
    home("undo", "--force")
    assert read(home) == "new"
    assert len(home.lines("list")) == 2
    home("verify", "2")


def test_the_catalogue_is_known_under_any_name(kedge):
    """Its place is a URL, in which some characters are written as numbers."""
    kedge.environment["KEDGE_HOME"] = kedge.path("100% mine?")
    kedge.environment["KEDGE_TO"] = kedge.path("elsewhere")
    os.makedirs(kedge.path("100% mine?", "docs"))
    kedge("backup", kedge.path("100% mine?"))
    assert "kedge's own" in kedge("restore", "1", "--force", status=22).stderr


def test_the_working_folder_gives_its_name_to_a_backup(kedge):
    os.makedirs(kedge.path("shop"))
    done = kedge("backup", kedge.path("shop", "."), "--exclude", "*")
    assert "shop_2" in done.stdout
