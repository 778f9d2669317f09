#include "migrate/migration.h"

#include "base/error.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

struct migration *migration_new(const char *version, const char *name)
{
    struct migration *migration = MEM_NEW(struct migration);
    migration->version = arena_string(&migration->memory, version);
    migration->name = arena_string(&migration->memory, name);
    return migration;
}

struct migration *migration_set_new(struct migration_set *set, const char *version,
                                    const char *name)
{
    struct migration *migration = ARENA_NEW(&set->memory, struct migration);
    migration->version = version;
    migration->name = name;
    migration->of_set = true;
    migration_set_give(set, migration);
    return migration;
}

void migration_free(struct migration *migration)
{
    if (!migration || migration->of_set)
        return;
    arena_clear(&migration->memory);
    free(migration);
}

/* ---- statements ---- */

/* Most parts have one statement or two. */
static void part_reserve(struct migration_part *part, struct arena *memory, size_t count)
{
    if (count <= part->capacity)
        return;
    size_t capacity = part->capacity ? 2 * part->capacity : 2;
    capacity = capacity < count ? count : capacity;
    struct migration_statement *items = arena_alloc(memory, capacity * sizeof *items);
    if (part->count)
        memcpy(items, part->items, part->count * sizeof *items);
    part->items = items;
    part->capacity = capacity;
}

struct migration_statement *migration_part_add(struct migration_part *part, struct arena *memory,
                                               const struct statement *statement)
{
    part_reserve(part, memory, part->count + 1);
    struct migration_statement *added = &part->items[part->count++];
    *added = (struct migration_statement){
        .kind = statement->kind,
        .text = arena_string_n(memory, statement->text, statement->size),
        .size = statement->size,
        .line = statement->line,
        .column = statement->column,
        .block = statement->block,
    };
    return added;
}

void migration_part_prepend(struct migration_part *part, struct arena *memory,
                            struct migration_part *from)
{
    if (part->count == 0) {
        part->items = from->items;
        part->count = from->count;
        part->capacity = from->capacity;
    } else if (from->count > 0) {
        part_reserve(part, memory, part->count + from->count);
        memmove(part->items + from->count, part->items, part->count * sizeof *part->items);
        memcpy(part->items, from->items, from->count * sizeof *part->items);
        part->count += from->count;
    }
    from->items = NULL;
    from->count = 0;
    from->capacity = 0;
}

/* ---- sums ---- */

static bool is_trailing(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

/* Each line without its CR and trailing blanks, with an LF. */
static void normal_lines(struct buf *buf, const char *text, size_t size)
{
    buf_reserve(buf, size + 1);
    char *to = buf->data + buf->length;
    while (size > 0) {
        const char *newline = memchr(text, '\n', size);
        size_t line = newline ? (size_t)(newline - text) : size;
        size_t kept = line;
        while (kept > 0 && is_trailing(text[kept - 1]))
            kept--;
        memcpy(to, text, kept);
        to += kept;
        *to++ = '\n';
        size -= line + (newline != NULL);
        text += line + (newline != NULL);
    }
    *to = '\0';
    buf->length = (size_t)(to - buf->data);
}

static void normal_statements(struct buf *buf, const struct migration_part *part, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct migration_statement *statement = &part->items[i];
        normal_lines(buf, statement->text, statement->size);
        if (statement->rows)
            normal_lines(buf, statement->rows, statement->rows_size);
        buf_append_text(buf, ";\n");
    }
}

void migration_normal(const struct migration *migration, struct buf *buf)
{
    const struct migration_part *up = &migration->parts[MIGRATE_UP];
    const struct migration_part *down = &migration->parts[MIGRATE_DOWN];
    normal_statements(buf, up, up->count);
    buf_append_text(buf, "-- Down\n");
    normal_statements(buf, down, down->count);
}

static void sum_of(const struct buf *buf, char ret_text[static SHA256_TEXT])
{
    uint8_t digest[SHA256_SIZE];
    sha256_of(buf->data, buf->length, digest);
    text_hex(digest, sizeof digest, ret_text);
}

void migration_sum(struct migration *migration, struct buf *scratch)
{
    buf_reset(scratch);
    migration_normal(migration, scratch);
    sum_of(scratch, migration->checksum);
}

void migration_sum_part(const struct migration_part *part, size_t count,
                        char ret_text[static SHA256_TEXT])
{
    SCOPED(buf) struct buf normal = BUF_INIT;
    normal_statements(&normal, part, count);
    sum_of(&normal, ret_text);
}

/* ---- sets ---- */

static size_t digits(const char *text)
{
    return strspn(text, "0123456789");
}

bool migration_version_repeatable(const char *version)
{
    return strncmp(version, "R__", 3) == 0;
}

/* What is left of a version that was equal so far: ".0" says nothing. */
static const char *skip_zeros(const char *rest)
{
    while (rest[0] == '.' && rest[1] == '0') {
        size_t zeros = strspn(rest + 1, "0");
        if (digits(rest + 1) != zeros)
            break;
        rest += 1 + zeros;
    }
    return rest;
}

int migration_version_compare(const char *a, const char *b)
{
    if (migration_version_repeatable(a) && migration_version_repeatable(b))
        return strcmp(a, b);
    while (*a && *b) {
        size_t a_size = digits(a);
        size_t b_size = digits(b);
        if (!a_size || !b_size) {
            if (*a != *b)
                return (unsigned char)*a - (unsigned char)*b;
            a++;
            b++;
            continue;
        }
        size_t a_zeros = strspn(a, "0");
        size_t b_zeros = strspn(b, "0");
        a_zeros = a_zeros < a_size ? a_zeros : a_size;
        b_zeros = b_zeros < b_size ? b_zeros : b_size;
        if (a_size - a_zeros != b_size - b_zeros)
            return a_size - a_zeros < b_size - b_zeros ? -1 : 1;
        int order = memcmp(a + a_zeros, b + b_zeros, a_size - a_zeros);
        if (order)
            return order;
        a += a_size;
        b += b_size;
    }
    a = skip_zeros(a);
    b = skip_zeros(b);
    return (unsigned char)*a - (unsigned char)*b;
}

static int compare_items(const void *a, const void *b)
{
    const struct migration *const *left = a;
    const struct migration *const *right = b;
    return migration_version_compare((*left)->version, (*right)->version);
}

/* Names of files mostly sort as their versions do. */
void migration_set_give(struct migration_set *set, struct migration *migration)
{
    ARRAY_GROW(set->items, set->count, set->capacity);
    set->items[set->count++] = migration;
    if (set->count > 1 && compare_items(&set->items[set->count - 2], &migration) > 0)
        set->mixed = true;
}

int migration_set_sort(struct migration_set *set, struct error *err)
{
    if (set->mixed)
        qsort(set->items, set->count, sizeof *set->items, compare_items);
    set->mixed = false;
    for (size_t i = 1; i < set->count; i++) {
        if (migration_version_compare(set->items[i - 1]->version, set->items[i]->version) != 0)
            continue;
        SCOPED(string) char *first = migration_place(set->items[i - 1], MIGRATE_UP);
        SCOPED(string) char *second = migration_place(set->items[i], MIGRATE_UP);
        error_set(err, ERROR_USAGE, "two migrations have the version %s: %s and %s",
                  set->items[i]->version, first, second);
        return error_hint(err, "give one of them a new version in its name");
    }
    return 0;
}

static struct migration *find_in_mixed(const struct migration_set *set, const char *version)
{
    for (size_t i = 0; i < set->count; i++)
        if (migration_version_compare(set->items[i]->version, version) == 0)
            return set->items[i];
    return NULL;
}

static int compare_version(const void *version, const void *item)
{
    const struct migration *const *migration = item;
    return migration_version_compare(version, (*migration)->version);
}

struct migration *migration_set_find(const struct migration_set *set, const char *version)
{
    if (set->mixed || set->count == 0)
        return find_in_mixed(set, version);
    struct migration **found =
        bsearch(version, set->items, set->count, sizeof *set->items, compare_version);
    return found ? *found : NULL;
}

void migration_set_clear(struct migration_set *set)
{
    for (size_t i = 0; i < set->count; i++)
        migration_free(set->items[i]);
    free(set->items);
    arena_clear(&set->memory);
    *set = MIGRATION_SET_INIT;
}

bool migration_reversible(const struct migration *migration)
{
    bool does_nothing = !migration->functions[MIGRATE_UP] && !migration->parts[MIGRATE_UP].count;
    return migration->functions[MIGRATE_DOWN] || migration->parts[MIGRATE_DOWN].exists ||
           does_nothing;
}

char *migration_place(const struct migration *migration, enum direction direction)
{
    const char *path = migration->parts[direction].path;
    if (!path)
        path = migration->parts[MIGRATE_UP].path;
    return path ? mem_string(path)
                : mem_format("registered migration %s %s", migration->version, migration->name);
}
