/*
 * The encodings that a PostgreSQL database may have. Nothing in a backup is converted: its names
 * are in the database's own encoding, and who asks for one types UTF-8.
 */
#ifndef KEDGE_DB_ENCODING_H
#define KEDGE_DB_ENCODING_H

/* `text` in UTF-8, to be freed. NULL when it is that already, or the encoding (as the server calls
 * it; may be NULL) has no characters or is not known, or the text is none in it. */
char *encoding_to_utf8(const char *encoding, const char *text);

#endif
