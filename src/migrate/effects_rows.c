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

int effects_write(struct effect_work *work, struct reading at, bool runs, struct error *err)
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
    static const struct effect_rule other = {.lock = LOCK_ACCESS_SHARE, .flags = EFFECT_ONLY};
    if (deletes && reading_take(&using, "USING") && effects_on_names(work, &other, &using, err) < 0)
        return -1;
    if (effects_sources(work, at, LOCK_ACCESS_SHARE, runs ? EFFECT_WHOLE : 0, err) < 0)
        return -1;
    return runs ? effects_sequences(work, at, err) : 0;
}

int effects_write_rows(struct effect_work *work, const struct effect_rule *rule, struct reading *at,
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
            return effects_write(work, found, true, err);
        }
    }
    return effects_write(work, all, true, err);
}

int effects_select_rows(struct effect_work *work, const struct effect_rule *rule,
                        struct reading *at, struct error *err)
{
    bool locks = reading_has(at, "FOR UPDATE") || reading_has(at, "FOR SHARE") ||
                 reading_has(at, "FOR NO KEY UPDATE") || reading_has(at, "FOR KEY SHARE");
    (void)rule;
    if (effects_sources(work, *at, locks ? LOCK_ROW_SHARE : LOCK_ACCESS_SHARE, EFFECT_WHOLE, err) <
        0)
        return -1;
    return effects_sequences(work, *at, err);
}

int effects_copy_rows(struct effect_work *work, const struct effect_rule *rule, struct reading *at,
                      struct error *err)
{
    if (reading_is(at, "("))
        return effects_sources(work, *at, LOCK_ACCESS_SHARE, EFFECT_WHOLE, err);
    struct reading direction = *at;
    const struct effect_rule table = {
        .lock = reading_find(&direction, "FROM") ? LOCK_ROW_EXCLUSIVE : LOCK_ACCESS_SHARE,
        .flags = EFFECT_ONLY,
    };
    (void)rule;
    return effects_on_name(work, &table, at, err);
}
