/*
 * The whole content of an artifact, decompressed and looked at but kept nowhere.
 */
#ifndef KEDGE_ARTIFACT_DECODE_H
#define KEDGE_ARTIFACT_DECODE_H

#include <stdint.h>

struct artifact_open_options;
struct error;
struct opened;
struct sha256;

struct decode_result {
    uint64_t plain;
    uint64_t frames; /* 0 when they are not known */
    char digest[65]; /* hex SHA-256 of the content where it proves something; else "" */
};

/* Decode everything and hand it to options->checker in order. Where the frames are known, their
 * stored bytes are hashed into `stored` in order too (may be NULL). */
int decode_all(const struct artifact_open_options *options, struct opened *opened,
               struct sha256 *stored, struct decode_result *ret_result, struct error *err);

#endif
