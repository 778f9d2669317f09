#include "source/postgres_value.h"

#include "base/big_endian.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define DAY_US (INT64_C(86400) * 1000000)

static char *put_word(char *out, const char *word)
{
    while (*word)
        *out++ = *word++;
    return out;
}

/* ---- integers ---- */

static const char pairs[] = "00010203040506070809101112131415161718192021222324"
                            "25262728293031323334353637383940414243444546474849"
                            "50515253545556575859606162636465666768697071727374"
                            "75767778798081828384858687888990919293949596979899";

static char *put_two(char *out, unsigned value)
{
    memcpy(out, &pairs[2 * value], 2);
    return out + 2;
}

static char *put_four(char *out, unsigned value)
{
    return put_two(put_two(out, value / 100), value % 100);
}

static const uint64_t powers[] = {
    0,
    UINT64_C(10),
    UINT64_C(100),
    UINT64_C(1000),
    UINT64_C(10000),
    UINT64_C(100000),
    UINT64_C(1000000),
    UINT64_C(10000000),
    UINT64_C(100000000),
    UINT64_C(1000000000),
    UINT64_C(10000000000),
    UINT64_C(100000000000),
    UINT64_C(1000000000000),
    UINT64_C(10000000000000),
    UINT64_C(100000000000000),
    UINT64_C(1000000000000000),
    UINT64_C(10000000000000000),
    UINT64_C(100000000000000000),
    UINT64_C(1000000000000000000),
    UINT64_C(10000000000000000000),
};

static unsigned count_digits(uint64_t value)
{
    unsigned bits = 64 - (unsigned)__builtin_clzll(value | 1);
    /* log10(2) is a little less than 1233 / 4096, and this is right or one too few. */
    unsigned count = bits * 1233 >> 12;
    return count + (value >= powers[count]);
}

/* In its place from the end: a copy of so few bytes costs more than the digits. */
static char *put_unsigned(char *out, uint64_t value)
{
    char *end = out + count_digits(value);
    char *at = end;
    for (; value >= 100; value /= 100)
        put_two(at -= 2, (unsigned)(value % 100));
    if (value >= 10)
        put_two(out, (unsigned)value);
    else
        *out = (char)('0' + value);
    return end;
}

static char *put_signed(char *out, int64_t value)
{
    if (value >= 0)
        return put_unsigned(out, (uint64_t)value);
    *out++ = '-';
    return put_unsigned(out, 0 - (uint64_t)value);
}

char *value_bool(char *out, const char *bytes, size_t size)
{
    if (size != 1 || (unsigned char)*bytes > 1)
        return NULL;
    *out = *bytes ? 't' : 'f';
    return out + 1;
}

char *value_int2(char *out, const char *bytes, size_t size)
{
    return size == 2 ? put_signed(out, (int16_t)big_endian_16(bytes)) : NULL;
}

char *value_int4(char *out, const char *bytes, size_t size)
{
    return size == 4 ? put_signed(out, (int32_t)big_endian_32(bytes)) : NULL;
}

char *value_int8(char *out, const char *bytes, size_t size)
{
    return size == 8 ? put_signed(out, (int64_t)big_endian_64(bytes)) : NULL;
}

char *value_oid(char *out, const char *bytes, size_t size)
{
    return size == 4 ? put_unsigned(out, big_endian_32(bytes)) : NULL;
}

char *value_uuid(char *out, const char *bytes, size_t size)
{
    static const char digits[] = "0123456789abcdef";
    if (size != 16)
        return NULL;
    for (size_t i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            *out++ = '-';
        *out++ = digits[(unsigned char)bytes[i] >> 4];
        *out++ = digits[(unsigned char)bytes[i] & 15];
    }
    return out;
}

/* ---- time ---- */

/* The server counts days from 2000-01-01 and takes them from 4713-11-24 BC to 5874897-12-31,
 * timestamps to the end of 294276. */
#define DAY_FIRST (-2451545)
#define DAY_END (2147483494 - 2451545)
#define STAMP_FIRST INT64_C(-211813488000000000)
#define STAMP_END INT64_C(9223371331200000000)

/* The calendar repeats after 400 years. We count from the first of March of 4801 BC, so that no day
 * is negative and a leap day is the last of its year. */
#define ERA_DAYS 146097
#define DAYS_BEFORE_2000 2483589
#define YEARS_BEFORE 4800

/* *ret_bc: " BC" is to follow. */
static char *put_day(char *out, int32_t day, bool *ret_bc)
{
    uint32_t count = (uint32_t)((int64_t)day + DAYS_BEFORE_2000);
    uint32_t era = count / ERA_DAYS;
    uint32_t of_era = count % ERA_DAYS;
    uint32_t year_of_era =
        (of_era - of_era / 1460 + of_era / 36524 - of_era / (ERA_DAYS - 1)) / 365;
    uint32_t of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    uint32_t from_march = (5 * of_year + 2) / 153;
    uint32_t month = from_march < 10 ? from_march + 3 : from_march - 9;
    int32_t year = (int32_t)(era * 400 + year_of_era) - YEARS_BEFORE + (month <= 2);
    *ret_bc = year <= 0;
    uint32_t shown = (uint32_t)(year <= 0 ? 1 - year : year);
    out = shown < 10000 ? put_four(out, shown) : put_unsigned(out, shown);
    *out++ = '-';
    out = put_two(out, month);
    *out++ = '-';
    return put_two(out, of_year - (153 * from_march + 2) / 5 + 1);
}

/* Microseconds of a day, their trailing zeros left out. */
static char *put_time(char *out, uint64_t us)
{
    uint32_t seconds = (uint32_t)(us / 1000000);
    uint32_t fraction = (uint32_t)(us % 1000000);
    out = put_two(out, seconds / 3600);
    *out++ = ':';
    out = put_two(out, seconds / 60 % 60);
    *out++ = ':';
    out = put_two(out, seconds % 60);
    if (!fraction)
        return out;
    *out++ = '.';
    out = put_two(put_four(out, fraction / 100), fraction % 100);
    while (out[-1] == '0')
        out--;
    return out;
}

char *value_date(char *out, const char *bytes, size_t size)
{
    if (size != 4)
        return NULL;
    int32_t day = (int32_t)big_endian_32(bytes);
    if (day == INT32_MAX || day == INT32_MIN)
        return put_word(out, day < 0 ? "-infinity" : "infinity");
    if (day < DAY_FIRST || day >= DAY_END)
        return NULL;
    bool bc;
    out = put_day(out, day, &bc);
    return bc ? put_word(out, " BC") : out;
}

char *value_time(char *out, const char *bytes, size_t size)
{
    if (size != 8)
        return NULL;
    uint64_t us = big_endian_64(bytes);
    return us <= DAY_US ? put_time(out, us) : NULL;
}

static char *put_stamp(char *out, const char *bytes, size_t size, const char *zone)
{
    if (size != 8)
        return NULL;
    int64_t us = (int64_t)big_endian_64(bytes);
    if (us == INT64_MAX || us == INT64_MIN)
        return put_word(out, us < 0 ? "-infinity" : "infinity");
    if (us < STAMP_FIRST || us >= STAMP_END)
        return NULL;
    int64_t day = us / DAY_US;
    int64_t of_day = us % DAY_US;
    if (of_day < 0) {
        of_day += DAY_US;
        day--;
    }
    bool bc;
    out = put_day(out, (int32_t)day, &bc);
    *out++ = ' ';
    out = put_word(put_time(out, (uint64_t)of_day), zone);
    return bc ? put_word(out, " BC") : out;
}

char *value_timestamp(char *out, const char *bytes, size_t size)
{
    return put_stamp(out, bytes, size, "");
}

char *value_timestamptz(char *out, const char *bytes, size_t size)
{
    return put_stamp(out, bytes, size, "+00");
}

/* ---- numeric ---- */

#define HEAD 8 /* count of digits, weight, sign, scale; then digits of base 10000 */
#define SCALE_MAXIMUM 0x3FFF
#define GROUP 4

enum sign {
    SIGN_POSITIVE = 0,
    SIGN_NEGATIVE = 0x4000,
    SIGN_NAN = 0xC000,
    SIGN_INFINITY = 0xD000,
    SIGN_MINUS_INFINITY = 0xF000
};

struct numeric {
    int count;
    int weight; /* digits before the point, less one */
    enum sign sign;
    int scale; /* decimals after the point */
    const char *digits;
};

static bool open_numeric(struct numeric *numeric, const char *bytes, size_t size)
{
    if (size < HEAD)
        return false;
    *numeric = (struct numeric){.count = big_endian_16(bytes),
                                .weight = (int16_t)big_endian_16(bytes + 2),
                                .sign = (enum sign)big_endian_16(bytes + 4),
                                .scale = big_endian_16(bytes + 6),
                                .digits = bytes + HEAD};
    return size == HEAD + 2 * (size_t)numeric->count;
}

/* What the server says of digits that are not there. */
static unsigned digit_at(const struct numeric *numeric, int at)
{
    return at >= 0 && at < numeric->count ? big_endian_16(numeric->digits + 2 * at) : 0;
}

static bool has_digits(const struct numeric *numeric)
{
    unsigned wrong = 0;
    for (int i = 0; i < numeric->count; i++)
        wrong |= digit_at(numeric, i) >= 10000;
    return !wrong && numeric->scale <= SCALE_MAXIMUM;
}

static char *put_fraction(char *out, const struct numeric *numeric)
{
    *out++ = '.';
    char *end = out + numeric->scale;
    for (int at = numeric->weight + 1; out < end; at++)
        out = put_four(out, digit_at(numeric, at));
    return end;
}

static char *put_digits(char *out, const struct numeric *numeric)
{
    if (numeric->sign == SIGN_NEGATIVE)
        *out++ = '-';
    out = put_unsigned(out, numeric->weight < 0 ? 0 : digit_at(numeric, 0));
    for (int at = 1; at <= numeric->weight; at++)
        out = put_four(out, digit_at(numeric, at));
    return numeric->scale ? put_fraction(out, numeric) : out;
}

size_t value_numeric_size(const char *bytes, size_t size)
{
    struct numeric numeric;
    if (!open_numeric(&numeric, bytes, size))
        return 0;
    size_t before = numeric.weight < 0 ? 1 : GROUP * ((size_t)numeric.weight + 1);
    /* The sign, the point, and what a last group writes past the scale; or a word. */
    size_t all = before + (size_t)numeric.scale + 2 + GROUP;
    return all < VALUE_TEXT ? VALUE_TEXT : all;
}

char *value_numeric(char *out, const char *bytes, size_t size)
{
    struct numeric numeric;
    if (!open_numeric(&numeric, bytes, size))
        return NULL;
    switch (numeric.sign) {
    case SIGN_NAN:
        return put_word(out, "NaN");
    case SIGN_INFINITY:
        return put_word(out, "Infinity");
    case SIGN_MINUS_INFINITY:
        return put_word(out, "-Infinity");
    case SIGN_POSITIVE:
    case SIGN_NEGATIVE:
        return has_digits(&numeric) ? put_digits(out, &numeric) : NULL;
    }
    return NULL;
}
