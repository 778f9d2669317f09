#include "harness/os_faulty.h"
#include "harness/scratch.h"
#include "harness/test.h"

#include "base/file.h"
#include "base/mem.h"
#include "store/store.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static struct store *open_fresh(char folder[static 64])
{
    struct error err = ERROR_INIT;
    scratch_folder(folder);
    struct store *store = NULL;
    assert_ok(store_open(folder, &(struct store_options){.os = os_real()}, &store, &err), err);
    return store;
}

static int count_entry(void *context, const struct store_entry *entry, struct error *err)
{
    (void)entry;
    (void)err;
    ++*(int *)context;
    return 0;
}

TEST(upload_is_invisible_until_published)
{
    char folder[64];
    struct store *store = open_fresh(folder);
    struct error err = ERROR_INIT;
    struct upload *upload = NULL;
    assert_ok(store_put(store, &upload, &err), err);
    assert_ok(upload_write(upload, "hello", 5, &err), err);
    int listed = 0;
    int unfinished = 0;
    assert_ok(store_list(store, "", count_entry, &listed, &err), err);
    assert_ok(store_list_unfinished(store, count_entry, &unfinished, &err), err);
    assert_int_equal(listed, 0);
    assert_int_equal(unfinished, 0);

    assert_ok(upload_finish(upload, &err), err);
    assert_int_equal(upload_publish(upload, "a.sql", &err), 1);
    upload_free(upload);
    struct store_entry entry;
    assert_int_equal(store_stat(store, "a.sql", &entry, &err), 1);
    assert_int_equal(entry.size, 5);
    store_close(store);
}

TEST(remains_of_a_dead_upload_are_listed)
{
    char folder[64];
    struct store *store = open_fresh(folder);
    struct error err = ERROR_INIT;
    pid_t child = fork();
    if (child == 0) {
        struct upload *upload = NULL;
        if (store_put(store, &upload, &err) == 0)
            upload_write(upload, "half", 4, &err);
        _exit(0);
    }
    waitpid(child, NULL, 0);
    int unfinished = 0;
    assert_ok(store_list_unfinished(store, count_entry, &unfinished, &err), err);
    assert_int_equal(unfinished, 1);
    store_close(store);
}

TEST(publish_never_replaces)
{
    char folder[64];
    struct store *store = open_fresh(folder);
    struct error err = ERROR_INIT;
    for (int i = 0; i < 2; i++) {
        struct upload *upload = NULL;
        assert_ok(store_put(store, &upload, &err), err);
        assert_ok(upload_write(upload, i ? "second" : "first", i ? 6 : 5, &err), err);
        assert_ok(upload_finish(upload, &err), err);
        assert_int_equal(upload_publish(upload, "same", &err), i == 0);
        upload_free(upload);
    }
    char data[16] = "";
    size_t size = 0;
    assert_ok(store_read(store, "same", 0, data, sizeof data, &size, &err), err);
    assert_int_equal(size, 5);
    assert_memory_equal(data, "first", 5);
    int unfinished = 0;
    assert_ok(store_list_unfinished(store, count_entry, &unfinished, &err), err);
    assert_int_equal(unfinished, 0);
    store_close(store);
}

TEST(an_upload_is_reread_while_it_is_written)
{
    char folder[64];
    struct store *store = open_fresh(folder);
    struct error err = ERROR_INIT;
    struct upload *upload = NULL;
    assert_ok(store_put(store, &upload, &err), err);
    static char content[9 << 20];
    static char back[sizeof content];
    for (size_t i = 0; i < sizeof content; i++)
        content[i] = (char)(i * 7 >> 3);
    assert_ok(upload_write(upload, content, sizeof content, &err), err);
    assert_int_equal(upload_reread(upload, 5000, back, 4096, &err), 1);
    assert_memory_equal(back, content + 5000, 4096);
    assert_ok(upload_finish(upload, &err), err);
    assert_int_equal(upload_reread(upload, 0, back, sizeof back, &err), 1);
    assert_memory_equal(back, content, sizeof content);
    assert_fails(upload_reread(upload, 1, back, sizeof back, &err), err, ERROR_CORRUPT);
    upload_free(upload);
    store_close(store);
}

TEST(keys_cannot_leave_the_folder)
{
    static const char *const bad[] = {"", "/etc/passwd", "../x", "a/../../x", "a//b", ".", "a/."};
    char folder[64];
    struct store *store = open_fresh(folder);
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        struct error err = ERROR_INIT;
        struct store_entry entry;
        assert_fails(store_stat(store, bad[i], &entry, &err), err, ERROR_CORRUPT);
    }
    store_close(store);
}

TEST(a_failing_call_leaves_nothing_published)
{
    char folder[64];
    store_close(open_fresh(folder));
    for (long at = 1;; at++) {
        struct os *os = os_faulty(FAULT_EIO, at);
        struct error err = ERROR_INIT;
        struct store *store = NULL;
        struct upload *upload = NULL;
        int result = store_open(folder, &(struct store_options){.os = os}, &store, &err);
        if (result == 0)
            result = store_put(store, &upload, &err);
        if (result == 0)
            result = upload_write(upload, "x", 1, &err);
        if (result == 0)
            result = upload_finish(upload, &err);
        if (result == 0)
            result = upload_publish(upload, "k", &err);
        bool hit = os_faulty_calls() >= at;
        upload_free(upload);
        char path[128];
        snprintf(path, sizeof path, "%s/k", folder);
        assert_int_equal(access(path, F_OK) == 0, result > 0);
        if (result > 0)
            unlink(path);
        store_close(store);
        if (!hit)
            break;
    }
}

static void publish(struct store *store, const char *key, const char *text)
{
    struct error err = ERROR_INIT;
    SCOPED(upload) struct upload *upload = NULL;
    assert_ok(store_put(store, &upload, &err), err);
    assert_ok(upload_write(upload, text, strlen(text), &err), err);
    assert_ok(upload_finish(upload, &err), err);
    assert_int_equal(upload_publish(upload, key, &err), 1);
}

TEST(a_folder_that_is_not_there_is_named_and_the_cure_with_it)
{
    struct error err = ERROR_INIT;
    struct store *store = NULL;
    char file[64];
    scratch_file(file);
    struct store_options options = {.os = os_real()};
    assert_fails(store_open("/nowhere/at/all", &options, &store, &err), err, ERROR_NOT_FOUND);
    assert_non_null(strstr(err.message, "/nowhere/at/all"));
    assert_non_null(strstr(err.hint, "kedge init"));
    assert_fails(store_open(file, &options, &store, &err), err, ERROR_NOT_FOUND);
    options.create = true;
    assert_fails(store_open(file, &options, &store, &err), err, ERROR_FAILED);
    assert_null(store);
}

TEST(a_url_is_told_by_its_scheme)
{
    char folder[64];
    char url[80];
    struct error err = ERROR_INIT;
    struct store *store = NULL;
    struct store_options options = {.os = os_real()};
    scratch_folder(folder);
    snprintf(url, sizeof url, "file://%s", folder);
    assert_ok(store_open(url, &options, &store, &err), err);
    assert_string_equal(store->url, folder);
    SCOPED(string) char *location = store_location(store, "a.sql");
    assert_true(strncmp(location, folder, strlen(folder)) == 0);
    store_close(store);
    assert_fails(store_open("gopher://x", &options, &store, &err), err, ERROR_USAGE);
    assert_non_null(strstr(err.message, "gopher://x"));
}

TEST(what_is_not_there_is_an_answer_or_an_error_by_the_question)
{
    char folder[64];
    char data[4];
    size_t size = 0;
    struct error err = ERROR_INIT;
    struct store_entry entry;
    struct store *store = open_fresh(folder);
    assert_int_equal(store_stat(store, "none", &entry, &err), 0);
    assert_ok(store_remove(store, "none", &err), err);
    assert_fails(store_read(store, "none", 0, data, sizeof data, &size, &err), err,
                 ERROR_NOT_FOUND);
    assert_fails(store_uncache(store, "none", &err), err, ERROR_NOT_FOUND);
    publish(store, "below/a", "text");
    assert_int_equal(store_stat(store, "below", &entry, &err), 0);
    store_close(store);
}

TEST(a_listing_has_everything_or_fails)
{
    char folder[64];
    struct store *store = open_fresh(folder);
    publish(store, "a", "1");
    publish(store, "below/b", "2");
    store_close(store);
    for (long at = 1;; at++) {
        struct error err = ERROR_INIT;
        int listed = 0;
        struct os *os = os_faulty(FAULT_EIO, at);
        int result = store_open(folder, &(struct store_options){.os = os}, &store, &err);
        if (result == 0) {
            result = store_list(store, "", count_entry, &listed, &err);
            store_close(store);
        }
        bool hit = os_faulty_calls() >= at;
        assert_true(result < 0 ? err.message[0] != '\0' : listed == 2);
        if (!hit)
            break;
    }
}

static int failing_errno;

static int failing_range(struct os *os, int fd, off_t offset, off_t size, unsigned flags)
{
    (void)os, (void)fd, (void)offset, (void)size, (void)flags;
    errno = failing_errno;
    return -1;
}

TEST(a_medium_that_lost_bytes_is_told_and_one_that_cannot_tell_is_no_error)
{
    char folder[64];
    char back[4];
    struct error err = ERROR_INIT;
    struct os os = *os_real();
    struct store *store = NULL;
    struct upload *upload = NULL;
    scratch_folder(folder);
    assert_ok(store_open(folder, &(struct store_options){.os = &os}, &store, &err), err);
    assert_ok(store_put(store, &upload, &err), err);
    assert_ok(upload_write(upload, "text", 4, &err), err);
    os.sync_file_range = failing_range;
    failing_errno = ESPIPE;
    assert_int_equal(upload_reread(upload, 0, back, 4, &err), 0);
    failing_errno = EIO;
    assert_fails(upload_reread(upload, 0, back, 4, &err), err, ERROR_FAILED);
    assert_int_equal(err.sys, EIO);
    failing_errno = ENOSPC;
    assert_fails(upload_reread(upload, 0, back, 4, &err), err, ERROR_NO_SPACE);
    upload_free(upload);
    store_close(store);
}

static int held_flock(struct os *os, int fd, int operation)
{
    (void)os, (void)fd, (void)operation;
    errno = EWOULDBLOCK;
    return -1;
}

TEST(an_upload_that_somebody_else_holds_is_given_up)
{
    char folder[64];
    int unfinished = 0;
    struct error err = ERROR_INIT;
    struct os os = *os_real();
    struct store *store = NULL;
    struct upload *upload = NULL;
    scratch_folder(folder);
    assert_ok(store_open(folder, &(struct store_options){.os = &os}, &store, &err), err);
    os.flock = held_flock;
    assert_fails(store_put(store, &upload, &err), err, ERROR_LOCKED);
    assert_null(upload);
    os.flock = os_real()->flock;
    assert_ok(store_list_unfinished(store, count_entry, &unfinished, &err), err);
    assert_int_equal(unfinished, 0);
    store_close(store);
}

TEST_MAIN(UNIT(upload_is_invisible_until_published), UNIT(remains_of_a_dead_upload_are_listed),
          UNIT(publish_never_replaces), UNIT(an_upload_is_reread_while_it_is_written),
          UNIT(keys_cannot_leave_the_folder), UNIT(a_failing_call_leaves_nothing_published),
          UNIT(a_folder_that_is_not_there_is_named_and_the_cure_with_it),
          UNIT(a_url_is_told_by_its_scheme),
          UNIT(what_is_not_there_is_an_answer_or_an_error_by_the_question),
          UNIT(a_listing_has_everything_or_fails),
          UNIT(a_medium_that_lost_bytes_is_told_and_one_that_cannot_tell_is_no_error),
          UNIT(an_upload_that_somebody_else_holds_is_given_up))
