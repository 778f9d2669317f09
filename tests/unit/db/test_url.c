#include "harness/test.h"

#include "db/url.h"

#include <stdlib.h>
#include <string.h>

struct good {
    int line;
    const char *text;
    enum db_engine engine;
    const char *user, *password, *host;
    int port;
    const char *database, *socket, *display;
};

static const struct good goods[] = {
    {__LINE__, "postgres://ann:s%40c@db1:6432/shop", DB_POSTGRES, "ann", "s@c", "db1", 6432, "shop",
     NULL, "postgres://ann@db1:6432/shop"},
    {__LINE__, "postgresql://db1/shop?sslmode=require", DB_POSTGRES, NULL, NULL, "db1", 0, "shop",
     NULL, "postgres://db1/shop"},
    {__LINE__, "postgres:///shop?host=/run/pg&user=u", DB_POSTGRES, "u", NULL, "/run/pg", 0, "shop",
     NULL, "postgres://u@/shop?host=/run/pg"},
    {__LINE__, "postgres://u:a@b:c@h/d", DB_POSTGRES, "u", "a@b:c", "h", 0, "d", NULL,
     "postgres://u@h/d"},
    {__LINE__, "postgres://u@[::1]:99/d", DB_POSTGRES, "u", NULL, "::1", 99, "d", NULL,
     "postgres://u@[::1]:99/d"},
    {__LINE__, "postgres://h/a%20b%2Fc", DB_POSTGRES, NULL, NULL, "h", 0, "a b/c", NULL,
     "postgres://h/a%20b%2Fc"},
    {__LINE__, "postgres://", DB_POSTGRES, NULL, NULL, NULL, 0, NULL, NULL, "postgres:///"},
    {__LINE__, "postgres://h?user=u&password=p&port=7&dbname=d", DB_POSTGRES, "u", "p", "h", 7, "d",
     NULL, "postgres://u@h:7/d"},
    {__LINE__, "postgres:///d?sslmode=require&service=a%20b", DB_POSTGRES, NULL, NULL, NULL, 0, "d",
     NULL, "postgres:///d?service=a%20b"},
    {__LINE__, "mysql://root:@localhost/shop?socket=/tmp/m.sock", DB_MYSQL, "root", "", "localhost",
     0, "shop", "/tmp/m.sock", "mysql://root@localhost/shop?socket=/tmp/m.sock"},
    {__LINE__, "MariaDB://h:3307/", DB_MYSQL, NULL, NULL, "h", 3307, NULL, NULL, "mysql://h:3307/"},
    {__LINE__, "sqlite:shop.db", DB_SQLITE, NULL, NULL, NULL, 0, "shop.db", NULL, "sqlite:shop.db"},
    {__LINE__, "sqlite:///srv/a%20b.db", DB_SQLITE, NULL, NULL, NULL, 0, "/srv/a b.db", NULL,
     "sqlite:/srv/a b.db"},
    {__LINE__, "/srv/100%.db", DB_SQLITE, NULL, NULL, NULL, 0, "/srv/100%.db", NULL,
     "sqlite:/srv/100%25.db"},
    {__LINE__, "a:b@c.db", DB_SQLITE, NULL, NULL, NULL, 0, "a:b@c.db", NULL, "sqlite:a:b@c.db"},
};

static void assert_text(int line, const char *is, const char *want)
{
    if ((is == NULL) != (want == NULL) || (is && strcmp(is, want) != 0))
        fail_msg("case at line %d: \"%s\", not \"%s\"", line, is ? is : "NULL",
                 want ? want : "NULL");
}

TEST(url_parts_are_found_and_decoded)
{
    for (size_t i = 0; i < ARRAY_SIZE(goods); i++) {
        const struct good *good = &goods[i];
        struct error err = ERROR_INIT;
        struct db_url url = DB_URL_INIT;
        assert_ok(db_url_parse(good->text, &url, &err), err);
        assert_case(good->line, url.engine == good->engine);
        assert_text(good->line, url.user, good->user);
        assert_text(good->line, url.password, good->password);
        assert_text(good->line, url.host, good->host);
        assert_case(good->line, url.port == good->port);
        assert_text(good->line, url.database, good->database);
        assert_text(good->line, url.socket, good->socket);
        SCOPED(string) char *display = db_url_display(&url);
        assert_text(good->line, display, good->display);
        db_url_clear(&url);
    }
}

TEST(url_that_is_none_is_refused_and_its_password_not_repeated)
{
    static const char *const bads[] = {
        "",
        "oracle://u:hunter2@h/d",
        "postgres://u:hun/hunter2@h/d",
        "postgres://u:hunter2@h:0/d",
        "postgres://u:hunter2@h:65536/d",
        "postgres://u:hunter2@[::1/d",
        "postgres://u:hunter2@[::1]x/d",
        "postgres://u:hunter2%@h/d",
        "postgres://u:hunter2%0@h/d",
        "postgres://u:hunter2%00@h/d",
        "postgres://u:hunter2%zz@h/d",
        "postgres://u:hunter2@a,b/d",
        "postgres://u@h/d?hunter2",
        "postgres://u@h/d?password=%hunter2",
        "postgres://h/d?port=hunter2",
        "sqlite:",
        "sqlite://",
        "jdbc:postgresql://h/d?password=hunter2",
        "host=h password=hunter2 dbname=d",
        "u:hunter2@tcp(h:3306)/d",
        "u:hunter2@/d?parseTime=true",
        "mysql://u:hunter2@tcp(h:3306)/d",
    };
    for (size_t i = 0; i < ARRAY_SIZE(bads); i++) {
        struct error err = ERROR_INIT;
        struct db_url url = DB_URL_INIT;
        assert_int_equal(db_url_parse(bads[i], &url, &err), -1);
        assert_int_equal(err.code, ERROR_USAGE);
        assert_null(strstr(err.message, "hunter2"));
        assert_null(strstr(err.hint, "hunter2"));
        assert_null(url.host);
    }
}

TEST(url_keeps_the_other_parameters_and_copies_whole)
{
    struct error err = ERROR_INIT;
    struct db_url url = DB_URL_INIT;
    struct db_url copy = DB_URL_INIT;
    assert_ok(db_url_parse("postgres://u:p@h/d?sslmode=require&user=v&a%26b=c%3Dd", &url, &err),
              err);
    assert_ok(db_url_copy(&url, &copy), err);
    db_url_clear(&url);
    assert_string_equal(copy.user, "v");
    assert_int_equal(copy.parameter_count, 2);
    assert_string_equal(db_url_parameter(&copy, "sslmode"), "require");
    assert_string_equal(db_url_parameter(&copy, "a&b"), "c=d");
    assert_null(db_url_parameter(&copy, "user"));
    SCOPED(string) char *masked = db_url_masked(&copy);
    assert_string_equal(masked, "postgres://****@****");
    db_url_clear(&copy);
}

TEST(url_scheme_is_recognised)
{
    assert_true(db_url_is("mysql://h"));
    assert_true(db_url_is("SQLITE:x"));
    assert_false(db_url_is("/srv/shop.db"));
    assert_false(db_url_is("s3://bucket"));
}

TEST(urls_of_one_database_are_recognised)
{
    static const struct {
        int line;
        const char *a, *b;
        bool same;
    } cases[] = {
        {__LINE__, "postgres://ann:x@db1/shop", "postgresql://bob@db1:5432/shop", true},
        {__LINE__, "postgres:///shop?host=/run/pg", "postgres://u@localhost/shop", true},
        {__LINE__, "postgres://127.0.0.1:5432/shop", "postgres://[::1]/shop", true},
        {__LINE__, "postgres://db1/shop", "postgres://db2/shop", false},
        {__LINE__, "postgres://db1/shop", "postgres://localhost/shop", false},
        {__LINE__, "postgres://db1/shop", "postgres://db1:6432/shop", false},
        {__LINE__, "postgres://db1/shop", "postgres://db1/shop2", false},
        {__LINE__, "postgres://db1/shop", "mysql://db1:5432/shop", false},
        {__LINE__, "postgres://db1", "postgres://db1", false},
        {__LINE__, "sqlite:/proc/self/exe", "/proc/self/../self/exe", true},
        {__LINE__, "sqlite:/none/a.db", "sqlite:/none/b.db", false},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct error err = ERROR_INIT;
        SCOPED(db_url) struct db_url a = DB_URL_INIT;
        SCOPED(db_url) struct db_url b = DB_URL_INIT;
        assert_ok(db_url_parse(cases[i].a, &a, &err), err);
        assert_ok(db_url_parse(cases[i].b, &b, &err), err);
        if (db_url_same(&a, &b) != cases[i].same)
            fail_msg("line %d", cases[i].line);
    }
}

TEST_MAIN(UNIT(url_parts_are_found_and_decoded),
          UNIT(url_that_is_none_is_refused_and_its_password_not_repeated),
          UNIT(url_keeps_the_other_parameters_and_copies_whole), UNIT(url_scheme_is_recognised),
          UNIT(urls_of_one_database_are_recognised))
