/*
 * A member's line of the index without a JSON parser: most lines are exactly as index_append_member
 * writes them, with nothing to unescape, and an archive has as many of them as files.
 */
#ifndef KEDGE_ARTIFACT_INDEX_QUICK_H
#define KEDGE_ARTIFACT_INDEX_QUICK_H

#include <stdbool.h>
#include <stddef.h>

struct index_member;

/* True: the line, ended by a NUL, says *ret_member, whose path lies in it. False: it is in another
 * form, perhaps none, and as it was. */
bool index_quick_member(char *line, size_t size, struct index_member *ret_member);

#endif
