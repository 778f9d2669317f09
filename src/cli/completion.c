/*
 * Completions for bash, zsh and fish, from the rows.
 */
#include "base/buf.h"
#include "base/error.h"
#include "base/options.h"
#include "cli/commands.h"
#include "service/settings.h"

#include <stdio.h>
#include <string.h>

/* First words: "backup", "catalog", … each once. */
static void add_first_words(struct text_list *words)
{
    for (const struct command *command = commands; command->name; command++) {
        if (command->flags & COMMAND_OLD)
            continue;
        SCOPED(string) char *word = mem_string_n(command->name, strcspn(command->name, " "));
        if (!text_list_has(words, word))
            text_list_add(words, word);
    }
}

static void add_second_words(const char *family, struct text_list *words)
{
    size_t length = strlen(family);
    for (const struct command *command = commands; command->name; command++)
        if (strncmp(command->name, family, length) == 0 && command->name[length] == ' ')
            text_list_add(words, command->name + length + 1);
}

/* Options of a command or of any of its family. */
static bool is_option_of(const struct option_row *row, const char *word)
{
    if (option_of_command(row, word))
        return true;
    size_t length = strlen(word);
    for (const struct command *command = commands; command->name; command++)
        if (strncmp(command->name, word, length) == 0 && command->name[length] == ' ' &&
            option_of_command(row, command->name))
            return true;
    return false;
}

static void add_joined(struct buf *out, const struct text_list *words)
{
    SCOPED(string) char *joined = text_list_join(words, " ");
    buf_append_text(out, joined);
}

static void add_bash_options(struct buf *out, const char *word)
{
    for (size_t i = 0; i < SETTING_COUNT; i++)
        if (is_option_of(&settings_rows[i], word))
            buf_append_format(out, " --%s", settings_rows[i].name);
    if (strcmp(word, "completion") == 0)
        buf_append_text(out, " bash zsh fish");
    buf_append_text(out, " --help\" ;;\n");
}

/* Of a family, each has options of its own; before it is named all of them will do. */
static void add_bash_command(struct buf *out, const char *word)
{
    SCOPED(text_list) struct text_list second = TEXT_LIST_INIT;
    add_second_words(word, &second);
    for (size_t i = 0; i < second.count; i++) {
        SCOPED(string) char *name = mem_format("%s %s", word, second.items[i]);
        buf_append_format(out, "    \"%s\") words=\"", name);
        add_bash_options(out, name);
    }
    buf_append_format(out, "    \"%s \"*) words=\"", word);
    add_joined(out, &second);
    add_bash_options(out, word);
}

/* Several options may have one name, in different commands. */
static bool is_ambiguous(const struct option_row *row)
{
    for (size_t i = 0; i < SETTING_COUNT; i++)
        if (&settings_rows[i] != row && settings_rows[i].commands &&
            strcmp(settings_rows[i].name, row->name) == 0)
            return true;
    return false;
}

/* The words in which the option is that one: `*" --type"`, `"migrate force --status"`. */
static void add_bash_pattern(struct buf *out, const struct option_row *row)
{
    if (!is_ambiguous(row) || strcmp(row->commands, "*") == 0) {
        buf_append_format(out, "    *\" --%s\")", row->name);
        return;
    }
    SCOPED(string) char *names = mem_string(row->commands);
    const char *before = "    ";
    for (char *rest = names, *name = strsep(&rest, ","); name; name = strsep(&rest, ",")) {
        buf_append_format(out, strchr(name, ' ') ? "%s\"%s --%s\"" : "%s\"%s \"*\" --%s\"", before,
                          name, row->name);
        before = "|";
    }
    buf_append_char(out, ')');
}

/* After `--type`, its choices; after an option that names a file, files. */
static void add_bash_values(struct buf *out)
{
    buf_append_text(out, "  case \"$command $previous\" in\n");
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        const struct option_row *row = &settings_rows[i];
        if (!row->commands || option_is_switch(row) || row->bare)
            continue;
        add_bash_pattern(out, row);
        if (row->type == OPTION_CHOICE)
            buf_append_format(out, " COMPREPLY=($(compgen -W \"%s\" -- \"$current\")); return ;;\n",
                              row->choices);
        else
            buf_append_text(out, " COMPREPLY=($(compgen -f -- \"$current\")); return ;;\n");
    }
    buf_append_text(out, "  esac\n");
}

static void write_bash(struct buf *out)
{
    SCOPED(text_list) struct text_list first = TEXT_LIST_INIT;
    add_first_words(&first);
    buf_append_text(out, "# bash completion for kedge\n"
                         "_kedge() {\n"
                         "  local current=${COMP_WORDS[COMP_CWORD]}\n"
                         "  local previous=${COMP_WORDS[COMP_CWORD-1]} words=\n"
                         "  local command=\"${COMP_WORDS[1]-} ${COMP_WORDS[2]-}\"\n");
    add_bash_values(out);
    buf_append_text(out, "  if [ \"$COMP_CWORD\" -eq 1 ]; then\n    words=\"");
    add_joined(out, &first);
    buf_append_text(out, " --help --version\"\n  else case $command in\n");
    for (size_t i = 0; i < first.count; i++)
        add_bash_command(out, first.items[i]);
    buf_append_text(out, "  esac; fi\n"
                         "  COMPREPLY=($(compgen -W \"$words\" -- \"$current\"))\n"
                         "  case $current in -*) ;; *) [ \"$COMP_CWORD\" -gt 1 ] && "
                         "COMPREPLY+=($(compgen -f -- \"$current\")) ;; esac\n"
                         "}\n"
                         "complete -o filenames -F _kedge kedge\n");
}

/* Quotes, brackets and colons mean something to zsh's _arguments and _describe. */
static void add_zsh_text(struct buf *out, const char *text)
{
    for (; *text; text++) {
        if (*text == '\'') {
            buf_append_text(out, "'\\''");
            continue;
        }
        if (strchr("[]:\\", *text))
            buf_append_char(out, '\\');
        buf_append_char(out, *text);
    }
}

static void add_zsh_option(struct buf *out, const struct option_row *row)
{
    bool repeats = row->type == OPTION_LIST || row->type == OPTION_COUNT;
    buf_append_format(out, " '%s--%s%s[", repeats ? "*" : "", row->name,
                      option_is_switch(row) ? ""
                      : row->bare           ? "=-"
                                            : "=");
    add_zsh_text(out, row->help);
    buf_append_char(out, ']');
    if (!option_is_switch(row)) {
        buf_append_text(out, row->bare ? "::" : ":");
        add_zsh_text(out, row->metavar ? row->metavar : "value");
        if (row->type == OPTION_CHOICE)
            buf_append_format(out, ":(%s)", row->choices);
        else if (row->type == OPTION_PATH)
            buf_append_text(out, ":_files");
        else
            buf_append_text(out, ": ");
    }
    buf_append_char(out, '\'');
}

static void add_zsh_options(struct buf *out, const char *word)
{
    buf_append_text(out, " _arguments");
    for (size_t i = 0; i < SETTING_COUNT; i++)
        if (is_option_of(&settings_rows[i], word))
            add_zsh_option(out, &settings_rows[i]);
    buf_append_text(out, " '--help[show help]' ");
}

/* `words` begins with the command itself. */
static void add_zsh_command(struct buf *out, const char *word)
{
    SCOPED(text_list) struct text_list second = TEXT_LIST_INIT;
    add_second_words(word, &second);
    for (size_t i = 0; i < second.count; i++) {
        SCOPED(string) char *name = mem_format("%s %s", word, second.items[i]);
        buf_append_format(out, "    '%s')", name);
        add_zsh_options(out, name);
        buf_append_format(out, "'1:what:(%s)' '*:argument:_files' ;;\n", second.items[i]);
    }
    if (strcmp(word, "completion") == 0)
        for (const char *const *shell = (const char *const[]){"bash", "zsh", "fish", NULL}; *shell;
             shell++)
            text_list_add(&second, *shell);
    buf_append_format(out, "    '%s '*)", word);
    add_zsh_options(out, word);
    if (second.count) {
        buf_append_text(out, "'1:what:(");
        add_joined(out, &second);
        buf_append_text(out, ")' ;;\n");
    } else {
        buf_append_text(out, "'*:argument:_files' ;;\n");
    }
}

static void write_zsh(struct buf *out)
{
    SCOPED(text_list) struct text_list first = TEXT_LIST_INIT;
    add_first_words(&first);
    buf_append_text(out, "#compdef kedge\n_kedge() {\n"
                         "  if (( CURRENT == 2 )); then\n    local -a names\n    names=(");
    for (const struct command *command = commands; command->name; command++) {
        if ((command->flags & COMMAND_OLD) || strchr(command->name, ' '))
            continue;
        buf_append_format(out, " '%s:", command->name);
        add_zsh_text(out, command->summary);
        buf_append_char(out, '\'');
    }
    for (size_t i = 0; i < first.count; i++)
        if (command_is_family(first.items[i]))
            buf_append_format(out, " '%s'", first.items[i]);
    buf_append_text(out, ")\n    _describe command names\n    return\n  fi\n"
                         "  local name=\"${words[2]} ${words[3]}\"\n  shift words\n"
                         "  (( CURRENT-- ))\n  case $name in\n");
    for (size_t i = 0; i < first.count; i++)
        add_zsh_command(out, first.items[i]);
    buf_append_text(out, "  esac\n}\nif [ \"$funcstack[1]\" = _kedge ]; then _kedge \"$@\"; "
                         "else compdef _kedge kedge; fi\n");
}

static void add_fish_text(struct buf *out, const char *text)
{
    for (; *text; text++) {
        if (*text == '\'' || *text == '\\')
            buf_append_char(out, '\\');
        buf_append_char(out, *text);
    }
}

/* Within a family, the commands that have it, unless all do. */
static void add_fish_condition(struct buf *out, const char *word, const struct option_row *row)
{
    SCOPED(text_list) struct text_list second = TEXT_LIST_INIT;
    SCOPED(buf) struct buf having = BUF_INIT;
    size_t count = 0;
    add_second_words(word, &second);
    for (size_t i = 0; i < second.count; i++) {
        SCOPED(string) char *name = mem_format("%s %s", word, second.items[i]);
        if (!option_of_command(row, name))
            continue;
        buf_append_format(&having, " %s", second.items[i]);
        count++;
    }
    buf_append_format(out, "complete -c kedge -n '__fish_seen_subcommand_from %s", word);
    if (count && count < second.count)
        buf_append_format(out, "; and __fish_seen_subcommand_from%s", having.data);
    buf_append_char(out, '\'');
}

static void add_fish_option(struct buf *out, const char *word, const struct option_row *row)
{
    add_fish_condition(out, word, row);
    buf_append_format(out, " -l %s", row->name);
    if (row->short_name)
        buf_append_format(out, " -s %c", row->short_name);
    if (!option_is_switch(row) && !row->bare)
        buf_append_text(out, row->type == OPTION_PATH ? " -r -F" : " -x");
    if (row->type == OPTION_CHOICE)
        buf_append_format(out, " -a '%s'", row->choices);
    buf_append_text(out, " -d '");
    add_fish_text(out, row->help);
    buf_append_text(out, "'\n");
}

static void write_fish(struct buf *out)
{
    SCOPED(text_list) struct text_list first = TEXT_LIST_INIT;
    add_first_words(&first);
    buf_append_text(out, "# fish completion for kedge\n");
    for (size_t i = 0; i < first.count; i++) {
        const struct command *command = command_find(first.items[i]);
        buf_append_format(out, "complete -c kedge -n __fish_use_subcommand -f -a %s -d '",
                          first.items[i]);
        add_fish_text(out, command ? command->summary : "");
        buf_append_text(out, "'\n");
        SCOPED(text_list) struct text_list second = TEXT_LIST_INIT;
        add_second_words(first.items[i], &second);
        for (size_t s = 0; s < second.count; s++)
            buf_append_format(out,
                              "complete -c kedge -n '__fish_seen_subcommand_from %s' -f -a %s\n",
                              first.items[i], second.items[s]);
        for (size_t o = 0; o < SETTING_COUNT; o++)
            if (is_option_of(&settings_rows[o], first.items[i]))
                add_fish_option(out, first.items[i], &settings_rows[o]);
    }
    buf_append_text(out, "complete -c kedge -n '__fish_seen_subcommand_from completion' -f -a "
                         "'bash zsh fish'\n");
}

int command_completion(struct cli *cli, struct error *err)
{
    static const struct {
        const char *shell;
        void (*write)(struct buf *out);
    } shells[] = {{"bash", write_bash}, {"zsh", write_zsh}, {"fish", write_fish}};
    for (size_t i = 0; i < ARRAY_SIZE(shells); i++) {
        if (strcmp(cli->arguments.items[0], shells[i].shell) == 0) {
            SCOPED(buf) struct buf out = BUF_INIT;
            shells[i].write(&out);
            fputs(out.data, stdout);
            return 0;
        }
    }
    return error_set(err, ERROR_USAGE, "\"%s\" is none of bash, zsh, fish",
                     cli->arguments.items[0]);
}
