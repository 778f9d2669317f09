#include "source/postgres_play.h"

#include "base/buf.h"
#include "base/error.h"
#include "base/log.h"
#include "base/segment.h"
#include "base/stop.h"
#include "db/pq.h"
#include "db/statement.h"
#include "io/progress.h"
#include "source/postgres_properties.h"
#include "source/postgres_words.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- rules ---- */

static int list_names(struct pq *pq, const char *sql, struct text_list *list, struct error *err)
{
    SCOPED(pq_result) struct pq_result *names = NULL;
    if (pq_exec(pq, sql, &names, err) < 0)
        return error_prefix(err, "read what the server knows");
    for (size_t i = 0; i < pq_rows(names); i++)
        text_list_add(list, pq_value(names, i, 0));
    return 0;
}

int postgres_rules_init(struct pq *pq, struct postgres_rules *ret_rules, struct error *err)
{
    struct postgres_rules rules = {0};
    if (list_names(pq, "SELECT name FROM pg_settings", &rules.settings, err) < 0 ||
        list_names(pq, "SELECT spcname FROM pg_tablespace", &rules.tablespaces, err) < 0) {
        postgres_rules_clear(&rules);
        return -1;
    }
    *ret_rules = rules;
    return 0;
}

void postgres_rules_clear(struct postgres_rules *rules)
{
    text_list_clear(&rules->settings);
    text_list_clear(&rules->tablespaces);
}

/* A name with a dot belongs to an extension: the server takes it unseen. */
static bool knows_setting(const struct postgres_rules *rules, const char *statement)
{
    struct words words = {statement};
    words_take(&words, "SET");
    if (!words_take(&words, "SESSION"))
        words_take(&words, "LOCAL");
    size_t length = strcspn(words.at, " =\t\n");
    if (memchr(words.at, '.', length))
        return true;
    for (size_t i = 0; i < rules->settings.count; i++)
        if (strlen(rules->settings.items[i]) == length &&
            strncasecmp(rules->settings.items[i], words.at, length) == 0)
            return true;
    /* SET ROLE, SET TIME ZONE, SET SESSION AUTHORIZATION: words of the grammar. */
    static const char *const grammar[] = {"ROLE",
                                          "TIME",
                                          "TRANSACTION",
                                          "NAMES",
                                          "XML",
                                          "CONSTRAINTS",
                                          "CHARACTERISTICS",
                                          "SCHEMA",
                                          "CATALOG",
                                          "SESSION",
                                          "SEED",
                                          "AUTHORIZATION"};
    for (size_t i = 0; i < ARRAY_SIZE(grammar); i++)
        if (strlen(grammar[i]) == length && strncasecmp(grammar[i], words.at, length) == 0)
            return true;
    return false;
}

static const char *const refused[] = {
    "COPY",       "ALTER SYSTEM", "CREATE DATABASE", "DROP DATABASE", "DROP ROLE", "DROP USER",
    "DROP OWNED", "LOAD",         "DROP TABLESPACE",
};

static const char *const server_files[] = {
    "LO_IMPORT", "LO_EXPORT", "PG_READ_FILE", "PG_READ_BINARY_FILE", "PG_LS_DIR",
};

static int refuse(const char *statement, struct error *err)
{
    error_set(err, ERROR_RESTORE, "refused: %.*s", (int)strcspn(statement, "\n"), statement);
    return error_hint(err,
                      "a backup may not touch the server's files, programs or other databases");
}

static int check_refused(const char *statement, struct error *err)
{
    for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
        struct words words = {statement};
        if (words_take(&words, refused[i]))
            return refuse(statement, err);
    }
    struct words select = {statement};
    if (!words_take(&select, "SELECT"))
        return 0;
    for (size_t i = 0; i < ARRAY_SIZE(server_files); i++) {
        struct words words = select;
        if (words_seek(&words, server_files[i]))
            return refuse(statement, err);
    }
    return 0;
}

static bool has_tablespace(const struct postgres_rules *rules, const char *statement)
{
    struct words words = {statement};
    SCOPED(string) char *name = NULL;
    return words_take(&words, "CREATE TABLESPACE") && words_name(&words, NULL, &name) &&
           text_list_has(&rules->tablespaces, name);
}

static bool is_ownership(const char *statement)
{
    struct words words = {statement};
    if (words_take(&words, "GRANT") || words_take(&words, "REVOKE") ||
        words_take(&words, "ALTER DEFAULT PRIVILEGES") ||
        words_take(&words, "SET SESSION AUTHORIZATION") ||
        words_take(&words, "RESET SESSION AUTHORIZATION"))
        return true;
    return words_take(&words, "ALTER") && words_seek(&words, "OWNER TO");
}

int postgres_rules_allow(const struct postgres_rules *rules, const char *statement,
                         struct error *err)
{
    if (check_refused(statement, err) < 0)
        return -1;
    struct words words = {statement};
    if (words_take(&words, "SET") && !knows_setting(rules, statement))
        return 0;
    if (has_tablespace(rules, statement))
        return 0;
    if (text_starts(statement, POSTGRES_PROPERTY_MARK))
        return !rules->no_properties && !rules->no_owner;
    return !(rules->no_owner && is_ownership(statement));
}

/* ---- counts ---- */

void postgres_counts_init(struct postgres_counts *counts)
{
    *counts = (struct postgres_counts){.lock = PTHREAD_MUTEX_INITIALIZER};
}

void postgres_counts_clear(struct postgres_counts *counts)
{
    for (size_t i = 0; i < counts->count; i++) {
        free(counts->items[i].schema);
        free(counts->items[i].name);
        free(counts->items[i].columns);
    }
    free(counts->items);
    pthread_mutex_destroy(&counts->lock);
}

static bool is_table(const struct postgres_count *item, const char *schema, const char *name)
{
    return strcmp(item->name, name) == 0 && text_equal(item->schema, schema);
}

static struct postgres_count *find_count(struct postgres_counts *counts, const char *schema,
                                         const char *name)
{
    if (counts->last < counts->count && is_table(&counts->items[counts->last], schema, name))
        return &counts->items[counts->last];
    for (size_t i = 0; i < counts->count; i++)
        if (is_table(&counts->items[i], schema, name)) {
            counts->last = i;
            return &counts->items[i];
        }
    return NULL;
}

static void add_count(struct postgres_counts *counts, const char *schema, const char *name,
                      const char *columns, const struct row_digest *digest)
{
    pthread_mutex_lock(&counts->lock);
    struct postgres_count *item = find_count(counts, schema, name);
    if (!item) {
        ARRAY_GROW(counts->items, counts->count, counts->capacity);
        item = &counts->items[counts->count++];
        *item = (struct postgres_count){
            .schema = mem_string(schema), .name = mem_string(name), .columns = mem_string(columns)};
    }
    row_digest_merge(&item->digest, digest);
    pthread_mutex_unlock(&counts->lock);
}

uint64_t postgres_counts_rows(struct postgres_counts *counts)
{
    uint64_t rows = 0;
    for (size_t i = 0; i < counts->count; i++)
        rows += counts->items[i].digest.rows;
    return rows;
}

const char *postgres_counts_columns(struct postgres_counts *counts, const char *schema,
                                    const char *name)
{
    const struct postgres_count *item = find_count(counts, schema, name);
    return item ? item->columns : NULL;
}

int postgres_counts_check_table(struct postgres_counts *counts, const struct segment_table *table,
                                struct error *err)
{
    static const struct row_digest none;
    const struct postgres_count *item = find_count(counts, table->schema, table->name);
    const struct row_digest *digest = item ? &item->digest : &none;
    if (digest->rows != table->rows)
        return error_set(err, ERROR_RESTORE,
                         "table %s.%s: %" PRIu64 " rows were loaded, the backup has %" PRIu64,
                         table->schema, table->name, digest->rows, table->rows);
    char text[ROW_DIGEST_TEXT];
    row_digest_format(digest, text);
    if (table->digest && strcmp(text, table->digest) != 0)
        return error_set(err, ERROR_RESTORE,
                         "table %s.%s: what was loaded is not what was backed up", table->schema,
                         table->name);
    return 0;
}

int postgres_counts_check(struct postgres_counts *counts, const struct segment_source *expected,
                          struct error *err)
{
    struct segment_source *source = (struct segment_source *)(uintptr_t)expected;
    for (size_t i = 0; i < source->ops->table_count(source); i++)
        if (postgres_counts_check_table(counts, source->ops->table(source, i), err) < 0)
            return -1;
    return 0;
}

/* ---- playing ---- */

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
        add_count(player->options.counts, player->schema, player->table, player->columns,
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
