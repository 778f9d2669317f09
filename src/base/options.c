#include "base/options.h"

#include "base/error.h"
#include "base/mem.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static void wipe_text(char *text)
{
    if (text)
        mem_wipe(text, strlen(text));
    free(text);
}

void option_value_clear(struct option_value *value)
{
    wipe_text(value->text);
    text_list_clear(&value->list);
    *value = (struct option_value){0};
}

/* Is `text` (of `length` bytes) one of the words in `words`? */
static bool has_word(const char *words, const char *text, size_t length, char between)
{
    while (*words) {
        const char *end = strchrnul(words, between);
        if ((size_t)(end - words) == length && memcmp(words, text, length) == 0)
            return true;
        words = *end ? end + 1 : end;
    }
    return false;
}

static int parse_choice(const struct option_row *row, const char *text, struct error *err)
{
    if (has_word(row->choices, text, strlen(text), ' '))
        return 0;
    SCOPED(buf) struct buf names = BUF_INIT;
    for (const char *c = row->choices; *c; c++)
        buf_append_text(&names, *c == ' ' ? ", " : (char[]){*c, '\0'});
    return error_set(err, ERROR_USAGE, "\"%s\" is none of %s", text, names.data);
}

static int parse_integer(const struct option_row *row, const char *text, int64_t *ret_value,
                         struct error *err)
{
    int64_t maximum = row->minimum || row->maximum ? row->maximum : INT64_MAX;
    return text_parse_int(text, row->minimum, maximum, ret_value, err);
}

static int parse_bytes(const char *text, int64_t *ret_value, struct error *err)
{
    uint64_t bytes = 0;
    if (text_parse_size(text, &bytes, err) < 0)
        return -1;
    *ret_value = (int64_t)bytes;
    return 0;
}

static int parse_text(const char *text, char **ret_text, struct error *err)
{
    if (!text[0])
        return error_set(err, ERROR_USAGE, "the value is empty");
    wipe_text(*ret_text);
    *ret_text = mem_string(text);
    return 0;
}

int option_value_parse(const struct option_row *row, const char *text, struct option_value *value,
                       struct error *err)
{
    switch (row->type) {
    case OPTION_BOOL:
        return text_parse_bool(text, &value->boolean, err);
    case OPTION_COUNT:
    case OPTION_INT:
        return parse_integer(row, text, &value->integer, err);
    case OPTION_DURATION:
        return text_parse_duration_ms(text, &value->integer, err);
    case OPTION_SIZE:
        return parse_bytes(text, &value->integer, err);
    case OPTION_LIST:
        if (!text[0])
            return error_set(err, ERROR_USAGE, "the value is empty");
        text_list_add(&value->list, text);
        return 0;
    case OPTION_CHOICE:
        if (parse_choice(row, text, err) < 0)
            return -1;
        return parse_text(text, &value->text, err);
    case OPTION_TEXT:
    case OPTION_PATH:
        return parse_text(text, &value->text, err);
    }
    return error_set(err, ERROR_FAILED, "option %s has no type", row->name);
}

int option_value_parse_list(const struct option_row *row, const char *text,
                            struct option_value *value, struct error *err)
{
    while (*text) {
        size_t blanks = strspn(text, " \t");
        const char *end = strchrnul(text, ',');
        size_t length = blanks > (size_t)(end - text) ? 0 : (size_t)(end - text) - blanks;
        SCOPED(string) char *item = mem_string_n(text + blanks, length);
        while (length && (item[length - 1] == ' ' || item[length - 1] == '\t'))
            item[--length] = '\0';
        if (length && option_value_parse(row, item, value, err) < 0)
            return -1;
        text = *end ? end + 1 : end;
    }
    return 0;
}

static void format_list(const struct text_list *list, struct buf *out)
{
    for (size_t i = 0; i < list->count; i++) {
        if (i)
            buf_append_text(out, ", ");
        buf_append_text(out, list->items[i]);
    }
}

/* In the unit that divides it, so that it reads as it was written. */
static void format_duration(int64_t ms, struct buf *out)
{
    static const struct {
        const char *name;
        int64_t ms;
    } units[] = {{"d", 86400000}, {"h", 3600000}, {"m", 60000}, {"s", 1000}, {"ms", 1}};
    for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
        if (ms % units[i].ms == 0 && (ms || units[i].ms == 1000)) {
            buf_append_format(out, "%" PRId64 "%s", ms / units[i].ms, units[i].name);
            return;
        }
    }
}

void option_value_format(const struct option_row *row, const struct option_value *value,
                         struct buf *out)
{
    if (row->secret) {
        buf_append_text(out, value->text || value->list.count ? "(hidden)" : "");
        return;
    }
    switch (row->type) {
    case OPTION_BOOL:
        buf_append_text(out, value->boolean ? "true" : "false");
        return;
    case OPTION_COUNT:
    case OPTION_INT:
    case OPTION_SIZE:
        buf_append_format(out, "%" PRId64, value->integer);
        return;
    case OPTION_DURATION:
        format_duration(value->integer, out);
        return;
    case OPTION_LIST:
        format_list(&value->list, out);
        return;
    case OPTION_TEXT:
    case OPTION_CHOICE:
    case OPTION_PATH:
        buf_append_text(out, value->text ? value->text : "");
        return;
    }
}

bool option_is_switch(const struct option_row *row)
{
    return row->type == OPTION_BOOL || row->type == OPTION_COUNT;
}

bool option_of_command(const struct option_row *row, const char *command)
{
    if (!row->commands)
        return false;
    if (strcmp(row->commands, "*") == 0)
        return true;
    size_t family = (size_t)(strchrnul(command, ' ') - command);
    return has_word(row->commands, command, strlen(command), ',') ||
           has_word(row->commands, command, family, ',');
}

const char *option_nearest(const char *text, const char *const *names)
{
    const char *nearest = NULL;
    size_t best = strlen(text) / 3 + 2; /* further away is a guess */
    for (; *names; names++) {
        size_t distance = text_distance(text, *names);
        bool begins = strlen(text) >= 3 && text_starts(*names, text);
        if (begins && distance >= best && !nearest)
            nearest = *names;
        if (distance < best) {
            best = distance;
            nearest = *names;
        }
    }
    return nearest;
}
