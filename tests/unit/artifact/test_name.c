#include "harness/test.h"

#include "artifact/name.h"
#include "artifact/artifact.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/error.h"

#include <string.h>

#define MOMENT INT64_C(1769824800000000000) /* 2026-01-31 02:00:00 */

static const struct {
    int line;
    const char *name, *part, *kind;
    enum compression compression;
    bool encrypted;
    int clash;
    const char *text;
} cases[] = {
    {__LINE__, "shop", NULL, "sqlite3", COMPRESSION_ZSTD, false, 1,
     "shop_2026-01-31_020000.sqlite3.zst"},
    {__LINE__, "shop", "files", "tar", COMPRESSION_ZSTD, true, 1,
     "shop_2026-01-31_020000_files.tar.zst.age"},
    {__LINE__, "mutuapix_production", NULL, "sql", COMPRESSION_GZIP, false, 2,
     "mutuapix_production_2026-01-31_020000_2.sql.gz"},
    {__LINE__, "a_2020-01-01_000000", "x_y", "sql", COMPRESSION_NONE, false, 3,
     "a_2020-01-01_000000_2026-01-31_020000_x_y_3.sql"},
    {__LINE__, "shop", "files_06", "tar", COMPRESSION_NONE, false, 1,
     "shop_2026-01-31_020000_files_06.tar"},
    {__LINE__, "shop", "1", "tar", COMPRESSION_NONE, false, 1, "shop_2026-01-31_020000_1.tar"},
    {__LINE__, "..", NULL, "sql", COMPRESSION_NONE, false, 1, ".._2026-01-31_020000.sql"},
};

TEST(a_name_is_parsed_as_it_was_made)
{
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        SCOPED(artifact_name)
        struct artifact_name name = {.name = mem_string(cases[i].name),
                                     .moment_ns = MOMENT,
                                     .part = mem_string(cases[i].part),
                                     .kind = mem_string(cases[i].kind),
                                     .compression = cases[i].compression,
                                     .encrypted = cases[i].encrypted,
                                     .clash = cases[i].clash};
        SCOPED(string) char *text = artifact_name_format(&name);
        assert_string_equal(text, cases[i].text);
        SCOPED(artifact_name) struct artifact_name back = {0};
        assert_case(cases[i].line, artifact_name_parse(text, &back) == 1);
        assert_string_equal(back.name, name.name);
        assert_string_equal(back.kind, name.kind);
        assert_case(cases[i].line, text_equal(back.part, name.part));
        assert_case(cases[i].line, back.moment_ns == MOMENT);
        assert_case(cases[i].line, back.compression == name.compression);
        assert_case(cases[i].line, back.encrypted == name.encrypted);
        assert_case(cases[i].line, back.clash == name.clash);
    }
}

TEST(names_are_made_safe_and_short)
{
    static const struct {
        int line;
        const char *name, *wanted;
    } names[] = {
        {__LINE__, "/etc/passwd", "_etc_passwd_2026-01-31_020000.sql"},
        {__LINE__, "caf\xc3\xa9 bar", "caf___bar_2026-01-31_020000.sql"},
        {__LINE__, "a\nb", "a_b_2026-01-31_020000.sql"},
        {__LINE__, "", "__2026-01-31_020000.sql"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        struct artifact_name name = {.moment_ns = MOMENT, .clash = 1};
        name.name = mem_string(names[i].name);
        name.kind = mem_string("sql");
        SCOPED(string) char *text = artifact_name_format(&name);
        assert_case(names[i].line, strcmp(text, names[i].wanted) == 0);
        artifact_name_clear(&name);
    }
    struct artifact_name name = {.moment_ns = MOMENT, .clash = 9999, .encrypted = true};
    name.name = mem_alloc(5001, 1);
    memset(name.name, 'x', 5000);
    name.part = mem_alloc(5001, 1);
    memset(name.part, 'y', 5000);
    name.kind = mem_string("sqlite3");
    SCOPED(string) char *text = artifact_name_format(&name);
    assert_true(strlen(text) + strlen(".json") <= 255);
    artifact_name_clear(&name);
}

TEST(other_files_are_no_artifacts)
{
    static const char *const others[] = {
        "",
        ".sql",
        "dump.sql.gz",
        "_2026-01-31_020000.sql",
        "shop_2026-01-31_020000",
        "shop_2026-01-31_020000.sql.json",
        "shop_2026-13-31_020000.sql",
        "shop_2026-01-31_02000.sql",
        "shop_2026-01-31_0200001.sql",
        "shop_2026-01-31_020000_.sql",
        "shop_2026-01-31_020000__2.sql",
        "shop_2026-01-31_020000.zip",
    };
    for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
        struct artifact_name name = {0};
        if (artifact_name_parse(others[i], &name) != 0)
            fail_msg("\"%s\" was taken for an artifact", others[i]);
    }
    assert_string_equal(artifact_name_kind("dump.sql.gz"), "sql");
    assert_string_equal(artifact_name_kind("folder/x.tar.zst.age"), "tar");
    assert_null(artifact_name_kind("x.gz"));
}

TEST(compressions_are_parsed)
{
    static const struct {
        int line;
        const char *text;
        enum compression kind;
        int level;
    } good[] = {
        {__LINE__, "zstd", COMPRESSION_ZSTD, 0},     {__LINE__, "zstd:1", COMPRESSION_ZSTD, 1},
        {__LINE__, "zstd:19", COMPRESSION_ZSTD, 19}, {__LINE__, "gzip", COMPRESSION_GZIP, 0},
        {__LINE__, "gzip:9", COMPRESSION_GZIP, 9},   {__LINE__, "none", COMPRESSION_NONE, 0},
    };
    static const char *const bad[] = {"", "lz4", "zstd:", "zstd:20", "gzip:0", "gzip:x", "none:1"};
    for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
        struct error err = ERROR_INIT;
        struct compression_choice choice;
        assert_ok(compression_parse(good[i].text, &choice, &err), err);
        assert_case(good[i].line, choice.kind == good[i].kind && choice.level == good[i].level);
    }
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        struct error err = ERROR_INIT;
        struct compression_choice choice;
        assert_fails(compression_parse(bad[i], &choice, &err), err, ERROR_USAGE);
    }
}

TEST_MAIN(UNIT(a_name_is_parsed_as_it_was_made), UNIT(names_are_made_safe_and_short),
          UNIT(other_files_are_no_artifacts), UNIT(compressions_are_parsed))
