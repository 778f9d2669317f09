#include "service/secret_text.h"

#include "base/buf.h"
#include "base/error.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "io/process.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SECRET_MAXIMUM ((size_t)64 << 10)
#define PROGRAM_TIMEOUT_MS 30000

extern char **environ;

void secret_text_free(char *secret)
{
    if (secret)
        mem_wipe(secret, strlen(secret));
    free(secret);
}

int secret_text_read_file(struct os *os, const char *path, char **ret_secret, struct error *err)
{
    SCOPED(secret_buf) struct buf content = BUF_INIT_MAX(SECRET_MAXIMUM);
    buf_reserve(&content, SECRET_MAXIMUM); /* grown in place: no copies are left behind */
    if (file_read_all(os, path, &content, err) < 0)
        return -1;
    size_t length = strcspn(content.data, "\r\n");
    if (!length)
        return error_set(err, ERROR_USAGE, "%s: the first line is empty", path);
    *ret_secret = mem_string_n(content.data, length);
    return 0;
}

static void split_words(const char *text, struct text_list *words)
{
    while (*(text += strspn(text, " \t"))) {
        size_t length = strcspn(text, " \t");
        text_list_give(words, mem_string_n(text, length));
        text += length;
    }
}

/* The program's path: PATH is searched when the name has no '/'. To be freed; NULL when there is
 * none. */
static char *find_program(const char *name)
{
    if (strchr(name, '/'))
        return mem_string(name);
    const char *folders = getenv("PATH");
    for (const char *at = folders ? folders : "/usr/bin:/bin"; *at; at += *at == ':') {
        size_t length = strcspn(at, ":");
        SCOPED(string) char *folder = mem_string_n(at, length);
        SCOPED(string) char *path = path_join(length ? folder : ".", name);
        if (access(path, X_OK) == 0)
            return STEAL(path);
        at += length;
    }
    return NULL;
}

static int read_output(struct process *process, const char *program, struct buf *output,
                       struct error *err)
{
    char piece[4096];
    for (;;) {
        size_t got = 0;
        int more = process_read(process, piece, sizeof piece, &got, err);
        if (more <= 0)
            return more;
        buf_append(output, piece, got);
        mem_wipe(piece, got);
        if (buf_check(output, program, err) < 0)
            return -1;
    }
}

static int run_program(struct os *os, const char *program, const struct text_list *words,
                       struct buf *output, struct error *err)
{
    SCOPED(text_list) struct text_list environment = TEXT_LIST_INIT;
    for (char **variable = environ; *variable; variable++)
        text_list_add(&environment, *variable);
    const struct process_options options = {.os = os,
                                            .program = program,
                                            .arguments = words,
                                            .environment = &environment,
                                            .timeout_ms = PROGRAM_TIMEOUT_MS};
    SCOPED(process) struct process *process = NULL;
    if (process_start(&options, &process, err) < 0 ||
        read_output(process, program, output, err) < 0)
        return -1;
    return process_wait(process, err);
}

int secret_text_run(struct os *os, const char *command_line, char **ret_secret, struct error *err)
{
    SCOPED(text_list) struct text_list words = TEXT_LIST_INIT;
    split_words(command_line, &words);
    if (!words.count)
        return error_set(err, ERROR_USAGE, "no program after \"command:\"");
    SCOPED(string) char *program = find_program(words.items[0]);
    if (!program)
        return error_set(err, ERROR_USAGE, "program %s not found", words.items[0]);

    SCOPED(secret_buf) struct buf output = BUF_INIT_MAX(SECRET_MAXIMUM);
    buf_reserve(&output, SECRET_MAXIMUM);
    if (run_program(os, program, &words, &output, err) < 0)
        return -1;
    while (output.length && strchr("\r\n", output.data[output.length - 1]))
        output.data[--output.length] = '\0';
    if (!output.length || strlen(output.data) != output.length)
        return error_set(err, ERROR_FAILED, "%s printed no text", words.items[0]);
    *ret_secret = mem_string_n(output.data, output.length);
    return 0;
}
