#include "crypto/secret.h"

#include "base/error.h"
#include "base/file.h"
#include "base/os.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Guarded memory first (its own pages, kept out of swap and core files); where the limit on locked
 * memory or on mappings forbids it, ordinary memory that is wiped. Which one it was stands before
 * the data, so that it goes back the way it came. */
struct room {
    size_t size; /* of the data and its NUL */
    bool guarded;
    char data[];
};

static struct room *room_of(const struct secret *secret)
{
    return (struct room *)(void *)(secret->data - offsetof(struct room, data));
}

void secret_reserve(struct secret *secret, size_t size)
{
    secret_clear(secret);
    size_t whole = sizeof(struct room) + size + 1;
    /* Guarded memory ends at a page, so its start is aligned only if its size is. */
    whole = (whole + _Alignof(struct room) - 1) / _Alignof(struct room) * _Alignof(struct room);
    struct room *room = sodium_init() < 0 ? NULL : sodium_malloc(whole);
    bool guarded = room != NULL;
    if (!room)
        room = mem_alloc(1, whole);
    memset(room, 0, whole);
    room->size = whole - sizeof *room;
    room->guarded = guarded;
    secret->data = room->data;
    secret->length = size;
}

void secret_set(struct secret *secret, const void *data, size_t size)
{
    struct secret fresh = SECRET_INIT;
    secret_reserve(&fresh, size);
    if (size)
        memcpy(fresh.data, data, size);
    secret_clear(secret);
    *secret = fresh;
}

const char *secret_text(const struct secret *secret)
{
    return secret->data ? secret->data : "";
}

void secret_clear(struct secret *secret)
{
    if (!secret->data)
        return;
    struct room *room = room_of(secret);
    if (room->guarded) {
        sodium_free(room); /* wipes */
    } else {
        mem_wipe(room->data, room->size);
        mem_free(room);
    }
    *secret = (struct secret)SECRET_INIT;
}

void secret_list_clear(struct text_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        mem_wipe(list->items[i], strlen(list->items[i]));
    text_list_clear(list);
}

/* ---- files ---- */

static int refuse(const char *path, const char *why, struct error *err)
{
    error_set(err, ERROR_PERMISSION, "%s %s", path, why);
    return error_hint(err, "chmod 600 %s, and let it belong to the user that runs kedge", path);
}

static int check_access(const struct stat *there, const char *path, struct error *err)
{
    if (S_ISDIR(there->st_mode))
        return error_set(err, ERROR_USAGE, "%s is a folder, not a file", path);
    if (!S_ISREG(there->st_mode))
        return 0;
    if (there->st_uid != geteuid() && there->st_uid != 0)
        return refuse(path, "belongs to another user", err);
    if (there->st_mode & (S_IWGRP | S_IWOTH))
        return refuse(path, "can be changed by others", err);
    if (text_starts(path, "/run/secrets/") && there->st_uid == 0)
        return 0;
    mode_t closed = there->st_uid == 0 && geteuid() != 0 ? S_IRWXO : S_IRWXG | S_IRWXO;
    if (there->st_mode & closed)
        return refuse(path, "can be read by others", err);
    return 0;
}

/* Up to size bytes; a pipe gives them in pieces. */
static int read_up_to(struct os *os, int fd, const char *name, char *data, size_t size,
                      size_t *ret_size, struct error *err)
{
    size_t total = 0;
    while (total < size) {
        ssize_t got = os->read(os, fd, data + total, size - total);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return error_set_errno(err, ERROR_FAILED, errno, "read %s", name);
        if (got == 0)
            break;
        total += (size_t)got;
    }
    *ret_size = total;
    return 0;
}

int secret_read_descriptor(struct os *os, int fd, const char *name, size_t maximum,
                           struct secret *ret_secret, struct error *err)
{
    struct stat there;
    if (os->fstat(os, fd, &there) < 0)
        return error_set_errno(err, ERROR_FAILED, errno, "look at %s", name);
    if (check_access(&there, name, err) < 0)
        return -1;
    SCOPED(secret) struct secret room = SECRET_INIT;
    secret_reserve(&room, maximum + 1);
    size_t size = 0;
    if (read_up_to(os, fd, name, room.data, maximum + 1, &size, err) < 0)
        return -1;
    if (size > maximum)
        return error_set(err, ERROR_USAGE, "%s is longer than %zu bytes", name, maximum);
    secret_set(ret_secret, room.data, size);
    return 0;
}

int secret_read_file(struct os *os, const char *path, size_t maximum, struct secret *ret_secret,
                     struct error *err)
{
    int fd = file_open(os, path, O_RDONLY | O_NOCTTY, 0, err);
    if (fd < 0)
        return -1;
    int result = secret_read_descriptor(os, fd, path, maximum, ret_secret, err);
    file_close(os, &fd);
    return result;
}

int secret_read_passphrase(struct os *os, const char *path, struct secret *ret_secret,
                           struct error *err)
{
    SCOPED(secret) struct secret content = SECRET_INIT;
    if (secret_read_file(os, path, SECRET_MAXIMUM, &content, err) < 0)
        return error_prefix(err, "passphrase file");
    const char *data = content.data;
    size_t length = content.length;
    if (length && data[length - 1] == '\n')
        length--;
    if (length && data[length - 1] == '\r')
        length--;
    if (length == 0)
        return error_set(err, ERROR_USAGE, "passphrase file %s is empty", path);
    if (memchr(data, '\n', length) || memchr(data, '\0', length))
        return error_set(err, ERROR_USAGE, "passphrase file %s is not one line of text", path);
    secret_set(ret_secret, data, length);
    return 0;
}
