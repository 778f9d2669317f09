#include "source/postgres.h"

#include "source/postgres_dump.h"
#include "source/postgres_kept.h"
#include "source/postgres_load.h"
#include "source/postgres_program.h"
#include "source/postgres_tables.h"
#include "source/postgres_tables_undo.h"
#include "source/source.h"

#include <jansson.h>

/* A backup of chosen tables is no database: it goes back table by table. */
static bool is_partial(const struct load_options *options)
{
    json_t *metadata = options->metadata ? json_loads(options->metadata, 0, NULL) : NULL;
    bool partial = json_is_true(json_object_get(metadata, "partial"));
    json_decref(metadata);
    return partial;
}

static int load(const struct source_target *target, const struct load_options *options,
                struct load **ret_load, struct error *err)
{
    /* A proof fills a database of its own with whatever there is. */
    bool tables = options->tables.count || (is_partial(options) && !options->thorough);
    return tables ? postgres_load_tables(target, options, ret_load, err)
                  : postgres_load_database(target, options, ret_load, err);
}

static int side(struct os *os, const char *kept, const struct source_target *target,
                enum load_state *ret_state, struct error *err)
{
    return postgres_kept_is_tables(kept) ? postgres_tables_side(os, kept, target, ret_state, err)
                                         : postgres_side_database(os, kept, target, ret_state, err);
}

/* A restore of tables leaves nothing to tidy up: its transaction ended or did not. */
static int recover(struct os *os, const char *kept, const struct source_target *target,
                   enum load_state *ret_state, struct error *err)
{
    return postgres_kept_is_tables(kept)
               ? postgres_tables_side(os, kept, target, ret_state, err)
               : postgres_recover_database(os, kept, target, ret_state, err);
}

static int undo(struct os *os, const char *kept, const struct source_target *target, bool dry_run,
                char **ret_changed, struct error *err)
{
    return postgres_kept_is_tables(kept)
               ? postgres_tables_undo(os, kept, target, dry_run, ret_changed, err)
               : postgres_undo_database(os, kept, target, dry_run, ret_changed, err);
}

static int discard(struct os *os, const char *kept, const struct source_target *target,
                   struct error *err)
{
    return postgres_kept_is_tables(kept) ? postgres_tables_discard(os, kept, target, err)
                                         : postgres_discard_database(os, kept, target, err);
}

const struct source_ops source_postgres = {
    .engine = "postgres",
    .kind = "sql",
    .capabilities = SOURCE_DATABASE | SOURCE_TABLES,
    .dump = postgres_dump,
    .load = load,
    .recover = recover,
    .side = side,
    .undo = undo,
    .discard = discard,
    .equipped = postgres_equipped,
};
