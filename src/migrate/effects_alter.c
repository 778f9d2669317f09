#include "migrate/effects_alter.h"

#include "base/error.h"
#include "migrate/effects_catalog.h"
#include "migrate/effects_column.h"

#include <string.h>

/* One ALTER TABLE. */
struct alter {
    struct effect_work *work;
    char *name;
    enum effect_lock lock;
    unsigned flags;
    bool children; /* an action goes down to them */
};

enum { ALTER_RECURSES = 1 << 16 };

static void need(struct alter *alter, enum effect_lock lock, unsigned flags)
{
    if (lock > alter->lock)
        alter->lock = lock;
    alter->flags |= flags & 0xffff;
    alter->children |= (flags & ALTER_RECURSES) != 0;
}

/* ---- options ---- */

static enum effect_lock option_lock(struct cursor options)
{
    static const char *const gentle[] = {"fillfactor",
                                         "toast_tuple_target",
                                         "parallel_workers",
                                         "vacuum_index_cleanup",
                                         "vacuum_truncate",
                                         "deduplicate_items",
                                         "n_distinct",
                                         "n_distinct_inherited",
                                         "log_autovacuum_min_duration",
                                         NULL};
    enum effect_lock lock = LOCK_SHARE_UPDATE_EXCLUSIVE;
    struct cursor item;
    while (cursor_item(&options, &item)) {
        SCOPED(string) char *written = cursor_written_name(&item);
        SCOPED(string) char *name = name_plain(DB_POSTGRES, written ? written : "");
        bool known = text_starts(name, "autovacuum_");
        for (size_t i = 0; gentle[i]; i++)
            known |= strcmp(name, gentle[i]) == 0;
        if (!known)
            lock = LOCK_ACCESS_EXCLUSIVE;
    }
    return lock;
}

/* ---- constraints ---- */

/* The other table of a foreign key. `scanned`: the rows that are there are checked. */
static int refer(struct alter *alter, struct cursor *at, unsigned flags, struct error *err)
{
    SCOPED(string) char *other = cursor_written_name(at);
    if (!other)
        return 0;
    return catalog_touch_name(alter->work, other, LOCK_SHARE_ROW_EXCLUSIVE, flags, err);
}

static int add_foreign_key(struct alter *alter, struct cursor *item, struct error *err)
{
    unsigned flags = cursor_mentions(item, "NOT VALID") ? 0 : EFFECT_SCANNED;
    need(alter, LOCK_SHARE_ROW_EXCLUSIVE, flags | ALTER_RECURSES);
    if (!cursor_pass(item, "REFERENCES"))
        return 0;
    return refer(alter, item, flags, err);
}

/* A primary key needs NOT NULL: made from an index, the table is read for it unless each column
 * has it. */
static int add_from_index(struct alter *alter, struct cursor *item, bool primary, struct error *err)
{
    SCOPED(string) char *index = cursor_written_name(item);
    need(alter, LOCK_ACCESS_EXCLUSIVE, 0);
    if (!index ||
        catalog_touch_name(alter->work, index, LOCK_SHARE_UPDATE_EXCLUSIVE, EFFECT_ONLY, err) < 0)
        return index ? -1 : 0;
    int open = catalog_is(alter->work,
                          "EXISTS (SELECT FROM pg_index x JOIN pg_attribute a ON a.attrelid = "
                          "x.indrelid AND a.attnum = ANY (x.indkey::int2[]) AND NOT a.attnotnull "
                          "WHERE x.indexrelid = to_regclass(?))",
                          index, NULL, err);
    if (primary && open > 0)
        need(alter, LOCK_ACCESS_EXCLUSIVE, EFFECT_SCANNED);
    return open < 0 ? -1 : 0;
}

/* `item` is behind ADD [CONSTRAINT name]. 1 when it is a constraint, 0, -1. */
static int add_constraint(struct alter *alter, struct cursor *item, struct error *err)
{
    bool primary = cursor_is(item, "PRIMARY KEY");
    if (cursor_is(item, "FOREIGN KEY"))
        return add_foreign_key(alter, item, err) < 0 ? -1 : 1;
    if (cursor_is(item, "CHECK")) {
        need(alter, LOCK_ACCESS_EXCLUSIVE,
             ALTER_RECURSES | (cursor_mentions(item, "NOT VALID") ? 0 : EFFECT_SCANNED));
        return 1;
    }
    if (!primary && !cursor_is(item, "UNIQUE") && !cursor_is(item, "EXCLUDE"))
        return 0;
    if (!cursor_mentions(item, "USING INDEX TABLESPACE") && cursor_pass(item, "USING INDEX"))
        return add_from_index(alter, item, primary, err) < 0 ? -1 : 1;
    need(alter, LOCK_ACCESS_EXCLUSIVE, EFFECT_SCANNED);
    int partitioned = catalog_is_partitioned(alter->work, alter->name, err);
    if (partitioned > 0)
        need(alter, LOCK_ACCESS_EXCLUSIVE, ALTER_RECURSES);
    return partitioned < 0 ? -1 : 1;
}

#define CONSTRAINT "FROM pg_constraint WHERE conrelid = to_regclass(?) AND conname = ?"

/* Only one that was not validated is. */
static int validate(struct alter *alter, struct cursor *item, struct error *err)
{
    SCOPED(string) char *written = cursor_written_name(item);
    SCOPED(string) char *name = name_plain(DB_POSTGRES, written ? written : "");
    int valid = catalog_is(alter->work, "EXISTS (SELECT " CONSTRAINT " AND convalidated)",
                           alter->name, name, err);
    if (valid < 0)
        return -1;
    need(alter, LOCK_SHARE_UPDATE_EXCLUSIVE, ALTER_RECURSES | (valid ? 0 : EFFECT_SCANNED));
    if (valid)
        return 0;
    return catalog_touch(alter->work, LOCK_ROW_SHARE, EFFECT_SCANNED,
                         "SELECT confrelid " CONSTRAINT, alter->name, name, err);
}

/* From the object that `what` finds by the table's name and its own. */
static int drop_part(struct alter *alter, struct cursor *item, const char *what, struct error *err)
{
    cursor_take(item, "IF EXISTS");
    SCOPED(string) char *written = cursor_written_name(item);
    SCOPED(string) char *name = name_plain(DB_POSTGRES, written ? written : "");
    SCOPED(buf) struct buf start = BUF_INIT;
    struct buf *sql = &start;
    /* The name of the part stands in the subquery as a literal: it is one parameter's place. */
    buf_append_text(sql, what);
    db_quote_literal(DB_POSTGRES, sql, name, strlen(name));
    need(alter, LOCK_ACCESS_EXCLUSIVE, ALTER_RECURSES);
    if (!alter->work->effects->db) {
        if (strstr(what, "pg_attribute"))
            effect_say(&alter->work->effect->lost, "column %s.%s", alter->name, written);
        return 0;
    }
    return catalog_drop(alter->work, start.data, alter->name, cursor_mentions(item, "CASCADE"),
                        err) < 0
               ? -1
               : 0;
}

/* ---- columns ---- */

/* What stands at the end of a new column's definition. */
static int column_constraints(struct alter *alter, struct cursor rest, struct error *err)
{
    bool has_default = cursor_mentions(&rest, "DEFAULT");
    if (cursor_mentions(&rest, "CHECK") || cursor_mentions(&rest, "UNIQUE") ||
        cursor_mentions(&rest, "PRIMARY KEY"))
        need(alter, LOCK_ACCESS_EXCLUSIVE, EFFECT_SCANNED);
    if (!cursor_pass(&rest, "REFERENCES"))
        return 0;
    unsigned flags = has_default ? EFFECT_SCANNED : 0;
    need(alter, LOCK_ACCESS_EXCLUSIVE, flags);
    return refer(alter, &rest, flags, err);
}

static int add_column(struct alter *alter, struct cursor *item, struct error *err)
{
    bool if_not_exists = cursor_take(item, "IF NOT EXISTS");
    SCOPED(string) char *written = cursor_written_name(item);
    SCOPED(string) char *column = name_plain(DB_POSTGRES, written ? written : "");
    unsigned work = 0;
    need(alter, LOCK_ACCESS_EXCLUSIVE, 0);
    int there = catalog_is(alter->work,
                           "EXISTS (SELECT FROM pg_attribute WHERE attrelid = to_regclass(?) AND "
                           "attname = ? AND NOT attisdropped)",
                           alter->name, column, err);
    if (there < 0)
        return -1;
    if (there && if_not_exists)
        return 0;
    if (effects_new_column(alter->work, *item, &work, err) < 0)
        return -1;
    need(alter, LOCK_ACCESS_EXCLUSIVE, ALTER_RECURSES | work);
    return column_constraints(alter, *item, err);
}

static int set_not_null(struct alter *alter, const char *column, struct error *err)
{
    int needless = effects_not_null_known(alter->work, alter->name, column, err);
    if (needless < 0)
        return -1;
    need(alter, LOCK_ACCESS_EXCLUSIVE, ALTER_RECURSES | (needless ? 0 : EFFECT_SCANNED));
    return 0;
}

static int identity_sequence(struct alter *alter, const char *column, enum effect_lock lock,
                             struct error *err)
{
    return catalog_touch(alter->work, lock, 0,
                         "SELECT d.objid FROM pg_depend d JOIN pg_attribute a ON a.attrelid = "
                         "d.refobjid AND a.attnum = d.refobjsubid WHERE d.classid = "
                         "'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND "
                         "d.deptype = 'i' AND d.refobjid = to_regclass(?) AND a.attname = ?",
                         alter->name, column, err);
}

static int alter_type(struct alter *alter, const char *column, struct cursor type,
                      struct error *err)
{
    struct effect_type_change change = {.table = alter->name, .column = column, .type = type};
    if (effects_change_type(alter->work, &change, err) < 0)
        return -1;
    need(alter, LOCK_ACCESS_EXCLUSIVE, ALTER_RECURSES | change.flags);
    return 0;
}

static int alter_column(struct alter *alter, struct cursor *item, struct error *err)
{
    SCOPED(string) char *written = cursor_written_name(item);
    SCOPED(string) char *column = name_plain(DB_POSTGRES, written ? written : "");
    if (cursor_take(item, "TYPE") || cursor_take(item, "SET DATA TYPE"))
        return alter_type(alter, column, *item, err);
    if (cursor_is(item, "SET NOT NULL"))
        return set_not_null(alter, column, err);
    if (cursor_is(item, "SET STATISTICS")) {
        need(alter, LOCK_SHARE_UPDATE_EXCLUSIVE, ALTER_RECURSES);
        return 0;
    }
    if (cursor_is(item, "SET (") || cursor_is(item, "RESET (")) {
        need(alter, LOCK_SHARE_UPDATE_EXCLUSIVE, 0);
        return 0;
    }
    bool drops = cursor_is(item, "DROP IDENTITY");
    bool sets = cursor_is(item, "SET GENERATED") || cursor_is(item, "RESTART") ||
                cursor_is(item, "SET INCREMENT") || cursor_is(item, "SET START");
    bool alone = cursor_is(item, "SET COMPRESSION") || cursor_is(item, "ADD GENERATED");
    need(alter, LOCK_ACCESS_EXCLUSIVE, alone || drops || sets ? 0 : ALTER_RECURSES);
    if (!drops && !sets)
        return 0;
    enum effect_lock lock = drops ? LOCK_ACCESS_EXCLUSIVE : LOCK_SHARE_ROW_EXCLUSIVE;
    return identity_sequence(alter, column, lock, err);
}

/* ---- partitions and parents ---- */

#define DEFAULT_PARTITION                                                                          \
    "SELECT partdefid FROM pg_partitioned_table WHERE partrelid = to_regclass(?) AND partdefid "   \
    "<> 0"

/* The parent's foreign keys come to the new partition, with their locks. */
#define PARENT_REFERS                                                                              \
    "SELECT confrelid FROM pg_constraint WHERE conrelid = to_regclass(?) AND contype = 'f'"

static int attach(struct alter *alter, struct cursor *item, struct error *err)
{
    SCOPED(string) char *partition = cursor_written_name(item);
    need(alter, LOCK_SHARE_UPDATE_EXCLUSIVE, 0);
    if (!partition)
        return 0;
    int implied = effects_partition_implied(alter->work, alter->name, partition, *item, err);
    if (implied < 0 || catalog_touch_name(alter->work, partition, LOCK_ACCESS_EXCLUSIVE,
                                          implied ? 0 : EFFECT_SCANNED, err) < 0)
        return -1;
    unsigned flags = cursor_is(item, "DEFAULT") ? 0 : EFFECT_SCANNED;
    if (catalog_touch(alter->work, LOCK_ACCESS_EXCLUSIVE, flags, DEFAULT_PARTITION, alter->name,
                      NULL, err) < 0 ||
        catalog_touch(alter->work, LOCK_SHARE_ROW_EXCLUSIVE, 0, PARENT_REFERS, alter->name, NULL,
                      err) < 0)
        return -1;
    return 0;
}

static int detach(struct alter *alter, struct cursor *item, struct error *err)
{
    SCOPED(string) char *partition = cursor_written_name(item);
    bool gentle = cursor_mentions(item, "CONCURRENTLY") || cursor_mentions(item, "FINALIZE");
    enum effect_lock lock = gentle ? LOCK_SHARE_UPDATE_EXCLUSIVE : LOCK_ACCESS_EXCLUSIVE;
    need(alter, lock, 0);
    if (!partition)
        return 0;
    /* CONCURRENTLY ends with an ACCESS EXCLUSIVE lock on the partition alone. */
    if (catalog_touch_name(alter->work, partition, LOCK_ACCESS_EXCLUSIVE, EFFECT_ONLY, err) < 0)
        return -1;
    return catalog_touch(alter->work, lock, 0, DEFAULT_PARTITION, alter->name, NULL, err);
}

static int inherit(struct alter *alter, struct cursor *item, bool adds, struct error *err)
{
    SCOPED(string) char *parent = cursor_written_name(item);
    need(alter, LOCK_ACCESS_EXCLUSIVE, 0);
    if (!parent)
        return 0;
    return catalog_touch_name(alter->work, parent,
                              adds ? LOCK_SHARE_UPDATE_EXCLUSIVE : LOCK_ACCESS_SHARE, EFFECT_ONLY,
                              err);
}

/* ---- storage ---- */

/* Rewritten only when it is not that way already; when nobody can tell, it is. */
static int rewrite_unless(struct alter *alter, const char *sql, const char *value,
                          struct error *err)
{
    int already = catalog_is(alter->work, sql, alter->name, value, err);
    if (already < 0)
        return -1;
    need(alter, LOCK_ACCESS_EXCLUSIVE, already ? 0 : EFFECT_REWRITTEN);
    return 0;
}

static int set_storage(struct alter *alter, struct cursor *item, struct error *err)
{
    bool tablespace = cursor_take(item, "SET TABLESPACE");
    if (tablespace || cursor_take(item, "SET ACCESS METHOD")) {
        SCOPED(string) char *written = cursor_written_name(item);
        SCOPED(string) char *name = name_plain(DB_POSTGRES, written ? written : "");
        return rewrite_unless(
            alter,
            tablespace ? "(SELECT coalesce(t.spcname, (SELECT s.spcname FROM pg_database d JOIN "
                         "pg_tablespace s ON s.oid = d.dattablespace WHERE d.datname = "
                         "current_database())) FROM pg_class c LEFT JOIN pg_tablespace t ON t.oid "
                         "= c.reltablespace WHERE c.oid = to_regclass(?)) = ?"
                       : "(SELECT m.amname FROM pg_class c JOIN pg_am m ON m.oid = c.relam WHERE "
                         "c.oid = to_regclass(?)) = ?",
            name, err);
    }
    return rewrite_unless(alter,
                          "(SELECT relpersistence FROM pg_class WHERE oid = to_regclass(?)) = ?",
                          cursor_is(item, "SET LOGGED") ? "p" : "u", err);
}

static int replica_identity(struct alter *alter, struct cursor *item, struct error *err)
{
    need(alter, LOCK_ACCESS_EXCLUSIVE, 0);
    if (!cursor_take(item, "REPLICA IDENTITY USING INDEX"))
        return 0;
    SCOPED(string) char *index = cursor_written_name(item);
    if (!index)
        return 0;
    return catalog_touch_name(alter->work, index, LOCK_SHARE, EFFECT_ONLY, err);
}

/* ---- actions ---- */

/* Those of which the words say all. */
static const struct simple_action {
    const char *words;
    enum effect_lock lock;
    bool recurses;
} simple_actions[] = {
    {"ENABLE ROW LEVEL", LOCK_ACCESS_EXCLUSIVE, false},
    {"DISABLE ROW LEVEL", LOCK_ACCESS_EXCLUSIVE, false},
    {"FORCE ROW", LOCK_ACCESS_EXCLUSIVE, false},
    {"NO FORCE ROW", LOCK_ACCESS_EXCLUSIVE, false},
    {"ENABLE RULE", LOCK_ACCESS_EXCLUSIVE, false},
    {"ENABLE REPLICA RULE", LOCK_ACCESS_EXCLUSIVE, false},
    {"ENABLE ALWAYS RULE", LOCK_ACCESS_EXCLUSIVE, false},
    {"DISABLE RULE", LOCK_ACCESS_EXCLUSIVE, false},
    {"ENABLE", LOCK_SHARE_ROW_EXCLUSIVE, true},
    {"DISABLE", LOCK_SHARE_ROW_EXCLUSIVE, true},
    {"CLUSTER ON", LOCK_SHARE_UPDATE_EXCLUSIVE, false},
    {"SET WITHOUT CLUSTER", LOCK_SHARE_UPDATE_EXCLUSIVE, false},
    {"SET STATISTICS", LOCK_SHARE_UPDATE_EXCLUSIVE, false},
    {"RENAME", LOCK_ACCESS_EXCLUSIVE, false},
    {"ALTER CONSTRAINT", LOCK_ACCESS_EXCLUSIVE, false},
    {"OWNER", LOCK_ACCESS_EXCLUSIVE, false},
    {"SET SCHEMA", LOCK_ACCESS_EXCLUSIVE, false},
    {"OF", LOCK_ACCESS_EXCLUSIVE, false},
    {"NOT OF", LOCK_ACCESS_EXCLUSIVE, false},
};

static int add_something(struct alter *alter, struct cursor *item, struct error *err)
{
    if (cursor_take(item, "CONSTRAINT"))
        mem_free_string(cursor_written_name(item));
    int constraint = add_constraint(alter, item, err);
    if (constraint != 0)
        return constraint < 0 ? -1 : 0;
    cursor_take(item, "COLUMN");
    return add_column(alter, item, err);
}

/* `cluster` and `identity` name an index of their own. */
static int cluster_on(struct alter *alter, struct cursor *item, struct error *err)
{
    need(alter, LOCK_SHARE_UPDATE_EXCLUSIVE, 0);
    SCOPED(string) char *index = cursor_written_name(item);
    if (!index)
        return 0;
    return catalog_touch_name(alter->work, index, LOCK_SHARE_UPDATE_EXCLUSIVE, EFFECT_ONLY, err);
}

#define DROP_CONSTRAINT                                                                            \
    "SELECT 'pg_constraint'::regclass::oid, oid, 0 FROM pg_constraint WHERE conrelid = "           \
    "to_regclass(?) AND conname = "
#define DROP_COLUMN                                                                                \
    "SELECT 'pg_class'::regclass::oid, attrelid, attnum::int FROM pg_attribute WHERE attrelid = "  \
    "to_regclass(?) AND NOT attisdropped AND attname = "

static int alter_action(struct alter *alter, struct cursor *item, struct error *err)
{
    if (cursor_take(item, "ADD"))
        return add_something(alter, item, err);
    if (cursor_take(item, "VALIDATE CONSTRAINT"))
        return validate(alter, item, err);
    if (cursor_take(item, "DROP CONSTRAINT"))
        return drop_part(alter, item, DROP_CONSTRAINT, err);
    if (cursor_take(item, "DROP COLUMN") || cursor_take(item, "DROP"))
        return drop_part(alter, item, DROP_COLUMN, err);
    if (cursor_take(item, "ATTACH PARTITION"))
        return attach(alter, item, err);
    if (cursor_take(item, "DETACH PARTITION"))
        return detach(alter, item, err);
    if (cursor_is(item, "INHERIT") || cursor_is(item, "NO INHERIT")) {
        bool adds = !cursor_take(item, "NO");
        cursor_take(item, "INHERIT");
        return inherit(alter, item, adds, err);
    }
    if (cursor_is(item, "REPLICA IDENTITY"))
        return replica_identity(alter, item, err);
    if (cursor_take(item, "CLUSTER ON"))
        return cluster_on(alter, item, err);
    if (cursor_is(item, "SET TABLESPACE") || cursor_is(item, "SET ACCESS METHOD") ||
        cursor_is(item, "SET LOGGED") || cursor_is(item, "SET UNLOGGED"))
        return set_storage(alter, item, err);
    if (cursor_is(item, "SET (") || cursor_is(item, "RESET (")) {
        item->at++;
        need(alter, option_lock(cursor_group(item)), 0);
        return 0;
    }
    for (size_t i = 0; i < ARRAY_SIZE(simple_actions); i++) {
        const struct simple_action *row = &simple_actions[i];
        if (!cursor_is(item, row->words))
            continue;
        need(alter, row->lock, row->recurses ? ALTER_RECURSES : 0);
        return 0;
    }
    if (cursor_take(item, "ALTER")) {
        cursor_take(item, "COLUMN");
        return alter_column(alter, item, err);
    }
    need(alter, LOCK_ACCESS_EXCLUSIVE, ALTER_RECURSES);
    return 0;
}

/* ---- the statement ---- */

static void follow_rename(struct alter *alter, struct cursor at)
{
    if (!cursor_take(&at, "RENAME TO"))
        return;
    SCOPED(string) char *name = cursor_written_name(&at);
    if (name && effects_makes(alter->work->effects, alter->name))
        effects_made(alter->work->effects, name);
}

static int alter_actions(struct alter *alter, struct cursor *at, struct error *err)
{
    struct cursor item;
    follow_rename(alter, *at);
    if (cursor_is(at, "RENAME") && !cursor_is(at, "RENAME TO") &&
        !cursor_is(at, "RENAME CONSTRAINT"))
        alter->children = true;
    while (cursor_item(at, &item))
        if (alter_action(alter, &item, err) < 0)
            return -1;
    return 0;
}

/* Its own action of an index holds back less. */
static void soften_for_index(struct alter *alter, const struct cursor *at)
{
    if (cursor_is(at, "RENAME") || cursor_is(at, "ALTER"))
        alter->lock = LOCK_SHARE_UPDATE_EXCLUSIVE;
    if (cursor_is(at, "ATTACH"))
        alter->lock = LOCK_ACCESS_EXCLUSIVE;
}

int effects_alter_table(struct effect_work *work, struct cursor *at, bool index, struct error *err)
{
    bool if_exists = cursor_take(at, "IF EXISTS");
    bool only = cursor_take(at, "ONLY");
    SCOPED(string) char *name = cursor_written_name(at);
    if (!name || cursor_is(at, "IN TABLESPACE"))
        return 0;
    cursor_take(at, "*");
    struct alter alter = {.work = work, .name = name};
    const struct cursor actions = *at;
    if (if_exists && work->effects->db && !effects_makes(work->effects, name)) {
        int there = catalog_is(work, "to_regclass(?) IS NOT NULL", name, NULL, err);
        if (there <= 0)
            return there;
    }
    if (alter_actions(&alter, at, err) < 0)
        return -1;
    if (index)
        soften_for_index(&alter, &actions);
    bool all = alter.children && !only;
    return catalog_touch_name(work, name, alter.lock, alter.flags | (all ? 0 : EFFECT_ONLY), err);
}
