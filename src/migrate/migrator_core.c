#include "migrate/migrator_core.h"

#include "base/error.h"
#include "base/os.h"
#include "migrate/file.h"
#include "migrate/folder.h"
#include "migrate/folder_reading.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WAIT_MS 60000
#define LOCK_TIMEOUT_MS 5000

/* ---- opening ---- */

/* "ada", and "web1 (pid 4711)". Asked for when something is written: the names of users may be in
 * some directory on the network. */
void migrator_name_operator(struct migrator *migrator)
{
    if (migrator->by)
        return;
    char host[256] = "";
    struct os *os = migrator->db->os;
    struct passwd entry;
    struct passwd *found = NULL;
    char memory[1024];
    gethostname(host, sizeof host - 1);
    migrator->from = mem_format("%s (pid %d)", host, (int)os->getpid(os));
    if (migrator->options.by)
        migrator->by = mem_string(migrator->options.by);
    else if (getpwuid_r(getuid(), &entry, memory, sizeof memory, &found) == 0 && found)
        migrator->by = mem_string(found->pw_name);
    else
        migrator->by = mem_format("user %d", (int)getuid());
}

/* A failure is told when the history is asked for. */
static void read_ahead(struct migrator *migrator)
{
    struct error ignored = ERROR_INIT;
    migrator->has_ahead = history_load(&migrator->history, &migrator->ahead, &ignored) == 0;
    if (!migrator->has_ahead)
        history_rows_clear(&migrator->ahead);
}

static int read_folder(struct migrator *migrator, struct error *err)
{
    const struct migrator_options *options = &migrator->options;
    if (!options->folder)
        return 0;
    if (!options->reading)
        return migration_folder_read(options->folder, &migrator->set, &migrator->warnings, err);
    read_ahead(migrator);
    return folder_reading_finish(options->reading, &migrator->set, &migrator->warnings, err);
}

int migrator_open(struct db *db, const struct migrator_options *options,
                  struct migrator **ret_migrator, struct error *err)
{
    SCOPED(migrator) struct migrator *migrator = MEM_NEW(struct migrator);
    migrator->db = db;
    migrator->options = *options;
    if (!migrator->options.wait_ms)
        migrator->options.wait_ms = WAIT_MS;
    if (!migrator->options.lock_timeout_ms)
        migrator->options.lock_timeout_ms = LOCK_TIMEOUT_MS;
    history_init(&migrator->history, db, options->history_table);
    if (read_folder(migrator, err) < 0)
        return -1;
    *ret_migrator = STEAL(migrator);
    return 0;
}

void migrator_close(struct migrator *migrator)
{
    if (!migrator)
        return;
    history_clear(&migrator->history);
    migration_set_clear(&migrator->set);
    text_list_clear(&migrator->warnings);
    history_rows_clear(&migrator->ahead);
    free(migrator->by);
    free(migrator->from);
    free(migrator);
}

const char *migrator_operator(struct migrator *migrator)
{
    migrator_name_operator(migrator);
    return migrator->by;
}

const struct text_list *migrator_warnings(struct migrator *migrator)
{
    return &migrator->warnings;
}

/* ---- registering ---- */

static int read_registered(struct migrator *migrator, struct migration *migration,
                           enum direction direction, const char *sql, struct error *err)
{
    SCOPED(string)
    char *place = mem_format("%s_%s.%s", migration->version, migration->name,
                             direction == MIGRATE_UP ? "up" : "down");
    const struct migration_text text = {
        .text = sql,
        .size = strlen(sql),
        .path = place,
        .dialect = migrator->db->ops->engine,
        .syntax = SYNTAX_PLAIN,
        .direction = direction,
    };
    return migration_read(migration, &text, err);
}

static void add(struct migrator *migrator, struct migration *migration)
{
    migration_set_give(&migrator->set, migration);
    migrator->sorted = false;
}

int migrator_register_sql(struct migrator *migrator, const char *version, const char *name,
                          const char *up, const char *down, struct error *err)
{
    SCOPED(migration) struct migration *migration = migration_new(version, name);
    if (read_registered(migrator, migration, MIGRATE_UP, up, err) < 0 ||
        (down && read_registered(migrator, migration, MIGRATE_DOWN, down, err) < 0))
        return -1;
    add(migrator, STEAL(migration));
    return 0;
}

int migrator_register(struct migrator *migrator, const char *version, const char *name,
                      const char *tag, migration_fn *up, migration_fn *down, void *context,
                      struct error *err)
{
    if (!up)
        return error_set(err, ERROR_USAGE, "registered migration %s has no function for up",
                         version);
    struct migration *migration = migration_new(version, name);
    migration->functions[MIGRATE_UP] = up;
    migration->functions[MIGRATE_DOWN] = down;
    migration->context = context;
    if (tag) {
        uint8_t digest[SHA256_SIZE];
        sha256_of(tag, strlen(tag), digest);
        text_hex(digest, sizeof digest, migration->checksum);
    }
    add(migrator, migration);
    return 0;
}

/* ---- what the parts share ---- */

int migrator_sort(struct migrator *migrator, struct error *err)
{
    if (!migrator->sorted && migration_set_sort(&migrator->set, err) < 0)
        return -1;
    migrator->sorted = true;
    return 0;
}

int migrator_prepare(struct migrator *migrator, struct error *err)
{
    if (migrator_sort(migrator, err) < 0)
        return -1;
    return history_find(&migrator->history, err) < 0 ? -1 : 0;
}

int migrator_look(struct migrator *migrator, struct history_rows *rows, struct error *err)
{
    if (!migrator->has_ahead)
        return migrator_sort(migrator, err) < 0 ? -1 : history_load(&migrator->history, rows, err);
    migrator->has_ahead = false;
    *rows = migrator->ahead;
    migrator->ahead = HISTORY_ROWS_INIT;
    return migrator_sort(migrator, err);
}

void migrator_notify(struct migrator *migrator, enum migrate_event_kind kind,
                     const struct migrate_step *step, const char *text, int64_t duration_ms)
{
    const struct migrate_event event = {kind, step, text, duration_ms};
    if (migrator->options.notify)
        migrator->options.notify(migrator->options.context, &event);
}

static void on_wait(void *context, const char *holder)
{
    migrator_notify(context, MIGRATE_WAITING, NULL, holder, 0);
}

int migrator_take_lock(struct migrator *migrator, struct migrate_lock *lock, struct error *err)
{
    const struct migrate_lock_options options = {
        .name = migrator->history.table,
        .wait_ms = migrator->options.wait_ms,
        .on_wait = on_wait,
        .context = migrator,
    };
    return migrate_lock_take(lock, migrator->db, &options, err);
}

struct run migrator_run_of(struct migrator *migrator, int64_t batch)
{
    migrator_name_operator(migrator);
    return (struct run){
        .db = migrator->db,
        .history = &migrator->history,
        .batch = batch,
        .lock_timeout_ms = migrator->options.lock_timeout_ms,
        .wait_ms = migrator->options.wait_ms,
        .owns_session = migrator->options.owns_session,
        .by = migrator->by,
        .from = migrator->from,
        .backup_id = migrator->backup_id[0] ? migrator->backup_id : migrator->options.backup_id,
    };
}

int migrator_create_history(struct migrator *migrator, struct error *err)
{
    const struct run run = migrator_run_of(migrator, 0);
    struct error ignored = ERROR_INIT;
    if (migrator->history.exists)
        return 0;
    if (execute_begin(&run, err) < 0)
        return -1;
    if (history_create(&migrator->history, err) == 0 && db_commit(migrator->db, err) == 0)
        return 0;
    migrator->history.exists = false;
    db_rollback(migrator->db, &ignored);
    return -1;
}
