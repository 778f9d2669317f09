#include "migrate/execute.h"

#include "base/error.h"
#include "base/os.h"
#include "base/stop.h"
#include "base/text.h"
#include "migrate/classify.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define SOURCE_MAXIMUM ((size_t)1 << 20) /* longer texts are not kept in the history */
#define BUSY_PAUSE_MS 50
#define ATTEMPTS 5
#define FIRST_PAUSE_MS 200

/* "CREATE TABLE users (", cut where the line ends or gets long. */
static int first_line(const struct migration_statement *statement)
{
    size_t size = strcspn(statement->text, "\r\n");
    if (size <= 80)
        return (int)size;
    size = 80;
    while (size > 0 && ((unsigned char)statement->text[size] & 0xC0) == 0x80)
        size--;
    return (int)size;
}

int execute_tell(struct db *db, const struct migrate_step *step, size_t index,
                 const struct statement *text, struct error *err)
{
    const struct migration_part *part = &step->migration->parts[step->direction];
    const struct migration_statement *statement = &part->items[index];
    SCOPED(string) char *place = migration_place(step->migration, step->direction);
    size_t line = 0;
    size_t column = 0;
    statement_locate(text, db->fault.position, &line, &column);
    return error_prefix(err, "%s:%zu:%zu: statement %zu of %zu (%.*s)", place, line, column,
                        index + 1, part->count, first_line(statement), statement->text);
}

struct running {
    struct db *db;
    const struct migrate_step *step;
    size_t index;
};

static int run_text(void *context, const struct statement *statement, struct error *err)
{
    struct running *running = context;
    struct db *db = running->db;
    const struct migration_statement *whole =
        &running->step->migration->parts[running->step->direction].items[running->index];
    db->fault = (struct db_fault){0};
    int result = 0;
    if (whole->kind != STATEMENT_COPY)
        result = db->ops->execute(db, statement->text, statement->size, NULL, 0, NULL, err);
    else if (db->ops->copy_in)
        result = db->ops->copy_in(db, statement->text, whole->rows, whole->rows_size, err);
    else
        result = error_set(err, ERROR_FAILED, "rows cannot be copied in here");
    return result < 0 ? execute_tell(db, running->step, running->index, statement, err) : 0;
}

struct inside {
    const struct migration_statement *block;
    execute_each_fn *each;
    void *context;
};

/* A statement within a block: its place counts from the block's. */
static int on_inner(void *context, const struct statement *statement, struct error *err)
{
    const struct inside *inside = context;
    struct statement placed = *statement;
    placed.column += statement->line == 1 ? inside->block->column - 1 : 0;
    placed.line += inside->block->line - 1;
    return inside->each(inside->context, &placed, err);
}

int execute_each(enum db_engine engine, const struct migration_statement *statement,
                 execute_each_fn *each, void *context, struct error *err)
{
    const struct statement whole = {
        .text = statement->text,
        .size = statement->size,
        .line = statement->line,
        .column = statement->column,
    };
    if (!statement->block || statement->kind == STATEMENT_COPY)
        return each(context, &whole, err);
    struct inside inside = {statement, each, context};
    const struct statement_options options = {.dialect = engine, .name = "block"};
    const struct statement_handler handler = {.statement = on_inner, .context = &inside};
    return statement_read_all(&options, &handler, statement->text, statement->size, err);
}

int execute_statement(struct db *db, const struct migrate_step *step, size_t index,
                      struct error *err)
{
    struct running running = {db, step, index};
    return execute_each(db->ops->engine, &step->migration->parts[step->direction].items[index],
                        run_text, &running, err);
}

/* BEGIN without a wish of its own. */
static bool opens_plainly(const struct words *words)
{
    static const char *const kinds[] = {"WORK",     "TRANSACTION", "IMMEDIATE",
                                        "DEFERRED", "EXCLUSIVE",   "TRAN"};
    size_t at = 1;
    if (!words_are(words, 0, "BEGIN") && !words_are(words, 0, "START TRANSACTION"))
        return false;
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
        if (words_are(words, at, kinds[i])) {
            at++;
            i = SIZE_MAX;
        }
    return at == words->count;
}

static bool commits_plainly(const struct words *words)
{
    bool commits = words_are(words, 0, "COMMIT") || words_are(words, 0, "END");
    bool kind = words_are(words, 1, "WORK") || words_are(words, 1, "TRANSACTION");
    return commits && words->count == (kind ? 2 : 1);
}

bool execute_wrapped(const struct migration_part *part, enum db_engine engine)
{
    size_t controls = 0;
    for (size_t i = 0; i < part->count; i++) {
        const struct migration_statement *statement = &part->items[i];
        struct words words;
        if (!(statement_traits(engine, statement->text, statement->size) & TRAIT_TRANSACTION))
            continue;
        words_read(&words, engine, statement->text, statement->size);
        bool wanted = controls == 0 ? opens_plainly(&words) : commits_plainly(&words);
        if (!wanted || statement->block || controls++ == 2)
            return false;
    }
    return controls == 2;
}

bool execute_skips(const struct migration_part *part, size_t index, enum db_engine engine)
{
    const struct migration_statement *statement = &part->items[index];
    unsigned traits = statement_traits(engine, statement->text, statement->size);
    if (traits & TRAIT_FOREIGN_KEYS)
        return true;
    return (traits & TRAIT_TRANSACTION) && execute_wrapped(part, engine);
}

size_t execute_opening(const struct migration_part *part, enum db_engine engine)
{
    size_t end = 0;
    for (size_t i = 0; i < part->count && engine != DB_SQLITE; i++) {
        const struct migration_statement *statement = &part->items[i];
        struct words words;
        words_read(&words, engine, statement->text, statement->size);
        if (!statement->block && words_are(&words, 0, "SET TRANSACTION"))
            end = i + 1;
        else if (!execute_skips(part, i, engine))
            break;
    }
    return end;
}

int execute_begin(const struct run *run, struct error *err)
{
    struct os *os = run->db->os;
    int64_t deadline_ns = os->clock_monotonic_ns(os) + run->wait_ms * 1000000;
    for (;;) {
        error_clear(err);
        if (db_begin(run->db, true, err) == 0)
            return 0;
        if (!run->db->fault.lock_timeout || stop_check(err) < 0)
            return -1;
        if (os->clock_monotonic_ns(os) >= deadline_ns) {
            error_recode(err, ERROR_LOCKED);
            return error_prefix(err, "the database was not free within %" PRId64 " s",
                                run->wait_ms / 1000);
        }
        os->sleep_ms(os, BUSY_PAUSE_MS);
    }
}

/* Half of the pause is fixed, half is chance, so that two who met do not meet again. */
bool execute_again(const struct run *run, size_t attempt)
{
    struct os *os = run->db->os;
    size_t attempts = run->attempts ? run->attempts : ATTEMPTS;
    uint16_t chance = 0;
    int64_t pause_ms = FIRST_PAUSE_MS << (attempt < 6 ? attempt : 6);
    if (!run->db->fault.lock_timeout || attempt + 1 >= attempts || stop_requested())
        return false;
    os->random(os, &chance, sizeof chance);
    os->sleep_ms(os, pause_ms / 2 + pause_ms / 2 * chance / UINT16_MAX);
    return true;
}

static int set_timeout(struct db *db, struct error *err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static int set_timeout(struct db *db, struct error *err, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    SCOPED(string) char *sql = mem_format_v(format, args);
    va_end(args);
    return db_execute(db, sql, NULL, 0, NULL, err);
}

static int set_session_timeout(const struct run *run, struct error *err)
{
    int64_t seconds = (run->lock_timeout_ms + 999) / 1000;
    if (run->db->ops->engine == DB_POSTGRES)
        return set_timeout(run->db, err, "SET SESSION lock_timeout = %" PRId64,
                           run->lock_timeout_ms);
    return set_timeout(run->db, err,
                       "SET SESSION lock_wait_timeout = %" PRId64
                       ", SESSION innodb_lock_wait_timeout = %" PRId64,
                       seconds, seconds);
}

int execute_lock_timeout(const struct run *run, bool local, struct error *err)
{
    enum db_engine engine = run->db->ops->engine;
    if (local && engine == DB_POSTGRES)
        return set_timeout(run->db, err, "SET LOCAL lock_timeout = %" PRId64, run->lock_timeout_ms);
    if (engine == DB_SQLITE || (run->timeout_set && *run->timeout_set))
        return 0;
    if (set_session_timeout(run, err) < 0)
        return -1;
    if (run->timeout_set)
        *run->timeout_set = true;
    return 0;
}

struct history_entry execute_entry(const struct run *run, const struct migrate_step *step)
{
    struct os *os = run->db->os;
    const struct migration *migration = step->migration;
    return (struct history_entry){
        .version = migration->version,
        .name = migration->name,
        .description = migration->description,
        .batch = run->batch,
        .checksum = migration->checksum,
        .now_ns = os->clock_wall_ns(os),
        .execution_time_ms = -1,
        .statements_total = (int64_t)migration->parts[step->direction].count,
        .applied_by = run->by,
        .applied_from = run->from,
        .backup_id = run->backup_id,
    };
}

void execute_entry_source(const struct migrate_step *step, struct buf *buf,
                          struct history_entry *entry)
{
    migration_normal(step->migration, buf);
    if (buf->length <= SOURCE_MAXIMUM && !step->migration->functions[MIGRATE_UP])
        entry->source = buf->data;
}

struct history_entry execute_row(const struct run *run, const struct migrate_step *step,
                                 struct buf *source)
{
    bool up = step->direction == MIGRATE_UP;
    struct history_entry entry = execute_entry(run, step);
    execute_entry_source(step, source, &entry);
    entry.status = up ? HISTORY_APPLIED : HISTORY_ROLLBACK;
    entry.applied_now = up;
    entry.rolled_back_now = !up;
    entry.statements_done = entry.statements_total;
    return entry;
}

static void add_sentence(struct error *err, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void add_sentence(struct error *err, const char *format, ...)
{
    size_t length = err ? strlen(err->message) : 0;
    va_list args;
    va_start(args, format);
    if (err)
        vsnprintf(err->message + length, sizeof err->message - length, format, args);
    va_end(args);
}

int execute_left(struct error *err, size_t done)
{
    if (done == 0)
        add_sentence(err, "; nothing of this migration is left in the database");
    else
        add_sentence(err, "; the first %zu statement%s in the database, the rest is not", done,
                     done == 1 ? " is" : "s are");
    return -1;
}

int execute_left_unknown(struct error *err)
{
    add_sentence(err, "; whether it was committed is not known: kedge migrate status tells");
    return -1;
}

int execute_name(const struct migrate_step *step, struct error *err)
{
    SCOPED(string) char *place = migration_place(step->migration, step->direction);
    return text_starts(err->message, place) ? -1 : error_prefix(err, "%s", place);
}
