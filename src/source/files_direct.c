#include "source/files_direct.h"

#include "base/os.h"

#include <fcntl.h>

/* What every disk and file system is content with, for offsets and lengths; and for memory. */
#define UNIT ((size_t)4096)
#define MEMORY_UNIT ((uintptr_t)512)

int files_direct_open(struct os *os, int folder, const char *name)
{
    return os->openat(os, folder, name, O_WRONLY | O_NOFOLLOW | O_DIRECT, 0);
}

size_t files_direct_write(struct os *os, int fd, const void *data, size_t size, uint64_t offset)
{
    size_t whole = size - size % UNIT;
    if (fd < 0 || !whole || offset % UNIT || (uintptr_t)data % MEMORY_UNIT)
        return 0;
    /* An error is the caller's to find, who writes what is missing the other way. */
    ssize_t done = os->pwrite(os, fd, data, whole, (off_t)offset);
    return done > 0 ? (size_t)done - (size_t)done % UNIT : 0;
}
