#include "source/postgres_pace.h"

#include "base/buf.h"
#include "base/error.h"
#include "db/pq.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

/* A commit need not be on the medium before the swap, whose own commit waits for all before it.
 * What autovacuum does to a table that is being filled is in the way of its keys: it gives way to
 * whoever waits longer than deadlock_timeout, a second as shipped. */
static const char SESSION_SQL[] =
    "SELECT pg_catalog.set_config(s.name, v.value, false) FROM (VALUES "
    "('synchronous_commit', 'off'), ('jit', 'off'), ('deadlock_timeout', '10')) AS v (name, value) "
    "JOIN pg_catalog.pg_settings s ON s.name = v.name "
    "WHERE s.context = 'user' OR pg_catalog.current_setting('is_superuser') = 'on'";

int postgres_pace_session(struct pq *pq, struct error *err)
{
    return pq_exec(pq, SESSION_SQL, NULL, err);
}

/* ---- memory to sort in ---- */

/* What the server needs for each run it merges at once. */
#define MERGE_KB ((uint64_t)272)
#define SORT_KB_LEAST ((uint64_t)16 << 10)

/* Runs that stay in the processor's cache are sorted quicker, as long as one pass merges them all:
 * memory m makes runs of m, and merges m / MERGE_KB of them. */
uint64_t postgres_pace_sort_kb(uint64_t bytes)
{
    uint64_t kb = SORT_KB_LEAST;
    while (kb / MERGE_KB * kb < bytes >> 10)
        kb *= 2;
    return kb;
}

/* Never more than the server's own setting, and on this machine only: where the server has more
 * processors than there are sessions, it would do with less memory without parallel workers. */
static const char SORTING_SQL[] =
    "SELECT pg_catalog.set_config('maintenance_work_mem', $1 || 'kB', false) "
    "FROM pg_catalog.pg_settings WHERE name = 'maintenance_work_mem' "
    "AND setting::bigint > $1::bigint "
    "AND pg_catalog.inet_server_addr() IS NOT DISTINCT FROM pg_catalog.inet_client_addr()";

int postgres_pace_sorting(struct pq *pq, uint64_t largest_bytes, int sessions, struct error *err)
{
    if (sessions < sysconf(_SC_NPROCESSORS_ONLN))
        return 0;
    char kb[24];
    snprintf(kb, sizeof kb, "%" PRIu64, postgres_pace_sort_kb(largest_bytes));
    const struct pq_parameter parameter = {.data = kb};
    return pq_exec_parameters(pq, SORTING_SQL, &parameter, 1, false, NULL, err);
}

/* ---- what the planner knows ---- */

/* Of a table: those that any view reads, quoted. */
static const char READ_COLUMNS_SQL[] =
    "SELECT pg_catalog.string_agg(DISTINCT pg_catalog.quote_ident(a.attname), ', ') "
    "FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_attribute a "
    "ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid "
    "WHERE d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass "
    "AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass "
    "AND d.refobjsubid > 0 AND d.refobjid = $1::pg_catalog.regclass";

/* The other columns may be long; autovacuum looks at all of them later, as after any restore. */
int postgres_pace_planner(struct pq *pq, const char *schema, const char *table, struct error *err)
{
    SCOPED(pq_result) struct pq_result *columns = NULL;
    SCOPED(buf) struct buf name = BUF_INIT;
    pq_quote_identifier(&name, schema);
    buf_append_text(&name, ".");
    pq_quote_identifier(&name, table);
    const struct pq_parameter parameter = {.data = name.data};
    if (pq_exec_parameters(pq, READ_COLUMNS_SQL, &parameter, 1, false, &columns, err) < 0)
        return -1;
    const char *list = pq_value(columns, 0, 0);
    return pq_exec_format(pq, err, list ? "ANALYZE %s (%s)" : "ANALYZE %s", name.data, list);
}
