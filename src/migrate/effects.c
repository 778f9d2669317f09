#include "migrate/effects.h"

#include "base/error.h"
#include "db/db.h"
#include "migrate/classify.h"
#include "migrate/effects_core.h"

#include <stdlib.h>
#include <string.h>

/* ---- the plan so far ---- */

/* Looking must neither write nor wait for anybody. */
static int look_only(struct db *db, struct error *err)
{
    static const char *const settings[] = {"SET default_transaction_read_only = on",
                                           "SET lock_timeout = '500ms'",
                                           "SET statement_timeout = '30s'"};
    for (size_t i = 0; i < ARRAY_SIZE(settings); i++)
        if (db_execute(db, settings[i], NULL, 0, NULL, err) < 0)
            return -1;
    return 0;
}

static void read_version(struct effects *effects, const char *version)
{
    int64_t parts[3] = {0};
    const char *at = version;
    effects->mariadb = strcasestr(version, "mariadb") != NULL;
    for (size_t i = 0; i < 3 && at && *at; i++) {
        parts[i] = strtol(at, NULL, 10);
        at = strchr(at, '.');
        at = at ? at + 1 : NULL;
    }
    effects->version = parts[0] * 10000 + parts[1] * 100 + parts[2];
}

int effects_new(enum db_engine engine, struct db *db, struct effects **ret_effects,
                struct error *err)
{
    SCOPED(effects) struct effects *effects = MEM_NEW(struct effects);
    SCOPED(string) char *version = NULL;
    effects->engine = engine;
    effects->db = db;
    effects->mariadb = true;
    effects->version = 101100;
    if (db && engine == DB_POSTGRES && look_only(db, err) < 0)
        return -1;
    if (db && engine == DB_MYSQL) {
        if (db_query_text(db, "SELECT VERSION()", NULL, 0, &version, err) < 0)
            return -1;
        read_version(effects, version);
    }
    *ret_effects = STEAL(effects);
    return 0;
}

void effects_free(struct effects *effects)
{
    if (!effects)
        return;
    text_list_clear(&effects->made);
    free(effects);
}

/* ---- one statement ---- */

static bool is_named(const struct token *token, enum db_engine engine, const char *name)
{
    SCOPED(string) char *written = mem_string_n(token->text, token->size);
    bool word = token_is_name(token);
    SCOPED(string) char *plain = word ? name_plain(engine, name) : NULL;
    SCOPED(string) char *said = word ? name_plain(engine, written) : NULL;
    return word && strcmp(plain, said) == 0;
}

/* What the statement names first comes first. */
static void order_tables(struct effect_work *work)
{
    struct effect *effect = work->effect;
    for (size_t i = 0; i < work->tokens->count && i < 64; i++)
        for (size_t k = 0; k < effect->count; k++) {
            if (!is_named(&work->tokens->items[i], work->effects->engine, effect->tables[k].name))
                continue;
            struct effect_table subject = effect->tables[k];
            memmove(effect->tables + 1, effect->tables, k * sizeof *effect->tables);
            effect->tables[0] = subject;
            return;
        }
}

int effects_of(struct effects *effects, const struct migration *migration, enum direction direction,
               size_t index, struct effect *effect, struct error *err)
{
    SCOPED(tokens) struct tokens tokens = TOKENS_INIT;
    const struct migration_part *part = &migration->parts[direction];
    const struct migration_statement *statement = &part->items[index];
    struct effect_work work = {effects, part, index, &tokens, effect};
    tokens_read(&tokens, effects->engine, statement->text, statement->size);
    effect->commits =
        part->outside || statement_traits(effects->engine, statement->text, statement->size) &
                             (TRAIT_COMMITS | TRAIT_OUTSIDE);
    int result = effects->engine == DB_POSTGRES ? effects_postgres(&work, err)
                 : effects->engine == DB_MYSQL  ? effects_mysql(&work, err)
                                                : effects_sqlite(&work, err);
    if (result < 0)
        return -1;
    order_tables(&work);
    effects_undone(&work, &migration->parts[direction == MIGRATE_UP ? MIGRATE_DOWN : MIGRATE_UP]);
    return 0;
}
