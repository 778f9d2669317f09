#include "migrate/stepwise.h"

#include "base/error.h"
#include "base/os.h"
#include "base/stop.h"
#include "migrate/classify.h"
#include "migrate/lock.h"
#include "migrate/progress.h"
#include "migrate/session.h"

#include <stdio.h>
#include <string.h>

struct stepping {
    const struct run *run;
    const struct migrate_step *step;
    const struct migration_part *part;
    char *place;
    int64_t batch;
    int64_t started_ns;
    size_t done;
    size_t kept;        /* of these, those that a rollback leaves */
    bool recorded;      /* the history has the row */
    bool touched;       /* statements may take another role */
    bool held;          /* the file's own locks keep our table out of reach */
    char backup_id[27]; /* a run that goes on keeps the one from before it began; "" for none */
};

static int first_line(const char *text)
{
    size_t size = strcspn(text, "\r\n");
    return size < 80 ? (int)size : 80;
}

/* ---- where to go on ---- */

static int undecided(const struct stepping *stepping, struct error *err)
{
    const struct migration_statement *statement = &stepping->part->items[stepping->done];
    const char *version = stepping->step->migration->version;
    error_set(err, ERROR_STRANDED,
              "%s:%zu:%zu: statement %zu of %zu (%.*s) was begun, and whether it ran is not known: "
              "the run ended before it could be written down",
              stepping->place, statement->line, statement->column, stepping->done + 1,
              stepping->part->count, first_line(statement->text), statement->text);
    return error_hint(err,
                      "look at the database, then choose: kedge migrate repair %s --ran, or "
                      "kedge migrate repair %s --not-run",
                      version, version);
}

static int changed(const struct stepping *stepping, const struct migrate_progress *progress,
                   struct error *err)
{
    error_set(err, ERROR_STRANDED,
              "%s: the first %zu statements have run already, and they are not what they were",
              stepping->place, progress->done);
    return error_hint(err,
                      "put them back as they were and run it again, or undo by hand what they "
                      "did and choose: kedge migrate repair %s --from-start, or kedge migrate "
                      "force %s --status applied",
                      stepping->step->migration->version, stepping->step->migration->version);
}

static int resume(struct stepping *stepping, const struct history_row *row, struct error *err)
{
    struct migrate_progress progress;
    char sum[SHA256_TEXT];
    if (!migrate_progress_parse(row->progress, &progress))
        return 0;
    if (progress.direction != stepping->step->direction) {
        error_set(err, ERROR_STRANDED, "%s: it was left half way %s", stepping->place,
                  progress.direction == MIGRATE_UP ? "up" : "down");
        return error_hint(err, "finish that first: kedge migrate %s",
                          progress.direction == MIGRATE_UP ? "up" : "down");
    }
    if (progress.done > stepping->part->count)
        return changed(stepping, &progress, err);
    migration_sum_part(stepping->part, progress.done, sum);
    if (strcmp(sum, progress.sum) != 0)
        return changed(stepping, &progress, err);
    stepping->done = progress.done;
    stepping->kept = progress.done;
    if (progress.begun && stepping->done < stepping->part->count)
        return undecided(stepping, err);
    return 0;
}

/* ---- what is written ---- */

/* Can the statement and its progress share a transaction? */
static bool can_share(const struct stepping *stepping, const struct migration_statement *statement)
{
    enum db_engine engine = stepping->run->db->ops->engine;
    struct words words;
    words_read(&words, engine, statement->text, statement->size);
    bool commits_maybe = statement->block || words_are(&words, 0, "CALL") ||
                         words_are(&words, 0, "DO") || words_are(&words, 0, "EXECUTE") ||
                         words_are(&words, 0, "PRAGMA");
    return !commits_maybe && statement_traits(engine, statement->text, statement->size) == 0;
}

/* Will the next statement run outside of any transaction, so that it has to be written down before
 * it does? */
static bool next_is_alone(const struct stepping *stepping)
{
    struct db *db = stepping->run->db;
    return stepping->done < stepping->part->count && !db->ops->in_transaction(db) &&
           !can_share(stepping, &stepping->part->items[stepping->done]);
}

static void progress_text(const struct stepping *stepping, bool begun, char ret_text[static 128])
{
    struct migrate_progress progress =
        migrate_progress_of(stepping->part, stepping->step->direction, stepping->done, begun);
    migrate_progress_format(&progress, ret_text);
}

static int write_row(const struct stepping *stepping, enum history_status status, bool begun,
                     const char *problem, struct error *err)
{
    char text[128];
    SCOPED(buf) struct buf source = BUF_INIT;
    struct history *history = stepping->run->history;
    struct history_entry entry = execute_entry(stepping->run, stepping->step);
    progress_text(stepping, begun, text);
    /* On the way up the end adds them: else each step of the progress would carry them along. */
    if (stepping->step->direction == MIGRATE_DOWN)
        execute_entry_source(stepping->step, &source, &entry);
    entry.batch = stepping->batch;
    entry.backup_id = stepping->backup_id[0] ? stepping->backup_id : NULL;
    entry.status = status;
    entry.statements_done = (int64_t)stepping->done;
    entry.progress = text;
    entry.error_message = problem;
    return stepping->recorded ? history_update(history, &entry, err)
                              : history_insert(history, &entry, err);
}

static int write_end(const struct stepping *stepping, struct error *err)
{
    struct os *os = stepping->run->db->os;
    SCOPED(buf) struct buf source = BUF_INIT;
    struct history_entry entry = execute_row(stepping->run, stepping->step, &source);
    entry.execution_time_ms = (os->clock_monotonic_ns(os) - stepping->started_ns) / 1000000;
    return history_finish(stepping->run->history, &entry, err);
}

/* How far it has come; `begun`: what comes next is begun with it. */
static int write_progress(const struct stepping *stepping, bool begun, struct error *err)
{
    char text[128];
    if (stepping->done == stepping->part->count)
        return write_end(stepping, err);
    progress_text(stepping, begun, text);
    return history_progress(stepping->run->history, stepping->step->migration->version,
                            (int64_t)stepping->done, text, err);
}

/* A migration that is being undone stays applied until it is. */
static enum history_status unfinished_status(const struct stepping *stepping,
                                             enum history_status up)
{
    return stepping->step->direction == MIGRATE_UP ? up : HISTORY_APPLIED;
}

/* ---- running ---- */

static int run_shared(struct stepping *stepping, struct error *err)
{
    struct db *db = stepping->run->db;
    size_t done = stepping->done;
    if (execute_begin(stepping->run, err) < 0 ||
        execute_statement(db, stepping->step, done, err) < 0)
        return -1;
    stepping->done++;
    bool begun = stepping->done < stepping->part->count &&
                 !can_share(stepping, &stepping->part->items[stepping->done]);
    if ((!stepping->touched || db_own_role(db, err) == 0) &&
        write_progress(stepping, begun, err) == 0 && db_commit(db, err) == 0) {
        stepping->kept = stepping->done;
        return 0;
    }
    stepping->done = done;
    return -1;
}

/* In a transaction of its own: until its end whatever role the file has taken does not count. */
static int write_as_ourselves(struct stepping *stepping, struct error *err)
{
    struct db *db = stepping->run->db;
    bool begun = next_is_alone(stepping);
    if (!db->ops->own_role)
        return write_progress(stepping, begun, err);
    if (execute_begin(stepping->run, err) < 0 || db_own_role(db, err) < 0 ||
        write_progress(stepping, begun, err) < 0)
        return -1;
    return db_commit(db, err);
}

static int left_open(const struct stepping *stepping, struct error *err)
{
    error_set(err, ERROR_FAILED, "%s: the transaction that it begins is open at its end",
              stepping->place);
    return error_hint(err, "add the COMMIT that is missing");
}

/* Outside of any transaction (it was written down as begun together with the end of the one
 * before), or within one of the file's own. */
static int run_alone(struct stepping *stepping, struct error *err)
{
    struct db *db = stepping->run->db;
    if (execute_statement(db, stepping->step, stepping->done, err) < 0)
        return -1;
    stepping->done++;
    bool open = db->ops->in_transaction(db);
    if (!open)
        stepping->kept = stepping->done;
    if (open && stepping->done == stepping->part->count)
        return left_open(stepping, err);
    int result = stepping->touched && !open
                     ? write_as_ourselves(stepping, err)
                     : write_progress(stepping, next_is_alone(stepping), err);
    stepping->held = result < 0 && session_out_of_reach(db);
    if (stepping->held) {
        error_clear(err);
        db->fault = (struct db_fault){0};
        return 0;
    }
    /* With autocommit off what we write has begun one. */
    return result == 0 && !open && db->ops->in_transaction(db) ? db_commit(db, err) : result;
}

/* What the server refused for a lock has not run, and is tried again. */
static int run_next(struct stepping *stepping, struct error *err)
{
    struct db *db = stepping->run->db;
    struct error ignored = ERROR_INIT;
    if (stop_check(err) < 0)
        return -1;
    if (db->ops->in_transaction(db) || stepping->held)
        return run_alone(stepping, err);
    bool share = can_share(stepping, &stepping->part->items[stepping->done]);
    for (size_t attempt = 0;; attempt++) {
        error_clear(err);
        db->fault = (struct db_fault){0};
        if ((share ? run_shared(stepping, err) : run_alone(stepping, err)) == 0)
            return 0;
        struct db_fault fault = db->fault;
        if (db->ops->in_transaction(db) && db_rollback(db, &ignored) < 0)
            return -1;
        db->fault = fault;
        if (!execute_again(stepping->run, attempt))
            return -1;
    }
}

/* An index that CONCURRENTLY left behind is named. */
static void tell_invalid_indexes(struct db *db, struct error *err)
{
    struct error ignored = ERROR_INIT;
    SCOPED(string) char *names = NULL;
    if (db->ops->engine != DB_POSTGRES || db->fault.connection_lost)
        return;
    if (db_query_text(db,
                      "SELECT string_agg(indexrelid::regclass::text, ', ') FROM pg_index "
                      "WHERE NOT indisvalid",
                      NULL, 0, &names, &ignored) <= 0 ||
        !names)
        return;
    error_hint(err, "invalid index left behind: %s; drop it before the next run", names);
}

/* What the server refused has not run, so the next run begins with it. */
static void give_up(struct stepping *stepping, struct error *err)
{
    struct error ignored = ERROR_INIT;
    struct db *db = stepping->run->db;
    bool lost = db->fault.connection_lost;
    db_rollback(db, &ignored);
    if (err->code == ERROR_STRANDED || lost)
        return;
    stepping->done = stepping->kept;
    if (stepping->touched && stepping->run->owns_session)
        db_reset(db, &ignored);
    tell_invalid_indexes(db, err);
    execute_left(err, stepping->done);
    if (!err->hint[0] && stepping->done > 0)
        error_hint(err, "correct statement %zu and run it again: it goes on there",
                   stepping->done + 1);
    write_row(stepping, unfinished_status(stepping, HISTORY_FAILED), false, err->message, &ignored);
}

/* What the statements that ran before have set in their session. */
static int set_again(struct stepping *stepping, struct error *err)
{
    struct db *db = stepping->run->db;
    for (size_t i = 0; i < stepping->done; i++)
        if (session_sets(db->ops->engine, &stepping->part->items[i]) &&
            execute_statement(db, stepping->step, i, err) < 0)
            return -1;
    return 0;
}

static int run_all(struct stepping *stepping, struct error *err)
{
    enum history_status status = unfinished_status(stepping, HISTORY_PENDING);
    if (execute_lock_timeout(stepping->run, false, err) < 0 ||
        write_row(stepping, status, next_is_alone(stepping), NULL, err) < 0)
        return -1;
    stepping->recorded = true;
    if (stepping->done == stepping->part->count)
        return write_end(stepping, err);
    if (set_again(stepping, err) < 0) {
        give_up(stepping, err);
        return -1;
    }
    while (stepping->done < stepping->part->count) {
        if (run_next(stepping, err) < 0) {
            give_up(stepping, err);
            return -1;
        }
    }
    if (!stepping->held)
        return 0;
    return db_reset(stepping->run->db, err) < 0 ? -1 : write_end(stepping, err);
}

static void keep_backup(struct stepping *stepping, const char *id)
{
    snprintf(stepping->backup_id, sizeof stepping->backup_id, "%s", id ? id : "");
}

/* Look at the row, where there may be one: RUN_DONE when the way is free. */
static enum run_result look(struct stepping *stepping, struct error *err)
{
    SCOPED(history_row) struct history_row row = {0};
    bool up = stepping->step->direction == MIGRATE_UP;
    int there =
        history_read_one(stepping->run->history, stepping->step->migration->version, &row, err);
    if (there < 0)
        return RUN_FAILED;
    bool done = migrate_plan_done(stepping->step->migration, stepping->step->direction,
                                  there ? &row : NULL);
    stepping->recorded = there;
    if (there && row.progress && !stepping->run->backup_id)
        keep_backup(stepping, row.backup_id);
    stepping->batch = up ? stepping->run->batch : row.batch;
    if (done)
        return RUN_NOT_NEEDED;
    return there && resume(stepping, &row, err) < 0 ? RUN_FAILED : RUN_DONE;
}

static enum run_result run_locked(struct stepping *stepping, struct error *err)
{
    enum run_result result = RUN_DONE;
    if (stepping->run->lock && migrate_lock_check(stepping->run->lock, err) < 0)
        return RUN_FAILED;
    if (stepping->step->recorded)
        result = look(stepping, err);
    if (result != RUN_DONE || run_all(stepping, err) == 0)
        return result;
    if (stepping->recorded || err->code != ERROR_EXISTS)
        return RUN_FAILED;
    /* Planned without a row, and there is one now. */
    error_clear(err);
    result = look(stepping, err);
    return result == RUN_DONE && run_all(stepping, err) < 0 ? RUN_FAILED : result;
}

enum run_result stepwise_run(const struct run *run, const struct migrate_step *step,
                             int64_t *ret_ms, struct error *err)
{
    struct os *os = run->db->os;
    SCOPED(string) char *place = migration_place(step->migration, step->direction);
    struct stepping stepping = {
        .run = run,
        .step = step,
        .part = &step->migration->parts[step->direction],
        .place = place,
        .batch = run->batch,
        .started_ns = os->clock_monotonic_ns(os),
        .touched = session_touched(run->db->ops->engine, step->migration, step->direction),
    };
    keep_backup(&stepping, run->backup_id);
    enum run_result result = run_locked(&stepping, err);
    *ret_ms = (os->clock_monotonic_ns(os) - stepping.started_ns) / 1000000;
    return result;
}
