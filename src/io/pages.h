/*
 * Large buffers straight from the kernel: they start at a page, use huge pages where there are
 * some, are given back at once, and may be refused.
 */
#ifndef KEDGE_IO_PAGES_H
#define KEDGE_IO_PAGES_H

#include <stddef.h>
#include <stdint.h>

struct error;

/* Invariant: data is NULL and capacity 0, or capacity bytes are mapped. */
struct pages {
    uint8_t *data;
    size_t capacity;
};

#define PAGES_INIT ((struct pages){0})

/* Make room for `capacity` bytes at least, keeping the first `keep`. -1 when there is no memory;
 * the pages are then as they were. */
int pages_reserve(struct pages *pages, size_t capacity, size_t keep, struct error *err);
void pages_clear(struct pages *pages);

static inline void scoped_pages_cleanup(struct pages *pages)
{
    pages_clear(pages);
}

#endif
