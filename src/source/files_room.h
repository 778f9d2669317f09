/*
 * Is there room for what a restore brings, and, where it ran out, on which file system and for how
 * much.
 */
#ifndef KEDGE_SOURCE_FILES_ROOM_H
#define KEDGE_SOURCE_FILES_ROOM_H

#include <stdint.h>

struct error;
struct files_sides;
struct os;

/* `needed` has the bytes for each side; 0 where that is not known. ERROR_NO_SPACE. */
int files_room_check(struct os *os, const struct files_sides *sides, const uint64_t *needed,
                     struct error *err);

/* To an error that says that no room was left it adds where, and what all of it needs (0: not
 * known); others stay as they are. -1. */
int files_room_explain(struct os *os, const struct files_sides *sides, uint64_t needed,
                       struct error *err);

#endif
