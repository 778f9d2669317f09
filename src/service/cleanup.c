#include "service/cleanup.h"

#include "base/error.h"
#include "base/moment.h"
#include "base/os.h"
#include "base/stop.h"
#include "catalog/backup_list.h"
#include "catalog/backups.h"
#include "catalog/catalog.h"
#include "catalog/destinations.h"
#include "catalog/restores.h"
#include "service/kept.h"
#include "service/leftovers.h"
#include "service/lookup.h"
#include "service/removal.h"
#include "service/scratch.h"
#include "service/service.h"
#include "store/store.h"

#include <stdlib.h>
#include <string.h>

/* A pass over the catalogue: rows are collected first, as removing changes what is being read. */
struct pass {
    struct service *service;
    const struct cleanup_request *request;
    struct cleanup_report *report;
    struct backup_row *rows;
    size_t count;
    size_t capacity;
};

static int collect(void *context, const struct backup_row *row, struct error *err)
{
    (void)err;
    struct pass *pass = context;
    ARRAY_GROW(pass->rows, pass->count, pass->capacity);
    backup_row_copy(row, &pass->rows[pass->count++]);
    return 0;
}

static void forget_rows(struct pass *pass)
{
    for (size_t i = 0; i < pass->count; i++)
        backup_row_clear(&pass->rows[i]);
    free(pass->rows);
    pass->rows = NULL;
    pass->count = pass->capacity = 0;
}

static void tell(const struct pass *pass, const struct backup_row *row, enum cleanup_action action,
                 const char *reason)
{
    struct cleanup_item item = {
        .action = action,
        .number = row->number,
        .name = row->file_path ? row->file_path : row->id,
        .target = row->target,
        .bytes = row->size_bytes > 0 ? (uint64_t)row->size_bytes : 0,
        .reason = reason,
    };
    if (pass->request->item)
        pass->request->item(pass->request->context, &item);
}

static int remove_row(struct pass *pass, const struct backup_row *row, const char *reason,
                      struct error *err)
{
    uint64_t bytes = row->size_bytes > 0 ? (uint64_t)row->size_bytes : 0;
    if (!pass->request->dry_run && removal_run(pass->service, row, &bytes, err) < 0)
        return -1;
    pass->report->backups++;
    pass->report->bytes += bytes;
    tell(pass, row, CLEANUP_EXPIRED, reason);
    return stop_check(err);
}

static int remove_expired(struct pass *pass, struct error *err)
{
    struct os *os = pass->service->os;
    int result = backups_list_expired(pass->service->catalog, pass->request->target,
                                      os->clock_wall_ns(os), collect, pass, err);
    for (size_t i = 0; result == 0 && i < pass->count; i++) {
        char when[32];
        moment_format_local(pass->rows[i].expires_ns, when);
        SCOPED(string) char *reason = mem_format("expired on %s", when);
        result = remove_row(pass, &pass->rows[i], reason, err);
    }
    forget_rows(pass);
    return result;
}

/* A deletion that was interrupted is finished. */
static int finish_deletions(struct pass *pass, struct error *err)
{
    struct backup_filter filter = {.status = "deleting", .target = pass->request->target};
    int result = backups_list(pass->service->catalog, &filter, collect, pass, err);
    for (size_t i = 0; result == 0 && i < pass->count; i++)
        result = remove_row(pass, &pass->rows[i], "its deletion had begun", err);
    forget_rows(pass);
    return result;
}

/* ---- why the others stay ---- */

static int explain_one(void *context, const struct backup_row *row, struct error *err)
{
    (void)err;
    struct pass *pass = context;
    if (strcmp(row->status, "success") != 0)
        return 0;
    struct os *os = pass->service->os;
    char when[32];
    SCOPED(string) char *reason = NULL;
    if (!row->expires_ns) {
        reason = mem_string("no expiry: kept until it is deleted");
    } else {
        moment_format_local(row->expires_ns, when);
        bool expired = row->expires_ns <= os->clock_wall_ns(os);
        reason = expired ? mem_format("expired on %s, kept as the newest good backup of its target",
                                      when)
                         : mem_format("kept until %s", when);
    }
    tell(pass, row, CLEANUP_KEEP, reason);
    return 0;
}

static int explain(struct pass *pass, struct error *err)
{
    struct backup_filter filter = {.status = "success", .target = pass->request->target};
    return backups_list(pass->service->catalog, &filter, explain_one, pass, err);
}

/* ---- destinations ---- */

static int clean_destination(struct pass *pass, const char *name, struct error *err)
{
    struct store *store = NULL;
    if (service_store_known(pass->service, name, &store, err) < 0) {
        /* One that was never used has nothing to clean. */
        if (err->code != ERROR_NOT_FOUND)
            return -1;
        error_clear(err);
        return 0;
    }
    int result = leftovers_run(pass->service, store, pass->request, pass->report, err);
    if (result == 0 && !pass->request->dry_run && pass->report->leftovers)
        result = store_sync(store, err);
    store_close(store);
    return result;
}

static int collect_destination(void *context, const struct destination_row *row, struct error *err)
{
    (void)err;
    text_list_add(context, row->name);
    return 0;
}

static int clean_destinations(struct pass *pass, struct error *err)
{
    SCOPED(text_list) struct text_list names = TEXT_LIST_INIT;
    if (destinations_list(pass->service->catalog, collect_destination, &names, err) < 0)
        return -1;
    for (size_t i = 0; i < names.count; i++)
        if (clean_destination(pass, names.items[i], err) < 0)
            return -1;
    return 0;
}

/* ---- what restores kept ---- */

static int discard_one(void *context, const struct restore_row *row, struct error *err)
{
    struct pass *pass = context;
    SCOPED(kept) struct kept kept = {0};
    bool really = !pass->request->dry_run;
    if (kept_open(pass->service, row, &kept, err) < 0 ||
        (really && (kept_discard(pass->service, &kept, err) < 0 ||
                    restores_set_discarded(pass->service->catalog, row->id, err) < 0)))
        return error_prefix(err, "old copy of restore %lld", (long long)row->number);
    pass->report->old_copies++;
    struct cleanup_item item = {.action = CLEANUP_OLD_COPY,
                                .number = row->number,
                                .name = row->target,
                                .target = row->target,
                                .reason = "what this restore replaced is past its date"};
    if (pass->request->item)
        pass->request->item(pass->request->context, &item);
    return 0;
}

static int discard_old_copies(struct pass *pass, struct error *err)
{
    struct os *os = pass->service->os;
    return restores_each_expired(pass->service->catalog, os->clock_wall_ns(os), discard_one, pass,
                                 err);
}

/* ---- what verifications left ---- */

static void tell_scratch(void *context, const char *path)
{
    struct pass *pass = context;
    struct cleanup_item item = {.action = CLEANUP_LEFTOVER,
                                .name = path,
                                .reason = "scratch copy of a verification that died"};
    pass->report->leftovers++;
    if (pass->request->item)
        pass->request->item(pass->request->context, &item);
}

int cleanup_run(struct service *service, const struct cleanup_request *request,
                struct cleanup_report *ret_report, struct error *err)
{
    struct cleanup_report report = {0};
    struct pass pass = {.service = service, .request = request, .report = &report};
    if (finish_deletions(&pass, err) < 0 || remove_expired(&pass, err) < 0)
        return -1;
    if (!request->target &&
        (clean_destinations(&pass, err) < 0 || discard_old_copies(&pass, err) < 0 ||
         scratch_cleanup(service, request->dry_run, tell_scratch, &pass, err) < 0))
        return -1;
    if (request->explain && explain(&pass, err) < 0)
        return -1;
    *ret_report = report;
    return 0;
}

/* ---- one, on purpose ---- */

int delete_run(struct service *service, const char *backup, bool force,
               int (*confirm)(void *context, const char *file, bool newest, struct error *err),
               void *context, char **ret_file, struct error *err)
{
    struct located located = {0};
    if (lookup_backup(service, backup, NULL, &located, err) < 0)
        return -1;
    int newest = 0;
    int result = -1;
    if (!located.known) {
        error_set(err, ERROR_NOT_FOUND, "%s is not in the catalogue", backup);
        error_hint(err, "kedge catalog rebuild takes it in; a file can be removed by hand");
    } else {
        newest = backups_is_kept(service->catalog, &located.row, err);
        result = newest < 0 ? -1 : 0;
    }
    if (result == 0 && confirm)
        result = confirm(context, located.file, newest > 0, err);
    if (result == 0 && newest > 0 && !force) {
        error_set(err, ERROR_DECLINED, "%s is the newest good backup of its target", located.file);
        result = error_hint(err, "--force deletes it all the same");
    }
    if (result == 0)
        result = removal_run(service, &located.row, NULL, err);
    if (result == 0)
        *ret_file = STEAL(located.file);
    located_clear(&located);
    return result;
}
