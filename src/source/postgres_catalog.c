#include "source/postgres_catalog.h"

#include "base/error.h"
#include "base/mem.h"
#include "db/encoding.h"
#include "db/pq.h"
#include "source/postgres_own.h"
#include "source/source.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define SEQUENCES_AT_ONCE 200

/* kedge's own tables are nobody's backup. */
#define NOT_OURS "AND NOT (n.nspname = '" POSTGRES_OWN_SCHEMA "' AND " POSTGRES_OWN_PRESENT ") "

/* ---- tables ---- */

void postgres_tables_clear(struct postgres_tables *tables)
{
    for (size_t i = 0; i < tables->count; i++) {
        struct postgres_table *table = &tables->items[i];
        free(table->schema);
        free(table->name);
        free(table->quoted);
        free(table->columns);
        free(table->where);
        binary_layout_clear(&table->layout);
    }
    free(tables->items);
    text_list_clear(&tables->ours);
    *tables = (struct postgres_tables){0};
}

bool postgres_tables_equal(const struct postgres_tables *a, const struct postgres_tables *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (a->items[i].oid != b->items[i].oid ||
            !text_equal(a->items[i].quoted, b->items[i].quoted) ||
            !text_equal(a->items[i].columns, b->items[i].columns))
            return false;
    return true;
}

static bool matches(const struct text_list *patterns, const char *schema, const char *name)
{
    SCOPED(string) char *full = mem_format("%s.%s", schema, name);
    for (size_t i = 0; i < patterns->count; i++) {
        const char *pattern = patterns->items[i];
        if (strcmp(pattern, full) == 0 || strcmp(pattern, name) == 0 || text_glob(pattern, full) ||
            (!strchr(pattern, '.') && text_glob(pattern, name)))
            return true;
    }
    return false;
}

bool postgres_table_matches(const struct text_list *patterns, const char *encoding,
                            const char *schema, const char *name)
{
    if (matches(patterns, schema, name))
        return true;
    SCOPED(string) char *shown_schema = encoding_to_utf8(encoding, schema);
    SCOPED(string) char *shown_name = encoding_to_utf8(encoding, name);
    return (shown_schema || shown_name) &&
           matches(patterns, shown_schema ? shown_schema : schema, shown_name ? shown_name : name);
}

static bool wanted_schema(const struct text_list *schemas, const char *encoding, const char *schema)
{
    SCOPED(string) char *shown = encoding_to_utf8(encoding, schema);
    return !schemas->count || text_list_has(schemas, schema) ||
           (shown && text_list_has(schemas, shown));
}

static bool wanted(const struct dump_options *options, const char *encoding, const char *schema,
                   const char *name)
{
    if (!wanted_schema(&options->schemas, encoding, schema))
        return false;
    if (options->tables.count && !postgres_table_matches(&options->tables, encoding, schema, name))
        return false;
    return !postgres_table_matches(&options->exclude_tables, encoding, schema, name);
}

/* What belongs to an extension comes back with CREATE EXTENSION; only the rows of what it declared
 * as configuration are the user's.
 *
 * The hash of an enum's value is that of its OID, which is another one after a restore: rows of
 * tables cut by such a hash (also inside arrays, rows and ranges) find their partition anew. */
static const char TABLES_SQL[] =
    "WITH RECURSIVE unsteady AS (SELECT p.partrelid AS oid FROM pg_partitioned_table p "
    "  WHERE p.partstrat = 'h' AND EXISTS (SELECT FROM pg_opclass o "
    "  WHERE o.oid = ANY (p.partclass) AND o.opcnamespace = 'pg_catalog'::regnamespace "
    "  AND o.opcname IN ('enum_ops', 'array_ops', 'record_ops', 'range_ops', 'multirange_ops'))), "
    "below AS (SELECT i.inhrelid AS oid FROM pg_inherits i JOIN unsteady u ON u.oid = i.inhparent "
    "  UNION SELECT i.inhrelid FROM pg_inherits i JOIN below b ON b.oid = i.inhparent) "
    "SELECT c.oid, n.nspname, c.relname, c.relkind = 'r' AND c.oid NOT IN (SELECT oid FROM below), "
    "d.objid IS NOT NULL, "
    "array_position(e.extconfig, c.oid) IS NOT NULL, "
    "e.extcondition[array_position(e.extconfig, c.oid)], "
    "c.oid IN (SELECT oid FROM unsteady) AND c.oid NOT IN (SELECT oid FROM below), "
    "c.relkind = 'p', %s "
    "FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
    "LEFT JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.objsubid "
    "= 0 "
    "AND d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e' "
    "LEFT JOIN pg_extension e ON e.oid = d.refobjid "
    "WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't' "
    "AND n.nspname !~ '^(pg_|" POSTGRES_KEPT_SCHEMA
    "$)' AND n.nspname <> 'information_schema' " NOT_OURS
    "ORDER BY n.nspname COLLATE \"C\", c.relname COLLATE \"C\"";

/* The language of functions that are the server's own, by the name that follows. */
#define INTERNAL "12"

static const char COLUMNS_SQL[] =
    "SELECT a.attrelid, a.attname, o.prosrc, s.prosrc "
    "FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid "
    "JOIN pg_namespace n ON n.oid = c.relnamespace "
    "LEFT JOIN pg_type t ON t.oid = a.atttypid "
    "LEFT JOIN pg_proc o ON o.oid = t.typoutput AND o.prolang = " INTERNAL " "
    "LEFT JOIN pg_proc s ON s.oid = t.typsend AND s.prolang = " INTERNAL " "
    "WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't' AND a.attnum > 0 AND NOT "
    "a.attisdropped %s "
    "AND n.nspname !~ '^(pg_|" POSTGRES_KEPT_SCHEMA
    "$)' AND n.nspname <> 'information_schema' " NOT_OURS "ORDER BY a.attrelid, a.attnum";

static bool is_true(const struct pq_result *result, size_t row, size_t column)
{
    const char *value = pq_value(result, row, column);
    return value && *value == 't';
}

static uint64_t number(const struct pq_result *result, size_t row, size_t column)
{
    const char *value = pq_value(result, row, column);
    return value ? strtoull(value, NULL, 10) : 0;
}

char *postgres_quote_name(const char *schema, const char *name)
{
    struct buf quoted = BUF_INIT;
    pq_quote_identifier(&quoted, schema);
    buf_append_char(&quoted, '.');
    pq_quote_identifier(&quoted, name);
    return buf_steal(&quoted);
}

static void add_table(struct postgres_tables *tables, const struct pq_result *rows, size_t row,
                      const struct dump_options *options, const char *encoding)
{
    ARRAY_GROW(tables->items, tables->count, tables->capacity);
    struct postgres_table *table = &tables->items[tables->count++];
    const char *schema = pq_value(rows, row, 1);
    const char *name = pq_value(rows, row, 2);
    const char *where = pq_value(rows, row, 6);
    bool extension = is_true(rows, row, 4);
    bool routed = is_true(rows, row, 7);
    *table = (struct postgres_table){
        .schema = mem_string(schema),
        .name = mem_string(name),
        .quoted = postgres_quote_name(schema, name),
        .where = where && *where ? mem_string(where) : NULL,
        .oid = (int64_t)number(rows, row, 0),
        .has_rows = (is_true(rows, row, 3) || routed) && (!extension || is_true(rows, row, 5)),
        .configuration = extension,
        .routed = routed,
        .partitioned = is_true(rows, row, 8),
        .pages = number(rows, row, 9),
        .bytes = number(rows, row, 10),
    };
    if (table->has_rows && !wanted(options, encoding, schema, name)) {
        table->has_rows = false;
        table->left_out = true;
    }
}

static int compare_oid(const void *a, const void *b)
{
    int64_t left = (*(struct postgres_table *const *)a)->oid;
    int64_t right = (*(struct postgres_table *const *)b)->oid;
    return (left > right) - (left < right);
}

/* Both sides in order of OID: one walk gives each table its columns. */
static void give_columns(struct postgres_tables *tables, const struct pq_result *columns)
{
    SCOPED(memory) void *memory = mem_alloc(tables->count, sizeof(struct postgres_table *));
    struct postgres_table **sorted = memory;
    for (size_t i = 0; i < tables->count; i++)
        sorted[i] = &tables->items[i];
    qsort(sorted, tables->count, sizeof *sorted, compare_oid);

    size_t row = 0;
    for (size_t i = 0; i < tables->count; i++) {
        struct buf list = BUF_INIT;
        while (row < pq_rows(columns) && (int64_t)number(columns, row, 0) < sorted[i]->oid)
            row++;
        for (; row < pq_rows(columns) && (int64_t)number(columns, row, 0) == sorted[i]->oid;
             row++) {
            if (list.length)
                buf_append_text(&list, ", ");
            pq_quote_identifier(&list, pq_value(columns, row, 1));
            binary_layout_add(&sorted[i]->layout, pq_value(columns, row, 1),
                              pq_value(columns, row, 2), pq_value(columns, row, 3));
        }
        sorted[i]->columns = buf_steal(&list);
    }
}

int postgres_tables_list(struct pq *pq, const struct dump_options *options, bool with_sizes,
                         struct postgres_tables *ret_tables, struct error *err)
{
    SCOPED(string)
    char *tables_sql = mem_format(
        TABLES_SQL, with_sizes ? "pg_relation_size(c.oid) / current_setting('block_size')::bigint, "
                                 "pg_table_size(c.oid)"
                               : "0, 0");
    SCOPED(string)
    char *columns_sql =
        mem_format(COLUMNS_SQL, pq_server_version(pq) >= 120000 ? "AND a.attgenerated = ''" : "");
    SCOPED(pq_result) struct pq_result *rows = NULL;
    SCOPED(pq_result) struct pq_result *columns = NULL;
    if (pq_exec(pq, tables_sql, &rows, err) < 0 || pq_exec(pq, columns_sql, &columns, err) < 0)
        return error_prefix(err, "list the tables");

    struct postgres_tables tables = {0};
    for (size_t i = 0; i < pq_rows(rows); i++)
        add_table(&tables, rows, i, options, pq_parameter_status(pq, "server_encoding"));
    give_columns(&tables, columns);
    *ret_tables = tables;
    return 0;
}

/* A partitioned table's rows are those of its partitions, which have names of their own. */
static bool chooses_any(const struct postgres_tables *tables, const char *encoding, char **pattern,
                        bool schema)
{
    const struct text_list one = {.items = pattern, .count = 1};
    for (size_t i = 0; i < tables->count; i++) {
        const struct postgres_table *table = &tables->items[i];
        if (table->partitioned && !table->routed)
            continue;
        if (schema ? wanted_schema(&one, encoding, table->schema)
                   : postgres_table_matches(&one, encoding, table->schema, table->name))
            return true;
    }
    return false;
}

int postgres_tables_check(struct pq *pq, const struct postgres_tables *tables,
                          const struct dump_options *options, struct error *err)
{
    const char *encoding = pq_parameter_status(pq, "server_encoding");
    for (size_t i = 0; i < options->schemas.count; i++)
        if (!chooses_any(tables, encoding, &options->schemas.items[i], true))
            return error_set(err, ERROR_SOURCE, "--schema %s: no table with rows is in it",
                             options->schemas.items[i]);
    for (size_t i = 0; i < options->tables.count; i++) {
        if (chooses_any(tables, encoding, &options->tables.items[i], false))
            continue;
        error_set(err, ERROR_SOURCE, "--table %s: no table with rows is called so",
                  options->tables.items[i]);
        return error_hint(err, "the rows of a partitioned table are in its partitions: name those, "
                               "for example --table 'orders_*'");
    }
    return 0;
}

/* ---- sequences ---- */

static const char SEQUENCES_SQL[] =
    "SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
    "LEFT JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.objsubid "
    "= 0 "
    "AND d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e' "
    "LEFT JOIN pg_extension e ON e.oid = d.refobjid "
    "WHERE c.relkind = 'S' AND c.relpersistence <> 't' AND n.nspname !~ "
    "'^(pg_|" POSTGRES_KEPT_SCHEMA "$)' "
    "AND n.nspname <> 'information_schema' " NOT_OURS
    "AND (d.objid IS NULL OR array_position(e.extconfig, c.oid) IS NOT NULL) "
    "ORDER BY n.nspname COLLATE \"C\", c.relname COLLATE \"C\"";

/* One statement that reads the values of `names` from `first` on. */
static void sequence_values_sql(const struct pq_result *names, size_t first, size_t count,
                                struct buf *sql)
{
    for (size_t i = first; i < first + count; i++) {
        SCOPED(string)
        char *quoted = postgres_quote_name(pq_value(names, i, 0), pq_value(names, i, 1));
        buf_append_text(sql, i > first ? " UNION ALL " : "");
        buf_append_text(sql, "SELECT ");
        pq_quote_literal(sql, quoted);
        buf_append_format(sql, ", last_value, is_called FROM %s", quoted);
    }
}

int postgres_sequences_script(struct pq *pq, struct buf *script, struct error *err)
{
    SCOPED(pq_result) struct pq_result *names = NULL;
    if (pq_exec(pq, SEQUENCES_SQL, &names, err) < 0)
        return error_prefix(err, "list the sequences");
    for (size_t first = 0; first < pq_rows(names); first += SEQUENCES_AT_ONCE) {
        size_t left = pq_rows(names) - first;
        SCOPED(buf) struct buf sql = BUF_INIT;
        sequence_values_sql(names, first, left < SEQUENCES_AT_ONCE ? left : SEQUENCES_AT_ONCE,
                            &sql);
        SCOPED(pq_result) struct pq_result *values = NULL;
        if (pq_exec(pq, sql.data, &values, err) < 0)
            return error_prefix(err, "read the sequences");
        for (size_t i = 0; i < pq_rows(values); i++) {
            buf_append_text(script, "SELECT pg_catalog.setval(");
            pq_quote_literal(script, pq_value(values, i, 0));
            buf_append_format(script, ", %s, %s);\n", pq_value(values, i, 1),
                              is_true(values, i, 2) ? "true" : "false");
        }
    }
    return 0;
}
