#include "cli/session.h"

#include "base/error.h"
#include "base/mem.h"
#include "base/moment.h"
#include "base/os.h"
#include "catalog/backup_list.h"
#include "catalog/backups.h"
#include "cli/commands.h"
#include "cli/console.h"
#include "crypto/age.h"
#include "crypto/secret.h"
#include "service/service.h"
#include "service/settings.h"
#include "service/setup.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define AVAILABLE_SHOWN 50
#define KEY_FILE_MAXIMUM ((size_t)1 << 20)

static enum service_use use_of(const struct command *command)
{
    if (command->flags & COMMAND_REBUILDS)
        return SERVICE_REBUILDS;
    return command->flags & COMMAND_READS ? SERVICE_READS : SERVICE_WRITES;
}

static struct service_options options_of(const struct cli *cli, const struct session *session)
{
    struct service_options options = *setup_options(session->setup);
    options.use = use_of(cli->command);
    return options;
}

static void hand_over(struct session *session, struct session *ret_session)
{
    for (size_t i = 0; i < session->service->notes.count; i++)
        console_warning("%s", session->service->notes.items[i]);
    *ret_session = *session;
    *session = SESSION_INIT;
}

int session_open(struct cli *cli, bool secrets, struct session *ret_session, struct error *err)
{
    SCOPED(session) struct session session = SESSION_INIT;
    if (setup_make(cli->os, cli->settings, secrets, &session.setup, err) < 0)
        return -1;
    struct service_options options = options_of(cli, &session);
    if (service_open(&options, &session.service, err) < 0)
        return -1;
    hand_over(&session, ret_session);
    return 0;
}

int session_open_anyway(struct cli *cli, struct session *ret_session, struct error *catalog_failure,
                        struct error *err)
{
    SCOPED(session) struct session session = SESSION_INIT;
    if (setup_make(cli->os, cli->settings, true, &session.setup, err) < 0)
        return -1;
    struct service_options options = options_of(cli, &session);
    if (service_open(&options, &session.service, catalog_failure) < 0)
        session.service = service_open_bare(&options);
    hand_over(&session, ret_session);
    return 0;
}

void session_close(struct session *session)
{
    service_close(session->service);
    setup_free(session->setup);
    *session = SESSION_INIT;
}

int session_jobs(const struct cli *cli)
{
    int64_t jobs = settings_integer(cli->settings, SETTING_JOBS);
    if (jobs <= 0)
        jobs = sysconf(_SC_NPROCESSORS_ONLN);
    return jobs > 0 ? (int)jobs : 1;
}

const char *session_backup(const struct cli *cli)
{
    if (cli->arguments.count)
        return cli->arguments.items[0];
    return settings_text(cli->settings, SETTING_ID);
}

static int show_available(void *context, const struct backup_row *row, struct error *err)
{
    (void)err;
    bool *first = context;
    if (*first) {
        console_message("%s", "");
        console_message("Available backups:");
    }
    *first = false;
    char size[32];
    char when[32];
    console_megabytes(row->size_bytes > 0 ? (uint64_t)row->size_bytes : 0, "", size);
    moment_format_local(row->started_ns ? row->started_ns : row->created_ns, when);
    console_message("  %s (%s) - %s", row->name ? row->name : row->target, size, when);
    return 0;
}

int session_not_found(struct cli *cli, struct session *session, const char *name, struct error *err)
{
    if (err->code != ERROR_NOT_FOUND || !text_starts(err->message, "backup file not found"))
        return -1;
    error_set(err, ERROR_NOT_FOUND, "Backup file not found: %s", name);
    console_error(cli, err);
    cli->error_told = true;
    struct backup_filter filter = {.status = "success", .limit = AVAILABLE_SHOWN};
    bool first = true;
    struct error ignored = ERROR_INIT;
    backups_list(session->service->catalog, &filter, show_available, &first, &ignored);
    if (first) {
        console_message("%s", "");
        console_message("There are no backups yet.");
    }
    return -1;
}

void session_say(const struct cli *cli, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    SCOPED(string) char *text = mem_format_v(format, args);
    va_end(args);
    if (console_wants_json(cli))
        return;
    if (cli->command->flags & COMMAND_OLD)
        console_result("%s", text);
    else
        console_note(cli, "%s", text);
}

void session_tell(const struct cli *cli, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    SCOPED(string) char *text = mem_format_v(format, args);
    va_end(args);
    if ((cli->command->flags & COMMAND_OLD) && !console_wants_json(cli))
        console_result("%s", text);
    else
        console_message("%s", text);
}

static int add_identity_file(struct cli *cli, const char *path, struct artifact_keys *keys,
                             struct error *err)
{
    SCOPED(secret) struct secret content = SECRET_INIT;
    if (secret_read_file(cli->os, path, KEY_FILE_MAXIMUM, &content, err) < 0)
        return -1;
    return age_identity_parse(content.data, content.length, path, &keys->identities, err);
}

int session_passphrase(struct cli *cli, char **ret_passphrase, struct error *err)
{
    const char *path = settings_text(cli->settings, SETTING_PASSPHRASE_FILE);
    if (!path) {
        error_set(err, ERROR_USAGE, "a passphrase is needed");
        return error_hint(err, "give it with --passphrase-file FILE");
    }
    SCOPED(secret) struct secret passphrase = SECRET_INIT;
    if (secret_read_passphrase(cli->os, path, &passphrase, err) < 0)
        return -1;
    *ret_passphrase = mem_string(secret_text(&passphrase));
    return 0;
}

int session_read_keys(struct cli *cli, struct session_keys *ret_keys, struct error *err)
{
    SCOPED(session_keys)
    struct session_keys keys = {.keys.allow_scrypt =
                                    settings_bool(cli->settings, SETTING_ALLOW_SCRYPT)};
    const struct text_list *files = settings_list(cli->settings, SETTING_IDENTITY);
    for (size_t i = 0; i < files->count; i++)
        if (add_identity_file(cli, files->items[i], &keys.keys, err) < 0)
            return -1;
    if (settings_text(cli->settings, SETTING_PASSPHRASE_FILE) &&
        session_passphrase(cli, &keys.passphrase, err) < 0)
        return -1;
    keys.keys.passphrase = keys.passphrase;
    *ret_keys = keys;
    keys = (struct session_keys){0};
    return 0;
}

void session_keys_clear(struct session_keys *keys)
{
    secret_list_clear(&keys->keys.identities);
    if (keys->passphrase)
        mem_wipe(keys->passphrase, strlen(keys->passphrase));
    free(keys->passphrase);
    *keys = (struct session_keys){0};
}

int session_since(const struct cli *cli, int64_t *ret_moment_ns, struct error *err)
{
    const char *text = settings_text(cli->settings, SETTING_SINCE);
    *ret_moment_ns = 0;
    if (!text || moment_parse(text, ret_moment_ns) == 0)
        return 0;
    int64_t ago_ms = 0;
    if (strspn(text, "0123456789") == strlen(text) ||
        text_parse_duration_ms(text, &ago_ms, NULL) < 0)
        return error_set(err, ERROR_USAGE,
                         "--since: \"%s\" is neither a date such as 2026-01-31 nor a time ago such "
                         "as 7d",
                         text);
    *ret_moment_ns = cli->os->clock_wall_ns(cli->os) - ago_ms * 1000000;
    return 0;
}
