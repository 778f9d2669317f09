#include "migrate/effects_catalog.h"

#include "base/error.h"

#include <stdlib.h>
#include <string.h>

/* ---- relations ---- */

/* A file that is being replaced is not measured: that would wait. */
#define RELATION_COLUMNS                                                                           \
    "SELECT c.oid::regclass::text, c.relkind::text, "                                              \
    "CASE WHEN c.relkind NOT IN ('r', 'm') THEN -1 WHEN c.reltuples > 0 THEN c.reltuples::bigint " \
    "ELSE pg_stat_get_live_tuples(c.oid) END, "                                                    \
    "CASE WHEN c.relkind NOT IN ('r', 'm', 'i') THEN -1 WHEN EXISTS (SELECT FROM pg_locks l "      \
    "WHERE l.relation = c.oid AND l.mode = 'AccessExclusiveLock') "                                \
    "THEN c.relpages::bigint * current_setting('block_size')::bigint "                             \
    "ELSE pg_relation_size(c.oid) END, c.relpersistence = 't' "                                    \
    "FROM pg_class c WHERE c.relnamespace <> 'pg_toast'::regnamespace AND c.oid IN ("

struct touch {
    struct effect *effect;
    enum effect_lock lock;
    unsigned flags;
    int count;
};

static const char *kind_name(char kind)
{
    switch (kind) {
    case 'p':
        return "partitioned table";
    case 'v':
        return "view";
    case 'm':
        return "materialized view";
    case 'i':
        return "index";
    case 'I':
        return "partitioned index";
    case 'S':
        return "sequence";
    case 'f':
        return "foreign table";
    case 'c':
        return "type";
    default:
        return "table";
    }
}

static int64_t integer_of(const struct db_value *value)
{
    return value->type == DB_TEXT ? strtoll(value->text, NULL, 10) : value->integer;
}

static int on_relation(void *context, const struct db_value *columns, size_t count,
                       struct error *err)
{
    (void)count, (void)err;
    struct touch *touch = context;
    char kind = columns[1].text[0];
    bool stored = strchr("rmiS", kind) != NULL;
    unsigned flags =
        stored ? touch->flags : touch->flags & ~(unsigned)(EFFECT_REWRITTEN | EFFECT_SCANNED);
    if (kind == 'S' || kind == 'i')
        flags &= ~(unsigned)EFFECT_SCANNED;
    struct effect_table *table =
        effect_add(touch->effect, columns[0].text, kind_name(kind), touch->lock, flags);
    table->rows = integer_of(&columns[2]);
    table->bytes = integer_of(&columns[3]);
    if ((flags & EFFECT_EMPTIED) && (kind == 'r' || kind == 'm'))
        effect_say(&touch->effect->lost, "all rows of %s", table->name);
    touch->count++;
    return 0;
}

/* How many relations were added, or -1. */
static int touch_all(struct effect_work *work, struct touch touch, const char *oids, const char *a,
                     const char *b, struct error *err)
{
    const struct db_value parameters[] = {db_text(a), db_text(b)};
    SCOPED(string)
    char *sql = mem_format(RELATION_COLUMNS "%s) ORDER BY c.relkind = 'i', c.oid", oids);
    touch.effect = work->effect;
    if (!work->effects->db)
        return 0;
    if (db_query(work->effects->db, sql, parameters, b ? 2 : 1, on_relation, &touch, err) < 0)
        return -1;
    return touch.count;
}

int catalog_touch(struct effect_work *work, enum effect_lock lock, unsigned flags, const char *oids,
                  const char *a, const char *b, struct error *err)
{
    struct touch touch = {.lock = lock, .flags = flags};
    return touch_all(work, touch, oids, a, b, err) < 0 ? -1 : 0;
}

int catalog_touch_name(struct effect_work *work, const char *name, enum effect_lock lock,
                       unsigned flags, struct error *err)
{
    struct effect *effect = work->effect;
    struct touch touch = {.lock = lock, .flags = flags};
    bool known = work->effects->db != NULL;
    if (effects_makes(work->effects, name)) {
        struct effect_table *table = effect_add(effect, name, "table", lock, flags);
        table->fresh = true;
        table->rows = table->bytes = 0;
        return 0;
    }
    const char *oids = flags & EFFECT_WHOLE  ? CATALOG_READ
                       : flags & EFFECT_ONLY ? CATALOG_SELF
                                             : CATALOG_TREE;
    int count = touch_all(work, touch, oids, name, NULL, err);
    if (count != 0 || (known && (flags & EFFECT_IF_KNOWN)))
        return count < 0 ? -1 : 0;
    effect_add(effect, name, "table", lock, flags);
    if (flags & EFFECT_EMPTIED)
        effect_say(&effect->lost, "all rows of %s", name);
    return 0;
}

/* ---- single answers ---- */

int catalog_text(struct effect_work *work, const char *sql, const char *a, const char *b,
                 char **ret_text, struct error *err)
{
    const struct db_value parameters[] = {db_text(a), db_text(b)};
    if (!work->effects->db)
        return 0;
    return db_query_text(work->effects->db, sql, parameters, b ? 2 : a ? 1 : 0, ret_text, err);
}

int catalog_is(struct effect_work *work, const char *sql, const char *a, const char *b,
               struct error *err)
{
    SCOPED(string) char *text = NULL;
    SCOPED(string) char *asked = mem_format("SELECT (%s)::text", sql);
    int found = catalog_text(work, asked, a, b, &text, err);
    return found <= 0 ? found : text && *text == 't';
}

int catalog_is_partitioned(struct effect_work *work, const char *name, struct error *err)
{
    return catalog_is(work,
                      "EXISTS (SELECT FROM pg_class WHERE oid = to_regclass(?) AND relkind = 'p')",
                      name, NULL, err);
}

static int on_line(void *context, const struct db_value *columns, size_t count, struct error *err)
{
    (void)err;
    struct buf *buf = context;
    if (count && columns[0].type == DB_TEXT)
        buf_append(buf, columns[0].text, columns[0].size);
    buf_append_char(buf, '\n');
    return 0;
}

int catalog_probe(struct effect_work *work, const char *sql, char **ret_text, struct error *err)
{
    struct db *db = work->effects->db;
    struct error refused = ERROR_INIT;
    SCOPED(buf) struct buf buf = BUF_INIT;
    *ret_text = NULL;
    if (!db)
        return 0;
    if (db_query(db, sql, NULL, 0, on_line, &buf, &refused) < 0) {
        if (!db->fault.connection_lost && refused.code != ERROR_INTERRUPTED)
            return 0;
        *err = refused;
        return -1;
    }
    *ret_text = buf_steal(&buf);
    return 0;
}

/* ---- dropping ---- */

/* `%s` is the start, `%s` whether others that depend are dropped too. */
#define GONE                                                                                       \
    "WITH RECURSIVE gone(classid, objid, objsubid) AS (%s UNION SELECT n.* FROM gone g CROSS "     \
    "JOIN "                                                                                        \
    "LATERAL (SELECT d.classid, d.objid, d.objsubid FROM pg_depend d WHERE d.refclassid = "        \
    "g.classid AND d.refobjid = g.objid AND (g.objsubid = 0 OR d.refobjsubid = g.objsubid) AND "   \
    "(d.deptype IN ('a', 'i', 'e', 'P', 'S') OR (%s AND d.deptype = 'n')) "                        \
    "UNION ALL SELECT d.refclassid, d.refobjid, d.refobjsubid FROM pg_depend d WHERE "             \
    "g.classid = 'pg_rewrite'::regclass AND d.classid = g.classid AND d.objid = g.objid AND "      \
    "d.deptype = 'i') n) "

#define GONE_LOCKED                                                                                \
    "SELECT objid FROM gone WHERE classid = 'pg_class'::regclass "                                 \
    "UNION SELECT x.indrelid FROM gone JOIN pg_index x ON x.indexrelid = objid "                   \
    "WHERE classid = 'pg_class'::regclass "                                                        \
    "UNION SELECT a.adrelid FROM gone JOIN pg_attrdef a ON a.oid = objid "                         \
    "WHERE classid = 'pg_attrdef'::regclass "                                                      \
    "UNION SELECT unnest(ARRAY[c.conrelid, c.confrelid]) FROM gone JOIN pg_constraint c "          \
    "ON c.oid = objid WHERE classid = 'pg_constraint'::regclass "                                  \
    "UNION SELECT t.tgrelid FROM gone JOIN pg_trigger t ON t.oid = objid "                         \
    "WHERE classid = 'pg_trigger'::regclass "                                                      \
    "UNION SELECT r.ev_class FROM gone JOIN pg_rewrite r ON r.oid = objid "                        \
    "WHERE classid = 'pg_rewrite'::regclass "                                                      \
    "UNION SELECT p.polrelid FROM gone JOIN pg_policy p ON p.oid = objid "                         \
    "WHERE classid = 'pg_policy'::regclass "                                                       \
    "UNION SELECT unnest(ARRAY[i.inhparent, p.partdefid]) FROM gone JOIN pg_class c "              \
    "ON c.oid = objid AND c.relispartition AND c.relkind NOT IN ('i', 'I') "                       \
    "JOIN pg_inherits i ON i.inhrelid = c.oid LEFT JOIN pg_partitioned_table p "                   \
    "ON p.partrelid = i.inhparent WHERE classid = 'pg_class'::regclass AND objsubid = 0"

#define GONE_STATISTICS                                                                            \
    "SELECT s.stxrelid FROM gone JOIN pg_statistic_ext s ON s.oid = objid "                        \
    "WHERE classid = 'pg_statistic_ext'::regclass"

#define GONE_LOST                                                                                  \
    "SELECT CASE WHEN objsubid > 0 THEN 'column ' || c.oid::regclass::text || '.' || "             \
    "quote_ident(a.attname) ELSE 'table ' || c.oid::regclass::text END FROM gone JOIN pg_class c " \
    "ON c.oid = objid LEFT JOIN pg_attribute a ON a.attrelid = objid AND a.attnum = objsubid "     \
    "WHERE classid = 'pg_class'::regclass AND c.relkind IN ('r', 'f', 'p') "                       \
    "AND (objsubid > 0 OR c.relkind <> 'p') "                                                      \
    "AND (objsubid = 0 OR NOT EXISTS (SELECT FROM gone o WHERE o.classid = gone.classid "          \
    "AND o.objid = gone.objid AND o.objsubid = 0)) ORDER BY 1"

static int on_lost(void *context, const struct db_value *columns, size_t count, struct error *err)
{
    (void)count, (void)err;
    effect_say(context, "%s", columns[0].text);
    return 0;
}

int catalog_drop(struct effect_work *work, const char *start, const char *name, bool cascade,
                 struct error *err)
{
    const struct db_value parameter = db_text(name);
    SCOPED(string) char *gone = mem_format(GONE, start, cascade ? "true" : "false");
    SCOPED(string) char *locked = mem_format("%s" GONE_LOCKED, gone);
    SCOPED(string) char *statistics = mem_format("%s" GONE_STATISTICS, gone);
    SCOPED(string) char *lost = mem_format("%s" GONE_LOST, gone);
    if (!work->effects->db)
        return 0;
    const struct touch strong = {.lock = LOCK_ACCESS_EXCLUSIVE};
    const struct touch weak = {.lock = LOCK_SHARE_UPDATE_EXCLUSIVE};
    int count = touch_all(work, strong, locked, name, NULL, err);
    int more = count < 0 ? -1 : touch_all(work, weak, statistics, name, NULL, err);
    if (more < 0 ||
        db_query(work->effects->db, lost, &parameter, 1, on_lost, &work->effect->lost, err) < 0)
        return -1;
    return count + more;
}
