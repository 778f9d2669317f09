/*
 * MySQL and MariaDB: DDL commits by itself and holds a metadata lock; what matters is the algorithm
 * that the server chooses for InnoDB, and what others can do to the table meanwhile.
 *
 * The rules are MariaDB 10.11's; the system test of the plan asks a server for each form. Where
 * MySQL 8 differs its own rule stands beside.
 */
#include "base/error.h"
#include "db/db.h"
#include "migrate/effects_alter_mysql.h"
#include "migrate/effects_query.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- tables ---- */

static int64_t number_of(const struct db_value *value)
{
    if (value->type == DB_TEXT)
        return strtoll(value->text, NULL, 10);
    return value->type == DB_INTEGER ? value->integer : -1;
}

static int on_size(void *context, const struct db_value *columns, size_t count, struct error *err)
{
    (void)count, (void)err;
    struct effect_table *table = context;
    table->rows = number_of(&columns[0]);
    table->bytes = number_of(&columns[1]);
    return 1;
}

int mysql_touch(struct effect_work *work, const char *name, enum effect_lock lock, unsigned flags,
                struct error *err)
{
    struct effects *effects = work->effects;
    struct effect_table *table = effect_add(work->effect, name, "table", lock, flags);
    SCOPED(string) char *plain = name_plain(DB_MYSQL, name);
    table->fresh = effects_makes(effects, name);
    if (table->fresh)
        table->rows = table->bytes = 0;
    if (!table->fresh && (flags & EFFECT_EMPTIED))
        effect_say(&work->effect->lost, "all rows of %s", name);
    if (table->fresh || !effects->db)
        return 0;
    const struct db_value parameters[] = {db_text(plain)};
    return db_query(effects->db,
                    "SELECT table_rows, data_length + index_length FROM information_schema.tables "
                    "WHERE table_schema = DATABASE() AND table_name = ?",
                    parameters, 1, on_size, table, err) < 0
               ? -1
               : 0;
}

static int touch_names(struct effect_work *work, struct cursor *at, enum effect_lock lock,
                       unsigned flags, struct error *err)
{
    struct cursor item;
    while (cursor_item(at, &item)) {
        SCOPED(string) char *name = cursor_written_name(&item);
        if (name && mysql_touch(work, name, lock, flags, err) < 0)
            return -1;
    }
    return 0;
}

/* ---- statements ---- */

/* OR REPLACE on a table that is there drops it first. */
static int create_table(struct effect_work *work, struct cursor *at, bool replaces,
                        struct error *err)
{
    cursor_take(at, "IF NOT EXISTS");
    SCOPED(string) char *name = cursor_written_name(at);
    if (!name)
        return 0;
    if (replaces && mysql_touch(work, name, LOCK_ACCESS_EXCLUSIVE, EFFECT_EMPTIED, err) < 0)
        return -1;
    effects_made(work->effects, name);
    struct cursor query = *at;
    if (cursor_take(&query, "LIKE")) {
        SCOPED(string) char *other = cursor_written_name(&query);
        return other ? mysql_touch(work, other, LOCK_ACCESS_SHARE, 0, err) : 0;
    }
    return cursor_mentions(&query, "SELECT")
               ? effects_sources(work, query, LOCK_ACCESS_SHARE, EFFECT_WHOLE, err)
               : 0;
}

static int drop_tables(struct effect_work *work, struct cursor *at, struct error *err)
{
    struct cursor item;
    cursor_take(at, "IF EXISTS");
    while (cursor_item(at, &item)) {
        SCOPED(string) char *name = cursor_written_name(&item);
        bool fresh = name && effects_makes(work->effects, name);
        if (!name)
            continue;
        if (mysql_touch(work, name, LOCK_ACCESS_EXCLUSIVE, 0, err) < 0)
            return -1;
        if (!fresh)
            effect_say(&work->effect->lost, "table %s", name);
        effects_dropped(work->effects, name);
    }
    return 0;
}

static int rename_tables(struct effect_work *work, struct cursor *at, struct error *err)
{
    struct cursor item;
    while (cursor_item(at, &item)) {
        SCOPED(string) char *from = cursor_written_name(&item);
        cursor_take(&item, "TO");
        SCOPED(string) char *to = cursor_written_name(&item);
        if (!from || !to)
            continue;
        if (mysql_touch(work, from, LOCK_ACCESS_EXCLUSIVE, 0, err) < 0)
            return -1;
        if (effects_makes(work->effects, from))
            effects_made(work->effects, to);
    }
    return 0;
}

static int on_table(struct effect_work *work, struct cursor *at, enum effect_lock lock,
                    struct error *err)
{
    if (!cursor_pass(at, "ON"))
        return 0;
    SCOPED(string) char *name = cursor_written_name(at);
    return name ? mysql_touch(work, name, lock, 0, err) : 0;
}

static int write_rows(struct effect_work *work, struct cursor *at, const char *lost,
                      struct error *err)
{
    static const char *const skipped[] = {"LOW_PRIORITY", "DELAYED", "QUICK", "IGNORE",
                                          "INTO",         "FROM",    NULL};
    for (size_t i = 0; skipped[i]; i++)
        cursor_take(at, skipped[i]);
    SCOPED(string) char *name = cursor_written_name(at);
    if (!name)
        return 0;
    if (mysql_touch(work, name, LOCK_ROW_EXCLUSIVE, lost ? EFFECT_SCANNED : 0, err) < 0)
        return -1;
    if (lost && !effects_makes(work->effects, name))
        effect_say(&work->effect->lost, "%s %s", lost, name);
    return effects_sources(work, *at, LOCK_ACCESS_SHARE, EFFECT_WHOLE, err);
}

static int create(struct effect_work *work, struct cursor *at, struct error *err)
{
    bool replaces = cursor_take(at, "OR REPLACE");
    struct cursor index = *at;
    if (cursor_take(at, "TEMPORARY TABLE") || cursor_take(at, "TABLE"))
        return create_table(work, at, replaces, err);
    if (cursor_take(&index, "UNIQUE") || cursor_take(&index, "FULLTEXT") ||
        cursor_take(&index, "SPATIAL") || cursor_is(&index, "INDEX"))
        return mysql_create_index(work, at, err);
    if (cursor_take(at, "TRIGGER"))
        return on_table(work, at, LOCK_ACCESS_EXCLUSIVE, err);
    if (cursor_mentions(at, "VIEW"))
        return effects_sources(work, *at, LOCK_ACCESS_SHARE, 0, err);
    return 0;
}

static int drop(struct effect_work *work, struct cursor *at, struct error *err)
{
    if (cursor_take(at, "TEMPORARY TABLE") || cursor_take(at, "TABLES") || cursor_take(at, "TABLE"))
        return drop_tables(work, at, err);
    if (cursor_take(at, "INDEX"))
        return mysql_drop_index(work, at, err);
    if (cursor_take(at, "DATABASE") || cursor_take(at, "SCHEMA")) {
        cursor_take(at, "IF EXISTS");
        SCOPED(string) char *name = cursor_written_name(at);
        effect_say(&work->effect->lost, "everything in %s", name ? name : "it");
    }
    return 0;
}

/* A metadata lock of somebody else must not hold up looking. */
static int look_only(struct effect_work *work, struct error *err)
{
    if (!work->effects->db)
        return 0;
    return db_execute(work->effects->db, "SET SESSION lock_wait_timeout = 1", NULL, 0, NULL, err);
}

int effects_mysql(struct effect_work *work, struct error *err)
{
    struct cursor at = cursor_over(work->tokens);
    if (look_only(work, err) < 0)
        return -1;
    if (cursor_take(&at, "ALTER TABLE") || cursor_take(&at, "ALTER ONLINE TABLE") ||
        cursor_take(&at, "ALTER IGNORE TABLE"))
        return mysql_alter_table(work, &at, err);
    if (cursor_take(&at, "CREATE"))
        return create(work, &at, err);
    if (cursor_take(&at, "DROP"))
        return drop(work, &at, err);
    if (cursor_take(&at, "RENAME TABLE"))
        return rename_tables(work, &at, err);
    if (cursor_take(&at, "TRUNCATE")) {
        cursor_take(&at, "TABLE");
        return touch_names(work, &at, LOCK_ACCESS_EXCLUSIVE, EFFECT_REWRITTEN | EFFECT_EMPTIED,
                           err);
    }
    if (cursor_take(&at, "OPTIMIZE TABLE") || cursor_take(&at, "REPAIR TABLE"))
        return touch_names(work, &at, LOCK_ACCESS_EXCLUSIVE, EFFECT_REWRITTEN | EFFECT_SCANNED,
                           err);
    if (cursor_take(&at, "ANALYZE TABLE") || cursor_take(&at, "CHECK TABLE"))
        return touch_names(work, &at, LOCK_ACCESS_SHARE, EFFECT_SCANNED, err);
    if (cursor_take(&at, "INSERT") || cursor_take(&at, "REPLACE"))
        return write_rows(work, &at, NULL, err);
    if (cursor_take(&at, "UPDATE"))
        return write_rows(work, &at, "old values in", err);
    if (cursor_take(&at, "DELETE"))
        return write_rows(work, &at, "rows of", err);
    if (cursor_is(&at, "SELECT") || cursor_is(&at, "WITH"))
        return effects_sources(work, at, LOCK_ACCESS_SHARE, EFFECT_WHOLE, err);
    return 0;
}
