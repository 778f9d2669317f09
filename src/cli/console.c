#include "cli/console.h"

#include "base/buf.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/moment.h"
#include "base/text.h"
#include "cli/commands.h"
#include "service/settings.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* Line ends that are ours stay; whatever else could move the cursor does not. */
static void print_visible(FILE *to, const char *prefix, const char *text)
{
    SCOPED(buf) struct buf out = BUF_INIT;
    buf_append_text(&out, prefix);
    text_append_visible(&out, text, strlen(text));
    buf_append_char(&out, '\n');
    /* Where both go to one file, in the order in which they were said. */
    if (to == stderr)
        fflush(stdout);
    fwrite(out.data, 1, out.length, to);
}

static void print_to(FILE *to, const char *prefix, const char *format, va_list args)
    __attribute__((format(printf, 3, 0)));

static void print_to(FILE *to, const char *prefix, const char *format, va_list args)
{
    SCOPED(string) char *text = mem_format_v(format, args);
    print_visible(to, prefix, text);
}

void console_result(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    print_to(stdout, "", format, args);
    va_end(args);
}

void console_note(const struct cli *cli, const char *format, ...)
{
    if (settings_bool(cli->settings, SETTING_QUIET))
        return;
    va_list args;
    va_start(args, format);
    print_to(stderr, "", format, args);
    va_end(args);
}

void console_message(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    print_to(stderr, "", format, args);
    va_end(args);
}

void console_warning(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    print_to(stderr, "kedge: warning: ", format, args);
    va_end(args);
}

void console_error(const struct cli *cli, const struct error *err)
{
    bool bare = cli->command && (cli->command->flags & COMMAND_OLD);
    print_visible(stderr, bare ? "" : "kedge: error: ", err->message);
    if (err->hint[0])
        print_visible(stderr, "hint: ", err->hint);
}

void console_json(json_t *object)
{
    SCOPED(string)
    char *text = json_dumps(object, JSON_COMPACT | JSON_PRESERVE_ORDER | JSON_ENSURE_ASCII);
    json_decref(object);
    if (text)
        puts(text);
}

json_t *console_json_count(uint64_t count)
{
    return count == UINT64_MAX ? json_null() : json_integer((json_int_t)count);
}

bool console_wants_json(const struct cli *cli)
{
    return settings_bool(cli->settings, SETTING_JSON);
}

void console_megabytes(uint64_t bytes, const char *between, char ret_text[static 32])
{
    int digits = bytes && bytes < 95000 ? 3 : 1;
    for (uint64_t limit = 9500; bytes && bytes < limit && digits < 6; limit /= 10)
        digits++;
    snprintf(ret_text, 32, "%.*f%sMB", digits, (double)bytes / 1e6, between);
}

json_t *console_json_text(const char *text)
{
    if (!text)
        return json_null();
    json_t *value = json_string(text);
    if (value)
        return value;
    /* A name that is no UTF-8: JSON cannot hold it as it is. */
    SCOPED(buf) struct buf out = BUF_INIT;
    text_append_visible(&out, text, strlen(text));
    return json_string(out.data);
}

json_t *console_json_list(const struct text_list *list)
{
    json_t *array = json_array();
    for (size_t i = 0; i < list->count; i++)
        json_array_append_new(array, console_json_text(list->items[i]));
    return array;
}

json_t *console_json_moment(int64_t moment_ns)
{
    if (!moment_ns)
        return json_null();
    char text[32];
    moment_format_iso(moment_ns, text);
    return json_string(text);
}

int console_flush(struct error *err)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return 0;
    return error_set_errno(err, ERROR_FAILED, errno ? errno : EIO, "write to standard output");
}

size_t console_terminal_width(int fd)
{
    struct winsize size;
    if (!isatty(fd))
        return 0;
    if (ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col)
        return size.ws_col;
    return 80;
}
