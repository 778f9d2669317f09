/*
 * kedge init: a configuration to begin with, the catalogue, and a look at the destination.
 */
#include "base/error.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/os.h"
#include "cli/commands.h"
#include "cli/confirm.h"
#include "cli/console.h"
#include "cli/session.h"
#include "service/doctor.h"
#include "service/settings.h"

#include <string.h>
#include <sys/stat.h>

/* Every line is a comment: what is not said is the default. */
static const char template[] =
    "# kedge: what is backed up, and where to. `kedge config` shows what is in force.\n"
    "#\n"
    "# kedge:\n"
    "#   environment: production        # asks twice before a restore\n"
    "#   catalog: sqlite                # or a database URL\n"
    "#\n"
    "# targets:\n"
    "#   shop:\n"
    "#     url: env:DATABASE_URL        # or postgres://…, sqlite:FILE\n"
    "#     paths: [/srv/shop/uploads]   # for --type files and full\n"
    "#     configuration: [/etc/shop]   # for --type configuration\n"
    "#     exclude: [\"*.tmp\", \"cache/**\"]\n"
    "#     exclude_tables: [sessions]\n"
    "#     destination: disk            # or a list: [disk, nas]\n"
    "#     compress: zstd:3\n"
    "#     encrypt: [age1…]             # kedge keygen makes a pair\n"
    "#     retention: 30                # days\n"
    "#\n"
    "# destinations:\n"
    "#   disk: { url: /var/backups/kedge, default: true }\n"
    "#   nas: { url: /mnt/nas/kedge }\n"
    "#\n"
    "# backup: { type: full }           # what plain `kedge backup` makes: both parts\n"
    "# migrations: { path: migrations, table: schema_migrations, lock_timeout: 5s }\n"
    "# database: { url: env:DATABASE_URL }\n"
    "# restore: { undo_days: 7 }\n"
    "# log: { file: /var/log/kedge.log, level: info }\n";

/* 1 written, 0 there is one already, -1. */
static int write_template(struct cli *cli, const char *path, struct error *err)
{
    struct stat there;
    int found = file_stat(cli->os, path, &there, err);
    if (found < 0)
        return -1;
    if (found && !confirm_is_forced(cli))
        return 0;
    if (file_write_atomic(cli->os, path, template, strlen(template), 0600, err) < 0)
        return -1;
    return 1;
}

/* Before the catalogue is made: whoever mistyped wants neither. */
static int check_folder(struct cli *cli, const char *path, struct error *err)
{
    struct stat there;
    SCOPED(string) char *folder = path_folder(path);
    int found = file_stat(cli->os, folder, &there, err);
    if (found)
        return found < 0 ? -1 : 0;
    error_set(err, ERROR_NOT_FOUND, "%s: there is no folder %s", path, folder);
    return error_hint(err, "make it first: mkdir -p %s", folder);
}

int command_init(struct cli *cli, struct error *err)
{
    const char *named = settings_text(cli->settings, SETTING_CONFIG);
    const char *path = named ? named : "kedge.yaml";
    SCOPED(session) struct session session = SESSION_INIT;
    if (check_folder(cli, path, err) < 0 || session_open(cli, true, &session, err) < 0)
        return -1;
    SCOPED(string) char *finding = NULL;
    if (doctor_try_destination(session.service, NULL, &finding, err) < 0)
        return error_prefix(err, "destination");
    int written = write_template(cli, path, err);
    if (written < 0)
        return -1;
    if (console_wants_json(cli)) {
        json_t *object = json_object();
        json_object_set_new(object, "configuration", console_json_text(path));
        json_object_set_new(object, "written", json_boolean(written > 0));
        json_object_set_new(object, "destination", console_json_text(finding));
        console_json(object);
        return 0;
    }
    console_result(written ? "Wrote %s" : "Kept %s, which was there already", path);
    console_result("The catalogue is in place");
    console_result("The destination can be written to: %s", finding);
    return 0;
}
