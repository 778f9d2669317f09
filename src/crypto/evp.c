#include "crypto/evp.h"

#include "base/library.h"

#include <stddef.h>

#define EVP_SYMBOL(name) {#name, (void **)&evp_library.name##_},

struct evp_library evp_library;

/* clang-format off */
static const struct library_symbol symbols[] = {
    EVP_FUNCTIONS(EVP_SYMBOL)
    {NULL, NULL},
};
/* clang-format on */

static struct library library = {"libcrypto.so.3", "libssl3", symbols, false};

int evp_load(struct error *err)
{
    return library_load(&library, err);
}
