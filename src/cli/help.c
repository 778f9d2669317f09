#include "cli/help.h"

#include "base/error.h"
#include "base/options.h"
#include "cli/commands.h"
#include "service/settings.h"

#include <stdio.h>
#include <string.h>

#define NAME_WIDTH 32
#define LINE_WIDTH 79

static bool is_hidden(const struct command *command)
{
    return command->flags & COMMAND_OLD;
}

/* A family's rows stand on one line: "catalog install|rebuild|check". */
static const char *family_line(const struct command *command, struct buf *out)
{
    const char *blank = strchr(command->name, ' ');
    if (!blank)
        return command->name;
    size_t length = (size_t)(blank - command->name) + 1;
    buf_append(out, command->name, length);
    const char *between = "";
    for (const struct command *other = commands; other->name; other++) {
        if (strncmp(other->name, command->name, length) != 0)
            continue;
        buf_append_format(out, "%s%s", between, other->name + length);
        between = "|";
    }
    return out->data;
}

/* Is an earlier row of the same family there? */
static bool is_told(const struct command *command)
{
    const char *blank = strchr(command->name, ' ');
    if (!blank)
        return false;
    size_t length = (size_t)(blank - command->name) + 1;
    for (const struct command *other = commands; other != command; other++)
        if (strncmp(other->name, command->name, length) == 0)
            return true;
    return false;
}

void help_overview(struct buf *out)
{
    buf_append_text(out, "kedge backs up databases and files, and brings them back.\n\n"
                         "Usage: kedge COMMAND [OPTION…] [ARGUMENT…]\n\n");
    for (const struct command *command = commands; command->name; command++) {
        if (is_hidden(command) || is_told(command))
            continue;
        SCOPED(buf) struct buf name = BUF_INIT;
        const char *line = family_line(command, &name);
        const char *summary = command->family ? command->family : command->summary;
        if (strlen(line) > 14)
            buf_append_format(out, "  %s\n  %-14s  %s\n", line, "", summary);
        else
            buf_append_format(out, "  %-14s  %s\n", line, summary);
    }
    buf_append_text(out, "\nkedge COMMAND --help tells more, kedge man everything.\n");
}

void help_family(const char *family, struct buf *out)
{
    size_t length = strlen(family);
    buf_append_format(out, "Usage: kedge %s COMMAND [OPTION…] [ARGUMENT…]\n\n", family);
    for (const struct command *command = commands; command->name; command++)
        if (strncmp(command->name, family, length) == 0 && command->name[length] == ' ')
            buf_append_format(out, "  %-10s  %s\n", command->name + length + 1, command->summary);
    buf_append_format(out, "\nkedge %s COMMAND --help tells more.\n", family);
}

void help_option_usage(const struct option_row *row, struct buf *out)
{
    if (row->short_name)
        buf_append_format(out, "-%c, ", row->short_name);
    buf_append_format(out, "--%s", row->name);
    if (row->bare)
        buf_append_format(out, "[=%s]", row->metavar);
    else if (!option_is_switch(row))
        buf_append_format(out, " %s", row->metavar ? row->metavar : "VALUE");
}

static void add_option(const struct option_row *row, struct buf *out)
{
    SCOPED(buf) struct buf usage = BUF_INIT;
    help_option_usage(row, &usage);
    if (usage.length > NAME_WIDTH)
        buf_append_format(out, "  %s\n  %*s  %s\n", usage.data, NAME_WIDTH, "", row->help);
    else
        buf_append_format(out, "  %-*s  %s\n", NAME_WIDTH, usage.data, row->help);
}

/* "heading: --a --b …", broken before the right margin. */
static void add_group(const char *group, const char *name, struct buf *out)
{
    size_t column = strlen(group) + 1;
    SCOPED(buf) struct buf line = BUF_INIT;
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        const struct option_row *row = &settings_rows[i];
        if (!text_equal(row->group, group) || !option_of_command(row, name))
            continue;
        size_t width = strlen(row->name) + 3;
        if (column + width > LINE_WIDTH) {
            buf_append_text(&line, "\n   ");
            column = 3;
        }
        buf_append_format(&line, " --%s", row->name);
        column += width;
    }
    if (line.length)
        buf_append_format(out, "%s:%s\n", group, line.data);
}

static bool is_last_of_group(size_t index)
{
    const char *group = settings_rows[index].group;
    for (size_t i = index + 1; i < SETTING_COUNT; i++)
        if (text_equal(settings_rows[i].group, group))
            return false;
    return group != NULL;
}

static const struct command *told_by(const struct command *command)
{
    const struct command *like = command->like ? command_find(command->like) : NULL;
    return like ? like : command;
}

void help_command(const struct command *command, struct buf *out)
{
    const char *name = command_options_name(command);
    buf_append_format(out, "Usage: kedge %s [OPTION…]%s%s\n%s\n\n", command->name,
                      command->arguments ? " " : "", command->arguments ? command->arguments : "",
                      told_by(command)->summary);
    for (size_t i = 0; i < SETTING_COUNT; i++)
        if (!settings_rows[i].group && option_of_command(&settings_rows[i], name))
            add_option(&settings_rows[i], out);
    for (size_t i = 0; i < SETTING_COUNT; i++)
        if (is_last_of_group(i))
            add_group(settings_rows[i].group, name, out);
    if (told_by(command)->examples)
        buf_append_format(out, "\n%s\n", told_by(command)->examples);
}

int command_help(struct cli *cli, struct error *err)
{
    SCOPED(buf) struct buf out = BUF_INIT;
    const char *first = cli->arguments.count ? cli->arguments.items[0] : NULL;
    const char *second = cli->arguments.count > 1 ? cli->arguments.items[1] : NULL;
    SCOPED(string)
    char *name = first && second ? mem_format("%s %s", first, second) : mem_string(first);
    const struct command *command = name ? command_find(name) : NULL;
    if (name && !command && command_is_family(name)) {
        help_family(name, &out);
        fputs(out.data, stdout);
        return 0;
    }
    if (name && !command)
        return error_set(err, ERROR_USAGE, "unknown command \"%s\"", name);
    if (command)
        help_command(command, &out);
    else
        help_overview(&out);
    fputs(out.data, stdout);
    return 0;
}
