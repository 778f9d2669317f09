/*
 * gzip members. Levels 1 to 3 are ISA-L's, which is several times faster than zlib at the same
 * size; 4 to 9 are zlib's own. Reading is zlib's.
 */
#ifndef KEDGE_IO_GZIP_H
#define KEDGE_IO_GZIP_H

struct decoder;
struct encoder;
struct sink;

#define GZIP_LEVEL_DEFAULT 1
#define GZIP_LEVEL_MAXIMUM 9

struct encoder *gzip_encoder_new(int level);
struct decoder *gzip_decoder_new(void);
/* One member into `next` (borrowed). */
struct sink *gzip_sink_new(int level, struct sink *next);

#endif
