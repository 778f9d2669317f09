#include "migrate/effects_type.h"

#include "migrate/effects_catalog.h"
#include "migrate/effects_query.h"

#define DOMAIN_USERS                                                                               \
    "SELECT a.attrelid FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid AND c.relkind "   \
    "IN ('r', 'm', 'p') WHERE a.atttypid = to_regtype(?) AND NOT a.attisdropped"

int effects_alter_domain(struct effect_work *work, const struct effect_rule *rule,
                         struct cursor *at, struct error *err)
{
    SCOPED(string) char *name = cursor_written_name(at);
    bool checks = cursor_is(at, "SET NOT NULL") || cursor_is(at, "VALIDATE") ||
                  (cursor_is(at, "ADD") && !cursor_mentions(at, "NOT VALID"));
    if (!name || !checks)
        return 0;
    return catalog_touch(work, rule->lock, EFFECT_SCANNED, DOMAIN_USERS, name, NULL, err);
}

int effects_alter_type(struct effect_work *work, const struct effect_rule *rule, struct cursor *at,
                       struct error *err)
{
    SCOPED(string) char *name = cursor_written_name(at);
    bool attributes = cursor_mentions(at, "ATTRIBUTE");
    bool cascade = cursor_mentions(at, "CASCADE");
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

int effects_create_function(struct effect_work *work, const struct effect_rule *rule,
                            struct cursor *at, struct error *err)
{
    (void)rule;
    if (!cursor_mentions(at, "BEGIN ATOMIC"))
        return 0;
    return effects_sources(work, *at, LOCK_ACCESS_SHARE, EFFECT_ONLY, err);
}
