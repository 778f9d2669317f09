#include "artifact/opened.h"

#include "artifact/compression.h"
#include "artifact/index.h"
#include "artifact/input.h"
#include "artifact/manifest_file.h"
#include "artifact/name.h"
#include "base/error.h"
#include "crypto/sha256.h"
#include "io/codec.h"
#include "store/store.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define SNIFF_SIZE ((size_t)4096)

#define WITHOUT_MANIFEST "with the manifest moved away, the artifact is read from front to back"

/* ---- the manifest ---- */

int opened_check_size(const char *file, const struct manifest *manifest, uint64_t size,
                      struct error *err)
{
    if (manifest->size_bytes == size)
        return 0;
    return error_set(err, ERROR_CORRUPT, "%s has %llu bytes, its manifest says %llu", file,
                     (unsigned long long)size, (unsigned long long)manifest->size_bytes);
}

int opened_manifest(const struct artifact_open_options *options, struct manifest *ret_manifest,
                    struct error *err)
{
    SCOPED(string) char *key = manifest_file_key(options->file);
    struct store_entry entry;
    int there = store_stat(options->store, key, &entry, err);
    if (there <= 0)
        return there;
    if (manifest_file_read(options->store, key, entry.size, ret_manifest, err) == 0)
        return 1;
    if (err->code != ERROR_CORRUPT)
        return -1;
    error_prefix(err, "%s", key);
    return error_hint(err, WITHOUT_MANIFEST);
}

static int load_manifest(struct opened *opened, const struct artifact_open_options *options,
                         struct error *err)
{
    if (options->ignore_manifest)
        return 0;
    int there = opened_manifest(options, &opened->manifest, err);
    if (there <= 0)
        return there;
    opened->described = true;
    if (opened_check_size(opened->file, &opened->manifest, opened->stored_size, err) < 0)
        return error_hint(err, WITHOUT_MANIFEST);
    return 0;
}

/* ---- what it is ---- */

/* The first bytes of the plain content. */
static int sniff_plain(const struct opened *opened, uint8_t *plain, size_t *ret_size,
                       struct error *err)
{
    uint8_t start[SNIFF_SIZE];
    uint64_t size = input_size(opened->input);
    size_t given = size < sizeof start ? (size_t)size : sizeof start;
    if (input_read(opened->input, 0, start, given, err) < 0)
        return -1;
    SCOPED(decoder) struct decoder *decoder = compression_decoder(opened->compression);
    struct codec_step step = {.in = start, .in_size = given, .out = plain, .out_size = SNIFF_SIZE};
    while (step.in_size && step.out_size)
        if (decoder_step(decoder, &step, NULL) < 0)
            break; /* who reads it will say what is wrong */
    *ret_size = SNIFF_SIZE - step.out_size;
    return 0;
}

static bool begins_like_sql(const char *text, size_t size)
{
    static const char *const words[] = {"--",     "/*",     "CREATE", "INSERT", "SET",    "DROP",
                                        "BEGIN",  "PRAGMA", "USE",    "COPY",   "LOCK",   "ALTER",
                                        "SELECT", "START",  "COMMIT", "DELETE", "UPDATE", "WITH"};
    size_t at = 0;
    while (at < size && isspace((unsigned char)text[at]))
        at++;
    for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
        size_t length = strlen(words[i]);
        if (size - at > length && strncasecmp(text + at, words[i], length) == 0 &&
            !isalnum((unsigned char)text[at + length]))
            return true;
    }
    return false;
}

static const char *sniff_kind(const uint8_t *plain, size_t size)
{
    static const char image[] = "SQLite format 3";
    if (size >= sizeof image && memcmp(plain, image, sizeof image) == 0)
        return "sqlite3";
    if (size >= 512 && memcmp(plain + 257, "ustar", 5) == 0)
        return "tar";
    return begins_like_sql((const char *)plain, size) ? "sql" : NULL;
}

/* The manifest's word as static text. */
static const char *static_kind(const char *kind)
{
    static const char *const kinds[] = {"sql", "sqlite3", "tar"};
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
        if (strcmp(kind, kinds[i]) == 0)
            return kinds[i];
    return NULL;
}

static int find_compression(struct opened *opened, struct error *err)
{
    uint8_t start[16] = {0};
    uint64_t size = input_size(opened->input);
    size_t given = size < sizeof start ? (size_t)size : sizeof start;
    if (input_read(opened->input, 0, start, given, err) < 0)
        return -1;
    opened->compression = compression_sniff(start, given);
    if (!opened->described)
        return 0;
    struct compression_choice choice;
    if (compression_parse(opened->manifest.compression, &choice, err) < 0)
        return -1;
    bool encrypted = strcmp(opened->manifest.encryption, "none") != 0;
    if (encrypted != input_encrypted(opened->input))
        return error_set(err, ERROR_CORRUPT, "%s is %sencrypted, its manifest says otherwise",
                         opened->file, encrypted ? "not " : "");
    /* What is stored as it is may begin with anything. */
    if (choice.kind == COMPRESSION_NONE)
        opened->compression = COMPRESSION_NONE;
    if (choice.kind != opened->compression)
        return error_set(err, ERROR_CORRUPT, "%s is not compressed as its manifest says",
                         opened->file);
    return 0;
}

static int find_kind(struct opened *opened, struct error *err)
{
    opened->kind =
        opened->described ? static_kind(opened->manifest.kind) : artifact_name_kind(opened->file);
    if (opened->kind)
        return 0;
    uint8_t plain[SNIFF_SIZE];
    size_t size = 0;
    if (sniff_plain(opened, plain, &size, err) < 0)
        return -1;
    opened->kind = sniff_kind(plain, size);
    return 0;
}

/* A file that by its name should be compressed and has nothing in it was cut. */
static int check_empty(const struct opened *opened, struct error *err)
{
    SCOPED(string) char *text = mem_string(opened->file);
    bool compressed = text_ends(text, ".zst") || text_ends(text, ".gz") || text_ends(text, ".age");
    if (opened->stored_size || (!compressed && opened->described))
        return 0;
    return error_set(err, ERROR_CORRUPT, "%s is empty", opened->file);
}

/* ---- life ---- */

static int read_range(void *context, uint64_t offset, void *data, size_t size, struct error *err)
{
    return input_read(context, offset, data, size, err);
}

struct index_place opened_index(const struct opened *opened)
{
    return (struct index_place){.kind = opened->kind,
                                .compression = opened->compression,
                                .offset = opened->manifest.index_offset,
                                .length = opened->manifest.index_length,
                                .read = read_range,
                                .context = opened->input};
}

bool opened_indexed(const struct opened *opened)
{
    return opened->contents.frame_count || opened->manifest.index_length;
}

struct hashed_read {
    struct input *input;
    struct sha256 *hash;
};

/* An index is read from its first byte to its last, each once. */
static int read_hashed(void *context, uint64_t offset, void *data, size_t size, struct error *err)
{
    struct hashed_read *read = context;
    if (input_read(read->input, offset, data, size, err) < 0)
        return -1;
    sha256_update(read->hash, data, size);
    return 0;
}

/* With the sum of the index in the manifest, and the sums of the frames in the index, whoever knows
 * the manifest's seal knows every byte. (An image has its digest for that.) */
static int load_contents(struct opened *opened, struct error *err)
{
    const struct manifest *manifest = &opened->manifest;
    struct index_place place = opened_index(opened);
    SCOPED(sha256) struct sha256 *hash = sha256_new();
    struct hashed_read hashed = {opened->input, hash};
    bool proves = place.length && manifest->index_checksum[0] && !manifest->digest[0];
    if (proves) {
        place.read = read_hashed;
        place.context = &hashed;
    }
    if (contents_load(&opened->contents, manifest, &place, input_size(opened->input), err) < 0)
        return -1;
    char sum[SHA256_TEXT];
    sha256_finish_text(hash, sum);
    if (proves && strcmp(sum, manifest->index_checksum) != 0)
        return error_set(err, ERROR_CORRUPT, "index: its SHA-256 is another");
    return 0;
}

static int open_all(struct opened *opened, const struct artifact_open_options *options,
                    struct error *err)
{
    struct store_entry entry;
    if (store_find(options->store, options->file, &entry, err) < 0)
        return -1;
    opened->stored_size = entry.size;
    if (load_manifest(opened, options, err) < 0 || check_empty(opened, err) < 0)
        return -1;
    if (input_open(opened->store, opened->file, opened->stored_size, options->keys, &opened->input,
                   err) < 0)
        return error_prefix(err, "%s", opened->file);
    if (find_compression(opened, err) < 0 || find_kind(opened, err) < 0)
        return error_prefix(err, "%s", opened->file);
    if (!opened->described)
        return 0;
    if (load_contents(opened, err) < 0)
        return error_prefix(err, "%s", opened->file);
    return 0;
}

int opened_open(const struct artifact_open_options *options, struct opened *opened,
                struct error *err)
{
    *opened = (struct opened){.store = options->store, .file = mem_string(options->file)};
    if (open_all(opened, options, err) == 0)
        return 0;
    opened_close(opened);
    return -1;
}

void opened_close(struct opened *opened)
{
    contents_clear(&opened->contents);
    input_close(opened->input);
    manifest_clear(&opened->manifest);
    free(opened->file);
    *opened = (struct opened){0};
}
