/*
 * kedge show: everything about one backup.
 */
#include "artifact/artifact.h"
#include "artifact/manifest.h"
#include "artifact/name.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/moment.h"
#include "base/segment.h"
#include "catalog/backups.h"
#include "catalog/catalog.h"
#include "cli/commands.h"
#include "cli/console.h"
#include "cli/session.h"
#include "db/encoding.h"
#include "service/lookup.h"
#include "service/service.h"
#include "service/settings.h"
#include "store/store.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* ---- lines for people from the same object as JSON ---- */

static void print_scalar(const char *key, const json_t *value)
{
    if (json_is_string(value))
        console_result("%-16s %s", key, json_string_value(value));
    else if (json_is_integer(value))
        console_result("%-16s %" JSON_INTEGER_FORMAT, key, json_integer_value(value));
    else if (json_is_boolean(value))
        console_result("%-16s %s", key, json_is_true(value) ? "yes" : "no");
}

static void print_table_line(const json_t *item)
{
    const char *schema = json_string_value(json_object_get(item, "schema"));
    console_result("  %s%s%s  %" JSON_INTEGER_FORMAT " rows", schema ? schema : "",
                   schema ? "." : "", json_string_value(json_object_get(item, "name")),
                   json_integer_value(json_object_get(item, "rows")));
}

static void print_list(const char *key, const json_t *list)
{
    if (!json_array_size(list))
        return;
    console_result("%s", key);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *item = json_array_get(list, i);
        if (json_is_object(item))
            print_table_line(item);
        else if (json_is_string(item))
            console_result("  %s", json_string_value(item));
    }
}

static void print_people(json_t *object)
{
    const char *key;
    json_t *value;
    json_object_foreach(object, key, value)
    {
        if (json_is_array(value))
            print_list(key, value);
        else
            print_scalar(key, value);
    }
}

/* ---- what the catalogue knows ---- */

static void set_text(json_t *object, const char *key, const char *text)
{
    json_object_set_new(object, key, console_json_text(text));
}

static void set_count(json_t *object, const char *key, int64_t count)
{
    json_object_set_new(object, key, count < 0 ? json_null() : json_integer(count));
}

/* A column that holds JSON; what is no JSON is shown as text. */
static void set_json(json_t *object, const char *key, const char *text)
{
    if (!text)
        return;
    json_t *value = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    json_object_set_new(object, key, value ? value : console_json_text(text));
}

/* Older rows have 0 where nobody counted. */
static int64_t rows_in(const char *format, int64_t rows)
{
    return rows || artifact_kind_counts_rows(format) ? rows : -1;
}

static void add_row(json_t *object, const struct backup_row *row)
{
    set_count(object, "number", row->number);
    set_text(object, "id", row->id);
    set_text(object, "name", row->name);
    set_text(object, "app", row->app);
    set_text(object, "target", row->target);
    set_text(object, "destination", row->destination);
    set_text(object, "type", row->type);
    set_text(object, "trigger", row->trigger);
    set_text(object, "status", row->status);
    set_text(object, "engine", row->engine);
    set_text(object, "format", row->format);
    json_object_set_new(object, "started_at", console_json_moment(row->started_ns));
    json_object_set_new(object, "finished_at", console_json_moment(row->finished_ns));
    set_count(object, "duration_ms", row->duration_ms);
    set_count(object, "size", row->size_bytes);
    set_count(object, "source_size", row->source_bytes);
    set_count(object, "rows", rows_in(row->format, row->rows));
    set_text(object, "checksum", row->checksum);
    set_text(object, "compression", row->compression);
    set_text(object, "encryption", row->encryption);
    set_count(object, "level", row->verified_level);
    json_object_set_new(object, "verified_at", console_json_moment(row->verified_ns));
    set_count(object, "retention_days", row->retention_days);
    json_object_set_new(object, "expires", console_json_moment(row->expires_ns));
    json_object_set_new(object, "incomplete", json_boolean(row->incomplete));
    set_json(object, "incomplete_reasons", row->incomplete_reasons);
    set_json(object, "tags", row->tags);
    set_text(object, "notes", row->notes);
    set_text(object, "error_message", row->error_message);
}

static int add_file(void *context, const struct backup_file_row *file, struct error *err)
{
    (void)err;
    json_t *files = context;
    SCOPED(string)
    char *where = file->destination && file->destination[0]
                      ? mem_format("%s at %s", file->file_path, file->destination)
                      : mem_string(file->file_path);
    json_array_append_new(files, console_json_text(where));
    return 0;
}

/* ---- what the file says ---- */

static void add_manifest(json_t *object, const struct manifest *manifest)
{
    set_text(object, "id", manifest->id);
    set_text(object, "app", manifest->app);
    set_text(object, "target", manifest->target);
    set_text(object, "engine", manifest->engine);
    set_text(object, "type", manifest->type);
    set_text(object, "format", manifest->kind);
    json_object_set_new(object, "created_at", console_json_moment(manifest->created_ns));
    set_count(object, "size", (int64_t)manifest->size_bytes);
    set_count(object, "source_size", (int64_t)manifest->source_bytes);
    set_count(object, "rows", rows_in(manifest->kind, (int64_t)manifest->rows));
    set_text(object, "checksum", manifest->checksum);
    set_text(object, "compression", manifest->compression);
    set_text(object, "encryption", manifest->encryption);
    json_object_set_new(object, "incomplete", json_boolean(manifest->incomplete));
}

static void add_origin(json_t *object, const struct manifest *manifest)
{
    set_text(object, "connection", manifest->connection);
    set_text(object, "engine_version", manifest->engine_version);
    set_text(object, "consistent_at", manifest->consistent_at);
    set_text(object, "tool_version", manifest->tool_version);
}

/* A backup's names are in its own encoding. */
static void set_name(json_t *table, const char *key, const char *name, const char *encoding)
{
    SCOPED(string) char *shown = name ? encoding_to_utf8(encoding, name) : NULL;
    set_text(table, key, shown ? shown : name);
}

static json_t *tables_of(struct segment_source *segments, const struct manifest *manifest)
{
    const char *text = manifest ? manifest->metadata : NULL;
    json_t *metadata = text ? json_loads(text, 0, NULL) : NULL;
    const char *encoding = json_string_value(json_object_get(metadata, "encoding"));
    json_t *tables = json_array();
    size_t count = segments->ops->table_count ? segments->ops->table_count(segments) : 0;
    for (size_t i = 0; i < count; i++) {
        const struct segment_table *from = segments->ops->table(segments, i);
        json_t *table = json_object();
        set_name(table, "schema", from->schema, encoding);
        set_name(table, "name", from->name, encoding);
        set_count(table, "rows", (int64_t)from->rows);
        set_count(table, "bytes", (int64_t)from->bytes);
        json_array_append_new(tables, table);
    }
    json_decref(metadata);
    return tables;
}

/* The artifact adds what the catalogue does not keep; without a key, or when it is damaged, there
 * is still what the catalogue knows. */
static int add_artifact(struct cli *cli, const struct located *located, json_t *object,
                        struct error *err)
{
    SCOPED(session_keys) struct session_keys keys = {0};
    if (session_read_keys(cli, &keys, err) < 0)
        return -1;
    const struct artifact_open_options options = {.os = cli->os,
                                                  .store = located->store,
                                                  .file = located->file,
                                                  .keys = &keys.keys,
                                                  .jobs = 1};
    SCOPED(artifact_reader) struct artifact_reader *reader = NULL;
    if (artifact_open(&options, &reader, err) < 0)
        return -1;
    const struct manifest *manifest = artifact_manifest(reader);
    if (manifest && !located->known)
        add_manifest(object, manifest);
    if (manifest)
        add_origin(object, manifest);
    if (!manifest && !located->known)
        set_text(object, "format", artifact_kind(reader));
    json_object_set_new(object, "tables", tables_of(artifact_segments(reader), manifest));
    return 0;
}

static int describe(struct cli *cli, struct service *service, const struct located *located,
                    json_t *object, struct error *err)
{
    if (located->known) {
        json_t *files = json_array();
        add_row(object, &located->row);
        json_object_set_new(object, "files", files);
        if (backup_files_list(service->catalog, located->row.id, add_file, files, err) < 0)
            return -1;
    }
    SCOPED(string) char *location = store_location(located->store, located->file);
    set_text(object, "location", location);
    struct error failure = ERROR_INIT;
    if (add_artifact(cli, located, object, &failure) < 0) {
        if (!located->known) {
            *err = failure;
            return -1;
        }
        console_warning("%s", failure.message);
        set_json(object, "tables", located->row.tables_included);
    }
    if (located->known)
        set_json(object, "paths", located->row.files_included);
    return 0;
}

int command_show(struct cli *cli, struct error *err)
{
    SCOPED(session) struct session session = SESSION_INIT;
    if (session_open(cli, true, &session, err) < 0)
        return -1;
    const char *backup = session_backup(cli);
    struct located located = {0};
    if (lookup_backup(session.service, backup, settings_text(cli->settings, SETTING_FROM), &located,
                      err) < 0)
        return session_not_found(cli, &session, backup, err);
    json_t *object = json_object();
    int result = describe(cli, session.service, &located, object, err);
    if (result == 0 && console_wants_json(cli))
        console_json(json_incref(object));
    else if (result == 0)
        print_people(object);
    json_decref(object);
    located_clear(&located);
    return result;
}
