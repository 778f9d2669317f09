#include "migrate/effects_upkeep.h"

#include "migrate/effects_catalog.h"

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

int effects_reindex(struct effect_work *work, const struct effect_rule *rule, struct cursor *at,
                    struct error *err)
{
    struct cursor options = cursor_group(at);
    bool table = cursor_take(at, "TABLE");
    bool index = !table && cursor_take(at, "INDEX");
    bool gently = cursor_take(at, "CONCURRENTLY") || cursor_mentions(&options, "CONCURRENTLY");
    (void)rule;
    SCOPED(string) char *name = table || index ? cursor_written_name(at) : NULL;
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

int effects_cluster(struct effect_work *work, const struct effect_rule *rule, struct cursor *at,
                    struct error *err)
{
    cursor_group(at);
    cursor_take(at, "VERBOSE");
    if (!cursor_ended(at))
        return effects_on_name(work, rule, at, err);
    effect_say(&work->effect->notes, "every clustered table is rewritten");
    return 0;
}

int effects_vacuum(struct effect_work *work, const struct effect_rule *rule, struct cursor *at,
                   struct error *err)
{
    struct cursor options = cursor_group(at);
    bool full = cursor_mentions(&options, "FULL") || cursor_mentions(at, "FULL");
    while (cursor_take(at, "FULL") || cursor_take(at, "FREEZE") || cursor_take(at, "VERBOSE") ||
           cursor_take(at, "ANALYZE"))
        continue;
    const struct effect_rule names = {
        .lock = full ? LOCK_ACCESS_EXCLUSIVE : rule->lock,
        .flags = full ? EFFECT_REWRITTEN | EFFECT_SCANNED : rule->flags,
    };
    if (cursor_ended(at))
        effect_say(&work->effect->notes, "every table there is");
    return effects_on_names(work, &names, at, err);
}

int effects_refresh(struct effect_work *work, const struct effect_rule *rule, struct cursor *at,
                    struct error *err)
{
    bool gently = cursor_take(at, "CONCURRENTLY");
    SCOPED(string) char *name = cursor_written_name(at);
    (void)rule;
    if (!name)
        return 0;
    if (!cursor_mentions(at, "WITH NO DATA") &&
        catalog_touch_name(work, name, LOCK_ACCESS_SHARE, EFFECT_WHOLE | EFFECT_SCANNED, err) < 0)
        return -1;
    return catalog_touch_name(work, name, gently ? LOCK_EXCLUSIVE : LOCK_ACCESS_EXCLUSIVE,
                              EFFECT_ONLY | EFFECT_SCANNED | (gently ? 0 : EFFECT_REWRITTEN), err);
}
