/*
 * kedge migrate status and version.
 */
#include "base/moment.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/console.h"
#include "cli/migrate.h"
#include "cli/table.h"
#include "service/settings.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define EXIT_PENDING 3

static const struct column_row columns[] = {{"version", "VERSION", COLUMN_OF_TEXT},
                                            {"status", "STATUS", COLUMN_OF_TEXT},
                                            {"name", "NAME", COLUMN_OF_TEXT},
                                            {"applied_at", "APPLIED AT", COLUMN_OF_TEXT},
                                            {"execution_time", "EXECUTION TIME", COLUMN_OF_TEXT},
                                            {NULL, NULL, COLUMN_OF_TEXT}};

static const struct column_row more_columns[] = {
    {"version", "VERSION", COLUMN_OF_TEXT},
    {"status", "STATUS", COLUMN_OF_TEXT},
    {"name", "NAME", COLUMN_OF_TEXT},
    {"applied_at", "APPLIED AT", COLUMN_OF_TEXT},
    {"execution_time", "EXECUTION TIME", COLUMN_OF_TEXT},
    {"batch", "BATCH", COLUMN_OF_TEXT},
    {"note", "NOTE", COLUMN_OF_TEXT},
    {NULL, NULL, COLUMN_OF_TEXT}};

static bool is_pending(const struct migration_state *state)
{
    return state->migration &&
           (state->status != HISTORY_APPLIED || (state->changed && state->migration->repeatable));
}

/* What the state alone does not say; NULL for nothing. */
static char *note_of(const struct migration_state *state)
{
    if (!state->migration)
        return mem_string("file missing");
    if (state->changed)
        return mem_string(state->migration->repeatable ? "changed, to be run again"
                                                       : "file changed");
    if (state->row.progress)
        return mem_string_n(state->row.progress, strcspn(state->row.progress, ","));
    return NULL;
}

/* Applied as people read it; a migration that is not applied shows none, though it may have been.
 */
static void add_applied(struct table *table, const struct migration_state *state)
{
    int64_t moment_ns = 0;
    char text[32] = "-";
    bool applied = state->status == HISTORY_APPLIED && state->row.applied_at;
    if (applied && moment_parse(state->row.applied_at, &moment_ns) == 0)
        moment_format_local(moment_ns, text);
    table_text(table, text);
    snprintf(text, sizeof text, "-");
    if (state->status == HISTORY_APPLIED && state->row.execution_time_ms >= 0)
        text_format_duration(state->row.execution_time_ms, text);
    table_text(table, text);
}

static void add_name(struct table *table, const char *title, const char *note)
{
    SCOPED(string) char *both = note ? mem_format("%s (%s)", title, note) : NULL;
    table_text(table, both ? both : title);
}

static void show_table(struct cli *cli, const struct migration_states *states)
{
    bool more = settings_integer(cli->settings, SETTING_VERBOSE) > 0;
    SCOPED(table) struct table *table = table_new(more ? more_columns : columns);
    for (size_t i = 0; i < states->count; i++) {
        const struct migration_state *state = &states->items[i];
        SCOPED(string) char *note = note_of(state);
        SCOPED(string) char *title = migrate_title(state->name);
        table_text(table, state->version);
        table_text(table, history_status_name(state->status));
        add_name(table, title, more ? NULL : note);
        add_applied(table, state);
        if (more) {
            SCOPED(string) char *batch = mem_format("%lld", (long long)state->row.batch);
            table_text(table, state->row.batch ? batch : "-");
            table_text(table, note ? note : "");
        }
    }
    table_print(table, console_terminal_width(STDOUT_FILENO));
}

/* What went wrong, and the ways on from there, below the table. */
static void show_advice(const struct migration_states *states)
{
    for (size_t i = 0; i < states->count; i++) {
        const struct migration_state *state = &states->items[i];
        const struct history_row *row = &state->row;
        if (state->status == HISTORY_FAILED && row->error_message)
            console_message("%s failed: %s", state->version, row->error_message);
        if (!row->progress || !state->migration)
            continue;
        SCOPED(string) char *progress = mem_string_n(row->progress, strcspn(row->progress, ","));
        SCOPED(string)
        char *back = row->backup_id
                         ? mem_format(", kedge migrate down --restore goes back to backup %s",
                                      row->backup_id)
                         : mem_string("");
        console_message("hint: %s is half done (%s): kedge migrate %s goes on%s", state->version,
                        progress, text_starts(progress, "down") ? "down" : "up", back);
    }
}

static void show_json(const struct migration_states *states)
{
    for (size_t i = 0; i < states->count; i++) {
        const struct migration_state *state = &states->items[i];
        const struct history_row *row = &state->row;
        json_t *object = json_object();
        json_object_set_new(object, "version", json_string(state->version));
        json_object_set_new(object, "status", json_string(history_status_name(state->status)));
        json_object_set_new(object, "name", json_string(state->name));
        json_object_set_new(object, "applied_at", console_json_text(row->applied_at));
        json_object_set_new(object, "execution_time_ms",
                            row->version && row->execution_time_ms >= 0
                                ? json_integer(row->execution_time_ms)
                                : json_null());
        json_object_set_new(object, "batch", row->batch ? json_integer(row->batch) : json_null());
        json_object_set_new(
            object, "checksum",
            console_json_text(state->migration ? state->migration->checksum : row->checksum));
        json_object_set_new(object, "missing", json_boolean(!state->migration));
        json_object_set_new(object, "changed", json_boolean(state->changed));
        json_object_set_new(object, "progress", console_json_text(row->progress));
        json_object_set_new(object, "error_message", console_json_text(row->error_message));
        json_object_set_new(object, "backup_id", console_json_text(row->backup_id));
        console_json(object);
    }
}

int command_migrate_status(struct cli *cli, struct error *err)
{
    SCOPED(migrate_door) struct migrate_door door = MIGRATE_DOOR_INIT;
    SCOPED(migration_states) struct migration_states states = MIGRATION_STATES_INIT;
    if (migrate_door_open(&door, cli, true, err) < 0 ||
        migrator_status(door.migrator, &states, err) < 0)
        return migrate_fail(cli, err);
    if (console_wants_json(cli)) {
        show_json(&states);
    } else {
        show_table(cli, &states);
        show_advice(&states);
    }
    bool pending = false;
    for (size_t i = 0; i < states.count; i++)
        pending |= is_pending(&states.items[i]);
    return pending && settings_bool(cli->settings, SETTING_MIGRATIONS_EXIT_CODE) ? EXIT_PENDING : 0;
}

int command_migrate_version(struct cli *cli, struct error *err)
{
    SCOPED(migrate_door) struct migrate_door door = MIGRATE_DOOR_INIT;
    SCOPED(string) char *version = NULL;
    if (migrate_door_open(&door, cli, true, err) < 0 ||
        migrator_version(door.migrator, &version, err) < 0)
        return migrate_fail(cli, err);
    if (console_wants_json(cli)) {
        json_t *object = json_object();
        json_object_set_new(object, "version", console_json_text(version));
        console_json(object);
    } else {
        console_result("%s", version ? version : "no migration is applied");
    }
    return 0;
}
