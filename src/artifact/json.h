/*
 * Text as a JSON string. Writing our own strings keeps the order of keys, and is what a line per
 * file needs to be quick.
 */
#ifndef KEDGE_ARTIFACT_JSON_H
#define KEDGE_ARTIFACT_JSON_H

#include <stddef.h>

struct buf;

/* Append `text` in quotes. It is UTF-8; what is not becomes \xNN in writing (a backslash, an x, two
 * digits), which only people read. */
void json_append(struct buf *buf, const char *text);

/* Append `"key":"text"`, in ASCII: other characters become \uNNNN. Text that is not UTF-8 is
 * written as `"key_hex":"<its bytes in hex>"`, which brings every byte back. */
void json_append_exact(struct buf *buf, const char *key, const char *text);

#endif
