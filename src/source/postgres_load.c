#include "source/postgres_load.h"

#include "base/error.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/segment.h"
#include "db/pq.h"
#include "io/progress.h"
#include "source/postgres_carry.h"
#include "source/postgres_claim.h"
#include "source/postgres_counts.h"
#include "source/postgres_fill.h"
#include "source/postgres_needs.h"
#include "source/postgres_own.h"
#include "source/postgres_program.h"
#include "source/postgres_proof.h"
#include "source/postgres_properties.h"
#include "source/postgres_rules.h"
#include "source/postgres_session.h"
#include "source/postgres_swap.h"
#include "source/source.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define DROP_TRIES 200

struct database_load {
    struct load base;
    const struct source_target *target;
    const struct load_options *options;
    struct postgres_swap swap;
    struct postgres_rules rules;
    struct postgres_counts counts;
    struct segment_source *segments;
    bool made;      /* the side database is there, or may be */
    bool committed; /* and has become the live one */
};

static int connect_beside(const struct database_load *load, struct pq **ret_pq, struct error *err)
{
    return postgres_connect_beside(load->options->os, &load->target->url, load->swap.live, ret_pq,
                                   err);
}

/* ---- preview ---- */

/* kedge's own tables there go with the name, and making them beside takes pg_dump. */
static int look_for_ours(const struct database_load *load, struct pq *pq,
                         struct load_preview *preview, struct error *err)
{
    SCOPED(string) char *program = NULL;
    int present = postgres_own_present(pq, err);
    if (present <= 0)
        return present;
    if (postgres_program_find(load->options->os, pq_server_version(pq) / 10000, &program, err) < 0)
        return error_prefix(err, "carry kedge's own tables over");
    text_list_add(&preview->conflicts, "kedge's own tables in it are carried over");
    return 0;
}

static int count_live(struct database_load *load, struct load_preview *preview, struct error *err)
{
    SCOPED(pq) struct pq *pq = NULL;
    SCOPED(pq_result) struct pq_result *row = NULL;
    if (postgres_connect(load->options->os, &load->target->url, load->swap.live, 0, &pq, err) < 0 ||
        pq_exec(pq,
                "SELECT count(*), CASE WHEN coalesce(bool_and(reltuples >= 0), true) "
                "THEN coalesce(sum(reltuples)::bigint, 0) END, "
                "pg_database_size(current_database()) FROM pg_class c "
                "JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'r' "
                "AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'",
                &row, err) < 0)
        return -1;
    preview->objects = strtoull(pq_value(row, 0, 0), NULL, 10);
    /* A table that was never analysed does not know. */
    const char *rows = pq_value(row, 0, 1);
    preview->rows = rows ? strtoull(rows, NULL, 10) : UINT64_MAX;
    preview->bytes = strtoull(pq_value(row, 0, 2), NULL, 10);
    return look_for_ours(load, pq, preview, err);
}

static int look(struct database_load *load, struct load_preview *preview, struct error *err)
{
    SCOPED(pq) struct pq *beside = NULL;
    if (connect_beside(load, &beside, err) < 0 ||
        postgres_database_oid(beside, load->swap.live, &load->swap.live_oid, err) < 0)
        return -1;
    SCOPED(string) char *where = db_url_display(&load->target->url);
    preview->target = mem_format("database %s", where);
    preview->exists = load->swap.live_oid != 0;
    preview->rows = UINT64_MAX;
    postgres_needs_newer(beside, load->options, preview);
    if (postgres_needs_server(beside, load->options, err) < 0 ||
        postgres_needs_swap(beside, load->swap.live, preview->exists, load->options, preview, err) <
            0)
        return -1;
    return preview->exists ? count_live(load, preview, err) : 0;
}

static int preview_database(struct load *base, struct segment_source *segments,
                            struct load_preview *ret_preview, struct error *err)
{
    (void)segments;
    struct database_load *load = (struct database_load *)base;
    struct load_preview preview = {0};
    if (look(load, &preview, err) < 0) {
        load_preview_clear(&preview);
        return error_recode(err, ERROR_RESTORE);
    }
    *ret_preview = preview;
    return 0;
}

static int needs_of_database(struct load *base, struct error *err)
{
    struct database_load *load = (struct database_load *)base;
    SCOPED(pq) struct pq *beside = NULL;
    return connect_beside(load, &beside, err) < 0
               ? -1
               : postgres_needs_server(beside, load->options, err);
}

/* ---- fill ---- */

/* The database keeps its own owner, grants, settings, comment and limit. */
static int carry_properties(struct database_load *load, struct error *err)
{
    SCOPED(pq) struct pq *live = NULL;
    SCOPED(pq) struct pq *side = NULL;
    struct os *os = load->options->os;
    SCOPED(buf) struct buf script = BUF_INIT;
    if (postgres_connect(os, &load->target->url, load->swap.live, 0, &live, err) < 0 ||
        postgres_properties_script(live, &script, err) < 0 ||
        postgres_connect(os, &load->target->url, load->swap.side, 0, &side, err) < 0)
        return -1;
    return script.length ? pq_exec(side, script.data, NULL, err) : 0;
}

static int carry_over(struct database_load *load, struct error *err)
{
    const struct postgres_carry carry = {.os = load->options->os,
                                         .url = &load->target->url,
                                         .from = load->swap.live,
                                         .to = load->swap.side};
    if (carry_properties(load, err) < 0)
        return -1;
    return postgres_carry_define(&carry, err);
}

static uint64_t total_bytes(struct segment_source *segments)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < segments->ops->count(segments); i++)
        bytes += segments->ops->frame(segments, i)->size;
    return bytes;
}

static int fill_side(struct database_load *load, struct pq *beside, struct error *err)
{
    if (postgres_rules_init(beside, &load->rules, err) < 0)
        return -1;
    /* A server that we lose meanwhile makes it nevertheless. */
    load->made = true;
    if (postgres_swap_create(beside, &load->swap, load->options, err) < 0)
        return -1;
    load->rules.no_owner = load->options->no_owner;
    load->rules.no_tablespaces = load->options->no_tablespaces;
    load->rules.max_statement_bytes = load->options->max_statement_bytes;
    load->rules.no_properties = load->swap.live_oid != 0;
    struct postgres_fill fill = {.url = &load->target->url,
                                 .database = load->swap.side,
                                 .options = load->options,
                                 .rules = &load->rules,
                                 .counts = &load->counts};
    if (postgres_fill(&fill, load->segments, err) < 0)
        return -1;
    return load->swap.live_oid ? carry_over(load, err) : 0;
}

static int fill_database(struct load *base, struct segment_source *segments, struct error *err)
{
    struct database_load *load = (struct database_load *)base;
    SCOPED(pq) struct pq *beside = NULL;
    load->segments = segments;
    progress_begin(load->options->progress, "restoring", total_bytes(segments));
    if (connect_beside(load, &beside, err) < 0 ||
        postgres_claim(load->options->os, beside, load->swap.side, err) < 0 ||
        postgres_database_oid(beside, load->swap.live, &load->swap.live_oid, err) < 0)
        return error_recode(err, ERROR_RESTORE);
    if (fill_side(load, beside, err) < 0) {
        error_recode(err, ERROR_RESTORE);
        return postgres_needs_explain(beside, load->options, err);
    }
    return 0;
}

/* ---- check and commit ---- */

/* What has been written to its tables since they were made, as the server counts. */
static int count_written(struct os *os, const struct db_url *url, const char *database,
                         int64_t ret_written[static 3], struct error *err)
{
    SCOPED(pq) struct pq *pq = NULL;
    SCOPED(pq_result) struct pq_result *row = NULL;
    if (postgres_connect(os, url, database, 0, &pq, err) < 0 ||
        pq_exec(pq,
                "SELECT coalesce(sum(n_tup_ins), 0), coalesce(sum(n_tup_upd), 0), "
                "coalesce(sum(n_tup_del), 0) FROM pg_stat_user_tables "
                "WHERE schemaname <> '" POSTGRES_OWN_SCHEMA "'",
                &row, err) < 0)
        return -1;
    for (size_t i = 0; i < 3; i++)
        ret_written[i] = strtoll(pq_value(row, 0, i), NULL, 10);
    return 0;
}

static int check_database(struct load *base, struct error *err)
{
    struct database_load *load = (struct database_load *)base;
    if (postgres_counts_check(&load->counts, load->segments, err) < 0)
        return -1;
    if (count_written(load->options->os, &load->target->url, load->swap.side, load->swap.written,
                      err) < 0)
        return error_recode(err, ERROR_RESTORE);
    if (load->options->thorough &&
        postgres_proof(&load->target->url, load->swap.side, load->options, load->segments,
                       &load->counts, err) < 0)
        return -1;
    base->rows_loaded = postgres_counts_rows(&load->counts);
    free(base->kept);
    base->kept = postgres_swap_format(&load->swap);
    return 0;
}

/* A connection lost at the COMMIT leaves open which side it is: the OID of the name tells. */
static int is_committed(const struct database_load *load)
{
    SCOPED(pq) struct pq *beside = NULL;
    struct error ignored = ERROR_INIT;
    int64_t oid = 0;
    if (connect_beside(load, &beside, &ignored) < 0 ||
        postgres_claim(load->options->os, beside, load->swap.side, &ignored) < 0 ||
        postgres_database_oid(beside, load->swap.live, &oid, &ignored) < 0)
        return -1;
    return oid == load->swap.side_oid;
}

static int commit_database(struct load *base, struct error *err)
{
    struct database_load *load = (struct database_load *)base;
    SCOPED(pq) struct pq *beside = NULL;
    if (connect_beside(load, &beside, err) < 0 ||
        postgres_claim(load->options->os, beside, load->swap.side, err) < 0)
        return error_recode(err, ERROR_RESTORE);
    pq_ignore_stop(beside);
    if (postgres_swap_commit(load->options->os, &load->target->url, beside, &load->swap, err) < 0) {
        int done = pq_fault(beside)->connection_lost ? is_committed(load) : 0;
        if (done < 0) {
            load->committed = true; /* perhaps: so nothing may be removed */
            error_recode(err, ERROR_STRANDED);
            return error_hint(err, "%s and %s are both there: look which one is called %s",
                              load->swap.old, load->swap.side, load->swap.live);
        }
        if (!done)
            return -1;
    }
    load->committed = true;
    if (load->swap.live_oid && !load->swap.keep &&
        postgres_database_drop(load->options->os, &load->target->url, beside, load->swap.old, err) <
            0) {
        log_warning("the old copy %s stays: %s", load->swap.old, err->message);
        error_clear(err);
    }
    return 0;
}

static int try_drop_side(struct database_load *load, struct error *err)
{
    SCOPED(pq) struct pq *beside = NULL;
    /* A stop ends the restore, not its tidying up. */
    if (postgres_connect_tidy(load->options->os, &load->target->url, load->swap.live, &beside,
                              err) < 0 ||
        postgres_claim(load->options->os, beside, load->swap.side, err) < 0)
        return -1;
    return postgres_database_drop(load->options->os, &load->target->url, beside, load->swap.side,
                                  err);
}

/* A server without room may fail at any statement, whenever it wants to write out a page to make
 * place for another; the next time it is another page. */
static void drop_side(struct database_load *load)
{
    struct error err = ERROR_INIT;
    for (int tries = 0; tries < DROP_TRIES; tries++) {
        error_clear(&err);
        if (try_drop_side(load, &err) == 0)
            return;
        if (err.code != ERROR_NO_SPACE)
            break;
    }
    log_warning("the unfinished copy %s stays: %s", load->swap.side, err.message);
}

static void free_database(struct load *base)
{
    struct database_load *load = (struct database_load *)base;
    if (load->made && !load->committed)
        drop_side(load);
    postgres_swap_clear(&load->swap);
    postgres_rules_clear(&load->rules);
    postgres_counts_clear(&load->counts);
    free(base->kept);
    free(load);
}

static const struct load_ops database_load_ops = {
    .preview = preview_database,
    .needs = needs_of_database,
    .fill = fill_database,
    .check = check_database,
    .commit = commit_database,
    .free = free_database,
};

int postgres_load_database(const struct source_target *target, const struct load_options *options,
                           struct load **ret_load, struct error *err)
{
    if (!target->url.database)
        return error_set(err, ERROR_USAGE, "the URL of %s names no database", target->name);
    struct database_load *load = MEM_NEW(struct database_load);
    load->base.ops = &database_load_ops;
    load->target = target;
    load->options = options;
    postgres_swap_name(&load->swap, target->url.database, options->id, options->keep);
    postgres_counts_init(&load->counts);
    /* Whoever finds this run killed while it filled knows what to remove. */
    load->base.kept = postgres_swap_format(&load->swap);
    *ret_load = &load->base;
    return 0;
}

/* ---- later, in another process ---- */

static int open_kept(struct os *os, const char *kept, const struct source_target *target,
                     struct postgres_swap *swap, struct pq **ret_beside, struct error *err)
{
    if (postgres_swap_parse(kept, swap, err) < 0)
        return -1;
    return postgres_connect_beside(os, &target->url, swap->live, ret_beside, err);
}

/* The OID of the live name tells which of the two has it. */
static int find_side(struct pq *beside, const struct postgres_swap *swap,
                     enum load_state *ret_state, struct error *err)
{
    int64_t live = 0;
    if (postgres_database_oid(beside, swap->live, &live, err) < 0)
        return -1;
    *ret_state = live && live == swap->side_oid ? LOAD_AFTER : LOAD_BEFORE;
    return 0;
}

int postgres_recover_database(struct os *os, const char *kept, const struct source_target *target,
                              enum load_state *ret_state, struct error *err)
{
    SCOPED(postgres_swap) struct postgres_swap swap = {0};
    SCOPED(pq) struct pq *beside = NULL;
    if (open_kept(os, kept, target, &swap, &beside, err) < 0 ||
        postgres_claim(os, beside, swap.side, err) < 0 ||
        find_side(beside, &swap, ret_state, err) < 0)
        return -1;
    if (*ret_state == LOAD_BEFORE)
        return postgres_database_drop(os, &target->url, beside, swap.side, err);
    return swap.keep ? 0 : postgres_database_drop(os, &target->url, beside, swap.old, err);
}

int postgres_side_database(struct os *os, const char *kept, const struct source_target *target,
                           enum load_state *ret_state, struct error *err)
{
    SCOPED(postgres_swap) struct postgres_swap swap = {0};
    SCOPED(pq) struct pq *beside = NULL;
    if (open_kept(os, kept, target, &swap, &beside, err) < 0 ||
        postgres_claim(os, beside, swap.side, err) < 0 ||
        find_side(beside, &swap, ret_state, err) < 0)
        return -1;
    return 0;
}

static char *tell_written(const int64_t before[static 3], const int64_t now[static 3])
{
    int64_t inserted = now[0] - before[0], updated = now[1] - before[1], gone = now[2] - before[2];
    if (inserted <= 0 && updated <= 0 && gone <= 0)
        return NULL;
    return mem_format("since the restore %" PRId64 " rows were inserted, %" PRId64
                      " updated and %" PRId64 " deleted",
                      inserted, updated, gone);
}

int postgres_undo_database(struct os *os, const char *kept, const struct source_target *target,
                           bool dry_run, char **ret_changed, struct error *err)
{
    SCOPED(postgres_swap) struct postgres_swap swap = {0};
    SCOPED(pq) struct pq *beside = NULL;
    enum load_state state = LOAD_BEFORE;
    int64_t now[3] = {0};
    if (open_kept(os, kept, target, &swap, &beside, err) < 0 ||
        (!dry_run && postgres_claim(os, beside, swap.side, err) < 0) ||
        find_side(beside, &swap, &state, err) < 0)
        return -1;
    SCOPED(string) char *changed = NULL;
    if (state == LOAD_AFTER) {
        if (count_written(os, &target->url, swap.live, now, err) < 0)
            return -1;
        changed = tell_written(swap.written, now);
    }
    if (!dry_run && postgres_swap_back(os, &target->url, beside, &swap, err) < 0)
        return error_prefix(err, "undo");
    if (ret_changed)
        *ret_changed = STEAL(changed);
    return 0;
}

int postgres_discard_database(struct os *os, const char *kept, const struct source_target *target,
                              struct error *err)
{
    SCOPED(postgres_swap) struct postgres_swap swap = {0};
    SCOPED(pq) struct pq *beside = NULL;
    if (open_kept(os, kept, target, &swap, &beside, err) < 0)
        return -1;
    return postgres_database_drop(os, &target->url, beside, swap.old, err);
}
