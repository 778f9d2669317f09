#include "cli/commands.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

const struct command commands[] = {
    {.name = "config",
     .summary = "the effective configuration, each value with its origin",
     .run = command_config},
    {.name = "keygen",
     .flags = COMMAND_PLAIN,
     .summary = "make an age key pair",
     .examples = "kedge keygen --output key.txt; kedge backup --encrypt age1…\n"
                 "kedge restore latest --identity key.txt",
     .run = command_keygen},
    {.name = "completion",
     .arguments = "bash|zsh|fish",
     .minimum = 1,
     .maximum = 1,
     .flags = COMMAND_PLAIN,
     .summary = "completions for a shell",
     .examples = "kedge completion bash > /etc/bash_completion.d/kedge",
     .run = command_completion},
    {.name = "man",
     .flags = COMMAND_PLAIN,
     .summary = "the manual page",
     .examples = "kedge man | man -l -",
     .run = command_manual},
    {.name = "help",
     .arguments = "[COMMAND]",
     .maximum = 2,
     .flags = COMMAND_PLAIN,
     .summary = "help on a command",
     .run = command_help},
    {.name = "version", .flags = COMMAND_PLAIN, .summary = "the version", .run = command_version},
    {.name = NULL},
};

const struct command *command_find(const char *name)
{
    for (const struct command *command = commands; command->name; command++)
        if (strcmp(command->name, name) == 0)
            return command;
    return NULL;
}

bool command_is_family(const char *word)
{
    size_t length = strlen(word);
    for (const struct command *command = commands; command->name; command++)
        if (strncmp(command->name, word, length) == 0 && command->name[length] == ' ')
            return true;
    return false;
}

const char *command_options_name(const struct command *command)
{
    return command->like ? command->like : command->name;
}
