#include "migrate/effects_column.h"

#include "base/error.h"
#include "migrate/effects_catalog.h"
#include "migrate/effects_query.h"

#include <stdlib.h>
#include <string.h>

/* ---- expressions ---- */

/* Without a server to ask. */
static bool volatile_name(const char *name)
{
    static const char *const names[] = {"random",        "clock_timestamp",  "gen_random_uuid",
                                        "nextval",       "timeofday",        "setval",
                                        "random_normal", "gen_random_bytes", NULL};
    for (size_t i = 0; names[i]; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return text_starts(name, "uuid_generate_");
}

static int function_is_volatile(struct effect_work *work, const char *name, struct error *err)
{
    if (!work->effects->db)
        return volatile_name(name);
    return catalog_is(work, "EXISTS (SELECT FROM pg_proc WHERE proname = ? AND provolatile = 'v')",
                      name, NULL, err);
}

/* Is a function called in the text that answers differently each time? 1, 0, -1. */
static int calls_volatile(struct effect_work *work, const char *text, struct error *err)
{
    SCOPED(tokens) struct tokens tokens = TOKENS_INIT;
    tokens_read(&tokens, DB_POSTGRES, text, strlen(text));
    struct cursor at = cursor_over(&tokens);
    while (!cursor_ended(&at)) {
        SCOPED(string) char *written = cursor_written_name(&at);
        if (!written)
            at.at++;
        if (!written || !cursor_is(&at, "("))
            continue;
        SCOPED(string) char *name = name_plain(DB_POSTGRES, written);
        int changes = function_is_volatile(work, name, err);
        if (changes != 0)
            return changes;
    }
    return 0;
}

/* As the planner leaves it: constants are folded, small functions are unfolded. */
static int is_volatile(struct effect_work *work, const char *expression, struct error *err)
{
    SCOPED(string) char *plan = NULL;
    SCOPED(string)
    char *sql = mem_format("EXPLAIN (VERBOSE, COSTS OFF) SELECT (%s)", expression);
    if (catalog_probe(work, sql, &plan, err) < 0)
        return -1;
    const char *output = plan ? strstr(plan, "Output:") : NULL;
    return calls_volatile(work, output ? output : expression, err);
}

/* Has the type, a domain, something to be checked for each row? */
static int is_checked_domain(struct effect_work *work, const char *type, struct error *err)
{
    return catalog_is(work,
                      "EXISTS (WITH RECURSIVE d(oid) AS (SELECT to_regtype(?)::oid UNION SELECT "
                      "t.typbasetype FROM d JOIN pg_type t ON t.oid = d.oid WHERE t.typtype = 'd') "
                      "SELECT FROM d JOIN pg_type t ON t.oid = d.oid WHERE t.typtype = 'd' AND "
                      "(t.typnotnull OR EXISTS (SELECT FROM pg_constraint c WHERE c.contypid = "
                      "t.oid)))",
                      type, NULL, err);
}

/* ---- a new column ---- */

static bool at_constraint(const struct cursor *at)
{
    static const char *const words[] = {
        "NOT NULL", "CHECK",   "UNIQUE",      "PRIMARY",    "REFERENCES", "GENERATED", "CONSTRAINT",
        "DEFAULT",  "STORAGE", "COMPRESSION", "DEFERRABLE", "INITIALLY",  "COLLATE",   NULL};
    for (size_t i = 0; words[i]; i++)
        if (cursor_is(at, words[i]))
            return true;
    return false;
}

/* Up to the next constraint. */
static struct cursor take_clause(struct cursor *at)
{
    const struct token *first = cursor_token(at);
    struct cursor clause = {.tokens = at->tokens, .at = at->at, .end = at->at};
    while (!cursor_ended(at)) {
        bool outside = cursor_token(at)->depth == first->depth;
        if (at->at > clause.at && outside &&
            (at_constraint(at) || (cursor_is(at, "NULL") && at->at + 1 == at->end)))
            break;
        at->at++;
    }
    clause.end = at->at;
    return clause;
}

static bool is_serial(const char *type)
{
    static const char *const names[] = {"serial",  "bigserial", "smallserial", "serial2",
                                        "serial4", "serial8",   NULL};
    for (size_t i = 0; names[i]; i++)
        if (strcasecmp(names[i], type) == 0)
            return true;
    return false;
}

static int new_default(struct effect_work *work, struct cursor at, unsigned *flags,
                       struct error *err)
{
    struct cursor clause = take_clause(&at);
    SCOPED(string) char *expression = cursor_written(&clause);
    int changes = is_volatile(work, expression, err);
    if (changes < 0 || effects_sequences(work, clause, err) < 0)
        return -1;
    if (changes)
        *flags |= EFFECT_REWRITTEN | EFFECT_SCANNED;
    return 0;
}

int effects_new_column(struct effect_work *work, struct cursor definition, unsigned *ret_flags,
                       struct error *err)
{
    struct cursor at = definition;
    struct cursor type_words = take_clause(&at);
    SCOPED(string) char *type = cursor_written(&type_words);
    bool generated = cursor_mentions(&definition, "GENERATED");
    int checked = is_checked_domain(work, type, err);
    *ret_flags = 0;
    if (checked < 0)
        return -1;
    if (checked || generated || is_serial(type))
        *ret_flags = EFFECT_REWRITTEN | EFFECT_SCANNED;
    struct cursor found = definition;
    bool has_default = cursor_seek(&found, "DEFAULT") && !generated;
    if (!has_default && cursor_mentions(&definition, "NOT NULL"))
        *ret_flags |= EFFECT_SCANNED;
    if (!has_default)
        return 0;
    cursor_take(&found, "DEFAULT");
    return new_default(work, found, ret_flags, err);
}

/* ---- another type ---- */

/* The cost that the planner sees in `expression` over a column of the old type. */
static int cost_of(struct effect_work *work, const char *column, const char *type,
                   const char *expression, double *ret_cost, struct error *err)
{
    SCOPED(buf) struct buf sql = BUF_INIT;
    SCOPED(string) char *plan = NULL;
    buf_append_format(&sql, "EXPLAIN SELECT %s FROM json_to_recordset('[]') AS t(", expression);
    db_quote_identifier(DB_POSTGRES, &sql, column);
    buf_append_format(&sql, " %s)", type);
    if (catalog_probe(work, sql.data, &plan, err) < 0)
        return -1;
    const char *cost = plan ? strstr(plan, "..") : NULL;
    if (!cost)
        return 0;
    *ret_cost = strtod(cost + 2, NULL);
    return 1;
}

/* USING that names the column alone, or a cast of it. */
static bool using_is_plain(struct cursor using, const char *column)
{
    bool cast = cursor_take(&using, "CAST (") || cursor_take(&using, "(");
    SCOPED(string) char *written = cursor_written_name(&using);
    SCOPED(string) char *name = name_plain(DB_POSTGRES, written ? written : "");
    if (strcmp(name, column) != 0)
        return false;
    if (cast)
        return cursor_is(&using, "AS") || cursor_is(&using, ")");
    return cursor_ended(&using) || cursor_is(&using, "::");
}

struct types {
    char *before;
    char *after;
    char *expression; /* from the one to the other */
    bool computed;    /* by a USING of its own */
    bool collates;
};

static void types_clear(struct types *types)
{
    free(types->before);
    free(types->after);
    free(types->expression);
}

/* The words of the new type; 0 when the old one is not known. */
static int read_types(struct effect_work *work, const struct effect_type_change *change,
                      struct types *types, struct error *err)
{
    struct cursor at = change->type;
    struct cursor using = change->type;
    bool has_using = cursor_seek(&using, "USING");
    struct cursor words = {.tokens = at.tokens, .at = at.at, .end = has_using ? using.at : at.end};
    struct cursor collate = words;
    types->collates = cursor_seek(&collate, "COLLATE");
    if (types->collates)
        words.end = collate.at;
    types->after = cursor_written(&words);
    cursor_take(&using, "USING");
    SCOPED(string) char *text = cursor_written(&using);
    SCOPED(buf) struct buf column = BUF_INIT;
    db_quote_identifier(DB_POSTGRES, &column, change->column);
    types->computed = has_using && !using_is_plain(using, change->column);
    types->expression = mem_format("(%s)::%s", has_using ? text : column.data, types->after);
    return catalog_text(work,
                        "SELECT format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid "
                        "= to_regclass(?) AND attname = ? AND NOT attisdropped",
                        change->table, change->column, &types->before, err);
}

/* In a session whose time zone is UTC the two are the same bytes. */
static int is_utc_switch(struct effect_work *work, const struct types *types, struct error *err)
{
    bool to = text_starts(types->before, "timestamp without") ||
              text_starts(types->before, "timestamp with");
    SCOPED(string) char *after = NULL;
    if (!to)
        return 0;
    if (catalog_text(work, "SELECT to_regtype(?)::text", types->after, NULL, &after, err) < 0)
        return -1;
    if (!after || !text_starts(after, "timestamp") || strchr(types->after, '('))
        return 0;
    return catalog_is(work,
                      "current_setting('TimeZone') IN ('UTC', 'Etc/UTC', 'GMT', 'Etc/GMT', "
                      "'UCT', 'Etc/UCT', 'Zulu', 'Etc/Zulu', 'Universal', 'Etc/Universal', "
                      "'Greenwich', 'Etc/Greenwich', 'GMT0', 'Etc/GMT0')",
                      NULL, NULL, err);
}

/* Is something computed for each row? 1, 0, -1. */
static int computes(struct effect_work *work, const struct effect_type_change *change,
                    const struct types *types, struct error *err)
{
    double plain = 0;
    double cast = 0;
    SCOPED(buf) struct buf column = BUF_INIT;
    if (types->computed)
        return 1;
    int checked = is_checked_domain(work, types->after, err);
    if (checked != 0)
        return checked;
    int utc = is_utc_switch(work, types, err);
    if (utc != 0)
        return utc < 0 ? -1 : 0;
    db_quote_identifier(DB_POSTGRES, &column, change->column);
    int known = cost_of(work, change->column, types->before, column.data, &plain, err);
    if (known > 0)
        known = cost_of(work, change->column, types->before, types->expression, &cast, err);
    if (known < 0)
        return -1;
    return known == 0 || cast > plain;
}

#define COLUMN_IS "a.attrelid = to_regclass(?) AND a.attname = ?"

/* Rows stay, but an index on an expression, one in another order, or a CHECK has to read them. */
static int reads_anyway(struct effect_work *work, const struct effect_type_change *change,
                        const struct types *types, struct error *err)
{
    int read = catalog_is(
        work,
        "EXISTS (SELECT FROM pg_attribute a LEFT JOIN pg_constraint c ON c.conrelid = a.attrelid "
        "AND c.contype = 'c' AND c.convalidated AND a.attnum = ANY (c.conkey) LEFT JOIN pg_depend "
        "d ON d.refobjid = "
        "a.attrelid AND d.refobjsubid = a.attnum AND d.classid = 'pg_class'::regclass LEFT JOIN "
        "pg_index x ON x.indexrelid = d.objid AND (x.indexprs IS NOT NULL OR x.indpred IS NOT "
        "NULL) WHERE " COLUMN_IS " AND (c.oid IS NOT NULL OR x.indexrelid IS NOT NULL))",
        change->table, change->column, err);
    if (read != 0)
        return read;
    int indexed =
        catalog_is(work,
                   "EXISTS (SELECT FROM pg_attribute a JOIN pg_index x ON x.indrelid = "
                   "a.attrelid AND a.attnum = ANY (x.indkey::int2[]) WHERE " COLUMN_IS ")",
                   change->table, change->column, err);
    if (indexed <= 0)
        return indexed;
    if (types->collates)
        return 1;
    SCOPED(string)
    char *sql = mem_format(
        "EXISTS (SELECT FROM pg_attribute a JOIN pg_type o ON o.oid = a.atttypid JOIN pg_type n ON "
        "n.oid = '%s'::regtype WHERE " COLUMN_IS " AND (a.attcollation <> o.typcollation OR "
        "(o.oid <> n.oid AND NOT (o.typcategory IN ('S', 'I') AND n.typcategory = o.typcategory) "
        "AND o.oid <> n.typbasetype AND n.oid <> o.typbasetype)))",
        types->after);
    return strpbrk(types->after, "'\\") ? 1
                                        : catalog_is(work, sql, change->table, change->column, err);
}

/* Foreign keys on either side are made anew. */
static int touch_referring(struct effect_work *work, const struct effect_type_change *change,
                           unsigned flags, struct error *err)
{
    return catalog_touch(work, LOCK_ACCESS_EXCLUSIVE, flags & EFFECT_REWRITTEN ? EFFECT_SCANNED : 0,
                         "SELECT CASE WHEN c.conrelid = a.attrelid THEN c.confrelid ELSE "
                         "c.conrelid END FROM pg_attribute a JOIN pg_constraint c ON c.contype = "
                         "'f' AND ((c.conrelid = a.attrelid AND a.attnum = ANY (c.conkey)) OR "
                         "(c.confrelid = a.attrelid AND a.attnum = ANY (c.confkey))) "
                         "WHERE " COLUMN_IS,
                         change->table, change->column, err);
}

/* The sequence behind GENERATED AS IDENTITY gets the new type. */
static int touch_identity(struct effect_work *work, const struct effect_type_change *change,
                          bool computed, struct error *err)
{
    return catalog_touch(work, LOCK_SHARE_ROW_EXCLUSIVE, computed ? EFFECT_REWRITTEN : 0,
                         "SELECT d.objid FROM pg_attribute a JOIN pg_depend d ON d.classid = "
                         "'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND "
                         "d.deptype = 'i' AND d.refobjid = a.attrelid AND d.refobjsubid = a.attnum "
                         "WHERE " COLUMN_IS,
                         change->table, change->column, err);
}

int effects_change_type(struct effect_work *work, struct effect_type_change *change,
                        struct error *err)
{
    struct types types __attribute__((cleanup(types_clear))) = {0};
    change->flags = EFFECT_REWRITTEN | EFFECT_SCANNED;
    int known = read_types(work, change, &types, err);
    if (known <= 0 || !types.before)
        return known < 0 ? -1 : 0;
    int computed = computes(work, change, &types, err);
    int read = computed == 0 ? reads_anyway(work, change, &types, err) : 0;
    if (computed < 0 || read < 0)
        return -1;
    change->flags = computed ? EFFECT_REWRITTEN | EFFECT_SCANNED : read ? EFFECT_SCANNED : 0;
    if (effects_narrows(types.before, types.after))
        effect_say(&work->effect->lost, "what does not fit in %s.%s (%s to %s)", change->table,
                   change->column, types.before, types.after);
    if (touch_identity(work, change, computed, err) < 0)
        return -1;
    return touch_referring(work, change, change->flags, err);
}

/* ---- NOT NULL ---- */

/* A CHECK of which one condition, joined by AND, is `column IS NOT NULL`. */
int effects_not_null_known(struct effect_work *work, const char *table, const char *column,
                           struct error *err)
{
    int known =
        catalog_is(work, "EXISTS (SELECT FROM pg_attribute a WHERE " COLUMN_IS " AND a.attnotnull)",
                   table, column, err);
    if (known != 0)
        return known;
    return catalog_is(
        work,
        "EXISTS (SELECT FROM pg_attribute a JOIN pg_constraint c ON c.conrelid = a.attrelid AND "
        "c.contype = 'c' AND c.convalidated AND a.attnum = ANY (c.conkey), LATERAL (SELECT "
        "pg_get_expr(c.conbin, c.conrelid) AS text, '(' || quote_ident(a.attname) || ' IS NOT "
        "NULL)' AS wanted) e WHERE " COLUMN_IS " AND strpos(e.text, e.wanted) > 0 AND e.text !~ "
        "' OR |CASE | NOT \\(|^\\(NOT ' AND left(e.text, strpos(e.text, e.wanted) - 1) !~ "
        "'[[:alnum:]_\"]\\([^()]*$')",
        table, column, err);
}

/* ---- partitions ---- */

/* Is there an index for each of the parent's? */
static int has_indexes(struct effect_work *work, const char *parent, const char *partition,
                       struct error *err)
{
    return catalog_is(
        work,
        "NOT EXISTS (SELECT FROM pg_index p WHERE p.indrelid = to_regclass(?) AND NOT EXISTS "
        "(SELECT FROM pg_index c WHERE c.indrelid = to_regclass(?) AND c.indisunique = "
        "p.indisunique AND c.indisprimary = p.indisprimary AND p.indexprs IS NULL AND p.indpred IS "
        "NULL AND c.indexprs IS NULL AND c.indpred IS NULL AND (SELECT array_agg(attname ORDER BY "
        "k.n) FROM unnest(p.indkey::int2[]) WITH ORDINALITY k(a, n) JOIN pg_attribute ON attrelid "
        "= p.indrelid AND attnum = k.a) = (SELECT array_agg(attname ORDER BY k.n) FROM "
        "unnest(c.indkey::int2[]) WITH ORDINALITY k(a, n) JOIN pg_attribute ON attrelid = "
        "c.indrelid AND attnum = k.a)))",
        parent, partition, err);
}

/* "day >= '2027-01-01' AND day < '2028-01-01'"; NULL when it is not as simple. To be freed. */
static char *bounds_condition(struct cursor at, const char *key)
{
    struct buf sql = BUF_INIT;
    if (cursor_take(&at, "FOR VALUES IN")) {
        struct cursor values = cursor_group(&at);
        SCOPED(string) char *text = cursor_written(&values);
        buf_append_format(&sql, "%s IN (%s)", key, text);
        return buf_steal(&sql);
    }
    if (!cursor_take(&at, "FOR VALUES FROM"))
        return NULL;
    struct cursor from = cursor_group(&at);
    cursor_take(&at, "TO");
    struct cursor to = cursor_group(&at);
    SCOPED(string) char *low = cursor_written(&from);
    SCOPED(string) char *high = cursor_written(&to);
    buf_append_text(&sql, "true");
    if (!cursor_is(&from, "MINVALUE"))
        buf_append_format(&sql, " AND %s >= %s", key, low);
    if (!cursor_is(&to, "MAXVALUE"))
        buf_append_format(&sql, " AND %s < %s", key, high);
    return buf_steal(&sql);
}

/* The planner proves it: rows that pass the CHECKs and lie outside of the bounds cannot be. */
static int prove(struct effect_work *work, const char *partition, const char *condition,
                 struct error *err)
{
    SCOPED(string) char *columns = NULL;
    SCOPED(string) char *checks = NULL;
    SCOPED(string) char *plan = NULL;
    if (catalog_text(work,
                     "SELECT string_agg(quote_ident(attname) || ' ' || format_type(atttypid, "
                     "atttypmod), ', ') FROM pg_attribute WHERE attrelid = to_regclass(?) AND "
                     "attnum > 0 AND NOT attisdropped",
                     partition, NULL, &columns, err) < 0 ||
        catalog_text(work,
                     "SELECT string_agg(pg_get_expr(conbin, conrelid), ' AND ') FROM pg_constraint "
                     "WHERE conrelid = to_regclass(?) AND contype = 'c' AND convalidated",
                     partition, NULL, &checks, err) < 0)
        return -1;
    if (!columns || !checks)
        return 0;
    if (db_execute(work->effects->db, "SET constraint_exclusion = on", NULL, 0, NULL, err) < 0)
        return -1;
    SCOPED(string)
    char *sql = mem_format("EXPLAIN SELECT FROM json_to_recordset('[]') AS t(%s) WHERE %s AND NOT "
                           "(%s)",
                           columns, checks, condition);
    if (catalog_probe(work, sql, &plan, err) < 0)
        return -1;
    return plan && strstr(plan, "One-Time Filter: false") != NULL;
}

int effects_partition_implied(struct effect_work *work, const char *parent, const char *partition,
                              struct cursor bounds, struct error *err)
{
    SCOPED(string) char *key = NULL;
    int indexed = has_indexes(work, parent, partition, err);
    if (indexed <= 0)
        return indexed;
    if (catalog_text(work,
                     "SELECT a.attname FROM pg_partitioned_table p JOIN pg_attribute a ON "
                     "a.attrelid = p.partrelid AND a.attnum = p.partattrs[0] WHERE p.partrelid = "
                     "to_regclass(?) AND p.partnatts = 1 AND p.partstrat <> 'h'",
                     parent, NULL, &key, err) < 0)
        return -1;
    if (!key)
        return 0;
    int filled = effects_not_null_known(work, partition, key, err);
    if (filled <= 0)
        return filled;
    SCOPED(buf) struct buf quoted = BUF_INIT;
    db_quote_identifier(DB_POSTGRES, &quoted, key);
    SCOPED(string) char *condition = bounds_condition(bounds, quoted.data);
    return condition ? prove(work, partition, condition, err) : 0;
}
