#include "catalog/schema.h"

#include "base/error.h"
#include "base/mem.h"
#include "base/stop.h"
#include "base/text.h"
#include "catalog/dialect.h"
#include "catalog/embedded.h"
#include "catalog/foreign.h"
#include "catalog/state.h"
#include "db/db.h"
#include "migrate/execute.h"
#include "migrate/history_entry.h"
#include "migrate/migrator.h"
#include "migrate/plan.h"

#include <string.h>

#define MIGRATIONS_MAXIMUM 64

/* Ours for this engine; those that the database knows are struck off. */
struct missing {
    struct catalog *catalog;
    const char *versions[MIGRATIONS_MAXIMUM];
    size_t count, left;
};

static bool is_ours(const struct catalog *catalog, const struct embedded_migration *migration)
{
    return strcmp(migration->dialect, catalog->dialect->name) == 0;
}

static void list_all(struct catalog *catalog, struct missing *missing)
{
    *missing = (struct missing){.catalog = catalog};
    for (size_t i = 0; i < embedded_migration_count; i++)
        if (is_ours(catalog, &embedded_migrations[i]))
            missing->versions[missing->count++] = embedded_migrations[i].version;
    missing->versions[missing->count++] = FOREIGN_VERSION;
    missing->left = missing->count;
}

static int strike_off(void *context, const struct db_value *columns, size_t count,
                      struct error *err)
{
    struct missing *missing = context;
    const char *version = columns[0].type == DB_TEXT ? columns[0].text : "";
    (void)count;
    for (size_t i = 0; i < missing->count; i++) {
        if (!missing->versions[i] || strcmp(missing->versions[i], version) != 0)
            continue;
        missing->versions[i] = NULL;
        missing->left--;
        return 0;
    }
    error_set(err, ERROR_FAILED, "catalogue %s has schema %s, which this kedge (%s) does not know",
              missing->catalog->name, version, KEDGE_VERSION);
    return error_hint(err, "a newer kedge made it: use that one, or a newer one, here too");
}

/* What every start looks at: one query when all is well. */
static int find_missing(struct catalog *catalog, struct missing *missing, bool *ret_any,
                        struct error *err)
{
    int64_t exists = 0;
    list_all(catalog, missing);
    if (db_query_integer(catalog->db, catalog->dialect->history_exists, NULL, 0, &exists, err) < 0)
        return -1;
    *ret_any = exists != 0;
    if (!exists)
        return 0;
    if (dialect_enter(catalog->dialect, catalog->db, err) < 0)
        return -1;
    return db_query(catalog->db, "SELECT version FROM schema_migrations WHERE status = 'applied'",
                    NULL, 0, strike_off, missing, err);
}

static int register_all(struct catalog *catalog, struct migrator *migrator, struct error *err)
{
    for (size_t i = 0; i < embedded_migration_count; i++) {
        const struct embedded_migration *ours = &embedded_migrations[i];
        if (is_ours(catalog, ours) && migrator_register_sql(migrator, ours->version, ours->name,
                                                            ours->up, ours->down, err) < 0)
            return -1;
    }
    return migrator_register(migrator, FOREIGN_VERSION, FOREIGN_NAME, FOREIGN_NAME,
                             foreign_take_over, NULL, catalog, err);
}

static int run_migrator(struct catalog *catalog, struct error *err)
{
    const struct migrator_options options = {0};
    struct migrator *migrator = NULL;
    if (migrator_open(catalog->db, &options, &migrator, err) < 0)
        return -1;
    int result = register_all(catalog, migrator, err);
    if (result == 0)
        result = migrator_up(migrator, NULL, NULL, err);
    migrator_close(migrator);
    return result;
}

int schema_complete(struct catalog *catalog, bool *ret_any, struct error *err)
{
    struct missing missing;
    bool any = false;
    if (find_missing(catalog, &missing, &any, err) < 0)
        return -1;
    if (ret_any)
        *ret_any = any;
    return missing.left == 0 ? 1 : 0;
}

int schema_update(struct catalog *catalog, struct error *err)
{
    int complete = schema_complete(catalog, NULL, err);
    if (complete)
        return complete < 0 ? -1 : 0;
    if (dialect_create(catalog->dialect, catalog->db, err) < 0 ||
        dialect_enter(catalog->dialect, catalog->db, err) < 0 || run_migrator(catalog, err) < 0)
        return error_prefix(err, "catalogue %s", catalog->name);
    return 0;
}

/* ---- within a transaction ---- */

static int apply_step(const struct run *run, const struct migrate_step *step, struct error *err)
{
    const struct migration *migration = step->migration;
    const struct migration_part *part = &migration->parts[MIGRATE_UP];
    for (size_t i = 0; i < part->count; i++)
        if (execute_statement(run->db, step, i, err) < 0)
            return -1;
    if (migration->functions[MIGRATE_UP] &&
        migration->functions[MIGRATE_UP](run->db, migration->context, err) < 0)
        return -1;
    struct history_entry entry = execute_entry(run, step);
    SCOPED(buf) struct buf source = BUF_INIT;
    execute_entry_source(step, &source, &entry);
    entry.status = HISTORY_APPLIED;
    entry.applied_now = true;
    entry.statements_done = entry.statements_total;
    return history_write(run->history, &entry, err);
}

static int apply_plan(struct catalog *catalog, struct migrator *migrator, struct history *history,
                      struct error *err)
{
    const struct migrate_request request = {.kind = MIGRATE_PLAN_UP};
    const struct run run = {.db = catalog->db, .history = history, .batch = 1, .by = "kedge"};
    SCOPED(migrate_plan) struct migrate_plan plan = MIGRATE_PLAN_INIT;
    if (migrator_plan(migrator, &request, &plan, err) < 0 || history_create(history, err) < 0)
        return -1;
    for (size_t i = 0; i < plan.count; i++)
        if (stop_check(err) < 0 || apply_step(&run, &plan.items[i], err) < 0)
            return -1;
    return 0;
}

int schema_apply_within(struct catalog *catalog, struct error *err)
{
    const struct migrator_options options = {0};
    struct migrator *migrator = NULL;
    struct history history = HISTORY_INIT;
    if (dialect_create(catalog->dialect, catalog->db, err) < 0 ||
        dialect_enter(catalog->dialect, catalog->db, err) < 0 ||
        migrator_open(catalog->db, &options, &migrator, err) < 0)
        return -1;
    history_init(&history, catalog->db, NULL);
    int result = register_all(catalog, migrator, err);
    if (result == 0)
        result = apply_plan(catalog, migrator, &history, err);
    history_clear(&history);
    migrator_close(migrator);
    return result;
}

/* ---- what there should be ---- */

#define NAME_MAXIMUM 64

/* The word at `text`, without quotes around it. */
static void take_word(const char *text, char ret_word[static NAME_MAXIMUM])
{
    if (*text == '"')
        text++;
    size_t length = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_");
    if (length >= NAME_MAXIMUM)
        length = NAME_MAXIMUM - 1;
    memcpy(ret_word, text, length);
    ret_word[length] = '\0';
}

/* One file. Its form is ours: a column begins each line that is indented by four blanks, and only
 * words of SQL are written in capitals. */
static int each_column_of(const char *text, schema_column_fn *visit, void *context,
                          struct error *err)
{
    char table[NAME_MAXIMUM] = "";
    for (; text; text = strchr(text, '\n'), text = text ? text + 1 : NULL) {
        char column[NAME_MAXIMUM] = "";
        if (text_starts(text, "CREATE TABLE IF NOT EXISTS "))
            take_word(text + strlen("CREATE TABLE IF NOT EXISTS "), table);
        else if (text_starts(text, "CREATE TABLE "))
            take_word(text + strlen("CREATE TABLE "), table);
        else if (text[0] == ')')
            table[0] = '\0';
        else if (table[0] && text_starts(text, "    "))
            take_word(text + 4, column);
        int answer = column[0] ? visit(context, table, column, err) : 0;
        if (answer)
            return answer;
    }
    return 0;
}

int schema_each_column(const struct catalog *catalog, schema_column_fn *visit, void *context,
                       struct error *err)
{
    for (size_t i = 0; i < embedded_migration_count; i++) {
        if (strcmp(embedded_migrations[i].dialect, catalog->dialect->name) != 0)
            continue;
        int answer = each_column_of(embedded_migrations[i].up, visit, context, err);
        if (answer)
            return answer;
    }
    return 0;
}
