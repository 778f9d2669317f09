#include "migrate/effects_drop.h"

#include "migrate/effects_catalog.h"

#include <stdlib.h>

/* Not in a catalogue: made by this plan, or there is nobody to ask. */
static void drop_unknown(struct effect_work *work, const struct effect_rule *rule, const char *name)
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
int effects_drop(struct effect_work *work, const struct effect_rule *rule, struct cursor *at,
                 struct error *err)
{
    bool cascade = cursor_mentions(at, "CASCADE");
    bool gently = cursor_take(at, "CONCURRENTLY");
    struct cursor item;
    cursor_take(at, "IF EXISTS");
    while (cursor_item(at, &item)) {
        struct cursor whole = item;
        SCOPED(string) char *name = cursor_written_name(&item);
        if (name && cursor_is(&item, "(")) {
            cursor_group(&item);
            whole.end = item.at;
            free(name);
            name = cursor_written(&whole);
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
