/*
 * A place to push bytes into: the one direction in which content moves.
 *
 * A filter (encrypt, compress, hash) is a sink that owns nothing but a borrowed pointer to the next
 * one. The order of life is write*, finish, free; finish is called at most once and only after
 * every write succeeded; free may come at any time and, without a finish, undoes what can be
 * undone.
 */
#ifndef KEDGE_BASE_SINK_H
#define KEDGE_BASE_SINK_H

#include <stddef.h>

struct error;
struct sink;

struct sink_ops {
    /* All of `size` bytes, or -1; after a -1 only free may be called. */
    int (*write)(struct sink *sink, const void *data, size_t size, struct error *err);
    /* No more bytes come. Flushes this sink, not the next one. */
    int (*finish)(struct sink *sink, struct error *err);
    void (*free)(struct sink *sink);
};

struct sink {
    const struct sink_ops *ops;
};

static inline int sink_write(struct sink *sink, const void *data, size_t size, struct error *err)
{
    return sink->ops->write(sink, data, size, err);
}

static inline int sink_finish(struct sink *sink, struct error *err)
{
    return sink->ops->finish(sink, err);
}

static inline void sink_free(struct sink *sink)
{
    if (sink)
        sink->ops->free(sink);
}

#endif
