#include "source/postgres_properties.h"

#include "base/buf.h"
#include "base/error.h"
#include "base/json_text.h"
#include "base/mem.h"
#include "base/text.h"
#include "db/pq.h"
#include "source/postgres_catalog.h"
#include "source/source.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- the database's own ---- */

/* `statement` holds %I where the database's name belongs; other percent signs are doubled.
 * `otherwise` goes on where the server refuses it, or is "". */
static void add_property_or(struct buf *script, const char *statement, const char *otherwise)
{
    SCOPED(buf) struct buf body = BUF_INIT;
    buf_append_text(&body, "BEGIN EXECUTE pg_catalog.format(");
    pq_quote_literal(&body, statement);
    buf_append_format(&body, ", pg_catalog.current_database()); %sEND", otherwise);
    SCOPED(buf) struct buf literal = BUF_INIT;
    pq_quote_literal(&literal, body.data);
    buf_append_text(script, POSTGRES_PROPERTY_MARK);
    buf_append_text(script, literal.data + 1);
    buf_append_text(script, ";\n");
}

static void add_property(struct buf *script, const char *statement)
{
    add_property_or(script, statement, "");
}

/* For pieces of a statement that come from the catalogue. */
static void append_escaped(struct buf *statement, const char *text)
{
    for (; *text; text++) {
        if (*text == '%')
            buf_append_char(statement, '%');
        buf_append_char(statement, *text);
    }
}

/* Settings that are lists of names are stored as such: "a", b. */
static bool is_list(const char *name)
{
    static const char *const lists[] = {
        "search_path",
        "temp_tablespaces",
        "local_preload_libraries",
        "session_preload_libraries",
        "shared_preload_libraries",
        "unix_socket_directories",
    };
    for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
        if (strcasecmp(name, lists[i]) == 0)
            return true;
    return false;
}

/* One name, unquoted; where the text goes on. */
static const char *take_item(const char *value, struct buf *item)
{
    if (*value != '"') {
        size_t length = strcspn(value, ", ");
        buf_append(item, value, length);
        return value + length;
    }
    for (value++; *value && (*value != '"' || value[1] == '"'); value++) {
        buf_append_char(item, *value);
        value += *value == '"';
    }
    return value + (*value == '"');
}

static void append_list(struct buf *sql, const char *value)
{
    const char *separator = "";
    while (*value) {
        struct buf item = BUF_INIT;
        value += strspn(value, " ,");
        value = take_item(value, &item);
        buf_append_text(sql, separator);
        pq_quote_literal(sql, item.data);
        separator = ", ";
        buf_clear(&item);
    }
    if (!*separator)
        buf_append_text(sql, "''");
}

/* "name=value" -> SET "name" TO 'value' */
static void append_setting(struct buf *sql, const char *setting)
{
    const char *equals = strchr(setting, '=');
    SCOPED(string)
    char *name = mem_string_n(setting, equals ? (size_t)(equals - setting) : strlen(setting));
    buf_append_text(sql, " SET ");
    /* Names of extensions' settings have a dot, which is no part of an identifier. */
    buf_append_text(sql, name);
    buf_append_text(sql, " TO ");
    const char *value = equals ? equals + 1 : "";
    if (is_list(name))
        append_list(sql, value);
    else
        pq_quote_literal(sql, value);
}

/* An encoding for clients that this database's own cannot be converted to is taken only by a
 * session in another database; whoever asked for none could not connect. */
static void add_setting(struct buf *script, const char *statement, const char *setting)
{
    bool encoding = text_starts(setting, "client_encoding=");
    add_property_or(script, statement,
                    encoding ? "EXCEPTION WHEN invalid_parameter_value OR feature_not_supported "
                               "THEN RAISE WARNING 'left out: %', SQLERRM; "
                             : "");
}

static int add_settings(struct pq *pq, struct buf *script, struct error *err)
{
    SCOPED(pq_result) struct pq_result *rows = NULL;
    if (pq_exec(pq,
                "SELECT r.rolname, c.setting FROM pg_db_role_setting s "
                "CROSS JOIN unnest(s.setconfig) WITH ORDINALITY AS c (setting, place) "
                "LEFT JOIN pg_roles r ON r.oid = s.setrole "
                "WHERE s.setdatabase = (SELECT oid FROM pg_database "
                "WHERE datname = current_database()) ORDER BY 1 NULLS FIRST, c.place",
                &rows, err) < 0)
        return -1;
    for (size_t i = 0; i < pq_rows(rows); i++) {
        struct buf setting = BUF_INIT;
        append_setting(&setting, pq_value(rows, i, 1));
        struct buf statement = BUF_INIT;
        const char *role = pq_value(rows, i, 0);
        if (role) {
            struct buf quoted = BUF_INIT;
            pq_quote_identifier(&quoted, role);
            buf_append_text(&statement, "ALTER ROLE ");
            append_escaped(&statement, quoted.data);
            buf_append_text(&statement, " IN DATABASE %I");
            buf_clear(&quoted);
        } else {
            buf_append_text(&statement, "ALTER DATABASE %I");
        }
        append_escaped(&statement, setting.data);
        add_setting(script, statement.data, pq_value(rows, i, 1));
        buf_clear(&statement);
        buf_clear(&setting);
    }
    return 0;
}

/* Each row is a statement in which the database's name is %I, made by the server's format(). */
static const char PROPERTIES_SQL[] =
    "WITH d AS (SELECT * FROM pg_database WHERE datname = current_database()) "
    "SELECT replace(statement, '@database@', '%I') FROM ("
    "SELECT 1 AS place, format('ALTER DATABASE @database@ OWNER TO %s', "
    "  replace(quote_ident(pg_get_userbyid(datdba)), '%', '%%')) AS statement FROM d "
    "UNION ALL SELECT 2, format('ALTER DATABASE @database@ CONNECTION LIMIT %s', datconnlimit) "
    "  FROM d WHERE datconnlimit >= 0 "
    "UNION ALL SELECT 3, format('COMMENT ON DATABASE @database@ IS %s', "
    "  replace(quote_literal(shobj_description(oid, 'pg_database')), '%', '%%')) "
    "  FROM d WHERE shobj_description(oid, 'pg_database') IS NOT NULL "
    "UNION ALL SELECT 4, 'REVOKE ALL ON DATABASE @database@ FROM PUBLIC' FROM d "
    "  WHERE datacl IS NOT NULL "
    "UNION ALL SELECT 5, format('GRANT %s ON DATABASE @database@ TO %s%s', a.privilege_type, "
    "  CASE WHEN a.grantee = 0 THEN 'PUBLIC' "
    "  ELSE replace(quote_ident(pg_get_userbyid(a.grantee)), '%', '%%') END, "
    "  CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END) "
    "  FROM d, aclexplode(datacl) a WHERE a.grantee <> datdba "
    "UNION ALL SELECT 6, format('SECURITY LABEL FOR %s ON DATABASE @database@ IS %s', "
    "  replace(quote_ident(l.provider), '%', '%%'), replace(quote_literal(l.label), '%', '%%')) "
    "  FROM d JOIN pg_shseclabel l ON l.objoid = d.oid AND l.classoid = 'pg_database'::regclass"
    ") p ORDER BY place, statement";

int postgres_properties_script(struct pq *pq, struct buf *script, struct error *err)
{
    SCOPED(pq_result) struct pq_result *rows = NULL;
    if (pq_exec(pq, PROPERTIES_SQL, &rows, err) < 0)
        return error_prefix(err, "read the database's properties");
    for (size_t i = 0; i < pq_rows(rows); i++)
        add_property(script, pq_value(rows, i, 0));
    if (add_settings(pq, script, err) < 0)
        return error_prefix(err, "read the database's settings");
    return 0;
}

/* ---- roles ---- */

/* pg_authid, which holds the passwords, is the superuser's; without it roles come without. */
static const char ROLES_SQL[] =
    "SELECT format('DO %%L', format('BEGIN IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles "
    "WHERE rolname = %%L) THEN CREATE ROLE %%I WITH %%s; END IF; END', rolname, rolname, "
    "concat_ws(' ', CASE WHEN rolsuper THEN 'SUPERUSER' END, "
    "CASE WHEN NOT rolinherit THEN 'NOINHERIT' END, "
    "CASE WHEN rolcreaterole THEN 'CREATEROLE' END, CASE WHEN rolcreatedb THEN 'CREATEDB' END, "
    "CASE WHEN rolcanlogin THEN 'LOGIN' END, CASE WHEN rolreplication THEN 'REPLICATION' END, "
    "CASE WHEN rolbypassrls THEN 'BYPASSRLS' END, "
    "CASE WHEN rolconnlimit >= 0 THEN 'CONNECTION LIMIT ' || rolconnlimit END, "
    "CASE WHEN rolvaliduntil IS NOT NULL THEN format('VALID UNTIL %%L', rolvaliduntil) END, "
    "CASE WHEN %s IS NOT NULL THEN format('PASSWORD %%L', %s) END))) "
    "FROM %s WHERE rolname !~ '^pg_' ORDER BY rolname";

static const char *const SHARED_SQL[] = {
    "SELECT format('GRANT %I TO %I%s', g.rolname, m.rolname, "
    "CASE WHEN a.admin_option THEN ' WITH ADMIN OPTION' ELSE '' END) FROM pg_auth_members a "
    "JOIN pg_roles g ON g.oid = a.roleid JOIN pg_roles m ON m.oid = a.member ORDER BY 1",
    "SELECT format('CREATE TABLESPACE %I OWNER %I LOCATION %L', spcname, "
    "pg_get_userbyid(spcowner), pg_tablespace_location(oid)) FROM pg_tablespace "
    "WHERE spcname !~ '^pg_' ORDER BY 1",
};

static int add_statements(struct pq *pq, const char *sql, struct buf *script, struct error *err)
{
    SCOPED(pq_result) struct pq_result *rows = NULL;
    if (pq_exec(pq, sql, &rows, err) < 0)
        return error_prefix(err, "read roles and tablespaces");
    for (size_t i = 0; i < pq_rows(rows); i++)
        buf_append_format(script, "%s;\n", pq_value(rows, i, 0));
    return 0;
}

static void append_condition(struct buf *body, const char *role)
{
    buf_append_text(body, "BEGIN IF NOT EXISTS (SELECT FROM pg_catalog.pg_db_role_setting s "
                          "JOIN pg_catalog.pg_roles r ON r.oid = s.setrole "
                          "WHERE s.setdatabase = 0 AND r.rolname = ");
    pq_quote_literal(body, role);
    buf_append_text(body, ") THEN ");
}

/* A role that has settings where the script is played keeps those. */
static int add_role_settings(struct pq *pq, struct buf *script, struct error *err)
{
    SCOPED(pq_result) struct pq_result *rows = NULL;
    if (pq_exec(pq,
                "SELECT r.rolname, c.setting FROM pg_db_role_setting s "
                "CROSS JOIN unnest(s.setconfig) WITH ORDINALITY AS c (setting, place) "
                "JOIN pg_roles r ON r.oid = s.setrole "
                "WHERE s.setdatabase = 0 AND r.rolname !~ '^pg_' ORDER BY 1, c.place",
                &rows, err) < 0)
        return error_prefix(err, "read the settings of roles");
    SCOPED(buf) struct buf body = BUF_INIT;
    for (size_t i = 0; i < pq_rows(rows); i++) {
        const char *role = pq_value(rows, i, 0);
        if (!body.length)
            append_condition(&body, role);
        buf_append_text(&body, "ALTER ROLE ");
        pq_quote_identifier(&body, role);
        append_setting(&body, pq_value(rows, i, 1));
        buf_append_text(&body, "; ");
        if (i + 1 < pq_rows(rows) && strcmp(pq_value(rows, i + 1, 0), role) == 0)
            continue;
        buf_append_text(&body, "END IF; END");
        buf_append_text(script, "DO ");
        pq_quote_literal(script, body.data);
        buf_append_text(script, ";\n");
        buf_clear(&body);
    }
    return 0;
}

int postgres_roles_script(struct pq *pq, struct buf *script, struct error *err)
{
    int64_t readable = 0;
    if (pq_query_integer(pq, "SELECT has_table_privilege('pg_authid', 'SELECT')::int", &readable,
                         err) < 0)
        return -1;
    const char *password = readable ? "rolpassword" : "NULL";
    SCOPED(string)
    char *roles = mem_format(ROLES_SQL, password, password, readable ? "pg_authid" : "pg_roles");
    if (add_statements(pq, roles, script, err) < 0 || add_role_settings(pq, script, err) < 0)
        return -1;
    for (size_t i = 0; i < ARRAY_SIZE(SHARED_SQL); i++)
        if (add_statements(pq, SHARED_SQL[i], script, err) < 0)
            return -1;
    return 0;
}

/* ---- for the manifest ---- */

int postgres_position(struct pq *pq, char **ret_position, struct error *err)
{
    return pq_query_text(pq,
                         "SELECT CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() "
                         "ELSE pg_current_wal_lsn() END",
                         ret_position, err) < 0
               ? error_prefix(err, "read the position in the log")
               : 0;
}

/* Owners of what is there, and whoever a privilege or a policy names. The first superuser owns
 * things without an entry in pg_shdepend. */
static const char NEEDED_ROLES_SQL[] =
    "SELECT rolname FROM pg_roles WHERE oid IN ("
    "SELECT refobjid FROM pg_shdepend WHERE refclassid = 'pg_authid'::regclass "
    "AND dbid = (SELECT oid FROM pg_database WHERE datname = current_database()) "
    "UNION SELECT relowner FROM pg_class WHERE oid >= 16384 "
    "UNION SELECT nspowner FROM pg_namespace WHERE oid >= 16384 "
    "UNION SELECT proowner FROM pg_proc WHERE oid >= 16384 "
    "UNION SELECT typowner FROM pg_type WHERE oid >= 16384 "
    "UNION SELECT lomowner FROM pg_largeobject_metadata) ORDER BY 1";

static int add_names(json_t *object, const char *key, struct pq *pq, const char *sql,
                     struct error *err)
{
    SCOPED(pq_result) struct pq_result *rows = NULL;
    if (pq_exec(pq, sql, &rows, err) < 0)
        return -1;
    json_t *names = json_array();
    for (size_t i = 0; i < pq_rows(rows); i++)
        json_array_append_new(names, json_text(pq_value(rows, i, 0)));
    json_object_set_new(object, key, names);
    return 0;
}

static int add_locale(json_t *object, struct pq *pq, struct error *err)
{
    const char *icu = pq_server_version(pq) >= 170000   ? "datlocprovider, datlocale"
                      : pq_server_version(pq) >= 150000 ? "datlocprovider, daticulocale"
                                                        : "'c', NULL";
    SCOPED(string)
    char *sql = mem_format(
        "SELECT pg_encoding_to_char(encoding), datcollate, datctype, %s FROM pg_database "
        "WHERE datname = current_database()",
        icu);
    SCOPED(pq_result) struct pq_result *row = NULL;
    if (pq_exec(pq, sql, &row, err) < 0)
        return -1;
    static const char *const keys[] = {"encoding", "collate", "ctype", "provider", "locale"};
    for (size_t i = 0; pq_rows(row) && i < ARRAY_SIZE(keys); i++)
        if (pq_value(row, 0, i))
            json_object_set_new(object, keys[i], json_string(pq_value(row, 0, i)));
    return 0;
}

static void add_tablespaces(json_t *object, const struct text_list *tablespaces)
{
    json_t *names = json_array();
    for (size_t i = 0; i < tablespaces->count; i++)
        json_array_append_new(names, json_text(tablespaces->items[i]));
    json_object_set_new(object, "tablespaces", names);
}

/* Tables whose rows the options left out; whoever restores must know that it is not the whole. */
static void add_left_out(json_t *object, const struct dump_options *options,
                         const struct postgres_tables *tables)
{
    json_t *names = json_array();
    for (size_t i = 0; i < tables->count; i++)
        if (tables->items[i].left_out)
            json_array_append_new(names, json_text(tables->items[i].quoted));
    json_object_set_new(object, "left_out", names);
    bool chosen = options->tables.count || options->schemas.count;
    json_object_set_new(object, "partial", json_boolean(chosen));
    json_object_set_new(object, "with_roles", json_boolean(options->roles));
}

int postgres_metadata(struct pq *pq, const struct dump_options *options,
                      const struct postgres_tables *tables, const struct text_list *tablespaces,
                      char **ret_json, struct error *err)
{
    json_t *object = json_object();
    int result = add_locale(object, pq, err);
    if (result == 0)
        result = add_names(object, "roles", pq, NEEDED_ROLES_SQL, err);
    if (result == 0)
        result = add_names(object, "extensions", pq,
                           "SELECT extname FROM pg_extension WHERE extname <> 'plpgsql' ORDER BY 1",
                           err);
    if (result == 0) {
        add_tablespaces(object, tablespaces);
        add_left_out(object, options, tables);
        char *text = json_dumps(object, JSON_COMPACT);
        *ret_json = mem_string(text);
        free(text);
    }
    json_decref(object);
    return result < 0 ? error_prefix(err, "describe the database") : 0;
}
