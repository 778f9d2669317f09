/*
 * No compression, in the shape of one: a frame is its content.
 */
#ifndef KEDGE_IO_PLAIN_H
#define KEDGE_IO_PLAIN_H

struct decoder;
struct encoder;
struct sink;

struct encoder *plain_encoder_new(void);
struct decoder *plain_decoder_new(void);
struct sink *plain_sink_new(struct sink *next);

#endif
