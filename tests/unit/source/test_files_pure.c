#include "harness/test.h"

#include "base/mem.h"
#include "base/text.h"
#include "source/files_acl.h"
#include "source/files_glob.h"
#include "source/files_links.h"
#include "source/files_names.h"
#include "source/files_roots.h"

#include <stdlib.h>
#include <string.h>

TEST(an_access_list_survives_the_text)
{
    /* user::rwx, user:0:rw-, user:54321:r--, group::r-x, mask::rwx, other::--- */
    static const uint8_t value[] = {2, 0,   0,   0,   1,   0,  7,   0,   255, 255, 255, 255,  2,
                                    0, 6,   0,   0,   0,   0,  0,   2,   0,   4,   0,   0x31, 0xd4,
                                    0, 0,   4,   0,   5,   0,  255, 255, 255, 255, 16,  0,    7,
                                    0, 255, 255, 255, 255, 32, 0,   0,   0,   255, 255, 255,  255};
    struct error err = ERROR_INIT;
    struct buf text = BUF_INIT, back = BUF_INIT;
    SCOPED(files_names) struct files_names *names = files_names_new();
    assert_ok(files_acl_to_text(names, value, sizeof value, &text, &err), err);
    assert_string_equal(text.data, "user::rwx,user:root:rw-:0,user:54321:r--,group::r-x,mask::rwx,"
                                   "other::---");
    assert_ok(files_acl_from_text(names, text.data, &back, &err), err);
    assert_int_equal(back.length, sizeof value);
    assert_memory_equal(back.data, value, sizeof value);
    buf_clear(&text);
    buf_clear(&back);
}

TEST(access_lists_are_read_in_every_dress)
{
    static const struct {
        int line;
        const char *text;
        bool good;
    } cases[] = {
        {__LINE__, "user::rw-\ngroup::r--\nother::r--\n", true},
        {__LINE__, "u::rw-,g::r--,o::r--", true},
        {__LINE__, "other::r--,group::r--,user::rw-", true},
        {__LINE__, "user::rw- # a comment\ngroup::r--,other::---", true},
        {__LINE__, "user:nobody-has-this-name:rw-:77", true},
        {__LINE__, "user:nobody-has-this-name:rw-", false},
        {__LINE__, "", false},
        {__LINE__, "user", false},
        {__LINE__, "user::", true},
        {__LINE__, "user::q--", false},
        {__LINE__, "what::rw-", false},
        {__LINE__, "mask:1:rw-", false},
        {__LINE__, "user:4294967295:rw-", false},
        {__LINE__, "user:1:rw-:2:3", false},
    };
    SCOPED(files_names) struct files_names *names = files_names_new();
    struct buf value = BUF_INIT;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct error err = ERROR_INIT;
        int result = files_acl_from_text(names, cases[i].text, &value, &err);
        assert_case(cases[i].line, (result == 0) == cases[i].good);
    }
    buf_clear(&value);
}

TEST(a_kernel_value_of_another_kind_is_refused)
{
    static const uint8_t values[][8] = {{1, 0, 0, 0}, {2, 0, 0}, {2, 0, 0, 0, 1}};
    static const size_t sizes[] = {4, 3, 5};
    SCOPED(files_names) struct files_names *names = files_names_new();
    struct buf text = BUF_INIT;
    for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
        struct error err = ERROR_INIT;
        assert_fails(files_acl_to_text(names, values[i], sizes[i], &text, &err), err, ERROR_SOURCE);
    }
    buf_clear(&text);
}

static struct files_roots roots_of(const char *first, const char *second)
{
    SCOPED(text_list) struct text_list paths = TEXT_LIST_INIT;
    struct files_roots roots = {0};
    struct error err = ERROR_INIT;
    text_list_add(&paths, first);
    if (second)
        text_list_add(&paths, second);
    assert_ok(files_roots_make(&paths, &roots, &err), err);
    return roots;
}

TEST(roots_are_clean_sorted_and_once)
{
    SCOPED(files_roots) struct files_roots roots = roots_of("/srv//shop/./up/", "/srv/shop/up");
    assert_int_equal(roots.count, 1);
    assert_string_equal(roots.items[0].path, "/srv/shop/up");
    assert_string_equal(roots.items[0].member, "srv/shop/up");
    SCOPED(files_roots) struct files_roots top = roots_of("/tmp", "//");
    assert_string_equal(top.items[0].path, "/");
    assert_string_equal(top.items[0].member, "");
    assert_true(files_root_holds(&top.items[0], "anything"));
    assert_true(files_root_holds(&top.items[1], "tmp/x"));
    assert_false(files_root_holds(&top.items[1], "tmpx"));
    SCOPED(files_roots) struct files_roots up = roots_of("/usr/../tmp", NULL);
    assert_string_equal(up.items[0].path, "/tmp");
}

TEST(metadata_comes_back)
{
    SCOPED(files_roots) struct files_roots roots = roots_of("/srv/b\xff%\n", "/etc");
    SCOPED(text_list) struct text_list exclude = TEXT_LIST_INIT;
    text_list_add(&exclude, "*.tmp");
    struct files_facts facts = {.members = 7, .bytes = 1234567890123};
    SCOPED(string) char *json = files_metadata_format(&roots, &facts, &exclude, true);
    SCOPED(files_roots) struct files_roots again = {0};
    SCOPED(text_list) struct text_list left_out = TEXT_LIST_INIT;
    struct files_facts found = {0};
    struct error err = ERROR_INIT;
    assert_int_equal(files_metadata_parse(json, &again, &found, &left_out, &err), 1);
    assert_int_equal(again.count, 2);
    assert_string_equal(again.items[1].path, "/srv/b\xff%\n");
    assert_true(found.members == 7 && found.bytes == 1234567890123);
    assert_string_equal(left_out.items[0], "*.tmp");
}

TEST(damaged_metadata_is_refused)
{
    static const char *const texts[] = {"",
                                        "[]",
                                        "{\"roots\":[1]}",
                                        "{\"roots\":[\"relative\"]}",
                                        "{\"roots\":[\"/a/../b\"]}",
                                        "{\"roots\":[\"/a\"]"};
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        struct files_roots roots = {0};
        struct files_facts facts;
        struct text_list left_out = TEXT_LIST_INIT;
        struct error err = ERROR_INIT;
        assert_fails(files_metadata_parse(texts[i], &roots, &facts, &left_out, &err), err,
                     ERROR_CORRUPT);
        files_roots_clear(&roots);
        text_list_clear(&left_out);
    }
}

TEST(patterns_cover_what_lies_beneath)
{
    static const struct {
        int line;
        const char *pattern, *member;
        bool folder, matches, covers;
    } cases[] = {
        {__LINE__, "*.tmp", "srv/a/b.tmp", false, true, true},
        {__LINE__, "a", "srv/a", true, true, true},
        {__LINE__, "a", "srv/a/b/c", false, false, true},
        {__LINE__, "a/", "srv/a", false, false, false},
        {__LINE__, "a/", "srv/a", true, true, true},
        {__LINE__, "srv", "srv/a", true, false, false},
        {__LINE__, "/srv/a", "srv/a", true, true, true},
        {__LINE__, "/a", "srv/a", true, false, false},
        {__LINE__, "a/*", "srv/a/b", false, true, true},
        {__LINE__, "a/*", "srv/a/b/c", false, false, true},
        {__LINE__, "**", "srv/a/b/c", false, true, true},
    };
    SCOPED(files_roots) struct files_roots roots = roots_of("/srv", NULL);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        SCOPED(text_list) struct text_list patterns = TEXT_LIST_INIT;
        text_list_add(&patterns, cases[i].pattern);
        assert_case(cases[i].line, files_glob_matches(&patterns, &roots.items[0], cases[i].member,
                                                      cases[i].folder) == cases[i].matches);
        assert_case(cases[i].line, files_glob_covers(&patterns, &roots.items[0], cases[i].member,
                                                     cases[i].folder) == cases[i].covers);
    }
}

TEST(a_link_is_forgotten_with_its_last_name)
{
    SCOPED(files_links) struct files_links *links = files_links_new(1 << 20);
    for (unsigned inode = 1; inode <= 2000; inode++) {
        struct stat stat = {.st_dev = 1, .st_ino = inode, .st_nlink = 3};
        SCOPED(string) char *name = mem_format("first/%u", inode);
        assert_null(files_links_seen(links, &stat));
        files_links_remember(links, &stat, name);
    }
    for (int round = 0; round < 3; round++)
        for (unsigned inode = 1; inode <= 2000; inode++) {
            struct stat stat = {.st_dev = 1, .st_ino = inode, .st_nlink = 3};
            SCOPED(string) char *name = mem_format("first/%u", inode);
            SCOPED(string) char *seen = files_links_seen(links, &stat);
            if (round < 2)
                assert_string_equal(seen, name);
            else
                assert_null(seen);
        }
    struct stat other = {.st_dev = 2, .st_ino = 1, .st_nlink = 3};
    assert_null(files_links_seen(links, &other));
}

TEST(a_full_table_of_links_takes_no_more_and_counts)
{
    SCOPED(files_links) struct files_links *links = files_links_new(1000);
    for (unsigned inode = 1; inode <= 100; inode++) {
        struct stat stat = {.st_dev = 1, .st_ino = inode, .st_nlink = 2};
        files_links_remember(links, &stat, "some/name");
    }
    assert_true(files_links_lost(links) > 50 && files_links_lost(links) < 100);
}

TEST_MAIN(UNIT(an_access_list_survives_the_text), UNIT(access_lists_are_read_in_every_dress),
          UNIT(a_kernel_value_of_another_kind_is_refused), UNIT(roots_are_clean_sorted_and_once),
          UNIT(metadata_comes_back), UNIT(damaged_metadata_is_refused),
          UNIT(patterns_cover_what_lies_beneath), UNIT(a_link_is_forgotten_with_its_last_name),
          UNIT(a_full_table_of_links_takes_no_more_and_counts))
