#include "source/sqlite_load.h"

#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "base/moment.h"
#include "base/os.h"
#include "base/ulid.h"
#include "io/progress.h"
#include "source/source.h"
#include "source/sqlite_connection.h"
#include "source/sqlite_header.h"
#include "source/sqlite_hold.h"
#include "source/sqlite_image.h"
#include "source/sqlite_kept.h"
#include "source/sqlite_preview.h"
#include "source/sqlite_replay.h"
#include "source/sqlite_swap.h"
#include "source/sqlite_tables.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define LOCK_WAIT_MS 5000

struct sqlite_load {
    struct load base;
    const struct load_options *options;
    struct os *os;
    struct sqlite_kept kept;
    struct stat old; /* of the target, if kept.existed */
    char *path;      /* what is filled: the side copy, or with --table a file that goes again */
    int fd;          /* of it, -1 unless it is being filled */
    bool made;       /* it is there and ours to remove */
    uint64_t size;
};

static struct sqlite_load *sqlite_load_of(struct load *load)
{
    return (struct sqlite_load *)load;
}

static void note_kept(struct sqlite_load *load)
{
    free(load->base.kept);
    load->base.kept = sqlite_kept_write(&load->kept);
}

/* ---- preview ---- */

static int load_preview(struct load *base, struct segment_source *segments,
                        struct load_preview *ret_preview, struct error *err)
{
    (void)segments;
    struct sqlite_load *load = sqlite_load_of(base);
    struct sqlite_preview_options options = {
        .os = load->os,
        .target = load->kept.target,
        .side = load->kept.side,
        .size = load->options->plain_size,
        .no_owner = load->options->no_owner,
        .tables = &load->options->tables,
    };
    return sqlite_preview(&options, ret_preview, err);
}

/* ---- fill ---- */

static int failed(struct error *err)
{
    return error_recode(err, ERROR_RESTORE);
}

static int fill_image(struct sqlite_load *load, struct segment_source *segments, struct error *err)
{
    struct sqlite_image_options options = {
        .os = load->os,
        .progress = load->options->progress,
        .jobs = load->options->jobs,
        .size = load->options->plain_size,
        .path = load->path,
        .fd = load->fd,
    };
    return sqlite_image_write(&options, segments, &load->size, err);
}

static int fill_sql(struct sqlite_load *load, struct segment_source *segments, struct error *err)
{
    struct stat side;
    progress_begin(load->options->progress, "restoring", load->options->plain_size);
    if (sqlite_replay(load->path, load->options, segments, &load->base.rows_loaded, err) < 0)
        return -1;
    if (load->os->fstat(load->os, load->fd, &side) < 0)
        return error_set_errno(err, ERROR_FAILED, errno, "look at %s", load->path);
    load->size = (uint64_t)side.st_size;
    return 0;
}

/* Nobody but us may read it until it has the old one's owner and mode. */
static int make_side(struct sqlite_load *load, struct error *err)
{
    load->fd = file_open(load->os, load->path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                         0600, err);
    load->made = load->fd >= 0;
    return load->made ? 0 : -1;
}

static int load_fill(struct load *base, struct segment_source *segments, struct error *err)
{
    struct sqlite_load *load = sqlite_load_of(base);
    bool sql = text_equal(load->options->format, "sql");
    if (make_side(load, err) < 0 ||
        (sql ? fill_sql(load, segments, err) : fill_image(load, segments, err)) < 0)
        return failed(err);
    return 0;
}

/* ---- check ---- */

static int check_header(struct sqlite_load *load, struct error *err)
{
    uint8_t data[SQLITE_HEADER_SIZE];
    size_t size = 0;
    struct sqlite_header header;
    if (load->size == 0)
        return 0;
    if (file_pread(load->os, load->fd, data, sizeof data, 0, &size, load->path, err) < 0)
        return -1;
    if (size < sizeof data)
        return error_set(err, ERROR_CORRUPT, "the image ends within its header");
    if (sqlite_header_parse(data, "the image", &header, err) < 0)
        return -1;
    uint64_t pages = load->size / header.page_size;
    if (load->size % header.page_size || (header.page_count && header.page_count != pages))
        return error_set(err, ERROR_CORRUPT, "the image has %llu bytes for %u pages of %u",
                         (unsigned long long)load->size, header.page_count, header.page_size);
    return 0;
}

/* Does SQLite understand it? The whole of it is only gone through when asked for: that takes as
 * long as the restore itself. */
static int check_with_sqlite(struct sqlite_load *load, struct error *err)
{
    SCOPED(sqlite_connection) struct sqlite_connection *connection = NULL;
    int64_t objects = 0;
    if (sqlite_connection_open(load->os, load->path, 0, &connection, err) < 0 ||
        sqlite_connection_number(connection, "SELECT count(*) FROM sqlite_schema", &objects, err) <
            0)
        return -1;
    if (!load->options->thorough)
        return 0;
    SCOPED(string) char *verdict = NULL;
    if (sqlite_connection_text(connection, "PRAGMA integrity_check(1)", &verdict, err) < 0)
        return -1;
    return text_equal(verdict, "ok")
               ? 0
               : error_set(err, ERROR_CORRUPT, "the restored database is damaged: %s", verdict);
}

static bool metadata_says_wal(const char *metadata)
{
    json_t *object = metadata ? json_loads(metadata, 0, NULL) : NULL;
    const char *mode = json_string_value(json_object_get(object, "journal_mode"));
    bool wal = mode && text_equal(mode, "wal");
    json_decref(object);
    return wal;
}

static int dress(struct sqlite_load *load, struct error *err)
{
    struct os *os = load->os;
    if (!load->kept.existed || load->options->no_owner)
        return 0;
    const struct stat *old = &load->old;
    struct stat side;
    if (os->fstat(os, load->fd, &side) < 0)
        return error_set_errno(err, ERROR_FAILED, errno, "look at %s", load->path);
    bool same = side.st_uid == old->st_uid && side.st_gid == old->st_gid;
    if (!same &&
        os->fchownat(os, AT_FDCWD, load->path, old->st_uid, old->st_gid, AT_SYMLINK_NOFOLLOW) < 0)
        return error_set_errno(err, ERROR_FAILED, errno, "give %s to its owner", load->path);
    if (os->fchmod(os, load->fd, old->st_mode & 07777) < 0)
        return error_set_errno(err, ERROR_FAILED, errno, "set the mode of %s", load->path);
    return 0;
}

static int finish_side(struct sqlite_load *load, struct error *err)
{
    struct os *os = load->os;
    load->kept.new_wal = load->size && metadata_says_wal(load->options->metadata);
    if (sqlite_file_set_wal(os, load->path, load->kept.new_wal, err) < 0 ||
        file_sync(os, load->fd, load->path, err) < 0 || dress(load, err) < 0)
        return -1;
    struct stat side;
    if (os->fstat(os, load->fd, &side) < 0)
        return error_set_errno(err, ERROR_FAILED, errno, "look at %s", load->path);
    load->kept.new_inode = (uint64_t)side.st_ino;
    load->kept.new_modified_ns =
        (int64_t)side.st_mtim.tv_sec * MOMENT_SECOND + side.st_mtim.tv_nsec;
    file_close(os, &load->fd);
    return 0;
}

/* To be put back if the restore fails half-way. What cannot be read has no mode to go back to. */
static bool target_is_wal(struct sqlite_load *load)
{
    SCOPED(sqlite_connection) struct sqlite_connection *connection = NULL;
    SCOPED(string) char *mode = NULL;
    if (!load->kept.existed ||
        sqlite_connection_open(load->os, load->kept.target, LOCK_WAIT_MS, &connection, NULL) < 0 ||
        sqlite_connection_run(connection, "PRAGMA writable_schema=ON", NULL) < 0 ||
        sqlite_connection_text(connection, "PRAGMA journal_mode", &mode, NULL) < 0)
        return false;
    return text_equal(mode, "wal");
}

/* The file only serves to take tables out of. */
static int finish_tables(struct sqlite_load *load, struct error *err)
{
    file_close(load->os, &load->fd);
    return sqlite_tables_choose(load->os, load->path, &load->options->tables,
                                load->options->cascade, &load->kept.tables, err);
}

static int load_check(struct load *base, struct error *err)
{
    struct sqlite_load *load = sqlite_load_of(base);
    if (check_header(load, err) < 0 || check_with_sqlite(load, err) < 0 ||
        (load->kept.tables.count ? finish_tables(load, err) : finish_side(load, err)) < 0)
        return failed(err);
    load->kept.old_wal = target_is_wal(load);
    note_kept(load);
    return 0;
}

/* ---- commit ---- */

static int commit_tables(struct sqlite_load *load, struct error *err)
{
    if (sqlite_tables_commit(load->os, &load->kept, load->path, load->options->keep,
                             &load->base.rows_loaded, err) < 0)
        return -1;
    load->made = false;
    struct error late = ERROR_INIT;
    if (file_remove(load->os, load->path, &late) < 0)
        log_warning("%s stays: %s", load->path, late.message);
    return 0;
}

static int commit_swap(struct sqlite_load *load, struct error *err)
{
    if (sqlite_swap_commit(load->os, &load->kept, err) < 0) {
        /* Both files stay where the error says they are. */
        load->made = load->made && !(err && err->code == ERROR_STRANDED);
        return -1;
    }
    load->made = false;
    return 0;
}

static int discard(struct sqlite_load *load, struct error *err)
{
    return load->kept.tables.count ? sqlite_tables_discard(load->os, &load->kept, err)
                                   : sqlite_swap_discard(load->os, &load->kept, err);
}

static int load_commit(struct load *base, struct error *err)
{
    struct sqlite_load *load = sqlite_load_of(base);
    if ((load->kept.tables.count ? commit_tables(load, err) : commit_swap(load, err)) < 0)
        return -1;
    struct error late = ERROR_INIT;
    if (!load->options->keep && discard(load, &late) < 0)
        log_warning("what was there before stays at %s: %s", load->kept.side, late.message);
    return 0;
}

/* ---- life ---- */

static void load_end(struct load *base)
{
    struct sqlite_load *load = sqlite_load_of(base);
    file_close(load->os, &load->fd);
    /* A scratch restore is thrown away as a matter of course. */
    if (load->made && discard(load, NULL) == 0 && !load->options->thorough)
        log_info("removed the unfinished copy %s; %s is as it was", load->path, load->kept.target);
    sqlite_kept_clear(&load->kept);
    free(load->path);
    free(base->kept);
    free(load);
}

static const struct load_ops sqlite_load_ops = {
    .preview = load_preview,
    .fill = load_fill,
    .check = load_check,
    .commit = load_commit,
    .free = load_end,
};

/* The name of this restore's side copy. */
static int choose_id(const struct load_options *options, struct ulid *ret_id, struct error *err)
{
    if (!options->id)
        return ulid_make(options->os, ret_id, err);
    if (!ulid_valid(options->id))
        return error_set(err, ERROR_USAGE, "\"%s\" is not a ULID", options->id);
    memcpy(ret_id->text, options->id, sizeof ret_id->text);
    return 0;
}

static int look_at_target(struct sqlite_load *load, struct error *err)
{
    int found = file_stat(load->os, load->kept.target, &load->old, err);
    if (found <= 0)
        return found;
    load->kept.existed = true;
    load->kept.old_inode = (uint64_t)load->old.st_ino;
    return 0;
}

static int check_format(const struct load_options *options, struct error *err)
{
    if (!options->format || text_equal(options->format, "sqlite3") ||
        text_equal(options->format, "sql"))
        return 0;
    return error_set(err, ERROR_USAGE, "a backup of kind %s cannot be restored into SQLite",
                     options->format);
}

/* The copy beside the target and its journals are called after it. */
static int check_name(const struct sqlite_load *load, struct error *err)
{
    if (strlen(path_base(load->kept.side)) + strlen("-old-journal") <= NAME_MAX)
        return 0;
    error_set(err, ERROR_USAGE, "the file name of %s is too long for a copy beside it",
              load->kept.target);
    return error_hint(err, "restore --to a name of at most 200 bytes, and rename that");
}

int sqlite_load(const struct source_target *target, const struct load_options *options,
                struct load **ret_load, struct error *err)
{
    SCOPED(load) struct load *base = NULL;
    struct ulid id;
    if (check_format(options, err) < 0 || choose_id(options, &id, err) < 0)
        return -1;
    struct sqlite_load *load = MEM_NEW(struct sqlite_load);
    load->base.ops = &sqlite_load_ops;
    load->options = options;
    load->os = options->os;
    load->fd = -1;
    base = &load->base;
    load->kept.target = sqlite_path_resolve(options->os, target->url.database, err);
    if (!load->kept.target)
        return -1;
    load->kept.side = sqlite_side_path(load->kept.target, id.text);
    text_list_add_all(&load->kept.tables, &options->tables);
    load->path =
        options->tables.count ? sqlite_tables_full_path(&load->kept) : mem_string(load->kept.side);
    if (check_name(load, err) < 0 || look_at_target(load, err) < 0)
        return -1;
    note_kept(load);
    *ret_load = STEAL(base);
    return 0;
}
