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

static void say(struct service *service, const struct restore_row *row, const char *what)
{
    text_list_give(&service->notes, mem_format("restore %lld of %s was interrupted%s",
                                               (long long)row->number, row->target, what));
}

/* ---- a restore ---- */

/* Each part's source looks at which side of its swap the target is, and tidies up on that side. */
static int recover(struct service *service, const struct kept *kept,
                   enum load_state ret_states[KEPT_MAXIMUM], struct error *err)
{
    for (size_t i = 0; i < kept->count; i++) {
        const struct kept_part *part = &kept->parts[i];
        if (part->source->recover(service->os, part->json, &part->what, &ret_states[i], err) < 0)
            return -1;
    }
    return 0;
}

static size_t count_swapped(const struct kept *kept, const enum load_state states[KEPT_MAXIMUM])
{
    size_t count = 0;
    for (size_t i = 0; i < kept->count; i++)
        count += states[i] == LOAD_AFTER;
    return count;
}

/* Both or none: a swap whose other did not come about is taken back. What was written to it since
 * then is somebody's work: in that case it is kept until its date. */
static int take_back(struct service *service, const struct kept *kept,
                     const enum load_state states[KEPT_MAXIMUM], bool *ret_written,
                     struct error *err)
{
    for (size_t i = 0; i < kept->count; i++) {
        const struct kept_part *part = &kept->parts[i];
        SCOPED(string) char *changed = NULL;
        if (states[i] != LOAD_AFTER)
            continue;
        if (part->source->undo(service->os, part->json, &part->what, false, &changed, err) < 0)
            return -1;
        *ret_written |= changed != NULL;
        if (!changed && part->source->discard(service->os, part->json, &part->what, err) < 0)
            return -1;
    }
    return 0;
}

static int finish_restore(struct service *service, const struct restore_row *row,
                          const struct kept *kept, struct error *failure, struct error *err)
{
    struct restore_row done = *row;
    if (strcmp(row->safety_kind, "swap") != 0) {
        if (kept_discard(service, kept, failure) < 0)
            return 0;
        done.safety_ref = NULL;
    }
    done.notes = "completed after an interruption";
    say(service, row, " after the swap: it is complete");
    return restores_finish(service->catalog, &done, err);
}

static int settle_restore(struct service *service, const struct restore_row *row,
                          const struct kept *kept, struct error *failure, struct error *err)
{
    enum load_state states[KEPT_MAXIMUM] = {LOAD_BEFORE, LOAD_BEFORE};
    bool written = false;
    if (recover(service, kept, states, failure) < 0)
        return 0;
    size_t swapped = count_swapped(kept, states);
    if (swapped && swapped == kept->count)
        return finish_restore(service, row, kept, failure, err);
    if (swapped && (take_back(service, kept, states, &written, failure) < 0 ||
                    catalog_refresh(service->catalog, failure) < 0))
        return 0;
    say(service, row,
        !swapped   ? ": the target is as before"
        : !written ? " between its two swaps: the first was taken back, the target is as before"
                   : " between its two swaps: the first was taken back, the target is as before; "
                     "what was written in between is kept beside it for a time");
    return restores_fail(service->catalog, row->id, row->error_message, written, err);
}

/* ---- an undo of two swaps ---- */

/* Both or none here too: what was begun is completed, because a tree may be half-way. The log is
 * not: whoever was interrupted says undo again, and means the same (service/undo). */
static int settle_undo(struct service *service, const struct restore_row *row,
                       const struct kept *kept, struct error *failure, struct error *err)
{
    enum load_state states[KEPT_MAXIMUM] = {LOAD_BEFORE, LOAD_BEFORE};
    size_t moved = 0;
    for (size_t i = 0; i < kept->count; i++) {
        if (kept_side(service, &kept->parts[i], &states[i], failure) < 0)
            return 0;
        moved += states[i] == kept->undo_to;
    }
    for (size_t i = 0; moved && i < kept->count; i++)
        if (states[i] != kept->undo_to && kept_undo(service, &kept->parts[i], failure) < 0)
            return 0;
    SCOPED(string) char *line = kept_unmark(kept);
    if (moved && catalog_refresh(service->catalog, failure) < 0)
        return 0;
    say(service, row,
        moved ? " while it was undone: the swaps are completed, undo once more puts it in the log"
              : " before it was undone: nothing was swapped");
    return restores_set_undone(service->catalog, row->id, row->undone_ns, line, row->undo_until_ns,
                               err);
}

/* A server that cannot be reached now must not stop everything else: the row waits for the next
 * start. */
static int on_dead_restore(void *context, const struct restore_row *row, struct error *err)
{
    struct service *service = context;
    SCOPED(kept) struct kept kept = {0};
    struct error failure = ERROR_INIT;
    int result = 0;
    if (kept_open(service, row, &kept, &failure) >= 0)
        result = kept.undoing ? settle_undo(service, row, &kept, &failure, err)
                              : settle_restore(service, row, &kept, &failure, err);
    if (failure.code != ERROR_NONE) {
        SCOPED(string) char *text = mem_format(" and is not sorted out yet: %s", failure.message);
        say(service, row, text);
    }
    return result;
}

int settle_interrupted(struct service *service, struct error *err)
{
    if (backups_settle_dead(service->catalog, on_dead_backup, service, err) < 0)
        return -1;
    return restores_each_dead(service->catalog, on_dead_restore, service, err);
}
