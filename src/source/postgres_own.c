#include "source/postgres_own.h"

#include "base/error.h"
#include "base/mem.h"
#include "base/text.h"
#include "db/pq.h"

/* Our tables, and the views in `public` that read them under the names that are promised. */
#define OURS                                                                                       \
    "WITH tables AS (SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "  \
    "  WHERE n.nspname = '" POSTGRES_OWN_SCHEMA "' AND " POSTGRES_OWN_PRESENT "), "                \
    "readers AS (SELECT v.oid, v.relname, n.nspname, d.refobjid FROM pg_depend d "                 \
    "  JOIN pg_rewrite r ON r.oid = d.objid JOIN pg_class v ON v.oid = r.ev_class "                \
    "  JOIN pg_namespace n ON n.oid = v.relnamespace "                                             \
    "  WHERE d.classid = 'pg_rewrite'::regclass AND d.refclassid = 'pg_class'::regclass "          \
    "  AND v.oid <> d.refobjid), "                                                                 \
    "views AS (SELECT DISTINCT oid, relname FROM readers WHERE nspname = 'public' "                \
    "  AND relname IN ('database_backups', 'backup_history', 'backup_schedule', "                  \
    "  'backup_restore_log') AND refobjid IN (SELECT oid FROM tables)), "                          \
    "ours AS (SELECT oid FROM tables UNION SELECT oid FROM views) "

int postgres_own_present(struct pq *pq, struct error *err)
{
    int64_t present = 0;
    if (pq_query_integer(pq, "SELECT " POSTGRES_OWN_PRESENT "::int", &present, err) < 0)
        return -1;
    return present != 0;
}

int postgres_own_views(struct pq *pq, struct text_list *names, struct error *err)
{
    SCOPED(pq_result) struct pq_result *rows = NULL;
    if (pq_exec(pq, OURS "SELECT relname FROM views ORDER BY relname", &rows, err) < 0)
        return error_prefix(err, "look for kedge's own views");
    for (size_t i = 0; i < pq_rows(rows); i++)
        text_list_add(names, pq_value(rows, i, 0));
    return 0;
}

int postgres_own_unreferenced(struct pq *pq, struct error *err)
{
    SCOPED(string) char *others = NULL;
    if (pq_query_text(
            pq,
            OURS "SELECT string_agg(what, ', ' ORDER BY what) FROM ("
                 "SELECT pg_describe_object('pg_class'::regclass, oid, 0) AS what FROM readers "
                 "WHERE refobjid IN (SELECT oid FROM ours) AND oid NOT IN (SELECT oid FROM ours) "
                 "UNION SELECT pg_describe_object('pg_constraint'::regclass, oid, 0) "
                 "FROM pg_constraint WHERE confrelid IN (SELECT oid FROM ours) "
                 "AND conrelid NOT IN (SELECT oid FROM ours)) o",
            &others, err) < 0)
        return error_prefix(err, "look who refers to kedge's own tables");
    if (!others)
        return 0;
    error_set(err, ERROR_SOURCE,
              "kedge's own tables, which are part of no backup, are referred to by %s", others);
    return error_hint(err, "drop it, or give the catalogue a database of its own");
}
