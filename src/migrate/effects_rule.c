#include "migrate/effects_rule.h"

#include "migrate/effects_catalog.h"

#include <string.h>

int effects_on_name(struct effect_work *work, const struct effect_rule *rule, struct cursor *at,
                    struct error *err)
{
    SCOPED(string) char *name = cursor_written_name(at);
    if (!name)
        return 0;
    return catalog_touch_name(work, name, rule->lock, rule->flags, err);
}

int effects_on_names(struct effect_work *work, const struct effect_rule *rule, struct cursor *at,
                     struct error *err)
{
    struct cursor item;
    while (cursor_item(at, &item)) {
        bool only = cursor_take(&item, "ONLY");
        SCOPED(string) char *name = cursor_written_name(&item);
        if (name && catalog_touch_name(work, name, rule->lock,
                                       rule->flags | (only ? EFFECT_ONLY : 0), err) < 0)
            return -1;
    }
    return 0;
}

int effects_on_table(struct effect_work *work, const struct effect_rule *rule, struct cursor *at,
                     struct error *err)
{
    if (!cursor_pass(at, "ON"))
        return 0;
    cursor_take(at, "DOMAIN");
    return effects_on_name(work, rule, at, err);
}

int effects_on_column(struct effect_work *work, const struct effect_rule *rule, struct cursor *at,
                      struct error *err)
{
    SCOPED(string) char *name = cursor_written_name(at);
    char *dot = name ? strrchr(name, '.') : NULL;
    if (!dot)
        return 0;
    *dot = '\0';
    return catalog_touch_name(work, name, rule->lock, rule->flags, err);
}

int effects_exists(struct effect_work *work, const char *name, struct error *err)
{
    if (effects_makes(work->effects, name))
        return 1;
    return catalog_is(work, "to_regclass(?) IS NOT NULL", name, NULL, err);
}
