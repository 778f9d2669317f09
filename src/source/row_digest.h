/*
 * The digest of a table: "sumxxh3:<32 hex digits>", the sum modulo 2^128 of XXH3-128 over the text
 * of each row (artifact format, "Manifest").
 *
 * It does not depend on the order of the rows, so readers of parts of a table sum apart and merge.
 * A value type; zeroed is the digest of no rows.
 */
#ifndef KEDGE_SOURCE_ROW_DIGEST_H
#define KEDGE_SOURCE_ROW_DIGEST_H

#include "base/mem.h"

#include <stddef.h>
#include <stdint.h>

struct row_digest {
    uint64_t low;
    uint64_t high;
    uint64_t rows;
    uint64_t bytes; /* of the rows' text in the artifact, line ends included */
};

#define ROW_DIGEST_TEXT 41 /* "sumxxh3:" and 32 digits and NUL */

/* One row: `size` bytes of text, without its line end, and what it takes in the artifact. */
void row_digest_add(struct row_digest *digest, const void *row, size_t size, size_t stored);

/* A row that comes in pieces, whatever its length. */
struct row_pieces;

struct row_pieces *row_pieces_new(void);
void row_pieces_add(struct row_pieces *pieces, const void *data, size_t size);
size_t row_pieces_size(const struct row_pieces *pieces);
/* The row is complete and takes `line_end` more bytes than its text; the next one begins. */
void row_digest_add_pieces(struct row_digest *digest, struct row_pieces *pieces, size_t line_end);
void row_pieces_free(struct row_pieces *pieces); /* NULL is fine */

DEFINE_SCOPED(row_pieces, struct row_pieces *, row_pieces_free);

void row_digest_merge(struct row_digest *digest, const struct row_digest *part);
void row_digest_format(const struct row_digest *digest, char ret_text[static ROW_DIGEST_TEXT]);

#endif
