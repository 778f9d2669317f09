#include "migrate/scratch.h"

#include "base/error.h"
#include "base/os.h"
#include "base/stop.h"
#include "base/text.h"
#include "base/ulid.h"
#include "db/db.h"
#include "migrate/schema.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LOCK_TIMEOUT_MS 10000

struct scratch {
    struct os *os;
    const struct db_url *beside;
    const struct db_url *named;
    char *name;
    bool made;
    struct db *admin; /* on the server that it is made on */
    struct db *db;
};

/* ---- making and dropping ---- */

static int open_db(struct scratch *scratch, const struct db_url *url, bool create,
                   struct db **ret_db, struct error *err)
{
    const struct db_options options = {.os = scratch->os,
                                       .create = create,
                                       .lock_timeout_ms = LOCK_TIMEOUT_MS,
                                       .application = "kedge migrate verify"};
    return db_open(url, &options, ret_db, err);
}

/* The scratch database gets the encoding and collation of the real one. */
static int create_sql(struct scratch *scratch, struct buf *sql, struct error *err)
{
    SCOPED(string) char *like = NULL;
    enum db_engine engine = scratch->beside->engine;
    const char *question =
        engine == DB_POSTGRES
            ? "SELECT format(' TEMPLATE template0 ENCODING %L LC_COLLATE %L LC_CTYPE %L', "
              "pg_encoding_to_char(encoding), datcollate, datctype) FROM pg_database WHERE datname "
              "= current_database()"
            : "SELECT CONCAT(' CHARACTER SET ', default_character_set_name, ' COLLATE ', "
              "default_collation_name) FROM information_schema.schemata WHERE schema_name = "
              "DATABASE()";
    if (db_query_text(scratch->admin, question, NULL, 0, &like, err) < 0)
        return -1;
    buf_append_text(sql, "CREATE DATABASE ");
    db_quote_identifier(engine, sql, scratch->name);
    buf_append_text(sql, like ? like : "");
    return 0;
}

static int mark(struct scratch *scratch, struct error *err)
{
    SCOPED(buf) struct buf sql = BUF_INIT;
    if (scratch->beside->engine != DB_POSTGRES)
        return 0;
    buf_append_text(&sql, "COMMENT ON DATABASE ");
    db_quote_identifier(DB_POSTGRES, &sql, scratch->name);
    buf_append_text(&sql, " IS ");
    db_quote_literal(DB_POSTGRES, &sql, scratch->beside->database,
                     strlen(scratch->beside->database));
    return db_execute(scratch->admin, sql.data, NULL, 0, NULL, err);
}

static int create_database(struct scratch *scratch, struct error *err)
{
    SCOPED(buf) struct buf sql = BUF_INIT;
    if (create_sql(scratch, &sql, err) < 0)
        return -1;
    if (db_execute(scratch->admin, sql.data, NULL, 0, NULL, err) == 0) {
        scratch->made = true;
        return mark(scratch, err);
    }
    error_prefix(err, "make the scratch database %s", scratch->name);
    return error_hint(err, "the role needs the right to create databases; or name an empty "
                           "database to use instead with --scratch-url");
}

static int drop_database(struct scratch *scratch, struct error *err)
{
    SCOPED(buf) struct buf sql = BUF_INIT;
    enum db_engine engine = scratch->beside->engine;
    if (!scratch->made)
        return 0;
    buf_append_text(&sql, "DROP DATABASE IF EXISTS ");
    db_quote_identifier(engine, &sql, scratch->name);
    if (db_execute(scratch->admin, sql.data, NULL, 0, NULL, err) < 0)
        return error_prefix(err, "the scratch database %s is left behind", scratch->name);
    scratch->made = false;
    return 0;
}

/* ---- those of a process that was killed ---- */

/* Names a session holds as long as it lives; PostgreSQL's count within one database, so there a
 * scratch database says beside which it was made. `?` is the name. */
static const char *lock_sql(enum db_engine engine)
{
    return engine == DB_POSTGRES
               ? "SELECT CASE WHEN pg_try_advisory_lock(hashtext('kedge verify'), "
                 "hashtext(?)) THEN 1 ELSE 0 END"
               : "SELECT GET_LOCK(?, 0)";
}

static int take_name(struct scratch *scratch, const char *name, struct error *err)
{
    const struct db_value parameter = db_text(name);
    int64_t taken = 0;
    if (db_query_integer(scratch->admin, lock_sql(scratch->beside->engine), &parameter, 1, &taken,
                         err) < 0)
        return -1;
    return taken == 1;
}

/* Whoever made one and lives holds its name. What cannot be dropped stays: it is not why we came.
 */
static void drop_leftovers(struct scratch *scratch)
{
    struct error ignored = ERROR_INIT;
    SCOPED(text_list) struct text_list names = TEXT_LIST_INIT;
    enum db_engine engine = scratch->beside->engine;
    const char *question =
        engine == DB_POSTGRES
            ? "SELECT datname FROM pg_database WHERE datname ~ '^kedge_verify_[0-9a-z]{26}$' AND "
              "shobj_description(oid, 'pg_database') = current_database()"
            : "SELECT schema_name FROM information_schema.schemata WHERE schema_name REGEXP "
              "'^kedge_verify_[0-9a-z]{26}$'";
    if (db_query_list(scratch->admin, question, NULL, 0, &names, &ignored) < 0)
        return;
    for (size_t i = 0; i < names.count; i++) {
        SCOPED(buf) struct buf sql = BUF_INIT;
        buf_append_text(&sql, "DROP DATABASE IF EXISTS ");
        db_quote_identifier(engine, &sql, names.items[i]);
        /* Its server may still be at the statement of the one that was killed. */
        buf_append_text(&sql, engine == DB_POSTGRES ? " WITH (FORCE)" : "");
        if (take_name(scratch, names.items[i], &ignored) > 0)
            db_execute(scratch->admin, sql.data, NULL, 0, NULL, &ignored);
        error_clear(&ignored);
    }
}

static int connect_scratch(struct scratch *scratch, struct error *err)
{
    SCOPED(db_url) struct db_url url = DB_URL_INIT;
    if (db_url_copy(scratch->beside, &url) < 0)
        return -1;
    free(url.database);
    url.database = mem_string(scratch->name);
    return open_db(scratch, &url, url.engine == DB_SQLITE, &scratch->db, err);
}

/* ---- files ---- */

static int make_file(struct scratch *scratch, struct error *err)
{
    const char *folder = getenv("TMPDIR");
    scratch->name = mem_format("%s/kedge_verify_XXXXXX", folder && *folder ? folder : "/tmp");
    int file = mkstemp(scratch->name);
    if (file < 0)
        return error_set_errno(err, ERROR_FAILED, errno, "make a scratch file %s", scratch->name);
    close(file);
    scratch->made = true;
    return 0;
}

static void remove_files(struct scratch *scratch)
{
    static const char *const endings[] = {"", "-journal", "-wal", "-shm", "-migrate"};
    for (size_t i = 0; scratch->made && i < ARRAY_SIZE(endings); i++) {
        SCOPED(string) char *path = mem_format("%s%s", scratch->name, endings[i]);
        unlink(path);
    }
    scratch->made = false;
}

/* ---- one that was named ---- */

/* Statements that take away whatever migrations have made. */
static const char postgres_emptying[] =
    "SELECT format('DROP SCHEMA %I CASCADE', nspname) FROM pg_namespace WHERE nspname NOT IN "
    "('public', 'information_schema') AND nspname !~ '^pg_' "
    "UNION ALL SELECT format('DROP EXTENSION IF EXISTS %I CASCADE', extname) FROM pg_extension "
    "WHERE extname <> 'plpgsql' "
    "UNION ALL SELECT format('DROP %s IF EXISTS %s CASCADE', CASE relkind WHEN 'v' THEN 'VIEW' "
    "WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'S' THEN 'SEQUENCE' WHEN 'f' THEN 'FOREIGN TABLE' WHEN "
    "'c' THEN 'TYPE' ELSE 'TABLE' END, oid::regclass) FROM pg_class WHERE relnamespace = "
    "'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'm', 'S', 'f', 'c') "
    "UNION ALL SELECT format('DROP ROUTINE IF EXISTS %s CASCADE', oid::regprocedure) FROM pg_proc "
    "WHERE pronamespace = 'public'::regnamespace "
    "UNION ALL SELECT format('DROP TYPE IF EXISTS %s CASCADE', oid::regtype) FROM pg_type WHERE "
    "typnamespace = 'public'::regnamespace AND typtype IN ('e', 'd', 'r')";

static const char mysql_emptying[] =
    "SELECT 'SET foreign_key_checks = 0' "
    "UNION ALL SELECT CONCAT('DROP ', IF(table_type = 'VIEW', 'VIEW', 'TABLE'), ' IF EXISTS `', "
    "REPLACE(table_name, '`', '``'), '`') FROM information_schema.tables WHERE table_schema = "
    "DATABASE() "
    "UNION ALL SELECT CONCAT('DROP ', routine_type, ' `', REPLACE(routine_name, '`', '``'), '`') "
    "FROM information_schema.routines WHERE routine_schema = DATABASE() "
    "UNION ALL SELECT CONCAT('DROP EVENT `', REPLACE(event_name, '`', '``'), '`') FROM "
    "information_schema.events WHERE event_schema = DATABASE()";

static int empty_named(struct scratch *scratch, struct error *err)
{
    SCOPED(text_list) struct text_list statements = TEXT_LIST_INIT;
    bool postgres = scratch->named->engine == DB_POSTGRES;
    if (db_query_list(scratch->db, postgres ? postgres_emptying : mysql_emptying, NULL, 0,
                      &statements, err) < 0)
        return -1;
    for (size_t i = 0; i < statements.count; i++) {
        const char *sql = statements.items[i];
        /* What went with another is not there any more. */
        struct error gone = ERROR_INIT;
        if (db_execute(scratch->db, sql, NULL, 0, NULL, &gone) < 0 &&
            !strstr(gone.message, "does not exist"))
            return *err = gone, error_prefix(err, "empty the scratch database");
    }
    return 0;
}

static int use_named(struct scratch *scratch, struct error *err)
{
    SCOPED(schema) struct schema schema = SCHEMA_INIT;
    scratch->name = mem_string(scratch->named->database);
    if (scratch->named->engine != scratch->beside->engine)
        return error_set(err, ERROR_USAGE, "--scratch-url is for another kind of database");
    if (open_db(scratch, scratch->named, false, &scratch->db, err) < 0 ||
        schema_read(scratch->db, "plpgsql", &schema, err) < 0)
        return -1;
    if (!schema.count)
        return 0;
    db_close(STEAL(scratch->db));
    error_set(err, ERROR_USAGE, "the scratch database %s is not empty: it has %s", scratch->name,
              schema.items[0].name);
    return error_hint(err, "everything in it would be dropped; name an empty one");
}

/* ---- the interface ---- */

static int make(struct scratch *scratch, struct error *err)
{
    struct ulid id;
    if (scratch->beside->engine == DB_SQLITE)
        return make_file(scratch, err) < 0 ? -1 : connect_scratch(scratch, err);
    if (scratch->named)
        return use_named(scratch, err);
    if (ulid_make(scratch->os, &id, err) < 0)
        return -1;
    scratch->name = mem_format("kedge_verify_%s", id.text);
    text_lower_all(scratch->name);
    if (open_db(scratch, scratch->beside, false, &scratch->admin, err) < 0 ||
        take_name(scratch, scratch->name, err) < 0)
        return -1;
    drop_leftovers(scratch);
    if (create_database(scratch, err) < 0)
        return -1;
    return connect_scratch(scratch, err);
}

int scratch_open(struct os *os, const struct db_url *beside, const struct db_url *named,
                 struct scratch **ret_scratch, struct error *err)
{
    struct error ignored = ERROR_INIT;
    struct scratch *scratch = MEM_NEW(struct scratch);
    scratch->os = os;
    scratch->beside = beside;
    scratch->named = named;
    if (make(scratch, err) == 0) {
        *ret_scratch = scratch;
        return 0;
    }
    scratch_close(scratch, &ignored);
    return -1;
}

struct db *scratch_db(struct scratch *scratch)
{
    return scratch->db;
}

int scratch_empty(struct scratch *scratch, struct error *err)
{
    if (scratch->named && scratch->beside->engine != DB_SQLITE)
        return empty_named(scratch, err);
    db_close(STEAL(scratch->db));
    if (scratch->beside->engine == DB_SQLITE) {
        remove_files(scratch);
        free(STEAL(scratch->name));
        return make_file(scratch, err) < 0 ? -1 : connect_scratch(scratch, err);
    }
    if (drop_database(scratch, err) < 0 || create_database(scratch, err) < 0)
        return -1;
    return connect_scratch(scratch, err);
}

static int take_away(struct scratch *scratch, struct error *err)
{
    if (scratch->beside->engine == DB_SQLITE) {
        db_close(STEAL(scratch->db));
        remove_files(scratch);
        return 0;
    }
    if (scratch->named)
        return scratch->db ? empty_named(scratch, err) : 0;
    db_close(STEAL(scratch->db));
    return drop_database(scratch, err);
}

int scratch_close(struct scratch *scratch, struct error *err)
{
    if (!scratch)
        return 0;
    bool stopped = stop_requested();
    stop_clear();
    int result = take_away(scratch, err);
    if (stopped)
        stop_request();
    db_close(scratch->db);
    db_close(scratch->admin);
    free(scratch->name);
    free(scratch);
    return result;
}
