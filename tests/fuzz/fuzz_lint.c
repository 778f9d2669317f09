/*
 * Any text as a migration, judged: the first byte chooses the dialect. Findings name a rule and a
 * place within the text.
 */
#include "fuzz.h"

#include "migrate/file.h"
#include "migrate/lint.h"

static void check_findings(const struct lint_findings *findings, const char *text)
{
    size_t lines = 1;
    for (const char *c = text; *c; c++)
        lines += *c == '\n';
    for (size_t i = 0; i < findings->count; i++) {
        const struct lint_finding *finding = &findings->items[i];
        MUST(finding->rule && lint_rule_find(finding->rule->name) == finding->rule);
        MUST(finding->message[0] && strcmp(finding->path, "x.sql") == 0);
        MUST(finding->line >= 1 && finding->line <= lines && finding->column >= 1);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {data, size};
    struct error err = ERROR_INIT;
    struct lint lint = {.engine = (enum db_engine)(input_byte(&input) % 3), .wants_down = true};
    SCOPED(string) char *text = input_text(&input);
    SCOPED(migration) struct migration *migration = migration_new("1", "x");
    SCOPED(lint_findings) struct lint_findings findings = LINT_FINDINGS_INIT;
    const struct migration_text whole = {.text = text,
                                         .size = strlen(text),
                                         .path = "x.sql",
                                         .dialect = lint.engine,
                                         .syntax = SYNTAX_KEDGE};
    const struct lint_text lint_text = {"x.sql", text, strlen(text)};
    if (migration_read(migration, &whole, &err) == 0) {
        lint_migration(&lint, migration, &lint_text, 1, &findings);
        check_findings(&findings, text);
    }
    lint_clear(&lint);
    return 0;
}
