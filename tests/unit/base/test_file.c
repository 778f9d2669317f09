#include "harness/os_faulty.h"
#include "harness/scratch.h"
#include "harness/test.h"

#include "base/buf.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static int note_name(void *context, const char *name, struct error *err)
{
    (void)err;
    text_list_add(context, name);
    return 0;
}

static size_t count_names(const char *folder)
{
    struct error err = ERROR_INIT;
    SCOPED(text_list) struct text_list names = TEXT_LIST_INIT;
    assert_ok(folder_list(os_real(), folder, note_name, &names, &err), err);
    return names.count;
}

static void put(const char *path, const char *text)
{
    struct error err = ERROR_INIT;
    assert_ok(file_write_atomic(os_real(), path, text, strlen(text), 0600, &err), err);
}

static bool holds(const char *path, const char *text)
{
    struct error err = ERROR_INIT;
    SCOPED(buf) struct buf content = BUF_INIT;
    assert_ok(file_read_all(os_real(), path, &content, &err), err);
    return strcmp(content.data, text) == 0;
}

TEST(a_file_written_atomically_is_the_old_or_the_new_one_whichever_call_fails)
{
    char folder[64];
    scratch_folder(folder);
    SCOPED(string) char *path = path_join(folder, "f");
    for (long at = 1;; at++) {
        struct error err = ERROR_INIT;
        put(path, "old");
        int result = file_write_atomic(os_faulty(FAULT_EIO, at), path, "newer", 5, 0600, &err);
        if (os_faulty_calls() < at)
            break;
        assert_int_equal(count_names(folder), 1);
        assert_true(holds(path, "newer") || (result < 0 && holds(path, "old")));
    }
    assert_true(holds(path, "newer"));
}

TEST(a_full_disk_leaves_the_old_file)
{
    char folder[64];
    scratch_folder(folder);
    SCOPED(string) char *path = path_join(folder, "f");
    put(path, "old");
    struct error err = ERROR_INIT;
    assert_fails(file_write_atomic(os_faulty(FAULT_NO_SPACE, 2), path, "newer", 5, 0600, &err), err,
                 ERROR_NO_SPACE);
    assert_true(holds(path, "old"));
    assert_int_equal(count_names(folder), 1);
}

TEST(calls_that_were_interrupted_or_cut_short_are_taken_up_again)
{
    char folder[64];
    scratch_folder(folder);
    SCOPED(string) char *path = path_join(folder, "f");
    static const enum fault faults[] = {FAULT_INTERRUPT, FAULT_SHORT};
    for (size_t i = 0; i < ARRAY_SIZE(faults); i++) {
        for (long at = 1;; at++) {
            struct error err = ERROR_INIT;
            SCOPED(buf) struct buf content = BUF_INIT;
            char tail[8] = "";
            size_t size = 0;
            struct os *os = os_faulty(faults[i], at);
            assert_ok(file_write_atomic(os, path, "some text", 9, 0600, &err), err);
            assert_ok(file_read_all(os, path, &content, &err), err);
            assert_string_equal(content.data, "some text");
            int fd = file_open(os, path, O_RDWR, 0, &err);
            assert_true(fd >= 0);
            assert_ok(file_pwrite_all(os, fd, "TEXT", 4, 5, path, &err), err);
            assert_ok(file_pread(os, fd, tail, sizeof tail, 4, &size, path, &err), err);
            file_close(os, &fd);
            assert_int_equal(size, 5);
            assert_memory_equal(tail, " TEXT", 5);
            if (os_faulty_calls() < at)
                break;
        }
    }
}

TEST(every_call_that_fails_on_the_way_is_told_with_the_path)
{
    char folder[64];
    scratch_folder(folder);
    SCOPED(string) char *path = path_join(folder, "a/b/c");
    SCOPED(string) char *file = path_join(folder, "f");
    put(file, "text");
    for (long at = 1;; at++) {
        struct error err = ERROR_INIT;
        struct os *os = os_faulty(FAULT_EIO, at);
        SCOPED(buf) struct buf content = BUF_INIT;
        SCOPED(text_list) struct text_list names = TEXT_LIST_INIT;
        uint64_t room = 0;
        struct stat there;
        int result = folder_make(os, path, 0700, &err);
        if (result == 0)
            result = file_read_all(os, file, &content, &err);
        if (result == 0)
            result = folder_list(os, folder, note_name, &names, &err);
        if (result == 0)
            result = file_free_space(os, file, &room, &err);
        if (result == 0)
            result = file_stat(os, file, &there, &err) == 1 ? 0 : -1;
        bool hit = os_faulty_calls() >= at;
        if (result < 0)
            assert_non_null(strstr(err.message, folder));
        else
            assert_int_equal(names.count, 2);
        if (!hit)
            break;
    }
}

TEST(a_file_where_a_folder_should_be_is_named)
{
    char folder[64];
    scratch_folder(folder);
    struct error err = ERROR_INIT;
    SCOPED(string) char *file = path_join(folder, "f");
    SCOPED(string) char *below = path_join(file, "g");
    struct stat there;
    put(file, "");
    assert_fails(folder_make(os_real(), file, 0700, &err), err, ERROR_FAILED);
    assert_non_null(strstr(err.message, "is not a folder"));
    assert_fails(folder_make(os_real(), below, 0700, &err), err, ERROR_FAILED);
    assert_int_equal(file_stat(os_real(), below, &there, &err), 0);
    assert_ok(file_remove(os_real(), "/nowhere/at/all", &err), err);
}

TEST(a_file_longer_than_the_buffer_is_refused)
{
    char path[64];
    scratch_file(path);
    put(path, "0123456789");
    struct error err = ERROR_INIT;
    SCOPED(buf) struct buf content = BUF_INIT_MAX(9);
    assert_fails(file_read_all(os_real(), path, &content, &err), err, ERROR_FAILED);
    assert_non_null(strstr(err.message, path));
    assert_fails(file_read_all(os_real(), "/nowhere", &content, &err), err, ERROR_NOT_FOUND);
}

TEST(room_is_told_for_a_place_that_is_not_there_yet)
{
    char folder[64];
    scratch_folder(folder);
    SCOPED(string) char *path = path_join(folder, "not/yet/there");
    struct error err = ERROR_INIT;
    uint64_t here = 0;
    assert_ok(file_free_space(os_real(), path, &here, &err), err);
    assert_true(here > 0);
}

static int stop_at_once(void *context, const char *name, struct error *err)
{
    (void)name;
    (void)err;
    ++*(int *)context;
    return 7;
}

TEST(a_listing_stops_when_the_visitor_says_so)
{
    char folder[64];
    scratch_folder(folder);
    SCOPED(string) char *one = path_join(folder, "one");
    SCOPED(string) char *two = path_join(folder, "two");
    put(one, "");
    put(two, "");
    struct error err = ERROR_INIT;
    int seen = 0;
    assert_int_equal(folder_list(os_real(), folder, stop_at_once, &seen, &err), 7);
    assert_int_equal(seen, 1);
}

/* ---- renaming where the file system has no exclusive rename ---- */

static int old_renameat2(struct os *os, int old_dir, const char *old_path, int new_dir,
                         const char *new_path, unsigned flags)
{
    if (!flags)
        return os_real()->renameat2(os, old_dir, old_path, new_dir, new_path, flags);
    errno = EINVAL;
    return -1;
}

static int stuck_unlinkat(struct os *os, int dir, const char *path, int flags)
{
    if (strcmp(path_base(path), "from") != 0)
        return os_real()->unlinkat(os, dir, path, flags);
    errno = EPERM;
    return -1;
}

static int no_linkat(struct os *os, int old_dir, const char *old_path, int new_dir,
                     const char *new_path, int flags)
{
    (void)os, (void)old_dir, (void)old_path, (void)new_dir, (void)new_path, (void)flags;
    errno = EMLINK;
    return -1;
}

TEST(a_rename_that_must_not_replace_works_without_the_system_call_for_it)
{
    char folder[64];
    scratch_folder(folder);
    SCOPED(string) char *from = path_join(folder, "from");
    SCOPED(string) char *to = path_join(folder, "to");
    struct os os = *os_real();
    struct error err = ERROR_INIT;
    os.renameat2 = old_renameat2;
    put(from, "first");
    assert_int_equal(file_rename_noreplace(&os, from, to, &err), 1);
    assert_int_equal(count_names(folder), 1);
    put(from, "second");
    assert_int_equal(file_rename_noreplace(&os, from, to, &err), 0);
    assert_true(holds(to, "first"));
    assert_true(holds(from, "second"));
}

TEST(a_rename_that_cannot_be_finished_leaves_the_old_name_only)
{
    char folder[64];
    scratch_folder(folder);
    SCOPED(string) char *from = path_join(folder, "from");
    SCOPED(string) char *to = path_join(folder, "to");
    struct os os = *os_real();
    struct error err = ERROR_INIT;
    os.renameat2 = old_renameat2;
    os.unlinkat = stuck_unlinkat;
    put(from, "text");
    assert_fails(file_rename_noreplace(&os, from, to, &err), err, ERROR_PERMISSION);
    os.linkat = no_linkat;
    assert_fails(file_rename_noreplace(&os, from, to, &err), err, ERROR_FAILED);
    assert_int_equal(count_names(folder), 1);
    assert_true(holds(from, "text"));
}

TEST(a_path_stays_as_it_is_when_the_working_folder_is_gone)
{
    char folder[64];
    scratch_folder(folder);
    assert_int_equal(chdir(folder), 0);
    assert_int_equal(rmdir(folder), 0);
    SCOPED(string) char *path = path_absolute("x//");
    assert_int_equal(chdir("/"), 0);
    assert_string_equal(path, "x");
}

TEST(a_folder_holds_itself_and_what_is_below_it)
{
    assert_true(path_holds("/srv", "/srv"));
    assert_true(path_holds("/srv", "/srv/a/b"));
    assert_true(path_holds("/", "/srv"));
    assert_true(path_holds("a", "a/b"));
    assert_false(path_holds("/srv", "/srv2"));
    assert_false(path_holds("/srv/a", "/srv"));
}

TEST_MAIN(UNIT(a_folder_holds_itself_and_what_is_below_it),
          UNIT(a_file_written_atomically_is_the_old_or_the_new_one_whichever_call_fails),
          UNIT(a_full_disk_leaves_the_old_file),
          UNIT(calls_that_were_interrupted_or_cut_short_are_taken_up_again),
          UNIT(every_call_that_fails_on_the_way_is_told_with_the_path),
          UNIT(a_file_where_a_folder_should_be_is_named),
          UNIT(a_file_longer_than_the_buffer_is_refused),
          UNIT(room_is_told_for_a_place_that_is_not_there_yet),
          UNIT(a_listing_stops_when_the_visitor_says_so),
          UNIT(a_rename_that_must_not_replace_works_without_the_system_call_for_it),
          UNIT(a_rename_that_cannot_be_finished_leaves_the_old_name_only),
          UNIT(a_path_stays_as_it_is_when_the_working_folder_is_gone))
