#include "migrate/pragma.h"

#include "base/error.h"
#include "db/db.h"
#include "migrate/classify.h"

#include <string.h>

/* ON, 1, yes, true; also within parentheses. */
static int64_t value_of(const struct migration_statement *statement)
{
    static const char *const on[] = {"ON", "1", "YES", "TRUE"};
    struct words words;
    words_read(&words, DB_SQLITE, statement->text, statement->size);
    for (size_t i = 0; i < ARRAY_SIZE(on); i++)
        if (words_find(&words, on[i]) > 0)
            return 1;
    return 0;
}

static int set(struct db *db, int64_t value, struct error *err)
{
    return db_execute(db, value ? "PRAGMA foreign_keys = ON" : "PRAGMA foreign_keys = OFF", NULL, 0,
                      NULL, err);
}

static int count_violations(struct db *db, int64_t *ret_count, struct error *err)
{
    int found = db_query_integer(db, "SELECT count(*) FROM pragma_foreign_key_check", NULL, 0,
                                 ret_count, err);
    return found < 0 ? -1 : 0;
}

int pragma_before(struct pragma *pragma, struct db *db, const struct migration_part *part,
                  struct error *err)
{
    const struct migration_statement *first = NULL;
    const struct migration_statement *last = NULL;
    for (size_t i = 0; db->ops->engine == DB_SQLITE && i < part->count; i++) {
        unsigned traits = statement_traits(DB_SQLITE, part->items[i].text, part->items[i].size);
        if (!(traits & TRAIT_FOREIGN_KEYS))
            continue;
        first = first ? first : &part->items[i];
        last = &part->items[i];
    }
    if (!first)
        return 0;
    if (db_query_integer(db, "PRAGMA foreign_keys", NULL, 0, &pragma->before, err) < 0 ||
        count_violations(db, &pragma->violations, err) < 0 || set(db, value_of(first), err) < 0)
        return -1;
    pragma->after = first == last && !value_of(first) ? pragma->before : value_of(last);
    pragma->db = db;
    return 0;
}

int pragma_check(struct pragma *pragma, struct error *err)
{
    int64_t violations = 0;
    SCOPED(string) char *where = NULL;
    if (!pragma->db)
        return 0;
    if (count_violations(pragma->db, &violations, err) < 0)
        return -1;
    if (violations <= pragma->violations)
        return 0;
    if (db_query_text(pragma->db,
                      "SELECT \"table\" || ' (row ' || coalesce(rowid, '?') || ') to ' || parent "
                      "FROM pragma_foreign_key_check ORDER BY 1 DESC LIMIT 1",
                      NULL, 0, &where, err) < 0)
        return -1;
    return error_set(
        err, ERROR_FAILED,
        "the migration would leave %lld broken foreign keys, such as %s; nothing of it "
        "is left in the database",
        (long long)(violations - pragma->violations), where ? where : "?");
}

int pragma_after(struct pragma *pragma, struct error *err)
{
    struct db *db = STEAL(pragma->db);
    return db ? set(db, pragma->after, err) : 0;
}

void pragma_clear(struct pragma *pragma)
{
    struct error ignored = ERROR_INIT;
    struct db *db = STEAL(pragma->db);
    if (db)
        set(db, pragma->before, &ignored);
}
