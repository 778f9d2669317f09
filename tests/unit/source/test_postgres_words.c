#include "harness/test.h"

#include "base/mem.h"
#include "base/text.h"
#include "source/postgres_words.h"

#include <string.h>

TEST(names_are_read_as_the_server_reads_them)
{
    static const struct {
        int line;
        const char *text, *schema, *name;
    } cases[] = {
        {__LINE__, "public.orders x", "public", "orders"},
        {__LINE__, "Orders", NULL, "orders"},
        {__LINE__, "\"a \"\"b\"\".c\".\"D\"", "a \"b\".c", "D"},
        {__LINE__, "\"x; Type: INDEX\"", NULL, "x; Type: INDEX"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct words words = {cases[i].text};
        SCOPED(string) char *schema = NULL;
        SCOPED(string) char *name = NULL;
        assert_case(cases[i].line, words_name(&words, &schema, &name));
        assert_case(cases[i].line, text_equal(schema, cases[i].schema));
        assert_case(cases[i].line, text_equal(name, cases[i].name));
    }
}

TEST(an_unfinished_name_is_none)
{
    struct words words = {"\"abc"};
    assert_false(words_name(&words, NULL, NULL));
    words = (struct words){"a."};
    assert_false(words_name(&words, NULL, NULL));
    words = (struct words){""};
    assert_false(words_name(&words, NULL, NULL));
}

TEST(keywords_do_not_match_inside_names_or_strings)
{
    struct words words = {"x \"REFERENCES a\" 'REFERENCES b' REFERENCESx REFERENCES s.t"};
    assert_true(words_seek(&words, "REFERENCES"));
    SCOPED(string) char *schema = NULL;
    SCOPED(string) char *name = NULL;
    assert_true(words_name(&words, &schema, &name));
    assert_string_equal(schema, "s");
    assert_string_equal(name, "t");
}

TEST(statements_that_follow_the_data_are_told_apart)
{
    static const struct {
        int line;
        const char *text;
        enum post_kind kind;
        const char *name;
    } cases[] = {
        {__LINE__, "CREATE INDEX i ON public.t USING btree (a)", POST_INDEX, "t"},
        {__LINE__, "CREATE UNIQUE INDEX i ON ONLY public.t USING btree (a)", POST_INDEX, "t"},
        {__LINE__, "ALTER TABLE ONLY public.t\n    ADD CONSTRAINT t_pkey PRIMARY KEY (a)",
         POST_INDEX, "t"},
        {__LINE__,
         "ALTER TABLE ONLY public.t\n    ADD CONSTRAINT c FOREIGN KEY (a) REFERENCES u(a)",
         POST_FOREIGN, "t"},
        {__LINE__, "ALTER TABLE public.t ADD CONSTRAINT c CHECK (a > 0) NOT VALID", POST_OTHER,
         "t"},
        {__LINE__, "ALTER TABLE ONLY public.t ATTACH PARTITION public.u FOR VALUES IN (1)",
         POST_NONE, NULL},
        {__LINE__, "ALTER TABLE ONLY public.t ALTER COLUMN a SET DEFAULT 1", POST_NONE, NULL},
        {__LINE__, "ALTER TABLE public.t OWNER TO x", POST_NONE, NULL},
        {__LINE__, "ALTER DOMAIN public.d OWNER TO x", POST_NONE, NULL},
        {__LINE__, "ALTER DOMAIN public.d ADD CONSTRAINT c CHECK (VALUE > 0) NOT VALID", POST_OTHER,
         NULL},
        {__LINE__, "ALTER TABLE public.t ENABLE ROW LEVEL SECURITY", POST_OTHER, NULL},
        {__LINE__, "REFRESH MATERIALIZED VIEW public.m", POST_REFRESH, "m"},
        {__LINE__, "GRANT SELECT ON TABLE public.t TO x", POST_GRANT, NULL},
        {__LINE__, "ALTER INDEX public.p ATTACH PARTITION public.c", POST_OTHER, NULL},
        {__LINE__, "CREATE TRIGGER t AFTER INSERT ON public.t EXECUTE FUNCTION f()", POST_OTHER,
         NULL},
        {__LINE__, "CREATE TABLE public.index (a integer)", POST_NONE, NULL},
        {__LINE__, "COMMENT ON TABLE public.t IS 'CREATE INDEX'", POST_NONE, NULL},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        SCOPED(string) char *name = NULL;
        assert_case(cases[i].line, words_post_kind(cases[i].text, NULL, &name) == cases[i].kind);
        assert_case(cases[i].line, text_equal(name, cases[i].name));
    }
}

TEST_MAIN(UNIT(names_are_read_as_the_server_reads_them), UNIT(an_unfinished_name_is_none),
          UNIT(keywords_do_not_match_inside_names_or_strings),
          UNIT(statements_that_follow_the_data_are_told_apart))
