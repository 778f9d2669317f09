/*
 * Single tables brought back into a live database, in one transaction of its own.
 *
 * Others may have the database open meanwhile. Their rows are replaced (deleted and inserted, no
 * trigger fires), foreign keys are checked before the commit, and what the tables held is first
 * copied to a small side database, from which undo brings it back in the same way.
 *
 * Whether a killed restore was committed is told by a marker: a table that the same transaction
 * makes, and that goes once the side database has noted it.
 */
#ifndef KEDGE_SOURCE_SQLITE_TABLES_H
#define KEDGE_SOURCE_SQLITE_TABLES_H

#include "source/source.h"

struct sqlite_kept;
struct text_list;

/* Where the whole backup lies while its tables are taken out of it, to be freed. */
char *sqlite_tables_full_path(const struct sqlite_kept *kept);

/* Find `wanted` (any case) in the database at `path`: their exact names, the tables that hold a
 * virtual table's content, and with `cascade` those that refer to any of them. ERROR_NOT_FOUND
 * names what is there instead. */
int sqlite_tables_choose(struct os *os, const char *path, const struct text_list *wanted,
                         bool cascade, struct text_list *ret_names, struct error *err);

/* Put kept->tables of the file at `from` into kept->target. With `keep` kept->side takes what they
 * held. *ret_rows counts what was inserted. On failure the target is as it was. */
int sqlite_tables_commit(struct os *os, const struct sqlite_kept *kept, const char *from, bool keep,
                         uint64_t *ret_rows, struct error *err);

int sqlite_tables_recover(struct os *os, const struct sqlite_kept *kept, enum load_state *ret_state,
                          struct error *err);
int sqlite_tables_undo(struct os *os, const struct sqlite_kept *kept, struct error *err);
int sqlite_tables_discard(struct os *os, const struct sqlite_kept *kept, struct error *err);

#endif
