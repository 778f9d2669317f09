#include "harness/tap.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static ssize_t write_mended(void *cookie, const char *data, size_t size)
{
    (void)cookie;
    static const char wrong[] = "not ok ";
    size_t skip = 0;
    if (size > sizeof wrong && memcmp(data, wrong, strlen(wrong)) == 0 &&
        memmem(data, size, " # SKIP", 7))
        skip = 4;
    ssize_t written = write(STDOUT_FILENO, data + skip, size - skip);
    return written < 0 ? 0 : written + (ssize_t)skip;
}

void tap_mend_skips(void)
{
    FILE *mended = fopencookie(NULL, "w", (cookie_io_functions_t){.write = write_mended});
    if (!mended)
        return;
    setvbuf(mended, NULL, _IOLBF, BUFSIZ);
    stdout = mended;
}
