/*
 * kedge migrate lint: what in migrations locks, rewrites or loses data, said before they run.
 */
#include "base/file.h"
#include "cli/commands.h"
#include "cli/console.h"
#include "cli/migrate.h"
#include "db/url.h"
#include "migrate/lint.h"
#include "service/settings.h"

#include <string.h>

static const char *level_of(const struct lint_rule *rule)
{
    return rule->level == LINT_ERROR ? "error" : "warning";
}

/* ---- the rules ---- */

static json_t *rule_json(const struct lint_rule *rule)
{
    static const enum db_engine engines[] = {DB_POSTGRES, DB_MYSQL, DB_SQLITE};
    json_t *object = json_object();
    json_t *dialects = json_array();
    SCOPED(string) char *document = mem_format("%s#%s", LINT_DOCUMENT, rule->name);
    for (size_t i = 0; i < 3; i++)
        if (rule->engines & (1u << engines[i]))
            json_array_append_new(dialects, json_string(db_engine_name(engines[i])));
    json_object_set_new(object, "rule", json_string(rule->name));
    json_object_set_new(object, "level", json_string(level_of(rule)));
    json_object_set_new(object, "dialects", dialects);
    json_object_set_new(object, "reason", json_string(rule->reason));
    json_object_set_new(object, "alternative", json_string(rule->alternative));
    json_object_set_new(object, "documentation", json_string(document));
    return object;
}

static void list_rules(const struct cli *cli)
{
    const struct lint_rule *rule = NULL;
    for (size_t i = 0; (rule = lint_rule_at(i)) != NULL; i++) {
        if (console_wants_json(cli))
            console_json(rule_json(rule));
        else
            console_result("%-30s %-8s %s", rule->name, level_of(rule), rule->reason);
    }
}

/* ---- what was found ---- */

static void show_json(const struct lint_finding *finding)
{
    json_t *object = json_object();
    SCOPED(string) char *document = mem_format("%s#%s", LINT_DOCUMENT, finding->rule->name);
    json_object_set_new(object, "file", console_json_text(finding->path));
    json_object_set_new(object, "line", json_integer((json_int_t)finding->line));
    json_object_set_new(object, "column", json_integer((json_int_t)finding->column));
    json_object_set_new(object, "level", json_string(level_of(finding->rule)));
    json_object_set_new(object, "rule", json_string(finding->rule->name));
    json_object_set_new(object, "message", console_json_text(finding->message));
    json_object_set_new(object, "alternative", json_string(finding->rule->alternative));
    json_object_set_new(object, "documentation", json_string(document));
    console_json(object);
}

/* The exit status. */
static int show(const struct cli *cli, const struct lint_findings *findings, size_t migrations)
{
    size_t counts[2] = {0, 0};
    for (size_t i = 0; i < findings->count; i++) {
        const struct lint_finding *finding = &findings->items[i];
        counts[finding->rule->level]++;
        if (console_wants_json(cli)) {
            show_json(finding);
            continue;
        }
        console_result("%s:%zu:%zu: %s [%s] %s", finding->path, finding->line, finding->column,
                       level_of(finding->rule), finding->rule->name, finding->message);
        console_result("    hint: %s", finding->rule->alternative);
    }
    size_t errors = counts[LINT_ERROR];
    size_t warnings = counts[LINT_WARNING];
    if (!console_wants_json(cli))
        console_result("%zu error%s, %zu warning%s in %zu migration%s", errors,
                       errors == 1 ? "" : "s", warnings, warnings == 1 ? "" : "s", migrations,
                       migrations == 1 ? "" : "s");
    bool strict = settings_bool(cli->settings, SETTING_MIGRATIONS_STRICT);
    return errors || (strict && warnings) ? 1 : 0;
}

/* ---- what is judged ---- */

static int find_engine(struct cli *cli, enum db_engine *ret_engine, struct error *err)
{
    SCOPED(db_url) struct db_url url = DB_URL_INIT;
    const char *dialect = settings_text(cli->settings, SETTING_MIGRATIONS_DIALECT);
    if (dialect) {
        *ret_engine = dialect[0] == 'p' ? DB_POSTGRES : dialect[0] == 's' ? DB_SQLITE : DB_MYSQL;
        return 0;
    }
    if (migrate_find_database(cli, &url, err) < 0)
        return error_hint(err, "--dialect postgres, mysql, mariadb or sqlite needs no database");
    *ret_engine = url.engine;
    return 0;
}

static bool is_path(const char *argument)
{
    return strchr(argument, '/') || text_ends(argument, ".sql");
}

/* The first argument that is not done yet and all others of its folder. Versions are looked for in
 * the configured one. */
static char *next_folder(const struct cli *cli, struct text_list *arguments,
                         struct text_list *wanted)
{
    char *folder = NULL;
    for (size_t i = 0; i < arguments->count; i++) {
        const char *argument = arguments->items[i];
        if (!argument[0])
            continue;
        char *own = is_path(argument)
                        ? path_folder(argument)
                        : mem_string(settings_text(cli->settings, SETTING_MIGRATIONS_PATH));
        if (!folder || strcmp(folder, own) == 0) {
            text_list_add(wanted, argument);
            arguments->items[i][0] = '\0';
        }
        if (!folder)
            folder = STEAL(own);
        mem_free_string(own);
    }
    return folder;
}

static int lint_one_folder(const struct lint_request *request, struct lint_findings *findings,
                           size_t *count, struct error *err)
{
    SCOPED(text_list) struct text_list warnings = TEXT_LIST_INIT;
    size_t more = 0;
    if (lint_folder(request, findings, &more, &warnings, err) < 0)
        return -1;
    *count += more;
    for (size_t i = 0; i < warnings.count; i++)
        console_warning("%s", warnings.items[i]);
    return 0;
}

static int lint_arguments(struct cli *cli, enum db_engine engine, struct lint_findings *findings,
                          size_t *count, struct error *err)
{
    SCOPED(text_list) struct text_list left = TEXT_LIST_INIT;
    struct lint_request request = {.folder = migrate_folder(cli, engine), .wanted = &left};
    if (!cli->arguments.count)
        return lint_one_folder(&request, findings, count, err);
    for (size_t i = 0; i < cli->arguments.count; i++)
        text_list_add(&left, cli->arguments.items[i]);
    for (;;) {
        SCOPED(text_list) struct text_list wanted = TEXT_LIST_INIT;
        SCOPED(string) char *folder = next_folder(cli, &left, &wanted);
        if (!folder)
            return 0;
        request.folder.path = folder;
        request.wanted = &wanted;
        if (lint_one_folder(&request, findings, count, err) < 0)
            return -1;
    }
}

int command_migrate_lint(struct cli *cli, struct error *err)
{
    SCOPED(lint_findings) struct lint_findings findings = LINT_FINDINGS_INIT;
    enum db_engine engine = DB_SQLITE;
    size_t count = 0;
    if (settings_bool(cli->settings, SETTING_MIGRATIONS_LIST_RULES)) {
        list_rules(cli);
        return 0;
    }
    if (find_engine(cli, &engine, err) < 0 ||
        lint_arguments(cli, engine, &findings, &count, err) < 0)
        return migrate_fail(cli, err);
    return show(cli, &findings, count);
}
