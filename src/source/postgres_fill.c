#include "source/postgres_fill.h"

#include "base/buf.h"
#include "base/error.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/segment.h"
#include "base/stop.h"
#include "base/text.h"
#include "db/pq.h"
#include "db/statement.h"
#include "source/postgres_again.h"
#include "source/postgres_arrange.h"
#include "source/postgres_large.h"
#include "source/postgres_later.h"
#include "source/postgres_pace.h"
#include "source/postgres_plan.h"
#include "source/postgres_play.h"
#include "source/postgres_session.h"
#include "source/source.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define JOBS_MAXIMUM 64

struct filler {
    const struct postgres_fill *fill;
    struct segment_source *segments;
    struct buf preamble; /* settings that every connection needs */
    bool defining;
    struct laters later;

    struct plan plan;
    bool *told; /* of each table: the server's planner knows it */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    pthread_mutex_t large; /* held while a frame larger than a segment is played */
    bool failed;
    struct error error;
    struct pq *connections[JOBS_MAXIMUM];
    const char *in_force[JOBS_MAXIMUM]; /* settings of each connection */
    int jobs;
};

static int connect_side(const struct filler *filler, struct pq **ret_pq, struct error *err)
{
    const struct postgres_fill *fill = filler->fill;
    SCOPED(pq) struct pq *pq = NULL;
    /* A script that somebody wrote by hand expects what psql would find; ours says what it needs.
     */
    if (postgres_connect(fill->options->os, fill->url, fill->database, 0, &pq, err) < 0 ||
        pq_exec(pq,
                "RESET search_path; RESET TimeZone; RESET DateStyle; RESET IntervalStyle; "
                "RESET row_security; RESET lc_monetary; RESET array_nulls",
                NULL, err) < 0 ||
        postgres_pace_session(pq, err) < 0)
        return -1;
    if (fill->options->role) {
        SCOPED(buf) struct buf sql = BUF_INIT;
        buf_append_text(&sql, "SET ROLE ");
        pq_quote_identifier(&sql, fill->options->role);
        if (pq_exec(pq, sql.data, NULL, err) < 0)
            return -1;
    }
    if (filler->preamble.length && pq_exec(pq, filler->preamble.data, NULL, err) < 0)
        return error_prefix(err, "settings of the backup");
    *ret_pq = STEAL(pq);
    return 0;
}

static struct postgres_play_options player_options(const struct filler *filler, struct pq *pq,
                                                   const char *name)
{
    return (struct postgres_play_options){.pq = pq,
                                          .rules = filler->fill->rules,
                                          .counts = filler->fill->counts,
                                          .progress = filler->fill->options->progress,
                                          .name = name};
}

/* ---- the definitions ---- */

static int note_setting(void *context, const struct statement *statement, struct error *err)
{
    (void)err;
    struct filler *filler = context;
    if (!later_is_setting(statement->text))
        filler->defining = true;
    else if (!filler->defining)
        buf_append_format(&filler->preamble, "%s; ", statement->text);
    return 1;
}

static bool is_section(struct filler *filler, size_t number, enum section section)
{
    return filler->segments->ops->frame(filler->segments, number)->section == section;
}

/* A frame number's text for errors, into a buffer of the caller. */
static const char *frame_name(size_t number, char text[static 32])
{
    snprintf(text, 32, "frame %zu", number);
    return text;
}

static int play_any_frame(struct filler *filler, struct pq *pq, size_t number,
                          int (*statement)(void *, const struct statement *, struct error *),
                          struct error *err)
{
    struct segment *segment = NULL;
    if (filler->segments->ops->read(filler->segments, number, &segment, err) < 0)
        return -1;
    char name[32];
    struct postgres_play_options options = player_options(filler, pq, frame_name(number, name));
    options.statement = statement;
    options.context = filler;
    int result = postgres_play(&options, segment->data, segment->size, err);
    filler->segments->ops->drop(filler->segments, segment);
    return result;
}

/* A row that is longer than a segment is in memory as a whole: one at a time. */
static int play_frame(struct filler *filler, struct pq *pq, size_t number,
                      int (*statement)(void *, const struct statement *, struct error *),
                      struct error *err)
{
    bool large = filler->segments->ops->frame(filler->segments, number)->size > SEGMENT_MAXIMUM;
    if (large)
        pthread_mutex_lock(&filler->large);
    int result = play_any_frame(filler, pq, number, statement, err);
    if (large)
        pthread_mutex_unlock(&filler->large);
    return result;
}

static int play_definitions(struct filler *filler, struct pq *pq, struct error *err)
{
    size_t count = filler->segments->ops->count(filler->segments);
    for (size_t i = 0; i < count; i++)
        if (is_section(filler, i, SECTION_PRE) && play_frame(filler, pq, i, note_setting, err) < 0)
            return -1;
    return 0;
}

/* ---- what follows ---- */

static int note_later(void *context, const struct statement *statement, struct error *err)
{
    (void)err;
    struct filler *filler = context;
    laters_note(&filler->later, statement);
    return 0;
}

static int read_later(struct filler *filler, struct pq *pq, struct error *err)
{
    size_t count = filler->segments->ops->count(filler->segments);
    for (size_t i = 0; i < count; i++)
        if (is_section(filler, i, SECTION_POST) &&
            !postgres_large_is_frame(filler->segments->ops->frame(filler->segments, i)) &&
            play_frame(filler, pq, i, note_later, err) < 0)
            return -1;
    return 0;
}

/* ---- the workers ---- */

static int run_later(struct filler *filler, int worker, const struct later *later,
                     struct error *err)
{
    return later_run(filler->fill->options->os, filler->connections[worker],
                     &filler->in_force[worker], later, err);
}

/* What has no task of its own, in order: up to the first foreign key, or from there on. */
static int run_rest(struct filler *filler, int worker, bool before, struct error *err)
{
    bool passed = false;
    bool any_foreign = false;
    for (size_t i = 0; i < filler->later.count; i++)
        any_foreign = any_foreign ||
                      (filler->later.items[i].kind == POST_FOREIGN && filler->later.items[i].taken);
    for (size_t i = 0; i < filler->later.count; i++) {
        struct later *later = &filler->later.items[i];
        passed = passed || (later->kind == POST_FOREIGN && later->taken);
        bool early = any_foreign && !passed;
        if (!later->taken && early == before && run_later(filler, worker, later, err) < 0)
            return -1;
    }
    return 0;
}

static int run_large(struct filler *filler, struct pq *pq, struct error *err)
{
    size_t count = filler->segments->ops->count(filler->segments);
    for (size_t i = 0; i < count; i++)
        if (postgres_large_is_frame(filler->segments->ops->frame(filler->segments, i)) &&
            play_frame(filler, pq, i, NULL, err) < 0)
            return -1;
    return 0;
}

/* Several views may read a table. */
static bool is_told(struct filler *filler, size_t table)
{
    pthread_mutex_lock(&filler->lock);
    bool told = filler->told[table];
    pthread_mutex_unlock(&filler->lock);
    return told;
}

static void note_told(struct filler *filler, size_t table)
{
    pthread_mutex_lock(&filler->lock);
    filler->told[table] = true;
    pthread_mutex_unlock(&filler->lock);
}

/* Whatever goes wrong with that is no harm. */
static void tell_about_needs(struct filler *filler, struct pq *pq, const struct plan_task *refresh)
{
    for (size_t i = 0; i < refresh->need_count; i++) {
        size_t number = refresh->needs[i];
        const struct plan_table *table = &filler->plan.tables[number];
        struct error ignored = ERROR_INIT;
        if (number == refresh->table || is_told(filler, number))
            continue;
        if (postgres_pace_planner(pq, table->schema, table->name, &ignored) < 0)
            log_debug("%s", ignored.message);
        note_told(filler, number);
    }
}

struct rows {
    struct filler *filler;
    struct pq *pq;
    size_t frame;
};

static int send_rows(void *context, struct error *err)
{
    const struct rows *rows = context;
    return play_frame(rows->filler, rows->pq, rows->frame, NULL, err);
}

static int load_frame(struct filler *filler, int worker, const struct plan_task *task,
                      struct error *err)
{
    struct pq *pq = filler->connections[worker];
    struct rows rows = {filler, pq, task->frame};
    const struct postgres_again again = {.os = filler->fill->options->os,
                                         .pq = pq,
                                         .settings =
                                             filler->preamble.length ? filler->preamble.data : "",
                                         .in_force = &filler->in_force[worker],
                                         .schema = filler->plan.tables[task->table].schema,
                                         .once = send_rows,
                                         .context = &rows};
    return postgres_again_rows(&again, err);
}

static int run_task(struct filler *filler, int worker, const struct plan_task *task,
                    struct error *err)
{
    struct pq *pq = filler->connections[worker];
    switch (task->kind) {
    case TASK_DATA:
        return load_frame(filler, worker, task, err);
    case TASK_LARGE:
        return run_large(filler, pq, err);
    case TASK_REFRESH:
        tell_about_needs(filler, pq, task);
        return run_later(filler, worker, &filler->later.items[task->statement], err);
    case TASK_INDEX:
    case TASK_FOREIGN:
        return run_later(filler, worker, &filler->later.items[task->statement], err);
    case TASK_BEFORE:
        return run_rest(filler, worker, true, err);
    case TASK_AFTER:
        return run_rest(filler, worker, false, err);
    }
    return -1;
}

/* The next task; NULL when all is done or somebody failed. */
static struct plan_task *next_task(struct filler *filler, struct plan_task *done)
{
    pthread_mutex_lock(&filler->lock);
    if (done) {
        plan_finish(&filler->plan, done);
        pthread_cond_broadcast(&filler->changed);
    }
    struct plan_task *task = NULL;
    while (!filler->failed && !(task = plan_take(&filler->plan)) && !plan_complete(&filler->plan))
        pthread_cond_wait(&filler->changed, &filler->lock);
    pthread_mutex_unlock(&filler->lock);
    return task;
}

/* The first failure is the one that is told; whatever the others are at is of no use any more. */
static void fail(struct filler *filler, const struct pq *own, const struct error *err)
{
    pthread_mutex_lock(&filler->lock);
    if (!filler->failed) {
        filler->failed = true;
        filler->error = *err;
        for (int i = 0; i < filler->jobs; i++)
            if (filler->connections[i] && filler->connections[i] != own)
                pq_cancel(filler->connections[i]);
    }
    pthread_cond_broadcast(&filler->changed);
    pthread_mutex_unlock(&filler->lock);
}

static bool put_back(struct filler *filler, const struct pq *pq, struct plan_task *task,
                     struct error *err)
{
    if (task->kind != TASK_DATA || err->code == ERROR_INTERRUPTED ||
        !postgres_again_after_others(pq))
        return false;
    pthread_mutex_lock(&filler->lock);
    bool again = !filler->failed && plan_put_back(&filler->plan, task);
    if (again)
        pthread_cond_broadcast(&filler->changed);
    pthread_mutex_unlock(&filler->lock);
    if (!again)
        return false;
    log_debug("later again: %s", err->message);
    error_clear(err);
    return true;
}

struct worker {
    struct filler *filler;
    int number;
};

static void *worker_main(void *context)
{
    struct worker *worker = context;
    struct filler *filler = worker->filler;
    struct error err = ERROR_INIT;
    struct plan_task *task = NULL;
    struct pq *pq = filler->connections[worker->number];
    while ((task = next_task(filler, task))) {
        if (run_task(filler, worker->number, task, &err) == 0)
            continue;
        if (!put_back(filler, pq, task, &err)) {
            fail(filler, pq, &err);
            return NULL;
        }
        task = NULL;
    }
    return NULL;
}

static uint64_t largest_table(const struct filler *filler)
{
    uint64_t largest = 0;
    for (size_t i = 0; i < filler->plan.table_count; i++)
        if (filler->plan.tables[i].bytes > largest)
            largest = filler->plan.tables[i].bytes;
    return largest;
}

static int open_connections(struct filler *filler, struct error *err)
{
    int jobs = filler->fill->options->jobs < 1 ? 1 : filler->fill->options->jobs;
    filler->jobs = jobs > JOBS_MAXIMUM ? JOBS_MAXIMUM : jobs;
    for (int i = 0; i < filler->jobs; i++)
        if (connect_side(filler, &filler->connections[i], err) < 0 ||
            postgres_pace_sorting(filler->connections[i], largest_table(filler), filler->jobs,
                                  err) < 0)
            return -1;
    return 0;
}

static int run_workers(struct filler *filler, struct error *err)
{
    if (open_connections(filler, err) < 0)
        return -1;
    pthread_t threads[JOBS_MAXIMUM];
    struct worker workers[JOBS_MAXIMUM];
    int started = 0;
    for (; started < filler->jobs; started++) {
        workers[started] = (struct worker){filler, started};
        int failure = pthread_create(&threads[started], NULL, worker_main, &workers[started]);
        if (failure) {
            struct error here = ERROR_INIT;
            error_set_errno(&here, ERROR_FAILED, failure, "start a worker");
            fail(filler, NULL, &here);
            break;
        }
    }
    for (int i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
    if (!filler->failed)
        return 0;
    *err = filler->error;
    return -1;
}

/* ---- both ways ---- */

static int fill_planned(struct filler *filler, struct error *err)
{
    SCOPED(pq) struct pq *pq = NULL;
    if (connect_side(filler, &pq, err) < 0 || play_definitions(filler, pq, err) < 0 ||
        read_later(filler, pq, err) < 0)
        return -1;
    if (postgres_arrange(pq, filler->segments, &filler->later, &filler->plan, err) < 0)
        return -1;
    filler->told = mem_alloc(filler->plan.table_count + 1, sizeof *filler->told);
    pq_close(STEAL(pq));
    return run_workers(filler, err);
}

static int fill_in_order(struct filler *filler, struct error *err)
{
    SCOPED(pq) struct pq *pq = NULL;
    if (connect_side(filler, &pq, err) < 0)
        return -1;
    struct postgres_play_options options = player_options(filler, pq, "backup");
    SCOPED(postgres_player) struct postgres_player *player = postgres_player_new(&options);
    struct segment *segment = NULL;
    int more;
    while ((more = filler->segments->ops->next(filler->segments, &segment, err)) > 0) {
        int pushed = postgres_player_push(player, segment->data, segment->size, err);
        filler->segments->ops->drop(filler->segments, segment);
        if (pushed < 0)
            return -1;
    }
    return more < 0 ? -1 : postgres_player_finish(player, err);
}

static void filler_clear(struct filler *filler)
{
    for (int i = 0; i < JOBS_MAXIMUM; i++)
        pq_close(filler->connections[i]);
    laters_clear(&filler->later);
    buf_clear(&filler->preamble);
    plan_clear(&filler->plan);
    free(filler->told);
    pthread_cond_destroy(&filler->changed);
    pthread_mutex_destroy(&filler->large);
    pthread_mutex_destroy(&filler->lock);
}

int postgres_fill(const struct postgres_fill *fill, struct segment_source *segments,
                  struct error *err)
{
    struct filler filler = {.fill = fill,
                            .segments = segments,
                            .preamble = BUF_INIT,
                            .lock = PTHREAD_MUTEX_INITIALIZER,
                            .changed = PTHREAD_COND_INITIALIZER,
                            .large = PTHREAD_MUTEX_INITIALIZER};
    int result =
        segments->ops->count(segments) ? fill_planned(&filler, err) : fill_in_order(&filler, err);
    filler_clear(&filler);
    return result;
}
