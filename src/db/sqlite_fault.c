#include "db/sqlite_fault.h"

#include "base/error.h"
#include "db/db.h"

#include <errno.h>
#include <sqlite3.h>

static enum error_code code_of(int code, int sys)
{
    if (sys == ENOSPC || sys == EDQUOT)
        return ERROR_NO_SPACE;
    switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return ERROR_LOCKED;
    case SQLITE_FULL:
        return ERROR_NO_SPACE;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return ERROR_CORRUPT;
    case SQLITE_PERM:
    case SQLITE_READONLY:
    case SQLITE_AUTH:
        return ERROR_PERMISSION;
    case SQLITE_CANTOPEN:
        return sys == EACCES ? ERROR_PERMISSION : ERROR_FAILED;
    case SQLITE_INTERRUPT:
        return ERROR_INTERRUPTED;
    case SQLITE_CONSTRAINT:
        return code == SQLITE_CONSTRAINT_UNIQUE || code == SQLITE_CONSTRAINT_PRIMARYKEY
                   ? ERROR_EXISTS
                   : ERROR_FAILED;
    default:
        return ERROR_FAILED;
    }
}

int sqlite_raise(sqlite3 *handle, int code, const char *path, struct db_fault *ret_fault,
                 struct error *err)
{
    if (handle && sqlite3_extended_errcode(handle) != SQLITE_OK)
        code = sqlite3_extended_errcode(handle);
    int sys = handle ? sqlite3_system_errno(handle) : 0;
    int primary = code & 0xff;
    if (ret_fault)
        *ret_fault = (struct db_fault){
            .native_code = code,
            .lock_timeout = primary == SQLITE_BUSY || primary == SQLITE_LOCKED,
        };
    error_set(err, code_of(code, sys), "%s: %s", path,
              handle ? sqlite3_errmsg(handle) : sqlite3_errstr(code));
    if (err && (primary == SQLITE_IOERR || primary == SQLITE_CANTOPEN))
        err->sys = sys;
    return -1;
}
