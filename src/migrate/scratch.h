/*
 * A database for trying: made beside the real one and dropped whatever happens, or an empty one
 * that was named; for SQLite a temporary file.
 */
#ifndef KEDGE_MIGRATE_SCRATCH_H
#define KEDGE_MIGRATE_SCRATCH_H

#include "base/mem.h"
#include "db/url.h"

struct db;
struct error;
struct os;
struct scratch;

/* Make one on the server of `beside`, named kedge_verify_<ulid>; or use `named` (may be NULL),
 * which has to be empty. Both are borrowed while it is open. */
int scratch_open(struct os *os, const struct db_url *beside, const struct db_url *named,
                 struct scratch **ret_scratch, struct error *err);
/* Its connection. Borrowed; another one after scratch_empty. */
struct db *scratch_db(struct scratch *scratch);
/* As it was in the beginning. */
int scratch_empty(struct scratch *scratch, struct error *err);
/* Drop it, also after a stop was requested. -1 when it is left behind; the error names it. */
int scratch_close(struct scratch *scratch, struct error *err);

#endif
