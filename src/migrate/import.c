#include "migrate/import.h"

#include "base/error.h"
#include "base/file.h"
#include "base/moment.h"
#include "base/os.h"
#include "base/text.h"
#include "migrate/folder.h"
#include "migrate/history_entry.h"
#include "migrate/peer.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct importing {
    const struct run *run;
    const struct migration_set *set;
    const struct import_request *request;
    const struct peer *peer;
    struct history theirs; /* their table; its rows are not ours */
    bool ours_exists;
    int64_t batch; /* the last one given */
    struct import_report report;
};

static struct db *db_of(const struct importing *importing)
{
    return importing->run->db;
}

/* ---- which history ---- */

/* 1 when `table` is there and has the columns of the tool's. */
static int fits(struct importing *importing, const struct peer *peer, const char *table,
                struct error *err)
{
    struct history history = HISTORY_INIT;
    SCOPED(text_list) struct text_list columns = TEXT_LIST_INIT;
    history_init_beside(&history, importing->run->history, table);
    int result = history_columns(&history, &columns, err);
    if (result == 0)
        result = columns.count && peer_fits(peer, &columns);
    bool again = importing->peer && text_equal(importing->theirs.table, history.table);
    if (result > 0 && importing->peer && !again) {
        result = error_set(err, ERROR_USAGE, "there are two histories: %s of %s and %s of %s",
                           importing->theirs.table, peer_name(importing->peer), history.table,
                           peer_name(peer));
        error_hint(err, "choose one with --from TOOL or --table NAME");
    } else if (result > 0 && !again) {
        importing->peer = peer;
        importing->theirs = history;
        history = HISTORY_INIT;
    }
    history_clear(&history);
    return result;
}

/* The name under which a table is kept that had ours. */
static char *kept_name(const char *table, const char *tool)
{
    char *name = mem_format("%s_%s", table, tool);
    for (char *c = name; *c; c++)
        if (*c == '-')
            *c = '_';
    return name;
}

/* Each tool's table under its own name, or where an earlier import has put it. */
static int look_for(struct importing *importing, bool kept, struct error *err)
{
    const struct import_request *request = importing->request;
    for (const struct peer *peer = peer_next(NULL); peer; peer = peer_next(peer)) {
        if (request->from && strcmp(request->from, peer_name(peer)) != 0)
            continue;
        SCOPED(string)
        char *name =
            kept ? kept_name(peer_table(peer), peer_name(peer)) : mem_string(peer_table(peer));
        if (fits(importing, peer, request->table ? request->table : name, err) < 0)
            return -1;
        if (request->table && importing->peer)
            return 0;
    }
    return 0;
}

static int not_found(const struct importing *importing, struct error *err)
{
    const struct import_request *request = importing->request;
    SCOPED(buf) struct buf tables = BUF_INIT;
    if (request->table)
        return error_set(err, ERROR_NOT_FOUND, "the table %s is not there, or is no history of %s",
                         request->table, request->from ? request->from : "a tool that kedge knows");
    for (const struct peer *peer = peer_next(NULL); peer; peer = peer_next(peer))
        if (!request->from || strcmp(request->from, peer_name(peer)) == 0)
            buf_append_format(&tables, "%s%s of %s", tables.length ? ", " : "", peer_table(peer),
                              peer_name(peer));
    error_set(err, ERROR_NOT_FOUND, "the history of %s is not in the database",
              request->from ? request->from : "another tool");
    return error_hint(err, "looked for %s; name another with --table NAME", tables.data);
}

static int find_history(struct importing *importing, struct error *err)
{
    const struct import_request *request = importing->request;
    if (request->from && !peer_find(request->from))
        return error_set(err, ERROR_USAGE, "kedge does not know the tool %s", request->from);
    if (look_for(importing, false, err) < 0 ||
        (!importing->peer && !request->table && look_for(importing, true, err) < 0))
        return -1;
    if (!importing->peer)
        return not_found(importing, err);
    importing->report.tool = peer_name(importing->peer);
    importing->report.table = mem_string(importing->theirs.table);
    return 0;
}

static bool has_our_name(const struct importing *importing)
{
    return text_equal(importing->theirs.table, importing->run->history->table);
}

/* A free name for their table, when it has to make room. */
static int choose_kept_name(struct importing *importing, struct error *err)
{
    const char *table = importing->theirs.table;
    SCOPED(string) char *base = kept_name(table, peer_name(importing->peer));
    for (int i = 1;; i++) {
        struct history history = HISTORY_INIT;
        SCOPED(text_list) struct text_list columns = TEXT_LIST_INIT;
        SCOPED(string) char *name = i == 1 ? mem_string(base) : mem_format("%s_%d", base, i);
        history_init(&history, db_of(importing), name);
        int result = history_columns(&history, &columns, err);
        history_clear(&history);
        if (result < 0)
            return -1;
        if (columns.count)
            continue;
        importing->report.kept_as = STEAL(name);
        return 0;
    }
}

/* ---- what it says ---- */

/* Where the version is among the items, which are in its order, or would be. */
static size_t place_of(const struct import_report *report, const char *version, bool *ret_there)
{
    size_t low = 0;
    size_t high = report->count;
    *ret_there = false;
    while (low < high) {
        size_t middle = high == report->count ? high - 1 : low + (high - low) / 2;
        int order = migration_version_compare(report->items[middle].version, version);
        *ret_there |= order == 0;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct import_item *item_of(struct importing *importing, const char *version)
{
    struct import_report *report = &importing->report;
    bool there = false;
    size_t at = place_of(report, version, &there);
    if (there)
        return &report->items[at];
    const struct migration *migration = migration_set_find(importing->set, version);
    ARRAY_GROW(report->items, report->count, report->capacity);
    struct import_item *item = &report->items[at];
    memmove(item + 1, item, (report->count++ - at) * sizeof *item);
    *item = (struct import_item){
        .version = mem_string(migration ? migration->version : version),
        .name = mem_string(migration ? migration->name : ""),
        .migration = migration,
        .missing = !migration,
        .execution_time_ms = -1,
    };
    return item;
}

static int compare_sum(const struct importing *importing, const struct peer_row *row,
                       struct import_item *item, struct error *err)
{
    SCOPED(string) char *sum = NULL;
    const struct migration *migration = item->migration;
    if (!row->sum || !migration || row->state != PEER_APPLIED || !migration->parts[MIGRATE_UP].path)
        return 0;
    int known = peer_sum_of(peer_sum_kind(importing->peer), db_of(importing)->os,
                            migration->parts[MIGRATE_UP].path, &sum, err);
    item->changed = known > 0 && strcmp(sum, row->sum) != 0;
    return known < 0 ? -1 : 0;
}

static void set_note(struct import_item *item, const char *note)
{
    free(item->note);
    item->note = note ? mem_string(note) : NULL;
}

static int apply_row(struct importing *importing, const struct peer_row *row, struct error *err)
{
    static const enum history_status statuses[] = {
        [PEER_APPLIED] = HISTORY_APPLIED, [PEER_FAILED] = HISTORY_FAILED,
        [PEER_UNDONE] = HISTORY_ROLLBACK, [PEER_BASELINE] = HISTORY_APPLIED,
        [PEER_REACHED] = HISTORY_APPLIED, [PEER_UNFINISHED] = HISTORY_FAILED,
    };
    struct import_item *item = item_of(importing, row->version);
    item->status = statuses[row->state];
    item->execution_time_ms = row->execution_time_ms;
    item->batch = row->batch;
    item->changed = false;
    set_note(item, row->state == PEER_UNFINISHED ? "left dirty: it failed on the way up, or the "
                                                   "version after it on the way down"
                                                 : NULL);
    free(item->applied_at);
    item->applied_at = row->applied_at ? mem_string(row->applied_at) : NULL;
    if (item->missing && row->name) {
        free(item->name);
        item->name = mem_string(row->name);
    }
    return compare_sum(importing, row, item, err);
}

/* A tool that keeps one row, or begins with a baseline, means all versions before it. */
static void apply_earlier(struct importing *importing, const struct peer_row *row)
{
    bool baseline = row->state == PEER_BASELINE;
    for (size_t i = 0; i < importing->set->count; i++) {
        const struct migration *migration = importing->set->items[i];
        int order = migration_version_compare(migration->version, row->version);
        if (order > 0 || (order == 0 && !baseline))
            break;
        struct import_item *item = item_of(importing, migration->version);
        item->status = HISTORY_APPLIED;
        if (baseline)
            set_note(item, "not above the baseline");
    }
}

/* A baseline without a file of its own is no migration. */
static int apply_rows(struct importing *importing, const struct peer_rows *rows, struct error *err)
{
    for (size_t i = 0; i < rows->count; i++) {
        const struct peer_row *row = &rows->items[i];
        if (row->state >= PEER_BASELINE)
            apply_earlier(importing, row);
        if (row->state != PEER_BASELINE && apply_row(importing, row, err) < 0)
            return -1;
    }
    return 0;
}

static void item_clear(struct import_item *item)
{
    free(item->version);
    free(item->name);
    free(item->applied_at);
    free(item->note);
}

/* What was undone and has no file any more is of no interest to anybody. */
static void drop_undone(struct import_report *report)
{
    size_t count = 0;
    for (size_t i = 0; i < report->count; i++) {
        if (report->items[i].status == HISTORY_ROLLBACK && report->items[i].missing)
            item_clear(&report->items[i]);
        else
            report->items[count++] = report->items[i];
    }
    report->count = count;
}

/* Was it tried by us, in vain, what the tool says it has applied? That is how an `up` ends that was
 * run before the import. What stopped half-way is left for a person to decide. */
static bool is_vain(const struct import_item *item, const struct history_row *row)
{
    bool idle = row->status == HISTORY_PENDING && !(row->progress && *row->progress);
    return item->status == HISTORY_APPLIED && (row->status == HISTORY_FAILED || idle);
}

/* What our history says stays, except of what failed. A tool without batches gets one for each
 * migration: nobody knows what was applied together, and undoing the last one is the least. */
static void settle_items(struct importing *importing, const struct history_rows *rows)
{
    struct import_report *report = &importing->report;
    int64_t before = history_last_batch(rows);
    importing->batch = before;
    drop_undone(report);
    for (size_t i = 0; i < report->count; i++) {
        struct import_item *item = &report->items[i];
        const struct history_row *row = history_rows_find(rows, item->version);
        item->replaced = row && is_vain(item, row);
        item->known = row && !item->replaced;
        if (item->status == HISTORY_ROLLBACK)
            item->batch = 0;
        else if (item->batch)
            item->batch += before;
        else if (!item->known)
            item->batch = ++importing->batch;
    }
}

static int read_items(struct importing *importing, struct error *err)
{
    SCOPED(peer_rows) struct peer_rows theirs = PEER_ROWS_INIT;
    SCOPED(history_rows) struct history_rows ours = HISTORY_ROWS_INIT;
    struct history *history = importing->run->history;
    if (has_our_name(importing)) {
        history->exists = false;
        if (choose_kept_name(importing, err) < 0)
            return -1;
    } else if (history_find(history, err) < 0 || history_read(history, &ours, err) < 0) {
        return -1;
    }
    if (peer_read(importing->peer, db_of(importing), importing->theirs.quoted, &theirs, err) < 0 ||
        apply_rows(importing, &theirs, err) < 0)
        return -1;
    settle_items(importing, &ours);
    text_list_add_all(&importing->report.passed_over, &theirs.passed_over);
    return 0;
}

/* ---- writing ---- */

static int write_item(const struct importing *importing, struct history *history,
                      const struct import_item *item, struct error *err)
{
    const struct run *run = importing->run;
    const struct migration *migration = item->migration;
    SCOPED(buf) struct buf source = BUF_INIT;
    SCOPED(string)
    char *problem = item->status == HISTORY_FAILED
                        ? mem_format("failed under %s%s%s", importing->report.tool,
                                     item->note ? ": " : "", item->note ? item->note : "")
                        : NULL;
    struct migrate_step step = {.migration = migration, .direction = MIGRATE_UP};
    struct history_entry entry = {.execution_time_ms = -1, .statements_total = -1};
    if (migration) {
        entry = execute_entry(run, &step);
        execute_entry_source(&step, &source, &entry);
    }
    /* A sum that no text has makes a repeatable one run again. */
    if (item->changed && migration && migration->repeatable)
        entry.checksum = "changed";
    bool applied = item->status == HISTORY_APPLIED;
    bool dated = item->applied_at && moment_parse(item->applied_at, &entry.applied_ns) == 0;
    entry.version = item->version;
    entry.name = item->name;
    entry.status = item->status;
    entry.batch = item->batch;
    entry.now_ns = run->db->os->clock_wall_ns(run->db->os);
    entry.applied_now = applied && dated;
    entry.applied_unknown = applied && !dated;
    entry.execution_time_ms = item->execution_time_ms;
    entry.statements_done = applied ? entry.statements_total : 0;
    entry.applied_by = run->by;
    entry.applied_from = run->from;
    entry.error_message = problem;
    return history_write(history, &entry, err);
}

static int write_items(struct importing *importing, struct history *history, struct error *err)
{
    struct import_report *report = &importing->report;
    report->written = 0;
    for (size_t i = 0; i < report->count; i++) {
        if (report->items[i].known)
            continue;
        if (write_item(importing, history, &report->items[i], err) < 0)
            return -1;
        report->written++;
    }
    return 0;
}

__attribute__((format(printf, 3, 4))) static int execute_format(struct db *db, struct error *err,
                                                                const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    SCOPED(string) char *sql = mem_format_v(format, arguments);
    va_end(arguments);
    return db_execute(db, sql, NULL, 0, NULL, err);
}

/* The name that ALTER TABLE ... RENAME TO takes has no schema. */
static char *quote_last(enum db_engine engine, const char *table)
{
    SCOPED(buf) struct buf quoted = BUF_INIT;
    const char *dot = strchr(table, '.');
    db_quote_identifier(engine, &quoted, dot ? dot + 1 : table);
    return buf_steal(&quoted);
}

static int write_inside(struct importing *importing, struct error *err)
{
    struct history *ours = importing->run->history;
    struct db *db = db_of(importing);
    if (importing->report.kept_as) {
        SCOPED(string) char *kept = quote_last(db->ops->engine, importing->report.kept_as);
        if (execute_format(db, err, "ALTER TABLE %s RENAME TO %s", importing->theirs.quoted, kept) <
            0)
            return -1;
    }
    if (history_create(ours, err) < 0)
        return -1;
    return write_items(importing, ours, err);
}

/* Everything in one transaction. */
static int write_transaction(struct importing *importing, struct error *err)
{
    struct error ignored = ERROR_INIT;
    struct history *ours = importing->run->history;
    bool existed = ours->exists;
    if (execute_begin(importing->run, err) < 0)
        return -1;
    if (write_inside(importing, err) == 0 && db_commit(db_of(importing), err) == 0)
        return 0;
    db_rollback(db_of(importing), &ignored);
    ours->exists = existed;
    return -1;
}

static int fill_table(struct importing *importing, struct history *history, struct error *err)
{
    struct error ignored = ERROR_INIT;
    if (history_create(history, err) < 0 || execute_begin(importing->run, err) < 0)
        return -1;
    if (write_items(importing, history, err) == 0 && db_commit(db_of(importing), err) == 0)
        return 0;
    db_rollback(db_of(importing), &ignored);
    return -1;
}

/* Where tables cannot be renamed in a transaction, ours is filled under another name, and one
 * statement exchanges the names: at no moment is either history lost or half there. */
static int write_exchange(struct importing *importing, struct error *err)
{
    struct history filled = HISTORY_INIT;
    struct history kept = HISTORY_INIT;
    struct history *ours = importing->run->history;
    struct db *db = db_of(importing);
    SCOPED(string) char *name = mem_format("%s_kedge_new", ours->table);
    history_init(&filled, db, name);
    history_init(&kept, db, importing->report.kept_as);
    int result = execute_format(db, err, "DROP TABLE IF EXISTS %s", filled.quoted);
    if (result == 0)
        result = fill_table(importing, &filled, err);
    if (result == 0)
        result = execute_format(db, err, "RENAME TABLE %s TO %s, %s TO %s", ours->quoted,
                                kept.quoted, filled.quoted, ours->quoted);
    ours->exists = result == 0;
    history_clear(&filled);
    history_clear(&kept);
    return result;
}

static int write_all(struct importing *importing, struct error *err)
{
    if (db_of(importing)->ops->capabilities & DB_TRANSACTIONAL_DDL)
        return write_transaction(importing, err);
    if (importing->report.kept_as)
        return write_exchange(importing, err);
    return fill_table(importing, importing->run->history, err);
}

static int import_all(struct importing *importing, struct error *err)
{
    if (find_history(importing, err) < 0 || read_items(importing, err) < 0)
        return -1;
    return importing->request->dry_run ? 0 : write_all(importing, err);
}

int import_history(const struct run *run, const struct migration_set *set,
                   const struct import_request *request, struct import_report *ret_report,
                   struct error *err)
{
    struct importing importing = {.run = run, .set = set, .request = request};
    int result = import_all(&importing, err);
    history_clear(&importing.theirs);
    if (result < 0)
        import_report_clear(&importing.report);
    else
        *ret_report = importing.report;
    return result;
}

void import_report_clear(struct import_report *report)
{
    for (size_t i = 0; i < report->count; i++)
        item_clear(&report->items[i]);
    free(report->items);
    text_list_clear(&report->passed_over);
    free(report->table);
    free(report->kept_as);
    *report = IMPORT_REPORT_INIT;
}
