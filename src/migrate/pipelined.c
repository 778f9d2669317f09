#include "migrate/pipelined.h"

#include "base/error.h"
#include "base/os.h"
#include "base/text.h"
#include "db/postgres.h"
#include "migrate/classify.h"
#include "migrate/lock.h"
#include "migrate/session.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum role {
    ROLE_FRAME,     /* what stands around */
    ROLE_LOCK,      /* fails when the lock is not ours */
    ROLE_STATE,     /* fails when the history is not as planned */
    ROLE_STATEMENT, /* of the migration */
    ROLE_COMMIT,
};

/* What each statement of the batch is there for, and where it stands in the file. */
struct place {
    enum role role;
    size_t index;
    size_t line;
    size_t column;
};

struct batch {
    struct db_statement *statements;
    struct place *places;
    size_t count;
    size_t capacity;
    size_t places_capacity;
    struct text_list texts; /* that nobody else keeps */
    struct history_statement row;
    struct db_value version;
    struct buf source;
    size_t index; /* of the migration's statement that is being added */
};

static void batch_clear(struct batch *batch)
{
    free(batch->statements);
    free(batch->places);
    text_list_clear(&batch->texts);
    history_statement_clear(&batch->row);
    buf_clear(&batch->source);
}

static struct place *add(struct batch *batch, enum role role, const char *sql,
                         const struct db_value *parameters, size_t parameter_count)
{
    ARRAY_GROW(batch->statements, batch->count, batch->capacity);
    ARRAY_GROW(batch->places, batch->count, batch->places_capacity);
    batch->statements[batch->count] =
        (struct db_statement){sql, strlen(sql), parameters, parameter_count};
    struct place *place = &batch->places[batch->count++];
    *place = (struct place){.role = role};
    return place;
}

/* The batch keeps `text`. */
static const char *keep(struct batch *batch, char *text)
{
    text_list_give(&batch->texts, text);
    return text;
}

/* ---- what is sent ---- */

static void add_lock_guard(struct batch *batch, const struct run *run)
{
    struct db_statement guard;
    if (run->lock && migrate_lock_guard(run->lock, &guard))
        add(batch, ROLE_LOCK, guard.sql, guard.parameters, guard.parameter_count);
}

/* The row that is there must be one to go on from; it is locked. A division by zero is an error
 * that any server raises. */
static void add_state_guard(struct batch *batch, const struct run *run,
                            const struct migrate_step *step)
{
    const char *sign = step->direction == MIGRATE_UP ? "<>" : "=";
    add(batch, ROLE_STATE,
        keep(batch, mem_format("SELECT 1 / count(*) FROM (SELECT 1 FROM %s WHERE version = ? "
                               "AND status %s 'applied' FOR UPDATE) AS planned",
                               run->history->quoted, sign)),
        &batch->version, 1);
}

static void add_row(struct batch *batch, const struct run *run, const struct migrate_step *step)
{
    struct history_entry entry = execute_row(run, step, &batch->source);
    entry.keep_batch = step->direction == MIGRATE_DOWN;
    if (step->recorded)
        history_update_statement(run->history, &entry, &batch->row);
    else
        history_insert_statement(run->history, &entry, &batch->row);
    add(batch, ROLE_STATE, batch->row.sql.data, batch->row.values, batch->row.count);
}

static int add_statement(void *context, const struct statement *statement, struct error *err)
{
    struct batch *batch = context;
    (void)err;
    const char *text = keep(batch, mem_string_n(statement->text, statement->size));
    *add(batch, ROLE_STATEMENT, text, NULL, 0) =
        (struct place){ROLE_STATEMENT, batch->index, statement->line, statement->column};
    return 0;
}

static int add_statements(struct batch *batch, const struct run *run,
                          const struct migrate_step *step, size_t from, size_t to,
                          struct error *err)
{
    enum db_engine engine = run->db->ops->engine;
    const struct migration_part *part = &step->migration->parts[step->direction];
    for (batch->index = from; batch->index < to; batch->index++)
        if (!execute_skips(part, batch->index, engine) &&
            execute_each(engine, &part->items[batch->index], add_statement, batch, err) < 0)
            return -1;
    return 0;
}

static int make(struct batch *batch, const struct run *run, const struct migrate_step *step,
                struct error *err)
{
    const struct migration_part *part = &step->migration->parts[step->direction];
    size_t opening = execute_opening(part, run->db->ops->engine);
    batch->version = db_text(step->migration->version);
    add(batch, ROLE_FRAME, "BEGIN", NULL, 0);
    if (add_statements(batch, run, step, 0, opening, err) < 0)
        return -1;
    add_lock_guard(batch, run);
    add(batch, ROLE_FRAME,
        keep(batch, mem_format("SET LOCAL lock_timeout = %" PRId64, run->lock_timeout_ms)), NULL,
        0);
    if (step->recorded)
        add_state_guard(batch, run, step);
    add_row(batch, run, step);
    if (add_statements(batch, run, step, opening, part->count, err) < 0)
        return -1;
    if (session_touched(run->db->ops->engine, step->migration, step->direction)) {
        add(batch, ROLE_FRAME, POSTGRES_OWN_SESSION, NULL, 0);
        add(batch, ROLE_FRAME, POSTGRES_OWN_ROLE, NULL, 0);
    }
    add(batch, ROLE_FRAME,
        keep(batch, mem_format("UPDATE %s SET execution_time_ms = round(1000 * extract(epoch FROM "
                               "clock_timestamp() - transaction_timestamp())) WHERE version = ?",
                               run->history->quoted)),
        &batch->version, 1);
    add(batch, ROLE_COMMIT, "COMMIT", NULL, 0);
    return 0;
}

/* ---- what comes back ---- */

static int tell_statement(const struct run *run, const struct migrate_step *step,
                          const struct batch *batch, size_t at, struct error *err)
{
    const struct place *place = &batch->places[at];
    const struct statement statement = {
        .text = batch->statements[at].sql,
        .size = batch->statements[at].size,
        .line = place->line,
        .column = place->column,
    };
    return execute_tell(run->db, step, place->index, &statement, err);
}

/* Add to what statement `at` of the batch failed with what the way with a round trip for each would
 * add. */
static void tell(const struct run *run, const struct migrate_step *step, const struct batch *batch,
                 size_t at, struct error *err)
{
    const struct db_fault *fault = &run->db->fault;
    SCOPED(string) char *place = migration_place(step->migration, step->direction);
    /* A server that says nothing at all may have run everything. */
    if (fault->connection_lost && !fault->state[0]) {
        execute_left_unknown(err);
        return;
    }
    if (batch->places[at].role == ROLE_COMMIT)
        error_prefix(err, "%s: at the end of the transaction", place);
    else if (batch->places[at].role == ROLE_STATEMENT)
        tell_statement(run, step, batch, at, err);
    execute_left(err, 0);
}

static enum run_result failed(const struct run *run, const struct migrate_step *step,
                              const struct batch *batch, size_t at, struct error *err)
{
    enum role role = batch->places[at].role;
    bool divided = strcmp(run->db->fault.state, LOCK_GUARD_STATE) == 0;
    if (role == ROLE_STATE && (divided || err->code == ERROR_EXISTS))
        return RUN_CHANGED;
    if (role == ROLE_LOCK && divided)
        migrate_lock_lost(err);
    else if (err->code != ERROR_INTERRUPTED || run->db->fault.connection_lost)
        tell(run, step, batch, at, err);
    return RUN_FAILED;
}

/* No COPY can be sent together with others, and one to stdout neither. */
static bool copies(const struct migration_statement *statement)
{
    struct words words;
    if (statement->kind == STATEMENT_COPY)
        return true;
    if (statement->block)
        return strcasestr(statement->text, "copy") != NULL;
    words_read(&words, DB_POSTGRES, statement->text, statement->size < 100 ? statement->size : 100);
    return words_are(&words, 0, "COPY");
}

bool pipelined_can(const struct run *run, const struct migrate_step *step)
{
    const struct migration_part *part = &step->migration->parts[step->direction];
    if (!run->db->ops->batch || step->migration->functions[step->direction])
        return false;
    for (size_t i = 0; i < part->count; i++)
        if (copies(&part->items[i]))
            return false;
    return true;
}

static enum run_result run_batch(const struct run *run, const struct migrate_step *step,
                                 struct batch *batch, struct error *err)
{
    size_t done = 0;
    struct error ignored = ERROR_INIT;
    if (make(batch, run, step, err) < 0)
        return RUN_FAILED;
    if (run->db->ops->batch(run->db, batch->statements, batch->count, &done, err) == 0)
        return RUN_DONE;
    size_t last = batch->count - 1;
    struct db_fault fault = run->db->fault;
    enum run_result result = failed(run, step, batch, done < last ? done : last, err);
    db_rollback(run->db, &ignored);
    run->db->fault = fault;
    return result;
}

enum run_result pipelined_run(const struct run *run, const struct migrate_step *step,
                              int64_t *ret_ms, struct error *err)
{
    struct os *os = run->db->os;
    struct batch batch = {.row = {.sql = BUF_INIT}, .source = BUF_INIT};
    int64_t started_ns = os->clock_monotonic_ns(os);
    enum run_result result = run_batch(run, step, &batch, err);
    *ret_ms = (os->clock_monotonic_ns(os) - started_ns) / 1000000;
    batch_clear(&batch);
    return result;
}
