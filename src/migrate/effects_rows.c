#include "migrate/effects_rows.h"

#include "db/db.h"
#include "migrate/effects_catalog.h"
#include "migrate/effects_query.h"

#include <string.h>

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

static int write_table(struct effect_work *work, struct cursor *at, bool reads, struct error *err)
{
    bool only = cursor_take(at, "ONLY");
    SCOPED(string) char *name = cursor_written_name(at);
    if (!name)
        return 0;
    return catalog_touch_name(work, name, LOCK_ROW_EXCLUSIVE,
                              (reads ? EFFECT_SCANNED : EFFECT_ONLY) | (only ? EFFECT_ONLY : 0),
                              err);
}

/* Columns that an INSERT leaves to their defaults: the sequences that those draw from. */
static int default_sequences(struct effect_work *work, const char *name, struct cursor at,
                             struct error *err)
{
    SCOPED(buf) struct buf given = BUF_INIT;
    struct cursor columns = cursor_group(&at);
    struct cursor column;
    if (columns.at == columns.end && !cursor_is(&at, "DEFAULT VALUES"))
        return 0;
    buf_append_text(&given, "''");
    while (cursor_item(&columns, &column)) {
        SCOPED(string) char *written = cursor_written_name(&column);
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

int effects_write(struct effect_work *work, struct cursor at, bool runs, struct error *err)
{
    bool inserts = cursor_take(&at, "INSERT INTO") || cursor_take(&at, "MERGE INTO");
    bool updates = !inserts && cursor_take(&at, "UPDATE");
    bool deletes = !inserts && !updates && cursor_take(&at, "DELETE FROM");
    struct cursor target = at;
    if ((inserts || updates || deletes) && write_table(work, &at, runs && !inserts, err) < 0)
        return -1;
    SCOPED(string) char *name = cursor_written_name(&target);
    if (name && inserts && runs && default_sequences(work, name, target, err) < 0)
        return -1;
    if (name && runs && (inserts || deletes) && foreign_rows(work, name, deletes, err) < 0)
        return -1;
    if (name && runs && (updates || deletes))
        effect_say(&work->effect->lost, deletes ? "rows of %s" : "old values in %s", name);
    struct cursor using = at;
    static const struct effect_rule other = {.lock = LOCK_ACCESS_SHARE, .flags = EFFECT_ONLY};
    if (deletes && cursor_take(&using, "USING") && effects_on_names(work, &other, &using, err) < 0)
        return -1;
    if (effects_sources(work, at, LOCK_ACCESS_SHARE, runs ? EFFECT_WHOLE : 0, err) < 0)
        return -1;
    return runs ? effects_sequences(work, at, err) : 0;
}

int effects_write_rows(struct effect_work *work, const struct effect_rule *rule, struct cursor *at,
                       struct error *err)
{
    struct cursor all = cursor_over(at->tokens);
    (void)rule;
    if (cursor_is(&all, "WITH")) {
        struct cursor found = all;
        if (cursor_seek(&found, "INSERT INTO") || cursor_seek(&found, "UPDATE") ||
            cursor_seek(&found, "DELETE FROM")) {
            if (effects_sources(work, all, LOCK_ACCESS_SHARE, EFFECT_WHOLE, err) < 0)
                return -1;
            return effects_write(work, found, true, err);
        }
    }
    return effects_write(work, all, true, err);
}

int effects_select_rows(struct effect_work *work, const struct effect_rule *rule, struct cursor *at,
                        struct error *err)
{
    bool locks = cursor_mentions(at, "FOR UPDATE") || cursor_mentions(at, "FOR SHARE") ||
                 cursor_mentions(at, "FOR NO KEY UPDATE") || cursor_mentions(at, "FOR KEY SHARE");
    (void)rule;
    if (effects_sources(work, *at, locks ? LOCK_ROW_SHARE : LOCK_ACCESS_SHARE, EFFECT_WHOLE, err) <
        0)
        return -1;
    return effects_sequences(work, *at, err);
}

int effects_copy_rows(struct effect_work *work, const struct effect_rule *rule, struct cursor *at,
                      struct error *err)
{
    if (cursor_is(at, "("))
        return effects_sources(work, *at, LOCK_ACCESS_SHARE, EFFECT_WHOLE, err);
    struct cursor direction = *at;
    const struct effect_rule table = {
        .lock = cursor_seek(&direction, "FROM") ? LOCK_ROW_EXCLUSIVE : LOCK_ACCESS_SHARE,
        .flags = EFFECT_ONLY,
    };
    (void)rule;
    return effects_on_name(work, &table, at, err);
}
