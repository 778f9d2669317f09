#include "migrate/lint_allow.h"

#include "base/error.h"
#include "base/mem.h"
#include "base/text.h"
#include "migrate/directive.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { WITHOUT_REASON, UNKNOWN_RULE, UNUSED };

const struct lint_rule lint_allow_rules[] = {
    [WITHOUT_REASON] = {"allow-without-reason", LINT_ERROR, LINT_EVERY, true,
                        "a comment that silences a rule says why, and silences nothing until then",
                        "-- kedge:allow RULE: the reason"},
    [UNKNOWN_RULE] = {"allow-unknown-rule", LINT_ERROR, LINT_EVERY, true, "there is no such rule",
                      "kedge migrate lint --list-rules shows them"},
    [UNUSED] = {"allow-unused", LINT_WARNING, LINT_EVERY, true,
                "the rule does not fire here, so there is nothing to silence",
                "take the comment out, or put it above the statement that it is about"},
};

const size_t lint_allow_count = ARRAY_SIZE(lint_allow_rules);

struct allow {
    const struct lint_rule *rule;
    size_t line;
    size_t column;
    bool own_line;
    bool used;
};

struct reading {
    const struct lint_text *text;
    struct lint_findings *findings;
    const struct lint_rule *(*find)(const char *name);
    struct statement_reader *reader;
    enum syntax syntax;
    struct allow *items;
    size_t count;
    size_t capacity;
};

/* ---- reading ---- */

static void add_rule(struct reading *reading, const struct statement_comment *comment,
                     const char *name)
{
    const struct lint_rule *rule = reading->find(name);
    if (!rule) {
        lint_report_at(reading->findings, &lint_allow_rules[UNKNOWN_RULE], reading->text->path,
                       comment->line, comment->column,
                       mem_format("%.80s: %s", name, lint_allow_rules[UNKNOWN_RULE].reason));
        return;
    }
    ARRAY_GROW(reading->items, reading->count, reading->capacity);
    reading->items[reading->count++] = (struct allow){.rule = rule,
                                                      .line = comment->line,
                                                      .column = comment->column,
                                                      .own_line = comment->own_line};
}

/* rule[, rule]: reason */
static void add_allow(struct reading *reading, const struct statement_comment *comment,
                      const char *text)
{
    const char *colon = strchr(text, ':');
    const char *reason = colon ? colon + 1 : "";
    SCOPED(string) char *names = mem_string_n(text, strcspn(text, ":"));
    if (!reason[strspn(reason, " \t\r")]) {
        const struct lint_rule *rule = &lint_allow_rules[WITHOUT_REASON];
        lint_report_at(reading->findings, rule, reading->text->path, comment->line, comment->column,
                       mem_format("%.80s: %s", names, rule->reason));
        return;
    }
    for (char *rest = names, *name = strsep(&rest, ", \t"); name; name = strsep(&rest, ", \t"))
        if (*name)
            add_rule(reading, comment, name);
}

/* StatementBegin and sections end what the reader would go on with. */
static int obey(struct reading *reading, const struct statement_comment *comment, struct error *err)
{
    enum directive_kind kind = directive_parse(reading->syntax, comment->text, comment->size,
                                               comment->own_line, comment->column)
                                   .kind;
    bool ends = kind == DIRECTIVE_STATEMENT_END;
    if (kind == DIRECTIVE_STATEMENT_BEGIN || ends)
        statement_reader_block(reading->reader, !ends);
    if (ends || kind == DIRECTIVE_UP || kind == DIRECTIVE_DOWN)
        return statement_reader_cut(reading->reader, err);
    return 0;
}

static int on_comment(void *context, const struct statement_comment *comment, struct error *err)
{
    static const char word[] = "kedge:allow";
    struct reading *reading = context;
    SCOPED(string) char *text = mem_string_n(comment->text, comment->size);
    const char *start = text + strspn(text, "- \t");
    size_t size = strlen(word);
    if (text_starts(start, word) && (!start[size] || strchr(" \t:", start[size])))
        add_allow(reading, comment, start + size + strspn(start + size, " \t"));
    return obey(reading, comment, err);
}

static int on_statement(void *context, const struct statement *statement, struct error *err)
{
    (void)context;
    (void)statement;
    (void)err;
    return 0;
}

static int on_rows(void *context, const void *data, size_t size, struct error *err)
{
    (void)context;
    (void)data;
    (void)size;
    (void)err;
    return 0;
}

/* What cannot be read was refused before; what comes before that counts. */
static void read_allows(struct reading *reading, enum db_engine engine)
{
    struct error err = ERROR_INIT;
    const struct lint_text *text = reading->text;
    const struct statement_options options = {.dialect = engine, .name = text->path};
    const struct statement_handler handler = {
        .statement = on_statement, .data = on_rows, .comment = on_comment, .context = reading};
    SCOPED(statement_reader)
    struct statement_reader *reader = statement_reader_new(&options, &handler);
    reading->reader = reader;
    reading->syntax = directive_detect(text->text, text->size);
    if (statement_reader_push(reader, text->text, text->size, &err) == 0)
        statement_reader_finish(reader, &err);
}

/* ---- what they are about ---- */

static size_t last_line(const struct migration_statement *statement)
{
    size_t line = statement->line;
    for (size_t i = 0; i < statement->size; i++)
        line += statement->text[i] == '\n';
    return line;
}

static bool is_before(size_t line, size_t column, const struct migration_statement *statement)
{
    return line < statement->line || (line == statement->line && column < statement->column);
}

/* Is this statement the one that the comment is about: the one around it, the one that ends on its
 * line, or the next? */
static bool is_about(const struct allow *allow, const struct migration *migration, const char *path,
                     const struct migration_statement *statement)
{
    const struct migration_statement *next = NULL;
    const struct migration_statement *around = NULL;
    for (size_t way = 0; way < 2; way++) {
        const struct migration_part *part = &migration->parts[way];
        const char *own = part->path ? part->path : migration->parts[MIGRATE_UP].path;
        for (size_t i = 0; own && strcmp(own, path) == 0 && i < part->count; i++) {
            const struct migration_statement *item = &part->items[i];
            bool ahead = is_before(allow->line, allow->column, item);
            if (ahead && (!next || is_before(item->line, item->column, next)))
                next = item;
            size_t last = last_line(item);
            if (!ahead && (allow->own_line ? allow->line < last : allow->line <= last))
                around = item;
        }
    }
    return statement == (around ? around : next);
}

static bool allows(const struct allow *allow, const struct migration *migration, const char *path,
                   const struct lint_finding *finding)
{
    const struct migration_part *part = &migration->parts[finding->direction];
    if (allow->rule != finding->rule || strcmp(path, finding->path) != 0)
        return false;
    return finding->statement == SIZE_MAX ||
           is_about(allow, migration, path, &part->items[finding->statement]);
}

static bool is_allowed(struct reading *reading, const struct migration *migration,
                       const struct lint_finding *finding)
{
    bool allowed = false;
    for (size_t i = 0; i < reading->count; i++)
        if (allows(&reading->items[i], migration, reading->text->path, finding)) {
            reading->items[i].used = true;
            allowed = true;
        }
    return allowed;
}

void lint_allow(const struct lint_text *text, enum db_engine engine,
                const struct migration *migration, struct lint_findings *findings, size_t from,
                const struct lint_rule *(*find)(const char *name))
{
    struct reading reading = {.text = text, .findings = findings, .find = find};
    size_t end = findings->count;
    read_allows(&reading, engine);
    size_t kept = from;
    for (size_t i = from; i < findings->count; i++) {
        struct lint_finding *finding = &findings->items[i];
        if (i >= end || !is_allowed(&reading, migration, finding)) {
            findings->items[kept++] = *finding;
            continue;
        }
        free(finding->path);
        free(finding->message);
    }
    findings->count = kept;
    for (size_t i = 0; i < reading.count; i++) {
        const struct allow *allow = &reading.items[i];
        if (!allow->used)
            lint_report_at(
                findings, &lint_allow_rules[UNUSED], text->path, allow->line, allow->column,
                mem_format("%s: %s", allow->rule->name, lint_allow_rules[UNUSED].reason));
    }
    free(reading.items);
}
