#include "base/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_CHUNK ((size_t)4 << 10)
#define LARGEST_CHUNK ((size_t)256 << 10)

struct arena_chunk {
    struct arena_chunk *next;
    size_t size;
    alignas(max_align_t) char data[];
};

/* Pages that nobody has asked for yet stay untouched. */
static struct arena_chunk *make_chunk(size_t size)
{
    struct arena_chunk *chunk = mem_resize(NULL, 1, sizeof *chunk + size);
    chunk->size = size;
    return chunk;
}

/* A piece that is large for a chunk gets one of its own, and the newest is filled on. */
static void *own_chunk(struct arena *arena, size_t size)
{
    struct arena_chunk *chunk = make_chunk(size);
    if (arena->chunks) {
        chunk->next = arena->chunks->next;
        arena->chunks->next = chunk;
    } else {
        chunk->next = NULL;
        arena->chunks = chunk;
    }
    return chunk->data;
}

static void new_chunk(struct arena *arena)
{
    size_t size = arena->chunks ? 2 * arena->chunks->size : FIRST_CHUNK;
    size = size > LARGEST_CHUNK ? LARGEST_CHUNK : size;
    struct arena_chunk *chunk = make_chunk(size);
    chunk->next = arena->chunks;
    arena->chunks = chunk;
    arena->at = chunk->data;
    arena->left = size;
}

static size_t padded(size_t size)
{
    const size_t last = alignof(max_align_t) - 1;
    return size > SIZE_MAX / 2 ? size : (size + last) & ~last;
}

static void *piece(struct arena *arena, size_t size)
{
    if (size > arena->left && size > FIRST_CHUNK / 4)
        return own_chunk(arena, size);
    if (size > arena->left)
        new_chunk(arena);
    char *piece = arena->at;
    arena->at += size;
    arena->left -= size;
    return piece;
}

void *arena_alloc(struct arena *arena, size_t size)
{
    return memset(piece(arena, padded(size)), 0, size);
}

char *arena_string_n(struct arena *arena, const char *text, size_t length)
{
    char *copy = piece(arena, padded(length + 1));
    memcpy(copy, text, length);
    copy[length] = '\0';
    return copy;
}

char *arena_string(struct arena *arena, const char *text)
{
    return text ? arena_string_n(arena, text, strlen(text)) : NULL;
}

void arena_take(struct arena *arena, struct arena *from)
{
    struct arena_chunk **end = &arena->chunks;
    while (*end)
        end = &(*end)->next;
    *end = from->chunks;
    if (!arena->at) {
        arena->at = from->at;
        arena->left = from->left;
    }
    *from = ARENA_INIT;
}

void arena_clear(struct arena *arena)
{
    while (arena->chunks) {
        struct arena_chunk *next = arena->chunks->next;
        free(arena->chunks);
        arena->chunks = next;
    }
    *arena = ARENA_INIT;
}
