#include "harness/migration_text.h"

#include "base/mem.h"
#include "harness/test.h"
#include "migrate/file.h"

#include <string.h>

struct migration *migration_of_text(enum db_engine engine, const char *version, const char *text)
{
    struct error err = ERROR_INIT;
    struct migration *migration = migration_new(version, "test");
    SCOPED(string) char *path = mem_format("%s.sql", version);
    SCOPED(string)
    char *whole =
        mem_format("%s%s", strstr(text, "-- +migrate Up") ? "" : "-- +migrate Up\n", text);
    const struct migration_text from = {
        .text = whole,
        .size = strlen(whole),
        .path = path,
        .dialect = engine,
        .syntax = directive_detect(whole, strlen(whole)),
    };
    assert_ok(migration_read(migration, &from, &err), err);
    return migration;
}
