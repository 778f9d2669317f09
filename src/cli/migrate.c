#include "cli/migrate.h"

#include "base/file.h"
#include "base/log.h"
#include "base/os.h"
#include "cli/commands.h"
#include "cli/console.h"
#include "db/db.h"
#include "migrate/folder_reading.h"
#include "service/migration_backup.h"
#include "service/settings.h"
#include "service/setup.h"
#include "service/target.h"

#include <stdlib.h>
#include <string.h>

char *migrate_title(const char *name)
{
    char *title = mem_string(name ? name : "");
    for (char *c = title; *c; c++)
        if (*c == '_')
            *c = ' ';
    return title;
}

/* ---- opening ---- */

/* It may be a URL with a password. */
static void name_target(struct migrate_door *door, const char *target)
{
    if (door->target)
        mem_wipe(door->target, strlen(door->target));
    free(door->target);
    door->target = target ? mem_string(target) : NULL;
}

/* A bare word that nothing has as its name is a mistyped target, not a SQLite file to be made. */
static int check_bare_word(struct os *os, const char *name, struct error *err)
{
    struct stat info;
    if (strpbrk(name, ":/."))
        return 0;
    int there = file_stat(os, name, &info, err);
    if (there != 0)
        return there < 0 ? -1 : 0;
    SCOPED(db_url) struct db_url url = DB_URL_INIT;
    if (db_url_parse(name, &url, err) < 0) /* it may hold a password */
        return -1;
    error_set(err, ERROR_USAGE, "no target named %s", name);
    return error_hint(err, "targets are named in kedge.yaml; sqlite:%s makes a SQLite file", name);
}

/* NULL where a database was said more loudly: DATABASE_URL wins over the file's target. */
static const char *named_target(const struct settings *settings)
{
    enum setting_origin target = settings_origin(settings, SETTING_MIGRATIONS_TARGET, NULL);
    bool louder = settings_origin(settings, SETTING_DATABASE_URL, NULL) > target ||
                  settings_origin(settings, SETTING_DATABASE, NULL) > target;
    return louder ? NULL : settings_text(settings, SETTING_MIGRATIONS_TARGET);
}

/* The configured target, the URL given, or what DATABASE_URL says. */
static int find_database(struct migrate_door *door, struct db_url *ret_url, struct error *err)
{
    struct cli *cli = door->cli;
    SCOPED(setup) struct setup *setup = NULL;
    const char *name = named_target(cli->settings);
    if (setup_make(cli->os, cli->settings, true, &setup, err) < 0)
        return -1;
    if (name && setup_check_target(setup, name, err) < 0)
        return -1;
    const struct target *target = name ? setup_target(setup, name) : NULL;
    door->configured = target != NULL;
    if (target && target->has_database) {
        name_target(door, name);
        return db_url_copy(&target->url, ret_url);
    }
    if (target)
        return error_set(err, ERROR_USAGE, "the target %s has no database", name);
    if (name && check_bare_word(cli->os, name, err) < 0)
        return -1;
    const char *text = name ? name : setup_options(setup)->default_target;
    if (text) {
        name_target(door, text);
        return db_url_parse(text, ret_url, err);
    }
    error_set(err, ERROR_USAGE, "which database?");
    return error_hint(err, "set DATABASE_URL, or name one with --target URL");
}

int migrate_find_database(struct cli *cli, struct db_url *ret_url, struct error *err)
{
    SCOPED(migrate_door) struct migrate_door door = MIGRATE_DOOR_INIT;
    door.cli = cli;
    return find_database(&door, ret_url, err);
}

/* Looking at a SQLite file that is not there shows what an empty one would. */
static int open_database(struct migrate_door *door, struct db_url *url, bool looking,
                         struct error *err)
{
    const struct db_options options = {
        .os = door->cli->os,
        .create = !looking,
        .application = "kedge migrate",
    };
    if (db_open(url, &options, &door->db, err) == 0)
        return 0;
    if (!looking || url->engine != DB_SQLITE || err->code != ERROR_NOT_FOUND)
        return -1;
    error_clear(err);
    const struct db_options memory = {.os = door->cli->os, .create = true};
    const struct db_url nowhere = {.engine = DB_SQLITE, .database = (char[]){":memory:"}};
    return db_open(&nowhere, &memory, &door->db, err);
}

json_t *migrate_step_json(const struct migrate_step *step)
{
    json_t *object = json_object();
    json_object_set_new(object, "version", json_string(step->migration->version));
    json_object_set_new(object, "name", json_string(step->migration->name));
    json_object_set_new(object, "direction",
                        json_string(step->direction == MIGRATE_UP ? "up" : "down"));
    return object;
}

static void show_finished(struct cli *cli, const struct migrate_event *event)
{
    const struct migrate_step *step = event->step;
    log_debug("migration %s %s %s (%lld ms)", step->migration->version, step->migration->name,
              step->direction == MIGRATE_UP ? "applied" : "undone", (long long)event->duration_ms);
    if (console_wants_json(cli)) {
        json_t *object = migrate_step_json(step);
        json_object_set_new(object, "execution_time_ms", json_integer(event->duration_ms));
        console_json(object);
        return;
    }
    char duration[32];
    SCOPED(string) char *title = migrate_title(step->migration->name);
    text_format_duration(event->duration_ms, duration);
    console_result("%s %s %s (%s)", step->direction == MIGRATE_UP ? "applied" : "undone",
                   step->migration->version, title, duration);
}

/* A template that nobody has filled in yet looks like this. */
static bool does_nothing(const struct migrate_step *step)
{
    const struct migration *migration = step->migration;
    return step->direction == MIGRATE_UP && !migration->functions[MIGRATE_UP] &&
           !migration->parts[MIGRATE_UP].count;
}

static void on_event(void *context, const struct migrate_event *event)
{
    struct cli *cli = context;
    switch (event->kind) {
    case MIGRATE_WAITING:
        console_note(cli, "waiting for the migration lock, held by %s", event->text);
        break;
    case MIGRATE_STARTING:
        if (event->step->late)
            console_warning("%s is older than migrations that are applied already; it is applied "
                            "now",
                            event->step->migration->version);
        if (does_nothing(event->step))
            console_warning("%s has no statement: it is applied as it is, and what is written into "
                            "it later is not run",
                            event->step->migration->version);
        break;
    case MIGRATE_FINISHED:
        show_finished(cli, event);
        break;
    case MIGRATE_SKIPPED:
        console_note(cli, "%s was done by another process", event->step->migration->version);
        break;
    case MIGRATE_WARNING:
        console_warning("%s", event->text);
        break;
    }
}

static int find_checked(struct migrate_door *door, struct db_url *ret_url, struct error *err)
{
    if (find_database(door, ret_url, err) < 0)
        return -1;
    return door->backed_up ? migration_backup_check(ret_url->engine, err) : 0;
}

struct migration_folder migrate_folder(const struct cli *cli, enum db_engine dialect)
{
    return (struct migration_folder){
        .os = cli->os,
        .path = settings_text(cli->settings, SETTING_MIGRATIONS_PATH),
        .dialect = dialect,
        .placeholders = settings_list(cli->settings, SETTING_MIGRATIONS_PLACEHOLDER),
        .keep_placeholders = settings_bool(cli->settings, SETTING_MIGRATIONS_NO_PLACEHOLDERS),
    };
}

/* The folder is read while the server answers. */
static int open_beside(struct migrate_door *door, struct db_url *url, bool looking,
                       const struct migrator_options *options, struct error *err)
{
    door->folder = migrate_folder(door->cli, url->engine);
    SCOPED(folder_reading) struct folder_reading *reading = folder_reading_start(&door->folder);
    struct migrator_options reading_already = *options;
    reading_already.folder = &door->folder;
    reading_already.reading = reading;
    if (open_database(door, url, looking, err) < 0)
        return -1;
    return migrator_open(door->db, &reading_already, &door->migrator, err);
}

int migrate_door_open(struct migrate_door *door, struct cli *cli, bool looking, struct error *err)
{
    SCOPED(db_url) struct db_url url = DB_URL_INIT;
    door->cli = cli;
    looking |= settings_bool(cli->settings, SETTING_DRY_RUN);
    const struct migrator_options options = {
        .history_table = settings_text(cli->settings, SETTING_MIGRATIONS_TABLE),
        .wait_ms = settings_integer(cli->settings, SETTING_MIGRATIONS_WAIT),
        .lock_timeout_ms = settings_integer(cli->settings, SETTING_MIGRATIONS_LOCK_TIMEOUT),
        .owns_session = true,
        .heeds_peers = door->applies && !settings_bool(cli->settings, SETTING_MIGRATIONS_FORCE),
        .dry_run = settings_bool(cli->settings, SETTING_DRY_RUN),
        .notify = on_event,
        .context = cli,
        .before = door->before,
        .before_context = door->before_context,
    };
    if (find_checked(door, &url, err) < 0 || open_beside(door, &url, looking, &options, err) < 0)
        return -1;
    const struct text_list *warnings = migrator_warnings(door->migrator);
    for (size_t i = 0; i < warnings->count; i++)
        console_warning("%s", warnings->items[i]);
    return 0;
}

int migrate_door_check(struct migrate_door *door, struct error *err)
{
    SCOPED(db_url) struct db_url url = DB_URL_INIT;
    return find_checked(door, &url, err);
}

void migrate_door_disconnect(struct migrate_door *door)
{
    migrator_close(door->migrator);
    db_close(door->db);
    door->migrator = NULL;
    door->db = NULL;
}

/* The command is over. */
void migrate_door_close(struct migrate_door *door)
{
    if (MEM_LEFT_AT_THE_END)
        db_leave(door->db);
    else
        migrate_door_disconnect(door);
    name_target(door, NULL);
    *door = MIGRATE_DOOR_INIT;
}

/* ---- failing ---- */

int migrate_fail(struct cli *cli, const struct error *err)
{
    console_error(cli, err);
    log_debug("migrate failed: %s", err->message);
    switch (err->code) {
    case ERROR_USAGE:
        return 2;
    case ERROR_CORRUPT:
        return 4;
    case ERROR_LOCKED:
        return 5;
    case ERROR_STRANDED:
        return 6;
    case ERROR_DECLINED:
        return 7;
    case ERROR_INTERRUPTED:
        return error_exit_status(ERROR_INTERRUPTED);
    default:
        return 1;
    }
}

/* The difference that made a checksum another, below the error. */
static void show_difference(struct migrate_door *door, const struct error *err)
{
    static const char prefix[] = "Migration checksum mismatch for version ";
    struct error ignored = ERROR_INIT;
    SCOPED(buf) struct buf text = BUF_INIT;
    if (err->code != ERROR_CORRUPT || !text_starts(err->message, prefix) || !door->migrator)
        return;
    const char *start = err->message + strlen(prefix);
    SCOPED(string) char *version = mem_string_n(start, strcspn(start, ":"));
    if (migrator_difference(door->migrator, version, &text, &ignored) < 0 || !text.length)
        return;
    for (char *rest = text.data, *line = strsep(&rest, "\n"); line; line = strsep(&rest, "\n"))
        if (*line)
            console_message("  %s", line);
}

int migrate_door_fail(struct migrate_door *door, const struct error *err)
{
    int status = migrate_fail(door->cli, err);
    show_difference(door, err);
    return status;
}
