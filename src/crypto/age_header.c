#include "crypto/age_header.h"

#include "base/buf.h"
#include "base/error.h"
#include "base/mem.h"
#include "crypto/age_kdf.h"
#include "crypto/base64.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define VERSION_LINE AGE_MAGIC "v1\n"
#define FOOTER "---"
#define COLUMNS 64
#define COLUMN_BYTES (COLUMNS / 4 * 3)

/* ---- reading ---- */

size_t age_header_find_end(const char *text, size_t size)
{
    const char *footer = memmem(text, size, "\n" FOOTER, 1 + strlen(FOOTER));
    if (!footer)
        return 0;
    size_t before = (size_t)(footer - text) + 1;
    const char *end = memchr(text + before, '\n', size - before);
    return end ? (size_t)(end - text) + 1 : 0;
}

struct lines {
    const char *at;
    const char *end;
    int number; /* of the line that was taken last */
};

struct line {
    const char *text;
    size_t length;
};

static int bad_line(const struct lines *lines, const char *why, struct error *err)
{
    return error_set(err, ERROR_CORRUPT, "age header: line %d %s", lines->number, why);
}

static int next_line(struct lines *lines, struct line *ret_line, struct error *err)
{
    const char *end = memchr(lines->at, '\n', (size_t)(lines->end - lines->at));
    lines->number++;
    if (!end)
        return bad_line(lines, "is missing", err);
    *ret_line = (struct line){lines->at, (size_t)(end - lines->at)};
    lines->at = end + 1;
    return 0;
}

static bool line_starts(const struct line *line, const char *prefix)
{
    size_t length = strlen(prefix);
    return line->length >= length && memcmp(line->text, prefix, length) == 0;
}

static bool is_word(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (text[i] < 33 || text[i] > 126)
            return false;
    return length > 0;
}

/* "-> TYPE ARGUMENT…", one blank between words. */
static int parse_words(const struct lines *lines, const struct line *line, struct text_list *words,
                       struct error *err)
{
    if (!line_starts(line, "-> "))
        return bad_line(lines, "is not the start of a stanza", err);
    const char *at = line->text + 3;
    const char *end = line->text + line->length;
    for (;;) {
        const char *blank = memchr(at, ' ', (size_t)(end - at));
        size_t length = (size_t)((blank ? blank : end) - at);
        if (!is_word(at, length))
            return bad_line(lines, "has an argument that is none", err);
        text_list_give(words, mem_string_n(at, length));
        if (!blank)
            return 0;
        at = blank + 1;
    }
}

/* Full lines, then one that is shorter, and may be empty. */
static int parse_body(struct lines *lines, struct buf *body, struct error *err)
{
    struct line line = {0};
    do {
        unsigned char bytes[COLUMN_BYTES];
        size_t size = 0;
        if (next_line(lines, &line, err) < 0)
            return -1;
        if (line.length > COLUMNS)
            return bad_line(lines, "is longer than 64 characters", err);
        if (base64_decode(line.text, line.length, BASE64_BARE, bytes, sizeof bytes, &size) < 0)
            return bad_line(lines, "is not canonical base64", err);
        buf_append(body, bytes, size);
    } while (line.length == COLUMNS);
    return 0;
}

static struct age_stanza *new_stanza(struct age_header *header)
{
    ARRAY_GROW(header->stanzas, header->count, header->capacity);
    struct age_stanza *stanza = &header->stanzas[header->count++];
    *stanza = (struct age_stanza){.words = TEXT_LIST_INIT, .body = BUF_INIT};
    return stanza;
}

static int parse_footer(const struct lines *lines, const struct line *line,
                        unsigned char ret_mac[static AGE_MAC_SIZE], struct error *err)
{
    size_t size = 0;
    if (!line_starts(line, FOOTER " ") ||
        base64_decode(line->text + 4, line->length - 4, BASE64_BARE, ret_mac, AGE_MAC_SIZE, &size) <
            0 ||
        size != AGE_MAC_SIZE)
        return bad_line(lines, "is not a MAC", err);
    if (lines->at != lines->end)
        return bad_line(lines, "is not the last one", err);
    return 0;
}

static int parse_version(const char *text, size_t size, struct error *err)
{
    size_t length = strlen(VERSION_LINE);
    if (size >= length && memcmp(text, VERSION_LINE, length) == 0)
        return 0;
    if (size < strlen(AGE_MAGIC) || memcmp(text, AGE_MAGIC, strlen(AGE_MAGIC)) != 0)
        return error_set(err, ERROR_CORRUPT, "not an age file");
    return error_set(err, ERROR_CORRUPT,
                     "age header: the version is not v1, the only one that is known");
}

int age_header_parse(const char *text, size_t size, struct age_header *ret_header,
                     struct error *err)
{
    if (parse_version(text, size, err) < 0)
        return -1;
    struct lines lines = {.at = text + strlen(VERSION_LINE), .end = text + size, .number = 1};
    struct line line = {0};
    for (;;) {
        if (next_line(&lines, &line, err) < 0)
            return -1;
        if (line_starts(&line, FOOTER))
            break;
        struct age_stanza *stanza = new_stanza(ret_header);
        if (parse_words(&lines, &line, &stanza->words, err) < 0 ||
            parse_body(&lines, &stanza->body, err) < 0)
            return -1;
    }
    if (ret_header->count == 0)
        return bad_line(&lines, "comes before any recipient", err);
    ret_header->signed_size = (size_t)(line.text - text) + strlen(FOOTER);
    return parse_footer(&lines, &line, ret_header->mac, err);
}

void age_header_clear(struct age_header *header)
{
    for (size_t i = 0; i < header->count; i++) {
        text_list_clear(&header->stanzas[i].words);
        buf_clear(&header->stanzas[i].body);
    }
    free(header->stanzas);
    *header = (struct age_header)AGE_HEADER_INIT;
}

/* ---- the MAC ---- */

static void header_mac(const char *text, size_t size, const unsigned char *file_key,
                       unsigned char ret_mac[static AGE_MAC_SIZE])
{
    unsigned char key[AGE_KEY_SIZE];
    age_hkdf(file_key, AGE_FILE_KEY_SIZE, NULL, 0, "header", key);
    crypto_auth_hmacsha256(ret_mac, (const unsigned char *)text, size, key);
    mem_wipe(key, sizeof key);
}

int age_header_check(const struct age_header *header, const char *text,
                     const unsigned char *file_key, struct error *err)
{
    unsigned char mac[AGE_MAC_SIZE];
    header_mac(text, header->signed_size, file_key, mac);
    if (sodium_memcmp(mac, header->mac, sizeof mac) != 0)
        return error_set(err, ERROR_CORRUPT, "age header: damaged, its MAC does not fit");
    return 0;
}

/* ---- writing ---- */

void age_header_begin(struct buf *header)
{
    buf_append_text(header, VERSION_LINE);
}

void age_header_add(struct buf *header, const char *line, const void *body, size_t size)
{
    buf_append_format(header, "-> %s\n", line);
    const unsigned char *at = body;
    for (; size >= COLUMN_BYTES; at += COLUMN_BYTES, size -= COLUMN_BYTES) {
        base64_append(header, at, COLUMN_BYTES);
        buf_append_char(header, '\n');
    }
    base64_append(header, at, size);
    buf_append_char(header, '\n');
}

void age_header_end(struct buf *header, const unsigned char *file_key)
{
    buf_append_text(header, FOOTER);
    unsigned char mac[AGE_MAC_SIZE];
    header_mac(header->data, header->length, file_key, mac);
    buf_append_char(header, ' ');
    base64_append(header, mac, sizeof mac);
    buf_append_char(header, '\n');
}
