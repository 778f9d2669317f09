#include "harness/age_memory.h"
#include "harness/os_faulty.h"
#include "harness/test.h"

#include "base/text.h"
#include "crypto/secret.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK AGE_CHUNK_SIZE
#define SEALED (AGE_CHUNK_SIZE + AGE_TAG_SIZE)

/* A key pair as the lists that callers pass. */
struct pair {
    struct text_list identities;
    struct text_list recipients;
};

static struct pair make_pair(void)
{
    struct pair pair = {TEXT_LIST_INIT, TEXT_LIST_INIT};
    struct error err = ERROR_INIT;
    struct secret identity = SECRET_INIT;
    char recipient[AGE_RECIPIENT_SIZE];
    assert_ok(age_keygen(os_real(), &identity, recipient, &err), err);
    text_list_add(&pair.identities, secret_text(&identity));
    text_list_add(&pair.recipients, recipient);
    secret_clear(&identity);
    return pair;
}

static void clear_pair(struct pair *pair)
{
    secret_list_clear(&pair->identities);
    text_list_clear(&pair->recipients);
}

static struct buf encrypt(const struct pair *pair, const void *plain, size_t size, size_t piece)
{
    struct buf file = BUF_INIT;
    struct error err = ERROR_INIT;
    assert_ok(
        age_memory_encrypt(os_real(), &pair->recipients, NULL, plain, size, piece, &file, &err),
        err);
    return file;
}

TEST(content_of_every_size_comes_back)
{
    static const size_t sizes[] = {0,
                                   1,
                                   15,
                                   16,
                                   CHUNK - 1,
                                   CHUNK,
                                   CHUNK + 1,
                                   2 * CHUNK,
                                   2 * CHUNK + 1,
                                   16 * CHUNK,
                                   16 * CHUNK + 1,
                                   33 * CHUNK - 1};
    static const size_t pieces[] = {0, 1000, CHUNK, CHUNK + 1, 3 * CHUNK - 5};
    struct pair pair = make_pair();
    unsigned char *plain = malloc(33 * CHUNK);
    fill_pattern(plain, 33 * CHUNK);
    for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
        for (size_t j = 0; j < ARRAY_SIZE(pieces); j++) {
            struct error err = ERROR_INIT;
            struct buf file = encrypt(&pair, plain, sizes[i], pieces[j]);
            struct buf back = BUF_INIT;
            struct age_keys keys = {.identities = &pair.identities};
            assert_ok(age_memory_decrypt(&keys, &file, &back, &err), err);
            assert_int_equal(back.length, sizes[i]);
            assert_memory_equal(back.data, plain, sizes[i]);
            buf_clear(&back);
            buf_clear(&file);
        }
    }
    free(plain);
    clear_pair(&pair);
}

TEST(any_of_several_recipients_opens_it)
{
    struct pair pairs[3] = {make_pair(), make_pair(), make_pair()};
    for (int i = 1; i < 3; i++)
        text_list_add(&pairs[0].recipients, pairs[i].recipients.items[0]);
    struct buf file = encrypt(&pairs[0], "for three", 9, 0);
    for (int i = 0; i < 3; i++) {
        struct error err = ERROR_INIT;
        struct buf back = BUF_INIT;
        struct age_keys keys = {.identities = &pairs[i].identities};
        assert_ok(age_memory_decrypt(&keys, &file, &back, &err), err);
        assert_string_equal(back.data, "for three");
        buf_clear(&back);
    }
    buf_clear(&file);
    for (int i = 0; i < 3; i++)
        clear_pair(&pairs[i]);
}

TEST(two_files_of_the_same_content_share_nothing)
{
    struct pair pair = make_pair();
    struct buf a = encrypt(&pair, "same", 4, 0);
    struct buf b = encrypt(&pair, "same", 4, 0);
    assert_int_equal(a.length, b.length);
    assert_memory_not_equal(a.data, b.data, a.length);
    assert_memory_not_equal(a.data + a.length - 20, b.data + b.length - 20, 20);
    buf_clear(&a);
    buf_clear(&b);
    clear_pair(&pair);
}

TEST(a_missing_or_wrong_key_names_the_option_to_give)
{
    struct pair pair = make_pair();
    struct pair other = make_pair();
    struct buf file = encrypt(&pair, "x", 1, 0);
    struct buf locked = BUF_INIT;
    struct buf back = BUF_INIT;
    struct error err = ERROR_INIT;
    assert_ok(age_memory_encrypt(os_real(), NULL, "right", "x", 1, 0, &locked, &err), err);
    struct {
        int line;
        struct age_keys keys;
        const struct buf *file;
        const char *hint;
    } cases[] = {
        {__LINE__, {0}, &file, "--identity FILE"},
        {__LINE__, {.passphrase = "right"}, &file, "--identity FILE"},
        {__LINE__, {.identities = &other.identities}, &file, "--identity FILE"},
        {__LINE__, {0}, &locked, "--passphrase-file FILE"},
        {__LINE__, {.identities = &pair.identities}, &locked, "--passphrase-file FILE"},
        {__LINE__, {.passphrase = "wrong"}, &locked, "--passphrase-file FILE"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        error_clear(&err);
        assert_case(cases[i].line,
                    age_memory_decrypt(&cases[i].keys, cases[i].file, &back, &err) < 0);
        assert_case(cases[i].line, err.code == ERROR_WRONG_KEY);
        assert_case(cases[i].line, strstr(err.hint, cases[i].hint) != NULL);
    }
    struct age_keys right = {.passphrase = "right"};
    assert_ok(age_memory_decrypt(&right, &locked, &back, &err), err);
    assert_string_equal(back.data, "x");
    buf_clear(&back);
    buf_clear(&locked);
    buf_clear(&file);
    clear_pair(&other);
    clear_pair(&pair);
}

TEST(every_flipped_bit_is_found)
{
    struct pair pair = make_pair();
    struct buf file = encrypt(&pair, "some content that matters", 25, 0);
    struct age_keys keys = {.identities = &pair.identities};
    for (size_t at = 0; at < file.length; at++) {
        for (int bit = 0; bit < 8; bit++) {
            struct error err = ERROR_INIT;
            struct buf back = BUF_INIT;
            file.data[at] = (char)(file.data[at] ^ 1 << bit);
            if (age_memory_decrypt(&keys, &file, &back, &err) == 0)
                fail_msg("byte %zu bit %d", at, bit);
            assert_true(err.code == ERROR_CORRUPT || err.code == ERROR_WRONG_KEY);
            file.data[at] = (char)(file.data[at] ^ 1 << bit);
        }
    }
    buf_clear(&file);
    clear_pair(&pair);
}

TEST(every_cut_and_every_added_byte_is_found_on_opening)
{
    struct pair pair = make_pair();
    unsigned char *plain = malloc(3 * CHUNK);
    fill_pattern(plain, 3 * CHUNK);
    struct buf file = encrypt(&pair, plain, 3 * CHUNK, 0);
    struct age_keys keys = {.identities = &pair.identities};
    size_t payload = file.length - 3 * SEALED;
    static const int around[] = {-17, -16, -1, 0, 1, 15, 16, 17};
    for (size_t chunk = 0; chunk <= 3; chunk++) {
        for (size_t i = 0; i < ARRAY_SIZE(around); i++) {
            struct buf cut = file;
            cut.length = (size_t)((long)(payload + chunk * SEALED) + around[i]);
            if (cut.length >= file.length)
                continue;
            struct error err = ERROR_INIT;
            struct age_reader *reader = NULL;
            assert_fails(age_open(&keys, age_memory_read, &cut, cut.length, &reader, &err), err,
                         ERROR_CORRUPT);
        }
    }
    for (size_t length = 0; length < payload; length++) {
        struct error err = ERROR_INIT;
        struct age_reader *reader = NULL;
        assert_fails(age_open(&keys, age_memory_read, &file, length, &reader, &err), err,
                     ERROR_CORRUPT);
    }
    for (size_t added = 1; added < 40; added += 5) {
        struct error err = ERROR_INIT;
        struct age_reader *reader = NULL;
        buf_append(&file, "zzzzz", 5);
        assert_fails(age_open(&keys, age_memory_read, &file, file.length, &reader, &err), err,
                     ERROR_CORRUPT);
    }
    buf_clear(&file);
    free(plain);
    clear_pair(&pair);
}

TEST(chunks_that_change_places_are_found)
{
    struct pair pair = make_pair();
    unsigned char *plain = calloc(4, CHUNK);
    struct buf file = encrypt(&pair, plain, 4 * CHUNK, 0);
    size_t payload = file.length - 4 * SEALED;
    char *other = malloc(SEALED);
    memcpy(other, file.data + payload, SEALED);
    memmove(file.data + payload, file.data + payload + SEALED, SEALED);
    memcpy(file.data + payload + SEALED, other, SEALED);

    struct error err = ERROR_INIT;
    struct age_keys keys = {.identities = &pair.identities};
    struct age_reader *reader = NULL;
    size_t got = 0;
    memset(plain, 7, CHUNK);
    assert_ok(age_open(&keys, age_memory_read, &file, file.length, &reader, &err), err);
    assert_fails(age_pread(reader, 0, plain, CHUNK, &got, &err), err, ERROR_CORRUPT);
    for (size_t i = 0; i < CHUNK; i++)
        assert_int_equal(plain[i], 0);
    assert_fails(age_pread(reader, CHUNK + 5, plain, 3, &got, &err), err, ERROR_CORRUPT);
    assert_ok(age_pread(reader, 2 * CHUNK, plain, CHUNK, &got, &err), err);
    age_close(reader);
    free(other);
    free(plain);
    buf_clear(&file);
    clear_pair(&pair);
}

TEST(ranges_across_chunk_borders_are_right)
{
    struct pair pair = make_pair();
    size_t size = 20 * CHUNK + 123;
    unsigned char *plain = malloc(size);
    unsigned char *back = malloc(size);
    fill_pattern(plain, size);
    struct buf file = encrypt(&pair, plain, size, 0);
    struct error err = ERROR_INIT;
    struct age_keys keys = {.identities = &pair.identities};
    struct age_reader *reader = NULL;
    assert_ok(age_open(&keys, age_memory_read, &file, file.length, &reader, &err), err);
    assert_int_equal(age_plain_size(reader), size);
    static const size_t offsets[] = {0,         1,          CHUNK - 1,  CHUNK,
                                     CHUNK + 1, 15 * CHUNK, 20 * CHUNK, 20 * CHUNK + 122};
    static const size_t lengths[] = {0, 1, 2, CHUNK - 1, CHUNK, CHUNK + 2, 17 * CHUNK, 21 * CHUNK};
    for (size_t i = 0; i < ARRAY_SIZE(offsets); i++) {
        for (size_t j = 0; j < ARRAY_SIZE(lengths); j++) {
            size_t wanted = lengths[j] < size - offsets[i] ? lengths[j] : size - offsets[i];
            size_t asked = lengths[j] < size ? lengths[j] : size;
            size_t got = 99;
            memset(back, 0, size);
            assert_ok(age_pread(reader, offsets[i], back, asked, &got, &err), err);
            assert_int_equal(got, wanted);
            assert_memory_equal(back, plain + offsets[i], got);
        }
    }
    size_t got = 99;
    assert_ok(age_pread(reader, size, back, 10, &got, &err), err);
    assert_int_equal(got, 0);
    assert_ok(age_pread(reader, UINT64_MAX, back, 10, &got, &err), err);
    assert_int_equal(got, 0);
    age_close(reader);
    buf_clear(&file);
    free(back);
    free(plain);
    clear_pair(&pair);
}

struct job {
    struct age_reader *reader;
    const unsigned char *plain;
    size_t size;
    unsigned seed;
    int failures;
};

static void *read_at_random(void *context)
{
    struct job *job = context;
    unsigned char *back = malloc(job->size);
    for (int i = 0; i < 30; i++) {
        struct error err = ERROR_INIT;
        size_t offset = (size_t)rand_r(&job->seed) % job->size;
        size_t wanted = (size_t)rand_r(&job->seed) % (job->size - offset);
        size_t got = 0;
        if (age_pread(job->reader, offset, back, wanted, &got, &err) < 0 || got != wanted ||
            memcmp(back, job->plain + offset, got) != 0)
            job->failures++;
    }
    free(back);
    return NULL;
}

TEST(several_threads_read_one_file)
{
    struct pair pair = make_pair();
    size_t size = 5 * CHUNK + 77;
    unsigned char *plain = malloc(size);
    fill_pattern(plain, size);
    struct buf file = encrypt(&pair, plain, size, 0);
    struct error err = ERROR_INIT;
    struct age_keys keys = {.identities = &pair.identities};
    struct age_reader *reader = NULL;
    assert_ok(age_open(&keys, age_memory_read, &file, file.length, &reader, &err), err);
    struct job jobs[4];
    pthread_t threads[4];
    for (unsigned i = 0; i < 4; i++) {
        jobs[i] = (struct job){reader, plain, size, i + 1, 0};
        assert_int_equal(pthread_create(&threads[i], NULL, read_at_random, &jobs[i]), 0);
    }
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(jobs[i].failures, 0);
    }
    age_close(reader);
    buf_clear(&file);
    free(plain);
    clear_pair(&pair);
}

TEST(recipients_that_are_none_are_named_and_secrets_are_not)
{
    static const struct {
        int line;
        const char *recipient;
        const char *said;
    } cases[] = {
        {__LINE__, "", "\"\""},
        {__LINE__, "backup@example.org", "backup@example.org"},
        {__LINE__, "age1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq", "age1qqq"},
        {__LINE__, "ssh-ed25519 AAAAC3Nz", "SSH"},
        {__LINE__, "age1yubikey1qwt50d05nh5vutpdzmlg5wn80xq5negm4uj9ghv0snvdd3yysf5yw3rhl3t",
         "age1yubikey1"},
    };
    struct error err = ERROR_INIT;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        assert_fails(age_recipient_check(cases[i].recipient, &err), err, ERROR_USAGE);
        assert_case(cases[i].line, strstr(err.message, cases[i].said) != NULL);
        assert_false(age_recipient_valid(cases[i].recipient));
    }
    struct pair pair = make_pair();
    assert_true(age_recipient_valid(pair.recipients.items[0]));
    assert_fails(age_recipient_check(pair.identities.items[0], &err), err, ERROR_USAGE);
    assert_null(strstr(err.message, pair.identities.items[0] + 16));
    clear_pair(&pair);
}

TEST(encryption_takes_recipients_or_a_passphrase)
{
    struct pair pair = make_pair();
    struct buf out = BUF_INIT;
    struct error err = ERROR_INIT;
    struct text_list none = TEXT_LIST_INIT;
    struct os *os = os_real();
    assert_fails(age_memory_encrypt(os, NULL, NULL, "", 0, 0, &out, &err), err, ERROR_USAGE);
    assert_fails(age_memory_encrypt(os, &none, NULL, "", 0, 0, &out, &err), err, ERROR_USAGE);
    assert_fails(age_memory_encrypt(os, NULL, "", "", 0, 0, &out, &err), err, ERROR_USAGE);
    assert_fails(age_memory_encrypt(os, &pair.recipients, "x", "", 0, 0, &out, &err), err,
                 ERROR_USAGE);
    assert_int_equal(out.length, 0);
    clear_pair(&pair);
}

TEST(large_content_is_pushed_in_large_writes)
{
    struct pair pair = make_pair();
    struct buf out = BUF_INIT;
    struct sink_memory next;
    struct sink *filter = NULL;
    struct error err = ERROR_INIT;
    sink_memory_init(&next, &out);
    assert_ok(age_encrypt_new(os_real(), &pair.recipients, NULL, &next.base, &filter, &err), err);
    assert_int_equal(next.writes, 0);
    char *zeros = calloc(1, 4096);
    for (int i = 0; i < 4096; i++)
        assert_ok(sink_write(filter, zeros, 4096, &err), err);
    assert_ok(sink_finish(filter, &err), err);
    assert_in_range(next.writes, 16, 18);
    sink_free(filter);
    free(zeros);
    buf_clear(&out);
    clear_pair(&pair);
}

TEST(a_failing_sink_and_failing_random_bytes_are_reported)
{
    struct pair pair = make_pair();
    struct buf out = BUF_INIT;
    struct sink_memory next;
    struct sink *filter = NULL;
    struct error err = ERROR_INIT;
    sink_memory_init(&next, &out);
    next.fail = true;
    assert_ok(age_encrypt_new(os_real(), &pair.recipients, NULL, &next.base, &filter, &err), err);
    assert_ok(sink_write(filter, "abc", 3, &err), err);
    assert_fails(sink_finish(filter, &err), err, ERROR_NO_SPACE);
    sink_free(filter);
    for (long at = 1; at <= 3; at++)
        assert_fails(age_memory_encrypt(os_faulty(FAULT_EIO, at), &pair.recipients, NULL, "", 0, 0,
                                        &out, &err),
                     err, ERROR_FAILED);
    clear_pair(&pair);
}

static int failing_read(void *context, uint64_t offset, void *data, size_t size, size_t *ret_size,
                        struct error *err)
{
    int *left = context;
    (void)offset;
    (void)data;
    (void)size;
    (void)ret_size;
    --*left;
    return error_set(err, ERROR_TIMEOUT, "the store does not answer");
}

static int shrinking_read(void *context, uint64_t offset, void *data, size_t size, size_t *ret_size,
                          struct error *err)
{
    struct buf *file = context;
    if (offset > 0 || size < file->length)
        file->length = file->length > 10 ? file->length - 10 : 0;
    return age_memory_read(file, offset, data, size, ret_size, err);
}

TEST(what_the_store_says_comes_through)
{
    struct pair pair = make_pair();
    struct error err = ERROR_INIT;
    struct age_reader *reader = NULL;
    struct age_keys keys = {.identities = &pair.identities};
    int calls = 0;
    assert_fails(age_open(&keys, failing_read, &calls, 1000, &reader, &err), err, ERROR_TIMEOUT);
    struct buf file = encrypt(&pair, "x", 1, 0);
    struct buf view = file;
    assert_fails(age_open(&keys, shrinking_read, &view, file.length, &reader, &err), err,
                 ERROR_CORRUPT);
    assert_null(reader);
    buf_clear(&file);
    clear_pair(&pair);
}

TEST_MAIN(UNIT(content_of_every_size_comes_back), UNIT(any_of_several_recipients_opens_it),
          UNIT(two_files_of_the_same_content_share_nothing),
          UNIT(a_missing_or_wrong_key_names_the_option_to_give), UNIT(every_flipped_bit_is_found),
          UNIT(every_cut_and_every_added_byte_is_found_on_opening),
          UNIT(chunks_that_change_places_are_found), UNIT(ranges_across_chunk_borders_are_right),
          UNIT(several_threads_read_one_file),
          UNIT(recipients_that_are_none_are_named_and_secrets_are_not),
          UNIT(encryption_takes_recipients_or_a_passphrase),
          UNIT(large_content_is_pushed_in_large_writes),
          UNIT(a_failing_sink_and_failing_random_bytes_are_reported),
          UNIT(what_the_store_says_comes_through))
