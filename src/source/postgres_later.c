#include "source/postgres_later.h"

#include "base/buf.h"
#include "base/error.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/stop.h"
#include "db/pq.h"
#include "db/statement.h"
#include "source/postgres_patience.h"

#include <stdlib.h>
#include <string.h>

bool later_is_setting(const char *statement)
{
    if (text_starts(statement, "SET SESSION AUTHORIZATION"))
        return false;
    return text_starts(statement, "SET ") ||
           text_starts(statement, "SELECT pg_catalog.set_config(");
}

/* SET name = value: the same name's earlier one is forgotten. */
static void note_state(struct laters *laters, const char *statement)
{
    size_t key = strcspn(statement, "=,");
    size_t i = 0;
    while (i < laters->state.count && strncmp(laters->state.items[i], statement, key) != 0)
        i++;
    if (i < laters->state.count) {
        free(laters->state.items[i]);
        laters->state.items[i] = mem_string(statement);
    } else {
        text_list_add(&laters->state, statement);
    }
    struct buf joined = BUF_INIT;
    for (i = 0; i < laters->state.count; i++)
        buf_append_format(&joined, "%s; ", laters->state.items[i]);
    text_list_give(&laters->settings, buf_steal(&joined));
}

void laters_note(struct laters *laters, const struct statement *statement)
{
    if (later_is_setting(statement->text)) {
        note_state(laters, statement->text);
        return;
    }
    ARRAY_GROW(laters->items, laters->count, laters->capacity);
    struct later *later = &laters->items[laters->count++];
    *later = (struct later){.sql = mem_string_n(statement->text, statement->size),
                            .line = statement->line};
    later->kind = words_post_kind(later->sql, &later->schema, &later->table);
    if (laters->settings.count)
        later->settings = laters->settings.items[laters->settings.count - 1];
}

/* Nothing stays of a statement that fails, but of what may commit on its way. */
static bool may_run_again(const struct pq *pq, const struct later *later)
{
    struct words words = {later->sql};
    return !pq_in_transaction(pq) && !words_take(&words, "DO") && !words_take(&words, "CALL") &&
           !words_seek(&words, "CONCURRENTLY");
}

struct run {
    struct pq *pq;
    const struct later *later;
};

static int run_once(void *context, struct error *err)
{
    const struct run *run = context;
    return pq_exec(run->pq, run->later->sql, NULL, err);
}

/* The other session may be ours, or somebody else's who looks at the new tables. */
static int run_patiently(struct os *os, struct pq *pq, const struct later *later, struct error *err)
{
    struct run run = {pq, later};
    const struct postgres_patience patience = {os, &run.pq, run_once, &run};
    return may_run_again(pq, later) ? postgres_patiently(&patience, err) : run_once(&run, err);
}

bool later_looked_in_vain(const struct pq *pq)
{
    static const char *const missing[] = {"42883", "42P01", "42704"};
    return pq_fault_among(pq, missing, ARRAY_SIZE(missing));
}

char *later_usual_path(const char *setting, const char *schema)
{
    struct buf sql = BUF_INIT;
    buf_append_format(&sql, "%s search_path = ", setting);
    pq_quote_identifier(&sql, schema);
    buf_append_text(&sql, ", public; ");
    return buf_steal(&sql);
}

/* SET LOCAL lasts as long as the statements that are sent with it. The first error is the one to
 * tell. */
static int run_on_usual_path(struct pq *pq, const struct later *later, const struct error *err)
{
    if (!later->schema || pq_in_transaction(pq) || !later_looked_in_vain(pq))
        return -1;
    log_debug("again, where one usually looks: %s", err->message);
    struct error ignored = ERROR_INIT;
    SCOPED(string) char *path = later_usual_path("SET LOCAL", later->schema);
    SCOPED(string) char *sql = mem_format("%s%s", path, later->sql);
    return pq_exec(pq, sql, NULL, &ignored);
}

int later_run(struct os *os, struct pq *pq, const char **in_force, const struct later *later,
              struct error *err)
{
    if (stop_check(err) < 0)
        return -1;
    if (later->settings && later->settings != *in_force) {
        if (pq_exec(pq, later->settings, NULL, err) < 0)
            return error_prefix(err, "settings of the backup");
        *in_force = later->settings;
    }
    if (run_patiently(os, pq, later, err) == 0)
        return 0;
    if (run_on_usual_path(pq, later, err) < 0)
        return error_prefix(err, "after the data, line %zu: %.*s", later->line,
                            (int)strcspn(later->sql, "\n(;"), later->sql);
    error_clear(err);
    return 0;
}

void laters_clear(struct laters *laters)
{
    for (size_t i = 0; i < laters->count; i++) {
        free(laters->items[i].schema);
        free(laters->items[i].table);
        free(laters->items[i].sql);
    }
    free(laters->items);
    text_list_clear(&laters->state);
    text_list_clear(&laters->settings);
    *laters = (struct laters){0};
}
