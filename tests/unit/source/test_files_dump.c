#include "harness/os_faulty.h"
#include "harness/scratch.h"
#include "harness/segments_memory.h"
#include "harness/test.h"

#include "base/file.h"
#include "base/mem.h"
#include "io/tar.h"
#include "source/source.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A small tree in a folder of its own. */
struct tree {
    char top[64];
};

static void put_file(const struct tree *tree, const char *name, size_t size)
{
    struct error err = ERROR_INIT;
    SCOPED(string) char *path = path_join(tree->top, name);
    char *content = mem_alloc(size + 1, 1);
    memset(content, 'x', size);
    assert_ok(file_write_atomic(os_real(), path, content, size, 0600, &err), err);
    free(content);
}

static struct tree tree_make(void)
{
    struct tree tree;
    struct error err = ERROR_INIT;
    scratch_folder(tree.top);
    SCOPED(string) char *below = path_join(tree.top, "sub/below");
    SCOPED(string) char *link = path_join(tree.top, "link");
    assert_ok(folder_make(os_real(), below, 0700, &err), err);
    put_file(&tree, "a", 3);
    put_file(&tree, "sub/b", 70000);
    put_file(&tree, "sub/below/big", SEGMENT_SIZE * 2 + 17);
    assert_int_equal(symlink("a", link), 0);
    return tree;
}

static void tree_remove(const struct tree *tree)
{
    SCOPED(string) char *command = mem_format("rm -rf %s", tree->top);
    assert_int_equal(system(command), 0);
}

static int dump_with(struct os *os, const struct tree *tree, int jobs,
                     struct segments_memory *memory, struct dump_result *ret_result,
                     struct error *err)
{
    struct source_target target = {.name = (char[]){"t"}};
    text_list_add(&target.paths, tree->top);
    struct dump_options options = {.os = os, .jobs = jobs};
    int result = source_find("files")->dump(&target, &options, segments_memory_sink(memory),
                                            ret_result, err);
    text_list_clear(&target.paths);
    return result;
}

/* Parses as a whole; the members' number. */
static size_t count_members(struct segments_memory *memory)
{
    size_t size = 0, count = 0;
    SCOPED(string) char *content = segments_memory_content(memory, &size);
    const uint8_t *at = (const uint8_t *)content;
    struct tar_parser *parser = tar_parser_new();
    struct error err = ERROR_INIT;
    for (enum tar_event event = TAR_CONTENT; event != TAR_MORE;) {
        struct tar_piece piece;
        assert_ok(tar_parser_next(parser, &at, &size, &event, &piece, &err), err);
        count += event == TAR_MEMBER;
    }
    assert_ok(tar_parser_finish(parser, &err), err);
    tar_parser_free(parser);
    return count;
}

TEST(segments_hold_whole_members_or_parts_of_one)
{
    struct tree tree = tree_make();
    struct segments_memory *memory = segments_memory_new(NULL);
    struct dump_result result = {0};
    struct error err = ERROR_INIT;
    assert_ok(dump_with(os_real(), &tree, 3, memory, &result, &err), err);
    assert_int_equal(result.rows, 7);
    assert_int_equal(count_members(memory), 7);
    assert_int_equal(result.incomplete.count, 0);
    assert_int_equal(segments_memory_out(memory), 0);
    struct segment_source *source = segments_memory_source(memory);
    uint64_t members = 0;
    for (size_t i = 0; i < source->ops->count(source); i++) {
        assert_true(source->ops->frame(source, i)->size <= SEGMENT_MAXIMUM);
        members += source->ops->frame(source, i)->rows;
    }
    assert_int_equal(members, 7);
    dump_result_clear(&result);
    segments_memory_free(memory);
    tree_remove(&tree);
}

TEST(one_segment_at_a_time_is_enough)
{
    struct tree tree = tree_make();
    struct segments_memory_options options = {.at_once = 1};
    struct segments_memory *memory = segments_memory_new(&options);
    struct dump_result result = {0};
    struct error err = ERROR_INIT;
    assert_ok(dump_with(os_real(), &tree, 4, memory, &result, &err), err);
    assert_int_equal(count_members(memory), 7);
    dump_result_clear(&result);
    segments_memory_free(memory);
    tree_remove(&tree);
}

TEST(a_sink_that_fails_ends_the_dump)
{
    struct tree tree = tree_make();
    for (size_t push = 1; push <= 3; push++) {
        struct segments_memory_options options = {.fail_push = push};
        struct segments_memory *memory = segments_memory_new(&options);
        struct dump_result result = {0};
        struct error err = ERROR_INIT;
        assert_true(dump_with(os_real(), &tree, 2, memory, &result, &err) < 0);
        assert_int_equal(segments_memory_out(memory), 0);
        dump_result_clear(&result);
        segments_memory_free(memory);
    }
    tree_remove(&tree);
}

TEST(each_call_that_fails_is_an_error_or_reported)
{
    struct tree tree = tree_make();
    long calls = 1000;
    for (long at = 1; at <= calls; at++) {
        struct segments_memory *memory = segments_memory_new(NULL);
        struct dump_result result = {0};
        struct error err = ERROR_INIT;
        struct os *os = os_faulty(FAULT_EIO, at);
        int done = dump_with(os, &tree, 1, memory, &result, &err);
        if (at > os_faulty_calls())
            calls = 0;
        else if (done == 0 && !result.incomplete.count)
            fail_msg("call %ld failed unseen", at);
        if (done == 0)
            count_members(memory);
        assert_int_equal(segments_memory_out(memory), 0);
        dump_result_clear(&result);
        segments_memory_free(memory);
    }
    tree_remove(&tree);
}

TEST_MAIN(UNIT(segments_hold_whole_members_or_parts_of_one), UNIT(one_segment_at_a_time_is_enough),
          UNIT(a_sink_that_fails_ends_the_dump), UNIT(each_call_that_fails_is_an_error_or_reported))
