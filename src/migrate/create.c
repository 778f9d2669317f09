#include "migrate/create.h"

#include "base/error.h"
#include "base/file.h"
#include "base/moment.h"
#include "base/os.h"
#include "base/text.h"
#include "migrate/directive.h"
#include "migrate/folder.h"
#include "migrate/migration.h"
#include "migrate/naming.h"

#include <fcntl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
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

/* ---- whose files the folder has ---- */

/* How the next file of the folder is to look. */
struct form {
    bool flyway;
    bool pair;          /* one file for each way */
    bool own;           /* there is one of ours */
    bool plain;         /* no directives: sqlx */
    size_t bare;        /* files without any */
    enum syntax syntax; /* of the others */
    char last[24];      /* the highest version, as it is written */
    size_t files;
};

#define COUNTED_DIGITS 9 /* longer versions are moments */

static void note_version(struct form *form, const char *version)
{
    size_t digits = strspn(version, "0123456789");
    bool higher = !form->last[0] || migration_version_compare(version, form->last) > 0;
    if (digits && digits < sizeof form->last && higher)
        snprintf(form->last, sizeof form->last, "%.*s", (int)digits, version);
}

static void note_syntax(struct form *form, struct os *os, const char *path)
{
    struct error ignored = ERROR_INIT;
    SCOPED(buf) struct buf text = BUF_INIT_MAX(MIGRATION_FILE_MAXIMUM);
    if (file_read_all(os, path, &text, &ignored) < 0)
        return;
    enum syntax syntax = directive_detect(text.data, text.length);
    form->own |= syntax == SYNTAX_KEDGE;
    form->bare += syntax == SYNTAX_PLAIN;
    if (syntax == SYNTAX_GOOSE || syntax == SYNTAX_DBMATE)
        form->syntax = syntax;
}

static void note_file(struct form *form, struct os *os, const char *folder, const char *name)
{
    SCOPED(arena) struct arena memory = ARENA_INIT;
    struct naming naming = {0};
    SCOPED(string) char *path = path_join(folder, name);
    if (!naming_parse(name, &memory, &naming))
        return;
    form->files++;
    form->flyway |= naming.kind == NAMING_FLYWAY;
    form->pair |= naming.kind == NAMING_PAIR;
    if (!naming.repeatable)
        note_version(form, naming.version);
    if (naming.kind == NAMING_ONE_FILE)
        note_syntax(form, os, path);
}

/* A folder keeps to what is in it; with files of ours beside another tool's the next one is ours.
 */
static struct form form_of(struct os *os, const char *folder, const struct text_list *names)
{
    struct form form = {.syntax = SYNTAX_KEDGE};
    for (size_t i = 0; i < names->count; i++)
        note_file(&form, os, folder, names->items[i]);
    form.plain = form.bare > 1 && form.bare == form.files;
    if (form.own) {
        form.flyway = false;
        form.pair = false;
        form.syntax = SYNTAX_KEDGE;
    }
    return form;
}

/* Are the versions counted, 00001, 00002, rather than moments? */
static bool is_counted(const struct form *form)
{
    bool dated_tool = !form->flyway && !form->pair && form->syntax == SYNTAX_DBMATE;
    return form->last[0] && strlen(form->last) <= COUNTED_DIGITS && !dated_tool && !form->plain;
}

/* ---- texts ---- */

static char *template_text(const char *name, int64_t moment_ns, const struct form *form)
{
    char when[32];
    time_t seconds = (time_t)(moment_ns / MOMENT_SECOND);
    struct tm parts;
    gmtime_r(&seconds, &parts);
    strftime(when, sizeof when, "%Y-%m-%d %H:%M:%S", &parts);
    if (form->plain || form->pair || form->flyway)
        return mem_format("-- %s\n-- Created: %s\n\n", name, when);
    if (form->syntax == SYNTAX_GOOSE)
        return mem_format("-- +goose Up\n-- %s\n\n\n-- +goose Down\n\n", name);
    if (form->syntax == SYNTAX_DBMATE)
        return mem_format("-- migrate:up\n-- %s\n\n\n-- migrate:down\n\n", name);
    return mem_format("-- +migrate Up\n-- %s\n-- Created: %s\n\n\n-- +migrate Down\n"
                      "-- Rollback for: %s\n\n",
                      name, when, name);
}

static char *file_of(const struct form *form, const char *version, const char *base, bool down)
{
    if (form->flyway)
        return mem_format("V%s__%s.sql", version, base);
    return mem_format("%s_%s%s.sql", version, base, !form->pair ? "" : down ? ".down" : ".up");
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

/* One file, or one for each way: 1 and the path of the first, 0 when the name is taken, -1. */
static int write_files(struct os *os, const char *folder, const struct form *form,
                       const char *version, const char *base, const char *title, char **ret_path,
                       struct error *err)
{
    SCOPED(string) char *text = template_text(title, os->clock_wall_ns(os), form);
    SCOPED(string) char *file = file_of(form, version, base, false);
    SCOPED(string) char *path = path_join(folder, file);
    int written = write_new(os, path, text, err);
    if (written == 1 && form->pair) {
        SCOPED(string) char *back = file_of(form, version, base, true);
        SCOPED(string) char *back_path = path_join(folder, back);
        if (write_new(os, back_path, text, err) < 0)
            return -1;
    }
    if (written == 1)
        *ret_path = STEAL(path);
    return written;
}

/* Would the comment divide the file, for us or for another tool? */
static bool is_directive(const char *title)
{
    SCOPED(string) char *comment = mem_format("-- %s", title);
    return directive_detect(comment, strlen(comment)) != SYNTAX_PLAIN ||
           directive_announces(comment, strlen(comment)) != DIRECTIVE_NONE ||
           text_starts(title, "no-transaction");
}

/* A title stays on its line, and a comment. */
static char *title_of(const char *name)
{
    SCOPED(string) char *title = mem_string(name);
    for (char *c = title; *c; c++)
        if ((unsigned char)*c < ' ')
            *c = ' ';
    return is_directive(title) ? mem_format("Name: %s", title) : STEAL(title);
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
    const struct form form = form_of(os, folder, &names);
    int64_t moment_ns = os->clock_wall_ns(os);
    for (int i = 0; i < SECONDS_MAXIMUM; i++, moment_ns += MOMENT_SECOND) {
        char version[20];
        if (is_counted(&form))
            snprintf(version, sizeof version, "%0*ld", form.flyway ? 1 : (int)strlen(form.last),
                     strtol(form.last, NULL, 10) + i + 1);
        else
            format_version(moment_ns, version);
        int written = is_taken(&names, version)
                          ? 0
                          : write_files(os, folder, &form, version, base, title, ret_path, err);
        if (written != 0)
            return written < 0 ? -1 : 0;
    }
    return error_set(err, ERROR_FAILED, "%s has a migration for each second of the next hour",
                     folder);
}
