#include "catalog/catalog.h"

#include "base/error.h"
#include "base/file.h"
#include "base/os.h"
#include "base/text.h"
#include "catalog/query.h"
#include "catalog/schema.h"
#include "catalog/state.h"

#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* Long enough for another process's longest transaction, an import of one manifest. */
#define LOCK_TIMEOUT_MS 30000

/* SQLite gives its journal and write-ahead log the mode of the file. */
int catalog_make_file(struct os *os, const char *path, bool *ret_created, struct error *err)
{
    struct stat info;
    *ret_created = false;
    int found = file_stat(os, path, &info, err);
    if (found != 0)
        return found < 0 ? -1 : 0;
    SCOPED(string) char *folder = path_folder(path);
    if (folder_make(os, folder, 0700, err) < 0)
        return -1;
    struct error open_err = ERROR_INIT;
    int fd = file_open(os, path, O_RDWR | O_CREAT | O_EXCL, 0600, &open_err);
    if (fd < 0 && open_err.code == ERROR_EXISTS)
        return 0; /* another process was quicker */
    if (fd < 0) {
        *err = open_err;
        return -1;
    }
    file_close(os, &fd);
    *ret_created = true;
    return folder_sync(os, folder, err);
}

static int run_all(struct catalog *catalog, const char *const *statements, struct error *err)
{
    for (; *statements; statements++)
        if (db_execute(catalog->db, *statements, NULL, 0, NULL, err) < 0)
            return -1;
    return 0;
}

static int connect(struct catalog *catalog, const struct db_url *url, struct error *err)
{
    bool created = false;
    catalog->dialect = dialect_of(url->engine);
    if (!catalog->dialect)
        return error_set(err, ERROR_USAGE, "a catalogue cannot be in %s yet",
                         db_engine_name(url->engine));
    if (url->engine == DB_SQLITE &&
        catalog_make_file(catalog->os, url->database, &created, err) < 0)
        return -1;
    const struct db_options options = {
        .os = catalog->os,
        .lock_timeout_ms = LOCK_TIMEOUT_MS,
        .full_synchronous = true,
    };
    if (db_open(url, &options, &catalog->db, err) < 0)
        return -1;
    /* Two processes that make the file at once: one of them does not get its way here, and needs
     * not to. */
    struct error creation_err = ERROR_INIT;
    if (created && run_all(catalog, catalog->dialect->new_file, &creation_err) < 0 &&
        creation_err.code != ERROR_LOCKED) {
        *err = creation_err;
        return -1;
    }
    return run_all(catalog, catalog->dialect->session, err);
}

static char *lock_folder(const struct catalog_options *options, const struct db_url *url)
{
    if (options->folder)
        return mem_string(options->folder);
    if (url->engine != DB_SQLITE)
        return mem_string(".");
    return path_folder(url->database);
}

static int open_url(struct os *os, const struct catalog_options *options, const struct db_url *url,
                    struct catalog **ret_catalog, struct error *err)
{
    SCOPED(catalog) struct catalog *catalog = MEM_NEW(struct catalog);
    catalog->os = os;
    catalog->folder = lock_folder(options, url);
    catalog->name = url->engine == DB_SQLITE ? mem_string(url->database) : db_url_display(url);
    if (connect(catalog, url, err) < 0 || schema_update(catalog, err) < 0) {
        if (err && err->code == ERROR_CORRUPT)
            error_hint(err, "move the file away; `kedge catalog rebuild --from DESTINATION` makes "
                            "it anew from the manifests");
        return -1;
    }
    *ret_catalog = STEAL(catalog);
    return 0;
}

int catalog_open(struct os *os, const struct catalog_options *options, struct catalog **ret_catalog,
                 struct error *err)
{
    struct db_url url = DB_URL_INIT;
    if (db_url_parse(options->url, &url, err) < 0)
        return error_prefix(err, "catalogue");
    int result = open_url(os, options, &url, ret_catalog, err);
    db_url_clear(&url);
    return result;
}

void catalog_close(struct catalog *catalog)
{
    if (!catalog)
        return;
    db_close(catalog->db);
    free(catalog->folder);
    free(catalog->name);
    free(catalog);
}

const char *catalog_name(const struct catalog *catalog)
{
    return catalog->name;
}

/* ---- transactions ---- */

static int try_transaction(struct catalog *catalog, catalog_body_fn *body, void *context,
                           struct error *err)
{
    catalog->db->fault = (struct db_fault){0};
    if (db_begin(catalog->db, true, err) < 0)
        return -1;
    if (body(catalog, context, err) < 0 || db_commit(catalog->db, err) < 0) {
        struct db_fault fault = catalog->db->fault;
        db_rollback(catalog->db, NULL);
        catalog->db->fault = fault;
        return -1;
    }
    return 0;
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
    /* The update comes first: it holds the row until the commit, so nobody else reads it between.
     */
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
