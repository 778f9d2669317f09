/*
 * kedge restores: the restore log, newest first.
 */
#include "catalog/restores.h"

#include "base/error.h"
#include "cli/commands.h"
#include "cli/session.h"
#include "cli/table.h"
#include "service/service.h"
#include "service/settings.h"

static const struct column_row columns[] = {{"number", "NUMBER", COLUMN_OF_NUMBER},
                                            {"id", NULL, COLUMN_OF_TEXT},
                                            {"status", "STATUS", COLUMN_OF_TEXT},
                                            {"started_at", "STARTED", COLUMN_OF_MOMENT},
                                            {"backup", "BACKUP", COLUMN_OF_TEXT},
                                            {"target", "TARGET", COLUMN_OF_TEXT},
                                            {"type", "TYPE", COLUMN_OF_TEXT},
                                            {"safety", "SAFETY", COLUMN_OF_TEXT},
                                            {"undo_until", "UNDO UNTIL", COLUMN_OF_MOMENT},
                                            {"undone_at", "UNDONE", COLUMN_OF_MOMENT},
                                            {"completed_at", NULL, COLUMN_OF_MOMENT},
                                            {"initiated_by", NULL, COLUMN_OF_TEXT},
                                            {"error_message", NULL, COLUMN_OF_TEXT},
                                            {NULL, NULL, COLUMN_OF_TEXT}};

struct list {
    struct table *table;
    int64_t since_ns;
};

static int64_t moment_or_none(int64_t moment_ns)
{
    return moment_ns ? moment_ns : TABLE_NONE;
}

static int add_row(void *context, const struct restore_row *row, struct error *err)
{
    (void)err;
    const struct list *list = context;
    struct table *table = list->table;
    if (row->started_ns < list->since_ns)
        return 0;
    table_number(table, row->number);
    table_text(table, row->id);
    table_text(table, row->status);
    table_number(table, moment_or_none(row->started_ns));
    table_text(table, row->backup_name);
    table_text(table, row->target);
    table_text(table, row->restore_type);
    table_text(table, row->safety_kind);
    table_number(table, moment_or_none(row->undo_until_ns));
    table_number(table, moment_or_none(row->undone_ns));
    table_number(table, moment_or_none(row->completed_ns));
    table_text(table, row->initiated_by);
    table_text(table, row->error_message);
    return 0;
}

int command_restores(struct cli *cli, struct error *err)
{
    const struct restore_filter filter = {
        .status = settings_text(cli->settings, SETTING_STATUS),
        .limit = settings_integer(cli->settings, SETTING_LIMIT),
    };
    SCOPED(session) struct session session = SESSION_INIT;
    SCOPED(table) struct table *table = table_new(columns);
    struct list list = {.table = table};
    if (session_since(cli, &list.since_ns, err) < 0 ||
        session_open(cli, false, &session, err) < 0 ||
        restores_list(session.service->catalog, &filter, add_row, &list, err) < 0)
        return -1;
    table_show(table, cli, "no restores");
    return 0;
}
