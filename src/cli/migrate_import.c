/*
 * kedge migrate import: the history of another tool becomes ours.
 */
#include "migrate/import.h"

#include "base/moment.h"
#include "cli/commands.h"
#include "cli/console.h"
#include "cli/migrate.h"
#include "service/settings.h"

#include <stdio.h>
#include <string.h>

static bool is_new(const struct import_item *item)
{
    return !item->known;
}

static bool is_missing(const struct import_item *item)
{
    return is_new(item) && item->missing;
}

static bool is_changed(const struct import_item *item)
{
    return is_new(item) && item->changed && !item->migration->repeatable;
}

static size_t count_items(const struct import_report *report,
                          bool (*wanted)(const struct import_item *item))
{
    size_t count = 0;
    for (size_t i = 0; i < report->count; i++)
        count += wanted(&report->items[i]);
    return count;
}

/* "20240101000001 applied create users, 2024-01-01 12:34:56 (no file)" */
static void show_item(const struct import_item *item)
{
    int64_t moment_ns = 0;
    char when[40] = "";
    SCOPED(string) char *title = migrate_title(item->name);
    if (item->status == HISTORY_APPLIED && item->applied_at &&
        moment_parse(item->applied_at, &moment_ns) == 0) {
        char local[32];
        moment_format_local(moment_ns, local);
        snprintf(when, sizeof when, ", %s", local);
    }
    const char *changed = !item->changed ? ""
                          : item->migration->repeatable
                              ? " (changed since: the next up runs it again)"
                              : " (the file has changed since; its sum is taken as it is now)";
    console_result("%s %s%s%s%s%s%s%s%s%s%s%s", item->version, history_status_name(item->status),
                   *title ? " " : "", title, when, item->missing ? " (no file)" : "", changed,
                   item->note ? " (" : "", item->note ? item->note : "", item->note ? ")" : "",
                   item->known ? " (known already, left as it is)" : "",
                   item->replaced ? " (in place of a row that says it failed or is pending)" : "");
}

static void show_summary(const struct import_report *report, bool dry_run)
{
    size_t new = count_items(report, is_new);
    size_t missing = count_items(report, is_missing);
    SCOPED(string)
    char *files = missing ? mem_format(", %zu of them without a file", missing) : mem_string("");
    if (!report->count)
        console_result("the history of %s in %s holds no migration", report->tool, report->table);
    else if (!new)
        console_result("nothing to do: everything in %s of %s is known already", report->table,
                       report->tool);
    else
        console_result("%s %zu migration%s of %s from %s%s",
                       dry_run ? "would take over" : "took over", new, new == 1 ? "" : "s",
                       report->tool, report->table, files);
    if (report->kept_as)
        console_result("the table %s %s %s", report->table,
                       dry_run ? "would be kept as" : "is kept as", report->kept_as);
    for (size_t i = 0; i < report->passed_over.count; i++)
        console_warning("%s of %s has no version and is passed over", report->passed_over.items[i],
                        report->tool);
    if (count_items(report, is_changed))
        console_warning("files have changed since %s applied them; what is in the database may not "
                        "be what they say",
                        report->tool);
}

static json_t *item_json(const struct import_item *item)
{
    json_t *object = json_object();
    json_object_set_new(object, "version", json_string(item->version));
    json_object_set_new(object, "name", json_string(item->name));
    json_object_set_new(object, "status", json_string(history_status_name(item->status)));
    json_object_set_new(object, "applied_at", console_json_text(item->applied_at));
    json_object_set_new(object, "execution_time_ms",
                        item->execution_time_ms >= 0 ? json_integer(item->execution_time_ms)
                                                     : json_null());
    json_object_set_new(object, "batch", item->batch ? json_integer(item->batch) : json_null());
    json_object_set_new(object, "missing", json_boolean(item->missing));
    json_object_set_new(object, "changed", json_boolean(item->changed));
    json_object_set_new(object, "known", json_boolean(item->known));
    json_object_set_new(object, "replaced", json_boolean(item->replaced));
    json_object_set_new(object, "note", console_json_text(item->note));
    return object;
}

static void show_json(const struct import_report *report, bool dry_run)
{
    json_t *object = json_object();
    json_t *items = json_array();
    json_t *passed_over = json_array();
    for (size_t i = 0; i < report->passed_over.count; i++)
        json_array_append_new(passed_over, json_string(report->passed_over.items[i]));
    for (size_t i = 0; i < report->count; i++)
        json_array_append_new(items, item_json(&report->items[i]));
    json_object_set_new(object, "from", json_string(report->tool));
    json_object_set_new(object, "table", json_string(report->table));
    json_object_set_new(object, "kept_as", console_json_text(report->kept_as));
    json_object_set_new(object, "dry_run", json_boolean(dry_run));
    json_object_set_new(object, "imported",
                        json_integer((json_int_t)(dry_run ? 0 : report->written)));
    json_object_set_new(object, "migrations", items);
    json_object_set_new(object, "passed_over", passed_over);
    console_json(object);
}

int command_migrate_import(struct cli *cli, struct error *err)
{
    SCOPED(migrate_door) struct migrate_door door = MIGRATE_DOOR_INIT;
    SCOPED(import_report) struct import_report report = IMPORT_REPORT_INIT;
    const struct import_request request = {
        .from = settings_text(cli->settings, SETTING_MIGRATIONS_FROM),
        .table = settings_text(cli->settings, SETTING_MIGRATIONS_FROM_TABLE),
        .dry_run = settings_bool(cli->settings, SETTING_DRY_RUN),
    };
    if (migrate_door_open(&door, cli, true, err) < 0 ||
        migrator_import(door.migrator, &request, &report, err) < 0)
        return migrate_fail(cli, err);
    if (console_wants_json(cli)) {
        show_json(&report, request.dry_run);
        return 0;
    }
    for (size_t i = 0; i < report.count; i++)
        show_item(&report.items[i]);
    show_summary(&report, request.dry_run);
    return 0;
}
