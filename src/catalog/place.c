#include "catalog/place.h"

#include "base/error.h"
#include "base/stop.h"
#include "catalog/dialect.h"
#include "catalog/state.h"
#include "db/db.h"

static int ask(struct catalog *catalog, const char *sql, int64_t *ret_answer, struct error *err)
{
    return db_query_integer(catalog->db, sql, NULL, 0, ret_answer, err) < 0 ? -1 : 0;
}

int place_is_empty(struct catalog *catalog, struct error *err)
{
    int64_t there = 0, holds = 0;
    if (!catalog->dialect->place_there)
        return 0;
    if (ask(catalog, catalog->dialect->place_there, &there, err) < 0 ||
        ask(catalog, catalog->dialect->place_holds, &holds, err) < 0)
        return -1;
    return there && !holds;
}

/* The lock goes with the session; taking it twice in one is no matter. */
static int lock(struct catalog *catalog, struct error *err)
{
    int64_t got = 0;
    if (ask(catalog, catalog->dialect->place_lock, &got, err) < 0)
        return -1;
    if (!got)
        return error_set(err, ERROR_LOCKED, "another installation is at work on this server");
    return 0;
}

int place_make(struct catalog *catalog, bool *ret_made, struct error *err)
{
    int64_t there = 0;
    if (!catalog->dialect->place_there)
        return 0;
    if (lock(catalog, err) < 0 || ask(catalog, catalog->dialect->place_there, &there, err) < 0)
        return -1;
    if (there)
        return 0;
    *ret_made = true;
    return dialect_create(catalog->dialect, catalog->db, err);
}

static int remove_empty(struct catalog *catalog, struct error *err)
{
    if (lock(catalog, err) < 0)
        return -1;
    int empty = place_is_empty(catalog, err);
    if (empty <= 0)
        return empty;
    return db_execute(catalog->db, catalog->dialect->place_drop, NULL, 0, NULL, err) < 0 ? -1 : 1;
}

int place_remove_empty(struct catalog *catalog, struct error *err)
{
    bool stopping = stop_requested();
    stop_clear();
    int result = remove_empty(catalog, err);
    if (stopping)
        stop_request();
    return result;
}
