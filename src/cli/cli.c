#include "cli/cli.h"

#include "base/error.h"
#include "base/log.h"
#include "base/os.h"
#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/help.h"
#include "cli/console.h"
#include "service/settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int set_log(const struct cli *cli, struct error *err)
{
    static const char *const names[] = {"error", "warning", "info", "debug"};
    const char *level = settings_text(cli->settings, SETTING_LOG_LEVEL);
    for (int i = 0; i < 4; i++)
        if (text_equal(level, names[i]))
            log_set_level((enum log_level)i);
    if (settings_integer(cli->settings, SETTING_VERBOSE) > 0)
        log_set_level(LOG_DEBUG);
    const char *file = settings_text(cli->settings, SETTING_LOG_FILE);
    return file ? log_set_file(file, err) : 0;
}

static int show_help(const struct cli *cli)
{
    SCOPED(buf) struct buf out = BUF_INIT;
    if (cli->command)
        help_command(cli->command, &out);
    else if (cli->family)
        help_family(cli->family, &out);
    else
        help_overview(&out);
    fputs(out.data, stdout);
    return 0;
}

static int act(struct cli *cli, struct error *err)
{
    if (cli->version)
        return command_version(cli, err);
    if (cli->help)
        return show_help(cli);
    if (!cli->command) {
        error_set(err, ERROR_USAGE, "no command");
        return error_hint(err, "kedge --help lists the commands");
    }
    if (cli->password_seen)
        console_warning(
            "a password on the command line can be seen by other users; DATABASE_URL or "
            "the configuration file is a better place");
    if (cli->command->flags & COMMAND_BEGINS)
        settings_allow_missing_file(cli->settings);
    if (!(cli->command->flags & COMMAND_PLAIN) &&
        (settings_load(cli->settings, err) < 0 || set_log(cli, err) < 0))
        return -1;
    return cli->command->run(cli, err);
}

int cli_main(struct os *os, int argc, char **argv)
{
    struct error err = ERROR_INIT;
    SCOPED(settings) struct settings *settings = settings_new(os);
    struct cli cli = {.os = os, .settings = settings};
    int status = arguments_read(&cli, argc, argv, &err) < 0 ? -1 : act(&cli, &err);
    if (status < 0 && !cli.error_told)
        console_error(&cli, &err);
    if (status < 0)
        status = error_exit_status(err.code);
    if (console_flush(&err) < 0 && status == 0) {
        console_error(&cli, &err);
        status = 1;
    }
    text_list_clear(&cli.arguments);
    free(cli.family);
    return status;
}
