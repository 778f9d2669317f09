/*
 * Bytes as COPY's text format has them: text with its special characters escaped, binary as hex.
 *
 * What is written goes to memory of the caller's, which has room for twice `size`; its end is
 * returned.
 */
#ifndef KEDGE_SOURCE_POSTGRES_ESCAPE_H
#define KEDGE_SOURCE_POSTGRES_ESCAPE_H

#include <stddef.h>

/* The server's encodings hold no ASCII byte within a character, so bytes are looked at one by one.
 */
char *escape_text(char *out, const char *text, size_t size);

/* Two digits a byte. */
char *escape_hex(char *out, const char *bytes, size_t size);

#endif
