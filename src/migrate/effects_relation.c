#include "migrate/effects_relation.h"

#include "migrate/effects_catalog.h"
#include "migrate/effects_query.h"

/* ---- tables ---- */

/* Every REFERENCES name in the definition. */
static int on_references(struct effect_work *work, struct cursor at, struct error *err)
{
    for (; !cursor_ended(&at); at.at++) {
        struct cursor other = at;
        if (!cursor_take(&other, "REFERENCES"))
            continue;
        SCOPED(string) char *name = cursor_written_name(&other);
        if (name && catalog_touch_name(work, name, LOCK_SHARE_ROW_EXCLUSIVE, EFFECT_ONLY, err) < 0)
            return -1;
    }
    return 0;
}

#define DEFAULT_SEQUENCES                                                                          \
    "SELECT d.refobjid FROM pg_attrdef f JOIN pg_depend d ON d.classid = 'pg_attrdef'::regclass "  \
    "AND d.objid = f.oid AND d.refclassid = 'pg_class'::regclass JOIN pg_class s ON s.oid = "      \
    "d.refobjid AND s.relkind = 'S' WHERE f.adrelid = to_regclass(?)"

static int on_like(struct effect_work *work, struct cursor definition, struct error *err)
{
    struct cursor item;
    while (cursor_item(&definition, &item)) {
        if (!cursor_take(&item, "LIKE"))
            continue;
        bool defaults =
            cursor_mentions(&item, "INCLUDING ALL") || cursor_mentions(&item, "DEFAULTS");
        SCOPED(string) char *name = cursor_written_name(&item);
        if (!name)
            continue;
        if (catalog_touch_name(work, name, LOCK_ACCESS_SHARE, EFFECT_ONLY, err) < 0 ||
            (defaults &&
             catalog_touch(work, LOCK_ACCESS_SHARE, 0, DEFAULT_SEQUENCES, name, NULL, err) < 0))
            return -1;
    }
    return 0;
}

static int create_partition(struct effect_work *work, struct cursor *at, struct error *err)
{
    SCOPED(string) char *parent = cursor_written_name(at);
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

static int create_inherits(struct effect_work *work, struct cursor *at, struct error *err)
{
    static const struct effect_rule parents = {.lock = LOCK_SHARE_UPDATE_EXCLUSIVE,
                                               .flags = EFFECT_ONLY};
    if (!cursor_take(at, "INHERITS"))
        return 0;
    struct cursor names = cursor_group(at);
    return effects_on_names(work, &parents, &names, err);
}

int effects_create_table(struct effect_work *work, const struct effect_rule *rule,
                         struct cursor *at, struct error *err)
{
    bool if_not_exists = cursor_take(at, "IF NOT EXISTS");
    SCOPED(string) char *name = cursor_written_name(at);
    int there = name && if_not_exists ? effects_exists(work, name, err) : 0;
    if (!name || there)
        return there < 0 ? -1 : 0;
    effects_made(work->effects, name);
    if (cursor_take(at, "PARTITION OF"))
        return create_partition(work, at, err);
    if (cursor_take(at, "OF")) {
        static const struct effect_rule type = {.lock = LOCK_ACCESS_SHARE, .flags = EFFECT_ONLY};
        return effects_on_name(work, &type, at, err);
    }
    struct cursor definition = cursor_group(at);
    if (on_references(work, definition, err) < 0 || on_like(work, definition, err) < 0 ||
        create_inherits(work, at, err) < 0)
        return -1;
    if (!cursor_seek(at, "AS"))
        return 0;
    bool run = !cursor_mentions(at, "WITH NO DATA");
    return effects_sources(work, *at, LOCK_ACCESS_SHARE, rule->flags | (run ? EFFECT_WHOLE : 0),
                           err);
}

int effects_truncate(struct effect_work *work, const struct effect_rule *rule, struct cursor *at,
                     struct error *err)
{
    bool cascade = cursor_mentions(at, "CASCADE");
    bool restart = cursor_mentions(at, "RESTART IDENTITY");
    struct cursor item;
    cursor_take(at, "TABLE");
    while (cursor_item(at, &item)) {
        bool only = cursor_take(&item, "ONLY");
        SCOPED(string) char *name = cursor_written_name(&item);
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

int effects_lock_table(struct effect_work *work, const struct effect_rule *rule, struct cursor *at,
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
    struct effect_rule names = *rule;
    for (size_t i = 0; i < ARRAY_SIZE(modes); i++)
        if (cursor_mentions(at, modes[i].words))
            names.lock = modes[i].lock;
    cursor_take(at, "TABLE");
    return effects_on_names(work, &names, at, err);
}

/* ---- views and indexes ---- */

int effects_create_view(struct effect_work *work, const struct effect_rule *rule, struct cursor *at,
                        struct error *err)
{
    (void)rule;
    cursor_take(at, "IF NOT EXISTS");
    SCOPED(string) char *name = cursor_written_name(at);
    if (!name)
        return 0;
    int there = effects_exists(work, name, err);
    if (there < 0 ||
        (there && catalog_touch_name(work, name, LOCK_ACCESS_EXCLUSIVE, EFFECT_ONLY, err) < 0))
        return -1;
    if (!there)
        effects_made(work->effects, name);
    return effects_sources(work, *at, LOCK_ACCESS_SHARE, EFFECT_ONLY, err);
}

int effects_create_index(struct effect_work *work, const struct effect_rule *rule,
                         struct cursor *at, struct error *err)
{
    bool gently = cursor_take(at, "CONCURRENTLY");
    bool if_not_exists = cursor_take(at, "IF NOT EXISTS");
    enum effect_lock lock = gently ? LOCK_SHARE_UPDATE_EXCLUSIVE : LOCK_SHARE;
    SCOPED(string) char *index = cursor_is(at, "ON") ? NULL : cursor_written_name(at);
    int there = if_not_exists && index ? effects_exists(work, index, err) : 0;
    (void)rule;
    if (there < 0)
        return -1;
    cursor_take(at, "ON");
    bool only = cursor_take(at, "ONLY");
    SCOPED(string) char *table = cursor_written_name(at);
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

/* ---- sequences ---- */

static int owned_by(struct effect_work *work, struct cursor at, struct error *err)
{
    static const struct effect_rule table = {.lock = LOCK_ACCESS_SHARE, .flags = EFFECT_ONLY};
    if (!cursor_pass(&at, "OWNED BY") || cursor_is(&at, "NONE"))
        return 0;
    return effects_on_column(work, &table, &at, err);
}

int effects_create_sequence(struct effect_work *work, const struct effect_rule *rule,
                            struct cursor *at, struct error *err)
{
    (void)rule;
    cursor_take(at, "IF NOT EXISTS");
    SCOPED(string) char *name = cursor_written_name(at);
    effects_made(work->effects, name);
    return owned_by(work, *at, err);
}

int effects_alter_sequence(struct effect_work *work, const struct effect_rule *rule,
                           struct cursor *at, struct error *err)
{
    cursor_take(at, "IF EXISTS");
    SCOPED(string) char *name = cursor_written_name(at);
    bool strong = cursor_is(at, "RENAME") || cursor_is(at, "OWNER") || cursor_is(at, "SET");
    bool owned_only = cursor_is(at, "OWNED");
    if (!name)
        return 0;
    if (catalog_touch_name(work, name, strong ? LOCK_ACCESS_EXCLUSIVE : rule->lock,
                           EFFECT_ONLY | (strong || owned_only ? 0 : EFFECT_REWRITTEN), err) < 0)
        return -1;
    return owned_by(work, *at, err);
}
