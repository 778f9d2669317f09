/*
 * kedge cleanup and kedge delete.
 */
#include "service/cleanup.h"

#include "base/error.h"
#include "base/mem.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/confirm.h"
#include "cli/console.h"
#include "cli/session.h"
#include "service/service.h"
#include "service/settings.h"

#include <inttypes.h>
#include <stdlib.h>

static const char *const action_names[] = {[CLEANUP_KEEP] = "keep",
                                           [CLEANUP_EXPIRED] = "expired",
                                           [CLEANUP_LEFTOVER] = "leftover",
                                           [CLEANUP_OLD_COPY] = "old-copy",
                                           [CLEANUP_ORPHAN] = "orphan"};

static void print_item_json(const struct cleanup_item *item, bool dry_run)
{
    bool removes = item->action != CLEANUP_KEEP && item->action != CLEANUP_ORPHAN;
    json_t *object = json_object();
    json_object_set_new(object, "action", json_string(action_names[item->action]));
    json_object_set_new(object, "removed", json_boolean(removes && !dry_run));
    json_object_set_new(object, "number", item->number ? json_integer(item->number) : json_null());
    json_object_set_new(object, "name", console_json_text(item->name));
    json_object_set_new(object, "target", console_json_text(item->target));
    json_object_set_new(object, "size", json_integer((json_int_t)item->bytes));
    json_object_set_new(object, "reason", console_json_text(item->reason));
    console_json(object);
}

static void print_item(void *context, const struct cleanup_item *item)
{
    const struct cli *cli = context;
    bool dry_run = settings_bool(cli->settings, SETTING_DRY_RUN);
    if (console_wants_json(cli)) {
        print_item_json(item, dry_run);
        return;
    }
    const char *verb = item->action == CLEANUP_KEEP     ? "keep"
                       : item->action == CLEANUP_ORPHAN ? "orphan"
                       : dry_run                        ? "would remove"
                                                        : "removed";
    char size[32];
    text_format_size(item->bytes, size);
    console_result("%s %s (%s): %s", verb, item->name, size, item->reason ? item->reason : "");
}

static void print_sum(const struct cli *cli, const struct cleanup_report *report)
{
    char size[32];
    text_format_size(report->bytes, size);
    bool nothing = !report->backups && !report->leftovers && !report->old_copies;
    if (nothing)
        session_say(cli, "✓ No old backups to remove");
    else
        session_say(cli,
                    "%s %" PRIu64 " backups, %" PRIu64 " leftovers, %" PRIu64 " old copies: %s",
                    settings_bool(cli->settings, SETTING_DRY_RUN) ? "Would remove" : "Removed",
                    report->backups, report->leftovers, report->old_copies, size);
}

int command_cleanup(struct cli *cli, struct error *err)
{
    SCOPED(session) struct session session = SESSION_INIT;
    if (session_open(cli, true, &session, err) < 0)
        return -1;
    const struct cleanup_request request = {
        .dry_run = settings_bool(cli->settings, SETTING_DRY_RUN),
        .explain = settings_bool(cli->settings, SETTING_EXPLAIN),
        .target = cli->arguments.count ? cli->arguments.items[0] : NULL,
        .item = print_item,
        .context = cli,
    };
    struct cleanup_report report = {0};
    if (cleanup_run(session.service, &request, &report, err) < 0)
        return -1;
    print_sum(cli, &report);
    return 0;
}

static int confirm(void *context, const char *file, bool newest, struct error *err)
{
    const struct cli *cli = context;
    if (newest && !confirm_is_forced(cli))
        console_message("⚠️  WARNING: %s is the newest good backup of its target", file);
    SCOPED(string) char *what = mem_format("deleting %s", file);
    SCOPED(string) char *question = mem_format("Delete %s for good?", file);
    return confirm_ask(cli, what, question, err);
}

int command_delete(struct cli *cli, struct error *err)
{
    SCOPED(session) struct session session = SESSION_INIT;
    if (session_open(cli, true, &session, err) < 0)
        return -1;
    const char *backup = session_backup(cli);
    SCOPED(string) char *file = NULL;
    if (delete_run(session.service, backup, confirm_is_forced(cli), confirm, cli, &file, err) < 0)
        return session_not_found(cli, &session, backup, err);
    if (!console_wants_json(cli)) {
        console_result("Deleted %s", file);
        return 0;
    }
    json_t *object = json_object();
    json_object_set_new(object, "deleted", console_json_text(file));
    console_json(object);
    return 0;
}
