/*
 * Names of any bytes in JSON, which holds UTF-8 only: what is none is written as {"hex": "..."}. A
 * name that were left out of a record would be one that nobody finds again.
 */
#ifndef KEDGE_BASE_JSON_TEXT_H
#define KEDGE_BASE_JSON_TEXT_H

#include <jansson.h>

/* A new value. */
json_t *json_text(const char *text);

/* To be freed; NULL when the value is neither of the two. */
char *json_text_value(const json_t *value);

#endif
