#include "harness/os_faulty.h"
#include "harness/test.h"

#include "base/mem.h"
#include "base/text.h"
#include "crypto/age.h"
#include "crypto/secret.h"

#include <stdlib.h>
#include <string.h>

#define KEY "AGE-SECRET-KEY-1ZVAX492J97TNMDF6ARXTSND35YJ7M4ME6U7295GYAUWNVJVU7QPQTEG6Z9"
#define PUBLIC "age1xdwthf3c6j8r420948q55mkyyvjsc7wekgzurxrduue67td35qnsnx7u39"

TEST(a_key_file_may_hold_comments_blank_lines_and_several_keys)
{
    static const struct {
        int line;
        const char *content;
        size_t count; /* 0: refused */
    } cases[] = {
        {__LINE__, KEY, 1},
        {__LINE__, KEY "\n", 1},
        {__LINE__, "# created: now\n# public key: " PUBLIC "\n" KEY "\n", 1},
        {__LINE__, "\n\n" KEY "\n\n" KEY "\n#\n", 2},
        {__LINE__, "  " KEY "  \r\n", 1},
        {__LINE__, "", 0},
        {__LINE__, "# nothing\n", 0},
        {__LINE__, PUBLIC "\n", 0},
        {__LINE__, KEY "\n" PUBLIC "\n", 0},
        {__LINE__, KEY KEY "\n", 0},
        {__LINE__, "age-secret-key-1zvax492j97tnmdf6arxtsnd35yj7m4me6u7295gyauwnvjvu7qpqteg6z9", 0},
        {__LINE__, "AGE-SECRET-KEY-1ZVAX492J97TNMDF6ARXTSND35YJ7M4ME6U7295GYAUWNVJVU7QPQTEG6Z8", 0},
        {__LINE__, "age-encryption.org/v1\n-> X25519 x\n", 0},
        {__LINE__, "-----BEGIN OPENSSH PRIVATE KEY-----\n", 0},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct error err = ERROR_INIT;
        struct text_list identities = TEXT_LIST_INIT;
        text_list_add(&identities, "before");
        int result = age_identity_parse(cases[i].content, strlen(cases[i].content), "key.txt",
                                        &identities, &err);
        assert_case(cases[i].line, (result == 0) == (cases[i].count > 0));
        assert_case(cases[i].line, identities.count == 1 + cases[i].count);
        if (result < 0) {
            assert_case(cases[i].line, err.code == ERROR_USAGE && err.hint[0]);
            assert_case(cases[i].line, strstr(err.message, "key.txt") != NULL);
            assert_case(cases[i].line, !strstr(err.message, "ZVAX") && !strstr(err.hint, "ZVAX"));
        }
        secret_list_clear(&identities);
    }
}

TEST(a_key_file_with_a_nul_is_refused)
{
    struct error err = ERROR_INIT;
    struct text_list identities = TEXT_LIST_INIT;
    static const char content[] = KEY "\0trailing\n";
    assert_fails(age_identity_parse(content, sizeof content - 1, "key.txt", &identities, &err), err,
                 ERROR_USAGE);
    secret_list_clear(&identities);
}

TEST(a_public_key_belongs_to_its_secret_key)
{
    struct error err = ERROR_INIT;
    char recipient[AGE_RECIPIENT_SIZE];
    assert_ok(age_identity_recipient(KEY, recipient, &err), err);
    assert_string_equal(recipient, PUBLIC);
    assert_fails(age_identity_recipient(PUBLIC, recipient, &err), err, ERROR_USAGE);
}

TEST(public_keys_of_low_order_are_refused)
{
    /* Thirty-two zero bytes under a right checksum. */
    struct error err = ERROR_INIT;
    assert_fails(
        age_recipient_check("age1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq5cu47z", &err),
        err, ERROR_USAGE);
    char *upper = mem_string(PUBLIC);
    for (char *at = upper; *at; at++)
        if (*at >= 'a' && *at <= 'z')
            *at = (char)(*at - 'a' + 'A');
    assert_false(age_recipient_valid(upper));
    free(upper);
}

TEST(a_generated_key_file_reads_back)
{
    struct error err = ERROR_INIT;
    struct secret identity = SECRET_INIT;
    struct secret content = SECRET_INIT;
    char recipient[AGE_RECIPIENT_SIZE];
    assert_ok(age_keygen(os_real(), &identity, recipient, &err), err);
    age_identity_write(os_real(), &identity, recipient, &content);
    assert_true(text_starts(secret_text(&content), "# created: 20"));
    struct text_list identities = TEXT_LIST_INIT;
    assert_ok(age_identity_parse(content.data, content.length, "new", &identities, &err), err);
    assert_int_equal(identities.count, 1);
    assert_string_equal(identities.items[0], secret_text(&identity));
    char again[AGE_RECIPIENT_SIZE];
    assert_ok(age_identity_recipient(identities.items[0], again, &err), err);
    assert_string_equal(again, recipient);
    secret_list_clear(&identities);
    assert_fails(age_keygen(os_faulty(FAULT_EIO, 1), &identity, recipient, &err), err,
                 ERROR_FAILED);
    secret_clear(&identity);
    secret_clear(&content);
}

TEST_MAIN(UNIT(a_key_file_may_hold_comments_blank_lines_and_several_keys),
          UNIT(a_key_file_with_a_nul_is_refused), UNIT(a_public_key_belongs_to_its_secret_key),
          UNIT(public_keys_of_low_order_are_refused), UNIT(a_generated_key_file_reads_back))
