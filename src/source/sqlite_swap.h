/*
 * The swap: the restored file takes the target's name in one step, and the old one takes its.
 *
 * 1. The side file is whole, synced and closed; nobody knows its name.
 * 2. The old database is taken out of use (sqlite_hold.h): one file, no sidecars, nobody reads.
 * 3. renameat2(RENAME_EXCHANGE). Where the file system has none: a second name is made for the old
 *    file (link), the new one is renamed over the target, the second name becomes the side name.
 * 4. The folder is synced.
 *
 * At every point a reader finds the whole old database or the whole new one under the name, and the
 * inodes tell which.
 */
#ifndef KEDGE_SOURCE_SQLITE_SWAP_H
#define KEDGE_SOURCE_SQLITE_SWAP_H

#include "source/source.h"

struct sqlite_kept;

/* Put kept->side in the place of kept->target. On failure the target is as it was: ERROR_RESTORE,
 * or ERROR_STRANDED with what is where. */
int sqlite_swap_commit(struct os *os, const struct sqlite_kept *kept, struct error *err);

/* source_ops' recover, side, undo and discard, for a whole database. */
int sqlite_swap_recover(struct os *os, const struct sqlite_kept *kept, enum load_state *ret_state,
                        struct error *err);
int sqlite_swap_side(struct os *os, const struct sqlite_kept *kept, enum load_state *ret_state,
                     struct error *err);
int sqlite_swap_undo(struct os *os, const struct sqlite_kept *kept, struct error *err);
int sqlite_swap_discard(struct os *os, const struct sqlite_kept *kept, struct error *err);

/* What was written to the target since the restore: a sentence to be freed, or NULL. */
char *sqlite_swap_changed(struct os *os, const struct sqlite_kept *kept);

#endif
