#include "service/setup.h"

#include "base/error.h"
#include "base/file.h"
#include "base/os.h"
#include "service/config_file.h"
#include "service/secret_text.h"
#include "service/settings.h"
#include "service/target.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* A configured target that cannot be used, and why. */
struct left_out {
    char *name;
    struct error reason;
};

struct setup {
    struct settings *settings;
    bool secrets;
    struct service_options options;
    struct target *targets;
    struct destination *destinations;
    struct left_out *left_out;
    size_t left_out_count;
    struct text_list names;
    struct text_list with_passphrase;
    char *catalog_url;
    char *local_folder;
    char *default_target;
};

void setup_free(struct setup *setup)
{
    if (!setup)
        return;
    for (size_t i = 0; i < setup->options.target_count; i++)
        target_clear(&setup->targets[i]);
    for (size_t i = 0; i < setup->options.destination_count; i++)
        destination_clear(&setup->destinations[i]);
    for (size_t i = 0; i < setup->left_out_count; i++)
        free(setup->left_out[i].name);
    free(setup->targets);
    free(setup->destinations);
    free(setup->left_out);
    text_list_clear(&setup->names);
    text_list_clear(&setup->with_passphrase);
    secret_text_free(setup->catalog_url);
    secret_text_free(setup->default_target);
    free(setup->local_folder);
    free(setup);
}

const struct service_options *setup_options(const struct setup *setup)
{
    return &setup->options;
}

const struct text_list *setup_target_names(const struct setup *setup)
{
    return &setup->names;
}

const struct target *setup_target(const struct setup *setup, const char *name)
{
    for (size_t i = 0; i < setup->options.target_count; i++)
        if (strcmp(setup->targets[i].name, name) == 0)
            return &setup->targets[i];
    return NULL;
}

int setup_check_target(const struct setup *setup, const char *name, struct error *err)
{
    for (size_t i = 0; i < setup->left_out_count; i++) {
        if (strcmp(setup->left_out[i].name, name) == 0) {
            *err = setup->left_out[i].reason;
            return -1;
        }
    }
    return 0;
}

bool setup_wants_passphrase(const struct setup *setup, const char *name)
{
    return text_list_has(&setup->with_passphrase, name);
}

/* A secret of the file. 1, 0 when it is not fetched for this command, -1. */
static int fetch(struct setup *setup, const char *what, const char *text, char **ret_secret,
                 struct error *err)
{
    if (!setup->secrets && text_starts(text, "command:"))
        return 0;
    return settings_resolve(setup->settings, what, text, ret_secret, err) < 0 ? -1 : 1;
}

/* ---- targets ---- */

static int parse_url(struct setup *setup, const struct config_target *from, struct target *target,
                     struct error *err)
{
    SCOPED(string) char *what = mem_format("targets.%s.url", from->name);
    char *text = NULL;
    int fetched = fetch(setup, what, from->url, &text, err);
    if (fetched <= 0)
        return fetched < 0 ? -1 : error_set(err, ERROR_USAGE, "%s was not asked for", what);
    /* A path is fine here, as it is on the command line. */
    int result = db_url_parse(text, &target->url, err);
    secret_text_free(text);
    if (result < 0)
        return error_prefix(err, "%s", what);
    target->has_database = true;
    if (target->url.engine == DB_SQLITE && target->url.database) {
        char *absolute = path_absolute(target->url.database);
        free(target->url.database);
        target->url.database = absolute;
    }
    return 0;
}

/* `passphrase` among the recipients is no recipient but another way to encrypt. */
static void copy_recipients(struct setup *setup, const struct config_target *from,
                            struct target *target)
{
    for (size_t i = 0; i < from->encrypt.count; i++) {
        if (strcmp(from->encrypt.items[i], "passphrase") == 0)
            text_list_add(&setup->with_passphrase, from->name);
        else
            text_list_add(&target->encrypt, from->encrypt.items[i]);
    }
}

static int make_target(struct setup *setup, const struct config_target *from, struct target *target,
                       struct error *err)
{
    *target = (struct target){.name = mem_string(from->name),
                              .app = mem_string(from->app),
                              .configured = true,
                              .compress = mem_string(from->compress),
                              .retention_days = from->retention_days,
                              .environment = mem_string(from->environment)};
    text_list_add_all(&target->paths, &from->paths);
    text_list_add_all(&target->configuration, &from->configuration);
    text_list_add_all(&target->exclude, &from->exclude);
    text_list_add_all(&target->exclude_tables, &from->exclude_tables);
    for (size_t i = 0; i < from->destinations.count; i++)
        if (!text_list_has(&target->destinations, from->destinations.items[i]))
            text_list_add(&target->destinations, from->destinations.items[i]);
    copy_recipients(setup, from, target);
    return from->url ? parse_url(setup, from, target, err) : 0;
}

static void make_targets(struct setup *setup, const struct config_file *file)
{
    setup->targets = mem_alloc(file->target_count + 1, sizeof *setup->targets);
    setup->left_out = mem_alloc(file->target_count + 1, sizeof *setup->left_out);
    for (size_t i = 0; i < file->target_count; i++) {
        const struct config_target *from = &file->targets[i];
        struct error reason = ERROR_INIT;
        struct target *target = &setup->targets[setup->options.target_count];
        text_list_add(&setup->names, from->name);
        if (make_target(setup, from, target, &reason) == 0) {
            setup->options.target_count++;
            continue;
        }
        target_clear(target);
        setup->left_out[setup->left_out_count++] =
            (struct left_out){.name = mem_string(from->name), .reason = reason};
    }
    setup->options.targets = setup->targets;
}

/* ---- destinations ---- */

static int fetch_key(struct setup *setup, const struct config_destination *from, const char *field,
                     const char *text, enum setting otherwise, char **ret_key, struct error *err)
{
    if (!text)
        return settings_secret(setup->settings, otherwise, ret_key, err) < 0 ? -1 : 0;
    SCOPED(string) char *what = mem_format("destinations.%s.%s", from->name, field);
    return fetch(setup, what, text, ret_key, err) < 0 ? -1 : 0;
}

static char *text_or_setting(const struct setup *setup, const char *text, enum setting otherwise)
{
    return mem_string(text ? text : settings_text(setup->settings, otherwise));
}

static int make_destination(struct setup *setup, const struct config_destination *from,
                            struct destination *to, struct error *err)
{
    *to = (struct destination){.name = mem_string(from->name), .is_default = from->is_default};
    SCOPED(string) char *what = mem_format("destinations.%s.url", from->name);
    int fetched = fetch(setup, what, from->url, &to->url, err);
    if (fetched <= 0)
        return fetched;
    if (!text_starts(to->url, "s3:"))
        return 1;
    to->region = text_or_setting(setup, from->region, SETTING_S3_REGION);
    to->endpoint = text_or_setting(setup, from->endpoint, SETTING_S3_ENDPOINT);
    if (fetch_key(setup, from, "access_key", from->access_key, SETTING_S3_ACCESS_KEY,
                  &to->access_key, err) < 0 ||
        fetch_key(setup, from, "secret_key", from->secret_key, SETTING_S3_SECRET_KEY,
                  &to->secret_key, err) < 0)
        return -1;
    return 1;
}

static int make_destinations(struct setup *setup, const struct config_file *file, struct error *err)
{
    setup->destinations = mem_alloc(file->destination_count + 1, sizeof *setup->destinations);
    for (size_t i = 0; i < file->destination_count; i++) {
        struct destination *to = &setup->destinations[setup->options.destination_count];
        struct error reason = ERROR_INIT;
        int made = make_destination(setup, &file->destinations[i], to, &reason);
        if (made < 0 && setup->secrets) {
            destination_clear(to);
            *err = reason;
            return -1;
        }
        if (made > 0)
            setup->options.destination_count++;
        else
            destination_clear(to);
    }
    setup->options.destinations = setup->destinations;
    return 0;
}

/* ---- the database when no target is named ---- */

static void append_encoded(struct buf *url, const char *text)
{
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (isalnum(c) || strchr("-._~", c))
            buf_append_char(url, (char)c);
        else
            buf_append_format(url, "%%%02X", c);
    }
}

static int password_of_parts(struct setup *setup, char **ret_password, struct error *err)
{
    struct settings *settings = setup->settings;
    const char *file = settings_text(settings, SETTING_PASSWORD_FILE);
    if (!file)
        return settings_secret(settings, SETTING_PASSWORD, ret_password, err) < 0 ? -1 : 0;
    return secret_text_read_file(setup->options.os, file, ret_password, err);
}

/* A socket's folder or file goes among the parameters, a host before the path. */
static void append_server(struct buf *url, const struct settings *settings, const char *password)
{
    const char *host = settings_text(settings, SETTING_HOST);
    const char *user = settings_text(settings, SETTING_USER);
    int64_t port = settings_integer(settings, SETTING_PORT);
    if (user)
        append_encoded(url, user);
    if (password) {
        buf_append_char(url, ':');
        append_encoded(url, password);
    }
    if (user || password)
        buf_append_char(url, '@');
    if (host && host[0] != '/') {
        bool ipv6 = strchr(host, ':') != NULL;
        buf_append_format(url, "%s%s%s", ipv6 ? "[" : "", host, ipv6 ? "]" : "");
    } else if (port) {
        buf_append_text(url, "localhost");
    }
    if (port)
        buf_append_format(url, ":%lld", (long long)port);
}

static int make_url_of_parts(struct setup *setup, struct error *err)
{
    const struct settings *settings = setup->settings;
    const char *name = settings_text(settings, SETTING_DATABASE);
    const char *engine = settings_text(settings, SETTING_ENGINE);
    const char *host = settings_text(settings, SETTING_HOST);
    bool parts = host || settings_text(settings, SETTING_USER) ||
                 settings_integer(settings, SETTING_PORT) ||
                 settings_origin(settings, SETTING_ENGINE, NULL) != SETTING_DEFAULT;
    struct stat there;
    if (db_url_is(name) || strcmp(engine, "sqlite") == 0 ||
        (!parts && file_stat(setup->options.os, name, &there, NULL) > 0)) {
        setup->default_target = mem_string(name);
        return 0;
    }
    char *password = NULL;
    if (password_of_parts(setup, &password, err) < 0)
        return -1;
    struct buf url = BUF_INIT;
    buf_append_format(&url, "%s://", engine);
    append_server(&url, settings, password);
    buf_append_char(&url, '/');
    append_encoded(&url, name);
    if (host && host[0] == '/') {
        buf_append_text(&url, strcmp(engine, "mysql") == 0 ? "?socket=" : "?host=");
        append_encoded(&url, host);
    }
    secret_text_free(password);
    setup->default_target = buf_steal(&url);
    return 0;
}

/* --database and its parts count when they were said more loudly than the URL. */
static int make_default_target(struct setup *setup, struct error *err)
{
    struct settings *settings = setup->settings;
    enum setting_origin parts = settings_origin(settings, SETTING_DATABASE, NULL);
    enum setting_origin url = settings_origin(settings, SETTING_DATABASE_URL, NULL);
    if (settings_text(settings, SETTING_DATABASE) && parts >= url)
        return make_url_of_parts(setup, err);
    int found = settings_secret(settings, SETTING_DATABASE_URL, &setup->default_target, err);
    return found < 0 && setup->secrets ? -1 : 0;
}

/* ---- all of it ---- */

/* Takes over `path`. */
static char *url_of_file(char *path)
{
    SCOPED(db_url) struct db_url url = {.engine = DB_SQLITE, .database = path};
    return db_url_display(&url);
}

static int make_catalog(struct setup *setup, struct error *err)
{
    SCOPED(string) char *folder = NULL;
    if (settings_data_folder(setup->settings, &folder, err) < 0)
        return -1;
    setup->local_folder = path_join(folder, "backups");
    SCOPED(string) char *text = NULL;
    int found = settings_secret(setup->settings, SETTING_CATALOG, &text, err);
    if (found < 0)
        return -1;
    if (found && strcmp(text, "sqlite") != 0)
        setup->catalog_url = STEAL(text);
    else
        setup->catalog_url = url_of_file(path_join(folder, "catalog.db"));
    return 0;
}

static void set_limits(struct setup *setup)
{
    const struct settings *settings = setup->settings;
    struct service_options *options = &setup->options;
    options->catalog_url = setup->catalog_url;
    options->local_folder = setup->local_folder;
    options->default_target = setup->default_target;
    options->environment = settings_text(settings, SETTING_ENVIRONMENT);
    options->undo_days = settings_integer(settings, SETTING_UNDO_DAYS);
    options->jobs = (int)settings_integer(settings, SETTING_JOBS);
    if (!settings_bool(settings, SETTING_VERIFICATION_ENABLED))
        return;
    options->verification_min_bytes =
        (uint64_t)settings_integer(settings, SETTING_MIN_SIZE_MB) * 1000000;
    options->verification_max_bytes =
        (uint64_t)settings_integer(settings, SETTING_MAX_SIZE_MB) * 1000000;
}

int setup_make(struct os *os, struct settings *settings, bool secrets, struct setup **ret_setup,
               struct error *err)
{
    SCOPED(setup) struct setup *setup = MEM_NEW(struct setup);
    setup->settings = settings;
    setup->secrets = secrets;
    setup->options.os = os;
    const struct config_file *file = settings_file(settings);
    if (file) {
        make_targets(setup, file);
        if (make_destinations(setup, file, err) < 0)
            return -1;
    }
    if (make_catalog(setup, err) < 0 || make_default_target(setup, err) < 0)
        return -1;
    set_limits(setup);
    *ret_setup = STEAL(setup);
    return 0;
}
