#include "source/postgres_carry.h"

#include "base/buf.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/os.h"
#include "base/text.h"
#include "db/pq.h"
#include "source/postgres_ddl.h"
#include "source/postgres_hush.h"
#include "source/postgres_own.h"
#include "source/postgres_session.h"

#include <inttypes.h>
#include <string.h>

/* Another kedge's transaction on its tables is a matter of milliseconds. */
#define LOCK_TIMEOUT_MS 10000
/* The server gives up a renaming after five seconds. */
#define LOOKS 400
#define LOOK_MS 10
/* Within a transaction the list of sessions would stay as it was seen first. */
#define LOOK_ANEW "SELECT pg_stat_clear_snapshot(); "

/* Name, columns, types; those that others refer to come first. */
static const char TABLES_SQL[] =
    "WITH RECURSIVE own AS (SELECT c.oid, c.relname FROM pg_class c "
    "  JOIN pg_namespace n ON n.oid = c.relnamespace "
    "  WHERE n.nspname = '" POSTGRES_OWN_SCHEMA "' AND c.relkind = 'r'), "
    "deep AS (SELECT oid, 0 AS depth FROM own UNION SELECT k.conrelid, d.depth + 1 FROM deep d "
    "  JOIN pg_constraint k ON k.confrelid = d.oid AND k.contype = 'f' "
    "  AND k.conrelid <> k.confrelid JOIN own o ON o.oid = k.conrelid WHERE d.depth < 32) "
    "SELECT format('%I.%I', '" POSTGRES_OWN_SCHEMA "', own.relname), columns.names, columns.types "
    "FROM own, LATERAL (SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) AS names, "
    "  string_agg(format_type(atttypid, atttypmod), ', ' ORDER BY attnum) AS types "
    "  FROM pg_attribute WHERE attrelid = own.oid AND attnum > 0 AND NOT attisdropped) columns "
    "ORDER BY (SELECT max(depth) FROM deep WHERE deep.oid = own.oid), own.relname COLLATE \"C\"";

static int list_tables(struct pq *pq, struct pq_result **ret_tables, struct error *err)
{
    return pq_exec(pq, TABLES_SQL, ret_tables, err);
}

static bool same_tables(const struct pq_result *a, const struct pq_result *b)
{
    if (pq_rows(a) != pq_rows(b))
        return false;
    for (size_t row = 0; row < pq_rows(a); row++)
        for (size_t column = 0; column < pq_columns(a); column++)
            if (!text_equal(pq_value(a, row, column), pq_value(b, row, column)))
                return false;
    return true;
}

static int connect_to(const struct postgres_carry *carry, const char *database, struct pq **ret_pq,
                      struct error *err)
{
    return postgres_connect(carry->os, carry->url, database, LOCK_TIMEOUT_MS, ret_pq, err);
}

/* ---- the definitions ---- */

/* Older ones, of an artifact that still held them or from before an update of kedge. */
static int drop_ours(struct pq *to, struct error *err)
{
    SCOPED(text_list) struct text_list views = TEXT_LIST_INIT;
    if (postgres_own_unreferenced(to, err) < 0 || postgres_own_views(to, &views, err) < 0)
        return -1;
    for (size_t i = 0; i < views.count; i++) {
        SCOPED(buf) struct buf sql = BUF_INIT;
        buf_append_text(&sql, "DROP VIEW public.");
        pq_quote_identifier(&sql, views.items[i]);
        if (pq_exec(to, sql.data, NULL, err) < 0)
            return -1;
    }
    return pq_exec(to, "DROP SCHEMA " POSTGRES_OWN_SCHEMA " CASCADE", NULL, err);
}

/* Each row is a statement; first the view, then who owns it and who else may what. */
static const char VIEW_SQL[] =
    "SELECT statement FROM (SELECT 1 AS place, format('CREATE VIEW public.%I AS %s', relname, "
    "  rtrim(pg_get_viewdef(oid), ';')) AS statement FROM pg_class WHERE oid = $1::regclass "
    "UNION ALL SELECT 2, format('ALTER VIEW public.%I OWNER TO %I', relname, "
    "  pg_get_userbyid(relowner)) FROM pg_class WHERE oid = $1::regclass "
    "UNION ALL SELECT 3, format('GRANT %s ON public.%I TO %s%s', a.privilege_type, relname, "
    "  CASE WHEN a.grantee = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END, "
    "  CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END) "
    "  FROM pg_class, aclexplode(relacl) a WHERE oid = $1::regclass AND a.grantee <> relowner) s "
    "ORDER BY place, statement";

/* A name that the restored database has for something of its own stays with that. */
static int make_view(struct pq *from, struct pq *to, const char *name, struct error *err)
{
    SCOPED(buf) struct buf quoted = BUF_INIT;
    buf_append_text(&quoted, "public.");
    pq_quote_identifier(&quoted, name);
    struct pq_parameter parameter = {.data = quoted.data, .size = quoted.length};
    SCOPED(pq_result) struct pq_result *room = NULL;
    SCOPED(pq_result) struct pq_result *statements = NULL;
    if (pq_exec_parameters(to,
                           "SELECT WHERE to_regclass($1) IS NULL "
                           "AND to_regnamespace('public') IS NOT NULL",
                           &parameter, 1, false, &room, err) < 0 ||
        pq_exec_parameters(from, VIEW_SQL, &parameter, 1, false, &statements, err) < 0)
        return -1;
    for (size_t i = 0; pq_rows(room) && i < pq_rows(statements); i++)
        if (pq_exec(to, pq_value(statements, i, 0), NULL, err) < 0)
            return -1;
    return 0;
}

static int make_views(struct pq *from, struct pq *to, struct error *err)
{
    SCOPED(text_list) struct text_list views = TEXT_LIST_INIT;
    if (postgres_own_views(from, &views, err) < 0)
        return -1;
    for (size_t i = 0; i < views.count; i++)
        if (make_view(from, to, views.items[i], err) < 0)
            return -1;
    return 0;
}

/* The settings that a script ends with are its own affair: `to` is a session for nothing else. */
static int make_ours(const struct postgres_carry *carry, struct pq *from, struct pq *to,
                     struct error *err)
{
    SCOPED(pq) struct pq *reader = NULL;
    SCOPED(string) char *snapshot = NULL;
    struct postgres_ddl ddl = POSTGRES_DDL_INIT;
    if (connect_to(carry, carry->from, &reader, err) < 0 ||
        postgres_export_snapshot(reader, &snapshot, err) < 0)
        return -1;
    int result = postgres_ddl_read_own(carry->os, reader, snapshot, &ddl, err);
    if (result < 0)
        postgres_blame_holder(reader, "the snapshot", err);
    if (result == 0)
        result = pq_exec(to, ddl.pre.data, NULL, err);
    if (result == 0)
        result = pq_exec(to, ddl.post.data, NULL, err);
    postgres_ddl_clear(&ddl);
    return result < 0 ? -1 : make_views(from, to, err);
}

static int define(const struct postgres_carry *carry, struct pq *from,
                  const struct pq_result *tables, struct error *err)
{
    SCOPED(pq) struct pq *to = NULL;
    SCOPED(pq_result) struct pq_result *there = NULL;
    SCOPED(pq_result) struct pq_result *events = NULL;
    if (connect_to(carry, carry->to, &to, err) < 0 || list_tables(to, &there, err) < 0)
        return -1;
    if (same_tables(tables, there))
        return 0;
    int present = postgres_own_present(to, err);
    if (present < 0 || pq_exec(to, "BEGIN", NULL, err) < 0 || postgres_hush(to, &events, err) < 0 ||
        (present && drop_ours(to, err) < 0) || make_ours(carry, from, to, err) < 0 ||
        postgres_unhush(to, events, err) < 0)
        return -1;
    return pq_exec(to, "COMMIT", NULL, err);
}

int postgres_carry_define(const struct postgres_carry *carry, struct error *err)
{
    SCOPED(pq) struct pq *from = NULL;
    SCOPED(pq_result) struct pq_result *tables = NULL;
    int present =
        connect_to(carry, carry->from, &from, err) < 0 ? -1 : postgres_own_present(from, err);
    if (present > 0 &&
        (list_tables(from, &tables, err) < 0 || define(carry, from, tables, err) < 0))
        present = -1;
    return present < 0 ? error_prefix(err, "carry kedge's own tables") : 0;
}

/* ---- the rows ---- */

static void append_names(struct buf *sql, const struct pq_result *tables)
{
    for (size_t i = 0; i < pq_rows(tables); i++)
        buf_append_format(sql, "%s%s", i ? ", " : "", pq_value(tables, i, 0));
}

static int copy_table(struct pq *from, struct pq *to, const char *name, const char *columns,
                      struct error *err)
{
    SCOPED(string) char *out = mem_format("COPY %s (%s) TO STDOUT", name, columns);
    SCOPED(string) char *in = mem_format("COPY %s (%s) FROM STDIN", name, columns);
    if (pq_copy_out_begin(from, out, err) < 0 || pq_copy_in_begin(to, in, err) < 0)
        return -1;
    const char *row = NULL;
    size_t size = 0;
    int more;
    while ((more = pq_copy_out_row(from, &row, &size, err)) > 0)
        if (pq_copy_in_write(to, row, size, err) < 0)
            return -1;
    uint64_t rows = 0;
    return more < 0 ? -1 : pq_copy_in_end(to, &rows, err);
}

static int copy_sequences(struct pq *from, struct pq *to, struct error *err)
{
    SCOPED(pq_result) struct pq_result *rows = NULL;
    if (pq_exec(from,
                "SELECT format('SELECT pg_catalog.setval(%L, %s)', format('%I.%I', schemaname, "
                "sequencename), last_value) FROM pg_sequences WHERE schemaname = "
                "'" POSTGRES_OWN_SCHEMA "' AND last_value IS NOT NULL",
                &rows, err) < 0)
        return -1;
    for (size_t i = 0; i < pq_rows(rows); i++)
        if (pq_exec(to, pq_value(rows, i, 0), NULL, err) < 0)
            return -1;
    return 0;
}

static int copy_rows(const struct postgres_carry *carry, const struct pq_result *tables,
                     struct error *err)
{
    SCOPED(pq) struct pq *to = NULL;
    SCOPED(buf) struct buf empty = BUF_INIT;
    buf_append_text(&empty, "TRUNCATE ");
    append_names(&empty, tables);
    if (connect_to(carry, carry->to, &to, err) < 0 || pq_exec(to, "BEGIN", NULL, err) < 0 ||
        pq_exec(to, empty.data, NULL, err) < 0)
        return -1;
    for (size_t i = 0; i < pq_rows(tables); i++)
        if (copy_table(carry->session, to, pq_value(tables, i, 0), pq_value(tables, i, 1), err) < 0)
            return -1;
    if (copy_sequences(carry->session, to, err) < 0)
        return -1;
    return pq_exec(to, "COMMIT", NULL, err);
}

static int lock_and_copy(const struct postgres_carry *carry, struct error *err)
{
    SCOPED(pq_result) struct pq_result *tables = NULL;
    SCOPED(buf) struct buf lock = BUF_INIT;
    if (list_tables(carry->session, &tables, err) < 0)
        return -1;
    buf_append_text(&lock, "BEGIN; LOCK TABLE ");
    append_names(&lock, tables);
    buf_append_text(&lock, " IN EXCLUSIVE MODE");
    if (pq_exec(carry->session, lock.data, NULL, err) < 0 ||
        define(carry, carry->session, tables, err) < 0)
        return -1;
    return copy_rows(carry, tables, err);
}

int postgres_carry_begin(struct postgres_carry *carry, struct error *err)
{
    postgres_carry_end(carry);
    int present = connect_to(carry, carry->from, &carry->session, err) < 0
                      ? -1
                      : postgres_own_present(carry->session, err);
    if (present > 0 && lock_and_copy(carry, err) < 0)
        present = -1;
    if (present <= 0)
        postgres_carry_end(carry);
    return present < 0 ? error_prefix(err, "carry kedge's own tables") : 0;
}

/* ---- the way out ---- */

/* 1 the database is locked by who renames it, 0 not in time or not at all, -1. */
static int await_renamer(const struct postgres_carry *carry, int renamer, struct error *err)
{
    SCOPED(string)
    char *sql =
        mem_format(LOOK_ANEW "SELECT CASE WHEN EXISTS (SELECT FROM pg_locks WHERE pid = %d "
                             "AND locktype = 'object' AND classid = 'pg_database'::regclass "
                             "AND objid = (SELECT oid FROM pg_database "
                             "WHERE datname = current_database()) "
                             "AND mode = 'AccessExclusiveLock' AND granted) THEN 1 "
                             "WHEN EXISTS (SELECT FROM pg_stat_activity WHERE pid = %d "
                             "AND state = 'idle in transaction (aborted)') THEN 2 ELSE 0 END",
                   renamer, renamer);
    int64_t state = 0;
    for (int looks = 0; looks < LOOKS && state == 0; looks++) {
        if (looks)
            carry->os->sleep_ms(carry->os, LOOK_MS);
        if (pq_query_integer(carry->session, sql, &state, err) < 0)
            return -1;
    }
    return state == 1;
}

/* 1 when nobody else is there, and nobody can come any more; 0 when somebody does not go; -1. */
static int end_others(const struct postgres_carry *carry, struct error *err)
{
    for (int looks = 0; looks < LOOKS; looks++) {
        int64_t others = 0;
        if (pq_query_integer(carry->session,
                             LOOK_ANEW
                             "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
                             "WHERE datname = current_database() AND pid <> pg_backend_pid() "
                             "AND backend_type <> 'autovacuum worker'",
                             &others, err) < 0)
            return -1;
        if (!others)
            return 1;
        carry->os->sleep_ms(carry->os, LOOK_MS);
    }
    return 0;
}

int postgres_carry_leave(struct postgres_carry *carry, int renamer, struct error *err)
{
    /* From here on it is quicker to finish. */
    pq_ignore_stop(carry->session);
    int result = await_renamer(carry, renamer, err);
    if (result > 0)
        result = end_others(carry, err);
    postgres_carry_end(carry);
    return result;
}

void postgres_carry_end(struct postgres_carry *carry)
{
    pq_close(carry->session);
    carry->session = NULL;
}
