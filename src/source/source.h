/*
 * Sources: what is backed up and restored. One driver each for SQLite, PostgreSQL, MySQL/MariaDB
 * and file trees.
 *
 * A driver has two slots. `dump` reads one consistent state of a target and pushes it, segment by
 * segment. `load` opens the way back: a `struct load` whose steps service/restore takes in this
 * order:
 *
 *     preview   what would be replaced; refuses, with nothing touched, when it cannot work
 *               (no room, no rights, held open)
 *     needs     only what the place lacks, where nothing is replaced
 *     fill      into a side database, file or folder
 *     check     the side copy is what the artifact says
 *     commit    swapped in by rename; what was there is kept under load->kept
 *     free      without a commit, the side copy is removed and the target is as it was
 *
 * load->kept is a line of JSON that the driver understands later, on its own, in another process:
 * it is written to the restore log before commit is called, so that a run killed at any point can
 * be sorted out (`recover`), gone back on (`undo`) or tidied (`discard`).
 */
#ifndef KEDGE_SOURCE_SOURCE_H
#define KEDGE_SOURCE_SOURCE_H

#include "base/buf.h"
#include "base/text.h"
#include "db/url.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;
struct os;
struct progress;
struct segment_sink;
struct segment_source;
struct load;

/* What is meant: a database, or a set of paths. Owned strings. */
struct source_target {
    char *name;             /* of the target, for messages and artifact names */
    struct db_url url;      /* databases */
    struct text_list paths; /* files, configuration */
};

struct dump_options {
    struct os *os;
    struct progress *progress; /* may be NULL */
    int jobs;
    bool logical;        /* --format sql where the engine's own is not SQL */
    int64_t max_wait_ms; /* longest that other people's writes may be held up, and that we wait for
                            a lock */
    struct text_list tables; /* empty: all */
    struct text_list exclude_tables;
    struct text_list schemas;
    struct text_list exclude; /* globs, for files */
    bool one_file_system;
    bool exclude_caches; /* files: leave out what lies beside a CACHEDIR.TAG */
    bool roles;          /* PostgreSQL: roles and tablespaces too */
};

struct dump_result {
    char *engine_version;
    char *consistent_at; /* LSN, binlog position, ...; NULL where the engine has none */
    char *metadata;      /* JSON object for the manifest's "metadata", or NULL */
    uint64_t rows;
    uint64_t source_bytes;       /* as the source counts itself: file size, sum of table sizes */
    struct text_list incomplete; /* why, one line each; empty when whole */
};

void dump_result_clear(struct dump_result *result);

/* What a preview found, for --dry-run and the confirmation. */
struct load_preview {
    char *target;     /* "/srv/shop.db", "database shop on db1:5432" */
    bool exists;      /* something is there and would be replaced */
    uint64_t objects; /* tables or files there now */
    uint64_t rows;    /* there now; UINT64_MAX when not counted */
    uint64_t bytes;   /* there now */
    bool merges; /* files: what is not replaced stays; objects and bytes are what is replaced, and
                    UINT64_MAX when that was not counted */
    uint64_t restored_objects;  /* files: entries that come; 0: not counted */
    uint64_t restored_bytes;    /* of their content; links count nothing */
    struct text_list conflicts; /* sentences: what would break or needs --force */
    struct text_list places;    /* absolute paths that the swap exchanges; none at a server */
};

void load_preview_clear(struct load_preview *preview);

struct load_options {
    struct os *os;
    struct progress *progress;
    int jobs;
    const char *format;         /* the artifact's kind: "sqlite3", "sql", "tar" */
    const char *metadata;       /* the manifest's metadata object as JSON, or NULL */
    const char *engine_version; /* of the server that was backed up, or NULL */
    const char *digest;         /* sqlite3: hex SHA-256 of the plain image, or NULL */
    uint64_t plain_size;        /* of the artifact's content, 0 when unknown */
    struct text_list tables;    /* empty: all */
    struct text_list include;   /* globs, for files */
    struct text_list exclude;
    struct text_list own; /* files: absolute paths of kedge's own, which are never replaced */
    const char *to; /* files: the folder beneath which all trees go; NULL: back where they were */
    bool devices;   /* files: make device nodes; without it they are left out */
    bool cascade;
    bool force;
    bool no_owner;
    bool no_tablespaces;        /* PostgreSQL: all into the database's own */
    size_t max_statement_bytes; /* sql; 0: 1 GiB */
    const char *role;
    bool thorough;  /* check() proves all it can (integrity, keys, digests): verification level 3 */
    const char *id; /* ULID of this restore: names the side copy */
    bool keep;      /* keep what was there (--safety swap); else it is removed after the swap */
    bool dry_run;   /* only preview() comes, and may take its time */
};

struct load_ops {
    /* Of `segments` only what its index says is asked for, or on a dry run all that must be read to
     * answer; fill can read it as if it were untouched. */
    int (*preview)(struct load *load, struct segment_source *segments,
                   struct load_preview *ret_preview, struct error *err);
    /* Does the place lack what the backup speaks of? For a restore that replaces nothing, which has
     * no preview. ERROR_RESTORE names what is missing. NULL: places lack nothing. */
    int (*needs)(struct load *load, struct error *err);
    int (*fill)(struct load *load, struct segment_source *segments, struct error *err);
    int (*check)(struct load *load, struct error *err);
    int (*commit)(struct load *load, struct error *err);
    void (*free)(struct load *load);
};

struct load {
    const struct load_ops *ops;
    char *kept; /* JSON; set by load, at the latest by the end of check */
    uint64_t rows_loaded;
};

enum source_capability {
    SOURCE_DATABASE = 1 << 0,
    SOURCE_FILES = 1 << 1,
    SOURCE_TABLES = 1 << 2, /* --table */
};

/* What `recover` found of a restore that was killed. */
enum load_state { LOAD_BEFORE, LOAD_AFTER };

struct source_ops {
    const char *engine; /* "sqlite", "postgres", "mysql", "files" */
    const char *kind;   /* of the artifact unless dump_options.logical asks for "sql": "sqlite3",
                           "sql", "tar" */
    unsigned capabilities;
    /* Can it do what these say, as far as that is known without the target? ERROR_USAGE. NULL: it
     * always can. */
    int (*accepts)(const struct dump_options *options, struct error *err);
    /* *ret_result is set on success and on failure of single files (incomplete); clear it.
     * ERROR_CHANGED: what was pushed is worth nothing, a new dump into a new sink may succeed. */
    int (*dump)(const struct source_target *target, const struct dump_options *options,
                struct segment_sink *sink, struct dump_result *ret_result, struct error *err);
    /* `target` and `options` are borrowed until the load is freed. */
    int (*load)(const struct source_target *target, const struct load_options *options,
                struct load **ret_load, struct error *err);
    /* Finish or clean up after a killed restore; tells on which side the target is now. */
    int (*recover)(struct os *os, const char *kept, const struct source_target *target,
                   enum load_state *ret_state, struct error *err);
    /* On which side of the swap is the target now? 1 and the side, 0 when that cannot be told, -1.
     * Changes nothing. NULL where the engine never can. An undo that was killed after its exchange
     * is recognised by it. */
    int (*side)(struct os *os, const char *kept, const struct source_target *target,
                enum load_state *ret_state, struct error *err);
    /* Swap back. Afterwards `kept` names what was swapped out, so undo can be undone. *ret_changed
     * (may be NULL): a sentence on what was written since the restore, to be freed, or NULL.
     * `dry_run`: only that sentence. */
    int (*undo)(struct os *os, const char *kept, const struct source_target *target, bool dry_run,
                char **ret_changed, struct error *err);
    /* Remove the kept old copy. "Was not there" is success. */
    int (*discard)(struct os *os, const char *kept, const struct source_target *target,
                   struct error *err);
    /* Is what a dump needs besides the server on this machine, for this version of it?
     * *ret_finding: where, to be freed. NULL: nothing is needed. */
    int (*equipped)(struct os *os, const char *server_version, char **ret_finding,
                    struct error *err);
};

/* By engine name; NULL when there is none. */
const struct source_ops *source_find(const char *engine);

static inline void load_free(struct load *load)
{
    if (load)
        load->ops->free(load);
}

DEFINE_SCOPED(load, struct load *, load_free);

#endif
