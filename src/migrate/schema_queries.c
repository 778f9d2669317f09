#include "migrate/schema_queries.h"

#include <stddef.h>

/* ---- PostgreSQL ---- */

#define OURS(catalog, oid)                                                                         \
    " n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_(toast|temp)' "  \
    "AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = '" catalog                          \
    "'::regclass AND e.objid = " oid " AND e.deptype = 'e') "

/* NULL means the privileges that everybody knows. */
#define ACL(column, kind, owner)                                                                   \
    " || coalesce(' granted ' || (SELECT string_agg(x::text, ' ' ORDER BY x::text) FROM "          \
    "unnest(coalesce(" column ", acldefault('" kind "', " owner "))) x), '') "

#define COMMENT(oid, catalog)                                                                      \
    " || coalesce(' comment ' || quote_literal(obj_description(" oid ", '" catalog "')), '') "

const char *const schema_queries_postgres[] = {
    "SELECT 'schema ' || n.nspname, 'schema'" ACL("n.nspacl", "n", "n.nspowner")
        COMMENT("n.oid", "pg_namespace") "FROM pg_namespace n WHERE n.nspname <> 'public' AND" OURS(
            "pg_namespace", "n.oid"),

    "SELECT CASE c.relkind WHEN 'v' THEN 'view ' WHEN 'm' THEN 'materialized view ' WHEN 'f' THEN "
    "'foreign table ' WHEN 'c' THEN 'type ' ELSE 'table ' END || n.nspname || '.' || c.relname, "
    "CASE WHEN c.relkind IN ('v', 'm') THEN regexp_replace(pg_get_viewdef(c.oid), '\\s+', ' ', "
    "'g') "
    "ELSE c.relkind::text END || CASE c.relpersistence WHEN 'u' THEN ' unlogged' ELSE '' END || "
    "coalesce(' with ' || array_to_string(c.reloptions, ', '), '') || CASE WHEN c.relrowsecurity "
    "THEN ' row level security' ELSE '' END || CASE WHEN c.relforcerowsecurity THEN ' forced' ELSE "
    "'' END || CASE WHEN c.relreplident <> 'd' AND c.relkind = 'r' THEN ' replica identity ' || "
    "c.relreplident::text ELSE '' END || coalesce(' partition by ' || pg_get_partkeydef(c.oid), "
    "'') || "
    "coalesce(' ' || pg_get_expr(c.relpartbound, c.oid), '') || coalesce(' inherits ' || (SELECT "
    "string_agg(i.inhparent::regclass::text, ', ' ORDER BY i.inhseqno) FROM pg_inherits i WHERE "
    "i.inhrelid = c.oid), '')" ACL("c.relacl", "r", "c.relowner")
        COMMENT("c.oid", "pg_class") "FROM pg_class c JOIN pg_namespace n ON n.oid = "
                                     "c.relnamespace WHERE c.relkind IN ('r', "
                                     "'p', 'v', 'm', 'f', 'c') AND" OURS("pg_class", "c.oid"),

    "SELECT 'column ' || n.nspname || '.' || c.relname || '.' || a.attname, "
    "format_type(a.atttypid, a.atttypmod) || CASE WHEN a.attnotnull THEN ' not null' ELSE '' END "
    "|| coalesce(CASE WHEN a.attgenerated <> '' THEN ' generated ' ELSE ' default ' END || "
    "pg_get_expr(d.adbin, d.adrelid), '') || CASE WHEN a.attidentity <> '' THEN ' identity ' || "
    "a.attidentity::text ELSE '' END || CASE WHEN a.attcollation <> t.typcollation THEN ' collate "
    "' || "
    "a.attcollation::regcollation::text ELSE '' END || CASE WHEN a.attstorage <> t.typstorage THEN "
    "' storage ' || a.attstorage::text ELSE '' END || CASE WHEN coalesce(a.attstattarget, -1) >= 0 "
    "THEN "
    "' statistics ' || a.attstattarget ELSE '' END || coalesce(' with ' || "
    "(SELECT string_agg(o, ', ') FROM unnest(a.attoptions) o WHERE o LIKE 'n_distinct%'), '') || "
    "coalesce(' granted ' || a.attacl::text, '') || "
    "coalesce(' comment ' || quote_literal(col_description(c.oid, a.attnum)), '') FROM "
    "pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = "
    "c.relnamespace JOIN pg_type t ON t.oid = a.atttypid LEFT JOIN pg_attrdef d ON d.adrelid = "
    "c.oid AND d.adnum = a.attnum WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', "
    "'p', 'f', 'c', 'm') AND" OURS("pg_class", "c.oid"),

    "SELECT 'constraint ' || n.nspname || '.' || c.relname || '.' || o.conname, "
    "pg_get_constraintdef(o.oid)" COMMENT(
        "o.oid", "pg_constraint") "FROM pg_constraint o JOIN "
                                  "pg_class c ON c.oid = o.conrelid JOIN pg_namespace n ON n.oid = "
                                  "c.relnamespace WHERE o.contype "
                                  "IN ('c', 'f', 'p', 'u', 'x') AND" OURS("pg_class", "c.oid"),

    "SELECT 'index ' || n.nspname || '.' || i.relname, pg_get_indexdef(i.oid) || CASE WHEN "
    "x.indisvalid THEN '' ELSE ' invalid' END || CASE WHEN x.indisclustered THEN ' clustered' ELSE "
    "'' END" COMMENT("i.oid", "pg_class") "FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid "
                                          "JOIN pg_class c ON c.oid = x.indrelid JOIN pg_namespace "
                                          "n ON n.oid = i.relnamespace WHERE" OURS("pg_class",
                                                                                   "c.oid"),

    "SELECT 'sequence ' || n.nspname || '.' || c.relname, s.seqtypid::regtype || ' start ' || "
    "s.seqstart || ' increment ' || s.seqincrement || ' from ' || s.seqmin || ' to ' || s.seqmax "
    "|| ' cache ' || s.seqcache || CASE WHEN s.seqcycle THEN ' cycle' ELSE '' END || "
    "coalesce((SELECT ' owned by ' || d.refobjid::regclass || '.' || a.attname FROM pg_depend d "
    "JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid WHERE d.classid = "
    "'pg_class'::regclass AND d.objid = c.oid AND d.deptype IN ('a', 'i') AND d.refobjsubid > 0 "
    "LIMIT 1), '')" ACL("c.relacl", "s", "c.relowner")
        COMMENT("c.oid", "pg_class") "FROM pg_sequence s JOIN pg_class c ON c.oid = s.seqrelid "
                                     "JOIN pg_namespace n ON n.oid = "
                                     "c.relnamespace WHERE" OURS("pg_class", "c.oid"),

    "SELECT CASE p.prokind WHEN 'p' THEN 'procedure ' WHEN 'a' THEN 'aggregate ' ELSE 'function ' "
    "END || n.nspname || '.' || p.proname || '(' || pg_get_function_identity_arguments(p.oid) || "
    "')', CASE WHEN p.prokind = 'a' THEN pg_get_function_result(p.oid) ELSE "
    "regexp_replace(pg_get_functiondef(p.oid), '\\s+', ' ', 'g') END" ACL("p.proacl", "f",
                                                                          "p.proowner")
        COMMENT("p.oid", "pg_proc") "FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace "
                                    "WHERE" OURS("pg_proc", "p.oid"),

    "SELECT 'trigger ' || n.nspname || '.' || c.relname || '.' || t.tgname, "
    "pg_get_triggerdef(t.oid) || ' ' || t.tgenabled::text" COMMENT(
        "t.oid", "pg_trigger") "FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN "
                               "pg_namespace n ON n.oid = "
                               "c.relnamespace WHERE NOT t.tgisinternal AND" OURS("pg_class",
                                                                                  "c.oid"),

    "SELECT 'rule ' || n.nspname || '.' || c.relname || '.' || r.rulename, pg_get_ruledef(r.oid) "
    "|| ' ' || r.ev_enabled::text FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class JOIN "
    "pg_namespace n ON n.oid = c.relnamespace WHERE r.rulename <> '_RETURN' AND" OURS("pg_class",
                                                                                      "c.oid"),

    "SELECT 'policy ' || p.schemaname || '.' || p.tablename || '.' || p.policyname, p.permissive "
    "|| ' ' || p.roles::text || ' ' || p.cmd || coalesce(' using ' || p.qual, '') || coalesce(' "
    "check ' || p.with_check, '') FROM pg_policies p",

    "SELECT 'type ' || n.nspname || '.' || t.typname, CASE t.typtype WHEN 'e' THEN 'enum ' || "
    "(SELECT string_agg(quote_literal(e.enumlabel), ', ' ORDER BY e.enumsortorder) FROM pg_enum e "
    "WHERE e.enumtypid = t.oid) WHEN 'd' THEN 'domain ' || format_type(t.typbasetype, "
    "t.typtypmod) || CASE WHEN t.typnotnull THEN ' not null' ELSE '' END || coalesce(' default ' "
    "|| t.typdefault, '') || coalesce((SELECT string_agg(' ' || c.conname || ' ' || "
    "pg_get_constraintdef(c.oid), '' ORDER BY c.conname) FROM pg_constraint c WHERE c.contypid = "
    "t.oid AND c.contype = 'c'), '') ELSE 'range ' || t.typname END" ACL("t.typacl", "T",
                                                                         "t.typowner")
        COMMENT("t.oid", "pg_type") "FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace "
                                    "WHERE t.typtype IN ('e', 'd', 'r') AND" OURS("pg_type",
                                                                                  "t.oid"),

    "SELECT 'extension ' || extname, extversion FROM pg_extension",

    "SELECT 'statistics ' || n.nspname || '.' || s.stxname, pg_get_statisticsobjdef(s.oid) FROM "
    "pg_statistic_ext s JOIN pg_namespace n ON n.oid = s.stxnamespace WHERE" OURS(
        "pg_statistic_ext", "s.oid"),

    "SELECT 'operator ' || n.nspname || '.' || o.oid::regoperator, o.oprcode::text FROM "
    "pg_operator o JOIN pg_namespace n ON n.oid = o.oprnamespace WHERE" OURS("pg_operator",
                                                                             "o.oid"),

    "SELECT 'collation ' || n.nspname || '.' || o.collname, o.collprovider::text || ' ' || "
    "coalesce(o.collcollate, '') FROM pg_collation o JOIN pg_namespace n ON n.oid = "
    "o.collnamespace WHERE" OURS("pg_collation", "o.oid"),

    "SELECT 'event trigger ' || evtname, evtevent || ' ' || evtfoid::regproc || ' ' || "
    "evtenabled::text "
    "|| coalesce(evttags::text, '') FROM pg_event_trigger",

    "SELECT 'publication ' || p.pubname, p.puballtables::text || ' ' || coalesce((SELECT "
    "string_agg(t.schemaname || '.' || t.tablename, ', ' ORDER BY 1) FROM pg_publication_tables t "
    "WHERE t.pubname = p.pubname), '') FROM pg_publication p",

    "SELECT 'default privileges of ' || d.defaclrole::regrole || coalesce(' in ' || n.nspname, '') "
    "|| ' ' || d.defaclobjtype::text, d.defaclacl::text FROM pg_default_acl d LEFT JOIN "
    "pg_namespace n "
    "ON n.oid = d.defaclnamespace",

    NULL,
};

/* ---- MySQL and MariaDB ---- */

const char *const schema_queries_mysql[] = {
    "SELECT CONCAT('table ', table_name), CONCAT_WS(' ', engine, table_collation, row_format, "
    "create_options, table_comment) FROM information_schema.tables WHERE table_schema = DATABASE() "
    "AND table_type = 'BASE TABLE'",

    "SELECT CONCAT('column ', table_name, '.', column_name), CONCAT_WS(' ', column_type, "
    "IF(is_nullable = 'NO', 'not null', ''), CONCAT('default ', column_default), "
    "CONCAT('collate ', collation_name), extra, generation_expression, CONCAT('comment ', "
    "column_comment)) FROM information_schema.columns WHERE table_schema = DATABASE()",

    "SELECT CONCAT('index ', table_name, '.', index_name), CONCAT_WS(' ', IF(MIN(non_unique) = 0, "
    "'unique', ''), MIN(index_type), GROUP_CONCAT(CONCAT(column_name, COALESCE(CONCAT('(', "
    "sub_part, ')'), ''), ' ', COALESCE(collation, '')) ORDER BY seq_in_index)) FROM "
    "information_schema.statistics WHERE table_schema = DATABASE() GROUP BY table_name, index_name",

    "SELECT CONCAT('constraint ', k.table_name, '.', k.constraint_name), CONCAT('foreign key (', "
    "GROUP_CONCAT(k.column_name ORDER BY k.ordinal_position), ') references ', "
    "MIN(k.referenced_table_name), ' (', GROUP_CONCAT(k.referenced_column_name ORDER BY "
    "k.ordinal_position), ') update ', MIN(r.update_rule), ' delete ', MIN(r.delete_rule)) FROM "
    "information_schema.key_column_usage k JOIN information_schema.referential_constraints r ON "
    "r.constraint_schema = k.constraint_schema AND r.constraint_name = k.constraint_name AND "
    "r.table_name = k.table_name WHERE k.table_schema = DATABASE() AND k.referenced_table_name IS "
    "NOT NULL GROUP BY k.table_name, k.constraint_name",

    "SELECT CONCAT('constraint ', t.table_name, '.', c.constraint_name), CONCAT('check ', "
    "c.check_clause) FROM information_schema.check_constraints c JOIN "
    "information_schema.table_constraints t ON t.constraint_schema = c.constraint_schema AND "
    "t.constraint_name = c.constraint_name AND t.constraint_type = 'CHECK' WHERE "
    "c.constraint_schema = DATABASE()",

    "SELECT CONCAT('view ', table_name), CONCAT(view_definition, ' ', check_option, ' ', "
    "security_type) FROM information_schema.views WHERE table_schema = DATABASE()",

    "SELECT CONCAT('trigger ', event_object_table, '.', trigger_name), CONCAT(action_timing, ' ', "
    "event_manipulation, ' ', action_statement) FROM information_schema.triggers WHERE "
    "trigger_schema = DATABASE()",

    "SELECT CONCAT(LOWER(r.routine_type), ' ', r.routine_name), CONCAT(COALESCE((SELECT "
    "GROUP_CONCAT(CONCAT_WS(' ', p.parameter_mode, p.parameter_name, p.dtd_identifier) ORDER BY "
    "p.ordinal_position) FROM information_schema.parameters p WHERE p.specific_schema = "
    "r.routine_schema AND p.specific_name = r.specific_name), ''), ' ', r.is_deterministic, ' ', "
    "r.security_type, ' ', r.routine_definition) FROM information_schema.routines r WHERE "
    "r.routine_schema = DATABASE()",

    "SELECT CONCAT('event ', event_name), CONCAT_WS(' ', event_type, execute_at, interval_value, "
    "interval_field, status, event_definition) FROM information_schema.events WHERE event_schema = "
    "DATABASE()",

    NULL,
};

/* ---- SQLite ---- */

#define TABLES                                                                                     \
    "sqlite_master m WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite\\_%' ESCAPE '\\' "

const char *const schema_queries_sqlite[] = {
    "SELECT 'table ' || m.name, l.type || CASE WHEN l.wr THEN ' without rowid' ELSE '' END || CASE "
    "WHEN l.strict THEN ' strict' ELSE '' END FROM sqlite_master m JOIN pragma_table_list l ON "
    "l.name = m.name AND l.schema = 'main' WHERE m.type = 'table' AND m.name NOT LIKE "
    "'sqlite\\_%' ESCAPE '\\'",

    "SELECT 'column ' || m.name || '.' || x.name, lower(x.type) || CASE WHEN x.\"notnull\" THEN ' "
    "not null' ELSE '' END || coalesce(' default ' || x.dflt_value, '') || CASE WHEN x.pk THEN ' "
    "primary key ' || x.pk ELSE '' END || CASE WHEN x.hidden THEN ' generated' ELSE '' END FROM "
    "pragma_table_xinfo(m.name) x, " TABLES,

    "SELECT 'foreign key of ' || m.name || ' (' || group_concat(f.\"from\") || ')', f.\"table\" "
    "|| ' (' || coalesce(group_concat(f.\"to\"), '') || ') update ' || f.on_update || ' delete ' "
    "|| f.on_delete FROM pragma_foreign_key_list(m.name) f, " TABLES "GROUP BY m.name, f.id",

    "SELECT 'unique ' || m.name || ' (' || (SELECT group_concat(i.name) FROM "
    "pragma_index_info(l.name) i) || ')', l.origin FROM pragma_index_list(m.name) l, " TABLES
    "AND l.origin = 'u'",

    "SELECT m.type || ' ' || m.name, m.sql FROM sqlite_master m WHERE m.type IN ('index', "
    "'trigger', 'view') AND m.sql IS NOT NULL",

    NULL,
};
