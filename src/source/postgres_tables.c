#include "source/postgres_tables.h"

#include "base/error.h"
#include "base/mem.h"
#include "base/segment.h"
#include "base/text.h"
#include "db/pq.h"
#include "db/statement.h"
#include "io/progress.h"
#include "source/postgres_catalog.h"
#include "source/postgres_concern.h"
#include "source/postgres_counts.h"
#include "source/postgres_exchange.h"
#include "source/postgres_hush.h"
#include "source/postgres_kept.h"
#include "source/postgres_large.h"
#include "source/postgres_needs.h"
#include "source/postgres_patience.h"
#include "source/postgres_play.h"
#include "source/postgres_rules.h"
#include "source/postgres_session.h"
#include "source/source.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* The commit takes every lock it needs at once; whoever holds one longer than this wins. */
#define LOCK_TIMEOUT_MS 60000

struct tables_load {
    struct load base;
    const struct source_target *target;
    const struct load_options *options;
    struct segment_source *segments;
    struct postgres_kept kept;
    struct postgres_rules rules;
    struct postgres_counts counts;
    struct pq *pq;              /* in the one transaction */
    struct text_list sequences; /* of tables that are made */
    struct pq_result *events;   /* event triggers to switch on again */
    char *encoding;             /* of the backup; NULL: not known */
};

static bool is_wanted(const struct tables_load *load, const char *encoding, const char *schema,
                      const char *name)
{
    return load->options->tables.count == 0 ||
           postgres_table_matches(&load->options->tables, encoding, schema, name);
}

static int exists(struct pq *pq, const char *quoted, bool *ret_exists, struct error *err)
{
    struct pq_parameter parameter = {.data = quoted, .size = strlen(quoted)};
    SCOPED(pq_result) struct pq_result *row = NULL;
    if (pq_exec_parameters(pq, "SELECT to_regclass($1) IS NOT NULL", &parameter, 1, false, &row,
                           err) < 0)
        return -1;
    *ret_exists = *pq_value(row, 0, 0) == 't';
    return 0;
}

static int preview_tables(struct load *base, struct segment_source *segments,
                          struct load_preview *ret_preview, struct error *err)
{
    (void)segments;
    struct tables_load *load = (struct tables_load *)base;
    SCOPED(pq) struct pq *pq = NULL;
    SCOPED(pq_result) struct pq_result *rows = NULL;
    if (postgres_connect(load->options->os, &load->target->url, NULL, 0, &pq, err) < 0 ||
        pq_exec(pq,
                "SELECT n.nspname, c.relname, greatest(c.reltuples, 0)::bigint, "
                "pg_total_relation_size(c.oid) FROM pg_class c "
                "JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'r' "
                "AND n.nspname !~ '^(pg_|" POSTGRES_KEPT_SCHEMA
                "$)' AND n.nspname <> 'information_schema'",
                &rows, err) < 0)
        return error_recode(err, ERROR_RESTORE);
    SCOPED(string) char *where = db_url_display(&load->target->url);
    struct load_preview preview = {.target = mem_format("tables of database %s", where)};
    for (size_t i = 0; i < pq_rows(rows); i++) {
        if (!is_wanted(load, pq_parameter_status(pq, "server_encoding"), pq_value(rows, i, 0),
                       pq_value(rows, i, 1)))
            continue;
        preview.exists = true;
        preview.objects++;
        preview.rows += strtoull(pq_value(rows, i, 2), NULL, 10);
        preview.bytes += strtoull(pq_value(rows, i, 3), NULL, 10);
    }
    postgres_needs_newer(pq, load->options, &preview);
    *ret_preview = preview;
    return 0;
}

/* ---- which tables ---- */

static bool is_picked(const struct tables_load *load, const char *schema, const char *name)
{
    for (size_t i = 0; i < load->kept.count; i++)
        if (strcmp(load->kept.items[i].name, name) == 0 &&
            text_equal(load->kept.items[i].schema, schema))
            return true;
    return false;
}

/* A name that means nothing in the backup is a mistake. */
static int check_names(const struct tables_load *load, struct error *err)
{
    for (size_t i = 0; i < load->options->tables.count; i++) {
        struct text_list one = {.items = &load->options->tables.items[i], .count = 1};
        bool found = false;
        for (size_t n = 0; n < load->kept.count && !found; n++)
            found = postgres_table_matches(&one, load->encoding, load->kept.items[n].schema,
                                           load->kept.items[n].name);
        if (!found) {
            error_set(err, ERROR_NOT_FOUND, "table %s is not in the backup",
                      load->options->tables.items[i]);
            return error_hint(err, "kedge show lists its tables; of a partitioned table, name the "
                                   "partitions");
        }
    }
    return 0;
}

static int pick_tables(struct tables_load *load, struct error *err)
{
    struct segment_source *segments = load->segments;
    if (segments->ops->count(segments) == 0) {
        error_set(err, ERROR_RESTORE, "the backup has no index to find single tables with");
        return error_hint(err, "restore it whole into another database with --to");
    }
    for (size_t i = 0; i < segments->ops->table_count(segments); i++) {
        const struct segment_table *table = segments->ops->table(segments, i);
        if (table->schema && is_wanted(load, load->encoding, table->schema, table->name))
            postgres_kept_add(&load->kept, table->schema, table->name);
    }
    return check_names(load, err);
}

/* ---- tables that are not there ---- */

static bool is_created(const struct tables_load *load, const char *statement)
{
    for (size_t i = 0; i < load->kept.count; i++)
        if (load->kept.items[i].created &&
            postgres_concerns_table(statement, load->kept.items[i].schema,
                                    load->kept.items[i].name))
            return true;
    return postgres_concerns_sequence(statement, &load->sequences);
}

static int note_sequence(void *context, const struct statement *statement, struct error *err)
{
    (void)err;
    struct tables_load *load = context;
    for (size_t i = 0; i < load->kept.count; i++) {
        char *sequence = load->kept.items[i].created
                             ? postgres_owned_sequence(statement->text, load->kept.items[i].schema,
                                                       load->kept.items[i].name)
                             : NULL;
        if (sequence)
            text_list_give(&load->sequences, sequence);
    }
    return 0;
}

/* Settings and what concerns the tables that are made. */
static int pass_definition(void *context, const struct statement *statement, struct error *err)
{
    (void)err;
    struct tables_load *load = context;
    return text_starts(statement->text, "SET default_t") || is_created(load, statement->text);
}

static int pass_rows(void *context, const char *schema, const char *table, char **ret_into,
                     struct error *err)
{
    (void)err;
    struct tables_load *load = context;
    for (size_t i = 0; i < load->kept.count; i++) {
        struct postgres_kept_table *wanted = &load->kept.items[i];
        if (strcmp(wanted->name, table) != 0 || !text_equal(wanted->schema, schema))
            continue;
        if (!wanted->created)
            *ret_into = postgres_kept_store_name(&load->kept, "new", i);
        return 1;
    }
    return 0;
}

static int play_frame(struct tables_load *load, size_t number,
                      int (*statement)(void *, const struct statement *, struct error *),
                      struct error *err)
{
    struct segment *segment = NULL;
    if (load->segments->ops->read(load->segments, number, &segment, err) < 0)
        return -1;
    SCOPED(string) char *name = mem_format("frame %zu", number);
    struct postgres_play_options options = {.pq = load->pq,
                                            .rules = &load->rules,
                                            .counts = &load->counts,
                                            .progress = load->options->progress,
                                            .name = name,
                                            .statement = statement,
                                            .copy = pass_rows,
                                            .context = load};
    int result = postgres_play(&options, segment->data, segment->size, err);
    load->segments->ops->drop(load->segments, segment);
    return result;
}

static int play_section(struct tables_load *load, enum section section,
                        int (*statement)(void *, const struct statement *, struct error *),
                        struct error *err)
{
    for (size_t i = 0; i < load->segments->ops->count(load->segments); i++) {
        const struct segment_frame *frame = load->segments->ops->frame(load->segments, i);
        if (frame->section == section && !text_equal(frame->table, POSTGRES_LARGE_TABLE) &&
            play_frame(load, i, statement, err) < 0)
            return -1;
    }
    return 0;
}

static int play_rows(struct tables_load *load, struct error *err)
{
    for (size_t i = 0; i < load->segments->ops->count(load->segments); i++) {
        const struct segment_frame *frame = load->segments->ops->frame(load->segments, i);
        bool ours = !frame->table || is_picked(load, frame->schema, frame->table);
        if (frame->section == SECTION_DATA && ours && play_frame(load, i, NULL, err) < 0)
            return -1;
    }
    return 0;
}

/* ---- fill ---- */

static bool any_created(const struct tables_load *load)
{
    for (size_t i = 0; i < load->kept.count; i++)
        if (load->kept.items[i].created)
            return true;
    return false;
}

static int make_schema(struct tables_load *load, const char *schema, struct error *err)
{
    SCOPED(buf) struct buf sql = BUF_INIT;
    buf_append_text(&sql, "CREATE SCHEMA IF NOT EXISTS ");
    pq_quote_identifier(&sql, schema);
    return pq_exec(load->pq, sql.data, NULL, err);
}

/* Rows that find their partition anew are no single table's. */
static int refuse_partitioned(struct tables_load *load, const struct postgres_kept_table *table,
                              struct error *err)
{
    struct pq_parameter parameter = {.data = table->live, .size = strlen(table->live)};
    SCOPED(pq_result) struct pq_result *row = NULL;
    if (pq_exec_parameters(load->pq,
                           "SELECT relkind = 'p' FROM pg_class WHERE oid = to_regclass($1)",
                           &parameter, 1, false, &row, err) < 0)
        return -1;
    if (!pq_rows(row) || *pq_value(row, 0, 0) == 'f')
        return 0;
    error_set(err, ERROR_RESTORE, "table %s is partitioned, and the backup holds it as one",
              table->live);
    return error_hint(err, "restore the backup whole into another database with --to");
}

/* A table beside each one that is there. */
static int make_tables(struct tables_load *load, struct error *err)
{
    if (make_schema(load, load->kept.store, err) < 0)
        return -1;
    for (size_t i = 0; i < load->kept.count; i++) {
        struct postgres_kept_table *table = &load->kept.items[i];
        bool there = false;
        if (exists(load->pq, table->live, &there, err) < 0 ||
            refuse_partitioned(load, table, err) < 0)
            return -1;
        table->created = !there;
        SCOPED(string) char *side = postgres_kept_store_name(&load->kept, "new", i);
        if (there ? pq_exec_format(load->pq, err, "CREATE TABLE %s (LIKE %s INCLUDING DEFAULTS)",
                                   side, table->live) < 0
                  : make_schema(load, table->schema, err) < 0)
            return -1;
    }
    return 0;
}

/* The backup's names and rows are in its own encoding; so is what is kept of them. Without
 * characters on one of both sides bytes stay bytes. */
static int use_encoding(struct tables_load *load, struct error *err)
{
    const char *here = pq_parameter_status(load->pq, "server_encoding");
    if (!load->encoding || text_equal(load->encoding, here) || text_equal(here, "SQL_ASCII") ||
        strcmp(load->encoding, "SQL_ASCII") == 0)
        return 0;
    load->kept.encoding = mem_string(load->encoding);
    return postgres_kept_use_encoding(load->pq, &load->kept, err);
}

static int begin(struct tables_load *load, struct error *err)
{
    struct os *os = load->options->os;
    if (postgres_connect(os, &load->target->url, NULL, LOCK_TIMEOUT_MS, &load->pq, err) < 0 ||
        postgres_rules_init(load->pq, &load->rules, err) < 0 || use_encoding(load, err) < 0 ||
        pq_exec(load->pq, "BEGIN", NULL, err) < 0 ||
        postgres_hush(load->pq, &load->events, err) < 0 ||
        pq_query_integer(load->pq, "SELECT txid_current()", &load->kept.xid, err) < 0)
        return -1;
    load->rules.no_owner = load->options->no_owner;
    load->rules.no_tablespaces = load->options->no_tablespaces;
    load->rules.max_statement_bytes = load->options->max_statement_bytes;
    load->rules.no_properties = true;
    return 0;
}

/* What the transaction was about, so that another can begin. */
static void let_go(struct tables_load *load)
{
    pq_close(STEAL(load->pq));
    pq_result_free(STEAL(load->events));
    free(STEAL(load->kept.encoding));
    postgres_rules_clear(&load->rules);
    postgres_counts_clear(&load->counts);
    postgres_counts_init(&load->counts);
    text_list_clear(&load->sequences);
}

/* The locks that it has taken of the live tables on its way it keeps to its end, and so a deadlock
 * costs all of it: the tables beside are made and filled anew. */
static int fill_once(void *context, struct error *err)
{
    struct tables_load *load = context;
    let_go(load);
    if (begin(load, err) < 0 || make_tables(load, err) < 0)
        return -1;
    bool made = any_created(load);
    if (made && (postgres_needs_tablespaces(load->pq, load->options, err) < 0 ||
                 play_section(load, SECTION_PRE, note_sequence, err) < 0 ||
                 play_section(load, SECTION_PRE, pass_definition, err) < 0))
        return -1;
    if (play_rows(load, err) < 0)
        return -1;
    return made ? play_section(load, SECTION_POST, pass_definition, err) : 0;
}

static int fill_tables(struct load *base, struct segment_source *segments, struct error *err)
{
    struct tables_load *load = (struct tables_load *)base;
    load->segments = segments;
    progress_begin(load->options->progress, "restoring", 0);
    const struct postgres_patience patience = {load->options->os, &load->pq, fill_once, load};
    if (pick_tables(load, err) == 0 && postgres_patiently(&patience, err) == 0)
        return 0;
    if (err->code == ERROR_NOT_FOUND)
        return -1;
    error_recode(err, ERROR_RESTORE);
    return postgres_needs_explain(load->pq, load->options, err);
}

/* ---- check and commit ---- */

/* Only the tables that were asked for are expected. */
static int check_tables(struct load *base, struct error *err)
{
    struct tables_load *load = (struct tables_load *)base;
    for (size_t i = 0; i < load->segments->ops->table_count(load->segments); i++) {
        const struct segment_table *table = load->segments->ops->table(load->segments, i);
        if (is_picked(load, table->schema, table->name) &&
            postgres_counts_check_table(&load->counts, table, err) < 0)
            return -1;
    }
    base->rows_loaded = postgres_counts_rows(&load->counts);
    free(base->kept);
    base->kept = postgres_kept_format(&load->kept);
    return 0;
}

static int advance_sequences(struct pq *pq, const struct postgres_kept *kept, struct error *err)
{
    for (size_t i = 0; i < kept->count; i++)
        if (postgres_advance_sequences(pq, kept->items[i].live, err) < 0)
            return error_prefix(err, "sequences of table %s", kept->items[i].live);
    return 0;
}

static int commit_steps(struct tables_load *load, struct error *err)
{
    struct postgres_kept *kept = &load->kept;
    struct postgres_exchanges list =
        postgres_kept_exchanges(kept, "new", kept->keep ? "old" : NULL);
    int result = list.count ? postgres_exchange_rows(load->pq, list.items, list.count,
                                                     load->options->cascade, err)
                            : 0;
    postgres_kept_exchanges_clear(&list);
    if (result < 0 || advance_sequences(load->pq, kept, err) < 0)
        return -1;
    if (kept->keep ? postgres_kept_drop_tables(load->pq, kept, "new", err) < 0 ||
                         postgres_kept_mark(load->pq, kept, "after", err) < 0
                   : postgres_kept_drop_store(load->pq, kept, err) < 0)
        return -1;
    if (postgres_unhush(load->pq, load->events, err) < 0)
        return -1;
    return pq_exec(load->pq, "COMMIT", NULL, err);
}

static int commit_tables(struct load *base, struct error *err)
{
    struct tables_load *load = (struct tables_load *)base;
    return commit_steps(load, err) < 0 ? error_recode(err, ERROR_RESTORE) : 0;
}

static void free_tables(struct load *base)
{
    struct tables_load *load = (struct tables_load *)base;
    pq_close(load->pq);
    pq_result_free(load->events);
    postgres_kept_clear(&load->kept);
    postgres_rules_clear(&load->rules);
    postgres_counts_clear(&load->counts);
    text_list_clear(&load->sequences);
    free(load->encoding);
    free(base->kept);
    free(load);
}

static const struct load_ops tables_load_ops = {
    .preview = preview_tables,
    .fill = fill_tables,
    .check = check_tables,
    .commit = commit_tables,
    .free = free_tables,
};

static char *encoding_of(const char *metadata)
{
    json_t *object = metadata ? json_loads(metadata, 0, NULL) : NULL;
    char *encoding = mem_string(json_string_value(json_object_get(object, "encoding")));
    json_decref(object);
    return encoding;
}

int postgres_load_tables(const struct source_target *target, const struct load_options *options,
                         struct load **ret_load, struct error *err)
{
    (void)err;
    struct tables_load *load = MEM_NEW(struct tables_load);
    load->base.ops = &tables_load_ops;
    load->target = target;
    load->options = options;
    /* Small letters: POSTGRES_KEPT_SCHEMA. */
    load->kept.store = mem_format("kedge_%s", options->id);
    text_lower_all(load->kept.store);
    load->kept.keep = options->keep;
    load->encoding = encoding_of(options->metadata);
    load->base.kept = postgres_kept_format(&load->kept);
    postgres_counts_init(&load->counts);
    *ret_load = &load->base;
    return 0;
}
