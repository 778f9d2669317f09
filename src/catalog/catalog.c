#include "catalog/catalog.h"

#include "base/error.h"
#include "base/os.h"
#include "base/text.h"
#include "catalog/query.h"
#include "catalog/state.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

void catalog_close(struct catalog *catalog)
{
    if (!catalog)
        return;
    db_close(catalog->db);
    db_url_clear(&catalog->url);
    free(catalog->folder);
    free(catalog->name);
    free(catalog);
}

const char *catalog_name(const struct catalog *catalog)
{
    return catalog->name;
}

bool catalog_is_read_only(const struct catalog *catalog)
{
    return catalog->read_only;
}

/* ---- transactions ---- */

/* A commit that failed may be whole in the log all the same, and the next process would take it for
 * good. Writing something else in its place makes sure that it is gone, as far as anything can
 * still be written. (Setting a value to itself writes nothing.) */
static void bury_commit(struct catalog *catalog)
{
    struct db *db = catalog->db;
    if (db_begin(db, true, NULL) == 0 &&
        db_execute(db, "INSERT INTO counters (name, value) VALUES ('', 0)", NULL, 0, NULL, NULL) ==
            0 &&
        db_execute(db, "DELETE FROM counters WHERE name = ''", NULL, 0, NULL, NULL) == 0)
        db_commit(db, NULL);
    db_rollback(db, NULL);
}

static int try_transaction(struct catalog *catalog, catalog_body_fn *body, void *context,
                           struct error *err)
{
    catalog->db->fault = (struct db_fault){0};
    if (db_begin(catalog->db, true, err) < 0)
        return -1;
    bool done = body(catalog, context, err) == 0;
    if (done && db_commit(catalog->db, err) == 0)
        return 0;
    struct db_fault fault = catalog->db->fault;
    db_rollback(catalog->db, NULL);
    if (done && !fault.connection_lost)
        bury_commit(catalog);
    catalog->db->fault = fault;
    return -1;
}

int catalog_transaction(struct catalog *catalog, catalog_body_fn *body, void *context,
                        struct error *err)
{
    if (catalog->db->ops->in_transaction(catalog->db))
        return body(catalog, context, err);
    for (int attempt = 0;; attempt++) {
        if (try_transaction(catalog, body, context, err) == 0)
            return 0;
        if (!catalog->db->fault.lock_timeout || attempt >= catalog->dialect->retries)
            return -1;
        catalog->os->sleep_ms(catalog->os, 10 << attempt);
    }
}

int64_t catalog_now(const struct catalog *catalog)
{
    return catalog->os->clock_wall_ns(catalog->os) / 1000 * 1000;
}

int catalog_next_number(struct catalog *catalog, const char *table, int64_t *ret_number,
                        struct error *err)
{
    /* The update comes first: it holds the row until the commit, nobody else reads it between. */
    SCOPED(query) struct query update;
    query_init(&update, catalog, "UPDATE counters SET value = value + 1 WHERE name = ?");
    query_text(&update, table);
    if (query_run(&update, NULL, err) < 0)
        return -1;
    SCOPED(query) struct query query;
    query_init(&query, catalog, "SELECT value FROM counters WHERE name = ?");
    query_text(&query, table);
    int found = query_read_integer(&query, ret_number, err);
    if (found == 0)
        return error_set(err, ERROR_CORRUPT, "catalogue %s: no counter for %s", catalog->name,
                         table);
    return found < 0 ? -1 : 0;
}

/* ---- lists in columns ---- */

char *catalog_json_of_list(const struct text_list *list)
{
    if (list->count == 0)
        return NULL;
    json_t *array = json_array();
    for (size_t i = 0; i < list->count; i++) {
        /* A name that is no UTF-8 is stored the way it is shown. */
        SCOPED(buf) struct buf visible = BUF_INIT;
        const char *item = list->items[i];
        if (!text_is_utf8(item, strlen(item))) {
            text_append_visible(&visible, item, strlen(item));
            item = visible.data;
        }
        json_array_append_new(array, json_string(item));
    }
    char *text = json_dumps(array, JSON_COMPACT);
    json_decref(array);
    return text;
}

int catalog_list_of_json(const char *json, struct text_list *ret_list, struct error *err)
{
    struct text_list list = TEXT_LIST_INIT;
    json_t *array = json ? json_loads(json, 0, NULL) : json_array();
    size_t index = 0;
    json_t *item = NULL;
    bool good = json_is_array(array);
    json_array_foreach(array, index, item)
    {
        good = good && json_is_string(item);
        if (good)
            text_list_add(&list, json_string_value(item));
    }
    json_decref(array);
    if (!good) {
        text_list_clear(&list);
        return error_set(err, ERROR_CORRUPT, "catalogue: not a list of texts: %.80s", json);
    }
    *ret_list = list;
    return 0;
}
