#include "source/postgres_large.h"

#include "base/buf.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/segment.h"
#include "base/text.h"
#include "db/pq.h"
#include "io/progress.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* As hex this fits a segment twice. */
#define PIECE_BYTES ((size_t)1 << 20)
/* What is read of each object with the list; many are smaller. */
#define FIRST_BYTES 16384
#define OBJECTS_AT_ONCE 100

bool postgres_large_is_frame(const struct segment_frame *frame)
{
    return frame->section == SECTION_POST && text_equal(frame->table, POSTGRES_LARGE_TABLE);
}

struct large_writer {
    struct pq *pq;
    struct segment_sink *sink;
    struct progress *progress;
    struct segment *segment;
    bool skipped; /* the last piece was a hole and was not written */
};

static int flush(struct large_writer *writer, struct error *err)
{
    if (!writer->segment)
        return 0;
    struct segment *segment = STEAL(writer->segment);
    progress_add(writer->progress, segment->size);
    return writer->sink->ops->push(writer->sink, segment, NULL, err);
}

static int write_statement(struct large_writer *writer, const struct buf *sql, struct error *err)
{
    if (writer->segment && writer->segment->size + sql->length > SEGMENT_SIZE &&
        flush(writer, err) < 0)
        return -1;
    if (!writer->segment) {
        if (writer->sink->ops->take(writer->sink, 0, &writer->segment, err) < 0)
            return -1;
        writer->segment->section = SECTION_POST;
        writer->segment->schema = POSTGRES_LARGE_SCHEMA;
        writer->segment->table = POSTGRES_LARGE_TABLE;
    }
    segment_append(writer->segment, sql->data, sql->length);
    return 0;
}

static bool all_zero(const char *data, size_t size)
{
    return size == 0 || (data[0] == 0 && memcmp(data, data + 1, size - 1) == 0);
}

/* `last`: nothing follows, so the bytes set the object's length even when they are all zero. */
static int write_piece(struct large_writer *writer, const char *oid, uint64_t offset,
                       const char *data, size_t size, bool last, struct error *err)
{
    writer->skipped = size && !last && all_zero(data, size);
    if (size == 0 || writer->skipped)
        return 0;
    SCOPED(string) char *hex = mem_alloc(2 * size + 1, 1);
    text_hex(data, size, hex);
    SCOPED(buf) struct buf sql = BUF_INIT;
    buf_append_format(&sql, "SELECT pg_catalog.lo_put(%s, %" PRIu64 ", '\\x", oid, offset);
    buf_append(&sql, hex, 2 * size);
    buf_append_text(&sql, "');\n");
    return write_statement(writer, &sql, err);
}

/* What comes after the first bytes, which were all that was asked for. */
static int write_rest(struct large_writer *writer, const char *oid, uint64_t offset,
                      struct error *err)
{
    for (;;) {
        SCOPED(string)
        char *sql =
            mem_format("SELECT pg_catalog.lo_get(%s, %" PRIu64 ", %zu)", oid, offset, PIECE_BYTES);
        SCOPED(pq_result) struct pq_result *piece = NULL;
        if (pq_exec_parameters(writer->pq, sql, NULL, 0, true, &piece, err) < 0)
            return error_prefix(err, "large object %s", oid);
        size_t size = pq_rows(piece) ? pq_value_size(piece, 0, 0) : 0;
        /* It ends with a hole: its last byte carries the length. */
        if (size == 0 && writer->skipped)
            return write_piece(writer, oid, offset - 1, "", 1, true, err);
        bool last = size < PIECE_BYTES;
        if (size && write_piece(writer, oid, offset, pq_value(piece, 0, 0), size, last, err) < 0)
            return -1;
        if (last)
            return 0;
        offset += size;
    }
}

/* ---- what belongs to it ---- */

static int write_properties(struct large_writer *writer, const char *oid, const char *owner,
                            const char *comment, struct error *err)
{
    SCOPED(buf) struct buf sql = BUF_INIT;
    buf_append_format(&sql, "ALTER LARGE OBJECT %s OWNER TO ", oid);
    pq_quote_identifier(&sql, owner);
    buf_append_text(&sql, ";\n");
    if (comment) {
        buf_append_format(&sql, "COMMENT ON LARGE OBJECT %s IS ", oid);
        pq_quote_literal(&sql, comment);
        buf_append_text(&sql, ";\n");
    }
    return write_statement(writer, &sql, err);
}

static const char OBJECTS_SQL[] =
    "SELECT m.oid::text, pg_catalog.pg_get_userbyid(m.lomowner), "
    "pg_catalog.obj_description(m.oid, 'pg_largeobject'), pg_catalog.lo_get(m.oid, 0, %d) "
    "FROM (SELECT oid, lomowner FROM pg_largeobject_metadata WHERE oid > %s ORDER BY oid LIMIT %d) "
    "m "
    "ORDER BY m.oid";

static int write_object(struct large_writer *writer, const struct pq_result *objects, size_t row,
                        struct error *err)
{
    const char *oid = pq_value(objects, row, 0);
    SCOPED(buf) struct buf sql = BUF_INIT;
    buf_append_format(&sql, "SELECT pg_catalog.lo_create(%s);\n", oid);
    if (write_statement(writer, &sql, err) < 0)
        return -1;
    size_t size = pq_value_size(objects, row, 3);
    bool last = size < FIRST_BYTES;
    if (write_piece(writer, oid, 0, pq_value(objects, row, 3), size, last, err) < 0 ||
        (!last && write_rest(writer, oid, size, err) < 0))
        return -1;
    return write_properties(writer, oid, pq_value(objects, row, 1), pq_value(objects, row, 2), err);
}

static int write_objects(struct large_writer *writer, struct error *err)
{
    SCOPED(string) char *after = mem_string("0");
    for (;;) {
        SCOPED(string) char *sql = mem_format(OBJECTS_SQL, FIRST_BYTES, after, OBJECTS_AT_ONCE);
        SCOPED(pq_result) struct pq_result *objects = NULL;
        if (pq_exec_parameters(writer->pq, sql, NULL, 0, true, &objects, err) < 0)
            return error_prefix(err, "large objects");
        size_t count = pq_rows(objects);
        for (size_t i = 0; i < count; i++)
            if (write_object(writer, objects, i, err) < 0)
                return -1;
        if (count < OBJECTS_AT_ONCE)
            return 0;
        free(after);
        after = mem_string(pq_value(objects, count - 1, 0));
    }
}

/* One GRANT for each privilege that somebody other than the owner has, or that the owner lacks. */
static const char GRANTS_SQL[] =
    "SELECT format('%s ON LARGE OBJECT %s %s %s%s', "
    "  CASE WHEN held THEN 'GRANT ' ELSE 'REVOKE ' END || privilege, oid, "
    "  CASE WHEN held THEN 'TO' ELSE 'FROM' END, "
    "  CASE WHEN role = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(role)) END, "
    "  CASE WHEN option THEN ' WITH GRANT OPTION' ELSE '' END) FROM ("
    "SELECT m.oid, a.grantee AS role, a.privilege_type AS privilege, a.is_grantable AS option, "
    "  true AS held FROM pg_largeobject_metadata m, aclexplode(m.lomacl) a "
    "  WHERE a.grantee <> m.lomowner "
    "UNION ALL SELECT m.oid, m.lomowner, p, false, false FROM pg_largeobject_metadata m, "
    "  unnest(ARRAY['SELECT', 'UPDATE']) p WHERE m.lomacl IS NOT NULL AND NOT EXISTS "
    "  (SELECT FROM aclexplode(m.lomacl) a WHERE a.grantee = m.lomowner AND a.privilege_type = p)"
    ") g ORDER BY oid, held, role, privilege";

static const char LABELS_SQL[] =
    "SELECT format('SECURITY LABEL FOR %I ON LARGE OBJECT %s IS %L', provider, objoid, label) "
    "FROM pg_seclabel WHERE classoid = 'pg_largeobject'::regclass ORDER BY objoid, provider";

static int write_line(void *context, const struct pq_result *row, struct error *err)
{
    SCOPED(buf) struct buf sql = BUF_INIT;
    buf_append_format(&sql, "%s;\n", pq_value(row, 0, 0));
    return write_statement(context, &sql, err);
}

int postgres_large_dump(struct pq *pq, struct segment_sink *sink, struct progress *progress,
                        struct error *err)
{
    struct large_writer writer = {.pq = pq, .sink = sink, .progress = progress};
    int result = write_objects(&writer, err);
    if (result == 0)
        result = pq_stream(pq, GRANTS_SQL, NULL, 0, write_line, &writer, NULL, err);
    if (result == 0)
        result = pq_stream(pq, LABELS_SQL, NULL, 0, write_line, &writer, NULL, err);
    if (result == 0)
        result = flush(&writer, err);
    if (writer.segment)
        sink->ops->drop(sink, writer.segment);
    return result;
}
