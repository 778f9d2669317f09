/*
 * An arena: many small pieces of memory that are given back together.
 *
 * For what is read whole and dropped whole, such as thousands of migration files: a piece costs
 * moving a pointer, and is not freed by itself. One thread at a time.
 */
#ifndef KEDGE_BASE_ARENA_H
#define KEDGE_BASE_ARENA_H

#include "base/mem.h"

struct arena_chunk;

struct arena {
    struct arena_chunk *chunks;
    char *at; /* the next free byte of the newest chunk */
    size_t left;
};

#define ARENA_INIT ((struct arena){0})

/* `size` zeroed bytes, aligned for anything. Ends the process when there are none. */
void *arena_alloc(struct arena *arena, size_t size) __attribute__((malloc, returns_nonnull));

/* Zeroed, for one struct. */
#define ARENA_NEW(arena, type) ((type *)arena_alloc((arena), sizeof(type)))

/* Copies, ended by NUL. arena_string(NULL) is NULL. */
char *arena_string(struct arena *arena, const char *text);
char *arena_string_n(struct arena *arena, const char *text, size_t length)
    __attribute__((malloc, returns_nonnull));

/* Everything that `from` has belongs to `arena`; `from` is empty afterwards. */
void arena_take(struct arena *arena, struct arena *from);

/* Free every piece. */
void arena_clear(struct arena *arena);

static inline void scoped_arena_cleanup(struct arena *arena)
{
    arena_clear(arena);
}

#endif
