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

static const char *const shell_names[] = {"bash", "zsh", "fish"};

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

/* What may follow the first word: the commands of a family, shells, or what there is help on. */
static void add_second_words(const char *family, struct text_list *words)
{
    size_t length = strlen(family);
    for (size_t i = 0; strcmp(family, "completion") == 0 && i < ARRAY_SIZE(shell_names); i++)
        text_list_add(words, shell_names[i]);
    if (strcmp(family, "help") == 0)
        add_first_words(words);
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

/* Of a family, what it has. */
static const char *summary_of(const char *word)
{
    const struct command *command = command_find(word);
    return command ? command->summary : "several commands";
}

static bool is_general(const struct option_row *row)
{
    return row->commands && strcmp(row->commands, "*") == 0;
}

/* The options whose value may be the next word, which is then none of the command's own. */
static void add_valued(struct buf *out)
{
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        const struct option_row *row = &settings_rows[i];
        if (!row->commands || option_is_switch(row) || row->bare)
            continue;
        buf_append_format(out, " --%s", row->name);
        if (row->short_name)
            buf_append_format(out, " -%c", row->short_name);
    }
}

static void add_joined(struct buf *out, const struct text_list *words)
{
    SCOPED(string) char *joined = text_list_join(words, " ");
    buf_append_text(out, joined);
}

static void add_bash_options(struct buf *out, const char *word)
{
    buf_append_text(out, " options=\"");
    for (size_t i = 0; i < SETTING_COUNT; i++)
        if (word ? is_option_of(&settings_rows[i], word) : is_general(&settings_rows[i]))
            buf_append_format(out, "--%s ", settings_rows[i].name);
    buf_append_text(out, word ? "--help\" ;;\n" : "--help --version\" ;;\n");
}

/* Of a family, each has options of its own; before it is named all of them will do. */
static void add_bash_command(struct buf *out, const char *word)
{
    SCOPED(text_list) struct text_list second = TEXT_LIST_INIT;
    add_second_words(word, &second);
    for (size_t i = 0; command_is_family(word) && i < second.count; i++) {
        SCOPED(string) char *name = mem_format("%s %s", word, second.items[i]);
        buf_append_format(out, "    \"%s\") files=1", name);
        add_bash_options(out, name);
    }
    if (second.count) {
        buf_append_format(out, "    \"%s \") words=\"", word);
        add_joined(out, &second);
        buf_append_char(out, '"');
        add_bash_options(out, word);
    }
    buf_append_format(out, "    \"%s \"*) files=1", word);
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
            buf_append_text(out, " _kedge_files; return ;;\n");
    }
    buf_append_text(out, "  esac\n");
}

/* bash takes --name=value apart at the sign. A folder that is called as a command must not make
 * the command a folder, so names of files are said to be some only where they are. */
static const char bash_start[] =
    "_kedge_files() {\n"
    "  compopt -o filenames 2>/dev/null\n"
    "  mapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(compgen -f -- \"$current\")\n"
    "}\n"
    "_kedge() {\n"
    "  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]}\n"
    "  local first= second= skip= files= words= options= word i valued=\"";

static const char bash_words[] =
    " \"\n"
    "  COMPREPLY=()\n"
    "  if [ \"$current\" = = ]; then current=\n"
    "  elif [ \"$previous\" = = ]; then previous=${COMP_WORDS[COMP_CWORD-2]}; fi\n"
    "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
    "    word=${COMP_WORDS[i]}\n"
    "    if [ \"$word\" = = ]; then skip=1\n"
    "    elif [ \"$skip\" ]; then skip=\n"
    "    elif [[ $word == -* ]]; then [[ $valued == *\" $word \"* ]] && skip=1\n"
    "    elif [ -z \"$first\" ]; then first=$word\n"
    "    elif [ -z \"$second\" ]; then second=$word; fi\n"
    "  done\n"
    "  local command=\"$first $second\"\n";

static const char bash_end[] =
    "  esac\n"
    "  if [[ $current == -* ]]; then mapfile -t COMPREPLY < <(compgen -W \"$options\" -- "
    "\"$current\")\n"
    "  elif [ \"$words\" ]; then mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$current\")\n"
    "  elif [ \"$files\" ]; then _kedge_files; fi\n"
    "}\n"
    "complete -F _kedge kedge\n";

static void write_bash(struct buf *out)
{
    SCOPED(text_list) struct text_list first = TEXT_LIST_INIT;
    SCOPED(buf) struct buf valued = BUF_INIT;
    add_first_words(&first);
    add_valued(&valued);
    buf_append_text(out, "# bash completion for kedge\n");
    buf_append_text(out, bash_start);
    buf_append_text(out, valued.data);
    buf_append_text(out, bash_words);
    add_bash_values(out);
    buf_append_text(out, "  case $command in\n    \" \") words=\"");
    add_joined(out, &first);
    buf_append_char(out, '"');
    add_bash_options(out, NULL);
    for (size_t i = 0; i < first.count; i++)
        add_bash_command(out, first.items[i]);
    buf_append_text(out, bash_end);
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
        if (word ? is_option_of(&settings_rows[i], word) : is_general(&settings_rows[i]))
            add_zsh_option(out, &settings_rows[i]);
    buf_append_text(out, " '--help[show help]' ");
}

/* `words` begins with the command itself. */
static void add_zsh_command(struct buf *out, const char *word)
{
    SCOPED(text_list) struct text_list second = TEXT_LIST_INIT;
    add_second_words(word, &second);
    for (size_t i = 0; command_is_family(word) && i < second.count; i++) {
        SCOPED(string) char *name = mem_format("%s %s", word, second.items[i]);
        buf_append_format(out, "    '%s')", name);
        add_zsh_options(out, name);
        buf_append_format(out, "'1:what:(%s)' '*:argument:_files' ;;\n", second.items[i]);
    }
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

/* Options may stand before the command, and before that of a family: what is left of the words
 * begins with the command. */
static const char zsh_words[] = "  local -a found\n"
                                "  local index skip at=0\n"
                                "  for (( index = 2; index < CURRENT; index++ )); do\n"
                                "    if [[ -n $skip ]]; then skip=\n"
                                "    elif [[ ${words[index]} == -* ]]; then\n"
                                "      (( ${valued[(Ie)${words[index]}]} )) && skip=1\n"
                                "    else\n"
                                "      found+=(\"${words[index]}\")\n"
                                "      (( at )) || at=$index\n"
                                "    fi\n"
                                "  done\n";

static void write_zsh(struct buf *out)
{
    SCOPED(text_list) struct text_list first = TEXT_LIST_INIT;
    add_first_words(&first);
    buf_append_text(out, "#compdef kedge\n_kedge() {\n  local -a valued=(");
    add_valued(out);
    buf_append_text(out, ")\n");
    buf_append_text(out, zsh_words);
    buf_append_text(out, "  if (( ! at )); then\n"
                         "    if [[ $PREFIX == -* || -n $skip ]]; then");
    add_zsh_options(out, NULL);
    buf_append_text(out, "'--version[show the version]'; return; fi\n"
                         "    local -a names\n    names=(");
    for (size_t i = 0; i < first.count; i++) {
        buf_append_format(out, " '%s:", first.items[i]);
        add_zsh_text(out, summary_of(first.items[i]));
        buf_append_char(out, '\'');
    }
    buf_append_text(out, ")\n    _describe command names\n    return\n  fi\n"
                         "  local name=\"${found[1]} ${found[2]}\"\n"
                         "  words=(\"${(@)words[at,-1]}\")\n"
                         "  (( CURRENT -= at - 1 ))\n  case $name in\n");
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
    if (command_is_family(word))
        add_second_words(word, &second);
    for (size_t i = 0; i < second.count; i++) {
        SCOPED(string) char *name = mem_format("%s %s", word, second.items[i]);
        if (!option_of_command(row, name))
            continue;
        buf_append_format(&having, " %s", second.items[i]);
        count++;
    }
    buf_append_format(out, "complete -c kedge -n '__kedge_in %s%s'", word,
                      count && count < second.count ? having.data : "");
}

static void add_fish_row(struct buf *out, const struct option_row *row)
{
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

/* A word that may come next, after `before` ("" for the first one). */
static void add_fish_word(struct buf *out, const char *before, const char *word,
                          const char *summary)
{
    buf_append_format(out, "complete -c kedge -n '__kedge_after %s' -f -a %s -d '", before, word);
    add_fish_text(out, summary);
    buf_append_text(out, "'\n");
}

static void add_fish_command(struct buf *out, const char *word)
{
    SCOPED(text_list) struct text_list second = TEXT_LIST_INIT;
    add_fish_word(out, "", word, summary_of(word));
    add_second_words(word, &second);
    for (size_t i = 0; i < second.count; i++) {
        SCOPED(string) char *name = mem_format("%s %s", word, second.items[i]);
        const struct command *command = command_find(name);
        add_fish_word(out, word, second.items[i], command ? command->summary : "");
    }
    for (size_t i = 0; i < SETTING_COUNT; i++)
        if (is_option_of(&settings_rows[i], word)) {
            add_fish_condition(out, word, &settings_rows[i]);
            add_fish_row(out, &settings_rows[i]);
        }
    buf_append_format(out, "complete -c kedge -n '__kedge_in %s' -l help -d 'show help'\n", word);
}

/* __kedge_words: those so far that are no options nor their values. */
static const char fish_words[] =
    "    set -l skip\n"
    "    for token in (commandline -opc)[2..-1]\n"
    "        if set -q skip[1]\n"
    "            set skip\n"
    "        else if contains -- $token $valued\n"
    "            set skip 1\n"
    "        else if not string match -q -- '-*' $token\n"
    "            echo -- $token\n"
    "        end\n"
    "    end\n"
    "end\n"
    "function __kedge_after\n"
    "    set -l words (__kedge_words)\n"
    "    test \"$words\" = \"$argv\"\n"
    "end\n"
    "function __kedge_in\n"
    "    set -l words (__kedge_words)\n"
    "    test \"$words[1]\" = $argv[1]; or return\n"
    "    not set -q argv[2]; or not set -q words[2]; or contains -- $words[2] $argv[2..-1]\n"
    "end\n";

static void write_fish(struct buf *out)
{
    SCOPED(text_list) struct text_list first = TEXT_LIST_INIT;
    add_first_words(&first);
    buf_append_text(out, "# fish completion for kedge\nfunction __kedge_words\n    set -l valued");
    add_valued(out);
    buf_append_char(out, '\n');
    buf_append_text(out, fish_words);
    for (size_t i = 0; i < SETTING_COUNT; i++)
        if (is_general(&settings_rows[i])) {
            buf_append_text(out, "complete -c kedge -n '__kedge_after'");
            add_fish_row(out, &settings_rows[i]);
        }
    buf_append_text(out, "complete -c kedge -n '__kedge_after' -l help -d 'show help'\n"
                         "complete -c kedge -n '__kedge_after' -l version -d 'show the version'\n");
    for (size_t i = 0; i < first.count; i++)
        add_fish_command(out, first.items[i]);
}

int command_completion(struct cli *cli, struct error *err)
{
    static void (*const writers[])(struct buf *) = {write_bash, write_zsh, write_fish};
    for (size_t i = 0; i < ARRAY_SIZE(writers); i++) {
        if (strcmp(cli->arguments.items[0], shell_names[i]) == 0) {
            SCOPED(buf) struct buf out = BUF_INIT;
            writers[i](&out);
            fputs(out.data, stdout);
            return 0;
        }
    }
    return error_set(err, ERROR_USAGE, "\"%s\" is none of bash, zsh, fish",
                     cli->arguments.items[0]);
}
