"""The statement readers beside the clients that people use: generated scripts go through psql and the mariadb client to a
server that only notes what it is sent, and through SQLite's own parser; kedge's readers must see the same statements.

KEDGE_READER_SCRIPTS (200) and KEDGE_READER_SEED (1) ask for more or others.
"""
import ctypes
import ctypes.util
import json
import os
import random
import re
import shutil
import socket
import struct
import subprocess
import threading

import pytest

from conftest import BUILD

SCRIPTS = int(os.environ.get("KEDGE_READER_SCRIPTS", "200"))
SEED = int(os.environ.get("KEDGE_READER_SEED", "1"))
QUOTED = "';'"
TOOL = os.path.join(BUILD, "tests", "statement_tool")


# ---- servers that note what they are sent ----

class Recorder:
    """A server on a socket in `folder`; `take` answers what has come since the last time."""

    def __init__(self, path):
        self.statements, self.rows = [], []
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        self.listener.listen(8)
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            try:
                self.talk(connection, connection.makefile("rb"))
            except (OSError, struct.error):
                pass
            connection.close()

    def note(self, text, rows=None):
        self.statements.append(text)
        self.rows.append(rows)

    def take(self):
        taken = self.statements, self.rows
        self.statements, self.rows = [], []
        return taken


class PostgresRecorder(Recorder):
    def talk(self, connection, stream):
        def message(kind, body=b""):
            return kind + struct.pack("!I", len(body) + 4) + body

        ready = message(b"Z", b"I")
        while True:
            size, code = struct.unpack("!II", stream.read(8))
            stream.read(size - 8)
            if code not in (80877103, 80877104):  # encryption is declined
                break
            connection.sendall(b"N")
        settings = {"server_version": "15.0", "client_encoding": "UTF8", "standard_conforming_strings": "on"}
        connection.sendall(message(b"R", struct.pack("!I", 0)) + b"".join(
            message(b"S", f"{name}\0{value}\0".encode()) for name, value in settings.items()) + ready)
        while kind := stream.read(1):
            body = stream.read(struct.unpack("!I", stream.read(4))[0] - 4)
            if kind != b"Q":
                return
            text, rows = body[:-1].decode(), None
            if re.match(r"(?is)(\s|--[^\r\n]*[\r\n]|/\*.*?\*/)*copy\b.*\bstdin\b", text):
                connection.sendall(message(b"G", b"\0\0\0"))
                rows = b""
                while (kind := stream.read(1)) == b"d":
                    rows += stream.read(struct.unpack("!I", stream.read(4))[0] - 4)
                stream.read(struct.unpack("!I", stream.read(4))[0] - 4)
                rows = rows.decode().removesuffix("\\.\n")  # that line goes along
            self.note(text, rows)
            connection.sendall((message(b"I") if not text.strip(" \t\r\n;") else message(b"C", b"SELECT 0\0" if rows is None else b"COPY 0\0")) + ready)


class MysqlRecorder(Recorder):
    def talk(self, connection, stream):
        status = 2

        def packet(number, body):
            return struct.pack("<I", len(body))[:3] + bytes([number]) + body

        def ok(number):
            return packet(number, b"\0\0\0" + struct.pack("<HH", status, 0))

        abilities = 0x1 | 0x4 | 0x8 | 0x200 | 0x2000 | 0x8000 | 0x80000
        connection.sendall(packet(0, b"\x0a10.11.0-MariaDB\0" + struct.pack("<I", 1) + b"12345678\0" +
                                  struct.pack("<HBHH", abilities & 0xFFFF, 45, status, abilities >> 16) + b"\x15" + bytes(10) +
                                  b"123456789012\0mysql_native_password\0"))
        first = True
        while head := stream.read(4):
            body = stream.read(head[0] | head[1] << 8 | head[2] << 16)
            if not first and body[:1] == b"\x01":
                return
            if not first and body[:1] == b"\x03":
                text = body[1:].decode()
                mode = re.match(r"(?is)\s*set\s+(?:session\s+)?sql_mode\s*=\s*'(.*?)'", text)
                if mode:
                    status = 2 | (0x200 if "NO_BACKSLASH_ESCAPES" in mode.group(1) else 0)
                self.note(text)
            connection.sendall(ok(head[3] + 1))
            first = False


# ---- scripts ----

class Generator:
    """Statements out of pieces that readers stumble over. `pick` takes from callables and texts alike."""

    def __init__(self, seed):
        self.random = random.Random(seed)

    def pick(self, *choices):
        choice = self.random.choice(choices)
        return choice() if callable(choice) else choice

    def some(self, make, most=4):
        return [make() for _ in range(self.random.randint(1, most))]

    def blank(self):
        return self.pick(" ", " ", " ", "\n", "  \n\t", self.comment)

    def words(self, most=5):
        return "".join(word + self.blank() for word in self.some(self.word, most))

    def script(self):
        parts = []
        for _ in range(self.random.randint(1, 7)):
            parts.append(self.statement())
            parts.append(self.pick("\n", "\n", " ", "", "\n\n", "\r\n", self.comment))
        return "".join(parts)


class PostgresScripts(Generator):
    # An E'' that goes on with '' in the next line is left out: psql reads line by line and forgets the E there, the server
    # and kedge do not.
    def comment(self):
        return self.pick("-- x\r", "/*" * 9 + ";" + "*/" * 9, "/*/*;*/*/", "/***/", "/* /*/ ; */ ' */",
                         "-- ; ' \" $$ /*\n", "/* ; ' */", "/* a /* ; ' */ $$ */", "/**/", "--\n", "/*-- */", "/*/* */;*/",
                         " -- it's\r\n")

    def word(self):
        return self.pick("1", "a", "x", "||", "+", "'a;b'", "'it''s; '", "E'\\';' ||", "e'a\\\\' ||", "'a\\'", "U&'d\\0061;'", "'x;'\n'y;'",
                         '"q;"', '"a""b;"', 'U&"a;"', "$$;$$", "$$'$$", "$t$ ; $$ ; $t$", "$_1$ ' $_1$",
                         "$1", "a$t$", "a$$", "$é$;$é$", "B'1;'", "X'1;'", "N'a;'", "a::text", "b[1:2]", "(1; 2)",
                         "(';' , (2))", "CASE WHEN 1 THEN 2 END", "begin", "end", "atomic", "é", "- -1", "* /2",
                         "U&'\\+00003b;' UESCAPE '!'", "U&'!;' uescape '!'", "E'\\x3b;\\073\\u003b' ||", "E'\\\\'';' ||", "'$$;'", "$a$'$$;'$a$", "$a$ $a ; $a$",
                         "E'$$;\\\\' ||", "$t$\\$t$", "1$a", "t.end", "\"case\"", "@/*;*/ 1", "'a' -- ;\n 'b;'", "\u00a0a", "日本語", "$日$;$日$",
                         "@-'a'", "'\n;\n'", "'--;'", "'/*'", "$a$ $b$ ; $b$ $a$", "1e5", "1.5", "E'\\\\' ||", "\"begin\"")

    def body(self):
        inner = "".join(f"{self.pick('SELECT', 'INSERT INTO t VALUES')}{self.blank()}"
                        f"{self.pick('1', QUOTED, 'CASE WHEN 1=1 THEN 2 END', '(SELECT 1)', '$$;$$')}{self.pick('', ' ', self.comment)};\n"
                        for _ in range(self.random.randint(0, 3)))
        return inner

    def statement(self):
        end = self.pick(";", ";", ";", " ;", ";;", "/*x*/;")
        return self.pick(
            lambda: "SELECT " + self.words() + end,
            lambda: "SELECT " + self.words() + end,
            lambda: f"{self.pick('BEGIN', 'COMMIT', 'begin transaction', 'END', 'begin/**/')}{end}",
            lambda: f"CREATE {self.pick('', 'OR REPLACE ')}{self.pick('FUNCTION', 'PROCEDURE', 'function')} f() {self.pick('', 'RETURNS int LANGUAGE sql ')}"
                    f"{self.pick('BEGIN ATOMIC', 'begin atomic', 'BEGIN /*;*/ ATOMIC')}\n{self.body()}{self.pick('END', 'end')}{end}",
            lambda: "CREATE FUNCTION g() RETURNS int AS $f$ BEGIN; $$ END; ' $f$ LANGUAGE plpgsql" + end,
            lambda: "SELECT ) ; SELECT ( ; )" + end,
            lambda: f"CREATE RULE r AS ON INSERT TO t DO {self.pick('ALSO', 'INSTEAD')} (SELECT 1; {self.pick('', self.comment)}SELECT ';'; DELETE FROM x){end}",
            lambda: f"CREATE TABLE begin (a int{self.blank()}, \"end;\" text DEFAULT ';'){end}",
            lambda: "DO $do$BEGIN NULL; END;$do$" + end,
            lambda: f"COPY t{self.blank()}FROM{self.pick(' ', '  ')}stdin{self.pick('', ' ', ' WITH (DELIMITER $$;$$)')};\n" + "".join(
                self.pick("1\t2;\n", "it's\n", "\\N\t$$\n", "-- x\n", "\n", "/* \n", "a\\\\.b\n", ";\n", "\\\\.\n") for _ in range(self.random.randint(0, 4))) + "\\.\nSELECT 1;\n",
            lambda: ";",
            lambda: self.comment(),
        )


class MysqlScripts(Generator):
    def __init__(self, seed):
        super().__init__(seed)
        self.delimiter = ";"

    def comment(self):
        return self.pick("-- ; ' \" `\n", "# ; '\n", "/* ; ' \" */", "/**/", "-- \n", "/*;#*/", "-- \tx;\n", "#\n")

    def word(self):
        return self.pick("1", "a", "x", "+", "'a;b'", "'it''s;'", "'\\';'", "'a\\\\'", '"a;b"', '"a""b;"', '"\\";"', "`a;b`", "`a``;`",
                         "`\\`", "1 --1", "a /2", "N'x;'", "_utf8'x;'", "CASE WHEN 1 THEN 2 END", "IF(1, 2, 3)",
                         "begin_", "`begin`", "`end`", "REPEAT('a;', 2)", "LEFT('x', 1)", "@a := 1", "/*!50003 1 + */ 2", "/*! 'a;' , */ 3",
                         "'\n;\n'", "'#;'", "'-- ;'", "x'41'", "'DELIMITER x'", "'\ndelimiter //\n'", "`\ndelimiter //\n`", "'\\\\\\';'", "'a''\\\\'';'",
                         "/*!50003 'a;' + */ 2", "/*M! 'a;' + */ 2", "/*!99999 ';' */ 2", "1/**/", "'日本;語'", "@`a;b` := 2", "@';'", "1 - -1", "'//'", "'é;'", "/*+ x; */ 4", "1 /* ' */", "'$$'", "a.end", "a.begin")

    def body(self):
        label = self.pick("", "", "l: ")
        return f"{label}BEGIN\n" + "".join(self.pick(
            "SELECT 1;\n", "IF a THEN SELECT ';'; END IF;\n", "WHILE 1 DO SET a = 1; END WHILE;\n", "CASE a WHEN 1 THEN SET b = 2; END CASE;\n",
            "REPEAT SET a = 1; UNTIL a END REPEAT;\n", "x: LOOP LEAVE x; END LOOP x;\n", "BEGIN SELECT 2; END;\n", "-- ; END\n", "# '\n",
            "SET a = IF(1, 2, 3);\n", "SELECT CASE WHEN 1 THEN 2 END;\n", "/* ' */ SET @x = 'END;';\n") for _ in range(self.random.randint(1, 4))) + "END" + (
                self.pick("", " l") if label else "")

    def routine(self):
        return self.pick("CREATE PROCEDURE p() ", "CREATE DEFINER=`a`@`b` PROCEDURE p(IN a INT) ", "CREATE TRIGGER r BEFORE INSERT ON t FOR EACH ROW ",
                         "CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO ", "CREATE FUNCTION f() RETURNS INT ",
                         "CREATE OR REPLACE PROCEDURE q() COMMENT 'x;' ") + self.pick(self.body, self.body, "SELECT 1 ", "SET @a = ';' ")

    def statement(self):
        end = self.delimiter
        plain = lambda: "SELECT " + self.words()
        inner = self.routine if self.delimiter != ";" else lambda: self.pick(
            "CREATE TRIGGER r BEFORE INSERT ON t FOR EACH ROW SET NEW.a = 1", "CREATE PROCEDURE p() SELECT 1",
            "CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO DELETE FROM t", "BEGIN", "COMMIT", "START TRANSACTION",
            "CREATE TABLE t (`end` INT, `begin` INT DEFAULT 1)", "CREATE VIEW v AS SELECT CASE WHEN 1 THEN 2 END",
            "CREATE TABLE case_ (a INT) COMMENT 'BEGIN;'", "DROP PROCEDURE IF EXISTS p")
        return self.pick(plain, plain, plain, inner, inner, lambda: "INSERT INTO t VALUES ('\\\\', ';')", "",
                         "/*!50003 SELECT 1, 'a;b' */ ", "/*!40101 SET @a = \"'\" */ ", "/*!99999 CREATE TABLE `;` (a INT) */ ") + end

    def command(self):
        """The client takes it for one only where nothing is left over, not even a blank."""
        self.delimiter = self.pick("//", "$$", ";", "|", "END//", ";;", "go!") if self.delimiter == ";" else self.pick(";", ";", "//")
        return (f"{self.pick('DELIMITER', 'delimiter', 'Delimiter')}{self.pick(' ', '  ', chr(9))}{self.delimiter}"
                f"{self.pick('', '', ' ')}\n")

    def script(self):
        self.delimiter = ";"
        text = self.pick("", self.command)
        for _ in range(self.random.randint(1, 4)):
            text += super().script() + "SELECT 1" + self.delimiter + "\n" + self.command()
        return text


class SqliteScripts(Generator):
    """Valid statements only: the shell gives up a line at the first error."""

    def comment(self):
        return self.pick("-- ; ' \" [\n", "/* ; ' */", "/**/", "--\n", "/* -- */")

    def word(self):
        return self.pick("1", "'a;b'", "'it''s;'", "x'3b'", "CASE WHEN 1 THEN ';' END", "CASE 1 WHEN 2 THEN 3 ELSE CASE WHEN 1 THEN 2 END END",
                         "(1)", "'\\'", "'\n;'", "1.5", "-1", "(SELECT ';')", "'--'", "'/*'", "NULL",
                         "'\\'';'", "'[;'", "'日本;語'", "x''", "(CASE WHEN 1 THEN (CASE 2 WHEN 2 THEN ';' END) END)", "'BEGIN;'",
                         "'END;'", "1 /* ; ' */", "1 -- ; '\n")

    def statement(self):
        end = self.pick(";", ";", " ;", ";;", "/*x*/;")
        name = f"n{self.random.randint(1, 10**9)}"
        value = self.pick(self.word, self.word)
        return self.pick(
            lambda: f"SELECT{self.blank()} " + f",{self.blank()}".join(self.some(self.word)) + self.blank() + end,
            lambda: f"INSERT INTO [a;b] (\"x;\", `y;`) VALUES ({value}, {self.word()}){end}",
            lambda: f"CREATE{self.blank()}{self.pick('', 'TEMP ', 'TEMPORARY ')}TRIGGER{self.blank()}{self.pick('', 'IF NOT EXISTS ')}{name} AFTER INSERT ON {self.pick('t', 't')} "
                    f"{self.pick('', 'FOR EACH ROW ')}{self.pick('', 'WHEN CASE WHEN 1 THEN 2 END ')}BEGIN{self.blank()}" + "".join(
                        f" SELECT {self.word()}{self.pick('', self.comment)};{self.pick('', ' ', self.comment)}" for _ in range(self.random.randint(1, 3))) +
                    f"{self.blank()}END{self.pick('', ' ', self.comment)}{end}",
            lambda: f"CREATE TABLE {name} (\"a;\" TEXT DEFAULT ';', [begin] INT, `end` INT){end}",
            lambda: f"CREATE TRIGGER [{name};] AFTER UPDATE OF x ON t BEGIN SELECT new.x AS \"end;\", old.x AS [case;]; UPDATE t SET x = CASE x WHEN 1 "
                    f"THEN {self.word()} ELSE x END WHERE 0; SELECT 1 AS 'begin'; END{end}",
            lambda: f"WITH [w;](a) AS (SELECT {self.word()}) SELECT a AS \"end\" FROM [w;]{end}",
            lambda: f"{self.pick('BEGIN', 'BEGIN TRANSACTION')}; COMMIT{end}",
            lambda: f"CREATE VIEW {name} AS SELECT CASE WHEN 1 THEN ';' END{end}",
            lambda: ";",
            lambda: self.comment(),
        )


# ---- comparing ----

def skip_blank(text):
    """Without blanks, terminators and comments in front."""
    while True:
        text = text.lstrip(" \t\r\n\f\v;")
        if text.startswith("--") or text.startswith("#"):
            text = "".join(re.split(r"[\r\n]", text, maxsplit=1)[1:])  # a CR alone ends it too: generated for psql only
        elif text.startswith("/*") and not re.match(r"/\*M?!", text):
            depth, at = 1, 2
            while depth and at < len(text):
                depth += text.startswith("/*", at) - text.startswith("*/", at)
                at += 2 if text.startswith(("/*", "*/"), at) else 1
            text = text[at:]
        else:
            return text


def same(sent, read):
    """What was sent is what was read, but for comments and terminators around it."""
    text = skip_blank(sent.replace("\r\n", "\n"))
    read = read.replace("\r\n", "\n")
    return text.startswith(read) and skip_blank(text[len(read):]) == ""


MYSQL_TOKEN = re.compile(r"""('(?:[^'\\]|\\.|'')*'|"(?:[^"\\]|\\.|"")*"|`(?:[^`]|``)*`|/\*!.*?\*/)|/\*.*?\*/|--(?=\s|$)[^\n]*|\#[^\n]*|\s+""",
                         re.DOTALL)


def same_mysql(sent, read):
    """The mariadb client changes blanks and comments on the way; what is left without them has to be equal."""
    return MYSQL_TOKEN.sub(lambda match: match.group(1) or "", sent) == MYSQL_TOKEN.sub(lambda match: match.group(1) or "", read)


def compare(script, sent, read, same=same):
    sent = [(text, rows) for text, rows in zip(*sent) if skip_blank(text)]
    ours = list(zip(read["statements"], read["rows"]))
    equal = not read["error"] and len(sent) == len(ours) and all(
        same(text, mine) and (rows or None) == (my_rows or None) for (text, rows), (mine, my_rows) in zip(sent, ours))
    if equal:
        return
    lines = ["", "---- script", script, "---- client"] + [f"{i}: {text!r} {rows!r}" for i, (text, rows) in enumerate(sent)]
    lines += ["---- kedge"] + [f"{i}: {text!r} {rows!r}" for i, (text, rows) in enumerate(ours)] + [read["error"]]
    pytest.fail("\n".join(lines), pytrace=False)


def write_scripts(folder, make):
    paths, texts = [], []
    for i in range(SCRIPTS):
        texts.append(make(SEED * 1000003 + i).script())
        paths.append(os.path.join(folder, f"{i}.sql"))
        with open(paths[-1], "w", encoding="utf-8", newline="") as file:
            file.write(texts[-1])
    return paths, texts


def read_all(dialect, paths):
    output = subprocess.run([TOOL, dialect, *paths], capture_output=True, text=True, check=True).stdout
    return [json.loads(line) for line in output.splitlines()]


def sent_by(recorder, client, path):
    """What the client sends for a script. A client that was ended or lost its connection says nothing: it begins again."""
    for _ in range(3):
        with open(path, "rb") as script:
            done = subprocess.run(client, stdin=script, capture_output=True, check=False, timeout=60)
        sent = recorder.take()
        if done.returncode >= 0 and not re.search(rb"connect|server has gone away", done.stderr):
            return sent
    raise AssertionError(f"{client[0]} ended with {done.returncode}: {done.stderr.decode()}")


def is_unfinished(read):
    """What the client leaves behind, or sends half, at the end of a file is an error here."""
    return bool(re.search(r"unterminated|not closed|unfinished|has no end", read["error"]))


def test_postgres_statements_are_those_of_psql(tmp_path):
    if not shutil.which("psql"):
        pytest.skip("no psql here")
    recorder = PostgresRecorder(str(tmp_path / ".s.PGSQL.5432"))
    paths, texts = write_scripts(tmp_path, PostgresScripts)
    compared = 0
    for path, text, read in zip(paths, texts, read_all("postgres", paths)):
        sent = sent_by(recorder, ["psql", "-X", "-q", "-h", tmp_path, "-U", "x", "-d", "x", "-f", path], path)
        if is_unfinished(read):
            continue
        compare(text, sent, read)
        compared += 1
    assert compared > SCRIPTS // 3


def test_a_long_statement_and_many_short_ones_are_those_of_psql(tmp_path):
    if not shutil.which("psql"):
        pytest.skip("no psql here")
    recorder = PostgresRecorder(str(tmp_path / ".s.PGSQL.5432"))
    rest = "it''s; $$ -- /* \\ \n" * (10_000_000 // 22)
    script = f"SELECT '{rest}';\nSELECT $x${rest}$x$;\n" + "".join(f"SELECT {i} /* ; */;\n" for i in range(5000))
    path = str(tmp_path / "long.sql")
    with open(path, "w", encoding="utf-8") as file:
        file.write(script)
    sent, _ = sent_by(recorder, ["psql", "-X", "-q", "-h", tmp_path, "-U", "x", "-d", "x", "-f", path], path)
    read, = read_all("postgres", [path])
    assert not read["error"] and len(sent) == 5002
    assert [text.removesuffix(";").rstrip() for text in sent[:2]] == read["statements"][:2]
    assert all(same(text, ours) for text, ours in zip(sent[2:], read["statements"][2:])) and len(read["statements"]) == 5002


def test_mysql_statements_are_those_of_the_mariadb_client(tmp_path):
    if not shutil.which("mariadb"):
        pytest.skip("no mariadb client here")
    recorder = MysqlRecorder(str(tmp_path / "s"))
    paths, texts = write_scripts(tmp_path, MysqlScripts)
    compared = 0
    for path, text, read in zip(paths, texts, read_all("mysql", paths)):
        sent = sent_by(recorder, ["mariadb", "--no-defaults", "--comments", "--force", "-S", tmp_path / "s", "-u", "x"], path)
        if is_unfinished(read):
            continue
        compare(text, sent, read, same_mysql)
        compared += 1
    assert compared > SCRIPTS // 3


def sqlite_statements(library, text):
    """What SQLite makes of the text: each statement prepared and run, the next one where its parser stopped."""
    handle, sent = ctypes.c_void_p(), []
    library.sqlite3_open(b":memory:", ctypes.byref(handle))
    library.sqlite3_exec(handle, b'CREATE TABLE t (x); CREATE TABLE "a;b" ("x;", "y;")', None, None, None)
    rest = text.encode()
    while rest:
        buffer, statement, tail = ctypes.create_string_buffer(rest), ctypes.c_void_p(), ctypes.c_void_p()
        code = library.sqlite3_prepare_v2(handle, buffer, -1, ctypes.byref(statement), ctypes.byref(tail))
        assert code == 0, f"not valid: {rest!r}"
        used = tail.value - ctypes.addressof(buffer)
        if statement.value:
            sent.append(rest[:used].decode())
            library.sqlite3_step(statement)
        library.sqlite3_finalize(statement)
        rest = rest[used:]
    library.sqlite3_close(handle)
    return sent, [None] * len(sent)


def test_sqlite_statements_are_those_of_its_parser(tmp_path):
    name = ctypes.util.find_library("sqlite3")
    if not name:
        pytest.skip("no SQLite library here")
    library = ctypes.CDLL(name)
    paths, texts = write_scripts(tmp_path, SqliteScripts)
    for text, read in zip(texts, read_all("sqlite", paths)):
        compare(text, sqlite_statements(library, text), read)
