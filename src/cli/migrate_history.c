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

int command_migrate_force(struct cli *cli, struct error *err)
{
    SCOPED(migrate_door) struct migrate_door door = MIGRATE_DOOR_INIT;
    const char *version = cli->arguments.items[0];
    const char *name = settings_text(cli->settings, SETTING_MIGRATIONS_STATUS);
    enum history_status status = HISTORY_PENDING;
    const char *old = NULL;
    if (!name || !history_status_parse(name, &status)) {
        error_set(err, ERROR_USAGE, "force needs --status applied, pending, failed or rollback");
        return migrate_fail(cli, err);
    }
    if (migrate_door_open(&door, cli, false, err) < 0 ||
        migrator_force(door.migrator, version, status, &old, err) < 0)
        return migrate_fail(cli, err);
    console_result("%s: status %s %s %s, by %s; nothing was run", version, old,
                   tense(cli, "is now", "would become"), name, migrator_operator(door.migrator));
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

int command_migrate_repair(struct cli *cli, struct error *err)
{
    SCOPED(migrate_door) struct migrate_door door = MIGRATE_DOOR_INIT;
    SCOPED(text_list) struct text_list report = TEXT_LIST_INIT;
    enum repair repair = REPAIR_CHECKSUM;
    const char *version = cli->arguments.count ? cli->arguments.items[0] : NULL;
    if (which_repair(cli, &repair, err) < 0 || migrate_door_open(&door, cli, false, err) < 0 ||
        migrator_repair(door.migrator, version, repair, &report, err) < 0)
        return migrate_fail(cli, err);
    for (size_t i = 0; i < report.count; i++)
        console_result("%s%s, by %s", tense(cli, "", "would repair "), report.items[i],
                       migrator_operator(door.migrator));
    if (!report.count)
        console_result("nothing to repair");
    return 0;
}

int command_migrate_baseline(struct cli *cli, struct error *err)
{
    SCOPED(migrate_door) struct migrate_door door = MIGRATE_DOOR_INIT;
    const char *version = cli->arguments.items[0];
    size_t count = 0;
    if (migrate_door_open(&door, cli, false, err) < 0 ||
        migrator_baseline(door.migrator, version, &count, err) < 0)
        return migrate_fail(cli, err);
    console_result("%zu migration%s up to %s %s as applied, by %s; nothing was run", count,
                   count == 1 ? "" : "s", version, tense(cli, "marked", "would be marked"),
                   migrator_operator(door.migrator));
    return 0;
}
