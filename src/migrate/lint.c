#include "migrate/lint.h"

#include "base/error.h"
#include "base/file.h"
#include "base/mem.h"
#include "migrate/classify.h"
#include "migrate/lint_down.h"
#include "migrate/lint_every.h"
#include "migrate/lint_mysql.h"
#include "migrate/lint_postgres.h"
#include "migrate/lint_sqlite.h"
#include "migrate/outline_read.h"

#include <stdlib.h>
#include <string.h>

/* ---- rules ---- */

const struct lint_rule *lint_rule_at(size_t index)
{
    const struct {
        const struct lint_rule *rules;
        size_t count;
    } lists[] = {
        {lint_every_rules, lint_every_count}, {lint_down_rules, lint_down_count},
        {lint_allow_rules, lint_allow_count}, {lint_postgres_rules, lint_postgres_count},
        {lint_mysql_rules, lint_mysql_count}, {lint_sqlite_rules, lint_sqlite_count},
    };
    for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
        if (index < lists[i].count)
            return &lists[i].rules[index];
        index -= lists[i].count;
    }
    return NULL;
}

const struct lint_rule *lint_rule_find(const char *name)
{
    const struct lint_rule *rule = NULL;
    for (size_t i = 0; (rule = lint_rule_at(i)) != NULL; i++)
        if (strcmp(rule->name, name) == 0)
            return rule;
    return NULL;
}

/* ---- one migration ---- */

static void add_statement(struct lint_part *part, const char *text, size_t size, size_t line,
                          size_t column, size_t source)
{
    ARRAY_GROW(part->items, part->count, part->capacity);
    struct lint_statement *statement = &part->items[part->count++];
    *statement = (struct lint_statement){.text = mem_string_n(text, size),
                                         .size = size,
                                         .line = line,
                                         .column = column,
                                         .source = source};
    statement->traits = statement_traits(part->engine, statement->text, size);
}

struct block {
    struct lint_part *part;
    const struct migration_statement *source;
    size_t index;
};

static int on_statement(void *context, const struct statement *statement, struct error *err)
{
    const struct block *block = context;
    bool first = statement->line == 1;
    (void)err;
    add_statement(
        block->part, statement->text, statement->size, block->source->line + statement->line - 1,
        first ? block->source->column + statement->column - 1 : statement->column, block->index);
    return 0;
}

/* A StatementBegin block may hold several; one that cannot be split is taken as it is. */
static void add_block(struct lint_part *part, const struct migration_statement *source,
                      size_t index)
{
    struct error err = ERROR_INIT;
    struct block block = {part, source, index};
    const struct statement_options options = {.dialect = part->engine, .name = "block"};
    const struct statement_handler handler = {.statement = on_statement, .context = &block};
    size_t before = part->count;
    if (statement_read_all(&options, &handler, source->text, source->size, &err) < 0 &&
        part->count == before)
        add_statement(part, source->text, source->size, source->line, source->column, index);
}

static void part_fill(struct lint_part *part)
{
    const struct migration_part *own = &part->migration->parts[part->direction];
    part->transaction = !own->outside;
    for (size_t i = 0; i < own->count; i++) {
        const struct migration_statement *source = &own->items[i];
        if (source->block)
            add_block(part, source, i);
        else
            add_statement(part, source->text, source->size, source->line, source->column, i);
    }
    /* Outlines refer to themselves, so they are read where they stay. */
    for (size_t i = 0; i < part->count; i++)
        outline_read(&part->items[i].outline, part->engine, part->items[i].text,
                     part->items[i].size);
}

static void part_clear(struct lint_part *part)
{
    for (size_t i = 0; i < part->count; i++) {
        outline_clear(&part->items[i].outline);
        free(part->items[i].text);
    }
    free(part->items);
}

static void check_statements(struct lint_part *part, struct lint_schema *learn)
{
    static void (*const checks[])(struct lint_part *) = {
        [DB_SQLITE] = lint_sqlite_statement,
        [DB_POSTGRES] = lint_postgres_statement,
        [DB_MYSQL] = lint_mysql_statement,
    };
    for (part->at = 0; part->at < part->count; part->at++) {
        if (part->findings) {
            lint_every_statement(part);
            checks[part->engine](part);
        }
        if (learn)
            lint_schema_apply(learn, lint_now(part));
    }
}

/* By place; those of one place stay as they were found. */
static void sort_findings(struct lint_findings *findings, size_t from)
{
    for (size_t i = from + 1; i < findings->count; i++) {
        struct lint_finding moved = findings->items[i];
        size_t to = i;
        for (; to > from; to--) {
            const struct lint_finding *before = &findings->items[to - 1];
            int order = strcmp(before->path, moved.path);
            bool later = before->line != moved.line ? before->line > moved.line
                                                    : before->column > moved.column;
            if (order < 0 || (order == 0 && !later))
                break;
            findings->items[to] = *before;
        }
        findings->items[to] = moved;
    }
}

void lint_migration(struct lint *lint, const struct migration *migration,
                    const struct lint_text *texts, size_t text_count,
                    struct lint_findings *findings)
{
    struct lint_part parts[2];
    size_t from = findings ? findings->count : 0;
    lint_schema_next(&lint->schema);
    for (size_t i = 0; i < 2; i++) {
        parts[i] = (struct lint_part){.engine = lint->engine,
                                      .migration = migration,
                                      .direction = i ? MIGRATE_DOWN : MIGRATE_UP,
                                      .schema = &lint->schema,
                                      .findings = findings};
        part_fill(&parts[i]);
    }
    check_statements(&parts[MIGRATE_UP], &lint->schema);
    if (findings) {
        check_statements(&parts[MIGRATE_DOWN], NULL);
        lint_down_check(&parts[MIGRATE_UP], &parts[MIGRATE_DOWN], lint->wants_down);
        for (size_t i = 0; i < text_count; i++)
            lint_allow(&texts[i], lint->engine, migration, findings, from, lint_rule_find);
        sort_findings(findings, from);
    }
    part_clear(&parts[MIGRATE_UP]);
    part_clear(&parts[MIGRATE_DOWN]);
}

void lint_clear(struct lint *lint)
{
    lint_schema_clear(&lint->schema);
}

/* ---- a folder ---- */

static bool is_file(const char *path, const char *wanted)
{
    return path && strcmp(path_base(path), path_base(wanted)) == 0;
}

static bool is_one(const struct migration *migration, const char *wanted)
{
    return migration_version_compare(migration->version, wanted) == 0 ||
           is_file(migration->parts[MIGRATE_UP].path, wanted) ||
           is_file(migration->parts[MIGRATE_DOWN].path, wanted);
}

static bool is_wanted(const struct migration *migration, const struct text_list *wanted)
{
    for (size_t i = 0; i < wanted->count; i++)
        if (is_one(migration, wanted->items[i]))
            return true;
    return wanted->count == 0;
}

static int check_wanted(const struct lint_request *request, const struct migration_set *set,
                        struct error *err)
{
    for (size_t i = 0; i < request->wanted->count; i++) {
        bool found = false;
        for (size_t j = 0; j < set->count; j++)
            found |= is_one(set->items[j], request->wanted->items[i]);
        if (!found)
            return error_set(err, ERROR_NOT_FOUND, "%s is no migration in %s",
                             request->wanted->items[i], request->folder.path);
    }
    return 0;
}

/* Where nobody writes ways back, and the files have no sections for them, none is missing. */
static bool wants_down(const struct migration_set *set)
{
    for (size_t i = 0; i < set->count; i++)
        if (set->items[i]->parts[MIGRATE_DOWN].exists || !set->items[i]->detects_outside)
            return true;
    return false;
}

static int lint_one(struct lint *lint, const struct lint_request *request,
                    const struct migration *migration, struct lint_findings *findings,
                    struct error *err)
{
    struct buf bufs[2] = {BUF_INIT_MAX(MIGRATION_FILE_MAXIMUM),
                          BUF_INIT_MAX(MIGRATION_FILE_MAXIMUM)};
    struct lint_text texts[2];
    size_t count = 0;
    int result = 0;
    for (size_t i = 0; i < 2 && result == 0; i++) {
        const char *path = migration->parts[i].path;
        if (!path || (count && strcmp(path, texts[0].path) == 0))
            continue;
        result = file_read_all(request->folder.os, path, &bufs[count], err);
        texts[count] = (struct lint_text){path, bufs[count].data, bufs[count].length};
        count++;
    }
    if (result == 0)
        lint_migration(lint, migration, texts, count, findings);
    buf_clear(&bufs[0]);
    buf_clear(&bufs[1]);
    return result;
}

static int lint_all(struct lint *lint, const struct lint_request *request,
                    const struct migration_set *set, struct lint_findings *findings,
                    size_t *ret_count, struct error *err)
{
    size_t count = 0;
    for (size_t i = 0; i < set->count; i++) {
        bool wanted = is_wanted(set->items[i], request->wanted);
        count += wanted;
        if (!wanted)
            lint_migration(lint, set->items[i], NULL, 0, NULL);
        else if (lint_one(lint, request, set->items[i], findings, err) < 0)
            return -1;
    }
    *ret_count = count;
    return 0;
}

int lint_folder(const struct lint_request *request, struct lint_findings *findings,
                size_t *ret_count, struct text_list *warnings, struct error *err)
{
    SCOPED(migration_set) struct migration_set set = MIGRATION_SET_INIT;
    if (migration_folder_read(&request->folder, &set, warnings, err) < 0 ||
        migration_set_sort(&set, err) < 0 || check_wanted(request, &set, err) < 0)
        return -1;
    struct lint lint = {.engine = request->folder.dialect, .wants_down = wants_down(&set)};
    int result = lint_all(&lint, request, &set, findings, ret_count, err);
    lint_clear(&lint);
    return result;
}
