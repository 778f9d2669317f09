/*
 * Flyway's placeholders: ${name} in a migration stands for a value from the settings.
 */
#ifndef KEDGE_MIGRATE_PLACEHOLDER_H
#define KEDGE_MIGRATE_PLACEHOLDER_H

#include "base/buf.h"
#include "base/text.h"

struct error;

/* `text` with its placeholders replaced, appended to `buf`. `values` are "name=value"; names are
 * the same in upper and lower case. ${flyway:filename} is `path`'s own name. -1 with ERROR_FAILED
 * naming file, line and placeholder when one has no value. */
int placeholder_append(struct buf *buf, const char *text, size_t size, const char *path,
                       const struct text_list *values, struct error *err);

#endif
