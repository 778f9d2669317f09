/*
 * kedge.yaml: targets, destinations, and every setting that has a path.
 *
 * A key that is not known is refused with its line, column and the nearest one that is. Values
 * are parsed as their rows say; secrets stay as they are written (env:NAME, file:PATH, …) until
 * they are asked for. Paths that are relative are meant from the file's own folder.
 */
#ifndef KEDGE_SERVICE_CONFIG_FILE_H
#define KEDGE_SERVICE_CONFIG_FILE_H

#include "base/options.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;

/* A value for the row of this index. */
struct config_value {
    size_t row;
    size_t line;
    struct option_value value;
};

/* Owned strings; NULL, empty or -1 where the file says nothing. */
struct config_target {
    char *name;
    size_t line;
    char *app;
    char *url; /* as written */
    char *environment;
    struct text_list paths, configuration, exclude, exclude_tables, destinations, encrypt;
    char *compress;
    int64_t retention_days;
};

struct config_destination {
    char *name;
    size_t line;
    char *url;
    char *access_key, *secret_key, *region, *endpoint; /* keys as written */
    bool is_default;
};

struct config_file {
    char *path; /* as it was found */
    struct config_value *values;
    size_t value_count;
    struct config_target *targets;
    size_t target_count;
    struct config_destination *destinations;
    size_t destination_count;
};

#define CONFIG_FILE_INIT ((struct config_file){0})

/* `rows` are all settings. `shared`: the file may belong to another program too, so keys at the
 * top that are not ours are passed over. ERROR_USAGE "PATH:LINE:COLUMN: …". */
int config_file_parse(const char *path, const char *text, size_t size,
                      const struct option_row *rows, size_t row_count, bool shared,
                      struct config_file *ret_file, struct error *err);
void config_file_clear(struct config_file *file);

/* Has the text a `kedge:` or `migrations:` key at the top? Looked up without parsing, so that
 * another program's file need not be YAML that we take. */
bool config_file_is_ours(const char *text);

static inline void scoped_config_file_cleanup(struct config_file *file)
{
    config_file_clear(file);
}

#endif
