"""PostgreSQL schemas made by chance from a seed, with data that is hard on whoever copies it.

    postgres_random.py SEED     prints the statements
"""
import random
import sys

NAMES = ["plain", "Mixed Case", 'quo"te', "semi;colon", "per%cent", "$(dollar)", "-dash", "back\\slash", "new\nline", "tab\t",
         "ünïcode", "🦒", "select", "a.b", "(paren", "x" * 63, "ON", "FROM stdin", "--"]
TEXTS = ["", "\\N", "\\.", "a\tb", "line\nend\r\n", "\\\\", "'", '"', "NULL", "null", "🦒ß\u2028", "\x01\x7f", "{}", "x" * 3000, " ", "%s $(x)"]

# Of each type: values as literals without a cast.
VALUES = {
    "integer": ["0", "-2147483648", "2147483647", "42"], "bigint": ["-9223372036854775808", "9223372036854775807", "7"],
    "smallint": ["-32768", "1"], "numeric": ["NaN", "Infinity", "-Infinity", "1e-1000", "123456789012345678901234567890.5", "0.10"],
    "numeric(10,3)": ["NaN", "-1234567.891"], "real": ["NaN", "-Infinity", "1.1754944e-38", "0.1", "-0"],
    "double precision": ["Infinity", "NaN", "4.9e-324", "0.1", "-0", "1.7976931348623157e308"],
    "text": TEXTS, "varchar(4000)": TEXTS, "char(5)": ["", "ab", "'''"], '"char"': ["a", "\\377", ""], "name": ["n", "x y"],
    "bytea": ["", "\\x00", "\\x0a0d095c2e00ff", "\\x" + "5c4e" * 900], "boolean": ["t", "f"], "uuid": ["00000000-0000-0000-0000-00000000000a"],
    "date": ["infinity", "-infinity", "4713-01-01 BC", "2020-02-29"], "timestamp": ["infinity", "2020-02-29 23:59:59.999999", "0044-03-15 BC"],
    "timestamptz": ["-infinity", "2020-07-01 12:00:00.5+14", "1883-11-18 12:00:00 America/New_York"], "time": ["24:00", "00:00:00.000001"],
    "timetz": ["00:00+15:59", "23:59:60-08"], "interval": ["-1 mons +2 days -03:04:05.6", "178000000 years", "0"],
    "json": ['{"a": 1, "a":  [null, "\\u00e9\\n"]}', '"x"', "null"], "jsonb": ['{"a": {"b": [1, 2.50, null]}, "": "\\\\"}', "[]", '"\\t"'],
    "inet": ["::1/64", "10.1.2.3/8"], "cidr": ["10.0.0.0/8"], "macaddr8": ["08:00:2b:01:02:03:04:05"], "bit(3)": ["101"], "varbit": ["", "10101"],
    "xml": ["<a>&lt;\n</a>", "text"], "money": ["$1,234.56", "-92233720368547758.08"], "tsvector": ["'a' 'b c':1A,2"], "tsquery": ["'a' & !'b'"],
    "point": ["(NaN,-Infinity)"], "circle": ["<(0,0),1e300>"], "path": ["[(0,0),(1,1)]"], "int4range": ["empty", "(,)", "[1,5)"],
    "tstzmultirange": ["{}", "{[2020-01-01,2021-01-01),[infinity,infinity]}"], "pg_lsn": ["FFFFFFFF/0"], "oid": ["4294967295"],
    "integer[]": ["{}", "{1,NULL,-3}", "[-1:0]={7,8}", "{{1,2},{3,4}}"], "text[]": ['{NULL,"NULL","a,b","\\\\\\"","\n"}', "{}"],
    "jsonb[]": ['{"{\\"a\\": 1}",NULL}'], "double precision[]": ["{NaN,Infinity,-0}"],
}
KEYS = ["integer", "bigint", "text", "uuid", "timestamptz", "numeric"]


def identifier(name):
    return '"' + name.encode()[:63].decode(errors="ignore").replace('"', '""') + '"'


def literal(text):
    if text is None:
        return "NULL"
    quoted = text.replace("'", "''")
    return "E'" + quoted.replace("\\", "\\\\") + "'" if "\\" in text else f"'{quoted}'"


class Maker:
    def __init__(self, seed):
        self.random = random.Random(seed)
        self.statements, self.last, self.tables, self.number = [], [], [], 0

    def say(self, statement):
        self.statements.append(statement + ";")

    def chance(self, probability):
        return self.random.random() < probability

    def name(self, kind):
        self.number += 1
        return identifier(f"{kind}{self.number} {self.random.choice(NAMES)}")

    def schema(self):
        return self.random.choice(self.schemas)

    def make(self):
        self.say("SET client_min_messages = warning")
        self.schemas = ["public"]
        for _ in range(self.random.randint(0, 3)):
            self.schemas.append(self.name("s"))
            self.say(f"CREATE SCHEMA {self.schemas[-1]}")
        self.values = dict(VALUES)
        for _ in range(self.random.randint(1, 5)):
            self.make_type()
        for _ in range(self.random.randint(2, 8)):
            self.random.choice([self.make_table, self.make_table, self.make_partitioned, self.make_heirs])()
        for _ in range(self.random.randint(0, 8)):
            self.random.choice([self.make_view, self.make_index, self.make_foreign, self.make_function, self.make_sequence])()
        for statement in self.last:
            self.say(statement)
        return "\n".join(self.statements) + "\n"

    def make_type(self):
        name = f"{self.schema()}.{self.name('y')}"
        kind = self.random.choice(["enum", "domain", "composite", "range"])
        if kind == "enum":
            labels = self.random.sample(["a", "it's", "x,y", 'q"q', "ü", "{", "\\"], 4)
            self.say(f"CREATE TYPE {name} AS ENUM ({', '.join(map(literal, labels))})")
            self.values[name] = labels
        elif kind == "domain":
            base = self.random.choice(["text", "integer", "integer[]"])
            self.say(f"CREATE DOMAIN {name} AS {base} CHECK (VALUE IS NULL OR VALUE::text <> 'forbidden')")
            self.values[name] = VALUES[base]
        elif kind == "composite":
            self.say(f"CREATE TYPE {name} AS ({identifier('a b')} integer, b text, c double precision[])")
            self.values[name] = ['(1,"x ""y"" \\\\",{NaN})', "(,,)", '(,"",{})']
        else:
            self.say(f"CREATE TYPE {name} AS RANGE (SUBTYPE = numeric)")
            self.values[name] = ["empty", "[1.5,)", "(-1e10,2]"]

    def value(self, kind):
        if self.chance(0.15):
            return "NULL"
        return literal(self.random.choice(self.values[kind])) + "::" + kind

    def columns(self):
        return [(self.name("c"), self.random.choice(list(self.values))) for _ in range(self.random.randint(1, 9))]

    def fill(self, table, columns, rows=None, fixed=None):
        """`fixed`: a column's own expression over i, a number that differs from row to row."""
        fixed = fixed or {}
        rows = self.random.choice([0, 1, 5, 40]) if rows is None else rows
        for start in range(0, rows, 10):
            lines = []
            for i in range(start, min(start + 10, rows)):
                lines.append("(" + ", ".join(fixed[name](i) if name in fixed else self.value(kind) for name, kind in columns) + ")")
            self.say(f"INSERT INTO {table} ({', '.join(name for name, _ in columns)}) VALUES\n  " + ",\n  ".join(lines))

    def dress(self, table, columns):
        """What a table may have besides."""
        if self.chance(0.3):
            self.say(f"COMMENT ON TABLE {table} IS {literal(self.random.choice(TEXTS[:10]) or 'c')}")
        if self.chance(0.3):
            self.say(f"ALTER TABLE {table} ADD COLUMN gone text; ALTER TABLE {table} DROP COLUMN gone")
        if self.chance(0.3):
            self.say(f"ALTER TABLE {table} ADD COLUMN {self.name('g')} integer GENERATED ALWAYS AS (40 + 2) STORED")
        if self.chance(0.2):
            # Rows are still changed by what follows.
            self.last.append(f"ALTER TABLE {table} ADD CONSTRAINT {self.name('k')} CHECK ({columns[0][0]} IS NULL) NOT VALID")
        if self.chance(0.2):
            self.say(f"GRANT SELECT ({columns[0][0]}) ON {table} TO PUBLIC")
        if self.chance(0.2):
            self.say(f"ALTER TABLE {table} ALTER {columns[-1][0]} SET DEFAULT {self.value(columns[-1][1])}")
        if self.chance(0.2):
            self.say(f"ALTER TABLE {table} REPLICA IDENTITY FULL")
        if self.chance(0.2):
            self.say(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY; CREATE POLICY {self.name('p')} ON {table} USING ({columns[0][0]} IS NOT NULL)")

    def make_table(self):
        table = f"{self.schema()}.{self.name('t')}"
        key, columns = self.name("id"), self.columns()
        identity = self.random.choice(["integer PRIMARY KEY", "bigserial PRIMARY KEY", "smallint GENERATED ALWAYS AS IDENTITY UNIQUE", "bigint UNIQUE"])
        kind = self.random.choice(["TABLE", "TABLE", "TABLE", "UNLOGGED TABLE"])
        lines = [f"{key} {identity}"] + [f"{name} {type_}" for name, type_ in columns]
        self.random.shuffle(lines)
        self.say(f"CREATE {kind} {table} (\n  " + ",\n  ".join(lines) + "\n)")
        own = "GENERATED" not in identity
        self.fill(table, ([(key, "integer")] if own else []) + columns, fixed={key: lambda i: str(i + 1)} if own else {})
        self.dress(table, columns)
        if "UNLOGGED" not in kind:
            self.tables.append((table, key, columns))

    def make_heirs(self):
        parent, child = (f"{self.schema()}.{self.name('h')}" for _ in range(2))
        columns, more = self.columns(), self.columns()
        self.say(f"CREATE TABLE {parent} (" + ", ".join(f"{n} {t}" for n, t in columns) + ")")
        self.say(f"CREATE TABLE {child} (" + ", ".join(f"{n} {t}" for n, t in more) + f") INHERITS ({parent})")
        late = (self.name("late"), "text")
        if self.chance(0.5):
            self.say(f"ALTER TABLE {parent} ADD COLUMN {late[0]} text")
            columns = columns + [late]
        self.fill(parent, columns)
        self.fill(child, more + columns)
        self.dress(child, more)

    def make_partitioned(self, depth=0, parent=None, bounds="", columns=None):
        table = f"{self.schema()}.{self.name('r')}"
        columns = columns or [(self.name("k"), "integer")] + self.columns()
        key = columns[0][0]
        how = self.random.choice(["RANGE", "LIST", "HASH"])
        head = f"PARTITION OF {parent} {bounds}" if parent else "(" + ", ".join(f"{n} {t}" for n, t in columns) + ")"
        self.say(f"CREATE TABLE {table} {head} PARTITION BY {how} ({key})")
        parts = {"RANGE": ["FOR VALUES FROM (MINVALUE) TO (10)", "FOR VALUES FROM (10) TO (25)", "DEFAULT"],
                 "LIST": ["FOR VALUES IN (NULL, 1, 2, 3)", "FOR VALUES IN (4, 5, 6)", "DEFAULT"],
                 "HASH": [f"FOR VALUES WITH (MODULUS 2, REMAINDER {i})" for i in range(2)]}[how]
        for part in parts:
            if depth < 2 and self.chance(0.25):
                self.make_partitioned(depth + 1, table, part, columns)
            elif self.chance(0.3):
                leaf = f"{self.schema()}.{self.name('l')}"
                shuffled = columns[:]
                self.random.shuffle(shuffled)
                self.say(f"CREATE TABLE {leaf} (gone integer, " + ", ".join(f"{n} {t}" for n, t in shuffled) + ")")
                self.say(f"ALTER TABLE {leaf} DROP COLUMN gone; ALTER TABLE {table} ATTACH PARTITION {leaf} {part}")
            else:
                self.say(f"CREATE TABLE {self.schema()}.{self.name('l')} PARTITION OF {table} {part}")
        if not parent:
            self.fill(table, columns, 40, {key: lambda i: str(i)})
            if self.chance(0.5):
                self.say(f"ALTER TABLE {table} ADD PRIMARY KEY ({key})")
                self.tables.append((table, key, columns[1:]))
            elif self.chance(0.5):
                self.say(f"CREATE INDEX ON {table} ({key})")

    def some_table(self):
        if not self.tables:
            self.make_table()
        return self.random.choice(self.tables) if self.tables else None

    def make_view(self):
        chosen = self.some_table()
        if not chosen:
            return
        table, key, columns = chosen
        view = f"{self.schema()}.{self.name('v')}"
        kind = self.random.choice(["VIEW", "MATERIALIZED VIEW"])
        tail = " WITH NO DATA" if kind != "VIEW" and self.chance(0.3) else ""
        self.say(f"CREATE {kind} {view} AS SELECT {key}, {columns[0][0]} AS {self.name('a')} FROM {table}{tail}")
        if kind == "VIEW" and self.chance(0.4):
            self.say(f"CREATE MATERIALIZED VIEW {self.schema()}.{self.name('m')} AS SELECT count(*) AS n FROM {view}")
        if kind != "VIEW" and self.chance(0.5):
            self.say(f"CREATE INDEX {self.name('i')} ON {view} ({key})")

    def make_index(self):
        chosen = self.some_table()
        if chosen:
            table, key, _ = chosen
            expression = self.random.choice([f"({key} + 1)", key, f"{key} DESC NULLS LAST", f"({key}::text || ' ON ')"])
            self.say(f"CREATE INDEX {self.name('i')} ON {table} ({expression}){self.random.choice(['', f' WHERE {key} > 3'])}")

    def make_foreign(self):
        one, other = self.some_table(), self.some_table()
        if one and other:
            column = self.name("f")
            self.say(f"ALTER TABLE {one[0]} ADD COLUMN {column} bigint")
            rule = self.random.choice(["", "ON DELETE CASCADE", "DEFERRABLE INITIALLY DEFERRED"])
            self.say(f"ALTER TABLE {one[0]} ADD CONSTRAINT {self.name('k')} FOREIGN KEY ({column}) REFERENCES {other[0]} ({other[1]}) {rule}")
            self.say(f"UPDATE {one[0]} SET {column} = (SELECT max({other[1]}) FROM {other[0]})")

    def make_function(self):
        name = f"{self.schema()}.{self.name('fn')}"
        self.say(f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS {literal('BEGIN /* ; $$ CREATE INDEX */ RETURN NEW; END')}")
        chosen = self.some_table()
        if chosen:
            trigger = self.name("tr")
            self.say(f"CREATE TRIGGER {trigger} AFTER INSERT ON {chosen[0]} FOR EACH ROW EXECUTE FUNCTION {name}({literal(self.random.choice(TEXTS[1:6]))})")
            if self.chance(0.4):
                self.say(f"ALTER TABLE {chosen[0]} DISABLE TRIGGER {trigger}")

    def make_sequence(self):
        name = f"{self.schema()}.{self.name('q')}"
        self.say(f"CREATE SEQUENCE {name} START {self.random.randint(1, 9)} INCREMENT {self.random.choice([1, 5, -2])} MINVALUE -100 MAXVALUE 100 CYCLE")
        for _ in range(self.random.randint(0, 3)):
            self.say(f"SELECT nextval({literal(name)})")


def schema(seed):
    return Maker(seed).make()


if __name__ == "__main__":
    sys.stdout.write(schema(int(sys.argv[1])))
