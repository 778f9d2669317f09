#include "artifact/manifest_check.h"
#include "artifact/manifest_fields.h"
#include "artifact/seal.h"
#include "base/error.h"
#include "base/moment.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static int read_count(const json_t *value, const char *key, uint64_t *ret_count, struct error *err)
{
    if (!json_is_integer(value) || json_integer_value(value) < 0)
        return manifest_refuse(key, "a number", err);
    *ret_count = (uint64_t)json_integer_value(value);
    return 0;
}

static int read_moment(const json_t *value, const char *key, int64_t *ret_moment_ns,
                       struct error *err)
{
    const char *text = json_string_value(value);
    if (!text || strlen(text) > 40 || moment_parse(text, ret_moment_ns) < 0)
        return manifest_refuse(key, "a time", err);
    return 0;
}

static bool is_hash(const char *text)
{
    return text && strlen(text) == 64 && strspn(text, "0123456789abcdef") == 64;
}

static int read_hash(const json_t *value, const char *key, char ret_hash[static 65],
                     struct error *err)
{
    const char *text = json_string_value(value);
    if (!is_hash(text))
        return manifest_refuse(key, "a SHA-256 in hex", err);
    memcpy(ret_hash, text, 65);
    return 0;
}

static int read_list(const json_t *value, const char *key, struct text_list *list,
                     struct error *err)
{
    if (!json_is_array(value))
        return manifest_refuse(key, "a list", err);
    for (size_t i = 0; i < json_array_size(value); i++) {
        const char *text = json_string_value(json_array_get(value, i));
        if (!text)
            return manifest_refuse(key, "a list of texts", err);
        text_list_add(list, text);
    }
    return 0;
}

static int read_text(const json_t *value, const char *key, char **text, struct error *err)
{
    if (!json_is_string(value))
        return manifest_refuse(key, "a text", err);
    *text = mem_string(json_string_value(value));
    return 0;
}

static int read_object(const json_t *value, const char *key, char **text, struct error *err)
{
    if (!json_is_object(value))
        return manifest_refuse(key, "an object", err);
    *text = json_dumps(value, JSON_COMPACT);
    return 0;
}

static int read_field(const json_t *value, const struct manifest_field *field,
                      struct manifest *manifest, struct error *err)
{
    void *member = manifest_member(manifest, field);
    uint64_t count = 0;
    switch (field->kind) {
    case FIELD_TEXT:
        return read_text(value, field->key, member, err);
    case FIELD_COUNT:
        return read_count(value, field->key, member, err);
    case FIELD_NUMBER:
        if (read_count(value, field->key, &count, err) < 0)
            return -1;
        *(int64_t *)member = (int64_t)count;
        return 0;
    case FIELD_MOMENT:
        return read_moment(value, field->key, member, err);
    case FIELD_FLAG:
        if (!json_is_boolean(value))
            return manifest_refuse(field->key, "true or false", err);
        *(bool *)member = json_is_true(value);
        return 0;
    case FIELD_LIST:
        return read_list(value, field->key, member, err);
    case FIELD_OBJECT:
        return read_object(value, field->key, member, err);
    case FIELD_HASH:
        return read_hash(value, field->key, member, err);
    }
    return 0;
}

static int read_frame(const json_t *value, size_t number, struct manifest_frame *frame,
                      struct error *err)
{
    const char *text = json_string_value(json_array_get(value, 3));
    if (json_array_size(value) != 4 || !is_hash(text) || text_unhex(text, frame->sha256, 32) < 0)
        return error_set(err, ERROR_CORRUPT,
                         "manifest: frame %zu is not [offset, length, plain length, SHA-256]",
                         number);
    if (read_count(json_array_get(value, 0), "frames", &frame->offset, err) < 0 ||
        read_count(json_array_get(value, 1), "frames", &frame->length, err) < 0 ||
        read_count(json_array_get(value, 2), "frames", &frame->plain, err) < 0)
        return error_prefix(err, "frame %zu", number);
    return 0;
}

static int read_frames(const json_t *value, struct manifest *manifest, struct error *err)
{
    if (!json_is_array(value))
        return manifest_refuse("frames", "a list", err);
    size_t count = json_array_size(value);
    manifest->frames = mem_alloc(count, sizeof *manifest->frames);
    manifest->frame_count = count;
    for (size_t i = 0; i < count; i++)
        if (read_frame(json_array_get(value, i), i, &manifest->frames[i], err) < 0)
            return -1;
    return 0;
}

static int read_index(const json_t *value, struct manifest *manifest, struct error *err)
{
    if (!json_is_object(value) || json_object_size(value) != 2)
        return manifest_refuse("index", "an offset and a length", err);
    if (read_count(json_object_get(value, "offset"), "index", &manifest->index_offset, err) < 0 ||
        read_count(json_object_get(value, "length"), "index", &manifest->index_length, err) < 0)
        return -1;
    return 0;
}

static const struct manifest_field *field_of(const char *key)
{
    for (size_t i = 0; i < manifest_field_count; i++)
        if (strcmp(manifest_fields[i].key, key) == 0)
            return &manifest_fields[i];
    return NULL;
}

/* One key of the object; unknown ones go to `unknown`. */
static int read_key(const char *key, json_t *value, struct manifest *manifest, json_t *unknown,
                    struct error *err)
{
    if (strcmp(key, "format") == 0 || strcmp(key, "version") == 0 || strcmp(key, "seal") == 0)
        return 0;
    if (strcmp(key, "index") == 0)
        return read_index(value, manifest, err);
    if (strcmp(key, "frames") == 0)
        return read_frames(value, manifest, err);
    const struct manifest_field *field = field_of(key);
    if (field)
        return read_field(value, field, manifest, err);
    json_object_set(unknown, key, value);
    return 0;
}

static int read_keys(json_t *root, struct manifest *manifest, struct error *err)
{
    json_t *unknown = json_object();
    const char *key;
    json_t *value;
    int result = 0;
    json_object_foreach(root, key, value)
    {
        result = read_key(key, value, manifest, unknown, err);
        if (result < 0)
            break;
    }
    if (result == 0 && json_object_size(unknown))
        manifest->unknown = json_dumps(unknown, JSON_COMPACT);
    json_decref(unknown);
    return result;
}

static int check_header(const json_t *root, struct error *err)
{
    const char *format = json_string_value(json_object_get(root, "format"));
    if (!format || strcmp(format, MANIFEST_FORMAT) != 0)
        return manifest_refuse("format", "\"" MANIFEST_FORMAT "\"", err);
    const json_t *version = json_object_get(root, "version");
    if (!json_is_integer(version))
        return manifest_refuse("version", "a number", err);
    if (json_integer_value(version) != MANIFEST_VERSION) {
        error_set(err, ERROR_CORRUPT, "manifest: version %lld is not known",
                  (long long)json_integer_value(version));
        return error_hint(err, "a newer kedge made it: use that one");
    }
    return 0;
}

static int check_required(const json_t *root, struct error *err)
{
    for (size_t i = 0; i < manifest_field_count; i++)
        if (manifest_fields[i].required && !json_object_get(root, manifest_fields[i].key))
            return error_set(err, ERROR_CORRUPT, "manifest: \"%s\" is missing",
                             manifest_fields[i].key);
    if (!json_object_get(root, "index"))
        return error_set(err, ERROR_CORRUPT, "manifest: \"index\" is missing");
    return 0;
}

static int read_root(json_t *root, struct manifest *manifest, struct error *err)
{
    if (!json_is_object(root))
        return error_set(err, ERROR_CORRUPT, "manifest: not a JSON object");
    if (check_header(root, err) < 0 || check_required(root, err) < 0 ||
        read_keys(root, manifest, err) < 0)
        return -1;
    return manifest_check(manifest, err);
}

int manifest_parse(const char *text, size_t size, struct manifest *ret_manifest, struct error *err)
{
    if (size > MANIFEST_MAXIMUM)
        return error_set(err, ERROR_CORRUPT, "manifest: longer than %zu bytes", MANIFEST_MAXIMUM);
    json_error_t where;
    json_t *root = json_loadb(text, size, JSON_REJECT_DUPLICATES, &where);
    if (!root)
        return error_set(err, ERROR_CORRUPT, "manifest: line %d: %s", where.line, where.text);
    SCOPED(manifest) struct manifest manifest = MANIFEST_INIT;
    int result = read_root(root, &manifest, err);
    json_decref(root);
    if (result == 0) {
        manifest.sealed = seal_is_right(text, size);
        if (manifest.sealed)
            seal_read(text, size, manifest.seal);
        *ret_manifest = manifest;
        manifest = MANIFEST_INIT;
    }
    return result;
}
