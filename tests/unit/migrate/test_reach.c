#include "harness/migration_text.h"
#include "harness/test.h"

#include "base/mem.h"
#include "base/os.h"
#include "migrate/reach.h"

#include <string.h>

/* MySQL asks its server for the names of databases: tests/system/test_migrate_verify.py. */
TEST(statements_that_reach_out_of_the_database_are_refused)
{
    static const struct {
        int line;
        enum db_engine engine;
        const char *text;
        size_t refused_at; /* the line of the file; 0: nothing is */
    } cases[] = {
        {__LINE__, DB_POSTGRES, "CREATE TABLE t (a integer);\n", 0},
        {__LINE__, DB_POSTGRES, "SELECT 1;\nCREATE ROLE r;\n", 3},
        {__LINE__, DB_POSTGRES, "alter  system SET work_mem = '1MB';\n", 2},
        {__LINE__, DB_POSTGRES, "SELECT 1;\n-- +migrate Down\nDROP OWNED BY r;\n", 4},
        {__LINE__, DB_POSTGRES, "GRANT SELECT ON t TO PUBLIC;\n", 0},
        {__LINE__, DB_POSTGRES, "GRANT r TO s;\n", 2},
        {__LINE__, DB_POSTGRES, "RESET work_mem;\n", 0},
        {__LINE__, DB_POSTGRES, "CREATE SERVER s FOREIGN DATA WRAPPER w;\n", 0},
        {__LINE__, DB_POSTGRES, "COMMENT ON TABLE t IS 'CREATE ROLE r';\n", 0},
        {__LINE__, DB_SQLITE, "ATTACH 'x.db' AS x;\n", 2},
        {__LINE__, DB_SQLITE, "VACUUM INTO 'x.db';\n", 2},
        {__LINE__, DB_SQLITE, "VACUUM;\n", 0},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct error err = ERROR_INIT;
        const struct db_url url = {.engine = cases[i].engine};
        SCOPED(migration_set) struct migration_set set = MIGRATION_SET_INIT;
        migration_set_give(&set, migration_of_text(cases[i].engine, "7", cases[i].text));
        int result = reach_check(os_real(), &url, &set, &err);
        SCOPED(string) char *place = mem_format("7.sql:%zu: ", cases[i].refused_at);
        assert_case(cases[i].line, (result < 0) == (cases[i].refused_at > 0));
        if (result < 0 && (err.code != ERROR_USAGE || !strstr(err.message, place)))
            fail_msg("case at line %d: %s", cases[i].line, err.message);
    }
}

TEST_MAIN(UNIT(statements_that_reach_out_of_the_database_are_refused))
