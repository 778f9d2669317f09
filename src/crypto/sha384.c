#include "crypto/sha384.h"

#include "base/error.h"
#include "base/text.h"
#include "crypto/evp.h"

#include <stdint.h>

int sha384_of(const void *data, size_t size, char ret_text[static SHA384_TEXT], struct error *err)
{
    uint8_t digest[SHA384_SIZE];
    if (evp_load(err) < 0)
        return -1;
    EVP_MD *algorithm = evp_library.EVP_MD_fetch_(NULL, "SHA384", NULL);
    EVP_MD_CTX *context = evp_library.EVP_MD_CTX_new_();
    int done = algorithm && context &&
               evp_library.EVP_DigestInit_ex2_(context, algorithm, NULL) == 1 &&
               (size == 0 || evp_library.EVP_DigestUpdate_(context, data, size) == 1) &&
               evp_library.EVP_DigestFinal_ex_(context, digest, NULL) == 1;
    evp_library.EVP_MD_CTX_free_(context);
    evp_library.EVP_MD_free_(algorithm);
    if (!done)
        return error_set(err, ERROR_FAILED, "libcrypto has no SHA-384");
    text_hex(digest, sizeof digest, ret_text);
    return 0;
}
