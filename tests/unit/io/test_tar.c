#include "harness/test.h"

#include "base/mem.h"
#include "io/tar.h"
#include "io/tar_header.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What a parser said about an archive, one line an event. */
static char *events_of(const void *archive, size_t size, size_t piece, struct error *err)
{
    struct tar_parser *parser = tar_parser_new();
    struct buf log = BUF_INIT;
    const uint8_t *at = archive;
    int result = 0;
    while (result == 0 && size) {
        size_t part = size < piece ? size : piece;
        const uint8_t *data = at;
        size_t left = part;
        enum tar_event event = TAR_MEMBER;
        struct tar_piece content;
        while (result == 0 && event != TAR_MORE && event != TAR_END) {
            result = tar_parser_next(parser, &data, &left, &event, &content, err);
            const struct tar_member *member = tar_parser_member(parser);
            if (result == 0 && event == TAR_MEMBER)
                buf_append_format(&log, "%c %s", (char)member->type, member->path);
            if (result == 0 && event == TAR_MEMBER && member->link)
                buf_append_format(&log, " -> %s", member->link);
            if (result == 0 && event == TAR_MEMBER)
                buf_append_format(&log, " %lu\n", (unsigned long)member->size);
            if (result == 0 && event == TAR_CONTENT && content.offset == 0)
                buf_append_format(&log, "content\n");
        }
        if (event == TAR_END) {
            buf_append_text(&log, "end\n");
            break;
        }
        at += part;
        size -= part;
    }
    if (result == 0)
        result = tar_parser_finish(parser, err);
    tar_parser_free(parser);
    if (result == 0)
        return buf_steal(&log);
    buf_clear(&log);
    return NULL;
}

/* The one member of an archive, to be looked at until the parser is freed. */
static const struct tar_member *first_member(struct tar_parser *parser, const struct buf *archive)
{
    struct error err = ERROR_INIT;
    const uint8_t *data = (const uint8_t *)archive->data;
    size_t size = archive->length;
    enum tar_event event = TAR_MORE;
    struct tar_piece piece;
    assert_ok(tar_parser_next(parser, &data, &size, &event, &piece, &err), err);
    assert_int_equal(event, TAR_MEMBER);
    return tar_parser_member(parser);
}

static char *repeat(char c, size_t count)
{
    char *text = mem_alloc(count + 1, 1);
    memset(text, c, count);
    return text;
}

TEST(everything_a_member_carries_survives)
{
    SCOPED(string) char *deep = repeat('p', 3000);
    SCOPED(string) char *target = repeat('t', 300);
    SCOPED(string) char *user = repeat('u', 60);
    struct tar_attribute attributes[] = {
        {"user.plain", "v\0=\n", 4},
        {"user.odd=%name", "", 0},
        {"security.capability", "\x01\x00\x00\x02", 4},
    };
    struct tar_member in = {.path = deep,
                            .link = target,
                            .type = TAR_SYMLINK,
                            .mode = 07777,
                            .uid = 4000000000u,
                            .gid = 4000000001u,
                            .user = user,
                            .group = "wheel",
                            .mtime = {.tv_sec = -5, .tv_nsec = 250000000},
                            .attributes = attributes,
                            .attribute_count = 3,
                            .acl = "user::rw-",
                            .default_acl = "user::r--"};
    struct buf archive = BUF_INIT;
    tar_append_header(&archive, &in);
    assert_int_equal(archive.length % TAR_BLOCK, 0);
    struct tar_parser *parser = tar_parser_new();
    const struct tar_member *out = first_member(parser, &archive);
    assert_string_equal(out->path, deep);
    assert_string_equal(out->link, target);
    assert_int_equal(out->type, TAR_SYMLINK);
    assert_int_equal(out->mode, 07777);
    assert_true(out->uid == in.uid && out->gid == in.gid);
    assert_string_equal(out->user, user);
    assert_string_equal(out->group, "wheel");
    assert_true(out->mtime.tv_sec == -5 && out->mtime.tv_nsec == 250000000);
    assert_int_equal(out->attribute_count, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_string_equal(out->attributes[i].name, attributes[i].name);
        assert_int_equal(out->attributes[i].size, attributes[i].size);
        assert_memory_equal(out->attributes[i].value, attributes[i].value, attributes[i].size);
    }
    assert_string_equal(out->acl, "user::rw-");
    assert_string_equal(out->default_acl, "user::r--");
    tar_parser_free(parser);
    buf_clear(&archive);
}

TEST(paths_of_every_length_survive)
{
    struct buf archive = BUF_INIT;
    for (size_t length = 1; length < 700; length++) {
        for (int slash_every = 40; slash_every <= 130; slash_every += 90) {
            SCOPED(string) char *path = repeat('a', length);
            for (size_t i = 40; i + 1 < length; i += (size_t)slash_every)
                path[i] = '/';
            for (int folder = 0; folder < 2; folder++) {
                struct tar_member in = {.path = path, .type = folder ? TAR_FOLDER : TAR_FILE};
                buf_reset(&archive);
                tar_append_header(&archive, &in);
                struct tar_parser *parser = tar_parser_new();
                const struct tar_member *out = first_member(parser, &archive);
                SCOPED(string) char *wanted = mem_format("%s%s", path, folder ? "/" : "");
                assert_string_equal(out->path, wanted);
                tar_parser_free(parser);
            }
        }
    }
    buf_clear(&archive);
}

TEST(numbers_at_their_edges_survive)
{
    static const uint64_t sizes[] = {
        0, 1, 511, 512, 077777777777, 077777777777 + UINT64_C(1), INT64_MAX};
    static const int64_t times[] = {0, 1, -1, 077777777777, 077777777777 + INT64_C(1), -6000000000};
    struct buf archive = BUF_INIT;
    for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
        for (size_t k = 0; k < ARRAY_SIZE(times); k++) {
            struct tar_member in = {.path = "f",
                                    .type = TAR_FILE,
                                    .size = sizes[i],
                                    .uid = 2097151,
                                    .gid = 2097152,
                                    .mtime = {.tv_sec = times[k], .tv_nsec = (long)k}};
            buf_reset(&archive);
            tar_append_header(&archive, &in);
            struct tar_parser *parser = tar_parser_new();
            const struct tar_member *out = first_member(parser, &archive);
            assert_true(out->size == in.size);
            assert_true(out->uid == in.uid && out->gid == in.gid);
            assert_true(out->mtime.tv_sec == in.mtime.tv_sec);
            assert_true(out->mtime.tv_nsec == in.mtime.tv_nsec);
            tar_parser_free(parser);
        }
    buf_clear(&archive);
}

static void append_simple(struct buf *archive, const char *path, enum tar_type type,
                          const char *content)
{
    struct tar_member member = {.path = path, .type = type, .size = strlen(content)};
    tar_append_header(archive, &member);
    buf_append_text(archive, content);
    static const char zeros[TAR_BLOCK];
    buf_append(archive, zeros, tar_padding(strlen(content)));
}

TEST(pieces_of_any_size_tell_the_same)
{
    struct buf archive = BUF_INIT;
    SCOPED(string) char *longer = repeat('x', 400);
    append_simple(&archive, "one", TAR_FOLDER, "");
    append_simple(&archive, "one/a", TAR_FILE, "hello");
    append_simple(&archive, longer, TAR_FILE, "");
    append_simple(&archive, "b", TAR_FILE, longer);
    tar_append_end(&archive);
    struct error err = ERROR_INIT;
    SCOPED(string) char *whole = events_of(archive.data, archive.length, SIZE_MAX, &err);
    assert_non_null(whole);
    assert_non_null(strstr(whole, "5 one/ 0\n0 one/a 5\ncontent\n0 xxx"));
    assert_non_null(strstr(whole, "end\n"));
    for (size_t piece = 1; piece < 1100; piece += piece < 40 ? 1 : 37) {
        SCOPED(string) char *events = events_of(archive.data, archive.length, piece, &err);
        assert_non_null(events);
        assert_string_equal(events, whole);
    }
    buf_clear(&archive);
}

TEST(an_archive_cut_short_is_an_error)
{
    struct buf archive = BUF_INIT;
    SCOPED(string) char *longer = repeat('x', 300);
    append_simple(&archive, longer, TAR_FILE, "hello");
    size_t members = archive.length;
    for (size_t length = 1; length < members; length++) {
        struct error err = ERROR_INIT;
        SCOPED(string) char *events = events_of(archive.data, length, SIZE_MAX, &err);
        assert_null(events);
        assert_int_equal(err.code, ERROR_CORRUPT);
    }
    buf_clear(&archive);
}

/* A header with one field set by hand, its checksum made right. */
static void append_raw(struct buf *archive, char type, const char *path, const char *size_field)
{
    struct tar_header header = {.type = type};
    memcpy(header.magic, "ustar", 6);
    memcpy(header.version, "00", 2);
    snprintf(header.name, sizeof header.name, "%s", path);
    memcpy(header.mode, "0000644", 8);
    memcpy(header.uid, "0000000", 8);
    memcpy(header.gid, "0000000", 8);
    memcpy(header.mtime, "00000000000", 12);
    memcpy(header.size, size_field, 12);
    memset(header.checksum, ' ', 8);
    unsigned sum = 0;
    for (size_t i = 0; i < sizeof header; i++)
        sum += ((const unsigned char *)&header)[i];
    snprintf(header.checksum, sizeof header.checksum, "%06o", sum);
    buf_append(archive, &header, sizeof header);
}

static void append_pax(struct buf *archive, const char *records)
{
    char field[16];
    snprintf(field, sizeof field, "%011o", (unsigned)strlen(records));
    append_raw(archive, 'x', "PaxHeaders/f", field);
    buf_append_text(archive, records);
    static const char zeros[TAR_BLOCK];
    buf_append(archive, zeros, tar_padding(strlen(records)));
}

TEST(bad_pax_records_are_refused)
{
    static const struct {
        int line;
        const char *records;
    } cases[] = {
        {__LINE__, "6 a=b"},
        {__LINE__, "7 a=b\n"},
        {__LINE__, "5 a=b\n"},
        {__LINE__, "0 a=b\n"},
        {__LINE__, "99999999999999999999999 a=b\n"},
        {__LINE__, "a=b\n"},
        {__LINE__, "6 =bc\n"},
        {__LINE__, "6 abc\n"},
        {__LINE__, "9 path=\n"},
        {__LINE__, "10 size=-\n"},
        {__LINE__, "11 size=-1\n"},
        {__LINE__, "28 size=99999999999999999999\n"},
        {__LINE__, "18 uid=4294967295\n"},
        {__LINE__, "11 mtime=x\n"},
        {__LINE__, "14 mtime=1.2x\n"},
        {__LINE__, "19 SCHILY.xattr.=v\n"},
        {__LINE__, "32 GNU.sparse.map=0,1,2,3,4,5\n"},
        {__LINE__, "22 GNU.sparse.major=1\n"},
        {__LINE__, "22 GNU.sparse.size=99\n22 GNU.sparse.map=0,1\n"},
        {__LINE__, "22 GNU.sparse.size=99\n24 GNU.sparse.map=0,0,5\n"},
        {__LINE__, "22 GNU.sparse.size=99\n25 GNU.sparse.map=50,50\n"},
        {__LINE__, "22 GNU.sparse.size=99\n28 GNU.sparse.map=50,0,40,0\n"},
        {__LINE__, "22 GNU.sparse.size=99\n25 GNU.sparse.numbytes=0\n"},
        {__LINE__, "30 LIBARCHIVE.xattr.user.a=*\n"},
        {__LINE__, "22 LIBARCHIVE.xattr.=\n"},
        {__LINE__, "22 GNU.sparse.major=2\n22 GNU.sparse.minor=0\n21 GNU.sparse.name=x\n"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct buf archive = BUF_INIT;
        struct error err = ERROR_INIT;
        append_pax(&archive, cases[i].records);
        append_raw(&archive, '0', "f", "00000000000");
        char *events = events_of(archive.data, archive.length, SIZE_MAX, &err);
        assert_case(cases[i].line, !events);
        assert_case(cases[i].line, err.code == ERROR_CORRUPT);
        free(events);
        buf_clear(&archive);
    }
}

TEST(attributes_in_the_form_of_libarchive_are_read)
{
    struct buf archive = BUF_INIT;
    append_pax(&archive, "38 LIBARCHIVE.xattr.user.a%20b=AAEC/w\n");
    append_raw(&archive, '0', "f", "00000000000");
    struct tar_parser *parser = tar_parser_new();
    const struct tar_member *member = first_member(parser, &archive);
    assert_int_equal(member->attribute_count, 1);
    assert_string_equal(member->attributes[0].name, "user.a b");
    assert_int_equal(member->attributes[0].size, 4);
    assert_memory_equal(member->attributes[0].value, "\0\1\2\xff", 4);
    tar_parser_free(parser);
    buf_clear(&archive);
}

TEST(a_global_header_counts_until_a_member_says_otherwise)
{
    static const char *const globals = "20 comment=whatever\n12 mtime=99\n16 uname=nobody\n";
    struct buf archive = BUF_INIT;
    char field[16];
    snprintf(field, sizeof field, "%011o", (unsigned)strlen(globals));
    append_raw(&archive, 'g', "pax_global_header", field);
    buf_append_text(&archive, globals);
    static const char zeros[TAR_BLOCK];
    buf_append(&archive, zeros, tar_padding(strlen(globals)));
    append_pax(&archive, "13 mtime=1.5\n");
    append_raw(&archive, '0', "f", "00000000000");
    struct tar_parser *parser = tar_parser_new();
    const struct tar_member *member = first_member(parser, &archive);
    assert_int_equal(member->mtime.tv_sec, 1);
    assert_string_equal(member->user, "nobody");
    tar_parser_free(parser);
    buf_clear(&archive);
}

TEST(a_folder_of_an_incremental_archive_passes_its_list_over)
{
    struct buf archive = BUF_INIT;
    struct error err = ERROR_INIT;
    append_raw(&archive, 'V', "volume", "00000000000");
    append_raw(&archive, 'D', "d/", "00000000002");
    char block[TAR_BLOCK] = "Ya";
    buf_append(&archive, block, sizeof block);
    append_raw(&archive, '0', "d/a", "00000000000");
    for (size_t piece = 1; piece < archive.length; piece = piece * 3 + 1) {
        SCOPED(string) char *events = events_of(archive.data, archive.length, piece, &err);
        assert_non_null(events);
        assert_null(strstr(events, "Ya"));
    }
    buf_clear(&archive);
}

TEST(bad_headers_are_refused)
{
    static const struct {
        int line;
        char type;
        const char *path;
        const char *size;
    } cases[] = {
        {__LINE__, '0', "f", "0000000000x"},
        {__LINE__, '0', "f", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"},
        {__LINE__, '0', "f", "\x80\x00\x00\x00\xff\xff\xff\xff\xff\xff\xff\xff"},
        {__LINE__, '0', "", "00000000000"},
        {__LINE__, '1', "f", "00000000000"},
        {__LINE__, '2', "f", "00000000000"},
        {__LINE__, 'M', "f", "00000000000"},
        {__LINE__, 'S', "f", "00000000001"},
        {__LINE__, '0', "f/", "00000000001"},
        {__LINE__, 'x', "f", "77777777777"},
        {__LINE__, 'L', "f", "77777777777"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct buf archive = BUF_INIT;
        struct error err = ERROR_INIT;
        append_raw(&archive, cases[i].type, cases[i].path, cases[i].size);
        char *events = events_of(archive.data, archive.length, SIZE_MAX, &err);
        assert_case(cases[i].line, !events);
        assert_case(cases[i].line, err.code == ERROR_CORRUPT);
        free(events);
        buf_clear(&archive);
    }
}

TEST(sums_of_signed_bytes_are_taken_too)
{
    struct buf archive = BUF_INIT;
    append_raw(&archive, '0', "caf\xc3\xa9", "00000000000");
    struct tar_header *header = (struct tar_header *)(void *)archive.data;
    long sum = strtol(header->checksum, NULL, 8);
    for (long less = 0; less <= 1024; less += 256) {
        struct error err = ERROR_INIT;
        snprintf(header->checksum, sizeof header->checksum, "%06lo", sum - less);
        char *events = events_of(archive.data, archive.length, SIZE_MAX, &err);
        assert_int_equal(events != NULL, less == 0 || less == 512);
        free(events);
    }
    buf_clear(&archive);
}

TEST(one_wrong_byte_in_a_header_is_noticed)
{
    struct buf archive = BUF_INIT;
    append_simple(&archive, "f", TAR_FILE, "");
    for (size_t i = 0; i < TAR_BLOCK; i++) {
        struct error err = ERROR_INIT;
        archive.data[i] = (char)(archive.data[i] ^ 0x15);
        char *events = events_of(archive.data, archive.length, SIZE_MAX, &err);
        assert_null(events);
        archive.data[i] = (char)(archive.data[i] ^ 0x15);
    }
    buf_clear(&archive);
}

TEST(a_sparse_map_comes_back)
{
    static const struct tar_extent extents[] = {{0, 10}, {4096, 8192}, {1 << 20, 1}};
    struct buf content = BUF_INIT;
    tar_append_map(&content, extents, 3, 1 << 21);
    assert_int_equal(content.length % TAR_BLOCK, 0);
    size_t map_size = content.length;
    for (size_t piece = 1; piece <= map_size; piece = piece * 3 + 1) {
        struct tar_map map = {.real_size = 1 << 21, .data_size = map_size + 8203};
        struct error err = ERROR_INIT;
        for (size_t at = 0; at < map_size; at += piece) {
            const uint8_t *data = (const uint8_t *)content.data + at;
            size_t size = map_size - at < piece ? map_size - at : piece;
            assert_ok(tar_map_read(&map, &data, &size, &err), err);
            assert_int_equal(size, 0);
        }
        const uint8_t *none = NULL;
        size_t nothing = 0;
        assert_ok(tar_map_read(&map, &none, &nothing, &err), err);
        assert_true(map.complete);
        assert_int_equal(map.count, 4);
        assert_int_equal(map.data_size, 8203);
        assert_int_equal(map.extents[2].offset, 1 << 20);
        assert_int_equal(map.extents[3].length, 0);
        tar_map_clear(&map);
    }
    buf_clear(&content);
}

TEST(bad_sparse_maps_are_refused)
{
    static const struct {
        int line;
        const char *text;
    } cases[] = {
        {__LINE__, "x"},
        {__LINE__, "\n"},
        {__LINE__, "2000000\n"},
        {__LINE__, "99999999999999999999999\n"},
        {__LINE__, "1\n101\n0\n"},
        {__LINE__, "1\n50\n51\n"},
        {__LINE__, "2\n10\n10\n5\n1\n"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct tar_map map = {.real_size = 100, .data_size = 512};
        struct error err = ERROR_INIT;
        const uint8_t *data = (const uint8_t *)cases[i].text;
        size_t size = strlen(cases[i].text);
        assert_case(cases[i].line, tar_map_read(&map, &data, &size, &err) < 0);
        assert_case(cases[i].line, err.code == ERROR_CORRUPT);
        tar_map_clear(&map);
    }
}

TEST(paths_are_cleaned_or_refused)
{
    static const struct {
        int line;
        const char *path;
        const char *clean; /* NULL: refused */
    } cases[] = {
        {__LINE__, "a/b", "a/b"},
        {__LINE__, "./a//b/./c/", "a/b/c"},
        {__LINE__, ".", ""},
        {__LINE__, "./", ""},
        {__LINE__, "..a/b..", "..a/b.."},
        {__LINE__, "...", "..."},
        {__LINE__, "/a", NULL},
        {__LINE__, "..", NULL},
        {__LINE__, "a/../b", NULL},
        {__LINE__, "a/..", NULL},
        {__LINE__, "./../a", NULL},
        {__LINE__, "//a", NULL},
    };
    struct buf clean = BUF_INIT;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct error err = ERROR_INIT;
        int result = tar_path_clean(cases[i].path, &clean, &err);
        assert_case(cases[i].line, (result == 0) == (cases[i].clean != NULL));
        if (cases[i].clean)
            assert_string_equal(clean.data, cases[i].clean);
    }
    SCOPED(string) char *wide = repeat('w', 256);
    struct error err = ERROR_INIT;
    assert_fails(tar_path_clean(wide, &clean, &err), err, ERROR_CORRUPT);
    buf_clear(&clean);
}

TEST_MAIN(UNIT(everything_a_member_carries_survives), UNIT(paths_of_every_length_survive),
          UNIT(numbers_at_their_edges_survive), UNIT(pieces_of_any_size_tell_the_same),
          UNIT(an_archive_cut_short_is_an_error), UNIT(bad_pax_records_are_refused),
          UNIT(attributes_in_the_form_of_libarchive_are_read),
          UNIT(a_global_header_counts_until_a_member_says_otherwise),
          UNIT(a_folder_of_an_incremental_archive_passes_its_list_over),
          UNIT(bad_headers_are_refused), UNIT(one_wrong_byte_in_a_header_is_noticed),
          UNIT(sums_of_signed_bytes_are_taken_too), UNIT(a_sparse_map_comes_back),
          UNIT(bad_sparse_maps_are_refused), UNIT(paths_are_cleaned_or_refused))
