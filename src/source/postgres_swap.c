#include "source/postgres_swap.h"

#include "base/error.h"
#include "base/json_text.h"
#include "base/mem.h"
#include "base/os.h"
#include "db/pq.h"
#include "db/url.h"
#include "source/postgres_carry.h"
#include "source/postgres_session.h"
#include "source/source.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define IDENTIFIER_MAXIMUM 63
#define RENAMES 5
#define OBJECT_IN_USE "55006"

/* ---- names ---- */

void postgres_swap_clear(struct postgres_swap *swap)
{
    free(swap->live);
    free(swap->side);
    free(swap->old);
    *swap = (struct postgres_swap){0};
}

char *postgres_side_name(const char *name, const char *suffix)
{
    size_t room = IDENTIFIER_MAXIMUM - strlen(suffix);
    size_t length = strlen(name);
    if (length > room) {
        length = room;
        while (length && ((unsigned char)name[length] & 0xC0) == 0x80)
            length--;
    }
    return mem_format("%.*s%s", (int)length, name, suffix);
}

void postgres_swap_name(struct postgres_swap *swap, const char *live, const char *id, bool keep)
{
    SCOPED(string) char *side = mem_format("__kedge_%s", id);
    SCOPED(string) char *old = mem_format("__kedge_old_%s", id);
    *swap = (struct postgres_swap){.live = mem_string(live),
                                   .side = postgres_side_name(live, side),
                                   .old = postgres_side_name(live, old),
                                   .keep = keep};
}

char *postgres_swap_format(const struct postgres_swap *swap)
{
    json_t *object = json_pack(
        "{s:s, s:s, s:o, s:o, s:o, s:I, s:I, s:b, s:[III]}", "engine", "postgres", "mode", "swap",
        "database", json_text(swap->live), "side", json_text(swap->side), "old",
        json_text(swap->old), "live_oid", (json_int_t)swap->live_oid, "side_oid",
        (json_int_t)swap->side_oid, "keep", swap->keep, "written", (json_int_t)swap->written[0],
        (json_int_t)swap->written[1], (json_int_t)swap->written[2]);
    char *text = json_dumps(object, JSON_COMPACT);
    char *copy = mem_string(text);
    free(text);
    json_decref(object);
    return copy;
}

int postgres_swap_parse(const char *json, struct postgres_swap *ret_swap, struct error *err)
{
    json_error_t reason;
    json_t *object = json_loads(json, JSON_REJECT_DUPLICATES, &reason);
    const char *mode;
    json_int_t live_oid, side_oid, written[3];
    int keep;
    bool bad = !object || json_unpack(object, "{s:s, s:I, s:I, s:b, s:[III]}", "mode", &mode,
                                      "live_oid", &live_oid, "side_oid", &side_oid, "keep", &keep,
                                      "written", &written[0], &written[1], &written[2]) < 0;
    SCOPED(string) char *live = json_text_value(json_object_get(object, "database"));
    SCOPED(string) char *side = json_text_value(json_object_get(object, "side"));
    SCOPED(string) char *old = json_text_value(json_object_get(object, "old"));
    /* Only what a restore makes may ever be removed by one. */
    bad =
        bad || !live || !side || !old || !strstr(side, "__kedge_") || !strstr(old, "__kedge_old_");
    if (!bad)
        *ret_swap = (struct postgres_swap){.live = STEAL(live),
                                           .side = STEAL(side),
                                           .old = STEAL(old),
                                           .live_oid = live_oid,
                                           .side_oid = side_oid,
                                           .written = {written[0], written[1], written[2]},
                                           .keep = keep};
    json_decref(object);
    return bad ? error_set(err, ERROR_CORRUPT, "the restore's record is damaged") : 0;
}

/* ---- the server around it ---- */

int postgres_connect_beside(struct os *os, const struct db_url *url, const char *name,
                            struct pq **ret_pq, struct error *err)
{
    static const char *const candidates[] = {"postgres", "template1"};
    for (size_t i = 0; i < ARRAY_SIZE(candidates); i++) {
        if (strcmp(candidates[i], name) == 0)
            continue;
        if (postgres_connect(os, url, candidates[i], 0, ret_pq, err) == 0)
            return 0;
        if (err && err->code == ERROR_INTERRUPTED)
            return -1;
    }
    return -1;
}

/* What a role or database says about its sessions must not keep us from tidying up. */
static const char PATIENT_SQL[] = "SET default_transaction_read_only = off; SET lock_timeout = 0; "
                                  "SET statement_timeout = 0; SET client_min_messages = warning";

static int connect_patiently(const struct db_url *url, const struct pq_options *options,
                             struct pq **ret_pq, struct error *err)
{
    SCOPED(pq) struct pq *pq = NULL;
    if (pq_open(url, options, &pq, err) < 0 || pq_exec(pq, PATIENT_SQL, NULL, err) < 0)
        return -1;
    *ret_pq = STEAL(pq);
    return 0;
}

int postgres_connect_tidy(struct os *os, const struct db_url *url, const char *name,
                          struct pq **ret_pq, struct error *err)
{
    struct pq_options options = {.os = os, .encoding = POSTGRES_ANY_ENCODING, .ignore_stop = true};
    options.database = strcmp(name, "postgres") == 0 ? "template1" : "postgres";
    return connect_patiently(url, &options, ret_pq, err);
}

int postgres_database_oid(struct pq *pq, const char *name, int64_t *ret_oid, struct error *err)
{
    struct pq_parameter parameter = {.data = name, .size = strlen(name)};
    SCOPED(pq_result) struct pq_result *row = NULL;
    if (pq_exec_parameters(pq, "SELECT oid FROM pg_database WHERE datname = $1", &parameter, 1,
                           false, &row, err) < 0)
        return error_prefix(err, "look for database %s", name);
    *ret_oid = pq_rows(row) ? strtoll(pq_value(row, 0, 0), NULL, 10) : 0;
    return 0;
}

static char *quote(const char *name)
{
    struct buf quoted = BUF_INIT;
    pq_quote_identifier(&quoted, name);
    return buf_steal(&quoted);
}

/* Whatever the subscription's slot is called, it may be the one of the database that stays: it is
 * let go of, not removed. */
static int drop_subscription(struct pq *pq, const char *name, struct error *err)
{
    SCOPED(string) char *quoted = quote(name);
    if (pq_exec_format(pq, err, "ALTER SUBSCRIPTION %s DISABLE", quoted) < 0 ||
        pq_exec_format(pq, err, "ALTER SUBSCRIPTION %s SET (slot_name = NONE)", quoted) < 0 ||
        pq_exec_format(pq, err, "DROP SUBSCRIPTION %s", quoted) < 0)
        return error_prefix(err, "remove subscription %s", name);
    return 0;
}

/* A database that subscribes cannot be dropped, and only a session in it can end that. */
static int drop_subscriptions(struct os *os, const struct db_url *url, struct pq *beside,
                              const char *name, struct error *err)
{
    struct pq_parameter parameter = {.data = name, .size = strlen(name)};
    SCOPED(pq_result) struct pq_result *names = NULL;
    SCOPED(pq) struct pq *pq = NULL;
    if (pq_exec_parameters(beside,
                           "SELECT subname FROM pg_subscription WHERE subdbid = "
                           "(SELECT oid FROM pg_database WHERE datname = $1)",
                           &parameter, 1, false, &names, err) < 0)
        return -1;
    if (!pq_rows(names))
        return 0;
    struct pq_options options = {
        .os = os, .database = name, .encoding = POSTGRES_ANY_ENCODING, .ignore_stop = true};
    if (connect_patiently(url, &options, &pq, err) < 0)
        return -1;
    for (size_t i = 0; i < pq_rows(names); i++)
        if (drop_subscription(pq, pq_value(names, i, 0), err) < 0)
            return -1;
    return 0;
}

static int drop(struct pq *beside, const char *name, struct error *err)
{
    SCOPED(string) char *quoted = quote(name);
    struct pq_parameter parameter = {.data = name, .size = strlen(name)};
    SCOPED(pq_result) struct pq_result *template = NULL;
    if (pq_exec_parameters(beside, "SELECT FROM pg_database WHERE datname = $1 AND datistemplate",
                           &parameter, 1, false, &template, err) < 0)
        return -1;
    if (pq_rows(template) &&
        pq_exec_format(beside, err, "ALTER DATABASE %s IS_TEMPLATE false", quoted) < 0)
        return -1;
    bool force = pq_server_version(beside) >= 130000;
    return pq_exec_format(beside, err, "DROP DATABASE IF EXISTS %s%s", quoted,
                          force ? " WITH (FORCE)" : "");
}

int postgres_database_drop(struct os *os, const struct db_url *url, struct pq *beside,
                           const char *name, struct error *err)
{
    if (drop_subscriptions(os, url, beside, name, err) < 0 || drop(beside, name, err) < 0)
        return error_prefix(err, "remove database %s", name);
    return 0;
}

/* ---- making ---- */

static void append_text_option(struct buf *sql, const char *option, const char *value)
{
    if (!value)
        return;
    buf_append_format(sql, " %s ", option);
    pq_quote_literal(sql, value);
}

struct place {
    char *encoding, *collate, *ctype, *provider, *locale, *owner, *tablespace;
};

static void place_clear(struct place *place)
{
    free(place->encoding);
    free(place->collate);
    free(place->ctype);
    free(place->provider);
    free(place->locale);
    free(place->owner);
    free(place->tablespace);
}

static int place_of_live(struct pq *beside, const char *live, struct place *place,
                         struct error *err)
{
    const char *icu = pq_server_version(beside) >= 170000   ? "d.datlocprovider, d.datlocale"
                      : pq_server_version(beside) >= 150000 ? "d.datlocprovider, d.daticulocale"
                                                            : "'c', NULL";
    /* The tablespace of the template needs no right, unless it is named. */
    SCOPED(string)
    char *sql = mem_format("SELECT pg_encoding_to_char(d.encoding), d.datcollate, d.datctype, %s, "
                           "pg_get_userbyid(d.datdba), CASE WHEN d.dattablespace <> (SELECT "
                           "dattablespace FROM pg_database WHERE datname = 'template0') "
                           "THEN t.spcname END FROM pg_database d "
                           "JOIN pg_tablespace t ON t.oid = d.dattablespace WHERE d.datname = $1",
                           icu);
    struct pq_parameter parameter = {.data = live, .size = strlen(live)};
    SCOPED(pq_result) struct pq_result *row = NULL;
    if (pq_exec_parameters(beside, sql, &parameter, 1, false, &row, err) < 0)
        return -1;
    char **slots[] = {&place->encoding, &place->collate, &place->ctype,     &place->provider,
                      &place->locale,   &place->owner,   &place->tablespace};
    for (size_t i = 0; pq_rows(row) && i < ARRAY_SIZE(slots); i++)
        *slots[i] = mem_string(pq_value(row, 0, i));
    return 0;
}

static void place_of_backup(const char *metadata, struct place *place)
{
    json_t *object = metadata ? json_loads(metadata, 0, NULL) : NULL;
    place->encoding = mem_string(json_string_value(json_object_get(object, "encoding")));
    place->collate = mem_string(json_string_value(json_object_get(object, "collate")));
    place->ctype = mem_string(json_string_value(json_object_get(object, "ctype")));
    place->provider = mem_string(json_string_value(json_object_get(object, "provider")));
    place->locale = mem_string(json_string_value(json_object_get(object, "locale")));
    json_decref(object);
}

static void create_sql(const struct postgres_swap *swap, const struct place *place, int version,
                       struct buf *sql)
{
    buf_append_text(sql, "CREATE DATABASE ");
    pq_quote_identifier(sql, swap->side);
    buf_append_text(sql, " TEMPLATE template0");
    append_text_option(sql, "ENCODING", place->encoding);
    append_text_option(sql, "LC_COLLATE", place->collate);
    append_text_option(sql, "LC_CTYPE", place->ctype);
    if (version >= 150000 && text_equal(place->provider, "i")) {
        buf_append_text(sql, " LOCALE_PROVIDER icu");
        append_text_option(sql, "ICU_LOCALE", place->locale);
    } else if (version >= 170000 && text_equal(place->provider, "b")) {
        buf_append_text(sql, " LOCALE_PROVIDER builtin");
        append_text_option(sql, "BUILTIN_LOCALE", place->locale);
    }
    if (place->tablespace) {
        buf_append_text(sql, " TABLESPACE ");
        pq_quote_identifier(sql, place->tablespace);
    }
    if (place->owner) {
        buf_append_text(sql, " OWNER ");
        pq_quote_identifier(sql, place->owner);
    }
}

int postgres_swap_create(struct pq *beside, struct postgres_swap *swap,
                         const struct load_options *options, struct error *err)
{
    struct place place = {0};
    int result = swap->live_oid ? place_of_live(beside, swap->live, &place, err) : 0;
    if (!swap->live_oid) {
        place_of_backup(options->metadata, &place);
        place.owner = mem_string(options->role);
    }
    if (result == 0) {
        SCOPED(buf) struct buf sql = BUF_INIT;
        create_sql(swap, &place, pq_server_version(beside), &sql);
        result = pq_exec(beside, sql.data, NULL, err);
    }
    place_clear(&place);
    if (result == 0)
        result = postgres_database_oid(beside, swap->side, &swap->side_oid, err);
    return result < 0 ? error_prefix(err, "make database %s", swap->side) : 0;
}

/* ---- renaming ---- */

/* Workers of autovacuum go by themselves when the server renames, and only a superuser may end
 * them.
 */
static int end_sessions(struct pq *beside, const char *name, struct error *err)
{
    struct pq_parameter parameter = {.data = name, .size = strlen(name)};
    if (pq_exec_parameters(beside,
                           "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                           "WHERE datname = $1 AND pid <> pg_backend_pid() "
                           "AND backend_type <> 'autovacuum worker'",
                           &parameter, 1, false, NULL, err) < 0)
        return error_prefix(err, "end the sessions in %s", name);
    return 0;
}

struct renaming {
    const char *from;
    const char *to;
};

/* What the server says against a renaming; somebody is in the way: 1. */
static int not_renamed(const struct pq *beside)
{
    return strcmp(pq_fault(beside)->state, OBJECT_IN_USE) == 0 ? 1 : -1;
}

/* Once the server has begun to rename, nobody comes into the database any more: then the session
 * that carried our tables can go. */
static int rename_carried(struct pq *beside, const char *sql, struct postgres_carry *carry,
                          struct error *err)
{
    struct error why = ERROR_INIT;
    if (pq_start(beside, sql, err) < 0)
        return -1;
    int left = postgres_carry_leave(carry, pq_backend_pid(beside), &why);
    if (left <= 0)
        pq_cancel(beside);
    int result = pq_finish(beside, NULL, err);
    if (left > 0)
        return result < 0 ? not_renamed(beside) : 0;
    if (pq_fault(beside)->connection_lost)
        return -1;
    error_clear(err);
    return error_set(err, ERROR_RESTORE, "%s",
                     left < 0 ? why.message : "a session in the database did not end") < 0;
}

static int rename_one(struct pq *beside, const struct renaming *name, struct postgres_carry *carry,
                      struct error *err)
{
    SCOPED(string) char *from = quote(name->from);
    SCOPED(string) char *to = quote(name->to);
    SCOPED(string) char *sql = mem_format("ALTER DATABASE %s RENAME TO %s", from, to);
    if (carry && carry->session)
        return rename_carried(beside, sql, carry, err);
    return pq_exec(beside, sql, NULL, err) < 0 ? not_renamed(beside) : 0;
}

/* 1: somebody was in the way, and nothing has changed. */
static int rename_in_one(struct pq *beside, const struct renaming *names, size_t count,
                         struct postgres_carry *carry, struct error *err)
{
    if (pq_exec(beside, "BEGIN", NULL, err) < 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        int busy = rename_one(beside, &names[i], i == 0 ? carry : NULL, err);
        if (busy == 0)
            continue;
        if (!pq_fault(beside)->connection_lost)
            pq_exec(beside, "ROLLBACK", NULL, NULL);
        return busy;
    }
    return pq_exec(beside, "COMMIT", NULL, err);
}

/* Applications come back at once: tell them to leave and rename, until no one was quicker. */
static int rename_all(struct pq *beside, const struct renaming *names, size_t count,
                      struct postgres_carry *carry, struct error *err)
{
    for (int i = 0; i < RENAMES; i++) {
        for (size_t n = 0; n < count; n++)
            if (end_sessions(beside, names[n].from, err) < 0)
                return -1;
        if (carry && postgres_carry_begin(carry, err) < 0)
            return -1;
        int busy = rename_in_one(beside, names, count, carry, err);
        if (carry)
            postgres_carry_end(carry);
        if (busy <= 0)
            return busy;
    }
    error_recode(err, ERROR_RESTORE);
    return error_hint(err, "stop the applications that keep connecting, then try again");
}

int postgres_swap_commit(struct os *os, const struct db_url *url, struct pq *beside,
                         struct postgres_swap *swap, struct error *err)
{
    struct postgres_carry carry = {.os = os, .url = url, .from = swap->live, .to = swap->side};
    const struct renaming names[] = {{swap->live, swap->old}, {swap->side, swap->live}};
    bool replaces = swap->live_oid != 0;
    if (rename_all(beside, replaces ? names : names + 1, replaces ? 2 : 1, replaces ? &carry : NULL,
                   err) < 0) {
        error_recode(err, ERROR_RESTORE);
        return error_prefix(err, "put the restored database in its place");
    }
    return 0;
}

int postgres_swap_back(struct os *os, const struct db_url *url, struct pq *beside,
                       const struct postgres_swap *swap, struct error *err)
{
    struct postgres_carry carry = {.os = os, .url = url, .from = swap->live, .to = swap->old};
    int64_t live = 0, old = 0;
    if (postgres_database_oid(beside, swap->live, &live, err) < 0 ||
        postgres_database_oid(beside, swap->old, &old, err) < 0)
        return -1;
    if (!old && swap->live_oid)
        return error_set(err, ERROR_NOT_FOUND, "the old copy %s is not there any more", swap->old);

    /* The side's name is free after the swap: it is the third place that an exchange needs. */
    const struct renaming names[] = {
        {swap->live, swap->side}, {swap->old, swap->live}, {swap->side, swap->old}};
    const struct renaming away[] = {{swap->live, swap->old}};
    const struct renaming again[] = {{swap->old, swap->live}};
    if (live && old)
        return rename_all(beside, names, 3, &carry, err);
    if (live)
        return rename_all(beside, away, 1, NULL, err);
    if (old)
        return rename_all(beside, again, 1, NULL, err);
    return error_set(err, ERROR_NOT_FOUND, "neither %s nor %s is there", swap->live, swap->old);
}
