#include "crypto/base64.h"

#include "base/buf.h"
#include "base/mem.h"

#include <sodium.h>

void base64_append(struct buf *text, const void *data, size_t size)
{
    size_t room = sodium_base64_encoded_len(size, sodium_base64_VARIANT_ORIGINAL_NO_PADDING);
    SCOPED(string) char *encoded = mem_alloc(room, 1);
    sodium_bin2base64(encoded, room, data, size, sodium_base64_VARIANT_ORIGINAL_NO_PADDING);
    buf_append_text(text, encoded);
}

int base64_decode(const char *text, size_t length, enum base64_padding padding, void *ret_data,
                  size_t maximum, size_t *ret_size)
{
    /* libsodium 1.0.18 computes with the sign of a char: some bytes above 127 pass for letters. */
    for (size_t i = 0; i < length; i++)
        if ((unsigned char)text[i] > 127)
            return -1;
    int variant = padding == BASE64_PADDED ? sodium_base64_VARIANT_ORIGINAL
                                           : sodium_base64_VARIANT_ORIGINAL_NO_PADDING;
    return sodium_base642bin(ret_data, maximum, text, length, NULL, ret_size, NULL, variant);
}
