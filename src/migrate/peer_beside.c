#include "migrate/peer_beside.h"

#include "base/buf.h"
#include "base/error.h"
#include "db/db.h"
#include "migrate/history.h"
#include "migrate/peer.h"

#include <string.h>

#define TABLES_MAXIMUM 32

/* Which of the names are tables: `head`, and `each` for every name. */
static const struct {
    const char *head;
    const char *each;
} listings[] = {
    [DB_SQLITE] = {"SELECT lower(name) FROM sqlite_master WHERE lower(name) IN (", "?"},
    [DB_POSTGRES] = {"SELECT relname FROM pg_class WHERE oid IN (", "to_regclass(?)"},
    [DB_MYSQL] = {"SELECT lower(table_name) FROM information_schema.tables "
                  "WHERE table_schema = coalesce(?, database()) AND table_name IN (",
                  "?"},
};

static bool is_looked_at(const struct peer *peer)
{
    return strcmp(peer_table(peer), HISTORY_TABLE) != 0;
}

static int on_name(void *context, const struct db_value *columns, size_t count, struct error *err)
{
    (void)count;
    (void)err;
    if (columns[0].text)
        text_list_add(context, columns[0].text);
    return 0;
}

/* Those of the tools' tables that are there, beside ours. */
static int list_tables(const struct history *ours, struct text_list *found, struct error *err)
{
    enum db_engine engine = ours->db->ops->engine;
    const char *dot = strchr(ours->table, '.');
    SCOPED(string)
    char *schema = dot ? mem_string_n(ours->table, (size_t)(dot - ours->table)) : NULL;
    SCOPED(text_list) struct text_list names = TEXT_LIST_INIT;
    SCOPED(buf) struct buf sql = BUF_INIT;
    struct db_value values[TABLES_MAXIMUM + 1];
    size_t count = 0;
    if (engine == DB_MYSQL)
        values[count++] = db_text(schema);
    buf_append_text(&sql, listings[engine].head);
    for (const struct peer *peer = peer_next(NULL); peer && names.count < TABLES_MAXIMUM;
         peer = peer_next(peer)) {
        if (!is_looked_at(peer))
            continue;
        struct history theirs = HISTORY_INIT;
        history_init_beside(&theirs, ours, peer_table(peer));
        text_list_add(&names, engine == DB_POSTGRES ? theirs.quoted : peer_table(peer));
        history_clear(&theirs);
        buf_append_format(&sql, "%s%s", names.count > 1 ? ", " : "", listings[engine].each);
        values[count++] = db_text(names.items[names.count - 1]);
    }
    buf_append_char(&sql, ')');
    return db_query(ours->db, sql.data, values, count, on_name, found, err);
}

static int refuse(const struct history *theirs, const struct peer *peer, struct error *err)
{
    error_set(err, ERROR_FAILED,
              "kedge's history is empty, but %s holds that of %s: what it has applied would be run "
              "again",
              theirs->table, peer_name(peer));
    return error_hint(err,
                      "take it over with kedge migrate import; --force runs every file all the "
                      "same");
}

static int check_table(const struct history *ours, const struct peer *peer, struct error *err)
{
    SCOPED(text_list) struct text_list columns = TEXT_LIST_INIT;
    SCOPED(peer_rows) struct peer_rows rows = PEER_ROWS_INIT;
    struct history theirs = HISTORY_INIT;
    history_init_beside(&theirs, ours, peer_table(peer));
    int result = history_columns(&theirs, &columns, err);
    if (result == 0 && columns.count && peer_fits(peer, &columns))
        result = peer_read(peer, ours->db, theirs.quoted, &rows, err);
    if (result == 0 && rows.count + rows.passed_over.count)
        result = refuse(&theirs, peer, err);
    history_clear(&theirs);
    return result;
}

int peer_beside_check(const struct history *ours, struct error *err)
{
    SCOPED(text_list) struct text_list found = TEXT_LIST_INIT;
    if (list_tables(ours, &found, err) < 0)
        return -1;
    for (const struct peer *peer = peer_next(NULL); found.count && peer; peer = peer_next(peer))
        if (is_looked_at(peer) && text_list_has(&found, peer_table(peer)) &&
            check_table(ours, peer, err) < 0)
            return -1;
    return 0;
}
