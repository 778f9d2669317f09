#include "crypto/bech32.h"

#include "base/mem.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define CHECKSUM_LENGTH 6

static const char alphabet[] = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";

/* One step of the BCH code over GF(32) that BIP 173 defines. */
static uint32_t checksum_step(uint32_t sum, unsigned value)
{
    static const uint32_t generator[] = {0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd,
                                         0x2a1462b3};
    uint32_t top = sum >> 25;
    sum = (sum & 0x1ffffff) << 5 ^ value;
    for (unsigned bit = 0; bit < 5; bit++)
        if (top >> bit & 1)
            sum ^= generator[bit];
    return sum;
}

static uint32_t checksum_prefix(const char *prefix)
{
    uint32_t sum = 1;
    for (const char *at = prefix; *at; at++)
        sum = checksum_step(sum, (unsigned char)*at >> 5);
    sum = checksum_step(sum, 0);
    for (const char *at = prefix; *at; at++)
        sum = checksum_step(sum, *at & 31);
    return sum;
}

void bech32_encode(const char *prefix, const void *data, size_t size, char *ret_text)
{
    const unsigned char *bytes = data;
    size_t length = strlen(prefix);
    memcpy(ret_text, prefix, length);
    ret_text[length++] = '1';
    uint32_t sum = checksum_prefix(prefix);
    size_t bits = size * 8;
    for (size_t bit = 0; bit < bits; bit += 5) {
        unsigned pair = (unsigned)bytes[bit / 8] << 8;
        if (bit / 8 + 1 < size)
            pair |= bytes[bit / 8 + 1];
        unsigned value = pair >> (11 - bit % 8) & 31;
        ret_text[length++] = alphabet[value];
        sum = checksum_step(sum, value);
    }
    for (int i = 0; i < CHECKSUM_LENGTH; i++)
        sum = checksum_step(sum, 0);
    sum ^= 1;
    for (int i = 0; i < CHECKSUM_LENGTH; i++)
        ret_text[length++] = alphabet[sum >> 5 * (5 - i) & 31];
    ret_text[length] = '\0';
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* The prefix and the '1' after it, in either case but not in both. */
static bool starts_with_prefix(const char *text, const char *prefix, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (lower(text[i]) != prefix[i])
            return false;
    bool has_lower = false;
    bool has_upper = false;
    for (const char *at = text; *at; at++) {
        has_lower |= *at >= 'a' && *at <= 'z';
        has_upper |= *at >= 'A' && *at <= 'Z';
    }
    return text[length] == '1' && !(has_lower && has_upper);
}

/* The value of a character, or 32. Looks at the whole alphabet, whatever the character. */
static unsigned value_of(char c)
{
    unsigned value = 32;
    for (unsigned i = 0; i < 32; i++)
        if (alphabet[i] == lower(c))
            value = i;
    return value;
}

static int decode_values(const char *text, const char *prefix, unsigned char *data, size_t size)
{
    size_t values = (size * 8 + 4) / 5;
    uint32_t sum = checksum_prefix(prefix);
    uint32_t held = 0;
    unsigned held_bits = 0;
    size_t done = 0;
    for (size_t i = 0; i < values + CHECKSUM_LENGTH; i++) {
        unsigned value = value_of(text[i]);
        if (value == 32)
            return -1;
        sum = checksum_step(sum, value);
        if (i >= values)
            continue;
        held = held << 5 | value;
        held_bits += 5;
        if (held_bits >= 8) {
            held_bits -= 8;
            data[done++] = (unsigned char)(held >> held_bits);
        }
    }
    bool padded_with_zeros = (held & ((1U << held_bits) - 1)) == 0;
    return sum == 1 && padded_with_zeros ? 0 : -1;
}

int bech32_decode(const char *text, const char *prefix, void *ret_data, size_t size)
{
    size_t length = strlen(prefix);
    if (strlen(text) + 1 != BECH32_SIZE(length, size) || !starts_with_prefix(text, prefix, length))
        return -1;
    if (decode_values(text + length + 1, prefix, ret_data, size) < 0) {
        mem_wipe(ret_data, size);
        return -1;
    }
    return 0;
}
