/*
 * goose's ENVSUB: between `-- +goose ENVSUB ON` and OFF, ${NAME} in a file stands for a variable of
 * the environment.
 */
#ifndef KEDGE_MIGRATE_ENVSUB_H
#define KEDGE_MIGRATE_ENVSUB_H

#include "base/buf.h"

/* What `lookup` (getenv) says for a name; NULL when it is not set. */
typedef const char *envsub_lookup_fn(const char *name);

/* `text` with its variables replaced, appended to `buf`. -1 when ${NAME?message} is not set. */
int envsub_append(struct buf *buf, const char *text, size_t size, const char *path,
                  envsub_lookup_fn *lookup, struct error *err);

#endif
