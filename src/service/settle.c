#include "service/settle.h"

#include "base/error.h"
#include "catalog/backup_work.h"
#include "catalog/backups.h"
#include "catalog/catalog.h"
#include "catalog/restores.h"
#include "service/kept.h"
#include "service/service.h"
#include "source/source.h"

#include <string.h>

static int on_dead_backup(void *context, const struct backup_row *row, struct error *err)
{
    (void)err;
    struct service *service = context;
    text_list_give(&service->notes,
                   mem_format("backup %lld of %s was interrupted and is marked as failed",
                              (long long)row->number, row->target));
    return 0;
}

/* Its source looks at which side of the swap the target is, and tidies up on that side. */
static int recover(struct service *service, const struct restore_row *row,
                   enum load_state *ret_state, struct error *err)
{
    SCOPED(kept) struct kept kept = {0};
    int found = kept_open(service, row, &kept, err);
    *ret_state = LOAD_BEFORE;
    if (found <= 0)
        return found;
    return kept.source->recover(service->os, kept.json, &kept.what, ret_state, err);
}

static int finish_restore(struct service *service, const struct restore_row *row, struct error *err)
{
    struct restore_row done = *row;
    if (strcmp(row->safety_kind, "swap") != 0)
        done.safety_ref = NULL;
    done.notes = "completed after an interruption";
    text_list_give(&service->notes,
                   mem_format("restore %lld of %s was interrupted after the swap: it is complete",
                              (long long)row->number, row->target));
    return restores_finish(service->catalog, &done, err);
}

static int on_dead_restore(void *context, const struct restore_row *row, struct error *err)
{
    struct service *service = context;
    enum load_state state = LOAD_BEFORE;
    struct error failure = ERROR_INIT;
    /* A server that cannot be reached now must not stop everything else: the row waits for the next
     * start. */
    if (recover(service, row, &state, &failure) < 0) {
        text_list_give(
            &service->notes,
            mem_format("restore %lld of %s was interrupted and is not sorted out yet: %s",
                       (long long)row->number, row->target, failure.message));
        return 0;
    }
    if (state == LOAD_AFTER)
        return finish_restore(service, row, err);
    text_list_give(&service->notes,
                   mem_format("restore %lld of %s was interrupted: the target is as before",
                              (long long)row->number, row->target));
    return restores_fail(service->catalog, row->id, row->error_message, false, err);
}

int settle_interrupted(struct service *service, struct error *err)
{
    if (backups_settle_dead(service->catalog, on_dead_backup, service, err) < 0)
        return -1;
    return restores_each_dead(service->catalog, on_dead_restore, service, err);
}
