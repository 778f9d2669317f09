#include "harness/os_faulty.h"
#include "harness/test.h"

#include "base/file.h"
#include "base/mem.h"
#include "store/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static struct store *open_fresh(char folder[static 64])
{
    struct error err = ERROR_INIT;
    strcpy(folder, "/tmp/kedge-test-XXXXXX");
    assert_non_null(mkdtemp(folder));
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

TEST_MAIN(UNIT(upload_is_invisible_until_published), UNIT(remains_of_a_dead_upload_are_listed),
          UNIT(publish_never_replaces), UNIT(an_upload_is_reread_while_it_is_written),
          UNIT(keys_cannot_leave_the_folder), UNIT(a_failing_call_leaves_nothing_published))
