/*
 * kedge migrate up, down, reset, refresh and redo.
 */
#include "cli/commands.h"
#include "cli/confirm.h"
#include "cli/console.h"
#include "cli/migrate.h"
#include "cli/migrate_backup.h"
#include "service/settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* More than one at once, or all, is asked about. */
static int confirm(struct migrate_door *door, const struct migrate_request *request, bool always,
                   struct error *err)
{
    SCOPED(migrate_plan) struct migrate_plan plan = MIGRATE_PLAN_INIT;
    if (settings_bool(door->cli->settings, SETTING_DRY_RUN))
        return 0;
    if (migrator_plan(door->migrator, request, &plan, err) < 0)
        return -1;
    if (plan.count == 0 || (plan.count == 1 && !always) || confirm_is_forced(door->cli))
        return 0;
    for (size_t i = 0; i < plan.count; i++) {
        SCOPED(string) char *title = migrate_title(plan.items[i].migration->name);
        console_message("  %s %s", plan.items[i].migration->version, title);
    }
    SCOPED(string)
    char *what = mem_format("undoing %zu migration%s", plan.count, plan.count == 1 ? "" : "s");
    SCOPED(string)
    char *question = mem_format("Undo %s, with the data in what they made? (yes/no) [no]:",
                                plan.count == 1 ? "this migration" : "these migrations");
    return confirm_ask(door->cli, what, question, err);
}

static void show_step(const struct migrate_door *door, const struct migrate_step *step)
{
    SCOPED(string) char *title = migrate_title(step->migration->name);
    if (console_wants_json(door->cli))
        console_json(migrate_step_json(step));
    else
        console_result("would %s %s %s", step->direction == MIGRATE_UP ? "apply" : "undo",
                       step->migration->version, title);
}

/* --dry-run: what would be run. */
static int show_plan(struct migrate_door *door, const struct migrate_request *request,
                     size_t *count, struct error *err)
{
    SCOPED(migrate_plan) struct migrate_plan plan = MIGRATE_PLAN_INIT;
    if (migrator_plan(door->migrator, request, &plan, err) < 0)
        return -1;
    for (size_t i = 0; i < plan.count; i++)
        show_step(door, &plan.items[i]);
    *count = plan.count;
    return 0;
}

static int compare_steps(const void *a, const void *b)
{
    const struct migrate_step *left = a;
    const struct migrate_step *right = b;
    return migration_version_compare(left->migration->version, right->migration->version);
}

/* --dry-run of what undoes and applies again: the history still says that there is nothing to
 * apply, so what is undone is added to what is `pending`. */
static int show_again(struct migrate_door *door, const struct migrate_request *down,
                      const struct migrate_request *pending, const char *nothing, struct error *err)
{
    SCOPED(migrate_plan) struct migrate_plan undone = MIGRATE_PLAN_INIT;
    SCOPED(migrate_plan) struct migrate_plan again = MIGRATE_PLAN_INIT;
    if (migrator_plan(door->migrator, down, &undone, err) < 0 ||
        (pending && migrator_plan(door->migrator, pending, &again, err) < 0))
        return -1;
    for (size_t i = 0; i < undone.count; i++) {
        show_step(door, &undone.items[i]);
        ARRAY_GROW(again.items, again.count, again.capacity);
        again.items[again.count] = undone.items[i];
        again.items[again.count++].direction = MIGRATE_UP;
    }
    if (again.count > 1)
        qsort(again.items, again.count, sizeof *again.items, compare_steps);
    for (size_t i = 0; i < again.count; i++)
        show_step(door, &again.items[i]);
    if (again.count == 0 && !console_wants_json(door->cli))
        console_result("%s", nothing);
    return 0;
}

static int run_request(struct migrate_door *door, const struct migrate_request *request,
                       const char *nothing, struct error *err)
{
    size_t count = 0;
    if (settings_bool(door->cli->settings, SETTING_DRY_RUN)) {
        if (show_plan(door, request, &count, err) < 0)
            return -1;
        if (count == 0 && !console_wants_json(door->cli))
            console_result("%s", nothing);
        return 0;
    }
    if (migrator_run(door->migrator, request, &count, err) < 0)
        return -1;
    if (count == 0 && !console_wants_json(door->cli))
        console_result("%s", nothing);
    return 0;
}

static int run_up(struct migrate_door *door, struct error *err)
{
    const struct migrate_request request = {
        .kind = MIGRATE_PLAN_UP,
        .version = settings_text(door->cli->settings, SETTING_MIGRATIONS_VERSION),
    };
    return run_request(door, &request, "nothing to do: no migration is pending", err);
}

int command_migrate_up(struct cli *cli, struct error *err)
{
    SCOPED(migrate_door) struct migrate_door door = MIGRATE_DOOR_INIT;
    SCOPED(way_back) struct way_back way = WAY_BACK_INIT;
    bool backup = settings_bool(cli->settings, SETTING_MIGRATIONS_BACKUP);
    door.cli = cli;
    door.applies = true;
    if (backup && way_back_prepare(&way, &door, err) < 0)
        return migrate_door_fail(&door, err);
    if (migrate_door_open(&door, cli, false, err) == 0 && run_up(&door, err) == 0)
        return 0;
    if (way_back_needed(&way, &door, err))
        return way_back_take(&way, &door, err);
    way_back_hint(&way, &door, err);
    return migrate_door_fail(&door, err);
}

int migrate_down_request(struct cli *cli, struct migrate_request *request, struct error *err)
{
    const char *version = settings_text(cli->settings, SETTING_MIGRATIONS_VERSION);
    int64_t steps = settings_integer(cli->settings, SETTING_MIGRATIONS_STEPS);
    bool batch = settings_bool(cli->settings, SETTING_MIGRATIONS_BATCH);
    if ((version != NULL) + (steps > 0) + batch > 1)
        return error_set(err, ERROR_USAGE, "--version, --steps and --batch exclude each other");
    *request = (struct migrate_request){.kind = MIGRATE_PLAN_DOWN_STEPS,
                                        .steps = steps > 0 ? (size_t)steps : 1};
    if (version)
        *request = (struct migrate_request){.kind = MIGRATE_PLAN_DOWN_TO, .version = version};
    else if (batch)
        request->kind = MIGRATE_PLAN_DOWN_BATCH;
    return 0;
}

/* Not by Down, but to the backup from before the last ones. */
static int down_restore(struct migrate_door *door, struct error *err)
{
    SCOPED(way_back) struct way_back way = WAY_BACK_INIT;
    const struct settings *settings = door->cli->settings;
    if (settings_text(settings, SETTING_MIGRATIONS_VERSION) ||
        settings_integer(settings, SETTING_MIGRATIONS_STEPS) > 0 ||
        settings_bool(settings, SETTING_MIGRATIONS_BATCH)) {
        error_set(err, ERROR_USAGE,
                  "--restore goes back to the backup before the last batch; --version, --steps and "
                  "--batch cannot be chosen with it");
        return migrate_door_fail(door, err);
    }
    if (way_back_prepare(&way, door, err) < 0 || way_back_down(&way, door, err) < 0)
        return migrate_door_fail(door, err);
    return 0;
}

int command_migrate_down(struct cli *cli, struct error *err)
{
    SCOPED(migrate_door) struct migrate_door door = MIGRATE_DOOR_INIT;
    struct migrate_request request;
    door.cli = cli;
    if (settings_bool(cli->settings, SETTING_MIGRATIONS_RESTORE))
        return down_restore(&door, err);
    if (migrate_down_request(cli, &request, err) < 0 ||
        migrate_door_open(&door, cli, false, err) < 0 || confirm(&door, &request, false, err) < 0 ||
        run_request(&door, &request, "nothing to do: no migration is applied after it", err) < 0)
        return migrate_door_fail(&door, err);
    return 0;
}

static int show_refresh(struct migrate_door *door, struct error *err)
{
    const struct migrate_request down = {.kind = MIGRATE_PLAN_DOWN_ALL};
    const struct migrate_request up = {.kind = MIGRATE_PLAN_UP};
    return show_again(door, &down, &up, "nothing to do: there is no migration", err);
}

static int run_reset(struct migrate_door *door, struct error *err)
{
    const struct migrate_request request = {.kind = MIGRATE_PLAN_DOWN_ALL};
    if (confirm(door, &request, true, err) < 0)
        return -1;
    return run_request(door, &request, "nothing to do: no migration is applied", err);
}

int command_migrate_reset(struct cli *cli, struct error *err)
{
    SCOPED(migrate_door) struct migrate_door door = MIGRATE_DOOR_INIT;
    door.cli = cli;
    if (migrate_door_open(&door, cli, false, err) < 0 || run_reset(&door, err) < 0)
        return migrate_door_fail(&door, err);
    return 0;
}

static int run_refresh(struct migrate_door *door, struct error *err)
{
    if (settings_bool(door->cli->settings, SETTING_DRY_RUN))
        return show_refresh(door, err);
    return run_reset(door, err) < 0 ? -1 : run_up(door, err);
}

int command_migrate_refresh(struct cli *cli, struct error *err)
{
    SCOPED(migrate_door) struct migrate_door door = MIGRATE_DOOR_INIT;
    door.cli = cli;
    door.applies = true;
    if (migrate_door_open(&door, cli, false, err) < 0 || run_refresh(&door, err) < 0)
        return migrate_door_fail(&door, err);
    return 0;
}

static int run_redo(struct migrate_door *door, struct error *err)
{
    SCOPED(string) char *version = NULL;
    const struct migrate_request down = {.kind = MIGRATE_PLAN_DOWN_STEPS, .steps = 1};
    if (migrator_version(door->migrator, &version, err) < 0)
        return -1;
    if (!version)
        return error_set(err, ERROR_NOT_FOUND, "no migration is applied");
    if (settings_bool(door->cli->settings, SETTING_DRY_RUN))
        return show_again(door, &down, NULL, "nothing would be undone", err);
    const struct migrate_request up = {.kind = MIGRATE_PLAN_ONE_UP, .version = version};
    if (run_request(door, &down, "nothing was undone", err) < 0)
        return -1;
    return run_request(door, &up, "nothing was applied", err);
}

int command_migrate_redo(struct cli *cli, struct error *err)
{
    SCOPED(migrate_door) struct migrate_door door = MIGRATE_DOOR_INIT;
    door.cli = cli;
    if (migrate_door_open(&door, cli, false, err) < 0 || run_redo(&door, err) < 0)
        return migrate_door_fail(&door, err);
    return 0;
}
