#include "service/restore_choice.h"

#include "artifact/name.h"
#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "db/url.h"
#include "service/lookup.h"
#include "service/restore_request.h"

#include <string.h>

static const char *type_of(const char *file)
{
    return text_equal(artifact_name_kind(file), "tar") ? RESTORE_FILES : RESTORE_DATABASE;
}

static const char *other(const char *type)
{
    return strcmp(type, RESTORE_FILES) == 0 ? RESTORE_DATABASE : RESTORE_FILES;
}

/* ---- what the options mean ---- */

/* Of a name that nothing has yet only the ending tells. */
static int type_of_place(struct os *os, const char *to, const char **ret_type, struct error *err)
{
    struct stat there;
    if (db_url_is(to)) {
        *ret_type = RESTORE_DATABASE;
        return 0;
    }
    int found = file_stat(os, to, &there, err);
    if (found < 0)
        return -1;
    bool database =
        found ? !S_ISDIR(there.st_mode)
              : text_ends(to, ".db") || text_ends(to, ".sqlite") || text_ends(to, ".sqlite3");
    if (!found && !database && !text_ends(to, "/")) {
        error_set(err, ERROR_USAGE, "%s is not there: is it to be a database or a folder?", to);
        return error_hint(err, "say --type database or --type files; each part of a full backup "
                               "goes to a place of its own");
    }
    *ret_type = database ? RESTORE_DATABASE : RESTORE_FILES;
    return 0;
}

struct meaning {
    const char *option; /* that implies ... */
    const char *type;   /* ... this part */
};

/* What is said last must not contradict what was said before. */
static int mean(struct meaning *meaning, const char *option, const char *type, struct error *err)
{
    if (meaning->type && strcmp(meaning->type, type) != 0) {
        error_set(err, ERROR_USAGE, "%s is about the %s of a backup, and %s about the %s",
                  meaning->option, meaning->type, option, type);
        return error_hint(err, "restore the two parts one after the other");
    }
    *meaning = (struct meaning){option, type};
    return 0;
}

/* NULL: both. */
static int find_meaning(struct os *os, const struct restore_request *request,
                        const struct located *located, struct meaning *meaning, struct error *err)
{
    const char *place = NULL;
    bool chosen = request->type && strcmp(request->type, "full") != 0;
    if (located->named && mean(meaning, located->named, type_of(located->named), err) < 0)
        return -1;
    if (chosen && mean(meaning, "--type", request->type, err) < 0)
        return -1;
    if (request->tables.count && mean(meaning, "--table", RESTORE_DATABASE, err) < 0)
        return -1;
    if (request->include.count && mean(meaning, "--include", RESTORE_FILES, err) < 0)
        return -1;
    if (request->leaves_out && mean(meaning, "--exclude", RESTORE_FILES, err) < 0)
        return -1;
    /* Trees go back to where they were, whatever the connection. */
    if (request->connection && mean(meaning, "--connection", RESTORE_DATABASE, err) < 0)
        return -1;
    if (!request->to || meaning->type)
        return 0;
    if (type_of_place(os, request->to, &place, err) < 0)
        return -1;
    return mean(meaning, "--to", place, err);
}

/* ---- what the backup has ---- */

static int choose_only(const struct restore_request *request, const struct located *located,
                       struct restore_choice *choice, struct error *err)
{
    const char *type = type_of(located->file);
    if (request->type && strcmp(request->type, type) != 0)
        return error_set(err, ERROR_USAGE, "--type %s: %s holds %s", request->type, located->file,
                         strcmp(type, RESTORE_FILES) == 0 ? "files only" : "a database only");
    *choice = (struct restore_choice){.files = {located->file}, .count = 1};
    return 0;
}

int restore_choose(struct os *os, const struct restore_request *request,
                   const struct located *located, struct restore_choice *ret_choice,
                   struct error *err)
{
    struct meaning meaning = {0};
    if (!located->second)
        return choose_only(request, located, ret_choice, err);
    if (find_meaning(os, request, located, &meaning, err) < 0)
        return -1;
    bool first = strcmp(type_of(located->file), RESTORE_DATABASE) == 0;
    const char *database = first ? located->file : located->second;
    const char *files = first ? located->second : located->file;
    if (!meaning.type) {
        *ret_choice = (struct restore_choice){.files = {database, files}, .count = 2};
        return 0;
    }
    if (text_equal(request->type, "full"))
        return error_set(err, ERROR_USAGE, "--type full is both parts, and %s is about the %s only",
                         meaning.option, meaning.type);
    bool only_files = strcmp(meaning.type, RESTORE_FILES) == 0;
    *ret_choice = (struct restore_choice){
        .files = {only_files ? files : database}, .count = 1, .left_out = other(meaning.type)};
    return 0;
}
