#include "artifact/compression.h"

#include "base/error.h"
#include "base/text.h"
#include "io/codec.h"
#include "io/gzip.h"
#include "io/plain.h"
#include "io/zstd.h"

#include <string.h>

static const struct row {
    const char *name;
    enum compression kind;
    int minimum, maximum, usual;
} rows[] = {
    {"none", COMPRESSION_NONE, 0, 0, 0},
    {"zstd", COMPRESSION_ZSTD, ZSTD_LEVEL_MINIMUM, ZSTD_LEVEL_MAXIMUM, ZSTD_LEVEL_DEFAULT},
    {"gzip", COMPRESSION_GZIP, 1, GZIP_LEVEL_MAXIMUM, GZIP_LEVEL_DEFAULT},
};

static const struct row *row_of(enum compression kind)
{
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if (rows[i].kind == kind)
            return &rows[i];
    return &rows[0];
}

static int level_of(struct compression_choice choice)
{
    return choice.level ? choice.level : row_of(choice.kind)->usual;
}

int compression_parse(const char *text, struct compression_choice *ret_choice, struct error *err)
{
    size_t length = strcspn(text, ":");
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        const struct row *row = &rows[i];
        if (strlen(row->name) != length || strncmp(text, row->name, length) != 0)
            continue;
        int64_t level = 0;
        if (text[length] && row->maximum == 0)
            break;
        if (text[length] &&
            text_parse_int(text + length + 1, row->minimum, row->maximum, &level, err) < 0)
            return error_prefix(err, "compression %s", text);
        *ret_choice = (struct compression_choice){.kind = row->kind, .level = (int)level};
        return 0;
    }
    error_set(err, ERROR_USAGE, "\"%s\" is no compression", text);
    return error_hint(err, "zstd, zstd:LEVEL (1 to 19), gzip, gzip:LEVEL (1 to 9) or none");
}

char *compression_text(struct compression_choice choice)
{
    const struct row *row = row_of(choice.kind);
    if (row->kind == COMPRESSION_NONE)
        return mem_string(row->name);
    return mem_format("%s:%d", row->name, level_of(choice));
}

/* Measured against zstd's own choice in frames of our size. A table of 2^13 or 2^14 short matches
 * instead of 2^16: SQL text takes 15 % less time and no more room, pages of a database 10 % less
 * for 0.9 % more room, files 5 % less for 0.3 %. A stride of 3: SQL text takes 10 to 14 % less time
 * for 0.7 % more room. */
static const struct zstd_tuning sql_tuning = {.stride = 3, .short_log = 13};
static const struct zstd_tuning other_tuning = {.short_log = 14};

struct encoder *compression_encoder(struct compression_choice choice, const char *artifact_kind)
{
    if (choice.kind == COMPRESSION_ZSTD)
        return zstd_encoder_new(level_of(choice),
                                strcmp(artifact_kind, "sql") == 0 ? &sql_tuning : &other_tuning);
    if (choice.kind == COMPRESSION_GZIP)
        return gzip_encoder_new(level_of(choice));
    return plain_encoder_new();
}

struct decoder *compression_decoder(enum compression kind)
{
    if (kind == COMPRESSION_ZSTD)
        return zstd_decoder_new();
    if (kind == COMPRESSION_GZIP)
        return gzip_decoder_new();
    return plain_decoder_new();
}

struct sink *compression_sink(struct compression_choice choice, struct sink *next)
{
    if (choice.kind == COMPRESSION_ZSTD)
        return zstd_sink_new(level_of(choice), next);
    if (choice.kind == COMPRESSION_GZIP)
        return gzip_sink_new(level_of(choice), next);
    return plain_sink_new(next);
}

enum compression compression_sniff(const void *data, size_t size)
{
    const uint8_t *bytes = data;
    if (size >= 4 && memcmp(bytes, "\x28\xB5\x2F\xFD", 4) == 0)
        return COMPRESSION_ZSTD;
    /* A skippable frame: pzstd begins with one. */
    if (size >= 4 && (bytes[0] & 0xF0) == 0x50 && memcmp(bytes + 1, "\x2A\x4D\x18", 3) == 0)
        return COMPRESSION_ZSTD;
    if (size >= 3 && memcmp(bytes, "\x1F\x8B\x08", 3) == 0)
        return COMPRESSION_GZIP;
    return COMPRESSION_NONE;
}
