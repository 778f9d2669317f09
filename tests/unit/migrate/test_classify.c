#include "harness/test.h"

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include "migrate/classify.h"

#include <string.h>

TEST(words_are_read_without_comments_and_quotes)
{
    static const struct {
        int line;
        enum db_engine engine;
        const char *text;
        const char *words; /* with a bar between them */
    } cases[] = {
        {__LINE__, DB_POSTGRES, "create index concurrently i on t(a)",
         "CREATE|INDEX|CONCURRENTLY|I|ON|T|(|A|)"},
        {__LINE__, DB_POSTGRES, "DROP -- not this: TABLE\n TABLE \"It is\"", "DROP|TABLE|It is"},
        {__LINE__, DB_POSTGRES, "a /* b /* c */ d */ e", "A|E"},
        {__LINE__, DB_POSTGRES, "a /* b /* c */ e", "A"},
        {__LINE__, DB_POSTGRES, "a /*/ b */ c", "A|C"},
        {__LINE__, DB_POSTGRES, "a /**/b/***/c", "A|B|C"},
        {__LINE__, DB_POSTGRES, "a # b", "A|#|B"},
        {__LINE__, DB_MYSQL, "a /* b /* c */ d", "A|D"},
        {__LINE__, DB_MYSQL, "a # b\nc", "A|C"},
        {__LINE__, DB_MYSQL, "/*!50003 CREATE*/ /*M!100100 TABLE */ `t t`", "CREATE|TABLE|t t"},
        {__LINE__, DB_SQLITE, "PRAGMA foreign_keys=OFF", "PRAGMA|FOREIGN_KEYS|=|OFF"},
        {__LINE__, DB_SQLITE, "a /* b", "A"},
        {__LINE__, DB_SQLITE, "a --", "A"},
        {__LINE__, DB_SQLITE, "''", ""},
        {__LINE__, DB_SQLITE,
         "gr\xC3\xB6\xC3\x9F"
         "er",
         "GR\xC3\xB6\xC3\x9F"
         "ER"},
        {__LINE__, DB_SQLITE, "", ""},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct words words;
        SCOPED(text_list) struct text_list list = TEXT_LIST_INIT;
        words_read(&words, cases[i].engine, cases[i].text, strlen(cases[i].text));
        for (size_t w = 0; w < words.count; w++)
            text_list_add(&list, words.items[w]);
        SCOPED(string) char *joined = text_list_join(&list, "|");
        if (strcmp(joined, cases[i].words) != 0)
            fail_msg("case at line %d: %s", cases[i].line, joined);
    }
}

TEST(long_words_and_long_statements_are_cut)
{
    struct words words;
    SCOPED(buf) struct buf text = BUF_INIT;
    for (int i = 0; i < 100; i++)
        buf_append_char(&text, 'x');
    for (int i = 0; i < 100; i++)
        buf_append_text(&text, " y");
    words_read(&words, DB_POSTGRES, text.data, text.length);
    assert_int_equal(words.count, ARRAY_SIZE(words.items));
    assert_int_equal(strlen(words.items[0]), sizeof words.items[0] - 1);
    assert_string_equal(words.items[1], "Y");
}

TEST(words_are_found_where_they_stand)
{
    struct words words;
    words_read(&words, DB_POSTGRES, "alter table t detach partition p", 32);
    assert_true(words_are(&words, 0, "ALTER TABLE"));
    assert_true(words_are(&words, 4, "PARTITION P"));
    assert_false(words_are(&words, 5, "P Q"));
    assert_false(words_are(&words, 0, "ALTER TAB"));
    assert_int_equal(words_find(&words, "DETACH PARTITION"), 3);
    assert_int_equal(words_find(&words, "PARTITION DETACH"), -1);
}

TEST(a_statement_is_known_by_its_first_words)
{
    enum { T = TRAIT_TRANSACTION, O = TRAIT_OUTSIDE, C = TRAIT_COMMITS, M = TRAIT_MAY_COMMIT };
    static const struct {
        int line;
        const char *text;
        unsigned postgres, mysql, sqlite;
    } cases[] = {
        {__LINE__, "BEGIN", T, T, T},
        {__LINE__, "begin transaction isolation level serializable", T, T, T},
        {__LINE__, "BEGIN NOT ATOMIC SELECT 1; END", 0, M, 0},
        {__LINE__, "COMMIT AND CHAIN", T, T, T},
        {__LINE__, "END", T, 0, T},
        {__LINE__, "ABORT", T, 0, T},
        {__LINE__, "ROLLBACK", T, T, T},
        {__LINE__, "ROLLBACK TO SAVEPOINT a", 0, 0, 0},
        {__LINE__, "SAVEPOINT a", 0, 0, 0},
        {__LINE__, "PREPARE TRANSACTION 'x'", T, T, T},
        {__LINE__, "PREPARE /* /* */ TRANSACTION */ p AS SELECT 1", 0, T, T},
        {__LINE__, "VACUUM", O, 0, O},
        {__LINE__, "CREATE INDEX CONCURRENTLY i ON t (a)", O, C, 0},
        {__LINE__, "CREATE INDEX concurrently_x ON t (a)", 0, C, 0},
        {__LINE__, "CREATE INDEX \"CONCURRENTLY\" ON t (a)", O, C, 0},
        {__LINE__, "REINDEX TABLE CONCURRENTLY t", O, 0, 0},
        {__LINE__, "REINDEX TABLE t", 0, 0, 0},
        {__LINE__, "CLUSTER", O, 0, 0},
        {__LINE__, "CLUSTER t", 0, 0, 0},
        {__LINE__, "ALTER TABLE t DETACH PARTITION p CONCURRENTLY", O, C, 0},
        {__LINE__, "ALTER TABLE t DETACH PARTITION p", 0, C, 0},
        {__LINE__, "ALTER DATABASE d SET TABLESPACE s", O, C, 0},
        {__LINE__, "CREATE TEMPORARY TABLE t (a int)", 0, 0, 0},
        {__LINE__, "CREATE OR REPLACE TEMPORARY TABLE t (a int)", 0, 0, 0},
        {__LINE__, "LOCK TABLES t WRITE", 0, C, 0},
        {__LINE__, "INSERT INTO t VALUES (1)", 0, 0, 0},
        {__LINE__, "CALL p()", 0, M, 0},
        {__LINE__, "PRAGMA foreign_keys = ON", 0, 0, TRAIT_FOREIGN_KEYS},
        {__LINE__, "PRAGMA foreign_keys", 0, 0, 0},
        {__LINE__, "PRAGMA journal_mode = WAL", 0, 0, O},
        {__LINE__, "PRAGMA journal_mode", 0, 0, 0},
        {__LINE__, "PRAGMA wal_checkpoint", 0, 0, O},
        {__LINE__, "ATTACH 'x' AS y", 0, 0, O},
        {__LINE__, "", 0, 0, 0},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        size_t size = strlen(cases[i].text);
        assert_case(cases[i].line,
                    statement_traits(DB_POSTGRES, cases[i].text, size) == cases[i].postgres);
        assert_case(cases[i].line,
                    statement_traits(DB_MYSQL, cases[i].text, size) == cases[i].mysql);
        assert_case(cases[i].line,
                    statement_traits(DB_SQLITE, cases[i].text, size) == cases[i].sqlite);
    }
}

TEST_MAIN(UNIT(words_are_read_without_comments_and_quotes),
          UNIT(long_words_and_long_statements_are_cut), UNIT(words_are_found_where_they_stand),
          UNIT(a_statement_is_known_by_its_first_words))
