#include "source/postgres_escape.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#define PIECE ((size_t)16)

/* What stands behind the backslash, for '\b' to '\r'. */
static const char letters[] = "btnvfr";

/* ---- text ---- */

static inline bool is_control(unsigned char byte)
{
    return (unsigned char)(byte - '\b') <= '\r' - '\b';
}

static char *escape_bytes(char *out, const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        char byte = text[i];
        if (is_control((unsigned char)byte)) {
            *out++ = '\\';
            byte = letters[byte - '\b'];
        } else if (byte == '\\') {
            *out++ = '\\';
        }
        *out++ = byte;
    }
    return out;
}

#ifdef __SSE2__

static inline __m128i load(const char *from)
{
    return _mm_loadu_si128((const __m128i *)(const void *)from);
}

/* Whether sixteen bytes stay as they are. */
static inline bool is_plain(const char *text)
{
    __m128i piece = load(text);
    __m128i above = _mm_sub_epi8(piece, _mm_set1_epi8('\b'));
    __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(above, _mm_set1_epi8('\r' - '\b')), above);
    __m128i backslash = _mm_cmpeq_epi8(piece, _mm_set1_epi8('\\'));
    return _mm_movemask_epi8(_mm_or_si128(control, backslash)) == 0;
}

#else

static inline bool is_plain(const char *text)
{
    unsigned special = 0;
    for (size_t i = 0; i < PIECE; i++)
        special |= (unsigned)(is_control((unsigned char)text[i]) | (text[i] == '\\'));
    return !special;
}

#endif

char *escape_text(char *out, const char *text, size_t size)
{
    size_t at = 0;
    for (; at + PIECE <= size; at += PIECE) {
        if (is_plain(text + at)) {
            memcpy(out, text + at, PIECE);
            out += PIECE;
        } else {
            out = escape_bytes(out, text + at, PIECE);
        }
    }
    size_t left = size - at;
    /* The last sixteen once more: where they are plain, those before `left` stand there already. */
    if (left && at && is_plain(text + size - PIECE)) {
        memcpy(out + left - PIECE, text + size - PIECE, PIECE);
        return out + left;
    }
    return escape_bytes(out, text + at, left);
}

/* ---- hex ---- */

static char *hex_bytes(char *out, const char *bytes, size_t size)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < size; i++) {
        *out++ = digits[(unsigned char)bytes[i] >> 4];
        *out++ = digits[(unsigned char)bytes[i] & 15];
    }
    return out;
}

#ifdef __SSE2__

static inline void store(char *to, __m128i piece)
{
    _mm_storeu_si128((__m128i *)(void *)to, piece);
}

static inline __m128i digits_of(__m128i values)
{
    __m128i letter = _mm_cmpgt_epi8(values, _mm_set1_epi8(9));
    return _mm_add_epi8(_mm_add_epi8(values, _mm_set1_epi8('0')),
                        _mm_and_si128(letter, _mm_set1_epi8('a' - '0' - 10)));
}

char *escape_hex(char *out, const char *bytes, size_t size)
{
    const __m128i low_half = _mm_set1_epi8(15);
    size_t at = 0;
    for (; at + PIECE <= size; at += PIECE, out += 2 * PIECE) {
        __m128i piece = load(bytes + at);
        __m128i high = digits_of(_mm_and_si128(_mm_srli_epi16(piece, 4), low_half));
        __m128i low = digits_of(_mm_and_si128(piece, low_half));
        store(out, _mm_unpacklo_epi8(high, low));
        store(out + PIECE, _mm_unpackhi_epi8(high, low));
    }
    return hex_bytes(out, bytes + at, size - at);
}

#else

char *escape_hex(char *out, const char *bytes, size_t size)
{
    return hex_bytes(out, bytes, size);
}

#endif
