#include "source/files_acl.h"

#include "base/error.h"
#include "source/files_names.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

/* The kernel's layout (linux/posix_acl_xattr.h): a version, then entries, little-endian. */
#define VERSION 2
#define ENTRY_SIZE ((size_t)8)
#define HEADER_SIZE ((size_t)4)
#define NOBODY UINT32_MAX

enum tag {
    TAG_USER_OBJECT = 0x01,
    TAG_USER = 0x02,
    TAG_GROUP_OBJECT = 0x04,
    TAG_GROUP = 0x08,
    TAG_MASK = 0x10,
    TAG_OTHER = 0x20,
};

static const struct {
    enum tag tag;
    const char *word;
    bool named;
} tags[] = {
    {TAG_USER_OBJECT, "user", false}, {TAG_USER, "user", true},  {TAG_GROUP_OBJECT, "group", false},
    {TAG_GROUP, "group", true},       {TAG_MASK, "mask", false}, {TAG_OTHER, "other", false},
};

static void append_entry(struct files_names *names, struct buf *text, size_t row, unsigned allowed,
                         uint32_t id)
{
    const char *name = NULL;
    if (tags[row].named)
        name =
            tags[row].tag == TAG_USER ? files_names_user(names, id) : files_names_group(names, id);
    /* A name that would break the line is as good as none. */
    if (name && strpbrk(name, ":,\n"))
        name = NULL;
    buf_append_format(text, "%s%s:", text->length ? "," : "", tags[row].word);
    if (name)
        buf_append_text(text, name);
    else if (tags[row].named)
        buf_append_format(text, "%u", id);
    buf_append_format(text, ":%c%c%c", allowed & 4 ? 'r' : '-', allowed & 2 ? 'w' : '-',
                      allowed & 1 ? 'x' : '-');
    if (name)
        buf_append_format(text, ":%u", id);
}

int files_acl_to_text(struct files_names *names, const void *value, size_t size, struct buf *text,
                      struct error *err)
{
    const uint8_t *at = value;
    uint32_t version = 0;
    if (size >= HEADER_SIZE)
        memcpy(&version, at, sizeof version);
    if (le32toh(version) != VERSION || (size - HEADER_SIZE) % ENTRY_SIZE)
        return error_set(err, ERROR_SOURCE, "an access list of a kind that is not known");
    for (size_t done = HEADER_SIZE; done < size; done += ENTRY_SIZE) {
        uint16_t tag = 0, allowed = 0;
        uint32_t id = 0;
        memcpy(&tag, at + done, 2);
        memcpy(&allowed, at + done + 2, 2);
        memcpy(&id, at + done + 4, 4);
        size_t row = 0;
        while (row < ARRAY_SIZE(tags) && (uint16_t)tags[row].tag != le16toh(tag))
            row++;
        if (row == ARRAY_SIZE(tags))
            return error_set(err, ERROR_SOURCE, "an access list with an entry that is not known");
        append_entry(names, text, row, le16toh(allowed), le32toh(id));
    }
    return 0;
}

/* ---- from text ---- */

struct entry {
    uint16_t tag;
    uint16_t allowed;
    uint32_t id;
};

static int parse_allowed(const char *text, uint16_t *ret_allowed)
{
    static const char letters[] = "rwx";
    uint16_t allowed = 0;
    for (; *text; text++) {
        const char *letter = strchr(letters, *text);
        if (*text != '-' && !letter)
            return -1;
        if (letter)
            allowed |= (uint16_t)(4 >> (letter - letters));
    }
    *ret_allowed = allowed;
    return 0;
}

static int parse_id(const char *text, uint32_t *ret_id)
{
    char *end = NULL;
    if (text[0] < '0' || text[0] > '9')
        return -1;
    unsigned long long id = strtoull(text, &end, 10);
    if (*end || id >= UINT32_MAX)
        return -1;
    *ret_id = (uint32_t)id;
    return 0;
}

static int who(struct files_names *names, enum tag tag, const char *name, const char *number,
               uint32_t *ret_id)
{
    int found = tag == TAG_USER ? files_names_find_user(names, name, ret_id)
                                : files_names_find_group(names, name, ret_id);
    if (found)
        return 0;
    if (number && parse_id(number, ret_id) == 0)
        return 0;
    return parse_id(name, ret_id);
}

static int parse_entry(struct files_names *names, char *line, struct entry *ret_entry)
{
    char *field[4] = {line, NULL, NULL, NULL};
    size_t count = 1;
    for (char *c = line; *c; c++) {
        if (*c != ':')
            continue;
        if (count == ARRAY_SIZE(field))
            return -1;
        *c = '\0';
        field[count++] = c + 1;
    }
    if (count < 3)
        return -1;
    bool named = field[1][0] != '\0';
    for (size_t row = 0; row < ARRAY_SIZE(tags); row++) {
        /* "u", "user", "g", "group", "m", "mask", "o", "other" */
        bool word = strcmp(field[0], tags[row].word) == 0 ||
                    (field[0][0] == tags[row].word[0] && !field[0][1]);
        if (!word || named != tags[row].named)
            continue;
        ret_entry->tag = (uint16_t)tags[row].tag;
        ret_entry->id = NOBODY;
        if (named && who(names, tags[row].tag, field[1], field[3], &ret_entry->id) < 0)
            return -1;
        return parse_allowed(field[2], &ret_entry->allowed);
    }
    return -1;
}

static int compare_entries(const void *a, const void *b)
{
    const struct entry *left = a, *right = b;
    if (left->tag != right->tag)
        return left->tag < right->tag ? -1 : 1;
    return left->id < right->id ? -1 : left->id > right->id;
}

static void append_value(struct buf *value, const struct entry *entries, size_t count)
{
    uint32_t version = htole32(VERSION);
    buf_append(value, &version, sizeof version);
    for (size_t i = 0; i < count; i++) {
        uint16_t tag = htole16(entries[i].tag), allowed = htole16(entries[i].allowed);
        uint32_t id = htole32(entries[i].id);
        buf_append(value, &tag, sizeof tag);
        buf_append(value, &allowed, sizeof allowed);
        buf_append(value, &id, sizeof id);
    }
}

/* A line without its blanks and what follows '#'. */
static char *trim(char *line)
{
    line += strspn(line, " \t");
    line[strcspn(line, " \t#")] = '\0';
    return line;
}

int files_acl_from_text(struct files_names *names, const char *text, struct buf *value,
                        struct error *err)
{
    buf_reset(value);
    SCOPED(string) char *copy = mem_string(text);
    SCOPED(memory) void *memory = NULL;
    struct entry *entries = NULL;
    size_t count = 0, capacity = 0;
    char *rest = NULL;
    for (char *line = strtok_r(copy, ",\n", &rest); line; line = strtok_r(NULL, ",\n", &rest)) {
        line = trim(line);
        if (!*line)
            continue;
        ARRAY_GROW(entries, count, capacity);
        memory = entries;
        if (parse_entry(names, line, &entries[count++]) < 0)
            return error_set(err, ERROR_CORRUPT, "an access list that cannot be read");
    }
    if (!count)
        return error_set(err, ERROR_CORRUPT, "an empty access list");
    /* The kernel wants them in the order of tags and numbers. */
    qsort(entries, count, sizeof *entries, compare_entries);
    append_value(value, entries, count);
    return 0;
}
