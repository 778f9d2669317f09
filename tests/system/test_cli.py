"""The command line as a person or a script meets it."""
import gzip
import os
import re
import sqlite3
import subprocess

import pytest

from conftest import contents, on_terminal


def write(kedge, name, text, mode=0o600):
    path = kedge.path(name)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    os.chmod(path, mode)
    return path


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def rows_of(path, table="customers"):
    database = sqlite3.connect(path)
    try:
        return database.execute(f"SELECT * FROM {table} ORDER BY 1").fetchall()
    finally:
        database.close()


def empty(path):
    """Take all customers out of a database."""
    database = sqlite3.connect(path)
    with database:
        database.execute("DELETE FROM customers")
    database.close()


# ---- what needs nothing ----

def test_version_and_help_read_no_file(kedge):
    write(kedge, "kedge.yaml", "this is: [no configuration\n")
    assert re.fullmatch(r"kedge \d+\.\d+\.\d+\n", kedge("--version").stdout)
    assert "Usage: kedge COMMAND" in kedge("--help").stdout
    assert not os.path.exists(kedge.home)


def test_every_help_fits_one_screen(kedge):
    overview = kedge("--help").stdout
    assert len(overview.splitlines()) <= 35
    names = re.findall(r"^  ([a-z]+)  ", overview, re.M) + ["catalog rebuild", "catalog check"]
    assert "backup" in names and "restore" in names
    for name in names:
        text = kedge(*name.split(), "--help").stdout
        assert len(text.splitlines()) <= 24, name
        assert max(map(len, text.splitlines())) <= 80, name


def test_help_on_a_family_lists_it(kedge):
    text = kedge("catalog", "--help").stdout
    assert text == kedge("help", "catalog").stdout and "  rebuild  " in text


def test_it_starts_without_the_libraries_that_few_commands_need(kedge):
    loaded = kedge("--version", env={"LD_TRACE_LOADED_OBJECTS": "1"}).stdout
    assert "libc.so" in loaded
    assert not re.search(r"lib(pq|mariadb|ssl|crypto|gnutls|curl|isal)\b", loaded)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completions_are_shell(kedge, shell, tmp_path):
    text = kedge("completion", shell).stdout
    assert "backup" in text and "retention" in text
    script = tmp_path / "completion"
    script.write_text(text)
    if subprocess.run(["which", shell], capture_output=True, check=False).returncode == 0:
        subprocess.run([shell, "-n", script], check=True)


def test_bash_completion_completes(kedge, tmp_path):
    script = tmp_path / "completion"
    script.write_text(kedge("completion", "bash").stdout)
    code = (f"source {script}; COMP_WORDS=(kedge backup --re); COMP_CWORD=2; _kedge; echo ${{COMPREPLY[@]}};"
            "COMP_WORDS=(kedge res); COMP_CWORD=1; _kedge; echo ${COMPREPLY[@]}")
    lines = subprocess.run(["bash", "-c", code], capture_output=True, text=True, check=True).stdout.splitlines()
    assert lines[0] == "--retention" and lines[1].split() == ["restore", "restores"]


def test_a_subcommand_offers_its_own_options_and_no_others(kedge, tmp_path):
    script = tmp_path / "completion"
    script.write_text(kedge("completion", "bash").stdout)
    asked = [["migrate", "lint", "--"], ["migrate", "status", "--"], ["migrate", "create", "--"], ["migrate", "--"],
             ["migrate", "force", "--status", "''"], ["list", "--status", "''"]]
    code = f"source {script};" + "".join(f"COMP_WORDS=(kedge {' '.join(words)}); COMP_CWORD={len(words)}; COMPREPLY=(); _kedge; "
                                         "echo ${COMPREPLY[@]};" for words in asked)
    lint, status, create, family, force, of_list = subprocess.run(
        ["bash", "-c", code], capture_output=True, text=True, check=True).stdout.splitlines()
    assert "--dialect" in lint and not {"--dry-run", "--wait", "--force", "--ran"} & set(lint.split())
    assert "--exit-code" in status and not {"--dry-run", "--lock-timeout", "--yes"} & set(status.split())
    assert "--name" in create and not {"--dry-run", "--target", "--host", "--history-table"} & set(create.split())
    assert "--wait" in family and force.split() == ["pending", "applied", "failed", "rollback"] and "deleting" in of_list
    for command in ("lint", "status", "version", "create", "plan", "verify"):
        text = kedge("migrate", command, "--help").stdout
        assert "--dry-run" not in text and "--wait" not in text and ("--force" in text) == (command == "plan"), command


def test_the_manual_is_roff(kedge):
    text = kedge("man").stdout
    assert text.startswith(".TH KEDGE 1")
    for word in ("KEDGE_RETENTION", "verification.min_size_mb", "db:backup", "EXIT STATUS"):
        assert word in text.replace("\\-", "-")


def test_keygen_makes_a_pair_and_overwrites_none(kedge):
    key = kedge.path("key.txt")
    public = kedge("keygen", "-output=key.txt").stdout.split()[-1]
    assert public.startswith("age1") and os.stat(key).st_mode & 0o777 == 0o600
    before = read(key)
    assert public in before and "AGE-SECRET-KEY-1" in before
    assert "is there already" in kedge("keygen", "--output", "key.txt", status=1).stderr
    assert read(key) == before


# ---- mistakes ----

@pytest.mark.parametrize("words, message, hint", [
    (["bakcup"], 'unknown command "bakcup"', "did you mean kedge backup?"),
    (["backup", "--retenton", "3"], "unknown option --retenton", "did you mean --retention?"),
    (["backup", "--retention=soon"], '--retention: "soon" is not a whole number', None),
    (["list", "--status", "odd"], '--status: "odd" is none of', None),
    (["catalog"], "kedge catalog: which one?", "one of install, rebuild, check"),
    (["catalog", "chekc"], 'unknown command "catalog chekc"', "did you mean kedge catalog check?"),
    (["verify"], "kedge verify needs BACKUP", None),
    ([], "no command", "kedge --help lists the commands"),
])
def test_mistakes_are_one_line_and_a_hint(kedge, words, message, hint):
    done = kedge(*words, status=2)
    lines = done.stderr.splitlines()
    assert done.stdout == "" and lines[0].startswith("kedge: error: " + message)
    if hint:
        assert lines[1] == "hint: " + hint


def test_a_bad_variable_is_named(kedge):
    done = kedge("config", env={"KEDGE_PORT": "http"}, status=2)
    assert done.stderr == 'kedge: error: KEDGE_PORT: "http" is not a whole number\n'
    write(kedge, ".env", "BACKUP_MIN_SIZE_MB=small\n")
    assert "BACKUP_MIN_SIZE_MB in .env" in kedge("config", status=2).stderr


def test_output_that_cannot_be_written_is_a_failure(kedge):
    with open("/dev/full", "w") as full:
        done = subprocess.run([kedge.binary, "man"], stdout=full, stderr=subprocess.PIPE, env=kedge.environment, check=False)
    assert done.returncode == 1 and b"standard output" in done.stderr


# ---- configuration ----

def config(kedge, **options):
    return {item["key"]: item for item in kedge.lines("config", **options)}


def test_config_tells_values_and_origins_but_no_secret(kedge):
    write(kedge, "kedge.yaml", "backup: { retention: 1 }\n"
                              "targets: { shop: { url: 'postgres://u:hunter2@h/db', exclude: ['*.tmp'] } }\n"
                              "destinations: { far: { url: s3://b, secret_key: hunter2 } }\n"
                              "database: { password: hunter2 }\n")
    write(kedge, ".env", "BACKUP_MAX_SIZE_MB=9\nDATABASE_URL=postgres://u:hunter2@h/x\n")
    settings = config(kedge, env={"KEDGE_JOBS": "3"})
    assert settings["backup.retention"]["value"] == "1"
    assert settings["backup.retention"]["origin"] == "kedge.yaml:1"
    assert settings["verification.max_size_mb"]["origin"] == "BACKUP_MAX_SIZE_MB in .env"
    assert settings["kedge.jobs"] == {"key": "kedge.jobs", "value": "3", "origin": "KEDGE_JOBS"}
    assert settings["restore.undo_days"]["origin"] == "default"
    assert settings["targets.shop.exclude"]["value"] == "*.tmp"
    assert settings["offsite.enabled"]["origin"].endswith("(known, not used by this version)")
    assert "hunter2" not in kedge("config").stdout and "hunter2" not in kedge("config", "--json").stdout


def test_the_search_order_is_folder_then_home(kedge):
    os.mkdir(kedge.home)
    write(kedge, "home/config.yaml", "kedge: { jobs: 1 }\n")
    assert config(kedge)["kedge.jobs"]["value"] == "1"
    write(kedge, "config.yaml", "server: 1\nmigrations: { path: m }\nkedge: { jobs: 2 }\n")
    assert config(kedge)["kedge.jobs"]["value"] == "2"
    write(kedge, "kedge.yaml", "kedge: { jobs: 3 }\n")
    assert config(kedge)["kedge.jobs"]["value"] == "3"
    write(kedge, "other.yaml", "kedge: { jobs: 4 }\n")
    done = kedge("config", "--config", "other.yaml", "--json")
    assert '"kedge.jobs","value":"4"' in done.stdout


@pytest.mark.parametrize("name, text", [("kedge.yaml", "kedge: { jobs: 1 }\n"), (".env", "A=1\n")])
def test_files_that_others_may_write_are_refused(kedge, name, text):
    write(kedge, name, text, mode=0o666)
    done = kedge("config", status=2)
    assert f"{name} may be written by others" in done.stderr and "hint: chmod go-w" in done.stderr


@pytest.mark.skipif(os.getuid() != 0, reason="needs root to give a file away")
def test_files_of_other_users_are_refused(kedge):
    path = write(kedge, "kedge.yaml", "kedge: { jobs: 1 }\n")
    os.chown(path, 12345, 12345)
    assert "belongs to another user" in kedge("config", status=2).stderr


def test_an_unknown_key_has_its_place_and_the_nearest(kedge):
    write(kedge, "kedge.yaml", "kedge:\n  enviroment: production\n")
    assert kedge("config", status=2).stderr == (
        'kedge: error: kedge.yaml:2:3: unknown key "enviroment" in "kedge"\nhint: did you mean "environment"?\n')


def test_a_password_on_the_command_line_is_warned_about_and_wiped(kedge):
    """The child is stopped by a FIFO as configuration, so that its argv can be read."""
    done = kedge("backup", "postgres://u:hunter2@127.0.0.1:1/db", status=None)
    assert done.returncode != 0 and "password on the command line" in done.stderr
    assert "hunter2" not in done.stderr + done.stdout


# ---- backups ----

def test_backup_list_verify_restore_undo(kedge, shop):
    done = kedge("backup", shop)
    created, size, location = done.stdout.splitlines()
    name = re.fullmatch(r"Backup created successfully: (shop_\d{4}-\d\d-\d\d_\d{6}\.sqlite3\.zst)", created)[1]
    assert re.fullmatch(r"Size: \d+\.\d+ MB", size)
    assert location == f"Location: {kedge.home}/backups/{name}"

    listed, = kedge.lines("list")
    assert listed["name"] == name and listed["status"] == "success" and listed["number"] == 1
    assert name in kedge("list", "shop").stdout
    assert "level 2" in kedge("verify", "latest").stdout
    assert kedge.json("show", name)["target"] == "shop"

    before = rows_of(shop)
    empty(shop)
    plan = kedge("restore", "1", "--dry-run").stdout
    assert "Would replace" in plan and rows_of(shop) == []
    kedge("restore", "1", "--force")
    assert rows_of(shop) == before
    restored, = kedge.lines("restores")
    assert restored["status"] == "success"
    kedge("undo", "--force")
    assert rows_of(shop) == []


def test_json_is_one_object(kedge, shop):
    made = kedge.json("backup", shop)
    assert made["number"] == 1 and made["target"] == "shop" and made["files"][0]["size"] == made["size"]
    verified = kedge.json("verify", "latest", "--level", "1")
    assert verified["passed"] is True and verified["level"] == 1
    stats = kedge.json("stats")
    assert stats["success"] == 1 and stats["targets"][0]["target"] == "shop"


def test_all_configured_targets_and_one_that_fails(kedge, shop):
    write(kedge, "kedge.yaml", "targets:\n  shop: { url: sqlite:shop.db, retention: 3 }\n"
                              "  gone: { url: env:NOT_SET_ANYWHERE }\n")
    done = kedge("backup", status=2)
    assert "Backup created successfully: shop_" in done.stdout
    assert "gone: targets.gone.url: environment variable NOT_SET_ANYWHERE is not set" in done.stderr
    assert kedge.lines("list")[0]["expires"] is not None


def test_the_database_of_the_environment_is_the_default(kedge, shop):
    assert "no target" in kedge("backup", status=2).stderr
    write(kedge, ".env", f"DATABASE_URL=sqlite:{shop}\n")
    assert "Backup created" in kedge("backup").stdout


def test_an_unknown_backup_shows_what_there_is(kedge, shop):
    kedge("backup", shop)
    name = kedge.lines("list")[0]["name"]
    done = kedge("restore", "nonexistent.sql.gz", status=4)
    lines = done.stderr.splitlines()
    assert lines[:3] == ["kedge: error: Backup file not found: nonexistent.sql.gz", "", "Available backups:"]
    assert re.fullmatch(rf"  {re.escape(name)} \(\d+\.\d+MB\) - \d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d", lines[3])


def test_nothing_is_lost_without_a_terminal_or_force(kedge, shop):
    kedge("backup", shop)
    empty(shop)
    done = kedge("restore", "1", status=5)
    assert "no terminal" in done.stderr and "hint: add --force" in done.stderr
    assert rows_of(shop) == []
    assert kedge("delete", "1", status=5).stdout == ""
    assert kedge("delete", "1", "--yes").stdout.startswith("Deleted shop_")
    assert kedge.lines("list") == []


def test_delete_of_one_that_is_not_there(kedge):
    assert "There are no backups yet." in kedge("delete", "7", "--force", status=4).stderr


def test_encrypted_with_keygen(kedge, shop):
    public = kedge("keygen", "-o", "key.txt").stdout.split()[-1]
    kedge("backup", shop, "--encrypt", public)
    assert kedge.lines("list")[0]["name"].endswith(".age")
    assert kedge("verify", "latest", status=12).stderr.count("hint: ") == 1
    kedge("verify", "latest", "--identity", "key.txt")
    kedge("restore", "latest", "--identity", "key.txt", "--to", "copy.db")
    assert rows_of(kedge.path("copy.db")) == rows_of(shop)


def test_encrypted_with_a_passphrase(kedge, shop):
    write(kedge, "words", "correct horse\n")
    assert "--passphrase-file" in kedge("backup", shop, "--encrypt", "passphrase", status=2).stderr
    kedge("backup", shop, "--encrypt=passphrase", "--passphrase-file", "words")
    kedge("restore", "latest", "--passphrase-file", "words", "--to", "copy.db")
    assert rows_of(kedge.path("copy.db")) == rows_of(shop)


def test_a_file_that_is_gone_is_named_with_its_folder(kedge, shop):
    kedge("backup", shop)
    name = kedge.lines("list")[0]["name"]
    os.rename(kedge.path("home", "backups"), kedge.path("moved"))
    os.mkdir(kedge.path("home", "backups"))
    for words in (["restore", "1", "--force"], ["verify", "1"], ["verify", "1", "--level", "0"]):
        error = kedge(*words, status=4).stderr
        assert f"is not there: {kedge.path('home', 'backups', name)}\n" in error and "--from FOLDER" in error
    kedge("verify", "1", "--from", kedge.path("moved"))


def test_a_backup_is_not_taken_for_that_of_a_configured_target_of_its_name(kedge, shop):
    kedge("backup", shop)
    os.mkdir(kedge.path("other"))
    os.rename(shop, kedge.path("other", "shop.db"))
    write(kedge, "kedge.yaml", "targets: { shop: { url: sqlite:other/shop.db } }\n")
    before = rows_of(kedge.path("other", "shop.db"))
    empty(kedge.path("other", "shop.db"))
    error = kedge("restore", "1", "--force", status=2).stderr
    assert f"was made from sqlite:{shop}, and the target shop of the configuration is sqlite:{kedge.path('other', 'shop.db')}" in error
    assert f"hint: say where it is to go: --to sqlite:{shop}, or --connection shop" in error
    assert rows_of(kedge.path("other", "shop.db")) == [] and not os.path.exists(shop)
    kedge("restore", "1", "--to", shop)
    assert rows_of(shop) == before
    kedge("restore", "1", "--connection", "shop", "--force")
    assert rows_of(kedge.path("other", "shop.db")) == before
    kedge("backup", "shop")
    kedge("restore", "latest:shop", "--force")


def test_a_file_of_another_machine(kedge, shop):
    kedge("backup", shop)
    name = kedge.lines("list")[0]["name"]
    os.unlink(kedge.path("home", "catalog.db"))
    kedge("restore", kedge.path("home", "backups", name), "--to", "copy.db")
    assert rows_of(kedge.path("copy.db")) == rows_of(shop)
    assert "Added 1 backups" in kedge("catalog", "rebuild").stdout


def test_init_and_doctor(kedge):
    kedge("init")
    assert "# targets:" in read(kedge.path("kedge.yaml"))
    assert os.path.exists(kedge.path("home", "catalog.db"))
    assert "Kept kedge.yaml" in kedge("init").stdout
    assert "Wrote new.yaml" in kedge("init", "--config", "new.yaml").stdout
    done = kedge("doctor")
    assert "✓ catalogue" in done.stdout and "✓ destination local" in done.stdout
    assert not [name for name in kedge.files() if name.endswith(".tmp")]
    write(kedge, "kedge.yaml", "targets: { shop: { url: sqlite:nowhere/x.db } }\n")
    assert "✗ target shop" in kedge("doctor", status=1).stdout


def test_what_init_writes_works_without_its_comment_signs(kedge, shop):
    kedge("init")
    text = re.sub("(?m)^# ?", "", read(kedge.path("kedge.yaml")).partition("#\n")[2])
    for there in ("/srv/shop/uploads", "/etc/shop", "/var/backups/kedge", "/mnt/nas/kedge"):
        assert there in text
        os.makedirs(kedge.path("root") + there)
        text = text.replace(there, kedge.path("root") + there)
    text = text.replace("/var/log/kedge.log", kedge.path("kedge.log"))
    public = kedge("keygen", "--output", "key.txt").stdout.split()[-1]
    text = text.replace("exclude_tables: [sessions]", "exclude_tables: []")  # an image holds all tables
    write(kedge, "kedge.yaml", text.replace("age1…", public))
    kedge.environment["DATABASE_URL"] = f"sqlite:{shop}"
    kedge("backup")
    assert kedge.lines("list")[0]["name"].endswith(".sqlite3.zst.age")
    made = os.listdir(kedge.path("root") + "/var/backups/kedge")
    assert len([name for name in made if name.endswith(".age")]) == 2


def test_doctor_tries_a_server_and_the_program_that_dumps_it(kedge, postgres):
    write(kedge, "kedge.yaml", f"targets: {{ shop: {{ url: '{postgres.fresh()}' }} }}\n")
    line = next(line for line in kedge("doctor").stdout.splitlines() if "target shop" in line)
    assert line.startswith("✓") and "15." in line and line.endswith("/pg_dump")


# ---- old spellings ----

def test_db_backup_prints_its_document(kedge, shop):
    env = {"DATABASE_URL": f"sqlite:{shop}"}
    lines = kedge("db:backup", "--compress", env=env).stdout.splitlines()
    name = lines[5].split(": ")[1]
    assert re.fullmatch(r"shop_\d{4}-\d\d-\d\d_\d{6}\.sql\.gz", name)
    assert lines[:5] == ["Starting database backup...", "Backing up database: shop", "Connection: sqlite",
                         "Compressing backup...", "Backup compressed successfully"]
    assert lines[6].startswith("Size: ") and lines[7].endswith("/" + name)
    assert lines[8:] == ["Cleaning up backups older than 7 days...", "✓ No old backups to remove",
                         "✓ Backup completed successfully"]
    with open(kedge.path("home", "backups", name), "rb") as file:
        assert b"CREATE TABLE" in gzip.decompress(file.read())
    assert kedge.lines("list")[0]["expires"] is not None
    assert ".sql\n" in kedge("db:backup", "-retention=30", env=env).stdout


def test_old_errors_are_bare(kedge, shop):
    kedge("backup", shop)
    done = kedge("db:restore", "nonexistent.sql.gz", status=4)
    assert done.stderr.startswith("Backup file not found: nonexistent.sql.gz\n\nAvailable backups:\n  shop_")


def test_old_spellings_take_an_id(kedge, shop):
    kedge("backup:create", "--type=database", shop)
    assert "shop_" in kedge("backup:list").stdout
    assert "✓" in kedge("backup:verify", "--id=1").stdout
    kedge("backup:restore", "--id=1", "--force")
    kedge("backup:cleanup")


def test_restore_asks_on_a_terminal_as_its_document_shows(kedge, shop):
    kedge("db:backup", "--compress", shop)
    name = kedge.lines("list")[0]["name"]
    screen, status = on_terminal(kedge, ["db:restore", name, "--verify"], ["no"])
    assert status == 5
    for line in (f"Found backup: {kedge.home}/backups/{name}\n", "Verifying backup integrity...\n",
                 "  ✓ Gzip integrity verified\n", "  ✓ SQL content verified\n", "✓ Backup verification passed\n",
                 "Are you sure you want to restore from this backup? (yes/no) [no]:", "\nRestore cancelled.\n"):
        assert line in screen, screen
    assert re.search(r"  File size: \d+\.\d+MB\n", screen)
    assert "⚠️  WARNING: This will REPLACE all data in " in screen


def test_init_into_a_folder_that_is_not_there_makes_nothing_and_says_the_way(kedge):
    refused = kedge("init", "--config", kedge.path("none", "kedge.yaml"), status=4).stderr
    assert f"there is no folder {kedge.path('none')}" in refused and f"hint: make it first: mkdir -p {kedge.path('none')}" in refused
    assert not os.path.exists(kedge.home) and not os.path.exists(kedge.path("none"))
    os.mkdir(kedge.path("none"))
    kedge("init", "--config", kedge.path("none", "kedge.yaml"))
    assert os.path.exists(kedge.path("none", "kedge.yaml"))


def test_a_clock_that_was_set_back_is_told(kedge, shop):
    """The first backup is dated into the future, as by a clock that was wrong."""
    assert kedge.json("backup", shop)["warnings"] == []
    with sqlite3.connect(os.path.join(kedge.home, "catalog.db")) as db:
        db.execute("UPDATE backups SET created_at = '2099-01-01T00:00:00.000000Z'")
    db.close()
    warning, = kedge.json("backup", shop)["warnings"]
    assert "backup 1 of shop (2099-01-01 00:00:00)" in warning and "clock" in warning
    assert kedge.json("show", "latest")["number"] == 1
    kedge("delete", "1", "--force")
    assert kedge.json("backup", shop)["warnings"] == []


def test_the_warning_says_how_much_is_replaced(kedge, shop):
    folder = kedge.path("tree")
    os.mkdir(folder)
    write(kedge, "tree/a.txt", "a")
    kedge("backup", shop)
    kedge("backup", folder)
    for words, what in ((["1", "--table", "orders"], "the chosen tables in database"), (["1"], "all data in database"),
                        (["2", "--include", "a.*"], f"the chosen files in '{folder}'"),
                        (["2", "--exclude", "b.*"], f"the chosen files in '{folder}'"),
                        (["2"], f"all data in '{folder}'")):
        assert f"This will REPLACE {what}" in kedge("restore", *words, status=5).stderr
    assert "a.*" not in kedge("verify", "2").stdout and ", 2 entries" in kedge("verify", "2").stdout


@pytest.mark.parametrize("text", ["host=db dbname=x password=hunter2", "u:hunter2@tcp(127.0.0.1:1)/x", "u:hunter2@/x",
                                  "mysql://u:hunter2@tcp(127.0.0.1:1)/x", "jdbc:postgresql://h/x?password=hunter2"])
def test_what_is_no_url_is_refused_and_its_password_not_shown(kedge, text):
    os.mkdir(kedge.path("migrations"))
    for words, env in ((["backup"], {"DATABASE_URL": text}), (["backup", text], {}), (["migrate", "up", "--target", text], {}),
                       (["migrate", "status"], {"DATABASE_URL": text})):
        error = kedge(*words, env=env, status=2).stderr
        assert "postgres://USER@HOST:PORT/DATABASE" in error and "hunter2" not in error, error
    assert not [name for name in os.listdir(kedge.path(".")) if "hunter2" in name]


def test_production_is_asked_twice(kedge, shop):
    kedge("backup", shop)
    write(kedge, "kedge.yaml", "kedge: { environment: production }\n")
    screen, status = on_terminal(kedge, ["restore", "1"], ["yes", "no"])
    assert status == 5 and screen.count("(yes/no) [no]:") == 2
    screen, status = on_terminal(kedge, ["restore", "1"], ["yes", "yes"])
    assert status == 0 and "Restored shop_" in screen


def test_an_interrupt_at_the_question_changes_nothing(kedge, shop):
    kedge("backup", shop)
    empty(shop)
    screen, status = on_terminal(kedge, ["restore", "1"], ["\x03"])
    assert status == 130 and "interrupted" in screen and rows_of(shop) == []


def test_a_live_line_on_a_terminal_and_none_with_quiet(kedge):
    folder = kedge.path("many")
    os.mkdir(folder)
    with open(os.path.join(folder, "big"), "wb") as file:
        for _ in range(120):
            file.write(os.urandom(1 << 20))
    screen, status = on_terminal(kedge, ["backup", folder], [])
    # Bytes and rate; how fast it was is not this test's business.
    assert status == 0 and re.search(r"[0-9.]+ [kMG]?B  +[0-9.]+ [kMG]?B/s", screen)
    assert screen.count("Backup created successfully") == 1
    screen, status = on_terminal(kedge, ["backup", "-q", folder], [])
    assert status == 0 and "B/s" not in screen
    kedge.environment["TERM"] = "dumb"
    screen, status = on_terminal(kedge, ["backup", folder], [])
    assert status == 0 and "\033" not in screen


def test_words_of_other_tools_name_ours(kedge):
    for theirs, ours in (("new", "create NAME"), ("rollback", "down"), ("up-to", "up --version VERSION")):
        result = kedge("migrate", theirs, status=2)
        assert f"hint: did you mean kedge migrate {ours}?" in result.stderr


def test_a_mistyped_target_makes_no_database(kedge):
    result = kedge("migrate", "up", "--target", "shopp", status=2)
    assert "no target named shopp" in result.stderr
    assert not os.path.exists(kedge.path("shopp"))


def test_a_missing_folder_of_migrations_says_what_to_do(kedge):
    result = kedge("migrate", "status", "--target", "sqlite:app.db", status=1)
    assert "hint: kedge migrate create NAME makes it" in result.stderr


@pytest.mark.parametrize("words, message", [
    (("--encrypt", "foo"), "is not an age public key"), (("--encrypt", "age1abc"), "is not an age public key"),
    (("--type", "bogus"), "is none of"), (("--type", "configuration"), "has no configuration"), (("--type", "files"), "no paths"),
    (("--compress=lzma",), "no compression"), (("--table", "orders"), "holds all of its tables"),
    (("--exclude-table", "orders"), "holds all of its tables")])
def test_a_request_that_cannot_be_leaves_no_failed_backup(kedge, shop, words, message):
    assert message in kedge("backup", shop, *words, status=2).stderr
    assert kedge.lines("list") == []


def test_rows_that_nobody_counted_are_not_0(kedge, shop):
    assert kedge.json("backup", shop)["rows"] is None
    assert kedge.json("show", 1)["rows"] is None and "\nrows" not in kedge("show", 1).stdout
    assert kedge.json("verify", 1)["rows"] is None and kedge.json("verify", 1, "--level", 1)["rows"] is None
    restored = kedge.json("restore", 1, "--force")
    assert restored["rows"] is None and restored["bytes"] == os.path.getsize(shop)
    tables = sum(len(rows) for rows in contents(shop)[1].values())
    assert kedge.json("backup", shop, "--format", "sql")["rows"] == tables
    assert kedge.json("show", 2)["rows"] == kedge.json("verify", 2)["rows"] == tables
    restored = kedge.json("restore", 2, "--force", "--table", "orders")
    assert restored["rows"] == 1000 and restored["bytes"] is None
    kedge("catalog", "rebuild", "--from", kedge.backups, env={"KEDGE_HOME": kedge.path("other")})
    assert [kedge.json("show", number, env={"KEDGE_HOME": kedge.path("other")})["rows"] for number in (1, 2)] == [None, tables]


def test_a_small_backup_has_a_size(kedge):
    sqlite3.connect(kedge.path("small.db")).execute("CREATE TABLE t (a)").connection.close()
    shown = re.search(r"^Size: ([0-9.]+) MB$", kedge("backup", "small.db").stdout, re.MULTILINE)[1]
    size = kedge.lines("list")[0]["size_bytes"]
    assert abs(float(shown) * 1e6 - size) < 0.1 * size and 100 < size < 1000
    assert re.search(r"\(0\.000[0-9]+MB\)", kedge("restore", "nonexistent", status=4).stderr)


def test_messages_stand_behind_the_results_they_follow(kedge):
    """As in a log that takes both."""
    os.mkdir(kedge.path("migrations"))
    with open(kedge.path("migrations", "1_t.sql"), "w", encoding="utf-8") as file:
        file.write("-- +migrate Up\nCREATE TABLE t (id INT);\n-- +migrate Down\nDROP TABLE t;\n")
    done = subprocess.run([kedge.binary, "migrate", "verify", "--target", "sqlite:app.db"], cwd=kedge.folder, text=True,
                          env=kedge.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert done.stdout == "1 t: Down undoes Up\n1 good, 0 without Down, 0 bad\n"
