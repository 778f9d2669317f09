#include "source/postgres_again.h"

#include "base/error.h"
#include "base/mem.h"
#include "db/pq.h"
#include "source/postgres_later.h"
#include "source/postgres_patience.h"

static int on_usual_path(const struct postgres_again *rows)
{
    if (!*rows->settings || !rows->schema || pq_in_transaction(rows->pq) ||
        !later_looked_in_vain(rows->pq))
        return -1;
    struct error ignored = ERROR_INIT;
    SCOPED(string) char *path = later_usual_path("SET", rows->schema);
    if (pq_exec(rows->pq, path, NULL, &ignored) < 0)
        return -1;
    int result = rows->once(rows->context, &ignored);
    *rows->in_force = NULL;
    return pq_exec(rows->pq, rows->settings, NULL, &ignored) < 0 ? -1 : result;
}

int postgres_again_rows(const struct postgres_again *rows, struct error *err)
{
    /* Who is in a transaction, as somebody's script may be, cannot take only the rows back. */
    const struct postgres_patience patience = {rows->os, &rows->pq, rows->once, rows->context};
    if ((pq_in_transaction(rows->pq) ? rows->once(rows->context, err)
                                     : postgres_patiently(&patience, err)) == 0)
        return 0;
    if (on_usual_path(rows) < 0)
        return -1;
    error_clear(err);
    return 0;
}

bool postgres_again_after_others(const struct pq *pq)
{
    static const char *const classes[] = {"23", "42", "P0"};
    return !pq_fault(pq)->connection_lost && !pq_in_transaction(pq) &&
           pq_fault_among(pq, classes, ARRAY_SIZE(classes));
}
