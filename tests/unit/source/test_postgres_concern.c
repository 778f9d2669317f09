#include "harness/test.h"

#include "base/mem.h"
#include "base/text.h"
#include "source/postgres_concern.h"

TEST(statements_about_the_table_concern_it_and_others_do_not)
{
    static const struct {
        int line;
        const char *text;
        bool concerns;
    } cases[] = {
        {__LINE__, "CREATE TABLE public.t (a integer)", true},
        {__LINE__, "CREATE UNLOGGED TABLE public.t (a integer)", true},
        {__LINE__, "CREATE TABLE public.t2 (a integer)", false},
        {__LINE__, "CREATE TABLE other.t (a integer)", false},
        {__LINE__, "ALTER TABLE ONLY public.t ALTER COLUMN a SET DEFAULT 1", true},
        {__LINE__, "ALTER TABLE public.t OWNER TO x", true},
        {__LINE__, "ALTER TABLE ONLY public.p ATTACH PARTITION public.t FOR VALUES IN (1)", true},
        {__LINE__, "ALTER TABLE ONLY public.u ADD CONSTRAINT c FOREIGN KEY (a) REFERENCES public.t",
         false},
        {__LINE__, "CREATE INDEX i ON public.t USING btree (a)", true},
        {__LINE__, "CREATE INDEX \"ON public.t\" ON public.u USING btree (a)", false},
        {__LINE__, "CREATE TRIGGER x BEFORE INSERT ON public.t EXECUTE FUNCTION f()", true},
        {__LINE__, "CREATE RULE r AS ON DELETE TO public.t DO INSTEAD NOTHING", true},
        {__LINE__, "GRANT SELECT ON TABLE public.t TO x", true},
        {__LINE__, "GRANT SELECT(a) ON TABLE public.u TO x", false},
        {__LINE__, "COMMENT ON COLUMN public.t.a IS 'x'", true},
        {__LINE__, "COMMENT ON TABLE public.u IS 'CREATE TABLE public.t'", false},
        {__LINE__, "CREATE VIEW public.v AS SELECT 1 FROM public.t", false},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        assert_case(cases[i].line,
                    postgres_concerns_table(cases[i].text, "public", "t") == cases[i].concerns);
}

TEST(sequences_of_the_table_belong_to_it)
{
    SCOPED(string)
    char *own =
        postgres_owned_sequence("ALTER SEQUENCE public.s OWNED BY public.t.a", "public", "t");
    SCOPED(string)
    char *other =
        postgres_owned_sequence("ALTER SEQUENCE public.s OWNED BY public.u.a", "public", "t");
    assert_string_equal(own, "public.s");
    assert_null(other);
    __attribute__((cleanup(scoped_text_list_cleanup))) struct text_list list = TEXT_LIST_INIT;
    text_list_add(&list, "public.s");
    assert_true(postgres_concerns_sequence("CREATE SEQUENCE public.s START WITH 1", &list));
    assert_true(postgres_concerns_sequence("ALTER TABLE public.s OWNER TO x", &list));
    assert_false(postgres_concerns_sequence("CREATE SEQUENCE public.s2", &list));
}

TEST_MAIN(UNIT(statements_about_the_table_concern_it_and_others_do_not),
          UNIT(sequences_of_the_table_belong_to_it))
