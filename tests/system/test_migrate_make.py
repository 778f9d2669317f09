"""make migrate-...: the shortcuts, as they are typed into a shell. The program is the one under test; nothing is built for it."""
import os
import subprocess

import pytest

from conftest import BINARY, ROOT

ODD = [
    ("it's", "it_s"), ('say "so"', "say_so"), ("costs 5$", "costs_5"), ("a$b c", "a_b_c"), ("a `id` b", "a_id_b"), ("x; id", "x_id"),
    ('x"; touch bad; "', "x_touch_bad"), ("$(touch bad)", "touch_bad"), ("$(shell touch bad)", "shell_touch_bad"), ("${name}", "name"),
    ("$$x", "x"), ("two  blanks", "two_blanks"), ("two\nlines", "two_lines"), ("-dash", "dash"), ("--help", "help"), ("a & b | c > d", "a_b_c_d"),
    ("back\\slash\\", "back_slash"), ("a#b %c", "a_b_c"), ("🙂 größer", "🙂_größer"), ("*?!", None), ("", None),
]


class Make:
    def __init__(self, kedge):
        self.kedge = kedge
        self.build = kedge.path("build")
        os.makedirs(self.build)
        os.makedirs(kedge.path("programs"))
        os.symlink(BINARY, os.path.join(self.build, "kedge"))
        with open(os.path.join(self.build, "build.ninja"), "w", encoding="utf-8"):
            pass
        ninja = kedge.path("programs", "ninja")
        with open(ninja, "w", encoding="utf-8") as file:
            file.write("#!/bin/sh\necho ninja: no work to do.\n")
        os.chmod(ninja, 0o755)

    def __call__(self, *arguments, status=0):
        environment = {**self.kedge.environment, "PATH": self.kedge.path("programs") + ":" + os.environ["PATH"], "DATABASE_URL": "sqlite:app.db"}
        run = subprocess.run(["make", "-s", "-f", os.path.join(ROOT, "tools", "migrate.mk"), f"BUILD={self.build}", "JOBS=1", *arguments],
                             cwd=self.kedge.folder, env=environment, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
        assert run.returncode == status, run.stdout + run.stderr
        return run


@pytest.fixture
def make(kedge):
    return Make(kedge)


@pytest.mark.parametrize("name,file", ODD)
def test_a_name_is_taken_as_it_is_typed(make, kedge, name, file):
    run = make("migrate-create", "name=" + name, status=0 if file else 2)
    assert not os.path.exists(kedge.path("bad"))
    if not file:
        assert "kedge: error: " in run.stderr
        return
    path = run.stdout.removesuffix("\n")
    assert path.endswith(f"_{file}.sql") and os.listdir(kedge.path("migrations")) == [os.path.basename(path)]
    with open(kedge.path(path), encoding="utf-8") as text:
        assert f"\n-- {' '.join(name.splitlines())}\n-- Created: " in text.read()
    make("migrate-up")
    make("migrate-down")


def test_every_shortcut(make, kedge):
    path = kedge.path(make("migrate-create", "name=add users").stdout.strip())
    with open(path, "w", encoding="utf-8") as file:
        file.write("-- +migrate Up\nCREATE TABLE users (id INTEGER PRIMARY KEY);\n-- +migrate Down\nDROP TABLE users;\n")
    version = os.path.basename(path)[:14]
    assert f"{version}  pending  add users" in make("migrate-status").stdout
    assert make("migrate-up").stdout.startswith(f"applied {version} add users (")
    assert make("migrate-version").stdout == version + "\n"
    assert make("migrate-down").stdout.startswith(f"undone {version} add users (")
    make("migrate-up")
    for shortcut in ("migrate-reset", "migrate-refresh"):
        assert "hint: add --yes when it is meant" in make(shortcut, status=2).stderr
    assert f"{version}  applied  add users" in make("migrate-status").stdout
