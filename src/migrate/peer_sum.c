#include "migrate/peer_sum.h"

#include "base/buf.h"
#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "crypto/sha384.h"
#include "migrate/folder.h"

#include <stdint.h>
#include <string.h>
#include <zlib.h>

/* Placeholders were filled in before it was summed. */
static int flyway_sum(const struct buf *text, char **ret_sum)
{
    uLong sum = crc32(0, NULL, 0);
    const char *at = text->length ? text->data : "";
    if (strstr(at, "${"))
        return 0;
    if (text_starts(at, "\xEF\xBB\xBF"))
        at += 3;
    while (*at) {
        size_t size = strcspn(at, "\r\n");
        sum = crc32(sum, (const unsigned char *)at, (uInt)size);
        at += size;
        at += at[0] == '\r' && at[1] == '\n' ? 2 : *at != '\0';
    }
    *ret_sum = mem_format("%d", (int)(int32_t)sum);
    return 1;
}

static int sqlx_sum(const struct buf *text, char **ret_sum, struct error *err)
{
    char sum[SHA384_TEXT];
    if (sha384_of(text->data, text->length, sum, err) < 0)
        return -1;
    *ret_sum = mem_string(sum);
    return 1;
}

int peer_sum_of(enum peer_sum kind, struct os *os, const char *path, char **ret_sum,
                struct error *err)
{
    SCOPED(buf) struct buf text = BUF_INIT_MAX(MIGRATION_FILE_MAXIMUM);
    if (kind == PEER_SUM_NONE)
        return 0;
    if (file_read_all(os, path, &text, err) < 0)
        return -1;
    return kind == PEER_SUM_SQLX ? sqlx_sum(&text, ret_sum, err) : flyway_sum(&text, ret_sum);
}
