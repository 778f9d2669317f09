/*
 * Reading a statement into its outline (migrate/outline.h).
 */
#ifndef KEDGE_MIGRATE_OUTLINE_READ_H
#define KEDGE_MIGRATE_OUTLINE_READ_H

#include "migrate/outline.h"

/* `text` is borrowed as long as the outline lives, which must not be moved: its cursors refer to
 * its own tokens. */
void outline_read(struct outline *outline, enum db_engine engine, const char *text, size_t size);

#endif
