#include "source/postgres_dump.h"

#include "base/error.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/os.h"
#include "base/segment.h"
#include "base/stop.h"
#include "db/pq.h"
#include "io/progress.h"
#include "source/postgres_catalog.h"
#include "source/postgres_change.h"
#include "source/postgres_ddl.h"
#include "source/postgres_large.h"
#include "source/postgres_properties.h"
#include "source/postgres_rows.h"
#include "source/postgres_script.h"
#include "source/postgres_session.h"
#include "source/source.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* Tries to find a moment of quiet for the definitions, which is a matter of seconds. */
#define ATTEMPTS 40
#define PATIENCE_MS 30000
#define FIRST_PAUSE_MS 20
#define LONGEST_PAUSE_MS 2000
#define JOBS_MAXIMUM 64
#define FIRST_WITH_RANGES 140000

/* ---- the readers ---- */

enum gate { GATE_CLOSED, GATE_OPEN, GATE_ABANDONED };

struct dump {
    const struct source_target *target;
    const struct dump_options *options;
    struct segment_sink *sink;
    struct postgres_snapshot snapshot;
    struct postgres_slices slices;
    struct row_digest *digests; /* one a table */
    size_t *slices_left;        /* likewise */

    pthread_mutex_t lock;
    pthread_cond_t changed;
    enum gate gate; /* readers push only once the definitions are in the artifact */
    size_t next_slice;
    int joined; /* readers that are in the snapshot and hold their locks */
    bool failed;
    struct error error; /* of the reader that failed first */
    uint64_t rows;
    char *what; /* changed, or NULL */
};

static void note_change(struct dump *dump, const char *what)
{
    free(dump->what);
    dump->what = mem_string(what);
}

static int raise_change(const char *what, enum error_code code, struct error *err)
{
    error_set(err, code, "schema changed during the dump%s%s", what ? ": " : "", what ? what : "");
    return error_hint(err,
                      "give what changes definitions a lock_timeout (SET lock_timeout = '2s'), or "
                      "back up when nobody does");
}

/* The reader's own words for "somebody else has failed": never shown. */
static int give_up(struct error *err)
{
    return error_set(err, ERROR_SOURCE, "another reader has failed");
}

static int wait_gate(void *context, struct error *err)
{
    struct dump *dump = context;
    pthread_mutex_lock(&dump->lock);
    while (dump->gate == GATE_CLOSED && !dump->failed)
        pthread_cond_wait(&dump->changed, &dump->lock);
    bool open = dump->gate == GATE_OPEN && !dump->failed;
    pthread_mutex_unlock(&dump->lock);
    return open ? 0 : give_up(err);
}

static void set_gate(struct dump *dump, enum gate gate)
{
    pthread_mutex_lock(&dump->lock);
    dump->gate = gate;
    pthread_cond_broadcast(&dump->changed);
    pthread_mutex_unlock(&dump->lock);
}

static const struct postgres_slice *take_slice(struct dump *dump)
{
    pthread_mutex_lock(&dump->lock);
    const struct postgres_slice *slice = NULL;
    if (!dump->failed && dump->gate != GATE_ABANDONED && dump->next_slice < dump->slices.count)
        slice = &dump->slices.items[dump->next_slice++];
    pthread_mutex_unlock(&dump->lock);
    return slice;
}

static int state_table(struct dump *dump, size_t number, struct error *err)
{
    char digest[ROW_DIGEST_TEXT];
    row_digest_format(&dump->digests[number], digest);
    struct segment_table table = {.schema = dump->snapshot.tables.items[number].schema,
                                  .name = dump->snapshot.tables.items[number].name,
                                  .rows = dump->digests[number].rows,
                                  .bytes = dump->digests[number].bytes,
                                  .digest = digest};
    return dump->sink->ops->table(dump->sink, &table, err);
}

/* Add a slice's rows to its table; the last one states the table. */
static int finish_slice(struct dump *dump, const struct postgres_slice *slice,
                        const struct row_digest *digest, struct error *err)
{
    pthread_mutex_lock(&dump->lock);
    row_digest_merge(&dump->digests[slice->number], digest);
    dump->rows += digest->rows;
    bool last = --dump->slices_left[slice->number] == 0;
    pthread_mutex_unlock(&dump->lock);
    if (!last)
        return 0;
    /* An empty table has no frame that would have waited. */
    if (wait_gate(dump, err) < 0)
        return -1;
    return state_table(dump, slice->number, err);
}

static void count_joined(struct dump *dump)
{
    pthread_mutex_lock(&dump->lock);
    dump->joined++;
    pthread_cond_broadcast(&dump->changed);
    pthread_mutex_unlock(&dump->lock);
}

/* A reader that finds somebody waiting for one of our locks cannot go on. 1 all are there, 0 one
 * found that, -1 another failure. */
static int await_readers(struct dump *dump, int count, struct error *err)
{
    pthread_mutex_lock(&dump->lock);
    while (dump->joined < count && !dump->failed)
        pthread_cond_wait(&dump->changed, &dump->lock);
    bool failed = dump->failed;
    pthread_mutex_unlock(&dump->lock);
    if (!failed)
        return 1;
    *err = dump->error;
    return err->code == ERROR_CHANGED ? 0 : -1;
}

static int read_slices(struct dump *dump, struct error *err)
{
    SCOPED(pq) struct pq *pq = NULL;
    if (postgres_snapshot_join(&dump->snapshot, &dump->target->url, dump->options, &pq, err) < 0)
        return -1;
    count_joined(dump);
    const struct postgres_slice *slice;
    while ((slice = take_slice(dump))) {
        struct row_digest digest = {0};
        if (postgres_slice_dump(pq, slice, dump->sink, dump->options->progress, wait_gate, dump,
                                &digest, err) < 0 ||
            finish_slice(dump, slice, &digest, err) < 0)
            return -1;
    }
    return 0;
}

static void *reader_main(void *context)
{
    struct dump *dump = context;
    struct error err = ERROR_INIT;
    if (read_slices(dump, &err) < 0) {
        pthread_mutex_lock(&dump->lock);
        if (!dump->failed && dump->gate != GATE_ABANDONED) {
            dump->failed = true;
            dump->error = err;
        }
        pthread_cond_broadcast(&dump->changed);
        pthread_mutex_unlock(&dump->lock);
    }
    return NULL;
}

struct readers {
    pthread_t threads[JOBS_MAXIMUM];
    int count;
};

static int start_readers(struct dump *dump, struct readers *readers, struct error *err)
{
    int jobs = dump->options->jobs < 1 ? 1 : dump->options->jobs;
    if (jobs > JOBS_MAXIMUM)
        jobs = JOBS_MAXIMUM;
    if ((size_t)jobs > dump->slices.count)
        jobs = (int)dump->slices.count;
    while (readers->count < jobs) {
        int failure = pthread_create(&readers->threads[readers->count], NULL, reader_main, dump);
        if (failure)
            return error_set_errno(err, ERROR_FAILED, failure, "start a reader");
        readers->count++;
    }
    return 0;
}

static void join_readers(struct readers *readers)
{
    for (int i = 0; i < readers->count; i++)
        pthread_join(readers->threads[i], NULL);
    readers->count = 0;
}

/* ---- the parts ---- */

/* All that is said of the database besides its rows. */
struct definitions {
    struct postgres_ddl ddl;
    struct buf sequences;
    struct buf properties;
};

#define DEFINITIONS_INIT ((struct definitions){POSTGRES_DDL_INIT, BUF_INIT, BUF_INIT})

static void definitions_clear(struct definitions *definitions)
{
    postgres_ddl_clear(&definitions->ddl);
    buf_clear(&definitions->sequences);
    buf_clear(&definitions->properties);
}

/* 1 nothing changed, 0 something did, -1. */
static int is_unchanged(struct dump *dump, enum change_scope scope, struct error *err)
{
    SCOPED(string) char *what = NULL;
    int changed = postgres_change_find(dump->snapshot.reader, dump->snapshot.locks, scope,
                                       &dump->snapshot.tables, &what, err);
    if (changed > 0)
        note_change(dump, what);
    return changed < 0 ? -1 : !changed;
}

/* What is dropped under its hands makes pg_dump fail, and who waits to do it. */
static int blame_a_change(struct dump *dump, struct error *err)
{
    struct error ignored = ERROR_INIT;
    SCOPED(string) char *who = NULL;
    if (postgres_snapshot_blame(&dump->snapshot, err))
        return -1;
    if (postgres_snapshot_is_awaited(&dump->snapshot, &who, &ignored) > 0 ||
        err->code == ERROR_CHANGED) {
        note_change(dump, who ? who : "somebody waits for a table's lock");
        return 0;
    }
    return is_unchanged(dump, CHANGE_DEFINITIONS, &ignored) == 0 ? 0 : -1;
}

/* Sequences are read by name, and locked only while they are: they and what functions read can go
 * meanwhile. 1, 0 when something did, -1. */
static int read_values(struct dump *dump, struct definitions *definitions, struct error *err)
{
    static const char *const states[] = {"42P01", "42704", "42883", "3F000",
                                         "55P03", "40P01", "XX000"};
    struct pq *reader = dump->snapshot.reader;
    if (pq_exec(reader, "SAVEPOINT before", NULL, err) < 0)
        return -1;
    if (postgres_sequences_script(reader, &definitions->sequences, err) == 0 &&
        postgres_properties_script(reader, &definitions->properties, err) == 0)
        return pq_exec(reader, "ROLLBACK TO SAVEPOINT before", NULL, err) < 0 ? -1 : 1;
    if (!pq_fault_among(reader, states, ARRAY_SIZE(states)))
        return -1;
    note_change(dump, err->message);
    return 0;
}

/* 1 the definitions are those of the snapshot, 0 something changed meanwhile, -1. */
static int read_definitions(struct dump *dump, struct definitions *definitions, struct error *err)
{
    if (postgres_ddl_read(dump->options->os, dump->snapshot.reader, dump->snapshot.id,
                          &dump->snapshot.tables, postgres_following_timeout_ms(dump->options),
                          &definitions->ddl, err) < 0)
        return blame_a_change(dump, err);
    int read = read_values(dump, definitions, err);
    return read > 0 ? is_unchanged(dump, CHANGE_DEFINITIONS, err) : read;
}

/* A new database has the schema `public`, and pg_dump does not say that it was dropped. Where it
 * belongs to somebody else or is in use it stays, which harms nobody. */
static int add_absence(struct pq *pq, struct buf *script, struct error *err)
{
    int64_t absent = 0;
    if (pq_query_integer(pq,
                         "SELECT (NOT EXISTS (SELECT FROM pg_namespace "
                         "WHERE nspname = 'public'))::int",
                         &absent, err) < 0)
        return -1;
    if (absent)
        buf_append_text(script, "DO 'BEGIN DROP SCHEMA IF EXISTS public; EXCEPTION WHEN "
                                "insufficient_privilege OR dependent_objects_still_exist THEN "
                                "RAISE WARNING ''the schema public stays: %'', SQLERRM; END';\n");
    return 0;
}

/* Roles after the settings, which the whole file needs, and before their first owner. */
static int push_preceding(struct dump *dump, const struct postgres_ddl *ddl, struct error *err)
{
    SCOPED(buf) struct buf pre = BUF_INIT;
    buf_append(&pre, ddl->pre.data, ddl->head);
    if (dump->options->roles && postgres_roles_script(dump->snapshot.reader, &pre, err) < 0)
        return -1;
    if (add_absence(dump->snapshot.reader, &pre, err) < 0)
        return -1;
    buf_append(&pre, ddl->pre.data + ddl->head, ddl->pre.length - ddl->head);
    return postgres_script_push(&pre, SECTION_PRE, dump->sink, err);
}

static int push_following(struct dump *dump, const struct definitions *definitions,
                          struct error *err)
{
    if (postgres_script_push(&definitions->sequences, SECTION_POST, dump->sink, err) < 0 ||
        postgres_large_dump(dump->snapshot.reader, dump->sink, dump->options->progress, err) < 0 ||
        postgres_script_push(&definitions->ddl.post, SECTION_POST, dump->sink, err) < 0)
        return -1;
    return postgres_script_push(&definitions->properties, SECTION_POST, dump->sink, err);
}

static int check_rows(struct dump *dump, struct error *err)
{
    int same = is_unchanged(dump, CHANGE_ROWS, err);
    return same == 0 ? raise_change(dump->what, ERROR_CHANGED, err) : same < 0 ? -1 : 0;
}

/* After the definitions: 0 or -1. */
static int read_rows(struct dump *dump, struct readers *readers, struct error *err)
{
    join_readers(readers);
    if (dump->failed) {
        *err = dump->error;
        return -1;
    }
    return 0;
}

static void prepare_slices(struct dump *dump)
{
    const struct postgres_tables *tables = &dump->snapshot.tables;
    bool ranges = pq_server_version(dump->snapshot.reader) >= FIRST_WITH_RANGES;
    postgres_slices_plan(tables, ranges, &dump->slices);
    dump->digests = mem_alloc(tables->count, sizeof *dump->digests);
    dump->slices_left = mem_alloc(tables->count, sizeof *dump->slices_left);
    for (size_t i = 0; i < dump->slices.count; i++)
        dump->slices_left[dump->slices.items[i].number]++;
}

static uint64_t total_bytes(const struct dump *dump)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < dump->slices.count; i++)
        bytes += dump->slices.items[i].bytes;
    return bytes;
}

/* 1 done, 0 the schema changed before anything was pushed, -1. */
static int run(struct dump *dump, struct definitions *definitions, struct error *err)
{
    struct readers readers = {.count = 0};
    int result = start_readers(dump, &readers, err);
    if (result == 0)
        result = read_definitions(dump, definitions, err);
    if (result > 0)
        result = await_readers(dump, readers.count, err);
    if (result > 0 && push_preceding(dump, &definitions->ddl, err) < 0)
        result = -1;
    set_gate(dump, result > 0 ? GATE_OPEN : GATE_ABANDONED);
    if (result <= 0) {
        join_readers(&readers);
        return result;
    }
    if (read_rows(dump, &readers, err) < 0 || push_following(dump, definitions, err) < 0 ||
        check_rows(dump, err) < 0)
        return -1;
    return 1;
}

static int describe(struct dump *dump, struct dump_result *ret_result, struct error *err)
{
    struct pq *reader = dump->snapshot.reader;
    struct dump_result result = {.rows = dump->rows, .source_bytes = total_bytes(dump)};
    if (postgres_position(reader, &result.consistent_at, err) < 0)
        return -1;
    result.engine_version = mem_string(pq_parameter_status(reader, "server_version"));
    *ret_result = result;
    return 0;
}

/* What a restore needs, which only the definitions tell. */
static int describe_needs(struct dump *dump, const struct definitions *definitions,
                          struct dump_result *result, struct error *err)
{
    return postgres_metadata(dump->snapshot.reader, dump->options, &dump->snapshot.tables,
                             &definitions->ddl.tablespaces, &result->metadata, err);
}

static void clear(struct dump *dump)
{
    postgres_slices_clear(&dump->slices);
    postgres_snapshot_close(&dump->snapshot);
    free(dump->digests);
    free(dump->slices_left);
    free(dump->what);
    pthread_cond_destroy(&dump->changed);
    pthread_mutex_destroy(&dump->lock);
}

/* 1 done, 0 worth another try and *what changed, -1. */
static int attempt(const struct source_target *target, const struct dump_options *options,
                   struct segment_sink *sink, struct dump_result *ret_result, char **what,
                   struct error *err)
{
    struct dump dump = {.target = target,
                        .options = options,
                        .sink = sink,
                        .lock = PTHREAD_MUTEX_INITIALIZER,
                        .changed = PTHREAD_COND_INITIALIZER};
    struct definitions definitions = DEFINITIONS_INIT;
    int result = postgres_snapshot_open(&target->url, options, &dump.snapshot, err);
    if (result > 0) {
        prepare_slices(&dump);
        progress_begin(options->progress, "reading", total_bytes(&dump));
        struct dump_result found = {0};
        result = describe(&dump, &found, err);
        if (result == 0)
            result = run(&dump, &definitions, err);
        if (result > 0 && describe_needs(&dump, &definitions, &found, err) < 0)
            result = -1;
        /* Without the snapshot the others fail with words that nobody understands. */
        if (result < 0)
            postgres_snapshot_blame(&dump.snapshot, err);
        found.rows = dump.rows;
        if (result > 0)
            *ret_result = found;
        else
            dump_result_clear(&found);
    }
    if (result == 0) {
        free(*what);
        *what = STEAL(dump.what);
    }
    definitions_clear(&definitions);
    clear(&dump);
    return result;
}

/* Whatever failed, it was the source; and the cure for the commonest is known. */
static int explain(struct error *err)
{
    if (err->code == ERROR_CHANGED)
        return -1;
    if (err->code == ERROR_PERMISSION && !*err->hint)
        error_hint(err, "back up as a superuser, the owner, or a member of pg_read_all_data");
    if (strstr(err->message, "out of shared memory"))
        error_hint(err, "the server has no room for a lock on each table: raise its "
                        "max_locks_per_transaction");
    return error_recode(err, ERROR_SOURCE);
}

int postgres_dump(const struct source_target *target, const struct dump_options *options,
                  struct segment_sink *sink, struct dump_result *ret_result, struct error *err)
{
    struct os *os = options->os;
    SCOPED(string) char *what = NULL;
    int64_t deadline_ns = os->clock_monotonic_ns(os) + PATIENCE_MS * INT64_C(1000000);
    int64_t pause_ms = FIRST_PAUSE_MS;
    for (int i = 0; i < ATTEMPTS && os->clock_monotonic_ns(os) < deadline_ns; i++) {
        if (i) {
            os->sleep_ms(os, pause_ms);
            pause_ms = pause_ms * 2 < LONGEST_PAUSE_MS ? pause_ms * 2 : LONGEST_PAUSE_MS;
        }
        int done = attempt(target, options, sink, ret_result, &what, err);
        if (done > 0)
            return 0;
        if (done < 0)
            return explain(err);
        log_info("the schema of %s changed (%s): starting again", target->name,
                 what ? what : "a table");
        error_clear(err);
        if (stop_check(err) < 0)
            return -1;
    }
    return raise_change(what, ERROR_SOURCE, err);
}
