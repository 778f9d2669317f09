#include "crypto/sealed.h"

#include "base/buf.h"
#include "base/error.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/os.h"
#include "base/text.h"
#include "base/ulid.h"
#include "crypto/base64.h"
#include "crypto/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define KEY_FILE "secret.key"
#define KEY_SIZE crypto_secretbox_KEYBYTES
#define PREFIX "sealed1:"
#define PLAIN_MAXIMUM ((size_t)1 << 20)

struct sealed_key {
    unsigned char *bytes; /* guarded memory */
    char id[SEALED_ID_SIZE];
};

/* ---- the key ---- */

static struct sealed_key *key_new(void)
{
    struct sealed_key *key = MEM_NEW(struct sealed_key);
    key->bytes = sodium_malloc(KEY_SIZE);
    if (!key->bytes) {
        free(key);
        return NULL;
    }
    return key;
}

void sealed_key_close(struct sealed_key *key)
{
    if (!key)
        return;
    sodium_free(key->bytes); /* wipes */
    free(key);
}

DEFINE_SCOPED(sealed_key, struct sealed_key *, sealed_key_close);

const char *sealed_key_id(const struct sealed_key *key)
{
    return key->id;
}

/* A hash under a name of its own tells keys apart and nothing about them. */
static void set_id(struct sealed_key *key)
{
    static const char name[] = "kedge secret key fingerprint";
    unsigned char hash[crypto_generichash_BYTES_MIN];
    crypto_generichash(hash, sizeof hash, (const unsigned char *)name, sizeof name - 1, key->bytes,
                       KEY_SIZE);
    text_hex(hash, (SEALED_ID_SIZE - 1) / 2, key->id);
}

static int load_key(struct os *os, const char *path, struct sealed_key *key, struct error *err)
{
    SCOPED(secret) struct secret content = SECRET_INIT;
    if (secret_read_file(os, path, 2 * KEY_SIZE + 2, &content, err) < 0)
        return -1;
    if (content.length && content.data[content.length - 1] == '\n')
        content.data[content.length - 1] = '\0';
    if (text_unhex(secret_text(&content), key->bytes, KEY_SIZE) < 0) {
        error_set(err, ERROR_CORRUPT, "%s is not a key (64 hex digits)", path);
        return error_hint(err, "put back the copy you kept; without it the stored passwords of "
                               "connections and destinations must be entered again");
    }
    set_id(key);
    return 0;
}

/* A file that is whole, under a name of its own in the same folder. */
static int write_candidate(struct os *os, const char *path, struct error *err)
{
    SCOPED(secret) struct secret content = SECRET_INIT;
    unsigned char bytes[KEY_SIZE];
    if (os->random(os, bytes, sizeof bytes) < 0)
        return error_set_errno(err, ERROR_FAILED, errno, "random bytes for a key");
    secret_reserve(&content, 2 * KEY_SIZE + 1);
    text_hex(bytes, KEY_SIZE, content.data);
    content.data[2 * KEY_SIZE] = '\n';
    mem_wipe(bytes, sizeof bytes);

    int fd = file_open(os, path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600, err);
    if (fd < 0)
        return -1;
    int result = file_write_all(os, fd, content.data, content.length, path, err);
    if (result == 0)
        result = file_sync(os, fd, path, err);
    file_close(os, &fd);
    return result;
}

/* Taking the name without replacing means that of several makers exactly one wins, and that a crash
 * leaves no half of a key. */
static int make_key(struct os *os, const char *home, const char *path, struct error *err)
{
    struct ulid id;
    if (ulid_make(os, &id, err) < 0)
        return -1;
    SCOPED(string) char *candidate = mem_format("%s.%s.tmp", path, id.text);
    int result = write_candidate(os, candidate, err);
    if (result == 0)
        result = file_rename_noreplace(os, candidate, path, err);
    if (result <= 0)
        os->unlinkat(os, AT_FDCWD, candidate, 0);
    if (result < 0)
        return -1;
    return folder_sync(os, home, err);
}

static int find_or_make(struct os *os, const char *home, const char *path, bool create,
                        struct error *err)
{
    struct stat there;
    int found = file_stat(os, path, &there, err);
    if (found != 0)
        return found < 0 ? -1 : 0;
    if (create)
        return make_key(os, home, path, err);
    error_set(err, ERROR_NOT_FOUND, "%s is not there", path);
    return error_hint(err, "kedge init makes it");
}

int sealed_key_open(struct os *os, const char *home, bool create, struct sealed_key **ret_key,
                    struct error *err)
{
    if (sodium_init() < 0)
        return error_set(err, ERROR_FAILED, "libsodium did not start");
    SCOPED(string) char *path = path_join(home, KEY_FILE);
    SCOPED(sealed_key) struct sealed_key *key = key_new();
    if (!key)
        return error_set(err, ERROR_FAILED, "no memory for a key");
    if (find_or_make(os, home, path, create, err) < 0 || load_key(os, path, key, err) < 0)
        return -1;
    *ret_key = STEAL(key);
    return 0;
}

/* ---- sealing ---- */

int sealed_seal(const struct sealed_key *key, struct os *os, const void *plain, size_t size,
                char **ret_text, struct error *err)
{
    if (size > PLAIN_MAXIMUM)
        return error_set(err, ERROR_USAGE, "a secret of %zu bytes is too long to store", size);
    size_t box_size = crypto_secretbox_NONCEBYTES + crypto_secretbox_MACBYTES + size;
    SCOPED(memory) void *room = mem_alloc(1, box_size);
    unsigned char *box = room;
    if (os->random(os, box, crypto_secretbox_NONCEBYTES) < 0)
        return error_set_errno(err, ERROR_FAILED, errno, "random bytes for encryption");
    crypto_secretbox_easy(box + crypto_secretbox_NONCEBYTES, plain, size, box, key->bytes);

    struct buf text = BUF_INIT;
    buf_append_text(&text, PREFIX);
    base64_append(&text, box, box_size);
    *ret_text = buf_steal(&text);
    return 0;
}

static int decode_box(const char *text, void **ret_box, size_t *ret_size, struct error *err)
{
    if (!text_starts(text, PREFIX))
        return error_set(err, ERROR_CORRUPT, "stored secret: not in the form kedge writes");
    const char *encoded = text + strlen(PREFIX);
    size_t length = strlen(encoded);
    SCOPED(memory) void *box = mem_alloc(length + 1, 1);
    size_t size = 0;
    if (base64_decode(encoded, length, BASE64_BARE, box, length, &size) < 0 ||
        size < crypto_secretbox_NONCEBYTES + crypto_secretbox_MACBYTES)
        return error_set(err, ERROR_CORRUPT, "stored secret: damaged");
    *ret_box = STEAL(box);
    *ret_size = size;
    return 0;
}

int sealed_open(const struct sealed_key *key, const char *key_id, const char *text,
                struct secret *ret_plain, struct error *err)
{
    if (key_id && strcmp(key_id, key->id) != 0) {
        error_set(err, ERROR_WRONG_KEY, "stored secret: sealed with key %.32s, and this is key %s",
                  key_id, key->id);
        return error_hint(err, "put the secret.key of that installation into the home folder");
    }
    SCOPED(memory) void *room = NULL;
    size_t size = 0;
    if (decode_box(text, &room, &size, err) < 0)
        return -1;
    const unsigned char *box = room;
    SCOPED(secret) struct secret plain = SECRET_INIT;
    secret_reserve(&plain, size - crypto_secretbox_NONCEBYTES - crypto_secretbox_MACBYTES);
    if (crypto_secretbox_open_easy((unsigned char *)plain.data, box + crypto_secretbox_NONCEBYTES,
                                   size - crypto_secretbox_NONCEBYTES, box, key->bytes) != 0)
        return error_set(err, key_id ? ERROR_CORRUPT : ERROR_WRONG_KEY,
                         key_id ? "stored secret: damaged"
                                : "stored secret: damaged, or sealed with another key");
    secret_set(ret_plain, plain.data, plain.length);
    return 0;
}
