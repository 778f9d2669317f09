#include "migrate/migrator_core.h"

#include "base/error.h"
#include "base/os.h"
#include "migrate/history_entry.h"
#include "migrate/import.h"
#include "migrate/progress.h"

#include <stdlib.h>
#include <string.h>

/* The history under the lock, made when it is not there. */
static int open_history(struct migrator *migrator, struct migrate_lock *lock, struct error *err)
{
    if (migrator->options.dry_run)
        return migrator_prepare(migrator, err);
    if (migrator_take_lock(migrator, lock, err) < 0 || migrator_prepare(migrator, err) < 0)
        return -1;
    return migrator_create_history(migrator, err);
}

static struct history_entry entry_of(struct migrator *migrator, const struct migration *migration,
                                     const struct history_row *row)
{
    struct os *os = migrator->db->os;
    migrator_name_operator(migrator);
    struct history_entry entry = {
        .version = migration ? migration->version : row->version,
        .name = migration ? migration->name : row->name,
        .checksum = migration ? migration->checksum : row->checksum,
        .status = row ? row->status : HISTORY_PENDING,
        .batch = row ? row->batch : 0,
        .now_ns = os->clock_wall_ns(os),
        .execution_time_ms = row ? row->execution_time_ms : -1,
        .statements_total = migration ? (int64_t)migration->parts[MIGRATE_UP].count : -1,
        .statements_done = row ? row->statements_done : 0,
        .progress = row ? row->progress : NULL,
        .error_message = row ? row->error_message : NULL,
        .applied_by = migrator->by,
        .applied_from = migrator->from,
        .backup_id = row ? row->backup_id : NULL,
    };
    return entry;
}

static int write_entry(struct migrator *migrator, const struct migration *migration,
                       struct history_entry *entry, struct error *err)
{
    SCOPED(buf) struct buf source = BUF_INIT;
    if (migrator->options.dry_run)
        return 0;
    if (migration && !migration->functions[MIGRATE_UP]) {
        migration_normal(migration, &source);
        entry->source = source.data;
    }
    return history_write(&migrator->history, entry, err);
}

void marked_clear(struct marked *marked)
{
    free(marked->version);
    *marked = MARKED_INIT;
}

int migrator_force(struct migrator *migrator, const char *version, enum history_status status,
                   struct marked *ret_marked, struct error *err)
{
    SCOPED(migrate_lock) struct migrate_lock lock = MIGRATE_LOCK_INIT;
    SCOPED(history_rows) struct history_rows rows = HISTORY_ROWS_INIT;
    if (open_history(migrator, &lock, err) < 0 || history_read(&migrator->history, &rows, err) < 0)
        return -1;
    const struct migration *migration = migration_set_find(&migrator->set, version);
    const struct history_row *row =
        history_rows_find(&rows, migration ? migration->version : version);
    if (!migration && !row)
        return error_set(err, ERROR_NOT_FOUND, "there is no migration with the version %s",
                         version);
    struct history_entry entry = entry_of(migrator, migration, row);
    entry.status = status;
    entry.progress = NULL;
    entry.error_message = NULL;
    entry.applied_now = status == HISTORY_APPLIED;
    entry.rolled_back_now = status == HISTORY_ROLLBACK;
    entry.batch = row && row->batch ? row->batch : history_last_batch(&rows) + 1;
    if (write_entry(migrator, migration, &entry, err) < 0)
        return -1;
    *ret_marked = (struct marked){
        .version = mem_string(entry.version),
        .was = row ? history_status_name(row->status) : "none",
        .count = 1,
    };
    return 0;
}

int migrator_baseline(struct migrator *migrator, const char *version, struct marked *ret_marked,
                      struct error *err)
{
    SCOPED(migrate_lock) struct migrate_lock lock = MIGRATE_LOCK_INIT;
    SCOPED(history_rows) struct history_rows rows = HISTORY_ROWS_INIT;
    size_t count = 0;
    if (open_history(migrator, &lock, err) < 0 || history_read(&migrator->history, &rows, err) < 0)
        return -1;
    const struct migration *last = migration_set_find(&migrator->set, version);
    if (!last)
        return error_set(err, ERROR_NOT_FOUND, "there is no migration with the version %s",
                         version);
    for (size_t i = 0; i < migrator->set.count; i++) {
        const struct migration *migration = migrator->set.items[i];
        const struct history_row *row = history_rows_find(&rows, migration->version);
        if (migration_version_compare(migration->version, version) > 0)
            break;
        if (row && row->status == HISTORY_APPLIED)
            continue;
        struct history_entry entry = entry_of(migrator, migration, row);
        entry.status = HISTORY_APPLIED;
        entry.applied_now = true;
        entry.progress = NULL;
        entry.error_message = NULL;
        entry.batch = history_last_batch(&rows) + 1;
        if (write_entry(migrator, migration, &entry, err) < 0)
            return -1;
        count++;
    }
    *ret_marked = (struct marked){.version = mem_string(last->version), .count = count};
    return 0;
}

/* ---- import ---- */

/* The table of that name may be the other tool's, so nothing is said about it yet. */
int migrator_import(struct migrator *migrator, const struct import_request *request,
                    struct import_report *ret_report, struct error *err)
{
    SCOPED(migrate_lock) struct migrate_lock lock = MIGRATE_LOCK_INIT;
    const struct run run = migrator_run_of(migrator, 0);
    if (migrator_sort(migrator, err) < 0)
        return -1;
    if (!request->dry_run && migrator_take_lock(migrator, &lock, err) < 0)
        return -1;
    return import_history(&run, &migrator->set, request, ret_report, err);
}

/* ---- repair ---- */

void repair_report_clear(struct repair_report *report)
{
    for (size_t i = 0; i < report->count; i++) {
        free(report->items[i].version);
        free(report->items[i].was);
        free(report->items[i].checksum);
    }
    free(report->items);
    *report = REPAIR_REPORT_INIT;
}

static void report_repaired(struct repair_report *report, const struct history_row *row,
                            const struct migration *summed, size_t next_statement)
{
    ARRAY_GROW(report->items, report->count, report->capacity);
    report->items[report->count++] = (struct repaired){
        .version = mem_string(row->version),
        .was = summed ? mem_string(row->checksum) : NULL,
        .checksum = summed ? mem_string(summed->checksum) : NULL,
        .next_statement = next_statement,
    };
}

static int repair_checksum(struct migrator *migrator, const struct migration *migration,
                           const struct history_row *row, struct repair_report *report,
                           struct error *err)
{
    if (!migration || !migrate_plan_changed(migration, row))
        return 0;
    struct history_entry entry = entry_of(migrator, migration, row);
    if (write_entry(migrator, migration, &entry, err) < 0)
        return -1;
    report_repaired(report, row, migration, 0);
    return 0;
}

static int repair_progress(struct migrator *migrator, const struct migration *migration,
                           const struct history_row *row, enum repair repair,
                           struct repair_report *report, struct error *err)
{
    struct migrate_progress progress;
    char text[128] = "";
    if (!migration || !migrate_progress_parse(row->progress, &progress))
        return 0;
    const struct migration_part *part = &migration->parts[progress.direction];
    size_t done = progress.done;
    if (repair == REPAIR_RAN && progress.begun)
        done++;
    if (repair != REPAIR_FROM_START) {
        if (done > part->count)
            return error_set(err, ERROR_FAILED, "version %s has only %zu statements", row->version,
                             part->count);
        struct migrate_progress next = migrate_progress_of(part, progress.direction, done, false);
        migrate_progress_format(&next, text);
    } else {
        done = 0;
    }
    if (!migrator->options.dry_run && history_progress(&migrator->history, row->version,
                                                       (int64_t)done, *text ? text : NULL, err) < 0)
        return -1;
    report_repaired(report, row, NULL, done + 1);
    return 0;
}

int migrator_repair(struct migrator *migrator, const char *version, enum repair repair,
                    struct repair_report *report, struct error *err)
{
    SCOPED(migrate_lock) struct migrate_lock lock = MIGRATE_LOCK_INIT;
    SCOPED(history_rows) struct history_rows rows = HISTORY_ROWS_INIT;
    if (open_history(migrator, &lock, err) < 0 || history_read(&migrator->history, &rows, err) < 0)
        return -1;
    const struct migration *wanted = version ? migration_set_find(&migrator->set, version) : NULL;
    if (wanted)
        version = wanted->version;
    if (version && !history_rows_find(&rows, version))
        return error_set(err, ERROR_NOT_FOUND, "version %s is not in the history", version);
    for (size_t i = 0; i < rows.count; i++) {
        const struct history_row *row = &rows.items[i];
        const struct migration *migration = migration_set_find(&migrator->set, row->version);
        if (version && strcmp(row->version, version) != 0)
            continue;
        int result = repair == REPAIR_CHECKSUM
                         ? repair_checksum(migrator, migration, row, report, err)
                         : repair_progress(migrator, migration, row, repair, report, err);
        if (result < 0)
            return -1;
    }
    return 0;
}
