/*
 * A destination that lives in memory: what is put there by hand is what readers see, and an upload
 * is published as in any other store. For one thread at a time.
 */
#ifndef KEDGE_TESTS_HARNESS_STORE_MEMORY_H
#define KEDGE_TESTS_HARNESS_STORE_MEMORY_H

#include <stddef.h>

struct os;
struct store;

/* Never fails; store_close frees it. */
struct store *store_memory_new(struct os *os);

/* Make `key` hold these bytes (copied), whatever it held. */
void store_memory_put(struct store *store, const char *key, const void *data, size_t size);

#endif
