#include "harness/migration_text.h"
#include "harness/test.h"

#include "base/mem.h"
#include "db/db.h"
#include "migrate/effects.h"

#include <string.h>

/* Without a connection: what the words alone say. The system test of kedge migrate plan compares
 * what the catalogues add with the locks that the servers take. */

struct effect_case {
    int line;
    enum db_engine engine;
    const char *text;
    size_t statement;
    const char *effect; /* as `shown` has it */
};

/* "t=ACCESS EXCLUSIVE,rewritten,scanned,new u=SHARE lost(column t.a)". */
static char *shown(enum db_engine engine, const struct effect *effect)
{
    struct buf buf = BUF_INIT;
    for (size_t i = 0; i < effect->count; i++) {
        const struct effect_table *table = &effect->tables[i];
        buf_append_format(&buf, "%s%s=%s%s%s%s", i ? " " : "", table->name,
                          effect_lock_name(engine, table->lock),
                          table->rewritten ? ",rewritten" : "", table->scanned ? ",scanned" : "",
                          table->fresh ? ",new" : "");
    }
    for (size_t i = 0; i < effect->lost.count; i++)
        buf_append_format(&buf, " lost(%s)", effect->lost.items[i]);
    return buf_steal(&buf);
}

static void look(const struct effect_case *one, struct effect *effect)
{
    struct error err = ERROR_INIT;
    SCOPED(effects) struct effects *effects = NULL;
    SCOPED(migration) struct migration *migration = migration_of_text(one->engine, "1", one->text);
    assert_ok(effects_new(one->engine, NULL, &effects, &err), err);
    for (size_t i = 0; i <= one->statement; i++) {
        effect_clear(effect);
        assert_ok(effects_of(effects, migration, MIGRATE_UP, i, effect, &err), err);
    }
}

static void check(const struct effect_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        SCOPED(effect) struct effect effect = EFFECT_INIT;
        look(&cases[i], &effect);
        SCOPED(string) char *made = shown(cases[i].engine, &effect);
        if (strcmp(made, cases[i].effect) != 0)
            fail_msg("case at line %d: %s", cases[i].line, made);
    }
}

TEST(postgres_locks_are_read_from_the_words)
{
    static const struct effect_case cases[] = {
        {__LINE__, DB_POSTGRES, "ALTER TABLE t ADD COLUMN a integer;", 0, "t=ACCESS EXCLUSIVE"},
        {__LINE__, DB_POSTGRES, "CREATE INDEX i ON t (a);", 0, "t=SHARE,scanned"},
        {__LINE__, DB_POSTGRES, "CREATE UNIQUE INDEX CONCURRENTLY i ON ONLY t (a);", 0,
         "t=SHARE UPDATE EXCLUSIVE,scanned"},
        {__LINE__, DB_POSTGRES, "CREATE TRIGGER x BEFORE UPDATE OF a ON t EXECUTE FUNCTION f();", 0,
         "t=SHARE ROW EXCLUSIVE"},
        {__LINE__, DB_POSTGRES, "CREATE OR REPLACE VIEW v AS SELECT * FROM t JOIN u ON true;", 0,
         "t=ACCESS SHARE u=ACCESS SHARE"},
        {__LINE__, DB_POSTGRES, "LOCK TABLE t, u IN SHARE MODE;", 0, "t=SHARE u=SHARE"},
        {__LINE__, DB_POSTGRES, "LOCK t;", 0, "t=ACCESS EXCLUSIVE"},
        {__LINE__, DB_POSTGRES, "COPY t FROM '/x';", 0, "t=ROW EXCLUSIVE"},
        {__LINE__, DB_POSTGRES, "COPY t TO '/x';", 0, "t=ACCESS SHARE"},
        {__LINE__, DB_POSTGRES, "REINDEX TABLE t;", 0, "t=SHARE,scanned"},
        {__LINE__, DB_POSTGRES, "VACUUM (FULL) t;", 0, "t=ACCESS EXCLUSIVE,rewritten,scanned"},
        {__LINE__, DB_POSTGRES, "VACUUM t;", 0, "t=SHARE UPDATE EXCLUSIVE,scanned"},
        {__LINE__, DB_POSTGRES, "REFRESH MATERIALIZED VIEW CONCURRENTLY v;", 0,
         "v=EXCLUSIVE,scanned"},
        {__LINE__, DB_POSTGRES, "COMMENT ON COLUMN s.t.a IS 'x';", 0, "s.t=SHARE UPDATE EXCLUSIVE"},
        {__LINE__, DB_POSTGRES, "SELECT * FROM t FOR UPDATE;", 0, "t=ROW SHARE,scanned"},
        {__LINE__, DB_POSTGRES, "SELECT 1;", 0, ""},
    };
    check(cases, ARRAY_SIZE(cases));
}

TEST(what_is_lost_is_named)
{
    static const struct effect_case cases[] = {
        {__LINE__, DB_POSTGRES, "DROP TABLE IF EXISTS t, s.u CASCADE;", 0,
         "t=ACCESS EXCLUSIVE s.u=ACCESS EXCLUSIVE lost(table t) lost(table s.u)"},
        {__LINE__, DB_POSTGRES, "ALTER TABLE t DROP COLUMN a;", 0,
         "t=ACCESS EXCLUSIVE lost(column t.a)"},
        {__LINE__, DB_POSTGRES, "TRUNCATE t, ONLY u;", 0,
         "t=ACCESS EXCLUSIVE,rewritten u=ACCESS EXCLUSIVE,rewritten lost(all rows of t) lost(all "
         "rows of u)"},
        {__LINE__, DB_POSTGRES, "DELETE FROM t USING u WHERE t.a = u.a;", 0,
         "t=ROW EXCLUSIVE,scanned u=ACCESS SHARE lost(rows of t)"},
        {__LINE__, DB_POSTGRES, "UPDATE t SET a = (SELECT max(a) FROM u);", 0,
         "t=ROW EXCLUSIVE,scanned u=ACCESS SHARE,scanned lost(old values in t)"},
        {__LINE__, DB_POSTGRES, "INSERT INTO t SELECT * FROM u;", 0,
         "t=ROW EXCLUSIVE u=ACCESS SHARE,scanned"},
    };
    check(cases, ARRAY_SIZE(cases));
}

TEST(what_the_plan_makes_is_new_until_it_is_dropped)
{
    static const char made[] = "CREATE TABLE t (id integer REFERENCES u);\n"
                               "CREATE INDEX i ON T (id);\n"
                               "DROP TABLE t;\n"
                               "CREATE INDEX i ON t (id);\n";
    static const struct effect_case cases[] = {
        {__LINE__, DB_POSTGRES, made, 0, "u=SHARE ROW EXCLUSIVE"},
        {__LINE__, DB_POSTGRES, made, 1, "T=SHARE,scanned,new"},
        {__LINE__, DB_POSTGRES, made, 2, "t=ACCESS EXCLUSIVE,new"},
        {__LINE__, DB_POSTGRES, made, 3, "t=SHARE,scanned"},
    };
    check(cases, ARRAY_SIZE(cases));
}

static enum effect_undone undone(const char *text, size_t statement)
{
    const struct effect_case one = {__LINE__, DB_POSTGRES, text, statement, ""};
    SCOPED(effect) struct effect effect = EFFECT_INIT;
    look(&one, &effect);
    return effect.undone;
}

TEST(down_is_searched_for_the_reverse)
{
    static const struct {
        int line;
        const char *text;
        size_t statement;
        enum effect_undone undone;
    } cases[] = {
        {__LINE__, "CREATE TABLE t (a integer);\n-- +migrate Down\nDROP TABLE t;\n", 0, UNDONE_YES},
        {__LINE__, "CREATE TABLE t (a integer);\n-- +migrate Down\nDROP TABLE u;\n", 0, UNDONE_NO},
        {__LINE__, "CREATE TABLE t (a integer);\n", 0, UNDONE_NO},
        {__LINE__,
         "ALTER TABLE t ADD COLUMN a integer;\n-- +migrate Down\nALTER TABLE t DROP COLUMN "
         "a;\n",
         0, UNDONE_YES},
        {__LINE__,
         "ALTER TABLE t ADD COLUMN a integer;\n-- +migrate Down\nALTER TABLE t DROP COLUMN "
         "b;\n",
         0, UNDONE_NO},
        {__LINE__, "CREATE INDEX i ON t (a);\n-- +migrate Down\nDROP TABLE t;\n", 0, UNDONE_NO},
        {__LINE__,
         "CREATE TABLE t (a integer);\nCREATE INDEX i ON t (a);\n-- +migrate Down\nDROP TABLE t;\n",
         1, UNDONE_YES},
        {__LINE__, "SELECT 1;\n", 0, UNDONE_NOTHING},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        assert_case(cases[i].line, undone(cases[i].text, cases[i].statement) == cases[i].undone);
}

/* ---- a server of MySQL's that is only asked for its catalogue ---- */

struct server {
    struct db base;
    const char *version;
};

/* t has short VARCHAR(50) and wide VARCHAR(200) in utf8mb4, e ENUM, n INT; words has a FULLTEXT
 * index. */
static const struct {
    const char *name, *type;
    int64_t bytes;
} server_columns[] = {
    {"short", "varchar(50)", 200},
    {"wide", "varchar(200)", 800},
    {"e", "enum('a','b')", 4},
    {"n", "int", 0},
};

static int answer_column(const char *name, db_row_fn *row, void *context, struct error *err)
{
    for (size_t i = 0; i < ARRAY_SIZE(server_columns); i++) {
        const struct db_value values[] = {
            db_text(server_columns[i].type),
            db_text("utf8mb4"),
            db_text("YES"),
            db_text(""),
            db_text(""),
            server_columns[i].bytes ? db_integer(server_columns[i].bytes) : DB_VALUE_NULL,
        };
        if (strcmp(server_columns[i].name, name) == 0)
            return row(context, values, ARRAY_SIZE(values), err) < 0 ? -1 : 0;
    }
    return 0;
}

static int answer(struct db *db, const char *sql, size_t size, const struct db_value *parameters,
                  size_t count, db_row_fn *row, void *context, struct error *err)
{
    const struct server *server = (const struct server *)db;
    (void)size;
    if (strstr(sql, "column_name = ?"))
        return answer_column(parameters[1].text, row, context, err);
    struct db_value value = db_integer(0);
    if (strstr(sql, "VERSION()"))
        value = db_text(server->version);
    else if (strstr(sql, "FULLTEXT") && count == 1)
        value = db_integer(strcmp(parameters[0].text, "words") == 0);
    else if (!strstr(sql, "COUNT(*)"))
        return 0;
    return row(context, &value, 1, err) < 0 ? -1 : 0;
}

/* Settings of the session. */
static int obey(struct db *db, const char *sql, size_t size, const struct db_value *parameters,
                size_t count, int64_t *ret_changes, struct error *err)
{
    (void)db, (void)sql, (void)size, (void)parameters, (void)count, (void)ret_changes, (void)err;
    return 0;
}

static const struct db_ops server_ops = {.engine = DB_MYSQL, .query = answer, .execute = obey};

/* "INSTANT LOCK=NONE" */
static char *algorithm_on(const char *version, const char *text)
{
    struct error err = ERROR_INIT;
    struct server server = {.base = {.ops = &server_ops}, .version = version};
    SCOPED(effects) struct effects *effects = NULL;
    SCOPED(effect) struct effect effect = EFFECT_INIT;
    SCOPED(migration) struct migration *migration = migration_of_text(DB_MYSQL, "1", text);
    assert_ok(effects_new(DB_MYSQL, &server.base, &effects, &err), err);
    assert_ok(effects_of(effects, migration, MIGRATE_UP, 0, &effect, &err), err);
    return mem_format("%s %s%s", effect.algorithm, effect.concurrency,
                      effect.tables[0].rewritten ? " rewritten" : "");
}

/* After the tables of MySQL's manual, "Online DDL Operations", of 5.7, 8.0 and 8.4. */
TEST(mysql_s_algorithms_are_those_of_its_version_and_not_of_mariadb)
{
#define INSTANT "INSTANT LOCK=NONE"
#define INPLACE "INPLACE LOCK=NONE"
#define REBUILD "INPLACE LOCK=NONE rewritten"
#define COPY "COPY LOCK=SHARED rewritten"
    static const struct {
        int line;
        const char *text;
        const char *mysql57, *mysql8012, *mysql8028, *mysql84, *mariadb;
    } cases[] = {
        {__LINE__, "ALTER TABLE t ADD COLUMN a int;", REBUILD, INSTANT, INSTANT, INSTANT, INSTANT},
        {__LINE__, "ALTER TABLE t ADD COLUMN a int FIRST;", REBUILD, REBUILD, REBUILD, INSTANT,
         INSTANT},
        {__LINE__, "ALTER TABLE t ADD a int AFTER n;", REBUILD, REBUILD, REBUILD, INSTANT, INSTANT},
        {__LINE__, "ALTER TABLE t DROP COLUMN n;", REBUILD, REBUILD, REBUILD, INSTANT, INSTANT},
        {__LINE__, "ALTER TABLE t RENAME COLUMN n TO m;", INPLACE, INPLACE, INSTANT, INSTANT,
         INSTANT},
        {__LINE__, "ALTER TABLE t CHANGE n m int;", INPLACE, INPLACE, INSTANT, INSTANT, INSTANT},
        {__LINE__, "ALTER TABLE t MODIFY n int FIRST;", REBUILD, REBUILD, REBUILD, REBUILD,
         INSTANT},
        {__LINE__, "ALTER TABLE t MODIFY n bigint;", COPY, COPY, COPY, COPY, COPY},
        {__LINE__, "ALTER TABLE t ALTER n SET DEFAULT 1;", INSTANT, INSTANT, INSTANT, INSTANT,
         INSTANT},
        {__LINE__, "ALTER TABLE t MODIFY short varchar(60);", INPLACE, INPLACE, INPLACE, INPLACE,
         INSTANT},
        {__LINE__, "ALTER TABLE t MODIFY short varchar(64);", COPY, COPY, COPY, COPY, INSTANT},
        {__LINE__, "ALTER TABLE t MODIFY wide varchar(300);", INPLACE, INPLACE, INPLACE, INPLACE,
         INSTANT},
        {__LINE__, "ALTER TABLE t MODIFY e enum('a','b','c');", INSTANT, INSTANT, INSTANT, INSTANT,
         INSTANT},
        {__LINE__, "ALTER TABLE t DROP FOREIGN KEY f;", INPLACE, INPLACE, INPLACE, INPLACE,
         INSTANT},
        {__LINE__, "ALTER TABLE t RENAME INDEX a TO b;", INPLACE, INPLACE, INPLACE, INPLACE,
         INSTANT},
        {__LINE__, "ALTER TABLE t AUTO_INCREMENT = 9;", INPLACE, INPLACE, INPLACE, INPLACE,
         INSTANT},
        {__LINE__, "ALTER TABLE t ADD COLUMN a int, DROP FOREIGN KEY f;", REBUILD, REBUILD, REBUILD,
         REBUILD, INSTANT},
        {__LINE__, "CREATE INDEX i ON t (n);", INPLACE, INPLACE, INPLACE, INPLACE,
         "NOCOPY LOCK=NONE"},
        {__LINE__, "ALTER TABLE t DROP PRIMARY KEY;", COPY, COPY, COPY, COPY, COPY},
        {__LINE__, "ALTER TABLE words ADD COLUMN a int;", "INPLACE LOCK=SHARED rewritten",
         "INPLACE LOCK=SHARED rewritten", "INPLACE LOCK=SHARED rewritten",
         "INPLACE LOCK=SHARED rewritten", INSTANT},
    };
    static const char *const versions[] = {"5.7.44-log", "8.0.12", "8.0.28-0ubuntu0.22.04.1",
                                           "8.4.2", "10.11.19-MariaDB-0+deb12u1"};
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const char *const wanted[] = {cases[i].mysql57, cases[i].mysql8012, cases[i].mysql8028,
                                      cases[i].mysql84, cases[i].mariadb};
        for (size_t k = 0; k < ARRAY_SIZE(versions); k++) {
            SCOPED(string) char *found = algorithm_on(versions[k], cases[i].text);
            if (strcmp(found, wanted[k]) != 0)
                fail_msg("case at line %d on %s: %s", cases[i].line, versions[k], found);
        }
    }
}

TEST_MAIN(UNIT(mysql_s_algorithms_are_those_of_its_version_and_not_of_mariadb),
          UNIT(postgres_locks_are_read_from_the_words), UNIT(what_is_lost_is_named),
          UNIT(what_the_plan_makes_is_new_until_it_is_dropped),
          UNIT(down_is_searched_for_the_reverse))
