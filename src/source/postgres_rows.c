#include "source/postgres_rows.h"

#include "base/buf.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/segment.h"
#include "db/pq.h"
#include "io/progress.h"
#include "source/postgres_catalog.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* A table above twice this is read in slices of about this much. */
#define SLICE_BYTES (UINT64_C(32) << 20)

static const char BLOCK_END[] = "\\.\n\n";

/* CREATE EXTENSION has made an extension's tables with their keys and triggers, before any row.
 * Whoever may not set this meets them. */
#define REPLICATION_ROLE(role)                                                                     \
    "SELECT pg_catalog.set_config('session_replication_role', '" role "', false) "                 \
    "WHERE pg_catalog.current_setting('is_superuser') = 'on';\n"
static const char CONFIGURATION_HEAD[] = REPLICATION_ROLE("replica");
static const char CONFIGURATION_END[] = "\\.\n" REPLICATION_ROLE("origin") "\n";

/* ---- slices ---- */

static void add_slice(struct postgres_slices *slices, const struct postgres_slice *slice)
{
    ARRAY_GROW(slices->items, slices->count, slices->capacity);
    slices->items[slices->count++] = *slice;
}

static void cut_table(const struct postgres_table *table, size_t number, bool ranges,
                      struct postgres_slices *slices)
{
    /* A condition may hold an OR, which a range beside it would not bind. */
    uint64_t pieces = ranges && !table->where ? table->bytes / SLICE_BYTES : 1;
    if (pieces > table->pages)
        pieces = table->pages;
    if (pieces < 2)
        pieces = 1;
    for (uint64_t i = 0; i < pieces; i++) {
        struct postgres_slice slice = {
            .table = table,
            .number = number,
            .first_page = table->pages * i / pieces,
            .end_page = i + 1 < pieces ? table->pages * (i + 1) / pieces : UINT64_MAX,
            .bytes = table->bytes / pieces,
        };
        add_slice(slices, &slice);
    }
}

static int compare_cost(const void *a, const void *b)
{
    const struct postgres_slice *left = a;
    const struct postgres_slice *right = b;
    if (left->table->bytes != right->table->bytes)
        return left->table->bytes < right->table->bytes ? 1 : -1;
    if (left->number != right->number)
        return left->number < right->number ? -1 : 1;
    return (left->first_page > right->first_page) - (left->first_page < right->first_page);
}

void postgres_slices_plan(const struct postgres_tables *tables, bool ranges,
                          struct postgres_slices *ret_slices)
{
    struct postgres_slices slices = {0};
    for (size_t i = 0; i < tables->count; i++)
        if (tables->items[i].has_rows)
            cut_table(&tables->items[i], i, ranges, &slices);
    if (slices.count)
        qsort(slices.items, slices.count, sizeof *slices.items, compare_cost);
    *ret_slices = slices;
}

void postgres_slices_clear(struct postgres_slices *slices)
{
    free(slices->items);
    *slices = (struct postgres_slices){0};
}

/* ---- one slice ---- */

static bool is_ranged(const struct postgres_slice *slice)
{
    return slice->first_page > 0 || slice->end_page != UINT64_MAX;
}

static void append_source(const struct postgres_slice *slice, struct buf *sql)
{
    const struct postgres_table *table = slice->table;
    buf_append_format(sql, " FROM %s%s", table->routed ? "" : "ONLY ", table->quoted);
    if (table->routed)
        return;
    /* The condition of an extension begins with its own WHERE. */
    if (table->where)
        buf_append_format(sql, " %s", table->where);
    if (is_ranged(slice))
        buf_append_format(sql, " WHERE ctid >= '(%" PRIu64 ",0)'", slice->first_page);
    if (slice->end_page != UINT64_MAX)
        buf_append_format(sql, " AND ctid < '(%" PRIu64 ",0)'", slice->end_page);
}

/* COPY of the table itself is the server's shortest way, but takes neither a range nor a condition;
 * a table without columns has no list. */
static void select_sql(const struct postgres_slice *slice, struct buf *sql)
{
    const struct postgres_table *table = slice->table;
    bool list = *table->columns != '\0';
    if (!table->routed && !is_ranged(slice) && !table->where) {
        buf_append_format(sql, "COPY %s %s%s%s", table->quoted, list ? "(" : "", table->columns,
                          list ? ")" : "");
        return;
    }
    buf_append_format(sql, "COPY (SELECT %s", table->columns);
    append_source(slice, sql);
    buf_append_char(sql, ')');
}

static int begin_copy(struct pq *pq, const struct postgres_slice *slice, bool binary,
                      struct error *err)
{
    SCOPED(buf) struct buf sql = BUF_INIT;
    select_sql(slice, &sql);
    buf_append_text(&sql, binary ? " TO STDOUT (FORMAT binary)" : " TO STDOUT");
    return pq_copy_out_begin(pq, sql.data, err);
}

static void block_head(const struct postgres_table *table, struct buf *head)
{
    bool list = *table->columns != '\0';
    if (table->configuration)
        buf_append_text(head, CONFIGURATION_HEAD);
    buf_append_format(head, "COPY %s %s%s%sFROM stdin;\n", table->quoted, list ? "(" : "",
                      table->columns, list ? ") " : "");
}

struct block_writer {
    const struct postgres_table *table;
    struct segment_sink *sink;
    struct progress *progress;
    postgres_gate_fn *gate;
    void *context;
    struct buf head;
    const char *end;
    size_t end_size;
    struct segment *segment; /* NULL between blocks */
    bool refused;            /* the last row could not be made text */
};

static int begin_block(struct block_writer *writer, size_t row, struct error *err)
{
    size_t needed = writer->head.length + row + writer->end_size;
    struct segment *segment = NULL;
    if (writer->gate(writer->context, err) < 0)
        return -1;
    if (writer->sink->ops->take(writer->sink, needed > SEGMENT_SIZE ? needed : 0, &segment, err) <
        0)
        return -1;
    segment->section = SECTION_DATA;
    segment->schema = writer->table->schema;
    segment->table = writer->table->name;
    segment_append(segment, writer->head.data, writer->head.length);
    writer->segment = segment;
    return 0;
}

static int end_block(struct block_writer *writer, struct error *err)
{
    if (!writer->segment)
        return 0;
    struct segment *segment = STEAL(writer->segment);
    segment_append(segment, writer->end, writer->end_size);
    progress_add(writer->progress, segment->size);
    return writer->sink->ops->push(writer->sink, segment, NULL, err);
}

static int write_row(struct block_writer *writer, const char *row, size_t size, struct error *err)
{
    struct segment *segment = writer->segment;
    if (segment && segment->size + size + writer->end_size > SEGMENT_SIZE) {
        if (end_block(writer, err) < 0)
            return -1;
        segment = NULL;
    }
    if (!segment && begin_block(writer, size, err) < 0)
        return -1;
    segment_append(writer->segment, row, size);
    writer->segment->rows++;
    return 0;
}

static int add_row(struct block_writer *writer, const char *row, size_t size,
                   struct row_digest *digest, struct error *err)
{
    row_digest_add(digest, row, size - 1, size);
    return write_row(writer, row, size, err);
}

static int copy_rows(struct pq *pq, struct block_writer *writer, struct row_digest *digest,
                     struct error *err)
{
    const char *row = NULL;
    size_t size = 0;
    int more;
    while ((more = pq_copy_out_row(pq, &row, &size, err)) > 0)
        if (add_row(writer, row, size, digest, err) < 0)
            return -1;
    return more < 0 ? -1 : end_block(writer, err);
}

/* ---- rows that are none ---- */

static int pass_the_rest(struct pq *pq, struct error *err)
{
    const char *fields = NULL;
    size_t size = 0;
    int more;
    do
        more = pq_copy_out_fields(pq, &fields, &size, err);
    while (more > 0);
    return more;
}

/* One session without others that help it reads a table from its first block to its last, and so
 * the same number leads to the same row in the same snapshot. NULL when it does not. */
static char *find_row(struct pq *pq, const struct postgres_slice *slice, uint64_t number)
{
    struct error ignored = ERROR_INIT;
    SCOPED(buf) struct buf sql = BUF_INIT;
    char *place = NULL;
    buf_append_format(
        &sql, "SELECT %s",
        slice->table->routed ? "format('%s of %s', ctid, tableoid::pg_catalog.regclass)" : "ctid");
    append_source(slice, &sql);
    buf_append_format(&sql, " OFFSET %" PRIu64 " LIMIT 1", number);
    if (pass_the_rest(pq, &ignored) < 0 ||
        pq_exec(pq, "SET max_parallel_workers_per_gather = 0", NULL, &ignored) < 0 ||
        pq_query_text(pq, sql.data, &place, &ignored) < 0)
        return NULL;
    return place;
}

/* Mostly it is a value that the server's own input would refuse, as a rounded timestamp of the year
 * 294277. */
static void name_row(struct pq *pq, const struct postgres_slice *slice, uint64_t number,
                     struct error *err)
{
    SCOPED(string) char *place = slice->table->where ? NULL : find_row(pq, slice, number);
    if (!place)
        return;
    error_prefix(err, "row %s", place);
    if (!err->hint[0])
        error_hint(err, "no server could read it back: look for the row by its ctid, and give it "
                        "another value");
}

/* The row is written where it belongs, in `room` bytes at most. 1 done, 0 when there may be no room
 * for it, -1. */
static int put_row(struct block_writer *writer, const char *fields, size_t size, size_t room,
                   struct row_digest *digest, struct error *err)
{
    struct segment *segment = writer->segment;
    char *row = (char *)segment->data + segment->size;
    size_t written = 0;
    int done = binary_row_put(&writer->table->layout, fields, size, row, room, &written, err);
    writer->refused = done < 0;
    if (done <= 0)
        return done;
    row_digest_add(digest, row, written - 1, written);
    segment->size += written;
    segment->rows++;
    return 1;
}

static int add_in_place(struct block_writer *writer, const char *fields, size_t size,
                        struct row_digest *digest, struct error *err)
{
    const struct segment *segment = writer->segment;
    if (!segment || segment->size + writer->end_size >= SEGMENT_SIZE)
        return 0;
    size_t room = SEGMENT_SIZE - writer->end_size - segment->size;
    return put_row(writer, fields, size, room, digest, err);
}

/* A row that is longer than a segment begins one of its own, with room for the most that text
 * mostly becomes: what is not written takes no memory, and the row is not held twice. */
static int add_alone(struct block_writer *writer, const char *fields, size_t size,
                     struct row_digest *digest, struct error *err)
{
    if (size < SEGMENT_SIZE)
        return 0;
    size_t room = 2 * size + SEGMENT_SIZE;
    if (end_block(writer, err) < 0 || begin_block(writer, room, err) < 0)
        return -1;
    int done = put_row(writer, fields, size, room, digest, err);
    if (done == 0)
        writer->sink->ops->drop(writer->sink, STEAL(writer->segment));
    return done;
}

static int add_fields(struct block_writer *writer, const char *fields, size_t size, struct buf *row,
                      struct row_digest *digest, struct error *err)
{
    int done = add_in_place(writer, fields, size, digest, err);
    if (done == 0)
        done = add_alone(writer, fields, size, digest, err);
    if (done != 0)
        return done;
    row->length = 0;
    if (binary_row_text(&writer->table->layout, fields, size, row, err) < 0) {
        writer->refused = true;
        return -1;
    }
    if (add_row(writer, row->data, row->length, digest, err) < 0)
        return -1;
    if (row->capacity > SEGMENT_MAXIMUM)
        buf_clear(row);
    return 1;
}

/* The same for a COPY in binary. */
static int copy_fields(struct pq *pq, struct block_writer *writer, struct row_digest *digest,
                       struct error *err)
{
    SCOPED(buf) struct buf row = BUF_INIT;
    const char *fields = NULL;
    size_t size = 0;
    int more;
    while ((more = pq_copy_out_fields(pq, &fields, &size, err)) > 0)
        if (add_fields(writer, fields, size, &row, digest, err) < 0)
            return -1;
    return more < 0 ? -1 : end_block(writer, err);
}

int postgres_slice_dump(struct pq *pq, const struct postgres_slice *slice,
                        struct segment_sink *sink, struct progress *progress,
                        postgres_gate_fn *gate, void *context, struct row_digest *digest,
                        struct error *err)
{
    bool binary = binary_layout_is_known(&slice->table->layout);
    struct block_writer writer = {.table = slice->table,
                                  .sink = sink,
                                  .progress = progress,
                                  .gate = gate,
                                  .context = context,
                                  .head = BUF_INIT,
                                  .end =
                                      slice->table->configuration ? CONFIGURATION_END : BLOCK_END};
    writer.end_size = strlen(writer.end);
    block_head(slice->table, &writer.head);
    int result = begin_copy(pq, slice, binary, err);
    if (result == 0)
        result =
            binary ? copy_fields(pq, &writer, digest, err) : copy_rows(pq, &writer, digest, err);
    buf_clear(&writer.head);
    if (result < 0 && writer.segment)
        sink->ops->drop(sink, writer.segment);
    if (result < 0 && writer.refused)
        name_row(pq, slice, digest->rows, err);
    if (result < 0)
        error_prefix(err, "table %s.%s", slice->table->schema, slice->table->name);
    return result;
}

static int digest_rows(struct pq *pq, struct row_digest *digest, struct error *err)
{
    const char *row = NULL;
    size_t size = 0;
    int more;
    while ((more = pq_copy_out_row(pq, &row, &size, err)) > 0)
        row_digest_add(digest, row, size - 1, size);
    return more;
}

int postgres_slice_digest(struct pq *pq, const struct postgres_slice *slice,
                          struct row_digest *digest, struct error *err)
{
    if (begin_copy(pq, slice, false, err) < 0 || digest_rows(pq, digest, err) < 0)
        return error_prefix(err, "table %s.%s", slice->table->schema, slice->table->name);
    return 0;
}
