#include "crypto/age.h"

#include "base/buf.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/text.h"
#include "crypto/age_armor.h"
#include "crypto/age_header.h"
#include "crypto/age_key.h"
#include "crypto/age_stream.h"
#include "crypto/age_wrap.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define SEALED_CHUNK (AGE_CHUNK_SIZE + AGE_TAG_SIZE)
/* Chunks that are fetched at once. */
#define BATCH_CHUNKS ((uint64_t)16)

struct age_reader {
    age_read_fn *read;
    void *context;
    struct age_armor armor; /* between us and the caller's function when the file is armored */
    uint64_t size;          /* of the binary file */
    uint64_t payload;       /* offset of the first chunk */
    uint64_t chunks;
    uint64_t plain_size;
    unsigned char *key; /* guarded memory */
};

bool age_is(const void *data, size_t size)
{
    static const char *const beginnings[] = {AGE_MAGIC, AGE_ARMOR_BEGIN};
    for (size_t i = 0; i < ARRAY_SIZE(beginnings); i++) {
        size_t length = strlen(beginnings[i]);
        if (size >= length && memcmp(data, beginnings[i], length) == 0)
            return true;
    }
    return false;
}

/* ---- finding the file key ---- */

static int no_key(const char *message, const char *hint, struct error *err)
{
    error_set(err, ERROR_WRONG_KEY, "%s", message);
    return error_hint(err, "%s", hint);
}

static int try_identity(const char *identity, const struct age_header *header,
                        unsigned char *ret_file_key, struct error *err)
{
    unsigned char scalar[AGE_KEY_SIZE];
    if (age_identity_decode(identity, scalar, err) < 0)
        return -1;
    int opened = 0;
    for (size_t i = 0; i < header->count && opened == 0; i++)
        if (age_stanza_is_x25519(&header->stanzas[i]))
            opened = age_unwrap_x25519(&header->stanzas[i], scalar, ret_file_key, err);
    mem_wipe(scalar, sizeof scalar);
    return opened;
}

static int unwrap_with_identities(const struct age_keys *keys, const struct age_header *header,
                                  unsigned char *ret_file_key, struct error *err)
{
    size_t count = keys->identities ? keys->identities->count : 0;
    if (count == 0)
        return no_key("encrypted to a public key, and no secret key was given",
                      "give the key file with --identity FILE", err);
    for (size_t i = 0; i < count; i++) {
        int opened = try_identity(keys->identities->items[i], header, ret_file_key, err);
        if (opened != 0)
            return opened < 0 ? -1 : 0;
    }
    return no_key(count == 1 ? "encrypted to a public key, and the secret key given is another's"
                             : "encrypted to a public key, and none of the secret keys given fits",
                  "give the key file that fits with --identity FILE", err);
}

static int unwrap_with_passphrase(const struct age_keys *keys, const struct age_header *header,
                                  unsigned char *ret_file_key, struct error *err)
{
    if (!keys->passphrase)
        return no_key("encrypted with a passphrase, and none was given",
                      "give it with --passphrase-file FILE", err);
    int opened = age_unwrap_scrypt(&header->stanzas[0], keys->passphrase, keys->allow_scrypt,
                                   ret_file_key, err);
    if (opened == 0)
        return no_key("encrypted with a passphrase, and not with the one given",
                      "give the right one with --passphrase-file FILE", err);
    return opened < 0 ? -1 : 0;
}

static int find_file_key(const struct age_keys *keys, const struct age_header *header,
                         unsigned char *ret_file_key, struct error *err)
{
    struct age_stanzas found;
    if (age_wrap_survey(header, &found, err) < 0)
        return -1;
    if (found.scrypt)
        return unwrap_with_passphrase(keys, header, ret_file_key, err);
    if (found.x25519)
        return unwrap_with_identities(keys, header, ret_file_key, err);
    return no_key("encrypted to recipients of a kind that is not supported",
                  "the age program and its plugins may open it", err);
}

/* ---- opening ---- */

static int read_exactly(struct age_reader *reader, uint64_t offset, void *data, size_t size,
                        struct error *err)
{
    size_t got = 0;
    if (reader->read(reader->context, offset, data, size, &got, err) < 0)
        return -1;
    if (got != size)
        return error_set(err, ERROR_CORRUPT, "age file: it became shorter while it was read");
    return 0;
}

/* The bytes up to the end of the header, and perhaps more. */
static int fetch_header(struct age_reader *reader, struct buf *text, size_t *ret_size,
                        struct error *err)
{
    for (size_t wanted = 4096;; wanted *= 4) {
        if (wanted > AGE_HEADER_MAXIMUM)
            wanted = AGE_HEADER_MAXIMUM;
        if (wanted > reader->size)
            wanted = (size_t)reader->size;
        size_t have = text->length;
        buf_reserve(text, wanted - have);
        if (read_exactly(reader, have, text->data + have, wanted - have, err) < 0)
            return -1;
        text->length = wanted;
        *ret_size = age_header_find_end(text->data, text->length);
        if (*ret_size)
            return 0;
        if (!age_is(text->data, text->length))
            return error_set(err, ERROR_CORRUPT, "not an age file");
        if (wanted == AGE_HEADER_MAXIMUM || wanted == reader->size)
            return error_set(err, ERROR_CORRUPT, "age header: its end is missing");
    }
}

/* Split what follows the header into chunks. */
static int lay_out(struct age_reader *reader, uint64_t header_size, struct error *err)
{
    reader->payload = header_size + AGE_NONCE_SIZE;
    if (reader->size < reader->payload + AGE_TAG_SIZE)
        return error_set(err, ERROR_CORRUPT, "age file: it is cut, there is nothing in it");
    uint64_t sealed = reader->size - reader->payload;
    reader->chunks = (sealed + SEALED_CHUNK - 1) / SEALED_CHUNK;
    uint64_t last = sealed - (reader->chunks - 1) * SEALED_CHUNK;
    if (last < AGE_TAG_SIZE || (last == AGE_TAG_SIZE && reader->chunks > 1))
        return error_set(err, ERROR_CORRUPT, "age file: it is cut or damaged at its end");
    reader->plain_size = sealed - reader->chunks * AGE_TAG_SIZE;
    return 0;
}

static int open_payload(struct age_reader *reader, uint64_t header_size,
                        const unsigned char *file_key, struct error *err)
{
    unsigned char nonce[AGE_NONCE_SIZE];
    if (lay_out(reader, header_size, err) < 0 ||
        read_exactly(reader, header_size, nonce, sizeof nonce, err) < 0)
        return -1;
    reader->key = sodium_malloc(AGE_KEY_SIZE);
    if (!reader->key)
        return error_set(err, ERROR_FAILED, "no memory for a key");
    age_stream_key(file_key, nonce, reader->key);

    /* The last chunk knows that it is the last: this finds a file that was cut or lengthened. */
    SCOPED(memory) void *last = mem_alloc(1, AGE_CHUNK_SIZE);
    uint64_t start = (reader->chunks - 1) * AGE_CHUNK_SIZE;
    size_t size = 0;
    if (reader->plain_size)
        return age_pread(reader, start, last, AGE_CHUNK_SIZE, &size, err);
    unsigned char tag[AGE_TAG_SIZE];
    SCOPED(age_stream) struct age_stream stream = AGE_STREAM_INIT;
    if (read_exactly(reader, reader->payload, tag, sizeof tag, err) < 0 ||
        age_stream_init(&stream, reader->key, false, err) < 0)
        return -1;
    int opened = age_stream_open(&stream, 0, true, tag, sizeof tag, last, err);
    return opened == 0 ? error_set(err, ERROR_CORRUPT, "age file: it is cut or damaged") : opened;
}

static int open_reader(struct age_reader *reader, const struct age_keys *keys, struct error *err)
{
    struct buf text = BUF_INIT;
    SCOPED(age_header) struct age_header header = AGE_HEADER_INIT;
    unsigned char file_key[AGE_FILE_KEY_SIZE];
    size_t header_size = 0;
    int result = fetch_header(reader, &text, &header_size, err);
    if (result == 0)
        result = age_header_parse(text.data, header_size, &header, err);
    if (result == 0)
        result = find_file_key(keys, &header, file_key, err);
    if (result == 0)
        result = age_header_check(&header, text.data, file_key, err);
    if (result == 0)
        result = open_payload(reader, header_size, file_key, err);
    mem_wipe(file_key, sizeof file_key);
    buf_clear(&text);
    return result < 0 ? -1 : 0;
}

static int remove_armor(struct age_reader *reader, struct error *err)
{
    char begin[AGE_SNIFF_SIZE];
    size_t got = 0;
    if (reader->read(reader->context, 0, begin, sizeof begin, &got, err) < 0)
        return -1;
    if (got < strlen(AGE_ARMOR_BEGIN) || begin[0] != '-')
        return 0;
    if (!age_is(begin, got))
        return error_set(err, ERROR_CORRUPT, "not an age file");
    if (age_armor_open(reader->read, reader->context, reader->size, &reader->armor, err) < 0)
        return -1;
    reader->read = age_armor_read;
    reader->context = &reader->armor;
    reader->size = reader->armor.size;
    return 0;
}

int age_open(const struct age_keys *keys, age_read_fn *read, void *context, uint64_t size,
             struct age_reader **ret_reader, struct error *err)
{
    if (sodium_init() < 0)
        return error_set(err, ERROR_FAILED, "libsodium did not start");
    struct age_reader *reader = MEM_NEW(struct age_reader);
    *reader = (struct age_reader){.read = read, .context = context, .size = size};
    if (remove_armor(reader, err) < 0 || open_reader(reader, keys, err) < 0) {
        age_close(reader);
        return -1;
    }
    *ret_reader = reader;
    return 0;
}

uint64_t age_plain_size(const struct age_reader *reader)
{
    return reader->plain_size;
}

void age_close(struct age_reader *reader)
{
    if (!reader)
        return;
    sodium_free(reader->key); /* wipes */
    free(reader);
}

/* ---- reading ---- */

/* Plain bytes [from, to) that are wanted, and where the one at `from` goes. */
struct wish {
    uint64_t from;
    uint64_t to;
    unsigned char *data;
};

static size_t chunk_size(const struct age_reader *reader, uint64_t number)
{
    if (number + 1 < reader->chunks)
        return AGE_CHUNK_SIZE;
    return (size_t)(reader->plain_size - number * AGE_CHUNK_SIZE);
}

/* One chunk straight to where it is wanted, or by way of `room` when only a part of it is. */
static int open_chunk(struct age_reader *reader, struct age_stream *stream, uint64_t number,
                      const unsigned char *sealed, const struct wish *wish, unsigned char *room,
                      struct error *err)
{
    size_t size = chunk_size(reader, number);
    uint64_t start = number * AGE_CHUNK_SIZE;
    bool whole = wish->from <= start && start + size <= wish->to;
    unsigned char *plain = whole ? wish->data + (start - wish->from) : room;
    int opened = age_stream_open(stream, number, number + 1 == reader->chunks, sealed,
                                 size + AGE_TAG_SIZE, plain, err);
    if (opened < 0)
        return -1;
    if (opened == 0)
        return error_set(err, ERROR_CORRUPT,
                         "age file: chunk %" PRIu64 " of %" PRIu64 " (at byte %" PRIu64
                         ") is damaged%s",
                         number + 1, reader->chunks, reader->payload + number * SEALED_CHUNK,
                         number + 1 == reader->chunks ? ", or the file is cut" : "");
    if (whole)
        return 0;
    uint64_t from = wish->from > start ? wish->from : start;
    uint64_t to = wish->to < start + size ? wish->to : start + size;
    memcpy(wish->data + (from - wish->from), plain + (from - start), (size_t)(to - from));
    return 0;
}

static int read_batch(struct age_reader *reader, struct age_stream *stream, uint64_t first,
                      uint64_t count, const struct wish *wish, unsigned char *sealed,
                      unsigned char *room, struct error *err)
{
    size_t size =
        (size_t)(count - 1) * SEALED_CHUNK + chunk_size(reader, first + count - 1) + AGE_TAG_SIZE;
    if (read_exactly(reader, reader->payload + first * SEALED_CHUNK, sealed, size, err) < 0)
        return -1;
    for (uint64_t i = 0; i < count; i++)
        if (open_chunk(reader, stream, first + i, sealed + i * SEALED_CHUNK, wish, room, err) < 0)
            return -1;
    return 0;
}

static int read_wish(struct age_reader *reader, const struct wish *wish, struct error *err)
{
    uint64_t first = wish->from / AGE_CHUNK_SIZE;
    uint64_t after = (wish->to - 1) / AGE_CHUNK_SIZE + 1;
    uint64_t batch = after - first < BATCH_CHUNKS ? after - first : BATCH_CHUNKS;
    SCOPED(age_stream) struct age_stream stream = AGE_STREAM_INIT;
    if (age_stream_init(&stream, reader->key, false, err) < 0)
        return -1;
    SCOPED(memory) void *sealed = mem_resize(NULL, batch, SEALED_CHUNK);
    SCOPED(memory) void *room = mem_resize(NULL, 1, AGE_CHUNK_SIZE);
    int result = 0;
    for (; first < after && result == 0; first += batch) {
        if (batch > after - first)
            batch = after - first;
        result = read_batch(reader, &stream, first, batch, wish, sealed, room, err);
    }
    mem_wipe(room, AGE_CHUNK_SIZE);
    return result;
}

int age_pread(struct age_reader *reader, uint64_t offset, void *data, size_t size, size_t *ret_size,
              struct error *err)
{
    if (offset >= reader->plain_size)
        size = 0;
    else if (size > reader->plain_size - offset)
        size = (size_t)(reader->plain_size - offset);
    if (size) {
        struct wish wish = {.from = offset, .to = offset + size, .data = data};
        if (read_wish(reader, &wish, err) < 0) {
            mem_wipe(data, size);
            return -1;
        }
    }
    *ret_size = size;
    return 0;
}
