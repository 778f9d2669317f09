#include "service/backup.h"

#include "artifact/artifact.h"
#include "artifact/manifest.h"
#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "base/moment.h"
#include "base/os.h"
#include "base/stop.h"
#include "catalog/backup_find.h"
#include "catalog/backups.h"
#include "catalog/catalog.h"
#include "catalog/lock.h"
#include "crypto/age.h"
#include "service/backup_copy.h"
#include "service/backup_record.h"
#include "service/backup_room.h"
#include "service/service.h"
#include "service/target.h"
#include "source/source.h"
#include "store/store.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* A dump that found the schema changed under it is thrown away and taken again this often. */
enum { DUMP_TRIES = 3 };

/* One backup on its way: what was asked, what it means, and what came of it so far. */
struct job {
    struct service *service;
    const struct backup_request *request;
    struct target target;
    const char *type;
    struct compression_choice compression;
    struct store *store;
    char *destination;
    struct backup_record record;
    int64_t started_ns;
    int64_t retention_days;
    struct manifest parts[2]; /* as committed */
    int part_count;
    struct text_list reasons;
};

static void job_clear(struct job *job)
{
    target_clear(&job->target);
    store_close(job->store);
    free(job->destination);
    backup_record_clear(&job->record);
    for (int i = 0; i < job->part_count; i++)
        manifest_clear(&job->parts[i]);
    text_list_clear(&job->reasons);
}

void backup_report_clear(struct backup_report *report)
{
    free(report->id);
    free(report->target);
    for (int i = 0; i < report->file_count; i++) {
        free(report->files[i].file);
        free(report->files[i].location);
    }
    text_list_clear(&report->reasons);
    text_list_clear(&report->warnings);
    text_list_clear(&report->also_at);
    *report = (struct backup_report){0};
}

/* ---- what is wanted ---- */

static int choose_type(struct job *job, struct error *err)
{
    const struct target *target = &job->target;
    const char *type = job->request->type;
    if (!type)
        type = target->has_database ? "database" : "files";
    job->type = type;

    bool database = strcmp(type, "database") == 0 || strcmp(type, "full") == 0;
    bool files = strcmp(type, "files") == 0 || strcmp(type, "full") == 0;
    if (strcmp(type, "incremental") == 0) {
        error_set(err, ERROR_NO_REPOSITORY, "an incremental backup needs a repository");
        return error_hint(err, "a portable artifact is always whole: use --type %s",
                          target->has_database ? "database" : "files");
    }
    if (!database && !files && strcmp(type, "configuration") != 0)
        return error_set(err, ERROR_USAGE, "no such type of backup: %s", type);
    if (database && !target->has_database)
        return error_set(err, ERROR_USAGE, "target %s has no database", target->name);
    if (strcmp(type, "configuration") == 0 && !target->configuration.count) {
        error_set(err, ERROR_USAGE, "target %s has no configuration", target->name);
        return error_hint(err, "name its paths under targets.%s.configuration in kedge.yaml",
                          target->name);
    }
    if (files && !target->paths.count) {
        error_set(err, ERROR_USAGE, "target %s has no paths", target->name);
        return error_hint(err, "name them under targets.%s.paths in kedge.yaml", target->name);
    }
    return 0;
}

static int choose_compression(struct job *job, struct error *err)
{
    const char *text = job->request->compress ? job->request->compress : job->target.compress;
    return compression_parse(text ? text : "zstd", &job->compression, err);
}

static const struct text_list *recipients_of(const struct job *job)
{
    return job->request->encrypt.count ? &job->request->encrypt : &job->target.encrypt;
}

static const char *first_destination(const struct job *job)
{
    if (job->request->to)
        return job->request->to;
    return job->target.destinations.count ? job->target.destinations.items[0] : NULL;
}

/* ---- one file ---- */

/* A part is what one source writes into one file. */
struct part {
    const char *type;   /* database, files, configuration */
    const char *suffix; /* in the name; NULL for the only or first one */
    const struct source_ops *source;
    const char *kind;
    struct source_target what;
};

static void dump_options_of(const struct job *job, struct dump_options *options)
{
    const struct backup_request *request = job->request;
    *options = (struct dump_options){
        .os = job->service->os,
        .progress = request->progress,
        .jobs = request->jobs,
        .logical = request->logical,
        .max_wait_ms = request->max_wait_ms,
        .tables = request->tables,
        .schemas = request->schemas,
        .one_file_system = request->one_file_system,
        .exclude_caches = request->exclude_caches,
        .roles = request->roles,
    };
    text_list_add_all(&options->exclude_tables, &request->exclude_tables);
    text_list_add_all(&options->exclude_tables, &job->target.exclude_tables);
    text_list_add_all(&options->exclude, &request->exclude);
    text_list_add_all(&options->exclude, &job->target.exclude);
}

static void dump_options_clear(struct dump_options *options)
{
    text_list_clear(&options->exclude_tables);
    text_list_clear(&options->exclude);
}

/* What the manifest says that only we know. */
static void describe(const struct job *job, const struct part *part, struct dump_result *result,
                     struct manifest *manifest)
{
    const struct target *target = &job->target;
    manifest->id = mem_string(job->record.row.id);
    manifest->number = job->record.row.number;
    manifest->app = mem_string(target->app ? target->app : target->name);
    manifest->target = mem_string(target->name);
    manifest->engine = mem_string(part->source->engine);
    manifest->engine_version = STEAL(result->engine_version);
    manifest->type = mem_string(job->type);
    manifest->created_ns = job->started_ns;
    manifest->consistent_at = STEAL(result->consistent_at);
    manifest->tool_version = mem_string(KEDGE_VERSION);
    manifest->source_bytes = result->source_bytes;
    manifest->rows = result->rows;
    manifest->incomplete = result->incomplete.count > 0;
    text_list_add_all(&manifest->incomplete_reasons, &result->incomplete);
    manifest->retention_days = job->retention_days > 0 ? job->retention_days : 0;
    if (manifest->retention_days)
        manifest->expires_ns = job->started_ns + manifest->retention_days * MOMENT_DAY;
    if (part->source->capabilities & SOURCE_DATABASE)
        manifest->connection = db_url_display(&part->what.url);
    if (strcmp(job->type, "full") == 0)
        manifest->group = mem_string(job->record.row.id);
    manifest->part = mem_string(part->suffix);
    text_list_add_all(&manifest->tags, &job->request->tags);
    manifest->metadata = STEAL(result->metadata);
}

static int write_part(struct job *job, const struct part *part, struct manifest *manifest,
                      struct error *err)
{
    const struct backup_request *request = job->request;
    struct artifact_options artifact = {
        .os = job->service->os,
        .store = job->store,
        .progress = request->progress,
        .name = part->what.name,
        .moment_ns = job->started_ns,
        .part = part->suffix,
        .kind = part->kind,
        .compression = job->compression,
        .jobs = request->jobs,
        .recipients = recipients_of(job),
        .passphrase = request->passphrase,
    };
    SCOPED(artifact_writer) struct artifact_writer *writer = NULL;
    if (artifact_create(&artifact, &writer, err) < 0)
        return -1;

    struct dump_options options;
    dump_options_of(job, &options);
    struct dump_result result = {0};
    int dumped = part->source->dump(&part->what, &options, artifact_sink(writer), &result, err);
    dump_options_clear(&options);
    if (dumped == 0) {
        describe(job, part, &result, manifest);
        text_list_add_all(&job->reasons, &result.incomplete);
        dumped = artifact_commit(writer, manifest, err);
    }
    dump_result_clear(&result);
    return dumped;
}

/* ---- which files ---- */

static int database_part(struct job *job, struct part *part, struct error *err)
{
    const char *engine = db_engine_name(job->target.url.engine);
    part->source = source_find(engine);
    if (!part->source)
        return error_set(err, ERROR_USAGE, "this kedge cannot back up %s databases", engine);
    part->kind = job->request->logical ? "sql" : part->source->kind;
    part->what.name = job->target.name;
    part->what.url = job->target.url;
    return 0;
}

static int files_part(struct job *job, const char *suffix, const struct text_list *paths,
                      struct part *part, struct error *err)
{
    part->source = source_find("files");
    if (!part->source)
        return error_set(err, ERROR_USAGE, "this kedge cannot back up files");
    part->kind = part->source->kind;
    part->suffix = suffix;
    part->what.name = job->target.name;
    part->what.paths = *paths;
    return 0;
}

/* The parts of this type of backup, in the order of their files; returns how many. What they hold
 * is borrowed from the job. */
static int plan_parts(struct job *job, struct part parts[2], struct error *err)
{
    int count = 0;
    if (strcmp(job->type, "configuration") == 0)
        return files_part(job, "configuration", &job->target.configuration, &parts[0], err) < 0 ? -1
                                                                                                : 1;
    bool full = strcmp(job->type, "full") == 0;
    if (full || strcmp(job->type, "database") == 0) {
        if (database_part(job, &parts[count++], err) < 0)
            return -1;
    }
    if (full || strcmp(job->type, "files") == 0) {
        if (files_part(job, full ? "files" : NULL, &job->target.paths, &parts[count++], err) < 0)
            return -1;
    }
    return count;
}

/* ---- before there is a row ---- */

static int check_recipients(const struct job *job, struct error *err)
{
    const struct text_list *recipients = recipients_of(job);
    for (size_t i = 0; i < recipients->count; i++)
        if (age_recipient_check(recipients->items[i], err) < 0)
            return -1;
    return 0;
}

static int check_parts(struct job *job, struct error *err)
{
    struct part parts[2] = {0};
    struct dump_options options;
    int count = plan_parts(job, parts, err);
    dump_options_of(job, &options);
    for (int i = 0; i < count; i++)
        if (parts[i].source->accepts && parts[i].source->accepts(&options, err) < 0)
            count = -1;
    dump_options_clear(&options);
    return count < 0 ? -1 : 0;
}

static int prepare(struct job *job, struct error *err)
{
    const struct backup_request *request = job->request;
    if (service_target(job->service, request->target, &job->target, err) < 0)
        return -1;
    if (choose_type(job, err) < 0 || choose_compression(job, err) < 0 ||
        check_recipients(job, err) < 0 || check_parts(job, err) < 0)
        return -1;
    job->retention_days =
        request->retention_days >= 0 ? request->retention_days : job->target.retention_days;
    return service_store(job->service, first_destination(job), true, &job->store, &job->destination,
                         err);
}

/* ---- the work ---- */

/* A dump during which the schema changed is thrown away and taken again. */
static int write_part_patiently(struct job *job, const struct part *part, struct manifest *manifest,
                                struct error *err)
{
    for (int left = DUMP_TRIES;; left--) {
        int result = write_part(job, part, manifest, err);
        if (result == 0 || err->code != ERROR_CHANGED || left == 1)
            return result < 0 && err->code == ERROR_CHANGED ? error_recode(err, ERROR_SOURCE)
                                                            : result;
        log_warning("%s: %s; starting again", job->target.name, err->message);
        manifest_clear(manifest);
        error_clear(err);
    }
}

static int write_parts(struct job *job, struct error *err)
{
    struct part parts[2] = {0};
    int count = plan_parts(job, parts, err);
    if (count < 0)
        return -1;
    for (int i = 0; i < count; i++) {
        if (write_part_patiently(job, &parts[i], &job->parts[i], err) < 0)
            return -1;
        job->part_count = i + 1;
    }
    return 0;
}

/* What was published before a later part failed must not stay. */
static void unpublish(struct job *job)
{
    for (int i = 0; i < job->part_count; i++) {
        struct error ignored = ERROR_INIT;
        artifact_remove(job->store, job->parts[i].file, &ignored);
    }
}

/* ---- what came of it ---- */

static void fill_report(const struct job *job, struct backup_report *report)
{
    const struct backup_row *row = &job->record.row;
    report->id = mem_string(row->id);
    report->number = row->number;
    report->target = mem_string(job->target.name);
    assert(job->part_count <= (int)ARRAY_SIZE(report->files));
    report->file_count = job->part_count;
    for (int i = 0; i < job->part_count; i++) {
        const struct manifest *part = &job->parts[i];
        report->files[i] = (struct backup_file_report){
            .file = mem_string(part->file),
            .location = store_location(job->store, part->file),
            .size_bytes = part->size_bytes,
        };
    }
    report->size_bytes = (uint64_t)row->size_bytes;
    report->source_bytes = (uint64_t)row->source_bytes;
    report->rows = row->rows < 0 ? UINT64_MAX : (uint64_t)row->rows;
    report->duration_ms = row->duration_ms;
    report->expires_ns = row->expires_ns;
    report->incomplete = job->reasons.count > 0;
    text_list_add_all(&report->reasons, &job->reasons);
}

/* Further destinations get the same bytes. A copy that fails is a warning: the backup itself is
 * safe where it is. */
static void copy_elsewhere(struct job *job, struct backup_report *report)
{
    const struct text_list *destinations = &job->target.destinations;
    for (size_t i = 1; !job->request->to && i < destinations->count; i++) {
        struct error err = ERROR_INIT;
        for (int part = 0; part < job->part_count; part++) {
            SCOPED(string) char *location = NULL;
            if (backup_copy(job->service, job->record.row.id, &job->parts[part], job->store,
                            destinations->items[i], &location, &err) < 0) {
                text_list_give(&report->warnings, mem_format("no copy at %s: %s",
                                                             destinations->items[i], err.message));
                break;
            }
            text_list_add(&report->also_at, location);
        }
    }
}

/* A clock that was set back makes the newest backup look older than the one before it. */
static void warn_of_clock(struct job *job, struct backup_report *report)
{
    struct error ignored = ERROR_INIT;
    struct os *os = job->service->os;
    SCOPED(backup_row) struct backup_row newest = BACKUP_ROW_INIT;
    char moment[32];
    if (backups_get_latest(job->service->catalog, job->target.name, NULL, true, &newest,
                           &ignored) <= 0 ||
        newest.created_ns <= os->clock_wall_ns(os))
        return;
    moment_format_local(newest.created_ns, moment);
    text_list_give(
        &report->warnings,
        mem_format("the clock is before that of backup %lld of %s (%s), which latest and "
                   "cleanup take for the newest until then",
                   (long long)newest.number, job->target.name, moment));
}

/* The row first: files go only once no row can call them a success. A catalogue that cannot be
 * written keeps both, and the next start settles the row. */
static void take_back(struct job *job, const struct error *failure)
{
    if (backup_record_fail(job->service, &job->record, failure) == 0)
        unpublish(job);
}

static int make(struct job *job, struct error *err)
{
    if (write_parts(job, err) < 0 ||
        backup_record_finish(job->service, &job->record, job->parts, job->part_count, &job->reasons,
                             err) < 0) {
        take_back(job, err);
        backup_room_explain(job->service, job->store, job->target.name, err);
        return -1;
    }
    return 0;
}

/* One run at a time on one database, whatever name it is called by. */
static int lock_target(struct job *job, struct target_lock **ret_lock, struct error *err)
{
    SCOPED(string) char *name = target_identity(&job->target);
    return catalog_lock_target(job->service->catalog, name, "backup", ret_lock, err);
}

int backup_run(struct service *service, const struct backup_request *request,
               struct backup_report *ret_report, struct error *err)
{
    struct job job = {
        .service = service,
        .request = request,
        .target.retention_days = -1,
        .started_ns = service->os->clock_wall_ns(service->os),
    };
    SCOPED(target_lock) struct target_lock *lock = NULL;
    int result = prepare(&job, err);
    if (result == 0)
        result = lock_target(&job, &lock, err);
    if (result == 0)
        result = backup_record_begin(service, &job.target, job.destination, job.store->url,
                                     job.type, request->trigger, request->notes, job.retention_days,
                                     &job.record, err);
    if (result == 0)
        result = make(&job, err);
    if (result == 0) {
        struct backup_report report = {0};
        fill_report(&job, &report);
        copy_elsewhere(&job, &report);
        warn_of_clock(&job, &report);
        *ret_report = report;
    }
    job_clear(&job);
    return result;
}
