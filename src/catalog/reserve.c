#include "catalog/reserve.h"

#include "base/error.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/os.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>

#define RESERVE_SIZE (1 << 20)
#define LITTLE ((uint64_t)RESERVE_SIZE)
#define PLENTY (UINT64_C(64) << 20)

static void make(struct os *os, const char *reserve)
{
    struct error ignored = ERROR_INIT;
    int fd = file_open(os, reserve, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600, &ignored);
    if (fd < 0)
        return;
    bool made = os->fallocate(os, fd, 0, 0, RESERVE_SIZE) == 0;
    file_close(os, &fd);
    if (!made)
        file_remove(os, reserve, &ignored);
}

void reserve_settle(struct os *os, const char *path)
{
    struct error ignored = ERROR_INIT;
    SCOPED(string) char *folder = path_folder(path);
    SCOPED(string) char *reserve = mem_format("%s-reserve", path);
    uint64_t room = 0;
    if (file_free_space(os, folder, &room, &ignored) < 0 || (room >= LITTLE && room < PLENTY))
        return;
    struct stat there;
    int found = file_stat(os, reserve, &there, &ignored);
    if (found > 0 && room < LITTLE)
        file_remove(os, reserve, &ignored);
    else if (found == 0 && room >= PLENTY)
        make(os, reserve);
}
