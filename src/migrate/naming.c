#include "migrate/naming.h"

#include "base/text.h"

#include <stdio.h>
#include <string.h>

#define DIGITS_MAXIMUM 20

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
static void repeatable_version(struct naming *naming)
{
    uint8_t digest[SHA256_SIZE];
    char sum[SHA256_TEXT];
    size_t size = naming->name_size;
    if (strlen("R__") + size <= NAMING_VERSION_MAXIMUM) {
        snprintf(naming->version, sizeof naming->version, "R__%.*s", (int)size, naming->name);
        return;
    }
    sha256_of(naming->name, size, digest);
    text_hex(digest, sizeof digest, sum);
    for (size = 40; size > 0 && ((unsigned char)naming->name[size] & 0xC0) == 0x80;)
        size--;
    snprintf(naming->version, sizeof naming->version, "R__%.*s~%.16s", (int)size, naming->name,
             sum);
}

/* The version between the prefix and the two underscores: V1_2__name is 1.2. */
static void flyway_version(struct naming *naming, const char *text, size_t size)
{
    memcpy(naming->version, text, size);
    for (char *c = naming->version; *c; c++)
        if (*c == '_')
            *c = '.';
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
                   : !version_size || version_size > size ||
                         version_size > NAMING_VERSION_MAXIMUM || !strchr("0123456789", file[1]))
        return false;
    *naming = (struct naming){
        .kind = NAMING_FLYWAY,
        .direction = file[0] == 'U' ? MIGRATE_DOWN : MIGRATE_UP,
        .repeatable = repeatable,
        .baseline = file[0] == 'B',
        .name = separator + 2,
        .name_size = strlen(separator + 2) - strlen(".sql"),
    };
    if (repeatable)
        repeatable_version(naming);
    else
        flyway_version(naming, file + 1, version_size);
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
        .name = name,
        .name_size = (size_t)(file + size - name),
    };
    memcpy(naming->version, file, digits);
    return true;
}

bool naming_parse(const char *file, struct naming *ret_naming)
{
    return text_ends(file, ".sql") &&
           (parse_flyway(file, ret_naming) || parse_numbered(file, ret_naming));
}
