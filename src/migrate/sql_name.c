#include "migrate/sql_name.h"

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include "migrate/token.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- as the server knows them ---- */

bool sql_name_is(const struct sql_name *a, const struct sql_name *b)
{
    return strcmp(a->text, b->text) == 0;
}

/* A part without its quotes; what had none is folded, and what had some unless `exact`. */
static void append_part(struct buf *buf, const struct token *part, bool exact)
{
    bool quoted = part->kind == TOKEN_NAME || part->kind == TOKEN_STRING;
    size_t end = quoted && part->size > 1 ? part->size - 1 : part->size;
    char quote = *part->text == '[' ? ']' : *part->text;
    for (size_t i = quoted; i < end; i++) {
        char c = part->text[i];
        if (quoted && c == quote && i + 1 < end)
            i++;
        buf_append_char(buf, quoted && exact ? c : text_lower(c));
    }
}

/* PostgreSQL keeps the case of quoted names; the others do not tell case apart. */
void sql_name_add(struct sql_name *name, enum db_engine engine, const struct token *part)
{
    SCOPED(buf) struct buf buf = BUF_INIT;
    size_t used = strlen(name->text);
    if (used)
        buf_append_char(&buf, '.');
    append_part(&buf, part, engine == DB_POSTGRES);
    size_t room = sizeof name->text - 1 - used;
    size_t added = buf.length < room ? buf.length : room;
    memcpy(name->text + used, buf.data, added);
    name->text[used + added] = '\0';
}

void sql_name_drop_usual_schema(struct sql_name *name, enum db_engine engine)
{
    static const char *const usual[] = {
        [DB_SQLITE] = "main.", [DB_POSTGRES] = "public.", [DB_MYSQL] = ""};
    size_t size = strlen(usual[engine]);
    if (size && strncmp(name->text, usual[engine], size) == 0)
        memmove(name->text, name->text + size, strlen(name->text + size) + 1);
}

/* ---- as written ---- */

char *name_plain(enum db_engine engine, const char *written)
{
    struct buf buf = BUF_INIT;
    SCOPED(tokens) struct tokens tokens = TOKENS_INIT;
    tokens_read(&tokens, engine, written, strlen(written));
    if (tokens.count)
        append_part(&buf, &tokens.items[tokens.count - 1], true);
    return buf_steal(&buf);
}

/* "store" of "store.goods", plain; NULL when there is none. To be freed. */
static char *schema_of(enum db_engine engine, const char *written)
{
    struct buf buf = BUF_INIT;
    SCOPED(tokens) struct tokens tokens = TOKENS_INIT;
    tokens_read(&tokens, engine, written, strlen(written));
    if (tokens.count < 3)
        return NULL;
    append_part(&buf, &tokens.items[tokens.count - 3], true);
    return buf_steal(&buf);
}

bool name_same(enum db_engine engine, const char *a, const char *b)
{
    SCOPED(string) char *left = name_plain(engine, a);
    SCOPED(string) char *right = name_plain(engine, b);
    bool same = engine == DB_POSTGRES ? strcmp(left, right) == 0 : strcasecmp(left, right) == 0;
    if (!same)
        return false;
    SCOPED(string) char *left_schema = schema_of(engine, a);
    SCOPED(string) char *right_schema = schema_of(engine, b);
    return !left_schema || !right_schema || strcasecmp(left_schema, right_schema) == 0;
}
