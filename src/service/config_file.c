#include "service/config_file.h"

#include "base/error.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/yaml.h"
#include "db/url.h"

#include <stdlib.h>
#include <string.h>

struct reader {
    const char *folder; /* of the file */
    const struct option_row *rows;
    size_t row_count;
    struct config_file *file;
    size_t value_capacity;
};

/* ---- the keys of a target and a destination ---- */

enum field_type { FIELD_TEXT, FIELD_LOCATION, FIELD_LIST, FIELD_PATHS, FIELD_DAYS, FIELD_BOOL };

struct field {
    const char *name;
    enum field_type type;
    size_t offset;
};

static const struct field target_fields[] = {
    {"app", FIELD_TEXT, offsetof(struct config_target, app)},
    {"url", FIELD_LOCATION, offsetof(struct config_target, url)},
    {"environment", FIELD_TEXT, offsetof(struct config_target, environment)},
    {"paths", FIELD_PATHS, offsetof(struct config_target, paths)},
    {"configuration", FIELD_PATHS, offsetof(struct config_target, configuration)},
    {"exclude", FIELD_LIST, offsetof(struct config_target, exclude)},
    {"exclude_tables", FIELD_LIST, offsetof(struct config_target, exclude_tables)},
    {"destination", FIELD_LIST, offsetof(struct config_target, destinations)},
    {"compress", FIELD_TEXT, offsetof(struct config_target, compress)},
    {"encrypt", FIELD_LIST, offsetof(struct config_target, encrypt)},
    {"retention", FIELD_DAYS, offsetof(struct config_target, retention_days)},
    {NULL, FIELD_TEXT, 0},
};

static const struct field destination_fields[] = {
    {"url", FIELD_LOCATION, offsetof(struct config_destination, url)},
    {"default", FIELD_BOOL, offsetof(struct config_destination, is_default)},
    {"access_key", FIELD_TEXT, offsetof(struct config_destination, access_key)},
    {"secret_key", FIELD_TEXT, offsetof(struct config_destination, secret_key)},
    {"region", FIELD_TEXT, offsetof(struct config_destination, region)},
    {"endpoint", FIELD_TEXT, offsetof(struct config_destination, endpoint)},
    {NULL, FIELD_TEXT, 0},
};

static void clear_fields(const struct field *fields, void *thing)
{
    for (; fields->name; fields++) {
        void *slot = (char *)thing + fields->offset;
        if (fields->type == FIELD_LIST || fields->type == FIELD_PATHS) {
            text_list_clear(slot);
        } else if (fields->type == FIELD_TEXT || fields->type == FIELD_LOCATION) {
            char **text = slot;
            if (*text)
                mem_wipe(*text, strlen(*text));
            free(*text);
        }
    }
}

void config_file_clear(struct config_file *file)
{
    for (size_t i = 0; i < file->value_count; i++)
        option_value_clear(&file->values[i].value);
    for (size_t i = 0; i < file->target_count; i++) {
        clear_fields(target_fields, &file->targets[i]);
        free(file->targets[i].name);
    }
    for (size_t i = 0; i < file->destination_count; i++) {
        clear_fields(destination_fields, &file->destinations[i]);
        free(file->destinations[i].name);
    }
    free(file->values);
    free(file->targets);
    free(file->destinations);
    free(file->path);
    *file = CONFIG_FILE_INIT;
}

/* ---- errors ---- */

static int at_line(const struct reader *reader, size_t line, size_t column, struct error *err)
{
    return error_prefix(err, "%s:%zu:%zu", reader->file->path, line, column);
}

static int wrong_kind(const struct reader *reader, const struct yaml_tree *tree, const char *what,
                      struct error *err)
{
    error_set(err, ERROR_USAGE, "%s was expected here", what);
    return at_line(reader, tree->line, tree->column, err);
}

static int unknown_key(const struct reader *reader, const struct yaml_entry *entry,
                       const char *where, const struct text_list *known, struct error *err)
{
    const char *nearest =
        known->count ? option_nearest(entry->key, (const char *const *)known->items) : NULL;
    error_set(err, ERROR_USAGE, "unknown key \"%s\"%s%s%s", entry->key, where[0] ? " in \"" : "",
              where, where[0] ? "\"" : "");
    if (nearest)
        error_hint(err, "did you mean \"%s\"?", nearest);
    return at_line(reader, entry->line, entry->column, err);
}

/* ---- single values ---- */

static int scalar_text(const struct reader *reader, const struct yaml_tree *tree,
                       const char **ret_text, struct error *err)
{
    if (tree->kind != YAML_SCALAR)
        return wrong_kind(reader, tree, "a single value", err);
    *ret_text = tree->text;
    return 0;
}

/* ~/x and x are made absolute by the folder of the file; /x, URLs and the like stay. */
static char *from_folder(const struct reader *reader, const char *path)
{
    if (path[0] == '~' && path[1] == '/' && getenv("HOME"))
        return path_join(getenv("HOME"), path + 2);
    if (path[0] == '/' || strcmp(reader->folder, ".") == 0)
        return mem_string(path);
    return path_join(reader->folder, path);
}

static bool is_folder_name(const char *location)
{
    return !strstr(location, "://") && !text_starts(location, "env:") &&
           !text_starts(location, "file:") && !text_starts(location, "command:");
}

/* A list, or a single value that stands for a list of one. */
static int read_texts(const struct reader *reader, const struct yaml_tree *tree, bool paths,
                      struct text_list *list, struct error *err)
{
    if (tree->kind == YAML_MAP)
        return wrong_kind(reader, tree, "a list", err);
    if (tree->kind == YAML_SCALAR) {
        text_list_give(list, paths ? from_folder(reader, tree->text) : mem_string(tree->text));
        return 0;
    }
    for (size_t i = 0; i < tree->entry_count; i++) {
        const char *text = NULL;
        if (scalar_text(reader, tree->entries[i].value, &text, err) < 0)
            return -1;
        text_list_give(list, paths ? from_folder(reader, text) : mem_string(text));
    }
    return 0;
}

/* A folder, a SQLite file with or without "sqlite:", a URL, or a secret's place. */
static char *read_location(const struct reader *reader, const char *text)
{
    if (text_starts(text, "sqlite:") && !text_starts(text, "sqlite:/")) {
        /* Its path is percent-encoded, the folder's is not. */
        SCOPED(db_url) struct db_url url = DB_URL_INIT;
        if (db_url_parse(text, &url, NULL) < 0)
            return mem_string(text);
        char *path = from_folder(reader, url.database);
        free(url.database);
        url.database = path;
        return db_url_display(&url);
    }
    return is_folder_name(text) ? from_folder(reader, text) : mem_string(text);
}

static int read_field(const struct reader *reader, const struct field *field,
                      const struct yaml_tree *tree, void *thing, struct error *err)
{
    void *slot = (char *)thing + field->offset;
    if (tree->kind == YAML_SCALAR && tree->null)
        return 0;
    if (field->type == FIELD_LIST || field->type == FIELD_PATHS)
        return read_texts(reader, tree, field->type == FIELD_PATHS, slot, err);
    const char *text = NULL;
    if (scalar_text(reader, tree, &text, err) < 0)
        return -1;
    int result = 0;
    if (field->type == FIELD_DAYS)
        result = text_parse_int(text, 0, 36500, slot, err);
    else if (field->type == FIELD_BOOL)
        result = text_parse_bool(text, slot, err);
    else
        *(char **)slot =
            field->type == FIELD_LOCATION ? read_location(reader, text) : mem_string(text);
    if (result < 0) {
        error_prefix(err, "%s", field->name);
        return at_line(reader, tree->line, tree->column, err);
    }
    return 0;
}

static int read_fields(const struct reader *reader, const struct field *fields,
                       const struct yaml_tree *map, const char *where, void *thing,
                       struct error *err)
{
    if (map->kind != YAML_MAP)
        return wrong_kind(reader, map, "a map of keys", err);
    for (size_t i = 0; i < map->entry_count; i++) {
        const struct yaml_entry *entry = &map->entries[i];
        const struct field *field = fields;
        while (field->name && strcmp(field->name, entry->key) != 0)
            field++;
        if (field->name) {
            if (read_field(reader, field, entry->value, thing, err) < 0)
                return -1;
            continue;
        }
        SCOPED(text_list) struct text_list known = TEXT_LIST_INIT;
        for (field = fields; field->name; field++)
            text_list_add(&known, field->name);
        return unknown_key(reader, entry, where, &known, err);
    }
    return 0;
}

/* ---- targets and destinations ---- */

static int check_name(const struct reader *reader, const struct yaml_entry *entry,
                      struct error *err)
{
    bool bad = !entry->key[0] || strpbrk(entry->key, "/:\n\r\t") || entry->key[0] == '-';
    if (!bad)
        return 0;
    error_set(err, ERROR_USAGE, "\"%s\" cannot be a name", entry->key);
    error_hint(err, "a name has no /, no : and no leading -");
    return at_line(reader, entry->line, entry->column, err);
}

static int read_targets(struct reader *reader, const struct yaml_tree *map, struct error *err)
{
    struct config_file *file = reader->file;
    if (map->kind != YAML_MAP)
        return map->null ? 0 : wrong_kind(reader, map, "a map of names", err);
    file->targets = mem_alloc(map->entry_count + 1, sizeof *file->targets);
    for (size_t i = 0; i < map->entry_count; i++) {
        const struct yaml_entry *entry = &map->entries[i];
        if (check_name(reader, entry, err) < 0)
            return -1;
        struct config_target *target = &file->targets[file->target_count++];
        target->name = mem_string(entry->key);
        target->line = entry->line;
        target->retention_days = -1;
        SCOPED(string) char *where = mem_format("targets.%s", entry->key);
        if (read_fields(reader, target_fields, entry->value, where, target, err) < 0)
            return -1;
        if (!target->url && !target->paths.count && !target->configuration.count) {
            error_set(err, ERROR_USAGE, "target %s has neither url, paths nor configuration",
                      entry->key);
            return at_line(reader, entry->line, entry->column, err);
        }
    }
    return 0;
}

/* `local: /var/backups` is short for `local: { url: /var/backups }`. */
static int read_destination(const struct reader *reader, const struct yaml_entry *entry,
                            struct config_destination *destination, struct error *err)
{
    if (entry->value->kind == YAML_SCALAR && !entry->value->null)
        return read_field(reader, &destination_fields[0], entry->value, destination, err);
    SCOPED(string) char *where = mem_format("destinations.%s", entry->key);
    if (read_fields(reader, destination_fields, entry->value, where, destination, err) < 0)
        return -1;
    if (destination->url)
        return 0;
    error_set(err, ERROR_USAGE, "destination %s has no url", entry->key);
    return at_line(reader, entry->line, entry->column, err);
}

static int read_destinations(struct reader *reader, const struct yaml_tree *map, struct error *err)
{
    struct config_file *file = reader->file;
    if (map->kind != YAML_MAP)
        return map->null ? 0 : wrong_kind(reader, map, "a map of names", err);
    file->destinations = mem_alloc(map->entry_count + 1, sizeof *file->destinations);
    const char *chosen = NULL;
    for (size_t i = 0; i < map->entry_count; i++) {
        const struct yaml_entry *entry = &map->entries[i];
        if (check_name(reader, entry, err) < 0)
            return -1;
        struct config_destination *destination = &file->destinations[file->destination_count++];
        destination->name = mem_string(entry->key);
        destination->line = entry->line;
        if (read_destination(reader, entry, destination, err) < 0)
            return -1;
        if (destination->is_default && chosen) {
            error_set(err, ERROR_USAGE, "%s and %s are both the default destination", chosen,
                      entry->key);
            return at_line(reader, entry->line, entry->column, err);
        }
        if (destination->is_default)
            chosen = destination->name;
    }
    return 0;
}

/* ---- settings ---- */

static int read_setting(struct reader *reader, size_t row, const struct yaml_entry *entry,
                        struct error *err)
{
    const struct option_row *option = &reader->rows[row];
    const struct yaml_tree *tree = entry->value;
    if (tree->kind == YAML_SCALAR && tree->null)
        return 0;
    struct config_file *file = reader->file;
    ARRAY_GROW(file->values, file->value_count, reader->value_capacity);
    struct config_value *value = &file->values[file->value_count++];
    *value = (struct config_value){.row = row, .line = entry->line};
    if (option->type == OPTION_LIST)
        return read_texts(reader, tree, false, &value->value.list, err);

    const char *text = NULL;
    if (scalar_text(reader, tree, &text, err) < 0)
        return -1;
    SCOPED(string)
    char *path =
        option->type == OPTION_PATH && is_folder_name(text) ? from_folder(reader, text) : NULL;
    if (option_value_parse(option, path ? path : text, &value->value, err) < 0) {
        error_prefix(err, "%s", option->path);
        return at_line(reader, tree->line, tree->column, err);
    }
    return 0;
}

/* The key that follows `prefix.` in a row's path, or NULL. To be freed. */
static char *next_key(const char *path, const char *prefix)
{
    size_t length = strlen(prefix);
    if (!path || strncmp(path, prefix, length) != 0 || (length && path[length] != '.'))
        return NULL;
    const char *key = path + length + (length ? 1 : 0);
    return mem_string_n(key, (size_t)(strchrnul(key, '.') - key));
}

static void known_keys(const struct reader *reader, const char *prefix, struct text_list *known)
{
    for (size_t i = 0; i < reader->row_count; i++) {
        SCOPED(string) char *key = next_key(reader->rows[i].path, prefix);
        if (key && !text_list_has(known, key))
            text_list_give(known, STEAL(key));
    }
    if (!prefix[0]) {
        text_list_add(known, "targets");
        text_list_add(known, "destinations");
    }
}

static int read_section(struct reader *reader, const struct yaml_tree *map, const char *prefix,
                        bool shared, struct error *err);

static int read_entry(struct reader *reader, const struct yaml_entry *entry, const char *prefix,
                      bool shared, struct error *err)
{
    SCOPED(string)
    char *path = prefix[0] ? mem_format("%s.%s", prefix, entry->key) : mem_string(entry->key);
    for (size_t i = 0; i < reader->row_count; i++)
        if (text_equal(reader->rows[i].path, path))
            return read_setting(reader, i, entry, err);
    SCOPED(text_list) struct text_list known = TEXT_LIST_INIT;
    known_keys(reader, prefix, &known);
    if (!text_list_has(&known, entry->key))
        return shared ? 0 : unknown_key(reader, entry, prefix, &known, err);
    return read_section(reader, entry->value, path, false, err);
}

static int read_section(struct reader *reader, const struct yaml_tree *map, const char *prefix,
                        bool shared, struct error *err)
{
    if (map->kind == YAML_SCALAR && map->null)
        return 0;
    if (map->kind != YAML_MAP)
        return wrong_kind(reader, map, "a map of keys", err);
    for (size_t i = 0; i < map->entry_count; i++) {
        const struct yaml_entry *entry = &map->entries[i];
        int result = 0;
        if (!prefix[0] && strcmp(entry->key, "targets") == 0)
            result = read_targets(reader, entry->value, err);
        else if (!prefix[0] && strcmp(entry->key, "destinations") == 0)
            result = read_destinations(reader, entry->value, err);
        else
            result = read_entry(reader, entry, prefix, shared, err);
        if (result < 0)
            return -1;
    }
    return 0;
}

int config_file_parse(const char *path, const char *text, size_t size,
                      const struct option_row *rows, size_t row_count, bool shared,
                      struct config_file *ret_file, struct error *err)
{
    SCOPED(yaml_tree) struct yaml_tree *tree = NULL;
    if (yaml_tree_parse(path, text, size, &tree, err) < 0)
        return -1;
    SCOPED(config_file) struct config_file file = CONFIG_FILE_INIT;
    file.path = mem_string(path);
    SCOPED(string) char *folder = path_folder(path);
    struct reader reader = {.folder = folder, .rows = rows, .row_count = row_count, .file = &file};
    if (read_section(&reader, tree, "", shared, err) < 0)
        return -1;
    *ret_file = file;
    file = CONFIG_FILE_INIT;
    return 0;
}

bool config_file_is_ours(const char *text)
{
    static const char *const keys[] = {"kedge:", "migrations:"};
    for (const char *line = text; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
            size_t length = strlen(keys[i]);
            if (strncmp(line, keys[i], length) == 0 && strchr(" \t\r\n", line[length]))
                return true; /* NUL too: strchr finds the end of its text */
        }
    }
    return false;
}
