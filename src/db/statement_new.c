#include "db/statement_core.h"

#include "base/error.h"

struct statement_reader *statement_reader_new(const struct statement_options *options,
                                              const struct statement_handler *handler)
{
    static const struct dialect *const dialects[] = {
        [DB_SQLITE] = &dialect_sqlite,
        [DB_POSTGRES] = &dialect_postgres,
        [DB_MYSQL] = &dialect_mysql,
    };
    return statement_reader_create(dialects[options->dialect], options, handler);
}

int statement_read_all(const struct statement_options *options,
                       const struct statement_handler *handler, const char *text, size_t size,
                       struct error *err)
{
    SCOPED(statement_reader)
    struct statement_reader *reader = statement_reader_new(options, handler);
    if (statement_reader_push(reader, text, size, err) < 0)
        return -1;
    return statement_reader_finish(reader, err);
}
