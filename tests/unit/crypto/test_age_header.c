#include "harness/test.h"

#include "base/buf.h"
#include "base/mem.h"
#include "crypto/age_header.h"
#include "crypto/age_wrap.h"

#include <stdlib.h>
#include <string.h>

#define V1 "age-encryption.org/v1\n"
#define SHARE "TEiF0ypqr+bpvcqXNyCVJpL7OuwPdVwPL7KQEbFDOCc"
#define BODY "EmECAEcKN+n/Vs9SbWiV+Hu0r+E8R77DdWYyd83nw7U" /* 32 bytes */
#define X25519 "-> X25519 " SHARE "\n" BODY "\n"
#define SCRYPT "-> scrypt rF0/NwblUHHTpgQgRpe5CQ 10\n" BODY "\n"
#define MAC "--- " BODY "\n"
#define LINE64 "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

struct header_case {
    int line;
    const char *text;
    bool good;
};

static int parse(const char *text, struct error *err)
{
    SCOPED(age_header) struct age_header header = AGE_HEADER_INIT;
    struct age_stanzas found;
    size_t size = strlen(text);
    if (age_header_parse(text, size, &header, err) < 0)
        return -1;
    assert_int_equal(age_header_find_end(text, size), size);
    return age_wrap_survey(&header, &found, err);
}

static void check_cases(const struct header_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct error err = ERROR_INIT;
        int result = parse(cases[i].text, &err);
        assert_case(cases[i].line, (result == 0) == cases[i].good);
        if (result < 0)
            assert_case(cases[i].line, err.code == ERROR_CORRUPT && err.message[0]);
    }
}

TEST(lines_are_read_strictly)
{
    static const struct header_case cases[] = {
        {__LINE__, V1 X25519 MAC, true},
        {__LINE__, V1 X25519 X25519 MAC, true},
        {__LINE__, V1 "-> other\n\n" MAC, true},
        {__LINE__, V1 "-> other a b c\n" LINE64 "\n\n" MAC, true},
        {__LINE__, V1 "-> other\n" LINE64 "\n" LINE64 "\nAAAA\n" MAC, true},
        {__LINE__, V1 "-> ~!\"#$%&'()*+,-./ @\n\n" MAC, true},
        {__LINE__, V1 X25519 "-> other\nAA\n" MAC, true},
        {__LINE__, "", false},
        {__LINE__, "age-encryption.org/v1", false},
        {__LINE__, V1, false},
        {__LINE__, V1 MAC, false},
        {__LINE__, "age-encryption.org/v2\n" X25519 MAC, false},
        {__LINE__, "age-encryption.org/v1\r\n" X25519 MAC, false},
        {__LINE__, "Age-encryption.org/v1\n" X25519 MAC, false},
        {__LINE__, " " V1 X25519 MAC, false},
        {__LINE__, V1 X25519, false},
        {__LINE__, V1 X25519 "---\n", false},
        {__LINE__, V1 X25519 "--- \n", false},
        {__LINE__, V1 X25519 "---  " BODY "\n", false},
        {__LINE__, V1 X25519 "--- " BODY, false},
        {__LINE__, V1 X25519 "--- " BODY " \n", false},
        {__LINE__, V1 X25519 "--- " BODY "\r\n", false},
        {__LINE__, V1 X25519 "--- " BODY "=\n", false},
        {__LINE__, V1 X25519 "--- AAAA\n", false},
        {__LINE__, V1 X25519 "---- " BODY "\n", false},
        {__LINE__, V1 X25519 "\n" MAC, false},
        {__LINE__, V1 X25519 "x\n" MAC, false},
        {__LINE__, V1 "-> \n\n" MAC, false},
        {__LINE__, V1 "->\n\n" MAC, false},
        {__LINE__, V1 "->other\n\n" MAC, false},
        {__LINE__, V1 "->  other\n\n" MAC, false},
        {__LINE__, V1 "-> other \n\n" MAC, false},
        {__LINE__, V1 "-> other  a\n\n" MAC, false},
        {__LINE__, V1 "-> other \ta\n\n" MAC, false},
        {__LINE__, V1 "-> other \xc3\xbc\n\n" MAC, false},
        {__LINE__, V1 "-> other\x7f\n\n" MAC, false},
        {__LINE__, V1 "-> other\n" MAC, false},
        {__LINE__, V1 "-> other\n" LINE64 "\n" MAC, false},
        {__LINE__, V1 "-> other\n" LINE64 "A\n\n" MAC, false},
        {__LINE__, V1 "-> other\nAAAA\nAAAA\n" MAC, false},
        {__LINE__, V1 "-> other\nAB\n" MAC, false},
        {__LINE__, V1 "-> other\nAA==\n" MAC, false},
        {__LINE__, V1 "-> other\nAAAA\r\n" MAC, false},
        {__LINE__, V1 "-> other\nA\n" MAC, false},
        {__LINE__, V1 "-> other\n" LINE64 "\n\n\n" MAC, false},
    };
    check_cases(cases, ARRAY_SIZE(cases));
}

TEST(known_stanzas_have_the_right_arguments_and_bodies)
{
    static const struct header_case cases[] = {
        {__LINE__, V1 SCRYPT MAC, true},
        {__LINE__, V1 SCRYPT X25519 MAC, false},
        {__LINE__, V1 "-> other\n\n" SCRYPT MAC, false},
        {__LINE__, V1 SCRYPT SCRYPT MAC, false},
        {__LINE__, V1 "-> X25519\n" BODY "\n" MAC, false},
        {__LINE__, V1 "-> X25519 " SHARE " more\n" BODY "\n" MAC, false},
        {__LINE__, V1 "-> X25519 " SHARE "=\n" BODY "\n" MAC, false},
        {__LINE__, V1 "-> X25519 AAAA\n" BODY "\n" MAC, false},
        {__LINE__, V1 "-> X25519 " SHARE "AA\n" BODY "\n" MAC, false},
        {__LINE__, V1 "-> X25519 " SHARE "\n\n" MAC, false},
        {__LINE__, V1 "-> X25519 " SHARE "\nAAAA\n" MAC, false},
        {__LINE__, V1 "-> X25519 " SHARE "\n" BODY "AA\n" MAC, false},
        {__LINE__, V1 "-> x25519 " SHARE "\nAAAA\n" MAC, true},
        {__LINE__, V1 "-> scrypt rF0/NwblUHHTpgQgRpe5CQ\n" BODY "\n" MAC, false},
        {__LINE__, V1 "-> scrypt rF0/NwblUHHTpgQgRpe5CQ 10 1\n" BODY "\n" MAC, false},
        {__LINE__, V1 "-> scrypt rF0/NwblUHHTpgQgRpe5 10\n" BODY "\n" MAC, false},
        {__LINE__, V1 "-> scrypt rF0/NwblUHHTpgQgRpe5CQ 0\n" BODY "\n" MAC, false},
        {__LINE__, V1 "-> scrypt rF0/NwblUHHTpgQgRpe5CQ 010\n" BODY "\n" MAC, false},
        {__LINE__, V1 "-> scrypt rF0/NwblUHHTpgQgRpe5CQ +9\n" BODY "\n" MAC, false},
        {__LINE__, V1 "-> scrypt rF0/NwblUHHTpgQgRpe5CQ 64\n" BODY "\n" MAC, false},
        {__LINE__, V1 "-> scrypt rF0/NwblUHHTpgQgRpe5CQ 99999999999\n" BODY "\n" MAC, false},
        {__LINE__, V1 "-> scrypt rF0/NwblUHHTpgQgRpe5CQ 1a\n" BODY "\n" MAC, false},
        {__LINE__, V1 "-> scrypt rF0/NwblUHHTpgQgRpe5CQ 10\nAAAA\n" MAC, false},
    };
    check_cases(cases, ARRAY_SIZE(cases));
}

TEST(what_is_written_is_read)
{
    unsigned char file_key[AGE_FILE_KEY_SIZE] = {1, 2, 3};
    unsigned char body[200];
    for (size_t i = 0; i < sizeof body; i++)
        body[i] = (unsigned char)i;
    struct buf text = BUF_INIT;
    struct error err = ERROR_INIT;
    age_header_begin(&text);
    for (size_t size = 0; size < sizeof body; size++)
        age_header_add(&text, "some thing", body, size);
    age_header_end(&text, file_key);

    SCOPED(age_header) struct age_header header = AGE_HEADER_INIT;
    assert_int_equal(age_header_find_end(text.data, text.length), text.length);
    assert_ok(age_header_parse(text.data, text.length, &header, &err), err);
    assert_int_equal(header.count, sizeof body);
    for (size_t size = 0; size < sizeof body; size++) {
        assert_int_equal(header.stanzas[size].words.count, 2);
        assert_int_equal(header.stanzas[size].body.length, size);
        assert_memory_equal(header.stanzas[size].body.data, body, size);
    }
    assert_ok(age_header_check(&header, text.data, file_key, &err), err);
    file_key[15] = 1;
    assert_fails(age_header_check(&header, text.data, file_key, &err), err, ERROR_CORRUPT);
    buf_clear(&text);
}

TEST(work_factors_are_limited)
{
    static const struct {
        int line;
        const char *log_n;
        bool allow;
        int result;
    } cases[] = {
        {__LINE__, "10", false, 0}, {__LINE__, "1", false, 0},  {__LINE__, "19", false, -1},
        {__LINE__, "23", true, -1}, {__LINE__, "63", true, -1}, {__LINE__, "63", false, -1},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct error err = ERROR_INIT;
        SCOPED(age_header) struct age_header header = AGE_HEADER_INIT;
        SCOPED(string)
        char *text =
            mem_format(V1 "-> scrypt rF0/NwblUHHTpgQgRpe5CQ %s\n" BODY "\n" MAC, cases[i].log_n);
        unsigned char file_key[AGE_FILE_KEY_SIZE];
        assert_ok(age_header_parse(text, strlen(text), &header, &err), err);
        int result = age_unwrap_scrypt(&header.stanzas[0], "pass", cases[i].allow, file_key, &err);
        assert_case(cases[i].line, result == cases[i].result);
        bool may_allow = strcmp(cases[i].log_n, "19") == 0;
        assert_case(cases[i].line, (strstr(err.hint, "--allow-scrypt") != NULL) == may_allow);
    }
}

TEST(shares_of_low_order_are_refused)
{
    static const char *const shares[] = {
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "4Ot6fDtBuK4WVuP68Z/EatoJjeucMrH9hmIFFl9JuAA",
        "X5yVvKNQjCSx0LFVnIPvWwREXMRYHI6G2CJO3dCfEVc",
        "7P///////////////////////////////////////38",
        "7f///////////////////////////////////////38",
        "7v///////////////////////////////////////38",
    };
    for (size_t i = 0; i < ARRAY_SIZE(shares); i++) {
        struct error err = ERROR_INIT;
        SCOPED(age_header) struct age_header header = AGE_HEADER_INIT;
        SCOPED(string) char *text = mem_format(V1 "-> X25519 %s\n" BODY "\n" MAC, shares[i]);
        unsigned char identity[AGE_KEY_SIZE] = {77};
        unsigned char file_key[AGE_FILE_KEY_SIZE];
        assert_ok(age_header_parse(text, strlen(text), &header, &err), err);
        assert_fails(age_unwrap_x25519(&header.stanzas[0], identity, file_key, &err), err,
                     ERROR_CORRUPT);
    }
}

TEST_MAIN(UNIT(lines_are_read_strictly), UNIT(known_stanzas_have_the_right_arguments_and_bodies),
          UNIT(what_is_written_is_read), UNIT(work_factors_are_limited),
          UNIT(shares_of_low_order_are_refused))
