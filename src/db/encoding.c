#include "db/encoding.h"

#include "base/mem.h"

#include <iconv.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* The longest that one byte becomes in UTF-8. */
#define GROWTH 4

static const struct {
    const char *postgres, *iconv;
} encodings[] = {
    {"LATIN1", "ISO-8859-1"},
    {"LATIN2", "ISO-8859-2"},
    {"LATIN3", "ISO-8859-3"},
    {"LATIN4", "ISO-8859-4"},
    {"LATIN5", "ISO-8859-9"},
    {"LATIN6", "ISO-8859-10"},
    {"LATIN7", "ISO-8859-13"},
    {"LATIN8", "ISO-8859-14"},
    {"LATIN9", "ISO-8859-15"},
    {"LATIN10", "ISO-8859-16"},
    {"ISO_8859_5", "ISO-8859-5"},
    {"ISO_8859_6", "ISO-8859-6"},
    {"ISO_8859_7", "ISO-8859-7"},
    {"ISO_8859_8", "ISO-8859-8"},
    {"WIN866", "CP866"},
    {"WIN874", "CP874"},
    {"WIN1250", "CP1250"},
    {"WIN1251", "CP1251"},
    {"WIN1252", "CP1252"},
    {"WIN1253", "CP1253"},
    {"WIN1254", "CP1254"},
    {"WIN1255", "CP1255"},
    {"WIN1256", "CP1256"},
    {"WIN1257", "CP1257"},
    {"WIN1258", "CP1258"},
    {"KOI8R", "KOI8-R"},
    {"KOI8U", "KOI8-U"},
    {"EUC_JP", "EUC-JP"},
    {"EUC_JIS_2004", "EUC-JISX0213"},
    {"EUC_CN", "EUC-CN"},
    {"EUC_KR", "EUC-KR"},
    {"EUC_TW", "EUC-TW"},
};

static const char *find(const char *encoding)
{
    for (size_t i = 0; encoding && i < ARRAY_SIZE(encodings); i++)
        if (strcmp(encodings[i].postgres, encoding) == 0)
            return encodings[i].iconv;
    return NULL;
}

static bool is_ascii(const char *text)
{
    while (*text && (unsigned char)*text < 0x80)
        text++;
    return !*text;
}

char *encoding_to_utf8(const char *encoding, const char *text)
{
    const char *from = find(encoding);
    if (!from || is_ascii(text))
        return NULL;
    iconv_t converter = iconv_open("UTF-8", from);
    if (converter == (iconv_t)-1)
        return NULL;
    size_t left = strlen(text), room = GROWTH * left;
    SCOPED(string) char *converted = mem_alloc(room + 1, 1);
    char *in = (char *)(uintptr_t)text, *out = converted;
    bool done = iconv(converter, &in, &left, &out, &room) != (size_t)-1 && left == 0;
    iconv_close(converter);
    return done ? STEAL(converted) : NULL;
}
