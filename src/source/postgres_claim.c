#include "source/postgres_claim.h"

#include "base/error.h"
#include "base/mem.h"
#include "base/os.h"
#include "db/pq.h"

#include <inttypes.h>
#include <string.h>

/* A session that was closed in order needs a moment; one that copies a database looks up after
 * each file. */
#define GRACE_MS 200
#define LONGEST_MS 15000
#define PAUSE_MS 20

/* FNV-1a: each restore has a key of its own, in every database of the server. */
static int64_t key_of(const char *name)
{
    uint64_t key = UINT64_C(0xcbf29ce484222325);
    for (; *name; name++)
        key = (key ^ (unsigned char)*name) * UINT64_C(0x100000001b3);
    return (int64_t)key;
}

/* Asks until the answer is that nobody is left. `look` counts who is left, `end` ends them and
 * counts too. */
static int outlast(struct os *os, struct pq *pq, const char *look, const char *end,
                   struct error *err)
{
    int64_t began = os->clock_monotonic_ns(os);
    for (;;) {
        int64_t waited_ms = (os->clock_monotonic_ns(os) - began) / 1000000;
        int64_t left = 0;
        if (pq_query_integer(pq, waited_ms < GRACE_MS ? look : end, &left, err) < 0)
            return -1;
        if (!left)
            return 0;
        if (waited_ms > LONGEST_MS)
            return error_set(err, ERROR_LOCKED,
                             "a session of the run before still works at it on the server");
        os->sleep_ms(os, PAUSE_MS);
    }
}

#define TAKE "SELECT (NOT pg_try_advisory_lock(%" PRId64 "))::int + "
/* Sessions in all databases: which one the other connected to is not known. */
#define OTHERS                                                                                     \
    "FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 1 "                      \
    "AND pid <> pg_backend_pid() AND classid::bigint = %" PRIu32 " AND objid::bigint = %" PRIu32

int postgres_claim(struct os *os, struct pq *pq, const char *name, struct error *err)
{
    int64_t key = key_of(name);
    uint32_t high = (uint32_t)((uint64_t)key >> 32), low = (uint32_t)key;
    SCOPED(string) char *look = mem_format(TAKE "count(*) " OTHERS, key, high, low);
    SCOPED(string)
    char *end = mem_format(TAKE "count(pg_terminate_backend(pid)) " OTHERS, key, high, low);
    return outlast(os, pq, look, end, err) < 0 ? error_prefix(err, "claim %s", name) : 0;
}

#define ITS_SESSION                                                                                \
    "FROM pg_stat_activity WHERE backend_xid::text::bigint = %" PRId64 " AND txid_status(%" PRId64 \
    ") = 'in progress'"

int postgres_end_transaction(struct os *os, struct pq *pq, int64_t xid, struct error *err)
{
    int64_t low = xid & UINT32_MAX;
    SCOPED(string) char *look = mem_format("SELECT count(*) " ITS_SESSION, low, xid);
    SCOPED(string)
    char *end = mem_format("SELECT count(pg_terminate_backend(pid)) " ITS_SESSION, low, xid);
    return outlast(os, pq, look, end, err);
}
