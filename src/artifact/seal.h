/*
 * The seal of a manifest: its last key, the SHA-256 of all the text before it. A manifest whose
 * seal is right is byte by byte as it was written.
 */
#ifndef KEDGE_ARTIFACT_SEAL_H
#define KEDGE_ARTIFACT_SEAL_H

#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>

/* End the JSON object that begins at `start` and has no end yet. */
void seal_append(struct buf *json, size_t start);

bool seal_is_right(const char *text, size_t size);
/* The hex of a text that ends in a seal. */
void seal_read(const char *text, size_t size, char ret_seal[static 65]);

#endif
