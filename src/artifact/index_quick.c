#include "artifact/index_quick.h"

#include "artifact/index.h"

#include <string.h>

/* More digits could be more than an integer of JSON can be. */
#define DIGITS_MAXIMUM 18

static bool pass(char **at, const char *text)
{
    size_t size = strlen(text);
    if (strncmp(*at, text, size) != 0)
        return false;
    *at += size;
    return true;
}

/* What means itself in JSON, in any encoding. */
static bool is_plain(char c)
{
    return c >= ' ' && c <= '~' && c != '"' && c != '\\';
}

static bool take_count(char **at, uint64_t *ret_count)
{
    const char *start = *at;
    uint64_t count = 0;
    for (; **at >= '0' && **at <= '9' && *at - start < DIGITS_MAXIMUM; ++*at)
        count = count * 10 + (uint64_t)(**at - '0');
    *ret_count = count;
    return *at != start && (*start != '0' || *at - start == 1);
}

bool index_quick_member(char *line, size_t size, struct index_member *ret_member)
{
    struct index_member member = {0};
    char *at = line;
    if (!pass(&at, "{\"path\":\""))
        return false;
    char *path = at;
    while (is_plain(*at))
        at++;
    char *end = at;
    if (!pass(&at, "\",\"type\":\"") || !is_plain(*at))
        return false;
    member.type = *at++;
    if (!pass(&at, "\",\"size\":") || !take_count(&at, &member.size) || !pass(&at, ",\"frame\":") ||
        !take_count(&at, &member.frame) || !pass(&at, "}") || at != line + size)
        return false;
    *end = '\0';
    member.path = path;
    *ret_member = member;
    return true;
}
