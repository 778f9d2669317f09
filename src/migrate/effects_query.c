#include "migrate/effects_query.h"

#include "base/error.h"
#include "migrate/effects_catalog.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- tables of a query ---- */

static bool ends_from(const struct cursor *at)
{
    static const char *const words[] = {"WHERE",  "GROUP",     "ORDER",  "LIMIT",  "UNION",
                                        "SELECT", "RETURNING", "HAVING", "EXCEPT", "INTERSECT",
                                        "SET",    "FOR",       "WINDOW", NULL};
    for (size_t i = 0; words[i]; i++)
        if (cursor_is(at, words[i]))
            return true;
    return false;
}

/* Names of WITH are no tables. */
static void read_named(struct cursor at, enum db_engine engine, struct text_list *names)
{
    if (!cursor_mentions(&at, "WITH"))
        return;
    for (; !cursor_ended(&at); at.at++) {
        struct cursor copy = at;
        SCOPED(string) char *name = cursor_written_name(&copy);
        if (name && (cursor_is(&copy, "AS (") || cursor_is(&copy, "AS MATERIALIZED (") ||
                     cursor_is(&copy, "AS NOT MATERIALIZED (")))
            text_list_give(names, name_plain(engine, name));
    }
}

static int read_source(struct effect_work *work, struct cursor *at, const struct text_list *named,
                       enum effect_lock lock, unsigned flags, struct error *err)
{
    cursor_take(at, "ONLY");
    cursor_take(at, "LATERAL");
    if (cursor_is(at, "SELECT") || cursor_is(at, "VALUES"))
        return 0;
    SCOPED(string) char *name = cursor_written_name(at);
    if (!name || cursor_is(at, "("))
        return 0;
    SCOPED(string) char *plain = name_plain(work->effects->engine, name);
    if (text_list_has(named, plain))
        return 0;
    if (work->effects->engine != DB_POSTGRES) {
        struct effect_table *table = effect_add(work->effect, name, "table", lock,
                                                flags & EFFECT_WHOLE ? EFFECT_SCANNED : 0);
        table->fresh |= effects_makes(work->effects, name);
        return 0;
    }
    unsigned reads = flags & EFFECT_WHOLE ? EFFECT_SCANNED : 0;
    unsigned itself = (flags & ~(unsigned)EFFECT_WHOLE) | EFFECT_IF_KNOWN | reads;
    if (reads && catalog_touch_name(work, name, lock, flags | reads, err) < 0)
        return -1;
    return catalog_touch_name(work, name, lock, itself, err);
}

int effects_sources(struct effect_work *work, struct cursor query, enum effect_lock lock,
                    unsigned flags, struct error *err)
{
    SCOPED(text_list) struct text_list named = TEXT_LIST_INIT;
    struct cursor at = query;
    size_t from_depth = SIZE_MAX;
    read_named(query, work->effects->engine, &named);
    flags |= EFFECT_IF_KNOWN;
    while (!cursor_ended(&at)) {
        size_t depth = cursor_token(&at)->depth;
        bool from = cursor_take(&at, "FROM");
        bool join = !from && cursor_take(&at, "JOIN");
        bool comma = !from && !join && depth == from_depth && cursor_take(&at, ",");
        if (from || comma)
            from_depth = depth;
        if (depth <= from_depth && ends_from(&at))
            from_depth = SIZE_MAX;
        if (!from && !join && !comma)
            at.at++;
        else if (read_source(work, &at, &named, lock, flags, err) < 0)
            return -1;
    }
    return 0;
}

int effects_sequences(struct effect_work *work, struct cursor query, struct error *err)
{
    struct cursor at = query;
    for (; !cursor_ended(&at); at.at++) {
        struct cursor call = at;
        if (!cursor_take(&call, "nextval (") && !cursor_take(&call, "setval ("))
            continue;
        const struct token *name = cursor_token(&call);
        if (!name || name->kind != TOKEN_STRING || name->size < 3)
            continue;
        SCOPED(string) char *text = mem_string_n(name->text + 1, name->size - 2);
        if (catalog_touch_name(work, text, LOCK_ROW_EXCLUSIVE, EFFECT_ONLY, err) < 0)
            return -1;
    }
    return 0;
}

/* ---- types ---- */

/* A family of types, and how much of it the type holds; -1: without limit. */
struct measure {
    const char *family;
    long size;
    long digits; /* after the point; seconds' digits */
};

static const struct type_row {
    const char *prefix;
    const char *family;
    long size;
} type_rows[] = {
    {"smallint", "integer", 2},
    {"int2", "integer", 2},
    {"tinyint", "integer", 1},
    {"mediumint", "integer", 3},
    {"bigint", "integer", 8},
    {"int8", "integer", 8},
    {"integer", "integer", 4},
    {"int", "integer", 4},
    {"double", "float", 8},
    {"float8", "float", 8},
    {"real", "float", 4},
    {"float", "float", 4},
    {"numeric", "decimal", -1},
    {"decimal", "decimal", -1},
    {"character varying", "text", -1},
    {"varchar", "text", -1},
    {"character", "text", 1},
    {"char", "text", 1},
    {"tinytext", "text", 255},
    {"mediumtext", "text", 16777215},
    {"longtext", "text", -1},
    {"text", "text", -1},
    {"timestamp", "moment", 3},
    {"datetime", "moment", 3},
    {"date", "moment", 2},
    {"bit varying", "bits", -1},
    {"varbit", "bits", -1},
};

static struct measure measure_of(const char *type)
{
    struct measure measure = {.digits = -1};
    for (size_t i = 0; i < ARRAY_SIZE(type_rows) && !measure.family; i++) {
        if (strncasecmp(type, type_rows[i].prefix, strlen(type_rows[i].prefix)) != 0)
            continue;
        measure.family = type_rows[i].family;
        measure.size = type_rows[i].size;
    }
    const char *open = strchr(type, '(');
    if (!measure.family || !open)
        return measure;
    long first = strtol(open + 1, NULL, 10);
    const char *comma = strchr(open, ',');
    if (strcmp(measure.family, "moment") == 0)
        measure.digits = first;
    else if (strcmp(measure.family, "integer") != 0)
        measure.size = first;
    if (strcmp(measure.family, "decimal") == 0)
        measure.digits = comma ? strtol(comma + 1, NULL, 10) : 0;
    return measure;
}

static bool less(long after, long before)
{
    return after >= 0 && (before < 0 || after < before);
}

/* From one kind to another only a few ways are without loss. */
static bool crosses_safely(const char *from, const char *to)
{
    return strcmp(to, "text") == 0 || (strcmp(from, "integer") == 0 && strcmp(to, "decimal") == 0);
}

bool effects_narrows(const char *before, const char *after)
{
    struct measure from = measure_of(before);
    struct measure to = measure_of(after);
    if (!from.family || !to.family)
        return from.family && strcasecmp(after, "boolean") == 0;
    if (strcmp(from.family, to.family) != 0)
        return !crosses_safely(from.family, to.family) ||
               (strcmp(to.family, "text") == 0 && to.size >= 0 && to.size < 20);
    bool decimal = strcmp(from.family, "decimal") == 0;
    bool whole =
        decimal && from.size >= 0 && to.size >= 0 && to.size - to.digits < from.size - from.digits;
    return less(to.size, from.size) || less(to.digits, from.digits) || whole;
}
