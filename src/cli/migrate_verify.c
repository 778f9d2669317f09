/*
 * kedge migrate verify: whether each Down undoes its Up, tried in a scratch database.
 */
#include "base/error.h"
#include "cli/commands.h"
#include "cli/console.h"
#include "cli/migrate.h"
#include "db/url.h"
#include "migrate/verify.h"
#include "service/secret_text.h"
#include "service/settings.h"

#include <string.h>

static const char *outcome_name(enum verify_outcome outcome)
{
    static const char *const names[] = {"good", "no down", "different", "different again",
                                        "failed"};
    return names[outcome];
}

static void show_json(const struct verify_result *result)
{
    json_t *object = json_object();
    json_t *lines = json_array();
    for (size_t i = 0; i < result->lines->count; i++)
        json_array_append_new(lines, json_string(result->lines->items[i]));
    json_object_set_new(object, "version", json_string(result->version));
    json_object_set_new(object, "name", json_string(result->name));
    json_object_set_new(object, "outcome", json_string(outcome_name(result->outcome)));
    json_object_set_new(object, "message", console_json_text(result->message));
    json_object_set_new(object, "difference", lines);
    console_json(object);
}

static const char *sentence_of(enum verify_outcome outcome)
{
    static const char *const sentences[] = {
        "Down undoes Up",
        "has no Down",
        "Down does not undo Up; before (-) and after (+):",
        "a second Up makes another schema than the first; first (-) and second (+):",
        "fails",
    };
    return sentences[outcome];
}

static void on_result(void *context, const struct verify_result *result)
{
    const struct cli *cli = context;
    if (console_wants_json(cli)) {
        show_json(result);
        return;
    }
    SCOPED(string) char *title = migrate_title(result->name);
    console_result("%s %s: %s%s%s", result->version, title, sentence_of(result->outcome),
                   result->message ? ": " : "", result->message ? result->message : "");
    for (size_t i = 0; i < result->lines->count; i++)
        console_result("  %s", result->lines->items[i]);
}

static int verify(struct cli *cli, struct verify_counts *counts, struct error *err)
{
    SCOPED(db_url) struct db_url url = DB_URL_INIT;
    SCOPED(db_url) struct db_url scratch = DB_URL_INIT;
    SCOPED(secret_text) char *named = NULL;
    if (migrate_find_database(cli, &url, err) < 0 ||
        settings_secret(cli->settings, SETTING_MIGRATIONS_SCRATCH, &named, err) < 0)
        return -1;
    if (named && db_url_parse(named, &scratch, err) < 0)
        return error_prefix(err, "--scratch-url");
    const struct migration_folder folder = migrate_folder(cli, url.engine);
    const struct verify_options options = {
        .os = cli->os,
        .url = &url,
        .scratch = named ? &scratch : NULL,
        .folder = &folder,
        .history_table = settings_text(cli->settings, SETTING_MIGRATIONS_TABLE),
        .version = cli->arguments.count ? cli->arguments.items[0] : NULL,
        .notify = on_result,
        .context = cli,
    };
    return migration_verify_run(&options, counts, err);
}

int command_migrate_verify(struct cli *cli, struct error *err)
{
    struct verify_counts counts = {{0}};
    if (verify(cli, &counts, err) < 0)
        return migrate_fail(cli, err);
    size_t bad = counts.of[VERIFY_DIFFERENT] + counts.of[VERIFY_AGAIN] + counts.of[VERIFY_FAILED];
    if (settings_bool(cli->settings, SETTING_MIGRATIONS_REQUIRE_DOWN))
        bad += counts.of[VERIFY_NO_DOWN];
    if (!console_wants_json(cli))
        console_note(cli, "%zu good, %zu without Down, %zu bad", counts.of[VERIFY_GOOD],
                     counts.of[VERIFY_NO_DOWN],
                     counts.of[VERIFY_DIFFERENT] + counts.of[VERIFY_AGAIN] +
                         counts.of[VERIFY_FAILED]);
    return bad ? 1 : 0;
}
