#include "source/sqlite_tables.h"

#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "base/os.h"
#include "base/stop.h"
#include "source/sqlite_connection.h"
#include "source/sqlite_hold.h"
#include "source/sqlite_kept.h"
#include "source/sqlite_schema.h"
#include "source/sqlite_transplant.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#define LOCK_WAIT_MS 10000

char *sqlite_tables_full_path(const struct sqlite_kept *kept)
{
    return mem_format("%s-full", kept->side);
}

/* While an undo runs: what the tables held before it. */
static char *next_side_path(const struct sqlite_kept *kept)
{
    return mem_format("%s-next", kept->side);
}

/* "kedge_restore_<ulid>" */
static char *marker_of(const struct sqlite_kept *kept)
{
    return mem_format("kedge_restore_%s", kept->side + strlen(kept->side) - 26);
}

/* ---- which tables ---- */

static bool has_name(const struct text_list *names, const char *name)
{
    for (size_t i = 0; i < names->count; i++)
        if (sqlite3_stricmp(names->items[i], name) == 0)
            return true;
    return false;
}

static int refuse_unknown(const struct sqlite_tables *tables, const char *name, struct error *err)
{
    struct buf known = BUF_INIT_MAX(300);
    for (size_t i = 0; i < tables->count; i++)
        if (tables->items[i].kind <= SQLITE_TABLE_VIRTUAL)
            buf_append_format(&known, "%s%s", known.length ? ", " : "", tables->items[i].name);
    error_set(err, ERROR_NOT_FOUND, "the backup has no table %s", name);
    error_hint(err, "it has: %s%s", known.data, known.overflowed ? ", ..." : "");
    buf_clear(&known);
    return -1;
}

static void add_with_shadows(const struct sqlite_tables *tables, const struct sqlite_table *table,
                             struct text_list *names)
{
    if (!has_name(names, table->name))
        text_list_add(names, table->name);
    for (size_t i = 0; i < tables->count; i++)
        if (sqlite_table_is_shadow(&tables->items[i], table) &&
            !has_name(names, tables->items[i].name))
            text_list_add(names, tables->items[i].name);
}

/* One round: tables that refer to one in `names` join them. */
static int add_referring(struct sqlite_connection *connection, struct text_list *names,
                         bool *ret_grown, struct error *err)
{
    SCOPED(sqlite_statement) sqlite3_stmt *statement = NULL;
    *ret_grown = false;
    if (sqlite_connection_prepare(connection,
                                  "SELECT m.name, f.\"table\" FROM sqlite_schema m, "
                                  "pragma_foreign_key_list(m.name) f WHERE m.type = 'table' "
                                  "AND m.sql NOT LIKE 'CREATE VIRTUAL%'",
                                  &statement, err) < 0)
        return -1;
    int code = SQLITE_ROW;
    while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
        const char *child = (const char *)sqlite3_column_text(statement, 0);
        const char *parent = (const char *)sqlite3_column_text(statement, 1);
        if (!has_name(names, parent) || has_name(names, child))
            continue;
        text_list_add(names, child);
        *ret_grown = true;
    }
    return code == SQLITE_DONE ? 0 : sqlite_connection_raise(connection, code, err);
}

static int choose_from(struct sqlite_connection *connection, const struct sqlite_tables *tables,
                       const struct text_list *wanted, bool cascade, struct text_list *names,
                       struct error *err)
{
    for (size_t i = 0; i < wanted->count; i++) {
        const struct sqlite_table *table = sqlite_tables_find(tables, wanted->items[i]);
        if (!table || table->kind > SQLITE_TABLE_VIRTUAL)
            return refuse_unknown(tables, wanted->items[i], err);
        add_with_shadows(tables, table, names);
    }
    bool grown = cascade;
    while (grown)
        if (add_referring(connection, names, &grown, err) < 0)
            return -1;
    return 0;
}

int sqlite_tables_choose(struct os *os, const char *path, const struct text_list *wanted,
                         bool cascade, struct text_list *ret_names, struct error *err)
{
    SCOPED(sqlite_connection) struct sqlite_connection *connection = NULL;
    SCOPED(sqlite_tables) struct sqlite_tables tables = SQLITE_TABLES_INIT;
    struct text_list names = TEXT_LIST_INIT;
    if (sqlite_connection_open(os, path, LOCK_WAIT_MS, &connection, err) < 0 ||
        sqlite_tables_list(connection, "main", &tables, err) < 0 ||
        choose_from(connection, &tables, wanted, cascade, &names, err) < 0) {
        text_list_clear(&names);
        return -1;
    }
    text_list_clear(ret_names);
    *ret_names = names;
    return 0;
}

/* ---- safety copy ---- */

static int make_empty(struct os *os, const char *path, struct error *err)
{
    int fd = file_open(os, path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600, err);
    if (fd < 0)
        return -1;
    int result = file_sync(os, fd, path, err);
    file_close(os, &fd);
    return result;
}

/* What the tables hold now goes to `side`, durably, with a row that says whether the restore was
 * committed. Whoever calls holds the right to write to the target. */
static int save_tables(struct os *os, const struct sqlite_kept *kept, const char *side, bool keep,
                       struct error *err)
{
    SCOPED(sqlite_connection) struct sqlite_connection *connection = NULL;
    SCOPED(string) char *marker = marker_of(kept);
    uint64_t rows = 0;
    if (file_remove(os, side, err) < 0 || make_empty(os, side, err) < 0 ||
        sqlite_connection_open(os, side, LOCK_WAIT_MS, &connection, err) < 0 ||
        sqlite_transplant_begin(connection, kept->target, err) < 0)
        return -1;
    sqlite_connection_stoppable(connection, true);
    if (sqlite_connection_run_format(connection, err, "BEGIN; CREATE TABLE \"%w\"(done INTEGER)",
                                     marker) < 0 ||
        sqlite_connection_run_format(connection, err, "INSERT INTO \"%w\" VALUES(0)", marker) < 0 ||
        (keep && sqlite_transplant(connection, &kept->tables, &rows, err) < 0))
        return -1;
    return sqlite_connection_run(connection, "COMMIT", err);
}

static int note_done(struct os *os, const struct sqlite_kept *kept, const char *side,
                     struct error *err)
{
    SCOPED(sqlite_connection) struct sqlite_connection *connection = NULL;
    SCOPED(string) char *marker = marker_of(kept);
    if (sqlite_connection_open(os, side, LOCK_WAIT_MS, &connection, err) < 0)
        return -1;
    return sqlite_connection_run_format(connection, err, "UPDATE \"%w\" SET done = 1", marker);
}

static int is_noted_done(struct os *os, const struct sqlite_kept *kept, struct error *err)
{
    SCOPED(sqlite_connection) struct sqlite_connection *connection = NULL;
    SCOPED(string) char *marker = marker_of(kept);
    SCOPED(string) char *sql = mem_format("SELECT max(done) FROM \"%s\"", marker);
    int64_t done = 0;
    if (sqlite_connection_open(os, kept->side, LOCK_WAIT_MS, &connection, err) < 0)
        return -1;
    /* Killed while the copy was made: the row is not there. */
    return sqlite_connection_number(connection, sql, &done, NULL) == 0 && done == 1;
}

/* ---- the transaction ---- */

struct application {
    struct os *os;
    const struct sqlite_kept *kept;
    const char *from;
    const char *side; /* takes what was there */
    bool keep;
    uint64_t rows;
};

static int apply_in_transaction(struct application *application,
                                struct sqlite_connection *connection, struct error *err)
{
    const struct sqlite_kept *kept = application->kept;
    SCOPED(string) char *marker = marker_of(kept);
    if (save_tables(application->os, kept, application->side, application->keep, err) < 0 ||
        sqlite_transplant_note_keys(connection, err) < 0 ||
        sqlite_transplant(connection, &kept->tables, &application->rows, err) < 0 ||
        sqlite_transplant_check_keys(connection, err) < 0 ||
        sqlite_connection_run_format(connection, err, "CREATE TABLE main.\"%w\"(x)", marker) < 0 ||
        stop_check(err) < 0)
        return -1;
    sqlite_connection_stoppable(connection, false);
    return sqlite_connection_run(connection, "COMMIT", err);
}

/* Committed; what is left to do can be done again by recover. */
static void tidy_up(struct application *application, struct sqlite_connection *connection)
{
    struct error late = ERROR_INIT;
    SCOPED(string) char *marker = marker_of(application->kept);
    if (note_done(application->os, application->kept, application->side, &late) < 0 ||
        sqlite_connection_run_format(connection, &late, "DROP TABLE IF EXISTS main.\"%w\"",
                                     marker) < 0)
        log_warning("%s: table %s stays until it can be dropped: %s", application->kept->target,
                    marker, late.message);
}

static int apply(struct application *application, struct error *err)
{
    SCOPED(sqlite_connection) struct sqlite_connection *connection = NULL;
    if (sqlite_connection_open(application->os, application->kept->target, LOCK_WAIT_MS,
                               &connection, err) < 0 ||
        sqlite_transplant_begin(connection, application->from, err) < 0 ||
        sqlite_connection_run(connection, "BEGIN IMMEDIATE", err) < 0)
        return -1;
    sqlite_connection_stoppable(connection, true);
    if (apply_in_transaction(application, connection, err) < 0) {
        sqlite_connection_stoppable(connection, false);
        sqlite_connection_run(connection, "ROLLBACK", NULL);
        return -1;
    }
    tidy_up(application, connection);
    return 0;
}

int sqlite_tables_commit(struct os *os, const struct sqlite_kept *kept, const char *from, bool keep,
                         uint64_t *ret_rows, struct error *err)
{
    struct application application = {
        .os = os, .kept = kept, .from = from, .side = kept->side, .keep = keep};
    bool made = !kept->existed;
    if ((made && make_empty(os, kept->target, err) < 0) || apply(&application, err) < 0) {
        if (made)
            file_remove(os, kept->target, NULL);
        file_remove(os, kept->side, NULL);
        return error_recode(err, ERROR_RESTORE);
    }
    *ret_rows = application.rows;
    return 0;
}

/* ---- afterwards ---- */

static int has_marker(struct sqlite_connection *connection, const char *marker, struct error *err)
{
    SCOPED(sqlite_statement) sqlite3_stmt *statement = NULL;
    if (sqlite_connection_prepare(connection, "SELECT 1 FROM main.sqlite_schema WHERE name = ?1",
                                  &statement, err) < 0)
        return -1;
    sqlite3_bind_text(statement, 1, marker, -1, SQLITE_STATIC);
    int code = sqlite3_step(statement);
    if (code != SQLITE_ROW && code != SQLITE_DONE)
        return sqlite_connection_raise(connection, code, err);
    return code == SQLITE_ROW;
}

/* 1 committed (and now noted as such), 0 not. */
static int was_committed(struct os *os, const struct sqlite_kept *kept, struct error *err)
{
    SCOPED(sqlite_connection) struct sqlite_connection *connection = NULL;
    SCOPED(string) char *marker = marker_of(kept);
    struct stat there;
    int found = file_stat(os, kept->target, &there, err);
    if (found <= 0)
        return found;
    if (sqlite_connection_open(os, kept->target, LOCK_WAIT_MS, &connection, err) < 0)
        return -1;
    int marked = has_marker(connection, marker, err);
    if (marked <= 0)
        return marked < 0 ? -1 : is_noted_done(os, kept, err);
    if (note_done(os, kept, kept->side, err) < 0 ||
        sqlite_connection_run_format(connection, err, "DROP TABLE main.\"%w\"", marker) < 0)
        return -1;
    return 1;
}

static int remove_file_and_sidecars(struct os *os, const char *path, struct error *err)
{
    if (file_remove(os, path, err) < 0)
        return -1;
    return sqlite_sidecars_remove(os, path, err);
}

/* A target that the restore itself had made is empty until the commit. */
static int remove_if_empty(struct os *os, const char *path, struct error *err)
{
    struct stat there;
    int found = file_stat(os, path, &there, err);
    if (found <= 0 || there.st_size > 0)
        return found < 0 ? -1 : 0;
    return file_remove(os, path, err);
}

int sqlite_tables_recover(struct os *os, const struct sqlite_kept *kept, enum load_state *ret_state,
                          struct error *err)
{
    SCOPED(string) char *full = sqlite_tables_full_path(kept);
    struct stat there;
    int saved = file_stat(os, kept->side, &there, err);
    int committed = saved > 0 ? was_committed(os, kept, err) : saved;
    if (committed < 0 || remove_file_and_sidecars(os, full, err) < 0)
        return -1;
    if (!committed && (remove_file_and_sidecars(os, kept->side, err) < 0 ||
                       (!kept->existed && remove_if_empty(os, kept->target, err) < 0)))
        return -1;
    *ret_state = committed ? LOAD_AFTER : LOAD_BEFORE;
    return 0;
}

int sqlite_tables_undo(struct os *os, const struct sqlite_kept *kept, struct error *err)
{
    SCOPED(string) char *next = next_side_path(kept);
    struct application application = {
        .os = os, .kept = kept, .from = kept->side, .side = next, .keep = true};
    struct stat there;
    int found = file_stat(os, kept->side, &there, err);
    if (found <= 0)
        return found < 0 ? -1
                         : error_set(err, ERROR_NOT_FOUND, "the kept copy %s is gone", kept->side);
    if (apply(&application, err) < 0) {
        file_remove(os, next, NULL);
        return -1;
    }
    return file_rename(os, next, kept->side, err);
}

int sqlite_tables_discard(struct os *os, const struct sqlite_kept *kept, struct error *err)
{
    SCOPED(string) char *full = sqlite_tables_full_path(kept);
    SCOPED(string) char *next = next_side_path(kept);
    if (remove_file_and_sidecars(os, kept->side, err) < 0 ||
        remove_file_and_sidecars(os, full, err) < 0)
        return -1;
    return remove_file_and_sidecars(os, next, err);
}
