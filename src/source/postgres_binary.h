/*
 * Rows of COPY ... TO STDOUT (FORMAT binary), turned into the rows that the server's text format
 * would have been.
 *
 * Writing text is most of what COPY costs the server: it looks at each byte on its own. So a table
 * whose columns all have types that we can write too is read in binary. A type is known by the
 * server's own functions that write it, so that domains, and types of extensions that use them, are
 * known as well. The digests of a restored table are taken from text that the server wrote
 * (postgres_slice_digest), which is what proves the text made here.
 */
#ifndef KEDGE_SOURCE_POSTGRES_BINARY_H
#define KEDGE_SOURCE_POSTGRES_BINARY_H

#include "base/text.h"

#include <stdbool.h>
#include <stddef.h>

struct error;
struct buf;
struct binary_type;

/* The columns of a table, in their order. Zeroed is a table without any. */
struct binary_layout {
    const struct binary_type **types; /* NULL for those that we cannot write */
    size_t count;
    size_t capacity;
    bool unknown; /* there are such */
    struct text_list names;
};

/* Add a column: its name, and the functions, internal to the server, that write its type as text
 * and in binary; NULL when it has no such. */
void binary_layout_add(struct binary_layout *layout, const char *name, const char *output,
                       const char *send);
void binary_layout_clear(struct binary_layout *layout);

/* Whether a table of these columns can be read in binary. */
bool binary_layout_is_known(const struct binary_layout *layout);

/* Append to `text` the row whose fields are the `size` bytes of `fields`, with its newline. An
 * error when they are not such a row, or when it is longer than the server would take it back. */
int binary_row_text(const struct binary_layout *layout, const char *fields, size_t size,
                    struct buf *text, struct error *err);

/* The same to `out`, without a NUL: 1 and the size of the row; 0 when `room` bytes may be too few
 * for it, and they hold nothing of use then; -1. */
int binary_row_put(const struct binary_layout *layout, const char *fields, size_t size, char *out,
                   size_t room, size_t *ret_size, struct error *err);

#endif
