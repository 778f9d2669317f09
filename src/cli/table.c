#include "cli/table.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/moment.h"
#include "base/text.h"
#include "cli/console.h"

#include <assert.h>
#include <inttypes.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <wchar.h>

#define COLUMN_GAP 2
#define COLUMN_SMALLEST 8
#define OUT_AT_ONCE ((size_t)32 << 10) /* lines go out in runs of about so many bytes */

struct cell {
    bool empty;
    int64_t number;
    const char *text;  /* COLUMN_OF_TEXT as it came */
    const char *shown; /* for people; mostly the same text */
    size_t width;      /* SIZE_MAX: to be measured */
};

struct table {
    const struct column_row *columns;
    size_t column_count;
    struct cell *cells;
    size_t cell_count;
    size_t cell_capacity;
    struct arena memory; /* of the texts */
};

struct table *table_new(const struct column_row *columns)
{
    struct table *table = MEM_NEW(struct table);
    table->columns = columns;
    while (columns[table->column_count].key)
        table->column_count++;
    return table;
}

void table_free(struct table *table)
{
    if (!table)
        return;
    free(table->cells);
    arena_clear(&table->memory);
    free(table);
}

static struct cell *add_cell(struct table *table)
{
    ARRAY_GROW(table->cells, table->cell_count, table->cell_capacity);
    struct cell *cell = &table->cells[table->cell_count++];
    *cell = (struct cell){0};
    return cell;
}

/* Without control characters and beyond ASCII nothing: as it came, a column for each byte. */
static bool is_plain(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (text[i] < ' ' || text[i] >= 0x7f)
            return false;
    return true;
}

void table_text(struct table *table, const char *text)
{
    struct cell *cell = add_cell(table);
    size_t size = text ? strlen(text) : 0;
    cell->empty = !text;
    cell->text = text ? arena_string_n(&table->memory, text, size) : NULL;
    if (text && is_plain(text, size)) {
        cell->shown = cell->text;
        cell->width = size;
        return;
    }
    SCOPED(buf) struct buf out = BUF_INIT;
    text_append_visible(&out, text ? text : "-", text ? size : 1);
    cell->shown = arena_string_n(&table->memory, out.data, out.length);
    cell->width = SIZE_MAX;
}

static char *format_age(int64_t seconds)
{
    static const struct {
        int64_t seconds;
        const char *name;
    } units[] = {{86400 * 365, "y"}, {86400, "d"}, {3600, "h"}, {60, "m"}, {1, "s"}};
    if (seconds < 0)
        seconds = 0;
    for (size_t i = 0; i < ARRAY_SIZE(units); i++)
        if (seconds >= 2 * units[i].seconds || units[i].seconds == 1)
            return mem_format("%" PRId64 "%s", seconds / units[i].seconds, units[i].name);
    return mem_string("-");
}

static char *format_number(enum column_type type, int64_t number)
{
    char text[32];
    switch (type) {
    case COLUMN_OF_BYTES:
        text_format_size((uint64_t)number, text);
        return mem_string(text);
    case COLUMN_OF_MOMENT:
        moment_format_local(number, text);
        return mem_string(text);
    case COLUMN_OF_DURATION:
        text_format_duration(number, text);
        return mem_string(text);
    case COLUMN_OF_AGE:
        return format_age(number);
    case COLUMN_OF_YES:
        return mem_string(number ? "yes" : "-");
    case COLUMN_OF_TEXT:
    case COLUMN_OF_NUMBER:
        break;
    }
    return mem_format("%" PRId64, number);
}

void table_number(struct table *table, int64_t number)
{
    enum column_type type = table->columns[table->cell_count % table->column_count].type;
    struct cell *cell = add_cell(table);
    cell->empty = number == TABLE_NONE;
    cell->number = number;
    SCOPED(string) char *shown = cell->empty ? mem_string("-") : format_number(type, number);
    cell->shown = arena_string(&table->memory, shown);
    cell->width = strlen(cell->shown);
}

size_t table_rows(const struct table *table)
{
    return table->cell_count / table->column_count;
}

/* ---- for people ---- */

/* What a terminal shows of `text`, in columns. */
static size_t width_of(const char *text)
{
    size_t width = 0;
    for (const unsigned char *at = (const unsigned char *)text; *at; at++) {
        if (*at < 0x80) {
            width++;
            continue;
        }
        wchar_t wide = 0;
        mbstate_t state = {0};
        size_t length = mbrtowc(&wide, (const char *)at, 6, &state);
        if (length == (size_t)-1 || length == (size_t)-2) {
            width += (*at & 0xC0) != 0x80;
            continue;
        }
        int columns = wcwidth(wide);
        width += columns < 0 ? 1 : (size_t)columns;
        at += length ? length - 1 : 0;
    }
    return width;
}

/* Bytes of `text` that fit into `width` columns, never cutting a character. */
static size_t fitting_bytes(const char *text, size_t width)
{
    size_t best = 0;
    for (size_t length = 1; text[length - 1]; length++) {
        if (((unsigned char)text[length] & 0xC0) == 0x80)
            continue;
        SCOPED(string) char *head = mem_string_n(text, length);
        if (width_of(head) > width)
            break;
        best = length;
    }
    return best;
}

static bool is_right(enum column_type type)
{
    return type == COLUMN_OF_NUMBER || type == COLUMN_OF_BYTES || type == COLUMN_OF_DURATION ||
           type == COLUMN_OF_AGE;
}

static size_t *measure(const struct table *table)
{
    assert(table->column_count);
    size_t *widths = mem_alloc(table->column_count, sizeof *widths);
    for (size_t i = 0; i < table->column_count; i++)
        widths[i] = table->columns[i].title ? width_of(table->columns[i].title) : 0;
    for (size_t i = 0; i < table->cell_count; i++) {
        size_t column = i % table->column_count;
        size_t width = table->cells[i].width;
        if (table->columns[column].title && width > widths[column])
            widths[column] = width;
    }
    return widths;
}

/* Take from the widest text column until all fit, or it is as small as it may be. */
static void squeeze(const struct table *table, size_t *widths, size_t limit)
{
    for (;;) {
        size_t total = 0;
        size_t widest = SIZE_MAX;
        for (size_t i = 0; i < table->column_count; i++) {
            if (!table->columns[i].title)
                continue;
            total += widths[i] + (total ? COLUMN_GAP : 0);
            if (table->columns[i].type == COLUMN_OF_TEXT &&
                (widest == SIZE_MAX || widths[i] > widths[widest]))
                widest = i;
        }
        if (total <= limit || widest == SIZE_MAX || widths[widest] <= COLUMN_SMALLEST)
            return;
        size_t over = total - limit;
        size_t spare = widths[widest] - COLUMN_SMALLEST;
        widths[widest] -= over < spare ? over : spare;
    }
}

static void append_blanks(struct buf *line, size_t count)
{
    static const char blanks[] = "                                ";
    for (; count >= strlen(blanks); count -= strlen(blanks))
        buf_append(line, blanks, strlen(blanks));
    buf_append(line, blanks, count);
}

static void append_cell(struct buf *line, const char *text, size_t shown, size_t width, bool right)
{
    SCOPED(string) char *cut = NULL;
    if (shown > width) {
        cut = mem_string_n(text, fitting_bytes(text, width - 1));
        text = cut;
        shown = width_of(cut) + 1;
    }
    size_t blanks = width > shown ? width - shown : 0;
    if (right)
        append_blanks(line, blanks);
    buf_append_text(line, text);
    if (cut)
        buf_append_text(line, "\u2026");
    if (!right)
        append_blanks(line, blanks);
}

static void append_line(const struct table *table, const struct cell *cells, const size_t *widths,
                        struct buf *out)
{
    size_t begin = out->length;
    for (size_t i = 0; i < table->column_count; i++) {
        const struct column_row *column = &table->columns[i];
        if (!column->title)
            continue;
        if (out->length > begin)
            append_blanks(out, COLUMN_GAP);
        if (cells)
            append_cell(out, cells[i].shown, cells[i].width, widths[i], is_right(column->type));
        else
            append_cell(out, column->title, width_of(column->title), widths[i],
                        is_right(column->type));
    }
    while (out->length > begin && out->data[out->length - 1] == ' ')
        out->length--;
    buf_append_char(out, '\n');
}

static void write_out(struct buf *out)
{
    fwrite(out->data, 1, out->length, stdout);
    buf_reset(out);
}

static void use_utf8(void)
{
    /* wcwidth knows characters only in a locale that has them; numbers and sorting stay plain. */
    if (!setlocale(LC_CTYPE, "C.UTF-8"))
        setlocale(LC_CTYPE, "");
}

/* Only what is not ASCII needs the locale, which takes a while to load. */
static void measure_cells(const struct table *table)
{
    bool ready = false;
    for (size_t i = 0; i < table->cell_count; i++) {
        struct cell *cell = &table->cells[i];
        if (cell->width != SIZE_MAX)
            continue;
        if (!ready)
            use_utf8();
        ready = true;
        cell->width = width_of(cell->shown);
    }
}

void table_print(const struct table *table, size_t width)
{
    measure_cells(table);
    SCOPED(memory) void *memory = measure(table);
    size_t *widths = memory;
    if (width)
        squeeze(table, widths, width);
    SCOPED(buf) struct buf out = BUF_INIT;
    append_line(table, NULL, widths, &out);
    for (size_t i = 0; i < table_rows(table); i++) {
        append_line(table, table->cells + i * table->column_count, widths, &out);
        if (out.length >= OUT_AT_ONCE)
            write_out(&out);
    }
    write_out(&out);
}

/* ---- for machines ---- */

static json_t *cell_json(const struct cell *cell, enum column_type type)
{
    if (cell->empty)
        return json_null();
    if (type == COLUMN_OF_TEXT)
        return console_json_text(cell->text);
    if (type == COLUMN_OF_MOMENT)
        return console_json_moment(cell->number);
    if (type == COLUMN_OF_YES)
        return json_boolean(cell->number != 0);
    return json_integer(cell->number);
}

void table_print_json(const struct table *table)
{
    for (size_t i = 0; i < table_rows(table); i++) {
        json_t *object = json_object();
        for (size_t c = 0; c < table->column_count; c++) {
            const struct column_row *column = &table->columns[c];
            json_object_set_new(
                object, column->key,
                cell_json(&table->cells[i * table->column_count + c], column->type));
        }
        console_json(object);
    }
}

void table_show(const struct table *table, const struct cli *cli, const char *nothing)
{
    if (console_wants_json(cli))
        table_print_json(table);
    else if (table_rows(table))
        table_print(table, console_terminal_width(STDOUT_FILENO));
    else
        console_note(cli, "%s", nothing);
}
