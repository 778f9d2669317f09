/*
 * Names of users and groups, remembered: a tree asks for the same few a hundred thousand times.
 *
 * One per thread. Both directions; an id without a name and a name without an id are remembered
 * too.
 */
#ifndef KEDGE_SOURCE_FILES_NAMES_H
#define KEDGE_SOURCE_FILES_NAMES_H

#include "base/mem.h"

#include <stdbool.h>
#include <stdint.h>

struct files_names;

struct files_names *files_names_new(void);
void files_names_free(struct files_names *names);

/* NULL when the machine knows no name. Good until the next question of the same kind. */
const char *files_names_user(struct files_names *names, uint32_t id);
const char *files_names_group(struct files_names *names, uint32_t id);

bool files_names_find_user(struct files_names *names, const char *name, uint32_t *ret_id);
bool files_names_find_group(struct files_names *names, const char *name, uint32_t *ret_id);

DEFINE_SCOPED(files_names, struct files_names *, files_names_free);

#endif
