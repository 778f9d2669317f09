#include "migrate/lint_pgdefault.h"

#include "base/mem.h"

/* Functions whose answer is one for all rows. What a user wrote is volatile unless it says
 * otherwise, so whatever is not here counts as that. */
static const char *const steady[] = {
    "now",
    "transaction_timestamp",
    "statement_timestamp",
    "current_setting",
    "coalesce",
    "nullif",
    "lower",
    "upper",
    "md5",
    "length",
    "concat",
    "concat_ws",
    "format",
    "date_trunc",
    "to_char",
    "to_date",
    "to_jsonb",
    "jsonb_build_object",
    "jsonb_build_array",
    "json_build_object",
    "array",
    "make_date",
    "make_interval",
    "make_timestamptz",
    "timezone",
    "greatest",
    "least",
    "cast",
    "row",
    "interval",
    "date",
    "timestamp",
    "numeric",
    "decimal",
    "varchar",
    "char",
    "bit",
    "time",
    "extract",
    "date_part",
    "round",
    "abs",
    "floor",
    "ceil",
    "substring",
    "replace",
    "repeat",
    "encode",
    "decode",
    "to_timestamp",
    "timestamptz",
    "current_database",
    "txid_current",
    /* No functions, but a parenthesis may follow. */
    "in",
    "and",
    "or",
    "not",
};

static bool is_steady_function(const struct token *token)
{
    for (size_t i = 0; i < ARRAY_SIZE(steady); i++)
        if (token_is(token, steady[i]))
            return true;
    return false;
}

bool pgdefault_is_volatile(const struct cursor *expression)
{
    for (size_t i = expression->at; i + 1 < expression->end; i++) {
        const struct token *token = &expression->tokens->items[i];
        if (token->kind == TOKEN_WORD && token_is(token + 1, "(") && !is_steady_function(token))
            return true;
    }
    return false;
}
