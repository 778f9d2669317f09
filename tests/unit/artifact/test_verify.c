#include "artifact/sample.h"

#include "harness/os_faulty.h"

#include <ctype.h>

static const struct sample_options samples[] = {
    {"sqlite3", "zstd", NULL, NULL, 2, 700, 1}, {"sql", "zstd", NULL, NULL, 3, 300, 1},
    {"tar", "zstd", NULL, NULL, 2, 300, 1},     {"sql", "gzip", NULL, NULL, 3, 300, 1},
    {"sqlite3", "none", NULL, NULL, 2, 700, 1},
};

static int verify(struct sample *sample, const char *file, int level, struct verify_result *result,
                  struct error *err)
{
    struct artifact_open_options open = {
        .os = sample->os, .store = sample->store, .file = file, .jobs = 2};
    return artifact_verify(&open, level, result, err);
}

TEST(each_level_is_reached)
{
    struct sample sample;
    sample_open(&sample);
    for (size_t i = 0; i < ARRAY_SIZE(samples); i++)
        for (int level = 0; level <= 2; level++) {
            struct error err = ERROR_INIT;
            SCOPED(manifest) struct manifest manifest = MANIFEST_INIT;
            assert_ok(sample_write(&sample, &samples[i], NULL, &manifest, &err), err);
            struct verify_result result;
            assert_ok(verify(&sample, manifest.file, level, &result, &err), err);
            assert_int_equal(result.level, level);
            assert_int_equal(result.stored_bytes, manifest.size_bytes);
            assert_true(level > 1 || result.rows == UINT64_MAX);
            if (level > 0)
                assert_string_equal(result.checksum, manifest.checksum);
            if (level > 1) {
                assert_int_equal(result.plain_bytes, manifest.plain_bytes);
                bool image = strcmp(samples[i].kind, "sqlite3") == 0;
                assert_int_equal(result.rows, image ? UINT64_MAX : manifest.rows);
                assert_int_equal(result.frames, samples[i].segments);
            }
            verify_result_clear(&result);
        }
    sample_close(&sample);
}

static void overwrite(struct sample *sample, const char *file, const struct buf *content)
{
    struct error err = ERROR_INIT;
    SCOPED(string) char *path = path_join(sample->folder, file);
    assert_ok(file_write_atomic(os_real(), path, content->data, content->length, 0600, &err), err);
}

static void load(struct sample *sample, const char *file, struct buf *content)
{
    struct error err = ERROR_INIT;
    SCOPED(string) char *path = path_join(sample->folder, file);
    assert_ok(file_read_all(os_real(), path, content, &err), err);
}

TEST(every_flipped_byte_of_an_artifact_is_found)
{
    struct sample sample;
    sample_open(&sample);
    for (size_t i = 0; i < ARRAY_SIZE(samples); i++) {
        struct error err = ERROR_INIT;
        SCOPED(manifest) struct manifest manifest = MANIFEST_INIT;
        SCOPED(buf) struct buf content = BUF_INIT;
        assert_ok(sample_write(&sample, &samples[i], NULL, &manifest, &err), err);
        load(&sample, manifest.file, &content);
        for (size_t at = 0; at < content.length; at++) {
            content.data[at] = (char)(content.data[at] ^ (1 << (at % 8)));
            overwrite(&sample, manifest.file, &content);
            struct verify_result result;
            assert_fails(verify(&sample, manifest.file, 2, &result, &err), err, ERROR_CORRUPT);
            assert_true(result.level < 2);
            verify_result_clear(&result);
            content.data[at] = (char)(content.data[at] ^ (1 << (at % 8)));
        }
    }
    sample_close(&sample);
}

/* Whether what stands at `at` of the manifest is only for people: the moment, the id, levels. */
static bool is_for_people(const char *text, size_t at, const char *kind)
{
    static const char *const keys[] = {"\"seal\"",         "\"id\"",         "\"created_at\"",
                                       "\"source_bytes\"", "\"incomplete\"", "\"file\"",
                                       "\"compression\""};
    if (isspace((unsigned char)text[at]))
        return true;
    size_t start = at;
    while (start > 0 && text[start - 1] != '\n')
        start--;
    start += strspn(text + start, " ");
    /* Nobody counts the rows in the pages of an image. */
    if (strcmp(kind, "sqlite3") == 0 && text_starts(text + start, "\"rows\""))
        return true;
    /* Under another key the sum is none; the seal is what proves then, and it is broken. */
    static const char sum[] = "\"index_checksum\"";
    if (text_starts(text + start, sum) && at - start < strlen(sum))
        return true;
    for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
        if (strncmp(text + start, keys[i], strlen(keys[i])) == 0)
            return true;
    return false;
}

TEST(every_flipped_byte_of_a_manifest_that_matters_is_found)
{
    struct sample sample;
    sample_open(&sample);
    for (size_t i = 0; i < ARRAY_SIZE(samples); i++) {
        struct error err = ERROR_INIT;
        SCOPED(manifest) struct manifest manifest = MANIFEST_INIT;
        SCOPED(buf) struct buf content = BUF_INIT;
        assert_ok(sample_write(&sample, &samples[i], NULL, &manifest, &err), err);
        SCOPED(string) char *key = mem_format("%s.json", manifest.file);
        load(&sample, key, &content);
        for (size_t at = 0; at < content.length; at++) {
            char before = content.data[at];
            content.data[at] = (char)(before ^ (1 << (at % 8)));
            overwrite(&sample, key, &content);
            content.data[at] = before;
            struct verify_result result;
            int found = verify(&sample, manifest.file, 2, &result, &err);
            /* What only people read shows in a warning. */
            assert_true(found < 0 || result.warnings.count);
            if (found == 0 && !is_for_people(content.data, at, samples[i].kind))
                fail_msg("sample %zu: flip at %zu not found: %.40s", i, at, content.data + at);
            verify_result_clear(&result);
        }
        overwrite(&sample, key, &content);
    }
    sample_close(&sample);
}

TEST(a_file_of_another_length_is_found)
{
    struct sample sample;
    sample_open(&sample);
    for (size_t i = 0; i < ARRAY_SIZE(samples); i++) {
        struct error err = ERROR_INIT;
        SCOPED(manifest) struct manifest manifest = MANIFEST_INIT;
        SCOPED(buf) struct buf content = BUF_INIT;
        assert_ok(sample_write(&sample, &samples[i], NULL, &manifest, &err), err);
        load(&sample, manifest.file, &content);
        size_t whole = content.length;
        for (size_t length = 0; length <= whole + 1; length += length + 3 < whole ? 97 : 1) {
            if (length == whole)
                continue;
            if (length > whole)
                buf_append_char(&content, '\0');
            content.length = length;
            overwrite(&sample, manifest.file, &content);
            struct verify_result result;
            assert_fails(verify(&sample, manifest.file, 0, &result, &err), err, ERROR_CORRUPT);
            assert_int_equal(result.level, -1);
            verify_result_clear(&result);
            SCOPED(buf) struct buf back = BUF_INIT;
            assert_true(sample_read(&sample, manifest.file, NULL, false, &back, &err) < 0);
        }
    }
    sample_close(&sample);
}

struct seen {
    size_t bytes;
    uint64_t rows;
    uint64_t next;
    bool ended;
    bool refuse;
};

static int check(void *context, const struct segment *segment, struct error *err)
{
    struct seen *seen = context;
    if (!segment) {
        seen->ended = true;
        return 0;
    }
    if (segment->offset != seen->next)
        return error_set(err, ERROR_CORRUPT, "out of order");
    seen->next += segment->size;
    seen->rows += segment->rows;
    return seen->refuse && segment->frame == 2 ? error_set(err, ERROR_CORRUPT, "does not parse")
                                               : 0;
}

TEST(the_checker_sees_every_segment_in_order)
{
    struct sample sample;
    struct error err = ERROR_INIT;
    sample_open(&sample);
    SCOPED(manifest) struct manifest manifest = MANIFEST_INIT;
    struct sample_options options = {"sql", "zstd:1", NULL, NULL, 40, 3000, 2};
    assert_ok(sample_write(&sample, &options, NULL, &manifest, &err), err);
    for (int refuse = 0; refuse < 2; refuse++) {
        struct seen seen = {.refuse = refuse};
        struct artifact_open_options open = {.os = sample.os,
                                             .store = sample.store,
                                             .file = manifest.file,
                                             .jobs = 3,
                                             .checker = check,
                                             .checker_context = &seen};
        struct verify_result result;
        int found = artifact_verify(&open, 2, &result, &err);
        assert_int_equal(found, refuse ? -1 : 0);
        if (!refuse) {
            assert_true(seen.ended);
            assert_int_equal(seen.next, manifest.plain_bytes);
            assert_int_equal(seen.rows, manifest.rows);
        }
        verify_result_clear(&result);
    }
    sample_close(&sample);
}

TEST(a_lost_manifest_is_made_anew)
{
    struct sample sample;
    sample_open(&sample);
    for (size_t i = 0; i < ARRAY_SIZE(samples); i++) {
        struct error err = ERROR_INIT;
        SCOPED(manifest) struct manifest manifest = MANIFEST_INIT;
        SCOPED(manifest) struct manifest made = MANIFEST_INIT;
        assert_ok(sample_write(&sample, &samples[i], NULL, &manifest, &err), err);
        SCOPED(string) char *key = mem_format("%s.json", manifest.file);
        assert_ok(store_remove(sample.store, key, &err), err);
        struct verify_result result;
        assert_fails(verify(&sample, manifest.file, 2, &result, &err), err, ERROR_NOT_FOUND);
        verify_result_clear(&result);

        struct artifact_open_options open = {
            .os = sample.os, .store = sample.store, .file = manifest.file, .jobs = 2};
        assert_ok(artifact_describe(&open, &made, &err), err);
        assert_string_equal(made.checksum, manifest.checksum);
        assert_string_equal(made.digest, manifest.digest);
        assert_string_equal(made.target, "shop");
        if (strcmp(samples[i].compression, "none") != 0) {
            assert_int_equal(made.plain_bytes, manifest.plain_bytes);
            assert_int_equal(made.index_length, manifest.index_length);
            assert_int_equal(made.frame_count, manifest.frame_count);
        }
        SCOPED(buf) struct buf json = BUF_INIT;
        assert_ok(manifest_format(&made, &json, &err), err);
        overwrite(&sample, key, &json);
        assert_ok(verify(&sample, manifest.file, 2, &result, &err), err);
        assert_int_equal(result.level, 2);
        verify_result_clear(&result);
    }
    sample_close(&sample);
}

TEST(encrypted_artifacts_are_verified_too)
{
    struct sample sample;
    struct error err = ERROR_INIT;
    sample_open(&sample);
    SCOPED(manifest) struct manifest manifest = MANIFEST_INIT;
    struct sample_options options = {"tar", "zstd", "hold fast", NULL, 3, 100000, 2};
    assert_ok(sample_write(&sample, &options, NULL, &manifest, &err), err);
    struct artifact_keys keys = {.passphrase = "hold fast"};
    struct artifact_open_options open = {
        .os = sample.os, .store = sample.store, .file = manifest.file, .keys = &keys, .jobs = 2};
    struct verify_result result;
    assert_ok(artifact_verify(&open, 2, &result, &err), err);
    assert_int_equal(result.level, 2);
    verify_result_clear(&result);
    open.keys = NULL;
    assert_ok(artifact_verify(&open, 1, &result, &err), err);
    verify_result_clear(&result);
    assert_fails(artifact_verify(&open, 2, &result, &err), err, ERROR_WRONG_KEY);
    verify_result_clear(&result);
    sample_close(&sample);
}

TEST(a_failing_call_never_passes_for_a_good_artifact)
{
    static const enum fault faults[] = {FAULT_EIO, FAULT_INTERRUPT, FAULT_DEAD};
    struct sample sample;
    struct error err = ERROR_INIT;
    sample_open(&sample);
    SCOPED(manifest) struct manifest manifest = MANIFEST_INIT;
    struct sample_options options = {"sql", "zstd:1", NULL, NULL, 4, 3000, 2};
    assert_ok(sample_write(&sample, &options, NULL, &manifest, &err), err);
    for (size_t i = 0; i < ARRAY_SIZE(faults); i++) {
        bool hit = true;
        for (long at = 1; hit; at++) {
            struct sample faulty = sample;
            struct verify_result result = {.level = -1};
            faulty.os = os_faulty(faults[i], at);
            error_clear(&err);
            int found = store_open(sample.folder, &(struct store_options){.os = faulty.os},
                                   &faulty.store, &err);
            if (found == 0) {
                found = verify(&faulty, manifest.file, 2, &result, &err);
                store_close(faulty.store);
            }
            hit = os_faulty_calls() >= at;
            assert_true(found == 0 ? result.level == 2 : result.level < 2 && err.message[0]);
            assert_true(hit || found == 0);
            verify_result_clear(&result);
        }
    }
    sample_close(&sample);
}

TEST_MAIN(UNIT(each_level_is_reached), UNIT(every_flipped_byte_of_an_artifact_is_found),
          UNIT(every_flipped_byte_of_a_manifest_that_matters_is_found),
          UNIT(a_file_of_another_length_is_found), UNIT(the_checker_sees_every_segment_in_order),
          UNIT(a_lost_manifest_is_made_anew), UNIT(encrypted_artifacts_are_verified_too),
          UNIT(a_failing_call_never_passes_for_a_good_artifact))
