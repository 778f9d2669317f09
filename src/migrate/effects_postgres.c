/*
 * PostgreSQL: which statement takes which lock on what.
 *
 * Modes as PostgreSQL 15 takes them; the system test of the plan compares them with pg_locks.
 */
#include "migrate/effects_alter.h"
#include "migrate/effects_attached.h"
#include "migrate/effects_drop.h"
#include "migrate/effects_relation.h"
#include "migrate/effects_rows.h"
#include "migrate/effects_type.h"
#include "migrate/effects_upkeep.h"

#include <string.h>

/* ---- small rules ---- */

static int nothing(struct effect_work *work, const struct effect_rule *rule, struct cursor *at,
                   struct error *err)
{
    (void)work, (void)rule, (void)at, (void)err;
    return 0;
}

static int alter_index(struct effect_work *work, const struct effect_rule *rule, struct cursor *at,
                       struct error *err)
{
    (void)rule;
    return effects_alter_table(work, at, true, err);
}

static int alter_table(struct effect_work *work, const struct effect_rule *rule, struct cursor *at,
                       struct error *err)
{
    (void)rule;
    return effects_alter_table(work, at, false, err);
}

static int do_block(struct effect_work *work, const struct effect_rule *rule, struct cursor *at,
                    struct error *err)
{
    (void)rule, (void)at, (void)err;
    effect_say(&work->effect->notes, "what the block does is not looked into");
    return 0;
}

/* ---- which statement ---- */

/* Where catalog_drop starts. */
#define START_CLASS                                                                                \
    "SELECT 'pg_class'::regclass::oid, c.oid, 0 FROM pg_class c WHERE c.oid = to_regclass(?)"
#define START_TYPE                                                                                 \
    "SELECT 'pg_type'::regclass::oid, t.oid, 0 FROM pg_type t WHERE t.oid = to_regtype(?)"
#define START_SCHEMA                                                                               \
    "SELECT 'pg_namespace'::regclass::oid, n.oid, 0 FROM pg_namespace n WHERE n.oid = "            \
    "to_regnamespace(?)"
#define START_FUNCTION                                                                             \
    "SELECT 'pg_proc'::regclass::oid, p.oid, 0 FROM pg_proc p, (SELECT ?::text AS name) g WHERE "  \
    "p.oid = CASE WHEN strpos(g.name, '(') > 0 THEN to_regprocedure(g.name)::oid ELSE "            \
    "to_regproc(g.name)::oid END"
#define START_STATISTICS                                                                           \
    "SELECT 'pg_statistic_ext'::regclass::oid, s.oid, 0 FROM pg_statistic_ext s WHERE s.stxname "  \
    "= (parse_ident(?))[1]"
#define START_EXTENSION                                                                            \
    "SELECT 'pg_extension'::regclass::oid, e.oid, 0 FROM pg_extension e WHERE e.extname = "        \
    "(parse_ident(?))[1]"

#define ALL LOCK_ACCESS_EXCLUSIVE

/* The longer words come first. OR REPLACE, UNIQUE, TEMPORARY and their kind are skipped before. */
static const struct effect_rule rules[] = {
    {"ALTER TABLE ALL", nothing, LOCK_NONE, 0, NULL},
    {"ALTER TABLE", alter_table, LOCK_NONE, 0, NULL},
    {"ALTER FOREIGN TABLE", alter_table, LOCK_NONE, 0, NULL},
    {"ALTER INDEX", alter_index, LOCK_NONE, 0, NULL},
    {"ALTER VIEW", alter_table, LOCK_NONE, 0, NULL},
    {"ALTER MATERIALIZED VIEW", alter_table, LOCK_NONE, 0, NULL},
    {"ALTER SEQUENCE", effects_alter_sequence, LOCK_SHARE_ROW_EXCLUSIVE, 0, NULL},
    {"ALTER DOMAIN", effects_alter_domain, LOCK_SHARE, 0, NULL},
    {"ALTER TYPE", effects_alter_type, ALL, 0, NULL},
    {"ALTER POLICY", effects_create_policy, ALL, EFFECT_ONLY, NULL},
    {"ALTER TRIGGER", effects_on_table, ALL, 0, NULL},
    {"ALTER RULE", effects_on_table, ALL, EFFECT_ONLY, NULL},
    {"ALTER PUBLICATION", effects_publish, LOCK_SHARE_UPDATE_EXCLUSIVE, 0, NULL},
    {"CREATE TABLE", effects_create_table, LOCK_NONE, 0, NULL},
    {"CREATE FOREIGN TABLE", effects_create_table, LOCK_NONE, 0, NULL},
    {"CREATE VIEW", effects_create_view, LOCK_NONE, EFFECT_ONLY, NULL},
    {"CREATE MATERIALIZED VIEW", effects_create_table, LOCK_NONE, 0, NULL},
    {"CREATE INDEX", effects_create_index, LOCK_SHARE, 0, NULL},
    {"CREATE TRIGGER", effects_create_trigger, LOCK_SHARE_ROW_EXCLUSIVE, 0, NULL},
    {"CREATE CONSTRAINT TRIGGER", effects_create_trigger, LOCK_SHARE_ROW_EXCLUSIVE, 0, NULL},
    {"CREATE RULE", effects_create_rule, ALL, EFFECT_ONLY, NULL},
    {"CREATE POLICY", effects_create_policy, ALL, EFFECT_ONLY, NULL},
    {"CREATE SEQUENCE", effects_create_sequence, LOCK_NONE, 0, NULL},
    {"CREATE STATISTICS", effects_create_statistics, LOCK_SHARE_UPDATE_EXCLUSIVE, EFFECT_ONLY,
     NULL},
    {"CREATE PUBLICATION", effects_publish, LOCK_SHARE_UPDATE_EXCLUSIVE, 0, NULL},
    {"CREATE FUNCTION", effects_create_function, LOCK_NONE, 0, NULL},
    {"CREATE PROCEDURE", effects_create_function, LOCK_NONE, 0, NULL},
    {"DROP TABLE", effects_drop, ALL, EFFECT_EMPTIED, START_CLASS},
    {"DROP FOREIGN TABLE", effects_drop, ALL, 0, START_CLASS},
    {"DROP VIEW", effects_drop, ALL, 0, START_CLASS},
    {"DROP MATERIALIZED VIEW", effects_drop, ALL, 0, START_CLASS},
    {"DROP SEQUENCE", effects_drop, ALL, 0, START_CLASS},
    {"DROP INDEX", effects_drop, ALL, 0, START_CLASS},
    {"DROP SCHEMA", effects_drop, LOCK_NONE, 0, START_SCHEMA},
    {"DROP TYPE", effects_drop, LOCK_NONE, 0, START_TYPE},
    {"DROP DOMAIN", effects_drop, LOCK_NONE, 0, START_TYPE},
    {"DROP FUNCTION", effects_drop, LOCK_NONE, 0, START_FUNCTION},
    {"DROP PROCEDURE", effects_drop, LOCK_NONE, 0, START_FUNCTION},
    {"DROP ROUTINE", effects_drop, LOCK_NONE, 0, START_FUNCTION},
    {"DROP EXTENSION", effects_drop, LOCK_NONE, 0, START_EXTENSION},
    {"DROP STATISTICS", effects_drop, LOCK_NONE, 0, START_STATISTICS},
    {"DROP TRIGGER", effects_on_table, ALL, 0, NULL},
    {"DROP RULE", effects_on_table, ALL, EFFECT_ONLY, NULL},
    {"DROP POLICY", effects_on_table, ALL, EFFECT_ONLY, NULL},
    {"COMMENT ON TABLE", effects_on_name, LOCK_SHARE_UPDATE_EXCLUSIVE, EFFECT_ONLY, NULL},
    {"COMMENT ON VIEW", effects_on_name, LOCK_SHARE_UPDATE_EXCLUSIVE, EFFECT_ONLY, NULL},
    {"COMMENT ON MATERIALIZED VIEW", effects_on_name, LOCK_SHARE_UPDATE_EXCLUSIVE, EFFECT_ONLY,
     NULL},
    {"COMMENT ON FOREIGN TABLE", effects_on_name, LOCK_SHARE_UPDATE_EXCLUSIVE, EFFECT_ONLY, NULL},
    {"COMMENT ON INDEX", effects_on_name, LOCK_SHARE_UPDATE_EXCLUSIVE, EFFECT_ONLY, NULL},
    {"COMMENT ON SEQUENCE", effects_on_name, LOCK_SHARE_UPDATE_EXCLUSIVE, EFFECT_ONLY, NULL},
    {"COMMENT ON COLUMN", effects_on_column, LOCK_SHARE_UPDATE_EXCLUSIVE, EFFECT_ONLY, NULL},
    {"COMMENT ON CONSTRAINT", effects_on_table, LOCK_ACCESS_SHARE, EFFECT_ONLY, NULL},
    {"COMMENT ON TRIGGER", effects_on_table, LOCK_ACCESS_SHARE, EFFECT_ONLY, NULL},
    {"COMMENT ON RULE", effects_on_table, LOCK_ACCESS_SHARE, EFFECT_ONLY, NULL},
    {"COMMENT ON POLICY", effects_on_table, LOCK_ACCESS_SHARE, EFFECT_ONLY, NULL},
    {"TRUNCATE", effects_truncate, ALL, EFFECT_REWRITTEN | EFFECT_EMPTIED, NULL},
    {"REINDEX", effects_reindex, LOCK_NONE, 0, NULL},
    {"CLUSTER", effects_cluster, ALL, EFFECT_REWRITTEN | EFFECT_SCANNED | EFFECT_ONLY, NULL},
    {"VACUUM", effects_vacuum, LOCK_SHARE_UPDATE_EXCLUSIVE, EFFECT_SCANNED, NULL},
    {"ANALYZE", effects_vacuum, LOCK_SHARE_UPDATE_EXCLUSIVE, 0, NULL},
    {"REFRESH MATERIALIZED VIEW", effects_refresh, LOCK_NONE, 0, NULL},
    {"LOCK", effects_lock_table, ALL, 0, NULL},
    {"COPY", effects_copy_rows, LOCK_ROW_EXCLUSIVE, 0, NULL},
    {"INSERT", effects_write_rows, LOCK_NONE, 0, NULL},
    {"UPDATE", effects_write_rows, LOCK_NONE, 0, NULL},
    {"DELETE", effects_write_rows, LOCK_NONE, 0, NULL},
    {"MERGE", effects_write_rows, LOCK_NONE, 0, NULL},
    {"WITH", effects_write_rows, LOCK_NONE, 0, NULL},
    {"SELECT", effects_select_rows, LOCK_NONE, 0, NULL},
    {"DO", do_block, LOCK_NONE, 0, NULL},
    {"CALL", do_block, LOCK_NONE, 0, NULL},
};

/* CREATE [OR REPLACE] [UNIQUE] [TEMPORARY] TABLE reads as CREATE TABLE. */
static bool take_words(struct cursor *at, const char *words)
{
    static const char *const skipped[] = {"OR REPLACE", "UNIQUE",    "GLOBAL",
                                          "LOCAL",      "TEMPORARY", "TEMP",
                                          "UNLOGGED",   "RECURSIVE", NULL};
    if (cursor_take(at, words))
        return true;
    if (!text_starts(words, "CREATE ") || !cursor_is(at, "CREATE"))
        return false;
    struct cursor copy = *at;
    copy.at++;
    for (size_t i = 0; skipped[i]; i++)
        cursor_take(&copy, skipped[i]);
    if (!cursor_take(&copy, words + strlen("CREATE ")))
        return false;
    *at = copy;
    return true;
}

int effects_postgres(struct effect_work *work, struct error *err)
{
    struct cursor at = cursor_over(work->tokens);
    for (size_t i = 0; i < ARRAY_SIZE(rules); i++)
        if (take_words(&at, rules[i].words))
            return rules[i].apply(work, &rules[i], &at, err);
    return 0;
}
