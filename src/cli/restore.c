/*
 * kedge restore, with the lines and questions of the old document.
 */
#include "service/restore.h"

#include "base/error.h"
#include "base/mem.h"
#include "base/moment.h"
#include "cli/commands.h"
#include "cli/confirm.h"
#include "cli/console.h"
#include "cli/progress.h"
#include "cli/session.h"
#include "io/progress.h"
#include "service/lookup.h"
#include "service/service.h"
#include "service/settings.h"
#include "service/setup.h"
#include "service/verify.h"
#include "source/source.h"
#include "store/store.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct run {
    struct cli *cli;
    const struct restore_request *request;
    struct progress_line *line;
};

/* ---- --verify ---- */

static void say_decoded(const struct cli *cli, const char *file)
{
    if (text_ends(file, ".age"))
        session_say(cli, "  ✓ Decryption verified");
    if (strstr(file, ".gz"))
        session_say(cli, "  ✓ Gzip integrity verified");
    else if (strstr(file, ".zst"))
        session_say(cli, "  ✓ Zstd integrity verified");
    if (strstr(file, ".sqlite3"))
        session_say(cli, "  ✓ SQLite content verified");
    else if (strstr(file, ".tar"))
        session_say(cli, "  ✓ Archive content verified");
    else
        session_say(cli, "  ✓ SQL content verified");
}

static void say_verified(const struct cli *cli, const struct verify_report *report)
{
    char size[32];
    console_megabytes(report->stored_bytes, "", size);
    session_say(cli, "  File size: %s", size);
    say_decoded(cli, report->file);
    for (size_t i = 0; i < report->warnings.count; i++)
        console_warning("%s", report->warnings.items[i]);
    session_say(cli, "✓ Backup verification passed");
}

static int verify_first(struct cli *cli, struct session *session,
                        const struct restore_request *request, struct error *err)
{
    struct progress progress = {0};
    const struct verify_request verify = {.backup = request->backup,
                                          .from = request->from,
                                          .level = 2,
                                          .jobs = request->jobs,
                                          .keys = request->keys,
                                          .progress = &progress};
    struct verify_report report = {.level = -1};
    session_say(cli, "Verifying backup integrity...");
    struct progress_line *line = progress_line_start(cli, &progress);
    int result = verify_run(session->service, &verify, &report, err);
    progress_line_stop(line);
    if (result == 0)
        say_verified(cli, &report);
    verify_report_clear(&report);
    return result;
}

/* ---- the questions ---- */

/* The name of a database from its address: what follows the server. To be freed; other targets are
 * themselves. */
static char *name_of_target(const char *target)
{
    const char *scheme = strstr(target, "://");
    const char *slash = scheme ? strchr(scheme + 3, '/') : NULL;
    if (!slash || !slash[1])
        return mem_string(target);
    return mem_string_n(slash + 1, strcspn(slash + 1, "?"));
}

static bool is_files(const struct restore_plan_part *part)
{
    return strcmp(part->type, "files") == 0;
}

/* Single tables are chosen here, or were when the backup was made; files only here. */
static const char *what_is_replaced(const struct restore_request *request,
                                    const struct restore_plan_part *part)
{
    if (is_files(part))
        return request->include.count || request->leaves_out ? "the chosen files"
               : part->preview.merges                        ? "files of the same names"
                                                             : "all data";
    return request->tables.count || text_starts(part->preview.target, "tables of ")
               ? "the chosen tables"
               : "all data";
}

static void say_replaced(const struct cli *cli, const struct restore_request *request,
                         const struct restore_plan_part *part)
{
    const struct load_preview *preview = &part->preview;
    SCOPED(string) char *name = name_of_target(preview->target);
    session_tell(cli, "⚠️  WARNING: This will REPLACE %s in %s'%s'",
                 what_is_replaced(request, part), is_files(part) ? "" : "database ", name);
    if (preview->rows != UINT64_MAX && preview->objects)
        console_note(cli, "There now: %" PRIu64 " objects, %" PRIu64 " rows", preview->objects,
                     preview->rows);
    if (preview->merges && preview->restored_objects)
        console_note(cli, "%" PRIu64 " entries come, in place of %" PRIu64 " that are there",
                     preview->restored_objects, preview->objects);
    for (size_t i = 0; i < preview->conflicts.count; i++)
        session_tell(cli, "   %s", preview->conflicts.items[i]);
}

static void say_warning(const struct cli *cli, const struct restore_request *request,
                        const struct restore_plan *plan)
{
    for (size_t i = 0; i < plan->count; i++)
        if (plan->parts[i].preview.exists)
            say_replaced(cli, request, &plan->parts[i]);
    if (plan->left_out)
        session_tell(cli, "   The %s of this backup %s not restored", plan->left_out,
                     strcmp(plan->left_out, "files") == 0 ? "are" : "is");
    session_tell(cli, "%s", "");
}

static int decline(struct error *err)
{
    if (err->code == ERROR_DECLINED && text_starts(err->message, "declined"))
        error_set(err, ERROR_DECLINED, "Restore cancelled.");
    return -1;
}

static int ask(const struct run *run, const struct restore_plan *plan, bool production,
               struct error *err)
{
    const struct cli *cli = run->cli;
    bool both = plan->count > 1;
    SCOPED(string)
    char *what = mem_format("replacing %s%s%s", plan->parts[0].preview.target, both ? " and " : "",
                            both ? plan->parts[1].preview.target : "");
    if (confirm_is_forced(cli))
        return 0;
    say_warning(cli, run->request, plan);
    if (confirm_ask(cli, what, "Are you sure you want to restore from this backup?", err) < 0)
        return decline(err);
    if (production && confirm_ask_production(cli, what, err) < 0)
        return decline(err);
    return 0;
}

static bool replaces(const struct restore_plan *plan)
{
    bool exists = false;
    for (size_t i = 0; i < plan->count; i++)
        exists |= plan->parts[i].preview.exists;
    return exists;
}

static int confirm(void *context, const struct restore_plan *plan, bool production,
                   struct error *err)
{
    const struct run *run = context;
    if (!replaces(plan))
        return 0;
    progress_line_pause(run->line);
    int result = ask(run, plan, production, err);
    progress_line_resume(run->line);
    return result;
}

static void note(void *context, const char *text)
{
    const struct run *run = context;
    progress_line_pause(run->line);
    console_note(run->cli, "%s", text);
    progress_line_resume(run->line);
}

/* ---- what came of it ---- */

/* A sum with what was not counted was not counted. */
static void add_count(uint64_t *sum, uint64_t count)
{
    *sum = *sum == UINT64_MAX || count == UINT64_MAX ? UINT64_MAX : *sum + count;
}

static json_t *json_of_restored(const struct load_preview *preview, uint64_t count)
{
    return console_json_count(preview->restored_objects ? count : UINT64_MAX);
}

/* What is replaced, of one part or (`parts`) of all together. */
static void set_replaced(json_t *object, const struct restore_plan_part *parts, size_t count)
{
    struct load_preview sum = {.rows = UINT64_MAX};
    json_t *conflicts = json_array();
    for (size_t i = 0; i < count; i++) {
        const struct load_preview *preview = &parts[i].preview;
        sum.exists |= preview->exists;
        add_count(&sum.objects, preview->objects);
        add_count(&sum.bytes, preview->bytes);
        sum.restored_objects += preview->restored_objects;
        sum.restored_bytes += preview->restored_bytes;
        if (preview->rows != UINT64_MAX)
            sum.rows = preview->rows;
        for (size_t k = 0; k < preview->conflicts.count; k++)
            json_array_append_new(conflicts, console_json_text(preview->conflicts.items[k]));
    }
    json_object_set_new(object, "exists", json_boolean(sum.exists));
    json_object_set_new(object, "objects_replaced", console_json_count(sum.objects));
    json_object_set_new(object, "rows_replaced", console_json_count(sum.rows));
    json_object_set_new(object, "bytes_replaced", console_json_count(sum.bytes));
    json_object_set_new(object, "objects_restored", json_of_restored(&sum, sum.restored_objects));
    json_object_set_new(object, "bytes_restored", json_of_restored(&sum, sum.restored_bytes));
    json_object_set_new(object, "conflicts", conflicts);
}

static json_t *json_of_parts(const struct restore_plan *plan)
{
    json_t *parts = json_array();
    for (size_t i = 0; i < plan->count; i++) {
        json_t *part = json_object();
        json_object_set_new(part, "type", json_string(plan->parts[i].type));
        json_object_set_new(part, "backup", console_json_text(plan->parts[i].file));
        json_object_set_new(part, "target", console_json_text(plan->parts[i].preview.target));
        set_replaced(part, &plan->parts[i], 1);
        json_array_append_new(parts, part);
    }
    return parts;
}

static void print_json_report(const struct restore_report *report, bool dry_run)
{
    json_t *object = json_object();
    json_object_set_new(object, "dry_run", json_boolean(dry_run));
    json_object_set_new(object, "number",
                        report->number ? json_integer(report->number) : json_null());
    json_object_set_new(object, "id", console_json_text(report->id));
    json_object_set_new(object, "backup", console_json_text(report->backup_file));
    json_object_set_new(object, "target", console_json_text(report->target));
    set_replaced(object, report->plan.parts, report->plan.count);
    json_object_set_new(object, "parts", json_of_parts(&report->plan));
    json_object_set_new(object, "left_out", console_json_text(report->plan.left_out));
    if (!dry_run) {
        json_object_set_new(object, "rows", console_json_count(report->rows));
        json_object_set_new(object, "bytes", console_json_count(report->bytes));
        json_object_set_new(object, "duration_ms", json_integer(report->duration_ms));
        json_object_set_new(object, "safety", console_json_text(report->safety_kind));
        json_object_set_new(object, "safety_backup", console_json_text(report->safety_text));
        json_object_set_new(object, "way_back", console_json_text(report->way_back));
        json_object_set_new(object, "undo_until", console_json_moment(report->undo_until_ns));
    }
    console_json(object);
}

/* "Would restore 3 entries, 12.1 MB, ..."; of files that go among others. */
static void print_merge(const struct restore_plan_part *part)
{
    const struct load_preview *preview = &part->preview;
    char come[32], go[32];
    text_format_size(preview->restored_bytes, come);
    text_format_size(preview->bytes, go);
    if (!preview->objects)
        console_result("Would restore %" PRIu64
                       " entries, %s, of %s into %s; nothing there is replaced",
                       preview->restored_objects, come, part->file, preview->target);
    else
        console_result("Would restore %" PRIu64 " entries, %s, of %s into %s, in place of %" PRIu64
                       " objects, %s",
                       preview->restored_objects, come, part->file, preview->target,
                       preview->objects, go);
}

static void print_plan_part(const struct restore_plan_part *part)
{
    const struct load_preview *preview = &part->preview;
    char size[32];
    text_format_size(preview->bytes, size);
    if (preview->merges && preview->restored_objects)
        print_merge(part);
    else if (!preview->exists)
        console_result("Would restore %s into %s; nothing is there now", part->file,
                       preview->target);
    else if (preview->rows == UINT64_MAX)
        console_result("Would replace %s: %" PRIu64 " objects, %s", preview->target,
                       preview->objects, size);
    else
        console_result("Would replace %s: %" PRIu64 " objects, %" PRIu64 " rows, %s",
                       preview->target, preview->objects, preview->rows, size);
    for (size_t i = 0; i < preview->conflicts.count; i++)
        console_result("Conflict: %s", preview->conflicts.items[i]);
}

/* "The files of this backup were left as they are: ..." */
static char *left_out_text(const char *type, bool dry_run)
{
    bool files = strcmp(type, "files") == 0;
    const char *verb = dry_run ? files ? "stay as they are" : "stays as it is"
                       : files ? "were left as they are"
                               : "was left as it is";
    return mem_format("The %s of this backup %s; kedge restore BACKUP --type %s restores %s", type,
                      verb, type, files ? "them" : "it");
}

static void print_plan(const struct restore_plan *plan)
{
    for (size_t i = 0; i < plan->count; i++)
        print_plan_part(&plan->parts[i]);
    if (plan->left_out) {
        SCOPED(string) char *text = left_out_text(plan->left_out, true);
        console_result("%s", text);
    }
}

static void print_done_part(const struct restore_plan_part *part, const char *duration)
{
    char rows[32] = "";
    if (part->restored) /* an image is not counted */
        snprintf(rows, sizeof rows, ", %" PRIu64 " %s", part->restored,
                 is_files(part) ? "entries" : "rows");
    console_result("✓ Restored %s into %s%s in %s", part->file, part->preview.target, rows,
                   duration);
}

static void print_done(const struct cli *cli, const struct restore_report *report)
{
    char duration[32];
    text_format_duration(report->duration_ms, duration);
    for (size_t i = 0; i < report->plan.count; i++)
        print_done_part(&report->plan.parts[i], duration);
    if (report->plan.left_out) {
        SCOPED(string) char *text = left_out_text(report->plan.left_out, false);
        session_tell(cli, "%s", text);
    }
    if (report->safety_text)
        console_note(cli, "What was there is in %s", report->safety_text);
    if (report->way_back) {
        char until[32];
        moment_format_local(report->undo_until_ns, until);
        console_note(cli, "kedge undo goes back to before, until %s", until);
    }
}

/* ---- the command ---- */

static int fill_request(struct cli *cli, struct restore_request *request, struct error *err)
{
    struct settings *settings = cli->settings;
    request->backup = session_backup(cli);
    request->from = settings_text(settings, SETTING_FROM);
    request->to = settings_text(settings, SETTING_RESTORE_TO);
    request->connection = settings_text(settings, SETTING_CONNECTION);
    request->type = settings_text(settings, SETTING_RESTORE_TYPE);
    request->leaves_out = settings_origin(settings, SETTING_EXCLUDE, NULL) == SETTING_OPTION;
    request->dry_run = settings_bool(settings, SETTING_DRY_RUN);
    request->cascade = settings_bool(settings, SETTING_CASCADE);
    request->force = confirm_is_forced(cli);
    request->no_owner = settings_bool(settings, SETTING_NO_OWNER);
    request->no_tablespaces = settings_bool(settings, SETTING_NO_TABLESPACES);
    request->max_statement_bytes =
        (size_t)settings_integer(settings, SETTING_MAX_STATEMENT_MB) * 1000000;
    request->devices = settings_bool(settings, SETTING_DEVICES);
    request->role = settings_text(settings, SETTING_ROLE);
    request->jobs = session_jobs(cli);
    text_list_add_all(&request->tables, settings_list(settings, SETTING_TABLE));
    text_list_add_all(&request->include, settings_list(settings, SETTING_INCLUDE));
    text_list_add_all(&request->exclude, settings_list(settings, SETTING_EXCLUDE));
    if (request->to && request->connection)
        return error_set(err, ERROR_USAGE, "--to and --connection both say where to restore to");
    return safety_parse(settings_text(settings, SETTING_SAFETY), &request->safety, err);
}

/* --database and its parts name the target too. */
static void fill_target(const struct cli *cli, const struct session *session,
                        struct restore_request *request)
{
    bool said = settings_origin(cli->settings, SETTING_DATABASE, NULL) == SETTING_OPTION;
    if (!request->to && !request->connection && said)
        request->to = setup_options(session->setup)->default_target;
}

static int find_backup(struct cli *cli, struct session *session,
                       const struct restore_request *request, struct error *err)
{
    struct located located = {0};
    if (lookup_backup(session->service, request->backup, request->from, &located, err) < 0)
        return session_not_found(cli, session, request->backup, err);
    SCOPED(string) char *location = store_location(located.store, located.file);
    session_say(cli, "Found backup: %s", location);
    located_clear(&located);
    return 0;
}

static int restore(struct cli *cli, struct session *session, struct restore_request *request,
                   struct restore_report *report, struct error *err)
{
    struct progress progress = {0};
    SCOPED(progress_line) struct progress_line *line = progress_line_start(cli, &progress);
    struct run run = {.cli = cli, .request = request, .line = line};
    request->progress = &progress;
    request->confirm = confirm;
    request->note = note;
    request->context = &run;
    return restore_run(session->service, request, report, err);
}

int command_restore(struct cli *cli, struct error *err)
{
    struct restore_request request = {0};
    struct restore_report report = {0};
    SCOPED(session) struct session session = SESSION_INIT;
    SCOPED(session_keys) struct session_keys keys = {0};
    int result = fill_request(cli, &request, err);
    if (result == 0)
        result = session_read_keys(cli, &keys, err);
    request.keys = &keys.keys;
    if (result == 0)
        result = session_open(cli, true, &session, err);
    if (result == 0 && request.connection)
        result = setup_check_target(session.setup, request.connection, err);
    if (result == 0)
        result = find_backup(cli, &session, &request, err);
    if (result == 0 && settings_bool(cli->settings, SETTING_VERIFY))
        result = verify_first(cli, &session, &request, err);
    if (result == 0) {
        fill_target(cli, &session, &request);
        result = restore(cli, &session, &request, &report, err);
    }
    if (result == 0 && console_wants_json(cli))
        print_json_report(&report, request.dry_run);
    else if (result == 0 && request.dry_run)
        print_plan(&report.plan);
    else if (result == 0)
        print_done(cli, &report);
    restore_report_clear(&report);
    text_list_clear(&request.tables);
    text_list_clear(&request.include);
    text_list_clear(&request.exclude);
    return result;
}
