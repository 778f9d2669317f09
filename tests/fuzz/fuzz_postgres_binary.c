/*
 * Rows as a strange server might send them in binary. The first byte says how many columns, the
 * next ones of which types; the rest is the row, in memory of its own size.
 */
#include "fuzz.h"

#include "source/postgres_binary.h"

static const char *const functions[][2] = {
    {"boolout", "boolsend"},
    {"int2out", "int2send"},
    {"int4out", "int4send"},
    {"int8out", "int8send"},
    {"oidout", "oidsend"},
    {"uuid_out", "uuid_send"},
    {"date_out", "date_send"},
    {"time_out", "time_send"},
    {"timestamp_out", "timestamp_send"},
    {"timestamptz_out", "timestamptz_send"},
    {"numeric_out", "numeric_send"},
    {"textout", "textsend"},
    {"jsonb_out", "jsonb_send"},
    {"byteaout", "byteasend"},
};

#define COLUMNS_MAXIMUM 8
#define ROOM ((size_t)256)

static size_t count_of(const struct buf *text, char byte)
{
    size_t count = 0;
    for (size_t i = 0; i < text->length; i++)
        count += text->data[i] == byte;
    return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {data, size};
    struct binary_layout layout = {0};
    size_t columns = input_byte(&input) % COLUMNS_MAXIMUM + 1u;
    for (size_t i = 0; i < columns; i++) {
        size_t kind = input_byte(&input) % ARRAY_SIZE(functions);
        binary_layout_add(&layout, "c", functions[kind][0], functions[kind][1]);
    }
    SCOPED(memory) void *row = mem_alloc(input.size + 1, 1);
    char *fields = (char *)row + 1;
    memcpy(fields, input.data, input.size);

    struct error err = ERROR_INIT;
    struct buf text = BUF_INIT;
    MUST(binary_layout_is_known(&layout));
    if (binary_row_text(&layout, fields, input.size, &text, &err) < 0) {
        MUST_SAY(&err);
        MUST(text.length == 0);
    } else {
        MUST(count_of(&text, '\n') == 1 && text.data[text.length - 1] == '\n');
        MUST(count_of(&text, '\t') == columns - 1);
        MUST(text.data[text.length] == '\0');
    }
    size_t put = 0;
    SCOPED(memory) void *out = mem_alloc(text.length + ROOM, 1);
    struct error other = ERROR_INIT;
    int done = binary_row_put(&layout, fields, input.size, out, text.length + ROOM, &put, &other);
    if (done > 0)
        MUST(put == text.length && memcmp(out, text.data, put) == 0);
    buf_clear(&text);
    binary_layout_clear(&layout);
    return 0;
}
