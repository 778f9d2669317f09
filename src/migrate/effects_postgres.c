/*
 * PostgreSQL: which statement takes which lock on what.
 *
 * Modes as PostgreSQL 15 takes them; the system test of the plan compares them with pg_locks.
 */
#include "db/db.h"
#include "migrate/effects_alter.h"
#include "migrate/effects_catalog.h"
#include "migrate/effects_query.h"

#include <stdlib.h>
#include <string.h>

struct rule;

/* `at` is behind the words of the rule. */
typedef int rule_fn(struct effect_work *work, const struct rule *rule, struct reading *at,
                    struct error *err);

struct rule {
    const char *words;
    rule_fn *apply;
    enum effect_lock lock;
    unsigned flags;
    const char *start; /* DROP: the subquery for catalog_drop */
};

/* ---- small steps ---- */

/* The name that comes next, with the rule's lock. */
static int on_name(struct effect_work *work, const struct rule *rule, struct reading *at,
                   struct error *err)
{
    SCOPED(string) char *name = reading_take_name(at);
    if (!name)
        return 0;
    return catalog_touch_name(work, name, rule->lock, rule->flags, err);
}

/* The table after ON (or FROM, for a policy or rule: TO). */
static int on_table(struct effect_work *work, const struct rule *rule, struct reading *at,
                    struct error *err)
{
    if (!reading_find(at, "ON"))
        return 0;
    at->at++;
    reading_take(at, "DOMAIN");
    return on_name(work, rule, at, err);
}

static int nothing(struct effect_work *work, const struct rule *rule, struct reading *at,
                   struct error *err)
{
    (void)work, (void)rule, (void)at, (void)err;
    return 0;
}

/* A, B, C with the rule's lock. */
static int on_names(struct effect_work *work, const struct rule *rule, struct reading *at,
                    struct error *err)
{
    struct reading item;
    while (reading_take_item(at, &item)) {
        bool only = reading_take(&item, "ONLY");
        SCOPED(string) char *name = reading_take_name(&item);
        if (name && catalog_touch_name(work, name, rule->lock,
                                       rule->flags | (only ? EFFECT_ONLY : 0), err) < 0)
            return -1;
    }
    return 0;
}

/* ---- tables ---- */

/* Every REFERENCES name in the definition. */
static int on_references(struct effect_work *work, struct reading at, struct error *err)
{
    for (; reading_piece(&at, 0); at.at++) {
        struct reading other = at;
        if (!reading_take(&other, "REFERENCES"))
            continue;
        SCOPED(string) char *name = reading_take_name(&other);
        if (name && catalog_touch_name(work, name, LOCK_SHARE_ROW_EXCLUSIVE, EFFECT_ONLY, err) < 0)
            return -1;
    }
    return 0;
}

#define DEFAULT_SEQUENCES                                                                          \
    "SELECT d.refobjid FROM pg_attrdef f JOIN pg_depend d ON d.classid = 'pg_attrdef'::regclass "  \
    "AND d.objid = f.oid AND d.refclassid = 'pg_class'::regclass JOIN pg_class s ON s.oid = "      \
    "d.refobjid AND s.relkind = 'S' WHERE f.adrelid = to_regclass(?)"

static int on_like(struct effect_work *work, struct reading definition, struct error *err)
{
    struct reading item;
    while (reading_take_item(&definition, &item)) {
        if (!reading_take(&item, "LIKE"))
            continue;
        bool defaults = reading_has(&item, "INCLUDING ALL") || reading_has(&item, "DEFAULTS");
        SCOPED(string) char *name = reading_take_name(&item);
        if (!name)
            continue;
        if (catalog_touch_name(work, name, LOCK_ACCESS_SHARE, EFFECT_ONLY, err) < 0 ||
            (defaults &&
             catalog_touch(work, LOCK_ACCESS_SHARE, 0, DEFAULT_SEQUENCES, name, NULL, err) < 0))
            return -1;
    }
    return 0;
}

static int create_partition(struct effect_work *work, struct reading *at, struct error *err)
{
    SCOPED(string) char *parent = reading_take_name(at);
    if (!parent)
        return 0;
    if (catalog_touch_name(work, parent, LOCK_ACCESS_EXCLUSIVE, EFFECT_ONLY, err) < 0 ||
        catalog_touch(work, LOCK_ACCESS_EXCLUSIVE, EFFECT_SCANNED,
                      "SELECT partdefid FROM pg_partitioned_table WHERE partrelid = "
                      "to_regclass(?) AND partdefid <> 0",
                      parent, NULL, err) < 0)
        return -1;
    return catalog_touch(work, LOCK_SHARE_ROW_EXCLUSIVE, 0,
                         "SELECT confrelid FROM pg_constraint WHERE conrelid = to_regclass(?) AND "
                         "contype = 'f'",
                         parent, NULL, err);
}

static int create_inherits(struct effect_work *work, struct reading *at, struct error *err)
{
    static const struct rule parents = {.lock = LOCK_SHARE_UPDATE_EXCLUSIVE, .flags = EFFECT_ONLY};
    if (!reading_take(at, "INHERITS"))
        return 0;
    struct reading names = reading_take_parentheses(at);
    return on_names(work, &parents, &names, err);
}

/* Will there be such a relation when the statement runs? 1, 0, -1. */
static int exists(struct effect_work *work, const char *name, struct error *err)
{
    if (effects_makes(work->effects, name))
        return 1;
    return catalog_is(work, "to_regclass(?) IS NOT NULL", name, NULL, err);
}

static int create_table(struct effect_work *work, const struct rule *rule, struct reading *at,
                        struct error *err)
{
    bool if_not_exists = reading_take(at, "IF NOT EXISTS");
    SCOPED(string) char *name = reading_take_name(at);
    int there = name && if_not_exists ? exists(work, name, err) : 0;
    if (!name || there)
        return there < 0 ? -1 : 0;
    effects_made(work->effects, name);
    if (reading_take(at, "PARTITION OF"))
        return create_partition(work, at, err);
    if (reading_take(at, "OF")) {
        static const struct rule type = {.lock = LOCK_ACCESS_SHARE, .flags = EFFECT_ONLY};
        return on_name(work, &type, at, err);
    }
    struct reading definition = reading_take_parentheses(at);
    if (on_references(work, definition, err) < 0 || on_like(work, definition, err) < 0 ||
        create_inherits(work, at, err) < 0)
        return -1;
    if (!reading_find(at, "AS"))
        return 0;
    bool run = !reading_has(at, "WITH NO DATA");
    return effects_sources(work, *at, LOCK_ACCESS_SHARE, rule->flags | (run ? EFFECT_WHOLE : 0),
                           err);
}

static int create_view(struct effect_work *work, const struct rule *rule, struct reading *at,
                       struct error *err)
{
    (void)rule;
    reading_take(at, "IF NOT EXISTS");
    SCOPED(string) char *name = reading_take_name(at);
    if (!name)
        return 0;
    int there = exists(work, name, err);
    if (there < 0 ||
        (there && catalog_touch_name(work, name, LOCK_ACCESS_EXCLUSIVE, EFFECT_ONLY, err) < 0))
        return -1;
    if (!there)
        effects_made(work->effects, name);
    return effects_sources(work, *at, LOCK_ACCESS_SHARE, EFFECT_ONLY, err);
}

static int truncate_table(struct effect_work *work, const struct rule *rule, struct reading *at,
                          struct error *err)
{
    bool cascade = reading_has(at, "CASCADE");
    bool restart = reading_has(at, "RESTART IDENTITY");
    struct reading item;
    reading_take(at, "TABLE");
    while (reading_take_item(at, &item)) {
        bool only = reading_take(&item, "ONLY");
        SCOPED(string) char *name = reading_take_name(&item);
        if (!name)
            continue;
        if (catalog_touch_name(work, name, rule->lock, rule->flags | (only ? EFFECT_ONLY : 0),
                               err) < 0 ||
            (cascade &&
             catalog_touch(work, rule->lock, rule->flags,
                           "WITH RECURSIVE t(oid) AS (SELECT to_regclass(?)::oid UNION SELECT "
                           "c.conrelid FROM t JOIN pg_constraint c ON c.confrelid = t.oid AND "
                           "c.contype = 'f') SELECT oid FROM t",
                           name, NULL, err) < 0) ||
            (restart &&
             catalog_touch(work, rule->lock, EFFECT_REWRITTEN,
                           "SELECT d.objid FROM pg_depend d JOIN pg_class s ON s.oid = d.objid AND "
                           "s.relkind = 'S' WHERE d.classid = 'pg_class'::regclass AND "
                           "d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i') AND "
                           "d.refobjid = to_regclass(?)",
                           name, NULL, err) < 0))
            return -1;
    }
    return 0;
}

/* ---- dropping ---- */

#define START_CLASS                                                                                \
    "SELECT 'pg_class'::regclass::oid, c.oid, 0 FROM pg_class c WHERE c.oid = to_regclass(?)"
#define START_TYPE                                                                                 \
    "SELECT 'pg_type'::regclass::oid, t.oid, 0 FROM pg_type t WHERE t.oid = to_regtype(?)"
#define START_SCHEMA                                                                               \
    "SELECT 'pg_namespace'::regclass::oid, n.oid, 0 FROM pg_namespace n WHERE n.oid = "            \
    "to_regnamespace(?)"
#define START_FUNCTION                                                                             \
    "SELECT 'pg_proc'::regclass::oid, p.oid, 0 FROM pg_proc p, (SELECT ?::text AS name) g WHERE "  \
    "p.oid = CASE WHEN strpos(g.name, '(') > 0 THEN to_regprocedure(g.name)::oid ELSE "            \
    "to_regproc(g.name)::oid END"
#define START_STATISTICS                                                                           \
    "SELECT 'pg_statistic_ext'::regclass::oid, s.oid, 0 FROM pg_statistic_ext s WHERE s.stxname "  \
    "= (parse_ident(?))[1]"
#define START_EXTENSION                                                                            \
    "SELECT 'pg_extension'::regclass::oid, e.oid, 0 FROM pg_extension e WHERE e.extname = "        \
    "(parse_ident(?))[1]"

/* Not in a catalogue: made by this plan, or there is nobody to ask. */
static void drop_unknown(struct effect_work *work, const struct rule *rule, const char *name)
{
    bool fresh = effects_makes(work->effects, name);
    if (!fresh && work->effects->db)
        return;
    struct effect_table *table = effect_add(
        work->effect, name, rule->flags & EFFECT_EMPTIED ? "table" : "object", rule->lock, 0);
    table->fresh = fresh;
    if ((rule->flags & EFFECT_EMPTIED) && !fresh)
        effect_say(&work->effect->lost, "table %s", name);
}

/* "CASCADE" and "RESTRICT" stand after the last name. */
static int drop(struct effect_work *work, const struct rule *rule, struct reading *at,
                struct error *err)
{
    bool cascade = reading_has(at, "CASCADE");
    bool gently = reading_take(at, "CONCURRENTLY");
    struct reading item;
    reading_take(at, "IF EXISTS");
    while (reading_take_item(at, &item)) {
        struct reading whole = item;
        SCOPED(string) char *name = reading_take_name(&item);
        if (name && reading_is(&item, "(")) {
            reading_take_parentheses(&item);
            whole.end = item.at;
            free(name);
            name = reading_text(&whole);
        }
        bool fresh = name && effects_makes(work->effects, name);
        int count = name && !fresh ? catalog_drop(work, rule->start, name, cascade, err) : 0;
        if (count < 0)
            return -1;
        if (name && count == 0 && rule->lock != LOCK_NONE)
            drop_unknown(work, rule, name);
        if (fresh)
            effects_dropped(work->effects, name);
    }
    for (size_t i = 0; gently && i < work->effect->count; i++)
        work->effect->tables[i].lock = LOCK_SHARE_UPDATE_EXCLUSIVE;
    return 0;
}

/* ---- indexes ---- */

static int create_index(struct effect_work *work, const struct rule *rule, struct reading *at,
                        struct error *err)
{
    bool gently = reading_take(at, "CONCURRENTLY");
    bool if_not_exists = reading_take(at, "IF NOT EXISTS");
    enum effect_lock lock = gently ? LOCK_SHARE_UPDATE_EXCLUSIVE : LOCK_SHARE;
    SCOPED(string) char *index = reading_is(at, "ON") ? NULL : reading_take_name(at);
    int there = if_not_exists && index ? exists(work, index, err) : 0;
    (void)rule;
    if (there < 0)
        return -1;
    reading_take(at, "ON");
    bool only = reading_take(at, "ONLY");
    SCOPED(string) char *table = reading_take_name(at);
    if (!table)
        return 0;
    if (index && !there)
        effects_made(work->effects, index);
    /* Children of plain inheritance have indexes of their own. */
    int partitioned = catalog_is_partitioned(work, table, err);
    if (partitioned < 0)
        return -1;
    unsigned flags = (there ? 0 : EFFECT_SCANNED) | (only || !partitioned ? EFFECT_ONLY : 0);
    return catalog_touch_name(work, table, lock, flags, err);
}

static int alter_index(struct effect_work *work, const struct rule *rule, struct reading *at,
                       struct error *err)
{
    (void)rule;
    return effects_alter_table(work, at, true, err);
}

#define INDEXES_OF                                                                                 \
    "SELECT x.indexrelid FROM pg_index x JOIN pg_class c ON c.oid = x.indexrelid WHERE "           \
    "x.indrelid = to_regclass(?)"

static int reindex_table(struct effect_work *work, const char *name, bool gently, struct error *err)
{
    enum effect_lock lock = gently ? LOCK_SHARE_UPDATE_EXCLUSIVE : LOCK_SHARE;
    if (catalog_touch_name(work, name, lock, EFFECT_SCANNED, err) < 0)
        return -1;
    return catalog_touch(work, gently ? LOCK_SHARE_UPDATE_EXCLUSIVE : LOCK_ACCESS_EXCLUSIVE,
                         EFFECT_REWRITTEN, INDEXES_OF, name, NULL, err);
}

static int reindex(struct effect_work *work, const struct rule *rule, struct reading *at,
                   struct error *err)
{
    struct reading options = reading_take_parentheses(at);
    bool table = reading_take(at, "TABLE");
    bool index = !table && reading_take(at, "INDEX");
    bool gently = reading_take(at, "CONCURRENTLY") || reading_has(&options, "CONCURRENTLY");
    (void)rule;
    SCOPED(string) char *name = table || index ? reading_take_name(at) : NULL;
    if (!name) {
        effect_say(&work->effect->notes, "every index there is made anew");
        return 0;
    }
    if (table)
        return reindex_table(work, name, gently, err);
    enum effect_lock lock = gently ? LOCK_SHARE_UPDATE_EXCLUSIVE : LOCK_SHARE;
    if (catalog_touch(work, lock, EFFECT_SCANNED,
                      "SELECT indrelid FROM pg_index WHERE indexrelid = to_regclass(?)", name, NULL,
                      err) < 0)
        return -1;
    return catalog_touch_name(work, name, gently ? lock : LOCK_ACCESS_EXCLUSIVE,
                              EFFECT_REWRITTEN | EFFECT_ONLY, err);
}

static int cluster(struct effect_work *work, const struct rule *rule, struct reading *at,
                   struct error *err)
{
    reading_take_parentheses(at);
    reading_take(at, "VERBOSE");
    if (reading_piece(at, 0))
        return on_name(work, rule, at, err);
    effect_say(&work->effect->notes, "every clustered table is rewritten");
    return 0;
}

static int vacuum(struct effect_work *work, const struct rule *rule, struct reading *at,
                  struct error *err)
{
    struct reading options = reading_take_parentheses(at);
    bool full = reading_has(&options, "FULL") || reading_has(at, "FULL");
    while (reading_take(at, "FULL") || reading_take(at, "FREEZE") || reading_take(at, "VERBOSE") ||
           reading_take(at, "ANALYZE"))
        continue;
    const struct rule names = {
        .lock = full ? LOCK_ACCESS_EXCLUSIVE : rule->lock,
        .flags = full ? EFFECT_REWRITTEN | EFFECT_SCANNED : rule->flags,
    };
    if (!reading_piece(at, 0))
        effect_say(&work->effect->notes, "every table there is");
    return on_names(work, &names, at, err);
}

static int refresh(struct effect_work *work, const struct rule *rule, struct reading *at,
                   struct error *err)
{
    bool gently = reading_take(at, "CONCURRENTLY");
    SCOPED(string) char *name = reading_take_name(at);
    (void)rule;
    if (!name)
        return 0;
    if (!reading_has(at, "WITH NO DATA") &&
        catalog_touch_name(work, name, LOCK_ACCESS_SHARE, EFFECT_WHOLE | EFFECT_SCANNED, err) < 0)
        return -1;
    return catalog_touch_name(work, name, gently ? LOCK_EXCLUSIVE : LOCK_ACCESS_EXCLUSIVE,
                              EFFECT_ONLY | EFFECT_SCANNED | (gently ? 0 : EFFECT_REWRITTEN), err);
}

/* ---- triggers, rules, comments ---- */

/* The events may have names of columns: UPDATE OF a, b ON table. */
static int create_trigger(struct effect_work *work, const struct rule *rule, struct reading *at,
                          struct error *err)
{
    if (!reading_find(at, "ON"))
        return 0;
    at->at++;
    struct reading ahead = *at;
    SCOPED(string) char *name = reading_take_name(&ahead);
    int partitioned = name ? catalog_is_partitioned(work, name, err) : 0;
    const struct rule table = {.lock = rule->lock, .flags = partitioned ? 0 : EFFECT_ONLY};
    if (partitioned < 0 || on_name(work, &table, at, err) < 0)
        return -1;
    if (!reading_take(at, "FROM"))
        return 0;
    static const struct rule other = {.lock = LOCK_ACCESS_SHARE, .flags = EFFECT_ONLY};
    return on_name(work, &other, at, err);
}

static int write_to(struct effect_work *work, struct reading at, bool runs, struct error *err);

/* CREATE RULE name AS ON event TO table [WHERE ...] DO [ALSO | INSTEAD] command */
static int create_rule(struct effect_work *work, const struct rule *rule, struct reading *at,
                       struct error *err)
{
    if (!reading_find(at, "TO"))
        return 0;
    at->at++;
    if (on_name(work, rule, at, err) < 0)
        return -1;
    if (!reading_find(at, "DO"))
        return 0;
    at->at++;
    if (!reading_take(at, "ALSO"))
        reading_take(at, "INSTEAD");
    return write_to(work, *at, false, err);
}

static int create_policy(struct effect_work *work, const struct rule *rule, struct reading *at,
                         struct error *err)
{
    if (on_table(work, rule, at, err) < 0)
        return -1;
    return effects_sources(work, *at, LOCK_ACCESS_SHARE, EFFECT_ONLY, err);
}

/* The table of "table.column". */
static int comment_column(struct effect_work *work, const struct rule *rule, struct reading *at,
                          struct error *err)
{
    SCOPED(string) char *name = reading_take_name(at);
    char *dot = name ? strrchr(name, '.') : NULL;
    if (!dot)
        return 0;
    *dot = '\0';
    return catalog_touch_name(work, name, rule->lock, rule->flags, err);
}

/* ---- sequences, types, domains ---- */

static int owned_by(struct effect_work *work, struct reading at, struct error *err)
{
    static const struct rule table = {.lock = LOCK_ACCESS_SHARE, .flags = EFFECT_ONLY};
    if (!reading_find(&at, "OWNED BY") || !reading_take(&at, "OWNED BY") || reading_is(&at, "NONE"))
        return 0;
    return comment_column(work, &table, &at, err);
}

static int create_sequence(struct effect_work *work, const struct rule *rule, struct reading *at,
                           struct error *err)
{
    (void)rule;
    reading_take(at, "IF NOT EXISTS");
    SCOPED(string) char *name = reading_take_name(at);
    effects_made(work->effects, name);
    return owned_by(work, *at, err);
}

static int alter_sequence(struct effect_work *work, const struct rule *rule, struct reading *at,
                          struct error *err)
{
    reading_take(at, "IF EXISTS");
    SCOPED(string) char *name = reading_take_name(at);
    bool strong = reading_is(at, "RENAME") || reading_is(at, "OWNER") || reading_is(at, "SET");
    bool owned_only = reading_is(at, "OWNED");
    if (!name)
        return 0;
    if (catalog_touch_name(work, name, strong ? LOCK_ACCESS_EXCLUSIVE : rule->lock,
                           EFFECT_ONLY | (strong || owned_only ? 0 : EFFECT_REWRITTEN), err) < 0)
        return -1;
    return owned_by(work, *at, err);
}

#define DOMAIN_USERS                                                                               \
    "SELECT a.attrelid FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid AND c.relkind "   \
    "IN ('r', 'm', 'p') WHERE a.atttypid = to_regtype(?) AND NOT a.attisdropped"

static int alter_domain(struct effect_work *work, const struct rule *rule, struct reading *at,
                        struct error *err)
{
    SCOPED(string) char *name = reading_take_name(at);
    bool checks = reading_is(at, "SET NOT NULL") || reading_is(at, "VALIDATE") ||
                  (reading_is(at, "ADD") && !reading_has(at, "NOT VALID"));
    if (!name || !checks)
        return 0;
    return catalog_touch(work, rule->lock, EFFECT_SCANNED, DOMAIN_USERS, name, NULL, err);
}

static int alter_type(struct effect_work *work, const struct rule *rule, struct reading *at,
                      struct error *err)
{
    SCOPED(string) char *name = reading_take_name(at);
    bool attributes = reading_has(at, "ATTRIBUTE");
    bool cascade = reading_has(at, "CASCADE");
    if (!name || !attributes)
        return 0;
    if (catalog_touch_name(work, name, rule->lock, EFFECT_ONLY, err) < 0)
        return -1;
    if (!cascade)
        return 0;
    return catalog_touch(work, rule->lock, 0,
                         "SELECT oid FROM pg_class WHERE reloftype = to_regtype(?)", name, NULL,
                         err);
}

static int create_function(struct effect_work *work, const struct rule *rule, struct reading *at,
                           struct error *err)
{
    (void)rule;
    if (!reading_has(at, "BEGIN ATOMIC"))
        return 0;
    return effects_sources(work, *at, LOCK_ACCESS_SHARE, EFFECT_ONLY, err);
}

static int create_statistics(struct effect_work *work, const struct rule *rule, struct reading *at,
                             struct error *err)
{
    if (!reading_find(at, "FROM"))
        return 0;
    at->at++;
    return on_name(work, rule, at, err);
}

static int publication(struct effect_work *work, const struct rule *rule, struct reading *at,
                       struct error *err)
{
    if (!reading_find(at, "TABLE"))
        return 0;
    at->at++;
    return on_names(work, rule, at, err);
}

static int alter_table(struct effect_work *work, const struct rule *rule, struct reading *at,
                       struct error *err)
{
    (void)rule;
    return effects_alter_table(work, at, false, err);
}

/* ---- rows ---- */

/* What foreign keys look at when rows come, change or go. */
static int foreign_rows(struct effect_work *work, const char *name, bool goes, struct error *err)
{
    if (!goes)
        return catalog_touch(work, LOCK_ROW_SHARE, 0,
                             "SELECT confrelid FROM pg_constraint WHERE contype = 'f' AND conrelid "
                             "= to_regclass(?)",
                             name, NULL, err);
    if (catalog_touch(work, LOCK_ROW_SHARE, 0,
                      "SELECT conrelid FROM pg_constraint WHERE contype = 'f' AND confdeltype IN "
                      "('a', 'r') AND confrelid = to_regclass(?)",
                      name, NULL, err) < 0)
        return -1;
    return catalog_touch(work, LOCK_ROW_EXCLUSIVE, 0,
                         "SELECT conrelid FROM pg_constraint WHERE contype = 'f' AND confdeltype "
                         "NOT IN ('a', 'r') AND confrelid = to_regclass(?)",
                         name, NULL, err);
}

static int write_table(struct effect_work *work, struct reading *at, bool reads, struct error *err)
{
    bool only = reading_take(at, "ONLY");
    SCOPED(string) char *name = reading_take_name(at);
    if (!name)
        return 0;
    return catalog_touch_name(work, name, LOCK_ROW_EXCLUSIVE,
                              (reads ? EFFECT_SCANNED : EFFECT_ONLY) | (only ? EFFECT_ONLY : 0),
                              err);
}

/* Columns that an INSERT leaves to their defaults: the sequences that those draw from. */
static int default_sequences(struct effect_work *work, const char *name, struct reading at,
                             struct error *err)
{
    SCOPED(buf) struct buf given = BUF_INIT;
    struct reading columns = reading_take_parentheses(&at);
    struct reading column;
    if (columns.at == columns.end && !reading_is(&at, "DEFAULT VALUES"))
        return 0;
    buf_append_text(&given, "''");
    while (reading_take_item(&columns, &column)) {
        SCOPED(string) char *written = reading_take_name(&column);
        SCOPED(string) char *plain = name_plain(DB_POSTGRES, written ? written : "");
        buf_append_text(&given, ", ");
        db_quote_literal(DB_POSTGRES, &given, plain, strlen(plain));
    }
    SCOPED(string)
    char *sql = mem_format(
        "SELECT s.oid FROM pg_attribute a LEFT JOIN pg_attrdef f ON f.adrelid = a.attrelid AND "
        "f.adnum = a.attnum JOIN pg_depend d ON (d.classid = 'pg_attrdef'::regclass AND d.objid = "
        "f.oid AND d.refclassid = 'pg_class'::regclass) OR (d.classid = 'pg_class'::regclass AND "
        "d.refclassid = 'pg_class'::regclass AND d.refobjid = a.attrelid AND d.refobjsubid = "
        "a.attnum AND d.deptype = 'i') JOIN pg_class s ON s.relkind = 'S' AND s.oid IN (d.objid, "
        "d.refobjid) WHERE a.attrelid = to_regclass(?) AND NOT a.attisdropped AND a.attname NOT IN "
        "(%s)",
        given.data);
    return catalog_touch(work, LOCK_ROW_EXCLUSIVE, EFFECT_ONLY, sql, name, NULL, err);
}

/* INSERT, UPDATE, DELETE, MERGE: what is written, and what is read for it. Unless it `runs` it is
 * only looked up. */
static int write_to(struct effect_work *work, struct reading at, bool runs, struct error *err)
{
    bool inserts = reading_take(&at, "INSERT INTO") || reading_take(&at, "MERGE INTO");
    bool updates = !inserts && reading_take(&at, "UPDATE");
    bool deletes = !inserts && !updates && reading_take(&at, "DELETE FROM");
    struct reading target = at;
    if ((inserts || updates || deletes) && write_table(work, &at, runs && !inserts, err) < 0)
        return -1;
    SCOPED(string) char *name = reading_take_name(&target);
    if (name && inserts && runs && default_sequences(work, name, target, err) < 0)
        return -1;
    if (name && runs && (inserts || deletes) && foreign_rows(work, name, deletes, err) < 0)
        return -1;
    if (name && runs && (updates || deletes))
        effect_say(&work->effect->lost, deletes ? "rows of %s" : "old values in %s", name);
    struct reading using = at;
    static const struct rule other = {.lock = LOCK_ACCESS_SHARE, .flags = EFFECT_ONLY};
    if (deletes && reading_take(&using, "USING") && on_names(work, &other, &using, err) < 0)
        return -1;
    if (effects_sources(work, at, LOCK_ACCESS_SHARE, runs ? EFFECT_WHOLE : 0, err) < 0)
        return -1;
    return runs ? effects_sequences(work, at, err) : 0;
}

static int rows(struct effect_work *work, const struct rule *rule, struct reading *at,
                struct error *err)
{
    struct reading all = reading_of(at->phrase);
    (void)rule;
    if (reading_is(&all, "WITH")) {
        struct reading found = all;
        if (reading_find(&found, "INSERT INTO") || reading_find(&found, "UPDATE") ||
            reading_find(&found, "DELETE FROM")) {
            if (effects_sources(work, all, LOCK_ACCESS_SHARE, EFFECT_WHOLE, err) < 0)
                return -1;
            return write_to(work, found, true, err);
        }
    }
    return write_to(work, all, true, err);
}

static int select_rows(struct effect_work *work, const struct rule *rule, struct reading *at,
                       struct error *err)
{
    bool locks = reading_has(at, "FOR UPDATE") || reading_has(at, "FOR SHARE") ||
                 reading_has(at, "FOR NO KEY UPDATE") || reading_has(at, "FOR KEY SHARE");
    (void)rule;
    if (effects_sources(work, *at, locks ? LOCK_ROW_SHARE : LOCK_ACCESS_SHARE, EFFECT_WHOLE, err) <
        0)
        return -1;
    return effects_sequences(work, *at, err);
}

static int copy(struct effect_work *work, const struct rule *rule, struct reading *at,
                struct error *err)
{
    if (reading_is(at, "("))
        return effects_sources(work, *at, LOCK_ACCESS_SHARE, EFFECT_WHOLE, err);
    struct reading direction = *at;
    const struct rule table = {
        .lock = reading_find(&direction, "FROM") ? LOCK_ROW_EXCLUSIVE : LOCK_ACCESS_SHARE,
        .flags = EFFECT_ONLY,
    };
    (void)rule;
    return on_name(work, &table, at, err);
}

static int lock_table(struct effect_work *work, const struct rule *rule, struct reading *at,
                      struct error *err)
{
    static const struct lock_word {
        const char *words;
        enum effect_lock lock;
    } modes[] = {
        {"IN ACCESS SHARE MODE", LOCK_ACCESS_SHARE},
        {"IN ROW SHARE MODE", LOCK_ROW_SHARE},
        {"IN ROW EXCLUSIVE MODE", LOCK_ROW_EXCLUSIVE},
        {"IN SHARE UPDATE EXCLUSIVE MODE", LOCK_SHARE_UPDATE_EXCLUSIVE},
        {"IN SHARE MODE", LOCK_SHARE},
        {"IN SHARE ROW EXCLUSIVE MODE", LOCK_SHARE_ROW_EXCLUSIVE},
        {"IN EXCLUSIVE MODE", LOCK_EXCLUSIVE},
    };
    struct rule names = *rule;
    for (size_t i = 0; i < ARRAY_SIZE(modes); i++)
        if (reading_has(at, modes[i].words))
            names.lock = modes[i].lock;
    reading_take(at, "TABLE");
    return on_names(work, &names, at, err);
}

static int do_block(struct effect_work *work, const struct rule *rule, struct reading *at,
                    struct error *err)
{
    (void)rule, (void)at, (void)err;
    effect_say(&work->effect->notes, "what the block does is not looked into");
    return 0;
}

/* ---- which statement ---- */

#define ALL LOCK_ACCESS_EXCLUSIVE

/* The longer words come first. OR REPLACE, UNIQUE, TEMPORARY and their kind are skipped before. */
static const struct rule rules[] = {
    {"ALTER TABLE ALL", nothing, LOCK_NONE, 0, NULL},
    {"ALTER TABLE", alter_table, LOCK_NONE, 0, NULL},
    {"ALTER FOREIGN TABLE", alter_table, LOCK_NONE, 0, NULL},
    {"ALTER INDEX", alter_index, LOCK_NONE, 0, NULL},
    {"ALTER VIEW", alter_table, LOCK_NONE, 0, NULL},
    {"ALTER MATERIALIZED VIEW", alter_table, LOCK_NONE, 0, NULL},
    {"ALTER SEQUENCE", alter_sequence, LOCK_SHARE_ROW_EXCLUSIVE, 0, NULL},
    {"ALTER DOMAIN", alter_domain, LOCK_SHARE, 0, NULL},
    {"ALTER TYPE", alter_type, ALL, 0, NULL},
    {"ALTER POLICY", create_policy, ALL, EFFECT_ONLY, NULL},
    {"ALTER TRIGGER", on_table, ALL, 0, NULL},
    {"ALTER RULE", on_table, ALL, EFFECT_ONLY, NULL},
    {"ALTER PUBLICATION", publication, LOCK_SHARE_UPDATE_EXCLUSIVE, 0, NULL},
    {"CREATE TABLE", create_table, LOCK_NONE, 0, NULL},
    {"CREATE FOREIGN TABLE", create_table, LOCK_NONE, 0, NULL},
    {"CREATE VIEW", create_view, LOCK_NONE, EFFECT_ONLY, NULL},
    {"CREATE MATERIALIZED VIEW", create_table, LOCK_NONE, 0, NULL},
    {"CREATE INDEX", create_index, LOCK_SHARE, 0, NULL},
    {"CREATE TRIGGER", create_trigger, LOCK_SHARE_ROW_EXCLUSIVE, 0, NULL},
    {"CREATE CONSTRAINT TRIGGER", create_trigger, LOCK_SHARE_ROW_EXCLUSIVE, 0, NULL},
    {"CREATE RULE", create_rule, ALL, EFFECT_ONLY, NULL},
    {"CREATE POLICY", create_policy, ALL, EFFECT_ONLY, NULL},
    {"CREATE SEQUENCE", create_sequence, LOCK_NONE, 0, NULL},
    {"CREATE STATISTICS", create_statistics, LOCK_SHARE_UPDATE_EXCLUSIVE, EFFECT_ONLY, NULL},
    {"CREATE PUBLICATION", publication, LOCK_SHARE_UPDATE_EXCLUSIVE, 0, NULL},
    {"CREATE FUNCTION", create_function, LOCK_NONE, 0, NULL},
    {"CREATE PROCEDURE", create_function, LOCK_NONE, 0, NULL},
    {"DROP TABLE", drop, ALL, EFFECT_EMPTIED, START_CLASS},
    {"DROP FOREIGN TABLE", drop, ALL, 0, START_CLASS},
    {"DROP VIEW", drop, ALL, 0, START_CLASS},
    {"DROP MATERIALIZED VIEW", drop, ALL, 0, START_CLASS},
    {"DROP SEQUENCE", drop, ALL, 0, START_CLASS},
    {"DROP INDEX", drop, ALL, 0, START_CLASS},
    {"DROP SCHEMA", drop, LOCK_NONE, 0, START_SCHEMA},
    {"DROP TYPE", drop, LOCK_NONE, 0, START_TYPE},
    {"DROP DOMAIN", drop, LOCK_NONE, 0, START_TYPE},
    {"DROP FUNCTION", drop, LOCK_NONE, 0, START_FUNCTION},
    {"DROP PROCEDURE", drop, LOCK_NONE, 0, START_FUNCTION},
    {"DROP ROUTINE", drop, LOCK_NONE, 0, START_FUNCTION},
    {"DROP EXTENSION", drop, LOCK_NONE, 0, START_EXTENSION},
    {"DROP STATISTICS", drop, LOCK_NONE, 0, START_STATISTICS},
    {"DROP TRIGGER", on_table, ALL, 0, NULL},
    {"DROP RULE", on_table, ALL, EFFECT_ONLY, NULL},
    {"DROP POLICY", on_table, ALL, EFFECT_ONLY, NULL},
    {"COMMENT ON TABLE", on_name, LOCK_SHARE_UPDATE_EXCLUSIVE, EFFECT_ONLY, NULL},
    {"COMMENT ON VIEW", on_name, LOCK_SHARE_UPDATE_EXCLUSIVE, EFFECT_ONLY, NULL},
    {"COMMENT ON MATERIALIZED VIEW", on_name, LOCK_SHARE_UPDATE_EXCLUSIVE, EFFECT_ONLY, NULL},
    {"COMMENT ON FOREIGN TABLE", on_name, LOCK_SHARE_UPDATE_EXCLUSIVE, EFFECT_ONLY, NULL},
    {"COMMENT ON INDEX", on_name, LOCK_SHARE_UPDATE_EXCLUSIVE, EFFECT_ONLY, NULL},
    {"COMMENT ON SEQUENCE", on_name, LOCK_SHARE_UPDATE_EXCLUSIVE, EFFECT_ONLY, NULL},
    {"COMMENT ON COLUMN", comment_column, LOCK_SHARE_UPDATE_EXCLUSIVE, EFFECT_ONLY, NULL},
    {"COMMENT ON CONSTRAINT", on_table, LOCK_ACCESS_SHARE, EFFECT_ONLY, NULL},
    {"COMMENT ON TRIGGER", on_table, LOCK_ACCESS_SHARE, EFFECT_ONLY, NULL},
    {"COMMENT ON RULE", on_table, LOCK_ACCESS_SHARE, EFFECT_ONLY, NULL},
    {"COMMENT ON POLICY", on_table, LOCK_ACCESS_SHARE, EFFECT_ONLY, NULL},
    {"TRUNCATE", truncate_table, ALL, EFFECT_REWRITTEN | EFFECT_EMPTIED, NULL},
    {"REINDEX", reindex, LOCK_NONE, 0, NULL},
    {"CLUSTER", cluster, ALL, EFFECT_REWRITTEN | EFFECT_SCANNED | EFFECT_ONLY, NULL},
    {"VACUUM", vacuum, LOCK_SHARE_UPDATE_EXCLUSIVE, EFFECT_SCANNED, NULL},
    {"ANALYZE", vacuum, LOCK_SHARE_UPDATE_EXCLUSIVE, 0, NULL},
    {"REFRESH MATERIALIZED VIEW", refresh, LOCK_NONE, 0, NULL},
    {"LOCK", lock_table, ALL, 0, NULL},
    {"COPY", copy, LOCK_ROW_EXCLUSIVE, 0, NULL},
    {"INSERT", rows, LOCK_NONE, 0, NULL},
    {"UPDATE", rows, LOCK_NONE, 0, NULL},
    {"DELETE", rows, LOCK_NONE, 0, NULL},
    {"MERGE", rows, LOCK_NONE, 0, NULL},
    {"WITH", rows, LOCK_NONE, 0, NULL},
    {"SELECT", select_rows, LOCK_NONE, 0, NULL},
    {"DO", do_block, LOCK_NONE, 0, NULL},
    {"CALL", do_block, LOCK_NONE, 0, NULL},
};

/* CREATE [OR REPLACE] [UNIQUE] [TEMPORARY] TABLE reads as CREATE TABLE. */
static bool take_words(struct reading *at, const char *words)
{
    static const char *const skipped[] = {"OR REPLACE", "UNIQUE",    "GLOBAL",
                                          "LOCAL",      "TEMPORARY", "TEMP",
                                          "UNLOGGED",   "RECURSIVE", NULL};
    if (reading_take(at, words))
        return true;
    if (!text_starts(words, "CREATE ") || !reading_is(at, "CREATE"))
        return false;
    struct reading copy = *at;
    copy.at++;
    for (size_t i = 0; skipped[i]; i++)
        reading_take(&copy, skipped[i]);
    if (!reading_take(&copy, words + strlen("CREATE ")))
        return false;
    *at = copy;
    return true;
}

int effects_postgres(struct effect_work *work, struct error *err)
{
    struct reading at = reading_of(work->phrase);
    for (size_t i = 0; i < ARRAY_SIZE(rules); i++)
        if (take_words(&at, rules[i].words))
            return rules[i].apply(work, &rules[i], &at, err);
    return 0;
}
