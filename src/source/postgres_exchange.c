#include "source/postgres_exchange.h"

#include "base/buf.h"
#include "base/error.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/stop.h"
#include "base/text.h"
#include "db/pq.h"

#include <stdlib.h>
#include <string.h>

/* Of an exchange that came into a deadlock. */
#define TRIES 6
#define DEADLOCK "40P01"

/* Run each statement that a query returns in its only column. */
static int run_each(struct pq *pq, const struct pq_result *statements, size_t column,
                    struct error *err)
{
    for (size_t i = 0; i < pq_rows(statements); i++)
        if (pq_value(statements, i, column) &&
            pq_exec(pq, pq_value(statements, i, column), NULL, err) < 0)
            return -1;
    return 0;
}

static int query_for(struct pq *pq, const char *sql, const char *table,
                     struct pq_result **ret_result, struct error *err)
{
    struct pq_parameter parameter = {.data = table, .size = strlen(table)};
    return pq_exec_parameters(pq, sql, &parameter, 1, false, ret_result, err);
}

/* "{\"a\".\"b\",...}" for a parameter of type regclass[]. */
static char *live_names(const struct postgres_exchange *tables, size_t count)
{
    struct buf list = BUF_INIT;
    buf_append_char(&list, '{');
    for (size_t i = 0; i < count; i++) {
        buf_append_text(&list, i ? ",\"" : "\"");
        for (const char *c = tables[i].live; *c; c++) {
            if (*c == '"' || *c == '\\')
                buf_append_char(&list, '\\');
            buf_append_char(&list, *c);
        }
        buf_append_char(&list, '"');
    }
    buf_append_char(&list, '}');
    return buf_steal(&list);
}

/* ---- what would mind ---- */

/* A key that refers to a partitioned table stands at each of its partitions too, where it cannot be
 * dropped: the one at the top can.
 *
 * Columns: drop, make again, its comment, and the deletion of rows elsewhere that dangle. */
static const char KEYS_SQL[] =
    "WITH RECURSIVE touched AS (SELECT oid, conparentid FROM pg_constraint WHERE contype = 'f' "
    "  AND (confrelid = ANY ($1::regclass[]) "
    "    OR (conrelid = ANY ($1::regclass[]) AND conparentid = 0)) "
    "  UNION SELECT p.oid, p.conparentid FROM touched t "
    "    JOIN pg_constraint p ON p.oid = t.conparentid) "
    "SELECT format('ALTER TABLE %s DROP CONSTRAINT %I', c.conrelid::regclass, c.conname), "
    "format('ALTER TABLE %s ADD CONSTRAINT %I %s', c.conrelid::regclass, c.conname, "
    "  pg_get_constraintdef(c.oid)), "
    "CASE WHEN obj_description(c.oid, 'pg_constraint') IS NOT NULL THEN "
    "  format('COMMENT ON CONSTRAINT %I ON %s IS %L', c.conname, c.conrelid::regclass, "
    "  obj_description(c.oid, 'pg_constraint')) END, "
    "CASE WHEN NOT c.conrelid = ANY ($1::regclass[]) THEN "
    "  format('DELETE FROM %s AS r WHERE %s AND NOT EXISTS (SELECT FROM %s AS t WHERE %s)', "
    "  c.conrelid::regclass, "
    "  (SELECT string_agg(format('r.%I IS NOT NULL', a.attname), ' AND ') FROM pg_attribute a "
    "    WHERE a.attrelid = c.conrelid AND a.attnum = ANY (c.conkey)), "
    "  c.confrelid::regclass, "
    "  (SELECT string_agg(format('r.%I = t.%I', a.attname, b.attname), ' AND ') "
    "    FROM unnest(c.conkey, c.confkey) AS k (here, there) "
    "    JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.here "
    "    JOIN pg_attribute b ON b.attrelid = c.confrelid AND b.attnum = k.there)) END "
    "FROM pg_constraint c WHERE c.oid IN (SELECT oid FROM touched WHERE conparentid = 0) "
    "ORDER BY c.oid";

/* Columns: switch off, switch back to what it was. */
static const char WATCHERS_SQL[] =
    "SELECT format('ALTER TABLE %s DISABLE TRIGGER %I', tgrelid::regclass, tgname), "
    "format('ALTER TABLE %s ENABLE %sTRIGGER %I', tgrelid::regclass, "
    "  CASE tgenabled WHEN 'A' THEN 'ALWAYS ' WHEN 'R' THEN 'REPLICA ' ELSE '' END, tgname) "
    "FROM pg_trigger WHERE tgrelid = ANY ($1::regclass[]) AND NOT tgisinternal "
    "AND tgenabled <> 'D' AND tgparentid = 0 "
    "UNION ALL SELECT format('ALTER TABLE %s DISABLE RULE %I', ev_class::regclass, rulename), "
    "format('ALTER TABLE %s ENABLE %sRULE %I', ev_class::regclass, "
    "  CASE ev_enabled WHEN 'A' THEN 'ALWAYS ' WHEN 'R' THEN 'REPLICA ' ELSE '' END, rulename) "
    "FROM pg_rewrite WHERE ev_class = ANY ($1::regclass[]) AND ev_enabled <> 'D'";

/* Before version 13 a partition's copy of its parent's trigger was not told apart. */
static int list_watchers(struct pq *pq, const char *names, struct pq_result **ret_watchers,
                         struct error *err)
{
    if (pq_server_version(pq) >= 130000)
        return query_for(pq, WATCHERS_SQL, names, ret_watchers, err);
    SCOPED(string) char *sql = mem_string(WATCHERS_SQL);
    char *clause = strstr(sql, "AND tgparentid = 0");
    memset(clause, ' ', strlen("AND tgparentid = 0"));
    return query_for(pq, sql, names, ret_watchers, err);
}

/* ---- the rows ---- */

static int shared_columns(struct pq *pq, const struct postgres_exchange *table, char **ret_columns,
                          struct error *err)
{
    const struct pq_parameter parameters[] = {
        {.data = table->live, .size = strlen(table->live)},
        {.data = table->from, .size = strlen(table->from)},
    };
    SCOPED(string)
    char *sql = mem_format(
        "SELECT coalesce(string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum), '') "
        "FROM pg_attribute a WHERE a.attrelid = $1::regclass AND a.attnum > 0 "
        "AND NOT a.attisdropped %s AND EXISTS (SELECT FROM pg_attribute b "
        "WHERE b.attrelid = $2::regclass AND b.attname = a.attname AND NOT b.attisdropped)",
        pq_server_version(pq) >= 120000 ? "AND a.attgenerated = ''" : "");
    SCOPED(pq_result) struct pq_result *row = NULL;
    if (pq_exec_parameters(pq, sql, parameters, 2, false, &row, err) < 0)
        return -1;
    *ret_columns = mem_string(pq_value(row, 0, 0));
    return 0;
}

static int exchange_one(struct pq *pq, const struct postgres_exchange *table, struct error *err)
{
    SCOPED(string) char *columns = NULL;
    if (shared_columns(pq, table, &columns, err) < 0)
        return -1;
    if (table->keep &&
        (pq_exec_format(pq, err, "CREATE TABLE %s (LIKE %s)", table->keep, table->live) < 0 ||
         pq_exec_format(pq, err, "INSERT INTO %s SELECT * FROM ONLY %s", table->keep, table->live) <
             0))
        return -1;
    if (pq_exec_format(pq, err, "DELETE FROM ONLY %s", table->live) < 0)
        return -1;
    if (!*columns)
        return pq_exec_format(pq, err, "INSERT INTO %s SELECT FROM %s", table->live, table->from);
    return pq_exec_format(pq, err, "INSERT INTO %s (%s) OVERRIDING SYSTEM VALUE SELECT %s FROM %s",
                          table->live, columns, columns, table->from);
}

static int lock_tables(struct pq *pq, const struct postgres_exchange *tables, size_t count,
                       struct error *err)
{
    for (size_t i = 0; i < count; i++)
        if (pq_exec_format(pq, err, "LOCK TABLE ONLY %s IN ACCESS EXCLUSIVE MODE", tables[i].live) <
            0)
            return error_prefix(err, "lock table %s", tables[i].live);
    return 0;
}

static int exchange_all(struct pq *pq, const struct postgres_exchange *tables, size_t count,
                        struct error *err)
{
    for (size_t i = 0; i < count; i++)
        if (exchange_one(pq, &tables[i], err) < 0)
            return error_prefix(err, "table %s", tables[i].live);
    return 0;
}

static int remake_keys(struct pq *pq, const struct pq_result *keys, bool cascade, struct error *err)
{
    if (cascade && run_each(pq, keys, 3, err) < 0)
        return error_prefix(err, "delete rows that refer to what is gone");
    if (run_each(pq, keys, 1, err) < 0) {
        if (!cascade && strcmp(pq_fault(pq)->state, "23503") == 0)
            error_hint(err, "restore that table too, or give --cascade to delete such rows");
        return -1;
    }
    return run_each(pq, keys, 2, err);
}

static int exchange_once(struct pq *pq, const struct postgres_exchange *tables, size_t count,
                         bool cascade, struct error *err)
{
    SCOPED(string) char *names = live_names(tables, count);
    SCOPED(pq_result) struct pq_result *keys = NULL;
    SCOPED(pq_result) struct pq_result *watchers = NULL;
    if (lock_tables(pq, tables, count, err) < 0 || query_for(pq, KEYS_SQL, names, &keys, err) < 0 ||
        list_watchers(pq, names, &watchers, err) < 0)
        return -1;
    if (run_each(pq, keys, 0, err) < 0 || run_each(pq, watchers, 0, err) < 0 ||
        exchange_all(pq, tables, count, err) < 0 || remake_keys(pq, keys, cascade, err) < 0)
        return -1;
    return run_each(pq, watchers, 1, err);
}

/* Of two sessions that wait for each other the server ends one's statement, and with it this
 * transaction but for what came before the savepoint, the loaded rows. Going back to it lets go of
 * all locks since: so the other one has what it waits for before we ask again. */
int postgres_exchange_rows(struct pq *pq, const struct postgres_exchange *tables, size_t count,
                           bool cascade, struct error *err)
{
    for (int tries = 1;; tries++) {
        if (pq_exec(pq, "SAVEPOINT kedge_exchange", NULL, err) < 0)
            return -1;
        if (exchange_once(pq, tables, count, cascade, err) == 0)
            return pq_exec(pq, "RELEASE SAVEPOINT kedge_exchange", NULL, err);
        if (tries == TRIES || strcmp(pq_fault(pq)->state, DEADLOCK) != 0)
            return -1;
        log_info("again, after a deadlock: %s", err->message);
        error_clear(err);
        if (stop_check(err) < 0 ||
            pq_exec(pq, "ROLLBACK TO SAVEPOINT kedge_exchange", NULL, err) < 0)
            return -1;
    }
}

int postgres_advance_sequences(struct pq *pq, const char *table, struct error *err)
{
    SCOPED(pq_result) struct pq_result *statements = NULL;
    if (query_for(pq,
                  "SELECT format('SELECT setval(%L, m) FROM (SELECT max(%I)::bigint AS m FROM ONLY "
                  "%s) x, %s s WHERE m > s.last_value', s.oid::regclass, a.attname, "
                  "d.refobjid::regclass, s.oid::regclass) "
                  "FROM pg_depend d JOIN pg_class s ON s.oid = d.objid AND s.relkind = 'S' "
                  "JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid "
                  "WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass "
                  "AND d.refobjid = $1::regclass AND d.deptype IN ('a', 'i') "
                  "AND a.atttypid IN ('int2'::regtype, 'int4'::regtype, 'int8'::regtype)",
                  table, &statements, err) < 0)
        return -1;
    return run_each(pq, statements, 0, err);
}
