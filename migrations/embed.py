#!/usr/bin/env python3
"""Write kedge's own schema as a C file.

Usage: embed.py OUTPUT FILE... Each file is DIALECT/VERSION_name.sql with its two sections, Up and Down. The struct they
fill is in src/catalog/embedded.h.
"""
import os
import re
import sys

NAME = re.compile(r"^(\d{14})_([a-z0-9_]+)\.sql$")
SECTIONS = re.compile(r"^-- \+migrate Up\n(.*)^-- \+migrate Down\n(.*)", re.M | re.S)


def literal(text):
    """`text` as C string literals, a line each."""
    escaped = (line.replace("\\", "\\\\").replace('"', '\\"') for line in text.splitlines())
    return "\n".join(f'     "{line}\\n"' for line in escaped)


def row(path):
    name = os.path.basename(path)
    match = NAME.match(name)
    if not match:
        sys.exit(f"{path}: not VERSION_name.sql")
    with open(path, encoding="ascii") as file:
        sections = SECTIONS.match(file.read())
    if not sections:
        sys.exit(f"{path}: no sections Up and Down")
    dialect = os.path.basename(os.path.dirname(path))
    up, down = (literal(section) for section in sections.groups())
    return f'    {{"{dialect}", "{match.group(1)}", "{match.group(2)}",\n{up},\n{down}}},\n'


def main():
    rows = "".join(row(path) for path in sys.argv[2:])
    with open(sys.argv[1], "w", encoding="ascii") as file:
        file.write('#include "catalog/embedded.h"\n\n')
        file.write("const struct embedded_migration embedded_migrations[] = {\n" + rows + "};\n\n")
        file.write("const size_t embedded_migration_count =\n"
                   "    sizeof embedded_migrations / sizeof embedded_migrations[0];\n")


if __name__ == "__main__":
    main()
