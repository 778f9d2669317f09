#include "source/postgres_change.h"

#include "base/buf.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/text.h"
#include "db/pq.h"
#include "source/postgres_catalog.h"

#include <string.h>

/* ---- which rows, and what of them ---- */

#define TEMPORARY_SCHEMA "(SELECT oid FROM pg_namespace WHERE nspname ~ '^pg_(toast_)?temp_')"

/* Tables that come and go, and what is left of an index that was never finished: pg_dump does not
 * show them either. */
#define PASSING                                                                                    \
    "(SELECT oid FROM pg_class WHERE relpersistence = 't' OR relkind = 't' OR relnamespace IN "    \
    "  (SELECT oid FROM pg_namespace WHERE nspname ~ '^(pg_toast|" POSTGRES_KEPT_SCHEMA "$)') "    \
    "UNION ALL SELECT i.indexrelid FROM pg_index i JOIN pg_class t ON t.oid = i.indrelid "         \
    "  WHERE t.relkind <> 'p' AND NOT (i.indisvalid AND i.indisready))"

/* Relations whose row type is the type of a column, or that are nothing but a type: how a value of
 * it is written depends on its columns. Those of tables are locked. */
#define ROW_TYPES                                                                                  \
    "(SELECT c.oid FROM pg_class c JOIN pg_type t ON t.oid = c.reltype WHERE c.relkind = 'c' "     \
    "  OR (c.relkind IN ('v', 'm', 'f') AND (EXISTS (SELECT FROM pg_attribute a "                  \
    "  WHERE a.atttypid IN (t.oid, t.typarray)) OR EXISTS (SELECT FROM pg_type d "                 \
    "  WHERE d.typbasetype IN (t.oid, t.typarray)))))"

/* Of these the server prints nothing that pg_dump shows, or pg_dump has it from the snapshot. The
 * names tell the catalogue. */
#define IGNORED                                                                                    \
    "'{relacl,relowner,relpages,reltuples,relallvisible,relallfrozen,relfrozenxid,relminmxid,"     \
    "relhasindex,relhasrules,relhastriggers,relhassubclass,relchecks,relrowsecurity,"              \
    "relforcerowsecurity,relreplident,relispopulated,relfilenode,reltoastrelid,relrewrite,"        \
    "attacl,attstattarget,attoptions,attstorage,attcompression,attnotnull,atthasdef,attislocal,"   \
    "attinhcount,attcacheoff,attidentity,attfdwoptions,"                                           \
    "proacl,proowner,prosrc,probin,procost,prorows,proconfig,prosupport,prosecdef,proleakproof,"   \
    "proisstrict,provolatile,proparallel,"                                                         \
    "typacl,typowner,typdefault,typdefaultbin,typnotnull,typanalyze,"                              \
    "indisvalid,indisready,indislive,indcheckxmin,indisclustered,indisreplident,"                  \
    "nspacl,nspowner,lanacl,lanowner,oprowner,opcowner,opfowner,collowner,collversion,conowner,"   \
    "stxowner,stxstattarget,cfgowner,dictowner,tgenabled,partdefid}'::text[]"

/* Trees of expressions tell where in a statement they stood. */
#define CONTENT_OF_ROW                                                                             \
    "regexp_replace((to_jsonb(t) - " IGNORED ")::text, ':(stmt_)?location -?[0-9]+', '', 'g')"

struct catalogue {
    const char *name;
    const char *key; /* digits and spaces that tell a row from the others */
    const char *what;
    const char *filter;
    const char *rows; /* as `filter`, for CHANGE_ROWS; NULL: none of it */
};

static const struct catalogue catalogues[] = {
    {"pg_aggregate", "aggfnoid::oid", "'an aggregate'", "true", NULL},
    {"pg_am", "oid", "'access method ' || amname", "true", NULL},
    {"pg_amop", "oid", "'an operator family'", "true", NULL},
    {"pg_amproc", "oid", "'an operator family'", "true", NULL},
    {"pg_attribute", "concat_ws(' ', attrelid, attnum)", "'column ' || attname",
     "attrelid NOT IN " PASSING, "attrelid IN " ROW_TYPES},
    {"pg_cast", "oid", "'a cast'", "true", NULL},
    {"pg_class", "oid", "'relation ' || relname", "oid NOT IN " PASSING, "oid IN " ROW_TYPES},
    {"pg_collation", "oid", "'collation ' || collname", "true", NULL},
    {"pg_conversion", "oid", "'conversion ' || conname", "true", NULL},
    {"pg_enum", "oid", "'value ' || enumlabel", "true", "true"},
    {"pg_index", "indexrelid", "'an index'", "indexrelid NOT IN " PASSING, NULL},
    {"pg_language", "oid", "'language ' || lanname", "true", NULL},
    {"pg_namespace", "oid", "'schema ' || nspname",
     "nspname !~ '^(pg_temp_|pg_toast_|" POSTGRES_KEPT_SCHEMA "$)'", NULL},
    {"pg_opclass", "oid", "'operator class ' || opcname", "true", NULL},
    {"pg_operator", "oid", "'operator ' || oprname", "true", NULL},
    {"pg_opfamily", "oid", "'operator family ' || opfname", "true", NULL},
    {"pg_partitioned_table", "partrelid", "'a partitioned table'", "partrelid NOT IN " PASSING,
     NULL},
    {"pg_proc", "oid", "'function ' || proname", "pronamespace NOT IN " TEMPORARY_SCHEMA, NULL},
    {"pg_range", "rngtypid", "'a range type'", "true", NULL},
    {"pg_statistic_ext", "oid", "'statistics ' || stxname", "true", NULL},
    {"pg_trigger", "oid", "'trigger ' || tgname", "NOT tgisinternal AND tgrelid NOT IN " PASSING,
     NULL},
    {"pg_ts_config", "oid", "'text search configuration ' || cfgname", "true", NULL},
    {"pg_ts_config_map", "concat_ws(' ', mapcfg, maptokentype, mapseqno)",
     "'a text search configuration'", "true", NULL},
    {"pg_ts_dict", "oid", "'text search dictionary ' || dictname", "true", NULL},
    {"pg_ts_parser", "oid", "'text search parser ' || prsname", "true", NULL},
    {"pg_ts_template", "oid", "'text search template ' || tmplname", "true", NULL},
    {"pg_type", "oid", "'type ' || typname",
     "typnamespace NOT IN " TEMPORARY_SCHEMA " AND typrelid NOT IN " PASSING, NULL},
};

/* Are there values that are written as the name of something? */
static const char NAMES_SQL[] =
    "WITH named AS (SELECT oid, typarray FROM pg_type WHERE typnamespace = "
    "  'pg_catalog'::regnamespace AND typname ~ '^(reg[a-z]+|aclitem)$') "
    "SELECT (EXISTS (SELECT FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid, named "
    "  WHERE a.atttypid IN (named.oid, named.typarray) AND NOT a.attisdropped "
    "  AND c.relkind IN ('r', 'p', 'c', 'v', 'm', 'f') AND c.relnamespace NOT IN "
    "  ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)) "
    "OR EXISTS (SELECT FROM pg_type t, named WHERE t.typbasetype IN (named.oid, named.typarray)) "
    "OR EXISTS (SELECT FROM pg_range r, named WHERE r.rngsubtype = named.oid))::int";

/* ---- candidates ---- */

enum column { CATALOGUE, KEY, MADE_BY, CONTENT, ENDED_BY, WHAT };

static const char *filter_of(const struct catalogue *catalogue, enum change_scope scope)
{
    return scope == CHANGE_ROWS ? catalogue->rows : catalogue->filter;
}

/* What somebody has changed, removed or at least begun to, as the snapshot sees it. */
static int find_candidates(struct pq *snapshot, enum change_scope scope,
                           struct pq_result **ret_candidates, struct error *err)
{
    SCOPED(buf) struct buf sql = BUF_INIT;
    for (size_t i = 0; i < ARRAY_SIZE(catalogues); i++) {
        const struct catalogue *catalogue = &catalogues[i];
        if (!filter_of(catalogue, scope))
            continue;
        buf_append_format(
            &sql,
            "%s SELECT '%s' AS catalogue, (%s)::text AS key, t.xmin::text, " CONTENT_OF_ROW
            ", t.xmax::text, (%s)::text "
            "FROM %s t WHERE NOT t.xmax = '0'::xid AND (%s)",
            sql.length ? " UNION ALL" : "SELECT * FROM (", catalogue->name, catalogue->key,
            catalogue->what, catalogue->name, filter_of(catalogue, scope));
    }
    buf_append_text(&sql, ") c ORDER BY catalogue COLLATE \"C\", key COLLATE \"C\"");
    return pq_exec(snapshot, sql.data, ret_candidates, err);
}

/* From `first` on, the rows of one catalogue; returns the first of the next. */
static size_t append_current(const struct pq_result *candidates, size_t first, struct buf *sql)
{
    const char *name = pq_value(candidates, first, CATALOGUE);
    const struct catalogue *catalogue = catalogues;
    while (strcmp(catalogue->name, name) != 0)
        catalogue++;
    buf_append_format(sql,
                      "%s SELECT '%s' AS catalogue, wanted AS key, t.xmin::text, " CONTENT_OF_ROW
                      " FROM %s t JOIN unnest('{",
                      sql->length ? " UNION ALL" : "SELECT * FROM (", name, name);
    size_t row = first;
    for (; row < pq_rows(candidates) && strcmp(pq_value(candidates, row, CATALOGUE), name) == 0;
         row++)
        buf_append_format(sql, "%s\"%s\"", row > first ? "," : "", pq_value(candidates, row, KEY));
    buf_append_format(sql, "}'::text[]) wanted ON wanted = (%s)::text", catalogue->key);
    return row;
}

/* The same rows as they are now, in the same order. */
static int find_current(struct pq *now, const struct pq_result *candidates,
                        struct pq_result **ret_current, struct error *err)
{
    SCOPED(buf) struct buf sql = BUF_INIT;
    for (size_t row = 0; row < pq_rows(candidates);)
        row = append_current(candidates, row, &sql);
    buf_append_text(&sql, ") c ORDER BY catalogue COLLATE \"C\", key COLLATE \"C\"");
    return pq_exec(now, sql.data, ret_current, err);
}

/* ---- comparing ---- */

static bool is_row(const struct pq_result *candidates, size_t row, const struct pq_result *current,
                   size_t other)
{
    return other < pq_rows(current) &&
           strcmp(pq_value(candidates, row, CATALOGUE), pq_value(current, other, CATALOGUE)) == 0 &&
           strcmp(pq_value(candidates, row, KEY), pq_value(current, other, KEY)) == 0;
}

/* Unchanged (who began to change it has not committed), or changed by one transaction and in what
 * does not matter. */
static bool is_same(const struct pq_result *candidates, size_t row, const struct pq_result *current,
                    size_t other)
{
    const char *made_by = pq_value(current, other, MADE_BY);
    if (strcmp(pq_value(candidates, row, MADE_BY), made_by) == 0)
        return true;
    return strcmp(pq_value(candidates, row, ENDED_BY), made_by) == 0 &&
           strcmp(pq_value(candidates, row, CONTENT), pq_value(current, other, CONTENT)) == 0;
}

/* 1 and what is another now, or gone; 0. Both are in the same order. */
static int compare(const struct pq_result *candidates, const struct pq_result *current,
                   char **ret_what)
{
    size_t other = 0;
    for (size_t row = 0; row < pq_rows(candidates); row++) {
        if (!is_row(candidates, row, current, other) || !is_same(candidates, row, current, other)) {
            *ret_what = mem_string(pq_value(candidates, row, WHAT));
            return 1;
        }
        other++;
    }
    return 0;
}

static int find_among(struct pq *snapshot, struct pq *now, enum change_scope scope, char **ret_what,
                      struct error *err)
{
    SCOPED(pq_result) struct pq_result *candidates = NULL;
    SCOPED(pq_result) struct pq_result *current = NULL;
    if (find_candidates(snapshot, scope, &candidates, err) < 0)
        return -1;
    if (pq_rows(candidates) == 0)
        return 0;
    if (find_current(now, candidates, &current, err) < 0)
        return -1;
    return compare(candidates, current, ret_what);
}

/* ---- tables that are read through their parent ---- */

/* Rows of a table that became a partition since would come twice. */
static int find_partitions(struct pq *pq, const struct postgres_tables *tables, char **ret_list,
                           struct error *err)
{
    SCOPED(buf) struct buf sql = BUF_INIT;
    buf_append_text(&sql, "WITH RECURSIVE below AS (SELECT inhrelid FROM pg_inherits "
                          "WHERE inhparent IN (0");
    for (size_t i = 0; i < tables->count; i++)
        if (tables->items[i].routed)
            buf_append_format(&sql, ", %lld", (long long)tables->items[i].oid);
    buf_append_text(&sql, ") UNION SELECT i.inhrelid FROM pg_inherits i JOIN below b "
                          "ON b.inhrelid = i.inhparent) "
                          "SELECT string_agg(inhrelid::text, ' ' ORDER BY inhrelid) FROM below");
    return pq_query_text(pq, sql.data, ret_list, err) < 0 ? -1 : 0;
}

static int find_new_partition(struct pq *snapshot, struct pq *now,
                              const struct postgres_tables *tables, char **ret_what,
                              struct error *err)
{
    SCOPED(string) char *then = NULL;
    SCOPED(string) char *today = NULL;
    if (find_partitions(snapshot, tables, &then, err) < 0 ||
        find_partitions(now, tables, &today, err) < 0)
        return -1;
    if (text_equal(then, today))
        return 0;
    *ret_what = mem_string("a partition");
    return 1;
}

int postgres_change_find(struct pq *snapshot, struct pq *now, enum change_scope scope,
                         const struct postgres_tables *tables, char **ret_what, struct error *err)
{
    int64_t names = 0;
    if (scope == CHANGE_ROWS && pq_query_integer(snapshot, NAMES_SQL, &names, err) < 0)
        return error_prefix(err, "read the catalogue");
    int found = find_among(snapshot, now, names ? CHANGE_DEFINITIONS : scope, ret_what, err);
    if (found == 0 && scope == CHANGE_ROWS)
        found = find_new_partition(snapshot, now, tables, ret_what, err);
    return found < 0 ? error_prefix(err, "read the catalogue") : found;
}
