#include "service/verify.h"

#include "artifact/artifact.h"
#include "artifact/manifest.h"
#include "base/error.h"
#include "base/os.h"
#include "base/stop.h"
#include "catalog/backup_list.h"
#include "catalog/backup_seals.h"
#include "catalog/backups.h"
#include "catalog/catalog.h"
#include "service/lookup.h"
#include "service/redescribe.h"
#include "service/scratch.h"
#include "service/service.h"
#include "store/store.h"

#include <stdlib.h>
#include <string.h>

void verify_report_clear(struct verify_report *report)
{
    free(report->id);
    free(report->file);
    free(report->location);
    text_list_clear(&report->warnings);
    *report = (struct verify_report){0};
}

static int64_t elapsed_ms(struct os *os, int64_t since_ns)
{
    return (os->clock_monotonic_ns(os) - since_ns) / 1000000;
}

/* Scheduled database backups of a strange size are suspicious: too small is an error, too large a
 * warning. */
static int check_size(const struct service *service, const struct backup_row *row,
                      struct verify_report *report, struct error *err)
{
    bool applies =
        row && text_equal(row->trigger, "scheduled") && text_equal(row->type, "database");
    uint64_t minimum = service->options.verification_min_bytes;
    uint64_t maximum = service->options.verification_max_bytes;
    if (!applies)
        return 0;
    if (minimum && report->stored_bytes < minimum)
        return error_set(err, ERROR_CORRUPT,
                         "%s has %llu bytes, fewer than verification.min_size_mb allows",
                         report->file, (unsigned long long)report->stored_bytes);
    if (maximum && report->stored_bytes > maximum)
        text_list_give(&report->warnings,
                       mem_format("%s is larger than verification.max_size_mb", report->file));
    return 0;
}

/* The file and its manifest are those that the catalogue knows. A manifest that was `made` just now
 * is noted there. */
static int check_known(struct service *service, const struct located *located, const char *file,
                       bool made, const struct verify_result *result, struct error *err)
{
    if (!located->known)
        return 0;
    if (result->checksum[0] && located_check(located, file, result->checksum, err) < 0)
        return -1;
    if (made && !catalog_is_read_only(service->catalog))
        return backup_seals_add(service->catalog, located->row.id, file, result->seal, err);
    return made ? 0 : located_check_seal(located, file, result->seal, err);
}

/* Levels 0 to 2 of one file; adds to the report. */
static int verify_file(struct service *service, const struct verify_request *request,
                       const struct located *located, const char *file,
                       struct verify_report *report, struct error *err)
{
    struct artifact_open_options options = {
        .os = service->os,
        .store = located->store,
        .progress = request->progress,
        .file = file,
        .keys = request->keys,
        .jobs = request->jobs,
    };
    struct verify_result result = {0};
    int made = request->level >= 2 ? redescribe_run(located, &options, err) : 0;
    if (made < 0) {
        report->level = -1;
        return -1;
    }
    if (made)
        text_list_give(&report->warnings,
                       mem_format("its manifest was missing: %s.json is a new one", file));
    int level = request->level < 2 ? request->level : 2;
    int failed = artifact_verify(&options, level, &result, err);
    if (result.level < report->level)
        report->level = result.level;
    report->stored_bytes += result.stored_bytes;
    report->plain_bytes += result.plain_bytes;
    if (result.rows != UINT64_MAX)
        report->rows = result.rows + (report->rows == UINT64_MAX ? 0 : report->rows);
    text_list_add_all(&report->warnings, &result.warnings);
    if (failed == 0 && check_known(service, located, file, made > 0, &result, err) < 0) {
        report->level = -1;
        failed = -1;
    }
    verify_result_clear(&result);
    if (failed == 0 && request->level == 3) {
        failed = scratch_restore(service, &options, err);
        report->level = failed < 0 ? report->level : 3;
    }
    return failed;
}

/* The catalogue's word and the manifest's must be the same, or the file is not the one that was
 * backed up. */
static int check_against_row(const struct backup_row *row, const struct located *located,
                             const struct verify_report *report, struct error *err)
{
    if (!row || row->size_bytes < 0 || !report->stored_bytes)
        return 0;
    if ((uint64_t)row->size_bytes != report->stored_bytes)
        return error_set(err, ERROR_CORRUPT, "%s has %llu bytes, the catalogue says %lld",
                         located->file, (unsigned long long)report->stored_bytes,
                         (long long)row->size_bytes);
    return 0;
}

static int verify_located(struct service *service, const struct verify_request *request,
                          const struct located *located, struct verify_report *report,
                          struct error *err)
{
    report->file = mem_string(located->file);
    report->location = store_location(located->store, located->file);
    report->level = request->level == 3 ? 2 : request->level;
    report->rows = UINT64_MAX;
    const struct backup_row *row = located->known ? &located->row : NULL;
    if (row && catalog_is_read_only(service->catalog))
        text_list_add(&report->warnings, "the catalogue cannot be written: it does not show this");
    if (row) {
        report->id = mem_string(row->id);
        report->number = row->number;
    }
    const char *files[] = {located->file, located->second};
    for (size_t i = 0; i < ARRAY_SIZE(files) && files[i]; i++)
        if (verify_file(service, request, located, files[i], report, err) < 0)
            return -1;
    if (check_against_row(row, located, report, err) < 0 ||
        check_size(service, row, report, err) < 0) {
        report->level = -1;
        return -1;
    }
    return 0;
}

/* The row shows what was proven, or that damage was found: the way to a lower level is through a
 * failure only. */
static int remember(struct service *service, const struct backup_row *row,
                    const struct verify_report *report, int result, struct error *err)
{
    int64_t now_ns = service->os->clock_wall_ns(service->os);
    if (catalog_is_read_only(service->catalog))
        return 0;
    if (result == 0)
        return backups_set_verified(service->catalog, row->id, report->level, now_ns, err);
    struct error ignored = ERROR_INIT;
    if (err->code == ERROR_CORRUPT || err->code == ERROR_NOT_FOUND)
        backups_set_damaged(service->catalog, row->id, report->level, now_ns, &ignored);
    return 0;
}

int verify_run(struct service *service, const struct verify_request *request,
               struct verify_report *ret_report, struct error *err)
{
    struct os *os = service->os;
    int64_t started_ns = os->clock_monotonic_ns(os);
    struct verify_report report = {.level = -1};
    struct located located = {0};
    if (lookup_backup(service, request->backup, request->from, &located, err) < 0)
        return -1;
    int result = verify_located(service, request, &located, &report, err);
    report.duration_ms = elapsed_ms(os, started_ns);
    if (located.known && remember(service, &located.row, &report, result, err) < 0)
        result = -1;
    located_clear(&located);
    *ret_report = report;
    return result;
}

/* ---- all of them ---- */

static int collect_id(void *context, const struct backup_row *row, struct error *err)
{
    (void)err;
    text_list_add(context, row->id);
    return 0;
}

int verify_all(struct service *service, const struct verify_request *request,
               void (*done)(void *context, const struct verify_report *report,
                            const struct error *failure),
               void *context, struct error *err)
{
    SCOPED(text_list) struct text_list ids = TEXT_LIST_INIT;
    struct backup_filter filter = {.status = "success"};
    if (backups_list(service->catalog, &filter, collect_id, &ids, err) < 0)
        return -1;
    size_t failed = 0;
    for (size_t i = 0; i < ids.count; i++) {
        struct verify_request one = *request;
        one.backup = ids.items[i];
        struct verify_report report = {.level = -1};
        struct error failure = ERROR_INIT;
        if (stop_check(err) < 0)
            return -1;
        if (verify_run(service, &one, &report, &failure) < 0)
            failed++;
        done(context, &report, &failure);
        verify_report_clear(&report);
    }
    if (failed)
        return error_set(err, ERROR_CORRUPT, "%zu of %zu backups failed verification", failed,
                         ids.count);
    return 0;
}
