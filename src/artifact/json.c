#include "artifact/json.h"

#include "base/buf.h"
#include "base/text.h"

#include <stdint.h>
#include <string.h>

static void append_escape(struct buf *buf, uint32_t unit)
{
    static const char digits[] = "0123456789abcdef";
    char text[6] = {'\\',
                    'u',
                    digits[unit >> 12 & 15],
                    digits[unit >> 8 & 15],
                    digits[unit >> 4 & 15],
                    digits[unit & 15]};
    buf_append(buf, text, sizeof text);
}

/* One character below 0x80. */
static void append_ascii(struct buf *buf, char c)
{
    if (c == '"' || c == '\\')
        buf_append_char(buf, '\\');
    if ((unsigned char)c < 0x20 || c == 0x7F)
        append_escape(buf, (unsigned char)c);
    else
        buf_append_char(buf, c);
}

void json_append(struct buf *buf, const char *text)
{
    SCOPED(buf) struct buf visible = BUF_INIT;
    if (!text_is_utf8(text, strlen(text))) {
        text_append_visible(&visible, text, strlen(text));
        text = visible.data;
    }
    buf_append_char(buf, '"');
    for (; *text; text++)
        append_ascii(buf, *text);
    buf_append_char(buf, '"');
}

/* The character that valid UTF-8 begins with; *at moves behind it. */
static uint32_t take_character(const char **at)
{
    const unsigned char *bytes = (const unsigned char *)*at;
    int more = bytes[0] >= 0xF0 ? 3 : bytes[0] >= 0xE0 ? 2 : bytes[0] >= 0xC0 ? 1 : 0;
    uint32_t character = more == 3 ? bytes[0] & 7u : more == 2 ? bytes[0] & 15u : bytes[0] & 31u;
    if (more == 0)
        character = bytes[0];
    for (int i = 1; i <= more; i++)
        character = character << 6 | (bytes[i] & 63u);
    *at += more + 1;
    return character;
}

static void append_character(struct buf *buf, uint32_t character)
{
    if (character < 0x80) {
        append_ascii(buf, (char)character);
    } else if (character < 0x10000) {
        append_escape(buf, character);
    } else {
        append_escape(buf, 0xD800 + ((character - 0x10000) >> 10));
        append_escape(buf, 0xDC00 + ((character - 0x10000) & 0x3FF));
    }
}

static void append_hex(struct buf *buf, const char *text)
{
    for (; *text; text++) {
        char pair[3];
        text_hex(text, 1, pair);
        buf_append(buf, pair, 2);
    }
}

void json_append_exact(struct buf *buf, const char *key, const char *text)
{
    bool readable = text_is_utf8(text, strlen(text));
    buf_append_char(buf, '"');
    buf_append_text(buf, key);
    buf_append_text(buf, readable ? "\":\"" : "_hex\":\"");
    if (!readable)
        append_hex(buf, text);
    while (readable && *text)
        append_character(buf, take_character(&text));
    buf_append_char(buf, '"');
}
