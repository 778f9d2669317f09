/*
 * kedge doctor: what is in place and what is not.
 */
#include "service/doctor.h"

#include "base/error.h"
#include "cli/commands.h"
#include "cli/console.h"
#include "cli/session.h"

#include <inttypes.h>

static void print_item(void *context, const struct doctor_item *item)
{
    const struct cli *cli = context;
    if (!console_wants_json(cli)) {
        console_result("%s %s: %s", item->good ? "✓" : "✗", item->what,
                       item->finding ? item->finding : "");
        if (item->hint[0])
            console_result("  hint: %s", item->hint);
        return;
    }
    json_t *object = json_object();
    json_object_set_new(object, "what", console_json_text(item->what));
    json_object_set_new(object, "good", json_boolean(item->good));
    json_object_set_new(object, "finding", console_json_text(item->finding));
    json_object_set_new(object, "hint", console_json_text(item->hint[0] ? item->hint : NULL));
    console_json(object);
}

int command_doctor(struct cli *cli, struct error *err)
{
    SCOPED(session) struct session session = SESSION_INIT;
    struct error catalog_failure = ERROR_INIT;
    if (session_open_anyway(cli, &session, &catalog_failure, err) < 0)
        return -1;
    int bad = doctor_run(session.service, session.setup, &catalog_failure, print_item, cli);
    if (!bad)
        return 0;
    return error_set(err, ERROR_FAILED, "%d thing%s not as %s should be", bad,
                     bad == 1 ? " is" : "s are", bad == 1 ? "it" : "they");
}
