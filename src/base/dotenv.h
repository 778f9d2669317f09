/*
 * `.env` files: NAME=value lines, as deployment tools write them.
 *
 * Comments, `export`, 'literal' and "quoted" values (with \n, \r, \t, \", \\, \$), and ${NAME} of
 * an earlier line or of the environment outside single quotes. Anything else is an error with its
 * line, so that no secret is half read.
 */
#ifndef KEDGE_BASE_DOTENV_H
#define KEDGE_BASE_DOTENV_H

#include <stddef.h>

struct error;

struct dotenv_variable {
    char *name;
    char *value;
};

struct dotenv {
    struct dotenv_variable *variables;
    size_t count;
    size_t capacity;
};

#define DOTENV_INIT ((struct dotenv){0})

/* `file` names it in errors (ERROR_USAGE); they never hold a value. Of a name that comes twice the
 * last holds. */
int dotenv_parse(const char *file, const char *text, size_t size, struct dotenv *ret_dotenv,
                 struct error *err);

/* The value, or NULL. Borrowed. */
const char *dotenv_get(const struct dotenv *dotenv, const char *name);

void dotenv_clear(struct dotenv *dotenv); /* values are wiped */

static inline void scoped_dotenv_cleanup(struct dotenv *dotenv)
{
    dotenv_clear(dotenv);
}

#endif
