#include "crypto/age.h"

#include "base/buf.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/os.h"
#include "base/sink.h"
#include "base/text.h"
#include "crypto/age_header.h"
#include "crypto/age_key.h"
#include "crypto/age_stream.h"
#include "crypto/age_wrap.h"

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

/* What is pushed at once: large enough that the next sink's cost for a call does not count. */
#define SEALED_CHUNK (AGE_CHUNK_SIZE + AGE_TAG_SIZE)
#define OUT_CHUNKS 16

struct age_encrypt {
    struct sink base;
    struct sink *next;
    struct buf header; /* not yet pushed; then empty */
    struct age_stream stream;
    uint64_t number;      /* of the next chunk */
    unsigned char *chunk; /* plain bytes that are not yet a chunk that has a successor */
    size_t chunk_size;
    unsigned char *out; /* sealed chunks that are not yet pushed */
    size_t out_size;
};

static int push_out(struct age_encrypt *filter, struct error *err)
{
    if (filter->header.length) {
        if (sink_write(filter->next, filter->header.data, filter->header.length, err) < 0)
            return -1;
        buf_clear(&filter->header);
    }
    if (filter->out_size && sink_write(filter->next, filter->out, filter->out_size, err) < 0)
        return -1;
    filter->out_size = 0;
    return 0;
}

static int seal_chunk(struct age_encrypt *filter, const unsigned char *plain, size_t size,
                      bool last, struct error *err)
{
    unsigned char *sealed = filter->out + filter->out_size;
    if (age_stream_seal(&filter->stream, filter->number++, last, plain, size, sealed, err) < 0)
        return -1;
    filter->out_size += size + AGE_TAG_SIZE;
    if (filter->out_size < OUT_CHUNKS * SEALED_CHUNK && !last)
        return 0;
    return push_out(filter, err);
}

/* A full chunk is sealed only when more bytes follow: the last one is sealed as such, and is empty
 * only when everything is. */
static int encrypt_write(struct sink *sink, const void *data, size_t size, struct error *err)
{
    struct age_encrypt *filter = (struct age_encrypt *)sink;
    const unsigned char *at = data;
    while (size) {
        if (filter->chunk_size == AGE_CHUNK_SIZE) {
            if (seal_chunk(filter, filter->chunk, AGE_CHUNK_SIZE, false, err) < 0)
                return -1;
            filter->chunk_size = 0;
        }
        if (filter->chunk_size == 0 && size > AGE_CHUNK_SIZE) {
            if (seal_chunk(filter, at, AGE_CHUNK_SIZE, false, err) < 0)
                return -1;
            at += AGE_CHUNK_SIZE;
            size -= AGE_CHUNK_SIZE;
            continue;
        }
        size_t room = AGE_CHUNK_SIZE - filter->chunk_size;
        size_t taken = size < room ? size : room;
        memcpy(filter->chunk + filter->chunk_size, at, taken);
        filter->chunk_size += taken;
        at += taken;
        size -= taken;
    }
    return 0;
}

static int encrypt_finish(struct sink *sink, struct error *err)
{
    struct age_encrypt *filter = (struct age_encrypt *)sink;
    return seal_chunk(filter, filter->chunk, filter->chunk_size, true, err);
}

static void encrypt_free(struct sink *sink)
{
    struct age_encrypt *filter = (struct age_encrypt *)sink;
    buf_clear(&filter->header);
    age_stream_clear(&filter->stream);
    mem_wipe(filter->chunk, AGE_CHUNK_SIZE);
    free(filter->chunk);
    free(filter->out);
    free(filter);
}

static const struct sink_ops encrypt_ops = {
    .write = encrypt_write,
    .finish = encrypt_finish,
    .free = encrypt_free,
};

static int wrap_for_recipients(struct os *os, const struct text_list *recipients,
                               const unsigned char *file_key, struct buf *header, struct error *err)
{
    for (size_t i = 0; i < recipients->count; i++) {
        unsigned char point[AGE_KEY_SIZE];
        if (age_recipient_decode(recipients->items[i], point, err) < 0 ||
            age_wrap_x25519(os, point, file_key, header, err) < 0)
            return -1;
    }
    return 0;
}

/* Header, nonce and the stream's key, all from a fresh file key. */
static int begin_file(struct age_encrypt *filter, struct os *os, const struct text_list *recipients,
                      const char *passphrase, unsigned char *file_key, struct error *err)
{
    unsigned char nonce[AGE_NONCE_SIZE];
    if (os->random(os, file_key, AGE_FILE_KEY_SIZE) < 0 || os->random(os, nonce, sizeof nonce) < 0)
        return error_set_errno(err, ERROR_FAILED, errno, "random bytes for encryption");
    age_header_begin(&filter->header);
    int wrapped = passphrase ? age_wrap_scrypt(os, passphrase, file_key, &filter->header, err)
                             : wrap_for_recipients(os, recipients, file_key, &filter->header, err);
    if (wrapped < 0)
        return -1;
    age_header_end(&filter->header, file_key);
    if (filter->header.length > AGE_HEADER_MAXIMUM)
        return error_set(err, ERROR_USAGE, "too many recipients");
    buf_append(&filter->header, nonce, sizeof nonce);

    unsigned char key[AGE_KEY_SIZE];
    age_stream_key(file_key, nonce, key);
    int result = age_stream_init(&filter->stream, key, true, err);
    mem_wipe(key, sizeof key);
    return result;
}

static int check_keys(const struct text_list *recipients, const char *passphrase, struct error *err)
{
    bool has_recipients = recipients && recipients->count;
    if (has_recipients && passphrase)
        return error_set(err, ERROR_USAGE, "encryption takes recipients or a passphrase, not both");
    if (!has_recipients && !passphrase)
        return error_set(err, ERROR_USAGE, "encryption needs a recipient or a passphrase");
    if (passphrase && !passphrase[0])
        return error_set(err, ERROR_USAGE, "the passphrase is empty");
    return 0;
}

int age_encrypt_new(struct os *os, const struct text_list *recipients, const char *passphrase,
                    struct sink *next, struct sink **ret_sink, struct error *err)
{
    if (check_keys(recipients, passphrase, err) < 0)
        return -1;
    if (sodium_init() < 0)
        return error_set(err, ERROR_FAILED, "libsodium did not start");
    struct age_encrypt *filter = MEM_NEW(struct age_encrypt);
    *filter = (struct age_encrypt){.base = {.ops = &encrypt_ops},
                                   .next = next,
                                   .header = BUF_INIT,
                                   .chunk = mem_alloc(1, AGE_CHUNK_SIZE),
                                   .out = mem_alloc(OUT_CHUNKS, SEALED_CHUNK)};
    unsigned char file_key[AGE_FILE_KEY_SIZE];
    int result = begin_file(filter, os, recipients, passphrase, file_key, err);
    mem_wipe(file_key, sizeof file_key);
    if (result < 0) {
        sink_free(&filter->base);
        return -1;
    }
    *ret_sink = &filter->base;
    return 0;
}
