#include "harness/segments_memory.h"

#include "base/error.h"
#include "base/mem.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct kept_frame {
    struct segment_frame frame;
    uint8_t *data;
    struct segment_member *members;
    size_t member_count;
};

struct segments_memory {
    struct segment_sink sink; /* first: the sink's pointer is ours */
    struct segment_source source;
    struct segments_memory_options options;
    pthread_mutex_t lock;
    pthread_cond_t given_back;
    struct kept_frame *frames;
    size_t count;
    size_t capacity;
    struct segment_table *tables;
    size_t table_count;
    size_t table_capacity;
    uint64_t size;
    size_t out;
    size_t pushes;
    size_t reads;
    uint64_t next; /* frame, or byte when cut in pieces */
};

static struct segments_memory *of_sink(struct segment_sink *sink)
{
    return (struct segments_memory *)sink;
}

static struct segments_memory *of_source(struct segment_source *source)
{
    return (struct segments_memory *)((char *)source - offsetof(struct segments_memory, source));
}

static struct segment *segment_new(size_t capacity)
{
    struct segment *segment = MEM_NEW(struct segment);
    segment->data = mem_alloc(capacity ? capacity : 1, 1);
    segment->capacity = capacity;
    segment->section = SECTION_DATA;
    return segment;
}

static void segment_free(struct segment *segment)
{
    segment_reset(segment);
    free(segment->members);
    free(segment->data);
    free(segment);
}

static void give_back(struct segments_memory *memory, struct segment *segment)
{
    segment_free(segment);
    pthread_mutex_lock(&memory->lock);
    memory->out--;
    pthread_cond_signal(&memory->given_back);
    pthread_mutex_unlock(&memory->lock);
}

/* ---- sink ---- */

static int memory_take(struct segment_sink *sink, size_t capacity, struct segment **ret_segment,
                       struct error *err)
{
    (void)err;
    struct segments_memory *memory = of_sink(sink);
    pthread_mutex_lock(&memory->lock);
    while (memory->out >= memory->options.at_once)
        pthread_cond_wait(&memory->given_back, &memory->lock);
    memory->out++;
    pthread_mutex_unlock(&memory->lock);
    *ret_segment = segment_new(capacity ? capacity : SEGMENT_SIZE);
    return 0;
}

static int memory_grow(struct segment_sink *sink, struct segment *segment, size_t capacity,
                       struct error *err)
{
    (void)sink;
    (void)err;
    if (capacity > segment->capacity) {
        segment->data = mem_resize(segment->data, capacity, 1);
        segment->capacity = capacity;
    }
    return 0;
}

static void keep(struct segments_memory *memory, struct segment *segment)
{
    ARRAY_GROW(memory->frames, memory->count, memory->capacity);
    memory->frames[memory->count++] = (struct kept_frame){
        .frame = {.section = segment->section,
                  .schema = mem_string(segment->schema),
                  .table = mem_string(segment->table),
                  .offset = memory->size,
                  .size = segment->size,
                  .rows = segment->rows},
        .data = segment->data,
        .members = segment->members,
        .member_count = segment->member_count,
    };
    memory->size += segment->size;
    segment->data = mem_alloc(1, 1);
    segment->members = NULL;
    segment->member_count = 0;
}

static int memory_push(struct segment_sink *sink, struct segment *segment, uint64_t *ret_frame,
                       struct error *err)
{
    struct segments_memory *memory = of_sink(sink);
    pthread_mutex_lock(&memory->lock);
    size_t number = ++memory->pushes;
    bool failed = memory->options.fail_push && number >= memory->options.fail_push;
    if (!failed && ret_frame)
        *ret_frame = memory->count;
    if (!failed && segment->size)
        keep(memory, segment);
    pthread_mutex_unlock(&memory->lock);
    give_back(memory, segment);
    if (failed)
        return error_set(err, ERROR_FAILED, "push %zu fails, as the test wants", number);
    if (memory->options.after_push)
        memory->options.after_push(memory->options.context, number);
    return 0;
}

static void memory_drop(struct segment_sink *sink, struct segment *segment)
{
    give_back(of_sink(sink), segment);
}

static int memory_table(struct segment_sink *sink, const struct segment_table *table,
                        struct error *err)
{
    (void)err;
    struct segments_memory *memory = of_sink(sink);
    pthread_mutex_lock(&memory->lock);
    ARRAY_GROW(memory->tables, memory->table_count, memory->table_capacity);
    memory->tables[memory->table_count++] = (struct segment_table){
        .schema = mem_string(table->schema),
        .name = mem_string(table->name),
        .rows = table->rows,
        .bytes = table->bytes,
        .digest = mem_string(table->digest),
    };
    pthread_mutex_unlock(&memory->lock);
    return 0;
}

static const struct segment_sink_ops sink_ops = {
    .take = memory_take,
    .grow = memory_grow,
    .push = memory_push,
    .drop = memory_drop,
    .table = memory_table,
};

/* ---- source ---- */

/* Counts a read; -1 when the test wants it to fail. */
static int begin_read(struct segments_memory *memory, struct error *err)
{
    pthread_mutex_lock(&memory->lock);
    size_t number = ++memory->reads;
    bool failed = memory->options.fail_read && number >= memory->options.fail_read;
    while (!failed && memory->out >= memory->options.at_once)
        pthread_cond_wait(&memory->given_back, &memory->lock);
    if (!failed)
        memory->out++;
    pthread_mutex_unlock(&memory->lock);
    return failed ? error_set(err, ERROR_CORRUPT, "read %zu fails, as the test wants", number) : 0;
}

static struct segment *copy_frame(const struct kept_frame *kept, size_t number)
{
    struct segment *segment = segment_new(kept->frame.size);
    segment_append(segment, kept->data, kept->frame.size);
    segment->section = kept->frame.section;
    segment->offset = kept->frame.offset;
    segment->frame = number;
    segment->rows = kept->frame.rows;
    segment->schema = kept->frame.schema;
    segment->table = kept->frame.table;
    for (size_t i = 0; i < kept->member_count; i++)
        segment_add_member(segment, kept->members[i].path, kept->members[i].type,
                           kept->members[i].size);
    return segment;
}

static struct segment *next_piece(struct segments_memory *memory)
{
    struct segment *segment = segment_new(memory->options.piece);
    segment->offset = memory->next;
    for (size_t i = 0; i < memory->count && segment_room(segment); i++) {
        const struct kept_frame *kept = &memory->frames[i];
        if (memory->next >= kept->frame.offset + kept->frame.size)
            continue;
        size_t skip = (size_t)(memory->next - kept->frame.offset);
        size_t size = (size_t)kept->frame.size - skip;
        if (size > segment_room(segment))
            size = segment_room(segment);
        segment_append(segment, kept->data + skip, size);
        memory->next += size;
    }
    return segment;
}

static int memory_next(struct segment_source *source, struct segment **ret_segment,
                       struct error *err)
{
    struct segments_memory *memory = of_source(source);
    if (memory->next >= (memory->options.piece ? memory->size : memory->count))
        return 0;
    if (begin_read(memory, err) < 0)
        return -1;
    if (memory->options.piece) {
        *ret_segment = next_piece(memory);
    } else {
        *ret_segment = copy_frame(&memory->frames[memory->next], (size_t)memory->next);
        memory->next++;
    }
    return 1;
}

static size_t memory_count(struct segment_source *source)
{
    struct segments_memory *memory = of_source(source);
    return memory->options.piece ? 0 : memory->count;
}

static const struct segment_frame *memory_frame(struct segment_source *source, size_t number)
{
    return &of_source(source)->frames[number].frame;
}

static size_t memory_table_count(struct segment_source *source)
{
    return of_source(source)->table_count;
}

static const struct segment_table *memory_table_at(struct segment_source *source, size_t number)
{
    return &of_source(source)->tables[number];
}

static int memory_members(struct segment_source *source, segment_member_fn *visit, void *context,
                          struct error *err)
{
    struct segments_memory *memory = of_source(source);
    int result = 0;
    for (size_t i = 0; i < memory->count && result == 0; i++)
        for (size_t k = 0; k < memory->frames[i].member_count && result == 0; k++) {
            const struct segment_member *member = &memory->frames[i].members[k];
            result = visit(context, member->path, member->type, member->size, err);
        }
    return result;
}

static int memory_read(struct segment_source *source, size_t number, struct segment **ret_segment,
                       struct error *err)
{
    struct segments_memory *memory = of_source(source);
    if (begin_read(memory, err) < 0)
        return -1;
    *ret_segment = copy_frame(&memory->frames[number], number);
    return 0;
}

static void memory_give_back(struct segment_source *source, struct segment *segment)
{
    give_back(of_source(source), segment);
}

static const struct segment_source_ops source_ops = {
    .next = memory_next,
    .count = memory_count,
    .frame = memory_frame,
    .table_count = memory_table_count,
    .table = memory_table_at,
    .members = memory_members,
    .read = memory_read,
    .drop = memory_give_back,
};

/* ---- both ---- */

struct segments_memory *segments_memory_new(const struct segments_memory_options *options)
{
    struct segments_memory *memory = MEM_NEW(struct segments_memory);
    memory->sink.ops = &sink_ops;
    memory->source.ops = &source_ops;
    if (options)
        memory->options = *options;
    if (!memory->options.at_once)
        memory->options.at_once = 8;
    pthread_mutex_init(&memory->lock, NULL);
    pthread_cond_init(&memory->given_back, NULL);
    return memory;
}

struct segment_sink *segments_memory_sink(struct segments_memory *memory)
{
    return &memory->sink;
}

struct segment_source *segments_memory_source(struct segments_memory *memory)
{
    memory->next = 0;
    memory->reads = 0;
    return &memory->source;
}

void segments_memory_add(struct segments_memory *memory, enum section section, const void *data,
                         size_t size)
{
    struct segment *segment = segment_new(size);
    segment_append(segment, data, size);
    segment->section = section;
    keep(memory, segment);
    segment_free(segment);
}

size_t segments_memory_count(struct segments_memory *memory)
{
    return memory->count;
}

char *segments_memory_content(struct segments_memory *memory, size_t *ret_size)
{
    char *content = mem_alloc((size_t)memory->size + 1, 1);
    for (size_t i = 0; i < memory->count; i++)
        memcpy(content + memory->frames[i].frame.offset, memory->frames[i].data,
               (size_t)memory->frames[i].frame.size);
    *ret_size = (size_t)memory->size;
    return content;
}

size_t segments_memory_out(struct segments_memory *memory)
{
    pthread_mutex_lock(&memory->lock);
    size_t out = memory->out;
    pthread_mutex_unlock(&memory->lock);
    return out;
}

static void free_const(const char *text)
{
    free((void *)(uintptr_t)text);
}

void segments_memory_free(struct segments_memory *memory)
{
    if (!memory)
        return;
    for (size_t i = 0; i < memory->count; i++) {
        struct kept_frame *kept = &memory->frames[i];
        free_const(kept->frame.schema);
        free_const(kept->frame.table);
        for (size_t j = 0; j < kept->member_count; j++)
            free(kept->members[j].path);
        free(kept->members);
        free(kept->data);
    }
    for (size_t i = 0; i < memory->table_count; i++) {
        free_const(memory->tables[i].schema);
        free_const(memory->tables[i].name);
        free_const(memory->tables[i].digest);
    }
    free(memory->tables);
    free(memory->frames);
    pthread_cond_destroy(&memory->given_back);
    pthread_mutex_destroy(&memory->lock);
    free(memory);
}
