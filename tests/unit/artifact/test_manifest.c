#include "harness/test.h"

#include "artifact/manifest.h"
#include "base/error.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/os.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HASH "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

/* A good one, as a template whose parts the cases replace. */
static const char good[] =
    "{\"format\":\"kedge-artifact\",\"version\":1,\"id\":\"01ARZ3NDEKTSV4RRFFQ69G5FAV\","
    "\"kind\":\"sqlite3\",\"created_at\":\"2026-01-31T02:00:00Z\",\"file\":\"a.sqlite3.zst\","
    "\"compression\":\"zstd:3\",\"encryption\":\"none\",\"size_bytes\":30,\"source_bytes\":50,"
    "\"plain_bytes\":50,\"rows\":0,\"checksum\":\"" HASH "\",\"digest\":\"" HASH "\","
    "\"incomplete\":false,\"index\":{\"offset\":0,\"length\":0},"
    "\"frames\":[[0,10,20,\"" HASH "\"],[10,20,30,\"" HASH "\"]]}";

static int parse(const char *text, struct manifest *manifest, struct error *err)
{
    return manifest_parse(text, strlen(text), manifest, err);
}

TEST(a_manifest_says_what_was_written_into_it)
{
    struct error err = ERROR_INIT;
    SCOPED(manifest) struct manifest manifest = MANIFEST_INIT;
    SCOPED(manifest) struct manifest back = MANIFEST_INIT;
    assert_ok(parse(good, &manifest, &err), err);
    assert_int_equal(manifest.frame_count, 2);
    assert_int_equal(manifest.frames[1].plain, 30);
    assert_false(manifest.sealed);
    manifest.number = INT64_C(9007199254740993);
    manifest.target = mem_string("caf\xc3\xa9 \"x\"\n\\");
    manifest.connection = mem_string("latin \xe9");
    manifest.metadata = mem_string("{\"a\":[1,{\"b\":null}]}");
    manifest.unknown = mem_string("{\"new\":{\"x\":1},\"other\":[true]}");
    manifest.incomplete = true;
    text_list_add(&manifest.incomplete_reasons, "a file vanished");
    text_list_add(&manifest.tags, "nightly");
    manifest.expires_ns = INT64_C(1800000000) * 1000000000;
    SCOPED(buf) struct buf json = BUF_INIT;
    assert_ok(manifest_format(&manifest, &json, &err), err);
    assert_ok(manifest_parse(json.data, json.length, &back, &err), err);
    assert_true(back.sealed);
    assert_int_equal(back.number, manifest.number);
    assert_string_equal(back.target, manifest.target);
    assert_string_equal(back.connection, "latin \\xe9");
    assert_string_equal(back.metadata, manifest.metadata);
    assert_string_equal(back.unknown, manifest.unknown);
    assert_true(back.incomplete);
    assert_string_equal(back.incomplete_reasons.items[0], "a file vanished");
    assert_string_equal(back.tags.items[0], "nightly");
    assert_int_equal(back.expires_ns, manifest.expires_ns);
    assert_memory_equal(back.frames, manifest.frames, 2 * sizeof *back.frames);

    buf_append_char(&json, '\n'); /* still JSON, no longer as it was written */
    SCOPED(manifest) struct manifest changed = MANIFEST_INIT;
    assert_ok(manifest_parse(json.data, json.length, &changed, &err), err);
    assert_false(changed.sealed);
}

/* Each case replaces one piece of the good text. */
static const struct {
    int line;
    const char *piece, *by;
} bad[] = {
    {__LINE__, "kedge-artifact", "other"},
    {__LINE__, "\"version\":1", "\"version\":2"},
    {__LINE__, "\"version\":1", "\"version\":1.0"},
    {__LINE__, "\"version\":1", "\"version\":\"1\""},
    {__LINE__, "01ARZ3NDEKTSV4RRFFQ69G5FAV", "01ARZ3NDEKTSV4RRFFQ69G5FA"},
    {__LINE__, "\"kind\":\"sqlite3\"", "\"kind\":\"zip\""},
    {__LINE__, "\"kind\":\"sqlite3\"", "\"kind\":\"sql\""},
    {__LINE__, "2026-01-31T02:00:00Z", "yesterday"},
    {__LINE__, "a.sqlite3.zst", "../a.sqlite3.zst"},
    {__LINE__, "a.sqlite3.zst", "/a"},
    {__LINE__, "a.sqlite3.zst", ".."},
    {__LINE__, "a.sqlite3.zst", ""},
    {__LINE__, "a.sqlite3.zst", "a\\nb"},
    {__LINE__, "a.sqlite3.zst", "a\\u0000b"},
    {__LINE__, "a.sqlite3.zst", "a\xff"},
    {__LINE__, "zstd:3", "lzma"},
    {__LINE__, "\"encryption\":\"none\"", "\"encryption\":\"rot13\""},
    {__LINE__, "\"size_bytes\":30", "\"size_bytes\":31"},
    {__LINE__, "\"size_bytes\":30", "\"size_bytes\":-1"},
    {__LINE__, "\"size_bytes\":30", "\"size_bytes\":30.5"},
    {__LINE__, "\"size_bytes\":30", "\"size_bytes\":99999999999999999999"},
    {__LINE__, "\"size_bytes\":30,", ""},
    {__LINE__, "\"plain_bytes\":50", "\"plain_bytes\":51"},
    {__LINE__, "\"checksum\":\"0", "\"checksum\":\"x"},
    {__LINE__, "\"checksum\":\"0", "\"checksum\":\""},
    {__LINE__, "\"digest\":\"0", "\"other\":\"0"},
    {__LINE__, "\"incomplete\":false", "\"incomplete\":0"},
    {__LINE__, "\"offset\":0,\"length\":0", "\"offset\":10,\"length\":20"},
    {__LINE__, "\"offset\":0,\"length\":0", "\"offset\":1,\"length\":0"},
    {__LINE__, "\"offset\":0,\"length\":0", "\"offset\":0"},
    {__LINE__, "[0,10,20", "[1,10,20"},
    {__LINE__, "[0,10,20", "[0,9,20"},
    {__LINE__, "[0,10,20", "[0,10,9223372036854775807"},
    {__LINE__, "[10,20,30", "[10,9223372036854775807,30"},
    {__LINE__, "[10,20,30", "[10,20"},
    {__LINE__, "[0,10,20,\"0", "[0,10,20,\"z"},
    {__LINE__, "\"rows\":0", "\"rows\":0,\"rows\":0"},
    {__LINE__, "\"rows\":0", "\"rows\":0,\"tags\":{}"},
    {__LINE__, "\"rows\":0", "\"rows\":0,\"tags\":[1]"},
    {__LINE__, "\"rows\":0", "\"rows\":0,\"metadata\":\"x\""},
    {__LINE__, "\"rows\":0", "\"rows\":0,\"group\":\"x\""},
    {__LINE__, "\"rows\":0", "\"rows\":0,\"type\":\"odd\""},
    {__LINE__, "]]}", "]]"},
    {__LINE__, "{\"format\"", "[{\"format\""},
};

TEST(what_does_not_fit_together_is_refused)
{
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        struct error err = ERROR_INIT;
        SCOPED(manifest) struct manifest manifest = MANIFEST_INIT;
        const char *at = strstr(good, bad[i].piece);
        assert_case(bad[i].line, at);
        SCOPED(string)
        char *text =
            mem_format("%.*s%s%s", (int)(at - good), good, bad[i].by, at + strlen(bad[i].piece));
        int result = parse(text, &manifest, &err);
        assert_case(bad[i].line, result < 0);
        assert_case(bad[i].line, err.code == ERROR_CORRUPT && err.message[0]);
    }
}

TEST(unknown_keys_are_kept)
{
    struct error err = ERROR_INIT;
    SCOPED(manifest) struct manifest manifest = MANIFEST_INIT;
    SCOPED(string) char *text = mem_format("{\"later\":[1,2],%s", good + 1);
    assert_ok(parse(text, &manifest, &err), err);
    assert_string_equal(manifest.unknown, "{\"later\":[1,2]}");
}

TEST(frames_of_a_huge_image_have_no_room)
{
    struct error err = ERROR_INIT;
    struct manifest manifest = {.frame_count = 12000};
    manifest.frames = mem_alloc(manifest.frame_count, sizeof *manifest.frames);
    assert_false(manifest_holds(&manifest));
    manifest.frame_count = 5000;
    assert_true(manifest_holds(&manifest));
    manifest_clear(&manifest);
    SCOPED(memory) void *large = mem_alloc(MANIFEST_MAXIMUM + 1, 1);
    assert_fails(manifest_parse(large, MANIFEST_MAXIMUM + 1, &manifest, &err), err, ERROR_CORRUPT);
}

/* The example in docs/formats/artifact.md is a manifest. */
TEST(the_documented_example_is_a_manifest)
{
    struct error err = ERROR_INIT;
    SCOPED(buf) struct buf page = BUF_INIT;
    assert_ok(file_read_all(os_real(), TESTS_FOLDER "/../docs/formats/artifact.md", &page, &err),
              err);
    const char *start = strstr(page.data, "```json\n");
    const char *end = start ? strstr(start, "\n```\n") : NULL;
    assert_non_null(end);
    start += strlen("```json\n");
    SCOPED(manifest) struct manifest manifest = MANIFEST_INIT;
    assert_ok(manifest_parse(start, (size_t)(end + 1 - start), &manifest, &err), err);
    assert_true(manifest.sealed);
    SCOPED(buf) struct buf json = BUF_INIT;
    assert_ok(manifest_format(&manifest, &json, &err), err);
    assert_int_equal(json.length, end + 1 - start);
    assert_memory_equal(json.data, start, json.length);
}

TEST_MAIN(UNIT(a_manifest_says_what_was_written_into_it),
          UNIT(what_does_not_fit_together_is_refused), UNIT(unknown_keys_are_kept),
          UNIT(frames_of_a_huge_image_have_no_room), UNIT(the_documented_example_is_a_manifest))
