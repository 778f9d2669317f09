/*
 * kedge config: what is in force, and who said so.
 */
#include "base/error.h"
#include "base/mem.h"
#include "base/options.h"
#include "cli/commands.h"
#include "cli/console.h"
#include "cli/table.h"
#include "service/config_file.h"
#include "service/settings.h"

#include <string.h>
#include <unistd.h>

static const struct column_row columns[] = {{"key", "KEY", COLUMN_OF_TEXT},
                                            {"value", "VALUE", COLUMN_OF_TEXT},
                                            {"origin", "ORIGIN", COLUMN_OF_TEXT},
                                            {NULL, NULL, COLUMN_OF_TEXT}};

static void add(struct table *table, const char *key, const char *value, const char *origin)
{
    table_text(table, key);
    table_text(table, value);
    table_text(table, origin);
}

static void add_setting(struct table *table, const struct settings *settings, enum setting setting)
{
    const struct option_row *row = &settings_rows[setting];
    if (!row->path && !row->environment)
        return;
    SCOPED(string) char *detail = NULL;
    settings_origin(settings, setting, &detail);
    SCOPED(string)
    char *origin =
        mem_format("%s%s", detail, row->later ? " (known, not used by this version)" : "");
    SCOPED(buf) struct buf value = BUF_INIT;
    if (settings_has(settings, setting) || option_is_switch(row))
        option_value_format(row, settings_value(settings, setting), &value);
    add(table, row->path ? row->path : row->name, value.length ? value.data : NULL, origin);
}

static void add_list(struct table *table, const char *prefix, const char *key,
                     const struct text_list *list, const char *origin)
{
    if (!list->count)
        return;
    SCOPED(string) char *name = mem_format("%s.%s", prefix, key);
    SCOPED(string) char *value = text_list_join(list, ", ");
    add(table, name, value, origin);
}

static void add_value(struct table *table, const char *prefix, const char *key, const char *value,
                      const char *origin)
{
    if (!value)
        return;
    SCOPED(string) char *name = mem_format("%s.%s", prefix, key);
    add(table, name, value, origin);
}

/* A place that a secret is fetched from is no secret; what is written out is, and a URL may hold a
 * password. */
static const char *hide(const char *text, bool url)
{
    bool place = !text || strncmp(text, "env:", 4) == 0 || strncmp(text, "file:", 5) == 0 ||
                 strncmp(text, "command:", 8) == 0;
    if (place || (url && !strpbrk(text, "@?")))
        return text;
    return "(hidden)";
}

static void add_target(struct table *table, const char *file, const struct config_target *target)
{
    SCOPED(string) char *prefix = mem_format("targets.%s", target->name);
    SCOPED(string) char *origin = mem_format("%s:%zu", file, target->line);
    add_value(table, prefix, "app", target->app, origin);
    add_value(table, prefix, "url", hide(target->url, true), origin);
    add_value(table, prefix, "environment", target->environment, origin);
    add_list(table, prefix, "paths", &target->paths, origin);
    add_list(table, prefix, "configuration", &target->configuration, origin);
    add_list(table, prefix, "exclude", &target->exclude, origin);
    add_list(table, prefix, "exclude_tables", &target->exclude_tables, origin);
    add_list(table, prefix, "destination", &target->destinations, origin);
    add_value(table, prefix, "compress", target->compress, origin);
    add_list(table, prefix, "encrypt", &target->encrypt, origin);
    SCOPED(string)
    char *days =
        target->retention_days >= 0 ? mem_format("%lld", (long long)target->retention_days) : NULL;
    add_value(table, prefix, "retention", days, origin);
}

static void add_destination(struct table *table, const char *file,
                            const struct config_destination *destination)
{
    SCOPED(string) char *prefix = mem_format("destinations.%s", destination->name);
    SCOPED(string) char *origin = mem_format("%s:%zu", file, destination->line);
    add_value(table, prefix, "url", hide(destination->url, true), origin);
    add_value(table, prefix, "default", destination->is_default ? "true" : NULL, origin);
    add_value(table, prefix, "access_key", hide(destination->access_key, false), origin);
    add_value(table, prefix, "secret_key", hide(destination->secret_key, false), origin);
    add_value(table, prefix, "region", destination->region, origin);
    add_value(table, prefix, "endpoint", destination->endpoint, origin);
}

int command_config(struct cli *cli, struct error *err)
{
    (void)err;
    SCOPED(table) struct table *table = table_new(columns);
    for (size_t i = 0; i < SETTING_COUNT; i++)
        add_setting(table, cli->settings, (enum setting)i);
    const struct config_file *file = settings_file(cli->settings);
    for (size_t i = 0; file && i < file->target_count; i++)
        add_target(table, file->path, &file->targets[i]);
    for (size_t i = 0; file && i < file->destination_count; i++)
        add_destination(table, file->path, &file->destinations[i]);
    if (console_wants_json(cli)) {
        table_print_json(table);
        return 0;
    }
    console_note(cli, "configuration file: %s", file ? file->path : "none found");
    table_print(table, 0);
    return 0;
}
