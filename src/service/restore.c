#include "service/restore.h"

#include "artifact/artifact.h"
#include "artifact/manifest.h"
#include "artifact/name.h"
#include "base/error.h"
#include "base/file.h"
#include "base/moment.h"
#include "base/os.h"
#include "base/stop.h"
#include "base/ulid.h"
#include "catalog/catalog.h"
#include "catalog/lock.h"
#include "catalog/restores.h"
#include "catalog/worker.h"
#include "service/backup.h"
#include "service/kept.h"
#include "service/lookup.h"
#include "service/restore_choice.h"
#include "service/restore_part.h"
#include "service/service.h"
#include "service/verify.h"
#include "source/source.h"

#include <stdlib.h>
#include <string.h>

static const char *const safety_names[] = {
    [SAFETY_SWAP] = "swap", [SAFETY_BACKUP] = "backup", [SAFETY_NONE] = "none"};

int safety_parse(const char *text, enum safety *ret_safety, struct error *err)
{
    for (size_t i = 0; i < ARRAY_SIZE(safety_names); i++) {
        if (strcmp(text, safety_names[i]) == 0) {
            *ret_safety = (enum safety)i;
            return 0;
        }
    }
    error_set(err, ERROR_USAGE, "no such safety: %s", text);
    return error_hint(
        err, "swap keeps the old one beside, backup makes a backup first, none keeps nothing");
}

static void plan_clear(struct restore_plan *plan)
{
    for (size_t i = 0; i < plan->count; i++) {
        free(plan->parts[i].file);
        load_preview_clear(&plan->parts[i].preview);
    }
}

void restore_report_clear(struct restore_report *report)
{
    free(report->id);
    free(report->target);
    free(report->backup_file);
    free(report->safety_kind);
    free(report->safety_text);
    free(report->way_back);
    plan_clear(&report->plan);
    *report = (struct restore_report){0};
}

/* One restore on its way. */
struct job {
    struct service *service;
    const struct restore_request *request;
    struct located located;
    struct restore_choice choice;
    struct restore_part parts[2];
    size_t count;
    struct ulid id;
    int64_t started_ns;
    char *safety_ref; /* of --safety backup: that backup's id */
};

static void job_clear(struct job *job)
{
    for (size_t i = 0; i < job->count; i++)
        restore_part_clear(&job->parts[i]);
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

/* "/srv/shop.db", or "/srv/shop.db and /srv/uploads"; to be freed. */
static char *both(const char *first, const char *second)
{
    return second ? mem_format("%s and %s", first, second) : mem_string(first);
}

/* ---- before anything is touched ---- */

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

/* A part whose swap may have to be taken back keeps what was there, whatever --safety says. */
static bool keeps(const struct job *job)
{
    return job->request->safety == SAFETY_SWAP || job->count > 1;
}

static int open_parts(struct job *job, struct error *err)
{
    for (size_t i = 0; i < job->choice.count; i++) {
        job->count = i + 1;
        if (restore_part_open(job->service, job->request, &job->located, job->choice.files[i],
                              &job->parts[i], err) < 0)
            return -1;
    }
    for (size_t i = 0; i < job->count; i++)
        if (restore_part_load(job->service, job->request, job->id.text, keeps(job), &job->parts[i],
                              err) < 0)
            return -1;
    return 0;
}

/* A file of a full backup that came alone says what it is a part of. */
static const char *left_out(const struct job *job)
{
    const struct restore_part *part = &job->parts[0];
    const struct manifest *manifest = artifact_manifest(part->reader);
    if (job->choice.left_out || job->count > 1 || !manifest || !manifest->group)
        return job->choice.left_out;
    return strcmp(restore_part_type(part), RESTORE_FILES) == 0 ? RESTORE_DATABASE : RESTORE_FILES;
}

static int preview(struct job *job, struct restore_plan *plan, struct error *err)
{
    plan->left_out = left_out(job);
    for (size_t i = 0; i < job->count; i++) {
        struct restore_part *part = &job->parts[i];
        if (restore_part_preview(part, &plan->parts[i].preview, err) < 0)
            return err->code == ERROR_NO_SPACE ? error_recode(err, ERROR_RESTORE) : -1;
        plan->parts[i].type = restore_part_type(part);
        plan->parts[i].file = mem_string(part->file);
        plan->count = i + 1;
    }
    return 0;
}

/* The swap of a tree carries away what lies in it, and with it what the other swap put there. */
static int check_apart(const struct restore_plan *plan, struct error *err)
{
    const struct text_list *first = &plan->parts[0].preview.places;
    const struct text_list *second = &plan->parts[1].preview.places;
    for (size_t i = 0; plan->count > 1 && i < first->count; i++)
        for (size_t k = 0; k < second->count; k++) {
            if (!path_holds(second->items[k], first->items[i]))
                continue;
            error_set(err, ERROR_RESTORE,
                      "the database %s lies in %s, which is replaced as a whole", first->items[i],
                      second->items[k]);
            return error_hint(err, "restore one after the other: --type files, then --type "
                                   "database");
        }
    return 0;
}

static int ask(struct job *job, const struct restore_plan *plan, struct error *err)
{
    const struct restore_request *request = job->request;
    bool production = false;
    for (size_t i = 0; i < job->count; i++)
        production |= service_is_production(job->service, &job->parts[i].target.configured);
    return request->confirm ? request->confirm(request->context, plan, production, err) : 0;
}

/* ---- the way back ---- */

/* What is there now, of what will be replaced. NULL: nothing. */
static const char *type_of_safety(const struct restore_plan *plan)
{
    const char *type = NULL;
    for (size_t i = 0; i < plan->count; i++)
        if (plan->parts[i].preview.exists)
            type = type ? "full" : plan->parts[i].type;
    return type;
}

/* What --safety backup does first: a backup of the target as it is now. */
static int make_safety_backup(struct job *job, struct restore_report *report, struct error *err)
{
    const struct restore_part *part = &job->parts[0];
    const char *type = type_of_safety(&report->plan);
    if (!type)
        return 0;
    if (job->count > 1 && !part->target.configured.name) {
        error_set(err, ERROR_USAGE,
                  "--safety backup: no target %s in the configuration, of which "
                  "to back up database and files",
                  part->target.what.name);
        return error_hint(err, "--safety swap keeps what is there without it");
    }
    struct backup_request backup = {
        .target = part->target.configured.name ? part->target.configured.name : part->argument,
        .type = type,
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

/* From it the next run can sort out one that was killed; to be freed. */
static char *kept_of(const struct job *job)
{
    struct kept_line lines[ARRAY_SIZE(job->parts)];
    for (size_t i = 0; i < job->count; i++)
        lines[i] = restore_part_line(&job->parts[i]);
    return kept_join(lines, job->count);
}

static const char *type_of_restore(const struct job *job)
{
    if (job->request->tables.count)
        return "tables";
    bool files = strcmp(restore_part_type(&job->parts[0]), RESTORE_FILES) == 0;
    return files ? "files" : "full";
}

/* The restore log's row, before the target is touched. Already now with the line: a run that is
 * killed while it fills leaves side copies that only this names. */
static int record_begin(struct job *job, struct restore_report *report, struct error *err)
{
    const struct restore_request *request = job->request;
    const struct restore_part *parts = job->parts;
    bool two = job->count > 1;
    SCOPED(string) char *tables = catalog_json_of_list(&request->tables);
    SCOPED(string) char *files = catalog_json_of_list(&request->include);
    SCOPED(string) char *kept = kept_of(job);
    SCOPED(string) char *target = both(parts[0].argument, two ? parts[1].argument : NULL);
    SCOPED(string) char *worker = worker_self(job->service->os);
    SCOPED(string)
    char *engine =
        two ? mem_format("%s+%s", parts[0].target.source->engine, parts[1].target.source->engine)
            : mem_string(parts[0].target.source->engine);
    struct restore_row row = {
        .backup_name = parts[0].file,
        .restore_type = type_of_restore(job),
        .target = target,
        .engine = engine,
        .safety_kind = safety_names[request->safety],
        .safety_ref = kept,
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

static int fill_parts(struct job *job, struct error *err)
{
    for (size_t i = 0; i < job->count; i++)
        if (restore_part_fill(&job->parts[i], err) < 0)
            return -1;
    return stop_check(err) < 0 ? -1 : catalog_refresh(job->service->catalog, err);
}

/* The swaps before the one that failed. When one cannot be taken back, the restore log's row stays
 * as it is, and the next start of kedge tries again. */
static int take_back(struct job *job, size_t failed, struct error *err)
{
    struct error problem = ERROR_INIT;
    for (size_t i = failed; i-- > 0;) {
        struct restore_part *part = &job->parts[i];
        if (restore_part_put_back(job->service, part, &problem) == 0)
            continue;
        error_set(err, ERROR_STRANDED, "%s; and %s is as restored, because going back failed: %s",
                  err->message, part->argument, problem.message);
        return error_hint(err, "the next start of kedge, as by kedge restores, tries again to put "
                               "it back");
    }
    return -1;
}

static int swap_parts(struct job *job, struct error *err)
{
    for (size_t i = 0; i < job->count; i++) {
        struct restore_part *part = &job->parts[i];
        if (restore_part_swap(part, err) == 0)
            continue;
        if (job->count > 1)
            error_prefix(err, "%s", part->argument);
        if (!i)
            return -1;
        if (err->code != ERROR_STRANDED)
            return take_back(job, i, err);
        return error_hint(err,
                          "%s is as restored; the next start of kedge, as by kedge restores, "
                          "completes the other",
                          job->parts[0].argument);
    }
    return 0;
}

static int fill_and_swap(struct job *job, struct error *err)
{
    if (fill_parts(job, err) < 0)
        return -1;
    SCOPED(string) char *kept = kept_of(job);
    if (restores_set_ref(job->service->catalog, job->id.text, kept, undo_until(job), err) < 0)
        return -1;
    int result = swap_parts(job, err);
    /* It may have ended our own session too. */
    struct error ignored = ERROR_INIT;
    catalog_refresh(job->service->catalog, &ignored);
    return result;
}

/* What leads back: the drivers' note on the old copies, or the safety backup, or nothing. */
static int record_success(struct job *job, struct restore_report *report, struct error *err)
{
    const struct restore_request *request = job->request;
    SCOPED(string)
    char *backup = mem_format("{\"backup\":\"%s\"}", job->safety_ref ? job->safety_ref : "");
    SCOPED(string) char *kept = kept_of(job);
    SCOPED(string) char *tables = catalog_json_of_list(&request->tables);
    SCOPED(string) char *files = catalog_json_of_list(&request->include);
    struct restore_row row = {.tables_restored = tables, .files_restored = files};
    memcpy(row.id, job->id.text, sizeof row.id);
    if (type_of_safety(&report->plan) && request->safety != SAFETY_NONE) {
        report->undo_until_ns = undo_until(job);
        report->way_back = mem_format("kedge undo %lld", (long long)report->number);
    }
    if (request->safety == SAFETY_SWAP)
        row.safety_ref = kept;
    if (request->safety == SAFETY_BACKUP && job->safety_ref)
        row.safety_ref = backup;
    row.undo_until_ns = row.safety_ref ? undo_until(job) : 0;
    return restores_finish(job->service->catalog, &row, err);
}

/* The old copies that were only kept for the case that the second swap fails. */
static void discard_old(struct job *job)
{
    for (size_t i = 0; job->count > 1 && i < job->count; i++) {
        struct error problem = ERROR_INIT;
        if (job->request->safety != SAFETY_SWAP &&
            restore_part_discard(job->service, &job->parts[i], &problem) < 0)
            note(job, "what was there before stays: %s", problem.message);
    }
}

/* 1 when the part is as before with nothing left over, 0 when it is not or that cannot be told. */
static bool is_settled(struct job *job, struct restore_part *part, struct error *err)
{
    enum load_state state = LOAD_BEFORE;
    SCOPED(string) char *kept = mem_string(part->load->kept);
    load_free(STEAL(part->load));
    if (!part->target.source->recover || !kept)
        return true;
    int recovered =
        part->target.source->recover(job->service->os, kept, &part->target.what, &state, err);
    return recovered < 0 ? stop_check(err) < 0 : state == LOAD_BEFORE || job->count == 1;
}

/* The side copies go with the loads. When a server is out of reach its stays, and so does the row,
 * as it is: from it the next run tidies up, as after a kill. So it does after a swap of two that
 * could neither be completed nor taken back. */
static void record_failure(struct job *job, const struct error *failure)
{
    struct error ignored = ERROR_INIT;
    bool stranded = failure->code == ERROR_STRANDED;
    bool settled = !stranded || job->count == 1;
    for (size_t i = 0; !stranded && i < job->count; i++)
        settled &= is_settled(job, &job->parts[i], &ignored);
    error_clear(&ignored);
    if (settled)
        restores_fail(job->service->catalog, job->id.text, failure->message, stranded, &ignored);
}

/* Of a choice nobody counts them, nor of a file without a manifest. */
static uint64_t bytes_restored(const struct job *job)
{
    const struct restore_request *request = job->request;
    uint64_t bytes = 0;
    if (request->tables.count || request->include.count || request->leaves_out)
        return UINT64_MAX;
    for (size_t i = 0; i < job->count; i++) {
        if (!job->parts[i].options.plain_size)
            return UINT64_MAX;
        bytes += job->parts[i].options.plain_size;
    }
    return bytes;
}

static int run(struct job *job, struct restore_report *report, struct error *err)
{
    struct os *os = job->service->os;
    if (fill_and_swap(job, err) < 0) {
        record_failure(job, err);
        return err->code == ERROR_STRANDED ? -1 : error_recode(err, ERROR_RESTORE);
    }
    for (size_t i = 0; i < job->count; i++)
        report->plan.parts[i].restored = job->parts[i].load->rows_loaded;
    bool pages = !artifact_kind_counts_rows(job->parts[0].options.format);
    report->rows =
        pages && !job->request->tables.count ? UINT64_MAX : report->plan.parts[0].restored;
    report->bytes = bytes_restored(job);
    /* The target is restored whatever becomes of the log: say so, and let the next run complete the
     * row. */
    if (record_success(job, report, err) < 0)
        return error_prefix(err, "restored, but the restore log could not be written");
    discard_old(job);
    report->duration_ms = (os->clock_wall_ns(os) - job->started_ns) / 1000000;
    return 0;
}

static int prepare(struct job *job, struct restore_report *report, struct error *err)
{
    const struct restore_request *request = job->request;
    struct service *service = job->service;
    struct restore_plan *plan = &report->plan;
    if (lookup_backup(service, request->backup, request->from, &job->located, err) < 0)
        return -1;
    if (restore_choose(service->os, request, &job->located, &job->choice, err) < 0)
        return -1;
    report->backup_file = mem_string(job->choice.files[0]);
    if (request->verify && verify_first(job, err) < 0)
        return -1;
    if (ulid_make(service->os, &job->id, err) < 0 || open_parts(job, err) < 0 ||
        preview(job, plan, err) < 0 || check_apart(plan, err) < 0)
        return -1;
    report->target =
        both(plan->parts[0].preview.target, plan->count > 1 ? plan->parts[1].preview.target : NULL);
    return request->dry_run ? 0 : ask(job, plan, err);
}

static int restore_all(struct job *job, struct restore_report *report, struct error *err)
{
    if (prepare(job, report, err) < 0 || job->request->dry_run)
        return job->request->dry_run && err->code == ERROR_NONE ? 0 : -1;
    /* Before the locks, because a backup takes the same ones. */
    if (job->request->safety == SAFETY_BACKUP && make_safety_backup(job, report, err) < 0)
        return -1;
    for (size_t i = 0; i < job->count; i++)
        if (restore_part_lock(job->service->catalog, &job->parts[i], err) < 0)
            return -1;
    if (record_begin(job, report, err) < 0)
        return -1;
    return run(job, report, err);
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
    int result = restore_all(&job, &report, err);
    job_clear(&job);
    if (result < 0) {
        restore_report_clear(&report);
        return -1;
    }
    *ret_report = report;
    return 0;
}
