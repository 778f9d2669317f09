#include "migrate/naming.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>

#define DIGITS_MAXIMUM 20
#define VERSION_MAXIMUM 64 /* the history's column */

void naming_clear(struct naming *naming)
{
    free(naming->version);
    free(naming->name);
    *naming = (struct naming){0};
}

bool naming_is_dropping(const char *file)
{
    static const char *const endings[] = {"~", ".swp", ".swo", ".tmp", ".bak", ".orig", ".rej"};
    if (file[0] == '.' || file[0] == '#')
        return true;
    for (size_t i = 0; i < ARRAY_SIZE(endings); i++)
        if (text_ends(file, endings[i]))
            return true;
    return strcmp(file, "Thumbs.db") == 0 || text_ends(file, ".md");
}

/* "R__name", cut where the history could not hold it; the sum keeps long ones apart. */
static char *repeatable_version(const char *name)
{
    uint8_t digest[SHA256_SIZE];
    char sum[SHA256_TEXT];
    if (strlen("R__") + strlen(name) <= VERSION_MAXIMUM)
        return mem_format("R__%s", name);
    int size = 40;
    while (size > 0 && ((unsigned char)name[size] & 0xC0) == 0x80)
        size--;
    sha256_of(name, strlen(name), digest);
    text_hex(digest, sizeof digest, sum);
    return mem_format("R__%.*s~%.16s", size, name, sum);
}

/* The version between the prefix and the two underscores: V1_2__name is 1.2. */
static char *flyway_version(const char *text, size_t size)
{
    char *version = mem_string_n(text, size);
    for (char *c = version; *c; c++)
        if (*c == '_')
            *c = '.';
    return version;
}

static bool parse_flyway(const char *file, struct naming *naming)
{
    size_t size = strspn(file + 1, "0123456789._");
    const char *separator = strstr(file, "__");
    if (!strchr("VURB", file[0]) || !separator)
        return false;
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
        .name = mem_string_n(separator + 2, strlen(separator + 2) - strlen(".sql")),
    };
    naming->version =
        repeatable ? repeatable_version(naming->name) : flyway_version(file + 1, version_size);
    return true;
}

static bool parse_numbered(const char *file, struct naming *naming)
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
        .version = mem_string_n(file, digits),
        .name = mem_string_n(name, (size_t)(file + size - name)),
    };
    return true;
}

bool naming_parse(const char *file, struct naming *ret_naming)
{
    return text_ends(file, ".sql") &&
           (parse_flyway(file, ret_naming) || parse_numbered(file, ret_naming));
}
