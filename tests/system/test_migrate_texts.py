"""Texts that are hard to cut into statements, and files that are hard to read, each on the server that it is for."""
import os

import pytest

from test_migrate_cases import Place, case, up_and_down, write

CASES = [
    # ---- PostgreSQL ----
    case("postgres", "quotes within quotes", "CREATE FUNCTION f() RETURNS text LANGUAGE plpgsql AS $outer$\nBEGIN\n  EXECUTE $inner$ "
         "SELECT 'a;b' $inner$;\n  RETURN $$it's; $x$ so$$;\nEND $outer$;", "DROP FUNCTION f();", "SELECT f()", "it's; $x$ so"),
    case("postgres", "a tag that is no English word", "CREATE FUNCTION f() RETURNS text LANGUAGE sql AS $größe_1$ SELECT 'a;b' $größe_1$;",
         "DROP FUNCTION f();", "SELECT f()", "a;b"),
    case("postgres", "a dollar within a name", "CREATE TABLE a$b$c (x$1 int);\nINSERT INTO a$b$c VALUES (1); INSERT INTO a$b$c VALUES (2);",
         "DROP TABLE a$b$c;", "SELECT sum(x$1) FROM a$b$c", "3"),
    case("postgres", "a body of the standard", "CREATE TABLE a (x int);\nCREATE FUNCTION f(n int) RETURNS int LANGUAGE sql BEGIN ATOMIC\n"
         "  INSERT INTO a VALUES (n);\n  SELECT CASE WHEN n > 1 THEN n ELSE 0 END;\nEND;\nSELECT f(5);",
         "DROP FUNCTION f(int);\nDROP TABLE a;", "SELECT x FROM a", "5"),
    case("postgres", "a procedure of the standard with a name like a word", "CREATE TABLE \"end\" (\"begin\" int);\n"
         "CREATE OR REPLACE PROCEDURE p() BEGIN ATOMIC INSERT INTO \"end\" (\"begin\") VALUES (1); INSERT INTO \"end\" VALUES (2); END; CALL p();",
         "DROP PROCEDURE p();\nDROP TABLE \"end\";", "SELECT sum(\"begin\") FROM \"end\"", "3"),
    case("postgres", "a procedure that commits", "CREATE TABLE a (x int);\nCREATE PROCEDURE p() LANGUAGE plpgsql AS $$\nBEGIN\n"
         "  INSERT INTO a VALUES (1); COMMIT; INSERT INTO a VALUES (2); ROLLBACK;\nEND $$;\nCALL p();",
         "DROP PROCEDURE p();\nDROP TABLE a;", "SELECT sum(x) FROM a", "1", " notransaction"),
    case("postgres", "comments within comments", "/* a /* b; */ c; /* /* d */ */ '\" $$ */ CREATE TABLE a (x int) /* ; */; -- ; ' $$\n"
         "INSERT INTO a /* /* */ ; */ VALUES (1);", "DROP TABLE a;", "SELECT count(*) FROM a", "1"),
    case("postgres", "strings with escapes", "CREATE TABLE a (x text);\nINSERT INTO a VALUES (E'it\\'s; \\\\'), (U&'d\\0061t; !' ), "
         "(U&'d!0061t;' UESCAPE '!'), (N'n;'), ('one;'\n  ' two;');", "DROP TABLE a;",
         "SELECT string_agg(x, '|' ORDER BY x COLLATE \"C\") FROM a", "dat;|dat; !|it's; \\|n;|one; two;"),
    case("postgres", "bits and names with escapes", "CREATE TABLE U&\"d\\0061t;\" (x bit(4), y bytea);\n"
         "INSERT INTO U&\"d\\0061t;\" VALUES (B'1010', E'\\\\x3b');", "DROP TABLE \"dat;\";", "SELECT x FROM \"dat;\"", "1010"),
    case("postgres", "operators that look like comments", "CREATE OPERATOR @-@ (leftarg = int, rightarg = int, function = int4mi);\n"
         "CREATE TABLE a (x int);\nINSERT INTO a SELECT 7 @-@ 2;\nINSERT INTO a SELECT 2*-1--;\n;",
         "DROP TABLE a;\nDROP OPERATOR @-@ (int, int);", "SELECT sum(x) FROM a", "3"),
    case("postgres", "a rule of several", "CREATE TABLE a (x int);\nCREATE TABLE b (x int);\nCREATE RULE r AS ON INSERT TO a DO ALSO "
         "(INSERT INTO b VALUES (new.x); INSERT INTO b VALUES (new.x + 1));\nINSERT INTO a VALUES (1);",
         "DROP TABLE a;\nDROP TABLE b;", "SELECT sum(x) FROM b", "3"),
    case("postgres", "rows with everything", "CREATE TABLE a (x text, y text);\nCOPY a (x, y) FROM stdin WITH (FORMAT csv, HEADER);\nx,y\n"
         "\"a;\n-- +migrate not\",'\n\\.\nCOPY a FROM STDIN;\n-- one\t;\n\\\\.\t$$\n\\.\n\nINSERT INTO a VALUES ('z', '');",
         "DROP TABLE a;", "SELECT count(*) FROM a", "4"),
    case("postgres", "empty statements", ";;\n;\nCREATE TABLE a (x int);;; /* */ ;\n-- ;\n;", ";;DROP TABLE a;;", "SELECT count(*) FROM a", "0"),
    case("postgres", "a DO with an exception", "CREATE TABLE a (x int);\nDO LANGUAGE plpgsql $$ DECLARE r record; BEGIN\nFOR r IN SELECT 1 LOOP\n"
         "  BEGIN INSERT INTO a VALUES (1 / 0); EXCEPTION WHEN division_by_zero THEN INSERT INTO a VALUES (9); END;\nEND LOOP; END $$;",
         "DROP TABLE a;", "SELECT x FROM a", "9"),
    case("postgres", "types with their own brackets", "CREATE TABLE a (x int[] DEFAULT '{1,2}', y json DEFAULT '{\"a;\": \"}\"}');\n"
         "INSERT INTO a DEFAULT VALUES;", "DROP TABLE a;", "SELECT x[2] FROM a", "2"),
    case("postgres", "an XML text and a pattern", "CREATE TABLE a (x text CHECK (x ~ '^[;\\\\'']+$'));\nINSERT INTO a VALUES (';\\''');",
         "DROP TABLE a;", "SELECT x FROM a", ";\\'"),
    case("postgres", "a view with a body in words", "CREATE VIEW v AS SELECT 1 AS \"begin\", 2 AS atomic, CASE WHEN true THEN 3 END AS \"end\";",
         "DROP VIEW v;", "SELECT atomic FROM v", "2"),
    case("postgres", "a trigger and its event", "CREATE TABLE a (x int);\nCREATE FUNCTION t() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN new.x := "
         "new.x + 1; RETURN new; END';\nCREATE TRIGGER t BEFORE INSERT ON a FOR EACH ROW EXECUTE FUNCTION t();\nINSERT INTO a VALUES (1);",
         "DROP TABLE a;\nDROP FUNCTION t();", "SELECT x FROM a", "2"),
    # ---- MariaDB ----
    case("mariadb", "delimiters of every kind", "CREATE TABLE a (x int);\nDELIMITER $$\nCREATE PROCEDURE p() BEGIN INSERT INTO a VALUES (1); END$$\n"
         "DELIMITER ;;\nCREATE PROCEDURE q() BEGIN INSERT INTO a VALUES (2); END;;\ndelimiter //\nCALL p()//\nCALL q()//\nDELIMITER ;\n"
         "INSERT INTO a VALUES (4);", "DROP PROCEDURE p; DROP PROCEDURE q; DROP TABLE a;", "SELECT SUM(x) FROM a", "7"),
    case("mariadb", "a delimiter that is a word", "DELIMITER go\nCREATE TABLE a (x int)\ngo\nINSERT INTO a VALUES (3)\ngo\nDELIMITER ;",
         "DROP TABLE a;", "SELECT SUM(x) FROM a", "3"),
    case("mariadb", "bodies with labels and handlers", "CREATE TABLE a (x int);\nCREATE PROCEDURE p(n int)\nouter_one: BEGIN\n  DECLARE i int DEFAULT 0;\n"
         "  DECLARE CONTINUE HANDLER FOR SQLEXCEPTION BEGIN INSERT INTO a VALUES (100); END;\n  here: LOOP\n    SET i = i + 1;\n"
         "    IF i > n THEN LEAVE here; ELSEIF i = 2 THEN ITERATE here; END IF;\n    CASE i WHEN 1 THEN INSERT INTO a VALUES (1); ELSE BEGIN END; END CASE;\n"
         "    INSERT INTO a VALUES (IF(i = 3, 30, 0));\n  END LOOP here;\n  INSERT INTO nowhere VALUES (1);\n  REPEAT SET i = i - 1; UNTIL i < 0 END REPEAT;\n"
         "  WHILE i < 0 DO SET i = i + 1; END WHILE;\nEND outer_one;\nCALL p(3);", "DROP PROCEDURE p;\nDROP TABLE a;", "SELECT SUM(x) FROM a", "131"),
    case("mariadb", "a trigger, a function and an event", "CREATE TABLE a (x int);\nCREATE TRIGGER t BEFORE INSERT ON a FOR EACH ROW IF new.x < 0 THEN "
         "SET new.x = 0; END IF;\nCREATE FUNCTION f(n int) RETURNS int DETERMINISTIC BEGIN RETURN CASE n WHEN 1 THEN 10 ELSE 20 END; END;\n"
         "CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO BEGIN DELETE FROM a; DELETE FROM a; END;\nINSERT INTO a VALUES (-5), (f(1));",
         "DROP EVENT e;\nDROP FUNCTION f;\nDROP TABLE a;", "SELECT SUM(x) FROM a", "10"),
    case("mariadb", "comments with conditions", "CREATE TABLE a (x int /*!50003 DEFAULT 5 */, y int /*M! DEFAULT 6 */, z int /*!999999 DEFAULT ; */);\n"
         "/*!50003 INSERT INTO a () VALUES () */;\n/*!50003 CREATE*/ /*!50017 DEFINER=CURRENT_USER*/ /*!50003 TRIGGER t BEFORE INSERT ON a FOR EACH ROW "
         "BEGIN SET new.x = 7; SET new.y = 8; END */;\nINSERT INTO a VALUES (1, 1, 1);", "DROP TABLE a;", "SELECT SUM(x) * 100 + SUM(y) FROM a", "1214"),
    case("mariadb", "quotes and their escapes", "CREATE TABLE a (x text);\nINSERT INTO a VALUES ('it''s; \\' \\\\'), (\"say \"\"so;\"\" \\\" '\"), "
         "('a;'\n 'b'), (_utf8mb4'ü;'), (x'3b');", "DROP TABLE a;", "SELECT COUNT(*) * 100 + SUM(CHAR_LENGTH(x)) FROM a", "528"),
    case("mariadb", "comments in the way of MySQL", "CREATE TABLE a (x int); # it's ; \" `\nINSERT INTO a VALUES (5--1); -- it's ; \n--\tso;\n"
         "INSERT INTO a VALUES (1 /* ; ' */ + 1);\n#;\n/* /* ; */ INSERT INTO a VALUES (3);", "DROP TABLE a;", "SELECT SUM(x) FROM a", "11"),
    case("mariadb", "names with signs", "CREATE TABLE `a;``b` (`x -- y` int, `#` int);\nINSERT INTO `a;``b` VALUES (1, 2);", "DROP TABLE `a;``b`;",
         "SELECT SUM(`#`) FROM `a;``b`", "2"),
    case("mariadb", "modes within a file", "CREATE TABLE a (x text);\nSET SESSION sql_mode = CONCAT(@@sql_mode, ',ANSI_QUOTES');\n"
         "INSERT INTO \"a\" VALUES ('\\'; a');\nSET sql_mode = 'NO_BACKSLASH_ESCAPES';\nINSERT INTO a VALUES ('\\'), (\"b;\");\nSET sql_mode = '';\n"
         "INSERT INTO a VALUES ('\\';');", "DROP TABLE a;", "SELECT GROUP_CONCAT(x ORDER BY x SEPARATOR '|') FROM a", "';|'; a|b;|\\\\"),
    case("mariadb", "an Oracle body", "SET sql_mode = 'ORACLE';\nDELIMITER /\nCREATE PROCEDURE p AS n INT := 1; BEGIN n := n + 1; INSERT INTO a VALUES (n); END;\n/\n"
         "DELIMITER ;\nSET sql_mode = DEFAULT;\nCREATE TABLE a (x int);\nCALL p();", "DROP PROCEDURE p;\nDROP TABLE a;", "SELECT x FROM a", "2"),
    case("mariadb", "words of bodies as names and functions", "CREATE TABLE a (`begin` int, end_at int, `case` int, loop_no int);\n"
         "CREATE VIEW v AS SELECT IF(1, 2, 3) AS a, REPEAT('x', 2) AS b, CASE WHEN 1 THEN 5 END AS c;\nINSERT INTO a (end_at, loop_no) VALUES (1, 2);",
         "DROP VIEW v;\nDROP TABLE a;", "SELECT c FROM v", "5"),
    case("mariadb", "a package of statements without a body", "CREATE TABLE a (x int);\nBEGIN NOT ATOMIC\n  DECLARE i int DEFAULT 1;\n  IF i THEN "
         "INSERT INTO a VALUES (i); END IF;\n  FOR k IN 1..3 DO INSERT INTO a VALUES (k); END FOR;\nEND;\nINSERT INTO a VALUES (10);",
         "DROP TABLE a;", "SELECT SUM(x) FROM a", "17"),
    case("mariadb", "a sequence, a check and a computed column", "CREATE SEQUENCE s START WITH 5;\nCREATE TABLE a (x int DEFAULT NEXTVAL(s), y int AS (x * 2) "
         "STORED, CHECK (x > 0));\nINSERT INTO a () VALUES ();", "DROP TABLE a;\nDROP SEQUENCE s;", "SELECT y FROM a", "10"),
    # ---- SQLite ----
    case("sqlite", "a trigger with a choice", "CREATE TABLE a (x);\nCREATE TRIGGER t AFTER INSERT ON a WHEN CASE new.x WHEN 1 THEN 1 ELSE 0 END BEGIN\n"
         "  UPDATE a SET x = CASE WHEN x = 1 THEN CASE WHEN 1 THEN 11 END ELSE 0 END;\n  INSERT INTO a VALUES ('end;');\nEND;\nINSERT INTO a VALUES (1);",
         "DROP TABLE a;", "SELECT group_concat(x) FROM a", "11,end;"),
    case("sqlite", "names in every quote", "CREATE TABLE [x;y] (\"a;b\" int, `c;d` int, 'e;f' int);\nINSERT INTO [x;y] VALUES (1, 2, 3);",
         "DROP TABLE [x;y];", "SELECT \"a;b\" + `c;d` + [e;f] FROM [x;y]", "6"),
    case("sqlite", "columns that are called like words of a body", "CREATE TABLE a (\"begin\" int, \"end\" int, \"case\" int);\n"
         "CREATE TABLE trigger (begin int);\nINSERT INTO a VALUES (1, 2, 3);", "DROP TABLE a;\nDROP TABLE trigger;", "SELECT \"end\" FROM a", "2"),
    case("sqlite", "comments and a string over lines", "CREATE TABLE a (x); /* ; /* */ INSERT INTO a VALUES ('a;\n-- b\n/*'); -- ; '\nINSERT INTO a VALUES (\n1 /* ; */\n);",
         "DROP TABLE a;", "SELECT count(*) FROM a", "2"),
    case("sqlite", "a view with a window and a trigger on it", "CREATE TABLE a (x);\nCREATE VIEW v AS SELECT x, row_number() OVER (ORDER BY x) AS n FROM a;\n"
         "CREATE TRIGGER t INSTEAD OF INSERT ON v BEGIN INSERT INTO a VALUES (new.x); INSERT INTO a VALUES (new.x || ';'); END;\nINSERT INTO v (x) VALUES ('q');",
         "DROP VIEW v;\nDROP TABLE a;", "SELECT max(n) FROM v", "2"),
    case("sqlite", "an index on an expression and a generated column", "CREATE TABLE a (x int, y int GENERATED ALWAYS AS (x * 2) STORED);\nCREATE INDEX i ON a "
         "(CASE WHEN x > 0 THEN x END) WHERE x <> ';';\nINSERT INTO a VALUES (4);", "DROP TABLE a;", "SELECT y FROM a", "8"),
    case("sqlite", "an upsert and a common table", "CREATE TABLE a (x int PRIMARY KEY, n int);\nWITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c "
         "WHERE i < 5) INSERT INTO a SELECT i, 1 FROM c;\nINSERT INTO a VALUES (1, 1) ON CONFLICT (x) DO UPDATE SET n = n + 1;", "DROP TABLE a;",
         "SELECT sum(n) FROM a", "6"),
]


@pytest.mark.parametrize("it", CASES, ids=lambda it: f"{it.engine}: {it.name}")
def test_text_up_and_down(kedge, request, it):
    up_and_down(kedge, request, it)


@pytest.mark.parametrize("it", CASES, ids=lambda it: f"{it.engine}: {it.name}")
def test_text_with_other_line_ends(kedge, request, it):
    """CRLF and a byte order mark, as an editor on Windows writes them."""
    place = Place(kedge, request, it.engine)
    write(kedge, it.files)
    folder = kedge.path("migrations")
    for name in os.listdir(folder):
        with open(os.path.join(folder, name), encoding="utf-8", newline="") as file:
            text = file.read()
        with open(os.path.join(folder, name), "w", encoding="utf-8", newline="") as file:
            file.write("\ufeff" + text.replace("\n", "\r\n"))
    kedge("migrate", "up")
    assert place.ask(it.ask) == it.answer
    kedge("migrate", "reset", "--yes")
    assert place.left() == ""


# ---- files that are hard to read ----

UP = b"-- +migrate Up\n"


@pytest.mark.parametrize("text,error", [
    ("SELECT 1;".encode("utf-16"), ":1:1: the file is UTF-16, not UTF-8"),
    ("SELECT 1;".encode("utf-16-be"), "the file holds NUL bytes"),
    (UP + b"SELECT 1;\0", "the file holds NUL bytes"),
    (UP + "SELECT '\xe9';".encode("latin-1"), "the file is not UTF-8"),
    (b"", ":1:1: the file is empty"),
    (b"\n\n", 'no line "-- +migrate Up"'),
    (b"SELECT 1;\n", "a statement before the Up directive"),
    (UP + b"SELECT 'a;\n", ":2:8: unterminated"),
    (UP + b"SELECT 1; /* a", ":2:11: unterminated comment"),
    (UP + b".tables\n", ":2:1: a line that begins with a dot is a command of the sqlite3 shell"),
])
def test_a_file_that_is_no_text_says_so_and_nothing_runs(kedge, request, text, error):
    place = Place(kedge, request, "sqlite")
    os.makedirs(kedge.path("migrations"))
    for name, content in (("20240101000001_a.sql", UP + b"CREATE TABLE a (x);"), ("20240101000002_b.sql", text)):
        with open(kedge.path("migrations", name), "wb") as file:
            file.write(content)
    stderr = kedge("migrate", "up", status=1).stderr
    assert "migrations/20240101000002_b.sql" in stderr and error in stderr
    assert place.left() == ""


def test_what_is_no_file_is_named_and_passed_over(kedge, request):
    Place(kedge, request, "sqlite")
    os.makedirs(kedge.path("real", "20240101000003_folder.sql"))
    with open(kedge.path("real", "20240101000001_a.sql"), "wb") as file:
        file.write(UP + b"CREATE TABLE a (x);")
    os.mkfifo(kedge.path("real", "20240101000002_pipe.sql"))
    os.symlink("nowhere", kedge.path("real", "20240101000004_link.sql"))
    os.symlink("real", kedge.path("migrations"))
    run = kedge("migrate", "up", timeout=20)
    assert run.stdout.startswith("applied 20240101000001 a")
    assert "20240101000002_pipe.sql is passed over: it is no file" in run.stderr
    assert "20240101000004_link.sql is passed over: the link leads nowhere" in run.stderr


@pytest.mark.parametrize("flyway", [False, True])
def test_links_that_lead_in_a_circle_are_named_and_passed_over(kedge, request, flyway):
    Place(kedge, request, "sqlite")
    os.makedirs(kedge.path("migrations", "inner"))
    name = "V1__a.sql" if flyway else "20240101000001_a.sql"
    with open(kedge.path("migrations", name), "wb") as file:
        file.write((b"" if flyway else UP) + b"CREATE TABLE a (x);")
    os.symlink("itself", kedge.path("migrations", "itself"))
    os.symlink(".", kedge.path("migrations", "here"))
    os.symlink("../..", kedge.path("migrations", "inner", "above"))
    run = kedge("migrate", "up", "--migrations", "migrations/", timeout=20)
    assert run.stdout.count("applied") == 1
    assert "migrations/itself is passed over: the link leads to itself" in run.stderr
    assert ("/here is passed over: it leads back" in run.stderr) == flyway
    assert ("/migrations is passed over: it leads back" in run.stderr) == flyway


def test_a_folder_of_folders_is_no_reason_to_say_that_all_is_done(kedge, request):
    Place(kedge, request, "sqlite")
    for names, hint in ((("up.sql", "down.sql"), "kedge migrate import"), (("migration.sql",), "kedge migrate baseline VERSION")):
        folder = kedge.path(names[0][:2], "2024-01-01-000001_users")
        os.makedirs(folder)
        for name in names:
            with open(os.path.join(folder, name), "wb") as file:
                file.write(b"CREATE TABLE users (x);")
        for words in (("up",), ("status",), ("plan",), ("lint", "--dialect", "sqlite")):
            refused = kedge("migrate", *words, "--migrations", names[0][:2], status=2)
            assert f"{names[0][:2]} has a folder for each migration" in refused.stderr and hint in refused.stderr, refused.stderr
            assert refused.stdout == ""
    write(kedge, [("CREATE TABLE a (x);", "DROP TABLE a;")])
    os.makedirs(kedge.path("outer"))
    os.rename(kedge.path("migrations"), kedge.path("outer", "old"))
    run = kedge("migrate", "up", "--migrations", "outer")
    assert "outer/old/20240101000001_case.sql is passed over: it lies in a folder within outer" in run.stderr
    assert run.stdout == "nothing to do: no migration is pending\n"


@pytest.mark.parametrize("engine", ["sqlite", "postgres", "mariadb"])
@pytest.mark.parametrize("name", ["20240101000001_a.sql", "20240101000001_a.up.sql"])
def test_lines_that_end_in_cr_alone_are_told(kedge, request, engine, name):
    place = Place(kedge, request, engine)
    os.makedirs(kedge.path("migrations"))
    with open(kedge.path("migrations", name), "wb") as file:
        file.write((b"" if ".up." in name else UP) .replace(b"\n", b"\r") + b"CREATE TABLE a (x int);\r-- a row\rINSERT INTO a VALUES (1);\r")
    if engine == "postgres" and ".up." in name:
        kedge("migrate", "up")
        assert place.ask("SELECT count(*) FROM a") == "1"
        return
    error = kedge("migrate", "up", status=1).stderr
    assert f"{name}: its lines end in CR alone" in error and r"tr '\r' '\n'" in error
    assert place.left() == ""


def test_what_stands_behind_copy_is_told_where_it_belongs(kedge, request):
    place = Place(kedge, request, "postgres")
    write(kedge, [("CREATE TABLE a (x int);\nCOPY a FROM stdin; SELECT 1;\n1\n\\.\n", "DROP TABLE a;")])
    error = kedge("migrate", "up", status=1).stderr
    assert "20240101000001_case.sql:3:20: text behind COPY ... FROM stdin" in error and "below the line \\. that ends the rows" in error, error
    assert place.left() == ""


@pytest.mark.parametrize("engine", ["postgres", "mariadb"])
def test_a_statement_of_many_megabytes(kedge, request, engine):
    """Longer than MariaDB takes at once (max_allowed_packet, 16 MiB): the server's refusal names file and statement, and says what is left."""
    place = Place(kedge, request, engine)
    write(kedge, [("CREATE TABLE a (x int);\nSELECT '" + "x" * (17 << 20) + "';", "DROP TABLE a;")])
    if engine == "postgres":
        kedge("migrate", "up")
        return
    error = kedge("migrate", "up", status=1).stderr
    assert "20240101000001_case.sql:3:1: statement 2 of 2" in error and "max_allowed_packet" in error, error
    assert len(error) < 1000
    write(kedge, [("CREATE TABLE a (x int);\nSELECT 1;", "DROP TABLE a;")])
    kedge("migrate", "up")
    assert place.ask("SELECT COUNT(*) FROM a") == "0"
