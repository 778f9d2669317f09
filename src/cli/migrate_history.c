/*
 * kedge migrate create, force, repair and baseline: files and the history, with nothing run.
 */
#include "cli/commands.h"
#include "cli/console.h"
#include "cli/migrate.h"
#include "migrate/create.h"
#include "service/settings.h"

#include <string.h>

int command_migrate_create(struct cli *cli, struct error *err)
{
    SCOPED(string) char *path = NULL;
    const char *name = settings_text(cli->settings, SETTING_MIGRATIONS_NAME);
    if (!name && cli->arguments.count)
        name = cli->arguments.items[0];
    /* goose: create NAME sql */
    if (cli->arguments.count == 2 && strcmp(cli->arguments.items[1], "sql") != 0) {
        error_set(err, ERROR_USAGE, "a migration has one name; \"%s\" is a second",
                  cli->arguments.items[1]);
        error_hint(err, "kedge migrate create --name=\"%s %s\"", cli->arguments.items[0],
                   cli->arguments.items[1]);
        return migrate_fail(cli, err);
    }
    if (!name) {
        error_set(err, ERROR_USAGE, "the migration needs a name");
        error_hint(err, "kedge migrate create --name=\"add user indexes\"");
        return migrate_fail(cli, err);
    }
    const char *folder = settings_text(cli->settings, SETTING_MIGRATIONS_PATH);
    if (migration_create(cli->os, folder, name, &path, err) < 0)
        return migrate_fail(cli, err);
    if (console_wants_json(cli)) {
        json_t *object = json_object();
        json_object_set_new(object, "path", json_string(path));
        console_json(object);
    } else {
        console_result("%s", path);
    }
    return 0;
}

/* "now": with --dry-run it only would be. */
static const char *tense(const struct cli *cli, const char *now, const char *would)
{
    return settings_bool(cli->settings, SETTING_DRY_RUN) ? would : now;
}

/* Begins an object for --json: whom the history names, and whether it was only tried. */
static json_t *marked_json(const struct cli *cli, struct migrate_door *door, const char *version)
{
    json_t *object = json_object();
    json_object_set_new(object, "version", json_string(version));
    json_object_set_new(object, "by", json_string(migrator_operator(door->migrator)));
    json_object_set_new(object, "dry_run",
                        json_boolean(settings_bool(cli->settings, SETTING_DRY_RUN)));
    return object;
}

static void show_forced(const struct cli *cli, struct migrate_door *door,
                        const struct marked *marked, const char *status)
{
    if (!console_wants_json(cli)) {
        console_result("%s: status %s %s %s, by %s; nothing was run", marked->version, marked->was,
                       tense(cli, "is now", "would become"), status,
                       migrator_operator(door->migrator));
        return;
    }
    json_t *object = marked_json(cli, door, marked->version);
    json_object_set_new(object, "status", json_string(status));
    json_object_set_new(object, "was", json_string(marked->was));
    console_json(object);
}

int command_migrate_force(struct cli *cli, struct error *err)
{
    SCOPED(migrate_door) struct migrate_door door = MIGRATE_DOOR_INIT;
    const char *version = cli->arguments.items[0];
    const char *name = settings_text(cli->settings, SETTING_MIGRATIONS_STATUS);
    enum history_status status = HISTORY_PENDING;
    SCOPED(marked) struct marked marked = MARKED_INIT;
    if (!name || !history_status_parse(name, &status)) {
        error_set(err, ERROR_USAGE, "force needs --status applied, pending, failed or rollback");
        return migrate_fail(cli, err);
    }
    if (migrate_door_open(&door, cli, false, err) < 0 ||
        migrator_force(door.migrator, version, status, &marked, err) < 0)
        return migrate_fail(cli, err);
    show_forced(cli, &door, &marked, name);
    return 0;
}

static int which_repair(struct cli *cli, enum repair *ret_repair, struct error *err)
{
    bool ran = settings_bool(cli->settings, SETTING_MIGRATIONS_RAN);
    bool not_run = settings_bool(cli->settings, SETTING_MIGRATIONS_NOT_RUN);
    bool from_start = settings_bool(cli->settings, SETTING_MIGRATIONS_FROM_START);
    if (ran + not_run + from_start > 1)
        return error_set(err, ERROR_USAGE, "--ran, --not-run and --from-start exclude each other");
    if ((ran || not_run || from_start) && !cli->arguments.count)
        return error_set(err, ERROR_USAGE, "which version?");
    *ret_repair = ran          ? REPAIR_RAN
                  : not_run    ? REPAIR_NOT_RUN
                  : from_start ? REPAIR_FROM_START
                               : REPAIR_CHECKSUM;
    return 0;
}

static void show_repaired_json(const struct cli *cli, struct migrate_door *door,
                               const struct repaired *repaired)
{
    json_t *object = marked_json(cli, door, repaired->version);
    if (repaired->next_statement) {
        json_object_set_new(object, "next_statement",
                            json_integer((json_int_t)repaired->next_statement));
    } else {
        json_object_set_new(object, "checksum", json_string(repaired->checksum));
        json_object_set_new(object, "was", json_string(repaired->was));
    }
    console_json(object);
}

static void show_repaired(const struct cli *cli, struct migrate_door *door,
                          const struct repaired *repaired)
{
    if (console_wants_json(cli)) {
        show_repaired_json(cli, door, repaired);
        return;
    }
    const char *would = tense(cli, "", "would repair ");
    const char *by = migrator_operator(door->migrator);
    if (repaired->next_statement)
        console_result("%s%s: the next run goes on at statement %zu, by %s", would,
                       repaired->version, repaired->next_statement, by);
    else
        console_result("%s%s: checksum %.12s... is now %.12s..., by %s", would, repaired->version,
                       repaired->was, repaired->checksum, by);
}

int command_migrate_repair(struct cli *cli, struct error *err)
{
    SCOPED(migrate_door) struct migrate_door door = MIGRATE_DOOR_INIT;
    SCOPED(repair_report) struct repair_report report = REPAIR_REPORT_INIT;
    enum repair repair = REPAIR_CHECKSUM;
    const char *version = cli->arguments.count ? cli->arguments.items[0] : NULL;
    if (which_repair(cli, &repair, err) < 0 || migrate_door_open(&door, cli, false, err) < 0 ||
        migrator_repair(door.migrator, version, repair, &report, err) < 0)
        return migrate_fail(cli, err);
    for (size_t i = 0; i < report.count; i++)
        show_repaired(cli, &door, &report.items[i]);
    if (!report.count && !console_wants_json(cli))
        console_result("nothing to repair");
    return 0;
}

static void show_baseline(const struct cli *cli, struct migrate_door *door,
                          const struct marked *marked)
{
    if (!console_wants_json(cli)) {
        console_result("%zu migration%s up to %s %s as applied, by %s; nothing was run",
                       marked->count, marked->count == 1 ? "" : "s", marked->version,
                       tense(cli, "marked", "would be marked"), migrator_operator(door->migrator));
        return;
    }
    json_t *object = marked_json(cli, door, marked->version);
    json_object_set_new(object, "status", json_string(history_status_name(HISTORY_APPLIED)));
    json_object_set_new(object, "marked", json_integer((json_int_t)marked->count));
    console_json(object);
}

int command_migrate_baseline(struct cli *cli, struct error *err)
{
    SCOPED(migrate_door) struct migrate_door door = MIGRATE_DOOR_INIT;
    const char *version = cli->arguments.items[0];
    SCOPED(marked) struct marked marked = MARKED_INIT;
    if (migrate_door_open(&door, cli, false, err) < 0 ||
        migrator_baseline(door.migrator, version, &marked, err) < 0)
        return migrate_fail(cli, err);
    show_baseline(cli, &door, &marked);
    return 0;
}
