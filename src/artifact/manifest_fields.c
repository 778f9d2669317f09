#include "artifact/manifest_fields.h"

#include "base/mem.h"

#include <stdlib.h>

#define FIELD(key, kind, member, required)                                                         \
    {                                                                                              \
        key, offsetof(struct manifest, member), FIELD_##kind, required                             \
    }

const struct manifest_field manifest_fields[] = {
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

const size_t manifest_field_count = ARRAY_SIZE(manifest_fields);

void *manifest_member(struct manifest *manifest, const struct manifest_field *field)
{
    return (char *)manifest + field->offset;
}

const void *manifest_member_const(const struct manifest *manifest,
                                  const struct manifest_field *field)
{
    return (const char *)manifest + field->offset;
}

void manifest_clear(struct manifest *manifest)
{
    for (size_t i = 0; i < manifest_field_count; i++) {
        if (manifest_fields[i].kind == FIELD_TEXT || manifest_fields[i].kind == FIELD_OBJECT)
            free(*(char **)manifest_member(manifest, &manifest_fields[i]));
        if (manifest_fields[i].kind == FIELD_LIST)
            text_list_clear(manifest_member(manifest, &manifest_fields[i]));
    }
    free(manifest->frames);
    free(manifest->unknown);
    *manifest = MANIFEST_INIT;
}
