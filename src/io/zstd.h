/*
 * zstd frames with their content checksum.
 */
#ifndef KEDGE_IO_ZSTD_H
#define KEDGE_IO_ZSTD_H

struct decoder;
struct encoder;
struct error;
struct sink;

#define ZSTD_LEVEL_DEFAULT 3
#define ZSTD_LEVEL_MINIMUM (-7)
#define ZSTD_LEVEL_MAXIMUM 19

/* How levels are made to fit frames of our size and what is in them; 0: as zstd has it. */
struct zstd_tuning {
    int stride;    /* level 1: literals are looked at so many bytes apart; zstd: 2 */
    int short_log; /* level 3: the binary logarithm of the entries that find short matches */
};

/* `tuning` may be NULL, and does nothing at other levels. */
struct encoder *zstd_encoder_new(int level, const struct zstd_tuning *tuning);
/* Refuses streams that want a window of more than 128 MiB, as the zstd program does. */
struct decoder *zstd_decoder_new(void);
/* One frame into `next` (borrowed). */
struct sink *zstd_sink_new(int level, struct sink *next);

#endif
