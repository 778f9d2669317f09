#include "service/settings.h"

#include "base/dotenv.h"
#include "base/error.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/os.h"
#include "base/yaml.h"
#include "service/config_file.h"
#include "service/secret_text.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DOTENV_MAXIMUM ((size_t)1 << 20)

struct held {
    enum setting_origin origin;
    struct option_value value;
    char *detail; /* NULL for the default */
};

struct settings {
    struct os *os;
    struct held held[SETTING_COUNT];
    struct dotenv dotenv;
    struct config_file file;
    bool file_may_be_missing;
};

struct settings *settings_new(struct os *os)
{
    struct settings *settings = MEM_NEW(struct settings);
    settings->os = os;
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        const struct option_row *row = &settings_rows[i];
        struct option_value *value = &settings->held[i].value;
        if (row->fallback && row->type == OPTION_LIST)
            option_value_parse_list(row, row->fallback, value, NULL);
        else if (row->fallback)
            option_value_parse(row, row->fallback, value, NULL);
    }
    return settings;
}

void settings_free(struct settings *settings)
{
    if (!settings)
        return;
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        option_value_clear(&settings->held[i].value);
        free(settings->held[i].detail);
    }
    dotenv_clear(&settings->dotenv);
    config_file_clear(&settings->file);
    free(settings);
}

/* Make room for a value from `origin`: what a weaker origin said goes. */
static struct option_value *take(struct settings *settings, enum setting setting,
                                 enum setting_origin origin, char *detail)
{
    struct held *held = &settings->held[setting];
    if (held->origin != origin)
        option_value_clear(&held->value);
    held->origin = origin;
    free(held->detail);
    held->detail = detail;
    return &held->value;
}

int settings_set(struct settings *settings, enum setting setting, const char *text,
                 struct error *err)
{
    const struct option_row *row = &settings_rows[setting];
    struct option_value *value =
        take(settings, setting, SETTING_OPTION, mem_format("--%s", row->name));
    int result = 0;
    if (text || row->bare)
        result = option_value_parse(row, text ? text : row->bare, value, err);
    else if (row->type == OPTION_BOOL)
        value->boolean = true;
    else if (row->type == OPTION_COUNT)
        value->integer++;
    else
        return error_set(err, ERROR_USAGE, "--%s needs a value", row->name);
    return result < 0 ? error_prefix(err, "--%s", row->name) : 0;
}

/* ---- the environment ---- */

/* 1 and the text when the environment or `.env` has `name` and it is not empty, else 0. */
static int find_variable(const struct settings *settings, const char *name, const char **ret_text)
{
    const char *text = getenv(name);
    if (!text)
        text = dotenv_get(&settings->dotenv, name);
    if (!text || !text[0])
        return 0;
    *ret_text = text;
    return 1;
}

static int take_variable(struct settings *settings, enum setting setting, const char *name,
                         const char *text, struct error *err)
{
    const struct option_row *row = &settings_rows[setting];
    char *detail = mem_format("%s%s", name, getenv(name) ? "" : " in .env");
    struct option_value *value = take(settings, setting, SETTING_FROM_ENVIRONMENT, detail);
    int result = row->type == OPTION_LIST ? option_value_parse_list(row, text, value, err)
                                          : option_value_parse(row, text, value, err);
    return result < 0 ? error_prefix(err, "%s", detail) : 0;
}

static int load_variables(struct settings *settings, struct error *err)
{
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        SCOPED(text_list) struct text_list names = TEXT_LIST_INIT;
        const char *at = settings_rows[i].environment;
        if (!at || settings->held[i].origin == SETTING_OPTION)
            continue;
        for (; *at; at += strspn(at, " ")) {
            size_t length = strcspn(at, " ");
            text_list_give(&names, mem_string_n(at, length));
            at += length;
        }
        for (size_t n = 0; n < names.count; n++) {
            const char *text = NULL;
            if (!find_variable(settings, names.items[n], &text))
                continue;
            if (take_variable(settings, (enum setting)i, names.items[n], text, err) < 0)
                return -1;
            break;
        }
    }
    return 0;
}

/* ---- files of the working folder ---- */

/* A file that lies where we happen to stand could be anybody's. */
static int check_owner(const struct stat *stat, const char *path, struct error *err)
{
    if (stat->st_uid != geteuid() && stat->st_uid != 0) {
        error_set(err, ERROR_USAGE, "%s belongs to another user and is not read", path);
        return error_hint(err, "chown it, or name it with --config");
    }
    if (stat->st_mode & (S_IWGRP | S_IWOTH)) {
        error_set(err, ERROR_USAGE, "%s may be written by others and is not read", path);
        return error_hint(err, "chmod go-w %s", path);
    }
    return 0;
}

static int read_from(struct os *os, int fd, const char *path, bool check, struct buf *content,
                     struct error *err)
{
    struct stat stat;
    if (os->fstat(os, fd, &stat) < 0)
        return error_set_errno(err, ERROR_FAILED, errno, "look at %s", path);
    if (!S_ISREG(stat.st_mode))
        return error_set(err, ERROR_USAGE, "%s is not a file", path);
    if (check && check_owner(&stat, path, err) < 0)
        return -1;
    if ((uintmax_t)stat.st_size > content->maximum)
        return error_set(err, ERROR_USAGE, "%s is longer than %zu bytes", path, content->maximum);
    size_t size = (size_t)stat.st_size;
    SCOPED(memory) void *data = mem_alloc(size + 1, 1);
    size_t got = 0;
    if (file_pread(os, fd, data, size, 0, &got, path, err) < 0)
        return -1;
    buf_append(content, data, got);
    mem_wipe(data, size);
    return 0;
}

/* 1 and the content, 0 when there is no such file, -1. `check`: the owner and mode of the file that
 * was opened. */
static int read_file(struct os *os, const char *path, bool check, struct buf *content,
                     struct error *err)
{
    /* O_NONBLOCK: a FIFO must not hold us up. */
    int fd = os->openat(os, AT_FDCWD, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0);
    if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
        return 0;
    if (fd < 0)
        return error_set_errno(err, ERROR_FAILED, errno, "open %s", path);
    int result = read_from(os, fd, path, check, content, err);
    file_close(os, &fd);
    return result < 0 ? -1 : 1;
}

/* libpq and the C library look into the process's own environment, not into ours. */
static void export_for_libraries(const struct dotenv *dotenv)
{
    for (size_t i = 0; i < dotenv->count; i++) {
        const struct dotenv_variable *variable = &dotenv->variables[i];
        if (text_starts(variable->name, "PG") || strcmp(variable->name, "TZ") == 0)
            setenv(variable->name, variable->value, false);
    }
}

static int load_dotenv(struct settings *settings, struct error *err)
{
    SCOPED(secret_buf) struct buf content = BUF_INIT_MAX(DOTENV_MAXIMUM);
    int found = read_file(settings->os, ".env", true, &content, err);
    if (found <= 0)
        return found;
    if (dotenv_parse(".env", content.data, content.length, &settings->dotenv, err) < 0)
        return -1;
    export_for_libraries(&settings->dotenv);
    return 0;
}

/* ---- folders ---- */

static int home_folder(const struct settings *settings, const char **ret_home, struct error *err)
{
    if (find_variable(settings, "HOME", ret_home))
        return 0;
    const struct passwd *user = getpwuid(geteuid());
    if (!user || !user->pw_dir || user->pw_dir[0] != '/') {
        error_set(err, ERROR_USAGE, "this user has no home folder");
        return error_hint(err, "set KEDGE_HOME to a folder for kedge's files");
    }
    *ret_home = user->pw_dir;
    return 0;
}

static int own_folder(const struct settings *settings, const char *variable, const char *below,
                      char **ret_path, struct error *err)
{
    const char *base = NULL;
    if (find_variable(settings, "KEDGE_HOME", &base)) {
        *ret_path = path_absolute(base);
        return 0;
    }
    /* The XDG rules: what is not absolute does not count. */
    if (find_variable(settings, variable, &base) && base[0] == '/') {
        *ret_path = path_join(base, "kedge");
        return 0;
    }
    if (home_folder(settings, &base, err) < 0)
        return -1;
    *ret_path = mem_format("%s/%s/kedge", base, below);
    return 0;
}

int settings_data_folder(const struct settings *settings, char **ret_path, struct error *err)
{
    return own_folder(settings, "XDG_DATA_HOME", ".local/share", ret_path, err);
}

int settings_config_folder(const struct settings *settings, char **ret_path, struct error *err)
{
    return own_folder(settings, "XDG_CONFIG_HOME", ".config", ret_path, err);
}

/* ---- the configuration file ---- */

static int parse_file(struct settings *settings, const char *path, const struct buf *content,
                      bool shared, struct error *err)
{
    return config_file_parse(path, content->data, content->length, settings_rows, SETTING_COUNT,
                             shared, &settings->file, err);
}

/* 1 when this was the file. */
static int try_file(struct settings *settings, const char *path, bool working_folder, bool shared,
                    struct error *err)
{
    SCOPED(secret_buf) struct buf content = BUF_INIT_MAX(YAML_MAXIMUM);
    int found = 0;
    if (shared) {
        /* Whose it is matters only when it is ours. */
        found = read_file(settings->os, path, false, &content, err);
        if (found <= 0 || !config_file_is_ours(content.data))
            return found < 0 ? -1 : 0;
        buf_reset(&content);
    }
    found = read_file(settings->os, path, working_folder, &content, err);
    if (found <= 0)
        return found;
    return parse_file(settings, path, &content, shared, err) < 0 ? -1 : 1;
}

static int find_file(struct settings *settings, struct error *err)
{
    int found = try_file(settings, "kedge.yaml", true, false, err);
    if (found == 0)
        found = try_file(settings, "config.yaml", true, true, err);
    if (found != 0)
        return found;
    SCOPED(string) char *folder = NULL;
    if (settings_config_folder(settings, &folder, err) < 0)
        return -1;
    SCOPED(string) char *path = path_join(folder, "config.yaml");
    found = try_file(settings, path, false, false, err);
    const char *home = NULL;
    if (found == 0 && !find_variable(settings, "KEDGE_HOME", &home))
        found = try_file(settings, "/etc/kedge/config.yaml", false, false, err);
    return found;
}

static int load_file(struct settings *settings, struct error *err)
{
    const char *named = settings_text(settings, SETTING_CONFIG);
    int found = named ? try_file(settings, named, false, false, err) : find_file(settings, err);
    if (found == 0 && named && !settings->file_may_be_missing)
        return error_set(err, ERROR_USAGE, "configuration file not found: %s", named);
    if (found <= 0)
        return found;
    for (size_t i = 0; i < settings->file.value_count; i++) {
        struct config_value *from = &settings->file.values[i];
        enum setting setting = (enum setting)from->row;
        if (settings->held[setting].origin > SETTING_FILE)
            continue;
        char *detail = mem_format("%s:%zu", settings->file.path, from->line);
        struct option_value *value = take(settings, setting, SETTING_FILE, detail);
        *value = from->value;
        from->value = (struct option_value){0};
    }
    return 0;
}

void settings_allow_missing_file(struct settings *settings)
{
    settings->file_may_be_missing = true;
}

int settings_load(struct settings *settings, struct error *err)
{
    if (load_dotenv(settings, err) < 0 || load_variables(settings, err) < 0)
        return -1;
    return load_file(settings, err);
}

/* ---- asking ---- */

const struct config_file *settings_file(const struct settings *settings)
{
    return settings->file.path ? &settings->file : NULL;
}

enum setting_origin settings_origin(const struct settings *settings, enum setting setting,
                                    char **ret_detail)
{
    const struct held *held = &settings->held[setting];
    if (ret_detail)
        *ret_detail = mem_string(held->detail ? held->detail : "default");
    return held->origin;
}

bool settings_has(const struct settings *settings, enum setting setting)
{
    const struct held *held = &settings->held[setting];
    return held->origin != SETTING_DEFAULT || settings_rows[setting].fallback;
}

const struct option_value *settings_value(const struct settings *settings, enum setting setting)
{
    return &settings->held[setting].value;
}

bool settings_bool(const struct settings *settings, enum setting setting)
{
    return settings->held[setting].value.boolean;
}

int64_t settings_integer(const struct settings *settings, enum setting setting)
{
    return settings->held[setting].value.integer;
}

const char *settings_text(const struct settings *settings, enum setting setting)
{
    return settings->held[setting].value.text;
}

const struct text_list *settings_list(const struct settings *settings, enum setting setting)
{
    return &settings->held[setting].value.list;
}

int settings_secret(struct settings *settings, enum setting setting, char **ret_secret,
                    struct error *err)
{
    const struct held *held = &settings->held[setting];
    if (!held->value.text)
        return 0;
    if (held->origin != SETTING_FILE) {
        *ret_secret = mem_string(held->value.text);
        return 1;
    }
    const char *what = settings_rows[setting].path;
    return settings_resolve(settings, what, held->value.text, ret_secret, err) < 0 ? -1 : 1;
}

static int resolve_variable(const struct settings *settings, const char *name, char **ret_secret,
                            struct error *err)
{
    const char *text = NULL;
    if (!find_variable(settings, name, &text))
        return error_set(err, ERROR_USAGE, "environment variable %s is not set", name);
    *ret_secret = mem_string(text);
    return 0;
}

static int resolve_file(struct settings *settings, const char *path, char **ret_secret,
                        struct error *err)
{
    SCOPED(string) char *folder = path_folder(settings->file.path ? settings->file.path : ".");
    SCOPED(string) char *below = path[0] == '/' ? mem_string(path) : path_join(folder, path);
    return secret_text_read_file(settings->os, below, ret_secret, err);
}

int settings_resolve(struct settings *settings, const char *what, const char *text,
                     char **ret_secret, struct error *err)
{
    int result = 0;
    if (text_starts(text, "env:"))
        result = resolve_variable(settings, text + strlen("env:"), ret_secret, err);
    else if (text_starts(text, "file:") && !text_starts(text, "file://"))
        result = resolve_file(settings, text + strlen("file:"), ret_secret, err);
    else if (text_starts(text, "command:"))
        result = secret_text_run(settings->os, text + strlen("command:"), ret_secret, err);
    else
        *ret_secret = mem_string(text);
    return result < 0 ? error_prefix(err, "%s", what) : 0;
}
