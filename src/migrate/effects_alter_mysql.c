#include "migrate/effects_alter_mysql.h"

#include "base/error.h"
#include "db/db.h"
#include "migrate/effects_query.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* How much work an action is; the greatest of them decides. */
enum way {
    WAY_INSTANT,
    WAY_NAMES,   /* MySQL's INPLACE that only changes what is written down; instant on MariaDB */
    WAY_NOCOPY,  /* an index is built or dropped beside the rows */
    WAY_REBUILD, /* INPLACE: the rows go into a new file, others write on */
    WAY_COPY,
};

enum guard { GUARD_NONE, GUARD_SHARED, GUARD_EXCLUSIVE };

static const char *const guard_names[] = {"LOCK=NONE", "LOCK=SHARED", "LOCK=EXCLUSIVE"};

struct alter {
    struct effect_work *work;
    const char *name;
    bool mariadb;
    bool innodb;
    bool has_virtual; /* columns: their order cannot be changed in place */
    bool has_fulltext;
    bool adds_primary;
    bool columns; /* are added or dropped */
    bool indexes; /* too */
    enum way way;
    enum guard guard;
};

static void need(struct alter *alter, enum way way, enum guard guard)
{
    if (way > alter->way)
        alter->way = way;
    if (guard > alter->guard)
        alter->guard = guard;
}

static void need_copy(struct alter *alter)
{
    need(alter, WAY_COPY, GUARD_SHARED);
}

/* MySQL's rules are those of its manual, "Online DDL Operations": before this version what MariaDB
 * does at once was not done so, or not for these actions. */
static bool mysql_before(const struct alter *alter, int64_t version)
{
    return !alter->mariadb && alter->work->effects->version < version;
}

static void need_names(struct alter *alter)
{
    if (!alter->mariadb)
        need(alter, WAY_NAMES, GUARD_NONE);
}

/* ---- what is there ---- */

struct column {
    bool known;
    char *type; /* "varchar(10)" */
    char *charset;
    bool nullable;
    bool indexed;
    bool is_virtual;
    int64_t bytes; /* the most that a text of it has; 0 for others */
};

static void column_clear(struct column *column)
{
    free(column->type);
    free(column->charset);
}

static bool says(const struct db_value *value, const char *text)
{
    return value->type == DB_TEXT && strcasestr(value->text, text);
}

static int on_column(void *context, const struct db_value *columns, size_t count, struct error *err)
{
    (void)count, (void)err;
    struct column *column = context;
    column->known = true;
    column->type = mem_string(columns[0].type == DB_NULL ? "" : columns[0].text);
    column->charset = mem_string(columns[1].type == DB_NULL ? "" : columns[1].text);
    column->nullable = says(&columns[2], "YES");
    column->indexed = columns[3].type == DB_TEXT && *columns[3].text;
    column->is_virtual = says(&columns[4], "VIRTUAL");
    column->bytes = columns[5].type == DB_INTEGER ? columns[5].integer : 0;
    return 1;
}

static int find_column(struct alter *alter, const char *written, struct column *column,
                       struct error *err)
{
    struct db *db = alter->work->effects->db;
    SCOPED(string) char *table = name_plain(DB_MYSQL, alter->name);
    SCOPED(string) char *name = name_plain(DB_MYSQL, written);
    const struct db_value parameters[] = {db_text(table), db_text(name)};
    if (!db)
        return 0;
    return db_query(db,
                    "SELECT column_type, character_set_name, is_nullable, column_key, extra, "
                    "character_octet_length FROM information_schema.columns WHERE table_schema = "
                    "DATABASE() AND table_name = ? AND column_name = ?",
                    parameters, 2, on_column, column, err);
}

static int find_integer(struct alter *alter, const char *sql, int64_t *ret_value, struct error *err)
{
    SCOPED(string) char *table = name_plain(DB_MYSQL, alter->name);
    const struct db_value parameters[] = {db_text(table)};
    if (!alter->work->effects->db)
        return 0;
    return db_query_integer(alter->work->effects->db, sql, parameters, 1, ret_value, err);
}

static int read_table(struct alter *alter, struct error *err)
{
    int64_t other_engine = 0;
    int64_t generated = 0;
    int64_t fulltext = 0;
    if (find_integer(alter,
                     "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = "
                     "DATABASE() AND table_name = ? AND engine <> 'InnoDB'",
                     &other_engine, err) < 0 ||
        find_integer(alter,
                     "SELECT COUNT(*) FROM information_schema.columns WHERE table_schema = "
                     "DATABASE() AND table_name = ? AND extra LIKE '%VIRTUAL%'",
                     &generated, err) < 0 ||
        find_integer(alter,
                     "SELECT COUNT(*) FROM information_schema.statistics WHERE table_schema = "
                     "DATABASE() AND table_name = ? AND index_type = 'FULLTEXT'",
                     &fulltext, err) < 0)
        return -1;
    alter->innodb = other_engine == 0;
    alter->has_virtual = generated > 0;
    alter->has_fulltext = fulltext > 0;
    return 0;
}

/* ---- types ---- */

/* Lower case, no blanks, and no display width: "int(11) unsigned" is "intunsigned". */
static char *normal_type(const char *type)
{
    struct buf buf = BUF_INIT;
    bool whole = strcasestr(type, "int") != NULL && strncasecmp(type, "point", 5) != 0;
    if (strncasecmp(type, "integer", 7) == 0) {
        buf_append_text(&buf, "int");
        type += 7;
    } else if (strncasecmp(type, "bool", 4) == 0) {
        free(buf_steal(&buf));
        return mem_string("tinyint");
    }
    for (const char *c = type; *c; c++) {
        if (whole && *c == '(')
            while (c[1] && *c != ')')
                c++;
        else if (*c != ' ')
            buf_append_char(&buf, text_lower(*c));
    }
    return buf_steal(&buf);
}

static bool is_longer(const char *before, const char *after, const char *kind)
{
    size_t size = strlen(kind);
    return strncmp(before, kind, size) == 0 && strncmp(after, kind, size) == 0 &&
           strtol(after + size, NULL, 10) >= strtol(before + size, NULL, 10);
}

/* The length of each value takes one byte up to 255 and two above, and MySQL writes all rows anew
 * when it is another. */
static bool outgrows_length(const struct column *column, const char *before, const char *after)
{
    const char *from = strchr(before, '('), *to = strchr(after, '(');
    int64_t characters = from ? strtol(from + 1, NULL, 10) : 0;
    int64_t wanted = to ? strtol(to + 1, NULL, 10) : 0;
    if (characters <= 0 || column->bytes <= 0)
        return false;
    return column->bytes <= 255 && wanted * (column->bytes / characters) > 255;
}

/* New values at the end of an ENUM or SET. */
static bool is_appended(const char *before, const char *after)
{
    size_t size = strlen(before);
    return size > 5 && (text_starts(before, "enum(") || text_starts(before, "set(")) &&
           strncmp(before, after, size - 1) == 0 && after[size - 1] == ',';
}

/* Up to the first word that is no part of the type. */
static char *take_type(struct cursor *at)
{
    struct cursor type = *at;
    if (!cursor_ended(at))
        at->at++;
    cursor_group(at);
    while (cursor_take(at, "UNSIGNED") || cursor_take(at, "ZEROFILL") ||
           cursor_take(at, "PRECISION") || cursor_take(at, "SIGNED"))
        continue;
    type.end = at->at;
    return cursor_written(&type);
}

static bool charset_differs(struct cursor definition, const char *before)
{
    if (!cursor_pass(&definition, "CHARACTER SET") && !cursor_pass(&definition, "CHARSET"))
        return false;
    SCOPED(string) char *after = cursor_written_name(&definition);
    return after && strcasecmp(after, before) != 0;
}

/* ---- columns ---- */

/* A default that is computed for each row; the moment is one for all. */
static bool has_computed_default(struct cursor definition)
{
    if (!cursor_pass(&definition, "DEFAULT"))
        return false;
    if (cursor_is(&definition, "("))
        return true;
    const struct token *call = cursor_ahead(&definition, 1);
    return call && *call->text == '(' && !cursor_is(&definition, "CURRENT_TIMESTAMP") &&
           !cursor_is(&definition, "NOW");
}

static void place_column(struct alter *alter, const struct cursor *definition)
{
    if (!cursor_mentions(definition, "FIRST") && !cursor_mentions(definition, "AFTER"))
        return;
    if (alter->mariadb && alter->has_virtual)
        need_copy(alter);
    else if (mysql_before(alter, 80029))
        need(alter, WAY_REBUILD, GUARD_NONE);
}

/* Not at once on MySQL: before it could, and beside an index for words. */
static void change_columns(struct alter *alter, int64_t since)
{
    if (mysql_before(alter, since) || (!alter->mariadb && alter->has_fulltext))
        need(alter, WAY_REBUILD, alter->has_fulltext ? GUARD_SHARED : GUARD_NONE);
}

static void add_column(struct alter *alter, struct cursor item)
{
    SCOPED(string) char *name = cursor_written_name(&item);
    bool generated = cursor_mentions(&item, "AS (");
    bool stored = cursor_mentions(&item, "STORED") || cursor_mentions(&item, "PERSISTENT");
    if (generated && stored)
        need_copy(alter);
    if (cursor_mentions(&item, "AUTO_INCREMENT"))
        need(alter, WAY_REBUILD, GUARD_SHARED);
    else if (cursor_mentions(&item, "UNIQUE") || cursor_mentions(&item, "PRIMARY KEY"))
        need(alter, WAY_REBUILD, GUARD_NONE);
    if (!generated && has_computed_default(item))
        need_copy(alter);
    alter->columns |= !generated;
    if (!generated)
        change_columns(alter, 80012);
    place_column(alter, &item);
}

/* What stays as it is, is renamed, gets longer or gets another default is only written down. */
static int change_column(struct alter *alter, const char *name, struct cursor definition,
                         struct error *err)
{
    struct column column __attribute__((cleanup(column_clear))) = {0};
    struct cursor at = definition;
    SCOPED(string) char *type = take_type(&at);
    SCOPED(string) char *after = normal_type(type);
    if (find_column(alter, name, &column, err) < 0)
        return -1;
    if (!column.known) {
        need_copy(alter);
        return 0;
    }
    SCOPED(string) char *before = normal_type(column.type);
    if (effects_narrows(before, after))
        effect_say(&alter->work->effect->lost, "what does not fit in %s.%s (%s to %s)", alter->name,
                   name, column.type, type);
    bool nullable = !cursor_mentions(&at, "NOT NULL") && !cursor_mentions(&at, "PRIMARY KEY");
    bool equal = strcmp(before, after) == 0;
    bool longer = is_longer(before, after, "varchar(") || is_longer(before, after, "varbinary(");
    bool same = equal || longer || is_appended(before, after);
    if (!equal && longer && !alter->mariadb && outgrows_length(&column, before, after))
        need_copy(alter);
    else if (!equal && longer)
        need_names(alter);
    bool filled = column.nullable && !nullable;
    if (!same || charset_differs(at, column.charset) || (filled && alter->has_virtual))
        need_copy(alter);
    else if (nullable != column.nullable)
        need(alter, WAY_REBUILD, GUARD_NONE);
    bool moved = cursor_mentions(&at, "FIRST") || cursor_mentions(&at, "AFTER");
    if (moved && !alter->mariadb)
        need(alter, WAY_REBUILD, GUARD_NONE);
    return 0;
}

static int drop_column(struct alter *alter, struct cursor *item, struct error *err)
{
    struct column column __attribute__((cleanup(column_clear))) = {0};
    cursor_take(item, "COLUMN");
    cursor_take(item, "IF EXISTS");
    SCOPED(string) char *name = cursor_written_name(item);
    if (!name)
        return 0;
    if (find_column(alter, name, &column, err) < 0)
        return -1;
    effect_say(&alter->work->effect->lost, "column %s.%s", alter->name, name);
    if (!column.is_virtual)
        change_columns(alter, 80029);
    if (column.indexed)
        need(alter, WAY_NOCOPY, GUARD_NONE);
    else if (alter->columns && alter->has_virtual)
        need_copy(alter);
    alter->columns = true;
    return 0;
}

/* ---- actions ---- */

/* FOREIGN_KEY_CHECKS as the statements before have left it. */
static bool checks_are_off(const struct effect_work *work)
{
    bool off = false;
    for (size_t i = 0; i < work->index; i++) {
        const char *text = work->part->items[i].text;
        const char *found = strcasestr(text, "foreign_key_checks");
        if (!found || strncasecmp(text, "SET", 3) != 0)
            continue;
        const char *value = found + strlen("foreign_key_checks");
        value += strspn(value, " =:");
        off = *value == '0' || strncasecmp(value, "off", 3) == 0;
    }
    return off;
}

static void add_foreign_key(struct alter *alter, struct cursor *item)
{
    if (checks_are_off(alter->work))
        need(alter, WAY_NOCOPY, GUARD_NONE);
    else
        need_copy(alter);
    if (!cursor_pass(item, "REFERENCES"))
        return;
    SCOPED(string) char *other = cursor_written_name(item);
    if (other)
        effect_say(&alter->work->effect->notes, "the rows are looked up in %s", other);
}

static void add_something(struct alter *alter, struct cursor *item)
{
    struct cursor named = *item;
    if (cursor_take(&named, "CONSTRAINT") && !cursor_is(&named, "FOREIGN") &&
        !cursor_is(&named, "CHECK") && !cursor_is(&named, "UNIQUE") &&
        !cursor_is(&named, "PRIMARY"))
        mem_free_string(cursor_written_name(&named));
    if (cursor_is(&named, "FOREIGN KEY"))
        add_foreign_key(alter, &named);
    else if (cursor_is(&named, "CHECK"))
        need_copy(alter);
    else if (cursor_is(&named, "PRIMARY KEY"))
        need(alter, WAY_REBUILD, GUARD_NONE);
    else if (cursor_is(&named, "FULLTEXT"))
        need(alter, alter->has_fulltext ? WAY_NOCOPY : WAY_REBUILD, GUARD_SHARED);
    else if (cursor_is(&named, "SPATIAL"))
        need(alter, WAY_NOCOPY, GUARD_SHARED);
    else if (cursor_is(&named, "UNIQUE") || cursor_is(&named, "INDEX") ||
             cursor_is(&named, "KEY")) {
        alter->indexes = true;
        need(alter, WAY_NOCOPY, GUARD_NONE);
    } else if (cursor_is(&named, "PARTITION"))
        need(alter, WAY_INSTANT, GUARD_EXCLUSIVE);
    else {
        cursor_take(item, "COLUMN");
        cursor_take(item, "IF NOT EXISTS");
        struct cursor columns = *item;
        struct cursor column;
        if (cursor_is(item, "("))
            columns = cursor_group(item);
        while (cursor_item(&columns, &column))
            add_column(alter, column);
    }
}

static int drop_something(struct alter *alter, struct cursor *item, struct error *err)
{
    if (cursor_is(item, "PRIMARY KEY")) {
        need(alter, alter->adds_primary ? WAY_REBUILD : WAY_COPY,
             alter->adds_primary ? GUARD_NONE : GUARD_SHARED);
        return 0;
    }
    if (cursor_is(item, "PARTITION")) {
        need(alter, WAY_INSTANT, GUARD_EXCLUSIVE);
        effect_say(&alter->work->effect->lost, "rows of partitions of %s", alter->name);
        return 0;
    }
    if (cursor_is(item, "INDEX") || cursor_is(item, "KEY")) {
        alter->indexes = true;
        need(alter, WAY_NOCOPY, GUARD_NONE);
        return 0;
    }
    if (cursor_is(item, "FOREIGN KEY") || cursor_is(item, "CONSTRAINT") ||
        cursor_is(item, "CHECK")) {
        need_names(alter);
        return 0;
    }
    return drop_column(alter, item, err);
}

static int change_named(struct alter *alter, struct cursor *item, bool renames, struct error *err)
{
    cursor_take(item, "COLUMN");
    cursor_take(item, "IF EXISTS");
    SCOPED(string) char *name = cursor_written_name(item);
    if (renames)
        mem_free_string(cursor_written_name(item));
    if (renames && mysql_before(alter, 80028))
        need_names(alter);
    return name ? change_column(alter, name, *item, err) : 0;
}

static int set_engine(struct alter *alter, struct cursor *item)
{
    cursor_take(item, "=");
    bool innodb = cursor_is(item, "InnoDB");
    if (innodb == alter->innodb && innodb)
        need(alter, WAY_REBUILD, GUARD_NONE);
    else
        need_copy(alter);
    return 0;
}

/* What MariaDB does at once. */
static bool mysql_only_names(const struct alter *alter, const struct cursor *item)
{
    if (cursor_is(item, "RENAME COLUMN"))
        return mysql_before(alter, 80028);
    return cursor_is(item, "RENAME INDEX") || cursor_is(item, "RENAME KEY") ||
           cursor_is(item, "AUTO_INCREMENT");
}

static int action(struct alter *alter, struct cursor *item, struct error *err)
{
    if (mysql_only_names(alter, item))
        need_names(alter);
    if (cursor_take(item, "ADD"))
        add_something(alter, item);
    else if (cursor_take(item, "DROP"))
        return drop_something(alter, item, err);
    else if (cursor_take(item, "MODIFY"))
        return change_named(alter, item, false, err);
    else if (cursor_take(item, "CHANGE"))
        return change_named(alter, item, true, err);
    else if (cursor_take(item, "ENGINE"))
        return set_engine(alter, item);
    else if (cursor_is(item, "CONVERT") || cursor_is(item, "ORDER BY") ||
             cursor_is(item, "PARTITION") || cursor_is(item, "REORGANIZE") ||
             cursor_is(item, "REMOVE") || cursor_is(item, "COALESCE"))
        need_copy(alter);
    else if (cursor_is(item, "FORCE") || cursor_is(item, "ROW_FORMAT") ||
             cursor_is(item, "KEY_BLOCK_SIZE") || cursor_is(item, "OPTIMIZE"))
        need(alter, WAY_REBUILD, GUARD_NONE);
    else if (cursor_is(item, "RENAME TO") || cursor_is(item, "RENAME AS") ||
             cursor_is(item, "DISABLE KEYS") || cursor_is(item, "ENABLE KEYS") ||
             cursor_is(item, "TRUNCATE PARTITION") || cursor_is(item, "EXCHANGE"))
        need(alter, WAY_INSTANT, GUARD_EXCLUSIVE);
    return 0;
}

/* ---- the statement ---- */

static const char *way_name(const struct alter *alter)
{
    if (alter->way == WAY_COPY)
        return "COPY";
    if (alter->way == WAY_REBUILD)
        return "INPLACE";
    if (alter->way == WAY_INSTANT)
        return "INSTANT";
    return alter->mariadb && alter->way == WAY_NOCOPY ? "NOCOPY" : "INPLACE";
}

static int finish(struct alter *alter, struct error *err)
{
    struct effect *effect = alter->work->effect;
    /* Columns come at once only alone; with an index there is a new file. */
    if (alter->columns && alter->indexes && alter->way == WAY_NOCOPY)
        alter->way = WAY_REBUILD;
    if (alter->columns && !alter->mariadb && alter->way == WAY_NAMES)
        alter->way = WAY_REBUILD;
    if (!alter->innodb && alter->way < WAY_COPY && alter->guard < GUARD_EXCLUSIVE)
        need_copy(alter);
    unsigned flags = alter->way >= WAY_REBUILD  ? EFFECT_REWRITTEN | EFFECT_SCANNED
                     : alter->way == WAY_NOCOPY ? EFFECT_SCANNED
                                                : 0;
    effect->algorithm = mem_string(way_name(alter));
    effect->concurrency = mem_string(guard_names[alter->guard]);
    return mysql_touch(alter->work, alter->name, LOCK_ACCESS_EXCLUSIVE, flags, err);
}

static int alter_named(struct alter *alter, struct cursor *at, struct error *err)
{
    struct cursor item;
    alter->mariadb = alter->work->effects->mariadb;
    alter->adds_primary = cursor_mentions(at, "ADD PRIMARY KEY");
    if (read_table(alter, err) < 0)
        return -1;
    while (cursor_item(at, &item))
        if (action(alter, &item, err) < 0)
            return -1;
    return finish(alter, err);
}

int mysql_alter_table(struct effect_work *work, struct cursor *at, struct error *err)
{
    cursor_take(at, "IF EXISTS");
    SCOPED(string) char *name = cursor_written_name(at);
    struct alter alter = {.work = work, .name = name};
    struct cursor rename = *at;
    if (!name)
        return 0;
    if (cursor_take(&rename, "RENAME TO") && effects_makes(work->effects, name)) {
        SCOPED(string) char *to = cursor_written_name(&rename);
        effects_made(work->effects, to);
    }
    return alter_named(&alter, at, err);
}

int mysql_create_index(struct effect_work *work, struct cursor *at, struct error *err)
{
    struct alter alter = {.work = work};
    struct cursor kind = *at;
    if (!cursor_pass(at, "ON"))
        return 0;
    SCOPED(string) char *name = cursor_written_name(at);
    alter.name = name;
    alter.mariadb = work->effects->mariadb;
    if (!name || read_table(&alter, err) < 0)
        return name ? -1 : 0;
    add_something(&alter, &kind);
    return finish(&alter, err);
}

int mysql_drop_index(struct effect_work *work, struct cursor *at, struct error *err)
{
    struct alter alter = {.work = work};
    if (!cursor_pass(at, "ON"))
        return 0;
    SCOPED(string) char *name = cursor_written_name(at);
    alter.name = name;
    alter.mariadb = work->effects->mariadb;
    if (!name || read_table(&alter, err) < 0)
        return name ? -1 : 0;
    need(&alter, WAY_NOCOPY, GUARD_NONE);
    return finish(&alter, err);
}
