#include "service/restore.h"

#include "base/error.h"
#include "base/moment.h"
#include "base/os.h"
#include "base/ulid.h"
#include "catalog/catalog.h"
#include "catalog/lock.h"
#include "catalog/restores.h"
#include "service/kept.h"
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

static int swap_back(struct service *service, const struct restore_row *row,
                     const struct kept *kept, bool done, struct error *err)
{
    int64_t undone_ns = row->undone_ns ? 0 : catalog_now(service->catalog);
    if (!done && kept->source->undo(service->os, kept->json, &kept->what, false, NULL, err) < 0)
        return err->code == ERROR_STRANDED ? -1 : error_recode(err, ERROR_RESTORE);
    /* The exchange ends all sessions in the database, and ours may be one. */
    if (catalog_refresh(service->catalog, err) < 0)
        return -1;
    return restores_set_undone(service->catalog, row->id, undone_ns, row->safety_ref,
                               row->undo_until_ns, err);
}

/* An undo that was killed after its exchange left the log behind: 1 when only the log is to be
 * brought up to date. */
static int is_done_already(struct service *service, const struct restore_row *row,
                           const struct kept *kept, struct error *err)
{
    enum load_state expected = row->undone_ns ? LOAD_BEFORE : LOAD_AFTER;
    enum load_state state = expected;
    if (!kept->source->side || strcmp(row->restore_type, "tables") == 0)
        return 0;
    int told = kept->source->side(service->os, kept->json, &kept->what, &state, err);
    return told > 0 ? state != expected : told;
}

static int undo_swap(struct service *service, const struct restore_row *row, confirm_fn *confirm,
                     void *context, struct undo_report *report, struct error *err)
{
    SCOPED(kept) struct kept kept = {0};
    SCOPED(target_lock) struct target_lock *lock = NULL;
    if (kept_open(service, row, &kept, err) < 0)
        return -1;
    if (catalog_lock_target(service->catalog, row->target, "undo", &lock, err) < 0)
        return -1;
    int done = is_done_already(service, row, &kept, err);
    if (done < 0)
        return -1;
    if (!done &&
        kept.source->undo(service->os, kept.json, &kept.what, true, &report->changed, err) < 0)
        return -1;
    if (!done && confirm && confirm(context, report, err) < 0)
        return -1;
    return swap_back(service, row, &kept, done, err);
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
        .to = row->target,
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
