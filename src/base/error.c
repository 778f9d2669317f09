#include "base/error.h"

#undef error_set
#undef error_set_errno
#undef error_prefix
#undef error_hint
#undef error_recode

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const int exit_status[] = {
    [ERROR_NONE] = 0,       [ERROR_FAILED] = 1,        [ERROR_USAGE] = 2,
    [ERROR_NOT_FOUND] = 4,  [ERROR_DECLINED] = 5,      [ERROR_NO_REPOSITORY] = 10,
    [ERROR_LOCKED] = 11,    [ERROR_WRONG_KEY] = 12,    [ERROR_SOURCE] = 20,
    [ERROR_CORRUPT] = 21,   [ERROR_RESTORE] = 22,      [ERROR_STRANDED] = 23,
    [ERROR_UNHEALTHY] = 24, [ERROR_INTERRUPTED] = 130, [ERROR_NO_SPACE] = 1,
    [ERROR_PERMISSION] = 1, [ERROR_EXISTS] = 1,        [ERROR_TIMEOUT] = 1,
    [ERROR_CHANGED] = 20,
};

static enum error_code code_of_errno(enum error_code code, int sys)
{
    if (code != ERROR_FAILED)
        return code;
    switch (sys) {
    case ENOSPC:
    case EDQUOT:
        return ERROR_NO_SPACE;
    case EACCES:
    case EPERM:
    case EROFS:
        return ERROR_PERMISSION;
    case ENOENT:
        return ERROR_NOT_FOUND;
    case EEXIST:
        return ERROR_EXISTS;
    default:
        return code;
    }
}

int error_set(struct error *err, enum error_code code, const char *format, ...)
{
    if (!err)
        return -1;
    /* The arguments may point into the error that is being replaced: format into a copy. */
    char message[sizeof err->message];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);

    memcpy(err->message, message, sizeof message);
    err->code = code;
    err->sys = 0;
    err->hint[0] = '\0';
    return -1;
}

int error_set_errno(struct error *err, enum error_code code, int sys, const char *format, ...)
{
    if (!err)
        return -1;
    char message[sizeof err->message];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);

    char reason[128];
    error_set(err, code_of_errno(code, sys), "%s: %s", message,
              strerror_r(sys, reason, sizeof reason));
    err->sys = sys;
    return -1;
}

int error_prefix(struct error *err, const char *format, ...)
{
    if (!err)
        return -1;
    char prefix[sizeof err->message];
    va_list args;
    va_start(args, format);
    vsnprintf(prefix, sizeof prefix, format, args);
    va_end(args);

    size_t length = strlen(prefix);
    if (length + 3 >= sizeof err->message)
        return -1;
    size_t kept = strlen(err->message);
    if (kept > sizeof err->message - length - 3)
        kept = sizeof err->message - length - 3;
    memmove(err->message + length + 2, err->message, kept);
    memcpy(err->message, prefix, length);
    err->message[length] = ':';
    err->message[length + 1] = ' ';
    err->message[length + 2 + kept] = '\0';
    return -1;
}

int error_hint(struct error *err, const char *format, ...)
{
    if (!err)
        return -1;
    char hint[sizeof err->hint];
    va_list args;
    va_start(args, format);
    vsnprintf(hint, sizeof hint, format, args);
    va_end(args);
    memcpy(err->hint, hint, sizeof hint);
    return -1;
}

int error_recode(struct error *err, enum error_code code)
{
    if (err && err->code != ERROR_INTERRUPTED)
        err->code = code;
    return -1;
}

void error_clear(struct error *err)
{
    err->code = ERROR_NONE;
    err->sys = 0;
    err->message[0] = '\0';
    err->hint[0] = '\0';
}

int error_exit_status(enum error_code code)
{
    return exit_status[code];
}
