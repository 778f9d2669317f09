#include "catalog/install.h"

#include "base/error.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/os.h"
#include "base/stop.h"
#include "base/ulid.h"
#include "catalog/check.h"
#include "catalog/outside.h"
#include "catalog/dialect.h"
#include "catalog/place.h"
#include "catalog/query.h"
#include "catalog/schema.h"
#include "catalog/state.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define LOCK_TIMEOUT_MS 5000
#define STATEMENT_TIMEOUT_MS 60000

struct install {
    const struct install_options *options;
    struct catalog catalog; /* on the stack of catalog_install */
    struct db_url url;
    bool file_created; /* by us, and gone again when it stays empty */
    bool place_made;   /* the same of the database kedge on a server */
    bool present;      /* our tables, not only one of their name */
};

static void say(const struct install *install, enum install_mark mark, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void say(const struct install *install, enum install_mark mark, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    SCOPED(string) char *text = mem_format_v(format, args);
    va_end(args);
    install->options->line(install->options->context, mark, text);
}

/* ---- connecting ---- */

static int open_database(struct install *install, struct db **ret_db, struct error *err)
{
    const struct install_options *options = install->options;
    const struct db_options db_options = {
        .os = install->catalog.os,
        .lock_timeout_ms = options->lock_timeout_ms ? options->lock_timeout_ms : LOCK_TIMEOUT_MS,
        .statement_timeout_ms =
            options->statement_timeout_ms ? options->statement_timeout_ms : STATEMENT_TIMEOUT_MS,
        .full_synchronous = true,
    };
    return db_open(&install->url, &db_options, ret_db, err);
}

static int run_session(struct catalog *catalog, struct error *err)
{
    for (const char *const *sql = catalog->dialect->session; *sql; sql++)
        if (db_execute(catalog->db, *sql, NULL, 0, NULL, err) < 0)
            return -1;
    return 0;
}

/* MariaDB speaks MySQL's protocol and puts its own name into the version. */
static void say_version(const struct install *install, const char *version)
{
    const char *mariadb = strstr(version, "-MariaDB");
    const char *title = mariadb ? "MariaDB" : install->catalog.dialect->title;
    int length = (int)(mariadb ? mariadb - version : (ptrdiff_t)strlen(version));
    say(install, INSTALL_PLAIN, "  %s version: %s %.*s", title, title, length, version);
}

static int connect(struct install *install, struct error *err)
{
    struct catalog *catalog = &install->catalog;
    struct error why = ERROR_INIT;
    SCOPED(string) char *masked = db_url_masked(&install->url);
    SCOPED(string) char *now = NULL;
    SCOPED(string) char *version = NULL;
    say(install, INSTALL_START, "Starting safe migration: Add database_backups table");
    say(install, INSTALL_PLAIN, "Database: %s", masked);
    catalog->dialect = dialect_of(install->url.engine);
    /* One that has its tables in a file may be new. */
    if (!catalog->dialect->create &&
        catalog_make_file(catalog->os, install->url.database, &install->file_created, err) < 0)
        return -1;
    if (open_database(install, &catalog->db, &why) < 0) {
        error_set(err, why.code, "connection to server failed: %s", why.message);
        return error_hint(err, "%s", why.hint);
    }
    if (db_query_text(catalog->db, catalog->dialect->now, NULL, 0, &now, err) < 0 ||
        catalog->db->ops->version(catalog->db, &version, err) < 0 || run_session(catalog, err) < 0)
        return -1;
    say(install, INSTALL_DONE, "Database connection successful");
    say(install, INSTALL_PLAIN, "  Server time: %s", now ? now : "unknown");
    say_version(install, version);
    return 0;
}

/* ---- is it there already? ---- */

/* 1: there, and good. */
static int look(struct install *install, struct error *err)
{
    struct catalog *catalog = &install->catalog;
    int kind = catalog_outside(catalog, catalog_views[0], err);
    bool any = false;
    int complete = kind < 0 ? -1 : schema_complete(catalog, &any, err);
    if (complete < 0)
        return -1;
    int empty = complete || any ? 0 : place_is_empty(catalog, err);
    if (empty < 0)
        return -1;
    if (empty)
        say(install, INSTALL_WARNING,
            "The database kedge is there already, with nothing in it: it is filled now");
    if (!complete && any)
        say(install, INSTALL_WARNING,
            "A part is there already: an interrupted or older installation is completed now");
    if (!complete && kind != OUTSIDE_TABLE)
        return 0;
    say(install, INSTALL_WARNING, "Table database_backups already exists");
    if (kind == OUTSIDE_TABLE && catalog_check_foreign(catalog, err) < 0)
        return error_hint(err, "add the column, or drop or rename the table; nothing was changed");
    if (complete && catalog_check_columns(catalog, err) < 0)
        return error_hint(err, "nothing was changed; `kedge catalog check` lists what is missing");
    install->present = complete;
    say(install, INSTALL_DONE, "Migration verification successful");
    say(install, INSTALL_NEEDLESS, "Migration not needed - table already exists and is valid");
    return 1;
}

/* ---- the transaction ---- */

/* `name` for each %s of the statement. */
static void add_view(struct query *query, const char *statement, const char *name)
{
    const char *gap = NULL;
    while ((gap = strstr(statement, "%s"))) {
        buf_append(&query->sql, statement, (size_t)(gap - statement));
        query_add(query, name);
        statement = gap + 2;
    }
    query_add(query, statement);
}

/* Readers look for the views beside the application's tables; a name that is taken stays. */
static int make_views(struct install *install, struct error *err)
{
    struct catalog *catalog = &install->catalog;
    for (size_t i = 0; catalog->dialect->outside_view && catalog_views[i]; i++) {
        const char *name = catalog_views[i];
        int kind = catalog_outside(catalog, name, err);
        if (kind < 0)
            return -1;
        if (kind != OUTSIDE_FREE)
            continue;
        SCOPED(query) struct query query;
        query_init(&query, catalog, "");
        add_view(&query, catalog->dialect->outside_view, name);
        if (query_run(&query, NULL, err) < 0)
            return -1;
    }
    return 0;
}

/* Beyond the largest number that is there: more than none when a run before was cut off. */
static int reset_counter(struct catalog *catalog, const char *table, struct error *err)
{
    SCOPED(query) struct query query;
    query_init(&query, catalog,
               "UPDATE counters SET value = (SELECT coalesce(max(number), 0) FROM ");
    query_add(&query, table);
    query_add(&query, ") WHERE name = ?");
    query_text(&query, table);
    return query_run(&query, NULL, err);
}

static int run_with_id(struct catalog *catalog, const char *sql, const struct ulid *id, int times,
                       int moments, int64_t *ret_changes, struct error *err)
{
    SCOPED(query) struct query query;
    query_init(&query, catalog, sql);
    for (int i = 0; i < times; i++)
        query_text(&query, id->text);
    for (int i = 0; i < moments; i++)
        query_time(&query, catalog->os->clock_wall_ns(catalog->os));
    return query_run(&query, ret_changes, err);
}

/* One row is inserted, read and deleted again. */
static int try_out(struct catalog *catalog, struct error *err)
{
    struct ulid id;
    int64_t found = 0, changes = 0;
    if (ulid_make(catalog->os, &id, err) < 0 ||
        run_with_id(catalog, "INSERT INTO apps (id, name, created_at) VALUES (?, ?, ?)", &id, 2, 1,
                    NULL, err) < 0 ||
        run_with_id(catalog,
                    "INSERT INTO backup_destinations (id, name, kind, url, created_at, updated_at) "
                    "VALUES (?, ?, 'local', ?, ?, ?)",
                    &id, 3, 2, NULL, err) < 0 ||
        run_with_id(catalog,
                    "INSERT INTO backups (id, number, app_id, backup_destination_id, target, type, "
                    "created_at) VALUES (?, 2147483647, ?, ?, 'kedge', 'database', ?)",
                    &id, 3, 1, NULL, err) < 0)
        return -1;
    const struct db_value key = db_text(id.text);
    if (db_query_integer(catalog->db, "SELECT count(*) FROM backups WHERE id = ?", &key, 1, &found,
                         err) < 0 ||
        run_with_id(catalog, "DELETE FROM apps WHERE id = ?", &id, 1, 0, &changes, err) < 0 ||
        run_with_id(catalog, "DELETE FROM backup_destinations WHERE id = ?", &id, 1, 0, NULL, err) <
            0)
        return -1;
    int64_t left = 0;
    if (db_query_integer(catalog->db, "SELECT count(*) FROM backups WHERE id = ?", &key, 1, &left,
                         err) < 0)
        return -1;
    if (found != 1 || changes != 1 || left != 0)
        return error_set(err, ERROR_FAILED, "a row that was inserted is not what was read");
    return 0;
}

/* Where statements of the schema have ended the transaction, the row is in one of its own, which is
 * never committed: a run that is cut off leaves no row behind. */
static int try_out_undone(struct catalog *catalog, struct error *err)
{
    struct db *db = catalog->db;
    if (db->ops->in_transaction(db))
        return try_out(catalog, err);
    if (db_begin(db, true, err) < 0)
        return -1;
    if (try_out(catalog, err) < 0) {
        db_rollback(db, NULL);
        return -1;
    }
    return db_rollback(db, err);
}

static int build(struct install *install, struct error *err)
{
    struct catalog *catalog = &install->catalog;
    if (schema_apply_within(catalog, err) < 0 || make_views(install, err) < 0)
        return -1;
    say(install, INSTALL_DONE, "Table database_backups created successfully");
    say(install, INSTALL_DONE, "Indexes created successfully");
    if (stop_check(err) < 0 || reset_counter(catalog, "backups", err) < 0 ||
        reset_counter(catalog, "restores", err) < 0)
        return -1;
    say(install, INSTALL_DONE, "Sequence reset successfully");
    if (stop_check(err) < 0 || catalog_check_columns(catalog, err) < 0 ||
        try_out_undone(catalog, err) < 0)
        return error_prefix(err, "verification");
    say(install, INSTALL_DONE, "Migration verification successful");
    return stop_check(err);
}

/* In place of a connection that was lost, which stays when there is no other. */
static int connect_again(struct install *install, struct error *err)
{
    struct catalog *catalog = &install->catalog;
    struct db *lost = catalog->db;
    catalog->db = NULL;
    int result = open_database(install, &catalog->db, err);
    if (result == 0)
        result = run_session(catalog, err);
    if (catalog->db)
        db_close(lost);
    else
        catalog->db = lost;
    return result;
}

/* The answer to a COMMIT was lost: only a look tells. 0: it was done. */
static int look_after_commit(struct install *install, struct error *err)
{
    struct error why = ERROR_INIT;
    int complete = -1;
    if (connect_again(install, &why) == 0)
        complete = schema_complete(&install->catalog, NULL, &why);
    if (complete == 1) {
        say(install, INSTALL_WARNING,
            "The connection was lost during COMMIT; the tables are there");
        return 0;
    }
    if (complete == 0)
        return error_set(err, ERROR_FAILED,
                         "the connection was lost during COMMIT: nothing was changed");
    return error_set(err, ERROR_FAILED,
                     "the connection was lost during COMMIT, and looking again failed: %s",
                     why.message);
}

static int raise_denied(void *context, const struct db_value *columns, size_t count,
                        struct error *err)
{
    (void)context;
    (void)count;
    return error_set(err, ERROR_PERMISSION, "permission denied for %s",
                     columns[0].type == DB_TEXT ? columns[0].text : "this database");
}

/* Asked before anything is begun, so that the answer is the whole of it. */
static int check_rights(struct catalog *catalog, struct error *err)
{
    if (!catalog->dialect->denied)
        return 0;
    return db_query(catalog->db, catalog->dialect->denied, NULL, 0, raise_denied, NULL, err);
}

static int install_new(struct install *install, struct error *err)
{
    struct catalog *catalog = &install->catalog;
    if (check_rights(catalog, err) < 0 || place_make(catalog, &install->place_made, err) < 0 ||
        db_begin(catalog->db, true, err) < 0)
        return -1;
    if (build(install, err) < 0) {
        db_rollback(catalog->db, NULL);
        return -1;
    }
    catalog->db->fault = (struct db_fault){0};
    if (db_commit(catalog->db, err) < 0) {
        bool lost = catalog->db->fault.connection_lost;
        db_rollback(catalog->db, NULL);
        if (!lost || look_after_commit(install, err) < 0)
            return -1;
    }
    install->present = true;
    say(install, INSTALL_DONE, "Transaction committed successfully");
    say(install, INSTALL_FINISHED, "Migration completed successfully!");
    say(install, INSTALL_PLAIN, "The database_backups table has been added to your database.");
    say(install, INSTALL_PLAIN, "You can now use the backup system in your admin panel.");
    return 0;
}

/* What we made and nothing is in goes again. Of no consequence to the failure that it follows. */
static void leave_as_before(struct install *install, struct error *failure)
{
    struct error why = ERROR_INIT;
    struct catalog *catalog = &install->catalog;
    bool lost = catalog->db->fault.connection_lost;
    int removed = lost && connect_again(install, &why) < 0 ? -1 : 0;
    if (removed == 0)
        removed = place_remove_empty(catalog, &why);
    if (removed > 0)
        say(install, INSTALL_WARNING,
            "The database kedge, which was made for this, is removed again: all is as before");
    if (removed < 0 && failure && !failure->hint[0])
        error_hint(failure,
                   "what was made stays (%s): the next run goes on with it, and DROP "
                   "DATABASE kedge removes it",
                   why.message);
}

/* The server says what was refused; we say what helps. */
static int hint_at_rights(const struct install *install, struct error *err)
{
    if (!err || err->hint[0] || !install->catalog.dialect)
        return -1;
    const char *user = install->url.user ? install->url.user : "USER";
    const char *database = install->url.database ? install->url.database : "DATABASE";
    if (strstr(err->message, "permission denied for schema kedge"))
        return error_hint(err, "GRANT USAGE, CREATE ON SCHEMA kedge TO %s;", user);
    if (strstr(err->message, "permission denied for schema") ||
        strstr(err->message, "permission denied for database"))
        return error_hint(err,
                          "GRANT CREATE ON SCHEMA public TO %s; GRANT CREATE ON DATABASE %s TO %s;",
                          user, database, user);
    if (!install->catalog.dialect->create && strstr(err->message, "already exists"))
        return error_hint(err, "the file has a table of that name: give the catalogue a SQLite "
                               "file of its own");
    return -1;
}

int catalog_install(struct os *os, const struct install_options *options, struct error *err)
{
    struct install install = {.options = options, .catalog = {.os = os}};
    if (db_url_parse(options->url, &install.url, err) < 0)
        return -1;
    install.catalog.name = db_url_display(&install.url);
    int result = connect(&install, err);
    if (result == 0)
        result = look(&install, err);
    if (result == 0)
        result = install_new(&install, err);
    if (result < 0)
        hint_at_rights(&install, err);
    if (result < 0 && install.place_made)
        leave_as_before(&install, err);
    if (install.present && options->warning)
        say(&install, INSTALL_WARNING, "%s", options->warning);
    db_close(install.catalog.db);
    if (result < 0 && install.file_created)
        file_remove(os, install.url.database, NULL);
    free(install.catalog.name);
    db_url_clear(&install.url);
    return result < 0 ? -1 : 0;
}
