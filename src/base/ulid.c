#include "base/ulid.h"

#include "base/error.h"
#include "base/os.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

static const char alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

int ulid_make(struct os *os, struct ulid *ret_id, struct error *err)
{
    unsigned char random[10];
    if (os->random(os, random, sizeof random) < 0)
        return error_set_errno(err, ERROR_FAILED, errno, "random bytes");

    uint64_t time_ms = (uint64_t)(os->clock_wall_ns(os) / 1000000);
    for (int i = 9; i >= 0; i--) {
        ret_id->text[i] = alphabet[time_ms & 31];
        time_ms >>= 5;
    }
    /* 80 bits are two runs of 40, each eight characters. */
    for (int half = 0; half < 2; half++) {
        uint64_t bits = 0;
        for (int i = 0; i < 5; i++)
            bits = bits << 8 | random[half * 5 + i];
        for (int i = 7; i >= 0; i--) {
            ret_id->text[10 + half * 8 + i] = alphabet[bits & 31];
            bits >>= 5;
        }
    }
    ret_id->text[26] = '\0';
    return 0;
}

bool ulid_valid(const char *text)
{
    if (strlen(text) != 26 || text[0] > '7')
        return false;
    for (const char *at = text; *at; at++)
        if (!strchr(alphabet, toupper((unsigned char)*at)))
            return false;
    return true;
}
