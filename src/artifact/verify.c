/*
 * Verifying an artifact: the size, the checksum, the content.
 *
 * Where the frames are known and the file is not encrypted, level 2 is one pass: threads fetch,
 * check and decompress a frame each; what needs the order (the checksum of the whole file, the
 * digest of an image, the checker) is done for the next frame in line by whichever thread comes by.
 * Otherwise the file is hashed first and decoded after.
 */
#include "artifact/artifact.h"

#include "artifact/decode.h"
#include "artifact/index.h"
#include "artifact/input.h"
#include "artifact/opened.h"
#include "base/error.h"
#include "base/file.h"
#include "base/segment.h"
#include "base/stop.h"
#include "crypto/sha256.h"
#include "io/progress.h"
#include "store/store.h"

#include <string.h>

#define PIECE ((size_t)1 << 20)

void verify_result_clear(struct verify_result *result)
{
    text_list_clear(&result->warnings);
    *result = (struct verify_result){.level = -1};
}

/* ---- level 0 ---- */

static int check_stored(const struct artifact_open_options *options, struct manifest *manifest,
                        struct verify_result *result, struct error *err)
{
    struct store_entry entry;
    if (store_find(options->store, options->file, &entry, err) < 0)
        return -1;
    result->stored_bytes = entry.size;
    int described = opened_manifest(options, manifest, err);
    if (described < 0)
        return -1;
    if (!described) {
        error_set(err, ERROR_NOT_FOUND, "%s has no manifest to compare with", options->file);
        return error_hint(err,
                          "kedge verify --level 2 writes a new one from what the artifact holds");
    }
    if (opened_check_size(options->file, manifest, result->stored_bytes, err) < 0)
        return -1;
    if (strcmp(manifest->file, path_base(options->file)) != 0) {
        char *text = mem_format("the manifest calls it %s", manifest->file);
        text_list_give(&result->warnings, text);
    }
    if (!manifest->sealed)
        text_list_add(&result->warnings, "the manifest was changed after it was written");
    memcpy(result->seal, manifest->seal, sizeof result->seal);
    result->level = 0;
    return 0;
}

/* ---- level 1 ---- */

static int hash_range(const struct artifact_open_options *options, struct sha256 *hash,
                      uint64_t offset, uint64_t end, bool counted, struct error *err)
{
    SCOPED(memory) void *piece = mem_alloc(PIECE, 1);
    while (offset < end) {
        size_t size = end - offset < PIECE ? (size_t)(end - offset) : PIECE;
        size_t got = 0;
        if (stop_check(err) < 0 ||
            store_read(options->store, options->file, offset, piece, size, &got, err) < 0)
            return -1;
        if (got < size)
            return error_set(err, ERROR_CORRUPT, "%s ends at offset %llu", options->file,
                             (unsigned long long)offset + got);
        sha256_update(hash, piece, size);
        if (counted)
            progress_add(options->progress, size);
        offset += size;
    }
    return 0;
}

static int compare_checksum(const struct artifact_open_options *options, struct sha256 *hash,
                            const struct manifest *manifest, struct verify_result *result,
                            struct error *err)
{
    sha256_finish_text(hash, result->checksum);
    if (strcmp(result->checksum, manifest->checksum) == 0)
        return 0;
    return error_set(err, ERROR_CORRUPT, "%s has the SHA-256 %s, its manifest says %s",
                     options->file, result->checksum, manifest->checksum);
}

static int check_hash(const struct artifact_open_options *options, const struct manifest *manifest,
                      bool counted, struct verify_result *result, struct error *err)
{
    SCOPED(sha256) struct sha256 *hash = sha256_new();
    if (hash_range(options, hash, 0, manifest->size_bytes, counted, err) < 0 ||
        compare_checksum(options, hash, manifest, result, err) < 0)
        return -1;
    result->level = 1;
    return 0;
}

int artifact_checksum(const struct artifact_open_options *options, char ret_checksum[static 65],
                      struct error *err)
{
    struct store_entry entry;
    SCOPED(sha256) struct sha256 *hash = sha256_new();
    if (store_find(options->store, options->file, &entry, err) < 0)
        return -1;
    if (hash_range(options, hash, 0, entry.size, false, err) < 0)
        return -1;
    sha256_finish_text(hash, ret_checksum);
    return 0;
}

/* ---- level 2 ---- */

static int count_member(void *context, const struct index_member *member, struct error *err)
{
    (void)member;
    (void)err;
    ++*(uint64_t *)context;
    return 0;
}

/* What the index lists is what the frames are said to hold. */
static int check_lists(const struct opened *opened, struct error *err)
{
    uint64_t members = 0;
    struct index_visitor visitor = {.context = &members, .member = count_member};
    struct index_place place = opened_index(opened);
    if (contents_check(&opened->contents, err) < 0)
        return -1;
    if (strcmp(opened->kind, "tar") != 0 || !place.length)
        return 0;
    if (index_read(&place, &visitor, err) < 0)
        return -1;
    if (members != opened->manifest.rows)
        return error_set(err, ERROR_CORRUPT, "index: %llu members, the manifest says %llu",
                         (unsigned long long)members, (unsigned long long)opened->manifest.rows);
    return 0;
}

static int check_digest(const struct manifest *manifest, const char *digest, struct error *err)
{
    if (!digest[0] || !manifest->digest[0] || strcmp(digest, manifest->digest) == 0)
        return 0;
    return error_set(err, ERROR_CORRUPT, "its content has the SHA-256 %s, the manifest says %s",
                     digest, manifest->digest);
}

static int check_content(const struct artifact_open_options *options, struct opened *opened,
                         struct verify_result *result, struct error *err)
{
    const struct manifest *manifest = &opened->manifest;
    bool in_one_pass = opened_indexed(opened) && !input_encrypted(opened->input);
    SCOPED(sha256) struct sha256 *hash = sha256_new();
    if (!in_one_pass && check_hash(options, manifest, false, result, err) < 0)
        return -1;
    struct decode_result decoded = {0};
    if (decode_all(options, opened, in_one_pass ? hash : NULL, &decoded, err) < 0)
        return -1;
    if (in_one_pass &&
        (hash_range(options, hash, opened->contents.end, opened->stored_size, false, err) < 0 ||
         compare_checksum(options, hash, manifest, result, err) < 0))
        return -1;
    result->level = 1;
    result->plain_bytes = decoded.plain;
    result->frames = decoded.frames;
    if (check_digest(manifest, decoded.digest, err) < 0 || check_lists(opened, err) < 0)
        return -1;
    result->rows = opened->contents.image ? UINT64_MAX : manifest->rows;
    result->level = 2;
    return 0;
}

static int verify_content(const struct artifact_open_options *options, struct verify_result *result,
                          struct error *err)
{
    SCOPED(opened) struct opened opened = {0};
    if (opened_open(options, &opened, err) < 0)
        return -1;
    if (check_content(options, &opened, result, err) < 0)
        return error_prefix(err, "%s", options->file);
    return 0;
}

int artifact_verify(const struct artifact_open_options *options, int level,
                    struct verify_result *ret_result, struct error *err)
{
    *ret_result = (struct verify_result){.level = -1, .rows = UINT64_MAX};
    SCOPED(manifest) struct manifest manifest = MANIFEST_INIT;
    if (check_stored(options, &manifest, ret_result, err) < 0)
        return -1;
    progress_begin(options->progress, "verifying",
                   level < 2 ? manifest.size_bytes : manifest.plain_bytes);
    if (level < 1)
        return 0;
    return level == 1 ? check_hash(options, &manifest, true, ret_result, err)
                      : verify_content(options, ret_result, err);
}
