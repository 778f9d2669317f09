#include "migrate/migrator_core.h"

#include "base/error.h"
#include "base/mem.h"
#include "migrate/difference.h"

#include <stdlib.h>

/* `row` is moved into the state. */
static void add_state(struct migration_states *states, const struct migration *migration,
                      const struct history_row *row)
{
    ARRAY_GROW(states->items, states->count, states->capacity);
    struct migration_state *state = &states->items[states->count++];
    *state = (struct migration_state){.migration = migration};
    if (row)
        state->row = *row;
    state->version = migration ? migration->version : state->row.version;
    state->name = migration ? migration->name : state->row.name;
    state->status = state->row.version ? state->row.status : HISTORY_PENDING;
    state->changed =
        migration && state->row.version && migrate_plan_changed(migration, &state->row);
}

static int compare_states(const void *a, const void *b)
{
    const struct migration_state *left = a;
    const struct migration_state *right = b;
    return migration_version_compare(left->version, right->version);
}

static void sort_states(struct migration_states *states)
{
    for (size_t i = 1; i < states->count; i++) {
        if (compare_states(&states->items[i - 1], &states->items[i]) <= 0)
            continue;
        qsort(states->items, states->count, sizeof *states->items, compare_states);
        return;
    }
}

int migrator_status(struct migrator *migrator, struct migration_states *states, struct error *err)
{
    SCOPED(history_rows) struct history_rows rows = HISTORY_ROWS_INIT;
    if (migrator_look(migrator, &rows, err) < 0)
        return -1;
    SCOPED(memory) void *memory = mem_alloc(rows.count + 1, sizeof(bool));
    bool *taken = memory;
    size_t next = 0;
    for (size_t i = 0; i < migrator->set.count; i++) {
        const struct migration *migration = migrator->set.items[i];
        const struct history_row *row = history_rows_next(&rows, migration->version, &next);
        add_state(states, migration, row);
        if (row)
            taken[row - rows.items] = true;
    }
    for (size_t i = 0; i < rows.count; i++)
        if (!taken[i])
            add_state(states, NULL, &rows.items[i]);
    /* Each has moved into its state. */
    rows.count = 0;
    sort_states(states);
    return 0;
}

void migration_states_clear(struct migration_states *states)
{
    for (size_t i = 0; i < states->count; i++)
        history_row_clear(&states->items[i].row);
    free(states->items);
    *states = MIGRATION_STATES_INIT;
}

/* Has it changed the database: wholly, or as far as its progress says? */
static bool has_run(const struct history_row *row)
{
    return row->status == HISTORY_APPLIED || row->progress;
}

static const struct history_row *last_run(const struct history_rows *rows)
{
    const struct history_row *last = NULL;
    for (size_t i = 0; i < rows->count; i++)
        if (has_run(&rows->items[i]) && (!last || rows->items[i].batch >= last->batch))
            last = &rows->items[i];
    return last;
}

int migrator_anchor(struct migrator *migrator, struct migration_anchor *ret_anchor,
                    struct error *err)
{
    SCOPED(history_rows) struct history_rows rows = HISTORY_ROWS_INIT;
    struct migration_anchor anchor = {0};
    if (migrator_look(migrator, &rows, err) < 0)
        return -1;
    const struct history_row *last = last_run(&rows);
    if (!last)
        return error_set(err, ERROR_NOT_FOUND, "no migration is applied");
    if (!last->backup_id) {
        error_set(err, ERROR_NOT_FOUND, "version %s was applied without a backup to go back to",
                  last->version);
        return error_hint(err,
                          "kedge migrate up --backup makes one first; kedge list shows others");
    }
    for (size_t i = 0; i < rows.count; i++)
        if (has_run(&rows.items[i]) && text_equal(rows.items[i].backup_id, last->backup_id))
            text_list_add(&anchor.versions, rows.items[i].version);
    anchor.backup_id = mem_string(last->backup_id);
    *ret_anchor = anchor;
    return 0;
}

void migration_anchor_clear(struct migration_anchor *anchor)
{
    free(anchor->backup_id);
    text_list_clear(&anchor->versions);
    *anchor = (struct migration_anchor){0};
}

int migrator_version(struct migrator *migrator, char **ret_version, struct error *err)
{
    SCOPED(migration_states) struct migration_states states = MIGRATION_STATES_INIT;
    if (migrator_status(migrator, &states, err) < 0)
        return -1;
    *ret_version = NULL;
    for (size_t i = states.count; i > 0; i--) {
        if (states.items[i - 1].status != HISTORY_APPLIED ||
            migration_version_repeatable(states.items[i - 1].version))
            continue;
        *ret_version = mem_string(states.items[i - 1].version);
        break;
    }
    return 0;
}

int migrator_difference(struct migrator *migrator, const char *version, struct buf *text,
                        struct error *err)
{
    SCOPED(string) char *source = NULL;
    SCOPED(buf) struct buf now = BUF_INIT;
    if (migrator_prepare(migrator, err) < 0)
        return -1;
    struct migration *migration = migration_set_find(&migrator->set, version);
    if (!migration || !migrator->history.exists)
        return 0;
    if (history_source(&migrator->history, version, &source, err) < 0)
        return -1;
    migration_normal(migration, &now);
    if (source)
        difference_append(text, source, now.data);
    return 0;
}
