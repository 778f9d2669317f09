#include "artifact/name.h"

#include "base/file.h"
#include "base/mem.h"
#include "base/moment.h"
#include "base/text.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Leaves room for the time, a part, a number, the endings and ".json" in the 255 bytes that file
 * systems allow. */
#define NAME_LONGEST 150
#define PART_LONGEST 40
#define TIME_LENGTH 17 /* 2026-01-31_020000 */

static const char *const kinds[] = {"sql", "sqlite3", "tar"};
static const char *const endings[] = {
    [COMPRESSION_NONE] = "", [COMPRESSION_ZSTD] = ".zst", [COMPRESSION_GZIP] = ".gz"};

void artifact_name_clear(struct artifact_name *name)
{
    free(name->name);
    free(name->part);
    free(name->kind);
    *name = (struct artifact_name){0};
}

static bool is_safe(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
}

static char *make_safe(const char *text, size_t longest)
{
    char *safe = text[0] ? mem_string_n(text, strnlen(text, longest)) : mem_string("_");
    for (char *at = safe; *at; at++)
        if (!is_safe(*at))
            *at = '_';
    return safe;
}

char *artifact_name_format(const struct artifact_name *name)
{
    SCOPED(string) char *safe = make_safe(name->name, NAME_LONGEST);
    SCOPED(string) char *part = name->part ? make_safe(name->part, PART_LONGEST) : NULL;
    char moment[32];
    moment_format_name(name->moment_ns, moment);
    char clash[16] = "";
    if (name->clash > 1)
        snprintf(clash, sizeof clash, "_%d", name->clash);
    return mem_format("%s_%s%s%s%s.%s%s%s", safe, moment, part ? "_" : "", part ? part : "", clash,
                      name->kind, endings[name->compression], name->encrypted ? ".age" : "");
}

/* Cut `ending` off the end of text, if there is something before it. */
static bool cut(char *text, const char *ending)
{
    size_t length = strlen(text);
    if (!ending[0] || !text_ends(text, ending) || length == strlen(ending))
        return false;
    text[length - strlen(ending)] = '\0';
    return true;
}

/* Take kind, compression and encryption off the end; the kind is NULL when it has none. */
static const char *cut_endings(char *text, enum compression *ret_compression, bool *ret_encrypted)
{
    *ret_encrypted = cut(text, ".age");
    *ret_compression = COMPRESSION_NONE;
    for (int i = COMPRESSION_ZSTD; i <= COMPRESSION_GZIP; i++)
        if (*ret_compression == COMPRESSION_NONE && cut(text, endings[i]))
            *ret_compression = (enum compression)i;
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        char ending[16];
        snprintf(ending, sizeof ending, ".%s", kinds[i]);
        if (cut(text, ending))
            return kinds[i];
    }
    return NULL;
}

const char *artifact_name_kind(const char *file)
{
    SCOPED(string) char *text = mem_string(path_base(file));
    enum compression compression;
    bool encrypted;
    return cut_endings(text, &compression, &encrypted);
}

/* Whether "_YYYY-MM-DD_HHMMSS" stands here. */
static bool parse_time(const char *text, int64_t *ret_moment_ns)
{
    static const char shape[] = "_dddd-dd-dd_dddddd";
    for (size_t i = 0; shape[i]; i++)
        if (shape[i] == 'd' ? !isdigit((unsigned char)text[i]) : text[i] != shape[i])
            return false;
    char iso[32];
    snprintf(iso, sizeof iso, "%.10sT%.2s:%.2s:%.2sZ", text + 1, text + 12, text + 14, text + 16);
    return moment_parse(iso, ret_moment_ns) == 0;
}

/* The number of "_2" as it is written, or 1 when it is none. */
static int parse_clash(const char *text)
{
    size_t length = strspn(text + 1, "0123456789");
    bool ours = length && length <= 6 && !text[length + 1] && text[1] != '0';
    return ours ? atoi(text + 1) : 1;
}

/* What follows the time: "", "_2", "_files" or "_files_2". */
static bool parse_rest(const char *rest, struct artifact_name *name)
{
    if (rest[0] && rest[0] != '_')
        return false;
    const char *last = strrchr(rest, '_');
    name->clash = last ? parse_clash(last) : 1;
    if (name->clash == 1)
        last = rest + strlen(rest);
    if (last > rest)
        name->part = mem_string_n(rest + 1, (size_t)(last - rest - 1));
    return !name->part || name->part[0];
}

int artifact_name_parse(const char *file, struct artifact_name *ret_name)
{
    SCOPED(string) char *text = mem_string(path_base(file));
    SCOPED(artifact_name) struct artifact_name name = {0};
    const char *kind = cut_endings(text, &name.compression, &name.encrypted);
    if (!kind)
        return 0;
    size_t length = strlen(text);
    size_t at = length < TIME_LENGTH + 2 ? 0 : length - TIME_LENGTH - 1;
    while (at > 0 && !parse_time(text + at, &name.moment_ns))
        at--;
    if (at == 0 || !parse_rest(text + at + TIME_LENGTH + 1, &name))
        return 0;
    name.name = mem_string_n(text, at);
    name.kind = mem_string(kind);
    *ret_name = name;
    name = (struct artifact_name){0};
    return 1;
}

bool artifact_kind_counts_rows(const char *kind)
{
    return !text_equal(kind, "sqlite3");
}
