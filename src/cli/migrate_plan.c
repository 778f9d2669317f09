/*
 * kedge migrate plan: what up or down would run, statement by statement, and what each does to the
 * database.
 */
#include "base/file.h"
#include "cli/commands.h"
#include "cli/console.h"
#include "cli/migrate.h"
#include "cli/table.h"
#include "db/db.h"
#include "migrate/classify.h"
#include "migrate/effects.h"
#include "migrate/run.h"
#include "service/settings.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* What is planned, and how: with the database, or from the files alone. */
struct planning {
    struct cli *cli;
    enum db_engine engine;
    struct effects *effects;
    bool stepwise; /* the step that is shown runs statement by statement */
};

static const struct column_row columns[] = {
    {"place", "STATEMENT", COLUMN_OF_TEXT}, {"commits", "COMMITS", COLUMN_OF_TEXT},
    {"lock", "LOCK", COLUMN_OF_TEXT},       {"table", "ON", COLUMN_OF_TEXT},
    {"work", "WORK", COLUMN_OF_TEXT},       {"rows", "ROWS", COLUMN_OF_TEXT},
    {"bytes", "SIZE", COLUMN_OF_TEXT},      {"lost", "LOST", COLUMN_OF_TEXT},
    {"undone", "UNDONE", COLUMN_OF_TEXT},   {NULL, NULL, COLUMN_OF_TEXT}};

/* How the statement ends up in the database. */
static const char *ending_of(const struct planning *planning,
                             const struct migration_statement *statement)
{
    unsigned traits = statement_traits(planning->engine, statement->text, statement->size);
    if (traits & TRAIT_COMMITS)
        return "commits by itself";
    if (traits & TRAIT_MAY_COMMIT)
        return "may commit by itself";
    if (traits & TRAIT_OUTSIDE)
        return "outside a transaction";
    return planning->stepwise ? "committed at once" : "in the migration's transaction";
}

static int first_line(const struct migration_statement *statement)
{
    return (int)strcspn(statement->text, "\r\n");
}

/* ---- JSON ---- */

static json_t *number_json(int64_t number)
{
    return number < 0 ? json_null() : json_integer(number);
}

static json_t *table_json(enum db_engine engine, const struct effect_table *table)
{
    json_t *object = json_object();
    json_object_set_new(object, "name", json_string(table->name));
    json_object_set_new(object, "kind", json_string(table->kind));
    json_object_set_new(object, "lock", json_string(effect_lock_name(engine, table->lock)));
    json_object_set_new(object, "rewritten", json_boolean(table->rewritten));
    json_object_set_new(object, "scanned", json_boolean(table->scanned));
    json_object_set_new(object, "new", json_boolean(table->fresh));
    json_object_set_new(object, "rows", number_json(table->rows));
    json_object_set_new(object, "bytes", number_json(table->bytes));
    return object;
}

static void add_tables(json_t *item, enum db_engine engine, const struct effect *effect)
{
    const struct effect_table *strongest = effect_strongest(effect);
    bool rewritten = false;
    bool scanned = false;
    json_t *tables = json_array();
    for (size_t i = 0; i < effect->count; i++) {
        rewritten |= effect->tables[i].rewritten;
        scanned |= effect->tables[i].scanned;
        json_array_append_new(tables, table_json(engine, &effect->tables[i]));
    }
    json_object_set_new(item, "lock",
                        strongest ? json_string(effect_lock_name(engine, strongest->lock))
                                  : json_null());
    json_object_set_new(item, "table", console_json_text(strongest ? strongest->name : NULL));
    json_object_set_new(item, "rewritten", json_boolean(rewritten));
    json_object_set_new(item, "scanned", json_boolean(scanned));
    json_object_set_new(item, "tables", tables);
}

static json_t *statement_json(const struct planning *planning,
                              const struct migration_statement *statement,
                              const struct effect *effect)
{
    json_t *item = json_object();
    json_object_set_new(item, "line", json_integer((json_int_t)statement->line));
    json_object_set_new(item, "first_line",
                        json_stringn(statement->text, (size_t)first_line(statement)));
    json_object_set_new(item, "sql", json_stringn(statement->text, statement->size));
    json_object_set_new(item, "effect", json_string(ending_of(planning, statement)));
    json_object_set_new(item, "commits", json_boolean(effect->commits));
    add_tables(item, planning->engine, effect);
    json_object_set_new(item, "algorithm", console_json_text(effect->algorithm));
    json_object_set_new(item, "concurrency", console_json_text(effect->concurrency));
    json_object_set_new(item, "lost", console_json_list(&effect->lost));
    json_object_set_new(item, "notes", console_json_list(&effect->notes));
    json_object_set_new(item, "undone",
                        effect->undone == UNDONE_NOTHING
                            ? json_null()
                            : json_boolean(effect->undone == UNDONE_YES));
    json_object_set_new(item, "undone_line",
                        effect->undone == UNDONE_YES ? json_integer((json_int_t)effect->undone_line)
                                                     : json_null());
    return item;
}

/* ---- for people ---- */

static char *work_of(const struct effect *effect, const struct effect_table *table)
{
    const char *work = table->rewritten ? "rewritten" : table->scanned ? "read through" : "";
    if (table->fresh)
        work = "new";
    if (!effect->algorithm)
        return mem_string(work);
    return mem_format("%s%s%s%s%s", effect->algorithm, effect->concurrency ? " " : "",
                      effect->concurrency ? effect->concurrency : "", *work ? ", " : "", work);
}

static void add_amounts(struct table *table, const struct effect_table *of)
{
    char text[32] = "";
    if (of && of->rows >= 0)
        snprintf(text, sizeof text, "%lld", (long long)of->rows);
    table_text(table, text);
    text[0] = '\0';
    if (of && of->bytes >= 0)
        text_format_size((uint64_t)of->bytes, text);
    table_text(table, text);
}

/* The columns of what is locked. */
static void add_locked(struct table *table, enum db_engine engine, const struct effect *effect,
                       size_t index)
{
    const struct effect_table *of = index < effect->count ? &effect->tables[index] : NULL;
    SCOPED(string) char *work = of ? work_of(effect, of) : NULL;
    table_text(table, of ? effect_lock_name(engine, of->lock) : "none");
    table_text(table, of ? of->name : "");
    table_text(table, work ? work : "");
    add_amounts(table, of);
}

static char *undone_of(const struct effect *effect)
{
    if (effect->undone == UNDONE_NOTHING)
        return mem_string("-");
    return effect->undone == UNDONE_YES ? mem_format("line %zu", effect->undone_line)
                                        : mem_string("not undone");
}

static const char *text_at(const struct text_list *list, size_t index)
{
    return index < list->count ? list->items[index] : "";
}

/* The first row has the statement; the others what else is locked or lost. */
static void add_rows(struct table *table, const struct planning *planning, const char *path,
                     const struct migration_statement *statement, const struct effect *effect)
{
    int shown = first_line(statement);
    SCOPED(string) char *undone = undone_of(effect);
    SCOPED(string)
    char *place = mem_format("%s:%zu: %.*s", path_base(path), statement->line,
                             shown < 100 ? shown : 100, statement->text);
    size_t rows = effect->count > effect->lost.count ? effect->count : effect->lost.count;
    for (size_t i = 0; i < rows || i == 0; i++) {
        table_text(table, i == 0 ? place : "");
        table_text(table, i == 0 ? (effect->commits ? "by itself" : "at the end") : "");
        if (i == 0 || i < effect->count) {
            add_locked(table, planning->engine, effect, i);
        } else {
            for (size_t k = 0; k < 5; k++)
                table_text(table, "");
        }
        table_text(table, text_at(&effect->lost, i));
        table_text(table, i == 0 ? undone : "");
    }
}

static void show_heading(const struct migrate_step *step)
{
    SCOPED(string) char *title = migrate_title(step->migration->name);
    console_result("%s %s %s%s%s", step->direction == MIGRATE_UP ? "up" : "down",
                   step->migration->version, title,
                   migration_reversible(step->migration) ? "" : " (cannot be undone: no Down)",
                   step->late ? " (older than what is applied)" : "");
    if (step->migration->functions[step->direction])
        console_result("  a function of the program");
}

/* ---- the plan ---- */

/* What the statements of a step do, in both forms. */
struct shown {
    json_t *statements;
    struct table *table;
    struct text_list notes;
};

static void shown_clear(struct shown *shown)
{
    json_decref(shown->statements);
    table_free(shown->table);
    text_list_clear(&shown->notes);
}

static int look_at_statements(const struct planning *planning, const struct migrate_step *step,
                              struct shown *shown, struct error *err)
{
    const struct migration_part *part = &step->migration->parts[step->direction];
    SCOPED(string) char *path = migration_place(step->migration, step->direction);
    for (size_t i = 0; i < part->count; i++) {
        const struct migration_statement *statement = &part->items[i];
        SCOPED(effect) struct effect effect = EFFECT_INIT;
        if (effects_of(planning->effects, step->migration, step->direction, i, &effect, err) < 0)
            return -1;
        add_rows(shown->table, planning, path, statement, &effect);
        for (size_t k = 0; k < effect.notes.count; k++)
            text_list_give(&shown->notes,
                           mem_format("line %zu: %s", statement->line, effect.notes.items[k]));
        json_array_append_new(shown->statements, statement_json(planning, statement, &effect));
    }
    return 0;
}

static void print_json(const struct migrate_step *step, const struct shown *shown)
{
    const struct migration_part *part = &step->migration->parts[step->direction];
    json_t *object = migrate_step_json(step);
    json_object_set_new(object, "file", console_json_text(part->path));
    json_object_set_new(object, "reversible", json_boolean(migration_reversible(step->migration)));
    json_object_set_new(object, "late", json_boolean(step->late));
    json_object_set_new(object, "statements", json_incref(shown->statements));
    console_json(object);
}

static void print_people(const struct migrate_step *step, const struct shown *shown)
{
    show_heading(step);
    if (table_rows(shown->table))
        table_print(shown->table, console_terminal_width(STDOUT_FILENO));
    for (size_t i = 0; i < shown->notes.count; i++)
        console_result("  note: %s", shown->notes.items[i]);
}

static int show_step(struct planning *planning, const struct migrate_step *step, struct error *err)
{
    struct shown shown = {.statements = json_array(), .table = table_new(columns)};
    planning->stepwise = run_stepwise(planning->engine, step->migration, step->direction);
    int result = look_at_statements(planning, step, &shown, err);
    if (result == 0 && console_wants_json(planning->cli))
        print_json(step, &shown);
    else if (result == 0)
        print_people(step, &shown);
    shown_clear(&shown);
    return result;
}

static int show_plan(struct planning *planning, struct db *db, const struct migrate_plan *plan,
                     const char *nothing, struct error *err)
{
    SCOPED(effects) struct effects *effects = NULL;
    if (effects_new(planning->engine, db, &effects, err) < 0)
        return -1;
    planning->effects = effects;
    for (size_t i = 0; i < plan->count; i++)
        if (show_step(planning, &plan->items[i], err) < 0)
            return -1;
    if (!plan->count && !console_wants_json(planning->cli))
        console_result("%s", nothing);
    return 0;
}

static int read_request(struct cli *cli, struct migrate_request *request, struct error *err)
{
    const char *way = cli->arguments.count ? cli->arguments.items[0] : "up";
    if (strcmp(way, "down") == 0)
        return migrate_down_request(cli, request, err);
    if (strcmp(way, "up") != 0)
        return error_set(err, ERROR_USAGE, "plan is for up or down, not \"%s\"", way);
    if (settings_integer(cli->settings, SETTING_MIGRATIONS_STEPS) > 0 ||
        settings_bool(cli->settings, SETTING_MIGRATIONS_BATCH))
        return error_set(err, ERROR_USAGE, "--steps and --batch are for plan down");
    *request = (struct migrate_request){
        .kind = MIGRATE_PLAN_UP,
        .version = settings_text(cli->settings, SETTING_MIGRATIONS_VERSION),
    };
    return 0;
}

/* Nobody knows what is applied: every file is planned. */
static int plan_files(struct cli *cli, const struct migrate_request *request,
                      const struct error *cause, struct error *err)
{
    SCOPED(db_url) struct db_url url = DB_URL_INIT;
    SCOPED(migration_set) struct migration_set set = {0};
    SCOPED(text_list) struct text_list warnings = TEXT_LIST_INIT;
    SCOPED(history_rows) struct history_rows rows = HISTORY_ROWS_INIT;
    SCOPED(migrate_plan) struct migrate_plan plan = MIGRATE_PLAN_INIT;
    if (migrate_find_database(cli, &url, err) < 0)
        return -1;
    const struct migration_folder folder = migrate_folder(cli, url.engine);
    if (migration_folder_read(&folder, &set, &warnings, err) < 0 ||
        migration_set_sort(&set, err) < 0 ||
        migrate_plan_make(&set, &rows, request, &plan, err) < 0)
        return -1;
    console_warning("%s; every file is taken for pending, and sizes are not known", cause->message);
    struct planning planning = {.cli = cli, .engine = url.engine};
    return show_plan(&planning, NULL, &plan, "there are no migrations", err);
}

static int plan_database(struct migrate_door *door, const struct migrate_request *request,
                         struct error *err)
{
    SCOPED(migrate_plan) struct migrate_plan plan = MIGRATE_PLAN_INIT;
    bool up = request->kind == MIGRATE_PLAN_UP;
    if (migrator_plan(door->migrator, request, &plan, err) < 0)
        return -1;
    struct planning planning = {.cli = door->cli, .engine = door->db->ops->engine};
    return show_plan(&planning, door->db, &plan,
                     up ? "nothing to do: no migration is pending" : "nothing to undo", err);
}

int command_migrate_plan(struct cli *cli, struct error *err)
{
    SCOPED(migrate_door) struct migrate_door door = MIGRATE_DOOR_INIT;
    struct migrate_request request = {0};
    if (read_request(cli, &request, err) < 0)
        return migrate_fail(cli, err);
    bool up = request.kind == MIGRATE_PLAN_UP;
    door.applies = up;
    int result = migrate_door_open(&door, cli, true, err);
    if (result < 0 && !door.db && up && err->code != ERROR_USAGE &&
        err->code != ERROR_INTERRUPTED) {
        const struct error cause = *err;
        error_clear(err);
        result = plan_files(cli, &request, &cause, err);
    } else if (result == 0) {
        result = plan_database(&door, &request, err);
    }
    return result < 0 ? migrate_door_fail(&door, err) : 0;
}
