#include "migrate/create.h"

#include "base/error.h"
#include "base/file.h"
#include "base/moment.h"
#include "base/os.h"
#include "base/text.h"
#include "migrate/directive.h"
#include "migrate/folder.h"
#include "migrate/naming.h"

#include <fcntl.h>
#include <errno.h>
#include <string.h>
#include <time.h>

#define NAME_MAXIMUM 200
#define SECONDS_MAXIMUM 3600 /* that many files at once are a mistake */

/* "Add user indexes!" becomes "add_user_indexes"; letters beyond ASCII stay. */
static char *file_name(const char *name)
{
    struct buf text = BUF_INIT_MAX(NAME_MAXIMUM);
    for (const char *c = name; *c; c++) {
        char small = text_lower(*c);
        bool kept = (small >= 'a' && small <= 'z') || (small >= '0' && small <= '9') ||
                    (unsigned char)small >= 0x80;
        if (kept)
            buf_append_char(&text, small);
        else if (text.length && text.data[text.length - 1] != '_')
            buf_append_char(&text, '_');
    }
    while (text.length && text.data[text.length - 1] == '_')
        text.data[--text.length] = '\0';
    return buf_steal(&text);
}

static int on_name(void *context, const char *name, struct error *err)
{
    (void)err;
    text_list_add(context, name);
    return 0;
}

static bool is_taken(const struct text_list *names, const char *version)
{
    for (size_t i = 0; i < names->count; i++)
        if (text_starts(names->items[i], version))
            return true;
    return false;
}

static void format_version(int64_t moment_ns, char ret_version[static 20])
{
    time_t seconds = (time_t)(moment_ns / MOMENT_SECOND);
    struct tm parts;
    gmtime_r(&seconds, &parts);
    strftime(ret_version, 20, "%Y%m%d%H%M%S", &parts);
}

static char *template_text(const char *name, int64_t moment_ns, bool plain)
{
    char when[32];
    time_t seconds = (time_t)(moment_ns / MOMENT_SECOND);
    struct tm parts;
    gmtime_r(&seconds, &parts);
    strftime(when, sizeof when, "%Y-%m-%d %H:%M:%S", &parts);
    if (plain)
        return mem_format("-- %s\n-- Created: %s\n\n", name, when);
    return mem_format("-- +migrate Up\n-- %s\n-- Created: %s\n\n\n-- +migrate Down\n"
                      "-- Rollback for: %s\n\n",
                      name, when, name);
}

/* Is the file one of sqlx's: numbered, with no directive? 1, 0, or -1 when it is none of this kind
 * at all and proves nothing. */
static int looks_plain(struct os *os, const char *folder, const char *name)
{
    struct naming naming = {0};
    struct error ignored = ERROR_INIT;
    SCOPED(string) char *path = path_join(folder, name);
    SCOPED(buf) struct buf text = BUF_INIT_MAX(MIGRATION_FILE_MAXIMUM);
    if (!naming_parse(name, &naming))
        return -1;
    bool one_file = naming.kind == NAMING_ONE_FILE && !naming.loose;
    naming_clear(&naming);
    return one_file && file_read_all(os, path, &text, &ignored) == 0 &&
           directive_detect(text.data, text.length) == SYNTAX_PLAIN;
}

/* In a folder of sqlx's a file with directives would be of another tool. */
static bool is_plain_folder(struct os *os, const char *folder, const struct text_list *names)
{
    size_t plain = 0;
    for (size_t i = 0; i < names->count; i++) {
        int looks = looks_plain(os, folder, names->items[i]);
        if (looks == 0)
            return false;
        plain += looks > 0;
    }
    return plain > 1;
}

/* 1 written, 0 the name is taken, -1. */
static int write_new(struct os *os, const char *path, const char *text, struct error *err)
{
    int fd = os->openat(os, AT_FDCWD, path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (fd < 0 && errno == EEXIST)
        return 0;
    if (fd < 0)
        return error_set_errno(err, ERROR_FAILED, errno, "create %s", path);
    int result = file_write_all(os, fd, text, strlen(text), path, err);
    file_close(os, &fd);
    if (result == 0)
        return 1;
    file_remove(os, path, NULL);
    return -1;
}

/* A title stays on its line. */
static char *title_of(const char *name)
{
    char *title = mem_string(name);
    for (char *c = title; *c; c++)
        if ((unsigned char)*c < ' ')
            *c = ' ';
    return title;
}

int migration_create(struct os *os, const char *folder, const char *name, char **ret_path,
                     struct error *err)
{
    SCOPED(text_list) struct text_list names = TEXT_LIST_INIT;
    SCOPED(string) char *base = file_name(name);
    SCOPED(string) char *title = title_of(name);
    if (!*base)
        return error_set(err, ERROR_USAGE, "\"%s\" leaves nothing for a file name", name);
    if (folder_make(os, folder, 0755, err) < 0 || folder_list(os, folder, on_name, &names, err) < 0)
        return -1;
    bool plain = is_plain_folder(os, folder, &names);
    int64_t moment_ns = os->clock_wall_ns(os);
    for (int i = 0; i < SECONDS_MAXIMUM; i++, moment_ns += MOMENT_SECOND) {
        char version[20];
        format_version(moment_ns, version);
        SCOPED(string) char *file = mem_format("%s_%s.sql", version, base);
        SCOPED(string) char *path = path_join(folder, file);
        SCOPED(string) char *text = template_text(title, moment_ns, plain);
        int written = is_taken(&names, version) ? 0 : write_new(os, path, text, err);
        if (written < 0)
            return -1;
        if (written) {
            *ret_path = STEAL(path);
            return 0;
        }
    }
    return error_set(err, ERROR_FAILED, "%s has a migration for each second of the next hour",
                     folder);
}
