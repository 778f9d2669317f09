#include "source/postgres_tables_undo.h"

#include "base/error.h"
#include "base/mem.h"
#include "base/text.h"
#include "db/pq.h"
#include "source/postgres_catalog.h"
#include "source/postgres_claim.h"
#include "source/postgres_exchange.h"
#include "source/postgres_hush.h"
#include "source/postgres_kept.h"
#include "source/postgres_session.h"
#include "source/source.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Whoever holds a lock longer than this wins. */
#define LOCK_TIMEOUT_MS 60000

static int open_kept(struct os *os, const char *text, const struct source_target *target,
                     struct postgres_kept *kept, struct pq **ret_pq, struct error *err)
{
    if (postgres_kept_parse(text, kept, err) < 0)
        return -1;
    if (postgres_connect(os, &target->url, NULL, LOCK_TIMEOUT_MS, ret_pq, err) < 0)
        return -1;
    return postgres_kept_use_encoding(*ret_pq, kept, err);
}

/* What the schema's comment says, or without one (nothing was kept) how the transaction ended. */
static int find_side(struct pq *pq, const struct postgres_kept *kept, enum load_state *ret_state,
                     struct error *err)
{
    struct pq_parameter parameters[] = {{.data = kept->store, .size = strlen(kept->store)},
                                        {.data = NULL}};
    SCOPED(string) char *xid = mem_format("%" PRId64, kept->xid);
    parameters[1] = (struct pq_parameter){.data = xid, .size = strlen(xid)};
    SCOPED(pq_result) struct pq_result *row = NULL;
    if (pq_exec_parameters(pq,
                           "SELECT coalesce((SELECT obj_description(oid, 'pg_namespace') "
                           "FROM pg_namespace WHERE nspname = $1), CASE "
                           "txid_status($2::bigint) WHEN 'committed' THEN 'after' "
                           "ELSE 'before' END)",
                           parameters, 2, false, &row, err) < 0)
        return -1;
    *ret_state = strcmp(pq_value(row, 0, 0), "after") == 0 ? LOAD_AFTER : LOAD_BEFORE;
    return 0;
}

int postgres_tables_side(struct os *os, const char *text, const struct source_target *target,
                         enum load_state *ret_state, struct error *err)
{
    SCOPED(postgres_kept) struct postgres_kept kept = {0};
    SCOPED(pq) struct pq *pq = NULL;
    if (open_kept(os, text, target, &kept, &pq, err) < 0 ||
        postgres_end_transaction(os, pq, kept.xid, err) < 0)
        return -1;
    return find_side(pq, &kept, ret_state, err);
}

/* Tables that the restore made go into its schema, or come back from there. */
static int move_created(struct pq *pq, const struct postgres_kept *kept, bool away,
                        struct error *err)
{
    for (size_t i = 0; i < kept->count; i++) {
        if (!kept->items[i].created)
            continue;
        const char *from = away ? kept->items[i].schema : kept->store;
        const char *to = away ? kept->store : kept->items[i].schema;
        SCOPED(buf) struct buf sql = BUF_INIT;
        SCOPED(string) char *table = postgres_quote_name(from, kept->items[i].name);
        buf_append_format(&sql, "ALTER TABLE %s SET SCHEMA ", table);
        pq_quote_identifier(&sql, to);
        if (pq_exec(pq, sql.data, NULL, err) < 0)
            return -1;
    }
    return 0;
}

/* What was live becomes what is kept, under the same names. */
static int rename_kept(struct pq *pq, const struct postgres_kept *kept, struct error *err)
{
    if (postgres_kept_drop_tables(pq, kept, "old", err) < 0)
        return -1;
    for (size_t i = 0; i < kept->count; i++) {
        SCOPED(string) char *name = postgres_kept_store_name(kept, "live", i);
        if (!kept->items[i].created &&
            pq_exec_format(pq, err, "ALTER TABLE %s RENAME TO old_%zu", name, i) < 0)
            return -1;
    }
    return 0;
}

static int undo_steps(struct pq *pq, const struct postgres_kept *kept, enum load_state state,
                      struct error *err)
{
    SCOPED(pq_result) struct pq_result *events = NULL;
    struct postgres_exchanges list = postgres_kept_exchanges(kept, "old", "live");
    int result = pq_exec(pq, "BEGIN", NULL, err);
    if (result == 0)
        result = postgres_hush(pq, &events, err);
    if (result == 0 && list.count)
        result = postgres_exchange_rows(pq, list.items, list.count, false, err);
    postgres_kept_exchanges_clear(&list);
    if (result < 0 || rename_kept(pq, kept, err) < 0 ||
        move_created(pq, kept, state == LOAD_AFTER, err) < 0 ||
        postgres_kept_mark(pq, kept, state == LOAD_AFTER ? "before" : "after", err) < 0 ||
        postgres_unhush(pq, events, err) < 0)
        return -1;
    return pq_exec(pq, "COMMIT", NULL, err);
}

/* A restore of the whole database leaves it with the old copy. */
static int require_store(struct pq *pq, const struct postgres_kept *kept, struct error *err)
{
    struct pq_parameter name = {.data = kept->store, .size = strlen(kept->store)};
    SCOPED(pq_result) struct pq_result *row = NULL;
    if (pq_exec_parameters(pq, "SELECT FROM pg_namespace WHERE nspname = $1", &name, 1, false, &row,
                           err) < 0)
        return -1;
    if (pq_rows(row) || !kept->count)
        return 0;
    error_set(err, ERROR_RESTORE, "what was replaced is not in this database: it has no schema %s",
              kept->store);
    return error_hint(err, "if a later restore replaced the whole database, undo that one first");
}

int postgres_tables_undo(struct os *os, const char *text, const struct source_target *target,
                         bool dry_run, char **ret_changed, struct error *err)
{
    SCOPED(postgres_kept) struct postgres_kept kept = {0};
    SCOPED(pq) struct pq *pq = NULL;
    enum load_state state = LOAD_BEFORE;
    if (ret_changed)
        *ret_changed = NULL;
    if (open_kept(os, text, target, &kept, &pq, err) < 0 || find_side(pq, &kept, &state, err) < 0 ||
        require_store(pq, &kept, err) < 0)
        return -1;
    if (dry_run)
        return 0;
    return undo_steps(pq, &kept, state, err) < 0 ? error_prefix(err, "undo") : 0;
}

int postgres_tables_discard(struct os *os, const char *text, const struct source_target *target,
                            struct error *err)
{
    SCOPED(postgres_kept) struct postgres_kept kept = {0};
    SCOPED(pq) struct pq *pq = NULL;
    SCOPED(pq_result) struct pq_result *events = NULL;
    if (open_kept(os, text, target, &kept, &pq, err) < 0 || pq_exec(pq, "BEGIN", NULL, err) < 0 ||
        postgres_hush(pq, &events, err) < 0 || postgres_kept_drop_store(pq, &kept, err) < 0 ||
        postgres_unhush(pq, events, err) < 0)
        return -1;
    return pq_exec(pq, "COMMIT", NULL, err);
}
