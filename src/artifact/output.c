#include "artifact/output.h"

#include "base/error.h"
#include "base/stop.h"
#include "crypto/sha256.h"
#include "io/crew.h"
#include "io/pages.h"
#include "store/store.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#define PIECE ((size_t)1 << 20)
/* Pieces that came back and wait for somebody to hash them. */
#define WAITING_MAXIMUM ((size_t)8)
/* How far reading back stays behind: the kernel needs time to write, and waiting for it in small
 * steps would make the writes small. */
#define DISTANCE (UINT64_C(10) << 20)

struct output {
    struct sink sink;
    struct store *store;
    struct crew *crew;
    struct upload *upload;
    uint64_t size;        /* pushed; read by the reader under the crew's lock */
    bool complete;        /* everything was pushed and is on the medium */
    bool reader_ends;     /* the reader has returned, or there is none */
    uint64_t fetched;     /* came back and is what was written */
    uint64_t reread;      /* and is hashed */
    bool hashing;         /* somebody does the part that follows */
    struct pages waiting; /* piece n at n % WAITING_MAXIMUM */
    XXH3_state_t *piece_hash;
    size_t piece_filled;
    XXH128_hash_t *pieces; /* one a PIECE of the stored stream */
    size_t piece_count;
    size_t piece_capacity;
    struct sha256 *hash;
    char checksum[SHA256_TEXT];
};

/* ---- the way out ---- */

static void end_piece(struct output *output)
{
    XXH128_hash_t digest = XXH3_128bits_digest(output->piece_hash);
    XXH3_128bits_reset(output->piece_hash);
    crew_lock(output->crew);
    ARRAY_GROW(output->pieces, output->piece_count, output->piece_capacity);
    output->pieces[output->piece_count++] = digest;
    crew_unlock(output->crew);
    output->piece_filled = 0;
}

static void fingerprint(struct output *output, const uint8_t *data, size_t size)
{
    while (size) {
        size_t part = PIECE - output->piece_filled < size ? PIECE - output->piece_filled : size;
        XXH3_128bits_update(output->piece_hash, data, part);
        output->piece_filled += part;
        data += part;
        size -= part;
        if (output->piece_filled == PIECE)
            end_piece(output);
    }
}

static int output_write(struct sink *sink, const void *data, size_t size, struct error *err)
{
    struct output *output = (struct output *)sink;
    fingerprint(output, data, size);
    if (upload_write(output->upload, data, size, err) < 0)
        return -1;
    crew_lock(output->crew);
    output->size += size;
    crew_wake(output->crew);
    crew_unlock(output->crew);
    return 0;
}

static const struct sink_ops output_ops = {.write = output_write};

/* ---- the way back ---- */

/* Compare a piece that came back with its fingerprint. */
static int compare(struct output *output, uint64_t offset, const void *data, size_t size,
                   struct error *err)
{
    crew_lock(output->crew);
    XXH128_hash_t wanted = output->pieces[offset / PIECE];
    crew_unlock(output->crew);
    XXH128_hash_t got = XXH3_128bits(data, size);
    if (XXH128_isEqual(wanted, got))
        return 0;
    error_set(err, ERROR_CORRUPT, "what was stored at offset %llu is not what was written",
              (unsigned long long)offset);
    return error_hint(err, "the disk or the way to it damages data: check the destination");
}

static uint8_t *slot(const struct output *output, uint64_t offset)
{
    return output->waiting.data + offset % (WAITING_MAXIMUM * PIECE);
}

static bool has_room(const struct output *output)
{
    return output->fetched - output->reread <= (WAITING_MAXIMUM - 1) * PIECE;
}

/* With the lock held: may the next piece be fetched? When everything is complete nobody else comes
 * by to hash what waits, so waiting for room would be for ever. */
static bool may_fetch(const struct output *output)
{
    return output->complete ||
           (has_room(output) && output->size >= output->fetched + PIECE + DISTANCE);
}

/* Wait for the next piece that may be fetched, or for the end: the piece's size, 0 at the end. */
static size_t next_piece(struct output *output)
{
    size_t size = 0;
    crew_lock(output->crew);
    while (!crew_failed(output->crew) && !may_fetch(output))
        crew_wait(output->crew);
    if (!crew_failed(output->crew)) {
        uint64_t left = output->size - output->fetched;
        size = left < PIECE ? (size_t)left : PIECE;
    }
    crew_unlock(output->crew);
    return size;
}

/* What waits to be hashed, in one stretch: it is the caller's alone until `release`. 0: nothing, or
 * somebody else is at it. */
static size_t claim(struct output *output, const uint8_t **ret_data)
{
    crew_lock(output->crew);
    uint64_t size = output->fetched - output->reread;
    uint64_t room = WAITING_MAXIMUM * PIECE - output->reread % (WAITING_MAXIMUM * PIECE);
    if (size > room)
        size = room;
    if (output->hashing)
        size = 0;
    if (size)
        output->hashing = true;
    *ret_data = size ? slot(output, output->reread) : NULL;
    crew_unlock(output->crew);
    return (size_t)size;
}

/* The first `size` bytes of what was claimed are hashed. Answers how much waits now. */
static uint64_t release(struct output *output, size_t size)
{
    crew_lock(output->crew);
    output->hashing = false;
    output->reread += size;
    uint64_t left = output->fetched - output->reread;
    crew_wake(output->crew);
    crew_unlock(output->crew);
    return left;
}

/* Hash what waits until at most `left` bytes do. */
static void hash_waiting(struct output *output, uint64_t left)
{
    const uint8_t *data = NULL;
    size_t size = 0;
    do {
        size = claim(output, &data);
        if (size)
            sha256_update(output->hash, data, size);
    } while (size && release(output, size) > left);
}

void output_hash_beside(struct output *output, struct sha256 *hash, const void *data, size_t size)
{
    const uint8_t *at = data;
    while (size) {
        const uint8_t *beside = NULL;
        size_t waits = claim(output, &beside);
        size_t part = waits && waits < size ? waits : size;
        if (part > PIECE)
            part = PIECE;
        if (waits) {
            sha256_update_two(hash, at, part, output->hash, beside, part);
            release(output, part);
        } else {
            sha256_update(hash, at, part);
        }
        at += part;
        size -= part;
    }
    crew_lock(output->crew);
    bool behind = output->fetched - output->reread > WAITING_MAXIMUM * PIECE / 2;
    crew_unlock(output->crew);
    if (behind)
        hash_waiting(output, WAITING_MAXIMUM * PIECE / 2);
}

static int read_pieces(struct output *output, struct error *err)
{
    for (;;) {
        size_t size = next_piece(output);
        if (!size)
            return 0;
        if (!has_room(output))
            hash_waiting(output, 0);
        uint8_t *data = slot(output, output->fetched);
        int able = upload_reread(output->upload, output->fetched, data, size, err);
        if (able <= 0)
            return able;
        if (compare(output, output->fetched, data, size, err) < 0)
            return -1;
        crew_lock(output->crew);
        output->fetched += size;
        crew_unlock(output->crew);
    }
}
/* Everything that was fetched is hashed when this returns, by whomever. */
static void hash_rest(struct output *output)
{
    crew_lock(output->crew);
    while (!crew_failed(output->crew) && output->reread < output->fetched) {
        if (output->hashing) {
            crew_wait(output->crew);
            continue;
        }
        crew_unlock(output->crew);
        hash_waiting(output, 0);
        crew_lock(output->crew);
    }
    crew_unlock(output->crew);
}

static int read_back(void *context, struct error *err)
{
    struct output *output = context;
    int result = pages_reserve(&output->waiting, WAITING_MAXIMUM * PIECE, 0, err);
    if (result == 0)
        result = read_pieces(output, err);
    if (result < 0)
        error_prefix(err, "read back");
    else
        hash_rest(output);
    crew_lock(output->crew);
    output->reader_ends = true;
    crew_wake(output->crew);
    crew_unlock(output->crew);
    return result;
}

/* ---- life ---- */

int output_open(struct store *store, struct crew *crew, struct output **ret_output,
                struct error *err)
{
    SCOPED(output) struct output *output = MEM_NEW(struct output);
    output->sink.ops = &output_ops;
    output->store = store;
    output->crew = crew;
    output->hash = sha256_new();
    output->piece_hash = XXH3_createState();
    if (!output->piece_hash)
        return error_set(err, ERROR_FAILED, "no memory");
    XXH3_128bits_reset(output->piece_hash);
    if (store_put(store, &output->upload, err) < 0)
        return -1;
    output->reader_ends = !output->upload->ops->reread;
    if (!output->reader_ends && crew_start(crew, read_back, output, err) < 0)
        return -1;
    *ret_output = STEAL(output);
    return 0;
}

struct sink *output_sink(struct output *output)
{
    return &output->sink;
}

uint64_t output_size(const struct output *output)
{
    return output->size;
}

struct upload *output_upload(struct output *output)
{
    return output->upload;
}

int output_finish(struct output *output, struct error *err)
{
    if (output->piece_filled)
        end_piece(output);
    if (upload_finish(output->upload, err) < 0)
        return -1;
    crew_lock(output->crew);
    output->complete = true;
    crew_wake(output->crew);
    while (!output->reader_ends && !crew_failed(output->crew))
        crew_wait(output->crew);
    crew_unlock(output->crew);
    if (crew_check(output->crew, err) < 0)
        return -1;
    if (output_reread_done(output))
        sha256_finish_text(output->hash, output->checksum);
    return 0;
}

int output_reread_done(const struct output *output)
{
    return output->complete && output->upload->ops->reread && output->reread == output->size;
}

int output_reread(struct output *output, const char *key, struct error *err)
{
    SCOPED(pages) struct pages pages = PAGES_INIT;
    if (pages_reserve(&pages, PIECE, 0, err) < 0 || store_uncache(output->store, key, err) < 0)
        return -1;
    while (output->reread < output->size) {
        uint64_t left = output->size - output->reread;
        size_t size = left < PIECE ? (size_t)left : PIECE;
        size_t got = 0;
        if (stop_check(err) < 0 ||
            store_read(output->store, key, output->reread, pages.data, size, &got, err) < 0)
            return -1;
        if (got < size)
            return error_set(err, ERROR_CORRUPT, "%s is shorter than what was written", key);
        if (compare(output, output->reread, pages.data, size, err) < 0)
            return -1;
        sha256_update(output->hash, pages.data, size);
        output->reread += size;
    }
    sha256_finish_text(output->hash, output->checksum);
    return 0;
}

const char *output_checksum(const struct output *output)
{
    return output->checksum;
}

void output_close(struct output *output)
{
    if (!output)
        return;
    upload_free(output->upload);
    pages_clear(&output->waiting);
    XXH3_freeState(output->piece_hash);
    sha256_free(output->hash);
    free(output->pieces);
    free(output);
}
