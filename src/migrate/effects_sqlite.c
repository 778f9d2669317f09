/*
 * SQLite: one lock for the whole file. A statement that writes takes RESERVED, others read on; the
 * commit needs EXCLUSIVE for a moment (in WAL mode it does not, but there is one writer). What
 * differs between statements is how many rows are read or written again.
 */
#include "base/error.h"
#include "db/db.h"
#include "migrate/effects_core.h"
#include "migrate/effects_query.h"

#include <string.h>

/* ---- sizes ---- */

/* Pages of the table, where the library was built with dbstat; the rows by counting while that is
 * cheap. */
#define COUNT_UP_TO (64 << 20)

static int64_t ask(struct effect_work *work, const char *sql, const char *name)
{
    struct error refused = ERROR_INIT;
    const struct db_value parameters[] = {db_text(name)};
    int64_t value = -1;
    if (db_query_integer(work->effects->db, sql, parameters, name ? 1 : 0, &value, &refused) <= 0)
        return -1;
    return value;
}

static void measure(struct effect_work *work, struct effect_table *table, const char *name)
{
    SCOPED(buf) struct buf sql = BUF_INIT;
    table->bytes = ask(work, "SELECT sum(pgsize) FROM dbstat WHERE name = ?", name);
    int64_t file =
        ask(work, "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size", NULL);
    int64_t bytes = table->bytes >= 0 ? table->bytes : file;
    if (bytes < 0 || bytes > COUNT_UP_TO)
        return;
    buf_append_text(&sql, "SELECT count(*) FROM ");
    db_quote_identifier(DB_SQLITE, &sql, name);
    table->rows = ask(work, sql.data, NULL);
}

static void touch(struct effect_work *work, const char *written, unsigned flags)
{
    SCOPED(string) char *name = name_plain(DB_SQLITE, written);
    bool fresh = effects_makes(work->effects, written);
    struct effect_table *table = effect_add(work->effect, written, "table", LOCK_EXCLUSIVE, flags);
    table->fresh = fresh;
    if (fresh)
        table->rows = table->bytes = 0;
    else if (work->effects->db)
        measure(work, table, name);
    if ((flags & EFFECT_EMPTIED) && !fresh)
        effect_say(&work->effect->lost, "all rows of %s", written);
}

static void touch_file(struct effect_work *work, enum effect_lock lock, unsigned flags)
{
    struct effect_table *table = effect_add(work->effect, "(the file)", "file", lock, flags);
    if (work->effects->db)
        table->bytes = ask(
            work, "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size", NULL);
}

/* ---- the way tables are rebuilt here ---- */

/* Does another statement of this way read as INSERT INTO x ... FROM `name`, before this one? Its
 * rows are kept then. */
static bool copied_before(const struct effect_work *work, const char *name)
{
    for (size_t i = 0; i < work->index; i++) {
        SCOPED(tokens) struct tokens tokens = TOKENS_INIT;
        const struct migration_statement *statement = &work->part->items[i];
        tokens_read(&tokens, DB_SQLITE, statement->text, statement->size);
        struct cursor at = cursor_over(&tokens);
        if (!cursor_is(&at, "INSERT") && !cursor_mentions(&at, "AS SELECT"))
            continue;
        for (; !cursor_ended(&at); at.at++) {
            struct cursor from = at;
            if (!cursor_take(&from, "FROM"))
                continue;
            SCOPED(string) char *source = cursor_written_name(&from);
            if (source && name_same(DB_SQLITE, source, name))
                return true;
        }
    }
    return false;
}

/* ---- statements ---- */

static void add_column(struct effect_work *work, const char *name, const struct cursor *at)
{
    bool checked = cursor_mentions(at, "CHECK") ||
                   (cursor_mentions(at, "NOT NULL") && cursor_mentions(at, "AS ("));
    touch(work, name, checked ? EFFECT_SCANNED : 0);
}

static int alter_table(struct effect_work *work, struct cursor *at)
{
    SCOPED(string) char *name = cursor_written_name(at);
    if (!name)
        return 0;
    if (cursor_take(at, "ADD")) {
        add_column(work, name, at);
    } else if (cursor_take(at, "DROP")) {
        cursor_take(at, "COLUMN");
        SCOPED(string) char *column = cursor_written_name(at);
        touch(work, name, EFFECT_REWRITTEN | EFFECT_SCANNED);
        effect_say(&work->effect->lost, "column %s.%s", name, column ? column : "?");
    } else {
        touch(work, name, 0);
    }
    if (!cursor_take(at, "RENAME TO"))
        return 0;
    SCOPED(string) char *to = cursor_written_name(at);
    if (to && effects_makes(work->effects, name)) {
        effects_dropped(work->effects, name);
        effects_made(work->effects, to);
    }
    return 0;
}

static int create(struct effect_work *work, struct cursor *at, struct error *err)
{
    bool temporary = cursor_take(at, "TEMP") || cursor_take(at, "TEMPORARY");
    cursor_take(at, "VIRTUAL");
    bool unique = cursor_take(at, "UNIQUE");
    bool table = !unique && cursor_take(at, "TABLE");
    bool index = !table && cursor_take(at, "INDEX");
    if (!table && !index) {
        touch_file(work, LOCK_EXCLUSIVE, 0);
        return 0;
    }
    cursor_take(at, "IF NOT EXISTS");
    SCOPED(string) char *name = cursor_written_name(at);
    if (table && name) {
        effects_made(work->effects, name);
        if (!temporary)
            touch_file(work, LOCK_EXCLUSIVE, 0);
        return cursor_mentions(at, "SELECT")
                   ? effects_sources(work, *at, LOCK_ACCESS_SHARE, EFFECT_WHOLE, err)
                   : 0;
    }
    cursor_take(at, "ON");
    SCOPED(string) char *on = cursor_written_name(at);
    if (on)
        touch(work, on, EFFECT_SCANNED);
    return 0;
}

static int drop(struct effect_work *work, struct cursor *at)
{
    bool table = cursor_take(at, "TABLE");
    if (!table) {
        touch_file(work, LOCK_EXCLUSIVE, 0);
        return 0;
    }
    cursor_take(at, "IF EXISTS");
    SCOPED(string) char *name = cursor_written_name(at);
    bool fresh = name && effects_makes(work->effects, name);
    if (!name)
        return 0;
    touch(work, name, 0);
    effects_dropped(work->effects, name);
    if (copied_before(work, name))
        effect_say(&work->effect->notes, "the rows of %s were copied before: a rebuild", name);
    else if (!fresh)
        effect_say(&work->effect->lost, "table %s", name);
    return 0;
}

static int write_rows(struct effect_work *work, struct cursor *at, unsigned flags, const char *lost,
                      struct error *err)
{
    static const char *const skipped[] = {"OR REPLACE",  "OR IGNORE", "OR ABORT", "OR FAIL",
                                          "OR ROLLBACK", "INTO",      "FROM",     NULL};
    for (size_t i = 0; skipped[i]; i++)
        cursor_take(at, skipped[i]);
    SCOPED(string) char *name = cursor_written_name(at);
    if (!name)
        return 0;
    bool fresh = effects_makes(work->effects, name);
    touch(work, name, flags);
    if (lost && !fresh)
        effect_say(&work->effect->lost, "%s %s", lost, name);
    return effects_sources(work, *at, LOCK_ACCESS_SHARE, EFFECT_WHOLE, err);
}

int effects_sqlite(struct effect_work *work, struct error *err)
{
    struct cursor at = cursor_over(work->tokens);
    if (cursor_take(&at, "ALTER TABLE"))
        return alter_table(work, &at);
    if (cursor_take(&at, "CREATE"))
        return create(work, &at, err);
    if (cursor_take(&at, "DROP"))
        return drop(work, &at);
    if (cursor_take(&at, "INSERT") || cursor_take(&at, "REPLACE"))
        return write_rows(work, &at, 0, NULL, err);
    if (cursor_take(&at, "UPDATE"))
        return write_rows(work, &at, EFFECT_REWRITTEN | EFFECT_SCANNED, "old values in", err);
    if (cursor_take(&at, "DELETE"))
        return write_rows(work, &at, EFFECT_SCANNED, "rows of", err);
    if (cursor_is(&at, "VACUUM")) {
        bool into = cursor_mentions(&at, "INTO");
        touch_file(work, into ? LOCK_ACCESS_SHARE : LOCK_ACCESS_EXCLUSIVE,
                   into ? EFFECT_SCANNED : EFFECT_REWRITTEN | EFFECT_SCANNED);
    } else if (cursor_is(&at, "REINDEX") || cursor_is(&at, "ANALYZE")) {
        touch_file(work, LOCK_EXCLUSIVE, EFFECT_SCANNED);
    } else if (cursor_is(&at, "SELECT") || cursor_is(&at, "WITH")) {
        return effects_sources(work, at, LOCK_ACCESS_SHARE, EFFECT_WHOLE, err);
    }
    return 0;
}
