#include "io/tar_number.h"

#include <stdbool.h>
#include <string.h>

int tar_number_get(const char *field, size_t width, int64_t *ret_value)
{
    const unsigned char *bytes = (const unsigned char *)field;
    if (bytes[0] & 0x80) {
        bool negative = bytes[0] == 0xff;
        uint64_t value = negative ? UINT64_MAX : bytes[0] & 0x7f;
        for (size_t i = 1; i < width; i++) {
            if (!negative && value >> 55)
                return -1;
            if (negative && (value >> 55) != 0x1ff)
                return -1;
            value = value << 8 | bytes[i];
        }
        *ret_value = (int64_t)value;
        return negative == (*ret_value < 0) ? 0 : -1;
    }
    size_t i = 0;
    while (i < width && field[i] == ' ')
        i++;
    int64_t value = 0;
    for (; i < width && field[i] >= '0' && field[i] <= '7'; i++)
        value = value << 3 | (field[i] - '0');
    for (; i < width; i++)
        if (field[i] != ' ' && field[i] != '\0')
            return -1;
    *ret_value = value;
    return 0;
}

int tar_number_parse(const char *text, uint64_t maximum, uint64_t *ret_value)
{
    uint64_t value = 0;
    if (!*text)
        return -1;
    for (; *text; text++) {
        if (*text < '0' || *text > '9' || value > (UINT64_MAX - 9) / 10)
            return -1;
        value = value * 10 + (uint64_t)(*text - '0');
    }
    if (value > maximum)
        return -1;
    *ret_value = value;
    return 0;
}

int tar_number_parse_time(const char *text, struct timespec *ret_time)
{
    bool negative = *text == '-';
    text += negative;
    char whole[24];
    size_t length = strcspn(text, ".");
    if (length >= sizeof whole)
        return -1;
    memcpy(whole, text, length);
    whole[length] = '\0';
    uint64_t seconds = 0;
    if (tar_number_parse(whole, INT64_MAX / 2, &seconds) < 0)
        return -1;
    long fraction = 0;
    long unit = 100000000;
    const char *digits = text + length;
    for (digits += *digits == '.'; *digits; digits++, unit /= 10) {
        if (*digits < '0' || *digits > '9')
            return -1;
        fraction += (*digits - '0') * unit;
    }
    struct timespec time = {.tv_sec = (time_t)seconds, .tv_nsec = fraction};
    if (negative) {
        time.tv_sec = -time.tv_sec - (fraction ? 1 : 0);
        time.tv_nsec = fraction ? 1000000000 - fraction : 0;
    }
    *ret_time = time;
    return 0;
}
