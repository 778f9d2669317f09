#include "artifact/index_lines.h"

#include "artifact/index.h"
#include "artifact/index_quick.h"
#include "base/error.h"
#include "base/text.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* A member's path may have 64 KiB in pax, six times as much when every character is escaped. */
#define LINE_MAXIMUM ((size_t)1 << 20)

static const char *const section_names[] = {"pre", "data", "post", "index"};

void index_lines_init(struct index_lines *lines, const struct index_visitor *visitor, bool comments)
{
    *lines = (struct index_lines){
        .visitor = visitor, .comments = comments, .line = BUF_INIT_MAX(LINE_MAXIMUM)};
}

void index_lines_clear(struct index_lines *lines)
{
    buf_clear(&lines->line);
}

static int damaged(const char *what, struct error *err)
{
    return error_set(err, ERROR_CORRUPT, "%s", what);
}

/* A text that may be under "key" or, byte by byte, under "key_hex"; NULL when it is under neither.
 * *owned is what to free. */
static int get_text(const json_t *line, const char *key, const char **ret_text, char **owned,
                    struct error *err)
{
    char hex_key[32];
    snprintf(hex_key, sizeof hex_key, "%s_hex", key);
    const json_t *plain = json_object_get(line, key);
    const json_t *hex = json_object_get(line, hex_key);
    if ((plain && !json_is_string(plain)) || (hex && !json_is_string(hex)) || (plain && hex))
        return damaged("a name is not a text", err);
    *ret_text = json_string_value(plain);
    if (!hex)
        return 0;
    size_t length = json_string_length(hex) / 2;
    *owned = mem_alloc(length + 1, 1);
    if (text_unhex(json_string_value(hex), *owned, length) < 0 || strlen(*owned) != length)
        return damaged("a name is not hex", err);
    *ret_text = *owned;
    return 0;
}

static int get_count(const json_t *line, const char *key, uint64_t *ret_count, struct error *err)
{
    const json_t *value = json_object_get(line, key);
    if (!json_is_integer(value) || json_integer_value(value) < 0)
        return error_set(err, ERROR_CORRUPT, "\"%s\" is not a number", key);
    *ret_count = (uint64_t)json_integer_value(value);
    return 0;
}

static int get_section(const json_t *line, enum section *ret_section, struct error *err)
{
    const char *text = json_string_value(json_object_get(line, "section"));
    for (size_t i = 0; text && i < ARRAY_SIZE(section_names); i++)
        if (strcmp(text, section_names[i]) == 0) {
            *ret_section = (enum section)i;
            return 0;
        }
    return damaged("\"section\" is none", err);
}

static int give_frame(const struct index_visitor *visitor, const json_t *line, struct error *err)
{
    SCOPED(string) char *schema = NULL;
    SCOPED(string) char *table = NULL;
    struct index_frame frame = {0};
    const char *hash = json_string_value(json_object_get(line, "sha256"));
    if (!hash || text_unhex(hash, frame.sha256, sizeof frame.sha256) < 0)
        return damaged("\"sha256\" is none", err);
    if (get_count(line, "frame", &frame.number, err) < 0 ||
        get_section(line, &frame.section, err) < 0 ||
        get_text(line, "schema", &frame.schema, &schema, err) < 0 ||
        get_text(line, "table", &frame.table, &table, err) < 0 ||
        get_count(line, "offset", &frame.offset, err) < 0 ||
        get_count(line, "length", &frame.length, err) < 0 ||
        get_count(line, "plain", &frame.plain, err) < 0 ||
        get_count(line, "rows", &frame.rows, err) < 0)
        return -1;
    return visitor->frame(visitor->context, &frame, err);
}

static int give_table(const struct index_visitor *visitor, const json_t *line, struct error *err)
{
    SCOPED(string) char *schema = NULL;
    SCOPED(string) char *name = NULL;
    struct segment_table table = {0};
    const json_t *digest = json_object_get(line, "digest");
    if (digest && !json_is_string(digest))
        return damaged("\"digest\" is not a text", err);
    table.digest = json_string_value(digest);
    if (get_text(line, "schema", &table.schema, &schema, err) < 0 ||
        get_text(line, "name", &table.name, &name, err) < 0 ||
        get_count(line, "rows", &table.rows, err) < 0 ||
        get_count(line, "bytes", &table.bytes, err) < 0)
        return -1;
    return visitor->table(visitor->context, &table, err);
}

static int give_member(const struct index_visitor *visitor, const json_t *line, struct error *err)
{
    SCOPED(string) char *path = NULL;
    struct index_member member = {0};
    const char *type = json_string_value(json_object_get(line, "type"));
    if (!type || strlen(type) != 1)
        return damaged("\"type\" is not one character", err);
    member.type = type[0];
    if (get_text(line, "path", &member.path, &path, err) < 0 ||
        get_count(line, "size", &member.size, err) < 0 ||
        get_count(line, "frame", &member.frame, err) < 0)
        return -1;
    if (!member.path)
        return damaged("a member has no path", err);
    return visitor->member(visitor->context, &member, err);
}

/* Which kind of line it is shows in its first key, so lines nobody asked for are not parsed. */
static int take_json(struct index_lines *lines, char *text, size_t size, struct error *err)
{
    static const struct {
        const char *start;
        int (*give)(const struct index_visitor *, const json_t *, struct error *);
    } kinds[] = {{"{\"path", give_member}, {"{\"frame\":", give_frame}, {"{\"name", give_table}};
    const struct index_visitor *visitor = lines->visitor;
    const bool wanted[] = {visitor->member != NULL, visitor->frame != NULL, visitor->table != NULL};
    struct index_member member;
    if (visitor->member && index_quick_member(text, size, &member))
        return visitor->member(visitor->context, &member, err);
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        if (!text_starts(text, kinds[i].start))
            continue;
        if (!wanted[i])
            return 0;
        json_error_t where;
        json_t *line = json_loadb(text, size, JSON_REJECT_DUPLICATES, &where);
        if (!json_is_object(line)) {
            json_decref(line);
            return error_set(err, ERROR_CORRUPT, "%s", where.text);
        }
        int result = kinds[i].give(visitor, line, err);
        json_decref(line);
        return result;
    }
    return text[0] == '{' ? 0 : damaged("not an object", err);
}

static int take_line(struct index_lines *lines, struct error *err)
{
    char *text = lines->line.data;
    size_t size = lines->line.length;
    if (lines->comments) {
        if (!text_starts(text, INDEX_COMMENT))
            return damaged("not a comment", err);
        text += strlen(INDEX_COMMENT);
        size -= strlen(INDEX_COMMENT);
    }
    if (lines->number > 0)
        return take_json(lines, text, size, err);
    return strcmp(text, INDEX_HEADER) == 0 ? 0 : damaged("not the start of an index", err);
}

static int end_line(struct index_lines *lines, struct error *err)
{
    int result = take_line(lines, err);
    buf_reset(&lines->line);
    lines->number++;
    if (result < 0)
        return error_prefix(err, "index, line %llu", (unsigned long long)lines->number);
    return result;
}

int index_lines_feed(struct index_lines *lines, const void *data, size_t size, struct error *err)
{
    for (const char *at = data; size;) {
        const char *newline = memchr(at, '\n', size);
        size_t length = newline ? (size_t)(newline - at) : size;
        buf_append(&lines->line, at, length);
        if (lines->line.overflowed)
            return error_set(err, ERROR_CORRUPT, "index, line %llu: too long",
                             (unsigned long long)lines->number + 1);
        if (!newline)
            return 0;
        int result = end_line(lines, err);
        if (result)
            return result;
        at += length + 1;
        size -= length + 1;
    }
    return 0;
}

int index_lines_finish(struct index_lines *lines, struct error *err)
{
    if (lines->line.length || lines->number == 0)
        return error_set(err, ERROR_CORRUPT, "index: cut in line %llu",
                         (unsigned long long)lines->number + 1);
    return 0;
}
