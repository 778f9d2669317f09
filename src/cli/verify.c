/*
 * kedge verify: prove a backup, or all of them.
 */
#include "service/verify.h"

#include "base/error.h"
#include "base/mem.h"
#include "cli/commands.h"
#include "cli/console.h"
#include "cli/progress.h"
#include "cli/session.h"
#include "io/progress.h"
#include "service/service.h"
#include "service/settings.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char *const level_names[] = {"stored", "hashed", "decoded", "restored"};

static void print_json_report(const struct verify_report *report, const struct error *failure)
{
    json_t *object = json_object();
    json_object_set_new(object, "number",
                        report->number ? json_integer(report->number) : json_null());
    json_object_set_new(object, "id", console_json_text(report->id));
    json_object_set_new(object, "name", console_json_text(report->file));
    json_object_set_new(object, "passed", json_boolean(failure->code == ERROR_NONE));
    json_object_set_new(object, "level",
                        report->level < 0 ? json_null() : json_integer(report->level));
    json_object_set_new(object, "verified_level",
                        report->level < 0 ? json_null() : json_integer(report->level));
    json_object_set_new(object, "size", json_integer((json_int_t)report->stored_bytes));
    json_object_set_new(object, "rows", console_json_count(report->rows));
    json_object_set_new(object, "duration_ms", json_integer(report->duration_ms));
    json_object_set_new(object, "error",
                        console_json_text(failure->code == ERROR_NONE ? NULL : failure->message));
    console_json(object);
}

static void print_report(const struct cli *cli, const struct verify_report *report,
                         const struct error *failure)
{
    if (console_wants_json(cli)) {
        print_json_report(report, failure);
        return;
    }
    for (size_t i = 0; i < report->warnings.count; i++)
        console_warning("%s: %s", report->file, report->warnings.items[i]);
    if (failure->code != ERROR_NONE) {
        console_result("✗ %s: %s", report->file ? report->file : "backup", failure->message);
        return;
    }
    char size[32];
    char rows[32] = "";
    text_format_size(report->stored_bytes, size);
    if (report->rows != UINT64_MAX) /* an image is not counted */
        snprintf(rows, sizeof rows, ", %" PRIu64 " %s", report->rows,
                 strstr(report->file, ".tar") ? "entries" : "rows");
    console_result("✓ %s: level %d (%s), %s%s", report->file, report->level,
                   report->level >= 0 ? level_names[report->level] : "nothing", size, rows);
}

struct all {
    struct cli *cli;
    struct progress_line *line;
};

static void print_each(void *context, const struct verify_report *report,
                       const struct error *failure)
{
    struct all *all = context;
    progress_line_pause(all->line);
    print_report(all->cli, report, failure);
    progress_line_resume(all->line);
}

static int verify_one(struct cli *cli, struct session *session,
                      const struct verify_request *request, struct error *err)
{
    struct verify_report report = {.level = -1};
    SCOPED(progress_line) struct progress_line *line = progress_line_start(cli, request->progress);
    int result = verify_run(session->service, request, &report, err);
    progress_line_stop(STEAL(line));
    if (result < 0 && (err->code != ERROR_CORRUPT || !report.file))
        session_not_found(cli, session, request->backup, err);
    else if (result == 0 || console_wants_json(cli))
        print_report(cli, &report, err);
    verify_report_clear(&report);
    return result;
}

int command_verify(struct cli *cli, struct error *err)
{
    SCOPED(session) struct session session = SESSION_INIT;
    SCOPED(session_keys) struct session_keys keys = {0};
    bool all_of_them = settings_bool(cli->settings, SETTING_ALL);
    if (all_of_them && session_backup(cli))
        return error_set(err, ERROR_USAGE, "kedge verify: either BACKUP or --all");
    if (session_read_keys(cli, &keys, err) < 0 || session_open(cli, true, &session, err) < 0)
        return -1;
    struct progress progress = {0};
    struct verify_request request = {
        .backup = session_backup(cli),
        .from = settings_text(cli->settings, SETTING_FROM),
        .level = (int)settings_integer(cli->settings, SETTING_LEVEL),
        .jobs = session_jobs(cli),
        .keys = &keys.keys,
        .progress = &progress,
    };
    if (!all_of_them)
        return verify_one(cli, &session, &request, err);
    SCOPED(progress_line) struct progress_line *line = progress_line_start(cli, &progress);
    struct all all = {.cli = cli, .line = line};
    return verify_all(session.service, &request, print_each, &all, err);
}
