/*
 * YAML, the small and safe part of it, as a tree whose nodes know their line.
 *
 * One document of maps, lists and scalars in UTF-8. Anchors, aliases, tags, a second document, a
 * key that comes twice in one map and nesting deeper than 32 are refused with line and column.
 * Scalars stay text: what a value means is said by whoever asks for it.
 */
#ifndef KEDGE_BASE_YAML_H
#define KEDGE_BASE_YAML_H

#include "base/mem.h"

#include <stdbool.h>
#include <stddef.h>

struct error;

enum yaml_kind { YAML_SCALAR, YAML_LIST, YAML_MAP };

struct yaml_tree;

struct yaml_entry {
    char *key;           /* NULL in a list */
    size_t line, column; /* of the key, from 1 */
    struct yaml_tree *value;
};

struct yaml_tree {
    enum yaml_kind kind;
    size_t line, column; /* from 1 */
    char *text;          /* of a scalar */
    bool null;           /* a scalar that is empty, ~ or null, and not quoted */
    struct yaml_entry *entries;
    size_t entry_count;
    size_t entry_capacity;
};

#define YAML_MAXIMUM ((size_t)1 << 20)

/* `name` is the file's, for errors ("NAME:3:5: …", ERROR_USAGE). An empty document is an empty
 * map. */
int yaml_tree_parse(const char *name, const char *text, size_t size, struct yaml_tree **ret_tree,
                    struct error *err);
void yaml_tree_free(struct yaml_tree *tree);

/* The value under `key` of a map, or NULL. */
const struct yaml_tree *yaml_tree_get(const struct yaml_tree *tree, const char *key);

DEFINE_SCOPED(yaml_tree, struct yaml_tree *, yaml_tree_free);

#endif
