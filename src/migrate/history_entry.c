#include "migrate/history_entry.h"

#include "base/error.h"
#include "base/moment.h"
#include "migrate/history.h"

#include <stdio.h>
#include <string.h>

static struct db_value number(int64_t value)
{
    return value < 0 ? DB_VALUE_NULL : db_integer(value);
}

/* A moment as each engine takes it. */
static void moment_text(const struct history *history, int64_t moment_ns, char ret_text[static 40])
{
    char iso[32];
    moment_format_iso(moment_ns, iso);
    snprintf(ret_text, 40, "%s", iso);
    if (history->db->ops->engine != DB_MYSQL)
        return;
    ret_text[strcspn(ret_text, "Z")] = '\0';
    char *separator = strchr(ret_text, 'T');
    if (separator)
        *separator = ' ';
}

/* Servers want to be told that a parameter is a moment. */
static const char *moment_parameter(const struct history *history)
{
    return history->db->ops->engine == DB_POSTGRES ? "CAST(? AS TIMESTAMPTZ)" : "?";
}

struct assignment {
    const char *column;
    struct db_value value;
    bool moment;
};

/* Their texts live in `statement`. */
static size_t assignments_of(const struct history *history, const struct history_entry *entry,
                             struct history_statement *statement, struct assignment *items)
{
    const char *now = statement->now;
    const char *applied_at = entry->applied_unknown ? NULL : statement->applied;
    moment_text(history, entry->now_ns, statement->now);
    moment_text(history, entry->applied_ns ? entry->applied_ns : entry->now_ns, statement->applied);
    const struct assignment all[] = {
        {"name", db_text(entry->name ? entry->name : ""), false},
        {"description", db_text(entry->description), false},
        {"status", db_text(history_status_name(entry->status)), false},
        {"batch", entry->batch ? db_integer(entry->batch) : DB_VALUE_NULL, false},
        {"checksum", db_text(entry->checksum && *entry->checksum ? entry->checksum : NULL), false},
        {"execution_time_ms", number(entry->execution_time_ms), false},
        {"statements_total", number(entry->statements_total), false},
        {"statements_done", number(entry->statements_done), false},
        {"progress", db_text(entry->progress), false},
        {"source", db_text(entry->source), false},
        {"applied_by", db_text(entry->applied_by), false},
        {"applied_from", db_text(entry->applied_from), false},
        {"backup_id", db_text(entry->backup_id), false},
        {"error_message", db_text(entry->error_message), false},
        {"updated_at", db_text(now), true},
        {"applied_at", db_text(applied_at), true},
        {"rolled_back_at", db_text(now), true},
    };
    size_t count = 0;
    for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
        bool applied = strcmp(all[i].column, "applied_at") == 0;
        bool rolled_back = strcmp(all[i].column, "rolled_back_at") == 0;
        bool batch = strcmp(all[i].column, "batch") == 0;
        if ((applied && !entry->applied_now && !entry->applied_unknown) ||
            (rolled_back && !entry->rolled_back_now) || (batch && entry->keep_batch))
            continue;
        items[count++] = all[i];
    }
    return count;
}

static void append_update(const struct history *history, const char *version,
                          const struct assignment *items, size_t count,
                          struct history_statement *statement)
{
    buf_append_format(&statement->sql, "UPDATE %s SET ", history->quoted);
    for (size_t i = 0; i < count; i++) {
        buf_append_format(&statement->sql, "%s%s = %s", i ? ", " : "", items[i].column,
                          items[i].moment ? moment_parameter(history) : "?");
        statement->values[i] = items[i].value;
    }
    buf_append_text(&statement->sql, " WHERE version = ?");
    statement->values[count] = db_text(version);
    statement->count = count + 1;
}

void history_update_statement(const struct history *history, const struct history_entry *entry,
                              struct history_statement *ret_statement)
{
    struct assignment items[20];
    *ret_statement = (struct history_statement){.sql = BUF_INIT};
    size_t count = assignments_of(history, entry, ret_statement, items);
    append_update(history, entry->version, items, count, ret_statement);
}

void history_insert_statement(const struct history *history, const struct history_entry *entry,
                              struct history_statement *ret_statement)
{
    struct assignment items[20];
    SCOPED(buf) struct buf places = BUF_INIT;
    *ret_statement = (struct history_statement){.sql = BUF_INIT};
    size_t count = assignments_of(history, entry, ret_statement, items);
    struct buf *sql = &ret_statement->sql;
    buf_append_format(sql, "INSERT INTO %s (version, created_at", history->quoted);
    buf_append_format(&places, "?, %s", moment_parameter(history));
    ret_statement->values[0] = db_text(entry->version);
    ret_statement->values[1] = db_text(ret_statement->now);
    for (size_t i = 0; i < count; i++) {
        buf_append_format(sql, ", %s", items[i].column);
        buf_append_format(&places, ", %s", items[i].moment ? moment_parameter(history) : "?");
        ret_statement->values[i + 2] = items[i].value;
    }
    buf_append_format(sql, ") VALUES (%s)", places.data);
    ret_statement->count = count + 2;
}

void history_statement_clear(struct history_statement *statement)
{
    buf_clear(&statement->sql);
}

static int execute(struct history *history, struct history_statement *statement, struct error *err)
{
    int result = db_execute(history->db, statement->sql.data, statement->values, statement->count,
                            NULL, err);
    history_statement_clear(statement);
    return result;
}

int history_insert(struct history *history, const struct history_entry *entry, struct error *err)
{
    struct history_statement statement;
    history_insert_statement(history, entry, &statement);
    return execute(history, &statement, err);
}

int history_update(struct history *history, const struct history_entry *entry, struct error *err)
{
    struct history_statement statement;
    history_update_statement(history, entry, &statement);
    return execute(history, &statement, err);
}

int history_write(struct history *history, const struct history_entry *entry, struct error *err)
{
    struct history_row row = {0};
    int there = history_read_one(history, entry->version, &row, err);
    history_row_clear(&row);
    if (there < 0)
        return -1;
    return there ? history_update(history, entry, err) : history_insert(history, entry, err);
}

static int update(struct history *history, const char *version, const struct assignment *items,
                  size_t count, struct error *err)
{
    struct history_statement statement = {.sql = BUF_INIT};
    append_update(history, version, items, count, &statement);
    return execute(history, &statement, err);
}

int history_progress(struct history *history, const char *version, int64_t statements_done,
                     const char *progress, struct error *err)
{
    const struct assignment items[] = {
        {"statements_done", number(statements_done), false},
        {"progress", db_text(progress), false},
    };
    return update(history, version, items, ARRAY_SIZE(items), err);
}

int history_finish(struct history *history, const struct history_entry *entry, struct error *err)
{
    char now[40];
    moment_text(history, entry->now_ns, now);
    const struct assignment items[] = {
        {"status", db_text(history_status_name(entry->status)), false},
        {"execution_time_ms", number(entry->execution_time_ms), false},
        {"statements_done", number(entry->statements_done), false},
        {"progress", DB_VALUE_NULL, false},
        {"source", db_text(entry->source), false},
        {"updated_at", db_text(now), true},
        {entry->applied_now ? "applied_at" : "rolled_back_at", db_text(now), true},
    };
    return update(history, entry->version, items, ARRAY_SIZE(items), err);
}

int history_time(struct history *history, const char *version, int64_t execution_time_ms,
                 struct error *err)
{
    const struct assignment item = {"execution_time_ms", number(execution_time_ms), false};
    return update(history, version, &item, 1, err);
}
