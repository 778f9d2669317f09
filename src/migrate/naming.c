#include "migrate/naming.h"

#include "base/text.h"

#include <stdio.h>
#include <string.h>

#define DIGITS_MAXIMUM 20
#define VERSION_MAXIMUM 64 /* the history's column */

bool naming_is_dropping(const char *file)
{
    static const char *const endings[] = {"~", ".swp", ".swo", ".tmp", ".bak", ".orig", ".rej"};
    if (file[0] == '.' || file[0] == '#')
        return true;
    if (text_ends(file, ".sql"))
        return false;
    for (size_t i = 0; i < ARRAY_SIZE(endings); i++)
        if (text_ends(file, endings[i]))
            return true;
    return strcmp(file, "Thumbs.db") == 0 || text_ends(file, ".md");
}

/* "R__name", cut where the history could not hold it; the sum keeps long ones apart. */
static const char *repeatable_version(struct arena *memory, const char *name)
{
    uint8_t digest[SHA256_SIZE];
    char sum[SHA256_TEXT];
    char version[VERSION_MAXIMUM + 1];
    if (strlen("R__") + strlen(name) <= VERSION_MAXIMUM) {
        snprintf(version, sizeof version, "R__%s", name);
        return arena_string(memory, version);
    }
    int size = 40;
    while (size > 0 && ((unsigned char)name[size] & 0xC0) == 0x80)
        size--;
    sha256_of(name, strlen(name), digest);
    text_hex(digest, sizeof digest, sum);
    snprintf(version, sizeof version, "R__%.*s~%.16s", size, name, sum);
    return arena_string(memory, version);
}

/* The version between the prefix and the two underscores: V1_2__name is 1.2. */
static const char *flyway_version(struct arena *memory, const char *text, size_t size)
{
    char *version = arena_string_n(memory, text, size);
    for (char *c = version; *c; c++)
        if (*c == '_')
            *c = '.';
    return version;
}

static bool parse_flyway(const char *file, struct arena *memory, struct naming *naming)
{
    const char *separator = strchr("VURB", file[0]) ? strstr(file, "__") : NULL;
    if (!separator)
        return false;
    size_t size = strspn(file + 1, "0123456789._");
    bool repeatable = file[0] == 'R';
    size_t version_size = (size_t)(separator - file - 1);
    if (repeatable ? version_size != 0
                   : !version_size || version_size > size || version_size > VERSION_MAXIMUM ||
                         !strchr("0123456789", file[1]))
        return false;
    *naming = (struct naming){
        .kind = NAMING_FLYWAY,
        .direction = file[0] == 'U' ? MIGRATE_DOWN : MIGRATE_UP,
        .repeatable = repeatable,
        .baseline = file[0] == 'B',
        .name = arena_string_n(memory, separator + 2, strlen(separator + 2) - strlen(".sql")),
    };
    naming->version = repeatable ? repeatable_version(memory, naming->name)
                                 : flyway_version(memory, file + 1, version_size);
    return true;
}

static bool parse_numbered(const char *file, struct arena *memory, struct naming *naming)
{
    static const char *const endings[] = {".up.sql", ".down.sql", ".sql"};
    size_t digits = strspn(file, "0123456789");
    size_t i = 0;
    if (!digits || digits > DIGITS_MAXIMUM)
        return false;
    while (i < ARRAY_SIZE(endings) - 1 && !text_ends(file, endings[i]))
        i++;
    size_t size = strlen(file) - strlen(endings[i]);
    bool pair = i < 2;
    bool named = file[digits] == '_' && size >= digits + 1;
    if (pair && !named)
        return false;
    const char *name = file + digits;
    while (name < file + size && strchr("_-. ", *name))
        name++;
    *naming = (struct naming){
        .kind = pair ? NAMING_PAIR : NAMING_ONE_FILE,
        .direction = i == 1 ? MIGRATE_DOWN : MIGRATE_UP,
        .loose = !named || (!pair && size == digits + 1),
        .version = arena_string_n(memory, file, digits),
        .name = arena_string_n(memory, name, (size_t)(file + size - name)),
    };
    return true;
}

bool naming_parse(const char *file, struct arena *memory, struct naming *ret_naming)
{
    return text_ends(file, ".sql") &&
           (parse_flyway(file, memory, ret_naming) || parse_numbered(file, memory, ret_naming));
}
