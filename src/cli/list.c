/*
 * kedge list: backups, newest first.
 */
#include "base/error.h"
#include "base/os.h"
#include "catalog/backup_list.h"
#include "catalog/backups.h"
#include "cli/commands.h"
#include "cli/console.h"
#include "cli/session.h"
#include "cli/table.h"
#include "service/service.h"
#include "service/settings.h"

static const struct column_row columns[] = {{"number", "NUMBER", COLUMN_OF_NUMBER},
                                            {"id", "ID", COLUMN_OF_TEXT},
                                            {"name", "NAME", COLUMN_OF_TEXT},
                                            {"type", "TYPE", COLUMN_OF_TEXT},
                                            {"status", "STATUS", COLUMN_OF_TEXT},
                                            {"size", "SIZE", COLUMN_OF_BYTES},
                                            {"level", "LEVEL", COLUMN_OF_NUMBER},
                                            {"age", "AGE", COLUMN_OF_AGE},
                                            {"expires", "EXPIRES", COLUMN_OF_MOMENT},
                                            {"file_path", NULL, COLUMN_OF_TEXT},
                                            {"size_bytes", NULL, COLUMN_OF_NUMBER},
                                            {"checksum", NULL, COLUMN_OF_TEXT},
                                            {"verified_level", NULL, COLUMN_OF_NUMBER},
                                            {"expires_at", NULL, COLUMN_OF_MOMENT},
                                            {"target", NULL, COLUMN_OF_TEXT},
                                            {"app", NULL, COLUMN_OF_TEXT},
                                            {"destination", NULL, COLUMN_OF_TEXT},
                                            {"created_at", NULL, COLUMN_OF_MOMENT},
                                            {"duration_ms", NULL, COLUMN_OF_NUMBER},
                                            {"trigger", NULL, COLUMN_OF_TEXT},
                                            {"incomplete", NULL, COLUMN_OF_YES},
                                            {"error_message", NULL, COLUMN_OF_TEXT},
                                            {NULL, NULL, COLUMN_OF_TEXT}};

struct list {
    struct table *table;
    int64_t now_ns;
};

static int64_t or_none(int64_t value, int64_t none)
{
    return value == none ? TABLE_NONE : value;
}

static int add_row(void *context, const struct backup_row *row, struct error *err)
{
    (void)err;
    struct list *list = context;
    struct table *table = list->table;
    table_number(table, row->number);
    table_text(table, row->id);
    table_text(table, row->name ? row->name : row->target);
    table_text(table, row->type);
    table_text(table, row->status);
    table_number(table, or_none(row->size_bytes, -1));
    table_number(table, or_none(row->verified_level, -1));
    table_number(table, (list->now_ns - row->created_ns) / 1000000000);
    table_number(table, or_none(row->expires_ns, 0));
    table_text(table, row->file_path);
    table_number(table, or_none(row->size_bytes, -1));
    table_text(table, row->checksum);
    table_number(table, or_none(row->verified_level, -1));
    table_number(table, or_none(row->expires_ns, 0));
    table_text(table, row->target);
    table_text(table, row->app);
    table_text(table, row->destination);
    table_number(table, or_none(row->created_ns, 0));
    table_number(table, or_none(row->duration_ms, -1));
    table_text(table, row->trigger);
    table_number(table, row->incomplete);
    table_text(table, row->error_message);
    return 0;
}

int command_list(struct cli *cli, struct error *err)
{
    struct settings *settings = cli->settings;
    struct backup_filter filter = {
        .status = settings_text(settings, SETTING_STATUS),
        .app = settings_text(settings, SETTING_APP),
        .target = cli->arguments.count ? cli->arguments.items[0] : NULL,
        .type = settings_text(settings, SETTING_TYPE),
        .limit = settings_integer(settings, SETTING_LIMIT),
        /* People are shown less, and a long list for them is quicker without the rest. */
        .everything = console_wants_json(cli),
    };
    SCOPED(session) struct session session = SESSION_INIT;
    if (session_since(cli, &filter.since_ns, err) < 0 ||
        session_open(cli, false, &session, err) < 0)
        return -1;

    SCOPED(table) struct table *table = table_new(columns);
    struct list list = {.table = table, .now_ns = cli->os->clock_wall_ns(cli->os)};
    if (backups_list(session.service->catalog, &filter, add_row, &list, err) < 0)
        return -1;
    table_show(table, cli, "no backups");
    return 0;
}
