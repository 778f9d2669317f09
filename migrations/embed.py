#!/usr/bin/env python3
"""Write kedge's own schema as a C file.

Usage: embed.py OUTPUT FILE... Each file is DIALECT/VERSION_name.sql, or DIALECT/history.sql (the table in which the
others are recorded, without a version). The struct they fill is in src/catalog/embedded.h.
"""
import hashlib
import os
import re
import sys

NAME = re.compile(r"^(\d{14})_([a-z0-9_]+)\.sql$|^(history)\.sql$")


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
        text = file.read()
    dialect = os.path.basename(os.path.dirname(path))
    checksum = hashlib.sha256(text.encode()).hexdigest()
    version, label = match.group(1) or "", match.group(2) or match.group(3)
    return f'    {{"{dialect}", "{version}", "{label}", "{checksum}",\n{literal(text)}}},\n'


def main():
    rows = "".join(row(path) for path in sys.argv[2:])
    with open(sys.argv[1], "w", encoding="ascii") as file:
        file.write('#include "catalog/embedded.h"\n\n')
        file.write("const struct embedded_migration embedded_migrations[] = {\n" + rows + "};\n\n")
        file.write("const size_t embedded_migration_count =\n"
                   "    sizeof embedded_migrations / sizeof embedded_migrations[0];\n")


if __name__ == "__main__":
    main()
