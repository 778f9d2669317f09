/*
 * What a statement does to which table: an outline of it, read from its tokens.
 *
 * Made for judging migrations (migrate/lint.h). It knows the statements that change a schema or
 * many rows in the three dialects; whatever else there is comes out as OUTLINE_OTHER. It never
 * fails: a statement that the server would refuse has an outline too.
 */
#ifndef KEDGE_MIGRATE_OUTLINE_H
#define KEDGE_MIGRATE_OUTLINE_H

#include "migrate/cursor.h"

enum outline_kind {
    OUTLINE_OTHER,
    OUTLINE_CREATE,
    OUTLINE_ALTER,
    OUTLINE_DROP,
    OUTLINE_RENAME,   /* MySQL's RENAME TABLE: names in pairs */
    OUTLINE_TRUNCATE, /* `names` */
    OUTLINE_INSERT,   /* `table`, as all that follow */
    OUTLINE_UPDATE,
    OUTLINE_DELETE,
};

enum outline_object {
    OBJECT_OTHER,
    OBJECT_TABLE,
    OBJECT_INDEX,
    OBJECT_VIEW,
    OBJECT_MATERIALIZED_VIEW,
    OBJECT_SCHEMA,
    OBJECT_DATABASE,
    OBJECT_TYPE,
    OBJECT_DOMAIN,
    OBJECT_SEQUENCE,
    OBJECT_TRIGGER,
    OBJECT_ROUTINE,
};

enum column_flag {
    COLUMN_NOT_NULL = 1 << 0,
    COLUMN_NULL = 1 << 1, /* said so */
    COLUMN_DEFAULT = 1 << 2,
    COLUMN_PRIMARY = 1 << 3,
    COLUMN_UNIQUE = 1 << 4,
    COLUMN_REFERENCES = 1 << 5,
    COLUMN_GENERATED = 1 << 6, /* from other columns */
    COLUMN_STORED = 1 << 7,
    COLUMN_IDENTITY = 1 << 8,
    COLUMN_AUTO_INCREMENT = 1 << 9,
    COLUMN_CHECK = 1 << 10,
    COLUMN_COLLATE = 1 << 11,
    COLUMN_COMMENT = 1 << 12,
    COLUMN_ON_UPDATE = 1 << 13, /* MySQL: the column sets itself */
    COLUMN_CHARSET = 1 << 14,
    COLUMN_PLACED = 1 << 15, /* FIRST, AFTER */
};

struct outline_column {
    struct sql_name name;
    char type[256]; /* as cursor_text has it; cut when longer */
    unsigned flags;
    struct cursor fallback; /* the expression after DEFAULT */
    size_t at;              /* token of the name */
};

enum action_kind {
    ACTION_OTHER,
    ACTION_ADD_COLUMN,
    ACTION_DROP_COLUMN,
    ACTION_RENAME_COLUMN, /* name to new_name */
    ACTION_RENAME_TABLE,  /* to new_name */
    ACTION_MODIFY_COLUMN, /* MODIFY; with new_name: CHANGE */
    ACTION_COLUMN_TYPE,   /* name, column.type; `using_expression` */
    ACTION_SET_NOT_NULL,
    ACTION_DROP_NOT_NULL,
    ACTION_SET_DEFAULT,
    ACTION_ADD_PRIMARY,
    ACTION_ADD_UNIQUE,
    ACTION_ADD_FOREIGN,
    ACTION_ADD_CHECK,
    ACTION_ADD_EXCLUDE,
    ACTION_ADD_NOT_NULL, /* as a constraint with a name */
    ACTION_ADD_INDEX,
    ACTION_DROP_CONSTRAINT,
    ACTION_DROP_PRIMARY,
    ACTION_DROP_FOREIGN,
    ACTION_DROP_INDEX,
    ACTION_DROP_PARTITION,
    ACTION_VALIDATE,
    ACTION_ATTACH, /* new_name: the partition */
    ACTION_DETACH,
    ACTION_DISABLE_TRIGGER,
    ACTION_ALGORITHM, /* name: inplace, ... */
    ACTION_LOCK,
    ACTION_ENGINE,
    ACTION_CONVERT_CHARSET,
    ACTION_FORCE,
    ACTION_REWRITE, /* SET LOGGED, TABLESPACE, ACCESS METHOD */
    ACTION_SET_SCHEMA,
    ACTION_SPECIAL_INDEX, /* FULLTEXT, SPATIAL */
};

/* One clause of ALTER TABLE, or a constraint of CREATE TABLE. */
struct outline_action {
    enum action_kind kind;
    struct sql_name name; /* of the column, constraint or index */
    struct sql_name new_name;
    struct outline_column column;
    struct cursor clause; /* all of it */
    struct cursor body;   /* what is in the parentheses of a constraint; after USING for a type */
    bool not_valid;
    bool using_index;
    bool using_expression;
    size_t at; /* its first token */
};

struct outline {
    enum outline_kind kind;
    enum outline_object object;
    struct tokens tokens;
    struct cursor rest;     /* what follows the part that is understood */
    struct sql_name name;   /* of the object */
    struct sql_name table;  /* the one that is touched */
    struct sql_name *names; /* all of them, where there is a list */
    size_t name_count;
    size_t name_capacity;
    struct outline_column *columns;
    size_t column_count;
    size_t column_capacity;
    struct outline_action *actions;
    size_t action_count;
    size_t action_capacity;
    bool if_exists; /* or IF NOT EXISTS */
    bool concurrently;
    bool unique;
    bool temporary;
    bool cascade;
    bool has_where;
    bool from_query; /* CREATE TABLE AS, LIKE, PARTITION OF; INSERT ... SELECT */
};

void outline_clear(struct outline *outline);

/* The first of its clauses of this kind, or NULL. */
const struct outline_action *outline_action(const struct outline *outline, enum action_kind kind);

#endif
