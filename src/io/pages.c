#include "io/pages.h"

#include "base/error.h"

#include <errno.h>
#include <stdbool.h>
#include <sys/mman.h>

#define PAGE ((size_t)4096)

static int refused(size_t capacity, struct error *err)
{
    return error_set_errno(err, ERROR_FAILED, errno, "memory for %zu bytes", capacity);
}

int pages_reserve(struct pages *pages, size_t capacity, size_t keep, struct error *err)
{
    if (capacity <= pages->capacity)
        return 0;
    if (capacity > SIZE_MAX / 2) {
        errno = ENOMEM;
        return refused(capacity, err);
    }
    size_t rounded = (capacity + PAGE - 1) & ~(PAGE - 1);
    bool moves = pages->data && keep;
    void *memory =
        moves ? mremap(pages->data, pages->capacity, rounded, MREMAP_MAYMOVE)
              : mmap(NULL, rounded, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        return refused(capacity, err);
    if (!moves)
        pages_clear(pages);
    /* Advice: without it the buffer is filled through a thousand page faults. */
    madvise(memory, rounded, MADV_HUGEPAGE);
    pages->data = memory;
    pages->capacity = rounded;
    return 0;
}

void pages_clear(struct pages *pages)
{
    if (pages->data)
        munmap(pages->data, pages->capacity);
    *pages = PAGES_INIT;
}
