/*
 * Text: lists of it, numbers in it, sizes and durations as people write them, and text that is safe
 * to show.
 */
#ifndef KEDGE_BASE_TEXT_H
#define KEDGE_BASE_TEXT_H

#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;

/* A list of owned strings, ended by NULL (items is NULL when the list is empty and was never
 * grown). */
struct text_list {
    char **items;
    size_t count;
    size_t capacity;
};

#define TEXT_LIST_INIT ((struct text_list){0})

void text_list_add(struct text_list *list, const char *text);                 /* copies */
void text_list_give(struct text_list *list, char *text);                      /* takes over */
void text_list_add_all(struct text_list *list, const struct text_list *from); /* copies */
bool text_list_has(const struct text_list *list, const char *text);
void text_list_sort(struct text_list *list);                             /* bytewise */
char *text_list_join(const struct text_list *list, const char *between); /* to be freed */
void text_list_clear(struct text_list *list);

static inline void scoped_text_list_cleanup(struct text_list *list)
{
    text_list_clear(list);
}

bool text_equal(const char *a, const char *b); /* NULL equals NULL only */
bool text_starts(const char *text, const char *prefix);
bool text_ends(const char *text, const char *suffix);

/* 'a' for 'A'; every other byte is itself. The locale has no say. */
char text_lower(char c);
void text_lower_all(char *text); /* in place */

/* Whole-string parses: 0, or -1 with ERROR_USAGE `"<text>" is not a …`. */
int text_parse_int(const char *text, int64_t minimum, int64_t maximum, int64_t *ret_value,
                   struct error *err);
/* yes no true false on off 1 0 */
int text_parse_bool(const char *text, bool *ret_value, struct error *err);
/* 500ms 5s 2m 1h 7d; a bare number is seconds. */
int text_parse_duration_ms(const char *text, int64_t *ret_ms, struct error *err);
/* 64MiB 10MB 4k 123 */
int text_parse_size(const char *text, uint64_t *ret_bytes, struct error *err);

/* "24.5 MB" (MB = 10^6), "512 B". */
void text_format_size(uint64_t bytes, char ret_text[static 32]);
/* "145ms", "2.5s", "3m 04s", "2h 05m". */
void text_format_duration(int64_t duration_ms, char ret_text[static 32]);

bool text_is_utf8(const char *data, size_t size);

/* `text` so that a terminal shows it and obeys nothing in it: control characters, DEL and bytes
 * that are no UTF-8 become \n, \t, \xNN. */
void text_append_visible(struct buf *buf, const char *text, size_t size);

/* Lower-case hex. `ret_text` has room for 2 * size + 1. */
void text_hex(const void *data, size_t size, char *ret_text);
/* 0, or -1 when it is not exactly 2 * size hex digits. */
int text_unhex(const char *text, void *ret_data, size_t size);

/* Edit distance, for "did you mean". */
size_t text_distance(const char *a, const char *b);

/* Shell-style pattern: `*` and `?` do not cross '/', `**` does, [sets] as fnmatch(3); what follows
 * `**` and '/' begins where a name begins. A pattern without '/' is matched against the last
 * component of `path` too. */
bool text_glob(const char *pattern, const char *path);

#endif
