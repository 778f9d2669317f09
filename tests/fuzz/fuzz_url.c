/*
 * Database URLs. The password is shown by nothing that is meant for people.
 */
#include "fuzz.h"

#include "base/text.h"
#include "db/url.h"

#define SECRET "s3cr3t-4711"

static void compare(const struct db_url *a, const struct db_url *b)
{
    MUST(a->engine == b->engine && a->port == b->port);
    MUST(text_equal(a->host, b->host) && text_equal(a->socket, b->socket));
    MUST(text_equal(a->user, b->user) && text_equal(a->password, b->password));
    MUST(text_equal(a->database, b->database) && a->parameter_count == b->parameter_count);
}

static void parse(const char *text)
{
    struct error err = ERROR_INIT;
    SCOPED(db_url) struct db_url url = DB_URL_INIT;
    SCOPED(db_url) struct db_url copy = DB_URL_INIT;
    if (db_url_parse(text, &url, &err) < 0) {
        MUST(err.code == ERROR_USAGE);
        MUST_SAY(&err);
        return;
    }
    MUST(url.port >= 0 && url.port <= 65535);
    MUST(url.engine != DB_SQLITE || url.database);
    MUST(db_url_copy(&url, &copy) == 0);
    compare(&url, &copy);
    SCOPED(string) char *masked = db_url_masked(&url);
    SCOPED(string) char *display = db_url_display(&url);
    MUST(masked && display);
}

static void parse_with_secret(const char *start, const char *rest)
{
    struct error err = ERROR_INIT;
    SCOPED(db_url) struct db_url url = DB_URL_INIT;
    if (strstr(rest, "s3cr3t"))
        return; /* the input brings it itself, and anywhere */
    SCOPED(string) char *text = mem_format("%s" SECRET "%s", start, rest);
    if (db_url_parse(text, &url, &err) < 0) {
        MUST(!strstr(err.message, SECRET) && !strstr(err.hint, SECRET));
        return;
    }
    /* Where the rest makes it no password, it may be shown. */
    if (!url.password || !strstr(url.password, SECRET))
        return;
    SCOPED(string) char *display = db_url_display(&url);
    SCOPED(string) char *masked = db_url_masked(&url);
    MUST(!strstr(display, SECRET) && !strstr(masked, SECRET));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const starts[] = {"postgres://me:", "mysql://me:", "mariadb://h/d?password=",
                                         "postgres://h/d?a=b&password=", "oracle://me:"};
    struct input input = {data, size};
    SCOPED(string) char *text = input_text(&input);
    parse(text);
    for (size_t i = 0; i < ARRAY_SIZE(starts); i++)
        parse_with_secret(starts[i], text);
    return 0;
}
