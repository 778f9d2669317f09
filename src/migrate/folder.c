#include "migrate/folder.h"

#include "base/error.h"
#include "base/file.h"
#include "migrate/envsub.h"
#include "migrate/file.h"

#include <stdlib.h>
#include <string.h>

#define VERSION_DIGITS 14 /* YYYYMMDDHHMMSS */

enum naming { NAMING_NONE, NAMING_ONE_FILE, NAMING_PAIR, NAMING_FLYWAY };

/* A file of the folder. */
struct entry {
    enum naming naming;
    enum direction direction;
    char *version;
    char *name;
    char *path;
    struct buf text;
    enum syntax syntax;
};

struct listing {
    const struct migration_folder *folder;
    struct text_list *warnings;
    struct entry *items;
    size_t count;
    size_t capacity;
};

static void warn(const struct listing *listing, const char *name, const char *why)
{
    if (listing->warnings)
        text_list_give(listing->warnings,
                       mem_format("%s/%s is passed over: %s", listing->folder->path, name, why));
}

/* What editors, version control and systems leave behind. */
static bool is_dropping(const char *name)
{
    static const char *const endings[] = {"~", ".swp", ".swo", ".tmp", ".bak", ".orig", ".rej"};
    if (name[0] == '.' || name[0] == '#')
        return true;
    for (size_t i = 0; i < ARRAY_SIZE(endings); i++)
        if (text_ends(name, endings[i]))
            return true;
    return strcmp(name, "Thumbs.db") == 0 || text_ends(name, ".md");
}

/* V1.2__name.sql, and U1.2__name.sql for the way back. */
static bool name_flyway(const char *name, struct entry *entry)
{
    size_t size = strspn(name + 1, "0123456789._");
    const char *separator = strstr(name, "__");
    if ((name[0] != 'V' && name[0] != 'U') || !size || !separator || separator == name + 1 ||
        separator > name + 1 + size)
        return false;
    entry->naming = NAMING_FLYWAY;
    entry->direction = name[0] == 'V' ? MIGRATE_UP : MIGRATE_DOWN;
    entry->version = mem_string_n(name + 1, (size_t)(separator - name - 1));
    for (char *c = entry->version; *c; c++)
        if (*c == '_')
            *c = '.';
    entry->name = mem_string_n(separator + 2, strlen(separator + 2) - strlen(".sql"));
    return true;
}

static bool name_numbered(const char *name, struct entry *entry)
{
    static const char *const endings[] = {".up.sql", ".down.sql", ".sql"};
    static const enum naming namings[] = {NAMING_PAIR, NAMING_PAIR, NAMING_ONE_FILE};
    size_t digits = strspn(name, "0123456789");
    if (!digits || digits > 20 || name[digits] != '_')
        return false;
    size_t i = 0;
    while (i < ARRAY_SIZE(endings) - 1 && !text_ends(name, endings[i]))
        i++;
    size_t size = strlen(name) - strlen(endings[i]);
    if (size <= digits + 1)
        return false;
    entry->naming = namings[i];
    entry->direction = i == 1 ? MIGRATE_DOWN : MIGRATE_UP;
    entry->version = mem_string_n(name, digits);
    entry->name = mem_string_n(name + digits + 1, size - digits - 1);
    return true;
}

static int on_name(void *context, const char *name, struct error *err)
{
    struct listing *listing = context;
    struct entry entry = {.naming = NAMING_NONE, .text = BUF_INIT_MAX(MIGRATION_FILE_MAXIMUM)};
    if (is_dropping(name))
        return 0;
    SCOPED(string) char *path = path_join(listing->folder->path, name);
    struct stat info;
    int there = file_stat(listing->folder->os, path, &info, err);
    if (there <= 0 || S_ISDIR(info.st_mode))
        return there < 0 ? -1 : 0;
    if (!text_ends(name, ".sql") || (!name_flyway(name, &entry) && !name_numbered(name, &entry))) {
        warn(listing, name, "its name is not YYYYMMDDHHMMSS_name.sql");
        return 0;
    }
    entry.path = STEAL(path);
    ARRAY_GROW(listing->items, listing->count, listing->capacity);
    listing->items[listing->count++] = entry;
    return 0;
}

static void listing_clear(struct listing *listing)
{
    for (size_t i = 0; i < listing->count; i++) {
        struct entry *entry = &listing->items[i];
        free(entry->version);
        free(entry->name);
        free(entry->path);
        buf_clear(&entry->text);
    }
    free(listing->items);
}

static int compare_entries(const void *a, const void *b)
{
    const struct entry *left = a;
    const struct entry *right = b;
    return strcmp(left->path, right->path);
}

static const char *environment(const char *name)
{
    return getenv(name);
}

static int read_texts(struct listing *listing, struct error *err)
{
    for (size_t i = 0; i < listing->count; i++) {
        struct entry *entry = &listing->items[i];
        if (file_read_all(listing->folder->os, entry->path, &entry->text, err) < 0)
            return -1;
        entry->syntax = directive_detect(entry->text.data, entry->text.length);
        if (entry->syntax != SYNTAX_GOOSE || !strstr(entry->text.data, "ENVSUB"))
            continue;
        struct buf replaced = BUF_INIT;
        int result = envsub_append(&replaced, entry->text.data, entry->text.length, entry->path,
                                   environment, err);
        buf_clear(&entry->text);
        entry->text = replaced;
        if (result < 0)
            return -1;
    }
    return 0;
}

/* sqlx has single files with no directive at all. One such file among ours is a mistake; a whole
 * folder of them is sqlx's. */
static bool is_sqlx(const struct listing *listing)
{
    size_t bare = 0;
    bool sure = false;
    for (size_t i = 0; i < listing->count; i++) {
        const struct entry *entry = &listing->items[i];
        if (entry->naming != NAMING_ONE_FILE || entry->syntax != SYNTAX_PLAIN)
            return false;
        sure |= text_starts(entry->text.data, "-- no-transaction") ||
                strlen(entry->version) != VERSION_DIGITS;
        bare += entry->text.length > 0;
    }
    return sure || (bare > 1 && bare == listing->count);
}

/* The syntax to read the file with. False when its name does not fit what it says. */
static bool choose_syntax(const struct entry *entry, bool sqlx, enum syntax *ret_syntax)
{
    *ret_syntax = entry->syntax;
    if (entry->naming == NAMING_PAIR || entry->naming == NAMING_FLYWAY || sqlx)
        *ret_syntax = SYNTAX_PLAIN;
    else if (entry->syntax == SYNTAX_PLAIN)
        *ret_syntax = SYNTAX_KEDGE;
    return *ret_syntax != SYNTAX_KEDGE || strlen(entry->version) == VERSION_DIGITS;
}

/* The other half of a pair: the same version and name. */
static struct migration *find_pair(const struct migration_set *set, const struct entry *entry)
{
    if (entry->naming == NAMING_ONE_FILE)
        return NULL;
    struct migration *migration = migration_set_find(set, entry->version);
    bool same = migration && strcmp(migration->version, entry->version) == 0 &&
                !migration->parts[entry->direction].exists;
    return same ? migration : NULL;
}

static int read_entry(struct listing *listing, const struct entry *entry, bool sqlx,
                      struct migration_set *set, struct error *err)
{
    enum syntax syntax = SYNTAX_KEDGE;
    if (!choose_syntax(entry, sqlx, &syntax)) {
        warn(listing, path_base(entry->path), "its version does not have 14 digits");
        return 0;
    }
    struct migration *migration = find_pair(set, entry);
    if (!migration) {
        migration = migration_new(entry->version, entry->name);
        migration->detects_outside = entry->naming == NAMING_FLYWAY || entry->naming == NAMING_PAIR;
        migration_set_give(set, migration);
    }
    const struct migration_text text = {
        .text = entry->text.data,
        .size = entry->text.length,
        .path = entry->path,
        .dialect = listing->folder->dialect,
        .syntax = syntax,
        .direction = entry->direction,
    };
    return migration_read(migration, &text, err);
}

/* A way back without a way there. */
static int check_pairs(const struct migration_set *set, struct error *err)
{
    for (size_t i = 0; i < set->count; i++) {
        const struct migration *migration = set->items[i];
        if (!migration->parts[MIGRATE_UP].exists && migration->parts[MIGRATE_DOWN].exists)
            return error_set(err, ERROR_FAILED, "%s: there is no file for the way up",
                             migration->parts[MIGRATE_DOWN].path);
    }
    return 0;
}

static int read_listing(struct listing *listing, struct migration_set *set, struct error *err)
{
    if (folder_list(listing->folder->os, listing->folder->path, on_name, listing, err) < 0 ||
        read_texts(listing, err) < 0)
        return -1;
    if (listing->count > 1)
        qsort(listing->items, listing->count, sizeof *listing->items, compare_entries);
    bool sqlx = is_sqlx(listing);
    for (size_t i = 0; i < listing->count; i++)
        if (read_entry(listing, &listing->items[i], sqlx, set, err) < 0)
            return -1;
    return check_pairs(set, err);
}

int migration_folder_read(const struct migration_folder *folder, struct migration_set *set,
                          struct text_list *warnings, struct error *err)
{
    struct listing listing = {.folder = folder, .warnings = warnings};
    int result = read_listing(&listing, set, err);
    listing_clear(&listing);
    return result;
}
