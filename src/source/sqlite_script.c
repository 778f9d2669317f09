#include "source/sqlite_script.h"

#include "base/mem.h"
#include "base/stop.h"
#include "io/progress.h"

int sqlite_script_flush(struct sqlite_script *script, struct error *err)
{
    if (!script->segment)
        return 0;
    struct segment *segment = STEAL(script->segment);
    size_t size = segment->size;
    if (script->sink->ops->push(script->sink, segment, NULL, err) < 0)
        return -1;
    progress_add(script->progress, size);
    return 0;
}

int sqlite_script_section(struct sqlite_script *script, enum section section, const char *table,
                          struct error *err)
{
    if (sqlite_script_flush(script, err) < 0)
        return -1;
    script->section = section;
    script->table = table;
    return 0;
}

/* A segment with room for `size` bytes more. */
static int make_room(struct sqlite_script *script, size_t size, struct error *err)
{
    struct segment *segment = script->segment;
    if (segment && segment->size + size > SEGMENT_SIZE && sqlite_script_flush(script, err) < 0)
        return -1;
    if (script->segment)
        return segment_room(segment) >= size
                   ? 0
                   : script->sink->ops->grow(script->sink, segment, segment->size + size, err);
    if (stop_check(err) < 0 || script->sink->ops->take(script->sink, size > SEGMENT_SIZE ? size : 0,
                                                       &script->segment, err) < 0)
        return -1;
    script->segment->section = script->section;
    script->segment->table = script->table;
    return 0;
}

int sqlite_script_write(struct sqlite_script *script, const char *text, size_t size, uint64_t rows,
                        struct error *err)
{
    if (make_room(script, size, err) < 0)
        return -1;
    segment_append(script->segment, text, size);
    script->segment->rows += rows;
    return 0;
}

void sqlite_script_clear(struct sqlite_script *script)
{
    if (script->segment)
        script->sink->ops->drop(script->sink, STEAL(script->segment));
}
