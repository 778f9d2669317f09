#include "cli/arguments.h"

#include "base/error.h"
#include "base/mem.h"
#include "base/options.h"
#include "cli/commands.h"
#include "crypto/secret.h"
#include "service/settings.h"

#include <stdlib.h>
#include <string.h>

struct reader {
    struct cli *cli;
    const struct text_list *words;
    size_t at;
};

/* ---- passwords in argv ---- */

static bool overwrite(char *from, const char *to)
{
    if (from >= to)
        return false;
    memset(from, 'x', (size_t)(to - from));
    return true;
}

/* user:PASSWORD@ after "://", and password=PASSWORD among the parameters. */
static bool wipe_password(char *text)
{
    char *authority = strstr(text, "://");
    if (!authority)
        return false;
    authority += 3;
    bool wiped = false;
    char *end = authority + strcspn(authority, "/?#");
    char *at = memrchr(authority, '@', (size_t)(end - authority));
    /* An unescaped '/' in the password: up to the last '@' then. */
    if (!at && !memchr(authority, '.', (size_t)(end - authority)) && *end != '?')
        at = strrchr(authority, '@');
    char *colon = at ? memchr(authority, ':', (size_t)(at - authority)) : NULL;
    if (colon)
        wiped = overwrite(colon + 1, at);
    for (char *found = authority; (found = strstr(found, "password=")); found++) {
        char *value = found + strlen("password=");
        wiped |= overwrite(value, value + strcspn(value, "&#"));
    }
    return wiped;
}

static void take_words(struct cli *cli, int argc, char **argv, struct text_list *words)
{
    for (int i = 1; i < argc; i++) {
        text_list_add(words, argv[i]);
        cli->password_seen |= wipe_password(argv[i]);
    }
}

/* ---- options ---- */

static bool is_allowed(const struct cli *cli, const struct option_row *row)
{
    if (!cli->command)
        return row->commands && strcmp(row->commands, "*") == 0;
    return option_of_command(row, command_options_name(cli->command));
}

/* SETTING_COUNT when the command has no such option. */
static enum setting find_long(const struct cli *cli, const char *name, size_t length)
{
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        const struct option_row *row = &settings_rows[i];
        if (strlen(row->name) == length && memcmp(row->name, name, length) == 0 &&
            is_allowed(cli, row))
            return (enum setting)i;
    }
    return SETTING_COUNT;
}

static enum setting find_short(const struct cli *cli, char name)
{
    for (size_t i = 0; i < SETTING_COUNT; i++)
        if (settings_rows[i].short_name == name && is_allowed(cli, &settings_rows[i]))
            return (enum setting)i;
    return SETTING_COUNT;
}

static int unknown_option(const struct cli *cli, const char *word, struct error *err)
{
    const char *names[SETTING_COUNT + 3];
    size_t count = 0;
    for (size_t i = 0; i < SETTING_COUNT; i++)
        if (is_allowed(cli, &settings_rows[i]))
            names[count++] = settings_rows[i].name;
    names[count++] = "help";
    names[count] = NULL;
    SCOPED(string) char *name = mem_string_n(word, strcspn(word, "="));
    const char *bare = name + strspn(name, "-");
    const char *nearest = option_nearest(bare, names);

    error_set(err, ERROR_USAGE, "unknown option %s", name);
    if (nearest)
        return error_hint(err, "did you mean --%s?", nearest);
    if (cli->command)
        return error_hint(err, "kedge %s --help shows them", command_options_name(cli->command));
    return error_hint(err, "kedge --help shows the commands");
}

/* The word after the option, when it may be its value. */
static const char *next_value(struct reader *reader)
{
    if (reader->at >= reader->words->count)
        return NULL;
    const char *word = reader->words->items[reader->at];
    if (word[0] == '-' && word[1] == '-' && word[2])
        return NULL;
    reader->at++;
    return word;
}

static int take_option(struct reader *reader, enum setting setting, const char *value,
                       struct error *err)
{
    const struct option_row *row = &settings_rows[setting];
    const struct command *command = reader->cli->command;
    if (!value && setting == SETTING_COMPRESS && command && command->compress)
        value = command->compress;
    if (!value && !option_is_switch(row) && !row->bare) {
        value = next_value(reader);
        if (!value)
            return error_set(err, ERROR_USAGE, "--%s needs a value: --%s %s", row->name, row->name,
                             row->metavar ? row->metavar : "VALUE");
    }
    return settings_set(reader->cli->settings, setting, value, err);
}

/* Bundled short options: -qv, -j4. */
static int take_short(struct reader *reader, const char *word, struct error *err)
{
    struct cli *cli = reader->cli;
    for (const char *at = word + 1; *at; at++) {
        enum setting setting = find_short(cli, *at);
        if (setting == SETTING_COUNT && *at == 'h') {
            cli->help = true;
            continue;
        }
        if (setting == SETTING_COUNT && *at == 'V') {
            cli->version = true;
            continue;
        }
        if (setting == SETTING_COUNT)
            return unknown_option(cli, word, err);
        if (option_is_switch(&settings_rows[setting])) {
            if (take_option(reader, setting, NULL, err) < 0)
                return -1;
            continue;
        }
        const char *value = at[1] ? at + 1 + (at[1] == '=') : NULL;
        return take_option(reader, setting, value, err);
    }
    return 0;
}

/* --name, --name=value, --name value, and the same with one dash. */
static int take_word(struct reader *reader, const char *word, struct error *err)
{
    struct cli *cli = reader->cli;
    bool two_dashes = word[1] == '-';
    const char *name = word + 1 + two_dashes;
    const char *equals = strchrnul(name, '=');
    size_t length = (size_t)(equals - name);
    enum setting setting = find_long(cli, name, length);
    if (setting != SETTING_COUNT && (two_dashes || length > 1))
        return take_option(reader, setting, *equals ? equals + 1 : NULL, err);
    if (strcmp(name, "help") == 0) {
        cli->help = true;
        return 0;
    }
    if (strcmp(name, "version") == 0 && !cli->command) {
        cli->version = true;
        return 0;
    }
    if (two_dashes || find_short(cli, word[1]) == SETTING_COUNT)
        if (two_dashes || (word[1] != 'h' && word[1] != 'V'))
            return unknown_option(cli, word, err);
    return take_short(reader, word, err);
}

/* ---- options before the command ---- */

/* Of any command: options of one name either all need a value or none does. */
static const struct option_row *row_of_any(const char *name, size_t length)
{
    for (size_t i = 0; i < SETTING_COUNT; i++)
        if (settings_rows[i].commands && strlen(settings_rows[i].name) == length &&
            memcmp(settings_rows[i].name, name, length) == 0)
            return &settings_rows[i];
    return NULL;
}

static const struct option_row *short_of_any(char name)
{
    for (size_t i = 0; i < SETTING_COUNT; i++)
        if (settings_rows[i].commands && settings_rows[i].short_name == name)
            return &settings_rows[i];
    return NULL;
}

static bool needs_value(const struct option_row *row)
{
    return !option_is_switch(row) && !row->bare;
}

/* Is the word after this option its value? *ret_known: does any command have it? */
static bool takes_next(const char *word, bool *ret_known)
{
    bool two_dashes = word[1] == '-';
    const char *name = word + 1 + two_dashes;
    size_t length = strcspn(name, "=");
    const struct option_row *row = two_dashes || length > 1 ? row_of_any(name, length) : NULL;
    *ret_known = row || strcmp(name, "help") == 0;
    if (*ret_known || two_dashes)
        return row && needs_value(row) && !name[length];
    *ret_known = true;
    for (const char *at = name; *at; at++) {
        row = short_of_any(*at);
        if (row && needs_value(row))
            return !at[1];
        *ret_known &= row || *at == 'h' || *at == 'V';
    }
    return false;
}

static bool is_command_word(const char *family, const char *word)
{
    if (!family)
        return command_find(word) || command_is_family(word);
    SCOPED(string) char *full = mem_format("%s %s", family, word);
    return command_find(full) != NULL;
}

/* The program's own version, not an option of the command that follows. */
static bool asks_version(const struct text_list *words, size_t at)
{
    const char *word = words->items[at];
    if (strcmp(word, "--version") != 0 && strcmp(word, "-version") != 0)
        return false;
    return at + 1 == words->count || is_command_word(NULL, words->items[at + 1]);
}

/* Where the command's one or two words stand; how many there are. */
static size_t find_command(const struct text_list *words, size_t ret_at[2])
{
    const char *family = NULL;
    bool all_known = true;
    for (size_t i = 0; i < words->count; i++) {
        const char *word = words->items[i];
        bool known = true;
        if (strcmp(word, "--") == 0 || (!family && asks_version(words, i)))
            break;
        if (word[0] == '-' && word[1]) {
            i += takes_next(word, &known);
            all_known &= known;
            continue;
        }
        /* What follows an unknown option may be its value. */
        if (!all_known && !is_command_word(family, word))
            break;
        ret_at[family ? 1 : 0] = i;
        if (family || !command_is_family(word))
            return family ? 2 : 1;
        family = word;
    }
    return family ? 1 : 0;
}

/* The command's words to the front: -config x migrate -version=V up is read as
 * migrate up -config x -version=V. */
static void bring_command_forward(struct text_list *words)
{
    size_t at[2];
    size_t count = find_command(words, at);
    for (size_t i = 0; i < count; i++) {
        char *word = words->items[at[i]];
        memmove(words->items + i + 1, words->items + i, (at[i] - i) * sizeof *words->items);
        words->items[i] = word;
    }
}

/* ---- the command ---- */

/* What people have in their fingers from other tools. */
static const struct {
    const char *theirs;
    const char *ours;
} other_spellings[] = {
    {"migrate apply", "migrate up"},
    {"migrate down-to", "migrate down --version VERSION"},
    {"migrate fix", "migrate repair"},
    {"migrate fresh", "migrate refresh"},
    {"migrate info", "migrate status"},
    {"migrate migrate", "migrate up"},
    {"migrate new", "migrate create NAME"},
    {"migrate rollback", "migrate down"},
    {"migrate undo", "migrate down"},
    {"migrate up-by-one", "migrate up --version VERSION"},
    {"migrate up-to", "migrate up --version VERSION"},
    {"migrate validate", "migrate status"},
    {"check", "verify"},
    {"down", "migrate down"},
    {"dump", "backup"},
    {"snapshots", "list"},
    {"forget", "cleanup"},
    {"prune", "cleanup"},
    {"up", "migrate up"},
};

static const char *our_spelling(const char *full)
{
    for (size_t i = 0; i < sizeof other_spellings / sizeof *other_spellings; i++)
        if (strcmp(full, other_spellings[i].theirs) == 0)
            return other_spellings[i].ours;
    return NULL;
}

static int unknown_command(const char *word, const char *family, struct error *err)
{
    SCOPED(text_list) struct text_list names = TEXT_LIST_INIT;
    for (const struct command *command = commands; command->name; command++)
        text_list_add(&names, command->name);
    SCOPED(string) char *full = family ? mem_format("%s %s", family, word) : mem_string(word);
    const char *nearest = our_spelling(full);
    if (!nearest)
        nearest = option_nearest(full, (const char *const *)names.items);
    error_set(err, ERROR_USAGE, "unknown command \"%s\"", full);
    if (nearest)
        return error_hint(err, "did you mean kedge %s?", nearest);
    return error_hint(err, "kedge --help lists the commands");
}

static int missing_subcommand(const struct reader *reader, const char *family, struct error *err)
{
    const struct text_list *words = reader->words;
    const char *option = reader->at < words->count ? words->items[reader->at] : NULL;
    const char *next = reader->at + 1 < words->count ? words->items[reader->at + 1] : NULL;
    bool known = true;
    bool takes = option && takes_next(option, &known);
    if (!known)
        return unknown_option(reader->cli, option, err);
    if (takes && next && is_command_word(family, next)) {
        error_set(err, ERROR_USAGE, "%s needs a value, and \"%s\" was read as it", option, next);
        return error_hint(err, "kedge %s %s %s VALUE", family, next, option);
    }
    SCOPED(buf) struct buf names = BUF_INIT;
    size_t length = strlen(family);
    for (const struct command *command = commands; command->name; command++)
        if (strncmp(command->name, family, length) == 0 && command->name[length] == ' ')
            buf_append_format(&names, "%s%s", names.length ? ", " : "", command->name + length + 1);
    error_set(err, ERROR_USAGE, "kedge %s: which one?", family);
    return error_hint(err, "one of %s", names.data);
}

static int take_command(struct reader *reader, const char *word, struct error *err)
{
    struct cli *cli = reader->cli;
    cli->command = command_find(word);
    if (cli->command)
        return 0;
    if (!command_is_family(word))
        return unknown_command(word, NULL, err);
    const char *second =
        reader->at < reader->words->count ? reader->words->items[reader->at] : NULL;
    if (cli->help || text_equal(second, "--help") || text_equal(second, "-h")) {
        cli->family = mem_string(word);
        cli->help = true;
        reader->at = reader->words->count;
        return 0;
    }
    if (!second || second[0] == '-')
        return missing_subcommand(reader, word, err);
    SCOPED(string) char *full = mem_format("%s %s", word, second);
    cli->command = command_find(full);
    if (!cli->command)
        return unknown_command(second, word, err);
    reader->at++;
    return 0;
}

static int check_count(const struct cli *cli, struct error *err)
{
    const struct command *command = cli->command;
    int count = (int)cli->arguments.count;
    bool named =
        settings_text(cli->settings, SETTING_ID) || settings_bool(cli->settings, SETTING_ALL);
    if (count < command->minimum && !named) {
        error_set(err, ERROR_USAGE, "kedge %s needs %s", command->name,
                  command->arguments ? command->arguments : "an argument");
        return error_hint(err, "kedge %s --help", command_options_name(command));
    }
    if (command->maximum >= 0 && count > command->maximum)
        return error_set(err, ERROR_USAGE, "kedge %s: \"%s\" is one argument too many",
                         command->name, cli->arguments.items[command->maximum]);
    return 0;
}

static int read_words(struct reader *reader, struct error *err)
{
    struct cli *cli = reader->cli;
    bool options_end = false;
    while (reader->at < reader->words->count) {
        const char *word = reader->words->items[reader->at++];
        int result = 0;
        if (!options_end && strcmp(word, "--") == 0)
            options_end = true;
        else if (!options_end && word[0] == '-' && word[1])
            result = take_word(reader, word, err);
        else if (!cli->command)
            result = take_command(reader, word, err);
        else
            text_list_add(&cli->arguments, word);
        if (result < 0)
            return -1;
    }
    return 0;
}

int arguments_read(struct cli *cli, int argc, char **argv, struct error *err)
{
    SCOPED(secret_list) struct text_list words = TEXT_LIST_INIT;
    take_words(cli, argc, argv, &words);
    bring_command_forward(&words);
    struct reader reader = {.cli = cli, .words = &words};
    if (read_words(&reader, err) < 0)
        return -1;
    if (cli->help || cli->version || !cli->command)
        return 0;
    return check_count(cli, err);
}
