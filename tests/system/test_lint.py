"""kedge migrate lint: every rule fires on the bad example of its section in docs/safe-migrations.md and is silent on the good one."""
import json
import os
import re
import subprocess

import pytest

from conftest import BINARY, ROOT

DIALECTS = {"PostgreSQL": "postgres", "MySQL and MariaDB": "mysql", "SQLite": "sqlite"}
DOWN = "\n-- +migrate Down\n"


def read_sections():
    """(section, rule, level, text between the headings)"""
    with open(os.path.join(ROOT, "docs", "safe-migrations.md"), encoding="utf-8") as file:
        text = file.read()
    for section in re.split(r"^## ", text, flags=re.M)[1:]:
        title, _, rest = section.partition("\n")
        for part in re.split(r"^### ", rest, flags=re.M)[1:]:
            rule, _, body = part.partition("\n")
            yield title, rule, re.search(r"\*(\w+)", body).group(1).lower(), body


SECTIONS = list(read_sections())


def list_rules():
    output = subprocess.run([BINARY, "migrate", "lint", "--list-rules", "--json"], capture_output=True, text=True, check=True)
    return {row["rule"]: row for row in map(json.loads, output.stdout.splitlines())}


def write_example(kedge, text):
    """An example as files: without directives it is a way up whose way down nobody asks for."""
    folder = kedge.path("migrations")
    os.makedirs(folder, exist_ok=True)
    for name in os.listdir(folder):
        os.unlink(os.path.join(folder, name))
    for number, part in enumerate(text.split("-- next migration\n"), 1):
        if "-- +migrate" not in part:
            part = "-- +migrate Up\n" + part
        if "notransaction" in part or part.count("-- +migrate") == 1 and "missing-down" not in kedge.rule:
            part += "\n-- kedge:allow missing-down: an example"
        with open(os.path.join(folder, f"2024010100000{number}_example.sql"), "w", encoding="utf-8") as file:
            file.write(part)


def lint(kedge, dialect, *options):
    """What was found, and the exit status."""
    result = kedge("migrate", "lint", "--dialect", dialect, "--json", *options, status=None)
    assert result.returncode in (0, 1), result.stderr
    return [json.loads(line) for line in result.stdout.splitlines()], result.returncode


@pytest.mark.parametrize("title, rule, level, body", SECTIONS, ids=[section[1] for section in SECTIONS])
def test_the_documents_examples_are_true(kedge, title, rule, level, body):
    kedge.rule = rule
    bad, good = re.findall(r"```sql\n(.*?)\n```", body, flags=re.S)
    row = list_rules()[rule]
    dialect = DIALECTS.get(title) or row["dialects"][0]
    assert row["level"] == level and row["documentation"] == f"docs/safe-migrations.md#{rule}"
    write_example(kedge, bad)
    found, status = lint(kedge, dialect)
    assert rule in [finding["rule"] for finding in found], found
    assert status == any(finding["level"] == "error" for finding in found)
    assert lint(kedge, dialect, "--strict")[1] == 1
    write_example(kedge, good)
    assert lint(kedge, dialect, "--strict") == ([], 0)


def test_every_rule_has_its_section():
    assert sorted(section[1] for section in SECTIONS) == sorted(list_rules())


CLEAN = {
    "postgres": [
        "-- +migrate Up\nCREATE TABLE users (\n  id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,\n  email TEXT NOT NULL UNIQUE,\n"
        "  created_at TIMESTAMPTZ NOT NULL DEFAULT now()\n);\nCREATE INDEX users_created ON users (created_at);\n"
        "CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN DELETE FROM log; RETURN NEW; END $$;\n"
        "CREATE TRIGGER touch BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION touch();\n-- +migrate Down\nDROP TABLE users;\n"
        "DROP FUNCTION touch();\n",
        "-- +migrate Up\nALTER TABLE users ADD COLUMN name VARCHAR(40), ADD COLUMN total NUMERIC(10, 2) NOT NULL DEFAULT 0;\n"
        "-- +migrate Down\nALTER TABLE users DROP COLUMN total, DROP COLUMN name;\n",
        "-- +migrate Up notransaction\nCREATE INDEX CONCURRENTLY users_name ON users (name);\n-- +migrate Down notransaction\n"
        "DROP INDEX CONCURRENTLY users_name;\n",
        "-- +migrate Up\nALTER TABLE users ADD CONSTRAINT named CHECK (name IS NOT NULL) NOT VALID;\n-- +migrate Down\n"
        "ALTER TABLE users DROP CONSTRAINT named;\n",
        "-- +migrate Up\nALTER TABLE users VALIDATE CONSTRAINT named;\n-- +migrate Down\nSELECT 1;\n",
        "-- +migrate Up\nALTER TABLE users ALTER COLUMN name SET NOT NULL;\nALTER TABLE users DROP CONSTRAINT named;\n"
        "-- +migrate Down\nALTER TABLE users ALTER COLUMN name DROP NOT NULL;\n",
        "-- +migrate Up\nALTER TABLE users ALTER name TYPE varchar(80), ALTER total TYPE numeric(14, 2);\n-- +migrate Down\nSELECT 1;\n",
        "-- +migrate Up\nALTER TABLE users ALTER COLUMN name TYPE text;\n-- +migrate Down\nSELECT 1;\n",
    ],
    "mysql": [
        "-- +migrate Up\nCREATE TABLE `users` (\n  `id` BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,\n"
        "  `email` VARCHAR(40) NOT NULL COMMENT 'DROP TABLE users;',\n  KEY `by_email` (`email`)\n) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;\n"
        "CREATE TABLE notes (id BIGINT UNSIGNED PRIMARY KEY, body TEXT);\nCREATE INDEX notes_body ON notes (body(20));\n"
        "-- +migrate Down\nDROP TABLE notes;\nDROP TABLE users;\n",
        "-- +migrate Up\nALTER TABLE users ADD COLUMN phone VARCHAR(20) NULL, ALGORITHM=INSTANT;\n-- +migrate Down\n"
        "ALTER TABLE users DROP COLUMN phone;\n",
        "-- +migrate Up\nALTER TABLE users MODIFY email VARCHAR(60) NOT NULL COMMENT 'wider', ALGORITHM=INPLACE, LOCK=NONE;\n"
        "-- +migrate Down\nSELECT 1;\n",
        "-- +migrate Up\nCREATE PROCEDURE p() BEGIN DELETE FROM notes; UPDATE users SET email = ''; END;\n-- +migrate Down\n"
        "DROP PROCEDURE p;\n",
    ],
    "sqlite": [
        "-- +migrate Up\nCREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT NOT NULL UNIQUE) STRICT;\n"
        "CREATE TRIGGER t AFTER INSERT ON users BEGIN DELETE FROM log; END;\n-- +migrate Down\nDROP TABLE users;\n",
        "-- +migrate Up\nALTER TABLE users ADD COLUMN state TEXT NOT NULL DEFAULT 'new';\n-- +migrate Down\n"
        "ALTER TABLE users DROP COLUMN state;\n",
        "-- +migrate Up\nPRAGMA foreign_keys = OFF;\nCREATE TABLE users_new (id INTEGER PRIMARY KEY, email TEXT, state TEXT);\n"
        "INSERT INTO users_new SELECT id, email, state FROM users;\nDROP TABLE users;\nALTER TABLE users_new RENAME TO users;\n"
        "PRAGMA foreign_keys = ON;\n-- +migrate Down\nSELECT 1;\n",
    ],
}


@pytest.mark.parametrize("dialect", CLEAN)
def test_a_clean_set_is_silent(kedge, dialect):
    os.makedirs(kedge.path("migrations"))
    for number, text in enumerate(CLEAN[dialect], 1):
        with open(kedge.path("migrations", f"2024010100000{number}_step.sql"), "w", encoding="utf-8") as file:
            file.write(text)
    assert lint(kedge, dialect, "--strict") == ([], 0)
    output = kedge("migrate", "lint", "--dialect", dialect).stdout
    assert output == f"0 errors, 0 warnings in {len(CLEAN[dialect])} migrations\n"


@pytest.fixture
def site(kedge):
    os.makedirs(kedge.path("migrations"))
    with open(kedge.path("migrations", "20240101000001_a.sql"), "w", encoding="utf-8") as file:
        file.write("-- +migrate Up\nALTER TABLE t\n  DROP COLUMN a; -- kedge:allow drop-column: nobody reads it\n"
                   "DROP TABLE \"größe\", b;\n-- +migrate Down\nSELECT 1;\n")
    return kedge


def test_findings_have_a_place_a_hint_and_a_summary(site):
    output = site("migrate", "lint", "--dialect", "postgres", status=1).stdout.splitlines()
    assert output[0].startswith("migrations/20240101000001_a.sql:4:1: error [drop-table] table größe: ")
    assert output[1].startswith("    hint: ") and output[-1] == "2 errors, 0 warnings in 1 migration"


def test_the_dialect_comes_from_the_url_and_nothing_is_opened_or_made(site):
    site.environment["DATABASE_URL"] = "postgres://nobody@host.invalid/shop"
    site("migrate", "lint", status=1)
    site.environment["DATABASE_URL"] = "sqlite:app.db"
    site("migrate", "lint", status=1)
    assert not os.path.exists(site.path("app.db"))
    del site.environment["DATABASE_URL"]
    assert "--dialect" in site("migrate", "lint", status=2).stderr
    with open(site.path("config.yaml"), "w", encoding="utf-8") as file:
        file.write("migrations: { dialect: mariadb }\n")
    site("migrate", "lint", status=1)
    site("migrate", "lint", "--dialect", "oracle", status=2)


def test_files_and_versions_are_chosen(site):
    with open(site.path("migrations", "20240101000002_b.sql"), "w", encoding="utf-8") as file:
        file.write("-- +migrate Up\nCREATE TABLE c (id BIGINT PRIMARY KEY);\n-- +migrate Down\nDROP TABLE c;\n")
    site.environment["KEDGE_MIGRATE_DIALECT"] = "postgres"
    site("migrate", "lint", "20240101000002")
    site("migrate", "lint", "migrations/20240101000002_b.sql")
    site("migrate", "lint", "migrations/20240101000001_a.sql", "20240101000002", status=1)
    assert "is no migration" in site("migrate", "lint", "20240101000009", status=1).stderr


def test_the_example_for_containers_is_clean(kedge):
    kedge("migrate", "lint", "--strict", "--dialect", "postgres", "--migrations",
          os.path.join(ROOT, "examples", "compose", "migrations"))
