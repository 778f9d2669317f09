#include "migrate/lint_pgtype.h"

#include "base/mem.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* "numeric(10,2)": its name, and the numbers in its parentheses; -1 where there is none. */
struct pgtype {
    char name[64];
    long first;
    long second;
};

static const char *usual_name(const char *name)
{
    static const char *const names[][2] = {
        {"character varying", "varchar"},
        {"decimal", "numeric"},
        {"int4", "integer"},
        {"int", "integer"},
        {"int8", "bigint"},
        {"int2", "smallint"},
        {"bool", "boolean"},
        {"float8", "double precision"},
        {"float4", "real"},
        {"character", "char"},
        {"bpchar", "char"},
        {"bit varying", "varbit"},
        {"timestamp with time zone", "timestamptz"},
        {"timestampwith time zone", "timestamptz"},
        {"timestamp without time zone", "timestamp"},
        {"timestampwithout time zone", "timestamp"},
        {"time without time zone", "time"},
        {"timewithout time zone", "time"},
        {"time with time zone", "timetz"},
        {"timewith time zone", "timetz"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (strcmp(name, names[i][0]) == 0)
            return names[i][1];
    return name;
}

static struct pgtype parse(const char *text)
{
    struct pgtype type = {.first = -1, .second = -1};
    char name[64] = "";
    size_t used = 0;
    const char *open = strchr(text, '(');
    for (const char *c = text; *c && used + 1 < sizeof name; c++) {
        if (c == open) {
            c = strchrnul(c, ')');
            if (!*c)
                break;
        } else {
            name[used++] = *c;
        }
    }
    if (open) {
        char *end = NULL;
        type.first = strtol(open + 1, &end, 10);
        type.second = *end == ',' ? strtol(end + 1, NULL, 10) : -1;
    }
    const char *usual = usual_name(name);
    memcpy(type.name, usual, strlen(usual) + 1);
    return type;
}

static bool is(const struct pgtype *type, const char *name)
{
    return strcmp(type->name, name) == 0;
}

static bool in(const struct pgtype *type, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (is(type, names[i]))
            return true;
    return false;
}

/* A limit that is gone or not smaller. */
static bool widens(long before, long after)
{
    return after < 0 || (before >= 0 && after >= before);
}

/* numeric(p, s): without s it is 0, without both there is no limit. */
static bool numeric_widens(const struct pgtype *before, const struct pgtype *after)
{
    long scale_before = before->second < 0 ? 0 : before->second;
    long scale_after = after->second < 0 ? 0 : after->second;
    if (after->first < 0)
        return true;
    return before->first >= 0 && scale_before == scale_after && after->first >= before->first;
}

static bool is_free(const struct pgtype *before, const struct pgtype *after)
{
    static const char *const precise[] = {"timestamp", "timestamptz", "time", "timetz", "interval"};
    bool same = is(before, after->name);
    if (is(after, "varchar"))
        return (is(before, "varchar") && widens(before->first, after->first)) ||
               (is(before, "text") && after->first < 0);
    if (is(after, "text"))
        return is(before, "text") || is(before, "varchar");
    if (same && is(after, "numeric"))
        return numeric_widens(before, after);
    if (same && is(after, "varbit"))
        return widens(before->first, after->first);
    if (same && in(after, precise, ARRAY_SIZE(precise)))
        return widens(before->first < 0 ? 6 : before->first, after->first);
    if (is(before, "cidr") && is(after, "inet"))
        return true;
    return same && before->first == after->first && before->second == after->second;
}

enum pgtype_change pgtype_change(const char *before, const char *after)
{
    static const char *const often_free[] = {"text", "varchar", "numeric", "inet", "varbit"};
    const struct pgtype new = parse(after);
    if (!before)
        return in(&new, often_free, ARRAY_SIZE(often_free)) ? PGTYPE_UNKNOWN : PGTYPE_REWRITE;
    const struct pgtype old = parse(before);
    return is_free(&old, &new) ? PGTYPE_FREE : PGTYPE_REWRITE;
}
