#include "migrate/folder.h"

#include "base/error.h"
#include "base/file.h"
#include "migrate/envsub.h"
#include "migrate/file.h"
#include "migrate/folder_walk.h"
#include "migrate/naming.h"
#include "migrate/nested.h"
#include "migrate/parallel.h"
#include "migrate/placeholder.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#define VERSION_DIGITS 14       /* YYYYMMDDHHMMSS */
#define SHORT_VERSION_DIGITS 11 /* up to here a version cannot be meant as such a moment */

/* Whose file it is. */
enum layout {
    LAYOUT_KEDGE, /* and sql-migrate */
    LAYOUT_BARE,  /* one file, no directive: sqlx, or one of ours that lacks it */
    LAYOUT_GOOSE,
    LAYOUT_DBMATE,
    LAYOUT_PAIR,
    LAYOUT_FLYWAY,
    LAYOUT_COUNT,
};

static const char *const layout_tools[] = {
    [LAYOUT_KEDGE] = "kedge",   [LAYOUT_BARE] = "sqlx",           [LAYOUT_GOOSE] = "goose",
    [LAYOUT_DBMATE] = "dbmate", [LAYOUT_PAIR] = "golang-migrate", [LAYOUT_FLYWAY] = "Flyway",
};

/* A file of the folder. */
struct entry {
    struct naming naming;
    const char *path; /* in the memory of the set */
    const char *from; /* the same, from the folder on */
    const char *text;
    size_t size;
    enum layout layout;
    bool outside; /* its .conf file says so */
    enum syntax syntax;
    struct migration *migration; /* NULL: it is passed over */
};

/* What each thread has for itself. */
struct worker {
    struct buf text;     /* of the file that is being read */
    struct arena texts;  /* of all that it has read */
    struct arena memory; /* for the set */
    struct migration_reader *reader;
};

struct listing {
    const struct migration_folder *folder;
    struct migration_set *set;
    struct worker workers[PARALLEL_THREADS];
    struct text_list *warnings;
    struct entry *items;
    size_t count;
    size_t capacity;
    int fd;                                  /* the folder that is read */
    const struct entry *first[LAYOUT_COUNT]; /* an example of each layout there is */
    bool sqlx;                               /* the bare files are its */
    size_t php;                              /* files of Laravel's own */
    const char *first_php;                   /* by name */
    struct folder_walk walk;
    struct nested nested; /* files that are not looked for */
    bool any_version;     /* versions need not be moments: sql-migrate's */
};

static void warn(const struct listing *listing, const char *path, const char *why)
{
    if (listing->warnings)
        text_list_give(listing->warnings, mem_format("%s is passed over: %s", path, why));
}

/* ---- names ---- */

static const char *why_no_migration(const char *name)
{
    if (text_ends(name, ".go"))
        return "kedge does not run migrations that are Go programs";
    return "its name is not YYYYMMDDHHMMSS_name.sql";
}

/* Is the name that of a migration, but for a mistake? A database or a picture beside them is none.
 */
static bool nearly_fits(const char *name)
{
    return strcasestr(name, ".sql") || text_ends(name, ".go") || text_ends(name, ".php") ||
           (*name >= '0' && *name <= '9');
}

/* A folder of Laravel's holds nothing else: they are told in one line. */
static void count_php(struct listing *listing, const char *path)
{
    if (listing->php++ == 0 || strcmp(path, listing->first_php) < 0)
        listing->first_php = path;
}

static void warn_of_php(const struct listing *listing)
{
    static const char why[] = "kedge does not run migrations that are PHP programs";
    if (!listing->warnings || !listing->php)
        return;
    if (listing->php == 1)
        warn(listing, listing->first_php, why);
    else
        text_list_give(listing->warnings, mem_format("%s and %zu more are passed over: %s",
                                                     listing->first_php, listing->php - 1, why));
}

static void on_odd(void *context, const char *path, enum folder_odd odd)
{
    static const char *const why[] = {
        [FOLDER_ODD_NOWHERE] = "the link leads nowhere",
        [FOLDER_ODD_ITSELF] = "the link leads to itself",
        [FOLDER_ODD_BACK] = "it leads back to a folder that it is in",
        [FOLDER_ODD_NO_FILE] = "it is no file",
    };
    if (odd == FOLDER_ODD_ITSELF || odd == FOLDER_ODD_BACK || nearly_fits(path_base(path)))
        warn(context, path, why[odd]);
}

static void note_stranger(struct listing *listing, const char *path)
{
    if (text_ends(path, ".php"))
        count_php(listing, path);
    else if (nearly_fits(path_base(path)))
        warn(listing, path, why_no_migration(path));
}

/* Within the folder's folders only Flyway's files are looked for: the other tools do not look
 * there, and kedge does neither. */
static int on_file(void *context, const char *path, size_t depth, struct error *err)
{
    struct listing *listing = context;
    struct entry entry = {.path = path, .from = folder_walk_inner(&listing->walk, path)};
    (void)err;
    if (text_ends(path, ".sql.conf"))
        return 0;
    bool parsed = naming_parse(path_base(path), &listing->set->memory, &entry.naming);
    if (depth > 0 && !(parsed && entry.naming.kind == NAMING_FLYWAY)) {
        nested_note(&listing->nested, path, parsed);
        return 0;
    }
    if (!parsed) {
        note_stranger(listing, path);
        return 0;
    }
    ARRAY_GROW(listing->items, listing->count, listing->capacity);
    listing->items[listing->count++] = entry;
    return 0;
}

static bool has_flyway(const struct listing *listing)
{
    for (size_t i = 0; i < listing->count; i++)
        if (listing->items[i].naming.kind == NAMING_FLYWAY)
            return true;
    return false;
}

static bool enters(void *context, size_t depth)
{
    const struct listing *listing = context;
    return depth > 0 || listing->count == 0 || has_flyway(listing);
}

static int list_folder(struct listing *listing, struct error *err)
{
    const char *path = listing->folder->path;
    listing->walk = (struct folder_walk){
        .os = listing->folder->os,
        .root = path,
        .memory = &listing->set->memory,
        .file = on_file,
        .odd = on_odd,
        .enters = enters,
        .context = listing,
        .folders = TEXT_LIST_INIT,
    };
    if (folder_walk_run(&listing->walk, err) == 0)
        return listing->count ? 0 : nested_check(&listing->nested, path, listing->warnings, err);
    if (err->code == ERROR_NOT_FOUND)
        error_hint(err, "kedge migrate create NAME makes it, --migrations names another");
    return -1;
}

static void listing_clear(struct listing *listing)
{
    for (size_t i = 0; i < PARALLEL_THREADS; i++) {
        struct worker *worker = &listing->workers[i];
        buf_clear(&worker->text);
        arena_clear(&worker->texts);
        arena_take(&listing->set->memory, &worker->memory);
        migration_reader_free(worker->reader);
    }
    free(listing->items);
}

static int compare_entries(const void *a, const void *b)
{
    const struct entry *left = a;
    const struct entry *right = b;
    return strcmp(left->from, right->from);
}

/* ---- texts ---- */

static const char *environment(const char *name)
{
    return getenv(name);
}

/* V1__name.sql.conf beside a file of Flyway's. */
static int read_conf(const struct listing *listing, struct entry *entry, bool *placeholders,
                     struct error *err)
{
    SCOPED(buf) struct buf text = BUF_INIT_MAX(MIGRATION_FILE_MAXIMUM);
    SCOPED(string) char *path = mem_format("%s.conf", entry->path);
    struct stat info;
    int there = file_stat(listing->folder->os, path, &info, err);
    if (there <= 0)
        return there;
    if (file_read_all(listing->folder->os, path, &text, err) < 0)
        return -1;
    char *rest = text.length ? text.data : NULL;
    for (char *line = strsep(&rest, "\r\n"); line; line = strsep(&rest, "\r\n")) {
        if (!*line || *line == '#' || strcmp(line, "executeInTransaction=true") == 0 ||
            strcmp(line, "placeholderReplacement=true") == 0)
            continue;
        if (strcmp(line, "executeInTransaction=false") == 0)
            entry->outside = true;
        else if (strcmp(line, "placeholderReplacement=false") == 0)
            *placeholders = false;
        else
            return error_set(err, ERROR_FAILED, "%s: \"%.60s\" is not understood", path, line);
    }
    return 0;
}

/* Into `replaced` what the text of a Flyway file becomes: 1, 0 when it stays as it is, -1. */
static int replace_placeholders(const struct listing *listing, struct entry *entry,
                                struct buf *replaced, struct error *err)
{
    bool wanted = !listing->folder->keep_placeholders;
    if (read_conf(listing, entry, &wanted, err) < 0)
        return -1;
    if (!wanted || !strstr(entry->text, "${"))
        return 0;
    int result = placeholder_append(replaced, entry->text, entry->size, entry->path,
                                    listing->folder->placeholders, err);
    return result < 0 ? -1 : 1;
}

/* The same of one of goose's. */
static int replace_environment(const struct entry *entry, struct buf *replaced, struct error *err)
{
    if (!strstr(entry->text, "ENVSUB"))
        return 0;
    int result = envsub_append(replaced, entry->text, entry->size, entry->path, environment, err);
    return result < 0 ? -1 : 1;
}

static enum layout layout_of(const struct entry *entry)
{
    if (entry->naming.kind == NAMING_FLYWAY)
        return LAYOUT_FLYWAY;
    if (entry->naming.kind == NAMING_PAIR)
        return LAYOUT_PAIR;
    switch (directive_detect(entry->text, entry->size)) {
    case SYNTAX_KEDGE:
        return LAYOUT_KEDGE;
    case SYNTAX_GOOSE:
        return LAYOUT_GOOSE;
    case SYNTAX_DBMATE:
        return LAYOUT_DBMATE;
    case SYNTAX_PLAIN:
        break;
    }
    return LAYOUT_BARE;
}

static void keep_text(struct worker *worker, struct entry *entry, const struct buf *text)
{
    entry->text = arena_string_n(&worker->texts, text->data, text->length);
    entry->size = text->length;
}

static int read_text(void *context, size_t index, size_t thread, struct error *err)
{
    struct listing *listing = context;
    struct entry *entry = &listing->items[index];
    struct worker *worker = &listing->workers[thread];
    SCOPED(buf) struct buf replaced = BUF_INIT_MAX(MIGRATION_FILE_MAXIMUM);
    buf_reset(&worker->text);
    if (file_read_at(listing->folder->os, listing->fd, entry->from, entry->path, &worker->text,
                     err) < 0)
        return -1;
    keep_text(worker, entry, &worker->text);
    entry->layout = layout_of(entry);
    int changed = 0;
    if (entry->layout == LAYOUT_FLYWAY)
        changed = replace_placeholders(listing, entry, &replaced, err);
    else if (entry->layout == LAYOUT_GOOSE)
        changed = replace_environment(entry, &replaced, err);
    if (changed > 0)
        keep_text(worker, entry, &replaced);
    return changed < 0 ? -1 : 0;
}

/* The kernel need not look up the folder a thousand times. */
static int read_texts(struct listing *listing, struct error *err)
{
    struct os *os = listing->folder->os;
    listing->fd = file_open(os, listing->folder->path, O_RDONLY | O_DIRECTORY, 0, err);
    if (listing->fd < 0)
        return -1;
    int result = parallel_each(listing->count, read_text, listing, listing->folder->helper, err);
    file_close(os, &listing->fd);
    return result;
}

/* ---- whose folder it is ---- */

static const char *after_mark(const char *text)
{
    return text_starts(text, "\xEF\xBB\xBF") ? text + 3 : text;
}

/* sqlx has single files with no directive at all. One such file among ours is a mistake; a whole
 * folder of them is sqlx's. */
static bool is_sqlx(const struct listing *listing)
{
    size_t bare = 0;
    bool sure = false;
    for (size_t i = 0; i < listing->count; i++) {
        const struct entry *entry = &listing->items[i];
        if (entry->layout != LAYOUT_BARE || entry->naming.loose)
            return false;
        sure |= text_starts(after_mark(entry->text), "-- no-transaction") ||
                strlen(entry->naming.version) != VERSION_DIGITS;
        bare += entry->size > 0;
    }
    return sure || (bare > 1 && bare == listing->count);
}

/* sql-migrate's files read as ours do, but are numbered as one likes. */
static bool has_short_versions(const struct listing *listing)
{
    bool found = false;
    for (size_t i = 0; i < listing->count; i++) {
        const struct entry *entry = &listing->items[i];
        if (strlen(entry->naming.version) > SHORT_VERSION_DIGITS)
            return false;
        found |= entry->layout == LAYOUT_KEDGE;
    }
    return found;
}

/* A single file and a pair: golang-migrate has pairs alone, sqlx has both. */
static int refuse_bare(const struct entry *pair, const struct entry *bare, struct error *err)
{
    error_set(err, ERROR_USAGE,
              "the folder has pairs of files, as %s, and a single one that does not say which way "
              "it goes: %s",
              pair->path, bare->path);
    return error_hint(err,
                      "name it VERSION_NAME.up.sql as the others are (sqlx reads it as before), "
                      "or put -- +migrate Up above its statements");
}

static int refuse_mixture(const struct entry *one, const struct entry *other, struct error *err)
{
    error_set(err, ERROR_USAGE, "the folder mixes the files of two tools: %s is of %s, %s of %s",
              one->path, layout_tools[one->layout], other->path, layout_tools[other->layout]);
    return error_hint(err, "keep the migrations of one tool in a folder, beside those of kedge");
}

/* Files of ours may stand beside those of the tool that was used before; files of two other tools
 * have no common order and no common history. */
static int find_layout(struct listing *listing, struct error *err)
{
    const struct entry *foreign = NULL;
    for (size_t i = 0; i < listing->count; i++)
        if (!listing->first[listing->items[i].layout])
            listing->first[listing->items[i].layout] = &listing->items[i];
    for (size_t i = LAYOUT_GOOSE; i < LAYOUT_COUNT; i++) {
        if (listing->first[i] && foreign)
            return refuse_mixture(foreign, listing->first[i], err);
        if (listing->first[i])
            foreign = listing->first[i];
    }
    const struct entry *bare = listing->first[LAYOUT_BARE];
    bool one_files = foreign && foreign->naming.kind == NAMING_ONE_FILE;
    if (bare && foreign && foreign->layout == LAYOUT_PAIR)
        return refuse_bare(foreign, bare, err);
    if (bare && foreign && !one_files)
        return refuse_mixture(foreign, bare, err);
    listing->sqlx = is_sqlx(listing);
    listing->any_version = has_short_versions(listing);
    return 0;
}

/* A file without directive among those of a tool that has them lacks it. */
static enum syntax syntax_of(const struct listing *listing, const struct entry *entry)
{
    switch (entry->layout) {
    case LAYOUT_GOOSE:
        return SYNTAX_GOOSE;
    case LAYOUT_DBMATE:
        return SYNTAX_DBMATE;
    case LAYOUT_PAIR:
    case LAYOUT_FLYWAY:
        return SYNTAX_PLAIN;
    default:
        break;
    }
    if (entry->layout == LAYOUT_BARE && listing->sqlx)
        return SYNTAX_PLAIN;
    if (entry->layout == LAYOUT_BARE && listing->first[LAYOUT_GOOSE])
        return SYNTAX_GOOSE;
    if (entry->layout == LAYOUT_BARE && listing->first[LAYOUT_DBMATE])
        return SYNTAX_DBMATE;
    return SYNTAX_KEDGE;
}

/* Why the name does not fit what the file says, or NULL. */
static const char *why_misnamed(const struct listing *listing, const struct entry *entry,
                                enum syntax syntax)
{
    bool loose_taken = syntax == SYNTAX_DBMATE || listing->any_version;
    if (entry->naming.loose && !loose_taken)
        return "its name is not YYYYMMDDHHMMSS_name.sql";
    if (syntax == SYNTAX_KEDGE && !listing->any_version &&
        strlen(entry->naming.version) != VERSION_DIGITS)
        return "its version does not have 14 digits";
    return NULL;
}

/* ---- migrations ---- */

/* The other half of a pair: the same version. */
static struct migration *find_pair(const struct migration_set *set, const struct entry *entry)
{
    if (entry->naming.kind == NAMING_ONE_FILE)
        return NULL;
    struct migration *migration = migration_set_find(set, entry->naming.version);
    return migration && !migration->parts[entry->naming.direction].exists ? migration : NULL;
}

static struct migration *add_migration(struct migration_set *set, const struct entry *entry)
{
    struct migration *migration = migration_set_new(set, entry->naming.version, entry->naming.name);
    migration->detects_outside = entry->layout == LAYOUT_FLYWAY || entry->layout == LAYOUT_PAIR;
    migration->repeatable = entry->naming.repeatable;
    /* It has no way back of its own: undoing everything forgets that it ran. */
    migration->parts[MIGRATE_DOWN].exists = entry->naming.repeatable;
    return migration;
}

/* Flyway's name for a migration is that of the way up. */
static void take_name(struct migration *migration, const struct naming *naming)
{
    if (naming->direction != MIGRATE_UP)
        return;
    migration->version = naming->version;
    migration->name = naming->name;
}

/* Versions that a baseline stands for, in files of their own, do the same step by step. */
static bool is_needless_baseline(const struct listing *listing, const struct entry *entry)
{
    for (size_t i = 0; entry->naming.baseline && i < listing->count; i++) {
        const struct naming *other = &listing->items[i].naming;
        if (!other->baseline && !other->repeatable && other->direction == MIGRATE_UP &&
            migration_version_compare(other->version, entry->naming.version) <= 0)
            return true;
    }
    return false;
}

/* Give the entry its migration, which is read later; none when it is passed over. */
static void place_entry(struct listing *listing, struct entry *entry, struct migration_set *set)
{
    entry->syntax = syntax_of(listing, entry);
    const char *problem = why_misnamed(listing, entry, entry->syntax);
    if (!problem && is_needless_baseline(listing, entry))
        problem = "the versions that it stands for are there themselves";
    if (problem) {
        warn(listing, entry->path, problem);
        return;
    }
    struct migration *migration = find_pair(set, entry);
    if (migration)
        take_name(migration, &entry->naming);
    else
        migration = add_migration(set, entry);
    migration->parts[entry->naming.direction].outside |= entry->outside;
    entry->migration = migration;
}

static int read_entry(struct listing *listing, const struct entry *entry, size_t thread,
                      struct error *err)
{
    struct worker *worker = &listing->workers[thread];
    const struct migration_text text = {
        .text = entry->text,
        .size = entry->size,
        .path = entry->path,
        .dialect = listing->folder->dialect,
        .syntax = entry->syntax,
        .direction = entry->naming.direction,
    };
    if (!entry->migration)
        return 0;
    if (!worker->reader)
        worker->reader = migration_reader_new(text.dialect);
    return migration_reader_read(worker->reader, entry->migration, &worker->memory, &text, err);
}

/* Two files may be one migration only where there is one for each direction. */
static int read_one_file(void *context, size_t index, size_t thread, struct error *err)
{
    struct listing *listing = context;
    const struct entry *entry = &listing->items[index];
    return entry->naming.kind == NAMING_ONE_FILE ? read_entry(listing, entry, thread, err) : 0;
}

static int read_entries(struct listing *listing, struct error *err)
{
    /* Whether there is another half is asked of what was read before. */
    for (size_t i = 0; i < listing->count; i++) {
        struct entry *entry = &listing->items[i];
        place_entry(listing, entry, listing->set);
        if (entry->naming.kind != NAMING_ONE_FILE && read_entry(listing, entry, 0, err) < 0)
            return -1;
    }
    return parallel_each(listing->count, read_one_file, listing, listing->folder->helper, err);
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

static int read_listing(struct listing *listing, struct error *err)
{
    if (list_folder(listing, err) < 0)
        return -1;
    warn_of_php(listing);
    if (listing->count > 1)
        qsort(listing->items, listing->count, sizeof *listing->items, compare_entries);
    if (read_texts(listing, err) < 0 || find_layout(listing, err) < 0 ||
        read_entries(listing, err) < 0)
        return -1;
    return check_pairs(listing->set, err);
}

int migration_folder_read(const struct migration_folder *folder, struct migration_set *set,
                          struct text_list *warnings, struct error *err)
{
    struct listing listing = {.folder = folder, .set = set, .warnings = warnings};
    for (size_t i = 0; i < PARALLEL_THREADS; i++)
        listing.workers[i].text = BUF_INIT_MAX(MIGRATION_FILE_MAXIMUM);
    int result = read_listing(&listing, err);
    listing_clear(&listing);
    return result;
}
