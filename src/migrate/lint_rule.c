#include "migrate/lint_rule.h"

#include "base/mem.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

void lint_findings_clear(struct lint_findings *findings)
{
    for (size_t i = 0; i < findings->count; i++) {
        free(findings->items[i].path);
        free(findings->items[i].message);
    }
    free(findings->items);
    *findings = LINT_FINDINGS_INIT;
}

void lint_report_at(struct lint_findings *findings, const struct lint_rule *rule, const char *path,
                    size_t line, size_t column, char *message)
{
    ARRAY_GROW(findings->items, findings->count, findings->capacity);
    findings->items[findings->count++] = (struct lint_finding){
        .rule = rule,
        .path = mem_string(path),
        .line = line,
        .column = column,
        .message = message,
        .statement = SIZE_MAX,
    };
}

static const char *path_of(const struct lint_part *part)
{
    const struct migration_part *own = &part->migration->parts[part->direction];
    const struct migration_part *up = &part->migration->parts[MIGRATE_UP];
    return own->path ? own->path : up->path ? up->path : part->migration->version;
}

static bool applies(const struct lint_part *part, const struct lint_rule *rule)
{
    return (rule->engines & (1u << part->engine)) && (part->direction == MIGRATE_UP || rule->down);
}

/* Where byte `offset` of the statement is in the file. */
static void locate(const struct lint_statement *statement, size_t offset, size_t *line,
                   size_t *column)
{
    *line = statement->line;
    *column = statement->column;
    for (size_t i = 0; i < offset && i < statement->size; i++) {
        if (statement->text[i] == '\n') {
            (*line)++;
            *column = 1;
        } else if (((unsigned char)statement->text[i] & 0xC0) != 0x80) {
            (*column)++;
        }
    }
}

void lint_report(struct lint_part *part, const struct lint_rule *rule, size_t token,
                 const char *subject, ...)
{
    const struct lint_statement *statement = &part->items[part->at];
    const struct tokens *tokens = &statement->outline.tokens;
    if (!applies(part, rule))
        return;
    va_list args;
    va_start(args, subject);
    SCOPED(string) char *about = mem_format_v(subject, args);
    va_end(args);
    size_t line = 0;
    size_t column = 0;
    size_t offset = token < tokens->count ? (size_t)(tokens->items[token].text - tokens->text) : 0;
    locate(statement, offset, &line, &column);
    lint_report_at(part->findings, rule, path_of(part), line, column,
                   mem_format("%s: %s", about, rule->reason));
    struct lint_finding *finding = &part->findings->items[part->findings->count - 1];
    finding->statement = statement->source;
    finding->direction = part->direction;
}

void lint_report_whole(struct lint_part *part, const struct lint_rule *rule, const char *subject)
{
    if (!applies(part, rule))
        return;
    size_t line = part->count ? part->items[0].line : 1;
    size_t column = part->count ? part->items[0].column : 1;
    lint_report_at(part->findings, rule, path_of(part), line, column,
                   mem_format("%s: %s", subject, rule->reason));
    part->findings->items[part->findings->count - 1].direction = part->direction;
}

static bool renames_to(const struct outline *outline, const struct sql_name *name)
{
    for (size_t i = 1; outline->kind == OUTLINE_RENAME && i < outline->name_count; i += 2)
        if (sql_name_is(&outline->names[i], name))
            return true;
    const struct outline_action *action = outline_action(outline, ACTION_RENAME_TABLE);
    return action && sql_name_is(&action->new_name, name);
}

static bool creates(const struct outline *outline, const struct sql_name *name)
{
    bool made = outline->object == OBJECT_TABLE || outline->object == OBJECT_VIEW ||
                outline->object == OBJECT_MATERIALIZED_VIEW;
    return outline->kind == OUTLINE_CREATE && made && sql_name_is(&outline->name, name);
}

bool lint_is_taken_again(const struct lint_part *part, const struct sql_name *name)
{
    for (size_t i = part->at; i < part->count; i++)
        if (creates(&part->items[i].outline, name))
            return true;
    return lint_is_replaced(part, name);
}

bool lint_is_replaced(const struct lint_part *part, const struct sql_name *name)
{
    for (size_t i = part->at; i < part->count; i++)
        if (renames_to(&part->items[i].outline, name))
            return true;
    return false;
}

size_t lint_altered_before(const struct lint_part *part)
{
    for (size_t i = 0; i < part->at; i++) {
        const struct outline *outline = &part->items[i].outline;
        bool table = outline->kind == OUTLINE_ALTER && outline->object == OBJECT_TABLE;
        if (table && !lint_schema_is_new(part->schema, &outline->table) &&
            !outline_action(outline, ACTION_VALIDATE))
            return i;
    }
    return TOKEN_NONE;
}
