#include "crypto/age_armor.h"

#include "base/error.h"
#include "base/mem.h"
#include "crypto/base64.h"

#include <string.h>

#define COLUMNS ((size_t)64)
#define COLUMN_BYTES ((size_t)48)
/* White space that editors and mail leave behind the last line. */
#define TAIL_SIZE ((size_t)1024)
/* Lines that are read at once. */
#define BATCH_LINES ((uint64_t)4096)

static int damaged(const char *what, struct error *err)
{
    return error_set(err, ERROR_CORRUPT, "armored age file: %s", what);
}

static int read_exactly(const struct age_armor *armor, uint64_t offset, void *data, size_t size,
                        struct error *err)
{
    size_t got = 0;
    if (armor->read(armor->context, offset, data, size, &got, err) < 0)
        return -1;
    return got == size ? 0 : damaged("it became shorter while it was read", err);
}

/* The marker that begins the file, and which kind of line end follows. */
static int find_start(struct age_armor *armor, uint64_t size, struct error *err)
{
    size_t length = strlen(AGE_ARMOR_BEGIN);
    char begin[sizeof AGE_ARMOR_BEGIN + 1];
    if (size < sizeof begin)
        return damaged("it has no content", err);
    if (read_exactly(armor, 0, begin, sizeof begin, err) < 0)
        return -1;
    if (begin[length] == '\n')
        armor->line_end = 1;
    else if (begin[length] == '\r' && begin[length + 1] == '\n')
        armor->line_end = 2;
    else
        return damaged("the first line is not the marker alone", err);
    armor->start = length + armor->line_end;
    return 0;
}

/* Where the marker that ends the file begins. */
static int find_end(const struct age_armor *armor, uint64_t size, uint64_t *ret_end,
                    struct error *err)
{
    char tail[TAIL_SIZE];
    uint64_t rest = size - armor->start;
    size_t length = rest < sizeof tail ? (size_t)rest : sizeof tail;
    if (read_exactly(armor, size - length, tail, length, err) < 0)
        return -1;
    size_t marker = strlen(AGE_ARMOR_END);
    size_t left = length;
    while (left && strchr(" \t\r\n", tail[left - 1]) && tail[left - 1])
        left--;
    if (left < marker || memcmp(tail + left - marker, AGE_ARMOR_END, marker) != 0)
        return damaged("the last line is not the end marker, the file is cut or damaged", err);
    *ret_end = size - length + left - marker;
    return 0;
}

/* One line of base64: 0, or -1 when it is not exactly that. */
static int decode_line(const struct age_armor *armor, const char *line, size_t length,
                       unsigned char ret_data[static COLUMN_BYTES], size_t *ret_size)
{
    if (armor->line_end == 2 && line[length] != '\r')
        return -1;
    if (line[length + armor->line_end - 1] != '\n')
        return -1;
    return base64_decode(line, length, BASE64_PADDED, ret_data, COLUMN_BYTES, ret_size);
}

static size_t line_span(const struct age_armor *armor)
{
    return COLUMNS + armor->line_end;
}

/* The last line may be short; it says how long the binary file is. */
static int measure(struct age_armor *armor, uint64_t end, struct error *err)
{
    uint64_t text_size = end - armor->start;
    uint64_t full = text_size / line_span(armor);
    size_t rest = (size_t)(text_size % line_span(armor));
    if (text_size == 0 || (rest && rest <= armor->line_end))
        return damaged("it has no content, or a line that is empty", err);
    armor->lines = full + (rest ? 1 : 0);
    armor->last_length = rest ? rest - armor->line_end : COLUMNS;

    char line[COLUMNS + 2];
    unsigned char data[COLUMN_BYTES];
    size_t size = 0;
    uint64_t last = armor->start + (armor->lines - 1) * line_span(armor);
    if (read_exactly(armor, last, line, armor->last_length + armor->line_end, err) < 0)
        return -1;
    if (decode_line(armor, line, armor->last_length, data, &size) < 0)
        return damaged("the last line is not base64 in lines of 64", err);
    armor->size = (armor->lines - 1) * COLUMN_BYTES + size;
    return 0;
}

int age_armor_open(age_read_fn *read, void *context, uint64_t size, struct age_armor *ret_armor,
                   struct error *err)
{
    struct age_armor armor = {.read = read, .context = context};
    uint64_t end = 0;
    if (find_start(&armor, size, err) < 0 || find_end(&armor, size, &end, err) < 0 ||
        measure(&armor, end, err) < 0)
        return -1;
    *ret_armor = armor;
    return 0;
}

/* Lines `first` to first + count as bytes into `ret_data`, which has room for all of them. */
static int read_lines(const struct age_armor *armor, uint64_t first, uint64_t count,
                      unsigned char *ret_data, struct error *err)
{
    bool to_the_end = first + count == armor->lines;
    size_t text_size = (size_t)count * line_span(armor);
    if (to_the_end)
        text_size -= COLUMNS - armor->last_length;
    SCOPED(string) char *text = mem_alloc(text_size, 1);
    if (read_exactly(armor, armor->start + first * line_span(armor), text, text_size, err) < 0)
        return -1;
    for (uint64_t i = 0; i < count; i++) {
        bool last = to_the_end && i == count - 1;
        size_t size = 0;
        if (decode_line(armor, text + i * line_span(armor), last ? armor->last_length : COLUMNS,
                        ret_data + i * COLUMN_BYTES, &size) < 0 ||
            (!last && size != COLUMN_BYTES))
            return error_set(err, ERROR_CORRUPT,
                             "armored age file: line %llu is not 64 characters of base64",
                             (unsigned long long)first + i + 2);
    }
    return 0;
}

int age_armor_read(void *context, uint64_t offset, void *data, size_t size, size_t *ret_size,
                   struct error *err)
{
    const struct age_armor *armor = context;
    char *at = data;
    if (offset >= armor->size)
        size = 0;
    else if (size > armor->size - offset)
        size = (size_t)(armor->size - offset);
    *ret_size = size;
    SCOPED(memory) void *bytes = size ? mem_alloc(BATCH_LINES, COLUMN_BYTES) : NULL;
    while (size) {
        uint64_t first = offset / COLUMN_BYTES;
        uint64_t after = (offset + size - 1) / COLUMN_BYTES + 1;
        uint64_t count = after - first < BATCH_LINES ? after - first : BATCH_LINES;
        if (read_lines(armor, first, count, bytes, err) < 0)
            return -1;
        size_t skipped = (size_t)(offset - first * COLUMN_BYTES);
        size_t got = (size_t)count * COLUMN_BYTES - skipped;
        if (got > size)
            got = size;
        memcpy(at, (char *)bytes + skipped, got);
        at += got;
        offset += got;
        size -= got;
    }
    return 0;
}
