/*
 * A database out of use: nobody reads or writes it, and it is one file.
 *
 * Taken before the file under a name is exchanged for another. A `-wal` that stayed beside a new
 * file would be replayed into it, so the old database first leaves WAL mode under an exclusive
 * lock: the WAL is checkpointed, a hot journal is rolled back, and the files beside it are gone. A
 * connection that somebody opens in between and keeps cannot write any more after the exchange:
 * without a WAL, SQLite refuses to write to a file that was moved.
 *
 * A file that SQLite cannot read is held by a lease instead, and what lies beside it is moved along
 * as it is.
 */
#ifndef KEDGE_SOURCE_SQLITE_HOLD_H
#define KEDGE_SOURCE_SQLITE_HOLD_H

#include "base/mem.h"

#include <stdbool.h>
#include <stdint.h>

struct error;
struct os;
struct sqlite_hold;

/* Refuses with ERROR_LOCKED when others have it open, or still hold locks after wait_ms. `aside` is
 * the path whose `-wal` and so on take the sidecars of a file that SQLite cannot read. */
int sqlite_hold_take(struct os *os, const char *path, const char *aside, int64_t wait_ms,
                     struct sqlite_hold **ret_hold, struct error *err);

/* The file was exchanged: let go of the old one. */
void sqlite_hold_release(struct sqlite_hold *hold);

/* Nothing was exchanged: back to how it was, WAL mode included. */
void sqlite_hold_undo(struct sqlite_hold *hold);

/* Make the file at `path` say WAL, or not. It has no `-wal` and nobody has it open. */
int sqlite_file_set_wal(struct os *os, const char *path, bool wal, struct error *err);

/* Rename the sidecars of `from` to those of `to`; what is not there is passed over. */
int sqlite_sidecars_move(struct os *os, const char *from, const char *to, struct error *err);
int sqlite_sidecars_remove(struct os *os, const char *path, struct error *err);

#endif
