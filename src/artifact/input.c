#include "artifact/input.h"

#include "base/error.h"
#include "crypto/age.h"
#include "store/store.h"

#include <stdlib.h>

struct input {
    struct store *store;
    const char *file;
    uint64_t stored_size;
    struct age_reader *plain; /* NULL when not encrypted */
};

static int read_some(void *context, uint64_t offset, void *data, size_t size, size_t *ret_size,
                     struct error *err)
{
    struct input *input = context;
    return store_read(input->store, input->file, offset, data, size, ret_size, err);
}

static int cut(uint64_t offset, struct error *err)
{
    return error_set(err, ERROR_CORRUPT, "ends before offset %llu", (unsigned long long)offset);
}

int input_read_stored(struct input *input, uint64_t offset, void *data, size_t size,
                      struct error *err)
{
    size_t got = 0;
    if (read_some(input, offset, data, size, &got, err) < 0)
        return -1;
    return got == size ? 0 : cut(offset + size, err);
}

int input_read(struct input *input, uint64_t offset, void *data, size_t size, struct error *err)
{
    if (!input->plain)
        return input_read_stored(input, offset, data, size, err);
    size_t got = 0;
    if (age_pread(input->plain, offset, data, size, &got, err) < 0)
        return -1;
    return got == size ? 0 : cut(offset + size, err);
}

static int open_encrypted(struct input *input, const struct artifact_keys *keys, struct error *err)
{
    struct age_keys given = {0};
    if (keys)
        given = (struct age_keys){.identities = &keys->identities,
                                  .passphrase = keys->passphrase,
                                  .allow_scrypt = keys->allow_scrypt};
    return age_open(&given, read_some, input, input->stored_size, &input->plain, err);
}

int input_open(struct store *store, const char *file, uint64_t size,
               const struct artifact_keys *keys, struct input **ret_input, struct error *err)
{
    SCOPED(input) struct input *input = MEM_NEW(struct input);
    *input = (struct input){.store = store, .file = file, .stored_size = size};
    char start[AGE_SNIFF_SIZE];
    size_t got = 0;
    if (read_some(input, 0, start, sizeof start, &got, err) < 0)
        return -1;
    if (age_is(start, got) && open_encrypted(input, keys, err) < 0)
        return -1;
    *ret_input = STEAL(input);
    return 0;
}

bool input_encrypted(const struct input *input)
{
    return input->plain != NULL;
}

uint64_t input_size(const struct input *input)
{
    return input->plain ? age_plain_size(input->plain) : input->stored_size;
}

void input_close(struct input *input)
{
    if (!input)
        return;
    age_close(input->plain);
    free(input);
}
