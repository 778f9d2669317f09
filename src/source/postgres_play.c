#include "source/postgres_play.h"

#include "base/error.h"
#include "base/stop.h"
#include "db/pq.h"
#include "db/statement.h"
#include "io/progress.h"
#include "source/postgres_counts.h"
#include "source/postgres_rules.h"
#include "source/postgres_words.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct postgres_player {
    struct postgres_play_options options;
    struct statement_reader *reader;
    bool skipping; /* the rows of the COPY that is running are not wanted */
    char *schema;  /* of the COPY that is running */
    char *table;
    char *columns; /* its list, without parentheses, or NULL */
    size_t line;
    struct row_pieces *partial; /* the beginning of a row whose end has not come yet */
    struct row_digest digest;
};

/* Where it went wrong and in what. */
static int locate(struct postgres_player *player, const struct statement *statement,
                  struct error *err)
{
    size_t line = statement->line;
    size_t column = statement->column;
    size_t position = pq_fault(player->options.pq)->position;
    if (position)
        statement_locate(statement, position, &line, &column);
    return error_prefix(err, "%s:%zu:%zu: %.*s", player->options.name, line, column,
                        (int)strcspn(statement->text, "\n(;"), statement->text);
}

static int run_statement(struct postgres_player *player, const struct statement *statement,
                         struct error *err)
{
    if (pq_exec(player->options.pq, statement->text, NULL, err) < 0)
        return locate(player, statement, err);
    return 0;
}

/* What stands between the parentheses of "(a, b) FROM stdin"; NULL without any. To be freed. */
static char *take_columns(const char *at)
{
    if (*at != '(')
        return NULL;
    bool quoted = false;
    const char *end = at + 1;
    for (; *end && (quoted || *end != ')'); end++)
        quoted = quoted != (*end == '"');
    return mem_string_n(at + 1, (size_t)(end - at - 1));
}

/* COPY name (columns) FROM stdin, perhaps into a table of another name. */
static int begin_copy(struct postgres_player *player, const struct statement *statement,
                      struct error *err)
{
    struct words words = {statement->text};
    free(player->schema);
    free(player->table);
    free(player->columns);
    player->schema = player->table = player->columns = NULL;
    if (!words_take(&words, "COPY") || !words_name(&words, &player->schema, &player->table)) {
        error_set(err, ERROR_RESTORE, "a COPY without a table");
        return locate(player, statement, err);
    }
    player->columns = take_columns(words.at);
    SCOPED(string) char *into = NULL;
    int wanted = player->options.copy
                     ? player->options.copy(player->options.context, player->schema, player->table,
                                            &into, err)
                     : 1;
    player->skipping = wanted == 0;
    if (wanted <= 0)
        return wanted;
    SCOPED(string) char *sql = NULL;
    sql = into ? mem_format("COPY %s %s", into, words.at) : mem_string(statement->text);
    if (pq_copy_in_begin(player->options.pq, sql, err) < 0)
        return locate(player, statement, err);
    player->line = statement->line;
    player->digest = (struct row_digest){0};
    return 0;
}

static int on_statement(void *context, const struct statement *statement, struct error *err)
{
    struct postgres_player *player = context;
    if (stop_check(err) < 0)
        return -1;
    if (statement->kind == STATEMENT_COPY)
        return begin_copy(player, statement, err);
    int allowed = postgres_rules_allow(player->options.rules, statement->text, err);
    if (allowed < 0)
        return locate(player, statement, err);
    if (allowed && player->options.statement)
        allowed = player->options.statement(player->options.context, statement, err);
    if (allowed <= 0)
        return allowed;
    return run_statement(player, statement, err);
}

static void count_rows(struct postgres_player *player, const char *data, size_t size)
{
    const char *end = data + size;
    while (data < end) {
        const char *newline = memchr(data, '\n', (size_t)(end - data));
        if (!newline) {
            row_pieces_add(player->partial, data, (size_t)(end - data));
            return;
        }
        size_t length = (size_t)(newline - data);
        if (row_pieces_size(player->partial)) {
            row_pieces_add(player->partial, data, length);
            row_digest_add_pieces(&player->digest, player->partial, 1);
        } else {
            row_digest_add(&player->digest, data, length, length + 1);
        }
        data = newline + 1;
    }
}

static int on_data(void *context, const void *data, size_t size, struct error *err)
{
    struct postgres_player *player = context;
    if (player->skipping)
        return 0;
    count_rows(player, data, size);
    progress_add(player->options.progress, size);
    if (pq_copy_in_write(player->options.pq, data, size, err) < 0)
        return error_prefix(err, "%s:%zu: table %s", player->options.name, player->line,
                            player->table);
    return 0;
}

static int on_data_end(void *context, struct error *err)
{
    struct postgres_player *player = context;
    uint64_t rows = 0;
    if (player->skipping)
        return 0;
    if (row_pieces_size(player->partial))
        row_digest_add_pieces(&player->digest, player->partial, 0);
    if (pq_copy_in_end(player->options.pq, &rows, err) < 0)
        return error_prefix(err, "%s:%zu: table %s", player->options.name, player->line,
                            player->table);
    if (rows != player->digest.rows)
        return error_set(
            err, ERROR_RESTORE, "%s:%zu: table %s: the server took %" PRIu64 " rows of %" PRIu64,
            player->options.name, player->line, player->table, rows, player->digest.rows);
    if (player->options.counts)
        postgres_counts_add(player->options.counts, player->schema, player->table, player->columns,
                            &player->digest);
    return 0;
}

struct postgres_player *postgres_player_new(const struct postgres_play_options *options)
{
    struct postgres_player *player = MEM_NEW(struct postgres_player);
    player->options = *options;
    player->partial = row_pieces_new();
    struct statement_options reading = {.dialect = DB_POSTGRES,
                                        .name = options->name,
                                        .max_statement_bytes = options->rules->max_statement_bytes};
    struct statement_handler handler = {
        .statement = on_statement, .data = on_data, .data_end = on_data_end, .context = player};
    player->reader = statement_reader_new(&reading, &handler);
    return player;
}

int postgres_player_push(struct postgres_player *player, const void *data, size_t size,
                         struct error *err)
{
    return statement_reader_push(player->reader, data, size, err);
}

int postgres_player_finish(struct postgres_player *player, struct error *err)
{
    return statement_reader_finish(player->reader, err);
}

void postgres_player_free(struct postgres_player *player)
{
    if (!player)
        return;
    statement_reader_free(player->reader);
    row_pieces_free(player->partial);
    free(player->schema);
    free(player->table);
    free(player->columns);
    free(player);
}

/* The reader keeps a copy of what is pushed at once: small enough for the processor's cache. */
#define PIECE ((size_t)256 << 10)

int postgres_play(const struct postgres_play_options *options, const void *data, size_t size,
                  struct error *err)
{
    SCOPED(postgres_player) struct postgres_player *player = postgres_player_new(options);
    const char *from = data;
    while (size) {
        size_t piece = size < PIECE ? size : PIECE;
        if (postgres_player_push(player, from, piece, err) < 0)
            return -1;
        from += piece;
        size -= piece;
    }
    return postgres_player_finish(player, err);
}
