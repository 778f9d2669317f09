/*
 * The swap of a restore as a whole: all its trees, forwards, or back.
 *
 * How far it is stands in the first side folder, in the file "state", which is written and synced
 * before the first rename and after the last.
 */
#ifndef KEDGE_SOURCE_FILES_SWAP_H
#define KEDGE_SOURCE_FILES_SWAP_H

#include <stdint.h>

struct error;
struct files_sides;

enum files_state {
    FILES_STATE_NONE,      /* never begun */
    FILES_STATE_TO_AFTER,  /* on the way */
    FILES_STATE_AFTER,     /* the restored trees are live */
    FILES_STATE_TO_BEFORE, /* on the way back */
    FILES_STATE_BEFORE,    /* gone back on */
    FILES_STATE_REDO,      /* on the way to AFTER again */
};

/* *ret_moment_ns: when that state was reached. */
int files_swap_state(const struct files_sides *sides, enum files_state *ret_state,
                     int64_t *ret_moment_ns, struct error *err);

/* `state`: TO_AFTER for the first time, REDO after an undo. On failure some of it may have been
 * done: files_swap_roll_back. */
int files_swap_forwards(const struct files_sides *sides, enum files_state state, struct error *err);

/* As if it had never begun. Needs no room. */
int files_swap_roll_back(const struct files_sides *sides, struct error *err);

/* Undo, which can itself be undone. */
int files_swap_backwards(const struct files_sides *sides, struct error *err);

#endif
