/*
 * The restore log: one row each, with the way back as long as there is one.
 *
 *     running -> success   (undone_ns when somebody went back; running again on the way)
 *             -> failed
 *
 * safety_ref is written before the target is touched, so that a restore whose process was killed
 * can be sorted out from its row alone.
 */
#ifndef KEDGE_CATALOG_RESTORES_H
#define KEDGE_CATALOG_RESTORES_H

#include <stdbool.h>
#include <stdint.h>

struct catalog;
struct error;

/* Begin with {0}. Texts that are not known are NULL, times 0, ids "". */
struct restore_row {
    char id[27];
    int64_t number;
    char backup_id[27];       /* "": the file was in no catalogue, or its row is gone */
    const char *backup_name;  /* the file's name; stays when the backup goes */
    const char *restore_type; /* "full", "tables", "files" */
    const char *status;       /* "pending", "running", "success", "failed" */
    int64_t started_ns, completed_ns;
    const char *target; /* where to: the target's name, or a URL or path without password */
    const char *engine;
    const char *safety_kind;     /* "swap", "backup", "none" */
    const char *safety_ref;      /* JSON; NULL: no way back (any more) */
    int64_t undo_until_ns;       /* 0: no date */
    int64_t undone_ns;           /* 0: not undone */
    const char *tables_restored; /* JSON array */
    const char *files_restored;  /* JSON array */
    const char *initiated_by;
    const char *worker_id;
    int64_t heartbeat_ns;
    const char *notes;
    const char *error_message;
    int64_t created_ns;
    void *memory; /* private: what the texts live in */
};

void restore_row_clear(struct restore_row *row);

/* Insert `row` as running since now and set its id (unless it has one) and number. target,
 * restore_type, safety_kind and worker_id are needed. */
int restores_insert(struct catalog *catalog, struct restore_row *row, struct error *err);

/* Durable when it returns: call it before the target is touched. */
int restores_set_ref(struct catalog *catalog, const char *id, const char *safety_ref,
                     int64_t undo_until_ns, struct error *err);

int restores_heartbeat(struct catalog *catalog, const char *id, struct error *err);

/* running -> success, with safety_ref, undo_until_ns, tables_restored, files_restored and notes of
 * `row`. */
int restores_finish(struct catalog *catalog, const struct restore_row *row, struct error *err);

/* running -> failed. safety_ref stays unless `keep_ref` is false. */
int restores_fail(struct catalog *catalog, const char *id, const char *message, bool keep_ref,
                  struct error *err);

/* success -> running as `worker_id`'s: an undo of several swaps begins. A run that is killed among
 * them is found by restores_each_dead. */
int restores_set_undoing(struct catalog *catalog, const char *id, const char *safety_ref,
                         const char *worker_id, struct error *err);

/* Somebody went back, or (undone_ns 0) forth again; safety_ref now names what was swapped out. Ends
 * what restores_set_undoing began. */
int restores_set_undone(struct catalog *catalog, const char *id, int64_t undone_ns,
                        const char *safety_ref, int64_t undo_until_ns, struct error *err);

/* The old copy is gone: no way back from here. */
int restores_set_discarded(struct catalog *catalog, const char *id, struct error *err);

/* ---- finding: 1 and the row (clear it), 0 when there is none ---- */

int restores_get(struct catalog *catalog, const char *id, struct restore_row *ret_row,
                 struct error *err);
int restores_get_number(struct catalog *catalog, int64_t number, struct restore_row *ret_row,
                        struct error *err);

/* The newest success of `target` (NULL: any) with a way back. `or_undone`: also one that was
 * undone, from which the way leads forth again. */
int restores_get_undoable(struct catalog *catalog, const char *target, bool or_undone,
                          struct restore_row *ret_row, struct error *err);

/* ---- lists ---- */

/* NULL and 0: any. */
struct restore_filter {
    const char *status, *target, *backup_id;
    int64_t limit; /* 0: all */
};

/* `row` lives until `visit` returns; non-zero from it stops and comes back. */
typedef int restore_visit_fn(void *context, const struct restore_row *row, struct error *err);

/* Newest first. */
int restores_list(struct catalog *catalog, const struct restore_filter *filter,
                  restore_visit_fn *visit, void *context, struct error *err);

/* Oldest first: finished ones whose old copy is kept and past undo_until at `now_ns`. `visit` may
 * change the catalogue. */
int restores_each_expired(struct catalog *catalog, int64_t now_ns, restore_visit_fn *visit,
                          void *context, struct error *err);

/* Running ones whose worker is dead; error_message says what became of it ("interrupted: ...").
 * The rows stay as they are: `visit` finds out on which side the target is and finishes or fails
 * them. */
int restores_each_dead(struct catalog *catalog, restore_visit_fn *visit, void *context,
                       struct error *err);

static inline void scoped_restore_row_cleanup(struct restore_row *row)
{
    restore_row_clear(row);
}

#endif
