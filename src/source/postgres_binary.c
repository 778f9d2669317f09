#include "source/postgres_binary.h"

#include "base/big_endian.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/text.h"
#include "source/postgres_escape.h"
#include "source/postgres_value.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Of a row's text, newline included: the server makes no longer one, and reads none. */
#define ROW_MAXIMUM ((size_t)0x3ffffffe)
/* Long values are written by pieces, so that memory grows with the text and not before it. */
#define PIECE ((size_t)64 << 10)

enum shape { SHAPE_SHORT, SHAPE_TEXT, SHAPE_VERSIONED, SHAPE_BYTES, SHAPE_NUMERIC };

struct binary_type {
    const char *output;
    const char *send;
    enum shape shape;
    char *(*write)(char *out, const char *bytes, size_t size); /* SHAPE_SHORT */
};

static const struct binary_type types[] = {
    {"boolout", "boolsend", SHAPE_SHORT, value_bool},
    {"int2out", "int2send", SHAPE_SHORT, value_int2},
    {"int4out", "int4send", SHAPE_SHORT, value_int4},
    {"int8out", "int8send", SHAPE_SHORT, value_int8},
    {"oidout", "oidsend", SHAPE_SHORT, value_oid},
    {"uuid_out", "uuid_send", SHAPE_SHORT, value_uuid},
    {"date_out", "date_send", SHAPE_SHORT, value_date},
    {"time_out", "time_send", SHAPE_SHORT, value_time},
    {"timestamp_out", "timestamp_send", SHAPE_SHORT, value_timestamp},
    {"timestamptz_out", "timestamptz_send", SHAPE_SHORT, value_timestamptz},
    {"numeric_out", "numeric_send", SHAPE_NUMERIC, NULL},
    {"textout", "textsend", SHAPE_TEXT, NULL},
    {"varcharout", "varcharsend", SHAPE_TEXT, NULL},
    {"bpcharout", "bpcharsend", SHAPE_TEXT, NULL},
    {"nameout", "namesend", SHAPE_TEXT, NULL},
    {"enum_out", "enum_send", SHAPE_TEXT, NULL},
    {"json_out", "json_send", SHAPE_TEXT, NULL},
    {"jsonb_out", "jsonb_send", SHAPE_VERSIONED, NULL},
    {"byteaout", "byteasend", SHAPE_BYTES, NULL},
};

/* ---- layouts ---- */

static const struct binary_type *find_type(const char *output, const char *send)
{
    for (size_t i = 0; output && send && i < ARRAY_SIZE(types); i++)
        if (strcmp(types[i].output, output) == 0 && strcmp(types[i].send, send) == 0)
            return &types[i];
    return NULL;
}

void binary_layout_add(struct binary_layout *layout, const char *name, const char *output,
                       const char *send)
{
    const struct binary_type *type = find_type(output, send);
    ARRAY_GROW(layout->types, layout->count, layout->capacity);
    layout->types[layout->count++] = type;
    text_list_add(&layout->names, name);
    layout->unknown = layout->unknown || !type;
}

void binary_layout_clear(struct binary_layout *layout)
{
    free(layout->types);
    text_list_clear(&layout->names);
    *layout = (struct binary_layout){0};
}

bool binary_layout_is_known(const struct binary_layout *layout)
{
    return layout->count > 0 && !layout->unknown;
}

/* ---- rows ---- */

/* Where the next byte of text goes, and where its place ends. */
struct pen {
    struct buf *text; /* grows, and its length is behind while the pen writes; or NULL */
    char *start;      /* of the row */
    char *at;
    char *end;
    bool full; /* there was no room, and the text does not grow */
};

/* Whether there is room now. */
static bool make_room(struct pen *pen, size_t size)
{
    if ((size_t)(pen->end - pen->at) >= size)
        return true;
    if (!pen->text) {
        pen->full = true;
        return false;
    }
    size_t before = (size_t)(pen->start - pen->text->data);
    pen->text->length = (size_t)(pen->at - pen->text->data);
    buf_reserve(pen->text, size);
    pen->start = pen->text->data + before;
    pen->at = pen->text->data + pen->text->length;
    pen->end = pen->text->data + pen->text->capacity;
    return true;
}

static int too_long(struct error *err)
{
    error_set(err, ERROR_FAILED, "the text of a row is longer than 1 GiB");
    return error_hint(err, "the server could neither write nor read it; COPY in binary can");
}

static int put_pieces(struct pen *pen, char *(*write)(char *, const char *, size_t),
                      const char *bytes, size_t size, struct error *err)
{
    while (size) {
        size_t piece = size < PIECE ? size : PIECE;
        if (!make_room(pen, 2 * piece))
            return -1;
        pen->at = write(pen->at, bytes, piece);
        if ((size_t)(pen->at - pen->start) > ROW_MAXIMUM)
            return too_long(err);
        bytes += piece;
        size -= piece;
    }
    return 0;
}

/* 0; -1 with an error, or with none when the pen is full. So are those below. */
static int put_value(struct pen *pen, const struct binary_type *type, const char *bytes,
                     size_t size, struct error *err)
{
    size_t needed = VALUE_TEXT;
    char *end = NULL;
    switch (type->shape) {
    case SHAPE_VERSIONED:
        if (size < 1 || *bytes != 1)
            break;
        return put_pieces(pen, escape_text, bytes + 1, size - 1, err);
    case SHAPE_TEXT:
        return put_pieces(pen, escape_text, bytes, size, err);
    case SHAPE_BYTES:
        if (!make_room(pen, needed))
            return -1;
        memcpy(pen->at, "\\\\x", 3);
        pen->at += 3;
        return put_pieces(pen, escape_hex, bytes, size, err);
    case SHAPE_NUMERIC:
        needed = value_numeric_size(bytes, size);
        if (!make_room(pen, needed))
            return -1;
        end = needed ? value_numeric(pen->at, bytes, size) : NULL;
        break;
    case SHAPE_SHORT:
        if (!make_room(pen, needed))
            return -1;
        end = type->write(pen->at, bytes, size);
        break;
    }
    if (!end)
        return error_set(err, ERROR_FAILED, "%zu bytes that are no value of %s", size, type->send);
    pen->at = end;
    return 0;
}

/* The next field and the tabulator behind it; *fields and *size go on to the one after. */
static int put_field(struct pen *pen, const struct binary_type *type, const char **fields,
                     size_t *size, struct error *err)
{
    int32_t length = 0;
    if (*size < sizeof length)
        return error_set(err, ERROR_FAILED, "it ends before its last column");
    length = (int32_t)big_endian_32(*fields);
    *fields += sizeof length;
    *size -= sizeof length;
    if (length < -1 || (length > 0 && (size_t)length > *size))
        return error_set(err, ERROR_FAILED, "a value of %d bytes, and %zu are left", (int)length,
                         *size);
    if (length >= 0) {
        if (put_value(pen, type, *fields, (size_t)length, err) < 0)
            return -1;
        *fields += length;
        *size -= (size_t)length;
    }
    if (!make_room(pen, 3))
        return -1;
    if (length < 0) {
        *pen->at++ = '\\';
        *pen->at++ = 'N';
    }
    *pen->at++ = '\t';
    return 0;
}

static int put_fields(struct pen *pen, const struct binary_layout *layout, const char *fields,
                      size_t size, struct error *err)
{
    uint16_t count = size < sizeof count ? 0 : big_endian_16(fields);
    if (size < sizeof count || count != layout->count)
        return error_set(err, ERROR_FAILED, "%d columns, and not %zu", (int)count, layout->count);
    fields += sizeof count;
    size -= sizeof count;
    for (size_t i = 0; i < layout->count; i++)
        if (put_field(pen, layout->types[i], &fields, &size, err) < 0)
            return pen->full ? -1 : error_prefix(err, "column %s", layout->names.items[i]);
    if (size)
        return error_set(err, ERROR_FAILED, "%zu bytes after its last column", size);
    pen->at[-1] = '\n';
    return 0;
}

static int end_row(const struct pen *pen, int result, struct error *err)
{
    if (result < 0)
        return error_prefix(err, "a row in binary");
    return (size_t)(pen->at - pen->start) > ROW_MAXIMUM ? too_long(err) : 0;
}

int binary_row_text(const struct binary_layout *layout, const char *fields, size_t size,
                    struct buf *text, struct error *err)
{
    size_t length = text->length;
    char *start = text->data + length;
    struct pen pen = {
        .text = text, .start = start, .at = start, .end = text->data + text->capacity};
    int result = put_fields(&pen, layout, fields, size, err);
    text->length = result < 0 ? length : (size_t)(pen.at - text->data);
    if (text->capacity)
        text->data[text->length] = '\0';
    return end_row(&pen, result, err);
}

int binary_row_put(const struct binary_layout *layout, const char *fields, size_t size, char *out,
                   size_t room, size_t *ret_size, struct error *err)
{
    struct pen pen = {.start = out, .at = out, .end = out + room};
    int result = put_fields(&pen, layout, fields, size, err);
    if (pen.full)
        return 0;
    if (end_row(&pen, result, err) < 0)
        return -1;
    *ret_size = (size_t)(pen.at - out);
    return 1;
}
