/*
 * The manual page, from the rows.
 */
#include "base/buf.h"
#include "base/options.h"
#include "cli/commands.h"
#include "cli/help.h"
#include "service/settings.h"

#include <stdio.h>
#include <string.h>

/* Text that roff takes as it is. */
static void add_text(struct buf *out, const char *text)
{
    for (const char *c = text; *c; c++) {
        if ((c == text || c[-1] == '\n') && (*c == '.' || *c == '\''))
            buf_append_text(out, "\\&");
        if (*c == '\\')
            buf_append_text(out, "\\e");
        else if (*c == '-')
            buf_append_text(out, "\\-");
        else
            buf_append_char(out, *c);
    }
}

static void add_command(struct buf *out, const struct command *command)
{
    buf_append_text(out, ".TP\n.B kedge ");
    add_text(out, command->name);
    if (command->arguments) {
        buf_append_text(out, " \\fI");
        add_text(out, command->arguments);
        buf_append_text(out, "\\fR");
    }
    buf_append_char(out, '\n');
    add_text(out, command->summary ? command->summary : "");
    buf_append_char(out, '\n');
    if (command->examples) {
        buf_append_text(out, ".IP\n.EX\n");
        add_text(out, command->examples);
        buf_append_text(out, "\n.EE\n");
    }
}

static void add_old_spelling(struct buf *out, const struct command *command)
{
    buf_append_text(out, ".TP\n.B kedge ");
    add_text(out, command->name);
    buf_append_text(out, "\nthe old spelling of ");
    add_text(out, command->like);
    buf_append_char(out, '\n');
}

static void add_labelled(struct buf *out, const char *label, const char *text)
{
    if (!text)
        return;
    buf_append_format(out, " %s: ", label);
    add_text(out, text);
    buf_append_char(out, '.');
}

/* "restore, migrate up, migrate down" */
static void add_commands(struct buf *out, const char *commands_of)
{
    SCOPED(buf) struct buf text = BUF_INIT;
    for (const char *c = commands_of; *c; c++) {
        buf_append_char(&text, *c);
        if (*c == ',')
            buf_append_char(&text, ' ');
    }
    add_labelled(out, "Of", text.data);
}

static void add_setting(struct buf *out, const struct option_row *row)
{
    SCOPED(buf) struct buf usage = BUF_INIT;
    if (row->commands)
        help_option_usage(row, &usage);
    else
        buf_append_text(&usage, row->path ? row->path : row->name);
    buf_append_text(out, ".TP\n.B ");
    add_text(out, usage.data);
    buf_append_char(out, '\n');
    add_text(out, row->help);
    buf_append_text(out, row->later ? " (known, but not used by this version)." : ".");
    if (row->commands && strcmp(row->commands, "*") != 0)
        add_commands(out, row->commands);
    add_labelled(out, "Default", row->fallback);
    add_labelled(out, "Environment", row->environment);
    add_labelled(out, "Configuration", row->commands ? row->path : NULL);
    buf_append_char(out, '\n');
}

static const char exit_codes[] =
    ".SH EXIT STATUS\n"
    "0 done, 1 failed, 2 usage, 3 done but incomplete, 4 not found, 5 declined,\n"
    "10 no repository, 11 locked by another process, 12 wrong password or key,\n"
    "20 source failed, 21 verification failed, 22 restore failed and the target is as before,\n"
    "23 restore failed and so did the way back, 24 health check failed, 130 interrupted.\n"
    "Of migrate: 3 something is pending (when asked), 4 a file has changed, 5 lock not obtained,\n"
    "6 a decision is needed, 7 declined.\n";

static const char files[] =
    ".SH FILES\n"
    "The configuration is the first of \\-\\-config FILE, ./kedge.yaml, ./config.yaml (with a "
    "kedge:\n"
    "or migrations: key), $XDG_CONFIG_HOME/kedge/config.yaml and /etc/kedge/config.yaml.\n"
    "The catalogue is $XDG_DATA_HOME/kedge/catalog.db. KEDGE_HOME moves both into one folder.\n"
    "A .env in the working folder is read; variables that are set win over it.\n";

int command_manual(struct cli *cli, struct error *err)
{
    (void)cli;
    (void)err;
    SCOPED(buf) struct buf out = BUF_INIT;
    buf_append_text(&out, ".TH KEDGE 1 \"\" \"kedge " KEDGE_VERSION "\"\n.SH NAME\n"
                          "kedge \\- backs up databases and files, and brings them back\n"
                          ".SH SYNOPSIS\n.B kedge\n.I COMMAND\n[OPTION]... [ARGUMENT]...\n"
                          ".SH COMMANDS\n");
    for (const struct command *command = commands; command->name; command++) {
        if (command->flags & COMMAND_OLD)
            add_old_spelling(&out, command);
        else
            add_command(&out, command);
    }
    buf_append_text(&out,
                    ".SH OPTIONS AND SETTINGS\n"
                    "An option wins over the environment, that over the configuration file.\n");
    for (size_t i = 0; i < SETTING_COUNT; i++)
        add_setting(&out, &settings_rows[i]);
    buf_append_text(&out, files);
    buf_append_text(&out, exit_codes);
    fputs(out.data, stdout);
    return 0;
}
