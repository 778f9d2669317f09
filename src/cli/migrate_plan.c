/*
 * kedge migrate plan: what up would run, statement by statement.
 */
#include "cli/commands.h"
#include "cli/console.h"
#include "cli/migrate.h"
#include "db/db.h"
#include "migrate/classify.h"
#include "migrate/run.h"
#include "service/settings.h"

#include <string.h>

/* How the statement ends up in the database. */
static const char *effect_of(const struct migrate_door *door, const struct migrate_step *step,
                             const struct migration_statement *statement)
{
    enum db_engine engine = door->db->ops->engine;
    unsigned traits = statement_traits(engine, statement->text, statement->size);
    if (traits & TRAIT_COMMITS)
        return "commits by itself";
    if (traits & TRAIT_OUTSIDE)
        return "outside a transaction";
    return run_stepwise(engine, step->migration, step->direction)
               ? "committed at once"
               : "in the migration's transaction";
}

static void show_json(const struct migrate_door *door, const struct migrate_step *step)
{
    const struct migration_part *part = &step->migration->parts[step->direction];
    json_t *object = migrate_step_json(step);
    json_t *statements = json_array();
    for (size_t i = 0; i < part->count; i++) {
        const struct migration_statement *statement = &part->items[i];
        json_t *item = json_object();
        json_object_set_new(item, "line", json_integer((json_int_t)statement->line));
        json_object_set_new(item, "sql", json_stringn(statement->text, statement->size));
        json_object_set_new(item, "effect", json_string(effect_of(door, step, statement)));
        json_array_append_new(statements, item);
    }
    json_object_set_new(object, "reversible", json_boolean(migration_reversible(step->migration)));
    json_object_set_new(object, "late", json_boolean(step->late));
    json_object_set_new(object, "statements", statements);
    console_json(object);
}

static void show_step(const struct migrate_door *door, const struct migrate_step *step)
{
    const struct migration_part *part = &step->migration->parts[step->direction];
    SCOPED(string) char *title = migrate_title(step->migration->name);
    console_result("%s %s%s%s", step->migration->version, title,
                   migration_reversible(step->migration) ? "" : " (cannot be undone: no Down)",
                   step->late ? " (older than what is applied)" : "");
    for (size_t i = 0; i < part->count; i++) {
        const struct migration_statement *statement = &part->items[i];
        int size = (int)strcspn(statement->text, "\r\n");
        console_result("  line %zu: %.*s - %s", statement->line, size < 100 ? size : 100,
                       statement->text, effect_of(door, step, statement));
    }
    if (step->migration->functions[step->direction])
        console_result("  a function of the program");
}

int command_migrate_plan(struct cli *cli, struct error *err)
{
    SCOPED(migrate_door) struct migrate_door door = MIGRATE_DOOR_INIT;
    SCOPED(migrate_plan) struct migrate_plan plan = MIGRATE_PLAN_INIT;
    const struct migrate_request request = {
        .kind = MIGRATE_PLAN_UP,
        .version = settings_text(cli->settings, SETTING_MIGRATIONS_VERSION),
    };
    if (migrate_door_open(&door, cli, true, err) < 0 ||
        migrator_plan(door.migrator, &request, &plan, err) < 0)
        return migrate_fail(cli, err);
    for (size_t i = 0; i < plan.count; i++) {
        if (console_wants_json(cli))
            show_json(&door, &plan.items[i]);
        else
            show_step(&door, &plan.items[i]);
    }
    if (!plan.count && !console_wants_json(cli))
        console_result("nothing to do: no migration is pending");
    return 0;
}
