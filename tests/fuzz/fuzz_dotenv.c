/*
 * `.env` files. What is read has names and values; an error never shows a value.
 */
#include "fuzz.h"

#include "base/dotenv.h"

#define SECRET "s3cr3t-4711"

/* The input goes on after a value that may be seen nowhere. */
static void parse_after_secret(const uint8_t *data, size_t size)
{
    static const char *const starts[] = {"A=" SECRET, "A=\"" SECRET, "A='" SECRET,
                                         "B=" SECRET "\nA=${B}"};
    for (size_t i = 0; i < ARRAY_SIZE(starts); i++) {
        struct error err = ERROR_INIT;
        SCOPED(dotenv) struct dotenv variables = DOTENV_INIT;
        SCOPED(buf) struct buf text = BUF_INIT;
        buf_append_text(&text, starts[i]);
        buf_append(&text, data, size);
        if (dotenv_parse(".env", text.data, text.length, &variables, &err) < 0) {
            MUST_SAY(&err);
            MUST(!strstr(err.message, SECRET) && !strstr(err.hint, SECRET));
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct error err = ERROR_INIT;
    SCOPED(dotenv) struct dotenv variables = DOTENV_INIT;
    if (dotenv_parse(".env", (const char *)data, size, &variables, &err) < 0)
        MUST_SAY(&err);
    for (size_t i = 0; i < variables.count; i++) {
        MUST(variables.variables[i].name[0] && variables.variables[i].value);
        MUST(dotenv_get(&variables, variables.variables[i].name));
    }
    if (size && !memmem(data, size, "s3cr3t", 6))
        parse_after_secret(data, size);
    return 0;
}
