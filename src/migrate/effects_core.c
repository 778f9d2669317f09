#include "migrate/effects_core.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* ---- one effect ---- */

void effect_clear(struct effect *effect)
{
    for (size_t i = 0; i < effect->count; i++)
        free(effect->tables[i].name);
    free(effect->tables);
    free(effect->algorithm);
    free(effect->concurrency);
    text_list_clear(&effect->lost);
    text_list_clear(&effect->notes);
    *effect = EFFECT_INIT;
}

struct effect_table *effect_add(struct effect *effect, const char *name, const char *kind,
                                enum effect_lock lock, unsigned flags)
{
    struct effect_table *table = NULL;
    for (size_t i = 0; i < effect->count && !table; i++)
        if (strcmp(effect->tables[i].name, name) == 0)
            table = &effect->tables[i];
    if (!table) {
        ARRAY_GROW(effect->tables, effect->count, effect->capacity);
        table = &effect->tables[effect->count++];
        *table =
            (struct effect_table){.name = mem_string(name), .kind = kind, .rows = -1, .bytes = -1};
    }
    if (lock > table->lock)
        table->lock = lock;
    table->rewritten |= (flags & EFFECT_REWRITTEN) != 0;
    table->scanned |= (flags & EFFECT_SCANNED) != 0;
    return table;
}

const struct effect_table *effect_strongest(const struct effect *effect)
{
    const struct effect_table *strongest = NULL;
    for (size_t i = 0; i < effect->count; i++)
        if (!strongest || effect->tables[i].lock > strongest->lock)
            strongest = &effect->tables[i];
    return strongest;
}

void effect_say(struct text_list *list, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    SCOPED(string) char *text = mem_format_v(format, args);
    va_end(args);
    if (!text_list_has(list, text))
        text_list_give(list, STEAL(text));
}

static const char *const postgres_locks[] = {
    "none",  "ACCESS SHARE",        "ROW SHARE", "ROW EXCLUSIVE",   "SHARE UPDATE EXCLUSIVE",
    "SHARE", "SHARE ROW EXCLUSIVE", "EXCLUSIVE", "ACCESS EXCLUSIVE"};

/* Metadata locks, by what others can do meanwhile. */
static const char *mysql_lock(enum effect_lock lock)
{
    switch (lock) {
    case LOCK_NONE:
        return "none";
    case LOCK_ACCESS_SHARE:
        return "metadata SHARED_READ";
    case LOCK_ROW_SHARE:
    case LOCK_ROW_EXCLUSIVE:
        return "metadata SHARED_WRITE";
    case LOCK_SHARE_UPDATE_EXCLUSIVE:
        return "metadata SHARED_UPGRADABLE";
    case LOCK_SHARE:
        return "metadata SHARED_NO_WRITE";
    default:
        return "metadata EXCLUSIVE";
    }
}

static const char *sqlite_lock(enum effect_lock lock)
{
    if (lock == LOCK_NONE)
        return "none";
    if (lock <= LOCK_ROW_SHARE)
        return "SHARED";
    return lock < LOCK_ACCESS_EXCLUSIVE ? "RESERVED" : "EXCLUSIVE";
}

const char *effect_lock_name(enum db_engine engine, enum effect_lock lock)
{
    if (engine == DB_POSTGRES)
        return postgres_locks[lock];
    return engine == DB_MYSQL ? mysql_lock(lock) : sqlite_lock(lock);
}

/* ---- the plan so far ---- */

void effects_made(struct effects *effects, const char *name)
{
    if (name && !effects_makes(effects, name))
        text_list_add(&effects->made, name);
}

bool effects_makes(const struct effects *effects, const char *name)
{
    for (size_t i = 0; i < effects->made.count; i++)
        if (name_same(effects->engine, effects->made.items[i], name))
            return true;
    return false;
}

void effects_dropped(struct effects *effects, const char *name)
{
    struct text_list *made = &effects->made;
    for (size_t i = 0; i < made->count; i++) {
        if (!name_same(effects->engine, made->items[i], name))
            continue;
        free(made->items[i]);
        made->items[i--] = made->items[--made->count];
        made->items[made->count] = NULL;
    }
}
