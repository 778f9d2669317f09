/*
 * Opening a catalogue: the file, the connection, the schema.
 */
#include "base/error.h"
#include "base/file.h"
#include "base/os.h"
#include "catalog/catalog.h"
#include "catalog/dialect.h"
#include "catalog/reserve.h"
#include "catalog/schema.h"
#include "catalog/state.h"
#include "db/db.h"
#include "db/sqlite.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

/* Long enough for another process's longest transaction, an import of one manifest. */
#define LOCK_TIMEOUT_MS 30000

/* SQLite gives its journal and write-ahead log the mode of the file. */
int catalog_make_file(struct os *os, const char *path, bool *ret_created, struct error *err)
{
    struct stat info;
    *ret_created = false;
    int found = file_stat(os, path, &info, err);
    if (found != 0)
        return found < 0 ? -1 : 0;
    SCOPED(string) char *folder = path_folder(path);
    if (folder_make(os, folder, 0700, err) < 0)
        return -1;
    struct error open_err = ERROR_INIT;
    int fd = file_open(os, path, O_RDWR | O_CREAT | O_EXCL, 0600, &open_err);
    if (fd < 0 && open_err.code == ERROR_EXISTS)
        return 0; /* another process was quicker */
    if (fd < 0) {
        *err = open_err;
        return -1;
    }
    file_close(os, &fd);
    *ret_created = true;
    return folder_sync(os, folder, err);
}

static int run_all(struct catalog *catalog, const char *const *statements, struct error *err)
{
    for (; *statements; statements++)
        if (db_execute(catalog->db, *statements, NULL, 0, NULL, err) < 0)
            return -1;
    return 0;
}

static int begin_session(const struct catalog *catalog, struct db **ret_db, struct error *err)
{
    const struct db_options options = {
        .os = catalog->os,
        .lock_timeout_ms = LOCK_TIMEOUT_MS,
        .full_synchronous = true,
    };
    return db_open(&catalog->url, &options, ret_db, err);
}

static int connect(struct catalog *catalog, const struct db_url *url, struct error *err)
{
    bool created = false;
    catalog->dialect = dialect_of(url->engine);
    if (!catalog->dialect)
        return error_set(err, ERROR_USAGE, "a catalogue cannot be in %s yet",
                         db_engine_name(url->engine));
    if (url->engine == DB_SQLITE) {
        if (catalog_make_file(catalog->os, url->database, &created, err) < 0)
            return -1;
        reserve_settle(catalog->os, url->database);
    }
    if (begin_session(catalog, &catalog->db, err) < 0)
        return -1;
    /* Two processes that make the file at once: one of them does not get its way here, and needs
     * not to. */
    struct error creation_err = ERROR_INIT;
    if (created && run_all(catalog, catalog->dialect->new_file, &creation_err) < 0 &&
        creation_err.code != ERROR_LOCKED) {
        *err = creation_err;
        return -1;
    }
    return run_all(catalog, catalog->dialect->session, err);
}

int catalog_refresh(struct catalog *catalog, struct error *err)
{
    struct error ended = ERROR_INIT;
    int64_t one = 0;
    catalog->db->fault = (struct db_fault){0};
    if (db_query_integer(catalog->db, "SELECT 1", NULL, 0, &one, &ended) > 0 ||
        !catalog->db->fault.connection_lost)
        return 0;
    SCOPED(db) struct db *lost = catalog->db;
    SCOPED(db) struct db *fresh = NULL;
    if (begin_session(catalog, &fresh, err) < 0) {
        STEAL(lost);
        return error_prefix(err, "catalogue");
    }
    catalog->db = STEAL(fresh);
    if (run_all(catalog, catalog->dialect->session, err) < 0)
        return -1;
    return dialect_enter(catalog->dialect, catalog->db, err);
}

static char *lock_folder(const struct catalog_options *options, const struct db_url *url)
{
    if (options->folder)
        return mem_string(options->folder);
    if (url->engine != DB_SQLITE)
        return mem_string(".");
    return path_folder(url->database);
}

/* An unfinished write needs some pages, and the index of the write-ahead log 32 KiB. */
#define ROOM_NEEDED (64 << 10)

/* SQLite calls a full disk an I/O error, and a read-only one unable to open: say what it is, and
 * how to get at the backups nevertheless. */
static void explain_file(struct os *os, const struct db_url *url, struct error *err)
{
    struct statvfs space;
    SCOPED(string) char *folder = path_folder(url->database);
    if (err->code == ERROR_LOCKED || err->code == ERROR_INTERRUPTED || err->hint[0] ||
        os->statvfs(os, folder, &space) < 0)
        return;
    bool full = (uint64_t)space.f_bavail * space.f_frsize < ROOM_NEEDED;
    bool closed = err->code == ERROR_PERMISSION || (space.f_flag & ST_RDONLY);
    if (!full && !closed)
        return;
    error_set(err, closed ? ERROR_PERMISSION : ERROR_NO_SPACE, "catalogue %s: %s", url->database,
              closed ? "it cannot be opened for writing" : "no room is left in its file system");
    error_hint(err,
               "to restore meanwhile: KEDGE_HOME=FOLDER kedge catalog rebuild --from DESTINATION "
               "makes a catalogue elsewhere");
}

static int give_up(struct os *os, const struct db_url *url, struct error *err)
{
    if (err && err->code == ERROR_CORRUPT)
        error_hint(err, "move the file away; `kedge catalog rebuild --from DESTINATION` makes "
                        "it anew from the manifests");
    else if (err && url->engine == DB_SQLITE)
        explain_file(os, url, err);
    return -1;
}

/* ---- to be read only ---- */

static int read_as(struct catalog *catalog, bool immutable, struct error *err)
{
    const struct db_options options = {.os = catalog->os,
                                       .lock_timeout_ms = LOCK_TIMEOUT_MS,
                                       .read_only = true,
                                       .immutable = immutable};
    db_close(catalog->db);
    catalog->db = NULL;
    if (db_open(&catalog->url, &options, &catalog->db, err) < 0)
        return -1;
    return schema_complete(catalog, NULL, err);
}

/* Without its log, which the last one to close it removes, the file is whole. */
static bool has_no_log(const struct catalog *catalog)
{
    struct stat log;
    struct error ignored = ERROR_INIT;
    SCOPED(string) char *path = mem_format("%s-wal", catalog->url.database);
    int found = file_stat(catalog->os, path, &log, &ignored);
    return found == 0 || (found > 0 && log.st_size == 0);
}

/* As with other readers and writers first; where not even the files for that can be made, as the
 * file that it is. */
static bool open_to_read(struct catalog *catalog)
{
    struct error err = ERROR_INIT;
    int complete = read_as(catalog, false, &err);
    if (complete < 0 && has_no_log(catalog)) {
        error_clear(&err);
        complete = read_as(catalog, true, &err);
    }
    error_clear(&err);
    catalog->read_only = complete > 0;
    return catalog->read_only;
}

/* SQLite opens a file that it cannot write without a word. */
static int check_writable(struct catalog *catalog, struct error *err)
{
    if (catalog->url.engine != DB_SQLITE || !sqlite_is_read_only(catalog->db))
        return 0;
    return error_set(err, ERROR_PERMISSION, "it cannot be written");
}

static bool may_be_read(const struct catalog *catalog, const struct error *err)
{
    return catalog->url.engine == DB_SQLITE && err->code != ERROR_CORRUPT &&
           err->code != ERROR_LOCKED && err->code != ERROR_INTERRUPTED;
}

static int open_url(struct os *os, const struct catalog_options *options, const struct db_url *url,
                    struct catalog **ret_catalog, struct error *err)
{
    SCOPED(catalog) struct catalog *catalog = MEM_NEW(struct catalog);
    catalog->os = os;
    db_url_copy(url, &catalog->url);
    catalog->folder = lock_folder(options, url);
    catalog->name = url->engine == DB_SQLITE ? mem_string(url->database) : db_url_display(url);
    struct error failure = ERROR_INIT;
    if ((connect(catalog, url, &failure) < 0 || check_writable(catalog, &failure) < 0 ||
         schema_update(catalog, &failure) < 0) &&
        !(options->only_reads && may_be_read(catalog, &failure) && open_to_read(catalog))) {
        give_up(os, url, &failure);
        if (err)
            *err = failure;
        return -1;
    }
    *ret_catalog = STEAL(catalog);
    return 0;
}

int catalog_open(struct os *os, const struct catalog_options *options, struct catalog **ret_catalog,
                 struct error *err)
{
    struct db_url url = DB_URL_INIT;
    if (db_url_parse(options->url, &url, err) < 0)
        return error_prefix(err, "catalogue");
    int result = open_url(os, options, &url, ret_catalog, err);
    db_url_clear(&url);
    return result;
}
