/*
 * kedge backup, and db:backup as its document shows it.
 */
#include "service/backup.h"

#include "base/error.h"
#include "base/mem.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/console.h"
#include "cli/progress.h"
#include "cli/session.h"
#include "db/url.h"
#include "io/progress.h"
#include "service/cleanup.h"
#include "service/service.h"
#include "service/settings.h"
#include "service/setup.h"
#include "service/target.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define STATUS_INCOMPLETE 3
#define OLD_RETENTION_DAYS 7

/* ---- what is asked for ---- */

/* What was said louder than in the file wins over the target's own words; what the file says for
 * all fills in where the target says nothing. */
static bool counts(const struct cli *cli, enum setting setting, bool target_says)
{
    enum setting_origin origin = settings_origin(cli->settings, setting, NULL);
    return origin > SETTING_FILE || (origin == SETTING_FILE && !target_says);
}

static void fill_lists(struct cli *cli, struct backup_request *request)
{
    text_list_add_all(&request->tables, settings_list(cli->settings, SETTING_TABLE));
    text_list_add_all(&request->exclude_tables,
                      settings_list(cli->settings, SETTING_EXCLUDE_TABLE));
    text_list_add_all(&request->schemas, settings_list(cli->settings, SETTING_SCHEMA));
    text_list_add_all(&request->exclude, settings_list(cli->settings, SETTING_EXCLUDE));
    text_list_add_all(&request->tags, settings_list(cli->settings, SETTING_TAG));
}

static void clear_request(struct backup_request *request, char *passphrase)
{
    text_list_clear(&request->encrypt);
    text_list_clear(&request->tables);
    text_list_clear(&request->exclude_tables);
    text_list_clear(&request->schemas);
    text_list_clear(&request->exclude);
    text_list_clear(&request->tags);
    if (passphrase)
        mem_wipe(passphrase, strlen(passphrase));
    free(passphrase);
}

/* `passphrase` among the recipients, from the option or the target. */
static int fill_encryption(struct cli *cli, const struct session *session, const char *name,
                           const struct target *target, struct backup_request *request,
                           char **ret_passphrase, struct error *err)
{
    const struct text_list *recipients = settings_list(cli->settings, SETTING_ENCRYPT);
    bool target_says =
        name && (setup_wants_passphrase(session->setup, name) || (target && target->encrypt.count));
    bool passphrase = name && setup_wants_passphrase(session->setup, name);
    if (counts(cli, SETTING_ENCRYPT, target_says)) {
        passphrase = text_list_has(recipients, "passphrase");
        for (size_t i = 0; i < recipients->count; i++)
            if (strcmp(recipients->items[i], "passphrase") != 0)
                text_list_add(&request->encrypt, recipients->items[i]);
    }
    if (passphrase && (request->encrypt.count || (target && target->encrypt.count)))
        return error_set(err, ERROR_USAGE,
                         "a passphrase cannot be mixed with other recipients of one backup");
    if (!passphrase)
        return 0;
    if (session_passphrase(cli, ret_passphrase, err) < 0)
        return -1;
    request->passphrase = *ret_passphrase;
    return 0;
}

static void fill_request(struct cli *cli, const struct target *target,
                         struct backup_request *request)
{
    struct settings *settings = cli->settings;
    request->type = settings_text(settings, SETTING_TYPE);
    if (counts(cli, SETTING_BACKUP_TO, target && target->destinations.count))
        request->to = settings_text(settings, SETTING_BACKUP_TO);
    if (counts(cli, SETTING_COMPRESS, target && target->compress))
        request->compress = settings_text(settings, SETTING_COMPRESS);
    request->retention_days = -1;
    if (counts(cli, SETTING_RETENTION, target && target->retention_days >= 0))
        request->retention_days = settings_integer(settings, SETTING_RETENTION);
    request->logical = text_equal(settings_text(settings, SETTING_FORMAT), "sql");
    request->one_file_system = settings_bool(settings, SETTING_ONE_FILE_SYSTEM);
    request->exclude_caches = settings_bool(settings, SETTING_EXCLUDE_CACHES);
    request->roles = settings_bool(settings, SETTING_ROLES);
    request->max_wait_ms = settings_integer(settings, SETTING_MAX_WAIT);
    request->notes = settings_text(settings, SETTING_NOTES);
    request->jobs = session_jobs(cli);
    request->trigger = "manual";
    fill_lists(cli, request);
}

/* ---- what came of it ---- */

static json_t *json_of_files(const struct backup_report *report)
{
    json_t *array = json_array();
    for (int i = 0; i < report->file_count; i++) {
        json_t *file = json_object();
        json_object_set_new(file, "file", console_json_text(report->files[i].file));
        json_object_set_new(file, "location", console_json_text(report->files[i].location));
        json_object_set_new(file, "size", json_integer((json_int_t)report->files[i].size_bytes));
        json_array_append_new(array, file);
    }
    return array;
}

static void print_report_json(const struct backup_report *report)
{
    json_t *object = json_object();
    json_object_set_new(object, "number", json_integer(report->number));
    json_object_set_new(object, "id", console_json_text(report->id));
    json_object_set_new(object, "target", console_json_text(report->target));
    json_object_set_new(object, "name", console_json_text(report->files[0].file));
    json_object_set_new(object, "file_path", console_json_text(report->files[0].file));
    json_object_set_new(object, "status", json_string("success"));
    json_object_set_new(object, "location", console_json_text(report->files[0].location));
    json_object_set_new(object, "size", json_integer((json_int_t)report->size_bytes));
    json_object_set_new(object, "source_size", json_integer((json_int_t)report->source_bytes));
    json_object_set_new(object, "rows", console_json_count(report->rows));
    json_object_set_new(object, "duration_ms", json_integer(report->duration_ms));
    json_object_set_new(object, "expires", console_json_moment(report->expires_ns));
    json_object_set_new(object, "files", json_of_files(report));
    json_object_set_new(object, "also_at", console_json_list(&report->also_at));
    json_object_set_new(object, "incomplete", json_boolean(report->incomplete));
    json_object_set_new(object, "reasons", console_json_list(&report->reasons));
    json_object_set_new(object, "warnings", console_json_list(&report->warnings));
    console_json(object);
}

/* Deployment scripts read these three lines. */
static void print_report_lines(const struct backup_report *report)
{
    char size[32];
    console_megabytes(report->files[0].size_bytes, " ", size);
    console_result("Backup created successfully: %s", report->files[0].file);
    console_result("Size: %s", size);
    console_result("Location: %s", report->files[0].location);
}

static void print_report(const struct cli *cli, const struct backup_report *report)
{
    if (console_wants_json(cli)) {
        print_report_json(report);
        return;
    }
    print_report_lines(report);
    for (int i = 1; i < report->file_count; i++)
        console_note(cli, "Also: %s", report->files[i].location);
    for (size_t i = 0; i < report->also_at.count; i++)
        console_note(cli, "Copied to: %s", report->also_at.items[i]);
    for (size_t i = 0; i < report->warnings.count; i++)
        console_warning("%s", report->warnings.items[i]);
    if (report->incomplete)
        console_warning("the backup is incomplete");
    for (size_t i = 0; i < report->reasons.count; i++)
        console_warning("%s", report->reasons.items[i]);
}

/* ---- the commands ---- */

static int run_backup(struct cli *cli, struct session *session, struct backup_request *request,
                      struct backup_report *ret_report, struct error *err)
{
    struct progress progress = {0};
    request->progress = &progress;
    SCOPED(progress_line) struct progress_line *line = progress_line_start(cli, &progress);
    int result = backup_run(session->service, request, ret_report, err);
    request->progress = NULL;
    return result;
}

/* What an old spelling does besides; NULL members do nothing. */
struct manner {
    void (*adjust)(struct cli *cli, struct session *session, struct backup_request *request);
    void (*compressed)(struct cli *cli, const struct backup_request *request);
    int (*after)(struct cli *cli, struct session *session, const struct backup_request *request,
                 const struct backup_report *report, struct error *err);
};

/* `name` NULL: the default target. The exit status, or -1. */
static int backup_one(struct cli *cli, struct session *session, const char *name,
                      const struct manner *manner, struct error *err)
{
    if (name && setup_check_target(session->setup, name, err) < 0)
        return -1;
    const struct target *target = name ? setup_target(session->setup, name) : NULL;
    struct backup_request request = {.target = name};
    fill_request(cli, target, &request);
    char *passphrase = NULL;
    struct backup_report report = {0};
    int result = fill_encryption(cli, session, name, target, &request, &passphrase, err);
    if (result == 0 && manner->adjust)
        manner->adjust(cli, session, &request);
    if (result == 0)
        result = run_backup(cli, session, &request, &report, err);
    if (result == 0) {
        if (manner->compressed)
            manner->compressed(cli, &request);
        print_report(cli, &report);
        if (manner->after)
            result = manner->after(cli, session, &request, &report, err);
        if (result == 0 && report.incomplete)
            result = STATUS_INCOMPLETE;
    }
    backup_report_clear(&report);
    clear_request(&request, passphrase);
    return result;
}

/* The arguments, else all configured targets, else the default one (an entry of NULL). */
static size_t choose_targets(const struct cli *cli, const struct session *session,
                             char *const **ret_names)
{
    static char *const only_default[] = {NULL};
    const struct text_list *configured = setup_target_names(session->setup);
    bool said = settings_origin(cli->settings, SETTING_DATABASE, NULL) == SETTING_OPTION;
    if (cli->arguments.count) {
        *ret_names = cli->arguments.items;
        return cli->arguments.count;
    }
    if (configured->count && !said) {
        *ret_names = configured->items;
        return configured->count;
    }
    *ret_names = only_default;
    return 1;
}

int command_backup(struct cli *cli, struct error *err)
{
    static const struct manner plain = {0};
    SCOPED(session) struct session session = SESSION_INIT;
    if (session_open(cli, true, &session, err) < 0)
        return -1;
    char *const *names = NULL;
    size_t count = choose_targets(cli, &session, &names);
    int status = 0;
    for (size_t i = 0; i < count; i++) {
        struct error failure = ERROR_INIT;
        int result = backup_one(cli, &session, names[i], &plain, &failure);
        if (result < 0 && (count == 1 || failure.code == ERROR_INTERRUPTED)) {
            *err = failure;
            return -1;
        }
        if (result < 0) {
            /* One that fails must not keep the others from being saved. */
            error_prefix(&failure, "%s", names[i]);
            console_error(cli, &failure);
            result = error_exit_status(failure.code);
        }
        if (status == 0 || status == STATUS_INCOMPLETE)
            status = result ? result : status;
    }
    return status;
}

/* ---- db:backup ---- */

static void say_beginning(struct cli *cli, struct session *session, const char *name)
{
    struct target target = {.retention_days = -1};
    struct error ignored = ERROR_INIT;
    session_say(cli, "Starting database backup...");
    if (service_target(session->service, name, &target, &ignored) < 0)
        return;
    const char *database =
        target.has_database && target.url.engine != DB_SQLITE ? target.url.database : target.name;
    session_say(cli, "Backing up database: %s", database ? database : target.name);
    if (target.has_database)
        session_say(cli, "Connection: %s", db_engine_name(target.url.engine));
    target_clear(&target);
}

static void adjust_old(struct cli *cli, struct session *session, struct backup_request *request)
{
    say_beginning(cli, session, request->target);
    if (settings_origin(cli->settings, SETTING_COMPRESS, NULL) <= SETTING_FILE)
        request->compress = "none";
    if (settings_origin(cli->settings, SETTING_FORMAT, NULL) == SETTING_DEFAULT)
        request->logical = true;
    if (request->retention_days < 0)
        request->retention_days = OLD_RETENTION_DAYS;
    if (!text_equal(request->compress, "none"))
        session_say(cli, "Compressing backup...");
}

static void say_compressed(struct cli *cli, const struct backup_request *request)
{
    if (!text_equal(request->compress, "none"))
        session_say(cli, "Backup compressed successfully");
}

static int clean_up_after(struct cli *cli, struct session *session,
                          const struct backup_request *request, const struct backup_report *report,
                          struct error *err)
{
    if (request->retention_days > 0) {
        session_say(cli, "Cleaning up backups older than %" PRId64 " days...",
                    request->retention_days);
        const struct cleanup_request cleanup = {.target = report->target};
        struct cleanup_report removed = {0};
        if (cleanup_run(session->service, &cleanup, &removed, err) < 0)
            return error_prefix(err, "clean up after the backup");
        if (removed.backups)
            session_say(cli, "✓ Removed %" PRIu64 " old backup%s", removed.backups,
                        removed.backups == 1 ? "" : "s");
        else
            session_say(cli, "✓ No old backups to remove");
    }
    session_say(cli, "✓ Backup completed successfully");
    return 0;
}

int command_old_backup(struct cli *cli, struct error *err)
{
    static const struct manner old = {adjust_old, say_compressed, clean_up_after};
    SCOPED(session) struct session session = SESSION_INIT;
    if (session_open(cli, true, &session, err) < 0)
        return -1;
    char *const *names = NULL;
    size_t count = choose_targets(cli, &session, &names);
    int status = 0;
    for (size_t i = 0; i < count && status == 0; i++)
        status = backup_one(cli, &session, names[i], &old, err);
    return status;
}
