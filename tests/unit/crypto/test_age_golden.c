/* Files that the age program made, with their keys: tests/golden/age. */
#include "harness/age_memory.h"
#include "harness/test.h"

#include "base/file.h"
#include "base/text.h"
#include "crypto/secret.h"

#include <stdlib.h>
#include <string.h>

static struct buf golden(const char *name)
{
    struct buf content = BUF_INIT_MAX(1 << 20);
    struct error err = ERROR_INIT;
    SCOPED(string) char *path = mem_format(TESTS_FOLDER "/golden/age/%s", name);
    assert_ok(file_read_all(os_real(), path, &content, &err), err);
    return content;
}

static struct text_list golden_key(const char *name)
{
    struct text_list identities = TEXT_LIST_INIT;
    struct error err = ERROR_INIT;
    struct buf content = golden(name);
    assert_ok(age_identity_parse(content.data, content.length, name, &identities, &err), err);
    buf_clear(&content);
    return identities;
}

static void assert_opens(const char *name, const struct age_keys *keys, const void *plain,
                         size_t size)
{
    struct error err = ERROR_INIT;
    struct buf back = BUF_INIT;
    struct buf file = golden(name);
    assert_true(age_is(file.data, file.length));
    assert_ok(age_memory_decrypt(keys, &file, &back, &err), err);
    assert_int_equal(back.length, size);
    assert_memory_equal(back.data, plain, size);
    buf_clear(&back);
    buf_clear(&file);
}

TEST(each_recipient_opens_a_file_of_another_program)
{
    static const char plain[] = "hello from another program\n";
    static const char *const names[] = {"key1.txt", "key2.txt", "key3.txt"};
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        struct text_list identities = golden_key(names[i]);
        struct age_keys keys = {.identities = &identities};
        assert_opens("three-recipients.age", &keys, plain, sizeof plain - 1);
        secret_list_clear(&identities);
    }
}

TEST(empty_armored_and_long_files_of_another_program_open)
{
    static const char armored[] =
        "hello in armor, long enough that it takes more than one line of base64\n";
    unsigned char *chunks = malloc(AGE_CHUNK_SIZE + 1);
    for (size_t i = 0; i <= AGE_CHUNK_SIZE; i++)
        chunks[i] = (unsigned char)(i * i >> 3 ^ i);
    struct text_list identities = golden_key("key1.txt");
    struct age_keys keys = {.identities = &identities};
    assert_opens("empty.age", &keys, "", 0);
    assert_opens("armored.age", &keys, armored, sizeof armored - 1);
    assert_opens("two-chunks.age", &keys, chunks, AGE_CHUNK_SIZE + 1);
    secret_list_clear(&identities);
    free(chunks);
}

TEST(a_passphrase_of_another_program_opens)
{
    static const char plain[] = "hello with a passphrase\n";
    struct age_keys keys = {.passphrase = "correct horse battery staple"};
    assert_opens("passphrase.age", &keys, plain, sizeof plain - 1);
}

TEST(public_keys_are_those_of_the_key_file)
{
    struct buf content = golden("key1.txt");
    struct text_list identities = golden_key("key1.txt");
    struct error err = ERROR_INIT;
    char recipient[AGE_RECIPIENT_SIZE];
    assert_ok(age_identity_recipient(identities.items[0], recipient, &err), err);
    assert_non_null(strstr(content.data, recipient));
    assert_true(age_recipient_valid(recipient));
    secret_list_clear(&identities);
    buf_clear(&content);
}

TEST(every_changed_character_of_armor_is_found)
{
    struct text_list identities = golden_key("key1.txt");
    struct age_keys keys = {.identities = &identities};
    struct buf file = golden("armored.age");
    static const char others[] = "A+/=-\n\r \t\xff";
    for (size_t at = 0; at + 1 < file.length; at++) { /* the last line end may go */
        for (const char *other = others; *other; other++) {
            char kept = file.data[at];
            if (kept == *other)
                continue;
            struct error err = ERROR_INIT;
            struct buf back = BUF_INIT;
            file.data[at] = *other;
            if (age_memory_decrypt(&keys, &file, &back, &err) == 0)
                fail_msg("byte %zu as %02x", at, (unsigned char)*other);
            file.data[at] = kept;
        }
    }
    for (size_t length = 0; length + 1 < file.length; length++) {
        struct error err = ERROR_INIT;
        struct age_reader *reader = NULL;
        assert_true(age_open(&keys, age_memory_read, &file, length, &reader, &err) < 0);
    }
    buf_clear(&file);
    secret_list_clear(&identities);
}

TEST(armor_may_have_dos_line_ends_and_white_space_after_it)
{
    struct text_list identities = golden_key("key1.txt");
    struct age_keys keys = {.identities = &identities};
    struct buf file = golden("armored.age");
    struct buf changed = BUF_INIT;
    for (size_t i = 0; i < file.length; i++) {
        if (file.data[i] == '\n')
            buf_append_char(&changed, '\r');
        buf_append_char(&changed, file.data[i]);
    }
    buf_append_text(&changed, "\r\n \n");
    struct error err = ERROR_INIT;
    struct buf back = BUF_INIT;
    assert_ok(age_memory_decrypt(&keys, &changed, &back, &err), err);
    assert_true(text_starts(back.data, "hello in armor"));
    buf_clear(&back);
    buf_clear(&changed);
    buf_clear(&file);
    secret_list_clear(&identities);
}

TEST_MAIN(UNIT(each_recipient_opens_a_file_of_another_program),
          UNIT(empty_armored_and_long_files_of_another_program_open),
          UNIT(a_passphrase_of_another_program_opens), UNIT(public_keys_are_those_of_the_key_file),
          UNIT(every_changed_character_of_armor_is_found),
          UNIT(armor_may_have_dos_line_ends_and_white_space_after_it))
