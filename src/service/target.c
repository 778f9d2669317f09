#include "service/target.h"

#include "base/error.h"
#include "base/file.h"
#include "base/os.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

void target_clear(struct target *target)
{
    free(target->name);
    free(target->app);
    db_url_clear(&target->url);
    text_list_clear(&target->paths);
    text_list_clear(&target->configuration);
    text_list_clear(&target->exclude);
    text_list_clear(&target->exclude_tables);
    text_list_clear(&target->destinations);
    text_list_clear(&target->encrypt);
    free(target->compress);
    free(target->environment);
    *target = (struct target){.retention_days = -1};
}

void destination_clear(struct destination *destination)
{
    free(destination->name);
    free(destination->url);
    free(destination->access_key);
    if (destination->secret_key)
        mem_wipe(destination->secret_key, strlen(destination->secret_key));
    free(destination->secret_key);
    free(destination->region);
    free(destination->endpoint);
    *destination = (struct destination){0};
}

char *target_identity(const struct target *target)
{
    return target->has_database ? db_url_display(&target->url)
                                : mem_format("files:%s", target->name);
}

/* The name without folder and without an ending that only says what kind of file it is. */
static char *name_of_path(const char *path)
{
    static const char *const endings[] = {".db", ".sqlite", ".sqlite3"};
    SCOPED(string) char *trimmed = mem_string(path);
    size_t length = strlen(trimmed);
    while (length > 1 && trimmed[length - 1] == '/')
        trimmed[--length] = '\0';
    const char *base = path_base(trimmed);
    /* "." and ".." are no names. */
    char *real = strcmp(base, ".") == 0 || strcmp(base, "..") == 0 ? realpath(trimmed, NULL) : NULL;
    if (real) {
        free(trimmed);
        trimmed = real;
        base = path_base(trimmed);
    }
    for (size_t i = 0; i < ARRAY_SIZE(endings); i++)
        if (text_ends(base, endings[i]) && strlen(base) > strlen(endings[i]))
            return mem_string_n(base, strlen(base) - strlen(endings[i]));
    return mem_string(base[0] ? base : "root");
}

static int from_url(const char *argument, struct target *target, struct error *err)
{
    if (db_url_parse(argument, &target->url, err) < 0)
        return -1;
    target->has_database = true;
    if (target->url.engine != DB_SQLITE) {
        target->name = mem_string(target->url.database ? target->url.database
                                                       : db_engine_name(target->url.engine));
        return 0;
    }
    SCOPED(string) char *absolute = path_absolute(target->url.database);
    free(target->url.database);
    target->url.database = STEAL(absolute);
    target->name = name_of_path(target->url.database);
    return 0;
}

/* A database, by its first bytes; an empty file is one when its name says so (SQLite makes them
 * that way). */
static int is_sqlite_file(struct os *os, const char *path, const struct stat *there,
                          struct error *err)
{
    if (there->st_size == 0)
        return text_ends(path, ".db") || text_ends(path, ".sqlite") || text_ends(path, ".sqlite3");
    char head[16] = "";
    size_t size = 0;
    int fd = file_open(os, path, O_RDONLY | O_NOCTTY | O_NONBLOCK, 0, err);
    if (fd < 0)
        return -1;
    int result = file_pread(os, fd, head, sizeof head, 0, &size, path, err);
    file_close(os, &fd);
    if (result < 0)
        return -1;
    return size == sizeof head && memcmp(head, "SQLite format 3", sizeof head) == 0;
}

static int from_path(struct os *os, const char *argument, struct target *target, struct error *err)
{
    struct stat there;
    int found = file_stat(os, argument, &there, err);
    if (found < 0)
        return -1;
    if (!found) {
        /* What is no path either may hold a password, which the message would repeat. */
        SCOPED(db_url) struct db_url url = DB_URL_INIT;
        if (db_url_parse(argument, &url, err) < 0)
            return -1;
        error_set(err, ERROR_NOT_FOUND, "no target, database or folder named %s", argument);
        return error_hint(err, "a target is a name from the configuration, a database URL, a "
                               "SQLite file or a folder");
    }
    SCOPED(string) char *absolute = path_absolute(argument);
    target->name = name_of_path(absolute);
    if (S_ISREG(there.st_mode)) {
        int sqlite = is_sqlite_file(os, absolute, &there, err);
        if (sqlite < 0)
            return -1;
        if (sqlite) {
            target->has_database = true;
            target->url.engine = DB_SQLITE;
            target->url.database = STEAL(absolute);
            return 0;
        }
    }
    text_list_add(&target->paths, absolute);
    return 0;
}

int target_from_argument(struct os *os, const char *argument, struct target *ret_target,
                         struct error *err)
{
    struct target target = {.retention_days = -1};
    int result = db_url_is(argument) ? from_url(argument, &target, err)
                                     : from_path(os, argument, &target, err);
    if (result < 0) {
        target_clear(&target);
        return -1;
    }
    *ret_target = target;
    return 0;
}
