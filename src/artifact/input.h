/*
 * The stored side of an artifact that is being read: any range of its compressed stream, decrypted
 * when it is encrypted. Any number of threads.
 */
#ifndef KEDGE_ARTIFACT_INPUT_H
#define KEDGE_ARTIFACT_INPUT_H

#include "artifact/artifact.h"

#include <stdbool.h>
#include <stdint.h>

struct error;
struct input;
struct store;

/* `store` and `file` are borrowed until the close. `size` is of the file as stored. ERROR_WRONG_KEY
 * when it is encrypted and no key opens it. */
int input_open(struct store *store, const char *file, uint64_t size,
               const struct artifact_keys *keys, struct input **ret_input, struct error *err);

bool input_encrypted(const struct input *input);
/* Bytes of the compressed stream. */
uint64_t input_size(const struct input *input);
/* Exactly `size` bytes from `offset`; ERROR_CORRUPT when there are fewer. */
int input_read(struct input *input, uint64_t offset, void *data, size_t size, struct error *err);
/* The same of the file as it is stored. */
int input_read_stored(struct input *input, uint64_t offset, void *data, size_t size,
                      struct error *err);
void input_close(struct input *input);

DEFINE_SCOPED(input, struct input *, input_close);

#endif
