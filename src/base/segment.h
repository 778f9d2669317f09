/*
 * Segments: the unit in which content moves between a source and an artifact.
 *
 * A segment is 4 to 8 MiB of plain content that stands alone (artifact format, "Frames"): some
 * complete statements, some whole tar members, or a run of pages. On the way out a source takes an
 * empty segment from a `struct segment_sink`, fills it and pushes it; the sink compresses, encrypts
 * and stores it as one frame. On the way back a loader reads segments from a `struct
 * segment_source`, in order or by number, from as many threads as it likes.
 *
 * Taking waits for a free one, so memory is bounded by the number of segments the sink or source
 * owns.
 */
#ifndef KEDGE_BASE_SEGMENT_H
#define KEDGE_BASE_SEGMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;

#define SEGMENT_SIZE ((size_t)4 << 20)    /* what a source aims for */
#define SEGMENT_MAXIMUM ((size_t)8 << 20) /* what it stays under unless one row is larger */

enum section { SECTION_PRE, SECTION_DATA, SECTION_POST, SECTION_INDEX };

struct segment {
    uint8_t *data;
    size_t size;
    size_t capacity;
    enum section section;
    uint64_t offset; /* of data[0] in the plain content; set by the sink on push and by the source
                        on read */
    uint64_t frame;  /* number of the frame, from 0; likewise */
    uint64_t rows;   /* complete rows (SQL) or members (tar) that begin in it */
    /* The table whose rows a data segment holds; NULL for none. Borrowed: lives as long as the sink
     * or source. */
    const char *schema;
    const char *table;
    /* Tar: the members that begin in this segment, owned, in order. */
    struct segment_member *members;
    size_t member_count;
    size_t member_capacity;
    void *owner; /* private to whoever made it */
};

/* One archive member. `path` is owned by the segment. */
struct segment_member {
    char *path;
    char type; /* as in the tar header: '0' file, '1' hard link, '2' symlink, '3' '4' device, '5'
                  folder, '6' fifo */
    uint64_t size;
};

/* What the index says about a table once all its rows were pushed. */
struct segment_table {
    const char *schema; /* NULL where the engine has none */
    const char *name;
    uint64_t rows;
    uint64_t bytes;     /* of its rows' text in the artifact */
    const char *digest; /* "sumxxh3:<32 hex digits>", or NULL */
};

/* ---- towards an artifact ---- */

struct segment_sink;

struct segment_sink_ops {
    /* Wait for an empty segment with room for `capacity` bytes (SEGMENT_SIZE if 0). Any thread. -1
     * when the sink has failed or a stop was requested. */
    int (*take)(struct segment_sink *sink, size_t capacity, struct segment **ret_segment,
                struct error *err);
    /* Make data[] larger, keeping its content: for the one row that does not fit. */
    int (*grow)(struct segment_sink *sink, struct segment *segment, size_t capacity,
                struct error *err);
    /* Hand a filled segment over; the sink owns it from here, whatever is returned. Any thread;
     * frames come in the order of the calls. *ret_frame (if not NULL) is the frame's number. An
     * empty segment is given back and makes no frame. */
    int (*push)(struct segment_sink *sink, struct segment *segment, uint64_t *ret_frame,
                struct error *err);
    /* Give an unused segment back. */
    void (*drop)(struct segment_sink *sink, struct segment *segment);
    /* State a table's totals for the index; strings are copied. Any thread. */
    int (*table)(struct segment_sink *sink, const struct segment_table *table, struct error *err);
};

struct segment_sink {
    const struct segment_sink_ops *ops;
};

/* ---- from an artifact ---- */

struct segment_frame {
    enum section section;
    const char *schema; /* NULL for none */
    const char *table;
    uint64_t offset; /* in the plain content */
    uint64_t size;   /* plain */
    uint64_t rows;
};

struct segment_source;

/* Called for a member of an archive, with the size of its content; `path` is borrowed, and as
 * untrusted as the archive. Anything but 0 ends the visit. */
typedef int segment_member_fn(void *context, const char *path, char type, uint64_t size,
                              struct error *err);

struct segment_source_ops {
    /* 1 and the next segment front to back, 0 after the last, -1. Frames that others made (one huge
     * frame, no index) come in pieces of up to SEGMENT_SIZE that need not end where a statement
     * does. One thread at a time. */
    int (*next)(struct segment_source *source, struct segment **ret_segment, struct error *err);
    /* Number of frames that can be read by number, the index frame left out; 0 when that is not
     * known. */
    size_t (*count)(struct segment_source *source);
    const struct segment_frame *(*frame)(struct segment_source *source, size_t number);
    size_t (*table_count)(struct segment_source *source);
    const struct segment_table *(*table)(struct segment_source *source, size_t number);
    /* Each member of a tar, in order: from its index, or where it has none (count is 0) by passing
     * over all of it; what `next` has come to makes no difference. 0, what `visit` answered, or
     * -1. */
    int (*members)(struct segment_source *source, segment_member_fn *visit, void *context,
                   struct error *err);
    /* Fetch, decrypt, check and decompress frame `number`. Any thread. */
    int (*read)(struct segment_source *source, size_t number, struct segment **ret_segment,
                struct error *err);
    /* Give back what next or read returned. Any thread. */
    void (*drop)(struct segment_source *source, struct segment *segment);
};

struct segment_source {
    const struct segment_source_ops *ops;
};

/* Append bytes to a segment that has room for them. */
void segment_append(struct segment *segment, const void *data, size_t size);

static inline size_t segment_room(const struct segment *segment)
{
    return segment->capacity - segment->size;
}

/* Note a member that begins in this segment; `path` is copied. */
void segment_add_member(struct segment *segment, const char *path, char type, uint64_t size);

/* Back to empty: size, rows, members, table. The memory of data[] stays. */
void segment_reset(struct segment *segment);

#endif
