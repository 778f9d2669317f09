#include "service/restore.h"

#include "artifact/artifact.h"
#include "artifact/manifest.h"
#include "base/error.h"
#include "base/moment.h"
#include "base/os.h"
#include "base/segment.h"
#include "base/stop.h"
#include "base/ulid.h"
#include "catalog/catalog.h"
#include "catalog/lock.h"
#include "catalog/restores.h"
#include "catalog/worker.h"
#include "service/backup.h"
#include "service/lookup.h"
#include "service/restore_target.h"
#include "service/service.h"
#include "service/verify.h"
#include "source/source.h"

#include <stdlib.h>
#include <string.h>

int safety_parse(const char *text, enum safety *ret_safety, struct error *err)
{
    static const char *const names[] = {
        [SAFETY_SWAP] = "swap", [SAFETY_BACKUP] = "backup", [SAFETY_NONE] = "none"};
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        if (strcmp(text, names[i]) == 0) {
            *ret_safety = (enum safety)i;
            return 0;
        }
    }
    error_set(err, ERROR_USAGE, "no such safety: %s", text);
    return error_hint(
        err, "swap keeps the old one beside, backup makes a backup first, none keeps nothing");
}

void restore_report_clear(struct restore_report *report)
{
    free(report->id);
    free(report->target);
    free(report->backup_file);
    free(report->safety_kind);
    free(report->safety_text);
    text_list_clear(&report->conflicts);
    *report = (struct restore_report){0};
}

/* One restore on its way. */
struct job {
    struct service *service;
    const struct restore_request *request;
    struct located located;
    struct artifact_reader *reader;
    struct restore_target target;
    struct load_options options; /* borrowed by the load */
    struct load *load;
    struct ulid id;
    int64_t started_ns;
    char *safety_ref; /* of --safety backup: that backup's id */
};

static void job_clear(struct job *job)
{
    load_free(job->load);
    restore_target_clear(&job->target);
    artifact_close(job->reader);
    located_clear(&job->located);
    free(job->safety_ref);
}

static void note(const struct job *job, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void note(const struct job *job, const char *format, ...)
{
    if (!job->request->note)
        return;
    va_list args;
    va_start(args, format);
    SCOPED(string) char *text = mem_format_v(format, args);
    va_end(args);
    job->request->note(job->request->context, text);
}

/* ---- before anything is touched ---- */

static int open_artifact(struct job *job, struct error *err)
{
    const struct restore_request *request = job->request;
    struct artifact_open_options options = {
        .os = job->service->os,
        .store = job->located.store,
        .progress = request->progress,
        .file = job->located.file,
        .keys = request->keys,
        .jobs = request->jobs,
    };
    if (artifact_open(&options, &job->reader, err) < 0)
        return error_prefix(err, "%s", job->located.file);
    if (!artifact_kind(job->reader))
        return error_set(err, ERROR_CORRUPT, "%s is not a backup that kedge can read",
                         job->located.file);
    const struct manifest *manifest = artifact_manifest(job->reader);
    return manifest ? located_check(&job->located, manifest->checksum, err) : 0;
}

static int verify_first(struct job *job, struct error *err)
{
    struct verify_request verify = {
        .backup = job->request->backup,
        .from = job->request->from,
        .level = 2,
        .jobs = job->request->jobs,
        .keys = job->request->keys,
        .progress = job->request->progress,
    };
    struct verify_report report = {0};
    int result = verify_run(job->service, &verify, &report, err);
    verify_report_clear(&report);
    if (result == 0)
        note(job, "verified: every byte and every frame");
    return result;
}

static int open_load(struct job *job, struct error *err)
{
    const struct restore_request *request = job->request;
    const struct manifest *manifest = artifact_manifest(job->reader);
    job->options = (struct load_options){
        .os = job->service->os,
        .progress = request->progress,
        .jobs = request->jobs,
        .format = artifact_kind(job->reader),
        .metadata = manifest ? manifest->metadata : NULL,
        .digest = manifest && manifest->digest[0] ? manifest->digest : NULL,
        .plain_size = manifest ? manifest->plain_bytes : 0,
        .tables = request->tables,
        .include = request->include,
        .exclude = request->exclude,
        .to = job->target.folder,
        .cascade = request->cascade,
        .force = request->force,
        .no_owner = request->no_owner,
        .devices = request->devices,
        .role = request->role,
        .id = job->id.text,
        .keep = request->safety == SAFETY_SWAP,
    };
    return job->target.source->load(&job->target.what, &job->options, &job->load, err);
}

static int preview(struct job *job, struct restore_report *report, struct error *err)
{
    struct load_preview found = {0};
    int result = job->load->ops->preview(job->load, &found, err);
    if (result == 0) {
        report->target = mem_string(found.target);
        report->exists = found.exists;
        report->objects_replaced = found.objects;
        report->rows_replaced = found.rows;
        report->bytes_replaced = found.bytes;
        text_list_add_all(&report->conflicts, &found.conflicts);
    }
    if (result == 0 && !job->request->dry_run && job->request->confirm)
        result = job->request->confirm(job->request->context, &found,
                                       service_is_production(job->service, &job->target.configured),
                                       err);
    load_preview_clear(&found);
    return result;
}

/* ---- the way back ---- */

/* What --safety backup does first: a backup of the target as it is now. */
static int make_safety_backup(struct job *job, struct restore_report *report, struct error *err)
{
    if (!report->exists)
        return 0;
    SCOPED(string) char *argument = restore_target_argument(&job->target);
    struct backup_request backup = {
        .target = job->target.configured.name ? job->target.configured.name : argument,
        .type = job->target.source->capabilities & SOURCE_DATABASE ? "database" : "files",
        .retention_days = job->service->options.undo_days,
        .jobs = job->request->jobs,
        .trigger = "pre_restore",
        .progress = job->request->progress,
    };
    struct backup_report made = {0};
    int result = backup_run(job->service, &backup, &made, err);
    if (result == 0 && made.incomplete)
        result = error_set(err, ERROR_SOURCE, "the safety backup is incomplete");
    if (result == 0) {
        job->safety_ref = mem_string(made.id);
        report->safety_text = mem_format("backup %lld", (long long)made.number);
        note(job, "safety backup %lld: %s", (long long)made.number, made.files[0].file);
    }
    backup_report_clear(&made);
    return result < 0 ? error_prefix(err, "safety backup") : 0;
}

static const char *const safety_names[] = {
    [SAFETY_SWAP] = "swap", [SAFETY_BACKUP] = "backup", [SAFETY_NONE] = "none"};

/* The restore log's row, before the target is touched: from it the next run can sort out one that
 * was killed. */
static int record_begin(struct job *job, struct restore_report *report, struct error *err)
{
    const struct restore_request *request = job->request;
    SCOPED(string) char *tables = catalog_json_of_list(&request->tables);
    SCOPED(string) char *files = catalog_json_of_list(&request->include);
    SCOPED(string) char *argument = restore_target_argument(&job->target);
    SCOPED(string) char *worker = worker_self(job->service->os);
    struct restore_row row = {
        .backup_name = job->located.file,
        .restore_type = request->tables.count                     ? "tables"
                        : strcmp(job->options.format, "tar") == 0 ? "files"
                                                                  : "full",
        .target = argument,
        .engine = job->target.source->engine,
        .safety_kind = safety_names[request->safety],
        /* Already now: a run that is killed while it fills leaves a side copy that only this names.
         */
        .safety_ref = job->load->kept,
        .tables_restored = tables,
        .files_restored = files,
        .worker_id = worker,
    };
    memcpy(row.id, job->id.text, sizeof row.id);
    if (job->located.known)
        memcpy(row.backup_id, job->located.row.id, sizeof row.backup_id);
    if (restores_insert(job->service->catalog, &row, err) < 0)
        return -1;
    report->id = mem_string(row.id);
    report->number = row.number;
    report->safety_kind = mem_string(row.safety_kind);
    return 0;
}

static int64_t undo_until(const struct job *job)
{
    return job->started_ns + job->service->options.undo_days * MOMENT_DAY;
}

/* ---- the work ---- */

static int fill_and_swap(struct job *job, struct error *err)
{
    struct load *load = job->load;
    if (load->ops->fill(load, artifact_segments(job->reader), err) < 0)
        return -1;
    if (load->ops->check(load, err) < 0)
        return -1;
    if (stop_check(err) < 0 || catalog_refresh(job->service->catalog, err) < 0)
        return -1;
    if (restores_set_ref(job->service->catalog, job->id.text, load->kept, undo_until(job), err) < 0)
        return -1;
    int result = load->ops->commit(load, err);
    /* It may have ended our own session too. */
    struct error ignored = ERROR_INIT;
    catalog_refresh(job->service->catalog, &ignored);
    return result;
}

/* What leads back: the driver's note on the old copy, or the safety backup, or nothing. */
static int record_success(struct job *job, struct restore_report *report, struct error *err)
{
    const struct restore_request *request = job->request;
    SCOPED(string)
    char *backup = mem_format("{\"backup\":\"%s\"}", job->safety_ref ? job->safety_ref : "");
    SCOPED(string) char *tables = catalog_json_of_list(&request->tables);
    SCOPED(string) char *files = catalog_json_of_list(&request->include);
    struct restore_row row = {.tables_restored = tables, .files_restored = files};
    memcpy(row.id, job->id.text, sizeof row.id);
    if (report->exists && request->safety != SAFETY_NONE)
        report->undo_until_ns = undo_until(job);
    if (request->safety == SAFETY_SWAP)
        row.safety_ref = job->load->kept;
    if (request->safety == SAFETY_BACKUP && job->safety_ref)
        row.safety_ref = backup;
    row.undo_until_ns = row.safety_ref ? undo_until(job) : 0;
    return restores_finish(job->service->catalog, &row, err);
}

/* The side copy goes with the load. When its server is out of reach it stays, and so does the row,
 * as it is: from it the next run tidies up, as after a kill. */
static void record_failure(struct job *job, const struct error *failure)
{
    struct error ignored = ERROR_INIT;
    enum load_state state = LOAD_BEFORE;
    bool stranded = failure->code == ERROR_STRANDED;
    SCOPED(string) char *kept = mem_string(job->load->kept);
    load_free(STEAL(job->load));
    if (!stranded && job->target.source->recover && kept &&
        job->target.source->recover(job->service->os, kept, &job->target.what, &state, &ignored) <
            0 &&
        !stop_check(&ignored))
        return;
    error_clear(&ignored);
    restores_fail(job->service->catalog, job->id.text, failure->message, stranded, &ignored);
}

static int run(struct job *job, struct restore_report *report, struct error *err)
{
    struct os *os = job->service->os;
    if (fill_and_swap(job, err) < 0) {
        record_failure(job, err);
        return err->code == ERROR_STRANDED ? -1 : error_recode(err, ERROR_RESTORE);
    }
    report->rows = job->load->rows_loaded;
    /* The target is restored whatever becomes of the log: say so, and let the next run complete the
     * row. */
    if (record_success(job, report, err) < 0)
        return error_prefix(err, "restored, but the restore log could not be written");
    report->duration_ms = (os->clock_wall_ns(os) - job->started_ns) / 1000000;
    return 0;
}

static int prepare(struct job *job, struct restore_report *report, struct error *err)
{
    const struct restore_request *request = job->request;
    struct service *service = job->service;
    if (lookup_backup(service, request->backup, request->from, &job->located, err) < 0)
        return -1;
    report->backup_file = mem_string(job->located.file);
    if (request->verify && verify_first(job, err) < 0)
        return -1;
    if (open_artifact(job, err) < 0)
        return -1;
    if (restore_target_resolve(service, artifact_manifest(job->reader), artifact_kind(job->reader),
                               request->to, request->connection, &job->target, err) < 0)
        return -1;
    if (ulid_make(service->os, &job->id, err) < 0 || open_load(job, err) < 0)
        return -1;
    return preview(job, report, err);
}

static int restore_locked(struct job *job, struct restore_report *report, struct error *err)
{
    if (record_begin(job, report, err) < 0)
        return -1;
    return run(job, report, err);
}

static int restore_one(struct job *job, struct restore_report *report, struct error *err)
{
    if (prepare(job, report, err) < 0 || job->request->dry_run)
        return job->request->dry_run && err->code == ERROR_NONE ? 0 : -1;
    /* Before the lock, because a backup takes the same one. */
    if (job->request->safety == SAFETY_BACKUP && make_safety_backup(job, report, err) < 0)
        return -1;
    SCOPED(string) char *argument = restore_target_argument(&job->target);
    SCOPED(target_lock) struct target_lock *lock = NULL;
    if (catalog_lock_target(job->service->catalog, argument, "restore", &lock, err) < 0)
        return -1;
    return restore_locked(job, report, err);
}

int restore_run(struct service *service, const struct restore_request *request,
                struct restore_report *ret_report, struct error *err)
{
    struct job job = {
        .service = service,
        .request = request,
        .started_ns = service->os->clock_wall_ns(service->os),
    };
    struct restore_report report = {0};
    int result = restore_one(&job, &report, err);
    job_clear(&job);
    if (result < 0) {
        restore_report_clear(&report);
        return -1;
    }
    *ret_report = report;
    return 0;
}
