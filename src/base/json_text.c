#include "base/json_text.h"

#include "base/mem.h"
#include "base/text.h"

#include <string.h>

json_t *json_text(const char *text)
{
    size_t size = strlen(text);
    if (text_is_utf8(text, size))
        return json_string(text);
    SCOPED(string) char *hex = mem_alloc(2 * size + 1, 1);
    text_hex(text, size, hex);
    json_t *object = json_object();
    json_object_set_new(object, "hex", json_string(hex));
    return object;
}

char *json_text_value(const json_t *value)
{
    if (json_is_string(value))
        return mem_string(json_string_value(value));
    const char *hex = json_string_value(json_object_get(value, "hex"));
    if (!hex)
        return NULL;
    size_t size = strlen(hex) / 2;
    SCOPED(string) char *text = mem_alloc(size + 1, 1);
    return text_unhex(hex, text, size) == 0 && strlen(text) == size ? STEAL(text) : NULL;
}
