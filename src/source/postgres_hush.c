#include "source/postgres_hush.h"

#include "base/error.h"
#include "db/pq.h"

/* Columns: switch off, switch back to what it was. Nobody else sees it, as both are in one
 * transaction. */
static const char EVENTS_SQL[] =
    "SELECT format('ALTER EVENT TRIGGER %I DISABLE', evtname), "
    "format('ALTER EVENT TRIGGER %I ENABLE%s', evtname, "
    "  CASE evtenabled WHEN 'A' THEN ' ALWAYS' WHEN 'R' THEN ' REPLICA' ELSE '' END) "
    "FROM pg_event_trigger WHERE evtenabled <> 'D' "
    "AND current_setting('is_superuser') = 'on' ORDER BY oid";

static int run_each(struct pq *pq, const struct pq_result *statements, size_t column,
                    struct error *err)
{
    for (size_t i = 0; i < pq_rows(statements); i++)
        if (pq_exec(pq, pq_value(statements, i, column), NULL, err) < 0)
            return error_prefix(err, "event triggers");
    return 0;
}

int postgres_hush(struct pq *pq, struct pq_result **ret_again, struct error *err)
{
    SCOPED(pq_result) struct pq_result *statements = NULL;
    if (pq_exec(pq, EVENTS_SQL, &statements, err) < 0 || run_each(pq, statements, 0, err) < 0)
        return -1;
    *ret_again = STEAL(statements);
    return 0;
}

int postgres_unhush(struct pq *pq, const struct pq_result *again, struct error *err)
{
    return again ? run_each(pq, again, 1, err) : 0;
}
