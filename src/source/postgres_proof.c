#include "source/postgres_proof.h"

#include "base/error.h"
#include "base/mem.h"
#include "base/segment.h"
#include "base/text.h"
#include "db/pq.h"
#include "source/postgres_catalog.h"
#include "source/postgres_counts.h"
#include "source/postgres_rows.h"
#include "source/postgres_session.h"
#include "source/source.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define READERS_MAXIMUM 16

struct proof {
    const struct db_url *url;
    const char *database;
    const struct load_options *options;
    struct segment_source *expected;
    struct postgres_tables tables;
    struct postgres_slices slices;
    pthread_mutex_t lock;
    size_t next;
    bool failed;
    struct error error;
};

static const struct segment_table *find_expected(struct proof *proof,
                                                 const struct postgres_table *table)
{
    for (size_t i = 0; i < proof->expected->ops->table_count(proof->expected); i++) {
        const struct segment_table *found = proof->expected->ops->table(proof->expected, i);
        if (strcmp(found->name, table->name) == 0 && text_equal(found->schema, table->schema))
            return found;
    }
    return NULL;
}

static int check_slice(struct proof *proof, struct pq *pq, const struct postgres_slice *slice,
                       struct error *err)
{
    const struct segment_table *expected = find_expected(proof, slice->table);
    if (!expected)
        return 0;
    struct row_digest digest = {0};
    if (postgres_slice_digest(pq, slice, &digest, err) < 0)
        return -1;
    char text[ROW_DIGEST_TEXT];
    row_digest_format(&digest, text);
    if (digest.rows != expected->rows)
        return error_set(err, ERROR_RESTORE,
                         "table %s.%s has %" PRIu64 " rows, the backup has %" PRIu64,
                         expected->schema, expected->name, digest.rows, expected->rows);
    if (expected->digest && strcmp(expected->digest, text) != 0)
        return error_set(err, ERROR_RESTORE, "table %s.%s: its rows are not those of the backup",
                         expected->schema, expected->name);
    return 0;
}

static const struct postgres_slice *take_slice(struct proof *proof)
{
    pthread_mutex_lock(&proof->lock);
    const struct postgres_slice *slice = NULL;
    if (!proof->failed && proof->next < proof->slices.count)
        slice = &proof->slices.items[proof->next++];
    pthread_mutex_unlock(&proof->lock);
    return slice;
}

static int read_slices(struct proof *proof, struct error *err)
{
    SCOPED(pq) struct pq *pq = NULL;
    if (postgres_connect(proof->options->os, proof->url, proof->database, 0, &pq, err) < 0)
        return -1;
    const struct postgres_slice *slice;
    while ((slice = take_slice(proof)))
        if (check_slice(proof, pq, slice, err) < 0)
            return -1;
    return 0;
}

static void *reader_main(void *context)
{
    struct proof *proof = context;
    struct error err = ERROR_INIT;
    if (read_slices(proof, &err) < 0) {
        pthread_mutex_lock(&proof->lock);
        if (!proof->failed)
            proof->error = err;
        proof->failed = true;
        pthread_mutex_unlock(&proof->lock);
    }
    return NULL;
}

static int run_readers(struct proof *proof, struct error *err)
{
    pthread_t threads[READERS_MAXIMUM];
    int jobs = proof->options->jobs < 1 ? 1 : proof->options->jobs;
    int started = 0;
    for (; started < jobs && started < READERS_MAXIMUM; started++)
        if (pthread_create(&threads[started], NULL, reader_main, proof) != 0)
            break;
    for (int i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
    if (!started)
        return error_set(err, ERROR_FAILED, "start a reader");
    if (proof->failed)
        *err = proof->error;
    return proof->failed ? -1 : 0;
}

/* Every table that the backup names must be there. */
static int check_present(struct proof *proof, struct error *err)
{
    for (size_t i = 0; i < proof->expected->ops->table_count(proof->expected); i++) {
        const struct segment_table *table = proof->expected->ops->table(proof->expected, i);
        size_t n = 0;
        while (n < proof->tables.count &&
               (strcmp(proof->tables.items[n].name, table->name) != 0 ||
                !text_equal(proof->tables.items[n].schema, table->schema)))
            n++;
        if (n == proof->tables.count)
            return error_set(err, ERROR_RESTORE, "table %s.%s is not there", table->schema,
                             table->name);
    }
    return 0;
}

static void order_columns(struct postgres_tables *tables, struct postgres_counts *loaded)
{
    for (size_t i = 0; i < tables->count; i++) {
        struct postgres_table *table = &tables->items[i];
        const char *columns = postgres_counts_columns(loaded, table->schema, table->name);
        if (!columns)
            continue;
        free(table->columns);
        table->columns = mem_string(columns);
    }
}

int postgres_proof(const struct db_url *url, const char *database,
                   const struct load_options *options, struct segment_source *expected,
                   struct postgres_counts *loaded, struct error *err)
{
    struct proof proof = {.url = url,
                          .database = database,
                          .options = options,
                          .expected = expected,
                          .lock = PTHREAD_MUTEX_INITIALIZER};
    struct dump_options everything = {.os = options->os};
    SCOPED(pq) struct pq *pq = NULL;
    int result = postgres_connect(options->os, url, database, 0, &pq, err);
    if (result == 0)
        result = postgres_tables_list(pq, &everything, true, &proof.tables, err);
    if (result == 0)
        result = check_present(&proof, err);
    if (result == 0) {
        order_columns(&proof.tables, loaded);
        /* Whole tables: a digest is the table's. */
        postgres_slices_plan(&proof.tables, false, &proof.slices);
        result = run_readers(&proof, err);
    }
    postgres_slices_clear(&proof.slices);
    postgres_tables_clear(&proof.tables);
    pthread_mutex_destroy(&proof.lock);
    return result;
}
