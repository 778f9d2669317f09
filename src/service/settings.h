/*
 * What kedge was told: every setting's effective value and where it came from.
 *
 * A setting is a row of settings_rows.c. Its value is the option's, else the environment's (real
 * variables before those of a `.env` in the working folder), else the configuration file's, else
 * the default. Values are parsed once; a bad one is an error that names the option, variable or
 * line. Secrets from the file (env:NAME, file:PATH, command:PROGRAM ARG…) are fetched when asked
 * for, so that a command which needs none of them reads none.
 */
#ifndef KEDGE_SERVICE_SETTINGS_H
#define KEDGE_SERVICE_SETTINGS_H

#include "base/options.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct config_file;
struct error;
struct os;
struct settings;

enum setting {
    /* general */
    SETTING_CONFIG,
    SETTING_JSON,
    SETTING_QUIET,
    SETTING_VERBOSE,
    SETTING_LOG_FILE,
    SETTING_LOG_LEVEL,
    SETTING_FORCE,
    SETTING_YES,
    /* where things are */
    SETTING_ENVIRONMENT,
    SETTING_CATALOG,
    SETTING_DATABASE_URL,
    SETTING_DATABASE,
    SETTING_HOST,
    SETTING_PORT,
    SETTING_USER,
    SETTING_PASSWORD,
    SETTING_PASSWORD_FILE,
    SETTING_ENGINE,
    SETTING_S3_ACCESS_KEY,
    SETTING_S3_SECRET_KEY,
    SETTING_S3_SESSION_TOKEN,
    SETTING_S3_REGION,
    SETTING_S3_BUCKET,
    SETTING_S3_ENDPOINT,
    /* backups */
    SETTING_TYPE,
    SETTING_BACKUP_TO,
    SETTING_COMPRESS,
    SETTING_ENCRYPT,
    SETTING_RETENTION,
    SETTING_FORMAT,
    SETTING_EXCLUDE_TABLE,
    SETTING_SCHEMA,
    SETTING_EXCLUDE,
    SETTING_TAG,
    SETTING_NOTES,
    SETTING_ONE_FILE_SYSTEM,
    SETTING_EXCLUDE_CACHES,
    SETTING_ROLES,
    SETTING_MAX_WAIT,
    SETTING_JOBS,
    SETTING_TABLE,
    /* keys */
    SETTING_IDENTITY,
    SETTING_PASSPHRASE_FILE,
    SETTING_ALLOW_SCRYPT,
    SETTING_OUTPUT,
    /* restores */
    SETTING_RESTORE_TO,
    SETTING_RESTORE_TYPE,
    SETTING_CONNECTION,
    SETTING_FROM,
    SETTING_INCLUDE,
    SETTING_VERIFY,
    SETTING_DRY_RUN,
    SETTING_SAFETY,
    SETTING_NO_OWNER,
    SETTING_NO_TABLESPACES,
    SETTING_MAX_STATEMENT_MB,
    SETTING_DEVICES,
    SETTING_ROLE,
    SETTING_CASCADE,
    SETTING_UNDO_DAYS,
    /* looking */
    SETTING_ID,
    SETTING_LEVEL,
    SETTING_ALL,
    SETTING_STATUS,
    SETTING_APP,
    SETTING_SINCE,
    SETTING_LIMIT,
    SETTING_EXPLAIN,
    /* verification */
    SETTING_VERIFICATION_ENABLED,
    SETTING_MIN_SIZE_MB,
    SETTING_MAX_SIZE_MB,
    /* migrations */
    SETTING_MIGRATIONS_PATH,
    SETTING_MIGRATIONS_TABLE,
    SETTING_MIGRATIONS_LOCK_TIMEOUT,
    SETTING_MIGRATIONS_WAIT,
    SETTING_MIGRATIONS_TARGET,
    SETTING_MIGRATIONS_PLACEHOLDER,
    SETTING_MIGRATIONS_NO_PLACEHOLDERS,
    SETTING_MIGRATIONS_VERSION,
    SETTING_MIGRATIONS_STEPS,
    SETTING_MIGRATIONS_BATCH,
    SETTING_MIGRATIONS_FORCE,
    SETTING_MIGRATIONS_NAME,
    SETTING_MIGRATIONS_EXIT_CODE,
    SETTING_MIGRATIONS_STATUS,
    SETTING_MIGRATIONS_BACKUP,
    SETTING_MIGRATIONS_RESTORE,
    SETTING_MIGRATIONS_FROM,
    SETTING_MIGRATIONS_FROM_TABLE,
    SETTING_MIGRATIONS_RAN,
    SETTING_MIGRATIONS_NOT_RUN,
    SETTING_MIGRATIONS_FROM_START,
    SETTING_MIGRATIONS_DIALECT,
    SETTING_MIGRATIONS_STRICT,
    SETTING_MIGRATIONS_LIST_RULES,
    SETTING_MIGRATIONS_SCRATCH,
    SETTING_MIGRATIONS_REQUIRE_DOWN,
    /* known, for what comes later */
    SETTING_OFFSITE_ENABLED,
    SETTING_OFFSITE_DISK,
    SETTING_OFFSITE_PATH,
    SETTING_OFFSITE_DAILY_DAYS,
    SETTING_OFFSITE_WEEKLY_WEEKS,
    SETTING_OFFSITE_MONTHLY_MONTHS,
    SETTING_NOTIFICATIONS_ENABLED,
    SETTING_NOTIFICATIONS_CHANNELS,
    SETTING_NOTIFICATIONS_MAIL_TO,
    SETTING_NOTIFICATIONS_SLACK_WEBHOOK,
    SETTING_CRON_SECRET,
    SETTING_REPOSITORY,
    SETTING_REPOSITORY_PASSWORD,
    SETTING_REPOSITORY_PASSWORD_FILE,
    SETTING_COUNT,
};

extern const struct option_row settings_rows[SETTING_COUNT];

enum setting_origin { SETTING_DEFAULT, SETTING_FILE, SETTING_FROM_ENVIRONMENT, SETTING_OPTION };

/* Defaults only. Reads nothing yet. */
struct settings *settings_new(struct os *os);
void settings_free(struct settings *settings);

/* What the command line says; `text` NULL is the bare option. A list grows, a count counts. */
int settings_set(struct settings *settings, enum setting setting, const char *text,
                 struct error *err);

/* For the command that writes the file: --config may name one that is not there yet. */
void settings_allow_missing_file(struct settings *settings);

/* Read `.env`, the environment and the configuration file. Called once, after the options. */
int settings_load(struct settings *settings, struct error *err);

/* The file that was read, or NULL. Borrowed. */
const struct config_file *settings_file(const struct settings *settings);

/* Where it came from. *ret_detail (may be NULL): "--retention", "BACKUP_MIN_SIZE_MB in .env",
 * "kedge.yaml:12" or "default"; to be freed. */
enum setting_origin settings_origin(const struct settings *settings, enum setting setting,
                                    char **ret_detail);

/* Is there any value, be it the default? */
bool settings_has(const struct settings *settings, enum setting setting);

/* The parsed value; text is NULL where there is none. Secrets only through settings_secret. */
const struct option_value *settings_value(const struct settings *settings, enum setting setting);
bool settings_bool(const struct settings *settings, enum setting setting);
int64_t settings_integer(const struct settings *settings, enum setting setting);
const char *settings_text(const struct settings *settings, enum setting setting);
const struct text_list *settings_list(const struct settings *settings, enum setting setting);

/* 1 and the secret itself (to be wiped and freed), 0 when there is none, -1. */
int settings_secret(struct settings *settings, enum setting setting, char **ret_secret,
                    struct error *err);

/* What a secret text of the file means: env:, file: and command: are followed, others are
 * themselves. `what` names it in errors ("targets.shop.url"). To be wiped and freed. */
int settings_resolve(struct settings *settings, const char *what, const char *text,
                     char **ret_secret, struct error *err);

/* The folders of kedge's own things ($KEDGE_HOME, else by XDG). To be freed. */
int settings_data_folder(const struct settings *settings, char **ret_path, struct error *err);
int settings_config_folder(const struct settings *settings, char **ret_path, struct error *err);

DEFINE_SCOPED(settings, struct settings *, settings_free);

#endif
