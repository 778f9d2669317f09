#include "migrate/effects_attached.h"

#include "migrate/effects_catalog.h"
#include "migrate/effects_query.h"
#include "migrate/effects_rows.h"

/* The events may have names of columns: UPDATE OF a, b ON table. */
int effects_create_trigger(struct effect_work *work, const struct effect_rule *rule,
                           struct cursor *at, struct error *err)
{
    if (!cursor_pass(at, "ON"))
        return 0;
    struct cursor ahead = *at;
    SCOPED(string) char *name = cursor_written_name(&ahead);
    int partitioned = name ? catalog_is_partitioned(work, name, err) : 0;
    const struct effect_rule table = {.lock = rule->lock, .flags = partitioned ? 0 : EFFECT_ONLY};
    if (partitioned < 0 || effects_on_name(work, &table, at, err) < 0)
        return -1;
    if (!cursor_take(at, "FROM"))
        return 0;
    static const struct effect_rule other = {.lock = LOCK_ACCESS_SHARE, .flags = EFFECT_ONLY};
    return effects_on_name(work, &other, at, err);
}

/* CREATE RULE name AS ON event TO table [WHERE ...] DO [ALSO | INSTEAD] command */
int effects_create_rule(struct effect_work *work, const struct effect_rule *rule, struct cursor *at,
                        struct error *err)
{
    if (!cursor_pass(at, "TO"))
        return 0;
    if (effects_on_name(work, rule, at, err) < 0)
        return -1;
    if (!cursor_pass(at, "DO"))
        return 0;
    if (!cursor_take(at, "ALSO"))
        cursor_take(at, "INSTEAD");
    return effects_write(work, *at, false, err);
}

int effects_create_policy(struct effect_work *work, const struct effect_rule *rule,
                          struct cursor *at, struct error *err)
{
    if (effects_on_table(work, rule, at, err) < 0)
        return -1;
    return effects_sources(work, *at, LOCK_ACCESS_SHARE, EFFECT_ONLY, err);
}

int effects_create_statistics(struct effect_work *work, const struct effect_rule *rule,
                              struct cursor *at, struct error *err)
{
    if (!cursor_pass(at, "FROM"))
        return 0;
    return effects_on_name(work, rule, at, err);
}

int effects_publish(struct effect_work *work, const struct effect_rule *rule, struct cursor *at,
                    struct error *err)
{
    if (!cursor_pass(at, "TABLE"))
        return 0;
    return effects_on_names(work, rule, at, err);
}
