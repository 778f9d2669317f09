#include "base/mem.h"
#include "cli/commands.h"
#include "cli/console.h"

int command_version(struct cli *cli, struct error *err)
{
    (void)err;
    if (!console_wants_json(cli)) {
        console_result("kedge %s", KEDGE_VERSION);
        return 0;
    }
    json_t *object = json_object();
    json_object_set_new(object, "version", json_string(KEDGE_VERSION));
    console_json(object);
    return 0;
}
