/*
 * Backups: one row each, from the moment one is asked for until it is deleted.
 *
 *     pending -> running -> success -> deleting -> (no row)
 *                        -> failed
 *
 * A row is `success` only once everything it promises is durable at the destination; that step is
 * one transaction and is itself durable when backups_finish returns. How rows are found and listed:
 * backup_find.h, backup_list.h and backup_work.h.
 */
#ifndef KEDGE_CATALOG_BACKUPS_H
#define KEDGE_CATALOG_BACKUPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct catalog;
struct columns;
struct error;

/* A row, the fields in the order of the columns. Begin with BACKUP_ROW_INIT. Texts that are not
 * known are NULL, numbers -1, times 0, ids "". */
struct backup_row {
    char id[27];
    int64_t number;
    char app_id[27];
    char destination_id[27];
    const char *target;  /* name of the target */
    const char *name;    /* for people: the file's name once there is one */
    const char *type;    /* "database", "files", "full", "incremental", "configuration" */
    const char *trigger; /* "manual", "scheduled", "pre_restore", "pre_migration", "api" */
    const char *status;  /* "pending", "running", "success", "failed", "deleting" */
    int64_t progress_percentage;
    int64_t size_bytes;     /* of all its files, as stored */
    const char *file_path;  /* key of its first file at the destination */
    int64_t verified_level; /* highest level passed, -1 for none */
    int64_t verified_ns;
    int64_t expires_ns; /* 0: never */
    bool incomplete;
    const char *error_message;
    int64_t created_ns;
    /* What lists leave out unless they are asked for everything. */
    char connection_id[27];
    char schedule_id[27];
    const char *engine; /* "sqlite", "postgres", "mysql", "files" */
    const char *format; /* the artifact's kind: "sqlite3", "sql", "tar"; "snapshot" */
    int64_t started_ns, finished_ns;
    int64_t duration_ms;
    int64_t source_bytes; /* as the source counts itself */
    int64_t rows;
    const char *checksum; /* hex SHA-256 of that first file */
    const char *compression;
    const char *encryption; /* "none", "age" */
    const char *encryption_key_id;
    int64_t retention_days;
    const char *tables_included;    /* JSON array */
    const char *files_included;     /* JSON array */
    const char *tags;               /* JSON array */
    const char *metadata;           /* JSON object */
    const char *incomplete_reasons; /* JSON array of sentences */
    const char *initiated_by;
    const char *worker_id;
    int64_t heartbeat_ns;
    int64_t priority; /* larger goes first */
    int64_t retry_count, max_retries;
    int64_t scheduled_ns;
    const char *notes;

    /* Not columns: the names of the two ids, set whenever a row is read. */
    const char *app;
    const char *destination;
    void *memory[2]; /* private: what the texts live in */
};

/* clang-format off */
#define BACKUP_ROW_INIT {.trigger = "manual", .status = "pending", .duration_ms = -1, .size_bytes = -1, \
    .source_bytes = -1, .rows = -1, .progress_percentage = -1, .verified_level = -1, .retention_days = -1}
/* clang-format on */

void backup_row_clear(struct backup_row *row);

/* One file of a backup at one destination; copies elsewhere are rows too. */
struct backup_file_row {
    char id[27];
    char backup_id[27];
    char destination_id[27]; /* "": the backup's own */
    const char *file_path;   /* key at the destination */
    const char *file_name;
    const char *file_type;         /* "sqlite3", "sql", "tar", "snapshot" */
    int64_t size_bytes;            /* of its plain content, -1 when not known */
    int64_t compressed_size_bytes; /* as stored */
    const char *checksum;          /* hex SHA-256 as stored */
    const char *compression_type;
    const char *encryption_type;
    bool is_encrypted;
    const char *metadata; /* JSON object */
    int64_t upload_started_ns, upload_completed_ns;
    int64_t retention_until_ns;
    int64_t created_ns;
    const char *destination; /* not a column: the name of destination_id, set in lists */
};

#define BACKUP_FILE_ROW_INIT                                                                       \
    {                                                                                              \
        .size_bytes = -1, .compressed_size_bytes = -1                                              \
    }

/* Insert `row` as pending and set its id (unless it has one), number and created_ns. app_id,
 * destination_id, target and type are needed. With a worker_id it counts as work that has begun: it
 * becomes failed when that process dies. Without one it waits to be claimed. */
int backups_insert(struct catalog *catalog, struct backup_row *row, struct error *err);

/* pending -> running, by this process (worker_self). */
int backups_start(struct catalog *catalog, const char *id, const char *worker_id,
                  struct error *err);

/* A sign of life, and how far it is (0 to 100, -1 not known). */
int backups_progress(struct catalog *catalog, const char *id, int64_t percentage,
                     struct error *err);

/* running -> success: every field of `row` that is known when the work is done, and its files, in
 * one durable transaction. finished_ns and duration_ms are filled in when they are not set. When
 * the row is not running any more (another process took this one for dead and said so), nothing
 * changes and it fails. After any other failure, when nothing could be written any more, the row
 * may turn out to be success all the same: the files stay until backups_fail has succeeded. */
int backups_finish(struct catalog *catalog, struct backup_row *row,
                   const struct backup_file_row *files, size_t file_count, struct error *err);

/* pending or running -> failed. A row that is neither any more stays as it is. */
int backups_fail(struct catalog *catalog, const char *id, const char *message, struct error *err);

/* success or failed -> deleting, and then no row. */
int backups_set_deleting(struct catalog *catalog, const char *id, struct error *err);
int backups_remove(struct catalog *catalog, const char *id, struct error *err);

/* Level `level` was passed at `moment_ns`: the row shows it unless it shows a higher one. */
int backups_set_verified(struct catalog *catalog, const char *id, int level, int64_t moment_ns,
                         struct error *err);

/* A verification found damage: the row shows `level` (-1: none), whatever it showed before. */
int backups_set_damaged(struct catalog *catalog, const char *id, int level, int64_t moment_ns,
                        struct error *err);

int backups_set_expiry(struct catalog *catalog, const char *id, int64_t retention_days,
                       int64_t expires_ns, struct error *err);

/* ---- files ---- */

/* One more file or copy; a row with the same destination and path is replaced. */
int backup_files_add(struct catalog *catalog, const struct backup_file_row *file,
                     struct error *err);

/* In the order in which they were made; `file` lives until `visit` returns. */
typedef int backup_file_visit_fn(void *context, const struct backup_file_row *file,
                                 struct error *err);
int backup_files_list(struct catalog *catalog, const char *backup_id, backup_file_visit_fn *visit,
                      void *context, struct error *err);

/* ---- for the other files of this table ---- */

/* The columns, and how many of them a list reads. */
extern const struct columns backup_columns;
extern const size_t backup_list_columns;

static inline void scoped_backup_row_cleanup(struct backup_row *row)
{
    backup_row_clear(row);
}

#endif
