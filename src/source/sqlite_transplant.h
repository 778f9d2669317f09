/*
 * Tables copied from one SQLite database into another, within a transaction of the caller.
 *
 * The destination is "main" of the connection, the origin is attached to it as "origin".
 */
#ifndef KEDGE_SOURCE_SQLITE_TRANSPLANT_H
#define KEDGE_SOURCE_SQLITE_TRANSPLANT_H

#include <stdint.h>

struct error;
struct sqlite_connection;
struct text_list;

/* Attach the file at `path`, and see to it that neither triggers nor foreign keys act on what we
 * write. Outside of a transaction. */
int sqlite_transplant_begin(struct sqlite_connection *connection, const char *path,
                            struct error *err);

/* Make main's tables `names` what origin's are: filled anew, made with their indexes and triggers
 * where missing, dropped where origin has none. */
int sqlite_transplant(struct sqlite_connection *connection, const struct text_list *names,
                      uint64_t *ret_rows, struct error *err);

/* Foreign keys: note what is broken already; later, -1 with ERROR_RESTORE when more is. */
int sqlite_transplant_note_keys(struct sqlite_connection *connection, struct error *err);
int sqlite_transplant_check_keys(struct sqlite_connection *connection, struct error *err);

#endif
