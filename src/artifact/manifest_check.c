#include "artifact/manifest_check.h"

#include "artifact/compression.h"
#include "artifact/manifest.h"
#include "base/error.h"
#include "base/ulid.h"

#include <ctype.h>
#include <string.h>

int manifest_refuse(const char *key, const char *wanted, struct error *err)
{
    return error_set(err, ERROR_CORRUPT, "manifest: \"%s\" is not %s", key, wanted);
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
        return manifest_refuse("id", "a ULID", err);
    if (manifest->group && !ulid_valid(manifest->group))
        return manifest_refuse("group", "a ULID", err);
    if (!is_plain_name(manifest->file))
        return manifest_refuse("file", "the name of a file", err);
    if (!is_one_of(manifest->kind, kinds))
        return manifest_refuse("kind", "sql, sqlite3 or tar", err);
    if (!is_one_of(manifest->encryption, encryptions))
        return manifest_refuse("encryption", "none or age", err);
    if (manifest->type && !is_one_of(manifest->type, types))
        return manifest_refuse("type", "a type of backup", err);
    if (compression_parse(manifest->compression, &choice, NULL) < 0)
        return manifest_refuse("compression", "a compression", err);
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
        return manifest->index_offset == 0 ? 0 : manifest_refuse("index", "inside the file", err);
    if (manifest->frame_count ||
        __builtin_add_overflow(manifest->index_offset, manifest->index_length, &end) ||
        end > manifest->size_bytes)
        return manifest_refuse("index", "inside the file", err);
    bool stored_as_is = strcmp(manifest->encryption, "none") == 0;
    return !stored_as_is || end == manifest->size_bytes
               ? 0
               : manifest_refuse("index", "at the file's end", err);
}

int manifest_check(const struct manifest *manifest, struct error *err)
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
    return manifest->frames && manifest->frame_count ? check_frames(manifest, err) : 0;
}
