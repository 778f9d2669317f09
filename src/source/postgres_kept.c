#include "source/postgres_kept.h"

#include "base/error.h"
#include "base/json_text.h"
#include "base/mem.h"
#include "base/text.h"
#include "db/pq.h"
#include "source/postgres_catalog.h"
#include "source/postgres_exchange.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

void postgres_kept_clear(struct postgres_kept *kept)
{
    for (size_t i = 0; i < kept->count; i++) {
        free(kept->items[i].schema);
        free(kept->items[i].name);
        free(kept->items[i].live);
    }
    free(kept->items);
    free(kept->store);
    free(kept->encoding);
    *kept = (struct postgres_kept){0};
}

struct postgres_kept_table *postgres_kept_add(struct postgres_kept *kept, const char *schema,
                                              const char *name)
{
    ARRAY_GROW(kept->items, kept->count, kept->capacity);
    struct postgres_kept_table *table = &kept->items[kept->count++];
    *table = (struct postgres_kept_table){.schema = mem_string(schema),
                                          .name = mem_string(name),
                                          .live = postgres_quote_name(schema, name)};
    return table;
}

char *postgres_kept_store_name(const struct postgres_kept *kept, const char *what, size_t number)
{
    SCOPED(string) char *name = mem_format("%s_%zu", what, number);
    return postgres_quote_name(kept->store, name);
}

char *postgres_kept_format(const struct postgres_kept *kept)
{
    json_t *tables = json_array();
    for (size_t i = 0; i < kept->count; i++)
        json_array_append_new(
            tables, json_pack("{s:o, s:o, s:b}", "schema", json_text(kept->items[i].schema), "name",
                              json_text(kept->items[i].name), "created", kept->items[i].created));
    json_t *object =
        json_pack("{s:s, s:s, s:s, s:I, s:b, s:o}", "engine", "postgres", "mode", "tables", "store",
                  kept->store, "xid", (json_int_t)kept->xid, "keep", kept->keep, "tables", tables);
    if (kept->encoding)
        json_object_set_new(object, "encoding", json_string(kept->encoding));
    char *text = json_dumps(object, JSON_COMPACT);
    char *copy = mem_string(text);
    free(text);
    json_decref(object);
    return copy;
}

int postgres_kept_parse(const char *text, struct postgres_kept *ret_kept, struct error *err)
{
    json_t *object = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    const char *mode = NULL, *store = NULL;
    json_int_t xid = 0;
    json_t *tables = NULL;
    int keep = 0;
    struct postgres_kept kept = {0};
    bool bad = !object || json_unpack(object, "{s:s, s:s, s:I, s:b, s:o}", "mode", &mode, "store",
                                      &store, "xid", &xid, "keep", &keep, "tables", &tables) < 0;
    for (size_t i = 0; !bad && i < json_array_size(tables); i++) {
        const json_t *table = json_array_get(tables, i);
        const json_t *created = json_object_get(table, "created");
        SCOPED(string) char *schema = json_text_value(json_object_get(table, "schema"));
        SCOPED(string) char *name = json_text_value(json_object_get(table, "name"));
        bad = !schema || !name || !json_is_boolean(created);
        if (!bad)
            postgres_kept_add(&kept, schema, name)->created = json_is_true(created);
    }
    /* Only what a restore makes may ever be removed by one. */
    bad = bad || !text_starts(store, "kedge_") || strlen(store) != strlen("kedge_") + 26;
    kept.store = mem_string(store);
    kept.encoding = mem_string(json_string_value(json_object_get(object, "encoding")));
    kept.xid = xid;
    kept.keep = keep;
    json_decref(object);
    if (bad) {
        postgres_kept_clear(&kept);
        return error_set(err, ERROR_CORRUPT, "the restore's record is damaged");
    }
    *ret_kept = kept;
    return 0;
}

int postgres_kept_use_encoding(struct pq *pq, const struct postgres_kept *kept, struct error *err)
{
    if (!kept->encoding)
        return 0;
    SCOPED(buf) struct buf sql = BUF_INIT;
    buf_append_text(&sql, "SET client_encoding = ");
    pq_quote_literal(&sql, kept->encoding);
    return pq_exec(pq, sql.data, NULL, err);
}

bool postgres_kept_is_tables(const char *kept)
{
    json_t *object = json_loads(kept, 0, NULL);
    bool tables = text_equal(json_string_value(json_object_get(object, "mode")), "tables");
    json_decref(object);
    return tables;
}

void postgres_kept_exchanges_clear(struct postgres_exchanges *exchanges)
{
    for (size_t i = 0; i < exchanges->count; i++) {
        free((char *)(uintptr_t)exchanges->items[i].from);
        free((char *)(uintptr_t)exchanges->items[i].keep);
    }
    free(exchanges->items);
}

struct postgres_exchanges postgres_kept_exchanges(const struct postgres_kept *kept,
                                                  const char *from, const char *keep)
{
    struct postgres_exchanges list = {.items = mem_alloc(kept->count, sizeof *list.items)};
    for (size_t i = 0; i < kept->count; i++)
        if (!kept->items[i].created)
            list.items[list.count++] = (struct postgres_exchange){
                .live = kept->items[i].live,
                .from = postgres_kept_store_name(kept, from, i),
                .keep = keep ? postgres_kept_store_name(kept, keep, i) : NULL};
    return list;
}

int postgres_kept_drop_store(struct pq *pq, const struct postgres_kept *kept, struct error *err)
{
    SCOPED(buf) struct buf sql = BUF_INIT;
    buf_append_text(&sql, "DROP SCHEMA IF EXISTS ");
    pq_quote_identifier(&sql, kept->store);
    buf_append_text(&sql, " CASCADE");
    return pq_exec(pq, sql.data, NULL, err);
}

int postgres_kept_mark(struct pq *pq, const struct postgres_kept *kept, const char *side,
                       struct error *err)
{
    SCOPED(buf) struct buf sql = BUF_INIT;
    buf_append_text(&sql, "COMMENT ON SCHEMA ");
    pq_quote_identifier(&sql, kept->store);
    buf_append_format(&sql, " IS '%s'", side);
    return pq_exec(pq, sql.data, NULL, err);
}

int postgres_kept_drop_tables(struct pq *pq, const struct postgres_kept *kept, const char *what,
                              struct error *err)
{
    for (size_t i = 0; i < kept->count; i++) {
        SCOPED(string) char *name = postgres_kept_store_name(kept, what, i);
        if (!kept->items[i].created && pq_exec_format(pq, err, "DROP TABLE %s", name) < 0)
            return -1;
    }
    return 0;
}
