#include "artifact/json.h"
#include "artifact/manifest_fields.h"
#include "artifact/seal.h"
#include "base/error.h"
#include "base/moment.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* A frame's line is at most three numbers of 19 digits, 64 of hex and punctuation; mostly far less.
 * What is kept back is for everything else. */
#define FRAMES_MAXIMUM (MANIFEST_MAXIMUM - ((size_t)124 << 10))

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
static bool is_set(const struct manifest *manifest, const struct manifest_field *field)
{
    const void *member = manifest_member_const(manifest, field);
    switch (field->kind) {
    case FIELD_TEXT:
    case FIELD_OBJECT:
        return *(const char *const *)member != NULL;
    case FIELD_NUMBER:
    case FIELD_MOMENT:
        return *(const int64_t *)member != 0 || field->required;
    case FIELD_LIST:
        return ((const struct text_list *)member)->count > 0;
    case FIELD_HASH:
        return *(const char *)member != '\0';
    default:
        return true;
    }
}

static void write_value(struct buf *json, const struct manifest *manifest,
                        const struct manifest_field *field)
{
    const void *member = manifest_member_const(manifest, field);
    char moment[32];
    switch (field->kind) {
    case FIELD_TEXT:
        json_append(json, *(const char *const *)member);
        break;
    case FIELD_OBJECT:
        buf_append_text(json, *(const char *const *)member);
        break;
    case FIELD_COUNT:
        buf_append_format(json, "%llu", (unsigned long long)*(const uint64_t *)member);
        break;
    case FIELD_NUMBER:
        buf_append_format(json, "%lld", (long long)*(const int64_t *)member);
        break;
    case FIELD_MOMENT:
        moment_format_iso(*(const int64_t *)member, moment);
        json_append(json, moment);
        break;
    case FIELD_FLAG:
        buf_append_text(json, *(const bool *)member ? "true" : "false");
        break;
    case FIELD_LIST:
        write_list(json, member);
        break;
    case FIELD_HASH:
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
    buf_append_format(json, "{\n  \"format\": \"" MANIFEST_FORMAT "\",\n  \"version\": %d",
                      MANIFEST_VERSION);
    for (size_t i = 0; i < manifest_field_count; i++) {
        if (!is_set(manifest, &manifest_fields[i]))
            continue;
        buf_append_format(json, ",\n  \"%s\": ", manifest_fields[i].key);
        write_value(json, manifest, &manifest_fields[i]);
    }
    buf_append_format(json, ",\n  \"index\": {\"offset\": %llu, \"length\": %llu}",
                      (unsigned long long)manifest->index_offset,
                      (unsigned long long)manifest->index_length);
    if (manifest->unknown && write_unknown(json, manifest->unknown, err) < 0)
        return -1;
    if (manifest->kind && strcmp(manifest->kind, "sqlite3") == 0 && !manifest->index_length)
        write_frames(json, manifest);
    seal_append(json, start);
    if (json->length - start > MANIFEST_MAXIMUM)
        return error_set(err, ERROR_FAILED, "manifest: longer than %zu bytes", MANIFEST_MAXIMUM);
    return buf_check(json, "manifest", err);
}

void manifest_seal(const struct buf *json, char ret_seal[static 65])
{
    seal_read(json->data, json->length, ret_seal);
}

bool manifest_holds(const struct manifest *manifest)
{
    SCOPED(buf) struct buf json = BUF_INIT;
    write_frames(&json, manifest);
    return json.length <= FRAMES_MAXIMUM;
}
