#include "cli/migrate_backup.h"

#include "base/mem.h"
#include "base/moment.h"
#include "cli/commands.h"
#include "cli/confirm.h"
#include "cli/console.h"
#include "cli/migrate.h"
#include "cli/progress.h"
#include "io/progress.h"
#include "service/backup.h"
#include "service/migration_backup.h"
#include "service/restore.h"
#include "service/service.h"
#include "service/settings.h"
#include "service/setup.h"
#include "source/source.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

void way_back_clear(struct way_back *way)
{
    session_close(&way->session);
    session_keys_clear(&way->keys);
    if (way->passphrase)
        mem_wipe(way->passphrase, strlen(way->passphrase));
    free(way->passphrase);
    free(way->id);
    *way = WAY_BACK_INIT;
}

static struct migration_backup request_of(const struct way_back *way, struct progress *progress)
{
    return (struct migration_backup){
        .target = way->door->target,
        .configured = way->door->configured,
        .passphrase = way->passphrase,
        .keys = &way->keys.keys,
        .jobs = session_jobs(way->door->cli),
        .max_wait_ms = settings_integer(way->door->cli->settings, SETTING_MAX_WAIT),
        .progress = progress,
    };
}

/* ---- the backup ---- */

/* "20240101000001 to 20240101000003" */
static char *versions_of(const struct migrate_plan *plan)
{
    const char *first = plan->items[0].migration->version;
    const char *last = plan->items[plan->count - 1].migration->version;
    return plan->count == 1 ? mem_string(first) : mem_format("%s to %s", first, last);
}

static void show_backup(const struct way_back *way, const struct backup_report *report)
{
    const struct cli *cli = way->door->cli;
    if (!console_wants_json(cli)) {
        console_result("backup %" PRId64 " made and verified: %s", report->number,
                       report->files[0].location);
        return;
    }
    json_t *object = json_object();
    json_object_set_new(object, "backup", json_integer(report->number));
    json_object_set_new(object, "id", json_string(report->id));
    json_object_set_new(object, "location", json_string(report->files[0].location));
    console_json(object);
}

static int make_backup(void *context, const struct migrate_plan *plan,
                       char ret_backup_id[static 27], struct error *err)
{
    struct way_back *way = context;
    struct progress progress = {0};
    struct backup_report report = {0};
    SCOPED(string) char *versions = versions_of(plan);
    struct migration_backup request = request_of(way, &progress);
    request.versions = versions;
    if (way->door->configured && setup_wants_passphrase(way->session.setup, way->door->target) &&
        session_passphrase(way->door->cli, &way->passphrase, err) < 0)
        return -1;
    request.passphrase = way->passphrase;
    struct progress_line *line = progress_line_start(way->door->cli, &progress);
    int result = migration_backup_make(way->session.service, &request, &report, err);
    progress_line_stop(line);
    if (result < 0) {
        if (!err->hint[0])
            error_hint(err, "nothing was migrated");
        return -1;
    }
    way->id = mem_string(report.id);
    way->number = report.number;
    memcpy(ret_backup_id, report.id, 27);
    show_backup(way, &report);
    backup_report_clear(&report);
    return 0;
}

int way_back_prepare(struct way_back *way, struct migrate_door *door, struct error *err)
{
    struct cli *cli = door->cli;
    way->door = door;
    door->backed_up = true;
    if (migrate_door_check(door, err) < 0)
        return -1;
    if (settings_bool(cli->settings, SETTING_DRY_RUN))
        return 0;
    if (session_read_keys(cli, &way->keys, err) < 0 ||
        session_open(cli, true, &way->session, err) < 0)
        return -1;
    door->before = make_backup;
    door->before_context = way;
    return 0;
}

/* ---- going back ---- */

static int put_back(struct way_back *way, const char *id,
                    int (*confirm)(void *context, const struct restore_plan *plan, bool production,
                                   struct error *err),
                    struct restore_report *report, struct error *err)
{
    struct progress progress = {0};
    const struct migration_backup request = request_of(way, &progress);
    struct progress_line *line = progress_line_start(way->door->cli, &progress);
    int result =
        migration_backup_return(way->session.service, &request, id, confirm, way, report, err);
    progress_line_stop(line);
    return result;
}

bool way_back_needed(const struct way_back *way, const struct migrate_door *door,
                     const struct error *err)
{
    return way->id && door->migrator && migrator_left_part(door->migrator) &&
           err->code != ERROR_INTERRUPTED;
}

void way_back_hint(const struct way_back *way, const struct migrate_door *door, struct error *err)
{
    if (way->id && door->migrator && migrator_left_part(door->migrator))
        error_hint(err,
                   "backup %" PRId64 " is from before this run: kedge migrate up goes on, kedge "
                   "migrate down --restore goes back",
                   way->number);
}

static void show_put_back(const struct way_back *way, const struct restore_report *report)
{
    const struct cli *cli = way->door->cli;
    if (console_wants_json(cli)) {
        json_t *object = json_object();
        json_object_set_new(object, "put_back_to", json_integer(way->number));
        json_object_set_new(object, "restore", json_integer(report->number));
        json_object_set_new(object, "way_back", console_json_text(report->way_back));
        console_json(object);
        return;
    }
    console_message("put back to backup %" PRId64
                    ": the database is as it was before this run, and nothing of this run is left "
                    "in it",
                    way->number);
    if (report->safety_text)
        console_note(cli, "what the failure left: %s; kedge undo goes there", report->safety_text);
}

/* What the failure says of going on is no longer true once the database has been put back. */
int way_back_take(struct way_back *way, struct migrate_door *door, struct error *err)
{
    struct restore_report report = {0};
    struct error failure = ERROR_INIT;
    err->hint[0] = '\0';
    int status = migrate_fail(door->cli, err);
    migrate_door_disconnect(door);
    int result = put_back(way, way->id, NULL, &report, &failure);
    if (result == 0) {
        show_put_back(way, &report);
    } else {
        error_prefix(&failure, "putting the database back to backup %" PRId64 " failed",
                     way->number);
        if (!failure.hint[0])
            error_hint(&failure, "kedge restore %" PRId64 " tries again", way->number);
        console_error(door->cli, &failure);
    }
    restore_report_clear(&report);
    return status;
}

/* ---- down --restore ---- */

static int confirm_return(void *context, const struct restore_plan *plan, bool production,
                          struct error *err)
{
    const struct load_preview *preview = &plan->parts[0].preview;
    const struct way_back *way = context;
    const struct cli *cli = way->door->cli;
    SCOPED(string) char *what = mem_format("going back to a backup of %s", preview->target);
    if (confirm_is_forced(cli))
        return 0;
    for (size_t i = 0; i < preview->conflicts.count; i++)
        console_message("  %s", preview->conflicts.items[i]);
    if (confirm_ask(cli, what, "Go back to before them, without all that was written since?", err) <
        0)
        return -1;
    return production ? confirm_ask_production(cli, what, err) : 0;
}

static void show_return(const struct way_back *way, const struct restore_report *report,
                        const char *versions)
{
    char until[32];
    const struct cli *cli = way->door->cli;
    if (console_wants_json(cli)) {
        json_t *object = json_object();
        json_object_set_new(object, "backup", json_string(report->backup_file));
        json_object_set_new(object, "restore", json_integer(report->number));
        json_object_set_new(object, "undone", json_string(versions));
        json_object_set_new(object, "way_back", console_json_text(report->way_back));
        console_json(object);
        return;
    }
    console_result("%s is as it was before %s: restored from %s", report->target, versions,
                   report->backup_file);
    if (report->undo_until_ns) {
        moment_format_local(report->undo_until_ns, until);
        console_note(cli, "kedge undo goes back to what was there until now, until %s", until);
    }
}

static int return_to(struct way_back *way, const struct migration_anchor *anchor, struct error *err)
{
    struct restore_report report = {0};
    const struct cli *cli = way->door->cli;
    SCOPED(string) char *versions = text_list_join(&anchor->versions, ", ");
    if (settings_bool(cli->settings, SETTING_DRY_RUN)) {
        console_result("would go back to backup %s, made before %s", anchor->backup_id, versions);
        return 0;
    }
    console_note(cli, "backup %s was made before %s", anchor->backup_id, versions);
    if (put_back(way, anchor->backup_id, confirm_return, &report, err) < 0)
        return -1;
    show_return(way, &report, versions);
    restore_report_clear(&report);
    return 0;
}

int way_back_down(struct way_back *way, struct migrate_door *door, struct error *err)
{
    struct migration_anchor anchor = {0};
    if (migrate_door_open(door, door->cli, true, err) < 0)
        return -1;
    int result = migrator_anchor(door->migrator, &anchor, err);
    migrate_door_disconnect(door);
    if (result == 0)
        result = return_to(way, &anchor, err);
    migration_anchor_clear(&anchor);
    return result;
}
