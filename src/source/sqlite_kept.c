#include "source/sqlite_kept.h"

#include "base/error.h"
#include "base/json_text.h"
#include "base/file.h"
#include "base/ulid.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

char *sqlite_side_path(const char *target, const char *id)
{
    SCOPED(string) char *folder = path_folder(target);
    SCOPED(string) char *name = mem_format(".%s.kedge-%s", path_base(target), id);
    return path_join(folder, name);
}

/* JSON holds text only, a path any bytes: what is not UTF-8 goes as hex. */
static void put_path(json_t *object, const char *key, const char *path)
{
    if (text_is_utf8(path, strlen(path))) {
        json_object_set_new(object, key, json_string(path));
        return;
    }
    SCOPED(string) char *hex = mem_alloc(2 * strlen(path) + 1, 1);
    text_hex(path, strlen(path), hex);
    SCOPED(string) char *hex_key = mem_format("%s_hex", key);
    json_object_set_new(object, hex_key, json_string(hex));
}

static char *get_path(const json_t *object, const char *key)
{
    const char *plain = json_string_value(json_object_get(object, key));
    if (plain)
        return mem_string(plain);
    SCOPED(string) char *hex_key = mem_format("%s_hex", key);
    const char *hex = json_string_value(json_object_get(object, hex_key));
    if (!hex)
        return NULL;
    size_t size = strlen(hex) / 2;
    SCOPED(string) char *path = mem_alloc(size + 1, 1);
    return text_unhex(hex, path, size) == 0 && strlen(path) == size ? STEAL(path) : NULL;
}

char *sqlite_kept_write(const struct sqlite_kept *kept)
{
    json_t *object = json_pack("{s:s,s:b,s:b,s:b,s:I,s:I,s:I}",          //
                               "engine", "sqlite",                       //
                               "existed", kept->existed,                 //
                               "old_wal", kept->old_wal,                 //
                               "new_wal", kept->new_wal,                 //
                               "old_inode", (json_int_t)kept->old_inode, //
                               "new_inode", (json_int_t)kept->new_inode, //
                               "new_modified_ns", (json_int_t)kept->new_modified_ns);
    put_path(object, "target", kept->target);
    put_path(object, "side", kept->side);
    if (kept->tables.count) {
        json_t *tables = json_array();
        for (size_t i = 0; i < kept->tables.count; i++)
            json_array_append_new(tables, json_text(kept->tables.items[i]));
        json_object_set_new(object, "tables", tables);
    }
    char *text = json_dumps(object, JSON_COMPACT);
    json_decref(object);
    return text;
}

/* The side file may be removed or put in the target's place, so its name must be one that we
 * make. */
static bool is_side_of(const char *side, const char *target)
{
    if (!side || !target || side[0] != '/' || target[0] != '/')
        return false;
    size_t length = strlen(side);
    if (length < 26 || !ulid_valid(side + length - 26))
        return false;
    SCOPED(string) char *expected = sqlite_side_path(target, side + length - 26);
    return text_equal(side, expected);
}

static void get_tables(const json_t *object, struct text_list *tables)
{
    size_t i = 0;
    const json_t *item = NULL;
    json_array_foreach(json_object_get(object, "tables"), i, item)
    {
        char *name = json_text_value(item);
        if (name)
            text_list_give(tables, name);
    }
}

int sqlite_kept_read(const char *json, struct sqlite_kept *ret_kept, struct error *err)
{
    json_t *object = json ? json_loads(json, 0, NULL) : NULL;
    struct sqlite_kept kept = {
        .target = get_path(object, "target"),
        .side = get_path(object, "side"),
        .existed = json_is_true(json_object_get(object, "existed")),
        .old_wal = json_is_true(json_object_get(object, "old_wal")),
        .new_wal = json_is_true(json_object_get(object, "new_wal")),
        .old_inode = (uint64_t)json_integer_value(json_object_get(object, "old_inode")),
        .new_inode = (uint64_t)json_integer_value(json_object_get(object, "new_inode")),
        .new_modified_ns = json_integer_value(json_object_get(object, "new_modified_ns")),
    };
    get_tables(object, &kept.tables);
    json_decref(object);
    if (!is_side_of(kept.side, kept.target)) {
        sqlite_kept_clear(&kept);
        return error_set(err, ERROR_CORRUPT, "the restore log does not say where the kept copy is");
    }
    *ret_kept = kept;
    return 0;
}

void sqlite_kept_clear(struct sqlite_kept *kept)
{
    free(kept->target);
    free(kept->side);
    text_list_clear(&kept->tables);
    *kept = SQLITE_KEPT_INIT;
}
