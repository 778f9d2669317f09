#include "base/segment.h"

#include "base/mem.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

void segment_append(struct segment *segment, const void *data, size_t size)
{
    assert(size <= segment_room(segment));
    memcpy(segment->data + segment->size, data, size);
    segment->size += size;
}

void segment_add_member(struct segment *segment, const char *path, char type, uint64_t size)
{
    ARRAY_GROW(segment->members, segment->member_count, segment->member_capacity);
    segment->members[segment->member_count++] =
        (struct segment_member){.path = mem_string(path), .type = type, .size = size};
}

void segment_reset(struct segment *segment)
{
    for (size_t i = 0; i < segment->member_count; i++)
        free(segment->members[i].path);
    segment->member_count = 0;
    segment->size = 0;
    segment->rows = 0;
    segment->offset = 0;
    segment->frame = 0;
    segment->section = SECTION_DATA;
    segment->schema = NULL;
    segment->table = NULL;
}
