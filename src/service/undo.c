#include "service/undo.h"

#include "base/error.h"
#include "base/moment.h"
#include "base/os.h"
#include "base/ulid.h"
#include "catalog/catalog.h"
#include "catalog/lock.h"
#include "catalog/restores.h"
#include "catalog/worker.h"
#include "service/kept.h"
#include "service/restore.h"
#include "service/service.h"
#include "source/source.h"

#include <stdlib.h>
#include <string.h>

void undo_report_clear(struct undo_report *report)
{
    free(report->target);
    free(report->changed);
    *report = (struct undo_report){0};
}

static int find_by_name(struct service *service, const char *name, struct restore_row *ret_row,
                        struct error *err)
{
    int64_t number = 0;
    if (ulid_valid(name))
        return restores_get(service->catalog, name, ret_row, err);
    if (text_parse_int(name, 1, INT64_MAX, &number, err) < 0)
        return error_prefix(err, "restore");
    return restores_get_number(service->catalog, number, ret_row, err);
}

/* The restore that is meant: a certain one, or the newest that can be undone (or whose undoing
 * can). */
static int find_restore(struct service *service, const char *name, struct restore_row *ret_row,
                        struct error *err)
{
    int found = name ? find_by_name(service, name, ret_row, err)
                     : restores_get_undoable(service->catalog, NULL, true, ret_row, err);
    if (found < 0)
        return -1;
    if (!found && name)
        return error_set(err, ERROR_NOT_FOUND, "no restore %s", name);
    if (!found) {
        error_set(err, ERROR_NOT_FOUND, "there is no restore to undo");
        return error_hint(err, "kedge restores lists them, and until when each can be undone");
    }
    return 0;
}

static int check_undoable(const struct service *service, const struct restore_row *row,
                          struct error *err)
{
    long long number = (long long)row->number;
    if (strcmp(row->status, "success") != 0)
        return error_set(err, ERROR_USAGE, "restore %lld did not change its target", number);
    if (!row->safety_ref)
        return error_set(err, ERROR_USAGE, "restore %lld kept nothing to go back to", number);
    if (row->undo_until_ns && row->undo_until_ns < service->os->clock_wall_ns(service->os))
        return error_set(err, ERROR_USAGE,
                         "restore %lld can no longer be undone: its date has passed", number);
    return 0;
}

typedef int confirm_fn(void *context, const struct undo_report *plan, struct error *err);

/* One undo on its way: of a full backup's restore it has two parts. */
struct way {
    struct service *service;
    const struct restore_row *row;
    struct kept kept;
    bool done[KEPT_MAXIMUM]; /* this part is where the undo leads to */
    struct target_lock *locks[KEPT_MAXIMUM];
};

static void way_clear(struct way *way)
{
    for (size_t i = 0; i < KEPT_MAXIMUM; i++)
        target_lock_free(way->locks[i]);
    kept_clear(&way->kept);
}

static enum load_state destination(const struct way *way)
{
    return way->row->undone_ns ? LOAD_AFTER : LOAD_BEFORE;
}

/* An undo that was killed after its exchange left the log behind: 1 when only the log is to be
 * brought up to date. */
static int is_done_already(const struct way *way, const struct kept_part *part, struct error *err)
{
    enum load_state state = LOAD_BEFORE;
    if (!part->source->side || strcmp(way->row->restore_type, "tables") == 0)
        return 0;
    int told = part->source->side(way->service->os, part->json, &part->what, &state, err);
    return told > 0 ? state == destination(way) : told;
}

static int open_way(struct way *way, struct error *err)
{
    if (kept_open(way->service, way->row, &way->kept, err) < 0)
        return -1;
    for (size_t i = 0; i < way->kept.count; i++) {
        const struct kept_part *part = &way->kept.parts[i];
        if (catalog_lock_target(way->service->catalog, part->target, "undo", &way->locks[i], err) <
            0)
            return -1;
        int done = is_done_already(way, part, err);
        if (done < 0)
            return -1;
        way->done[i] = done;
    }
    return 0;
}

static bool all_done(const struct way *way)
{
    size_t count = 0;
    for (size_t i = 0; i < way->kept.count; i++)
        count += way->done[i];
    return count == way->kept.count;
}

/* Refuses what cannot work, and tells what was written since. */
static int foresee(const struct way *way, struct undo_report *report, struct error *err)
{
    for (size_t i = 0; i < way->kept.count; i++) {
        const struct kept_part *part = &way->kept.parts[i];
        SCOPED(string) char *changed = NULL;
        if (way->done[i])
            continue;
        if (part->source->undo(way->service->os, part->json, &part->what, true, &changed, err) < 0)
            return -1;
        if (!changed)
            continue;
        SCOPED(string) char *before = STEAL(report->changed);
        report->changed = before ? mem_format("%s; %s", before, changed) : STEAL(changed);
    }
    return 0;
}

/* From here to the log's last word a kill leaves the row to the next start. */
static int mark(const struct way *way, struct error *err)
{
    if (way->kept.count < 2)
        return 0;
    SCOPED(string) char *line = kept_mark_undo(&way->kept, destination(way));
    SCOPED(string) char *worker = worker_self(way->service->os);
    return restores_set_undoing(way->service->catalog, way->row->id, line, worker, err);
}

static int write_log(const struct way *way, int64_t undone_ns, struct error *err)
{
    const struct restore_row *row = way->row;
    SCOPED(string) char *line = kept_unmark(&way->kept);
    /* The exchange ends all sessions in the database, and ours may be one. */
    if (catalog_refresh(way->service->catalog, err) < 0)
        return -1;
    return restores_set_undone(way->service->catalog, row->id, undone_ns, line, row->undo_until_ns,
                               err);
}

/* One of the parts failed: the other is taken where it was. When that fails too, or the part is
 * stranded, the row stays marked, and the next start tries again. */
static int return_parts(struct way *way, struct error *err)
{
    struct error problem = ERROR_INIT;
    if (way->kept.count < 2 || err->code == ERROR_STRANDED)
        return err->code == ERROR_STRANDED ? -1 : error_recode(err, ERROR_RESTORE);
    for (size_t i = 0; i < way->kept.count; i++) {
        const struct kept_part *part = &way->kept.parts[i];
        if (!way->done[i] || kept_undo(way->service, part, &problem) == 0)
            continue;
        error_set(err, ERROR_STRANDED,
                  "%s; and %s is as %s the restore, because going back "
                  "failed: %s",
                  err->message, part->target, destination(way) == LOAD_BEFORE ? "before" : "after",
                  problem.message);
        return error_hint(err, "the next start of kedge, as by kedge restores, tries again");
    }
    write_log(way, way->row->undone_ns, &problem);
    error_hint(err, "kedge undo %lld tries again", (long long)way->row->number);
    return error_recode(err, ERROR_RESTORE);
}

static int swap_back(struct way *way, struct error *err)
{
    if (mark(way, err) < 0)
        return -1;
    for (size_t i = 0; i < way->kept.count; i++) {
        const struct kept_part *part = &way->kept.parts[i];
        if (!way->done[i] && kept_undo(way->service, part, err) < 0)
            return return_parts(way, err);
        way->done[i] = true;
    }
    return 0;
}

static int undo_open(struct way *way, confirm_fn *confirm, void *context,
                     struct undo_report *report, struct error *err)
{
    if (open_way(way, err) < 0)
        return -1;
    if (!all_done(way) &&
        (foresee(way, report, err) < 0 || (confirm && confirm(context, report, err) < 0) ||
         swap_back(way, err) < 0))
        return -1;
    return write_log(way, way->row->undone_ns ? 0 : catalog_now(way->service->catalog), err);
}

static int undo_swap(struct service *service, const struct restore_row *row, confirm_fn *confirm,
                     void *context, struct undo_report *report, struct error *err)
{
    struct way way = {.service = service, .row = row};
    int result = undo_open(&way, confirm, context, report, err);
    way_clear(&way);
    return result;
}

/* A database goes back to where the restore was; trees, and both parts of a full backup, go back
 * to where the safety backup found them. */
static const char *place_of(const struct restore_row *row)
{
    const struct source_ops *source = row->engine ? source_find(row->engine) : NULL;
    return source && source->capabilities & SOURCE_DATABASE ? row->target : NULL;
}

/* The way back of --safety backup is a restore of that backup, which keeps its own way forth. */
static int undo_backup(struct service *service, const struct restore_row *row, const char *backup,
                       confirm_fn *confirm, void *context, struct undo_report *report,
                       struct error *err)
{
    if (confirm && confirm(context, report, err) < 0)
        return -1;
    struct restore_request request = {
        .backup = backup,
        .to = place_of(row),
        .safety = SAFETY_SWAP,
        .jobs = service->options.jobs,
    };
    struct restore_report restored = {0};
    if (restore_run(service, &request, &restored, err) < 0)
        return -1;
    restore_report_clear(&restored);
    return restores_set_undone(service->catalog, row->id, catalog_now(service->catalog), NULL, 0,
                               err);
}

static int undo_row(struct service *service, const struct restore_row *row, confirm_fn *confirm,
                    void *context, struct undo_report *report, struct error *err)
{
    SCOPED(string) char *backup = kept_backup(row);
    if (check_undoable(service, row, err) < 0)
        return -1;
    report->number = row->number;
    report->target = mem_string(row->target);
    report->forth = row->undone_ns != 0;
    if (backup)
        return undo_backup(service, row, backup, confirm, context, report, err);
    return undo_swap(service, row, confirm, context, report, err);
}

int undo_run(struct service *service, const char *restore, confirm_fn *confirm, void *context,
             struct undo_report *ret_report, struct error *err)
{
    SCOPED(restore_row) struct restore_row row = {0};
    struct undo_report report = {0};
    if (find_restore(service, restore, &row, err) < 0)
        return -1;
    if (undo_row(service, &row, confirm, context, &report, err) < 0) {
        undo_report_clear(&report);
        return -1;
    }
    *ret_report = report;
    return 0;
}
