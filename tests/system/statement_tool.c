/*
 * A statement reader alone, for system tests:
 *
 *     statement_tool postgres|mysql|sqlite FILE...
 *
 * For each file a line of JSON: {"statements": [text, ...], "rows": [text, ...], "error": text}. A
 * statement without rows has null there.
 */
#include "base/buf.h"
#include "base/error.h"
#include "base/file.h"
#include "base/os.h"
#include "db/statement.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

struct seen {
    json_t *statements;
    json_t *rows;
    struct buf data;
};

static int on_statement(void *context, const struct statement *statement, struct error *err)
{
    (void)err;
    struct seen *seen = context;
    json_array_append_new(seen->statements, json_stringn(statement->text, statement->size));
    json_array_append_new(seen->rows, json_null());
    return 0;
}

static int on_data(void *context, const void *data, size_t size, struct error *err)
{
    (void)err;
    struct seen *seen = context;
    buf_append(&seen->data, data, size);
    return 0;
}

static int on_data_end(void *context, struct error *err)
{
    (void)err;
    struct seen *seen = context;
    json_array_set_new(seen->rows, json_array_size(seen->rows) - 1,
                       json_stringn(seen->data.data ? seen->data.data : "", seen->data.length));
    buf_reset(&seen->data);
    return 0;
}

static void read_file(enum db_engine dialect, const char *path)
{
    struct error err = ERROR_INIT;
    SCOPED(buf) struct buf text = BUF_INIT;
    struct seen seen = {json_array(), json_array(), BUF_INIT};
    const struct statement_options options = {.dialect = dialect, .name = path};
    const struct statement_handler handler = {
        .statement = on_statement, .data = on_data, .data_end = on_data_end, .context = &seen};
    if (file_read_all(os_real(), path, &text, &err) == 0)
        statement_read_all(&options, &handler, text.data, text.length, &err);
    json_t *line = json_pack("{s:o,s:o,s:s}", "statements", seen.statements, "rows", seen.rows,
                             "error", err.message);
    json_dumpf(line, stdout, JSON_COMPACT);
    putchar('\n');
    json_decref(line);
    buf_clear(&seen.data);
}

int main(int argc, char **argv)
{
    static const char *const names[] = {
        [DB_POSTGRES] = "postgres", [DB_MYSQL] = "mysql", [DB_SQLITE] = "sqlite"};
    size_t dialect = 0;
    while (argc > 1 && dialect < ARRAY_SIZE(names) && strcmp(argv[1], names[dialect]) != 0)
        dialect++;
    if (argc < 3 || dialect == ARRAY_SIZE(names)) {
        fprintf(stderr, "usage: statement_tool postgres|mysql|sqlite FILE...\n");
        return 2;
    }
    for (int i = 2; i < argc; i++)
        read_file((enum db_engine)dialect, argv[i]);
    return 0;
}
