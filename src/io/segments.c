#include "io/segments.h"

#include "base/error.h"
#include "base/segment.h"
#include "io/codec.h"
#include "io/crew.h"
#include "io/pages.h"

#include <stdbool.h>
#include <stdlib.h>

struct pooled {
    struct segment segment;
    struct pages pages;
    struct pooled *next;
};

struct segments {
    struct crew *crew;
    struct pooled *all;
    struct pooled *empty;
    size_t count;
};

struct segments *segments_new(struct crew *crew, size_t count)
{
    struct segments *segments = MEM_NEW(struct segments);
    segments->crew = crew;
    segments->count = count;
    segments->all = mem_alloc(count, sizeof *segments->all);
    for (size_t i = count; i-- > 0;) {
        segments->all[i].segment.owner = &segments->all[i];
        segments->all[i].next = segments->empty;
        segments->empty = &segments->all[i];
    }
    return segments;
}

int segments_grow(struct segment *segment, size_t capacity, struct error *err)
{
    if (capacity > CODEC_MAXIMUM)
        return error_set(err, ERROR_FAILED, "a piece of %zu bytes is too large for one frame",
                         capacity);
    struct pooled *pooled = segment->owner;
    if (pages_reserve(&pooled->pages, capacity, segment->size, err) < 0)
        return -1;
    segment->data = pooled->pages.data;
    segment->capacity = pooled->pages.capacity;
    return 0;
}

int segments_take(struct segments *segments, size_t capacity, struct segment **ret_segment,
                  struct error *err)
{
    crew_lock(segments->crew);
    while (!segments->empty && !crew_failed(segments->crew))
        crew_wait(segments->crew);
    bool failed = crew_failed(segments->crew);
    struct pooled *taken = failed ? NULL : segments->empty;
    if (taken)
        segments->empty = taken->next;
    crew_unlock(segments->crew);
    if (!taken)
        return crew_check(segments->crew, err);
    if (segments_grow(&taken->segment, capacity ? capacity : SEGMENT_SIZE, err) < 0) {
        segments_give(segments, &taken->segment);
        return -1;
    }
    *ret_segment = &taken->segment;
    return 0;
}

void segments_give(struct segments *segments, struct segment *segment)
{
    if (!segment)
        return;
    struct pooled *pooled = segment->owner;
    segment_reset(segment);
    if (pooled->pages.capacity > SEGMENT_MAXIMUM) {
        pages_clear(&pooled->pages);
        segment->data = NULL;
        segment->capacity = 0;
    }
    crew_lock(segments->crew);
    pooled->next = segments->empty;
    segments->empty = pooled;
    crew_wake(segments->crew);
    crew_unlock(segments->crew);
}

void segments_free(struct segments *segments)
{
    if (!segments)
        return;
    for (size_t i = 0; i < segments->count; i++) {
        segment_reset(&segments->all[i].segment);
        free(segments->all[i].segment.members);
        pages_clear(&segments->all[i].pages);
    }
    free(segments->all);
    free(segments);
}
