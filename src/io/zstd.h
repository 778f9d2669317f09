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

/* `short_log`: the binary logarithm of the entries with which level 3 finds short matches; 0, and
 * at any other level: zstd's own choice. */
struct encoder *zstd_encoder_new(int level, int short_log);
/* Refuses streams that want a window of more than 128 MiB, as the zstd program does. */
struct decoder *zstd_decoder_new(void);
/* One frame into `next` (borrowed). */
struct sink *zstd_sink_new(int level, struct sink *next);

#endif
