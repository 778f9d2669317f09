#include "migrate/run.h"

#include "base/error.h"
#include "base/os.h"
#include "base/stop.h"
#include "migrate/classify.h"
#include "migrate/execute.h"
#include "migrate/lock.h"
#include "migrate/pipelined.h"
#include "migrate/pragma.h"
#include "migrate/session.h"
#include "migrate/stepwise.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const struct migration_part *part_of(const struct migrate_step *step)
{
    return &step->migration->parts[step->direction];
}

static unsigned traits_of(enum db_engine engine, const struct migration_statement *statement)
{
    return statement_traits(engine, statement->text, statement->size);
}

bool run_stepwise(enum db_engine engine, const struct migration *migration,
                  enum direction direction)
{
    const struct migration_part *part = &migration->parts[direction];
    if (migration->functions[direction])
        return false;
    if (part->outside)
        return true;
    for (size_t i = 0; i < part->count; i++) {
        unsigned traits = traits_of(engine, &part->items[i]);
        bool hidden = engine == DB_MYSQL && part->items[i].block;
        if ((traits & (TRAIT_COMMITS | TRAIT_MAY_COMMIT)) || hidden ||
            ((traits & TRAIT_OUTSIDE) && migration->detects_outside))
            return true;
    }
    return false;
}

/* ---- before anything runs ---- */

static int refuse(const struct migrate_step *step, const struct migration_statement *statement,
                  unsigned traits, struct error *err)
{
    SCOPED(string) char *place = migration_place(step->migration, step->direction);
    int size = (int)strcspn(statement->text, "\r\n");
    size = size < 60 ? size : 60;
    bool control = traits & TRAIT_TRANSACTION;
    error_set(err, ERROR_FAILED, "%s:%zu:%zu: %.*s: %s", place, statement->line, statement->column,
              size, statement->text,
              control ? "a migration runs in a transaction of its own, which this would end"
                      : "cannot run inside a transaction");
    return error_hint(err,
                      control ? "take it out, or write -- +migrate %s notransaction above"
                              : "write -- +migrate %s notransaction above its statements",
                      step->direction == MIGRATE_UP ? "Up" : "Down");
}

static int check_step(const struct run *run, const struct migrate_step *step, struct error *err)
{
    const struct migration_part *part = part_of(step);
    enum db_engine engine = run->db->ops->engine;
    /* Where DDL has ended the transaction anyway, the file may have some of its own. */
    if (part->outside ||
        (engine == DB_MYSQL && run_stepwise(engine, step->migration, step->direction)))
        return 0;
    for (size_t i = 0; i < part->count; i++) {
        const struct migration_statement *statement = &part->items[i];
        unsigned traits = traits_of(engine, statement);
        bool control =
            (traits & TRAIT_TRANSACTION) && !statement->block && !execute_skips(part, i, engine);
        bool outside = (traits & TRAIT_OUTSIDE) && !step->migration->detects_outside;
        if (control || outside)
            return refuse(step, statement, control ? TRAIT_TRANSACTION : TRAIT_OUTSIDE, err);
    }
    return 0;
}

int run_check(const struct run *run, const struct migrate_plan *plan, struct error *err)
{
    for (size_t i = 0; i < plan->count; i++)
        if (check_step(run, &plan->items[i], err) < 0)
            return -1;
    return 0;
}

static bool touched(const struct run *run, const struct migrate_step *step)
{
    return session_touched(run->db->ops->engine, step->migration, step->direction);
}

/* ---- in one transaction ---- */

/* The row that is there already: 1 when there is nothing to do any more. */
static int look(const struct run *run, const struct migrate_step *step, bool *ret_there,
                int64_t *ret_batch, struct error *err)
{
    struct history_row row = {0};
    bool up = step->direction == MIGRATE_UP;
    int there = history_read_one(run->history, step->migration->version, &row, err);
    bool done = migrate_plan_done(step->migration, step->direction, there > 0 ? &row : NULL);
    *ret_there = there > 0;
    *ret_batch = up ? run->batch : row.batch;
    history_row_clear(&row);
    return there < 0 ? -1 : done;
}

/* `trust` the plan: it knows whether there is a row, unless one has come since. */
static enum run_result write_row(const struct run *run, const struct migrate_step *step, bool trust,
                                 struct error *err)
{
    SCOPED(buf) struct buf source = BUF_INIT;
    struct history_entry entry = execute_row(run, step, &source);
    bool there = false;
    trust &= !step->recorded;
    int needed = trust ? 0 : look(run, step, &there, &entry.batch, err);
    if (needed != 0)
        return needed < 0 ? RUN_FAILED : RUN_NOT_NEEDED;
    int written = there ? history_update(run->history, &entry, err)
                        : history_insert(run->history, &entry, err);
    if (written < 0)
        return trust && err->code == ERROR_EXISTS ? RUN_CHANGED : RUN_FAILED;
    return RUN_DONE;
}

static int run_range(const struct run *run, const struct migrate_step *step, size_t from, size_t to,
                     struct error *err)
{
    for (size_t i = from; i < to; i++) {
        if (stop_check(err) < 0)
            return -1;
        if (execute_skips(part_of(step), i, run->db->ops->engine))
            continue;
        if (execute_statement(run->db, step, i, err) < 0)
            return execute_left(err, 0);
    }
    return 0;
}

/* BEGIN, and what the file says about the transaction. */
static int begin(const struct run *run, const struct migrate_step *step, struct error *err)
{
    enum db_engine engine = run->db->ops->engine;
    size_t opening =
        step->migration->functions[step->direction] ? 0 : execute_opening(part_of(step), engine);
    if (engine == DB_MYSQL)
        return run_range(run, step, 0, opening, err) < 0 ? -1 : execute_begin(run, err);
    return execute_begin(run, err) < 0 ? -1 : run_range(run, step, 0, opening, err);
}

static int run_statements(const struct run *run, const struct migrate_step *step, struct error *err)
{
    const struct migration_part *part = part_of(step);
    migration_fn *function = step->migration->functions[step->direction];
    if (function) {
        if (function(run->db, step->migration->context, err) == 0)
            return 0;
        error_prefix(err, "registered migration %s", step->migration->version);
        return execute_left(err, 0);
    }
    enum db_engine engine = run->db->ops->engine;
    return run_range(run, step, execute_opening(part, engine), part->count, err);
}

static enum run_result run_inside(const struct run *run, const struct migrate_step *step,
                                  bool trust, int64_t *ret_ms, struct error *err)
{
    struct os *os = run->db->os;
    int64_t started_ns = os->clock_monotonic_ns(os);
    if (run->lock && migrate_lock_check(run->lock, err) < 0)
        return RUN_FAILED;
    enum run_result result = write_row(run, step, trust, err);
    if (result == RUN_FAILED && err->code != ERROR_INTERRUPTED)
        execute_left(err, 0);
    if (result != RUN_DONE)
        return result;
    if (execute_lock_timeout(run, true, err) < 0 || run_statements(run, step, err) < 0)
        return RUN_FAILED;
    *ret_ms = (os->clock_monotonic_ns(os) - started_ns) / 1000000;
    if (touched(run, step) && db_own_role(run->db, err) < 0)
        return RUN_FAILED;
    if (history_time(run->history, step->migration->version, *ret_ms, err) < 0)
        return RUN_FAILED;
    return RUN_DONE;
}

/* Commit; what the server says after the last statement is reported with the file. */
static int finish(const struct run *run, const struct migrate_step *step, struct pragma *pragma,
                  struct error *err)
{
    SCOPED(string) char *place = migration_place(step->migration, step->direction);
    if (pragma_check(pragma, err) < 0)
        return error_prefix(err, "%s", place);
    if (db_commit(run->db, err) == 0)
        return 0;
    error_prefix(err, "%s: at the end of the transaction", place);
    if (run->db->fault.connection_lost)
        return execute_left_unknown(err);
    return execute_left(err, 0);
}

static enum run_result run_attempt(const struct run *run, const struct migrate_step *step,
                                   struct pragma *pragma, bool trust, int64_t *ret_ms,
                                   struct error *err)
{
    struct error ignored = ERROR_INIT;
    enum run_result result =
        begin(run, step, err) < 0 ? RUN_FAILED : run_inside(run, step, trust, ret_ms, err);
    if (result == RUN_DONE && finish(run, step, pragma, err) < 0)
        result = RUN_FAILED;
    if (result == RUN_DONE)
        return RUN_DONE;
    struct db_fault fault = run->db->fault;
    db_rollback(run->db, &ignored);
    run->db->fault = fault;
    return result;
}

static enum run_result run_transaction(const struct run *run, const struct migrate_step *step,
                                       int64_t *ret_ms, struct error *err)
{
    SCOPED(pragma) struct pragma pragma = PRAGMA_INIT;
    if (pragma_before(&pragma, run->db, part_of(step), err) < 0)
        return RUN_FAILED;
    bool together = pipelined_can(run, step);
    bool trust = true;
    for (size_t attempt = 0;; attempt++) {
        error_clear(err);
        run->db->fault = (struct db_fault){0};
        enum run_result result = trust && together
                                     ? pipelined_run(run, step, ret_ms, err)
                                     : run_attempt(run, step, &pragma, trust, ret_ms, err);
        if (result == RUN_DONE)
            return pragma_after(&pragma, err) < 0 ? RUN_FAILED : RUN_DONE;
        if (result == RUN_CHANGED)
            trust = false;
        else if (result != RUN_FAILED || err->code == ERROR_LOCKED || !execute_again(run, attempt))
            return result;
    }
}

/* ---- either way ---- */

/* So that status shows it; what went wrong is told already. */
static void write_failure(const struct run *run, const struct migrate_step *step,
                          const struct error *why)
{
    struct error ignored = ERROR_INIT;
    struct history_row row = {0};
    if (run->db->fault.connection_lost || step->direction == MIGRATE_DOWN)
        return;
    int there = history_read_one(run->history, step->migration->version, &row, &ignored);
    bool applied = there > 0 && row.status == HISTORY_APPLIED;
    history_row_clear(&row);
    if (there < 0 || applied)
        return;
    struct history_entry entry = execute_entry(run, step);
    entry.status = HISTORY_FAILED;
    entry.statements_done = 0;
    entry.error_message = why->message;
    history_write(run->history, &entry, &ignored);
}

/* The next one finds the session as this one did. After a failure that is told already. */
static enum run_result leave(const struct run *run, const struct migrate_step *step,
                             enum run_result result, struct error *err)
{
    struct error ignored = ERROR_INIT;
    struct db_fault fault = run->db->fault;
    if (!touched(run, step))
        return result;
    if (run->timeout_set)
        *run->timeout_set = false;
    if (!run->owns_session || fault.connection_lost || result == RUN_NOT_NEEDED)
        return result;
    struct error *told = result == RUN_DONE ? err : &ignored;
    int left = db_reset(run->db, told);
    if (left == 0 && run->lock)
        left = migrate_lock_retake(run->lock, told);
    if (result == RUN_FAILED)
        run->db->fault = fault;
    return left < 0 ? RUN_FAILED : result;
}

/* What came to nothing: with the file's name, also where it was our own row that was refused. */
static void tell(const struct run *run, const struct migrate_step *step, struct error *err)
{
    execute_name(step, err);
    bool opens = execute_opening(part_of(step), run->db->ops->engine) > 0;
    bool read_only = strcasestr(err->message, "read-only") || strcasestr(err->message, "READ ONLY");
    if (opens && read_only && !err->hint[0])
        error_hint(err, "its row in the history is written in the same transaction: take SET "
                        "TRANSACTION READ ONLY out");
}

enum run_result run_step(const struct run *run, const struct migrate_step *step, int64_t *ret_ms,
                         struct error *err)
{
    *ret_ms = 0;
    bool stepwise = run_stepwise(run->db->ops->engine, step->migration, step->direction);
    enum run_result result =
        stepwise ? stepwise_run(run, step, ret_ms, err) : run_transaction(run, step, ret_ms, err);
    result = leave(run, step, result, err);
    if (result != RUN_FAILED || err->code == ERROR_LOCKED || err->code == ERROR_INTERRUPTED)
        return result;
    tell(run, step, err);
    if (!stepwise)
        write_failure(run, step, err);
    return result;
}
