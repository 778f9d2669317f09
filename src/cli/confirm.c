#include "cli/confirm.h"

#include "base/error.h"
#include "base/stop.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/console.h"
#include "service/settings.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

bool confirm_is_forced(const struct cli *cli)
{
    return settings_bool(cli->settings, SETTING_FORCE) ||
           settings_bool(cli->settings, SETTING_MIGRATIONS_FORCE) ||
           settings_bool(cli->settings, SETTING_YES);
}

/* A line from the terminal, without its end; the empty one at the end of input. */
static int read_answer(char *answer, size_t size, struct error *err)
{
    size_t length = 0;
    for (;;) {
        if (stop_check(err) < 0)
            return -1;
        struct pollfd wait = {.fd = STDIN_FILENO, .events = POLLIN};
        if (poll(&wait, 1, 500) <= 0)
            continue;
        char c = 0;
        ssize_t got = read(STDIN_FILENO, &c, 1);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0 || c == '\n')
            break;
        if (length + 1 < size)
            answer[length++] = c;
    }
    while (length && (answer[length - 1] == ' ' || answer[length - 1] == '\r'))
        length--;
    answer[length] = '\0';
    return stop_check(err);
}

/* `migrate refresh --force` would also pass by another tool's history. */
static int refuse(const struct cli *cli, const char *what, struct error *err)
{
    bool migrates = text_starts(cli->command->name, "migrate ");
    error_set(err, ERROR_DECLINED, "%s needs a confirmation, and there is no terminal to ask",
              what);
    return error_hint(err, "add --%s when it is meant", migrates ? "yes" : "force");
}

static int ask(const char *question, char *answer, size_t size, struct error *err)
{
    fflush(stdout);
    fprintf(stderr, "%s ", question);
    fflush(stderr);
    return read_answer(answer, size, err);
}

int confirm_ask(const struct cli *cli, const char *what, const char *question, struct error *err)
{
    if (confirm_is_forced(cli))
        return 0;
    char answer[64];
    char line[512];
    snprintf(line, sizeof line, "%s (yes/no) [no]:", question);
    if (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO))
        return refuse(cli, what, err);
    if (ask(line, answer, sizeof answer, err) < 0)
        return -1;
    if (strcasecmp(answer, "yes") == 0 || strcasecmp(answer, "y") == 0)
        return 0;
    return error_set(err, ERROR_DECLINED, "declined: %s", what);
}

int confirm_ask_production(const struct cli *cli, const char *what, struct error *err)
{
    return confirm_ask(cli, what, "This is PRODUCTION. Are you absolutely sure?", err);
}
