#include "source/postgres_patience.h"

#include "base/error.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/os.h"
#include "base/stop.h"
#include "db/pq.h"

#define TRIES 6
#define REST_MS 10

/* Then nothing stays of the statement, or of the transaction it was in. */
static bool is_passing(const struct pq *pq)
{
    static const char *const states[] = {"40P01", "40001"};
    return pq && pq_fault_among(pq, states, ARRAY_SIZE(states));
}

int postgres_patiently(const struct postgres_patience *patience, struct error *err)
{
    for (int tries = 1; patience->once(patience->context, err) < 0; tries++) {
        if (tries == TRIES || !is_passing(*patience->pq))
            return -1;
        log_info("again: %s", err->message);
        error_clear(err);
        patience->os->sleep_ms(patience->os, REST_MS << tries);
        if (stop_check(err) < 0)
            return -1;
    }
    return 0;
}
