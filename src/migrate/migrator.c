#include "migrate/migrator.h"

#include "base/error.h"
#include "base/os.h"
#include "migrate/difference.h"
#include "migrate/file.h"
#include "migrate/folder.h"
#include "migrate/folder_reading.h"
#include "migrate/import.h"
#include "migrate/lock.h"
#include "migrate/progress.h"
#include "migrate/run.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WAIT_MS 60000
#define LOCK_TIMEOUT_MS 5000

struct migrator {
    struct db *db;
    struct migrator_options options;
    struct history history;
    struct migration_set set;
    struct text_list warnings;
    struct history_rows ahead; /* read while the folder was */
    bool has_ahead;
    bool sorted;
    char *by;
    char *from;
    char backup_id[27]; /* made before the run; "" for none */
    bool left_part;
};

/* ---- opening ---- */

/* "ada", and "web1 (pid 4711)". Asked for when something is written: the names of users may be in
 * some directory on the network. */
static void name_operator(struct migrator *migrator)
{
    if (migrator->by)
        return;
    char host[256] = "";
    struct os *os = migrator->db->os;
    struct passwd entry;
    struct passwd *found = NULL;
    char memory[1024];
    gethostname(host, sizeof host - 1);
    migrator->from = mem_format("%s (pid %d)", host, (int)os->getpid(os));
    if (migrator->options.by)
        migrator->by = mem_string(migrator->options.by);
    else if (getpwuid_r(getuid(), &entry, memory, sizeof memory, &found) == 0 && found)
        migrator->by = mem_string(found->pw_name);
    else
        migrator->by = mem_format("user %d", (int)getuid());
}

/* A failure is told when the history is asked for. */
static void read_ahead(struct migrator *migrator)
{
    struct error ignored = ERROR_INIT;
    migrator->has_ahead = history_load(&migrator->history, &migrator->ahead, &ignored) == 0;
    if (!migrator->has_ahead)
        history_rows_clear(&migrator->ahead);
}

static int read_folder(struct migrator *migrator, struct error *err)
{
    const struct migrator_options *options = &migrator->options;
    if (!options->folder)
        return 0;
    if (!options->reading)
        return migration_folder_read(options->folder, &migrator->set, &migrator->warnings, err);
    read_ahead(migrator);
    return folder_reading_finish(options->reading, &migrator->set, &migrator->warnings, err);
}

int migrator_open(struct db *db, const struct migrator_options *options,
                  struct migrator **ret_migrator, struct error *err)
{
    SCOPED(migrator) struct migrator *migrator = MEM_NEW(struct migrator);
    migrator->db = db;
    migrator->options = *options;
    if (!migrator->options.wait_ms)
        migrator->options.wait_ms = WAIT_MS;
    if (!migrator->options.lock_timeout_ms)
        migrator->options.lock_timeout_ms = LOCK_TIMEOUT_MS;
    history_init(&migrator->history, db, options->history_table);
    if (read_folder(migrator, err) < 0)
        return -1;
    *ret_migrator = STEAL(migrator);
    return 0;
}

void migrator_close(struct migrator *migrator)
{
    if (!migrator)
        return;
    history_clear(&migrator->history);
    migration_set_clear(&migrator->set);
    text_list_clear(&migrator->warnings);
    history_rows_clear(&migrator->ahead);
    free(migrator->by);
    free(migrator->from);
    free(migrator);
}

const char *migrator_operator(struct migrator *migrator)
{
    name_operator(migrator);
    return migrator->by;
}

const struct migration_set *migrator_set(struct migrator *migrator)
{
    return &migrator->set;
}

const struct text_list *migrator_warnings(struct migrator *migrator)
{
    return &migrator->warnings;
}

/* ---- registering ---- */

static int read_registered(struct migrator *migrator, struct migration *migration,
                           enum direction direction, const char *sql, struct error *err)
{
    SCOPED(string)
    char *place = mem_format("%s_%s.%s", migration->version, migration->name,
                             direction == MIGRATE_UP ? "up" : "down");
    const struct migration_text text = {
        .text = sql,
        .size = strlen(sql),
        .path = place,
        .dialect = migrator->db->ops->engine,
        .syntax = SYNTAX_PLAIN,
        .direction = direction,
    };
    return migration_read(migration, &text, err);
}

static void add(struct migrator *migrator, struct migration *migration)
{
    migration_set_give(&migrator->set, migration);
    migrator->sorted = false;
}

int migrator_register_sql(struct migrator *migrator, const char *version, const char *name,
                          const char *up, const char *down, struct error *err)
{
    SCOPED(migration) struct migration *migration = migration_new(version, name);
    if (read_registered(migrator, migration, MIGRATE_UP, up, err) < 0 ||
        (down && read_registered(migrator, migration, MIGRATE_DOWN, down, err) < 0))
        return -1;
    add(migrator, STEAL(migration));
    return 0;
}

int migrator_register(struct migrator *migrator, const char *version, const char *name,
                      const char *tag, migration_fn *up, migration_fn *down, void *context,
                      struct error *err)
{
    if (!up)
        return error_set(err, ERROR_USAGE, "registered migration %s has no function for up",
                         version);
    struct migration *migration = migration_new(version, name);
    migration->functions[MIGRATE_UP] = up;
    migration->functions[MIGRATE_DOWN] = down;
    migration->context = context;
    if (tag) {
        uint8_t digest[SHA256_SIZE];
        sha256_of(tag, strlen(tag), digest);
        text_hex(digest, sizeof digest, migration->checksum);
    }
    add(migrator, migration);
    return 0;
}

/* ---- planning and running ---- */

static int sort(struct migrator *migrator, struct error *err)
{
    if (!migrator->sorted && migration_set_sort(&migrator->set, err) < 0)
        return -1;
    migrator->sorted = true;
    return 0;
}

/* Before what needs the history's table, but not all of its rows, or not yet. */
static int prepare(struct migrator *migrator, struct error *err)
{
    if (sort(migrator, err) < 0)
        return -1;
    return history_find(&migrator->history, err) < 0 ? -1 : 0;
}

/* For who only looks, and has not looked yet, it may be the one that was read with the folder. */
static int look_at_history(struct migrator *migrator, struct history_rows *rows, struct error *err)
{
    if (!migrator->has_ahead)
        return sort(migrator, err) < 0 ? -1 : history_load(&migrator->history, rows, err);
    migrator->has_ahead = false;
    *rows = migrator->ahead;
    migrator->ahead = HISTORY_ROWS_INIT;
    return sort(migrator, err);
}

static int plan_again(struct migrator *migrator, const struct migrate_request *request,
                      struct migrate_plan *plan, int64_t *ret_batch, struct error *err)
{
    SCOPED(history_rows) struct history_rows rows = HISTORY_ROWS_INIT;
    migrator->has_ahead = false;
    if (prepare(migrator, err) < 0 || history_read(&migrator->history, &rows, err) < 0)
        return -1;
    *ret_batch = history_last_batch(&rows) + 1;
    return migrate_plan_make(&migrator->set, &rows, request, plan, err);
}

int migrator_plan(struct migrator *migrator, const struct migrate_request *request,
                  struct migrate_plan *plan, struct error *err)
{
    SCOPED(history_rows) struct history_rows rows = HISTORY_ROWS_INIT;
    if (look_at_history(migrator, &rows, err) < 0)
        return -1;
    return migrate_plan_make(&migrator->set, &rows, request, plan, err);
}

static void notify(struct migrator *migrator, enum migrate_event_kind kind,
                   const struct migrate_step *step, const char *text, int64_t duration_ms)
{
    const struct migrate_event event = {kind, step, text, duration_ms};
    if (migrator->options.notify)
        migrator->options.notify(migrator->options.context, &event);
}

static void on_wait(void *context, const char *holder)
{
    notify(context, MIGRATE_WAITING, NULL, holder, 0);
}

static int take_lock(struct migrator *migrator, struct migrate_lock *lock, struct error *err)
{
    const struct migrate_lock_options options = {
        .name = migrator->history.table,
        .wait_ms = migrator->options.wait_ms,
        .on_wait = on_wait,
        .context = migrator,
    };
    return migrate_lock_take(lock, migrator->db, &options, err);
}

static struct run run_of(struct migrator *migrator, int64_t batch)
{
    name_operator(migrator);
    return (struct run){
        .db = migrator->db,
        .history = &migrator->history,
        .batch = batch,
        .lock_timeout_ms = migrator->options.lock_timeout_ms,
        .wait_ms = migrator->options.wait_ms,
        .owns_session = migrator->options.owns_session,
        .by = migrator->by,
        .from = migrator->from,
        .backup_id = migrator->backup_id[0] ? migrator->backup_id : migrator->options.backup_id,
    };
}

static int run_steps(struct migrator *migrator, const struct migrate_plan *plan,
                     struct migrate_lock *lock, int64_t batch, size_t *count, struct error *err)
{
    struct run run = run_of(migrator, batch);
    run.lock = lock;
    for (size_t i = 0; i < plan->count; i++) {
        const struct migrate_step *step = &plan->items[i];
        int64_t duration_ms = 0;
        notify(migrator, MIGRATE_STARTING, step, NULL, 0);
        enum run_result result = run_step(&run, step, &duration_ms, err);
        /* Who has to decide something has not run anything. */
        migrator->left_part =
            result == RUN_FAILED && err->code != ERROR_STRANDED &&
            run_stepwise(migrator->db->ops->engine, step->migration, step->direction);
        if (result == RUN_FAILED)
            return -1;
        *count += result == RUN_DONE;
        notify(migrator, result == RUN_DONE ? MIGRATE_FINISHED : MIGRATE_SKIPPED, step, NULL,
               duration_ms);
    }
    return 0;
}

static int run_plan(struct migrator *migrator, const struct migrate_plan *plan,
                    struct migrate_lock *lock, int64_t batch, size_t *count, struct error *err)
{
    if (plan->count > 1 && db_series_begin(migrator->db, err) < 0)
        return -1;
    int result = run_steps(migrator, plan, lock, batch, count, err);
    db_series_end(migrator->db);
    return result;
}

/* Two that begin at once both find no table: it is made under the lock, on SQLite that of a
 * transaction. */
static int create_history(struct migrator *migrator, struct error *err)
{
    const struct run run = run_of(migrator, 0);
    struct error ignored = ERROR_INIT;
    if (migrator->history.exists)
        return 0;
    if (execute_begin(&run, err) < 0)
        return -1;
    if (history_create(&migrator->history, err) == 0 && db_commit(migrator->db, err) == 0)
        return 0;
    migrator->history.exists = false;
    db_rollback(migrator->db, &ignored);
    return -1;
}

/* A backup takes its time: the lock has to be ours afterwards. */
static int prepare_way_back(struct migrator *migrator, const struct migrate_plan *plan,
                            struct migrate_lock *lock, struct error *err)
{
    const struct migrator_options *options = &migrator->options;
    migrator->backup_id[0] = '\0';
    if (!options->before || plan->items[0].direction != MIGRATE_UP)
        return 0;
    if (options->before(options->before_context, plan, migrator->backup_id, err) < 0)
        return -1;
    return migrate_lock_check(lock, err);
}

bool migrator_left_part(const struct migrator *migrator)
{
    return migrator->left_part;
}

/* Whoever has nothing to do waits for nobody. What there is to do is planned again under the
 * lock: another process may have done it. */
static int migrate(struct migrator *migrator, const struct migrate_request *request, size_t *count,
                   struct error *err)
{
    SCOPED(migrate_plan) struct migrate_plan first = MIGRATE_PLAN_INIT;
    SCOPED(migrate_plan) struct migrate_plan plan = MIGRATE_PLAN_INIT;
    SCOPED(migrate_lock) struct migrate_lock lock = MIGRATE_LOCK_INIT;
    int64_t batch = 0;
    if (migrator_plan(migrator, request, &first, err) < 0)
        return -1;
    if (first.count == 0)
        return 0;
    const struct run run = run_of(migrator, batch);
    if (run_check(&run, &first, err) < 0 || take_lock(migrator, &lock, err) < 0 ||
        plan_again(migrator, request, &plan, &batch, err) < 0)
        return -1;
    if (plan.count == 0)
        return 0;
    if (prepare_way_back(migrator, &plan, &lock, err) < 0)
        return -1;
    if (create_history(migrator, err) < 0)
        return -1;
    return run_plan(migrator, &plan, &lock, batch, count, err);
}

int migrator_run(struct migrator *migrator, const struct migrate_request *request,
                 size_t *ret_count, struct error *err)
{
    size_t count = 0;
    int result = migrate(migrator, request, &count, err);
    if (ret_count)
        *ret_count = count;
    return result;
}

int migrator_up(struct migrator *migrator, const char *version, size_t *ret_count,
                struct error *err)
{
    const struct migrate_request request = {.kind = MIGRATE_PLAN_UP, .version = version};
    return migrator_run(migrator, &request, ret_count, err);
}

/* ---- looking ---- */

/* `row` is moved into the state. */
static void add_state(struct migration_states *states, const struct migration *migration,
                      const struct history_row *row)
{
    ARRAY_GROW(states->items, states->count, states->capacity);
    struct migration_state *state = &states->items[states->count++];
    *state = (struct migration_state){.migration = migration};
    if (row)
        state->row = *row;
    state->version = migration ? migration->version : state->row.version;
    state->name = migration ? migration->name : state->row.name;
    state->status = state->row.version ? state->row.status : HISTORY_PENDING;
    state->changed =
        migration && state->row.version && migrate_plan_changed(migration, &state->row);
}

static int compare_states(const void *a, const void *b)
{
    const struct migration_state *left = a;
    const struct migration_state *right = b;
    return migration_version_compare(left->version, right->version);
}

static void sort_states(struct migration_states *states)
{
    for (size_t i = 1; i < states->count; i++) {
        if (compare_states(&states->items[i - 1], &states->items[i]) <= 0)
            continue;
        qsort(states->items, states->count, sizeof *states->items, compare_states);
        return;
    }
}

int migrator_status(struct migrator *migrator, struct migration_states *states, struct error *err)
{
    SCOPED(history_rows) struct history_rows rows = HISTORY_ROWS_INIT;
    if (look_at_history(migrator, &rows, err) < 0)
        return -1;
    SCOPED(memory) void *memory = mem_alloc(rows.count + 1, sizeof(bool));
    bool *taken = memory;
    for (size_t i = 0; i < migrator->set.count; i++) {
        const struct migration *migration = migrator->set.items[i];
        const struct history_row *row = history_rows_find(&rows, migration->version);
        add_state(states, migration, row);
        if (row)
            taken[row - rows.items] = true;
    }
    for (size_t i = 0; i < rows.count; i++)
        if (!taken[i])
            add_state(states, NULL, &rows.items[i]);
    /* Each has moved into its state. */
    rows.count = 0;
    sort_states(states);
    return 0;
}

void migration_states_clear(struct migration_states *states)
{
    for (size_t i = 0; i < states->count; i++)
        history_row_clear(&states->items[i].row);
    free(states->items);
    *states = MIGRATION_STATES_INIT;
}

/* Has it changed the database: wholly, or as far as its progress says? */
static bool has_run(const struct history_row *row)
{
    return row->status == HISTORY_APPLIED || row->progress;
}

static const struct history_row *last_run(const struct history_rows *rows)
{
    const struct history_row *last = NULL;
    for (size_t i = 0; i < rows->count; i++)
        if (has_run(&rows->items[i]) && (!last || rows->items[i].batch >= last->batch))
            last = &rows->items[i];
    return last;
}

int migrator_anchor(struct migrator *migrator, struct migration_anchor *ret_anchor,
                    struct error *err)
{
    SCOPED(history_rows) struct history_rows rows = HISTORY_ROWS_INIT;
    struct migration_anchor anchor = {0};
    if (look_at_history(migrator, &rows, err) < 0)
        return -1;
    const struct history_row *last = last_run(&rows);
    if (!last)
        return error_set(err, ERROR_NOT_FOUND, "no migration is applied");
    if (!last->backup_id) {
        error_set(err, ERROR_NOT_FOUND, "version %s was applied without a backup to go back to",
                  last->version);
        return error_hint(err,
                          "kedge migrate up --backup makes one first; kedge list shows others");
    }
    for (size_t i = 0; i < rows.count; i++)
        if (has_run(&rows.items[i]) && text_equal(rows.items[i].backup_id, last->backup_id))
            text_list_add(&anchor.versions, rows.items[i].version);
    anchor.backup_id = mem_string(last->backup_id);
    *ret_anchor = anchor;
    return 0;
}

void migration_anchor_clear(struct migration_anchor *anchor)
{
    free(anchor->backup_id);
    text_list_clear(&anchor->versions);
    *anchor = (struct migration_anchor){0};
}

int migrator_version(struct migrator *migrator, char **ret_version, struct error *err)
{
    SCOPED(migration_states) struct migration_states states = MIGRATION_STATES_INIT;
    if (migrator_status(migrator, &states, err) < 0)
        return -1;
    *ret_version = NULL;
    for (size_t i = states.count; i > 0; i--) {
        if (states.items[i - 1].status != HISTORY_APPLIED ||
            migration_version_repeatable(states.items[i - 1].version))
            continue;
        *ret_version = mem_string(states.items[i - 1].version);
        break;
    }
    return 0;
}

int migrator_difference(struct migrator *migrator, const char *version, struct buf *text,
                        struct error *err)
{
    SCOPED(string) char *source = NULL;
    SCOPED(buf) struct buf now = BUF_INIT;
    if (prepare(migrator, err) < 0)
        return -1;
    struct migration *migration = migration_set_find(&migrator->set, version);
    if (!migration || !migrator->history.exists)
        return 0;
    if (history_source(&migrator->history, version, &source, err) < 0)
        return -1;
    migration_normal(migration, &now);
    if (source)
        difference_append(text, source, now.data);
    return 0;
}

/* ---- the history alone ---- */

/* The history under the lock, made when it is not there. */
static int open_history(struct migrator *migrator, struct migrate_lock *lock, struct error *err)
{
    if (take_lock(migrator, lock, err) < 0 || prepare(migrator, err) < 0)
        return -1;
    return create_history(migrator, err);
}

static struct history_entry entry_of(struct migrator *migrator, const struct migration *migration,
                                     const struct history_row *row)
{
    struct os *os = migrator->db->os;
    name_operator(migrator);
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
    if (migration && !migration->functions[MIGRATE_UP]) {
        migration_normal(migration, &source);
        entry->source = source.data;
    }
    return history_write(&migrator->history, entry, err);
}

int migrator_force(struct migrator *migrator, const char *version, enum history_status status,
                   const char **ret_old, struct error *err)
{
    SCOPED(migrate_lock) struct migrate_lock lock = MIGRATE_LOCK_INIT;
    SCOPED(history_rows) struct history_rows rows = HISTORY_ROWS_INIT;
    if (open_history(migrator, &lock, err) < 0 || history_read(&migrator->history, &rows, err) < 0)
        return -1;
    const struct migration *migration = migration_set_find(&migrator->set, version);
    const struct history_row *row = history_rows_find(&rows, version);
    if (!migration && !row)
        return error_set(err, ERROR_NOT_FOUND, "there is no migration with the version %s",
                         version);
    struct history_entry entry = entry_of(migrator, migration, row);
    *ret_old = row ? history_status_name(row->status) : "none";
    entry.status = status;
    entry.progress = NULL;
    entry.error_message = NULL;
    entry.applied_now = status == HISTORY_APPLIED;
    entry.rolled_back_now = status == HISTORY_ROLLBACK;
    entry.batch = row && row->batch ? row->batch : history_last_batch(&rows) + 1;
    return write_entry(migrator, migration, &entry, err);
}

int migrator_baseline(struct migrator *migrator, const char *version, size_t *ret_count,
                      struct error *err)
{
    SCOPED(migrate_lock) struct migrate_lock lock = MIGRATE_LOCK_INIT;
    SCOPED(history_rows) struct history_rows rows = HISTORY_ROWS_INIT;
    *ret_count = 0;
    if (open_history(migrator, &lock, err) < 0 || history_read(&migrator->history, &rows, err) < 0)
        return -1;
    if (!migration_set_find(&migrator->set, version))
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
        (*ret_count)++;
    }
    return 0;
}

/* ---- import ---- */

/* The table of that name may be the other tool's, so nothing is said about it yet. */
int migrator_import(struct migrator *migrator, const struct import_request *request,
                    struct import_report *ret_report, struct error *err)
{
    SCOPED(migrate_lock) struct migrate_lock lock = MIGRATE_LOCK_INIT;
    const struct run run = run_of(migrator, 0);
    if (migration_set_sort(&migrator->set, err) < 0)
        return -1;
    migrator->sorted = true;
    if (!request->dry_run && take_lock(migrator, &lock, err) < 0)
        return -1;
    return import_history(&run, &migrator->set, request, ret_report, err);
}

/* ---- repair ---- */

static int repair_checksum(struct migrator *migrator, const struct migration *migration,
                           const struct history_row *row, struct text_list *report,
                           struct error *err)
{
    if (!migration || !migrate_plan_changed(migration, row))
        return 0;
    struct history_entry entry = entry_of(migrator, migration, row);
    if (write_entry(migrator, migration, &entry, err) < 0)
        return -1;
    text_list_give(report, mem_format("%s: checksum %.12s... is now %.12s...", row->version,
                                      row->checksum, migration->checksum));
    return 0;
}

static int repair_progress(struct migrator *migrator, const struct migration *migration,
                           const struct history_row *row, enum repair repair,
                           struct text_list *report, struct error *err)
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
    if (history_progress(&migrator->history, row->version, (int64_t)done, *text ? text : NULL,
                         err) < 0)
        return -1;
    text_list_give(report,
                   mem_format("%s: the next run goes on at statement %zu", row->version, done + 1));
    return 0;
}

int migrator_repair(struct migrator *migrator, const char *version, enum repair repair,
                    struct text_list *report, struct error *err)
{
    SCOPED(migrate_lock) struct migrate_lock lock = MIGRATE_LOCK_INIT;
    SCOPED(history_rows) struct history_rows rows = HISTORY_ROWS_INIT;
    if (open_history(migrator, &lock, err) < 0 || history_read(&migrator->history, &rows, err) < 0)
        return -1;
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
