#include "harness/vfs_faulty.h"

#include "harness/os_faulty.h"

#include <errno.h>
#include <sqlite3.h>

/* SQLite allots this and the real file behind it in one piece, aligned to 8. */
struct faulty_file {
    sqlite3_file base;
    sqlite3_io_methods methods; /* ours, of the version that the real file has */
    _Alignas(8) unsigned char real[];
};

static struct {
    sqlite3_vfs vfs;
    sqlite3_vfs *real;
    bool count_reads;
} shim;

static sqlite3_file *real_of(sqlite3_file *base)
{
    struct faulty_file *file = (struct faulty_file *)(void *)base;
    return (sqlite3_file *)(void *)file->real;
}

/* SQLITE_OK to go on. The real VFS tries interrupted calls again by itself, so they are none here.
 */
static int count(bool needs_room, int code)
{
    int failure = os_faulty_count(needs_room);
    if (failure == 0 || failure == EINTR)
        return SQLITE_OK;
    errno = failure;
    return failure == ENOSPC && code != SQLITE_CANTOPEN ? SQLITE_FULL : code;
}

/* ---- files ---- */

static int faulty_close(sqlite3_file *base)
{
    return real_of(base)->pMethods->xClose(real_of(base));
}

static int faulty_read(sqlite3_file *base, void *data, int size, sqlite3_int64 offset)
{
    int failure = shim.count_reads ? count(false, SQLITE_IOERR_READ) : SQLITE_OK;
    return failure ? failure : real_of(base)->pMethods->xRead(real_of(base), data, size, offset);
}

static int faulty_write(sqlite3_file *base, const void *data, int size, sqlite3_int64 offset)
{
    int failure = count(true, SQLITE_IOERR_WRITE);
    return failure ? failure : real_of(base)->pMethods->xWrite(real_of(base), data, size, offset);
}

static int faulty_truncate(sqlite3_file *base, sqlite3_int64 size)
{
    int failure = count(true, SQLITE_IOERR_TRUNCATE);
    return failure ? failure : real_of(base)->pMethods->xTruncate(real_of(base), size);
}

static int faulty_sync(sqlite3_file *base, int flags)
{
    int failure = count(true, SQLITE_IOERR_FSYNC);
    return failure ? failure : real_of(base)->pMethods->xSync(real_of(base), flags);
}

static int faulty_file_size(sqlite3_file *base, sqlite3_int64 *ret_size)
{
    return real_of(base)->pMethods->xFileSize(real_of(base), ret_size);
}

static int faulty_lock(sqlite3_file *base, int level)
{
    return real_of(base)->pMethods->xLock(real_of(base), level);
}

static int faulty_unlock(sqlite3_file *base, int level)
{
    return real_of(base)->pMethods->xUnlock(real_of(base), level);
}

static int faulty_check_reserved_lock(sqlite3_file *base, int *ret_held)
{
    return real_of(base)->pMethods->xCheckReservedLock(real_of(base), ret_held);
}

static int faulty_file_control(sqlite3_file *base, int operation, void *argument)
{
    return real_of(base)->pMethods->xFileControl(real_of(base), operation, argument);
}

static int faulty_sector_size(sqlite3_file *base)
{
    return real_of(base)->pMethods->xSectorSize(real_of(base));
}

static int faulty_device_characteristics(sqlite3_file *base)
{
    return real_of(base)->pMethods->xDeviceCharacteristics(real_of(base));
}

static int faulty_shm_map(sqlite3_file *base, int region, int size, int extend,
                          void volatile **ret_memory)
{
    int failure = extend ? count(true, SQLITE_IOERR_SHMMAP) : SQLITE_OK;
    return failure
               ? failure
               : real_of(base)->pMethods->xShmMap(real_of(base), region, size, extend, ret_memory);
}

static int faulty_shm_lock(sqlite3_file *base, int offset, int number, int flags)
{
    return real_of(base)->pMethods->xShmLock(real_of(base), offset, number, flags);
}

static void faulty_shm_barrier(sqlite3_file *base)
{
    real_of(base)->pMethods->xShmBarrier(real_of(base));
}

static int faulty_shm_unmap(sqlite3_file *base, int remove)
{
    return real_of(base)->pMethods->xShmUnmap(real_of(base), remove);
}

static int faulty_fetch(sqlite3_file *base, sqlite3_int64 offset, int size, void **ret_memory)
{
    return real_of(base)->pMethods->xFetch(real_of(base), offset, size, ret_memory);
}

static int faulty_unfetch(sqlite3_file *base, sqlite3_int64 offset, void *memory)
{
    return real_of(base)->pMethods->xUnfetch(real_of(base), offset, memory);
}

static const sqlite3_io_methods faulty_methods = {
    .iVersion = 3,
    .xClose = faulty_close,
    .xRead = faulty_read,
    .xWrite = faulty_write,
    .xTruncate = faulty_truncate,
    .xSync = faulty_sync,
    .xFileSize = faulty_file_size,
    .xLock = faulty_lock,
    .xUnlock = faulty_unlock,
    .xCheckReservedLock = faulty_check_reserved_lock,
    .xFileControl = faulty_file_control,
    .xSectorSize = faulty_sector_size,
    .xDeviceCharacteristics = faulty_device_characteristics,
    .xShmMap = faulty_shm_map,
    .xShmLock = faulty_shm_lock,
    .xShmBarrier = faulty_shm_barrier,
    .xShmUnmap = faulty_shm_unmap,
    .xFetch = faulty_fetch,
    .xUnfetch = faulty_unfetch,
};

/* ---- names ---- */

static int faulty_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *base, int flags,
                       int *ret_flags)
{
    (void)vfs;
    struct faulty_file *file = (struct faulty_file *)(void *)base;
    base->pMethods = NULL;
    int failure = count((flags & SQLITE_OPEN_CREATE) != 0, SQLITE_CANTOPEN);
    if (failure)
        return failure;
    int code = shim.real->xOpen(shim.real, name, real_of(base), flags, ret_flags);
    if (!real_of(base)->pMethods)
        return code;
    file->methods = faulty_methods;
    if (real_of(base)->pMethods->iVersion < file->methods.iVersion)
        file->methods.iVersion = real_of(base)->pMethods->iVersion;
    base->pMethods = &file->methods;
    return code;
}

static int faulty_delete(sqlite3_vfs *vfs, const char *name, int sync_folder)
{
    (void)vfs;
    int failure = count(false, SQLITE_IOERR_DELETE);
    return failure ? failure : shim.real->xDelete(shim.real, name, sync_folder);
}

static int faulty_access(sqlite3_vfs *vfs, const char *name, int flags, int *ret_answer)
{
    (void)vfs;
    int failure = count(false, SQLITE_IOERR_ACCESS);
    return failure ? failure : shim.real->xAccess(shim.real, name, flags, ret_answer);
}

void vfs_faulty_install(bool count_reads)
{
    sqlite3_initialize();
    if (!shim.real) {
        shim.real = sqlite3_vfs_find(NULL);
        shim.vfs = *shim.real; /* what is not named below takes no part and works on either */
        shim.vfs.pNext = NULL;
        shim.vfs.zName = "faulty";
        shim.vfs.szOsFile = (int)sizeof(struct faulty_file) + shim.real->szOsFile;
        shim.vfs.xOpen = faulty_open;
        shim.vfs.xDelete = faulty_delete;
        shim.vfs.xAccess = faulty_access;
    }
    shim.count_reads = count_reads;
    sqlite3_vfs_register(&shim.vfs, 1);
}

void vfs_faulty_remove(void)
{
    if (shim.real)
        sqlite3_vfs_register(shim.real, 1);
}
