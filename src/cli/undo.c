/*
 * kedge undo: back to before a restore.
 */
#include "base/error.h"
#include "cli/commands.h"
#include "cli/confirm.h"
#include "cli/console.h"
#include "cli/session.h"
#include "service/service.h"
#include "service/settings.h"
#include "service/undo.h"

#include <inttypes.h>
#include <stdio.h>

/* "before restore 3", or "after" it when an undo is undone. */
static const char *side(const struct undo_report *report)
{
    return report->forth ? "after" : "before";
}

static int confirm(void *context, const struct undo_report *plan, struct error *err)
{
    const struct cli *cli = context;
    if (plan->changed)
        session_tell(cli, "%s", plan->changed);
    if (settings_bool(cli->settings, SETTING_DRY_RUN)) {
        console_result("Would take %s to %s restore %" PRId64, plan->target, side(plan),
                       plan->number);
        return error_set(err, ERROR_DECLINED, "dry run");
    }
    char what[512];
    char question[512];
    snprintf(what, sizeof what, "taking %s to %s restore %" PRId64, plan->target, side(plan),
             plan->number);
    snprintf(question, sizeof question, "Take %s to %s restore %" PRId64 "?", plan->target,
             side(plan), plan->number);
    return confirm_ask(cli, what, question, err);
}

static void print_report(const struct cli *cli, const struct undo_report *report)
{
    if (!console_wants_json(cli)) {
        console_result("✓ %s is as it was %s restore %" PRId64, report->target, side(report),
                       report->number);
        console_note(cli, "kedge undo again takes this back");
        return;
    }
    json_t *object = json_object();
    json_object_set_new(object, "number", json_integer(report->number));
    json_object_set_new(object, "target", console_json_text(report->target));
    json_object_set_new(object, "forth", json_boolean(report->forth));
    json_object_set_new(object, "changed", console_json_text(report->changed));
    console_json(object);
}

int command_undo(struct cli *cli, struct error *err)
{
    SCOPED(session) struct session session = SESSION_INIT;
    if (session_open(cli, true, &session, err) < 0)
        return -1;
    const char *restore = cli->arguments.count ? cli->arguments.items[0] : NULL;
    struct undo_report report = {0};
    int result = undo_run(session.service, restore, confirm, cli, &report, err);
    if (result == 0)
        print_report(cli, &report);
    else if (err->code == ERROR_DECLINED && settings_bool(cli->settings, SETTING_DRY_RUN))
        result = 0;
    undo_report_clear(&report);
    return result;
}
