#include "artifact/manifest.h"

#include "artifact/compression.h"
#include "artifact/json.h"
#include "base/error.h"
#include "base/moment.h"
#include "base/ulid.h"
#include "crypto/sha256.h"

#include <ctype.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FORMAT "kedge-artifact"
#define VERSION 1
/* A frame's line is at most three numbers of 19 digits, 64 of hex and punctuation; mostly far less.
 * What is kept back is for everything else. */
#define FRAMES_MAXIMUM (MANIFEST_MAXIMUM - ((size_t)124 << 10))

/* The last key: SHA-256 of all the text before it. */
#define SEAL_START ",\n  \"seal\": \""
#define SEAL_END "\"\n}\n"
#define SEAL_LENGTH (sizeof SEAL_START - 1 + 64 + sizeof SEAL_END - 1)

/* ---- the keys ---- */

enum field_kind { TEXT, COUNT, NUMBER, MOMENT, FLAG, LIST, OBJECT, HASH };

struct field {
    const char *key;
    size_t offset;
    enum field_kind kind;
    bool required;
};

#define FIELD(key, kind, member, required)                                                         \
    {                                                                                              \
        key, offsetof(struct manifest, member), kind, required                                     \
    }

/* In the order of the file. "format", "version", "index" and "frames" have their own code. */
static const struct field fields[] = {
    FIELD("id", TEXT, id, true),
    FIELD("number", NUMBER, number, false),
    FIELD("app", TEXT, app, false),
    FIELD("target", TEXT, target, false),
    FIELD("engine", TEXT, engine, false),
    FIELD("engine_version", TEXT, engine_version, false),
    FIELD("type", TEXT, type, false),
    FIELD("kind", TEXT, kind, true),
    FIELD("created_at", MOMENT, created_ns, true),
    FIELD("consistent_at", TEXT, consistent_at, false),
    FIELD("tool_version", TEXT, tool_version, false),
    FIELD("file", TEXT, file, true),
    FIELD("compression", TEXT, compression, true),
    FIELD("encryption", TEXT, encryption, true),
    FIELD("recipients", LIST, recipients, false),
    FIELD("size_bytes", COUNT, size_bytes, true),
    FIELD("source_bytes", COUNT, source_bytes, true),
    FIELD("plain_bytes", COUNT, plain_bytes, true),
    FIELD("rows", COUNT, rows, true),
    FIELD("checksum", HASH, checksum, true),
    FIELD("digest", HASH, digest, false),
    FIELD("index_checksum", HASH, index_checksum, false),
    FIELD("incomplete", FLAG, incomplete, true),
    FIELD("incomplete_reasons", LIST, incomplete_reasons, false),
    FIELD("expires_at", MOMENT, expires_ns, false),
    FIELD("retention_days", NUMBER, retention_days, false),
    FIELD("connection", TEXT, connection, false),
    FIELD("group", TEXT, group, false),
    FIELD("part", TEXT, part, false),
    FIELD("tags", LIST, tags, false),
    FIELD("metadata", OBJECT, metadata, false),
};

static void *member_of(struct manifest *manifest, const struct field *field)
{
    return (char *)manifest + field->offset;
}

static const void *const_member_of(const struct manifest *manifest, const struct field *field)
{
    return (const char *)manifest + field->offset;
}

void manifest_clear(struct manifest *manifest)
{
    for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
        if (fields[i].kind == TEXT || fields[i].kind == OBJECT)
            free(*(char **)member_of(manifest, &fields[i]));
        if (fields[i].kind == LIST)
            text_list_clear(member_of(manifest, &fields[i]));
    }
    free(manifest->frames);
    free(manifest->unknown);
    *manifest = MANIFEST_INIT;
}

/* ---- reading ---- */

static int refuse(const char *key, const char *wanted, struct error *err)
{
    return error_set(err, ERROR_CORRUPT, "manifest: \"%s\" is not %s", key, wanted);
}

static int read_count(const json_t *value, const char *key, uint64_t *ret_count, struct error *err)
{
    if (!json_is_integer(value) || json_integer_value(value) < 0)
        return refuse(key, "a number", err);
    *ret_count = (uint64_t)json_integer_value(value);
    return 0;
}

static int read_moment(const json_t *value, const char *key, int64_t *ret_moment_ns,
                       struct error *err)
{
    const char *text = json_string_value(value);
    if (!text || strlen(text) > 40 || moment_parse(text, ret_moment_ns) < 0)
        return refuse(key, "a time", err);
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
        return refuse(key, "a SHA-256 in hex", err);
    memcpy(ret_hash, text, 65);
    return 0;
}

static int read_list(const json_t *value, const char *key, struct text_list *list,
                     struct error *err)
{
    if (!json_is_array(value))
        return refuse(key, "a list", err);
    for (size_t i = 0; i < json_array_size(value); i++) {
        const char *text = json_string_value(json_array_get(value, i));
        if (!text)
            return refuse(key, "a list of texts", err);
        text_list_add(list, text);
    }
    return 0;
}

static int read_text(const json_t *value, const char *key, char **text, struct error *err)
{
    if (!json_is_string(value))
        return refuse(key, "a text", err);
    *text = mem_string(json_string_value(value));
    return 0;
}

static int read_object(const json_t *value, const char *key, char **text, struct error *err)
{
    if (!json_is_object(value))
        return refuse(key, "an object", err);
    *text = json_dumps(value, JSON_COMPACT);
    return 0;
}

static int read_field(const json_t *value, const struct field *field, struct manifest *manifest,
                      struct error *err)
{
    void *member = member_of(manifest, field);
    uint64_t count = 0;
    switch (field->kind) {
    case TEXT:
        return read_text(value, field->key, member, err);
    case COUNT:
        return read_count(value, field->key, member, err);
    case NUMBER:
        if (read_count(value, field->key, &count, err) < 0)
            return -1;
        *(int64_t *)member = (int64_t)count;
        return 0;
    case MOMENT:
        return read_moment(value, field->key, member, err);
    case FLAG:
        if (!json_is_boolean(value))
            return refuse(field->key, "true or false", err);
        *(bool *)member = json_is_true(value);
        return 0;
    case LIST:
        return read_list(value, field->key, member, err);
    case OBJECT:
        return read_object(value, field->key, member, err);
    case HASH:
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
        return refuse("frames", "a list", err);
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
        return refuse("index", "an offset and a length", err);
    if (read_count(json_object_get(value, "offset"), "index", &manifest->index_offset, err) < 0 ||
        read_count(json_object_get(value, "length"), "index", &manifest->index_length, err) < 0)
        return -1;
    return 0;
}

static const struct field *field_of(const char *key)
{
    for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
        if (strcmp(fields[i].key, key) == 0)
            return &fields[i];
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
    const struct field *field = field_of(key);
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
    if (!format || strcmp(format, FORMAT) != 0)
        return refuse("format", "\"" FORMAT "\"", err);
    const json_t *version = json_object_get(root, "version");
    if (!json_is_integer(version))
        return refuse("version", "a number", err);
    if (json_integer_value(version) != VERSION) {
        error_set(err, ERROR_CORRUPT, "manifest: version %lld is not known",
                  (long long)json_integer_value(version));
        return error_hint(err, "a newer kedge made it: use that one");
    }
    return 0;
}

static int check_required(const json_t *root, struct error *err)
{
    for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
        if (fields[i].required && !json_object_get(root, fields[i].key))
            return error_set(err, ERROR_CORRUPT, "manifest: \"%s\" is missing", fields[i].key);
    if (!json_object_get(root, "index"))
        return error_set(err, ERROR_CORRUPT, "manifest: \"index\" is missing");
    return 0;
}

static bool is_one_of(const char *text, const char *const *words)
{
    for (; *words; words++)
        if (strcmp(text, *words) == 0)
            return true;
    return false;
}

static bool is_plain_name(const char *file)
{
    if (!file[0] || strlen(file) > 255 || strchr(file, '/') || strcmp(file, ".") == 0 ||
        strcmp(file, "..") == 0)
        return false;
    for (const char *at = file; *at; at++)
        if (iscntrl((unsigned char)*at))
            return false;
    return true;
}

static int check_words(const struct manifest *manifest, struct error *err)
{
    static const char *const kinds[] = {"sql", "sqlite3", "tar", NULL};
    static const char *const encryptions[] = {"none", "age", NULL};
    static const char *const types[] = {"database",    "files",         "full",
                                        "incremental", "configuration", NULL};
    struct compression_choice choice;
    if (!ulid_valid(manifest->id))
        return refuse("id", "a ULID", err);
    if (manifest->group && !ulid_valid(manifest->group))
        return refuse("group", "a ULID", err);
    if (!is_plain_name(manifest->file))
        return refuse("file", "the name of a file", err);
    if (!is_one_of(manifest->kind, kinds))
        return refuse("kind", "sql, sqlite3 or tar", err);
    if (!is_one_of(manifest->encryption, encryptions))
        return refuse("encryption", "none or age", err);
    if (manifest->type && !is_one_of(manifest->type, types))
        return refuse("type", "a type of backup", err);
    if (compression_parse(manifest->compression, &choice, NULL) < 0)
        return refuse("compression", "a compression", err);
    return 0;
}

/* Frames follow one another from the start of the stream and add up to what is said elsewhere. */
static int check_frames(const struct manifest *manifest, struct error *err)
{
    uint64_t offset = 0;
    uint64_t plain = 0;
    for (size_t i = 0; i < manifest->frame_count; i++) {
        const struct manifest_frame *frame = &manifest->frames[i];
        if (frame->offset != offset)
            return error_set(err, ERROR_CORRUPT, "manifest: frame %zu does not follow the last", i);
        if (__builtin_add_overflow(offset, frame->length, &offset) ||
            __builtin_add_overflow(plain, frame->plain, &plain))
            return error_set(err, ERROR_CORRUPT, "manifest: frame %zu is too long", i);
    }
    if (plain != manifest->plain_bytes)
        return error_set(err, ERROR_CORRUPT, "manifest: frames do not add up to \"plain_bytes\"");
    bool stored_as_is = strcmp(manifest->encryption, "none") == 0;
    if (stored_as_is && offset != manifest->size_bytes)
        return error_set(err, ERROR_CORRUPT, "manifest: frames do not add up to \"size_bytes\"");
    return 0;
}

static int check_index(const struct manifest *manifest, struct error *err)
{
    uint64_t end = 0;
    if (manifest->index_length == 0)
        return manifest->index_offset == 0 ? 0 : refuse("index", "inside the file", err);
    if (manifest->frame_count ||
        __builtin_add_overflow(manifest->index_offset, manifest->index_length, &end) ||
        end > manifest->size_bytes)
        return refuse("index", "inside the file", err);
    bool stored_as_is = strcmp(manifest->encryption, "none") == 0;
    return !stored_as_is || end == manifest->size_bytes ? 0
                                                        : refuse("index", "at the file's end", err);
}

static int check_whole(const struct manifest *manifest, struct error *err)
{
    bool is_image = strcmp(manifest->kind, "sqlite3") == 0;
    if (check_words(manifest, err) < 0 || check_index(manifest, err) < 0)
        return -1;
    if (is_image && !manifest->digest[0])
        return error_set(err, ERROR_CORRUPT, "manifest: \"digest\" is missing");
    if (!is_image && (manifest->frames || manifest->digest[0]))
        return error_set(err, ERROR_CORRUPT, "manifest: only sqlite3 has frames and a digest here");
    if (is_image && !manifest->frames && !manifest->index_length)
        return error_set(err, ERROR_CORRUPT, "manifest: \"frames\" is missing");
    return manifest->frame_count ? check_frames(manifest, err) : 0;
}

static int read_root(json_t *root, struct manifest *manifest, struct error *err)
{
    if (!json_is_object(root))
        return error_set(err, ERROR_CORRUPT, "manifest: not a JSON object");
    if (check_header(root, err) < 0 || check_required(root, err) < 0 ||
        read_keys(root, manifest, err) < 0)
        return -1;
    return check_whole(manifest, err);
}

static void make_seal(const char *text, size_t size, char ret_seal[static SEAL_LENGTH + 1])
{
    uint8_t digest[SHA256_SIZE];
    char hex[SHA256_TEXT];
    sha256_of(text, size, digest);
    text_hex(digest, sizeof digest, hex);
    snprintf(ret_seal, SEAL_LENGTH + 1, "%s%s%s", SEAL_START, hex, SEAL_END);
}

static bool is_sealed(const char *text, size_t size)
{
    char seal[SEAL_LENGTH + 1];
    if (size < SEAL_LENGTH)
        return false;
    make_seal(text, size - SEAL_LENGTH, seal);
    return memcmp(text + size - SEAL_LENGTH, seal, SEAL_LENGTH) == 0;
}

static void copy_seal(const char *text, size_t size, char ret_seal[static SHA256_TEXT])
{
    memcpy(ret_seal, text + size - SEAL_LENGTH + strlen(SEAL_START), SHA256_TEXT - 1);
    ret_seal[SHA256_TEXT - 1] = '\0';
}

void manifest_seal(const struct buf *json, char ret_seal[static 65])
{
    copy_seal(json->data, json->length, ret_seal);
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
        manifest.sealed = is_sealed(text, size);
        if (manifest.sealed)
            copy_seal(text, size, manifest.seal);
        *ret_manifest = manifest;
        manifest = MANIFEST_INIT;
    }
    return result;
}

/* ---- writing ---- */

static void write_list(struct buf *json, const struct text_list *list)
{
    buf_append_char(json, '[');
    for (size_t i = 0; i < list->count; i++) {
        if (i)
            buf_append_text(json, ", ");
        json_append(json, list->items[i]);
    }
    buf_append_char(json, ']');
}

/* Whether the field says something: what says nothing and is not required is left out. */
static bool is_set(const struct manifest *manifest, const struct field *field)
{
    const void *member = const_member_of(manifest, field);
    switch (field->kind) {
    case TEXT:
    case OBJECT:
        return *(const char *const *)member != NULL;
    case NUMBER:
    case MOMENT:
        return *(const int64_t *)member != 0 || field->required;
    case LIST:
        return ((const struct text_list *)member)->count > 0;
    case HASH:
        return *(const char *)member != '\0';
    default:
        return true;
    }
}

static void write_value(struct buf *json, const struct manifest *manifest,
                        const struct field *field)
{
    const void *member = const_member_of(manifest, field);
    char moment[32];
    switch (field->kind) {
    case TEXT:
        json_append(json, *(const char *const *)member);
        break;
    case OBJECT:
        buf_append_text(json, *(const char *const *)member);
        break;
    case COUNT:
        buf_append_format(json, "%llu", (unsigned long long)*(const uint64_t *)member);
        break;
    case NUMBER:
        buf_append_format(json, "%lld", (long long)*(const int64_t *)member);
        break;
    case MOMENT:
        moment_format_iso(*(const int64_t *)member, moment);
        json_append(json, moment);
        break;
    case FLAG:
        buf_append_text(json, *(const bool *)member ? "true" : "false");
        break;
    case LIST:
        write_list(json, member);
        break;
    case HASH:
        json_append(json, member);
        break;
    }
}

static void write_frames(struct buf *json, const struct manifest *manifest)
{
    buf_append_text(json, ",\n  \"frames\": [");
    for (size_t i = 0; i < manifest->frame_count; i++) {
        const struct manifest_frame *frame = &manifest->frames[i];
        char hex[65];
        text_hex(frame->sha256, sizeof frame->sha256, hex);
        buf_append_format(json, "%s\n    [%llu, %llu, %llu, \"%s\"]", i ? "," : "",
                          (unsigned long long)frame->offset, (unsigned long long)frame->length,
                          (unsigned long long)frame->plain, hex);
    }
    buf_append_text(json, "\n  ]");
}

/* Our own text again, value by value, for what we do not know. */
static int write_unknown(struct buf *json, const char *text, struct error *err)
{
    json_t *unknown = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    if (!json_is_object(unknown)) {
        json_decref(unknown);
        return error_set(err, ERROR_FAILED, "manifest: unknown keys are not a JSON object");
    }
    const char *key;
    json_t *value;
    json_object_foreach(unknown, key, value)
    {
        char *dumped = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
        buf_append_text(json, ",\n  ");
        json_append(json, key);
        buf_append_text(json, ": ");
        buf_append_text(json, dumped);
        free(dumped);
    }
    json_decref(unknown);
    return 0;
}

static int check_metadata(const char *text, struct error *err)
{
    json_t *value = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    bool good = json_is_object(value);
    json_decref(value);
    return good ? 0 : error_set(err, ERROR_FAILED, "manifest: metadata is not a JSON object");
}

int manifest_format(const struct manifest *manifest, struct buf *json, struct error *err)
{
    if (manifest->metadata && check_metadata(manifest->metadata, err) < 0)
        return -1;
    size_t start = json->length;
    buf_append_format(json, "{\n  \"format\": \"" FORMAT "\",\n  \"version\": %d", VERSION);
    for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
        if (!is_set(manifest, &fields[i]))
            continue;
        buf_append_format(json, ",\n  \"%s\": ", fields[i].key);
        write_value(json, manifest, &fields[i]);
    }
    buf_append_format(json, ",\n  \"index\": {\"offset\": %llu, \"length\": %llu}",
                      (unsigned long long)manifest->index_offset,
                      (unsigned long long)manifest->index_length);
    if (manifest->unknown && write_unknown(json, manifest->unknown, err) < 0)
        return -1;
    if (manifest->kind && strcmp(manifest->kind, "sqlite3") == 0 && !manifest->index_length)
        write_frames(json, manifest);
    char seal[SEAL_LENGTH + 1];
    make_seal(json->data + start, json->length - start, seal);
    buf_append_text(json, seal);
    if (json->length - start > MANIFEST_MAXIMUM)
        return error_set(err, ERROR_FAILED, "manifest: longer than %zu bytes", MANIFEST_MAXIMUM);
    return buf_check(json, "manifest", err);
}

bool manifest_holds(const struct manifest *manifest)
{
    SCOPED(buf) struct buf json = BUF_INIT;
    write_frames(&json, manifest);
    return json.length <= FRAMES_MAXIMUM;
}
