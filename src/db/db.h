/*
 * A connection to a database: one interface, one driver each for SQLite, PostgreSQL and
 * MySQL/MariaDB.
 *
 * For the catalogue and for migrations. Sources that need more of an engine (COPY, snapshots, page
 * reads) use its own header (db/postgres.h, ...). Statements use `?` for parameters on every
 * engine; a driver translates. A connection belongs to one thread at a time; only db_cancel may be
 * called from another.
 */
#ifndef KEDGE_DB_DB_H
#define KEDGE_DB_DB_H

#include "db/url.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct os;
struct error;
struct text_list;

enum db_type { DB_NULL, DB_INTEGER, DB_REAL, DB_TEXT, DB_BLOB };

/* A parameter, or a column of the current row. Text and blobs are borrowed; text from a driver is
 * NUL-ended too. */
struct db_value {
    enum db_type type;
    int64_t integer;
    double real;
    const char *text;
    size_t size;
};

#define DB_VALUE_NULL ((struct db_value){.type = DB_NULL})
static inline struct db_value db_integer(int64_t value)
{
    return (struct db_value){.type = DB_INTEGER, .integer = value};
}
struct db_value db_text(const char *text); /* NULL becomes DB_NULL */

/* What the server said when a statement failed: filled beside the error. */
struct db_fault {
    char state[6];   /* SQLSTATE, or "" */
    int native_code; /* MySQL's errno, SQLite's extended result code */
    size_t position; /* 1-based character in the statement, 0 when not told */
    bool connection_lost;
    bool lock_timeout; /* busy, lock_timeout, deadlock: worth another try */
};

struct db_options {
    struct os *os;
    int64_t connect_timeout_ms;   /* 0: 10 s */
    int64_t statement_timeout_ms; /* 0: none */
    int64_t lock_timeout_ms;      /* 0: driver's own; SQLite: busy timeout */
    bool read_only;
    bool immutable;        /* SQLite, with read_only: no lock is taken, no log looked at or made */
    bool create;           /* SQLite: make the file */
    bool full_synchronous; /* SQLite: PRAGMA synchronous=FULL, for the catalogue */
    const char *application; /* shown by the server; NULL: "kedge" */
};

enum db_capability {
    DB_TRANSACTIONAL_DDL = 1 << 0,
    DB_SCHEMAS = 1 << 1,
    DB_ADVISORY_LOCKS = 1 << 2,
};

struct db;

/* Called for each row; the values live until it returns. Non-zero stops the query and comes back
 * from db_query (negative: err is set). */
typedef int db_row_fn(void *context, const struct db_value *columns, size_t count,
                      struct error *err);

/* One of several that go to the server together. `sql` is NUL-ended, a single statement. */
struct db_statement {
    const char *sql;
    size_t size;
    const struct db_value *parameters;
    size_t parameter_count;
};

struct db_ops {
    enum db_engine engine;
    unsigned capabilities;
    /* One statement. *ret_changes (may be NULL): rows changed. */
    int (*execute)(struct db *db, const char *sql, size_t size, const struct db_value *parameters,
                   size_t parameter_count, int64_t *ret_changes, struct error *err);
    /* One statement that returns rows, streamed. `row` may be NULL. */
    int (*query)(struct db *db, const char *sql, size_t size, const struct db_value *parameters,
                 size_t parameter_count, db_row_fn *row, void *context, struct error *err);
    /* The same, for rows that the caller keeps all: they need not come one by one. NULL where that
     * costs nothing. */
    int (*query_whole)(struct db *db, const char *sql, size_t size,
                       const struct db_value *parameters, size_t parameter_count, db_row_fn *row,
                       void *context, struct error *err);
    /* A COPY ... FROM stdin and its rows. NULL where the engine has none. */
    int (*copy_in)(struct db *db, const char *sql, const void *rows, size_t rows_size,
                   struct error *err);
    /* Statements in their order until one fails, without a wait between them; rows are dropped.
     * *ret_done, always set: how many have run; the next one is the one that failed, unless the
     * connection was lost, when more may have run than is known. NULL where each waits for its own
     * answer anyway. */
    int (*batch)(struct db *db, const struct db_statement *statements, size_t count,
                 size_t *ret_done, struct error *err);
    int (*begin)(struct db *db, bool for_writing, struct error *err);
    int (*commit)(struct db *db, struct error *err);
    int (*rollback)(struct db *db, struct error *err);
    int (*in_transaction)(struct db *db); /* 1 or 0 */
    /* Many short transactions follow, or (`on` false) are over. What each of them promises stays
     * the same; they may cost less. Never within one. NULL where nothing can be done. */
    int (*series)(struct db *db, bool on, struct error *err);
    /* Does something between us and the server give our session there to others whenever no
     * transaction is open? Then nothing that belongs to a session (a lock, a setting) is ours. 1,
     * 0, -1. NULL where nothing of the kind is known. */
    int (*is_shared)(struct db *db, struct error *err);
    /* Forget what statements have set in the session: settings, role, default schema or database,
     * temporary tables, prepared statements. It is then as it was opened; locks stay. Outside of
     * a transaction. */
    int (*reset)(struct db *db, struct error *err);
    /* Until the end of the transaction be who opened the connection, whatever role a statement has
     * taken; then that role is taken again. NULL where roles take no right away. */
    int (*own_role)(struct db *db, struct error *err);
    /* Interrupt what another thread is running on `db`; it fails with ERROR_INTERRUPTED. */
    void (*cancel)(struct db *db);
    /* "3.40.1", "15.20 (Debian ...)" */
    int (*version)(struct db *db, char **ret_version, struct error *err);
    void (*close)(struct db *db);
    /* The same, but for memory, before the program ends. NULL where that is all the same. */
    void (*leave)(struct db *db);
};

struct db {
    const struct db_ops *ops;
    struct os *os;
    struct db_fault fault; /* of the last statement that failed */
};

/* Connect. `url` and `options` are not needed afterwards; the connection is the caller's to close.
 * ERROR_USAGE when this kedge has no driver for the engine. */
int db_open(const struct db_url *url, const struct db_options *options, struct db **ret_db,
            struct error *err);
/* Rolls back what is open. NULL does nothing. */
void db_close(struct db *db);

/* The same for the last moment of the program: what others can see is as after db_close, memory is
 * left to the system. */
void db_leave(struct db *db);

/* `sql` is NUL-ended, one statement; it and the parameters are borrowed until the call returns.
 * When one fails, `db->fault` says more than the error. Else as the slots of db_ops. */
int db_execute(struct db *db, const char *sql, const struct db_value *parameters,
               size_t parameter_count, int64_t *ret_changes, struct error *err);
int db_query(struct db *db, const char *sql, const struct db_value *parameters,
             size_t parameter_count, db_row_fn *row, void *context, struct error *err);
/* As db_query, of an answer that memory has room for twice. */
int db_query_whole(struct db *db, const char *sql, const struct db_value *parameters,
                   size_t parameter_count, db_row_fn *row, void *context, struct error *err);

/* The first column of the first row: 1 and the value, 0 when there is no row, -1. *ret_text is to
 * be freed, NULL for NULL. */
int db_query_text(struct db *db, const char *sql, const struct db_value *parameters,
                  size_t parameter_count, char **ret_text, struct error *err);
int db_query_integer(struct db *db, const char *sql, const struct db_value *parameters,
                     size_t parameter_count, int64_t *ret_value, struct error *err);

/* The first column of all rows, as texts, is added to `list`; NULL is left out. */
int db_query_list(struct db *db, const char *sql, const struct db_value *parameters,
                  size_t parameter_count, struct text_list *list, struct error *err);

/* `for_writing`: SQLite's BEGIN IMMEDIATE. */
int db_begin(struct db *db, bool for_writing, struct error *err);
int db_commit(struct db *db, struct error *err);
int db_rollback(struct db *db, struct error *err); /* no transaction is success */
/* As the slots of db_ops; engines without them have nothing to do. */
int db_reset(struct db *db, struct error *err);
int db_own_role(struct db *db, struct error *err);
/* From here many short transactions follow each other, to db_series_end. */
int db_series_begin(struct db *db, struct error *err);
/* A failure is of no consequence. */
void db_series_end(struct db *db);
/* From any thread: what runs on `db` ends with ERROR_INTERRUPTED. */
void db_cancel(struct db *db);

/* `name` as a quoted identifier, appended to `sql`. */
struct buf;
void db_quote_identifier(enum db_engine engine, struct buf *sql, const char *name);
/* `text` as a string literal with the engine's standard settings. */
void db_quote_literal(enum db_engine engine, struct buf *sql, const char *text, size_t size);

DEFINE_SCOPED(db, struct db *, db_close);

#endif
