"""libkedge as another project meets it: installed, found by pkg-config, linked shared and static."""
import os
import re
import shutil
import subprocess

import pytest

from conftest import BUILD, ROOT


def output(*command, **options):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, **options).stdout


class Installed:
    def __init__(self, root):
        self.root = root
        output("meson", "install", "--no-rebuild", "-C", BUILD, "--destdir", root)
        self.pc = self.find("kedge.pc")
        self.libraries = os.path.dirname(os.path.dirname(self.pc))

    def find(self, name):
        return next(os.path.join(folder, name) for folder, _, files in os.walk(self.root) if name in files)

    def flags(self, *options):
        environment = dict(os.environ, PKG_CONFIG_SYSROOT_DIR=self.root, PKG_CONFIG_PATH=os.path.dirname(self.pc))
        return output("pkg-config", *options, "kedge", env=environment).split()


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    return Installed(str(tmp_path_factory.mktemp("installed")))


def compiled(source, flags, folder):
    program = os.path.join(folder, "program")
    output("cc", source, *flags, "-o", program)
    return program


EXAMPLE = os.path.join(ROOT, "examples", "migrate.c")


def applied(program, folder, **options):
    return output(program, "sqlite:" + os.path.join(folder, "app.db"), **options).splitlines()[0]


def test_a_program_links_the_shared_library(installed, tmp_path):
    program = compiled(EXAMPLE, installed.flags("--cflags", "--libs"), str(tmp_path))
    assert applied(program, str(tmp_path), env={"LD_LIBRARY_PATH": installed.libraries}) == "2 applied"


def test_a_program_links_the_archive_with_what_it_needs(installed, tmp_path):
    alone = tmp_path / "archive"
    alone.mkdir()
    shutil.copy(installed.find("libkedge.a"), alone)
    program = compiled(EXAMPLE, ["-L" + str(alone), *installed.flags("--cflags", "--libs", "--static")], str(tmp_path))
    assert "libkedge" not in output("ldd", program)
    assert applied(program, str(tmp_path)) == "2 applied"


def test_nothing_but_the_libraries_own_names_can_be_seen(installed):
    for arguments in (["-g", installed.find("libkedge.a")], ["-D", installed.find("libkedge.so.0.1.0")]):
        names = re.findall(r" [TDBR] (\S+)$", output("nm", "--defined-only", *arguments), re.M)
        assert names and all(name.startswith("kedge_") for name in names), names


def test_the_manual_names_every_function(installed):
    declared = set()
    for header in ("kedge.h", "migrate.h"):
        with open(installed.find(header), encoding="utf-8") as file:
            declared |= set(re.findall(r"KEDGE_API \w+ (\w+)\(", file.read()))
    with open(installed.find("libkedge.3"), encoding="utf-8") as file:
        told = set(re.findall(r'"(?:int|void) (\w+)\(', file.read()))
    assert len(declared) > 8 and told == declared
