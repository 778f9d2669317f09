/*
 * Short texts that people, files and servers write: times, sizes, names, patterns. The first byte
 * says what the others are.
 */
#include "fuzz.h"

#include "artifact/name.h"
#include "base/moment.h"
#include "base/options.h"
#include "base/text.h"
#include "base/ulid.h"
#include "crypto/base64.h"
#include "crypto/bech32.h"
#include "service/settings.h"

#include <ctype.h>
#include <strings.h>

static void try_moment(struct input *input)
{
    SCOPED(string) char *text = input_text(input);
    int64_t moment_ns = 0;
    int64_t again_ns = 0;
    char iso[32];
    char shown[32];
    if (moment_parse(text, &moment_ns) < 0)
        return;
    moment_format_iso(moment_ns, iso);
    moment_format_name(moment_ns, shown);
    moment_format_local(moment_ns, shown);
    MUST(moment_parse(iso, &again_ns) == 0);
    MUST(again_ns <= moment_ns && moment_ns - again_ns < MOMENT_SECOND);
}

static void try_numbers(struct input *input)
{
    SCOPED(string) char *text = input_text(input);
    struct error err = ERROR_INIT;
    int64_t integer = 0;
    uint64_t size = 0;
    bool boolean = false;
    char shown[32];
    if (text_parse_duration_ms(text, &integer, &err) == 0) {
        MUST(integer >= 0);
        text_format_duration(integer, shown);
    }
    if (text_parse_size(text, &size, &err) == 0) {
        MUST(size <= INT64_MAX);
        text_format_size(size, shown);
    }
    if (text_parse_int(text, -10, 10, &integer, &err) == 0)
        MUST(integer >= -10 && integer <= 10);
    if (text_parse_bool(text, &boolean, &err) < 0)
        MUST_SAY(&err);
    ulid_valid(text);
}

/* A path whose every character means itself. */
static bool is_literal(const char *path)
{
    return path[0] && !path[strcspn(path, "*?[\\")];
}

static void try_glob(struct input *input)
{
    SCOPED(string) char *pattern = input_line(input);
    SCOPED(string) char *path = input_text(input);
    /* fnmatch(3) itself takes a time that many stars and a long path raise without bound. */
    if (strlen(pattern) > 24 || strlen(path) > 64)
        return;
    text_glob(pattern, path);
    if (is_literal(path))
        MUST(text_glob(path, path));
    MUST(text_glob("**", path));
}

static void try_option(struct input *input)
{
    const struct option_row *row = &settings_rows[input_byte(input) % SETTING_COUNT];
    SCOPED(string) char *text = input_text(input);
    SCOPED(option_value) struct option_value value = {0};
    SCOPED(option_value) struct option_value again = {0};
    SCOPED(buf) struct buf shown = BUF_INIT;
    struct error err = ERROR_INIT;
    int result = row->type == OPTION_LIST ? option_value_parse_list(row, text, &value, &err)
                                          : option_value_parse(row, text, &value, &err);
    if (result < 0) {
        MUST(err.code == ERROR_USAGE);
        return;
    }
    option_value_format(row, &value, &shown);
    if (row->secret)
        MUST(strcmp(shown.data, "(hidden)") == 0);
    else if (row->type == OPTION_INT || row->type == OPTION_BOOL)
        MUST(option_value_parse(row, shown.data, &again, &err) == 0 &&
             again.integer == value.integer && again.boolean == value.boolean);
}

static bool is_safe(const char *text)
{
    for (; *text; text++)
        if (!isalnum((unsigned char)*text) && !strchr("._-", *text))
            return false;
    return true;
}

static void try_name(struct input *input)
{
    SCOPED(string) char *text = input_text(input);
    SCOPED(artifact_name) struct artifact_name name = {0};
    SCOPED(artifact_name) struct artifact_name again = {0};
    artifact_name_kind(text);
    /* What somebody else called it is made safe and short, so only names of ours come back. */
    if (!artifact_name_parse(text, &name) || !is_safe(text) || strlen(text) > 60)
        return;
    SCOPED(string) char *shown = artifact_name_format(&name);
    MUST(strlen(shown) <= 255 && !strchr(shown, '/'));
    MUST(artifact_name_parse(shown, &again));
    MUST(again.moment_ns == name.moment_ns && text_equal(again.kind, name.kind));
    MUST(again.compression == name.compression && again.encrypted == name.encrypted);
    SCOPED(string) char *last = artifact_name_format(&again);
    MUST(strcmp(last, shown) == 0);
}

/* A name that anybody gave: what is made of it can be read again. */
static void try_given_name(struct input *input)
{
    bool files = input_byte(input) & 1;
    SCOPED(string) char *given = input_text(input);
    SCOPED(artifact_name) struct artifact_name again = {0};
    char part[] = "files";
    char kind[] = "sql";
    struct artifact_name name = {.name = given,
                                 .part = files ? part : NULL,
                                 .moment_ns = INT64_C(1769824800000000000),
                                 .kind = kind,
                                 .clash = 1};
    SCOPED(string) char *shown = artifact_name_format(&name);
    MUST(strlen(shown) <= 250 && !strchr(shown, '/'));
    MUST(artifact_name_parse(shown, &again) == 1);
}

static void try_visible(struct input *input)
{
    SCOPED(buf) struct buf shown = BUF_INIT;
    const char *text = (const char *)input->data;
    text_append_visible(&shown, text, input->size);
    MUST(text_is_utf8(shown.data, shown.length));
    for (size_t i = 0; i < shown.length; i++)
        MUST((unsigned char)shown.data[i] >= 0x20 && shown.data[i] != 0x7F);
}

static void try_base64(struct input *input)
{
    unsigned char bytes[64];
    size_t size = 0;
    enum base64_padding padding = input_byte(input) & 1 ? BASE64_PADDED : BASE64_BARE;
    const char *text = (const char *)input->data;
    if (base64_decode(text, input->size, padding, bytes, sizeof bytes, &size) < 0)
        return;
    MUST(size <= sizeof bytes);
    SCOPED(buf) struct buf back = BUF_INIT;
    base64_append(&back, bytes, size);
    MUST(back.length <= input->size && memcmp(back.data, text, back.length) == 0);
}

static void try_bech32(struct input *input)
{
    SCOPED(string) char *text = input_text(input);
    unsigned char bytes[32];
    char back[BECH32_SIZE(15, 32)];
    if (bech32_decode(text, "age-secret-key-", bytes, sizeof bytes) < 0)
        return;
    bech32_encode("age-secret-key-", bytes, sizeof bytes, back);
    MUST(strcasecmp(back, text) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const ways[])(struct input *) = {try_moment,  try_numbers, try_glob,
                                                   try_option,  try_name,    try_given_name,
                                                   try_visible, try_base64,  try_bech32};
    struct input input = {data, size};
    if (size > 1)
        ways[input_byte(&input) % ARRAY_SIZE(ways)](&input);
    return 0;
}
