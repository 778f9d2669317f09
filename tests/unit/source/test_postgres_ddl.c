#include "harness/test.h"

#include "base/mem.h"
#include "base/text.h"
#include "source/postgres_catalog.h"
#include "source/postgres_ddl.h"

#include <string.h>

static const char script[] =
    "--\n-- PostgreSQL database dump\n--\n\n\\restrict abc\n\n"
    "SET statement_timeout = 0;\nSET transaction_timeout = 0;\n"
    "SELECT pg_catalog.set_config('search_path', '', false);\n"
    "--\n-- Name: f(); Type: FUNCTION; Schema: public; Owner: -\n--\n"
    "CREATE FUNCTION public.f() RETURNS text LANGUAGE sql AS $$ select '\n"
    "--\n-- Name: i; Type: INDEX; Schema: public\n--\n\nCREATE INDEX i ON public.t (a);\n' $$;\n"
    "SET default_tablespace = fast;\n"
    "CREATE TABLE public.t (a integer);\n"
    "SET default_tablespace = '';\n"
    "CREATE INDEX i ON public.t USING btree (a);\n"
    "GRANT ALL ON TABLE public.t TO x;\n"
    "\n\\unrestrict abc\n\n";

static const struct postgres_tables all;

TEST(a_foreign_key_to_rows_that_are_left_out_is_not_checked)
{
    static const char keys[] =
        "ALTER TABLE ONLY public.a\n    ADD CONSTRAINT f FOREIGN KEY (x) REFERENCES public.b(id);\n"
        "ALTER TABLE ONLY public.b\n    ADD CONSTRAINT g FOREIGN KEY (x) REFERENCES "
        "public.a(id);\n";
    char schema[] = "public", left_out[] = "b";
    struct postgres_table table = {.schema = schema, .name = left_out, .left_out = true};
    struct postgres_tables tables = {.items = &table, .count = 1};
    struct error err = ERROR_INIT;
    struct postgres_ddl ddl = POSTGRES_DDL_INIT;
    assert_ok(postgres_ddl_split(keys, sizeof keys - 1, &tables, &ddl, &err), err);
    assert_non_null(strstr(ddl.post.data, "REFERENCES public.b(id) NOT VALID;"));
    assert_non_null(strstr(ddl.post.data, "REFERENCES public.a(id);"));
    postgres_ddl_clear(&ddl);
}

TEST(what_follows_the_data_is_told_by_the_statement_not_by_a_text_in_it)
{
    struct error err = ERROR_INIT;
    struct postgres_ddl ddl = POSTGRES_DDL_INIT;
    assert_ok(postgres_ddl_split(script, sizeof script - 1, &all, &ddl, &err), err);
    assert_non_null(strstr(ddl.pre.data, "CREATE FUNCTION public.f()"));
    assert_non_null(strstr(ddl.pre.data, "CREATE TABLE public.t"));
    assert_null(strstr(ddl.pre.data, "btree"));
    assert_null(strstr(ddl.pre.data, "GRANT"));
    assert_non_null(strstr(ddl.post.data, "CREATE INDEX i ON public.t USING btree (a);"));
    assert_non_null(strstr(ddl.post.data, "GRANT ALL"));
    postgres_ddl_clear(&ddl);
}

TEST(event_triggers_come_last_as_they_would_fire_for_the_rest)
{
    static const char definitions[] =
        "CREATE EVENT TRIGGER e ON ddl_command_end EXECUTE FUNCTION public.f();\n"
        "ALTER EVENT TRIGGER e ENABLE ALWAYS;\nALTER EVENT TRIGGER e OWNER TO o;\n"
        "COMMENT ON EVENT TRIGGER e IS 'c';\nSECURITY LABEL FOR p ON EVENT TRIGGER e IS 'l';\n"
        "SECURITY LABEL FOR p ON TABLE public.t IS 'ON EVENT TRIGGER';\n"
        "REFRESH MATERIALIZED VIEW public.m;\n";
    struct error err = ERROR_INIT;
    struct postgres_ddl ddl = POSTGRES_DDL_INIT;
    assert_ok(postgres_ddl_split(definitions, sizeof definitions - 1, &all, &ddl, &err), err);
    const char *refresh = strstr(ddl.post.data, "REFRESH MATERIALIZED VIEW");
    const char *created = strstr(ddl.post.data, "CREATE EVENT TRIGGER");
    const char *always = strstr(ddl.post.data, "ENABLE ALWAYS");
    assert_true(refresh && created > refresh && always > created);
    assert_true(strstr(ddl.post.data, "COMMENT ON EVENT") > always);
    assert_true(strstr(ddl.post.data, "LABEL FOR p ON EVENT") > always);
    assert_true(strstr(ddl.post.data, "LABEL FOR p ON TABLE") < refresh);
    postgres_ddl_clear(&ddl);
}

TEST(the_second_part_begins_with_the_settings_it_needs)
{
    struct error err = ERROR_INIT;
    struct postgres_ddl ddl = POSTGRES_DDL_INIT;
    assert_ok(postgres_ddl_split(script, sizeof script - 1, &all, &ddl, &err), err);
    static const char head[] = "SET statement_timeout = 0;\n\n"
                               "SELECT pg_catalog.set_config('search_path', '', false);\n\n"
                               "SET lc_monetary = 'C';\n\n"
                               "SET array_nulls = on;\n\n"
                               "SET default_transaction_read_only = off;\n\n"
                               "SET default_tablespace = '';\n\n";
    assert_memory_equal(ddl.post.data, head, sizeof head - 1);
    postgres_ddl_clear(&ddl);
}

TEST(the_settings_before_the_first_definition_are_told_apart)
{
    struct error err = ERROR_INIT;
    struct postgres_ddl ddl = POSTGRES_DDL_INIT;
    assert_ok(postgres_ddl_split(script, sizeof script - 1, &all, &ddl, &err), err);
    assert_true(ddl.head > 0);
    assert_true(text_starts(ddl.pre.data + ddl.head, "CREATE FUNCTION public.f()"));
    postgres_ddl_clear(&ddl);
}

TEST(client_commands_and_settings_of_newer_servers_are_dropped)
{
    struct error err = ERROR_INIT;
    struct postgres_ddl ddl = POSTGRES_DDL_INIT;
    assert_ok(postgres_ddl_split(script, sizeof script - 1, &all, &ddl, &err), err);
    assert_null(strstr(ddl.pre.data, "restrict"));
    assert_null(strstr(ddl.pre.data, "transaction_timeout"));
    assert_null(strstr(ddl.post.data, "restrict"));
    postgres_ddl_clear(&ddl);
}

TEST(tablespaces_that_definitions_name_are_noted_once)
{
    static const char named[] =
        "SET default_tablespace = fast;\nCREATE TABLE public.a (a integer);\n"
        "SET default_tablespace = '';\nCREATE TABLE public.b (a integer);\n"
        "SET default_tablespace = \"Slow \"\"Disk\";\n"
        "CREATE INDEX i ON public.b USING btree (a);\n"
        "SET default_tablespace = fast;\n"
        "CREATE INDEX j ON public.a USING btree (a);\n";
    struct error err = ERROR_INIT;
    struct postgres_ddl ddl = POSTGRES_DDL_INIT;
    assert_ok(postgres_ddl_split(named, sizeof named - 1, &all, &ddl, &err), err);
    assert_int_equal(ddl.tablespaces.count, 2);
    assert_string_equal(ddl.tablespaces.items[0], "fast");
    assert_string_equal(ddl.tablespaces.items[1], "Slow \"Disk");
    /* What makes a tablespace goes between the two. */
    const char *first = strstr(ddl.pre.data, "SET default_tablespace = fast");
    assert_int_equal(first - ddl.pre.data, ddl.head);
    postgres_ddl_clear(&ddl);
}

TEST_MAIN(UNIT(tablespaces_that_definitions_name_are_noted_once),
          UNIT(a_foreign_key_to_rows_that_are_left_out_is_not_checked),
          UNIT(what_follows_the_data_is_told_by_the_statement_not_by_a_text_in_it),
          UNIT(event_triggers_come_last_as_they_would_fire_for_the_rest),
          UNIT(the_second_part_begins_with_the_settings_it_needs),
          UNIT(the_settings_before_the_first_definition_are_told_apart),
          UNIT(client_commands_and_settings_of_newer_servers_are_dropped))
