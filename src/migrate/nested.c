#include "migrate/nested.h"

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"

#include <string.h>

void nested_note(struct nested *nested, const char *path, bool numbered)
{
    const char *name = path_base(path);
    enum nested_kind kind = NESTED_OTHER;
    if (strcmp(name, "up.sql") == 0)
        kind = NESTED_DIESEL;
    else if (strcmp(name, "migration.sql") == 0)
        kind = NESTED_PRISMA;
    else if (!numbered)
        return;
    if (nested->count[kind]++ == 0 || strcmp(path, nested->first[kind]) < 0)
        nested->first[kind] = path;
}

static int refuse(const char *folder, const char *tool, const char *path, struct error *err)
{
    return error_set(err, ERROR_USAGE,
                     "%s has a folder for each migration, as %s has them, which kedge does not "
                     "read: %s",
                     folder, tool, path);
}

int nested_check(const struct nested *nested, const char *folder, struct text_list *warnings,
                 struct error *err)
{
    if (nested->count[NESTED_DIESEL]) {
        refuse(folder, "Diesel", nested->first[NESTED_DIESEL], err);
        return error_hint(err,
                          "make one file of each, YYYYMMDDHHMMSS_name.sql, with the text of "
                          "up.sql below a line -- +migrate Up and that of down.sql below "
                          "-- +migrate Down; then kedge migrate import takes the history over");
    }
    if (nested->count[NESTED_PRISMA]) {
        refuse(folder, "Prisma", nested->first[NESTED_PRISMA], err);
        return error_hint(err, "make one file of each, YYYYMMDDHHMMSS_name.sql, with the text of "
                               "migration.sql below a line -- +migrate Up; then kedge migrate "
                               "baseline VERSION marks those that the database has already");
    }
    size_t count = nested->count[NESTED_OTHER];
    if (!count || !warnings)
        return 0;
    const char *first = nested->first[NESTED_OTHER];
    SCOPED(string)
    char *more = count == 1 ? mem_string("") : mem_format(" and %zu more", count - 1);
    text_list_give(warnings, mem_format("%s%s is passed over: it lies in a folder within %s, and "
                                        "--migrations names the folder that is read",
                                        first, more, folder));
    return 0;
}
