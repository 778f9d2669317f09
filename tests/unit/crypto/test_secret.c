#include "harness/os_faulty.h"
#include "harness/scratch.h"
#include "harness/test.h"

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "crypto/secret.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char *make_file(char path[static 64], const void *data, size_t size, mode_t mode)
{
    scratch_file(path);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, data, size), (ssize_t)size);
    assert_int_equal(fchmod(fd, mode), 0);
    close(fd);
    return path;
}

TEST(a_secret_is_a_text_and_can_be_set_from_itself)
{
    struct secret secret = SECRET_INIT;
    assert_string_equal(secret_text(&secret), "");
    secret_set(&secret, "abcdef", 6);
    assert_string_equal(secret_text(&secret), "abcdef");
    secret_set(&secret, secret.data + 2, 3);
    assert_string_equal(secret_text(&secret), "cde");
    assert_int_equal(secret.length, 3);
    secret_set(&secret, NULL, 0);
    assert_string_equal(secret_text(&secret), "");
    secret_clear(&secret);
    secret_clear(&secret);
    assert_null(secret.data);
}

TEST(secrets_of_every_size_keep_to_their_room)
{
    for (size_t size = 0; size < 200; size++) {
        struct secret secret = SECRET_INIT;
        secret_reserve(&secret, size);
        for (size_t i = 0; i <= size; i++)
            assert_int_equal(secret.data[i], 0);
        memset(secret.data, 'x', size);
        assert_int_equal(strlen(secret_text(&secret)), size);
        secret_clear(&secret);
    }
}

TEST(files_that_others_may_read_or_write_are_refused)
{
    static const struct {
        int line;
        mode_t mode;
        bool good;
    } cases[] = {
        {__LINE__, 0600, true},  {__LINE__, 0400, true},  {__LINE__, 0644, false},
        {__LINE__, 0604, false}, {__LINE__, 0620, false}, {__LINE__, 0602, false},
        {__LINE__, 0640, false},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char path[64];
        struct error err = ERROR_INIT;
        struct secret secret = SECRET_INIT;
        make_file(path, "pw", 2, cases[i].mode);
        int result = secret_read_file(os_real(), path, 100, &secret, &err);
        assert_case(cases[i].line, (result == 0) == cases[i].good);
        if (result < 0) {
            assert_case(cases[i].line, err.code == ERROR_PERMISSION);
            assert_case(cases[i].line, strstr(err.hint, "chmod 600") != NULL);
        }
        secret_clear(&secret);
        unlink(path);
    }
}

static int stat_of_someone_else(struct os *os, int fd, struct stat *ret_stat)
{
    int result = os_real()->fstat(os, fd, ret_stat);
    ret_stat->st_uid = geteuid() + 1;
    return result;
}

TEST(a_file_of_another_user_is_refused)
{
    char path[64];
    struct error err = ERROR_INIT;
    struct secret secret = SECRET_INIT;
    struct os os = *os_real();
    os.fstat = stat_of_someone_else;
    make_file(path, "pw", 2, 0600);
    assert_fails(secret_read_file(&os, path, 100, &secret, &err), err, ERROR_PERMISSION);
    assert_non_null(strstr(err.message, "another user"));
    unlink(path);
}

TEST(too_long_missing_and_folders_are_refused)
{
    char path[64];
    struct error err = ERROR_INIT;
    struct secret secret = SECRET_INIT;
    make_file(path, "12345", 5, 0600);
    assert_ok(secret_read_file(os_real(), path, 5, &secret, &err), err);
    assert_fails(secret_read_file(os_real(), path, 4, &secret, &err), err, ERROR_USAGE);
    assert_string_equal(secret_text(&secret), "12345");
    unlink(path);
    assert_fails(secret_read_file(os_real(), path, 4, &secret, &err), err, ERROR_NOT_FOUND);
    assert_fails(secret_read_file(os_real(), "/tmp", 4, &secret, &err), err, ERROR_USAGE);
    secret_clear(&secret);
}

TEST(a_pipe_is_read_to_its_end)
{
    int ends[2];
    struct error err = ERROR_INIT;
    struct secret secret = SECRET_INIT;
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], "from a pipe", 11), 11);
    close(ends[1]);
    assert_ok(secret_read_descriptor(os_real(), ends[0], "pipe", 100, &secret, &err), err);
    assert_string_equal(secret_text(&secret), "from a pipe");
    close(ends[0]);
    secret_clear(&secret);
}

TEST(a_passphrase_is_one_line)
{
    static const struct {
        int line;
        const char *content;
        size_t size;
        const char *passphrase; /* NULL: refused */
    } cases[] = {
        {__LINE__, "secret\n", 7, "secret"},
        {__LINE__, "secret", 6, "secret"},
        {__LINE__, "secret\r\n", 8, "secret"},
        {__LINE__, " se cret \n", 10, " se cret "},
        {__LINE__, "", 0, NULL},
        {__LINE__, "\n", 1, NULL},
        {__LINE__, "secret\n\n", 8, NULL},
        {__LINE__, "two\nlines\n", 10, NULL},
        {__LINE__, "nul\0inside\n", 11, NULL},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char path[64];
        struct error err = ERROR_INIT;
        struct secret secret = SECRET_INIT;
        make_file(path, cases[i].content, cases[i].size, 0600);
        int result = secret_read_passphrase(os_real(), path, &secret, &err);
        assert_case(cases[i].line, (result == 0) == (cases[i].passphrase != NULL));
        if (result == 0)
            assert_case(cases[i].line, strcmp(secret_text(&secret), cases[i].passphrase) == 0);
        else
            assert_case(cases[i].line, err.code == ERROR_USAGE && !strstr(err.message, "lines\n"));
        secret_clear(&secret);
        unlink(path);
    }
}

TEST(every_failing_call_is_reported)
{
    char path[64];
    make_file(path, "pw\n", 3, 0600);
    for (long at = 1;; at++) {
        struct os *os = os_faulty(FAULT_EIO, at);
        struct error err = ERROR_INIT;
        struct secret secret = SECRET_INIT;
        int result = secret_read_passphrase(os, path, &secret, &err);
        bool hit = os_faulty_calls() >= at;
        assert_int_equal(result, hit ? -1 : 0);
        secret_clear(&secret);
        if (!hit)
            break;
    }
    for (long at = 1; at <= 4; at++) {
        struct error err = ERROR_INIT;
        struct secret secret = SECRET_INIT;
        assert_ok(secret_read_passphrase(os_faulty(FAULT_INTERRUPT, at), path, &secret, &err), err);
        secret_clear(&secret);
    }
    unlink(path);
}

TEST_MAIN(UNIT(a_secret_is_a_text_and_can_be_set_from_itself),
          UNIT(secrets_of_every_size_keep_to_their_room),
          UNIT(files_that_others_may_read_or_write_are_refused),
          UNIT(a_file_of_another_user_is_refused), UNIT(too_long_missing_and_folders_are_refused),
          UNIT(a_pipe_is_read_to_its_end), UNIT(a_passphrase_is_one_line),
          UNIT(every_failing_call_is_reported))
