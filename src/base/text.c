#include "base/text.h"

#include "base/error.h"

#include <errno.h>
#include <fnmatch.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

void text_list_give(struct text_list *list, char *text)
{
    ARRAY_GROW(list->items, list->count + 1, list->capacity);
    list->items[list->count++] = text;
    list->items[list->count] = NULL;
}

void text_list_add(struct text_list *list, const char *text)
{
    text_list_give(list, mem_string(text));
}

void text_list_add_all(struct text_list *list, const struct text_list *from)
{
    for (size_t i = 0; i < from->count; i++)
        text_list_add(list, from->items[i]);
}

bool text_list_has(const struct text_list *list, const char *text)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->items[i], text) == 0)
            return true;
    return false;
}

static int compare_items(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

void text_list_sort(struct text_list *list)
{
    if (list->count > 1)
        qsort(list->items, list->count, sizeof *list->items, compare_items);
}

char *text_list_join(const struct text_list *list, const char *between)
{
    struct buf text = BUF_INIT;
    for (size_t i = 0; i < list->count; i++)
        buf_append_format(&text, "%s%s", i ? between : "", list->items[i]);
    return buf_steal(&text);
}

void text_list_clear(struct text_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->items[i]);
    free(list->items);
    *list = TEXT_LIST_INIT;
}

bool text_equal(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

char text_lower(char c)
{
    return (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

void text_lower_all(char *text)
{
    for (; *text; text++)
        *text = text_lower(*text);
}

bool text_starts(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

bool text_ends(const char *text, const char *suffix)
{
    size_t length = strlen(text);
    size_t wanted = strlen(suffix);
    return length >= wanted && strcmp(text + length - wanted, suffix) == 0;
}

int text_parse_int(const char *text, int64_t minimum, int64_t maximum, int64_t *ret_value,
                   struct error *err)
{
    char *end = NULL;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    if (!text[0] || strchr(" \t\n+", text[0]) || *end || errno)
        return error_set(err, ERROR_USAGE, "\"%s\" is not a whole number", text);
    if (value < minimum || value > maximum)
        return error_set(err, ERROR_USAGE, "\"%s\" is not between %" PRId64 " and %" PRId64, text,
                         minimum, maximum);
    *ret_value = value;
    return 0;
}

int text_parse_bool(const char *text, bool *ret_value, struct error *err)
{
    static const char *const words[][2] = {
        {"no", "yes"}, {"false", "true"}, {"off", "on"}, {"0", "1"}};
    for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
        for (int value = 0; value < 2; value++) {
            if (strcasecmp(text, words[i][value]) == 0) {
                *ret_value = value;
                return 0;
            }
        }
    }
    return error_set(err, ERROR_USAGE, "\"%s\" is neither yes nor no", text);
}

struct unit {
    const char *name;
    uint64_t factor;
};

/* A decimal number followed by one of `units` (the first is what a bare number means). */
static int parse_with_unit(const char *text, const struct unit *units, uint64_t *ret_value)
{
    char *end = NULL;
    if (text[0] < '0' || text[0] > '9')
        return -1;
    errno = 0;
    double number = strtod(text, &end);
    if (errno || strspn(text, "0123456789.") != (size_t)(end - text))
        return -1;
    while (*end == ' ')
        end++;
    for (const struct unit *unit = units; unit->name; unit++) {
        if (strcasecmp(end, unit->name) == 0) {
            double value = number * (double)unit->factor;
            if (value > 9.0e18)
                return -1;
            *ret_value = (uint64_t)value;
            return 0;
        }
    }
    return -1;
}

int text_parse_duration_ms(const char *text, int64_t *ret_ms, struct error *err)
{
    static const struct unit units[] = {{"", 1000},      {"ms", 1},        {"s", 1000},
                                        {"m", 60000},    {"min", 60000},   {"h", 3600000},
                                        {"d", 86400000}, {"w", 604800000}, {NULL, 0}};
    uint64_t value = 0;
    if (parse_with_unit(text, units, &value) < 0)
        return error_set(err, ERROR_USAGE, "\"%s\" is not a duration such as 500ms, 5s, 2m or 7d",
                         text);
    *ret_ms = (int64_t)value;
    return 0;
}

int text_parse_size(const char *text, uint64_t *ret_bytes, struct error *err)
{
    static const struct unit units[] = {{"", 1},
                                        {"B", 1},
                                        {"k", 1000},
                                        {"kB", 1000},
                                        {"KiB", 1 << 10},
                                        {"MB", 1000000},
                                        {"M", 1000000},
                                        {"MiB", 1 << 20},
                                        {"GB", 1000000000},
                                        {"G", 1000000000},
                                        {"GiB", 1 << 30},
                                        {"TB", 1000000000000},
                                        {"TiB", 1ULL << 40},
                                        {NULL, 0}};
    if (parse_with_unit(text, units, ret_bytes) < 0)
        return error_set(err, ERROR_USAGE, "\"%s\" is not a size such as 512MB or 4GiB", text);
    return 0;
}

void text_format_size(uint64_t bytes, char ret_text[static 32])
{
    static const char *const names[] = {"B", "kB", "MB", "GB", "TB", "PB", "EB"};
    double value = (double)bytes;
    size_t unit = 0;
    while (value >= 999.95 && unit + 1 < ARRAY_SIZE(names)) {
        value /= 1000;
        unit++;
    }
    if (unit == 0)
        snprintf(ret_text, 32, "%" PRIu64 " B", bytes);
    else
        snprintf(ret_text, 32, "%.1f %s", value, names[unit]);
}

void text_format_duration(int64_t duration_ms, char ret_text[static 32])
{
    int64_t seconds = duration_ms / 1000;
    if (duration_ms < 1000)
        snprintf(ret_text, 32, "%" PRId64 "ms", duration_ms);
    else if (seconds < 60)
        snprintf(ret_text, 32, "%.1fs", (double)duration_ms / 1000);
    else if (seconds < 3600)
        snprintf(ret_text, 32, "%" PRId64 "m %02ds", seconds / 60, (int)(seconds % 60));
    else
        snprintf(ret_text, 32, "%" PRId64 "h %02dm", seconds / 3600, (int)(seconds / 60 % 60));
}

/* Length of the well-formed UTF-8 character at `at` (RFC 3629, no surrogates, no overlong forms),
 * or 0. */
static size_t utf8_length(const unsigned char *at, size_t left)
{
    if (at[0] < 0x80)
        return 1;
    if (at[0] >= 0xC2 && at[0] <= 0xDF)
        return left >= 2 && (at[1] & 0xC0) == 0x80 ? 2 : 0;
    if ((at[0] & 0xF0) == 0xE0) {
        if (left < 3 || (at[1] & 0xC0) != 0x80 || (at[2] & 0xC0) != 0x80)
            return 0;
        if ((at[0] == 0xE0 && at[1] < 0xA0) || (at[0] == 0xED && at[1] > 0x9F))
            return 0;
        return 3;
    }
    if (at[0] >= 0xF0 && at[0] <= 0xF4) {
        if (left < 4 || (at[1] & 0xC0) != 0x80 || (at[2] & 0xC0) != 0x80 || (at[3] & 0xC0) != 0x80)
            return 0;
        if ((at[0] == 0xF0 && at[1] < 0x90) || (at[0] == 0xF4 && at[1] > 0x8F))
            return 0;
        return 4;
    }
    return 0;
}

/* Are the next eight bytes all ASCII, as nearly all are? */
static bool is_ascii_word(const char *data, size_t left)
{
    uint64_t word;
    if (left < sizeof word)
        return false;
    memcpy(&word, data, sizeof word);
    return (word & UINT64_C(0x8080808080808080)) == 0;
}

bool text_is_utf8(const char *data, size_t size)
{
    for (size_t at = 0; at < size;) {
        if (is_ascii_word(data + at, size - at)) {
            at += sizeof(uint64_t);
            continue;
        }
        size_t length = utf8_length((const unsigned char *)data + at, size - at);
        if (!length)
            return false;
        at += length;
    }
    return true;
}

void text_append_visible(struct buf *buf, const char *text, size_t size)
{
    const unsigned char *bytes = (const unsigned char *)text;
    for (size_t at = 0; at < size;) {
        size_t plain = at;
        while (plain < size && bytes[plain] >= 0x20 && bytes[plain] < 0x7F)
            plain++;
        if (plain > at) {
            buf_append(buf, text + at, plain - at);
            at = plain;
            continue;
        }
        size_t length = utf8_length(bytes + at, size - at);
        bool c1_control = length == 2 && bytes[at] == 0xC2 && bytes[at + 1] < 0xA0;
        if (length > 1 && !c1_control) {
            buf_append(buf, text + at, length);
            at += length;
            continue;
        }
        unsigned char c = bytes[at++];
        if (c == '\n')
            buf_append_text(buf, "\\n");
        else if (c == '\t')
            buf_append_text(buf, "\\t");
        else
            buf_append_format(buf, "\\x%02x", c);
    }
}

void text_hex(const void *data, size_t size, char *ret_text)
{
    static const char digits[] = "0123456789abcdef";
    const unsigned char *bytes = data;
    for (size_t i = 0; i < size; i++) {
        ret_text[2 * i] = digits[bytes[i] >> 4];
        ret_text[2 * i + 1] = digits[bytes[i] & 15];
    }
    ret_text[2 * size] = '\0';
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

int text_unhex(const char *text, void *ret_data, size_t size)
{
    unsigned char *bytes = ret_data;
    if (strlen(text) != 2 * size)
        return -1;
    for (size_t i = 0; i < size; i++) {
        int high = hex_digit(text[2 * i]);
        int low = hex_digit(text[2 * i + 1]);
        if (high < 0 || low < 0)
            return -1;
        bytes[i] = (unsigned char)(high << 4 | low);
    }
    return 0;
}

size_t text_distance(const char *a, const char *b)
{
    size_t width = strlen(b);
    SCOPED(memory) void *memory = mem_alloc(width + 1, sizeof(size_t));
    size_t *row = memory;
    for (size_t j = 0; j <= width; j++)
        row[j] = j;
    for (size_t i = 1; a[i - 1]; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= width; j++) {
            size_t above = row[j];
            size_t best = diagonal + (a[i - 1] != b[j - 1]);
            if (above + 1 < best)
                best = above + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            diagonal = above;
            row[j] = best;
        }
    }
    return row[width];
}

/* Does `part` match path[from..to)? `path` is ours to cut for the time of the call. */
static bool part_matches(const char *part, char *path, size_t from, size_t to)
{
    char next = path[to];
    path[to] = '\0';
    bool matches = fnmatch(part, path + from, FNM_PATHNAME) == 0;
    path[to] = next;
    return matches;
}

/* Where what follows stars may begin: anywhere, or as `whole` only where a name does. */
static bool may_begin(const char *path, size_t at, bool whole)
{
    return !whole || at == 0 || path[at - 1] == '/';
}

/* The nearest end of a match of `part` that begins at `from` or later; -1 when there is none. */
static ssize_t nearest_end(const char *part, char *path, size_t from, size_t length, bool whole)
{
    for (size_t end = from; end <= length; end++)
        for (size_t start = from; start <= end; start++)
            if (may_begin(path, start, whole) && part_matches(part, path, start, end))
                return (ssize_t)end;
    return -1;
}

static ssize_t first_end(const char *part, char *path, size_t length)
{
    for (size_t end = 0; end <= length; end++)
        if (part_matches(part, path, 0, end))
            return (ssize_t)end;
    return -1;
}

static bool last_matches(const char *part, char *path, size_t from, size_t length, bool whole)
{
    for (size_t start = from; start <= length; start++)
        if (may_begin(path, start, whole) && part_matches(part, path, start, length))
            return true;
    return false;
}

/* The parts between `**` match one after the other, each as early as it can: what an early end
 * leaves to the rest is never less. */
static bool glob_parts(char *pattern, char *path)
{
    size_t length = strlen(path);
    char *stars = strstr(pattern, "**");
    if (!stars)
        return part_matches(pattern, path, 0, length);
    *stars = '\0';
    ssize_t at = first_end(pattern, path, length);
    while (at >= 0) {
        pattern = stars + 2;
        bool whole = *pattern == '/';
        if (whole)
            pattern++;
        if (!*pattern)
            return true;
        stars = strstr(pattern, "**");
        if (!stars)
            return last_matches(pattern, path, (size_t)at, length, whole);
        *stars = '\0';
        at = nearest_end(pattern, path, (size_t)at, length, whole);
    }
    return false;
}

static bool glob_from(const char *pattern, const char *path)
{
    if (!strstr(pattern, "**"))
        return fnmatch(pattern, path, FNM_PATHNAME) == 0;
    SCOPED(string) char *own_pattern = mem_string(pattern);
    SCOPED(string) char *own_path = mem_string(path);
    return glob_parts(own_pattern, own_path);
}

bool text_glob(const char *pattern, const char *path)
{
    if (glob_from(pattern, path))
        return true;
    const char *base = strrchr(path, '/');
    return base && !strchr(pattern, '/') && fnmatch(pattern, base + 1, 0) == 0;
}
