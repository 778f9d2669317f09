#include "service/scratch.h"

#include "artifact/artifact.h"
#include "artifact/manifest.h"
#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "base/os.h"
#include "base/ulid.h"
#include "service/kept.h"
#include "service/restore_target.h"
#include "service/service.h"
#include "source/files_beneath.h"
#include "source/source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

/* In a scratch folder: what is on a server besides. */
#define NOTE "database"
#define NOTE_MAXIMUM 65536

/* A folder of our own: TMPDIR is usually small, the place of the backups is not, and it is on no
 * other machine. */
static char *parent_folder(const struct service *service)
{
    const char *base = getenv("KEDGE_SCRATCH");
    return path_join(base ? base : service->options.local_folder, ".scratch");
}

/* The lock on a scratch folder says that its process lives. 1 taken, 0 held by another, -1. */
static int take_folder(struct os *os, const char *folder, int *ret_fd, struct error *err)
{
    int fd = file_open(os, folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0, err);
    if (fd < 0)
        return -1;
    if (os->flock(os, fd, LOCK_EX | LOCK_NB) == 0) {
        *ret_fd = fd;
        return 1;
    }
    int held = errno == EWOULDBLOCK;
    if (!held)
        error_set_errno(err, ERROR_FAILED, errno, "flock %s", folder);
    file_close(os, &fd);
    return held ? 0 : -1;
}

static int make_folder(struct service *service, const char *id, char **ret_folder, int *ret_fd,
                       struct error *err)
{
    SCOPED(string) char *parent = parent_folder(service);
    SCOPED(string) char *folder = path_join(parent, id);
    if (folder_make(service->os, folder, 0700, err) < 0 ||
        take_folder(service->os, folder, ret_fd, err) < 0)
        return error_prefix(err, "scratch folder");
    *ret_folder = STEAL(folder);
    return 0;
}

static void remove_folder(struct os *os, const char *folder)
{
    SCOPED(string) char *note = path_join(folder, NOTE);
    os->unlinkat(os, AT_FDCWD, note, 0);
    os->unlinkat(os, AT_FDCWD, folder, AT_REMOVEDIR);
    SCOPED(string) char *parent = path_folder(folder);
    os->unlinkat(os, AT_FDCWD, parent, AT_REMOVEDIR);
}

/* Files go into the folder, a SQLite database becomes a file in it, a server's database is restored
 * beside itself and never swapped in. */
static int resolve(struct service *service, const struct manifest *manifest, const char *kind,
                   const char *folder, struct restore_target *target, struct error *err)
{
    SCOPED(string) char *file = path_join(folder, "scratch.db");
    bool tar = strcmp(kind, "tar") == 0;
    bool sqlite =
        strcmp(kind, "sqlite3") == 0 || !manifest || text_equal(manifest->engine, "sqlite");
    const char *to = tar ? folder : sqlite ? file : NULL;
    const struct restore_wish wish = {
        .to = to, .target = manifest ? manifest->target : NULL, .trusted = true};
    return restore_target_resolve(service, manifest, kind, &wish, target, err);
}

/* What is made on a server is not in the folder: whoever finds this run killed is told of it. */
static int leave_note(const struct restore_target *target, const struct load_options *options,
                      const char *folder, const struct load *load, struct error *err)
{
    if (!(target->source->capabilities & SOURCE_DATABASE) || target->what.url.engine == DB_SQLITE ||
        !load->kept)
        return 0;
    SCOPED(string) char *note = path_join(folder, NOTE);
    SCOPED(string) char *where = db_url_display(&target->what.url);
    const struct kept_line line = {target->source->engine, where, load->kept};
    SCOPED(string) char *text = kept_line_format(&line);
    return file_write_atomic(options->os, note, text, strlen(text), 0600, err);
}

static int prove(const struct restore_target *target, const struct load_options *options,
                 const char *folder, struct artifact_reader *reader, struct error *err)
{
    SCOPED(load) struct load *load = NULL;
    if (target->source->load(&target->what, options, &load, err) < 0 ||
        leave_note(target, options, folder, load, err) < 0)
        return -1;
    /* That is the place's fault: the backup is as good as before. */
    if (load->ops->needs && load->ops->needs(load, err) < 0)
        return -1;
    if (load->ops->fill(load, artifact_segments(reader), err) < 0)
        return error_recode(err, ERROR_CORRUPT);
    if (load->ops->check(load, err) < 0)
        return error_recode(err, ERROR_CORRUPT);
    return 0;
}

int scratch_restore(struct service *service, const struct artifact_open_options *artifact,
                    struct error *err)
{
    struct ulid id;
    if (ulid_make(service->os, &id, err) < 0)
        return -1;
    SCOPED(artifact_reader) struct artifact_reader *reader = NULL;
    if (artifact_open(artifact, &reader, err) < 0)
        return -1;
    const char *kind = artifact_kind(reader);
    if (!kind)
        return error_set(err, ERROR_CORRUPT, "%s is not a backup that kedge can read",
                         artifact->file);
    SCOPED(string) char *folder = NULL;
    int fd = -1;
    if (make_folder(service, id.text, &folder, &fd, err) < 0)
        return -1;

    const struct manifest *manifest = artifact_manifest(reader);
    struct restore_target target = {0};
    int result = resolve(service, manifest, kind, folder, &target, err);
    if (result == 0) {
        struct load_options options = {
            .os = service->os,
            .progress = artifact->progress,
            .jobs = artifact->jobs,
            .format = kind,
            .metadata = manifest ? manifest->metadata : NULL,
            .engine_version = manifest ? manifest->engine_version : NULL,
            .digest = manifest && manifest->digest[0] ? manifest->digest : NULL,
            .plain_size = manifest ? manifest->plain_bytes : 0,
            .to = target.folder,
            .thorough = true,
            .id = id.text,
        };
        result = prove(&target, &options, folder, reader, err);
    }
    restore_target_clear(&target);
    remove_folder(service->os, folder);
    file_close(service->os, &fd);
    return result < 0 ? error_prefix(err, "restore into a scratch place") : 0;
}

/* ---- what killed ones left ---- */

struct sweep {
    struct service *service;
    struct os *os;
    const char *parent;
    int fd; /* of the parent */
    bool dry_run;
    void (*removed)(void *context, const char *path);
    void *context;
};

/* The database of a verification is as that of a restore that was killed. */
static int remove_database(struct sweep *sweep, const char *folder, struct error *err)
{
    SCOPED(string) char *note = path_join(folder, NOTE);
    SCOPED(kept) struct kept kept = {0};
    SCOPED(buf) struct buf text = BUF_INIT_MAX(NOTE_MAXIMUM);
    enum load_state state = LOAD_BEFORE;
    struct stat there;
    int found = file_stat(sweep->os, note, &there, err);
    if (found <= 0)
        return found;
    if (file_read_all(sweep->os, note, &text, err) < 0 ||
        kept_open_line(sweep->service, text.data, &kept, err) < 0)
        return -1;
    const struct kept_part *part = &kept.parts[0];
    return part->source->recover(sweep->os, part->json, &part->what, &state, err);
}

/* One with another name is not ours; one that cannot be locked is somebody's, or gone. */
static int sweep_one(void *context, const char *name, struct error *err)
{
    struct sweep *sweep = context;
    struct error ignored = ERROR_INIT;
    SCOPED(string) char *folder = path_join(sweep->parent, name);
    int fd = -1;
    if (!ulid_valid(name) || take_folder(sweep->os, folder, &fd, &ignored) <= 0)
        return 0;
    if (!sweep->dry_run && remove_database(sweep, folder, &ignored) < 0) {
        log_warning("what a verification that died left on a server stays: %s", ignored.message);
        file_close(sweep->os, &fd);
        return 0;
    }
    int result = 0;
    if (!sweep->dry_run)
        result = files_beneath_remove(sweep->os, sweep->fd, name, err);
    if (result == 0 && sweep->removed)
        sweep->removed(sweep->context, folder);
    file_close(sweep->os, &fd);
    return result;
}

int scratch_cleanup(struct service *service, bool dry_run,
                    void (*removed)(void *context, const char *path), void *context,
                    struct error *err)
{
    struct os *os = service->os;
    SCOPED(string) char *parent = parent_folder(service);
    struct stat there;
    int found = file_stat(os, parent, &there, err);
    if (found <= 0)
        return found;
    int fd = file_open(os, parent, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0, err);
    if (fd < 0)
        return -1;
    struct sweep sweep = {service, os, parent, fd, dry_run, removed, context};
    int result = folder_list(os, parent, sweep_one, &sweep, err);
    file_close(os, &fd);
    if (result == 0 && !dry_run)
        os->unlinkat(os, AT_FDCWD, parent, AT_REMOVEDIR);
    return result < 0 ? error_prefix(err, "scratch folder") : 0;
}
