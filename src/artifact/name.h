/*
 * The names of artifacts: <name>_<YYYY-MM-DD>_<HHMMSS>[_<part>][_<N>].<kind>[.<compression>][.age]
 */
#ifndef KEDGE_ARTIFACT_NAME_H
#define KEDGE_ARTIFACT_NAME_H

#include "artifact/artifact.h"

#include <stdbool.h>
#include <stdint.h>

/* What a name says. Owned strings; `part` is NULL where there is none. */
struct artifact_name {
    char *name;
    int64_t moment_ns;
    char *part;
    char *kind;
    enum compression compression;
    bool encrypted;
    int clash; /* 1, or N of "_N" */
};

void artifact_name_clear(struct artifact_name *name);

/* The file name, made safe and short enough for any file system. */
char *artifact_name_format(const struct artifact_name *name);

/* 1 and its parts when the last component of `file` is an artifact's name, 0 when it is not. */
int artifact_name_parse(const char *file, struct artifact_name *ret_name);

/* "sqlite3", "sql" or "tar" when the last component of `file` ends like one ("dump.sql.gz"), else
 * NULL. Static text. */
const char *artifact_name_kind(const char *file);

/* Does a backup of this kind say how many rows are in it? Nobody counts those in the pages of an
 * image. */
bool artifact_kind_counts_rows(const char *kind);

static inline void scoped_artifact_name_cleanup(struct artifact_name *name)
{
    artifact_name_clear(name);
}

#endif
