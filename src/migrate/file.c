#include "migrate/file.h"

#include "base/error.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

enum section { SECTION_NONE, SECTION_UP, SECTION_DOWN };

/* What is known of the text that is being read. */
struct reading {
    struct migration *migration;
    struct arena *memory;
    const struct migration_text *text;
    struct statement_reader *statements;
    enum section section;
    struct migration_part
        down; /* the Down section that is being read: pairs are undone in reverse */
    bool block;
    size_t block_line;
    const char *announced; /* a comment that says that the other way is below it, or NULL */
    size_t announced_line;
    struct buf *rows; /* of the COPY that is being read */
};

struct migration_reader {
    struct reading reading;
    struct statement_reader *statements;
    struct buf rows;
    struct buf scratch;
};

static int fail(const struct reading *reading, size_t line, size_t column, struct error *err,
                const char *what)
{
    return error_set(err, ERROR_FAILED, "%s:%zu:%zu: %s", reading->text->path, line, column, what);
}

static struct migration_part *part_of(struct reading *reading)
{
    if (reading->text->syntax == SYNTAX_PLAIN)
        return &reading->migration->parts[reading->text->direction];
    return reading->section == SECTION_UP ? &reading->migration->parts[MIGRATE_UP] : &reading->down;
}

static enum direction way_of(const struct reading *reading)
{
    if (reading->text->syntax == SYNTAX_PLAIN)
        return reading->text->direction;
    return reading->section == SECTION_DOWN ? MIGRATE_DOWN : MIGRATE_UP;
}

/* A comment such as `-- Down Migration`: the other way would run as part of this one. */
static int fail_announced(const struct reading *reading, struct error *err)
{
    error_set(err, ERROR_FAILED, "%s:%zu:1: what stands below \"%s\" would run on the way %s",
              reading->text->path, reading->announced_line, reading->announced,
              way_of(reading) == MIGRATE_UP ? "up" : "down");
    if (reading->text->syntax == SYNTAX_PLAIN)
        return error_hint(err, "put the two ways into two files, or -- +migrate Up and "
                               "-- +migrate Down above them");
    return error_hint(err, "begin it with the directive that begins the file's other sections, or "
                           "change the comment");
}

static void note_announced(struct reading *reading, const struct statement_comment *comment)
{
    enum directive_kind other = way_of(reading) == MIGRATE_UP ? DIRECTIVE_DOWN : DIRECTIVE_UP;
    if (reading->announced || reading->block || !comment->own_line || comment->pending ||
        comment->inside || directive_announces(comment->text, comment->size) != other)
        return;
    size_t size = comment->size < 60 ? comment->size : 60;
    reading->announced = arena_string_n(reading->memory, comment->text, size);
    reading->announced_line = comment->line;
}

static int on_statement(void *context, const struct statement *statement, struct error *err)
{
    struct reading *reading = context;
    if (reading->text->syntax != SYNTAX_PLAIN && reading->section == SECTION_NONE)
        return fail(reading, statement->line, statement->column, err,
                    "a statement before the Up directive");
    if (reading->announced)
        return fail_announced(reading, err);
    migration_part_add(part_of(reading), reading->memory, statement);
    return 0;
}

static int on_rows(void *context, const void *data, size_t size, struct error *err)
{
    struct reading *reading = context;
    (void)err;
    buf_append(reading->rows, data, size);
    return 0;
}

static int on_rows_end(void *context, struct error *err)
{
    struct reading *reading = context;
    struct migration_part *part = part_of(reading);
    struct migration_statement *statement = &part->items[part->count - 1];
    (void)err;
    statement->rows_size = reading->rows->length;
    statement->rows = arena_string_n(reading->memory, reading->rows->data, statement->rows_size);
    buf_reset(reading->rows);
    return 0;
}

/* A Down section ends: it runs before the Down sections above it. */
static void finish_section(struct reading *reading)
{
    migration_part_prepend(&reading->migration->parts[MIGRATE_DOWN], reading->memory,
                           &reading->down);
}

static const char *section_begin(struct reading *reading, enum section section, bool outside)
{
    if (section == SECTION_DOWN && reading->section == SECTION_NONE)
        return "a Down section before any Up";
    if (section == reading->section)
        return section == SECTION_UP ? "an Up section directly after another"
                                     : "a Down section directly after another";
    finish_section(reading);
    reading->section = section;
    reading->announced = NULL;
    struct migration_part *part =
        &reading->migration->parts[section == SECTION_UP ? MIGRATE_UP : MIGRATE_DOWN];
    part->exists = true;
    part->outside |= outside;
    return NULL;
}

static const char *block_begin(struct reading *reading, const struct statement_comment *comment)
{
    if (reading->section == SECTION_NONE)
        return "StatementBegin before the Up directive";
    if (reading->block)
        return "StatementBegin within a StatementBegin";
    reading->block = true;
    reading->block_line = comment->line;
    statement_reader_block(reading->statements, true);
    return NULL;
}

static int block_end(struct reading *reading, struct error *err)
{
    if (statement_reader_cut(reading->statements, err) < 0)
        return -1;
    reading->block = false;
    statement_reader_block(reading->statements, false);
    return 0;
}

/* Why the directive cannot stand here, or NULL. */
static const char *misplaced(const struct reading *reading, enum directive_kind kind,
                             const struct statement_comment *comment)
{
    if (kind == DIRECTIVE_STATEMENT_END)
        return reading->block ? NULL : "StatementEnd without a StatementBegin";
    if (kind == DIRECTIVE_ENVSUB || kind == DIRECTIVE_NO_TRANSACTION)
        return NULL;
    if (reading->block)
        return kind == DIRECTIVE_STATEMENT_BEGIN ? "StatementBegin within a StatementBegin"
                                                 : "a section begins before StatementEnd";
    if (comment->inside)
        return "a directive within an open body or parenthesis";
    return comment->pending ? "the statement before this directive has no terminator" : NULL;
}

static int obey(struct reading *reading, const struct directive *directive,
                const struct statement_comment *comment, struct error *err)
{
    const char *problem = misplaced(reading, directive->kind, comment);
    if (!problem && directive->kind == DIRECTIVE_STATEMENT_END)
        return block_end(reading, err);
    if (!problem && directive->kind == DIRECTIVE_STATEMENT_BEGIN)
        problem = block_begin(reading, comment);
    bool section = directive->kind == DIRECTIVE_UP || directive->kind == DIRECTIVE_DOWN;
    if (!problem && section && statement_reader_cut(reading->statements, err) < 0)
        return -1;
    if (!problem && section)
        problem =
            section_begin(reading, directive->kind == DIRECTIVE_UP ? SECTION_UP : SECTION_DOWN,
                          directive->outside);
    if (directive->kind == DIRECTIVE_NO_TRANSACTION) {
        reading->migration->parts[MIGRATE_UP].outside = true;
        reading->migration->parts[MIGRATE_DOWN].outside = true;
    }
    return problem ? fail(reading, comment->line, comment->column, err, problem) : 0;
}

/* The first comment of Up is the description, unless it only says when the file was made. */
static void describe(struct reading *reading, const struct statement_comment *comment)
{
    struct migration *migration = reading->migration;
    size_t mark = *comment->text == '#' ? 1 : 2;
    const char *text = comment->text + mark;
    size_t size = comment->size - mark;
    while (size > 0 && (*text == ' ' || *text == '-')) {
        text++;
        size--;
    }
    bool created = size >= 8 && memcmp(text, "Created:", 8) == 0;
    if (!size || created || migration->description || reading->section != SECTION_UP ||
        comment->pending || migration->parts[MIGRATE_UP].count > 0)
        return;
    migration->description = arena_string_n(reading->memory, text, size < 200 ? size : 200);
}

static int not_a_directive(const struct reading *reading, const struct statement_comment *comment,
                           const char *problem, struct error *err)
{
    int size = comment->size < 60 ? (int)comment->size : 60;
    return error_set(err, ERROR_FAILED, "%s:%zu:%zu: not a directive: \"%.*s\": %s",
                     reading->text->path, comment->line, comment->column, size, comment->text,
                     problem);
}

/* Lines as on the Macs of old. */
static bool has_cr_alone(const struct migration_text *text)
{
    return text->size && memchr(text->text, '\r', text->size) &&
           !memchr(text->text, '\n', text->size);
}

static int fail_cr_alone(const struct migration_text *text, struct error *err)
{
    error_set(err, ERROR_FAILED, "%s: its lines end in CR alone, so that a comment never ends",
              text->path);
    return error_hint(err, "save it with LF: tr '\\r' '\\n' <FILE >NEW");
}

static int on_comment(void *context, const struct statement_comment *comment, struct error *err)
{
    struct reading *reading = context;
    enum syntax syntax = reading->text->syntax;
    if (syntax == SYNTAX_PLAIN) {
        /* PostgreSQL ends it there. */
        if (memchr(comment->text, '\r', comment->size) && has_cr_alone(reading->text))
            return fail_cr_alone(reading->text, err);
        static const char outside[] = "-- no-transaction";
        if (comment->line == 1 && comment->column == 1 && comment->size >= strlen(outside) &&
            memcmp(comment->text, outside, strlen(outside)) == 0)
            part_of(reading)->outside = true;
        note_announced(reading, comment);
        return 0;
    }
    struct directive directive =
        directive_parse(syntax, comment->text, comment->size, comment->own_line, comment->column);
    if (directive.kind == DIRECTIVE_NONE) {
        describe(reading, comment);
        note_announced(reading, comment);
        return 0;
    }
    if (directive.kind != DIRECTIVE_BAD)
        return obey(reading, &directive, comment, err);
    return not_a_directive(reading, comment, directive.problem, err);
}

/* As a comment it would be obeyed by nobody, and the section that it begins be part of the one
 * above. */
static int on_block_comment(void *context, const struct statement_comment *comment,
                            struct error *err)
{
    struct reading *reading = context;
    if (!directive_in_block(comment->text, comment->size))
        return 0;
    return not_a_directive(reading, comment, "a directive begins with --", err);
}

static int check_whole(struct reading *reading, struct error *err)
{
    if (reading->block)
        return fail(reading, reading->block_line, 1, err, "StatementBegin without a StatementEnd");
    finish_section(reading);
    if (reading->text->syntax == SYNTAX_PLAIN || reading->section != SECTION_NONE)
        return 0;
    if (reading->text->size == 0)
        return fail(reading, 1, 1, err, "the file is empty");
    static const char *const up[] = {
        [SYNTAX_KEDGE] = "-- +migrate Up",
        [SYNTAX_GOOSE] = "-- +goose Up",
        [SYNTAX_DBMATE] = "-- migrate:up",
    };
    const char *line = up[reading->text->syntax];
    error_set(err, ERROR_FAILED, "%s:1:1: no line \"%s\"", reading->text->path, line);
    return error_hint(err, "put %s on a line of its own above the first statement", line);
}

/* UTF-16 with its mark is told by the reader, with a better message. */
static int check_encoding(const struct migration_text *text, struct error *err)
{
    const unsigned char *bytes = (const unsigned char *)text->text;
    bool marked = text->size >= 2 && (bytes[0] ^ bytes[1]) == 1 && bytes[0] >= 0xFE;
    if (marked)
        return 0;
    if (text->size && memchr(text->text, '\0', text->size))
        return error_set(err, ERROR_FAILED, "%s: the file holds NUL bytes, so it is no UTF-8 text",
                         text->path);
    if (!text_is_utf8(text->text, text->size))
        return error_set(err, ERROR_FAILED, "%s: the file is not UTF-8", text->path);
    if (text->syntax != SYNTAX_PLAIN && has_cr_alone(text))
        return fail_cr_alone(text, err);
    return 0;
}

/* ---- the reader ---- */

struct migration_reader *migration_reader_new(enum db_engine dialect)
{
    struct migration_reader *reader = MEM_NEW(struct migration_reader);
    const struct statement_options options = {.dialect = dialect};
    const struct statement_handler handler = {
        .statement = on_statement,
        .data = on_rows,
        .data_end = on_rows_end,
        .comment = on_comment,
        .block_comment = on_block_comment,
        .context = &reader->reading,
    };
    reader->statements = statement_reader_new(&options, &handler);
    reader->rows = BUF_INIT;
    reader->scratch = BUF_INIT;
    return reader;
}

void migration_reader_free(struct migration_reader *reader)
{
    if (!reader)
        return;
    statement_reader_free(reader->statements);
    buf_clear(&reader->rows);
    buf_clear(&reader->scratch);
    free(reader);
}

static int cut(struct reading *reading, struct error *err)
{
    const struct migration_text *text = reading->text;
    statement_reader_restart(reading->statements, text->path);
    if (statement_reader_push(reading->statements, text->text, text->size, err) < 0 ||
        statement_reader_finish(reading->statements, err) < 0)
        return -1;
    return check_whole(reading, err);
}

int migration_reader_read(struct migration_reader *reader, struct migration *migration,
                          struct arena *memory, const struct migration_text *text,
                          struct error *err)
{
    if (check_encoding(text, err) < 0)
        return -1;
    buf_reset(&reader->rows);
    reader->reading = (struct reading){
        .migration = migration,
        .memory = memory,
        .text = text,
        .statements = reader->statements,
        .rows = &reader->rows,
    };
    bool plain = text->syntax == SYNTAX_PLAIN;
    struct migration_part *part = &migration->parts[plain ? text->direction : MIGRATE_UP];
    part->path = text->path;
    part->exists |= plain;
    if (cut(&reader->reading, err) < 0)
        return error_recode(err, ERROR_FAILED);
    migration_sum(migration, &reader->scratch);
    return 0;
}

int migration_read(struct migration *migration, const struct migration_text *text,
                   struct error *err)
{
    SCOPED(migration_reader) struct migration_reader *reader = migration_reader_new(text->dialect);
    struct migration_text kept = *text;
    kept.path = arena_string(&migration->memory, text->path);
    return migration_reader_read(reader, migration, &migration->memory, &kept, err);
}
