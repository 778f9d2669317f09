#include "base/dotenv.h"

#include "base/buf.h"
#include "base/error.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

struct reader {
    const char *file;
    const char *at;
    size_t line;
    struct dotenv *dotenv;
};

#define NAME_CHARACTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_."

void dotenv_clear(struct dotenv *dotenv)
{
    for (size_t i = 0; i < dotenv->count; i++) {
        mem_wipe(dotenv->variables[i].value, strlen(dotenv->variables[i].value));
        free(dotenv->variables[i].value);
        free(dotenv->variables[i].name);
    }
    free(dotenv->variables);
    *dotenv = DOTENV_INIT;
}

const char *dotenv_get(const struct dotenv *dotenv, const char *name)
{
    for (size_t i = dotenv->count; i > 0; i--)
        if (strcmp(dotenv->variables[i - 1].name, name) == 0)
            return dotenv->variables[i - 1].value;
    return NULL;
}

static int refuse(const struct reader *reader, const char *what, struct error *err)
{
    return error_set(err, ERROR_USAGE, "%s:%zu: %s", reader->file, reader->line, what);
}

/* ${NAME} at reader->at, or a lone dollar. */
static int read_reference(struct reader *reader, struct buf *value, struct error *err)
{
    if (reader->at[1] != '{') {
        buf_append_char(value, *reader->at++);
        return 0;
    }
    size_t length = strspn(reader->at + 2, NAME_CHARACTERS);
    if (!length || reader->at[2 + length] != '}')
        return refuse(reader, "a \"${\" that is not ${NAME}", err);
    SCOPED(string) char *name = mem_string_n(reader->at + 2, length);
    const char *found = getenv(name);
    if (!found)
        found = dotenv_get(reader->dotenv, name);
    buf_append_text(value, found ? found : "");
    reader->at += length + 3;
    return 0;
}

static void read_escape(struct reader *reader, struct buf *value)
{
    static const char escapes[][2] = {{'n', '\n'}, {'r', '\r'},  {'t', '\t'},
                                      {'"', '"'},  {'\\', '\\'}, {'$', '$'}};
    for (size_t i = 0; i < ARRAY_SIZE(escapes); i++) {
        if (reader->at[1] == escapes[i][0]) {
            buf_append_char(value, escapes[i][1]);
            reader->at += 2;
            return;
        }
    }
    buf_append_char(value, *reader->at++);
}

static int read_quoted(struct reader *reader, struct buf *value, struct error *err)
{
    char quote = *reader->at++;
    size_t first_line = reader->line;
    while (*reader->at != quote) {
        char c = *reader->at;
        if (!c) {
            reader->line = first_line;
            return refuse(reader, "a quote that is not closed", err);
        }
        if (c == '\n')
            reader->line++;
        if (quote == '"' && c == '\\') {
            read_escape(reader, value);
        } else if (quote == '"' && c == '$') {
            if (read_reference(reader, value, err) < 0)
                return -1;
        } else {
            buf_append_char(value, c);
            reader->at++;
        }
    }
    reader->at++;
    reader->at += strspn(reader->at, " \t\r");
    if (*reader->at == '#')
        reader->at += strcspn(reader->at, "\n");
    if (*reader->at && *reader->at != '\n')
        return refuse(reader, "text after the closing quote", err);
    return 0;
}

/* Up to the end of the line or a comment; a # inside a word belongs to it. */
static int read_plain(struct reader *reader, struct buf *value, struct error *err)
{
    while (*reader->at && *reader->at != '\n') {
        if (*reader->at == '#' && (!value->length || strchr(" \t", value->data[value->length - 1])))
            break;
        if (*reader->at == '$') {
            if (read_reference(reader, value, err) < 0)
                return -1;
        } else {
            buf_append_char(value, *reader->at++);
        }
    }
    while (value->length && strchr(" \t\r", value->data[value->length - 1]))
        value->data[--value->length] = '\0';
    reader->at += strcspn(reader->at, "\n");
    return 0;
}

static int read_variable(struct reader *reader, struct error *err)
{
    if (strncmp(reader->at, "export ", 7) == 0)
        reader->at += 7 + strspn(reader->at + 7, " \t");
    size_t length = strspn(reader->at, NAME_CHARACTERS);
    const char *equals = reader->at + length + strspn(reader->at + length, " \t");
    if (!length || *equals != '=')
        return refuse(reader, "not NAME=value", err);
    SCOPED(string) char *name = mem_string_n(reader->at, length);
    reader->at = equals + 1 + strspn(equals + 1, " \t");

    struct buf value = BUF_INIT;
    bool quoted = *reader->at == '"' || *reader->at == '\'';
    int result = quoted ? read_quoted(reader, &value, err) : read_plain(reader, &value, err);
    if (result < 0) {
        buf_wipe(&value);
        return -1;
    }
    struct dotenv *dotenv = reader->dotenv;
    ARRAY_GROW(dotenv->variables, dotenv->count, dotenv->capacity);
    dotenv->variables[dotenv->count++] =
        (struct dotenv_variable){.name = STEAL(name), .value = buf_steal(&value)};
    return 0;
}

static int read_all(struct reader *reader, struct error *err)
{
    while (*reader->at) {
        reader->at += strspn(reader->at, " \t\r");
        if (*reader->at == '#')
            reader->at += strcspn(reader->at, "\n");
        else if (*reader->at && *reader->at != '\n' && read_variable(reader, err) < 0)
            return -1;
        if (*reader->at == '\n') {
            reader->at++;
            reader->line++;
        }
    }
    return 0;
}

int dotenv_parse(const char *file, const char *text, size_t size, struct dotenv *ret_dotenv,
                 struct error *err)
{
    if (memchr(text, '\0', size))
        return error_set(err, ERROR_USAGE, "%s: holds a NUL character, is no text", file);
    SCOPED(dotenv) struct dotenv dotenv = DOTENV_INIT;
    SCOPED(string) char *copy = mem_string_n(text, size);
    struct reader reader = {.file = file,
                            .at = strncmp(copy, "\xEF\xBB\xBF", 3) == 0 ? copy + 3 : copy,
                            .line = 1,
                            .dotenv = &dotenv};
    int result = read_all(&reader, err);
    mem_wipe(copy, size);
    if (result < 0)
        return -1;
    *ret_dotenv = dotenv;
    dotenv = DOTENV_INIT;
    return 0;
}
