#include "harness/os_faulty.h"
#include "harness/scratch.h"
#include "harness/test.h"

#include "base/file.h"
#include "base/mem.h"
#include "crypto/sealed.h"
#include "crypto/secret.h"

#include <dirent.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void make_home(char home[static 64])
{
    scratch_folder(home);
}

static struct sealed_key *open_key(const char *home)
{
    struct error err = ERROR_INIT;
    struct sealed_key *key = NULL;
    assert_ok(sealed_key_open(os_real(), home, true, &key, &err), err);
    return key;
}

static void remove_home(const char *home)
{
    SCOPED(string) char *path = path_join(home, "secret.key");
    unlink(path);
    assert_int_equal(rmdir(home), 0);
}

TEST(what_was_sealed_is_opened_by_the_same_key_later)
{
    char home[64];
    make_home(home);
    struct error err = ERROR_INIT;
    struct sealed_key *key = open_key(home);
    char *text = NULL;
    assert_ok(sealed_seal(key, os_real(), "p\0w", 3, &text, &err), err);
    struct sealed_key *again = open_key(home);
    assert_string_equal(sealed_key_id(key), sealed_key_id(again));
    assert_int_equal(strlen(sealed_key_id(key)), SEALED_ID_SIZE - 1);
    struct secret plain = SECRET_INIT;
    assert_ok(sealed_open(again, sealed_key_id(again), text, &plain, &err), err);
    assert_int_equal(plain.length, 3);
    assert_memory_equal(plain.data, "p\0w", 4);
    assert_ok(sealed_open(again, NULL, text, &plain, &err), err);
    secret_clear(&plain);
    free(text);
    sealed_key_close(again);
    sealed_key_close(key);
    remove_home(home);
}

TEST(the_key_file_is_private_and_not_made_unasked)
{
    char home[64];
    make_home(home);
    struct error err = ERROR_INIT;
    struct sealed_key *key = NULL;
    assert_fails(sealed_key_open(os_real(), home, false, &key, &err), err, ERROR_NOT_FOUND);
    sealed_key_close(open_key(home));
    SCOPED(string) char *path = path_join(home, "secret.key");
    struct stat there;
    assert_int_equal(stat(path, &there), 0);
    assert_int_equal(there.st_mode & 07777, 0600);
    assert_int_equal(there.st_size, 65);
    assert_int_equal(chmod(path, 0644), 0);
    assert_fails(sealed_key_open(os_real(), home, true, &key, &err), err, ERROR_PERMISSION);
    remove_home(home);
}

TEST(a_damaged_key_file_is_reported_and_kept)
{
    char home[64];
    make_home(home);
    struct error err = ERROR_INIT;
    struct sealed_key *key = NULL;
    SCOPED(string) char *path = path_join(home, "secret.key");
    static const char *const contents[] = {"", "0123\n", "zz"};
    for (size_t i = 0; i < ARRAY_SIZE(contents); i++) {
        assert_ok(file_write_atomic(os_real(), path, contents[i], strlen(contents[i]), 0600, &err),
                  err);
        assert_fails(sealed_key_open(os_real(), home, true, &key, &err), err, ERROR_CORRUPT);
    }
    struct stat there;
    assert_int_equal(stat(path, &there), 0);
    assert_int_equal(there.st_size, 2);
    remove_home(home);
}

TEST(another_key_and_damage_are_told_apart)
{
    char homes[2][64];
    make_home(homes[0]);
    make_home(homes[1]);
    struct sealed_key *key = open_key(homes[0]);
    struct sealed_key *other = open_key(homes[1]);
    struct error err = ERROR_INIT;
    struct secret plain = SECRET_INIT;
    char *text = NULL;
    assert_ok(sealed_seal(key, os_real(), "password", 8, &text, &err), err);
    assert_fails(sealed_open(other, sealed_key_id(key), text, &plain, &err), err, ERROR_WRONG_KEY);
    assert_non_null(strstr(err.message, sealed_key_id(key)));
    assert_fails(sealed_open(other, NULL, text, &plain, &err), err, ERROR_WRONG_KEY);
    for (size_t at = 0; text[at]; at++) {
        char kept = text[at];
        text[at] = kept == 'A' ? 'B' : 'A';
        assert_fails(sealed_open(key, sealed_key_id(key), text, &plain, &err), err, ERROR_CORRUPT);
        text[at] = '\0';
        assert_fails(sealed_open(key, sealed_key_id(key), text, &plain, &err), err, ERROR_CORRUPT);
        text[at] = kept;
    }
    assert_null(plain.data);
    free(text);
    sealed_key_close(other);
    sealed_key_close(key);
    remove_home(homes[0]);
    remove_home(homes[1]);
}

static void *open_in_thread(void *home)
{
    return open_key(home);
}

TEST(of_several_makers_one_wins_and_all_use_its_key)
{
    char home[64];
    make_home(home);
    pthread_t threads[8];
    void *keys[8];
    for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, open_in_thread, home), 0);
    for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
        pthread_join(threads[i], &keys[i]);
    for (size_t i = 1; i < ARRAY_SIZE(threads); i++)
        assert_string_equal(sealed_key_id(keys[i]), sealed_key_id(keys[0]));
    for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
        sealed_key_close(keys[i]);
    remove_home(home); /* which fails when a temporary file was left */
}

TEST(a_failing_call_leaves_no_half_of_a_key)
{
    char home[64];
    make_home(home);
    SCOPED(string) char *path = path_join(home, "secret.key");
    for (long at = 1;; at++) {
        struct error err = ERROR_INIT;
        struct sealed_key *key = NULL;
        int result = sealed_key_open(os_faulty(FAULT_EIO, at), home, true, &key, &err);
        bool hit = os_faulty_calls() >= at;
        struct stat there;
        if (stat(path, &there) == 0)
            assert_int_equal(there.st_size, 65);
        if (!hit)
            assert_int_equal(result, 0);
        sealed_key_close(key);
        unlink(path);
        if (!hit)
            break;
    }
    remove_home(home);
}

TEST_MAIN(UNIT(what_was_sealed_is_opened_by_the_same_key_later),
          UNIT(the_key_file_is_private_and_not_made_unasked),
          UNIT(a_damaged_key_file_is_reported_and_kept),
          UNIT(another_key_and_damage_are_told_apart),
          UNIT(of_several_makers_one_wins_and_all_use_its_key),
          UNIT(a_failing_call_leaves_no_half_of_a_key))
