#include "source/sqlite.h"

#include "base/error.h"
#include "source/source.h"
#include "source/sqlite_dump.h"
#include "source/sqlite_kept.h"
#include "source/sqlite_load.h"
#include "source/sqlite_swap.h"
#include "source/sqlite_tables.h"

static int sqlite_recover(struct os *os, const char *json, const struct source_target *target,
                          enum load_state *ret_state, struct error *err)
{
    (void)target;
    SCOPED(sqlite_kept) struct sqlite_kept kept = SQLITE_KEPT_INIT;
    if (sqlite_kept_read(json, &kept, err) < 0)
        return -1;
    return kept.tables.count ? sqlite_tables_recover(os, &kept, ret_state, err)
                             : sqlite_swap_recover(os, &kept, ret_state, err);
}

/* A restore of some tables has no swap: its own undo looks for itself. */
static int sqlite_side(struct os *os, const char *json, const struct source_target *target,
                       enum load_state *ret_state, struct error *err)
{
    (void)target;
    SCOPED(sqlite_kept) struct sqlite_kept kept = SQLITE_KEPT_INIT;
    if (sqlite_kept_read(json, &kept, err) < 0)
        return -1;
    return sqlite_swap_side(os, &kept, ret_state, err);
}

static int sqlite_undo(struct os *os, const char *json, const struct source_target *target,
                       bool dry_run, char **ret_changed, struct error *err)
{
    (void)target;
    SCOPED(sqlite_kept) struct sqlite_kept kept = SQLITE_KEPT_INIT;
    if (sqlite_kept_read(json, &kept, err) < 0)
        return -1;
    SCOPED(string) char *changed = kept.tables.count ? NULL : sqlite_swap_changed(os, &kept);
    if (!dry_run && (kept.tables.count ? sqlite_tables_undo(os, &kept, err)
                                       : sqlite_swap_undo(os, &kept, err)) < 0)
        return -1;
    if (ret_changed)
        *ret_changed = STEAL(changed);
    return 0;
}

static int sqlite_discard(struct os *os, const char *json, const struct source_target *target,
                          struct error *err)
{
    (void)target;
    SCOPED(sqlite_kept) struct sqlite_kept kept = SQLITE_KEPT_INIT;
    if (sqlite_kept_read(json, &kept, err) < 0)
        return -1;
    return kept.tables.count ? sqlite_tables_discard(os, &kept, err)
                             : sqlite_swap_discard(os, &kept, err);
}

const struct source_ops source_sqlite = {
    .engine = "sqlite",
    .kind = "sqlite3",
    .capabilities = SOURCE_DATABASE | SOURCE_TABLES,
    .accepts = sqlite_dump_accepts,
    .dump = sqlite_dump,
    .load = sqlite_load,
    .recover = sqlite_recover,
    .side = sqlite_side,
    .undo = sqlite_undo,
    .discard = sqlite_discard,
};
