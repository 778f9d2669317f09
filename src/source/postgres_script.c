#include "source/postgres_script.h"

#include "base/buf.h"
#include "base/error.h"
#include "base/mem.h"
#include "db/statement.h"

#include <string.h>

struct script_writer {
    const struct buf *script;
    enum section section;
    struct segment_sink *sink;
    size_t begin; /* of what is not pushed yet */
    size_t end;   /* of the last whole statement seen */
};

static int push_part(struct script_writer *writer, size_t end, struct error *err)
{
    size_t size = end - writer->begin;
    if (!size)
        return 0;
    struct segment *segment = NULL;
    if (writer->sink->ops->take(writer->sink, size, &segment, err) < 0)
        return -1;
    segment->section = writer->section;
    segment_append(segment, writer->script->data + writer->begin, size);
    writer->begin = end;
    return writer->sink->ops->push(writer->sink, segment, NULL, err);
}

/* A statement begins: what came before it may be cut off. */
static int at_statement(void *context, const struct statement *statement, struct error *err)
{
    struct script_writer *writer = context;
    size_t offset = (size_t)statement->offset;
    if (offset + statement->size - writer->begin > SEGMENT_SIZE && offset > writer->begin)
        return push_part(writer, offset, err);
    return 0;
}

int postgres_script_push(const struct buf *script, enum section section, struct segment_sink *sink,
                         struct error *err)
{
    struct script_writer writer = {.script = script, .section = section, .sink = sink};
    struct statement_options options = {.dialect = DB_POSTGRES, .name = "definitions"};
    struct statement_handler handler = {.statement = at_statement, .context = &writer};
    if (script->length > SEGMENT_SIZE &&
        statement_read_all(&options, &handler, script->data, script->length, err) < 0)
        return -1;
    return push_part(&writer, script->length, err);
}
