#include "db/url.h"

#include "base/buf.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/text.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Longer than any URL that means something; keeps messages and memory small. */
#define URL_MAXIMUM 8192

static const struct scheme {
    const char *prefix;
    enum db_engine engine;
} schemes[] = {
    {"postgres://", DB_POSTGRES}, {"postgresql://", DB_POSTGRES}, {"mysql://", DB_MYSQL},
    {"mariadb://", DB_MYSQL},     {"sqlite:", DB_SQLITE},         {"sqlite3:", DB_SQLITE},
};

const char *db_engine_name(enum db_engine engine)
{
    static const char *const names[] = {
        [DB_SQLITE] = "sqlite", [DB_POSTGRES] = "postgres", [DB_MYSQL] = "mysql"};
    return names[engine];
}

static const struct scheme *find_scheme(const char *text)
{
    for (size_t i = 0; i < ARRAY_SIZE(schemes); i++)
        if (strncasecmp(text, schemes[i].prefix, strlen(schemes[i].prefix)) == 0)
            return &schemes[i];
    return NULL;
}

bool db_url_is(const char *text)
{
    return find_scheme(text) != NULL;
}

static void wipe_free(char **text)
{
    if (*text)
        mem_wipe(*text, strlen(*text));
    free(*text);
    *text = NULL;
}

void db_url_clear(struct db_url *url)
{
    free(url->host);
    free(url->socket);
    free(url->user);
    wipe_free(&url->password);
    free(url->database);
    for (size_t i = 0; i < url->parameter_count; i++) {
        free(url->parameters[i].name);
        wipe_free(&url->parameters[i].value); /* sslpassword and its kind */
    }
    free(url->parameters);
    *url = DB_URL_INIT;
}

int db_url_copy(const struct db_url *from, struct db_url *ret_url)
{
    struct db_url url = *from;
    url.host = mem_string(from->host);
    url.socket = mem_string(from->socket);
    url.user = mem_string(from->user);
    url.password = mem_string(from->password);
    url.database = mem_string(from->database);
    url.parameters = NULL;
    if (from->parameter_count)
        url.parameters = mem_alloc(from->parameter_count, sizeof *url.parameters);
    for (size_t i = 0; i < from->parameter_count; i++) {
        url.parameters[i].name = mem_string(from->parameters[i].name);
        url.parameters[i].value = mem_string(from->parameters[i].value);
    }
    *ret_url = url;
    return 0;
}

const char *db_url_parameter(const struct db_url *url, const char *name)
{
    for (size_t i = 0; i < url->parameter_count; i++)
        if (strcmp(url->parameters[i].name, name) == 0)
            return url->parameters[i].value;
    return NULL;
}

/* ---- parsing; no message here may quote the text, a password can be anywhere in it ---- */

/* The percent-decoded copy of text[0..size). `part` names it in the error. */
static int decode(const char *text, size_t size, const char *part, char **ret_text,
                  struct error *err)
{
    char *copy = mem_alloc(size + 1, 1);
    size_t length = 0;
    for (size_t i = 0; i < size; i++) {
        unsigned char byte = (unsigned char)text[i];
        if (byte == '%') {
            char digits[3] = {i + 1 < size ? text[i + 1] : '\0', i + 2 < size ? text[i + 2] : '\0',
                              '\0'};
            if (text_unhex(digits, &byte, 1) < 0 || byte == '\0') {
                mem_wipe(copy, size);
                free(copy);
                error_set(err, ERROR_USAGE, "database URL: bad %% sequence in the %s", part);
                return error_hint(err, "a %% itself is written %%25");
            }
            i += 2;
        }
        copy[length++] = (char)byte;
    }
    *ret_text = copy;
    return 0;
}

static int parse_port(const char *text, size_t size, int *ret_port, struct error *err)
{
    char digits[8] = "";
    int64_t port = 0;
    if (size == 0)
        return 0;
    if (size < sizeof digits)
        memcpy(digits, text, size);
    if (text_parse_int(digits, 1, 65535, &port, NULL) < 0) {
        error_set(err, ERROR_USAGE, "database URL: the port is not a number from 1 to 65535");
        return error_hint(err, "write / as %%2F, : as %%3A, @ as %%40 in a user or password");
    }
    *ret_port = (int)port;
    return 0;
}

static int parse_user(const char *text, size_t size, struct db_url *url, struct error *err)
{
    const char *colon = memchr(text, ':', size);
    size_t user_size = colon ? (size_t)(colon - text) : size;
    if (user_size && decode(text, user_size, "user", &url->user, err) < 0)
        return -1;
    if (!colon)
        return 0;
    return decode(colon + 1, size - user_size - 1, "password", &url->password, err);
}

/* What Go's drivers and libpq take besides URLs; as a path it would make a file that is called like
 * a password. */
static int refuse_driver_text(struct error *err)
{
    error_set(err, ERROR_USAGE, "this is what a driver takes for a database, and no URL");
    return error_hint(err, "write postgres://USER@HOST:PORT/DATABASE, or mysql://…");
}

static int parse_host(const char *text, size_t size, struct db_url *url, struct error *err)
{
    if (size && memchr(text, '(', size))
        return refuse_driver_text(err);
    if (size && text[0] == '[') {
        const char *end = memchr(text, ']', size);
        if (!end)
            return error_set(err, ERROR_USAGE, "database URL: [ without ] around the host");
        size_t inside = (size_t)(end - text) - 1;
        size_t after = size - inside - 2;
        if (after && end[1] != ':')
            return error_set(err, ERROR_USAGE, "database URL: only a port may follow [host]");
        if (after && parse_port(end + 2, after - 1, &url->port, err) < 0)
            return -1;
        return decode(text + 1, inside, "host", &url->host, err);
    }
    if (memchr(text, ',', size))
        return error_set(err, ERROR_USAGE, "database URL: more than one host");
    const char *colon = memrchr(text, ':', size);
    size_t host_size = colon ? (size_t)(colon - text) : size;
    if (colon && parse_port(colon + 1, size - host_size - 1, &url->port, err) < 0)
        return -1;
    return host_size ? decode(text, host_size, "host", &url->host, err) : 0;
}

/* user:password@host:port */
static int parse_authority(const char *text, size_t size, struct db_url *url, struct error *err)
{
    const char *at = memrchr(text, '@', size);
    size_t user_size = at ? (size_t)(at - text) : 0;
    if (at && parse_user(text, user_size, url, err) < 0)
        return -1;
    size_t skip = at ? user_size + 1 : 0;
    return parse_host(text + skip, size - skip, url, err);
}

static void add_parameter(struct db_url *url, char *name, char *value)
{
    url->parameters =
        mem_resize(url->parameters, url->parameter_count + 1, sizeof *url->parameters);
    url->parameters[url->parameter_count++] = (struct db_parameter){name, value};
}

/* Parts that may stand in the query instead; an earlier one gives way. NULL: not one of them. */
static char **part_of(struct db_url *url, const char *name)
{
    if (url->engine == DB_SQLITE)
        return NULL;
    if (strcmp(name, "host") == 0)
        return &url->host;
    if (strcmp(name, "user") == 0)
        return &url->user;
    if (strcmp(name, "password") == 0)
        return &url->password;
    if (strcmp(name, "dbname") == 0)
        return &url->database;
    if (strcmp(name, "socket") == 0 && url->engine == DB_MYSQL)
        return &url->socket;
    return NULL;
}

static int parse_pair(const char *text, size_t size, struct db_url *url, struct error *err)
{
    const char *equals = memchr(text, '=', size);
    if (!equals || equals == text)
        return error_set(err, ERROR_USAGE, "database URL: a parameter is not name=value");
    SCOPED(string) char *name = NULL;
    char *value = NULL;
    size_t name_size = (size_t)(equals - text);
    if (decode(text, name_size, "query", &name, err) < 0 ||
        decode(equals + 1, size - name_size - 1, "query", &value, err) < 0)
        return -1;
    char **part = part_of(url, name);
    if (part) {
        wipe_free(part);
        *part = value;
        return 0;
    }
    if (url->engine != DB_SQLITE && strcmp(name, "port") == 0) {
        int result = parse_port(value, strlen(value), &url->port, err);
        free(value);
        return result;
    }
    add_parameter(url, STEAL(name), value);
    return 0;
}

static int parse_query(const char *text, struct db_url *url, struct error *err)
{
    while (*text) {
        size_t size = strcspn(text, "&");
        if (size && parse_pair(text, size, url, err) < 0)
            return -1;
        text += size + (text[size] == '&');
    }
    return 0;
}

static int parse_server(const char *rest, struct db_url *url, struct error *err)
{
    size_t authority = strcspn(rest, "/?");
    if (parse_authority(rest, authority, url, err) < 0)
        return -1;
    rest += authority;
    if (*rest == '/') {
        size_t size = strcspn(++rest, "?");
        if (size && decode(rest, size, "database", &url->database, err) < 0)
            return -1;
        rest += size;
    }
    return *rest == '?' ? parse_query(rest + 1, url, err) : 0;
}

/* sqlite:path, sqlite:///absolute/path, sqlite:/absolute/path */
static int parse_sqlite(const char *rest, struct db_url *url, struct error *err)
{
    if (text_starts(rest, "//"))
        rest += 2;
    size_t size = strcspn(rest, "?");
    if (size == 0)
        return error_set(err, ERROR_USAGE, "database URL: sqlite: without a path");
    if (decode(rest, size, "path", &url->database, err) < 0)
        return -1;
    return rest[size] == '?' ? parse_query(rest + size + 1, url, err) : 0;
}

/* "host=db1 password=…", "user:password@tcp(db1)/shop", "user:password@/shop". */
static bool is_driver_text(const char *text)
{
    static const char *const words[] = {
        "host=", "hostaddr=", "port=", "user=", "password=", "dbname=", "sslmode=", "service="};
    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        if (text_starts(text, words[i]))
            return true;
    size_t before = strcspn(text, "@/");
    return text[before] == '@' && memchr(text, ':', before) &&
           (strchr(text + before, '(') || text[before + 1] == '/');
}

static int refuse_kind(const char *text, const char *colon, struct error *err)
{
    /* A word alone may be shown; anything else may be a password that lost its beginning. */
    size_t word = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789");
    bool shown = text + word == colon && word <= 32;
    error_set(err, ERROR_USAGE, "no such kind of database%s%.*s", shown ? ": " : "",
              shown ? (int)word : 0, text);
    if (text_starts(text, "jdbc:"))
        return error_hint(err, "leave jdbc: away: postgres://USER@HOST:PORT/DATABASE");
    return error_hint(err, "postgres://, mysql://, mariadb:// and sqlite: are known");
}

static int parse(const char *text, struct db_url *url, struct error *err)
{
    const struct scheme *scheme = find_scheme(text);
    if (scheme) {
        url->engine = scheme->engine;
        const char *rest = text + strlen(scheme->prefix);
        return scheme->engine == DB_SQLITE ? parse_sqlite(rest, url, err)
                                           : parse_server(rest, url, err);
    }
    const char *colon = strstr(text, "://");
    if (colon)
        return refuse_kind(text, colon, err);
    if (is_driver_text(text))
        return refuse_driver_text(err);
    url->engine = DB_SQLITE;
    url->database = mem_string(text);
    return 0;
}

int db_url_parse(const char *text, struct db_url *ret_url, struct error *err)
{
    if (text[0] == '\0')
        return error_set(err, ERROR_USAGE, "the database URL is empty");
    if (strlen(text) > URL_MAXIMUM)
        return error_set(err, ERROR_USAGE, "the database URL is longer than %d bytes", URL_MAXIMUM);
    struct db_url url = DB_URL_INIT;
    if (parse(text, &url, err) < 0) {
        db_url_clear(&url);
        return -1;
    }
    *ret_url = url;
    return 0;
}

/* ---- showing ---- */

static void append_encoded(struct buf *buf, const char *text, const char *also_plain)
{
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (isalnum(c) || c >= 0x80 || strchr("-._~", c) || strchr(also_plain, c))
            buf_append_char(buf, (char)c);
        else
            buf_append_format(buf, "%%%02X", c);
    }
}

static void append_host(struct buf *buf, const struct db_url *url)
{
    bool folder = url->host && url->host[0] == '/';
    if (url->host && !folder) {
        bool brackets = strchr(url->host, ':') != NULL;
        buf_append_text(buf, brackets ? "[" : "");
        append_encoded(buf, url->host, ":");
        buf_append_text(buf, brackets ? "]" : "");
    }
    if (url->port)
        buf_append_format(buf, ":%d", url->port);
}

char *db_url_display(const struct db_url *url)
{
    struct buf buf = BUF_INIT;
    if (url->engine == DB_SQLITE) {
        buf_append_text(&buf, "sqlite:");
        append_encoded(&buf, url->database ? url->database : "", "/:@+, ");
        return buf_steal(&buf);
    }
    buf_append_format(&buf, "%s://", db_engine_name(url->engine));
    if (url->user) {
        append_encoded(&buf, url->user, "");
        buf_append_char(&buf, '@');
    }
    append_host(&buf, url);
    buf_append_char(&buf, '/');
    append_encoded(&buf, url->database ? url->database : "", "");
    const char *socket = url->host && url->host[0] == '/' ? url->host : url->socket;
    if (socket) {
        buf_append_text(&buf, socket == url->socket ? "?socket=" : "?host=");
        append_encoded(&buf, socket, "/");
    }
    /* libpq finds the server by it, so that it is a part of where. */
    const char *service = db_url_parameter(url, "service");
    if (service) {
        buf_append_text(&buf, socket ? "&service=" : "?service=");
        append_encoded(&buf, service, "/");
    }
    return buf_steal(&buf);
}

/* ---- comparing ---- */

static bool is_here(const struct db_url *url)
{
    static const char *const names[] = {"localhost", "127.0.0.1", "::1"};
    if (!url->host || url->host[0] == '/')
        return true;
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (strcmp(url->host, names[i]) == 0)
            return true;
    return false;
}

static bool same_file(const char *a, const char *b)
{
    SCOPED(string) char *real_a = realpath(a, NULL);
    SCOPED(string) char *real_b = realpath(b, NULL);
    return real_a && real_b ? strcmp(real_a, real_b) == 0 : strcmp(a, b) == 0;
}

bool db_url_same(const struct db_url *a, const struct db_url *b)
{
    static const int usual[] = {[DB_SQLITE] = 0, [DB_POSTGRES] = 5432, [DB_MYSQL] = 3306};
    if (a->engine != b->engine || !a->database || !b->database)
        return false;
    if (a->engine == DB_SQLITE)
        return same_file(a->database, b->database);
    int port_a = a->port ? a->port : usual[a->engine];
    int port_b = b->port ? b->port : usual[b->engine];
    bool same_host = is_here(a) ? is_here(b) : text_equal(a->host, b->host);
    return same_host && port_a == port_b && strcmp(a->database, b->database) == 0;
}

char *db_url_masked(const struct db_url *url)
{
    if (url->engine == DB_SQLITE)
        return mem_string("sqlite:****");
    return mem_format("%s://****@****", db_engine_name(url->engine));
}
